#include "db/sql_walk.h"

#include <ctype.h>
#include <strings.h>

#include "base/str.h"
#include "db/sql_alone.h"
#include "db/sql_token.h"

static const char *const volatiles[] = {
#define V(name) name,
#define W(name)
#define R(name)
#define S(name)
#include "defs/sql_functions.def"
#undef V
#undef W
};
static const char *const volatile_words[] = {
#define V(name)
#define W(name) name,
#include "defs/sql_functions.def"
#undef W
#undef R
};
static const char *const readers[] = {
#define W(name)
#define R(name) name,
#include "defs/sql_functions.def"
#undef R
#undef S
};
static const char *const session_tables[] = {
#define R(name)
#define S(name) name,
#include "defs/sql_functions.def"
#undef V
#undef W
#undef R
#undef S
};

static bool listed(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name.n == strlen(list[i]) && !strncasecmp(name.p, list[i], name.n))
			return true;
	return false;
}
#define LISTED(name, list) listed(name, list, ARRAY_LEN(list))

static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)tolower((unsigned char)s.p[i]);
	return (struct str){p, s.n};
}

static void add_name(struct sql_walk *w, struct map *m, struct str name)
{
	map_set(m, lower(w->a, name), m);
}

void sql_walk_init(struct sql_walk *w, struct arena *a, struct str text)
{
	*w = (struct sql_walk){.a = a, .text = text};
	map_init(&w->volatiles, a);
	map_init(&w->readers, a);
	map_init(&w->files, a);
	map_init(&w->made, a);
}

static void function_used(struct sql_walk *w, struct str name, bool table)
{
	if (LISTED(name, volatiles))
		add_name(w, &w->volatiles, name);
	if (!table)
		return;
	w->facts |= SQL_TABLE_FUNCTION;
	if (LISTED(name, readers))
		add_name(w, &w->readers, name);
	else if (LISTED(name, session_tables))
		add_name(w, &w->volatiles, name);
}

/* 'x.csv' and "x.csv" are files to DuckDB; "tables.sales@master" is ours. */
static bool is_file(const struct sql_token *t, struct str name)
{
	static const char *const ends[] = {".csv",    ".tsv", ".parquet", ".json", ".jsonl",
					   ".ndjson", ".gz",  ".zst",     ".db"};

	if (t->kind == SQL_TOK_STRING)
		return true;
	for (size_t i = 0; t->kind == SQL_TOK_QUOTED && i < ARRAY_LEN(ends); i++)
		if (str_has_suffix(name, str_of(ends[i])))
			return true;
	return false;
}

/* The end of name[.name[.name]] that begins with token t; *at stands behind t and is moved. */
static size_t chain_end(const struct sql_walk *w, size_t *at, const struct sql_token *first, struct str parts[3],
			size_t *n)
{
	struct str text = str_sub(w->text, 0, w->base_end);
	size_t end = first->end;
	struct sql_token t;

	parts[0] = sql_token_name(w->a, first);
	*n = 1;
	for (;;) {
		size_t ahead = *at;

		sql_token(text, &ahead, false, &t);
		if (!sql_token_is(&t, "."))
			return end;
		sql_token(text, &ahead, false, &t);
		if (t.kind != SQL_TOK_WORD && t.kind != SQL_TOK_QUOTED)
			return end;
		if (*n < 3)
			parts[(*n)++] = sql_token_name(w->a, &t);
		end = t.end;
		*at = ahead;
	}
}

/* The frame of one SELECT: what stands in its FROM, for telling whose `ds` is meant. */
struct frame {
	const struct frame *up;
	VEC(size_t) tables; /* indexes into w->tables */
	VEC(struct str) names;
	size_t refs;        /* all things in FROM */
};

struct scope {
	const struct scope *up;
	struct str name;
};

static void walk(struct sql_walk *w, struct dom *d, struct frame *f, const struct scope *s);

static struct str field(const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

static bool same_name(struct str a, struct str b)
{
	return a.n == b.n && !strncasecmp(a.p, b.p, a.n);
}

static bool in_scope(const struct scope *s, struct str name)
{
	for (; s; s = s->up)
		if (same_name(s->name, name))
			return true;
	return false;
}

/* Reads a place and takes it out of the tree; (size_t)-1 where DuckDB has none. */
static size_t location(struct dom *d)
{
	struct dom *l = dom_get(d, "query_location");

	/* 2^64 - 1 stands for none; as a document's number it is no int64. */
	return l && l->type == DOM_INT && l->i >= 0 ? (size_t)l->i : (size_t)-1;
}

static void find_at(struct sql_walk *w, struct sql_table *t, size_t at)
{
	struct str text = str_sub(w->text, 0, w->base_end);
	struct sql_token tok;
	int depth = 0;

	/* alias, column names in parentheses, then AT ( ... ) */
	for (bool inside = false;;) {
		sql_token(text, &at, false, &tok);
		if (tok.kind == SQL_TOK_END)
			return;
		if (!inside && !depth && sql_token_is(&tok, "at")) {
			t->at_start = tok.start;
			inside = true;
		} else if (sql_token_is(&tok, "(")) {
			depth++;
		} else if (sql_token_is(&tok, ")") && !--depth && inside) {
			t->at_end = tok.end;
			return;
		}
	}
}

static struct str constant(struct arena *a, const struct dom *expr)
{
	while (expr && str_is(field(expr, "class"), "CAST"))
		expr = dom_get(expr, "child");
	const struct dom *value = dom_path(expr, "value.value");
	return value && value->type != DOM_MAP && value->type != DOM_LIST ? dom_text(a, value) : STR("");
}

/* A BASE_TABLE node. False if it names a CTE, a file or a table that the text itself makes. */
static bool base_table(struct sql_walk *w, struct dom *d, const struct scope *s, struct frame *f)
{
	struct str catalog = field(d, "catalog_name"), schema = field(d, "schema_name"), name = field(d, "table_name");
	struct str text = str_sub(w->text, 0, w->base_end), parts[3];
	struct dom *at = dom_get(d, "at_clause");
	size_t place = location(d), n, next;
	struct sql_token tok;

	if (!schema.n && !catalog.n && (in_scope(s, name) || map_has(&w->made, lower(w->a, name))))
		return false;
	next = w->base + (place == (size_t)-1 ? 0 : place);
	sql_token(text, &next, false, &tok);
	if (!schema.n && is_file(&tok, name)) {
		add_name(w, &w->files, name);
		map_set(&w->files, name, &w->files);
		return false;
	}
	struct sql_table t = {.schema = schema, .name = name, .alias = field(d, "alias")};
	if (catalog.n)
		t.schema = arena_strf(w->a, "%.*s.%.*s", STR_ARG(catalog), STR_ARG(schema));
	if (place != (size_t)-1) {
		t.start = tok.start;
		t.end = chain_end(w, &next, &tok, parts, &n);
	}
	if (at && at->type == DOM_MAP) {
		t.at_unit = lower(w->a, field(at, "unit"));
		t.at = constant(w->a, dom_get(at, "expr"));
		find_at(w, &t, next);
	}
	if (f) {
		vec_push(w->a, &f->tables, w->tables.n);
		vec_push(w->a, &f->names, t.alias.n ? t.alias : name);
	}
	vec_push(w->a, &w->tables, t);
	return true;
}

/* All things in FROM, so that expressions know them before any is looked at. Subqueries are not entered. */
static void collect_from(struct sql_walk *w, struct dom *d, struct frame *f, const struct scope *s)
{
	struct str type = field(d, "type");

	if (!d || d->type != DOM_MAP)
		return;
	if (str_is(type, "JOIN")) {
		collect_from(w, dom_get(d, "left"), f, s);
		collect_from(w, dom_get(d, "right"), f, s);
		return;
	}
	f->refs++;
	if (str_is(type, "BASE_TABLE"))
		(void)base_table(w, d, s, f);
}

static void names_ds(struct sql_walk *w, const struct frame *f, struct str qualifier)
{
	for (; f; f = f->up) {
		if (!qualifier.n) {
			if (f->refs == 1 && f->tables.n == 1) {
				w->tables.p[f->tables.p[0]].names_ds = true;
				return;
			}
			if (f->refs)
				return; /* more than one: which one it is of, only binding would tell */
			continue;
		}
		for (size_t i = 0; i < f->tables.n; i++)
			if (same_name(f->names.p[i], qualifier)) {
				w->tables.p[f->tables.p[i]].names_ds = true;
				return;
			}
	}
}

static void column_ref(struct sql_walk *w, const struct dom *d, const struct frame *f)
{
	struct dom *names = dom_get(d, "column_names");
	struct str before = STR("");

	if (!names)
		return;
	if (names->n == 1 && LISTED(names->first->s, volatile_words))
		add_name(w, &w->volatiles, names->first->s);
	dom_each(c, names) {
		if (same_name(c->s, STR("ds"))) {
			names_ds(w, f, before);
			return;
		}
		before = c->s;
	}
}

static void join(struct sql_walk *w, struct dom *d, struct frame *f)
{
	struct str kind = field(d, "join_type");

	w->facts |= SQL_JOIN;
	if (str_is(kind, "FULL") || str_is(kind, "OUTER"))
		w->facts |= SQL_FULL_JOIN;
	if (str_is(field(d, "ref_type"), "ASOF"))
		w->facts |= SQL_ASOF;
	dom_each(c, dom_get(d, "using_columns"))
		if (same_name(c->s, STR("ds")))
			for (size_t i = 0; f && i < f->tables.n; i++)
				w->tables.p[f->tables.p[i]].names_ds = true;
}

static void modifiers(struct sql_walk *w, const struct dom *d)
{
	dom_each(m, dom_get(d, "modifiers")) {
		struct str type = field(m, "type");

		if (str_has_prefix(type, STR("LIMIT")))
			w->facts |= SQL_LIMIT;
		if (str_is(type, "ORDER_MODIFIER"))
			w->facts |= SQL_ORDER;
	}
}

/* What a node says of itself: facts, functions, columns. */
static void mark(struct sql_walk *w, struct dom *d, struct frame *f)
{
	static const struct {
		const char *type;
		unsigned fact;
	} facts[] = {
		{"SUBQUERY", SQL_CORRELATED},          {"WINDOW_AGGREGATE", SQL_WINDOW}, {"PIVOT", SQL_PIVOT},
		{"SET_OPERATION_NODE", SQL_SET_OP},    {"RECURSIVE_CTE_NODE", SQL_RECURSIVE},
	};
	struct str type = field(d, "type"), class = field(d, "class");
	struct dom *sample = dom_get(d, "sample");

	if (sample && sample->type == DOM_MAP)
		w->facts |= SQL_SAMPLE;
	/* As a table reference a SUBQUERY is no expression, and has no class. */
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		if (str_is(type, facts[i].type) && (i || class.n))
			w->facts |= facts[i].fact;
	if (str_is(class, "WINDOW"))
		w->facts |= SQL_WINDOW;
	if (str_is(class, "COLUMN_REF"))
		column_ref(w, d, f);
	else if (str_is(class, "FUNCTION"))
		function_used(w, field(d, "function_name"), false);
	else if (str_is(type, "TABLE_FUNCTION"))
		function_used(w, field(dom_get(d, "function"), "function_name"), true);
	else if (str_is(type, "JOIN"))
		join(w, d, f);
}

static void children(struct sql_walk *w, struct dom *d, struct frame *f, const struct scope *s)
{
	dom_each(c, d)
		/* What `exclude` names is not used. */
		if ((c->type == DOM_MAP || c->type == DOM_LIST) && !str_is(c->key, "cte_map") &&
		    !str_is(c->key, "exclude_list") && !str_is(c->key, "qualified_exclude_list"))
			walk(w, c, f, s);
}

/* A query node: its CTEs come in scope one after another, then its parts. */
static void query(struct sql_walk *w, struct dom *d, struct frame *f, const struct scope *s, struct dom *cte)
{
	struct frame own = {.up = f};
	struct dom *from = dom_get(d, "from_table");

	if (cte) {
		struct dom *node = dom_path(cte, "value.query.node");
		struct scope with = {.up = s, .name = field(cte, "key")};

		w->facts |= SQL_CTE;
		/* A recursive one sees itself, any other means a table of that name. */
		walk(w, dom_get(cte, "value"), f,
		     node && str_is(field(node, "type"), "RECURSIVE_CTE_NODE") ? &with : s);
		query(w, d, f, &with, cte->next);
		return;
	}
	modifiers(w, d);
	mark(w, d, f);
	if (!str_is(field(d, "type"), "SELECT_NODE")) {
		children(w, d, f, s);
		return;
	}
	collect_from(w, from, &own, s);
	children(w, d, &own, s);
}

/* A reference in FROM that collect_from has seen must not be counted again. */
static bool collected(const struct sql_walk *w, const struct dom *d, const struct frame *f)
{
	struct dom *l = dom_get(d, "query_location");

	if (!l || l->type != DOM_INT)
		return false;
	for (size_t i = 0; f && i < f->tables.n; i++)
		if (w->tables.p[f->tables.p[i]].start == w->base + (size_t)l->i)
			return true;
	return false;
}

static void walk(struct sql_walk *w, struct dom *d, struct frame *f, const struct scope *s)
{
	if (!d)
		return;
	if (d->type == DOM_MAP && dom_get(d, "cte_map")) {
		struct dom *map = dom_path(d, "cte_map.map");

		query(w, d, f, s, map ? map->first : NULL);
		return;
	}
	if (d->type == DOM_MAP && str_is(field(d, "type"), "BASE_TABLE")) {
		if (!collected(w, d, f))
			(void)base_table(w, d, s, NULL);
		mark(w, d, f);
		return;
	}
	if (d->type == DOM_MAP)
		mark(w, d, f);
	children(w, d, f, s);
}

static void strip(struct dom *d)
{
	struct dom **link = &d->first;

	if (d->type != DOM_MAP && d->type != DOM_LIST)
		return;
	d->last = NULL;
	while (*link) {
		if (str_is((*link)->key, "query_location")) {
			*link = (*link)->next;
			d->n--;
			continue;
		}
		strip(*link);
		d->last = *link;
		link = &(*link)->next;
	}
}

void sql_walk_tree(struct sql_walk *w, struct dom *node)
{
	walk(w, node, NULL, NULL);
	w->alone = sql_alone(node, &w->stand_ins);
	w->select = true;
	w->ordered = false;
	dom_each(m, dom_get(node, "modifiers"))
		if (str_is(field(m, "type"), "ORDER_MODIFIER"))
			w->ordered = true;
	strip(node);
}

/* Names that WITH makes, anywhere in the statement, and those that CREATE makes. */
static void token_names(struct sql_walk *w, struct str text, struct map *ctes)
{
	struct sql_token t, next, third;
	bool creating = false;

	for (size_t at = w->base;;) {
		sql_token(text, &at, false, &t);
		if (t.kind == SQL_TOK_END)
			return;
		if (sql_token_is(&t, "create"))
			creating = true;
		size_t ahead = at;
		sql_token(text, &ahead, false, &next);
		sql_token(text, &ahead, false, &third);
		if ((t.kind == SQL_TOK_WORD || t.kind == SQL_TOK_QUOTED) && sql_token_is(&next, "as") &&
		    (sql_token_is(&third, "(") || sql_token_is(&third, "materialized") || sql_token_is(&third, "not")))
			add_name(w, ctes, sql_token_name(w->a, &t));
		bool noun = sql_token_is(&t, "table") || sql_token_is(&t, "view") || sql_token_is(&t, "macro") ||
		            sql_token_is(&t, "function");
		if (creating && noun) {
			while (sql_token_is(&next, "if") || sql_token_is(&next, "not") ||
			       sql_token_is(&next, "exists")) {
				next = third;
				sql_token(text, &ahead, false, &third);
			}
			add_name(w, &w->made, sql_token_name(w->a, &next));
			creating = false;
		}
	}
}

/* What stands where a table may stand. *at is behind `t`. */
static void token_table(struct sql_walk *w, struct str text, const struct sql_token *t, size_t *at,
			const struct map *ctes)
{
	struct str parts[3];
	struct sql_token next;
	size_t n, ahead;

	if (t->kind == SQL_TOK_STRING) {
		struct str name = sql_token_name(w->a, t);

		map_set(&w->files, name, &w->files);
		return;
	}
	size_t end = chain_end(w, at, t, parts, &n);
	ahead = *at;
	sql_token(text, &ahead, false, &next);
	if (sql_token_is(&next, "(")) {
		function_used(w, parts[n - 1], true);
		return;
	}
	struct str low = lower(w->a, parts[0]);
	if (n == 1 && (map_has(ctes, low) || map_has(&w->made, low)))
		return;
	if (n == 1 && is_file(t, parts[0])) {
		map_set(&w->files, parts[0], &w->files);
		return;
	}
	struct sql_table table = {.name = parts[n - 1], .start = t->start, .end = end};
	table.schema = n == 1   ? STR("")
		       : n == 2 ? parts[0]
				: arena_strf(w->a, "%.*s.%.*s", STR_ARG(parts[0]), STR_ARG(parts[1]));
	vec_push(w->a, &w->tables, table);
}

#define SCAN_DEPTH 64

/* Going over the tokens of a statement that has no tree. */
struct scan {
	struct sql_walk *w;
	struct str text;
	struct map ctes;
	struct sql_token before;
	struct sql_token owner[SCAN_DEPTH]; /* [d]: the word before the '(' of depth d */
	unsigned depth, list_depth;
	bool expect;                        /* a table may come next */
	bool list;                          /* in a FROM list of list_depth: after a comma too */
};

static const char *const opens[] = {"from", "join", "pivot", "unpivot", "summarize", "describe"};
static const char *const ends_list[] = {"where", "group", "order", "on", "using", "select"};
static const char *const no_table[] = {"select", "lateral", "values"};
/* extract(year from x) names no table */
static const char *const own_from[] = {"extract", "substring", "trim", "overlay"};
static const char *const gives_rows[] = {"select", "with",     "from",      "values", "table",  "pivot",
                                         "unpivot", "describe", "summarize", "show",   "explain"};

static void scan_word(struct scan *c, const struct sql_token *t)
{
	struct str owner = c->depth && c->depth < SCAN_DEPTH ? c->owner[c->depth].text : STR("");

	c->expect = LISTED(t->text, opens) && !LISTED(owner, own_from);
	if (c->depth <= c->list_depth && (LISTED(t->text, opens) || LISTED(t->text, ends_list)))
		c->list = false;
	if (sql_token_is(t, "pivot") || sql_token_is(t, "unpivot"))
		c->w->facts |= SQL_PIVOT;
	if (sql_token_is(t, "order") && !c->depth)
		c->w->ordered = true;
}

static void scan_open(struct scan *c)
{
	if (c->before.kind == SQL_TOK_WORD && !c->expect)
		function_used(c->w, c->before.text, false);
	if (++c->depth < SCAN_DEPTH)
		c->owner[c->depth] = c->before;
	c->expect = false;
}

static bool is_table(const struct scan *c, const struct sql_token *t)
{
	if (!c->expect)
		return false;
	return t->kind == SQL_TOK_QUOTED || t->kind == SQL_TOK_STRING ||
	       (t->kind == SQL_TOK_WORD && !LISTED(t->text, no_table));
}

void sql_walk_tokens(struct sql_walk *w)
{
	struct scan c = {.w = w, .text = str_sub(w->text, 0, w->base_end)};
	struct sql_token t;

	map_init(&c.ctes, w->a);
	token_names(w, c.text, &c.ctes);
	w->facts |= SQL_OPAQUE;
	w->ordered = false;
	size_t at = w->base;
	sql_token(c.text, &at, false, &t);
	w->select = LISTED(t.text, gives_rows);
	for (at = w->base;; c.before = t) {
		sql_token(c.text, &at, false, &t);
		if (t.kind == SQL_TOK_END)
			return;
		if (t.kind == SQL_TOK_WORD && LISTED(t.text, volatile_words))
			add_name(w, &w->volatiles, t.text);
		if (is_table(&c, &t)) {
			token_table(w, c.text, &t, &at, &c.ctes);
			c.expect = false;
			c.list = true;
			c.list_depth = c.depth;
		} else if (sql_token_is(&t, "(")) {
			scan_open(&c);
		} else if (sql_token_is(&t, ")")) {
			c.depth -= c.depth > 0;
		} else if (sql_token_is(&t, ",")) {
			c.expect = c.list && c.depth == c.list_depth;
		} else if (t.kind == SQL_TOK_WORD) {
			scan_word(&c, &t);
		}
	}
}
