/* What an event of a data-driven job is to run: which of its datums are not as its output's head has them. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/key.h"
#include "flow/memo.h"

#define LABEL_MAX ((size_t)64 << 20)

struct row {
	struct sha id, key, tree;
	int64_t num, unit;
	bool seen;
};

struct planner {
	struct flow *f;
	struct arena *a;
	struct data_set *d;
	const struct dom *params;
	struct data_day *day;    /* whose datums are looked at */
	const char *folder;      /* of it */
	const char *beside;      /* lines of a label: what it reads without a glob */
	struct unit_key rest;
	bool again, same_rest;   /* same_rest: the rows were made with these keys: what differs is content */
	struct map rows;         /* id → struct row */
	VEC(struct data_item) items;
};

int64_t data_hash(struct str path)
{
	struct sha h = sha_of(path.p, path.n);
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | h.b[i];
	return (int64_t)v;
}

/* --- the rows --- */

static int read_row(struct q *q, struct row *out, struct err *e)
{
	struct row r = {.num = q_col_int(q, 0), .unit = q_col_int(q, 4)};

	if (!q_col_sha(q, 1, &r.id) || !q_col_sha(q, 2, &r.key) || !q_col_sha(q, 3, &r.tree))
		return err_set(e, ERR_DAMAGED, "a row of what an output is made of is no such row");
	*out = r;
	return 0;
}

#define ROW "select num, id, key, tree, unit from datum where repo = ?"

static struct str by_id(const struct sha *id)
{
	return (struct str){(const char *)id->b, SHA_BYTES};
}

static int load_rows(struct planner *p, struct err *e)
{
	struct q *q;
	int r;

	map_init(&p->rows, p->a);
	if (!db_has_data(p->f->store->db)) /* who only looks makes no tables */
		return 0;
	q = db_query(p->f->store->db, ROW);
	q_int(q, 1, p->d->state);
	while ((r = q_step(q, e)) == 1) {
		struct row *row = arena_new_of(p->a, struct row);

		r = read_row(q, row, e);
		if (r)
			break;
		map_set(&p->rows, by_id(&row->id), row);
	}
	q_done(q);
	return r;
}

static int find_row(struct planner *p, const struct sha *id, struct row *out, struct err *e)
{
	struct q *q = db_query(p->f->store->db, ROW " and id = ?");
	int r;

	q_int(q, 1, p->d->repo.id);
	q_sha(q, 2, id);
	r = q_step(q, e);
	if (r == 1 && read_row(q, out, e))
		r = -1;
	q_done(q);
	return r;
}

/* --- one datum --- */

/* There may be a million: no arena, which would keep each array that became too small. */
static void push(struct planner *p, const struct data_item *it)
{
	if (p->items.n == p->items.cap) {
		p->items.cap = p->items.cap ? p->items.cap * 2 : 8;
		p->items.p = xrealloc(p->items.p, p->items.cap * sizeof(*it));
	}
	p->items.p[p->items.n++] = *it;
}

void data_set_free(struct data_set *d)
{
	free(d->items);
	d->items = NULL;
	d->n_items = 0;
}

static const char *label_of(struct planner *p, const struct datum *d)
{
	struct buf b = BUF_INIT(LABEL_MAX);
	const char *out;

	buf_adds(&b, p->beside);
	for (size_t i = 0; i < d->n; i++) {
		const struct datum_part *part = &d->parts[i];

		buf_addf(&b, "%s%.*s:/%.*s%s%.*s", i ? "\n" : "", STR_ARG(p->d->job->inputs[part->leaf].name),
		         STR_ARG(part->under), part->under.n && part->path.n ? "/" : "", STR_ARG(part->path));
	}
	out = arena_cstr(p->a, buf_str(&b));
	buf_free(&b);
	return out;
}

static struct plan_unit *unit_of(struct planner *p, const struct data_item *it, const struct datum *d)
{
	struct plan_unit *u = arena_new_of(p->a, struct plan_unit);

	u->job = p->d->job;
	u->ds = p->day->ds;
	u->datum = datum_copy(p->a, d);
	u->label = datum_label(p->a, d);
	u->role = p->params ? ROLE_ASKED : ROLE_STALE; /* --param is for some jobs of a round */
	u->reason = p->again ? REASON_ASKED
	            : !it->num ? REASON_MISSING
	            : p->same_rest ? REASON_INPUT_CHANGED
	                           : REASON_CODE_CHANGED;
	u->key = p->rest;
	u->key.key = it->key;
	u->inputs = p->day->inputs;
	u->n_inputs = p->d->job->n_inputs;
	u->current_tree = it->old_tree;
	u->again = p->again;
	return u;
}

static struct data_day *day_of(const struct planner *p, const struct ds *ds)
{
	for (size_t i = 0, n = p->d->n_days; n;) { /* in [i, i + n) */
		struct data_day *day = &p->d->days[i + n / 2];
		int r = ds_cmp(&day->ds, ds);

		if (!r)
			return day;
		if (r < 0)
			i += n / 2 + 1;
		n = r < 0 ? n - n / 2 - 1 : n / 2;
	}
	return NULL;
}

static int row_folder(struct planner *p, const struct row *row, const char **out, struct err *e)
{
	struct q *q = db_query(p->f->store->db, "select label from datum where num = ?");
	int r;

	q_int(q, 1, row->num);
	r = q_step(q, e);
	if (r == 1) {
		struct str label = q_col_text(q, 0), day = data_label_day(&label);

		*out = day.n ? arena_printf(p->a, "%.*s/", STR_ARG(day)) : "";
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* What a day that is not looked at now has, it keeps: one whose partition went, as every unit of the calendar does. */
static int add_gone(struct planner *p, const struct row *row, struct err *e)
{
	struct data_item it = {.id = row->id, .num = row->num, .old_tree = row->tree, .key = row->key, .folder = "",
	                       .gone = true};
	struct ds ds;

	if (row_folder(p, row, &it.folder, e))
		return -1;
	if (p->d->job->every != EVERY_NONE &&
	    ds_of_folder(str_sub(str_of(it.folder), 0, strlen(it.folder) - (*it.folder != 0)), &ds) &&
	    ds.every == p->d->job->every) {
		it.day = day_of(p, &ds);
		if (!it.day || it.day->missing || !it.day->asked)
			return 0;
	} else if (p->d->part) {
		return 0;
	}
	push(p, &it);
	return 0;
}

/* row: what the head has of it, NULL: nothing. */
static int add(struct planner *p, const struct datum *d, const struct row *row, struct err *e)
{
	struct store *s = p->f->store;
	struct data_item it = {.id = d->id, .day = p->day, .folder = p->folder};
	struct entry tree = {0};
	struct sha content;
	bool same;
	int got = 0;

	if (datum_content(p->d->job, s, d, &content, e))
		return -1;
	it.key = key_datum(&p->rest.key, &content);
	same = row && sha_eq(&row->key, &it.key) && !p->again;
	if (same && !p->d->rebuild)
		return 0;
	if (row) {
		it.num = row->num;
		it.old_tree = row->tree;
	}
	if (same) {
		it.unit = row->unit;
		got = memo_whole(s, &row->tree, &tree, e);
	}
	if (!got && p->rest.memoised && !p->again)
		got = memo_find(s, &it.key, &tree, &it.unit, e);
	if (got < 0)
		return -1;
	if (p->items.n >= PLAN_MAX_UNITS)
		return err_set(e, ERR_LIMIT, "job %.*s would have more than %d units at once", STR_ARG(p->d->job->name),
		               PLAN_MAX_UNITS);
	it.tree = tree.id;
	it.label = label_of(p, d);
	if (!got)
		it.run = unit_of(p, &it, d);
	push(p, &it);
	return 0;
}

static int on_datum(void *ptr, const struct datum *d, struct err *e)
{
	struct planner *p = ptr;
	struct row *row = map_get(&p->rows, by_id(&d->id));

	if (row)
		row->seen = true;
	p->d->total++;
	return add(p, d, row, e);
}

static int on_change(void *ptr, const struct datum *was, const struct datum *is, struct err *e)
{
	struct planner *p = ptr;
	struct row row;
	int had = find_row(p, is ? &is->id : &was->id, &row, e);

	if (had < 0)
		return -1;
	p->d->total += !was;
	p->d->total -= !is;
	if (is)
		return add(p, is, had ? &row : NULL, e);
	return had ? add_gone(p, &row, e) : 0;
}

/* --- all of them --- */

static void on_day(void *ptr, struct data_day *day)
{
	struct planner *p = ptr;
	struct buf b = BUF_INIT(LABEL_MAX);

	p->day = day;
	p->folder = "";
	if (day->ds.every != EVERY_NONE) {
		p->folder = arena_printf(p->a, "ds=%s/", day->ds.label);
		buf_addf(&b, "ds=%s\n", day->ds.label);
	}
	for (size_t i = 0; i < p->d->job->n_inputs; i++) {
		const struct job_input *in = &p->d->job->inputs[i];
		const struct reads *r = &day->inputs[i].reads;

		if (in->glob.p)
			continue;
		if (r->whole)
			buf_addf(&b, "%.*s:/\n", STR_ARG(in->name));
		for (size_t k = 0; k < r->n_parts; k++)
			buf_addf(&b, "%.*s:/ds=%s\n", STR_ARG(in->name), r->parts[k].label);
	}
	p->beside = arena_cstr(p->a, buf_str(&b));
	buf_free(&b);
}

static int plan_all(struct planner *p, struct err *e)
{
	struct str key;
	void *value;

	p->d->total = 0;
	if (load_rows(p, e) || data_days_each(p->f, p->a, p->d, on_day, on_datum, p, e))
		return -1;
	for (size_t i = 0; map_each(&p->rows, &i, &key, &value);) {
		const struct row *row = value;

		if (!row->seen && add_gone(p, row, e))
			return -1;
	}
	return 0;
}

/* What the rows were made from. */
struct before {
	bool there, whole;
	struct sha rest, *trees;
	int64_t n;
};

static int look_before(struct planner *p, struct before *out, struct err *e)
{
	struct data_set *d = p->d;
	struct commit head = {0};
	struct sha none = tree_empty_id(), tree;
	struct q *q;
	int had, r;

	memset(out, 0, sizeof(*out));
	if (overlay_state_id(p->f->store, d->repo.id, &d->state, e))
		return -1;
	had = d->repo.id ? branch_head(p->f->store, d->repo.id, data_branch(p->f->store, d->job), &head, e) : 0;
	if (had < 0)
		return -1;
	if (!db_has_data(p->f->store->db))
		return 0;
	q = db_query(p->f->store->db,
	             "select rest, trees, out_tree, n, open from data_job where job = ? and repo = ?");
	q_text(q, 1, overlay_key(p->f->store, p->a, d->job->name));
	q_int(q, 2, d->repo.id);
	r = q_step(q, e);
	if (r == 1 && q_col_sha(q, 0, &out->rest) && q_col_sha(q, 2, &tree)) {
		struct str trees = q_col_blob(q, 1);

		out->there = sha_eq(&tree, had ? &head.tree : &none);
		out->whole = out->there && !q_col_int(q, 4) && trees.n == d->n_trees * SHA_BYTES;
		out->n = q_col_int(q, 3);
		out->trees = arena_array(p->a, struct sha, d->n_trees);
		if (out->whole)
			memcpy(out->trees, trees.p, trees.n);
	}
	q_done(q);
	d->rebuild = (had || (r == 1 && d->repo.id)) && !out->there; /* without a head: it writes another branch now */
	return r < 0 ? -1 : 0;
}

static int plan(struct flow *f, struct arena *a, struct data_set *d, const struct dom *params, bool again,
                struct err *e)
{
	struct planner p = {.f = f, .a = a, .d = d, .params = params, .again = again || d->job->reprocess};
	struct before b;
	int got = 0;

	data_set_free(d);
	if (key_rest(f, a, d->job, params, &p.rest, e) || look_before(&p, &b, e))
		return -1;
	d->rest = p.rest.key;
	p.same_rest = b.there && sha_eq(&b.rest, &d->rest);
	if (p.same_rest && b.whole && !p.again && p.rest.memoised && !d->part) {
		d->total = (size_t)b.n;
		got = !memcmp(b.trees, d->trees, d->n_trees * sizeof(*b.trees));
		if (!got && d->job->every == EVERY_NONE) {
			on_day(&p, d->days);
			got = datum_changes(d->job, f->store, a, b.trees, d->trees, on_change, &p, e);
		}
	}
	if (got < 0 || (!got && plan_all(&p, e))) {
		free(p.items.p);
		return -1;
	}
	d->items = p.items.p;
	d->n_items = p.items.n;
	return 0;
}

/* One look for all of it: each of very many questions would take and give a lock of its own. */
int data_plan(struct flow *f, struct arena *a, struct data_set *d, const struct dom *params, bool again,
              struct err *e)
{
	int rc;

	if (db_read_begin(f->store->db, e))
		return -1;
	rc = plan(f, a, d, params, again, e);
	db_read_end(f->store->db);
	return rc;
}
