/* `leat commit`: what users dropped, changed and removed in datastore/ becomes a commit, or is put back. */
#include <stdio.h>

#include "base/name.h"
#include "base/map.h"
#include "base/str.h"
#include "repo/drift.h"
#include "repo/place.h"
#include "repo/tree_page.h"
#include "sys/fd.h"

#define NOTES_MAX 20 /* files named one by one */

/* One repo's share of the commit. */
struct share {
	struct disk_repo r;
	bool new_repo;
	VEC(struct tree_edit) edits;
	VEC(struct entry) had; /* per edit: what was shown there; id zero = nothing */
	struct statcache *cache;
	struct sha after; /* what is shown when it is committed */
	struct adopted out;
};

struct adopt {
	struct store *s;
	struct arena *a;
	const struct adopt_opts *o;
	struct id batch;
	datastore_note note;
	void *ptr;
	struct ingest *in;
	struct map locked; /* names of repos: no other is looked at */
	VEC(struct share *) shares, open; /* open: those whose stat caches are */
	int64_t busy;        /* files that somebody is writing */
	struct err busy_err; /* the first of them */
};

static void say(struct adopt *ad, const char *text)
{
	if (ad->note)
		ad->note(ad->ptr, text);
}

/* Whether `path` is `sub` or lies in it. */
static bool under(struct str path, struct str sub)
{
	return !sub.n || str_eq(path, sub) || (str_has_prefix(path, sub) && path.p[sub.n] == '/');
}

static const char *const words[] = {
	[DISK_EDITED] = "edited",
	[DISK_NEW] = "not put there by leat",
	[DISK_DELETED] = "deleted",
	[DISK_ODD] = "no plain file",
};

/* In a job's output nothing is adopted: the files are named. */
static void name_drift(struct adopt *ad, const struct disk_repo *r, const struct disk_scan *scan)
{
	size_t named = 0, all = 0;

	for (size_t i = 0; i < scan->files.n; i++) {
		const struct disk_file *f = &scan->files.p[i];
		if (!words[f->state] || !under(f->path, ad->o->path))
			continue;
		if (all++ < NOTES_MAX) {
			named++;
			say(ad, arena_printf(ad->a, "datastore/%.*s/%.*s: %s", STR_ARG(r->repo.name), STR_ARG(f->path),
					     words[f->state]));
		}
	}
	if (all > named)
		say(ad, arena_printf(ad->a, "datastore/%.*s: %zu more", STR_ARG(r->repo.name), all - named));
	if (all)
		say(ad, arena_printf(ad->a,
				     "%.*s is written by the job %.*s: nothing is adopted; leat commit --restore %.*s "
				     "puts it back",
				     STR_ARG(r->repo.name), STR_ARG(r->repo.job), STR_ARG(r->repo.name)));
}

/* One change of a user's: remembered, with what was shown there. */
static int add_change(struct adopt *ad, struct share *sh, const struct disk_file *f, const struct entry *entry,
		      struct err *e)
{
	struct tree_edit ed = {.op = entry ? EDIT_PUT : EDIT_REMOVE, .path = f->path};
	struct entry had = {0};

	if (entry)
		ed.entry = *entry;
	/* Where the head is not shown, what is dropped changes what the head has there. */
	if (tree_find(ad->s, NULL, sh->r.unshown ? &sh->r.head : &sh->r.shown, f->path, &had, e) < 0)
		return -1;
	if (ed.op == EDIT_PUT && had.kind == ENTRY_FOLDER && !sha_is_zero(&had.id)) { /* a file where a folder was */
		struct tree_edit gone = {.op = EDIT_REMOVE, .path = f->path};
		vec_push(ad->a, &sh->edits, gone);
		vec_push(ad->a, &sh->had, had);
	}
	sh->out.added += f->state == DISK_NEW;
	sh->out.changed += f->state == DISK_EDITED;
	sh->out.deleted += f->state == DISK_DELETED;
	vec_push(ad->a, &sh->edits, ed);
	vec_push(ad->a, &sh->had, had);
	return 0;
}

/* Whether a file can be adopted at all; what cannot is named. */
static bool adoptable(struct adopt *ad, const struct share *sh, const struct disk_file *f)
{
	char path[NAME_MAX_PATH + 1];
	struct err inner = ERR_INIT;
	size_t n;

	if (f->state == DISK_ODD) {
		say(ad, arena_printf(ad->a, "datastore/%.*s/%.*s is no plain file: not adopted",
				     STR_ARG(sh->r.repo.name), STR_ARG(f->path)));
		return false;
	}
	if (f->state != DISK_DELETED && name_path(f->path, path, &n, NULL, &inner)) {
		say(ad, arena_printf(ad->a, "datastore/%.*s: not adopted: %s", STR_ARG(sh->r.repo.name), inner.msg));
		return false;
	}
	return true;
}

struct adopting {
	struct adopt *ad;
	struct share *sh;
};

static int adopted(void *ptr, const struct ingest_item *item, const struct ingest_told *told, struct err *e)
{
	struct adopting *w = ptr;
	struct adopt *ad = w->ad;
	const struct disk_file *f = item->tag;

	if (told->fail && told->fail->code != ERR_BUSY) {
		*e = *told->fail;
		return -1;
	}
	if (told->fail) {
		if (!ad->busy++)
			ad->busy_err = *told->fail;
		say(ad, arena_printf(ad->a, "datastore/%.*s/%.*s is still being written: not adopted",
				     STR_ARG(w->sh->r.repo.name), STR_ARG(f->path)));
		return 0;
	}
	statcache_hashed(w->sh->cache, f->path, &told->key, &told->entry.id, told->started_ns);
	return add_change(ad, w->sh, f, &told->entry, e);
}

/* What the user made of a repo's folder. */
static int adopt_files(struct adopt *ad, struct share *sh, const struct disk_scan *scan, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct adopting w = {ad, sh};
	VEC(struct ingest_item) items = {0};

	for (size_t i = 0; i < scan->files.n; i++) {
		struct disk_file *f = &scan->files.p[i];
		if (!words[f->state] || !under(f->path, ad->o->path) || !adoptable(ad, sh, f))
			continue;
		if (f->state == DISK_DELETED) {
			if (add_change(ad, sh, f, NULL, e))
				return -1;
			continue;
		}
		struct ingest_item item = {disk_path(ad->s, a, sh->r.repo.name, f->path), INGEST_ADOPT, f};
		vec_push(a, &items, item);
	}
	return ingest_files(ad->in, items.p, items.n, adopted, &w, e);
}

static int adopt_repo(struct adopt *ad, const struct disk_repo *r, bool new_repo, struct err *e)
{
	struct share *sh = arena_new_of(ad->a, struct share);
	struct disk_scan scan = {.s = ad->s,
				 .a = ad->a,
				 .repo = r->repo.name,
				 .base = &r->shown,
				 .next = r->unshown ? NULL : &r->head,
				 .rehash = ad->o->rehash};
	int rc;

	sh->r = *r;
	sh->new_repo = new_repo;
	sh->out.repo = r->repo.name;
	scan.cache = sh->cache = statcache_open(ad->s, r->repo.id);
	vec_push(ad->a, &ad->open, sh);
	rc = disk_scan(&scan, e);
	if (!rc && r->repo.role == REPO_OUTPUT) {
		name_drift(ad, r, &scan);
	} else if (!rc) {
		rc = adopt_files(ad, sh, &scan, e);
	}
	if (rc)
		return -1;
	if (sh->edits.n || r->repo.role != REPO_OUTPUT)
		vec_push(ad->a, &ad->shares, sh);
	return 0;
}

static int new_repo(void *ptr, struct str name, const char *why_not, struct err *e)
{
	struct adopt *ad = ptr;
	struct disk_repo r = {
		.repo = {.name = name, .role = REPO_SOURCE}, .shown = tree_empty_id(), .head = tree_empty_id()};

	if (ad->o->repo.p && !str_eq(ad->o->repo, name))
		return 0;
	if (!why_not && !map_has(&ad->locked, name)) /* it came just now: the next commit's */
		return 0;
	if (why_not) {
		say(ad, arena_printf(ad->a, "datastore/%.*s holds what is not adopted: %s", STR_ARG(name), why_not));
		return 0;
	}
	return adopt_repo(ad, &r, true, e);
}

/* What the head has where the user changed something must be what was shown there, or what the user made of it. */
static int merge_check(struct adopt *ad, struct share *sh, const struct commit *head, struct err *e)
{
	for (size_t i = 0; i < sh->edits.n; i++) {
		const struct tree_edit *ed = &sh->edits.p[i];
		const struct entry *had = &sh->had.p[i];
		struct entry now = {0};
		bool same;
		if (tree_find(ad->s, NULL, &head->tree, ed->path, &now, e) < 0)
			return -1;
		same = sha_eq(&now.id, &had->id) ||
		       (ed->op == EDIT_PUT ? sha_eq(&now.id, &ed->entry.id) : sha_is_zero(&now.id));
		if (same)
			continue;
		err_set(e, ERR_CONFLICT, "%.*s:/%.*s was changed in datastore/, and by the commit %s too",
			STR_ARG(sh->r.repo.name), STR_ARG(ed->path), head->id.hex);
		return err_hint(
			e,
			"leat commit --restore %.*s:/%.*s takes the committed one and keeps yours in .leat/lost+found",
			STR_ARG(sh->r.repo.name), STR_ARG(ed->path));
	}
	return 0;
}

/* Inside the transaction: one repo's commit, and what its folder shows from now on. */
static int commit_share(struct adopt *ad, struct share *sh, struct id id, struct err *e)
{
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT), .id = id, .batch = ad->batch, .edits = sh->edits.p,
	                       .n_edits = sh->edits.n, .message = ad->o->message};
	struct commit head = {0};
	struct entry shown;
	int r;

	if (repo_ensure(ad->s, ad->a, sh->r.repo.name, REPO_SOURCE, STR_NULL, &c.repo, e))
		return -1;
	r = branch_head(ad->s, c.repo.id, c.branch, &head, e);
	if (r < 0 || (r && merge_check(ad, sh, &head, e)))
		return -1;
	if (commit_make(ad->s, ad->in, &c, &sh->out.commit, &sh->out.made, e))
		return -1;
	if (tree_apply(ad->s, ad->in, &sh->r.shown, sh->edits.p, sh->edits.n, &shown, e) ||
	    tree_record(ad->s, ad->in, e))
		return -1;
	sh->r.repo.id = c.repo.id;
	sh->after = shown.id;
	return disk_shown(ad->s, c.repo.id, &shown.id, e);
}

/* What was learned is kept, by the number that a new repo has now; of one that was not made, nothing. */
static void close_caches(struct adopt *ad, bool committed)
{
	for (size_t i = 0; i < ad->open.n; i++) {
		struct share *sh = ad->open.p[i];
		bool made = committed && sh->edits.n;

		if (made && sh->new_repo)
			statcache_name(sh->cache, sh->r.repo.id);
		if (made)
			statcache_settle(sh->cache, &sh->after, 0);
		statcache_close(sh->cache);
	}
	ad->open.n = 0;
}

static int commit_all(struct adopt *ad, struct err *e)
{
	struct event ev = {.id = id_new(), .batch = ad->batch, .kind = "commit"};

	if (!ad->batch.hex[0])
		ev.batch = ad->batch = ev.id;
	if (ingest_begin(ad->in, e))
		return -1;
	if (event_record(ad->s, &ev, e))
		goto fail;
	for (size_t i = 0; i < ad->shares.n; i++)
		if (ad->shares.p[i]->edits.n && commit_share(ad, ad->shares.p[i], ev.id, e))
			goto fail;
	return db_commit(ad->s->db, e);
fail:
	db_rollback(ad->s->db);
	return -1;
}

static int adopt_all(struct adopt *ad, struct disk_repo *repos, size_t n, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (map_has(&ad->locked, repos[i].repo.name) && adopt_repo(ad, &repos[i], false, e))
			return -1;
	if (drift_strays(ad->s, ad->a, new_repo, ad, e))
		return -1;
	for (size_t i = 0; i < ad->shares.n; i++)
		any |= ad->shares.p[i]->edits.n > 0;
	if (!any && ad->busy) {
		*e = ad->busy_err;
		return -1;
	}
	return any ? commit_all(ad, e) : 0;
}

/* Puts back what was shown, under o->path; what the user made of it goes to lost+found. */
static int restore_repo(struct adopt *ad, const struct disk_repo *r, struct err *e)
{
	struct disk_scan scan = {.s = ad->s,
				 .a = ad->a,
				 .repo = r->repo.name,
				 .base = &r->shown,
				 .next = r->unshown ? NULL : &r->head,
				 .rehash = ad->o->rehash};
	struct place p = {.s = ad->s,
			  .a = ad->a,
			  .repo = r->repo.name,
			  .output = true,
			  .note = ad->note,
			  .ptr = ad->ptr,
			  .base = &r->shown,
			  .next = &r->shown};
	struct share *sh = arena_new_of(ad->a, struct share);
	int rc;

	sh->r = *r;
	sh->out.repo = r->repo.name;
	scan.cache = p.cache = statcache_open(ad->s, r->repo.id);
	rc = disk_scan(&scan, e);
	for (size_t i = 0; i < scan.files.n && !rc; i++) {
		const struct disk_file *f = &scan.files.p[i];
		struct entry t;
		int found;
		if (!words[f->state] || !under(f->path, ad->o->path))
			continue;
		found = tree_find(ad->s, NULL, &r->shown, f->path, &t, e);
		rc = found < 0 ? -1 : place_one(&p, f->path, found && t.kind == ENTRY_FILE ? &t : NULL, e);
		sh->out.added += f->state == DISK_DELETED;
		sh->out.changed += f->state == DISK_EDITED;
		sh->out.deleted += f->state == DISK_NEW || f->state == DISK_ODD;
	}
	statcache_close(p.cache);
	if (!rc)
		vec_push(ad->a, &ad->shares, sh);
	return rc;
}

static int restore_all(struct adopt *ad, struct disk_repo *repos, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (map_has(&ad->locked, repos[i].repo.name) && restore_repo(ad, &repos[i], e))
			return -1;
	return 0;
}

struct locking {
	struct adopt *ad;
	VEC(struct str) names;
};

static int lock_stray(void *ptr, struct str name, const char *why_not, struct err *e)
{
	struct locking *l = ptr;

	(void)e;
	if (!why_not)
		vec_push(l->ad->a, &l->names, name);
	return 0;
}

/* All that will be looked at, at once: those who change datastore/ meanwhile wait, but nobody of another repo. */
static int lock_all(struct adopt *ad, int *fd, struct err *e)
{
	struct locking l = {.ad = ad};
	struct repo *repos;
	size_t n;

	if (ad->o->repo.p) {
		vec_push(ad->a, &l.names, ad->o->repo);
	} else {
		if (repo_list(ad->s, ad->a, &repos, &n, e))
			return -1;
		for (size_t i = 0; i < n; i++)
			vec_push(ad->a, &l.names, repos[i].name);
		if (!ad->o->restore && drift_strays(ad->s, ad->a, lock_stray, &l, e))
			return -1;
	}
	map_init(&ad->locked, ad->a);
	for (size_t i = 0; i < l.names.n; i++)
		map_set(&ad->locked, l.names.p[i], ad);
	return disk_lock(ad->s, l.names.p, l.names.n, 0, fd, e) < 0 ? -1 : 0;
}

int datastore_commit(struct store *s, struct arena *a, const struct adopt_opts *o, struct id batch,
		     struct adopted **out, size_t *n, datastore_note note, void *ptr, struct err *e)
{
	int fd FD_CLEANUP = -1;
	struct adopt ad = {.s = s, .a = a, .o = o, .batch = batch, .note = note, .ptr = ptr};
	VEC(struct adopted) all = {0};
	struct err inner = ERR_INIT;
	struct disk_repo *repos;
	bool known = !o->repo.p;
	size_t many;
	int rc;

	if (lock_all(&ad, &fd, e) || disk_repos(s, a, 0, false, &repos, &many, e))
		return -1;
	ad.in = ingest_new(s);
	rc = o->restore ? restore_all(&ad, repos, many, e) : adopt_all(&ad, repos, many, e);
	ingest_free(ad.in);
	close_caches(&ad, !rc);
	if (rc)
		return -1;
	for (size_t i = 0; i < many; i++)
		known |= str_eq(o->repo, repos[i].repo.name);
	if (!known && !ad.shares.n)
		return repo_not_found(s, o->repo, e);
	for (size_t i = 0; i < ad.shares.n; i++)
		vec_push(a, &all, ad.shares.p[i]->out);
	/* what others have committed meanwhile, and what a crash left behind */
	fd_close(&fd);
	if (datastore_update(s, note, ptr, &inner))
		say(&ad, arena_printf(a, "%s; the next command that writes tries again", inner.msg));
	place_sweep(s, note, ptr);
	*out = all.p;
	*n = all.n;
	return 0;
}
