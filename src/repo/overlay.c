#include "repo/overlay.h"

#include "base/buf.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/gone.h"
#include "repo/open.h"
#include "repo/refs.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define USED_MS 60000 /* how exactly it is noted when a branch was last written to */

#define COLUMNS "id, name, who, created, used, frozen"

static void read_row(struct q *q, struct arena *a, struct overlay *out)
{
	*out = (struct overlay){
		.id = q_col_int(q, 0),
		.name = arena_str(a, q_col_text(q, 1)),
		.who = arena_str(a, q_col_text(q, 2)),
		.created = q_col_int(q, 3),
		.used = q_col_int(q, 4),
		.frozen = q_col_int(q, 5),
	};
}

bool overlay_any(struct store *s)
{
	return db_has_set(s->db, DB_SET_BRANCHES);
}

int overlay_find(struct store *s, struct arena *a, struct str name, struct overlay *out, struct err *e)
{
	struct q *q;
	int r;

	if (!overlay_any(s))
		return 0;
	q = db_query(s->db, "select " COLUMNS " from workspace_branch where name = ? and ended is null");
	q_text(q, 1, name);
	r = q_step(q, e);
	if (r == 1)
		read_row(q, a, out);
	q_done(q);
	return r;
}

int overlay_list(struct store *s, struct arena *a, struct overlay **out, size_t *n, struct err *e)
{
	VEC(struct overlay) all = {0};
	struct q *q;
	int r;

	*out = NULL;
	*n = 0;
	if (!overlay_any(s))
		return 0;
	q = db_query(s->db, "select " COLUMNS " from workspace_branch where ended is null order by name");
	while ((r = q_step(q, e)) == 1) {
		struct overlay o;

		read_row(q, a, &o);
		vec_push(a, &all, o);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = all.p;
	*n = all.n;
	return 0;
}

int overlay_not_found(struct store *s, struct str name, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct overlay *all;
	struct str *names;
	size_t n;
	int near;

	if (overlay_list(s, a, &all, &n, e))
		return -1;
	names = arena_array(a, struct str, n);
	for (size_t i = 0; i < n; i++)
		names[i] = all[i].name;
	near = str_nearest(name, names, n);
	err_set(e, ERR_NOT_FOUND, "there is no workspace branch %s", STR_SHOWN(name));
	if (near >= 0)
		return err_hint(e, "did you mean %.*s?", STR_ARG(names[near]));
	return n ? err_hint(e, "leat branch lists them; leat branch NAME makes one")
	         : err_hint(e, "there are none yet: leat branch NAME makes one");
}

int overlay_use(struct store *s, struct arena *a, struct str name, struct err *e)
{
	struct overlay *o;
	int r;

	if (!name.n || str_is(name, BRANCH_DEFAULT)) {
		s->on = NULL;
		return 0;
	}
	o = arena_new_of(a, struct overlay);
	r = overlay_find(s, a, name, o, e);
	if (r <= 0)
		return r < 0 ? -1 : overlay_not_found(s, name, e);
	s->on = o;
	return 0;
}

struct str store_branch(const struct store *s)
{
	return s->on ? s->on->name : STR(BRANCH_DEFAULT);
}

struct str overlay_key(const struct store *s, struct arena *a, struct str job)
{
	return s->on ? arena_strf(a, "%.*s@%.*s", STR_ARG(job), STR_ARG(s->on->name)) : job;
}

/* --- what it has of each repo --- */

static const char *const states[] = {"", "written", "frozen", "removed"};

static void read_base(struct q *q, const struct overlay *o, struct overlay_base *out)
{
	struct str state = q_col_text(q, 3);

	*out = (struct overlay_base){
		.num = q_col_int(q, 0), .repo.id = q_col_int(q, 1), .base = id_of(q_col_text(q, 2))};
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (str_is(state, states[i]))
			out->state = (enum overlay_state)i;
	out->made_here = q_col_int(q, 4) == o->id;
}

#define BASE_COLUMNS "w.num, w.repo, w.base, w.state, r.made_on"

int overlay_base(struct store *s, const struct overlay *o, int64_t repo, struct overlay_base *out, struct err *e)
{
	struct q *q = db_query(s->db, "select " BASE_COLUMNS " from workspace_base w join repo r on r.id = w.repo"
	                              " where w.branch = ? and w.repo = ?");
	int r;

	q_int(q, 1, o->id);
	q_int(q, 2, repo);
	r = q_step(q, e);
	if (r == 1)
		read_base(q, o, out);
	q_done(q);
	return r;
}

static enum repo_role role_of(struct str word)
{
	return str_is(word, "output") ? REPO_OUTPUT : str_is(word, "system") ? REPO_SYSTEM : REPO_SOURCE;
}

int overlay_bases(struct store *s, struct arena *a, const struct overlay *o, struct overlay_base **out, size_t *n,
                  struct err *e)
{
	struct q *q = db_query(s->db, "select " BASE_COLUMNS ", r.name, r.role, r.job from workspace_base w"
	                              " join repo r on r.id = w.repo where w.branch = ? order by r.name, r.id");
	VEC(struct overlay_base) all = {0};
	int r;

	q_int(q, 1, o->id);
	while ((r = q_step(q, e)) == 1) {
		struct overlay_base b;

		read_base(q, o, &b);
		b.repo.name = arena_str(a, q_col_text(q, 5));
		b.repo.role = role_of(q_col_text(q, 6));
		b.repo.job = q_col_is_null(q, 7) ? STR_NULL : arena_str(a, q_col_text(q, 7));
		vec_push(a, &all, b);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = all.p;
	*n = all.n;
	return 0;
}

int overlay_head(struct store *s, const struct overlay *o, int64_t repo, struct commit *out, struct err *e)
{
	struct overlay_base b = {.state = OVERLAY_MASTER};
	int r = o ? overlay_base(s, o, repo, &b, e) : 0;

	if (r < 0)
		return -1;
	switch (b.state) {
	case OVERLAY_MASTER:
		return o && o->frozen ? 0 : branch_head(s, repo, STR(BRANCH_DEFAULT), out, e);
	case OVERLAY_WRITTEN:
		return commit_of_branch(s, repo, o->name, out, e);
	case OVERLAY_FROZEN:
		return b.base.hex[0] ? commit_find(s, repo, str_of(b.base.hex), out, e) : 0;
	case OVERLAY_REMOVED:
		break;
	}
	return 0;
}

int overlay_head_named(struct store *s, int64_t repo, struct str name, struct commit *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = NULL;
	struct overlay o;
	int r;

	if (s->on && str_eq(s->on->name, name))
		return overlay_head(s, s->on, repo, out, e);
	a = arena_new();
	r = overlay_find(s, a, name, &o, e);
	return r > 0 ? overlay_head(s, &o, repo, out, e) : r;
}

void overlay_bind(const struct store *s, struct q *q)
{
	q_int(q, 1, s->on->id);
	q_int(q, 2, s->on->frozen);
}

int overlay_shows(struct store *s, int64_t repo, struct err *e)
{
	struct q *q =
		db_query(s->db, s->on ? "select 1 from repo r left join workspace_base w on w.repo = r.id"
	                                " and w.branch = ?1 where " OVERLAY_SHOWS " and r.id = ?3"
	                              : "select 1 from repo r where ended is null and made_on is null and id = ?3");
	int r;

	if (s->on)
		overlay_bind(s, q);
	q_int(q, 3, repo);
	r = q_step(q, e);
	q_done(q);
	return r;
}

int overlay_head_at(struct store *s, int64_t repo, int64_t at_ms, struct id *out, struct err *e)
{
	struct str names[] = {store_branch(s), STR(BRANCH_DEFAULT)};
	int r = 0;

	/* before its first write it was master that was read */
	for (size_t i = 0; i < 2 && !r; i++) {
		struct q *q = db_query(
			s->db, "select new from head_move where repo = ?1 and branch = ?2 and at between ?4 and ?3"
			       " order by seq desc limit 1");
		q_int(q, 1, repo);
		q_text(q, 2, names[i]);
		q_int(q, 3, at_ms);
		q_int(q, 4, !i && s->on ? s->on->created : 0);
		r = q_step(q, e);
		if (r == 1)
			*out = id_of(q_col_text(q, 0));
		q_done(q);
	}
	return r > 0 ? out->hex[0] != 0 : r;
}

int overlay_state_id(struct store *s, int64_t repo, int64_t *out, struct err *e)
{
	struct overlay_base b;
	int r = s->on ? overlay_base(s, s->on, repo, &b, e) : 0;

	if (r < 0)
		return -1;
	*out = !s->on ? repo : r && b.state == OVERLAY_WRITTEN ? -b.num : 0;
	return 0;
}

/* --- making --- */

/* A repo's own branch or tag of that name: 1 and *e filled. */
static int taken(struct store *s, struct str name, struct err *e)
{
	static const struct {
		const char *sql, *what;
	} rows[] = {
		{"select r.name from branch b join repo r on r.id = b.repo where b.name = ? and r.ended is null",
		 "branch"},
		{"select r.name from tag t join repo r on r.id = t.repo where t.name = ? and r.ended is null limit 1",
	         "tag"},
		{"select r.name from open_commit o join repo r on r.id = o.repo where o.branch = ? and o.state = 'open'"
	         " and r.ended is null limit 1",
		 "branch"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct q *q = db_query(s->db, rows[i].sql);
		int r;

		q_text(q, 1, name);
		r = q_step(q, e);
		if (r == 1) {
			struct str repo = q_col_text(q, 0);

			err_set(e, ERR_REFUSED,
			        "%.*s has a %s %.*s of its own, so no workspace branch can have that name",
			        STR_ARG(repo), rows[i].what, STR_ARG(name));
			err_hint(e, "take another name, or take that one away: leat %s --delete %.*s@%.*s",
			         rows[i].what, STR_ARG(repo), STR_ARG(name));
		}
		q_done(q);
		if (r)
			return r;
	}
	return 0;
}

int overlay_make(struct store *s, struct arena *a, struct str name, bool freeze, struct overlay *out, struct err *e)
{
	int64_t now = clock_now_ms();
	struct overlay had;
	struct q *q;
	int r;

	BUG_IF(!db_in_write(s->db));
	if (str_is(name, BRANCH_DEFAULT)) {
		err_set(e, ERR_REFUSED, "%s is what every repo has already", BRANCH_DEFAULT);
		return err_hint(e, "a workspace branch has a name of its own: leat branch price-fix");
	}
	if (name_check_branch(name, e))
		return -1;
	if (db_make_set(s->db, DB_SET_BRANCHES, e))
		return -1;
	r = overlay_find(s, a, name, &had, e);
	if (r < 0)
		return -1;
	if (r) {
		err_set(e, ERR_REFUSED, "there is a workspace branch %.*s already", STR_ARG(name));
		return err_hint(e, "leat branch --delete %.*s ends it; --on %.*s works on it", STR_ARG(name),
		                STR_ARG(name));
	}
	if (taken(s, name, e))
		return -1;
	q = db_query(s->db, "insert into workspace_branch(name, created, used, who, frozen) values(?, ?, ?, ?, ?)");
	q_text(q, 1, name);
	q_int(q, 2, now);
	q_int(q, 3, now);
	q_cstr(q, 4, store_who());
	q_int(q, 5, freeze);
	if (q_run(q, e))
		return -1;
	*out = (struct overlay){.id = db_last_rowid(s->db),
	                        .name = arena_str(a, name),
	                        .created = now,
	                        .used = now,
	                        .who = str_of(store_who()),
	                        .frozen = freeze};
	if (!freeze)
		return 0;
	q = db_query(s->db,
	             "insert into workspace_base(branch, repo, base, state)"
	             " select ?, r.id, b.head, 'frozen' from repo r"
	             " left join branch b on b.repo = r.id and b.name = '" BRANCH_DEFAULT "'"
	             " where r.ended is null and r.made_on is null");
	q_int(q, 1, out->id);
	return q_run(q, e);
}

/* --- writing --- */

static int run_by(struct store *s, const char *sql, int64_t a, int64_t b, struct err *e)
{
	struct q *q = db_query(s->db, sql);

	q_int(q, 1, a);
	q_int(q, 2, b);
	return q_run(q, e);
}

static int set_base(struct store *s, const struct overlay *o, int64_t repo, const struct id *base, struct err *e)
{
	struct q *q =
		db_query(s->db, "insert into workspace_base(branch, repo, base, state) values(?, ?, ?, 'written')"
	                        " on conflict(branch, repo) do update set state = 'written', base = excluded.base");

	q_int(q, 1, o->id);
	q_int(q, 2, repo);
	q_cstr(q, 3, base && base->hex[0] ? base->hex : NULL);
	return q_run(q, e);
}

int overlay_alive(struct store *s, struct err *e)
{
	struct q *q;
	int r;

	if (!s->on)
		return 0;
	q = db_query(s->db, "select 1 from workspace_branch where id = ? and ended is null");
	q_int(q, 1, s->on->id);
	r = q_step(q, e);
	q_done(q);
	if (r)
		return r < 0 ? -1 : 0;
	err_set(e, ERR_CONFLICT, "the workspace branch %.*s has ended meanwhile", STR_ARG(s->on->name));
	return err_hint(e, "leat branch %.*s begins another; what was computed is known there", STR_ARG(s->on->name));
}

int overlay_moving(struct store *s, int64_t repo, struct str branch, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct commit head = {0};
	struct overlay_base b;
	struct overlay o;
	int r = overlay_find(s, a, branch, &o, e), had;

	if (!r && s->on && str_eq(s->on->name, branch))
		return overlay_alive(s, e);
	if (r <= 0)
		return r;
	if (o.used + USED_MS < clock_now_ms() &&
	    run_by(s, "update workspace_branch set used = ?1 where id = ?2", clock_now_ms(), o.id, e))
		return -1;
	had = overlay_base(s, &o, repo, &b, e);
	if (had < 0 || (had && b.state == OVERLAY_WRITTEN))
		return had < 0 ? -1 : 0;
	if (had) /* what it was frozen at, or had before it was removed */
		return set_base(s, &o, repo, &b.base, e);
	r = o.frozen ? 0 : branch_head(s, repo, STR(BRANCH_DEFAULT), &head, e);
	if (r < 0 || set_base(s, &o, repo, r ? &head.id : NULL, e))
		return -1;
	fault_crash("overlay-base");
	if (r || o.frozen)
		return 0;
	return run_by(s,
	              "update repo set made_on = ?1 where id = ?2 and made_on is null and not exists"
	              " (select 1 from branch where repo = ?2)",
	              o.id, repo, e);
}

int overlay_rebase(struct store *s, const struct overlay *o, int64_t repo, const struct id *base, struct err *e)
{
	BUG_IF(!db_in_write(s->db));
	return set_base(s, o, repo, base, e);
}

/* --- ending --- */

/* What is remembered beside its commits: what partitions were made from, how far data-driven jobs are. */
static int drop_state(struct store *s, const struct overlay *o, const struct overlay_base *b, struct err *e)
{
	static const char *const data[] = {
		"delete from datum_file where datum in (select num from datum where repo = ?1) or repo = ?1",
		"delete from datum_in where datum in (select num from datum where repo = ?1)",
		"delete from datum where repo = ?1",
	};

	if (run_by(s, "delete from current_on where branch = ?1 and repo = ?2", o->id, b->repo.id, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(data) && db_has_data(s->db); i++) {
		struct q *q = db_query(s->db, data[i]);

		q_int(q, 1, -b->num);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

/* How far data-driven jobs are there: rows named JOB@BRANCH (overlay_key); of one output, or of all (0). */
static int drop_jobs(struct store *s, const struct overlay *o, int64_t repo, struct err *e)
{
	struct q *q;

	if (!db_has_data(s->db))
		return 0;
	q = db_query(s->db, "delete from data_job where job like '%@%' and substr(job, instr(job, '@') + 1) = ?1"
	                    " and (?2 = 0 or repo = ?2)");
	q_text(q, 1, o->name);
	q_int(q, 2, repo);
	return q_run(q, e);
}

/* Commits that nobody comes to any more, from the head of what was the branch down. Tags, heads and open commits hold.
 */
static int drop_commits(struct store *s, const struct overlay_base *b, struct id head, struct id event, struct err *e)
{
	static const char held[] =
		"select 1 from branch where repo = ?1 and head = ?2"
		" union all select 1 from tag where repo = ?1 and commit_id = ?2"
		" union all select 1 from commits where repo = ?1 and parent = ?2"
		" union all select 1 from workspace_base where repo = ?1 and base = ?2"
		" union all select 1 from open_commit where repo = ?1 and base = ?2 and state = 'open' limit 1";

	while (head.hex[0] && strcmp(head.hex, b->base.hex)) {
		struct commit c;
		struct q *q = db_query(s->db, held);
		int r;

		q_int(q, 1, b->repo.id);
		q_cstr(q, 2, head.hex);
		r = q_step(q, e);
		q_done(q);
		if (r)
			return r < 0 ? -1 : 0;
		r = commit_find(s, b->repo.id, str_of(head.hex), &c, e);
		if (r <= 0)
			return r;
		/* what partitions of it were made from is nobody's to fall back to */
		q = db_query(s->db, "delete from made where repo = ? and commit_id = ?");
		q_int(q, 1, b->repo.id);
		q_cstr(q, 2, head.hex);
		if (gone_drop(s, &b->repo, &c, event, e) || q_run(q, e))
			return -1;
		head = c.parent;
	}
	return 0;
}

/* Repos that master has nothing of (one of them, or all: 0): another branch may have them, else they end. */
static int end_repos(struct store *s, const struct overlay *o, int64_t only, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(s->db, "select r.id, (select w.branch from workspace_base w where w.repo = r.id"
	                              " and w.branch <> ?1 order by w.num limit 1) from repo r"
	                              " where r.made_on = ?1 and r.ended is null and (?2 = 0 or r.id = ?2)");
	struct made {
		int64_t repo, other;
	};
	VEC(struct made) all = {0};
	int r;

	q_int(q, 1, o->id);
	q_int(q, 2, only);
	while ((r = q_step(q, e)) == 1) {
		struct made m = {q_col_int(q, 0), q_col_int(q, 1)};

		vec_push(a, &all, m);
	}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < all.n; i++) {
		struct repo repo = {.id = all.p[i].repo};

		if (all.p[i].other ? run_by(s, "update repo set made_on = ?1 where id = ?2", all.p[i].other, repo.id, e)
		                   : repo_end(s, &repo, e))
			return -1;
	}
	return r < 0 ? -1 : 0;
}

/* Takes the branch's own branch of a repo away, and with `drop` the commits that nobody else shows. */
static int take_away(struct store *s, const struct overlay *o, const struct overlay_base *b, bool drop, struct id event,
                     struct err *e)
{
	struct commit head = {0};
	int r = commit_of_branch(s, b->repo.id, o->name, &head, e), there;

	if (r < 0 || drop_state(s, o, b, e) || drop_jobs(s, o, b->repo.id, e))
		return -1;
	there = refs_branch_row(s, b->repo.id, o->name, e);
	if (there < 0 || (there && refs_drop_branch(s, &b->repo, o->name, event, e)) || /* while the base stands */
	    run_by(s, "delete from workspace_base where branch = ?1 and repo = ?2", o->id, b->repo.id, e))
		return -1;
	return r && drop ? drop_commits(s, b, head.id, event, e) : 0;
}

int overlay_remove(struct store *s, const struct overlay *o, const struct repo *r, struct id event, struct err *e)
{
	struct overlay_base b = {0};
	struct commit head = {0};
	struct q *q;
	int had = overlay_base(s, o, r->id, &b, e), is_there;

	BUG_IF(!db_in_write(s->db));
	if (had < 0)
		return -1;
	if (had) {
		b.repo = *r;
		if (take_away(s, o, &b, true, event, e))
			return -1;
		if (b.made_here)
			return end_repos(s, o, r->id, e);
	} else {
		is_there = o->frozen ? 0 : branch_head(s, r->id, STR(BRANCH_DEFAULT), &head, e);
		if (is_there < 0)
			return -1;
		b.base = head.id;
	}
	q = db_query(s->db, "insert into workspace_base(branch, repo, base, state) values(?, ?, ?, 'removed')");
	q_int(q, 1, o->id);
	q_int(q, 2, r->id);
	q_cstr(q, 3, b.base.hex[0] ? b.base.hex : NULL);
	return q_run(q, e);
}

int overlay_forget(struct store *s, const struct overlay *o, const struct repo *r, struct id event, struct err *e)
{
	struct overlay_base b = {0};
	struct q *q;
	int had = overlay_base(s, o, r->id, &b, e);

	BUG_IF(!db_in_write(s->db));
	if (had <= 0)
		return had;
	b.repo = *r;
	if (take_away(s, o, &b, true, event, e))
		return -1;
	if (b.made_here)
		return end_repos(s, o, r->id, e);
	if (!o->frozen)
		return 0;
	q = db_query(s->db, "insert into workspace_base(branch, repo, base, state) values(?, ?, ?, 'frozen')");
	q_int(q, 1, o->id);
	q_int(q, 2, r->id);
	q_cstr(q, 3, b.base.hex[0] ? b.base.hex : NULL);
	return q_run(q, e);
}

int overlay_check_based(struct store *s, const struct repo *r, int64_t except, struct err *e)
{
	struct q *q;
	int got;

	if (!overlay_any(s))
		return 0;
	q = db_query(s->db, "select o.name from workspace_base w join workspace_branch o on o.id = w.branch"
	                    " where w.repo = ? and w.state <> 'removed' and o.id <> ? limit 1");
	q_int(q, 1, r->id);
	q_int(q, 2, except);
	got = q_step(q, e);
	if (got == 1) {
		struct str name = q_col_text(q, 0);

		err_set(e, ERR_REFUSED, "the workspace branch %.*s has %.*s", STR_ARG(name), STR_ARG(r->name));
		err_hint(e, "leat merge %.*s or leat branch --delete %.*s ends it first", STR_ARG(name), STR_ARG(name));
	}
	q_done(q);
	return got ? -1 : 0;
}

int overlay_check_open(struct store *s, const struct overlay *o, struct err *e)
{
	struct q *q =
		db_query(s->db, "select r.name, c.id from open_commit c join repo r on r.id = c.repo where c.branch = ?"
	                        " and c.state = 'open' and c.expires > ? and r.ended is null limit 1");
	int r;

	q_text(q, 1, o->name);
	q_int(q, 2, clock_now_ms());
	r = q_step(q, e);
	if (r == 1) {
		struct str repo = q_col_text(q, 0), id = q_col_text(q, 1);

		err_set(e, ERR_REFUSED, "%.*s has the open commit %.8s on the workspace branch %.*s", STR_ARG(repo),
		        id.p, STR_ARG(o->name));
		err_hint(e, "finish or drop it first: leat drop %.*s@%.8s", STR_ARG(repo), id.p);
	}
	q_done(q);
	return r ? -1 : 0;
}

int overlay_end(struct store *s, const struct overlay *o, const char *how, struct id event, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	bool drop = strcmp(how, "merged") != 0;
	struct overlay_base *bases;
	struct q *q;
	size_t n;

	BUG_IF(!db_in_write(s->db));
	if (overlay_check_open(s, o, e) || overlay_bases(s, a, o, &bases, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (bases[i].state == OVERLAY_FROZEN)
			continue;
		if (take_away(s, o, &bases[i], drop, event, e))
			return -1;
	}
	fault_crash("overlay-taken-away");
	if (end_repos(s, o, 0, e) || drop_jobs(s, o, 0, e) ||
	    run_by(s, "delete from workspace_base where branch = ?1 and ?2 = ?2", o->id, 0, e) ||
	    run_by(s, "delete from current_on where branch = ?1 and ?2 = ?2", o->id, 0, e))
		return -1;
	q = db_query(s->db, "update workspace_branch set ended = ?, how = ? where id = ?");
	q_int(q, 1, clock_now_ms());
	q_cstr(q, 2, how);
	q_int(q, 3, o->id);
	return q_run(q, e);
}
