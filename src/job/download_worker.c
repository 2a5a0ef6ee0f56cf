#include <unistd.h>

#include "base/str.h"
#include "base/tz.h"
#include "base/url.h"
#include "job/download.h"
#include "sys/clock.h"
#include "sys/file.h"

#define LOG_FD 2

struct work {
	struct arena *a;
	const struct dom *request;
	const char *out, *dir;
	int64_t max_size;
	enum download_unpack unpack;
	struct dom *done; /* a list */
};

/* One URL at work. */
struct item {
	struct work *w;
	const struct dom *d;
	const char *url, *shown, *name, *part;
	struct download_got got;
	struct download_miss miss;
	struct sha sha;
};

static const char *text_of(const struct work *w, const struct dom *map, const char *key)
{
	struct str s = dom_str(map, key);

	return s.p ? arena_cstr(w->a, s) : NULL;
}

static void log_line(const char *line)
{
	struct err e = ERR_INIT;

	if (fd_write_all(LOG_FD, line, strlen(line), "log", &e) || fd_write_all(LOG_FD, "\n", 1, "log", &e))
		err_clear(&e); /* what cannot be logged is no reason to stop */
}

static int copy_known(const struct dir_entry *entry, void *ptr, struct err *e)
{
	const struct item *it = ptr;
	struct arena *a = it->w->a;
	char *to = path_join(a, it->w->out, entry->path);

	if (entry->type != DIR_FILE)
		return 0;
	if (dir_make_parent(to, 0755, e))
		return -1;
	return file_copy(path_join(a, text_of(it->w, it->d, "known"), entry->path), to, 0644, 0, e);
}

/* "Not modified": what the last fetch made is copied from the store. */
static int take_known(struct item *it, struct err *e)
{
	const char *known = text_of(it->w, it->d, "known");
	const char *to = path_join(it->w->a, it->w->out, it->name);

	if (dir_exists(known))
		return dir_walk(known, 0, copy_known, it, e);
	if (dir_make_parent(to, 0755, e))
		return -1;
	return file_copy(known, to, 0644, 0, e);
}

static int check_sha(struct item *it, struct err *e)
{
	const struct dom *want = dom_get(it->d, "sha256");
	char hex[SHA_HEX + 1];
	struct sha wanted;

	sha_hex(&it->sha, hex);
	if (!want || (sha_parse(want->s, &wanted) && sha_eq(&wanted, &it->sha)))
		return 0;
	it->miss.final = true;
	err_set(e, ERR_BAD_DATA, "%s has the SHA-256 %s, not %.*s as sha256: says", it->shown, hex, STR_ARG(want->s));
	return err_hint(e, "either it was changed at its source, or sha256: in the job is of another version");
}

static int place(struct item *it, struct err *e)
{
	struct work *w = it->w;
	const char *to = path_join(w->a, w->out, it->name);
	struct download_sink sink = {
		.arena = w->a, .dir = w->out, .from = it->shown, .left = w->max_size, .max = w->max_size};

	if (w->unpack == UNPACK_NONE)
		return dir_make_parent(to, 0755, e) || file_rename_new(it->part, to, e) ? -1 : 0;
	it->miss.final = true;
	return download_unpack(&sink, it->part, w->unpack, it->name, e) || file_unlink(it->part, e) ? -1 : 0;
}

static int by_file(struct item *it, const struct url *u, struct err *e)
{
	struct work *w = it->w;
	struct str path = url_decode(w->a, u->path);
	const char *from = path_join(w->a, text_of(w, w->request, "workspace"), arena_cstr(w->a, path));
	struct stat st;
	uint64_t size;

	it->miss.final = true;
	if (memchr(path.p, '\0', path.n))
		return err_set(e, ERR_BAD_NAME, "%s holds a NUL byte", it->shown);
	if (file_stat(from, &st, e))
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD_DATA, "%s is %s, not a file", it->shown,
		               S_ISDIR(st.st_mode) ? "a folder" : "a device");
	if (st.st_size > w->max_size) {
		err_set(e, ERR_LIMIT, "%s is larger than %lld bytes", it->shown, (long long)w->max_size);
		return err_hint(e, "max_size: in the job allows more");
	}
	it->miss.final = false;
	if (file_copy_sha(from, it->part, 0644, 0, &it->sha, &size, e))
		return -1;
	it->got.bytes = (int64_t)size;
	log_line(arena_printf(w->a, "%s: %lld bytes", it->shown, (long long)size));
	return 0;
}

static int by_http(struct item *it, struct err *e)
{
	struct work *w = it->w;
	bool known = text_of(w, it->d, "known");
	struct download_get g = {
		.arena = w->a,
		.url = it->url,
		.shown = it->shown,
		.part = it->part,
		.headers = dom_get(w->request, "headers"),
		.ca_file = text_of(w, w->request, "ca_file"),
		.connect_ms = dom_int(w->request, "connect_ms"),
		.stall_ms = dom_int(w->request, "stall_ms"),
		.max_size = w->max_size,
		.etag = known ? str_of(text_of(w, it->d, "etag")) : STR_NULL,
		.modified = known ? str_of(text_of(w, it->d, "last_modified")) : STR_NULL,
		.log = log_line,
	};

	if (download_fetch(&g, &it->got, &it->miss, e))
		return -1;
	return it->got.not_modified ? 0 : file_sha(it->part, &it->sha, NULL, e);
}

/* What is told of it: a fetch that found nothing new keeps the facts of the bytes that it kept. */
static void report(struct item *it)
{
	struct arena *a = it->w->a;
	struct dom *r = dom_new(a, DOM_MAP);
	char now[TIME_TEXT], hex[SHA_HEX + 1];
	const char *fetched = text_of(it->w, it->d, "fetched"), *sha = text_of(it->w, it->d, "fetched_sha256");

	time_rfc3339(clock_now_ms(), now);
	sha_hex(&it->sha, hex);
	dom_set_cstr(a, r, "url", it->shown);
	if (it->got.final_url)
		dom_set_cstr(a, r, "final_url", it->got.final_url);
	dom_set_cstr(a, r, "name", it->name);
	if (it->got.status)
		dom_set_int(a, r, "status", it->got.status);
	dom_set_int(a, r, "bytes", it->got.not_modified ? dom_int(it->d, "bytes") : it->got.bytes);
	if (it->got.not_modified)
		dom_set_cstr(a, r, "sha256", sha ? sha : "");
	else
		dom_set_cstr(a, r, "sha256", hex);
	if (it->got.etag.n)
		dom_set_str(a, r, "etag", it->got.etag);
	if (it->got.modified.n)
		dom_set_str(a, r, "last_modified", it->got.modified);
	dom_set_cstr(a, r, "fetched", it->got.not_modified && fetched ? fetched : now);
	if (it->got.not_modified) {
		dom_set_cstr(a, r, "checked", now);
		dom_set_bool(a, r, "not_modified", true);
	}
	dom_add(it->w->done, r);
}

static int fetch(struct item *it, struct err *e)
{
	struct url u;

	if (!url_split(str_of(it->url), &u))
		return err_set(e, ERR_INTERNAL, "%s is no URL", it->shown);
	if (str_is(u.scheme, "file") ? by_file(it, &u, e) : by_http(it, e))
		return -1;
	if (it->got.not_modified ? take_known(it, e) : check_sha(it, e) || place(it, e))
		return -1;
	report(it);
	return 0;
}

static struct dom *failure(struct work *w, const struct item *it, const struct err *e)
{
	struct dom *f = dom_new(w->a, DOM_MAP), *all = dom_new(w->a, DOM_MAP);

	dom_set_cstr(w->a, f, "code", err_word(e->code));
	dom_set_str(w->a, f, "msg", url_redact(w->a, str_of(e->msg)));
	if (e->hint[0])
		dom_set_cstr(w->a, f, "hint", e->hint);
	dom_set_bool(w->a, f, "final", it->miss.final);
	dom_set_int(w->a, f, "retry_after_ms", it->miss.retry_after_ms);
	dom_set_int(w->a, f, "item", dom_int(it->d, "number"));
	dom_set(w->a, all, "error", f);
	return all;
}

static struct dom *work(struct work *w, struct item *it, struct err *e)
{
	struct dom *all = dom_new(w->a, DOM_MAP);
	unsigned n = 0;

	w->out = text_of(w, w->request, "out");
	w->dir = text_of(w, w->request, "work");
	w->max_size = dom_int(w->request, "max_size");
	w->unpack = (enum download_unpack)dom_int(w->request, "unpack");
	w->done = dom_new(w->a, DOM_LIST);
	dom_each(d, dom_get(w->request, "items")) {
		*it = (struct item){.w = w, .d = d, .name = text_of(w, d, "name"), .url = text_of(w, d, "url")};
		it->shown = arena_cstr(w->a, url_redact(w->a, str_of(it->url)));
		it->part = path_join(w->a, w->dir, arena_printf(w->a, ".part-%u", n++));
		/* An attempt that was killed has left its own. */
		if (file_unlink(it->part, e) || fetch(it, e))
			return failure(w, it, e);
	}
	dom_set(w->a, all, "downloads", w->done);
	return all;
}

int download_worker_main(int argc, char **argv)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b cleanup(buf_free) = BUF_INIT(DOWNLOAD_MAX_MESSAGE);
	struct work w = {.a = a};
	struct item it = {.w = &w};
	struct err e = ERR_INIT;
	struct str text;
	struct dom *request, *reply;

	(void)argc;
	(void)argv;
	if (file_read_fd(a, DOWNLOAD_REQUEST_FD, "request", DOWNLOAD_MAX_MESSAGE, &text, &e) ||
	    dom_json(a, text, "request", &request, &e)) {
		reply = failure(&w, &it, &e);
	} else {
		w.request = request;
		reply = work(&w, &it, &e);
	}
	dom_write_json(&b, reply, DOM_COMPACT);
	if (buf_over(&b) || fd_write_all(DOWNLOAD_REPLY_FD, b.p, b.n, "reply", &e))
		return 1;
	return 0;
}
