#include "repo/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/name.h"
#include "base/xx64.h"
#include "sys/dirs.h"

#define MAGIC "leatim01"
#define ROWS_MAX ((uint64_t)1 << 26)
#define BYTES_MAX ((uint64_t)16 << 30)

/* Native byte order: it never leaves this machine. */
struct head {
	char magic[8];
	uint64_t check; /* XXH64 of all that follows */
	struct sha tree;
	uint64_t n, slots, text; /* rows; slots, a power of two; bytes of all paths */
};

/* Where a path stands in the text. */
struct ref {
	uint32_t at, n;
};
#define OURS 0x80000000u /* in ref.n */

struct image {
	void *map;
	size_t bytes;
	const struct head *head;
	const struct file_key *keys;
	const struct ref *refs;
	const uint32_t *slots; /* row + 1, 0 = free; open addressing by the hash of the path */
	const struct sha *ids;
	const char *text;
};

struct layout {
	size_t keys, refs, slots, ids, text, end;
};

static struct layout layout_of(const struct head *h)
{
	struct layout l = {.keys = sizeof(*h)};

	l.refs = l.keys + h->n * sizeof(struct file_key);
	l.slots = l.refs + h->n * sizeof(struct ref);
	l.ids = l.slots + h->slots * sizeof(uint32_t);
	l.text = l.ids + h->n * sizeof(struct sha);
	l.end = l.text + h->text;
	return l;
}

/* FNV-1a, which can be continued: the folder's part is worked out once for many names. */
static uint64_t hash_on(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h;
}

static size_t slot_of(uint64_t h, uint64_t slots)
{
	return ((h ^ h >> 32) * 0x9e3779b97f4a7c15u >> 20) & (slots - 1);
}

static uint64_t check_of(const char *bytes, size_t n)
{
	size_t skip = offsetof(struct head, tree);

	return xx64(bytes + skip, n - skip, 0);
}

static void fill(char *bytes, const struct head *h, const struct image_row *rows)
{
	struct layout l = layout_of(h);
	uint32_t *slots = (uint32_t *)(void *)(bytes + l.slots);
	uint64_t seed = hash_on(0xcbf29ce484222325u, STR_NULL);
	size_t at = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct image_row *r = &rows[i];
		struct ref ref = {(uint32_t)at, (uint32_t)r->path.n | (r->ours ? OURS : 0)};
		size_t slot = slot_of(hash_on(seed, r->path), h->slots);

		while (slots[slot])
			slot = (slot + 1) & (h->slots - 1);
		slots[slot] = (uint32_t)i + 1;
		memcpy(bytes + l.keys + i * sizeof(r->key), &r->key, sizeof(r->key));
		memcpy(bytes + l.refs + i * sizeof(ref), &ref, sizeof(ref));
		memcpy(bytes + l.ids + i * sizeof(r->id), &r->id, sizeof(r->id));
		memcpy(bytes + l.text + at, r->path.p, r->path.n);
		at += r->path.n;
	}
}

int image_write(const char *path, const struct sha *tree, const struct image_row *rows, size_t n, struct err *e)
{
	struct head h = {.tree = *tree, .n = n, .slots = 16};
	struct layout l;
	char *bytes;
	int rc;

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	while (h.slots < n * 2)
		h.slots *= 2;
	for (size_t i = 0; i < n; i++)
		h.text += rows[i].path.n;
	if (n > ROWS_MAX || h.text > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %llu files", path, (unsigned long long)ROWS_MAX);
	l = layout_of(&h);
	bytes = xcalloc(1, l.end);
	memcpy(bytes, &h, sizeof(h));
	fill(bytes, &h, rows);
	h.check = check_of(bytes, l.end);
	memcpy(bytes, &h, sizeof(h));
	rc = file_replace(path, (struct str){bytes, l.end}, 0644, 0, e);
	free(bytes);
	return rc;
}

static bool is_whole(const struct image *im)
{
	const struct head *h = im->head;

	if (im->bytes < sizeof(*h) || memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->n > ROWS_MAX ||
	    h->slots > 4 * ROWS_MAX || h->slots <= h->n || (h->slots & (h->slots - 1)) || h->text > UINT32_MAX)
		return false;
	return layout_of(h).end == im->bytes && check_of(im->map, im->bytes) == h->check;
}

struct image *image_open(const char *path)
{
	struct image *im = NULL, look = {0};
	int fd FD_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);
	struct layout l;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)sizeof(struct head) || (uint64_t)st.st_size > BYTES_MAX)
		return NULL;
	look.bytes = (size_t)st.st_size;
	look.map = mmap(NULL, look.bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (look.map == MAP_FAILED)
		return NULL;
	look.head = look.map;
	if (!is_whole(&look)) {
		(void)munmap(look.map, look.bytes);
		return NULL;
	}
	l = layout_of(look.head);
	look.keys = (const void *)((const char *)look.map + l.keys);
	look.refs = (const void *)((const char *)look.map + l.refs);
	look.slots = (const void *)((const char *)look.map + l.slots);
	look.ids = (const void *)((const char *)look.map + l.ids);
	look.text = (const char *)look.map + l.text;
	im = xmalloc(sizeof(*im));
	*im = look;
	return im;
}

void image_close(struct image *im)
{
	if (!im)
		return;
	(void)munmap(im->map, im->bytes);
	free(im);
}

const struct sha *image_tree(const struct image *im)
{
	return &im->head->tree;
}

size_t image_n(const struct image *im)
{
	return im->head->n;
}

/* A row that leads out of the file cannot be (the check held); if it is, it names nothing. */
static struct str path_at(const struct image *im, size_t i)
{
	struct ref r = im->refs[i];
	size_t n = r.n & ~OURS;

	return r.at > im->head->text || n > im->head->text - r.at ? STR("") : (struct str){im->text + r.at, n};
}

struct image_row image_row(const struct image *im, size_t i)
{
	return (struct image_row){path_at(im, i), im->keys[i], im->ids[i], im->refs[i].n & OURS};
}

bool image_is(const struct image *im, size_t i, const struct file_key *k)
{
	return im->keys[i].ino && file_key_eq(&im->keys[i], k);
}

static bool is_path(struct str path, struct str folder, struct str name)
{
	size_t at = folder.n ? folder.n + 1 : 0;

	return path.n == at + name.n && !memcmp(path.p + at, name.p, name.n) &&
	       (!at || (path.p[folder.n] == '/' && !memcmp(path.p, folder.p, folder.n)));
}

size_t image_find(const struct image *im, struct str folder, struct str name)
{
	uint64_t h = hash_on(0xcbf29ce484222325u, folder);
	size_t slot = slot_of(hash_on(folder.n ? hash_on(h, STR("/")) : h, name), im->head->slots);

	for (uint32_t row; (row = im->slots[slot]) && row <= im->head->n; slot = (slot + 1) & (im->head->slots - 1))
		if (is_path(path_at(im, row - 1), folder, name))
			return row - 1;
	return IMAGE_NONE;
}

/* The first row that is not before the folder's content; `after`: that is behind it. */
static size_t bound(const struct image *im, struct str folder, bool after)
{
	size_t from = 0, to = im->head->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		struct str path = path_at(im, mid);
		bool in = path.n > folder.n && path.p[folder.n] == '/' && !memcmp(path.p, folder.p, folder.n);

		if (in ? after : dirs_cmp(path, folder) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

void image_range(const struct image *im, struct str folder, size_t *from, size_t *to)
{
	*from = folder.n ? bound(im, folder, false) : 0;
	*to = folder.n ? bound(im, folder, true) : im->head->n;
}
