/*
 * web/web_in.h: what the files of web/ share.
 *
 * A call is a request being answered. It lies in the request's arena and ends with it (`end` is then called).
 */
#ifndef LEAT_WEB_WEB_IN_H
#define LEAT_WEB_WEB_IN_H

#include "api/api.h"
#include "flow/state.h"
#include "net/http.h"
#include "web/web.h"

#define WEB_BODY ((size_t)64 << 10)         /* of JSON */
#define WEB_HOOK_BODY ((size_t)1 << 20)
#define WEB_UPLOAD ((uint64_t)64 << 30)     /* what an operation reads from its standard input */
#define WEB_READERS 8                       /* children that only read, at a time */
#define WEB_WRITERS 16
#define WEB_QUEUE 64                        /* calls that wait for a place */
#define WEB_STREAMS 64                      /* that follow events or logs */
#define WEB_PAGE_MAX 10000
#define WEB_TOKEN_BYTES 32
#define WEB_TOKEN (2 * WEB_TOKEN_BYTES + 1)
#define WEB_CODES 16                        /* one-time codes, and sessions, at a time */

enum web_how { HOW_PLAIN, HOW_OFF, HOW_HERE, HOW_CHANGES, HOW_SECRET, HOW_LISTS };
enum web_access { ACCESS_OPEN, ACCESS_TOKEN, ACCESS_LOCAL };
enum web_form { FORM_LINES, FORM_DOC, FORM_BYTES }; /* what an operation prints with --json */

struct child;

struct web {
	struct loop *loop;
	struct web_conf conf;
	struct http *http;
	char token[WEB_TOKEN];
	char *token_file;
	struct arena *arena; /* as long as this */
	/* children */
	struct child *children;
	unsigned readers, writers, queued;
	/* one-time codes and what they were given for */
	struct web_code {
		char text[WEB_TOKEN];
		int64_t until; /* clock_mono_ms; 0: free */
	} codes[WEB_CODES], sessions[WEB_CODES];
	/* events */
	struct follower *followers;
	unsigned streams;
	struct loop_ev *prune;
	/* figures */
	int64_t started_ms, counted; /* the last change that is in `ended` */
	uint64_t ended[2][STATE_COUNT]; /* units, runs */
};

struct call {
	struct web *web;
	struct http_req *r;
	struct arena *a;
	const struct web_route *route; /* one of these two */
	const struct op *op;
	struct str rest;       /* of the path: what stands for {name} */
	bool reads;            /* nothing changes by it: it may be ended when nobody waits for it any more */
	int body;              /* a file with the body, for the operation's standard input; -1 */
	struct dom *json;      /* the body, where it is JSON */
	void (*end)(struct call *c, bool whole); /* NULL: nothing to let go */
	void (*drained)(struct call *c);
	void *own;
};

struct web_route {
	const char *method, *path;
	void (*fn)(struct call *c);
	enum web_access access;
	const char *summary, *gives;
};
const struct web_route *web_routes(size_t *n);

/* --- routes.c: what the tables say --- */
enum web_how web_how(const struct op *op);
/* Why it has not that option, or that word of an argument; NULL: it has. */
const char *web_closed(const struct op *op, struct str word);
const char *web_how_why(const struct op *op);
/* The name of a positional, which no option of the operation has. */
const char *web_pos_name(struct arena *a, const struct op *op, size_t i);
enum web_form web_form(const struct op *op);
bool web_reads(const struct op *op);  /* a GET */
/* Whether it takes limit and offset. */
static inline bool web_pages(const struct op *op)
{
	return web_form(op) == FORM_LINES;
}

/* --- args.c: what is asked for --- */
struct asked {
	VEC(const char *) words; /* as on the command line, after the verb */
	int64_t limit, offset;   /* of a list; limit -1: all */
	bool ndjson;
	bool files;              /* it names a file or a folder of this machine */
	bool words_given;        /* there is a positional */
	bool stdin_asked;        /* one of them is "-" */
};
/* name=value&... and the members of a JSON map (NULL: none), by the names of the table. */
must_check int args_asked(struct arena *a, const struct op *op, struct str query, const struct dom *json,
                          struct asked *out, struct err *e);
struct pair {
	struct str name, value;
};
typedef VEC(struct pair) pairs;
/* %XX and + undone; a NUL or what is no UTF-8 is refused. */
must_check int query_pairs(struct arena *a, struct str query, pairs *out, struct err *e);
struct str query_get(const pairs *q, const char *name); /* STR_NULL */

/* --- answer.c: what goes out --- */
void answer_problem(struct call *c, const struct err *e);
/* The same with a status of its own, and one more header (NULL: none). */
void answer_refusal(struct call *c, unsigned status, const struct err *e, const char *header, const char *value);
void answer_json(struct call *c, unsigned status, const struct dom *d);
struct dom *problem_dom(struct arena *a, unsigned status, const struct err *e);

/* The output of an operation on its way out. */
struct output {
	struct call *c;
	enum web_form form;
	const struct asked *asked;
	struct buf held;      /* until it is known that it is no error */
	bool begun, in_line, skips, full;
	int64_t seen, given;
	struct buf notes;     /* a JSON list's content */
};
void output_begin(struct output *o, struct call *c, const struct asked *asked);
/* False: nobody wants more. */
bool output_bytes(struct output *o, struct str bytes);
void output_note(struct output *o, struct str text);
/* NULL: it went well. Answers, and frees. */
void output_end(struct output *o, int exit_status, const struct err *e);
void output_drop(struct output *o); /* nobody is there any more */

/* --- child.c, here.c, logs.c: carrying out --- */
void child_call(struct call *c, const struct asked *asked);
void children_end(struct web *w);
void here_call(struct call *c, const struct asked *asked);
void logs_call(struct call *c, const struct asked *asked);

/* --- guard.c: who may --- */
must_check int guard_begin(struct web *w, struct err *e); /* the token */
/* Host and Origin: 0; -1 with what is wrong. */
must_check int guard_site(struct call *c, struct err *e);
bool guard_has_token(struct call *c);
/* It came by the name of the proxy before us: nothing is open then but what lets in by itself. */
bool guard_outside(const struct call *c);
bool guard_same(struct str a, struct str b); /* takes as long whatever they hold */

/* --- hook.c: a run that is written down --- */
bool hook_wants_request(struct call *c);
void hook_run(struct call *c, const struct args *args);

/* --- what the routes do --- */
#define ROUTE(method, path, fn, access, summary, gives) void route_##fn(struct call *c);
#define WEB(...)
#define PARAM(...)
#define CLOSED(...)
#include "defs/routes.def"
#undef ROUTE
#undef WEB
#undef PARAM
#undef CLOSED

must_check int feed_begin(struct web *w, struct err *e);
void feed_changed(struct web *w);
void feed_end(struct web *w);

#endif
