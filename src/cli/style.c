#include <stdio.h>
#include <unistd.h>

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
void print_err(const struct err *e)
{
	fprintf(stderr, "%sleat:%s ", style_on(stderr, STYLE_RED), style_off(stderr));
	if (e->file[0]) {
		fprintf(stderr, "%s%s", style_on(stderr, STYLE_BOLD), e->file);
		if (e->line)
			fprintf(stderr, ":%d", e->line);
		if (e->line && e->col)
			fprintf(stderr, ":%d", e->col);
		fprintf(stderr, ":%s ", style_off(stderr));
	}
	fprintf(stderr, "%s\n", e->msg);
	if (e->hint[0])
		fprintf(stderr, "      %s\n", e->hint);
}
