/*
 * repo/fsck_in.h: between the fsck_*.c files.
 */
#ifndef LEAT_REPO_FSCK_IN_H
#define LEAT_REPO_FSCK_IN_H

#include "base/map.h"
#include "base/name.h"
#include "repo/blob.h"
#include "repo/fsck.h"

/* One object or one page. */
struct thing {
	struct sha id;
	int64_t size;
	const char *code; /* what is wrong with it; NULL = nothing */
	const char *what;
	const char *place; /* of an object that is no whole file: where it lies */
	bool clean;       /* a page: all below it is whole */
	int64_t hits;
	char *where;      /* the first places that need it */
	struct pack_at at; /* by its row of `packed`; pack 0: it has none */
	bool seen;         /* its pack holds it */
	bool tried;        /* to be read */
};

struct fsck {
	struct store *s;
	struct arena *a;
	struct map blobs, pages; /* by the 32 bytes of the id -> struct thing */
	VEC(struct thing *) bad;
	int (*cb)(void *ptr, const struct fsck_finding *f, struct err *e);
	void *ptr;
	struct fsck_totals total;
	bool torn;               /* leat.db is damaged somewhere */
	const char *commit;      /* being walked: "raw/trips@master.3 (ID)" */
	char path[NAME_MAX_PATH + 1];
};

static inline struct str fsck_key(const struct sha *id)
{
	return (struct str){(const char *)id->b, SHA_BYTES};
}

must_check printf_like(4, 5) int fsck_finding(struct fsck *f, struct err *e, const char *code, const char *fmt, ...);
struct thing *fsck_thing(struct fsck *f, struct map *m, const struct sha *id); /* there or made */
void fsck_spoil(struct fsck *f, struct thing *t, const char *code, const char *what);

/* What cannot be read because of a damaged page of leat.db is told, and the rest is looked at all the same. */
must_check int fsck_borne(struct fsck *f, int rc, struct err *e);

/* fsck_blobs.c: every byte of every object, wherever it is. */
must_check int fsck_blobs(struct fsck *f, struct err *e);

#endif
