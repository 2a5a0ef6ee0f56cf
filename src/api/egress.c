#include "api/egress.h"

#include "base/str.h"
#include "conn/conn.h"
#include "sys/fault.h"
#include "sys/lock.h"

/* NULL and *e: nobody here can push to such a place. */
static const struct egress_kind *kind_of(const struct egress *x, struct err *e)
{
	bool other = false;

	for (size_t i = 0; egress_kinds[i]; i++) {
		if (!str_ieq(x->scheme, str_of(egress_kinds[i]->scheme)))
			continue;
		if (egress_kinds[i]->sql == x->sql)
			return egress_kinds[i];
		other = true;
	}
	if (other)
		err_set(e, ERR_BAD_CONFIG, "egress to %.*s is said with %s", STR_ARG(x->told),
		        x->sql ? "URL, not sqlDatabase" : "sqlDatabase: {url: ...}");
	else
		err_set(e, ERR_BAD_CONFIG, "egress to %.*s: nothing here can push there", STR_ARG(x->told));
	err_hint(
		e,
		"files: a folder, file:///folder or s3://bucket/prefix; tables: sqlDatabase with duckdb:///file or "
	            "sqlite:///file");
	job_at(e, x->job, x->line, x->col);
	return NULL;
}

static int push(struct api *api, const struct egress *x, const struct egress_kind *kind, const struct repo *repo,
                const struct commit *c, const struct egress_row *row, struct sink *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct egress_push p = {.to = x, .flow = api->flow, .arena = a, .now = &c->tree,
	                        .repo = repo->name, .commit = &c->id, .tries = row->tries, .n_tries = row->n_tries};
	struct err why = ERR_INIT;

	if (row->has_tree)
		p.was = &row->tree;
	if (egress_begin(api->store, repo->id, x->told, c, e))
		return -1;
	if (kind->push(&p, &why)) {
		sink_note(out, "%.*s@%.12s could not be pushed to %.*s: %s", STR_ARG(repo->name), c->id.hex,
		          STR_ARG(x->told), err_text(a, &why));
		if (why.hint[0])
			sink_note(out, "%s", why.hint);
		sink_note(out, "it is published all the same; the next 'leat run' tries again");
		api->exit_status = 1;
		return egress_note(api->store, repo->id, x->told, c, why.msg, e);
	}
	fault_crash("egress-pushed");
	sink_note(out, "%.*s@%.12s pushed to %.*s: %zu %s%s", STR_ARG(repo->name), c->id.hex, STR_ARG(x->told),
	          p.n_written, x->sql ? "table" : "file", p.n_written == 1 ? "" : "s");
	return egress_note(api->store, repo->id, x->told, c, NULL, e);
}

static int push_one(struct api *api, const struct job *j, struct sink *out, struct err *e)
{
	struct store *s = api->store;
	struct lock lock cleanup(lock_drop) = LOCK_INIT;
	const struct egress_kind *kind;
	struct egress_row row;
	struct egress x;
	struct repo repo;
	struct commit c;
	int got = egress_of(api->arena, j, &x, e), rc;

	if (got <= 0)
		return got;
	kind = kind_of(&x, e);
	if (!kind || (kind->check && kind->check(api->flow, &x, e)))
		return -1;
	got = repo_find(s, api->arena, j->output, &repo, e);
	if (got <= 0)
		return got;
	/* One pushes at a time, and the last one pushes what is newest then. */
	if (lock_take(&lock, arena_printf(api->arena, "%s/egress.lock", s->leat_dir), NULL, 0, e))
		return -1;
	got = branch_head(s, repo.id, STR(BRANCH_DEFAULT), &c, e);
	if (got <= 0 || egress_look(s, repo.id, x.told, &row, e))
		return got <= 0 ? got : -1;
	if (row.there && !row.failed && !strcmp(row.commit.hex, c.id.hex))
		return 0;
	if (store_lease_commit(s, repo.id, c.id, e) < 0)
		return -1;
	rc = push(api, &x, kind, &repo, &c, &row, out, e);
	store_lease_drop(s, c.id);
	return rc;
}

int egress_push_all(struct api *api, const struct job **jobs, size_t n, struct sink *out, struct err *e)
{
	struct jobs *all = api->flow->jobs;

	if (api->store->on) /* what leaves is master's */
		return 0;
	for (size_t i = 0; i < (jobs ? n : all->n); i++)
		if (push_one(api, jobs ? jobs[i] : all->all[i], out, e))
			return -1;
	return 0;
}
