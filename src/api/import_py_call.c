/* Calls in a Python file: functions of its own, methods of texts, lists and dicts, and what is known of imported names.
 * */
#include <stdio.h>

#include "api/import_py_in.h"
#include "base/str.h"

/* ---- objects ---- */

static struct str last_part(struct str dotted)
{
	struct str head, tail;

	return str_rcut(dotted, '.', &head, &tail) ? tail : dotted;
}

static bool is_class(struct str name)
{
	return name.n && *name.p >= 'A' && *name.p <= 'Z';
}

static struct pv *object(struct py_run *r, struct str class, struct pv *args, struct pv *kwargs, int line)
{
	struct pv *v = py_value(r, PV_OBJECT, line), *dag = pv_get(kwargs, "dag");
	struct py_object *o = arena_new_of(r->a, struct py_object);

	o->class = class;
	o->line = line;
	o->args = args;
	o->kwargs = kwargs;
	o->dag = dag && dag->kind == PV_OBJECT ? dag->object : r->w->dag;
	o->group = r->w->group;
	v->object = o;
	vec_push(r->a, &r->w->objects, o);
	return v;
}

/* What a decorator says: its name, and with what it was called. */
static struct str decorated(struct py_run *r, const struct py_stmt *def, struct pv **kwargs)
{
	for (size_t i = 0; i < def->decorators.n; i++) {
		const struct py_expr *x = def->decorators.p[i];
		struct pv *v = py_eval(r, x->kind == PX_CALL ? x->a : x);
		struct str name = v->kind == PV_NAME ? last_part(v->s) : STR_NULL, head, tail;

		*kwargs = py_value(r, PV_DICT, x->line);
		for (size_t k = 0; x->kind == PX_CALL && k < x->args.n; k++)
			if (x->args.p[k].name.p || !k)
				py_put(r, *kwargs, py_string(r, x->args.p[k].name.p ? x->args.p[k].name : STR("dag_id"),
				                         x->line),
				    py_eval(r, x->args.p[k].v));
		if (v->kind == PV_NAME && str_cut(v->s, '.', &head, &tail) &&
		    str_is(head, "task")) /* task.python, task.branch */
			return STR("task");
		if (str_is(name, "dag") || str_is(name, "task") || str_is(name, "task_group"))
			return name;
	}
	return STR_NULL;
}

/* ---- calls ---- */

struct py_callee {
	const struct py_expr *x;
	struct pv *args, *kwargs; /* a list, a dict */
};

static struct pv *arg(const struct py_callee *c, size_t i, const char *name)
{
	struct pv *v = pv_get(c->kwargs, name);

	return v ? v : i < c->args->items.n ? c->args->items.p[i] : NULL;
}

static void collect(struct py_run *r, const struct py_expr *x, struct py_callee *c)
{
	c->x = x;
	c->args = py_value(r, PV_LIST, x->line);
	c->kwargs = py_value(r, PV_DICT, x->line);
	for (size_t i = 0; i < x->args.n; i++) {
		const struct py_arg *g = &x->args.p[i];
		struct pv *v = py_eval(r, g->v);

		if (g->name.p)
			py_put(r, c->kwargs, py_string(r, g->name, x->line), v);
		else if (g->stars == 2 && v->kind == PV_DICT)
			for (size_t k = 0; k < v->items.n; k++)
				py_put(r, c->kwargs, v->keys.p[k], v->items.p[k]);
		else if (g->stars == 1 && v->kind == PV_LIST)
			for (size_t k = 0; k < v->items.n && c->args->items.n < PY_MAX_ITEMS; k++)
				vec_push(r->a, &c->args->items, v->items.p[k]);
		else if (!g->stars)
			vec_push(r->a, &c->args->items, v);
	}
}

/* The parameters of a function, in a scope of its own. */
static void parameters(struct py_run *r, const struct py_stmt *def, const struct py_callee *c, struct py_scope *s)
{
	size_t place = 0;

	map_init(&s->names, r->a);
	for (size_t i = 0; i < def->params.n; i++) {
		const struct py_arg *p = &def->params.p[i];
		struct pv *v;

		if (p->stars) {
			v = py_value(r, p->stars == 1 ? PV_LIST : PV_DICT, def->line);
			if (p->stars == 2)
				*v = *c->kwargs;
		} else {
			v = arg(c, place, arena_cstr(r->a, p->name));
			if (!pv_get(c->kwargs, arena_cstr(r->a, p->name)))
				place++;
			if (!v && p->v)
				v = py_eval(r, p->v);
			if (!v) {
				v = py_value(r, PV_UNKNOWN, def->line);
				v->s = p->name;
			}
		}
		map_set(&s->names, p->name, v);
	}
}

static struct pv *call_plain(struct py_run *r, const struct py_stmt *def, const struct py_callee *c)
{
	struct py_scope s = {.outer = r->scope}, *before = r->scope;

	if (r->w->calls >= PY_MAX_CALLS)
		return py_unknown(r, c->x);
	parameters(r, def, c, &s);
	r->w->calls++;
	r->scope = &s;
	py_exec(r, &def->body);
	r->scope = before;
	r->w->calls--;
	return s.returned ? s.returned : py_value(r, PV_NONE, c->x->line);
}

/* Tasks whose results an argument is. */
static void results_in(struct py_run *r, struct pv *v, struct pv *task, int depth)
{
	if (r->w->steps++ > PY_MAX_STEPS)
		return;
	if (v->kind == PV_OBJECT && v->object->class.p && !str_is(v->object->class, "DAG"))
		py_edge(r, v, task, task->line, 0);
	for (size_t i = 0; (v->kind == PV_LIST || v->kind == PV_DICT) && depth < 5 && i < v->items.n; i++)
		results_in(r, v->items.p[i], task, depth + 1);
}

static struct pv *call_def(struct py_run *r, const struct py_stmt *def, const struct py_callee *c)
{
	struct pv *said = NULL, *v;
	struct str word = decorated(r, def, &said);

	if (!word.p)
		return call_plain(r, def, c);
	if (str_is(word, "task")) {
		v = object(r, STR("@task"), c->args, c->kwargs, c->x->line);
		v->object->def = def;
		for (size_t i = 0; i < said->items.n; i++) /* what the decorator says, beside what the call gives it */
			if (!pv_get(c->kwargs, arena_cstr(r->a, said->keys.p[i]->s)) &&
			    !str_is(said->keys.p[i]->s, "dag_id"))
				py_put(r, c->kwargs, py_string(r, arena_strf(r->a, "@%.*s",
				                                             STR_ARG(said->keys.p[i]->s)),
				                           0),
				    said->items.p[i]);
		results_in(r, c->args, v, 0);
		results_in(r, c->kwargs, v, 0);
		return v;
	}
	if (!pv_get(said, "dag_id"))
		py_put(r, said, py_string(r, STR("dag_id"), def->line), py_string(r, def->name, def->line));
	v = object(r, str_is(word, "dag") ? STR("DAG") : STR("TaskGroup"), py_value(r, PV_LIST, def->line), said,
	           def->line);
	if (str_is(word, "dag")) {
		struct py_object *before = r->w->dag;

		r->w->dag = v->object;
		call_plain(r, def, c);
		r->w->dag = before;
	} else {
		struct py_object *before = r->w->group;

		py_put(r, said, py_string(r, STR("group_id"), def->line), py_string(r, def->name, def->line));
		r->w->group = v->object;
		call_plain(r, def, c);
		r->w->group = before;
	}
	return v;
}

static double number(const struct pv *v)
{
	return !v ? 0 : v->kind == PV_INT || v->kind == PV_BOOL ? (double)v->i : v->kind == PV_FLOAT ? v->d : 0;
}

static struct pv *a_delta(struct py_run *r, const struct py_callee *c)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"days", 86400}, {"seconds", 1}, {"microseconds", 1e-6}, {"milliseconds", 1e-3}, {"minutes", 60},
	             {"hours", 3600}, {"weeks", 7 * 86400}};
	struct pv *v = py_value(r, PV_DELTA, c->x->line);
	double sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		sum += number(arg(c, i, units[i].name)) * units[i].seconds;
	v->i = sum > -1e15 && sum < 1e15 ? (int64_t)sum : 0;
	return v;
}

static struct str zone_of(struct py_run *r, const struct pv *v)
{
	if (!v)
		return STR_NULL;
	if (v->kind == PV_STR)
		return v->s;
	if (v->kind == PV_NAME && str_is(last_part(v->s), "utc"))
		return STR("UTC");
	return STR_NULL;
}

static struct pv *a_date(struct py_run *r, const struct py_callee *c)
{
	static const char *const parts[] = {"year", "month", "day", "hour", "minute"};
	long long n[5] = {0, 1, 1, 0, 0};
	struct pv *v = py_value(r, PV_DATE, c->x->line), *p;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		p = arg(c, i, parts[i]);
		if ((!p && i < 3) || (p && p->kind != PV_INT && p->kind != PV_NONE) || (p && (p->i < 0 || p->i > 9999)))
			return py_unknown(r, c->x);
		if (p && p->kind == PV_INT)
			n[i] = p->i;
	}
	v->s = arena_strf(r->a, "%04lld-%02lld-%02lldT%02lld:%02lld", n[0], n[1], n[2], n[3], n[4]);
	v->zone = zone_of(r, pv_get(c->kwargs, "tz"));
	if (!v->zone.p)
		v->zone = zone_of(r, pv_get(c->kwargs, "tzinfo"));
	return v;
}

static struct pv *date_of_text(struct py_run *r, const struct py_callee *c)
{
	struct pv *s = arg(c, 0, "date_string"), *v;

	if (!s || s->kind != PV_STR || s->s.n < 10 || s->s.p[4] != '-' || s->s.p[7] != '-')
		return py_unknown(r, c->x);
	v = py_value(r, PV_DATE, c->x->line);
	v->s = arena_strf(r->a, "%.*sT00:00", 10, s->s.p);
	v->zone = zone_of(r, pv_get(c->kwargs, "tz"));
	return v;
}

static struct pv *a_range(struct py_run *r, const struct py_callee *c)
{
	struct pv *v = py_value(r, PV_LIST, c->x->line), *a = arg(c, 0, ""), *b = arg(c, 1, ""), *s = arg(c, 2, "");
	int64_t from = b && a ? a->i : 0, to = b ? b->i : a ? a->i : 0, step = s ? s->i : 1;

	if (!a || a->kind != PV_INT || (b && b->kind != PV_INT) || (s && s->kind != PV_INT) || step <= 0 ||
	    to > 1000000 ||
	    from < -1000000)
		return py_unknown(r, c->x);
	for (int64_t i = from; i < to && v->items.n < PY_MAX_ITEMS; i += step) {
		struct pv *n = py_value(r, PV_INT, c->x->line);

		n->i = i;
		vec_push(r->a, &v->items, n);
	}
	return v;
}

static struct pv *pairs(struct py_run *r, const struct py_callee *c, bool count)
{
	struct pv *v = py_value(r, PV_LIST, c->x->line), *of = arg(c, 0, "iterable");

	if (!of || of->kind != PV_LIST)
		return py_unknown(r, c->x);
	for (size_t i = 0; i < of->items.n; i++) {
		struct pv *pair = py_value(r, PV_LIST, c->x->line), *n = py_value(r, PV_INT, c->x->line);

		n->i = (int64_t)i;
		if (count)
			vec_push(r->a, &pair->items, n);
		for (size_t k = 0; k < (count ? 1 : c->args->items.n); k++) {
			struct pv *l = c->args->items.p[k];

			if (l->kind != PV_LIST || i >= l->items.n)
				return v;
			vec_push(r->a, &pair->items, l->items.p[i]);
		}
		vec_push(r->a, &v->items, pair);
	}
	return v;
}

static struct pv *joined(struct py_run *r, const struct py_callee *c, struct pv *list, struct str by)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	for (size_t i = 0; list && i < list->items.n; i++) {
		struct str s = pv_text(r->a, list->items.p[i]);

		if (!s.p)
			return py_unknown(r, c->x);
		if (i && !(by.n == 1 && *by.p == '/' && b.n && b.p[b.n - 1] == '/'))
			buf_addstr(&b, by);
		buf_addstr(&b, s);
	}
	return py_string(r, buf_str(&b), c->x->line);
}

/* chain(a, [b, c], d); lists beside each other pair up. cross: every one after every one. */
static struct pv *a_chain(struct py_run *r, const struct py_callee *c, bool cross)
{
	for (size_t i = 1; i < c->args->items.n; i++) {
		struct pv *x = c->args->items.p[i - 1], *y = c->args->items.p[i];

		if (!cross && x->kind == PV_LIST && y->kind == PV_LIST && x->items.n == y->items.n)
			for (size_t k = 0; k < x->items.n; k++)
				py_edge(r, x->items.p[k], y->items.p[k], c->x->line, 0);
		else
			py_edge(r, x, y, c->x->line, 0);
	}
	return py_value(r, PV_NONE, c->x->line);
}

static struct pv *a_zone(struct py_run *r, const struct py_callee *c)
{
	struct pv *v = arg(c, 0, "name");

	(void)r;
	return v && v->kind == PV_STR ? v : NULL;
}

static struct pv *a_dict(struct py_run *r, const struct py_callee *c)
{
	const struct pv *of = arg(c, 0, "");

	if (!of)
		return c->kwargs;
	if (of->kind != PV_DICT)
		return NULL;
	for (size_t i = 0; i < of->items.n; i++)
		if (of->keys.p[i]->kind != PV_STR || !pv_get(c->kwargs, arena_cstr(r->a, of->keys.p[i]->s)))
			py_put(r, c->kwargs, of->keys.p[i], of->items.p[i]);
	return c->kwargs;
}

static struct pv *a_list(struct py_run *r, const struct py_callee *c)
{
	struct pv *of = arg(c, 0, "");

	return !of ? py_value(r, PV_LIST, c->x->line) : of->kind == PV_LIST ? of : NULL;
}

static struct pv *a_text(struct py_run *r, const struct py_callee *c)
{
	const struct pv *of = arg(c, 0, "");

	return of && pv_text(r->a, of).p ? py_string(r, pv_text(r->a, of), c->x->line) : NULL;
}

static struct pv *enumerated(struct py_run *r, const struct py_callee *c)
{
	return pairs(r, c, true);
}

static struct pv *zipped(struct py_run *r, const struct py_callee *c)
{
	return pairs(r, c, false);
}

static struct pv *a_path(struct py_run *r, const struct py_callee *c)
{
	return joined(r, c, c->args, STR("/"));
}

/* A variable of the environment: what it is without one. */
static struct pv *a_variable(struct py_run *r, const struct py_callee *c)
{
	if (c->args->items.n < 2)
		return NULL;
	py_note(r, c->x->line, "%.*s: its default is taken",
	        str_sub(r->w->source, c->x->from, c->x->to - c->x->from));
	return c->args->items.p[1];
}

static struct pv *chained(struct py_run *r, const struct py_callee *c)
{
	return a_chain(r, c, false);
}

static struct pv *crossed(struct py_run *r, const struct py_callee *c)
{
	return a_chain(r, c, true);
}

static struct pv *nothing(struct py_run *r, const struct py_callee *c)
{
	return py_value(r, PV_NONE, c->x->line);
}

/* What is known of what is imported or built in, by the end of its dotted name; NULL of a function: not with these. */
static const struct {
	const char *name;
	struct pv *(*call)(struct py_run *r, const struct py_callee *c);
} known[] = {
	{"timedelta", a_delta},   {"duration", a_delta},          {"datetime", a_date},
	{"date", a_date},         {"strptime", date_of_text},     {"parse", date_of_text},
	{"timezone", a_zone},     {"fromisoformat", date_of_text}, {"ZoneInfo", a_zone},
	{"gettz", a_zone},        {"dict", a_dict},               {"list", a_list},
	{"tuple", a_list},        {"set", a_list},                {"sorted", a_list},
	{"str", a_text},          {"range", a_range},             {"enumerate", enumerated},
	{"zip", zipped},          {"path.join", a_path},          {"getenv", a_variable},
	{"chain", chained},       {"environ.get", a_variable},    {"chain_linear", crossed},
	{"print", nothing},       {"cross_downstream", crossed},  {"getLogger", nothing},
};

static struct pv *call_name(struct py_run *r, struct str dotted, struct py_callee *c)
{
	struct str name = last_part(dotted);

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct str is = str_of(known[i].name);
		struct pv *v;

		if (!str_has_suffix(dotted, is) || (dotted.n > is.n && dotted.p[dotted.n - is.n - 1] != '.'))
			continue;
		v = known[i].call(r, c);
		return v ? v : py_unknown(r, c->x);
	}
	return is_class(name) ? object(r, name, c->args, c->kwargs, c->x->line) : py_unknown(r, c->x);
}

/* "{} {x}".format(1, x=2); `names` are the keywords, or the scope where it is an f"". */
struct pv *py_filled(struct py_run *r, struct str s, const struct py_callee *c, const struct py_expr *at)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);
	size_t place = 0;

	for (size_t i = 0; i < s.n; i++) {
		struct str in, head, tail;
		struct pv *v = NULL;
		int64_t n;
		const char *end;

		if ((s.p[i] == '{' || s.p[i] == '}') && i + 1 < s.n && s.p[i + 1] == s.p[i]) {
			buf_addc(&b, s.p[i++]);
			continue;
		}
		if (s.p[i] != '{') {
			buf_addc(&b, s.p[i]);
			continue;
		}
		end = memchr(s.p + i, '}', s.n - i);
		if (!end)
			return py_unknown(r, at);
		in = str_sub(s, i + 1, (size_t)(end - s.p) - i - 1);
		i = (size_t)(end - s.p);
		if (str_cut(in, '!', &head, &tail) && tail.n == 1)
			in = head;
		if (c) {
			v = !in.n ? arg(c, place++, "") : str_to_i64(in, &n) && n >= 0 ? arg(c, (size_t)n, "")
			                                : pv_get(c->kwargs, arena_cstr(r->a, in));
		} else {
			r->w->steps += 20 + in.n / 4;
			if (r->w->steps > PY_MAX_STEPS)
				return py_unknown(r, at);
			struct py_expr *x = py_parse_expr(r->a, arena_str(r->a, in), at->line);

			v = x ? py_eval(r, x) : NULL;
		}
		if (!v || !pv_text(r->a, v).p)
			return py_unknown(r, at);
		buf_addstr(&b, pv_text(r->a, v));
	}
	return py_string(r, buf_str(&b), at->line);
}

/* "a %s b %(c)s" % x */
struct pv *py_percent(struct py_run *r, struct str s, struct pv *with, const struct py_expr *at)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);
	size_t place = 0;

	for (size_t i = 0; i < s.n; i++) {
		struct pv *v = with;
		const char *end;

		if (s.p[i] != '%' || i + 1 == s.n) {
			buf_addc(&b, s.p[i]);
			continue;
		}
		if (s.p[++i] == '%') {
			buf_addc(&b, '%');
			continue;
		}
		if (s.p[i] == '(' && (end = memchr(s.p + i, ')', s.n - i))) {
			v = pv_get(with, arena_cstr(r->a, str_sub(s, i + 1, (size_t)(end - s.p) - i - 1)));
			i = (size_t)(end - s.p) + 1;
		} else if (with->kind == PV_LIST) {
			v = place < with->items.n ? with->items.p[place++] : NULL;
		}
		if (!v || !pv_text(r->a, v).p || i >= s.n || !strchr("sdir", s.p[i]))
			return py_unknown(r, at);
		buf_addstr(&b, pv_text(r->a, v));
	}
	return py_string(r, buf_str(&b), at->line);
}

static struct pv *replaced(struct py_run *r, struct str s, struct str from, struct str to, int line)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	for (size_t i = 0; i < s.n;)
		if (from.n && str_has_prefix(str_sub(s, i, from.n), from)) {
			buf_addstr(&b, to);
			i += from.n;
		} else {
			buf_addc(&b, s.p[i++]);
		}
	return py_string(r, buf_str(&b), line);
}

static struct pv *text_method(struct py_run *r, struct pv *of, struct str name, struct py_callee *c)
{
	struct pv *x = arg(c, 0, ""), *y = arg(c, 1, "");
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	if (str_is(name, "format"))
		return py_filled(r, of->s, c, c->x);
	if (str_is(name, "join"))
		return x && x->kind == PV_LIST ? joined(r, c, x, of->s) : py_unknown(r, c->x);
	if (str_is(name, "strip"))
		return py_string(r, str_trim(of->s), c->x->line);
	if (str_is(name, "replace") && x && y && x->kind == PV_STR && y->kind == PV_STR)
		return replaced(r, of->s, x->s, y->s, c->x->line);
	if (str_is(name, "lower") || str_is(name, "upper")) {
		for (size_t i = 0; i < of->s.n; i++) {
			char ch = of->s.p[i];

			if (str_is(name, "lower") ? ch >= 'A' && ch <= 'Z' : ch >= 'a' && ch <= 'z')
				ch ^= 0x20;
			buf_addc(&b, ch);
		}
		return py_string(r, buf_str(&b), c->x->line);
	}
	return py_unknown(r, c->x);
}

static struct pv *dict_method(struct py_run *r, struct pv *of, struct str name, struct py_callee *c)
{
	struct pv *x = arg(c, 0, ""), *y = arg(c, 1, ""), *list = py_value(r, PV_LIST, c->x->line);

	if (str_is(name, "get") && x && x->kind == PV_STR) {
		struct pv *v = pv_get(of, arena_cstr(r->a, x->s));

		return v ? v : y ? y : py_value(r, PV_NONE, c->x->line);
	}
	if (str_is(name, "copy")) {
		struct pv *v = py_value(r, PV_DICT, c->x->line);

		for (size_t i = 0; i < of->items.n; i++)
			py_put(r, v, of->keys.p[i], of->items.p[i]);
		return v;
	}
	if (str_is(name, "update") && ((x && x->kind == PV_DICT) || c->kwargs->items.n)) {
		for (size_t i = 0; x && x->kind == PV_DICT && i < x->items.n; i++)
			py_put(r, of, x->keys.p[i], x->items.p[i]);
		for (size_t i = 0; i < c->kwargs->items.n; i++)
			py_put(r, of, c->kwargs->keys.p[i], c->kwargs->items.p[i]);
		return py_value(r, PV_NONE, c->x->line);
	}
	if (!str_is(name, "items") && !str_is(name, "keys") && !str_is(name, "values"))
		return py_unknown(r, c->x);
	for (size_t i = 0; i < of->items.n; i++) {
		struct pv *pair = py_value(r, PV_LIST, c->x->line);

		vec_push(r->a, &pair->items, of->keys.p[i]);
		vec_push(r->a, &pair->items, of->items.p[i]);
		vec_push(r->a, &list->items,
		         str_is(name, "items") ? pair : str_is(name, "keys") ? of->keys.p[i] : of->items.p[i]);
	}
	return list;
}

static struct pv *method(struct py_run *r, struct pv *of, struct str name, struct py_callee *c)
{
	struct pv *x = arg(c, 0, "task_or_task_list");

	switch (of->kind) {
	case PV_STR:
		return text_method(r, of, name, c);
	case PV_DICT:
		return dict_method(r, of, name, c);
	case PV_LIST:
		if (str_is(name, "append") && x && of->items.n < PY_MAX_ITEMS && x != of)
			vec_push(r->a, &of->items, x);
		else if (str_is(name, "extend") && x && x->kind == PV_LIST && x != of)
			for (size_t i = 0; i < x->items.n && of->items.n < PY_MAX_ITEMS; i++)
				vec_push(r->a, &of->items, x->items.p[i]);
		else
			return py_unknown(r, c->x);
		return py_value(r, PV_NONE, c->x->line);
	case PV_OBJECT:
		if (str_is(name, "set_upstream") && x)
			py_edge(r, x, of, c->x->line, 0);
		else if (str_is(name, "set_downstream") && x)
			py_edge(r, of, x, c->x->line, 0);
		else
			py_note(r, c->x->line, "%.*s", str_sub(r->w->source, c->x->from, c->x->to - c->x->from));
		return of;
	case PV_DEF:
		if (str_is(name, "override"))
			return of;
		py_note(r, c->x->line, "%.*s: one task is made", str_sub(r->w->source, c->x->from,
		                                                         c->x->to - c->x->from));
		return call_def(r, of->def, c);
	default:
		return py_unknown(r, c->x);
	}
}

/* Op.partial(...).expand(...): one task, of what is the same for all. */
static struct pv *mapped(struct py_run *r, const struct py_expr *x, struct pv *of, struct py_callee *c)
{
	struct str head, name;

	if (!str_rcut(of->s, '.', &head, &name) || (!str_is(name, "partial") && !str_is(name, "expand")) ||
	    !is_class(last_part(head)))
		return call_name(r, of->s, c);
	py_note(r, x->line, "%.*s: one task is made, not one for each",
	        str_sub(r->w->source, x->from, x->to - x->from));
	return object(r, last_part(head), c->args, c->kwargs, x->line);
}

struct pv *py_call(struct py_run *r, const struct py_expr *x)
{
	struct py_callee c;
	struct pv *of;

	if (x->a->kind == PX_ATTR) {
		of = py_eval(r, x->a->a);
		if (of->kind != PV_NAME && of->kind != PV_UNKNOWN) {
			collect(r, x, &c);
			return method(r, of, x->a->s, &c);
		}
	}
	of = py_eval(r, x->a);
	collect(r, x, &c);
	if (of->kind == PV_DEF)
		return call_def(r, of->def, &c);
	return of->kind == PV_NAME ? mapped(r, x, of, &c) : py_unknown(r, x);
}
