/* Python as HTML: comments, strings, numbers and words of the language marked; what cannot be told stays as it is. */
#include "base/str.h"
#include "note/html.h"

/* docs.python.org, The Python Language Reference, 2.3.1 and 2.3.2 (3.12), without what only some statements know. */
static const char *const words[] = {
	"False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
	"def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
	"is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
	"yield",
};

static bool begins_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool in_word(char c)
{
	return begins_word(c) || (c >= '0' && c <= '9');
}

static void mark(struct buf *out, const char *as, struct str s)
{
	buf_addf(out, "<span class=%s>", as);
	html_text(out, s);
	buf_adds(out, "</span>");
}

/* How long the string is that begins at s with a quote. One of a single line ends there at the latest. */
static size_t string_span(struct str s)
{
	bool three = s.n > 2 && s.p[1] == s.p[0] && s.p[2] == s.p[0];
	size_t i = three ? 3 : 1;

	for (; i < s.n; i++) {
		if (s.p[i] == '\\') {
			i++;
			continue;
		}
		if (!three && s.p[i] == '\n')
			return i;
		if (s.p[i] != s.p[0])
			continue;
		if (!three)
			return i + 1;
		if (i + 2 < s.n && s.p[i + 1] == s.p[0] && s.p[i + 2] == s.p[0])
			return i + 3;
	}
	return s.n;
}

static bool is_keyword(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(s, words[i]))
			return true;
	return false;
}

/* A word, with the quote behind it if it is the prefix of a string (r"", f""). */
static size_t write_word(struct buf *out, struct str s)
{
	size_t n = 1;
	struct str word;

	while (n < s.n && in_word(s.p[n]))
		n++;
	word = str_sub(s, 0, n);
	if (n <= 2 && n < s.n && (s.p[n] == '"' || s.p[n] == '\'')) {
		n += string_span(str_sub(s, n, s.n));
		mark(out, "s", str_sub(s, 0, n));
	} else if (is_keyword(word))
		mark(out, "w", word);
	else
		html_text(out, word);
	return n;
}

void html_python(struct buf *out, struct str s)
{
	while (s.n) {
		size_t n = 1;

		if (s.p[0] == '#') {
			const char *end = memchr(s.p, '\n', s.n);

			n = end ? (size_t)(end - s.p) : s.n;
			mark(out, "c", str_sub(s, 0, n));
		} else if (s.p[0] == '"' || s.p[0] == '\'') {
			n = string_span(s);
			mark(out, "s", str_sub(s, 0, n));
		} else if (begins_word(s.p[0])) {
			n = write_word(out, s);
		} else if (s.p[0] >= '0' && s.p[0] <= '9') {
			while (n < s.n && (in_word(s.p[n]) || s.p[n] == '.'))
				n++;
			mark(out, "n", str_sub(s, 0, n));
		} else {
			while (n < s.n && !in_word(s.p[n]) && !strchr("#\"'", s.p[n]))
				n++;
			html_text(out, str_sub(s, 0, n));
		}
		s = str_sub(s, n, s.n);
	}
}
