#include "flow/pyfreeze.h"
#include "flow/flow.h"

#include <stdlib.h>

#include "flow/jobsql.h"
#include "flow/key.h"
#include "flow/live.h"
#include "flow/workers.h"
#include "sys/clock.h"

static int load(struct flow *f, const char *root, bool lenient, struct err *e)
{
	if (jobs_load_at(f->ws, root, f->kinds, &f->jobs, e) < 0 || jobsql_prepare(f->jobs, f->duck, e) < 0)
		return -1;
	if (f->jobs->n_errors && !lenient) {
		*e = *f->jobs->errors[0];
		if (f->jobs->n_errors_all > 1 && !*e->hint)
			err_hint(e, "%zu more job files have errors", f->jobs->n_errors_all - 1);
		return -1;
	}
	return graph_make(f->arena, f->jobs, &f->graph, e);
}

static int open_at(struct store *s, const char *root, const struct job_kind *const *kinds, bool lenient,
                   struct shelf *shelf, struct flow **out, struct err *e)
{
	struct arena *a = arena_new();
	struct flow *f = arena_new_of(a, struct flow);
	struct duck_conf conf = {.leat_dir = s->leat_dir};

	f->arena = a;
	f->ws = s->ws;
	f->store = s;
	f->kinds = kinds;
	f->shelf = shelf;
	f->duck = shelf_take(shelf, &conf);
	f->keys = key_cache_new();
	map_init(&f->code_told, a);
	map_init(&f->pyenvs, a);
	map_init(&f->freezes, a);
	f->now_ms = clock_now_ms();
	if (load(f, root, lenient, e) < 0) {
		flow_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

int flow_open_warm(struct store *s, const struct job_kind *const *kinds, bool lenient, struct shelf *shelf,
                   struct flow **out, struct err *e)
{
	return open_at(s, "", kinds, lenient, shelf, out, e);
}

int flow_open_live(struct store *s, const struct job_kind *const *kinds, struct flow **out, struct err *e)
{
	struct lock lock cleanup(lock_drop) = LOCK_INIT;

	if (live_lock(s, LOCK_SHARED, &lock, e))
		return -1;
	return open_at(s, LIVE_ROOT, kinds, true, NULL, out, e);
}

int flow_open(struct store *s, const struct job_kind *const *kinds, bool lenient, struct flow **out, struct err *e)
{
	return flow_open_warm(s, kinds, lenient, NULL, out, e);
}

void flow_turn(struct flow *f, struct store *s)
{
	f->store = s;
	key_cache_free(f->keys);
	f->keys = key_cache_new();
	f->now_ms = clock_now_ms();
}

void flow_close(struct flow *f)
{
	if (!f)
		return;
	shelf_give(f->shelf, f->duck);
	pyfreeze_close(f);
	key_cache_free(f->keys);
	jobs_free(f->jobs);
	arena_free(f->arena);
}
