/*
 * tests/unit/flow/flow_fx.h: a workspace with a store, repos with partitions, jobs of a kind that does nothing, and a
 * stand-in for the
 * engine that publishes a unit's result as flow/run would.
 */
#ifndef LEAT_TESTS_FLOW_FX_H
#define LEAT_TESTS_FLOW_FX_H

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/plan_in.h"
#include "flow/why.h"
#include "sys/file.h"
#include "t.h"

static const struct key fx_keys[] = {
	{"", "command", KEYS_STR, KEYS_NOT_EMPTY, NULL, NULL, NULL, KEYS_MEMO, "What to run."},
	{"", "colour", KEYS_STR, KEYS_NOT_EMPTY, NULL, NULL, "green", 0, "Does not count."},
	{NULL}};
static const struct job_kind fx_task = {.name = "task", .keys = fx_keys, .starts_process = true},
                             fx_fetch = {.name = "fetch", .keys = fx_keys, .outside_world = true};
static const struct job_kind *const fx_kinds[] = {&fx_task, &fx_fetch, NULL};

static char fx_dir[64];
static struct workspace *fx_ws;
static struct store *fx_store;
static struct arena *fx_a;
static struct flow *fx_flow;
static struct catalog *fx_cat;

static inline void fx_must(int r, const struct err *e)
{
	if (r >= 0)
		return;
	printf("Bail out! %s (%s)\n", e->msg, e->hint);
	exit(1);
}

static inline void fx_write(const char *path, const char *text)
{
	char full[512];
	struct err e = ERR_INIT;

	snprintf(full, sizeof(full), "%s/%s", fx_dir, path);
	fx_must(dir_make_parent(full, 0777, &e), &e);
	fx_must(file_write(full, str_of(text), 0644, 0, &e), &e);
}

static inline void fx_begin(const char *yaml)
{
	struct err e = ERR_INIT;

	fx_a = arena_new();
	snprintf(fx_dir, sizeof(fx_dir), "/tmp/leat-unit-XXXXXX");
	if (!mkdtemp(fx_dir))
		exit(1);
	fx_write("leat.yaml", yaml);
	fx_must(workspace_open(fx_dir, &fx_ws, &e), &e);
	fx_must(store_create(fx_ws, &e), &e);
	fx_must(store_open(fx_ws, &fx_store, &e), &e);
}

static inline int fx_end(void)
{
	struct err e = ERR_INIT;

	flow_close(fx_flow);
	store_close(fx_store);
	workspace_close(fx_ws);
	if (dir_remove_tree(fx_dir, &e) < 0)
		printf("# %s\n", e.msg);
	arena_free(fx_a);
	return t_done();
}

/* One commit: "PATH" gets the text. */
static inline struct commit fx_put_as(struct str repo, enum repo_role role, const struct tree_edit *edits, size_t n,
                                      struct ingest *in)
{
	struct commit_new k = {.branch = STR(BRANCH_DEFAULT), .id = id_new(), .edits = edits, .n_edits = n};
	struct event ev = {.id = k.id, .batch = k.id, .kind = "put"};
	struct commit out = {0};
	struct err e = ERR_INIT;
	bool made;

	k.batch = k.id;
	fx_must(ingest_sync(in, &e), &e);
	fx_must(db_begin(fx_store->db, &e), &e);
	fx_must(repo_ensure(fx_store, fx_a, repo, role, STR_NULL, &k.repo, &e), &e);
	fx_must(ingest_record(in, &e), &e);
	fx_must(event_record(fx_store, &ev, &e), &e);
	fx_must(commit_make(fx_store, in, &k, &out, &made, &e), &e);
	fx_must(db_commit(fx_store->db, &e), &e);
	ingest_free(in);
	return out;
}

static inline void fx_put(const char *repo, const char *path, const char *text)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit ed = {.op = EDIT_PUT, .path = str_of(path)};
	struct err e = ERR_INIT;

	fx_must(ingest_bytes(in, str_of(text), &ed.entry, &e), &e);
	fx_put_as(str_of(repo), REPO_SOURCE, &ed, 1, in);
}

static inline void fx_rm(const char *repo, const char *path)
{
	struct tree_edit ed = {.op = EDIT_REMOVE, .path = str_of(path)};

	fx_put_as(str_of(repo), REPO_SOURCE, &ed, 1, ingest_new(fx_store));
}

/* Partitions of a repo, labels parted by blanks, "A..B" for all from A to B. */
static inline void fx_parts(const char *repo, const char *labels)
{
	struct str rest = str_of(labels), one;
	struct err e = ERR_INIT;

	while (rest.n) {
		struct ingest *in = ingest_new(fx_store);
		struct tree_edit edits[800];
		struct ds_range r;
		struct ds d;
		size_t n = 0;

		if (!str_cut(rest, ' ', &one, &rest)) {
			one = rest;
			rest.n = 0;
		}
		fx_must(ds_parse(str_sub(one, 0, memmem(one.p, one.n, "..", 2) ? (size_t)((char *)memmem(one.p, one.n,
		      "..", 2) - one.p) : one.n),
		                 &d, &e), &e);
		fx_must(ds_words(one, d.every, tz_utc(), 0, &r, &e), &e);
		for (d = r.from; ds_cmp(&d, &r.to) <= 0; d = ds_add(&d, 1, tz_utc())) {
			edits[n] = (struct tree_edit){.op = EDIT_PUT, .path = arena_strf(fx_a, "ds=%s/f", d.label)};
			fx_must(ingest_bytes(in, str_of(d.label), &edits[n++].entry, &e), &e);
		}
		fx_put_as(str_of(repo), REPO_SOURCE, edits, n, in);
	}
}

/* Jobs are read anew and so is the state: what another command would see. */
static inline void fx_reload(void)
{
	struct err e = ERR_INIT;

	flow_close(fx_flow);
	fx_flow = NULL;
	fx_must(flow_open(fx_store, fx_kinds, false, &fx_flow, &e), &e);
	fx_must(catalog_new(fx_store, fx_a, &fx_cat, &e), &e);
}

static inline const struct job *fx_job(const char *name)
{
	const struct job *j = jobs_get(fx_flow->jobs, str_of(name));

	if (!j) {
		printf("Bail out! no job %s\n", name);
		exit(1);
	}
	return j;
}

/* The catalog's view of one input as a word: "2018-01-01..2018-01-03 (3)", "whole", "missing: ...", or the error. */
static inline const char *fx_reads(const char *job, const char *label)
{
	const struct job *j = fx_job(job);
	struct ds d = ds_of_label(label);
	struct reads r = {0};
	struct err e = ERR_INIT;

	if (reads_for_unit(fx_cat, fx_a, j, &j->inputs[0], &d, &r, &e) < 0)
		return arena_printf(fx_a, "error %s:%d: %s", e.file, e.line, e.msg);
	if (r.state == READS_MISSING)
		return arena_printf(fx_a, "missing: %s", reads_missing_text(fx_a, &j->inputs[0], &r));
	if (r.state == READS_EMPTY_OPTIONAL)
		return "nothing";
	if (r.whole)
		return "whole";
	if (r.n_parts < 2)
		return r.n_parts ? arena_dup(fx_a, r.parts[0].label) : "empty";
	return arena_printf(fx_a, "%s..%s (%zu)", r.parts[0].label, r.parts[r.n_parts - 1].label, r.n_parts);
}

static inline struct plan *fx_plan(const struct plan_ask *ask)
{
	struct plan *p = NULL;
	struct err e = ERR_INIT;

	fx_must(catalog_new(fx_store, fx_a, &fx_cat, &e), &e);
	fx_must(plan_make(fx_flow, fx_cat, fx_a, ask, &p, &e), &e);
	return p;
}

/* Units of a plan in short: "job ds reason[=known]; ..." */
static inline const char *fx_say(const struct plan *p)
{
	char *out = arena_dup(fx_a, "");

	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = p->units[i];

		out = arena_printf(fx_a, "%s%s%.*s%s%s %s%s%s", out, *out ? "; " : "", STR_ARG(u->job->name),
		      *u->ds.label ? " " : "",
		                   u->ds.label, reason_word(u->reason), u->known ? "=known" : "",
		      u->after_upstream ? " later" : "");
	}
	return out;
}

static inline const char *fx_say_not(const struct plan *p)
{
	char *out = arena_dup(fx_a, "");

	for (size_t i = 0; i < p->n_not_run; i++)
		out = arena_printf(fx_a, "%s%s%.*s %s %s", out, *out ? "; " : "", STR_ARG(p->not_run[i]->job->name),
		                   p->not_run[i]->ds.label, reason_word(p->not_run[i]->reason));
	return out;
}

static inline const char *fx_ask(const char *job, const char *words, enum plan_mode mode, bool upstream)
{
	const struct job *j = job ? fx_job(job) : NULL;
	struct plan_ask ask = {.mode = mode, .upstream = upstream};
	struct ds_range r;
	struct err e = ERR_INIT;

	if (j) {
		ask.jobs = &j;
		ask.n_jobs = 1;
	}
	if (words) {
		fx_must(ds_words(str_of(words), j->every, j->tz, fx_flow->now_ms / 1000, &r, &e), &e);
		ask.ranges = &r;
		ask.n_ranges = 1;
	}
	return fx_say(fx_plan(&ask));
}

/* What flow/run does with one unit: its result becomes visible and is remembered. text NULL: what is known. */
static inline void fx_publish(struct plan_unit *u, const char *text, const char *note)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit ed = {.op = EDIT_PUT};
	struct err e = ERR_INIT;
	struct buf json = BUF_INIT(DOM_MAX_BYTES);
	struct entry made;
	struct commit k;
	struct q *q;
	int64_t unit;

	if (text) {
		ed.path = *u->ds.label ? arena_strf(fx_a, "ds=%s/out", u->ds.label) : STR("out");
		fx_must(ingest_bytes(in, str_of(text), &ed.entry, &e), &e);
	} else {
		ed.path = arena_strf(fx_a, "ds=%s", u->ds.label);
		ed.entry = u->known_tree;
	}
	k = fx_put_as(u->job->output, REPO_OUTPUT, &ed, 1, in);
	fx_must(tree_find(fx_store, NULL, &k.tree, *u->ds.label ? arena_strf(fx_a, "ds=%s", u->ds.label) : STR(""),
	      &made, &e), &e);
	dom_write_json(&json, u->key.ingredients, DOM_COMPACT);
	fx_must(db_begin(fx_store->db, &e), &e);
	q = db_query(fx_store->db, "insert into unit(run, job, ds, global_id, state, key, ingredients, created) values"
	                           " ('0123456789abcdef0123456789abcdef', ?, ?, ?, 'success', ?, ?, 1)");
	q_text(q, 1, u->job->name);
	q_cstr(q, 2, u->ds.label);
	q_cstr(q, 3, k.id.hex);
	q_sha(q, 4, &u->key.key);
	q_text(q, 5, buf_str(&json));
	fx_must(q_run(q, &e), &e);
	unit = db_last_rowid(fx_store->db);
	q = db_query(fx_store->db, "insert or replace into current(repo, ds, key, tree, unit, note) values (?, ?, "
	      "?, ?, ?, ?)");
	q_int(q, 1, k.repo);
	q_cstr(q, 2, u->ds.label);
	q_sha(q, 3, &u->key.key);
	q_sha(q, 4, &made.id);
	q_int(q, 5, unit);
	q_cstr(q, 6, note);
	fx_must(q_run(q, &e), &e);
	q = db_query(fx_store->db, "insert or replace into memo(key, unit, repo, tree, at) values (?, ?, ?, ?, 1)");
	q_sha(q, 1, &u->key.key);
	q_int(q, 2, unit);
	q_int(q, 3, k.repo);
	q_sha(q, 4, &made.id);
	fx_must(q_run(q, &e), &e);
	q = db_query(fx_store->db, "insert into made(repo, ds, tree, unit, commit_id, at) values (?, ?, ?, ?, ?, 1)");
	q_int(q, 1, k.repo);
	q_cstr(q, 2, u->ds.label);
	q_sha(q, 3, &made.id);
	q_int(q, 4, unit);
	q_cstr(q, 5, k.id.hex);
	fx_must(q_run(q, &e), &e);
	fx_must(db_commit(fx_store->db, &e), &e);
	buf_free(&json);
	fx_must(catalog_lay(fx_cat, u->job->output, &u->ds, &made, &e), &e);
}

/*
 * Carries a plan out: each unit is decided again when its turn comes, and gives `text` (or its ds, if NULL). How many
 * ran.
 */
static inline size_t fx_carry(struct plan *p, const struct plan_ask *ask, const char *text)
{
	struct err e = ERR_INIT;
	size_t ran = 0;

	for (size_t i = 0; i < p->n_units; i++) {
		struct plan_unit *u = p->units[i];

		if (u->n_upstream)
			fx_must(plan_decide(fx_flow, fx_cat, fx_a, ask, u, &e), &e);
		if (!reason_runs(u->reason))
			continue;
		ran += !u->known;
		if (!u->key.ingredients)
			fx_must(key_ingredients(fx_flow, fx_cat, fx_a, plan_params(ask, u), u, &u->key.ingredients, &e),
			        &e);
		fx_publish(u, u->known ? NULL : text ? text : u->ds.label, unit_hand_note(fx_a, u->job,
		      plan_params(ask, u)));
	}
	return ran;
}

#endif
