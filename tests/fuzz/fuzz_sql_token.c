#include "base/str.h"
#include "db/sql_token.h"
#include "fuzz.h"

/* Tokens stand in order, in the text, and leave out nothing but blanks and comments. */
static void tokens(struct arena *a, struct str sql, bool comments)
{
	struct sql_token t;
	size_t at = 0, end = 0;

	for (;;) {
		sql_token(sql, &at, comments, &t);
		if (t.kind == SQL_TOK_END)
			break;
		FUZZ_HOLDS(t.start >= end && t.end > t.start && t.end <= sql.n && at == t.end);
		FUZZ_HOLDS(t.text.p == sql.p + t.start && t.text.n == t.end - t.start);
		FUZZ_HOLDS(comments || t.kind != SQL_TOK_COMMENT);
		if (t.kind == SQL_TOK_WORD || t.kind == SQL_TOK_QUOTED || t.kind == SQL_TOK_STRING)
			FUZZ_HOLDS(sql_token_name(a, &t).n <= t.text.n);
		end = t.end;
	}
	FUZZ_HOLDS(at <= sql.n);
}

/* A text of SQL, right or wrong: statements are parts of it, and each alone is one statement of the same meaning. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct str sql = {(const char *)data, n}, head = STR_NULL;
	struct sql_range *all, *alone;
	size_t many = sql_split(a, sql, &all), end = 0;
	int line = 0;

	tokens(a, sql, false);
	tokens(a, sql, true);
	for (size_t i = 0; i < many; i++) {
		struct str one = str_sub(sql, all[i].start, all[i].end - all[i].start);
		struct sha whole, again;

		FUZZ_HOLDS(all[i].start >= end && all[i].end > all[i].start && all[i].end <= n);
		end = all[i].end;
		FUZZ_HOLDS(sql_split(a, one, &alone) == 1 && !alone[0].start && alone[0].end == one.n);
		whole = sql_token_hash(one);
		again = sql_token_hash(arena_strf(a, "\n %.*s", STR_ARG(one)));
		FUZZ_HOLDS(memchr(one.p, 0, one.n) || sha_eq(&whole, &again));
	}
	if (sql_header(a, sql, &head, &line))
		FUZZ_HOLDS(line >= 1 && head.n <= n);
	arena_free(a);
	return 0;
}
