/*
 * repo/gc_in.h: between the gc_*.c files.
 */
#ifndef LEAT_REPO_GC_IN_H
#define LEAT_REPO_GC_IN_H

#include "repo/blob.h"
#include "repo/gc.h"
#include "repo/marks.h"

#define GC_SLICE_NS ((int64_t)3000000) /* work in one transaction; its begin and end come on top */

struct gc {
	struct store *s;
	const struct gc_how *how;
	struct gc_report r;
	/* pages seen; objects that a head needs; objects that only history needs, and sources of recipes */
	struct marks pages, hot_pages, hot, cold;
	struct marks leased_pages; /* of what somebody reads: as if a head showed it, for it may be open by its path */
	/* where the marking got to: what came later is marked by gc_mark_news */
	int64_t move, unit, version;
	bool news; /* what is being marked came later than the recipes were looked through */
	struct arena *a;
	VEC(int64_t) live_units;
	char trash[BLOB_PATH_CAP]; /* made when needed; "" before */
	int64_t n_trash, slice_began;
};

/* gc_mark.c */
/* From here on what others commit is news. Before the first slice; gc_mark begins anew. */
must_check int gc_mark_begin(struct gc *g, struct err *e);
must_check int gc_mark(struct gc *g, struct err *e);
/* What was committed since: at the beginning of a slice, inside its transaction. */
must_check int gc_mark_news(struct gc *g, struct err *e);
/* What is being read now. Outside of a slice. */
must_check int gc_mark_leased(struct gc *g, struct err *e);
/* All remembered results, whatever their age: where one of them may be in use. */
must_check int gc_mark_memos_all(struct gc *g, struct err *e);
static inline bool gc_needs(const struct gc *g, const struct sha *id)
{
	return marks_has(&g->hot, id) || marks_has(&g->cold, id);
}

/* gc.c: slices. begin marks the news and counts the epoch up; gc_slice_over says when it is time to end. */
must_check int gc_slice_begin(struct gc *g, struct err *e);
bool gc_slice_over(const struct gc *g);
/* An empty slice that waits for the disk: what was committed before it survives a power cut. Before data is unlinked
 * that somebody needs and that now lies elsewhere. */
must_check int gc_settle(struct gc *g, struct err *e);
must_check int gc_slice_end(struct gc *g, struct err *e);
void gc_slice_drop(struct gc *g); /* after an error; nothing to do when none is open */
/* Renames a file or folder away, inside or outside of a slice; absent is fine. */
must_check int gc_trash(struct gc *g, const char *path, struct err *e);
/* The file of a blob whose row has gone; while a session lives, which may count on it, it is left without a row. */
must_check int gc_trash_blob(struct gc *g, const struct sha *id, struct err *e);
must_check int gc_trash_empty(struct gc *g, struct err *e); /* outside */
void gc_say(struct gc *g, const char *text, double part);

/* gc_sweep.c */
must_check int gc_sweep(struct gc *g, struct err *e);       /* rows and blobs */
must_check int gc_sweep_files(struct gc *g, struct err *e); /* files without rows, staging, views, old */
must_check int gc_forget_ended(struct gc *g, struct err *e);
must_check int gc_sweep_memos(struct gc *g, struct err *e);

/* gc_pack.c: rows of `small` into packs, packs that are mostly dead or tiny into others. */
must_check int gc_pack(struct gc *g, struct err *e);

/* Footer, disk, name; outside of a transaction. */
must_check int gc_pack_close(struct gc *g, struct pack_writer *w, struct err *e);

/* gc_cold.c: whole files that no head needs into recipes. */
must_check int gc_cold(struct gc *g, struct err *e);

#endif
