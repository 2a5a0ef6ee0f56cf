#include "flow/check.h"
#include "flow/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/name.h"
#include "base/str.h"
#include "flow/egress.h"
#include "flow/jobcache.h"
#include "flow/jobfile.h"
#include "flow/jobparse.h"
#include "flow/plug.h"
#include "flow/sqlcache.h"

#define JOBS_MAX 1000000

/* ---- errors ---- */

int job_at(struct err *e, const struct job *j, int line, int col)
{
	return err_at(e, j->file.p, line, col);
}

void jobs_broken(struct jobs *js, struct str job, const struct err *e)
{
	if (js->n_errors_all++ >= JOBS_MAX_ERRORS)
		return;
	js->errors[js->n_errors] = arena_new_of(js->arena, struct err);
	*js->errors[js->n_errors] = *e;
	js->error_jobs[js->n_errors++] = job;
}

/* ---- one job, from its files ---- */

/* Reads a text of the user's, after its stat was taken. */
static int read_text(struct jobs *js, struct job_entry *en, struct str path, struct str *out, struct err *e)
{
	struct arena *a = js->arena;

	if (jobcache_node(js, en, path, NULL)) {
		err_set(e, ERR_NOT_FOUND, "%.*s is not there", STR_ARG(path));
		return -1;
	}
	js->stats.files++;
	return file_read_plain(a, path_join(a, js->ws->dir, arena_cstr(a, path)), JOB_MAX_YAML, out, e);
}

static int parse_keys(struct jobs *js, struct job *j, struct str yaml, struct err *e)
{
	struct dom *keys;

	if (dom_yaml(js->arena, yaml, j->file.p, &keys, e))
		return -1;
	j->doc = keys->type == DOM_NULL ? dom_new(js->arena, DOM_MAP) : keys;
	return 0;
}

/* What a kind wants of a job beyond its keys. */
static int kind_check(struct job *j, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct check_sql sql;
	struct egress push;

	for (size_t i = 0; i < j->n_checks; i++)
		if (check_compile(a, j, &j->checks[i], &sql, e))
			return -1;
	if (egress_of(a, j, &push, e) < 0)
		return -1;
	if (!j->kind->check || !j->kind->check(j, e))
		return 0;
	return e->file[0] ? -1 : job_at(e, j, 1, 1);
}

/* A file of holidays decides with the job's own what its schedule says; one that is not there is told later. */
static void watch_holidays(struct jobs *js, struct job_entry *en, const struct job *j)
{
	const struct dom *s = dom_get(j->doc, "schedule");

	for (const struct dom *map = s && s->type == DOM_LIST ? s->first : s; map; map = map == s ? NULL : map->next) {
		const struct dom *file = dom_path(map, "calendar.holidays");

		if (file && file->type == DOM_STR)
			(void)jobcache_node(js, en, arena_strf(js->arena, "%s%.*s", js->root, STR_ARG(file->s)), NULL);
	}
}

static int check_names(struct job *j, struct err *e)
{
	if (name_check_job(j->name, e) || (j->folder_pipeline.p && name_check_job(j->folder_pipeline, e)))
		return job_at(e, j, 0, 0);
	return 0;
}

/* Whether something in the folder says that it is meant to be a job. */
static bool looks_like_job(struct jobs *js, const struct jobfile_list *l)
{
	for (const struct job_kind *const *k = js->kinds; *k; k++)
		for (const char *const *name = (*k)->code_names; name && *name; name++)
			if (jobfile_has(l, *name))
				return true;
	return jobfile_has(l, "job.yml");
}

static int read_folder(struct jobs *js, struct job_entry *en, struct job *j, struct err *e)
{
	struct arena *a = js->arena;
	struct jobfile_list files = {0};
	struct str yaml;

	j->dir = en->path;
	j->file = arena_strf(a, "%.*s/job.yaml", STR_ARG(en->path));
	if (jobfile_scan(js, en, en->path, "", &files, e))
		return -1;
	if (!file_exists(path_join(a, js->ws->dir, j->file.p))) {
		if (!looks_like_job(js, &files))
			return 0;
		err_set(e, ERR_BAD_CONFIG, "the folder has no job.yaml");
		err_hint(e, "%s", jobfile_has(&files, "job.yml") ? "rename job.yml to job.yaml"
		                                                 : "make one; it may be empty");
		return err_at(e, en->path.p, 0, 0);
	}
	if (check_names(j, e) || read_text(js, en, j->file, &yaml, e) || parse_keys(js, j, yaml, e) ||
	    jobparse_check(js, j, &files, e))
		return -1;
	watch_holidays(js, en, j);
	if (jobparse_fill(js, j, e) || jobfile_code(js, en, j, &files, STR_NULL, e) || kind_check(j, e))
		return -1;
	en->job = j;
	return 0;
}

static int read_single(struct jobs *js, struct job_entry *en, struct job *j, const char *ext, struct err *e)
{
	struct arena *a = js->arena;
	struct job_code f = {.path = en->path, .label = arena_strf(a, "job%s", ext)};
	struct jobfile_list files = {0};
	struct jobparse_tables all;
	struct str text, yaml, body;
	size_t from, to;

	j->file = en->path;
	j->single = true;
	j->dir = str_of(path_dir(a, en->path.p));
	vec_push(a, &files.files, f);
	jobparse_tables_init(&all, js->kinds, NULL);
	if (check_names(j, e) || read_text(js, en, j->file, &text, e))
		return -1;
	body = text;
	if (jobfile_block(a, text, !strcmp(ext, ".sql"), all.all, all.n, &yaml, &from, &to)) {
		body = arena_strf(a, "%.*s%.*s", (int)from, text.p, (int)(text.n - to), text.p + to);
		if (parse_keys(js, j, yaml, e)) {
			char hint[sizeof(e->hint)];

			memcpy(hint, e->hint, sizeof(hint));
			err_hint(e, "%s%sordinary comments go after an empty line", hint, hint[0] ? "; " : "");
			return -1;
		}
	} else {
		j->doc = dom_new(a, DOM_MAP);
	}
	if (jobparse_check(js, j, &files, e))
		return -1;
	watch_holidays(js, en, j);
	if (jobparse_fill(js, j, e) || jobfile_code(js, en, j, &files, body, e) || kind_check(j, e))
		return -1;
	en->job = j;
	return 0;
}

/* ---- where jobs lie ---- */

struct place {
	struct str path;     /* "jobs/trips", "jobs/trips.sql" */
	struct str name, pipeline;
	const char *ext;     /* of a job of one file; NULL: a folder */
};

struct walk {
	struct jobs *js;
	struct str dir, pipeline;
	bool pipelines;      /* the folders in it hold jobs */
	VEC(struct place) found;
	VEC(struct str) folders; /* of pipelines */
};

static const char *single_ext(const char *name)
{
	static const char *const exts[] = {".sql", ".py", ".sh"};
	const char *ext = path_ext(name);

	for (size_t i = 0; i < ARRAY_LEN(exts); i++)
		if (!strcmp(ext, exts[i]))
			return exts[i];
	return NULL;
}

static bool is_folder(struct walk *w, const struct dir_entry *d, struct str path)
{
	return d->type == DIR_FOLDER ||
	       (d->type == DIR_LINK && dir_exists(path_join(w->js->arena, w->js->ws->dir, path.p)));
}

/* A job.yaml under the job's name is no job; a YAML file without a job's keys is somebody's own affair. */
static void lone_yaml(struct walk *w, const char *name, struct str path)
{
	static const char *const keys[] = {"kind:", "output:", "inputs:"};
	struct arena *a = w->js->arena;
	struct str file = str_of(name), stem, ext, text, line;
	struct err e = ERR_INIT;
	bool job = false;

	if (name[0] == '.' || !str_rcut(file, '.', &stem, &ext) || !(str_is(ext, "yaml") || str_is(ext, "yml")) ||
	    file_read_plain(a, path_join(a, w->js->ws->dir, path.p), JOB_MAX_YAML, &text, &e))
		return;
	while (str_next_line(&text, &line))
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			job |= str_has_prefix(line, str_of(keys[i]));
	if (!job)
		return;
	err_clear(&e);
	err_set(&e, ERR_BAD_CONFIG, "a job's job.yaml stands in a folder of its own, so this is no job yet");
	err_hint(&e, "make it %.*s/%.*s/job.yaml", STR_ARG(w->dir), STR_ARG(stem));
	err_at(&e, path.p, 0, 0);
	jobs_broken(w->js, STR(""), &e);
}

static int found(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct walk *w = ptr;
	struct arena *a = w->js->arena;
	struct place p = {.path = arena_strf(a, "%.*s/%s", STR_ARG(w->dir), d->name), .pipeline = w->pipeline};
	bool folder;

	if (d->name[0] == '_')
		return DIR_SKIP;
	folder = is_folder(w, d, p.path);
	if (w->pipelines) {
		if (folder)
			vec_push(a, &w->folders, p.path);
		return DIR_SKIP;
	}
	p.name = arena_strf(a, "%s", d->name);
	if (!folder) {
		if (w->pipeline.p && !strcmp(d->name, "job.yaml")) {
			err_set(e, ERR_BAD_CONFIG,
				"a pipeline's folder holds jobs, each in a folder or file of its own");
			err_hint(e, "move it to %.*s/NAME/job.yaml", STR_ARG(w->dir));
			err_at(e, p.path.p, 0, 0);
			jobs_broken(w->js, STR(""), e);
			err_clear(e);
			return DIR_SKIP;
		}
		p.ext = single_ext(d->name);
		if (!p.ext) {
			lone_yaml(w, d->name, p.path);
			return DIR_SKIP;
		}
		p.name = arena_str(a, str_sub(p.name, 0, p.name.n - strlen(p.ext)));
	}
	if (w->found.n == JOBS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d jobs", JOBS_MAX);
	vec_push(a, &w->found, p);
	return DIR_SKIP;
}

static int walk_dir(struct walk *w, struct str dir, struct err *e)
{
	w->dir = dir;
	return dir_walk(path_join(w->js->arena, w->js->ws->dir, dir.p),
			DIR_NO_STAT | DIR_SKIP_DOT | DIR_FLAT | DIR_GONE_OK,
	                found, w, e);
}

static int walk_all(struct walk *w, struct err *e)
{
	struct arena *a = w->js->arena;
	struct str pipelines = arena_strf(a, "%spipelines", w->js->root);

	if (walk_dir(w, arena_strf(a, "%sjobs", w->js->root), e))
		return -1;
	w->pipelines = true;
	if (walk_dir(w, pipelines, e))
		return -1;
	w->pipelines = false;
	for (size_t i = 0; i < w->folders.n; i++) {
		w->pipeline = str_sub(w->folders.p[i], pipelines.n + 1, w->folders.p[i].n);
		if (walk_dir(w, w->folders.p[i], e))
			return -1;
	}
	return 0;
}

/* ---- all jobs ---- */

/* A job from the cache: what is not its own. */
static int refill(struct jobs *js, struct job *j, struct err *e)
{
	j->kind = jobparse_kind(js->kinds, j->kind_name);
	j->tz = js->ws->tz;
	if (!j->kind)
		return -1;
	return j->zone.p ? tz_load(j->zone.p, &j->tz, e) : 0;
}

/* The job of a place: from the cache if its files stand as they did. NULL: there is none, or it is broken. */
static struct job *load_one(struct jobs *js, const struct place *p)
{
	struct job_entry *en = jobcache_get(js, p->path);
	struct err e = ERR_INIT;
	struct job *j;

	if (en) {
		if (!en->job)
			return NULL;
		if (!refill(js, en->job, &e))
			return en->job;
		err_clear(&e); /* a zone that is no longer on the machine: reading the file tells where it stands */
	}
	js->stats.read++;
	j = arena_new_of(js->arena, struct job);
	j->name = p->name;
	j->folder_pipeline = p->pipeline;
	j->jobs = js;
	en = jobcache_new(js, p->path);
	if (p->ext ? read_single(js, en, j, p->ext, &e) : read_folder(js, en, j, &e)) {
		err_at(&e, j->file.p ? j->file.p : p->path.p, 0, 0);
		jobs_broken(js, j->name, &e);
		return NULL;
	}
	jobcache_keep(js, en);
	return en->job;
}

static int by_folded_name(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a, *y = *(struct job *const *)b;
	int c = strcasecmp(x->name.p, y->name.p);

	return c ? c : str_cmp(x->file, y->file);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp((*(struct job *const *)a)->name, (*(struct job *const *)b)->name);
}

/* Two jobs of one name, or of names that differ in case only: the second is the broken one. */
static void drop_doubles(struct jobs *js)
{
	size_t kept = 0;

	qsort(js->all, js->n, sizeof(*js->all), by_folded_name);
	for (size_t i = 0; i < js->n; i++) {
		struct job *j = js->all[i], *before = kept ? js->all[kept - 1] : NULL;
		struct err e = ERR_INIT;

		if (!before || strcasecmp(j->name.p, before->name.p)) {
			js->all[kept++] = j;
			continue;
		}
		err_set(&e, ERR_BAD_CONFIG, "the job %.*s is there twice: %.*s and %.*s", STR_ARG(j->name),
		        STR_ARG(before->file),
		        STR_ARG(j->file));
		err_hint(&e, "no two jobs have the same name but for case: rename one of them");
		job_at(&e, j, 0, 0);
		jobs_broken(js, j->name, &e);
	}
	js->n = kept;
}

void jobs_index(struct jobs *js)
{
	qsort(js->all, js->n, sizeof(*js->all), by_name);
	map_init(&js->by_name, js->arena);
	for (size_t i = 0; i < js->n; i++) {
		js->all[i]->index = i;
		map_set(&js->by_name, js->all[i]->name, js->all[i]);
	}
}

/* ---- what comes after what ---- */

static int link_fault(const struct job *j, const struct job_input *in, const char *hint, struct err *e)
{
	if (hint)
		err_hint(e, "%s", hint);
	return job_at(e, j, in->line, in->col);
}

static int no_such_job(const struct jobs *js, const struct job *j, const struct job_input *in, struct err *e)
{
	struct str *names = arena_array(js->arena, struct str, js->n);

	for (size_t i = 0; i < js->n_errors; i++)
		if (str_eq(js->error_jobs[i], in->name)) {
			err_set(e, ERR_BAD_CONFIG, "it comes after %.*s, which cannot be used", STR_ARG(in->name));
			return link_fault(j, in, js->errors[i]->msg, e);
		}
	for (size_t i = 0; i < js->n; i++)
		names[i] = js->all[i]->name;
	err_set(e, ERR_BAD_CONFIG, "there is no job named \"%.*s\" to come after", STR_ARG(in->name));
	keys_hint_nearest(e, in->name, names, js->n);
	return link_fault(j, in, NULL, e);
}

int jobs_link(const struct jobs *js, struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->n_after; i++) {
		struct job_input *in = &j->after[i];
		const struct job *first = jobs_get(js, in->name), *odd = j->tree || job_stays(j) ? j : first;

		if (!first)
			return no_such_job(js, j, in, e);
		if (odd->tree || job_stays(odd)) {
			err_set(e, ERR_BAD_CONFIG, "after is for jobs of the calendar, and %.*s is %s",
			        STR_ARG(odd->name), odd->tree ? "one of data" : "a process that stays");
			return link_fault(j, in, odd->tree ? "one of data takes what it reads as it comes" : NULL, e);
		}
		if (!every_nests(first->every, j->every) && first->every != EVERY_NONE && j->every != EVERY_NONE) {
			err_set(e, ERR_BAD_CONFIG, "%s units of %.*s do not fit into %s ones", every_word(first->every),
			        STR_ARG(first->name), every_word(j->every));
			return link_fault(j, in, NULL, e);
		}
		in->repo = first->output;
	}
	return 0;
}

/* One that is broken may be what another one comes after. */
static void link_all(struct jobs *js)
{
	size_t kept;

	do {
		kept = 0;
		for (size_t i = 0; i < js->n; i++) {
			struct err e = ERR_INIT;

			if (!jobs_link(js, js->all[i], &e))
				js->all[kept++] = js->all[i];
			else
				jobs_broken(js, js->all[i]->name, &e);
		}
		if (kept == js->n)
			return;
		js->n = kept;
		jobs_index(js);
	} while (kept);
}

static bool queries_pending(const struct jobs *js)
{
	for (size_t i = 0; i < js->n; i++)
		if (str_is(js->all[i]->kind_name, "sql") && !js->all[i]->sql_parsed.p)
			return true;
	return false;
}

static int load(struct jobs *js, struct err *e)
{
	struct walk w = {.js = js};

	if (walk_all(&w, e))
		return -1;
	jobcache_open(js);
	js->all = arena_array(js->arena, struct job *, w.found.n);
	js->stats.jobs = w.found.n;
	for (size_t i = 0; i < w.found.n; i++) {
		struct job *j = load_one(js, &w.found.p[i]);

		if (j)
			js->all[js->n++] = j;
	}
	jobcache_loaded(js);
	drop_doubles(js);
	jobs_index(js);
	link_all(js);
	if (!queries_pending(js))
		jobcache_save(js); /* else jobsql_prepare does, once for both */
	return 0;
}

int jobs_load(struct workspace *ws, const struct job_kind *const *kinds, struct jobs **out, struct err *e)
{
	return jobs_load_at(ws, "", kinds, out, e);
}

int jobs_load_at(struct workspace *ws, const char *root, const struct job_kind *const *kinds, struct jobs **out,
                 struct err *e)
{
	struct arena *a = arena_new();
	struct jobs *js = arena_new_of(a, struct jobs);

	js->arena = a;
	js->ws = ws;
	js->root = root;
	js->kinds = kinds;
	js->parsed = sqlcache_new(a, arena_printf(a, "%s/.leat", ws->dir));
	js->errors = arena_array(a, struct err *, JOBS_MAX_ERRORS);
	js->error_jobs = arena_array(a, struct str, JOBS_MAX_ERRORS);
	if (load(js, e)) {
		arena_free(a);
		return -1;
	}
	*out = js;
	return 0;
}

void jobs_free(struct jobs *js)
{
	if (js)
		arena_free(js->arena);
}

struct job *jobs_get(const struct jobs *js, struct str name)
{
	return map_get(&js->by_name, name);
}

int jobs_find(const struct jobs *js, struct str name, struct job **out, struct err *e)
{
	struct job *j = jobs_get(js, name);
	struct str *names;

	if (j) {
		*out = j;
		return 0;
	}
	for (size_t i = 0; i < js->n_errors; i++)
		if (str_eq(js->error_jobs[i], name)) {
			*e = *js->errors[i];
			return -1;
		}
	names = arena_array(js->arena, struct str, js->n);
	for (size_t i = 0; i < js->n; i++)
		names[i] = js->all[i]->name;
	err_set(e, ERR_NO_JOB, "there is no job named \"%.*s\"", STR_ARG(name));
	for (size_t i = 0; i < js->n; i++) /* its file, as the shell completes it */
		if (str_has_prefix(str_of(js->all[i]->file.p), name) || str_eq(js->all[i]->main_file, name))
			return err_hint(e, "did you mean \"%.*s\"?", STR_ARG(js->all[i]->name));
	if (js->n)
		return keys_hint_nearest(e, name, names, js->n);
	return err_hint(e, "there are no jobs yet: `leat new` lists templates to begin with");
}

/* ---- asking ---- */

const struct dom *job_doc(const struct job *j)
{
	if (!j->doc)
		jobcache_unpack_doc((struct job *)j); /* what it is does not change by being known */
	return j->doc;
}

bool job_has_layout(const struct job *j)
{
	const struct dom *v = dom_get(j->own, "layout");

	return v && v->type == DOM_STR && str_is(v->s, "dsflow");
}

bool job_stays(const struct job *j)
{
	return j->kind && j->kind->stays;
}

enum job_sandbox job_sandbox(const struct job *j)
{
	const struct dom *set = workspace_setting(j->jobs->ws, "sandbox");
	enum job_sandbox said = j->sandbox;

	if (said == SANDBOX_AUTO && job_has_layout(j))
		return SANDBOX_ON;
	if (said == SANDBOX_AUTO && set)
		said = jobparse_sandbox(set);
	return said == SANDBOX_AUTO && !j->tree && !job_stays(j) ? SANDBOX_OFF : said;
}

void job_remember(struct job *j, struct str bytes)
{
	j->remembered = arena_str(j->jobs->arena, bytes);
	jobcache_changed(j->jobs, j);
}

void jobs_save(struct jobs *js)
{
	jobcache_save(js);
}

struct sha job_code_id(const struct job *j, const struct sha *meaning)
{
	struct sha_ctx c;

	sha_init(&c);
	sha_field(&c, STR("code"));
	sha_add(&c, &j->files_id, sizeof(j->files_id));
	sha_add(&c, meaning ? meaning : &j->sql_meaning, sizeof(*meaning));
	return sha_end(&c);
}

const struct job_input *job_input(const struct job *j, struct str name)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].name, name))
			return &j->inputs[i];
	return NULL;
}

/* {if: {kind: K}, then: {propertyNames: the common keys and those of K, required: what K cannot do without}} */
static struct dom *kind_schema(struct arena *a, const struct job_kind *k)
{
	struct dom *rule = dom_new(a, DOM_MAP), *cond = dom_new(a, DOM_MAP), *props = dom_new(a, DOM_MAP),
		   *is = dom_new(a, DOM_MAP), *need = dom_new(a, DOM_LIST), *then = dom_new(a, DOM_MAP),
		   *names = dom_new(a, DOM_MAP), *list = dom_new(a, DOM_LIST), *own = dom_new(a, DOM_LIST);

	dom_set_cstr(a, is, "const", k->name);
	dom_set(a, props, "kind", is);
	dom_set(a, cond, "properties", props);
	dom_add(need, dom_new_str(a, STR("kind")));
	dom_set(a, cond, "required", need);
	for (size_t i = 0; i < job_keys()->n; i++)
		if (!job_keys()->rows[i].section[0])
			dom_add(list, dom_new_str(a, str_of(job_keys()->rows[i].name)));
	for (const struct key *key = k->keys; key && key->name; key++)
		if (!key->section[0]) {
			dom_add(list, dom_new_str(a, str_of(key->name)));
			if (key->flags & KEYS_REQUIRED)
				dom_add(own, dom_new_str(a, str_of(key->name)));
		}
	dom_set(a, names, "enum", list);
	dom_set(a, then, "propertyNames", names);
	if (own->n)
		dom_set(a, then, "required", own);
	dom_set(a, rule, "if", cond);
	dom_set(a, rule, "then", then);
	return rule;
}

struct dom *job_json_schema(struct arena *a, const struct job_kind *const *kinds)
{
	struct jobparse_tables t;
	struct dom *schema, *words = dom_new(a, DOM_LIST), *all = dom_new(a, DOM_LIST);

	jobparse_tables_init(&t, kinds, NULL);
	schema = keys_json_schema(a, t.all, t.n, "job.yaml of Leat");
	for (; *kinds; kinds++) {
		dom_add(words, dom_new_str(a, str_of((*kinds)->name)));
		dom_add(all, kind_schema(a, *kinds));
	}
	dom_set(a, dom_path(schema, "properties.kind"), "enum", words);
	dom_set(a, schema, "allOf", all);
	return schema;
}
