#include "flow/table_task.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/tmpl.h"
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

/* An empty map outside of a task. */
static int read_spec(struct arena *a, struct dom **out, struct err *e)
{
	const char *path = getenv("LEAT_SPEC");
	struct str text;

	*out = dom_new(a, DOM_MAP);
	if (!path)
		return 0;
	return file_read(a, path, SPEC_MAX, &text, e) || dom_json(a, text, path, out, e) ? err_wrap(e, "LEAT_SPEC")
	                                                                                 : 0;
}

int table_task_inputs(struct arena *a, struct table_folder **out, size_t *n, struct err *e)
{
	const struct dom *inputs;
	struct dom *spec;

	*out = NULL;
	*n = 0;
	if (read_spec(a, &spec, e))
		return -1;
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

int table_task_vars(struct arena *a, const struct dom *more, struct dom **out, struct err *e)
{
	const char *ds = getenv("LEAT_DS");
	const struct dom *params;
	struct dom *spec;

	if (read_spec(a, &spec, e))
		return -1;
	params = dom_get(spec, "params");
	*out = dom_new(a, DOM_MAP);
	dom_each(v, more)
		dom_set(a, *out, arena_cstr(a, v->key), dom_copy(a, v));
	if (!dom_get(*out, "ds"))
		dom_set_str(a, *out, "ds", ds && *ds ? str_of(ds) : STR_NULL);
	if (!dom_get(*out, "params"))
		dom_set(a, *out, "params",
		        params && params->type == DOM_MAP ? dom_copy(a, params) : dom_new(a, DOM_MAP));
	return 0;
}

int table_task_bind(struct arena *a, struct table_query_ask *ask, const struct dom *vars, struct err *e)
{
	struct tmpl_result *made = arena_new_of(a, struct tmpl_result);
	struct tmpl_env env = {.vars = vars, .tz = tz_utc(), .mode = TMPL_SQL_BOUND};

	if (tmpl_render(a, ask->sql, ask->file, &env, made, e))
		return -1;
	ask->source = ask->sql;
	ask->sql = made->text;
	ask->made = made;
	return 0;
}
