/*
 * Pachyderm pipelines become jobs: jobs/NAME/job.yaml, with the spec as it came beside it (.spec.json, .spec.yaml), by
 * which a job that apply made is known. All are checked, among themselves and with the jobs that are there, before
 * anything is written.
 */
#include <stdlib.h>
#include <unistd.h>

#include "api/rows.h"
#include "api/spec_file.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/flow.h"
#include "flow/input.h"
#include "job/common.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/proc.h"

#define SPEC_JSON ".spec.json"
#define SPEC_YAML ".spec.yaml"

struct change {
	const struct spec *spec;
	const char *file; /* as the user named it */
	struct job *job;
	char *dir;             /* absolute */
	struct str yaml, kept; /* job.yaml, the spec */
	const char *kept_name;
	const char *what; /* created, updated, unchanged */
};

struct applying {
	struct api *api;
	struct sink *out;
	struct arena *a;
	VEC(struct change) all;
	struct map said; /* notes, each once */
	bool dry;
};

static void say(struct applying *w, struct str note)
{
	if (map_has(&w->said, note))
		return;
	map_set(&w->said, note, w);
	sink_note(w->out, "%.*s", STR_ARG(note));
}

static char *job_dir(struct applying *w, struct str name)
{
	return arena_printf(w->a, "%s/jobs/%.*s", w->api->ws->dir, STR_ARG(name));
}

static const char *spec_of(struct applying *w, const char *dir)
{
	static const char *const names[] = {SPEC_JSON, SPEC_YAML};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (file_exists(arena_printf(w->a, "%s/%s", dir, names[i])))
			return names[i];
	return NULL;
}

/* What is being written, and stays where that is killed (file_replace). */
static bool is_temp(const char *name)
{
	struct str s = str_of(name);

	return str_has_prefix(s, STR(".leat-")) && str_has_suffix(s, STR(".tmp"));
}

/* A folder in which an apply that was killed had no more than begun: it is nobody's. */
static bool only_begun(struct applying *w, const char *dir)
{
	struct err ignored = ERR_INIT;
	struct dir_names names;

	if (dir_list(w->a, dir, &names, &ignored))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!is_temp(names.p[i]))
			return false;
	return w->dry || !dir_remove_tree(dir, &ignored);
}

/* The name is free, or that of a job that apply made. */
static int may_write(struct applying *w, const struct change *c, struct err *e)
{
	const struct job *other = jobs_get(w->api->flow->jobs, c->spec->name);
	struct str dir = arena_strf(w->a, "jobs/%.*s", STR_ARG(c->spec->name));

	for (size_t i = 0; i + 1 < w->all.n; i++)
		if (str_eq(w->all.p[i].spec->name, c->spec->name)) {
			err_set(e, ERR_BAD_CONFIG, "two specs are called %.*s", STR_ARG(c->spec->name));
			return err_at(e, c->file, c->spec->doc->line, c->spec->doc->col);
		}
	if (other && !str_eq(other->dir, dir))
		return err_set(e, ERR_REFUSED, "there is a job %.*s already: %.*s", STR_ARG(other->name),
		               STR_ARG(other->file));
	if (!dir_exists(c->dir) || spec_of(w, c->dir) || only_begun(w, c->dir))
		return 0;
	err_set(e, ERR_REFUSED, "%.*s is a job that apply did not make", STR_ARG(dir));
	return err_hint(e, "give one of the two another name");
}

static struct str with_head(struct applying *w, const struct change *c)
{
	struct buf b cleanup(buf_free) = BUF_INIT(2 * SPEC_MAX_BYTES);

	buf_addf(&b,
	         "# From the Pachyderm spec beside it, %s: change that and `leat apply -f` it again, or delete it\n"
	         "# and this file is yours.\n",
	         c->kept_name);
	spec_write_yaml(&b, c->spec->job);
	return arena_str(w->a, buf_str(&b));
}

static struct str as_json(struct applying *w, const struct dom *doc)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SPEC_MAX_BYTES);

	dom_write_json(&b, doc, DOM_PRETTY);
	buf_addc(&b, '\n');
	return arena_str(w->a, buf_str(&b));
}

static bool file_holds(struct applying *w, const char *path, struct str text)
{
	struct err why = ERR_INIT;
	struct str is;

	return file_exists(path) && !file_read(w->a, path, 2 * SPEC_MAX_BYTES, &is, &why) && str_eq(is, text);
}

static void compare(struct applying *w, struct change *c)
{
	bool same = file_holds(w, arena_printf(w->a, "%s/job.yaml", c->dir), c->yaml);

	c->what = !dir_exists(c->dir) ? "created" : same ? "unchanged" : "updated";
}

static int pins_there(struct applying *w, const struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct commit c;

		if (input_is_pinned(&j->inputs[i]) && input_resolve(w->api->store, w->a, j, &j->inputs[i], &c, e) < 0) {
			spec_file_asks(e);
			return -1;
		}
	}
	return 0;
}

static int add_file(struct applying *w, struct str path, struct err *e)
{
	struct api *api = w->api;
	struct spec_list *specs = arena_new_of(w->a, struct spec_list);
	const char *file = str_is(path, "-") ? "standard input" : arena_cstr(w->a, path);

	if (spec_file_read(api, path, specs, e))
		return -1;
	if (specs->plain) {
		err_set(e, ERR_BAD_REQUEST, "%s is no Pachyderm spec: it has no transform", file);
		return err_hint(e, "a job of Leat is there as soon as its folder is: jobs/NAME/job.yaml");
	}
	for (size_t i = 0; i < specs->specs.n; i++) {
		struct change c = {.spec = &specs->specs.p[i], .file = file};

		if (c.spec->refused) {
			*e = *c.spec->refused;
			return -1;
		}
		c.dir = job_dir(w, c.spec->name);
		c.kept_name = specs->json || specs->specs.n > 1 ? SPEC_JSON : SPEC_YAML;
		c.kept = specs->specs.n > 1 ? as_json(w, c.spec->doc) : specs->text;
		if (job_of_doc(w->a, api->ws, api->kinds, c.spec->name, file, c.spec->job, &c.job, e) ||
		    pins_there(w, c.job, e))
			return -1;
		c.yaml = with_head(w, &c);
		compare(w, &c);
		vec_push(w->a, &w->all, c);
		if (may_write(w, &c, e))
			return -1;
	}
	return 0;
}

/* The jobs as they would be: a circle, or an output that two write, is told before anything is written. */
static int check_together(struct applying *w, struct err *e)
{
	struct job **with = arena_array(w->a, struct job *, w->all.n + 1);

	for (size_t i = 0; i < w->all.n; i++)
		with[i] = w->all.p[i].job;
	return graph_try(w->a, w->api->flow->jobs, with, w->all.n, e);
}

/* ---- what is said ---- */

static void say_program(struct applying *w, const struct change *c)
{
	const struct dom *set = workspace_setting(w->api->ws, "path");
	const char *name = arena_cstr(w->a, c->spec->program), *instead = script_instead(name);

	if (proc_which(w->a, name, set && set->type == DOM_STR ? arena_cstr(w->a, set->s) : NULL))
		return;
	if (!instead)
		instead = arena_printf(w->a, "install it, or put it into jobs/%.*s/ and name it there in cmd",
		                       STR_ARG(c->spec->name));
	say(w, arena_strf(w->a, "%.*s: the program %s is not on this machine%s%.*s; %s", STR_ARG(c->spec->name), name,
	                  c->spec->image.p ? ", it is in the image " : "", STR_ARG(c->spec->image), instead));
}

static void say_all(struct applying *w, const struct change *c)
{
	struct str list = STR("");

	for (size_t i = 0; i < c->spec->notes.n; i++)
		say(w, c->spec->notes.p[i]);
	for (size_t i = 0; i < c->spec->ignored.n; i++)
		list = arena_strf(w->a, "%.*s%s%.*s", STR_ARG(list), i ? ", " : "", STR_ARG(c->spec->ignored.p[i]));
	if (list.n)
		say(w, arena_strf(w->a, "%.*s: ignored, for they are for Kubernetes: %.*s", STR_ARG(c->spec->name),
		                  STR_ARG(list)));
	if (c->spec->image.p)
		say(w, STR("commands run as processes of this machine, not in their images (no container engine)"));
	if (c->spec->program.p)
		say_program(w, c);
}

/* ---- writing ---- */

static int write_job(struct applying *w, const struct change *c, struct err *e)
{
	const char *other = str_eq(str_of(c->kept_name), STR(SPEC_JSON)) ? SPEC_YAML : SPEC_JSON;

	if (dir_make(c->dir, 0777, e) ||
	    file_replace(arena_printf(w->a, "%s/%s", c->dir, c->kept_name), c->kept, 0666, 0, e) ||
	    file_unlink(arena_printf(w->a, "%s/%s", c->dir, other), e))
		return -1;
	if (!strcmp(c->what, "unchanged"))
		return 0;
	return file_replace(arena_printf(w->a, "%s/job.yaml", c->dir), c->yaml, 0666, 0, e);
}

static int tell(struct applying *w, struct str name, const char *what, struct err *e)
{
	struct dom *row = dom_new(w->a, DOM_MAP);

	dom_set_str(w->a, row, "job", name);
	dom_set_cstr(w->a, row, "what", what);
	dom_set_str(w->a, row, "path", arena_strf(w->a, "jobs/%.*s", STR_ARG(name)));
	dom_set_bool(w->a, row, "dry_run", w->dry);
	return sink_row(w->out, row, e);
}

/* From now on its inputs' commits are events that it takes one by one (SEMANTICS 5). */
static int see_all(struct applying *w, struct err *e)
{
	struct api *api = w->api;

	flow_close(api->flow);
	api->flow = NULL;
	if (api_open(api, OP_W | OP_J, e))
		return -1;
	for (size_t i = 0; i < w->all.n; i++) {
		struct job *j = jobs_get(api->flow->jobs, w->all.p[i].spec->name);

		if (j && j->tree && !job_stays(j) && data_see(api->flow, w->a, j, NULL, e))
			return -1;
	}
	return 0;
}

/* The branches that inputs with a trigger read. */
static int set_triggers(struct applying *w, const struct change *c, struct err *e)
{
	struct store *s = w->api->store;

	if (!c->spec->triggers.n)
		return 0;
	if (db_begin(s->db, e))
		return -1;
	for (size_t i = 0; i < c->spec->triggers.n; i++) {
		const struct spec_trigger *t = &c->spec->triggers.p[i];
		struct repo r;

		if (repo_ensure(s, w->a, t->repo, REPO_SOURCE, STR_NULL, &r, e) ||
		    trigger_set(s, &r, t->branch, &t->t, e)) {
			db_rollback(s->db);
			return -1;
		}
		say(w, arena_strf(w->a, "%.*s reads %.*s@%.*s, which follows %.*s", STR_ARG(c->spec->name),
		                  STR_ARG(t->repo), STR_ARG(t->branch), STR_ARG(trigger_text(w->a, &t->t))));
	}
	return db_commit(s->db, e);
}

static int apply_all(struct applying *w, struct err *e)
{
	for (size_t i = 0; i < w->all.n; i++) {
		const struct change *c = &w->all.p[i];

		say_all(w, c);
		if ((!w->dry && (write_job(w, c, e) || set_triggers(w, c, e))) || tell(w, c->spec->name, c->what, e))
			return -1;
	}
	return w->dry ? 0 : see_all(w, e);
}

/* ---- deleting ---- */

static int only_ours(struct applying *w, const char *dir, struct dir_names *names, struct err *e)
{
	static const char *const ours[] = {"job.yaml", SPEC_JSON, SPEC_YAML};

	if (dir_list(w->a, dir, names, e))
		return -1;
	for (size_t i = 0; i < names->n; i++) {
		bool is = is_temp(names->p[i]);

		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			is |= !strcmp(names->p[i], ours[k]);
		if (!is) {
			err_set(e, ERR_REFUSED, "%s/%s was not made by apply", dir, names->p[i]);
			return err_hint(e, "move it elsewhere first, or delete the folder by hand");
		}
	}
	return 0;
}

static int delete_one(struct applying *w, struct str name, struct err *e)
{
	char *dir = job_dir(w, name), *away;
	struct dir_names names;
	struct job *j;

	away = arena_printf(w->a, "%s/jobs/_deleted-%.*s", w->api->ws->dir,
	                    STR_ARG(name)); /* no job: it begins with _ */
	if (!dir_exists(dir) && dir_exists(away)) /* one that was killed */
		return (!w->dry && dir_remove_tree(away, e)) || tell(w, name, "deleted", e) ? -1 : 0;
	if (!spec_of(w, dir)) {
		if (jobs_find(w->api->flow->jobs, name, &j, e))
			return -1;
		err_set(e, ERR_REFUSED, "%.*s was not made by apply", STR_ARG(j->file));
		return err_hint(e, "delete it by hand: a job is gone with its folder");
	}
	if (only_ours(w, dir, &names, e))
		return -1;
	if (!w->dry && (dir_remove_tree(away, e) || file_rename(dir, away, e) || dir_remove_tree(away, e)))
		return -1;
	say(w, STR("the outputs of deleted jobs stay, as plain repos"));
	return tell(w, name, "deleted", e);
}

static int delete_all(struct applying *w, const struct args *args, struct err *e)
{
	for (size_t i = 0; i < args_n(args); i++)
		if (delete_one(w, args_pos(args, i), e))
			return -1;
	for (size_t i = 0; i < args_count(args, "file"); i++) {
		struct spec_list specs;

		if (spec_file_read(w->api, args_nth(args, "file", i), &specs, e))
			return -1;
		for (size_t k = 0; k < specs.specs.n; k++)
			if (delete_one(w, specs.specs.p[k].name, e))
				return -1;
	}
	return 0;
}

int api_apply(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct applying w = {.api = api, .out = out, .a = api->arena, .dry = args_flag(args, "dry-run")};

	map_init(&w.said, api->arena);
	if (!args_count(args, "file") && !(args_flag(args, "delete") && args_n(args))) {
		err_set(e, ERR_BAD_REQUEST, "no spec is named");
		return err_hint(e, "leat apply -f SPEC, or leat apply --delete NAME");
	}
	if (args_flag(args, "delete"))
		return delete_all(&w, args, e);
	if (args_n(args)) {
		err_set(e, ERR_BAD_REQUEST, "\"%.*s\" stands without -f", STR_ARG(args_pos(args, 0)));
		return err_hint(e, "leat apply -f %.*s", STR_ARG(args_pos(args, 0)));
	}
	for (size_t i = 0; i < args_count(args, "file"); i++)
		if (add_file(&w, args_nth(args, "file", i), e))
			return -1;
	return check_together(&w, e) || apply_all(&w, e) ? -1 : 0;
}
