#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>

struct str str_of(const char *cstr)
{
	return cstr ? (struct str){cstr, strlen(cstr)} : STR_NULL;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

bool str_is(struct str a, const char *cstr)
{
	size_t i = 0;

	/* Mostly asked of a table's words, one after another: the first byte tells, and no length is needed. */
	while (i < a.n && cstr && cstr[i] && cstr[i] == a.p[i])
		i++;
	return i == a.n && (!cstr || !cstr[i]);
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c < 0 ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_has_prefix(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (!prefix.n || !memcmp(s.p, prefix.p, prefix.n));
}

bool str_has_suffix(struct str s, struct str suffix)
{
	return s.n >= suffix.n && (!suffix.n || !memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	return (struct str){s.p ? s.p + from : NULL, MIN(n, s.n - from)};
}

static void split(struct str s, size_t at, struct str *head, struct str *tail)
{
	*head = str_sub(s, 0, at);
	*tail = str_sub(s, at + 1, s.n);
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
	const char *p = s.n ? memchr(s.p, sep, s.n) : NULL;

	if (p)
		split(s, (size_t)(p - s.p), head, tail);
	return p != NULL;
}

bool str_rcut(struct str s, char sep, struct str *head, struct str *tail)
{
	const char *p = s.n ? memrchr(s.p, sep, s.n) : NULL;

	if (p)
		split(s, (size_t)(p - s.p), head, tail);
	return p != NULL;
}

bool str_next_line(struct str *rest, struct str *line)
{
	if (!rest->n)
		return false;
	if (!str_cut(*rest, '\n', line, rest)) {
		*line = *rest;
		*rest = str_sub(*rest, rest->n, 0);
	}
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	size_t i = minus || (s.n && s.p[0] == '+');
	int64_t v = 0; /* gathered below zero, where there is room for the least number too */

	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
			return false;
	}
	if (!minus && v == INT64_MIN)
		return false;
	*out = minus ? v : -v;
	return true;
}

/* The general case of str_to_f64: strtod wants a NUL, and says what is out of range. */
static bool f64_by_libc(struct str s, double *out)
{
	char small[128], *p = s.n < sizeof(small) ? small : xmalloc(s.n + 1);
	double v;
	bool over;

	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	v = strtod(p, NULL);
	over = __builtin_isinf(v);
	if (p != small)
		free(p);
	if (!over)
		*out = v;
	return !over;
}

#if LDBL_MANT_DIG >= 64
#define TENS_EXACT 27 /* 10^27 is 5^27 < 2^63, times a power of two */

/*
 * v * 10^scale, whose factors are exact in a long double: its one rounding is off by half of its last place. Where both
 * neighbours round to the same double, so does what lies between them; false: they do not.
 */
static bool f64_by_wider(uint64_t v, int scale, double *out)
{
	static const long double tens[TENS_EXACT + 1] = {
		1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
		1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
	long double x;

	if (scale < -TENS_EXACT || scale > TENS_EXACT)
		return false;
	x = scale < 0 ? (long double)v / tens[-scale] : (long double)v * tens[scale];
	*out = (double)x;
	return (double)(x * (1 - LDBL_EPSILON)) == (double)(x * (1 + LDBL_EPSILON));
}
#else
static bool f64_by_wider(uint64_t v, int scale, double *out)
{
	return false;
}
#endif

/* v * 10^scale where that can be told without libc. */
static bool f64_fast(uint64_t v, int scale, double *out)
{
	static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

	/* Both factors are exact in a double, so the one rounding is the right one (Clinger 1990). */
	if (v <= UINT64_C(1) << 53 && scale >= -22 && scale <= 22) {
		*out = scale < 0 ? (double)v / tens[-scale] : (double)v * tens[scale];
		return true;
	}
	return f64_by_wider(v, scale, out);
}

bool str_to_f64(struct str s, double *out)
{
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), digits = 0;
	uint64_t v = 0;
	int scale = 0, exp = 0;
	bool exact = true;
	double d;

	for (bool point = false; i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			break;
		digits++;
		if (v > (UINT64_MAX - 9) / 10)
			exact = false;
		else
			v = v * 10 + (uint64_t)(s.p[i] - '0');
		scale -= point && scale > -1000;
	}
	if (!digits)
		return false;
	if (i < s.n && (s.p[i] | 0x20) == 'e') {
		bool minus = i + 1 < s.n && s.p[i + 1] == '-';

		i += 1 + (i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+'));
		if (i == s.n)
			return false;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			exp = exp < 10000 ? exp * 10 + (s.p[i] - '0') : exp;
		scale += minus ? -exp : exp;
	}
	if (i != s.n)
		return false;
	if (!exact || !f64_fast(v, scale, &d))
		return f64_by_libc(s, out);
	*out = s.p[0] == '-' ? -d : d;
	return true;
}

/* ---- UTF-8 ---- */

size_t str_utf8_get(struct str s, uint32_t *cp)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t n;
	uint32_t c, least;

	if (!s.n)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.n < n)
		return 0;
	c = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

size_t str_utf8_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool str_is_utf8(struct str s)
{
	uint32_t cp;

	for (size_t i = 0, n; i < s.n; i += n) {
		n = str_utf8_get(str_sub(s, i, 4), &cp);
		if (!n)
			return false;
	}
	return true;
}

/* By the East Asian Width and general category of Unicode 15, drawn together to whole blocks. */
static const struct {
	uint32_t from, to;
	int columns;
} widths[] = {
	{0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x0610, 0x061a, 0},   {0x064b, 0x065f, 0},
	{0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},   {0x202a, 0x202e, 0},
	{0x2060, 0x2064, 0},   {0x20d0, 0x20f0, 0},   {0x231a, 0x231b, 2},   {0x23e9, 0x23ec, 2},   {0x2e80, 0x303e, 2},
	{0x3041, 0x3247, 2},   {0x3250, 0x4dbf, 2},   {0x4e00, 0xa4cf, 2},   {0xa960, 0xa97f, 2},   {0xac00, 0xd7a3, 2},
	{0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xfeff, 0xfeff, 0},
	{0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2},
	{0x1f900, 0x1f9ff, 2},
	{0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
};

static size_t columns_of(uint32_t cp)
{
	if (cp < widths[0].from)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(widths) && widths[i].from <= cp; i++)
		if (cp <= widths[i].to)
			return (size_t)widths[i].columns;
	return 1;
}

size_t str_columns(struct str s)
{
	size_t columns = 0;
	uint32_t cp;

	for (size_t i = 0, n; i < s.n; i += n) {
		n = str_utf8_get(str_sub(s, i, 4), &cp);
		columns += n ? columns_of(cp) : 1;
		n = n ? n : 1;
	}
	return columns;
}

const char *str_show(struct str s, char *out, size_t cap)
{
	size_t at = 0, i = 0, n;
	uint32_t cp;

	BUG_IF(cap < 8);
	while (i < s.n) {
		n = str_utf8_get(str_sub(s, i, 4), &cp);
		if (at + MAX(n, (size_t)1) + 4 > cap)
			break;
		if (!n || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			out[at++] = '?';
			i += n ? n : 1;
			continue;
		}
		memcpy(out + at, s.p + i, n);
		at += n;
		i += n;
	}
	memcpy(out + at, i < s.n ? "..." : "", i < s.n ? 4 : 1);
	return out;
}

/* ---- nearness ---- */

#define DISTANCE_MAX 128 /* longer words are compared by their beginnings: nobody mistypes those */

size_t str_distance(struct str a, struct str b)
{
	size_t rows[3][DISTANCE_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];

	a.n = MIN(a.n, (size_t)DISTANCE_MAX);
	b.n = MIN(b.n, (size_t)DISTANCE_MAX);
	for (size_t j = 0; j <= b.n; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *spare;

		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t d = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);

			d = MIN(d, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				d = MIN(d, before[j - 2] + 1);
			now[j] = d;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.n];
}

int str_nearest(struct str word, const struct str *candidates, size_t n)
{
	size_t best = 1 + word.n / 4;
	int found = -1;

	for (size_t i = 0; i < n; i++) {
		size_t longer = MAX(word.n, candidates[i].n), d;

		if (longer - MIN(word.n, candidates[i].n) > best)
			continue;
		d = str_distance(word, candidates[i]);
		if (d < longer && d <= best && (found < 0 || d < best)) { /* nothing in common is not near */
			best = d;
			found = (int)i;
		}
	}
	return found;
}

bool str_ieq(struct str a, struct str b)
{
	for (size_t i = 0; i < a.n && a.n == b.n; i++)
		if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
			return false;
	return a.n == b.n;
}
