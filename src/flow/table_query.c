#include "flow/table_query.h"

#include <strings.h>

#include "base/str.h"
#include "flow/jobsql.h"
#include "flow/sqlcache.h"
#include "repo/overlay.h"

#define HISTORY STR("__history")

struct preparing {
	struct store *s;
	struct catalog *c;
	struct arena *a;
	struct duck *d;
	struct table_query *q;
	VEC(struct table_source) tables;
	VEC(struct str) keys; /* what each was found by */
};

static int at_place(const struct table_query_ask *ask, size_t offset, struct err *e)
{
	int line, col;

	if (ask->made)
		text_line_col(ask->source, tmpl_source_offset(ask->made, offset), &line, &col);
	else
		text_line_col(ask->sql, offset, &line, &col);
	return err_at(e, ask->file, line, col);
}

static int parse(struct preparing *p, struct err *e)
{
	const struct table_query_ask *ask = &p->q->ask;
	struct sqlcache *cache = sqlcache_new(p->a, p->s->leat_dir);
	const struct dom *parsed;

	if (ask->sql.n > SQL_MAX_TEXT)
		return err_set(e, ERR_LIMIT, "the query is over its limit of %zu MiB", SQL_MAX_TEXT >> 20);
	if (sqlcache_parse(cache, p->d, &ask->sql, 1, &parsed, e))
		return -1;
	if (sql_info_read(p->a, parsed, &p->q->info))
		return err_set(e, ERR_INTERNAL, "what the parser said cannot be read");
	if (p->q->info.error.n) {
		err_set(e, ERR_BAD_SQL, "%.*s", STR_ARG(p->q->info.error));
		duck_remedy(e, p->q->info.error);
		return at_place(ask, p->q->info.error_offset, e);
	}
	if (!p->q->info.statements)
		return err_set(e, ERR_BAD_SQL, "there is no statement in the query");
	return 0;
}

/* Names in SQL do not look at case; those of repos differ in more than case. 1 found, 0, -1. */
static int find_repo(struct preparing *p, struct str name, struct repo *out, struct err *e)
{
	struct repo *all;
	size_t n;
	int r = repo_find(p->s, p->a, name, out, e);

	if (r)
		return r;
	if (repo_list(p->s, p->a, &all, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (all[i].name.n == name.n && !strncasecmp(all[i].name.p, name.p, name.n)) {
			*out = all[i];
			return 1;
		}
	return 0;
}

static int no_such_table(struct preparing *p, const struct sql_table *t, struct str repo, struct err *e)
{
	struct repo *all;
	struct str *names;
	size_t n, known = 0;

	if (repo_list(p->s, p->a, &all, &n, e))
		return -1;
	err_set(e, ERR_BAD_SQL, "there is no table %.*s%s%.*s", STR_ARG(t->schema), t->schema.n ? "." : "",
		STR_ARG(t->name));
	names = arena_array(p->a, struct str, n);
	for (size_t i = 0; i < n; i++)
		if (all[i].role != REPO_SYSTEM)
			names[known++] = all[i].name;
	n = known;
	int near = str_nearest(repo, names, n);
	for (size_t i = 0; near < 0 && i < n; i++) { /* trips for raw.trips */
		struct str zone, last;

		if (str_rcut(names[i], '/', &zone, &last) && last.n == repo.n && !strncasecmp(last.p, repo.p, last.n))
			near = (int)i;
	}
	if (near >= 0)
		return err_hint(e, "did you mean %.*s?", STR_ARG(jobsql_table_of(p->a, names[near], STR_NULL)));
	return err_hint(e, n ? "leat ls lists the repos; raw/trips is the table raw.trips"
			     : "there are no repos yet: leat put makes them");
}

/* A commit of the repo by time; "" in *rev: it had none. */
static int rev_at_time(struct preparing *p, const struct repo *repo, int64_t ms, struct str *rev, struct err *e)
{
	struct id id = {""};
	int r = overlay_head_at(p->s, repo->id, ms, &id, e);

	*rev = arena_str(p->a, str_of(id.hex));
	return r < 0 ? -1 : 0;
}

/* When the event with this id (or the one whose id begins so) was; 0 if there is none. */
static int event_time(struct preparing *p, struct str id, int64_t *ms, struct err *e)
{
	struct q *q = db_query(p->s->db,
			       "select at from event where id = ?1 or (length(?1) >= 4 and id between ?1 and ?1 || 'g')"
			       " order by seq desc limit 1");
	int r;

	q_text(q, 1, id);
	r = q_step(q, e);
	*ms = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* --at: a pin of this repo; else a time, or an event of any repo, whose moment counts. */
static int rev_of_ask(struct preparing *p, const struct repo *repo, struct str *rev, struct err *e)
{
	struct str at = p->q->ask.at;
	struct err mine = ERR_INIT;
	struct pin pin;
	int64_t ms;

	if (!pin_resolve(p->s, p->a, arena_strf(p->a, "%.*s@%.*s", STR_ARG(repo->name), STR_ARG(at)), &pin, &mine)) {
		*rev = at;
		return 0;
	}
	if (!time_parse_rfc3339(at, &ms) && event_time(p, at, &ms, e))
		return -1;
	if (!ms) {
		*e = mine;
		return -1;
	}
	if (rev_at_time(p, repo, ms, rev, e))
		return -1;
	return rev->n ? 0
		      : err_set(e, ERR_NOT_FOUND, "%.*s had no commit yet at %.*s", STR_ARG(repo->name), STR_ARG(at));
}

static int rev_of(struct preparing *p, const struct sql_table *t, const struct repo *repo, struct str pin,
		  struct str *rev, struct err *e)
{
	int64_t ms;

	*rev = pin;
	if (str_is(t->at_unit, "timestamp")) {
		if (!time_parse_rfc3339(t->at, &ms))
			return err_set(e, ERR_BAD_SQL, "'%.*s' is no time; write '2017-11-27 05:00' (UTC)",
				       STR_ARG(t->at));
		if (rev_at_time(p, repo, ms, rev, e))
			return -1;
		return rev->n ? 0
			      : err_set(e, ERR_NOT_FOUND, "%.*s had no commit yet at %.*s", STR_ARG(repo->name),
					STR_ARG(t->at));
	}
	if (t->at_unit.n && !pin.n)
		return err_set(e, ERR_BAD_SQL, "the pin of %.*s is no constant; write at (version => 'master.31')",
			       STR_ARG(repo->name));
	if (!pin.p && p->q->ask.at.p)
		return rev_of_ask(p, repo, rev, e);
	return 0;
}

/* Up to D: what a unit's NAME__history sees. */
static void keep_until(struct reads *r, const struct ds *ds, const struct tz *tz)
{
	int64_t until = ds_interval(ds, tz).start;
	size_t n = 0;

	for (size_t i = 0; i < r->n_parts; i++) {
		struct ds label = ds_of_label(r->parts[i].label);

		if (ds_interval(&label, tz).start <= until)
			r->parts[n++] = r->parts[i];
	}
	r->n_parts = n;
}

static int choose(struct preparing *p, const struct repo *repo, struct str rev, bool history, bool all,
		  struct reads *out, struct err *e)
{
	const struct ds *ds = p->q->ask.ds;
	const struct tz *tz = p->s->ws->tz;
	struct reads r;

	if (ds && !history) {
		struct job_input in = {.name = repo->name, .repo = repo->name, .pin = rev};

		if (reads_for_query_ds(p->c, p->a, repo->name, rev, ds, tz, &r, e))
			return -1;
		if (r.state == READS_MISSING)
			return err_set(e, ERR_MISSING_INPUT, "%s", reads_missing_text(p->a, &in, &r));
	} else {
		if (reads_for_query(p->c, p->a, repo->name, rev, history || all, &r, e))
			return -1;
		if (ds)
			keep_until(&r, ds, tz);
	}
	*out = r;
	return 0;
}

/* Whether any of the references to this table means all snapshots. */
static bool names_ds(const struct sql_info *info, const struct sql_table *t)
{
	for (size_t i = 0; i < info->n_tables; i++) {
		const struct sql_table *o = &info->tables[i];

		if (o->names_ds && str_eq(o->schema, t->schema) && str_eq(o->name, t->name) && str_eq(o->at, t->at))
			return true;
	}
	return false;
}

static int open_one(struct preparing *p, const struct sql_table *t, struct str *reader, struct err *e)
{
	struct str name, pin, rev;
	struct repo repo;
	struct reads reads;
	struct table_source source;
	bool history = false, all = names_ds(&p->q->info, t);
	int r;

	jobsql_repo_of(p->a, t, &name, &pin);
	r = find_repo(p, name, &repo, e);
	if (!r && str_has_suffix(name, HISTORY)) {
		history = true;
		name.n -= HISTORY.n;
		r = find_repo(p, name, &repo, e);
	}
	if (r < 0)
		return -1;
	if (!r)
		return no_such_table(p, t, name, e);
	if (rev_of(p, t, &repo, pin, &rev, e))
		return -1;
	struct str key = arena_strf(p->a, "%.*s@%.*s %d%d", STR_ARG(repo.name), STR_ARG(rev), history, all);
	for (size_t i = 0; i < p->keys.n; i++)
		if (str_eq(p->keys.p[i], key)) {
			*reader = p->tables.p[i].view.sql;
			return 0;
		}
	if (choose(p, &repo, rev, history, all, &reads, e) || table_open(p->s, p->a, p->d, &reads, &source, e))
		return -1;
	source.rev = rev;
	source.all = history || all;
	if (reads.repo)
		source.commit = reads.repo->head;
	source.content = reads.content;
	vec_push(p->a, &p->tables, source);
	vec_push(p->a, &p->keys, key);
	*reader = source.view.sql;
	return 0;
}

static bool is_system(const struct sql_table *t)
{
	return str_is(t->schema, "information_schema") || str_is(t->schema, "pg_catalog");
}

int table_query_prepare(struct store *s, struct catalog *c, struct arena *a, struct duck *d,
                        const struct table_query_ask *ask, struct table_query *out, struct err *e)
{
	struct table_query q = {.ask = *ask};
	struct preparing p = {.s = s, .c = c, .a = a, .d = d, .q = &q};
	struct str *readers;

	if (parse(&p, e))
		return -1;
	readers = arena_array(a, struct str, q.info.n_tables);
	for (size_t i = 0; i < q.info.n_tables; i++) {
		const struct sql_table *t = &q.info.tables[i];

		if (!is_system(t) && open_one(&p, t, &readers[i], e))
			return at_place(ask, t->start, e);
	}
	sql_bind(a, ask->sql, &q.info, readers, &q.bound);
	q.tables = p.tables.p;
	q.n_tables = p.tables.n;
	*out = q;
	return 0;
}

int table_query_error(struct err *e, const struct table_query *q, int64_t offset)
{
	table_error(e, q->tables, q->n_tables);
	if (offset >= 0)
		at_place(&q->ask, sql_bound_offset(&q->bound, (size_t)offset), e);
	return -1;
}
