/*
 * DAGs of dagu (https://dagu.cloud): steps become jobs, depends: becomes after:, the schedule is that of the first
 * steps.
 * Keys are read in camelCase and snake_case, as the versions of dagu write them.
 */
#include <ctype.h>

#include "api/import.h"
#include "base/cron.h"
#include "base/str.h"
#include "flow/jobparse.h"

struct step {
	const struct dom *doc;
	struct str name, id;
	struct import_job *j;
	bool depended, go_on; /* somebody names it; what follows it runs after its failure too */
};

struct dag {
	struct import *im;
	const char *file;
	const struct dom *doc;
	struct str name, shell;
	VEC(struct step) steps;
	struct dom *env, *params; /* maps of values that are no shell text */
	struct str exports;       /* lines that set the others */
	VEC(struct str) positional;
	bool chain;
};

/* ---- keys ---- */

static bool is_key(const struct dom *v, const char *want)
{
	size_t i = 0;

	for (; *want; want++, i++) {
		while (i < v->key.n && v->key.p[i] == '_')
			i++;
		if (i >= v->key.n || tolower((unsigned char)v->key.p[i]) != tolower((unsigned char)*want))
			return false;
	}
	return i == v->key.n;
}

static const struct dom *get(const struct dom *map, const char *key)
{
	if (map && map->type == DOM_MAP)
		dom_each (v, map)
			if (is_key(v, key))
				return v->type == DOM_NULL ? NULL : v;
	return NULL;
}

static struct str text_at(struct dag *d, const struct dom *map, const char *key)
{
	const struct dom *v = get(map, key);

	return v && v->type != DOM_MAP && v->type != DOM_LIST ? dom_text(d->im->a, v) : STR_NULL;
}

/* What of a map nobody has read. */
static void note_rest(struct dag *d, const struct dom *map, const struct import_job *j, const char *const *known,
                      const char *const *left)
{
	if (map->type != DOM_MAP)
		return;
	dom_each (v, map) {
		bool seen = false, out = false;

		for (size_t i = 0; known[i]; i++)
			seen |= is_key(v, known[i]);
		for (size_t i = 0; left[i]; i++)
			out |= is_key(v, left[i]);
		if (!seen)
			import_note(d->im, out ? IMPORT_LEFT : IMPORT_UNKNOWN, d->file, v->key_line, j, "%.*s",
			            STR_ARG(v->key));
	}
}

/* ---- variables and parameters ---- */

static bool is_shell_text(struct str s)
{
	return memchr(s.p, '$', s.n) || memchr(s.p, '`', s.n);
}

static void set_var(struct dag *d, struct str name, struct str value)
{
	struct arena *a = d->im->a;

	if (!keys_is_ident(name)) {
		import_note(d->im, IMPORT_UNKNOWN, d->file, d->doc->line, NULL, "the variable \"%.*s\"", STR_ARG(name));
		return;
	}
	if (is_shell_text(value))
		d->exports = arena_strf(a, "%.*sexport %.*s=\"%.*s\"\n", STR_ARG(d->exports), STR_ARG(name),
		                        STR_ARG(value));
	else if (!dom_get(d->env, arena_cstr(a, name)))
		dom_set_str(a, d->env, arena_cstr(a, name), import_plain(a, value));
}

static void set_param(struct dag *d, struct str name, struct str value)
{
	struct arena *a = d->im->a;

	if (is_shell_text(value) || !keys_is_ident(name)) {
		set_var(d, name, value);
		return;
	}
	if (dom_get(d->params, arena_cstr(a, name)))
		return;
	dom_set(a, d->params, arena_cstr(a, name), dom_new_plain(a, value));
	if (!dom_get(d->env, arena_cstr(a, name)))
		dom_set_str(a, d->env, arena_cstr(a, name), arena_strf(a, "{{ params.%.*s }}", STR_ARG(name)));
}

/* Words as a shell parts them: NAME=VALUE or a value, with quotes and `commands`. */
static void words(struct dag *d, struct str text, bool params)
{
	struct arena *a = d->im->a;
	size_t i = 0;

	while (i < text.n) {
		struct buf b cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE);
		struct str name = STR_NULL, value;
		char quote = 0;

		while (i < text.n && strchr(" \t\r\n", text.p[i]))
			i++;
		if (i == text.n)
			return;
		for (; i < text.n && (quote || !strchr(" \t\r\n", text.p[i])); i++) {
			char c = text.p[i];

			if (quote == c)
				quote = 0;
			else if (!quote && strchr("\"'`", c))
				quote = c;
			else if (!quote && c == '=' && !name.p) {
				name = arena_str(a, buf_str(&b));
				buf_reset(&b);
				continue;
			}
			if (c != '"' && c != '\'')
				buf_addc(&b, c);
		}
		value = arena_str(a, buf_str(&b));
		if (name.p && params)
			set_param(d, name, value);
		else if (name.p)
			set_var(d, name, value);
		else
			vec_push(a, &d->positional, value);
	}
}

/* Of env: and params: a text, a list of texts and maps, or a map. */
static void variables(struct dag *d, const struct dom *v, bool params)
{
	if (!v)
		return;
	if (v->type == DOM_LIST) {
		dom_each (c, v)
			variables(d, c, params);
	} else if (v->type == DOM_MAP) {
		dom_each (c, v) {
			if (c->type == DOM_MAP || c->type == DOM_LIST)
				import_note(d->im, IMPORT_UNKNOWN, d->file, c->key_line, NULL,
				            "what %.*s says of itself",
				            STR_ARG(c->key));
			else if (params)
				set_param(d, c->key, dom_text(d->im->a, c));
			else
				set_var(d, c->key, dom_text(d->im->a, c));
		}
	} else if (v->type != DOM_NULL) {
		words(d, dom_text(d->im->a, v), params);
	}
}

/* ---- what a step does ---- */

static void argv(struct dag *d, struct import_job *j, struct dom *list)
{
	for (size_t i = 0; i < d->positional.n; i++) {
		struct str name = arena_strf(d->im->a, "p%zu", i + 1);

		dom_add(list, dom_new_str(d->im->a, arena_strf(d->im->a, "{{ params.%.*s }}", STR_ARG(name))));
	}
	import_set(d->im, j, "cmd", list);
}

/* SHELL -c TEXT, with what sets the variables in front, and the parameters as $1, $2. */
static void in_shell(struct dag *d, struct step *s, struct str text)
{
	struct arena *a = d->im->a;
	struct str shell = text_at(d, s->doc, "shell");
	struct dom *list = dom_new(a, DOM_LIST);

	if (!shell.n)
		shell = d->shell.n ? d->shell : STR("sh");
	dom_add(list, dom_new_str(a, shell));
	dom_add(list, dom_new_str(a, STR("-c")));
	text = import_plain(a, arena_strf(a, "%.*s%.*s", STR_ARG(d->exports), STR_ARG(text)));
	dom_add(list, dom_new_str(a, text));
	if (d->positional.n)
		dom_add(list, dom_new_str(a, s->j->name));
	argv(d, s->j, list);
}

static void from_list(struct dag *d, struct step *s, const struct dom *v)
{
	struct arena *a = d->im->a;
	struct str all = STR("");
	bool blanks = false;

	dom_each (w, v)
		blanks |= memchr(dom_text(a, w).p, ' ', dom_text(a, w).n) != NULL;
	if (blanks) { /* commands, one after the other */
		dom_each (w, v)
			all = arena_strf(a, "%.*s%s%.*s", STR_ARG(all), all.n ? "\n" : "set -e\n",
			                 STR_ARG(dom_text(a, w)));
		in_shell(d, s, all);
		return;
	}
	dom_each (w, v) /* a program and its arguments, which may name variables */
		all = arena_strf(a, "%.*s%s%.*s", STR_ARG(all), all.n ? " " : "", STR_ARG(dom_text(a, w)));
	in_shell(d, s, all);
}

static void what_it_does(struct dag *d, struct step *s)
{
	const struct dom *command = get(s->doc, "command"), *script = get(s->doc, "script"), *other;
	struct arena *a = d->im->a;
	struct str text, program;

	if (!command && !get(s->doc, "params") && !get(s->doc, "call"))
		command = get(s->doc, "run");
	other = get(s->doc, "executor");
	if (!other)
		other = get(s->doc, "action");
	if (!other)
		other = get(s->doc, "call");
	if (!other && !command && !script)
		other = get(s->doc, "run");
	if (!other && get(s->doc, "type") && !str_is(text_at(d, s->doc, "type"), "command"))
		other = get(s->doc, "type");
	if (other) {
		text = other->type == DOM_MAP ? text_at(d, other, "type") : dom_text(a, other);
		import_note(d->im, IMPORT_UNKNOWN, d->file, other->key_line, s->j, "%.*s: %.*s", STR_ARG(other->key),
		            STR_ARG(text));
		import_to_write(d->im, s->j, arena_strf(a, "%s:%d: %.*s: %.*s\n%.*s", path_base(a, d->file),
		                                        other->key_line,
		                                        STR_ARG(other->key), STR_ARG(text),
		                                        STR_ARG(text_at(d, s->doc, "command"))));
		return;
	}
	if (script && script->type == DOM_STR) {
		program = command && command->type == DOM_STR ? str_trim(command->s) : STR_NULL;
		if (!program.n) {
			in_shell(d, s, script->s);
			return;
		}
		import_add_file(d->im, s->j, "script", script->s, false);
		in_shell(d, s, arena_strf(a, "%.*s script", STR_ARG(program)));
		return;
	}
	if (command && command->type == DOM_LIST)
		from_list(d, s, command);
	else if (command && command->type == DOM_STR)
		in_shell(d, s, command->s);
	else
		import_note(d->im, IMPORT_UNKNOWN, d->file, s->doc->line, s->j, "a step without a command"),
			import_to_write(d->im, s->j, STR("a step without a command"));
}

/* ---- steps ---- */

static const char *const step_known[] = {"name", "id", "description", "command", "script", "shell", "dir", "workingDir",
                                         "depends", "retryPolicy", "continueOn", "timeoutSec", "env", "executor",
                                         "action", "call", "run", "type", "params", NULL};
static const char *const step_left[] = {"stdout", "stderr", "mailOnError", "signalOnStop", "logOutput", "with", NULL};
static const char *const dag_known[] = {"name", "description", "schedule", "env", "params", "steps", "type", "shell",
                                        "timeoutSec", "dir", "workingDir", "retryPolicy", NULL};
static const char *const dag_left[] = {"group", "tags", "labels", "histRetentionDays", "logDir", "mailOn", "errorMail",
                                       "infoMail", "smtp", "maxCleanUpTimeSec", "delaySec", "maxActiveRuns",
                                       "maxActiveSteps", "workerSelector", "restartWaitSec", NULL};

static void policy(struct dag *d, struct step *s)
{
	const struct dom *retry = get(s->doc, "retryPolicy"), *on = get(s->doc, "continueOn"), *v;
	struct import *im = d->im;
	int64_t n;

	if (retry && (v = get(retry, "limit")) && v->type == DOM_INT) {
		import_set(im, s->j, "retries", dom_new_int(im->a, v->i));
		if ((v = get(retry, "intervalSec")) && v->type == DOM_INT)
			import_set_text(im, s->j, "retry_delay", import_duration(im->a, v->i));
		import_set(im, s->j, "backoff", dom_new_int(im->a, 1));
	} else if (retry) {
		import_note(im, IMPORT_UNKNOWN, d->file, retry->key_line, s->j, "%.*s", STR_ARG(retry->key));
	}
	if (on) {
		s->go_on = on->type == DOM_MAP ? get(on, "failure") || get(on, "failed") : str_is(dom_text(im->a, on),
		                                                                                  "failed");
		if (!s->go_on)
			import_note(im, IMPORT_UNKNOWN, d->file, on->key_line, s->j, "%.*s", STR_ARG(on->key));
	}
	v = get(s->doc, "timeoutSec");
	if (!v)
		v = get(d->doc, "timeoutSec");
	if (v && str_to_i64(dom_text(im->a, v), &n) && n > 0)
		import_set_text(im, s->j, "timeout", import_duration(im->a, n));
}

static void keys_of(struct dag *d, struct step *s)
{
	struct import *im = d->im;
	struct arena *a = im->a;
	struct dom *env = dom_copy(a, d->env);
	const struct dom *own = get(s->doc, "env"), *params = d->params;
	struct str dir = text_at(d, s->doc, "workingDir"), said = text_at(d, s->doc, "description"), kept = d->exports;

	import_set_text(im, s->j, "kind", STR("script"));
	import_set_text(im, s->j, "description",
	                said.n ? said : arena_strf(a, "%.*s of %.*s", STR_ARG(s->name), STR_ARG(d->name)));
	import_set_text(im, s->j, "partition", STR("none"));
	import_set_text(im, s->j, "memo", STR("off"));
	if (own) {
		struct dom *before = d->env;

		d->env = env;
		variables(d, own, false);
		d->env = before;
	}
	if (params->n)
		import_set(im, s->j, "params", dom_copy(a, params));
	if (env->n)
		import_set(im, s->j, "env", env);
	if (!dir.n)
		dir = text_at(d, s->doc, "dir");
	if (!dir.n)
		dir = text_at(d, d->doc, get(d->doc, "workingDir") ? "workingDir" : "dir");
	if (dir.n && is_shell_text(dir))
		d->exports = arena_strf(a, "%.*scd \"%.*s\" || exit 1\n", STR_ARG(d->exports), STR_ARG(dir));
	else if (dir.n)
		import_set_text(im, s->j, "workingDir", dir);
	policy(d, s);
	what_it_does(d, s);
	d->exports = kept;
	note_rest(d, s->doc, s->j, step_known, step_left);
}

static int add_step(struct dag *d, const struct dom *doc, bool only, struct err *e)
{
	struct step s = {.doc = doc, .name = text_at(d, doc, "name"), .id = text_at(d, doc, "id")};

	if (doc->type == DOM_STR) { /* a step that is nothing but its command */
		struct dom *map = dom_new(d->im->a, DOM_MAP);

		map->line = map->key_line = doc->line;
		dom_set_str(d->im->a, map, "command", doc->s);
		map->first->key_line = doc->line;
		s.doc = map;
	} else if (doc->type == DOM_LIST) { /* steps side by side, of a chain */
		import_note(d->im, IMPORT_UNKNOWN, d->file, doc->line, NULL, "steps in a list of their own");
		return 0;
	} else if (doc->type != DOM_MAP) {
		return 0;
	}
	if (!s.name.n)
		s.name = s.id.n ? s.id : doc->key.n ? doc->key : arena_strf(d->im->a, "step_%zu", d->steps.n + 1);
	if (import_new(d->im, only ? d->name : arena_strf(d->im->a, "%.*s-%.*s", STR_ARG(d->name), STR_ARG(s.name)),
	               d->file, doc->line, &s.j, e))
		return -1;
	vec_push(d->im->a, &d->steps, s);
	return 0;
}

static struct step *step_called(struct dag *d, struct str name)
{
	for (size_t i = 0; i < d->steps.n; i++)
		if (str_eq(d->steps.p[i].name, name) || str_eq(d->steps.p[i].id, name))
			return &d->steps.p[i];
	return NULL;
}

static void depend(struct dag *d, struct step *s, const struct dom *name)
{
	struct str text = dom_text(d->im->a, name);
	struct step *first = step_called(d, text);

	if (!first) {
		import_note(d->im, IMPORT_UNKNOWN, d->file, name->line, s->j,
		            "it depends on a step that is not there: %.*s",
		            STR_ARG(text));
		return;
	}
	import_after(d->im, s->j, first->j->name);
	if (first->go_on)
		import_set_text(d->im, s->j, "when", STR("all_done"));
}

static void edges(struct dag *d)
{
	for (size_t i = 0; i < d->steps.n; i++) {
		struct step *s = &d->steps.p[i];
		const struct dom *v = get(s->doc, "depends");

		if (v && v->type == DOM_LIST)
			dom_each (name, v)
				depend(d, s, name);
		else if (v)
			depend(d, s, v);
		else if (d->chain && i) {
			import_after(d->im, s->j, d->steps.p[i - 1].j->name);
			if (d->steps.p[i - 1].go_on)
				import_set_text(d->im, s->j, "when", STR("all_done"));
		}
	}
}

/* ---- the schedule ---- */

static void one_schedule(struct dag *d, const struct dom *v, struct dom *list)
{
	struct arena *a = d->im->a;
	struct str text = dom_text(a, v), zone = STR_NULL, head;
	struct err why = ERR_INIT;
	struct cron c;

	if (str_has_prefix(text, STR("CRON_TZ=")) || str_has_prefix(text, STR("TZ="))) {
		if (!str_cut(text, ' ', &head, &text))
			return;
		zone = str_sub(head, *head.p == 'T' ? 3 : 8, head.n);
		text = str_trim(text);
	}
	if (cron_parse(text, &c, &why))
		import_note(d->im, IMPORT_UNKNOWN, d->file, v->line, NULL, "schedule %.*s: %s", STR_ARG(text), why.msg);
	else
		dom_add(list, import_schedule(a, text, zone, STR_NULL, "none"));
}

static void schedule(struct dag *d)
{
	const struct dom *v = get(d->doc, "schedule");
	struct dom *list = dom_new(d->im->a, DOM_LIST);

	if (!v)
		return;
	if (v->type == DOM_MAP) {
		dom_each (c, v)
			if (!is_key(c, "start"))
				import_note(d->im, IMPORT_UNKNOWN, d->file, c->key_line, NULL, "schedule.%.*s",
				            STR_ARG(c->key));
		v = get(v, "start");
	}
	if (v && v->type == DOM_LIST)
		dom_each (c, v)
			one_schedule(d, c, list);
	else if (v)
		one_schedule(d, v, list);
	if (!list->n)
		return;
	if (list->n > 1 && !import_takes("schedule", KEYS_LIST))
		import_note(d->im, IMPORT_UNKNOWN, d->file, v->line, NULL,
		            "only the first of its %zu schedules is taken", list->n);
	for (size_t i = 0; i < d->steps.n; i++)
		if (!d->steps.p[i].j->after.n)
			import_set(d->im, d->steps.p[i].j, "schedule",
			           dom_copy(d->im->a, list->n > 1 && import_takes("schedule", KEYS_LIST) ? list
			                    : list->first));
}

/* ---- a DAG ---- */

static int read_dag(struct import *im, const struct dom *doc, const char *file, struct err *e)
{
	struct dag d = {.im = im, .file = file, .doc = doc, .exports = STR("")};
	const struct dom *steps = get(doc, "steps");
	struct str stem, ext, base = str_of(path_base(im->a, file));

	d.env = dom_new(im->a, DOM_MAP);
	d.params = dom_new(im->a, DOM_MAP);
	d.name = text_at(&d, doc, "name");
	d.shell = text_at(&d, doc, "shell");
	d.chain = str_is(text_at(&d, doc, "type"), "chain");
	if (!d.name.n)
		d.name = str_rcut(base, '.', &stem, &ext) && stem.n ? stem : base;
	variables(&d, get(doc, "params"), true);
	variables(&d, get(doc, "env"), false);
	for (size_t i = 0; i < d.positional.n; i++)
		dom_set(im->a, d.params, arena_printf(im->a, "p%zu", i + 1), dom_new_str(im->a, d.positional.p[i]));
	dom_each (s, steps)
		if (add_step(&d, s, steps->n == 1, e))
			return -1;
	for (size_t i = 0; i < d.steps.n; i++)
		keys_of(&d, &d.steps.p[i]);
	edges(&d);
	schedule(&d);
	note_rest(&d, doc, NULL, dag_known, dag_left);
	if (d.steps.n > 1 && !get(doc, "type") && !get(steps->last, "depends"))
		import_note(im, IMPORT_OTHER, file, steps->key_line, NULL,
		            "steps without depends run side by side; with `type: chain` one after the other");
	return 0;
}

int import_dagu(struct import *im, struct str text, const char *file, struct err *e)
{
	struct dom *all;

	if (dom_yaml_all(im->a, text, file, &all, e))
		return -1;
	dom_each (doc, all) {
		const struct dom *steps = get(doc, "steps");

		if (doc->type == DOM_NULL)
			continue;
		if (!steps || (steps->type != DOM_LIST && steps->type != DOM_MAP) || !steps->n) {
			err_set(e, ERR_BAD_CONFIG, "there are no steps: in it, so it is no DAG of dagu");
			if (get(doc, "task_specs") || get(doc, "class"))
				err_hint(e, "this looks like dsflow's job_specs.yaml: leat import dsflow DIR");
			return err_at(e, file, doc->line, doc->col);
		}
		if (read_dag(im, doc, file, e))
			return -1;
	}
	if (!all->n)
		return err_set(e, ERR_BAD_CONFIG, "%s is empty", file);
	return 0;
}
