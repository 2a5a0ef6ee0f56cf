/*
 * repo/store.h: the versioned store of a workspace: what is where, opening, names of repos, events.
 *
 *   .leat/leat.db       rows (defs/migrations.def)
 *   .leat/blobs/ab/cd…  whole blobs, read-only, named by SHA-256
 *   .leat/packs/N.pack  many small objects in one file
 *   .leat/staging/      units and puts at work
 *   .leat/labels/ds=D   symbolic links to blobs/ (repo/alias.h)
 *   .leat/views/        read-only folders of links to blobs, by tree id
 *   .leat/old/          swapped-out folders, 60 s
 *   .leat/lost+found/   foreign files that a swap would have hidden
 *   .leat/cache/        may be deleted at any time
 *   .leat/logs/         logs of attempts
 *   .leat/pools.lock    a locked byte per place of a pool that a unit holds (flow/run_pool.c)
 *   .leat/readers.lock  a locked byte per commit that is being read
 *   .leat/sessions.lock a locked byte per gc epoch in which a writer began
 *   datastore/REPO/     the materialised head of master
 *
 * Order of durability: data (blobs), then trees and rows in one transaction, then datastore/ (derived).
 */
#ifndef LEAT_REPO_STORE_H
#define LEAT_REPO_STORE_H

#include "db/db.h"
#include "repo/workspace.h"

struct tree_cache;
struct overlay;

struct store {
	struct workspace *ws; /* not owned */
	struct db *db;
	char *leat_dir;       /* absolute, "/x/.leat" */
	char *data_dir;       /* absolute, "/x/datastore" */
	const struct overlay *on; /* the workspace branch this handle works on (repo/overlay.h); NULL: master */
	struct tree_cache *trees; /* pages read lately (tree_page.c) */
	int readers;          /* .leat/readers.lock, with a lock per commit being read; -1: none yet */
	uint64_t *leases;     /* the bytes of it that are locked here */
	size_t n_leases, cap_leases;
	struct packs *packs;  /* packs open for reading (pack_read.c); NULL: none yet */
	int sessions;         /* .leat/sessions.lock; -1: none yet */
	int live;             /* sessions of writers that this handle has */
	int64_t epoch;        /* the gc epoch that they began in, while live > 0 */
	bool apart;           /* of store_open_apart */
	int64_t *moved;       /* repos of which this handle has moved a head, for datastore.c; sorted by nothing */
	size_t n_moved, cap_moved;
	int64_t brought; /* files that its commits brought, about, since contents.c has looked */
};

/*
 * Makes .leat/ and datastore/; refuses network file systems. What a crash left half-made is finished by calling it
 * again; a store that is whole is left as it is.
 */
must_check int store_create(struct workspace *ws, struct err *e);
/* Without one: ERR_NO_WORKSPACE naming `leat init`. */
must_check int store_open(struct workspace *ws, struct store **out, struct err *e);
void store_close(struct store *s); /* NULL is fine */
void store_rest(struct store *s); /* nothing is being read from it for now: what was leased may go (for who stays) */
/*
 * A new store by itself, `dir`/.leat, for jobs and settings of a workspace whose own store is not looked at. It is
 * never shown as datastore/, survives no power cut, and is the caller's to remove. store_empty leaves it as it was just
 * made: whatever it held is gone, but for files that nobody can see.
 */
must_check int store_open_apart(struct workspace *ws, const char *dir, struct store **out, struct err *e);
must_check int store_empty(struct store *s, struct err *e);

#define ID_HEX 32
struct id {
	char hex[ID_HEX + 1]; /* "" = none */
};
struct id id_new(void);

/* Which repos this handle has moved a head of (or tried to): what its user expects to see in datastore/. */
void store_moved(struct store *s, int64_t repo);
bool store_has_moved(const struct store *s, int64_t repo);
struct str store_workspace_id(struct store *s, struct arena *a); /* made with it; "" if it is not there */
struct id id_of(struct str hex); /* 32 digits, else the zero id */

/*
 * Reader leases: while a commit is being read its data stays, also when it is dropped meanwhile. A shared lock on the
 * byte of .leat/readers.lock whose offset is the first 62 bits of the commit's id; released with the store, or by the
 * death of the process. The order is: find the commit, lease it, look again that it is there (this function does both);
 * gc treats a dropped commit with a lease as a root. pin_resolve and the catalog lease what they find. Never inside a
 * read snapshot (or in the middle of a statement's rows): the second look would be at the past.
 * 1 leased and there; 0 it is not there (any more); -1.
 */
must_check int store_lease_commit(struct store *s, int64_t repo, struct id id, struct err *e);
void store_lease_drop(struct store *s, struct id id);
/* Whether this handle has one: who tries a lease in vain leaves those that there were. */
bool store_leased(const struct store *s, struct id id);
/*
 * Of what an open commit held before it was put into again no row tells. So who reads one takes this lease first (one
 * byte for all of them, the last), then looks what it holds; gc sweeps nothing meanwhile.
 */
must_check int store_lease_open(struct store *s, struct err *e);
void store_lease_open_drop(struct store *s);
must_check int store_lease_open_held(struct store *s, struct err *e); /* for gc: 1, 0, -1 */
/* For gc: whether somebody with another handle than `s` reads it: 1, 0, -1. */
must_check int store_lease_held(struct store *s, struct id id, struct err *e);
must_check int store_lease_any(struct store *s, struct err *e); /* whether somebody reads anything */
/* Holds all readers off for a moment, if there are none: 1; 0 there are; -1. Who begins to read meanwhile waits. */
must_check int store_readers_shut(struct store *s, struct err *e);
void store_readers_open(struct store *s);

/*
 * Leases of writers: from its first look at the store until its commit is recorded, a session (repo/ingest.h) holds a
 * shared lock on the byte of .leat/sessions.lock whose offset is the gc epoch it began in. What that means:
 * - rows that nobody reaches may be swept at any time, after gc has counted `gc_epoch` up in the same transaction. A
 *   session compares the epoch in its last transaction; if gc has swept since, it looks again at every object that it
 *   found and did not write, and records anew all rows that it wrote before.
 * - files (blobs, packs) that no row names may be unlinked only if no session older than the epoch of the listing
 *   lives: count up, list, and ask store_sessions_before(epoch) after the listing.
 * Never by age. Death releases a session.
 */
must_check int store_session_begin(struct store *s, int64_t *epoch, struct err *e); /* not inside a transaction */
void store_session_end(struct store *s);
must_check int store_epoch(struct store *s, int64_t *epoch, struct err *e);
/* For gc, inside its write transaction: counts up; the new number. */
must_check int store_epoch_next(struct store *s, int64_t *epoch, struct err *e);
/* Whether a session of another handle lives (that began in an epoch before this one): 1, 0, -1. */
must_check int store_sessions_any(struct store *s, struct err *e);
must_check int store_sessions_before(struct store *s, int64_t epoch, struct err *e);

enum repo_role { REPO_SOURCE, REPO_OUTPUT, REPO_SYSTEM };
struct repo {
	int64_t id;
	struct str name; /* in the caller's arena */
	enum repo_role role;
	struct str job;  /* whose output it is; STR_NULL */
};
/* 1 found, 0 there is none (out untouched), -1 error. */
must_check int repo_find(struct store *s, struct arena *a, struct str name, struct repo *out, struct err *e);
/* Also one that only a workspace branch has (repo/overlay.h), when this handle is not on it. */
must_check int repo_find_any(struct store *s, struct arena *a, struct str name, struct repo *out, struct err *e);
/* Whether repo_ensure would make one of that name; none of that name is there. */
must_check int repo_may_be_made(struct store *s, struct str name, struct err *e);
/* Inside a write transaction: found or made. Refuses a name inside or above another repo's, or equal but for case. */
must_check int repo_ensure(struct store *s, struct arena *a, struct str name, enum repo_role role, struct str job,
                           struct repo *out, struct err *e);
must_check int repo_list(struct store *s, struct arena *a, struct repo **out, size_t *n, struct err *e); /* by name */
/* Ends it (`rm --repo`), inside a write transaction: its name is free, its commits stay, what is open is dropped. */
must_check int repo_end(struct store *s, const struct repo *r, struct err *e);
/* Inside a write transaction: whose output it is from now on (STR_NULL: nobody's, a source). */
must_check int repo_set_role(struct store *s, struct repo *r, enum repo_role role, struct str job, struct err *e);
/* ERR_NOT_FOUND with the nearest name as hint. */
int repo_not_found(struct store *s, struct str name, struct err *e);

/* An event row (SEMANTICS 1), inside a write transaction. `label` is a ds or "". */
struct event {
	struct id id, batch;
	const char *kind; /* put, rm, commit, run, … */
	const char *label, *command;
};
must_check int event_record(struct store *s, const struct event *ev, struct err *e);
must_check int event_there(struct store *s, const struct id *id, struct err *e); /* 1, 0, -1 */
/* Who acts: USER, else LOGNAME, else the number. */
const char *store_who(void);

#endif
