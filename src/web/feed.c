/*
 * What happens, as server-sent events: the rows of table change (defs/watch_tables.def), which triggers write in the
 * transactions of those who change something, whichever process that is. An event's id is its row's number; who comes
 * back with Last-Event-ID gets what came after it, also when the daemon was started anew meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/rows.h"
#include "base/str.h"
#include "base/tz.h"
#include "web/web_in.h"

#define KEPT 100000   /* rows of `change` */
#define PRUNE_STEP 2000
#define PRUNE_MS (10 * 60 * 1000)
#define PAGE 200
#define PING_MS 15000 /* tells both sides that the other is there */

struct follower {
	struct call *call;
	struct web *web;
	int64_t seen;
	struct str kind, job; /* only these; STR_NULL: all */
	struct loop_ev *ping;
	struct follower **prev, *next;
};

static void pump(struct follower *f);

static void leave(struct follower *f)
{
	loop_close(f->ping);
	*f->prev = f->next;
	if (f->next)
		f->next->prev = f->prev;
	f->web->streams--;
	f->call->end = NULL;
}

static void on_gone(struct call *c, bool whole)
{
	leave(c->own);
}

static void on_drained(struct call *c)
{
	pump(c->own);
}

static void on_ping(struct loop_ev *ev, void *ptr)
{
	struct follower *f = ptr;

	http_send(f->call->r, STR(":\n\n"));
	loop_timer_again(ev, PING_MS);
}

static void set_col(struct arena *a, struct dom *d, const char *key, struct q *q, int i)
{
	if (q_col_text(q, i).n)
		dom_set_str(a, d, key, q_col_text(q, i));
}

static struct dom *event_dom(struct arena *a, struct q *q, struct str kind)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_int(a, d, "seq", q_col_int(q, 0));
	row_time(a, d, "at", q_col_int(q, 1));
	dom_set_str(a, d, "kind", kind);
	if (str_is(kind, "run"))
		dom_set_str(a, d, "run", q_col_text(q, 3));
	else if (!str_is(kind, "head"))
		dom_set_int(a, d, arena_cstr(a, kind), q_col_int(q, 3));
	set_col(a, d, "state", q, 4);
	set_col(a, d, "job", q, 5);
	set_col(a, d, "ds", q, 6);
	if (!str_is(kind, "run"))
		set_col(a, d, "run", q, 7);
	set_col(a, d, "reason", q, 8);
	set_col(a, d, "repo", q, 9);
	set_col(a, d, "branch", q, 10);
	set_col(a, d, "commit", q, 11);
	set_col(a, d, "global_id", q, 12);
	return d;
}

static bool wanted(const struct follower *f, struct q *q, struct str kind)
{
	return (!f->kind.p || str_eq(f->kind, kind)) && (!f->job.p || str_eq(f->job, q_col_text(q, 5)));
}

/* What came since, as far as the reader takes it. */
static int send_new(struct follower *f, bool *more, struct err *e)
{
	struct arena *a = arena_new();
	struct buf b = BUF_INIT(16 << 20);
	struct q *q = db_query(
		f->web->conf.store->db,
		"select c.seq, c.at, c.kind, c.id, c.state, coalesce(u.job, r.job, x.job), coalesce(u.ds, x.ds),"
		" coalesce(u.run, x.run), coalesce(u.reason, r.reason, x.reason), p.name, h.branch, h.new,"
		" coalesce(u.global_id, h.event, x.event) from change c"
		" left join unit u on c.kind = 'unit' and u.id = c.id left join run r on c.kind = 'run' and r.id = c.id"
		" left join head_move h on c.kind = 'head' and h.seq = c.id left join repo p on p.id = h.repo"
		" left join request x on c.kind = 'request' and x.id = c.id where c.seq > ?1 order by c.seq limit ?2");
	int rc, n = 0;

	q_int(q, 1, f->seen);
	q_int(q, 2, PAGE);
	while ((rc = q_step(q, e)) == 1) {
		struct str kind = arena_str(a, q_col_text(q, 2));

		n++;
		f->seen = q_col_int(q, 0);
		if (!wanted(f, q, kind))
			continue;
		buf_addf(&b, "id: %lld\nevent: %.*s\ndata: ", (long long)f->seen, STR_ARG(kind));
		dom_write_json(&b, event_dom(a, q, kind), DOM_COMPACT);
		buf_adds(&b, "\n\n");
	}
	q_done(q);
	*more = n == PAGE;
	if (rc >= 0)
		http_send(f->call->r, buf_str(&b));
	buf_free(&b);
	arena_free(a);
	return rc;
}

static void pump(struct follower *f)
{
	struct err e = ERR_INIT;
	bool more = true;

	while (more && http_waiting(f->call->r) < HTTP_STREAM_HIGH)
		if (send_new(f, &more, &e)) {
			struct http_req *r = f->call->r;

			leave(f);
			http_end(r, true);
			return;
		}
}

void feed_changed(struct web *w)
{
	for (struct follower *f = w->followers, *next; f; f = next) {
		next = f->next;
		pump(f);
	}
}

static int bounds(struct web *w, int64_t *first, int64_t *last, struct err *e)
{
	struct q *q = db_query(
		w->conf.store->db,
		"select (select min(seq) from change), (select seq from sqlite_sequence where name = 'change')");
	int rc = q_step(q, e);

	*last = rc == 1 ? q_col_int(q, 1) : 0;
	*first = rc == 1 && !q_col_is_null(q, 0) ? q_col_int(q, 0) : *last + 1;
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static int begin_at(struct call *c, int64_t *from, bool *lost, struct str *kind, struct str *job, struct err *e)
{
	pairs q = {0};
	struct str s = http_header(c->r, "Last-Event-ID");
	int64_t first, last;

	if (query_pairs(c->a, http_query(c->r), &q, e) || bounds(c->web, &first, &last, e))
		return -1;
	for (size_t i = 0; i < q.n; i++)
		if (!str_is(q.p[i].name, "from") && !str_is(q.p[i].name, "kind") && !str_is(q.p[i].name, "job"))
			return err_set(e, ERR_BAD_REQUEST, "events takes from, kind and job, not '%s'",
			               STR_SHOWN(q.p[i].name));
	*kind = query_get(&q, "kind");
	*job = query_get(&q, "job");
	if (!s.p)
		s = query_get(&q, "from");
	*lost = false;
	if (!s.p) {
		*from = last;
		return 0;
	}
	if (!str_to_i64(s, from) || *from < 0)
		return err_set(e, ERR_BAD_REQUEST, "'%s' is not the number of an event", STR_SHOWN(s));
	/* Rows that are gone, or a number of another store's: who kept a picture has to take a new one. */
	*lost = *from + 1 < first || *from > last;
	*from = *lost ? MIN(first - 1, last) : *from;
	return 0;
}

void route_events(struct call *c)
{
	struct web *w = c->web;
	struct follower *f = arena_new_of(c->a, struct follower);
	struct err e = ERR_INIT;
	bool lost;

	*f = (struct follower){.call = c, .web = w};
	if (w->streams >= WEB_STREAMS) {
		err_set(&e, ERR_OVERLOADED, "%d clients follow something already", WEB_STREAMS);
		answer_refusal(c, 503, &e, "Retry-After", "10");
		return;
	}
	if (begin_at(c, &f->seen, &lost, &f->kind, &f->job, &e)) {
		answer_problem(c, &e);
		return;
	}
	w->streams++;
	f->next = w->followers;
	f->prev = &w->followers;
	if (f->next)
		f->next->prev = &f->next;
	w->followers = f;
	f->ping = loop_timer(w->loop, PING_MS, on_ping, f);
	c->own = f;
	c->end = on_gone;
	c->drained = on_drained;
	http_begin(c->r, 200, (const char *const[]){"Content-Type", "text/event-stream", "X-Accel-Buffering", "no", NULL});
	http_send(c->r, STR("retry: 1000\n\n"));
	if (lost)
		http_send(c->r, STR("event: reset\ndata: {\"kind\":\"reset\"}\n\n"));
	pump(f);
}

/* In short transactions, so that nobody waits for it long. */
static int prune(struct web *w, struct err *e)
{
	struct db *d = w->conf.store->db;
	int64_t gone;

	do {
		struct q *q;

		if (db_begin_durable(d, DB_PROCESS, e))
			return -1;
		q = db_query(d, "delete from change where seq <= (select max(seq) from change) - ?1 and seq <"
		                " (select min(seq) from change) + ?2");
		q_int(q, 1, KEPT);
		q_int(q, 2, PRUNE_STEP);
		if (q_run(q, e)) {
			db_rollback(d);
			return -1;
		}
		gone = db_changes(d);
		if (db_commit(d, e))
			return -1;
	} while (gone);
	return 0;
}

static void on_prune(struct loop_ev *ev, void *ptr)
{
	struct err ignored = ERR_INIT;

	if (prune(ptr, &ignored)) /* the next time, then */
		err_clear(&ignored);
	loop_timer_again(ev, PRUNE_MS);
}

int feed_begin(struct web *w, struct err *e)
{
	struct db *d = w->conf.store->db;
	int64_t first;

	if (!db_has_set(d, DB_SET_WATCH)) {
		if (db_begin_durable(d, DB_PROCESS, e))
			return -1;
		if (db_make_set(d, DB_SET_TIME, e) || db_make_set(d, DB_SET_WATCH, e)) {
			db_rollback(d);
			return -1;
		}
		if (db_commit(d, e))
			return -1;
	}
	w->prune = loop_timer(w->loop, PRUNE_MS, on_prune, w);
	return bounds(w, &first, &w->counted, e);
}

void feed_end(struct web *w)
{
	loop_close(w->prune);
	while (w->followers) {
		struct follower *f = w->followers;
		struct http_req *r = f->call->r;

		leave(f);
		http_end(r, false);
	}
}
