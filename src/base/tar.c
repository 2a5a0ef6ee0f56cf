#include "base/tar.h"

#include <stdio.h>

#include "base/str.h"

#define OCTAL_MAX INT64_C(077777777777) /* what 11 digits hold */

struct head {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2];
	char uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct head) == TAR_BLOCK, "a block");

static void octal(char *to, size_t cap, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)cap - 1, (unsigned long long)v);
	memcpy(to, text, cap);
}

static void block(struct buf *b, struct str name, struct str prefix, char type, int64_t size, int64_t mtime)
{
	struct head h = {.type = type, .magic = "ustar", .version = {'0', '0'}, .uname = "root", .gname = "root"};
	unsigned sum = 0;

	memcpy(h.name, name.p, MIN(name.n, sizeof(h.name)));
	if (prefix.n)
		memcpy(h.prefix, prefix.p, MIN(prefix.n, sizeof(h.prefix)));
	octal(h.mode, sizeof(h.mode), type == '5' ? 0755 : 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), size);
	octal(h.mtime, sizeof(h.mtime), mtime);
	octal(h.dev_major, sizeof(h.dev_major), 0);
	octal(h.dev_minor, sizeof(h.dev_minor), 0);
	memset(h.sum, ' ', sizeof(h.sum)); /* counts as blanks in itself */
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const uint8_t *)&h)[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	h.sum[7] = ' ';
	buf_add(b, &h, sizeof(h));
}

/* Whether the path fits, whole or cut at a '/'; if so into *name and *prefix. */
static bool fits(struct str path, struct str *name, struct str *prefix)
{
	*name = path;
	*prefix = STR("");
	if (path.n <= sizeof(((struct head *)0)->name))
		return true;
	for (size_t i = MIN(path.n - 1, sizeof(((struct head *)0)->prefix) + 1); i-- > 1;) {
		if (path.p[i] != '/' || i + 1 == path.n)
			continue;
		*prefix = str_sub(path, 0, i);
		*name = str_sub(path, i + 1, SIZE_MAX);
		return prefix->n <= sizeof(((struct head *)0)->prefix) &&
		       name->n <= sizeof(((struct head *)0)->name);
	}
	return false;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void pax(struct buf *b, const char *key, struct str value)
{
	size_t n = 1 + strlen(key) + 1 + value.n + 1, digits = 1;

	for (size_t limit = 10; n + digits >= limit; limit *= 10)
		digits++;
	buf_addf(b, "%zu %s=", n + digits, key);
	buf_addstr(b, value);
	buf_addc(b, '\n');
}

void tar_head(struct buf *b, struct str path, int64_t size, int64_t mtime)
{
	struct buf more = BUF_INIT(1 << 14);
	struct str name, prefix;
	bool folder = path.n && path.p[path.n - 1] == '/', ascii = true;
	char text[32];
	size_t pad;

	mtime = MAX(MIN(mtime, OCTAL_MAX), 0);
	for (size_t i = 0; i < path.n; i++)
		ascii = ascii && (uint8_t)path.p[i] < 0x80;
	if (!fits(path, &name, &prefix) || !ascii)
		pax(&more, "path", path);
	if (size > OCTAL_MAX) {
		snprintf(text, sizeof(text), "%lld", (long long)size);
		pax(&more, "size", str_of(text));
	}
	if (more.n) {
		block(b, STR("pax-header"), STR(""), 'x', (int64_t)more.n, mtime);
		buf_addstr(b, buf_str(&more));
		for (pad = tar_padding((int64_t)more.n); pad; pad--)
			buf_addc(b, '\0');
		if (!fits(path, &name, &prefix)) {
			name = str_sub(path, path.n - MIN(path.n, sizeof(((struct head *)0)->name)), SIZE_MAX);
			prefix = STR("");
		}
	}
	buf_free(&more);
	block(b, name, prefix, folder ? '5' : '0', MIN(size, OCTAL_MAX), mtime);
}

size_t tar_padding(int64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

void tar_end(struct buf *b)
{
	for (size_t i = 0; i < 2 * TAR_BLOCK; i++)
		buf_addc(b, '\0');
}
