#include <inttypes.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/show.h"

#define INDENT "      "

struct names {
	VEC(struct str) v;
};

static void note_names(struct arena *a, struct names *to, const struct dom *map)
{
	dom_each (v, map) {
		bool there = false;

		for (size_t i = 0; i < to->v.n; i++)
			there |= str_eq(to->v.p[i], v->key);
		if (!there)
			vec_push(a, &to->v, v->key);
	}
}

static const struct dom *cell(const struct dom *row, const char *side, const char *name)
{
	const struct dom *v = dom_get(dom_get(row, "key"), name);

	return v ? v : dom_get(dom_get(row, side), name);
}

static void add_line(struct show_state *s, struct grid *g, const struct names *n, const struct dom *row,
                     const char *side)
{
	bool old = *side == 'o';
	int64_t times = show_int(row, "times");

	grid_cell(g, old ? STR(INDENT "-") : STR(INDENT "+"));
	for (size_t i = 0; i < n->v.n; i++) {
		const struct dom *v = cell(row, side, arena_cstr(s->arena, n->v.p[i]));

		grid_cell(g, !v ? STR("") : v->type == DOM_NULL ? STR("null") : show_value(s->arena, v));
	}
	grid_cell(g, times > 1 ? arena_strf(s->arena, "(%" PRId64 " times)", times) : STR(""));
}

/* Rows under their columns: what is expected with a -, what is given with a +. */
static void show_rows(struct show_state *s, const struct dom *list)
{
	struct names names = {0};
	struct grid *g;

	dom_each (row, list)
		note_names(s->arena, &names, dom_get(row, "key"));
	dom_each (row, list) {
		note_names(s->arena, &names, dom_get(row, "old"));
		note_names(s->arena, &names, dom_get(row, "new"));
	}
	g = grid_new(s->arena, names.v.n + 2);
	grid_cell(g, STR(INDENT " "));
	for (size_t i = 0; i < names.v.n; i++)
		grid_cell(g, names.v.p[i]);
	grid_cell(g, STR(""));
	dom_each (row, list) {
		if (dom_get(row, "old"))
			add_line(s, g, &names, row, "old");
		if (dom_get(row, "new"))
			add_line(s, g, &names, row, "new");
	}
	grid_print(g, s->out, s->width, false, "");
}

static void show_files(struct show_state *s, const struct dom *list)
{
	dom_each (row, list) {
		struct str change = show_text(row, "change"), text = show_text(row, "text"), line;

		fprintf(s->out, INDENT "%s%.*s\n",
		        str_is(change, "added")     ? "not expected: "
		        : str_is(change, "removed") ? "not there: "
		                                    : "",
		        STR_ARG(show_text(row, "path")));
		while (str_is(change, "changed") && str_next_line(&text, &line))
			fprintf(s->out, INDENT "%.*s\n", STR_ARG(line));
	}
}

static void show_lines(struct show_state *s, struct str text)
{
	struct str line;

	while (str_next_line(&text, &line))
		fprintf(s->out, INDENT "| %.*s\n", STR_ARG(line));
}

static void show_problem(struct show_state *s, const struct dom *row)
{
	const struct dom *err = dom_get(row, "error"), *list = dom_get(row, "differences");
	int64_t line = err ? show_int(err, "line") : 0;

	if (err && show_text(err, "file").n)
		fprintf(s->out, INDENT "in %.*s%s\n", STR_ARG(show_text(err, "file")),
		        line ? arena_printf(s->arena, ":%" PRId64 ":%" PRId64, line, show_int(err, "col")) : "");
	if (err && show_text(err, "hint").n)
		fprintf(s->out, INDENT "%.*s\n", STR_ARG(show_text(err, "hint")));
	show_lines(s, show_text(row, "log"));
	if (!list || !list->n)
		return;
	if (dom_get(row, "files"))
		show_files(s, list);
	else
		show_rows(s, list);
}

static void show_sums(struct show_state *s, const struct dom *row)
{
	static const struct {
		const char *key, *word;
	} parts[] = {{"passed", "passed"},
	             {"failed", "failed"},
	             {"errors", "not runnable"},
	             {"updated", "written anew"}};
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int64_t n = show_int(row, parts[i].key);

		if (!n && i)
			continue;
		fprintf(s->out, "%s%" PRId64 " %s", any ? ", " : "", n, parts[i].word);
		any = true;
	}
	fprintf(s->out, " in %.2f s\n", dom_get(row, "seconds")->d);
}

void show_test(struct show_state *s, const struct dom *row)
{
	static const struct {
		const char *state, *sign;
		enum style style;
	} signs[] = {{"passed", "ok   ", STYLE_GREEN},
	             {"failed", "FAIL ", STYLE_RED},
	             {"error", "ERROR", STYLE_RED},
	             {"updated", "new  ", STYLE_YELLOW}};
	size_t k = 0;

	if (!row)
		return;
	if (!dom_get(row, "state")) {
		show_sums(s, row);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (str_is(show_text(row, "state"), signs[i].state))
			k = i;
	fprintf(s->out, "%s%s%s %.*s/%.*s", style_on(s->out, signs[k].style), signs[k].sign, style_off(s->out),
	        STR_ARG(show_text(row, "job")), STR_ARG(show_text(row, "test")));
	if (show_text(row, "text").n)
		fprintf(s->out, ": %.*s", STR_ARG(show_text(row, "text")));
	if (show_text(row, "written").n)
		fprintf(s->out, ": %.*s", STR_ARG(show_text(row, "written")));
	if (dom_get(row, "differences"))
		fputs(" (- expected, + given)", s->out);
	fputc('\n', s->out);
	show_problem(s, row);
}

void show_preview(struct show_state *s, const struct dom *row)
{
	const struct dom *columns = dom_get(row, "columns"), *more = dom_get(row, "more");
	struct grid *g = grid_new(s->arena, columns->n);
	size_t i = 0;

	dom_each (c, columns)
		grid_head(g, i++, c->s, false);
	dom_each (cells, dom_get(row, "rows"))
		dom_each (v, cells)
			grid_cell(g, v->type == DOM_NULL ? STR("null") : v->s);
	grid_print(g, s->out, s->width, true, "null");
	fputs(more && more->b ? "...\n" : "", s->out);
}
