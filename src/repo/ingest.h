/*
 * repo/ingest.h: bytes on their way into the store. A session collects new blobs and new tree pages; nothing of it can
 * be seen until ingest_record ran inside a transaction that commits. Dropping a session leaves at most unreferenced
 * blobs, which gc sweeps.
 *
 *   struct ingest *in = ingest_new(s);
 *   ingest_folder(in, staging, INGEST_MOVE, &root, e);   hashes, stores what is new
 *   ingest_begin(in, e);                                 all fsyncs; then the transaction begins
 *   commit_make(...); db_commit;
 *   ingest_free(in);
 */
#ifndef LEAT_REPO_INGEST_H
#define LEAT_REPO_INGEST_H

#include "repo/tree.h"
#include "sys/file.h"

/* MOVE: the source is ours and may be renamed away (a staging folder). KEEP: it is ours and stays as it is, linked
 * (nobody may write to it any more). COPY: it is the user's: copied (reflinked).
 * ADOPT: of datastore/, by the rules of SEMANTICS 6 (read lease; linked where `protect` allows). */
enum ingest_how { INGEST_MOVE, INGEST_KEEP, INGEST_COPY, INGEST_ADOPT };

struct ingest *ingest_new(struct store *s);
void ingest_free(struct ingest *in); /* NULL is fine */

must_check int ingest_file(struct ingest *in, const char *path, enum ingest_how how, struct entry *out, struct err *e);
must_check int ingest_fd(struct ingest *in, int fd, struct entry *out, struct err *e); /* to its end: standard input */
must_check int ingest_bytes(struct ingest *in, struct str bytes, struct entry *out, struct err *e);
/* What ingest_folder finds, told one by one in the order of paths instead of being made a tree. */
must_check int ingest_each(struct ingest *in, const char *dir, enum ingest_how how, tree_cb cb, void *ptr,
			   struct err *e);
/*
 * Many files, read and hashed side by side. `tell` gets each in order, with the file's stat as it was read; `fail` is
 * NULL or why it was not taken in (ERR_BUSY: it is being written). It returns 0, or -1 with *e to stop.
 */
struct ingest_item {
	const char *path;
	enum ingest_how how;
	void *tag; /* the caller's */
	bool plain; /* a plain file was seen there just now: it need not be looked at before it is opened */
};
struct ingest_told {
	struct entry entry;
	struct file_key key;
	int64_t started_ns; /* when its hashing began, by the clock that stamps files */
	const struct err *fail;
};
typedef int ingest_tell(void *ptr, const struct ingest_item *item, const struct ingest_told *told, struct err *e);
must_check int ingest_files(struct ingest *in, const struct ingest_item *items, size_t n, ingest_tell *tell, void *ptr,
			    struct err *e);
/* A whole folder; symlinks that stay inside are followed, others, sockets, devices are ERR_REFUSED naming the path. */
must_check int ingest_folder(struct ingest *in, const char *dir, enum ingest_how how, struct entry *out, struct err *e);
/* Two sessions made side by side become one (for group commit); `from` is emptied. */
void ingest_merge(struct ingest *to, struct ingest *from);
/* The bytes of a small object that this session has taken in: 1; 0 it has none such; -1. */
must_check int ingest_object(struct ingest *in, const struct sha *id, struct arena *a, struct str *out, struct err *e);
/*
 * ingest_sync, db_begin, ingest_record. If gc has meanwhile taken away what the session had found in the store, that is
 * taken in once more from the file that it was read from, which must be there as it was; else ERR_CONFLICT.
 */
must_check int ingest_begin(struct ingest *in, struct err *e);
bool ingest_needs_files(const struct ingest *in); /* for that: those it has read must stay; NULL: false */
/* Outside of any transaction. Where there are very many rows they are recorded here, ahead of the commit. */
must_check int ingest_sync(struct ingest *in, struct err *e);
must_check int ingest_record(struct ingest *in, struct err *e); /* inside db_begin */

#endif
