#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "api/editor.h"
#include "api/embedded.h"
#include "api/new.h"
#include "api/rows.h"
#include "base/name.h"
#include "base/str.h"
#include "base/tmpl.h"
#include "sys/dir.h"
#include "sys/file.h"

#define JOB_TEMPLATES "jobs/"
#define TEMPLATE_FILE "template.yaml"

static const struct dom *template_about(struct arena *a, struct str name, struct err *e)
{
	char *path = arena_printf(a, JOB_TEMPLATES "%.*s/" TEMPLATE_FILE, STR_ARG(name));
	struct dom *doc;

	for (size_t i = 0; i < n_embedded_files; i++)
		if (!strcmp(embedded_files[i].path, path)) {
			struct str text = {embedded_files[i].data, embedded_files[i].n};

			return dom_yaml(a, text, path, &doc, e) ? NULL : doc;
		}
	return NULL;
}

/* Names of the templates in the program: the folders below jobs/ that have a template.yaml. */
size_t api_template_names(struct arena *a, struct str **out)
{
	VEC(struct str) v = {0};

	for (size_t i = 0; i < n_embedded_files; i++) {
		struct str path = str_of(embedded_files[i].path), name, file;

		if (!str_has_prefix(path, STR(JOB_TEMPLATES)))
			continue;
		path = str_sub(path, strlen(JOB_TEMPLATES), path.n);
		if (str_cut(path, '/', &name, &file) && str_is(file, TEMPLATE_FILE))
			vec_push(a, &v, name);
	}
	*out = v.p;
	return v.n;
}

static int list_templates(struct api *api, struct sink *out, struct err *e)
{
	struct str *names;
	size_t n = api_template_names(api->arena, &names);

	for (size_t i = 0; i < n; i++) {
		const struct dom *about = template_about(api->arena, names[i], e);
		struct dom *row = dom_new(api->arena, DOM_MAP);

		if (!about)
			return -1;
		dom_set_str(api->arena, row, "template", names[i]);
		dom_set_str(api->arena, row, "text", dom_text(api->arena, dom_get(about, "text")));
		if (sink_row(out, row, e))
			return -1;
	}
	sink_note(out, "leat new TEMPLATE NAME makes a job of one; leat new dag NAME JOB JOB... a DAG of jobs");
	return 0;
}

/* NAME in a default or a hint stands for the job's name. */
static struct str with_name(struct arena *a, struct str text, struct str name)
{
	struct buf b = BUF_INIT(1 << 16);
	struct str out;

	for (size_t i = 0; i < text.n;) {
		if (str_has_prefix(str_sub(text, i, text.n), STR("NAME"))) {
			buf_addstr(&b, name);
			i += 4;
		} else {
			buf_addc(&b, text.p[i++]);
		}
	}
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static int asks_for(struct arena *a, const struct dom *values, struct err *e)
{
	struct str list = STR("");

	dom_each (v, values)
		list = arena_strf(a, "%.*s%s%.*s", STR_ARG(list), list.n ? ", " : "", STR_ARG(v->key));
	return list.n ? err_hint(e, "it asks for %.*s", STR_ARG(list)) : err_hint(e, "it asks for nothing");
}

/* name, and the template's values: given by --set, else their defaults. */
static int template_vars(struct arena *a, const struct args *args, const struct dom *about, struct str name,
                         struct dom **out, struct err *e)
{
	const struct dom *values = dom_get(about, "values");
	struct dom *vars = dom_new(a, DOM_MAP);

	dom_set_str(a, vars, "name", name);
	dom_each (v, values) {
		struct str value = with_name(a, dom_text(a, dom_get(v, "default")), name);

		for (size_t i = 0; i < args_count(args, "set"); i++) {
			struct str key, given;

			if (str_cut(args_nth(args, "set", i), '=', &key, &given) && str_eq(key, v->key))
				value = given;
		}
		dom_set_str(a, vars, arena_cstr(a, v->key), value);
	}
	for (size_t i = 0; i < args_count(args, "set"); i++) {
		struct str text = args_nth(args, "set", i), key, given;

		if (!str_cut(text, '=', &key, &given))
			return err_set(e, ERR_BAD_REQUEST, "--set '%.*s' is not KEY=VALUE", STR_ARG(text));
		if (!dom_get(values, arena_cstr(a, key))) {
			err_set(e, ERR_BAD_REQUEST, "this template asks for no '%.*s'", STR_ARG(key));
			return asks_for(a, values, e);
		}
	}
	*out = vars;
	return 0;
}

static int write_files(struct api *api, struct str tmpl, const char *dir, const struct dom *vars, struct err *e)
{
	struct arena *a = api->arena;
	struct str prefix = arena_strf(a, JOB_TEMPLATES "%.*s/", STR_ARG(tmpl));
	struct tmpl_env env = {.vars = vars, .tz = tz_utc(), .mode = TMPL_TEXT};

	for (size_t i = 0; i < n_embedded_files; i++) {
		const struct embedded *f = &embedded_files[i];
		struct str path = str_of(f->path), name;
		struct tmpl_result r;
		const char *to;

		if (!str_has_prefix(path, prefix))
			continue;
		name = str_sub(path, prefix.n, path.n);
		if (str_is(name, TEMPLATE_FILE))
			continue;
		if (tmpl_render(a, (struct str){f->data, f->n}, f->path, &env, &r, e))
			return -1;
		if (str_is(name, "job.yaml"))
			r.text = arena_strf(a, EDITOR_JOB_LINE "%.*s", STR_ARG(r.text));
		to = arena_printf(a, "%s/%.*s", dir, STR_ARG(name));
		if (dir_make_parent(to, 0777, e) ||
		    file_write(to, r.text, str_has_suffix(name, STR(".sh")) ? 0777 : 0666, FILE_EXCL, e))
			return -1;
	}
	return 0;
}

/* Looks for a job of that name, in any letter case, as a folder or a file. */
struct same_job {
	struct str name;
	const char *root;
	unsigned depth;
};

static int refuse_same(const struct dir_entry *entry, void *ptr, struct err *e)
{
	const struct same_job *s = ptr;
	struct str stem = str_of(entry->name);
	static const char *const ends[] = {".sql", ".py", ".sh"};

	if (entry->depth < s->depth)
		return DIR_GO;
	for (size_t i = 0; entry->type != DIR_FOLDER && i < ARRAY_LEN(ends); i++)
		if (str_has_suffix(stem, str_of(ends[i])))
			stem.n -= strlen(ends[i]);
	if (stem.n != s->name.n || strncasecmp(stem.p, s->name.p, stem.n))
		return DIR_SKIP;
	err_set(e, ERR_REFUSED, "%s/%s is there already", s->root, entry->path);
	return err_hint(e, "choose another name, or edit the job that is there");
}

static int name_is_free(struct api *api, struct str name, struct err *e)
{
	static const struct { const char *root; unsigned depth; } at[] = {{"jobs", 1}, {"pipelines", 2}};

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct same_job s = {name, at[i].root, at[i].depth};

		if (dir_walk(arena_printf(api->arena, "%s/%s", api->ws->dir, s.root),
		             DIR_NO_STAT | DIR_SKIP_DOT | DIR_GONE_OK, refuse_same, &s, e))
			return -1;
	}
	return 0;
}

int api_new(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct str tmpl = args_pos(args, 0), name = args_pos(args, 1), *names;
	const struct dom *about;
	struct dom *vars = NULL, *row;
	char *dir, *rel;
	size_t n;

	if (!tmpl.p)
		return list_templates(api, out, e);
	if (!name.p)
		return err_set(e, ERR_BAD_REQUEST, "the job needs a name: leat new %.*s NAME", STR_ARG(tmpl));
	if (str_is(tmpl, NEW_DAG))
		return new_dag(api, args, name, out, e);
	if (args_n(args) > 2)
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' is one too many: leat new %.*s NAME",
		               STR_ARG(args_pos(args, 2)),
		               STR_ARG(tmpl));
	about = template_about(a, tmpl, e);
	if (!about) {
		if (e->code)
			return -1;
		n = api_template_names(a, &names);
		err_set(e, ERR_BAD_REQUEST, "there is no template '%.*s'", STR_ARG(tmpl));
		return keys_hint_nearest(e, tmpl, names, n);
	}
	if (name_check_job(name, e) || api_open(api, OP_W, e) || template_vars(a, args, about, name, &vars, e))
		return -1;
	rel = arena_printf(a, "jobs/%.*s", STR_ARG(name));
	dir = arena_printf(a, "%s/%s", api->ws->dir, rel);
	if (name_is_free(api, name, e))
		return -1;
	if (dir_make(dir, 0777, e) || write_files(api, tmpl, dir, vars, e) || editor_write(api, api->ws->dir, e))
		return -1;
	row = dom_new(a, DOM_MAP);
	dom_set_str(a, row, "job", name);
	dom_set_cstr(a, row, "path", rel);
	dom_set_str(a, row, "text", arena_strf(a, "made %s", rel));
	if (sink_row(out, row, e))
		return -1;
	sink_note(out, "next: %.*s", STR_ARG(with_name(a, dom_text(a, dom_get(about, "next")), name)));
	return 0;
}
