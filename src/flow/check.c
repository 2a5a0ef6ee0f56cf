#include "flow/check.h"

#include <ctype.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"

#define CHECK_MAX_SQL ((size_t)1 << 20)
#define CHECK_MAX_DEPTH 100
#define VALUES_SHOWN 5

/* --- tokens, as far as rules need them --- */

enum tok { TOK_END, TOK_WORD, TOK_OPEN, TOK_CLOSE, TOK_COMMA, TOK_COMPARE, TOK_SEMICOLON, TOK_QUOTED, TOK_OTHER };

struct token {
	enum tok kind;
	size_t at, n;
};

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* 0 at an open quote. */
static size_t quoted(struct str s, size_t i)
{
	char q = s.p[i];

	for (size_t k = i + 1; k < s.n; k++) {
		if (s.p[k] != q)
			continue;
		if (k + 1 < s.n && s.p[k + 1] == q)
			k++;
		else
			return k + 1 - i;
	}
	return 0;
}

static bool token_at(struct str s, size_t i, struct token *t)
{
	char c;

	while (i < s.n && isspace((unsigned char)s.p[i]))
		i++;
	*t = (struct token){.at = i};
	if (i >= s.n)
		return true;
	c = s.p[i];
	t->n = 1;
	t->kind = TOK_OTHER;
	if (c == '\'' || c == '"') {
		t->kind = TOK_QUOTED;
		t->n = quoted(s, i);
		return t->n > 0;
	}
	if (word_char(c)) {
		t->kind = TOK_WORD;
		while (i + t->n < s.n &&
		       (word_char(s.p[i + t->n]) || (s.p[i + t->n] == '.' && isdigit((unsigned char)c))))
			t->n++;
	} else if (c == '(' || c == '[') {
		t->kind = TOK_OPEN;
	} else if (c == ')' || c == ']') {
		t->kind = TOK_CLOSE;
	} else if (c == ',') {
		t->kind = TOK_COMMA;
	} else if (c == ';') {
		t->kind = TOK_SEMICOLON;
	} else if (strchr("<>=!", c)) {
		t->kind = TOK_COMPARE;
		/* => and -> are no comparisons */
		while (i + t->n < s.n && strchr("<>=!", s.p[i + t->n]))
			t->n++;
		if (t->n == 2 && c == '=' && s.p[i + 1] == '>')
			t->kind = TOK_OTHER;
	} else if (c == '-' && i + 1 < s.n && s.p[i + 1] == '>') {
		t->n = i + 2 < s.n && s.p[i + 2] == '>' ? 3 : 2;
	}
	return true;
}

static bool word_is(struct str s, const struct token *t, const char *w)
{
	return t->kind == TOK_WORD && t->n == strlen(w) && !strncasecmp(s.p + t->at, w, t->n);
}

struct rule {
	struct arena *a;
	const struct job *j;
	const struct job_check *k;
	struct str text;
};

static int wrong(const struct rule *r, struct err *e, const char *what)
{
	err_set(e, ERR_BAD_CONFIG, "the check '%.*s': %s", STR_ARG(r->text), what);
	job_at(e, r->j, r->k->line, r->k->col);
	return err_hint(
		e, "a check is like: row_count > 0, missing_count(a) = 0, duplicate_count(a, b) = 0, max(a) < 100, "
		   "values(a) in ('x', 'y'), or any SQL over aggregates that is true or false");
}

/* Whether brackets and quotes match and it is one expression; *split = its only comparison outside brackets, if there
 * is one. */
static int survey(const struct rule *r, struct token *split, struct err *e)
{
	struct token t;
	size_t depth = 0, comparisons = 0;

	*split = (struct token){0};
	for (size_t i = 0;; i = t.at + t.n) {
		if (!token_at(r->text, i, &t))
			return wrong(r, e, "a quote is not closed");
		if (t.kind == TOK_END)
			break;
		if (t.kind == TOK_SEMICOLON)
			return wrong(r, e, "one expression, without ';'");
		if (t.kind == TOK_OPEN && ++depth > CHECK_MAX_DEPTH)
			return wrong(r, e, "brackets are nested too deep");
		if (t.kind == TOK_CLOSE && !depth--)
			return wrong(r, e, "a bracket closes that was not opened");
		if (t.kind == TOK_OTHER && r->text.p[t.at] == '-' && t.at + 1 < r->text.n && r->text.p[t.at + 1] == '-')
			return wrong(r, e, "a comment cannot stand in it");
		if (!depth && t.kind == TOK_COMPARE && !comparisons++)
			*split = t;
		/* a and b is no comparison of one value */
		if (!depth &&
		    (word_is(r->text, &t, "and") || word_is(r->text, &t, "or") || word_is(r->text, &t, "not") ||
		     word_is(r->text, &t, "between") || word_is(r->text, &t, "is") || word_is(r->text, &t, "case")))
			comparisons = 2;
	}
	if (depth)
		return wrong(r, e, "a bracket is not closed");
	if (comparisons != 1)
		*split = (struct token){0};
	return 0;
}

/* The arguments of a call whose bracket opens at `open`: text between the brackets, each argument, and where it ends.
 */
struct call {
	VEC(struct str) args;
	size_t end;
};

static int call_args(const struct rule *r, size_t open, struct call *out, struct err *e)
{
	struct token t;
	size_t depth = 0, from = open + 1;

	*out = (struct call){0};
	for (size_t i = open;; i = t.at + t.n) {
		struct str arg;

		if (!token_at(r->text, i, &t) || t.kind == TOK_END)
			return wrong(r, e, "a bracket is not closed");
		depth += t.kind == TOK_OPEN;
		depth -= t.kind == TOK_CLOSE;
		if (!(t.kind == TOK_COMMA && depth == 1) && depth)
			continue;
		arg = str_trim(str_sub(r->text, from, t.at - from));
		if (!arg.n)
			return wrong(r, e, "a column is missing in the brackets");
		vec_push(r->a, &out->args, arg);
		from = t.at + 1;
		if (!depth) {
			out->end = t.at + 1;
			return 0;
		}
	}
}

static void add_missing(struct buf *b, const struct call *c)
{
	buf_adds(b, "count(*) filter (where ");
	for (size_t i = 0; i < c->args.n; i++)
		buf_addf(b, "%s(%.*s) is null", i ? " or " : "", STR_ARG(c->args.p[i]));
	buf_adds(b, ")");
}

static void add_duplicates(struct buf *b, const struct call *c)
{
	struct buf there = BUF_INIT(CHECK_MAX_SQL);

	for (size_t i = 0; i < c->args.n; i++)
		buf_addf(&there, "%s(%.*s) is not null", i ? " and " : "", STR_ARG(c->args.p[i]));
	buf_addf(b, "(count(*) filter (where %s) - count(distinct row(", there.p);
	for (size_t i = 0; i < c->args.n; i++)
		buf_addf(b, "%s%.*s", i ? ", " : "", STR_ARG(c->args.p[i]));
	buf_addf(b, ")) filter (where %s))", there.p);
	buf_free(&there);
}

/* A piece of the rule with our own words replaced by SQL. */
static int translate(const struct rule *r, size_t from, size_t to, struct buf *b, struct err *e)
{
	struct token t, next;

	for (size_t i = from; i < to; i = t.at + t.n) {
		struct call c;
		bool called;

		if (!token_at(r->text, i, &t) || t.kind == TOK_END || t.at >= to)
			break;
		buf_add(b, r->text.p + i, t.at - i);
		called = token_at(r->text, t.at + t.n, &next) && next.kind == TOK_OPEN;
		if (word_is(r->text, &t, "row_count")) {
			buf_adds(b, called ? "count" : "count(*)");
			if (called) { /* row_count() */
				struct token close;

				if (!token_at(r->text, next.at + 1, &close) || close.kind != TOK_CLOSE)
					return wrong(r, e, "row_count takes nothing");
				buf_adds(b, "(*)");
				t.n = close.at + close.n - t.at;
			}
		} else if (called &&
		           (word_is(r->text, &t, "missing_count") || word_is(r->text, &t, "duplicate_count"))) {
			if (call_args(r, next.at, &c, e))
				return -1;
			if (word_is(r->text, &t, "missing_count"))
				add_missing(b, &c);
			else
				add_duplicates(b, &c);
			t.n = c.end - t.at;
		} else {
			buf_add(b, r->text.p + t.at, t.n);
		}
	}
	return 0;
}

/* values(c) in (...): 1 = it is that, 0, -1 */
static int compile_values(const struct rule *r, struct check_sql *out, struct err *e)
{
	struct token t, open, in, list;
	struct call c, allowed;
	struct buf b = BUF_INIT(CHECK_MAX_SQL);

	if (!token_at(r->text, 0, &t) || !word_is(r->text, &t, "values") || !token_at(r->text, t.at + t.n, &open) ||
	    open.kind != TOK_OPEN)
		return 0;
	if (call_args(r, open.at, &c, e))
		return -1;
	if (c.args.n != 1 || !token_at(r->text, c.end, &in) || !word_is(r->text, &in, "in") ||
	    !token_at(r->text, in.at + in.n, &list) || list.kind != TOK_OPEN)
		return wrong(r, e, "it is written: values(column) in ('a', 'b')");
	if (call_args(r, list.at, &allowed, e))
		return -1;
	if (str_trim(str_sub(r->text, allowed.end, r->text.n)).n)
		return wrong(r, e, "nothing may follow the list of values");
	buf_addf(&b, "(%.*s) is not null and (%.*s) not in %.*s", STR_ARG(c.args.p[0]), STR_ARG(c.args.p[0]),
	         (int)(allowed.end - list.at), r->text.p + list.at);
	out->ok = arena_strf(r->a, "count(*) filter (where %s) = 0", b.p);
	out->actual = arena_strf(
		r->a,
		"array_to_string(list_slice(list_sort(list(distinct (%.*s)::varchar) filter (where %s)), 1, %d), ', ')",
		STR_ARG(c.args.p[0]), b.p, VALUES_SHOWN);
	out->what = arena_strf(r->a, "values(%.*s)", STR_ARG(c.args.p[0]));
	buf_free(&b);
	return 1;
}

int check_compile(struct arena *a, const struct job *j, const struct job_check *k, struct check_sql *out, struct err *e)
{
	struct rule r = {.a = a, .j = j, .k = k, .text = str_trim(k->text)};
	struct buf left = BUF_INIT(CHECK_MAX_SQL), all = BUF_INIT(CHECK_MAX_SQL);
	struct check_sql c = {0};
	struct token split;
	int rc;

	if (!r.text.n || r.text.n > CHECK_MAX_TEXT)
		return wrong(&r, e, r.text.n ? "it is too long" : "it is empty");
	if (survey(&r, &split, e))
		return -1;
	rc = compile_values(&r, &c, e);
	if (rc) {
		if (rc > 0)
			*out = c;
		return rc < 0 ? -1 : 0;
	}
	rc = translate(&r, 0, r.text.n, &all, e);
	if (!rc && split.n) {
		rc = translate(&r, 0, split.at, &left, e);
		c.what = arena_str(a, str_trim(str_sub(r.text, 0, split.at)));
		c.actual = arena_str(a, buf_str(&left));
	}
	c.ok = arena_str(a, buf_str(&all));
	if (!rc)
		*out = c;
	buf_free(&left);
	buf_free(&all);
	return rc;
}

int check_set_make(struct arena *a, const struct job *j, const struct job_check **rules, size_t n, struct str from_sql,
                   struct check_set *out, struct err *e)
{
	struct check_set s = {.job = j, .rules = rules, .n = n};
	struct buf b = BUF_INIT(SIZE_MAX);

	if (n > CHECK_MAX_RULES)
		return err_set(e, ERR_LIMIT, "%.*s has %zu checks, more than %d", STR_ARG(j->name), n, CHECK_MAX_RULES);
	s.sql = arena_array(a, struct check_sql, n);
	s.start = arena_array(a, size_t, n + 1);
	for (size_t i = 0; i < n; i++)
		if (check_compile(a, j, rules[i], &s.sql[i], e))
			return -1;
	buf_adds(&b, "select ");
	for (size_t i = 0; i < n; i++) {
		s.start[i] = b.n;
		buf_addf(&b, "%s(%.*s), ", i ? ", " : "", STR_ARG(s.sql[i].ok));
		if (s.sql[i].actual.n)
			buf_addf(&b, "(%.*s)::varchar", STR_ARG(s.sql[i].actual));
		else
			buf_adds(&b, "''");
	}
	s.start[n] = b.n;
	buf_addf(&b, " from (%.*s)", STR_ARG(from_sql));
	s.text = arena_str(a, buf_str(&b));
	buf_free(&b);
	*out = s;
	return 0;
}

int check_set_read(struct arena *a, const struct check_set *s, const struct duck_rows *rows, struct check_result *out,
                   struct err *e)
{
	if (rows->n_rows != 1 || rows->n_cols != 2 * s->n)
		return err_set(e, ERR_BAD_DATA, "a check must give one value for the whole table, not %zu",
		               rows->n_rows);
	for (size_t i = 0; i < s->n; i++) {
		struct str ok = rows->at[2 * i], actual = rows->at[2 * i + 1], what = s->sql[i].what;
		struct check_result r = {.rule = s->rules[i], .passed = str_is(ok, "true")};

		if (!ok.p)
			r.detail = what.n ? arena_strf(a, "%.*s has no value", STR_ARG(what)) : STR("it has no value");
		else if (!what.n)
			r.detail =
				r.passed ? STR("true")
				: str_is(ok, "false")
					? STR("it is false")
					: arena_strf(
						  a,
						  "it is %.*s, neither true nor false: compare it, as in row_count > 0",
						  STR_ARG(ok));
		else if (str_has_prefix(what, STR("values(")))
			r.detail = r.passed ? arena_strf(a, "%.*s are all in the list", STR_ARG(what))
			                    : arena_strf(a, "%.*s has %.*s", STR_ARG(what), STR_ARG(actual));
		else
			r.detail = arena_strf(a, "%.*s is %.*s", STR_ARG(what), STR_ARG(actual));
		out[i] = r;
	}
	return 0;
}

int check_set_failed(const struct check_set *s, int64_t offset, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (offset >= (int64_t)s->start[i] && offset < (int64_t)s->start[i + 1]) {
			err_wrap(e, "the check '%.*s'", STR_ARG(s->rules[i]->text));
			return job_at(e, s->job, s->rules[i]->line, s->rules[i]->col);
		}
	if (s->n == 1)
		err_wrap(e, "the check '%.*s'", STR_ARG(s->rules[0]->text));
	else
		err_wrap(e, "the checks of %.*s", STR_ARG(s->job->name));
	return s->n ? job_at(e, s->job, s->rules[0]->line, s->rules[0]->col) : -1;
}

int check_result_find(struct db *d, struct arena *a, const struct sha *key, bool *passed, struct str *detail,
                      struct err *e)
{
	struct q *q;
	int r;

	if (!db_has_set(d, DB_SET_RUNS))
		return 0;
	q = db_query(d, "select passed, detail from check_result where key = ?");
	q_sha(q, 1, key);
	r = q_step(q, e);
	if (r == 1) {
		*passed = q_col_int(q, 0);
		if (detail)
			*detail = q_col_is_null(q, 1) ? STR_NULL : arena_str(a, q_col_text(q, 1));
	}
	q_done(q);
	return r;
}
