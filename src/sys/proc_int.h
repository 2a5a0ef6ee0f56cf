/*
 * sys/proc_int.h: what proc.c, proc_tree.c and bind.c share. For sys only.
 */
#ifndef LEAT_SYS_PROC_INT_H
#define LEAT_SYS_PROC_INT_H

#include <sys/types.h>

#include "base/base.h"

/*
 * For every function that runs between clone and exec: on its borrowed stack ASan's bookkeeping would be left behind
 * and taken for faults of whatever is mapped there next.
 */
#define IN_CHILD __attribute__((no_sanitize("address")))

/*
 * Runs fn(arg) in a child that shares our memory while we stand still (vfork), all signals blocked in both; fn must
 * only make system calls and end in exec or _exit. Returns the pid, or -1 and errno; *pidfd is close-on-exec.
 */
pid_t proc_clone(int (*fn)(void *), void *arg, int flags, int *pidfd);

/* The children that proc_spawn started and nobody has waited for. */
bool proc_is_known(pid_t pid);
size_t proc_known_count(void); /* but shims that take orders, to whom their own orphans come */
bool proc_has_marker(pid_t pid, const char *marker);
/*
 * A shim that takes orders at a socket, which is in no task's way: its pid, or -1 and errno. proc_seat_gone: it has
 * been waited for.
 */
pid_t proc_spawn_seat(int orders);
void proc_seat_gone(pid_t pid);
bool proc_spawned_aside(void); /* another thread than the first has started some */

#endif
