#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "job/notebook.h"
#include "job/notebook_sql.h"
#include "note/metrics.h"
#include "note/run.h"
#include "sys/env.h"
#include "sys/file.h"

#define REQUEST_MAX ((size_t)16 << 20)
#define SPECS_MAX 100000 /* one variable takes 128 KiB at most */

static const char *text_of(struct arena *a, const struct dom *d, const char *key)
{
	return arena_cstr(a, dom_str(d, key));
}

/* The folder that the task's environment names for an input (exec/local.c); NULL: its unit has nothing of it. */
static const char *input_folder(struct arena *a, struct str name)
{
	char *p = arena_printf(a, "LEAT_INPUT_%.*s", STR_ARG(name));

	for (char *c = p; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return getenv(p);
}

/* ds, run_id, inputs, outputs: set before the first cell, and injected where the notebook declares them. */
static const struct dom *offered(struct arena *a, const struct dom *request)
{
	struct dom *all = dom_new(a, DOM_MAP), *inputs = dom_new(a, DOM_MAP);
	const char *out = getenv("LEAT_OUTPUT");

	dom_each(v, dom_get(request, "names"))
		dom_set(a, all, arena_cstr(a, v->key), dom_copy(a, v));
	dom_each(v, dom_get(request, "inputs")) {
		const char *folder = v->type == DOM_STR ? input_folder(a, v->s) : NULL;

		if (folder)
			dom_set_cstr(a, inputs, arena_cstr(a, v->s), folder);
	}
	dom_set(a, all, "inputs", inputs);
	dom_set_cstr(a, all, "outputs", out ? out : "");
	return all;
}

/* The rendered job as dsflow's notebooks look for it, with the paths that they read and write; NULL: too large. */
static const char *task_specs(struct arena *a, const struct dom *inputs, const char *path, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(REQUEST_MAX);
	const char *source = NULL, *sink = getenv("LEAT_OUTPUT");
	struct dom *d;
	struct str text;

	if (file_read_plain(a, path, REQUEST_MAX, &text, e) || dom_json(a, text, path, &d, e))
		return NULL;
	dom_each (v, inputs)
		if (!source && v->type == DOM_STR)
			source = input_folder(a, v->s);
	if (source && !dom_get(d, "source_path"))
		dom_set_cstr(a, d, "source_path", source);
	if (sink && !dom_get(d, "sink_path"))
		dom_set_cstr(a, d, "sink_path", sink);
	dom_write_json(&b, d, DOM_COMPACT);
	return b.n < SPECS_MAX ? arena_cstr(a, buf_str(&b)) : NULL;
}

static const char *const *environment(struct arena *a, const struct dom *inputs, const char *metrics)
{
	const char *path = getenv("LEAT_SPEC"), *specs;
	struct err e = ERR_INIT;
	struct env v;

	env_init(&v, a);
	for (char **at = environ; *at; at++) {
		struct str key, value;

		if (str_cut(str_of(*at), '=', &key, &value))
			env_set(&v, arena_cstr(a, key), value.p);
	}
	specs = path && !getenv("TASK_SPECS") ? task_specs(a, inputs, path, &e) : NULL;
	if (specs)
		env_set(&v, "TASK_SPECS", specs);
	err_clear(&e);
	env_set(&v, METRIC_VARIABLE, metrics);
	return env_array(&v);
}

static int work(struct arena *a, bool *ok, struct err *e)
{
	struct note_request q = {0};
	struct dom *d;
	struct str text;

	if (file_read_fd(a, STDIN_FILENO, "request", REQUEST_MAX, &text, e) || dom_json(a, text, "request", &d, e))
		return -1;
	q = (struct note_request){
		.file = text_of(a, d, "file"),
		.name = text_of(a, d, "name"),
		.startup = text_of(a, d, "startup"),
		.dir = text_of(a, d, "dir"),
		.base = text_of(a, d, "base"),
		.title = str_of(text_of(a, d, "title")),
		.facts = str_of(text_of(a, d, "facts")),
		.params = dom_get(d, "params"),
		.offered = offered(a, d),
		.python = text_of(a, d, "python"),
		.engine = text_of(a, d, "engine"),
		.kernel = text_of(a, d, "kernel"),
		.sql = &engine_sql,
		.zygote = text_of(a, d, "zygote"),
		.group = dom_get(d, "group") ? text_of(a, d, "group") : NULL,
		.output_limit = (size_t)dom_int(d, "output_limit"),
		.timeout_ms = dom_int(d, "timeout_ms"),
		.grace_ms = dom_int(d, "grace_ms"),
	};
	const struct dom *hide = dom_get(d, "hide_input");

	q.hide_input = hide && hide->type == DOM_BOOL && hide->b;
	q.metrics_file = arena_printf(a, "%s/.metrics.jsonl", q.dir);
	q.env = environment(a, dom_get(d, "inputs"), q.metrics_file);
	if (note_run(&q, ok, e) || file_unlink(q.metrics_file, e))
		return -1;
	return 0;
}

int notebook_worker_main(int argc, char **argv)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	bool ok = false;

	(void)argc;
	(void)argv;
	if (work(a, &ok, &e)) {
		fprintf(stderr, "leat: %s\n", err_text(a, &e));
		return 1;
	}
	return ok ? 0 : 1;
}
