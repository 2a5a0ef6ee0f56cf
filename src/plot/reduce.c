#include "plot/plot_in.h"

/* What one pixel column shows of a line. */
struct pixel {
	const struct plot_pt *first, *low, *high, *last;
};

/* In their order, each once. */
static size_t put(const struct pixel *px, struct plot_pt *out)
{
	const struct plot_pt *order[4] = {px->first, MIN(px->low, px->high), MAX(px->low, px->high), px->last};
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		if (!i || order[i] != order[i - 1])
			out[n++] = *order[i];
	return n;
}

size_t plot_reduce(struct arena *a, const struct plot_pt *pts, size_t n, double lo, double hi, size_t columns,
                   struct plot_pt **out)
{
	struct plot_pt *v = arena_array(a, struct plot_pt, MIN(n, 6 * (columns + 1)));
	struct pixel px = {0};
	size_t at = 0, m = 0;
	bool gap = false;

	for (size_t i = 0; i < n; i++) {
		const struct plot_pt *p = &pts[i];
		size_t column = (size_t)MAX(0.0, (p->x - lo) / (hi - lo) * (double)columns);

		column = MIN(column, columns);
		if (column != at) {
			m += px.first ? put(&px, v + m) : 0;
			if (gap)
				v[m++] = (struct plot_pt){p->x, NAN};
			px = (struct pixel){0};
			gap = false;
			at = column;
		}
		if (isnan(p->y)) { /* the line stops here; within a pixel nobody sees it go on */
			gap = true;
			continue;
		}
		if (gap && !px.first && m && !isnan(v[m - 1].y)) {
			v[m++] = (struct plot_pt){p->x, NAN};
			gap = false;
		}
		if (!px.first)
			px = (struct pixel){p, p, p, p};
		px.low = p->y < px.low->y ? p : px.low;
		px.high = p->y > px.high->y ? p : px.high;
		px.last = p;
	}
	m += px.first ? put(&px, v + m) : 0;
	*out = v;
	return m;
}
