/* The code of a job: read when its run begins, laid into the work folder of each attempt. */
#include "base/str.h"
#include "flow/run_int.h"

#include <limits.h>
#include <stdio.h>

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

static int pin_file(struct engine *g, struct run_job *r, const struct job_code *code, size_t *held,
                    struct code_file *out, struct err *e)
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
	err_set(e, ERR_CODE_MOVED, "%.*s was changed while the run began", STR_ARG(code->path));
	return err_hint(e, "run it again");
}

int run_code_pin(struct engine *g, struct run_job *r, struct err *e)
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

/* What its environment is made of is no file of the task's. */
static bool is_apart(const struct code_file *f)
{
	return str_has_prefix(f->label, STR(JOB_ENVIRONMENT));
}

static size_t n_laid(const struct run_job *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_code; i++)
		n += !is_apart(&r->code[i]);
	return n;
}

int run_code_lay(struct engine *g, struct desk *d, struct err *e)
{
	const struct run_job *r = d->run;
	struct arena *a cleanup(arena_cleanup) = arena_new();

	d->flat = true;
	for (size_t i = 0; i < r->n_code; i++) {
		const struct code_file *f = &r->code[i];
		char *to = arena_printf(a, "%s/%.*s", d->work, STR_ARG(f->label));

		if (is_apart(f))
			continue;
		bool deep = memchr(f->label.p, '/', f->label.n) != NULL;

		d->flat &= !deep;
		if (deep && dir_make_parent(to, 0700, e))
			return -1;
		if (f->bytes.p ? file_write(to, f->bytes, f->mode, FILE_EXCL, e)
		               : file_copy(arena_printf(a, "%s/%.*s", code_dir(g, r), STR_ARG(f->label)), to, f->mode,
		                           0, e))
			return -1;
		if (file_stat_key(to, &d->laid[i], e))
			return -1;
	}
	return 0;
}

struct looking {
	const struct desk *d;
	size_t seen;
	struct arena *a;
};

static int look(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct looking *l = ptr;

	(void)e;
	if (entry->type == DIR_FOLDER)
		return DIR_GO;
	for (size_t i = 0; i < l->d->run->n_code; i++) {
		struct file_key now = file_key_of(&entry->st);

		if (str_is(l->d->run->code[i].label, entry->path) && entry->type == DIR_FILE &&
		    file_key_eq(&now, &l->d->laid[i])) {
			l->seen++;
			return DIR_GO;
		}
	}
	l->seen = SIZE_MAX;
	return DIR_STOP;
}

/* For a folder that is known to hold no others. */
static bool files_intact(const struct desk *d)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < d->run->n_code; i++) {
		struct stat st;
		struct file_key now;

		if (is_apart(&d->run->code[i]))
			continue;
		snprintf(path, sizeof(path), "%s/%.*s", d->work, STR_ARG(d->run->code[i].label));
		if (lstat(path, &st) || !S_ISREG(st.st_mode))
			return false;
		now = file_key_of(&st);
		if (!file_key_eq(&now, &d->laid[i]))
			return false;
	}
	return true;
}

bool run_code_intact(const struct desk *d)
{
	struct looking l = {.d = d};
	struct err e = ERR_INIT;

	if (d->flat && run_dir_untouched(d->work, d->work_stamp))
		return files_intact(d);
	/* A folder more is an empty one: it is one of the code's, or harmless litter that no file lies in. */
	return d->run->n_code <= RUN_MAX_LAID && !dir_walk(d->work, DIR_UNSORTED, look, &l, &e) &&
	       l.seen == n_laid(d->run);
}
