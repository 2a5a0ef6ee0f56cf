/*
 * repo/ingest.h: bytes on their way into the store. A session collects new blobs and new tree pages; nothing of it can
 * be seen until ingest_record ran inside a transaction that commits. Dropping a session leaves at most unreferenced
 * blobs, which gc sweeps.
 *
 *   struct ingest *in = ingest_new(s);
 *   ingest_folder(in, staging, INGEST_MOVE, &root, e);   hashes, stores what is new
 *   ingest_sync(in, e);                                  all fsyncs, no transaction held
 *   db_begin; ingest_record(in, e); commit_make(...); db_commit;
 *   ingest_free(in);
 */
#ifndef LEAT_REPO_INGEST_H
#define LEAT_REPO_INGEST_H

#include "repo/tree.h"

/* MOVE: the source is ours and may be renamed away (a staging folder). COPY: it is the user's: copied (reflinked).
 * ADOPT: of datastore/, by the rules of SEMANTICS 6 (read lease; linked where `protect` allows). */
enum ingest_how { INGEST_MOVE, INGEST_COPY, INGEST_ADOPT };

struct ingest *ingest_new(struct store *s);
void ingest_free(struct ingest *in); /* NULL is fine */

must_check int ingest_file(struct ingest *in, const char *path, enum ingest_how how, struct entry *out, struct err *e);
must_check int ingest_fd(struct ingest *in, int fd, struct entry *out, struct err *e); /* to its end: standard input */
must_check int ingest_bytes(struct ingest *in, struct str bytes, struct entry *out, struct err *e);
/* A whole folder; symlinks that stay inside are followed, others, sockets, devices are ERR_REFUSED naming the path. */
must_check int ingest_folder(struct ingest *in, const char *dir, enum ingest_how how, struct entry *out, struct err *e);
/* Two sessions made side by side become one (for group commit); `from` is emptied. */
void ingest_merge(struct ingest *to, struct ingest *from);
must_check int ingest_sync(struct ingest *in, struct err *e);
must_check int ingest_record(struct ingest *in, struct err *e); /* inside db_begin */

#endif
