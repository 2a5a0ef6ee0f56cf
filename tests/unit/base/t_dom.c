#include "base/dom.h"
#include "base/str.h"
#include "t.h"

static struct arena *a;

/* The document as compact JSON, or the refusal as "line:col: message". */
static const char *read_as(bool yaml, struct str text)
{
	struct dom *d = NULL;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT((size_t)1 << 20);
	char *out;

	if (yaml ? dom_yaml(a, text, "f", &d, &e) : dom_json(a, text, "f", &d, &e)) {
		out = arena_printf(a, "%d:%d: %s", e.line, e.col, e.msg);
	} else {
		dom_write_json(&b, d, DOM_COMPACT);
		out = arena_dup(a, b.p);
	}
	buf_free(&b);
	return out;
}

static const char *json(const char *text)
{
	return read_as(false, str_of(text));
}

static const char *yaml(const char *text)
{
	return read_as(true, str_of(text));
}

static void typing(void)
{
	static const struct {
		const char *plain, *json;
	} table[] = {
		{"no", "\"no\""}, {"on", "\"on\""}, {"yes", "\"yes\""}, {"012", "\"012\""}, {"1_000", "\"1_000\""},
		{"0x1F", "31"}, {"0o17", "15"}, {"1e3", "1000.0"}, {"~", "null"}, {"\"null\"", "\"null\""},
		{"null", "null"},
		{"", "null"}, {"True", "true"}, {"tRue", "\"tRue\""}, {"-5", "-5"}, {"+5", "5"}, {".5", "0.5"},
		{"1.50", "1.5"},
		{".inf", "\".inf\""}, {"2017-11-27", "\"2017-11-27\""}, {"12:30", "\"12:30\""}, {"'5'", "\"5\""},
		{"!!str 5", "\"5\""}, {"!!float 5", "5.0"}, {"9223372036854775807", "9223372036854775807"},
		{"9223372036854775808", "9.223372036854776e+18"}, {"00.5", "\"00.5\""}, {"1.2.3", "\"1.2.3\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		T_STR(yaml(arena_printf(a, "k: %s\n", table[i].plain)), arena_printf(a, "{\"k\":%s}", table[i].json),
		      "the YAML scalar [%s] is %s", table[i].plain, table[i].json);
	struct dom *d = dom_new_plain(a, STR("007"));
	T_OK(d->type == DOM_STR && str_is(dom_text(a, d), "007"),
	        "a parameter of digits with zeros in front stays text");
	d = dom_new_plain(a, STR("1.50"));
	T_OK(d->type == DOM_REAL && str_is(dom_text(a, d), "1.50"), "a number keeps the text it was written as");
}

static void yaml_forms(void)
{
	struct dom *d;
	struct err e = ERR_INIT;

	T_STR(yaml("\xef\xbb\xbf"
	           "a: 1\r\nb: |\r\n  x\r\n  y\r\n"),
	      "{\"a\":1,\"b\":\"x\\ny\\n\"}", "a byte order mark and CRLF are no obstacle");
	T_STR(yaml(""), "null", "an empty file is null");
	T_STR(yaml("a: &x [1, {b: 2}]\nc: *x\n"), "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}]}",
	        "an alias stands for what its anchor has");
	T_STR(yaml("a: 1\nb: 2\na: 3\n"), "3:1: the key \"a\" is there already, in line 1 column 1",
	        "a repeated key names both places");
	T_STR(yaml("<<: {a: 1}\n"), "1:1: merge keys (<<) are not part of YAML 1.2", "merge keys are refused");
	T_STR(yaml("\"<<\": 1\n"), "{\"<<\":1}", "the same in quotes is a key");
	T_STR(yaml("a: *x\n"), "1:4: there is no anchor \"&x\" above this alias",
	        "an alias without an anchor is refused");
	T_STR(yaml("a: &x [*x]\n"), "1:8: there is no anchor \"&x\" above this alias",
	        "an alias within itself is refused");
	T_STR(yaml("---\na: 1\n---\nb: 2\n"), "3:1: a second document begins here", "a second document is refused");
	T_STR(yaml("a:\n\tb: 1\n"), "2:1: this character cannot stand here", "a tab as indentation has its place");
	T_STR(yaml("a: {{ ds }}\n"), "1:5: a key must be text, not a map", "a template without quotes has its place");
	T_STR(yaml("a: b: c\n"), "1:5: a second \": \" in one line, or a line indented differently",
	        "a second colon has its place");
	T_STR(yaml("a: !foo 1\n"), "1:4: the tag \"!foo\" cannot stand here", "a foreign tag is refused");
	T_STR(yaml("ok: 1\nx: \xff\n"), "2:4: the bytes here are no UTF-8", "bytes that are no UTF-8 have their place");
	T_INT(dom_yaml_all(a, STR("a: 1\n---\n- 2\n"), "f", &d, &e), 0, "a stream may be read whole");
	T_OK(d->type == DOM_LIST && d->n == 2 && d->last->type == DOM_LIST, "it is the list of its documents");
}

static void json_forms(void)
{
	T_STR(json("{\"a\":[1,2.5,-0,1e3,\"x\\u00e9\\ud83d\\ude00\\n\"],\"b\":{},\"c\":null}"),
	      "{\"a\":[1,2.5,0,1000.0,\"x\xc3\xa9\xf0\x9f\x98\x80\\n\"],\"b\":{},\"c\":null}",
	        "JSON is written as it was read");
	T_STR(json("\"\\ud800x\""), "\"\xef\xbf\xbdx\"", "half a pair of surrogates becomes U+FFFD");
	T_STR(json("[1,]"), "1:4: \"]\" stands where another value after the comma should stand",
	        "a comma at the end has its place");
	T_STR(json("{\"a\":1,\n \"a\":2}"), "2:2: the key \"a\" is there already, in line 1 column 2",
	        "a repeated key names both places");
	T_STR(json("[\n  1,\n\t{\"\xc3\xa9\": x}]"), "3:8: \"x\" stands where a value should stand",
	        "columns count characters");
	T_STR(json("[01]"), "1:2: a number of JSON has no leading zeros", "leading zeros are refused");
	T_STR(json("1e999"), "1:1: the number is too large", "a number beyond all doubles is refused");
	T_STR(json("12345678901234567890"), "1.2345678901234567e+19", "a whole number beyond 64 bits is a real");
	T_STR(json("[\"a\nb\"]"), "1:4: a text runs over the end of the line: a closing \" is missing",
	        "a text ends in its line");
	T_STR(json(""), "1:1: the JSON ends where a value should stand", "nothing is no JSON");
	T_STR(read_as(false, (struct str){"\"a\0b\"", 5}), "1:3: a control character stands in a text",
	        "a NUL byte is refused");
}

static void bombs(void)
{
	char *deep = arena_alloc(a, 100001);
	struct buf b = BUF_INIT((size_t)1 << 20);
	struct dom *d = NULL;
	struct err e = ERR_INIT, e2 = ERR_INIT, e3 = ERR_INIT;

	memset(deep, '[', 100000);
	T_INT(dom_json(a, (struct str){deep, 100000}, "f", &d, &e), -1, "100,000 brackets of JSON are refused");
	T_ERR(&e, ERR_LIMIT, "deeper than 200", "the limit is named");
	T_INT(dom_yaml(a, (struct str){deep, 100000}, "f", &d, &e2), -1, "100,000 brackets of YAML are refused");
	T_ERR(&e2, ERR_LIMIT, "deeper than 200", "the limit is named there, too");
	buf_adds(&b, "a0: &a0 [x, x]\n");
	for (int i = 1; i < 30; i++)
		buf_addf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
	T_INT(dom_yaml(a, buf_str(&b), "f", &d, &e3), -1, "aliases that double 30 times are refused");
	T_ERR(&e3, ERR_LIMIT, "more than 100000 values", "the budget is named");
	T_OK(!d, "a refusal leaves the output alone");
	buf_free(&b);
}

static void looking(void)
{
	struct dom *d, *k;
	struct err e = ERR_INIT;

	T_INT(dom_yaml(a, STR("kind: sql\nschedule:\n  cron: \"1 2\"\n  zones: [x, y]\n"), "f", &d, &e), 0,
	        "a document is read");
	k = dom_path(d, "schedule.cron");
	T_OK(k && str_is(k->s, "1 2") && !k->plain, "a path leads down maps");
	T_OK(k && k->key_line == 3 && k->key_col == 3 && k->line == 3 && k->col == 9,
	        "key and value have their places");
	T_OK(dom_path(d, "schedule.zones.1") && dom_path(d, "schedule.zones.1")->plain, "and into lists");
	T_OK(!dom_path(d, "schedule.nix.x") && !dom_get(d, "x") && !dom_get(NULL, "x"), "what is not there is NULL");
	T_OK(!dom_str(d, "schedule").p && !dom_str(d, "x").p && !dom_str(NULL, "x").p && !dom_int(d, "schedule") &&
	         !dom_int(NULL, "x"), "what is no text is none, and what is no number is 0");
}

static void writing(void)
{
	struct dom *d = dom_new(a, DOM_MAP), *l = dom_new(a, DOM_LIST), *again;
	struct buf b = BUF_INIT(1000);
	struct err e = ERR_INIT;

	dom_set_cstr(a, d, "b", "x\"\x01\xff");
	dom_set_real(a, d, "a", 0.1);
	dom_set_str(a, d, "n", STR_NULL);
	dom_add(l, dom_new_int(a, INT64_MIN));
	dom_set(a, d, "l", l);
	dom_write_json(&b, d, DOM_CANONICAL);
	T_STR(b.p, "{\"a\":0.1,\"b\":\"x\\\"\\u0001\xef\xbf\xbd\",\"l\":[-9223372036854775808],\"n\":null}",
	      "canonical JSON has its keys in order, and is valid");
	T_INT(dom_json(a, buf_str(&b), "f", &again, &e), 0, "what is written is read");
	dom_get(d, "b")->s = STR("x\"\x01\xef\xbf\xbd");
	T_OK(dom_equal(d, again), "maps are equal whatever the order of keys");
	dom_get(again, "a")->d = 0.2;
	T_OK(!dom_equal(d, again), "another value is not equal");
	buf_reset(&b);
	dom_write_json(&b, l, DOM_PRETTY);
	T_STR(b.p, "[\n  -9223372036854775808\n]", "pretty JSON has lines");
	buf_free(&b);
}

static void many_keys(void)
{
	struct buf b = BUF_INIT((size_t)4 << 20);

	buf_addc(&b, '{');
	for (int i = 0; i < 50000; i++)
		buf_addf(&b, "\"k%d\":%d,", i, i);
	buf_adds(&b, "\"k7\":1}");
	T_OK(strstr(read_as(false, buf_str(&b)), "the key \"k7\" is there already, in line 1 column 51"),
	     "a repeated key is found among 50,000, at once");
	buf_free(&b);
}

int main(void)
{
	a = arena_new();
	typing();
	yaml_forms();
	json_forms();
	bombs();
	looking();
	writing();
	many_keys();
	arena_free(a);
	return t_done();
}
