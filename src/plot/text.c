/* A plot in characters: blocks and braille where the terminal has UTF-8, else ASCII. */
#include <stdlib.h>

#include "base/str.h"
#include "plot/plot_in.h"

#define LINES 16
#define MIN_ROOM 8

struct drawing {
	const struct plot *p;
	const struct plot_screen *s;
	struct arena *a;
	struct buf *out;
	size_t width;
};

static void colour(struct drawing *d, size_t series)
{
	static const char *const codes[] = {"34", "33", "32", "35", "36", "31"};

	if (d->s->colour)
		buf_addf(d->out, "\033[%sm", codes[series % ARRAY_LEN(codes)]);
}

static void plain(struct drawing *d)
{
	if (d->s->colour)
		buf_adds(d->out, "\033[0m");
}

static const char *dots(const struct drawing *d)
{
	return d->s->utf8 ? "\u2026" : "...";
}

static void blanks(struct drawing *d, size_t n)
{
	for (; n; n--)
		buf_addc(d->out, ' ');
}

/* In exactly that many columns. */
static void padded(struct drawing *d, struct str s, size_t columns, bool right)
{
	struct str cut = plot_cut(d->a, s, columns, dots(d));
	size_t n = str_columns(cut), rest = columns > n ? columns - n : 0;

	if (right)
		blanks(d, rest);
	buf_addstr(d->out, cut);
	if (!right)
		blanks(d, rest);
}

static void title(struct drawing *d)
{
	if (!d->p->title.n)
		return;
	buf_addstr(d->out, plot_cut(d->a, d->p->title, d->width, dots(d)));
	buf_addc(d->out, '\n');
}

/* What each colour or letter stands for. */
static void legend(struct drawing *d, const char *const *marks, size_t n_marks)
{
	size_t at = 0;

	if (d->p->n_series < 2)
		return;
	for (size_t i = 0; i < d->p->n_series; i++) {
		struct str name = plot_cut(d->a, d->p->series[i].name, d->width / 2, dots(d));
		size_t n = str_columns(name) + 4;

		if (at && at + n > d->width) {
			buf_addc(d->out, '\n');
			at = 0;
		}
		if (at)
			buf_adds(d->out, "  ");
		colour(d, i);
		buf_adds(d->out, marks[i % n_marks]);
		plain(d);
		buf_addc(d->out, ' ');
		buf_addstr(d->out, name);
		at += n;
	}
	buf_addc(d->out, '\n');
}

/* --- bars --- */

/* From `from` to `to`, in eighths of a character; what lies before is blank. */
static void bar(struct drawing *d, size_t from, size_t to)
{
	static const char *const eighths[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};

	if (!d->s->utf8) {
		blanks(d, from / 8);
		for (size_t i = from / 8; i < (to + 4) / 8; i++)
			buf_addc(d->out, '#');
		return;
	}
	blanks(d, from / 8);
	for (size_t i = (from + 4) / 8; i < to / 8; i++)
		buf_adds(d->out, "\u2588");
	buf_adds(d->out, eighths[to % 8]);
}

static struct str bin_label(struct drawing *d, size_t i)
{
	const struct plot *p = d->p;
	struct plot_axis ax = p->ax;
	double lo = p->bin_lo + p->bin * (double)i;

	if (ax.kind == AXIS_NUMBER && p->bin == 1)
		return plot_number(d->a, lo);
	return arena_strf(d->a, "%.*s..%.*s", STR_ARG(plot_label(d->a, &ax, lo)),
	                  STR_ARG(plot_label(d->a, &ax, lo + p->bin)));
}

static struct str group_label(struct drawing *d, size_t i)
{
	return d->p->kind == PLOT_HIST ? bin_label(d, i) : d->p->ax.labels[i];
}

struct widths {
	size_t label, name, value, room;
};

static struct widths bar_widths(struct drawing *d)
{
	const struct plot *p = d->p;
	struct widths w = {0};
	size_t used;

	for (size_t i = 0; i < p->n_bars; i++)
		w.label = MAX(w.label, str_columns(group_label(d, i)));
	for (size_t s = 0; s < p->n_series; s++) {
		w.name = MAX(w.name, str_columns(p->series[s].name));
		for (size_t i = 0; i < p->n_bars; i++)
			w.value = MAX(w.value, plot_number(d->a, p->series[s].bars[i]).n);
	}
	w.label = MIN(w.label, MAX(d->width / 2, (size_t)4));
	w.name = p->n_series > 1 ? MIN(w.name, d->width / 4) : 0;
	used = w.label + (w.name ? w.name + 2 : 0) + w.value + 4;
	w.room = d->width > used + MIN_ROOM ? d->width - used : MIN_ROOM;
	return w;
}

static void bars(struct drawing *d)
{
	const struct plot *p = d->p;
	struct widths w = bar_widths(d);
	double span = p->ay.hi - p->ay.lo;

	for (size_t i = 0; i < p->n_bars; i++)
		for (size_t s = 0; s < p->n_series; s++) {
			double v = p->series[s].bars[i];
			size_t zero = (size_t)(-p->ay.lo / span * (double)w.room * 8 + 0.5);
			size_t at = isnan(v) ? zero : (size_t)((v - p->ay.lo) / span * (double)w.room * 8 + 0.5);

			padded(d, s ? STR("") : group_label(d, i), w.label, false);
			if (w.name) {
				buf_adds(d->out, "  ");
				padded(d, p->series[s].name, w.name, false);
			}
			buf_adds(d->out, "  ");
			colour(d, s);
			bar(d, MIN(zero, at), MAX(zero, at));
			plain(d);
			buf_addc(d->out, ' ');
			buf_addstr(d->out, plot_number(d->a, v));
			buf_addc(d->out, '\n');
		}
}

/* --- points and lines --- */

struct canvas {
	size_t w, h;       /* characters */
	unsigned dx, dy;   /* dots in each */
	uint8_t *dots;     /* of each character */
	uint8_t *whose;    /* the last series that drew there, + 1 */
};

static void dot(struct canvas *c, long x, long y, size_t series)
{
	static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	size_t at;

	if (x < 0 || y < 0 || x >= (long)(c->w * c->dx) || y >= (long)(c->h * c->dy))
		return;
	at = (size_t)y / c->dy * c->w + (size_t)x / c->dx;
	c->dots[at] |= braille[(size_t)y % c->dy][(size_t)x % c->dx];
	c->whose[at] = (uint8_t)(series + 1);
}

/* Bresenham's. */
static void stroke(struct canvas *c, long x, long y, long u, long v, size_t series)
{
	long dx = labs(u - x), dy = -labs(v - y), sx = x < u ? 1 : -1, sy = y < v ? 1 : -1, off = dx + dy;

	for (;;) {
		long twice = 2 * off;

		dot(c, x, y, series);
		if (x == u && y == v)
			return;
		if (twice >= dy) {
			off += dy;
			x += sx;
		}
		if (twice <= dx) {
			off += dx;
			y += sy;
		}
	}
}

static void draw_series(struct drawing *d, struct canvas *c, size_t i)
{
	const struct plot *p = d->p;
	const struct plot_series *s = &p->series[i];
	bool joined = p->kind != PLOT_SCATTER, pen = false;
	size_t across = c->w * c->dx, n = s->n;
	struct plot_pt *pts = s->pts;
	long before_x = 0, before_y = 0;

	if (joined)
		n = plot_reduce(d->a, s->pts, s->n, p->ax.lo, p->ax.hi, across, &pts);
	for (size_t k = 0; k < n; k++) {
		long x, y;

		if (isnan(pts[k].y)) {
			pen = false;
			continue;
		}
		x = lround((pts[k].x - p->ax.lo) / (p->ax.hi - p->ax.lo) * (double)(across - 1));
		y = lround((p->ay.hi - pts[k].y) / (p->ay.hi - p->ay.lo) * (double)(c->h * c->dy - 1));
		if (joined && pen)
			stroke(c, before_x, before_y, x, y, i);
		else
			dot(c, x, y, i);
		before_x = x;
		before_y = y;
		pen = true;
	}
}

static const char *const letters[] = {"*", "+", "o", "x", "#", "@", "%", "&"};

static void canvas_line(struct drawing *d, const struct canvas *c, size_t y)
{
	size_t end = c->w;

	while (end && !c->dots[y * c->w + end - 1])
		end--;
	for (size_t x = 0; x < end; x++) {
		size_t at = y * c->w + x;
		char utf8[4];

		if (!c->dots[at]) {
			buf_addc(d->out, ' ');
			continue;
		}
		colour(d, c->whose[at] - 1u);
		if (d->s->utf8)
			buf_add(d->out, utf8, str_utf8_put(0x2800u + c->dots[at], utf8));
		else
			buf_adds(d->out, letters[(c->whose[at] - 1u) % ARRAY_LEN(letters)]);
		plain(d);
	}
	buf_addc(d->out, '\n');
}

/* The ticks of x below the axis: each under its place, none over another. */
static void below(struct drawing *d, size_t gutter, size_t w)
{
	const struct plot *p = d->p;
	struct plot_tick *t;
	size_t n = plot_ticks(d->a, &p->ax, MAX(w / 14, (size_t)2), &t), at = 0;

	blanks(d, gutter + 2);
	for (size_t i = 0; i < n; i++) {
		size_t place = (size_t)((t[i].at - p->ax.lo) / (p->ax.hi - p->ax.lo) * (double)(w - 1) + 0.5);
		struct str text = plot_cut(d->a, t[i].text, 12, dots(d));
		size_t half = str_columns(text) / 2, from = place > half ? place - half : 0;

		if (from + str_columns(text) > w)
			from = w > str_columns(text) ? w - str_columns(text) : 0;
		if (i && from < at + 1)
			continue;
		blanks(d, from - at);
		buf_addstr(d->out, text);
		at = from + str_columns(text);
	}
	buf_addc(d->out, '\n');
}

static void points(struct drawing *d)
{
	const struct plot *p = d->p;
	struct plot_tick *t;
	size_t h = d->s->height ? d->s->height : LINES, n, gutter = 1;
	struct canvas c = {.h = h, .dx = d->s->utf8 ? 2 : 1, .dy = d->s->utf8 ? 4 : 1};

	n = plot_ticks(d->a, &p->ay, MAX(h / 3, (size_t)2), &t);
	for (size_t i = 0; i < n; i++)
		gutter = MAX(gutter, str_columns(t[i].text));
	c.w = d->width > gutter + 2 + MIN_ROOM ? d->width - gutter - 2 : MIN_ROOM;
	c.dots = arena_alloc(d->a, c.w * h + 1);
	c.whose = arena_alloc(d->a, c.w * h + 1);
	for (size_t i = 0; i < p->n_series; i++)
		draw_series(d, &c, i);
	if (p->ay.title.n) {
		buf_addstr(d->out, plot_cut(d->a, p->ay.title, d->width, dots(d)));
		buf_addc(d->out, '\n');
	}
	for (size_t y = 0; y < h; y++) {
		struct str at = STR("");

		for (size_t i = 0; i < n; i++)
			if (y == (size_t)lround((p->ay.hi - t[i].at) / (p->ay.hi - p->ay.lo) * (double)(h - 1)))
				at = t[i].text;
		padded(d, at, gutter, true);
		buf_adds(d->out, d->s->utf8 ? at.n ? " \u2524" : " \u2502" : at.n ? " +" : " |");
		canvas_line(d, &c, y);
	}
	blanks(d, gutter);
	buf_adds(d->out, d->s->utf8 ? " \u2514" : " +");
	for (size_t x = 0; x < c.w; x++)
		buf_adds(d->out, d->s->utf8 ? "\u2500" : "-");
	buf_addc(d->out, '\n');
	below(d, gutter, c.w);
	legend(d, d->s->utf8 ? (const char *const[]){"\u2588"} : letters, d->s->utf8 ? 1 : ARRAY_LEN(letters));
}

/* --- sparklines --- */

static void sparks(struct drawing *d)
{
	static const char *const levels[] = {"\u2581", "\u2582", "\u2583", "\u2584",
	                                     "\u2585", "\u2586", "\u2587", "\u2588"};
	static const char *const ascii[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
	const struct plot *p = d->p;
	size_t name = 0;

	for (size_t i = 0; i < p->n_series; i++)
		name = MAX(name, str_columns(p->series[i].name));
	name = MIN(name, d->width / 3);
	for (size_t i = 0; i < p->n_series; i++) {
		const struct plot_series *s = &p->series[i];
		double lo = INFINITY, hi = -INFINITY;
		struct str ends;
		size_t room, n;

		for (size_t k = 0; k < s->n; k++) {
			lo = fmin(lo, s->pts[k].y);
			hi = fmax(hi, s->pts[k].y);
		}
		ends = lo <= hi ? arena_strf(d->a, "%.*s to %.*s", STR_ARG(plot_short(d->a, lo)),
		                             STR_ARG(plot_short(d->a, hi)))
		                : STR("none");
		room = MAX(d->width, name + ends.n + 4 + MIN_ROOM) - name - ends.n - 4;
		n = MIN(room, s->n);
		if (name) {
			padded(d, s->name, name, false);
			buf_adds(d->out, "  ");
		}
		colour(d, i);
		for (size_t k = 0; k < n; k++) { /* the mean of what falls on it */
			double sum = 0, got = 0;

			for (size_t m = k * s->n / n; m < (k + 1) * s->n / n; m++)
				if (!isnan(s->pts[m].y)) {
					sum += s->pts[m].y;
					got++;
				}
			if (got == 0)
				buf_addc(d->out, ' ');
			else
				buf_adds(d->out, (d->s->utf8 ? levels : ascii)[hi > lo
				                          ? (size_t)MIN(7.0, (sum / got - lo) / (hi - lo) * 8)
				                          : 3]);
		}
		plain(d);
		buf_adds(d->out, "  ");
		buf_addstr(d->out, ends);
		buf_addc(d->out, '\n');
	}
}

/* --- heat --- */

static const char *shade(const struct drawing *d, double v)
{
	static const char *const shades[] = {"\u2591", "\u2592", "\u2593", "\u2588"};
	static const char *const ascii[] = {".", "o", "O", "#"};
	double part = d->p->cell_hi > d->p->cell_lo ? (v - d->p->cell_lo) / (d->p->cell_hi - d->p->cell_lo) : 0.5;

	return isnan(v) ? " " : (d->s->utf8 ? shades : ascii)[(size_t)MIN(3.0, MAX(0.0, part * 4))];
}

static void heat(struct drawing *d)
{
	const struct plot *p = d->p;
	size_t gutter = 1, wide, nx = p->ax.n_labels;

	for (size_t i = 0; i < p->ay.n_labels; i++)
		gutter = MAX(gutter, str_columns(p->ay.labels[i]));
	gutter = MIN(gutter, d->width / 3);
	wide = MIN((size_t)4, MAX((size_t)1, (d->width - gutter - 2) / MAX(nx, (size_t)1)));
	for (size_t y = 0; y < p->ay.n_labels; y++) {
		padded(d, p->ay.labels[y], gutter, true);
		buf_adds(d->out, "  ");
		colour(d, 0);
		for (size_t x = 0; x < nx; x++)
			for (size_t k = 0; k < wide; k++)
				buf_adds(d->out, shade(d, p->cells[y * nx + x]));
		plain(d);
		buf_addc(d->out, '\n');
	}
	below(d, gutter, nx * wide);
	if (p->cell_lo <= p->cell_hi)
		buf_addf(d->out, "%.*s: %s %.*s to %s %.*s\n", STR_ARG(p->cell_title), shade(d, p->cell_lo),
		         STR_ARG(plot_short(d->a, p->cell_lo)), d->s->utf8 ? "\u2588" : "#",
		         STR_ARG(plot_short(d->a, p->cell_hi)));
}

void plot_text(const struct plot *made, const struct plot_screen *s, struct buf *out)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct plot p = *made;
	struct drawing d = {&p, s, a, out, MAX(s->width, 20u)};

	if (p.kind != PLOT_HEAT && p.kind != PLOT_BAR && p.kind != PLOT_HIST)
		plot_axis_round(&p.ay, MAX((s->height ? s->height : LINES) / 3, 2u));
	title(&d);
	if (!p.n_rows) {
		buf_adds(out, "no rows\n");
		return;
	}
	switch (p.kind) {
	case PLOT_BAR:
	case PLOT_HIST:
		bars(&d);
		break;
	case PLOT_SPARK:
		sparks(&d);
		break;
	case PLOT_HEAT:
		heat(&d);
		break;
	default:
		points(&d);
	}
}
