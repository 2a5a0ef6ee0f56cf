#include "db/sql_alone.h"

#include <stdio.h>
#include <strings.h>

#include "base/str.h"
#include "db/sql.h"

/* Kinds of nodes, of expressions and of joins that DuckDB turns into a join per ds with the same rows. */
static const char *const nodes[] = {"SELECT_NODE", "SET_OPERATION_NODE", "BASE_TABLE", "SUBQUERY", "JOIN",
	"DISTINCT_MODIFIER"};
static const char *const classes[] = {"COLUMN_REF", "CONSTANT", "FUNCTION", "COMPARISON", "CONJUNCTION",
				      "OPERATOR",   "CAST",     "CASE",     "BETWEEN",    "STAR"};
static const char *const join_types[] = {"INNER", "LEFT"};
static const char *const ref_types[] = {"REGULAR", "CROSS", "NATURAL"};
/* A comparison of text with anything else does not bind, so it cannot give other rows than a literal would. */
static const char *const comparisons[] = {"COMPARE_EQUAL",       "COMPARE_NOTEQUAL",    "COMPARE_LESSTHAN",
					  "COMPARE_GREATERTHAN", "COMPARE_LESSTHANOREQUALTO",
					  	"COMPARE_GREATERTHANOREQUALTO"};
/* Refused by a word of its own rather than as "X". */
static const struct {
	const char *type, *why;
} words[] = {
	{"PIVOT", "a pivot"},
	{"TABLE_FUNCTION", "a table function"},
	{"EXPRESSION_LIST", "rows of its own (values)"},
	{"EMPTY", "rows without a table"},
	{"RECURSIVE_CTE_NODE", "a recursive query"},
	{"CTE_NODE", "a materialized query"},
	{"ORDER_MODIFIER", "an order by"},
	{"LIMIT_MODIFIER", "a limit"},
	{"LIMIT_PERCENT_MODIFIER", "a limit"},
	{"WINDOW", "a window"},
	{"LAMBDA", "a lambda"},
};
#define O(name) name,
#define B(name)
static const char *const ordered[] = {
#include "defs/sql_aggregates.def"
	"unnest", "generate_subscripts"};
#undef O
#undef B

struct look {
	const char *why;
	size_t stand_ins;
};

#define LISTED(s, list) listed(s, list, ARRAY_LEN(list))
static bool listed(struct str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s.n == strlen(list[i]) && !strncasecmp(s.p, list[i], s.n))
			return true;
	return false;
}

static struct str field(const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

static bool has(const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type != DOM_NULL;
}

static bool stands_in(const struct dom *d)
{
	const struct dom *v = str_is(field(d, "class"), "CONSTANT") ? dom_path(d, "value.value") : NULL;

	return v && v->type == DOM_STR && str_has_prefix(v->s, STR(SQL_STAND_IN));
}

static bool holds_stand_in(const struct dom *d)
{
	if (stands_in(d))
		return true;
	if (d->type == DOM_MAP || d->type == DOM_LIST)
		dom_each(c, d)
			if (holds_stand_in(c))
				return true;
	return false;
}

static void refuse(struct look *l, const char *why)
{
	if (!l->why)
		l->why = why;
}

static void refuse_type(struct look *l, struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(type, words[i].type))
			refuse(l, words[i].why);
	refuse(l, "a form that is not known to give the same rows");
}

static void walk(struct look *l, const struct dom *d);

/* The operand of what fixes its type. */
static void operand(struct look *l, const struct dom *d)
{
	if (d && stands_in(d))
		l->stand_ins++;
	else if (d)
		walk(l, d);
}

static void expression(struct look *l, const struct dom *d, struct str class)
{
	struct str type = field(d, "type");

	if (!LISTED(class, classes)) {
		refuse_type(l, class);
		return;
	}
	if (stands_in(d)) {
		refuse(l, "ds where its type may matter");
		return;
	}
	if (str_is(class, "FUNCTION") && LISTED(field(d, "function_name"), ordered))
		refuse(l, "a function that hangs on the order of rows");
	if (str_is(class, "CAST")) {
		operand(l, dom_get(d, "child"));
		return;
	}
	if (str_is(class, "COMPARISON") && LISTED(type, comparisons)) {
		operand(l, dom_get(d, "left"));
		operand(l, dom_get(d, "right"));
		return;
	}
	dom_each(c, d)
		walk(l, c);
}

static void columns(struct look *l, const struct dom *list)
{
	dom_each(c, list) {
		bool named = field(c, "alias").n > 0;

		if (!named && holds_stand_in(c))
			refuse(l, "a column that is named by ds");
		if (named)
			operand(l, c);
		else
			walk(l, c);
	}
}

static void query(struct look *l, const struct dom *d, struct str type)
{
	struct dom *sets = dom_get(d, "group_sets");

	if (!LISTED(type, nodes)) {
		refuse_type(l, type);
		return;
	}
	if (str_is(type, "JOIN") &&
	    (!LISTED(field(d, "join_type"), join_types) || !LISTED(field(d, "ref_type"), ref_types)))
		refuse(l, "a join that is neither inner nor left");
	if (str_is(type, "DISTINCT_MODIFIER") && dom_get(d, "distinct_on_targets")->n)
		refuse(l, "distinct on");
	if (has(d, "sample"))
		refuse(l, "a sample");
	if (has(d, "qualify"))
		refuse(l, "a window");
	if (sets && sets->n > 1)
		refuse(l, "grouping sets");
	dom_each(c, d)
		if (str_is(c->key, "select_list"))
			columns(l, c);
		else
			walk(l, c);
}

static void walk(struct look *l, const struct dom *d)
{
	struct str type = field(d, "type"), class = field(d, "class");

	if (l->why)
		return;
	if (d->type == DOM_MAP && class.n) {
		expression(l, d, class);
		return;
	}
	/* Not a node: what orders a function's rows (then it is one of those refused), a type, a list of names. */
	if (d->type == DOM_MAP && type.n && !has(d, "orders") && !has(d, "null_order") && !has(d, "id")) {
		query(l, d, type);
		return;
	}
	if (d->type == DOM_MAP && str_is(type, "ORDER_MODIFIER") && dom_get(d, "orders")->n)
		refuse_type(l, type);
	if (d->type == DOM_MAP || d->type == DOM_LIST)
		dom_each(c, d)
			walk(l, c);
}

const char *sql_alone(const struct dom *node, size_t *stand_ins)
{
	struct look l = {0};

	walk(&l, node);
	*stand_ins = l.stand_ins;
	return l.why;
}
