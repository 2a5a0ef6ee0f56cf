/*
 * repo/gc.h: giving space back (SEMANTICS 8). What no commit, branch, tag, open commit, running unit, remembered result
 * or reader needs goes; versions that no branch shows any more are kept as pieces of others (gc_cold.c).
 *
 * Beside writers and readers: what is needed is marked without a transaction. Each transaction of the sweep is a slice
 * of a few milliseconds that first marks what was committed since the last one, and counts the gc epoch up, so that a
 * session that counts on an object looks again (store.h). No data is read or written inside a transaction: files are
 * only renamed there, into .leat/staging/gc-*, and unlinked later. A crash leaves at most garbage for the next gc.
 *
 * While a session lives, files of blobs keep their names when their rows go: it may have made, or taken, the same one.
 * While somebody reads an open commit nothing is swept: what it held before it was put into again stands in no row.
 * A run is a session from its plan to its end; what its units gave is needed until it ends.
 */
#ifndef LEAT_REPO_GC_H
#define LEAT_REPO_GC_H

#include "repo/commit.h"

struct gc_how {
	bool dry_run;
	bool memo_now;       /* remembered results that nothing else holds go, whatever their age */
	bool no_repack;
	bool eager;          /* also packs what is not worth it, for tests */
	int64_t memo_keep_ms;
	void (*progress)(void *ptr, const char *text, double part); /* may be NULL */
	void (*note)(void *ptr, const char *text);                  /* may be NULL */
	void *ptr;
};

struct gc_report {
	int64_t commits;             /* rows of repos that were ended, and of what retention let go */
	int64_t pages, objects;      /* swept (dry run: to be swept) */
	int64_t bytes;               /* of them, as they lay on the disk */
	int64_t memos, views, files; /* files: without a row, left by crashes */
	int64_t cold, cold_before, cold_after; /* re-packed versions; their bytes before and after */
	int64_t packs, packed;       /* packs written, packs that went */
	int64_t live_objects, live_pages;
	int64_t transactions;        /* write transactions, */
	double longest_ms;           /* the longest of them, its lock and its commit included */
	int64_t database_before, database_after; /* bytes of leat.db */
	bool writers;                /* sessions were at work, so files without rows and staging were left alone */
	bool readers;                /* readers were at work, so views were left alone */
};

/* One at a time per workspace: ERR_BUSY. A damaged or missing page of a tree is ERR_DAMAGED, and nothing is swept. */
must_check int gc_run(struct store *s, const struct gc_how *how, struct gc_report *out, struct err *e);

#endif
