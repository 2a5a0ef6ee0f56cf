/* One OpenLineage event, made of the rows of its run. Versions of facets: those of openlineage.io in 2026. */
#include <stdio.h>

#include "api/lineage.h"
#include "api/rows.h"
#include "base/str.h"
#include "flow/state.h"

#define PRODUCER  "urn:leat:" LEAT_VERSION
#define SPEC      "https://openlineage.io/spec/"
#define UNITS_MAX 1000 /* of a run whose inputs and rows are looked at; the nominal time is that of all */
#define TEXT_MAX  4096 /* of an error */

/* A repo that was read or written. */
struct dataset {
	struct str repo, version; /* version STR_NULL: not known */
};

struct telling {
	struct store *s;
	struct arena *a;
	const struct lineage_row *row;
	struct str ns;
	/* the run */
	struct str job, batch, kind, state, reason, branch;
	/* its units */
	const struct job *j; /* as its file is now; NULL: it is gone */
	VEC(struct dataset) inputs;
	struct dataset output;
	struct interval nominal;
	size_t units, failed;
	int64_t rows;
	bool rows_known;
	struct str sql, error, kind_of_job;
};

static const char *uuid(struct arena *a, struct str id)
{
	if (id.n < ID_HEX)
		return "";
	return arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", id.p, id.p + 8, id.p + 12, id.p + 16, id.p + 20);
}

static struct dom *facet(struct telling *t, struct dom *facets, const char *name, const char *version, const char *type)
{
	struct dom *f = dom_new(t->a, DOM_MAP);

	dom_set_cstr(t->a, f, "_producer", PRODUCER);
	dom_set_cstr(t->a, f, "_schemaURL",
	             arena_printf(t->a, SPEC "facets/%s/%s.json#/$defs/%s", version, type, type));
	dom_set(t->a, facets, name, f);
	return f;
}

/* --- what the rows say --- */

static int read_run(struct telling *t, struct err *e)
{
	struct q *q = db_query(t->s->db, "select job, batch, kind, state, reason, branch from run where id = ?");
	struct str *to[] = {&t->job, &t->batch, &t->kind, &t->state, &t->reason, &t->branch};
	int rc;

	q_cstr(q, 1, t->row->run);
	rc = q_step(q, e);
	for (size_t i = 0; rc == 1 && i < ARRAY_LEN(to); i++)
		*to[i] = q_col_is_null(q, (int)i) ? STR_NULL : arena_str(t->a, q_col_text(q, (int)i));
	q_done(q);
	return rc;
}

/* What the same event made of that repo, where it did; else nothing. */
static int made_with(struct telling *t, struct str repo, struct str event, struct str *version, struct err *e)
{
	struct q *q = db_query(t->s->db, "select c.id from commits c join repo r on r.id = c.repo"
	                                 " where c.id = ?1 and r.name = ?2 and r.ended is null");
	int rc;

	q_text(q, 1, event);
	q_text(q, 2, repo);
	rc = q_step(q, e);
	if (rc == 1)
		*version = arena_str(t->a, q_col_text(q, 0));
	q_done(q);
	return rc < 0 ? -1 : 0;
}

/* The head that it had when the unit was made. */
static int head_then(struct telling *t, struct str repo, int64_t at, struct str *version, struct err *e)
{
	struct q *q = db_query(t->s->db, "select m.new from head_move m join repo r on r.id = m.repo where r.name = ?1"
	                                 " and r.ended is null and m.branch in ('master', ?2) and m.at <= ?3"
	                                 " order by m.seq desc limit 1");
	int rc;

	q_text(q, 1, repo);
	q_text(q, 2, t->branch.p ? t->branch : STR("master"));
	q_int(q, 3, at);
	rc = q_step(q, e);
	if (rc == 1 && !q_col_is_null(q, 0))
		*version = arena_str(t->a, q_col_text(q, 0));
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static struct dataset *input_of(struct telling *t, struct str repo)
{
	for (size_t i = 0; i < t->inputs.n; i++)
		if (str_eq(t->inputs.p[i].repo, repo))
			return &t->inputs.p[i];
	vec_push(t->a, &t->inputs, ((struct dataset){.repo = arena_str(t->a, repo)}));
	return &t->inputs.p[t->inputs.n - 1];
}

static int add_input(struct telling *t, const struct dom *in, struct str event, int64_t at, struct err *e)
{
	const struct dom *repo = dom_get(in, "repo"), *commit = dom_get(in, "commit");
	struct dataset *d;

	if (!repo || repo->type != DOM_STR || !repo->s.n)
		return 0;
	d = input_of(t, repo->s);
	if (commit && commit->type == DOM_STR) {
		d->version = arena_str(t->a, commit->s);
		return 0;
	}
	d->version = STR_NULL;
	if (made_with(t, repo->s, event, &d->version, e))
		return -1;
	return d->version.p ? 0 : head_then(t, repo->s, at, &d->version, e);
}

/* The text of a query as it ran. */
static int add_sql(struct telling *t, const struct dom *files, struct err *e)
{
	dom_each (f, files) {
		const struct dom *path = dom_get(f, "path"), *sha = dom_get(f, "sha256");
		struct sha id;
		struct q *q;
		int rc;

		if (t->sql.p || !path || !sha || path->type != DOM_STR || !str_has_suffix(path->s, STR(".sql")) ||
		    !sha_parse(sha->s, &id) || !db_has_set(t->s->db, DB_SET_RUNS))
			continue;
		q = db_query(t->s->db, "select body from code_text where id = ?");
		q_sha(q, 1, &id);
		rc = q_step(q, e);
		if (rc == 1)
			t->sql = arena_str(t->a, q_col_text(q, 0));
		q_done(q);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int add_unit(struct telling *t, struct str text, struct str event, int64_t at, struct err *e)
{
	struct err broken = ERR_INIT;
	const struct dom *kind, *rows;
	struct dom *doc;

	if (!text.n || dom_json(t->a, text, "ingredients", &doc, &broken))
		return 0; /* not begun, or known without having run */
	kind = dom_get(doc, "kind");
	rows = dom_path(doc, "facts.rows");
	if (kind && kind->type == DOM_STR)
		t->kind_of_job = kind->s;
	t->rows_known &= rows && rows->type == DOM_INT;
	t->rows += rows && rows->type == DOM_INT ? rows->i : 0;
	dom_each (in, dom_get(doc, "inputs"))
		if (add_input(t, in, event, at, e))
			return -1;
	return t->kind_of_job.p && str_is(t->kind_of_job, "sql") ? add_sql(t, dom_get(doc, "files"), e) : 0;
}

struct unit_row {
	struct str ingredients, event, error, state, ds, commit, repo;
	int64_t created;
	bool known; /* the memo had it */
};

static int read_units(struct telling *t, struct unit_row **out, size_t *n, struct err *e)
{
	VEC(struct unit_row) v = {0};
	struct q *q = db_query(t->s->db,
	                       "select u.ingredients, u.global_id, u.error, u.state, u.ds, u.commit_id, p.name,"
	                       " coalesce(u.started, u.created), u.original is not null from unit u"
	                       " left join repo p on p.id = u.repo where u.run = ? order by u.id limit ?");
	int rc;

	q_cstr(q, 1, t->row->run);
	q_int(q, 2, UNITS_MAX);
	while ((rc = q_step(q, e)) == 1) {
		struct unit_row u = {.created = q_col_int(q, 7), .known = q_col_int(q, 8)};
		struct str *to[] = {&u.ingredients, &u.event, &u.error, &u.state, &u.ds, &u.commit, &u.repo};

		for (size_t i = 0; i < ARRAY_LEN(to); i++)
			*to[i] = q_col_is_null(q, (int)i) ? STR_NULL : arena_str(t->a, q_col_text(q, (int)i));
		vec_push(t->a, &v, u);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}

/* The last commit that it made. */
static int add_made(struct telling *t, struct err *e)
{
	struct q *q = db_query(t->s->db, "select c.id from unit u join commits c on c.repo = u.repo and c.id ="
	                                 " u.commit_id where u.run = ? order by c.number desc limit 1");
	int rc;

	q_cstr(q, 1, t->row->run);
	rc = q_step(q, e);
	if (rc == 1)
		t->output.version = arena_str(t->a, q_col_text(q, 0));
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static int add_units(struct telling *t, struct err *e)
{
	struct unit_row *u;
	size_t n;

	if (read_units(t, &u, &n, e))
		return -1;
	t->units = n;
	t->rows_known = n > 0;
	for (size_t i = 0; i < n; i++) {
		enum state s = state_of_word(u[i].state);

		if (add_unit(t, u[i].ingredients, u[i].event, u[i].created, e))
			return -1;
		t->rows_known &= !u[i].known;
		if (u[i].repo.p)
			t->output.repo = u[i].repo;
		if (s == STATE_COUNT || !state_final(s) || state_good(s))
			continue;
		t->failed++;
		if (!t->error.p && u[i].error.n)
			t->error = u[i].ds.n ? arena_strf(t->a, "%.*s: %.*s", STR_ARG(u[i].ds), STR_ARG(u[i].error))
			                     : u[i].error;
	}
	return 0;
}

/* From the start of its first partition to the end of its last. */
static int add_nominal(struct telling *t, struct err *e)
{
	const struct tz *tz = t->j ? t->j->tz : t->s->ws->tz;
	struct q *q = db_query(t->s->db, "select distinct ds from unit where run = ? and ds <> ''");
	struct err no_ds = ERR_INIT;
	bool any = false;
	struct ds ds;
	int rc;

	q_cstr(q, 1, t->row->run);
	while ((rc = q_step(q, e)) == 1) {
		struct interval i;

		if (ds_parse(q_col_text(q, 0), &ds, &no_ds))
			continue;
		i = ds_interval(&ds, tz);
		t->nominal.start = any ? MIN(t->nominal.start, i.start) : i.start;
		t->nominal.end = any ? MAX(t->nominal.end, i.end) : i.end;
		any = true;
	}
	q_done(q);
	err_clear(&no_ds);
	return rc;
}

/* What a run that has begun no unit reads and writes: by the job's file, else by its last output. */
static int add_declared(struct telling *t, struct err *e)
{
	struct q *q;
	int rc = 0;

	for (size_t i = 0; t->j && i < t->j->n_inputs; i++)
		if (t->j->inputs[i].repo.n)
			(void)input_of(t, t->j->inputs[i].repo);
	if (!t->output.repo.p && t->j)
		t->output.repo = t->j->output;
	if (t->output.repo.p)
		return 0;
	q = db_query(t->s->db, "select name from repo where job = ? and ended is null order by id limit 1");
	q_text(q, 1, t->job);
	rc = q_step(q, e);
	if (rc == 1)
		t->output.repo = arena_str(t->a, q_col_text(q, 0));
	q_done(q);
	return rc < 0 ? -1 : 0;
}

/* --- the event --- */

static const char *event_type(const struct telling *t)
{
	enum state s = state_of_word(t->state);

	if (!t->row->end)
		return "START";
	if (s == STATE_CANCELLED || s == STATE_UPSTREAM_FAILED)
		return "ABORT";
	return s != STATE_COUNT && state_good(s) ? "COMPLETE" : "FAIL";
}

static struct dom *run_facets(struct telling *t)
{
	struct dom *all = dom_new(t->a, DOM_MAP), *f, *of, *run;
	const char *type = event_type(t);

	if (t->nominal.end > t->nominal.start) {
		f = facet(t, all, "nominalTime", "1-0-1", "NominalTimeRunFacet");
		row_time(t->a, f, "nominalStartTime", t->nominal.start * 1000);
		row_time(t->a, f, "nominalEndTime", t->nominal.end * 1000);
	}
	f = facet(t, all, "parent", "1-2-0", "ParentRunFacet");
	run = dom_new(t->a, DOM_MAP);
	dom_set_cstr(t->a, run, "runId", uuid(t->a, t->batch));
	dom_set(t->a, f, "run", run);
	of = dom_new(t->a, DOM_MAP);
	dom_set_str(t->a, of, "namespace", t->ns);
	dom_set_cstr(t->a, of, "name", arena_printf(t->a, "leat.%.*s", STR_ARG(t->kind)));
	dom_set(t->a, f, "job", of);
	f = facet(t, all, "processing_engine", "1-1-1", "ProcessingEngineRunFacet");
	dom_set_cstr(t->a, f, "version", LEAT_VERSION);
	dom_set_cstr(t->a, f, "name", "leat");
	if (t->row->end && strcmp(type, "COMPLETE") != 0) {
		struct str why = t->error.p ? t->error : t->reason.p ? t->reason : t->state;

		if (t->failed > 1)
			why = arena_strf(t->a, "%.*s (and %zu more of its units)", STR_ARG(why), t->failed - 1);
		f = facet(t, all, "errorMessage", "1-0-1", "ErrorMessageRunFacet");
		dom_set_str(t->a, f, "message", str_sub(why, 0, TEXT_MAX));
		dom_set_cstr(t->a, f, "programmingLanguage",
		             t->kind_of_job.p && str_is(t->kind_of_job, "sql") ? "SQL" : "unknown");
	}
	return all;
}

static struct dom *job_facets(struct telling *t)
{
	struct dom *all = dom_new(t->a, DOM_MAP), *f;
	struct str kind = t->kind_of_job.p ? t->kind_of_job : t->j ? t->j->kind_name : STR_NULL;

	if (kind.p) {
		char *word = arena_cstr(t->a, kind);

		for (char *p = word; *p; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		f = facet(t, all, "jobType", "2-0-4", "JobTypeJobFacet");
		dom_set_cstr(t->a, f, "processingType", t->j && job_stays(t->j) ? "STREAMING" : "BATCH");
		dom_set_cstr(t->a, f, "integration", "LEAT");
		dom_set_cstr(t->a, f, "jobType", word);
	}
	if (t->j && t->j->description.n) {
		f = facet(t, all, "documentation", "1-1-0", "DocumentationJobFacet");
		dom_set_str(t->a, f, "description", t->j->description);
	}
	if (t->sql.p) {
		f = facet(t, all, "sql", "1-1-0", "SQLJobFacet");
		dom_set_str(t->a, f, "query", t->sql);
		dom_set_cstr(t->a, f, "dialect", "duckdb");
	}
	return all;
}

/* The columns of a CSV or JSON table, which were asked once; others would have to be opened for it. */
static int add_schema(struct telling *t, struct dom *facets, struct str repo, struct err *e)
{
	struct q *q = db_query(t->s->db, "select f.body from table_format f join repo r on r.id = f.repo"
	                                 " where r.name = ? and r.ended is null");
	struct err broken = ERR_INIT;
	struct dom *doc = NULL, *f, *fields;
	int rc;

	q_text(q, 1, repo);
	rc = q_step(q, e);
	if (rc == 1 && dom_json(t->a, arena_str(t->a, q_col_text(q, 0)), "format", &doc, &broken))
		doc = NULL;
	q_done(q);
	if (rc < 0 || !doc || !dom_get(doc, "columns"))
		return rc < 0 ? -1 : 0;
	f = facet(t, facets, "schema", "1-2-0", "SchemaDatasetFacet");
	fields = dom_new(t->a, DOM_LIST);
	dom_each (c, dom_get(doc, "columns")) {
		struct dom *field = dom_new(t->a, DOM_MAP);

		dom_set_str(t->a, field, "name", dom_text(t->a, dom_get(c, "name")));
		dom_set_str(t->a, field, "type", dom_text(t->a, dom_get(c, "type")));
		dom_add(fields, field);
	}
	dom_set(t->a, f, "fields", fields);
	return 0;
}

static int add_dataset(struct telling *t, struct dom *list, const struct dataset *d, bool output, struct err *e)
{
	struct dom *one = dom_new(t->a, DOM_MAP), *facets = dom_new(t->a, DOM_MAP), *f;

	dom_set_str(t->a, one, "namespace", t->ns);
	dom_set_str(t->a, one, "name", d->repo);
	if (d->version.p) {
		f = facet(t, facets, "version", "1-0-1", "DatasetVersionDatasetFacet");
		dom_set_str(t->a, f, "datasetVersion", d->version);
	}
	if (add_schema(t, facets, d->repo, e))
		return -1;
	dom_set(t->a, one, "facets", facets);
	if (output && t->row->end && t->rows_known && d->version.p) {
		struct dom *of_output = dom_new(t->a, DOM_MAP);

		f = facet(t, of_output, "outputStatistics", "1-0-2", "OutputStatisticsOutputDatasetFacet");
		dom_set_int(t->a, f, "rowCount", t->rows);
		dom_set(t->a, one, "outputFacets", of_output);
	}
	dom_add(list, one);
	return 0;
}

static int write_event(struct telling *t, struct dom **out, struct err *e)
{
	struct dom *doc = dom_new(t->a, DOM_MAP), *run = dom_new(t->a, DOM_MAP), *job = dom_new(t->a, DOM_MAP);
	struct dom *inputs = dom_new(t->a, DOM_LIST), *outputs = dom_new(t->a, DOM_LIST);

	row_time(t->a, doc, "eventTime", t->row->at);
	dom_set_cstr(t->a, doc, "eventType", event_type(t));
	dom_set_cstr(t->a, run, "runId", uuid(t->a, str_of(t->row->run)));
	dom_set(t->a, run, "facets", run_facets(t));
	dom_set(t->a, doc, "run", run);
	dom_set_str(t->a, job, "namespace", t->ns);
	dom_set_str(t->a, job, "name", t->job);
	dom_set(t->a, job, "facets", job_facets(t));
	dom_set(t->a, doc, "job", job);
	for (size_t i = 0; i < t->inputs.n; i++)
		if (add_dataset(t, inputs, &t->inputs.p[i], false, e))
			return -1;
	if (t->output.repo.n && add_dataset(t, outputs, &t->output, true, e))
		return -1;
	dom_set(t->a, doc, "inputs", inputs);
	dom_set(t->a, doc, "outputs", outputs);
	dom_set_cstr(t->a, doc, "producer", PRODUCER);
	dom_set_cstr(t->a, doc, "schemaURL", SPEC "2-0-2/OpenLineage.json#/$defs/RunEvent");
	*out = doc;
	return 0;
}

int lineage_event(struct store *s, struct flow *f, struct arena *a, const struct lineage_row *r, struct dom **out,
                  struct err *e)
{
	struct telling t = {.s = s, .a = a, .row = r};
	const struct dom *ns = workspace_setting(s->ws, "lineage.namespace");
	int rc;

	if (!ns)
		ns = workspace_setting(s->ws, "name");
	t.ns = ns ? dom_text(a, ns) : STR("");
	if (!t.ns.n)
		t.ns = STR("leat");
	rc = read_run(&t, e);
	if (rc != 1)
		return rc;
	t.j = f ? jobs_get(f->jobs, t.job) : NULL;
	if (add_units(&t, e) || (r->end && add_made(&t, e)) || add_nominal(&t, e) || add_declared(&t, e))
		return -1;
	return write_event(&t, out, e) ? -1 : 1;
}
