#include "flow/egress.h"

#include "base/str.h"
#include "db/db.h"
#include "sys/clock.h"

/* scheme://user:password@host/x without the password. */
static struct str without_password(struct arena *a, struct str url)
{
	struct str scheme = STR_NULL, rest = url, who, host, user, word;
	const char *at = memmem(url.p, url.n, "://", 3);

	if (!at)
		return url;
	scheme = str_sub(url, 0, (size_t)(at - url.p) + 3);
	rest = str_sub(url, scheme.n, url.n);
	if (!str_rcut(rest, '@', &who, &host) || !str_cut(who, ':', &user, &word))
		return url;
	return arena_strf(a, "%.*s%.*s@%.*s", STR_ARG(scheme), STR_ARG(user), STR_ARG(host));
}

static int wrong(const struct egress *x, struct err *e)
{
	return job_at(e, x->job, x->line, x->col);
}

static int read_format(struct arena *a, const struct dom *format, struct egress *x)
{
	const struct dom *columns = dom_get(format, "columns");

	x->type = dom_str(format, "type");
	if (!columns || columns->type != DOM_LIST)
		return 0;
	x->columns = arena_array(a, struct str, columns->n + 1);
	dom_each(c, columns)
		x->columns[x->n_columns++] = dom_text(a, c);
	return 0;
}

static int read_url(struct arena *a, struct egress *x, const struct dom *url, struct err *e)
{
	const char *at;

	if (!url || url->type != DOM_STR || !url->s.n) {
		err_set(e, ERR_BAD_CONFIG, "egress says no URL");
		err_hint(e, "egress: {URL: /data/out}, or egress: {sqlDatabase: {url: \"duckdb:///data/x.duckdb\"}}");
		return wrong(x, e);
	}
	x->url = x->place = url->s;
	x->told = without_password(a, url->s);
	x->scheme = STR("");
	x->line = url->line;
	x->col = url->col;
	at = memmem(url->s.p, url->s.n, "://", 3);
	if (at) {
		x->scheme = str_sub(url->s, 0, (size_t)(at - url->s.p));
		x->place = str_sub(url->s, x->scheme.n + 3, url->s.n);
	}
	if (x->place.n)
		return 0;
	err_set(e, ERR_BAD_CONFIG, "the egress URL %.*s names no place", STR_ARG(x->told));
	return wrong(x, e);
}

int egress_of(struct arena *a, const struct job *j, struct egress *out, struct err *e)
{
	const struct dom *v = dom_get(job_doc(j), "egress"), *sql, *object, *url;
	struct egress x = {.job = j};

	if (!v || v->type == DOM_NULL)
		return 0;
	x.line = v->key_line ? v->key_line : v->line;
	x.col = v->key_line ? v->key_col : v->col;
	if (v->type == DOM_STR) {
		if (read_url(a, &x, v, e))
			return -1;
		*out = x;
		return 1;
	}
	sql = dom_get(v, "sqlDatabase");
	object = dom_get(v, "objectStorage");
	url = dom_get(v, "URL");
	if ((sql != NULL) + (object != NULL) + (url != NULL) > 1) {
		err_set(e, ERR_BAD_CONFIG, "egress is one of URL, objectStorage and sqlDatabase");
		return wrong(&x, e);
	}
	x.sql = sql != NULL;
	x.connection = dom_str(v, "connection");
	if (x.sql && x.connection.p) {
		err_set(e, ERR_BAD_CONFIG, "a connection is for URL and objectStorage");
		return wrong(&x, e);
	}
	if (read_url(a, &x, sql ? dom_get(sql, "url") : object ? dom_get(object, "url") : url, e) ||
	    (sql && read_format(a, dom_get(sql, "fileFormat"), &x)))
		return -1;
	*out = x;
	return 1;
}

/* --- what was pushed --- */

#define TABLE                                                                                                          \
	"create table if not exists egress(repo integer not null, url text not null, commit_id text not null,"        \
	" good text, error text, at integer not null, primary key(repo, url)) without rowid"

#define TRIES                                                                                                          \
	"create table if not exists egress_try(repo integer not null, url text not null, commit_id text not null,"    \
	" primary key(repo, url, commit_id)) without rowid"

/* Few stores have them: they are made with the first push. */
static bool has_table(struct store *s, const char *name)
{
	struct q *q = db_query(s->db, "select 1 from sqlite_master where type = 'table' and name = ?");
	struct err ignored = ERR_INIT;
	bool has;

	q_cstr(q, 1, name);
	has = q_step(q, &ignored) == 1;

	q_done(q);
	return has;
}

/* As long as history has it, its tree is there: 1, 0, -1. */
static int tree_of(struct store *s, int64_t repo, struct str id, struct sha *out, struct err *e)
{
	struct commit c;
	int r = commit_find(s, repo, id, &c, e);

	if (r == 1 && c.forgotten)
		return 0;
	if (r == 1)
		*out = c.tree;
	return r;
}

static int look_tries(struct store *s, int64_t repo, struct str told, struct egress_row *out, struct err *e)
{
	struct id ids[EGRESS_MAX_TRIES];
	struct q *q;
	size_t n = 0;
	int r;

	if (!has_table(s, "egress_try"))
		return 0;
	q = db_query(s->db, "select commit_id from egress_try where repo = ? and url = ?");
	q_int(q, 1, repo);
	q_text(q, 2, told);
	while ((r = q_step(q, e)) == 1 && n < EGRESS_MAX_TRIES)
		ids[n++] = id_of(q_col_text(q, 0));
	q_done(q);
	if (r == 1)
		out->has_tree = false;
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = tree_of(s, repo, str_of(ids[i].hex), &out->tries[out->n_tries], e);
		out->n_tries += r == 1;
		/* Nobody knows what it brought. */
		out->has_tree = out->has_tree && r == 1;
	}
	return r < 0 ? -1 : 0;
}

int egress_look(struct store *s, int64_t repo, struct str told, struct egress_row *out, struct err *e)
{
	struct id good = {0};
	struct q *q;
	int r;

	*out = (struct egress_row){0};
	if (!has_table(s, "egress"))
		return 0;
	q = db_query(s->db, "select commit_id, good, error from egress where repo = ? and url = ?");
	q_int(q, 1, repo);
	q_text(q, 2, told);
	r = q_step(q, e);
	if (r == 1) {
		out->there = true;
		out->commit = id_of(q_col_text(q, 0));
		good = id_of(q_col_text(q, 1));
		out->failed = !q_col_is_null(q, 2);
	}
	q_done(q);
	if (r == 1 && good.hex[0]) {
		r = tree_of(s, repo, str_of(good.hex), &out->tree, e);
		out->has_tree = r == 1;
	}
	return r < 0 || look_tries(s, repo, told, out, e) ? -1 : 0;
}

int egress_begin(struct store *s, int64_t repo, struct str told, const struct commit *c, struct err *e)
{
	struct q *q;

	if (db_begin(s->db, e))
		return -1;
	if (q_run(db_query(s->db, TABLE), e) || q_run(db_query(s->db, TRIES), e))
		goto failed;
	q = db_query(s->db, "insert or ignore into egress_try(repo, url, commit_id) values(?, ?, ?)");
	q_int(q, 1, repo);
	q_text(q, 2, told);
	q_cstr(q, 3, c->id.hex);
	if (q_run(q, e))
		goto failed;
	return db_commit(s->db, e);
failed:
	db_rollback(s->db);
	return -1;
}

static int drop_tries(struct store *s, int64_t repo, struct str told, struct err *e)
{
	struct q *q = db_query(s->db, "delete from egress_try where repo = ? and url = ?");

	q_int(q, 1, repo);
	q_text(q, 2, told);
	return q_run(q, e);
}

int egress_note(struct store *s, int64_t repo, struct str told, const struct commit *c, const char *error,
                struct err *e)
{
	struct q *q;

	if (db_begin(s->db, e))
		return -1;
	if (q_run(db_query(s->db, TABLE), e) || q_run(db_query(s->db, TRIES), e) ||
	    (!error && drop_tries(s, repo, told, e)))
		goto failed;
	q = db_query(s->db, "insert into egress(repo, url, commit_id, good, error, at) values(?1, ?2, ?3, ?4, ?5, ?6)"
	                    " on conflict(repo, url) do update set commit_id = ?3, good = coalesce(?4, good),"
	                    " error = ?5, at = ?6");
	q_int(q, 1, repo);
	q_text(q, 2, told);
	q_cstr(q, 3, c->id.hex);
	if (!error)
		q_cstr(q, 4, c->id.hex);
	q_cstr(q, 5, error);
	q_int(q, 6, clock_now_ms());
	if (q_run(q, e))
		goto failed;
	return db_commit(s->db, e);
failed:
	db_rollback(s->db);
	return -1;
}
