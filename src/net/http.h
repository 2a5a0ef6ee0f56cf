/*
 * net/http.h: an HTTP/1.1 server in our loop, on libmicrohttpd (whose epoll descriptor is nested in ours).
 *
 * A request is told of twice: `head` once its header is there (to refuse it before its body is read, or to say where
 * the body goes), `whole` when the body has been read. It is answered in either, or later: until then its connection
 * rests and costs nothing. A request lives until its answer has gone out or its client has gone: `done` of it is then
 * called, once, and nothing of it may be used any more. Who waits for an answer and leaves is seen at once.
 *
 * Limits: HTTP_CONNECTIONS at a time, of which the one that has waited longest for its client goes when another comes;
 * HTTP_PATIENCE_MS for a request to arrive (more, the more of it has), HTTP_HEADER bytes of header, HTTP_BODIES bytes
 * of bodies in memory at a time.
 */
#ifndef LEAT_NET_HTTP_H
#define LEAT_NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sys/loop.h"

#define HTTP_CONNECTIONS 256
#define HTTP_PATIENCE_MS 15000
#define HTTP_STALLED_S 30 /* nothing of an answer is taken */
#define HTTP_HEADER ((size_t)16 << 10)
#define HTTP_BODIES ((size_t)4 << 20)
#define HTTP_STREAM_HIGH ((size_t)128 << 10) /* of an answer in memory: who sends more waits for `drained` */

struct http;
struct http_req;

struct http_conf {
	const char *address; /* a numeric one; NULL: 127.0.0.1 */
	int port;            /* 0: any that is free; -1: none */
	const char *socket;  /* path of a unix socket, which only this user may use; NULL: none */
	void (*head)(struct http_req *r, void *ptr);
	void (*whole)(struct http_req *r, void *ptr);
	void *ptr;
};

/* ERR_NO_LIBRARY without libmicrohttpd, ERR_BUSY where the port is taken. */
must_check int http_new(struct loop *l, const struct http_conf *c, struct http **out, struct err *e);
void http_free(struct http *h); /* NULL is fine; requests that have no answer are done with */
int http_port(const struct http *h); /* -1: none */

struct http_counts {
	unsigned connections;
	uint64_t requests, refused /* connections */, evicted;
	uint64_t by_class[6]; /* of answers: by_class[2] is of 2xx */
};
const struct http_counts *http_counts(const struct http *h);

const char *http_method(const struct http_req *r); /* HEAD is told as GET */
struct str http_path(const struct http_req *r);    /* as it came: not decoded, without the query */
struct str http_query(const struct http_req *r);   /* what stands behind '?'; STR_NULL: none */
struct str http_header(const struct http_req *r, const char *name); /* STR_NULL: none */
struct str http_body(const struct http_req *r);
bool http_is_local(const struct http_req *r); /* by the unix socket */
struct arena *http_arena(const struct http_req *r);

/* In `head`: how large a body may be (default 0). */
void http_body_max(struct http_req *r, size_t max);
/* In `head`: the body goes to this file, which is the caller's, and which counts towards no limit of memory. */
void http_body_to(struct http_req *r, int fd, uint64_t max);

/* What an answer has besides its body: pairs of name and value, ended by NULL. */
void http_answer(struct http_req *r, unsigned status, const char *const *headers, struct str body);
/* A piece of a file; takes the descriptor. */
void http_answer_file(struct http_req *r, unsigned status, const char *const *headers, int fd, uint64_t at, uint64_t n);

/* An answer that comes bit by bit: begin, then as many send as there are, then end. `cut`: it is no whole one. */
void http_begin(struct http_req *r, unsigned status, const char *const *headers);
void http_send(struct http_req *r, struct str bytes);
void http_end(struct http_req *r, bool cut);
size_t http_waiting(const struct http_req *r); /* bytes that were sent and have not gone out */

/* May be NULL. drained: what waited has gone out. done: whole tells that the answer has gone out. */
struct http_watch {
	void (*drained)(void *ptr);
	void (*done)(void *ptr, bool whole);
	void *ptr;
};
void http_watch(struct http_req *r, const struct http_watch *w);
void *http_watcher(const struct http_req *r); /* its ptr */

#endif
