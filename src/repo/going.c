#include "repo/going.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "sys/rand.h"

#define PREFIX "show-" /* show-REPO holds the tree of that repo; show-many-NAME a line a repo: its number, its tree */
#define MANY "show-many-"
#define MAX_BYTES 65536

static char *path_of(struct store *s, struct arena *a, const char *name)
{
	return arena_printf(a, "%s/staging/%s", s->leat_dir, name);
}

static void read_rows(struct arena *a, struct str text, size_t file, struct going *out)
{
	struct str line, rest = text, id, tree;

	while (str_cut(rest, '\n', &line, &rest)) { /* a line that is not whole was not acted on */
		struct going_row row = {.file = file};
		if (str_cut(line, ' ', &id, &tree) && str_to_i64(id, &row.repo) && sha_parse(tree, &row.to))
			vec_push(a, &out->rows, row);
	}
}

void going_read(struct store *s, struct arena *a, struct going *out)
{
	struct err ignored = ERR_INIT;
	struct dir_names all;

	*out = (struct going){0};
	if (dir_list(a, path_of(s, a, ""), &all, &ignored))
		return;
	for (size_t i = 0; i < all.n; i++) {
		struct str name = str_of(all.p[i]), text = STR("");
		struct going_row one = {.file = out->files.n};
		size_t before = out->rows.n;

		if (!str_has_prefix(name, STR(PREFIX)))
			continue;
		if (file_read(a, path_of(s, a, all.p[i]), MAX_BYTES, &text, &ignored))
			err_clear(&ignored);
		all.p[out->files.n++] = all.p[i];
		if (str_has_prefix(name, STR(MANY))) {
			read_rows(a, text, one.file, out);
		} else if (str_to_i64(str_sub(name, strlen(PREFIX), SIZE_MAX), &one.repo)) {
			(void)!sha_parse(text, &one.to);
			vec_push(a, &out->rows, one);
		}
		out->torn |= out->rows.n == before;
	}
	out->files.p = all.p;
}

const struct going_row *going_find(const struct going *g, int64_t repo)
{
	size_t i = 0;

	while (i < g->rows.n && g->rows.p[i].repo != repo)
		i++;
	return i < g->rows.n ? &g->rows.p[i] : NULL;
}

char *going_write(struct store *s, struct arena *a, const struct disk_repo *repos, size_t n)
{
	struct buf text cleanup(buf_free) = BUF_INIT(MAX_BYTES);
	char hex[SHA_HEX + 1], name[RAND_NAME], *path;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		sha_hex(&repos[i].head, hex);
		if (n == 1)
			buf_adds(&text, hex);
		else
			buf_addf(&text, "%lld %s\n", (long long)repos[i].repo.id, hex);
	}
	rand_name(name);
	path = n == 1 ? arena_printf(a, "%s/staging/" PREFIX "%lld", s->leat_dir, (long long)repos[0].repo.id)
		      : arena_printf(a, "%s/staging/" MANY "%s", s->leat_dir, name);
	(void)!file_write(path, buf_str(&text), 0600, 0, &ignored);
	return path;
}

void going_end(struct store *s, struct arena *a, const struct going *g, bool (*is_done)(void *ptr, int64_t repo),
	       void *ptr)
{
	bool *stays = arena_array(a, bool, g->files.n), *says = arena_array(a, bool, g->files.n);

	for (size_t i = 0; i < g->rows.n; i++) {
		const struct going_row *row = &g->rows.p[i];
		says[row->file] = true;
		stays[row->file] = stays[row->file] || !is_done(ptr, row->repo);
	}
	for (size_t i = 0; i < g->files.n; i++)
		if (says[i] && !stays[i])
			(void)unlink(path_of(s, a, g->files.p[i]));
}

void going_tidy(struct store *s)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	int fd FD_CLEANUP = -1;
	struct going g;
	bool *says;

	if (disk_lock_all(s, &fd, &ignored) != 1)
		return;
	going_read(s, a, &g);
	says = arena_array(a, bool, g.files.n);
	for (size_t i = 0; i < g.rows.n; i++)
		says[g.rows.p[i].file] = true;
	for (size_t i = 0; i < g.files.n; i++)
		if (!says[i])
			(void)unlink(path_of(s, a, g.files.p[i]));
}
