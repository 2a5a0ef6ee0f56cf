#include "base/str.h"
#include "flow/check.h"
#include "t.h"

static struct arena *a;

static const char *ok_of(const char *text, const char **actual, struct err *e)
{
	static struct job j = {.file = {"jobs/x/job.yaml", 15}};
	struct job_check k = {.text = str_of(text), .line = 3, .col = 5};
	struct check_sql out;

	if (check_compile(a, &j, &k, &out, e))
		return NULL;
	*actual = out.actual.n ? arena_cstr(a, out.actual) : "";
	return arena_cstr(a, out.ok);
}

int main(void)
{
	static const struct {
		const char *rule, *ok, *actual;
	} good[] = {
		{"row_count > 0", "count(*) > 0", "count(*)"},
		{"row_count() > 0", "count(*) > 0", "count(*)"},
		{"missing_count(a) = 0", "count(*) filter (where (a) is null) = 0",
		 "count(*) filter (where (a) is null)"},
		{"min(a) >= 'x > y'", "min(a) >= 'x > y'", "min(a)"},
		{"row_count between 1 and 5", "count(*) between 1 and 5", ""},
		{"max(\"row_count\") < 3", "max(\"row_count\") < 3", "max(\"row_count\")"},
		{"bool_and(a > 3)", "bool_and(a > 3)", ""},
	};
	static const char *const bad[] = {
		"", "row_count > (1", "max(a)) = 1", "row_count; drop table x", "values(a) in",
		"min('a) = 1", "missing_count() = 0", "row_count > 1 -- or not", "row_count(a) = 1",
	};
	struct err e = ERR_INIT;
	const char *actual = "";

	a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		T_STR(ok_of(good[i].rule, &actual, &e), good[i].ok, "the rule %s becomes SQL", good[i].rule);
		T_STR(actual, good[i].actual, "what stands on the left of %s is told", good[i].rule);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&e);
		T_OK(!ok_of(bad[i], &actual, &e), "the rule '%s' is refused", bad[i]);
		T_ERR(&e, ERR_BAD_CONFIG, "jobs/x/job.yaml:3:5", "at its place");
	}
	T_OK(strstr(ok_of("duplicate_count(a, b) = 0", &actual, &e), "count(distinct row(a, b))") != NULL,
	     "duplicates are told by all the columns together");
	arena_free(a);
	return t_done();
}
