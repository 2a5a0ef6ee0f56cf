/* gc beside writers and readers, step by step in one process: gc has a handle of its own. */
#include "store_fixture.h"

#include "repo/blob.h"
#include "repo/gc.h"
#include "repo/gone.h"
#include "repo/ingest.h"
#include "repo/open.h"
#include "repo/tree.h"

#define MANY 600 /* rows of which some go before the last transaction */

static struct store *s;
static struct err e;

static int collect(void (*during)(void *ptr, const char *text, double part))
{
	struct gc_how how = {.memo_keep_ms = 1000000, .progress = during};
	struct gc_report report;
	struct store *gc = NULL;
	int rc = store_open(&fx_ws, &gc, &e) || gc_run(gc, &how, &report, &e) ? -1 : 0;

	store_close(gc);
	return rc;
}

/* Bytes that are stored whole however few they are. */
static struct str whole(const char *word, int i)
{
	return arena_strf(fx_arena, "PAR1 %s %d PAR1", word, i);
}

/* Bytes without a pattern, so that nothing of them is found elsewhere. */
static struct str noise(size_t n, uint64_t seed)
{
	char *p = arena_alloc(fx_arena, n);

	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (char)(seed >> 56);
	}
	return (struct str){p, n};
}

static int begin(struct ingest *in, struct tree_edit *edits, size_t n, const struct str *texts, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		edits[i] = (struct tree_edit){.path = arena_strf(fx_arena, "%s%zu", prefix, i)};
		if (ingest_bytes(in, texts[i], &edits[i].entry, &e))
			return -1;
	}
	return ingest_sync(in, &e);
}

static int finish(struct ingest *in, struct str repo, struct tree_edit *edits, size_t n, struct commit *out)
{
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT), .id = id_new(), .edits = edits, .n_edits = n,
			       .even_if_equal = true};
	struct event ev = {.id = c.id, .batch = c.id, .kind = "put"};
	bool made;
	int rc;

	c.batch = c.id;
	if (db_begin(s->db, &e))
		return -1;
	rc = repo_ensure(s, fx_arena, repo, REPO_SOURCE, STR_NULL, &c.repo, &e) || ingest_record(in, &e) ||
			     event_record(s, &ev, &e) || commit_make(s, in, &c, out, &made, &e) || db_commit(s->db, &e)
		     ? -1
		     : 0;
	db_rollback(s->db);
	return rc;
}

static int put(const char *repo, const char *prefix, struct str text, struct commit *out)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit edit;
	int rc = begin(in, &edit, 1, &text, prefix) || finish(in, str_of(repo), &edit, 1, out) ? -1 : 0;

	ingest_free(in);
	return rc;
}

static int drop(const struct commit *c, const char *name)
{
	struct repo repo;
	int rc;

	if (repo_find(s, fx_arena, str_of(name), &repo, &e) != 1 || db_begin(s->db, &e))
		return -1;
	rc = gone_drop(s, &repo, c, id_new(), &e) || db_commit(s->db, &e) ? -1 : 0;
	db_rollback(s->db);
	return rc;
}

static int is_there(void *ptr, struct str path, const struct entry *entry, struct err *err)
{
	struct str bytes;

	(void)path;
	if (blob_bytes(s, &entry->id, fx_arena, 1 << 22, &bytes, err))
		return -1;
	if (bytes.n != (size_t)entry->size)
		return err_set(err, ERR_DAMAGED, "%zu bytes", bytes.n);
	++*(int *)ptr;
	return 0;
}

/* How many files of a tree can be read, or -1. Each time with a fresh handle's eyes. */
static int readable(const struct sha *tree)
{
	struct store *was = s;
	int n = 0, rc;

	if (store_open(&fx_ws, &s, &e))
		return -1;
	rc = tree_walk(s, NULL, tree, false, is_there, &n, &e);
	store_close(s);
	s = was;
	if (rc)
		printf("# %s\n", e.msg);
	err_clear(&e);
	return rc ? -1 : n;
}

static void recorded_ahead(void)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit edits[MANY];
	struct str texts[MANY];
	struct commit c;

	for (int i = 0; i < MANY; i++)
		texts[i] = whole("ahead", i);
	T_NO_ERR(begin(in, edits, MANY, texts, "f"), &e, "a large session has recorded its rows");
	T_NO_ERR(collect(NULL), &e, "gc comes before its commit");
	T_NO_ERR(finish(in, STR("raw/ahead"), edits, MANY, &c), &e, "the session makes its commit");
	ingest_free(in);
	T_INT(readable(&c.tree), MANY, "and all of its files can be read");
}

static void shared_file(void)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit edit;
	struct str text = whole("shared", 0);
	struct commit c, other;

	T_NO_ERR(begin(in, &edit, 1, &text, "f"), &e, "a session has given a file its name");
	T_NO_ERR(put("raw/other", "g", text, &other), &e, "another one commits the same bytes");
	T_NO_ERR(drop(&other, "raw/other"), &e, "that commit is dropped");
	T_NO_ERR(collect(NULL), &e, "and gc takes its row away");
	T_NO_ERR(finish(in, STR("raw/shared"), &edit, 1, &c), &e, "the first session makes its commit");
	ingest_free(in);
	T_INT(readable(&c.tree), 1, "its file can be read");
	T_NO_ERR(collect(NULL), &e, "the next gc");
	T_INT(readable(&c.tree), 1, "leaves it");
}

static struct str old_bytes;
static struct commit again;
static bool put_again;

static void put_while_sweeping(void *ptr, const char *text, double part)
{
	(void)ptr;
	(void)part;
	if (put_again || !text || strcmp(text, "sweeping"))
		return;
	put_again = true;
	T_NO_ERR(put("raw/again", "f", old_bytes, &again), &e, "somebody puts those bytes while gc sweeps");
}

static void recipe_of_news(void)
{
	struct commit first, second;
	struct repo repo;

	old_bytes = noise(300000, 1);
	T_NO_ERR(put("raw/cold", "f", old_bytes, &first), &e, "a version");
	T_NO_ERR(put("raw/cold", "f", noise(300000, 2), &second), &e, "and another");
	T_NO_ERR(collect(NULL), &e, "gc makes a recipe of the first");
	T_INT(repo_find(s, fx_arena, STR("raw/cold"), &repo, &e), 1, "the repo is there");
	T_NO_ERR(db_begin(s->db, &e) || gone_squash(s, &repo, &first, id_new(), &e) || db_commit(s->db, &e) ? -1 : 0,
		 &e, "the first is squashed");
	T_NO_ERR(collect(put_while_sweeping), &e, "gc begins to sweep the recipe");
	T_OK(put_again, "the put was made meanwhile");
	T_INT(readable(&again.tree), 1, "the new commit can be read: what its recipe names has stayed");
}

static int into_open(const struct open_commit *o, struct str text)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit edit;
	struct commit c;
	int rc = begin(in, &edit, 1, &text, "f") || db_begin(s->db, &e) ? -1 : 0;

	rc = rc || ingest_record(in, &e) || open_edit(s, in, o, &edit, 1, false, &c, &e) || db_commit(s->db, &e) ? -1
													 : 0;
	db_rollback(s->db);
	ingest_free(in);
	return rc;
}

static void read_open(void)
{
	struct open_new n = {.branch = STR(BRANCH_DEFAULT), .id = id_new()};
	struct open_commit o;
	struct store *reader;
	struct pin pin;

	T_NO_ERR(put("raw/open", "x", STR("x"), &again), &e, "a repo");
	T_INT(repo_find(s, fx_arena, STR("raw/open"), &n.repo, &e), 1, "is there");
	T_NO_ERR(db_begin(s->db, &e) || open_start(s, fx_arena, &n, &o, &e) || db_commit(s->db, &e) ? -1 : 0, &e,
		 "an open commit");
	T_NO_ERR(into_open(&o, STR("one")), &e, "something is put into it");
	T_NO_ERR(store_open(&fx_ws, &reader, &e), &e, "a reader comes");
	T_NO_ERR(pin_resolve(reader, fx_arena, arena_strf(fx_arena, "raw/open@%s", o.id.hex), &pin, &e), &e,
		 "and begins to read it");
	T_NO_ERR(into_open(&o, STR("two")), &e, "it is put into again");
	T_NO_ERR(collect(NULL), &e, "gc comes");
	T_INT(readable(&pin.commit.tree), 2, "the reader still has what it began to read");
	store_close(reader);
	T_NO_ERR(collect(NULL), &e, "when it has gone, gc");
	T_INT(readable(&pin.commit.tree), -1, "takes that away");
}

/* --- a unit that begins and ends while gc sweeps, and waits for the rest of its pipeline --- */

static struct sha unit_tree;

static int run_sql(const char *sql, const struct sha *tree)
{
	struct q *q = db_query(s->db, sql);

	if (tree)
		q_sha(q, 1, tree);
	return q_run(q, &e);
}

static int unit_begins(void)
{
	return db_begin(s->db, &e) ||
			       run_sql("insert into run(id, job, batch, kind, state, created)"
				       " values('r', 'j', 'b', 'run', 'running', 1)",
				       NULL) ||
			       run_sql("insert into unit(run, job, ds, global_id, state, created)"
				       " values('r', 'j', '', 'g', 'running', 1)",
				       NULL) ||
			       db_commit(s->db, &e)
		       ? -1
		       : 0;
}

static int unit_ends(void)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit edit;
	struct entry root;
	struct str text = STR("what a unit wrote");
	int rc = begin(in, &edit, 1, &text, "out") || tree_apply(s, in, NULL, &edit, 1, &root, &e) ||
				 ingest_begin(in, &e) ||
				 run_sql("update unit set state = 'success', tree = ?, finished = 2 where run = 'r'",
					 &root.id) ||
				 db_commit(s->db, &e)
			 ? -1
			 : 0;

	db_rollback(s->db);
	ingest_free(in);
	unit_tree = root.id;
	return rc;
}

static void unit_while_sweeping(void *ptr, const char *text, double part)
{
	static int step;

	(void)ptr;
	if (!text || strcmp(text, "sweeping"))
		return;
	if (part == 0 && !step++)
		T_NO_ERR(unit_begins(), &e, "a unit begins while gc sweeps");
	else if (part > 0 && step == 1 && step++)
		T_NO_ERR(unit_ends(), &e, "and ends before gc does");
}

static void unit_waits(void)
{
	struct commit c, more;

	T_NO_ERR(put("raw/waste", "x", STR("waste"), &more), &e, "a repo");
	T_NO_ERR(put("raw/waste", "y", STR("more waste"), &c), &e, "has a commit");
	T_NO_ERR(drop(&c, "raw/waste"), &e, "that is dropped");
	T_NO_ERR(collect(unit_while_sweeping), &e, "gc comes");
	T_INT(readable(&unit_tree), 1, "what the unit wrote is there for its pipeline to publish");
}

int main(void)
{
	fx_begin();
	s = fx_store;
	recorded_ahead();
	shared_file();
	recipe_of_news();
	read_open();
	unit_waits();
	return fx_end();
}
