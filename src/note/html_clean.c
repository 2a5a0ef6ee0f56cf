/*
 * HTML from elsewhere, rebuilt from what is known to be harmless. What is not an element of the table is text without
 * its tags, or goes with all it holds; attributes are those of the table, their values looked at. What is left open is
 * closed, so that nothing reaches beyond its output.
 */
#include <ctype.h>

#include "base/str.h"
#include "note/html.h"

#define DEPTH_MAX 100
#define NAME_MAX_LEN 16

enum element_kind { ELEMENT_KEPT, ELEMENT_EMPTY, ELEMENT_DROPPED };

/* DROPPED: with its content. Elements that are not here lose their tags only. */
static const struct {
	const char *name;
	enum element_kind kind;
} elements[] = {
	{"table", ELEMENT_KEPT}, {"thead", ELEMENT_KEPT}, {"tbody", ELEMENT_KEPT},
	{"tfoot", ELEMENT_KEPT}, {"tr", ELEMENT_KEPT}, {"th", ELEMENT_KEPT},
	{"td", ELEMENT_KEPT}, {"caption", ELEMENT_KEPT}, {"div", ELEMENT_KEPT},
	{"span", ELEMENT_KEPT}, {"p", ELEMENT_KEPT}, {"b", ELEMENT_KEPT},
	{"i", ELEMENT_KEPT}, {"u", ELEMENT_KEPT}, {"s", ELEMENT_KEPT},
	{"em", ELEMENT_KEPT}, {"strong", ELEMENT_KEPT}, {"code", ELEMENT_KEPT},
	{"pre", ELEMENT_KEPT}, {"sub", ELEMENT_KEPT}, {"sup", ELEMENT_KEPT},
	{"ul", ELEMENT_KEPT}, {"ol", ELEMENT_KEPT}, {"li", ELEMENT_KEPT},
	{"dl", ELEMENT_KEPT}, {"dt", ELEMENT_KEPT}, {"dd", ELEMENT_KEPT},
	{"h1", ELEMENT_KEPT}, {"h2", ELEMENT_KEPT}, {"h3", ELEMENT_KEPT},
	{"h4", ELEMENT_KEPT}, {"h5", ELEMENT_KEPT}, {"h6", ELEMENT_KEPT},
	{"blockquote", ELEMENT_KEPT}, {"a", ELEMENT_KEPT}, {"small", ELEMENT_KEPT},
	{"details", ELEMENT_KEPT}, {"summary", ELEMENT_KEPT}, {"del", ELEMENT_KEPT},
	{"br", ELEMENT_EMPTY}, {"hr", ELEMENT_EMPTY}, {"img", ELEMENT_EMPTY},
	{"script", ELEMENT_DROPPED}, {"style", ELEMENT_DROPPED}, {"iframe", ELEMENT_DROPPED},
	{"object", ELEMENT_DROPPED}, {"template", ELEMENT_DROPPED}, {"title", ELEMENT_DROPPED},
	{"textarea", ELEMENT_DROPPED}, {"select", ELEMENT_DROPPED}, {"noscript", ELEMENT_DROPPED},
	{"svg", ELEMENT_DROPPED}, {"math", ELEMENT_DROPPED}, {"xmp", ELEMENT_DROPPED},
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool begins_with(struct str s, const char *prefix)
{
	return str_ieq(str_sub(s, 0, strlen(prefix)), str_of(prefix));
}

static bool digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && !(i + 1 == s.n && s.p[i] == '%'))
			return false;
	return s.n > 0 && s.n < 6;
}

/* A style that moves nothing out of its place and fetches nothing. */
static bool style_fits(struct str v)
{
	static const char *const wrong[] = {"position", "url",     "expression", "import",    "behavior", "content",
	                                    "transform", "margin", "z-index",    "animation", "filter"};

	for (size_t i = 0; i < v.n; i++) {
		char c = lower(v.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(" :;#%.,()-", c)) || !c)
			return false;
		for (size_t k = 0; k < ARRAY_LEN(wrong); k++)
			if (begins_with(str_sub(v, i, v.n), wrong[k]))
				return false;
	}
	return true;
}

/* A file beside the page. */
static bool is_beside(struct str v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!isalnum((unsigned char)v.p[i]) && !strchr("._-", v.p[i]))
			return false;
	return v.n > 0 && v.p[0] != '.';
}

static bool link_fits(struct str v)
{
	return is_beside(v) || begins_with(v, "https://") || begins_with(v, "http://") || begins_with(v, "mailto:") ||
	       begins_with(v, "#");
}

static bool image_fits(struct str v)
{
	return begins_with(v, "data:image/png;base64,") || begins_with(v, "data:image/jpeg;base64,") ||
	       begins_with(v, "data:image/gif;base64,") || begins_with(v, "data:image/webp;base64,") ||
	       begins_with(v, "data:image/svg+xml;base64,");
}

static bool text_fits(struct str v)
{
	return v.n < 1000;
}

static const struct {
	const char *element; /* NULL: any */
	const char *name;
	bool (*fits)(struct str v);
} attributes[] = {
	{NULL, "style", style_fits}, {NULL, "title", text_fits}, {NULL, "align", text_fits},
	{"td", "colspan", digits}, {"td", "rowspan", digits}, {"th", "colspan", digits},
	{"th", "rowspan", digits}, {"a", "href", link_fits}, {"img", "src", image_fits},
	{"img", "alt", text_fits}, {"img", "width", digits}, {"img", "height", digits},
	{"details", "open", text_fits},
};

struct cleaning {
	struct buf *out;
	struct str s;
	size_t at;
	const char *open[DEPTH_MAX];
	size_t n;
};

static void name_at(const struct cleaning *c, size_t *at, char name[NAME_MAX_LEN])
{
	size_t n = 0;

	while (*at < c->s.n && !is_blank(c->s.p[*at]) && c->s.p[*at] != '/' && c->s.p[*at] != '>' &&
	       c->s.p[*at] != '=') {
		if (n + 1 < NAME_MAX_LEN)
			name[n++] = lower(c->s.p[*at]);
		++*at;
	}
	name[n] = '\0';
}

static struct str value_at(const struct cleaning *c, size_t *at)
{
	size_t from;
	char quote = 0;

	while (*at < c->s.n && is_blank(c->s.p[*at]))
		++*at;
	if (*at < c->s.n && (c->s.p[*at] == '"' || c->s.p[*at] == '\''))
		quote = c->s.p[(*at)++];
	from = *at;
	while (*at < c->s.n && (quote ? c->s.p[*at] != quote : !is_blank(c->s.p[*at]) && c->s.p[*at] != '>'))
		++*at;
	struct str v = str_sub(c->s, from, *at - from);
	*at += quote && *at < c->s.n;
	return v;
}

/* A value with the references that html_text writes taken as what they stand for: others come out as text. */
static void write_value(struct buf *out, struct str v)
{
	static const struct {
		const char *reference, *text;
	} known[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}};

	while (v.n) {
		const char *amp = memchr(v.p, '&', v.n);
		size_t n = amp ? (size_t)(amp - v.p) : v.n, k = 0;

		html_text(out, str_sub(v, 0, n));
		v = str_sub(v, n, v.n);
		while (k < ARRAY_LEN(known) && !str_has_prefix(v, str_of(known[k].reference)))
			k++;
		if (!v.n)
			break;
		html_text(out, k < ARRAY_LEN(known) ? str_of(known[k].text) : str_sub(v, 0, 1));
		v = str_sub(v, k < ARRAY_LEN(known) ? strlen(known[k].reference) : 1, v.n);
	}
}

/* Of a tag, up to its '>'; written if it fits. */
static void clean_attributes(struct cleaning *c, const char *element, bool write)
{
	while (c->at < c->s.n && c->s.p[c->at] != '>') {
		char name[NAME_MAX_LEN];
		struct str v = STR("");

		if (is_blank(c->s.p[c->at]) || c->s.p[c->at] == '/' || c->s.p[c->at] == '=') {
			c->at++;
			continue;
		}
		name_at(c, &c->at, name);
		while (c->at < c->s.n && is_blank(c->s.p[c->at]))
			c->at++;
		if (c->at < c->s.n && c->s.p[c->at] == '=') {
			c->at++;
			v = value_at(c, &c->at);
		}
		for (size_t i = 0; write && i < ARRAY_LEN(attributes); i++) {
			const char *of = attributes[i].element;

			if (strcmp(attributes[i].name, name) || (of && strcmp(of, element)) || !attributes[i].fits(v))
				continue;
			buf_addf(c->out, " %s=\"", name);
			write_value(c->out, v);
			buf_addc(c->out, '"');
		}
	}
	c->at += c->at < c->s.n;
}

/* Past the end tag of what is dropped, or to the end. */
static void skip_content(struct cleaning *c, const char *element)
{
	for (; c->at < c->s.n; c->at++) {
		size_t at = c->at + 2;
		char name[NAME_MAX_LEN];

		if (c->s.p[c->at] != '<' || c->at + 1 >= c->s.n || c->s.p[c->at + 1] != '/')
			continue;
		name_at(c, &at, name);
		if (strcmp(name, element))
			continue;
		c->at = at;
		clean_attributes(c, element, false);
		return;
	}
}

static void close_to(struct cleaning *c, size_t n)
{
	while (c->n > n)
		buf_addf(c->out, "</%s>", c->open[--c->n]);
}

static void clean_end(struct cleaning *c)
{
	char name[NAME_MAX_LEN];

	c->at += 2;
	name_at(c, &c->at, name);
	clean_attributes(c, name, false);
	for (size_t i = c->n; i-- > 0;)
		if (!strcmp(c->open[i], name)) {
			close_to(c, i);
			return;
		}
}

static void clean_start(struct cleaning *c)
{
	char name[NAME_MAX_LEN];
	size_t i = 0;

	c->at++;
	name_at(c, &c->at, name);
	while (i < ARRAY_LEN(elements) && strcmp(elements[i].name, name))
		i++;
	if (i == ARRAY_LEN(elements) || elements[i].kind == ELEMENT_DROPPED || c->n == DEPTH_MAX) {
		clean_attributes(c, name, false);
		if (i < ARRAY_LEN(elements) && elements[i].kind == ELEMENT_DROPPED)
			skip_content(c, name);
		return;
	}
	buf_addf(c->out, "<%s", name);
	clean_attributes(c, name, true);
	buf_addc(c->out, '>');
	if (elements[i].kind == ELEMENT_KEPT)
		c->open[c->n++] = elements[i].name;
}

/* Character references stay as they are, since text is all that they can be. */
static void clean_text(struct cleaning *c)
{
	size_t from = c->at;

	while (c->at < c->s.n && c->s.p[c->at] != '<')
		c->at++;
	for (size_t i = from; i < c->at; i++)
		if (c->s.p[i] == '>')
			buf_adds(c->out, "&gt;");
		else if (c->s.p[i])
			buf_addc(c->out, c->s.p[i]);
}

void html_clean(struct buf *out, struct str s)
{
	struct cleaning c = {.out = out, .s = s};

	while (c.at < s.n) {
		char next = c.at + 1 < s.n ? lower(s.p[c.at + 1]) : '\0';

		if (s.p[c.at] != '<') {
			clean_text(&c);
		} else if (next >= 'a' && next <= 'z') {
			clean_start(&c);
		} else if (next == '/') {
			clean_end(&c);
		} else if (next == '!' || next == '?') { /* a comment ends where it says so; others at '>' */
			const char *end = begins_with(str_sub(s, c.at, s.n), "<!--")
			                          ? memmem(s.p + c.at + 4, s.n - c.at - MIN(s.n - c.at, 4), "-->", 3)
			                          : NULL;

			if (end)
				c.at = (size_t)(end - s.p) + 3;
			else
				clean_attributes(&c, "", false);
		} else {
			buf_adds(out, "&lt;");
			c.at++;
		}
	}
	close_to(&c, 0);
}
