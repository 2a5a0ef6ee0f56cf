#include "repo/exported.h"

#include <unistd.h>

#include "base/str.h"
#include "repo/workspace.h"
#include "sys/clock.h"

#define FIND_MAX 20 /* notes of the same bytes that are told */

static int note(struct store *s, const struct sha *sha, int64_t size, struct str name, struct str doc, int64_t keep,
                struct err *e)
{
	struct q *q;

	if (db_make_set(s->db, DB_SET_RUNS, e))
		return -1;
	q = db_query(s->db, "insert or replace into exported(sha, name, size, at, who, doc) values(?, ?, ?, ?, ?, ?)");
	q_sha(q, 1, sha);
	q_text(q, 2, name);
	q_int(q, 3, size);
	q_int(q, 4, clock_now_ms());
	q_cstr(q, 5, store_who());
	q_text(q, 6, doc);
	if (q_run(q, e))
		return -1;
	q = db_query(s->db,
	             "delete from exported where at < (select at from exported order by at desc limit 1 offset ?)");
	q_int(q, 1, keep - 1);
	return q_run(q, e);
}

void exported_note(struct store *s, const struct sha *sha, int64_t size, struct str name, const struct dom *doc)
{
	const struct dom *setting = workspace_setting(s->ws, "exports_keep");
	int64_t keep = setting && setting->type == DOM_INT ? setting->i : 0;
	struct buf b = BUF_INIT(EXPORTED_MAX_DOC);
	struct err e = ERR_INIT;

	dom_write_json(&b, doc, DOM_COMPACT);
	/* its data may be made again; no waiting for the disk */
	if (keep && !buf_over(&b) && !access(s->leat_dir, W_OK) && !db_begin_durable(s->db, DB_PROCESS, &e)) {
		if (note(s, sha, size, name, buf_str(&b), keep, &e))
			db_rollback(s->db);
		else if (db_commit(s->db, &e))
			err_clear(&e);
	}
	buf_free(&b);
}

static int rows(struct q *q, struct arena *a, struct exported **out, size_t *n, struct err *e)
{
	struct err mine = ERR_INIT;
	VEC(struct exported) v = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct exported x = {.size = q_col_int(q, 1), .at = q_col_int(q, 2)};
		struct dom *doc = NULL;

		if (!q_col_sha(q, 0, &x.sha))
			continue;
		x.who = arena_str(a, q_col_text(q, 3));
		x.name = arena_str(a, q_col_text(q, 4));
		/* one that another version wrote in another way is as good as none */
		if (q_col_text(q, 5).n && !dom_json(a, arena_str(a, q_col_text(q, 5)), "", &doc, &mine))
			x.doc = doc;
		vec_push(a, &v, x);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return r < 0 ? -1 : 0;
}

int exported_find(struct store *s, struct arena *a, const struct sha *sha, struct exported **out, size_t *n,
                  struct err *e)
{
	struct q *q;

	*out = NULL;
	*n = 0;
	if (!db_has_set(s->db, DB_SET_RUNS))
		return 0;
	q = db_query(s->db,
	             "select sha, size, at, who, name, doc from exported where sha = ? order by at desc limit ?");
	q_sha(q, 1, sha);
	q_int(q, 2, FIND_MAX);
	return rows(q, a, out, n, e);
}

int exported_last(struct store *s, struct arena *a, int64_t most, struct exported **out, size_t *n, struct err *e)
{
	struct q *q;

	*out = NULL;
	*n = 0;
	if (!db_has_set(s->db, DB_SET_RUNS))
		return 0;
	q = db_query(s->db, "select sha, size, at, who, name, null from exported order by at desc limit ?");
	q_int(q, 1, most);
	return rows(q, a, out, n, e);
}
