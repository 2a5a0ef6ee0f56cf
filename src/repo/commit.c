#include "repo/commit.h"

#include <stdlib.h>

#include "base/str.h"
#include "repo/overlay.h"
#include "repo/tree_page.h"
#include "repo/trigger.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define COMMIT_COLUMNS                                                                                                 \
	"c.repo, c.id, c.parent, c.number, c.tree, c.files, c.bytes, c.at, c.batch, c.run, c.author, c.message,"       \
	" c.meta, c.forgotten"

static int commit_row(struct q *q, struct arena *a, struct commit *out, struct err *e)
{
	struct commit c = {
		.repo = q_col_int(q, 0),
		.id = id_of(q_col_text(q, 1)),
		.parent = id_of(q_col_text(q, 2)),
		.number = q_col_int(q, 3),
		.files = q_col_int(q, 5),
		.bytes = q_col_int(q, 6),
		.at = q_col_int(q, 7),
		.batch = id_of(q_col_text(q, 8)),
		.run = id_of(q_col_text(q, 9)),
		.forgotten = q_col_int(q, 13),
	};

	if (!q_col_sha(q, 4, &c.tree))
		return err_set(e, ERR_DAMAGED, "the commit %s has no tree", c.id.hex);
	if (a && !q_col_is_null(q, 10))
		c.author = arena_str(a, q_col_text(q, 10));
	if (a && !q_col_is_null(q, 11))
		c.message = arena_str(a, q_col_text(q, 11));
	if (a && !q_col_is_null(q, 12))
		c.meta = arena_str(a, q_col_text(q, 12));
	*out = c;
	return 1;
}

/* Steps a query of COMMIT_COLUMNS once and gives it back. 1, 0, -1. */
static int one(struct q *q, struct arena *a, struct commit *out, struct err *e)
{
	int r = q_step(q, e);

	if (r == 1)
		r = commit_row(q, a, out, e);
	q_done(q);
	return r;
}

int commit_of_branch(struct store *s, int64_t repo, struct str branch, struct commit *out, struct err *e)
{
	struct q *q = db_query(s->db, "select " COMMIT_COLUMNS
				      " from branch b join commits c on c.repo = b.repo and c.id = b.head"
				      " where b.repo = ? and b.name = ?");

	q_int(q, 1, repo);
	q_text(q, 2, branch);
	return one(q, NULL, out, e);
}

int branch_head(struct store *s, int64_t repo, struct str branch, struct commit *out, struct err *e)
{
	int r = commit_of_branch(s, repo, branch, out, e);

	return r || str_is(branch, BRANCH_DEFAULT) ? r : overlay_head_named(s, repo, branch, out, e);
}

int commit_find(struct store *s, int64_t repo, struct str id, struct commit *out, struct err *e)
{
	return commit_read(s, NULL, repo, id, out, e);
}

int commit_read(struct store *s, struct arena *a, int64_t repo, struct str id, struct commit *out, struct err *e)
{
	struct q *q = db_query(s->db, "select " COMMIT_COLUMNS " from commits c where c.repo = ? and c.id = ?");

	q_int(q, 1, repo);
	q_text(q, 2, id);
	return one(q, a, out, e);
}

int commit_log(struct store *s, struct arena *a, const struct commit *from, int64_t most,
               int (*cb)(void *ptr, const struct commit *c, struct err *e), void *ptr, struct err *e)
{
	struct id id = from->id;

	for (int64_t n = 0; id.hex[0] && (!most || n < most); n++) {
		struct commit c = {0};
		int r = commit_read(s, a, from->repo, str_of(id.hex), &c, e);
		if (r < 0)
			return -1;
		if (!r && n)
			return err_set(e, ERR_DAMAGED, "the commit %s is named as a parent and is not there", id.hex);
		if (!r) /* an open commit, which has no row yet */
			c = *from;
		r = cb(ptr, &c, e);
		if (r)
			return r < 0 ? -1 : 0;
		id = c.parent;
	}
	return 0;
}

int branch_move(struct store *s, int64_t repo, struct str branch, const struct id *to, struct id event, struct err *e)
{
	bool master = str_is(branch, BRANCH_DEFAULT);
	struct commit old = {0};
	struct q *q;
	int r = commit_of_branch(s, repo, branch, &old, e);

	BUG_IF(!db_in_write(s->db));
	if (r < 0 || (!master && overlay_moving(s, repo, branch, e)))
		return -1;
	if (master && !r) { /* now it is everybody's */
		q = db_query(s->db, "update repo set made_on = null where id = ? and made_on is not null");
		q_int(q, 1, repo);
		if (q_run(q, e))
			return -1;
	}
	q = db_query(s->db, "insert into branch(repo, name, head) values(?1, ?2, ?3)"
	                    " on conflict(repo, name) do update set head = ?3");
	q_int(q, 1, repo);
	q_text(q, 2, branch);
	q_cstr(q, 3, to ? to->hex : NULL);
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "insert into head_move(repo, branch, old, new, event, at) values(?, ?, ?, ?, ?, ?)");
	q_int(q, 1, repo);
	q_text(q, 2, branch);
	q_cstr(q, 3, r ? old.id.hex : NULL);
	q_cstr(q, 4, to ? to->hex : NULL);
	q_cstr(q, 5, event.hex);
	q_int(q, 6, clock_now_ms());
	store_moved(s, repo);
	return q_run(q, e) || (to && trigger_fire(s, repo, branch, event, e)) ? -1 : 0;
}

static int insert(struct store *s, const struct commit *c, struct err *e)
{
	struct q *q = db_query(
		s->db,
		"insert into commits(repo, id, parent, number, tree, files, bytes, at, batch, author, message, run,"
		" meta) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	q_cstr(q, 3, c->parent.hex[0] ? c->parent.hex : NULL);
	q_int(q, 4, c->number);
	q_sha(q, 5, &c->tree);
	q_int(q, 6, c->files);
	q_int(q, 7, c->bytes);
	q_int(q, 8, c->at);
	q_cstr(q, 9, c->batch.hex);
	q_text(q, 10, c->author);
	q_text(q, 11, c->message);
	q_cstr(q, 12, c->run.hex[0] ? c->run.hex : NULL);
	q_text(q, 13, c->meta);
	return q_run(q, e);
}

/* A commit of this transaction takes in more. */
static int amend(struct store *s, const struct commit *c, struct err *e)
{
	struct q *q = db_query(s->db, "update commits set tree = ?, files = ?, bytes = ?,"
				      " message = coalesce(?, message), meta = coalesce(?, meta)"
				      " where repo = ? and id = ?");

	q_sha(q, 1, &c->tree);
	q_int(q, 2, c->files);
	q_int(q, 3, c->bytes);
	q_text(q, 4, c->message);
	q_text(q, 5, c->meta);
	q_int(q, 6, c->repo);
	q_cstr(q, 7, c->id.hex);
	return q_run(q, e);
}

/* An event that has made its commit in this repo already: 1 if that is the head, 0 if there is none. */
static int goes_on(struct store *s, const struct commit_new *c, const struct commit *head, struct err *e)
{
	struct commit other;
	int r;

	if (!strcmp(head->id.hex, c->id.hex))
		return 1;
	r = commit_find(s, c->repo.id, str_of(c->id.hex), &other, e);
	if (r <= 0)
		return r;
	err_set(e, ERR_REFUSED, "%.*s would be written on two branches by one change", STR_ARG(c->repo.name));
	return err_hint(e, "an id names one commit of a repo: write the other branch by a command of its own");
}

static int make(struct store *s, struct ingest *in, const struct commit_new *c, struct commit *out, bool *made,
                struct err *e)
{
	struct commit head = {0}, now;
	struct sha empty = tree_empty_id();
	struct entry root;
	int had = branch_head(s, c->repo.id, c->branch, &head, e), more;

	if (had < 0 || (more = goes_on(s, c, &head, e)) < 0)
		return -1;
	if (c->expect_tree && !sha_eq(c->expect_tree, had ? &head.tree : &empty)) {
		err_set(e, ERR_CONFLICT, "%.*s@%.*s has moved meanwhile", STR_ARG(c->repo.name), STR_ARG(c->branch));
		return err_hint(e, "do it again: what is new there then counts");
	}
	if (c->tree ? tree_find(s, in, c->tree, STR(""), &root, e) < 0
		    : tree_apply(s, in, had && !c->clear ? &head.tree : NULL, c->edits, c->n_edits, &root, e))
		return -1;
	if (!c->even_if_equal && sha_eq(&root.id, had ? &head.tree : &empty) && (had || !c->n_edits)) {
		*out = head;
		*made = false;
		return 0;
	}
	now = (struct commit){
		.repo = c->repo.id,
		.id = c->id,
		.parent = head.id,
		.batch = c->batch,
		.number = head.number + 1,
		.files = root.files,
		.bytes = root.size,
		.at = clock_now_ms(),
		.tree = root.id,
		.author = c->author.p ? c->author : str_of(store_who()),
		.message = c->message,
		.meta = c->meta,
		.run = c->run,
	};
	if (more) {
		now.parent = head.parent;
		now.number = head.number;
	}
	if (tree_record(s, in, e) ||
	    (more ? amend(s, &now, e) || trigger_fire(s, now.repo, c->branch, c->id, e)
		  : insert(s, &now, e) || branch_move(s, now.repo, c->branch, &now.id, c->id, e)))
		return -1;
	s->brought += (int64_t)c->n_edits + llabs((long long)(root.files - head.files));
	fault_crash("commit-made");
	*out = now;
	*made = true;
	return 0;
}

int commit_make(struct store *s, struct ingest *in, const struct commit_new *c, struct commit *out, bool *made,
                struct err *e)
{
	struct ingest *own = in ? NULL : ingest_new(s);
	int rc;

	BUG_IF(!db_in_write(s->db));
	rc = make(s, in ? in : own, c, out, made, e);
	ingest_free(own);
	return rc;
}
