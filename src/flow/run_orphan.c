/* Tasks whose run has no process any more: what the table of their run (run_shim.c) says of them. */
#include "flow/run_orphan.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/lease.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/proc.h"

/* The try that the rows of leat.db know as begun and not as ended: its number; 0: there is none. */
static int open_try(struct store *s, const char *run, int64_t unit, int64_t *n, struct err *e)
{
	struct q *q = db_query(s->db, "select max(t.n) from attempt t join unit u on u.id = t.unit where u.id = ?1 and"
	                              " u.run = ?2 and u.finished is null and t.finished is null and t.boot = ?3"
	                              " and t.n = u.attempts");
	int r;

	q_int(q, 1, unit);
	q_cstr(q, 2, run);
	q_cstr(q, 3, clock_boot_id());
	r = q_step(q, e);
	*n = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

void orphan_marker(const char *run, int64_t unit, int64_t n, char out[ORPHAN_MARKER])
{
	snprintf(out, ORPHAN_MARKER, "%s.%lld.%lld", run, (long long)unit, (long long)n);
}

/* A shim writes that it is there before it does anything, and sees then whether who started it has died. */
static enum orphan_state look(int table, struct orphan *o)
{
	struct proc p;

	if (o->begun.bare)
		return ORPHAN_LOST;
	if (o->told.phase == SHIM_STARTED) {
		if (proc_adopt(o->told.pid, table, o->row, &p)) {
			proc_free(&p);
			return ORPHAN_ALIVE;
		}
		shim_told(table, o->row, &o->told); /* it may have ended this instant */
	}
	switch (o->told.phase) {
	case SHIM_ENDED:
	case SHIM_NO_EXEC:
		return ORPHAN_ENDED;
	case SHIM_STARTED:
		return ORPHAN_LOST;
	default:
		return ORPHAN_NOT_BEGUN;
	}
}

int orphan_list(struct store *s, struct arena *a, const char *run, struct orphans *out, struct err *e)
{
	char *path = arena_printf(a, "%s/staging/run/%s/" ORPHAN_TABLE, s->leat_dir, run);
	VEC(struct orphan) v = {0};
	int fd FD_CLEANUP = -1, r = 1;

	*out = (struct orphans){.table = -1};
	if (!file_exists(path))
		return 0;
	if (shim_open(path, false, &fd, e))
		return -1;
	for (uint32_t row = 0; r == 1; row++) {
		struct orphan o = {.row = row};
		struct shim_row found;
		int64_t n;

		r = shim_read(fd, row, &found, e);
		if (r != 1)
			break;
		out->n_rows = row + 1;
		o.begun = found.begun;
		o.told = found.told;
		if (o.begun.magic != SHIM_MAGIC)
			continue;
		if (open_try(s, run, o.begun.unit, &n, e))
			return -1;
		if (!n || n != o.begun.number)
			continue;
		o.state = look(fd, &o);
		out->n_held += o.state == ORPHAN_ALIVE || o.state == ORPHAN_ENDED;
		vec_push(a, &v, o);
	}
	out->p = v.p;
	out->n = v.n;
	out->table = fd_steal(&fd);
	return r < 0 ? -1 : 0;
}

void orphan_done(struct orphans *o)
{
	fd_close(&o->table);
}

const struct orphan *orphan_of(const struct orphans *o, int64_t unit)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->p[i].begun.unit == unit)
			return &o->p[i];
	return NULL;
}

int orphan_runs(struct store *s, struct arena *a, struct dead_run **out, size_t *n, struct err *e)
{
	VEC(struct dead_run) v = {0};
	struct q *q = db_query(s->db, "select distinct l.run, l.boot, l.pid, l.pid_start, r.branch from unit_lease l"
	                              " left join run r on r.id = l.run");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct dead_run d;
		struct str on = q_col_text(q, 4);

		if (lease_alive(q_col_text(q, 1), q_col_int(q, 2), q_col_int(q, 3)))
			continue;
		snprintf(d.run, sizeof(d.run), "%.*s", STR_ARG(q_col_text(q, 0)));
		d.same_boot = str_is(q_col_text(q, 1), clock_boot_id());
		d.here = s->on ? str_eq(on, s->on->name) : !on.n;
		vec_push(a, &v, d);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return r;
}
