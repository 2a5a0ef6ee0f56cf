/* What data-driven jobs have yet to take. */
#include "base/str.h"
#include "flow/data.h"

/* How far a job is: 1, 0 it was not seen yet, -1. */
static int taken_of(struct store *s, const struct job *j, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, "select taken from data_job where job = ?");
	int r;

	q_text(q, 1, j->name);
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r;
}

/*
 * Heads that the events beyond `taken` gave a branch, and the one before them: another input's event is read beside it.
 */
#define BEFORE                                                                                                         \
	"(select max(b.seq) from head_move b where b.repo = ?1 and b.branch = ?2 and b.seq <= ?3"                      \
	" and (select min(x.seq) from head_move x where x.event = b.event) <= ?3)"
#define UNTAKEN                                                                                                        \
	"select new from head_move where repo = ?1 and branch = ?2 and new is not null"                                \
	" and seq >= coalesce(" BEFORE ", 0) order by seq"

int data_untaken(struct flow *f, struct arena *a, const struct repo *repo, const struct job *j, struct id **out,
                 size_t *n, struct err *e)
{
	struct store *s = f->store;
	VEC(struct id) ids = {0};
	int64_t taken = 0;
	int seen = j->tree && !job_stays(j) && db_has_data(s->db) ? taken_of(s, j, &taken, e) : 0;

	if (seen < 0)
		return -1;
	for (size_t i = 0; seen && i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];
		struct q *q;
		int r;

		if (input_is_pinned(in) || !str_eq(in->repo, repo->name))
			continue;
		q = db_query(s->db, UNTAKEN);
		q_int(q, 1, repo->id);
		q_text(q, 2, in->branch.p ? in->branch : STR(BRANCH_DEFAULT));
		q_int(q, 3, taken);
		while ((r = q_step(q, e)) == 1)
			vec_push(a, &ids, id_of(q_col_text(q, 0)));
		q_done(q);
		if (r < 0)
			return -1;
	}
	*out = ids.p;
	*n = ids.n;
	return 0;
}
