/*
 * Interleavings of the store, enumerated (docs/decisions/0006-concurrency-of-the-store.md holds the invariants): puts,
 * finishes, squashes, drops, retention, forgetting, gc with its re-packing, and readers, each with a handle of its own
 * on one store, in orders that a seed decides.
 *
 *   LEAT_WEAVE_SCHEDULES=N   how many (a few seconds' worth by default; 100,000 in `make soak`)
 *   LEAT_WEAVE_SEED=S        the first seed
 *   LEAT_WEAVE_ONE=B:I       only schedule I of the block with seed B, with its order told: what a failure prints
 */
#include "t.h"

#ifndef LEAT_FAULTS

int main(void)
{
	T_SKIP_ALL("a build without fault points");
}

#else

#include "base/str.h"
#include "repo/blob.h"
#include "repo/gc.h"
#include "repo/gone.h"
#include "repo/keep.h"
#include "repo/open.h"
#include "store_fixture.h"
#include "weave.h"

#ifdef __SANITIZE_ADDRESS__
#define SCHEDULES 200
#else
#define SCHEDULES 1000
#endif
#define BLOCK 100     /* schedules that share a store */
#define PATHS 6
#define EDITS 3
#define LARGE ((size_t)70 << 10)
#define COMMITS 64
#define OPENS 8

static const char *const paths[PATHS] = {"a", "b", "d/c", "d/e", "ds=1/x", "f"};

static struct str contents[9];
static struct sha content_ids[ARRAY_LEN(contents)];

/* What was acknowledged. */
struct edit {
	int path, content; /* content -1: removed */
};
struct known {
	struct id id, parent;
	struct edit edits[EDITS];
	const struct known_open *open; /* it finished that one */
	int n, files[PATHS];
	bool worked_out, forgotten;
};
struct known_open {
	struct id id, base;
	struct edit edits[EDITS * 2];
	int n;
};
static struct {
	struct known commits[COMMITS];
	int n;
	struct known_open opens[OPENS];
	int n_opens;
	struct id may_go[4 * COMMITS]; /* what was to be taken out of history */
	int n_may_go;
	struct seen { /* by readers */
		struct id id;
		bool open;
		int files[PATHS];
	} seen[64];
	int n_seen;
	bool ended;
	char repo[16];
	bool large;
	char wrong[2000];
} model;

struct actor {
	struct store *s;
	struct arena *a;
	int kind;
	bool hurt; /* one of its operations is made to fail */
};
static struct actor actors[WEAVE_MAX];
static struct store *judge;

__attribute__((format(printf, 1, 2))) static void wrong(const char *fmt, ...)
{
	size_t n = strlen(model.wrong);
	va_list ap;

	va_start(ap, fmt);
	if (n < sizeof(model.wrong) - 200) {
		vsnprintf(model.wrong + n, sizeof(model.wrong) - n - 2, fmt, ap);
		strcat(model.wrong, "; ");
	}
	va_end(ap);
}

static void failed(struct actor *x, const char *what, const struct err *e)
{
	if (x->hurt && (e->code == ERR_IO || e->code == ERR_DISK_FULL))
		return;
	wrong("%s: %s", what, e->msg);
}

static struct known *known(const char *hex)
{
	for (int i = 0; i < model.n; i++)
		if (!strcmp(model.commits[i].id.hex, hex))
			return &model.commits[i];
	return NULL;
}

static void apply(int files[PATHS], const struct edit *edits, int n)
{
	for (int i = 0; i < n; i++)
		files[edits[i].path] = edits[i].content;
}

static void files_of_open(const struct known_open *o, int n, int files[PATHS]);

static const int *files_of(struct known *k)
{
	struct known *parent;

	if (k->worked_out)
		return k->files;
	parent = known(k->parent.hex);
	if (parent)
		memcpy(k->files, files_of(parent), sizeof(k->files));
	else
		memset(k->files, -1, sizeof(k->files));
	apply(k->files, k->edits, k->n);
	if (k->open) { /* what it changed is laid over the head */
		int base[PATHS], end[PATHS];
		files_of_open(k->open, 0, base);
		files_of_open(k->open, k->open->n, end);
		for (int i = 0; i < PATHS; i++)
			k->files[i] = base[i] == end[i] ? k->files[i] : end[i];
	}
	k->worked_out = true;
	return k->files;
}

/* After its first n edits. */
static void files_of_open(const struct known_open *o, int n, int files[PATHS])
{
	struct known *base = known(o->base.hex);

	memset(files, -1, PATHS * sizeof(*files));
	if (base)
		memcpy(files, files_of(base), PATHS * sizeof(*files));
	apply(files, o->edits, n);
}

static void acknowledged(const struct commit *c, const struct edit *edits, int n, const struct known_open *open)
{
	struct known *k = &model.commits[model.n++];

	BUG_IF(model.n >= COMMITS);
	*k = (struct known){.id = c->id, .parent = c->parent, .n = n, .open = open};
	if (n)
		memcpy(k->edits, edits, (size_t)n * sizeof(*edits));
}

static void may_go(struct id id)
{
	BUG_IF(model.n_may_go == ARRAY_LEN(model.may_go));
	model.may_go[model.n_may_go++] = id;
}

static bool might_go(struct id id)
{
	for (int i = 0; i < model.n_may_go; i++)
		if (!strcmp(model.may_go[i].hex, id.hex))
			return true;
	return false;
}

/* --- reading, and comparing with what should be there --- */

struct reading {
	struct store *s;
	struct arena *a;
	int files[PATHS];
	bool by_path; /* as an engine does that was told where whole files lie, and opens them when it gets to them */
	const char *who;
};

static int read_one(void *ptr, struct str path, const struct entry *t, struct err *e)
{
	struct reading *r = ptr;
	char place[BLOB_PATH_CAP];
	struct blob_at at;
	struct str bytes;
	size_t p = 0, c = 0;

	while (p < PATHS && !str_is(path, paths[p]))
		p++;
	while (c < ARRAY_LEN(contents) && !sha_eq(&t->id, &content_ids[c]))
		c++;
	if (p == PATHS || c == ARRAY_LEN(contents))
		return err_set(e, ERR_INTERNAL, "%.*s was never put", STR_ARG(path));
	if (r->by_path && blob_look(r->s, &t->id, &at, e) == 1 && at.place == BLOB_WHOLE) {
		blob_path(r->s, &t->id, place, sizeof(place));
		fault_step("told where");
		fault_step("elsewhere");
		if (file_read(r->a, place, 1 << 20, &bytes, e))
			return -1;
	} else if (blob_bytes(r->s, &t->id, r->a, 1 << 20, &bytes, e)) {
		return -1;
	}
	if (!str_eq(bytes, contents[c]))
		return err_set(e, ERR_INTERNAL, "%.*s holds other bytes than were put", STR_ARG(path));
	r->files[p] = (int)c;
	return 0;
}

static int read_all(struct reading *r, const struct sha *tree, struct err *e)
{
	memset(r->files, -1, sizeof(r->files));
	return tree_walk(r->s, NULL, tree, false, read_one, r, e);
}

static bool same_files(const int *a, const int *b)
{
	return !memcmp(a, b, PATHS * sizeof(*a));
}

/* --- actors --- */

static void choose_edits(struct edit *edits, int *n)
{
	int path = (int)weave_pick(PATHS);

	*n = 1 + (int)weave_pick(EDITS);
	for (int i = 0; i < *n; i++) {
		edits[i].path = (path + i) % PATHS;
		edits[i].content = (int)weave_pick(weave_pick(6) || !model.large ? 7 : (unsigned)ARRAY_LEN(contents));
		if (!weave_pick(8))
			edits[i].content = -1;
	}
}

static int take_in(struct ingest *in, const struct edit *edits, int n, struct tree_edit *out, struct err *e)
{
	for (int i = 0; i < n; i++) {
		out[i] = (struct tree_edit){.op = EDIT_REMOVE, .path = str_of(paths[edits[i].path])};
		if (edits[i].content < 0)
			continue;
		out[i].op = EDIT_PUT;
		if (ingest_bytes(in, contents[edits[i].content], &out[i].entry, e))
			return -1;
	}
	return 0;
}

static int repo_in(struct actor *x, struct repo *out, struct err *e)
{
	int r = repo_find(x->s, x->a, str_of(model.repo), out, e);

	return r > 0 ? 0 : r < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "the repo has ended");
}

static int put_in(struct actor *x, struct ingest *in, const struct edit *edits, int n, struct commit *made,
		  struct err *e)
{
	struct tree_edit list[EDITS];
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT), .id = id_new(), .edits = list, .n_edits = (size_t)n,
			       .even_if_equal = true};
	struct event ev = {.id = c.id, .batch = c.id, .kind = "put"};
	bool is_new;

	c.batch = c.id;
	return take_in(in, edits, n, list, e) || ingest_sync(in, e) || db_begin(x->s->db, e) ||
			       repo_in(x, &c.repo, e) || ingest_record(in, e) || event_record(x->s, &ev, e) ||
			       commit_make(x->s, in, &c, made, &is_new, e) || db_commit(x->s->db, e)
		       ? -1
		       : 0;
}

/* What may come of a change: done, told to run it again, the repo or the commit is gone. */
static bool ended_well(struct actor *x, const char *what, int rc, const struct err *e)
{
	db_rollback(x->s->db);
	if (!rc)
		return true;
	if (e->code != ERR_CONFLICT && e->code != ERR_REFUSED && e->code != ERR_NOT_FOUND && e->code != ERR_BUSY)
		failed(x, what, e);
	else if (e->code == ERR_NOT_FOUND && !model.ended && strcmp(what, "put") == 0)
		failed(x, what, e);
	return false;
}

static void act_put(struct actor *x)
{
	struct err e = ERR_INIT;
	struct edit edits[EDITS];
	struct commit made;
	struct ingest *in = ingest_new(x->s);
	int n, rc;

	choose_edits(edits, &n);
	rc = put_in(x, in, edits, n, &made, &e);
	if (!rc)
		acknowledged(&made, edits, n, NULL);
	ingest_free(in);
	ended_well(x, "put", rc, &e);
}

static int open_in(struct actor *x, struct repo *repo, struct open_commit *o, struct err *e)
{
	struct open_new n = {.branch = STR(BRANCH_DEFAULT), .id = id_new()};

	if (db_begin(x->s->db, e) || repo_in(x, repo, e))
		return -1;
	n.repo = *repo;
	return open_start(x->s, x->a, &n, o, e) || db_commit(x->s->db, e) ? -1 : 0;
}

static int edit_in(struct actor *x, const struct open_commit *o, const struct edit *edits, int n, struct err *e)
{
	struct ingest *in = ingest_new(x->s);
	struct tree_edit list[EDITS];
	struct commit as;
	int rc = take_in(in, edits, n, list, e) || ingest_sync(in, e) || db_begin(x->s->db, e) ||
				 ingest_record(in, e) ||
				 open_edit(x->s, in, o, list, (size_t)n, false, &as, e) || db_commit(x->s->db, e)
			 ? -1
			 : 0;

	ingest_free(in);
	return rc;
}

static int still_open(struct actor *x, const struct repo *repo, const struct open_commit *started,
		      struct open_commit *o, struct err *e)
{
	int r = open_find(x->s, x->a, repo->id, str_of(started->id.hex), o, e);

	return r < 0 ? -1 : r && o->state == OPEN_OPEN ? 0 : err_set(e, ERR_NOT_FOUND, "it is not open any more");
}

static int finish_in(struct actor *x, const struct repo *repo, const struct open_commit *started, struct commit *made,
		     struct err *e)
{
	struct ingest *in = ingest_new(x->s);
	struct open_finishing how = {.force = weave_pick(2)};
	struct event ev = {.id = started->id, .batch = started->id, .kind = "finish"};
	struct open_commit o;
	int rc = still_open(x, repo, started, &o, e);

	rc = rc || open_merge(x->s, in, &o, repo, &how, e) || ingest_sync(in, e) || db_begin(x->s->db, e) ||
			     ingest_record(in, e) || event_record(x->s, &ev, e) ||
			     still_open(x, repo, started, &o, e) ||
			     open_finish(x->s, in, &o, repo, &how, made, e) || db_commit(x->s->db, e)
		     ? -1
		     : 0;
	ingest_free(in);
	return rc;
}

/* Starts one, puts into it, finishes or drops it. */
static void act_open(struct actor *x)
{
	struct err e = ERR_INIT;
	struct known_open *k;
	struct open_commit o;
	struct commit made;
	struct repo repo;
	int rc = open_in(x, &repo, &o, &e);

	if (!ended_well(x, "start", rc, &e) || model.n_opens == OPENS)
		return;
	k = &model.opens[model.n_opens++];
	*k = (struct known_open){.id = o.id, .base = o.base};
	for (int i = 0, n; i < 2; i++) {
		struct edit edits[EDITS];
		choose_edits(edits, &n);
		rc = edit_in(x, &o, edits, n, &e);
		if (!rc) {
			memcpy(k->edits + k->n, edits, (size_t)n * sizeof(*edits));
			k->n += n;
		}
		if (!ended_well(x, "put into an open commit", rc, &e))
			err_clear(&e);
	}
	if (weave_pick(4)) {
		rc = finish_in(x, &repo, &o, &made, &e);
		if (!rc)
			acknowledged(&made, NULL, 0, k);
	} else {
		rc = db_begin(x->s->db, &e) || open_close(x->s, &o, OPEN_DROPPED, &e) || db_commit(x->s->db, &e);
	}
	ended_well(x, "finish", rc, &e);
}

static int let_go_in(struct actor *x, struct known *k, unsigned how, struct err *e)
{
	struct event ev = {.id = id_new(), .kind = how == 2 ? "forget" : how ? "drop" : "squash"};
	struct commit c;
	struct repo repo;
	int r;

	ev.batch = ev.id;
	if (db_begin(x->s->db, e) || repo_in(x, &repo, e) || event_record(x->s, &ev, e))
		return -1;
	r = commit_find(x->s, repo.id, str_of(k->id.hex), &c, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "the commit has gone");
	if (how == 2 ? keep_forget(x->s, &repo, &c, ev.id, e)
		     : how ? gone_drop(x->s, &repo, &c, ev.id, e) : gone_squash(x->s, &repo, &c, ev.id, e))
		return -1;
	if (how == 2)
		k->forgotten = true;
	else
		may_go(k->id);
	return db_commit(x->s->db, e);
}

/* Squash, drop, forget. A drop takes the newest. */
static void act_let_go(struct actor *x)
{
	for (int i = 0; i < 2 && model.n; i++) {
		struct err e = ERR_INIT;
		unsigned how = weave_pick(5);
		struct known *k = &model.commits[how == 1 ? (unsigned)model.n - 1 : weave_pick((unsigned)model.n)];
		how = how > 2 ? 0 : how;
		ended_well(x, "letting go", let_go_in(x, k, how, &e), &e);
	}
}

static void act_keep(struct actor *x)
{
	struct keep_rule rule = {KEEP_LAST, 1 + weave_pick(2)};
	struct err e = ERR_INIT;
	struct commit *list;
	struct repo repo;
	int64_t went = 0;
	size_t n;
	int rc = repo_in(x, &repo, &e) || keep_list(x->s, x->a, repo.id, &rule, NULL, 0, &list, &n, &e);

	for (size_t i = 0; !rc && i < n; i++)
		may_go(list[i].id);
	rc = rc || keep_apply(x->s, &repo, list, n, &went, &e);
	ended_well(x, "retention", rc, &e);
}

static void act_gc(struct actor *x)
{
	for (unsigned i = 0, n = 1 + weave_pick(2); i < n; i++) {
		struct gc_how how = {.memo_keep_ms = 1000, .eager = true};
		struct err e = ERR_INIT;
		struct gc_report r;
		if (gc_run(x->s, &how, &r, &e) && e.code != ERR_BUSY)
			failed(x, "gc", &e);
	}
}

static void saw(const struct reading *r, const struct pin *pin)
{
	struct seen *t = &model.seen[model.n_seen++];

	BUG_IF(model.n_seen >= (int)ARRAY_LEN(model.seen));
	t->id = pin->commit.id;
	t->open = pin->open;
	memcpy(t->files, r->files, sizeof(t->files));
}

static void act_read(struct actor *x)
{
	for (int i = 0; i < 2; i++) {
		struct reading r = {.s = x->s, .a = x->a, .by_path = weave_pick(2)};
		const char *name = BRANCH_DEFAULT;
		struct err e = ERR_INIT;
		struct pin pin;
		unsigned which = weave_pick(4);
		if (which == 0 && model.n_opens)
			name = model.opens[weave_pick((unsigned)model.n_opens)].id.hex;
		else if (which < 3 && model.n)
			name = model.commits[weave_pick((unsigned)model.n)].id.hex;
		if (pin_resolve(x->s, x->a, arena_strf(x->a, "%s@%s", model.repo, name), &pin, &e)) {
			if (e.code != ERR_NOT_FOUND)
				failed(x, "resolving a pin", &e);
			continue;
		}
		for (int again = 0; pin.has_commit && again < 2; again++) {
			if (read_all(&r, &pin.commit.tree, &e)) {
				err_wrap(&e, "reading %s %.8s %s", pin.open ? "the open commit" : "commit",
					 pin.commit.id.hex, r.by_path ? "by path" : "");
				failed(x, "a pinned reader", &e);
				break;
			}
			saw(&r, &pin);
		}
		if (pin.has_commit)
			store_lease_drop(x->s, pin.commit.id);
	}
	fd_close(&x->s->readers); /* as when its process ends */
}

/* A head goes back to its parent; what came after stays until it is dropped. */
static void act_rewind(struct actor *x)
{
	struct event ev = {.id = id_new(), .kind = "branch"};
	struct err e = ERR_INIT;
	struct commit head = {0}, before;
	struct repo repo;
	int rc;

	ev.batch = ev.id;
	rc = db_begin(x->s->db, &e) || repo_in(x, &repo, &e) || event_record(x->s, &ev, &e);
	/* no pin names what was forgotten */
	if (!rc && branch_head(x->s, repo.id, STR(BRANCH_DEFAULT), &head, &e) == 1 && head.parent.hex[0] &&
	    commit_find(x->s, repo.id, str_of(head.parent.hex), &before, &e) == 1 && !before.forgotten)
		rc = branch_move(x->s, repo.id, STR(BRANCH_DEFAULT), &head.parent, ev.id, &e);
	rc = rc || db_commit(x->s->db, &e);
	ended_well(x, "rewind", rc, &e);
}

static void act_end(struct actor *x)
{
	struct event ev = {.id = id_new(), .kind = "rm"};
	struct err e = ERR_INIT;
	struct repo repo;
	int rc;

	ev.batch = ev.id;
	rc = db_begin(x->s->db, &e) || repo_in(x, &repo, &e) || event_record(x->s, &ev, &e) ||
	     repo_end(x->s, &repo, &e);
	if (!rc)
		model.ended = true;
	rc = rc || db_commit(x->s->db, &e);
	ended_well(x, "rm --repo", rc, &e);
}

static const struct {
	const char *name;
	void (*act)(struct actor *x);
	int often;
} kinds[] = {
	{"put", act_put, 6},   {"open", act_open, 4},     {"letgo", act_let_go, 4}, {"gc", act_gc, 8},
	{"read", act_read, 6}, {"keep", act_keep, 3},     {"rewind", act_rewind, 1}, {"end", act_end, 1},
};

static void actor_main(void *ptr)
{
	struct actor *x = ptr;

	kinds[x->kind].act(x);
}

/* --- after it --- */

static int64_t count(const char *sql)
{
	struct err e = ERR_INIT;
	struct q *q = db_query(judge->db, sql);
	int64_t n = q_step(q, &e) == 1 ? q_col_int(q, 0) : -1;

	q_done(q);
	return n;
}

static void must_be_none(const char *sql, const char *what)
{
	int64_t n = count(sql);

	if (n)
		wrong("%s: %lld", what, (long long)n);
}

static const char *told(struct arena *a, const int *f)
{
	return arena_printf(a, "%d %d %d %d %d %d", f[0], f[1], f[2], f[3], f[4], f[5]);
}

static bool was_open(const struct seen *t)
{
	for (int i = 0; i < model.n_opens; i++) {
		const struct known_open *o = &model.opens[i];
		for (int n = 0; !strcmp(o->id.hex, t->id.hex) && n <= o->n; n++) {
			int files[PATHS];
			files_of_open(o, n, files);
			if (same_files(t->files, files))
				return true;
		}
	}
	return false;
}

/* What readers saw is what was put. */
static void judge_readers(void)
{
	static const int none[PATHS] = {-1, -1, -1, -1, -1, -1};

	for (int i = 0; i < model.n_seen; i++) {
		const struct seen *t = &model.seen[i];
		struct known *k = known(t->id.hex);
		if (t->open ? was_open(t)
			    : k && (same_files(t->files, files_of(k)) || (k->forgotten && same_files(t->files, none))))
			continue;
		wrong("a reader of %s%.8s saw what it never held: %s, not %s", t->open ? "the open commit " : "",
		      t->id.hex, told(fx_arena, t->files), k ? told(fx_arena, files_of(k)) : "one that is known");
	}
}

/* Every commit that has a row is whole, and what was put; every one that was acknowledged has one, or was taken out. */
static void judge_commits(void)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	struct repo repo;

	if (repo_find(judge, a, str_of(model.repo), &repo, &e) != 1) {
		if (!model.ended)
			wrong("the repo is not there: %s", e.msg);
		return;
	}
	for (int i = 0; i < model.n; i++) {
		struct known *k = &model.commits[i];
		struct reading r = {.s = judge, .a = a};
		struct commit c;
		int found = commit_find(judge, repo.id, str_of(k->id.hex), &c, &e);
		if (found < 0)
			wrong("%s", e.msg);
		else if (!found && !might_go(k->id))
			wrong("commit %.8s was acknowledged and is not there", k->id.hex);
		if (found <= 0)
			continue;
		if (read_all(&r, &c.tree, &e)) {
			wrong("commit %.8s is not whole: %s", k->id.hex, e.msg);
			err_clear(&e);
		} else if (!k->forgotten && !same_files(r.files, files_of(k))) {
			wrong("commit %.8s%s holds other files than were put: %s, not %s", k->id.hex,
			      k->open ? " (finished)" : "", told(a, r.files), told(a, files_of(k)));
		}
	}
	/* an open commit that nobody finished is whole, too */
	for (int i = 0; i < model.n_opens; i++) {
		struct reading r = {.s = judge, .a = a};
		struct open_commit o;
		if (open_find(judge, a, repo.id, str_of(model.opens[i].id.hex), &o, &e) != 1 || o.state != OPEN_OPEN)
			continue;
		if (read_all(&r, &o.tree, &e) || read_all(&r, &o.base_tree, &e))
			wrong("the open commit %.8s is not whole: %s", o.id.hex, e.msg);
	}
	must_be_none("select count(*) from commits c join repo r on r.id = c.repo where r.ended is null and"
		     " c.parent is not null and not exists (select 1 from commits p where p.repo = c.repo and"
		     " p.id = c.parent and p.number < c.number)",
		     "commits whose parent is not there, or not before them");
	must_be_none("select count(*) from branch b join repo r on r.id = b.repo where r.ended is null and"
		     " b.head is not null and not exists (select 1 from commits c where c.repo = b.repo and"
		     " c.id = b.head)",
		     "heads that are not there");
	must_be_none("select count(*) from gone g join commits c on c.repo = g.repo and c.id = g.id where"
		     " c.forgotten is null",
		     "commits that are there and taken out");
	must_be_none("select count(*) - count(distinct id) from event", "events with one id");
	must_be_none("select count(*) from commits c where not exists (select 1 from event v where v.id = c.id)",
		     "commits without an event");
}

static int count_file(const struct dir_entry *t, void *ptr, struct err *e)
{
	(void)e;
	*(int *)ptr += t->type == DIR_FILE;
	return DIR_GO;
}

/* Once the repo has ended nothing needs anything: two gcs later all space has come back. */
static void judge_space(void)
{
	static const char *const tables[] = {"tree", "blob", "packed", "small", "recipe", "pack", "commits"};
	static const char *const folders[] = {".leat/blobs", ".leat/packs", ".leat/staging"};
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct gc_how how = {.memo_now = true, .eager = true};
	struct err e = ERR_INIT;
	struct gc_report report;
	struct repo repo;

	if (repo_find(judge, a, str_of(model.repo), &repo, &e) == 1 &&
	    (db_begin(judge->db, &e) || repo_end(judge, &repo, &e) || db_commit(judge->db, &e)))
		wrong("%s", e.msg);
	for (int i = 0; i < 2; i++)
		if (gc_run(judge, &how, &report, &e)) {
			wrong("gc at the end: %s", e.msg);
			err_clear(&e);
		}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		char sql[80];
		snprintf(sql, sizeof(sql), "select count(*) from %s", tables[i]);
		must_be_none(sql, tables[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int n = 0;
		if (dir_walk(fx_path(folders[i]), DIR_NO_STAT | DIR_UNSORTED, count_file, &n, &e))
			wrong("%s", e.msg);
		if (n)
			wrong("%d files in %s that nothing needs", n, folders[i]);
	}
}

/* --- schedules --- */

static void open_block(uint64_t seed)
{
	struct err e = ERR_INIT;

	weave_seed(seed);
	if (dir_remove_tree(fx_path(".leat"), &e) || store_create(&fx_ws, &e))
		BUG("%s", e.msg);
	fx_ws.durable_power = weave_pick(4) == 0;
	if (store_open(&fx_ws, &judge, &e))
		BUG("%s", e.msg);
	for (int i = 0; i < WEAVE_MAX; i++)
		if (store_open(&fx_ws, &actors[i].s, &e))
			BUG("%s", e.msg);
}

static void close_block(void)
{
	for (int i = 0; i < WEAVE_MAX; i++)
		store_close(actors[i].s);
	store_close(judge);
	judge = NULL;
}

static int a_kind(void)
{
	int all = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		all += kinds[i].often;
	at = (int)weave_pick((unsigned)all);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		at -= kinds[i].often;
		if (at < 0)
			return (int)i;
	}
	return 0;
}

static uint64_t seed_of(uint64_t block, int i)
{
	uint64_t state = block * 1000 + (uint64_t)i;

	return weave_mix(&state);
}

static void tell_model(struct arena *a)
{
	for (int i = 0; i < model.n; i++) {
		struct known *k = &model.commits[i];
		printf("#   commit %.8s after %.8s%s%s: %s\n", k->id.hex, k->parent.hex, k->open ? ", finished" : "",
		       k->forgotten ? ", forgotten" : "", told(a, files_of(k)));
	}
	for (int i = 0; i < model.n_opens; i++) {
		const struct known_open *o = &model.opens[i];
		int files[PATHS];
		files_of_open(o, o->n, files);
		printf("#   open commit %.8s after %.8s: %s\n", o->id.hex, o->base.hex, told(a, files));
	}
}

/* A few commits, a gc at times, then everybody at once. True: as it should be. */
static bool schedule(uint64_t block, int i)
{
	struct weave_actor w[WEAVE_MAX] = {0};
	struct arena *a = arena_new();
	int n, before;

	memset(&model, 0, sizeof(model));
	snprintf(model.repo, sizeof(model.repo), "r%d", i);
	weave_seed(seed_of(block, i));
	model.large = weave_pick(8) == 0;
	before = 1 + (int)weave_pick(3);
	actors[0].a = a;
	for (int k = 0; k < before; k++) {
		struct err e = ERR_INIT;
		struct repo repo;
		if (!k && (db_begin(judge->db, &e) ||
			   repo_ensure(judge, a, str_of(model.repo), REPO_SOURCE, STR_NULL, &repo, &e) ||
			   db_commit(judge->db, &e)))
			wrong("%s", e.msg);
		act_put(&actors[0]);
	}
	if (!weave_pick(4))
		act_gc(&actors[0]);
	n = 2 + (int)weave_pick(WEAVE_MAX - 2);
	for (int k = 0; k < n; k++) {
		actors[k].kind = k ? a_kind() : 3; /* a gc is always there */
		actors[k].a = a;
		w[k] = (struct weave_actor){.run = actor_main, .arg = &actors[k], .name = kinds[actors[k].kind].name};
		actors[k].hurt = weave_pick(16) == 0;
		if (actors[k].hurt) {
			w[k].fails_at = 1 + (long)weave_pick(120);
			w[k].fails_with = weave_pick(2) ? EIO : ENOSPC;
		}
	}
	if (!weave_run(w, n, 600))
		wrong("they wait for each other");
	if (!model.wrong[0])
		judge_readers();
	if (!model.wrong[0])
		judge_commits();
	if (!model.wrong[0])
		judge_space();
	if (model.wrong[0]) {
		printf("# LEAT_WEAVE_ONE=%llu:%d: %s\n", (unsigned long long)block, i, model.wrong);
		if (getenv("LEAT_WEAVE_ONE")) {
			tell_model(a);
			weave_tell(w);
		}
	}
	arena_free(a);
	return !model.wrong[0];
}

static void make_contents(void)
{
	char *large = arena_alloc(fx_arena, LARGE + 1);
	uint64_t state = 7;

	for (int i = 0; i < 5; i++)
		contents[i] = arena_strf(fx_arena, "text %d, which is little", i);
	contents[5] = STR("PAR1 a table PAR1");
	contents[6] = STR("PAR1 another table PAR1");
	for (size_t i = 0; i <= LARGE; i++)
		large[i] = (char)(weave_mix(&state) >> 40);
	contents[7] = (struct str){large + 1, LARGE};
	contents[8] = (struct str){large, LARGE + 1}; /* the same with a byte in front */
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		content_ids[i] = sha_of(contents[i].p, contents[i].n);
}

static unsigned long long number(const char *name, unsigned long long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

int main(void)
{
	unsigned long long n = number("LEAT_WEAVE_SCHEDULES", SCHEDULES), first = number("LEAT_WEAVE_SEED", 1), bad = 0;
	const char *one = getenv("LEAT_WEAVE_ONE");
	uint64_t sums[2] = {0, 0}, steps = 0, only = one ? strtoull(one, NULL, 10) : 0;
	int until = one && strchr(one, ':') ? atoi(strchr(one, ':') + 1) : BLOCK - 1;

	if (!getenv("TMPDIR") && !access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	fx_begin();
	store_close(fx_store);
	fx_store = NULL;
	make_contents();
	if (one) {
		bool ok = true;
		open_block(only);
		for (int i = 0; ok && i <= until; i++)
			ok = schedule(only, i);
		close_block();
		T_OK(ok, "schedule %s holds the invariants", one);
		return fx_end();
	}
	for (int again = 0; again < 2; again++) {
		open_block(first);
		for (int i = 0; i < 20; i++) {
			schedule(first, i);
			sums[again] = sums[again] * 31 + weave.sum;
		}
		close_block();
	}
	T_OK(sums[0] == sums[1], "the same seed gives the same order");
	for (unsigned long long block = 0; block * BLOCK < n && bad < 5; block++) {
		open_block(first + block);
		for (int i = 0; i < BLOCK && block * BLOCK + (unsigned long long)i < n && bad < 5; i++) {
			bool ok = schedule(first + block, i);
			steps += (uint64_t)weave.steps;
			bad += !ok;
			if (!ok)
				break; /* what is left of it would be found again in the next one */
		}
		close_block();
	}
	T_OK(!bad, "the invariants hold in %llu schedules from seed %llu (%llu steps)", n, first,
	     (unsigned long long)steps);
	return fx_end();
}

#endif
