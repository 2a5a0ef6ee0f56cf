/*
 * repo/scratch.h: a folder in .leat/staging for what a command puts together before the store takes it in: what it
 * fetched, unpacked, or appended to. It holds a lock while its process lives; what nobody holds is garbage of a command
 * that was cut short, and goes when the next such folder is made, or by gc.
 */
#ifndef LEAT_REPO_SCRATCH_H
#define LEAT_REPO_SCRATCH_H

#include "base/arena.h"
#include "repo/store.h"
#include "sys/lock.h"

/* *out in the arena; *l, begun as LOCK_INIT, is held from now on. */
must_check int scratch_make(struct store *s, struct arena *a, struct lock *l, char **out, struct err *e);
/* Removes those that nobody holds; what cannot be removed stays for the next one. */
void scratch_sweep(struct store *s);

#endif
