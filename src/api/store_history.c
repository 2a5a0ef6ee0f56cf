/* squash, drop, wait. */
#include "api/change.h"
#include "api/data.h"
#include "base/str.h"
#include "flow/rewrite.h"
#include "sys/clock.h"

#define POLL_MS 50

struct asked {
	struct arena *a;
	VEC(struct rewrite_commit) v;
	struct open_commit open; /* what drop may name too */
	struct str open_repo;
	bool is_open;
};

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]))
			return false;
	return s.n >= 4 && s.n <= ID_HEX;
}

/* A global id: what it made, in every repo. */
static int ask_id(struct api *api, struct str id, struct asked *out, struct err *e)
{
	struct q *q = db_query(api->store->db,
			       "select r.name, c.id from commits c join repo r on r.id = c.repo where c.id >= ?1 and"
			       " c.id < ?1 || 'g' and r.ended is null order by c.id, r.name");
	struct str first = STR_NULL;
	VEC(struct str) names = {0};
	int r;

	q_text(q, 1, id);
	while ((r = q_step(q, e)) == 1) {
		struct str full = q_col_text(q, 1);
		if (first.p && !str_eq(first, full)) {
			r = err_set(e, ERR_BAD_REQUEST, "%.*s could be several ids; give more digits", STR_ARG(id));
			break;
		}
		if (!first.p)
			first = arena_str(api->arena, full);
		vec_push(api->arena, &names, arena_str(api->arena, q_col_text(q, 0)));
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (!names.n) {
		err_set(e, ERR_NOT_FOUND, "there is no repo or commit %.*s", STR_ARG(id));
		return err_hint(e, "REPO@PIN names a commit of a repo");
	}
	for (size_t i = 0; i < names.n; i++) {
		struct pin pin;
		struct str text = arena_strf(api->arena, "%.*s@%.*s", STR_ARG(names.p[i]), STR_ARG(first));
		if (pin_resolve(api->store, api->arena, text, &pin, e))
			return -1;
		vec_push(api->arena, &out->v, ((struct rewrite_commit){pin.repo, pin.commit}));
	}
	return 0;
}

/* What is there may be an open commit, which no branch shows. */
static int no_commit(struct api *api, struct str text, const struct pin *pin, struct err *e)
{
	struct open_commit o;
	int r = open_of_branch(api->store, api->arena, pin->repo.id, pin->branch, &o, e);

	if (r < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "%.*s has no commit", STR_ARG(text));
	err_set(e, ERR_NOT_FOUND, "%.*s has no commit yet, only the open one %s", STR_ARG(text), o.id.hex);
	return err_hint(e, "leat drop %.*s@%.8s takes that one away, leat finish %.*s@%.*s makes it a commit",
	                STR_ARG(pin->repo.name), o.id.hex, STR_ARG(pin->repo.name), STR_ARG(pin->branch));
}

static int ask(struct api *api, struct str text, struct asked *out, struct err *e)
{
	struct pin pin;
	int found;

	if (!memchr(text.p, '@', text.n)) {
		if (is_hex(text))
			return ask_id(api, text, out, e);
		err_set(e, ERR_BAD_REQUEST, "'%.*s' names no commit", STR_ARG(text));
		return err_hint(e, "REPO@PIN does; leat rm --repo ends a repo");
	}
	if (pin_resolve(api->store, api->arena, text, &pin, e))
		return -1;
	if (pin.path.n)
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' names a path, not a commit", STR_ARG(text));
	if (!pin.has_commit)
		return no_commit(api, text, &pin, e);
	if (pin.open) {
		out->is_open = true;
		out->open_repo = pin.repo.name;
		found = open_find(api->store, api->arena, pin.repo.id, str_of(pin.commit.id.hex), &out->open, e);
		return found < 0 ? -1 : 0;
	}
	vec_push(api->arena, &out->v, ((struct rewrite_commit){pin.repo, pin.commit}));
	return 0;
}

static int rewrite(struct api *api, const struct args *args, bool squash, struct sink *out, struct err *e)
{
	struct asked asked = {.a = api->arena};
	struct rewrite how = {.squash = squash, .recursive = args_flag(args, "recursive"), .event = id_new(),
	                      .command = args->command};
	struct rewrite_commit *went;
	size_t n;

	for (size_t i = 0; i < args_n(args); i++)
		if (ask(api, args_pos(args, i), &asked, e))
			return -1;
	if (asked.is_open)
		return err_set(e, ERR_REFUSED, "%s is an open commit: finish it first, or drop it", asked.open.id.hex);
	if (rewrite_run(api->flow, api->arena, asked.v.p, asked.v.n, &how, &went, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row = row_commit(api->arena, went[i].repo.name, STR_NULL, &went[i].commit);
		dom_set_cstr(api->arena, row, "change", squash ? "squashed" : "dropped");
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}

int api_squash(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	return rewrite(api, args, true, out, e);
}

static int drop_open(struct change *c, void *own, struct err *e)
{
	struct asked *asked = own;
	struct arena *a = c->api->arena;
	struct commit as;
	struct dom *row;
	int r = open_find(c->api->store, a, asked->open.repo, str_of(asked->open.id.hex), &asked->open, e);

	if (r < 0)
		return -1;
	if (asked->open.state != OPEN_OPEN)
		return open_closed(&asked->open, asked->open_repo, e);
	if (open_as_commit(c->api->store, &asked->open, &as, e) ||
	    open_close(c->api->store, &asked->open, OPEN_DROPPED, e))
		return -1;
	row = row_commit(a, asked->open_repo, asked->open.branch, &as);
	dom_set_bool(a, row, "open", true);
	dom_set_cstr(a, row, "change", "dropped");
	vec_push(a, &c->rows, row);
	return 0;
}

int api_drop(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct asked asked = {.a = api->arena};
	struct change c;
	int rc;

	if (args_n(args) == 1 && memchr(args_pos(args, 0).p, '@', args_pos(args, 0).n) &&
	    ask(api, args_pos(args, 0), &asked, e))
		return -1;
	if (!asked.is_open)
		return rewrite(api, args, false, out, e);
	change_begin(&c, api, args);
	change_step(&c, drop_open, &asked);
	rc = change_do(&c, out, e);
	change_end(&c);
	return rc;
}

/* --- wait --- */

enum { ID_OPEN = 1, ID_RUN = 2, ID_EVENT = 4 };

/* What there is under an id or the beginning of one: ID_ flags or'ed, the whole id in *out. */
static int id_kinds(struct api *api, struct str id, struct id *out, int *kinds, struct err *e)
{
	struct q *q = db_query(api->store->db,
			       "select id, 1 from open_commit where id >= ?1 and id < ?1 || 'g' union"
			       " select id, 2 from run where id >= ?1 and id < ?1 || 'g' union"
			       " select batch, 2 from run where batch >= ?1 and batch < ?1 || 'g' union"
			       " select global_id, 2 from unit where global_id >= ?1 and global_id < ?1 || 'g' union"
			       " select batch, 4 from event where batch >= ?1 and batch < ?1 || 'g' union"
			       " select id, 4 from event where id >= ?1 and id < ?1 || 'g'");
	struct id found = {""};
	int r, all = 0;

	q_text(q, 1, id);
	while ((r = q_step(q, e)) == 1) {
		struct id one = id_of(q_col_text(q, 0));
		if (found.hex[0] && strcmp(found.hex, one.hex)) {
			err_set(e, ERR_BAD_REQUEST, "'%.*s' may be several things", STR_ARG(id));
			r = err_hint(e, "%s, %s; give more digits", found.hex, one.hex);
			break;
		}
		found = one;
		all |= (int)q_col_int(q, 1);
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (!all) {
		err_set(e, ERR_NOT_FOUND, "there is no run, commit, open commit or batch '%.*s'", STR_ARG(id));
		return err_hint(e, "an id is 32 hex digits, 4 of them are enough if no other begins so");
	}
	*out = found;
	*kinds = all;
	return 0;
}

/* A run of an event that was tried again counts no more. */
#define LAST_OF_EVENT                                                                                                  \
	"(r.event is null or not exists (select 1 from run x where x.event = r.event and x.job = r.job"                \
	" and x.created > r.created))"

/* How many runs and units of it have not ended, and how many ended badly. */
static int count_work(struct api *api, struct id id, int64_t *left, int64_t *bad, struct err *e)
{
	struct q *q = db_query(api->store->db,
			       "select sum(finished is null), sum(finished is not null and state not in ('success',"
			       " 'recovered')) from (select r.state, r.finished from run r where (r.id = ?1 or"
			       " r.batch = ?1) and " LAST_OF_EVENT " union all select u.state, u.finished from unit u"
			       " join run r on r.id = u.run where u.global_id = ?1 and " LAST_OF_EVENT ")");
	int r;

	q_cstr(q, 1, id.hex);
	r = q_step(q, e);
	if (r == 1) {
		*left = q_col_int(q, 0);
		*bad = q_col_int(q, 1);
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* What did not succeed, by name. */
static int say_bad(struct api *api, struct arena *a, struct id id, int64_t count, struct err *e)
{
	struct str failed = STR(""), unrunnable = STR("");
	struct data_bad *bad;
	size_t n;

	if (data_bad_of(api->store, a, str_of(id.hex), &bad, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str *to = bad[i].unrunnable ? &unrunnable : &failed;

		*to = arena_strf(a, "%.*s%s%.*s", STR_ARG(*to), to->n ? ", " : "", STR_ARG(bad[i].job));
	}
	if (n)
		err_set(e, ERR_FAILED, "of %.12s: %.*s%s%s%.*s", id.hex, STR_ARG(failed), failed.n ? " failed" : "",
		        !unrunnable.n ? "" : failed.n ? ", unrunnable: " : "unrunnable: ", STR_ARG(unrunnable));
	else
		err_set(e, ERR_FAILED, "of %s %lld runs and units did not succeed", id.hex, (long long)count);
	return err_hint(e, n ? "leat log %.12s tells why" : "leat why %.8s tells which and why", id.hex);
}

/* 1: all of it is done; 0: not yet; -1: it will never be, or ended badly. */
static int is_done(struct api *api, struct id id, int kinds, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct open_commit o;
	int64_t left = 0, bad = 0;

	if (kinds & ID_OPEN) {
		if (open_find(api->store, a, 0, str_of(id.hex), &o, e) < 0)
			return -1;
		if (o.state != OPEN_FINISHED)
			return o.state == OPEN_OPEN ? 0 : open_closed_in(api->store, &o, e);
	}
	if (!(kinds & ID_RUN))
		return 1;
	if (count_work(api, id, &left, &bad, e))
		return -1;
	if (left)
		return 0;
	if (!bad)
		return 1;
	return say_bad(api, a, id, bad, e);
}

/* The last event that an id or batch names: 1, 0, -1. */
static int last_event(struct api *api, struct id id, struct id *out, struct err *e)
{
	struct q *q = db_query(api->store->db,
	                       "select id from event where id = ?1 or batch = ?1 order by seq desc limit 1");
	int r;

	q_cstr(q, 1, id.hex);
	r = q_step(q, e);
	if (r == 1)
		*out = id_of(q_col_text(q, 0));
	q_done(q);
	return r;
}

/* There is no daemon: who waits for what a change causes does it. */
static int do_work(struct api *api, const struct args *args, struct id id, struct sink *out, struct err *e)
{
	struct id until;
	struct data_ask ask = {.until = &until};
	int got = last_event(api, id, &until, e);

	return got <= 0 ? got : data_work(api, args, "wait", &ask, out, e);
}

static int tell_bad(struct api *api, struct id id, struct sink *out, struct err *e)
{
	struct data_bad *bad;
	size_t n;

	if (data_bad_of(api->store, api->arena, str_of(id.hex), &bad, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		sink_note(out, "%.*s %s: %.*s", STR_ARG(bad[i].job), bad[i].unrunnable ? "is unrunnable" : "failed",
		          STR_ARG(bad[i].why));
	return 0;
}

/* An id as it stands, or that of the commit which a pin names. */
static int what_id(struct api *api, struct str text, struct str *out, struct err *e)
{
	struct repo repo;
	struct pin pin;
	int there = memchr(text.p, '@', text.n) ? 1
	            : is_hex(text)              ? 0
	                                        : repo_find(api->store, api->arena, text, &repo, e);

	if (there < 0)
		return -1;
	if (!there && memchr(text.p, '/', text.n))
		return repo_not_found(api->store, text, e);
	if (there && pin_resolve(api->store, api->arena, text, &pin, e))
		return -1;
	if (there && !pin.has_commit)
		return no_commit(api, text, &pin, e);
	if (!there && !is_hex(text)) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s' is no id", STR_ARG(text));
		return err_hint(e, "an id is 32 hex digits, 4 of them are enough if no other begins so;"
		                   " REPO@PIN is that of a commit");
	}
	*out = there ? arena_str(api->arena, str_of(pin.commit.id.hex)) : text;
	return 0;
}

int api_wait(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str limit = args_value(args, "timeout"), text;
	int64_t until = INT64_MAX, ms;
	struct id id;
	struct err late = ERR_INIT;
	int kinds = 0, r;

	if (limit.p) {
		if (!keys_duration(limit, &ms))
			return err_set(e, ERR_BAD_REQUEST, "--timeout '%s' is no duration like 30s or 5m",
				       STR_SHOWN(limit));
		until = clock_mono_ms() + ms;
	}
	if (what_id(api, args_pos(args, 0), &text, e) || id_kinds(api, text, &id, &kinds, e) ||
	    (!(kinds & ID_OPEN) && do_work(api, args, id, out, e)) || id_kinds(api, text, &id, &kinds, e))
		return -1;
	while (!(r = is_done(api, id, kinds, e))) {
		if (clock_mono_ms() >= until)
			return err_set(e, ERR_TIMEOUT, "%s is not done after %.*s", id.hex, STR_ARG(limit));
		clock_sleep_ms(POLL_MS);
	}
	if (r < 0 && e->code != ERR_FAILED)
		return -1;
	if (r > 0)
		return data_tell(api, id, true, out, e);
	/* What there is of it, nevertheless; what is not there, and why, is said as such, if it was not just now. */
	if ((api->exit_status || !tell_bad(api, id, out, &late)) && !data_tell(api, id, true, out, &late))
		return -1;
	err_clear(&late);
	return -1;
}
