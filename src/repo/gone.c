#include "repo/gone.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/tz.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define NAMED 5
#define PREFIX_MIN 4
#define CHAIN 10000 /* squashes of what a squash led to */

/* The first column of a query by repo and commit as a list: how many rows there are, or -1. */
static int names(struct q *q, const struct commit *c, struct buf *b, struct err *e)
{
	int n = 0, r;

	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	while ((r = q_step(q, e)) == 1) {
		struct str name = q_col_text(q, 0);
		if (n++ < NAMED)
			buf_addf(b, "%s%.*s", n > 1 ? ", " : "", STR_ARG(name));
	}
	q_done(q);
	if (n > NAMED)
		buf_addf(b, " and %d more", n - NAMED);
	return r < 0 ? -1 : n;
}

#define HEADS "select name from branch where repo = ? and head = ? order by name"
#define TAGS "select name from tag where repo = ? and commit_id = ? order by name"
#define BASES                                                                                                          \
	"select o.name from workspace_base w join workspace_branch o on o.id = w.branch"                               \
	" where w.repo = ? and w.base = ? order by o.name"
#define CHILDREN                                                                                                       \
	"select '.' || number || ' (' || substr(id, 1, 8) || ')' from commits"                                         \
	" where repo = ? and parent = ? order by number"

static int refuse(const struct repo *r, const struct commit *c, const char *why, const char *list, struct err *e)
{
	return err_set(e, ERR_REFUSED, "%.*s.%lld (%.8s) %s%s", STR_ARG(r->name), (long long)c->number, c->id.hex, why,
		       list);
}

static int refuse_held(struct store *s, const struct repo *r, const struct commit *c, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(600);
	int n = names(db_query(s->db, TAGS), c, &b, e);

	if (n < 0)
		return -1;
	if (n) {
		refuse(r, c, "is tagged ", b.p, e);
		return err_hint(e, "leat tag --delete %.*s@TAG takes the tag away first", STR_ARG(r->name));
	}
	n = overlay_any(s) ? names(db_query(s->db, BASES), c, &b, e) : 0;
	if (n <= 0)
		return n;
	refuse(r, c, "is what workspace branches began from: ", b.p, e);
	return err_hint(e, "leat merge or leat branch --delete ends one first");
}

static int record(struct store *s, const struct commit *c, const char *how, const char *into, struct id event,
                  struct err *e)
{
	/* Of one whose data were forgotten, what stands there is the tree that somebody may still read. */
	struct q *q = db_query(s->db, "insert or replace into gone(repo, id, number, tree, how, into_id, event, at)"
				      " values(?1, ?2, ?3, coalesce((select tree from gone where repo = ?1 and id = ?2"
				      " and how = 'forgotten'), ?4), ?5, ?6, ?7, ?8)");

	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	q_int(q, 3, c->number);
	q_sha(q, 4, &c->tree);
	q_cstr(q, 5, how);
	q_cstr(q, 6, into);
	q_cstr(q, 7, event.hex);
	q_int(q, 8, clock_now_ms());
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "update open_commit set base = ?3 where repo = ?1 and base = ?2 and state = 'open'");
	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	q_cstr(q, 3, c->parent.hex[0] ? c->parent.hex : NULL);
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "delete from commits where repo = ? and id = ?");
	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	return q_run(q, e);
}

int gone_squash(struct store *s, const struct repo *r, const struct commit *c, struct id event, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(600);
	struct id child = {""};
	struct q *q;
	int n;

	BUG_IF(!db_in_write(s->db));
	if (refuse_held(s, r, c, e))
		return -1;
	n = names(db_query(s->db, HEADS), c, &b, e);
	if (n < 0)
		return -1;
	if (n) {
		refuse(r, c, "is the head of ", b.p, e);
		return err_hint(e, "squash leaves what comes after, and nothing does; leat drop takes a head away");
	}
	q = db_query(s->db, "select id from commits where repo = ? and parent = ? order by number limit 1");
	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	n = q_step(q, e);
	if (n == 1)
		child = id_of(q_col_text(q, 0));
	q_done(q);
	if (n < 0)
		return -1;
	if (!n) {
		refuse(r, c, "has no commit after it", "", e);
		return err_hint(e, "squash leaves what comes after it; leat drop takes the last one away");
	}
	q = db_query(s->db, "update commits set parent = ?3 where repo = ?1 and parent = ?2");
	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	q_cstr(q, 3, c->parent.hex[0] ? c->parent.hex : NULL);
	if (q_run(q, e) || record(s, c, "squashed", child.hex, event, e))
		return -1;
	fault_crash("commit-squashed");
	return 0;
}

static int move_heads(struct store *s, const struct commit *c, struct id event, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(s->db, HEADS);
	VEC(struct str) branches = {0};
	int r;

	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	while ((r = q_step(q, e)) == 1)
		vec_push(a, &branches, arena_str(a, q_col_text(q, 0)));
	q_done(q);
	for (size_t i = 0; r >= 0 && i < branches.n; i++)
		if (branch_move(s, c->repo, branches.p[i], c->parent.hex[0] ? &c->parent : NULL, event, e))
			return -1;
	return r < 0 ? -1 : 0;
}

/* A branch is not led back to a commit that has no data any more: all its files would seem to be deleted. */
static int refuse_to_forgotten(struct store *s, const struct repo *r, const struct commit *c, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(600);
	struct commit before = {0};
	int n = names(db_query(s->db, HEADS), c, &b, e);

	if (n <= 0 || !c->parent.hex[0])
		return n < 0 ? -1 : 0;
	if (commit_find(s, c->repo, str_of(c->parent.hex), &before, e) < 0)
		return -1;
	if (!before.forgotten)
		return 0;
	refuse(r, c, "comes after a commit whose data were forgotten, and is the head of ", b.p, e);
	return err_hint(e, "put what is to stand there, or leat rm it");
}

int gone_drop(struct store *s, const struct repo *r, const struct commit *c, struct id event, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(600);
	int n;

	BUG_IF(!db_in_write(s->db));
	if (refuse_held(s, r, c, e))
		return -1;
	n = names(db_query(s->db, CHILDREN), c, &b, e);
	if (n < 0)
		return -1;
	if (n) {
		refuse(r, c, "has commits after it: ", b.p, e);
		return err_hint(e, "drop those first; leat squash takes one out of the middle");
	}
	if (refuse_to_forgotten(s, r, c, e) || move_heads(s, c, event, e) || record(s, c, "dropped", NULL, event, e))
		return -1;
	fault_crash("commit-dropped");
	return 0;
}

struct found {
	struct id id, into;
	int64_t number, at;
	bool squashed;
};

static int find(struct store *s, int64_t repo, struct str id, struct found *out, struct err *e)
{
	struct q *q = db_query(s->db, "select id, number, how, into_id, at from gone where repo = ?1 and id >= ?2"
				      " and id < ?2 || 'g' order by id limit 2");
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, id);
	r = q_step(q, e);
	if (r == 1) {
		out->id = id_of(q_col_text(q, 0));
		out->number = q_col_int(q, 1);
		out->squashed = str_is(q_col_text(q, 2), "squashed");
		out->into = id_of(q_col_text(q, 3));
		out->at = q_col_int(q, 4);
	}
	q_done(q);
	return r;
}

int gone_tell(struct store *s, const struct repo *r, struct str id, struct err *e)
{
	struct found f, next;
	struct commit into;
	char when[TIME_TEXT];
	int got = id.n < PREFIX_MIN || id.n > ID_HEX ? 0 : find(s, r->id, id, &f, e), there = 0;

	if (got <= 0)
		return got;
	time_rfc3339(f.at, when);
	if (!f.squashed) {
		err_set(e, ERR_NOT_FOUND, "the commit %s of %.*s (number %lld) was dropped at %s", f.id.hex,
			STR_ARG(r->name), (long long)f.number, when);
		return 1;
	}
	/* what it was squashed into may have been squashed since */
	next = f;
	for (int i = 0; i < CHAIN; i++) {
		there = commit_find(s, r->id, str_of(next.into.hex), &into, e);
		if (there || !next.into.hex[0])
			break;
		got = find(s, r->id, str_of(next.into.hex), &next, e);
		if (got <= 0)
			break;
	}
	if (there < 0 || got < 0)
		return -1;
	err_set(e, ERR_NOT_FOUND, "the commit %s of %.*s (number %lld) was squashed into %s at %s", f.id.hex,
		STR_ARG(r->name), (long long)f.number, there ? into.id.hex : "what was dropped later", when);
	if (there)
		err_hint(e, "%.*s@%.8s, number %lld, holds its changes", STR_ARG(r->name), into.id.hex,
			 (long long)into.number);
	return 1;
}

int gone_tell_number(struct store *s, const struct repo *r, int64_t number, struct err *e)
{
	struct q *q = db_query(s->db, "select id from gone where repo = ? and number = ? order by at desc limit 1");
	struct id id = {""};
	int got;

	q_int(q, 1, r->id);
	q_int(q, 2, number);
	got = q_step(q, e);
	if (got == 1)
		id = id_of(q_col_text(q, 0));
	q_done(q);
	return got <= 0 ? got : gone_tell(s, r, str_of(id.hex), e);
}
