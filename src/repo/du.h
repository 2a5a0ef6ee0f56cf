/*
 * repo/du.h: who holds how many bytes of the disk.
 */
#ifndef LEAT_REPO_DU_H
#define LEAT_REPO_DU_H

#include "repo/commit.h"

/* Bytes as they lie in the store: compressed where they are, each object once per repo (once in all, in the totals). */
struct du_repo {
	struct str name;
	int64_t files, bytes;   /* of the head of master, as a user counts them */
	int64_t head, history;  /* what heads of branches need; what only other commits need */
};
struct du {
	struct du_repo *repos; /* by name, in the arena */
	size_t n;
	int64_t head, history; /* each object once in all */
	int64_t garbage;       /* what nothing needs, and gc gives back */
	int64_t packs;         /* bytes of all packs, with what is dead in them */
	int64_t database;      /* leat.db with its log */
	int64_t views, old, cache, staging, lost, logs; /* folders of .leat; links to blobs are not counted again */
	int64_t total;         /* all of .leat: blocks on the disk */
};
must_check int du_run(struct store *s, struct arena *a, struct du *out, struct err *e);

#endif
