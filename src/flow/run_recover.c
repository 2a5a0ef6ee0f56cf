/* After a crash: what dead processes left open is closed. */
#include <stdio.h>
#include <time.h>

#include "base/str.h"
#include "flow/lease.h"
#include "flow/run.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/proc.h"

struct dead {
	char run[ID_HEX + 1];
};

/* Runs whose holder has died. Read without a transaction: who is dead stays dead. */
static int dead_runs(struct store *s, struct arena *a, struct dead **out, size_t *n, struct err *e)
{
	VEC(struct dead) v = {0};
	struct q *q = db_query(s->db, "select distinct run, boot, pid, pid_start from unit_lease");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct dead d;

		if (lease_alive(q_col_text(q, 1), q_col_int(q, 2), q_col_int(q, 3)))
			continue;
		snprintf(d.run, sizeof(d.run), "%.*s", STR_ARG(q_col_text(q, 0)));
		vec_push(a, &v, d);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return r;
}

/* What its tasks left running. The marker tells them from anybody else's, so a pid used again does no harm. */
static int end_tasks(struct store *s, const char *run, struct err *e)
{
	struct q *q = db_query(s->db, "select t.unit, t.n from attempt t join unit u on u.id = t.unit"
	                              " where u.run = ? and t.finished is null and t.boot = ?");
	int r;

	q_cstr(q, 1, run);
	q_cstr(q, 2, clock_boot_id());
	while ((r = q_step(q, e)) == 1) {
		char marker[128];

		snprintf(marker, sizeof(marker), "%s.%lld.%lld", run, (long long)q_col_int(q, 0),
		         (long long)q_col_int(q, 1));
		proc_kill_marked(marker);
	}
	q_done(q);
	return r;
}

static int close_run(struct store *s, const char *run, struct err *e)
{
	static const char *const updates[] = {
		"update attempt set state = ?1, finished = ?2 where finished is null and unit in (select id from unit"
		" where run = ?3)",
		"update unit set state = ?1, finished = ?2, error = 'the process that ran it died'"
		" where finished is null and run = ?3",
		"update run set state = ?1, finished = ?2, reason = 'the process that ran it died'"
		" where finished is null and id = ?3",
	};

	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		struct q *q = db_query(s->db, updates[i]);

		q_cstr(q, 1, state_word(STATE_LOST));
		q_int(q, 2, clock_now_ms());
		q_cstr(q, 3, run);
		if (q_run(q, e))
			return -1;
	}
	struct q *q = db_query(s->db, "delete from unit_lease where run = ?");
	q_cstr(q, 1, run);
	return q_run(q, e);
}

#define FRESH_MS 60000

static bool is_fresh(const char *path)
{
	struct stat st;
	struct err e = ERR_INIT;

	return !file_lstat(path, &st, &e) && (int64_t)st.st_mtim.tv_sec * 1000 > (int64_t)time(NULL) * 1000 - FRESH_MS;
}

/* Staging folders of runs that are not at work: of dead ones, and of what a dead one could not remove. */
static int sweep(struct store *s, struct arena *a, struct err *e)
{
	char *dir = arena_printf(a, "%s/staging/run", s->leat_dir);
	struct dir_names names = {0};
	struct err ignored = ERR_INIT;

	if (!dir_exists(dir))
		return 0;
	if (dir_list(a, dir, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct q *q = db_query(s->db, "select finished is not null from run where id = ?");
		char *path = arena_printf(a, "%s/%s", dir, names.p[i]);
		bool ended;
		int r;

		q_cstr(q, 1, names.p[i]);
		r = q_step(q, e);
		ended = r == 1 && q_col_int(q, 0);
		q_done(q);
		if (r < 0)
			return -1;
		/* A run whose row is not there yet is being begun: its folder is not ours to judge, unless it is old.
		 */
		if (!r)
			ended = !is_fresh(path);
		if (ended && dir_remove_tree(path, &ignored))
			err_clear(&ignored); /* tried again next time; no reason to run nothing */
	}
	return 0;
}

int run_recover(struct store *s, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct dead *dead;
	size_t n;

	if (dead_runs(s, a, &dead, &n, e))
		return -1;
	if (n) {
		for (size_t i = 0; i < n; i++)
			if (end_tasks(s, dead[i].run, e))
				return -1;
		if (db_begin(s->db, e))
			return -1;
		for (size_t i = 0; i < n; i++)
			if (close_run(s, dead[i].run, e)) {
				db_rollback(s->db);
				return -1;
			}
		if (db_commit(s->db, e))
			return -1;
		fault_crash("recover-half");
		for (size_t i = 0; i < n; i++)
			if (dir_remove_tree(arena_printf(a, "%s/staging/run/%s", s->leat_dir, dead[i].run), &ignored))
				err_clear(&ignored); /* the sweep below tries again, now and next time */
	}
	return sweep(s, a, e);
}
