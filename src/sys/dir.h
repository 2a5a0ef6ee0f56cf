/*
 * sys/dir.h: folders: making, walking, removing. Walks hold folder descriptors and never follow a symbolic link, so a
 * tree that somebody changes meanwhile cannot lead outside of it.
 */
#ifndef LEAT_SYS_DIR_H
#define LEAT_SYS_DIR_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"

#define DIR_MAX_DEPTH 200          /* folders open at once in a walk */
#define DIR_MAX_ENTRIES 20000000   /* names in one folder */

must_check int dir_make(const char *path, mode_t mode, struct err *e);     /* with parents; there already is fine */
must_check int dir_make_parent(const char *path, mode_t mode, struct err *e); /* the folder that path lies in */
must_check int dir_make_one(const char *path, mode_t mode, struct err *e); /* the last only; there is: CONFLICT */
must_check int dir_remove(const char *path, struct err *e);                /* empty only; absent is fine */
/* All below and the folder itself (or a plain file); absent is fine. Makes folders writable where it must. */
must_check int dir_remove_tree(const char *path, struct err *e);
/* The same of what may hold large files: see file_unlink_large. */
must_check int dir_remove_large(const char *path, struct err *e);
must_check int dir_sync(const char *path, struct err *e);
must_check int dir_open(const char *path, int *fd, struct err *e); /* O_DIRECTORY | O_CLOEXEC */
bool dir_exists(const char *path); /* follows links */
must_check int dir_is_empty(const char *path, bool *out, struct err *e);

enum dir_type { DIR_FILE, DIR_FOLDER, DIR_LINK, DIR_OTHER };

struct dir_entry {
	const char *path; /* relative to the root of the walk, valid during the call */
	const char *name; /* last part of it */
	int dir_fd;       /* the folder that holds it: openat(dir_fd, name, ...) */
	enum dir_type type;
	unsigned depth;   /* 1 = directly in the root */
	bool leaving;     /* DIR_LEAVE: the folder's content has been given */
	struct stat st;   /* zero but for st_mode's type with DIR_NO_STAT, and when leaving */
};

enum {
	DIR_NO_STAT = 1,   /* saves a system call per entry */
	DIR_SKIP_DOT = 2,  /* leaves out names that begin with '.' */
	DIR_LEAVE = 4,     /* calls once more after a folder's content */
	DIR_GONE_OK = 8,   /* an absent root is an empty walk */
	DIR_FLAT = 16,     /* only the entries of the folder itself */
	DIR_UNSORTED = 32, /* as the file system gives them */
	DIR_SHUT_OK = 64,  /* a folder that this user may not look into is an empty one */
};
#define DIR_GO 0
#define DIR_SKIP 1 /* does not descend into this folder */
#define DIR_STOP 2 /* ends the walk, which then returns 0 */
/* -1 with *e filled ends the walk with that error. */
typedef int dir_visit(const struct dir_entry *entry, void *ptr, struct err *e);

/*
 * Every entry below `path`, each folder before its content, the names of each folder in byte order. Links are
 * reported, never followed. What vanishes between listing and looking is left out silently.
 */
must_check int dir_walk(const char *path, unsigned flags, dir_visit *visit, void *ptr, struct err *e);
must_check int dir_walk_at(int dir_fd, const char *name, unsigned flags, dir_visit *visit, void *ptr, struct err *e);

/* The names in one folder, sorted by bytes, in the arena. */
struct dir_names {
	char **p;
	size_t n;
};
must_check int dir_list(struct arena *a, const char *path, struct dir_names *out, struct err *e);

#endif
