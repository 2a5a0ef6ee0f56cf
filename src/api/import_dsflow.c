/*
 * dsflow projects: jobs/NAME/job_specs.yaml (v0.3: a job) and dag_specs.yaml (v0.2: a chain of tasks), with the scripts
 * and notebooks beside them, and the DAGs of Airflow in airflow/dags. source_path and sink_path become inputs and
 * output, so that most of the order is that of the data.
 */
#include <ctype.h>
#include <stdio.h>

#include "api/import.h"
#include "base/str.h"
#include "sys/file.h"

#define FILES_MAX 200 /* of a job's folder */

struct specs {
	struct import *im;
	const char *file, *dir; /* dir: its folder, NULL: none */
	const struct dom *doc;
	struct import_job *j;
	bool by_ds;
};

/* A path in dsflow's data store. */
struct place {
	struct str repo;   /* STR_NULL: it is none */
	bool ds;           /* .../ds={{ ds }} */
	struct str url;    /* or a URL */
};

static struct str text_of(struct specs *s, const struct dom *map, const char *key)
{
	const struct dom *v = map && map->type == DOM_MAP ? dom_get(map, key) : NULL;

	return v && v->type != DOM_MAP && v->type != DOM_LIST ? str_trim(dom_text(s->im->a, v)) : STR_NULL;
}

/* "/data/raw/x/ds={{ ds }}", "datastore:/tables/x/" */
static struct place place_of(struct arena *a, struct str text)
{
	static const char *const roots[] = {"/data/", "datastore:/", "datastore://", "datastore/", "./datastore/"};
	struct place p = {0};
	struct str part, rest = STR_NULL;

	if (str_has_prefix(text, STR("http://")) || str_has_prefix(text, STR("https://")) ||
	    str_has_prefix(text, STR("ftp://"))) {
		p.url = text;
		return p;
	}
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (str_has_prefix(text, str_of(roots[i])))
			rest = str_sub(text, strlen(roots[i]), text.n);
	while (rest.n) {
		if (!str_cut(rest, '/', &part, &rest)) {
			part = rest;
			rest = STR_NULL;
		}
		if (!part.n)
			continue;
		if (memchr(part.p, '=', part.n)) {
			p.ds = str_has_prefix(part, STR("ds={{"));
			return p;
		}
		part = import_name(a, part);
		p.repo = p.repo.n ? arena_strf(a, "%.*s/%.*s", STR_ARG(p.repo), STR_ARG(part)) : part;
	}
	return p;
}

static struct str input_name(struct specs *s, struct str repo)
{
	struct str head, name = repo;

	if (str_rcut(repo, '/', &head, &name) && !name.n)
		name = repo;
	return import_ident(s->im->a, name);
}

static void add_input(struct specs *s, struct str repo, bool own_ds)
{
	struct arena *a = s->im->a;
	struct dom *inputs = dom_get(s->j->doc, "inputs"), *in;
	struct str name = input_name(s, repo);

	if (!inputs) {
		inputs = dom_new(a, DOM_MAP);
		dom_set(a, s->j->doc, "inputs", inputs);
	}
	in = dom_get(inputs, arena_cstr(a, name));
	if (in && str_eq(in->type == DOM_MAP ? dom_get(in, "repo")->s : in->s, repo))
		return;
	if (in) /* raw/x beside tables/x */
		name = import_ident(a, repo);
	if (dom_get(inputs, arena_cstr(a, name)))
		return;
	if (own_ds || !s->by_ds) {
		dom_set_str(a, inputs, arena_cstr(a, name), repo);
		return;
	}
	in = dom_new(a, DOM_MAP);
	dom_set_str(a, in, "repo", repo);
	dom_set_cstr(a, in, "window", "all");
	dom_set(a, inputs, arena_cstr(a, name), in);
}

/* What stands in a spec as a script sees it: paths as variables, {{ ds }} as it is. */
static struct str seen(struct specs *s, struct str text)
{
	struct place p = place_of(s->im->a, text);

	return p.repo.n ? arena_strf(s->im->a, "$LEAT_INPUT_%.*s", STR_ARG(input_name(s, p.repo))) : text;
}

/* As a notebook sees it (layout: dsflow): below /data, whatever the spec calls the data store. */
static struct str seen_in_data(struct specs *s, struct str text)
{
	struct place p = place_of(s->im->a, text);

	return p.repo.n ? arena_strf(s->im->a, "/data/%.*s%s", STR_ARG(p.repo), p.ds ? "/ds={{ ds }}" : "") : text;
}

/* ---- files ---- */

static int copy_files(struct specs *s, struct err *e)
{
	struct dir_names names;

	if (!s->dir)
		return 0;
	if (dir_list(s->im->a, s->dir, &names, e))
		return -1;
	for (size_t i = 0; i < names.n && i < FILES_MAX; i++) {
		struct str name = str_of(names.p[i]), text;
		const char *path = path_join(s->im->a, s->dir, names.p[i]);
		struct stat st;

		if (*name.p == '.' || *name.p == '_' || str_has_prefix(name, STR("README")) ||
		    str_is(name, "job.yaml") ||
		    str_is(name, "job_specs.yaml") || str_is(name, "dag_specs.yaml"))
			continue;
		if (file_stat(path, &st, e))
			return -1;
		if (!S_ISREG(st.st_mode) || st.st_size > (off_t)IMPORT_MAX_FILE) {
			import_note(s->im, IMPORT_UNKNOWN, path, 0, s->j, "%s, which is not copied",
			            S_ISDIR(st.st_mode) ? "a folder" : "a large or special file");
			continue;
		}
		if (file_read_plain(s->im->a, path, IMPORT_MAX_FILE, &text, e))
			return -1;
		import_add_file(s->im, s->j, names.p[i], text, st.st_mode & 0100);
	}
	return 0;
}

static const struct import_file *file_of(const struct import_job *j, struct str name)
{
	for (size_t i = 0; i < j->files.n; i++)
		if (str_eq(j->files.p[i].name, name))
			return &j->files.p[i];
	return NULL;
}

/* ---- what it does ---- */

static struct str shell_word(struct arena *a, struct str text)
{
	struct buf b cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE);

	if (text.n && *text.p == '$')
		return arena_strf(a, "\"%.*s\"", STR_ARG(text));
	buf_addc(&b, '\'');
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			buf_adds(&b, "'\\''");
		else
			buf_addc(&b, text.p[i]);
	buf_addc(&b, '\'');
	return arena_str(a, buf_str(&b));
}

static void a_download(struct specs *s, struct str url, struct str missing)
{
	dom_get(s->j->doc, "kind")->s = STR("download");
	import_set_text(s->im, s->j, "url", url);
	import_note(s->im, IMPORT_OTHER, s->file, s->doc->line, s->j,
	            "%.*s is not there: leat itself fetches the URL", STR_ARG(missing));
}

static void a_script(struct specs *s, struct str script, struct str source)
{
	struct arena *a = s->im->a;
	struct place p = place_of(a, source);
	const struct import_file *f = file_of(s->j, script);
	const char *program = str_has_suffix(script, STR(".py")) ? "python3" : "sh";

	if (!f && p.url.n) {
		a_download(s, p.url, script);
		return;
	}
	if (!f) {
		import_note(s->im, IMPORT_UNKNOWN, s->file, s->doc->line, s->j, "its script %.*s is not there",
		            STR_ARG(script));
		import_to_write(s->im, s->j, arena_strf(a, "%.*s, which is not there", STR_ARG(script)));
		return;
	}
	if (str_has_prefix(f->text, STR("#!")) && memmem(f->text.p, MIN(f->text.n, (size_t)100), "bash", 4))
		program = "bash";
	import_command(s->im, s->j, "sh",
	               arena_strf(a, "exec %s %.*s %.*s \"$LEAT_OUTPUT\"", program, STR_ARG(shell_word(a, script)),
	                          STR_ARG(shell_word(a, seen(s, source)))));
}

static void a_notebook(struct specs *s, struct str script)
{
	const struct import_file *f = file_of(s->j, script);
	static const char *const engines[] = {"pyspark", "pandasql", "custom_libraries"};

	if (!f) {
		import_note(s->im, IMPORT_UNKNOWN, s->file, s->doc->line, s->j, "its notebook %.*s is not there",
		            STR_ARG(script));
		import_to_write(s->im, s->j, arena_strf(s->im->a, "the notebook %.*s, which is not there",
		                                        STR_ARG(script)));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		if (memmem(f->text.p, f->text.n, engines[i], strlen(engines[i])))
			import_note(s->im, IMPORT_UNKNOWN, s->file, s->doc->line, s->j,
			            "%.*s imports %s, which has to be on this machine or be replaced", STR_ARG(script),
			            engines[i]);
	dom_get(s->j->doc, "kind")->s = STR("notebook");
	import_set_text(s->im, s->j, "code", script);
	import_set_text(s->im, s->j, "layout", STR("dsflow"));
}

/* TASK_SPECS, as dsflow gave it to notebooks. */
static void task_specs(struct specs *s, const struct dom *specs)
{
	struct arena *a = s->im->a;
	struct dom *map = dom_new(a, DOM_MAP), *env = dom_new(a, DOM_MAP);
	struct buf b cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE);

	dom_each (v, specs)
		if (v->type == DOM_MAP || v->type == DOM_LIST)
			dom_set(a, map, arena_cstr(a, v->key), dom_copy(a, v));
		else
			dom_set_str(a, map, arena_cstr(a, v->key),
			            seen_in_data(s, dom_text(a, v)));
	dom_write_json(&b, map, DOM_COMPACT);
	dom_set_str(a, env, "TASK_SPECS", buf_str(&b));
	import_set(s->im, s->j, "env", env);
}

/* ---- a job of v0.3 ---- */

static void partition(struct specs *s)
{
	const struct dom *list = dom_get(s->doc, "job_parameters");
	struct dom *params = dom_new(s->im->a, DOM_MAP);

	dom_each (p, list && list->type == DOM_LIST ? list : NULL) {
		struct str name = dom_text(s->im->a, p);

		if (str_is(name, "ds"))
			s->by_ds = true;
		else
			dom_set(s->im->a, params, arena_cstr(s->im->a, import_ident(s->im->a, name)),
			        dom_new(s->im->a, DOM_NULL));
	}
	if (params->n) {
		import_set(s->im, s->j, "params", params);
		import_note(s->im, IMPORT_OTHER, s->file, list->key_line, s->j,
		            "its parameters besides ds are asked for: --param NAME=VALUE, or a value in job.yaml");
	}
}

static void sink_of(struct specs *s, struct str sink, int line)
{
	struct place p = place_of(s->im->a, sink);

	if (p.repo.n && str_has_prefix(p.repo, STR("job_runs")))
		p.repo = STR_NULL;
	if (p.repo.n)
		import_set_text(s->im, s->j, "output", p.repo);
	else if (sink.n)
		import_note(s->im, IMPORT_UNKNOWN, s->file, line, s->j, "it writes to %.*s, which is not in /data",
		            STR_ARG(sink));
	s->by_ds |= p.ds;
}

static void rest_of(struct specs *s, const char *const *known)
{
	dom_each (v, s->doc) {
		bool is = false;

		for (size_t i = 0; known[i]; i++)
			is |= str_is(v->key, known[i]);
		if (!is)
			import_note(s->im, IMPORT_UNKNOWN, s->file, v->key_line, s->j, "%.*s", STR_ARG(v->key));
	}
}

static void a_dashboard(struct specs *s, struct str script)
{
	struct dom *cmd = dom_new(s->im->a, DOM_LIST);

	dom_add(cmd, dom_new_str(s->im->a, STR("python3")));
	dom_add(cmd, dom_new_str(s->im->a, script));
	import_set(s->im, s->j, "cmd", cmd);
	import_set(s->im, s->j, "port", dom_new_int(s->im->a, 8050));
	import_set_text(s->im, s->j, "layout", STR("dsflow"));
	import_note(s->im, IMPORT_OTHER, s->file, s->doc->line, s->j, "a dashboard is a board here: leat up %.*s",
	            STR_ARG(s->j->name));
}

static void keys_of(struct specs *s, const struct dom *tasks, const char *class)
{
	struct str source = text_of(s, tasks, "source_path"), script = text_of(s, s->doc, "script");
	struct place from = place_of(s->im->a, source);
	const struct dom *sink = dom_get(tasks, "sink_path");

	sink_of(s, text_of(s, tasks, "sink_path"), sink ? sink->line : 0);
	if (from.repo.n)
		add_input(s, from.repo, from.ds);
	import_set_text(s->im, s->j, "partition", s->by_ds ? STR("daily") : STR("none"));
	if (!strcmp(class, "CommandLineTool")) {
		a_script(s, script, source);
	} else if (!strcmp(class, "JupyterNotebook")) {
		task_specs(s, tasks);
		a_notebook(s, script);
	} else {
		import_note(s->im, IMPORT_UNKNOWN, s->file, s->doc->line, s->j, "class: %s", class);
		import_to_write(s->im, s->j, arena_strf(s->im->a, "class: %s, script: %.*s", class, STR_ARG(script)));
	}
}

int import_dsflow_specs(struct import *im, struct str text, const char *file, const char *dir, struct str name,
                        struct import_job **out, struct err *e)
{
	static const char *const known[] = {"version", "description", "class", "image", "script", "job_parameters",
	                                    "task_specs", "dependencies", NULL};
	struct specs s = {.im = im, .file = file, .dir = dir};
	const struct dom *tasks, *deps;
	struct dom *doc;
	struct str class;
	bool stays;

	if (dom_yaml(im->a, text, file, &doc, e))
		return -1;
	s.doc = doc;
	class = text_of(&s, doc, "class");
	if (!class.n) {
		err_set(e, ERR_BAD_CONFIG, "there is no class: in it, so these are no specs of a dsflow job");
		return err_at(e, file, doc->line, doc->col);
	}
	if (import_new(im, name, file, doc->line, &s.j, e) || copy_files(&s, e))
		return -1;
	stays = str_is(class, "PlotlyDashApplication");
	tasks = dom_get(doc, "task_specs");
	deps = dom_get(doc, "dependencies");
	import_set_text(im, s.j, "kind", stays ? STR("board") : STR("script"));
	if (text_of(&s, doc, "description").n)
		import_set_text(im, s.j, "description", text_of(&s, doc, "description"));
	partition(&s);
	if (stays)
		a_dashboard(&s, text_of(&s, doc, "script"));
	else
		keys_of(&s, tasks && tasks->type == DOM_MAP ? tasks : doc, arena_cstr(im->a, class));
	dom_each (d, !stays && deps && deps->type == DOM_LIST ? deps : NULL)
		import_after(im, s.j, import_name(im->a, dom_text(im->a, d)));
	rest_of(&s, known);
	*out = s.j;
	return 0;
}

/* ---- a chain of v0.2 ---- */

struct chain {
	struct specs s;
	const struct dom *sets, *tasks;
	struct str flow;
	struct import_job *last;
};

/* What a source or sink stands for: a data set of the file, or a path or URL as it is. */
static struct str set_path(struct chain *c, struct str name)
{
	const struct dom *set = c->sets && c->sets->type == DOM_MAP ? dom_get(c->sets,
	                                                                      arena_cstr(c->s.im->a, name)) : NULL;
	struct str path = text_of(&c->s, set, "path");

	return path.n ? path : name;
}

static void specs_of(struct chain *c, const struct dom *params, bool notebook)
{
	struct arena *a = c->s.im->a;
	struct dom *map = dom_new(a, DOM_MAP);
	struct place from = place_of(a, set_path(c, text_of(&c->s, params, "source")));

	sink_of(&c->s, set_path(c, text_of(&c->s, params, "sink")), params->line);
	if (from.repo.n)
		add_input(&c->s, from.repo, true);
	import_set_text(c->s.im, c->s.j, "partition", STR("daily"));
	dom_each (v, params)
		if (v->type == DOM_STR)
			dom_set_str(a, map,
			            str_is(v->key, "source") || str_is(v->key, "sink") ? arena_printf(a, "%.*s_path",
			                                                                              STR_ARG(v->key))
			                                                              : arena_cstr(a, v->key),
			            set_path(c, v->s));
	dom_set_cstr(a, map, "ds", "{{ ds }}");
	if (notebook)
		task_specs(&c->s, map);
}

static int add_task(struct chain *c, struct str name, int line, struct err *e)
{
	struct import *im = c->s.im;
	const struct dom *task = c->tasks && c->tasks->type == DOM_MAP ? dom_get(c->tasks,
	                                                                         arena_cstr(im->a, name)) : NULL;
	const struct dom *params = task ? dom_get(task, "parameters") : NULL;
	struct str type = text_of(&c->s, task, "type"), script = text_of(&c->s, task, "script");

	if (!task || (!type.n && !params)) {
		import_note(im, IMPORT_UNKNOWN, c->s.file, task ? task->key_line : line, NULL, "the task %.*s%s",
		            STR_ARG(name),
		            task ? ": it has no type and no parameters" : " is not described");
		return 0;
	}
	if (import_new(im, arena_strf(im->a, "%.*s-%.*s", STR_ARG(c->flow), STR_ARG(name)), c->s.file, task->line,
	               &c->s.j,
	               e) ||
	    copy_files(&c->s, e))
		return -1;
	c->s.by_ds = true;
	import_set_text(im, c->s.j, "kind", STR("script"));
	if (text_of(&c->s, task, "description").n)
		import_set_text(im, c->s.j, "description", text_of(&c->s, task, "description"));
	if (params && params->type == DOM_MAP)
		specs_of(c, params, str_is(type, "notebook"));
	else
		import_set_text(im, c->s.j, "partition", STR("daily"));
	import_set_text(im, c->s.j, "pipeline", import_name(im->a, c->flow));
	if (str_is(type, "notebook"))
		a_notebook(&c->s, script.n ? script : arena_strf(im->a, "%.*s.ipynb", STR_ARG(name)));
	else
		a_script(&c->s, script.n ? script : arena_strf(im->a, "%.*s.sh", STR_ARG(name)),
		         set_path(c, text_of(&c->s, params, "source")));
	if (c->last)
		import_after(im, c->s.j, c->last->name);
	c->last = c->s.j;
	return 0;
}

static void chain_schedule(struct chain *c, struct import_job *first)
{
	static const char *const words[] = {"hourly", "daily", "weekly", "monthly", "yearly"};
	const struct dom *plan = dom_get(c->s.doc, "schedule");
	struct str cron = text_of(&c->s, plan, "cron");

	if (!cron.n || !first)
		return;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(cron, words[i]))
			cron = arena_strf(c->s.im->a, "@%s", words[i]);
	if (import_every(cron) == EVERY_NONE) {
		import_note(c->s.im, IMPORT_UNKNOWN, c->s.file, plan->key_line, first, "schedule.cron: %.*s",
		            STR_ARG(cron));
		return;
	}
	import_set(c->s.im, first, "schedule", import_schedule(c->s.im->a, cron, STR_NULL, STR_NULL, "all"));
}

int import_dsflow_dag(struct import *im, struct str text, const char *file, const char *dir, struct str name,
                      struct err *e)
{
	static const char *const known[] = {"version", "pipeline", "schedule", "datasets", "tasks", NULL};
	struct chain c = {.s = {.im = im, .file = file, .dir = dir}, .flow = name};
	struct dom *doc;
	const struct dom *list;
	size_t before = im->all.n;

	if (dom_yaml(im->a, text, file, &doc, e))
		return -1;
	c.s.doc = doc;
	c.sets = dom_get(doc, "datasets");
	c.tasks = dom_get(doc, "tasks");
	list = dom_get(doc, "pipeline");
	if (!list || list->type != DOM_LIST) {
		err_set(e, ERR_BAD_CONFIG, "there is no list pipeline: in it, so these are no dag_specs of dsflow");
		return err_at(e, file, doc->line, doc->col);
	}
	dom_each (t, list)
		if (add_task(&c, dom_text(im->a, t), t->line, e))
			return -1;
	chain_schedule(&c, before < im->all.n ? im->all.p[before] : NULL);
	c.s.j = NULL;
	rest_of(&c.s, known);
	return 0;
}

/* ---- a project ---- */

int import_dsflow_job(struct import *im, const char *dir, struct str name, struct import_job **out, struct err *e)
{
	char *folder = arena_printf(im->a, "%s/jobs/%.*s", dir, STR_ARG(name));
	char *job = arena_printf(im->a, "%s/job_specs.yaml", folder), *dag = arena_printf(im->a, "%s/dag_specs.yaml",
	                                                                                  folder);
	struct str text;

	*out = NULL;
	if (file_exists(job))
		return file_read_plain(im->a, job, IMPORT_MAX_FILE, &text, e) ||
		       import_dsflow_specs(im, text, job, folder, name, out, e);
	if (file_exists(dag))
		return file_read_plain(im->a, dag, IMPORT_MAX_FILE, &text, e) ||
		       import_dsflow_dag(im, text, dag, folder, name, e);
	return 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Whether a program names a table: ZONE/x and, if `alone`, FROM x, JOIN x, "x" after table_name=. */
static bool names_table(struct str code, const char *zone, struct str table, bool alone)
{
	const char *const before[] = {"from", "join", "table_name=\"", "table_name='", "table_name=\\\"", zone};

	for (size_t i = 0; i + table.n <= code.n; i++) {
		const char *p = memmem(code.p + i, code.n - i, table.p, table.n);
		size_t at, end;

		if (!p)
			return false;
		at = (size_t)(p - code.p);
		i = at;
		if ((at && is_word(code.p[at - 1])) || (at + table.n < code.n && is_word(code.p[at + table.n])))
			continue;
		for (end = at; end && strchr(" \t", code.p[end - 1]); end--)
			;
		for (size_t k = alone ? 0 : ARRAY_LEN(before) - 1; k < ARRAY_LEN(before); k++) {
			size_t n = strlen(before[k]);

			if (end >= n && str_ieq(str_sub(code, end - n, n), str_of(before[k])) &&
			    (k > 1 || (end < at && (end == n || !is_word(code.p[end - n - 1])))))
				return true;
		}
	}
	return false;
}

static bool is_written(const struct import *im, size_t from, struct str repo)
{
	for (size_t i = from; i < im->all.n; i++) {
		const struct dom *out = dom_get(im->all.p[i]->doc, "output");

		if (out && str_eq(out->s, repo))
			return true;
	}
	return false;
}

/* Reads `repo`, as its files say? Then it is an input. */
static void found_input(struct import *im, size_t from, struct import_job *j, struct str repo)
{
	struct specs s = {.im = im, .j = j, .by_ds = true};
	const struct dom *inputs = dom_get(j->doc, "inputs");
	struct str zone, table;
	size_t n = inputs ? inputs->n : 0;
	bool alone;

	if (!str_rcut(repo, '/', &zone, &table))
		return;
	alone = str_is(zone, "tables") || !is_written(im, from, arena_strf(im->a, "tables/%.*s", STR_ARG(table)));
	for (size_t f = 0; f < j->files.n; f++) {
		if (!names_table(j->files.p[f].text, arena_printf(im->a, "%.*s/", STR_ARG(zone)), table, alone))
			continue;
		add_input(&s, repo, true);
		if (dom_get(j->doc, "inputs")->n > n)
			import_note(im, IMPORT_OTHER, j->file, 0, j,
			            "%.*s names %.*s: taken for an input, of the same ds",
			            STR_ARG(j->files.p[f].name), STR_ARG(repo));
		return;
	}
}

/* Notebooks read tables that their specs do not name: those that other jobs of the project write. */
static void found_inputs(struct import *im, size_t from)
{
	for (size_t i = from; i < im->all.n; i++) {
		struct import_job *j = im->all.p[i];
		const struct dom *kind = dom_get(j->doc, "kind"), *own = dom_get(j->doc, "output");

		for (size_t k = from; k < im->all.n && !str_is(kind->s, "download"); k++) {
			const struct dom *out = dom_get(im->all.p[k]->doc, "output");

			if (k != i && out && !(own && str_eq(out->s, own->s)))
				found_input(im, from, j, out->s);
		}
	}
}

static int dags_of(struct import *im, const char *dir, struct err *e)
{
	const char *folder = path_join(im->a, dir, "airflow/dags");
	struct dir_names names = {0};
	struct str text;

	if (!dir_exists(folder))
		return 0;
	if (dir_list(im->a, folder, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *path = path_join(im->a, folder, names.p[i]);
		struct err why = ERR_INIT;

		if (!str_has_suffix(str_of(names.p[i]), STR(".py")))
			continue;
		if (file_read_plain(im->a, path, IMPORT_MAX_FILE, &text, e))
			return -1;
		if (import_airflow(im, text, path, &why))
			import_note(im, IMPORT_UNKNOWN, path, 0, NULL, "%s", why.msg);
	}
	return 0;
}

int import_dsflow(struct import *im, const char *dir, struct err *e)
{
	struct dir_names names = {0};
	size_t before = im->all.n;

	if (!dir_exists(dir)) {
		err_set(e, file_exists(dir) ? ERR_BAD_REQUEST : ERR_NOT_FOUND, "%s is %s", dir,
		        file_exists(dir) ? "no folder" : "not there");
		return err_hint(e, "name the folder of the dsflow project, which has jobs/ in it");
	}
	if (dir_exists(path_join(im->a, dir, "jobs")) && dir_list(im->a, path_join(im->a, dir, "jobs"), &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct import_job *j;

		if (import_dsflow_job(im, dir, str_of(names.p[i]), &j, e))
			return -1;
	}
	found_inputs(im, before);
	if (im->all.n == before) {
		err_set(e, ERR_BAD_REQUEST,
		        "%s is no dsflow project: no jobs/NAME/ in it has job_specs.yaml or dag_specs.yaml",
		        dir);
		return err_hint(e, "name the folder that has jobs/ in it");
	}
	return dags_of(im, dir, e);
}
