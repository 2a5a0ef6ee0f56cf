/* A plot as SVG that needs nothing beside it: light or dark as who looks at it has it. */
#include <inttypes.h>

#include "base/clean.h"
#include "base/str.h"
#include "plot/plot_in.h"

#define CHAR 6.7       /* width of a letter of 12 px */
#define LINE 18
#define PAD 12
#define BAR 22         /* height of one that lies */
#define SCATTER_EACH 5000 /* more points than these are drawn as what they cover */
#define NAMED_MARKS 400   /* so many tell their value under the pointer */
#define SHADES 24

struct svg {
	const struct plot *p;
	struct arena *a;
	struct buf *out;
	double width, height;
	double left, top, right, bottom; /* of where the data stand */
};

/* Okabe and Ito's colours, which eyes that see few colours tell apart; yellow and black are not among them. In the dark
 * they are lighter. */
static const char style[] =
	"<style>svg{max-width:100%;height:auto;color-scheme:light dark}"
	"text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#223}"
	".bg{fill:#fff}.t{font-size:15px;font-weight:600}.m{text-anchor:middle}.e{text-anchor:end}"
	".g{stroke:#223;stroke-opacity:.13;fill:none}.a{stroke:#223;stroke-opacity:.6;fill:none}"
	".l{fill:none;stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}"
	".p{fill:none;stroke-width:4.5;stroke-linecap:round;stroke-opacity:.7}.d{fill:none;stroke-width:2}"
	".s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#009e73}.s3{stroke:#b8578f}.s4{stroke:#c98a00}"
	".s5{stroke:#3f9bd1}.f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#b8578f}.f4{fill:#c98a00}"
	".f5{fill:#3f9bd1}.k1{stroke-dasharray:7 4}.k2{stroke-dasharray:2 4}.o{fill-opacity:.6}"
	"@media(prefers-color-scheme:dark){.bg{fill:#16181d}text{fill:#dde}.g,.a{stroke:#dde}"
	".s0{stroke:#56b4e9}.s1{stroke:#f08a3c}.s2{stroke:#2fc39a}.s3{stroke:#e39ac6}.s4{stroke:#f0bf40}"
	".s5{stroke:#9fd3f2}.f0{fill:#56b4e9}.f1{fill:#f08a3c}.f2{fill:#2fc39a}.f3{fill:#e39ac6}.f4{fill:#f0bf40}"
	".f5{fill:#9fd3f2}}</style>\n";

/* Characters that XML cannot hold go; those that mean something in it are written out. */
static void escaped(struct svg *g, struct str s)
{
	uint32_t cp;
	size_t len;

	s = clean_text(g->a, s, "");
	for (size_t i = 0; i < s.n; i += MAX(len, (size_t)1)) {
		len = str_utf8_get(str_sub(s, i, 4), &cp);
		if (!len || cp == 0xFFFE || cp == 0xFFFF || (cp >= 0x202A && cp <= 0x202E) ||
		    (cp >= 0x2066 && cp <= 0x2069)) /* what turns the direction of all that follows */
			buf_adds(g->out, "\xEF\xBF\xBD");
		else if (cp == '<')
			buf_adds(g->out, "&lt;");
		else if (cp == '>')
			buf_adds(g->out, "&gt;");
		else if (cp == '&')
			buf_adds(g->out, "&amp;");
		else if (cp == '"')
			buf_adds(g->out, "&quot;");
		else
			buf_addstr(g->out, str_sub(s, i, len));
	}
}

/* A place: tenths of a pixel, without zeros behind. */
static void at(struct svg *g, double v)
{
	int64_t tenths = (int64_t)lround(v * 10);

	if (tenths % 10)
		buf_addf(g->out, "%s%" PRId64 ".%d", tenths < 0 ? "-" : "", (tenths < 0 ? -tenths : tenths) / 10,
		         (int)((tenths < 0 ? -tenths : tenths) % 10));
	else
		buf_addf(g->out, "%" PRId64, tenths / 10);
}

static void text(struct svg *g, double x, double y, const char *of, struct str s, double room)
{
	struct str cut = plot_cut(g->a, s, (size_t)MAX(1.0, room / CHAR), "\u2026");

	buf_adds(g->out, "<text x=\"");
	at(g, x);
	buf_adds(g->out, "\" y=\"");
	at(g, y);
	buf_addf(g->out, "\" class=\"%s\">", of);
	if (cut.p != s.p) {
		buf_adds(g->out, "<title>");
		escaped(g, plot_cut(g->a, s, 1000, "\u2026"));
		buf_adds(g->out, "</title>");
	}
	escaped(g, cut);
	buf_adds(g->out, "</text>\n");
}

static void rule(struct svg *g, double x, double y, double u, double v, const char *of)
{
	buf_adds(g->out, "<path d=\"M");
	at(g, x);
	buf_addc(g->out, ' ');
	at(g, y);
	buf_addc(g->out, 'L');
	at(g, u);
	buf_addc(g->out, ' ');
	at(g, v);
	buf_addf(g->out, "\" class=\"%s\"/>\n", of);
}

/* The path of a rectangle. */
static void box(struct svg *g, double x, double y, double w, double h)
{
	buf_addc(g->out, 'M');
	at(g, x);
	buf_addc(g->out, ' ');
	at(g, y);
	buf_addc(g->out, 'h');
	at(g, w);
	buf_addc(g->out, 'v');
	at(g, h);
	buf_addc(g->out, 'h');
	at(g, -w);
	buf_addc(g->out, 'z');
}

static double x_of(const struct svg *g, double v)
{
	return g->left + (v - g->p->ax.lo) / (g->p->ax.hi - g->p->ax.lo) * (g->right - g->left);
}

static double y_of(const struct svg *g, double v)
{
	return g->bottom - (v - g->p->ay.lo) / (g->p->ay.hi - g->p->ay.lo) * (g->bottom - g->top);
}

static double widest(const struct plot_tick *t, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = MAX(most, str_columns(t[i].text));
	return (double)most * CHAR;
}

static double widest_label(const struct plot_axis *ax)
{
	size_t most = 0;

	for (size_t i = 0; i < ax->n_labels; i++)
		most = MAX(most, str_columns(ax->labels[i]));
	return (double)most * CHAR;
}

/* --- around the data --- */

static void legend(struct svg *g)
{
	double x = PAD, y = g->top + 12;

	if (g->p->n_series < 2)
		return;
	for (size_t i = 0; i < g->p->n_series; i++) {
		struct str name = g->p->series[i].name;
		double room = MIN((double)str_columns(name) * CHAR + 2, 220), wide = room + 34;

		if (x > PAD && x + wide > g->width - PAD) {
			x = PAD;
			y += LINE;
		}
		buf_addf(g->out, "<path d=\"M%.0f %.0fh16\" class=\"l s%zu k%zu\" style=\"stroke-width:4\"/>\n", x,
		         y - 4, i % 6, i / 6 % 3);
		text(g, x + 21, y, "n", name, room);
		x += wide;
	}
	g->top = y + 8;
}

static void x_ticks(struct svg *g, bool grid)
{
	struct plot_tick *t;
	size_t most = (size_t)MAX(2.0, (g->right - g->left) / (g->p->ax.kind == AXIS_TIME ? 90 : 70));
	size_t n = plot_ticks(g->a, &g->p->ax, most, &t);
	double room = (g->right - g->left) / (double)MAX(n, (size_t)1) - 4;

	for (size_t i = 0; i < n; i++) {
		double x = x_of(g, t[i].at), half = MIN((double)str_columns(t[i].text) * CHAR, room) / 2;

		if (grid)
			rule(g, x, g->top, x, g->bottom, "g");
		text(g, MIN(MAX(x, half + 2), g->width - half - 2), g->bottom + LINE - 2, "m", t[i].text,
		     MAX(room, 40.0));
	}
}

static void y_ticks(struct svg *g)
{
	struct plot_tick *t;
	size_t n = plot_ticks(g->a, &g->p->ay, (size_t)MAX(2.0, (g->bottom - g->top) / 45), &t);

	for (size_t i = 0; i < n; i++) {
		double y = y_of(g, t[i].at);

		rule(g, g->left, y, g->right, y, "g");
		text(g, g->left - 6, y + 4, "e", t[i].text, g->left);
	}
}

/* Where the data stand, once it is known what stands to their left; titles of the axes. */
static void frame(struct svg *g, double gutter, const struct plot_axis *up, const struct plot_axis *across)
{
	g->left = MIN(PAD + gutter + 6, g->width / 2);
	g->right = g->width - PAD - 6;
	if (up->title.n) {
		text(g, PAD, g->top + 12, "n", up->title, g->width - 2 * PAD);
		g->top += LINE + 4;
	}
	g->top += 6;
	g->bottom = g->height - PAD - LINE;
	if (across->title.n) {
		text(g, (g->left + g->right) / 2, g->height - PAD, "m", across->title, g->right - g->left);
		g->bottom -= LINE;
	}
	g->bottom = MAX(g->bottom, g->top + 20);
}

static double value_gutter(struct svg *g)
{
	struct plot_tick *t;
	size_t n = plot_ticks(g->a, &g->p->ay, (size_t)MAX(2.0, (g->height - g->top) / 45), &t);

	return widest(t, n);
}

static void names_value(struct svg *g, struct str series, struct str x, double v)
{
	buf_adds(g->out, "<title>");
	if (series.n) {
		escaped(g, series);
		buf_adds(g->out, ", ");
	}
	escaped(g, x);
	buf_adds(g->out, ": ");
	escaped(g, plot_number(g->a, v));
	buf_adds(g->out, "</title>");
}

/* --- lines and points --- */

static void line(struct svg *g, size_t i)
{
	const struct plot_series *s = &g->p->series[i];
	size_t across = (size_t)(g->right - g->left), n;
	struct plot_pt *pts;
	bool pen = false;

	n = plot_reduce(g->a, s->pts, s->n, g->p->ax.lo, g->p->ax.hi, across, &pts);
	buf_addf(g->out, "<path class=\"l s%zu k%zu\" d=\"", i % 6, i / 6 % 3);
	for (size_t k = 0; k < n; k++) {
		bool alone = !pen && (k + 1 == n || isnan(pts[k + 1].y));

		if (isnan(pts[k].y)) {
			pen = false;
			continue;
		}
		buf_addc(g->out, pen ? 'L' : 'M');
		at(g, x_of(g, pts[k].x));
		buf_addc(g->out, ' ');
		at(g, y_of(g, pts[k].y));
		if (alone)
			buf_adds(g->out, "h0");
		pen = true;
	}
	buf_adds(g->out, "\"/>\n");
}

/* Each a dot that tells what it is. */
static void marks(struct svg *g, size_t i)
{
	const struct plot_series *s = &g->p->series[i];

	for (size_t k = 0; k < s->n; k++) {
		if (isnan(s->pts[k].y))
			continue;
		buf_addf(g->out, "<path class=\"p s%zu\" d=\"M", i % 6);
		at(g, x_of(g, s->pts[k].x));
		buf_addc(g->out, ' ');
		at(g, y_of(g, s->pts[k].y));
		buf_adds(g->out, "h0\">");
		names_value(g, s->name, plot_label(g->a, &g->p->ax, s->pts[k].x), s->pts[k].y);
		buf_adds(g->out, "</path>\n");
	}
}

static void dots(struct svg *g, size_t i)
{
	const struct plot_series *s = &g->p->series[i];

	buf_addf(g->out, "<path class=\"p s%zu\" d=\"", i % 6);
	for (size_t k = 0; k < s->n; k++) {
		buf_addc(g->out, 'M');
		at(g, x_of(g, s->pts[k].x));
		buf_addc(g->out, ' ');
		at(g, y_of(g, s->pts[k].y));
		buf_adds(g->out, "h0");
	}
	buf_adds(g->out, "\"/>\n");
}

/* So many points that they run into each other: squares of two pixels that hold any, each run of them one stroke. */
static void covered(struct svg *g, size_t i)
{
	const struct plot_series *s = &g->p->series[i];
	size_t w = (size_t)((g->right - g->left) / 2) + 1, h = (size_t)((g->bottom - g->top) / 2) + 1;
	uint8_t *hit = arena_alloc(g->a, w * h);

	for (size_t k = 0; k < s->n; k++) {
		size_t x = (size_t)MAX(0.0, (x_of(g, s->pts[k].x) - g->left) / 2);
		size_t y = (size_t)MAX(0.0, (y_of(g, s->pts[k].y) - g->top) / 2);

		hit[MIN(y, h - 1) * w + MIN(x, w - 1)] = 1;
	}
	buf_addf(g->out, "<path class=\"d s%zu\" d=\"", i % 6);
	for (size_t y = 0; y < h; y++)
		for (size_t x = 0; x < w; x++) {
			size_t from = x;

			while (x < w && hit[y * w + x])
				x++;
			if (x == from)
				continue;
			buf_addc(g->out, 'M');
			at(g, g->left + (double)from * 2);
			buf_addc(g->out, ' ');
			at(g, g->top + (double)y * 2);
			buf_addf(g->out, "h%zu", (x - from) * 2);
		}
	buf_adds(g->out, "\"/>\n");
}

static void points(struct svg *g)
{
	const struct plot *p = g->p;
	size_t all = 0;

	frame(g, value_gutter(g), &p->ay, &p->ax);
	y_ticks(g);
	x_ticks(g, p->ax.kind != AXIS_TEXT);
	rule(g, g->left, g->bottom, g->right, g->bottom, "a");
	for (size_t i = 0; i < p->n_series; i++)
		all += p->series[i].n;
	for (size_t i = 0; i < p->n_series; i++) {
		if (p->kind != PLOT_SCATTER)
			line(g, i);
		if (all <= NAMED_MARKS && (p->kind == PLOT_SCATTER || p->series[i].n <= 60))
			marks(g, i);
		else if (p->kind == PLOT_SCATTER && all <= SCATTER_EACH)
			dots(g, i);
		else if (p->kind == PLOT_SCATTER)
			covered(g, i);
	}
}

/* --- bars --- */

static struct str bar_name(struct svg *g, size_t i)
{
	const struct plot *p = g->p;
	double lo = p->bin_lo + p->bin * (double)i;

	if (p->kind == PLOT_BAR)
		return p->ax.labels[i];
	return arena_strf(g->a, "%.*s to %.*s", STR_ARG(plot_label(g->a, &p->ax, lo)),
	                  STR_ARG(plot_label(g->a, &p->ax, lo + p->bin)));
}

static void one_bar(struct svg *g, size_t s, size_t i, double x, double y, double w, double h)
{
	double v = g->p->series[s].bars[i];
	bool named = g->p->n_bars * g->p->n_series <= NAMED_MARKS;

	if (isnan(v))
		return;
	buf_addf(g->out, "<path class=\"f%zu%s\" d=\"", s % 6,
	         g->p->kind == PLOT_HIST && g->p->n_series > 1 ? " o" : "");
	box(g, x, y, w, h);
	buf_adds(g->out, named ? "\">" : "\"/>\n");
	if (!named)
		return;
	names_value(g, g->p->series[s].name, bar_name(g, i), v);
	buf_adds(g->out, "</path>\n");
}

/* Bars of one label stand beside each other, bins of a histogram in front of each other. */
static void standing(struct svg *g)
{
	const struct plot *p = g->p;
	double slot, wide;

	frame(g, value_gutter(g), &p->ay, &p->ax);
	slot = (g->right - g->left) / (double)MAX(p->n_bars, (size_t)1);
	wide = p->kind == PLOT_HIST ? MAX(slot - 1, slot * 0.9) : slot * 0.8 / (double)MAX(p->n_series, (size_t)1);
	y_ticks(g);
	x_ticks(g, false);
	for (size_t s = 0; s < p->n_series; s++)
		for (size_t i = 0; i < p->n_bars; i++) {
			double v = p->series[s].bars[i], zero = y_of(g, 0), end = y_of(g, isnan(v) ? 0 : v);
			double x = g->left + slot * (double)i;

			x += p->kind == PLOT_HIST ? (slot - wide) / 2 : slot * 0.1 + wide * (double)s;
			one_bar(g, s, i, x, MIN(zero, end), wide, fabs(end - zero));
		}
	rule(g, g->left, y_of(g, 0), g->right, y_of(g, 0), "a");
}

/* Labels too long to stand side by side: the bars lie. */
static void lying(struct svg *g)
{
	const struct plot *p = g->p;
	struct plot_tick *t;
	double slot, wide, span = p->ay.hi - p->ay.lo, zero;
	size_t n, every;

	frame(g, MIN(widest_label(&p->ax), g->width * 0.4), &p->ax, &p->ay);
	slot = (g->bottom - g->top) / (double)MAX(p->n_bars, (size_t)1);
	wide = slot * 0.8 / (double)MAX(p->n_series, (size_t)1);
	zero = g->left - p->ay.lo / span * (g->right - g->left);
	n = plot_ticks(g->a, &p->ay, (size_t)MAX(2.0, (g->right - g->left) / 80), &t);
	for (size_t i = 0; i < n; i++) {
		double x = g->left + (t[i].at - p->ay.lo) / span * (g->right - g->left);

		rule(g, x, g->top, x, g->bottom, "g");
		text(g, MIN(x, g->width - (double)str_columns(t[i].text) * CHAR / 2 - 2), g->bottom + LINE - 2, "m",
		     t[i].text, 200);
	}
	every = slot < 13 ? (size_t)ceil(13 / slot) : 1;
	for (size_t i = 0; i < p->n_bars; i++) {
		double y = g->top + slot * (double)i;

		if (i % every == 0)
			text(g, g->left - 6, y + slot / 2 + 4, "e", p->ax.labels[i], g->left - PAD);
		for (size_t s = 0; s < p->n_series; s++) {
			double v = p->series[s].bars[i];
			double end = isnan(v) ? zero : g->left + (v - p->ay.lo) / span * (g->right - g->left);

			one_bar(g, s, i, MIN(zero, end), y + slot * 0.1 + wide * (double)s, fabs(end - zero), wide);
		}
	}
	rule(g, zero, g->top, zero, g->bottom, "a");
}

/* --- heat --- */

/* From dark blue to yellow by way of grey: the lightness alone tells the order, for any eye and on paper. */
static void shade_rgb(size_t shade, unsigned rgb[3])
{
	static const uint8_t stops[][3] = {
		{0, 32, 77}, {65, 77, 107}, {124, 123, 120}, {188, 175, 111}, {255, 234, 70}
	};
	double part = (double)shade / (SHADES - 1) * (ARRAY_LEN(stops) - 1);
	size_t i = MIN((size_t)part, ARRAY_LEN(stops) - 2);

	for (size_t c = 0; c < 3; c++)
		rgb[c] = (unsigned)lround(stops[i][c] + (part - (double)i) * (stops[i + 1][c] - stops[i][c]));
}

static void cells_of(struct svg *g, size_t shade, double w, double h)
{
	const struct plot *p = g->p;
	size_t nx = p->ax.n_labels, any = 0;
	unsigned rgb[3];

	shade_rgb(shade, rgb);
	for (size_t i = 0; i < nx * p->ay.n_labels; i++) {
		double part = p->cell_hi > p->cell_lo ? (p->cells[i] - p->cell_lo) / (p->cell_hi - p->cell_lo) : 0.5;

		if (isnan(p->cells[i]) || MIN((size_t)(part * SHADES), (size_t)SHADES - 1) != shade)
			continue;
		if (!any++)
			buf_addf(g->out, "<path fill=\"#%02x%02x%02x\" d=\"", rgb[0], rgb[1], rgb[2]);
		box(g, g->left + (double)(i % nx) * w, g->top + (double)(i / nx) * h, MAX(w - 0.5, w * 0.9),
		    MAX(h - 0.5, h * 0.9));
	}
	if (any)
		buf_adds(g->out, "\"/>\n");
}

/* What the lightest and the darkest stand for. */
static void shade_legend(struct svg *g)
{
	double x = PAD, y = g->top;

	if (!(g->p->cell_lo <= g->p->cell_hi))
		return;
	text(g, x, y + 12, "n", g->p->cell_title, 200);
	x += MIN((double)str_columns(g->p->cell_title) * CHAR, 200) + 12;
	text(g, x, y + 12, "n", plot_short(g->a, g->p->cell_lo), 200);
	x += (double)plot_short(g->a, g->p->cell_lo).n * 7.6 + 8;
	for (size_t i = 0; i < SHADES; i++, x += 5) {
		unsigned rgb[3];

		shade_rgb(i, rgb);
		buf_addf(g->out, "<path fill=\"#%02x%02x%02x\" d=\"M%.0f %.0fh5v12h-5z\"/>\n", rgb[0], rgb[1], rgb[2],
		         x, y + 2);
	}
	text(g, x + 6, y + 12, "n", plot_short(g->a, g->p->cell_hi), 200);
	g->top += LINE + 4;
}

static void heat(struct svg *g)
{
	const struct plot *p = g->p;
	double w, h;
	size_t every;

	shade_legend(g);
	frame(g, MIN(widest_label(&p->ay), g->width * 0.4), &p->ay, &p->ax);
	w = (g->right - g->left) / (double)MAX(p->ax.n_labels, (size_t)1);
	h = (g->bottom - g->top) / (double)MAX(p->ay.n_labels, (size_t)1);
	for (size_t i = 0; i < SHADES; i++)
		cells_of(g, i, w, h);
	x_ticks(g, false);
	every = h < 13 ? (size_t)ceil(13 / h) : 1;
	for (size_t i = 0; i < p->ay.n_labels; i += every)
		text(g, g->left - 6, g->top + ((double)i + 0.5) * h + 4, "e", p->ay.labels[i], g->left - PAD);
}

/* --- all of it --- */

static bool lies(const struct plot *p, double width)
{
	return p->kind == PLOT_BAR &&
	       (widest_label(&p->ax) + 6) * (double)MAX(p->n_bars, (size_t)1) > width - 80;
}

static double fitting_height(const struct plot *p, double width)
{
	if (lies(p, width))
		return MIN(MAX(200.0, 90 + (double)(p->n_bars * MAX(p->n_series, (size_t)1)) * BAR), 6000.0);
	if (p->kind == PLOT_HEAT)
		return MIN(MAX(240.0, 110 + (double)p->ay.n_labels * 20), 3000.0);
	return p->kind == PLOT_SPARK ? 80 : MAX(220.0, MIN(width * 0.56, 450.0));
}

static void data(struct svg *g)
{
	const struct plot *p = g->p;

	if (!p->n_rows) {
		text(g, g->width / 2, g->height / 2, "m", STR("no rows"), 200);
	} else if (p->kind == PLOT_HEAT) {
		heat(g);
	} else {
		legend(g);
		if (p->kind == PLOT_SPARK) {
			g->left = PAD;
			g->right = g->width - PAD;
			g->bottom = g->height - PAD;
			for (size_t i = 0; i < p->n_series; i++)
				line(g, i);
		} else if (lies(p, g->width)) {
			lying(g);
		} else if (p->kind == PLOT_BAR || p->kind == PLOT_HIST) {
			standing(g);
		} else {
			points(g);
		}
	}
}

void plot_svg_size(const struct plot *p, unsigned width, unsigned height, unsigned *w, unsigned *h)
{
	*w = width ? width : 800;
	*h = height ? height : (unsigned)fitting_height(p, *w);
}

void plot_svg(const struct plot *made, unsigned width, unsigned height, struct buf *out)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct plot p = *made;
	struct svg g = {.p = &p, .a = a, .out = out, .top = PAD};
	unsigned w, h;

	plot_svg_size(made, width, height, &w, &h);
	g.width = w;
	g.height = h;
	if (p.kind != PLOT_HEAT)
		plot_axis_round(&p.ay, (size_t)MAX(2.0, g.height / 60));
	if (p.kind == PLOT_SCATTER && p.ax.kind == AXIS_NUMBER)
		plot_axis_round(&p.ax, (size_t)MAX(2.0, g.width / 90));
	buf_addf(out,
	         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\""
	         " role=\"img\">\n<title>",
	         w, h, w, h);
	escaped(&g, p.title.n ? p.title : STR("plot"));
	buf_addf(out, "</title>\n%s<rect class=\"bg\" width=\"%u\" height=\"%u\" rx=\"4\"/>\n", style, w, h);
	if (p.title.n) {
		text(&g, PAD, g.top + 14, "t", p.title, (g.width - 2 * PAD) * 0.8);
		g.top += 26;
	}
	data(&g);
	buf_adds(out, "</svg>\n");
}
