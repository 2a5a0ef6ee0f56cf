#include "base/glob.h"
#include "base/str.h"
#include "t.h"

static struct arena *a;

static bool matches(const char *pattern, const char *path)
{
	struct glob *g;
	struct err e = ERR_INIT;

	if (glob_compile(a, str_of(pattern), &g, &e)) {
		T_OK(false, "%s is a pattern (%s)", pattern, e.msg);
		return false;
	}
	return glob_match(g, str_of(path));
}

#define YES(pattern, path) T_OK(matches(pattern, path), "%s matches %s", pattern, path)
#define NO(pattern, path) T_OK(!matches(pattern, path), "%s does not match %s", pattern, path)

static void plain_patterns(void)
{
	YES("", "");
	YES("/", "");
	NO("/", "a");
	YES("/a.csv", "a.csv");
	NO("a.csv", "a.csvx");
	YES("*.csv", "a.csv");
	YES("*", ".hidden");
	NO("*", "a/b");
	NO("*.csv", "d/a.csv");
	YES("/*/*.csv", "d/a.csv");
	YES("a?c", "a\xc3\xa9"
	           "c");
	NO("a?c", "a/c");
	NO("*??", "\xe2\x82\xac");
	YES("a\\*b", "a*b");
	NO("a\\*b", "axb");
	YES("[a-c]x", "bx");
	NO("[!a-c]x", "bx");
	YES("[^a-c]x", "dx");
	YES("[]x]", "]");
	NO("[!a]", "/");
	YES("[[:digit:][:upper:]_]z", "7z");
	YES("[[:digit:][:upper:]_]z", "_z");
	NO("[[:digit:]]z", "az");
	YES("[\xc3\xa0-\xc3\xbf]", "\xc3\xa9");
	YES("a(b)", "a(b)");
}

static void deep_patterns(void)
{
	YES("**", "a/b/c");
	YES("a/**", "a/b/c");
	NO("a/**", "a");
	YES("**/*.csv", "x.csv");
	YES("**/*.csv", "a/b/x.csv");
	YES("a/**/b", "a/b");
	YES("a/**/b", "a/x/y/b");
	NO("a/**/b", "a/xb");
	YES("a**b", "ax/yb");
}

static void groups(void)
{
	YES("{a,b}.csv", "b.csv");
	NO("{a,b}.csv", "c.csv");
	YES("{a,{b,c}d}", "cd");
	YES("x{,y}", "x");
	YES("@(a|b)c", "ac");
	NO("@(a|b)c", "abc");
	YES("+(ab)", "abab");
	NO("+(ab)", "");
	YES("*(ab)", "");
	YES("?(a)b", "b");
	YES("?(a)b", "ab");
	NO("?(a)b", "aab");
	YES("!(a|b)", "c");
	NO("!(a|b)", "a");
	YES("!(a|b)", "ab");
	NO("!(a)", "b/c");
	YES("!(*.tmp)", "x.csv");
	NO("!(*.tmp)", "x.tmp");
	YES("d/!(x)/e", "d/y/e");
	NO("d/!(x)/e", "d/x/e");
	YES("!(!(a))", "a");
	NO("!(!(a))", "b");
	YES("ds={2017-11-27,2017-11-28}/*.parquet", "ds=2017-11-28/part-0.parquet");
}

static void refusals(void)
{
	static const struct {
		const char *pattern, *says;
	} cases[] = {
		{"[ab", "closing ]"}, {"a{b,c", "closing }"}, {"@(a", "closing )"}, {"a\\", "nothing follows"},
		{"[z-a]", "ends before it begins"}, {"[[:foo:]]", "no such class"}, {"/[ab", "character 2"},
	};
	struct glob *g = NULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		T_INT(glob_compile(a, str_of(cases[i].pattern), &g, &e), -1, "%s is refused", cases[i].pattern);
		T_ERR(&e, ERR_BAD_REQUEST, cases[i].says, "the refusal of %s says %s", cases[i].pattern, cases[i].says);
	}
	T_OK(g == NULL, "a refused pattern gives nothing");
}

static void bounds(void)
{
	char path[3001], pattern[200] = "";
	struct glob *g;
	struct err e = ERR_INIT;

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 30; i++)
		strcat(pattern, "*a");
	strcat(pattern, "b");
	T_OK(!matches(pattern, path), "a pattern that would make others try 2^3000 ways ends");
	T_OK(!matches("*(*(*(*(a))))b", path), "nested repetitions end");
	path[250] = '\0';
	T_OK(matches("!(!(!(*(a)b)))", path), "nested negations end");
	for (int i = 0; i < 40; i++)
		memcpy(path + 2 * i, "@(", 2);
	T_INT(glob_compile(a, (struct str){path, 80}, &g, &e), -1, "groups nested 40 deep are refused");
}

static void prefixes(void)
{
	static const struct {
		const char *pattern, *folder;
	} cases[] = {{"a/b/c*", "a/b"}, {"*", ""}, {"/a/b.csv", "a"}, {"a/**/b", "a"}, {"a\\*/{b,c}", "a*"},
	        {"ab*/c", ""}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct glob *g;
		struct err e = ERR_INIT;

		if (T_NO_ERR(glob_compile(a, str_of(cases[i].pattern), &g, &e), &e, "%s is a pattern",
		        cases[i].pattern))
			T_STR(arena_cstr(a, glob_fixed_prefix(g)), cases[i].folder,
			        "every match of %s lies in its folder", cases[i].pattern);
	}
	T_OK(glob_has_magic(STR("a*")) && glob_has_magic(STR("a{b}")) && glob_has_magic(STR("@(a)")),
	        "patterns are told from names");
	T_OK(!glob_has_magic(STR("a@b.csv")) && !glob_has_magic(STR("a\\*")), "names are told from patterns");
}

/* What the groups of a job's pattern caught, parted by '|'. */
static void caught(const char *pattern, const char *path, const char *want)
{
	struct glob *g;
	struct err e = ERR_INIT;
	struct str out[8];
	char *all = arena_dup(a, "");

	if (!T_NO_ERR(glob_compile_groups(a, str_of(pattern), &g, &e), &e, "%s is a pattern with groups", pattern))
		return;
	if (!glob_capture(g, str_of(path), out)) {
		T_OK(!want && !glob_match(g, str_of(path)), "%s does not match %s", pattern, path);
		return;
	}
	for (size_t i = 0; i < glob_groups(g); i++)
		all = arena_printf(a, "%s%s%.*s", all, i ? "|" : "", STR_ARG(out[i]));
	T_STR(all, want, "%s catches its groups in %s", pattern, path);
	T_OK(glob_match(g, str_of(path)), "and matches it");
}

static void captures(void)
{
	caught("/(*)-(*)-(*)", "1-2-16", "1|2|16");
	caught("/(*)-*", "a-b-c", "a-b");
	caught("/(11*)", "1101", "1101");
	caught("/10(?)?", "1011", "1");
	caught("/(*)/(*).csv", "d/x.y.csv", "d|x.y");
	caught("/(*)/(*).csv", "d/x/y.csv", NULL);
	caught("/((a|b)c)*", "bcx", "bc|b");
	caught("/@(a|ab)(*)", "abc", "a|bc");
	caught("/+(a|b)(*)", "abac", "aba|c");
	caught("/*(@(a|b))c", "abc", "ab|b");
	caught("/*(a)c", "c", "");
	caught("/?(a)(*)", "ab", "a|b");
	caught("/!(a)-(*)", "b-c", "b|c");
	caught("/!(a)-(*)", "a-c", NULL);
	caught("/(**)/x", "a/b/x", "a/b");
	caught("/{a,b}(?)", "bc", "c");
	caught("/(\xc3\xa9)*", "\xc3\xa9t", "\xc3\xa9");
	caught("/\\(a\\)", "(a)", "");
	caught("/+(*)(*)", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|");
}

int main(void)
{
	a = arena_new();
	plain_patterns();
	deep_patterns();
	groups();
	refusals();
	bounds();
	prefixes();
	captures();
	arena_free(a);
	return t_done();
}
