/*
 * bench-trees FOLDER REPO FILES PER_FOLDER [CHANGED]: in the workspace in FOLDER two commits
 * of a repo with FILES small files, PER_FOLDER in each folder (0: all in one), of which the second changes CHANGED,
 * evenly spread. For figures of reading: the files need not be made on disk first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "repo/commit.h"
#include "sys/file.h"

static struct err e = ERR_INIT;

static void must(int rc)
{
	if (rc) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
}

static void commit(struct store *s, struct arena *a, const char *repo, long files, long per_folder, long step,
                   const char *text)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit *edits = arena_array(a, struct tree_edit, (size_t)(files / step + 1));
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT), .id = id_new(), .edits = edits, .message = str_of(text)};
	struct event ev = {.id = c.id, .batch = c.id, .kind = "put", .label = "", .command = "bench"};
	struct commit made;
	bool is;

	c.batch = c.id;
	for (long k = 0; k < files; k += step) {
		struct tree_edit *t = &edits[c.n_edits++];

		t->op = EDIT_PUT;
		t->path = per_folder ? arena_strf(a, "d%04ld/file-%06ld.txt", k / per_folder, k)
		                     : arena_strf(a, "file-%06ld.txt", k);
		must(ingest_bytes(in, arena_strf(a, "%s %ld\n", text, k), &t->entry, &e));
	}
	must(ingest_sync(in, &e));
	must(db_begin(s->db, &e));
	must(repo_ensure(s, a, str_of(repo), REPO_SOURCE, STR_NULL, &c.repo, &e));
	must(ingest_record(in, &e));
	must(event_record(s, &ev, &e));
	must(commit_make(s, in, &c, &made, &is, &e));
	must(db_commit(s->db, &e));
	ingest_free(in);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct workspace *ws;
	struct store *s;
	long files, per_folder, changed;

	if (argc < 5) {
		fprintf(stderr, "usage: bench-trees FOLDER REPO FILES PER_FOLDER [CHANGED]\n");
		return 2;
	}
	files = atol(argv[3]);
	per_folder = atol(argv[4]);
	changed = argc > 5 ? atol(argv[5]) : 0;
	must(workspace_open(argv[1], &ws, &e));
	must(store_open(ws, &s, &e));
	commit(s, a, argv[2], files, per_folder, 1, "first");
	if (changed)
		commit(s, a, argv[2], files, per_folder, files / changed, "second");
	store_close(s);
	workspace_close(ws);
	arena_free(a);
	return 0;
}
