/* A store in a fresh folder, without leat.yaml, removed at the end; shared by the tests of repo/. */
#ifndef LEAT_TESTS_STORE_FIXTURE_H
#define LEAT_TESTS_STORE_FIXTURE_H

#include <unistd.h>

#include "base/str.h"
#include "repo/overlay.h"
#include "sys/file.h"
#include "t.h"

static struct workspace fx_ws;
static struct store *fx_store;
static char fx_dir[256];
static struct arena *fx_arena;
static struct str fx_zones[3];

static inline void fx_open(void)
{
	struct err e = ERR_INIT;

	if (store_open(&fx_ws, &fx_store, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
}

/* The first column of the first row; -1: there is none. */
static inline int64_t fx_number(const char *sql)
{
	struct err ignored = ERR_INIT;
	struct q *q = db_query(fx_store->db, sql);
	int64_t v = q_step(q, &ignored) == 1 ? q_col_int(q, 0) : -1;

	q_done(q);
	return v;
}

static inline void fx_begin(void)
{
	const char *tmp = getenv("TMPDIR");
	struct err e = ERR_INIT;

	snprintf(fx_dir, sizeof(fx_dir), "%s/leat-unit-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(fx_dir))
		exit(1);
	fx_arena = arena_new();
	fx_zones[0] = STR("raw");
	fx_zones[1] = STR("tables");
	fx_zones[2] = STR("marts");
	fx_ws = (struct workspace){.arena = fx_arena, .dir = fx_dir, .protect = PROTECT_AUTO, .durable_power = false,
	                           .zones = fx_zones, .n_zones = 3};
	if (store_create(&fx_ws, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	fx_open();
}

static inline int fx_end(void)
{
	struct err e = ERR_INIT;

	store_close(fx_store);
	if (dir_remove_tree(fx_dir, &e))
		printf("# %s\n", e.msg);
	arena_free(fx_arena);
	return t_done();
}

/* PATH of the fixture's folder; four may be in use at once. */
static inline const char *fx_path(const char *rest)
{
	static char out[4][1024];
	static int i;

	i = (i + 1) % 4;
	snprintf(out[i], sizeof(out[i]), "%s/%s", fx_dir, rest);
	return out[i];
}

static inline void fx_write(const char *rest, const char *text)
{
	struct err e = ERR_INIT;

	if (dir_make_parent(fx_path(rest), 0755, &e) || file_unlink(fx_path(rest), &e) ||
	    file_write(fx_path(rest), str_of(text), 0644, 0, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
}

/* What a file holds, "" if it is not there. */
static inline const char *fx_read(const char *rest)
{
	struct err e = ERR_INIT;
	struct str s;

	return file_read(fx_arena, fx_path(rest), 1 << 20, &s, &e) ? "" : s.p;
}

/* One commit of edits given as PATH=TEXT (or PATH alone: removed), ended by NULL. */
__attribute__((sentinel)) static inline int fx_commit_as(struct str repo, enum repo_role role, struct commit *out,
							 struct err *e, ...)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit edits[64] = {0};
	struct commit_new c = {.branch = store_branch(fx_store), .id = id_new(), .edits = edits, .even_if_equal = true};
	struct event ev = {.id = c.id, .kind = "put"};
	bool made;
	va_list ap;
	int rc = 0;

	va_start(ap, e);
	for (const char *arg; !rc && (arg = va_arg(ap, const char *));) {
		struct tree_edit *ed = &edits[c.n_edits++];
		struct str text;
		ed->path = str_of(arg);
		if (!str_cut(str_of(arg), ':', &ed->path, &text)) {
			ed->op = EDIT_REMOVE;
			continue;
		}
		rc = ingest_bytes(in, text, &ed->entry, e);
	}
	va_end(ap);
	c.batch = ev.batch = c.id;
	if (!rc)
		rc = ingest_sync(in, e) || db_begin(fx_store->db, e) ? -1 : 0;
	if (!rc) {
		struct commit done;
		rc = repo_ensure(fx_store, fx_arena, repo, role, STR_NULL, &c.repo, e) || ingest_record(in, e) ||
				     event_record(fx_store, &ev, e) || commit_make(fx_store, in, &c, &done, &made, e) ||
				     db_commit(fx_store->db, e)
			     ? -1
			     : 0;
		db_rollback(fx_store->db);
		if (!rc && out)
			*out = done;
	}
	ingest_free(in);
	return rc;
}
#define fx_commit(repo, out, e, ...) fx_commit_as(STR(repo), REPO_SOURCE, (out), (e), __VA_ARGS__, (char *)NULL)

#endif
