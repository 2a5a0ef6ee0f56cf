#include "flow/pylib.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/str.h"
#include "sys/file.h"
#include "sys/rand.h"

#define NAME_HEX 16

/* What it holds cannot change while this process lives. */
static const char *name_of(void)
{
	static char hex[SHA_HEX + 1];
	struct sha_ctx c;
	struct sha id;

	if (hex[0])
		return hex;
	sha_init(&c);
	for (size_t i = 0; i < n_pylib_files; i++) {
		sha_field(&c, str_of(pylib_files[i].path));
		sha_field(&c, (struct str){pylib_files[i].data, pylib_files[i].n});
	}
	id = sha_end(&c);
	sha_hex(&id, hex);
	hex[NAME_HEX] = '\0';
	return hex;
}

static int fill(struct arena *a, const char *dir, struct err *e)
{
	for (size_t i = 0; i < n_pylib_files; i++) {
		const struct embedded *f = &pylib_files[i];
		const char *to = arena_printf(a, "%s/%s", dir, f->path);

		if (dir_make_parent(to, 0755, e) || file_write(to, (struct str){f->data, f->n}, 0444, FILE_SYNC, e))
			return -1;
	}
	return 0;
}

int pylib_dir(struct arena *a, const char *leat_dir, const char **dir, struct err *e)
{
	const char *final = arena_printf(a, "%s/cache/python/%s", leat_dir, name_of());
	struct err ignored = ERR_INIT;
	char name[RAND_NAME];
	char *made;
	int rc;

	*dir = final;
	if (dir_exists(final))
		return 0;
	rand_name(name);
	made = arena_printf(a, "%s.%s", final, name);
	/* The folder is trusted from then on: its files must not be empty after a loss of power. */
	rc = fill(a, made, e) || dir_sync(path_join(a, made, "leat"), e) || dir_sync(made, e) ||
	                     file_rename_new(made, final, e)
	             ? -1
	             : 0;
	if (!rc)
		return 0;
	if (dir_remove_tree(made, &ignored))
		err_clear(&ignored);
	if (!dir_exists(final))
		return err_wrap(e, "the Python package leat");
	err_clear(e); /* another process was faster */
	return 0;
}
