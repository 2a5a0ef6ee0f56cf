/* Reports of attempts: taken in before the flush's transaction, committed in it (report.h). */
#include "base/str.h"
#include "flow/report.h"
#include "flow/run_int.h"
#include "repo/overlay.h"

static void say(struct run_unit *u, const struct err *why)
{
	run_event(u->eng, RUN_NOTE, u, arena_printf(u->eng->arena, "its report is not kept: %s", why->msg), NULL, 0);
}

void run_report_take(struct run_unit *u, struct ingest **in)
{
	struct task *t = u->task;
	struct err e = ERR_INIT;
	bool empty = true;

	if (!t || !t->desk || !t->t.report_dir || u->has_report)
		return;
	if (dir_is_empty(t->t.report_dir, &empty, &e) || empty) {
		err_clear(&e);
		return;
	}
	if (!*in)
		*in = ingest_new(u->eng->f->store);
	if (ingest_folder(*in, t->t.report_dir, INGEST_MOVE, &u->report, &e)) {
		say(u, &e);
		err_clear(&e);
		return;
	}
	u->has_report = true;
}

static int make_commit(struct engine *g, struct ingest *in, struct run_unit *u, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct store *s = g->f->store;
	struct run_job *r = u->run;
	struct tree_edit part = {.op = EDIT_PUT, .entry = u->report};
	struct commit_new c = {.repo = r->reports,
	                       .branch = store_branch(s),
	                       .id = id_new(),
	                       .batch = r->batch ? *r->batch : g->sum->batch,
	                       .run = id_of(str_of(r->id))};
	struct event ev = {.id = c.id, .batch = c.batch, .kind = "report", .label = u->p->ds.label};
	struct commit out;
	bool made;

	part.entry.kind = ENTRY_FOLDER;
	part.path = str_of(report_folder(a, &u->task->t));
	c.message = arena_strf(a, "report of %.*s%s%s", STR_ARG(r->job->name), u->p->ds.label[0] ? " " : "",
	                       u->p->ds.label);
	if (part.path.n) {
		c.edits = &part;
		c.n_edits = 1;
	} else {
		c.tree = &u->report.id;
	}
	if (event_record(s, &ev, e) || commit_make(s, in, &c, &out, &made, e))
		return -1;
	if (!r->lags && !s->on) {
		r->lags = true;
		r->next = g->lagging;
		g->lagging = r;
	}
	return 0;
}

/* The repo of the reports; one that somebody filled, or another job writes, is not ours to write over. */
static int take_repo(struct engine *g, struct run_job *r, struct err *e)
{
	struct commit head = {0};
	struct repo found;

	if (repo_ensure(g->f->store, g->arena, report_repo(g->arena, r->job), REPO_OUTPUT, r->job->name, &found, e))
		return -1;
	if (found.role != REPO_OUTPUT && branch_head(g->f->store, found.id, store_branch(g->f->store), &head, e) < 0)
		return -1;
	if (found.role == REPO_OUTPUT ? !str_eq(found.job, r->job->name) : !head.run.hex[0]) {
		err_set(e, ERR_REFUSED, "%.*s is not the repo of this job's reports, so this one is not kept",
		        STR_ARG(found.name));
		return err_hint(e, "'leat rm --repo %.*s' frees the name", STR_ARG(found.name));
	}
	if (found.role != REPO_OUTPUT && repo_set_role(g->f->store, &found, REPO_OUTPUT, r->job->name, e))
		return -1; /* of a job that was away for a while */
	r->reports = found;
	return 0;
}

int run_report_record(struct engine *g, struct ingest *in, struct run_unit *u, struct err *e)
{
	struct run_job *r = u->run;
	struct err why = ERR_INIT;

	if (!u->has_report)
		return 0;
	if (!r->reports.id && take_repo(g, r, &why)) {
		if (why.code == ERR_DISK_FULL || why.code == ERR_IO) {
			*e = why;
			return -1;
		}
		say(u, &why); /* its name is taken */
		return 0;
	}
	return make_commit(g, in, u, e);
}
