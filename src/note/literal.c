#include "note/literal.h"

#include <inttypes.h>
#include <math.h>

#include "base/str.h"

enum text_form {
	TEXT_JSON,    /* "…" with backslashes */
	TEXT_DOLLAR,  /* the same; $ would begin a name */
	TEXT_HASH,    /* the same; # would begin an expression */
	TEXT_DOUBLED, /* '…' in which ' is doubled, and nothing else is special */
	TEXT_SINGLE,  /* the same, of another language: see below */
	TEXT_SHELL,   /* '…' in which ' is '\'' */
};

struct language {
	const char *names, *comment, *before, *between, *after, *none, *yes, *no;
	const char *list_open, *list_between, *list_close;
	const char *map_open, *map_to, *map_between, *map_close;
	enum text_form text;
};

static const struct language languages[] = {
#define L(...) {__VA_ARGS__},
#include "defs/languages.def"
#undef L
};

const struct language *language_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		struct str rest = str_of(languages[i].names), one;

		while (rest.n) {
			if (!str_cut(rest, '|', &one, &rest)) {
				one = rest;
				rest = STR_NULL;
			}
			if (str_ieq(one, name))
				return &languages[i];
		}
	}
	return NULL;
}

const char *language_comment(const struct language *l)
{
	return l->comment;
}

bool language_is_bool(const struct language *l, struct str word)
{
	return str_is(word, l->yes) || str_is(word, l->no);
}

static void add_json(struct buf *out, struct str s, char also)
{
	struct buf text cleanup(buf_free) = BUF_INIT(out->max);

	if (!also) {
		json_write_str(out, s);
		return;
	}
	json_write_str(&text, s);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == also)
			buf_addc(out, '\\');
		buf_addc(out, text.p[i]);
	}
	out->over |= buf_over(&text);
}

static void add_quoted(struct buf *out, struct str s, const char *quote)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			buf_adds(out, quote);
		else
			buf_addc(out, s.p[i]);
	buf_addc(out, '\'');
}

static void add_text(struct buf *out, const struct language *l, struct str s)
{
	static const char also[] = {[TEXT_JSON] = '\0', [TEXT_DOLLAR] = '$', [TEXT_HASH] = '#'};

	if (l->text == TEXT_SHELL)
		add_quoted(out, s, "'\\''");
	else if (l->text == TEXT_DOUBLED || l->text == TEXT_SINGLE)
		add_quoted(out, s, "''");
	else
		add_json(out, s, also[l->text]);
}

/* A float stays one, though it be whole. */
static void add_real(struct buf *out, const struct language *l, const struct dom *v)
{
	size_t from = out->n;

	if (!isfinite(v->d)) {
		bool python = !strcmp(l->none, "None") && l->text == TEXT_JSON && !*l->before;

		buf_addf(out, python ? "float(\"%s\")" : "%s", isnan(v->d) ? "nan" : v->d < 0 ? "-inf" : "inf");
		return;
	}
	dom_write_json(out, v, DOM_COMPACT);
	if (!memchr(out->p + from, '.', out->n - from) && !memchr(out->p + from, 'e', out->n - from))
		buf_adds(out, ".0");
}

static int add_many(struct buf *out, const struct language *l, const struct dom *v, struct err *e)
{
	bool map = v->type == DOM_MAP;

	if (!(map ? l->map_open : l->list_open)) {
		struct str name = {l->names, strcspn(l->names, "|")};

		return err_set(e, ERR_BAD_REQUEST,
		               "a %s cannot be written in %.*s: give its parts as values of their own",
		               map ? "map" : "list", STR_ARG(name));
	}
	buf_adds(out, map ? l->map_open : l->list_open);
	dom_each(child, v) {
		if (child != v->first)
			buf_adds(out, map ? l->map_between : l->list_between);
		if (map) {
			add_text(out, l, child->key);
			buf_adds(out, l->map_to);
		}
		/* Octave's struct() would make several of a cell array: one in another makes one. */
		if (map && l->text == TEXT_DOUBLED)
			buf_addc(out, '{');
		if (literal_write(out, l, child, e))
			return -1;
		if (map && l->text == TEXT_DOUBLED)
			buf_addc(out, '}');
	}
	buf_adds(out, map ? l->map_close : l->list_close);
	return 0;
}

int literal_write(struct buf *out, const struct language *l, const struct dom *v, struct err *e)
{
	switch (v->type) {
	case DOM_NULL:
		buf_adds(out, l->none);
		return 0;
	case DOM_BOOL:
		buf_adds(out, v->b ? l->yes : l->no);
		return 0;
	case DOM_INT:
		buf_addf(out, "%" PRId64, v->i);
		return 0;
	case DOM_REAL:
		add_real(out, l, v);
		return 0;
	case DOM_STR:
		add_text(out, l, v->s);
		return 0;
	case DOM_LIST:
	case DOM_MAP:
		return add_many(out, l, v, e);
	}
	return 0;
}

int literal_assign(struct buf *out, const struct language *l, struct str name, const struct dom *v, struct err *e)
{
	buf_adds(out, l->before);
	buf_addstr(out, name);
	buf_adds(out, l->between);
	if (literal_write(out, l, v, e))
		return err_wrap(e, "the parameter %.*s", STR_ARG(name));
	buf_adds(out, l->after);
	return 0;
}
