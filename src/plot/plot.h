/*
 * plot/plot.h: a result as a picture: our own SVG, and characters for a terminal. For the command line, notebooks,
 * pages and alerts alike.
 *
 * plot_new is told the columns of a result and what was asked for, and decides which of them are looked at; plot_row
 * takes each row; plot_make decides the kind and puts the values in order; then it can be drawn, any number of times.
 * Texts of the result may be anything: they are cleaned and escaped where they are drawn. Equal rows give equal bytes.
 * All that it holds is in the arena it was made with.
 */
#ifndef LEAT_PLOT_PLOT_H
#define LEAT_PLOT_PLOT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/dom.h"
#include "base/err.h"

#define PLOT_MAX_ROWS 10000000
#define PLOT_MAX_LABELS 5000  /* different texts of one column */
#define PLOT_MAX_SERIES 40
#define PLOT_MAX_BYTES ((size_t)64 << 20) /* of what is drawn */

enum plot_kind { PLOT_AUTO, PLOT_LINE, PLOT_BAR, PLOT_HIST, PLOT_SCATTER, PLOT_HEAT, PLOT_SPARK, PLOT_KINDS };
extern const char *const plot_kind_words[PLOT_KINDS];
must_check int plot_kind_parse(struct str word, enum plot_kind *out, struct err *e);

/* What nobody asked for (AUTO, STR_NULL, 0) is chosen by the columns' types. */
struct plot_ask {
	enum plot_kind kind;
	struct str x, by, title;
	const struct str *y;
	size_t n_y;
};

struct plot;
/* names and types (as SQL has them) of the columns; a column that is asked for and not there is ERR_BAD_REQUEST. */
must_check int plot_new(struct arena *a, const struct plot_ask *ask, const struct str *names, const struct str *types,
                        size_t n, struct plot **out, struct err *e);
/* Cells as text, one a column; .p NULL = null. */
must_check int plot_row(struct plot *p, const struct str *cells, struct err *e);
must_check int plot_make(struct plot *p, struct err *e);

enum plot_kind plot_kind_of(const struct plot *p);
size_t plot_rows(const struct plot *p);
size_t plot_left_out(const struct plot *p); /* rows that stand nowhere: no number, not finite */

/* Pixels; 0 = 800 wide, as high as it takes. */
void plot_svg(const struct plot *p, unsigned width, unsigned height, struct buf *out);
/* How large it is then. */
void plot_svg_size(const struct plot *p, unsigned width, unsigned height, unsigned *w, unsigned *h);

struct plot_screen {
	unsigned width, height; /* characters; height 0 = 16 lines for what is drawn in points */
	bool utf8, colour;
};
void plot_text(const struct plot *p, const struct plot_screen *s, struct buf *out);

#define PLOT_DOC_COLUMNS 800
#define PLOT_DOC_POINTS 100000
/*
 * What is drawn, in numbers: kind, title, rows, left_out, x and y (title, type), series (name, points), of a heat map
 * cells. Of a line no more than plot_svg draws in a picture so wide (0: 800).
 */
must_check int plot_doc(const struct plot *p, unsigned width, struct dom **out, struct err *e);

/* SVG of ours as PNG of that many pixels, by librsvg and cairo, which are loaded now. */
must_check int plot_png(struct str svg, unsigned width, unsigned height, struct buf *out, struct err *e);

/* A number as people read it: no more digits than it has, 15 at most. */
struct str plot_number(struct arena *a, double v);

#endif
