#include "flow/lease.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"

int64_t lease_own_start(void)
{
	static uint64_t start;

	if (!start)
		start = clock_proc_start(getpid());
	return (int64_t)start;
}

bool lease_alive(struct str boot, int64_t pid, int64_t pid_start)
{
	return str_is(boot, clock_boot_id()) && pid > 0 && pid_start > 0 &&
	       clock_proc_start((pid_t)pid) == (uint64_t)pid_start;
}

/* 1: somebody else who lives holds it; 0: nobody does (a dead one's row may be there). */
static int held(struct db *d, const struct lease *l, struct lease_holder *holder, struct err *e)
{
	struct q *q = db_query(d, "select run, unit, boot, pid, pid_start from unit_lease where job = ? and ds = ?");
	int r;

	q_text(q, 1, l->job);
	q_cstr(q, 2, l->ds);
	r = q_step(q, e);
	if (r == 1 && lease_alive(q_col_text(q, 2), q_col_int(q, 3), q_col_int(q, 4))) {
		snprintf(holder->run, sizeof(holder->run), "%.*s", STR_ARG(q_col_text(q, 0)));
		holder->unit = q_col_int(q, 1);
		holder->pid = q_col_int(q, 3);
	} else if (r == 1) {
		r = 0;
	}
	q_done(q);
	return r;
}

int lease_of_branch(struct db *d, struct str branch, struct lease_holder *holder, struct err *e)
{
	struct q *q = db_query(d, "select run, boot, pid, pid_start from unit_lease"
	                          " where substr(job, -length(?1) - 1) = '@' || ?1"); /* overlay_key */
	int r;

	q_text(q, 1, branch);
	while ((r = q_step(q, e)) == 1) {
		if (!lease_alive(q_col_text(q, 1), q_col_int(q, 2), q_col_int(q, 3)))
			continue;
		*holder = (struct lease_holder){.pid = q_col_int(q, 2)};
		snprintf(holder->run, sizeof(holder->run), "%.*s", STR_ARG(q_col_text(q, 0)));
		break;
	}
	q_done(q);
	return r;
}

int lease_make(struct db *d, const struct lease *l, struct err *e)
{
	struct q *q = db_query(d, "insert or replace into unit_lease(job, ds, run, unit, boot, pid, pid_start, at)"
	                          " values(?, ?, ?, ?, ?, ?, ?, ?)");

	q_text(q, 1, l->job);
	q_cstr(q, 2, l->ds);
	q_cstr(q, 3, l->run);
	q_int(q, 4, l->unit);
	q_cstr(q, 5, clock_boot_id());
	q_int(q, 6, getpid());
	q_int(q, 7, lease_own_start());
	q_int(q, 8, clock_now_ms());
	return q_run(q, e);
}

int lease_take(struct db *d, const struct lease *l, size_t n, size_t *which, struct lease_holder *holder, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = held(d, &l[i], holder, e);

		if (r < 0)
			return -1;
		if (r) {
			*which = i;
			return 0;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (lease_make(d, &l[i], e))
			return -1;
	return 1;
}

int lease_drop(struct db *d, const struct lease *l, struct err *e)
{
	struct q *q = db_query(d, "delete from unit_lease where job = ? and ds = ? and run = ? and unit = ?");

	q_text(q, 1, l->job);
	q_cstr(q, 2, l->ds);
	q_cstr(q, 3, l->run);
	q_int(q, 4, l->unit);
	if (q_run(q, e))
		return -1;
	return db_changes(d) == 1;
}
