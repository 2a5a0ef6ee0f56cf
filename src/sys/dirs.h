/*
 * sys/dirs.h: a look at every file below a folder. System calls are what it costs, and the kernel answers several
 * threads side by side: where there is much to look at, they take folders, and pieces of large ones, from one stack.
 * As in a walk (dir.h) folders are opened relative to the one that holds them and links are told of, never followed,
 * so a tree that somebody changes meanwhile cannot lead outside of it; what vanishes is left out silently.
 */
#ifndef LEAT_SYS_DIRS_H
#define LEAT_SYS_DIRS_H

#include "base/str.h"
#include "sys/file.h"

#define DIRS_THREADS 4 /* at most, with the caller's; fewer where there are fewer processors */

struct dirs_entry {
	const char *name;
	size_t n;    /* its length */
	mode_t mode; /* its type counts */
	struct file_key key;
};

/* Some entries of one folder, as the file system gives them. Folders are not among them. */
struct dirs_part {
	struct str folder; /* relative to the root of the walk; "" is the root itself */
	const struct dirs_entry *p;
	size_t n;
	unsigned thread; /* below DIRS_THREADS: parts of the same one come one after the other, others meanwhile */
};
/* -1 with *e filled is an error at that folder. */
typedef int dirs_visit(const struct dirs_part *part, void *ptr, struct err *e);

/* flags: DIR_GONE_OK. Of several errors the one is given whose path comes first: which does not depend on threads. */
must_check int dirs_walk(const char *path, unsigned flags, dirs_visit *visit, void *ptr, struct err *e);
/* The order of a walk: by the bytes of the names, each folder's content before the name after it. */
int dirs_cmp(struct str a, struct str b);

#endif
