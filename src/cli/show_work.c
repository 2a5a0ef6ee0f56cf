#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clean.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/show.h"

#define WHY_ITEMS 4  /* of a longer list the first ones are shown */
#define WHY_LINES 40 /* and of a longer answer */

void show_new(struct show_state *s, const struct dom *row)
{
	if (!row) {
		if (s->grid)
			grid_print(s->grid, s->out, s->width, false, "");
		return;
	}
	if (!dom_get(row, "template")) {
		show_note(s, row);
		return;
	}
	if (!s->grid) {
		s->grid = grid_new(s->arena, 2);
		grid_head(s->grid, 0, STR("template"), false);
		grid_head(s->grid, 1, STR("what it makes"), false);
	}
	grid_cell(s->grid, show_text(row, "template"));
	grid_cell(s->grid, show_text(row, "text"));
}

static void section(struct show_state *s, const char *title)
{
	fprintf(s->out, "%s%s%s\n", style_on(stdout, STYLE_BOLD), title, style_off(stdout));
}

static const char *count(struct show_state *s, const struct dom *row, const char *key, const char *one)
{
	int64_t n = show_int(row, key);

	return arena_printf(s->arena, "%" PRId64 " %s", n, n == 1 ? one : key);
}

/* One row: counts, then what wants attention, each with the command that helps. */
/* "shop price-fix 3 stale 1 failed": plain words, since shells count the columns of a prompt. */
static void show_prompt(struct show_state *s, const struct dom *row)
{
	static const char *const counts[] = {"stale", "failed", "running", "open"};

	fprintf(s->out, "%.*s", STR_ARG(show_text(row, "name")));
	if (show_text(row, "on").n)
		fprintf(s->out, " %.*s", STR_ARG(show_text(row, "on")));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (show_int(row, counts[i]) > 0)
			fprintf(s->out, " %lld %s", (long long)show_int(row, counts[i]), counts[i]);
	fputc('\n', s->out);
}

void show_status(struct show_state *s, const struct dom *row)
{
	const struct dom *wants;

	if (!row)
		return;
	if (!dom_get(row, "dir")) {
		show_prompt(s, row);
		return;
	}
	fprintf(s->out, "%s%.*s%s  %.*s\n", style_on(s->out, STYLE_BOLD), STR_ARG(show_text(row, "name")),
	        style_off(s->out), STR_ARG(show_text(row, "dir")));
	if (show_text(row, "on").n)
		fprintf(s->out, "on the workspace branch %.*s\n", STR_ARG(show_text(row, "on")));
	fprintf(s->out, "%s, %s, %s; %s, %s\n", count(s, row, "repos", "repo"), count(s, row, "commits", "commit"),
	        show_bytes(s->arena, show_int(row, "size")), count(s, row, "jobs", "job"),
	        count(s, row, "runs", "run"));
	if (dom_get(row, "daemon") && dom_get(row, "daemon")->type == DOM_MAP)
		fprintf(s->out, "served by pid %" PRId64 " (leat serve)\n", show_int(dom_get(row, "daemon"), "pid"));
	wants = dom_get(row, "attention");
	if (!wants || !wants->n) {
		fprintf(s->out, "%snothing wants attention%s\n", style_on(s->out, STYLE_GREEN), style_off(s->out));
		return;
	}
	dom_each (w, wants) {
		fprintf(s->out, "%s!%s %.*s\n", style_on(s->out, STYLE_YELLOW), style_off(s->out),
		        STR_ARG(show_text(w, "text")));
		if (show_text(w, "hint").n)
			fprintf(s->out, "  %.*s\n", STR_ARG(show_text(w, "hint")));
	}
}

#define DOCTOR_INDENT 23
#define DOCTOR_WIDTH 80

/* Words in lines of the rest of the width; a word that is longer stands alone. */
static void wrapped(FILE *out, struct str text)
{
	size_t at = 0;

	while (text.n) {
		struct str word;

		if (!str_cut(text, ' ', &word, &text)) {
			word = text;
			text = STR_NULL;
		}
		if (at && DOCTOR_INDENT + at + 1 + word.n > DOCTOR_WIDTH) {
			fprintf(out, "\n%*s", DOCTOR_INDENT, "");
			at = 0;
		}
		fprintf(out, "%s%.*s", at ? " " : "", STR_ARG(word));
		at += (at ? 1 : 0) + word.n;
	}
	fputc('\n', out);
}

void show_doctor(struct show_state *s, const struct dom *row)
{
	static const struct {
		const char *state, *sign;
		enum style style;
	} signs[] = {{"ok", "ok", STYLE_GREEN}, {"warn", "!!", STYLE_YELLOW}, {"missing", "--", STYLE_RED}};
	const char *sign = "  ";
	enum style style = STYLE_PLAIN;

	if (!row)
		return;
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (str_is(show_text(row, "state"), signs[i].state)) {
			sign = signs[i].sign;
			style = signs[i].style;
		}
	fprintf(s->out, "%s%s%s  %-18.*s ", style_on(s->out, style), sign, style_off(s->out),
	        STR_ARG(show_text(row, "what")));
	wrapped(s->out, show_text(row, "text"));
	if (show_text(row, "hint").n) {
		fprintf(s->out, "%*s", DOCTOR_INDENT, "");
		wrapped(s->out, show_text(row, "hint"));
	}
}

void show_config(struct show_state *s, const struct dom *row)
{
	struct buf b = BUF_INIT(4 << 20);

	if (!row) {
		if (s->grid)
			grid_print(s->grid, s->out, s->width, true, "");
		return;
	}
	if (!dom_get(row, "setting")) { /* a JSON Schema */
		dom_write_json(&b, row, DOM_PRETTY);
		fprintf(s->out, "%s\n", b.p);
	} else {
		if (!s->grid) {
			static const char *const titles[] = {"setting", "value", "from", "what it is"};

			s->grid = grid_new(s->arena, 4);
			for (size_t i = 0; i < 4; i++)
				grid_head(s->grid, i, str_of(titles[i]), false);
		}
		dom_write_json(&b, dom_get(row, "value"), DOM_COMPACT);
		grid_cell(s->grid, show_text(row, "setting"));
		grid_cell(s->grid, buf_str(&b));
		grid_cell(s->grid, show_text(row, "from"));
		grid_cell(s->grid, show_text(row, "text"));
	}
	buf_free(&b);
}

/* Which unit failed, why, and the last lines of its log: on the side of messages, as the failures themselves. */
static void show_failures(struct show_state *s, const struct dom *list, int64_t failed)
{
	fflush(s->out);
	dom_each(f, list) {
		struct str ds = show_text(f, show_text(f, "label").n ? "label" : "ds");
		const struct dom *log = dom_get(f, "log");

		if ((!log || !log->n) && !show_int(f, "status"))
			continue; /* no process: all there is to say was said when it failed */
		fprintf(stderr, "%s%.*s%s%.*s%s: %.*s\n", style_on(stderr, STYLE_RED), STR_ARG(show_text(f, "job")),
		        ds.n ? " " : "", STR_ARG(ds), style_off(stderr), STR_ARG(show_text(f, "reason")));
		if (!log || !log->n) {
			fputs("  it printed nothing\n", stderr);
			continue;
		}
		fprintf(stderr, "  %sthe end of its log (leat logs %.*s --unit %" PRId64 " shows all):%s\n",
		        style_on(stderr, STYLE_DIM), 12, show_text(f, "run").p, show_int(f, "unit"), style_off(stderr));
		dom_each(line, log)
			fprintf(stderr, "  | %.*s\n", STR_ARG(clean_text(s->arena, line->s, "\t")));
	}
	if (failed > (int64_t)list->n)
		fprintf(stderr, "... and %" PRId64 " more failed\n", failed - (int64_t)list->n);
}

/* The last row of a run is its summary. */
void show_run(struct show_state *s, const struct dom *row)
{
	bool dry = op_option(s->args->op, STR("dry-run")) && args_flag(s->args, "dry-run");
	int64_t failed;

	if (!row && !dry)
		return;
	if (dry) { /* what a plan says */
		show_plan(s, row);
		return;
	}
	if (dom_get(row, "preview")) {
		show_preview(s, row);
		return;
	}
	if (!dom_get(row, "ran")) { /* of one unit that was run alone: what it wrote */
		fprintf(s->out, "%.*s  %s\n", STR_ARG(show_text(row, "path")),
		        show_bytes(s->arena, show_int(row, "size")));
		return;
	}
	failed = show_int(row, "failed");
	if (dom_get(row, "failures"))
		show_failures(s, dom_get(row, "failures"), failed);
	fprintf(s->out, "%s%" PRId64 " ran%s, %" PRId64 " known", style_on(s->out, failed ? STYLE_RED : STYLE_GREEN),
	        show_int(row, "ran"), style_off(s->out), show_int(row, "known"));
	if (show_int(row, "up_to_date"))
		fprintf(s->out, ", %" PRId64 " up to date", show_int(row, "up_to_date"));
	if (failed)
		fprintf(s->out, ", %" PRId64 " failed", failed);
	if (show_int(row, "not_started") > show_int(row, "input_missing"))
		fprintf(s->out, ", %" PRId64 " not started",
		        show_int(row, "not_started") - show_int(row, "input_missing"));
	if (show_int(row, "input_missing"))
		fprintf(s->out, ", %" PRId64 " lack%s an input", show_int(row, "input_missing"),
		        show_int(row, "input_missing") == 1 ? "s" : "");
	if (show_int(row, "held"))
		fprintf(s->out, ", %" PRId64 " held back", show_int(row, "held"));
	fputc('\n', s->out);
	if (dom_get(row, "cancelled") && dom_get(row, "cancelled")->b)
		fputs("stopped: nothing of what was still running has been published\n", s->out);
}

/* Colours are by where it ends up: s->out may be a text, of which the first lines are shown. */
static void why_value(struct show_state *s, const struct dom *v, int indent);

static void why_pair(struct show_state *s, const struct dom *v, int indent)
{
	struct arena *a = s->arena;

	if (v->type == DOM_MAP || v->type == DOM_LIST) {
		if (!v->n)
			return;
		fprintf(s->out, "%*s%s%.*s%s\n", indent, "", style_on(stdout, STYLE_BOLD), STR_ARG(v->key),
		        style_off(stdout));
		why_value(s, v, indent + 2);
		return;
	}
	if (v->type == DOM_NULL || (v->type == DOM_STR && !v->s.n))
		return;
	fprintf(s->out, "%*s%s%-12.*s%s %.*s\n", indent, "", style_on(stdout, STYLE_DIM), STR_ARG(v->key),
	        style_off(stdout), STR_ARG(dom_text(a, v)));
}

/* A file, a check, a part: what has no more below it goes on one line, so that a list of them is one. */
static bool is_flat(const struct dom *v)
{
	dom_each (child, v)
		if (child->type == DOM_MAP || child->type == DOM_LIST)
			return false;
	return v->n && v->n <= 4;
}

static void why_line(struct show_state *s, const struct dom *v, int indent)
{
	fprintf(s->out, "%*s", indent, "");
	dom_each (child, v) {
		if (str_is(child->key, "size"))
			fputs(show_bytes(s->arena, child->i), s->out);
		else if (child->type == DOM_BOOL)
			fputs(child->b ? "held" : "did not hold", s->out);
		else
			fprintf(s->out, "%.*s", STR_ARG(dom_text(s->arena, child)));
		fputs(child->next ? "  " : "\n", s->out);
	}
}

static void why_value(struct show_state *s, const struct dom *v, int indent)
{
	size_t n = 0;

	dom_each(child, v) {
		if (v->type == DOM_LIST && !s->why_all && n++ == WHY_ITEMS && v->n > WHY_ITEMS + 1) {
			fprintf(s->out, "%*s... and %zu more (-v shows all)\n", indent, "", v->n - WHY_ITEMS);
			return;
		}
		if (v->type == DOM_MAP) {
			why_pair(s, child, indent);
		} else if (child->type == DOM_MAP && is_flat(child)) {
			why_line(s, child, indent);
		} else if (child->type == DOM_MAP) {
			why_value(s, child, indent);
			if (child->next)
				fputc('\n', s->out);
		} else {
			fprintf(s->out, "%*s%.*s\n", indent, "", STR_ARG(dom_text(s->arena, child)));
		}
	}
}

/* Who used it: a job's units on a line each, the jobs in the order in which it came to them. */
static void why_users(struct show_state *s, const struct dom *list, bool all)
{
	dom_each(g, list) {
		int indent = 2 * (int)(show_int(g, "level") - 1);
		int64_t n = 0, units = show_int(g, "n_units"), files = show_int(g, "n_files");
		struct str job = show_text(g, "job"), output = show_text(g, "output");

		fprintf(s->out, "%*s%s%.*s%s", indent, "", style_on(stdout, STYLE_BOLD), STR_ARG(job.n ? job : output),
		        style_off(stdout));
		if (job.n && !str_eq(job, output))
			fprintf(s->out, " -> %.*s", STR_ARG(output));
		fprintf(s->out, "  %" PRId64 " unit%s, %" PRId64 " file%s\n", units, units == 1 ? "" : "s", files,
		        files == 1 ? "" : "s");
		dom_each(u, dom_get(g, "units")) {
			const struct dom *reads = dom_get(u, "reads"), *wrote = dom_get(u, "files");
			struct str ds = show_text(u, "ds");

			if (!all && n++ == WHY_ITEMS) {
				fprintf(s->out, "%*s... and %" PRId64 " more (-v shows all)\n", indent + 2, "",
				        units - WHY_ITEMS);
				break;
			}
			fprintf(s->out, "%*sunit %" PRId64 "  run %.8s", indent + 2, "", show_int(u, "unit"),
			        show_text(u, "run").n ? show_text(u, "run").p : "?");
			if (ds.n)
				fprintf(s->out, "  ds=%.*s", STR_ARG(ds));
			if (reads && reads->n)
				fprintf(s->out, "  %.*s%s", STR_ARG(reads->first->s), reads->n > 1 ? ", ..." : "");
			if (wrote && wrote->n)
				fprintf(s->out, " -> %.*s%s", STR_ARG(show_text(wrote->first, "path")),
				        wrote->n > 1 ? ", ..." : "");
			fputc('\n', s->out);
			for (const struct dom *w = wrote && all ? wrote->first : NULL; w && wrote->n > 1; w = w->next)
				fprintf(s->out, "%*s%.*s\n", indent + 6, "", STR_ARG(show_text(w, "path")));
		}
	}
}

/* The first lines of a text; what is left out is counted. */
static void first_lines(struct show_state *s, struct str text, size_t most)
{
	size_t n = 0, left = 0;
	struct str line;

	while (str_next_line(&text, &line)) {
		if (n++ < most)
			fprintf(s->out, "%.*s\n", STR_ARG(line));
		else
			left++;
	}
	if (left)
		fprintf(s->out, "... and %zu more lines (-v shows all)\n", left);
}

/* The answer first, in a sentence; then what it rests on. */
static void why_all(struct show_state *s, const struct dom *row, bool all)
{
	if (show_text(row, "answer").n)
		section(s, arena_cstr(s->arena, show_text(row, "answer")));
	if (dom_get(row, "used_by")) {
		why_users(s, dom_get(row, "used_by"), all);
		return;
	}
	/* What the key was made of is for programs (--json) and for comparing; people get what came of it. */
	dom_each (child, row)
		if (!str_is(child->key, "answer") && !str_is(child->key, "ingredients") && !str_is(child->key, "key"))
			why_pair(s, child, 0);
}

void show_why(struct show_state *s, const struct dom *row)
{
	bool all = args_flag(s->args, "verbose");
	FILE *out = s->out;
	char *text = NULL;
	size_t size = 0;

	if (!row)
		return;
	if (!all)
		s->out = open_memstream(&text, &size);
	if (!s->out)
		BUG("out of memory");
	s->why_all = all;
	why_all(s, row, all);
	if (all)
		return;
	fclose(s->out);
	s->out = out;
	first_lines(s, (struct str){text, size}, WHY_LINES);
	free(text);
}

void show_check(struct show_state *s, const struct dom *row)
{
	bool passed;

	if (!row) {
		if (!s->n)
			fputs("no checks\n", s->out);
		return;
	}
	s->n++;
	passed = dom_get(row, "passed") && dom_get(row, "passed")->b;
	fprintf(s->out, "%s%-6s%s %.*s %.*s  %.*s", style_on(s->out, passed ? STYLE_GREEN : STYLE_RED),
	        passed ? "passed" : "failed", style_off(s->out), STR_ARG(show_text(row, "job")),
	        STR_ARG(show_text(row, "ds")), STR_ARG(show_text(row, "check")));
	if (show_text(row, "detail").n)
		fprintf(s->out, "  (%.*s)", STR_ARG(show_text(row, "detail")));
	fputc('\n', s->out);
}
