#include "repo/scratch.h"

#include "base/str.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/path.h"
#include "sys/rand.h"

#define PREFIX "put-"
#define TRIES 5 /* a sweep may come between the folder and its lock */

void scratch_sweep(struct store *s)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *staging = path_join(a, s->leat_dir, "staging");
	struct err ignored = ERR_INIT;
	struct dir_names names;

	if (dir_list(a, staging, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct lock l = LOCK_INIT;
		const char *dir = path_join(a, staging, names.p[i]);
		if (!str_has_prefix(str_of(names.p[i]), STR(PREFIX)) ||
		    lock_try(&l, path_join(a, dir, ".lock"), NULL, 0, &ignored))
			continue;
		if (dir_remove_large(dir, &ignored))
			err_clear(&ignored);
		lock_drop(&l);
	}
}

int scratch_make(struct store *s, struct arena *a, struct lock *l, char **out, struct err *e)
{
	struct err inner = ERR_INIT;
	char name[RAND_NAME];

	scratch_sweep(s);
	for (int i = 0; i < TRIES; i++) {
		rand_name(name);
		char *dir = arena_printf(a, "%s/staging/" PREFIX "%s", s->leat_dir, name);
		const char *lock = path_join(a, dir, ".lock");
		if (dir_make(dir, 0700, e))
			return -1;
		err_clear(&inner);
		if (!lock_try(l, lock, NULL, 0, &inner)) {
			if (file_exists(lock)) {
				*out = dir;
				return 0;
			}
			lock_drop(l); /* of a file that a sweep has removed */
		} else if (inner.code != ERR_BUSY && inner.code != ERR_NOT_FOUND) {
			struct err ignored = ERR_INIT;
			if (dir_remove_large(dir, &ignored))
				err_clear(&ignored);
			*e = inner;
			return -1;
		}
	}
	return err_set(e, ERR_BUSY, "no folder of our own can be made in %s/staging", s->leat_dir);
}
