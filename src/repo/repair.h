/*
 * repo/repair.h: putting right what can be put right from what is at hand (`leat fsck --repair`): whole files that are
 * damaged or gone from equal copies in datastore/ and lost+found, rows of packs from the packs themselves.
 */
#ifndef LEAT_REPO_REPAIR_H
#define LEAT_REPO_REPAIR_H

#include "repo/commit.h"

/* note: a sentence for each thing that was put right. No transaction may be open. */
must_check int repair_run(struct store *s, void (*note)(void *ptr, const char *text), void *ptr, struct err *e);

#endif
