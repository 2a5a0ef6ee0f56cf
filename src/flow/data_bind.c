/* What the inputs of a data-driven job were at an event. */
#include "base/str.h"
#include "flow/catalog.h"
#include "flow/data_in.h"
#include "flow/key.h"
#include "flow/tick.h"
#include "sys/clock.h"

/* Where a branch stood when an event had been: 1, 0 (empty then), -1. order DATA_HEADS: where it stands. */
static int head_at(struct flow *f, struct arena *a, const struct repo *repo, struct str branch, int64_t order,
                   struct commit *out, struct err *e)
{
	struct id id = {0};
	struct q *q;
	int r;

	if (order == DATA_HEADS)
		return branch_head(f->store, repo->id, branch, out, e);
	q = db_query(f->store->db, "select m.new from head_move m where m.repo = ?1 and m.branch = ?2"
	                       " and (m.seq <= ?3 or " DATA_ORDER " <= ?3) order by m.seq desc limit 1");
	q_int(q, 1, repo->id);
	q_text(q, 2, branch);
	q_int(q, 3, order);
	r = q_step(q, e);
	if (r == 1)
		id = id_of(q_col_text(q, 0));
	q_done(q);
	if (r <= 0 || !id.hex[0])
		return r < 0 ? -1 : 0;
	r = commit_find(f->store, repo->id, str_of(id.hex), out, e);
	/* Taken out of history since, or forgotten: what stands there now is as near as one can come. */
	return r && !(r == 1 && out->forgotten) ? r : branch_head(f->store, repo->id, branch, out, e);
}

static int pinned_at(struct flow *f, struct arena *a, const struct job *j, const struct job_input *in,
                     struct commit *out, const char **why, struct err *e)
{
	struct str text = arena_strf(a, "%.*s@%.*s", STR_ARG(in->repo), STR_ARG(in->pin));
	struct err mine = ERR_INIT;
	struct pin pin;

	if (pin_resolve(f->store, a, text, &pin, &mine)) {
		job_at(&mine, j, in->line, in->col);
		if (mine.code != ERR_NOT_FOUND) {
			*e = mine;
			return -1;
		}
		*why = err_text(a, &mine);
		return 0;
	}
	*out = pin.commit;
	return pin.has_commit;
}

/* Why an input whose branch has no commit is not just an empty one; NULL: it is. */
static int why_empty(struct flow *f, struct arena *a, const struct job_input *in, const struct repo *repo,
                     const char **why, struct err *e)
{
	int64_t next;
	int r;

	if (in->cron.p) {
		char at[TIME_TEXT] = "never";

		r = tick_next(f->store, a, in, f->now_ms, &next, e);
		if (r == 1)
			time_rfc3339(next, at);
		if (r >= 0)
			*why = arena_printf(a, "%.*s has not ticked yet; next: %s", STR_ARG(in->folder), at);
		return r < 0 ? -1 : 0;
	}
	r = refs_has_branch(f->store, repo->id, data_input_branch(f->store, in), e);
	if (!r)
		*why = arena_printf(a, "%.*s has no branch %.*s", STR_ARG(in->repo),
		                    STR_ARG(data_input_branch(f->store, in)));
	return r < 0 ? -1 : 0;
}

int data_bind(struct flow *f, struct arena *a, struct data_set *set, int64_t order, const char **why, struct err *e)
{
	const struct job *j = set->job;

	set->n_trees = j->n_inputs + (j->every != EVERY_NONE);
	set->trees = arena_array(a, struct sha, set->n_trees);
	set->inputs = arena_array(a, struct unit_input, j->n_inputs);
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];
		struct catalog_repo *r = arena_new_of(a, struct catalog_repo);
		struct reads *reads = &set->inputs[i].reads;
		const char *absent = NULL;
		int got = repo_find(f->store, a, in->repo, &r->repo, e);

		if (got > 0)
			got = input_is_pinned(in)
			              ? pinned_at(f, a, j, in, &r->head, &absent, e)
			              : head_at(f, a, &r->repo, data_input_branch(f->store, in), order, &r->head, e);
		else if (!got)
			absent = arena_printf(a, "the repo %.*s is not there", STR_ARG(in->repo));
		if (!got && r->repo.id && !input_is_pinned(in))
			got = why_empty(f, a, in, &r->repo, &absent, e);
		if (got < 0)
			return -1;
		if (absent && !in->optional)
			*why = absent;
		set->inputs[i].input = in;
		r->has_commit = got;
		*reads = (struct reads){.repo = r, .state = READS_OK, .whole = true};
		if (!got)
			continue;
		set->trees[i] = reads->root.id = r->head.tree;
		reads->root.kind = ENTRY_FOLDER;
		reads->root.size = r->head.bytes;
		reads->root.files = r->head.files;
		if (store_lease_commit(f->store, r->repo.id, r->head.id, e) < 0)
			return -1;
	}
	return *why ? 0 : 1;
}

/* A lease is the process's: what another set reads too stays. */
static bool held_by(const struct data_set *const *sets, size_t n, const struct id *id)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; sets[i]->inputs && k < sets[i]->job->n_inputs; k++) {
			const struct catalog_repo *r = sets[i]->inputs[k].reads.repo;

			if (r && r->has_commit && !strcmp(r->head.id.hex, id->hex))
				return true;
		}
	return false;
}

void data_unbind_beside(struct store *s, struct data_set *set, const struct data_set *const *others, size_t n)
{
	for (size_t i = 0; set->inputs && i < set->job->n_inputs; i++) {
		const struct catalog_repo *r = set->inputs[i].reads.repo;

		if (r && r->has_commit && !held_by(others, n, &r->head.id))
			store_lease_drop(s, r->head.id);
	}
}

void data_unbind(struct store *s, struct data_set *set)
{
	data_unbind_beside(s, set, NULL, 0);
}

int data_untouched(struct flow *f, struct arena *a, const struct job *j, struct err *e)
{
	struct id ignored;
	int r = input_any_pinned(j) ? 1 : data_newest(f, a, j, &ignored, e);

	return r < 0 ? -1 : !r;
}

int data_waits(struct flow *f, struct arena *a, const struct job *j, const char **why, struct err *e)
{
	struct data_set set = {.job = j};
	const char *missing = NULL;
	int got = data_bind(f, a, &set, DATA_HEADS, &missing, e);

	data_unbind(f->store, &set);
	if (got > 0) {
		const struct job_input *in = &j->inputs[0];

		got = data_untouched(f, a, j, e);
		got = got < 0 ? -1 : !got;
		missing = arena_printf(a, "%.*s has no commit on %.*s yet", STR_ARG(in->repo),
		                       STR_ARG(data_input_branch(f->store, in)));
	}
	if (!got)
		*why = missing;
	return got < 0 ? -1 : !got;
}

/* It stands still because of a job above it: 1 and *why, 0, -1. */
static int unrunnable(struct flow *f, struct arena *a, const struct job *j, const char **why, struct err *e)
{
	struct data_bad b;
	int r = data_bad_now(f->store, a, j, &b, e);

	if (r <= 0 || !b.unrunnable)
		return r < 0 ? -1 : 0;
	*why = arena_cstr(a, b.why);
	return 1;
}

static bool has_cron(const struct job *j)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].cron.p)
			return true;
	return false;
}

/* At the heads, without a change of its inputs. */
static bool would_run(const struct data_mark *m, const struct unit_key *rest)
{
	return !m->there || sha_is_zero(&m->rest) || m->failed || !sha_eq(&m->rest, &rest->key);
}

int data_behind(struct flow *f, struct arena *a, const struct job *j, const struct data_mark *m,
		const struct data_set *const *others, size_t n_others, struct err *e)
{
	struct data_set set = {.job = j};
	const char *missing = NULL;
	int got = data_bind(f, a, &set, DATA_HEADS, &missing, e);

	if (got > 0 && data_days(f, a, &set, NULL, 0, e))
		got = -1;
	data_unbind_beside(f->store, &set, others, n_others);
	if (got <= 0)
		return got;
	return m->trees.n != set.n_trees * SHA_BYTES || memcmp(m->trees.p, set.trees, m->trees.n) != 0;
}

/* What no event tells: on a branch there are none, and a merge may have put the output together. 1, 0, -1. */
static int behind_silently(struct flow *f, struct arena *a, const struct job *j, const struct data_mark *m,
			   struct err *e)
{
	if (!m->there || sha_is_zero(&m->rest) || m->failed)
		return 0;
	if (!m->trees.n)
		return 1;
	return f->store->on ? data_behind(f, a, j, m, NULL, 0, e) : 0;
}

/* Days that were asked for one by one may have made all that there is, though the job as a whole was not run. */
static int look_made(struct flow *f, struct arena *a, struct plan_unit *u, struct err *e)
{
	struct data_set set = {0};
	const char *why = NULL;
	bool made;
	int got;

	if (u->job->every == EVERY_NONE || (u->reason != REASON_MISSING && u->reason != REASON_CODE_CHANGED))
		return 0;
	got = data_look_days(f, a, u->job, NULL, 0, PLAN_STALE, &set, &why, e);
	made = got > 0 && set.n_days;
	for (size_t i = 0; made && i < set.n_days; i++)
		made = set.days[i].asked && !set.days[i].missing;
	for (size_t i = 0; made && i < set.n_items; i++)
		made = !set.items[i].run;
	if (made && !set.n_items)
		u->reason = REASON_UP_TO_DATE;
	else if (made)
		u->reason = REASON_CODE_CHANGED;
	if (made) {
		u->known = reason_runs(u->reason);
		u->detail = "its days were made one by one";
	}
	data_set_free(&set);
	return got < 0 ? -1 : 0;
}

int data_look(struct flow *f, struct arena *a, const struct job *j, struct plan_unit **out, struct err *e)
{
	struct plan_unit *u = arena_new_of(a, struct plan_unit);
	struct data_events l = {0};
	const char *why = NULL;
	struct unit_key rest;
	size_t n, ticks = 0;
	struct data_mark m;
	int behind;

	*u = (struct plan_unit){.job = j, .ds = {.every = EVERY_NONE}, .role = ROLE_STALE, .reason = REASON_UP_TO_DATE};
	if (key_rest(f, a, j, NULL, &rest, e) || data_mark(f->store, a, j, &m, e) ||
	    (m.there && data_pending(f, a, &j, 1, NULL, &l, e)) ||
	    (m.there && tick_count(f->store, a, j, f->now_ms, &ticks, e)))
		return -1;
	n = l.n + ticks;
	behind = n ? 1 : behind_silently(f, a, j, &m, e);
	if (behind < 0)
		return -1;
	if (n) {
		u->reason = REASON_INPUT_CHANGED;
		u->detail = arena_printf(a, "%zu change%s to take", n, n == 1 ? "" : "s");
	} else if (m.there && unrunnable(f, a, j, &why, e)) {
		u->reason = REASON_UPSTREAM_FAILED;
		u->detail = why;
		if (!why)
			return -1;
	} else if (would_run(&m, &rest)) {
		/* clocks of a job that nobody has seen yet may begin now */
		if ((m.there || !has_cron(j)) && data_waits(f, a, j, &why, e)) {
			u->reason = REASON_INPUT_MISSING;
			u->detail = why;
			if (!why)
				return -1;
		} else {
			u->reason = !m.there || (sha_is_zero(&m.rest) && !m.failed) ? REASON_MISSING
			            : m.failed ? REASON_FAILED_BEFORE : REASON_CODE_CHANGED;
		}
	} else if (behind) {
		u->reason = REASON_INPUT_CHANGED;
		u->detail = m.trees.n ? "not what its output was made from" : "merged, and to be put together";
	}
	if (m.there && !m.failed && look_made(f, a, u, e))
		return -1;
	*out = u;
	return 0;
}
