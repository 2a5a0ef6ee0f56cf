#include "api/ops.h"
#include "base/str.h"

static const struct op_opt *must_option(const struct args *a, const char *name)
{
	const struct op_opt *o = op_option(a->op, str_of(name));

	if (!o)
		BUG("operation %s has no option --%s", a->op->name, name);
	return o;
}

size_t args_count(const struct args *a, const char *opt)
{
	const struct op_opt *o = must_option(a, opt);
	size_t n = 0;

	for (size_t i = 0; i < a->values.n; i++)
		n += a->values.p[i].opt == o;
	return n;
}

bool args_flag(const struct args *a, const char *opt)
{
	return args_count(a, opt) > 0;
}

struct str args_nth(const struct args *a, const char *opt, size_t nth)
{
	const struct op_opt *o = must_option(a, opt);

	for (size_t i = 0; i < a->values.n; i++)
		if (a->values.p[i].opt == o && !nth--)
			return a->values.p[i].value;
	return STR_NULL;
}

struct str args_value(const struct args *a, const char *opt)
{
	size_t n = args_count(a, opt);

	return n ? args_nth(a, opt, n - 1) : STR_NULL;
}

size_t args_n(const struct args *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->values.n; i++)
		n += !a->values.p[i].opt;
	return n;
}

struct str args_pos(const struct args *a, size_t nth)
{
	for (size_t i = 0; i < a->values.n; i++)
		if (!a->values.p[i].opt && !nth--)
			return a->values.p[i].value;
	return STR_NULL;
}

int args_int(const struct args *a, const char *opt, int64_t min, int64_t max, int64_t fallback, int64_t *out,
             struct err *e)
{
	struct str s = args_value(a, opt);
	int64_t v;

	if (!s.p) {
		*out = fallback;
		return 0;
	}
	if (!str_to_i64(s, &v) || v < min || v > max)
		return err_set(e, ERR_BAD_REQUEST, "--%s '%.*s' is not a number from %lld to %lld", opt, STR_ARG(s),
		               (long long)min, (long long)max);
	*out = v;
	return 0;
}

static int unknown_option(const struct op *op, struct str name, struct err *e)
{
	struct str names[64];
	size_t n = MIN(op->n_opts, ARRAY_LEN(names));
	int near;

	for (size_t i = 0; i < n; i++)
		names[i] = str_of(op->opts[i].name);
	err_set(e, ERR_BAD_REQUEST, "'leat %s' has no option '--%.*s'", op->name, STR_ARG(name));
	if (str_is(name, op_on.name))
		return err_hint(e, "it reads nothing of the repos, so it does the same on every workspace branch");
	near = str_nearest(name, names, n);
	if (near >= 0)
		return err_hint(e, "did you mean '--%.*s'?", STR_ARG(names[near]));
	/* Where a ds is a word of its own, as in `leat run JOB 2017-11-27`. */
	for (size_t i = 0; str_is(name, "ds") && i < op->n_pos; i++)
		if (op->pos[i].kind == ARG_DS)
			return err_hint(e, "the ds stands by itself: leat %s JOB 2017-11-27", op->name);
	return err_hint(e, "'leat help %s' lists its options", op->name);
}

static void push(struct args *out, const struct op_opt *o, struct str value)
{
	struct arg_value v = {o, value};

	vec_push(out->arena, &out->values, v);
}

/* --name, --name=value, --name value. *i is moved over a value taken from the next word. */
static int parse_long(struct args *out, int argc, const char *const *argv, int *i, struct err *e)
{
	struct str word = str_of(argv[*i] + 2), name = word, value = STR_NULL;
	bool has_value = str_cut(word, '=', &name, &value);
	const struct op_opt *o = op_option(out->op, name);

	if (!o)
		return unknown_option(out->op, name, e);
	if (!*o->arg) {
		if (has_value)
			return err_set(e, ERR_BAD_REQUEST, "--%s takes no value", o->name);
		value = STR("");
	} else if (!has_value) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_BAD_REQUEST, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
		value = str_of(argv[++*i]);
	}
	push(out, o, value);
	return 0;
}

/* -l, -lR, -j4, -j 4 */
static int parse_short(struct args *out, int argc, const char *const *argv, int *i, struct err *e)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct op_opt *o = op_option_letter(out->op, *p);

		if (!o) {
			err_set(e, ERR_BAD_REQUEST, "'leat %s' has no option '-%c'", out->op->name, *p);
			return err_hint(e, "'leat help %s' lists its options", out->op->name);
		}
		if (!*o->arg) {
			push(out, o, STR(""));
			continue;
		}
		if (p[1]) {
			push(out, o, str_of(p + 1));
			return 0;
		}
		if (*i + 1 >= argc)
			return err_set(e, ERR_BAD_REQUEST, "-%c needs a value: -%c %s", *p, *p, o->arg);
		push(out, o, str_of(argv[++*i]));
	}
	return 0;
}

static int check_count(const struct args *a, struct err *e)
{
	size_t n = args_n(a), min = 0, max = 0;
	bool any = false;

	for (size_t i = 0; i < a->op->n_pos; i++) {
		min += (size_t)a->op->pos[i].min;
		max += (size_t)a->op->pos[i].max;
		any = any || !a->op->pos[i].max;
	}
	if (n < min) {
		const struct op_pos *p = a->op->pos;
		size_t left = n;

		while (left >= (size_t)p->min && p->min)
			left -= (size_t)p++->min;
		err_set(e, ERR_BAD_REQUEST, "'leat %s' needs %s", a->op->name, p->name);
		return err_hint(e, "%s; see 'leat help %s'", p->text, a->op->name);
	}
	if (n > max && !any) {
		struct str extra = args_pos(a, max);

		err_set(e, ERR_BAD_REQUEST, "'leat %s' does not take '%.*s'", a->op->name, STR_ARG(extra));
		return err_hint(e, "see 'leat help %s'", a->op->name);
	}
	return 0;
}

int args_parse(const struct op *op, struct arena *arena, int argc, const char *const *argv, struct args *out,
               struct err *e)
{
	struct args a = {.op = op, .arena = arena};
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		const char *w = argv[i];

		if (only_words || w[0] != '-' || !w[1]) {
			push(&a, NULL, str_of(w));
		} else if (!strcmp(w, "--")) {
			only_words = true;
		} else if (w[1] == '-') {
			if (parse_long(&a, argc, argv, &i, e))
				return -1;
		} else if (parse_short(&a, argc, argv, &i, e)) {
			return -1;
		}
	}
	if (check_count(&a, e))
		return -1;
	*out = a;
	return 0;
}
