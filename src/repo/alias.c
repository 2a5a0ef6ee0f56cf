#include "repo/alias.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/file.h"

#define TARGET "../blobs"

static bool is_ours(const char *path)
{
	char target[sizeof(TARGET) + 1];
	ssize_t n = readlink(path, target, sizeof(target));

	return n == (ssize_t)strlen(TARGET) && !memcmp(target, TARGET, strlen(TARGET));
}

static int make_label(struct store *s, const char *label, struct err *e)
{
	char path[BLOB_PATH_CAP];
	struct err mine = ERR_INIT;

	snprintf(path, sizeof(path), "%s/labels/%s", s->leat_dir, label);
	if (is_ours(path))
		return 0;
	/* Something else of that name is not ours to keep: nobody but Leat has anything to do here. */
	if (dir_make_parent(path, 0777, e) || (file_exists(path) && dir_remove_tree(path, e)))
		return -1;
	if (!file_symlink(TARGET, path, &mine) || is_ours(path)) /* or another process made it meanwhile */
		return 0;
	*e = mine;
	return -1;
}

int alias_path(struct store *s, const struct sha *id, const char *label, char *out, size_t cap, struct err *e)
{
	const char *top = label ? "labels/" : "blobs";
	char hex[SHA_HEX + 1];
	struct blob_at at;
	int r = blob_look(s, id, &at, e);

	if (r <= 0 || at.place != BLOB_WHOLE)
		return r < 0 ? -1 : 0;
	if (label && make_label(s, label, e))
		return -1;
	sha_hex(id, hex);
	if ((size_t)snprintf(out, cap, "%s%s/%.2s/%s", top, label ? label : "", hex, hex + 2) >= cap)
		return err_set(e, ERR_LIMIT, "the path of %s is too long", hex);
	return 1;
}
