/* What is known of a file, a line for each thing that one asks: from what, by whom, is it still so, how again. */
#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/show.h"

#define INPUTS_SHOWN  6
#define CHANGES_SHOWN 8

static void line(struct show_state *s, const char *what, struct str text)
{
	if (text.n)
		fprintf(s->out, "  %s%-9s%s %.*s\n", style_on(s->out, STYLE_DIM), what, style_off(s->out),
		        STR_ARG(text));
}

static struct str at(struct show_state *s, const struct dom *row, const char *key)
{
	const struct dom *v = dom_get(row, key);

	return v ? show_cell(s->arena, str_of("at"), v) : STR("");
}

static struct str of(struct show_state *s, const struct dom *row, const char *key, const char *form)
{
	struct str v = show_text(row, key);

	return v.n ? arena_strf(s->arena, form, STR_ARG(v)) : STR("");
}

static void changes(struct show_state *s, const struct dom *list)
{
	size_t n = 0;

	dom_each (c, list) {
		if (n++ == CHANGES_SHOWN) {
			line(s, "", arena_strf(s->arena, "... and %zu more (--json has all)", list->n - CHANGES_SHOWN));
			return;
		}
		line(s, n == 1 ? "changed" : "", show_text(c, "text"));
	}
}

static void inputs(struct show_state *s, const struct dom *list)
{
	struct arena *a = s->arena;
	size_t n = 0;

	dom_each (in, list) {
		const struct dom *by = dom_get(in, "made_by"), *put = dom_get(in, "put");
		struct str what, who = STR("");

		if (n++ == INPUTS_SHOWN && list->n > INPUTS_SHOWN + 1) {
			line(s, "", arena_strf(a, "... and %zu more (--json has all)", list->n - INPUTS_SHOWN));
			return;
		}
		what = arena_strf(a, "%.*s%.*s%.*s", STR_ARG(show_text(in, "repo")),
		                  STR_ARG(of(s, in, "ds", " ds=%.*s")), STR_ARG(of(s, in, "path", ":%.*s")));
		if (by)
			who = arena_strf(a, "  (job %.*s)", STR_ARG(show_text(by, "job")));
		else if (put)
			who = arena_strf(a, "  (%.*s%s%.*s%s%.*s)", STR_ARG(show_text(put, "kind")),
			                 show_text(put, "author").n ? " by " : "", STR_ARG(show_text(put, "author")),
			                 at(s, put, "at").n ? ", " : "", STR_ARG(at(s, put, "at")));
		line(s, n == 1 ? "from" : "", arena_strf(a, "%.*s%.*s", STR_ARG(what), STR_ARG(who)));
	}
}

static void code(struct show_state *s, const struct dom *unit)
{
	struct str files = STR(""), params = STR("");

	dom_each (f, dom_get(unit, "code_files"))
		files = arena_strf(s->arena, "%.*s%s%.*s", STR_ARG(files), files.n ? ", " : "",
		                   STR_ARG(show_text(f, "path")));
	dom_each (p, dom_get(unit, "params"))
		params = arena_strf(s->arena, "%.*s%s%.*s=%.*s", STR_ARG(params), params.n ? " " : "", STR_ARG(p->key),
		                    STR_ARG(dom_text(s->arena, p)));
	line(s, "code",
	     arena_strf(s->arena, "%.*s%s%.12s", STR_ARG(files), files.n ? "  " : "",
	                show_text(unit, "code").n ? show_text(unit, "code").p : ""));
	line(s, "params", params);
}

static void made(struct show_state *s, const struct dom *row)
{
	const struct dom *unit = dom_get(row, "made_by"), *put = dom_get(row, "put");

	if (unit) {
		line(s, "made",
		     arena_strf(s->arena, "%.*s in run %.8s%.*s", STR_ARG(at(s, unit, "finished")),
		                show_text(unit, "run").n ? show_text(unit, "run").p : "?",
		                STR_ARG(of(s, unit, "command", " (%.*s)"))));
		inputs(s, dom_get(unit, "inputs"));
		code(s, unit);
	} else if (put) {
		line(s, "came",
		     arena_strf(s->arena, "%.*s%.*s%.*s", STR_ARG(at(s, put, "at")),
		                STR_ARG(of(s, put, "author", " by %.*s")), STR_ARG(of(s, put, "command", " (%.*s)"))));
		line(s, "message", show_text(put, "message"));
	}
}

static void export(struct show_state *s, const struct dom *x, bool all)
{
	struct str tables = STR("");

	line(s, "exported",
	     arena_strf(s->arena, "%.*s by %.*s to %.*s", STR_ARG(at(s, x, "at")), STR_ARG(show_text(x, "who")),
	                STR_ARG(show_text(x, "path").n ? show_text(x, "path") : show_text(x, "name"))));
	if (!all)
		return;
	line(s, "query", show_text(x, "query"));
	line(s, "ds", show_text(x, "ds"));
	dom_each (t, dom_get(x, "tables"))
		tables = arena_strf(s->arena, "%.*s%s%.*s@%.12s", STR_ARG(tables), tables.n ? ", " : "",
		                    STR_ARG(show_text(t, "repo")),
		                    show_text(t, "commit").n ? show_text(t, "commit").p : "");
	line(s, "from", tables);
}

static void nearest(struct show_state *s, const struct dom *row)
{
	const struct dom *list = dom_get(row, "nearest");
	bool first = true;

	dom_each (x, list) {
		struct str what = show_text(x, "repo").n
		                          ? arena_strf(s->arena, "%.*s:%.*s", STR_ARG(show_text(x, "repo")),
		                                       STR_ARG(show_text(x, "path")))
		                          : arena_strf(s->arena, "%.*s, exported %.*s", STR_ARG(show_text(x, "name")),
		                                       STR_ARG(at(s, x, "at")));

		line(s, first ? "nearest" : "",
		     arena_strf(s->arena, "%.*s%.*s", STR_ARG(what), STR_ARG(of(s, x, "differs", ": %.*s"))));
		first = false;
	}
	line(s, "elsewhere",
	     of(s, row, "elsewhere", "it lies in another workspace, which may know it: leat -C %.*s whence"));
}

void show_whence(struct show_state *s, const struct dom *row)
{
	const struct dom *also, *exports, *by;
	bool known, shown = false;

	if (!row)
		return;
	known = dom_get(row, "known") && dom_get(row, "known")->b;
	if (s->n++)
		fputc('\n', s->out);
	fprintf(s->out, "%s%.*s%s\n", style_on(s->out, known ? STYLE_BOLD : STYLE_YELLOW),
	        STR_ARG(show_text(row, "answer")), style_off(s->out));
	line(s, "as", show_text(row, "as"));
	made(s, row);
	by = dom_get(row, "replaced_by");
	if (by)
		line(s, "replaced",
		     arena_strf(s->arena, "%.*s%.*s%.*s", STR_ARG(at(s, by, "at")),
		                STR_ARG(of(s, by, "short", " by run %.*s")), STR_ARG(of(s, by, "author", " by %.*s"))));
	line(s, "now", show_text(row, "reason"));
	exports = dom_get(row, "exports");
	dom_each (x, exports) {
		export(s, x, !dom_get(row, "repo") && !shown);
		shown = true;
	}
	changes(s, dom_get(row, "changes"));
	line(s, "again", show_text(row, "again"));
	line(s, "get", show_text(row, "get"));
	also = dom_get(row, "also");
	dom_each (x, also)
		line(s, x == also->first ? "also" : "",
		     arena_strf(s->arena, "%.*s@%.12s%.*s%s", STR_ARG(show_text(x, "repo")), show_text(x, "commit").p,
		                STR_ARG(of(s, x, "path", ":%.*s")), dom_get(x, "let_go") ? " (let go)" : ""));
	if (show_int(row, "more"))
		line(s, "", arena_strf(s->arena, "... and %" PRId64 " more", show_int(row, "more")));
	nearest(s, row);
}
