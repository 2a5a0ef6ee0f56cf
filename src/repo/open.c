#include "repo/open.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/tz.h"
#include "repo/merge.h"
#include "repo/tree_page.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define CONFLICTS_NAMED 5
#define LEASE_DEFAULT ((int64_t)24 * 3600 * 1000)
#define PREFIX_MIN 4
#define COLUMNS                                                                                                        \
	"o.id, o.repo, o.branch, o.base, o.base_number, o.base_tree, o.tree, o.at, o.expires, o.author,"               \
	" o.message, o.meta, o.state, o.closed"

static const char *const states[] = {"open", "finished", "dropped", "expired"};

static int64_t lease_ms(const struct store *s)
{
	const struct dom *v = workspace_setting(s->ws, "open_lease");
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int64_t ms;

	return v && keys_duration(dom_text(a, v), &ms) && ms > 0 ? ms : LEASE_DEFAULT;
}

static struct str text(struct q *q, struct arena *a, int i)
{
	return q_col_is_null(q, i) ? STR_NULL : arena_str(a, q_col_text(q, i));
}

static int open_row(struct q *q, struct arena *a, struct open_commit *out, struct err *e)
{
	struct open_commit o = {
		.id = id_of(q_col_text(q, 0)),
		.repo = q_col_int(q, 1),
		.branch = text(q, a, 2),
		.base = id_of(q_col_text(q, 3)),
		.base_number = q_col_int(q, 4),
		.at = q_col_int(q, 7),
		.expires = q_col_int(q, 8),
		.author = text(q, a, 9),
		.message = text(q, a, 10),
		.meta = text(q, a, 11),
		.closed = q_col_int(q, 13),
	};
	struct str state = q_col_text(q, 12);

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (str_is(state, states[i]))
			o.state = (enum open_state)i;
	if (o.state == OPEN_OPEN && clock_now_ms() >= o.expires) {
		o.state = OPEN_EXPIRED;
		o.closed = o.expires;
	}
	if (!q_col_sha(q, 5, &o.base_tree) || !q_col_sha(q, 6, &o.tree))
		return err_set(e, ERR_DAMAGED, "the open commit %s has no tree", o.id.hex);
	*out = o;
	return 1;
}

static int one_of_branch(struct store *s, struct arena *a, const char *sql, int64_t repo, struct str branch,
                         struct open_commit *out, struct err *e)
{
	struct q *q = db_query(s->db, sql);
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, branch);
	r = q_step(q, e);
	if (r == 1)
		r = open_row(q, a, out, e);
	q_done(q);
	return r;
}

int open_of_branch(struct store *s, struct arena *a, int64_t repo, struct str branch, struct open_commit *out,
                   struct err *e)
{
	struct open_commit o;
	int r = one_of_branch(s, a,
	                      "select " COLUMNS " from open_commit o where o.repo = ? and o.branch = ?"
	                      " and o.state = 'open'",
	                      repo, branch, &o, e);

	if (r != 1 || o.state != OPEN_OPEN)
		return r < 0 ? -1 : 0;
	*out = o;
	return 1;
}

int open_last(struct store *s, struct arena *a, int64_t repo, struct str branch, struct open_commit *out, struct err *e)
{
	return one_of_branch(s, a,
	                     "select " COLUMNS " from open_commit o where o.repo = ? and o.branch = ?"
	                     " order by o.at desc limit 1",
	                     repo, branch, out, e);
}

int open_find(struct store *s, struct arena *a, int64_t repo, struct str id, struct open_commit *out, struct err *e)
{
	struct q *q;
	struct open_commit o;
	int r, more;

	if (id.n < PREFIX_MIN || id.n > ID_HEX)
		return 0;
	q = db_query(s->db, "select " COLUMNS " from open_commit o where o.id >= ?1 and o.id < ?1 || 'g'"
			    " and (?2 = 0 or o.repo = ?2) order by o.id limit 2");
	q_text(q, 1, id);
	q_int(q, 2, repo);
	r = q_step(q, e);
	if (r == 1)
		r = open_row(q, a, &o, e);
	if (r == 1) {
		more = q_step(q, e);
		if (more == 1)
			more = err_set(e, ERR_BAD_REQUEST, "%.*s could be several open commits; give more digits",
				       STR_ARG(id));
		if (more < 0)
			r = -1;
	}
	q_done(q);
	if (r == 1)
		*out = o;
	return r;
}

int open_closed(const struct open_commit *o, struct str repo, struct err *e)
{
	char when[TIME_TEXT];

	time_rfc3339(o->closed, when);
	switch (o->state) {
	case OPEN_FINISHED:
		err_set(e, ERR_REFUSED, "the commit %s of %.*s was finished at %s and never changes", o->id.hex,
			STR_ARG(repo), when);
		return err_hint(e, "put into a branch, or into a new open commit: leat start %.*s@%.*s", STR_ARG(repo),
				STR_ARG(o->branch));
	case OPEN_DROPPED:
		err_set(e, ERR_NOT_FOUND, "the open commit %s of %.*s was dropped at %s", o->id.hex, STR_ARG(repo),
			when);
		break;
	default:
		err_set(e, ERR_NOT_FOUND,
			"the open commit %s of %.*s was dropped: its lease ended at %s, nothing was put into it before",
			o->id.hex, STR_ARG(repo), when);
		break;
	}
	return err_hint(e, "leat start %.*s@%.*s opens another; the setting open_lease says how long it is kept",
			STR_ARG(repo), STR_ARG(o->branch));
}

int open_closed_in(struct store *s, const struct open_commit *o, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(s->db, "select name from repo where id = ?");
	struct str name = STR_NULL;
	int r;

	q_int(q, 1, o->repo);
	r = q_step(q, e);
	if (r == 1)
		name = arena_str(a, q_col_text(q, 0));
	q_done(q);
	return r < 0 ? -1 : open_closed(o, name, e);
}

static int busy(const struct open_commit *o, struct str repo, struct err *e)
{
	char when[TIME_TEXT];

	time_rfc3339(o->at, when);
	err_set(e, ERR_BUSY, "%.*s@%.*s has the open commit %s, started at %s by %.*s", STR_ARG(repo),
		STR_ARG(o->branch), o->id.hex, when, STR_ARG(o->author));
	return err_hint(e, "put into it (leat put %.*s@%.8s ...), or leat finish %.*s@%.*s, or leat drop %.*s@%.8s",
			STR_ARG(repo), o->id.hex, STR_ARG(repo), STR_ARG(o->branch), STR_ARG(repo), o->id.hex);
}

int open_start(struct store *s, struct arena *a, const struct open_new *n, struct open_commit *out, struct err *e)
{
	struct commit head = {.tree = tree_empty_id()};
	struct open_commit o;
	struct q *q;
	int r = open_of_branch(s, a, n->repo.id, n->branch, &o, e);

	BUG_IF(!db_in_write(s->db));
	if (r)
		return r < 0 ? -1 : busy(&o, n->repo.name, e);
	if (branch_head(s, n->repo.id, n->branch, &head, e) < 0)
		return -1;
	o = (struct open_commit){
		.id = n->id,
		.base = head.id,
		.repo = n->repo.id,
		.base_number = head.number,
		.at = clock_now_ms(),
		.branch = n->branch,
		.author = n->author.p ? n->author : str_of(store_who()),
		.message = n->message,
		.meta = n->meta,
		.base_tree = head.tree,
		.tree = head.tree,
	};
	o.expires = o.at + lease_ms(s);
	q = db_query(s->db, "insert into open_commit(id, repo, branch, base, base_number, base_tree, tree, at, expires,"
			    " author, message, meta) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	q_cstr(q, 1, o.id.hex);
	q_int(q, 2, o.repo);
	q_text(q, 3, o.branch);
	q_cstr(q, 4, o.base.hex[0] ? o.base.hex : NULL);
	q_int(q, 5, o.base_number);
	q_sha(q, 6, &o.base_tree);
	q_sha(q, 7, &o.tree);
	q_int(q, 8, o.at);
	q_int(q, 9, o.expires);
	q_text(q, 10, o.author);
	q_text(q, 11, o.message);
	q_text(q, 12, o.meta);
	if (q_run(q, e))
		return -1;
	*out = o;
	return 0;
}

int open_as_commit(struct store *s, const struct open_commit *o, struct commit *out, struct err *e)
{
	struct entry root;

	if (tree_find(s, NULL, &o->tree, STR(""), &root, e) < 0)
		return -1;
	*out = (struct commit){
		.repo = o->repo,
		.id = o->id,
		.parent = o->base,
		.batch = o->id,
		.number = o->base_number + 1,
		.files = root.files,
		.bytes = root.size,
		.at = o->at,
		.tree = o->tree,
		.author = o->author,
		.message = o->message,
		.meta = o->meta,
	};
	return 0;
}

int open_edit(struct store *s, struct ingest *in, const struct open_commit *o, const struct tree_edit *edits, size_t n,
              bool clear, struct commit *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct open_commit now;
	struct entry root;
	struct commit made;
	struct q *q;
	int r = open_find(s, a, o->repo, str_of(o->id.hex), &now, e);

	BUG_IF(!db_in_write(s->db));
	if (r <= 0)
		return r ? -1 : err_set(e, ERR_NOT_FOUND, "the open commit %s is not there", o->id.hex);
	if (now.state != OPEN_OPEN)
		return open_closed_in(s, &now, e);
	if (tree_apply(s, in, clear ? NULL : &now.tree, edits, n, &root, e) ||
	    tree_record(s, in, e))
		return -1;
	q = db_query(s->db, "update open_commit set tree = ?, expires = ? where id = ?");
	q_sha(q, 1, &root.id);
	q_int(q, 2, clock_now_ms() + lease_ms(s));
	q_cstr(q, 3, now.id.hex);
	if (q_run(q, e))
		return -1;
	now.tree = root.id;
	if (open_as_commit(s, &now, &made, e))
		return -1;
	made.author = o->author;
	made.message = o->message;
	made.meta = o->meta;
	*out = made;
	return 0;
}

int open_close(struct store *s, const struct open_commit *o, enum open_state state, struct err *e)
{
	struct q *q = db_query(s->db, "update open_commit set state = ?, closed = ? where id = ? and state = 'open'");

	BUG_IF(!db_in_write(s->db));
	q_cstr(q, 1, states[state]);
	q_int(q, 2, clock_now_ms());
	q_cstr(q, 3, o->id.hex);
	return q_run(q, e);
}

/* --- finishing --- */

static int tell_conflicts(const struct merge *m, const struct open_commit *o, const struct repo *repo, struct err *e)
{
	struct buf b = BUF_INIT(900);

	for (size_t i = 0; i < m->n_conflicts && i < CONFLICTS_NAMED; i++)
		buf_addf(&b, "%s/%.*s", i ? ", " : "", STR_ARG(m->conflicts[i]));
	if (m->n_conflicts > CONFLICTS_NAMED)
		buf_addf(&b, " and %zu more", m->n_conflicts - CONFLICTS_NAMED);
	err_set(e, ERR_CONFLICT, "%.*s@%.*s has changed %s since %s was started, which changes it too",
		STR_ARG(repo->name), STR_ARG(o->branch), b.p, o->id.hex);
	buf_free(&b);
	return err_hint(e, "--force finishes with what was put into the open commit; leat diff shows both");
}

int open_merge(struct store *s, struct ingest *in, const struct open_commit *o, const struct repo *repo,
               struct open_finishing *f, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct commit head = {.tree = tree_empty_id()};
	struct merge_ask ask = {.base = o->base_tree, .tree = o->tree};
	struct merge m;

	if (branch_head(s, repo->id, o->branch, &head, e) < 0)
		return -1;
	ask.onto = head.tree;
	ask.take = f->force ? MERGE_TREE : MERGE_NEITHER;
	if (merge_trees(s, in, a, &ask, &m, e))
		return -1;
	if (m.n_conflicts)
		return tell_conflicts(&m, o, repo, e);
	f->head = head.tree;
	f->tree = o->tree;
	f->root = m.root;
	f->merged = true;
	return 0;
}

int open_finish(struct store *s, struct ingest *in, const struct open_commit *o, const struct repo *repo,
                const struct open_finishing *f, struct commit *out, struct err *e)
{
	struct open_finishing now = *f;
	struct commit head = {.tree = tree_empty_id()};
	struct commit_new c = {
		.repo = *repo,
		.branch = o->branch,
		.id = o->id,
		.batch = o->id,
		.message = f->message.p ? f->message : o->message,
		.author = f->author.p ? f->author : o->author,
		.meta = f->meta.p ? f->meta : o->meta,
		.even_if_equal = true,
		.tree = &now.root,
	};
	bool made;

	BUG_IF(!db_in_write(s->db));
	if (branch_head(s, repo->id, o->branch, &head, e) < 0)
		return -1;
	if ((!f->merged || !sha_eq(&f->head, &head.tree) || !sha_eq(&f->tree, &o->tree)) &&
	    open_merge(s, in, o, repo, &now, e))
		return -1;
	if (commit_make(s, in, &c, out, &made, e) || open_close(s, o, OPEN_FINISHED, e))
		return -1;
	fault_crash("open-finished");
	return 0;
}

/* --- expiry --- */

struct expired {
	struct open_commit o;
	struct str repo;
};

static int expire_one(struct store *s, const struct expired *x, struct err *e)
{
	struct event ev = {.id = x->o.id, .batch = x->o.id, .kind = "expire", .label = ""};

	return event_record(s, &ev, e) || open_close(s, &x->o, OPEN_EXPIRED, e) ? -1 : 0;
}

static int expired_now(struct store *s, struct arena *a, struct expired **out, size_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select " COLUMNS ", r.name from open_commit o join repo r on r.id = o.repo"
				      " where o.state = 'open' and o.expires <= ?");
	VEC(struct expired) all = {0};
	int r;

	q_int(q, 1, clock_now_ms());
	while ((r = q_step(q, e)) == 1) {
		struct expired x;
		r = open_row(q, a, &x.o, e);
		if (r < 0)
			break;
		x.repo = arena_str(a, q_col_text(q, 14));
		vec_push(a, &all, x);
	}
	q_done(q);
	*out = all.p;
	*n = all.n;
	return r < 0 ? -1 : 0;
}

int open_expire(struct store *s, void (*note)(void *ptr, const char *text), void *ptr, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct expired *all;
	size_t n;
	int rc = 0;

	if (expired_now(s, a, &all, &n, e))
		return -1;
	if (!n)
		return 0;
	if (db_begin(s->db, e))
		return -1;
	/* once more: another process may have been first, or have put into one */
	rc = expired_now(s, a, &all, &n, e);
	for (size_t i = 0; !rc && i < n; i++)
		rc = expire_one(s, &all[i], e);
	if (rc) {
		db_rollback(s->db);
		return -1;
	}
	if (db_commit(s->db, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		note(ptr, arena_printf(a, "the open commit %s of %.*s@%.*s was dropped: its lease has ended",
				       all[i].o.id.hex, STR_ARG(all[i].repo), STR_ARG(all[i].o.branch)));
	return 0;
}
