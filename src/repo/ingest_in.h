/*
 * repo/ingest_in.h: a session from the inside, for the ingest_*.c files.
 */
#ifndef LEAT_REPO_INGEST_IN_H
#define LEAT_REPO_INGEST_IN_H

#include "base/map.h"
#include "repo/blob.h"
#include "repo/ingest_session.h"
#include "sys/file.h"

#define INGEST_GROUP 128 /* files opened at once while syncing; how often somebody may ask to stop */

struct new_blob {
	struct sha id;
	int64_t size, mtime_ns;
	bool synced;
	bool elsewhere;   /* gc has taken the file away, and the store holds its bytes all the same */
	int64_t recorded; /* as in struct tree_new */
};

/* A small object: in memory until the session has enough of them for a pack. */
struct new_small {
	struct sha id;
	struct str bytes; /* STR_NULL once it is in a pack */
	size_t pack;      /* which of in->packs, and where */
	struct pack_entry at;
	int64_t recorded;
};

struct new_pack {
	struct pack_writer *w;
	bool done;        /* finished, synced, named */
	int64_t recorded; /* in which transaction its rows were written */
};

/* An object that was in the store, which gc must have left there. */
struct counted {
	struct sha id;
	const char *source; /* the file that it was read from, NULL for other bytes */
};

struct ingest {
	struct store *s;
	struct arena *a;
	bool leased;          /* it counts as a session (store_session_begin) */
	int64_t epoch;        /* the gc epoch that it began in */
	bool ahead;           /* rows were recorded before the last transaction (ingest_record.c) */
	struct map pages, blobs, smalls; /* by the 32 bytes of the id: struct tree_new, new_blob, new_small */
	VEC(struct tree_new *) page_list;
	VEC(struct new_blob *) blob_list;
	VEC(struct new_small *) small_list; /* those in memory */
	size_t small_bytes;                 /* of these */
	VEC(struct new_pack) packs;         /* the last one may be growing */
	VEC(struct counted) found;
	struct {
		uint64_t sum; /* of the edits; 0: nothing is known */
		struct sha base;
		struct entry root;
	} applied;
	struct {
		int64_t transaction;
		size_t n;
	} written; /* pages that this transaction has seen to */
	struct pack_squeezer *squeezer;
	bool dirty[256], new_folder; /* folders of blobs/ with new names; blobs/ itself */
	bool new_packs;              /* packs/ has new names */
};

static inline struct str ingest_key(const struct sha *id)
{
	return (struct str){(const char *)id->b, SHA_BYTES};
}

/* ERR_CONFLICT: gc took away what this session counted on. */
must_check int ingest_swept(struct err *e);
must_check int ingest_lease(struct ingest *in, struct err *e); /* begins to count as a session; again is fine */
/* 1: these bytes are in the store, or in this session; 0, -1. `source`: struct counted. */
must_check int ingest_seen(struct ingest *in, const struct sha *id, const char *source, struct err *e);
/* Room for a file in .leat/staging. */
void ingest_temp(struct ingest *in, char *out, size_t cap);
void ingest_entry(struct entry *out, const struct sha *id, uint64_t size);

/* Bytes whose hash is known and that are not seen. `frame`: what pack_squeeze made of them, empty if that is no
 * smaller; STR_NULL: not tried. */
must_check int ingest_new_bytes(struct ingest *in, const struct sha *id, struct str bytes, struct str frame,
				struct err *e);
/* A read-only file that only we can have open, whose hash is known: kept if its bytes are new, else removed. */
must_check int ingest_keep(struct ingest *in, const char *temp, const struct sha *id, uint64_t size,
			   const char *source, struct entry *out, struct err *e);

/* The same of a file that is not in staging: nothing of its name is removed. Its bytes are new. */
must_check int ingest_keep_own(struct ingest *in, const char *path, bool stays, const struct sha *id, struct err *e);

/* Very many files take minutes: who asks to stop is heard (ERR_CANCELLED). A few are finished. */
must_check int ingest_go_on(size_t done, struct err *e);

/* ingest_record.c: where there are many rows, writes them before the transaction that makes the commit. */
must_check int ingest_record_ahead(struct ingest *in, struct err *e);

/* ingest_small.c */
bool ingest_is_small(struct str bytes); /* goes to packs and rows */
must_check int small_add(struct ingest *in, const struct sha *id, struct str bytes, struct str frame, struct err *e);
must_check int small_finish(struct ingest *in, struct err *e); /* every pack has its name and is on disk */
void small_merge(struct ingest *to, struct ingest *from);
void small_free(struct ingest *in);

#endif
