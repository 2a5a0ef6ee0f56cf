/* Units of a sql job without output: the worker runs many statements, each by itself, for one request. */
#include "job/sql_step.h"

#include "base/str.h"
#include "flow/datum.h"
#include "flow/flow.h"
#include "flow/key.h"
#include "job/sql_many.h"

struct steps {
	const struct job *job;
	struct str text; /* of every unit; STR_NULL: each has its own */
};

/* Of one start. */
struct batch {
	struct sql_own own; /* first */
	struct attempt **t;
	size_t n;
	struct arena *a; /* of the first attempt */
};

/* Nothing in it follows the unit. */
static bool is_fixed(const struct job *j, struct arena *a)
{
	struct err e = ERR_INIT;
	struct tmpl_use *uses;
	size_t n;

	if (tmpl_uses(a, j->sql_source, j->main_file.p, &uses, &n, &e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_has_prefix(uses[i].path, STR("params.")))
			return false;
	return true;
}

bool sql_steps(struct flow *f, const struct job *j, struct arena *a, void **out)
{
	struct steps *s = arena_new_of(a, struct steps);
	struct err e = ERR_INIT;
	struct jobsql q;

	if (sql_many_off(f, j) || j->sql_by_ds || !j->sql_parsed.p ||
	    jobsql_unit(f->jobs, j, jobsql_vars(a, j, str_of(jobsql_stand_in(j->every)), NULL), f->duck, a, &q, &e))
		return false;
	/* What reads tables may take long; what does more than one SELECT leaves something behind in the worker. */
	if (q.info.statements != 1 || !q.info.select || q.info.n_tables || q.info.n_files || q.info.n_readers)
		return false;
	*s = (struct steps){.job = j};
	if (is_fixed(j, a))
		s->text = q.text.text;
	*out = s;
	return true;
}

/* With its strings, which are the message's. */
static struct dom *kept(struct arena *a, const struct dom *from)
{
	struct dom *n = arena_new_of(a, struct dom);

	*n = *from;
	n->first = n->last = n->next = NULL;
	n->n = 0;
	n->s = from->type == DOM_STR ? arena_str(a, from->s) : from->s;
	dom_each(child, from)
		dom_add(n, kept(a, child));
	return n;
}

const struct dom *sql_step_facts(struct arena *a, const struct dom *reply)
{
	static const char *const names[] = {"rows", "columns", "result"};
	struct dom *facts = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (dom_get(reply, names[i]))
			dom_set(a, facts, names[i], kept(a, dom_get(reply, names[i])));
	return facts;
}

static void batch_over(struct batch *k, struct attempt_result *r)
{
	for (size_t i = 0; i < k->n; i++)
		attempt_done(k->t[i], r);
}

static void on_message(void *ptr, const struct duck_msg *m)
{
	struct batch *k = ptr;
	struct attempt_result apart = {.state = ATTEMPT_APART, .err = ERR_INIT, .with = k->n, .alone = true};
	const struct dom *steps, *step;

	if (m->kind != DUCK_DONE && m->kind != DUCK_FAILED)
		return;
	k->own.work = NULL;
	steps = m->kind == DUCK_DONE ? dom_get(m->reply, "steps") : NULL;
	if (!steps || steps->n != k->n) {
		apart.alone = false;
		if (m->kind == DUCK_FAILED && m->err->code == ERR_CANCELLED)
			apart.state = ATTEMPT_CANCELLED;
		batch_over(k, &apart);
		return;
	}
	step = steps->first;
	for (size_t i = 0; i < k->n; i++, step = step->next) {
		struct attempt_result fine = {.state = ATTEMPT_OK, .err = ERR_INIT, .with = k->n};

		if (step->type == DOM_MAP)
			fine.facts = sql_step_facts(k->t[i]->arena, step);
		attempt_done(k->t[i], step->type == DOM_MAP ? &fine : &apart);
	}
}

int sql_steps_start(const void *many, struct attempt **t, size_t n, struct err *e)
{
	const struct steps *s = many;
	struct arena *a = t[0]->arena;
	struct batch *k = arena_new_of(a, struct batch);
	struct str *texts = arena_array(a, struct str, n);

	*k = (struct batch){.n = n, .a = a, .t = arena_array(a, struct attempt *, n)};
	for (size_t i = 0; i < n; i++) {
		struct jobsql q;

		k->t[i] = t[i];
		t[i]->own = k;
		texts[i] = i ? STR("") : s->text;
		if (s->text.p)
			continue;
		if (unit_sql(t[i]->flow, t[i]->arena, t[i]->unit, NULL, &q, e))
			return -1;
		texts[i] = q.text.text;
	}
	return workers_send(t[0]->workers,
	                    duck_req_steps(a, texts, n, s->job->timezone.n ? arena_cstr(a, s->job->timezone) : NULL),
	                    on_message, k, &k->own.work, e);
}
