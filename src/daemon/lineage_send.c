/* The process that tells OpenLineage events: to a file, or by libcurl, which is loaded nowhere else for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "api/lineage.h"
#include "base/str.h"
#include "base/url.h"
#include "daemon/daemon.h"
#include "flow/secret.h"
#include "net/curl_abi.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"

#define AT_ONCE    200
#define KEPT_EACH  20 /* events sent between two marks of how far it is: so many may come twice after a crash */
#define CONNECT_MS 5000L
#define ANSWER_MS  15000L
#define BATCH_MAX  ((size_t)256 << 20)
#define TAIL       ((off_t)1 << 20)
#define ANSWER     256 /* of an answer, for the message */
#define AGAIN_MAX_S 300
#define PATH       "/api/v1/lineage"

struct sender {
	struct store *s;
	struct flow *f;
	struct str to;       /* with a password, where it has one */
	const char *shown, *url; /* url NULL: a file */
	const char *path;
	curl_handle curl;
	struct curl_slist *headers;
	const char *ca_file;
	int64_t until; /* by the monotonic clock; 0: no end */
	char answer[ANSWER];
	size_t n_answer;
	char why[CURL_ERROR_CAP];
};

/* --- a file --- */

/* A line that a crash cut off is of an event that is told again: it goes. What somebody else left is ended. */
static int mend_tail(struct sender *w, int fd, off_t *size, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	off_t from = MAX(*size - TAIL, 0);
	size_t n = (size_t)(*size - from), got, at;
	char *tail = arena_alloc(a, n + 1);

	if (fd_pread_full(fd, tail, n, from, &got, w->path, e))
		return -1;
	if (!got || tail[got - 1] == '\n')
		return 0;
	for (at = got; at && tail[at - 1] != '\n'; at--)
		;
	if (!str_has_prefix((struct str){tail + at, got - at}, STR("{\"eventTime\"")))
		return fd_write_all(fd, "\n", 1, w->path, e);
	*size = from + (off_t)at;
	return fd_truncate(fd, *size, w->path, e);
}

static int append(struct sender *w, struct str lines, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct stat st;

	if (dir_make_parent(w->path, 0777, e) ||
	    file_open_write(w->path, O_CREAT | O_RDWR | O_APPEND, 0644, &fd, e))
		return -1;
	if (fstat(fd, &st))
		return err_errno(e, errno, "%s", w->path);
	if (S_ISREG(st.st_mode) && mend_tail(w, fd, &st.st_size, e))
		return -1;
	if (fd_write_all(fd, lines.p, lines.n, w->path, e)) { /* a full disk: no half line stays */
		struct err ignored = ERR_INIT;

		if (S_ISREG(st.st_mode) && fd_truncate(fd, st.st_size, w->path, &ignored))
			err_clear(&ignored);
		return -1;
	}
	return S_ISREG(st.st_mode) ? fd_sync(fd, w->path, e) : 0;
}

static int tell_file(struct sender *w, struct arena *a, const struct lineage_row *r, size_t n, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(BATCH_MAX);

	for (size_t i = 0; i < n; i++) {
		struct dom *event;
		int got = lineage_event(w->s, w->f, a, &r[i], &event, e);

		if (got < 0)
			return -1;
		if (!got)
			continue;
		dom_write_json(&b, event, DOM_COMPACT);
		buf_addc(&b, '\n');
	}
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%zu events are too large together", n);
	return (b.n && append(w, buf_str(&b), e)) || lineage_told(w->s->db, r[n - 1].seq, e) ? -1 : 0;
}

/* --- a URL --- */

static size_t on_answer(char *p, size_t size, size_t n, void *ptr)
{
	struct sender *w = ptr;
	size_t take = MIN(size * n, sizeof(w->answer) - 1 - w->n_answer);

	memcpy(w->answer + w->n_answer, p, take);
	w->n_answer += take;
	w->answer[w->n_answer] = '\0';
	return size * n;
}

static int begin_url(struct sender *w, struct arena *a, struct err *e)
{
	const struct dom *token = workspace_setting(w->s->ws, "lineage.token");
	struct str name, key, value;

	if (curl_abi_load(e))
		return -1;
	w->curl = libcurl.easy_init();
	if (!w->curl)
		return err_set(e, ERR_NO_LIBRARY, "libcurl does not start");
	w->headers = libcurl.slist_append(NULL, "Content-Type: application/json");
	w->headers = libcurl.slist_append(w->headers, "Expect:");
	if (!token)
		return 0;
	if (!str_cut(dom_text(a, token), '/', &name, &key))
		return err_set(e, ERR_BAD_CONFIG, "leat.yaml: lineage.token is not NAME/KEY");
	if (secret_value(a, w->s->ws, name, key, &value, e))
		return -1;
	w->headers = libcurl.slist_append(
		w->headers, arena_printf(a, "Authorization: Bearer %.*s", STR_ARG(secret_bare(value))));
	return 0;
}

/* 1: taken; 0: refused, as it would be the next time; -1: not to be had now. */
static int post(struct sender *w, struct str body, struct err *e)
{
	curl_handle h = w->curl;
	long status = 0;
	int code;

	w->n_answer = 0;
	w->answer[0] = w->why[0] = '\0';
	libcurl.easy_reset(h);
	libcurl.easy_setopt(h, CURL_O_URL, w->url);
	libcurl.easy_setopt(h, CURL_O_NOSIGNAL, 1L);
	libcurl.easy_setopt(h, CURL_O_ERRORBUFFER, w->why);
	libcurl.easy_setopt(h, CURL_O_USERAGENT, "leat/" LEAT_VERSION);
	libcurl.easy_setopt(h, CURL_O_HTTPHEADER, w->headers);
	libcurl.easy_setopt(h, CURL_O_CONNECTTIMEOUT_MS, CONNECT_MS);
	libcurl.easy_setopt(h, CURL_O_TIMEOUT_MS, ANSWER_MS);
	libcurl.easy_setopt(h, CURL_O_WRITEFUNCTION, on_answer);
	libcurl.easy_setopt(h, CURL_O_WRITEDATA, w);
	libcurl.easy_setopt(h, CURL_O_POSTFIELDSIZE, (long)body.n);
	libcurl.easy_setopt(h, CURL_O_POSTFIELDS, body.p);
	if (w->ca_file)
		libcurl.easy_setopt(h, CURL_O_CAINFO, w->ca_file);
	code = libcurl.easy_perform(h);
	if (code)
		return err_set(e, ERR_IO, "%s: %s", w->shown, w->why[0] ? w->why : libcurl.easy_strerror(code));
	libcurl.easy_getinfo(h, CURL_I_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return 1;
	err_set(e, ERR_IO, "%s answered %ld%s%s", w->shown, status, w->n_answer ? ": " : "",
	        STR_SHOWN(str_trim((struct str){w->answer, w->n_answer})));
	return status == 400 || status == 413 || status == 415 || status == 422 ? 0 : -1;
}

static int tell_one(struct sender *w, struct arena *a, const struct lineage_row *r, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(BATCH_MAX);
	struct dom *event;
	int got = lineage_event(w->s, w->f, a, r, &event, e);

	if (got != 1)
		return got;
	dom_write_json(&b, event, DOM_COMPACT);
	got = post(w, buf_str(&b), e);
	if (got)
		return got < 0 ? -1 : 0;
	/* Others must not wait for one that nobody takes. */
	fprintf(stderr, "leat lineage: the %s event of run %s was refused: %s\n", r->end ? "last" : "START", r->run,
	        e->msg);
	err_clear(e);
	return 0;
}

static int tell_url(struct sender *w, struct arena *a, const struct lineage_row *r, size_t n, struct err *e)
{
	struct arena *each cleanup(arena_cleanup) = arena_new();
	struct err why = ERR_INIT;
	size_t told = 0;

	if (!w->curl && begin_url(w, a, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		arena_reset(each);
		if (w->until && clock_mono_ms() > w->until)
			err_set(&why, ERR_TIMEOUT, "%s takes them slowly", w->shown);
		if (why.code || tell_one(w, each, &r[i], &why))
			break;
		if ((i + 1) % KEPT_EACH == 0 && lineage_told(w->s->db, r[i].seq, e))
			return -1;
		told = i + 1;
	}
	if (told && lineage_told(w->s->db, r[told - 1].seq, e))
		return -1;
	if (why.code) {
		*e = why;
		return -1;
	}
	return 0;
}

/* --- the process --- */

static int tell_all(struct sender *w, struct err *e)
{
	for (;;) {
		struct arena *a cleanup(arena_cleanup) = arena_new();
		struct lineage_row *r;
		size_t n;

		if (lineage_list(w->s->db, a, AT_ONCE, &r, &n, e))
			return -1;
		if (!n)
			return 0;
		if (w->url ? tell_url(w, a, r, n, e) : tell_file(w, a, r, n, e))
			return -1;
	}
}

static void begin_to(struct sender *w, struct arena *a)
{
	const struct dom *ca = workspace_setting(w->s->ws, "lineage.ca_file");
	struct url u;

	w->to = lineage_to(w->s->ws, a);
	w->shown = arena_cstr(a, url_redact(a, w->to));
	if (str_has_prefix(w->to, STR("http://")) || str_has_prefix(w->to, STR("https://"))) {
		bool bare = url_split(w->to, &u) && (!u.path.n || str_is(u.path, "/")) && !u.query.p;

		w->url = bare ? arena_printf(a, "%.*s" PATH, STR_ARG(u.path.n ? str_sub(w->to, 0, w->to.n - 1) : w->to))
		              : arena_cstr(a, w->to);
	} else {
		w->path = path_join(a, w->s->ws->dir, arena_cstr(a, w->to));
	}
	if (ca)
		w->ca_file = path_join(a, w->s->ws->dir, arena_cstr(a, dom_text(a, ca)));
}

/* What the daemon, status and the next command look at: why not, and when it is worth another try. */
static void note_trouble(struct sender *w, struct arena *a, int rc, const struct err *why)
{
	const char *path = arena_printf(a, "%s/" LINEAGE_TROUBLE, w->s->leat_dir);
	struct buf b cleanup(buf_free) = BUF_INIT((size_t)64 << 10);
	struct err e = ERR_INIT;
	struct dom *doc, *was = NULL;
	const struct dom *tries;
	struct str text;
	int64_t n = 1;

	if (!rc) {
		(void)unlink(path);
		return;
	}
	if (file_exists(path) && !file_read(a, path, (size_t)64 << 10, &text, &e) &&
	    !dom_json(a, text, path, &was, &e)) {
		tries = dom_get(was, "tries");
		n += tries && tries->type == DOM_INT ? MIN(MAX(tries->i, 0), 20) : 0;
	}
	err_clear(&e);
	doc = dom_new(a, DOM_MAP);
	dom_set_cstr(a, doc, "to", w->shown);
	dom_set_cstr(a, doc, "error", err_text(a, why));
	dom_set_int(a, doc, "tries", n);
	dom_set_int(a, doc, "again", (int64_t)time(NULL) + MIN((int64_t)1 << n, AGAIN_MAX_S));
	dom_write_json(&b, doc, DOM_COMPACT);
	buf_adds(&b, "\n");
	if (file_replace(path, buf_str(&b), 0644, 0, &e))
		err_clear(&e); /* it is only told */
}

static int work(struct sender *w, struct arena *a, const struct job_kind *const *kinds, struct err *e)
{
	struct lock lock cleanup(lock_drop) = LOCK_INIT;
	struct err ignored = ERR_INIT;
	int rc;

	if (lock_try(&lock, arena_printf(a, "%s/lineage.lock", w->s->leat_dir), "leat lineage", 0, e)) {
		bool other = e->code == ERR_BUSY;

		if (other) /* who tells them too */
			err_clear(e);
		return other ? 0 : -1;
	}
	begin_to(w, a);
	if (!w->to.n)
		return 0;
	if (flow_open(w->s, kinds, true, &w->f, &ignored))
		w->f = NULL; /* the rows are enough */
	err_clear(&ignored);
	rc = tell_all(w, e);
	note_trouble(w, a, rc, e);
	if (w->curl)
		libcurl.easy_cleanup(w->curl);
	if (w->headers)
		libcurl.slist_free_all(w->headers);
	flow_close(w->f);
	return rc;
}

int lineage_main(int argc, char **argv, const struct job_kind *const *kinds)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct workspace *ws = NULL;
	struct sender w = {0};
	struct err e = ERR_INIT;
	int64_t ms = 0;
	int rc;

	if (argc < 5 || !str_to_i64(str_of(argv[4]), &ms)) {
		fprintf(stderr, "usage: leat --role " LINEAGE_ROLE " DIR MS\n");
		return 2;
	}
	w.until = ms ? clock_mono_ms() + ms : 0;
	rc = workspace_open(argv[3], &ws, &e) || store_open(ws, &w.s, &e) || work(&w, a, kinds, &e) ? 1 : 0;
	store_close(w.s);
	workspace_close(ws);
	return rc;
}
