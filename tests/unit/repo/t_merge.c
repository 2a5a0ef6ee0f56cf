/* Three trees: what one side changed goes over the other; what both changed is named. */
#include "store_fixture.h"

#include "base/buf.h"
#include "repo/ingest_session.h"
#include "repo/merge.h"
#include "repo/tree_page.h"

static unsigned long seed = 4711;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static struct sha id_of_value(unsigned value)
{
	return sha_of(&value, sizeof(value));
}

/* The tree of "path=7 other/path=8"; a path that ends in '/' is an empty folder. */
static struct sha tree_of(struct store *s, struct arena *a, const char *text)
{
	struct ingest *in = ingest_new(s);
	VEC(struct tree_edit) edits = {0};
	struct str rest = str_of(text), word, path, value;
	struct err e = ERR_INIT;
	struct entry root;
	bool more = rest.n > 0;

	while (more) {
		struct tree_edit ed = {.op = EDIT_PUT};
		int64_t n = 0;

		more = str_cut(rest, ' ', &word, &rest);
		if (!more)
			word = rest;
		if (str_cut(word, '=', &path, &value) && str_rcut(word, '=', &path, &value) && str_to_i64(value, &n)) {
			ed.path = path;
			ed.entry = (struct entry){.kind = ENTRY_FILE, .id = id_of_value((unsigned)n), .size = n,
			                          .files = 1};
		} else {
			ed.path = str_sub(word, 0, word.n - 1);
			ed.entry = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
		}
		vec_push(a, &edits, ed);
	}
	if (tree_apply(s, in, NULL, edits.p, edits.n, &root, &e) || db_begin(s->db, &e) || tree_record(s, in, &e) ||
	    db_commit(s->db, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	ingest_free(in);
	return root.id;
}

/* "" if the merge is the tree of `want`; else what came instead: the conflicts by name, or an error. */
static const char *merged(const char *base, const char *tree, const char *onto, struct merge_ask ask, const char *want)
{
	static char out[2000];
	struct arena *a = arena_new();
	struct ingest *in = ingest_new(fx_store);
	struct err e = ERR_INIT;
	struct merge m;
	struct sha is = want ? tree_of(fx_store, a, want) : tree_empty_id();

	ask.base = tree_of(fx_store, a, base);
	ask.tree = tree_of(fx_store, a, tree);
	ask.onto = tree_of(fx_store, a, onto);
	out[0] = 0;
	if (merge_trees(fx_store, in, a, &ask, &m, &e))
		snprintf(out, sizeof(out), "error: %s", e.msg);
	for (size_t i = 0; !e.code && i < m.n_conflicts; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%.*s", i ? " " : "",
		         STR_ARG(m.conflicts[i]));
	if (!e.code && !m.n_conflicts && !sha_eq(&m.root, &is))
		snprintf(out, sizeof(out), "another tree");
	ingest_free(in);
	arena_free(a);
	return out;
}

static int bad;

static void differs(int line, const char *got, const char *want)
{
	if (!strcmp(got, want))
		return;
	printf("# line %d: got \"%s\", not \"%s\"\n", line, got, want);
	bad++;
}
#define is(got, want) differs(__LINE__, (got), (want))

static int told(void)
{
	int n = bad;

	bad = 0;
	return n;
}

static void test_paths(void)
{
	struct merge_ask none = {0}, ours = {.take = MERGE_ONTO}, theirs = {.take = MERGE_TREE};

	is(merged("a=1 b=1", "a=2 b=1", "a=1 b=3 c=4", none, "a=2 b=3 c=4"), "");
	is(merged("a=1 b=1", "b=1", "a=1 b=1 c=4", none, "b=1 c=4"), "");
	is(merged("a=1 b=1 c=1", "a=2 c=2", "a=3 c=1", none, NULL), "a");
	is(merged("a=1 b=1 c=1", "a=2 c=2", "a=3 b=1 c=1", ours, "a=3 c=2"), "");
	is(merged("a=1 b=1 c=1", "a=2 c=2", "a=3 b=1 c=1", theirs, "a=2 c=2"), "");
	is(merged("a=1 b=1", "b=1", "a=3 b=1", none, NULL), "a");
	is(merged("a=1 b=1", "a=5 b=2", "a=5 b=1", none, "a=5 b=2"), "");
	is(merged("a=1", "", "b=1", none, "b=1"), "");
	T_INT(told(), 0, "paths: the changes of one side go over those of the other; a path "
	                 "that both changed is named, unless to the same");
	is(merged("x=1", "x=1 a/b=1", "x=1 a=2", none, NULL), "a/b");
	is(merged("x=1", "x=1 a=2", "x=1 a/b=1", none, NULL), "a");
	is(merged("x=1", "x=1 a=2", "x=1 a/b=1 a/c=3", theirs, "x=1 a=2"), "");
	is(merged("x=1", "x=1 a/b=1", "x=1 a=2", theirs, "x=1 a/b=1"), "");
	is(merged("x=1", "x=1 a/b=1", "x=1 a=2", ours, "x=1 a=2"), "");
	T_INT(told(), 0, "paths: a file where the other side made a folder is a conflict, and either can be taken");
}

static void test_parts(void)
{
	struct merge_ask none = {.parts = true}, ours = {.parts = true, .take = MERGE_ONTO},
	                 theirs = {.parts = true, .take = MERGE_TREE};

	is(merged("ds=1/p=1 ds=2/p=1", "ds=1/p=2 ds=2/p=1", "ds=1/p=1 ds=2/p=3 ds=3/p=1", none,
	             "ds=1/p=2 ds=2/p=3 ds=3/p=1"), "");
	is(merged("ds=1/p=1 ds=1/q=1", "ds=1/p=2 ds=1/q=1", "ds=1/p=1 ds=1/q=2", none, NULL), "ds=1");
	is(merged("ds=1/p=1 ds=1/q=1", "ds=1/p=2 ds=1/q=1", "ds=1/p=1 ds=1/q=2", ours, "ds=1/p=1 ds=1/q=2"), "");
	is(merged("ds=1/p=1 ds=1/q=1", "ds=1/p=2 ds=1/q=1", "ds=1/p=1 ds=1/q=2", theirs, "ds=1/p=2 ds=1/q=1"), "");
	is(merged("ds=1/p=1 ds=2/p=1", "ds=2/p=1", "ds=1/p=1 ds=2/p=2", none, "ds=2/p=2"), "");
	is(merged("ds=1/p=1 ds=2/p=1", "ds=2/p=1", "ds=1/p=2 ds=2/p=1", none, NULL), "ds=1");
	is(merged("x=1", "x=1 ds=1/", "x=1 ds=2/p=1", none, "x=1 ds=1/ ds=2/p=1"), "");
	is(merged("x=1 a/b=1", "x=2 a/b=1", "x=1 a/b=2 ds=2/p=1", none, "x=2 a/b=2 ds=2/p=1"), "");
	T_INT(told(), 0, "partitions: one that both sides changed is named, whichever of its files; one without files "
	                 "stays one");
	is(merged("x=1", "x=1 ds=1/a=1", "x=1 ds=1/b=1", none, NULL), "ds=1");
	is(merged("x=1", "x=1 ds=1=4", "x=1 ds=1/b=1", none, NULL), "ds=1");
	is(merged("x=1", "x=1 ds=1=4", "x=1 ds=1/b=1", theirs, "x=1 ds=1=4"), "");
	is(merged("x=1", "x=1 ds=1/b=1", "x=1 ds=1=4", theirs, "x=1 ds=1/b=1"), "");
	T_INT(told(), 0, "partitions: a file where the other side has one is a conflict, and either can be taken");
}

static void test_unite(void)
{
	struct merge_ask unite = {.parts = true, .unite = true}, theirs = {.parts = true, .unite = true,
	                                                                 .take = MERGE_TREE};

	is(merged("ds=1/a=1", "ds=1/a=1 ds=1/b=2", "ds=1/a=1 ds=1/c=3", unite, "ds=1/a=1 ds=1/b=2 ds=1/c=3"), "");
	is(merged("ds=1/a=1", "ds=1/a=1 ds=1/b=2", "ds=1/a=1 ds=1/c=3", theirs, "ds=1/a=1 ds=1/b=2 ds=1/c=3"), "");
	is(merged("x=1", "x=1 ds=1/b=2 ds=1/d=1", "x=1 ds=1/c=3 ds=1/d=1", unite,
	             "x=1 ds=1/b=2 ds=1/c=3 ds=1/d=1"), "");
	is(merged("ds=1/a=1", "ds=1/a=1 ds=1/b=2", "ds=1/a=1 ds=1/b=3", unite, NULL), "ds=1");
	is(merged("ds=1/a=1", "ds=1/a=2 ds=1/b=2", "ds=1/a=1 ds=1/c=3", unite, NULL), "ds=1");
	is(merged("ds=1/a=1", "ds=1/b=2", "ds=1/a=1 ds=1/c=3", unite, NULL), "ds=1");
	is(merged("x=1", "x=1 ds=1/b=2", "x=1 ds=1/b/c=3", unite, NULL), "ds=1");
	T_INT(told(), 0, "append-only: a partition to which both sides only added files holds all of them; where one "
	                 "of them changed or removed one, or both added the same name, it is a conflict");
}

static void test_whole(void)
{
	struct merge_ask none = {.whole = true}, ours = {.whole = true, .take = MERGE_ONTO},
	                 theirs = {.whole = true, .take = MERGE_TREE};
	struct arena *a = arena_new();
	struct ingest *in = ingest_new(fx_store);
	struct err e = ERR_INIT;
	struct merge m;

	none.base = tree_of(fx_store, a, "a=1");
	none.tree = tree_of(fx_store, a, "a=1 b=1");
	none.onto = tree_of(fx_store, a, "a=1 c=1");
	T_OK(!merge_trees(fx_store, in, a, &none, &m, &e) && m.n_conflicts == 1 && !m.conflicts[0].n,
	     "whole: what both sides changed is a conflict, whichever of its files");
	is(merged("a=1", "a=1 b=1", "a=1 c=1", ours, "a=1 c=1"), "");
	is(merged("a=1", "a=1 b=1", "a=1 c=1", theirs, "a=1 b=1"), "");
	is(merged("a=1", "a=1 b=1", "a=1", none, "a=1 b=1"), "");
	T_INT(told(), 0, "whole: either side can be taken, and one that alone changed it stands");
	ingest_free(in);
	arena_free(a);
}

#define NAMES 24

static const char *text_of(struct arena *a, const unsigned *v)
{
	struct buf b = BUF_INIT(10000);
	const char *out;

	for (unsigned i = 0; i < NAMES; i++)
		if (v[i])
			buf_addf(&b, "%sd%u/f%u=%u", b.n ? " " : "", i % 5, i, v[i]);
	out = arena_cstr(a, buf_str(&b));
	buf_free(&b);
	return out;
}

/* Against the rule, name by name. */
static void test_random(void)
{
	int wrong = 0, conflicts = 0;

	for (int round = 0; round < 300; round++) {
		struct arena *a = arena_new();
		unsigned base[NAMES], tree[NAMES], onto[NAMES], want[NAMES];
		struct merge_ask ask = {.take = (enum merge_take)(round % 3)};
		const char *got;
		bool conflict = false;

		for (unsigned i = 0; i < NAMES; i++) {
			base[i] = rnd(3);
			tree[i] = rnd(6) ? base[i] : rnd(4);
			onto[i] = rnd(6) ? base[i] : rnd(4);
			want[i] = tree[i] != base[i] ? tree[i] : onto[i];
			if (tree[i] == base[i] || onto[i] == base[i] || tree[i] == onto[i])
				continue;
			conflict |= ask.take == MERGE_NEITHER;
			want[i] = ask.take == MERGE_ONTO ? onto[i] : tree[i];
		}
		got = merged(text_of(a, base), text_of(a, tree), text_of(a, onto), ask, text_of(a, want));
		wrong += conflict ? !*got || !strcmp(got, "another tree") || !strncmp(got, "error", 5) : *got != 0;
		conflicts += conflict;
		arena_free(a);
	}
	T_OK(conflicts > 10, "random: some have conflicts (%d)", conflicts);
	T_INT(wrong, 0, "random: 300 merges are what the rule says of each name");
}

int main(void)
{
	fx_begin();
	test_paths();
	test_parts();
	test_unite();
	test_whole();
	test_random();
	return fx_end();
}
