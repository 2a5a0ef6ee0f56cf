#include "base/str.h"
#include "base/textdiff.h"
#include "fuzz.h"

/* What `patch` would make of the hunks over `old`: the test that they are right. False: they do not fit. */
static bool patched(struct str old, struct str hunks, struct buf *out)
{
	struct str line;
	size_t at = 0; /* of old, in bytes */

	while (hunks.n) {
		const char *nl = memchr(hunks.p, '\n', hunks.n);
		char sign = hunks.p[0];

		line = str_sub(hunks, 1, nl ? (size_t)(nl - hunks.p) : hunks.n); /* with its LF */
		hunks = str_sub(hunks, line.n + 1, SIZE_MAX);
		if (hunks.n && hunks.p[0] == '\\') { /* the line before has no LF */
			line.n--;
			nl = memchr(hunks.p, '\n', hunks.n);
			hunks = str_sub(hunks, (size_t)(nl - hunks.p) + 1, SIZE_MAX);
		}
		if (sign == '@') { /* "@@ -FROM,N …": what lies before it stays */
			size_t from = 0, lines = 0, i = 3;
			bool none = false;

			for (; line.p[i] >= '0' && line.p[i] <= '9'; i++)
				from = from * 10 + (size_t)(line.p[i] - '0');
			none = line.p[i] == ',' && line.p[i + 1] == '0';
			for (size_t k = 0; k < at; k++)
				lines += old.p[k] == '\n';
			for (from -= !none; lines < from; lines++) {
				const char *end = memchr(old.p + at, '\n', old.n - at);

				if (!end)
					return false;
				buf_add(out, old.p + at, (size_t)(end + 1 - old.p) - at);
				at = (size_t)(end + 1 - old.p);
			}
			continue;
		}
		if (sign != '+') {
			if (!str_has_prefix(str_sub(old, at, SIZE_MAX), line))
				return false;
			at += line.n;
		}
		if (sign != '-')
			buf_addstr(out, line);
	}
	buf_addstr(out, str_sub(old, at, SIZE_MAX));
	return true;
}

/* Two texts, parted by the first byte 1. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *cut = n ? memchr(data, 1, n) : NULL;
	struct str old = {(const char *)data, cut ? (size_t)(cut - data) : n};
	struct str new = cut ? (struct str){(const char *)cut + 1, n - old.n - 1} : STR("");
	struct buf hunks = BUF_INIT(1 << 24), made = BUF_INIT(1 << 24);

	textdiff_write(&hunks, old, new);
	FUZZ_HOLDS(patched(old, buf_str(&hunks), &made) && str_eq(buf_str(&made), new));
	FUZZ_HOLDS(str_eq(old, new) == !hunks.n);
	buf_free(&hunks);
	buf_free(&made);
	return 0;
}
