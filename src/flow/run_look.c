/* What a run gave, for looking at it. */
#include "base/str.h"
#include "flow/reads.h"
#include "flow/run.h"

#define PREFIX_MIN 4

static int lay(struct store *s, struct flow *f, struct catalog *c, struct q *q, struct err *e)
{
	struct str label = q_col_text(q, 1), output = STR_NULL;
	struct entry tree = {0};
	struct ds ds = {0};
	struct sha id;
	const struct job *j;
	int r;

	if (!q_col_sha(q, 2, &id) || (label.n && ds_parse(label, &ds, e)))
		return label.n && ds.every == EVERY_NONE ? -1 : 0;
	r = tree_find(s, NULL, &id, STR(""), &tree, e);
	if (r <= 0)
		return r;
	if (!q_col_is_null(q, 3))
		output = q_col_text(q, 3);
	else if (f && (j = jobs_get(f->jobs, q_col_text(q, 0))))
		output = j->output;
	return output.n ? catalog_lay(c, output, &ds, &tree, e) : 0;
}

int run_lay(struct store *s, struct flow *f, struct catalog *c, struct str id, struct err *e)
{
	struct q *q;
	char run[ID_HEX + 1] = "";
	int r;

	if (id.n < PREFIX_MIN || id.n > ID_HEX)
		return 0;
	q = db_query(s->db, "select id from run where id >= ?1 and id < ?1 || 'g' limit 2");
	q_text(q, 1, id);
	r = q_step(q, e);
	if (r == 1) {
		memcpy(run, q_col_text(q, 0).p, ID_HEX);
		r = q_step(q, e);
		r = r < 0 ? -1 : !r; /* one that begins several runs is left to those who know other ids */
	}
	q_done(q);
	if (r <= 0)
		return r;
	q = db_query(s->db, "select u.job, u.ds, u.tree, r.name from unit u left join repo r on r.id = u.repo"
	                    " where u.run = ? and u.tree is not null");
	q_cstr(q, 1, run);
	while ((r = q_step(q, e)) == 1)
		if (lay(s, f, c, q, e)) {
			r = -1;
			break;
		}
	q_done(q);
	return r < 0 ? -1 : 1;
}
