/* Terminal output as HTML: the colours and weights that tracebacks and progress bars use (ECMA-48 SGR). */
#include "base/str.h"
#include "note/html.h"

struct look {
	int colour;    /* 0..15 of the palette; -1: the text's own */
	int ground;    /* of what is behind it */
	bool bold, faint, italic, underlined;
};

static const struct look plain = {.colour = -1, .ground = -1};

static bool look_eq(const struct look *a, const struct look *b)
{
	return a->colour == b->colour && a->ground == b->ground && a->bold == b->bold && a->faint == b->faint &&
	       a->italic == b->italic && a->underlined == b->underlined;
}

static void open_span(struct buf *out, const struct look *l)
{
	buf_adds(out, "<span class=\"");
	if (l->colour >= 0)
		buf_addf(out, "k%d ", l->colour);
	if (l->ground >= 0)
		buf_addf(out, "g%d ", l->ground);
	buf_addf(out, "%s%s%s%s\">", l->bold ? "bo " : "", l->faint ? "fa " : "", l->italic ? "it " : "",
	         l->underlined ? "un " : "");
}

/* 38;5;N and 38;2;R;G;B: the first sixteen are the palette's, of the others none is shown. Returns how many it took. */
static size_t wide_colour(const int *codes, size_t n, int *into)
{
	if (n > 1 && codes[1] == 5) {
		*into = n > 2 && codes[2] >= 0 && codes[2] < 16 ? codes[2] : -1;
		return 2;
	}
	*into = -1;
	return n > 1 && codes[1] == 2 ? 4 : 0;
}

static void apply(struct look *l, const int *codes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int c = codes[i];

		if (c == 0)
			*l = plain;
		else if (c == 1)
			l->bold = true;
		else if (c == 2)
			l->faint = true;
		else if (c == 3)
			l->italic = true;
		else if (c == 4)
			l->underlined = true;
		else if (c == 22)
			l->bold = l->faint = false;
		else if (c == 23)
			l->italic = false;
		else if (c == 24)
			l->underlined = false;
		else if (c >= 30 && c <= 37)
			l->colour = c - 30;
		else if (c >= 90 && c <= 97)
			l->colour = c - 82;
		else if (c >= 40 && c <= 47)
			l->ground = c - 40;
		else if (c >= 100 && c <= 107)
			l->ground = c - 92;
		else if (c == 38)
			i += wide_colour(codes + i, n - i, &l->colour);
		else if (c == 48)
			i += wide_colour(codes + i, n - i, &l->ground);
		else if (c == 39)
			l->colour = -1;
		else if (c == 49)
			l->ground = -1;
	}
}

/* An escape sequence at s (which begins with ESC): how long it is; SGR changes *l. */
static size_t sequence(struct str s, struct look *l)
{
	int codes[16] = {0};
	size_t i = 2, n = 0;

	if (s.n < 2)
		return s.n;
	if (s.p[1] == ']') { /* a title or link: to BEL or ESC \ */
		while (i < s.n && s.p[i] != '\a' && s.p[i] != '\x1b')
			i++;
		return MIN(s.n, i + (i < s.n && s.p[i] == '\x1b' ? 2 : 1));
	}
	if (s.p[1] != '[')
		return 2;
	for (; i < s.n && (s.p[i] < 0x40 || s.p[i] > 0x7e); i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			codes[n] = MIN(codes[n] * 10 + (s.p[i] - '0'), 1000);
		else if (s.p[i] == ';' && n + 1 < ARRAY_LEN(codes))
			n++;
	}
	if (i < s.n && s.p[i] == 'm')
		apply(l, codes, n + 1);
	return MIN(i + 1, s.n);
}

/* Where the text begins that a carriage return has not overwritten: of a line, without its end. */
static struct str overwritten(struct str line)
{
	for (size_t i = line.n; i-- > 0;)
		if (line.p[i] == '\r' && i + 1 < line.n)
			return str_sub(line, i + 1, line.n);
	return line;
}

void html_ansi(struct buf *out, struct str s)
{
	struct look now = plain, shown = plain;
	struct str rest = s;
	bool open = false;

	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t whole = end ? (size_t)(end - rest.p) + 1 : rest.n;
		struct str line = overwritten(str_sub(rest, 0, whole - (end != NULL)));

		for (size_t i = 0; i < line.n;) {
			if (line.p[i] == '\x1b') {
				i += sequence(str_sub(line, i, line.n), &now);
				continue;
			}
			if (!look_eq(&now, &shown)) {
				buf_adds(out, open ? "</span>" : "");
				open = !look_eq(&now, &plain);
				if (open)
					open_span(out, &now);
				shown = now;
			}
			size_t from = i;
			while (i < line.n && line.p[i] != '\x1b')
				i++;
			html_text(out, str_sub(line, from, i - from));
		}
		if (end)
			buf_addc(out, '\n');
		rest = str_sub(rest, whole, rest.n);
	}
	if (open)
		buf_adds(out, "</span>");
}
