/*
 * The input tree of a data-driven job: refused with a sentence, or units that are the same each time, each with its own
 * id; and between two states of the repos the changes that are told are those that the two lists of units differ by.
 */
#include "unit/repo/store_fixture.h"

#include "base/map.h"
#include "flow/datum.h"
#include "fuzz.h"
#include "job/kinds.h"
#include "repo/ingest.h"

#define MOST 1000 /* units: more are told by the fuzzer's time, and nothing else */

static struct sha before, after;

/* NAME=TEXT; a name alone is removed. */
static struct sha tree_of(const struct sha *base, const char *const *what)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit edits[32] = {0};
	struct entry root;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc = 0;

	for (; *what && !rc; what++, n++) {
		struct str text;
		edits[n].path = str_of(*what);
		edits[n].op = str_cut(str_of(*what), '=', &edits[n].path, &text) ? EDIT_PUT : EDIT_REMOVE;
		if (edits[n].op == EDIT_PUT)
			rc = ingest_bytes(in, text, &edits[n].entry, &e);
	}
	if (rc || tree_apply(fx_store, in, base, edits, n, &root, &e) || ingest_sync(in, &e) ||
	    db_begin(fx_store->db, &e) || ingest_record(in, &e) || db_commit(fx_store->db, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		abort();
	}
	ingest_free(in);
	return root.id;
}

static void end(void)
{
	struct err ignored = ERR_INIT;

	store_close(fx_store);
	(void)!dir_remove_tree(fx_dir, &ignored);
	arena_free(fx_arena);
}

static void begin(void)
{
	static const char *const first[] = {"a=1",   "b=2",     "b1=2",     "1-x=3", "1-y=4", "2-x=5", "11=6",
	                                    "d/1=7", "d/2=8",   "d/e/f=9",  "x y=1", "ds/x-1=2", "k/1=1", NULL};
	static const char *const second[] = {"a", "b=other", "c=new", "d/2", "d/3=new", "ds/x-1=2nd", "11=6",
	                                     "k/1", NULL};
	static const char *const third[] = {"k=now a file", "1-y", NULL};

	fx_begin();
	before = tree_of(NULL, first);
	after = tree_of(&before, second);
	after = tree_of(&after, third);
	atexit(end);
}

struct units {
	struct arena *a;
	struct map ids; /* id -> its unit */
	size_t n;
	char *told; /* by the changes: one of - + ~ each */
};

static struct str key_of(const struct datum *d)
{
	return (struct str){(const char *)d->id.b, sizeof(d->id.b)};
}

static int unit(void *ptr, const struct datum *d, struct err *e)
{
	struct units *u = ptr;

	(void)e;
	FUZZ_HOLDS(d->n > 0);
	for (size_t i = 1; i < d->n; i++)
		FUZZ_HOLDS(d->parts[i - 1].leaf < d->parts[i].leaf ||
			   (d->parts[i - 1].leaf == d->parts[i].leaf &&
			    str_cmp(d->parts[i - 1].path, d->parts[i].path) < 0));
	FUZZ_HOLDS(!map_has(&u->ids, key_of(d)));
	map_set(&u->ids, key_of(d), datum_copy(u->a, d));
	return ++u->n >= MOST;
}

static bool same_content(const struct datum *x, const struct datum *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!sha_eq(&x->parts[i].entry.id, &y->parts[i].entry.id) ||
		    x->parts[i].entry.kind != y->parts[i].entry.kind)
			return false;
	return true;
}

struct told {
	struct units *old, *new;
	struct map gone, come, changed;
};

static int change(void *ptr, const struct datum *was, const struct datum *is, struct err *e)
{
	struct told *t = ptr;
	struct map *to = was && is ? &t->changed : was ? &t->gone : &t->come;
	const struct datum *one = is ? is : was;

	(void)e;
	FUZZ_HOLDS(one);
	FUZZ_HOLDS(!map_has(to, key_of(one)));
	map_set(to, key_of(one), t);
	return 0;
}

/* What the changes say, against both lists. */
static void judge(struct told *t)
{
	struct str key;
	void *v;

	for (size_t i = 0; map_each(&t->old->ids, &i, &key, &v);) {
		struct datum *is = map_get(&t->new->ids, key);
		bool moved = map_has(&t->gone, key) && map_has(&t->come, key);

		FUZZ_HOLDS(is || map_has(&t->gone, key));
		FUZZ_HOLDS(!is || moved || !map_has(&t->gone, key));
		if (is)
			FUZZ_HOLDS(same_content(v, is) != (moved || map_has(&t->changed, key)));
	}
	for (size_t i = 0; map_each(&t->new->ids, &i, &key, &v);)
		FUZZ_HOLDS(map_has(&t->old->ids, key) || map_has(&t->come, key));
	for (size_t i = 0; map_each(&t->come, &i, &key, &v);)
		FUZZ_HOLDS(map_has(&t->new->ids, key));
	for (size_t i = 0; map_each(&t->gone, &i, &key, &v);)
		FUZZ_HOLDS(map_has(&t->old->ids, key));
}

static bool list(struct arena *a, const struct job *j, const struct sha *trees, struct units *u)
{
	struct err e = ERR_INIT;

	*u = (struct units){.a = a};
	map_init(&u->ids, a);
	int rc = datum_each(j, fx_store, a, trees, unit, u, &e);

	fuzz_answered(rc, &e);
	return !rc && u->n < MOST;
}

static void one(struct arena *a, const struct job *j)
{
	struct sha *old = arena_array(a, struct sha, j->n_inputs), *new = arena_array(a, struct sha, j->n_inputs);
	struct units was, is, again;
	struct told t = {.old = &was, .new = &is};
	struct err e = ERR_INIT;
	int r;

	for (size_t i = 0; i < j->n_inputs; i++) { /* one repo moved, or each second one */
		old[i] = before;
		new[i] = i % 2 ? before : after;
	}
	if (!list(a, j, old, &was) || !list(a, j, new, &is) || !list(a, j, new, &again))
		return;
	FUZZ_HOLDS(again.n == is.n);
	map_init(&t.gone, a);
	map_init(&t.come, a);
	map_init(&t.changed, a);
	r = datum_changes(j, fx_store, a, old, new, change, &t, &e);
	fuzz_answered(r < 0 ? -1 : 0, &e);
	if (r == 1)
		judge(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct workspace ws = {.arena = a, .tz = tz_utc()};
	struct buf b = BUF_INIT((size_t)1 << 20);
	struct dom *doc = NULL;
	struct job *j = NULL;
	struct err e = ERR_INIT;
	int rc;

	if (!fx_store)
		begin();
	buf_adds(&b, "kind: script\ninput:\n ");
	for (size_t i = 0; i < n; i++) { /* all of it below that key */
		buf_add(&b, data + i, 1);
		if (data[i] == '\n')
			buf_adds(&b, " ");
	}
	rc = dom_yaml(a, buf_str(&b), "job.yaml", &doc, &e);
	fuzz_answered(rc, &e);
	if (!rc) {
		rc = job_of_doc(a, &ws, job_kinds, STR("x"), "job.yaml", doc, &j, &e);
		fuzz_answered(rc, &e);
	}
	if (!rc && j->tree)
		one(a, j);
	buf_free(&b);
	arena_free(a);
	return 0;
}
