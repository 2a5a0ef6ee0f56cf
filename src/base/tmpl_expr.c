/* Values of expressions. */
#include <math.h>

#include "base/str.h"
#include "base/tmpl_in.h"

#define MAX_NAMES 256 /* looked at for a suggestion */

int tmpl_bad(struct teval *t, size_t at, const char *fmt, ...)
{
	va_list ap;
	int line, col;

	va_start(ap, fmt);
	err_vset(t->e, ERR_BAD_CONFIG, fmt, ap);
	va_end(ap);
	text_line_col(t->source, at, &line, &col);
	return err_at(t->e, t->file, line, col);
}

int tmpl_step(struct teval *t, size_t at, size_t n)
{
	t->steps += n;
	if (t->steps <= TMPL_MAX_STEPS)
		return 0;
	tmpl_bad(t, at, "the template takes more than %d steps", TMPL_MAX_STEPS);
	t->e->code = ERR_LIMIT;
	return -1;
}

int tmpl_make(struct teval *t, size_t at, size_t n)
{
	t->made += n;
	if (n <= TMPL_MAX_OUT && t->made <= TMPL_MAX_MADE)
		return 0;
	tmpl_bad(t, at, "the template makes a text of more than %zu MiB", TMPL_MAX_OUT >> 20);
	t->e->code = ERR_LIMIT;
	return -1;
}

bool tmpl_truth(const struct dom *v)
{
	switch (v->type) {
	case DOM_NULL:
		return false;
	case DOM_BOOL:
		return v->b;
	case DOM_INT:
		return v->i != 0;
	case DOM_REAL:
		return v->d != 0;
	case DOM_STR:
		return v->s.n > 0;
	default:
		return v->n > 0;
	}
}

/* ---- names ---- */

static int no_such(struct teval *t, size_t at, const char *prefix, struct str name, const struct dom *among, bool top)
{
	struct str names[MAX_NAMES];
	size_t n = 0;
	int near;

	tmpl_bad(t, at, "there is no %s%s", prefix, STR_SHOWN(name));
	for (const struct tscope *s = t->scope; top && s && n < MAX_NAMES; s = s->up)
		names[n++] = s->name;
	dom_each(c, among)
		if (n < MAX_NAMES)
			names[n++] = c->key;
	near = str_nearest(name, names, n);
	if (near >= 0) {
		err_hint(t->e, "did you mean %s%s?", prefix, STR_SHOWN(names[near]));
	} else if (n && n <= 12) {
		struct buf b = BUF_INIT(300);

		for (size_t i = 0; i < n; i++)
			buf_addf(&b, "%s%s%s", i ? ", " : "", prefix, STR_SHOWN(names[i]));
		err_hint(t->e, "there %s %s", n == 1 ? "is" : "are", b.p);
		buf_free(&b);
	}
	t->missing = true;
	return -1;
}

static int name(struct teval *t, const struct tx *x, struct tval *out)
{
	const struct dom *var;

	for (const struct tscope *s = t->scope; s; s = s->up) {
		if (str_eq(s->name, x->name)) {
			*out = s->value;
			return 0;
		}
		if (str_is(x->name, "loop")) {
			*out = (struct tval){.v = s->loop};
			return 0;
		}
	}
	var = dom_get(t->env->vars, x->name.p);
	if (!var)
		return no_such(t, x->at, "", x->name, t->env->vars, true);
	*out = (struct tval){.v = var, .ds = var->type == DOM_STR && str_is(x->name, "ds")};
	return 0;
}

/* "params." for the x in params.x, as far as it is names; "" otherwise. */
static const char *path_of(struct teval *t, const struct tx *x)
{
	if (x->op == TX_NAME)
		return arena_printf(t->a, "%s.", x->name.p);
	if (x->op == TX_DOT)
		return arena_printf(t->a, "%s%s.", path_of(t, x->args), x->name.p);
	return "";
}

static int dot(struct teval *t, const struct tx *x, struct tval *out)
{
	struct tval of;
	const struct dom *v;

	if (tmpl_eval(t, x->args, &of))
		return -1;
	if (of.v->type != DOM_MAP) {
		t->missing = of.v->type == DOM_NULL;
		return tmpl_bad(t, x->at, "there is no .%s in %s", x->name.p, dom_type_word(of.v->type));
	}
	v = dom_get(of.v, x->name.p);
	if (!v)
		return no_such(t, x->at, path_of(t, x->args), x->name, of.v, false);
	*out = (struct tval){.v = v};
	return 0;
}

static int index_of(struct teval *t, const struct tx *x, struct tval *out)
{
	struct tval of, key;
	const struct dom *v;
	int64_t i;

	if (tmpl_eval(t, x->args, &of) || tmpl_eval(t, x->args->next, &key))
		return -1;
	if (of.v->type == DOM_MAP && key.v->type == DOM_STR) {
		v = NULL;
		dom_each(c, of.v)
			if (str_eq(c->key, key.v->s)) {
				v = c;
				break;
			}
		if (!v)
			return no_such(t, x->at, path_of(t, x->args), key.v->s, of.v, false);
		*out = (struct tval){.v = v};
		return 0;
	}
	if (of.v->type != DOM_LIST || key.v->type != DOM_INT)
		return tmpl_bad(t, x->at, "%s cannot be indexed by %s", dom_type_word(of.v->type),
		        dom_type_word(key.v->type));
	i = key.v->i < 0 ? key.v->i + (int64_t)of.v->n : key.v->i;
	if (i < 0 || i >= (int64_t)of.v->n) {
		t->missing = true;
		return tmpl_bad(t, x->at, "the list has %zu items, there is none at [%lld]", of.v->n,
		        (long long)key.v->i);
	}
	if (tmpl_step(t, x->at, (size_t)i / 16))
		return -1;
	for (v = of.v->first; i--;)
		v = v->next;
	*out = (struct tval){.v = v, .ds = of.ds};
	return 0;
}

/* ---- operators ---- */

static bool is_number(const struct dom *v)
{
	return v->type == DOM_INT || v->type == DOM_REAL;
}

static double real_of(const struct dom *v)
{
	return v->type == DOM_INT ? (double)v->i : v->d;
}

static int whole(struct teval *t, const struct tx *x, int64_t a, int64_t b, struct tval *out)
{
	int64_t r = 0;
	bool over = x->op == TX_ADD   ? __builtin_add_overflow(a, b, &r)
	            : x->op == TX_SUB ? __builtin_sub_overflow(a, b, &r)
	                              : __builtin_mul_overflow(a, b, &r);

	if (over)
		return tmpl_bad(t, x->at, "the result is too large for a whole number");
	*out = (struct tval){.v = dom_new_int(t->a, r)};
	return 0;
}

static int arithmetic(struct teval *t, const struct tx *x, const struct dom *a, const struct dom *b, struct tval *out)
{
	double p, q, r;

	if (!is_number(a) || !is_number(b)) {
		tmpl_bad(t, x->at, "cannot calculate with %s and %s", dom_type_word(a->type), dom_type_word(b->type));
		if (x->op == TX_ADD && a->type == DOM_STR)
			return err_hint(t->e,
			        "~ joins texts; ds_add(ds, 7) counts days; | int makes a number of a text");
		return a->type == DOM_STR || b->type == DOM_STR ? err_hint(t->e, "| int makes a number of a text") : -1;
	}
	if (a->type == DOM_INT && b->type == DOM_INT && x->op != TX_DIV)
		return whole(t, x, a->i, b->i, out);
	p = real_of(a);
	q = real_of(b);
	if (x->op == TX_DIV && q == 0)
		return tmpl_bad(t, x->at, "division by zero");
	r = x->op == TX_ADD ? p + q : x->op == TX_SUB ? p - q : x->op == TX_MUL ? p * q : p / q;
	if (!isfinite(r))
		return tmpl_bad(t, x->at, "the result is too large for a number");
	if (x->op == TX_DIV && a->type == DOM_INT && b->type == DOM_INT && a->i != INT64_MIN && a->i % b->i == 0)
		*out = (struct tval){.v = dom_new_int(t->a, a->i / b->i)};
	else
		*out = (struct tval){.v = dom_new_real(t->a, r)};
	return 0;
}

static int less(struct teval *t, const struct tx *x, const struct dom *a, const struct dom *b, bool *out)
{
	int c;

	if (is_number(a) && is_number(b)) {
		double p = real_of(a), q = real_of(b);

		c = a->type == DOM_INT && b->type == DOM_INT ? (a->i > b->i) - (a->i < b->i) : (p > q) - (p < q);
	} else if (a->type == DOM_STR && b->type == DOM_STR) {
		c = str_cmp(a->s, b->s);
	} else {
		return tmpl_bad(t, x->at, "cannot tell whether %s is less than %s", dom_type_word(a->type),
		        dom_type_word(b->type));
	}
	*out = x->op == TX_LT ? c < 0 : x->op == TX_LE ? c <= 0 : x->op == TX_GT ? c > 0 : c >= 0;
	return 0;
}

static int within(struct teval *t, const struct tx *x, const struct dom *a, const struct dom *b, bool *out)
{
	*out = false;
	if (b->type == DOM_STR && a->type == DOM_STR) {
		*out = !a->s.n || memmem(b->s.p, b->s.n, a->s.p, a->s.n);
		return tmpl_step(t, x->at, b->s.n / 64);
	}
	if (b->type != DOM_LIST && b->type != DOM_MAP)
		return tmpl_bad(t, x->at, "\"in\" looks into a list, a map or a text, not %s", dom_type_word(b->type));
	dom_each(c, b)
		if (b->type == DOM_LIST ? dom_equal(c, a) : a->type == DOM_STR && str_eq(c->key, a->s)) {
			*out = true;
			break;
		}
	return tmpl_step(t, x->at, b->n / 16);
}

static int join_texts(struct teval *t, const struct tx *x, const struct dom *a, const struct dom *b, struct tval *out)
{
	struct str p = dom_text(t->a, a), q = dom_text(t->a, b);
	struct dom *n;
	char *to;

	if (tmpl_make(t, x->at, p.n + q.n))
		return -1;
	to = arena_alloc(t->a, p.n + q.n + 1);
	memcpy(to, p.p, p.n);
	memcpy(to + p.n, q.p, q.n);
	n = dom_new(t->a, DOM_STR);
	n->s = (struct str){to, p.n + q.n};
	*out = (struct tval){.v = n};
	return 0;
}

static int binary(struct teval *t, const struct tx *x, struct tval *out)
{
	struct tval a, b;
	bool is = false;
	int rc = 0;

	if (tmpl_eval(t, x->args, &a) || tmpl_eval(t, x->args->next, &b))
		return -1;
	switch (x->op) {
	case TX_ADD:
	case TX_SUB:
	case TX_MUL:
	case TX_DIV:
		return arithmetic(t, x, a.v, b.v, out);
	case TX_JOIN:
		return join_texts(t, x, a.v, b.v, out);
	case TX_EQ:
	case TX_NE:
		is = dom_equal(a.v, b.v) == (x->op == TX_EQ);
		break;
	case TX_IN:
	case TX_NOT_IN:
		rc = within(t, x, a.v, b.v, &is);
		is = is == (x->op == TX_IN);
		break;
	default:
		rc = less(t, x, a.v, b.v, &is);
	}
	if (rc)
		return -1;
	*out = (struct tval){.v = dom_new_bool(t->a, is)};
	return 0;
}

static int unary(struct teval *t, const struct tx *x, struct tval *out)
{
	struct tval v;

	if (tmpl_eval(t, x->args, &v))
		return -1;
	if (x->op == TX_NOT) {
		*out = (struct tval){.v = dom_new_bool(t->a, !tmpl_truth(v.v))};
		return 0;
	}
	if (!is_number(v.v))
		return tmpl_bad(t, x->at, "cannot take the negative of %s", dom_type_word(v.v->type));
	if (v.v->type == DOM_REAL)
		*out = (struct tval){.v = dom_new_real(t->a, -v.v->d)};
	else if (v.v->i == INT64_MIN)
		return tmpl_bad(t, x->at, "the result is too large for a whole number");
	else
		*out = (struct tval){.v = dom_new_int(t->a, -v.v->i)};
	return 0;
}

/* `a and b`, `a or b` give the operand that decided, as in Python. */
static int logic(struct teval *t, const struct tx *x, struct tval *out)
{
	struct tval v;

	if (tmpl_eval(t, x->args, &v))
		return -1;
	if (tmpl_truth(v.v) == (x->op == TX_AND))
		return tmpl_eval(t, x->args->next, out);
	*out = v;
	return 0;
}

static int list(struct teval *t, const struct tx *x, struct tval *out)
{
	struct dom *l = dom_new(t->a, DOM_LIST), *c;
	struct tval v;

	for (const struct tx *arg = x->args; arg; arg = arg->next) {
		if (tmpl_eval(t, arg, &v))
			return -1;
		/* The value may hang in another list already; what is below it is shared. */
		c = dom_new(t->a, v.v->type);
		*c = *v.v;
		c->key = STR_NULL;
		dom_add(l, c);
	}
	*out = (struct tval){.v = l};
	return 0;
}

/* ---- calls ---- */

#define MAX_ARGS 8

/* An argument; where a name of it does not exist, the operand of `default` is none. */
static int argument(struct teval *t, const struct tx *x, bool forgiving, struct tval *out)
{
	struct err lost = ERR_INIT, *e = t->e;
	int rc;

	if (!forgiving)
		return tmpl_eval(t, x, out);
	t->e = &lost;
	t->missing = false;
	rc = tmpl_eval(t, x, out);
	t->e = e;
	if (rc && t->missing) {
		*out = (struct tval){.v = dom_new(t->a, DOM_NULL)};
		rc = 0;
	} else if (rc) {
		*e = lost;
	}
	t->missing = false;
	return rc;
}

static int call(struct teval *t, const struct tx *x, struct tval *out)
{
	const struct tfn *f = x->op == TX_CALL ? tmpl_function(t, x) : tmpl_filter(t, x);
	size_t n = 0, own = x->op == TX_FILTER; /* the operand is no argument to the user */
	struct tval args[MAX_ARGS];

	if (!f)
		return -1;
	if (x->n < f->least || x->n > f->most)
		return tmpl_bad(t, x->at, "%s takes %zu%s argument%s, not %zu", f->name, f->least - own,
		                f->most == f->least ? "" : " or more",
		        f->least == f->most && f->most - own == 1 ? "" : "s", x->n - own);
	for (const struct tx *arg = x->args; arg; arg = arg->next, n++) {
		BUG_IF(n == MAX_ARGS);
		if (argument(t, arg, own && n == 0 && str_is(x->name, "default"), &args[n]))
			return -1;
	}
	return f->call(t, x->at, args, n, out);
}

int tmpl_eval(struct teval *t, const struct tx *x, struct tval *out)
{
	if (tmpl_step(t, x->at, 1))
		return -1;
	switch (x->op) {
	case TX_CONST:
		*out = (struct tval){.v = x->value};
		return 0;
	case TX_NAME:
		return name(t, x, out);
	case TX_DOT:
		return dot(t, x, out);
	case TX_INDEX:
		return index_of(t, x, out);
	case TX_CALL:
	case TX_FILTER:
		return call(t, x, out);
	case TX_LIST:
		return list(t, x, out);
	case TX_NOT:
	case TX_NEG:
		return unary(t, x, out);
	case TX_AND:
	case TX_OR:
		return logic(t, x, out);
	default:
		return binary(t, x, out);
	}
}
