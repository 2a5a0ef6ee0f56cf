#include "repo/refs.h"

#include "base/buf.h"
#include "base/str.h"
#include "repo/overlay.h"
#include "sys/clock.h"

#define NAMED 12

static int list(struct q *q, struct arena *a, struct ref **out, size_t *n, struct err *e)
{
	VEC(struct ref) all = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct ref ref = {.name = arena_str(a, q_col_text(q, 0)),
		                  .commit = id_of(q_col_text(q, 1)),
		                  .number = q_col_int(q, 2),
		                  .at = q_col_int(q, 3),
		                  .open = id_of(q_col_text(q, 4))};
		vec_push(a, &all, ref);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = all.p;
	*n = all.n;
	return 0;
}

int refs_branches(struct store *s, struct arena *a, int64_t repo, struct ref **out, size_t *n, struct err *e)
{
	/* one that was only started has no row yet */
	struct q *q = db_query(s->db,
			       "select b.name, b.head, c.number, c.at, o.id from branch b"
			       " left join commits c on c.repo = b.repo and c.id = b.head"
			       " left join open_commit o on o.repo = b.repo and o.branch = b.name and o.state = 'open'"
			       " and o.expires > ?2 where b.repo = ?1"
			       " union all select o.branch, null, null, null, o.id from open_commit o"
			       " where o.repo = ?1 and o.state = 'open' and o.expires > ?2 and not exists"
			       " (select 1 from branch b where b.repo = o.repo and b.name = o.branch) order by 1");

	q_int(q, 1, repo);
	q_int(q, 2, clock_now_ms());
	return list(q, a, out, n, e);
}

int refs_tags(struct store *s, struct arena *a, int64_t repo, struct ref **out, size_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select t.name, t.commit_id, c.number, t.at, null from tag t"
				      " left join commits c on c.repo = t.repo and c.id = t.commit_id"
				      " where t.repo = ? order by t.name");

	q_int(q, 1, repo);
	return list(q, a, out, n, e);
}

static int one_id(struct q *q, int64_t repo, struct str name, struct id *out, struct err *e)
{
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, name);
	r = q_step(q, e);
	if (r == 1)
		*out = id_of(q_col_text(q, 0));
	q_done(q);
	return r;
}

int refs_branch_row(struct store *s, int64_t repo, struct str name, struct err *e)
{
	struct id ignored;

	return one_id(db_query(s->db, "select head from branch where repo = ? and name = ?"), repo, name, &ignored, e);
}

int refs_has_branch(struct store *s, int64_t repo, struct str name, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = NULL;
	struct overlay o;
	int r;

	if (str_is(name, BRANCH_DEFAULT))
		return 1;
	r = refs_branch_row(s, repo, name, e);
	if (r)
		return r;
	a = arena_new();
	return overlay_find(s, a, name, &o, e);
}

int refs_tag(struct store *s, int64_t repo, struct str name, struct id *out, struct err *e)
{
	return one_id(db_query(s->db, "select commit_id from tag where repo = ? and name = ?"), repo, name, out, e);
}

static int not_there(const struct repo *r, const char *what, struct str name, const struct ref *refs, size_t n,
                     struct err *e)
{
	struct buf b = BUF_INIT(400);

	for (size_t i = 0; i < n && i < NAMED; i++)
		buf_addf(&b, "%s%.*s", i ? ", " : "it has ", STR_ARG(refs[i].name));
	err_set(e, ERR_NOT_FOUND, "%.*s has no %s %.*s", STR_ARG(r->name), what, STR_ARG(name));
	if (b.n)
		err_hint(e, "%s%s", b.p, n > NAMED ? ", ..." : "");
	buf_free(&b);
	return -1;
}

int refs_drop_branch(struct store *s, const struct repo *r, struct str name, struct id event, struct err *e)
{
	struct q *q;

	if (branch_move(s, r->id, name, NULL, event, e))
		return -1;
	q = db_query(s->db, "delete from branch where repo = ? and name = ?");
	q_int(q, 1, r->id);
	q_text(q, 2, name);
	return q_run(q, e);
}

/* Of a workspace branch the repo is read at master again. */
static int delete_branch(struct store *s, struct arena *a, const struct repo *r, struct str name, struct id event,
                         struct err *e)
{
	struct overlay o;
	int is_overlay = overlay_find(s, a, name, &o, e);

	if (is_overlay < 0)
		return -1;
	return is_overlay ? overlay_forget(s, &o, r, event, e) : refs_drop_branch(s, r, name, event, e);
}

int refs_delete_branch(struct store *s, const struct repo *r, struct str name, struct id event, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct ref *refs;
	size_t n;

	BUG_IF(!db_in_write(s->db));
	if (str_is(name, BRANCH_DEFAULT)) {
		err_set(e, ERR_REFUSED, "%.*s of %.*s cannot be deleted: it is the branch that datastore/ shows",
		        STR_ARG(name), STR_ARG(r->name));
		return err_hint(e, "leat branch %.*s@%.*s --head PIN moves it; leat rm --repo ends the repo",
		                STR_ARG(r->name), STR_ARG(name));
	}
	if (refs_branches(s, a, r->id, &refs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(refs[i].name, name))
			continue;
		if (refs[i].open.hex[0]) {
			err_set(e, ERR_REFUSED, "the branch %.*s has the open commit %s", STR_ARG(name),
			        refs[i].open.hex);
			return err_hint(e, "finish or drop it first: leat drop %.*s@%.8s", STR_ARG(r->name),
			                refs[i].open.hex);
		}
		return delete_branch(s, a, r, name, event, e);
	}
	return not_there(r, "branch", name, refs, n, e);
}

int refs_set_tag(struct store *s, const struct repo *r, struct str name, struct id commit, bool force, struct err *e)
{
	struct id had;
	struct q *q;
	int is_branch = refs_has_branch(s, r->id, name, e), tagged;

	BUG_IF(!db_in_write(s->db));
	if (is_branch < 0)
		return -1;
	if (is_branch)
		return err_set(e, ERR_REFUSED, "%.*s is a branch of %.*s, so no tag can have that name", STR_ARG(name),
		               STR_ARG(r->name));
	tagged = refs_tag(s, r->id, name, &had, e);
	if (tagged < 0)
		return -1;
	if (tagged && !force && strcmp(had.hex, commit.hex)) {
		err_set(e, ERR_REFUSED, "the tag %.*s of %.*s names %s already", STR_ARG(name), STR_ARG(r->name),
		        had.hex);
		return err_hint(e, "--force moves it");
	}
	q = db_query(s->db, "insert or replace into tag(repo, name, commit_id, at) values(?, ?, ?, ?)");
	q_int(q, 1, r->id);
	q_text(q, 2, name);
	q_cstr(q, 3, commit.hex);
	q_int(q, 4, clock_now_ms());
	return q_run(q, e);
}

int refs_delete_tag(struct store *s, const struct repo *r, struct str name, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct ref *refs;
	struct id had;
	size_t n;
	struct q *q;
	int tagged = refs_tag(s, r->id, name, &had, e);

	BUG_IF(!db_in_write(s->db));
	if (tagged < 0)
		return -1;
	if (!tagged)
		return refs_tags(s, a, r->id, &refs, &n, e) ? -1 : not_there(r, "tag", name, refs, n, e);
	q = db_query(s->db, "delete from tag where repo = ? and name = ?");
	q_int(q, 1, r->id);
	q_text(q, 2, name);
	return q_run(q, e);
}
