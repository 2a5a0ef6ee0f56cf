/* What a service or a spout was when it committed: its program, its inputs at their pins, what ended it. */
#include "base/str.h"
#include "flow/why_in.h"

int why_stay(struct catalog *c, struct arena *a, struct str run, struct dom *doc, struct err *e)
{
	struct err none = ERR_INIT;
	struct q *q = db_query(catalog_store(c)->db, "select job, kind, reason, params from run where id = ?"
	                                             " and kind in ('service', 'spout')");
	struct dom *row, *params = NULL;
	int r;

	q_text(q, 1, run);
	r = q_step(q, e);
	if (r == 1) {
		row = dom_new(a, DOM_MAP);
		dom_set_str(a, row, "job", q_col_text(q, 0));
		dom_set_str(a, row, "kind", q_col_text(q, 1));
		if (!q_col_is_null(q, 2))
			dom_set_str(a, row, "reason", q_col_text(q, 2));
		/* Of one that an older program wrote there is nothing more. */
		if (!q_col_is_null(q, 3) && !dom_json(a, arena_str(a, q_col_text(q, 3)), "run", &params, &none))
			why_move(a, row, params);
		dom_set(a, doc, "stayed", row);
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}
