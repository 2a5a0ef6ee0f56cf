/*
 * Packed files that are cut short: DuckDB gives the rows before the cut and no error, so each content is unpacked once
 * to its end before it is read. That it was whole is kept as an empty file .leat/cache/whole/<2 digits>/<hash>: looking
 * for one costs a microsecond, however many there are.
 */
#include <fcntl.h>

#include "base/str.h"
#include "flow/table.h"
#include "sys/file.h"

#define ASK_FILES 100 /* in one request, so that what was found is kept though a later file is damaged */

static const char *mark_of(struct store *s, struct arena *a, const struct table_file *f)
{
	char hex[SHA_HEX + 1];

	sha_hex(&f->id, hex);
	return arena_printf(a, "%s/cache/whole/%.2s/%s", s->leat_dir, hex, hex);
}

/* A cache: what cannot be written is asked again. */
static void mark(const char *path)
{
	struct err ignored = ERR_INIT;
	int fd FD_CLEANUP = -1;

	if (dir_make_parent(path, 0755, &ignored) || file_open_write(path, O_CREAT, 0644, &fd, &ignored))
		return;
}

int table_whole(struct store *s, struct arena *a, struct duck *d, const struct table_source *t, struct err *e)
{
	struct str paths[ASK_FILES];
	const char *marks[ASK_FILES];
	enum table_format format;
	bool packed;
	size_t n = 0;

	for (size_t i = 0; i < t->n_files; i++) {
		const struct table_file *f = &t->files[i];

		if (table_format_of(f->in_repo, &format, &packed) && packed) {
			marks[n] = mark_of(s, a, f);
			paths[n] = f->path;
			n += !file_exists(marks[n]);
		}
		if (!n || (n < ASK_FILES && i + 1 < t->n_files))
			continue;
		if (duck_call(d, a, duck_req_whole(a, paths, n), NULL, NULL, NULL, NULL, e))
			return -1;
		while (n)
			mark(marks[--n]);
	}
	return 0;
}
