/*
 * DAG files of Airflow, read without running Python (api/import_py.h). An operator becomes a job; >>, chain() and their
 * like become after:, unless the data say it; the DAG's schedule stands at the jobs that nothing comes before. A
 * command
 * that only asks a scheduler to run a job (dsflow run X, leat run X) stands for that job.
 */
#include <ctype.h>
#include <stdio.h>

#include "api/import_airflow.h"
#include "base/cron.h"
#include "base/str.h"
#include "flow/jobparse.h"
#include "sys/file.h"

static void on_note(void *ptr, int line, const char *text)
{
	struct reading *f = ptr;

	import_note(f->im, IMPORT_UNKNOWN, f->file, line, NULL, "%s", text);
}

static void left_out(struct reading *f, int line, struct str name)
{
	if (map_has(&f->told, name))
		return;
	map_set(&f->told, name, f);
	import_note(f->im, IMPORT_LEFT, f->file, line, NULL, "%.*s", STR_ARG(name));
}

struct str airflow_text(const struct pv *v)
{
	return v && v->kind == PV_STR ? v->s : STR_NULL;
}

struct pv *airflow_of_dag(const struct py_object *dag, const char *key)
{
	return dag ? pv_get(dag->kwargs, key) : NULL;
}

/* What a task says, else default_args: of the group, of the DAG. */
struct pv *airflow_of_task(const struct task *t, const char *key)
{
	struct pv *v = pv_get(t->o->kwargs, key);

	if (!v && t->o->def) { /* @task(retries=2): what its decorator says */
		char name[64];

		snprintf(name, sizeof(name), "@%s", key);
		v = pv_get(t->o->kwargs, name);
	}
	if (!v)
		v = pv_get(airflow_of_dag(t->o->group, "default_args"), key);
	return v ? v : pv_get(airflow_of_dag(t->o->dag, "default_args"), key);
}

/* ---- DAGs ---- */

static struct str day_of(const struct pv *date)
{
	return date && date->kind == PV_DATE ? str_sub(date->s, 0, 10) : STR_NULL;
}

/* The date of a DAG or its default_args, unless it is one that only Python knows. */
static const struct pv *date_of(struct reading *f, const struct py_object *o, const char *key)
{
	const struct pv *v = airflow_of_dag(o, key);

	if (!v)
		v = pv_get(airflow_of_dag(o, "default_args"), key);
	if (v && v->kind != PV_DATE && v->kind != PV_NONE) {
		import_note(f->im, IMPORT_UNKNOWN, f->file, v->line ? v->line : o->line, NULL, "%s: %.*s", key,
		            (int)MIN(v->s.n, (size_t)100), v->s.p);
		return NULL;
	}
	return v && v->kind == PV_DATE ? v : NULL;
}

static void by_delta(struct flow_dag *d, int64_t seconds)
{
	d->kind = seconds >= 86400 ? EVERY_DAY : EVERY_HOUR;
	if (seconds == 86400)
		d->cron = STR("@daily");
	else if (seconds == 3600)
		d->cron = STR("@hourly");
	else
		d->every = MAX(seconds, (int64_t)60);
}

static void dag_schedule(struct reading *f, struct flow_dag *d)
{
	static const char *const keys[] = {"schedule", "schedule_interval", "timetable"};
	struct pv *v = NULL;
	struct cron c;
	struct err why = ERR_INIT;

	d->kind = EVERY_DAY;
	for (size_t i = 0; i < ARRAY_LEN(keys) && !v; i++)
		v = airflow_of_dag(d->o, keys[i]);
	if (!v) {
		d->cron = STR("@daily");
		import_note(f->im, IMPORT_OTHER, f->file, d->o->line, NULL,
		            "%.*s says no schedule: daily, as Airflow 1 and 2 have it", STR_ARG(d->id));
	} else if (v->kind == PV_DELTA) {
		by_delta(d, v->i);
	} else if (v->kind == PV_STR && str_is(v->s, "@continuous")) {
		import_note(f->im, IMPORT_UNKNOWN, f->file, v->line, NULL, "schedule: @continuous");
	} else if (v->kind == PV_STR && !str_is(v->s, "@once")) {
		if (cron_parse(v->s, &c, &why)) {
			import_note(f->im, IMPORT_UNKNOWN, f->file, v->line, NULL, "schedule: %s", why.msg);
			return;
		}
		d->cron = v->s;
		d->kind = import_every(v->s);
		if (d->kind == EVERY_HOUR && cron_parse(v->s, &c, &why) == 0 && c.minute & (c.minute - 1))
			import_note(f->im, IMPORT_OTHER, f->file, v->line, NULL,
			            "%.*s fires several times an hour, for the same hour", STR_ARG(v->s));
	} else if (v->kind != PV_NONE && !(v->kind == PV_STR)) {
		import_note(f->im, IMPORT_UNKNOWN, f->file, v->line ? v->line : d->o->line, NULL, "schedule: %.*s",
		            (int)MIN(v->s.n, (size_t)100), v->s.p);
	}
}

static struct flow_dag *dag_of(struct reading *f, struct py_object *o)
{
	static const char *const left[] = {"tags", "doc_md", "owner_links", "default_view", "orientation",
	                                   "dagrun_timeout", "max_active_runs", "max_active_tasks", "concurrency",
	                                   "access_control", "render_template_as_native_obj", NULL};
	static const char *const unknown[] = {"on_failure_callback", "on_success_callback", "sla_miss_callback",
	                                      "template_searchpath", "user_defined_macros", "user_defined_filters",
	                                      NULL};
	struct flow_dag *d;
	const struct pv *start;
	struct pv *v;

	for (size_t i = 0; i < f->dags.n; i++)
		if (f->dags.p[i]->o == o)
			return f->dags.p[i];
	d = arena_new_of(f->a, struct flow_dag);
	d->o = o;
	v = airflow_of_dag(o, "dag_id");
	if (!v && o && o->args->items.n)
		v = o->args->items.p[0];
	d->id = airflow_text(v).n ? v->s : STR("dag");
	d->paused = true;
	d->catchup = "all";
	vec_push(f->a, &f->dags, d);
	if (!o)
		return d;
	dag_schedule(f, d);
	start = date_of(f, o, "start_date");
	d->start = day_of(start);
	d->end = day_of(date_of(f, o, "end_date"));
	if (start)
		d->zone = start->zone;
	v = airflow_of_dag(o, "catchup");
	if (v && v->kind == PV_BOOL && !v->i)
		d->catchup = "last";
	v = airflow_of_dag(o, "is_paused_upon_creation");
	d->paused = !(v && v->kind == PV_BOOL && !v->i);
	for (size_t i = 0; left[i]; i++)
		if ((v = airflow_of_dag(o, left[i])))
			left_out(f, o->line, str_of(left[i]));
	for (size_t i = 0; unknown[i]; i++)
		if ((v = airflow_of_dag(o, unknown[i])) && v->kind != PV_NONE)
			import_note(f->im, IMPORT_UNKNOWN, f->file, o->line, NULL, "%s", unknown[i]);
	return d;
}

/* ---- tasks ---- */

static bool is_task(const struct py_object *o)
{
	return str_has_suffix(o->class, STR("Operator")) || str_has_suffix(o->class, STR("Sensor")) ||
	       str_is(o->class, "@task") || pv_get(o->kwargs, "task_id");
}

static struct task *task_of(struct reading *f, const struct py_object *o)
{
	(void)f;
	return o->own;
}

static void add_task(struct reading *f, struct py_object *o)
{
	struct task *t = arena_new_of(f->a, struct task);
	struct pv *id = pv_get(o->kwargs, o->def ? "@task_id" : "task_id");
	struct str group = airflow_text(airflow_of_dag(o->group, "group_id"));
	size_t same = 0;

	t->o = o;
	if (!group.n && o->group && o->group->args->items.n)
		group = airflow_text(o->group->args->items.p[0]);
	t->id = airflow_text(id).n ? id->s : o->def ? o->def->name : STR("task");
	if (group.n)
		t->id = arena_strf(f->a, "%.*s.%.*s", STR_ARG(group), STR_ARG(t->id));
	for (size_t i = 0; o->def && i < f->tasks.n; i++) /* Airflow names the second call of a function NAME__1 */
		same += f->tasks.p[i]->o->def == o->def && f->tasks.p[i]->o->dag == o->dag;
	if (same && !airflow_text(id).n)
		t->id = arena_strf(f->a, "%.*s__%zu", STR_ARG(t->id), same);
	t->empty = str_is(o->class, "EmptyOperator") || str_is(o->class, "DummyOperator");
	t->passes = t->empty && !airflow_of_task(t, "trigger_rule"); /* a join by a rule of its own is a step */
	if (str_is(o->class, "@task"))
		dag_of(f, o->dag);
	o->own = t;
	vec_push(f->a, &f->tasks, t);
}

/* ---- a task becomes a job ---- */

static void tries(struct reading *f, struct task *t)
{
	struct import *im = f->im;
	const struct pv *v = airflow_of_task(t, "retries");

	if (v && v->kind == PV_INT && v->i > 0) {
		import_set(im, t->j, "retries", dom_new_int(f->a, v->i));
		v = airflow_of_task(t, "retry_delay");
		import_set_text(im, t->j, "retry_delay",
		                import_duration(f->a, v && v->kind == PV_DELTA ? v->i : v && v->kind == PV_INT ? v->i
		                                : 300));
		v = airflow_of_task(t, "retry_exponential_backoff");
		if (!(v && pv_true(v)))
			import_set(im, t->j, "backoff", dom_new_int(f->a, 1));
	}
	v = airflow_of_task(t, "execution_timeout");
	if (v && v->kind == PV_DELTA && v->i > 0)
		import_set_text(im, t->j, "timeout", import_duration(f->a, v->i));
}

/* The word that `when:` has for it, which is the same but for TriggerRule.ALL_DONE; NULL: it knows none. */
static const char *rule_word(struct str rule)
{
	static const char *const same[] = {"all_done", "none_failed", "one_success", "one_failed", "all_failed"};

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (str_ieq(rule, str_of(same[i])))
			return same[i];
	return NULL;
}

static void policies(struct reading *f, struct task *t)
{
	static const char *const left[] = {"owner", "email", "email_on_failure", "email_on_retry", "priority_weight",
	                                   "weight_rule", "queue", "sla", "doc_md", "provide_context", "do_xcom_push",
	                                   "wait_for_downstream", "append_env", NULL};
	static const char *const unknown[] = {"pool", "on_failure_callback", "on_success_callback", "on_retry_callback",
	                                      "trigger_rule", "depends_on_past", NULL};
	const struct pv *v = airflow_of_task(t, "trigger_rule");
	struct str rule = v && v->kind == PV_NAME ? v->s : airflow_text(v), head, tail;

	if (str_rcut(rule, '.', &head, &tail))
		rule = tail;
	if (rule_word(rule))
		import_set_text(f->im, t->j, "when", str_of(rule_word(rule)));
	v = airflow_of_task(t, "depends_on_past");
	if (v && v->kind == PV_BOOL && v->i && import_takes("depends_on_past", KEYS_BOOL))
		import_set(f->im, t->j, "depends_on_past", dom_new_bool(f->a, true));
	for (size_t i = 0; left[i]; i++)
		if ((v = airflow_of_task(t, left[i])) && pv_true(v))
			left_out(f, v->line ? v->line : t->o->line, str_of(left[i]));
	for (size_t i = 0; unknown[i]; i++) {
		v = airflow_of_task(t, unknown[i]);
		if (!v || !pv_true(v) || (!strcmp(unknown[i], "trigger_rule") &&
		                          (rule_word(rule) || str_ieq(rule, STR("all_success")))) ||
		    (!strcmp(unknown[i], "depends_on_past") && import_takes("depends_on_past", KEYS_BOOL)))
			continue;
		import_note(f->im, IMPORT_UNKNOWN, f->file, t->o->line, t->j, "%s%s%.*s", unknown[i], rule.n ? ": " :
		            "",
		            STR_ARG(!strcmp(unknown[i], "trigger_rule") ? rule : airflow_text(v)));
	}
}

/* Its partitions, which begin with the DAG's first day. */
static void partition(struct reading *f, struct task *t, const struct flow_dag *d)
{
	struct dom *map = dom_new(f->a, DOM_MAP), *is = dom_get(t->j->doc, "partition");

	if (t->j->there || (is && !(is->type == DOM_STR && str_is(is->s, "daily"))))
		return;
	dom_set_cstr(f->a, map, "every", d->o ? every_word(d->kind) : "daily");
	if (d->zone.n && !str_is(d->zone, "UTC"))
		dom_set_str(f->a, map, "timezone", d->zone);
	if (d->start.n)
		dom_set_str(f->a, map, "start", d->start);
	if (d->end.n)
		dom_set_str(f->a, map, "end", d->end);
	import_put(f->im, t->j, "partition", map->n > 1 ? map : map->first);
}

static int a_job(struct reading *f, struct task *t, struct err *e)
{
	struct str command = airflow_text(pv_get(t->o->kwargs, "bash_command")), asked, said;
	const struct flow_dag *d = dag_of(f, t->o->dag);

	asked = command.n ? airflow_asks_for(f, t, command) : STR_NULL;
	if (asked.n) {
		if (airflow_asked_job(f, t, asked, e))
			return -1;
	} else if (import_new(f->im, arena_strf(f->a, "%.*s-%.*s", STR_ARG(d->id), STR_ARG(t->id)), f->file, t->o->line,
	                      &t->j, e)) {
		return -1;
	}
	if (!asked.n) {
		said = airflow_text(airflow_of_task(t, "doc"));
		import_set_text(f->im, t->j, "kind", t->empty ? STR("noop") : STR("script"));
		import_set_text(f->im, t->j, "description",
		                said.n ? said : arena_strf(f->a, "%.*s of the DAG %.*s", STR_ARG(t->id),
		                                           STR_ARG(d->id)));
		if (!t->empty && airflow_do(f, t, command, e))
			return -1;
	}
	partition(f, t, d);
	tries(f, t);
	policies(f, t);
	return 0;
}

/* ---- order ---- */

static bool in_group(const struct py_object *o, const struct py_object *group)
{
	return o->group == group;
}

/* A task, or those of a group that stand at its end (its beginning). */
static size_t ends(struct reading *f, struct py_object *o, bool last, struct task **out, size_t max)
{
	size_t n = 0;

	if (task_of(f, o)) {
		out[0] = task_of(f, o);
		return 1;
	}
	for (size_t i = 0; i < f->tasks.n && n < max; i++) {
		bool inner = false;

		if (!in_group(f->tasks.p[i]->o, o))
			continue;
		for (size_t k = 0; k < f->w.edges.n && !inner; k++) {
			const struct py_edge *g = &f->w.edges.p[k];

			inner = (last ? g->from : g->to) == f->tasks.p[i]->o && in_group(last ? g->to : g->from, o);
		}
		if (!inner)
			out[n++] = f->tasks.p[i];
	}
	return n;
}

#define ENDS_MAX 1000

static void order(struct reading *f)
{
	struct task **from = arena_array(f->a, struct task *, ENDS_MAX), **to = arena_array(f->a, struct task *,
	                                                                                    ENDS_MAX);

	for (size_t i = 0; i < f->w.edges.n; i++) {
		size_t n = ends(f, f->w.edges.p[i].from, true, from, ENDS_MAX);
		size_t m = ends(f, f->w.edges.p[i].to, false, to, ENDS_MAX);

		for (size_t k = 0; k < m; k++)
			for (size_t l = 0; l < n; l++)
				vec_push(f->a, &to[k]->up, from[l]);
	}
}

/* The jobs that come first, through tasks that only pass order on. */
static void after(struct reading *f, struct task *t, struct task *of, int depth)
{
	for (size_t i = 0; i < of->up.n; i++) {
		struct task *up = of->up.p[i];

		if (up->j && up->j != t->j)
			import_after(f->im, t->j, up->j->name);
		else if (up->passes && !up->seen && depth < 200) {
			up->seen = true;
			after(f, t, up, depth + 1);
		}
	}
}

static void schedule(struct reading *f, struct task *t, const struct flow_dag *d)
{
	struct dom *s;

	if (!d->cron.n && !d->every)
		return;
	s = import_schedule(f->a, d->cron, d->zone.n && !str_is(d->zone, "UTC") ? d->zone : STR_NULL, d->start,
	                    d->catchup);
	if (d->every) {
		s = dom_new(f->a, DOM_MAP);
		dom_set_str(f->a, s, "every", import_duration(f->a, d->every));
		if (d->start.n)
			dom_set_str(f->a, s, "start", d->start);
		dom_set_cstr(f->a, s, "catchup", d->catchup);
	}
	if (d->end.n && import_every(d->cron) != EVERY_NONE)
		import_note(f->im, IMPORT_OTHER, f->file, d->o->line, t->j, "end_date is the end of its partitions");
	import_set(f->im, t->j, "schedule", s);
	if (d->paused && import_takes("paused", KEYS_BOOL))
		import_set(f->im, t->j, "paused", dom_new_bool(f->a, true));
}

static int jobs_of(struct reading *f, struct err *e)
{
	for (size_t i = 0; i < f->w.objects.n; i++)
		if (is_task(f->w.objects.p[i]))
			add_task(f, f->w.objects.p[i]);
	for (size_t i = 0; i < f->tasks.n; i++)
		if (!f->tasks.p[i]->passes && a_job(f, f->tasks.p[i], e))
			return -1;
	order(f);
	for (size_t i = 0; i < f->tasks.n; i++) {
		struct task *t = f->tasks.p[i];

		for (size_t k = 0; k < f->tasks.n; k++)
			f->tasks.p[k]->seen = false;
		if (!t->j)
			continue;
		after(f, t, t, 0);
		if (!t->j->after.n)
			schedule(f, t, dag_of(f, t->o->dag));
	}
	return 0;
}

int import_airflow(struct import *im, struct str text, const char *file, struct err *e)
{
	struct reading f = {.im = im, .a = im->a, .file = file, .source = text};
	size_t dags = 0;

	if (py_parse(im->a, text, file, &f.top, e))
		return -1;
	map_init(&f.told, im->a);
	f.w = (struct py_world){.a = im->a, .source = text, .note = on_note, .ptr = &f};
	py_run(&f.w, &f.top);
	for (size_t i = 0; i < f.w.objects.n; i++)
		dags += str_is(f.w.objects.p[i]->class, "DAG");
	if (jobs_of(&f, e))
		return -1;
	if (!dags || !f.tasks.n) {
		err_set(e, ERR_BAD_CONFIG, dags ? "%s has a DAG without tasks" : "there is no DAG of Airflow in %s",
		        file);
		return err_hint(e, "a file with `DAG(...)`, or `@dag`, and operators is one: dags/NAME.py");
	}
	for (size_t i = 0; i < f.dags.n; i++)
		if (f.dags.p[i]->paused && (f.dags.p[i]->cron.n || f.dags.p[i]->every))
			import_note(im, IMPORT_OTHER, file, f.dags.p[i]->o ? f.dags.p[i]->o->line : 0, NULL,
			            "%.*s is paused at first, as in Airflow: `leat resume JOB` starts its clock",
			            STR_ARG(f.dags.p[i]->id));
	return 0;
}
