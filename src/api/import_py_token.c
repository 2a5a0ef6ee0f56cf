/* Tokens of Python (https://docs.python.org/3/reference/lexical_analysis.html), of any text: nothing is an error. */
#include <ctype.h>
#include <stdio.h>

#include "api/import_py.h"
#include "base/str.h"

struct lexer {
	struct arena *a;
	struct str src;
	size_t at;
	int line, depth; /* depth: open brackets */
	int indents[PY_MAX_DEPTH + 1];
	int n_indents;
	struct py_tokens *out;
};

static bool add(struct lexer *l, enum py_kind kind, size_t from, size_t to, int line)
{
	struct py_token t = {.kind = kind, .line = line, .from = from, .to = to, .s = str_sub(l->src, from, to - from)};

	if (l->out->n >= PY_MAX_TOKENS)
		return false;
	vec_push(l->a, l->out, t);
	return true;
}

static char at(const struct lexer *l, size_t i)
{
	return i < l->src.n ? l->src.p[i] : '\0';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The blanks that a line begins with: INDENT and DEDENT. Empty lines and comments have none. */
static bool line_begins(struct lexer *l)
{
	int width = 0;
	size_t i = l->at;

	for (; at(l, i) == ' ' || at(l, i) == '\t' || at(l, i) == '\f'; i++)
		width = at(l, i) == '\t' ? (width / 8 + 1) * 8 : at(l, i) == ' ' ? width + 1 : 0;
	l->at = i;
	if (!at(l, i) || strchr("\r\n#", at(l, i)))
		return true;
	if (width > l->indents[l->n_indents] && l->n_indents < PY_MAX_DEPTH) {
		l->indents[++l->n_indents] = width;
		return add(l, PY_INDENT, i, i, l->line);
	}
	while (l->n_indents && width < l->indents[l->n_indents]) {
		l->n_indents--;
		if (!add(l, PY_DEDENT, i, i, l->line))
			return false;
	}
	return true;
}

/* At a quote, the prefix lies in [from, l->at). */
static bool string(struct lexer *l, size_t from)
{
	char q = at(l, l->at);
	bool three = at(l, l->at + 1) == q && at(l, l->at + 2) == q;
	struct str prefix = str_sub(l->src, from, l->at - from);
	size_t begin = l->at + (three ? 3 : 1), i = begin;
	int line = l->line;
	struct py_token *t;

	for (; i < l->src.n; i++) {
		if (at(l, i) == '\n')
			l->line++;
		if (at(l, i) == '\\') {
			l->line += at(l, ++i) == '\n';
			continue;
		}
		if ((!three && at(l, i) == '\n') || (at(l, i) == q && (!three ||
		                                                       (at(l, i + 1) == q && at(l, i + 2) == q))))
			break;
	}
	i = MIN(i, l->src.n);
	if (!three && at(l, i) == '\n') /* not closed: it ends with its line */
		l->line--;
	l->at = i;
	for (int k = 0; k < (three ? 3 : 1) && at(l, l->at) == q; k++)
		l->at++;
	if (!add(l, PY_STRING, from, l->at, line))
		return false;
	t = &l->out->p[l->out->n - 1];
	t->s = str_sub(l->src, begin, i - begin);
	for (size_t k = 0; k < prefix.n; k++) {
		t->raw |= tolower((unsigned char)prefix.p[k]) == 'r';
		t->format |= tolower((unsigned char)prefix.p[k]) == 'f';
	}
	return true;
}

static bool word(struct lexer *l)
{
	size_t from = l->at;

	while (is_name(at(l, l->at)))
		l->at++;
	if (l->at - from <= 3 && (at(l, l->at) == '"' || at(l, l->at) == '\'')) {
		bool prefix = true;

		for (size_t i = from; i < l->at; i++)
			prefix &= strchr("rbfuRBFU", at(l, i)) != NULL;
		if (prefix)
			return string(l, from);
	}
	return add(l, PY_NAME, from, l->at, l->line);
}

static bool number(struct lexer *l)
{
	size_t from = l->at;

	while (is_name(at(l, l->at)) || at(l, l->at) == '.' ||
	       ((at(l, l->at) == '-' || at(l, l->at) == '+') && (at(l, l->at - 1) == 'e' || at(l, l->at - 1) == 'E')))
		l->at++;
	return add(l, PY_NUMBER, from, l->at, l->line);
}

static bool operator(struct lexer *l)
{
	static const char *const ops[] = {"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "->", ":=", "==",
	                                  "!=",  "<=",  ">=",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "@="};
	size_t n = 1;
	char c = at(l, l->at);

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_has_prefix(str_sub(l->src, l->at, 3), str_of(ops[i]))) {
			n = strlen(ops[i]);
			break;
		}
	if (strchr("([{", c))
		l->depth++;
	else if (strchr(")]}", c) && l->depth)
		l->depth--;
	l->at += n;
	return add(l, PY_OP, l->at - n, l->at, l->line);
}

static bool newline(struct lexer *l)
{
	bool ok = true;

	if (!l->depth && l->out->n && l->out->p[l->out->n - 1].kind != PY_NEWLINE &&
	    l->out->p[l->out->n - 1].kind != PY_INDENT && l->out->p[l->out->n - 1].kind != PY_DEDENT)
		ok = add(l, PY_NEWLINE, l->at, l->at, l->line);
	l->at++;
	l->line++;
	return ok && (l->depth || line_begins(l));
}

bool py_tokens(struct arena *a, struct str source, struct py_tokens *out)
{
	struct lexer l = {.a = a, .src = source, .line = 1, .out = out};
	bool ok = !memchr(source.p, 0, source.n) && line_begins(&l);

	while (ok && l.at < source.n) {
		char c = at(&l, l.at);

		if (c == '\n') {
			ok = newline(&l);
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			l.at++;
		} else if (c == '#') {
			while (l.at < source.n && at(&l, l.at) != '\n')
				l.at++;
		} else if (c == '\\' && (at(&l, l.at + 1) == '\n' || (at(&l, l.at + 1) == '\r' &&
		                                                      at(&l, l.at + 2) == '\n'))) {
			l.at += at(&l, l.at + 1) == '\n' ? 2 : 3;
			l.line++;
		} else if (c == '"' || c == '\'') {
			ok = string(&l, l.at);
		} else if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)at(&l, l.at + 1)))) {
			ok = number(&l);
		} else {
			ok = is_name(c) ? word(&l) : operator(&l);
		}
	}
	ok = ok && add(&l, PY_NEWLINE, source.n, source.n, l.line);
	while (ok && l.n_indents-- > 0)
		ok = add(&l, PY_DEDENT, source.n, source.n, l.line);
	return ok && add(&l, PY_END, source.n, source.n, l.line);
}

struct str py_unescape(struct arena *a, const struct py_token *t)
{
	static const char from[] = "ntr0abfv\\'\"", to[] = "\n\t\r\0\a\b\f\v\\'\"";
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	if (t->raw || !memchr(t->s.p, '\\', t->s.n))
		return arena_str(a, t->s);
	for (size_t i = 0; i < t->s.n; i++) {
		const char *known = t->s.p[i] == '\\' && i + 1 < t->s.n ? strchr(from, t->s.p[i + 1]) : NULL;
		unsigned x;
		char text[4];

		if (t->s.p[i] != '\\' || i + 1 == t->s.n) {
			buf_addc(&b, t->s.p[i]);
		} else if (t->s.p[i + 1] == '\n') {
			i++;
		} else if (known && *known) {
			buf_addc(&b, to[known - from]);
			i++;
		} else if ((t->s.p[i + 1] == 'x' || t->s.p[i + 1] == 'u') &&
		           i + (t->s.p[i + 1] == 'x' ? 3 : 5) < t->s.n &&
		           sscanf(arena_cstr(a, str_sub(t->s, i + 2, t->s.p[i + 1] == 'x' ? 2 : 4)), "%x",
		                  &x) == 1 && x) {
			buf_add(&b, text, str_utf8_put(x, text));
			i += t->s.p[i + 1] == 'x' ? 3 : 5;
		} else {
			buf_addc(&b, '\\');
		}
	}
	return arena_str(a, buf_str(&b));
}
