/*
 * plot/plot_in.h: what the files of this room share: a plot that was made, its axes and their ticks.
 *
 * NaN stands for what is not there: a gap in a line, a bar without length, a cell of a heat map nobody fell into.
 */
#ifndef LEAT_PLOT_PLOT_IN_H
#define LEAT_PLOT_PLOT_IN_H

#include <math.h>

#include "base/map.h"
#include "plot/plot.h"

enum plot_axis_kind { AXIS_NUMBER, AXIS_TIME, AXIS_TEXT };

struct plot_axis {
	enum plot_axis_kind kind;
	double lo, hi; /* lo < hi. TIME: seconds since 1970. TEXT: -0.5 to n_labels - 0.5 */
	struct str title;
	const struct str *labels; /* of TEXT, cleaned */
	size_t n_labels;
};

struct plot_tick {
	double at;
	struct str text;
};

struct plot_pt {
	double x, y;
};

struct plot_series {
	struct str name; /* cleaned; "" where there is only one */
	struct plot_pt *pts; /* lines, points: by x where they are joined */
	size_t n;
	double *bars; /* of bars and histograms: one a label or bin */
};

/* A column that is looked at. */
struct plot_col {
	size_t at; /* in the result */
	struct str name;
	enum plot_axis_kind kind;
	double *v; /* number, seconds, or index of a label */
	size_t cap;
	VEC(struct str) labels;
	struct map known; /* label to its index + 1 */
};

struct plot {
	struct arena *a;
	enum plot_kind kind;
	struct str title;
	struct plot_col *x, *by, **y; /* x is set; by may be NULL; without a y rows are counted */
	size_t n_y, n_rows, left_out;
	bool chose_kind;
	/* After plot_make: */
	struct plot_axis ax, ay;
	struct plot_series *series;
	size_t n_series;
	size_t n_bars;    /* of each series */
	double bin_lo, bin; /* of a histogram: where the first begins, how wide they are */
	double *cells;    /* of a heat map: ax.n_labels * ay.n_labels, row by row */
	double cell_lo, cell_hi;
	struct str cell_title;
};

/* --- scale.c --- */

/* 1, 2 or 5 times a power of ten, so that at most `most` steps are in the range. range > 0. */
double plot_step(double range, size_t most);
/* An axis of numbers around lo..hi (lo > hi: of nothing), with room where all are equal. */
void plot_axis_fit(struct plot_axis *ax, double lo, double hi);
/* Out to whole steps. */
void plot_axis_round(struct plot_axis *ax, size_t most);
/* At most about `most`, in order, inside the axis. Of texts every k-th. */
size_t plot_ticks(struct arena *a, const struct plot_axis *ax, size_t most, struct plot_tick **out);
struct str plot_short(struct arena *a, double v); /* about that much */
struct str plot_label(struct arena *a, const struct plot_axis *ax, double v); /* a value of an axis, in full */
must_check bool plot_time_parse(struct str s, double *out);
/* s in at most `columns` columns, with `dots` at its end where it was cut. */
struct str plot_cut(struct arena *a, struct str s, size_t columns, const char *dots);

/* --- reduce.c --- */

/*
 * A line as `columns` pixels wide: of each pixel the first, lowest, highest and last point, in their order; a gap stays
 * a point whose y is NaN. At most 6 * (columns + 1) points. pts are by x.
 */
size_t plot_reduce(struct arena *a, const struct plot_pt *pts, size_t n, double lo, double hi, size_t columns,
                   struct plot_pt **out);

#endif
