#include "flow/alone.h"

#include <signal.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/run_int.h"

struct alone {
	struct engine g;
	struct run_job job;
	struct run_unit unit;
	struct plan_unit plan;
	struct plan_ask ask;
	struct run_opts opts;
	struct id event;
	const struct alone_ask *what;
	bool done;
	struct attempt_result *result;
};

static void on_done(struct task *t, const struct attempt_result *r)
{
	struct alone *x = t->ptr;

	*x->result = *r;
	if (t->t.timed_out)
		x->result->state = ATTEMPT_TIMED_OUT;
	x->done = true;
	loop_stop(x->g.loop);
}

/* A shell is asked nothing by Ctrl-C: that is for what runs in it. */
static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	struct alone *x = ptr;

	(void)ev;
	if (x->what->shell && signo == SIGINT)
		return;
	x->g.hard = x->g.cancelled;
	x->g.cancelled = true;
	run_unit_cancel(&x->unit, x->g.hard);
}

static int bind_inputs(struct alone *x, struct err *e)
{
	const struct job *j = x->what->job;
	struct store *s = x->g.f->store;
	struct arena *a = x->g.arena;

	x->plan.inputs = arena_array(a, struct unit_input, j->n_inputs);
	x->plan.n_inputs = j->n_inputs;
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct catalog_repo *r = arena_new_of(a, struct catalog_repo);
		const struct commit *head = &x->what->heads[i];
		struct reads *reads = &x->plan.inputs[i].reads;

		x->plan.inputs[i].input = &j->inputs[i];
		*reads = (struct reads){.repo = r, .state = READS_OK, .whole = true};
		if (repo_find(s, a, j->inputs[i].repo, &r->repo, e) < 0)
			return -1;
		r->has_commit = head->id.hex[0] != 0;
		r->head = *head;
		reads->root = (struct entry){.kind = ENTRY_FOLDER, .id = head->tree};
		if (r->has_commit && store_lease_commit(s, r->repo.id, head->id, e) < 0)
			return -1;
		if (x->what->day && !j->inputs[i].glob.p)
			*reads = x->what->day->inputs[i].reads;
	}
	return 0;
}

static void unbind_inputs(struct alone *x)
{
	for (size_t i = 0; i < x->plan.n_inputs; i++)
		if (x->plan.inputs[i].reads.repo && x->plan.inputs[i].reads.repo->has_commit)
			store_lease_drop(x->g.f->store, x->plan.inputs[i].reads.repo->head.id);
}

static int prepare(struct alone *x, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM};
	struct engine *g = &x->g;
	struct duck_conf conf = {.leat_dir = g->f->store->leat_dir};

	x->plan.job = x->job.job = x->what->job;
	x->plan.ds = x->what->day ? x->what->day->ds : (struct ds){.every = EVERY_NONE};
	x->plan.datum = x->what->datum;
	x->plan.role = ROLE_ASKED;
	x->plan.reason = REASON_ASKED;
	x->ask.params = x->what->params;
	x->event = id_new();
	memcpy(x->job.id, id_new().hex, sizeof(x->job.id));
	x->unit = (struct run_unit){.p = &x->plan, .eng = g, .run = &x->job, .event = &x->event, .arena = g->arena,
	                            .id = x->what->number, .attempts = 1};
	g->ask = &x->ask;
	g->o = &x->opts;
	g->slots = g->f->ws->slots;
	g->run_dir = x->what->dir;
	vec_push(g->arena, &g->units, &x->unit);
	if (key_rest(g->f, g->arena, x->what->job, x->what->params, &x->plan.key, e) ||
	    run_task_path(g->f, g->arena, &g->path, e) || loop_new(&g->loop, e) || bind_inputs(x, e))
		return -1;
	g->workers = workers_new(g->loop, &conf, NULL);
	proc_subreaper();
	return loop_signal(g->loop, signals, ARRAY_LEN(signals), on_signal, x, &g->signals, e) ||
	                       run_code_pin(g, &x->job, e)
	               ? -1
	               : 0;
}

static int work(struct alone *x, struct err *e)
{
	struct task *t = run_unit_task(&x->unit);
	const char *dir = x->what->dir;

	t->alone = on_done;
	t->ptr = x;
	t->log_fd = dup(STDERR_FILENO);
	if (run_unit_fill(t, e))
		return -1;
	t->t.shell = x->what->shell;
	if (run_unit_launch(t, e) || (!x->done && loop_run(x->g.loop, e)))
		return -1;
	if (x->job.kept)
		x->what->job->kind->done(x->job.kept);
	x->job.kept = NULL;
	return file_rename(t->desk->out, arena_printf(x->g.arena, "%s/out", dir), e) ||
	                       dir_remove_tree(arena_printf(x->g.arena, "%s/%s", dir, x->job.id), e)
	               ? -1
	               : 0;
}

int alone_run(struct flow *f, struct catalog *c, const struct alone_ask *ask, struct attempt_result *out,
              struct err *e)
{
	struct alone x = {.what = ask, .result = out, .opts = {.keep_staging = true}};
	struct attempt_result r = {0};
	int rc;

	x.result = &r;
	x.g = (struct engine){.f = f, .c = c, .arena = arena_new(), .pools_fd = -1};
	rc = prepare(&x, e) || work(&x, e);
	if (!x.done && x.unit.task && x.unit.task->started)
		proc_kill_marked(x.unit.task->t.marker);
	if (x.unit.task)
		run_dir_done(x.unit.task);
	if (!rc)
		*out = r;
	if (x.job.kept)
		ask->job->kind->done(x.job.kept);
	unbind_inputs(&x);
	workers_free(x.g.workers);
	loop_free(x.g.loop);
	arena_free(x.g.arena);
	return rc ? -1 : 0;
}
