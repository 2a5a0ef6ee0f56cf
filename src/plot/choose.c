/* Which columns of a result are looked at, and as what; and their values as they come. */
#include "base/clean.h"
#include "base/ds.h"
#include "base/keys.h"
#include "base/str.h"
#include "plot/plot_in.h"

const char *const plot_kind_words[PLOT_KINDS] = {"auto", "line", "bar", "hist", "scatter", "heat", "spark"};

int plot_kind_parse(struct str word, enum plot_kind *out, struct err *e)
{
	for (size_t i = 0; i < PLOT_KINDS; i++)
		if (str_is(word, plot_kind_words[i])) {
			*out = (enum plot_kind)i;
			return 0;
		}
	err_set(e, ERR_BAD_REQUEST, "there is no plot of the kind '%s'", STR_SHOWN(word));
	return err_hint(e, "line, bar, hist, scatter, heat, or spark");
}

static enum plot_axis_kind kind_of_type(struct str t)
{
	static const char *const numbers[] = {
		"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
		"UHUGEINT", "FLOAT", "DOUBLE"
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (str_is(t, numbers[i]))
			return AXIS_NUMBER;
	if (str_has_prefix(t, STR("DECIMAL")) && t.p[t.n - 1] == ')')
		return AXIS_NUMBER;
	return str_is(t, "DATE") || (str_has_prefix(t, STR("TIMESTAMP")) && t.p[t.n - 1] != ']') ? AXIS_TIME
	                                                                                         : AXIS_TEXT;
}

struct choosing {
	struct plot *p;
	const struct plot_ask *ask;
	const struct str *names, *types;
	enum plot_axis_kind *kinds;
	bool *used;
	size_t n;
};

static int named(struct choosing *c, struct str name, size_t *at, struct err *e)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->names[i], name)) {
			*at = i;
			c->used[i] = true;
			return 0;
		}
	err_set(e, ERR_BAD_REQUEST, "the result has no column '%s'", STR_SHOWN(name));
	return keys_hint_nearest(e, name, c->names, c->n);
}

/* The first column of that kind which nothing else is made of; n if there is none. */
static size_t first_of(struct choosing *c, enum plot_axis_kind kind)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->used[i] && c->kinds[i] == kind)
			return i;
	return c->n;
}

static struct plot_col *take(struct choosing *c, size_t at, enum plot_axis_kind kind)
{
	struct plot_col *col = arena_new_of(c->p->a, struct plot_col);

	*col = (struct plot_col){
		.at = at, .name = arena_str(c->p->a, clean_text(c->p->a, c->names[at], "")), .kind = kind
	};
	map_init(&col->known, c->p->a);
	c->used[at] = true;
	return col;
}

static int no_number(const struct choosing *c, size_t at, const char *what, struct err *e)
{
	err_set(e, ERR_BAD_REQUEST, "%s is of numbers, and column '%s' holds %s", what, STR_SHOWN(c->names[at]),
	        STR_SHOWN(c->types[at]));
	return err_hint(e, "cast it in the query, or name another column: --x, --y, --by");
}

/* What was named is taken first, so that nothing else is made of it. */
static int choose_named(struct choosing *c, size_t *x, size_t *by, struct err *e)
{
	struct plot *p = c->p;

	*x = *by = c->n;
	if ((c->ask->x.p && named(c, c->ask->x, x, e)) || (c->ask->by.p && named(c, c->ask->by, by, e)))
		return -1;
	p->y = arena_array(p->a, struct plot_col *, MAX(c->n, c->ask->n_y));
	for (size_t i = 0; i < c->ask->n_y; i++) {
		size_t at;

		if (named(c, c->ask->y[i], &at, e))
			return -1;
		if (c->kinds[at] != AXIS_NUMBER && p->kind != PLOT_HEAT)
			return no_number(c, at, "what is drawn", e);
		p->y[p->n_y++] = take(c, at, c->kinds[at]);
	}
	return 0;
}

/* x: a time where there is one, else the first; of a histogram the first number. */
static int choose_x(struct choosing *c, size_t x, struct err *e)
{
	struct plot *p = c->p;

	if (x == c->n && p->kind == PLOT_HIST)
		x = first_of(c, AXIS_NUMBER);
	if (x == c->n && p->kind != PLOT_HEAT && p->kind != PLOT_BAR)
		x = first_of(c, AXIS_TIME);
	for (size_t i = 0; x == c->n && i < c->n; i++)
		if (!c->used[i])
			x = i;
	if (x == c->n)
		return err_set(e, ERR_BAD_REQUEST, "the result has no column left for the x axis");
	if (p->kind == PLOT_HIST && c->kinds[x] == AXIS_TEXT)
		return no_number(c, x, "a histogram", e);
	if (p->kind == PLOT_AUTO && c->n == 1 && c->kinds[x] != AXIS_TEXT)
		p->kind = PLOT_HIST;
	p->x = take(c, x, p->kind == PLOT_BAR || p->kind == PLOT_HEAT ? AXIS_TEXT : c->kinds[x]);
	return 0;
}

/* A heat map's second axis, and what it counts or shows. */
static int choose_heat(struct choosing *c, struct err *e)
{
	struct plot *p = c->p;
	size_t up = c->n;

	if (p->n_y) /* --y names the axis */
		up = p->y[0]->at;
	for (size_t i = 0; up == c->n && i < c->n; i++)
		if (!c->used[i])
			up = i;
	if (up == c->n) {
		err_set(e, ERR_BAD_REQUEST, "a heat map needs two columns, and a third for what it shows");
		return err_hint(e, "leat plot 'select weekday, hour, count(*) from ... group by all' --kind heat");
	}
	p->by = take(c, up, AXIS_TEXT);
	p->n_y = 0;
	up = first_of(c, AXIS_NUMBER);
	if (up < c->n)
		p->y[p->n_y++] = take(c, up, AXIS_NUMBER);
	return 0;
}

static void choose_rest(struct choosing *c, size_t by)
{
	struct plot *p = c->p;
	bool all = !p->n_y && p->kind != PLOT_HIST;
	size_t at;

	if (by == c->n && p->n_y < 2)
		by = first_of(c, AXIS_TEXT);
	if (by < c->n)
		p->by = take(c, by, AXIS_TEXT);
	while (all && (at = first_of(c, AXIS_NUMBER)) < c->n && p->n_y < PLOT_MAX_SERIES) {
		p->y[p->n_y++] = take(c, at, AXIS_NUMBER);
		all = !p->by;
	}
	if (!p->n_y && p->kind == PLOT_AUTO)
		p->kind = p->x->kind == AXIS_TEXT ? PLOT_BAR : PLOT_HIST;
}

int plot_new(struct arena *a, const struct plot_ask *ask, const struct str *names, const struct str *types, size_t n,
             struct plot **out, struct err *e)
{
	struct plot *p = arena_new_of(a, struct plot);
	struct choosing c = {p, ask, names, types, arena_array(a, enum plot_axis_kind, n + 1),
	                     arena_array(a, bool, n + 1), n};
	size_t x, by;

	*p = (struct plot){.a = a, .kind = ask->kind, .title = clean_text(a, arena_str(a, ask->title), "")};
	for (size_t i = 0; i < n; i++)
		c.kinds[i] = kind_of_type(types[i]);
	if (choose_named(&c, &x, &by, e) || choose_x(&c, x, e))
		return -1;
	if (p->kind == PLOT_HEAT) {
		if (choose_heat(&c, e))
			return -1;
	} else {
		choose_rest(&c, by);
	}
	if (p->n_y > 1 && p->by)
		return err_set(e, ERR_BAD_REQUEST, "with --by one column is drawn, not %zu: name it with --y", p->n_y);
	*out = p;
	return 0;
}

/* --- rows --- */

static int label_of(struct plot *p, struct plot_col *c, struct str s, double *out, struct err *e)
{
	struct str clean = clean_text(p->a, s, "");
	uintptr_t known = (uintptr_t)map_get(&c->known, clean);

	if (!known) {
		if (c->labels.n >= PLOT_MAX_LABELS) {
			err_set(e, ERR_LIMIT,
			        "column '%s' holds more than %d different texts, too many to be told apart",
			        STR_SHOWN(c->name), PLOT_MAX_LABELS);
			return err_hint(e, "group or limit the rows in the query");
		}
		vec_push(p->a, &c->labels, arena_str(p->a, clean));
		known = c->labels.n;
		map_set(&c->known, clean, (void *)known);
	}
	*out = (double)(known - 1);
	return 0;
}

static int value_of(struct plot *p, struct plot_col *c, struct str s, double *out, struct err *e)
{
	double v;

	if (c->kind == AXIS_TEXT)
		return label_of(p, c, s.p ? s : STR("NULL"), out, e);
	*out = NAN;
	if (!s.p)
		return 0;
	if (c->kind == AXIS_TIME)
		return (void)!plot_time_parse(s, out), 0; /* infinite, before Christ: nowhere */
	if (str_to_f64(s, &v) && fabs(v) < 1e300) /* what spans more has no axis */
		*out = v;
	return 0;
}

static int keep(struct plot *p, struct plot_col *c, const struct str *cells, struct err *e)
{
	double v;

	if (value_of(p, c, cells[c->at], &v, e))
		return -1;
	if (p->n_rows == c->cap)
		c->v = arena_grow(p->a, c->v, &c->cap, p->n_rows, sizeof(*c->v));
	c->v[p->n_rows] = v;
	return 0;
}

int plot_row(struct plot *p, const struct str *cells, struct err *e)
{
	if (p->n_rows >= PLOT_MAX_ROWS) {
		err_set(e, ERR_LIMIT, "the result has more than %d rows", PLOT_MAX_ROWS);
		return err_hint(e, "group or sample them in the query");
	}
	if (keep(p, p->x, cells, e) || (p->by && keep(p, p->by, cells, e)))
		return -1;
	for (size_t i = 0; i < p->n_y; i++)
		if (keep(p, p->y[i], cells, e))
			return -1;
	p->n_rows++;
	return 0;
}

enum plot_kind plot_kind_of(const struct plot *p)
{
	return p->kind;
}

size_t plot_rows(const struct plot *p)
{
	return p->n_rows;
}

size_t plot_left_out(const struct plot *p)
{
	return p->left_out;
}
