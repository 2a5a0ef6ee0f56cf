#include "flow/live.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/schedule.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/path.h"

#define LIST_MAX       ((size_t)64 << 20)
#define FILE_MAX_BYTES ((size_t)64 << 20) /* of one file of code */
#define LIST           LIVE_ROOT "jobs.json"

struct updating {
	struct arena *a;
	struct store *s;
	const struct jobs *js;
	struct dom *list, *was; /* rows of jobs.json */
	struct map by_job;      /* job -> its row of `was` */
	struct map taken;
	size_t changed;
};

int live_lock(struct store *s, unsigned flags, struct lock *l, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();

	return lock_take(l, arena_printf(a, "%s/live.lock", s->leat_dir), NULL, flags, e);
}

static char *in_ws(const struct updating *u, const char *root, struct str path)
{
	return arena_printf(u->a, "%s/%s%.*s", u->s->ws->dir, root, STR_ARG(path));
}

static struct dom *read_list(struct updating *u)
{
	struct err e = ERR_INIT;
	struct str text;
	struct dom *d;

	/* One that is not there, or not whole, is as none: all is copied anew. */
	if (!file_read(u->a, in_ws(u, "", STR(LIST)), LIST_MAX, &text, &e) && !dom_json(u->a, text, LIST, &d, &e) &&
	    d->type == DOM_LIST)
		return d;
	err_clear(&e);
	return dom_new(u->a, DOM_LIST);
}

static struct str text_of(const struct dom *row, const char *key)
{
	const struct dom *v = dom_get(row, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

/* What its files of holidays say; one that is gone meanwhile is as an empty one. */
static void add_holidays(struct updating *u, const struct job *j, struct sha_ctx *c)
{
	struct str *files, bytes;
	size_t n = schedule_holidays(u->a, j, &files);

	for (size_t i = 0; i < n; i++) {
		struct err none = ERR_INIT;

		sha_field(c, files[i]);
		if (!file_read_plain(u->a, in_ws(u, "", files[i]), SCHEDULE_HOLIDAYS_MAX, &bytes, &none))
			sha_field(c, bytes);
	}
}

/* What a job is made of: its keys, its code and its holidays. */
static const char *id_of_job(struct updating *u, const struct job *j)
{
	struct buf b cleanup(buf_free) = BUF_INIT(FILE_MAX_BYTES);
	struct sha_ctx c;
	struct sha id;
	char hex[SHA_HEX + 1];

	sha_init(&c);
	sha_field(&c, j->file);
	dom_write_json(&b, job_doc(j), DOM_CANONICAL);
	sha_field(&c, buf_str(&b));
	for (size_t i = 0; i < j->n_code; i++) {
		sha_field(&c, j->code[i].path);
		sha_field(&c, (struct str){(const char *)j->code[i].sha.b, SHA_BYTES});
	}
	add_holidays(u, j, &c);
	id = sha_end(&c);
	sha_hex(&id, hex);
	return arena_printf(u->a, "%s", hex);
}

static int copy_file(struct updating *u, struct str path, struct dom *files, struct err *e)
{
	char *from = in_ws(u, "", path), *to = in_ws(u, LIVE_ROOT, path);
	struct stat st;
	struct str bytes;

	if (file_read_plain(u->a, from, FILE_MAX_BYTES, &bytes, e) || dir_make_parent(to, 0777, e) ||
	    file_replace(to, bytes, stat(from, &st) ? 0644 : st.st_mode & 0777, 0, e))
		return -1;
	dom_add(files, dom_new_str(u->a, path));
	return 0;
}

/* Files that the job has no more. */
static void remove_files(struct updating *u, const struct dom *was, const struct dom *kept)
{
	dom_each (f, dom_get(was, "files")) {
		bool stays = false;

		dom_each (k, kept)
			stays |= str_eq(k->s, f->s);
		if (!stays && f->type == DOM_STR)
			(void)unlink(in_ws(u, LIVE_ROOT, f->s));
	}
}

/* A folder that is left without job.yaml would be a broken job. */
static void remove_job(struct updating *u, const struct dom *was)
{
	dom_each (f, dom_get(was, "files"))
		if (f->type == DOM_STR)
			(void)rmdir(path_dir(u->a, in_ws(u, LIVE_ROOT, f->s)));
}

static int take_job(struct updating *u, const struct job *j, struct err *e)
{
	const struct dom *was = map_get(&u->by_job, j->name);
	const char *id = id_of_job(u, j);
	struct dom *row, *files;
	struct str *holidays;
	size_t n;

	map_set(&u->taken, j->name, u);
	if (str_is(text_of(was, "id"), id)) {
		dom_add(u->list, dom_copy(u->a, was));
		return 0;
	}
	u->changed++;
	row = dom_new(u->a, DOM_MAP);
	files = dom_new(u->a, DOM_LIST);
	for (size_t i = 0; i < j->n_code; i++)
		if (!str_eq(j->code[i].path, j->file) && copy_file(u, j->code[i].path, files, e))
			return -1;
	if (copy_file(u, j->file, files, e))
		return -1;
	remove_files(u, was, files);
	/* Not among its files: others may go by the same one when this job goes. */
	n = schedule_holidays(u->a, j, &holidays);
	for (size_t i = 0; i < n; i++)
		if (copy_file(u, holidays[i], dom_new(u->a, DOM_LIST), e))
			return -1;
	dom_set_str(u->a, row, "job", j->name);
	dom_set_cstr(u->a, row, "id", id);
	dom_set(u->a, row, "files", files);
	dom_add(u->list, row);
	return 0;
}

static bool is_broken(const struct jobs *js, struct str job)
{
	for (size_t i = 0; i < js->n_errors; i++)
		if (str_eq(js->error_jobs[i], job))
			return true;
	return js->n_errors_all > js->n_errors; /* of so many not all are known by name */
}

static int update(struct updating *u, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(LIST_MAX);

	if (dir_make(in_ws(u, LIVE_ROOT, STR("jobs")), 0777, e))
		return -1;
	for (size_t i = 0; i < u->js->n; i++)
		if (take_job(u, u->js->all[i], e))
			return -1;
	dom_each (was, u->was) {
		if (map_has(&u->taken, text_of(was, "job")))
			continue;
		if (is_broken(u->js, text_of(was, "job"))) {
			dom_add(u->list, dom_copy(u->a, was));
			continue;
		}
		u->changed++;
		remove_files(u, was, NULL);
		remove_job(u, was);
	}
	if (!u->changed)
		return 0;
	dom_write_json(&b, u->list, DOM_COMPACT);
	return file_replace(in_ws(u, "", STR(LIST)), buf_str(&b), 0644, 0, e);
}

int live_update(struct store *s, const struct jobs *js, size_t *changed, struct err *e)
{
	struct arena *a = arena_new();
	struct updating u = {.a = a, .s = s, .js = js};
	struct lock lock cleanup(lock_drop) = LOCK_INIT;
	int rc = live_lock(s, 0, &lock, e);

	if (!rc) {
		u.list = dom_new(a, DOM_LIST);
		u.was = read_list(&u);
		map_init(&u.by_job, a);
		map_init(&u.taken, a);
		dom_each (row, u.was)
			map_set(&u.by_job, text_of(row, "job"), row);
		rc = update(&u, e);
	}
	*changed = u.changed;
	arena_free(a);
	return rc;
}
