/* From a query or a JSON body to the words of a command line. */
#include "t.h"

#include "base/str.h"
#include "web/hook.h"
#include "web/web_in.h"

static const struct op *op_named(const char *name)
{
	size_t n;
	const struct op *ops = op_table(&n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(ops[i].name, name))
			return ops + i;
	return NULL;
}

/* The words, parted by blanks; or the error. */
static const char *asked(struct arena *a, const char *op, const char *query, const char *json)
{
	struct asked out = {0};
	struct dom *d = NULL;
	struct err e = ERR_INIT;
	struct buf b cleanup(buf_free) = BUF_INIT(4096);

	if (json && dom_json(a, str_of(json), "", &d, &e))
		return "bad json";
	if (args_asked(a, op_named(op), str_of(query), d, &out, &e))
		return arena_dup(a, e.msg);
	for (size_t i = 0; i < out.words.n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", out.words.p[i]);
	return arena_cstr(a, buf_str(&b));
}

static void arguments(struct arena *a)
{
	T_STR(asked(a, "log", "repo=raw%2Fx&limit=3", NULL), "--limit=4 -- raw/x",
	      "a page asks for one more than it shows");
	T_STR(asked(a, "ls", "recursive&repo=a&repo=b", NULL), "--recursive -- a b",
	      "what may be there often is taken each time");
	T_STR(asked(a, "ls", "recursive=false&repo=a+b", NULL), "-- a b",
	      "a switch that is false is left out; + is a blank");
	T_STR(asked(a, "log", "repo=--help", NULL), "-- --help", "a value is never an option");
	T_STR(asked(a, "run", NULL,
	            "{\"job\": \"j\", \"ds\": [\"1\", \"2\"], \"param\": {\"k\": 5}, \"again\": true, \"slots\": 4}"),
	      "--param=k=5 --again --slots=4 -- j 1 2", "a JSON map gives the same words, positionals in their order");
	T_STR(asked(a, "cp", NULL, "{\"to\": \"raw/z\", \"from\": [\"raw/x:/a\"]}"), "-- raw/x:/a raw/z",
	      "positionals stand in the order of the table, not of the map");
	T_STR(asked(a, "ls", "rep=a", NULL), "ls takes no 'rep'", "a name that is not there is refused");
	T_STR(asked(a, "log", "repo=a&repo=b", NULL), "log takes 1 'repo' at most",
	      "one that may be there once is taken once");
	T_STR(asked(a, "log", "repo=%00", NULL), "the query holds a NUL", "a NUL is refused");
	T_STR(asked(a, "ls", NULL, "{\"repo\": [[\"a\"]]}"), "'repo' holds a list in a list", "so are lists in lists");
	T_STR(asked(a, "ls", NULL, "[1]"), "the body is a list, not a map of arguments", "and a body that is no map");
	T_STR(asked(a, "ls", "limit=0", NULL), "limit '0' is not a number from 1 to 10000", "a page holds something");
	T_STR(asked(a, "ls", "&&&", NULL), "--", "nothing is nothing");
}

/* What the routes are named must not clash: one name, one meaning. */
static void names(struct arena *a)
{
	size_t n;
	const struct op *ops = op_table(&n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ops[i].n_pos; k++) {
			const char *name = web_pos_name(a, ops + i, k);

			T_OK(*name && !op_option(ops + i, str_of(name)), "%s: '%s' is no option as well", ops[i].name,
			     name);
			for (size_t m = 0; m < k; m++)
				T_OK(strcmp(name, web_pos_name(a, ops + i, m)) != 0, "%s: there is one '%s'",
				     ops[i].name, name);
		}
}

static void signatures(void)
{
	struct str secret = STR("key"), body = STR("The quick brown fox jumps over the lazy dog");
	struct str good = STR("f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");

	T_OK(hook_signed(secret, good, body), "an HMAC-SHA256 in hex fits");
	T_OK(hook_signed(secret, STR("sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"), body),
	     "with sha256= before it too");
	T_OK(!hook_signed(STR("kez"), good, body), "another secret does not");
	T_OK(!hook_signed(secret, good, STR("")), "nor another body");
	T_OK(!hook_signed(STR(""), good, body), "no secret fits nothing");
	T_OK(!hook_signed(secret, str_sub(good, 0, 62), body), "nor a shorter one");
}

int main(void)
{
	struct arena *a = arena_new();

	arguments(a);
	names(a);
	signatures();
	arena_free(a);
	return t_done();
}
