/* After a crash: what dead processes left open is closed. */
#include <time.h>

#include "base/str.h"
#include "flow/lease.h"
#include "flow/run.h"
#include "flow/run_orphan.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

static bool is_kept(const struct orphans *keep, int64_t unit)
{
	const struct orphan *o = keep ? orphan_of(keep, unit) : NULL;

	return o && (o->state == ORPHAN_ALIVE || o->state == ORPHAN_ENDED);
}

/* What its tasks left running. The marker tells them from anybody else's, so a pid used again does no harm. */
int orphan_end_tasks(struct store *s, const char *run, const struct orphans *keep, struct err *e)
{
	struct q *q = db_query(s->db, "select t.unit, t.n from attempt t join unit u on u.id = t.unit"
	                              " where u.run = ? and t.finished is null and t.boot = ?");
	int r;

	q_cstr(q, 1, run);
	q_cstr(q, 2, clock_boot_id());
	while ((r = q_step(q, e)) == 1) {
		char marker[ORPHAN_MARKER];

		if (is_kept(keep, q_col_int(q, 0)))
			continue;
		orphan_marker(run, q_col_int(q, 0), q_col_int(q, 1), marker);
		proc_kill_marked(marker);
	}
	q_done(q);
	return r;
}

/* How what a dead process left open is closed: lost, or ended by a person (who: `cancelled by NAME`). */
static int close_unit(struct store *s, int64_t unit, bool begun, const char *who, struct err *e)
{
	static const char *const updates[] = {
		"update attempt set state = ?1, finished = ?2, reason = ?4 where finished is null and unit = ?3",
		/* What was not begun has not been tried: it keeps no key by which it would be known as such. */
		"update unit set state = ?1, finished = ?2, error = ?4, key = case when ?5 then key end where id = ?3",
		"delete from unit_lease where unit = ?3",
	};

	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		struct q *q = db_query(s->db, updates[i]);

		if (i < 2) {
			q_cstr(q, 1, state_word(who ? STATE_CANCELLED : STATE_LOST));
			q_int(q, 2, clock_now_ms());
			q_cstr(q, 4, who     ? who
			             : begun ? "the process that ran it died"
			                     : "the process that was to run it died");
		}
		q_int(q, 3, unit);
		if (i == 1)
			q_int(q, 5, begun);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

static int close_run(struct store *s, const char *run, const char *who, struct err *e)
{
	struct q *q = db_query(s->db, "update run set state = ?1, finished = ?2, reason = ?4 where finished is null and"
	                              " id = ?3");

	q_cstr(q, 1, state_word(who ? STATE_CANCELLED : STATE_LOST));
	q_int(q, 2, clock_now_ms());
	q_cstr(q, 3, run);
	q_cstr(q, 4, who ? who : "the process that ran it died");
	if (q_run(q, e))
		return -1;
	q = db_query(s->db, "delete from unit_lease where run = ?");
	q_cstr(q, 1, run);
	return q_run(q, e);
}

static int close_all(struct store *s, const char *run, const struct orphans *keep, const char *who, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(int64_t) open = {0};
	VEC(bool) begun = {0};
	struct q *q = db_query(s->db, "select u.id, exists(select 1 from attempt t where t.unit = u.id and"
	                              " t.finished is null) from unit u where u.run = ? and u.finished is null");
	int r;

	q_cstr(q, 1, run);
	while ((r = q_step(q, e)) == 1) {
		int64_t id = q_col_int(q, 0);
		const struct orphan *o = keep ? orphan_of(keep, id) : NULL;

		if (is_kept(keep, id))
			continue;
		vec_push(a, &open, id);
		vec_push(a, &begun, q_col_int(q, 1) && !(o && o->state == ORPHAN_NOT_BEGUN));
	}
	q_done(q);
	for (size_t i = 0; !r && i < open.n; i++)
		r = close_unit(s, open.p[i], begun.p[i], who, e);
	if (r)
		return -1;
	return keep && keep->n_held ? 0 : close_run(s, run, who, e);
}

int orphan_close(struct store *s, const char *run, const struct orphans *keep, struct err *e)
{
	return close_all(s, run, keep, NULL, e);
}

/* 1: a process has the run, or nobody is left of it; 0: its holder has died; -1. */
static int is_held(struct store *s, const char *run, struct err *e)
{
	struct q *q = db_query(s->db, "select boot, pid, pid_start from unit_lease where run = ?");
	bool alive = false;
	int r;

	q_cstr(q, 1, run);
	while ((r = q_step(q, e)) == 1)
		alive |= lease_alive(q_col_text(q, 0), q_col_int(q, 1), q_col_int(q, 2));
	q_done(q);
	return r < 0 ? -1 : alive;
}

int run_cancel_orphan(struct store *s, const char *run, const char *who, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	int held = is_held(s, run, e);

	if (held)
		return held < 0 ? -1 : 0;
	if (orphan_end_tasks(s, run, NULL, e) || db_begin(s->db, e))
		return -1;
	held = is_held(s, run, e);
	if (held || close_all(s, run, NULL, who, e)) {
		db_rollback(s->db);
		return held == 1 ? 0 : -1;
	}
	if (db_commit(s->db, e))
		return -1;
	if (dir_remove_tree(arena_printf(a, "%s/staging/run/%s", s->leat_dir, run), &ignored))
		err_clear(&ignored); /* the sweep of the next run tries again */
	return 1;
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
		int r, fd = -1;

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
		if (!ended)
			continue;
		/* Locked: its process lives, and gives the folder to another run. */
		r = lock_folder(path, &fd, &ignored);
		if (r < 0)
			err_clear(&ignored); /* no folder */
		if (r && dir_remove_tree(path, &ignored))
			err_clear(&ignored); /* tried again next time; no reason to run nothing */
		fd_close(&fd);
	}
	return 0;
}

int run_recover(struct store *s, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct dead_run *dead;
	struct orphans none;
	size_t n, kept = 0;

	if (orphan_runs(s, a, &dead, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct orphans o = {.table = -1};

		if (dead[i].same_boot && orphan_list(s, a, dead[i].run, &o, e))
			return -1;
		none = o;
		orphan_done(&o);
		if (none.n_held) /* tasks of it live, or tell how they ended: run_adopt takes it over */
			continue;
		if (orphan_end_tasks(s, dead[i].run, NULL, e) || db_begin(s->db, e))
			return -1;
		if (orphan_close(s, dead[i].run, &none, e)) {
			db_rollback(s->db);
			return -1;
		}
		if (db_commit(s->db, e))
			return -1;
		dead[kept++] = dead[i];
	}
	if (kept)
		fault_crash("recover-half");
	for (size_t i = 0; i < kept; i++)
		if (dir_remove_tree(arena_printf(a, "%s/staging/run/%s", s->leat_dir, dead[i].run), &ignored))
			err_clear(&ignored); /* the sweep below tries again, now and next time */
	return sweep(s, a, e);
}
