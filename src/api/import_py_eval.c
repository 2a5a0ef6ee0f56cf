/* What the tree of a Python file comes to: values, objects made by constructors, and the order between them. */
#include <stdio.h>

#include "api/import_py_in.h"
#include "base/str.h"

#define DEPTH_MAX 600 /* expressions within expressions */
#define NODES_MAX 100000 /* of a value as a document */

/* ---- values ---- */

struct pv *py_value(struct py_run *r, enum pv_kind kind, int line)
{
	struct pv *v = arena_new_of(r->a, struct pv);

	v->kind = kind;
	v->line = line;
	return v;
}

struct pv *py_string(struct py_run *r, struct str s, int line)
{
	struct pv *v = py_value(r, PV_STR, line);

	v->s = arena_str(r->a, str_sub(s, 0, PY_MAX_TEXT));
	r->w->steps += s.n / 128; /* memory is bounded too */
	return v;
}

struct pv *py_unknown(struct py_run *r, const struct py_expr *x)
{
	struct pv *v = py_value(r, PV_UNKNOWN, x->line);

	v->s = str_sub(r->w->source, x->from, x->to > x->from ? x->to - x->from : 0);
	return v;
}

void py_note(struct py_run *r, int line, const char *fmt, struct str s)
{
	if (r->w->note)
		r->w->note(r->w->ptr, line, arena_printf(r->a, fmt, (int)MIN(s.n, (size_t)100), s.p));
}

struct str pv_text(struct arena *a, const struct pv *v)
{
	switch (v->kind) {
	case PV_NONE:
		return STR("None");
	case PV_BOOL:
		return v->i ? STR("True") : STR("False");
	case PV_INT:
		return arena_strf(a, "%lld", (long long)v->i);
	case PV_FLOAT:
		return arena_strf(a, "%.15g", v->d);
	case PV_STR:
		return v->s;
	case PV_DATE:
		return str_sub(v->s, 0, 10);
	default:
		return STR_NULL;
	}
}

bool pv_true(const struct pv *v)
{
	switch (v->kind) {
	case PV_NONE:
		return false;
	case PV_BOOL:
	case PV_INT:
		return v->i;
	case PV_FLOAT:
		return v->d != 0;
	case PV_STR:
		return v->s.n;
	case PV_LIST:
	case PV_DICT:
		return v->items.n;
	default:
		return true;
	}
}

struct pv *pv_get(const struct pv *dict, const char *key)
{
	if (dict && dict->kind == PV_DICT)
		for (size_t i = dict->items.n; i-- > 0;)
			if (dict->keys.p[i]->kind == PV_STR && str_is(dict->keys.p[i]->s, key))
				return dict->items.p[i];
	return NULL;
}

void py_put(struct py_run *r, struct pv *dict, struct pv *key, struct pv *value)
{
	r->w->steps += dict->items.n / 64;
	for (size_t i = 0; key->kind == PV_STR && i < dict->items.n; i++)
		if (dict->keys.p[i]->kind == PV_STR && str_eq(dict->keys.p[i]->s, key->s)) {
			dict->items.p[i] = value;
			return;
		}
	if (dict->items.n >= PY_MAX_ITEMS)
		return;
	vec_push(r->a, &dict->keys, key);
	vec_push(r->a, &dict->items, value);
}

static struct dom *as_dom(struct arena *a, const struct pv *v, int depth, int *left)
{
	struct dom *d, *c;

	if (depth > PY_MAX_DEPTH || --*left < 0)
		return NULL;
	switch (v->kind) {
	case PV_NONE:
		return dom_new(a, DOM_NULL);
	case PV_BOOL:
		return dom_new_bool(a, v->i);
	case PV_INT:
		return dom_new_int(a, v->i);
	case PV_FLOAT:
		return dom_new_real(a, v->d);
	case PV_STR:
	case PV_DATE:
		return dom_new_str(a, pv_text(a, v));
	case PV_LIST:
	case PV_DICT:
		d = dom_new(a, v->kind == PV_LIST ? DOM_LIST : DOM_MAP);
		for (size_t i = 0; i < v->items.n; i++) {
			c = as_dom(a, v->items.p[i], depth + 1, left);
			if (!c || (v->kind == PV_DICT && v->keys.p[i]->kind != PV_STR))
				return NULL;
			if (v->kind == PV_LIST)
				dom_add(d, c);
			else
				dom_set(a, d, arena_cstr(a, v->keys.p[i]->s), c);
		}
		return d;
	default:
		return NULL;
	}
}

struct dom *pv_dom(struct arena *a, const struct pv *v)
{
	int left = NODES_MAX;

	return as_dom(a, v, 0, &left);
}

/* ---- names ---- */

static struct pv *lookup(struct py_run *r, const struct py_expr *x)
{
	struct pv *v = NULL;

	for (struct py_scope *s = r->scope; s && !v; s = s->outer)
		v = map_get(&s->names, x->s);
	if (!v)
		v = map_get(&r->w->globals, x->s);
	if (!v) {
		v = py_value(r, PV_NAME, x->line);
		v->s = x->s;
	}
	return v;
}

void py_bind(struct py_run *r, const struct py_expr *to, struct pv *v)
{
	if (!to)
		return;
	if (to->kind == PX_NAME) {
		map_set(r->scope ? &r->scope->names : &r->w->globals, to->s, v);
	} else if (to->kind == PX_LIST && v->kind == PV_LIST) {
		for (size_t i = 0; i < to->args.n && i < v->items.n; i++)
			py_bind(r, to->args.p[i].v, v->items.p[i]);
	} else if (to->kind == PX_INDEX) {
		struct pv *of = py_eval(r, to->a);

		if (of->kind == PV_DICT)
			py_put(r, of, py_eval(r, to->b), v);
	}
}

/* ---- order ---- */

void py_edge(struct py_run *r, struct pv *from, struct pv *to, int line, int depth)
{
	if (depth > 4 || r->w->steps++ > PY_MAX_STEPS)
		return;
	if (from->kind == PV_LIST) {
		for (size_t i = 0; i < from->items.n; i++)
			py_edge(r, from->items.p[i], to, line, depth + 1);
	} else if (to->kind == PV_LIST) {
		for (size_t i = 0; i < to->items.n; i++)
			py_edge(r, from, to->items.p[i], line, depth + 1);
	} else if (from->kind == PV_OBJECT && to->kind == PV_OBJECT) {
		struct py_edge e = {from->object, to->object, line};

		vec_push(r->a, &r->w->edges, e);
	}
}

/* ---- expressions ---- */

static struct pv *attribute(struct py_run *r, const struct py_expr *x)
{
	struct pv *of = py_eval(r, x->a), *v;

	if (of->kind == PV_NAME) {
		v = py_value(r, PV_NAME, x->line);
		v->s = arena_strf(r->a, "%.*s.%.*s", (int)MIN(of->s.n, (size_t)1000), of->s.p, STR_ARG(x->s));
		return v;
	}
	if (of->kind == PV_OBJECT) {
		v = pv_get(of->object->kwargs, arena_cstr(r->a, x->s));
		return v ? v : str_is(x->s, "output") ? of : py_unknown(r, x);
	}
	return py_unknown(r, x);
}

static struct pv *indexed(struct py_run *r, const struct py_expr *x)
{
	struct pv *of = py_eval(r, x->a), *i = py_eval(r, x->b), *v = NULL;

	if (of->kind == PV_DICT)
		for (size_t k = 0; k < of->items.n && !v; k++)
			if (of->keys.p[k]->kind == i->kind &&
			    (i->kind == PV_STR ? str_eq(of->keys.p[k]->s, i->s) : i->kind == PV_INT &&
			     of->keys.p[k]->i == i->i))
				v = of->items.p[k];
	if (of->kind == PV_LIST && i->kind == PV_INT) {
		int64_t at = i->i < 0 ? i->i + (int64_t)of->items.n : i->i;

		v = at >= 0 && at < (int64_t)of->items.n ? of->items.p[at] : NULL;
	}
	return v ? v : of->kind == PV_OBJECT ? of : py_unknown(r, x);
}

static struct pv *arithmetic(struct py_run *r, const struct py_expr *x, struct pv *a, struct pv *b)
{
	struct pv *v = py_value(r, PV_INT, x->line);
	bool times = str_is(x->s, "*"), plus = str_is(x->s, "+"), minus = str_is(x->s, "-");

	if ((a->kind == PV_DELTA && b->kind == PV_INT && times) || (a->kind == PV_INT && b->kind == PV_DELTA &&
	                                                            times) ||
	    (a->kind == PV_DELTA && b->kind == PV_DELTA && (plus || minus)))
		v->kind = PV_DELTA;
	else if (a->kind != PV_INT || b->kind != PV_INT)
		return py_unknown(r, x);
	if (times ? __builtin_mul_overflow(a->i, b->i, &v->i)
	    : plus ? __builtin_add_overflow(a->i, b->i, &v->i)
	    : minus ? __builtin_sub_overflow(a->i, b->i, &v->i)
	            : true)
		return py_unknown(r, x);
	return v;
}

static struct pv *both(struct py_run *r, const struct py_expr *x, const struct pv *a, const struct pv *b)
{
	struct pv *v = py_value(r, PV_LIST, x->line);

	if (a->items.n + b->items.n > PY_MAX_ITEMS)
		return py_unknown(r, x);
	r->w->steps += (a->items.n + b->items.n) / 8;
	for (size_t i = 0; i < a->items.n + b->items.n; i++)
		vec_push(r->a, &v->items, i < a->items.n ? a->items.p[i] : b->items.p[i - a->items.n]);
	return v;
}

static struct pv *equal(struct py_run *r, const struct py_expr *x, const struct pv *a, const struct pv *b)
{
	struct str s = pv_text(r->a, a), t = pv_text(r->a, b);
	struct pv *v = py_value(r, PV_BOOL, x->line);

	v->i = str_eq(s, t) == (*x->s.p == '=');
	return s.p && t.p ? v : py_unknown(r, x);
}

static struct pv *binary(struct py_run *r, const struct py_expr *x)
{
	struct pv *a = x->a ? py_eval(r, x->a) : NULL, *b = py_eval(r, x->b), *v;

	if (!a) {
		v = py_value(r, PV_INT, x->line);
		v->i = b->kind == PV_INT && b->i != INT64_MIN ? -b->i : 0;
		return str_is(x->s, "-") && b->kind == PV_INT ? v : py_unknown(r, x);
	}
	if (str_is(x->s, ">>") || str_is(x->s, "<<")) {
		bool right = *x->s.p == '>';

		py_edge(r, right ? a : b, right ? b : a, x->line, 0);
		return b;
	}
	if (str_is(x->s, "or") || str_is(x->s, "and")) {
		if (a->kind == PV_UNKNOWN || a->kind == PV_NAME)
			return py_unknown(r, x);
		return pv_true(a) == str_is(x->s, "or") ? a : b;
	}
	if (str_is(x->s, "%") && a->kind == PV_STR)
		return py_percent(r, a->s, b, x);
	if (str_is(x->s, "+") && a->kind == PV_STR && b->kind == PV_STR)
		return py_string(r, arena_strf(r->a, "%.*s%.*s", STR_ARG(a->s), STR_ARG(b->s)), x->line);
	if (str_is(x->s, "+") && a->kind == PV_LIST && b->kind == PV_LIST)
		return both(r, x, a, b);
	if (str_is(x->s, "==") || str_is(x->s, "!="))
		return equal(r, x, a, b);
	return arithmetic(r, x, a, b);
}

static struct pv *for_each(struct py_run *r, const struct py_expr *x)
{
	struct pv *of = py_eval(r, x->c), *v = py_value(r, PV_LIST, x->line);

	if (of->kind != PV_LIST)
		return py_unknown(r, x);
	for (size_t i = 0; i < of->items.n && i < PY_MAX_ITEMS && r->w->steps < PY_MAX_STEPS; i++) {
		py_bind(r, x->b, of->items.p[i]);
		vec_push(r->a, &v->items, py_eval(r, x->a));
	}
	return v;
}

static struct pv *collection(struct py_run *r, const struct py_expr *x)
{
	struct pv *v = py_value(r, x->kind == PX_LIST ? PV_LIST : PV_DICT, x->line);

	r->w->steps += x->args.n / 8;
	for (size_t i = 0; i < x->args.n && v->items.n < PY_MAX_ITEMS; i++) {
		struct pv *item = py_eval(r, x->args.p[i].v);

		if (x->kind == PX_LIST && x->args.p[i].stars && item->kind == PV_LIST)
			for (size_t k = 0; k < item->items.n && v->items.n < PY_MAX_ITEMS; k++)
				vec_push(r->a, &v->items, item->items.p[k]);
		else if (x->kind == PX_LIST)
			vec_push(r->a, &v->items, item);
		else if (!x->args.p[i].stars && x->args.p[i].k)
			py_put(r, v, py_eval(r, x->args.p[i].k), item);
		else if (item->kind == PV_DICT)
			for (size_t k = 0; k < item->items.n; k++)
				py_put(r, v, item->keys.p[k], item->items.p[k]);
	}
	return v;
}

static struct pv *eval_kind(struct py_run *r, const struct py_expr *x)
{
	switch (x->kind) {
	case PX_LITERAL:
		return x->value;
	case PX_FORMAT:
		return py_filled(r, x->s, NULL, x);
	case PX_NAME:
		return lookup(r, x);
	case PX_ATTR:
		return attribute(r, x);
	case PX_CALL:
		return py_call(r, x);
	case PX_INDEX:
		return indexed(r, x);
	case PX_LIST:
	case PX_DICT:
		return collection(r, x);
	case PX_BINARY:
		return binary(r, x);
	case PX_EACH:
		return for_each(r, x);
	case PX_IF: {
		const struct pv *known = py_eval(r, x->b);

		if (known->kind == PV_UNKNOWN || known->kind == PV_NAME)
			break;
		return py_eval(r, pv_true(known) ? x->a : x->c);
	}
	case PX_OTHER:
		break;
	}
	return py_unknown(r, x);
}

struct pv *py_eval(struct py_run *r, const struct py_expr *x)
{
	struct pv *v;

	if (!x) {
		v = py_value(r, PV_UNKNOWN, 0);
		v->s = STR("");
		return v;
	}
	if (r->depth >= DEPTH_MAX || r->w->steps++ >= PY_MAX_STEPS)
		return py_unknown(r, x);
	r->depth++;
	v = eval_kind(r, x);
	r->depth--;
	return v;
}

/* ---- statements ---- */

static void imports(struct py_run *r, const struct py_stmt *s)
{
	for (size_t i = 0; i < s->params.n; i++) {
		struct pv *v = py_value(r, PV_NAME, s->line);

		v->s = s->params.p[i].k->s;
		map_set(r->scope ? &r->scope->names : &r->w->globals, s->params.p[i].name, v);
	}
}

static void loop(struct py_run *r, const struct py_stmt *s)
{
	struct pv *of = py_eval(r, s->b);

	if (of->kind == PV_DICT) {
		struct pv *keys = py_value(r, PV_LIST, s->line);

		for (size_t i = 0; i < of->keys.n; i++)
			vec_push(r->a, &keys->items, of->keys.p[i]);
		of = keys;
	}
	if (of->kind != PV_LIST) {
		py_note(r, s->line, "a loop over %.*s, which is known only when Python runs",
		     str_sub(r->w->source, s->b->from, s->b->to - s->b->from));
		return;
	}
	for (size_t i = 0; i < of->items.n && r->w->steps < PY_MAX_STEPS; i++) {
		py_bind(r, s->a, of->items.p[i]);
		py_exec(r, &s->body);
	}
	py_exec(r, &s->orelse);
}

/* with DAG(...) as dag: what is made in it is its. */
static void within(struct py_run *r, const struct py_stmt *s)
{
	struct pv *v = py_eval(r, s->a);
	struct py_object *dag = r->w->dag, *group = r->w->group;

	if (s->b)
		py_bind(r, s->b, v);
	if (v->kind == PV_OBJECT && str_is(v->object->class, "DAG"))
		r->w->dag = v->object;
	else if (v->kind == PV_OBJECT && str_is(v->object->class, "TaskGroup"))
		r->w->group = v->object;
	py_exec(r, &s->body);
	r->w->dag = dag;
	r->w->group = group;
}

static void choose(struct py_run *r, const struct py_stmt *s)
{
	struct pv *v = py_eval(r, s->a);

	if (v->kind == PV_UNKNOWN || v->kind == PV_NAME) {
		struct str text = str_sub(r->w->source, s->a->from, s->a->to - s->a->from);

		if (memmem(text.p, text.n, "__name__", 8))
			return;
		py_note(r, s->line, "whether %.*s is known only when Python runs: what stands under it is taken", text);
		py_exec(r, &s->body);
		return;
	}
	py_exec(r, pv_true(v) ? &s->body : &s->orelse);
}

static void statement(struct py_run *r, const struct py_stmt *s)
{
	struct pv *v;

	switch (s->kind) {
	case PS_EXPR:
		py_eval(r, s->a);
		break;
	case PS_ASSIGN:
		v = py_eval(r, s->b);
		for (size_t i = 0; i < s->targets.n; i++)
			py_bind(r, s->targets.p[i], v);
		break;
	case PS_FOR:
		loop(r, s);
		break;
	case PS_DEF:
		v = py_value(r, PV_DEF, s->line);
		v->def = s;
		map_set(r->scope ? &r->scope->names : &r->w->globals, s->name, v);
		break;
	case PS_RETURN:
		if (r->scope) {
			r->scope->returned = s->a ? py_eval(r, s->a) : py_value(r, PV_NONE, s->line);
			r->scope->ended = true;
		}
		break;
	case PS_WITH:
		within(r, s);
		break;
	case PS_IF:
		choose(r, s);
		break;
	case PS_TRY:
		py_exec(r, &s->body);
		break;
	case PS_IMPORT:
		imports(r, s);
		break;
	case PS_PASS:
		break;
	case PS_OTHER:
		v = py_value(r, PV_UNKNOWN, s->line);
		v->s = str_sub(r->w->source, s->from, s->to - s->from);
		for (size_t i = 0; i < v->s.n; i++)
			if (v->s.p[i] == '\n' || v->s.p[i] == '\r')
				v->s.n = i;
		py_note(r, s->line, "%.*s", v->s);
		break;
	}
}

void py_exec(struct py_run *r, const struct py_block *b)
{
	for (size_t i = 0; i < b->n && r->w->steps++ < PY_MAX_STEPS && !(r->scope && r->scope->ended); i++)
		statement(r, b->p[i]);
}

void py_run(struct py_world *w, const struct py_block *b)
{
	struct py_run r = {.w = w, .a = w->a};

	map_init(&w->globals, w->a);
	py_exec(&r, b);
	if (w->steps >= PY_MAX_STEPS)
		py_note(&r, 0, "more than 500000 steps: the rest of the file%.*s", STR(""));
}
