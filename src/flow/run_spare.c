/*
 * A run's folder (staging/run/RUN, with the table of its tasks and its desks) and that of its logs, as long as nothing
 * was written there, go to a run that begins, by a rename. To recovery they are that run's as if it had made them.
 *
 * Who sweeps staging/ removes folders of runs that have ended: those that are kept are locked from before that is
 * recorded until they have another's name.
 */
#include "flow/run_int.h"

#include <stdlib.h>

#include "base/str.h"
#include "sys/fault.h"
#include "sys/lock.h"

static char *staging_of(struct engine *g, const struct run_job *r)
{
	return arena_printf(g->arena, "%s/%s", g->run_dir, r->id);
}

static char *logs_of(struct engine *g, const struct run_job *r)
{
	return arena_printf(g->arena, "%s/logs/%s", g->f->store->leat_dir, r->id);
}

int run_spare_hold(struct engine *g, struct run_job *r, struct err *e)
{
	int fd, got;

	/* What a task may leave running can still write there; who took over has desks that it did not make. */
	if (!r->dirs || !r->n_desks || r->data || r->batch || r->job->detach || g->o->keep_staging || g->cancelled ||
	    g->n_spares >= RUN_MAX_SPARES)
		return 0;
	got = lock_folder(staging_of(g, r), &fd, e);
	if (got <= 0)
		return got;
	r->spare = fd + 1;
	r->next_spare = g->over;
	g->over = r;
	g->n_spares++;
	return 0;
}

void run_spare_end(struct run_job *r)
{
	int fd = r->spare - 1;

	if (r->spare)
		fd_close(&fd);
	r->spare = 0;
}

void run_spare_over(struct engine *g)
{
	for (struct run_job *r = g->over, *next; r; r = next) {
		next = r->next_spare;
		if (!r->desks || r->n_at_desk || r->free_rows.n != r->n_rows) {
			run_spare_end(r);
			g->n_spares--;
			continue;
		}
		r->next_spare = g->spares;
		g->spares = r;
	}
	g->over = NULL;
}

/* --- the next one --- */

static bool same_code(const struct run_job *a, const struct run_job *b)
{
	if (a->n_code != b->n_code)
		return false;
	for (size_t i = 0; i < a->n_code; i++) {
		const struct code_file *x = &a->code[i], *y = &b->code[i];

		if (!x->bytes.p || !y->bytes.p || x->mode != y->mode || !str_eq(x->label, y->label) ||
		    !str_eq(x->bytes, y->bytes))
			return false;
	}
	return true;
}

/* Other code in the place of that which was laid there. */
static bool lay_anew(struct engine *g, struct desk *d, const struct run_job *was)
{
	struct err e = ERR_INIT;

	if (!d->run->job->kind->starts_process || same_code(was, d->run))
		return true;
	if (!d->flat || was->n_code > RUN_MAX_KEPT)
		return false;
	for (size_t i = 0; i < was->n_code; i++)
		if (file_unlink(arena_printf(g->arena, "%s/%.*s", d->work, STR_ARG(was->code[i].label)), &e))
			return false;
	free(d->laid);
	d->laid = xcalloc(d->run->n_code + 1, sizeof(*d->laid));
	if (run_code_lay(g, d, &e))
		return false;
	d->work_stamp = run_desk_stamp(d->work);
	return true;
}

/* Whether a desk of one is one of the other: folders of a root are made with it. */
static bool suits(const struct run_job *was, const struct desk *d, const struct run_job *r)
{
	struct err e = ERR_INIT;
	int root = run_wants_root(r->job, &e);

	return root >= 0 && was->job->kind->starts_process == r->job->kind->starts_process &&
	       was->job->kind->reports == r->job->kind->reports &&
	       (d->root != NULL) == root && !file_exists(d->extra);
}

static struct run_job *find(struct engine *g, const struct run_job *r)
{
	for (struct run_job **p = &g->spares; *p; p = &(*p)->next_spare) {
		struct run_job *was = *p;

		if (!suits(was, was->desks, r))
			continue;
		*p = was->next_spare;
		g->n_spares--;
		return was;
	}
	return NULL;
}

static void take_desks(struct engine *g, struct run_job *r, struct run_job *was)
{
	const char *dir = staging_of(g, r);
	struct desk *d;

	while ((d = was->desks)) {
		const char *log = strrchr(d->log, '/');

		was->desks = d->next;
		d->run = r;
		run_desk_names(d, dir);
		if (d->log_fd >= 0 && r->logs && log) {
			char *path = xstrdup(arena_printf(g->arena, "%s%s", logs_of(g, r), log));

			free(d->log);
			d->log = path;
		}
		if (!suits(was, d, r) || !lay_anew(g, d, was)) {
			run_desk_scrap(d);
			continue;
		}
		d->next = r->desks;
		r->desks = d;
	}
}

bool run_spare_take(struct engine *g, struct run_job *r)
{
	struct run_job *was = r->dirs || r->data || g->o->keep_staging ? NULL : find(g, r);
	struct err e = ERR_INIT;

	if (!was)
		return false;
	if (file_rename(staging_of(g, was), staging_of(g, r), &e)) {
		run_spare_end(was); /* it goes at the end, as it would have */
		return false;
	}
	fault_crash("run-folder-moved");
	if (!was->logged && !r->logs && was->logs && !file_rename(logs_of(g, was), logs_of(g, r), &e)) {
		was->logs = false;
		r->logs = true;
	}
	r->dirs = true;
	r->n_desks = was->n_desks;
	r->tasks = was->tasks;
	r->n_rows = was->n_rows;
	r->free_rows = was->free_rows;
	was->dirs = false;
	was->tasks = 0;
	take_desks(g, r, was);
	run_spare_end(was);
	return r->desks;
}
