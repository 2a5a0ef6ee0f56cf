/* leat new: jobs of templates (api/template.h), and DAGs of jobs (new_dag.c). */
#include "api/new.h"

#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/editor.h"
#include "api/import.h"
#include "api/rows.h"
#include "api/template.h"
#include "base/name.h"
#include "base/str.h"
#include "note/notebook.h"
#include "sys/dir.h"
#include "sys/file.h"

/* Names of the templates in the program, the other ones too: for completion. */
size_t api_template_names(struct arena *a, struct str **out)
{
	struct err ignored = ERR_INIT;
	struct template *all;
	VEC(struct str) v = {0};
	size_t n;

	if (templates_all(a, NULL, &all, &n, &ignored))
		return 0;
	for (size_t i = 0; i < n; i++) {
		vec_push(a, &v, all[i].name);
		if (all[i].also.n)
			vec_push(a, &v, all[i].also);
	}
	vec_push(a, &v, STR(NEW_DAG));
	*out = v.p;
	return v.n;
}

static const char *workspace_dir(struct api *api)
{
	struct err ignored = ERR_INIT;
	char *dir;

	return workspace_find(api->dir, api->arena, &dir, &ignored) ? NULL : dir;
}

static int list_one(struct api *api, struct sink *out, struct str name, struct str also, struct str text,
                    struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);

	dom_set_str(api->arena, row, "template", name);
	dom_set_str(api->arena, row, "text",
	            also.n ? arena_strf(api->arena, "%.*s (also: %.*s)", STR_ARG(text), STR_ARG(also)) : text);
	return sink_row(out, row, e);
}

static int list_templates(struct api *api, struct sink *out, struct err *e)
{
	struct template *all;
	size_t n;

	if (templates_all(api->arena, workspace_dir(api), &all, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list_one(api, out, all[i].name, all[i].also, all[i].text, e))
			return -1;
	if (list_one(api, out, STR(NEW_DAG), STR_NULL, STR("jobs that are there, one after the other, by one clock"),
	             e))
		return -1;
	sink_note(out, "leat new TEMPLATE NAME makes a job of one, with --set KEY=VALUE or by asking; your own lie in "
	               "templates/ of the workspace");
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

/* --- what is written --- */

struct making {
	struct api *api;
	struct arena *a;
	const struct template *t;
	struct str job;
	const struct dom *vars;
	struct template_made *files;
	size_t n;
};

/* Who comes to a job later wants to know what it is and how it was made. */
static struct str readme(struct making *m, struct str next)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);

	buf_addf(&b, "# %.*s\n\nMade by `leat new %.*s`: %.*s.\n", STR_ARG(m->job), STR_ARG(m->t->name),
	         STR_ARG(m->t->text));
	if (m->t->n_values)
		buf_adds(&b, "\n| asked for | what it is | given |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < m->t->n_values; i++) {
		const struct template_value *v = &m->t->values[i];

		buf_addf(&b, "| %.*s | ", STR_ARG(v->name));
		rows_markdown_cell(&b, v->text);
		buf_adds(&b, " | ");
		rows_markdown_cell(&b, dom_text(m->a, dom_get(m->vars, arena_cstr(m->a, v->name))));
		buf_adds(&b, " |\n");
	}
	if (next.n)
		buf_addf(&b, "\nNext: %.*s.\n", STR_ARG(next));
	return arena_str(m->a, buf_str(&b));
}

static bool has_file(const struct making *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_is(m->files[i].path, path))
			return true;
	return false;
}

static int write_files(struct making *m, const char *root, struct err *e)
{
	for (int pass = 0; pass < 2; pass++) /* nothing is written where something is in the way */
		for (size_t i = 0; i < m->n; i++) {
			const struct template_made *f = &m->files[i];
			const char *to = path_join(m->a, root, arena_cstr(m->a, f->path));
			struct str text = f->text;

			if (!pass && file_exists(to)) {
				err_set(e, ERR_REFUSED, "%.*s is there already", STR_ARG(f->path));
				return err_hint(e, "choose another name, or move it away");
			}
			if (!pass)
				continue;
			if (str_has_suffix(f->path, STR("/job.yaml")))
				text = arena_strf(m->a, EDITOR_JOB_LINE "%.*s", STR_ARG(text));
			if (dir_make_parent(to, 0777, e) || file_write(to, text, f->run ? 0777 : 0666, FILE_EXCL, e))
				return -1;
		}
	return 0;
}

/* mkdir: folders of the workspace. Those of dsflow's data store are repos here, which put and jobs make. */
static int make_folders(struct making *m, struct err *e)
{
	dom_each (d, dom_get(m->t->about, "mkdir")) {
		struct str name = dom_text(m->a, d);
		char path[NAME_MAX_PATH + 1];
		bool folder;
		size_t n;

		if (template_render(m->a, name, m->t->file, m->vars, &name, e))
			return -1;
		if (str_has_prefix(name, STR("datastore:")) || str_has_prefix(name, STR("/data/")))
			continue;
		if (name_path(template_named(m->a, name, m->job, dom_get(m->vars, "dataset")->s), path, &n, &folder, e))
			return err_at(e, m->t->file, d->line, d->col);
		if (dir_make(path_join(m->a, m->api->ws->dir, path), 0777, e))
			return -1;
	}
	return 0;
}

/* --- dsflow's own form --- */

/* notebook.py in cells is what the notebook that the specs name is made of; script.sh the script. */
static int name_dsflow_file(struct making *m, struct template_made *f, struct str script, struct err *e)
{
	struct str folder = arena_strf(m->a, "jobs/%.*s/", STR_ARG(m->job));
	struct str own = str_sub(f->path, folder.n, f->path.n);
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct notebook nb;

	if (!str_is(own, "notebook.py") && !str_is(own, "script.sh"))
		return 0;
	f->path = arena_strf(m->a, "%.*s%.*s", STR_ARG(folder), STR_ARG(script));
	if (!str_is(own, "notebook.py") || !str_has_suffix(script, STR(".ipynb")))
		return 0;
	if (notebook_read(m->a, f->text, arena_cstr(m->a, own), NOTEBOOK_CODECELL, &nb, e))
		return -1;
	notebook_write(m->a, &nb, NOTEBOOK_IPYNB, &b);
	f->text = arena_str(m->a, buf_str(&b));
	return 0;
}

static int name_dsflow(struct making *m, struct err *e)
{
	char *specs = arena_printf(m->a, "jobs/%.*s/job_specs.yaml", STR_ARG(m->job));
	struct str script = STR("");
	struct dom *doc;

	for (size_t i = 0; i < m->n; i++)
		if (str_is(m->files[i].path, specs)) {
			if (dom_yaml(m->a, m->files[i].text, specs, &doc, e))
				return -1;
			script = dom_get(doc, "script") ? dom_text(m->a, dom_get(doc, "script")) : STR("");
		}
	if (!script.n || memchr(script.p, '/', script.n)) {
		err_set(e, ERR_BAD_CONFIG, "the template gives no job_specs.yaml with a script: in it");
		return err_at(e, m->t->file, 0, 0);
	}
	for (size_t i = 0; i < m->n; i++)
		if (name_dsflow_file(m, &m->files[i], script, e))
			return -1;
	return 0;
}

static int drop_row(void *ptr, const struct dom *row, struct err *e)
{
	return 0;
}

static int made(struct making *m, struct sink *out, struct err *e)
{
	char *rel = arena_printf(m->a, "jobs/%.*s", STR_ARG(m->job));
	struct dom *row = dom_new(m->a, DOM_MAP);

	dom_set_str(m->a, row, "job", m->job);
	dom_set_cstr(m->a, row, "path", rel);
	dom_set_str(m->a, row, "text", arena_strf(m->a, "made %s", rel));
	return sink_row(out, row, e);
}

/* It is no code, so an import leaves it behind. */
static int write_readme(struct making *m, struct err *e)
{
	char *path = arena_printf(m->a, "jobs/%.*s/README.md", STR_ARG(m->job));

	for (size_t i = 0; i < m->n; i++)
		if (str_is(m->files[i].path, path))
			return file_write(path_join(m->a, m->api->ws->dir, path), m->files[i].text, 0666, FILE_EXCL, e);
	return 0;
}

/* What it gives is a job of dsflow: it is written aside, and imported. */
static int make_dsflow(struct making *m, struct sink *out, struct err *e)
{
	char *root = arena_printf(m->a, "%s/staging/new-%d", m->api->store->leat_dir, (int)getpid());
	struct import im = {.a = m->a};
	struct err ignored = ERR_INIT;
	struct import_job *j = NULL;
	int rc;

	map_init(&im.by_name, m->a);
	if (name_dsflow(m, e) || api_open(m->api, OP_W | OP_J, e))
		return -1;
	im.jobs = m->api->flow->jobs;
	rc = write_files(m, root, e) || import_dsflow_job(&im, root, m->job, &j, e) ? -1 : 0;
	if (!rc && !j)
		rc = err_set(e, ERR_BAD_CONFIG, "the template gives no job_specs.yaml"), err_at(e, m->t->file, 0, 0);
	if (!rc) {
		struct sink quiet = *out;

		quiet.row = drop_row;
		rc = import_write(&im, m->api, NULL, false, false, &quiet, e) || write_readme(m, e) || made(m, out, e)
		             ? -1
		             : 0;
	}
	if (dir_remove_tree(root, &ignored))
		sink_note(out, "%s", ignored.msg);
	return rc;
}

/* --- all of it --- */

static int make(struct making *m, struct sink *out, struct err *e)
{
	struct str given = dom_get(m->vars, "dataset")->s, next;
	char *rel = arena_printf(m->a, "jobs/%.*s", STR_ARG(m->job)), *about = arena_printf(m->a, "%s/README.md", rel);

	if (template_render(m->a, template_named(m->a, m->t->next, m->job, given), m->t->file, m->vars, &next, e) ||
	    template_files(m->a, m->t, m->job, m->vars, &m->files, &m->n, e))
		return -1;
	if (!m->n)
		return err_set(e, ERR_BAD_CONFIG, "the template has no files"), err_at(e, m->t->file, 0, 0);
	if (m->t->dsflow)
		return make_dsflow(m, out, e) || make_folders(m, e) ? -1 : 0;
	if (!has_file(m, about)) {
		struct template_made *all = arena_array(m->a, struct template_made, m->n + 1);

		memcpy(all, m->files, m->n * sizeof(*all));
		all[m->n++] = (struct template_made){str_of(about), readme(m, next), false};
		m->files = all;
	}
	if (write_files(m, m->api->ws->dir, e) || make_folders(m, e) || editor_write(m->api, m->api->ws->dir, e))
		return -1;
	if (made(m, out, e))
		return -1;
	for (size_t i = 0; i < m->n; i++)
		if (!str_has_prefix(m->files[i].path, arena_strf(m->a, "%s/", rel)))
			sink_note(out, "made %.*s", STR_ARG(m->files[i].path));
	if (next.n)
		sink_note(out, "next: %.*s", STR_ARG(next));
	return 0;
}

int api_new(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct str word = args_pos(args, 0), name = args_pos(args, 1);
	struct making m = {.api = api, .a = a};
	struct template t = {0};
	struct dom *vars;

	if (!word.p)
		return list_templates(api, out, e);
	if (!name.p)
		return err_set(e, ERR_BAD_REQUEST, "the job needs a name: leat new %.*s NAME", STR_ARG(word));
	if (str_is(word, NEW_DAG))
		return new_dag(api, args, name, out, e);
	if (template_find(a, workspace_dir(api), word, &t, e))
		return -1;
	m.t = &t;
	m.job = args_flag(args, "prefix") && t.prefix.n ? arena_strf(a, "%.*s-%.*s", STR_ARG(t.prefix), STR_ARG(name))
	                                                : name;
	if (name_check_job(m.job, e) || api_open(api, OP_W, e) || name_is_free(api, m.job, e) ||
	    template_vars(a, &t, args, out, m.job, name, &vars, e))
		return -1;
	m.vars = vars;
	return make(&m, out, e);
}
