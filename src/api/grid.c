/* What became of which partition of which job: the last unit of each, in a window. */
#include "api/rows.h"
#include "base/ds.h"
#include "base/str.h"

#define GRID_DAYS 30
#define GRID_MAX 1000

static int check_label(const struct args *args, const char *opt, struct err *e)
{
	struct str s = args_value(args, opt);
	struct ds ds;

	return s.p ? ds_parse(s, &ds, e) : 0;
}

struct window {
	struct str from, to; /* labels; STR_NULL: open */
	int64_t limit;
};

/* Both queries walk an index and stop at their limit, however many units there are. */
static int job_cells(struct api *api, struct str job, const struct window *w, struct sink *out, struct err *e)
{
	struct arena *row_arena = arena_new();
	struct q *q = db_query(api->store->db,
	                       "select u.ds, u.id, u.state, u.run, u.reason, u.attempts, u.started, u.finished from"
	                       " (select ds, max(id) as last from unit where job = ?1 and (?2 is null or ds >= ?2) and"
	                       " (?3 is null or ds <= ?3) group by ds order by ds desc limit ?4) x"
	                       " join unit u on u.id = x.last order by u.ds desc");
	int rc;

	q_text(q, 1, job);
	q_text(q, 2, w->from);
	q_text(q, 3, w->to);
	q_int(q, 4, w->limit);
	while ((rc = q_step(q, e)) == 1) {
		struct dom *row = dom_new(row_arena, DOM_MAP);

		dom_set_str(row_arena, row, "job", job);
		dom_set_str(row_arena, row, "ds", q_col_text(q, 0).n ? q_col_text(q, 0) : STR_NULL);
		dom_set_str(row_arena, row, "state", q_col_text(q, 2));
		dom_set_int(row_arena, row, "unit", q_col_int(q, 1));
		dom_set_str(row_arena, row, "run", q_col_text(q, 3));
		dom_set_str(row_arena, row, "reason", q_col_text(q, 4));
		dom_set_int(row_arena, row, "attempt", q_col_int(q, 5));
		row_time(row_arena, row, "started", q_col_int(q, 6));
		row_time(row_arena, row, "finished", q_col_int(q, 7));
		rc = sink_row(out, row, e);
		arena_reset(row_arena);
		if (rc)
			break;
	}
	q_done(q);
	arena_free(row_arena);
	return rc;
}

/* The next job after this one by name, of those that ever had a unit. 1, 0, -1. */
static int next_job(struct api *api, struct str *job, struct err *e)
{
	struct q *q = db_query(api->store->db, "select min(job) from unit where job > ?1");
	int rc;

	q_text(q, 1, *job);
	rc = q_step(q, e);
	if (rc == 1 && q_col_is_null(q, 0))
		rc = 0;
	if (rc == 1)
		*job = arena_str(api->arena, q_col_text(q, 0));
	q_done(q);
	return rc;
}

int api_grid(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct window w = {.from = args_value(args, "from"), .to = args_value(args, "to")};
	struct str job = STR("");
	int rc;

	if (check_label(args, "from", e) || check_label(args, "to", e) ||
	    args_int(args, "last", 1, GRID_MAX, w.from.p ? GRID_MAX : GRID_DAYS, &w.limit, e))
		return -1;
	for (size_t i = 0; i < args_n(args); i++)
		if (job_cells(api, args_pos(args, i), &w, out, e))
			return -1;
	if (args_n(args))
		return 0;
	while ((rc = next_job(api, &job, e)) == 1)
		if (job_cells(api, job, &w, out, e))
			return -1;
	return rc;
}
