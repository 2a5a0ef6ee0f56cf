#include <ctype.h>

#include "base/str.h"
#include "web/web_in.h"

/* Rows that an expansion does not want come to nothing; each section below undoes the one it wants. */
#define WEB(...)
#define PARAM(...)
#define CLOSED(...)
#define ROUTE(...)

#undef WEB
#define WEB(verb, how, why) {#verb, HOW_##how, why},
static const struct {
	const char *verb;
	enum web_how how;
	const char *why;
} hows[] = {
#include "defs/routes.def"
};
#undef WEB
#define WEB(...)

#undef PARAM
#define PARAM(verb, n, name) {#verb, n, name},
static const struct {
	const char *verb;
	size_t n;
	const char *name;
} names[] = {
#include "defs/routes.def"
};
#undef PARAM
#define PARAM(...)

#undef CLOSED
#define CLOSED(verb, word, why) {#verb, word, why},
static const struct {
	const char *verb, *word, *why;
} closed[] = {
#include "defs/routes.def"
};
#undef CLOSED
#define CLOSED(...)

#undef ROUTE
#define ROUTE(method, path, fn, access, summary, gives) {#method, path, route_##fn, ACCESS_##access, summary, gives},
static const struct web_route routes[] = {
#include "defs/routes.def"
};
#undef ROUTE

const struct web_route *web_routes(size_t *n)
{
	*n = ARRAY_LEN(routes);
	return routes;
}

enum web_how web_how(const struct op *op)
{
	for (size_t i = 0; i < ARRAY_LEN(hows); i++)
		if (!strcmp(hows[i].verb, op->name))
			return hows[i].how;
	return HOW_PLAIN;
}

const char *web_how_why(const struct op *op)
{
	for (size_t i = 0; i < ARRAY_LEN(hows); i++)
		if (!strcmp(hows[i].verb, op->name))
			return hows[i].why;
	return "";
}

const char *web_closed(const struct op *op, struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(closed); i++)
		if (!strcmp(closed[i].verb, op->name) && str_is(word, closed[i].word))
			return closed[i].why;
	return NULL;
}

/* "REPO[@PIN][:/PATH]" is repo. */
const char *web_pos_name(struct arena *a, const struct op *op, size_t n)
{
	const char *p = op->pos[n].name;
	struct str word;
	char *name;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i].verb, op->name) && names[i].n == n)
			return names[i].name;
	while (*p && !isalpha((unsigned char)*p))
		p++;
	word = (struct str){p, 0};
	while (isalpha((unsigned char)p[word.n]))
		word.n++;
	name = arena_cstr(a, word);
	for (char *q = name; *q; q++)
		*q = (char)tolower((unsigned char)*q);
	return name;
}

enum web_form web_form(const struct op *op)
{
	const struct op_opt *o = op_option(op, STR("json"));

	if (!o)
		return FORM_BYTES;
	/* "print JSON, one object per line", "print JSON events, one per line" */
	return strchr(o->text, ',') ? FORM_LINES : FORM_DOC;
}

bool web_reads(const struct op *op)
{
	return (op->flags & OP_R) && web_how(op) != HOW_CHANGES;
}
