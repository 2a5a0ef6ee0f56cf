#include "flow/accept.h"

#include "base/buf.h"
#include "base/str.h"
#include "flow/codetext.h"
#include "flow/key.h"
#include "flow/why_in.h"
#include "repo/overlay.h"
#include "sys/clock.h"

#define INGREDIENTS_MAX ((size_t)16 << 20)

const char *accept_refuses(const struct plan_unit *u)
{
	switch (u->reason) {
	case REASON_UP_TO_DATE:
	case REASON_NOT_MEMOISED:
	case REASON_OUTSIDE:
		return "is up to date";
	case REASON_CHECK_CHANGED:
		return "is as its code gives it; a check of it changed, which 'leat run' tries";
	case REASON_OUTPUT_LOST:
		return "is lost: nothing is left of it in the store";
	default:
		break;
	}
	if (u->reason == REASON_INPUT_MISSING || u->reason == REASON_INPUT_GONE || u->reason == REASON_PARAM_MISSING)
		return "lacks an input or a parameter, so no run of it can be stood for";
	if (sha_is_zero(&u->current_tree))
		return "is not there: only what is there can be accepted";
	if (!u->current_unit)
		return "was made by no run of this job";
	return u->after_upstream ? "reads what is still to be made" : NULL;
}

/* --- the rows --- */

struct acceptor {
	struct flow *f;
	struct catalog *c;
	struct arena *a;
	const struct accept_ask *ask;
	struct repo repo;
	struct id head, batch, run;
	int64_t now;
};

/* The unit that made the tree that is there: of a known or accepted one the first. */
static int maker(struct acceptor *x, const struct plan_unit *u, int64_t *out, struct err *e)
{
	struct q *q = db_query(x->f->store->db,
	                       "select coalesce((select unit from made where repo = ?1 and ds = ?2 and tree = ?3 order"
	                       " by at desc limit 1), (select coalesce(original, id) from unit where id = ?4), ?4)");
	int r;

	q_int(q, 1, x->repo.id);
	q_cstr(q, 2, u->ds.label);
	q_sha(q, 3, &u->current_tree);
	q_int(q, 4, u->current_unit);
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r == 1 ? 0 : -1;
}

static int add_run(struct acceptor *x, struct err *e)
{
	struct q *q = db_query(x->f->store->db,
	                       "insert into run(id, job, batch, kind, state, reason, command, created, started,"
	                       " finished, branch) values(?1, ?2, ?3, 'accept', 'success', ?4, ?5, ?6, ?6, ?6, ?7)");

	q_cstr(q, 1, x->run.hex);
	q_text(q, 2, x->ask->job->name);
	q_cstr(q, 3, x->batch.hex);
	q_text(q, 4, x->ask->because);
	q_cstr(q, 5, x->ask->command);
	q_int(q, 6, x->now);
	q_text(q, 7, x->f->store->on ? x->f->store->on->name : STR_NULL);
	return q_run(q, e) || codetext_keep_query(x->f->store->db, x->ask->job, e) ? -1 : 0;
}

/* A unit that ran nothing: what comes later is compared with what it says. */
static int add_unit(struct acceptor *x, const struct plan_unit *u, int64_t original, int64_t *out, struct err *e)
{
	struct event ev = {.id = id_new(), .batch = x->batch, .kind = "accept", .label = u->ds.label,
	                   .command = x->ask->command};
	struct buf b = BUF_INIT(INGREDIENTS_MAX);
	struct q *q;
	int rc;

	if (event_record(x->f->store, &ev, e))
		return -1;
	if (u->key.ingredients)
		dom_write_json(&b, u->key.ingredients, DOM_COMPACT);
	q = db_query(x->f->store->db,
	             "insert into unit(run, job, ds, global_id, state, reason, key, original, repo, tree, commit_id,"
	             " ingredients, created, started, finished)"
	             " values(?1, ?2, ?3, ?4, 'success', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12)");
	q_cstr(q, 1, x->run.hex);
	q_text(q, 2, u->job->name);
	q_cstr(q, 3, u->ds.label);
	q_cstr(q, 4, ev.id.hex);
	q_cstr(q, 5, reason_word(u->reason));
	q_sha(q, 6, &u->key.key);
	q_int(q, 7, original);
	q_int(q, 8, x->repo.id);
	q_sha(q, 9, &u->current_tree);
	q_cstr(q, 10, x->head.hex);
	q_text(q, 11, b.n ? buf_str(&b) : STR_NULL);
	q_int(q, 12, x->now);
	rc = q_run(q, e);
	buf_free(&b);
	*out = db_last_rowid(x->f->store->db);
	return rc;
}

static int remember(struct acceptor *x, const struct plan_unit *u, int64_t original, struct err *e)
{
	struct q *q = db_query(x->f->store->db,
	                       "insert or replace into memo(key, unit, repo, tree, at) values(?, ?, ?, ?, ?)");

	q_sha(q, 1, &u->key.key);
	q_int(q, 2, original);
	q_int(q, 3, x->repo.id);
	q_sha(q, 4, &u->current_tree);
	q_int(q, 5, x->now);
	return q_run(q, e);
}

/* What the head's partition is from now on said to be made from. */
static int set_current(struct acceptor *x, const struct plan_unit *u, int64_t unit, struct err *e)
{
	const struct overlay *on = x->f->store->on;
	struct q *q = db_query(x->f->store->db,
	                       on ? "insert or replace into current_on(repo, ds, key, tree, unit, note, branch)"
	                            " values(?, ?, ?, ?, ?, null, ?)"
	                          : "insert or replace into current(repo, ds, key, tree, unit, note)"
	                            " values(?, ?, ?, ?, ?, null)");

	q_int(q, 1, x->repo.id);
	q_cstr(q, 2, u->ds.label);
	q_sha(q, 3, &u->key.key);
	q_sha(q, 4, &u->current_tree);
	q_int(q, 5, unit);
	if (on)
		q_int(q, 6, on->id);
	return q_run(q, e);
}

static int accept_one(struct acceptor *x, const struct plan_unit *u, struct err *e)
{
	const struct current *was = NULL;
	int64_t original = 0, unit = 0;
	struct q *q;

	if (catalog_current(x->c, x->ask->job->output, u->ds.label, &was, e) < 0 || maker(x, u, &original, e) ||
	    add_unit(x, u, original, &unit, e) || (u->key.memoised && remember(x, u, original, e)) ||
	    set_current(x, u, unit, e) || db_make_set(x->f->store->db, DB_SET_RUNS, e))
		return -1;
	q = db_query(x->f->store->db, "insert into accepted(key, old_key, repo, ds, tree, unit, who, because, what, at)"
	                              " values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	q_sha(q, 1, &u->key.key);
	if (was)
		q_sha(q, 2, &was->key);
	q_int(q, 3, x->repo.id);
	q_cstr(q, 4, u->ds.label);
	q_sha(q, 5, &u->current_tree);
	q_int(q, 6, unit);
	q_cstr(q, 7, store_who());
	q_text(q, 8, x->ask->because);
	q_cstr(q, 9, plan_say(x->a, u));
	q_int(q, 10, x->now);
	return q_run(q, e);
}

static int accept_all(struct acceptor *x, struct err *e)
{
	struct commit now;
	int there = overlay_head(x->f->store, x->f->store->on, x->repo.id, &now, e);

	if (there < 0)
		return -1;
	if (!there || strcmp(now.id.hex, x->head.hex) != 0) {
		err_set(e, ERR_CONFLICT, "%.*s moved while it was looked at", STR_ARG(x->repo.name));
		return err_hint(e, "look at it again, then accept it again");
	}
	if (add_run(x, e))
		return -1;
	for (size_t i = 0; i < x->ask->n; i++)
		if (accept_one(x, x->ask->units[i], e))
			return -1;
	return 0;
}

int accept_units(struct flow *f, struct catalog *c, struct arena *a, const struct accept_ask *ask, struct err *e)
{
	struct acceptor x = {.f = f, .c = c, .a = a, .ask = ask, .batch = id_new(), .run = id_new(),
	                     .now = clock_now_ms()};
	struct catalog_repo *r = NULL;
	int got = catalog_repo(c, ask->job->output, STR_NULL, &r, e);

	if (got < 0)
		return -1;
	BUG_IF(!got || !r->has_commit);
	x.repo = r->repo;
	x.head = r->head.id;
	for (size_t i = 0; i < ask->n; i++)
		if (!ask->units[i]->key.ingredients &&
		    key_ingredients(f, c, a, NULL, ask->units[i], &ask->units[i]->key.ingredients, e))
			return -1;
	codetext_load(f, ask->job);
	if (db_begin(f->store->db, e))
		return -1;
	if (accept_all(&x, e)) {
		db_rollback(f->store->db);
		return -1;
	}
	return db_commit(f->store->db, e);
}

int accept_find(struct store *s, struct arena *a, const struct sha *key, const struct sha *tree, struct dom **out,
                struct err *e)
{
	struct q *q;
	int r;

	*out = NULL;
	if (!db_has_set(s->db, DB_SET_RUNS))
		return 0;
	q = db_query(s->db, "select who, at, because, what, unit from accepted where key = ? and tree = ?"
	                    " order by id desc limit 1");
	q_sha(q, 1, key);
	q_sha(q, 2, tree);
	r = q_step(q, e);
	if (r == 1) {
		*out = dom_new(a, DOM_MAP);
		dom_set_str(a, *out, "by", q_col_text(q, 0));
		why_time(a, *out, "at", q_col_int(q, 1));
		dom_set_str(a, *out, "because", q_col_text(q, 2));
		dom_set_str(a, *out, "what", q_col_text(q, 3));
		dom_set_int(a, *out, "unit", q_col_int(q, 4));
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}
