/*
 * sys/root.h: a root folder of its own for one child (SEMANTICS 11), made in the child before exec (proc_spec.root):
 * a file system in memory that shows every entry of / read-only, and what the plan names at places of its choice, some
 * of it writable. Nothing of it is ever visible outside the child, nothing is made on the machine, and it ends with the
 * last process in it.
 *
 * /tmp and /dev/shm are always private; who wants /tmp on a disk names a folder for it. The child gains no privileges
 * (set-user-id programs are plain ones), and one that runs as root loses those with which it could undo all this.
 */
#ifndef LEAT_SYS_ROOT_H
#define LEAT_SYS_ROOT_H

#include "base/arena.h"
#include "base/err.h"

#define ROOT_MAX_MOUNTS 4096
#define ROOT_OWN "leat" /* this folder of the root, and what the plan's targets begin with, hides one of the host's */

struct root_mount {
	const char *source, *target; /* absolute; both folders unless `file` */
	bool writable, file;
	bool among;                  /* what stands beside it on the machine stays to be seen */
	struct str bytes;            /* source NULL: a read-only file that holds them */
};

struct root_step;
struct root_plan {
	const char *at;          /* an empty folder that nothing else is mounted on */
	struct root_step *steps;
	unsigned n;
};

/*
 * Plans a root in arena memory: `mounts` in their order, then an empty folder at each path of `hide` that is there.
 * Targets are in folders that the plan makes, so their first part is no entry of / that anybody needs.
 */
must_check int root_make(struct arena *a, const char *at, const struct root_mount *mounts, size_t n,
                         const char *const *hide, size_t n_hide, struct root_plan *out, struct err *e);

/* Whether it can be done here (tried once per process, in a child); if not, *why is a sentence. */
bool root_available(const char **why);

/* For proc.c: in the child, after clone with bind_clone_flags(); 0 or an errno, *at = which step. */
int root_apply(const struct root_plan *plan, unsigned uid, unsigned gid, unsigned *at);
/* The sentence for such a failure. Returns -1. */
int root_failed(const struct root_plan *plan, unsigned at, int error, const char *name, struct err *e);

#endif
