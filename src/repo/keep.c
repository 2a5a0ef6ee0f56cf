#include "repo/keep.h"

#include "base/keys.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/gone.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define SLICE_NS 3000000 /* work in one transaction */
#define LAST_MAX 1000000000

int keep_parse(struct str text, struct keep_rule *out, struct err *e)
{
	struct str word, rest;
	struct keep_rule k = {KEEP_ALL, 0};
	int64_t bare;

	if (str_is(text, "all")) {
		*out = k;
		return 0;
	}
	if (str_is(text, "tagged")) {
		*out = (struct keep_rule){KEEP_TAGGED, 0};
		return 0;
	}
	if (str_cut(text, ' ', &word, &rest) && str_is(word, "last") && str_to_i64(rest, &k.n) && k.n > 0 &&
	    k.n < LAST_MAX) {
		k.what = KEEP_LAST;
		*out = k;
		return 0;
	}
	/* "90" could be commits or days, and would be seconds */
	if (!str_to_i64(text, &bare) && keys_duration(text, &k.n) && k.n > 0) {
		k.what = KEEP_AGE;
		*out = k;
		return 0;
	}
	err_set(e, ERR_BAD_REQUEST, "'%s' does not say what to keep", STR_SHOWN(text));
	return err_hint(e, "last 30 (commits of each branch), 90d (what is younger), tagged, or all");
}

int keep_get(struct store *s, struct arena *a, int64_t repo, struct str *rule, struct err *e)
{
	struct q *q = db_query(s->db, "select rule from keep where repo = ?");
	int r;

	q_int(q, 1, repo);
	r = q_step(q, e);
	if (r >= 0)
		*rule = r ? arena_str(a, q_col_text(q, 0)) : STR_NULL;
	q_done(q);
	return r < 0 ? -1 : 0;
}

int keep_set(struct store *s, int64_t repo, struct str rule, struct err *e)
{
	bool all = str_is(rule, "all");
	struct q *q = db_query(s->db, all ? "delete from keep where repo = ?"
					  : "insert or replace into keep(repo, rule) values(?, ?)");

	q_int(q, 1, repo);
	if (!all)
		q_text(q, 2, rule);
	return q_run(q, e);
}

static struct str id_key(const struct id *id)
{
	return (struct str){id->hex, ID_HEX};
}

static int mark_ids(struct map *m, struct q *q, int64_t repo, struct err *e)
{
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1) {
		struct id id = id_of(q_col_text(q, 0));
		map_set(m, id_key(&id), m);
	}
	q_done(q);
	return r;
}

static const char *const always[] = {
	"select head from branch where repo = ? and head is not null",
	"select commit_id from tag where repo = ?",
	"select base from open_commit where repo = ? and state = 'open' and base is not null",
	"select id from commits where repo = ? and hidden = 1",
	"select base from workspace_base where repo = ? and base is not null",
};

/* The newest n of each branch. */
static int mark_last(struct store *s, struct arena *a, struct map *m, int64_t repo, int64_t n, struct err *e)
{
	struct q *q = db_query(s->db, "select head from branch where repo = ? and head is not null");
	VEC(struct id) heads = {0};
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1)
		vec_push(a, &heads, id_of(q_col_text(q, 0)));
	q_done(q);
	for (size_t i = 0; r >= 0 && i < heads.n; i++) {
		struct id id = heads.p[i];
		for (int64_t k = 0; k < n && id.hex[0] && r >= 0; k++) {
			map_set(m, id_key(&id), m);
			q = db_query(s->db, "select parent from commits where repo = ? and id = ?");
			q_int(q, 1, repo);
			q_cstr(q, 2, id.hex);
			r = q_step(q, e);
			id = r == 1 && !q_col_is_null(q, 0) ? id_of(q_col_text(q, 0)) : (struct id){""};
			q_done(q);
		}
	}
	return r < 0 ? -1 : 0;
}

/*
 * The commits of a repo, newest first. Their time is that of the newest commit up to them: one that was made while a
 * clock was set back is no older than the one before it.
 */
static int in_order(struct store *s, struct arena *a, int64_t repo, struct commit **out, size_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select id, at, number, parent from commits where repo = ? order by number, at");
	VEC(struct commit) all = {0};
	struct map at;
	int r;

	map_init(&at, a);
	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1) {
		struct commit c = {.repo = repo, .id = id_of(q_col_text(q, 0)), .at = q_col_int(q, 1),
		                   .number = q_col_int(q, 2)};
		const int64_t *before = q_col_is_null(q, 3) ? NULL : map_get(&at, q_col_text(q, 3));
		int64_t *own = arena_new_of(a, int64_t);

		*own = c.at = before ? MAX(*before, c.at) : c.at;
		map_set(&at, id_key(&c.id), own);
		vec_push(a, &all, c);
	}
	q_done(q);
	for (size_t i = 0; i < all.n / 2; i++) {
		struct commit c = all.p[i];

		all.p[i] = all.p[all.n - 1 - i];
		all.p[all.n - 1 - i] = c;
	}
	*out = all.p;
	*n = all.n;
	return r;
}

int keep_list(struct store *s, struct arena *a, int64_t repo, const struct keep_rule *rule, const struct id *pinned,
	      size_t n_pinned, struct commit **out, size_t *n, struct err *e)
{
	int64_t young = rule->what == KEEP_AGE ? clock_now_ms() - rule->n : INT64_MAX;
	VEC(struct commit) list = {0};
	struct commit *all = NULL;
	struct map stay;
	size_t many = 0;

	map_init(&stay, a);
	for (size_t i = 0; i < n_pinned; i++)
		map_set(&stay, id_key(&pinned[i]), &stay);
	/* the last is of workspace branches */
	for (size_t i = 0; i < ARRAY_LEN(always) - !overlay_any(s); i++)
		if (mark_ids(&stay, db_query(s->db, always[i]), repo, e))
			return -1;
	if (rule->what == KEEP_LAST && mark_last(s, a, &stay, repo, rule->n, e))
		return -1;
	if (rule->what != KEEP_ALL && in_order(s, a, repo, &all, &many, e))
		return -1;
	for (size_t i = 0; i < many; i++)
		if (!map_has(&stay, id_key(&all[i].id)) && all[i].at < young)
			vec_push(a, &list, all[i]);
	*out = list.p;
	*n = list.n;
	return 0;
}

/* 1 it went, 0 it stays after all (it has become a head, say), -1. */
static int let_go(struct store *s, const struct repo *r, const struct commit *c, struct id event, struct err *e)
{
	struct err inner = ERR_INIT;
	struct commit now;
	struct q *q;
	int got = commit_find(s, r->id, str_of(c->id.hex), &now, e);

	if (got <= 0)
		return got;
	q = db_query(s->db, "select 1 from commits where repo = ? and parent = ? limit 1");
	q_int(q, 1, r->id);
	q_cstr(q, 2, c->id.hex);
	got = q_step(q, e);
	q_done(q);
	if (got < 0)
		return -1;
	if (got ? gone_squash(s, r, &now, event, &inner) : gone_drop(s, r, &now, event, &inner)) {
		if (inner.code == ERR_REFUSED)
			return 0;
		*e = inner;
		return -1;
	}
	return 1;
}

int keep_apply(struct store *s, const struct repo *r, const struct commit *list, size_t n, int64_t *went, struct err *e)
{
	struct event ev = {.id = id_new(), .kind = "keep", .label = "", .command = "leat gc"};

	ev.batch = ev.id;
	for (size_t i = 0; i < n;) {
		int64_t began;
		int rc;
		if (db_begin(s->db, e))
			return -1;
		began = clock_mono_ns();
		rc = i ? 0 : event_record(s, &ev, e);
		while (!rc && i < n) {
			int gone = let_go(s, r, &list[i++], ev.id, e);
			rc = gone < 0 ? -1 : 0;
			*went += gone > 0;
			if (clock_mono_ns() - began > SLICE_NS)
				break;
		}
		fault_crash("keep-slice");
		if (rc || db_commit(s->db, e)) {
			db_rollback(s->db);
			return -1;
		}
		clock_sleep_ms(1);
	}
	return 0;
}

static int refused(struct store *s, const struct repo *r, const struct commit *c, struct err *e)
{
	static const struct {
		const char *sql, *what;
	} rows[] = {
		{"select name from branch where repo = ? and head = ?", "is the head of"},
		{"select name from tag where repo = ? and commit_id = ?", "is tagged"},
		{"select id from open_commit where repo = ? and base = ? and state = 'open'",
		 "is what an open commit began from:"},
		{"select o.name from workspace_base w join workspace_branch o on o.id = w.branch"
		 " where w.repo = ? and w.base = ?",
		 "is what a workspace branch began from:"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) - !overlay_any(s); i++) {
		struct q *q = db_query(s->db, rows[i].sql);
		int got;
		q_int(q, 1, r->id);
		q_cstr(q, 2, c->id.hex);
		got = q_step(q, e);
		if (got == 1) {
			struct str name = q_col_text(q, 0);
			err_set(e, ERR_REFUSED, "%.*s.%lld (%.8s) %s %.*s: its data are in use", STR_ARG(r->name),
				(long long)c->number, c->id.hex, rows[i].what, STR_ARG(name));
		}
		q_done(q);
		if (got)
			return -1;
	}
	return 0;
}

/* Remembered results hold data too: those that are this commit's, whole or a partition. */
static int forget_memos(struct store *s, const struct repo *r, const struct commit *c, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct part *parts;
	size_t n;

	if (tree_parts(s, a, &c->tree, &parts, &n, e))
		return -1;
	for (size_t i = 0; i <= n; i++) {
		struct q *q = db_query(s->db, "delete from memo where repo = ? and tree = ?");
		q_int(q, 1, r->id);
		q_sha(q, 2, i < n ? &parts[i].entry.id : &c->tree);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

int keep_forget(struct store *s, const struct repo *r, const struct commit *c, struct id event, struct err *e)
{
	struct sha empty = tree_empty_id();
	struct q *q;

	BUG_IF(!db_in_write(s->db));
	if (refused(s, r, c, e) || forget_memos(s, r, c, e))
		return -1;
	q = db_query(s->db, "insert or replace into gone(repo, id, number, tree, how, into_id, event, at)"
			    " values(?, ?, ?, ?, 'forgotten', null, ?, ?)");
	q_int(q, 1, r->id);
	q_cstr(q, 2, c->id.hex);
	q_int(q, 3, c->number);
	q_sha(q, 4, &c->tree);
	q_cstr(q, 5, event.hex);
	q_int(q, 6, clock_now_ms());
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "update commits set tree = ?, forgotten = ? where repo = ? and id = ?");
	q_sha(q, 1, &empty);
	q_int(q, 2, clock_now_ms());
	q_int(q, 3, r->id);
	q_cstr(q, 4, c->id.hex);
	return q_run(q, e);
}
