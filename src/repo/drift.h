/*
 * repo/drift.h: folders of datastore/ that belong to no repo, by the rule for names of new repos (SEMANTICS 6).
 */
#ifndef LEAT_REPO_DRIFT_H
#define LEAT_REPO_DRIFT_H

#include "repo/disk.h"

/* why_not NULL: it would be the repo `name`; else it cannot be one, and why. */
typedef int (*drift_stray)(void *ptr, struct str name, const char *why_not, struct err *e);
must_check int drift_strays(struct store *s, struct arena *a, drift_stray cb, void *ptr, struct err *e);

#endif
