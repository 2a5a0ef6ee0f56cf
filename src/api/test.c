/* `leat test`: the tests beside jobs, one after the other. */
#include <math.h>
#include <signal.h>

#include "api/proof.h"
#include "api/rows.h"
#include "base/str.h"
#include "sys/clock.h"
#include "sys/file.h"

#define JUNIT_MAX ((size_t)64 << 20)

struct testing {
	struct api *api;
	struct sink *out;
	struct proofs p;
	bool update;
	size_t passed, failed, errors, updated;
	struct buf junit; /* the cases; nothing where none is wanted */
	bool wants_junit;
};

/* --- JUnit --- */

static void add_xml(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '<' || c == '>' || c == '&' || c == '"')
			buf_addf(b, "&#%d;", c);
		else
			buf_addc(b, c < ' ' && c != '\n' && c != '\t' ? '?' : (char)c);
	}
}

static void junit_case(struct testing *t, const struct fixture *x, const struct dom *row, double seconds)
{
	struct str state = dom_get(row, "state")->s;
	const struct dom *text = dom_get(row, "text");
	struct buf *b = &t->junit, all cleanup(buf_free) = BUF_INIT(JUNIT_MAX);
	bool bad = str_is(state, "failed") || str_is(state, "error");

	if (!t->wants_junit)
		return;
	buf_adds(b, "  <testcase classname=\"");
	add_xml(b, x->job->name);
	buf_adds(b, "\" name=\"");
	add_xml(b, x->name);
	buf_addf(b, "\" file=\"");
	add_xml(b, str_of(x->shown));
	buf_addf(b, "\" time=\"%.3f\"%s", seconds, bad ? ">\n" : "/>\n");
	if (!bad)
		return;
	dom_write_json(&all, row, DOM_PRETTY);
	buf_addf(b, "    <%s message=\"", str_is(state, "failed") ? "failure" : "error");
	add_xml(b, text ? text->s : STR(""));
	buf_adds(b, "\">");
	add_xml(b, buf_str(&all));
	buf_addf(b, "</%s>\n  </testcase>\n", str_is(state, "failed") ? "failure" : "error");
}

static int junit_end(struct testing *t, const char *path, double seconds, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(JUNIT_MAX + 1024);

	buf_adds(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_addf(&b, "<testsuite name=\"leat\" tests=\"%zu\" failures=\"%zu\" "
	             "errors=\"%zu\" time=\"%.3f\">\n",
	         t->passed + t->failed + t->errors + t->updated, t->failed, t->errors, seconds);
	buf_addstr(&b, buf_str(&t->junit));
	buf_adds(&b, "</testsuite>\n");
	if (buf_over(&b) || buf_over(&t->junit))
		return err_set(e, ERR_LIMIT, "%s would be larger than %zu MiB", path, JUNIT_MAX >> 20);
	return file_replace(path, buf_str(&b), 0666, 0, e);
}

/* --- one test --- */

static void say(struct arena *a, struct dom *row, const char *state, const char *text)
{
	dom_set_cstr(a, row, "state", state);
	if (text)
		dom_set_cstr(a, row, "text", text);
}

/* It failed: that is what is expected, or not. */
static void judge_failure(struct testing *t, struct arena *a, const struct proof *o, struct dom *row)
{
	const struct fixture *x = o->x;
	struct str said = str_of(err_text(a, &o->failed)), hint = str_of(o->failed.hint);
	bool bad = err_exit_status(o->failed.code) == 2;

	if (x->error.p && (memmem(said.p, said.n, x->error.p, x->error.n) ||
	                   memmem(hint.p, hint.n, x->error.p, x->error.n) ||
	                   memmem(o->log.p, o->log.n, x->error.p, x->error.n))) {
		say(a, row, "passed", NULL);
		t->passed++;
		return;
	}
	say(a, row, bad ? "error" : "failed",
	    x->error.p ? arena_printf(a, "it failed, and did not say %s: %.*s", STR_SHOWN(x->error), STR_ARG(said))
	               : said.p);
	row_err(a, row, &o->failed);
	if (o->log.n)
		dom_set_str(a, row, "log", o->log);
	t->errors += bad;
	t->failed += !bad;
}

static const char *count(struct arena *a, const struct proof *o, const struct proof_diff *d)
{
	int64_t n = d->added + d->removed + d->changed;
	const char *what = o->x->expects == EXPECTS_FILES ? "file" : "row";
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);

	if (n)
		buf_addf(&b, "%lld %s%s", (long long)n, what, n == 1 ? " differs" : "s differ");
	if (d->columns)
		buf_adds(&b, b.n ? ", and nobody expects the column " : "nobody expects the column ");
	dom_each (v, d->columns)
		buf_addf(&b, "%s%.*s", v == d->columns->first ? "" : ", ", STR_ARG(v->s));
	return arena_cstr(a, buf_str(&b));
}

static int judge(struct testing *t, struct arena *a, const struct proof *o, struct dom *row, struct err *e)
{
	struct proof_diff d;
	struct dom *rows;
	const char *shown;

	if (o->failed.code) {
		judge_failure(t, a, o, row);
		return 0;
	}
	if (o->x->error.p) {
		say(a, row, "failed",
		    arena_printf(a, "it succeeded, and should have said %s", STR_SHOWN(o->x->error)));
		t->failed++;
		return 0;
	}
	if (o->x->job->no_output) { /* that it succeeds is all that can be expected (fixture.c) */
		say(a, row, "passed", NULL);
		t->passed++;
		return 0;
	}
	if (o->x->expects == EXPECTS_NONE && !t->update) {
		err_set(e, ERR_BAD_REQUEST, "the test does not say what is expected");
		err_hint(e, "leat test %.*s --update writes what comes out", STR_ARG(o->x->job->name));
		return err_at(e, o->x->shown, 0, 0);
	}
	if (o->x->expects == EXPECTS_NONE || proof_compare(&t->p, a, o, &d, e)) {
		if (!t->update || (e->code && o->x->expects == EXPECTS_FILES))
			return -1;
		err_clear(e); /* a column more or less: what is expected is written anew */
		d.same = false;
	}
	if (d.same) {
		say(a, row, "passed", NULL);
		t->passed++;
		return 0;
	}
	if (t->update) {
		if (proof_update(&t->p, a, o, &shown, e))
			return -1;
		say(a, row, "updated", NULL);
		dom_set_cstr(a, row, "written", shown);
		t->updated++;
		return 0;
	}
	say(a, row, "failed", count(a, o, &d));
	rows = dom_new(a, DOM_MAP);
	dom_set_int(a, rows, "added", d.added);
	dom_set_int(a, rows, "removed", d.removed);
	dom_set_int(a, rows, "changed", d.changed);
	dom_set(a, row, o->x->expects == EXPECTS_FILES ? "files" : "rows", rows);
	dom_set(a, row, "differences", (struct dom *)d.rows);
	if (d.columns)
		dom_set(a, row, "columns", (struct dom *)d.columns);
	t->failed++;
	return 0;
}

/* A test that has run: what came of it may still be on its way here. */
struct trial {
	struct arena *a; /* NULL: there is none */
	const struct fixture *x;
	struct dom *row;
	struct proof o;
	struct err why;
	double seconds;
};

static double since(int64_t began)
{
	return (double)(clock_mono_ms() - began) / 1e3;
}

static void carry_out(struct testing *t, const struct fixture *x, struct trial *out)
{
	struct arena *a = arena_new();

	*out = (struct trial){.a = a, .x = x, .row = dom_new(a, DOM_MAP), .why = x->broken};
	dom_set_str(a, out->row, "job", x->job->name);
	dom_set_str(a, out->row, "test", x->name);
	dom_set_cstr(a, out->row, "path", x->shown);
	if (x->ds.every != EVERY_NONE)
		dom_set_cstr(a, out->row, "ds", x->ds.label);
	if (!out->why.code && proof_run(&t->p, a, x, &out->o, &out->why))
		BUG_IF(!out->why.code);
}

/* Its verdict; the trial is used up. */
static int conclude(struct testing *t, struct trial *tr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = tr->a;
	int64_t began = clock_mono_ms();

	tr->a = NULL;
	if (!a)
		return 0;
	if (tr->why.code || judge(t, a, &tr->o, tr->row, &tr->why)) {
		if (tr->why.code == ERR_CANCELLED || tr->why.code == ERR_DISK_FULL) {
			*e = tr->why;
			return -1;
		}
		say(a, tr->row, "error", tr->why.msg);
		row_err(a, tr->row, &tr->why);
		t->errors++;
	}
	tr->seconds += since(began);
	dom_set_real(a, tr->row, "seconds", tr->seconds);
	junit_case(t, tr->x, tr->row, tr->seconds);
	return sink_row(t->out, tr->row, e);
}

/*
 * Runs it, then tells of the one before, whose rows were read meanwhile. --update writes files that another test may
 * read, and files are compared in the store as the test left it: those are told of at once.
 */
static int one(struct testing *t, const struct fixture *x, struct trial *before, struct err *e)
{
	int64_t began = clock_mono_ms();
	struct trial now;
	bool rows = x->expects == EXPECTS_TABLE || x->expects == EXPECTS_ROWS;
	int rc;

	carry_out(t, x, &now);
	now.seconds = since(began);
	if (conclude(t, before, e)) {
		arena_free(now.a);
		return -1;
	}
	*before = now;
	if (!t->update && rows && !now.why.code && !now.o.failed.code) {
		rc = proof_look(&t->p, now.a, &before->o, &before->why);
		BUG_IF(rc && !before->why.code);
		return 0;
	}
	return conclude(t, before, e);
}

/* --- all --- */

static bool wanted(const struct args *args, const struct fixture *x)
{
	struct str job, name;

	for (size_t i = 0; i < args_n(args); i++) {
		struct str word = args_pos(args, i);

		if (str_eq(word, x->job->name) ||
		    (str_cut(word, '/', &job, &name) && str_eq(job, x->job->name) && str_eq(name, x->name)))
			return true;
	}
	return !args_n(args);
}

static int no_case(struct arena *a, const struct fixture *list, size_t n, const struct job *j, struct str name,
                   struct err *e)
{
	struct str *names = arena_array(a, struct str, n + 1);

	for (size_t i = 0; i < n; i++)
		names[i] = list[i].name;
	err_set(e, ERR_BAD_REQUEST, "job %.*s has no test %s", STR_ARG(j->name), STR_SHOWN(name));
	return n ? keys_hint_nearest(e, name, names, n) : -1;
}

struct case_list {
	VEC(struct fixture) v;
};

/* What the words name, each once, in the order of jobs; a name that is none is refused before anything runs. */
static int collect(struct testing *t, const struct args *args, struct case_list *out, struct err *e)
{
	struct jobs *js = t->p.flow->jobs;
	struct arena *a = t->api->arena;
	struct fixture *list;
	struct job *j;
	size_t n;

	for (size_t i = 0; i < args_n(args); i++) {
		struct str word = args_pos(args, i), name = STR_NULL, job = word;
		bool there = false;

		if (jobs_get(js, word) || !str_cut(word, '/', &job, &name))
			name = STR_NULL;
		if (jobs_find(js, job, &j, e) || (name.p && fixture_list(t->p.ws, a, j, &list, &n, e)))
			return -1;
		for (size_t k = 0; name.p && k < n; k++)
			there |= str_eq(list[k].name, name);
		if (name.p && !there)
			return no_case(a, list, n, j, name, e);
	}
	for (size_t i = 0; i < js->n; i++) {
		if (fixture_list(t->p.ws, a, js->all[i], &list, &n, e))
			return -1;
		for (size_t k = 0; k < n; k++) {
			if (!wanted(args, &list[k]))
				continue;
			if (job_stays(js->all[i]) && !list[k].broken.code)
				err_set(&list[k].broken, ERR_BAD_REQUEST, "%.*s is a %.*s, which has no units to test",
				        STR_ARG(js->all[i]->name), STR_ARG(js->all[i]->kind_name));
			vec_push(a, &out->v, list[k]);
		}
	}
	if (out->v.n)
		return 0;
	if (args_n(args) == 1)
		err_set(e, ERR_BAD_REQUEST, "job %.*s has no tests", STR_ARG(args_pos(args, 0)));
	else
		err_set(e, ERR_BAD_REQUEST, args_n(args) ? "none of these jobs has a test" : "no job here has a test");
	return err_hint(e, "make jobs/NAME/tests/CASE/inputs/INPUT/FILE; then leat test NAME --update writes "
	                   "expected.csv, which you check");
}

static int summary(struct testing *t, double seconds, struct err *e)
{
	struct dom *row = dom_new(t->api->arena, DOM_MAP);

	dom_set_int(t->api->arena, row, "passed", (int64_t)t->passed);
	dom_set_int(t->api->arena, row, "failed", (int64_t)t->failed);
	dom_set_int(t->api->arena, row, "errors", (int64_t)t->errors);
	dom_set_int(t->api->arena, row, "updated", (int64_t)t->updated);
	dom_set_real(t->api->arena, row, "seconds", seconds);
	return sink_row(t->out, row, e);
}

static int all(struct testing *t, const struct args *args, struct err *e)
{
	struct jobs *js = t->p.flow->jobs;
	struct str junit = args_value(args, "junit");
	int64_t began = clock_mono_ms();
	struct trial trial = {0};
	struct case_list list = {0};
	double seconds;
	int rc = 0;

	for (size_t i = 0; !args_n(args) && i < js->n_errors; i++) {
		sink_note(t->out, "%s", err_text(t->api->arena, js->errors[i]));
		t->errors++;
	}
	if (collect(t, args, &list, e))
		return -1;
	for (size_t i = 0; !rc && i < list.v.n; i++) {
		if (t->out->progress)
			t->out->progress(t->out->ptr, "testing", (double)i / (double)list.v.n);
		rc = loop_stop_asked() ? err_set(e, ERR_CANCELLED, "stopped after %zu of %zu tests", i, list.v.n)
		                       : one(t, &list.v.p[i], &trial, e);
	}
	if (!rc)
		rc = conclude(t, &trial, e);
	arena_free(trial.a);
	if (rc)
		return -1;
	if (t->out->progress)
		t->out->progress(t->out->ptr, NULL, 0);
	seconds = since(began);
	t->api->exit_status = t->errors ? 2 : t->failed ? 1 : 0;
	if (summary(t, seconds, e))
		return -1;
	return junit.p ? junit_end(t, arena_cstr(t->api->arena, junit), seconds, e) : 0;
}

int api_test(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct testing t = {.api = api, .out = out, .update = args_flag(args, "update"),
	                    .wants_junit = args_count(args, "junit"), .junit = BUF_INIT(JUNIT_MAX)};
	sigset_t stop, before;
	char *dir;
	int rc;

	if (workspace_find(api->dir, api->arena, &dir, e) || (!api->ws && workspace_open(dir, &api->ws, e)))
		return -1;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before); /* what the tests lie in is taken away first */
	rc = proofs_begin(&t.p, api->ws, api->arena, api->kinds, e);
	if (!rc) {
		rc = all(&t, args, e);
		proofs_end(&t.p);
	}
	buf_free(&t.junit);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}
