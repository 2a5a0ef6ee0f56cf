#include "flow/tries.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"

#define FEW  8    /* asked one by one before more are read */
#define ROWS 2000 /* read at once */

/* Of one job: those of labels in [from, to], by label. */
struct tries_job {
	size_t asked;
	const char *from, *to; /* to NULL: to the end */
	struct map by_label;
	bool loaded;
};

struct tries {
	struct store *s;
	struct arena *a;
	struct map jobs;
};

struct tries *tries_new(struct store *s, struct arena *a)
{
	struct tries *t = arena_new_of(a, struct tries);

	*t = (struct tries){.s = s, .a = a};
	map_init(&t->jobs, a);
	return t;
}

static struct last_try *read_try(struct arena *a, struct q *q)
{
	struct last_try *t = arena_new_of(a, struct last_try);

	t->state = arena_cstr(a, q_col_text(q, 0));
	if (!q_col_sha(q, 1, &t->key))
		t->key = (struct sha){0};
	if (!q_col_is_null(q, 2))
		t->error = arena_cstr(a, q_col_text(q, 2));
	return t;
}

/* Of a label of which not all rows were read it is not known which is the last: the piece ends before it. */
static int load(struct tries *t, struct tries_job *j, struct str job, const char *label, struct err *e)
{
	struct q *q = db_query(t->s->db, "select u.state, u.key, u.error, u.ds, r.branch from unit u left join run r"
	                                 " on r.id = u.run where u.job = ?1 and u.ds >= ?2"
	                                 " order by u.ds, u.id limit ?3");
	const char *last = NULL, *before = NULL;
	size_t n = 0;
	int rc;

	map_init(&j->by_label, t->a);
	j->from = arena_printf(t->a, "%s", label);
	j->to = NULL;
	j->loaded = true;
	q_text(q, 1, job);
	q_cstr(q, 2, label);
	q_int(q, 3, ROWS);
	while ((rc = q_step(q, e)) == 1) {
		struct str ds = q_col_text(q, 3);

		n++;
		if (!last || !str_is(ds, last)) {
			before = last;
			last = arena_cstr(t->a, ds);
		}
		if (q_col_is_null(q, 4)) /* what was tried on a workspace branch counts there alone */
			map_set(&j->by_label, ds, read_try(t->a, q));
	}
	q_done(q);
	if (n == ROWS)
		j->to = before ? before : ""; /* of one that fills them all nothing is known */
	return rc;
}

int tries_find(struct tries *t, struct str job, const char *label, const struct last_try **out, struct err *e)
{
	struct tries_job *j = map_get(&t->jobs, job);

	if (t->s->on)
		return 0;
	if (!j) {
		j = arena_new_of(t->a, struct tries_job);
		map_set(&t->jobs, job, j);
	}
	if (++j->asked <= FEW)
		return 0;
	if ((!j->loaded || strcmp(label, j->from) < 0 || (j->to && strcmp(label, j->to) > 0)) &&
	    load(t, j, job, label, e))
		return -1;
	if (j->to && strcmp(label, j->to) > 0)
		return 0;
	*out = map_get(&j->by_label, str_of(label));
	return 1;
}
