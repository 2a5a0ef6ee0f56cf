/* Values as languages write them. What R, JavaScript and Python make of theirs is tried by t8030 with their kernels. */
#include "base/str.h"
#include "note/literal.h"
#include "t.h"

static struct arena *a;

static const char *line(const char *language, const char *json)
{
	static struct buf b = BUF_INIT(1 << 16);
	const struct language *l = language_of(str_of(language));
	struct err e = ERR_INIT;
	struct dom *v;

	buf_reset(&b);
	if (!l || dom_json(a, str_of(json), "x", &v, &e) || literal_assign(&b, l, STR("x"), v, &e))
		return arena_printf(a, "%s: %s", language, e.msg);
	return arena_cstr(a, buf_str(&b));
}

int main(void)
{
	static const struct {
		const char *language, *json, *want;
	} cases[] = {
		{"python", "[null, true, 1.0, {\"a\": \"b\\n\"}]", "x = [None, True, 1.0, {\"a\": \"b\\n\"}]"},
		{"R", "[null, true, 1.5, {\"a\": \"b\"}]", "x <- list(NULL, TRUE, 1.5, list(\"a\" = \"b\"))"},
		{"JavaScript", "{\"a\": [1, \"it's\"]}", "let x = {\"a\": [1, \"it's\"]};"},
		{"julia", "\"$HOME\"", "x = \"\\$HOME\""},
		{"julia", "{\"a\": null}", "x = Dict(\"a\" => nothing)"},
		{"ruby", "\"#{1}\"", "x = \"\\#{1}\""},
		{"octave", "\"it's\"", "x = 'it''s';"},
		{"octave", "{\"a\": [1]}", "x = struct('a', {{1}});"},
		{"scala", "[1, 2]", "val x = Seq(1, 2)"},
		{"powershell", "\"$a's\"", "$x = '$a''s'"},
		{"bash", "\"a 'b' $c\"", "x='a '\\''b'\\'' $c'"},
		{"bash", "[1]",
		 "bash: the parameter x: a list cannot be written in bash: give its parts as values of their own"},
	};

	a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		T_STR(line(cases[i].language, cases[i].json), cases[i].want, "%s writes %s", cases[i].language,
		      cases[i].json);
	T_OK(!language_of(STR("cobol")), "of other languages nothing is known");
	arena_free(a);
	return t_done();
}
