#include "api/query_task.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/file.h"

#define SPEC_MAX ((size_t)64 << 20)

static const char *folder_of(struct arena *a, struct str name)
{
	char *variable = arena_printf(a, "LEAT_INPUT_%.*s", STR_ARG(name));

	for (char *c = variable; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return getenv(variable);
}

/* The one partition whose files lie in the folder directly. */
static struct str label_of(struct arena *a, const struct dom *input, const char *dir)
{
	const struct dom *parts = dom_get(input, "partitions");

	if (!dir || !parts || parts->type != DOM_LIST || parts->n != 1 || parts->first->type != DOM_STR ||
	    dir_exists(arena_printf(a, "%s/ds=%.*s", dir, STR_ARG(parts->first->s))))
		return STR_NULL;
	return parts->first->s;
}

int query_task_inputs(struct arena *a, struct table_folder **out, size_t *n, struct err *e)
{
	const char *path = getenv("LEAT_SPEC");
	const struct dom *inputs;
	struct dom *spec;
	struct str text;

	*out = NULL;
	*n = 0;
	if (!path)
		return 0;
	if (file_read(a, path, SPEC_MAX, &text, e) || dom_json(a, text, path, &spec, e))
		return err_wrap(e, "LEAT_SPEC");
	inputs = dom_get(spec, "inputs");
	if (!inputs || inputs->type != DOM_MAP)
		return 0;
	*out = arena_array(a, struct table_folder, inputs->n);
	dom_each(in, inputs) {
		struct table_folder *f = &(*out)[(*n)++];
		const struct dom *repo = dom_get(in, "repo");

		f->name = in->key;
		f->repo = repo && repo->type == DOM_STR ? repo->s : STR_NULL;
		f->dir = folder_of(a, in->key);
		f->label = label_of(a, in, f->dir);
	}
	return 0;
}
