#include "flow/lineage.h"

#include <stdio.h>

#include "base/str.h"

struct str lineage_to(const struct workspace *ws, struct arena *a)
{
	const struct dom *to = workspace_setting(ws, "lineage.to");

	return to ? dom_text(a, to) : STR_NULL;
}

int lineage_ready(struct store *s, struct err *e)
{
	if (!workspace_setting(s->ws, "lineage.to") || db_has_set(s->db, DB_SET_LINEAGE))
		return 0;
	return db_make_set(s->db, DB_SET_LINEAGE, e);
}

int lineage_begin(struct store *s, struct err *e)
{
	if (!workspace_setting(s->ws, "lineage.to") || db_has_set(s->db, DB_SET_LINEAGE))
		return 0;
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	if (lineage_ready(s, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

int lineage_list(struct db *d, struct arena *a, size_t n_max, struct lineage_row **out, size_t *n, struct err *e)
{
	VEC(struct lineage_row) v = {0};
	struct q *q;
	int rc;

	*n = 0;
	if (!db_has_set(d, DB_SET_LINEAGE))
		return 0;
	q = db_query(d, "select seq, at, run, what = 'end' from lineage order by seq limit ?");
	q_int(q, 1, (int64_t)n_max);
	while ((rc = q_step(q, e)) == 1) {
		struct lineage_row r = {.seq = q_col_int(q, 0), .at = q_col_int(q, 1), .end = q_col_int(q, 3)};

		snprintf(r.run, sizeof(r.run), "%.*s", STR_ARG(q_col_text(q, 2)));
		vec_push(a, &v, r);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}

int lineage_waiting(struct db *d, int64_t *n, struct err *e)
{
	struct q *q;
	int rc;

	*n = 0;
	if (!db_has_set(d, DB_SET_LINEAGE))
		return 0;
	q = db_query(d, "select count(*) from lineage");
	rc = q_step(q, e);
	if (rc == 1)
		*n = q_col_int(q, 0);
	q_done(q);
	return rc < 0 ? -1 : 0;
}

int lineage_told(struct db *d, int64_t seq, struct err *e)
{
	struct q *q;

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	q = db_query(d, "delete from lineage where seq <= ?");
	q_int(q, 1, seq);
	if (q_run(q, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}
