/* From columns to what is drawn: series of points, bars, bins, cells; and the axes around them. */
#include <stdlib.h>

#include "base/ds.h"
#include "base/str.h"
#include "plot/plot_in.h"

#define BARS_OF_NUMBERS 24 /* so few whole numbers in order are labels rather than a line */
#define MAX_BINS 50
#define HEAT_CELLS 60      /* more numbers or times than these fall into ranges */
#define HEAT_LABELS 200

/* A text column of partition labels is one of times: tables have `ds` as text. */
static void labels_to_times(struct plot *p, struct plot_col *c)
{
	double *at = arena_array(p->a, double, c->labels.n + 1);

	if (c->kind != AXIS_TEXT || !c->labels.n)
		return;
	for (size_t i = 0; i < c->labels.n; i++) {
		struct err ignored = ERR_INIT;
		struct ds ds;

		if (ds_parse(c->labels.p[i], &ds, &ignored) || ds.every == EVERY_NONE)
			return;
		at[i] = (double)ds_interval(&ds, tz_utc()).start;
	}
	for (size_t i = 0; i < p->n_rows; i++)
		c->v[i] = at[(size_t)c->v[i]];
	c->kind = AXIS_TIME;
}

/* Of each series by itself. */
static bool ascending(const struct plot *p)
{
	size_t n = p->by ? p->by->labels.n : 1;
	double *last = arena_array(p->a, double, n + 1);

	for (size_t i = 0; i < n; i++)
		last[i] = -INFINITY;
	for (size_t i = 0; i < p->n_rows; i++) {
		double *of = &last[p->by ? (size_t)p->by->v[i] : 0];

		if (!(*of <= p->x->v[i]))
			return false;
		*of = p->x->v[i];
	}
	return true;
}

static bool few_whole(const struct plot *p)
{
	if (p->n_rows > BARS_OF_NUMBERS || p->by)
		return false;
	for (size_t i = 0; i < p->n_rows; i++)
		if (p->x->v[i] != floor(p->x->v[i]) || (i && p->x->v[i] == p->x->v[i - 1]))
			return false;
	return true;
}

/* Numbers and times become labels, in the order in which they came. */
static int values_to_labels(struct plot *p, struct plot_col *c, struct err *e)
{
	struct plot_axis ax = {.kind = c->kind};

	for (size_t i = 0; i < p->n_rows; i++) {
		struct str text = plot_label(p->a, &ax, c->v[i]);
		uintptr_t known = (uintptr_t)map_get(&c->known, text);

		if (!known) {
			if (c->labels.n >= PLOT_MAX_LABELS)
				return err_set(e, ERR_LIMIT, "column '%s' gives more than %d bars",
				               STR_SHOWN(c->name), PLOT_MAX_LABELS);
			vec_push(p->a, &c->labels, text);
			known = c->labels.n;
			map_set(&c->known, text, (void *)known);
		}
		c->v[i] = (double)(known - 1);
	}
	c->kind = AXIS_TEXT;
	return 0;
}

static int decide(struct plot *p, struct err *e)
{
	if (p->kind != PLOT_BAR && p->kind != PLOT_HEAT)
		labels_to_times(p, p->x);
	if (p->kind == PLOT_AUTO)
		p->kind = p->x->kind == AXIS_TIME   ? PLOT_LINE
		          : p->x->kind == AXIS_TEXT ? PLOT_BAR
		          : !ascending(p)           ? PLOT_SCATTER
		          : few_whole(p)            ? PLOT_BAR
		                                    : PLOT_LINE;
	if (p->kind == PLOT_BAR && p->x->kind != AXIS_TEXT)
		return values_to_labels(p, p->x, e);
	return 0;
}

/* --- series --- */

static int name_series(struct plot *p, struct err *e)
{
	size_t n = p->by ? p->by->labels.n : MAX(p->n_y, (size_t)1);

	if (n > PLOT_MAX_SERIES) {
		err_set(e, ERR_LIMIT, "column '%s' holds %zu different texts, and more than %d cannot be told apart",
		        STR_SHOWN(p->by->name), n, PLOT_MAX_SERIES);
		return err_hint(e, "limit them in the query, or name another column: --by");
	}
	p->series = arena_array(p->a, struct plot_series, n);
	p->n_series = n;
	for (size_t i = 0; i < n; i++)
		p->series[i].name = p->by ? p->by->labels.p[i] : p->n_y > 1 ? p->y[i]->name : STR("");
	return 0;
}

static size_t series_of(const struct plot *p, size_t row)
{
	return p->by ? (size_t)p->by->v[row] : 0;
}

static int by_x(const void *a, const void *b)
{
	const struct plot_pt *p = a, *q = b;

	return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->y > q->y) - (p->y < q->y);
}

static void in_order(struct plot_series *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (s->pts[i].x < s->pts[i - 1].x) {
			qsort(s->pts, s->n, sizeof(*s->pts), by_x);
			return;
		}
}

static struct plot_axis axis_of(const struct plot_col *c)
{
	struct plot_axis ax = {.kind = c->kind, .title = c->name};

	if (c->kind == AXIS_TEXT) {
		ax.labels = c->labels.p;
		ax.n_labels = c->labels.n;
		ax.lo = -0.5;
		ax.hi = MAX((double)c->labels.n, 1.0) - 0.5;
	}
	return ax;
}

static struct plot_axis value_axis(const struct plot *p)
{
	return (struct plot_axis){.title = p->n_y == 1 ? p->y[0]->name : p->n_y ? STR("") : STR("rows")};
}

/* Around all values, with 0 where it is near. */
static void fit_values(struct plot_axis *ax, double lo, double hi, bool zero)
{
	if (lo <= hi && (zero || (lo > 0 && lo <= hi - lo)))
		lo = MIN(lo, 0);
	if (lo <= hi && (zero || (hi < 0 && -hi <= hi - lo)))
		hi = MAX(hi, 0);
	plot_axis_fit(ax, lo, hi);
}

/* Without a column to draw: how many rows there are at each x. */
static void count_rows(struct plot *p)
{
	for (size_t s = 0; s < p->n_series; s++) {
		struct plot_series *one = &p->series[s];
		size_t n = 0;

		in_order(one);
		for (size_t i = 0; i < one->n; i++) {
			if (!n || one->pts[n - 1].x != one->pts[i].x)
				one->pts[n++] = (struct plot_pt){one->pts[i].x, 0};
			one->pts[n - 1].y++;
		}
		one->n = n;
	}
}

static void make_points(struct plot *p)
{
	bool joined = p->kind != PLOT_SCATTER;
	double lo = INFINITY, hi = -INFINITY, x_lo = INFINITY, x_hi = -INFINITY;
	size_t *n = arena_array(p->a, size_t, p->n_series);

	for (size_t i = 0; i < p->n_rows; i++)
		n[series_of(p, i)]++;
	for (size_t s = 0; s < p->n_series; s++)
		p->series[s].pts = arena_array(p->a, struct plot_pt, p->by ? n[s] : p->n_rows);
	for (size_t i = 0; i < p->n_rows; i++) {
		double x = p->x->v[i];
		bool stands = false;

		for (size_t k = 0; k < MAX(p->n_y, (size_t)1) && !isnan(x); k++) {
			struct plot_series *s = &p->series[p->by ? series_of(p, i) : k];
			double y = p->n_y ? p->y[k]->v[i] : 0;

			stands |= !isnan(y);
			if (joined || !isnan(y))
				s->pts[s->n++] = (struct plot_pt){x, y};
		}
		p->left_out += !stands;
	}
	if (!p->n_y)
		count_rows(p);
	for (size_t s = 0; s < p->n_series; s++) {
		if (joined)
			in_order(&p->series[s]);
		for (size_t i = 0; i < p->series[s].n; i++) {
			x_lo = MIN(x_lo, p->series[s].pts[i].x);
			x_hi = MAX(x_hi, p->series[s].pts[i].x);
			lo = fmin(lo, p->series[s].pts[i].y);
			hi = fmax(hi, p->series[s].pts[i].y);
		}
	}
	p->ax = axis_of(p->x);
	if (p->x->kind != AXIS_TEXT)
		plot_axis_fit(&p->ax, x_lo, x_hi);
	p->ay = value_axis(p);
	fit_values(&p->ay, lo, hi, false);
}

/* --- bars --- */

static void fit_bars(struct plot *p)
{
	double lo = 0, hi = 0;

	for (size_t s = 0; s < p->n_series; s++)
		for (size_t i = 0; i < p->n_bars; i++) {
			lo = fmin(lo, p->series[s].bars[i]);
			hi = fmax(hi, p->series[s].bars[i]);
		}
	p->ay = value_axis(p);
	if (lo == 0 && hi == 0)
		hi = 1;
	fit_values(&p->ay, lo, hi, true);
}

static void make_bars(struct plot *p)
{
	p->n_bars = p->x->labels.n;
	for (size_t s = 0; s < p->n_series; s++) {
		p->series[s].bars = arena_array(p->a, double, p->n_bars);
		for (size_t i = 0; i < p->n_bars; i++)
			p->series[s].bars[i] = NAN;
	}
	for (size_t i = 0; i < p->n_rows; i++)
		for (size_t k = 0; k < MAX(p->n_y, (size_t)1); k++) {
			double *bar = &p->series[p->by ? series_of(p, i) : k].bars[(size_t)p->x->v[i]];
			double y = p->n_y ? p->y[k]->v[i] : 1;

			p->left_out += isnan(y);
			if (!isnan(y)) /* rows of one bar are one length */
				*bar = isnan(*bar) ? y : *bar + y;
		}
	p->ax = axis_of(p->x);
	fit_bars(p);
}

/* Bins of whole, half, fifth... steps; of whole numbers none narrower than 1. */
static void choose_bins(struct plot *p, double lo, double hi, size_t n, bool whole)
{
	struct plot_axis ax = {.kind = p->x->kind};
	size_t most = MIN((size_t)MAX_BINS, MAX((size_t)8, (size_t)(2 * cbrt((double)n))));

	plot_axis_fit(&ax, lo, hi);
	p->bin = plot_step(ax.hi - ax.lo, most);
	if (whole && p->x->kind == AXIS_NUMBER)
		p->bin = MAX(p->bin, 1.0);
	if (p->x->kind == AXIS_TIME) { /* whole days where they are many, else what came out */
		double day = 86400;

		p->bin = p->bin > day / 2 ? day * MAX(1.0, round(p->bin / day)) : p->bin;
	}
	p->bin_lo = floor(ax.lo / p->bin) * p->bin;
	p->n_bars = (size_t)MIN((double)MAX_BINS * 4, floor((ax.hi - p->bin_lo) / p->bin) + 1);
	if (p->n_bars > 1 && hi <= p->bin_lo + p->bin * (double)(p->n_bars - 1) && !whole)
		p->n_bars--; /* the highest value belongs to the last bin, not to one of its own */
}

static void make_bins(struct plot *p)
{
	double lo = INFINITY, hi = -INFINITY;
	bool whole = true;
	size_t n = 0;

	for (size_t i = 0; i < p->n_rows; i++) {
		double v = p->x->v[i];

		if (isnan(v))
			continue;
		lo = MIN(lo, v);
		hi = MAX(hi, v);
		whole &= v == floor(v);
		n++;
	}
	p->n_y = 0; /* rows are counted */
	p->left_out = p->n_rows - n;
	choose_bins(p, lo, hi, n, whole);
	for (size_t s = 0; s < p->n_series; s++)
		p->series[s].bars = arena_array(p->a, double, p->n_bars);
	for (size_t i = 0; i < p->n_rows; i++)
		if (!isnan(p->x->v[i])) {
			size_t at = (size_t)MAX(0.0, floor((p->x->v[i] - p->bin_lo) / p->bin));

			p->series[series_of(p, i)].bars[MIN(at, p->n_bars - 1)]++;
		}
	p->ax = axis_of(p->x);
	p->ax.lo = p->bin_lo;
	p->ax.hi = p->bin_lo + p->bin * (double)p->n_bars;
	fit_bars(p);
}

/* --- heat --- */

#define SAME 1e-12 /* numbers that differ by less than that part of them are one */

struct numbered {
	double v;
	size_t i;
};

static int by_value(const void *a, const void *b)
{
	const struct numbered *p = a, *q = b;

	return p->v != q->v ? (p->v > q->v) - (p->v < q->v) : (p->i > q->i) - (p->i < q->i);
}

static size_t cell_of(double from_lo, double bin, size_t cells)
{
	return (size_t)fmin(fmax(floor(from_lo / bin), 0), (double)(cells - 1));
}

/* Labels that are all numbers stand in their order, not in that in which they came; many of them as ranges. */
static int order_labels(struct plot *p, struct plot_col *c, struct err *e)
{
	size_t n = c->labels.n, *to = arena_array(p->a, size_t, n + 1), cells = n;
	struct numbered *v = arena_array(p->a, struct numbered, n + 1);
	struct str *labels;
	double bin = 0, lo;
	bool one = false;

	for (size_t i = 0; i < n; i++) {
		v[i].i = i;
		if (!str_to_f64(c->labels.p[i], &v[i].v) || !(fabs(v[i].v) < 1e300)) {
			if (n <= HEAT_LABELS)
				return 0;
			err_set(e, ERR_LIMIT, "column '%s' holds %zu different texts, and a heat map has %d at most",
			        STR_SHOWN(c->name), n, HEAT_LABELS);
			return err_hint(e, "group them in the query");
		}
	}
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	lo = v[0].v;
	if (n > HEAT_CELLS) {
		double range = v[n - 1].v - lo, hi = fmax(fabs(lo), fabs(v[n - 1].v));

		one = range <= SAME * hi || range < 1e-290; /* many spellings of one number */
		bin = one ? 1 : plot_step(range, HEAT_CELLS / 2);
		lo = one ? lo : floor(lo / bin) * bin;
		cells = one ? 1 : (size_t)fmin(floor((v[n - 1].v - lo) / bin), 2 * HEAT_CELLS) + 1;
	}
	labels = arena_array(p->a, struct str, cells);
	for (size_t i = 0; i < n; i++) {
		to[v[i].i] = one ? 0 : bin > 0 ? cell_of(v[i].v - lo, bin, cells) : i;
		if (bin == 0)
			labels[i] = c->labels.p[v[i].i];
	}
	for (size_t i = 0; bin > 0 && i < cells; i++)
		labels[i] = plot_number(p->a, lo + bin * (double)i);
	for (size_t i = 0; i < p->n_rows; i++)
		c->v[i] = (double)to[(size_t)c->v[i]];
	c->labels.p = labels;
	c->labels.n = cells;
	return 0;
}

static int make_cells(struct plot *p, struct err *e)
{
	size_t n, *counts;

	if (order_labels(p, p->x, e) || order_labels(p, p->by, e))
		return -1;
	n = p->x->labels.n * p->by->labels.n;
	counts = arena_array(p->a, size_t, n + 1);
	p->cells = arena_array(p->a, double, n + 1);
	for (size_t i = 0; i < p->n_rows; i++) {
		size_t at = (size_t)p->by->v[i] * p->x->labels.n + (size_t)p->x->v[i];
		double v = p->n_y ? p->y[0]->v[i] : 1;

		p->left_out += isnan(v);
		if (!isnan(v)) {
			p->cells[at] += v;
			counts[at]++;
		}
	}
	p->cell_lo = INFINITY;
	p->cell_hi = -INFINITY;
	for (size_t i = 0; i < n; i++) {
		p->cells[i] = counts[i] ? p->cells[i] / (p->n_y ? (double)counts[i] : 1) : NAN;
		p->cell_lo = fmin(p->cell_lo, p->cells[i]);
		p->cell_hi = fmax(p->cell_hi, p->cells[i]);
	}
	p->ax = axis_of(p->x);
	p->ay = axis_of(p->by);
	p->cell_title = p->n_y ? p->y[0]->name : STR("rows");
	return 0;
}

int plot_make(struct plot *p, struct err *e)
{
	if (decide(p, e))
		return -1;
	if (p->kind == PLOT_HEAT)
		return make_cells(p, e);
	if (name_series(p, e))
		return -1;
	if (p->kind == PLOT_BAR)
		make_bars(p);
	else if (p->kind == PLOT_HIST)
		make_bins(p);
	else
		make_points(p);
	return 0;
}
