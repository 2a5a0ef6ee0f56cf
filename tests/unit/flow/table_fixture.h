/* A store with tables, and a worker, for the tests of flow/table*.h. Programs that include this are the worker too. */
#ifndef LEAT_TESTS_TABLE_FIXTURE_H
#define LEAT_TESTS_TABLE_FIXTURE_H

#include "flow/table.h"
#include "tests/unit/repo/store_fixture.h"

static struct arena *a;
static struct duck *d;

static inline struct str file_text(const char *path)
{
	struct err e = ERR_INIT;
	struct str s = STR("");

	if (file_read(a, path, 100 << 20, &s, &e))
		printf("# %s\n", e.msg);
	return s;
}

/* One file of a repo, from bytes. */
static inline void put(const char *repo, const char *path, struct str bytes)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit ed = {.path = str_of(path)};
	struct commit_new c = {
		.branch = STR(BRANCH_DEFAULT), .id = id_new(), .edits = &ed, .n_edits = 1, .even_if_equal = true};
	struct event ev = {.id = c.id, .batch = c.id, .kind = "put"};
	struct err e = ERR_INIT;
	struct commit done;
	bool made;

	c.batch = c.id;
	if (ingest_bytes(in, bytes, &ed.entry, &e) || ingest_sync(in, &e) || db_begin(fx_store->db, &e) ||
	    repo_ensure(fx_store, a, str_of(repo), REPO_SOURCE, STR_NULL, &c.repo, &e) || ingest_record(in, &e) ||
	    event_record(fx_store, &ev, &e) || commit_make(fx_store, in, &c, &done, &made, &e) ||
	    db_commit(fx_store->db, &e)) {
		printf("Bail out! put %s %s: %s\n", repo, path, e.msg);
		exit(1);
	}
	ingest_free(in);
}

static inline void put_text(const char *repo, const char *path, const char *text)
{
	put(repo, path, str_of(text));
}

static inline void put_sql(const char *repo, const char *path, const char *sql)
{
	struct duck_write w = {.sql = {.sql = str_of(sql)}, .out = fx_path("made.parquet")};
	struct err e = ERR_INIT;

	unlink(w.out);
	if (duck_call(d, a, duck_req_write(a, &w), NULL, NULL, NULL, NULL, &e))
		printf("Bail out! %s: %s\n", sql, e.msg);
	put(repo, path, file_text(fx_path("made.parquet")));
}

#endif
