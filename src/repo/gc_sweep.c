/* What is not needed goes. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/gc_in.h"
#include "repo/place.h"
#include "repo/scratch.h"
#include "repo/tree_page.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"

#define BATCH 2000      /* ids of garbage in memory at a time */
#define LOOK 50000      /* rows looked at by one statement */

/* The tables that hold objects: all ids after one, in order of the key. */
struct table {
	const char *name;
	const char *list; /* id, bytes on the disk, key; ?1: the key to begin after, ?2: how many */
	const char *del;
	bool rowid;       /* the key is a rowid */
	bool pages;
	bool whole;       /* each has a file */
};
static const struct table tables[] = {
	{"tree", "select id, length(body) + 48, rowid from tree where rowid > ?1 order by rowid limit ?2",
	 "delete from tree where id = ?", true, true, false},
	{"recipe", "select id, length(body) + 48, id from recipe where id > ?1 order by id limit ?2",
	 "delete from recipe where id = ?", false, false, false},
	{"small", "select id, length(body) + 48, rowid from small where rowid > ?1 order by rowid limit ?2",
	 "delete from small where id = ?", true, false, false},
	{"packed", "select id, stored, id from packed where id > ?1 order by id limit ?2",
	 "delete from packed where id = ?", false, false, false},
	{"blob", "select id, size, id from blob where id > ?1 order by id limit ?2", "delete from blob where id = ?",
	 false, false, true},
};

struct dead {
	struct sha id;
	int64_t bytes;
};
struct look {
	struct sha after;
	int64_t after_row;
	bool first, end;
	VEC(struct dead) dead;
};

static bool is_dead(struct gc *g, const struct table *t, const struct sha *id)
{
	return t->pages ? !marks_has(&g->pages, id) : !gc_needs(g, id);
}

/* The next rows that nothing needs. */
static int look(struct gc *g, const struct table *t, struct arena *a, struct look *l, struct err *e)
{
	struct q *q = db_query(g->s->db, t->list);
	int r, n = 0;

	l->dead.n = 0;
	if (t->rowid)
		q_int(q, 1, l->after_row);
	else
		q_blob(q, 1, l->after.b, l->first ? 0 : SHA_BYTES);
	q_int(q, 2, LOOK);
	while (l->dead.n < BATCH && (r = q_step(q, e)) == 1) {
		struct dead d = {.bytes = q_col_int(q, 1)};
		n++;
		if (t->rowid)
			l->after_row = q_col_int(q, 2);
		if (!q_col_sha(q, 0, &d.id))
			continue;
		l->after = d.id;
		l->first = false;
		if (is_dead(g, t, &d.id))
			vec_push(a, &l->dead, d);
	}
	l->end = l->dead.n < BATCH && n < LOOK;
	q_done(q);
	return l->dead.n < BATCH && r < 0 ? -1 : 0;
}

static int remove_one(struct gc *g, const struct table *t, const struct dead *d, struct err *e)
{
	struct q *q = db_query(g->s->db, t->del);

	q_sha(q, 1, &d->id);
	if (q_run(q, e))
		return -1;
	if (t->whole && gc_trash_blob(g, &d->id, e))
		return -1;
	g->r.bytes += d->bytes;
	t->pages ? g->r.pages++ : g->r.objects++;
	return 0;
}

/* Whether nothing may be swept: somebody reads an open commit, maybe as it was before. Inside a slice. 1, 0, -1. */
static int held_off(struct gc *g, struct err *e)
{
	int r = store_lease_open_held(g->s, e);

	g->r.readers |= r > 0;
	return r;
}

/* 1: not to the end, and nothing more may go. */
static int remove_all(struct gc *g, const struct table *t, const struct look *l, struct err *e)
{
	for (size_t i = 0; i < l->dead.n;) {
		if (gc_slice_begin(g, e))
			return -1;
		int held = held_off(g, e);
		if (held) {
			gc_slice_drop(g);
			return held < 0 || gc_trash_empty(g, e) ? -1 : 1;
		}
		do { /* once more: it may be needed since a moment ago */
			if (is_dead(g, t, &l->dead.p[i].id) && remove_one(g, t, &l->dead.p[i], e)) {
				gc_slice_drop(g);
				return -1;
			}
		} while (++i < l->dead.n && !gc_slice_over(g));
		if (gc_slice_end(g, e))
			return -1;
	}
	return gc_trash_empty(g, e);
}

int gc_sweep(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct look l = {.first = true};
		gc_say(g, "sweeping", (double)i / (double)ARRAY_LEN(tables));
		/* a recipe must not come back by a power cut when what it names does not */
		if (tables[i].whole && !g->how->dry_run && gc_settle(g, e))
			return -1;
		while (!l.end) {
			if (look(g, &tables[i], a, &l, e))
				return -1;
			if (!g->how->dry_run) {
				int r = remove_all(g, &tables[i], &l, e);
				if (r)
					return r < 0 ? -1 : 0;
				continue;
			}
			for (size_t k = 0; k < l.dead.n; k++) {
				g->r.bytes += l.dead.p[k].bytes;
				tables[i].pages ? g->r.pages++ : g->r.objects++;
			}
		}
	}
	return 0;
}

/* Rows of ended repos; before their commits, so that a crash leaves no head of what is not there. */
static const char *const ended[] = {
	"delete from tag where repo = ?",         "delete from branch where repo = ?",
	"delete from open_commit where repo = ?", "delete from materialised where repo = ?",
	"delete from current where repo = ?",     "delete from made where repo = ?",
	"delete from unshown where repo = ?",     "delete from table_format where repo = ?",
	/* of stores that have them (db_has_data) */
	"delete from datum where repo = ?",       "delete from datum_file where repo = ?",
	"delete from datum_in where repo = ?",    "delete from data_job where repo = ?",
};
#define ENDED_DATA 4

#define ENDED_COMMITS 200 /* rows in one statement: about a millisecond */

/* Those that somebody still reads stay. Nobody can begin to: the repo has ended. */
static int forget_commits(struct gc *g, int64_t repo, bool any_reader, bool gone, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct id) ids = {0};
	struct q *q = db_query(g->s->db, gone ? "select id from gone where repo = ?"
					      : "select id from commits where repo = ?");
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1)
		vec_push(a, &ids, id_of(q_col_text(q, 0)));
	q_done(q);
	if (r < 0)
		return -1;
	for (size_t i = 0; i < ids.n;) {
		if (gc_slice_begin(g, e))
			return -1;
		for (size_t end = MIN(ids.n, i + ENDED_COMMITS); i < end && !gc_slice_over(g); i++) {
			r = any_reader ? store_lease_held(g->s, ids.p[i], e) : 0;
			if (!r) {
				q = db_query(g->s->db, gone ? "delete from gone where repo = ? and id = ?"
							    : "delete from commits where repo = ? and id = ?");
				q_int(q, 1, repo);
				q_cstr(q, 2, ids.p[i].hex);
				r = q_run(q, e);
				g->r.commits += !gone;
			}
			if (r < 0) {
				gc_slice_drop(g);
				return -1;
			}
		}
		if (gc_slice_end(g, e))
			return -1;
	}
	return 0;
}

int gc_forget_ended(struct gc *g, struct err *e)
{
	struct q *q = db_query(g->s->db, "select id from repo r where ended is not null and"
					 " (exists (select 1 from branch b where b.repo = r.id)"
					 " or exists (select 1 from gone c where c.repo = r.id)"
					 " or exists (select 1 from commits c where c.repo = r.id))");
	VEC(int64_t) repos = {0};
	int r, any;

	while ((r = q_step(q, e)) == 1)
		vec_push(g->a, &repos, q_col_int(q, 0));
	q_done(q);
	if (r < 0)
		return -1;
	any = repos.n ? store_lease_any(g->s, e) : 0;
	if (any < 0)
		return -1;
	for (size_t i = 0; i < repos.n; i++) {
		if (gc_slice_begin(g, e))
			return -1;
		for (size_t k = 0; k < ARRAY_LEN(ended) - (db_has_data(g->s->db) ? 0 : ENDED_DATA); k++) {
			q = db_query(g->s->db, ended[k]);
			q_int(q, 1, repos.p[i]);
			if (q_run(q, e)) {
				gc_slice_drop(g);
				return -1;
			}
		}
		if (gc_slice_end(g, e) || forget_commits(g, repos.p[i], any, false, e) ||
		    forget_commits(g, repos.p[i], any, true, e))
			return -1;
	}
	return 0;
}

/*
 * Results that nothing else holds and that are old enough, or whose repo was ended. Not beside a session: a run may
 * just have decided to use one; a run that begins later finds no row.
 */
int gc_sweep_memos(struct gc *g, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct sha) keys = {0};
	struct q *q = db_query(g->s->db, "select key, tree from memo where at < ?"
					 " or repo in (select id from repo where ended is not null)");
	struct sha id, tree;
	int64_t epoch;
	int r;

	q_int(q, 1, g->how->memo_now ? INT64_MAX : clock_now_ms() - g->how->memo_keep_ms);
	while ((r = q_step(q, e)) == 1)
		if (q_col_sha(q, 0, &id) && q_col_sha(q, 1, &tree) && !marks_has(&g->pages, &tree))
			vec_push(a, &keys, id);
	q_done(q);
	if (r < 0)
		return -1;
	g->r.memos = (int64_t)keys.n;
	if (g->how->dry_run || !keys.n)
		return 0;
	for (size_t i = 0; i < keys.n;) {
		if (gc_slice_begin(g, e))
			return -1;
		r = store_epoch(g->s, &epoch, e) ? -1 : store_sessions_before(g->s, epoch + 1, e);
		for (; !r && i < keys.n && !gc_slice_over(g); i++) {
			q = db_query(g->s->db, "delete from memo where key = ?");
			q_sha(q, 1, &keys.p[i]);
			r = q_run(q, e);
		}
		if (r < 0) {
			gc_slice_drop(g);
			return -1;
		}
		if (gc_slice_end(g, e))
			return -1;
		if (r) { /* a session: their trees stay this time */
			g->r.memos = (int64_t)i;
			g->r.writers = true;
			return gc_mark_memos_all(g, e);
		}
	}
	return 0;
}

/* --- files --- */

struct files {
	struct gc *g;
	struct arena *a;
	VEC(char *) paths;
};

static int list_blob(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct files *f = ptr;
	struct q *q;
	struct sha id;
	char hex[SHA_HEX + 1];
	int r;

	if (t->type != DIR_FILE)
		return DIR_GO;
	snprintf(hex, sizeof(hex), "%.2s%s", t->path, t->name);
	if (strlen(t->path) != SHA_HEX + 1 || !sha_parse(str_of(hex), &id))
		return DIR_GO; /* somebody else's: not ours to take away */
	q = db_query(f->g->s->db, "select 1 from blob where id = ?");
	q_sha(q, 1, &id);
	r = q_step(q, e);
	q_done(q);
	if (!r)
		vec_push(f->a, &f->paths, arena_printf(f->a, "%s/blobs/%s", f->g->s->leat_dir, t->path));
	return r < 0 ? -1 : DIR_GO;
}

static int list_pack(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct files *f = ptr;
	struct str name = str_of(t->name), base, ext;
	struct q *q;
	int r;

	if (t->type != DIR_FILE || !str_rcut(name, '.', &base, &ext) || !str_is(ext, "pack"))
		return DIR_GO;
	q = db_query(f->g->s->db, "select 1 from pack where name = ?");
	q_text(q, 1, base);
	r = q_step(q, e);
	q_done(q);
	if (!r)
		vec_push(f->a, &f->paths, arena_printf(f->a, "%s/packs/%s", f->g->s->leat_dir, t->name));
	return r < 0 ? -1 : DIR_GO;
}

static bool has_row(struct gc *g, const char *path, struct err *e)
{
	struct str name = str_of(strrchr(path, '/') + 1), base, ext;
	struct q *q;
	struct sha id;
	char hex[SHA_HEX + 1];
	int r;

	if (str_rcut(name, '.', &base, &ext)) {
		q = db_query(g->s->db, "select 1 from pack where name = ?");
		q_text(q, 1, base);
	} else {
		snprintf(hex, sizeof(hex), "%.2s%s", name.p - 3, name.p);
		if (!sha_parse(str_of(hex), &id))
			return true;
		q = db_query(g->s->db, "select 1 from blob where id = ?");
		q_sha(q, 1, &id);
	}
	r = q_step(q, e);
	q_done(q);
	return r;
}

static const char *const session_names[] = {"in-", "pack-", "gc-"}; /* made by sessions, by gc */

static int list_staging(struct files *f, struct err *e)
{
	struct dir_names names;

	if (dir_list(f->a, arena_printf(f->a, "%s/staging", f->g->s->leat_dir), &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(session_names); k++)
			if (str_has_prefix(str_of(names.p[i]), str_of(session_names[k])))
				vec_push(f->a, &f->paths,
					 arena_printf(f->a, "%s/staging/%s", f->g->s->leat_dir, names.p[i]));
	return 0;
}

/*
 * Files that no row names: of crashes, or of sessions at work. They are listed, then the epoch is counted up; if no
 * session began before that, none of the listed is anybody's. Who takes one since then looks again (gc_slice_begin).
 */
static int sweep_rowless(struct gc *g, struct err *e)
{
	struct files f = {.g = g, .a = g->a};
	char blobs[BLOB_PATH_CAP], packs[BLOB_PATH_CAP];
	int64_t epoch;
	int r = 0;

	if (gc_trash_empty(g, e))
		return -1;
	snprintf(blobs, sizeof(blobs), "%s/blobs", g->s->leat_dir);
	snprintf(packs, sizeof(packs), "%s/packs", g->s->leat_dir);
	if (dir_walk(blobs, DIR_NO_STAT | DIR_UNSORTED | DIR_GONE_OK, list_blob, &f, e) ||
	    dir_walk(packs, DIR_NO_STAT | DIR_FLAT | DIR_GONE_OK, list_pack, &f, e))
		return -1;
	size_t rowless = f.paths.n;
	if (list_staging(&f, e))
		return -1;
	for (size_t i = 0; i < f.paths.n;) {
		if (gc_slice_begin(g, e))
			return -1;
		if (!i) /* the epoch of this first slice: whoever began before it may own what was listed */
			r = store_epoch(g->s, &epoch, e) ? -1 : store_sessions_before(g->s, epoch, e);
		for (; !r && i < f.paths.n && !gc_slice_over(g); i++) {
			struct err inner = ERR_INIT;
			if (i < rowless && has_row(g, f.paths.p[i], &inner))
				continue;
			r = gc_trash(g, f.paths.p[i], e);
			g->r.files += i < rowless;
		}
		if (r < 0) {
			gc_slice_drop(g);
			return -1;
		}
		if (gc_slice_end(g, e))
			return -1;
		if (r) {
			g->r.writers = true;
			return 0;
		}
	}
	return 0;
}

static int list_view(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct files *f = ptr;
	struct sha id;

	(void)e;
	if (sha_parse(str_of(t->name), &id) && marks_has(&f->g->hot_pages, &id))
		return DIR_GO;
	vec_push(f->a, &f->paths, arena_printf(f->a, "%s/views/%s", f->g->s->leat_dir, t->name));
	return DIR_GO;
}

/* Views of what no head shows, while nobody reads: a reader that begins meanwhile waits. */
static int sweep_views(struct gc *g, struct err *e)
{
	struct files f = {.g = g, .a = g->a};
	char path[BLOB_PATH_CAP];
	int r;

	snprintf(path, sizeof(path), "%s/views", g->s->leat_dir);
	if (dir_walk(path, DIR_NO_STAT | DIR_FLAT | DIR_GONE_OK, list_view, &f, e))
		return -1;
	r = f.paths.n ? store_readers_shut(g->s, e) : 0;
	if (r <= 0) {
		g->r.readers |= f.paths.n && !r;
		return r;
	}
	for (size_t i = 0; i < f.paths.n && r > 0; i++) {
		r = gc_trash(g, f.paths.p[i], e) ? -1 : 1;
		g->r.views++;
	}
	store_readers_open(g->s);
	return r < 0 ? -1 : 0;
}

static void note(void *ptr, const char *text)
{
	struct gc *g = ptr;

	if (g->how->note)
		g->how->note(g->how->ptr, text);
}

int gc_sweep_files(struct gc *g, struct err *e)
{
	gc_say(g, "sweeping files", 0);
	scratch_sweep(g->s);
	if (sweep_views(g, e) || sweep_rowless(g, e))
		return -1;
	place_sweep(g->s, note, g); /* .leat/old, after its 60 s, and what crashes left of swaps */
	return 0;
}
