#include "base/clean.h"

#include <stdio.h>

#include "base/str.h"

/* Length of the control character that s begins with (C0, DEL, C1), 0 if it is none or is to be kept. */
static size_t control(struct str s, const char *keep)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c < 0x20 || c == 0x7f)
		return c && strchr(keep, c) ? 0 : 1;
	return c == 0xC2 && s.n > 1 && (unsigned char)s.p[1] < 0xA0 ? 2 : 0;
}

struct str clean_text(struct arena *a, struct str s, const char *keep)
{
	size_t n = 0, bad = 0, len;
	char *p;

	for (size_t i = 0; i < s.n; i += len ? len : 1) {
		len = control(str_sub(s, i, 2), keep);
		bad += len != 0;
	}
	if (!bad)
		return s;
	p = arena_alloc(a, s.n + 3 * bad + 1);
	for (size_t i = 0; i < s.n; i += len ? len : 1) {
		const char *at = s.p[i] ? strchr("\nn\rr\tt", s.p[i]) : NULL;

		len = control(str_sub(s, i, 2), keep);
		if (!len)
			p[n++] = s.p[i];
		else if (at && len == 1)
			n += (size_t)snprintf(p + n, 3, "\\%c", at[1]);
		else /* of the two bytes of C1 the second is its number */
			n += (size_t)snprintf(p + n, 5, "\\x%02x", (unsigned char)s.p[i + len - 1]);
	}
	return (struct str){p, n};
}
