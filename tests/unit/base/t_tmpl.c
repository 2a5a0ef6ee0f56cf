#include "base/str.h"
#include "base/tmpl.h"
#include "t.h"

static struct arena *a;
static struct dom *vars;

/* The text, or the refusal as "line:col: message (hint)". */
static const char *render(enum tmpl_mode mode, const char *source)
{
	struct tmpl_env env = {vars, tz_utc(), mode};
	struct tmpl_result r;
	struct err e = ERR_INIT;

	if (tmpl_render(a, str_of(source), "job.sql", &env, &r, &e))
		return arena_printf(a, "%d:%d: %s (%s)", e.line, e.col, e.msg, e.hint);
	return arena_cstr(a, r.text);
}

static void sql_quoting(void)
{
	static const struct {
		const char *source, *sql;
	} cases[] = {
		{"ds = {{ ds }}", "ds = '2017-11-27'"}, {"'x={{ ds }}'", "'x=2017-11-27'"},
		{"\"t_{{ ds }}\"", "\"t_2017-11-27\""},
		{"-- {{ ds }}\n{{ ds }}", "-- 2017-11-27\n'2017-11-27'"},
		{"/* /* */ {{ ds }} */{{ ds }}", "/* /* */ 2017-11-27 */'2017-11-27'"},
		{"$$ {{ ds }} $$ {{ ds }}", "$$ 2017-11-27 $$ '2017-11-27'"},
		{"$a$ $b$ {{ ds }} $a$ {{ ds }}", "$a$ $b$ 2017-11-27 $a$ '2017-11-27'"},
		{"$1 {{ ds }}", "$1 '2017-11-27'"}, {"e'\\'{{ ds }}'", "e'\\'2017-11-27'"},
		{"'it''s {{ ds }}'", "'it''s 2017-11-27'"},
		{"t_{{ ds }}", "t_2017-11-27"}, {"{{ ds }}_x", "2017-11-27_x"}, {"5 - -{{ ds }}", "5 - -'2017-11-27'"},
		{"*/* {{ ds }} */", "*/* 2017-11-27 */"},
		{"/**/{{ ds }}", "/**/'2017-11-27'"}, {"{{ ds_add(ds, 7) }}", "'2017-12-04'"},
		{"{{ ds | ds_sub(1) }}", "'2017-11-26'"},
		{"{{ ds | replace('-', '') }}", "20171127"}, {"{{ params.min_speed }}", "19"},
		{"{{ params.name | sql }}", "'it''s'"},
		{"{{ params.list | sql }}", "(1, 'two')"}, {"{{ params.none }}", "NULL"},
		{"{{ params.col | ident }}", "\"a \"\"b\"\"\""},
		{"{% for d in ds_range(ds, ds_add(ds, 1)) %}{{ d }};{% endfor %}", "'2017-11-27';'2017-11-28';"},
		{"{{ ds_start(ds) }}", "'2017-11-27T00:00:00Z'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		T_STR(render(TMPL_SQL, cases[i].source), cases[i].sql, "SQL %s", cases[i].source);
}

static void language(void)
{
	static const struct {
		const char *source, *text;
	} cases[] = {
		{"{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 / 2 }} {{ (1 + 2) * 3 }} {{ -3 - -4 }}", "5 3.5 9 1"},
		{"{{ 'a' ~ 1 ~ ds }}", "a12017-11-27"},
		{"{{ 'x' in 'xyz' }} {{ 1 not in [2, 3] }} {{ 'name' in params }}", "true true true"},
		{"{{ params['list'][-1] }}", "two"},
		{"{% if params.min_speed > 20 %}a{% elif params.ok and not false %}b{% else %}c{% endif %}", "b"},
		{"a {#- note -#} b", "ab"},
		{"{% for x in [1, 2] %}{{ loop.index }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
		 "1:1, 2:2"},
		{"{% for x in range(3) -%}\n {{ x }}\n{%- endfor %}", "012"},
		{"{% for k in params %}{{ k }} {% endfor %}", "min_speed name list ok none zip col "},
		{"{{ params.x | default(3) }} {{ a.b.c | default('q') }} {{ params.none | default(4) }}", "3 q 4"},
		{"{{ params.zip }} {{ '1.50' | float }}", "007 1.5"},
		{"{{ ds_format(ds, '%Y/%m/%d %j %G-W%V %a %%') }}", "2017/11/27 331 2017-W48 Mon %"},
		{"{{ params.list | join('-') | upper }}", "1-TWO"},
		{"{{ '{{' }} {x} { {", "{{ {x} { {"}, {"{{ ' 12 ' | int + 1 }} {{ len('\xc3\xa9') }}", "13 1"},
		{"{{ params.list | json }}", "[1,\"two\"]"},
		{"{{ none or 'd' }} {{ 1 == 1.0 }} {{ 'a' < 'b' }}", "d true true"},
		{"{{ params.name | sh }}", "'it'\\''s'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		T_STR(render(TMPL_TEXT, cases[i].source), cases[i].text, "template %zu renders as it should", i);
	T_STR(render(TMPL_HTML, "<b>{{ '<i>' }}{{ '<i>' | safe }}{{ '&' | html }}</b>"), "<b>&lt;i&gt;<i>&amp;</b>",
	        "HTML is escaped once");
	T_STR(render(TMPL_SHELL, "echo {{ params.name | shell }} {{ ds }}"), "echo 'it'\\''s' 2017-11-27",
	        "shell quotes by its filter alone");
}

static void refusals(void)
{
	static const struct {
		const char *source, *says;
	} cases[] = {
		{"a\n  {{ params.min_sped }}", "2:13: there is no params.min_sped (did you mean params.min_speed?)"},
		{"{{ parms.x }}", "1:4: there is no parms (did you mean params?)"},
		{"{{ ds | uper }}", "1:9: there is no filter uper (did you mean upper?)"},
		{"{{ ds_ad(ds, 1) }}", "1:4: there is no function ds_ad (did you mean ds_add?)"},
		{"{{ ds", "1:6: the template ends where \"}}\" should stand ()"},
		{"x{% if ds %}", "1:2: {% endif %} is missing for the tag that begins here ()"},
		{"{% for x in [1] %}{% endif %}",
		 "1:19: {% endif %} stands where {% endfor %} should, for the tag in line 1 ()"},
		        {"{# x", "1:1: a closing #} is missing for the comment that begins here ()"},
		{"{% fro x in y %}", "1:4: there is no tag {% fro %} (did you mean for?)"},
		{"{{ 1 / 0 }}", "1:6: division by zero ()"},
		{"{{ 9223372036854775807 + 1 }}", "1:24: the result is too large for a whole number ()"},
		{"{{ ds + 1 }}",
		 "1:7: cannot calculate with text and a whole number (~ joins texts; ds_add(ds, 7) counts "
		        "days; | int makes a number of a text)"},
		{"{% if ds = 3 %}{% endif %}", "1:10: \"=\" compares nothing here: write \"==\" ()"},
		{"{{ ds_add(ds) }}", "1:4: ds_add takes 2 arguments, not 1 ()"},
		{"{{ params.list[5] }}", "1:16: the list has 2 items, there is none at [5] ()"},
		{"{% for x in range(9999999) %}{% endfor %}", "1:13: the template takes more than 1000000 steps ()"},
	};
	struct buf b = BUF_INIT((size_t)1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = render(TMPL_SQL, cases[i].source);

		T_STR(got, cases[i].says, "refusal %zu has place, sentence and remedy", i);
	}
	buf_adds(&b, "{{ 'a'");
	for (int i = 0; i < 12; i++)
		buf_adds(&b, " | replace('a', 'aaaaaaaaaaaaaaaaaaaa')");
	buf_adds(&b, " }}");
	T_OK(strstr(render(TMPL_TEXT, b.p), "more than 16 MiB"), "a text that would grow without end is refused");
	buf_reset(&b);
	buf_adds(&b, "{{ 1");
	for (int i = 0; i < 50000; i++)
		buf_adds(&b, "+1");
	buf_adds(&b, " }}");
	T_OK(strstr(render(TMPL_TEXT, b.p), "nested deeper than 200"), "a very long sum is refused, the stack stays");
	buf_reset(&b);
	buf_adds(&b, "{% if false %}");
	for (int i = 0; i < 50000; i++)
		buf_adds(&b, "{%elif 0%}");
	buf_adds(&b, "{% else %}ok{% endif %}");
	T_STR(render(TMPL_TEXT, b.p), "ok", "50,000 elifs are walked along");
	buf_free(&b);
}

static void bound(void)
{
	static const struct {
		const char *source, *sql;
	} cases[] = {
		{"where a = {{ \"it's\" }} and d = {{ ds }}", "where a = 'it''s' and d = '2017-11-27'"},
		{"where a = '{{ \"it's\" }}' and \"{{ 'a\"b' }}\" > {{ 3 }}", "where a = 'it''s' and \"a\"\"b\" > 3"},
		{"in {{ [1, 'x'] }} and {{ none }} or {{ true }}", "in (1, 'x') and NULL or true"},
		{"from t_{{ 'a1' }} where {{ 'x' | sql }} = {{ 'n' | ident }}", "from t_a1 where 'x' = \"n\""},
		{"from t_{{ 'a; drop' }}", "1:8: 'a; drop' is not a word, so it cannot be a part of a name ()"},
		{"select 1 -- {{ 'a' }}", "select 1 -- "},
		{"select {{ 'a' }}{{ 'b' }}", "1:17: a value stands right beside a text: put || between them ()"},
		{"select {{ 'a' }}'b'", "1:8: a value stands right beside a text: put || between them ()"},
		{"select {{ 'a' }} || {{ 'b' }}", "select 'a' || 'b'"},
		{"select 5 -{{ 0 - 1 }} as a, b", "select 5 - -1 as a, b"},
		{"select e'{{ 'a' }}'", "1:10: no value can be bound within such quotes ()"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = render(TMPL_SQL_BOUND, cases[i].source);

		T_STR(got, cases[i].sql, "bound %s", cases[i].source);
	}
}

static void places(void)
{
	const char *source = "select {{ ds }},\n  x\nfrom {{ inputs.t }} where";
	struct tmpl_env env = {vars, tz_utc(), TMPL_SQL};
	struct tmpl_result r;
	struct err e = ERR_INIT;
	int line, col;

	if (!T_NO_ERR(tmpl_render(a, str_of(source), "f", &env, &r, &e), &e, "a query is rendered"))
		return;
	for (const char *word = "xfrw"; *word; word++) {
		/* x, from, where: the first such letter behind the first line */
		const char *in_out = strchr(r.text.p + 20, *word), *in_src = strchr(source + 16, *word);

		T_INT(tmpl_source_offset(&r, (size_t)(in_out - r.text.p)), in_src - source,
		        "the place of \"%c\" is found in the source", *word);
	}
	T_INT(tmpl_source_offset(&r, 10), 7, "what a tag made has the place of the tag");
	text_line_col(str_of("\xc3\xa9\nb\xc3\xa9x"), 6, &line, &col);
	T_OK(line == 2 && col == 3, "columns count characters");
}

static void used_names(void)
{
	static const struct {
		const char *path;
		int col;
		bool plain;
	} want[] = {{"ds", 4, true}, {"params.min_speed", 13, true}, {"ds", 36, false}, {"params.list", 56, false},
	        {"inputs.t", 79, false}, {"params.x", 103, false}};
	struct tmpl_use *u = NULL;
	size_t n = 0;
	struct err e = ERR_INIT;

	T_NO_ERR(tmpl_uses(a,
	        STR("{{ ds }} {{ params.min_speed }} {{ ds | upper }}{% for x in params.list %}{{ inputs.t "
	        "}}{{ x.y }} {% if params.x %}{% endif %}{% endfor %}"),
	                   "f", &u, &n, &e),
	         &e, "names are found without rendering");
	T_INT(n, ARRAY_LEN(want), "each use once, loop variables not");
	for (size_t i = 0; i < n && i < ARRAY_LEN(want); i++)
		T_OK(str_is(u[i].path, want[i].path) && u[i].plain == want[i].plain, "use %zu is %s, %splain", i,
		        want[i].path, want[i].plain ? "" : "not ");
	T_OK(n > 1 && u[0].col == 4 && u[1].col == 13, "uses have their places");
}

int main(void)
{
	struct err e = ERR_INIT;

	a = arena_new();
	if (T_NO_ERR(dom_yaml(a,
	        STR("ds: 2017-11-27\nparams: {min_speed: 19, name: \"it's\", list: [1, two], ok: true, none: "
	        "~, zip: 007, col: 'a \"b\"'}\ninputs: {t: tables.t}\n"),
	                      "v", &vars, &e),
	             &e, "there are variables")) {
		sql_quoting();
		language();
		refusals();
		bound();
		places();
		used_names();
	}
	arena_free(a);
	return t_done();
}
