#include "base/dom.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dom_in.h"
#include "base/str.h"

/* ---- looking ---- */

static struct dom *get(const struct dom *map, struct str key)
{
	if (map && map->type == DOM_MAP)
		for (struct dom *c = map->first; c; c = c->next)
			if (str_eq(c->key, key))
				return c;
	return NULL;
}

struct dom *dom_get(const struct dom *map, const char *key)
{
	return get(map, str_of(key));
}

static struct dom *item(const struct dom *list, struct str index)
{
	struct dom *c = list->first;
	int64_t i;

	if (!str_to_i64(index, &i) || i < 0 || (uint64_t)i >= list->n)
		return NULL;
	while (i--)
		c = c->next;
	return c;
}

struct dom *dom_path(const struct dom *root, const char *dotted)
{
	struct str rest = str_of(dotted), part;
	struct dom *at = NULL;

	for (bool more = true; more && root; root = at) {
		more = str_cut(rest, '.', &part, &rest);
		if (!more)
			part = rest;
		at = root->type == DOM_LIST ? item(root, part) : get(root, part);
	}
	return at;
}

const char *dom_type_word(enum dom_type t)
{
	static const char *const words[] = {
		[DOM_NULL] = "nothing", [DOM_BOOL] = "true or false", [DOM_INT] = "a whole number",
		        [DOM_REAL] = "a number",
		[DOM_STR] = "text",     [DOM_LIST] = "a list",        [DOM_MAP] = "a map",
	};

	return words[t];
}

static bool children_equal(const struct dom *a, const struct dom *b)
{
	const struct dom *other = b->first; /* usually both have the same order */

	if (a->n != b->n)
		return false;
	dom_each(c, a) {
		const struct dom *mate = other;

		if (a->type == DOM_MAP && !str_eq(c->key, mate->key))
			mate = get(b, c->key);
		if (!mate || !dom_equal(c, mate))
			return false;
		other = other->next;
	}
	return true;
}

bool dom_equal(const struct dom *a, const struct dom *b)
{
	double x, y;

	if ((a->type == DOM_INT || a->type == DOM_REAL) && (b->type == DOM_INT || b->type == DOM_REAL)) {
		if (a->type == DOM_INT && b->type == DOM_INT)
			return a->i == b->i;
		x = a->type == DOM_INT ? (double)a->i : a->d;
		y = b->type == DOM_INT ? (double)b->i : b->d;
		return x == y || (isnan(x) && isnan(y));
	}
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case DOM_BOOL:
		return a->b == b->b;
	case DOM_STR:
		return str_eq(a->s, b->s);
	case DOM_LIST:
	case DOM_MAP:
		return children_equal(a, b);
	default:
		return true;
	}
}

/* ---- making ---- */

struct dom *dom_new(struct arena *a, enum dom_type t)
{
	struct dom *n = arena_new_of(a, struct dom);

	n->type = t;
	return n;
}

struct dom *dom_new_str(struct arena *a, struct str s)
{
	struct dom *n = dom_new(a, DOM_STR);

	n->s = arena_str(a, s);
	return n;
}

struct dom *dom_new_int(struct arena *a, int64_t i)
{
	struct dom *n = dom_new(a, DOM_INT);

	n->i = i;
	return n;
}

struct dom *dom_new_real(struct arena *a, double d)
{
	struct dom *n = dom_new(a, DOM_REAL);

	n->d = d;
	return n;
}

struct dom *dom_new_bool(struct arena *a, bool b)
{
	struct dom *n = dom_new(a, DOM_BOOL);

	n->b = b;
	return n;
}

struct dom *dom_new_plain(struct arena *a, struct str s)
{
	struct dom *n = dom_new(a, DOM_NULL);

	dom_type_plain(n, arena_str(a, s));
	return n;
}

void dom_add(struct dom *list, struct dom *child)
{
	child->next = NULL;
	if (list->last)
		list->last->next = child;
	else
		list->first = child;
	list->last = child;
	list->n++;
}

void dom_set(struct arena *a, struct dom *map, const char *key, struct dom *child)
{
	child->key = arena_str(a, str_of(key));
	dom_add(map, child);
}

void dom_set_str(struct arena *a, struct dom *map, const char *key, struct str s)
{
	dom_set(a, map, key, s.p ? dom_new_str(a, s) : dom_new(a, DOM_NULL));
}

void dom_set_cstr(struct arena *a, struct dom *map, const char *key, const char *s)
{
	dom_set_str(a, map, key, str_of(s));
}

void dom_set_int(struct arena *a, struct dom *map, const char *key, int64_t i)
{
	dom_set(a, map, key, dom_new_int(a, i));
}

void dom_set_real(struct arena *a, struct dom *map, const char *key, double d)
{
	dom_set(a, map, key, dom_new_real(a, d));
}

void dom_set_bool(struct arena *a, struct dom *map, const char *key, bool b)
{
	dom_set(a, map, key, dom_new_bool(a, b));
}

struct dom *dom_copy(struct arena *a, const struct dom *from)
{
	struct dom *n = dom_new(a, from->type);

	*n = *from;
	n->first = n->last = n->next = NULL;
	n->n = 0;
	dom_each(c, from)
		dom_add(n, dom_copy(a, c));
	return n;
}

struct dom *dom_add_unique(struct dom_seen *s, struct arena *scratch, struct dom *map, struct dom *child)
{
	struct dom *old;

	if (map->n < DOM_SEEN_FEW) {
		old = get(map, child->key);
		if (!old)
			dom_add(map, child);
		return old;
	}
	if (!s->hashed) {
		map_init(&s->keys, scratch);
		dom_each(c, map)
			map_set(&s->keys, c->key, c);
		s->hashed = true;
	}
	old = map_get(&s->keys, child->key);
	if (!old) {
		map_set(&s->keys, child->key, child);
		dom_add(map, child);
	}
	return old;
}

/* ---- writing ---- */

/* The shortest decimal that reads back as the same double. */
static void write_real(struct buf *b, double d)
{
	char text[40];

	if (!isfinite(d)) {
		buf_adds(b, isnan(d) ? "\".nan\"" : d > 0 ? "\".inf\"" : "\"-.inf\"");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_adds(b, text);
	if (!strpbrk(text, ".e"))
		buf_adds(b, ".0"); /* it stays a REAL when it is read again */
}

struct str dom_str(const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR ? v->s : STR_NULL;
}

int64_t dom_int(const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_INT ? v->i : 0;
}

struct str dom_text(struct arena *a, const struct dom *n)
{
	struct buf b = BUF_INIT(DOM_MAX_BYTES);
	struct str s;

	if (!n || n->type == DOM_NULL)
		return STR("");
	if (n->type == DOM_STR)
		return n->s;
	if (n->raw.p)
		return n->raw;
	dom_write_json(&b, n, DOM_COMPACT);
	s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static void write_escape(struct buf *b, uint8_t c)
{
	static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c == '"' || c == '\\')
		buf_add(b, (char[]){'\\', (char)c}, 2);
	else if (c < sizeof(short_form) && short_form[c])
		buf_add(b, (char[]){'\\', short_form[c]}, 2);
	else
		buf_addf(b, "\\u%04x", c);
}

void json_write_str(struct buf *b, struct str s)
{
	size_t from = 0, i = 0, n;
	uint32_t cp;

	buf_addc(b, '"');
	while (i < s.n) {
		uint8_t c = (uint8_t)s.p[i];

		n = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' : str_utf8_get(str_sub(s, i, 4), &cp);
		if (n) {
			i += n;
			continue;
		}
		buf_add(b, s.p + from, i - from);
		if (c < 0x80)
			write_escape(b, c);
		else
			buf_adds(b, "\xef\xbf\xbd");
		from = ++i;
	}
	if (s.n)
		buf_add(b, s.p + from, s.n - from);
	buf_addc(b, '"');
}

static bool in_lines(enum dom_write how)
{
	return how == DOM_PRETTY || how == DOM_NOTEBOOK;
}

static void line(struct buf *b, enum dom_write how, int depth)
{
	buf_addc(b, '\n');
	for (int i = 0; i < depth; i++)
		buf_adds(b, how == DOM_NOTEBOOK ? " " : "  ");
}

static int by_key(const void *x, const void *y)
{
	const struct dom *const *a = x, *const *b = y;

	return str_cmp((*a)->key, (*b)->key);
}

static void write_node(struct buf *b, const struct dom *n, enum dom_write how, int depth);

static void write_child(struct buf *b, const struct dom *c, bool first, bool keyed, enum dom_write how, int depth)
{
	if (!first)
		buf_addc(b, ',');
	if (in_lines(how))
		line(b, how, depth);
	if (keyed) {
		json_write_str(b, c->key);
		buf_adds(b, in_lines(how) ? ": " : ":");
	}
	write_node(b, c, how, depth);
}

static void write_children(struct buf *b, const struct dom *n, enum dom_write how, int depth)
{
	bool keyed = n->type == DOM_MAP;
	struct dom **sorted;
	size_t k = 0;

	buf_addc(b, keyed ? '{' : '[');
	if (keyed && (how == DOM_CANONICAL || how == DOM_NOTEBOOK)) {
		sorted = xcalloc(n->n, sizeof(struct dom *));
		dom_each(c, n)
			sorted[k++] = c;
		qsort(sorted, n->n, sizeof(struct dom *), by_key);
		for (size_t i = 0; i < n->n; i++)
			write_child(b, sorted[i], i == 0, true, how, depth + 1);
		free(sorted);
	} else {
		dom_each(c, n)
			write_child(b, c, c == n->first, keyed, how, depth + 1);
	}
	if (in_lines(how) && n->n)
		line(b, how, depth);
	buf_addc(b, keyed ? '}' : ']');
}

static void write_node(struct buf *b, const struct dom *n, enum dom_write how, int depth)
{
	switch (n->type) {
	case DOM_NULL:
		buf_adds(b, "null");
		break;
	case DOM_BOOL:
		buf_adds(b, n->b ? "true" : "false");
		break;
	case DOM_INT:
		buf_addf(b, "%" PRId64, n->i);
		break;
	case DOM_REAL:
		write_real(b, n->d);
		break;
	case DOM_STR:
		json_write_str(b, n->s);
		break;
	default:
		write_children(b, n, how, depth);
	}
}

void dom_write_json(struct buf *b, const struct dom *n, enum dom_write how)
{
	write_node(b, n, how, 0);
}
