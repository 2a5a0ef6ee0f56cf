#include "repo/du.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "repo/gc_in.h"
#include "repo/tree_page.h"
#include "sys/file.h"

struct walk {
	struct store *s;
	struct marks pages, objects;
	int64_t bytes;
};

#define STORED                                                                                                         \
	"select size from blob where id = ?1 union all select stored from packed where id = ?1"                        \
	" union all select length(body) from small where id = ?1 union all"                                           \
	" select length(body) from recipe where id = ?1"

static int add_object(struct walk *w, const struct sha *id, struct err *e)
{
	struct q *q;
	int r = marks_add(&w->objects, id, e);

	if (r <= 0)
		return r;
	q = db_query(w->s->db, STORED);
	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1)
		w->bytes += q_col_int(q, 0);
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int walk(struct walk *w, const struct sha *id, int level, struct err *e)
{
	struct sha none = tree_empty_id();
	struct arena *a;
	struct page p;
	int r = marks_add(&w->pages, id, e), rc = 0;

	if (r <= 0 || sha_eq(id, &none))
		return r < 0 ? -1 : 0;
	a = arena_new();
	if (tree_page_read(w->s, NULL, id, level, a, &p, e)) {
		arena_free(a);
		return -1;
	}
	for (size_t i = 0; i < p.n && !rc; i++) {
		const struct entry *c = &p.items[i].entry;
		if (p.level)
			rc = walk(w, &c->id, p.level - 1, e);
		else
			rc = c->kind == ENTRY_FOLDER ? walk(w, &c->id, -1, e) : add_object(w, &c->id, e);
	}
	arena_free(a);
	return rc;
}

static int walk_all(struct walk *w, int64_t repo, const char *sql, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(w->s->db, sql);
	VEC(struct sha) trees = {0};
	struct sha tree;
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1)
		if (q_col_sha(q, 0, &tree))
			vec_push(a, &trees, tree);
	q_done(q);
	for (size_t i = 0; r >= 0 && i < trees.n; i++)
		if (walk(w, &trees.p[i], -1, e))
			return -1;
	return r;
}

static int one_repo(struct store *s, const struct repo *r, struct du_repo *out, struct err *e)
{
	struct walk w = {.s = s};
	struct commit head;
	int got = branch_head(s, r->id, STR(BRANCH_DEFAULT), &head, e), rc;

	if (got < 0)
		return -1;
	*out = (struct du_repo){.name = r->name, .files = got ? head.files : 0, .bytes = got ? head.bytes : 0};
	rc = walk_all(&w, r->id, "select c.tree from branch b join commits c on c.repo = b.repo and c.id = b.head"
				 " where b.repo = ?",
		      e);
	out->head = w.bytes;
	if (!rc)
		rc = walk_all(&w, r->id, "select tree from commits where repo = ?", e);
	out->history = w.bytes - out->head;
	marks_free(&w.pages);
	marks_free(&w.objects);
	return rc;
}

static int add_size(const struct dir_entry *t, void *ptr, struct err *e)
{
	(void)e;
	if (t->type == DIR_FILE && t->st.st_nlink == 1)
		*(int64_t *)ptr += (int64_t)t->st.st_blocks * 512;
	return DIR_GO;
}

static int folder(struct store *s, const char *name, int64_t *out, struct err *e)
{
	char path[BLOB_PATH_CAP];

	*out = 0;
	snprintf(path, sizeof(path), "%s%s%s", s->leat_dir, *name ? "/" : "", name);
	return dir_walk(path, DIR_UNSORTED | DIR_GONE_OK | DIR_SHUT_OK, add_size, out, e);
}

static int64_t file_bytes(struct store *s, const char *name)
{
	char path[BLOB_PATH_CAP];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", s->leat_dir, name);
	return lstat(path, &st) ? 0 : (int64_t)st.st_size;
}

static int all_objects(struct store *s, struct du *d, struct err *e)
{
	static const char *const tables[] = {
		"select id, size from blob",
		"select id, stored from packed",
		"select id, length(body) from small",
		"select id, length(body) from recipe",
	};
	struct gc_how how = {.dry_run = true};
	struct gc g = {.s = s, .how = &how, .a = arena_new()};
	int rc = gc_mark(&g, e) || gc_mark_memos_all(&g, e) ? -1 : 0;

	for (size_t i = 0; i < ARRAY_LEN(tables) && !rc; i++) {
		struct q *q = db_query(s->db, tables[i]);
		struct sha id;
		while ((rc = q_step(q, e)) == 1) {
			if (!q_col_sha(q, 0, &id))
				continue;
			int64_t *to = &d->garbage;
			if (gc_needs(&g, &id))
				to = marks_has(&g.hot, &id) ? &d->head : &d->history;
			*to += q_col_int(q, 1);
		}
		q_done(q);
	}
	marks_free(&g.pages);
	marks_free(&g.hot_pages);
	marks_free(&g.hot);
	marks_free(&g.cold);
	arena_free(g.a);
	return rc;
}

int du_run(struct store *s, struct arena *a, struct du *out, struct err *e)
{
	struct du d = {0};
	struct repo *repos;
	const struct {
		const char *name;
		int64_t *to;
	} folders[] = {{"packs", &d.packs}, {"views", &d.views}, {"old", &d.old}, {"cache", &d.cache},
		       {"staging", &d.staging}, {"lost+found", &d.lost}, {"logs", &d.logs}, {"", &d.total}};

	if (repo_list(s, a, &repos, &d.n, e))
		return -1;
	d.repos = arena_array(a, struct du_repo, d.n);
	for (size_t i = 0; i < d.n; i++)
		if (one_repo(s, &repos[i], &d.repos[i], e))
			return -1;
	if (all_objects(s, &d, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (folder(s, folders[i].name, folders[i].to, e))
			return -1;
	d.database = file_bytes(s, "leat.db") + file_bytes(s, "leat.db-wal") + file_bytes(s, "leat.db-shm");
	*out = d;
	return 0;
}
