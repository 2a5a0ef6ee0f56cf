#include <string.h>

#include "base/str.h"
#include "flow/check.h"
#include "flow/codetext.h"
#include "flow/memo.h"
#include "flow/plan_in.h"
#include "repo/blob.h"

const char *reason_word(enum reason r)
{
	static const char *const words[] = {
#define R(name, word, runs, text) word,
#include "defs/reasons.def"
#undef R
	};

	return words[r];
}

const char *reason_text(enum reason r)
{
	static const char *const texts[] = {
#define R(name, word, runs, text) text,
#include "defs/reasons.def"
#undef R
	};

	return texts[r];
}

bool reason_runs(enum reason r)
{
	static const bool runs_of[] = {
#define R(name, word, runs, text) runs,
#include "defs/reasons.def"
#undef R
	};

	return runs_of[r];
}

const char *plan_say(struct arena *a, const struct plan_unit *u)
{
	return u->detail ? arena_printf(a, "%s: %s", reason_text(u->reason), u->detail) : reason_text(u->reason);
}

const struct dom *plan_params(const struct plan_ask *ask, const struct plan_unit *u)
{
	return ask->jobs && u->role != ROLE_UPSTREAM && ask->params && ask->params->n ? ask->params : NULL;
}

/* What is there now of the unit's output. */
struct there {
	const struct current *cur; /* NULL: no row */
	struct entry head;
	bool has_head;
	bool lost;
};

static int look_there(struct catalog *c, const struct plan_unit *u, struct there *out, struct err *e)
{
	struct there t = {0};
	int got = catalog_current(c, u->job->output, u->ds.label, &t.cur, e);

	if (got < 0)
		return -1;
	got = catalog_at_head(c, u->job->output, &u->ds, &t.head, e);
	if (got < 0)
		return -1;
	t.has_head = got;
	t.lost = got && catalog_is_lost(c, u->job->output, &u->ds);
	*out = t;
	return 0;
}

struct unit_list {
	struct plan_unit **p;
	size_t n, cap;
};

static void add_upstream(struct arena *a, struct unit_list *l, struct plan_unit *by)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->p[i] == by)
			return;
	vec_push(a, l, by);
}

#define SKIP_MAX ((size_t)64 << 10) /* of such a list */

/* Whether what makes an input has said that this job is not to run on it (skips:); u->reason then. */
static int look_skip(struct flow *f, struct catalog *c, struct arena *a, struct plan_unit *u,
                     const struct unit_input *in, struct err *e)
{
	const struct job *by = graph_producer(f->graph, in->input->repo);
	const struct reads *r = &in->reads;

	if (!by || !by->skips || r->planned)
		return 0;
	for (size_t i = 0; i < (r->whole ? 1 : r->n_parts); i++) {
		const struct entry *root = r->whole ? &r->root : &r->parts[i].entry;
		struct entry list;
		struct str text, line;
		int got = tree_find(catalog_store(c), NULL, &root->id, STR(PLAN_SKIP), &list, e);

		if (got < 0)
			return -1;
		if (!got || list.kind != ENTRY_FILE)
			continue;
		if (blob_bytes(catalog_store(c), &list.id, a, SKIP_MAX, &text, e))
			return -1;
		while (str_next_line(&text, &line)) {
			line = str_trim(line);
			if (!str_is(line, "*") && !str_eq(line, u->job->name))
				continue;
			u->reason = REASON_SKIPPED;
			u->detail = arena_printf(a, "%.*s%s%s", STR_ARG(by->name), u->ds.label[0] ? " " : "",
			                         u->ds.label);
		}
	}
	return 0;
}

/* Jobs that come first: nothing of them counts in the key, so what they still make is no reason to decide later. */
static int look_after(struct flow *f, struct catalog *c, struct arena *a, struct plan_unit *u, struct unit_list *up,
                      const struct unit_input **missing, struct err *e)
{
	const struct job *j = u->job;

	for (size_t i = 0; i < j->n_after; i++) {
		struct unit_input *in = arena_new_of(a, struct unit_input);

		in->input = &j->after[i];
		if (reads_for_unit(c, a, j, in->input, &u->ds, &in->reads, e) < 0)
			return -1;
		if (in->reads.state == READS_MISSING && !*missing && str_is(j->when, "all_success"))
			*missing = in;
		if (in->reads.state == READS_OK && look_skip(f, c, a, u, in, e))
			return -1;
		for (size_t k = 0; in->reads.by && k < (in->reads.whole ? 1 : in->reads.n_parts); k++)
			if (in->reads.by[k] && in->reads.by[k] != u)
				add_upstream(a, up, in->reads.by[k]);
	}
	return 0;
}

/* Binds the inputs; *missing: the first that is not there. */
static int look_inputs(struct flow *f, struct catalog *c, struct arena *a, struct plan_unit *u,
                       const struct unit_input **missing, struct err *e)
{
	const struct job *j = u->job;
	struct unit_list up = {0};

	u->inputs = arena_array(a, struct unit_input, j->n_inputs);
	u->n_inputs = j->n_inputs;
	u->after_upstream = false;
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct reads *r = &u->inputs[i].reads;

		u->inputs[i].input = &j->inputs[i];
		if (reads_for_unit(c, a, j, &j->inputs[i], &u->ds, r, e) < 0)
			return -1;
		if (r->state == READS_MISSING && !*missing)
			*missing = &u->inputs[i];
		u->after_upstream |= r->planned;
		if (r->state == READS_OK && look_skip(f, c, a, u, &u->inputs[i], e))
			return -1;
		for (size_t k = 0; r->by && k < (r->whole ? 1 : r->n_parts); k++)
			if (r->by[k] && r->by[k] != u)
				add_upstream(a, &up, r->by[k]);
	}
	if (look_after(f, c, a, u, &up, missing, e) < 0)
		return -1;
	u->upstream = up.p;
	u->n_upstream = up.n;
	return 0;
}

static int read_ingredients(struct catalog *c, struct arena *a, int64_t unit, const struct dom **out, struct err *e)
{
	struct q *q = db_query(catalog_store(c)->db, "select ingredients from unit where id = ?");
	struct dom *doc = NULL;
	struct err mine = ERR_INIT;
	int r;

	q_int(q, 1, unit);
	r = q_step(q, e);
	/* A row that another version wrote in another way is as good as none: only the explanation is poorer. */
	if (r == 1 && !q_col_is_null(q, 0) && dom_json(a, arena_str(a, q_col_text(q, 0)), "", &doc, &mine) < 0)
		doc = NULL;
	q_done(q);
	*out = doc;
	return r < 0 ? -1 : 0;
}

/* The key is another one: what of it. */
static int explain(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params, struct plan_unit *u,
                   const struct current *cur, struct err *e)
{
	static const struct {
		const char *what;
		enum reason reason;
	} kinds[] = {
		{"kind", REASON_CODE_CHANGED},  {"file", REASON_CODE_CHANGED},     {"code", REASON_CODE_CHANGED},
		{"param", REASON_PARAM_CHANGED}, {"setting", REASON_SETTING_CHANGED}, {"output",
		      REASON_SETTING_CHANGED},
		{"input", REASON_INPUT_CHANGED},
	};
	const struct dom *before = NULL, *now = NULL;
	struct dom *first;

	if (read_ingredients(c, a, cur->unit, &before, e) < 0 || key_ingredients(f, c, a, params, u, &now, e) < 0)
		return -1;
	u->key.ingredients = now;
	if (cur->note.n && !params) {
		u->reason = REASON_BY_HAND;
		u->detail = arena_cstr(a, cur->note);
		return 0;
	}
	u->reason = REASON_INPUT_CHANGED;
	first = before ? key_diff(a, before, now)->first : NULL;
	if (!first)
		return 0;
	for (;;) { /* a file of which only comments are others, as the keys of a job in one file, is not what changed */
		int r = codetext_explain(f, a, u->job, first, e);

		if (r < 0)
			return -1;
		if (!r || !first->next)
			break;
		first = first->next;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(dom_get(first, "what")->s, kinds[i].what))
			u->reason = kinds[i].reason;
	u->detail = arena_cstr(a, dom_get(first, "text")->s);
	return 0;
}

/* Whether what is there is what the unit would make: the reason without regard to what was asked. */
static int compare(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params, struct plan_unit *u,
                   const struct there *t, struct err *e)
{
	if (t->lost) {
		u->reason = REASON_OUTPUT_LOST;
	} else if (!t->has_head) {
		u->reason = REASON_MISSING;
		u->detail = t->cur ? "it was there, and was removed" : NULL;
	} else if (!t->cur) {
		u->reason = REASON_OUTPUT_CHANGED;
		u->detail = "no run of this job made it";
	} else if (!sha_eq(&t->cur->key, &u->key.key)) {
		return explain(f, c, a, params, u, t->cur, e);
	} else if (!sha_eq(&t->cur->tree, &t->head.id)) {
		u->reason = REASON_OUTPUT_CHANGED;
	} else {
		u->reason = REASON_UP_TO_DATE;
	}
	return 0;
}

/*
 * Did the last execution of this unit fail (`same`: of this very key)? With what, in *error. Only asked where
 * something is to run.
 */
static int failed_before(struct catalog *c, const struct plan_unit *u, bool same, bool *out, const char **error,
                         struct err *e)
{
	const struct last_try *t = NULL;

	if (catalog_last_try(c, u->job->name, u->ds.label, &t, e) < 0)
		return -1;
	*out = catalog_has_failed(t) &&
	       (!same || (!u->after_upstream && sha_eq(&t->key, &u->key.key)));
	*error = t ? t->error : NULL;
	return 0;
}

/* Its last try of this very key was lost with its process, and another by itself is not allowed. */
static int is_left_alone(struct catalog *c, const struct plan_unit *u, bool *out, struct err *e)
{
	const struct last_try *t = NULL;

	*out = false;
	if (u->job->idempotent || u->after_upstream)
		return 0;
	if (catalog_last_try(c, u->job->name, u->ds.label, &t, e) < 0)
		return -1;
	*out = t && !strcmp(t->state, "lost") && sha_eq(&t->key, &u->key.key);
	return 0;
}

static bool is_asked(const struct plan_ask *ask, const struct plan_unit *u)
{
	return u->role == ROLE_ASKED && ask->mode == PLAN_EXPLICIT;
}

/* Backfill's modes, and what is not the same each time. */
static int by_mode(struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u, bool has_head,
                   bool outside, struct err *e)
{
	bool failed = false, picky = ask->mode == PLAN_MISSING || ask->mode == PLAN_FAILED;
	bool same = u->reason != REASON_MISSING && ask->mode != PLAN_FAILED;
	const char *error = NULL;
	bool alone = false;

	if (reason_runs(u->reason) && !is_asked(ask, u) && is_left_alone(c, u, &alone, e) < 0)
		return -1;
	if (alone) {
		u->reason = REASON_END_UNKNOWN;
		return 0;
	}
	/* What failed just so says more than what led to it: the same input, the same code, and no other outcome. */
	if (reason_runs(u->reason) && ask->mode != PLAN_MISSING && failed_before(c, u, same, &failed, &error, e) < 0)
		return -1;
	if (ask->mode == PLAN_MISSING && u->role == ROLE_ASKED && u->reason == REASON_MISSING &&
	    failed_before(c, u, false, &failed, &error, e) < 0)
		return -1;
	if (failed && ask->mode == PLAN_MISSING) { /* it was tried */
		u->reason = REASON_NOT_IN_MODE;
		u->detail = error ? arena_printf(a, "the last run of it failed: %s", error) : NULL;
	} else if (failed) {
		u->reason = REASON_FAILED_BEFORE;
		u->detail = error;
	} else if (u->role == ROLE_ASKED && has_head && reason_runs(u->reason) && picky) {
		u->detail = plan_say(a, u);
		u->reason = REASON_NOT_IN_MODE;
	} else if (u->reason == REASON_UP_TO_DATE && !u->key.memoised && !outside) {
		u->reason = REASON_NOT_MEMOISED;
		u->detail = u->key.why_not;
	}
	return 0;
}

/* What was asked decides whether what compare() found makes it run. */
static int gate(struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u,
                const struct there *t, struct err *e)
{
	const struct job *j = u->job;
	bool outside = j->kind && j->kind->outside_world;
	bool again = u->role != ROLE_UPSTREAM && (ask->again || (u->role == ROLE_ASKED && ask->mode == PLAN_ALL));
	/* An explicit run of what is never the same twice is one. */
	bool always = is_asked(ask, u) && (outside || (!u->after_upstream && !u->key.memoised) ||
	                                   (!j->n_inputs && j->every == EVERY_NONE));

	if (again || always) {
		u->again = true;
		if (u->reason == REASON_UP_TO_DATE)
			u->reason = REASON_ASKED;
		return 0;
	}
	if (t->lost)
		return 0;
	if (outside && t->has_head && (u->role == ROLE_UPSTREAM || u->role == ROLE_STALE)) {
		u->reason = REASON_OUTSIDE;
		return 0;
	}
	return by_mode(c, a, ask, u, t->has_head, outside, e);
}

/* A check that was not tried on this output yet, or did not hold. */
static int look_checks(struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u,
                       const struct there *t, struct err *e)
{
	const struct job *j = u->job;
	bool sound = u->reason == REASON_UP_TO_DATE || u->reason == REASON_NOT_MEMOISED;

	if (!sound || !j->n_checks || !t->has_head || !t->cur || ask->mode == PLAN_MISSING || ask->mode == PLAN_FAILED)
		return 0;
	for (size_t i = 0; i < j->n_checks; i++) {
		struct sha key = key_check(&j->checks[i], &t->head.id);
		bool passed = false;

		if (check_result_find(catalog_store(c)->db, a, &key, &passed, NULL, e) < 0)
			return -1;
		if (passed)
			continue;
		u->reason = REASON_CHECK_CHANGED;
		u->detail = arena_cstr(a, j->checks[i].text);
		u->known = true;
		u->known_tree = t->head;
		u->known_unit = t->cur->unit;
		return 0;
	}
	return 0;
}

static int take_known(struct catalog *c, struct plan_unit *u, const struct sha *tree, int64_t unit, struct err *e)
{
	int got = memo_whole(catalog_store(c), tree, &u->known_tree, e);

	u->known = got == 1;
	u->known_unit = unit;
	return got < 0 ? -1 : 0;
}

static int ask_memo(struct catalog *c, struct plan_unit *u, const struct there *t, struct err *e)
{
	int got;

	/* Its own output of this very key, changed since: put back what it made, memo or not. */
	if (u->reason == REASON_OUTPUT_CHANGED && t->cur && sha_eq(&t->cur->key, &u->key.key))
		return take_known(c, u, &t->cur->tree, t->cur->unit, e);
	if (!u->key.memoised || u->job->kind->passes || job_is_step(u->job))
		return 0;
	got = memo_find(catalog_store(c), &u->key.key, &u->known_tree, &u->known_unit, e);
	u->known = got == 1;
	return got < 0 ? -1 : 0;
}

static bool lacks_param(const struct plan_unit *u, const struct dom *params, const char **name, struct arena *a)
{
	dom_each(p, unit_params(a, u->job, params))
		if (p->type == DOM_NULL) {
			*name = arena_cstr(a, p->key);
			return true;
		}
	return false;
}

static const char *names_first(struct arena *a, const struct plan_unit *u)
{
	const struct plan_unit *up = u->upstream[0];
	struct str out = job_output(up->job);

	if (u->n_upstream > 1)
		return arena_printf(a, "%.*s%s%s and %zu more", STR_ARG(out), *up->ds.label ? " ds=" : "",
		                    up->ds.label, u->n_upstream - 1);
	return arena_printf(a, "%.*s%s%s", STR_ARG(out), *up->ds.label ? " ds=" : "", up->ds.label);
}

/* No key yet: what is known is only that something above it changes. */
static int decide_later(struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u,
                        const struct there *t, struct err *e)
{
	u->reason = t->lost ? REASON_OUTPUT_LOST : t->has_head ? REASON_UPSTREAM : REASON_MISSING;
	u->detail = u->reason == REASON_UPSTREAM ? names_first(a, u) : NULL;
	return gate(c, a, ask, u, t, e);
}

/*
 * `leat run` takes a unit that is there for what fails (when: one_failed, all_failed) only after something it reads
 * did: where that is not in the plan, its last end counts.
 */
static int when_of_past(struct flow *f, struct catalog *c, const struct plan_unit *u, const struct plan_ask *ask,
                        bool *holds, struct err *e)
{
	const struct job *j = u->job;
	bool all = str_is(j->when, "all_failed");

	if ((!all && !str_is(j->when, "one_failed")) || u->n_upstream || is_asked(ask, u))
		return 0;
	*holds = false;
	for (size_t i = 0; i < j->n_inputs + j->n_after; i++) {
		const struct job_input *in = i < j->n_inputs ? &j->inputs[i] : &j->after[i - j->n_inputs];
		const struct job *by = graph_producer(f->graph, in->repo);
		const struct last_try *t = NULL;

		if (by && catalog_last_try(c, by->name, u->ds.label, &t, e) < 0)
			return -1;
		if (t && (!strcmp(t->state, "failed") || !strcmp(t->state, "timed-out")))
			*holds = true;
	}
	return 0;
}

static int decide(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u,
                  struct err *e)
{
	const struct dom *params = plan_params(ask, u);
	const struct unit_input *missing = NULL;
	const char *name = NULL;
	struct there t;
	bool holds = true;

	u->reason = REASON_UP_TO_DATE;
	u->detail = NULL;
	u->known = u->again = false;
	memset(&u->key, 0, sizeof(u->key));
	if (look_there(c, u, &t, e) < 0 || look_inputs(f, c, a, u, &missing, e) < 0)
		return -1;
	u->current_unit = t.cur ? t.cur->unit : 0;
	memset(&u->current_tree, 0, sizeof(u->current_tree));
	if (t.has_head)
		u->current_tree = t.head.id;
	if (lacks_param(u, params, &name, a)) {
		u->reason = REASON_PARAM_MISSING;
		u->detail = name;
		return 0;
	}
	if (u->reason == REASON_SKIPPED)
		return 0;
	if (when_of_past(f, c, u, ask, &holds, e))
		return -1;
	if (!holds) {
		u->reason = REASON_WHEN;
		u->detail = arena_cstr(a, u->job->when);
		return 0;
	}
	if (missing) {
		u->reason = t.has_head && t.cur ? REASON_INPUT_GONE : REASON_INPUT_MISSING;
		u->detail = reads_missing_text(a, missing->input, &missing->reads);
		return 0;
	}
	if (u->after_upstream)
		return decide_later(c, a, ask, u, &t, e);
	if (key_make(f, c, a, params, u, e) < 0 || compare(f, c, a, params, u, &t, e) < 0 || gate(c, a, ask, u, &t,
	      e) < 0 ||
	    look_checks(c, a, ask, u, &t, e) < 0)
		return -1;
	return reason_runs(u->reason) && !u->known && !u->again ? ask_memo(c, u, &t, e) : 0;
}

int plan_decide(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan_unit *u,
                struct err *e)
{
	catalog_graph(c, f->graph);
	if (decide(f, c, a, ask, u, e) < 0)
		return -1;
	return reason_runs(u->reason) ? 0 : catalog_unplan(c, u, e);
}

int plan_look(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, const struct ds *ds,
              struct plan_unit **out, struct err *e)
{
	struct plan_ask ask = {.jobs = &j, .n_jobs = 1, .mode = PLAN_STALE};
	struct plan_unit *u = arena_new_of(a, struct plan_unit);

	u->job = j;
	u->ds = *ds;
	u->role = ROLE_ASKED;
	catalog_graph(c, f->graph);
	if (decide(f, c, a, &ask, u, e) < 0)
		return -1;
	*out = u;
	return 0;
}
