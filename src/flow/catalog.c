#include "flow/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "flow/tries.h"
#include "repo/overlay.h"

struct cat_repo {
	struct catalog_repo pub; /* what is given out: first */
	bool exists;
	bool on_branch;           /* a workspace branch has a head of its own there: not master's */
	bool parts_loaded;
	struct partset head, now; /* as the head shows it; with what is laid over */
	bool overlaid;            /* .now has arrays of its own */
	bool noted;               /* of a job without output: its one end is */
	bool whole_laid;          /* the root is not the head's */
	bool lost;                /* some of it: catalog_lost */
	struct plan_unit *whole_by;
	struct entry root;
	bool currents_loaded;
	struct current *currents;
	size_t n_currents;
	bool format_loaded;
	struct sha format;
};

struct catalog {
	struct store *store;
	struct arena *arena;
	const struct graph *graph;
	struct map repos;       /* name → struct cat_repo, at its head */
	struct map pinned;      /* name@rev → struct cat_repo */
	struct cat_repo **by_id;
	size_t n_by_id;
	struct map lost;        /* "repo ds" */
	struct map formats;     /* id of a repo as text → struct str, its remembered format */
	bool formats_loaded, currents_loaded;
	struct tries *tries;    /* NULL: each is asked for by itself */
};

struct store *catalog_store(const struct catalog *c)
{
	return c->store;
}

void catalog_graph(struct catalog *c, const struct graph *g)
{
	c->graph = g;
}

static enum repo_role role_of(struct str s)
{
	return str_is(s, "output") ? REPO_OUTPUT : str_is(s, "system") ? REPO_SYSTEM : REPO_SOURCE;
}

static struct entry root_of(const struct commit *k)
{
	return (struct entry){.kind = ENTRY_FOLDER, .id = k->tree, .size = k->bytes, .files = k->files};
}

static void read_commit(struct arena *a, struct q *q, int col, int64_t repo, struct commit *k)
{
	k->repo = repo;
	k->id = id_of(q_col_text(q, col));
	k->parent = id_of(q_col_text(q, col + 1));
	k->number = q_col_int(q, col + 2);
	if (!q_col_sha(q, col + 3, &k->tree))
		k->tree = tree_empty_id();
	k->files = q_col_int(q, col + 4);
	k->bytes = q_col_int(q, col + 5);
	k->at = q_col_int(q, col + 6);
	k->batch = id_of(q_col_text(q, col + 7));
	k->run = id_of(q_col_text(q, col + 8));
}

static struct cat_repo *add_repo(struct catalog *c, struct map *m, struct str key, struct str name)
{
	struct cat_repo *r = arena_new_of(c->arena, struct cat_repo);

	r->pub.repo.name = arena_str(c->arena, name);
	r->pub.kind = workspace_table_kind(c->store->ws, name);
	map_set(m, key, r);
	return r;
}

#define REPO_COLUMNS                                                                                                   \
	"select r.id, r.name, r.role, r.job, k.id, k.parent, k.number, k.tree, k.files, k.bytes, k.at, k.batch, k.run"
#define REPO_MASTER ", 0 from repo r left join branch b on b.repo = r.id and b.name = 'master'"
#define REPO_ON ", w.state is not null from repo r left join branch b on b.repo = r.id and b.name = 'master'"

static int load_repos(struct catalog *c, struct err *e)
{
	static const char on_master[] =
		REPO_COLUMNS REPO_MASTER " left join commits k on k.repo = r.id and k.id = b.head"
					 " where r.ended is null and r.made_on is null order by r.id";
	static const char on_branch[] =
		REPO_COLUMNS REPO_ON " left join workspace_base w on w.repo = r.id and w.branch = ?1"
			     " left join branch n on n.repo = r.id and n.name = ?3 and w.state = 'written'"
			     " left join commits k on k.repo = r.id and k.id = case when w.state is null then b.head"
			     " when w.state = 'written' then n.head else w.base end"
			     " where " OVERLAY_SHOWS " order by r.id";
	VEC(struct cat_repo *) all = {0};
	struct q *q = db_query(c->store->db, c->store->on ? on_branch : on_master);
	int r;

	if (c->store->on) {
		overlay_bind(c->store, q);
		q_text(q, 3, c->store->on->name);
	}
	while ((r = q_step(q, e)) == 1) {
		struct str name = q_col_text(q, 1);
		struct cat_repo *cr = add_repo(c, &c->repos, name, name);

		cr->exists = true;
		cr->on_branch = q_col_int(q, 13);
		cr->pub.repo.id = q_col_int(q, 0);
		cr->pub.repo.role = role_of(q_col_text(q, 2));
		if (!q_col_is_null(q, 3))
			cr->pub.repo.job = arena_str(c->arena, q_col_text(q, 3));
		if (!q_col_is_null(q, 4)) {
			cr->pub.has_commit = true;
			read_commit(c->arena, q, 4, cr->pub.repo.id, &cr->pub.head);
			cr->root = root_of(&cr->pub.head);
		}
		vec_push(c->arena, &all, cr);
	}
	q_done(q);
	c->by_id = all.p;
	c->n_by_id = all.n;
	return r < 0 ? -1 : 0;
}

int catalog_new(struct store *s, struct arena *a, struct catalog **out, struct err *e)
{
	struct catalog *c = arena_new_of(a, struct catalog);

	c->store = s;
	c->arena = a;
	map_init(&c->repos, a);
	map_init(&c->pinned, a);
	map_init(&c->lost, a);
	map_init(&c->formats, a);
	if (load_repos(c, e) < 0)
		return -1;
	*out = c;
	return 0;
}

static const struct job *producer(const struct catalog *c, struct str repo)
{
	return c->graph ? graph_producer(c->graph, repo) : NULL;
}

/* Brings what is given out in line with .now. */
static void show(const struct catalog *c, struct cat_repo *r)
{
	const struct job *j = producer(c, r->pub.repo.name);

	r->pub.parts = r->now.p;
	r->pub.n_parts = r->now.n;
	r->pub.every = r->now.every;
	if (!r->now.n)
		r->pub.every = j ? j->every : EVERY_NONE;
}

/* A job without output has no commits: that a unit has ended well is a row of `current`, and all that there is. */
static int noted(struct catalog *c, struct cat_repo *r, struct part **parts, size_t *n, struct err *e)
{
	const struct current *all = NULL;
	struct part *p;
	size_t n_all = 0;

	if (catalog_currents(c, r->pub.repo.name, &all, &n_all, e) < 0)
		return -1;
	p = arena_array(c->arena, struct part, n_all + 1);
	for (size_t i = 0; i < n_all; i++) {
		struct entry nothing = {.kind = ENTRY_FOLDER, .id = all[i].tree};

		if (!all[i].label[0]) {
			r->noted = true;
			r->root = nothing;
			continue;
		}
		memcpy(p[*n].label, all[i].label, sizeof(p->label));
		p[(*n)++].entry = nothing;
	}
	*parts = p;
	return 0;
}

static int load_parts(struct catalog *c, struct cat_repo *r, struct err *e)
{
	struct part *p = NULL;
	size_t n = 0;

	if (r->parts_loaded)
		return 0;
	if (r->pub.has_commit) {
		int there = store_lease_commit(c->store, r->pub.repo.id, r->pub.head.id, e);

		if (there < 0)
			return -1;
		if (!there) {
			err_set(e, ERR_CONFLICT, "the commit %s of %.*s was dropped while it was looked at",
			        r->pub.head.id.hex, STR_ARG(r->pub.repo.name));
			return err_hint(e, "run it again");
		}
	}
	if (r->pub.has_commit && tree_parts(c->store, c->arena, &r->pub.head.tree, &p, &n, e) < 0)
		return -1;
	if (r->pub.repo.role == REPO_SYSTEM && !r->pub.has_commit && noted(c, r, &p, &n, e))
		return -1;
	partset_init(&r->head, c->arena, p, n);
	r->now = r->head;
	r->parts_loaded = true;
	show(c, r);
	return 0;
}

/* At its head; made on the spot for one that is not there, so that partitions can be laid over it. */
static int at_head(struct catalog *c, struct str name, struct cat_repo **out, struct err *e)
{
	struct cat_repo *r = map_get(&c->repos, name);

	if (!r)
		r = add_repo(c, &c->repos, name, name);
	if (load_parts(c, r, e) < 0)
		return -1;
	*out = r;
	return 0;
}

static bool is_there(const struct cat_repo *r)
{
	return r->exists || r->overlaid || r->whole_laid;
}

/* A commit of a pin, as a repo that nothing is laid over. Found: 1; 0 and *why for what is not there. */
static int pinned(struct catalog *c, struct arena *a, struct str name, struct str rev, bool time, struct cat_repo **out,
                  const char **why, struct err *e)
{
	struct str key = arena_strf(a, "%.*s@%s%.*s", STR_ARG(name), time ? "@" : "", STR_ARG(rev));
	struct cat_repo *r = map_get(&c->pinned, key), *head = map_get(&c->repos, name);
	struct pin pin = {0};
	struct err mine = ERR_INIT;

	if (r) {
		*out = r;
		return 1;
	}
	if (time) {
		struct id id = {""};
		int64_t at;
		int got;

		if (!head || !head->exists)
			return 0;
		if (!time_parse_rfc3339(rev, &at))
			return err_set(e, ERR_BAD_REQUEST, "'%.*s' is no time; write 2017-11-27T05:00:00Z",
			      STR_ARG(rev));
		got = overlay_head_at(c->store, head->pub.repo.id, at, &id, e);
		rev = arena_str(a, str_of(id.hex));
		if (got <= 0) {
			*why = arena_printf(a, "%.*s had no commit at that time", STR_ARG(name));
			return got < 0 ? -1 : 0;
		}
	}
	if (pin_resolve(c->store, c->arena, arena_strf(c->arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(rev)), &pin,
	      &mine) < 0) {
		if (mine.code != ERR_NOT_FOUND) {
			*e = mine;
			return -1;
		}
		*why = arena_dup(a, mine.msg);
		return 0;
	}
	r = add_repo(c, &c->pinned, key, name);
	r->exists = true;
	r->pub.repo = pin.repo;
	r->pub.has_commit = pin.has_commit;
	r->pub.head = pin.commit;
	r->root = root_of(&pin.commit);
	if (load_parts(c, r, e) < 0) {
		map_del(&c->pinned, key);
		return -1;
	}
	*out = r;
	return 1;
}

int catalog_repo(struct catalog *c, struct str name, struct str rev, struct catalog_repo **out, struct err *e)
{
	struct cat_repo *r = NULL;
	const char *why = NULL;
	int got = 1;

	/* who writes @master means master, also on a workspace branch */
	if (rev.p && (c->store->on || !str_is(rev, BRANCH_DEFAULT)))
		got = pinned(c, c->arena, name, rev, false, &r, &why, e);
	else if (at_head(c, name, &r, e) < 0)
		return -1;
	if (got <= 0)
		return got;
	*out = &r->pub;
	return is_there(r) ? 1 : 0;
}

int catalog_parts(struct catalog *c, struct str repo, struct str rev, struct partset **out, struct err *e)
{
	struct catalog_repo *pub = NULL;
	int got = catalog_repo(c, repo, rev, &pub, e);

	if (got < 0)
		return -1;
	*out = got && pub->n_parts ? &((struct cat_repo *)pub)->now : NULL;
	return 0;
}

/* With the repo of the same zone that it may have been meant to be. */
static const char *absent(struct catalog *c, struct arena *a, struct str name)
{
	struct str *last = arena_array(a, struct str, c->n_by_id), zone, own, other, mine;
	const struct repo **of = arena_array(a, const struct repo *, c->n_by_id);
	size_t n = 0;
	int near;

	if (!str_rcut(name, '/', &zone, &mine)) {
		zone = STR("");
		mine = name;
	}
	for (size_t i = 0; i < c->n_by_id; i++) {
		of[n] = &c->by_id[i]->pub.repo;
		if (!str_rcut(of[n]->name, '/', &other, &own)) {
			other = STR("");
			own = of[n]->name;
		}
		if (str_eq(zone, other) && c->by_id[i]->exists && of[n]->role != REPO_SYSTEM)
			last[n++] = own;
	}
	near = str_nearest(mine, last, n);
	return near < 0 ? arena_printf(a, "%.*s is not there", STR_ARG(name))
	                : arena_printf(a, "%.*s is not there; did you mean %.*s?", STR_ARG(name),
	                               STR_ARG(of[near]->name));
}

int catalog_input(struct catalog *c, struct arena *a, const struct job_input *in, struct catalog_repo **out,
                  struct partset **parts, const char **why, struct err *e)
{
	struct cat_repo *r = NULL;
	const char *because = NULL;
	int got = 1;

	if (in->at.p)
		got = pinned(c, a, in->repo, in->at, true, &r, &because, e);
	else if (in->pin.p && !str_is(in->pin, BRANCH_DEFAULT))
		got = pinned(c, a, in->repo, in->pin, false, &r, &because, e);
	else if (at_head(c, in->repo, &r, e) < 0)
		return -1;
	if (got < 0)
		return -1;
	/* What a job will make has its partitions to come. */
	if (!got || (!is_there(r) && !producer(c, in->repo))) {
		*why = because ? because : absent(c, a, in->repo);
		return 0;
	}
	*out = &r->pub;
	*parts = &r->now;
	return 1;
}

static void overlay(struct cat_repo *r)
{
	if (r->overlaid)
		return;
	partset_copy(&r->now, &r->head);
	r->overlaid = true;
}

/* The whole repo becomes this tree (NULL: not known yet what). */
static int lay_whole(struct catalog *c, struct cat_repo *r, const struct entry *tree, struct plan_unit *by,
      struct err *e)
{
	struct part *p = NULL;
	size_t n = 0;

	if (tree && tree_parts(c->store, c->arena, &tree->id, &p, &n, e) < 0)
		return -1;
	partset_init(&r->now, c->arena, p, n);
	partset_copy(&r->now, &r->now);
	for (size_t i = 0; by && i < n; i++)
		partset_put(&r->now, p[i].label, &p[i].entry, by);
	r->root = tree ? *tree : (struct entry){.kind = ENTRY_FOLDER};
	r->whole_laid = true;
	r->whole_by = by;
	show(c, r);
	return 0;
}

/* A repo that was made since the catalog was: what is remembered of it (formats) is kept under its number. */
static int find_new(struct catalog *c, struct cat_repo *r, struct str repo, struct err *e)
{
	struct repo found;
	int got = repo_find(c->store, c->arena, repo, &found, e);

	if (got == 1) {
		r->pub.repo = found;
		r->exists = true;
		r->format_loaded = false;
	}
	return got < 0 ? -1 : 0;
}

static int lay(struct catalog *c, struct str repo, const struct ds *ds, const struct entry *tree, struct plan_unit *by,
               struct err *e)
{
	struct entry none = {.kind = ENTRY_FOLDER};
	struct cat_repo *r = NULL;

	if (at_head(c, repo, &r, e) < 0 || (!by && !r->exists && find_new(c, r, repo, e)))
		return -1;
	if (ds->every == EVERY_NONE)
		return lay_whole(c, r, tree, by, e);
	overlay(r);
	partset_put(&r->now, ds->label, tree ? tree : &none, by);
	show(c, r);
	return 0;
}

int catalog_lay(struct catalog *c, struct str repo, const struct ds *ds, const struct entry *tree, struct err *e)
{
	return lay(c, repo, ds, tree, NULL, e);
}

int catalog_plan(struct catalog *c, struct plan_unit *u, const struct entry *tree, struct err *e)
{
	return lay(c, u->job->output, &u->ds, tree, u, e);
}

int catalog_unplan(struct catalog *c, const struct plan_unit *u, struct err *e)
{
	struct cat_repo *r = NULL;
	ptrdiff_t i;

	if (at_head(c, u->job->output, &r, e) < 0)
		return -1;
	if (u->ds.every == EVERY_NONE) {
		if (!r->whole_laid)
			return 0;
		r->now = r->head;
		r->overlaid = r->whole_laid = false;
		r->whole_by = NULL;
		r->root = root_of(&r->pub.head);
		show(c, r);
		return 0;
	}
	if (!r->overlaid)
		return 0;
	i = partset_find(&r->head, u->ds.label);
	if (i >= 0)
		partset_put(&r->now, u->ds.label, &r->head.p[i].entry, NULL);
	else
		partset_del(&r->now, u->ds.label);
	show(c, r);
	return 0;
}

int catalog_at_head(struct catalog *c, struct str repo, const struct ds *ds, struct entry *out, struct err *e)
{
	struct cat_repo *r = NULL;
	ptrdiff_t i;

	if (at_head(c, repo, &r, e) < 0)
		return -1;
	if (ds->every == EVERY_NONE) {
		if (!r->pub.has_commit && !r->noted)
			return 0;
		*out = r->noted ? r->root : root_of(&r->pub.head);
		return 1;
	}
	i = partset_find(&r->head, ds->label);
	if (i < 0)
		return 0;
	*out = r->head.p[i].entry;
	return 1;
}

bool catalog_bare(struct catalog *c, struct str repo, const struct catalog_repo **out)
{
	struct cat_repo *r = map_get(&c->repos, repo);

	*out = r && is_there(r) ? &r->pub : NULL;
	return !r || (!r->overlaid && !r->whole_laid && !r->lost);
}

struct partset *catalog_set(const struct catalog_repo *pub)
{
	return &((struct cat_repo *)pub)->now;
}

enum every catalog_every(struct catalog *c, struct str repo)
{
	struct cat_repo *r = map_get(&c->repos, repo);
	const struct job *j = producer(c, repo);

	return r && r->now.n ? r->now.every : j ? j->every : EVERY_NONE;
}

bool catalog_root(const struct catalog_repo *pub, struct entry *root, struct plan_unit **by)
{
	const struct cat_repo *r = (const struct cat_repo *)pub;

	*root = r->root;
	*by = r->whole_by;
	return r->pub.has_commit || r->noted || r->whole_laid;
}

/*
 * Of a repo of which the workspace branch has a head of its own, what was written down for master counts where that
 * head shows the same.
 */
static int shows_same(struct catalog *c, struct cat_repo *r, const struct current *cur, struct err *e)
{
	ptrdiff_t i;

	if (load_parts(c, r, e) < 0)
		return -1;
	if (!cur->label[0])
		return r->pub.has_commit && sha_eq(&cur->tree, &r->pub.head.tree);
	i = partset_find(&r->head, cur->label);
	return i >= 0 && sha_eq(&cur->tree, &r->head.p[i].entry.id);
}

#define CURRENT_ON                                                                                                     \
	"select repo, ds, key, tree, unit, note, 1 from current_on where branch = ?1 and (?2 = 0 or repo = ?2)"       \
	" union all select c.repo, c.ds, c.key, c.tree, c.unit, c.note, 0 from current c"                              \
	" where (?2 = 0 or c.repo = ?2) and not exists (select 1 from current_on o"                                    \
	" where o.branch = ?1 and o.repo = c.repo and o.ds = c.ds) order by 1, 2"

/* Rows of currents: repo, ds, key, tree, unit, note, whether it is the branch's own. repo 0: of all. */
static struct q *query_currents(struct catalog *c, int64_t repo)
{
	const struct overlay *on = c->store->on;
	struct q *q = db_query(
		c->store->db,
		on     ? CURRENT_ON
		: repo ? "select repo, ds, key, tree, unit, note, 1 from current where ?1 = 0 and repo = ?2 order by ds"
		       : "select repo, ds, key, tree, unit, note, 1 from current where ?1 = ?2 order by repo, ds");

	q_int(q, 1, on ? on->id : 0);
	q_int(q, 2, repo);
	return q;
}

/* Keeps those of a repo that count. */
static int keep_currents(struct catalog *c, struct cat_repo *r, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_currents; i++) {
		int same = r->on_branch && !r->currents[i].own ? shows_same(c, r, &r->currents[i], e) : 1;

		if (same < 0)
			return -1;
		if (same)
			r->currents[n++] = r->currents[i];
	}
	r->n_currents = n;
	r->currents_loaded = true;
	return 0;
}

static void read_current(struct arena *a, struct q *q, int col, struct current *out)
{
	struct str label = q_col_text(q, col);

	memset(out, 0, sizeof(*out));
	memcpy(out->label, label.p, MIN(label.n, sizeof(out->label) - 1));
	if (!q_col_sha(q, col + 1, &out->key) || !q_col_sha(q, col + 2, &out->tree))
		memset(&out->key, 0, sizeof(out->key));
	out->unit = q_col_int(q, col + 3);
	out->note = arena_str(a, q_col_text(q, col + 4));
	out->own = q_col_int(q, col + 5);
}

int catalog_load_currents(struct catalog *c, struct err *e)
{
	VEC(struct current) all = {0};
	VEC(int64_t) repos = {0};
	struct q *q;
	size_t at = 0;
	int r;

	if (c->currents_loaded)
		return 0;
	q = query_currents(c, 0);
	while ((r = q_step(q, e)) == 1) {
		struct current cur;

		read_current(c->arena, q, 1, &cur);
		vec_push(c->arena, &all, cur);
		vec_push(c->arena, &repos, q_col_int(q, 0));
	}
	q_done(q);
	if (r < 0)
		return -1;
	for (size_t i = 0; i < c->n_by_id; i++) {
		struct cat_repo *cr = c->by_id[i];

		while (at < all.n && repos.p[at] < cr->pub.repo.id)
			at++;
		cr->currents = all.p + at;
		cr->n_currents = 0;
		while (at < all.n && repos.p[at] == cr->pub.repo.id) {
			at++;
			cr->n_currents++;
		}
		if (keep_currents(c, cr, e))
			return -1;
	}
	c->currents_loaded = true;
	return 0;
}

int catalog_currents(struct catalog *c, struct str repo, const struct current **out, size_t *n, struct err *e)
{
	struct cat_repo *cr = map_get(&c->repos, repo);
	VEC(struct current) all = {0};
	struct q *q;
	int r;

	if (!cr || !cr->exists) {
		*out = NULL;
		*n = 0;
		return 0;
	}
	if (!cr->currents_loaded) {
		q = query_currents(c, cr->pub.repo.id);
		while ((r = q_step(q, e)) == 1) {
			struct current cur;

			read_current(c->arena, q, 1, &cur);
			vec_push(c->arena, &all, cur);
		}
		q_done(q);
		if (r < 0)
			return -1;
		cr->currents = all.p;
		cr->n_currents = all.n;
		if (keep_currents(c, cr, e))
			return -1;
	}
	*out = cr->currents;
	*n = cr->n_currents;
	return 0;
}

static int by_label(const void *key, const void *row)
{
	return strcmp(key, ((const struct current *)row)->label);
}

int catalog_current(struct catalog *c, struct str repo, const char *label, const struct current **out, struct err *e)
{
	const struct current *all = NULL, *got;
	size_t n = 0;

	if (catalog_currents(c, repo, &all, &n, e) < 0)
		return -1;
	got = n ? bsearch(label, all, n, sizeof(*all), by_label) : NULL;
	if (!got)
		return 0;
	*out = got;
	return 1;
}

void catalog_tries(struct catalog *c, bool together)
{
	c->tries = together ? tries_new(c->store, c->arena) : NULL;
}

bool catalog_has_failed(const struct last_try *t)
{
	return t && (!strcmp(t->state, "failed") || !strcmp(t->state, "timed-out") || !strcmp(t->state, "lost"));
}

int catalog_last_try(struct catalog *c, struct str job, const char *label, const struct last_try **out,
                     struct err *e)
{
	struct last_try *t = NULL;
	struct q *q;
	int r = c->tries ? tries_find(c->tries, job, label, out, e) : 0;

	if (r)
		return r < 0 ? -1 : 0;
	/* what was tried on a workspace branch counts there, and what was tried on master before it was tried there */
	q = db_query(c->store->db,
	             "select u.state, u.key, u.error from unit u left join run r on r.id = u.run where u.job = ?1"
	             " and u.ds = ?2 and (r.branch is null or (r.branch = ?3 and u.created >= ?4))"
	             " order by u.id desc limit 1");
	q_text(q, 1, job);
	q_cstr(q, 2, label);
	q_text(q, 3, c->store->on ? c->store->on->name : STR_NULL);
	q_int(q, 4, c->store->on ? c->store->on->created : 0);
	r = q_step(q, e);
	if (r == 1) {
		t = arena_new_of(c->arena, struct last_try);
		t->state = arena_cstr(c->arena, q_col_text(q, 0));
		if (!q_col_sha(q, 1, &t->key))
			t->key = (struct sha){0};
		if (!q_col_is_null(q, 2))
			t->error = arena_cstr(c->arena, q_col_text(q, 2));
	}
	q_done(q);
	*out = t;
	return r < 0 ? -1 : 0;
}

/* What leat.yaml says of the table and counts. Returns whether there is anything. */
static bool add_settings(const struct catalog *c, struct str repo, struct buf *b)
{
	const struct dom *map = workspace_table(c->store->ws, repo);
	const struct keys *keys = workspace_keys();
	bool any = false;

	for (size_t i = 0; map && i < keys->n; i++) {
		const struct key *k = &keys->rows[i];
		const struct dom *v;

		if (strcmp(k->section, "table") != 0 || !(k->flags & KEYS_MEMO))
			continue;
		v = keys_get(keys, "table", map, k->name);
		if (!v || (k->def && !dom_get(map, k->name)))
			continue;
		buf_addf(b, "%s=", k->name);
		dom_write_json(b, v, DOM_CANONICAL);
		buf_addc(b, '\n');
		any = true;
	}
	return any;
}

static int load_formats(struct catalog *c, int64_t only, struct err *e)
{
	struct q *q = db_query(c->store->db, "select repo, body from table_format where ?1 = 0 or repo = ?1");
	int r;

	q_int(q, 1, only);
	while ((r = q_step(q, e)) == 1) {
		struct str *body = arena_new_of(c->arena, struct str);

		*body = arena_str(c->arena, q_col_text(q, 1));
		map_set(&c->formats, arena_strf(c->arena, "%lld", (long long)q_col_int(q, 0)), body);
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

int catalog_format(struct catalog *c, struct str repo, struct sha *out, struct err *e)
{
	struct cat_repo *r = map_get(&c->repos, repo);
	struct buf b = BUF_INIT(DOM_MAX_BYTES);
	const struct str *body = NULL;
	char id[32];

	if (!r)
		r = add_repo(c, &c->repos, repo, repo);
	if (r->format_loaded) {
		*out = r->format;
		return 0;
	}
	if (!c->formats_loaded) {
		if (load_formats(c, 0, e) < 0)
			return -1;
		c->formats_loaded = true;
	}
	if (r->exists) {
		snprintf(id, sizeof(id), "%lld", (long long)r->pub.repo.id);
		body = map_get(&c->formats, str_of(id));
	}
	memset(&r->format, 0, sizeof(r->format));
	if (body)
		buf_addstr(&b, *body);
	buf_addc(&b, '\n');
	if (add_settings(c, repo, &b) || body)
		r->format = sha_of(b.p, b.n);
	buf_free(&b);
	r->format_loaded = true;
	*out = r->format;
	return 0;
}

int catalog_format_learned(struct catalog *c, struct str repo, struct err *e)
{
	struct cat_repo *r = map_get(&c->repos, repo);

	if (!r || !r->exists)
		return 0;
	if (load_formats(c, r->pub.repo.id, e) < 0)
		return -1;
	r->format_loaded = false;
	return 0;
}

static struct str lost_key(struct arena *a, struct str repo, const struct ds *ds)
{
	return arena_strf(a, "%.*s %s", STR_ARG(repo), ds->label);
}

void catalog_lost(struct catalog *c, struct str repo, const struct ds *ds)
{
	struct cat_repo *r = map_get(&c->repos, repo);

	if (!r)
		r = add_repo(c, &c->repos, repo, repo);
	r->lost = true;
	map_set(&c->lost, lost_key(c->arena, repo, ds), c);
}

bool catalog_is_lost(const struct catalog *c, struct str repo, const struct ds *ds)
{
	return c->lost.n && map_has(&c->lost, lost_key(c->arena, repo, ds));
}
