/*
 * Places of pools, and slots of the workspace, over all commands: a place is a byte of .leat/pools.lock that its holder
 * has locked alone, through a descriptor of its own. The shim of a task has that descriptor too, so a place is free
 * when its holder gives it back, or when both he and the task have ended: nothing is counted, nothing can leak.
 *
 * Nobody queues for it: who found none looks again after a while, and shows by a lock on the pool's last byte that it
 * waits; who gives one back then leaves it to them.
 */
#include "base/str.h"
#include "flow/run_int.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define POOL_BYTES ((uint64_t)1 << 20) /* of the file, each pool; the last one is of those who wait */
#define SLOT_POLL_MS 10                /* tasks may be short: a slot that is free is not to stand empty for long */
#define SLOT_TURN_MS 100               /* who has slots that others wait for keeps them that long at least */

struct run_pool *run_pool_of(struct engine *g, struct str name)
{
	const struct dom *places;

	for (size_t i = 0; i < g->n_pools; i++)
		if (str_eq(g->pools[i].name, name))
			return &g->pools[i];
	places = workspace_setting(g->f->ws, arena_printf(g->arena, "pools.%.*s", STR_ARG(name)));
	run_pool_init(g, &g->pools[g->n_pools], name, places ? places->i : 1);
	return &g->pools[g->n_pools++];
}

void run_pool_init(struct engine *g, struct run_pool *pool, struct str name, int64_t places)
{
	struct sha id = sha_of(name.p, name.n);
	uint64_t v = 0;

	for (int i = 0; i < 5; i++)
		v = v << 8 | id.b[i];
	*pool = (struct run_pool){.name = name, .places = MIN(places, (int64_t)POOL_BYTES - 1), .at = v * POOL_BYTES};
	pool->held = arena_array(g->arena, int, (size_t)pool->places);
}

void run_pool_end(struct run_pool *pool)
{
	for (int64_t i = 0; i < pool->places; i++)
		if (pool->held[i]) {
			int fd = pool->held[i] - 1;

			fd_close(&fd);
		}
	while (pool->spare.n)
		fd_close(&pool->spare.p[--pool->spare.n]);
}

/* --- one place --- */

static int handle(struct engine *g, struct run_pool *pool, int *fd, struct err *e)
{
	char *path;

	if (pool->spare.n) {
		*fd = pool->spare.p[--pool->spare.n];
		return 0;
	}
	path = arena_printf(g->arena, "%s/pools.lock", g->f->store->leat_dir);
	if (g->pools_fd < 0 && lock_bytes_open(path, &g->pools_fd, e))
		return -1;
	return lock_bytes_open(path, fd, e);
}

/* 1: it is ours; 0: there is none; -1. */
static int take(struct engine *g, struct run_pool *pool, int64_t *place, struct err *e)
{
	int fd, r = 0;

	if (handle(g, pool, &fd, e))
		return -1;
	for (int64_t i = 0; i < pool->places && !r; i++) {
		r = pool->held[i] ? 0 : lock_bytes_alone(fd, pool->at + (uint64_t)i, 1, e);
		if (r > 0) {
			pool->held[i] = fd + 1;
			*place = i + 1;
		}
	}
	if (r <= 0) {
		vec_push(g->arena, &pool->spare, fd);
		return r;
	}
	pool->used++;
	if (pool->waits)
		lock_byte_free(g->pools_fd, pool->at + POOL_BYTES - 1);
	pool->waits = false;
	return 1;
}

static void give(struct engine *g, struct run_pool *pool, int64_t place)
{
	int fd = pool->held[place - 1] - 1;

	lock_byte_free(fd, pool->at + (uint64_t)place - 1);
	vec_push(g->arena, &pool->spare, fd);
	pool->held[place - 1] = 0;
	pool->used--;
}

static bool others_wait(struct engine *g, const struct run_pool *pool)
{
	struct err ignored = ERR_INIT;

	return lock_byte_held(g->pools_fd, pool->at + POOL_BYTES - 1, &ignored) == 1;
}

/* Others see that we wait. */
static int show_waiting(struct engine *g, struct run_pool *pool, struct err *e)
{
	if (pool->waits)
		return 0;
	if (lock_byte(g->pools_fd, pool->at + POOL_BYTES - 1, e))
		return -1;
	pool->waits = true;
	return 0;
}

/* --- pools --- */

static void on_timer(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	g->pool_timer = NULL;
	for (size_t i = 0; i < g->n_pools; i++)
		g->pools[i].outside = false;
	run_wake(g);
}

/* No look at the pool until the timer: others have its places, or are to get one. */
static void leave(struct engine *g, struct run_pool *pool)
{
	pool->outside = true;
	if (!g->pool_timer)
		g->pool_timer = loop_timer(g->loop, RUN_LEASE_POLL_MS, on_timer, g);
}

int run_pool_take(struct run_unit *u, struct err *e)
{
	struct engine *g = u->eng;
	struct run_pool *pool = u->run->pool;
	int r;

	if (!pool || u->place)
		return 1;
	if (pool->outside || pool->used >= pool->places)
		return 0;
	r = take(g, pool, &u->place, e);
	if (r)
		return r;
	leave(g, pool);
	return show_waiting(g, pool, e);
}

void run_pool_give(struct run_unit *u)
{
	if (!u->place)
		return;
	give(u->eng, u->run->pool, u->place);
	u->place = 0;
	if (others_wait(u->eng, u->run->pool))
		leave(u->eng, u->run->pool);
}

/* --- slots of the workspace --- */

static void on_slot_timer(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	g->slot_timer = NULL;
	g->share.outside = false;
	g->share_since = clock_mono_ms();
	run_wake(g);
}

static void leave_slots(struct engine *g)
{
	g->share.outside = true;
	if (!g->slot_timer)
		g->slot_timer = loop_timer(g->loop, SLOT_POLL_MS, on_slot_timer, g);
}

bool run_slot_open(struct engine *g)
{
	struct err e = ERR_INIT;
	int r;

	if (g->used >= g->slots)
		return false;
	if (!g->share.places || g->reserved)
		return true;
	if (g->share.outside)
		return false;
	r = take(g, &g->share, &g->reserved, &e);
	if (!r) {
		leave_slots(g);
		r = show_waiting(g, &g->share, &e);
	}
	if (r < 0)
		run_fatal(g, &e);
	return r > 0;
}

int64_t run_slot_have(struct engine *g)
{
	int64_t place = g->reserved;

	g->reserved = 0;
	return place;
}

void run_slot_give(struct engine *g, int64_t *place)
{
	if (!*place)
		return;
	give(g, &g->share, *place);
	*place = 0;
	if (clock_mono_ms() - g->share_since >= SLOT_TURN_MS && others_wait(g, &g->share))
		leave_slots(g);
}

void run_pool_shim(const struct run_unit *u, struct proc_shim *shim)
{
	if (u->place)
		shim->hold[shim->n_holds++] = u->run->pool->held[u->place - 1] - 1;
	if (u->slot)
		shim->hold[shim->n_holds++] = u->eng->share.held[u->slot - 1] - 1;
}
