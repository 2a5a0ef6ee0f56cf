/*
 * tests/unit/repo/weave.h: several actors in one thread, and a scheduler that decides by a seed which of them goes on
 * wherever another process might come in between (sys/fault.h: steps). The same seed gives the same order, the same
 * clock and the same random names, so what fails can be run again and looked at.
 *
 * Orders are chosen in four ways: at each step anybody; mostly the one who was at work; seldom another; by priorities
 * that change at a few random steps (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of
 * finding bugs", 2010), which finds what needs few switches at the right places.
 */
#ifndef LEAT_TESTS_WEAVE_H
#define LEAT_TESTS_WEAVE_H

#include <errno.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sys/fault.h"
#include "t.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define WEAVE_MAX 6
#define WEAVE_STACK ((size_t)1 << 20)
#define WEAVE_TRACE 60000
#define WEAVE_BEGAN ((int64_t)1790000000 * 1000000000)

struct weave_actor {
	void (*run)(void *arg);
	void *arg;
	const char *name;
	/* the scheduler's own */
	ucontext_t at;
	void *stack;
	bool done, blocked;
	int rank;
	long fails_at; /* the step of its own, from 1, whose operation fails; 0: none */
	int fails_with;
	long steps;
};

static struct {
	struct weave_actor *all[WEAVE_MAX], *now;
	int n;
	ucontext_t home;
	void *home_stack;
	size_t home_size;
	uint64_t choice, names; /* states of the random numbers */
	int way;
	long steps, change[4];
	int64_t clock, tick;
	bool stuck;
	struct {
		uint8_t who;
		const char *what;
	} trace[WEAVE_TRACE];
	long n_trace;
	uint64_t sum; /* of the whole order: equal for equal seeds */
} weave;

static inline uint64_t weave_mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline unsigned weave_pick(unsigned n)
{
	return (unsigned)(weave_mix(&weave.choice) >> 33) % n;
}

/* --- switching --- */

static inline void weave_enter(struct weave_actor *a, bool leave_for_good)
{
	struct weave_actor *was = weave.now;
#ifdef __SANITIZE_ADDRESS__
	void *fake = NULL;

	__sanitizer_start_switch_fiber(leave_for_good ? NULL : &fake, a ? a->stack : weave.home_stack,
				       a ? WEAVE_STACK : weave.home_size);
#endif
	weave.now = a;
	if (leave_for_good)
		setcontext(a ? &a->at : &weave.home);
	else
		swapcontext(was ? &was->at : &weave.home, a ? &a->at : &weave.home);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
}

/* Who goes on; NULL: nobody can. */
static inline struct weave_actor *weave_choose(void)
{
	struct weave_actor *can[WEAVE_MAX], *best = NULL;
	bool now_can = false;
	unsigned n = 0;

	for (int i = 0; i < weave.n; i++) {
		struct weave_actor *a = weave.all[i];
		if (a->done || a->blocked)
			continue;
		now_can |= a == weave.now;
		if (!best || a->rank > best->rank)
			best = a;
		can[n++] = a;
	}
	if (n < 2)
		return n ? can[0] : NULL;
	switch (weave.way) {
	case 0:
		return can[weave_pick(n)];
	case 1:
	case 2:
		return now_can && weave_pick(weave.way == 1 ? 6 : 40) ? weave.now : can[weave_pick(n)];
	default:
		for (size_t i = 0; i < ARRAY_LEN(weave.change); i++)
			if (weave.change[i] == weave.steps && now_can)
				weave.now->rank = -(int)i - 1;
		best = can[0];
		for (unsigned i = 1; i < n; i++)
			best = can[i]->rank > best->rank ? can[i] : best;
		return best;
	}
}

static inline void weave_note(const char *what)
{
	uint8_t who = 0;

	for (int i = 0; i < weave.n; i++)
		if (weave.all[i] == weave.now)
			who = (uint8_t)i;
	weave.sum = (weave.sum ^ who ^ (uint64_t)(unsigned char)what[0] << 8 ^ (uint64_t)strlen(what) << 16) *
		    0x100000001b3u;
	if (weave.n_trace < WEAVE_TRACE) {
		weave.trace[weave.n_trace].who = who;
		weave.trace[weave.n_trace++].what = what;
	}
	weave.steps++;
}

static inline void weave_go(void)
{
	struct weave_actor *next = weave_choose();

	if (next && next != weave.now)
		weave_enter(next, false);
}

static inline int weave_step(const char *what)
{
	struct weave_actor *me = weave.now;

	if (!me)
		return 0; /* what is done before and after */
	for (int i = 0; i < weave.n; i++) /* something has been done: who waits may look again */
		weave.all[i]->blocked = false;
	weave_note(what);
	weave_go();
	return ++me->steps == me->fails_at ? me->fails_with : 0;
}

static inline void weave_wait(const char *what)
{
	struct weave_actor *me = weave.now;

	BUG_IF(!me); /* before and after, nobody holds anything */
	me->blocked = true;
	weave_note(what);
	if (weave_choose()) {
		weave_go();
		return;
	}
	weave.stuck = true;
	weave_enter(NULL, false);
}

static inline int64_t weave_now(void)
{
	return weave.clock += weave.tick;
}

static inline void weave_sleep(int64_t ms)
{
	weave.clock += ms * 1000000;
	(void)weave_step("sleep");
}

static inline void weave_rand(void *p, size_t n)
{
	for (uint8_t *at = p; n; n--)
		*at++ = (uint8_t)(weave_mix(&weave.names) >> 56);
}

static const struct fault_weave weave_hooks = {weave_step, weave_wait, weave_now, weave_sleep, weave_rand};

static inline void weave_main(void)
{
	struct weave_actor *me = weave.now, *next;

#ifdef __SANITIZE_ADDRESS__
	const void *from;
	size_t size;
	__sanitizer_finish_switch_fiber(NULL, &from, &size);
	if (!weave.home_stack) {
		weave.home_stack = (void *)(uintptr_t)from;
		weave.home_size = size;
	}
#endif
	me->run(me->arg);
	me->done = true;
	for (int i = 0; i < weave.n; i++)
		weave.all[i]->blocked = false;
	next = weave_choose();
	weave_enter(next, true);
}

/* --- a schedule --- */

/* Everything that follows, up to the next, depends on the seed alone. */
static inline void weave_seed(uint64_t seed)
{
	weave.choice = seed;
	weave.names = ~seed;
	weave.clock = WEAVE_BEGAN;
	weave.steps = weave.n_trace = 0;
	weave.sum = 0;
	fault_weave_set(&weave_hooks);
	weave.way = (int)weave_pick(4);
	/* how long things seem to take: at times so long that every slice ends after its first row */
	weave.tick = weave_pick(3) ? 1000 : 1500000;
}

/* Runs them all to their ends. False: they wait for each other. `length`: about how many steps there will be. */
static inline bool weave_run(struct weave_actor *actors, int n, unsigned length)
{
	static void *stacks[WEAVE_MAX];

	weave.n = n;
	weave.stuck = false;
	for (int i = 0; i < n; i++) {
		struct weave_actor *a = weave.all[i] = &actors[i];
		if (!stacks[i])
			stacks[i] = mmap(NULL, WEAVE_STACK, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		BUG_IF(stacks[i] == MAP_FAILED);
		a->stack = stacks[i];
		a->rank = (int)weave_pick(1000);
		getcontext(&a->at);
		a->at.uc_stack.ss_sp = a->stack;
		a->at.uc_stack.ss_size = WEAVE_STACK;
		a->at.uc_link = NULL;
		makecontext(&a->at, weave_main, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(weave.change); i++)
		weave.change[i] = (long)weave_pick(length);
	weave_enter(weave_choose(), false);
	weave.n = 0;
	return !weave.stuck;
}

/* The order as it was, one line for each turn. */
static inline void weave_tell(const struct weave_actor *actors)
{
	for (long i = 0; i < weave.n_trace;) {
		uint8_t who = weave.trace[i].who;
		int on_line = 0;
		printf("#   %s:", actors[who].name);
		for (; i < weave.n_trace && weave.trace[i].who == who; i++)
			if (++on_line < 40)
				printf(" %s%s", weave.trace[i].what, on_line == 39 ? " ..." : ",");
		printf("\n");
	}
}

#endif
