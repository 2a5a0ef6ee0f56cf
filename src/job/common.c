#include "job/common.h"

#include "base/str.h"
#include "flow/secret.h"

const struct job_code *common_main(const struct job *j)
{
	for (size_t i = 0; i < j->n_code; i++)
		if (str_eq(j->code[i].path, j->main_file))
			return &j->code[i];
	return NULL;
}

int common_check(const struct job *j, struct err *e)
{
	return exec_limits_check(j, e) || secret_check(j, e) ? -1 : 0;
}

int common_ready(const struct job *j, const struct workspace *ws, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct secrets secrets;

	return secret_list(a, ws, j, &secrets, e);
}

const char *common_note(const struct job *j, struct arena *a, size_t n_units)
{
	return exec_limits_note(j, a);
}

void common_cancel(struct attempt *t, bool hard)
{
	struct exec *const *x = t->own;

	if (x)
		exec_cancel(*x, hard);
}
