#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/url.h"
#include "job/download.h"
#include "net/curl_abi.h"
#include "sys/clock.h"
#include "sys/file.h"

#define BODY_KEPT 512 /* of an answer that is no file, for the message */
#define PAUSE_MS 100  /* before the first resume; doubled each time */
#define MAX_PAUSE_MS 2000

/* What one answer's head said. */
struct head {
	int status;
	char reason[64];
	struct str etag, modified, range, retry_after;
	int64_t length; /* -1: not said */
};

/* One URL on its way, over redirects and resumes. */
struct fetch {
	const struct download_get *g;
	struct download_miss *miss;
	curl_handle curl;
	int fd;
	const char *url;      /* of the present request, without user:password@ */
	struct url at;        /* its parts */
	struct str user, password;
	bool same_origin;     /* as g->url: it may see the user's headers and password */
	struct head head;
	int64_t have;         /* bytes in the file */
	int64_t asked_from;   /* of the present request: where it asked to go on */
	struct str etag, modified; /* of the answer that the bytes are of */
	bool no_range;        /* this server gives another range than asked */
	char body[BODY_KEPT];
	size_t n_body;
	/* the transfer at work */
	int64_t moved_ms, progress; /* when something came last, and how much libcurl had then */
	int64_t moved_bytes;        /* of the body; -1: it has not begun */
	bool heard, stalled, too_big, bad_range;
	struct err write_error;
	char why[CURL_ERROR_CAP];
};

static struct str header_value(struct str line, const char *name)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n))
		return STR_NULL;
	return str_trim(str_sub(line, n + 1, line.n));
}

static void status_line(struct fetch *f, struct str line)
{
	struct str head, rest, code, reason;
	int64_t n;

	f->head = (struct head){.length = -1};
	f->n_body = 0;
	if (!str_cut(line, ' ', &head, &rest))
		return;
	if (!str_cut(rest, ' ', &code, &reason)) {
		code = rest;
		reason = STR_NULL;
	}
	if (str_to_i64(code, &n))
		f->head.status = (int)n;
	if (reason.n)
		str_show(reason, f->head.reason, sizeof(f->head.reason));
}

static size_t on_header(char *p, size_t size, size_t n, void *ptr)
{
	struct fetch *f = ptr;
	struct str line = str_trim((struct str){p, size * n}), v;
	struct arena *a = f->g->arena;

	f->heard = true;
	if (str_has_prefix(line, STR("HTTP/")))
		status_line(f, line);
	else if ((v = header_value(line, "etag")).p)
		f->head.etag = arena_str(a, v);
	else if ((v = header_value(line, "last-modified")).p)
		f->head.modified = arena_str(a, v);
	else if ((v = header_value(line, "content-range")).p)
		f->head.range = arena_str(a, v);
	else if ((v = header_value(line, "retry-after")).p)
		f->head.retry_after = arena_str(a, v);
	else if ((v = header_value(line, "content-length")).p && !str_to_i64(v, &f->head.length))
		f->head.length = -1;
	return size * n;
}

/* "bytes 100-199/200" → 100; -1 */
static int64_t range_start(struct str range)
{
	struct str unit, rest, first, last;
	int64_t n;

	if (!str_cut(range, ' ', &unit, &rest) || !str_is(unit, "bytes") || !str_cut(rest, '-', &first, &last) ||
	    !str_to_i64(str_trim(first), &n))
		return -1;
	return n;
}

/* Before the first byte of a body is kept: whether it goes on where the file ends. */
static bool body_begins(struct fetch *f)
{
	if (f->head.status == 206) {
		f->bad_range = range_start(f->head.range) != f->asked_from || !f->asked_from;
		return !f->bad_range;
	}
	if (f->have && fd_truncate(f->fd, 0, f->g->part, &f->write_error))
		return false;
	f->have = 0;
	f->etag = f->head.etag;
	f->modified = f->head.modified;
	return true;
}

static size_t on_body(char *p, size_t size, size_t count, void *ptr)
{
	struct fetch *f = ptr;
	size_t n = size * count;

	if (f->head.status != 200 && f->head.status != 203 && f->head.status != 206) {
		size_t keep = MIN(n, sizeof(f->body) - f->n_body);

		memcpy(f->body + f->n_body, p, keep);
		f->n_body += keep;
		return n;
	}
	if (f->moved_bytes < 0) {
		if (!body_begins(f))
			return 0;
		f->moved_bytes = 0;
		f->too_big = f->head.length > f->g->max_size - f->have;
	}
	f->moved_bytes += (int64_t)n;
	f->too_big = f->too_big || (int64_t)n > f->g->max_size - f->have;
	if (f->too_big)
		return 0;
	if (fd_pwrite_all(f->fd, p, n, f->have, f->g->part, &f->write_error))
		return 0;
	f->have += (int64_t)n;
	return n;
}

/* Called about once a second, when nothing comes too. */
static int on_progress(void *ptr, int64_t total, int64_t now, int64_t up_total, int64_t up)
{
	struct fetch *f = ptr;
	int64_t t = clock_mono_ms();

	(void)total;
	(void)up_total;
	(void)up;
	if (now != f->progress) {
		f->progress = now;
		f->moved_ms = t;
	}
	f->stalled = t - f->moved_ms > f->g->stall_ms + (f->heard ? 0 : f->g->connect_ms);
	return f->stalled;
}

/* Headers that another host than the one they were meant for may see. */
static bool is_harmless(struct str name)
{
	static const char *const names[] = {"accept", "accept-language", "accept-encoding", "user-agent"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name.n == strlen(names[i]) && !strncasecmp(name.p, names[i], name.n))
			return true;
	return false;
}

static struct curl_slist *request_headers(struct fetch *f)
{
	struct arena *a = f->g->arena;
	struct curl_slist *l = libcurl.slist_append(NULL, "Accept-Encoding: identity");

	dom_each(h, f->g->headers) {
		if (!f->same_origin && !is_harmless(h->key))
			continue;
		struct str v = dom_text(a, h);

		/* "Name;" is how libcurl is told to send a header without a value. */
		l = libcurl.slist_append(l, v.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(h->key), STR_ARG(v))
		                                : arena_printf(a, "%.*s;", STR_ARG(h->key)));
	}
	if (f->asked_from) {
		struct str tag = f->etag.n && !str_has_prefix(f->etag, STR("W/")) ? f->etag : f->modified;

		return libcurl.slist_append(l, arena_printf(a, "If-Range: %.*s", STR_ARG(tag)));
	}
	if (f->g->etag.n)
		l = libcurl.slist_append(l, arena_printf(a, "If-None-Match: %.*s", STR_ARG(f->g->etag)));
	if (f->g->modified.n)
		l = libcurl.slist_append(l, arena_printf(a, "If-Modified-Since: %.*s", STR_ARG(f->g->modified)));
	return l;
}

static void prepare(struct fetch *f, struct curl_slist *headers)
{
	const struct download_get *g = f->g;
	curl_handle c = f->curl;

	libcurl.easy_reset(c);
	libcurl.easy_setopt(c, CURL_O_URL, f->url);
	libcurl.easy_setopt(c, CURL_O_NOSIGNAL, 1L);
	libcurl.easy_setopt(c, CURL_O_ERRORBUFFER, f->why);
	libcurl.easy_setopt(c, CURL_O_USERAGENT, "leat/" LEAT_VERSION);
	libcurl.easy_setopt(c, CURL_O_HTTPHEADER, headers);
	libcurl.easy_setopt(c, CURL_O_CONNECTTIMEOUT_MS, (long)g->connect_ms);
	libcurl.easy_setopt(c, CURL_O_SUPPRESS_CONNECT_HEADERS, 1L);
	libcurl.easy_setopt(c, CURL_O_HEADERFUNCTION, on_header);
	libcurl.easy_setopt(c, CURL_O_HEADERDATA, f);
	libcurl.easy_setopt(c, CURL_O_WRITEFUNCTION, on_body);
	libcurl.easy_setopt(c, CURL_O_WRITEDATA, f);
	libcurl.easy_setopt(c, CURL_O_NOPROGRESS, 0L);
	libcurl.easy_setopt(c, CURL_O_XFERINFOFUNCTION, on_progress);
	libcurl.easy_setopt(c, CURL_O_XFERINFODATA, f);
	if (g->ca_file)
		libcurl.easy_setopt(c, CURL_O_CAINFO, g->ca_file);
	if (f->same_origin && f->user.p) {
		libcurl.easy_setopt(c, CURL_O_USERNAME, f->user.p);
		libcurl.easy_setopt(c, CURL_O_PASSWORD, f->password.p ? f->password.p : "");
	}
	if (f->asked_from)
		libcurl.easy_setopt(c, CURL_O_RANGE, arena_printf(g->arena, "%lld-", (long long)f->asked_from));
}

/* Takes user:password@ out of a URL: the request gets them beside it. */
static void set_url(struct fetch *f, struct str url)
{
	struct arena *a = f->g->arena;
	struct url u;

	if (url_split(url, &u) && u.user.p) {
		const char *rest = u.user.p + u.user.n + 1;

		url = arena_strf(a, "%.*s%.*s", (int)(u.user.p - url.p), url.p, (int)(url.p + url.n - rest), rest);
	}
	f->url = arena_cstr(a, url);
	if (!url_split(str_of(f->url), &f->at))
		f->at = (struct url){0};
}

static void set_secrets(struct fetch *f)
{
	struct arena *a = f->g->arena;
	struct url u;
	struct str user, password;

	if (!url_split(str_of(f->g->url), &u) || !u.user.p)
		return;
	if (!str_cut(u.user, ':', &user, &password)) {
		user = u.user;
		password = STR_NULL;
	}
	f->user = arena_str(a, url_decode(a, user));
	f->password = arena_str(a, url_decode(a, password));
}

static const char *shown(struct fetch *f)
{
	return f->same_origin && !strcmp(f->url, f->g->url) ? f->g->shown : url_redact(f->g->arena, str_of(f->url)).p;
}

/* "https://a/x (from https://b/y)" where redirects led elsewhere. */
static const char *where(struct fetch *f)
{
	struct fetch first = {.g = f->g};

	set_url(&first, str_of(f->g->url));
	if (!strcmp(first.url, f->url))
		return f->g->shown;
	return arena_printf(f->g->arena, "%s (where %s redirects)", shown(f), f->g->shown);
}

static bool is_http_to_https(const struct url *from, const struct url *to)
{
	return str_is(from->scheme, "http") && str_is(to->scheme, "https") && (!from->port.n || str_is(from->port, "80")) &&
	       (!to->port.n || str_is(to->port, "443"));
}

/* 1: go on there; 0: this answer is no redirect; -1. */
static int redirect(struct fetch *f, int hop, struct err *e)
{
	struct url from = f->at;
	char *to = NULL;

	if (f->head.status < 300 || f->head.status > 399 || f->head.status == 304)
		return 0;
	libcurl.easy_getinfo(f->curl, CURL_I_REDIRECT_URL, &to);
	if (!to || !*to)
		return 0;
	f->miss->final = true;
	if (hop >= DOWNLOAD_MAX_REDIRECTS)
		return err_set(e, ERR_NETWORK, "%s: more than %d redirects", f->g->shown, DOWNLOAD_MAX_REDIRECTS);
	const char *came_from = shown(f);
	set_url(f, str_of(to));
	const char *target = url_redact(f->g->arena, str_of(f->url)).p;
	if (!str_is(f->at.scheme, "http") && !str_is(f->at.scheme, "https"))
		return err_set(e, ERR_NETWORK, "%s redirects to %s, which is neither http nor https", came_from, target);
	if (str_is(from.scheme, "https") && str_is(f->at.scheme, "http")) {
		err_set(e, ERR_NETWORK, "%s redirects to %s: from https to http", came_from, target);
		return err_hint(e, "that is never followed, since anybody on the way could change the file");
	}
	bool same_host = str_eq(from.host, f->at.host) &&
	                 ((str_eq(from.scheme, f->at.scheme) && str_eq(from.port, f->at.port)) ||
	                  is_http_to_https(&from, &f->at));
	f->same_origin = f->same_origin && same_host;
	f->miss->final = false;
	return 1;
}

int64_t download_fetch_retry_after(struct str value, int64_t now_ms)
{
	char text[64];
	int64_t n, ms;

	if (str_to_i64(value, &n)) {
		ms = n < 0 ? 0 : MIN(n, DOWNLOAD_MAX_RETRY_MS / 1000) * 1000;
	} else if (value.n && value.n < sizeof(text) && libcurl.getdate) {
		snprintf(text, sizeof(text), "%.*s", STR_ARG(value));
		n = libcurl.getdate(text, NULL);
		ms = n < 0 ? 0 : n * 1000 - now_ms;
	} else {
		return 0;
	}
	return ms < 0 ? 0 : MIN(ms, DOWNLOAD_MAX_RETRY_MS);
}

static const char *first_line(struct fetch *f)
{
	struct str rest = {f->body, f->n_body}, line;

	while (str_next_line(&rest, &line)) {
		line = str_trim(line);
		if (!line.n)
			continue;
		line = url_redact(f->g->arena, line);
		char *out = arena_alloc(f->g->arena, STR_SHOW);
		return str_show(line, out, STR_SHOW);
	}
	return NULL;
}

/* An answer that is no file. */
static int bad_status(struct fetch *f, struct err *e)
{
	int s = f->head.status;
	bool later = s == 408 || s == 425 || s == 429 || s >= 500;
	const char *line = first_line(f);
	enum err_code code = s == 404 || s == 410 ? ERR_NOT_FOUND : later ? ERR_NETWORK : ERR_FAILED;

	f->miss->final = !later || s == 501 || s == 505;
	if (later)
		f->miss->retry_after_ms = download_fetch_retry_after(f->head.retry_after, clock_now_ms());
	err_set(e, code, "%s answered %d%s%s%s%s%s", where(f), s, f->head.reason[0] ? " " : "", f->head.reason,
	        line ? ": \"" : "", line ? line : "", line ? "\"" : "");
	if (s == 401 || s == 407)
		err_hint(e, "it wants a user and password, or a token under headers:");
	else if (s == 304)
		err_hint(e, "headers: must not make the request conditional");
	return -1;
}

static bool is_broken(const struct fetch *f, int code)
{
	switch (code) {
	case CURL_E_PARTIAL:
	case CURL_E_RECV:
	case CURL_E_SEND:
	case CURL_E_NOTHING:
	case CURL_E_HTTP2:
	case CURL_E_HTTP2_STREAM:
	case CURL_E_TIMEOUT:
		return true;
	default:
		return f->stalled || f->bad_range;
	}
}

/* A transfer that libcurl gave up. */
static int bad_transfer(struct fetch *f, int code, struct err *e)
{
	const char *text = f->why[0] ? url_redact(f->g->arena, str_of(f->why)).p : libcurl.easy_strerror(code);

	if (f->write_error.code) {
		*e = f->write_error;
		return -1;
	}
	if (f->too_big) {
		f->miss->final = true;
		err_set(e, ERR_LIMIT, "%s is larger than %lld bytes", where(f), (long long)f->g->max_size);
		return err_hint(e, "max_size: in the job allows more");
	}
	if (f->stalled)
		return err_set(e, ERR_TIMEOUT, "%s: nothing came for %.3g s (stall_timeout), after %lld bytes",
		               where(f), (double)f->g->stall_ms / 1000, (long long)f->have);
	if (code == CURL_E_UNTRUSTED || code == CURL_E_CA_FILE || code == CURL_E_URL) {
		f->miss->final = true;
		err_set(e, code == CURL_E_URL ? ERR_BAD_CONFIG : ERR_NETWORK, "%s: %s", where(f), text);
		if (code != CURL_E_URL)
			err_hint(e, "ca_file: names a file with the certificate of the authority to trust");
		return -1;
	}
	if (f->have)
		return err_set(e, ERR_NETWORK, "%s broke off after %lld bytes: %s", where(f), (long long)f->have, text);
	return err_set(e, code == CURL_E_TIMEOUT ? ERR_TIMEOUT : ERR_NETWORK, "%s: %s", where(f), text);
}

/* One request, over its redirects. *code as libcurl gave it; -1 for what ends the download. */
static int request(struct fetch *f, int *code, struct err *e)
{
	int more = 1;

	set_url(f, str_of(f->g->url));
	f->same_origin = true;
	f->asked_from = f->no_range ? 0 : f->have;
	for (int hop = 0; more == 1; hop++) {
		struct curl_slist *headers = request_headers(f);

		prepare(f, headers);
		f->head = (struct head){.length = -1};
		if (str_is(f->at.scheme, "ftp") || str_is(f->at.scheme, "ftps"))
			f->head.status = 200; /* no head comes: the file does, or libcurl's error */
		f->heard = f->stalled = f->too_big = f->bad_range = false;
		f->moved_bytes = -1;
		f->progress = 0;
		f->n_body = 0;
		f->why[0] = 0;
		f->moved_ms = clock_mono_ms();
		*code = libcurl.easy_perform(f->curl);
		libcurl.slist_free_all(headers);
		f->g->log(arena_printf(
			f->g->arena, "%s: %d%s%s, %lld bytes%s%s", shown(f), f->head.status, *f->head.reason ? " " : "",
			f->head.reason, (long long)MAX(f->moved_bytes, 0), *code ? ": " : "",
			*code ? url_redact(f->g->arena, str_of(*f->why ? f->why : libcurl.easy_strerror(*code))).p
			      : ""));
		if (*code)
			return 0;
		more = redirect(f, hop, e);
		if (more < 0)
			return -1;
	}
	return 0;
}

/* A 200 without any byte leaves the callback uncalled. */
static int whole(struct fetch *f, struct download_got *out, struct err *e)
{
	int s = f->head.status;
	bool asked = f->g->etag.n || f->g->modified.n;

	if (s == 304 && asked && !f->asked_from) {
		*out = (struct download_got){.status = s, .not_modified = true};
		out->etag = f->head.etag.n ? f->head.etag : f->g->etag;
		out->modified = f->head.modified.n ? f->head.modified : f->g->modified;
		return 0;
	}
	/* All of it was there already: it broke off behind the last byte. */
	if (s == 416 && f->asked_from &&
	    str_has_suffix(f->head.range, arena_strf(f->g->arena, "*/%lld", (long long)f->have)))
		s = 206;
	else if (s != 200 && s != 203 && s != 206)
		return bad_status(f, e);
	else if (f->moved_bytes < 0 && s != 206 && !body_begins(f)) {
		*e = f->write_error;
		return -1;
	}
	*out = (struct download_got){
		.status = s == 206 ? 200 : s, .bytes = f->have, .etag = f->etag, .modified = f->modified};
	if (strcmp(where(f), f->g->shown))
		out->final_url = shown(f);
	return 0;
}

static int resumes(struct fetch *f, struct download_got *out, struct err *e)
{
	int64_t best = 0, pause = PAUSE_MS;
	int code = 0;

	for (int n = 0;; n++) {
		if (request(f, &code, e))
			return -1;
		if (!code)
			return whole(f, out, e);
		bool can = is_broken(f, code) && !f->too_big && !f->write_error.code;
		bool known = (f->etag.n && !str_has_prefix(f->etag, STR("W/"))) || f->modified.n;
		bool again = f->bad_range && !f->no_range; /* from the start, once */

		if (!can || (!again && (f->have <= best || !known)) || n >= DOWNLOAD_MAX_RESUMES)
			return bad_transfer(f, code, e);
		f->no_range = f->no_range || f->bad_range;
		best = MAX(best, f->have);
		clock_sleep_ms(pause);
		pause = MIN(2 * pause, MAX_PAUSE_MS);
	}
}

int download_fetch(const struct download_get *g, struct download_got *out, struct download_miss *miss, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct fetch f = {.g = g, .miss = miss, .write_error = ERR_INIT};

	*miss = (struct download_miss){0};
	if (curl_abi_load(e) || file_open_write(g->part, O_TRUNC, 0644, &fd, e)) {
		miss->final = true;
		return -1;
	}
	f.fd = fd;
	set_secrets(&f);
	f.curl = libcurl.easy_init();
	if (!f.curl)
		return err_set(e, ERR_NO_LIBRARY, "libcurl does not start");
	int r = resumes(&f, out, e);
	libcurl.easy_cleanup(f.curl);
	return r;
}
