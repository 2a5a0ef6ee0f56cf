#include <errno.h>

#include "t.h"

static int deep(struct err *e)
{
	return err_set(e, ERR_BAD_CONFIG, "unknown key \"%s\"", "shedule");
}

int main(void)
{
	struct err e = ERR_INIT;

	T_INT(deep(&e), -1, "setting an error gives the -1 that the caller returns");
	err_at(&e, "jobs/a/job.yaml", 3, 1);
	err_hint(&e, "did you mean schedule?");
	err_wrap(&e, "job %s", "a");
	T_STR(e.msg, "job a: unknown key \"shedule\"", "context stands in front of the message");
	T_ERR(&e, ERR_BAD_CONFIG, "jobs/a/job.yaml:3:1", "an error names the place in the user's file");
	err_at(&e, "leat.yaml", 1, 1);
	T_INT(e.line, 3, "a place that is already there is kept");
	T_INT(err_exit_status(e.code), 2, "a wrong file of the workspace ends the program with 2");
	err_clear(&e);
	T_OK(e.code == ERR_NONE && !e.msg[0] && !e.hint[0], "a cleared error holds nothing");

	err_errno(&e, ENOSPC, "cannot write %s", "x");
	T_ERR(&e, ERR_DISK_FULL, "cannot write x", "a full disk has a code of its own");
	for (int c = 1; c < ERR_COUNT; c++) {
		const char *w = err_word(c);
		T_INT(err_code_of_word((struct str){w, strlen(w)}), c, "the word %s means its own code", w);
	}
	return t_done();
}
