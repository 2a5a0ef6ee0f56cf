/*
 * repo/disk.h: what lies in datastore/REPO, compared with what Leat put there. For datastore.c, drift.c and adopt.c.
 */
#ifndef LEAT_REPO_DISK_H
#define LEAT_REPO_DISK_H

#include "repo/datastore.h"
#include "repo/statcache.h"

enum disk_state {
	DISK_SAME,    /* as in `base` */
	DISK_NEXT,    /* as in `next`: a materialisation that was cut short got that far */
	DISK_OURS,    /* neither, but Leat put it there */
	DISK_EDITED,  /* in `base`, with other bytes */
	DISK_NEW,     /* not in `base` */
	DISK_DELETED, /* in `base`, not there */
	DISK_ODD,     /* a link, socket or device */
};

struct disk_file {
	struct str path; /* within the repo */
	enum disk_state state;
	struct file_key key; /* but for DELETED */
};

struct disk_scan {
	struct store *s;
	struct arena *a;
	struct statcache *cache;
	struct str repo, sub;         /* sub: a folder of it, "" = all */
	const struct sha *base, *next; /* trees of the whole repo; next may be NULL */
	bool rehash;                  /* trusts no stat */
	bool all;                     /* tells of those too that are just as they were */
	VEC(struct disk_file) files;  /* in the order of a walk, the deleted ones last; DISK_SAME maybe left out */
	struct walk *walk;            /* between begin and end */
};
must_check int disk_scan(struct disk_scan *d, struct err *e);
/* The same in three steps, of which the middle one touches nothing but the folder and may be another thread's. After a
 * begin that went well come both others. */
must_check int disk_scan_begin(struct disk_scan *d, struct err *e);
void disk_scan_walk(struct disk_scan *d);
must_check int disk_scan_end(struct disk_scan *d, struct err *e);
/* One path: as one row of a scan; DISK_DELETED if it is not there (whatever base says). */
must_check int disk_look(struct disk_scan *d, struct str path, struct disk_file *out, struct err *e);

char *disk_path(struct store *s, struct arena *a, struct str repo, struct str path); /* absolute */

/* The repos that have a folder in datastore/: with what it shows and what it should show. */
struct disk_repo {
	struct repo repo;
	struct sha shown, head; /* the empty tree where there is none */
	int64_t files, bytes;   /* of the head */
	bool unshown;           /* datastore/ does not show it, but for what users dropped there */
	bool hidden;            /* for datastore.c: it is not to be shown from now on */
};
#define DISK_SHOWN_MAX 10000 /* small files of a repo that datastore/ shows unasked */
/* repo 0: all; only_lagging: those whose shown is not their head, though it should be. */
must_check int disk_repos(struct store *s, struct arena *a, int64_t repo, bool only_lagging, struct disk_repo **out,
                          size_t *n, struct err *e);
/* Where something may lie of which a look tells, by name. */
struct disk_place {
	int64_t repo;
	struct str name;
	bool bare; /* datastore/ shows nothing of it, and should not: only what somebody dropped may be there */
};
must_check int disk_places(struct store *s, struct arena *a, int64_t repo, struct disk_place **out, size_t *n,
                           struct err *e);
/* Inside a write transaction. */
must_check int disk_shown(struct store *s, int64_t repo, const struct sha *tree, struct err *e);

/*
 * .leat/datastore.lock, a byte a repo (by its name, so that one may be locked that is yet to come): held alone while
 * datastore/REPO is changed or adopted, shared while it is looked at. Who wants several asks for them at once, and they
 * are taken in one order; nobody who holds one asks for another. *fd, when closed, gives them back.
 * 1, -1.
 */
enum { DISK_SHARED = 1 };
must_check int disk_lock(struct store *s, const struct str *repos, size_t n, unsigned how, int *fd, struct err *e);
/* One more by the same fd, alone: 1; 0 somebody holds it; -1. Only who holds no other one may wait. */
must_check int disk_lock_more(struct store *s, struct str repo, bool wait, int *fd, struct err *e);
/* All of them at once and alone, if nobody is at work on any (but by this fd itself): 1, 0, -1. */
must_check int disk_lock_all(struct store *s, int *fd, struct err *e);

#endif
