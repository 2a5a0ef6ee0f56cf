#include "repo/mount_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "repo/refs.h"

#define TOP_INO 1
#define NAMES_MAX 1000 /* in an open commit's top folder */

/* A commit at a name of a zone. */
struct mount_root {
	struct mount_root *next;
	struct node node; /* its top folder */
	struct node *zone;
	char *name; /* "trips" or "trips@PIN" */
	struct id commit;
	int64_t at;
	size_t nodes; /* that the kernel knows, its own too */
	bool open;    /* an open commit, as it was when this was looked up */
};

struct mount_tree {
	struct store *s;
	struct arena *arena, *call; /* `call`: emptied after each */
	struct map zones;           /* prefix -> struct node */
	struct mount_root *roots;
	size_t nodes;
	uid_t uid;
	gid_t gid;
	int64_t started;
};

static uint64_t ino_of(uint64_t in, struct str name)
{
	struct {
		uint64_t in, name;
	} both = {in, hash_bytes(name.p, name.n)};
	uint64_t v = hash_bytes(&both, sizeof(both));

	return v > TOP_INO ? v : v + 2;
}

uint64_t mount_tree_ino(const struct node *in, struct str name)
{
	return ino_of(in->ino, name);
}

static struct node *zone(struct mount_tree *t, struct str prefix, uint64_t ino)
{
	struct node *n = map_get(&t->zones, prefix);

	if (n)
		return n;
	n = arena_new_of(t->arena, struct node);
	n->kind = NODE_ZONE;
	n->prefix = arena_str(t->arena, prefix);
	n->ino = ino;
	map_set(&t->zones, prefix, n);
	return n;
}

struct mount_tree *mount_tree_new(struct store *s)
{
	struct mount_tree *t = xcalloc(1, sizeof(*t));

	t->s = s;
	t->arena = arena_new();
	t->call = arena_new();
	t->uid = getuid();
	t->gid = getgid();
	map_init(&t->zones, t->arena);
	(void)zone(t, STR(""), TOP_INO);
	return t;
}

bool mount_tree_open(const struct mount_tree *t)
{
	for (const struct mount_root *r = t->roots; r; r = r->next)
		if (r->open)
			return true;
	return false;
}

/* Else gc would wait for as long as the mount stands. */
static void release_open(struct mount_tree *t)
{
	if (!mount_tree_open(t))
		store_lease_open_drop(t->s);
}

static void root_free(struct mount_tree *t, struct mount_root *r)
{
	bool shared = false;

	for (struct mount_root **p = &t->roots; *p;)
		if (*p == r) {
			*p = r->next;
		} else {
			shared |= !strcmp((*p)->commit.hex, r->commit.hex);
			p = &(*p)->next;
		}
	if (!shared && r->commit.hex[0])
		store_lease_drop(t->s, r->commit);
	if (r->open)
		release_open(t);
	free(r->name);
	free(r);
}

void mount_tree_free(struct mount_tree *t)
{
	/* nodes below roots are the kernel's to forget; at the end of the process they may stand */
	while (t->roots)
		root_free(t, t->roots);
	arena_free(t->call);
	arena_free(t->arena);
	free(t);
}

struct node *mount_tree_top(struct mount_tree *t)
{
	return zone(t, STR(""), TOP_INO);
}

size_t mount_tree_nodes(const struct mount_tree *t)
{
	return t->nodes;
}

bool mount_tree_moves(const struct node *n)
{
	return n->root && n == &n->root->node;
}

/* One more reference by the kernel. */
static void take(struct mount_tree *t, struct node *n)
{
	if (!n->lookups++ && n->root) {
		n->root->nodes++;
		t->nodes++;
	}
}

void mount_tree_forget(struct mount_tree *t, struct node *n, uint64_t lookups)
{
	struct mount_root *r = n->root;

	n->lookups -= MIN(lookups, n->lookups);
	if (n->lookups || !r)
		return;
	t->nodes--;
	if (n != &r->node)
		free(n);
	if (!--r->nodes)
		root_free(t, r);
}

/* The repo at a pin, under that name: the one that is known, or a new one. */
static int root_at(struct mount_tree *t, struct node *in, struct str name, struct str pin_text, struct node **out,
                   struct err *e)
{
	struct mount_root *r;
	struct pin pin;

	if (pin_resolve(t->s, t->call, pin_text, &pin, e)) {
		release_open(t);
		return -1;
	}
	for (r = t->roots; r; r = r->next)
		if (r->zone == in && str_is(name, r->name) && !strcmp(r->commit.hex, pin.commit.id.hex) &&
		    (!r->open || sha_eq(&r->node.id, &pin.commit.tree)))
			break;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		r->zone = in;
		r->name = xstrdup(arena_cstr(t->call, name));
		r->commit = pin.commit.id;
		r->at = pin.commit.at;
		r->node = (struct node){.kind = NODE_FOLDER, .root = r, .size = pin.commit.bytes,
		                        .id = pin.has_commit ? pin.commit.tree : tree_empty_id()};
		r->open = pin.open;
		r->node.ino = ino_of(ino_of(in->ino, name), str_of(pin.commit.id.hex));
		if (r->open) /* what it holds may change */
			r->node.ino = ino_of(r->node.ino,
			                     (struct str){(const char *)r->node.id.b, sizeof(r->node.id.b)});
		r->next = t->roots;
		t->roots = r;
	}
	release_open(t);
	*out = &r->node;
	return 1;
}

/* 1, 0, -1: is there a repo whose name begins so? */
static int has_prefix(struct mount_tree *t, struct str prefix, struct err *e)
{
	struct q *q = db_query(t->s->db, "select 1 from repo where ended is null and name >= ?1 and name < ?2 limit 1");
	char *end = arena_cstr(t->call, prefix);
	int r;

	end[prefix.n - 1]++; /* '/' and what follows it, '0' */
	q_text(q, 1, prefix);
	q_cstr(q, 2, end);
	r = q_step(q, e);
	q_done(q);
	return r;
}

static int lookup_zone(struct mount_tree *t, struct node *in, struct str name, struct node **out, struct err *e)
{
	struct str full = arena_strf(t->call, "%.*s%.*s", STR_ARG(in->prefix), STR_ARG(name)), repo = full, rev, prefix;
	struct err mine = ERR_INIT;
	struct repo r;
	int found;

	if (str_cut(full, '@', &repo, &rev) && !rev.n)
		return 0;
	if (memchr(name.p, ':', name.n))
		return 0;
	found = repo_find(t->s, t->call, repo, &r, e);
	if (found < 0)
		return -1;
	if (found) {
		found = root_at(t, in, name, full, out, &mine);
		if (found >= 0)
			return found;
		if (mine.code == ERR_NOT_FOUND || mine.code == ERR_BAD_REQUEST || mine.code == ERR_BAD_NAME)
			return 0;
		*e = mine;
		return -1;
	}
	prefix = arena_strf(t->call, "%.*s/", STR_ARG(full));
	found = has_prefix(t, prefix, e);
	if (found == 1)
		*out = zone(t, prefix, ino_of(in->ino, name));
	return found;
}

struct node *mount_tree_child(struct mount_tree *t, struct node *in, const struct entry *entry)
{
	struct node *n = xcalloc(1, sizeof(*n));

	n->kind = entry->kind == ENTRY_FILE ? NODE_FILE : NODE_FOLDER;
	n->ino = mount_tree_ino(in, entry->name);
	n->id = entry->id;
	n->size = entry->size;
	n->root = in->root;
	take(t, n);
	return n;
}

int mount_tree_lookup(struct mount_tree *t, struct node *in, struct str name, struct node **out, struct err *e)
{
	struct entry entry;
	struct node *n = NULL;
	int r;

	if (in->kind == NODE_ZONE) {
		r = lookup_zone(t, in, name, &n, e);
		if (r == 1) {
			take(t, n);
			*out = n;
		}
		arena_reset(t->call);
		return r;
	}
	r = in->kind == NODE_FILE ? 0 : tree_find(t->s, NULL, &in->id, name, &entry, e);
	if (r == 1) {
		entry.name = name;
		*out = mount_tree_child(t, in, &entry);
	}
	return r;
}

void mount_tree_stat(const struct mount_tree *t, const struct node *n, struct stat *st)
{
	int64_t ms = n->root ? n->root->at : 0;

	*st = (struct stat){
		.st_ino = n->ino,
		.st_mode = n->kind == NODE_FILE ? S_IFREG | 0444 : S_IFDIR | 0555,
		.st_nlink = 1, /* of a folder: nobody has counted */
		.st_uid = t->uid,
		.st_gid = t->gid,
		.st_size = n->kind == NODE_FILE ? n->size : 0,
		.st_blksize = 4096,
		.st_blocks = n->kind == NODE_FILE ? (n->size + 511) / 512 : 0,
	};
	st->st_mtim.tv_sec = ms / 1000;
	st->st_mtim.tv_nsec = ms % 1000 * 1000000;
	st->st_atim = st->st_ctim = st->st_mtim;
}

struct zone_list {
	struct mount_tree *t;
	const struct node *in;
	struct arena *a;
	VEC(struct zone_entry) v;
};

static void add_name(struct zone_list *l, struct str name)
{
	struct zone_entry z = {arena_str(l->a, name), mount_tree_ino(l->in, name)};

	vec_push(l->a, &l->v, z);
}

/* Branches and tags beside their repo; master is the repo's own name. */
static int add_refs(struct zone_list *l, const struct repo *r, struct str leaf, struct err *e)
{
	struct ref *refs;
	size_t n;

	if (refs_branches(l->t->s, l->a, r->id, &refs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!str_is(refs[i].name, BRANCH_DEFAULT))
			add_name(l, arena_strf(l->a, "%.*s@%.*s", STR_ARG(leaf), STR_ARG(refs[i].name)));
	if (refs_tags(l->t->s, l->a, r->id, &refs, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		add_name(l, arena_strf(l->a, "%.*s@%.*s", STR_ARG(leaf), STR_ARG(refs[i].name)));
	return 0;
}

int mount_tree_zone(struct mount_tree *t, const struct node *in, struct arena *a, struct zone_entry **out, size_t *n,
                    struct err *e)
{
	struct zone_list l = {.t = t, .in = in, .a = a};
	struct str last = STR("");
	struct repo *repos;
	size_t many;

	if (repo_list(t->s, a, &repos, &many, e))
		return -1;
	for (size_t i = 0; i < many; i++) {
		struct str rest, leaf, below;

		if (repos[i].role == REPO_SYSTEM || !str_has_prefix(repos[i].name, in->prefix))
			continue;
		rest = str_sub(repos[i].name, in->prefix.n, SIZE_MAX);
		if (str_cut(rest, '/', &leaf, &below)) {
			if (!str_eq(leaf, last))
				add_name(&l, leaf);
			last = leaf;
			continue;
		}
		add_name(&l, rest);
		if (add_refs(&l, &repos[i], rest, e))
			return -1;
	}
	*out = l.v.p;
	*n = l.v.n;
	return 0;
}

struct naming {
	struct arena *a;
	struct node *in;
	VEC(struct mount_name) v;
	size_t left;
};

static int add_child(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct naming *l = ptr;

	(void)entry;
	(void)e;
	vec_push(l->a, &l->v, ((struct mount_name){l->in, arena_cstr(l->a, path)}));
	return !--l->left;
}

void mount_tree_roots(struct mount_tree *t, struct arena *a, bool open, struct mount_name **out, size_t *n)
{
	struct naming l = {.a = a};

	for (struct mount_root *r = t->roots; r; r = r->next) {
		struct err ignored = ERR_INIT;

		/* who has left a folder that has another content by now left names in it, which hold it */
		l.in = &r->node;
		l.left = NAMES_MAX;
		if (open && r->open && tree_list(t->s, NULL, &r->node.id, STR_NULL, add_child, &l, &ignored) < 0)
			err_clear(&ignored);
		if (r->open || !open)
			vec_push(a, &l.v, ((struct mount_name){r->zone, arena_dup(a, r->name)}));
	}
	*out = l.v.p;
	*n = l.v.n;
}
