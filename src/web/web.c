#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "web/web_in.h"

#define API "/api/v1/"

/* --- which route --- */

/* A pattern may end in {name}, which stands for what has no '/'. */
static bool matches(const char *pattern, struct str path, struct str *rest)
{
	const char *brace = strchr(pattern, '{');
	struct str fixed = brace ? (struct str){pattern, (size_t)(brace - pattern)} : str_of(pattern);

	if (!brace)
		return str_eq(path, fixed);
	*rest = str_sub(path, fixed.n, path.n);
	return str_has_prefix(path, fixed) && rest->n && !memchr(rest->p, '/', rest->n);
}

static const struct op *find_op(struct str path)
{
	size_t n;
	const struct op *ops = op_table(&n);
	struct str name = str_sub(path, strlen(API), path.n);

	if (!str_has_prefix(path, STR(API)))
		return NULL;
	for (size_t i = 0; i < n; i++) /* only whole names: a URL is no place for guesses */
		if (str_is(name, ops[i].name))
			return ops + i;
	return NULL;
}

static int no_route(struct call *c, struct str path, struct err *e)
{
	size_t n;
	const struct op *ops = op_table(&n);
	struct str names[128], name = str_sub(path, strlen(API), path.n);
	int near;

	n = MIN(n, ARRAY_LEN(names));
	for (size_t i = 0; i < n; i++)
		names[i] = str_of(ops[i].name);
	err_set(e, ERR_NOT_FOUND, "there is no route %s", STR_SHOWN(path));
	near = str_has_prefix(path, STR(API)) ? str_nearest(name, names, n) : -1;
	if (near >= 0)
		err_hint(e, "did you mean " API "%.*s?", STR_ARG(names[near]));
	else
		err_hint(e, API "openapi.json lists them");
	answer_problem(c, e);
	return -1;
}

static int bad_method(struct call *c, const char *what, const char *allow, struct err *e)
{
	err_set(e, ERR_BAD_METHOD, "%s takes %s", what, allow);
	answer_refusal(c, 405, e, "Allow", allow);
	return -1;
}

static int no_token(struct call *c, const char *what, struct err *e)
{
	err_set(e, ERR_UNAUTHORIZED, "%s needs the token", what);
	if (guard_outside(c))
		err_hint(e, "Authorization: Bearer TOKEN; leat user add NAME gives one, leat ui lets a browser in");
	else
		err_hint(e, "it stands in .leat/serve.token: Authorization: Bearer TOKEN; or use the socket "
		            ".leat/serve.sock");
	answer_refusal(c, 401, e, "WWW-Authenticate", "Bearer realm=\"leat\"");
	return -1;
}

/* Which methods a route has, whichever it is; -1: refused. */
static int check_method(struct call *c, struct err *e)
{
	const char *method = http_method(c->r), *allow = c->route ? c->route->method : "POST";
	bool get = !strcmp(method, "GET");

	if (!c->route && (web_reads(c->op) || web_how(c->op) == HOW_LISTS))
		allow = "GET, POST";
	if (!strcmp(method, "POST") ? strstr(allow, "POST") != NULL : get && strstr(allow, "GET"))
		return 0;
	return bad_method(c, c->route ? c->route->path : c->op->name, !strcmp(allow, "GET") ? "GET, HEAD" : allow, e);
}

/* Whether the body is the operation's own standard input: everything that is not JSON. */
static bool body_is_json(struct call *c)
{
	struct str type = http_header(c->r, "Content-Type"), head = type, rest;

	if (str_cut(type, ';', &head, &rest))
		type = head;
	return str_ieq(str_trim(type), STR("application/json"));
}

static int take_upload(struct call *c, struct err *e)
{
	c->body = open(c->web->conf.store->leat_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (c->body < 0)
		return err_errno(e, errno, "a place for the body");
	http_body_to(c->r, c->body, WEB_UPLOAD);
	return 0;
}

static int op_head(struct call *c, struct err *e)
{
	bool get = !strcmp(http_method(c->r), "GET");
	enum web_how how = web_how(c->op);

	c->reads = web_reads(c->op);
	if (how == HOW_OFF) {
		err_set(e, ERR_NOT_FOUND, "%s has no route: %s", c->op->name, web_how_why(c->op));
		answer_problem(c, e);
		return -1;
	}
	if (check_method(c, e))
		return -1;
	if (((!c->reads && !(how == HOW_LISTS && get)) || how == HOW_SECRET) && !guard_has_token(c))
		return no_token(c, c->op->name, e);
	if (get || body_is_json(c)) {
		http_body_max(c->r, get ? 0 : WEB_BODY);
		return 0;
	}
	if (http_header(c->r, "Content-Type").n && guard_has_token(c) && take_upload(c, e)) {
		answer_problem(c, e);
		return -1;
	}
	return 0;
}

static void on_done(void *ptr, bool whole)
{
	struct call *c = ptr;

	if (c->end)
		c->end(c, whole);
	fd_close(&c->body);
}

static void on_drained(void *ptr)
{
	struct call *c = ptr;

	if (c->drained)
		c->drained(c);
}

static struct call *call_new(struct web *w, struct http_req *r)
{
	struct arena *a = http_arena(r);
	struct call *c = arena_new_of(a, struct call);

	*c = (struct call){.web = w, .r = r, .a = a, .body = -1};
	http_watch(r, &(struct http_watch){.drained = on_drained, .done = on_done, .ptr = c});
	return c;
}

/* --- a request --- */

/* What looks itself at who comes; or tells nothing. */
static bool lets_in(const struct web_route *r)
{
	return r && (r->fn == route_login || r->fn == route_enter || r->fn == route_hook || r->fn == route_health ||
	             r->fn == route_ready);
}

static void on_head(struct http_req *r, void *ptr)
{
	struct call *c = call_new(ptr, r);
	struct err e = ERR_INIT;
	struct str path = http_path(r);
	const struct web_route *routes;
	size_t n;

	if (guard_site(c, &e)) {
		answer_problem(c, &e);
		return;
	}
	routes = web_routes(&n);
	for (size_t i = 0; i < n && !c->route; i++)
		if (matches(routes[i].path, path, &c->rest))
			c->route = routes + i;
	if (!c->route)
		c->op = find_op(path);
	if (!c->route && !c->op) {
		(void)no_route(c, path, &e);
		return;
	}
	if (guard_outside(c) && !lets_in(c->route) && !guard_has_token(c)) {
		(void)no_token(c, c->op ? c->op->name : c->route->path, &e);
		return;
	}
	if (c->op) {
		(void)op_head(c, &e);
		return;
	}
	if (check_method(c, &e))
		return;
	if (c->route->access != ACCESS_OPEN && !guard_has_token(c)) {
		(void)no_token(c, c->route->path, &e);
		return;
	}
	http_body_max(r, c->route->fn == route_hook ? WEB_HOOK_BODY : WEB_BODY);
}

static int body_json(struct call *c, struct err *e)
{
	struct str body = http_body(c->r);

	if (!body.n)
		return 0;
	if (!dom_json(c->a, body, "body", &c->json, e))
		return 0;
	e->code = ERR_BAD_REQUEST;
	return -1;
}

/* What a list without words is for everybody: of `branch`, the branches. */
static int only_lists(struct call *c, const struct asked *asked, struct err *e)
{
	for (size_t i = 0; i < asked->words.n; i++)
		if (strcmp(asked->words.p[i], "--") && strcmp(asked->words.p[i], "--repos"))
			return err_set(e, ERR_BAD_METHOD, "%s with arguments changes something: POST it", c->op->name);
	return 0;
}

static void call_op(struct call *c)
{
	struct asked asked;
	struct args args;
	struct err e = ERR_INIT;
	bool get = !strcmp(http_method(c->r), "GET");

	if (args_asked(c->a, c->op, http_query(c->r), c->json, &asked, &e) ||
	    args_parse(c->op, c->a, (int)asked.words.n, asked.words.p, &args, &e)) {
		answer_problem(c, &e);
		return;
	}
	if (web_how(c->op) == HOW_LISTS && get && only_lists(c, &asked, &e)) {
		answer_refusal(c, 405, &e, "Allow", "POST");
		return;
	}
	if (asked.files && !guard_has_token(c)) {
		err_set(&e, ERR_UNAUTHORIZED, "to name files of this machine the token is needed");
		answer_refusal(c, 401, &e, "WWW-Authenticate", "Bearer realm=\"leat\"");
		return;
	}
	if (asked.stdin_asked && c->body < 0) {
		err_set(&e, ERR_BAD_REQUEST, "'-' is the body of the request, and there is none");
		err_hint(&e,
		         "send it with a Content-Type other than application/json; arguments then stand in the query");
		answer_problem(c, &e);
		return;
	}
	asked.ndjson = strstr(http_header(c->r, "Accept").p ? http_header(c->r, "Accept").p : "",
	                      "application/x-ndjson") != NULL;
	c->reads = c->reads || (web_how(c->op) == HOW_LISTS && get);
	if (hook_wants_request(c))
		hook_run(c, &args);
	else if (web_how(c->op) == HOW_HERE)
		c->op->fn == api_logs ? logs_call(c, &asked) : here_call(c, &asked);
	else
		child_call(c, &asked);
}

static void on_whole(struct http_req *r, void *ptr)
{
	struct call *c = http_watcher(r);
	struct err e = ERR_INIT;

	if (c->body < 0 && !(c->route && c->route->fn == route_hook) && body_json(c, &e)) {
		answer_problem(c, &e);
		return;
	}
	if (c->route)
		c->route->fn(c);
	else
		call_op(c);
}

/* --- the whole --- */

int web_new(struct loop *l, const struct web_conf *conf, struct web **out, struct err *e)
{
	struct arena *a;
	struct web *w;
	struct http_conf hc = {.address = conf->address, .port = conf->port, .socket = conf->socket, .head = on_head,
	                       .whole = on_whole};

	if (conf->address && strcmp(conf->address, "127.0.0.1") && strcmp(conf->address, "::1")) {
		err_set(e, ERR_REFUSED,
		        "%s is not this machine alone: everybody who reaches it would read this workspace",
		        conf->address);
		return err_hint(e, "put a proxy with TLS before 127.0.0.1: leat serve --behind HOST");
	}
	a = arena_new();
	w = arena_new_of(a, struct web);
	*w = (struct web){.loop = l, .conf = *conf, .arena = a, .started_ms = clock_now_ms()};
	hc.ptr = w;
	if (guard_begin(w, e) || feed_begin(w, e) || http_new(l, &hc, &w->http, e)) {
		feed_end(w);
		arena_free(a);
		return -1;
	}
	*out = w;
	return 0;
}

void web_free(struct web *w)
{
	if (!w)
		return;
	feed_end(w);
	http_free(w->http);
	children_end(w);
	arena_free(w->arena);
}

int web_port(const struct web *w)
{
	return http_port(w->http);
}

const char *web_token_file(const struct web *w)
{
	return w->token_file;
}

void web_changed(struct web *w)
{
	if (w)
		feed_changed(w);
}
