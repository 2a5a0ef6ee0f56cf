#include "repo/fsck.h"

#include <stdio.h>

#include "base/str.h"
#include "repo/fsck_in.h"
#include "repo/tree_page.h"
#include "repo/view.h"
#include "sys/fd.h"

#define HITS_NAMED 5 /* places named for one damaged thing */

int fsck_finding(struct fsck *f, struct err *e, const char *code, const char *fmt, ...)
{
	struct fsck_finding found = {.code = code};
	va_list ap;

	va_start(ap, fmt);
	found.text = arena_vprintf(f->a, fmt, ap);
	va_end(ap);
	f->total.findings++;
	return f->cb ? f->cb(f->ptr, &found, e) : 0;
}

struct thing *fsck_thing(struct fsck *f, struct map *m, const struct sha *id)
{
	struct thing *t = map_get(m, fsck_key(id));

	if (t)
		return t;
	t = arena_new_of(f->a, struct thing);
	t->id = *id;
	map_set(m, fsck_key(id), t);
	return t;
}

void fsck_spoil(struct fsck *f, struct thing *t, const char *code, const char *what)
{
	t->code = code;
	t->what = what;
	vec_push(f->a, &f->bad, t);
}

static void hit(struct fsck *f, struct thing *t, size_t path)
{
	if (t->hits++ < HITS_NAMED)
		t->where = arena_printf(f->a, "%s%s%s:/%.*s", t->where ? t->where : "", t->where ? ", " : "", f->commit,
					(int)path, f->path);
}

static int bad_page(void *ptr, int64_t page, struct err *e)
{
	struct fsck *f = ptr;

	f->torn = true;
	return fsck_finding(f, e, "damaged-database",
		       ".leat/leat.db: page %lld does not hold the bytes that its checksum says", (long long)page);
}

int fsck_borne(struct fsck *f, int rc, struct err *e)
{
	struct err inner;

	if (!rc || e->code != ERR_DAMAGED)
		return rc;
	f->torn = true;
	inner = *e;
	err_clear(e);
	return fsck_finding(f, e, "damaged-database", "%s", inner.msg);
}

static int check_database(struct fsck *f, struct err *e)
{
	bool sums;
	struct q *q;
	int r, rc = db_check_pages(f->s->db, &sums, bad_page, f, e);

	if (!rc && db_is_copy(f->s->db)) /* of which SQLite's own check would not say more */
		return fsck_finding(f, e, "damaged-database", ".leat/leat.db does not say which tables it has; it is "
				    "read by .leat/leat.db-roots, and leat fsck --repair makes it whole");
	if (!rc && !db_roots_whole(f->s->db))
		rc = fsck_finding(f, e, "damaged-database", ".leat/leat.db-roots does not say where the tables begin; "
				  "whoever writes next makes it anew");
	if (rc)
		return -1;
	q = db_query(f->s->db, "pragma quick_check");
	while (!rc && (r = q_step(q, e)) == 1) {
		struct str text = q_col_text(q, 0);
		if (!str_is(text, "ok"))
			rc = fsck_finding(f, e, "damaged-database", ".leat/leat.db: %.*s", STR_ARG(text));
	}
	q_done(q);
	return rc || r < 0 ? -1 : 0;
}

/* What a statement below needs must be there, or it would say less than what is wrong. */
static int check_tables(struct fsck *f, bool *tables, struct err *e)
{
	const char **missing;
	size_t n;

	*tables = true;
	if (db_whole(f->s->db, f->a, &missing, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		*tables &= strstr(missing[i], "the table ") != missing[i];
		if (fsck_finding(f, e, "damaged-database", ".leat/leat.db: %s is not there", missing[i]))
			return -1;
	}
	return 0;
}

static void check_page(struct fsck *f, struct thing *t, struct str body)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct sha have = sha_of(body.p, body.n);
	struct err inner = ERR_INIT;
	struct page p;

	f->total.pages++;
	if (!sha_eq(&have, &t->id))
		fsck_spoil(f, t, "damaged-tree", "does not hold the bytes that its id says");
	else if (tree_page_decode(a, body, &p, &inner))
		fsck_spoil(f, t, "damaged-tree", arena_dup(f->a, inner.msg));
}

static int check_pages(struct fsck *f, struct err *e)
{
	struct q *q = db_query(f->s->db, "select id, body from tree");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct sha id;
		if (q_col_sha(q, 0, &id))
			check_page(f, fsck_thing(f, &f->pages, &id), q_col_blob(q, 1));
	}
	q_done(q);
	return r;
}

/* A page that the list of all lacks: it is not there, or the list broke off at what is damaged. */
static void look_for_page(struct fsck *f, struct thing *t)
{
	struct q *q = db_query(f->s->db, "select body from tree where id = ?");
	struct err inner = ERR_INIT;
	int r;

	q_sha(q, 1, &t->id);
	r = q_step(q, &inner);
	if (r == 1)
		check_page(f, t, q_col_blob(q, 0));
	q_done(q);
	if (r < 0)
		fsck_spoil(f, t, "damaged-tree", arena_printf(f->a, "cannot be read: %s", inner.msg));
	else if (!r)
		fsck_spoil(f, t, "missing-tree", "is gone");
}

/* The same of an object; one that came since the list was made is hashed by the next fsck. */
static void look_for_blob(struct fsck *f, struct thing *t)
{
	struct err inner = ERR_INIT;
	char hex[SHA_HEX + 1];
	int r = blob_present(f->s, &t->id, &inner);

	t->clean = r == 1;
	if (r < 0) {
		sha_hex(&t->id, hex);
		t->place = arena_printf(f->a, "the object %s", hex);
		fsck_spoil(f, t, "damaged-blob", arena_printf(f->a, "cannot be found: %s", inner.msg));
	} else if (!r) {
		fsck_spoil(f, t, "missing-blob", "is gone");
	}
}

/* Where leat.db is damaged an object may be whole, and out of reach: then only reading it as all do tells. */
static void try_blob(struct fsck *f, struct thing *t)
{
	struct err inner = ERR_INIT;
	char hex[SHA_HEX + 1];
	int fd FD_CLEANUP = -1;

	if (!f->torn || t->code || t->tried)
		return;
	t->tried = true;
	if (!blob_open(f->s, &t->id, &fd, &inner))
		return;
	sha_hex(&t->id, hex);
	t->place = arena_printf(f->a, "the object %s", hex);
	fsck_spoil(f, t, "damaged-blob", arena_printf(f->a, "cannot be read: %s", inner.msg));
}

/* A blob or page that something needs. */
static struct thing *needed(struct fsck *f, struct map *m, const struct sha *id)
{
	struct sha none = tree_empty_id();
	struct thing *t = map_get(m, fsck_key(id));

	if (t)
		return t;
	t = fsck_thing(f, m, id);
	if (m == &f->blobs)
		look_for_blob(f, t);
	else if (sha_eq(id, &none))
		t->clean = true; /* known without a row */
	else
		look_for_page(f, t);
	return t;
}

/* Whether all below a page is whole: 1, 0 (told in the things that are not), -1. Whole pages are looked at once. */
static int walk(struct fsck *f, const struct sha *id, int level, size_t base, struct err *e)
{
	struct thing *t = needed(f, &f->pages, id);
	struct err inner = ERR_INIT;
	struct arena *a;
	struct page p;
	int rc = 1;

	if (t->clean)
		return 1;
	if (t->code) {
		hit(f, t, base);
		return 0;
	}
	a = arena_new();
	if (tree_page_read(f->s, NULL, id, level, a, &p, &inner)) {
		arena_free(a);
		if (inner.code != ERR_DAMAGED) {
			*e = inner;
			return -1;
		}
		fsck_spoil(f, t, "damaged-tree", arena_dup(f->a, inner.msg));
		hit(f, t, base);
		return 0;
	}
	for (size_t i = 0; i < p.n && rc >= 0; i++) {
		const struct entry *c = &p.items[i].entry;
		size_t n = base + (p.level ? 0 : c->name.n);
		struct thing *b;
		int r = 1;
		if (n + 1 > NAME_MAX_PATH)
			continue;
		if (!p.level)
			memcpy(f->path + base, c->name.p, c->name.n);
		if (p.level) {
			r = walk(f, &c->id, p.level - 1, base, e);
		} else if (c->kind == ENTRY_FOLDER) {
			f->path[n] = '/';
			r = walk(f, &c->id, -1, n + 1, e);
		} else {
			b = needed(f, &f->blobs, &c->id);
			try_blob(f, b);
			if (b->code) {
				hit(f, b, n);
				r = 0;
			}
		}
		rc = r < 0 ? -1 : MIN(rc, r);
	}
	arena_free(a);
	t->clean = rc == 1;
	return rc;
}

static int check_commit(struct fsck *f, struct q *q, struct err *e)
{
	struct str repo = q_col_text(q, 0), id = q_col_text(q, 1);
	int64_t number = q_col_int(q, 2), files = q_col_int(q, 4), bytes = q_col_int(q, 5);
	struct sha tree;
	struct entry root;
	struct commit c;
	int whole;

	/* As readers look it up, which is another way to its row than the list's: there a damaged page may stand. */
	if (commit_find(f->s, q_col_int(q, 8), id, &c, e) < 0)
		return -1;
	f->total.commits++;
	f->commit = arena_printf(f->a, "%.*s@%.*s", STR_ARG(repo), STR_ARG(id));
	if (!q_col_sha(q, 3, &tree))
		return fsck_finding(f, e, "bad-record", "the commit %s names no tree", f->commit);
	whole = walk(f, &tree, -1, 0, e);
	if (whole < 0)
		return -1;
	if (!q_col_is_null(q, 6) && q_col_is_null(q, 7)) {
		struct str parent = q_col_text(q, 6);
		if (fsck_finding(f, e, "bad-record", "the commit %s has the parent %.*s, which is not there", f->commit,
			    STR_ARG(parent)))
			return -1;
	} else if (number <= (q_col_is_null(q, 7) ? 0 : q_col_int(q, 7)) &&
		   fsck_finding(f, e, "bad-record", "the commit %s has number %lld, not above its parent's", f->commit,
			   (long long)number)) {
		return -1;
	}
	if (!whole)
		return 0;
	if (tree_find(f->s, NULL, &tree, STR(""), &root, e) < 0)
		return -1;
	if (root.files != files || root.size != bytes)
		return fsck_finding(f, e, "bad-record",
			       "the commit %s says %lld files and %lld bytes, its tree has %lld and %lld", f->commit,
			       (long long)files, (long long)bytes, (long long)root.files, (long long)root.size);
	return 0;
}

static int check_commits_of(struct fsck *f, int64_t repo, struct err *e)
{
	struct q *q = db_query(f->s->db,
			       "select coalesce(r.name, 'repo ' || c.repo), c.id, c.number, c.tree,"
			       " case when c.forgotten is null then c.files else 0 end,"
			       " case when c.forgotten is null then c.bytes else 0 end, "
			       "c.parent, p.number, c.repo"
			       " from commits c left join repo r on r.id = c.repo"
			       " left join commits p on p.repo = c.repo and p.id = c.parent"
			       " where c.repo = ? order by c.number");
	int r, rc = 0;

	q_int(q, 1, repo);
	while (!rc && (r = q_step(q, e)) == 1)
		rc = check_commit(f, q, e);
	q_done(q);
	return rc || r < 0 ? -1 : 0;
}

/* One repo after the other: what is damaged of one hides nothing of the others. */
static int check_commits(struct fsck *f, struct err *e)
{
	struct repo_name {
		int64_t id;
		const char *name;
	};
	VEC(struct repo_name) repos = {0};
	struct q *q = db_query(f->s->db,
			       "select id, name from repo union all select repo, 'repo ' || repo from"
			       " (select distinct repo from commits where repo not in (select id from repo))");
	int r;

	while ((r = q_step(q, e)) == 1) {
		struct repo_name row = {q_col_int(q, 0), arena_cstr(f->a, q_col_text(q, 1))};
		vec_push(f->a, &repos, row);
	}
	q_done(q);
	if (r < 0 && e->code == ERR_DAMAGED)
		err_wrap(e, "not all names of repos can be read, and so nothing of them");
	if (r < 0 && fsck_borne(f, r, e))
		return -1;
	for (size_t i = 0; i < repos.n; i++) {
		if (!check_commits_of(f, repos.p[i].id, e))
			continue;
		if (e->code == ERR_DAMAGED)
			err_wrap(e, "not all commits of %s can be read", repos.p[i].name);
		if (fsck_borne(f, -1, e))
			return -1;
	}
	return 0;
}

/* Rows that name what must be there; each query gives one text per row that does not. */
static const struct {
	const char *code, *sql;
} references[] = {
	{"bad-head",
	 "select r.name || '@' || b.name || ' names the commit ' || b.head || ', which is not there' from branch b"
	 " join repo r on r.id = b.repo where b.head is not null and not exists"
	 " (select 1 from commits c where c.repo = b.repo and c.id = b.head)"},
	{"bad-head", "select r.name || ': the tag ' || t.name || ' names the commit ' || t.commit_id || ', which is "
		     "not there' from tag t"
		     " join repo r on r.id = t.repo where not exists"
		     " (select 1 from commits c where c.repo = t.repo and c.id = t.commit_id)"},
	{"bad-record",
	 "select 'the repo number ' || b.repo || ' of the branch ' || b.name || ' is not there' from branch b"
	 " where not exists (select 1 from repo r where r.id = b.repo)"},
	{"bad-record", "select 'the commit ' || g.id || ' was taken out and is there' from gone g"
		       " where g.how <> 'forgotten' and exists"
		       " (select 1 from commits c where c.repo = g.repo and c.id = g.id)"},
	{"bad-record", "select 'the commit ' || c.id || ' has no event' from commits c where not exists"
		       " (select 1 from event v where v.id = c.id)"},
};

/* Rows that name trees. */
static const struct {
	const char *what, *sql;
	int needs; /* 1 + enum db_set: only of stores that have those tables */
} trees[] = {
	{"what datastore/ shows of", "select r.name, m.tree from materialised m join repo r on r.id = m.repo"},
	{"the current partition of",
	 "select r.name || ' ds=' || c.ds, c.tree from current c join repo r on r.id = c.repo"},
	{"the current partition of",
	 "select r.name || '@' || o.name || ' ds=' || c.ds, c.tree from current_on c join repo r on r.id = c.repo"
	 " join workspace_branch o on o.id = c.branch where o.ended is null",
	 1 + DB_SET_BRANCHES},
	{"the open commit of",
	 "select r.name || '@' || o.branch, o.tree from open_commit o join repo r on r.id = o.repo"
	 " where o.state = 'open'"},
	{"what an open commit began from: of",
	 "select r.name || '@' || o.branch, o.base_tree from open_commit o join repo r on r.id = o.repo"
	 " where o.state = 'open'"},
	{"a remembered result for", "select r.name, m.tree from memo m join repo r on r.id = m.repo"},
	{"what a unit gave to", "select r.name, d.tree from datum d join repo r on r.id = d.repo", 1 + DB_SET_DATA},
};

static int check_references(struct fsck *f, struct err *e)
{
	int r = 0, rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(references) && !rc && r >= 0; i++) {
		struct q *q = db_query(f->s->db, references[i].sql);
		while (!rc && (r = q_step(q, e)) == 1) {
			struct str text = q_col_text(q, 0);
			rc = fsck_finding(f, e, references[i].code, "%.*s", STR_ARG(text));
		}
		q_done(q);
	}
	for (size_t i = 0; i < ARRAY_LEN(trees) && !rc && r >= 0; i++) {
		struct q *q;

		if (trees[i].needs && !db_has_set(f->s->db, (enum db_set)(trees[i].needs - 1)))
			continue;
		q = db_query(f->s->db, trees[i].sql);
		while (!rc && (r = q_step(q, e)) == 1) {
			struct str text = q_col_text(q, 0);
			struct sha id;
			f->commit = arena_printf(f->a, "%s %.*s", trees[i].what, STR_ARG(text));
			if (!q_col_sha(q, 1, &id))
				rc = fsck_finding(f, e, "bad-record", "%s names no tree", f->commit);
			else
				rc = walk(f, &id, -1, 0, e) < 0 ? -1 : 0;
		}
		q_done(q);
	}
	return rc || r < 0 ? -1 : 0;
}

static int tell_bad(struct fsck *f, struct err *e)
{
	for (size_t i = 0; i < f->bad.n; i++) {
		struct thing *t = f->bad.p[i];
		char hex[SHA_HEX + 1], path[BLOB_PATH_CAP];
		const char *name = arena_printf(f->a, "the page %s of a folder", (sha_hex(&t->id, hex), hex)),
			   *more = "";
		if (!t->where && !t->place && !strcmp(t->code, "missing-blob"))
			continue; /* its row is what a gc left that was cut short: the next one ends that */
		if (t->place) {
			name = t->place;
		} else if (strstr(t->code, "blob")) {
			blob_path(f->s, &t->id, path, sizeof(path));
			name = path + strlen(f->s->ws->dir) + 1;
		}
		if (t->hits > HITS_NAMED)
			more = arena_printf(f->a, " and %lld more", (long long)(t->hits - HITS_NAMED));
		if (fsck_finding(f, e, t->code, "%s %s; %s%s%s", name, t->what,
				 t->where ? "it hits " : "no commit needs it",
			    t->where ? t->where : "", more))
			return -1;
	}
	return 0;
}

static int bad_view(void *ptr, const char *view, const char *path, struct err *e)
{
	struct fsck *f = ptr;

	return fsck_finding(f, e, "damaged-view",
	                    "%s/%s is a copy for readers and does not hold the bytes of its file; "
	                    "leat fsck --repair takes it away, and it is made anew when it is needed",
	                    view + strlen(f->s->ws->dir) + 1, path);
}

int fsck_run(struct store *s, int (*cb)(void *ptr, const struct fsck_finding *f, struct err *e), void *ptr,
             struct fsck_totals *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct fsck f = {.s = s, .a = a, .cb = cb, .ptr = ptr};
	bool tables;

	map_init(&f.blobs, a);
	map_init(&f.pages, a);
	if (fsck_borne(&f, check_database(&f, e), e) || check_tables(&f, &tables, e))
		return -1;
	if (!tables) { /* whatever else it would find hangs on them */
		*out = f.total;
		return 0;
	}
	if (fsck_blobs(&f, e))
		return -1;
	if (db_read_begin(s->db, e))
		return -1;
	if (fsck_borne(&f, check_pages(&f, e), e) || fsck_borne(&f, check_commits(&f, e), e) ||
	    fsck_borne(&f, check_references(&f, e), e) || tell_bad(&f, e) || view_check(s, bad_view, &f, e)) {
		db_read_end(s->db);
		return -1;
	}
	db_read_end(s->db);
	*out = f.total;
	return 0;
}
