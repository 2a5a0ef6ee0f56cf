/*
 * JSON (RFC 8259) into the tree of dom.h. The text is copied once into the arena; strings are unescaped in place there.
 */
#include "base/dom_in.h"
#include "base/str.h"

struct json {
	struct arena *a, *scratch;
	char *p;              /* a NUL stands at end, so that one look ahead is always allowed */
	const char *end;
	const char *line_start;
	size_t wide;          /* bytes of this line that only continue a character */
	int line, depth;
	const char *file;
	struct err *e;
};

static int column(const struct json *j)
{
	return (int)((size_t)(j->p - j->line_start) - j->wide) + 1;
}

static int bad(struct json *j, const char *fmt, ...) printf_like(2, 3);
static int bad(struct json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(j->e, ERR_BAD_DATA, fmt, ap);
	va_end(ap);
	return err_at(j->e, j->file, j->line, column(j));
}

/* "this is no JSON: `x` where a value should stand" */
static int unexpected(struct json *j, const char *wanted)
{
	if (j->p == j->end)
		return bad(j, "the JSON ends where %s should stand", wanted);
	return bad(j, "\"%s\" stands where %s should stand", STR_SHOWN(((struct str){j->p, 1})), wanted);
}

static void skip_blanks(struct json *j)
{
	for (;; j->p++) {
		if (*j->p == '\n') {
			j->line++;
			j->line_start = j->p + 1;
			j->wide = 0;
		} else if (*j->p != ' ' && *j->p != '\t' && *j->p != '\r') {
			return;
		}
	}
}

/* Eight bytes at once: those that are no quote, backslash, control byte or part of a wide character. */
static char *skip_simple(char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t w, quote, slash;

	while (end - p >= 8) {
		memcpy(&w, p, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		if ((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & highs)
			break;
		p += 8;
	}
	while ((uint8_t)*p >= 0x20 && (uint8_t)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static bool hex4(const char *p, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i], l = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (l >= 'a' && l <= 'f')
			v = v << 4 | (uint32_t)(l - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/* \uXXXX at p, maybe two of them; a half pair becomes U+FFFD, as browsers do. */
static int escape_unicode(struct json *j, char **to)
{
	uint32_t c, low;

	if (!hex4(j->p + 2, &c))
		return bad(j, "four hex digits are missing after \\u");
	j->p += 6;
	if (c >= 0xd800 && c < 0xdc00 && j->p[0] == '\\' && j->p[1] == 'u' && hex4(j->p + 2, &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		j->p += 6;
	}
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	*to += str_utf8_put(c, *to);
	return 0;
}

static int escape(struct json *j, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (j->p[1] == 'u')
		return escape_unicode(j, to);
	at = j->p[1] ? strchr(from, j->p[1]) : NULL;
	if (!at)
		return bad(j, "\"\\%s\" is no escape of JSON", STR_SHOWN(((struct str){j->p + 1, j->p + 1 < j->end})));
	*(*to)++ = into[at - from];
	j->p += 2;
	return 0;
}

/* At the opening quote; leaves p behind the closing one, over which the NUL is written. */
static int string(struct json *j, struct str *out)
{
	char *start = ++j->p, *to = start, *next;
	uint32_t cp;
	size_t n;

	for (;;) {
		next = skip_simple(j->p, j->end);
		n = (size_t)(next - j->p);
		if (to != j->p)
			memmove(to, j->p, n);
		to += n;
		j->p = next;
		if (*next == '"')
			break;
		if (*next == '\\') {
			if (escape(j, &to))
				return -1;
			continue;
		}
		if ((uint8_t)*next < 0x20) {
			if (next == j->end)
				return bad(j, "the JSON ends inside a text: a closing \" is missing");
			return *next == '\n' || *next == '\r'
			               ? bad(j, "a text runs over the end of the line: a closing \" is missing")
			               : bad(j, "a control character stands in a text");
		}
		n = str_utf8_get((struct str){next, (size_t)(j->end - next)}, &cp);
		if (!n)
			return bad(j, "the bytes here are no UTF-8");
		memmove(to, next, n);
		to += n;
		j->p += n;
		j->wide += n - 1;
	}
	j->p++;
	*to = '\0';
	*out = (struct str){start, (size_t)(to - start)};
	return 0;
}

static char *digits(char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

static int number(struct json *j, struct dom *n)
{
	char *start = j->p, *p = start + (*start == '-'), *q;
	bool whole = true;

	q = digits(p);
	if (q == p)
		return unexpected(j, "a value");
	if (*p == '0' && q > p + 1)
		return bad(j, "a number of JSON has no leading zeros");
	if (*q == '.') {
		whole = false;
		p = q + 1;
		q = digits(p);
		if (q == p)
			return bad(j, "digits are missing after the decimal point");
	}
	if (*q == 'e' || *q == 'E') {
		whole = false;
		p = q + 1 + (q[1] == '-' || q[1] == '+');
		q = digits(p);
		if (q == p)
			return bad(j, "digits are missing in the exponent");
	}
	n->raw = (struct str){start, (size_t)(q - start)};
	if (whole && str_to_i64(n->raw, &n->i)) {
		n->type = DOM_INT;
	} else {
		if (!str_to_f64(n->raw, &n->d))
			return bad(j, "the number is too large");
		n->type = DOM_REAL;
	}
	j->p = q;
	return 0;
}

static int word(struct json *j, struct dom *n)
{
	static const struct {
		struct str word;
		enum dom_type type;
		bool b;
	} words[] = {{{"null", 4}, DOM_NULL, false}, {{"true", 4}, DOM_BOOL, true}, {{"false", 5}, DOM_BOOL, false}};
	struct str rest = {j->p, (size_t)(j->end - j->p)};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_has_prefix(rest, words[i].word)) {
			n->type = words[i].type;
			if (n->type == DOM_BOOL)
				n->b = words[i].b;
			n->raw = str_sub(rest, 0, words[i].word.n);
			j->p += words[i].word.n;
			return 0;
		}
	if (*j->p == '\'') {
		unexpected(j, "a value");
		return err_hint(j->e, "JSON quotes with \", never with '");
	}
	return unexpected(j, "a value");
}

static int value(struct json *j, struct dom *n);

static int member(struct json *j, struct dom *map, struct dom_seen *seen)
{
	struct dom *child = arena_new_of(j->a, struct dom), *old;

	skip_blanks(j);
	child->key_line = j->line;
	child->key_col = column(j);
	if (*j->p != '"')
		return unexpected(j, *j->p == '}' && map->n ? "another key after the comma" : "a key in quotes");
	if (string(j, &child->key))
		return -1;
	skip_blanks(j);
	if (*j->p != ':')
		return unexpected(j, "a \":\" after the key");
	j->p++;
	if (value(j, child))
		return -1;
	old = dom_add_unique(seen, j->scratch, map, child);
	if (!old)
		return 0;
	err_set(j->e, ERR_BAD_DATA, "the key \"%s\" is there already, in line %d column %d", STR_SHOWN(child->key),
	        old->key_line, old->key_col);
	return err_at(j->e, j->file, child->key_line, child->key_col);
}

static int list_item(struct json *j, struct dom *list)
{
	struct dom *child = arena_new_of(j->a, struct dom);

	skip_blanks(j);
	if (*j->p == ']' && list->n)
		return unexpected(j, "another value after the comma");
	if (value(j, child))
		return -1;
	dom_add(list, child);
	return 0;
}

static int container(struct json *j, struct dom *n)
{
	char close = *j->p == '{' ? '}' : ']';
	struct dom_seen seen = {0};

	if (++j->depth > DOM_MAX_DEPTH) {
		err_set(j->e, ERR_LIMIT, "the JSON is nested deeper than %d levels", DOM_MAX_DEPTH);
		return err_at(j->e, j->file, j->line, column(j));
	}
	n->type = close == '}' ? DOM_MAP : DOM_LIST;
	j->p++;
	skip_blanks(j);
	while (*j->p != close || n->n) {
		if (n->type == DOM_MAP ? member(j, n, &seen) : list_item(j, n))
			return -1;
		skip_blanks(j);
		if (*j->p == close)
			break;
		if (*j->p != ',')
			return unexpected(j, close == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
		j->p++;
	}
	j->p++;
	j->depth--;
	return 0;
}

static int value(struct json *j, struct dom *n)
{
	skip_blanks(j);
	n->line = j->line;
	n->col = column(j);
	switch (*j->p) {
	case '{':
	case '[':
		return container(j, n);
	case '"':
		n->type = DOM_STR;
		if (string(j, &n->s))
			return -1;
		n->raw = n->s;
		return 0;
	case '-':
	case '0' ... '9':
		return number(j, n);
	default:
		return word(j, n);
	}
}

int dom_json(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e)
{
	struct dom *n = arena_new_of(a, struct dom);
	struct json j = {.a = a, .file = file, .e = e, .line = 1};
	int rc;

	if (text.n > DOM_MAX_BYTES) {
		err_set(e, ERR_LIMIT, "the JSON is larger than %zu MiB", DOM_MAX_BYTES >> 20);
		return err_at(e, file, 0, 0);
	}
	if (str_has_prefix(text, STR("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.n);
	j.p = arena_cstr(a, text);
	j.line_start = j.p;
	j.end = j.p + text.n;
	j.scratch = arena_new();
	rc = value(&j, n);
	if (!rc) {
		skip_blanks(&j);
		if (j.p != j.end)
			rc = unexpected(&j, "the end of the JSON");
	}
	arena_free(j.scratch);
	if (!rc)
		*out = n;
	return rc;
}
