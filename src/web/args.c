/* From a query or a JSON body to the words of a command line: nothing here knows what an operation means by them. */
#include "base/str.h"
#include "base/url.h"
#include "web/web_in.h"

#define PAIRS_MAX 1000

static int decode(struct arena *a, struct str s, struct str *out, struct err *e)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] == '+')
			p[i] = ' ';
	*out = url_decode(a, (struct str){p, s.n});
	if (memchr(out->p, 0, out->n))
		return err_set(e, ERR_BAD_REQUEST, "the query holds a NUL");
	if (!str_is_utf8(*out))
		return err_set(e, ERR_BAD_REQUEST, "the query is not UTF-8: '%s'", STR_SHOWN(s));
	return 0;
}

int query_pairs(struct arena *a, struct str query, pairs *out, struct err *e)
{
	while (query.n) {
		struct str part = query, rest = STR_NULL, name, value = STR_NULL;
		struct pair p;

		(void)!str_cut(query, '&', &part, &rest);
		query = rest;
		if (!part.n)
			continue;
		name = part;
		(void)!str_cut(part, '=', &name, &value);
		if (out->n == PAIRS_MAX)
			return err_set(e, ERR_LIMIT, "the query holds more than %d values", PAIRS_MAX);
		if (decode(a, name, &p.name, e) || decode(a, value, &p.value, e))
			return -1;
		if (!value.p)
			p.value = STR_NULL;
		vec_push(a, out, p);
	}
	return 0;
}

struct str query_get(const pairs *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_is(q->p[i].name, name))
			return q->p[i].value.p ? q->p[i].value : STR("");
	return STR_NULL;
}

/* A request as it is read: options at once, positionals by their place. */
struct reading {
	struct arena *a;
	const struct op *op;
	struct asked *out;
	VEC(struct str) *pos; /* one list a row of the table */
	bool own_limit;
};

static int unknown(const struct reading *r, struct str name, struct err *e)
{
	struct str near[96];
	size_t n = 0;
	int at;

	for (size_t i = 0; i < r->op->n_pos && n < ARRAY_LEN(near); i++)
		near[n++] = str_of(web_pos_name(r->a, r->op, i));
	for (size_t i = 0; i < r->op->n_opts && n < ARRAY_LEN(near); i++)
		near[n++] = str_of(r->op->opts[i].name);
	err_set(e, ERR_BAD_REQUEST, "%s takes no '%s'", r->op->name, STR_SHOWN(name));
	at = str_nearest(name, near, n);
	if (at >= 0)
		return err_hint(e, "did you mean '%.*s'?", STR_ARG(near[at]));
	return err_hint(e, "/api/v1/openapi.json tells what it takes");
}

static int on_off(const struct op_opt *o, struct str v, bool *on, struct err *e)
{
	*on = !v.p || !v.n || str_is(v, "true") || str_is(v, "1");
	if (*on || str_is(v, "false") || str_is(v, "0"))
		return 0;
	return err_set(e, ERR_BAD_REQUEST, "'%s' is true or false, not '%s'", o->name, STR_SHOWN(v));
}

static int page_number(struct str name, struct str v, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	if (!v.p || !str_to_i64(v, out) || *out < min || *out > max)
		return err_set(e, ERR_BAD_REQUEST, "%.*s '%s' is not a number from %lld to %lld", STR_ARG(name),
		               STR_SHOWN(v), (long long)min, (long long)max);
	return 0;
}

static bool is_place(enum arg_kind k)
{
	return k == ARG_FILE || k == ARG_DIR;
}

static int take_option(struct reading *r, const struct op_opt *o, struct str v, struct err *e)
{
	bool on;

	if (!*o->arg) {
		if (on_off(o, v, &on, e))
			return -1;
		if (on)
			vec_push(r->a, &r->out->words, arena_printf(r->a, "--%s", o->name));
		return 0;
	}
	if (!v.p)
		return err_set(e, ERR_BAD_REQUEST, "'%s' needs a value (%s)", o->name, o->arg);
	if (is_place(o->kind) && str_is(v, "-"))
		r->out->stdin_asked = r->out->stdin_asked || strcmp(o->name, "output");
	else
		r->out->files = r->out->files || is_place(o->kind);
	vec_push(r->a, &r->out->words, arena_printf(r->a, "--%s=%.*s", o->name, STR_ARG(v)));
	return 0;
}

static int closed(const struct reading *r, struct str word, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "%s has no '%.*s' here: %s", r->op->name, STR_ARG(word),
	               web_closed(r->op, word));
}

static int take_value(struct reading *r, struct str name, struct str v, struct err *e)
{
	const struct op_opt *o = op_option(r->op, name);

	if (o && !strcmp(o->name, "json"))
		return 0; /* as always */
	if (web_pages(r->op) && str_is(name, "limit"))
		return page_number(name, v, 1, WEB_PAGE_MAX, &r->out->limit, e);
	if (web_pages(r->op) && str_is(name, "offset"))
		return page_number(name, v, 0, INT64_MAX / 2, &r->out->offset, e);
	if (o && web_closed(r->op, str_of(o->name)))
		return closed(r, str_of(o->name), e);
	if (o)
		return take_option(r, o, v, e);
	for (size_t i = 0; i < r->op->n_pos; i++) {
		const struct op_pos *p = r->op->pos + i;

		if (!str_is(name, web_pos_name(r->a, r->op, i)))
			continue;
		if (!v.p)
			return err_set(e, ERR_BAD_REQUEST, "'%.*s' needs a value", STR_ARG(name));
		if (p->kind == ARG_WORDS && web_closed(r->op, v))
			return closed(r, v, e);
		if (p->max && r->pos[i].n == (size_t)p->max)
			return err_set(e, ERR_BAD_REQUEST, "%s takes %d '%.*s' at most", r->op->name, p->max,
			               STR_ARG(name));
		if (is_place(p->kind) && str_is(v, "-"))
			r->out->stdin_asked = true;
		else
			r->out->files = r->out->files || is_place(p->kind);
		vec_push(r->a, &r->pos[i], v);
		return 0;
	}
	return unknown(r, name, e);
}

static int take_json(struct reading *r, struct str name, const struct dom *v, struct err *e)
{
	struct str text;

	switch (v->type) {
	case DOM_NULL:
		return 0;
	case DOM_LIST:
		dom_each(one, v) {
			if (one->type == DOM_LIST || one->type == DOM_MAP)
				return err_set(e, ERR_BAD_REQUEST, "'%.*s' holds %s in a list", STR_ARG(name),
				               dom_type_word(one->type));
			if (take_json(r, name, one, e))
				return -1;
		}
		return 0;
	case DOM_MAP: /* of KEY=VALUE */
		dom_each(one, v) {
			if (one->type == DOM_LIST || one->type == DOM_MAP)
				return err_set(e, ERR_BAD_REQUEST, "'%.*s' holds %s in a map", STR_ARG(name),
				               dom_type_word(one->type));
			text = dom_text(r->a, one);
			if (take_value(r, name, arena_strf(r->a, "%.*s=%.*s", STR_ARG(one->key), STR_ARG(text)), e))
				return -1;
		}
		return 0;
	default:
		text = dom_text(r->a, v);
		if (memchr(text.p, 0, text.n) || !str_is_utf8(text))
			return err_set(e, ERR_BAD_REQUEST, "'%s' holds a NUL, or is not UTF-8", STR_SHOWN(name));
		return take_value(r, name, text, e);
	}
}

int args_asked(struct arena *a, const struct op *op, struct str query, const struct dom *json, struct asked *out,
               struct err *e)
{
	struct asked asked = {.limit = -1};
	struct reading r = {.a = a, .op = op, .out = &asked};
	pairs q = {0};
	const struct op_opt *limit = op_option(op, STR("limit"));

	r.pos = arena_alloc_array(a, sizeof(*r.pos), op->n_pos + 1);
	if (query_pairs(a, query, &q, e))
		return -1;
	for (size_t i = 0; i < q.n; i++)
		if (take_value(&r, q.p[i].name, q.p[i].value, e))
			return -1;
	if (json && json->type != DOM_MAP)
		return err_set(e, ERR_BAD_REQUEST, "the body is %s, not a map of arguments", dom_type_word(json->type));
	dom_each(v, json)
		if (take_json(&r, v->key, v, e))
			return -1;
	if (limit && web_pages(op) && asked.limit >= 0) /* one more tells whether there are more */
		vec_push(a, &asked.words,
		         arena_printf(a, "--limit=%lld", (long long)(asked.limit + asked.offset + 1)));
	vec_push(a, &asked.words, "--");
	for (size_t i = 0; i < op->n_pos; i++)
		for (size_t k = 0; k < r.pos[i].n; k++) {
			vec_push(a, &asked.words, arena_cstr(a, r.pos[i].p[k]));
			asked.words_given = true;
		}
	vec_push(a, &asked.words, NULL);
	asked.words.n--;
	*out = asked;
	return 0;
}
