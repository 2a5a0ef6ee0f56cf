#include "flow/rewrite.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "repo/gone.h"

#define NAMED 5
#define TRIES 5 /* other writers may come between looking and doing */

struct rewriting {
	struct flow *f;
	struct store *s;
	struct arena *a;
	const struct rewrite *how;
	VEC(struct rewrite_commit) all;
	size_t n_asked;
};

static bool known(const struct rewriting *w, int64_t repo, struct str id)
{
	for (size_t i = 0; i < w->all.n; i++)
		if (w->all.p[i].repo.id == repo && str_is(id, w->all.p[i].commit.id.hex))
			return true;
	return false;
}

static int add(struct rewriting *w, int64_t repo, struct str id, struct err *e)
{
	struct rewrite_commit c = {0};
	struct repo *repos;
	size_t n;
	int r;

	if (known(w, repo, id))
		return 0;
	r = commit_read(w->s, w->a, repo, id, &c.commit, e);
	if (r <= 0) /* it was taken out before */
		return r;
	if (repo_list(w->s, w->a, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (repos[i].id == repo)
			c.repo = repos[i];
	if (c.repo.id) /* of a repo that has ended nothing is left to keep in step */
		vec_push(w->a, &w->all, c);
	return 0;
}

/* Whether what a unit read of this commit was the same before it: then it does not hang on it. 1, 0, -1. */
static int was_there_before(struct rewriting *w, const struct rewrite_commit *c, const struct dom *input, struct err *e)
{
	const struct dom *tree = dom_get(input, "tree"), *parts = dom_get(input, "parts");
	struct commit before = {.tree = tree_empty_id()};
	struct sha id;
	struct entry en;

	if (c->commit.parent.hex[0] &&
	    commit_find(w->s, c->repo.id, str_of(c->commit.parent.hex), &before, e) < 0)
		return -1;
	if (tree)
		return sha_parse(tree->s, &id) && sha_eq(&id, &before.tree);
	if (!parts)
		return 0;
	dom_each(part, parts) {
		const struct dom *ds = dom_get(part, "ds"), *was = dom_get(part, "tree");
		int r;
		if (!ds || !was)
			return 0;
		r = tree_find(w->s, NULL, &before.tree, arena_strf(w->a, "ds=%.*s", STR_ARG(ds->s)), &en, e);
		if (r <= 0)
			return r;
		if (!sha_parse(was->s, &id) || !sha_eq(&id, &en.id))
			return 0;
	}
	return 1;
}

static int hangs_on(struct rewriting *w, const struct rewrite_commit *c, struct str ingredients, struct err *e)
{
	struct err broken = ERR_INIT;
	struct dom *doc;

	if (dom_json(w->a, ingredients, "ingredients", &doc, &broken))
		return 0;
	dom_each(in, dom_get(doc, "inputs")) {
		const struct dom *repo = dom_get(in, "repo"), *commit = dom_get(in, "commit");
		int r;
		if (!repo || !commit || !str_eq(repo->s, c->repo.name) || !str_is(commit->s, c->commit.id.hex))
			continue;
		r = was_there_before(w, c, in, e);
		if (r <= 0)
			return r < 0 ? -1 : 1;
	}
	return 0;
}

struct made {
	int64_t repo;
	struct str id, ingredients;
};

/* The commits that runs made of one. */
static int add_downstream(struct rewriting *w, size_t at, struct err *e)
{
	const struct rewrite_commit c = w->all.p[at];
	struct q *q = db_query(w->s->db, "select repo, commit_id, ingredients from unit where commit_id is not null"
					 " and repo is not null and instr(ingredients, ?1) > 0"
					 " union all select repo, id, null from commits where id = ?1 and repo <> ?2"
					 " and run is not null");
	VEC(struct made) list = {0};
	int r;

	q_cstr(q, 1, c.commit.id.hex);
	q_int(q, 2, c.repo.id);
	while ((r = q_step(q, e)) == 1) {
		struct made m = {q_col_int(q, 0), arena_str(w->a, q_col_text(q, 1)), STR_NULL};
		if (!q_col_is_null(q, 2))
			m.ingredients = arena_str(w->a, q_col_text(q, 2));
		vec_push(w->a, &list, m);
	}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		int hangs = list.p[i].ingredients.p ? hangs_on(w, &c, list.p[i].ingredients, e) : 1;
		r = hangs < 0 || (hangs && add(w, list.p[i].repo, list.p[i].id, e)) ? -1 : 0;
	}
	return r < 0 ? -1 : 0;
}

static int refuse_downstream(const struct rewriting *w, struct err *e)
{
	const struct rewrite_commit *first = &w->all.p[0];
	struct buf b cleanup(buf_free) = BUF_INIT(600);
	size_t n = w->all.n - w->n_asked;

	for (size_t i = 0; i < n && i < NAMED; i++) {
		const struct rewrite_commit *c = &w->all.p[w->n_asked + i];
		buf_addf(&b, "%s%.*s.%lld (%.8s)", i ? ", " : "", STR_ARG(c->repo.name), (long long)c->commit.number,
			 c->commit.id.hex);
	}
	if (n > NAMED)
		buf_addf(&b, " and %zu more", n - NAMED);
	err_set(e, ERR_REFUSED, "of %.*s.%lld (%.8s) runs made %s", STR_ARG(first->repo.name),
		(long long)first->commit.number, first->commit.id.hex, b.p);
	return err_hint(e, "--recursive %s those too", w->how->squash ? "squashes" : "drops");
}

/* A pin that stays where it is: not a branch, whatever it means today. */
static bool stays(struct rewriting *w, const struct repo *repo, struct str pin, struct commit *out)
{
	struct err none = ERR_INIT;
	struct pin p;

	if (pin_resolve(w->s, w->a, arena_strf(w->a, "%.*s@%.*s", STR_ARG(repo->name), STR_ARG(pin)), &p, &none) ||
	    p.branch.n || !p.has_commit)
		return false;
	*out = p.commit;
	return true;
}

static int refuse_if_pinned(struct rewriting *w, const struct rewrite_commit *c, const struct job *j, struct err *e)
{
	for (size_t k = 0; k < j->n_inputs; k++) {
		const struct job_input *in = &j->inputs[k];
		struct commit pinned;
		if (in->pin.p && str_eq(in->repo, c->repo.name) && stays(w, &c->repo, in->pin, &pinned) &&
		    !strcmp(pinned.id.hex, c->commit.id.hex))
			return err_set(e, ERR_REFUSED, "job %.*s pins %.*s@%.*s, which is %.8s", STR_ARG(j->name),
				       STR_ARG(c->repo.name), STR_ARG(in->pin), c->commit.id.hex);
	}
	return 0;
}

static int refuse_pinned(struct rewriting *w, struct err *e)
{
	const struct jobs *js = w->f->jobs;

	if (js->n_errors) {
		*e = *js->errors[0];
		return err_hint(e, "put it right first: which commits jobs pin must be known before one goes");
	}
	for (size_t i = 0; i < w->all.n; i++)
		for (size_t j = 0; j < js->n; j++)
			if (refuse_if_pinned(w, &w->all.p[i], js->all[j], e))
				return -1;
	return 0;
}

static int look(struct rewriting *w, const struct rewrite_commit *list, size_t n, struct err *e)
{
	w->all.n = 0;
	for (size_t i = 0; i < n; i++)
		if (!known(w, list[i].repo.id, str_of(list[i].commit.id.hex)))
			vec_push(w->a, &w->all, list[i]);
	w->n_asked = w->all.n;
	for (size_t i = 0; i < w->all.n; i++)
		if (add_downstream(w, i, e))
			return -1;
	if (w->all.n > w->n_asked && !w->how->recursive)
		return refuse_downstream(w, e);
	return refuse_pinned(w, e);
}

/* --- doing it --- */

/* A run of a workspace branch: what it made is none of master's. */
static bool on_branch(struct store *s, struct id run)
{
	struct q *q = db_query(s->db, "select 1 from run where id = ? and branch is not null");
	struct err ignored = ERR_INIT;
	bool is;

	q_cstr(q, 1, run.hex);
	is = q_step(q, &ignored) == 1;
	q_done(q);
	return is;
}

/* What the head's partitions were made from follows the head: the newest of what is left made them. */
static int step_back(struct rewriting *w, const struct rewrite_commit *c, struct err *e)
{
	bool on = c->commit.run.hex[0] && on_branch(w->s, c->commit.run);
	struct q *q = db_query(w->s->db, "select distinct ds from made where repo = ? and commit_id = ?");
	VEC(struct str) labels = {0};
	int r;

	q_int(q, 1, c->repo.id);
	q_cstr(q, 2, c->commit.id.hex);
	while ((r = q_step(q, e)) == 1)
		vec_push(w->a, &labels, arena_str(w->a, q_col_text(q, 0)));
	q_done(q);
	if (r < 0)
		return -1;
	for (size_t i = 0; i < labels.n; i++) {
		static const char *const steps[] = {
			"delete from made where repo = ?1 and ds = ?2 and commit_id = ?3",
			"delete from current where repo = ?1 and ds = ?2 and ?3 is not null",
			"insert into current(repo, ds, key, tree, unit)"
			" select m.repo, m.ds, u.key, m.tree, m.unit from made m join unit u on u.id = m.unit"
			" join run r on r.id = u.run and r.branch is null"
			" where m.repo = ?1 and m.ds = ?2 and u.key is not null and ?3 is not null"
			" order by m.at desc, m.unit desc limit 1",
		};
		for (size_t k = 0; k < (on ? 1 : ARRAY_LEN(steps)); k++) {
			q = db_query(w->s->db, steps[k]);
			q_int(q, 1, c->repo.id);
			q_text(q, 2, labels.p[i]);
			q_cstr(q, 3, c->commit.id.hex);
			if (q_run(q, e))
				return -1;
		}
	}
	return 0;
}

/* The last of a repo first, since drop takes only what nothing follows. */
static int newest_first(const void *a, const void *b)
{
	const struct rewrite_commit *x = a, *y = b;

	if (x->repo.id != y->repo.id)
		return x->repo.id < y->repo.id ? -1 : 1;
	return x->commit.number > y->commit.number ? -1 : x->commit.number < y->commit.number;
}

static int take_out(struct rewriting *w, struct err *e)
{
	struct event ev = {.id = w->how->event, .batch = w->how->event, .kind = w->how->squash ? "squash" : "drop",
	                   .label = "", .command = w->how->command};
	struct rewrite_commit *order = arena_array(w->a, struct rewrite_commit, w->all.n);

	memcpy(order, w->all.p, w->all.n * sizeof(*order));
	qsort(order, w->all.n, sizeof(*order), newest_first);
	if (event_record(w->s, &ev, e))
		return -1;
	for (size_t i = 0; i < w->all.n; i++) {
		struct rewrite_commit *c = &order[i];
		/* its parent may have changed since it was read: by what went before */
		int r = commit_read(w->s, w->a, c->repo.id, str_of(c->commit.id.hex), &c->commit, e);
		if (r < 0)
			return -1;
		if (!r)
			return err_set(e, ERR_CONFLICT, "%.*s@%s has been taken out meanwhile", STR_ARG(c->repo.name),
				       c->commit.id.hex);
		if (w->how->squash ? gone_squash(w->s, &c->repo, &c->commit, w->how->event, e)
				   : gone_drop(w->s, &c->repo, &c->commit, w->how->event, e) || step_back(w, c, e))
			return -1;
	}
	return 0;
}

/* Counts what changes commits, units and their like. */
static int64_t last_event(struct store *s, struct err *e)
{
	struct q *q = db_query(s->db, "select coalesce((select max(seq) from event), 0)"
				      " + coalesce((select max(id) from unit), 0)");
	int64_t n = q_step(q, e) == 1 ? q_col_int(q, 0) : -1;

	q_done(q);
	return n;
}

/* 1 done, 0 somebody else came between, -1. */
static int try_once(struct rewriting *w, const struct rewrite_commit *list, size_t n, struct err *e)
{
	struct db *d = w->s->db;
	int64_t seen = last_event(w->s, e), now;

	if (seen < 0 || look(w, list, n, e) || db_begin(d, e))
		return -1;
	now = last_event(w->s, e);
	if (now != seen || take_out(w, e)) {
		db_rollback(d);
		return now < 0 || now == seen ? -1 : 0;
	}
	return db_commit(d, e) ? -1 : 1;
}

int rewrite_run(struct flow *f, struct arena *a, const struct rewrite_commit *list, size_t n, const struct rewrite *how,
                struct rewrite_commit **out, size_t *n_out, struct err *e)
{
	struct rewriting w = {.f = f, .s = f->store, .a = a, .how = how};
	int r = 0;

	for (int i = 0; i < TRIES && !r; i++)
		r = try_once(&w, list, n, e);
	if (!r)
		err_set(e, ERR_BUSY, "others write all the time; do it again");
	if (r <= 0)
		return -1;
	*out = w.all.p;
	*n_out = w.all.n;
	return 0;
}
