/* How CSV and JSON tables are read: sniffed once, remembered, said in leat.yaml; headers looked at in every file. */
#include <stdio.h>
#include <strings.h>

#include "base/str.h"
#include "db/sql.h"
#include "flow/table.h"
#include "sys/clock.h"
#include "sys/file.h"

#define SNIFF_FILES 20          /* so many files are tried for one with rows */
#define HEADER_BYTES (64 << 10) /* a header is within this */

static const char *shown(struct arena *a, const struct table_source *t, const struct table_file *f)
{
	return arena_printf(a, "%.*s:/%.*s", STR_ARG(t->repo), STR_ARG(f->in_repo));
}

/* Words of leat.yaml and of DuckDB for the same thing. Hints change what is sniffed. */
static const struct {
	const char *yaml, *duck;
	bool hint;
} said[] = {{"delimiter", "delim", true}, {"header", "header", true}, {"ignore_errors", "ignore_errors", false}};

static struct dom *copy_scalar(struct arena *a, const struct dom *v)
{
	return v->type == DOM_BOOL ? dom_new_bool(a, v->b) : dom_new_str(a, dom_text(a, v));
}

/* What leat.yaml says that the sniffer must know. */
static struct dom *hints(struct arena *a, const struct dom *yaml)
{
	struct dom *h = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct dom *v = said[i].hint ? dom_get(yaml, said[i].yaml) : NULL;

		if (v)
			dom_set(a, h, said[i].duck, copy_scalar(a, v));
	}
	return h;
}

static int recall(struct store *s, struct arena *a, int64_t repo, struct dom **out, struct err *e)
{
	struct q *q = db_query(s->db, "select body from table_format where repo = ?");
	int r;

	q_int(q, 1, repo);
	r = q_step(q, e);
	if (r == 1) {
		struct err bad = ERR_INIT;

		/* A row that cannot be read is as good as none: the table is sniffed again. */
		if (dom_json(a, arena_str(a, q_col_text(q, 0)), "table_format", out, &bad))
			r = 0;
	}
	q_done(q);
	return r;
}

static int remember(struct store *s, int64_t repo, const struct dom *how, const char *from, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	bool own = !db_in_write(s->db);
	struct q *q;

	dom_write_json(&b, how, DOM_COMPACT);
	if (own && db_begin(s->db, e))
		return -1;
	q = db_query(s->db, "insert into table_format(repo, body, sniffed_from, at) values (?, ?, ?, ?) "
			    "on conflict(repo) do update set body = excluded.body, sniffed_from = "
			    "excluded.sniffed_from, at = excluded.at");
	q_int(q, 1, repo);
	q_text(q, 2, buf_str(&b));
	q_cstr(q, 3, from);
	q_int(q, 4, clock_now_ms());
	if (q_run(q, e)) {
		if (own)
			db_rollback(s->db);
		return -1;
	}
	return own ? db_commit(s->db, e) : 0;
}

/* What the sniffer does not see for want of an example is what nearly every file does. */
static void complete(struct arena *a, struct dom *how)
{
	struct dom *quote = dom_get(how, "quote"), *escape = dom_get(how, "escape");

	if (quote && !quote->s.n)
		quote->s = STR("\"");
	if (escape && !escape->s.n)
		escape->s = quote ? arena_str(a, quote->s) : STR("\"");
}

static int sniff(struct arena *a, struct duck *d, const struct table_source *t, const struct dom *hint,
		 struct dom **out, const struct table_file **from, struct err *e)
{
	const struct dom *how = NULL;

	for (size_t i = 0; i < t->n_files && i < SNIFF_FILES; i++) {
		struct dom *r = duck_req_sniff(a, arena_cstr(a, t->files[i].path), table_format_word(t->format));

		if (hint->n)
			dom_set(a, r, "hints", (struct dom *)(uintptr_t)hint);
		if (duck_call(d, a, r, NULL, NULL, &how, NULL, e))
			return e->code == ERR_BAD_DATA /* names the file itself */
			               ? -1
			               : err_wrap(e, "%s", shown(a, t, &t->files[i]));
		*from = &t->files[i];
		if (!dom_get(how, "empty"))
			break;
	}
	*out = (struct dom *)(uintptr_t)how;
	complete(a, *out);
	return 0;
}

/* A header's fields, quotes taken off. False if the line does not end within `text`. */
static bool split_header(struct arena *a, struct str text, struct str delim, char quote, struct dom *out)
{
	struct buf field cleanup(buf_free) = BUF_INIT(HEADER_BYTES);
	size_t i = 0;

	if (str_has_prefix(text, STR("\xef\xbb\xbf")))
		i = 3;
	for (bool quoted = false;; i++) {
		char c = i < text.n ? text.p[i] : '\n';

		if (quote && c == quote) {
			if (quoted && i + 1 < text.n && text.p[i + 1] == quote)
				buf_addc(&field, text.p[i++]);
			else
				quoted = !quoted;
			continue;
		}
		if (quoted && i < text.n) {
			buf_addc(&field, c);
			continue;
		}
		bool end = c == '\n' || c == '\r';
		if (end || (delim.n && str_has_prefix(str_sub(text, i, delim.n), delim))) {
			dom_add(out, dom_new_str(a, buf_str(&field)));
			buf_reset(&field);
			if (end)
				return i < text.n;
			i += delim.n - 1;
			continue;
		}
		buf_addc(&field, c);
	}
}

/* The first lines of a packed file, by the worker, which can unpack. */
static int packed_head(struct arena *a, struct duck *d, const struct table_file *f, struct str *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	struct duck_small small;
	struct duck_sql q = {.threads = DUCK_THREADS_ANY};

	buf_adds(&b, "select line from read_csv(");
	sql_add_path(&b, f->path);
	buf_adds(&b, ", auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, delim = e'\\x01', quote = "
		     "'', escape = '',"
		     " strict_mode = false, hive_partitioning = false) limit 20");
	q.sql = buf_str(&b);
	if (duck_small(d, a, &q, &small, NULL, e))
		return -1;
	buf_reset(&b);
	for (size_t i = 0; i < small.rows.n_rows; i++)
		if (small.rows.at[i].p)
			buf_addf(&b, "%.*s\n", STR_ARG(small.rows.at[i]));
	*out = arena_str(a, buf_str(&b));
	return 0;
}

static int file_head(struct store *s, struct arena *a, struct duck *d, const struct table_file *f, struct str *out,
                     struct err *e)
{
	int fd FD_CLEANUP = -1;
	enum table_format format;
	bool packed;
	size_t got;

	if (table_format_of(f->path, &format, &packed) && packed)
		return packed_head(a, d, f, out, e);
	const char *path = arena_printf(a, "%s%s", s->leat_dir, arena_cstr(a, f->path) + strlen(DUCK_LEAT));
	size_t most = (size_t)MIN((int64_t)HEADER_BYTES, f->size);
	char *p = arena_alloc(a, most + 1);
	if (file_open_read(path, &fd, e) || fd_read_full(fd, p, most, &got, path, e))
		return -1;
	*out = (struct str){p, got};
	return 0;
}

/* NULL in *out: the table has no headers, or the file none that could be judged. */
static int header_of(struct store *s, struct arena *a, struct duck *d, const struct dom *how,
		     const struct table_file *f, struct dom **out, struct err *e)
{
	struct dom *header = dom_get(how, "header"), *skip = dom_get(how, "skip"), *quote = dom_get(how, "quote");
	struct dom *delim = dom_get(how, "delim"), *list = dom_new(a, DOM_LIST);
	struct str text, line;

	*out = NULL;
	if (!header || !header->b || !delim)
		return 0;
	if (file_head(s, a, d, f, &text, e))
		return -1;
	for (int64_t i = skip ? skip->i : 0; i > 0; i--)
		if (!str_next_line(&text, &line))
			return 0;
	if (split_header(a, text, delim->s, quote && quote->s.n ? *quote->s.p : 0, list) || text.n < HEADER_BYTES)
		*out = list;
	return 0;
}

static int no_column(const struct table_source *t, const struct dom *how, const struct dom *type, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(struct str) names = {0};

	err_set(e, ERR_BAD_CONFIG, "%.*s has no column \"%.*s\"", STR_ARG(t->repo), STR_ARG(type->key));
	dom_each(c, dom_get(how, "columns"))
		vec_push(a, &names, dom_get(c, "name")->s);
	keys_hint_nearest(e, type->key, names.p, names.n);
	return err_at(e, WORKSPACE_FILE, type->key_line, type->key_col);
}

/* What leat.yaml says of a column that is not there would be without effect. */
static int check_columns(const struct table_source *t, const struct dom *how, const struct dom *types, struct err *e)
{
	dom_each(type, types) {
		bool there = false;

		dom_each(c, dom_get(how, "columns")) {
			struct str name = dom_get(c, "name")->s;

			there |= type->key.n == name.n && !strncasecmp(type->key.p, name.p, name.n);
		}
		if (!there)
			return no_column(t, how, type, e);
	}
	return 0;
}

/* Laid over what was sniffed: a copy, so that what is remembered stays what was seen. */
static struct dom *overlaid(struct arena *a, const struct dom *how, const struct dom *yaml)
{
	struct dom *out = dom_new(a, DOM_MAP), *types = dom_get(yaml, "columns"), *columns = dom_new(a, DOM_LIST);

	dom_each(v, how) {
		bool own = str_is(v->key, "columns");

		for (size_t i = 0; i < ARRAY_LEN(said); i++)
			own |= str_is(v->key, said[i].duck) && dom_get(yaml, said[i].yaml);
		if (own)
			continue;
		struct dom *c = arena_new_of(a, struct dom);
		*c = *v;
		c->next = NULL;
		dom_set(a, out, arena_cstr(a, v->key), c);
	}
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		if (dom_get(yaml, said[i].yaml))
			dom_set(a, out, said[i].duck, copy_scalar(a, dom_get(yaml, said[i].yaml)));
	dom_each(c, dom_get(how, "columns")) {
		struct dom *n = dom_new(a, DOM_MAP);
		struct str name = dom_get(c, "name")->s, type = dom_get(c, "type")->s;

		dom_each(t, types)
			if (t->key.n == name.n && !strncasecmp(t->key.p, name.p, name.n) && t->type == DOM_STR)
				type = t->s;
		dom_set_str(a, n, "name", name);
		dom_set_str(a, n, "type", type);
		dom_add(columns, n);
	}
	dom_set(a, out, "columns", columns);
	return out;
}

int table_learn(struct store *s, struct arena *a, struct duck *d, const struct repo *repo, struct table_source *t,
                struct err *e)
{
	const struct dom *yaml = workspace_table(s->ws, repo->name);
	struct dom *how = NULL, *hint = hints(a, yaml), *head;
	const struct table_file *from = NULL;
	int r = recall(s, a, repo->id, &how, e);

	if (r < 0)
		return -1;
	if (r && (!dom_get(how, "hints") || !dom_equal(dom_get(how, "hints"), hint) ||
	          !str_is(dom_get(how, "format")->s, table_format_word(t->format))))
		r = 0;
	if (!r) {
		if (sniff(a, d, t, hint, &how, &from, e) || header_of(s, a, d, how, from, &head, e))
			return -1;
		if (head)
			dom_set(a, how, "head", head);
		dom_set(a, how, "hints", hint);
		/* Without a row the types are a guess: good for now, not for ever. */
		if (!dom_get(how, "empty") && repo->id) {
			if (remember(s, repo->id, how, shown(a, t, from), e))
				return -1;
			t->learned = true;
		}
	}
	if (check_columns(t, how, dom_get(yaml, "columns"), e))
		return -1;
	t->how = overlaid(a, how, yaml);
	return 0;
}

/* Where each column of the remembered header stands in this one; NULL if they are not the same names. */
static struct dom *order_of(struct arena *a, const struct dom *head, const struct dom *here)
{
	struct dom *order = dom_new(a, DOM_LIST);

	if (head->n != here->n)
		return NULL;
	dom_each(h, here) {
		int64_t i = 0;
		struct dom *c = head->first;

		for (; c && !str_eq(c->s, h->s); c = c->next)
			i++;
		if (!c)
			return NULL;
		dom_each(seen, order)
			if (seen->i == i)
				return NULL; /* a name that stands twice: places cannot be told apart */
		dom_add(order, dom_new_int(a, i));
	}
	return order;
}

static int does_not_fit(struct arena *a, const struct table_source *t, const struct table_file *f,
			const struct dom *head, const struct dom *here, struct err *e)
{
	struct dom *want = head->first, *got = here->first;
	int64_t col = 1;

	for (; want && got && str_eq(want->s, got->s); col++) {
		want = want->next;
		got = got->next;
	}
	if (!got)
		err_set(e, ERR_BAD_DATA, "%s: row 1: the header has no column \"%.*s\", which the table has",
			shown(a, t, f), STR_ARG(want->s));
	else if (!want)
		err_set(e, ERR_BAD_DATA,
			"%s: row 1, column %lld: the header has a column \"%.*s\", which the table has not",
			shown(a, t, f), (long long)col, STR_ARG(got->s));
	else
		err_set(e, ERR_BAD_DATA,
			"%s: row 1, column %lld: the header says \"%.*s\" where the table has \"%.*s\"", shown(a, t, f),
			(long long)col, STR_ARG(got->s), STR_ARG(want->s));
	return err_hint(e, "put files of another shape into a repo of their own, or make them alike in a job");
}

/* The folders k=v of a path, which all files of one group must have alike. */
static struct str keys_of(struct arena *a, struct str path)
{
	struct buf b cleanup(buf_free) = BUF_INIT(8192);
	struct str part, key, value;

	while (str_cut(path, '/', &part, &path))
		if (str_cut(part, '=', &key, &value))
			buf_addf(&b, "%.*s/", STR_ARG(key));
	return arena_str(a, buf_str(&b));
}

int table_group_csv(struct store *s, struct arena *a, struct duck *d, struct table_source *t, size_t *n_groups,
                    struct err *e)
{
	struct dom *head = dom_get(t->how, "head"), *orders = dom_new(a, DOM_LIST), *here, *order;
	VEC(struct str) keys = {0};
	size_t g;

	for (size_t i = 0; i < t->n_files; i++) {
		struct table_file *f = &t->files[i];
		struct str key = keys_of(a, f->in_repo);

		order = NULL;
		if (head) {
			if (header_of(s, a, d, t->how, f, &here, e))
				return err_wrap(e, "%s", shown(a, t, f));
			if (here && here->n && !(here->n == 1 && !here->first->s.n) && !dom_equal(head, here)) {
				order = order_of(a, head, here);
				if (!order)
					return does_not_fit(a, t, f, head, here, e);
			}
		}
		if (!order) {
			order = dom_new(a, DOM_LIST);
			for (size_t c = 0; c < dom_get(t->how, "columns")->n; c++)
				dom_add(order, dom_new_int(a, (int64_t)c));
		}
		g = 0;
		struct dom *known = orders->first;
		while (known && !(str_eq(keys.p[g], key) && dom_equal(known, order))) {
			known = known->next;
			g++;
		}
		f->group = g;
		if (!known) {
			dom_add(orders, order);
			vec_push(a, &keys, key);
		}
	}
	dom_set(a, (struct dom *)(uintptr_t)t->how, "orders", orders);
	*n_groups = orders->n;
	return 0;
}
