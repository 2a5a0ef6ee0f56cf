#include "flow/jobparse.h"

#include <stdio.h>

#include "base/calendar.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/input.h"
#include "flow/jobfile.h"
#include "flow/plug.h"
#include "flow/schedule.h"

static const struct key rows[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/jobkeys.def"
#undef K
};
static const struct keys common = {"a job", rows, ARRAY_LEN(rows)};
static const struct dom no_keys = {.type = DOM_MAP};

const struct keys *job_keys(void)
{
	return &common;
}

/* ---- kinds ---- */

const struct job_kind *jobparse_kind(const struct job_kind *const *kinds, struct str name)
{
	for (; *kinds; kinds++)
		if (str_is(name, (*kinds)->name))
			return *kinds;
	return NULL;
}

void jobparse_tables_init(struct jobparse_tables *t, const struct job_kind *const *kinds, const struct job_kind *only)
{
	t->n = 0;
	t->all[t->n++] = &common;
	for (; *kinds; kinds++) {
		struct keys *own = &t->own[t->n];

		if ((only && *kinds != only) || !(*kinds)->keys)
			continue;
		BUG_IF(t->n == JOBPARSE_MAX_TABLES);
		*own = (struct keys){.what = (*kinds)->name, .rows = (*kinds)->keys};
		while (own->rows[own->n].name)
			own->n++;
		t->all[t->n++] = own;
	}
}

static int unknown_kind(struct jobs *js, const struct job *j, const struct dom *v, struct err *e)
{
	struct str names[JOBPARSE_MAX_TABLES];
	size_t n = 0;

	for (const struct job_kind *const *k = js->kinds; *k && n < ARRAY_LEN(names); k++)
		names[n++] = str_of((*k)->name);
	err_set(e, ERR_BAD_CONFIG, "there is no kind of job named \"%.*s\"", STR_ARG(v->s));
	keys_hint_nearest(e, v->s, names, n);
	return job_at(e, j, v->line, v->col);
}

/* The kind whose file is there; two of them cannot be told apart. */
static int kind_by_files(struct jobs *js, struct job *j, const struct jobfile_list *files, struct err *e)
{
	const char *found = NULL;

	for (const struct job_kind *const *k = js->kinds; *k; k++)
		if ((*k)->told_by && dom_get(j->doc, (*k)->told_by)) {
			j->kind = *k;
			return 0;
		}
	for (const struct job_kind *const *k = js->kinds; *k; k++)
		for (const char *const *name = (*k)->code_names; name && *name; name++) {
			/* What stays says so by its kind, as a function run() does: a program is a script. */
			if (!jobfile_has(files, *name) || j->kind == *k || (*k)->stays || (*k)->told_by_name)
				continue;
			if (j->kind) {
				err_set(e, ERR_BAD_CONFIG,
					"the job has %s and %s, and no kind: that says which it is", found, *name);
				err_hint(e, "add `kind: %s` or `kind: %s`", j->kind->name, (*k)->name);
				return job_at(e, j, 1, 1);
			}
			j->kind = *k;
			found = *name;
		}
	return 0;
}

static int no_kind(const struct jobs *js, const struct job *j, struct err *e)
{
	struct jobparse_tables t;
	char list[300];
	size_t len = 0;

	jobparse_tables_init(&t, js->kinds, NULL);
	dom_each(v, j->doc) /* a mistyped `kind` says more than its absence */
		if (!keys_find(t.all, t.n, "", v->key) && keys_check(t.all, t.n, j->doc, j->file.p, e))
			return -1;
	list[0] = '\0';
	for (const struct job_kind *const *k = js->kinds; *k && len < sizeof(list); k++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", (*k)->name);
	err_set(e, ERR_BAD_CONFIG, "the key \"kind\" is missing, and no file of the job tells it");
	err_hint(e, "there are: %s", list);
	return job_at(e, j, 1, 1);
}

int jobparse_check(struct jobs *js, struct job *j, const struct jobfile_list *files, struct err *e)
{
	const struct dom *kind = dom_get(j->doc, "kind");
	struct jobparse_tables t;

	j->kind = NULL;
	if (kind && kind->type == DOM_STR) {
		j->kind = jobparse_kind(js->kinds, kind->s);
		if (!j->kind)
			return unknown_kind(js, j, kind, e);
	} else if (!kind && kind_by_files(js, j, files, e)) {
		return -1;
	}
	if (!j->kind && (!kind || kind->type == DOM_NULL))
		return no_kind(js, j, e);
	jobparse_tables_init(&t, js->kinds, j->kind);
	input_rename((struct dom *)j->doc); /* parsed just now, nobody else's yet */
	if (keys_check(t.all, t.n, j->doc, j->file.p, e))
		return -1;
	BUG_IF(!j->kind); /* a kind that is no text did not pass */
	j->kind_name = str_of(j->kind->name);
	return 0;
}

enum job_sandbox jobparse_sandbox(const struct dom *v)
{
	if (v->type == DOM_BOOL)
		return v->b ? SANDBOX_ON : SANDBOX_OFF;
	if (str_is(v->s, "auto"))
		return SANDBOX_AUTO;
	return str_is(v->s, "on") || str_is(v->s, "true") ? SANDBOX_ON : SANDBOX_OFF;
}

/* ---- the keys, one function each ---- */

struct fill {
	struct jobs *js;
	struct arena *a;
	struct job *j;
	struct err *e;
	const struct dom *inputs, *input;
	VEC(struct job_check) checks;
	const struct dom *partition, *start, *end, *output, *output_branch, *reprocess;
};

static struct str text_of(struct fill *f, const struct dom *v)
{
	struct str s = dom_text(f->a, v);

	return s.p ? s : STR("");
}

static int fault(struct fill *f, const struct dom *at, const char *hint)
{
	if (hint)
		err_hint(f->e, "%s", hint);
	return job_at(f->e, f->j, at->line, at->col);
}

static int fill_inputs(struct fill *f, const struct dom *v)
{
	f->inputs = v;
	return 0;
}

static int fill_input(struct fill *f, const struct dom *v)
{
	f->input = v;
	return 0;
}

static int add_after(struct fill *f, const struct dom *v)
{
	struct job *j = f->j;
	struct job_input *in = &j->after[j->n_after];

	if (str_eq(v->s, j->name)) {
		err_set(f->e, ERR_BAD_CONFIG, "a job cannot come after itself");
		return fault(f, v, NULL);
	}
	for (size_t i = 0; i < j->n_after; i++)
		if (str_eq(j->after[i].name, v->s))
			return 0;
	*in = (struct job_input){.name = v->s, .order = true, .line = v->line, .col = v->col};
	j->n_after++;
	return 0;
}

static int fill_after(struct fill *f, const struct dom *v)
{
	f->j->after = arena_array(f->a, struct job_input, v->type == DOM_LIST ? v->n : 1);
	if (v->type == DOM_STR)
		return add_after(f, v);
	dom_each(name, v)
		if (name->type != DOM_NULL && add_after(f, name))
			return -1;
	return 0;
}

static int fill_output(struct fill *f, const struct dom *v)
{
	f->j->no_output = str_is(v->s, "none");
	f->j->output = v->s;
	f->output = v;
	f->j->output_line = v->line;
	f->j->output_col = v->col;
	return 0;
}

static int fill_pipeline(struct fill *f, const struct dom *v)
{
	if (f->j->folder_pipeline.p && !str_eq(f->j->folder_pipeline, v->s)) {
		err_set(f->e, ERR_BAD_CONFIG, "the job lies in pipelines/%.*s and says pipeline: %.*s",
			STR_ARG(f->j->folder_pipeline), STR_ARG(v->s));
		return fault(f, v, "leave the key out, or move the job's folder");
	}
	f->j->pipeline = v->s;
	return 0;
}

static int fill_zone(struct fill *f, const struct dom *v)
{
	f->j->timezone = v->s;
	return 0;
}

static int fill_partition(struct fill *f, const struct dom *v)
{
	static const char daily[] = "daily";
	const struct dom *every = v->type == DOM_MAP ? dom_get(v, "every") : v;

	f->partition = v;
	f->start = dom_get(v, "start");
	f->end = dom_get(v, "end");
	if (!every_parse(every && every->type == DOM_STR ? every->s : str_of(daily), &f->j->every))
		BUG("partition words of jobkeys.def");
	return 0;
}

/* A bare cron line is {cron: LINE}, with the line's place. */
static struct dom *schedule_map(struct fill *f, const struct dom *v)
{
	struct dom *map, *cron;

	if (v->type == DOM_MAP) {
		map = arena_new_of(f->a, struct dom);
		*map = *v;
		map->next = NULL;
		map->key = STR_NULL;
		return map;
	}
	map = dom_new(f->a, DOM_MAP);
	cron = arena_new_of(f->a, struct dom);
	*cron = *v;
	cron->next = NULL;
	dom_set(f->a, map, "cron", cron);
	map->line = v->line;
	map->col = v->col;
	return map;
}

/* Always a list of maps. */
static int fill_schedule(struct fill *f, const struct dom *v)
{
	struct dom *list = dom_new(f->a, DOM_LIST);

	list->line = v->line;
	list->col = v->col;
	if (v->type == DOM_LIST) {
		dom_each(one, v)
			if (one->type != DOM_NULL)
				dom_add(list, schedule_map(f, one));
	} else {
		dom_add(list, schedule_map(f, v));
	}
	f->j->schedule = list->n ? list : NULL;
	return 0;
}

static int fill_params(struct fill *f, const struct dom *v)
{
	dom_each(p, v)
		if (!keys_is_ident(p->key)) {
			err_set(f->e, ERR_BAD_CONFIG, "a parameter cannot be called \"%.*s\"", STR_ARG(p->key));
			err_hint(f->e, "letters, digits and _, no digit first, so that {{ params.NAME }} can name it");
			return job_at(f->e, f->j, p->key_line, p->key_col);
		}
	f->j->params = v;
	return 0;
}

static int fill_env(struct fill *f, const struct dom *v)
{
	dom_each(p, v)
		if (!keys_is_ident(p->key)) {
			err_set(f->e, ERR_BAD_CONFIG, "\"%.*s\" cannot be a variable of the environment",
				STR_ARG(p->key));
			return job_at(f->e, f->j, p->key_line, p->key_col);
		}
	f->j->env = v;
	return 0;
}

static int add_check(struct fill *f, const struct dom *v)
{
	const struct dom *text = v->type == DOM_MAP ? dom_get(v, "check") : v;
	const struct dom *name = dom_get(v, "name"), *scope = dom_get(v, "scope");
	struct job_check c = {.text = text->s, .line = text->line, .col = text->col};

	if (name && name->type == DOM_STR)
		c.name = name->s;
	c.whole_table = scope && scope->type == DOM_STR && str_is(scope->s, "table");
	vec_push(f->a, &f->checks, c);
	return 0;
}

static int fill_checks(struct fill *f, const struct dom *v)
{
	if (v->type == DOM_STR)
		return add_check(f, v);
	dom_each(c, v)
		if (c->type != DOM_NULL && add_check(f, c))
			return -1;
	return 0;
}

static int fill_memo(struct fill *f, const struct dom *v)
{
	bool on = v->type == DOM_BOOL ? v->b : str_is(v->s, "on") || str_is(v->s, "true");

	f->j->memo = v->type == DOM_STR && str_is(v->s, "auto") ? MEMO_AUTO : on ? MEMO_ON : MEMO_OFF;
	return 0;
}

static int fill_sandbox(struct fill *f, const struct dom *v)
{
	f->j->sandbox = jobparse_sandbox(v);
	return 0;
}

static int fill_duration(struct fill *f, const struct dom *v, int64_t *ms)
{
	if (!keys_duration(dom_text(f->a, v), ms))
		BUG("a duration of jobkeys.def");
	return 0;
}

static double number(const struct dom *v)
{
	return v->type == DOM_INT ? (double)v->i : v->d;
}

static int fill_output_branch(struct fill *f, const struct dom *v)
{
	if (name_check_branch(v->s, f->e))
		return fault(f, v, NULL);
	f->j->output_branch = str_is(v->s, "master") ? STR_NULL : v->s;
	f->output_branch = v;
	return 0;
}

#define FILL(name, action)                                                                                             \
	static int fill_##name(struct fill *f, const struct dom *v)                                                    \
	{                                                                                                              \
		action;                                                                                                \
		return 0;                                                                                              \
	}
FILL(description, f->j->description = text_of(f, v))
FILL(environment, f->j->environment = v->type == DOM_MAP ? v : NULL)
FILL(threads, f->j->threads = (int)MIN(v->i, 4096))
FILL(retries, f->j->retries = (int)MIN(v->i, 1000000))
FILL(retry_delay, return fill_duration(f, v, &f->j->retry_delay_ms))
FILL(timeout, return fill_duration(f, v, &f->j->timeout_ms))
FILL(run_timeout, return fill_duration(f, v, &f->j->run_timeout_ms))
FILL(reprocess, f->j->reprocess = str_is((f->reprocess = v)->s, "every_job"))
FILL(grace, f->j->own_grace = true; return fill_duration(f, v, &f->j->grace_ms))
FILL(backoff, f->j->backoff = number(v))
FILL(jitter, f->j->jitter = number(v))
FILL(pool, f->j->pool = v->s)
FILL(when, f->j->when = v->s)
FILL(detach, f->j->detach = str_is(v->s, "ok"))
FILL(idempotent, f->j->idempotent = v->b)
FILL(skips, f->j->skips = v->b)
FILL(past, f->j->past = v->b)
FILL(approve, f->j->approve = v->b)
FILL(priority, f->j->priority = MIN(MAX(v->i, -1000000), 1000000))
FILL(hook, f->j->hooks = true)
FILL(overlap, f->j->overlap = str_is(v->s, "skip")         ? OVERLAP_SKIP
                              : str_is(v->s, "cancel-old") ? OVERLAP_CANCEL_OLD
                              : str_is(v->s, "allow")      ? OVERLAP_ALLOW
                                                           : OVERLAP_QUEUE)
FILL(late, f->j->late_run = str_is(v->s, "run"))
FILL(paused, f->j->paused = v->b)

static const struct {
	const char *key;
	int (*fill)(struct fill *f, const struct dom *v);
} fills[] = {
	{"description", fill_description}, {"inputs", fill_inputs},     {"input", fill_input},
	{"output", fill_output},           {"after", fill_after},
	{"pipeline", fill_pipeline},       {"partition", fill_partition}, {"schedule", fill_schedule},
	{"timezone", fill_zone},           {"params", fill_params},     {"env", fill_env},
	{"environment", fill_environment}, {"threads", fill_threads},   {"memo", fill_memo},
	{"checks", fill_checks},           {"retries", fill_retries},   {"retry_delay", fill_retry_delay},
	{"backoff", fill_backoff},         {"jitter", fill_jitter},     {"timeout", fill_timeout},
	{"grace", fill_grace},             {"pool", fill_pool},         {"when", fill_when},
	{"detach", fill_detach},           {"idempotent", fill_idempotent},
	{"sandbox", fill_sandbox},         {"jobTimeout", fill_run_timeout},
	{"outputBranch", fill_output_branch}, {"reprocessSpec", fill_reprocess},
	{"late", fill_late},               {"paused", fill_paused},     {"kind", NULL},              {"code", NULL},
	{"lock", NULL},
	{"image", NULL},                   {"no_retry_on", NULL},       {"skips", fill_skips},
	{"overlap", fill_overlap},         {"depends_on_past", fill_past}, {"approve", fill_approve},
	{"priority", fill_priority},       {"on_success", fill_hook},   {"on_failure", fill_hook},
	{"on_exit", fill_hook},
};

/* ---- all of them ---- */

/* A copy in a map of its own: a node can be in one list only. */
static void append(struct arena *a, struct dom *map, const struct dom *v)
{
	struct dom *c = arena_new_of(a, struct dom);

	*c = *v;
	c->next = NULL;
	map->last ? (map->last->next = c) : (map->first = c);
	map->last = c;
	map->n++;
}

static int fill_key(struct fill *f, const struct dom *v, struct dom *own)
{
	for (size_t i = 0; i < ARRAY_LEN(fills); i++)
		if (str_is(v->key, fills[i].key))
			return fills[i].fill && v->type != DOM_NULL ? fills[i].fill(f, v) : 0;
	append(f->a, own, v);
	return 0;
}

/* Every default of the table, once per process: they are the same for all jobs. */
static void fill_defaults(struct fill *f)
{
	static struct job known;
	static struct arena *forever;
	struct job *j = f->j;

	if (!forever) {
		forever = arena_new();
		struct fill d = {.a = forever, .j = &known};

		known.params = known.env = &no_keys;
		for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
			const struct dom *v = keys_get(&common, "", &no_keys, fills[i].key);

			if (v && fills[i].fill && fills[i].fill(&d, v))
				BUG("default of %s", fills[i].key);
		}
		if (d.inputs || d.input)
			BUG("inputs with a default");
	}
	j->params = known.params;
	j->env = known.env;
	j->retries = known.retries;
	j->retry_delay_ms = known.retry_delay_ms;
	j->timeout_ms = known.timeout_ms;
	j->grace_ms = known.grace_ms;
	j->backoff = known.backoff;
	j->jitter = known.jitter;
	j->when = known.when;
	j->late_run = known.late_run;
	j->paused = known.paused;
	j->idempotent = known.idempotent;
	j->memo = known.memo;
	j->sandbox = known.sandbox;
}

/* A label of another kind stands for the job's partition in which it begins (ends). */
static int bound(struct fill *f, const struct dom *v, bool end, struct ds *out)
{
	struct job *j = f->j;
	struct interval in;
	struct ds ds;

	if (!v || v->type == DOM_NULL)
		return 0;
	if (j->every == EVERY_NONE) {
		err_set(f->e, ERR_BAD_CONFIG, "a job without partitions has no %s", end ? "end" : "start");
		return fault(f, v, "say how long its partitions are: every: daily");
	}
	if (ds_parse(dom_text(f->a, v), &ds, f->e))
		return job_at(f->e, j, v->line, v->col);
	in = ds_interval(&ds, j->tz);
	*out = ds.every == j->every ? ds : ds_at(j->every, end ? in.end - 1 : in.start, j->tz);
	return 0;
}

static int fill_time(struct fill *f)
{
	struct job *j = f->j;
	const struct dom *zone = f->partition ? dom_get(f->partition, "timezone") : NULL;
	struct str name = j->timezone;

	j->tz = f->js->ws->tz;
	if (zone && zone->type == DOM_STR)
		name = zone->s;
	j->zone = name;
	if (name.p && tz_load(arena_cstr(f->a, name), &j->tz, f->e))
		return -1;
	if (bound(f, f->start, false, &j->start) || bound(f, f->end, true, &j->end))
		return -1;
	if (j->start.every && j->end.every && ds_cmp(&j->start, &j->end) > 0) {
		err_set(f->e, ERR_BAD_CONFIG, "the end, %s, is before the start, %s", j->end.label, j->start.label);
		return fault(f, f->end, NULL);
	}
	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].window == WINDOW_RANGE && j->every == EVERY_NONE) {
			err_set(f->e, ERR_BAD_CONFIG, "a window counts in partitions, and the job has none");
			err_hint(f->e, "say `partition: daily`, or `window: all`");
			return job_at(f->e, j, j->inputs[i].line, j->inputs[i].col);
		}
	if (!j->tree && (j->output_branch.p || j->reprocess)) {
		err_set(f->e, ERR_BAD_CONFIG, "%s is for jobs whose units come from the data of their inputs",
		        j->output_branch.p ? "outputBranch" : "reprocessSpec");
		return fault(f, j->output_branch.p ? f->output_branch : f->reprocess,
		             "add a glob to an input, or leave it out");
	}
	for (size_t i = 0; j->tree && j->every != EVERY_NONE && i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].repo, j->output)) {
			err_set(f->e, ERR_BAD_CONFIG,
			        "a job whose units come from globs cannot read its own output, %.*s",
			        STR_ARG(j->output));
			err_hint(f->e, "each commit of it would be a change that the job has to take");
			return job_at(f->e, j, j->inputs[i].line, j->inputs[i].col);
		}
	return 0;
}

/* What only an output can have. */
static int needs_output(struct fill *f)
{
	static const char *const keys[] = {"checks", "egress", "outputBranch", "skips"};
	const struct job *j = f->j;

	if (j->tree) {
		err_set(f->e, ERR_BAD_CONFIG, "a job whose units come from the data of its inputs has an output");
		return fault(f, f->output ? f->output : dom_get(j->doc, "kind"), "leave the globs out");
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct dom *v = dom_get(j->doc, keys[i]);

		if (!v || v->type == DOM_NULL)
			continue;
		err_set(f->e, ERR_BAD_CONFIG, "%s is for jobs with an output, and this one has none", keys[i]);
		return fault(f, v, "leave it out");
	}
	return 0;
}

static int fill_no_output(struct fill *f)
{
	struct job *j = f->j;

	if (j->kind->no_output && f->output && !j->no_output) {
		err_set(f->e, ERR_BAD_CONFIG, "a job of kind %s writes nothing", j->kind->name);
		return fault(f, f->output, "leave output: out");
	}
	j->no_output |= j->kind->no_output;
	if (!j->no_output)
		return 0;
	if (!j->kind->no_output && !j->kind->may_lack_output) {
		err_set(f->e, ERR_BAD_CONFIG, "a job of kind %s has an output", j->kind->name);
		return fault(f, f->output, "it may stay empty");
	}
	j->output = arena_strf(f->a, "@%.*s", STR_ARG(j->name));
	return needs_output(f);
}

int jobparse_fill(struct jobs *js, struct job *j, struct err *e)
{
	struct fill f = {.js = js, .a = js->arena, .j = j, .e = e};
	struct dom *own = dom_new(js->arena, DOM_MAP);
	struct schedules times;

	fill_defaults(&f);
	j->output = j->name;
	j->pipeline = j->folder_pipeline;
	dom_each(v, j->doc)
		if (fill_key(&f, v, own))
			return -1;
	j->own = own;
	if (input_parse(js->arena, j, f.inputs, f.input, e) || fill_no_output(&f))
		return -1;
	j->checks = f.checks.p;
	j->n_checks = f.checks.n;
	return fill_time(&f) || schedules_of(js->arena, j, &times, e) ? -1 : 0;
}

int job_of_doc(struct arena *a, struct workspace *ws, const struct job_kind *const *kinds, struct str name,
               const char *file, struct dom *doc, struct job **out, struct err *e)
{
	struct jobs *js = arena_new_of(a, struct jobs);
	struct job *j = arena_new_of(a, struct job);
	struct jobfile_list none = {0};

	js->arena = a;
	js->ws = ws;
	js->kinds = kinds;
	map_init(&js->by_name, a);
	*j = (struct job){.name = name, .jobs = js, .file = str_of(file), .doc = doc};
	j->dir = arena_strf(a, "jobs/%.*s", STR_ARG(name));
	if (jobparse_check(js, j, &none, e) || jobparse_fill(js, j, e))
		return -1;
	*out = j;
	return 0;
}
