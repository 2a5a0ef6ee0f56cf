#include "api/diff.h"
#include "api/rows.h"
#include "base/str.h"
#include "flow/rowdiff.h"
#include "flow/table.h"

#define PEOPLE_LIMIT 100 /* rows shown to people who name no limit */
#define TEXT_MAX ((size_t)64 << 20)

struct diffing {
	struct api *api;
	struct sink *out;
	bool summary, markdown;
	bool of_parts; /* the pins name a partition each */
	struct reads old, new;
	struct table_source sources[2];
	size_t n_sources, same, compared; /* partitions */
	const struct rowdiff *d;
	int64_t shown;
	struct str repo;     /* said with each row; STR_NULL: there is only one */
	struct arena *row;   /* emptied after each row; NULL */
};

/* A row with the repo that it is of in front. */
static int give(struct diffing *d, const struct dom *row, struct err *e)
{
	struct dom *all;
	int rc;

	if (!d->repo.p)
		return sink_row(d->out, row, e);
	all = dom_new(d->row, DOM_MAP);
	dom_set_str(d->row, all, "repo", d->repo);
	dom_each(v, row)
		dom_set(d->row, all, arena_cstr(d->row, v->key), dom_copy(d->row, v));
	rc = sink_row(d->out, all, e);
	arena_reset(d->row);
	return rc;
}

/* --- which partitions are read --- */

/* One partition, if the path names one. */
static int only_part(const struct pin *pin, struct reads *r, struct err *e)
{
	struct str label = pin->path;
	size_t n = 0;

	if (!label.n)
		return 0;
	if (!str_has_prefix(label, STR("ds=")) || memchr(label.p, '/', label.n)) {
		err_set(e, ERR_BAD_REQUEST, "/%.*s is no table", STR_ARG(label));
		return err_hint(e, "--rows compares tables, REPO@PIN, or one partition of them, REPO@PIN:/ds=LABEL");
	}
	for (size_t i = 0; i < r->n_parts; i++)
		if (str_is(str_sub(label, 3, label.n), r->parts[i].label))
			r->parts[n++] = r->parts[i];
	r->n_parts = n;
	r->whole = false;
	return 0;
}

/* Of two partitions their labels are no difference between rows. */
static void without_ds(struct diffing *d, struct rowdiff_side *s, const struct table_source *t)
{
	if (d->of_parts && t->every != EVERY_NONE)
		s->reader = arena_strf(d->api->arena, "select * exclude (ds) from (%.*s)", STR_ARG(s->reader));
}

static int side(struct api *api, struct catalog *c, const struct pin *pin, struct reads *r, struct err *e)
{
	struct part *own;

	*r = (struct reads){.state = READS_OK};
	if (!pin->has_commit)
		return 0;
	if (reads_for_query(c, api->arena, pin->repo.name, str_of(pin->commit.id.hex), true, r, e))
		return -1;
	/* The list is the catalog's, and both sides may have the same one; here it is cut. */
	own = arena_array(api->arena, struct part, r->n_parts + 1);
	if (r->n_parts)
		memcpy(own, r->parts, r->n_parts * sizeof(*own));
	r->parts = own;
	return only_part(pin, r, e);
}

/* What has one content on both sides need not be read. */
static void leave_out_same(struct diffing *d)
{
	struct reads *x = &d->old, *y = &d->new;
	size_t i = 0, k = 0, nx = 0, ny = 0;

	if (x->whole && y->whole && sha_eq(&x->root.id, &y->root.id)) {
		x->whole = y->whole = false;
		return;
	}
	while (i < x->n_parts || k < y->n_parts) {
		int c = i == x->n_parts ? 1 : k == y->n_parts ? -1 : strcmp(x->parts[i].label, y->parts[k].label);

		if (d->of_parts && i < x->n_parts && k < y->n_parts)
			c = 0; /* one on each side, whatever they are called */
		if (!c && sha_eq(&x->parts[i].entry.id, &y->parts[k].entry.id)) {
			d->same++;
			i++;
			k++;
			continue;
		}
		d->compared++;
		if (c <= 0)
			x->parts[nx++] = x->parts[i++];
		if (c >= 0)
			y->parts[ny++] = y->parts[k++];
	}
	x->n_parts = nx;
	y->n_parts = ny;
}

static bool reads_any(const struct reads *r)
{
	return r->n_parts || (r->whole && r->root.kind == ENTRY_FOLDER && r->root.files);
}

static int open_side(struct diffing *d, struct duck *duck, const struct reads *r, struct rowdiff_side *out,
                     struct err *e)
{
	struct table_source *t = &d->sources[d->n_sources];

	out->none = true;
	if (!r->repo || !r->repo->has_commit)
		return 0;
	if (table_open(d->api->store, d->api->arena, duck, r, t, e))
		return -1;
	d->n_sources++;
	out->reader = t->view.sql;
	out->none = t->empty;
	without_ds(d, out, t);
	return 0;
}

/* --- rows --- */

static int say_column(struct diffing *d, const struct rowdiff_column *c, struct err *e)
{
	struct arena *a = d->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	if (c->old_type.p && c->new_type.p && str_eq(c->old_type, c->new_type))
		return 0;
	dom_set_str(a, row, "column", c->name);
	dom_set_cstr(a, row, "change", !c->old_type.p ? "added" : !c->new_type.p ? "removed" : "changed");
	dom_set_str(a, row, "type", c->new_type);
	dom_set_str(a, row, "old_type", c->old_type);
	return give(d, row, e);
}

static int text(struct diffing *d, struct buf *b, struct err *e)
{
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "a row is longer than %zu bytes", TEXT_MAX);
	return d->out->bytes(d->out->ptr, buf_str(b), e);
}

static void add_cell(struct buf *b, const struct dom *v)
{
	struct buf one cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	if (v->type == DOM_STR)
		buf_addstr(&one, v->s);
	else
		dom_write_json(&one, v, DOM_COMPACT);
	rows_markdown_cell(b, buf_str(&one));
}

static void add_cells(struct buf *b, const struct dom *map)
{
	bool first = true;

	dom_each(v, map) {
		buf_addf(b, "%s%.*s = ", first ? "" : ", ", STR_ARG(v->key));
		add_cell(b, v);
		first = false;
	}
}

static int markdown_row(struct diffing *d, const struct dom *row, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	const struct dom *key = dom_get(row, "key");

	buf_addf(&b, "| %.*s | ", STR_ARG(dom_get(row, "change")->s));
	if (key) {
		add_cells(&b, key);
		buf_adds(&b, " | ");
	}
	add_cells(&b, dom_get(row, "old"));
	buf_adds(&b, " | ");
	add_cells(&b, dom_get(row, "new"));
	buf_adds(&b, " |\n");
	return text(d, &b, e);
}

static int on_head(void *ptr, const struct rowdiff *r, struct err *e)
{
	struct diffing *d = ptr;

	d->d = r;
	for (size_t i = 0; i < r->n_columns && !d->markdown; i++)
		if (say_column(d, &r->columns[i], e))
			return -1;
	return 0;
}

static int on_row(void *ptr, const struct dom *row, struct err *e)
{
	struct diffing *d = ptr;

	bool first = !d->shown;
	const struct dom *times = dom_get(row, "times");

	d->shown += times ? times->i : 1;
	if (!d->markdown)
		return give(d, row, e);
	if (first) {
		struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

		buf_adds(&b, dom_get(row, "key") ? "| | key | old | new |\n|---|---|---|---|\n"
		                                 : "| | old | new |\n|---|---|---|\n");
		if (text(d, &b, e))
			return -1;
	}
	return markdown_row(d, row, e);
}

static int on_progress(void *ptr, double part)
{
	struct diffing *d = ptr;

	d->out->progress(d->out->ptr, "comparing rows", part / 100);
	return 0;
}

/* --- the end of it --- */

static void add_columns(struct buf *b, const struct rowdiff *r)
{
	bool first = true;

	for (size_t i = 0; i < r->n_columns; i++) {
		const struct rowdiff_column *c = &r->columns[i];

		if (c->old_type.p && c->new_type.p && str_eq(c->old_type, c->new_type))
			continue;
		buf_addf(b, "%s`%.*s` ", first ? "Columns: " : ", ", STR_ARG(c->name));
		if (!c->old_type.p)
			buf_addf(b, "added (%.*s)", STR_ARG(c->new_type));
		else if (!c->new_type.p)
			buf_addf(b, "removed (%.*s)", STR_ARG(c->old_type));
		else
			buf_addf(b, "%.*s, was %.*s", STR_ARG(c->new_type), STR_ARG(c->old_type));
		first = false;
	}
	if (!first)
		buf_adds(b, ".\n\n");
}

static int markdown_end(struct diffing *d, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	const struct rowdiff *r = d->d;

	if (d->shown)
		buf_adds(&b, "\n");
	if (r)
		add_columns(&b, r);
	buf_addf(&b, "%lld rows added, %lld removed, %lld changed", (long long)(r ? r->added : 0),
	         (long long)(r ? r->removed : 0), (long long)(r ? r->changed : 0));
	if (r && !d->summary && d->shown < r->added + r->removed + r->changed)
		buf_addf(&b, " (the first %lld are shown)", (long long)d->shown);
	buf_adds(&b, ".\n");
	return text(d, &b, e);
}

static int give_end(struct diffing *d, struct err *e)
{
	struct arena *a = d->api->arena;
	struct dom *row = dom_new(a, DOM_MAP), *rows = dom_new(a, DOM_MAP), *columns = dom_new(a, DOM_MAP),
	           *parts = dom_new(a, DOM_MAP);

	if (d->markdown)
		return markdown_end(d, e);
	dom_set_int(a, rows, "added", d->d ? d->d->added : 0);
	dom_set_int(a, rows, "removed", d->d ? d->d->removed : 0);
	dom_set_int(a, rows, "changed", d->d ? d->d->changed : 0);
	dom_set_int(a, rows, "shown", d->shown);
	for (size_t i = 0; d->d && i < d->d->n_columns; i++)
		if (d->d->columns[i].changed)
			dom_set_int(a, columns, arena_cstr(a, d->d->columns[i].name), d->d->columns[i].changed);
	dom_set_int(a, parts, "compared", (int64_t)d->compared);
	dom_set_int(a, parts, "same", (int64_t)d->same);
	dom_set(a, row, "rows", rows);
	dom_set(a, row, "columns", columns);
	dom_set(a, row, "partitions", parts);
	return give(d, row, e);
}

/* --- the request --- */

static int read_keys(const struct args *args, struct rowdiff_ask *ask, struct err *e)
{
	struct str list = args_value(args, "key"), one;
	VEC(struct str) keys = {0};
	bool more = list.p != NULL;

	while (more) {
		more = str_cut(list, ',', &one, &list);
		one = str_trim(more ? one : list);
		if (!one.n)
			return err_set(e, ERR_BAD_REQUEST, "--key names columns, as in --key id,day");
		vec_push(args->arena, &keys, one);
	}
	ask->keys = keys.p;
	ask->n_keys = keys.n;
	return 0;
}

static int read_ask(const struct args *args, struct rowdiff_ask *ask, bool people, struct err *e)
{
	struct str tolerance = args_value(args, "tolerance");

	if (args_int(args, "limit", 0, INT64_MAX, people ? PEOPLE_LIMIT : 0, &ask->limit, e) || read_keys(args, ask, e))
		return -1;
	if (!ask->limit)
		ask->limit = -1;
	if (args_flag(args, "summary"))
		ask->limit = 0;
	if (tolerance.p && (!str_to_f64(tolerance, &ask->tolerance) || !(ask->tolerance >= 0)))
		return err_set(e, ERR_BAD_REQUEST, "--tolerance takes a number, as in 1e-9, not %s",
		               STR_SHOWN(tolerance));
	if (tolerance.p && !ask->n_keys) {
		err_set(e, ERR_BAD_REQUEST, "--tolerance needs --key: without it a row is the same or another one");
		return -1;
	}
	return 0;
}

static struct str name_of(struct arena *a, const struct pin *p)
{
	return p->has_commit ? arena_strf(a, "%.*s@%.12s", STR_ARG(p->repo.name), p->commit.id.hex)
	                     : arena_str(a, p->repo.name);
}

static int compare(struct diffing *d, struct duck *duck, struct rowdiff_ask *ask, struct err *e)
{
	struct rowdiff_to to = {.head = on_head, .row = on_row, .progress = on_progress, .ptr = d};
	int rc;

	if (open_side(d, duck, &d->old, &ask->old, e) || open_side(d, duck, &d->new, &ask->new, e))
		return -1;
	if (!ask->old.reader.p)
		ask->old.reader = ask->new.reader;
	if (!ask->new.reader.p)
		ask->new.reader = ask->old.reader;
	rc = rowdiff_run(duck, d->api->arena, ask, &to, e);
	d->out->progress(d->out->ptr, NULL, 0);
	return rc ? table_error(e, d->sources, d->n_sources) : 0;
}

static void begin(struct diffing *d, struct api *api, const struct args *args, const struct pin *old,
                  const struct pin *new, struct sink *out, struct rowdiff_ask *ask)
{
	*d = (struct diffing){.api = api, .out = out, .summary = args_flag(args, "summary"),
	                      .markdown = args_flag(args, "markdown"), .of_parts = old->path.n && new->path.n};
	*ask = (struct rowdiff_ask){.old.name = name_of(api->arena, old), .new.name = name_of(api->arena, new)};
}

int diff_rows(struct api *api, const struct args *args, const struct pin *old, const struct pin *new,
              struct sink *out, struct err *e)
{
	struct duck_conf conf = {.leat_dir = api->store->leat_dir};
	struct rowdiff_ask ask;
	struct diffing d;
	struct catalog *c;
	struct duck *duck;
	int rc;

	begin(&d, api, args, old, new, out, &ask);
	if (read_ask(args, &ask, out->people, e) || catalog_new(api->store, api->arena, &c, e) ||
	    side(api, c, old, &d.old, e) || side(api, c, new, &d.new, e))
		return -1;
	leave_out_same(&d);
	if (!reads_any(&d.old) && !reads_any(&d.new))
		return give_end(&d, e);
	duck = duck_new(&conf);
	rc = compare(&d, duck, &ask, e);
	duck_free(duck);
	return rc || give_end(&d, e) ? -1 : 0;
}

/* --- several tables --- */

int diff_tables_begin(struct diff_tables *t, struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct duck_conf conf = {.leat_dir = api->store->leat_dir};

	*t = (struct diff_tables){.api = api, .args = args, .out = out};
	if (catalog_new(api->store, api->arena, &t->catalog, e))
		return -1;
	t->duck = duck_new(&conf);
	return 0;
}

void diff_tables_end(struct diff_tables *t)
{
	duck_free(t->duck);
}

static bool has_keys(const struct rowdiff *r, const struct rowdiff_ask *ask)
{
	for (size_t k = 0; k < ask->n_keys; k++) {
		bool both = false;

		for (size_t i = 0; i < r->n_columns; i++)
			both |= str_ieq(r->columns[i].name, ask->keys[k]) && r->columns[i].old_type.p &&
			        r->columns[i].new_type.p;
		if (!both)
			return false;
	}
	return true;
}

/* A table without the key's columns is compared by whole rows. */
static int choose_key(struct diff_tables *t, const struct diff_pair *p, struct rowdiff_ask *ask, struct err *e)
{
	struct rowdiff r;

	if (!ask->n_keys)
		return 0;
	if (rowdiff_columns(t->duck, t->api->arena, ask, &r, e))
		return -1;
	if (has_keys(&r, ask)) {
		t->keyed++;
		return 0;
	}
	t->unkeyed++;
	sink_note(t->out, "%.*s has not the columns of --key: whole rows are compared", STR_ARG(p->new.repo.name));
	ask->n_keys = 0;
	ask->tolerance = 0;
	return 0;
}

/* 1 both can be read; 0 it is no table; -1. */
static int open_sides(struct diff_tables *t, struct diffing *d, struct rowdiff_ask *ask, bool rows, struct err *e)
{
	struct err why = ERR_INIT;

	if (!open_side(d, t->duck, &d->old, &ask->old, &why) && !open_side(d, t->duck, &d->new, &ask->new, &why))
		return 1;
	if (why.code != ERR_BAD_DATA && why.code != ERR_NOT_FOUND) {
		*e = why;
		return -1;
	}
	if (rows)
		sink_note(t->out, "%.*s: no rows are compared: %s", STR_ARG(d->repo), why.msg);
	err_clear(&why);
	return 0;
}

static int table_rows(struct diff_tables *t, struct diffing *d, const struct diff_pair *p, struct rowdiff_ask *ask,
                      struct err *e)
{
	struct rowdiff_to to = {.head = on_head, .row = on_row, .progress = on_progress, .ptr = d};
	int rc = choose_key(t, p, ask, e) || rowdiff_run(t->duck, t->api->arena, ask, &to, e) ? -1 : 0;

	d->out->progress(d->out->ptr, NULL, 0);
	return rc ? table_error(e, d->sources, d->n_sources) : give_end(d, e);
}

static int table_columns(struct diff_tables *t, struct diffing *d, struct rowdiff_ask *ask, struct err *e)
{
	struct err why = ERR_INIT;
	struct rowdiff r;

	if (rowdiff_columns(t->duck, t->api->arena, ask, &r, &why)) { /* files that cannot be read are told as files */
		err_clear(&why);
		return 0;
	}
	if (d->markdown) {
		struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

		add_columns(&b, &r);
		return text(d, &b, e);
	}
	for (size_t i = 0; i < r.n_columns; i++)
		if (say_column(d, &r.columns[i], e))
			return -1;
	return 0;
}

int diff_table(struct diff_tables *t, const struct diff_pair *p, bool rows, struct err *e)
{
	struct rowdiff_ask ask;
	struct diffing d;
	int rc;

	begin(&d, t->api, t->args, &p->old, &p->new, t->out, &ask);
	d.repo = p->new.repo.name;
	if (read_ask(t->args, &ask, t->out->people, e) || side(t->api, t->catalog, &p->old, &d.old, e) ||
	    side(t->api, t->catalog, &p->new, &d.new, e))
		return -1;
	leave_out_same(&d);
	if (!reads_any(&d.old) && !reads_any(&d.new))
		return 0;
	d.row = arena_new();
	rc = open_sides(t, &d, &ask, rows, e);
	if (rc > 0 && !ask.old.reader.p)
		ask.old.reader = ask.new.reader;
	if (rc > 0 && !ask.new.reader.p)
		ask.new.reader = ask.old.reader;
	if (rc > 0)
		rc = rows ? table_rows(t, &d, p, &ask, e) : table_columns(t, &d, &ask, e);
	arena_free(d.row);
	return rc;
}
