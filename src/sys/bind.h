/*
 * sys/bind.h: a private view of folders for one child: bind mounts in a mount namespace of its own, made in the child
 * before exec (proc_spec.binds). Nothing of it is ever visible outside the child, and it ends with it.
 *
 * As root a mount namespace is enough; otherwise a user namespace is made too, in which the user keeps his own number.
 */
#ifndef LEAT_SYS_BIND_H
#define LEAT_SYS_BIND_H

#include "base/err.h"

#define BIND_MAX 1024

struct bind_mount {
	const char *source, *target; /* absolute; both must exist, both folders or both files */
	bool read_only;
};

struct bind_plan {
	const struct bind_mount *mounts; /* applied in this order */
	unsigned n;
};

/* Whether it can be done here (tried once per process, in a child); if not, *why is a sentence. */
bool bind_available(const char **why);

/*
 * For proc.c and root.c. Flags for clone, then the mounts in the child; async-signal-safe; returns 0 or an errno, *at =
 * which.
 */
int bind_clone_flags(void);
int bind_enter(unsigned uid, unsigned gid); /* in the child: mounts made from now on are its own */
int bind_apply(const struct bind_plan *plan, unsigned uid, unsigned gid, unsigned *at);

#endif
