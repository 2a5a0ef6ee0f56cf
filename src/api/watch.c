/*
 * `leat run --watch`: a file is saved, and what depends on it runs. What is saved in datastore/ of a source is adopted
 * first. The store stays open and the workers warm; jobs are loaded anew each time, through their cache.
 */
#include "api/watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "flow/table.h"
#include "flow/workers.h"
#include "repo/datastore.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/notify.h"

#define QUIET_MS 15    /* an editor has done its writing and renaming when nothing came for so long */
#define LONGEST_MS 500 /* but it is not waited for longer */
#define SAVED_MAX 1000 /* files; of more all is looked at */
#define NAMED_MAX 4
#define PREVIEW_ROWS 10

struct watching {
	struct api *api;
	const struct args *args;
	struct sink *out, sink; /* the caller's; ours in front of it */
	struct notify *notify;
	struct shelf shelf;
	struct arena *names;    /* of outputs and heads: lives until they are looked up anew */
	struct map outputs;     /* repos that jobs make */
	struct map heads;       /* of sources: repo → its commit's id */
	struct arena *round;
	struct map saved;       /* paths, since the last round */
	bool everything;        /* too many */
	bool stopped;
	int signals;
};

/* --- which folders, and what was saved --- */

static bool in_datastore(const char *path, const char **repo)
{
	return path_inside("datastore", path, repo);
}

static bool wants(void *ptr, const char *path)
{
	struct watching *w = ptr;
	const char *rest, *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (*name == '.')
		return false;
	if (in_datastore(path, &rest))
		return !map_has(&w->outputs, str_of(rest));
	return strcmp(name, "tests") != 0 && (path_inside("jobs", path, NULL) || path_inside("pipelines", path, NULL));
}

/* What editors leave for a moment, or as a copy of what was there. */
static bool is_scratch(struct str name)
{
	return !name.n || *name.p == '.' || *name.p == '#' || str_has_suffix(name, STR("~")) ||
	       str_has_suffix(name, STR(".swp")) || str_has_suffix(name, STR(".tmp")) || str_is(name, "4913");
}

static void told(void *ptr, const char *path)
{
	struct watching *w = ptr;
	struct str all = str_of(path), dir = STR(""), name = all;
	bool in_root = !str_rcut(all, '/', &dir, &name);

	w->everything |= !*path;
	if (is_scratch(name) || (in_root && !str_is(name, WORKSPACE_FILE) && !str_is(name, "jobs") &&
	                         !str_is(name, "pipelines")))
		return;
	if (w->saved.n >= SAVED_MAX)
		w->everything = true;
	else
		map_set(&w->saved, arena_str(w->round, all), w);
}

/* Taken, so that it does not end us when it is let through again. */
static void take_signals(struct watching *w)
{
	struct signalfd_siginfo si;

	while (w->signals >= 0 && read(w->signals, &si, sizeof(si)) == sizeof(si))
		w->stopped = true;
}

/* Waits for something, and then until it has been quiet for a moment. */
static int wait_for_saves(struct watching *w, struct err *e)
{
	struct pollfd p[] = {{.fd = w->signals, .events = POLLIN}, {.fd = notify_fd(w->notify), .events = POLLIN}};
	int64_t first = 0;
	int got;

	while (!w->stopped) {
		bool some = w->saved.n || w->everything;

		if (some && !first)
			first = clock_mono_ms();
		if (some && clock_mono_ms() - first > LONGEST_MS)
			return 0;
		got = poll(p, ARRAY_LEN(p), some ? QUIET_MS : -1);
		take_signals(w);
		if (got > 0 && p[1].revents && notify_read(w->notify, told, w, e))
			return -1;
		if (!got)
			return 0;
	}
	return 0;
}

/* --- what depends on it --- */

/* Sources may have become outputs, and the other way round. */
static int note_repos(struct watching *w, struct err *e)
{
	struct jobs *js = w->api->flow->jobs;
	struct repo *repos;
	size_t n;

	arena_reset(w->names);
	map_init(&w->outputs, w->names);
	map_init(&w->heads, w->names);
	for (size_t i = 0; i < js->n; i++)
		map_set(&w->outputs, arena_str(w->names, js->all[i]->output), w);
	if (repo_list(w->api->store, w->names, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit head;
		int r;

		if (repos[i].role != REPO_SOURCE) {
			map_set(&w->outputs, repos[i].name, w);
			continue;
		}
		r = branch_head(w->api->store, repos[i].id, STR(BRANCH_DEFAULT), &head, e);
		if (r < 0)
			return -1;
		map_set(&w->heads, repos[i].name, arena_dup(w->names, r ? head.id.hex : ""));
	}
	return 0;
}

static bool reads_repo(const struct job *j, struct str repo)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].repo, repo))
			return true;
	return false;
}

static bool is_of_job(const struct job *j, struct str path)
{
	if (str_eq(j->file, path))
		return true;
	for (size_t i = 0; i < j->n_code; i++)
		if (str_eq(j->code[i].path, path))
			return true;
	return !j->single && j->dir.n < path.n && str_has_prefix(path, j->dir) && path.p[j->dir.n] == '/';
}

static void note_text(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

static void say_err(struct watching *w, struct api *api, const struct err *e)
{
	sink_note(w->out, "%s%s%s", err_text(api->arena, e), e->hint[0] ? "\n      " : "", e->hint);
}

/* What was dropped into datastore/ becomes a commit; which sources have another head than before is in *moved. */
static int adopt(struct watching *w, struct api *api, struct map *moved, struct err *e)
{
	struct adopt_opts o = {.message = STR("leat run --watch")};
	struct map before = w->heads;
	struct arena *kept = w->names;
	struct adopted *list;
	struct str repo;
	void *head, *old;
	size_t n;
	int rc;

	if (datastore_commit(api->store, api->arena, &o, id_new(), &list, &n, note_text, w->out, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].made)
			sink_note(w->out, "%.*s@%.12s: %lld files added, %lld changed, %lld deleted",
			          STR_ARG(list[i].repo), list[i].commit.id.hex, (long long)list[i].added,
			          (long long)list[i].changed, (long long)list[i].deleted);
	w->names = arena_new();
	rc = note_repos(w, e);
	for (size_t i = 0; !rc && map_each(&w->heads, &i, &repo, &head);) {
		old = map_get(&before, repo);
		if (!old || strcmp(old, head) != 0)
			map_set(moved, arena_str(api->arena, repo), w);
	}
	arena_free(kept);
	return rc;
}

struct affected {
	struct map jobs, direct;
	struct str first[NAMED_MAX];
	size_t n_paths;
};

static void add_job(struct watching *w, struct api *api, struct affected *to, const struct job *j,
                    const struct map *only)
{
	const struct job **below;
	size_t n;

	map_set(&to->direct, j->name, (void *)j);
	below = graph_descendants(api->flow->graph, api->arena, j, &n);
	for (size_t i = 0; i < n; i++)
		if (!only->n || map_has(only, below[i]->name))
			map_set(&to->jobs, below[i]->name, (void *)below[i]);
	if (!only->n || map_has(only, j->name))
		map_set(&to->jobs, j->name, (void *)j);
}

static void note_path(struct affected *to, struct str path)
{
	if (to->n_paths < NAMED_MAX)
		to->first[to->n_paths] = path;
	to->n_paths++;
}

static int find_affected(struct watching *w, struct api *api, const struct map *only, struct affected *to,
                         struct err *e)
{
	struct jobs *js = api->flow->jobs;
	struct map moved;
	struct str path;
	void *ignored;
	bool data = w->everything;

	map_init(&moved, api->arena);
	for (size_t i = 0; map_each(&w->saved, &i, &path, &ignored);) {
		bool all = str_is(path, WORKSPACE_FILE), used = all;

		if (in_datastore(path.p, NULL)) {
			data = true;
			continue;
		}
		for (size_t k = 0; k < js->n; k++)
			if (all || is_of_job(js->all[k], path)) {
				add_job(w, api, to, js->all[k], only);
				used = true;
			}
		if (used)
			note_path(to, path);
	}
	for (size_t k = 0; w->everything && k < js->n; k++)
		add_job(w, api, to, js->all[k], only);
	if (data && !api->store->on && adopt(w, api, &moved, e))
		return -1;
	for (size_t i = 0; map_each(&moved, &i, &path, &ignored);) {
		note_path(to, path);
		for (size_t k = 0; k < js->n; k++)
			if (reads_repo(js->all[k], path))
				add_job(w, api, to, js->all[k], only);
	}
	return 0;
}

/* --- a run --- */

static int on_row(void *ptr, const struct dom *row, struct err *e)
{
	struct watching *w = ptr;
	const struct dom *cancelled = dom_get(row, "cancelled");

	w->stopped |= cancelled && cancelled->type == DOM_BOOL && cancelled->b;
	return sink_row(w->out, row, e);
}

static int on_bytes(void *ptr, struct str bytes, struct err *e)
{
	struct watching *w = ptr;

	return w->out->bytes(w->out->ptr, bytes, e);
}

static void on_note(void *ptr, const char *text)
{
	sink_note(((struct watching *)ptr)->out, "%s", text);
}

static void on_event(void *ptr, const struct run_event *ev)
{
	struct watching *w = ptr;

	w->out->event(w->out->ptr, ev);
}

static void on_progress(void *ptr, const char *text, double part)
{
	struct watching *w = ptr;

	w->out->progress(w->out->ptr, text, part);
}

/* The first rows of what the job has made last. */
static int preview(struct watching *w, struct api *api, const struct job *j, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP), *list = dom_new(a, DOM_LIST), *names = dom_new(a, DOM_LIST);
	struct duck_sql q = {.threads = DUCK_THREADS_ANY};
	struct table_source table;
	struct duck_small got;
	struct catalog *c;
	struct reads r;

	if (catalog_new(api->store, a, &c, e) || reads_for_query(c, a, j->output, STR_NULL, true, &r, e))
		return -1;
	if (r.n_parts > 1) {
		r.parts += r.n_parts - 1;
		r.n_parts = 1;
	}
	if (table_open(api->store, a, api->flow->duck, &r, &table, e))
		return -1;
	q.sql = arena_strf(a, "from (%.*s) limit %d", STR_ARG(table.view.sql), PREVIEW_ROWS + 1);
	if (duck_small(api->flow->duck, a, &q, &got, NULL, e))
		return -1;
	for (size_t i = 0; i < got.rows.n_cols; i++)
		dom_add(names, dom_new_str(a, got.names[i]));
	for (size_t i = 0; i < MIN(got.rows.n_rows, (size_t)PREVIEW_ROWS); i++) {
		struct dom *cells = dom_new(a, DOM_LIST);

		for (size_t k = 0; k < got.rows.n_cols; k++) {
			struct str cell = got.rows.at[i * got.rows.n_cols + k];

			dom_add(cells, cell.p ? dom_new_str(a, cell) : dom_new(a, DOM_NULL));
		}
		dom_add(list, cells);
	}
	dom_set_str(a, row, "preview", j->output);
	dom_set(a, row, "columns", names);
	dom_set(a, row, "rows", list);
	dom_set_bool(a, row, "more", got.rows.n_rows > PREVIEW_ROWS);
	return sink_row(w->out, row, e);
}

/* Words are jobs, then partitions of them; no job: all that are. */
static int read_words(struct watching *w, struct api *api, struct asking *q, struct map *only, struct err *e)
{
	struct jobs *js = api->flow->jobs;

	for (size_t i = 0; i < args_n(w->args); i++) {
		struct str word = args_pos(w->args, i);

		if (q->jobs.n && !jobs_get(js, word)) {
			if (ask_range(api, q, q->jobs.p[0], word, e))
				return -1;
			continue;
		}
		if (ask_job(api, w->args, word, q, e))
			return -1;
		map_set(only, q->jobs.p[q->jobs.n - 1]->name, (void *)q->jobs.p[q->jobs.n - 1]);
	}
	return 0;
}

static void say_round(struct watching *w, const struct affected *af)
{
	struct buf b cleanup(buf_free) = BUF_INIT(4096);

	for (size_t i = 0; i < MIN(af->n_paths, (size_t)NAMED_MAX); i++)
		buf_addf(&b, "%s%.*s", i ? ", " : "", STR_ARG(af->first[i]));
	if (af->n_paths > NAMED_MAX)
		buf_addf(&b, " and %zu more", af->n_paths - NAMED_MAX);
	if (!buf_over(&b) && b.n)
		sink_note(w->out, "%.*s:", STR_ARG(buf_str(&b)));
}

static int run_jobs(struct watching *w, struct api *api, struct asking *q, struct err *e)
{
	/* A partition that is named is made when it is stale; asked for anew it would be made each time. */
	q->ask.mode = PLAN_STALE;
	return work_run(api, w->args, q, &w->sink, e);
}

static int run_affected(struct watching *w, struct api *api, struct asking *q, const struct affected *af,
                        struct err *e)
{
	struct err none = ERR_INIT;
	struct str name;
	void *j;

	say_round(w, af);
	q->jobs.n = 0;
	for (size_t i = 0; map_each(&af->jobs, &i, &name, &j);)
		if (!job_stays(j))
			vec_push(api->arena, &q->jobs, (const struct job *)j);
	if (!q->jobs.n)
		return 0;
	if (run_jobs(w, api, q, e))
		return -1;
	for (size_t i = 0; w->out->people && !api->exit_status && map_each(&af->direct, &i, &name, &j);)
		if (af->direct.n == 1 && !job_stays(j) && preview(w, api, j, &none))
			err_clear(&none); /* it makes no table */
	return 0;
}

static int open_round(struct watching *w, struct api *api, struct err *e)
{
	struct workspace *ws;

	if (w->everything || map_has(&w->saved, STR(WORKSPACE_FILE))) {
		if (workspace_open(api->ws->dir, &ws, e))
			return -1;
		workspace_close(w->api->ws);
		w->api->ws = w->api->store->ws = api->ws = ws;
	}
	return flow_open_warm(api->store, api->kinds, true, &w->shelf, &api->flow, e);
}

/* What is broken is told of what was saved; all else is told when it is needed. */
static void say_broken(struct watching *w, struct api *api)
{
	struct jobs *js = api->flow->jobs;
	struct str path;
	void *ignored;

	for (size_t i = 0; i < js->n_errors; i++) {
		struct str dir = str_of(js->errors[i]->file), rest;
		bool of_it = w->everything;

		if (!str_rcut(dir, '/', &dir, &rest))
			continue;
		for (size_t k = 0; map_each(&w->saved, &k, &path, &ignored);)
			of_it |= str_has_prefix(path, dir);
		if (of_it)
			say_err(w, api, js->errors[i]);
	}
}

static int saved_round(struct watching *w, struct api *api, struct err *e)
{
	struct asking q = {.ask = {.upstream = args_flag(w->args, "upstream")}};
	struct affected af = {.n_paths = 0};
	struct map only;

	map_init(&only, api->arena);
	map_init(&af.jobs, api->arena);
	map_init(&af.direct, api->arena);
	if (open_round(w, api, e))
		return -1;
	w->api->flow = api->flow;
	if (!args_n(w->args)) /* else the words tell it */
		say_broken(w, api);
	if (read_words(w, api, &q, &only, e) || find_affected(w, api, &only, &af, e))
		return -1;
	return af.jobs.n ? run_affected(w, api, &q, &af, e) : 0;
}

/* With jobs named they run at once; without, nothing does before something is saved. */
static int first_round(struct watching *w, struct api *api, struct err *e)
{
	struct asking q = {.ask = {.upstream = args_flag(w->args, "upstream")}};
	static const char *const roots[] = {"", "jobs", "pipelines", "datastore"};
	struct map only;

	map_init(&only, api->arena);
	if (open_round(w, api, e))
		return -1;
	w->api->flow = api->flow;
	if (note_repos(w, e) || read_words(w, api, &q, &only, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if ((strcmp(roots[i], "datastore") != 0 || !api->store->on) && notify_add(w->notify, roots[i], e))
			return -1;
	if (notify_left_out(w->notify))
		sink_note(w->out, "%zu folders are too many to be watched: what is saved there is not seen",
		          notify_left_out(w->notify));
	return only.n ? run_jobs(w, api, &q, e) : 0;
}

/* One round has an arena of its own. What goes wrong in it is told, and the watching goes on. */
static int round_of(struct watching *w, int (*fn)(struct watching *w, struct api *api, struct err *e), bool fatal,
                    struct err *e)
{
	struct api api = *w->api;
	struct err inner = ERR_INIT;
	int rc;

	api.arena = arena_new();
	api.flow = NULL;
	api.exit_status = 0;
	rc = fn(w, &api, &inner);
	if (!rc && datastore_update(api.store, note_text, w->out, &inner))
		rc = -1;
	if (rc && fatal)
		*e = inner;
	else if (rc && inner.code != ERR_CANCELLED)
		say_err(w, &api, &inner);
	flow_close(api.flow);
	w->api->flow = NULL;
	arena_free(api.arena);
	store_rest(w->api->store);
	return rc && fatal ? -1 : 0;
}

static void saved_begin(struct watching *w)
{
	if (w->round)
		arena_reset(w->round);
	else
		w->round = arena_new();
	map_init(&w->saved, w->round);
	w->everything = false;
}

static int watch_on(struct watching *w, struct err *e)
{
	saved_begin(w);
	if (round_of(w, first_round, true, e))
		return -1;
	while (!w->stopped) {
		sink_note(w->out, "watching jobs and sources; Ctrl-C ends");
		if (wait_for_saves(w, e))
			return -1;
		if (w->stopped)
			break;
		if (round_of(w, saved_round, false, e))
			return -1;
		saved_begin(w);
	}
	return 0;
}

int watch_run(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct watching w = {.api = api, .args = args, .out = out, .names = arena_new(), .signals = -1};
	sigset_t stop, before;
	int rc = -1;

	w.sink = (struct sink){.ptr = &w, .row = on_row, .bytes = on_bytes, .note = on_note, .people = out->people,
	                       .event = out->event ? on_event : NULL, .progress = on_progress};
	map_init(&w.outputs, w.names);
	map_init(&w.heads, w.names);
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	w.signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	flow_close(api->flow); /* each round has its own */
	api->flow = NULL;
	if (!notify_new(api->ws->dir, wants, &w, &w.notify, e))
		rc = watch_on(&w, e);
	notify_free(w.notify);
	shelf_empty(&w.shelf);
	take_signals(&w); /* whoever asks twice */
	fd_close(&w.signals);
	arena_free(w.round);
	arena_free(w.names);
	sigprocmask(SIG_SETMASK, &before, NULL);
	api->exit_status = 0;
	return rc;
}
