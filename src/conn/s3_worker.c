#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "conn/s3.h"
#include "net/s3.h"
#include "repo/blob.h"
#include "sys/fault.h"
#include "sys/file.h"

#define REPLY_FD 1

/* What the list names. */
struct known {
	struct str path;
	struct sha id;
	bool sure;        /* its object holds these bytes; else somebody was about to put or to remove it */
	bool stays;       /* in the new commit too */
};

struct item {
	struct str path;
	struct sha id;
	int64_t size;
	bool remove, look; /* look: an earlier push that was cut short may have sent it */
	bool done;
};

struct work {
	struct arena *a;
	const struct dom *request;
	struct s3_target target;
	struct store *store;
	struct str prefix, repo, commit;
	struct map known;             /* path -> struct known */
	bool listed, whole;           /* there is a list; it says so */
	struct str listed_commit;
	VEC(struct item) files;       /* of the commit */
	VEC(struct item) items;       /* what is to be done */
	/* shared by the threads, under .lock */
	pthread_mutex_t lock;
	size_t next, written, removed;
	struct err err;
};

static const char *cstr_of(const struct work *w, const char *key)
{
	struct str s = dom_str(w->request, key);

	return s.p ? arena_cstr(w->a, s) : NULL;
}

static char *key_of(const struct work *w, struct arena *a, struct str path)
{
	return arena_printf(a, "%.*s%s%.*s", STR_ARG(w->prefix), w->prefix.n ? "/" : "", STR_ARG(path));
}

/* --- the list --- */

static int bad_list(const struct work *w, struct err *e)
{
	err_set(e, ERR_BAD_DATA, "s3://%s/%s cannot be understood", w->target.bucket, key_of(w, w->a, STR(S3_LIST)));
	return err_hint(e, "it is leat's list of what it put there: without it all is sent anew, and nothing deleted");
}

static int take_file(struct work *w, const struct dom *f, bool sure, struct err *e)
{
	struct known *k = arena_new_of(w->a, struct known);

	k->path = dom_str(f, "path");
	k->sure = sure;
	if (!k->path.p || (sure && !sha_parse(dom_str(f, "sha256"), &k->id)))
		return bad_list(w, e);
	map_set(&w->known, k->path, k);
	return 0;
}

static int take_list(struct work *w, struct str text, struct err *e)
{
	struct err bad = ERR_INIT;
	struct dom *list;
	const struct dom *version;

	if (dom_json(w->a, text, S3_LIST, &list, &bad))
		return bad_list(w, e);
	version = dom_get(list, "leat");
	if (!version || version->type != DOM_INT)
		return bad_list(w, e);
	if (version->i != 1)
		return err_set(e, ERR_NEWER_FORMAT, "a newer leat than this one pushes to s3://%s/%.*s",
		               w->target.bucket, STR_ARG(w->prefix));
	if (!str_eq(dom_str(list, "repo"), w->repo)) {
		err_set(e, ERR_REFUSED, "s3://%s/%.*s holds what the repo %.*s was pushed to", w->target.bucket,
		        STR_ARG(w->prefix), STR_ARG(dom_str(list, "repo")));
		return err_hint(e, "one place is for one output; if that repo is no more, delete the object " S3_LIST
		                   " there");
	}
	w->listed = true;
	w->whole = str_is(dom_str(list, "state"), "whole");
	w->listed_commit = dom_str(list, "commit");
	dom_each(f, dom_get(list, "files"))
		if (take_file(w, f, true, e))
			return -1;
	dom_each(f, dom_get(list, "writing"))
		if (take_file(w, f, false, e))
			return -1;
	return 0;
}

static void add_file(struct work *w, struct buf *b, bool *first, const struct item *it)
{
	char hex[SHA_HEX + 1];

	sha_hex(&it->id, hex);
	buf_addf(b, "%s\n{\"path\":", *first ? "" : ",");
	json_write_str(b, it->path);
	if (!it->remove)
		buf_addf(b, ",\"size\":%lld,\"sha256\":\"%s\"", (long long)it->size, hex);
	buf_addc(b, '}');
	*first = false;
}

/* One file a line: large lists are read by people too, and compared by their tools. */
static int put_list(struct work *w, struct s3 *s, bool whole, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(S3_LIST_MAX);
	bool first = true;

	buf_addf(&b, "{\"leat\":1,\"state\":\"%s\",\"repo\":", whole ? "whole" : "writing");
	json_write_str(&b, w->repo);
	buf_adds(&b, ",\"commit\":");
	json_write_str(&b, w->commit);
	buf_adds(&b, ",\"files\":[");
	for (size_t i = 0; i < w->files.n; i++)
		if (whole || w->files.p[i].done)
			add_file(w, &b, &first, &w->files.p[i]);
	buf_adds(&b, "]");
	if (!whole) {
		first = true;
		buf_adds(&b, ",\"writing\":[");
		for (size_t i = 0; i < w->items.n; i++)
			add_file(w, &b, &first, &w->items.p[i]);
		buf_adds(&b, "]");
	}
	buf_adds(&b, "}\n");
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the list of more than %zu bytes: too many files for one place",
		               S3_LIST_MAX);
	return s3_put_text(s, key_of(w, w->a, STR(S3_LIST)), buf_str(&b), e);
}

/* --- what is to be done --- */

static int on_file(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	struct work *w = ptr;
	struct item it = {.path = arena_str(w->a, path), .id = en->id, .size = en->size};
	struct known *k = map_get(&w->known, path);

	if (str_is(path, S3_LIST))
		return err_set(e, ERR_REFUSED,
		               "the repo holds a file /" S3_LIST ", which is the name of leat's own list there");
	if (k)
		k->stays = true;
	it.look = k && !k->sure;
	it.done = k && k->sure && sha_eq(&k->id, &en->id);
	vec_push(w->a, &w->files, it);
	return 0;
}

static void plan(struct work *w)
{
	struct str path;
	void *value;

	for (size_t i = 0; i < w->files.n; i++)
		if (!w->files.p[i].done)
			vec_push(w->a, &w->items, w->files.p[i]);
	for (size_t i = 0; map_each(&w->known, &i, &path, &value);) {
		struct known *k = value;
		struct item it = {.path = k->path, .remove = true};

		if (!k->stays)
			vec_push(w->a, &w->items, it);
	}
}

/* --- doing it --- */

static int send_one(struct work *w, struct s3 *s, struct arena *a, const struct item *it, struct err *e)
{
	const char *key = key_of(w, a, it->path);
	int fd FD_CLEANUP = -1, rc;

	if (it->look) {
		int has = s3_has(s, key, &it->id, it->size, e);

		if (has)
			return has < 0 ? -1 : 0;
		if (it->size >= S3_PARTS_MIN && s3_drop_parts(s, key, e))
			return -1;
	}
	pthread_mutex_lock(&w->lock);
	rc = blob_open(w->store, &it->id, &fd, e);
	pthread_mutex_unlock(&w->lock);
	if (rc || s3_put(s, key, &it->id, fd, it->size, e))
		return err_wrap(e, "/%.*s", STR_ARG(it->path));
	pthread_mutex_lock(&w->lock);
	w->written++;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static int remove_one(struct work *w, struct s3 *s, struct arena *a, const struct item *it, struct err *e)
{
	const char *key = key_of(w, a, it->path);

	/* It may be one whose upload in parts was cut short. */
	if (s3_remove(s, key, e) || (!w->whole && s3_drop_parts(s, key, e)))
		return err_wrap(e, "/%.*s", STR_ARG(it->path));
	pthread_mutex_lock(&w->lock);
	w->removed++;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* The first that fails ends all: the others finish what they are at. */
static void *work_off(void *ptr)
{
	struct work *w = ptr;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	struct s3 *s = NULL;
	int rc = s3_open(&w->target, &s, &e);

	while (!rc) {
		const struct item *it = NULL;

		arena_reset(a);
		pthread_mutex_lock(&w->lock);
		if (!w->err.code && w->next < w->items.n)
			it = &w->items.p[w->next++];
		pthread_mutex_unlock(&w->lock);
		if (!it)
			break;
		rc = it->remove ? remove_one(w, s, a, it, &e) : send_one(w, s, a, it, &e);
		if (!rc)
			fault_crash("egress-object-done");
	}
	if (rc) {
		pthread_mutex_lock(&w->lock);
		if (!w->err.code)
			w->err = e;
		pthread_mutex_unlock(&w->lock);
	}
	s3_close(s);
	return NULL;
}

static int do_all(struct work *w, struct err *e)
{
	size_t n = MIN(w->items.n, S3_AT_ONCE), made = 0;
	pthread_t threads[S3_AT_ONCE];

	while (made + 1 < n && !pthread_create(&threads[made], NULL, work_off, w))
		made++;
	work_off(w); /* this one works too, and alone where there can be no others */
	while (made)
		pthread_join(threads[--made], NULL);
	if (!w->err.code)
		return 0;
	*e = w->err;
	return -1;
}

static int push(struct work *w, struct s3 *s, struct err *e)
{
	struct sha tree;
	struct str list;
	int got = s3_get(s, w->a, key_of(w, w->a, STR(S3_LIST)), S3_LIST_MAX, &list, e);

	if (got < 0 || (got && take_list(w, list, e)))
		return -1;
	if (!sha_parse(dom_str(w->request, "tree"), &tree))
		return err_set(e, ERR_INTERNAL, "no tree");
	if (tree_walk(w->store, NULL, &tree, false, on_file, w, e))
		return -1;
	plan(w);
	if (!w->items.n && w->whole && str_eq(w->listed_commit, w->commit))
		return 0;
	if (w->items.n) {
		if (put_list(w, s, false, e))
			return -1;
		fault_crash("egress-begun");
		if (do_all(w, e))
			return -1;
	}
	fault_crash("egress-before-whole");
	return put_list(w, s, true, e);
}

static int begin(struct work *w, struct err *e)
{
	struct workspace *ws = NULL;
	struct s3 *s = NULL;
	const struct dom *style = dom_get(w->request, "path_style"), *stall = dom_get(w->request, "stall_ms");
	int rc;

	w->target = (struct s3_target){
		.endpoint = cstr_of(w, "endpoint"),
		.path_style = style && style->b,
		.bucket = cstr_of(w, "bucket"),
		.region = cstr_of(w, "region"),
		.key = cstr_of(w, "key"),
		.secret = cstr_of(w, "secret"),
		.token = cstr_of(w, "token"),
		.ca_file = cstr_of(w, "ca_file"),
		.stall_ms = stall ? stall->i : 0,
	};
	w->prefix = dom_str(w->request, "prefix");
	w->repo = dom_str(w->request, "repo");
	w->commit = dom_str(w->request, "commit");
	map_init(&w->known, w->a);
	rc = s3_open(&w->target, &s, e) || workspace_open(cstr_of(w, "workspace"), &ws, e) ||
	     store_open(ws, &w->store, e) || push(w, s, e);
	s3_close(s);
	store_close(w->store);
	workspace_close(ws);
	return rc ? -1 : 0;
}

static void report(struct work *w, const struct err *e, struct buf *b)
{
	struct dom *r = dom_new(w->a, DOM_MAP), *f;

	dom_set_int(w->a, r, "written", (int64_t)w->written);
	dom_set_int(w->a, r, "removed", (int64_t)w->removed);
	if (e->code) {
		f = dom_new(w->a, DOM_MAP);
		dom_set_cstr(w->a, f, "code", err_word(e->code));
		dom_set_cstr(w->a, f, "msg", e->msg);
		if (e->hint[0])
			dom_set_cstr(w->a, f, "hint", e->hint);
		dom_set(w->a, r, "error", f);
	}
	dom_write_json(b, r, DOM_COMPACT);
}

int s3_worker_main(int argc, char **argv)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b cleanup(buf_free) = BUF_INIT(S3_MESSAGE_MAX);
	struct work w = {.a = a, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct err e = ERR_INIT;
	struct str text;
	struct dom *request;

	(void)argc;
	(void)argv;
	if (!file_read_fd(a, S3_REQUEST_FD, "request", S3_MESSAGE_MAX, &text, &e) &&
	    !dom_json(a, text, "request", &request, &e)) {
		w.request = request;
		(void)!begin(&w, &e);
	}
	report(&w, &e, &b);
	return fd_write_all(REPLY_FD, b.p, b.n, "reply", &e) ? 1 : 0;
}
