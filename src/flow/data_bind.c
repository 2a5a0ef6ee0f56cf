/* What the inputs of a data-driven job were at an event. */
#include "base/str.h"
#include "flow/data.h"
#include "flow/tick.h"
#include "repo/refs.h"
#include "sys/clock.h"

/* Where a branch stood when an event had been: 1, 0 (empty then), -1. order INT64_MAX: where it stands. */
static int head_at(struct flow *f, struct arena *a, const struct repo *repo, struct str branch, int64_t order,
                   struct commit *out, struct err *e)
{
	struct id id = {0};
	struct q *q;
	int r;

	if (order == INT64_MAX)
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
	r = refs_has_branch(f->store, repo->id, data_input_branch(in), e);
	if (!r)
		*why = arena_printf(a, "%.*s has no branch %.*s", STR_ARG(in->repo), STR_ARG(data_input_branch(in)));
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
			got = input_is_pinned(in) ? pinned_at(f, a, j, in, &r->head, &absent, e)
			                          : head_at(f, a, &r->repo, data_input_branch(in), order, &r->head, e);
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

void data_unbind(struct store *s, struct data_set *set)
{
	for (size_t i = 0; set->inputs && i < set->job->n_inputs; i++)
		if (set->inputs[i].reads.repo && set->inputs[i].reads.repo->has_commit)
			store_lease_drop(s, set->inputs[i].reads.repo->head.id);
}
