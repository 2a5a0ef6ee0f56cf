#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/clean.h"
#include "base/str.h"
#include "cli/cli.h"
#include "sys/term.h"

static bool colour_out, colour_err;

void style_init(void)
{
	colour_out = term_colour(STDOUT_FILENO);
	colour_err = term_colour(STDERR_FILENO);
}

static bool coloured(FILE *f)
{
	return f == stderr ? colour_err : f == stdout && colour_out;
}

const char *style_on(FILE *f, enum style s)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "", [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m", [STYLE_RED] = "\033[31m",
		[STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m", [STYLE_BLUE] = "\033[34m",
	};

	return coloured(f) ? codes[s] : "";
}

const char *style_off(FILE *f)
{
	return coloured(f) ? "\033[0m" : "";
}

/* leat: jobs/x/job.yaml:3:5: unknown key 'shedule'
 *       did you mean 'schedule'? */
/* LEAT_ERRORS=json: for programs, which then know the code, the place and the hint without reading prose. */
static bool errors_as_json(void)
{
	return str_is(str_of(getenv("LEAT_ERRORS")), "json");
}

static void json_err(struct arena *a, const struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP);
	struct buf b = BUF_INIT(64 << 10);

	row_err(a, doc, e);
	dom_write_json(&b, doc, DOM_COMPACT);
	fprintf(stderr, "%s\n", b.p);
	buf_free(&b);
}

void print_err(const struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str file = clean_text(a, str_of(e->file), ""), msg = clean_text(a, str_of(e->msg), "\n\t");
	struct str hint = clean_text(a, str_of(e->hint), "\n\t");

	if (errors_as_json()) {
		json_err(a, e);
		return;
	}
	fprintf(stderr, "%sleat:%s ", style_on(stderr, STYLE_RED), style_off(stderr));
	if (file.n) {
		fprintf(stderr, "%s%.*s", style_on(stderr, STYLE_BOLD), STR_ARG(file));
		if (e->line)
			fprintf(stderr, ":%d", e->line);
		if (e->line && e->col)
			fprintf(stderr, ":%d", e->col);
		fprintf(stderr, ":%s ", style_off(stderr));
	}
	fprintf(stderr, "%.*s\n", STR_ARG(msg));
	if (hint.n)
		fprintf(stderr, "      %.*s\n", STR_ARG(hint));
}
