/* Folders, code, logs and input folders of attempts. */
#include "flow/run_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "repo/blob.h"
#include "sys/fault.h"
#include "sys/file.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

int run_dir_path(struct engine *g, struct err *e)
{
	const struct dom *set = workspace_setting(g->f->ws, "path");
	struct q *q;
	int r;

	g->path = DEFAULT_PATH;
	if (set && set->type == DOM_STR) {
		g->path = arena_cstr(g->arena, set->s);
		return 0;
	}
	q = db_query(g->f->store->db, "select value from store where key = 'path'");
	r = q_step(q, e);
	if (r == 1 && q_col_text(q, 0).n)
		g->path = arena_cstr(g->arena, q_col_text(q, 0));
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* --- code, as it was when the run began --- */

/* A shell takes a CR for part of a word, so scripts for shells lose those of Windows. */
static bool is_shell(struct str label, struct str bytes)
{
	struct str line, rest = bytes, head, tail;

	if (str_has_suffix(label, STR(".sh")) || str_has_suffix(label, STR(".bash")))
		return true;
	if (!str_has_prefix(bytes, STR("#!")) || !str_next_line(&rest, &line))
		return false;
	line = str_trim(line);
	return str_has_suffix(line, STR("sh")) || (str_cut(line, ' ', &head, &tail) && str_has_suffix(head, STR("sh")));
}

static struct str without_cr(struct arena *a, struct str s)
{
	char *p;
	size_t n = 0;

	if (!s.n || !memmem(s.p, s.n, "\r\n", 2))
		return s;
	p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n'))
			p[n++] = s.p[i];
	return (struct str){p, n};
}

static char *code_dir(struct engine *g, const struct run_job *r)
{
	return arena_printf(g->arena, "%s/%s/code", g->run_dir, r->id);
}

static int pin_file(struct engine *g, struct run_job *r, const struct job_code *code, size_t *held, struct code_file *out,
                    struct err *e)
{
	char *path = arena_printf(g->arena, "%s/%.*s", g->f->ws->dir, STR_ARG(code->path));
	struct stat st;
	struct sha now;

	if (file_stat(path, &st, e))
		return -1;
	*out = (struct code_file){.label = code->label, .mode = (st.st_mode & 0777) | 0600};
	if (*held + (size_t)code->size <= RUN_MAX_CODE) {
		if (file_read(g->arena, path, RUN_MAX_CODE, &out->bytes, e))
			return -1;
		now = sha_of(out->bytes.p, out->bytes.n);
		*held += out->bytes.n;
		if (is_shell(code->label, out->bytes))
			out->bytes = without_cr(g->arena, out->bytes);
	} else {
		char *to = arena_printf(g->arena, "%s/%.*s", code_dir(g, r), STR_ARG(code->label));

		if (dir_make_parent(to, 0700, e) || file_copy_sha(path, to, 0600, 0, &now, NULL, e))
			return -1;
	}
	if (sha_eq(&now, &code->sha))
		return 0;
	err_set(e, ERR_CONFLICT, "%.*s was changed while the run began", STR_ARG(code->path));
	return err_hint(e, "run it again");
}

int run_dir_pin(struct engine *g, struct run_job *r, struct err *e)
{
	const struct job *j = r->job;
	size_t held = 0;

	if (!j->kind->starts_process)
		return 0;
	r->code = arena_array(g->arena, struct code_file, j->n_code);
	for (size_t i = 0; i < j->n_code; i++)
		if (pin_file(g, r, &j->code[i], &held, &r->code[i], e))
			return -1;
	r->n_code = j->n_code;
	return 0;
}

static int lay_code(struct task *t, struct err *e)
{
	struct run_job *r = t->u->run;
	struct arena *a = t->t.arena;

	for (size_t i = 0; i < r->n_code; i++) {
		const struct code_file *f = &r->code[i];
		char *to = arena_printf(a, "%s/%.*s", t->t.work_dir, STR_ARG(f->label));

		if (memchr(f->label.p, '/', f->label.n) && dir_make_parent(to, 0700, e))
			return -1;
		if (f->bytes.p ? file_write(to, f->bytes, f->mode, FILE_EXCL, e)
		               : file_copy(arena_printf(a, "%s/%.*s", code_dir(t->eng, r), STR_ARG(f->label)), to, f->mode, 0, e))
			return -1;
	}
	return 0;
}

/* --- folders --- */

void run_dir_log_name(const struct run_unit *u, char *out, size_t cap)
{
	const char *label = u->p->ds.label;

	snprintf(out, cap, "logs/%s/%.*s%s%s.%d.log", u->run->id, STR_ARG(u->p->job->name), label[0] ? "." : "", label,
	         u->attempts);
}

int run_dir_make(struct task *t, struct err *e)
{
	struct run_job *r = t->u->run;
	struct arena *a = t->t.arena;
	char log[512];
	char *dir = arena_printf(a, "%s/%s/%lld.%d", t->eng->run_dir, r->id, (long long)t->u->id, t->u->attempts);

	if (!r->dirs && dir_make(arena_printf(a, "%s/%s", t->eng->run_dir, r->id), 0700, e))
		return -1;
	r->dirs = true;
	if (dir_make_one(dir, 0700, e))
		return -1;
	t->dir = dir;
	t->t.out_dir = arena_printf(a, "%s/out", dir);
	t->t.work_dir = arena_printf(a, "%s/work", dir);
	run_dir_log_name(t->u, log, sizeof(log));
	t->t.log_path = arena_printf(a, "%s/%s", t->eng->f->store->leat_dir, log);
	if (dir_make_one(t->t.out_dir, 0700, e) || dir_make_one(t->t.work_dir, 0700, e))
		return -1;
	return lay_code(t, e);
}

int attempt_log_fd(struct attempt *t, int *fd, struct err *e)
{
	struct task *k = (struct task *)t;

	if (k->log_fd < 0) {
		struct run_job *r = k->u->run;

		if (!r->logs && dir_make_parent(t->log_path, 0755, e))
			return -1;
		r->logs = true;
		if (file_open_write(t->log_path, O_APPEND, 0644, &k->log_fd, e))
			return -1;
		k->log_name = arena_dup(t->arena, t->log_path + strlen(k->eng->f->store->leat_dir) + 1);
	}
	*fd = k->log_fd;
	return 0;
}

void run_dir_log_end(struct task *t)
{
	struct stat st;
	struct err e = ERR_INIT;

	if (t->log_fd < 0)
		return;
	if (!fstat(t->log_fd, &st) && !st.st_size) {
		if (file_unlink(t->t.log_path, &e))
			err_clear(&e);
		t->log_name = NULL;
	}
	fd_close(&t->log_fd);
	t->log_fd = -1;
}

void run_dir_done(struct task *t)
{
	struct err e = ERR_INIT;

	run_dir_log_end(t);
	/* What cannot be removed is only in the way: recovery removes the folder of a run that has ended. */
	if (t->dir && !t->eng->o->keep_staging && dir_remove_tree(t->dir, &e))
		err_clear(&e);
	t->dir = NULL;
}

void run_dir_end(struct engine *g)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < g->n_jobs && !g->o->keep_staging; i++)
		if ((g->jobs[i].dirs || g->jobs[i].n_code) &&
		    dir_remove_tree(arena_printf(g->arena, "%s/%s", g->run_dir, g->jobs[i].id), &e))
			err_clear(&e);
}

/* --- inputs --- */

/* Whether the task sees the files of one partition directly, without its ds=... folder (docs/reference: what a task sees). */
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

struct linking {
	const char *from, *to;
	struct arena *a;
};

static int link_entry(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct linking *l = ptr;
	char *to = arena_printf(l->a, "%s/%s", l->to, entry->path);
	char *from = arena_printf(l->a, "%s/%s", l->from, entry->path);
	int r;

	if (entry->type == DIR_FOLDER)
		return dir_make(to, 0700, e);
	r = file_link(from, to, e);
	return r < 0 ? -1 : r ? 0 : file_copy(from, to, 0444, 0, e);
}

/* Several partitions in one folder: links to the files of their views. */
static int gather(struct task *t, struct str name, const struct reads *r, const char **path, struct err *e)
{
	struct arena *a = t->t.arena;
	char *dir = arena_printf(a, "%s/in/%.*s", t->dir, STR_ARG(name));
	char view[BLOB_PATH_CAP];

	if (dir_make(dir, 0700, e))
		return -1;
	for (size_t i = 0; i < r->n_parts; i++) {
		char as[40];
		struct linking l = {.a = a, .from = view};

		snprintf(as, sizeof(as), "ds=%s", r->parts[i].label);
		l.to = arena_printf(a, "%s/%s", dir, as);
		if (dir_make(l.to, 0700, e) || view_make(t->eng->f->store, &r->parts[i].entry.id, as, view, sizeof(view), e) ||
		    dir_walk(view, DIR_NO_STAT, link_entry, &l, e))
			return -1;
	}
	*path = dir;
	return 0;
}

int attempt_input_folder(struct attempt *t, size_t i, const char **path, struct err *e)
{
	struct task *k = (struct task *)t;
	const struct unit_input *in = &t->inputs[i];
	const struct reads *r = &in->reads;
	struct store *s = t->flow->store;
	char view[BLOB_PATH_CAP], as[40];

	if (!r->whole && !is_direct(t, in))
		return gather(k, in->input->name, r, path, e);
	snprintf(as, sizeof(as), "%s%s", r->whole ? "all" : "ds=", r->whole ? "" : r->parts[0].label);
	if (view_make(s, r->whole ? &r->root.id : &r->parts[0].entry.id, as, view, sizeof(view), e))
		return err_wrap(e, "input %.*s", STR_ARG(in->input->name));
	*path = arena_dup(t->arena, view);
	return 0;
}
