/*
 * repo/fsck.h: everything the store holds against its hash and record. Reads only; each finding is a sentence.
 */
#ifndef LEAT_REPO_FSCK_H
#define LEAT_REPO_FSCK_H

#include "repo/commit.h"

struct fsck_finding {
	const char *code; /* damaged-blob, missing-blob, damaged-tree, missing-tree, bad-head, bad-record, … */
	const char *text; /* names the files and commits it hits */
};

struct fsck_totals {
	int64_t blobs, bytes, pages, commits, findings;
};

must_check int fsck_run(struct store *s, int (*cb)(void *ptr, const struct fsck_finding *f, struct err *e), void *ptr,
                        struct fsck_totals *out, struct err *e);

#endif
