#include "net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "net/mhd_abi.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define ACCEPT_AT_ONCE 32
#define SWEEP_MS 1000
#define ACCEPT_PAUSE_MS 100 /* no descriptor is left */
#define BYTES_PER_MS 16     /* a body that comes slower than that is not waited for */
#define DISCARD_MAX 65536   /* of a body that nobody wants: read, so that the answer is not lost with the connection */
#define BLOCK 16384

struct conn {
	struct http *http;
	int fd;
	bool local;
	bool busy;       /* a request of it is being answered: it is us who are waited for */
	int64_t since;   /* it waits for its client since then */
	uint64_t came;   /* bytes of the body */
	struct http_req *req; /* NULL: none now */
	struct conn *prev, *next;
};

struct http_req {
	struct http *http;
	struct conn *conn;
	struct MHD_Connection *mhd;
	struct arena *arena;
	const char *method;
	struct str uri;
	struct buf body;
	uint64_t body_max, body_n;
	int body_fd; /* -1: into memory */
	bool headed, dispatched, inside /* a call of MHD's */, asleep, gone, over;
	struct MHD_Response *response;
	unsigned status;
	bool queued;
	struct buf out; /* of an answer that comes bit by bit */
	size_t out_at;
	bool streams, ended, cut;
	struct http_watch watch;
	struct loop_ev *left; /* tells when the client goes while we keep it waiting */
};

struct listener {
	struct http *http;
	int fd;
	struct loop_ev *ev, *pause;
};

struct http {
	struct loop *loop;
	struct http_conf conf;
	struct MHD_Daemon *mhd;
	struct listener tcp, local;
	int port;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct loop_ev *epoll, *timer, *deferred, *sweep;
	struct conn *conns; /* all */
	size_t bodies;      /* bytes in memory */
	struct http_counts counts;
	bool ending;
};

/* --- turning libmicrohttpd's wheel --- */

static void on_timer(struct loop_ev *ev, void *ptr);

static void turn(struct http *h)
{
	unsigned long long ms;

	libmhd.run(h->mhd);
	if (libmhd.get_timeout(h->mhd, &ms) != MHD_YES) {
		loop_close(h->timer);
		h->timer = NULL;
	} else if (h->timer) {
		loop_timer_again(h->timer, (int64_t)MIN(ms, 60000));
	} else {
		h->timer = loop_timer(h->loop, (int64_t)MIN(ms, 60000), on_timer, h);
	}
}

static void on_timer(struct loop_ev *ev, void *ptr)
{
	struct http *h = ptr;

	h->timer = NULL;
	turn(h);
}

static void on_epoll(struct loop_ev *ev, uint32_t events, void *ptr)
{
	turn(ptr);
}

static void on_deferred(struct loop_ev *ev, void *ptr)
{
	struct http *h = ptr;

	h->deferred = NULL;
	turn(h);
}

/* Never from inside: what MHD calls may not turn it. */
static void soon(struct http *h)
{
	if (!h->deferred && !h->ending)
		h->deferred = loop_defer(h->loop, on_deferred, h);
}

/* --- requests --- */

const char *http_method(const struct http_req *r)
{
	return strcmp(r->method, "HEAD") ? r->method : "GET";
}

struct str http_path(const struct http_req *r)
{
	struct str path = r->uri, query;

	return str_cut(r->uri, '?', &path, &query) ? path : r->uri;
}

struct str http_query(const struct http_req *r)
{
	struct str path, query;

	return str_cut(r->uri, '?', &path, &query) ? query : STR_NULL;
}

struct str http_header(const struct http_req *r, const char *name)
{
	return str_of(libmhd.lookup_connection_value(r->mhd, MHD_HEADER_KIND, name));
}

struct str http_body(const struct http_req *r)
{
	return buf_str(&r->body);
}

bool http_is_local(const struct http_req *r)
{
	return r->conn->local;
}

struct arena *http_arena(const struct http_req *r)
{
	return r->arena;
}

void http_body_max(struct http_req *r, size_t max)
{
	r->body_max = max;
	r->body.max = max;
}

void http_body_to(struct http_req *r, int fd, uint64_t max)
{
	r->body_fd = fd;
	r->body_max = max;
}

void http_watch(struct http_req *r, const struct http_watch *w)
{
	r->watch = *w;
}

void *http_watcher(const struct http_req *r)
{
	return r->watch.ptr;
}

static void wake(struct http_req *r)
{
	if (!r->asleep)
		return;
	r->asleep = false;
	loop_close(r->left);
	r->left = NULL;
	libmhd.resume_connection(r->mhd);
	soon(r->http);
}

/* The client has gone while it was kept waiting: the connection is woken to find that out itself. */
static void on_left(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct http_req *r = ptr;

	r->gone = true;
	wake(r);
}

static void rest(struct http_req *r)
{
	struct err ignored = ERR_INIT;

	libmhd.suspend_connection(r->mhd);
	r->asleep = true;
	if (loop_fd(r->http->loop, r->conn->fd, EPOLLRDHUP, on_left, r, &r->left, &ignored))
		r->left = NULL; /* then it is seen when the answer cannot be written */
}

static void head_lines(struct http_req *r, const char *const *headers)
{
	libmhd.add_response_header(r->response, "X-Content-Type-Options", "nosniff");
	libmhd.add_response_header(r->response, "Cache-Control", "no-store");
	for (; headers && headers[0]; headers += 2)
		libmhd.add_response_header(r->response, headers[0], headers[1]);
}

static void give(struct http_req *r, unsigned status, struct MHD_Response *response, const char *const *headers)
{
	if (r->response)
		BUG("a request is answered twice");
	if (!response)
		BUG("no memory for an answer");
	r->response = response;
	r->status = status;
	r->http->counts.by_class[MIN(status / 100, 5)]++;
	head_lines(r, headers);
	if (!r->inside)
		wake(r);
}

void http_answer(struct http_req *r, unsigned status, const char *const *headers, struct str body)
{
	union {
		const char *p;
		void *bytes; /* MHD copies them */
	} u = {.p = body.p};

	give(r, status, libmhd.create_response_from_buffer(body.n, u.bytes, MHD_RESPMEM_MUST_COPY), headers);
}

void http_answer_file(struct http_req *r, unsigned status, const char *const *headers, int fd, uint64_t at, uint64_t n)
{
	give(r, status, libmhd.create_response_from_fd_at_offset64(n, fd, at), headers);
}

/* --- answers that come bit by bit --- */

static ssize_t on_read(void *ptr, uint64_t at, char *to, size_t max)
{
	struct http_req *r = ptr;
	size_t n = MIN(r->out.n - r->out_at, max);

	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n) {
		memcpy(to, r->out.p + r->out_at, n);
		r->out_at += n;
		if (r->out_at == r->out.n) {
			buf_reset(&r->out);
			r->out_at = 0;
			if (!r->ended && r->watch.drained) {
				r->inside = true;
				r->watch.drained(r->watch.ptr);
				r->inside = false;
			}
		}
		return (ssize_t)n;
	}
	if (r->ended)
		return r->cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	rest(r);
	return 0;
}

void http_begin(struct http_req *r, unsigned status, const char *const *headers)
{
	r->streams = true;
	give(r, status, libmhd.create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, r, NULL), headers);
}

void http_send(struct http_req *r, struct str bytes)
{
	buf_addstr(&r->out, bytes);
	if (!r->inside && r->queued && bytes.n)
		wake(r);
}

void http_end(struct http_req *r, bool cut)
{
	r->ended = true;
	r->cut = cut || buf_over(&r->out);
	if (!r->inside && r->queued)
		wake(r);
}

size_t http_waiting(const struct http_req *r)
{
	return r->out.n - r->out_at;
}

/* --- what MHD calls --- */

static int queue(struct http_req *r)
{
	int rc = libmhd.queue_response(r->mhd, r->status, r->response);

	libmhd.destroy_response(r->response);
	r->queued = true;
	return rc;
}

static const char *const problem_type[] = {"Content-Type", "application/problem+json", NULL};

static struct str problem(struct arena *a, unsigned status, const char *code, const char *title, const char *detail)
{
	return arena_strf(a,
	                  "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\","
	                  "\"detail\":\"%s\"}\n",
	                  title, status, code, detail);
}

/* What only this file can tell, as the API tells what is wrong (RFC 9457). */
static void refuse(struct http_req *r, unsigned status, const char *code, const char *title, const char *detail)
{
	if (!r->response)
		http_answer(r, status, problem_type, problem(r->arena, status, code, title, detail));
}

static struct str own_problem(struct arena *a, unsigned status)
{
	static const char *const wrong = "the request was wrong", *const large = "larger than a named limit allows";

	switch (status) {
	case 413:
		return problem(a, status, "limit", large, "the length of the body is more than can be");
	case 414:
	case 431:
		return problem(a, status, "limit", large, "the first line and the header are larger than 16 KiB");
	case 505:
		return problem(a, status, "bad-request", wrong, "this speaks HTTP/1.0 and HTTP/1.1");
	default:
		if (status < 500)
			return problem(a, status, "bad-request", wrong,
			               "the first line, a header or the length of the body is not as HTTP wants it");
		return problem(a, status, "internal", "a fault of leat's own", "the request could not be answered");
	}
}

static const char *phrase(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return status < 500 ? "Refused" : "Internal Server Error";
	}
}

/*
 * What libmicrohttpd refuses by itself, before or beside our callbacks (a header that is no header, one that is too
 * large), it answers in HTML (of some with two headers), and offers no hook. It calls its own MHD_queue_response for
 * that by name, though, as any program would, and a name is looked for in the program first: so this one is called, and
 * only for that, since we call by the address that is in the library. Where a library was linked to find itself first
 * its HTML stays. MHD_NO: it ends the connection, to which all has been written.
 */
__attribute__((visibility("default"))) int MHD_queue_response(struct MHD_Connection *c, unsigned status,
                                                              struct MHD_Response *theirs);
__attribute__((visibility("default"))) int MHD_queue_response(struct MHD_Connection *c, unsigned status,
                                                              struct MHD_Response *theirs)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct conn *conn = libmhd.get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->context;
	struct str body = own_problem(a, status), all;

	all = arena_strf(a,
	                 "HTTP/1.1 %u %s\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
	                 "Cache-Control: no-store\r\nContent-Type: application/problem+json\r\n"
	                 "Content-Length: %zu\r\n\r\n%.*s",
	                 status, phrase(status), body.n, STR_ARG(body));
	conn->http->counts.by_class[MIN(status / 100, 5)]++;
	if (send(conn->fd, all.p, all.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)all.n)
		(void)shutdown(conn->fd, SHUT_WR);
	return MHD_NO;
}

static void too_large(struct http_req *r)
{
	refuse(r, 413, "limit", "larger than a named limit allows", "the body is larger than this route takes");
}

/* What the header says of the body. */
static int64_t told_length(struct http_req *r)
{
	struct str s = http_header(r, "Content-Length");
	int64_t n = 0;

	return s.p && !str_to_i64(s, &n) ? 0 : n;
}

static int on_head(struct http_req *r)
{
	int64_t n = told_length(r);

	r->http->counts.requests++;
	r->http->conf.head(r, r->http->conf.ptr);
	if (!r->response && n > 0 && (uint64_t)n > r->body_max)
		too_large(r);
	/* A small body is read in any case. */
	if (r->response && n > DISCARD_MAX) {
		r->conn->busy = true;
		r->dispatched = true;
		return queue(r);
	}
	return MHD_YES;
}

static int on_body(struct http_req *r, const char *p, size_t n)
{
	struct err e = ERR_INIT;

	r->body_n += n;
	r->conn->came += n;
	if (r->response)
		return r->body_n > DISCARD_MAX ? MHD_NO : MHD_YES;
	if (r->body_n > r->body_max) {
		too_large(r);
		return MHD_YES;
	}
	if (r->body_fd >= 0) {
		if (fd_write_all(r->body_fd, p, n, "the body of a request", &e))
			refuse(r, (unsigned)err_http_status(e.code), err_word(e.code), "the body could not be kept",
			       e.code == ERR_DISK_FULL ? "no space left on the device"
			                               : "it could not be written to disk");
		return MHD_YES;
	}
	if (r->http->bodies + n > HTTP_BODIES) {
		refuse(r, 503, "overloaded", "too much was asked for at once", "too many bodies are being read");
		return MHD_YES;
	}
	r->http->bodies += n;
	buf_add(&r->body, p, n);
	return MHD_YES;
}

static int on_request(void *ptr, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                      const char *data, size_t *n, void **request)
{
	struct http_req *r = *request;
	int rc = MHD_YES;

	r->inside = true;
	if (!r->headed) {
		r->headed = true;
		r->method = arena_dup(r->arena, method);
		rc = on_head(r);
	} else if (*n) {
		rc = on_body(r, data, *n);
		*n = 0;
	} else if (r->gone) {
		rc = MHD_NO;
	} else {
		if (!r->dispatched) {
			r->dispatched = true;
			r->conn->busy = true;
			if (!r->response)
				r->http->conf.whole(r, r->http->conf.ptr);
		}
		if (r->response && !r->queued)
			rc = queue(r);
		else if (!r->response)
			rest(r);
	}
	r->inside = false;
	return rc;
}

static void *on_uri(void *ptr, const char *uri, struct MHD_Connection *c)
{
	struct http *h = ptr;
	struct arena *a = arena_new();
	struct http_req *r = arena_new_of(a, struct http_req);

	*r = (struct http_req){.http = h, .arena = a, .mhd = c, .body_fd = -1};
	r->conn = libmhd.get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->context;
	r->conn->req = r;
	r->uri = arena_str(a, str_of(uri));
	buf_init(&r->body, 0);
	buf_init(&r->out, HTTP_STREAM_HIGH * 8);
	return r;
}

static void on_completed(void *ptr, struct MHD_Connection *c, void **request, int how)
{
	struct http *h = ptr;
	struct http_req *r = *request;

	if (!r)
		return;
	*request = NULL;
	loop_close(r->left);
	if (r->response && !r->queued) /* it left before it could be told */
		libmhd.destroy_response(r->response);
	if (r->watch.done)
		r->watch.done(r->watch.ptr, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	if (r->body_fd < 0)
		h->bodies -= MIN(h->bodies, r->body.n);
	r->conn->req = NULL;
	r->conn->busy = false;
	r->conn->since = clock_mono_ms();
	r->conn->came = 0;
	buf_free(&r->body);
	buf_free(&r->out);
	arena_free(r->arena);
}

static void on_sweep(struct loop_ev *ev, void *ptr)
{
	struct http *h = ptr;
	int64_t now = clock_mono_ms();

	for (struct conn *c = h->conns; c; c = c->next)
		if (!c->busy && now - c->since > HTTP_PATIENCE_MS + (int64_t)(c->came / BYTES_PER_MS))
			shutdown(c->fd, SHUT_RDWR);
	h->sweep = NULL;
	if (h->conns)
		h->sweep = loop_timer(h->loop, SWEEP_MS, on_sweep, h);
}

static void on_connection(void *ptr, struct MHD_Connection *mc, void **context, int what)
{
	struct http *h = ptr;
	struct conn *c = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c->prev)
			c->prev->next = c->next;
		else
			h->conns = c->next;
		if (c->next)
			c->next->prev = c->prev;
		h->counts.connections--;
		free(c);
		*context = NULL;
		return;
	}
	c = xmalloc(sizeof(*c));
	*c = (struct conn){.http = h, .since = clock_mono_ms(), .next = h->conns};
	c->fd = libmhd.get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD)->fd;
	c->local = h->local.fd >= 0 && ({
		int domain = 0;
		socklen_t n = sizeof(domain);

		!getsockopt(c->fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) && domain == AF_UNIX;
	});
	if (c->next)
		c->next->prev = c;
	h->conns = c;
	h->counts.connections++;
	*context = c;
	if (!h->sweep)
		h->sweep = loop_timer(h->loop, SWEEP_MS, on_sweep, h);
}

/* --- connections --- */

/* The one that has let us wait longest goes; where all are being answered, the oldest that came over the net. */
static void make_room(struct http *h)
{
	struct conn *idle = NULL, *busy = NULL;

	for (struct conn *c = h->conns; c; c = c->next) {
		if (!c->busy && (!idle || c->since <= idle->since))
			idle = c;
		if (c->busy && !c->local)
			busy = c; /* the list has the newest first */
	}
	if (idle || busy) {
		shutdown((idle ? idle : busy)->fd, SHUT_RDWR);
		if (idle)
			idle->since = INT64_MAX; /* not chosen again */
		h->counts.evicted++;
	}
}

static void on_pause_over(struct loop_ev *ev, void *ptr);

static void on_accept(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct listener *l = ptr;
	struct http *h = l->http;
	struct err ignored = ERR_INIT;

	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage a = {0};
		socklen_t n = sizeof(a);
		int fd = accept4(l->fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
				if (!loop_fd_events(l->ev, 0, &ignored) && !l->pause)
					l->pause = loop_timer(h->loop, ACCEPT_PAUSE_MS, on_pause_over, l);
				make_room(h);
			}
			break;
		}
		if (h->counts.connections >= HTTP_CONNECTIONS)
			make_room(h);
		if (h->counts.connections >= HTTP_CONNECTIONS + ACCEPT_AT_ONCE) {
			h->counts.refused++;
			close(fd);
			continue;
		}
		if (a.ss_family != AF_UNIX)
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (libmhd.add_connection(h->mhd, fd, (struct sockaddr *)&a, n) != MHD_YES)
			h->counts.refused++; /* MHD has closed it */
	}
	soon(h);
}

static void on_pause_over(struct loop_ev *ev, void *ptr)
{
	struct listener *l = ptr;
	struct err ignored = ERR_INIT;

	l->pause = NULL;
	if (loop_fd_events(l->ev, EPOLLIN, &ignored))
		l->pause = loop_timer(l->http->loop, ACCEPT_PAUSE_MS, on_pause_over, l);
}

static int listen_tcp(struct http *h, struct err *e)
{
	const char *address = h->conf.address ? h->conf.address : "127.0.0.1";
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)h->conf.port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)h->conf.port)};
	bool six = strchr(address, ':');
	struct sockaddr *a = six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	socklen_t n = six ? sizeof(a6) : sizeof(a4);
	int fd FD_CLEANUP = -1, one = 1;

	if (inet_pton(six ? AF_INET6 : AF_INET, address, six ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr) != 1)
		return err_set(e, ERR_BAD_REQUEST, "'%s' is not a numeric address", address);
	fd = socket(a->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, errno, "a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a, n) || listen(fd, SOMAXCONN) || getsockname(fd, a, &n)) {
		if (errno != EADDRINUSE)
			return err_errno(e, errno, "%s port %d", address, h->conf.port);
		err_set(e, ERR_BUSY, "port %d of %s is taken", h->conf.port, address);
		return err_hint(e, "--port 0 takes one that is free");
	}
	h->port = ntohs(six ? a6.sin6_port : a4.sin_port);
	h->tcp.fd = fd_steal(&fd);
	return 0;
}

static int listen_local(struct http *h, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd FD_CLEANUP = -1;
	mode_t old;
	int rc;

	/* A path that is too long for a socket is reached through its folder's descriptor by who made it; here it is
	 * not. */
	if (strlen(h->conf.socket) >= sizeof(a.sun_path))
		return err_set(e, ERR_LIMIT, "%s is too long for the name of a socket (%zu bytes)", h->conf.socket,
		               sizeof(a.sun_path) - 1);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", h->conf.socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, errno, "a socket");
	(void)unlink(a.sun_path); /* who holds the lock of the workspace is the only one to listen here */
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(old);
	if (rc || listen(fd, SOMAXCONN))
		return err_errno(e, errno, "%s", h->conf.socket);
	snprintf(h->socket, sizeof(h->socket), "%s", h->conf.socket);
	h->local.fd = fd_steal(&fd);
	return 0;
}

static int attend(struct http *h, struct listener *l, struct err *e)
{
	return l->fd < 0 ? 0 : loop_fd(h->loop, l->fd, EPOLLIN, on_accept, l, &l->ev, e);
}

int http_new(struct loop *l, const struct http_conf *c, struct http **out, struct err *e)
{
	struct http *h;

	if (mhd_abi_load(e))
		return -1;
	h = xmalloc(sizeof(*h));
	*h = (struct http){.loop = l, .conf = *c, .port = -1, .tcp = {.fd = -1}, .local = {.fd = -1}};
	h->tcp.http = h->local.http = h;
	if ((c->port >= 0 && listen_tcp(h, e)) || (c->socket && listen_local(h, e))) {
		http_free(h);
		return -1;
	}
	h->mhd = libmhd.start_daemon(
		MHD_USE_NO_LISTEN_SOCKET | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CONNECTIONS + 2 * ACCEPT_AT_ONCE, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)HTTP_STALLED_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_URI_LOG_CALLBACK,
		on_uri, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
	if (!h->mhd) {
		http_free(h);
		return err_set(e, ERR_NO_LIBRARY, "libmicrohttpd does not start: it has no epoll, or no descriptor is left");
	}
	if (loop_fd(l, libmhd.get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)->fd, EPOLLIN, on_epoll, h, &h->epoll,
	            e) ||
	    attend(h, &h->tcp, e) || attend(h, &h->local, e)) {
		http_free(h);
		return -1;
	}
	*out = h;
	return 0;
}

static void unlisten(struct listener *l)
{
	loop_close(l->ev);
	loop_close(l->pause);
	fd_close(&l->fd);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	h->ending = true;
	unlisten(&h->tcp);
	unlisten(&h->local);
	if (h->socket[0])
		(void)unlink(h->socket);
	loop_close(h->epoll);
	loop_close(h->timer);
	loop_close(h->deferred);
	loop_close(h->sweep);
	for (struct conn *c = h->conns; c; c = c->next) /* MHD does not end those that rest */
		if (c->req) {
			c->req->gone = true;
			wake(c->req);
		}
	if (h->mhd)
		libmhd.stop_daemon(h->mhd);
	free(h);
}

int http_port(const struct http *h)
{
	return h->port;
}

const struct http_counts *http_counts(const struct http *h)
{
	return &h->counts;
}
