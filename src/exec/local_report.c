/* What a task leaves beside its log, without the secrets that it was given. */
#include <fcntl.h>
#include <stdio.h>

#include "base/str.h"
#include "exec/exec.h"
#include "exec/local_in.h"
#include "exec/local_mask.h"
#include "sys/file.h"

#define BESIDE ".leat-masked"

static struct str masked(const struct exec *x, struct str text)
{
	const struct secrets *list = x ? local_secrets(x) : NULL;

	return list && list->n && text.p ? mask_text(mask_new(local_arena(x), list), text) : text;
}

void exec_mask_err(const struct exec *x, struct err *e)
{
	char *was = arena_dup(local_arena(x), e->msg), *had = arena_dup(local_arena(x), e->hint);
	struct str msg = masked(x, str_of(was)), hint = masked(x, str_of(had));

	snprintf(e->msg, sizeof(e->msg), "%.*s", STR_ARG(msg));
	snprintf(e->hint, sizeof(e->hint), "%.*s", STR_ARG(hint));
}

static int mask_file(struct arena *a, const struct secrets *list, const char *path, struct err *e)
{
	struct mask *m = mask_new(a, list);
	char chunk[MASK_CHUNK];
	const char *beside = arena_printf(a, "%s" BESIDE, path);
	int from FD_CLEANUP = -1, to FD_CLEANUP = -1;
	struct stat st;
	size_t n = 0;

	mask_escaped(m);
	if (file_open_plain(path, &from, &st, e) || file_open_write(beside, O_EXCL, 0644, &to, e))
		return -1;
	do {
		if (fd_read_full(from, chunk, sizeof(chunk), &n, path, e) ||
		    mask_write(m, chunk, n, n < sizeof(chunk), to, beside, e))
			return -1;
	} while (n == sizeof(chunk));
	return file_rename(beside, path, e);
}

struct masking {
	struct arena *a;
	const struct secrets *list;
	const char *dir;
};

static int visit(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct masking *k = ptr;

	if (entry->type == DIR_FILE && !str_has_suffix(str_of(entry->name), STR(BESIDE)) &&
	    mask_file(k->a, k->list, path_join(k->a, k->dir, entry->path), e))
		return -1;
	return DIR_GO;
}

int exec_mask_folder(const struct exec *x, const char *dir, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct masking k = {a, x ? local_secrets(x) : NULL, dir};

	return k.list && k.list->n ? dir_walk(dir, DIR_GONE_OK, visit, &k, e) : 0;
}
