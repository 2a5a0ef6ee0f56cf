#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/attempts.h"
#include "api/editor.h"
#include "api/lineage.h"
#include "api/pause.h"
#include "api/prompt.h"
#include "api/requests.h"
#include "api/rows.h"
#include "api/serve.h"
#include "base/name.h"
#include "base/str.h"
#include "base/tz.h"
#include "flow/data.h"
#include "flow/owner.h"
#include "repo/datastore.h"
#include "sys/clock.h"
#include "sys/file.h"

#define DRIFT_SHOWN 5

/* What init writes: the name, and the rest of the settings as comments, so that the file tells what there is. */
static void settings_text(struct buf *b, struct str name)
{
	const struct keys *t = workspace_keys();

	buf_addf(b, EDITOR_WORKSPACE_LINE "name: %.*s\n", STR_ARG(name));
	for (size_t i = 0; i < t->n; i++) {
		const struct key *k = &t->rows[i];

		if (k->section[0] || !strcmp(k->name, "name"))
			continue;
		buf_addf(b, "\n# %s\n# %s: %s\n", k->text, k->name, k->def ? k->def : "");
	}
}

/* Code belongs into git, data and secrets do not. Lines that are there already are not added again. */
static int write_gitignore(struct arena *a, const char *dir, struct err *e)
{
	static const char *const lines[] = {"/.leat/", "/datastore/", "/secrets/"};
	char *path = arena_printf(a, "%s/.gitignore", dir);
	struct buf b = BUF_INIT(1 << 20);
	struct str old = STR(""), rest, line;
	int rc = 0;

	if (file_exists(path) && file_read(a, path, 1 << 20, &old, e))
		return -1;
	buf_addstr(&b, old);
	if (old.n && old.p[old.n - 1] != '\n')
		buf_addc(&b, '\n');
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		bool there = false;

		rest = old;
		while (str_next_line(&rest, &line))
			there = there || str_is(str_trim(line), lines[i]);
		if (!there)
			buf_addf(&b, "%s\n", lines[i]);
	}
	if (b.n != old.n)
		rc = file_replace(path, buf_str(&b), 0666, 0, e);
	buf_free(&b);
	return rc;
}

/* A YAML scalar that needs no quotes, whatever the folder is called. */
static struct str plain_name(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", p[i]))
			p[i] = '-';
	return p[0] == '-' || !s.n ? STR("workspace") : (struct str){p, s.n};
}

static int keep_path(struct store *s, struct err *e)
{
	struct q *q;

	if (db_begin(s->db, e))
		return -1;
	q = db_query(s->db, "insert into store(key, value) values ('path', ?)"
	                    " on conflict(key) do update set value = excluded.value");
	q_cstr(q, 1, getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin");
	if (q_run(q, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

int api_make_workspace(struct api *api, const char *dir, struct str name, struct err *e)
{
	struct arena *a = api->arena;
	char *yaml = arena_printf(a, "%s/" WORKSPACE_FILE, dir);
	struct buf b = BUF_INIT(1 << 16);
	int rc = 0;

	if (dir_make(dir, 0777, e) || dir_make(arena_printf(a, "%s/jobs", dir), 0777, e))
		return -1;
	if (!file_exists(yaml)) {
		settings_text(&b, name);
		rc = file_write(yaml, buf_str(&b), 0666, FILE_EXCL, e);
		buf_free(&b);
	}
	if (rc || workspace_open(dir, &api->ws, e) || store_create(api->ws, e) || write_gitignore(a, dir, e) ||
	    store_open(api->ws, &api->store, e) || editor_write(api, dir, e))
		return -1;
	return keep_path(api->store, e);
}

int api_init(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct str given = args_pos(args, 0), name = args_value(args, "name");
	char *dir;
	struct dom *row;

	if (path_absolute(a, given.p ? arena_cstr(a, given) : api->dir ? api->dir : ".", &dir, e))
		return -1;
	if (file_exists(arena_printf(a, "%s/.leat/leat.db", dir))) {
		err_set(e, ERR_REFUSED, "%s is a workspace already", dir);
		return err_hint(e, "'leat status' tells what it holds");
	}
	if (api_make_workspace(api, dir, name.p ? name : plain_name(a, str_of(path_base(a, dir))), e))
		return -1;
	row = dom_new(a, DOM_MAP);
	dom_set_cstr(a, row, "dir", dir);
	dom_set_str(a, row, "text", arena_strf(a, "made a workspace in %s", dir));
	if (sink_row(out, row, e))
		return -1;
	sink_note(out, "next: 'leat put raw/NAME FILE --ds 2024-01-01', or 'leat new' for a job");
	return 0;
}

static int count(struct store *s, const char *sql, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, sql);
	int rc = q_step(q, e);

	if (rc == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static void attention(struct arena *a, struct dom *list, struct str text, struct str hint)
{
	struct dom *w = dom_new(a, DOM_MAP);

	dom_set_str(a, w, "text", text);
	dom_set_str(a, w, "hint", hint);
	dom_add(list, w);
}

static int drift_attention(struct api *api, struct dom *list, struct err *e)
{
	static const char *const words[] = {
		[DRIFT_NEW] = "new",
		[DRIFT_EDITED] = "edited",
		[DRIFT_DELETED] = "deleted",
		[DRIFT_NEW_REPO] = "a new repo",
		[DRIFT_LAGS] = "not yet as published",
	};
	struct arena *a = api->arena;
	struct err why = ERR_INIT;
	struct drift *d;
	bool have_jobs;
	size_t n;

	if (api->store->on) /* datastore/ shows master */
		return 0;
	if (datastore_drift(api->store, a, STR_NULL, false, &d, &n, e))
		return -1;
	have_jobs = n && !api_open(api, OP_W | OP_J | OP_R, &why);
	for (size_t i = 0; i < MIN(n, (size_t)DRIFT_SHOWN); i++) {
		char shown[NAME_MAX_PATH + 1], norm[NAME_MAX_PATH + 1];
		struct str text = arena_strf(a, "datastore/%.*s%s%s: %s", STR_ARG(d[i].repo), d[i].path.n ? "/" : "",
		                             str_show(d[i].path, shown, sizeof(shown)), words[d[i].kind]);
		struct err bad = ERR_INIT;
		size_t len;

		if (d[i].kind == DRIFT_NEW && d[i].path.n && name_path(d[i].path, norm, &len, NULL, &bad))
			attention(a, list, text, arena_strf(a, "it cannot be adopted: %s", bad.msg));
		else if (d[i].kind == DRIFT_NEW && !d[i].path.n)
			attention(a, list,
			          arena_strf(a, "datastore/%.*s holds files that lie in no repo", STR_ARG(d[i].repo)),
			          STR("datastore/REPO/ is where files of a repo lie"));
		else if (d[i].kind == DRIFT_LAGS)
			attention(a, list, text, STR("the next command that writes completes it"));
		else if (d[i].output && !(have_jobs && owner_is_orphan(api->flow, d[i].repo)))
			attention(a, list, text, STR("leat commit --restore puts back what the job made"));
		else
			attention(a, list, text, STR("leat commit adopts it; leat commit --restore puts the old back"));
	}
	if (n > DRIFT_SHOWN)
		attention(a, list, arena_strf(a, "... and %zu more files differ in datastore/", n - DRIFT_SHOWN),
		          STR_NULL);
	return 0;
}

static int work_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct plan_ask ask = {.mode = PLAN_STALE};
	struct jobs *js;
	struct catalog *c;
	struct plan *p;
	struct err why = ERR_INIT;
	size_t known = 0;

	if (api_open(api, OP_W | OP_J | OP_R,
	             &why)) { /* jobs that cannot stand together: what else there is is still told */
		attention(a, list, str_of(err_text(a, &why)), arena_str(a, str_of(why.hint)));
		return 0;
	}
	js = api->flow->jobs;
	for (size_t i = 0; i < js->n_errors; i++)
		attention(a, list, str_of(err_text(a, js->errors[i])), arena_str(a, str_of(js->errors[i]->hint)));
	if (catalog_new(api->store, a, &c, e))
		return -1;
	if (plan_make(api->flow, c, a, &ask, &p, &why)) {
		if (why.code != ERR_REFUSED) {
			*e = why;
			return -1;
		}
		attention(a, list, str_of(err_text(a, &why)), arena_str(a, str_of(why.hint)));
		return 0;
	}
	for (size_t i = 0; i < p->n_units; i++)
		known += p->units[i]->known;
	if (p->n_units)
		attention(a, list,
		          arena_strf(a, "%zu unit%s stale or missing", p->n_units, p->n_units == 1 ? " is" : "s are"),
		          STR("leat plan tells why; leat run makes them"));
	if (p->n_missing_input)
		attention(a, list, arena_strf(a, "%zu units lack an input", p->n_missing_input),
		          STR("leat plan names it"));
	return 0;
}

/* Jobs on data that stand still, and why. */
static int data_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;

	for (size_t i = 0; api->flow && i < api->flow->jobs->n; i++) {
		const struct job *j = api->flow->jobs->all[i];
		struct data_bad b;
		int r = j->tree && !job_stays(j) ? data_bad_now(api->store, a, j, &b, e) : 0;

		if (r < 0)
			return -1;
		if (r && b.unrunnable)
			attention(a, list, arena_strf(a, "%.*s is unrunnable: %.*s", STR_ARG(j->name), STR_ARG(b.why)),
			          STR_NULL);
		else if (r)
			attention(a, list, arena_strf(a, "%.*s failed: %.*s", STR_ARG(j->name), STR_ARG(b.why)),
			          arena_strf(a, "leat logs %.*s shows what it printed; leat run tries it again",
			                     STR_ARG(j->name)));
	}
	return 0;
}

/* Jobs that the clock does not start: who forgot one sees it here. */
static int pause_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct str names;
	size_t n = 0;

	if (api->flow && pause_names(api, &names, &n, e))
		return -1;
	if (n)
		attention(a, list,
		          arena_strf(a, "%s paused: %.*s", n == 1 ? "a job is" : "jobs are", STR_ARG(names)),
		          STR("leat resume JOB lets the clock start it again"));
	return 0;
}

/* Open commits: who forgot one sees it here before it expires. */
static int open_attention(struct api *api, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct q *q = db_query(api->store->db,
	                       "select r.name, o.branch, o.id, o.expires from open_commit o"
	                       " join repo r on r.id = o.repo where o.state = 'open' and o.expires > ?"
	                       " order by o.at limit 20");
	char until[TIME_TEXT];
	int r;

	q_int(q, 1, clock_now_ms());
	while ((r = q_step(q, e)) == 1) {
		struct str repo = q_col_text(q, 0), branch = q_col_text(q, 1), id = q_col_text(q, 2);

		time_rfc3339(q_col_int(q, 3), until);
		attention(a, list,
		          arena_strf(a, "%.*s@%.*s has the open commit %.12s, kept until %s", STR_ARG(repo),
		                     STR_ARG(branch), id.p, until),
		          arena_strf(a, "leat finish %.*s@%.*s makes it the head; leat drop %.*s@%.12s ends it",
		                     STR_ARG(repo), STR_ARG(branch), STR_ARG(repo), id.p));
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* Repos that are there on a workspace branch. */
static int count_shown(struct api *api, int64_t *out, struct err *e)
{
	struct repo *repos;
	size_t n;

	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out += repos[i].role != REPO_SYSTEM;
	return 0;
}

/* Who keeps the clock; that nobody does matters where a job has a schedule. */
static int daemon_row(struct api *api, struct dom *row, struct dom *list, struct err *e)
{
	const struct jobs *js = api->flow ? api->flow->jobs : NULL;
	const struct dom *place = NULL;
	int serves = serve_place(api->store, api->arena, &place, e);
	size_t n = 0;

	if (serves < 0)
		return -1;
	for (size_t i = 0; js && i < js->n; i++)
		n += js->all[i]->schedule != NULL;
	dom_set(api->arena, row, "daemon", place ? dom_copy(api->arena, place) : dom_new(api->arena, DOM_NULL));
	if (!serves && n && !api->store->on)
		attention(api->arena, list,
		          arena_strf(api->arena, "%zu %s and nobody keeps the clock", n,
		                     n == 1 ? "job has a schedule" : "jobs have schedules"),
		          STR("leat serve starts them at their times"));
	return 0;
}

int api_status(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP), *list = dom_new(a, DOM_LIST);
	static const struct {
		const char *key, *sql;
	} counts[] = {
		{"repos", "select count(*) from repo where ended is null and role <> 'system' and made_on is null"},
		{"commits", "select count(*) from commits where hidden = 0"},
		{"size", "select (select coalesce(sum(size), 0) from blob) + (select coalesce(sum(bytes), 0) from pack)"
			 " + (select coalesce(sum(length(body)), 0) from small)"
			 " + (select coalesce(sum(length(body)), 0) from recipe)"},
		{"runs", "select count(*) from run"},
	};

	if (args_flag(args, "short"))
		return prompt_line(api, out, e);
	dom_set_str(a, row, "name", dom_text(a, workspace_setting(api->ws, "name")));
	dom_set_str(a, row, "on", api->store->on ? api->store->on->name : STR_NULL);
	dom_set_cstr(a, row, "dir", api->ws->dir);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		int64_t n = 0;

		if (count(api->store, counts[i].sql, &n, e))
			return -1;
		if (!i && api->store->on && count_shown(api, &n, e))
			return -1;
		dom_set_int(a, row, counts[i].key, n);
	}
	if (requests_attention(api, list, e) || attempts_attention(api, list, e) || lineage_attention(api, list, e) ||
	    drift_attention(api, list, e) || open_attention(api, list, e) ||
	    work_attention(api, list, e) || data_attention(api, list, e) || pause_attention(api, list, e) ||
	    daemon_row(api, row, list, e))
		return -1;
	dom_set_int(a, row, "jobs", api->flow ? (int64_t)api->flow->jobs->n : 0);
	dom_set(a, row, "attention", list);
	return sink_row(out, row, e);
}

static int config_schema(struct api *api, struct str what, struct sink *out, struct err *e)
{
	struct dom *schema = editor_schema(api, what);

	if (!schema)
		return err_set(e, ERR_BAD_REQUEST, "--schema is job or workspace, not '%.*s'", STR_ARG(what));
	return sink_row(out, schema, e);
}

static int config_row(struct api *api, const struct key *k, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP);
	const struct dom *v = workspace_setting(api->ws, k->name);
	const struct dom *own = dom_get(api->ws->yaml, k->name);
	struct buf text = BUF_INIT(1 << 20);
	struct dom *copy = NULL;

	if (v) { /* a node hangs in one tree only: shown as a copy */
		dom_write_json(&text, v, DOM_COMPACT);
		if (dom_json(a, arena_str(a, buf_str(&text)), NULL, &copy, e)) {
			buf_free(&text);
			return -1;
		}
	}
	buf_free(&text);
	if (!copy && !strcmp(k->name, "path")) { /* not said: what init or --here kept */
		struct q *q = db_query(api->store->db, "select value from store where key = 'path'");
		int r = q_step(q, e);

		if (r == 1)
			copy = dom_new_str(a, arena_str(a, q_col_text(q, 0)));
		q_done(q);
		if (r < 0)
			return -1;
	}
	dom_set_cstr(a, row, "setting", k->name);
	dom_set(a, row, "value", copy ? copy : dom_new(a, DOM_NULL));
	dom_set_cstr(a, row, "from", own ? "set" : "default");
	dom_set_cstr(a, row, "text", k->text);
	return sink_row(out, row, e);
}

int api_config(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	const struct keys *t = workspace_keys();
	struct str name = args_pos(args, 0), *names = arena_array(api->arena, struct str, t->n);
	size_t n = 0;
	bool found = false;

	if (args_count(args, "schema"))
		return config_schema(api, args_value(args, "schema"), out, e);
	if (api_open(api, OP_W, e))
		return -1;
	if (args_flag(args, "here")) {
		if (!str_is(name, "path"))
			return err_set(e, ERR_BAD_REQUEST, "--here belongs to 'leat config path'");
		if (keep_path(api->store, e))
			return -1;
		sink_note(out, "tasks now find programs by this shell's PATH");
		return 0;
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct key *k = &t->rows[i];

		if (k->section[0])
			continue;
		names[n++] = str_of(k->name);
		if (name.p && !str_is(name, k->name))
			continue;
		found = true;
		if (config_row(api, k, out, e))
			return -1;
	}
	if (found)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "there is no setting '%.*s'", STR_ARG(name));
	return keys_hint_nearest(e, name, names, n);
}
