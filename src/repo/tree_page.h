/*
 * repo/tree_page.h: one page of a folder as bytes (docs/formats/store.md), and where pages are found: in the session
 * that made them, in the cache, in leat.db. For the tree_*.c files and fsck.
 *
 * A page of level 0 holds entries; a page of level n > 0 holds references to pages of level n - 1, in order of their
 * last names. A page is canonical: decoding refuses what encoding would not have made, so equal lists have equal ids.
 */
#ifndef LEAT_REPO_TREE_PAGE_H
#define LEAT_REPO_TREE_PAGE_H

#include "base/buf.h"
#include "repo/tree.h"

#define TREE_PAGE_VERSION 1
#define TREE_PAGE_MAX 512     /* items in a page */
#define TREE_PAGE_MAX_LEVEL 15
#define TREE_PAGE_BITS 5      /* one name in 32 ends its page */
#define TREE_PAGE_BITS_OLD 6  /* one in 64 did in early stores: such pages are read, and cut anew by edits */
#define TREE_PAGE_MAX_NAME 255
#define TREE_PAGE_MAX_BYTES (TREE_PAGE_MAX * (TREE_PAGE_MAX_NAME + 80))

/* An entry (level 0) or a reference to a page: then name is the last one below, kind is ENTRY_FOLDER, n the entries
 * below. */
struct item {
	struct entry entry;
	int64_t n;
};

struct page {
	int level;
	struct item *items; /* names point into the bytes given to tree_page_decode */
	size_t n;
};

/* ERR_DAMAGED saying what is wrong. `a` holds the items. */
must_check int tree_page_decode(struct arena *a, struct str body, struct page *out, struct err *e);
/* Appends to *b. */
void tree_page_encode(struct buf *b, int level, const struct item *items, size_t n);
/* Whether a page of that level ends after this, its n-th item. */
bool tree_page_ends(int level, struct str name, size_t n);
/* Sums over a page: of the folder, if it is its root. */
void tree_page_sums(const struct page *p, struct entry *out, int64_t *entries);

/*
 * The bytes of a page, checked against nothing but that they are there (fsck hashes them). They live in `a`.
 * A missing page is ERR_DAMAGED.
 */
must_check int tree_page_bytes(struct store *s, struct ingest *in, const struct sha *id, struct arena *a,
			       struct str *out, struct err *e);
/* `level` is what its parent says it must be; -1 for the root of a folder. */
must_check int tree_page_read(struct store *s, struct ingest *in, const struct sha *id, int level, struct arena *a,
                              struct page *out, struct err *e);
/* Where in a page `name` is, or would be: the first item whose name is not smaller; p->n if none. */
size_t tree_page_seek(const struct page *p, struct str name);
/* A page that was made: kept in the session until tree_record; and its id. */
struct sha tree_page_made(struct store *s, struct ingest *in, int level, const struct item *items, size_t n);

/* The pages that a session has made and not recorded (owned by ingest.c). */
struct tree_new {
	struct sha id;
	struct str body;
	int64_t recorded; /* in which transaction (db_transaction): one that rolled back does not count; INGEST_AHEAD */
};
/* Writes them into leat.db; inside a write transaction. */
must_check int tree_record(struct store *s, struct ingest *in, struct err *e);
must_check int tree_record_page(struct store *s, const struct tree_new *t, struct err *e); /* one of them */

struct tree_cache *tree_cache_new(void);
void tree_cache_free(struct tree_cache *c); /* NULL is fine */

#endif
