#include "repo/overlay_merge.h"

#include <stdio.h>

#include "base/str.h"
#include "sys/fault.h"

static bool same(const struct id *a, const struct id *b)
{
	return !strcmp(a->hex, b->hex);
}

/* --- which repos --- */

/* Of a repo where the branch ran something and nothing came out otherwise, only rows of current_on tell. */
static int made_only(struct store *s, struct arena *a, const struct overlay *o, struct overlay_merge *m, size_t cap,
                     struct err *e)
{
	struct q *q = db_query(s->db, "select distinct c.repo, r.name from current_on c join repo r on r.id = c.repo"
	                              " where c.branch = ?1 and r.ended is null and not exists (select 1 from"
	                              " workspace_base w where w.branch = ?1 and w.repo = c.repo) order by r.name");
	int r;

	q_int(q, 1, o->id);
	while ((r = q_step(q, e)) == 1) {
		struct overlay_merge_repo *x = &m->repos[m->n];

		if (m->n == cap) {
			r = err_set(e, ERR_LIMIT, "a workspace branch of more than %zu repos", cap);
			break;
		}
		*x = (struct overlay_merge_repo){.base.state = OVERLAY_MASTER};
		x->base.repo = (struct repo){.id = q_col_int(q, 0), .name = arena_str(a, q_col_text(q, 1))};
		m->n++;
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int count_made(struct store *s, const struct overlay *o, int64_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select count(distinct repo) from current_on where branch = ?");
	int r;

	q_int(q, 1, o->id);
	r = q_step(q, e);
	if (r == 1)
		*n = q_col_int(q, 0);
	q_done(q);
	return r < 0 ? -1 : 0;
}

int overlay_merge_begin(struct store *s, struct arena *a, const struct overlay *o, struct overlay_merge *out,
                        struct err *e)
{
	struct overlay_merge m = {.on = o};
	struct overlay_base *bases;
	int64_t more = 0;
	size_t n;

	if (overlay_check_open(s, o, e) || overlay_bases(s, a, o, &bases, &n, e) || count_made(s, o, &more, e))
		return -1;
	m.repos = arena_array(a, struct overlay_merge_repo, n + (size_t)more);
	for (size_t i = 0; i < n; i++)
		if (bases[i].state == OVERLAY_WRITTEN || bases[i].state == OVERLAY_REMOVED)
			m.repos[m.n++] = (struct overlay_merge_repo){.base = bases[i]};
	if (made_only(s, a, o, &m, n + (size_t)more, e))
		return -1;
	*out = m;
	return 0;
}

int overlay_merge_jobs(struct store *s, struct arena *a, const struct overlay *o, struct str **out, size_t *n,
                       struct err *e)
{
	VEC(struct str) all = {0};
	struct q *q;
	int r;

	*n = 0;
	if (!db_has_data(s->db))
		return 0;
	q = db_query(s->db, "select job from data_job where substr(job, -length(?1)) = ?1");
	q_text(q, 1, arena_strf(a, "@%.*s", STR_ARG(o->name)));
	while ((r = q_step(q, e)) == 1) {
		struct str job = q_col_text(q, 0), branch;

		if (!str_rcut(job, '@', &job, &branch))
			continue;
		vec_push(a, &all, arena_str(a, job));
	}
	q_done(q);
	*out = all.p;
	*n = all.n;
	return r < 0 ? -1 : 0;
}

/* --- what becomes of one --- */

/* 1 with a row; 0; -1. */
static int ask_one(struct store *s, const char *sql, int64_t x, int64_t y, struct err *e)
{
	struct q *q = db_query(s->db, sql);
	int r;

	q_int(q, 1, x);
	q_int(q, 2, y);
	r = q_step(q, e);
	q_done(q);
	return r;
}

/* Whether one unit of the calendar makes all of it: then its files belong together. */
static int is_one_piece(struct store *s, const struct overlay *o, const struct repo *r, struct err *e)
{
	return r->role != REPO_OUTPUT
	               ? 0
	               : ask_one(s, "select 1 from current where repo = ?1 and ds = '' union all"
	                            " select 1 from current_on where branch = ?2 and repo = ?1 and ds = '' limit 1",
	                         r->id, o->id, e);
}

static int lay(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
               struct overlay_merge_repo *r, const struct commit *ours, const struct commit *theirs, struct err *e)
{
	struct commit base = {.tree = tree_empty_id()};
	struct merge_ask ask = {.tree = theirs->tree, .onto = ours->tree, .parts = true, .take = r->take};
	int whole = is_one_piece(s, m->on, &r->base.repo, e), found = 1;

	if (whole >= 0 && r->base.base.hex[0])
		found = commit_find(s, r->base.repo.id, str_of(r->base.base.hex), &base, e);
	if (whole < 0 || found < 0)
		return -1;
	if (!found)
		return err_set(e, ERR_DAMAGED, "%.*s: the commit %s, which the workspace branch began from, is gone",
		               STR_ARG(r->base.repo.name), r->base.base.hex);
	ask.base = base.tree;
	ask.whole = whole;
	ask.unite = r->base.repo.role != REPO_OUTPUT;
	if (r->base.repo.role == REPO_SYSTEM) /* what leat writes beside runs is nobody's to choose */
		ask.take = MERGE_TREE;
	if (merge_trees(s, in, a, &ask, &r->trees, e))
		return -1;
	r->how = r->trees.n_conflicts ? MERGED_CONFLICT : MERGED_LAID;
	r->root = r->trees.root;
	return merge_count(s, &ask.base, &ask.tree, &r->changed, e);
}

static int plan_removed(struct arena *a, struct overlay_merge *m, struct overlay_merge_repo *r)
{
	if (!r->ours.hex[0])
		r->how = MERGED_NOTHING;
	else if (same(&r->ours, &r->base.base))
		r->how = MERGED_REMOVED;
	else
		r->how = r->take == MERGE_TREE   ? MERGED_REMOVED
		         : r->take == MERGE_ONTO ? MERGED_KEPT
		                                 : MERGED_CONFLICT;
	r->why = arena_printf(a, "removed on %.*s, changed on " BRANCH_DEFAULT, STR_ARG(m->on->name));
	return 0;
}

/* Taken as it is on the branch. */
static int plan_fast(struct store *s, struct overlay_merge_repo *r, const struct commit *ours,
                     const struct commit *theirs, struct err *e)
{
	r->how = r->ours.hex[0] ? MERGED_FAST : MERGED_NEW;
	r->root = theirs->tree;
	return merge_count(s, &ours->tree, &theirs->tree, &r->changed, e);
}

static int plan_one(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
                    struct overlay_merge_repo *r, struct err *e)
{
	struct commit ours = {.tree = tree_empty_id()}, theirs = {.tree = tree_empty_id()};
	int64_t id = r->base.repo.id;

	if (branch_head(s, id, STR(BRANCH_DEFAULT), &ours, e) < 0 ||
	    commit_of_branch(s, id, m->on->name, &theirs, e) < 0)
		return -1;
	r->ours = ours.id;
	r->theirs = theirs.id;
	r->now = ours;
	r->root = ours.tree;
	r->how = MERGED_NOTHING;
	r->why = NULL;
	if (r->base.state == OVERLAY_REMOVED)
		return plan_removed(a, m, r);
	if (r->base.state != OVERLAY_WRITTEN || same(&r->theirs, &r->base.base))
		return 0;
	if (same(&r->ours, &r->theirs))
		return 0;
	if (same(&r->ours, &r->base.base))
		return plan_fast(s, r, &ours, &theirs, e);
	return lay(s, in, a, m, r, &ours, &theirs, e);
}

/* --- what partitions were made from --- */

/* A row counts while its tree is what the partition has. */
static int counts(struct store *s, struct ingest *in, const struct sha *root, struct str ds, const struct sha *tree,
                  struct err *e)
{
	char path[3 + sizeof(((struct part *)0)->label)];
	struct entry entry;
	int r;

	if (!ds.n)
		return sha_eq(root, tree);
	snprintf(path, sizeof(path), "ds=%.*s", STR_ARG(ds));
	r = tree_find(s, in, root, str_of(path), &entry, e);
	return r <= 0 ? r : sha_eq(&entry.id, tree);
}

static int plan_made(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
                     struct overlay_merge_repo *r, struct err *e)
{
	struct q *q = db_query(s->db, "select ds, tree from current_on where branch = ? and repo = ?");
	VEC(struct str) rows = {0};
	VEC(struct sha) trees = {0};
	VEC(struct str) made = {0};
	int got;

	q_int(q, 1, m->on->id);
	q_int(q, 2, r->base.repo.id);
	while ((got = q_step(q, e)) == 1) {
		struct sha tree;

		if (!q_col_sha(q, 1, &tree))
			continue;
		vec_push(a, &rows, arena_str(a, q_col_text(q, 0)));
		vec_push(a, &trees, tree);
	}
	q_done(q);
	for (size_t i = 0; got >= 0 && i < rows.n; i++) {
		got = counts(s, in, &r->root, rows.p[i], &trees.p[i], e);
		if (got > 0)
			vec_push(a, &made, rows.p[i]);
	}
	r->made = made.p;
	r->n_made = made.n;
	r->all_made = made.n == rows.n;
	return got < 0 ? -1 : 0;
}

static int plan(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m, struct err *e)
{
	m->n_conflicts = 0;
	m->moved = false;
	for (size_t i = 0; i < m->n; i++) {
		struct overlay_merge_repo *r = &m->repos[i];

		if (plan_one(s, in, a, m, r, e))
			return -1;
		m->n_conflicts += r->how == MERGED_CONFLICT;
		if (r->how != MERGED_CONFLICT && r->how != MERGED_REMOVED && plan_made(s, in, a, m, r, e))
			return -1;
	}
	return 0;
}

/* One look for all of it: each of very many questions would take and give a lock of its own. */
int overlay_merge_plan(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m, struct err *e)
{
	int rc;

	if (db_read_begin(s->db, e))
		return -1;
	rc = plan(s, in, a, m, e);
	db_read_end(s->db);
	return rc;
}

/* --- inside the transaction --- */

static int moved(struct overlay_merge *m, struct err *e)
{
	m->moved = true;
	return err_set(e, ERR_CONFLICT, "what is merged keeps moving");
}

/* Whether all is as it was when it was worked out. */
static int look_again(struct store *s, struct arena *a, struct overlay_merge *m, struct err *e)
{
	struct overlay_merge now;
	struct overlay o;
	int r = overlay_find(s, a, m->on->name, &o, e);

	if (r < 0)
		return -1;
	if (!r || o.id != m->on->id)
		return overlay_not_found(s, m->on->name, e);
	if (overlay_merge_begin(s, a, m->on, &now, e))
		return -1;
	if (now.n != m->n)
		return moved(m, e);
	for (size_t i = 0; i < m->n; i++) {
		const struct overlay_merge_repo *was = &m->repos[i];
		const struct overlay_base *b = &now.repos[i].base;
		struct commit ours = {0}, theirs = {0};

		if (branch_head(s, b->repo.id, STR(BRANCH_DEFAULT), &ours, e) < 0 ||
		    commit_of_branch(s, b->repo.id, m->on->name, &theirs, e) < 0)
			return -1;
		if (b->num != was->base.num || b->repo.id != was->base.repo.id || b->state != was->base.state ||
		    !same(&b->base, &was->base.base) || !same(&ours.id, &was->ours) || !same(&theirs.id, &was->theirs))
			return moved(m, e);
	}
	return 0;
}

static int run_by(struct store *s, const char *sql, int64_t x, int64_t y, struct err *e)
{
	struct q *q = db_query(s->db, sql);

	q_int(q, 1, x);
	q_int(q, 2, y);
	return q_run(q, e);
}

static int move_head(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m,
                     struct overlay_merge_repo *r, struct id event, struct err *e)
{
	struct commit_new c = {.repo = r->base.repo, .branch = STR(BRANCH_DEFAULT), .id = event, .batch = event,
	                       .tree = &r->trees.root};
	bool made;

	switch (r->how) {
	case MERGED_FAST:
	case MERGED_NEW:
		if (branch_move(s, r->base.repo.id, STR(BRANCH_DEFAULT), r->theirs.hex[0] ? &r->theirs : NULL, event,
		                e))
			return -1;
		r->now = (struct commit){0};
		return branch_head(s, r->base.repo.id, STR(BRANCH_DEFAULT), &r->now, e) < 0 ? -1 : 0;
	case MERGED_LAID:
		c.message = arena_strf(a, "merge %.*s", STR_ARG(m->on->name));
		return commit_make(s, in, &c, &r->now, &made, e);
	case MERGED_REMOVED:
		return overlay_check_based(s, &r->base.repo, m->on->id, e) || repo_end(s, &r->base.repo, e) ? -1 : 0;
	default:
		return 0;
	}
}

/* A newer row of master's for the same tree stays. */
#define TAKE_MADE                                                                                                      \
	"insert or replace into current(repo, ds, key, tree, unit, note) select o.repo, o.ds, o.key, o.tree, o.unit,"  \
	" o.note from current_on o where o.branch = ?1 and o.repo = ?2 and not exists (select 1 from current c"        \
	" where c.repo = o.repo and c.ds = o.ds and c.tree = o.tree and c.unit >= o.unit)"

static int take_made(struct store *s, const struct overlay_merge *m, const struct overlay_merge_repo *r, struct err *e)
{
	if (r->all_made)
		return r->n_made ? run_by(s, TAKE_MADE, m->on->id, r->base.repo.id, e) : 0;
	for (size_t i = 0; i < r->n_made; i++) {
		struct q *q = db_query(s->db, TAKE_MADE " and o.ds = ?3");

		q_int(q, 1, m->on->id);
		q_int(q, 2, r->base.repo.id);
		q_text(q, 3, r->made[i]);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

/* The job that has a state of its own there and writes this repo, and the name of that state; "" if there is none. */
static int job_of(struct store *s, struct arena *a, const struct overlay *o, int64_t repo, struct str *key,
                  struct str *job, struct err *e)
{
	struct q *q = db_query(s->db, "select job from data_job where repo = ?1 and substr(job, -length(?2)) = ?2");
	struct str branch;
	int r;

	*job = STR("");
	q_int(q, 1, repo);
	q_text(q, 2, arena_strf(a, "@%.*s", STR_ARG(o->name)));
	r = q_step(q, e);
	if (r == 1) {
		*key = arena_str(a, q_col_text(q, 0));
		if (!str_rcut(*key, '@', job, &branch))
			*job = STR("");
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int job_goes_over(struct store *s, const struct overlay_merge *m, struct str key, struct str job,
                         struct err *e)
{
	bool owed = m->owed && map_has(m->owed, job), behind = m->behind && map_has(m->behind, job);
	struct q *q = db_query(s->db, "update data_job set taken = case when ?3 then coalesce((select taken from"
	                              " data_job where job = ?2), taken) else (select max(seq) from head_move) end,"
	                              " trees = case when ?4 then x'' else trees end where job = ?1");

	q_text(q, 1, key);
	q_text(q, 2, job);
	q_int(q, 3, owed);
	q_int(q, 4, behind); /* made at the heads, with what is remembered */
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "update or replace data_job set job = ?2 where job = ?1");
	q_text(q, 1, key);
	q_text(q, 2, job);
	return q_run(q, e);
}

/* What the head of a data-driven job's output holds, datum by datum, and what it was made from. */
static int take_data(struct store *s, struct arena *a, const struct overlay_merge *m,
                     const struct overlay_merge_repo *r, struct err *e)
{
	static const char *const steps[] = {
		"delete from datum_in where datum in (select num from datum where repo = ?1) and ?2 = ?2",
		"delete from datum_file where repo = ?1 and ?2 = ?2",
		"delete from datum where repo = ?1 and ?2 = ?2",
		"update datum set repo = ?1 where repo = ?2",
		"update datum_file set repo = ?1 where repo = ?2",
	};
	struct str key, job;

	if (!r->base.num || !db_has_data(s->db))
		return 0;
	if (job_of(s, a, m->on, r->base.repo.id, &key, &job, e))
		return -1;
	if (r->how == MERGED_LAID) /* made again, from what is remembered */
		return run_by(s, "update data_job set trees = x'' where repo = ?1 and trees is not null and ?2 = ?2",
		              r->base.repo.id, 0, e);
	if (!job.n || (r->how != MERGED_FAST && r->how != MERGED_NEW))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (run_by(s, steps[i], r->base.repo.id, -r->base.num, e))
			return -1;
	return job_goes_over(s, m, key, job, e);
}

/* The branch begins anew at what master has. */
static int begin_anew(struct store *s, struct overlay_merge *m, struct id event, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		struct overlay_merge_repo *r = &m->repos[i];
		int64_t id = r->base.repo.id;
		const struct id *head = r->now.id.hex[0] ? &r->now.id : NULL;

		if (r->base.state == OVERLAY_MASTER)
			continue;
		if (r->base.state == OVERLAY_REMOVED) {
			if ((r->how == MERGED_REMOVED || r->how == MERGED_NOTHING) &&
			    overlay_forget(s, m->on, &r->base.repo, event, e))
				return -1;
			continue;
		}
		if ((!head || strcmp(head->hex, r->theirs.hex)) && branch_move(s, id, m->on->name, head, event, e))
			return -1;
		if (overlay_rebase(s, m->on, id, head, e))
			return -1;
	}
	return run_by(s, "delete from current_on where branch = ?1 and ?2 = ?2", m->on->id, 0, e);
}

int overlay_merge_do(struct store *s, struct ingest *in, struct arena *a, struct overlay_merge *m, struct id event,
                     struct err *e)
{
	BUG_IF(!db_in_write(s->db) || m->n_conflicts);
	if (look_again(s, a, m, e))
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		if (move_head(s, in, a, m, &m->repos[i], event, e))
			return -1;
		fault_crash("merge-head-moved");
	}
	for (size_t i = 0; i < m->n; i++)
		if (m->repos[i].how != MERGED_REMOVED &&
		    (take_made(s, m, &m->repos[i], e) || take_data(s, a, m, &m->repos[i], e)))
			return -1;
	fault_crash("merge-taken-over");
	if (m->keep ? begin_anew(s, m, event, e) : overlay_end(s, m->on, "merged", event, e))
		return -1;
	fault_crash("merge-before-commit");
	return 0;
}
