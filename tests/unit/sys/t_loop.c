/* sys/loop: descriptors, timers, children, signals, and closing in the middle of things. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "t.h"

static struct loop *l;
static struct buf said = BUF_INIT(1 << 16);

static const char *run(void)
{
	struct err e = ERR_INIT;

	buf_reset(&said);
	if (loop_run(l, &e))
		buf_adds(&said, e.msg);
	return said.p;
}

#define WORD(literal) ((void *)(uintptr_t)(literal))

static void say(struct loop_ev *ev, void *word)
{
	(void)ev;
	buf_adds(&said, word);
}

static void test_timers(void)
{
	struct loop_ev *gone;

	T_STR(run(), "", "a loop without handles ends at once");
	loop_timer(l, 150, say, WORD("c"));
	loop_timer(l, 50, say, WORD("a"));
	loop_timer(l, 100, say, WORD("b"));
	gone = loop_timer(l, 75, say, WORD("X"));
	loop_close(gone);
	loop_close(gone);
	T_STR(run(), "abc", "timers fire in the order of their times, a closed one does not");
	for (int i = 0; i < 5; i++)
		loop_timer(l, 0, say, WORD(&"1\0002\0003\0004\0005"[2 * i]));
	T_STR(run(), "12345", "timers of one instant fire in the order they were set");
	loop_defer(l, say, WORD("d"));
	loop_timer(l, 0, say, WORD("t"));
	T_STR(run(), "td", "what is deferred comes after the timers of the round");
}

static int ticks;

static void tick(struct loop_ev *ev, void *ptr)
{
	int64_t *last = ptr, now = clock_mono_ns();

	ticks++;
	T_OK(now - *last >= 5000000, "tick %d is not before its time", ticks);
	*last = now;
	if (ticks < 3)
		loop_timer_again(ev, 5);
}

static void test_again(void)
{
	int64_t last = clock_mono_ns();

	loop_timer(l, 5, tick, &last);
	T_STR(run(), "", "a timer that arms itself again runs until it does not");
	T_INT(ticks, 3, "three times here");
}

/* Many timers in random order: the heap holds. */
static int64_t last_due;
static int out_of_order, fired;

static void in_order(struct loop_ev *ev, void *ptr)
{
	int64_t due = *(int64_t *)ptr;

	(void)ev;
	/* What it was asked for, within the rounding to milliseconds. */
	out_of_order += due < last_due - 2;
	last_due = due;
	fired++;
}

static void test_heap(void)
{
	enum { N = 2000 };
	static struct loop_ev *evs[N];
	static int64_t due[N];
	unsigned seed = 7;

	for (int i = 0; i < N; i++) {
		int ms;

		seed = seed * 1103515245u + 12345u;
		ms = (int)(seed >> 16) % 80;
		due[i] = clock_mono_ms() + ms;
		evs[i] = loop_timer(l, ms, in_order, &due[i]);
	}
	for (int i = 0; i < N; i += 3)
		loop_close(evs[i]);
	last_due = -1;
	run();
	T_INT(fired, N - (N + 2) / 3, "all timers that were not closed have fired");
	T_INT(out_of_order, 0, "in the order of their times");
}

/* Two pipes readable in one round; whichever comes first closes the other one and reuses its descriptor number. */
struct pair {
	struct loop_ev *ev[2];
	int fds[2][2], calls;
};

static void close_other(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct pair *p = ptr;
	int me = ev == p->ev[1];
	struct err e = ERR_INIT;
	int reused[2];

	(void)events;
	p->calls++;
	loop_close(p->ev[!me]);
	fd_close(&p->fds[!me][0]);
	T_NO_ERR(fd_pipe(reused, &e), &e, "the closed number is used again");
	fd_close(&reused[0]);
	fd_close(&reused[1]);
	loop_close(ev);
}

static void test_close(void)
{
	struct pair p = {0};
	struct err e = ERR_INIT;

	for (int i = 0; i < 2; i++) {
		T_NO_ERR(fd_pipe(p.fds[i], &e), &e, "a pipe is made");
		T_NO_ERR(fd_write_all(p.fds[i][1], "x", 1, "pipe", &e), &e, "and has something to read");
		T_NO_ERR(loop_fd(l, p.fds[i][0], EPOLLIN, close_other, &p, &p.ev[i], &e), &e, "and is watched");
	}
	run();
	T_INT(p.calls, 1, "a handle that was closed in a round is not called in it");
	for (int i = 0; i < 2; i++) {
		fd_close(&p.fds[i][0]);
		fd_close(&p.fds[i][1]);
	}
}

static void closer(struct loop_ev *ev, void *ptr)
{
	struct loop_ev **other = ptr;

	(void)ev;
	buf_adds(&said, "closer ");
	loop_close(*other);
}

static void defer_more(struct loop_ev *ev, void *ptr)
{
	int *left = ptr;

	buf_addf(&said, "%d", *left);
	if ((*left)--)
		loop_defer(loop_of(ev), defer_more, left);
}

static void test_defer(void)
{
	struct loop_ev *victim;
	int left = 3;

	loop_defer(l, closer, &victim);
	victim = loop_defer(l, say, WORD("victim"));
	T_STR(run(), "closer ", "a deferred call can take back another one");
	loop_timer(l, 0, closer, &victim);
	victim = loop_timer(l, 0, say, WORD("victim"));
	T_STR(run(), "closer ", "a timer too");
	loop_defer(l, defer_more, &left);
	T_STR(run(), "3210", "what a deferred call defers comes in the next round");
}

struct child {
	struct proc p;
	const char *script;
};

static void ended(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	char text[PROC_TEXT];

	(void)ev;
	(void)ptr;
	proc_exit_text(x, text);
	buf_addf(&said, "%s; ", text);
	proc_free(&((struct child *)ptr)->p);
}

static void test_children(void)
{
	static struct child c[] = {
		{PROC_INIT, "exit 3"}, {PROC_INIT, "sleep 0.3; kill -TERM $$"}, {PROC_INIT, "sleep 0.8"}};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		const char *argv[] = {"sh", "-c", c[i].script, NULL};
		struct proc_spec s = PROC_SPEC;

		s.argv = argv;
		T_NO_ERR(proc_spawn(&s, &c[i].p, &e), &e, "sh -c '%s' starts", c[i].script);
		T_NO_ERR(loop_child(l, &c[i].p, ended, &c[i], NULL, &e), &e, "and is watched");
	}
	T_STR(run(), "exit status 3; killed by signal 15 (Terminated); exit status 0; ",
	      "children are told as they end");
}

static void signalled(struct loop_ev *ev, int signo, void *ptr)
{
	(void)ptr;
	buf_addf(&said, "%s ", sigabbrev_np(signo));
	if (signo == SIGTERM)
		loop_close(ev);
}

static void send_both(struct loop_ev *ev, void *ptr)
{
	(void)ev;
	(void)ptr;
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGTERM);
}

static void test_signals(void)
{
	static const int signals[] = {SIGUSR1, SIGTERM};
	struct err e = ERR_INIT;
	sigset_t mask;

	T_NO_ERR(loop_signal(l, signals, 2, signalled, NULL, NULL, &e), &e, "signals are watched");
	loop_timer(l, 1, send_both, NULL);
	T_STR(run(), "USR1 TERM ", "and told");
	sigprocmask(SIG_BLOCK, NULL, &mask);
	T_OK(!sigismember(&mask, SIGTERM), "the mask is put back when the handle is closed");
}

static void stop(struct loop_ev *ev, void *ptr)
{
	(void)ptr;
	loop_stop(loop_of(ev));
}

static void test_stop(void)
{
	struct loop_ev *far = loop_timer(l, 1000000, say, WORD("far"));
	struct err e = ERR_INIT;
	bool more = false;

	loop_timer(l, 1, stop, NULL);
	T_STR(run(), "", "a stopped loop leaves what is not due");
	T_NO_ERR(loop_run_once(l, 0, &more, &e), &e, "one round without waiting");
	T_OK(more, "a handle is left");
	loop_close(far);
	T_NO_ERR(loop_run_once(l, -1, &more, &e) || more, &e, "then none is, if a closed one does not hold the loop");
}

int main(void)
{
	struct err e = ERR_INIT;

	if (!T_NO_ERR(loop_new(&l, &e), &e, "a loop is made"))
		return t_done();
	test_timers();
	test_again();
	test_heap();
	test_close();
	test_defer();
	test_children();
	test_signals();
	test_stop();
	loop_timer(l, 100000, say, WORD("never"));
	loop_defer(l, say, WORD("never"));
	loop_free(l);
	loop_free(NULL);
	buf_free(&said);
	return t_done();
}
