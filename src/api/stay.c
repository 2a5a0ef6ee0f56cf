/* Services and spouts: up, down, services. Their keepers do the rest (job/stay.h). */
#include "api/stay.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/name.h"
#include "base/str.h"
#include "job/stay.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/file.h"

#define LOOK_MS 20
#define FOLLOW_MS 100
#define UP_MS 10000      /* beyond start_timeout, for what comes before */
#define DOWN_MS 600000   /* beyond grace, for the commit of what it wrote */
#define KILL_MS 5000
#define TAIL 2000        /* bytes of a log that tell why something did not start */

struct staying {
	const struct job *job;
	struct stay_place at;
};

static int find_one(struct api *api, struct str name, struct staying *out, struct err *e)
{
	struct job *j;

	if (jobs_find(api->flow->jobs, name, &j, e))
		return -1;
	if (!job_stays(j)) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is a job of kind %.*s, which does not stay", STR_ARG(name),
		        STR_ARG(j->kind_name));
		return err_hint(e, "leat run %.*s runs it", STR_ARG(name));
	}
	out->job = j;
	stay_place(api->arena, api->store, j->name, &out->at);
	return 0;
}

static int find_all(struct api *api, const struct args *args, struct staying **out, size_t *n, struct sink *sink,
                    struct err *e)
{
	struct jobs *js = api->flow->jobs;
	VEC(struct staying) v = {0};
	struct staying one;

	for (size_t i = 0; !args_n(args) && i < js->n_errors; i++)
		sink_note(sink, "%s", err_text(api->arena, js->errors[i]));
	for (size_t i = 0; i < args_n(args); i++) {
		if (find_one(api, args_pos(args, i), &one, e))
			return -1;
		vec_push(api->arena, &v, one);
	}
	for (size_t i = 0; !args_n(args) && i < js->n; i++)
		if (job_stays(js->all[i])) {
			if (find_one(api, js->all[i]->name, &one, e))
				return -1;
			vec_push(api->arena, &v, one);
		}
	if (!v.n)
		sink_note(sink, "no job here is a service or a spout");
	*out = v.p;
	*n = v.n;
	return 0;
}

/* Of a row; from the third on they are those of state.json. */
static const char *const keys[] = {"job",      "kind",   "state", "health", "port", "started",
                                   "restarts", "commit", "inputs", "error", "pid"};

static struct dom *row_of(struct arena *a, const struct staying *w)
{
	const struct dom *state = stay_state(a, &w->at);
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_str(a, row, "job", w->job->name);
	dom_set_str(a, row, "kind", w->job->kind_name);
	if (!state)
		dom_set_cstr(a, row, "state", STAY_STOPPED);
	for (size_t i = state ? 2 : 3; i < ARRAY_LEN(keys); i++) {
		const struct dom *v = dom_get(state, keys[i]);

		if (!strcmp(keys[i], "started")) {
			row_time(a, row, keys[i], v && v->type == DOM_INT ? v->i : 0);
			continue;
		}
		dom_set(a, row, keys[i], v ? dom_copy(a, v) : dom_new(a, DOM_NULL));
	}
	return row;
}

static bool state_is(const struct dom *state, const char *word)
{
	const struct dom *v = dom_get(state, "state");

	return v && v->type == DOM_STR && str_is(v->s, word);
}

/* ---- up ---- */

static int begin(struct api *api, const struct staying *w, struct proc *p, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", STAY_ROLE, api->ws->dir, arena_cstr(api->arena, w->job->name),
	                      NULL};
	struct proc_spec spec = PROC_SPEC;

	spec.argv = argv;
	spec.out = spec.err = -1;
	spec.cwd = "/";
	spec.same_group = true; /* so that it can leave it, and the terminal, by setsid */
	return proc_spawn(&spec, p, e);
}

/* The last lines that it printed, where it could not be started. */
static void say_log(struct api *api, const struct staying *w, struct sink *out)
{
	struct err none = ERR_INIT;
	struct str text, line;

	if (!file_exists(w->at.log) || file_read(api->arena, w->at.log, (size_t)STAY_MAX_LOG * 2, &text, &none))
		return;
	if (text.n > TAIL)
		text = str_sub(text, text.n - TAIL, text.n);
	while (str_next_line(&text, &line))
		if (line.n && !str_has_prefix(line, STR("leat: ")))
			sink_note(out, "%.*s: %.*s", STR_ARG(w->job->name), STR_ARG(line));
}

static int not_started(struct api *api, const struct staying *w, const struct dom *state, struct sink *out,
                       struct err *e)
{
	struct str why = dom_str(state, "error"), hint = dom_str(state, "hint");

	say_log(api, w, out);
	err_set(e, ERR_FAILED, "%.*s was not started: %.*s", STR_ARG(w->job->name),
	        STR_ARG(why.n ? why : STR("its keeper ended")));
	return hint.n ? err_hint(e, "%.*s", STR_ARG(hint)) : -1;
}

/* Until it works: 1; 0 it did not; -1. */
static int wait_up(struct api *api, const struct staying *w, struct proc *p, struct sink *out, struct err *e)
{
	struct stay_keys k;
	int64_t until;

	stay_keys(api->arena, w->job, &k);
	until = clock_mono_ms() + k.start_ms + w->job->grace_ms + UP_MS;
	for (;;) {
		struct arena *a cleanup(arena_cleanup) = arena_new();
		struct proc_exit x;
		int ended = proc_poll(p, &x, e);
		const struct dom *state = stay_state(a, &w->at), *pid = dom_get(state, "pid");
		bool own = pid && pid->type == DOM_INT && pid->i == p->pid;

		if (ended < 0)
			return -1;
		if (own && (state_is(state, STAY_RUNNING) || state_is(state, STAY_WAITING)))
			return 0;
		if (ended)
			return not_started(api, w, own ? state : NULL, out, e);
		if (clock_mono_ms() > until)
			return err_set(e, ERR_TIMEOUT, "%.*s did not come up in time", STR_ARG(w->job->name));
		clock_sleep_ms(LOOK_MS);
	}
}

static int start_one(struct api *api, const struct staying *w, struct sink *out, struct err *e)
{
	struct proc p = PROC_INIT;
	int rc;

	if (begin(api, w, &p, e))
		return -1;
	rc = wait_up(api, w, &p, out, e);
	proc_free(&p);
	return rc;
}

static int up_one(struct api *api, const struct staying *w, struct sink *out, struct err *e)
{
	if (stay_is_up(&w->at))
		sink_note(out, "%.*s is up already", STR_ARG(w->job->name));
	else if (start_one(api, w, out, e))
		return -1;
	return sink_row(out, row_of(api->arena, w), e);
}

int stay_up(struct api *api, struct str job, struct sink *out, struct err *e)
{
	struct staying w;

	return find_one(api, job, &w, e) || start_one(api, &w, out, e) ? -1 : 0;
}

int api_up(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct staying *list;
	size_t n;
	bool good = true;

	if (find_all(api, args, &list, &n, out, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct err mine = ERR_INIT;

		if (!up_one(api, &list[i], out, &mine))
			continue;
		if (n == 1) {
			*e = mine;
			return -1;
		}
		sink_note(out, "%s", err_text(api->arena, &mine));
		good = false;
	}
	api->exit_status = good ? api->exit_status : 1;
	return 0;
}

/* ---- down ---- */

static bool ended_in(const struct staying *w, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (stay_is_up(&w->at)) {
		if (clock_mono_ms() > until)
			return false;
		clock_sleep_ms(LOOK_MS);
	}
	return true;
}

/* Of a keeper that was killed: what the service wrote is still there. */
static int commit_left(struct api *api, const struct args *args, const struct staying *w, const struct dom *state,
                       struct err *e)
{
	struct stay_commit how = {.command = args->command, .inputs = dom_get(state, "inputs"),
	                          .reason = "its keeper was killed; this is what it had written"};
	struct commit c;
	bool made = false;

	if (!stay_is_spout(w->job) && dir_exists(w->at.out) &&
	    stay_commit(api->store, api->arena, w->job, w->at.out, &how, &c, &made, e))
		return err_hint(e, "what it wrote is still in %s", w->at.out);
	state = stay_ended(api->arena, state, STAY_STOPPED, NULL, made ? c.id.hex : NULL);
	return dir_remove_tree(w->at.out, e) ? -1 : stay_set_state(api->arena, &w->at, state, e);
}

/* For why, should it have something to commit. */
static void note_who(struct api *api, const struct staying *w)
{
	struct err none = ERR_INIT;
	const char *text = arena_printf(api->arena, "leat down ended it (uid %u, process %d)", (unsigned)getuid(),
	                                (int)getpid());

	if (file_replace(w->at.stop, str_of(text), 0644, 0, &none))
		err_clear(&none);
}

static int end_keeper(struct api *api, const struct staying *w, const struct dom *state, struct err *e)
{
	const struct dom *pid = dom_get(state, "pid");

	if (!pid || pid->type != DOM_INT || pid->i <= 1)
		return err_set(e, ERR_BUSY, "%.*s is just being started", STR_ARG(w->job->name));
	note_who(api, w);
	(void)kill((pid_t)pid->i, SIGTERM);
	if (ended_in(w, w->job->grace_ms + DOWN_MS))
		return 0;
	(void)kill((pid_t)pid->i, SIGKILL);
	if (!ended_in(w, KILL_MS))
		return err_set(e, ERR_TIMEOUT, "the keeper of %.*s (process %lld) cannot be ended",
		               STR_ARG(w->job->name), (long long)pid->i);
	return stay_clean(api->arena, &w->at, e);
}

static int down_one(struct api *api, const struct args *args, const struct staying *w, struct sink *out,
                    struct err *e)
{
	const struct dom *state;

	if (stay_clean(api->arena, &w->at, e))
		return -1;
	state = stay_state(api->arena, &w->at);
	if (stay_is_up(&w->at)) {
		if (end_keeper(api, w, state, e))
			return -1;
		state = stay_state(api->arena, &w->at);
	} else if (!state_is(state, STAY_LOST)) {
		if (args_n(args))
			sink_note(out, "%.*s is not up", STR_ARG(w->job->name));
		return 0;
	}
	if (state_is(state, STAY_LOST) && commit_left(api, args, w, state, e))
		return -1;
	state = stay_state(api->arena, &w->at);
	if (state_is(state, STAY_FAILED)) {
		err_set(e, ERR_FAILED, "%.*s has ended: %.*s", STR_ARG(w->job->name), STR_ARG(dom_str(state, "error")));
		return err_hint(e, "%.*s", STR_ARG(dom_str(state, "hint")));
	}
	return sink_row(out, row_of(api->arena, w), e);
}

int stay_down(struct api *api, const struct args *args, struct str job, struct sink *out, struct err *e)
{
	struct staying w;

	return find_one(api, job, &w, e) || down_one(api, args, &w, out, e) ? -1 : 0;
}

int api_down(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct staying *list;
	size_t n;

	if (find_all(api, args, &list, &n, out, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct err mine = ERR_INIT;

		if (!down_one(api, args, &list[i], out, &mine))
			continue;
		if (n == 1) {
			*e = mine;
			return -1;
		}
		sink_note(out, "%s", err_text(api->arena, &mine));
		api->exit_status = 1;
	}
	return 0;
}

/* ---- services ---- */

int api_services(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct staying *list;
	size_t n;

	if (find_all(api, args, &list, &n, out, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (stay_clean(api->arena, &list[i].at, e) || sink_row(out, row_of(api->arena, &list[i]), e))
			return -1;
	return 0;
}

/* ---- for others ---- */

static int count(void *ptr, enum diff_kind kind, struct str path, const struct entry *was, const struct entry *is,
                 struct err *e)
{
	int64_t *n = ptr;

	n[kind]++;
	return 0;
}

static int tell_changes(struct api *api, struct dom *row, const struct commit *c, struct err *e)
{
	struct commit parent = {.tree = tree_empty_id()};
	int64_t n[3] = {0};

	if (c->parent.hex[0] && commit_find(api->store, c->repo, str_of(c->parent.hex), &parent, e) < 0)
		return -1;
	if (tree_diff(api->store, &parent.tree, &c->tree, false, count, n, e))
		return -1;
	dom_set_int(api->arena, row, "added", n[DIFF_ADDED]);
	dom_set_int(api->arena, row, "changed", n[DIFF_CHANGED]);
	dom_set_int(api->arena, row, "deleted", n[DIFF_REMOVED]);
	return 0;
}

int stay_commit_repo(struct api *api, const struct args *args, struct str repo, struct sink *out, struct err *e)
{
	const struct job *j = graph_producer(api->flow->graph, repo);
	struct staying w = {.job = j};
	struct stay_commit how;
	struct commit c;
	struct dom *row;
	bool made;

	if (!j || !job_stays(j))
		return 0;
	stay_place(api->arena, api->store, j->name, &w.at);
	if (stay_is_spout(j) || !dir_exists(w.at.out)) {
		sink_note(out, stay_is_spout(j) ? "%.*s commits by itself" : "%.*s is not up: nothing to commit",
		          STR_ARG(j->name));
		return 1;
	}
	how = (struct stay_commit){.command = args->command,
	                           .inputs = dom_get(stay_state(api->arena, &w.at), "inputs"),
	                           .message = args_value(args, "message"),
	                           .reason = "committed after it had ended"};
	if (stay_is_up(&w.at))
		how.reason = "committed while it ran";
	if (stay_commit(api->store, api->arena, j, w.at.out, &how, &c, &made, e))
		return -1;
	if (!made) {
		sink_note(out, "nothing to commit");
		return 1;
	}
	row = row_commit(api->arena, repo, STR(BRANCH_DEFAULT), &c);
	dom_set_bool(api->arena, row, "made", true);
	return tell_changes(api, row, &c, e) || sink_row(out, row, e) ? -1 : 1;
}

int stay_logs(struct api *api, struct str job, bool follow, struct sink *out, struct err *e)
{
	struct err none = ERR_INIT;
	struct stay_place at;
	off_t from = 0;

	if (name_check_job(job, &none))
		return 0;
	stay_place(api->arena, api->store, job, &at);
	if (!file_exists(at.log))
		return 0;
	for (;;) {
		bool up = stay_is_up(&at); /* asked first: what was written before the end is then printed */

		if (sink_file(at.log, &from, out, e))
			return -1;
		if (!follow || !up)
			return 1;
		clock_sleep_ms(FOLLOW_MS);
	}
}
