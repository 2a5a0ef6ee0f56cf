/*
 * repo/pack.h: packs, many small objects in one file (docs/formats/store.md). A pack is written once, by one writer,
 * under a temporary name; then it never changes. It says itself what it holds: the rows of `pack` and `packed` only
 * make the finding fast.
 *
 * Objects are kept raw, or as one zstd frame where that is smaller: stored < size tells which. Every object that is
 * read is checked against its SHA-256.
 */
#ifndef LEAT_REPO_PACK_H
#define LEAT_REPO_PACK_H

#include "base/buf.h"
#include "repo/store.h"

#define PACK_OBJECT_MAX ((int64_t)1 << 20) /* bytes of one object */
#define PACK_FULL ((uint64_t)64 << 20)     /* writers close a pack that has this many bytes */
#define PACK_FILE_MAX ((int64_t)1 << 31)   /* no reader takes more */
#define PACK_NAME 32                       /* of it: 16 hex digits and a NUL */

struct pack_entry {
	struct sha id;
	uint64_t at;           /* where its record begins in the file */
	uint32_t stored, size; /* bytes there; bytes of the object */
};

void pack_path(const struct store *s, const char *name, char *out, size_t cap); /* absolute */

/* --- writing; the order is create, add…, finish, sync, place, then inside a transaction record --- */

struct pack_writer;
must_check int pack_create(struct store *s, struct pack_writer **out, struct err *e); /* in .leat/staging */
void pack_writer_free(struct pack_writer *w); /* NULL is fine; one that was not placed is removed */
/*
 * Takes an object (not twice the same). `frame` is what pack_squeeze made of it, STR_NULL for raw. Written as it goes:
 * at most some 1 MiB is kept in memory beside 64 bytes an object.
 */
must_check int pack_add(struct pack_writer *w, const struct sha *id, struct str bytes, struct str frame, struct err *e);
uint64_t pack_written(const struct pack_writer *w); /* bytes so far */
size_t pack_objects(const struct pack_writer *w);
must_check int pack_finish(struct pack_writer *w, struct err *e); /* the footer; starts bringing it to disk */
must_check int pack_sync(struct pack_writer *w, struct err *e);
must_check int pack_place(struct pack_writer *w, struct err *e); /* its name; the folder is the caller's to sync */
/* Inside a write transaction: the row of `pack`; its number is pack_number, of this transaction. */
must_check int pack_record(struct pack_writer *w, struct err *e);
int64_t pack_number(const struct pack_writer *w);
/* Rows [from, from + n) of `packed`, in the order of ids after pack_finish. ERR_* of the database. */
must_check int pack_record_rows(struct pack_writer *w, size_t from, size_t n, struct err *e);
/* Entry i, sorted by id after pack_finish, in the order of adding before. */
const struct pack_entry *pack_entry(const struct pack_writer *w, size_t i);
/* Reads an object back before it has a row; *out holds size bytes. */
must_check int pack_read_back(struct pack_writer *w, const struct pack_entry *t, char *out, struct err *e);
const char *pack_name(const struct pack_writer *w);

/* One zstd frame in *out if that is smaller by an eighth, else false. The context is one thread's. */
struct pack_squeezer;
struct pack_squeezer *pack_squeezer_new(void);
void pack_squeezer_free(struct pack_squeezer *q);
bool pack_squeeze(struct pack_squeezer *q, struct str bytes, struct buf *out);

/* --- reading --- */

struct pack_at {
	int64_t pack, at, stored, size; /* a row of `packed` */
};
/*
 * Into out, of at->size bytes, checked against the id. ERR_NOT_FOUND: the pack's file is not there (any more): look the
 * row up again, since re-packing may have moved the object. ERR_DAMAGED otherwise. Not inside a read snapshot, whose
 * rows may be older than the files.
 */
must_check int pack_fetch(struct store *s, const struct sha *id, const struct pack_at *at, char *out, struct err *e);
/*
 * The same by threads: the store's own opens the file, which then can be read even when re-packing removes it. A reader
 * is one thread's.
 */
struct pack_reader;
struct pack_reader *pack_reader_new(void);
void pack_reader_free(struct pack_reader *r); /* NULL is fine */
must_check int pack_open(struct store *s, int64_t pack, int *fd, struct err *e); /* ERR_NOT_FOUND as pack_fetch */
/*
 * Reads n bytes from `from` on at once: objects that lie wholly in there are then taken from memory, until the next
 * call (n 0: no more). The file is known by its fd, which must stay open until then. Bytes that cannot be had are left
 * to the fetch.
 */
void pack_reader_ahead(struct pack_reader *r, int fd, int64_t from, size_t n);
must_check int pack_reader_fetch(struct pack_reader *r, int fd, const struct sha *id, const struct pack_at *at,
				 char *out, struct err *e);
void packs_free(struct packs *p); /* NULL is fine; store_close does it */

/*
 * What a pack says that it holds, from its footer alone, sorted by id; every bound and the footer's hash are checked,
 * not the objects. pack_index reads a file, pack_decode takes all its bytes (`file` may hold nothing but zeros between
 * head and footer). ERR_DAMAGED says what is wrong, without the file's name (pack_index adds it).
 */
must_check int pack_index(struct store *s, struct arena *a, const char *name, struct pack_entry **out, size_t *n,
			  struct err *e);
must_check int pack_decode(struct arena *a, struct str file, struct pack_entry **out, size_t *n, struct err *e);
/* The object from its stored bytes: unpacked, and checked against the id. out: t->size bytes. */
must_check int pack_open_object(const struct pack_entry *t, const char *stored, char *out, struct err *e);

#endif
