#include "base/url.h"

#include "base/buf.h"
#include "base/str.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t scheme_length(struct str s)
{
	size_t n = 0;

	if (!s.n || !is_alpha(s.p[0]))
		return 0;
	while (n < s.n && (is_alpha(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '+' || s.p[n] == '-' || s.p[n] == '.'))
		n++;
	return n < s.n && s.p[n] == ':' ? n : 0;
}

static size_t until(struct str s, const char *any)
{
	size_t n = 0;

	while (n < s.n && !(s.p[n] && strchr(any, s.p[n])))
		n++;
	return n;
}

bool url_split(struct str text, struct url *out)
{
	struct url u = {0};
	size_t n = scheme_length(text);
	struct str rest, head, tail;

	if (!n)
		return false;
	u.scheme = str_sub(text, 0, n);
	rest = str_sub(text, n + 1, text.n);
	rest.n = until(rest, "#");
	if (str_cut(rest, '?', &head, &tail)) {
		rest = head;
		u.query = tail;
	}
	if (str_has_prefix(rest, STR("//"))) {
		rest = str_sub(rest, 2, rest.n);
		u.host = str_sub(rest, 0, until(rest, "/"));
		rest = str_sub(rest, u.host.n, rest.n);
		if (str_rcut(u.host, '@', &head, &tail)) {
			u.user = head;
			u.host = tail;
		}
		/* [::1]:80 has colons of its own */
		if (str_rcut(u.host, ':', &head, &tail) && !memchr(tail.p, ']', tail.n)) {
			u.host = head;
			u.port = tail;
		}
	}
	u.path = rest;
	*out = u;
	return true;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c | 0x20) - 'a' + 10;
	return -1;
}

struct str url_decode(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int hi = s.p[i] == '%' && i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_value(s.p[i + 2]) : -1;

		if (lo >= 0) {
			out[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return (struct str){out, n};
}

/* Length of the user:password@ that `s`, what follows "://", begins with; 0 if none. */
static size_t secret_length(struct str s)
{
	struct str word = str_sub(s, 0, until(s, " \t\r\n\"'<>")), head, tail;
	struct str authority = str_sub(word, 0, until(word, "/?#"));

	if (str_rcut(authority, '@', &head, &tail))
		return head.n + 1;
	/* A password with a '/' or '?' that nobody encoded: what stands after the colon is no port. */
	if (str_rcut(authority, ':', &head, &tail) && !memchr(authority.p, '[', authority.n))
		for (size_t i = 0; i < tail.n; i++)
			if (!is_digit(tail.p[i]))
				return str_rcut(word, '@', &head, &tail) ? head.n + 1 : 0;
	return 0;
}

struct str url_redact(struct arena *a, struct str text)
{
	struct buf b cleanup(buf_free) = BUF_INIT(2 * text.n + 64);
	size_t from = 0;

	for (size_t i = 0; i + 3 <= text.n; i++) {
		size_t n;

		if (memcmp(text.p + i, "://", 3))
			continue;
		n = secret_length(str_sub(text, i + 3, text.n));
		if (!n)
			continue;
		buf_add(&b, text.p + from, i + 3 - from);
		buf_adds(&b, "***@");
		from = i + 3 + n;
		i = from - 1;
	}
	if (!from)
		return text;
	buf_add(&b, text.p + from, text.n - from);
	return arena_str(a, buf_str(&b));
}
