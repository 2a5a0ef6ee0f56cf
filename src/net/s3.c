#include "net/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"
#include "net/curl_abi.h"
#include "net/sign.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"

#define CONNECT_MS 10000L
#define ANSWER_MAX ((size_t)1 << 20) /* of an answer that is no object */
#define WORD 128
#define META "x-amz-meta-leat-sha256" /* which bytes an object holds: an ETag tells that of small ones only */
#define DROPS 100                     /* unfinished uploads of one object that are let go at once */

struct s3 {
	struct s3_target t;
	curl_handle curl;
	struct arena *a, *always; /* a: of one call */
	char *host;      /* with the bucket, if it is part of it */
	char *origin;    /* scheme://host */
	struct buf body; /* of the last answer */
	/* what its head said */
	int status;
	char etag[WORD], region[WORD], meta[SHA_HEX + 2];
	int64_t length, retry_after_s;
	/* the transfer at work */
	const struct call *call;
	int64_t sent, moved, moved_ms;
	bool stalled, lost; /* lost: the bytes to send could not be read */
	struct err read_error;
	char why[CURL_ERROR_CAP];
};

struct call {
	const char *method, *key, *query; /* key NULL: the bucket */
	const struct sha *payload;        /* of the body; NULL: there is none */
	const char *meta;                 /* value of META; NULL */
	int fd;                           /* the body: n bytes from `at` on; or text */
	int64_t at, n;
	struct str text;
	bool upload;
	size_t max;                       /* of the answer */
};

/* --- one transfer --- */

static size_t on_read(char *p, size_t size, size_t n, void *ptr)
{
	struct s3 *s = ptr;
	const struct call *c = s->call;
	size_t want = (size_t)MIN((int64_t)(size * n), c->n - s->sent), got = want;

	if (c->text.p)
		memcpy(p, c->text.p + s->sent, want);
	else if (want && (fd_pread_full(c->fd, p, want, c->at + s->sent, &got, c->key, &s->read_error) || got < want)) {
		s->lost = true;
		return 0x10000000; /* CURL_READFUNC_ABORT */
	}
	s->sent += (int64_t)got;
	return got;
}

static int on_seek(void *ptr, int64_t offset, int origin)
{
	struct s3 *s = ptr;

	if (origin != SEEK_SET || offset < 0 || offset > s->call->n)
		return 1;
	s->sent = offset;
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ptr)
{
	struct s3 *s = ptr;

	buf_add(&s->body, p, size * n);
	return buf_over(&s->body) ? 0 : size * n;
}

static bool header(struct str line, const char *name, char *out, size_t cap)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n))
		return false;
	line = str_trim(str_sub(line, n + 1, line.n));
	snprintf(out, cap, "%.*s", STR_ARG(line));
	return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *ptr)
{
	struct s3 *s = ptr;
	struct str line = str_trim((struct str){p, size * n});
	char number[WORD];
	int64_t value;

	if (header(line, "etag", s->etag, sizeof(s->etag)) ||
	    header(line, "x-amz-bucket-region", s->region, sizeof(s->region)) ||
	    header(line, META, s->meta, sizeof(s->meta)))
		return size * n;
	if (header(line, "content-length", number, sizeof(number)) && str_to_i64(str_of(number), &value))
		s->length = value;
	else if (header(line, "retry-after", number, sizeof(number)) && str_to_i64(str_of(number), &value))
		s->retry_after_s = MAX(value, 0);
	return size * n;
}

static int on_progress(void *ptr, int64_t total, int64_t now, int64_t up_total, int64_t up)
{
	struct s3 *s = ptr;

	(void)total;
	(void)up_total;
	if (now + up != s->moved) {
		s->moved = now + up;
		s->moved_ms = clock_mono_ms();
	}
	s->stalled = clock_mono_ms() - s->moved_ms > s->t.stall_ms;
	return s->stalled;
}

static struct curl_slist *signed_headers(struct s3 *s, const struct call *c, const char *path)
{
	char when[SIGN_TIME], hex[SHA_HEX + 1];
	struct sha nothing = sha_of("", 0);
	struct sign_header h[5];
	size_t n = 0;
	struct curl_slist *l = libcurl.slist_append(NULL, "Expect:");

	sign_time((int64_t)time(NULL), when); /* the other side's clock is no virtual one */
	sha_hex(c->payload ? c->payload : &nothing, hex);
	h[n++] = (struct sign_header){"host", s->host};
	h[n++] = (struct sign_header){"x-amz-content-sha256", hex};
	h[n++] = (struct sign_header){"x-amz-date", when};
	if (c->meta)
		h[n++] = (struct sign_header){META, c->meta};
	if (s->t.token)
		h[n++] = (struct sign_header){"x-amz-security-token", s->t.token};
	for (size_t i = 0; i < n; i++)
		l = libcurl.slist_append(l, arena_printf(s->a, "%s: %s", h[i].name, h[i].value));

	struct sign_request r = {
		.method = c->method,
		.path = path,
		.query = c->query ? c->query : "",
		.headers = h,
		.n_headers = n,
		.payload = hex,
		.time = when,
		.region = s->t.region,
		.service = "s3",
		.key = s->t.key,
		.secret = s->t.secret,
	};
	l = libcurl.slist_append(l, arena_printf(s->a, "Authorization: %s", sign_request(s->a, &r)));
	return libcurl.slist_append(l, "Content-Type: application/octet-stream");
}

static int transfer(struct s3 *s, const struct call *c)
{
	const char *bucket = s->t.path_style ? sign_encode(s->a, str_of(s->t.bucket), false) : "";
	const char *path = arena_printf(s->a, "%s%s%s%s", *bucket ? "/" : "", bucket, c->key || !*bucket ? "/" : "",
	                                c->key ? sign_encode(s->a, str_of(c->key), true) : "");
	struct curl_slist *headers = signed_headers(s, c, path);
	curl_handle h = s->curl;
	int code;
	long status = 0;

	libcurl.easy_reset(h);
	libcurl.easy_setopt(h, CURL_O_URL, arena_printf(s->a, "%s%s%s%s", s->origin, path, c->query ? "?" : "",
	                                                c->query ? c->query : ""));
	libcurl.easy_setopt(h, CURL_O_PATH_AS_IS, 1L);
	libcurl.easy_setopt(h, CURL_O_NOSIGNAL, 1L);
	libcurl.easy_setopt(h, CURL_O_ERRORBUFFER, s->why);
	libcurl.easy_setopt(h, CURL_O_USERAGENT, "leat/" LEAT_VERSION);
	libcurl.easy_setopt(h, CURL_O_HTTPHEADER, headers);
	libcurl.easy_setopt(h, CURL_O_CONNECTTIMEOUT_MS, CONNECT_MS);
	libcurl.easy_setopt(h, CURL_O_SUPPRESS_CONNECT_HEADERS, 1L);
	libcurl.easy_setopt(h, CURL_O_HEADERFUNCTION, on_header);
	libcurl.easy_setopt(h, CURL_O_HEADERDATA, s);
	libcurl.easy_setopt(h, CURL_O_WRITEFUNCTION, on_body);
	libcurl.easy_setopt(h, CURL_O_WRITEDATA, s);
	libcurl.easy_setopt(h, CURL_O_NOPROGRESS, 0L);
	libcurl.easy_setopt(h, CURL_O_XFERINFOFUNCTION, on_progress);
	libcurl.easy_setopt(h, CURL_O_XFERINFODATA, s);
	if (s->t.ca_file)
		libcurl.easy_setopt(h, CURL_O_CAINFO, s->t.ca_file);
	if (!strcmp(c->method, "HEAD"))
		libcurl.easy_setopt(h, CURL_O_NOBODY, 1L);
	if (c->upload) {
		libcurl.easy_setopt(h, CURL_O_UPLOAD, 1L);
		libcurl.easy_setopt(h, CURL_O_READFUNCTION, on_read);
		libcurl.easy_setopt(h, CURL_O_READDATA, s);
		libcurl.easy_setopt(h, CURL_O_SEEKFUNCTION, on_seek);
		libcurl.easy_setopt(h, CURL_O_SEEKDATA, s);
		libcurl.easy_setopt(h, CURL_O_INFILESIZE_LARGE, c->n);
	}
	if (strcmp(c->method, "HEAD") && strcmp(c->method, "GET"))
		libcurl.easy_setopt(h, CURL_O_CUSTOMREQUEST, c->method);
	buf_free(&s->body);
	buf_init(&s->body, c->max ? c->max : ANSWER_MAX);
	s->etag[0] = s->region[0] = s->meta[0] = s->why[0] = '\0';
	s->length = -1;
	s->retry_after_s = 0;
	s->call = c;
	s->sent = s->moved = 0;
	s->stalled = s->lost = false;
	s->moved_ms = clock_mono_ms();
	code = libcurl.easy_perform(h);
	libcurl.easy_getinfo(h, CURL_I_RESPONSE_CODE, &status);
	s->status = (int)status;
	libcurl.slist_free_all(headers);
	return code;
}

/* --- what came of it --- */

/* The text of the first <name>...</name>, entities of the five kinds undone; "" if there is none. From *rest on. */
static char *element(struct arena *a, struct str *rest, const char *name)
{
	static const struct { const char *is; char c;
	} entities[] = {{"&lt;", '<'},    {"&gt;", '>'},  {"&amp;", '&'}, {"&quot;", '"'},
	                {"&apos;", '\''}, {"&#34;", '"'}, {"&#39;", '\''}};
	char *open = arena_printf(a, "<%s>", name), *close = arena_printf(a, "</%s>", name), *out, *to;
	const char *from = memmem(rest->p, rest->n, open, strlen(open)), *end;

	if (!from)
		return arena_dup(a, "");
	from += strlen(open);
	end = memmem(from, (size_t)(rest->p + rest->n - from), close, strlen(close));
	if (!end)
		return arena_dup(a, "");
	*rest = str_sub(*rest, (size_t)(end - rest->p) + strlen(close), rest->n);
	out = to = arena_cstr(a, (struct str){from, (size_t)(end - from)});
	for (const char *p = out; *p; to++) {
		size_t skip = 1;

		*to = *p;
		for (size_t i = 0; i < ARRAY_LEN(entities) && *p == '&'; i++)
			if (!strncmp(p, entities[i].is, strlen(entities[i].is))) {
				*to = entities[i].c;
				skip = strlen(entities[i].is);
				break;
			}
		p += skip;
	}
	*to = '\0';
	return out;
}

static char *said(struct s3 *s, const char *name)
{
	struct str rest = buf_str(&s->body);

	return element(s->a, &rest, name);
}

static const char *shown(struct s3 *s, const struct call *c)
{
	char text[STR_SHOW];

	return arena_printf(s->a, "s3://%s%s%s", s->t.bucket, c->key ? "/" : "",
	                    c->key ? str_show(str_of(c->key), text, sizeof(text)) : "");
}

/* What the other side's word for it means here. */
static int refused(struct s3 *s, const struct call *c, struct err *e)
{
	const char *code = said(s, "Code"), *endpoint = url_redact(s->a, str_of(s->t.endpoint)).p, *what = shown(s, c);
	char message[STR_SHOW];

	str_show(str_of(said(s, "Message")), message, sizeof(message));
	if (!strcmp(code, "NoSuchBucket") || (s->status == 404 && !c->key)) {
		err_set(e, ERR_NOT_FOUND, "there is no bucket %s at %s", s->t.bucket, endpoint);
		return err_hint(e, "egress makes no buckets: make it there");
	}
	if (!strcmp(code, "InvalidAccessKeyId"))
		return err_set(e, ERR_PERMISSION, "%s does not know the access key %s", endpoint, s->t.key);
	if (!strcmp(code, "SignatureDoesNotMatch"))
		return err_set(e, ERR_PERMISSION, "%s: the secret key is not that of the access key %s", endpoint,
		               s->t.key);
	if (!strcmp(code, "ExpiredToken") || !strcmp(code, "InvalidToken"))
		return err_set(e, ERR_PERMISSION, "%s: the session token has expired or is not valid", endpoint);
	if (!strcmp(code, "RequestTimeTooSkewed")) {
		err_set(e, ERR_FAILED, "%s: its clock and this machine's are too far apart", endpoint);
		return err_hint(e, "`date -u` tells this machine's");
	}
	if (s->region[0] && strcmp(s->region, s->t.region) && s->status != 403) {
		err_set(e, ERR_BAD_CONFIG, "the bucket %s is in the region %s, not in %s", s->t.bucket, s->region,
		        s->t.region);
		return err_hint(e, "`region: %s` in the connection, or AWS_REGION", s->region);
	}
	if (s->status == 401 || s->status == 403) {
		err_set(e, ERR_PERMISSION, "the access key %s may not %s %s%s%s", s->t.key, c->method, what,
		        *message ? ": " : "", message);
		return err_hint(
			e,
			"it is to list uploads of the bucket, and to read, write and delete below the prefix");
	}
	return err_set(e, s->status >= 500 ? ERR_NETWORK : ERR_FAILED, "%s %s: %s answered %d%s%s%s%s", c->method, what,
	               endpoint, s->status, *code ? " " : "", code, *message ? ": " : "", message);
}

static int broken(struct s3 *s, const struct call *c, int code, struct err *e)
{
	const char *text = s->why[0] ? url_redact(s->a, str_of(s->why)).p : libcurl.easy_strerror(code);
	const char *endpoint = url_redact(s->a, str_of(s->t.endpoint)).p;

	if (s->lost && s->read_error.code) {
		*e = s->read_error;
		return -1;
	}
	if (s->lost)
		return err_set(e, ERR_DAMAGED, "the bytes of %s are shorter than the store says", shown(s, c));
	if (buf_over(&s->body))
		return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", shown(s, c), s->body.max);
	if (s->stalled)
		return err_set(e, ERR_TIMEOUT, "%s %s: nothing moved for %.3g s", c->method, shown(s, c),
		               (double)s->t.stall_ms / 1000);
	if (code == CURL_E_UNTRUSTED || code == CURL_E_CA_FILE) {
		err_set(e, ERR_NETWORK, "the certificate of %s is not trusted: %s", endpoint, text);
		return err_hint(
			e, "`ca_file:` in the connection names the certificate of the authority to trust");
	}
	return err_set(e, code == CURL_E_TIMEOUT ? ERR_TIMEOUT : ERR_NETWORK, "%s: %s", endpoint, text);
}

/* Whether another try may end otherwise. */
static bool passing(struct s3 *s, int code)
{
	if (code)
		return !s->lost && !buf_over(&s->body) && code != CURL_E_UNTRUSTED && code != CURL_E_CA_FILE &&
		       code != CURL_E_URL;
	return s->status == 408 || s->status == 425 || s->status == 429 || (s->status >= 500 && s->status != 501) ||
	       !strcmp(said(s, "Code"), "RequestTimeout") || !strcmp(said(s, "Code"), "SlowDown");
}

/*
 * 1: done (2xx); 0: there is no such object or upload; -1. S3 may answer 200 to the last request of an upload in parts
 * and tell in the body that it failed.
 */
static int request(struct s3 *s, const struct call *c, struct err *e)
{
	int64_t pause = S3_PAUSE_MS;

	for (int n = 1;; n++) {
		int code = transfer(s, c);
		bool inside = !code && s->status / 100 == 2 && !strcmp(c->method, "POST") &&
		              memmem(s->body.p, s->body.n, "<Error>", 7);

		if (!code && s->status / 100 == 2 && !inside)
			return 1;
		if (!code && s->status == 404 && c->key && (!s->body.n || !strcmp(said(s, "Code"), "NoSuchKey") ||
		                                            !strcmp(said(s, "Code"), "NoSuchUpload")))
			return 0;
		if (n == S3_TRIES || !(passing(s, code) || inside))
			return code ? broken(s, c, code, e) : refused(s, c, e);
		/* With some chance in it, so that many that were refused together do not come back together. */
		int64_t wait = MIN(MAX(pause, s->retry_after_s * 1000), S3_MAX_PAUSE_MS);
		clock_sleep_ms(wait / 2 + (int64_t)(rand_u64() % (uint64_t)(wait / 2 + 1)));
		pause = MIN(2 * pause, S3_MAX_PAUSE_MS);
	}
}

/* --- in parts --- */

static int part_sha(int fd, int64_t at, int64_t n, struct sha *out, const char *what, struct err *e)
{
	static const size_t chunk = 1 << 20;
	char *p = xmalloc(chunk);
	struct sha_ctx c;
	int rc = 0;

	sha_init(&c);
	while (n > 0 && !rc) {
		size_t got = 0;

		rc = fd_pread_full(fd, p, (size_t)MIN((int64_t)chunk, n), at, &got, what, e);
		if (!rc && !got)
			rc = err_set(e, ERR_DAMAGED, "the bytes of %s are shorter than the store says", what);
		sha_add(&c, p, got);
		at += (int64_t)got;
		n -= (int64_t)got;
	}
	free(p);
	*out = sha_end(&c);
	return rc;
}

static int end_upload(struct s3 *s, const char *key, const char *id, struct err *e)
{
	struct sign_header q[] = {{"uploadId", id}};
	struct call c = {.method = "DELETE", .key = key, .query = sign_query(s->a, q, 1)};

	return request(s, &c, e) < 0 ? -1 : 0;
}

/* The part `number` of the upload `id`: `of` says which bytes. */
static int put_part(struct s3 *s, const char *key, const char *id, int number, const struct call *of, struct buf *done,
                    struct err *e)
{
	struct sign_header q[] = {{"partNumber", arena_printf(s->a, "%d", number)}, {"uploadId", id}};
	struct sha payload;
	struct call c = *of;
	int r;

	c.query = sign_query(s->a, q, 2);
	c.payload = &payload;
	if (part_sha(c.fd, c.at, c.n, &payload, key, e))
		return -1;
	r = request(s, &c, e);
	if (!r)
		err_set(e, ERR_CONFLICT, "s3://%s/%s: its upload was ended by somebody else", s->t.bucket, key);
	buf_addf(done, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number, s->etag);
	return r == 1 ? 0 : -1;
}

static int put_parts(struct s3 *s, const char *key, const char *id, int fd, int64_t size, struct err *e)
{
	int64_t part = MAX(S3_PART, (size + S3_MAX_PARTS - 1) / S3_MAX_PARTS);
	struct buf done cleanup(buf_free) = BUF_INIT((size_t)S3_MAX_PARTS * 256);
	struct sign_header q[] = {{"uploadId", id}};
	struct call end = {.method = "POST", .key = key, .query = sign_query(s->a, q, 1), .upload = true};
	struct sha payload;
	int number = 1, r;

	buf_adds(&done, "<CompleteMultipartUpload>");
	for (int64_t at = 0; at < size; at += part, number++) {
		struct call c = {
			.method = "PUT", .key = key, .upload = true, .fd = fd, .at = at, .n = MIN(part, size - at)};

		if (put_part(s, key, id, number, &c, &done, e))
			return -1;
	}
	buf_adds(&done, "</CompleteMultipartUpload>");
	payload = sha_of(done.p, done.n);
	end.payload = &payload;
	end.text = buf_str(&done);
	end.n = (int64_t)done.n;
	r = request(s, &end, e);
	if (!r)
		err_set(e, ERR_CONFLICT, "s3://%s/%s: its upload was ended by somebody else", s->t.bucket, key);
	return r == 1 ? 0 : -1;
}

static int put_large(struct s3 *s, const char *key, const char *meta, int fd, int64_t size, struct err *e)
{
	struct sign_header q[] = {{"uploads", NULL}};
	struct sha nothing = sha_of("", 0);
	struct call begin = {.method = "POST",
	                     .key = key,
	                     .query = sign_query(s->a, q, 1),
	                     .meta = meta,
	                     .upload = true,
	                     .text = STR(""),
	                     .payload = &nothing};
	struct err ignored = ERR_INIT;
	char *id;

	if (size > S3_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s is larger than the %lld TiB that an object may have", key,
		               (long long)(S3_MAX_SIZE >> 40));
	switch (request(s, &begin, e)) {
	case 1: break;
	case 0: return err_set(e, ERR_NOT_FOUND, "s3://%s/%s cannot be begun", s->t.bucket, key);
	default: return -1;
	}
	id = said(s, "UploadId");
	if (!*id)
		return err_set(e, ERR_NETWORK, "s3://%s/%s: the answer to the begin of an upload names none",
		               s->t.bucket, key);
	if (!put_parts(s, key, id, fd, size, e))
		return 0;
	if (end_upload(s, key, id, &ignored))
		err_clear(&ignored); /* the next push lets go what is left */
	return -1;
}

/* --- what others call --- */

/* What cannot be "not there". */
static int must(struct s3 *s, const struct call *c, struct err *e)
{
	int r = request(s, c, e);

	if (!r)
		err_set(e, ERR_NETWORK, "%s %s: it is told not to be there", c->method, shown(s, c));
	return r == 1 ? 0 : -1;
}

int s3_put(struct s3 *s, const char *key, const struct sha *id, int fd, int64_t size, struct err *e)
{
	struct call c = {.method = "PUT", .key = key, .payload = id, .fd = fd, .n = size, .upload = true};
	char hex[SHA_HEX + 1];

	arena_reset(s->a);
	sha_hex(id, hex);
	c.meta = hex;
	if (size >= S3_PARTS_MIN)
		return put_large(s, key, hex, fd, size, e);
	return must(s, &c, e);
}

int s3_put_text(struct s3 *s, const char *key, struct str text, struct err *e)
{
	struct sha payload = sha_of(text.p, text.n);
	struct call c = {
		.method = "PUT", .key = key, .payload = &payload, .text = text, .n = (int64_t)text.n, .upload = true};

	arena_reset(s->a);
	return must(s, &c, e);
}

int s3_get(struct s3 *s, struct arena *a, const char *key, size_t max, struct str *out, struct err *e)
{
	struct call c = {.method = "GET", .key = key, .max = max};
	int r;

	arena_reset(s->a);
	r = request(s, &c, e);
	if (r == 1)
		*out = arena_str(a, buf_str(&s->body));
	return r;
}

int s3_has(struct s3 *s, const char *key, const struct sha *id, int64_t size, struct err *e)
{
	struct call c = {.method = "HEAD", .key = key};
	char hex[SHA_HEX + 1];
	int r;

	arena_reset(s->a);
	r = request(s, &c, e);
	if (r != 1)
		return r;
	sha_hex(id, hex);
	return s->length == size && !strcmp(hex, s->meta);
}

int s3_remove(struct s3 *s, const char *key, struct err *e)
{
	struct call c = {.method = "DELETE", .key = key};

	arena_reset(s->a);
	return request(s, &c, e) < 0 ? -1 : 0;
}

int s3_drop_parts(struct s3 *s, const char *key, struct err *e)
{
	struct sign_header q[] = {{"uploads", NULL}, {"prefix", key}};
	struct call c = {.method = "GET", .query = NULL};
	struct str rest;
	char *ids[DROPS];
	size_t n = 0;

	arena_reset(s->a);
	c.query = sign_query(s->a, q, 2);
	if (request(s, &c, e) < 0)
		return -1;
	rest = arena_str(s->a, buf_str(&s->body));
	while (n < DROPS) {
		struct str one = str_of(element(s->a, &rest, "Upload"));

		if (!one.n)
			break;
		if (!strcmp(element(s->a, &(struct str){one.p, one.n}, "Key"), key))
			ids[n++] = element(s->a, &(struct str){one.p, one.n}, "UploadId");
	}
	for (size_t i = 0; i < n; i++)
		if (end_upload(s, key, ids[i], e))
			return -1;
	return 0;
}

int s3_open(const struct s3_target *t, struct s3 **out, struct err *e)
{
	struct s3 *s;
	struct url u;
	struct str authority = str_of(t->endpoint);
	const char *at = strstr(t->endpoint, "://");

	if (!at || !url_split(str_of(t->endpoint), &u) || !u.host.n || (u.path.n && !str_is(u.path, "/")))
		return err_set(e, ERR_BAD_CONFIG, "the endpoint %s is not of the form https://HOST[:PORT]",
		               t->endpoint);
	if (curl_abi_load(e))
		return -1;
	authority = str_of(at + 3);
	if (authority.n && authority.p[authority.n - 1] == '/')
		authority.n--;
	s = xcalloc(1, sizeof(*s));
	s->t = *t;
	s->a = arena_new();
	buf_init(&s->body, ANSWER_MAX);
	s->curl = libcurl.easy_init();
	if (!s->curl) {
		s3_close(s);
		return err_set(e, ERR_NO_LIBRARY, "libcurl does not start");
	}
	s->always = arena_new();
	s->host = arena_printf(s->always, "%s%s%.*s", t->path_style ? "" : t->bucket, t->path_style ? "" : ".",
	                       STR_ARG(authority));
	s->origin = arena_printf(s->always, "%.*s://%s", STR_ARG(u.scheme), s->host);
	*out = s;
	return 0;
}

void s3_close(struct s3 *s)
{
	if (!s)
		return;
	if (s->curl)
		libcurl.easy_cleanup(s->curl);
	arena_free(s->a);
	buf_free(&s->body);
	arena_free(s->always);
	free(s);
}
