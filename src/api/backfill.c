/* `leat backfill`, and `leat run` where the work is to outlive the command: as requests, or here. */
#include "api/backfill.h"

#include "api/carry.h"
#include "api/plan.h"
#include "api/plan_row.h"
#include "api/requests.h"
#include "api/serve.h"
#include "base/str.h"
#include "sys/clock.h"

#define KEY_MAX    256 /* of --idempotency-key */
#define PARAMS_MAX ((size_t)1 << 20)

static int backfill_mode(struct str word, enum plan_mode *out, struct err *e)
{
	static const struct {
		const char *word;
		enum plan_mode mode;
	} modes[] = {{"missing", PLAN_MISSING}, {"failed", PLAN_FAILED}, {"stale", PLAN_STALE}, {"all", PLAN_ALL}};

	*out = PLAN_STALE;
	if (!word.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (str_is(word, modes[i].word)) {
			*out = modes[i].mode;
			return 0;
		}
	err_set(e, ERR_BAD_REQUEST, "--mode '%.*s' is none of missing, failed, stale, all", STR_ARG(word));
	return -1;
}

/* --- as requests --- */

struct later {
	struct api *api;
	struct request_new r; /* what all have in common */
	VEC(int64_t) ids;
	size_t n_new;
};

static struct str params_json(struct arena *a, const struct dom *params)
{
	struct buf b cleanup(buf_free) = BUF_INIT(PARAMS_MAX);

	if (!params)
		return STR_NULL;
	dom_write_json(&b, params, DOM_COMPACT);
	return arena_str(a, buf_str(&b));
}

static int add(struct later *l, const struct job *j, const char *ds, struct err *e)
{
	struct request_new r = l->r;
	int64_t id;
	int got;

	r.job = j->name;
	r.ds = ds;
	got = request_add(l->api->store->db, &r, &id, e);
	if (got < 0)
		return -1;
	vec_push(l->api->arena, &l->ids, id);
	l->n_new += got;
	if (got && l->r.kind == REQUEST_BACKFILL && !l->r.backfill) {
		l->r.backfill = id;
		return request_leads(l->api->store->db, id, e);
	}
	return 0;
}

/* Adds them in one transaction; what to call for each is `fn`. */
static int add_all(struct later *l, int (*fn)(struct later *l, void *ptr, struct err *e), void *ptr, struct err *e)
{
	struct db *d = l->api->store->db;

	if (db_begin(d, e))
		return -1;
	if (fn(l, ptr, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

static int add_plan(struct later *l, void *ptr, struct err *e)
{
	const struct plan *p = ptr;

	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = p->units[l->r.reverse ? p->n_units - 1 - i : i];

		if (add(l, u->job, u->ds.label, e))
			return -1;
	}
	return 0;
}

static int daemon_there(struct api *api, bool *there, struct err *e)
{
	const struct dom *place;
	int r = serve_place(api->store, api->arena, &place, e);

	*there = r > 0;
	return r < 0 ? -1 : 0;
}

static int by_daemon(struct api *api, const struct args *args, struct asking *q, int64_t slots, struct sink *out,
                     struct err *e)
{
	struct later l = {.api = api,
	                  .r = {.kind = REQUEST_BACKFILL,
	                        .slot = REQUEST_NONE,
	                        .who = str_of(store_who()),
	                        .slots = slots,
	                        .reverse = args_flag(args, "reverse"),
	                        .again = q->ask.mode == PLAN_ALL,
	                        .params = params_json(api->arena, q->ask.params)}};
	struct catalog *c;
	struct plan *p;
	const char *name;

	ask_finish(q);
	if (ask_refuse_broken(api, q, out, e) || catalog_new(api->store, api->arena, &c, e) ||
	    plan_make(api->flow, c, api->arena, &q->ask, &p, e))
		return -1;
	if (!p->n_units) {
		sink_note(out, "nothing to do: %zu up to date, %zu lack an input", p->n_up_to_date,
		          p->n_not_run - MIN(p->n_not_run, p->n_up_to_date));
		return 0;
	}
	if (add_all(&l, add_plan, p, e))
		return -1;
	name = arena_printf(api->arena, "backfill-%lld", (long long)l.r.backfill);
	if (l.n_new < l.ids.n)
		sink_note(out, "%zu of them %s asked for already", l.ids.n - l.n_new,
		          l.ids.n - l.n_new == 1 ? "was" : "were");
	if (l.n_new)
		sink_note(out, "%s: %zu unit%s, for the daemon to run; leat cancel %s ends it", name, l.n_new,
		          l.n_new == 1 ? "" : "s", name);
	return args_flag(args, "detach") ? 0 : requests_follow(api, l.ids.p, l.ids.n, out, e);
}

static int here(struct api *api, const struct args *args, struct asking *q, int64_t slots, struct sink *out,
                struct err *e)
{
	struct carry_how how = {.command = args->command,
	                        .kind = "backfill",
	                        .slots = (int)slots,
	                        .reverse = args_flag(args, "reverse")};

	if (args_flag(args, "detach")) {
		err_set(e, ERR_BAD_REQUEST, "--detach leaves it to the daemon, and none serves this workspace");
		return err_hint(e, "leat serve starts it");
	}
	return carry_out(api, &how, q, out, e);
}

int api_backfill(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct asking q = {.ask = {.upstream = args_flag(args, "upstream")}};
	struct str from = args_value(args, "from"), to = args_value(args, "to");
	struct catalog *c;
	struct plan *p;
	int64_t slots;
	bool there;

	if (!from.p || !to.p) {
		err_set(e, ERR_BAD_REQUEST, "backfill needs --from and --to");
		return err_hint(e, "leat backfill %.*s --from 2024-01-01 --to 2024-01-31", STR_ARG(args_pos(args, 0)));
	}
	if (args_int(args, "slots", 1, 1024, 0, &slots, e) || backfill_mode(args_value(args, "mode"), &q.ask.mode, e) ||
	    ask_job(api, args, args_pos(args, 0), &q, e) ||
	    ask_range(api, &q, q.jobs.p[0], arena_strf(api->arena, "%.*s..%.*s", STR_ARG(from), STR_ARG(to)), e))
		return -1;
	if (args_flag(args, "dry-run")) {
		if (q.jobs.p[0]->tree)
			return plan_days(api, q.jobs.p[0], q.ranges.p, q.ranges.n, q.ask.mode, out, NULL, e);
		ask_finish(&q);
		if (catalog_new(api->store, api->arena, &c, e) || plan_make(api->flow, c, api->arena, &q.ask, &p, e))
			return -1;
		return plan_rows(api, p, true, out, e);
	}
	if (daemon_there(api, &there, e))
		return -1;
	/* A workspace branch is the command's own; units from data are taken by the command that asks for days of them.
	 */
	if (there && !args_flag(args, "local") && !q.jobs.p[0]->tree && !api->store->on)
		return by_daemon(api, args, &q, slots, out, e);
	return here(api, args, &q, slots, out, e);
}

/* --- a run that outlives the command --- */

struct ranges {
	const struct job *job;
	const struct ds_range *r;
	size_t n;
};

static int add_ranges(struct later *l, void *ptr, struct err *e)
{
	const struct ranges *x = ptr;
	const struct job *j = x->job;

	if (j->every == EVERY_NONE)
		return add(l, j, "", e);
	if (!x->n) {
		struct ds last = ds_last_ended(j->every, l->api->flow->now_ms / 1000, j->tz);

		return add(l, j, last.label, e);
	}
	for (size_t i = 0; i < x->n; i++)
		for (struct ds ds = x->r[i].from; ds_cmp(&ds, &x->r[i].to) <= 0; ds = ds_add(&ds, 1, j->tz))
			if (add(l, j, ds.label, e))
				return -1;
	return 0;
}

bool backfill_is_later(const struct args *args)
{
	return args_count(args, "idempotency-key") || args_flag(args, "detach");
}

int backfill_run_later(struct api *api, const struct args *args, struct asking *q, struct sink *out, struct err *e)
{
	struct later l = {.api = api,
	                  .r = {.kind = REQUEST_API,
	                        .slot = REQUEST_NONE,
	                        .who = str_of(store_who()),
	                        .again = q->ask.again,
	                        .idem = args_value(args, "idempotency-key"),
	                        .params = params_json(api->arena, q->ask.params)}};
	struct ranges x;
	bool there;

	if (!q->jobs.n) {
		err_set(e, ERR_BAD_REQUEST, "--%s needs a job", l.r.idem.p ? "idempotency-key" : "detach");
		return err_hint(e, "leat run JOB [DS]");
	}
	x = (struct ranges){q->jobs.p[0], q->ranges.p, q->ranges.n};
	if (l.r.idem.p && (!l.r.idem.n || l.r.idem.n > KEY_MAX))
		return err_set(e, ERR_BAD_REQUEST, "--idempotency-key is of 1 to %d bytes", KEY_MAX);
	if (l.r.idem.p && (x.n > 1 || (x.n && (x.r[0].newest || !ds_eq(&x.r[0].from, &x.r[0].to)))))
		return err_set(e, ERR_BAD_REQUEST, "an idempotency key is of one partition");
	if (api->store->on)
		return err_set(e, ERR_BAD_REQUEST,
		               "what outlives the command runs on master, not on a workspace branch");
	for (size_t i = 0; i < x.n; i++)
		if (x.r[i].newest)
			return err_set(e, ERR_BAD_REQUEST, "--detach takes dates, not 'newest'");
	if (daemon_there(api, &there, e) || add_all(&l, add_ranges, &x, e))
		return -1;
	if (l.r.idem.p && !l.n_new)
		sink_note(out, "r%lld was asked for with this key", (long long)l.ids.p[0]);
	if (requests_go(api, l.ids.p, l.ids.n, e))
		return -1;
	if (!args_flag(args, "detach"))
		return requests_follow(api, l.ids.p, l.ids.n, out, e);
	sink_note(out, "r%lld%s: %s", (long long)l.ids.p[0], l.ids.n > 1 ? " and what follows" : "",
	          there ? "for the daemon to run" : "runs in the background");
	return 0;
}
