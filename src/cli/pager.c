#include "cli/pager.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/term.h"

static FILE *pipe_to;
static int real_out = -1;

bool pager_start(unsigned columns)
{
	const char *cmd = term_pager();

	if (!cmd || pipe_to)
		return pipe_to;
	fflush(stdout);
	pipe_to = popen(cmd, "we");
	if (!pipe_to)
		return false;
	real_out = dup(STDOUT_FILENO);
	if (real_out < 0 || dup2(fileno(pipe_to), STDOUT_FILENO) < 0) {
		pclose(pipe_to);
		pipe_to = NULL;
		return false;
	}
	return true;
}

void pager_end(void)
{
	if (!pipe_to)
		return;
	fflush(stdout);
	dup2(real_out, STDOUT_FILENO);
	close(real_out);
	pclose(pipe_to);
	pipe_to = NULL;
}
