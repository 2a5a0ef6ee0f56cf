#include "flow/rowdiff.h"

#include <inttypes.h>

#include "base/str.h"
#include "db/sql.h"

#define MAX_SQL ((size_t)64 << 20)
#define EXAMPLE_MAX 80

/* A column that both have, and how its differences are told. */
struct pair {
	struct str name;
	struct rowdiff_column *of;
	bool text;  /* compared as texts */
	bool loose; /* by the tolerance */
};

struct differ {
	struct duck *duck;
	struct arena *a;
	const struct rowdiff_ask *ask;
	const struct rowdiff_to *to;
	struct rowdiff d;
	struct pair *keys, *cells;
	size_t n_keys, n_cells;
	bool headed;
	struct err failed; /* from inside the worker's callback */
};

static bool is_number(struct str type)
{
	static const char *const words[] = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
	                                    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(type, words[i]))
			return true;
	return str_has_prefix(type, STR("DECIMAL"));
}

/* --- columns --- */

static int columns_of(struct differ *w, const struct rowdiff_side *side, struct duck_small *out, struct err *e)
{
	struct duck_sql q = {.sql = arena_strf(w->a, "select * from (%.*s) limit 0", STR_ARG(side->reader)),
	                     .threads = DUCK_THREADS_ANY};

	return duck_small(w->duck, w->a, &q, out, NULL, e);
}

static struct rowdiff_column *find(struct rowdiff *d, struct str name)
{
	for (size_t i = 0; i < d->n_columns; i++)
		if (str_ieq(d->columns[i].name, name)) /* as SQL compares names */
			return &d->columns[i];
	return NULL;
}

static int look_at_columns(struct differ *w, struct err *e)
{
	struct duck_small old, new;

	if (columns_of(w, &w->ask->old, &old, e) || columns_of(w, &w->ask->new, &new, e))
		return -1;
	if (old.rows.n_cols + new.rows.n_cols > ROWDIFF_MAX_COLUMNS)
		return err_set(e, ERR_LIMIT, "the two have %zu columns together; at most %d can be compared",
		               old.rows.n_cols + new.rows.n_cols, ROWDIFF_MAX_COLUMNS);
	w->d.columns = arena_array(w->a, struct rowdiff_column, old.rows.n_cols + new.rows.n_cols);
	for (size_t i = 0; i < new.rows.n_cols; i++)
		w->d.columns[w->d.n_columns++] =
			(struct rowdiff_column){.name = new.names[i], .new_type = new.types[i]};
	for (size_t i = 0; i < old.rows.n_cols; i++) {
		struct rowdiff_column *c = find(&w->d, old.names[i]);

		if (!c) {
			c = &w->d.columns[w->d.n_columns++];
			*c = (struct rowdiff_column){.name = old.names[i]};
		}
		c->old_type = old.types[i];
	}
	return 0;
}

static int no_such_key(struct differ *w, struct str key, const struct rowdiff_side *side, struct err *e)
{
	struct str *names = arena_array(w->a, struct str, w->d.n_columns);
	int near;

	for (size_t i = 0; i < w->d.n_columns; i++)
		names[i] = w->d.columns[i].name;
	near = str_nearest(key, names, w->d.n_columns);
	err_set(e, ERR_BAD_REQUEST, "%.*s has no column %s", STR_ARG(side->name), STR_SHOWN(key));
	return near >= 0 ? err_hint(e, "did you mean %.*s?", STR_ARG(names[near])) : -1;
}

static int take_keys(struct differ *w, struct err *e)
{
	w->keys = arena_array(w->a, struct pair, w->ask->n_keys + 1);
	for (size_t i = 0; i < w->ask->n_keys; i++) {
		struct str key = w->ask->keys[i];
		struct rowdiff_column *c = find(&w->d, key);

		if (!c || !c->old_type.p || !c->new_type.p)
			return no_such_key(w, key, c && c->old_type.p ? &w->ask->new : &w->ask->old, e);
		if (c->key)
			continue; /* named twice */
		c->key = true;
		w->keys[w->n_keys++] = (struct pair){.name = c->name, .of = c};
	}
	return 0;
}

static void take_cells(struct differ *w)
{
	w->cells = arena_array(w->a, struct pair, w->d.n_columns + 1);
	for (size_t i = 0; i < w->d.n_columns; i++) {
		struct rowdiff_column *c = &w->d.columns[i];
		bool numbers = is_number(c->old_type) && is_number(c->new_type);

		if (c->key || !c->old_type.p || !c->new_type.p)
			continue;
		w->cells[w->n_cells++] = (struct pair){.name = c->name,
		                                       .of = c,
		                                       .loose = numbers && w->ask->tolerance > 0,
		                                       .text = !numbers && !str_eq(c->old_type, c->new_type)};
	}
	for (size_t i = 0; i < w->n_keys; i++)
		w->keys[i].text = !(is_number(w->keys[i].of->old_type) && is_number(w->keys[i].of->new_type)) &&
		                  !str_eq(w->keys[i].of->old_type, w->keys[i].of->new_type);
}

/* --- SQL --- */

/* "name" as k0, "other" as c0, ... */
static void add_columns(struct buf *b, const struct pair *list, size_t n, char letter)
{
	for (size_t i = 0; i < n; i++) {
		sql_add_ident(b, list[i].name);
		buf_addf(b, "%s as %c%zu, ", list[i].text ? "::varchar" : "", letter, i);
	}
}

static void add_side(struct buf *b, const struct differ *w, const struct rowdiff_side *side, const char *as)
{
	buf_addf(b, "%s as (select ", as);
	add_columns(b, w->keys, w->n_keys, 'k');
	add_columns(b, w->cells, w->n_cells, 'c');
	buf_addf(b, "true as here from (%.*s)%s)", STR_ARG(side->reader), side->none ? " where false" : "");
}

static void add_numbered(struct buf *b, const char *form, size_t n, const char *between)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_adds(b, between);
		for (const char *p = form; *p; p++)
			if (*p == '#')
				buf_addf(b, "%zu", i);
			else
				buf_addc(b, *p);
	}
}

static void add_differs(struct buf *b, const struct differ *w, size_t i)
{
	buf_addf(b, "o.c%zu is distinct from n.c%zu", i, i);
	if (w->cells[i].loose)
		buf_addf(b, " and (o.c%zu is null or n.c%zu is null or abs(o.c%zu - n.c%zu) > %.17g)", i, i, i, i,
		         w->ask->tolerance);
}

/* The rows of d in order, as many as are wanted, beside the counts s, which come even if there are none. */
static void add_listed(struct buf *b, const struct differ *w, const char *by, size_t n)
{
	buf_adds(b, " from s left join (select * from d");
	if (w->ask->limit >= 0) {
		buf_adds(b, " order by ");
		add_numbered(b, by, n, ", ");
		buf_addf(b, " limit %" PRId64, w->ask->limit);
	}
	buf_adds(b, ") l on true");
	if (w->ask->limit) {
		buf_adds(b, " order by ");
		add_numbered(b, by, n, ", ");
	}
}

/*
 * Result: how, the counts added, removed, changed, m0, m1, ... (of all, in each row), then k0, k1, ..., and for each
 * column o0, n0, d0 (whether it differs), ...; one row with `how` null if nothing differs.
 */
static void add_by_key(struct buf *b, const struct differ *w)
{
	buf_adds(b, "with ");
	add_side(b, w, &w->ask->old, "o");
	buf_adds(b, ", ");
	add_side(b, w, &w->ask->new, "n");
	buf_adds(b, ", j as (select o.here as in_old, n.here as in_new, ");
	add_numbered(b, "coalesce(n.k#, o.k#) as k#", w->n_keys, ", ");
	add_numbered(b, ", o.c# as o#, n.c# as n#", w->n_cells, "");
	for (size_t i = 0; i < w->n_cells; i++) {
		buf_adds(b, ", o.here and n.here and ");
		add_differs(b, w, i);
		buf_addf(b, " as d%zu", i);
	}
	buf_adds(b, " from o full join n on ");
	add_numbered(b, "o.k# is not distinct from n.k#", w->n_keys, " and ");
	buf_adds(b, "), d as materialized (select case when in_old is null then '+' when in_new is null then '-' "
	            "else '~' end as how, * from j where in_old is null or in_new is null");
	add_numbered(b, " or d#", w->n_cells, "");
	buf_adds(b, "), s as (select count(*) filter (how = '+') as a, count(*) filter (how = '-') as r, "
	            "count(*) filter (how = '~') as c");
	add_numbered(b, ", count(*) filter (d#) as m#", w->n_cells, "");
	buf_adds(b, " from d) select l.how, s.a, s.r, s.c");
	add_numbered(b, ", s.m#", w->n_cells, "");
	add_numbered(b, ", l.k#", w->n_keys, "");
	add_numbered(b, ", l.o#, l.n#, l.d#", w->n_cells, "");
	add_listed(b, w, "k#", w->n_keys);
}

/* Result: how, added, removed, times, then c0, c1, ... */
static void add_by_row(struct buf *b, const struct differ *w)
{
	buf_adds(b, "with ");
	add_side(b, w, &w->ask->old, "o");
	buf_adds(b, ", ");
	add_side(b, w, &w->ask->new, "n");
	buf_adds(b, ", d as materialized (select ");
	add_numbered(b, "c#, ", w->n_cells, "");
	buf_adds(b, "sum(t)::bigint as t from (select *, 1 as t from n union all select *, -1 from o) group by ");
	add_numbered(b, "c#", w->n_cells, ", ");
	buf_adds(b, " having sum(t) <> 0), s as (select coalesce(sum(t) filter (t > 0), 0)::bigint as a, "
	            "coalesce(sum(-t) filter (t < 0), 0)::bigint as r from d) "
	            "select case when l.t > 0 then '+' when l.t < 0 then '-' end as how, s.a, s.r, abs(l.t) as times");
	add_numbered(b, ", l.c#", w->n_cells, "");
	add_listed(b, w, "c#", w->n_cells);
}

/* --- keys that are not unique --- */

static int check_side(struct differ *w, const struct rowdiff_side *side, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct buf text cleanup(buf_free) = BUF_INIT(EXAMPLE_MAX * 4);
	struct duck_small found;

	if (side->none)
		return 0;
	buf_adds(&b, "select count(*), ");
	for (size_t i = 0; i < w->n_keys; i++) {
		buf_adds(&b, i ? ", " : "");
		sql_add_ident(&b, w->keys[i].name);
	}
	buf_addf(&b, " from (%.*s) group by ", STR_ARG(side->reader));
	for (size_t i = 0; i < w->n_keys; i++) {
		buf_adds(&b, i ? ", " : "");
		sql_add_ident(&b, w->keys[i].name);
	}
	buf_adds(&b, " having count(*) > 1 limit 1");
	struct duck_sql q = {.sql = buf_str(&b), .threads = w->ask->threads};

	if (duck_small(w->duck, w->a, &q, &found, NULL, e))
		return -1;
	if (!found.rows.n_rows)
		return 0;
	for (size_t i = 0; i < w->n_keys; i++) {
		struct str v = found.rows.at[i + 1];

		buf_addf(&text, "%s%.*s = %s", i ? ", " : "", STR_ARG(w->keys[i].name), v.p ? STR_SHOWN(v) : "null");
	}
	err_set(e, ERR_BAD_REQUEST, "%.*s has %.*s rows with %.*s: that is no key", STR_ARG(side->name),
	        STR_ARG(found.rows.at[0]), STR_ARG(buf_str(&text)));
	return err_hint(e, "name more columns, as in --key id,ds; without --key whole rows are compared");
}

/* --- rows --- */

static int64_t number(struct str cell)
{
	int64_t n = 0;

	return str_to_i64(cell, &n) ? n : 0;
}

/* A cell is a JSON value. */
static int set_cell(struct arena *a, struct dom *map, struct str name, struct str cell, struct err *e)
{
	struct dom *v;

	if (!cell.p) {
		v = dom_new(a, DOM_NULL);
	} else if (dom_json(a, cell, NULL, &v, e)) {
		return -1;
	}
	dom_set(a, map, arena_cstr(a, name), v);
	return 0;
}

static int give_head(struct differ *w, const struct str *c, struct err *e)
{
	bool keyed = w->n_keys;

	if (w->headed)
		return 0;
	w->headed = true;
	w->d.added = number(c[1]);
	w->d.removed = number(c[2]);
	if (keyed) {
		w->d.changed = number(c[3]);
		for (size_t i = 0; i < w->n_cells; i++)
			w->cells[i].of->changed = number(c[4 + i]);
	}
	return w->to->head ? w->to->head(w->to->ptr, &w->d, e) : 0;
}

static int row_by_key(struct differ *w, struct arena *a, char how, const struct str *c, struct dom *row, struct err *e)
{
	struct dom *key = dom_new(a, DOM_MAP), *old = dom_new(a, DOM_MAP), *new = dom_new(a, DOM_MAP);
	const struct str *k = c + 4 + w->n_cells, *cell = k + w->n_keys;

	for (size_t i = 0; i < w->n_keys; i++)
		if (set_cell(a, key, w->keys[i].name, k[i], e))
			return -1;
	for (size_t i = 0; i < w->n_cells; i++, cell += 3) {
		bool both = how == '~';

		if (both && !str_is(cell[2], "true"))
			continue;
		if ((how != '+' && set_cell(a, old, w->cells[i].name, cell[0], e)) ||
		    (how != '-' && set_cell(a, new, w->cells[i].name, cell[1], e)))
			return -1;
	}
	dom_set(a, row, "key", key);
	if (how != '+')
		dom_set(a, row, "old", old);
	if (how != '-')
		dom_set(a, row, "new", new);
	return 0;
}

static int row_whole(struct differ *w, struct arena *a, char how, const struct str *c, struct dom *row, struct err *e)
{
	struct dom *all = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < w->n_cells; i++)
		if (set_cell(a, all, w->cells[i].name, c[4 + i], e))
			return -1;
	dom_set(a, row, how == '+' ? "new" : "old", all);
	dom_set_int(a, row, "times", number(c[3]));
	return 0;
}

static int give_row(struct differ *w, struct arena *a, const struct str *c, struct err *e)
{
	/* A cell of text is a JSON text: "+" with its quotes. */
	char how = c[0].n == 3 ? c[0].p[1] : 0;
	struct dom *row = dom_new(a, DOM_MAP);

	if (give_head(w, c, e))
		return -1;
	if (!how || !w->to->row || !w->ask->limit)
		return 0;
	dom_set_cstr(a, row, "change", how == '+' ? "added" : how == '-' ? "removed" : "changed");
	if (w->n_keys ? row_by_key(w, a, how, c, row, e) : row_whole(w, a, how, c, row, e))
		return -1;
	return w->to->row(w->to->ptr, row, e);
}

static int on_message(void *ptr, const struct duck_msg *m)
{
	struct differ *w = ptr;
	struct arena *a;
	int rc = 0;

	if (m->kind == DUCK_PROGRESS && w->to->progress)
		return w->to->progress(w->to->ptr, m->progress);
	if (m->kind != DUCK_ROWS)
		return 0;
	a = arena_new();
	for (size_t r = 0; r < m->rows.n_rows && !rc; r++) {
		rc = give_row(w, a, m->rows.at + r * m->rows.n_cols, &w->failed);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

int rowdiff_columns(struct duck *d, struct arena *a, const struct rowdiff_ask *ask, struct rowdiff *out,
                    struct err *e)
{
	struct differ w = {.duck = d, .a = a, .ask = ask};

	if (look_at_columns(&w, e))
		return -1;
	*out = w.d;
	return 0;
}

int rowdiff_run(struct duck *d, struct arena *a, const struct rowdiff_ask *ask, const struct rowdiff_to *to,
                struct err *e)
{
	struct differ w = {.duck = d, .a = a, .ask = ask, .to = to, .failed = ERR_INIT};
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	const struct dom *reply;
	struct duck_sql q;

	if (look_at_columns(&w, e) || take_keys(&w, e))
		return -1;
	take_cells(&w);
	if (!w.n_keys && !w.n_cells) {
		err_set(e, ERR_BAD_REQUEST, "%.*s and %.*s have no column in common", STR_ARG(ask->old.name),
		        STR_ARG(ask->new.name));
		return -1;
	}
	if (w.n_keys && (check_side(&w, &ask->old, e) || check_side(&w, &ask->new, e)))
		return -1;
	if (w.n_keys)
		add_by_key(&b, &w);
	else
		add_by_row(&b, &w);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the two have too many files to be compared at once");
	q = (struct duck_sql){.sql = buf_str(&b), .threads = ask->threads};
	if (duck_call(d, a, duck_req_query(a, &q, DUCK_CELLS_JSON), on_message, &w, &reply, NULL, e)) {
		if (w.failed.code)
			*e = w.failed;
		return -1;
	}
	return 0;
}
