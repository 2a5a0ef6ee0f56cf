/*
 * bench-known FOLDER JOB: as if each unit of a data-driven job of one input had run and copied what it read: rows of
 * `unit` and `memo`, and the trees. `leat run` then publishes them all without running one, by its own tables.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "flow/datum.h"
#include "flow/input.h"
#include "flow/key.h"
#include "job/kinds.h"
#include "sys/clock.h"

#define BATCH 20000

static struct err e = ERR_INIT;

struct filling {
	struct flow *f;
	struct arena *a;     /* of a batch */
	const struct job *j;
	struct repo output;
	struct commit from;
	struct unit_key rest;
	struct id run;
	struct ingest *in;
	struct done {
		struct sha id, key, tree;
		struct str label, ingredients;
	} *done;
	size_t n, all;
};

static void must(int rc)
{
	if (rc) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
}

static void rows(struct filling *f, const struct done *d)
{
	struct db *db = f->f->store->db;
	struct q *q = db_query(db, "insert into unit(run, job, ds, global_id, state, reason, key, repo, tree,"
	                           " commit_id, threads, attempts, ingredients, created, started, finished, datum,"
	                           " label)"
	                           " values(?, ?, '', ?, 'success', 'missing', ?, ?, ?, ?, 1, 1, ?, ?9, ?9, ?9, ?,"
	                           " ?)");

	q_cstr(q, 1, f->run.hex);
	q_text(q, 2, f->j->name);
	q_cstr(q, 3, f->from.id.hex);
	q_sha(q, 4, &d->key);
	q_int(q, 5, f->output.id);
	q_sha(q, 6, &d->tree);
	q_cstr(q, 7, f->from.id.hex);
	q_text(q, 8, d->ingredients);
	q_int(q, 9, clock_now_ms());
	q_sha(q, 10, &d->id);
	q_text(q, 11, d->label);
	must(q_run(q, &e));
	q = db_query(db, "insert or replace into memo(key, unit, repo, tree, at) values(?, ?, ?, ?, ?)");
	q_sha(q, 1, &d->key);
	q_int(q, 2, db_last_rowid(db));
	q_int(q, 3, f->output.id);
	q_sha(q, 4, &d->tree);
	q_int(q, 5, clock_now_ms());
	must(q_run(q, &e));
}

static void flush(struct filling *f)
{
	must(ingest_sync(f->in, &e));
	must(db_begin(f->f->store->db, &e));
	must(ingest_record(f->in, &e));
	for (size_t i = 0; i < f->n; i++)
		rows(f, &f->done[i]);
	must(db_commit(f->f->store->db, &e));
	ingest_free(f->in);
	f->in = ingest_new(f->f->store);
	f->all += f->n;
	f->n = 0;
	arena_reset(f->a);
}

static int on_datum(void *ptr, const struct datum *d, struct err *err)
{
	struct filling *f = ptr;
	struct done *one = &f->done[f->n];
	const struct datum_part *p = &d->parts[0];
	struct tree_edit edit = {.op = EDIT_PUT, .path = p->path, .entry = p->entry};
	char hex[SHA_HEX + 1], code[SHA_HEX + 1];
	struct sha content, id = job_code_id(f->j, NULL);
	struct entry root;

	if (datum_content(f->j, f->f->store, d, &content, err) ||
	    tree_apply(f->f->store, f->in, NULL, &edit, 1, &root, err))
		return -1;
	sha_hex(&p->entry.id, hex);
	sha_hex(&id, code);
	*one = (struct done){.id = d->id, .key = key_datum(&f->rest.key, &content), .tree = root.id};
	one->label = arena_strf(f->a, "/%.*s", STR_ARG(p->path));
	one->ingredients = arena_strf(f->a,
	                              "{\"kind\":\"script\",\"code\":\"%s\",\"files\":[],\"params\":{},"
	                              "\"settings\":{\"cmd\":[\"true\"]},\"output\":\"%.*s\",\"inputs\":[{"
	                              "\"name\":\"%.*s\",\"repo\":\"%.*s\",\"commit\":\"%s\",\"paths\":[{"
	                              "\"path\":\"/%.*s\",\"content\":\"%s\"}]}]}",
	                              code, STR_ARG(f->j->output), STR_ARG(f->j->inputs[0].name),
	                              STR_ARG(f->j->inputs[0].repo), f->from.id.hex, STR_ARG(p->path), hex);
	if (++f->n == BATCH)
		flush(f);
	return 0;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct filling f = {.a = arena_new()};
	struct workspace *ws;
	struct store *s;
	struct job *j;
	struct q *q;

	if (argc != 3) {
		fprintf(stderr, "usage: bench-known FOLDER JOB\n");
		return 2;
	}
	must(workspace_open(argv[1], &ws, &e));
	must(store_open(ws, &s, &e));
	must(flow_open(s, job_kinds, false, &f.f, &e));
	must(jobs_find(f.f->jobs, str_of(argv[2]), &j, &e));
	f.j = j;
	f.in = ingest_new(s);
	f.run = id_new();
	f.done = arena_array(a, struct done, BATCH);
	if (input_resolve(s, a, j, &j->inputs[0], &f.from, &e) != 1)
		must(-1);
	must(key_rest(f.f, a, j, NULL, &f.rest, &e));
	must(db_begin(s->db, &e));
	must(repo_ensure(s, a, j->output, REPO_OUTPUT, j->name, &f.output, &e));
	q = db_query(s->db, "insert into run(id, job, batch, kind, state, created, started, finished)"
	                    " values(?, ?, ?, 'run', 'success', ?4, ?4, ?4)");
	q_cstr(q, 1, f.run.hex);
	q_text(q, 2, j->name);
	q_cstr(q, 3, f.from.id.hex);
	q_int(q, 4, clock_now_ms());
	must(q_run(q, &e));
	must(db_commit(s->db, &e));
	must(datum_each(j, s, a, &f.from.tree, on_datum, &f, &e));
	flush(&f);
	printf("%zu\n", f.all);
	flow_close(f.f);
	store_close(s);
	workspace_close(ws);
	arena_free(f.a);
	arena_free(a);
	return 0;
}
