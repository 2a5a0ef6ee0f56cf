/* A document as YAML that people read. What a plain scalar would mean otherwise is written quoted, as in JSON. */
#include "base/str.h"
#include "job/spec.h"

#define SHORT 70 /* columns of a list that stays in one line */

static bool is_scalar(const struct dom *v)
{
	return v->type != DOM_MAP && v->type != DOM_LIST;
}

/* A word that is that word in YAML too. */
static bool is_plain(struct arena *a, struct str s)
{
	static const char marks[] = "/_-.+=";
	struct dom *typed;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (!strchr(marks, c) || (!i && c != '/' && c != '_')))
			return false;
	}
	typed = dom_new_plain(a, s);
	return s.n && typed->type == DOM_STR;
}

/* As JSON, and what YAML takes for a line end or for no character of a text (YAML 1.2, 5.1) by its number too. */
static void quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		uint32_t c = 0xfffd;

		n = MAX(str_utf8_get(str_sub(s, i, 4), &c), (size_t)1);
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", (char)c);
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c >= 0xfffe)
			buf_addf(b, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
		else if (c == 0xfffd)
			buf_adds(b, "\xef\xbf\xbd");
		else
			buf_addstr(b, str_sub(s, i, n));
	}
	buf_addc(b, '"');
}

static void scalar(struct buf *b, struct arena *a, const struct dom *v)
{
	if (v->type == DOM_STR && is_plain(a, v->s))
		buf_addstr(b, v->s);
	else if (v->type == DOM_STR)
		quoted(b, v->s);
	else if (v->raw.n)
		buf_addstr(b, v->raw); /* a number as it was written: 1.50, .inf */
	else
		dom_write_json(b, v, DOM_COMPACT);
}

static void key(struct buf *b, struct arena *a, struct str k)
{
	if (is_plain(a, k))
		buf_addstr(b, k);
	else
		quoted(b, k);
	buf_addc(b, ':');
}

static bool flow(struct buf *b, struct arena *a, const struct dom *v)
{
	size_t from = b->n, i = 0;

	dom_each (item, v)
		if (!is_scalar(item))
			return false;
	buf_addc(b, '[');
	dom_each (item, v) {
		if (i++)
			buf_adds(b, ", ");
		scalar(b, a, item);
	}
	buf_addc(b, ']');
	if (b->n - from <= SHORT)
		return true;
	b->n = from;
	b->p[from] = '\0';
	return false;
}

static void indent(struct buf *b, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_adds(b, "  ");
}

/* The lines of a map or list; the first one without its indentation if `begun`. */
static void block(struct buf *b, struct arena *a, const struct dom *v, int depth, bool begun)
{
	dom_each (c, v) {
		if (!begun)
			indent(b, depth);
		begun = false;
		if (v->type == DOM_MAP)
			key(b, a, c->key);
		else
			buf_addc(b, '-');
		if (is_scalar(c) || !c->n) {
			buf_addc(b, ' ');
			if (is_scalar(c))
				scalar(b, a, c);
			else
				buf_adds(b, c->type == DOM_MAP ? "{}" : "[]");
			buf_addc(b, '\n');
			continue;
		}
		buf_addc(b, ' ');
		if (c->type == DOM_LIST && flow(b, a, c)) {
			buf_addc(b, '\n');
			continue;
		}
		if (v->type == DOM_LIST) {
			block(b, a, c, depth + 1, true);
			continue;
		}
		b->p[b->n - 1] = '\n';
		block(b, a, c, depth + 1, false);
	}
}

void spec_write_yaml(struct buf *b, const struct dom *doc)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();

	block(b, a, doc, 0, false);
}
