/* The description of the API, made of the same tables as the API itself. OpenAPI 3.1.0. */
#include <stdio.h>

#include "base/str.h"
#include "web/web_in.h"

struct maker {
	struct arena *a;
	struct dom *paths;
};

static struct dom *map(const struct maker *m)
{
	return dom_new(m->a, DOM_MAP);
}

static struct dom *list(const struct maker *m)
{
	return dom_new(m->a, DOM_LIST);
}

static struct dom *put_map(const struct maker *m, struct dom *in, const char *key)
{
	struct dom *d = map(m);

	dom_set(m->a, in, key, d);
	return d;
}

static struct dom *put_list(const struct maker *m, struct dom *in, const char *key)
{
	struct dom *d = list(m);

	dom_set(m->a, in, key, d);
	return d;
}

static void put_ref(const struct maker *m, struct dom *in, const char *ref)
{
	dom_set_cstr(m->a, in, "$ref", ref);
}

/* --- what goes in --- */

static struct dom *string_schema(const struct maker *m, const struct op *op, const char *name, enum arg_kind kind)
{
	struct dom *s = map(m);
	const char *words = kind == ARG_WORDS ? op_words(op, name) : NULL;
	struct str rest = str_of(words), word;
	struct dom *e;

	dom_set_cstr(m->a, s, "type", "string");
	if (!words)
		return s;
	e = put_list(m, s, "enum");
	while (rest.n) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		if (!web_closed(op, word))
			dom_add(e, dom_new_str(m->a, word));
	}
	return s;
}

static struct dom *list_schema(const struct maker *m, struct dom *of)
{
	struct dom *s = map(m);

	dom_set_cstr(m->a, s, "type", "array");
	dom_set(m->a, s, "items", of);
	return s;
}

static struct dom *pos_schema(const struct maker *m, const struct op *op, size_t i)
{
	const struct op_pos *p = op->pos + i;
	struct dom *s = string_schema(m, op, p->name, p->kind);

	if (p->max == 1)
		return s;
	s = list_schema(m, s);
	if (p->min)
		dom_set_int(m->a, s, "minItems", p->min);
	if (p->max)
		dom_set_int(m->a, s, "maxItems", p->max);
	return s;
}

static struct dom *opt_schema(const struct maker *m, const struct op *op, const struct op_opt *o)
{
	struct dom *s;

	if (!*o->arg) {
		s = map(m);
		dom_set_cstr(m->a, s, "type", "boolean");
		return s;
	}
	s = string_schema(m, op, o->name, o->kind);
	return strstr(o->text, "repeatable") ? list_schema(m, s) : s;
}

static struct dom *page_schema(const struct maker *m, int64_t min, int64_t max)
{
	struct dom *s = map(m);

	dom_set_cstr(m->a, s, "type", "integer");
	dom_set_int(m->a, s, "minimum", min);
	if (max)
		dom_set_int(m->a, s, "maximum", max);
	return s;
}

static void parameter(const struct maker *m, struct dom *params, const char *in, const char *name, bool must,
                      const char *text, struct dom *schema)
{
	struct dom *p = map(m);

	dom_set_cstr(m->a, p, "name", name);
	dom_set_cstr(m->a, p, "in", in);
	if (must)
		dom_set_bool(m->a, p, "required", true);
	if (*text)
		dom_set_cstr(m->a, p, "description", text);
	dom_set(m->a, p, "schema", schema);
	dom_add(params, p);
}

static bool is_shown(const struct op *op, const struct op_opt *o)
{
	return strcmp(o->name, "json") && !web_closed(op, str_of(o->name)) &&
	       !(web_pages(op) && (!strcmp(o->name, "limit") || !strcmp(o->name, "offset")));
}

/* Every argument, by one function: as a parameter of the query, or as a member of the body. */
static void each_argument(const struct maker *m, const struct op *op,
                          void (*add)(const struct maker *m, struct dom *to, const char *name, bool must,
                                      const char *text, struct dom *schema),
                          struct dom *to)
{
	for (size_t i = 0; i < op->n_pos; i++)
		add(m, to, web_pos_name(m->a, op, i), op->pos[i].min > 0, op->pos[i].text, pos_schema(m, op, i));
	for (size_t i = 0; i < op->n_opts; i++)
		if (is_shown(op, op->opts + i))
			add(m, to, op->opts[i].name, false, op->opts[i].text, opt_schema(m, op, op->opts + i));
	if (op->flags & OP_W)
		add(m, to, op_on.name, false, op_on.text, opt_schema(m, op, &op_on));
	if (!web_pages(op))
		return;
	add(m, to, "limit", false, "at most so many items", page_schema(m, 1, WEB_PAGE_MAX));
	add(m, to, "offset", false, "leaves out the first so many; `next` of an answer is that of the page after it",
	    page_schema(m, 0, INT64_MAX / 2));
}

static void add_query(const struct maker *m, struct dom *to, const char *name, bool must, const char *text,
                      struct dom *schema)
{
	parameter(m, to, "query", name, must, text, schema);
}

static void add_member(const struct maker *m, struct dom *to, const char *name, bool must, const char *text,
                       struct dom *schema)
{
	struct dom *required;

	dom_set_cstr(m->a, schema, "description", text);
	dom_set(m->a, dom_get(to, "properties"), name, schema);
	if (!must)
		return;
	required = dom_get(to, "required");
	if (!required)
		required = put_list(m, to, "required");
	dom_add(required, dom_new_str(m->a, str_of(name)));
}

static bool takes_stream(const struct op *op)
{
	for (size_t i = 0; i < op->n_pos; i++)
		if (op->pos[i].kind == ARG_FILE)
			return true;
	for (size_t i = 0; i < op->n_opts; i++)
		if (op->opts[i].kind == ARG_FILE && strstr(op->opts[i].text, "standard input"))
			return true;
	return false;
}

static void body_of(const struct maker *m, const struct op *op, struct dom *in)
{
	struct dom *body = put_map(m, in, "requestBody"), *content = put_map(m, body, "content");
	struct dom *schema = put_map(m, put_map(m, content, "application/json"), "schema");
	struct dom *bytes;

	dom_set_cstr(m->a, schema, "type", "object");
	put_map(m, schema, "properties");
	each_argument(m, op, add_member, schema);
	dom_set_bool(m->a, schema, "additionalProperties", false);
	if (!takes_stream(op))
		return;
	dom_set_cstr(m->a, body, "description",
	             "Or what `-` stands for, as any other type; the arguments are then in the query, as of a GET.");
	bytes = put_map(m, put_map(m, content, "application/octet-stream"), "schema");
	dom_set_cstr(m->a, bytes, "type", "string");
	dom_set_cstr(m->a, bytes, "format", "binary");
}

/* --- what comes out --- */

static void content_of(const struct maker *m, struct dom *answer, const char *type, const char *ref, const char *kind)
{
	struct dom *content = dom_get(answer, "content"), *schema;

	if (!content)
		content = put_map(m, answer, "content");
	schema = put_map(m, put_map(m, content, type), "schema");
	if (ref)
		put_ref(m, schema, ref);
	else if (kind)
		dom_set_cstr(m->a, schema, "type", kind);
}

static struct dom *answers(const struct maker *m, struct dom *op, const char *text)
{
	struct dom *all = put_map(m, op, "responses"), *ok = put_map(m, all, "200");
#define E(name, word, exit_status, http, text) http,
	static const int statuses[] = {
#include "defs/errors.def"
	};
#undef E
	dom_set_cstr(m->a, ok, "description", text);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		char key[8];

		snprintf(key, sizeof(key), "%d", statuses[i]);
		if (!dom_get(all, key))
			put_ref(m, put_map(m, all, arena_dup(m->a, key)), "#/components/responses/Problem");
	}
	return ok;
}

static struct dom *operation(const struct maker *m, struct dom *path, const char *method, const char *id,
                             const char *summary, bool token)
{
	struct dom *op = put_map(m, path, method);

	dom_set_cstr(m->a, op, "operationId", id);
	dom_set_cstr(m->a, op, "summary", summary);
	if (token) {
		struct dom *one = map(m);

		dom_add(put_list(m, op, "security"), one);
		put_list(m, one, "token");
	}
	return op;
}

static void op_answer(const struct maker *m, const struct op *op, struct dom *in)
{
	struct dom *ok = answers(m, in, "What it gives, with the fields of `--json`.");

	switch (web_form(op)) {
	case FORM_LINES:
		content_of(m, ok, "application/json", "#/components/schemas/List", NULL);
		content_of(m, ok, "application/x-ndjson", NULL, "string");
		break;
	case FORM_DOC:
		content_of(m, ok, "application/json", NULL, NULL);
		break;
	case FORM_BYTES:
		content_of(m, ok, "application/octet-stream", NULL, "string");
		if (op->fn == api_logs)
			content_of(m, ok, "text/plain", NULL, "string");
		break;
	}
}

static void add_op(const struct maker *m, const struct op *op)
{
	enum web_how how = web_how(op);
	struct dom *path, *one;
	bool token = how == HOW_SECRET || !web_reads(op);

	if (how == HOW_OFF)
		return;
	path = put_map(m, m->paths, arena_printf(m->a, "/api/v1/%s", op->name));
	if (web_reads(op)) {
		one = operation(m, path, "get", arena_printf(m->a, "get_%s", op->name), op->summary, token);
		each_argument(m, op, add_query, put_list(m, one, "parameters"));
		op_answer(m, op, one);
	} else if (how == HOW_LISTS) {
		one = operation(m, path, "get", arena_printf(m->a, "get_%s", op->name), "Lists what there is", false);
		op_answer(m, op, one);
	}
	one = operation(m, path, "post", op->name, op->summary, token);
	if (*op->more)
		dom_set_cstr(m->a, one, "description", op->more);
	if (!strcmp(op->name, "run")) {
		struct dom *params = put_list(m, one, "parameters"), *s = map(m);

		dom_set_cstr(m->a, s, "type", "string");
		parameter(m, params, "header", "Idempotency-Key", false,
		          "it is written down and answered at once (202); asked again with this key it is the same one",
		          s);
	}
	body_of(m, op, one);
	op_answer(m, op, one);
	if (!strcmp(op->name, "run")) {
		one = put_map(m, dom_get(one, "responses"), "202");
		dom_set_cstr(m->a, one, "description", "Written down; the daemon starts it.");
		content_of(m, one, "application/json", NULL, "object");
	}
}

static void add_route(const struct maker *m, const struct web_route *r)
{
	struct dom *path = put_map(m, m->paths, r->path), *ok, *one, *params, *s;
	bool hook = r->fn == route_hook;

	one = operation(m, path, strcmp(r->method, "GET") ? "post" : "get",
	                hook ? "hook" : arena_printf(m->a, "route_%s", strrchr(r->path, '/') + 1), r->summary,
	                r->access != ACCESS_OPEN);
	if (hook) {
		params = put_list(m, one, "parameters");
		s = map(m);
		dom_set_cstr(m->a, s, "type", "string");
		parameter(m, params, "path", "name", true, "its name in leat.yaml", s);
	}
	if (r->fn == route_events) {
		params = put_list(m, one, "parameters");
		add_query(m, params, "from", false, "events after that number; as the header Last-Event-ID",
		          page_schema(m, 0, 0));
		s = map(m);
		dom_set_cstr(m->a, s, "type", "string");
		add_query(m, params, "kind", false, "only these: unit, run, head, request", s);
		add_query(m, params, "job", false, "only of this job", dom_copy(m->a, s));
	}
	if (r->fn == route_enter) {
		s = map(m);
		dom_set_cstr(m->a, s, "type", "string");
		add_query(m, put_list(m, one, "parameters"), "code", true, "the code", s);
	}
	if (r->fn == route_login || hook) {
		s = put_map(m, put_map(m, put_map(m, put_map(m, one, "requestBody"), "content"), "application/json"),
		            "schema");
		dom_set_cstr(m->a, s, "type", "object");
		if (!hook) {
			dom_set_cstr(m->a, put_map(m, put_map(m, s, "properties"), "code"), "type", "string");
			dom_add(put_list(m, s, "required"), dom_new_str(m->a, STR("code")));
		}
	}
	ok = answers(m, one, r->summary);
	if (!strcmp(r->gives, "text"))
		content_of(m, ok, "text/plain", NULL, "string");
	else if (!strcmp(r->gives, "events"))
		content_of(m, ok, "text/event-stream", NULL, "string");
	else
		content_of(m, ok, "application/json", NULL, "object");
	if (hook) {
		ok = put_map(m, dom_get(one, "responses"), "202");
		dom_set_cstr(m->a, ok, "description", "Written down; the daemon starts it.");
		content_of(m, ok, "application/json", NULL, "object");
	}
}

static void property(const struct maker *m, struct dom *props, const char *name, const char *type, const char *text)
{
	struct dom *p = put_map(m, props, name);

	dom_set_cstr(m->a, p, "type", type);
	dom_set_cstr(m->a, p, "description", text);
}

static void add_components(const struct maker *m, struct dom *doc)
{
	struct dom *c = put_map(m, doc, "components"), *schemas = put_map(m, c, "schemas"), *s, *props, *items;

	s = put_map(m, schemas, "Problem");
	dom_set_cstr(m->a, s, "type", "object");
	dom_set_cstr(m->a, s, "description", "An error (RFC 9457).");
	props = put_map(m, s, "properties");
	property(m, props, "type", "string", "always about:blank");
	property(m, props, "title", "string", "what the code means");
	property(m, props, "status", "integer", "the status of the answer");
	property(m, props, "code", "string", "the word of the error, as in --json");
	property(m, props, "detail", "string", "what is wrong, in a sentence");
	property(m, props, "hint", "string", "what to do");
	property(m, props, "file", "string", "the file of the workspace that is wrong");
	property(m, props, "line", "integer", "where in it");
	property(m, props, "col", "integer", "where in the line");
	items = put_list(m, s, "required");
	for (const char *const *p = (const char *const[]){"title", "status", "code", "detail", NULL}; *p; p++)
		dom_add(items, dom_new_str(m->a, str_of(*p)));

	s = put_map(m, schemas, "List");
	dom_set_cstr(m->a, s, "type", "object");
	props = put_map(m, s, "properties");
	items = put_map(m, props, "items");
	dom_set_cstr(m->a, items, "type", "array");
	dom_set_cstr(m->a, put_map(m, items, "items"), "type", "object");
	property(m, props, "next", "integer", "`offset` of the next page; absent on the last one");
	property(m, props, "exit_status", "integer", "1: it was done, and what it found or ran is not well");
	items = put_map(m, props, "notes");
	dom_set_cstr(m->a, items, "type", "array");
	dom_set_cstr(m->a, put_map(m, items, "items"), "type", "string");
	put_ref(m, put_map(m, props, "error"), "#/components/schemas/Problem");
	dom_add(put_list(m, s, "required"), dom_new_str(m->a, STR("items")));

	s = put_map(m, put_map(m, c, "responses"), "Problem");
	dom_set_cstr(m->a, s, "description", "It was refused, or failed.");
	content_of(m, s, "application/problem+json", "#/components/schemas/Problem", NULL);

	s = put_map(m, put_map(m, c, "securitySchemes"), "token");
	dom_set_cstr(m->a, s, "type", "http");
	dom_set_cstr(m->a, s, "scheme", "bearer");
	dom_set_cstr(m->a, s, "description",
	             "The content of .leat/serve.token. The socket .leat/serve.sock needs none.");
}

struct dom *web_openapi(struct arena *a)
{
	struct maker m = {.a = a};
	struct dom *doc = map(&m), *info, *license, *server;
	const struct op *ops;
	const struct web_route *routes;
	size_t n;

	dom_set_cstr(a, doc, "openapi", "3.1.0");
	info = put_map(&m, doc, "info");
	dom_set_cstr(a, info, "title", "Leat");
	dom_set_cstr(a, info, "version", LEAT_VERSION);
	dom_set_cstr(a, info, "description",
	             "Every operation of the command line by HTTP: the same arguments, the same fields as --json.");
	license = put_map(&m, info, "license");
	dom_set_cstr(a, license, "name", "Apache-2.0");
	dom_set_cstr(a, license, "identifier", "Apache-2.0");
	server = map(&m);
	dom_set_cstr(a, server, "url", "/");
	dom_add(put_list(&m, doc, "servers"), server);
	m.paths = put_map(&m, doc, "paths");
	routes = web_routes(&n);
	for (size_t i = 0; i < n; i++)
		add_route(&m, routes + i);
	ops = op_table(&n);
	for (size_t i = 0; i < n; i++)
		add_op(&m, ops + i);
	add_components(&m, doc);
	return doc;
}

void route_openapi(struct call *c)
{
	answer_json(c, 200, web_openapi(c->a));
}

int web_openapi_print(FILE *to)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b = BUF_INIT(16 << 20);
	int bad;

	dom_write_json(&b, web_openapi(a), DOM_PRETTY);
	buf_addc(&b, '\n');
	bad = fwrite(b.p, 1, b.n, to) != b.n || fflush(to);
	buf_free(&b);
	return bad;
}
