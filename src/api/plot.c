/* leat plot: a query as a picture, in the terminal or in a file. */
#include "plot/plot.h"

#include "api/query.h"
#include "base/str.h"
#include "sys/file.h"
#include "sys/term.h"

#define COLUMNS 80 /* where there is no terminal */

enum target { TO_TEXT, TO_SVG, TO_PNG };
static const char *const target_words[] = {"text", "svg", "png"};

struct plotting {
	struct arena *a;
	struct sink *out;
	struct plot_ask ask;
	enum target target;
	const char *path; /* NULL: standard output */
	unsigned width, height;
	bool json;
	struct plot *plot;
};

static int on_head(void *ptr, const struct dom *columns, struct err *e)
{
	struct plotting *g = ptr;
	struct str *names = arena_array(g->a, struct str, columns->n + 1);
	struct str *types = arena_array(g->a, struct str, columns->n + 1);
	size_t n = 0;

	dom_each (c, columns) {
		names[n] = dom_get(c, "name")->s;
		types[n++] = dom_get(c, "type")->s;
	}
	return plot_new(g->a, &g->ask, names, types, n, &g->plot, e);
}

static int on_rows(void *ptr, const struct duck_rows *r, struct err *e)
{
	struct plotting *g = ptr;

	for (size_t i = 0; i < r->n_rows; i++)
		if (plot_row(g->plot, r->at + i * r->n_cols, e))
			return -1;
	return 0;
}

static int draw(struct plotting *g, struct buf *out, struct err *e)
{
	struct plot_screen screen = {
		.width = g->width ? g->width : term_is_tty(1) && g->out->people ? term_columns(1) : COLUMNS,
		.height = g->height, .utf8 = term_utf8(), .colour = g->out->people && term_colour(1)
	};
	struct buf svg cleanup(buf_free) = BUF_INIT(PLOT_MAX_BYTES);

	if (g->target == TO_TEXT) {
		plot_text(g->plot, &screen, out);
	} else if (g->target == TO_SVG) {
		plot_svg(g->plot, g->width, g->height, out);
	} else {
		unsigned width, height;

		plot_svg(g->plot, g->width, g->height, &svg);
		plot_svg_size(g->plot, g->width, g->height, &width, &height);
		if (plot_png(buf_str(&svg), width, height, out, e))
			return -1;
	}
	if (buf_over(out) || buf_over(&svg))
		return err_set(e, ERR_LIMIT, "the plot is larger than %zu MB", PLOT_MAX_BYTES >> 20);
	return 0;
}

static int tell(struct plotting *g, struct err *e)
{
	struct dom *doc;

	if (plot_doc(g->plot, g->target == TO_TEXT ? 0 : g->width, &doc, e))
		return -1;
	if (g->path)
		dom_set_cstr(g->a, doc, "path", g->path);
	return sink_row(g->out, doc, e);
}

static int on_done(void *ptr, const char **path, struct err *e)
{
	struct plotting *g = ptr;
	struct buf out cleanup(buf_free) = BUF_INIT(PLOT_MAX_BYTES);
	size_t left;

	if (!g->plot) /* a statement without a result */
		return err_set(e, ERR_BAD_REQUEST, "the query gives no rows to draw");
	if (plot_make(g->plot, e))
		return -1;
	if (g->json && !g->path)
		return tell(g, e);
	if (draw(g, &out, e))
		return -1;
	if (g->path ? file_replace(g->path, buf_str(&out), 0, 0, e) : g->out->bytes(g->out->ptr, buf_str(&out), e))
		return -1;
	left = plot_left_out(g->plot);
	if (left)
		sink_note(g->out, "%zu of %zu rows %s no number to draw (NULL, NaN, infinite)", left,
		          plot_rows(g->plot), left == 1 ? "has" : "have");
	if (g->path)
		sink_note(g->out, "%zu row%s drawn to %s", plot_rows(g->plot), plot_rows(g->plot) == 1 ? "" : "s",
		          g->path);
	*path = g->path;
	return g->json ? tell(g, e) : 0;
}

/* --format, or what the file's name says. */
static int choose_target(struct plotting *g, const struct args *args, struct err *e)
{
	struct str word = args_value(args, "format"), output = args_value(args, "output");

	g->path = output.p && !str_is(output, "-") ? arena_cstr(g->a, output) : NULL;
	g->target = TO_TEXT;
	if (word.p) {
		for (size_t i = 0; i < ARRAY_LEN(target_words); i++)
			if (str_is(word, target_words[i])) {
				g->target = (enum target)i;
				break;
			} else if (i + 1 == ARRAY_LEN(target_words)) {
				return err_set(e, ERR_BAD_REQUEST, "--format '%s' is none of text, svg, png",
				               STR_SHOWN(word));
			}
	} else if (str_has_suffix(output, STR(".svg"))) {
		g->target = TO_SVG;
	} else if (str_has_suffix(output, STR(".png"))) {
		g->target = TO_PNG;
	} else if (g->path && !str_has_suffix(output, STR(".txt"))) {
		err_set(e, ERR_BAD_REQUEST, "'%s' does not say what it is to hold", STR_SHOWN(output));
		return err_hint(e, "-o FILE.svg, FILE.png or FILE.txt; or --format");
	}
	if (g->path && file_is_special(g->path))
		return err_set(e, ERR_BAD_REQUEST, "%s is a device or a pipe, and no file", g->path);
	if (g->target == TO_PNG && !g->path && term_is_tty(1) && g->out->people) {
		err_set(e, ERR_BAD_REQUEST, "a PNG is nothing for a terminal");
		return err_hint(e, "-o FILE.png");
	}
	return 0;
}

int api_plot(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct plotting g = {.a = api->arena, .out = out};
	struct query_reader reader = {&g, on_head, on_rows, on_done};
	struct str kind = args_value(args, "kind"), *y = arena_array(api->arena, struct str, args_count(args, "y") + 1);
	int64_t width, height;

	if (choose_target(&g, args, e) ||
	    args_int(args, "width", g.target ? 100 : 20, 10000, 0, &width, e) ||
	    args_int(args, "height", g.target ? 60 : 2, g.target ? 10000 : 1000, 0, &height, e) ||
	    (kind.p && plot_kind_parse(kind, &g.ask.kind, e)))
		return -1;
	g.json = args_flag(args, "json");
	if (g.json && !g.path && args_value(args, "format").p)
		return err_set(e, ERR_BAD_REQUEST, "--json and --format both say what is printed");
	g.width = (unsigned)width;
	g.height = (unsigned)height;
	for (size_t i = 0; i < args_count(args, "y"); i++)
		y[i] = args_nth(args, "y", i);
	g.ask.x = args_value(args, "x");
	g.ask.by = args_value(args, "by");
	g.ask.title = args_value(args, "title");
	g.ask.y = y;
	g.ask.n_y = args_count(args, "y");
	return query_read(api, args, out, &reader, e);
}
