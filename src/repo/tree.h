/*
 * repo/tree.h: immutable folders (docs/formats/store.md). A folder is a list of entries sorted by name bytes, encoded
 * in pages; a large folder is split by content (a boundary after an entry whose name hash says so), with index pages
 * above, so that equal folders have equal ids however they came about and an edit costs the pages on its path.
 */
#ifndef LEAT_REPO_TREE_H
#define LEAT_REPO_TREE_H

#include "base/glob.h"
#include "repo/store.h"

enum entry_kind { ENTRY_FILE, ENTRY_FOLDER };

struct entry {
	struct str name;   /* one segment; in the reader's arena */
	enum entry_kind kind;
	struct sha id;     /* SHA-256 of the bytes, or the folder's tree id */
	int64_t size;      /* bytes: of the file; of all files below */
	int64_t files;     /* 1, or all files below */
};

/* The folder with nothing in it; also what "ran and gave nothing" publishes as ds=D. */
struct sha tree_empty_id(void);

/* Pages made but not yet in leat.db live here until tree_record (inside a write transaction). Reads look here first. */
struct ingest;

/* Path lookup: 1 found, 0 nothing there, -1 error. "" is the root itself (a folder entry). `in` may be NULL. */
must_check int tree_find(struct store *s, struct ingest *in, const struct sha *root, struct str path, struct entry *out,
                         struct err *e);

/* One folder, in order of names. cb returns 0 to go on, 1 to stop (fine), TREE_SKIP not to go into this folder, -1 with
 * e filled. */
#define TREE_SKIP 2
typedef int (*tree_cb)(void *ptr, struct str path, const struct entry *entry, struct err *e);
must_check int tree_list(struct store *s, struct ingest *in, const struct sha *folder, struct str after, tree_cb cb,
                         void *ptr, struct err *e);
/* All files below (folders too if `folders`), depth first, path relative to `root`. */
must_check int tree_walk(struct store *s, struct ingest *in, const struct sha *root, bool folders, tree_cb cb,
			 void *ptr, struct err *e);
/* The files and folders whose path matches, in that order; folders that no match can lie in are not read. */
must_check int tree_glob(struct store *s, const struct sha *root, const struct glob *g, tree_cb cb, void *ptr,
                         struct err *e);

/* An edit of a tree. Paths as name_path gives them. A file where a folder is (or the other way round) is ERR_REFUSED
 * naming the path. */
enum edit_op { EDIT_PUT, EDIT_REMOVE };
struct tree_edit {
	enum edit_op op;
	struct str path;
	struct entry entry; /* for PUT: name ignored; kind, id, size, files count */
};
/* Folders left without entries by a removal go too (but for an EDIT_PUT of an empty folder). base NULL = empty. */
must_check int tree_apply(struct store *s, struct ingest *in, const struct sha *base, const struct tree_edit *edits,
                          size_t n, struct entry *out_root, struct err *e);

/* Differences of two trees, unchanged folders skipped by id; by path. cb returns as a tree_cb does. */
enum diff_kind { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED };
typedef int (*diff_cb)(void *ptr, enum diff_kind kind, struct str path, const struct entry *old_entry,
                       const struct entry *new_entry, struct err *e);
must_check int tree_diff(struct store *s, const struct sha *a, const struct sha *b, bool folders, diff_cb cb, void *ptr,
                         struct err *e);

/*
 * The files of b that a has not, or has with other bytes, each with its rank: how many files of b come before it in the
 * order of tree_walk. A folder of which a has nothing is told of before its files: TREE_SKIP leaves them out. tree_nth
 * finds a file again by its rank, at the cost of its depth: 1; 0: there are not so many; -1.
 */
typedef int (*tree_new_cb)(void *ptr, const struct entry *entry, int64_t rank, struct err *e);
must_check int tree_news(struct store *s, const struct sha *a, const struct sha *b, tree_new_cb cb, void *ptr,
                         struct err *e);
must_check int tree_nth(struct store *s, struct arena *arena, const struct sha *root, int64_t rank, struct str *path,
                        struct entry *out, struct err *e);

/* One path in two trees, no more of them read than tells whether it differs: -1, or */
enum { TREE_SAME, TREE_ADDED, TREE_GONE, TREE_CHANGED };
/* ADDED, CHANGED: *is is what stands in b; GONE, CHANGED: *was what stood in a. Else they are not set. */
must_check int tree_compare(struct store *s, const struct sha *a, const struct sha *b, struct str path,
                            struct entry *was, struct entry *is, struct err *e);

/* The ds=… folders of a tree's root, by label in time order. */
struct part {
	char label[24];
	struct entry entry;
};
must_check int tree_parts(struct store *s, struct arena *a, const struct sha *root, struct part **out, size_t *n,
                          struct err *e);

#endif
