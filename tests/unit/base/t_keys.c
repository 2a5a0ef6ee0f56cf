/* base/keys: one table checks a document, gives its defaults and prints its JSON Schema. */
#include "base/keys.h"
#include "base/str.h"
#include "t.h"

static const struct key rows[] = {
	{"", "name", KEYS_STR, KEYS_NAME, NULL, NULL, NULL, KEYS_REQUIRED, "A name."},
	{"", "retries", KEYS_INT, KEYS_COUNT, NULL, NULL, "0", 0, "How often."},
	{"", "slots", KEYS_INT, KEYS_POSITIVE, NULL, NULL, NULL, 0, "How many."},
	{"", "delay", KEYS_STR | KEYS_NUMBER, KEYS_DURATION, NULL, NULL, "60s", 0, "How long."},
	{"", "partition", KEYS_STR | KEYS_MAP, KEYS_WORDS, "hourly daily none", "partition", NULL, KEYS_MEMO,
		"How cut."},
	{"partition", "every", KEYS_STR, KEYS_WORDS, "hourly daily", NULL, "daily", 0, "How long."},
	{"partition", "timezone", KEYS_STR, KEYS_ZONE, NULL, NULL, NULL, 0, "Where."},
	{"", "pools", KEYS_MAP, KEYS_FREE, NULL, "pools", NULL, 0, "Pools."},
	{"pools", "*", KEYS_INT, KEYS_POSITIVE, NULL, NULL, NULL, 0, "Places."},
	{"", "checks", KEYS_LIST, KEYS_FREE, NULL, "checks", NULL, 0, "Rules."},
	{"checks", "[]", KEYS_STR, KEYS_NOT_EMPTY, NULL, NULL, NULL, 0, "A rule."},
	{"", "cron", KEYS_STR, KEYS_CRON, NULL, NULL, NULL, 0, "When."},
	{"", "repo", KEYS_STR, KEYS_PINNED, NULL, NULL, NULL, 0, "What."},
	{"", "start", KEYS_STR, KEYS_DS, NULL, NULL, NULL, 0, "From."},
	{"", "path", KEYS_STR, KEYS_PATH, NULL, NULL, NULL, 0, "Where."},
	{"", "any", KEYS_ANY, KEYS_FREE, NULL, NULL, NULL, 0, "Anything."},
};
static const struct keys table = {"test.yaml", rows, ARRAY_LEN(rows)};
static const struct keys *const tables[] = {&table};
static struct arena *arena;

static int check(const char *yaml, struct err *e)
{
	struct dom *doc;

	*e = (struct err)ERR_INIT;
	return dom_yaml(arena, str_of(yaml), "test.yaml", &doc, e) || keys_check(tables, 1, doc, "test.yaml", e)
		? -1 : 0;
}

static void accepts(void)
{
	static const char *const good[] = {
		"name: x\n", "name: x\r\nretries: 3\r\n", "name: x\ndelay: 90\n", "name: x\ndelay: 1h30m\n",
		"name: x\npartition: daily\n", "name: x\npartition: {timezone: Europe/Paris}\n",
			"name: x\npools: {pg: 2}\n",
		"name: x\nchecks: [a, b]\n", "name: x\ncron: \"30 6 * * *\"\n", "name: x\ncron: \"@daily\"\n",
		"name: x\nrepo: raw/a@master.31\n", "name: x\nstart: 2018-01-24\n", "name: x\npath: ../lib/x.py\n",
		"name: x\nany: {a: [1, {b: c}]}\n", "name: x\nretries:\n",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		T_NO_ERR(check(good[i], &e), &e, "right document %zu is accepted", i);
}

static void refuses(void)
{
	static const struct {
		const char *yaml, *want;
	} bad[] = {
		{"name: x\nretrys: 3\n", "test.yaml:2:1: unknown key \"retrys\" (did you mean \"retries\"?)"},
		{"name: x\nfrobnicate: 3\n", "test.yaml:2:1: unknown key \"frobnicate\" (there are: name, retries"},
		{"retries: 3\n", "test.yaml:1:1: the key \"name\" is missing"},
		{"", "the key \"name\" is missing"},
		{"- a\n", "test.yaml:1:1: test.yaml must be a map of keys, not a list"},
		{"name: x\nretries: often\n", "test.yaml:2:10: \"retries\" must be a whole number, not often"},
		{"name: x\nretries: -1\n", "test.yaml:2:10: \"retries\" cannot be \"-1\" (a whole number from 0 on)"},
		{"name: x\nslots: 0\n", "test.yaml:2:8: \"slots\" cannot be \"0\" (a whole number from 1 on)"},
		{"name: x\ndelay: soon\n", "test.yaml:2:8: \"delay\" cannot be \"soon\" (a duration is written"},
		{"name: x\ndelay: 5x\n", "\"delay\" cannot be \"5x\""},
		{"name: x\ndelay: 1h30\n", "\"delay\" cannot be \"1h30\""},
		{"name: x\npartition: dayly\n",
			"test.yaml:2:12: \"partition\" cannot be \"dayly\" (did you mean \"daily\"?)"},
		{"name: x\npartition:\n  evry: daily\n",
			"test.yaml:3:3: unknown key \"evry\" (did you mean \"every\"?)"},
		{"name: x\npartition: {timezone: Europe/Pariss}\n",
			"test.yaml:2:23: \"timezone\" cannot be \"Europe/Pariss\""},
		{"name: x\npartition: [daily]\n", "test.yaml:2:12: \"partition\" must be text or a map, not a list"},
		{"name: x\npools:\n  pg: many\n", "test.yaml:3:7: \"pg\" must be a whole number, not many"},
		{"name: x\nchecks:\n- a\n- {b: c}\n", "test.yaml:4:3: \"checks\" must be text, not a map"},
		{"name: x\nchecks: ['']\n", "test.yaml:2:10: \"checks\" cannot be \"\""},
		{"name: x\ncron: 6:30\n", "test.yaml:2:7: \"cron\" cannot be \"6:30\" (five fields"},
		{"name: x\nrepo: raw/a:/b\n", "(a repo, not a path in it)"},
		{"name: x\nrepo: raw/a@\n", "(a branch, commit or tag stands after the @)"},
		{"name: x\nrepo: a//b\n", "test.yaml:2:7: \"repo\" cannot be \"a//b\""},
		{"name: x\nstart: 2018-02-30\n", "test.yaml:2:8: \"start\" cannot be \"2018-02-30\""},
		{"name: x\npath: /etc/passwd\n", "test.yaml:2:7: \"path\" cannot be \"/etc/passwd\""},
		{"name: Bad Name!\n", "test.yaml:1:7: \"name\" cannot be \"Bad Name!\""},
		{"name: x\nname: y\n", "test.yaml:2:1"},
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int r = check(bad[i].yaml, &e);
		char all[2048];

		snprintf(all, sizeof(all), "%s:%d:%d: %s (%s)", e.file, e.line, e.col, e.msg, e.hint);
		if (!T_OK(r == -1 && e.code == ERR_BAD_CONFIG && strstr(all, bad[i].want),
			  "document %zu is refused: %s", i,
		          bad[i].want))
			t_diag("got", all);
	}
}

static void defaults(void)
{
	struct err e = ERR_INIT;
	struct dom *doc;
	int64_t ms = -1;

	T_NO_ERR(dom_yaml(arena, STR("{retries: 7, slots: null}"), "f", &doc, &e), &e, "a document is read");
	T_INT(keys_get(&table, "", doc, "retries")->i, 7, "a key that is there wins over the default");
	T_STR(arena_cstr(arena, keys_get(&table, "", doc, "delay")->s), "60s", "a key that is absent has its default");
	T_OK(keys_get(&table, "", doc, "delay") == keys_get(&table, "", doc, "delay"), "a default is parsed once");
	T_OK(!keys_get(&table, "", doc, "slots"), "null counts as absent, and no default is none");
	T_OK(keys_duration(STR("1h30m"), &ms) && ms == 5400000, "1h30m is 5,400,000 ms");
	T_OK(keys_duration(STR("90"), &ms) && ms == 90000, "a bare number is seconds");
	T_OK(keys_duration(STR("1.5s"), &ms) && ms == 1500, "1.5s is 1,500 ms");
	T_OK(!keys_duration(STR("-5s"), &ms) && !keys_duration(STR(""), &ms) && !keys_duration(STR("s"), &ms) &&
	     ms == 1500,
	     "what is no duration leaves the output untouched");
}

static void schema(void)
{
	struct dom *s = keys_json_schema(arena, tables, 1, "test");
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	struct dom *again;
	struct err e = ERR_INIT;

	dom_write_json(&b, s, DOM_COMPACT);
	T_NO_ERR(dom_json(arena, buf_str(&b), "schema", &again, &e), &e, "the schema is JSON");
	T_STR(arena_cstr(arena, dom_path(again, "properties.retries.type")->s), "integer",
	      "a whole number is an integer");
	T_INT(dom_path(again, "properties.retries.default")->i, 0, "the schema has the default");
	T_INT(dom_path(again, "properties.slots.minimum")->i, 1, "the schema has the least value");
	T_INT(dom_path(again, "properties.partition.anyOf")->n, 2, "a key of two forms may be either");
	T_OK(!dom_get(again, "additionalProperties")->b, "other keys are refused");
	T_STR(arena_cstr(arena, dom_path(again, "properties.pools.additionalProperties.type")->s), "integer",
	      "a map of free names describes their values");
	T_STR(arena_cstr(arena, dom_path(again, "properties.checks.items.type")->s), "string",
	      "a list describes its items");
	T_STR(arena_cstr(arena, dom_path(again, "required")->first->s), "name", "what is required is listed");
}

int main(void)
{
	arena = arena_new();
	accepts();
	refuses();
	defaults();
	schema();
	arena_free(arena);
	return t_done();
}
