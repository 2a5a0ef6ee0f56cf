/* What a task of Airflow does, as a job: its command or function, templates, parameters, environment. */
#include <ctype.h>
#include <stdio.h>

#include "api/import_airflow.h"
#include "base/str.h"
#include "flow/jobparse.h"
#include "sys/file.h"

#define LOOK_UP 4 /* folders above a DAG file in which a dsflow project is looked for */

/* ---- templates ---- */

static const struct {
	const char *is, *here;
} names[] = {
	{"ds", "ds"},
	{"ds_nodash", "ds_format(ds, '%Y%m%d')"},
	{"yesterday_ds", "ds_sub(ds, 1)"},
	{"prev_ds", "ds_sub(ds, 1)"},
	{"tomorrow_ds", "ds_add(ds, 1)"},
	{"next_ds", "ds_add(ds, 1)"},
	{"execution_date", "ds_start(ds)"},
	{"logical_date", "ds_start(ds)"},
	{"data_interval_start", "ds_start(ds)"},
	{"ts", "ds_start(ds)"},
	{"data_interval_end", "ds_end(ds)"},
	{"next_execution_date", "ds_end(ds)"},
	{"execution_date.strftime('%Y-%m-%d')", "ds"},
	{"data_interval_start | ds", "ds"},
	{"logical_date | ds", "ds"},
	{"execution_date | ds", "ds"},
	{"data_interval_start | ds_nodash", "ds_format(ds, '%Y%m%d')"},
	{"execution_date | ds_nodash", "ds_format(ds, '%Y%m%d')"},
};

/* What stands between {{ and }}, as Leat writes it; STR_NULL: nothing here is like it. */
static struct str translated(struct reading *f, const struct task *t, struct str in)
{
	struct str head, tail;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(in, names[i].is))
			return str_of(names[i].here);
	if (str_has_prefix(in, STR("params.")) && keys_is_ident(str_sub(in, 7, in.n)))
		return in;
	if (str_has_prefix(in, STR("params[")) && in.n > 10 && keys_is_ident(str_sub(in, 8, in.n - 10)))
		return arena_strf(f->a, "params.%.*s", STR_ARG(str_sub(in, 8, in.n - 10)));
	if (str_is(in, "dag.dag_id") || str_is(in, "dag_id"))
		return arena_strf(f->a, "'%.*s'", STR_ARG(airflow_text(airflow_of_dag(t->o->dag, "dag_id"))));
	if (str_is(in, "task.task_id") || str_is(in, "task_id") || str_is(in, "ti.task_id"))
		return arena_strf(f->a, "'%.*s'", STR_ARG(t->id));
	if (str_has_prefix(in, STR("macros.ds_add(ds,")) && in.p[in.n - 1] == ')')
		return str_sub(in, 7, in.n - 7);
	if (str_has_prefix(in, STR("macros.ds_format(ds,")) && str_rcut(in, ',', &head, &tail) && in.p[in.n - 1] == ')')
		return arena_strf(f->a, "ds_format(ds,%.*s", STR_ARG(tail));
	return STR_NULL;
}

/* A text of Jinja as a template of Leat; what it has no word for is told, and stays. */
static struct str template(struct reading *f, const struct task *t, const struct import_job *j, struct str s)
{
	struct buf b cleanup(buf_free) = BUF_INIT(2 * PY_MAX_TEXT);

	for (size_t i = 0; i < s.n; i++) {
		const char *end = i + 1 < s.n && s.p[i] == '{' && s.p[i + 1] == '{' ? memmem(s.p + i, s.n - i, "}}",
		                                                                             2) : NULL;
		struct str in, out;

		if (!end) {
			buf_addc(&b, s.p[i]);
			continue;
		}
		in = str_trim(str_sub(s, i + 2, (size_t)(end - s.p) - i - 2));
		out = translated(f, t, in);
		if (!out.p)
			import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, j, "{{ %.*s }}",
			            (int)MIN(in.n, (size_t)100),
			            in.p);
		buf_addf(&b, "{{ %.*s }}", STR_ARG(out.p ? out : in));
		i = (size_t)(end - s.p) + 1;
	}
	return arena_str(f->a, buf_str(&b));
}

/* ---- what a task does ---- */

/* Shell words, as far as they have no meaning for a shell. */
static size_t shell_words(struct arena *a, struct str s, struct str *out, size_t max)
{
	size_t n = 0, i = 0;

	while (i < s.n && n < max) {
		struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);
		char quote = 0;
		int braces = 0;

		while (i < s.n && isspace((unsigned char)s.p[i]))
			i++;
		if (i == s.n)
			break;
		for (; i < s.n && (quote || braces || !isspace((unsigned char)s.p[i])); i++) {
			if (quote == s.p[i])
				quote = 0;
			else if (!quote && (s.p[i] == '"' || s.p[i] == '\''))
				quote = s.p[i];
			else
				buf_addc(&b, s.p[i]);
			braces += s.p[i] == '{' ? 1 : s.p[i] == '}' && braces ? -1 : 0;
		}
		out[n++] = arena_str(a, buf_str(&b));
	}
	return n;
}

/* {{ params.x }} by their values. */
static struct str with_params(struct reading *f, const struct task *t, struct str s)
{
	struct pv *params = pv_get(t->o->kwargs, "params");
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	for (size_t i = 0; i < s.n; i++) {
		const char *end = i + 1 < s.n && s.p[i] == '{' && s.p[i + 1] == '{' ? memmem(s.p + i, s.n - i, "}}",
		                                                                             2) : NULL;
		struct str in = end ? str_trim(str_sub(s, i + 2, (size_t)(end - s.p) - i - 2)) : STR_NULL;
		struct pv *v = in.n > 7 && str_has_prefix(in, STR("params.")) ? pv_get(params,
		                                                                       arena_cstr(f->a,
		                                                                                  str_sub(in, 7, in.n)))
		                                                              : NULL;

		if (!v || !pv_text(f->a, v).p) {
			buf_addc(&b, s.p[i]);
			continue;
		}
		buf_addstr(&b, pv_text(f->a, v));
		i = (size_t)(end - s.p) + 1;
	}
	return arena_str(f->a, buf_str(&b));
}

static bool is_time(struct str w)
{
	return str_has_prefix(w, STR("{{")) || str_has_prefix(w, STR("$DS")) || str_has_prefix(w, STR("${DS")) ||
	       (w.n == 10 && w.p[4] == '-' && isdigit((unsigned char)*w.p));
}

/* A command that asks a scheduler for a job and a day: which job; STR_NULL: it is none. */
struct str airflow_asks_for(struct reading *f, const struct task *t, struct str command)
{
	struct str w[24];
	size_t n, i = 0;
	bool asks = false;

	n = shell_words(f->a, with_params(f, t, command), w, ARRAY_LEN(w));
	while (i + 2 < n && str_is(w[i], "cd")) { /* cd DIR && */
		if (!str_is(w[i + 2], "&&"))
			return STR_NULL;
		i += 3;
	}
	if (i < n && (str_is(w[i], "python") || str_is(w[i], "python3") || str_has_suffix(w[i], STR("/python3")) ||
	              str_has_suffix(w[i], STR("/python"))))
		i++;
	if (i < n && (str_is(w[i], "dsflow-run.py") || str_has_suffix(w[i], STR("/dsflow-run.py")))) {
		asks = true;
		i++;
	} else if (i + 1 < n && (str_is(w[i], "dsflow") || str_is(w[i], "leat") ||
	                         str_has_suffix(w[i], STR("/leat"))) &&
	           str_is(w[i + 1], "run")) {
		asks = true;
		i += 2;
	}
	if (!asks || i >= n || !w[i].n || !isalnum((unsigned char)*w[i].p))
		return STR_NULL;
	for (size_t k = i + 1; k < n; k++)
		if (!is_time(w[k]))
			return STR_NULL;
	return w[i];
}

/* The job that a scheduler is asked for: of this import, of the workspace, of the dsflow project around the file. */
int airflow_asked_job(struct reading *f, struct task *t, struct str name, struct err *e)
{
	char *dir = arena_dup(f->a, f->file);

	t->j = import_job_of(f->im, name);
	if (!t->j && f->im->jobs && path_absolute(f->a, f->file, &dir, e))
		return -1;
	for (int i = 0; !t->j && i < LOOK_UP && f->im->jobs; i++) {
		dir = path_dir(f->a, dir);
		if (str_eq(import_name(f->a, name), name) && import_dsflow_job(f->im, dir, name, &t->j, e))
			return -1;
	}
	if (t->j) {
		import_note(f->im, IMPORT_OTHER, f->file, t->o->line, t->j, "the task %.*s is the job %.*s itself",
		            STR_ARG(t->id),
		            STR_ARG(t->j->name));
		return 0;
	}
	if (import_new(f->im, name, f->file, t->o->line, &t->j, e))
		return -1;
	import_set_text(f->im, t->j, "kind", STR("script"));
	import_to_write(f->im, t->j, arena_strf(f->a, "the job %.*s, which %s only asked a scheduler to run",
	                                        STR_ARG(name),
	                                        path_base(f->a, f->file)));
	import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j,
	            "it asks a scheduler for the job %.*s, which is not here: `leat import dsflow` its project first",
	            STR_ARG(name));
	return 0;
}

static void parameters(struct reading *f, struct task *t)
{
	struct arena *a = f->a;
	struct dom *params = dom_new(a, DOM_MAP);
	const struct pv *of[2] = {pv_get(t->o->kwargs, "params"), airflow_of_dag(t->o->dag, "params")};

	for (size_t k = 0; k < ARRAY_LEN(of); k++)
		for (size_t i = 0; of[k] && of[k]->kind == PV_DICT && i < of[k]->items.n; i++) {
			struct str name = airflow_text(of[k]->keys.p[i]);
			struct dom *v = pv_dom(a, of[k]->items.p[i]);

			if (!keys_is_ident(name) || !v)
				import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "the parameter %.*s",
				            STR_ARG(name));
			else if (!dom_get(params, arena_cstr(a, name)))
				dom_set(a, params, arena_cstr(a, name), v);
		}
	if (params->n)
		import_set(f->im, t->j, "params", params);
}

static void environment(struct reading *f, struct task *t)
{
	const struct pv *env = pv_get(t->o->kwargs, "env");
	struct dom *map = dom_new(f->a, DOM_MAP);

	for (size_t i = 0; env && env->kind == PV_DICT && i < env->items.n; i++) {
		struct str name = airflow_text(env->keys.p[i]), text = pv_text(f->a, env->items.p[i]);

		if (keys_is_ident(name) && text.p)
			dom_set_str(f->a, map, arena_cstr(f->a, name), template(f, t, t->j, text));
		else
			import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "the variable %.*s",
			            STR_ARG(name));
	}
	if (env && env->kind != PV_DICT && env->kind != PV_NONE)
		import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "env: %.*s",
		            (int)MIN(env->s.n, (size_t)100),
		            env->s.p);
	if (map->n)
		import_set(f->im, t->j, "env", map);
}

/* bash_command, or the file that it names. */
static int a_command(struct reading *f, struct task *t, struct str command, struct err *e)
{
	struct str text = command;
	const char *path = path_join(f->a, path_dir(f->a, f->file), arena_cstr(f->a, str_trim(command)));

	if (f->im->jobs && str_has_suffix(str_trim(command), STR(".sh")) &&
	    !memchr(command.p, ' ', str_trim(command).n) &&
	    *command.p != '/' && file_exists(path)) {
		if (file_read_plain(f->a, path, IMPORT_MAX_FILE, &text, e))
			return -1;
	} else if (memmem(command.p, command.n, "./", 2) || memmem(command.p, command.n, "AIRFLOW", 7)) {
		import_note(f->im, IMPORT_OTHER, f->file, t->o->line, t->j,
		            "it names files by where it stands: a job starts in a folder with the files of jobs/%.*s",
		            STR_ARG(t->j->name));
	}
	import_command(f->im, t->j, "bash", template(f, t, t->j, text));
	return 0;
}

static const struct py_stmt *def_called(struct reading *f, struct str name)
{
	for (size_t i = 0; i < f->top.n; i++)
		if (f->top.p[i]->kind == PS_DEF && str_eq(f->top.p[i]->name, name))
			return f->top.p[i];
	return NULL;
}

/* Whether a statement is about Airflow, so that nothing of it is of use outside. */
static bool is_airflow(struct reading *f, const struct py_stmt *s)
{
	static const char *const words[] = {"airflow", "Operator(", "DAG(", "Sensor(", "@dag", ">>", "<<",
	                                    "set_upstream",
	                                    "set_downstream", "chain(", "TaskGroup("};
	struct str text = str_sub(f->source, s->from, s->to - s->from);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(text.p, text.n, words[i], strlen(words[i])))
			return true;
	return false;
}

static struct str text_of_stmt(struct reading *f, const struct py_stmt *s)
{
	size_t from = s->from;

	for (size_t k = 0; k < s->decorators.n; k++) /* @task means nothing there */
		from = s->decorators.p[k]->to;
	return str_trim(str_sub(f->source, from, s->to - from));
}

static bool has_word(struct str text, struct str word)
{
	for (size_t i = 0; word.n && i + word.n <= text.n; i++) {
		const char *p = memmem(text.p + i, text.n - i, word.p, word.n);

		if (!p)
			return false;
		i = (size_t)(p - text.p);
		if ((!i || !(isalnum((unsigned char)p[-1]) || p[-1] == '_')) &&
		    (i + word.n == text.n || !(isalnum((unsigned char)p[word.n]) || p[word.n] == '_')))
			return true;
	}
	return false;
}

/* Whether a statement gives a name that a text has. */
static bool gives(struct reading *f, const struct py_stmt *s, struct str text, int depth)
{
	struct str own = text_of_stmt(f, s);
	bool is = false;

	switch (s->kind) {
	case PS_IMPORT:
		is = str_is(s->name, "__future__");
		for (size_t i = 0; i < s->params.n; i++)
			is |= has_word(text, s->params.p[i].name);
		return is;
	case PS_ASSIGN:
		for (size_t i = 0; i < s->targets.n; i++)
			is |= s->targets.p[i]->kind == PX_NAME && has_word(text, s->targets.p[i]->s);
		return is;
	case PS_DEF:
		return has_word(text, s->name);
	case PS_PASS: /* class NAME(...) */
		own = str_sub(own, MIN(own.n, strlen("class ")), own.n);
		for (size_t n = 0; n <= own.n; n++)
			if (n == own.n || !(isalnum((unsigned char)own.p[n]) || own.p[n] == '_'))
				return has_word(text, str_sub(own, 0, n));
		return false;
	case PS_TRY:
		for (size_t i = 0; depth < 5 && i < s->body.n; i++)
			is |= gives(f, s->body.p[i], text, depth + 1);
		return is;
	default:
		return false;
	}
}

/* Imports, constants and functions of the file that a function needs, and what those need. */
static void surroundings(struct reading *f, struct buf *b, const struct py_stmt *def)
{
	bool *taken = arena_array(f->a, bool, f->top.n), more = true;
	VEC(struct str) needed = {0};

	vec_push(f->a, &needed, text_of_stmt(f, def));
	for (int round = 0; more && round < 20; round++) {
		more = false;
		for (size_t i = 0; i < f->top.n; i++) {
			const struct py_stmt *s = f->top.p[i];

			if (taken[i] || s == def || is_airflow(f, s))
				continue;
			for (size_t k = 0; !taken[i] && k < needed.n; k++)
				taken[i] = gives(f, s, needed.p[k], 0);
			if (taken[i])
				vec_push(f->a, &needed, text_of_stmt(f, s));
			more |= taken[i];
		}
	}
	for (size_t i = 0; i < f->top.n; i++)
		if (taken[i])
			buf_addf(b, "%s%.*s\n", f->top.p[i]->kind == PS_DEF ? "\n" : "",
			         STR_ARG(text_of_stmt(f, f->top.p[i])));
}

/* A function within another one, as it would stand by itself. */
static void own_text(struct reading *f, struct buf *b, const struct py_stmt *def)
{
	size_t from = def->from, begin, indent;
	struct str text, line;

	for (size_t k = 0; k < def->decorators.n; k++)
		from = def->decorators.p[k]->to;
	while (from < def->to && isspace((unsigned char)f->source.p[from]))
		from++;
	for (begin = from; begin && f->source.p[begin - 1] != '\n'; begin--)
		;
	indent = from - begin;
	text = str_sub(f->source, begin, def->to - begin);
	while (str_next_line(&text, &line)) {
		size_t n = 0;

		while (n < indent && n < line.n && isspace((unsigned char)line.p[n]))
			n++;
		buf_addf(b, "%.*s\n", STR_ARG(str_sub(line, n, line.n)));
	}
}

static void call_of(struct buf *b, struct str name)
{
	buf_addf(b,
	         "\nif __name__ == \"__main__\":\n"
	         "    import inspect\n    import json\n    import os\n\n"
	         "    names = (\"OP_ARGS\", \"OP_KWARGS\", \"OP_PARAMS\")\n"
	         "    args, kwargs, params = (json.loads(os.environ[name]) for name in names)\n"
	         "    day = os.environ.get(\"DS\", \"\")\n"
	         "    given = {\"ds\": day, \"ds_nodash\": day.replace(\"-\", \"\"), \"params\": params, **kwargs}\n"
	         "    takes = inspect.signature(%.*s).parameters.values()\n"
	         "    every = any(p.kind == p.VAR_KEYWORD for p in takes)\n"
	         "    names = {p.name for p in takes}\n"
	         "    %.*s(*args, **{k: v for k, v in given.items() if every or k in names})\n",
	         STR_ARG(name), STR_ARG(name));
}

static struct str json_of(struct reading *f, struct task *t, const struct pv *v, const char *none)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);
	struct dom *d = v ? pv_dom(f->a, v) : NULL;

	if (!d) {
		if (v)
			import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j,
			            "what it is called with, which only Airflow knows (a result is a file here)");
		return str_of(none);
	}
	dom_write_json(&b, d, DOM_COMPACT);
	return arena_str(f->a, buf_str(&b));
}

/* job.py: the function with what it needs, and a call of it. */
static void a_function(struct reading *f, struct task *t, const struct py_stmt *def, struct str name,
                       const char *module)
{
	struct buf b cleanup(buf_free) = BUF_INIT(2 * IMPORT_MAX_FILE);
	struct dom *env = dom_new(f->a, DOM_MAP), *cmd = dom_new(f->a, DOM_LIST);
	const struct pv *args = def && t->o->def ? t->o->args : pv_get(t->o->kwargs, "op_args");
	const struct pv *kwargs = pv_get(t->o->kwargs, "op_kwargs"), *params = pv_get(t->o->kwargs, "params");

	buf_addf(&b, "# From %s: the task %.*s calls %.*s.\n", path_base(f->a, f->file), STR_ARG(t->id), STR_ARG(name));
	if (module) {
		buf_addf(&b, "from %s import %.*s\n", module, STR_ARG(name));
		import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j,
		            "%.*s comes from %s: put that beside job.py, or install it", STR_ARG(name), module);
	} else if (def) {
		surroundings(f, &b, def);
		buf_addc(&b, '\n');
		own_text(f, &b, def);
	}
	call_of(&b, name);
	import_add_file(f->im, t->j, "job.py", buf_str(&b), false);
	dom_add(cmd, dom_new_str(f->a, STR("python3")));
	dom_add(cmd, dom_new_str(f->a, STR("job.py")));
	dom_set_str(f->a, env, "OP_ARGS", template(f, t, t->j, json_of(f, t, args, "[]")));
	dom_set_str(f->a, env, "OP_KWARGS", template(f, t, t->j, json_of(f, t, kwargs, "{}")));
	dom_set_str(f->a, env, "OP_PARAMS", json_of(f, t, params, "{}"));
	import_set(f->im, t->j, "env", env);
	import_set(f->im, t->j, "cmd", cmd);
}

static void a_call(struct reading *f, struct task *t, const struct pv *callable)
{
	struct str head, name;

	if (callable && callable->kind == PV_DEF && def_called(f, callable->def->name)) {
		a_function(f, t, callable->def, callable->def->name, NULL);
	} else if (callable && callable->kind == PV_NAME && str_rcut(callable->s, '.', &head, &name) &&
	           keys_is_ident(name)) {
		a_function(f, t, NULL, name, arena_cstr(f->a, head));
	} else {
		import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "its python_callable");
		import_to_write(f->im, t->j, STR("its python_callable"));
	}
	if (str_has_prefix(t->o->class, STR("Branch")) || str_has_prefix(t->o->class, STR("ShortCircuit")))
		import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j,
		            "%.*s: what it chooses; here all that comes after it runs", STR_ARG(t->o->class));
}

static void not_known(struct reading *f, struct task *t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	buf_addf(&b, "%s:%d: %.*s\n", path_base(f->a, f->file), t->o->line, STR_ARG(t->o->class));
	for (size_t i = 0; i < t->o->kwargs->items.n; i++) {
		struct str text = pv_text(f->a, t->o->kwargs->items.p[i]);

		buf_addf(&b, "%.*s: %.*s\n", STR_ARG(t->o->kwargs->keys.p[i]->s),
		         STR_ARG(text.p ? text : t->o->kwargs->items.p[i]->s));
	}
	import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "%.*s", STR_ARG(t->o->class));
	import_to_write(f->im, t->j, buf_str(&b));
}

int airflow_do(struct reading *f, struct task *t, struct str command, struct err *e)
{
	const struct pv *callable = pv_get(t->o->kwargs, "python_callable");

	parameters(f, t);
	if (t->o->def) {
		a_function(f, t, t->o->def, t->o->def->name, NULL);
	} else if (callable) {
		a_call(f, t, callable);
	} else if (command.p) {
		environment(f, t);
		return a_command(f, t, command, e);
	} else {
		not_known(f, t);
	}
	return 0;
}
