#include "api/fixture.h"

#include "base/str.h"
#include "sys/file.h"

#define CASE_FILE "case.yaml"
#define CASE_MAX ((size_t)4 << 20)
#define CLOCK_NONE "2024-01-01T00:00:00Z"

static const struct key rows[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/casekeys.def"
#undef K
};
static const struct keys table = {.what = "a test of a job", .rows = rows, .n = ARRAY_LEN(rows)};

static const char *const forms[] = {"csv", "json", "jsonl", "parquet"};

struct reading {
	struct workspace *ws;
	struct arena *a;
	struct job *job;
	const char *root, *shown; /* the folder of all cases */
	VEC(struct fixture) list;
};

const char *fixture_path(struct arena *a, const struct fixture *x, const char *file)
{
	return path_join(a, x->shown, file);
}

static int at_key(struct arena *a, const struct fixture *x, const struct dom *v, struct err *e)
{
	return err_at(e, fixture_path(a, x, CASE_FILE), v->line, v->col);
}

static int read_doc(struct arena *a, struct fixture *x, struct err *e)
{
	const struct keys *tables[] = {&table};
	const char *path = path_join(a, x->dir, CASE_FILE), *shown = fixture_path(a, x, CASE_FILE);
	struct dom *doc;

	x->doc = dom_new(a, DOM_MAP);
	if (!file_exists(path))
		return 0;
	if (file_read_plain(a, path, CASE_MAX, &x->yaml, e) || dom_yaml(a, x->yaml, shown, &doc, e) ||
	    keys_check(tables, 1, doc, shown, e))
		return -1;
	if (doc->type == DOM_MAP)
		x->doc = doc;
	return 0;
}

/* --- when it is --- */

static int read_ds(struct arena *a, struct fixture *x, struct err *e)
{
	const struct dom *v = dom_get(x->doc, "ds"), *clock = dom_get(x->doc, "clock");
	const struct job *j = x->job;
	struct str text = clock ? clock->s : STR(CLOCK_NONE);

	if (v && ds_parse(dom_text(a, v), &x->ds, e))
		return at_key(a, x, v, e);
	if (v && j->every == EVERY_NONE) {
		err_set(e, ERR_BAD_REQUEST, "job %.*s has no partition, so it takes no ds", STR_ARG(j->name));
		return at_key(a, x, v, e);
	}
	if (v && x->ds.every != j->every) {
		err_set(e, ERR_BAD_DS, "%s is %s, the job is %s", x->ds.label, every_word(x->ds.every),
		        every_word(j->every));
		return at_key(a, x, v, e);
	}
	if (!v && j->every != EVERY_NONE) {
		err_set(e, ERR_BAD_REQUEST, "job %.*s has partitions, and the test does not say which it makes",
		        STR_ARG(j->name));
		err_hint(e, "write `ds: 2024-03-04` into %s", fixture_path(a, x, CASE_FILE));
		return err_at(e, x->shown, 0, 0);
	}
	if (v && !clock) {
		x->clock_ms = ds_interval(&x->ds, j->tz).end * 1000;
		return 0;
	}
	if (time_parse_rfc3339(text, &x->clock_ms))
		return 0;
	err_set(e, ERR_BAD_REQUEST, "%s is no time", STR_SHOWN(text));
	err_hint(e, "write one like 2024-03-04T06:30:00Z");
	return at_key(a, x, clock, e);
}

/* --- inputs --- */

/* raw."a/b" as raw.a/b */
static struct str without_quotes(struct arena *a, struct str name)
{
	struct buf b cleanup(buf_free) = BUF_INIT(name.n + 1);

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] != '"')
			buf_addc(&b, name.p[i]);
	return arena_str(a, buf_str(&b));
}

/* By its name in job.yaml, by its repo, or by its name in SQL. */
static const struct job_input *find_input(struct arena *a, const struct job *j, struct str name)
{
	struct str bare = without_quotes(a, name);

	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].name, name))
			return &j->inputs[i];
	for (size_t i = 0; i < j->n_inputs; i++) {
		char *dotted = arena_cstr(a, j->inputs[i].repo), *slash = strchr(dotted, '/');

		if (slash)
			*slash = '.';
		if (str_eq(j->inputs[i].repo, name) || str_is(bare, dotted))
			return &j->inputs[i];
	}
	return NULL;
}

static int no_input(struct arena *a, const struct fixture *x, struct str name, struct err *e)
{
	const struct job *j = x->job;
	struct str *names = arena_array(a, struct str, j->n_inputs + 1);

	for (size_t i = 0; i < j->n_inputs; i++)
		names[i] = j->inputs[i].found ? j->inputs[i].repo : j->inputs[i].name;
	err_set(e, ERR_BAD_REQUEST, "job %.*s has no input %s", STR_ARG(j->name), STR_SHOWN(name));
	return j->n_inputs ? keys_hint_nearest(e, name, names, j->n_inputs) : err_hint(e, "it has none at all");
}

static int add_input(struct arena *a, struct fixture *x, const struct fixture_input *in, struct err *e)
{
	for (size_t i = 0; i < x->n_inputs; i++)
		if (str_eq(x->inputs[i].input->repo, in->input->repo))
			return err_set(e, ERR_BAD_REQUEST, "what %.*s holds is given twice", STR_ARG(in->input->repo));
	if (x->n_inputs == FIXTURE_INPUTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d inputs", FIXTURE_INPUTS_MAX);
	if (!x->inputs)
		x->inputs = arena_array(a, struct fixture_input, FIXTURE_INPUTS_MAX);
	x->inputs[x->n_inputs++] = *in;
	return 0;
}

/* A folder below inputs/ is an input, or the first part of a repo's name. */
static int input_folders(struct arena *a, struct fixture *x, const char *below, struct err *e)
{
	const char *rel = *below ? arena_printf(a, "inputs/%s", below) : "inputs", *dir = path_join(a, x->dir, rel);
	struct dir_names names = {0};

	if (dir_list(a, dir, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *name = *below ? arena_printf(a, "%s/%s", below, names.p[i]) : names.p[i];
		struct fixture_input in = {.dir = path_join(a, dir, names.p[i])};
		bool part = false;

		if (names.p[i][0] == '.')
			continue;
		in.input = dir_exists(in.dir) ? find_input(a, x->job, str_of(name)) : NULL;
		for (size_t k = 0; k < x->job->n_inputs; k++)
			part |= str_has_prefix(x->job->inputs[k].repo, arena_strf(a, "%s/", name));
		if (!in.input && part && dir_exists(in.dir)) {
			if (input_folders(a, x, name, e))
				return -1;
			continue;
		}
		if (in.input ? add_input(a, x, &in, e) : no_input(a, x, str_of(name), e))
			return err_at(e, fixture_path(a, x, arena_printf(a, "inputs/%s", name)), 0, 0);
	}
	return 0;
}

static int read_inputs(struct arena *a, struct fixture *x, struct err *e)
{
	const struct dom *list = dom_get(x->doc, "inputs");

	if (dir_exists(path_join(a, x->dir, "inputs")) && input_folders(a, x, "", e))
		return -1;
	if (!list || list->type != DOM_MAP)
		return 0;
	dom_each (v, list) {
		struct fixture_input in = {.input = find_input(a, x->job, v->key), .rows = v};

		if (in.input ? add_input(a, x, &in, e) : no_input(a, x, v->key, e))
			return err_at(e, fixture_path(a, x, CASE_FILE), v->key_line, v->key_col);
	}
	return 0;
}

static int read_params(struct arena *a, struct fixture *x, struct err *e)
{
	const struct dom *v = dom_get(x->doc, "params");

	if (v && v->type == DOM_MAP)
		x->params = v;
	return plan_check_params(x->job, x->params, e) ? err_at(e, v ? fixture_path(a, x, CASE_FILE) : x->shown,
	                                                        v ? v->line : 0, v ? v->col : 0)
	                                               : 0;
}

/* --- what is expected --- */

static int twice(struct fixture *x, const char *other, struct err *e)
{
	err_set(e, ERR_BAD_REQUEST, "what is expected stands in two places, one is %s", other);
	return err_at(e, x->shown, 0, 0);
}

static int read_expected(struct arena *a, struct fixture *x, struct err *e)
{
	const struct dom *v = dom_get(x->doc, "expected"), *key = dom_get(x->doc, "key"),
	                 *tolerance = dom_get(x->doc, "tolerance"), *error = dom_get(x->doc, "error");
	const char *folder = path_join(a, x->dir, "expected");

	if (v && v->type == DOM_LIST) {
		x->expects = EXPECTS_ROWS;
		x->rows = v;
	}
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *path = arena_printf(a, "%s.%s", folder, forms[i]);

		if (!file_exists(path))
			continue;
		if (x->expects)
			return twice(x, path_base(a, path), e);
		x->expects = EXPECTS_TABLE;
		x->expected = path;
	}
	if (dir_exists(folder)) {
		if (x->expects)
			return twice(x, "the folder expected/", e);
		x->expects = EXPECTS_FILES;
		x->expected = folder;
	}
	if (error && x->expects)
		return twice(x, "error:", e);
	if (x->job->no_output && x->expects && !(x->expects == EXPECTS_ROWS && !x->rows->n)) {
		err_set(e, ERR_BAD_REQUEST, "the job has no output, so nothing can be expected to come out");
		err_hint(e, "say `error: TEXT`, or nothing: then it has to succeed");
		return err_at(e, x->shown, 0, 0);
	}
	x->error = error ? error->s : STR_NULL;
	if (key) {
		x->keys = arena_array(a, struct str, key->type == DOM_LIST ? key->n + 1 : 1);
		if (key->type == DOM_STR)
			x->keys[x->n_keys++] = key->s;
		else
			dom_each (k, key)
				x->keys[x->n_keys++] = k->s;
	}
	if (tolerance && !key) {
		err_set(e, ERR_BAD_REQUEST, "a tolerance needs a key: without it a row is the same or another one");
		return at_key(a, x, tolerance, e);
	}
	x->tolerance = !tolerance ? 0 : tolerance->type == DOM_INT ? (double)tolerance->i : tolerance->d;
	return 0;
}

/* --- all of a job --- */

static int found(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct reading *r = ptr;
	struct fixture x = {.job = r->job, .name = arena_strf(r->a, "%s", d->name), .broken = ERR_INIT};

	if (d->type == DIR_FILE)
		return 0;
	if (r->list.n == FIXTURES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d tests of one job", FIXTURES_MAX);
	x.dir = path_join(r->a, r->root, d->name);
	x.shown = path_join(r->a, r->shown, d->name);
	if (read_doc(r->a, &x, &x.broken) || read_ds(r->a, &x, &x.broken) || read_inputs(r->a, &x, &x.broken) ||
	    read_params(r->a, &x, &x.broken) || read_expected(r->a, &x, &x.broken))
		BUG_IF(!x.broken.code);
	vec_push(r->a, &r->list, x);
	return 0;
}

int fixture_list(struct workspace *ws, struct arena *a, struct job *j, struct fixture **out, size_t *n, struct err *e)
{
	struct reading r = {.ws = ws, .a = a, .job = j};
	const char *const places[] = {j->single ? NULL : arena_printf(a, "%.*s/tests", STR_ARG(j->dir)),
	                              arena_printf(a, "tests/%.*s", STR_ARG(j->name))};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!places[i])
			continue;
		r.shown = places[i];
		r.root = path_join(a, ws->dir, places[i]);
		if (dir_walk(r.root, DIR_NO_STAT | DIR_SKIP_DOT | DIR_FLAT | DIR_GONE_OK, found, &r, e))
			return -1;
	}
	*out = r.list.p;
	*n = r.list.n;
	return 0;
}
