/* What the daemon sees: commits in leat.db, saved job files, the clock. */
#include "daemon/daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/live.h"
#include "flow/schedule.h"
#include "flow/tick.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/path.h"

/* --- commits --- */

static bool reads(const struct job *j, struct str repo)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].repo, repo))
			return true;
	for (size_t i = 0; i < j->n_after; i++)
		if (str_eq(j->after[i].repo, repo))
			return true;
	return false;
}

/* One for all such jobs, and one at a time waits: it takes whatever has come until it is carried out. */
int events_ask_data(struct daemon *d, struct err *e)
{
	struct db *db = d->store->db;
	struct request_new r = {.kind = REQUEST_DATA, .slot = REQUEST_NONE};
	struct q *q;
	int64_t id;
	int there = 0;

	if (db_begin_durable(db, DB_PROCESS, e))
		return -1;
	if (db_has_set(db, DB_SET_TIME)) {
		q = db_query(db, "select 1 from request where finished is null and kind = 'data' and state = 'queued'");
		there = q_step(q, e);
		q_done(q);
	}
	if (there < 0 || (!there && request_add(db, &r, &id, e) < 0)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

/* A repo has moved: who waits for it is tried again, and jobs whose units are in it have something to do. */
static int on_moved(struct daemon *d, struct str repo, bool *data, struct err *e)
{
	struct jobs *js = d->flow->jobs;

	for (size_t i = 0; i < js->n; i++) {
		const struct job *j = js->all[i];

		/* What came while it ran may be late for that very run: its own output moves at its end. */
		if (j->late_run && j->schedule && !j->tree && (reads(j, repo) || str_eq(j->output, repo)))
			*data = true;
		if (!reads(j, repo) || job_stays(j))
			continue;
		if (j->tree)
			*data = true;
		else if (db_has_set(d->store->db, DB_SET_TIME) && request_wake(d->store->db, j->name, e))
			return -1;
	}
	return 0;
}

static int look(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct str) repos = {0};
	bool data = false;
	struct q *q = db_query(d->store->db, "select max(m.seq), r.name from head_move m join repo r on r.id = m.repo"
	                                     " where m.seq > ? group by m.repo");
	int64_t last = d->moved;
	int rc;

	q_int(q, 1, d->moved);
	while ((rc = q_step(q, e)) == 1) {
		last = MAX(last, q_col_int(q, 0));
		vec_push(a, &repos, arena_str(a, q_col_text(q, 1)));
	}
	q_done(q);
	for (size_t i = 0; !rc && i < repos.n; i++)
		rc = on_moved(d, repos.p[i], &data, e);
	if (rc || (data && events_ask_data(d, e)))
		return -1;
	d->moved = last;
	return 0;
}

/* --- the clock --- */

/* Cron inputs of jobs: files that the clock brings. *next: when the next one is due, ms. */
static int inputs_tick(struct daemon *d, int64_t now, int64_t *next, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct jobs *js = d->flow->jobs;
	bool due = false;

	for (size_t i = 0; i < js->n; i++) {
		const struct job *j = js->all[i];
		size_t n = 0;

		for (size_t k = 0; k < j->n_inputs; k++) {
			int64_t at;
			int r = j->inputs[k].cron.p ? tick_next(d->store, a, &j->inputs[k], now, &at, e) : 0;

			if (r < 0 || (j->inputs[k].cron.p && tick_count(d->store, a, j, now, &n, e)))
				return -1;
			if (r)
				*next = MIN(*next, at);
			due |= n > 0;
		}
	}
	return due ? events_ask_data(d, e) : 0;
}

static void on_clock(struct loop_ev *ev, void *ptr);

static void set_clock(struct daemon *d, int64_t now, int64_t next)
{
	loop_close(d->clock);
	d->next = next;
	/* A virtual clock moves when its file is written. */
	d->clock = clock_is_virtual() && next > now ? NULL : loop_timer(d->loop, MAX(next - now, 0), on_clock, d);
}

/* Slots of schedules that are due. */
static void slots_tick(struct daemon *d, int64_t now, int64_t *next)
{
	struct err e = ERR_INIT;
	int64_t at;

	if (clock_tick(d->slots, now, &at, &e)) {
		events_failed(d, &e);
		if (direct_go(d, false, &e))
			BUG("nothing was given");
		return;
	}
	*next = MIN(*next, at);
	if (direct_go(d, true, &e))
		events_failed(d, &e);
}

/* The folder at our path is another one, or none: what we would write would be lost, or somebody else's. */
bool events_gone(struct daemon *d)
{
	struct stat st;

	if (d->gone || (!stat(d->store->leat_dir, &st) && st.st_dev == d->dev && st.st_ino == d->ino))
		return d->gone;
	d->gone = true;
	daemon_log(d, "error", "the workspace is not there any more; the daemon ends", "workspace", d->ws->dir);
	loop_stop(d->loop);
	return true;
}

/* Somebody has written leat.db: a job may have been paused or resumed. */
static void slots_again(struct daemon *d)
{
	int64_t now = clock_now_ms(), next = d->next;

	slots_tick(d, now, &next);
	if (next < d->next) {
		set_clock(d, now, next);
		standby_ahead(d, now, next);
	}
}

void events_tick(struct daemon *d)
{
	int64_t now = clock_now_ms(), due = CLOCK_NEVER;
	struct err e = ERR_INIT;

	if (events_gone(d))
		return;

	d->flow->now_ms = now;
	if (inputs_tick(d, now, &due, &e))
		events_failed(d, &e);
	slots_tick(d, now, &due);
	set_clock(d, now, MIN(now + DAEMON_IDLE_MS, due));
	dispatch_go(d);
	standby_ahead(d, now, due);
}

static void on_clock(struct loop_ev *ev, void *ptr)
{
	struct daemon *d = ptr;

	(void)ev;
	d->clock = NULL;
	events_tick(d);
}

/* --- after a write to leat.db --- */

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct daemon *d = ptr;
	struct err e = ERR_INIT;
	bool again = d->failing;

	(void)ev;
	d->look = NULL;
	d->failing = false;
	if (events_gone(d))
		return;
	if (look(d, &e))
		events_failed(d, &e);
	web_changed(d->web);
	lineage_look(d);
	if (again) {
		events_tick(d);
	} else {
		slots_again(d);
		dispatch_go(d);
	}
	if (!d->failing)
		d->trouble[0] = '\0';
}

/* A try that fails may write too: what is seen of that must not be the next try. */
void events_look(struct daemon *d)
{
	if (!d->look)
		d->look = loop_timer(d->loop, d->failing ? DAEMON_AGAIN_MS : DAEMON_LOOK_MS, on_look, d);
}

void events_failed(struct daemon *d, const struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *text = err_text(a, e);

	if (strncmp(d->trouble, text, sizeof(d->trouble) - 1) != 0)
		daemon_log(d, "error", text);
	snprintf(d->trouble, sizeof(d->trouble), "%s", text);
	d->failing = true;
	events_look(d);
}

/* --- what is written --- */

static void on_written(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct daemon *d = ptr;
	char buf[16384] __attribute__((aligned(8)));
	bool store = false, tick = false, gone = false;
	ssize_t n;

	(void)ev;
	(void)events;
	while ((n = read(d->written, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *x = (const struct inotify_event *)p;

			gone |= (x->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_DELETE | IN_MOVED_FROM)) != 0;
			store |= x->wd == d->wd_store || x->mask & IN_Q_OVERFLOW;
			tick |= (x->wd == d->wd_clock && x->len && !strcmp(x->name, d->clock_name)) ||
			        x->mask & IN_Q_OVERFLOW;
			p += sizeof(*x) + x->len;
		}
	}
	if (gone && events_gone(d))
		return;
	if (store)
		events_look(d);
	if (tick)
		events_tick(d);
}

static int watch_written(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *file = getenv("LEAT_CLOCK"), *name;
	struct stat st;

	if (stat(d->store->leat_dir, &st))
		return err_errno(e, errno, "%s", d->store->leat_dir);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	d->written = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->written < 0)
		return err_errno(e, errno, "files cannot be watched");
	d->wd_store = inotify_add_watch(d->written, d->store->leat_dir, IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF);
	/* That a folder is deleted is told when nobody has it open any more; that it left its parent, at once. */
	if (d->wd_store < 0 ||
	    inotify_add_watch(d->written, d->ws->dir, IN_DELETE_SELF | IN_MOVE_SELF | IN_DELETE | IN_MOVED_FROM) < 0)
		return err_errno(e, errno, "%s cannot be watched", d->store->leat_dir);
	if (file && *file) {
		name = strrchr(file, '/');
		d->clock_name = name ? name + 1 : file;
		d->wd_clock =
			inotify_add_watch(d->written, name ? arena_printf(a, "%.*s/", (int)(name - file), file) : ".",
		                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_MASK_ADD);
		if (d->wd_clock < 0)
			return err_errno(e, errno, "%s cannot be watched", file);
	}
	return loop_fd(d->loop, d->written, EPOLLIN, on_written, d, NULL, e);
}

/* --- job files --- */

/* Whether a job's calendar goes by that file; by one that lies in that folder. */
static bool has_holidays(const struct daemon *d, struct str path, bool folder)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str *files, dir, name;

	for (size_t i = 0; i < d->flow->jobs->n; i++) {
		size_t n = schedule_holidays(a, d->flow->jobs->all[i], &files);

		for (size_t k = 0; k < n; k++)
			if (str_eq(!folder                                 ? files[k]
			           : str_rcut(files[k], '/', &dir, &name) ? dir
			                                                  : STR_NULL,
			           path))
				return true;
	}
	return false;
}

/* Files of holidays may lie in any folder of the workspace. */
static int watch_holidays(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str *files, dir, name;

	for (size_t i = 0; i < d->flow->jobs->n; i++) {
		size_t n = schedule_holidays(a, d->flow->jobs->all[i], &files);

		for (size_t k = 0; k < n; k++)
			if (str_rcut(files[k], '/', &dir, &name) && notify_add(d->files, arena_cstr(a, dir), e)) {
				if (e->code != ERR_NOT_FOUND)
					return -1;
				err_clear(e);
			}
	}
	return 0;
}

static bool wants(void *ptr, const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (has_holidays(ptr, str_of(path), true))
		return true;
	return *name != '.' && strcmp(name, "tests") != 0 &&
	       (path_inside("jobs", path, NULL) || path_inside("pipelines", path, NULL));
}

static void on_quiet(struct loop_ev *ev, void *ptr)
{
	struct daemon *d = ptr;

	(void)ev;
	d->quiet = NULL;
	events_reload(d);
}

static void told(void *ptr, const char *path)
{
	struct daemon *d = ptr;
	struct str all = str_of(path), dir, name;
	bool in_root = !str_rcut(all, '/', &dir, &name);
	bool of_jobs = path_inside("jobs", path, NULL) || path_inside("pipelines", path, NULL);

	/* While something is wrong, a file of the root may be the one that was missed. */
	if (*path && !of_jobs && strcmp(path, WORKSPACE_FILE) != 0 && !has_holidays(d, all, false) &&
	    !(in_root && *path != '.' && d->broken))
		return;
	if (d->quiet)
		loop_timer_again(d->quiet, DAEMON_QUIET_MS);
	else
		d->quiet = loop_timer(d->loop, DAEMON_QUIET_MS, on_quiet, d);
}

static void on_files(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct daemon *d = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;

	(void)ev;
	(void)events;
	if (notify_read(d->files, told, d, &e))
		daemon_log(d, "error", err_text(a, &e));
}

int events_load(struct daemon *d, struct flow **out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct flow *files;
	size_t changed;

	if (flow_open(d->store, d->kinds, true, &files, e))
		return -1;
	for (size_t i = 0; i < files->jobs->n_errors; i++)
		daemon_log(d, "error", err_text(a, files->jobs->errors[i]));
	d->broken = files->jobs->n_errors_all;
	if (live_update(d->store, files->jobs, &changed, e)) {
		flow_close(files);
		return -1;
	}
	flow_close(files);
	return flow_open_live(d->store, d->kinds, out, e);
}

void events_reload(struct daemon *d)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct workspace *ws = NULL, *old = d->ws;
	struct flow *f = NULL;
	struct err e = ERR_INIT;

	if (workspace_open(d->dir, &ws, &e)) {
		daemon_log(d, "error", err_text(a, &e));
		return;
	}
	d->store->ws = ws; /* whose settings it looks at */
	if (events_load(d, &f, &e)) {
		daemon_log(d, "error", err_text(a, &e));
		d->store->ws = old;
		workspace_close(ws);
		return;
	}
	if (clock_load(d->slots, f, clock_now_ms(), &e)) { /* the next tick tries again */
		daemon_log(d, "error", err_text(a, &e));
		err_clear(&e);
	}
	standby_drop(d);
	flow_close(d->flow);
	workspace_close(old);
	d->flow = f;
	d->ws = ws;
	if (watch_holidays(d, &e)) {
		daemon_log(d, "error", err_text(a, &e));
		err_clear(&e);
	}
	daemon_log(d, "info", "jobs loaded", "jobs", arena_printf(a, "%zu", f->jobs->n), "broken",
	           arena_printf(a, "%zu", d->broken));
	lineage_reloaded(d);
	events_tick(d);
	events_look(d);
}

static void on_note(void *ptr, const char *text)
{
	daemon_log(ptr, "info", text);
}

int events_begin(struct daemon *d, struct err *e)
{
	static const char *const roots[] = {"", "jobs", "pipelines"};

	d->slots = clock_new(d->store, (struct clock_say){.note = on_note, .due = direct_due, .ptr = d});
	if (clock_load(d->slots, d->flow, clock_now_ms(), e))
		return -1;
	if (notify_new(d->ws->dir, wants, d, &d->files, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (notify_add(d->files, roots[i], e)) {
			if (e->code != ERR_NOT_FOUND)
				return -1;
			err_clear(e);
		}
	if (watch_holidays(d, e) || loop_fd(d->loop, notify_fd(d->files), EPOLLIN, on_files, d, NULL, e))
		return -1;
	return watch_written(d, e);
}

void events_end(struct daemon *d)
{
	clock_free(d->slots);
	notify_free(d->files);
	fd_close(&d->written);
}
