/*
 * Places of pools, over all commands of a workspace: a place is a byte of .leat/pools.lock that its holder has locked
 * alone, so it is free as soon as the holder gives it back or dies. Nobody queues for it: who found none looks again
 * after a while, and shows by a lock on the pool's last byte that it waits; who gives one back then leaves it to them.
 */
#include "base/str.h"
#include "flow/run_int.h"
#include "sys/lock.h"

#define POOL_BYTES ((uint64_t)1 << 20) /* of the file, each pool; the last one is of those who wait */

void run_pool_init(struct engine *g, struct run_pool *pool, struct str name, int64_t places)
{
	struct sha id = sha_of(name.p, name.n);
	uint64_t v = 0;

	for (int i = 0; i < 5; i++)
		v = v << 8 | id.b[i];
	*pool = (struct run_pool){.name = name, .places = MIN(places, (int64_t)POOL_BYTES - 1), .at = v * POOL_BYTES};
	pool->held = arena_array(g->arena, bool, (size_t)pool->places);
}

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

static int none_free(struct run_unit *u, struct run_pool *pool, struct err *e)
{
	struct engine *g = u->eng;

	leave(g, pool);
	if (pool->waits)
		return 0;
	if (lock_byte(g->pools_fd, pool->at + POOL_BYTES - 1, e))
		return -1;
	pool->waits = true;
	if (!pool->said)
		run_event(g, RUN_UNIT_WAITS, u,
		          arena_printf(g->arena, "other commands hold %lld of %lld place%s of the pool %.*s",
		                       (long long)(pool->places - pool->used), (long long)pool->places,
		                       pool->places == 1 ? "" : "s", STR_ARG(pool->name)),
		          NULL, 0);
	pool->said = true;
	return 0;
}

int run_pool_take(struct run_unit *u, struct err *e)
{
	struct engine *g = u->eng;
	struct run_pool *pool = u->run->pool;

	if (!pool)
		return 1;
	if (pool->outside || pool->used >= pool->places)
		return 0;
	if (g->pools_fd < 0 &&
	    lock_bytes_open(arena_printf(g->arena, "%s/pools.lock", g->f->store->leat_dir), &g->pools_fd, e))
		return -1;
	for (int64_t i = 0; i < pool->places; i++) {
		int r = pool->held[i] ? 0 : lock_bytes_alone(g->pools_fd, pool->at + (uint64_t)i, 1, e);

		if (r < 0)
			return -1;
		if (!r)
			continue;
		if (pool->waits)
			lock_byte_free(g->pools_fd, pool->at + POOL_BYTES - 1);
		pool->waits = false;
		pool->held[i] = true;
		pool->used++;
		u->place = i + 1;
		return 1;
	}
	return none_free(u, pool, e);
}

void run_pool_give(struct run_unit *u)
{
	struct run_pool *pool = u->run->pool;
	struct engine *g = u->eng;
	struct err ignored = ERR_INIT;

	if (!u->place)
		return;
	lock_byte_free(g->pools_fd, pool->at + (uint64_t)u->place - 1);
	pool->held[u->place - 1] = false;
	pool->used--;
	u->place = 0;
	if (lock_byte_held(g->pools_fd, pool->at + POOL_BYTES - 1, &ignored) == 1)
		leave(g, pool);
}
