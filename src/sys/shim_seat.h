/*
 * sys/shim_seat.h: shims that take one task after the other, for proc.c. Those that have nothing to do are kept for the
 * next task; all end with this process.
 */
#ifndef LEAT_SYS_SHIM_SEAT_H
#define LEAT_SYS_SHIM_SEAT_H

#include "sys/shim.h"

struct proc_spec;

/*
 * Has the task of s started by one, a new one if none is idle; files: where its program may be. NULL: it is for a shim
 * of its own, which can do more.
 */
struct shim_seat *shim_seat_order(const struct proc_spec *s, const char *const *files, const char *const *env);
/* 1: the task has ended, as *out tells; 0: not yet; -1: the shim has died. */
int shim_seat_answer(const struct shim_seat *s, bool wait, struct shim_told *out);
void shim_seat_give(struct shim_seat *s); /* its task has ended and left nothing: it may have another */
void shim_seat_end(struct shim_seat *s, bool wait); /* it ends when its task has; that it has ended is waited for */

#endif
