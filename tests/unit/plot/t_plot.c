#include <math.h>

#include "base/str.h"
#include "plot/plot_in.h"
#include "t.h"

static struct arena *a;

/* A plot of texts as cells; n_cols names and types before them. */
static struct plot *plot_of(enum plot_kind kind, const char *const *cells, size_t n_cols, size_t n_rows, struct err *e)
{
	struct plot_ask ask = {.kind = kind};
	struct str at[8], types[8];
	struct plot *p;

	for (size_t i = 0; i < n_cols; i++) {
		at[i] = str_of(cells[i]);
		types[i] = str_of(cells[n_cols + i]);
	}
	if (plot_new(a, &ask, at, types, n_cols, &p, e))
		return NULL;
	for (size_t r = 2; r < n_rows + 2; r++) {
		for (size_t i = 0; i < n_cols; i++)
			at[i] = str_of(cells[r * n_cols + i]);
		if (plot_row(p, at, e))
			return NULL;
	}
	return plot_make(p, e) ? NULL : p;
}

static bool ticks_are(enum plot_axis_kind kind, double lo, double hi, size_t most, const char *want)
{
	struct plot_axis ax = {.kind = kind, .lo = lo, .hi = hi};
	struct plot_tick *t;
	size_t n = plot_ticks(a, &ax, most, &t);
	struct str all = STR("");

	for (size_t i = 0; i < n; i++)
		all = arena_strf(a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(t[i].text));
	return T_STR(arena_cstr(a, all), want, "ticks from %g to %g are round", lo, hi);
}

static double seconds(const char *text)
{
	double t = NAN;

	return plot_time_parse(str_of(text), &t) ? t : NAN;
}

static void axes(void)
{
	struct plot_axis ax = {.kind = AXIS_NUMBER};

	ticks_are(AXIS_NUMBER, 0, 10, 5, "0 2 4 6 8 10");
	ticks_are(AXIS_NUMBER, -0.3, 0.3, 5, "-0.2 0.0 0.2");
	ticks_are(AXIS_NUMBER, 0, 2500000, 5, "0.0 0.5M 1.0M 1.5M 2.0M 2.5M");
	ticks_are(AXIS_NUMBER, 1e-9, 3e-9, 3, "1e-09 2e-09 3e-09");
	ticks_are(AXIS_TIME, seconds("2023-11-20"), seconds("2024-02-10"), 4, "2023-12 2024-01 2024-02");
	ticks_are(AXIS_TIME, seconds("2024-01-01"), seconds("2024-01-30"), 5,
	          "2024-01-01 2024-01-08 2024-01-15 2024-01-22 2024-01-29");
	ticks_are(AXIS_TIME, seconds("2024-01-01 20:00:00"), seconds("2024-01-02 05:00:00"), 4,
	          "21:00 2024-01-02 03:00");
	ticks_are(AXIS_TIME, seconds("1900-06-01"), seconds("2024-06-01"), 7, "1920 1940 1960 1980 2000 2020");
	T_OK(isnan(seconds("2024-02-30")) && isnan(seconds("infinity")) && isnan(seconds("2024-01-01 1")),
	     "what is no time is none");
	T_OK(seconds("2024-01-01 02:00:00+02") == seconds("2024-01-01"), "a time with a zone is an instant");
	for (size_t i = 0; i < 6; i++) {
		static const double values[] = {0, 1e16, -5e-320, 7, -1e299, 1700000000};

		plot_axis_fit(&ax, values[i], values[i]);
		T_OK(ax.lo < ax.hi && ax.lo <= values[i] && values[i] <= ax.hi, "an axis of %g alone has room",
		     values[i]);
	}
}

/* A million points of which one stands out, high and low. */
static void reduced(void)
{
	size_t n = 1000000, m;
	struct plot_pt *pts = arena_array(a, struct plot_pt, n), *out;
	bool high = false, low = false, gap = false, order = true;

	for (size_t i = 0; i < n; i++)
		pts[i] = (struct plot_pt){(double)i, i == 300000 ? NAN : (double)(i % 7)};
	pts[123456].y = 1000;
	pts[654321].y = -1000;
	m = plot_reduce(a, pts, n, 0, (double)n, 800, &out);
	for (size_t i = 0; i < m; i++) {
		high |= out[i].y == 1000;
		low |= out[i].y == -1000;
		gap |= isnan(out[i].y);
		order &= !i || out[i - 1].x <= out[i].x;
	}
	T_OK(m <= 6 * 801, "a million points become %zu", m);
	T_OK(high && low && gap && order, "the highest, the lowest and a gap among them are still there, in order");
}

static void kinds(void)
{
	struct err e = ERR_INIT;
	static const struct {
		const char *first, *second; /* types of x and y */
		const char *cells[6];       /* three rows */
		enum plot_kind kind;
	} rows[] = {
		{"DATE", "INTEGER", {"2024-01-01", "1", "2024-01-02", "2", "2024-01-03", "3"}, PLOT_LINE},
		{"VARCHAR", "INTEGER", {"2024-W01", "1", "2024-W02", "2", "2024-W03", "3"}, PLOT_LINE},
		{"VARCHAR", "DOUBLE", {"2024-W01", "1", "x", "2", NULL, "3"}, PLOT_BAR},
		{"BIGINT", "DECIMAL(18,3)", {"1", "1.5", "2", "2", "3", "3"}, PLOT_BAR},
		{"DOUBLE", "INTEGER", {"1.5", "1", "2", "2", "3", "3"}, PLOT_LINE},
		{"DOUBLE", "INTEGER", {"3", "1", "2", "2", "5", "3"}, PLOT_SCATTER},
		{"BOOLEAN", "VARCHAR", {"true", "1", "false", "2", "true", "3"}, PLOT_BAR},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *cells[10] = {"x", "y", rows[i].first, rows[i].second};
		struct plot *p;

		memcpy(cells + 4, rows[i].cells, sizeof(rows[i].cells));
		p = plot_of(PLOT_AUTO, cells, 2, 3, &e);
		T_OK(p && plot_kind_of(p) == rows[i].kind, "%s and %s, as in row %zu, give a %s", rows[i].first,
		     rows[i].second, i, plot_kind_words[rows[i].kind]);
	}
}

/* No control character, no direction turned, no tag but ours. */
static void hostile(void)
{
	static const char *const cells[] = {
		"<x>&\"", "y\033[31m", "VARCHAR", "DOUBLE", "</text><script>alert(1)</script>", "1",
		"\xE2\x80\xAE txet", "-2", "a\nb\x01", NULL, "", "inf"
	};
	struct err e = ERR_INIT;
	struct plot_screen screen = {.width = 60, .utf8 = true};
	struct buf svg = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
	struct plot *p = plot_of(PLOT_BAR, cells, 2, 4, &e);

	if (!T_OK(p != NULL, "hostile texts are drawn"))
		return;
	plot_svg(p, 0, 0, &svg);
	plot_text(p, &screen, &text);
	T_OK(!strstr(svg.p, "<script") && !strstr(svg.p, "\033") && !strstr(svg.p, "\xE2\x80\xAE") &&
	             !strchr(svg.p, 1) && strstr(svg.p, "&lt;script"),
	     "in SVG they are nothing but text");
	T_OK(!strchr(text.p, 1) && !strchr(text.p, '\033') && strstr(text.p, "a\\nb\\x01"),
	     "in a terminal they are one line each");
	T_INT((long long)plot_left_out(p), 2, "a null and an infinity are left out, and counted");
	buf_free(&svg);
	buf_free(&text);
}

int main(void)
{
	a = arena_new();
	axes();
	reduced();
	kinds();
	hostile();
	arena_free(a);
	return t_done();
}
