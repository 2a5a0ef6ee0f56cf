/* The functions and filters of templates: two tables, at the end. */
#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "base/tmpl_in.h"

/* ---- small tools ---- */

static int give_str(struct teval *t, size_t at, struct str s, struct tval *out)
{
	if (tmpl_make(t, at, s.n))
		return -1;
	*out = (struct tval){.v = dom_new_str(t->a, s)};
	return 0;
}

/* What was gathered in b, which is freed. */
static int give_buf(struct teval *t, size_t at, struct buf *b, struct tval *out)
{
	size_t n = buf_over(b) ? TMPL_MAX_OUT + 1 : b->n;
	int rc = tmpl_make(t, at, n);

	if (!rc)
		*out = (struct tval){.v = dom_new_str(t->a, buf_str(b))};
	buf_free(b);
	return rc;
}

static int want_int(struct teval *t, size_t at, const struct tval *v, int64_t *out)
{
	if (v->v->type != DOM_INT)
		return tmpl_bad(t, at, "a whole number should stand here, not %s", dom_type_word(v->v->type));
	*out = v->v->i;
	return 0;
}

static int want_ds(struct teval *t, size_t at, const struct tval *v, struct ds *out)
{
	struct err e = ERR_INIT;

	if (v->v->type != DOM_STR || !v->v->s.n)
		return tmpl_bad(t, at, "a ds should stand here, not %s",
		        v->v->type == DOM_STR ? "nothing" : dom_type_word(v->v->type));
	if (ds_parse(v->v->s, out, &e)) {
		tmpl_bad(t, at, "%s", e.msg);
		return err_hint(t->e, "%s", e.hint);
	}
	return 0;
}

static const struct tz *zone(const struct teval *t)
{
	return t->env->tz ? t->env->tz : tz_utc();
}

/* ---- functions ---- */

static int add_n(struct teval *t, size_t at, const struct tval *args, bool minus, struct tval *out)
{
	struct ds d;
	int64_t n = 0;

	if (want_ds(t, at, &args[0], &d) || want_int(t, at, &args[1], &n))
		return -1;
	n = MAX(-(int64_t)DS_RANGE_MAX, MIN(n, (int64_t)DS_RANGE_MAX));
	d = ds_add(&d, minus ? -n : n, zone(t));
	if (give_str(t, at, str_of(d.label), out))
		return -1;
	out->ds = true;
	return 0;
}

static int fn_ds_add(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return add_n(t, at, args, false, out);
}

static int fn_ds_sub(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return add_n(t, at, args, true, out);
}

static int bound(struct teval *t, size_t at, const struct tval *arg, bool end, struct tval *out)
{
	struct interval i;
	struct civil c;
	char text[40];
	struct ds d;

	if (want_ds(t, at, arg, &d))
		return -1;
	i = ds_interval(&d, zone(t));
	tz_to_civil(tz_utc(), end ? i.end : i.start, &c);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
	        c.second);
	if (give_str(t, at, str_of(text), out))
		return -1;
	out->ds = true;
	return 0;
}

static int fn_ds_start(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return bound(t, at, &args[0], false, out);
}

static int fn_ds_end(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return bound(t, at, &args[0], true, out);
}

static int fn_ds_range(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct dom *list = dom_new(t->a, DOM_LIST);
	struct ds from, to, next;

	if (want_ds(t, at, &args[0], &from) || want_ds(t, at, &args[1], &to))
		return -1;
	if (from.every != to.every)
		return tmpl_bad(t, at, "%s is %s, %s is %s: a range has two of one kind", from.label,
		        every_word(from.every), to.label,
		                every_word(to.every));
	while (ds_cmp(&from, &to) <= 0) {
		if (tmpl_step(t, at, 1))
			return -1;
		dom_add(list, dom_new_str(t->a, str_of(from.label)));
		next = ds_add(&from, 1, zone(t));
		if (ds_cmp(&next, &from) <= 0) /* where years end */
			break;
		from = next;
	}
	*out = (struct tval){.v = list, .ds = true};
	return 0;
}

/* One letter of ds_format's pattern; false if there is none such. */
static bool format_one(struct buf *b, char letter, const struct civil *c, int64_t start)
{
	static const char *const days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
	        "Sunday"};
	static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August",
	                                     "September", "October", "November", "December"};
	int64_t day = days_from_civil(c->year, c->month, c->day), weekday = ((day + 3) % 7 + 7) % 7,
	        thursday = day - weekday + 3;
	int iso_year, m, d;

	civil_from_days(thursday, &iso_year, &m, &d);
	switch (letter) {
	case 'Y': return buf_addf(b, "%04d", c->year), true;
	case 'y': return buf_addf(b, "%02d", c->year % 100), true;
	case 'm': return buf_addf(b, "%02d", c->month), true;
	case 'd': return buf_addf(b, "%02d", c->day), true;
	case 'H': return buf_addf(b, "%02d", c->hour), true;
	case 'M': return buf_addf(b, "%02d", c->minute), true;
	case 'S': return buf_addf(b, "%02d", c->second), true;
	case 'j': return buf_addf(b, "%03d", (int)(day - days_from_civil(c->year, 1, 1)) + 1), true;
	case 'G': return buf_addf(b, "%04d", iso_year), true;
	case 'V': return buf_addf(b, "%02d", (int)(thursday - days_from_civil(iso_year, 1, 1)) / 7 + 1), true;
	case 'u': return buf_addf(b, "%d", (int)weekday + 1), true;
	case 'F': return buf_addf(b, "%04d-%02d-%02d", c->year, c->month, c->day), true;
	case 's': return buf_addf(b, "%lld", (long long)start), true;
	case 'A': return buf_adds(b, days[weekday]), true;
	case 'a': return buf_add(b, days[weekday], 3), true;
	case 'B': return buf_adds(b, months[c->month - 1]), true;
	case 'b': return buf_add(b, months[c->month - 1], 3), true;
	case '%': return buf_addc(b, '%'), true;
	default: return false;
	}
}

/* Of the start of the partition, in the zone of the job. */
static int fn_ds_format(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);
	struct str f = args[1].v->type == DOM_STR ? args[1].v->s : STR_NULL;
	struct civil c;
	struct ds d;
	int64_t start;

	if (want_ds(t, at, &args[0], &d))
		return -1;
	if (args[1].v->type != DOM_STR)
		return tmpl_bad(t, at, "the format is a text such as '%%Y/%%m/%%d', not %s",
		        dom_type_word(args[1].v->type));
	start = ds_interval(&d, zone(t)).start;
	tz_to_civil(zone(t), start, &c);
	for (size_t i = 0; i < f.n; i++) {
		if (f.p[i] != '%') {
			buf_addc(&b, f.p[i]);
			continue;
		}
		if (++i < f.n && format_one(&b, f.p[i], &c, start))
			continue;
		buf_free(&b);
		tmpl_bad(t, at, "\"%%%s\" is no part of a date format", i < f.n ? STR_SHOWN(str_sub(f, i, 1)) : "");
		return err_hint(t->e,
		        "there are %%Y %%y %%m %%d %%H %%M %%S %%j %%F %%G %%V %%u %%A %%a %%B %%b %%s and %%%%");
	}
	return give_buf(t, at, &b, out);
}

static int fn_len(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	const struct dom *v = args[0].v;
	int64_t len = 0;
	uint32_t cp;

	if (v->type == DOM_STR) {
		if (tmpl_step(t, at, v->s.n / 64))
			return -1;
		for (size_t i = 0; i < v->s.n; len++)
			i += MAX(str_utf8_get(str_sub(v->s, i, 4), &cp), (size_t)1);
	} else if (v->type == DOM_LIST || v->type == DOM_MAP) {
		len = (int64_t)v->n;
	} else {
		return tmpl_bad(t, at, "%s has no length", dom_type_word(v->type));
	}
	*out = (struct tval){.v = dom_new_int(t->a, len)};
	return 0;
}

/* range(to), range(from, to), range(from, to, step): `to` itself is not in it. */
static int fn_range(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct dom *list = dom_new(t->a, DOM_LIST);
	int64_t from = 0, to = 0, step = 1;

	if (n == 1 ? want_int(t, at, &args[0], &to) : want_int(t, at, &args[0], &from) ||
	        want_int(t, at, &args[1], &to))
		return -1;
	if (n == 3 && want_int(t, at, &args[2], &step))
		return -1;
	if (!step)
		return tmpl_bad(t, at, "the step of a range cannot be 0");
	while (step > 0 ? from < to : from > to) {
		if (tmpl_step(t, at, 1))
			return -1;
		dom_add(list, dom_new_int(t->a, from));
		if (__builtin_add_overflow(from, step, &from))
			break;
	}
	*out = (struct tval){.v = list};
	return 0;
}

/* ---- filters ---- */

/* Between quotes, each quote within doubled. */
static void add_quoted(struct buf *b, struct str s, char quote, const char *inner)
{
	buf_addc(b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote)
			buf_adds(b, inner);
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, quote);
}

static int add_sql(struct teval *t, size_t at, struct buf *b, const struct dom *v, bool inner)
{
	switch (v->type) {
	case DOM_NULL:
		buf_adds(b, "NULL");
		return 0;
	case DOM_STR:
		if (v->s.n && memchr(v->s.p, '\0', v->s.n))
			return tmpl_bad(t, at, "a text with a NUL byte cannot stand in SQL");
		add_quoted(b, v->s, '\'', "''");
		return 0;
	case DOM_REAL:
		if (!isfinite(v->d))
			return tmpl_bad(t, at, "an infinite number cannot stand in SQL");
		buf_addstr(b, dom_text(t->a, v));
		return 0;
	case DOM_BOOL:
		buf_adds(b, v->b ? "true" : "false");
		return 0;
	case DOM_INT:
		dom_write_json(b, v, DOM_COMPACT); /* 0x1F is 31 to SQL too, 0o17 is not */
		return 0;
	case DOM_LIST:
		if (inner || !v->n)
			return tmpl_bad(t, at,
			                inner ? "a list within a list cannot stand in SQL"
			                      : "an empty list cannot stand in SQL");
		buf_addc(b, '(');
		dom_each(c, v) {
			if (c != v->first)
				buf_adds(b, ", ");
			if (add_sql(t, at, b, c, true))
				return -1;
		}
		buf_addc(b, ')');
		return 0;
	default:
		return tmpl_bad(t, at, "a map cannot stand in SQL");
	}
}

int tmpl_sql(struct teval *t, size_t at, struct buf *b, const struct dom *v)
{
	return add_sql(t, at, b, v, false);
}

static int fi_sql(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	if (add_sql(t, at, &b, args[0].v, false)) {
		buf_free(&b);
		return -1;
	}
	if (give_buf(t, at, &b, out))
		return -1;
	out->sql = true;
	return 0;
}

static int fi_ident(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	add_quoted(&b, dom_text(t->a, args[0].v), '"', "\"\"");
	if (give_buf(t, at, &b, out))
		return -1;
	out->sql = true;
	return 0;
}

/* One word to a POSIX shell, whatever is in it; a list is several words. */
static int fi_shell(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);
	const struct dom *v = args[0].v;

	if (v->type != DOM_LIST)
		add_quoted(&b, dom_text(t->a, v), '\'', "'\\''");
	else
		dom_each(c, v) {
			if (c != v->first)
				buf_addc(&b, ' ');
			add_quoted(&b, dom_text(t->a, c), '\'', "'\\''");
		}
	return give_buf(t, at, &b, out);
}

static int fi_json(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	dom_write_json(&b, args[0].v, DOM_COMPACT);
	return give_buf(t, at, &b, out);
}

static int map_case(struct teval *t, size_t at, const struct tval *arg, char first, struct tval *out)
{
	struct str s = dom_text(t->a, arg->v);
	struct dom *n = dom_new(t->a, DOM_STR);
	char *p;

	if (tmpl_make(t, at, s.n))
		return -1;
	p = arena_cstr(t->a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= first && p[i] <= first + 25)
			p[i] ^= 0x20;
	n->s = (struct str){p, s.n};
	*out = (struct tval){.v = n};
	return 0;
}

static int fi_upper(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return map_case(t, at, &args[0], 'a', out);
}

static int fi_lower(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return map_case(t, at, &args[0], 'A', out);
}

static int fi_replace(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct str s = dom_text(t->a, args[0].v), from = dom_text(t->a, args[1].v), to = dom_text(t->a, args[2].v);
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	if (!from.n)
		return tmpl_bad(t, at, "replace cannot look for an empty text");
	while (s.n && !buf_over(&b)) {
		const char *hit = memmem(s.p, s.n, from.p, from.n);
		size_t before = hit ? (size_t)(hit - s.p) : s.n;

		buf_add(&b, s.p, before);
		if (hit)
			buf_addstr(&b, to);
		s = str_sub(s, before + (hit ? from.n : 0), s.n);
	}
	return give_buf(t, at, &b, out);
}

static int fi_default(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	*out = args[args[0].v->type == DOM_NULL ? 1 : 0];
	return 0;
}

static int fi_join(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct str by = n > 1 ? dom_text(t->a, args[1].v) : STR("");
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	if (args[0].v->type != DOM_LIST)
		return tmpl_bad(t, at, "join wants a list, not %s", dom_type_word(args[0].v->type));
	dom_each(c, args[0].v) {
		if (c != args[0].v->first)
			buf_addstr(&b, by);
		buf_addstr(&b, dom_text(t->a, c));
	}
	return give_buf(t, at, &b, out);
}

static int fi_trim(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return give_str(t, at, str_trim(dom_text(t->a, args[0].v)), out);
}

static int fi_int(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	const struct dom *v = args[0].v;
	double d;
	int64_t i;

	if (v->type == DOM_INT || v->type == DOM_BOOL) {
		i = v->type == DOM_INT ? v->i : v->b;
	} else if (v->type == DOM_REAL || (v->type == DOM_STR && !str_to_i64(str_trim(v->s), &i))) {
		if (v->type == DOM_REAL)
			d = v->d;
		else if (!str_to_f64(str_trim(v->s), &d))
			return tmpl_bad(t, at, "\"%s\" is no number", STR_SHOWN(v->s));
		if (!(d > -9.2e18 && d < 9.2e18))
			return tmpl_bad(t, at, "the number is too large for a whole number");
		i = (int64_t)d;
	} else if (v->type != DOM_STR) {
		return tmpl_bad(t, at, "%s is no number", dom_type_word(v->type));
	}
	*out = (struct tval){.v = dom_new_int(t->a, i)};
	return 0;
}

static int fi_float(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	const struct dom *v = args[0].v;
	double d = 0;

	if (v->type == DOM_INT || v->type == DOM_REAL)
		d = v->type == DOM_INT ? (double)v->i : v->d;
	else if (v->type != DOM_STR || !str_to_f64(str_trim(v->s), &d))
		return tmpl_bad(t, at, "\"%s\" is no number", STR_SHOWN(dom_text(t->a, v)));
	*out = (struct tval){.v = dom_new_real(t->a, d)};
	return 0;
}

void tmpl_html(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&': buf_adds(b, "&amp;"); break;
		case '<': buf_adds(b, "&lt;"); break;
		case '>': buf_adds(b, "&gt;"); break;
		case '"': buf_adds(b, "&quot;"); break;
		case '\'': buf_adds(b, "&#39;"); break;
		default: buf_addc(b, s.p[i]);
		}
}

static int fi_html(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	struct buf b = BUF_INIT(TMPL_MAX_OUT);

	tmpl_html(&b, dom_text(t->a, args[0].v));
	if (give_buf(t, at, &b, out))
		return -1;
	out->safe = true;
	return 0;
}

static int fi_safe(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	*out = args[0];
	out->safe = true;
	return 0;
}

static int end_item(struct teval *t, size_t at, const struct tval *arg, bool last, struct tval *out)
{
	if (arg->v->type != DOM_LIST || !arg->v->n)
		return tmpl_bad(t, at, "a list that is not empty should stand here");
	*out = (struct tval){.v = last ? arg->v->last : arg->v->first, .ds = arg->ds};
	return 0;
}

static int fi_first(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return end_item(t, at, &args[0], false, out);
}

static int fi_last(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out)
{
	return end_item(t, at, &args[0], true, out);
}

/* ---- tables ---- */

static const struct tfn functions[] = {
	{"ds_add", 2, 2, fn_ds_add},     {"ds_sub", 2, 2, fn_ds_sub}, {"ds_format", 2, 2, fn_ds_format},
	{"ds_start", 1, 1, fn_ds_start}, {"ds_end", 1, 1, fn_ds_end}, {"ds_range", 2, 2, fn_ds_range},
	{"len", 1, 1, fn_len},           {"range", 1, 3, fn_range},
};

static const struct tfn filters[] = {
	{"sql", 1, 1, fi_sql},         {"ident", 1, 1, fi_ident}, {"shell", 1, 1, fi_shell},     {"sh", 1, 1, fi_shell},
	{"json", 1, 1, fi_json},       {"upper", 1, 1, fi_upper}, {"lower", 1, 1, fi_lower},
	{"replace", 3, 3, fi_replace},
	{"default", 2, 2, fi_default}, {"join", 1, 2, fi_join},   {"trim", 1, 1, fi_trim},       {"int", 1, 1, fi_int},
	{"float", 1, 1, fi_float},     {"html", 1, 1, fi_html},   {"safe", 1, 1, fi_safe},
	{"length", 1, 1, fn_len},
	{"first", 1, 1, fi_first},     {"last", 1, 1, fi_last},   {"ds_add", 2, 2, fn_ds_add},
	{"ds_sub", 2, 2, fn_ds_sub},
	{"ds_format", 2, 2, fn_ds_format},
};

static const struct tfn *find(struct teval *t, const struct tx *x, const struct tfn *table, size_t n, const char *what)
{
	struct str names[ARRAY_LEN(filters) + ARRAY_LEN(functions)];
	int near;

	for (size_t i = 0; i < n; i++) {
		if (str_is(x->name, table[i].name))
			return &table[i];
		names[i] = str_of(table[i].name);
	}
	tmpl_bad(t, x->at, "there is no %s %s", what, STR_SHOWN(x->name));
	near = str_nearest(x->name, names, n);
	if (near >= 0)
		err_hint(t->e, "did you mean %s?", names[near].p);
	return NULL;
}

const struct tfn *tmpl_function(struct teval *t, const struct tx *x)
{
	return find(t, x, functions, ARRAY_LEN(functions), "function");
}

const struct tfn *tmpl_filter(struct teval *t, const struct tx *x)
{
	return find(t, x, filters, ARRAY_LEN(filters), "filter");
}
