#include "repo/export.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/dom.h"
#include "base/str.h"
#include "base/tz.h"
#include "repo/layout.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/rand.h"

#define FLUSH ((size_t)256 << 10)
#define MANIFEST_MAX ((size_t)256 << 20)

struct export {
	struct store *s;
	struct arena *a;
	char *dir, *temp;
	int sums; /* SHA256SUMS */
	struct buf lines;
	struct str repo; /* whose files are being listed */
};

static int flush_sums(struct export *x, struct err *e)
{
	int rc = fd_write_all(x->sums, x->lines.p, x->lines.n, EXPORT_SUMS, e);

	buf_reset(&x->lines);
	return rc;
}

/* A name with a line feed or a backslash is written as sha256sum does: escaped, with a backslash before the line. */
static void add_name(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_adds(b, "\\n");
		else if (s.p[i] == '\r')
			buf_adds(b, "\\r");
		else if (s.p[i] == '\\')
			buf_adds(b, "\\\\");
		else
			buf_addc(b, s.p[i]);
	}
}

static int list_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct export *x = ptr;
	char hex[SHA_HEX + 1];

	sha_hex(&entry->id, hex);
	if (memchr(path.p, '\n', path.n) || memchr(path.p, '\\', path.n) || memchr(path.p, '\r', path.n))
		buf_addc(&x->lines, '\\');
	buf_addf(&x->lines, "%s  %.*s/", hex, STR_ARG(x->repo));
	add_name(&x->lines, path);
	buf_addc(&x->lines, '\n');
	return x->lines.n > FLUSH ? flush_sums(x, e) : 0;
}

static int export_repo(struct export *x, struct layout *l, const struct pin *p, struct dom *list, struct err *e)
{
	char *to = arena_printf(x->a, "%s/%.*s", x->temp, STR_ARG(p->repo.name)), hex[SHA_HEX + 1], when[TIME_TEXT];
	struct sha tree = p->has_commit ? p->commit.tree : tree_empty_id();
	struct dom *d = dom_new(x->a, DOM_MAP);

	x->repo = p->repo.name;
	if (dir_make(to, 0777, e) || layout_tree(l, to, &tree, e) ||
	    tree_walk(x->s, NULL, &tree, false, list_file, x, e))
		return -1;
	fault_crash("export-half");
	sha_hex(&tree, hex);
	dom_set_str(x->a, d, "repo", p->repo.name);
	dom_set_str(x->a, d, "branch", p->branch);
	dom_set_str(x->a, d, "job", p->repo.job);
	if (p->has_commit) {
		time_rfc3339(p->commit.at, when);
		dom_set_cstr(x->a, d, "commit", p->commit.id.hex);
		dom_set_int(x->a, d, "number", p->commit.number);
		dom_set_cstr(x->a, d, "at", when);
		dom_set_str(x->a, d, "author", p->commit.author);
		dom_set_str(x->a, d, "message", p->commit.message);
	}
	dom_set_cstr(x->a, d, "tree", hex);
	dom_set_int(x->a, d, "files", p->has_commit ? p->commit.files : 0);
	dom_set_int(x->a, d, "bytes", p->has_commit ? p->commit.bytes : 0);
	dom_add(list, d);
	return 0;
}

static int write_manifest(struct export *x, struct dom *list, struct err *e)
{
	struct dom *d = dom_new(x->a, DOM_MAP);
	struct buf b = BUF_INIT(MANIFEST_MAX);
	char when[TIME_TEXT];
	int rc;

	time_rfc3339(clock_now_ms(), when);
	dom_set_int(x->a, d, "format", EXPORT_FORMAT);
	dom_set_cstr(x->a, d, "what", "plain copies of the repos of a leat workspace; SHA256SUMS lists every file");
	dom_set_cstr(x->a, d, "leat", LEAT_VERSION);
	dom_set_cstr(x->a, d, "from", x->s->ws->dir);
	dom_set_cstr(x->a, d, "exported", when);
	dom_set(x->a, d, "repos", list);
	dom_write_json(&b, d, DOM_PRETTY);
	buf_addc(&b, '\n');
	rc = buf_over(&b) ? err_set(e, ERR_LIMIT, EXPORT_FILE " would be larger than %zu MiB", MANIFEST_MAX >> 20)
	                  : file_write(arena_printf(x->a, "%s/" EXPORT_FILE, x->temp), buf_str(&b), 0644, 0, e);
	buf_free(&b);
	return rc;
}

static int export_all(struct export *x, const struct pin *pins, size_t n, struct export_done *done, struct err *e)
{
	struct dom *list = dom_new(x->a, DOM_LIST);
	struct layout *l;
	int rc = 0;

	if (file_open_write(arena_printf(x->a, "%s/" EXPORT_SUMS, x->temp), O_EXCL, 0666, &x->sums, e))
		return -1;
	l = layout_new(x->s, NULL, true);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = export_repo(x, l, &pins[i], list, e);
		done->repos++;
		done->files += pins[i].has_commit ? pins[i].commit.files : 0;
		done->bytes += pins[i].has_commit ? pins[i].commit.bytes : 0;
	}
	layout_free(l);
	if (!rc)
		rc = flush_sums(x, e) || write_manifest(x, list, e) ? -1 : 0;
	if (close(x->sums) && !rc)
		rc = err_set(e, ERR_IO, "%s/" EXPORT_SUMS " could not be written to its end", x->temp);
	return rc;
}

static int check(const struct pin *pins, size_t n, struct export *x, struct err *e)
{
	bool empty = true;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (pins[i].repo.id == pins[k].repo.id)
				return err_set(e, ERR_BAD_REQUEST, "%.*s is named twice, and would lie in one folder",
				               STR_ARG(pins[i].repo.name));
	if (path_inside(x->s->leat_dir, x->dir, NULL) || path_inside(x->s->data_dir, x->dir, NULL) ||
	    path_inside(x->dir, x->s->ws->dir, NULL))
		return err_set(e, ERR_REFUSED, "%s is no place for an export: the workspace itself lies there", x->dir);
	if (!file_exists(x->dir))
		return 0;
	if (!dir_exists(x->dir))
		return err_set(e, ERR_REFUSED, "%s is there and no folder", x->dir);
	if (dir_is_empty(x->dir, &empty, e))
		return -1;
	if (empty)
		return 0;
	err_set(e, ERR_REFUSED, "%s is not empty", x->dir);
	return err_hint(e, "name a new folder");
}

int export_run(struct store *s, struct arena *a, const struct pin *pins, size_t n, const char *dir,
               struct export_done *out, struct err *e)
{
	struct export x = {.s = s, .a = a, .sums = -1, .lines = BUF_INIT(4 * FLUSH)};
	struct export_done done = {0};
	struct err ignored = ERR_INIT;
	char name[RAND_NAME];
	int rc;

	if (path_absolute(a, dir, &x.dir, e) || check(pins, n, &x, e) || dir_make_parent(x.dir, 0777, e))
		return -1;
	rand_name(name);
	x.temp = arena_printf(a, "%s/.%s.leat-%s", path_dir(a, x.dir), path_base(a, x.dir), name);
	if (dir_make_one(x.temp, 0777, e))
		return -1;
	rc = export_all(&x, pins, n, &done, e);
	buf_free(&x.lines);
	if (!rc)
		rc = file_rename(x.temp, x.dir, e); /* over an empty folder is fine */
	if (rc) {
		if (dir_remove_tree(x.temp, &ignored))
			err_clear(&ignored);
		return -1;
	}
	done.dir = x.dir;
	*out = done;
	return 0;
}
