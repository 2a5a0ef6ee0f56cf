/* A plot as a document: what is drawn, in numbers. */
#include "base/dom.h"
#include "plot/plot_in.h"

static const char *const axis_words[] = {"number", "time", "text"};

/* As the axis counts: numbers, else the text of a time or label. NaN is null. */
static struct dom *value(struct arena *a, const struct plot_axis *ax, double v)
{
	if (isnan(v))
		return dom_new(a, DOM_NULL);
	return ax->kind == AXIS_NUMBER ? dom_new_real(a, v) : dom_new_str(a, plot_label(a, ax, v));
}

static struct dom *axis(struct arena *a, const struct plot_axis *ax)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_str(a, d, "title", ax->title);
	dom_set_cstr(a, d, "type", axis_words[ax->kind]);
	return d;
}

static struct dom *pair(struct arena *a, struct dom *x, struct dom *y)
{
	struct dom *d = dom_new(a, DOM_LIST);

	dom_add(d, x);
	dom_add(d, y);
	return d;
}

/* A bar's place: its label, or where its bin begins. */
static struct dom *bar_at(const struct plot *p, size_t i)
{
	if (p->kind == PLOT_HIST)
		return value(p->a, &p->ax, p->bin_lo + p->bin * (double)i);
	return dom_new_str(p->a, i < p->ax.n_labels ? p->ax.labels[i] : STR(""));
}

static struct dom *points(const struct plot *p, const struct plot_series *s, unsigned width)
{
	struct dom *list = dom_new(p->a, DOM_LIST);
	struct plot_pt *pts = s->pts;
	size_t n = s->n;

	if (s->bars) {
		for (size_t i = 0; i < p->n_bars; i++)
			dom_add(list, pair(p->a, bar_at(p, i), value(p->a, &p->ay, s->bars[i])));
		return list;
	}
	if (p->kind != PLOT_SCATTER && n > width)
		n = plot_reduce(p->a, s->pts, s->n, p->ax.lo, p->ax.hi, width, &pts);
	for (size_t i = 0; i < n; i++)
		dom_add(list, pair(p->a, value(p->a, &p->ax, pts[i].x), value(p->a, &p->ay, pts[i].y)));
	return list;
}

static void set_cells(const struct plot *p, struct dom *d)
{
	struct dom *rows = dom_new(p->a, DOM_LIST);

	for (size_t y = 0; y < p->ay.n_labels; y++)
		for (size_t x = 0; x < p->ax.n_labels; x++) {
			struct dom *one;

			if (isnan(p->cells[y * p->ax.n_labels + x]))
				continue;
			one = pair(p->a, dom_new_str(p->a, p->ax.labels[x]), dom_new_str(p->a, p->ay.labels[y]));
			dom_add(one, value(p->a, &(struct plot_axis){.kind = AXIS_NUMBER},
			                   p->cells[y * p->ax.n_labels + x]));
			dom_add(rows, one);
		}
	dom_set(p->a, d, "cells", rows);
}

int plot_doc(const struct plot *p, unsigned width, struct dom **out, struct err *e)
{
	struct dom *d = dom_new(p->a, DOM_MAP), *all = dom_new(p->a, DOM_LIST);

	if (p->kind == PLOT_SCATTER && p->n_rows > PLOT_DOC_POINTS) {
		err_set(e, ERR_LIMIT, "%zu points are too many for a document, which takes %d", p->n_rows,
		        PLOT_DOC_POINTS);
		return err_hint(e, "limit them in the query, or draw a line: --kind line");
	}
	*out = d;
	dom_set_cstr(p->a, d, "kind", plot_kind_words[p->kind]);
	dom_set_str(p->a, d, "title", p->title);
	dom_set_int(p->a, d, "rows", (int64_t)p->n_rows);
	dom_set_int(p->a, d, "left_out", (int64_t)p->left_out);
	dom_set(p->a, d, "x", axis(p->a, &p->ax));
	dom_set(p->a, d, "y", axis(p->a, &p->ay));
	if (p->cells) {
		set_cells(p, d);
		return 0;
	}
	for (size_t i = 0; i < p->n_series; i++) {
		struct dom *one = dom_new(p->a, DOM_MAP);

		dom_set_str(p->a, one, "name", p->series[i].name);
		dom_set(p->a, one, "points", points(p, &p->series[i], width ? width : PLOT_DOC_COLUMNS));
		dom_add(all, one);
	}
	dom_set(p->a, d, "series", all);
	return 0;
}
