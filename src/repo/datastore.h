/*
 * repo/datastore.h: datastore/REPO, the materialised head of master for everybody else's programs, and its adoption
 * (SEMANTICS 6). Derived: follows the transaction, may lag after a crash, is completed by the next command that writes.
 */
#ifndef LEAT_REPO_DATASTORE_H
#define LEAT_REPO_DATASTORE_H

#include "repo/commit.h"

/* Brings datastore/ of all repos that lag to their heads. Foreign files as SEMANTICS 6 says; what moved to lost+found
 * is told to `note`. */
typedef void (*datastore_note)(void *ptr, const char *text);
must_check int datastore_update(struct store *s, datastore_note note, void *ptr, struct err *e);
/* The same of these alone, whose user looks there next: who is at work on one of them is waited for. */
must_check int datastore_update_these(struct store *s, const int64_t *ids, size_t n, datastore_note note, void *ptr,
                                      struct err *e);

enum drift_kind { DRIFT_NEW, DRIFT_EDITED, DRIFT_DELETED, DRIFT_NEW_REPO, DRIFT_LAGS };
struct drift {
	enum drift_kind kind;
	struct str repo, path;
	bool output; /* in a job's output repo */
};
/* What differs in datastore/ from what Leat put there: by stat cache; writes nothing but the cache. */
must_check int datastore_drift(struct store *s, struct arena *a, struct str repo /* STR_NULL: all */, bool rehash,
                               struct drift **out, size_t *n, struct err *e);
/*
 * The same of all, beside other work of this thread, which must not change datastore/ meanwhile: the repos' locks are
 * held from begin to end or drop, one of which must follow. In the arena.
 */
struct drift_look;
must_check int datastore_look_begin(struct store *s, struct arena *a, struct drift_look **out, struct err *e);
bool datastore_look_is_done(struct drift_look *l); /* end does not wait */
must_check int datastore_look_end(struct drift_look *l, struct drift **out, size_t *n, struct err *e);
void datastore_look_drop(struct drift_look *l);    /* NULL is fine */

struct adopt_opts {
	struct str repo;   /* STR_NULL: all */
	struct str path;   /* within repo: nothing else is adopted or restored; "" all */
	bool restore, rehash;
	struct str message;
};
struct adopted {
	struct str repo;
	bool made;
	struct commit commit;
	int64_t added, changed, deleted;
};
must_check int datastore_commit(struct store *s, struct arena *a, const struct adopt_opts *o, struct id batch,
                                struct adopted **out, size_t *n, datastore_note note, void *ptr, struct err *e);

/* After a repo was ended: its folder goes; foreign and edited files in it move to lost+found. */
must_check int datastore_remove(struct store *s, struct str repo, struct err *e);

#endif
