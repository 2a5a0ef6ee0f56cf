/*
 * YAML into the tree of dom.h, from the events of libyaml; the typing of plain scalars is ours (YAML 1.2 core, but a
 * number with leading zeros is text: it is an identifier, and its zeros count).
 */
#include <math.h>
#include <yaml.h>

#include "base/dom_in.h"
#include "base/str.h"

/* ---- typing ---- */

static bool one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_is(s, *words))
			return true;
	return false;
}

static bool based(struct str s, int64_t *out)
{
	int64_t v = 0;
	bool hex;

	if (s.n < 3 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'o'))
		return false;
	hex = s.p[1] == 'x';
	for (size_t i = 2; i < s.n; i++) {
		char c = s.p[i], l = (char)(c | 0x20);
		int d = c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : 99;

		if (d >= (hex ? 16 : 8) || __builtin_mul_overflow(v, hex ? 16 : 8, &v) ||
		        __builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

static bool special_real(struct str s, double *out)
{
	static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL},
	        *const infs[] = {".inf", ".Inf", ".INF", NULL};
	bool minus = s.n && s.p[0] == '-';

	if (one_of(s, nans)) {
		*out = NAN;
		return true;
	}
	if (s.n && (minus || s.p[0] == '+'))
		s = str_sub(s, 1, s.n);
	if (!one_of(s, infs))
		return false;
	*out = minus ? -INFINITY : INFINITY;
	return true;
}

static bool has_leading_zeros(struct str s)
{
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

	return s.n > i + 1 && s.p[i] == '0' && s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
}

void dom_type_plain(struct dom *n, struct str s)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL},
	        *const falses[] = {"false", "False", "FALSE", NULL};

	n->raw = s;
	n->plain = false;
	if (one_of(s, nulls)) {
		n->type = DOM_NULL;
	} else if (one_of(s, trues) || one_of(s, falses)) {
		n->type = DOM_BOOL;
		n->b = one_of(s, trues);
	} else if (based(s, &n->i) || (!has_leading_zeros(s) && str_to_i64(s, &n->i))) {
		n->type = DOM_INT;
	} else if (special_real(s, &n->d) || (!has_leading_zeros(s) && str_to_f64(s, &n->d))) {
		n->type = DOM_REAL;
	} else {
		n->type = DOM_STR;
		n->plain = true;
		n->s = s;
	}
}

/* ---- events ---- */

struct yaml {
	yaml_parser_t p;
	struct arena *a, *scratch;
	struct map anchors; /* of this document: name → finished node */
	size_t aliased;
	int depth;
	struct str text;
	const char *file;
	struct err *e;
};

static int bad(struct yaml *y, yaml_mark_t at, const char *fmt, ...) printf_like(3, 4);
static int bad(struct yaml *y, yaml_mark_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(y->e, ERR_BAD_CONFIG, fmt, ap);
	va_end(ap);
	return err_at(y->e, y->file, (int)at.line + 1, (int)at.column + 1);
}

static int too_deep(struct yaml *y, yaml_mark_t at)
{
	bad(y, at, "the YAML is nested deeper than %d levels", DOM_MAX_DEPTH);
	y->e->code = ERR_LIMIT;
	return -1;
}

/* libyaml's problems that users meet, in other words. */
static const struct {
	const char *problem, *sentence, *hint;
	bool at_start; /* the place to name is where the thing began, not where its end was missed */
} problems[] = {
	{"found character that cannot start any token", "this character cannot stand here",
	 "YAML is indented with blanks, never with tabs; text that begins with @, ` or % is put in quotes"},
	{"mapping values are not allowed in this context",
	 "a second \": \" in one line, or a line indented differently",
	 "put text that holds \": \" in quotes, and begin the keys of one map in the same column"},
	{"could not find expected ':'", "a \":\" after a key is missing",
	 "a key is written `key: value`, with a blank after the colon", true},
	{"did not find expected key", "this line does not continue what stands above it",
	 "begin the keys of one map in the same column; text that begins with a quote ends with it"},
	{"did not find expected '-' indicator", "this line does not continue the list above it",
	 "begin the items of one list in the same column, each with `- `"},
	{"did not find expected ',' or ']'", "a \",\" or \"]\" is missing", NULL},
	{"did not find expected ',' or '}'", "a \",\" or \"}\" is missing",
	 "text that begins with {{ is put in quotes"},
	{"found unexpected end of stream", "a closing quote is missing", NULL, true},
	{"did not find expected <document start>", "something stands after the end of the document", NULL},
	{"found a tab character that violates indentation", "a tab stands in the indentation",
	 "YAML is indented with blanks, never with tabs"},
};

static int parser_error(struct yaml *y)
{
	const yaml_parser_t *p = &y->p;
	const char *problem = p->problem ? p->problem : "it cannot be read";

	if (p->error == YAML_READER_ERROR) { /* these come without a mark */
		yaml_mark_t at = {0};

		for (size_t i = 0; i < p->problem_offset && i < y->text.n; i++) {
			at.line += y->text.p[i] == '\n';
			at.column = y->text.p[i] == '\n' ? 0 : at.column + ((y->text.p[i] & 0xc0) != 0x80);
		}
		if (!strncmp(problem, "control", 7))
			return bad(y, at, "a control character stands here");
		return bad(y, at, "the bytes here are no UTF-8");
	}
	if (p->error == YAML_MEMORY_ERROR)
		BUG("libyaml is out of memory");
	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (!strcmp(problem, problems[i].problem)) {
			bad(y, problems[i].at_start ? p->context_mark : p->problem_mark, "%s", problems[i].sentence);
			return problems[i].hint ? err_hint(y->e, "%s", problems[i].hint) : -1;
		}
	if (p->context)
		return bad(y, p->problem_mark, "%s: %s", p->context, problem);
	return bad(y, p->problem_mark, "%s", problem);
}

static int next(struct yaml *y, yaml_event_t *ev)
{
	return yaml_parser_parse(&y->p, ev) ? 0 : parser_error(y);
}

static struct str text_of(const yaml_char_t *p)
{
	return str_of((const char *)p);
}

#define CORE "tag:yaml.org,2002:"

/* The tag without its prefix; "" for none; ok false if it is none that we know. */
static struct str core_tag(const yaml_char_t *tag, bool *ok)
{
	static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq", NULL};
	struct str t = text_of(tag);

	*ok = true;
	if (!t.n || str_is(t, "!"))
		return t;
	if (str_has_prefix(t, STR(CORE)))
		t = str_sub(t, sizeof(CORE) - 1, t.n);
	else
		*ok = false;
	*ok = *ok && one_of(t, known);
	return t;
}

static int check_tag(struct yaml *y, const yaml_event_t *ev, const yaml_char_t *tag, const char *want)
{
	bool ok;
	struct str t = core_tag(tag, &ok);

	if (!ok || (want && t.n && !str_is(t, want) && !str_is(t, "!")))
		return bad(y, ev->start_mark, "the tag \"%s\" cannot stand here", STR_SHOWN(text_of(tag)));
	return 0;
}

static int scalar(struct yaml *y, const yaml_event_t *ev, struct dom *n)
{
	const char *p = (const char *)ev->data.scalar.value;
	struct str s = arena_str(y->a, (struct str){p, ev->data.scalar.length}), tag;
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, ok;
	static const char *const tag_of[] = {
		[DOM_NULL] = "null", [DOM_BOOL] = "bool", [DOM_INT] = "int", [DOM_REAL] = "float", [DOM_STR] = "str"};

	if (check_tag(y, ev, ev->data.scalar.tag, NULL))
		return -1;
	tag = core_tag(ev->data.scalar.tag, &ok);
	n->raw = s;
	if (str_is(tag, "str") || str_is(tag, "!") || (!tag.n && !plain)) {
		n->type = DOM_STR;
		n->s = s;
		return 0;
	}
	dom_type_plain(n, s);
	if (str_is(tag, "float") && n->type == DOM_INT) {
		n->type = DOM_REAL;
		n->d = (double)n->i;
	}
	if (tag.n && !str_is(tag, tag_of[n->type]))
		return bad(y, ev->start_mark, "\"%s\" is no !!%.*s", STR_SHOWN(s), STR_ARG(tag));
	return 0;
}

/* Copies what an alias stands for, so that the tree stays a tree; the budget stops a "billion laughs". */
static struct dom *expand(struct yaml *y, yaml_mark_t at, const struct dom *from, int depth)
{
	struct dom *n = arena_new_of(y->a, struct dom), *child;

	if (depth >= DOM_MAX_DEPTH && (from->type == DOM_LIST || from->type == DOM_MAP)) {
		too_deep(y, at);
		return NULL;
	}
	if (++y->aliased > DOM_MAX_ALIASED) {
		bad(y, at, "the aliases of this file stand for more than %d values", DOM_MAX_ALIASED);
		y->e->code = ERR_LIMIT;
		return NULL;
	}
	*n = *from;
	n->first = n->last = n->next = NULL;
	n->n = 0;
	dom_each(c, from) {
		child = expand(y, at, c, depth + 1);
		if (!child)
			return NULL;
		dom_add(n, child);
	}
	return n;
}

static int alias(struct yaml *y, const yaml_event_t *ev, struct dom **out)
{
	struct str name = text_of(ev->data.alias.anchor);
	const struct dom *from = map_get(&y->anchors, name);

	if (!from) {
		bad(y, ev->start_mark, "there is no anchor \"&%s\" above this alias", STR_SHOWN(name));
		return err_hint(y->e, "text that begins with * is put in quotes");
	}
	*out = expand(y, ev->start_mark, from, y->depth);
	if (!*out)
		return -1;
	(*out)->key = STR_NULL;
	return 0;
}

static int node(struct yaml *y, yaml_event_t *ev, struct dom **out);

static int check_key(struct yaml *y, const yaml_event_t *ev)
{
	const char *what;
	struct str key;

	if (ev->type != YAML_SCALAR_EVENT) {
		what = ev->type == YAML_ALIAS_EVENT           ? "an alias"
		       : ev->type == YAML_MAPPING_START_EVENT ? "a map"
		                                              : "a list";
		bad(y, ev->start_mark, "a key must be text, not %s", what);
		if (ev->type == YAML_MAPPING_START_EVENT)
			err_hint(y->e, "text that begins with {{ is put in quotes");
		return -1;
	}
	key = (struct str){(const char *)ev->data.scalar.value, ev->data.scalar.length};
	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return 0;
	if (!key.n)
		return bad(y, ev->start_mark, "a key is missing before the \":\"");
	if (str_is(key, "<<")) {
		bad(y, ev->start_mark, "merge keys (<<) are not part of YAML 1.2");
		return err_hint(y->e, "write the keys out; an alias (*name) as a value is fine");
	}
	return 0;
}

/* One key and its value. ev is the key's event; it is consumed. */
static int member(struct yaml *y, yaml_event_t *ev, struct dom *map, struct dom_seen *seen)
{
	struct dom *child, *old;
	struct str key;
	yaml_mark_t at = ev->start_mark;
	int rc = check_key(y, ev);

	if (!rc)
		key = arena_str(y->a, (struct str){(const char *)ev->data.scalar.value, ev->data.scalar.length});
	yaml_event_delete(ev);
	if (rc || next(y, ev) || node(y, ev, &child))
		return -1;
	child->key = key;
	child->key_line = (int)at.line + 1;
	child->key_col = (int)at.column + 1;
	old = dom_add_unique(seen, y->scratch, map, child);
	if (!old)
		return 0;
	return bad(y, at, "the key \"%s\" is there already, in line %d column %d", STR_SHOWN(key), old->key_line,
	        old->key_col);
}

static int children(struct yaml *y, struct dom *n)
{
	yaml_event_type_t end = n->type == DOM_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	struct dom_seen seen = {0};
	struct dom *child;
	yaml_event_t ev;

	for (;;) {
		if (next(y, &ev))
			return -1;
		if (ev.type == end)
			break;
		if (n->type == DOM_MAP) {
			if (member(y, &ev, n, &seen))
				return -1;
		} else {
			if (node(y, &ev, &child))
				return -1;
			dom_add(n, child);
		}
	}
	yaml_event_delete(&ev);
	return 0;
}

static int collection(struct yaml *y, yaml_event_t *ev, struct dom *n)
{
	bool map = ev->type == YAML_MAPPING_START_EVENT;
	yaml_mark_t at = ev->start_mark;

	n->type = map ? DOM_MAP : DOM_LIST;
	if (check_tag(y, ev, map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag, map ? "map" : "seq"))
		return -1;
	if (++y->depth > DOM_MAX_DEPTH)
		return too_deep(y, at);
	if (children(y, n))
		return -1;
	y->depth--;
	return 0;
}

static const yaml_char_t *anchor_of(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

/* The node that begins with ev, which is consumed. */
static int node(struct yaml *y, yaml_event_t *ev, struct dom **out)
{
	struct str anchor = text_of(anchor_of(ev));
	struct dom *n = NULL;
	int rc;

	if (anchor.n)
		anchor = arena_str(y->scratch, anchor);
	if (ev->type == YAML_ALIAS_EVENT) {
		rc = alias(y, ev, &n);
	} else {
		n = arena_new_of(y->a, struct dom);
		n->line = (int)ev->start_mark.line + 1;
		n->col = (int)ev->start_mark.column + 1;
		rc = ev->type == YAML_SCALAR_EVENT ? scalar(y, ev, n) : collection(y, ev, n);
	}
	yaml_event_delete(ev);
	if (rc)
		return -1;
	if (anchor.n)
		map_set(&y->anchors, anchor, n);
	*out = n;
	return 0;
}

/* ---- streams ---- */

static int document(struct yaml *y, struct dom *all)
{
	struct dom *n;
	yaml_event_t ev;

	map_init(&y->anchors, y->scratch);
	if (next(y, &ev) || node(y, &ev, &n))
		return -1;
	dom_add(all, n);
	if (next(y, &ev)) /* the end of the document */
		return -1;
	yaml_event_delete(&ev);
	return 0;
}

static int stream(struct yaml *y, struct dom *all, bool many)
{
	yaml_event_t ev;
	yaml_event_type_t type;
	yaml_mark_t at;

	do {
		if (next(y, &ev))
			return -1;
		type = ev.type;
		at = ev.start_mark;
		yaml_event_delete(&ev);
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (all->n && !many) {
			bad(y, at, "a second document begins here");
			return err_hint(y->e, "this file holds one document: take the \"---\" away");
		}
		if (document(y, all))
			return -1;
	} while (type != YAML_STREAM_END_EVENT);
	return 0;
}

static int parse(struct arena *a, struct str text, const char *file, bool many, struct dom **out, struct err *e)
{
	struct yaml y = {.a = a, .text = text, .file = file, .e = e};
	struct dom *all = dom_new(a, DOM_LIST);
	int rc;

	if (text.n > DOM_MAX_BYTES) {
		err_set(e, ERR_LIMIT, "the YAML is larger than %zu MiB", DOM_MAX_BYTES >> 20);
		return err_at(e, file, 0, 0);
	}
	if (str_has_prefix(text, STR("\xef\xbb\xbf")))
		y.text = text = str_sub(text, 3, text.n);
	if (!yaml_parser_initialize(&y.p))
		BUG("libyaml is out of memory");
	yaml_parser_set_encoding(&y.p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y.p, (const unsigned char *)(text.p ? text.p : ""), text.n);
	y.scratch = arena_new();
	rc = stream(&y, all, many);
	arena_free(y.scratch);
	yaml_parser_delete(&y.p);
	if (rc)
		return -1;
	if (many)
		*out = all;
	else if (all->first)
		*out = all->first;
	else
		*out = dom_new(a, DOM_NULL);
	return 0;
}

int dom_yaml(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e)
{
	return parse(a, text, file, false, out, e);
}

int dom_yaml_all(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e)
{
	return parse(a, text, file, true, out, e);
}
