/* Folders, logs and inputs of attempts. */
#include "flow/run_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "repo/view.h"
#include "sys/bind.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "sys/root.h"

#define STAMP_AGE_NS ((int64_t)3600 * 1000000000)
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

int run_task_path(struct flow *f, struct arena *a, const char **out, struct err *e)
{
	const struct dom *set = workspace_setting(f->ws, "path");
	struct q *q;
	int r;

	*out = DEFAULT_PATH;
	if (set && set->type == DOM_STR) {
		*out = arena_cstr(a, set->s);
		return 0;
	}
	q = db_query(f->store->db, "select value from store where key = 'path'");
	r = q_step(q, e);
	if (r == 1 && q_col_text(q, 0).n)
		*out = arena_cstr(a, q_col_text(q, 0));
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* --- desks --- */

static void names_free(struct desk *d)
{
	free(d->dir);
	free(d->out);
	free(d->work);
	free(d->spec);
	free(d->extra);
	free(d->report);
	free(d->root);
	free(d->tmp);
	free(d->home);
}

void run_desk_free(struct desk *d)
{
	struct err e = ERR_INIT;

	if (d->log_fd >= 0 && file_unlink(d->log, &e))
		err_clear(&e);
	fd_close(&d->log_fd);
	fd_close(&d->spec_fd);
	names_free(d);
	free(d->laid);
	free(d->log);
	free(d);
}

void run_desk_scrap(struct desk *d)
{
	struct err e = ERR_INIT;

	/* What cannot be removed is only in the way: recovery removes the folder of a run that has ended. */
	if (dir_remove_tree(d->dir, &e))
		err_clear(&e);
	run_desk_free(d);
}

static char *joined(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *p = xmalloc(n);

	snprintf(p, n, "%s/%s", dir, name);
	return p;
}

void run_desk_names(struct desk *d, const char *dir)
{
	bool root = d->root != NULL;
	char name[32];

	names_free(d);
	snprintf(name, sizeof(name), "%lld", (long long)d->number);
	d->dir = joined(dir, name);
	d->out = joined(d->dir, "out");
	d->work = joined(d->dir, "work");
	d->spec = joined(d->dir, "spec.json");
	d->extra = joined(d->dir, "in");
	d->report = d->run->job->kind->reports ? joined(d->dir, "report") : NULL;
	d->root = root ? joined(d->dir, "root") : NULL;
	d->tmp = root ? joined(d->dir, "tmp") : NULL;
	d->home = root ? joined(d->dir, "home") : NULL;
}

/* 0 where it cannot be dated: then it is listed. */
int64_t run_desk_stamp(const char *path)
{
	int64_t past = clock_now_ms() * 1000000 - STAMP_AGE_NS - (int64_t)(rand_u64() % (uint64_t)STAMP_AGE_NS);
	struct err e = ERR_INIT;
	struct stat st;

	if (file_set_mtime(path, past, &e) || file_lstat(path, &st, &e))
		return 0;
	return file_key_of(&st).mtime_ns; /* as the file system keeps it */
}

bool run_dir_untouched(const char *path, int64_t stamp)
{
	struct stat st;

	return stamp && !lstat(path, &st) && file_key_of(&st).mtime_ns == stamp;
}

int run_wants_root(const struct job *j, struct err *e)
{
	enum job_sandbox s = j->kind->starts_process ? job_sandbox(j) : SANDBOX_OFF;
	const char *why;

	if (s == SANDBOX_OFF || root_available(&why))
		return s != SANDBOX_OFF;
	if (s == SANDBOX_AUTO)
		return 0;
	err_set(e, ERR_PERMISSION, "the job wants a sandbox, and this machine gives none: %s", why);
	return err_hint(e, "`sandbox: off` runs it with folders that LEAT_OUTPUT and LEAT_INPUT_... name");
}

static int root_fill(struct desk *d, struct err *e)
{
	d->root = joined(d->dir, "root");
	d->tmp = joined(d->dir, "tmp");
	d->home = joined(d->dir, "home");
	if (dir_make_one(d->root, 0700, e) || dir_make_one(d->tmp, 0700, e) || dir_make_one(d->home, 0700, e))
		return -1;
	d->tmp_stamp = run_desk_stamp(d->tmp);
	d->home_stamp = run_desk_stamp(d->home);
	return 0;
}

static int desk_fill(struct engine *g, struct desk *d, struct err *e)
{
	struct stat st;
	int root = run_wants_root(d->run->job, e);

	if (root < 0 || dir_make_one(d->dir, 0700, e) || dir_make_one(d->out, 0700, e) || file_lstat(d->out, &st, e))
		return -1;
	d->out_ino = st.st_ino;
	d->out_stamp = run_desk_stamp(d->out);
	if (d->report && dir_make_one(d->report, 0700, e))
		return -1;
	if (!d->run->job->kind->starts_process)
		return 0;
	if (dir_make_one(d->work, 0700, e) || file_open_write(d->spec, O_EXCL, 0444, &d->spec_fd, e) ||
	    run_code_lay(g, d, e))
		return -1;
	d->work_stamp = run_desk_stamp(d->work);
	return root ? root_fill(d, e) : 0;
}

static int desk_new(struct engine *g, struct run_job *r, struct desk **out, struct err *e)
{
	struct desk *d;
	char *dir = arena_printf(g->arena, "%s/%s", g->run_dir, r->id);

	if (!r->dirs && dir_make(dir, 0700, e))
		return -1;
	r->dirs = true;
	d = xcalloc(1, sizeof(*d));
	d->run = r;
	d->number = (int64_t)++r->n_desks;
	run_desk_names(d, dir);
	d->log = xstrdup("");
	d->spec_fd = d->log_fd = -1;
	d->laid = xcalloc(r->n_code + 1, sizeof(*d->laid));
	if (desk_fill(g, d, e)) {
		run_desk_scrap(d);
		return -1;
	}
	*out = d;
	return 0;
}

static bool folder_as_made(const char *path, struct stat *st)
{
	return !lstat(path, st) && S_ISDIR(st->st_mode) && (st->st_mode & 07777) == 0700 && st->st_uid == geteuid();
}

static int remove_small(const struct dir_entry *entry, void *ptr, struct err *e)
{
	size_t *left = ptr;

	if (entry->type != DIR_FILE || !*left)
		return DIR_STOP;
	--*left;
	return unlinkat(entry->dir_fd, entry->name, 0) ? DIR_STOP : DIR_GO;
}

/*
 * Whether it is an empty folder, as it was made, after a few files were removed: of an output those that the store has
 * (larger ones were moved there).
 */
static bool emptied(const char *path, int64_t *date, struct stat *st)
{
	struct err e = ERR_INIT;
	size_t most = RUN_MAX_KEPT;
	bool empty;

	if (!folder_as_made(path, st))
		return false;
	if (*date && file_key_of(st).mtime_ns == *date)
		return true;
	if (dir_walk(path, DIR_UNSORTED | DIR_NO_STAT | DIR_FLAT, remove_small, &most, &e) ||
	    dir_is_empty(path, &empty, &e) || !empty)
		return false;
	*date = run_desk_stamp(path);
	return true;
}

static bool out_clean(struct desk *d)
{
	struct stat st;

	return emptied(d->out, &d->out_stamp, &st) && st.st_ino == d->out_ino;
}

/* Its files are the store's by now: those that were not moved there are small. */
static bool report_clean(const struct desk *d)
{
	int64_t date = 0;
	struct stat st;

	return emptied(d->report, &date, &st);
}

/* Whether the next attempt finds it as the first one did. */
static bool desk_clean(struct desk *d)
{
	struct stat named, open, st;
	struct err e = ERR_INIT;

	if (!out_clean(d) || (d->report && !report_clean(d)) || (!d->extra_kept && file_exists(d->extra)) ||
	    (d->root && !(emptied(d->tmp, &d->tmp_stamp, &st) && emptied(d->home, &d->home_stamp, &st))))
		return false;
	if (!d->run->job->kind->starts_process)
		return true;
	return folder_as_made(d->work, &st) && !file_lstat(d->spec, &named, &e) && !fstat(d->spec_fd, &open) &&
	       named.st_ino == open.st_ino && (named.st_mode & 07777) == 0444 && run_code_intact(d);
}

static int write_spec(struct desk *d, const struct dom *spec, struct err *e)
{
	struct buf b = BUF_INIT(RUN_MAX_SPEC);
	int rc;

	dom_write_json(&b, spec, DOM_COMPACT);
	buf_addc(&b, '\n');
	if (buf_over(&b))
		rc = err_set(e, ERR_LIMIT, "the rendered job is larger than %zu bytes", RUN_MAX_SPEC);
	else
		rc = fd_pwrite_all(d->spec_fd, b.p, b.n, 0, d->spec, e);
	if (!rc && b.n < d->spec_size)
		rc = fd_truncate(d->spec_fd, (off_t)b.n, d->spec, e);
	d->spec_size = b.n;
	buf_free(&b);
	return rc;
}

/* --- of an attempt --- */

void run_dir_log_name(const struct run_unit *u, char *out, size_t cap)
{
	const char *label = u->p->ds.label;
	char number[32];

	if (u->p->datum) {
		snprintf(number, sizeof(number), "%lld", (long long)u->id);
		label = number;
	}

	snprintf(out, cap, "logs/%s/%.*s%s%s.%d.log", u->run->id, STR_ARG(u->p->job->name), label[0] ? "." : "", label,
	         u->attempts);
}

int run_dir_make(struct task *t, struct err *e)
{
	struct run_job *r = t->u->run;
	struct arena *a = t->t.arena;
	char log[512];

	if (r->desks || run_spare_take(t->eng, r)) {
		t->desk = r->desks;
		r->desks = t->desk->next;
	} else if (desk_new(t->eng, r, &t->desk, e)) {
		return -1;
	}
	r->n_at_desk++;
	t->t.out_dir = t->desk->out;
	t->t.report_dir = t->desk->report;
	t->t.in_dir = t->desk->extra;
	t->t.work_dir = t->desk->work;
	t->t.spec_path = t->desk->spec;
	t->t.root_dir = t->desk->root;
	t->t.tmp_dir = t->desk->tmp;
	t->t.home_dir = t->desk->home;
	run_dir_log_name(t->u, log, sizeof(log));
	t->t.log_path = arena_printf(a, "%s/%s", t->eng->f->store->leat_dir, log);
	return r->job->kind->starts_process ? write_spec(t->desk, t->t.spec, e) : 0;
}

int run_dir_adopt(struct task *t, const struct shim_begun *b, const char *log, struct err *e)
{
	struct run_job *r = t->u->run;
	struct desk *d = xcalloc(1, sizeof(*d));

	d->number = b->desk;
	d->run = r;
	run_desk_names(d, arena_printf(t->t.arena, "%s/%s", t->eng->run_dir, r->id));
	t->t.report_dir = d->report;
	d->log = xstrdup("");
	d->spec_fd = d->log_fd = -1;
	d->out_ino = (ino_t)b->out_ino;
	d->out_stamp = b->out_stamp;
	d->used = true;
	t->desk = d;
	t->t.out_dir = d->out;
	t->t.work_dir = d->work;
	t->t.log_path = arena_printf(t->t.arena, "%s/%s", t->eng->f->store->leat_dir, log);
	if (!file_exists(t->t.log_path))
		return 0;
	t->log_name = arena_dup(t->t.arena, log);
	return file_open_write(t->t.log_path, O_APPEND, 0644, &t->log_fd, e);
}

/* A log that nobody wrote to serves the next attempt; run_dir_log_named gives it that one's name. */
static int log_open(struct task *t, struct err *e)
{
	struct desk *d = t->desk;
	struct run_job *r = t->u->run;

	if (d->log_fd >= 0) {
		t->log_fd = fd_steal(&d->log_fd);
		t->log_unnamed = true;
		return 0;
	}
	if (!r->logs && dir_make_parent(t->t.log_path, 0755, e))
		return -1;
	r->logs = true;
	return file_open_write(t->t.log_path, O_APPEND, 0644, &t->log_fd, e);
}

int attempt_log_fd(struct attempt *t, int *fd, struct err *e)
{
	struct task *k = (struct task *)t;

	if (t->given) {
		*fd = t->given->log;
		return 0;
	}
	if (k->log_fd < 0) {
		if (log_open(k, e))
			return -1;
		k->log_name = arena_dup(t->arena, t->log_path + strlen(k->eng->f->store->leat_dir) + 1);
	}
	*fd = k->log_fd;
	return 0;
}

void run_dir_log_named(struct task *t)
{
	struct err e = ERR_INIT;

	if (!t->log_unnamed)
		return;
	t->log_unnamed = false;
	if (!file_rename(t->desk->log, t->t.log_path, &e))
		return;
	err_clear(&e);
	t->t.log_path = arena_dup(t->t.arena, t->desk->log);
	t->log_name = arena_dup(t->t.arena, t->t.log_path + strlen(t->eng->f->store->leat_dir) + 1);
}

void run_dir_log_end(struct task *t)
{
	struct stat st;

	loop_close(t->naming);
	t->naming = NULL;
	if (t->log_fd < 0)
		return;
	if (!fstat(t->log_fd, &st) && !st.st_size) {
		if (!t->log_unnamed) {
			free(t->desk->log);
			t->desk->log = xstrdup(t->t.log_path);
		}
		t->log_unnamed = false;
		t->desk->log_fd = fd_steal(&t->log_fd);
		t->log_name = NULL;
		return;
	}
	run_dir_log_named(t);
	t->u->run->logged = true;
	fd_close(&t->log_fd);
	t->log_fd = -1;
}

void run_dir_done(struct task *t)
{
	struct desk *d = t->desk;

	if (!d)
		return;
	run_dir_log_end(t);
	if (t->t.datum && !t->eng->o->keep_staging)
		run_datum_clear(t);
	t->desk = NULL;
	d->run->n_at_desk -= d->run->n_at_desk > 0; /* that of a run that was taken over was not counted */
	if (t->eng->o->keep_staging) {
		run_desk_free(d);
	} else if (d->used && t->gave_nothing) {
		run_desk_free(d); /* it may be another's */
	} else if (!d->used && desk_clean(d)) {
		d->next = d->run->desks;
		d->run->desks = d;
	} else {
		run_desk_scrap(d);
	}
}

void run_dir_end(struct engine *g)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < g->n_jobs; i++) {
		struct run_job *r = &g->jobs[i];
		struct desk *d;

		run_shim_close(r);
		run_spare_end(r);
		while ((d = r->desks)) {
			r->desks = d->next;
			run_desk_free(d);
		}
		if (r->dirs && !g->o->keep_staging &&
		    dir_remove_tree(arena_printf(g->arena, "%s/%s", g->run_dir, r->id), &e))
			err_clear(&e);
	}
}

/* --- inputs --- */

/* Whether the task sees the files of one partition directly, without its ds=... folder (docs/reference: what a task
 * sees). */
static bool is_direct(const struct attempt *t, const struct unit_input *in)
{
	const struct reads *r = &in->reads;
	struct ds d;
	struct err e = ERR_INIT;

	if (r->whole || in->input->window != WINDOW_OWN || t->ds.every == EVERY_NONE || r->n_parts != 1)
		return false;
	if (r->repo && r->repo->kind == TABLE_DIM)
		return true;
	return !ds_parse(str_of(r->parts[0].label), &d, &e) && d.every >= t->ds.every;
}

const char *attempt_input_label(const struct attempt *t, size_t i)
{
	return !t->given && !(t->datum && t->inputs[i].input->glob.p) && is_direct(t, &t->inputs[i])
	               ? t->inputs[i].reads.parts[0].label
	               : NULL;
}

/* What somebody may open for writing is never the only copy: links to blobs are only for a folder that becomes a
 * read-only mount. Where this machine makes none, a task gets copies. */
static bool is_mounted(size_t input)
{
	return input < BIND_MAX && bind_available(NULL);
}

struct linking {
	const char *from, *to;
	struct arena *a;
	bool copy;
};

static int link_entry(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct linking *l = ptr;
	char *to = arena_printf(l->a, "%s/%s", l->to, entry->path);
	char *from = arena_printf(l->a, "%s/%s", l->from, entry->path);
	int r;

	if (entry->type == DIR_FOLDER)
		return dir_make(to, 0700, e);
	r = l->copy ? 0 : file_link(from, to, e);
	return r < 0 ? -1 : r ? 0 : file_copy(from, to, 0444, 0, e);
}

/* The files of a tree in a folder of the task's own, which is made. */
static int lay_out(struct task *t, const struct sha *tree, const char *as, const char *to, bool copy, struct err *e)
{
	char view[BLOB_PATH_CAP];
	struct linking l = {.from = view, .to = to, .a = t->t.arena, .copy = copy};

	return dir_make(to, 0700, e) || view_make(t->eng->f->store, tree, as, view, sizeof(view), e) ||
	                       dir_walk(view, DIR_NO_STAT, link_entry, &l, e)
	               ? -1
	               : 0;
}

/* Several partitions in one folder. */
static int gather(struct task *t, const char *dir, const struct reads *r, bool copy, struct err *e)
{
	if (dir_make(dir, 0700, e))
		return -1;
	for (size_t i = 0; i < r->n_parts; i++) {
		char as[40];

		snprintf(as, sizeof(as), "ds=%s", r->parts[i].label);
		if (lay_out(t, &r->parts[i].entry.id, as, arena_printf(t->t.arena, "%s/%s", dir, as), copy, e))
			return -1;
	}
	return 0;
}

int attempt_input_folder(struct attempt *t, size_t i, const char **path, struct err *e)
{
	struct task *k = (struct task *)t;
	const struct unit_input *in = &t->inputs[i];
	const struct reads *r = &in->reads;
	const char *own = t->given ? NULL : arena_printf(t->arena, "%s/%.*s", k->desk->extra, STR_ARG(in->input->name));
	const struct sha *tree;
	bool copy = !is_mounted(i);
	char view[BLOB_PATH_CAP], as[40];

	if (t->given) {
		*path = t->given->folders[i];
		return 0;
	}
	if (t->datum && in->input->glob.p) {
		if (run_datum_folder(k, i, own, copy, e))
			return err_wrap(e, "input %.*s", STR_ARG(in->input->name));
		*path = own;
		return 0;
	}
	if (!r->whole && !is_direct(t, in)) {
		if (gather(k, own, r, copy, e))
			return -1;
		*path = own;
		return 0;
	}
	tree = r->whole ? &r->root.id : &r->parts[0].entry.id;
	snprintf(as, sizeof(as), "%s%s", r->whole ? "all" : "ds=", r->whole ? "" : r->parts[0].label);
	if (copy ? lay_out(k, tree, as, own, true, e)
	         : view_make(t->flow->store, tree, as, view, sizeof(view), e))
		return err_wrap(e, "input %.*s", STR_ARG(in->input->name));
	*path = copy ? own : arena_dup(t->arena, view);
	return 0;
}
