/* Runs of data-driven jobs that did not give a commit, for who asks what became of a change or of a job. */
#include "base/str.h"
#include "flow/data.h"

#define FIRST_ERROR                                                                                                    \
	"(select coalesce(u.label || ': ', '') || u.error from unit u where u.run = r.id and u.error is not null"      \
	" order by u.id limit 1)"
#define COLUMNS                                                                                                        \
	"select r.id, r.job, r.state, r.event, r.batch, r.finished, coalesce(r.reason, " FIRST_ERROR ") from run r"
#define IS_BAD "r.event is not null and r.state in ('failed', 'timed-out', 'upstream-failed')"

static int collect(struct q *q, struct arena *a, struct data_bad **out, size_t *n, struct err *e)
{
	VEC(struct data_bad) list = {0};
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct data_bad b = {
			.run = arena_str(a, q_col_text(q, 0)),
			.job = arena_str(a, q_col_text(q, 1)),
			.state = arena_str(a, q_col_text(q, 2)),
			.event = arena_str(a, q_col_text(q, 3)),
			.batch = arena_str(a, q_col_text(q, 4)),
			.at = q_col_int(q, 5),
			.why = arena_str(a, q_col_text(q, 6)),
		};
		b.unrunnable = str_is(b.state, "upstream-failed");
		vec_push(a, &list, b);
	}
	q_done(q);
	*out = list.p;
	*n = list.n;
	return r < 0 ? -1 : 0;
}

int data_bad_of(struct store *s, struct arena *a, struct str id, struct data_bad **out, size_t *n, struct err *e)
{
	struct q *q = db_query(s->db, COLUMNS " where (r.event >= ?1 and r.event < ?1 || 'g' or r.batch >= ?1 and"
	                                      " r.batch < ?1 || 'g') and " IS_BAD " and not exists (select 1 from run x"
	                                      " where x.job = r.job and x.event = r.event and x.created > r.created)"
	                                      " order by r.created, r.job");

	q_text(q, 1, id);
	return collect(q, a, out, n, e);
}

int data_bad_now(struct store *s, struct arena *a, const struct job *j, struct data_bad *out, struct err *e)
{
	struct q *q = db_query(s->db, COLUMNS " where r.job = ?1 and r.created = (select max(created) from run where"
	                                      " job = ?1) and " IS_BAD " limit 1");
	struct data_bad *list;
	size_t n;

	q_text(q, 1, j->name);
	if (collect(q, a, &list, &n, e))
		return -1;
	if (n)
		*out = list[0];
	return n > 0;
}
