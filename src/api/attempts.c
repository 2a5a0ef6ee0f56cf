/* Tries of units: how each ended and what it took. */
#include "api/attempts.h"

#include "api/rows.h"
#include "base/buf.h"
#include "base/str.h"
#include "flow/run_orphan.h"

#define ID_LEAST 4 /* digits of an id that are enough */

#define COLUMNS                                                                                                        \
	"select t.n, u.id, u.run, u.job, u.ds, u.label, t.state, t.reason, t.started, t.finished, t.status, t.cpu_ms," \
	" t.peak_kb, iif(t.n = u.attempts, " ROW_FACTS ", null) from "
/* Newest first, each by an index: as many rows are looked at as are shown. */
#define OF_ALL COLUMNS "attempt t join unit u on u.id = t.unit order by t.unit desc, t.n desc limit ?2"
#define OF_JOB                                                                                                         \
	COLUMNS "run r join unit u on u.run = r.id join attempt t on t.unit = u.id where r.job = ?1"                   \
	        " order by r.created desc, u.id desc, t.n desc limit ?2"
#define OF_RUN                                                                                                         \
	COLUMNS "unit u join attempt t on t.unit = u.id where u.run >= ?1 and u.run < ?1 || 'g'"                       \
	        " order by u.id desc, t.n desc limit ?2"

static void set_known(struct arena *a, struct dom *row, const char *key, struct q *q, int column)
{
	if (!q_col_is_null(q, column))
		dom_set_int(a, row, key, q_col_int(q, column));
}

static struct dom *attempt_row(struct arena *a, struct q *q)
{
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_int(a, row, "attempt", q_col_int(q, 0));
	dom_set_int(a, row, "unit", q_col_int(q, 1));
	dom_set_str(a, row, "run", q_col_text(q, 2));
	dom_set_str(a, row, "job", q_col_text(q, 3));
	dom_set_str(a, row, "ds", q_col_text(q, 4));
	if (!q_col_is_null(q, 5))
		dom_set_str(a, row, "paths", q_col_text(q, 5));
	dom_set_str(a, row, "state", q_col_text(q, 6));
	dom_set_str(a, row, "reason", q_col_text(q, 7));
	row_time(a, row, "started", q_col_int(q, 8));
	row_time(a, row, "finished", q_col_int(q, 9));
	if (q_col_int(q, 9))
		dom_set_real(a, row, "seconds", (double)(q_col_int(q, 9) - q_col_int(q, 8)) / 1e3);
	set_known(a, row, "status", q, 10);
	if (!q_col_is_null(q, 11))
		dom_set_real(a, row, "cpu", (double)q_col_int(q, 11) / 1e3);
	if (!q_col_is_null(q, 12))
		dom_set_int(a, row, "peak", q_col_int(q, 12) * 1024);
	row_facts(a, row, q_col_text(q, 13));
	return row;
}

static int list(struct api *api, const char *sql, struct str what, int64_t most, struct sink *out, int64_t *n,
                struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(api->store->db, sql);
	int rc;

	if (what.p)
		q_text(q, 1, what);
	q_int(q, 2, most);
	for (*n = 0; (rc = q_step(q, e)) == 1; ++*n) {
		rc = sink_row(out, attempt_row(a, q), e);
		arena_reset(a);
		if (rc)
			break;
	}
	q_done(q);
	return rc;
}

int attempts_list(struct api *api, struct str what, int64_t most, struct sink *out, struct err *e)
{
	int64_t n;

	if (list(api, what.p ? OF_JOB : OF_ALL, what, most, out, &n, e))
		return -1;
	if (!n && what.n >= ID_LEAST && list(api, OF_RUN, what, most, out, &n, e))
		return -1;
	if (!n && what.p)
		sink_note(out, "no try of '%.*s': it has not run, or all of it was known", STR_ARG(what));
	else if (!n)
		sink_note(out, "nothing has been tried yet");
	return 0;
}

#define NAMED 5 /* tasks of a run that are told by name */

/* The tasks of a run whose process has died; none is no error. */
static int orphans_of(struct api *api, const char *run, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct buf names cleanup(buf_free) = BUF_INIT(1 << 16);
	struct dom *w = dom_new(a, DOM_MAP);
	struct orphans o;
	size_t alive = 0;
	int rc = orphan_list(api->store, a, run, &o, e);

	for (size_t i = 0; !rc && i < o.n; i++) {
		struct q *q;
		int r;

		if (o.p[i].state != ORPHAN_ALIVE || alive++ >= NAMED)
			continue;
		q = db_query(api->store->db, "select job, coalesce(label, ds) from unit where id = ?");
		q_int(q, 1, o.p[i].begun.unit);
		r = q_step(q, e);
		if (r == 1)
			buf_addf(&names, "%s%.*s%s%.*s", names.n ? ", " : "", STR_ARG(q_col_text(q, 0)),
			         q_col_text(q, 1).n ? " " : "", STR_ARG(q_col_text(q, 1)));
		q_done(q);
		rc = r < 0 ? -1 : 0;
	}
	orphan_done(&o);
	if (rc || !o.n_held)
		return rc;
	dom_set_str(a, w, "text",
	            alive
	                    ? arena_strf(a, "%.*s%s still run%s, though the process of run %.12s died",
		                       STR_ARG(buf_str(&names)), alive > NAMED ? " and others" : "",
	                                 alive == 1 ? "s" : "", run)
	                    : arena_strf(a, "the process of run %.12s died; what its tasks gave is not taken in", run));
	dom_set_str(a, w, "hint", STR("leat run takes its tasks over; leat cancel ends them"));
	dom_set_cstr(a, w, "run", arena_dup(a, run));
	dom_add(list, w);
	return 0;
}

int attempts_attention(struct api *api, struct dom *list, struct err *e)
{
	struct dead_run *dead;
	size_t n;

	if (orphan_runs(api->store, api->arena, &dead, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (dead[i].same_boot && dead[i].here && orphans_of(api, dead[i].run, list, e))
			return -1;
	return 0;
}
