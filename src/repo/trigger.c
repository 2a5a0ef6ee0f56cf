#include "repo/trigger.h"

#include "base/buf.h"
#include "base/cron.h"
#include "base/dom.h"
#include "base/str.h"
#include "base/tz.h"

#define MAX_TEXT ((size_t)64 << 10)

/* --- what it says --- */

static int check_time(const char *option, struct str text, struct err *e)
{
	struct err why = ERR_INIT;
	struct cron c;

	if (!text.p)
		return 0;
	if (!cron_parse(text, &c, &why) && c.kind != CRON_NEVER)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "--trigger-%s cannot be \"%s\"", option, STR_SHOWN(text));
	return err_hint(e, "%s", why.hint[0] ? why.hint : "never is never: leave the trigger out");
}

int trigger_check(const struct trigger *t, struct err *e)
{
	if (check_time("rate", t->rate, e) || check_time("cron", t->cron, e))
		return -1;
	if (t->cron.p && (t->size || t->commits || t->rate.p || t->all)) {
		err_set(e, ERR_BAD_REQUEST, "a trigger that goes by a clock has no other condition");
		return err_hint(e, "--trigger-rate beside the others keeps it from firing more often than that");
	}
	if (!t->cron.p && !t->size && !t->commits && !t->rate.p) {
		err_set(e, ERR_BAD_REQUEST, "when is %.*s to be followed?", STR_ARG(t->branch));
		return err_hint(e, "--trigger-commits 2, --trigger-size 100M, --trigger-rate @daily or"
		                   " --trigger-cron @daily");
	}
	return 0;
}

struct str trigger_text(struct arena *a, const struct trigger *t)
{
	const char *between = t->all ? " and " : " or ", *sep = "";
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_TEXT);

	buf_addf(&b, "%.*s: ", STR_ARG(t->branch));
	if (t->cron.p)
		buf_addf(&b, "at %.*s", STR_ARG(t->cron));
	if (t->size) {
		buf_addf(&b, "%lld bytes", (long long)t->size);
		sep = between;
	}
	if (t->commits) {
		buf_addf(&b, "%s%lld commit%s", sep, (long long)t->commits, t->commits == 1 ? "" : "s");
		sep = between;
	}
	if (t->rate.p)
		buf_addf(&b, "%sonce per %.*s", sep, STR_ARG(t->rate));
	return arena_str(a, buf_str(&b));
}

/* --- as it is kept --- */

static struct str pack(struct arena *a, const struct trigger *t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_TEXT);
	struct dom *map = dom_new(a, DOM_MAP);

	dom_set_bool(a, map, "all", t->all);
	dom_set_str(a, map, "branch", t->branch);
	dom_set_int(a, map, "commits", t->commits);
	dom_set_str(a, map, "cron", t->cron);
	dom_set_str(a, map, "rate", t->rate);
	dom_set_int(a, map, "since", t->since);
	dom_set_int(a, map, "size", t->size);
	dom_write_json(&b, map, DOM_CANONICAL);
	return arena_str(a, buf_str(&b));
}

static int unpack(struct arena *a, struct str json, struct trigger *out, struct err *e)
{
	const struct dom *all;
	struct dom *map;

	if (dom_json(a, json, "branch.trigger", &map, e)) {
		e->code = ERR_DAMAGED;
		return -1;
	}
	all = dom_get(map, "all");
	*out = (struct trigger){.branch = dom_str(map, "branch"),
	                        .size = dom_int(map, "size"),
	                        .commits = dom_int(map, "commits"),
	                        .rate = dom_str(map, "rate"),
	                        .cron = dom_str(map, "cron"),
	                        .all = all && all->type == DOM_BOOL && all->b,
	                        .since = dom_int(map, "since")};
	return 0;
}

int trigger_get(struct store *s, struct arena *a, int64_t repo, struct str branch, struct trigger *out, struct err *e)
{
	struct q *q = db_query(s->db, "select trigger from branch where repo = ? and name = ? and trigger is not null");
	struct str json = STR_NULL;
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, branch);
	r = q_step(q, e);
	if (r == 1)
		json = arena_str(a, q_col_text(q, 0));
	q_done(q);
	return r == 1 ? (unpack(a, json, out, e) ? -1 : 1) : r;
}

/* Following from the one that is to be followed one must never come back. */
static int check_circle(struct store *s, struct arena *a, const struct repo *r, struct str branch, struct str followed,
                        struct err *e)
{
	struct str at = followed;
	struct trigger t;
	int got = 1;

	for (int i = 0; got == 1; i++) {
		if (str_eq(at, branch)) {
			err_set(e, ERR_REFUSED, "%.*s@%.*s would follow itself", STR_ARG(r->name), STR_ARG(branch));
			return str_eq(followed, branch) ? err_hint(e, "--trigger names another branch")
			                                : err_hint(e, "%.*s follows it already", STR_ARG(followed));
		}
		if (i == TRIGGER_MAX_CHAIN)
			return err_set(e, ERR_LIMIT, "more than %d branches would follow one another", i);
		got = trigger_get(s, a, r->id, at, &t, e);
		if (got == 1)
			at = t.branch;
	}
	return got;
}

int trigger_set(struct store *s, const struct repo *r, struct str branch, const struct trigger *t, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q;

	BUG_IF(!db_in_write(s->db));
	if (t && check_circle(s, a, r, branch, t->branch, e))
		return -1;
	q = db_query(s->db, "insert into branch(repo, name, head, trigger) values(?1, ?2, null, ?3)"
	                    " on conflict(repo, name) do update set trigger = ?3");
	q_int(q, 1, r->id);
	q_text(q, 2, branch);
	q_text(q, 3, t ? pack(a, t) : STR_NULL);
	return q_run(q, e);
}

/* --- when it is time --- */

/* Whether `to` is what `from` had already, some commits ago. */
static int is_behind(struct store *s, const struct commit *from, const struct commit *to, struct err *e)
{
	struct commit c = *from;
	int r = 1;

	while (r == 1 && c.number > to->number)
		r = c.parent.hex[0] ? commit_find(s, c.repo, str_of(c.parent.hex), &c, e) : 0;
	return r == 1 ? !strcmp(c.id.hex, to->id.hex) : r;
}

/* Whether that many commits lead from `had` (NULL: from nothing) to `to`: 1, 0, -1. */
static int is_that_far(struct store *s, const struct commit *had, const struct commit *to, int64_t commits,
                       struct err *e)
{
	struct commit c = *to;
	int r = 1;

	for (int64_t n = 1; r == 1 && n < commits; n++)
		r = !c.parent.hex[0] || (had && !strcmp(c.parent.hex, had->id.hex))
		            ? 0
		            : commit_find(s, c.repo, str_of(c.parent.hex), &c, e);
	return r;
}

/* Whether the conditions hold for going from `had` (NULL: nothing) to `to`: 1, 0, -1. */
static int holds(struct store *s, const struct trigger *t, const struct commit *had, const struct commit *to,
                 struct err *e)
{
	int yes = 0, no = 0, r;

	if (t->cron.p || (had && !strcmp(had->id.hex, to->id.hex)))
		return 0;
	r = had ? is_behind(s, had, to, e) : 0;
	if (r)
		return r < 0 ? -1 : 0;
	if (t->size)
		*(to->bytes - (had ? had->bytes : 0) >= t->size ? &yes : &no) += 1;
	if (t->rate.p) {
		struct cron c;
		int64_t next = INT64_MAX;

		if (cron_parse(t->rate, &c, e))
			return -1;
		if (!had)
			next = INT64_MIN;
		else if (!cron_next(&c, floor_div(had->at, 1000), &next))
			next = INT64_MAX;
		*(next <= floor_div(to->at, 1000) ? &yes : &no) += 1;
	}
	if (t->commits) {
		r = is_that_far(s, had, to, t->commits, e);
		if (r < 0)
			return -1;
		*(r ? &yes : &no) += 1;
	}
	return t->all ? yes && !no : yes > 0;
}

struct follower {
	struct str name;
	struct trigger t;
};

/* All branches with a trigger: of one repo, or (0) of all. */
static int followers(struct store *s, struct arena *a, int64_t repo, struct follower **out, int64_t **repos, size_t *n,
                     struct err *e)
{
	struct q *q = db_query(s->db, "select name, trigger, repo from branch where (?1 = 0 or repo = ?1)"
	                              " and trigger is not null and repo in (select id from repo where ended is null)"
	                              " order by repo, name");
	VEC(struct follower) list = {0};
	VEC(int64_t) ids = {0};
	int r;

	q_int(q, 1, repo);
	while ((r = q_step(q, e)) == 1) {
		struct follower f = {.name = arena_str(a, q_col_text(q, 0))};

		r = unpack(a, arena_str(a, q_col_text(q, 1)), &f.t, e);
		if (r)
			break;
		vec_push(a, &list, f);
		vec_push(a, &ids, q_col_int(q, 2));
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = list.p;
	*repos = ids.p;
	*n = list.n;
	return 0;
}

/* The common case, without memory: nothing in this repo follows anything. */
static int has_followers(struct store *s, int64_t repo, struct err *e)
{
	struct q *q = db_query(s->db, "select 1 from branch where repo = ? and trigger is not null limit 1");
	int r;

	q_int(q, 1, repo);
	r = q_step(q, e);
	q_done(q);
	return r;
}

static int fire(struct store *s, struct arena *a, int64_t repo, struct str branch, const struct commit *to,
                struct id event, struct err *e)
{
	struct follower *f;
	int64_t *ignored;
	size_t n;

	if (followers(s, a, repo, &f, &ignored, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit had = {0};
		int r;

		if (!str_eq(f[i].t.branch, branch))
			continue;
		r = branch_head(s, repo, f[i].name, &had, e);
		if (r >= 0)
			r = holds(s, &f[i].t, r ? &had : NULL, to, e);
		/* branch_move comes back here for who follows this one in turn */
		if (r < 0 || (r && branch_move(s, repo, f[i].name, &to->id, event, e)))
			return -1;
	}
	return 0;
}

int trigger_fire(struct store *s, int64_t repo, struct str branch, struct id event, struct err *e)
{
	struct arena *a;
	struct commit to;
	int r = has_followers(s, repo, e);

	if (r == 1)
		r = branch_head(s, repo, branch, &to, e);
	if (r <= 0)
		return r;
	a = arena_new();
	r = fire(s, a, repo, branch, &to, event, e);
	arena_free(a);
	return r;
}

/* --- clocks --- */

/* The last move of a branch that came before or at a time: 1, 0, -1. */
static int moved_by(struct store *s, int64_t repo, struct str branch, int64_t ms, struct id *to, int64_t *at,
                    struct err *e)
{
	struct q *q = db_query(s->db, "select new, at from head_move where repo = ? and branch = ? and at <= ?"
	                              " order by seq desc limit 1");
	int r;

	q_int(q, 1, repo);
	q_text(q, 2, branch);
	q_int(q, 3, ms);
	r = q_step(q, e);
	if (r == 1) {
		*to = id_of(q_col_text(q, 0));
		*at = q_col_int(q, 1);
	}
	q_done(q);
	return r;
}

/* Whether the branch is to move for the last time of its clock: 1 with *out, 0, -1. */
static int is_due(struct store *s, int64_t repo, const struct follower *f, int64_t now_ms, struct trigger_due *out,
                  struct err *e)
{
	struct trigger_due d = {.repo = repo, .branch = f->name};
	struct id mine = {0};
	int64_t moved = INT64_MIN, sec, ignored;
	struct commit c;
	struct cron cron;
	int r;

	if (cron_parse(f->t.cron, &cron, e))
		return -1;
	if (!cron_last(&cron, floor_div(f->t.since, 1000), floor_div(now_ms, 1000), &sec))
		return 0;
	d.at = sec * 1000;
	r = moved_by(s, repo, f->name, INT64_MAX, &mine, &moved, e);
	if (r < 0 || (r && moved >= d.at)) /* it took that time already, or somebody has moved it since */
		return r < 0 ? -1 : 0;
	r = moved_by(s, repo, f->t.branch, d.at, &d.to, &ignored, e);
	if (r <= 0 || !d.to.hex[0] || !strcmp(d.to.hex, mine.hex))
		return r < 0 ? -1 : 0;
	r = commit_find(s, repo, str_of(d.to.hex), &c, e);
	if (r == 1) /* one that was taken out of history since cannot be followed */
		*out = d;
	return r;
}

int trigger_due(struct store *s, struct arena *a, int64_t now_ms, struct trigger_due **out, size_t *n, struct err *e)
{
	VEC(struct trigger_due) list = {0};
	struct follower *f;
	int64_t *repos;
	size_t n_all;

	if (followers(s, a, 0, &f, &repos, &n_all, e))
		return -1;
	for (size_t i = 0; i < n_all; i++) {
		struct trigger_due d;
		int r = f[i].t.cron.p ? is_due(s, repos[i], &f[i], now_ms, &d, e) : 0;

		if (r < 0)
			return -1;
		if (r)
			vec_push(a, &list, d);
	}
	*out = list.p;
	*n = list.n;
	return 0;
}
