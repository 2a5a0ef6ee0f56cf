#include "db/duck_shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/str.h"
#include "db/sql.h"
#include "db/sql_token.h"

#define MAX_TYPE ((size_t)1 << 20)
#define WIDE_DIGITS 19 /* a number of so many may be larger than a BIGINT */

/*
 * Whether the result may have a column `ds`, by the tokens: only if ds is named, or there is a star or a form that
 * stands for one. Saves the second binding of a statement that cannot.
 */
static bool may_have_ds(struct str sql)
{
	static const char *const forms[] = {"ds",      "unnest",   "columns", "table",     "pivot",
					    "unpivot", "describe", "show",    "summarize", "values"};
	struct sql_token t, before = {0}, before_2 = {0};
	unsigned selects[64] = {0}, depth = 0;

	for (size_t at = 0;;) {
		sql_token(sql, &at, false, &t);
		if (t.kind == SQL_TOK_END)
			return false;
		if (t.kind == SQL_TOK_QUOTED && t.text.n == 4 && !strncasecmp(t.text.p, "\"ds\"", 4))
			return true;
		for (size_t i = 0; i < ARRAY_LEN(forms); i++)
			if (sql_token_is(&t, forms[i]))
				return true;
		/* count(*) is no star */
		if (sql_token_is(&t, "*") && !(sql_token_is(&before, "(") && sql_token_is(&before_2, "count")))
			return true;
		if (sql_token_is(&t, "(")) {
			if (++depth == ARRAY_LEN(selects))
				return true;
			selects[depth] = 0;
		} else if (sql_token_is(&t, ")")) {
			depth -= depth > 0;
		} else if (sql_token_is(&t, "select")) {
			selects[depth]++;
		} else if (sql_token_is(&t, "from") && !selects[depth]--) {
			return true; /* FROM x is SELECT * FROM x */
		}
		before_2 = before;
		before = t;
	}
}

static bool has_word(struct str s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++)
		if (!strncasecmp(s.p + i, word, n))
			return true;
	return false;
}

/* Whether a HUGEINT may come of it: no file holds one, so a function, a type or a number of the text makes it. */
static bool may_have_huge(struct str sql)
{
	static const char *const makers[] = {"sum",       "hugeint", "int128",     "count_if",
					     "countif",   "aggr",    "md5_number", "factorial"};
	size_t digits = 0;

	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		if (has_word(sql, makers[i]))
			return true;
	for (size_t i = 0; i < sql.n; i++) {
		digits = isdigit((unsigned char)sql.p[i]) ? digits + 1 : sql.p[i] == '_' ? digits : 0;
		if (digits >= WIDE_DIGITS)
			return true;
		if (sql.p[i] == '!' && (i + 1 == sql.n || sql.p[i + 1] != '='))
			return true; /* 30! */
	}
	return false;
}

bool shape_matters(const struct work *k, bool ds)
{
	struct str sql = dom_get(k->request, "sql")->s;

	if ((ds && may_have_ds(sql)) || may_have_huge(sql))
		return true;
	dom_each(v, dom_get(k->request, "views"))
		if (has_word(v->last->s, "hugeint")) /* a CSV file read as such */
			return true;
	return false;
}

/* The type with its wide integers as decimals; NULL where it has none. */
static const char *cast_of(struct arena *a, duck_type t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_TYPE), out cleanup(buf_free) = BUF_INIT(MAX_TYPE);
	struct sql_token tok;
	bool found = false;
	struct str type;
	size_t done = 0;

	duck_type_text(&b, t);
	type = buf_str(&b);
	for (size_t at = 0; sql_token(type, &at, false, &tok), tok.kind != SQL_TOK_END; done = tok.end) {
		buf_addstr(&out, str_sub(type, done, tok.start - done));
		/* Names in lower case may stand bare, types are in capitals. */
		if (str_is(tok.text, "HUGEINT") || str_is(tok.text, "UHUGEINT")) {
			buf_adds(&out, "DECIMAL(38,0)");
			found = true;
		} else {
			buf_addstr(&out, str_sub(type, tok.start, tok.end - tok.start));
		}
	}
	return found && !buf_over(&out) ? arena_cstr(a, buf_str(&out)) : NULL;
}

int shape_read(struct work *k, struct str stmt, bool ds, struct shape *out, struct err *e)
{
	struct shape s = {0};
	duck_prepared p;

	if (work_prepare(k, arena_cstr(k->a, stmt), &p, e))
		return -1;
	s.n = s.ds = (size_t)duckdb.prepared_statement_column_count(p);
	s.names = arena_array(k->a, const char *, s.n);
	s.casts = arena_array(k->a, const char *, s.n);
	for (size_t i = 0; i < s.n; i++) {
		const char *name = duckdb.prepared_statement_column_name(p, i);
		duck_type t = duckdb.prepared_statement_column_logical_type(p, i);

		s.names[i] = arena_dup(k->a, name);
		s.casts[i] = cast_of(k->a, t);
		if (ds && s.ds == s.n && !strcasecmp(name, "ds"))
			s.ds = i;
		s.differs |= s.ds == i || s.casts[i];
		duckdb.destroy_logical_type(&t);
		duckdb.free((void *)(uintptr_t)name);
	}
	duckdb.destroy_prepare(&p);
	if (s.ds < s.n && s.n == 1) {
		err_set(e, ERR_FAILED, "the result has no column but ds");
		return err_hint(e, "ds is the folder's name and not a column of the file; select something more");
	}
	*out = s;
	return 0;
}

/*
 * The check of ds stands in a projection above the user's query, in another column's expression: a filter would be
 * pushed down and see rows that are not part of the result.
 */
static void add_checked(struct buf *b, const struct shape *s, size_t at, const char *label)
{
	buf_addf(b,
		 "case when leat_%zu::varchar is distinct from %s then error('the result has a row with ds ' || "
		 "coalesce(leat_%zu::varchar, 'null') || ', the unit is of ' || %s) else leat_%zu end",
		 s->ds, label, s->ds, label, at);
}

void shape_add(struct buf *before, struct buf *after, const struct shape *s, const char *label)
{
	bool first = true;

	buf_adds(before, "select ");
	buf_adds(after, ") leat_rows(");
	for (size_t i = 0; i < s->n; i++) {
		buf_addf(after, "%sleat_%zu", i ? ", " : "", i);
		if (i == s->ds)
			continue;
		buf_adds(before, first ? "" : ", ");
		if (s->casts[i])
			buf_adds(before, "cast(");
		if (first && s->ds < s->n)
			add_checked(before, s, i, label);
		else
			buf_addf(before, "leat_%zu", i);
		if (s->casts[i])
			buf_addf(before, " as %s)", s->casts[i]);
		buf_adds(before, " as ");
		sql_add_ident(before, str_of(s->names[i]));
		first = false;
	}
	buf_adds(before, " from (\n");
	buf_adds(after, ")");
}
