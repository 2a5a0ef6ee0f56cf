#include "flow/jobsql.h"

#include <stdlib.h>

#include "base/str.h"
#include "flow/jobcache.h"
#include "flow/sqlcache.h"

#define HISTORY STR("__history")
#define NAME_MAX_TABLE 16384 /* a repo and a pin, every byte a quote */

/* As long as every label of its kind (but for doubled hours), so that places in the two texts are the same. */
const char *jobsql_stand_in(enum every every)
{
	static const char *const words[] = {
		[EVERY_NONE] = "",
		[EVERY_HOUR] = "1583-01-02T03",
		[EVERY_DAY] = "1583-01-02",
		[EVERY_WEEK] = "1583-W01",
		[EVERY_MONTH] = "1583-01",
	};

	return words[every];
}

static bool is_sql(const struct job *j)
{
	return str_is(j->kind_name, "sql");
}

/* ---- names ---- */

void jobsql_repo_of(struct arena *a, const struct sql_table *t, struct str *repo, struct str *pin)
{
	struct str name = t->name, zone, rest;
	bool main_schema = !t->schema.n || str_is(t->schema, "main");

	*pin = STR_NULL;
	if (str_cut(t->name, '@', &name, pin))
		*pin = arena_str(a, *pin);
	else if (str_is(t->at_unit, "version"))
		*pin = arena_str(a, t->at);
	if (!main_schema)
		*repo = arena_strf(a, "%.*s/%.*s", STR_ARG(t->schema), STR_ARG(name));
	else if (pin->p && !memchr(name.p, '/', name.n) && str_cut(name, '.', &zone, &rest))
		*repo = arena_strf(a, "%.*s/%.*s", STR_ARG(zone), STR_ARG(rest)); /* "tables.sales@master.31" */
	else
		*repo = arena_str(a, name);
}

struct str jobsql_table_of(struct arena *a, struct str repo, struct str pin)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NAME_MAX_TABLE);
	struct str zone, rest = repo;
	char *name;

	if (str_cut(repo, '/', &zone, &rest)) {
		sql_add_ident(&b, zone);
		buf_addc(&b, '.');
	} else {
		rest = repo;
	}
	name = pin.p ? arena_printf(a, "%.*s@%.*s", STR_ARG(rest), STR_ARG(pin)) : arena_cstr(a, rest);
	sql_add_ident(&b, str_of(name));
	return arena_str(a, buf_str(&b));
}

struct dom *jobsql_vars(struct arena *a, const struct job *j, struct str ds, const struct dom *params)
{
	struct dom *vars = dom_new(a, DOM_MAP), *inputs = dom_new(a, DOM_MAP), *own = arena_new_of(a, struct dom);

	if (ds.n)
		dom_set_str(a, vars, "ds", ds);
	*own = params ? *params : *j->params; /* a node hangs in one tree only: its children may be shared */
	own->next = NULL;
	dom_set(a, vars, "params", own);
	for (size_t i = 0; i < j->n_inputs; i++)
		if (!j->inputs[i].found && !dom_get(inputs, arena_cstr(a, j->inputs[i].name))) /* unions: twice */
			dom_set_str(a, inputs, arena_cstr(a, j->inputs[i].name),
			            jobsql_table_of(a, j->inputs[i].repo, j->inputs[i].pin));
	dom_set(a, vars, "inputs", inputs);
	dom_set_str(a, vars, "output", jobsql_table_of(a, j->output, STR_NULL));
	dom_set_str(a, vars, "job", j->name);
	return vars;
}

/* ---- text ---- */

static const struct job_code *main_code(const struct job *j)
{
	for (size_t i = 0; i < j->n_code; i++)
		if (j->main_file.p && str_eq(j->code[i].path, j->main_file))
			return &j->code[i];
	return NULL;
}

int jobsql_load(const struct jobs *js, const struct job *j, struct err *e)
{
	const struct job_code *code = main_code(j);
	struct str text;
	struct sha now;

	if (j->sql_source.p)
		return 0;
	if (!code) {
		err_set(e, ERR_BAD_CONFIG, "the job has no SQL");
		err_hint(e, "write it into %.*s/job.sql, or name another file by `code:`", STR_ARG(j->dir));
		return job_at(e, j, 0, 0);
	}
	if (file_read_plain(js->arena, path_join(js->arena, js->ws->dir, j->main_file.p), SQL_MAX_TEXT, &text, e))
		return -1;
	now = sha_of(text.p, text.n);
	if (!sha_eq(&now, &code->sha)) {
		err_set(e, ERR_CONFLICT, "%.*s has changed since its job was loaded", STR_ARG(j->main_file));
		return err_hint(e, "run it again");
	}
	((struct job *)j)->sql_source = text; /* what it is does not change by being known */
	return 0;
}

static int render(const struct job *j, struct arena *a, const struct dom *vars, struct tmpl_result *out, struct err *e)
{
	struct tmpl_env env = {.vars = vars, .tz = j->tz, .mode = TMPL_SQL};

	return tmpl_render(a, j->sql_source, j->main_file.p, &env, out, e);
}

int jobsql_at(struct err *e, const struct job *j, const struct jobsql *q, size_t offset)
{
	int line, col;

	text_line_col(q->source, tmpl_source_offset(&q->text, offset), &line, &col);
	return err_at(e, j->main_file.p, line, col);
}

/* Faults of a text that parses or does not, for which no database is needed. */
static int check_info(const struct job *j, const struct jobsql *q, struct err *e)
{
	const struct sql_info *info = &q->info;

	if (info->error.n) {
		err_set(e, ERR_BAD_SQL, "%.*s", STR_ARG(info->error));
		return jobsql_at(e, j, q, info->error_offset);
	}
	if (!info->statements) {
		err_set(e, ERR_BAD_SQL, "the file holds no statement");
		return err_at(e, j->main_file.p, 1, 1);
	}
	if (!info->select) {
		err_set(e, ERR_BAD_SQL, "the last statement gives no rows");
		err_hint(e, "what it selects becomes %.*s: end the file with a SELECT", STR_ARG(j->output));
		return err_at(e, j->main_file.p, 1, 1);
	}
	return 0;
}

/* ---- inputs found in the query ---- */

static bool is_system(const struct sql_table *t)
{
	return str_is(t->schema, "information_schema") || str_is(t->schema, "pg_catalog") || str_is(t->schema, "temp");
}

static struct job_input wanted(struct arena *a, const struct sql_table *t)
{
	struct job_input in = {.found = true};

	jobsql_repo_of(a, t, &in.repo, &in.pin);
	if (str_is(t->at_unit, "timestamp"))
		in.at = t->at;
	if (str_has_suffix(in.repo, HISTORY)) {
		in.repo = arena_str(a, str_sub(in.repo, 0, in.repo.n - HISTORY.n));
		in.window = WINDOW_HISTORY;
	}
	return in;
}

static bool same_str(struct str a, struct str b)
{
	return (a.p != NULL) == (b.p != NULL) && str_eq(a, b);
}

/* A declared input says how its repo is read wherever the query names it. */
static bool serves(const struct job_input *have, const struct job_input *want)
{
	bool history = want->window == WINDOW_HISTORY;

	return str_eq(have->repo, want->repo) && same_str(have->pin, want->pin) && same_str(have->at, want->at) &&
	       (history ? have->window == WINDOW_HISTORY : have->window != WINDOW_HISTORY || !have->found);
}

/* The name that job.yaml gives an input is a table of the query, as it is a folder of a script. */
static const struct job_input *by_own_name(const struct job_input *in, size_t n, const struct sql_table *t)
{
	for (size_t i = 0; i < n && !t->schema.n && !t->at.n; i++)
		if (!in[i].found && str_eq(in[i].name, t->name))
			return &in[i];
	return NULL;
}

const struct job_input *jobsql_input(struct arena *a, const struct job *j, const struct sql_table *t)
{
	struct job_input want = wanted(a, t);
	const struct job_input *own = by_own_name(j->inputs, j->n_inputs, t);

	if (own)
		return own;
	for (size_t i = 0; i < j->n_inputs; i++)
		if (serves(&j->inputs[i], &want))
			return &j->inputs[i];
	return NULL;
}

static bool name_taken(const struct job_input *in, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(in[i].name, name))
			return true;
	return false;
}

static struct str free_name(struct arena *a, const struct job_input *in, size_t n, struct str table)
{
	struct str head, last = table, name;
	char *s;

	if (!str_rcut(table, '/', &head, &last))
		last = table;
	s = arena_printf(a, "%s%.*s", last.p[0] >= '0' && last.p[0] <= '9' ? "_" : "", STR_ARG(last));
	for (char *p = s; *p; p++)
		if (!keys_is_ident((struct str){p, 1}) && !(*p >= '0' && *p <= '9'))
			*p = '_';
	name = str_of(s);
	for (int i = 2; name_taken(in, n, name); i++)
		name = arena_strf(a, "%s_%d", s, i);
	return name;
}

/* Index of the input that serves the table, else n. */
static size_t find_input(const struct job *j, size_t n, const struct job_input *want)
{
	size_t i = 0;

	while (i < n && !serves(&j->inputs[i], want))
		i++;
	return i;
}

/* Adds the inputs that a query names to those that are declared. */
static void add_inputs(struct jobs *js, struct job *j, const struct jobsql *q)
{
	const struct sql_info *info = &q->info;
	struct arena *a = js->arena;
	size_t n = j->n_inputs;
	struct job_input *all = arena_array(a, struct job_input, n + info->n_tables);

	if (n)
		memcpy(all, j->inputs, n * sizeof(*all));
	j->inputs = all;
	for (size_t i = 0; i < info->n_tables; i++) {
		struct job_input in = wanted(a, &info->tables[i]);

		if (is_system(&info->tables[i]) || by_own_name(all, n, &info->tables[i]) || find_input(j, n, &in) < n)
			continue;
		in.name = free_name(a, all, n, in.window == WINDOW_HISTORY ? info->tables[i].name : in.repo);
		text_line_col(q->source, tmpl_source_offset(&q->text, info->tables[i].start), &in.line, &in.col);
		all[n++] = in;
	}
	j->n_inputs = n;
}

/* ---- preparing all ---- */

struct pending {
	struct job *job;
	struct jobsql q;
	struct err err; /* code NONE: fine */
};

/* Whether the shape of the text may follow ds: a use that is more than a value standing for itself. */
static int follows_ds(struct arena *a, const struct job *j, bool *out, struct err *e)
{
	struct tmpl_use *uses;
	size_t n;

	*out = false;
	if (j->every == EVERY_NONE)
		return 0;
	if (tmpl_uses(a, j->sql_source, j->main_file.p, &uses, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		*out |= (str_is(uses[i].path, "ds") || str_has_prefix(uses[i].path, STR("ds."))) && !uses[i].plain;
	return 0;
}

static int begin(struct jobs *js, struct pending *p, struct err *e)
{
	struct arena *a = js->arena;
	struct job *j = p->job;
	const struct dom *vars;

	if (jobsql_load(js, j, e) || follows_ds(a, j, &j->sql_by_ds, e))
		return -1;
	js->stats.files++;
	vars = jobsql_vars(a, j, str_of(jobsql_stand_in(j->every)), NULL);
	p->q.source = j->sql_source;
	return render(j, a, vars, &p->q.text, e);
}

/* A stand-in that has become part of a name: then names follow ds. */
static bool stands_in_names(const struct job *j, const struct sql_info *info)
{
	const char *word = jobsql_stand_in(j->every);

	for (size_t i = 0; *word && i < info->n_tables; i++) {
		const struct sql_table *t = &info->tables[i];

		if (memmem(t->name.p, t->name.n, word, strlen(word)) || memmem(t->at.p, t->at.n, word, strlen(word)))
			return true;
	}
	return false;
}

static int finish(struct jobs *js, struct pending *p, const struct dom *parsed, struct err *e)
{
	struct job *j = p->job;
	struct buf json cleanup(buf_free) = BUF_INIT(DUCK_MAX_FRAME);

	if (!parsed || sql_info_read(js->arena, parsed, &p->q.info))
		return err_set(e, ERR_INTERNAL, "the parser's answer for %.*s cannot be read", STR_ARG(j->main_file));
	if (check_info(j, &p->q, e))
		return -1;
	j->sql_by_ds |= stands_in_names(j, &p->q.info);
	dom_write_json(&json, parsed, DOM_COMPACT);
	j->sql_parsed = arena_str(js->arena, buf_str(&json));
	if (!j->sql_by_ds)
		j->sql_meaning = p->q.info.hash;
	add_inputs(js, j, &p->q);
	jobcache_changed(js, j);
	return 0;
}

static void drop_broken(struct jobs *js, struct pending *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].err.code) {
			jobs_broken(js, p[i].job->name, &p[i].err);
			js->all[p[i].job->index] = NULL;
		}
	n = 0;
	for (size_t i = 0; i < js->n; i++)
		if (js->all[i])
			js->all[n++] = js->all[i];
	js->n = n;
	jobs_index(js);
}

static int parse_all(struct jobs *js, struct duck *duck, struct pending *p, size_t n, struct err *e)
{
	struct str *texts = xcalloc(n, sizeof(*texts));
	const struct dom **parsed = xcalloc(n, sizeof(*parsed));
	size_t good = 0, at = 0, bad = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		if (!begin(js, &p[i], &p[i].err))
			texts[good++] = p[i].q.text.text;
	r = sqlcache_parse(js->parsed, duck, texts, good, parsed, e);
	for (size_t i = 0; !r && i < n; i++) {
		if (!p[i].err.code)
			bad += finish(js, &p[i], parsed[at++], &p[i].err) != 0;
		else
			bad++;
	}
	free(texts);
	free(parsed);
	if (!r && bad)
		drop_broken(js, p, n);
	return r;
}

int jobsql_prepare(struct jobs *js, struct duck *duck, struct err *e)
{
	struct pending *p;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < js->n; i++)
		n += is_sql(js->all[i]) && !js->all[i]->sql_parsed.p;
	if (!n)
		return 0;
	p = xcalloc(n, sizeof(*p));
	n = 0;
	for (size_t i = 0; i < js->n; i++)
		if (is_sql(js->all[i]) && !js->all[i]->sql_parsed.p)
			p[n++].job = js->all[i];
	r = parse_all(js, duck, p, n, e);
	free(p);
	if (!r)
		jobcache_save(js);
	return r;
}

/* ---- one unit ---- */

int jobsql_info(struct arena *a, const struct job *j, struct sql_info *out, struct err *e)
{
	struct dom *parsed;

	if (dom_json(a, j->sql_parsed, "cache", &parsed, e) || sql_info_read(a, parsed, out))
		return err_set(e, ERR_INTERNAL, "what is known of %.*s cannot be read", STR_ARG(j->main_file));
	return 0;
}

/* A text that follows ds may name what no one told the graph of. */
static int check_tables(const struct job *j, struct arena *a, const struct jobsql *q, struct err *e)
{
	for (size_t i = 0; i < q->info.n_tables; i++) {
		const struct sql_table *t = &q->info.tables[i];
		struct job_input in = wanted(a, t);

		if (is_system(t) || find_input(j, j->n_inputs, &in) < j->n_inputs)
			continue;
		err_set(e, ERR_BAD_SQL, "for this ds the query reads %.*s, which is no input of the job",
			STR_ARG(in.repo));
		err_hint(e, "name it under inputs:, so that the job waits for it");
		return jobsql_at(e, j, q, t->start);
	}
	return 0;
}

static int parse_one(const struct jobs *js, struct duck *duck, struct arena *a, struct str text, struct sql_info *out,
                     struct err *e)
{
	const struct dom *parsed;

	if (sqlcache_parse(js->parsed, duck, &text, 1, &parsed, e))
		return -1;
	if (!parsed || sql_info_read(a, parsed, out))
		return err_set(e, ERR_INTERNAL, "the parser's answer cannot be read");
	return 0;
}

/* The meaning of the job's text with other parameters: with the stand-in, so that it is one for all ds. */
static int meaning_by_hand(const struct jobs *js, const struct job *j, const struct dom *params, struct duck *duck,
                           struct arena *a, struct sha *out, struct err *e)
{
	struct jobsql q = {.source = j->sql_source};

	if (render(j, a, jobsql_vars(a, j, str_of(jobsql_stand_in(j->every)), params), &q.text, e) ||
	    parse_one(js, duck, a, q.text.text, &q.info, e) || check_info(j, &q, e))
		return -1;
	*out = q.info.hash;
	return 0;
}

int jobsql_unit(const struct jobs *js, const struct job *j, const struct dom *vars, struct duck *duck, struct arena *a,
                struct jobsql *out, struct err *e)
{
	const struct dom *params = dom_get(vars, "params"), *ds = dom_get(vars, "ds");
	size_t ds_len = ds && ds->type == DOM_STR ? ds->s.n : 0;
	bool own = params && dom_equal(params, j->params);
	struct jobsql q = {0};

	if (jobsql_load(js, j, e))
		return -1;
	q.source = j->sql_source;
	if (render(j, a, vars, &q.text, e))
		return -1;
	if (!j->sql_by_ds && own && ds_len == strlen(jobsql_stand_in(j->every))) {
		if (jobsql_info(a, j, &q.info, e))
			return -1;
		q.meaning = j->sql_meaning;
		*out = q;
		return 0;
	}
	if (parse_one(js, duck, a, q.text.text, &q.info, e) || check_info(j, &q, e) || check_tables(j, a, &q, e))
		return -1;
	q.meaning = q.info.hash;
	if (!j->sql_by_ds && own)
		q.meaning = j->sql_meaning;
	else if (!j->sql_by_ds && meaning_by_hand(js, j, params, duck, a, &q.meaning, e))
		return -1;
	*out = q;
	return 0;
}
