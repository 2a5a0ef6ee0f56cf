/*
 * The end of a run of a data-driven job: one commit, in which the files of datums that changed or went make room for
 * those of the new ones, and the rows that say which datum wrote and read what.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "flow/data.h"
#include "flow/owner.h"
#include "flow/run_int.h"

#define MANY 10000         /* items from which on their pages are kept in memory */
#define MANY_KIB (96 << 10) /* ... as many as that: else they would be written and read again and again */
#define SLICE 50000 /* edits of a tree at a time: what is held of them at once */

/* A path that an item writes now, or a row of datum_file or datum_in. */
struct place {
	int64_t repo, hash; /* of the path, as in the tables */
	int64_t of;         /* index of the item, or number of the row */
};
struct places {
	struct place *p;
	size_t n, cap;
};

struct publishing {
	struct store *s;
	struct ingest *in;
	struct data_set *d;
	struct arena *a;
	struct arena *scratch;   /* of one item */
	struct places wrote;
	int64_t *nums;           /* rows that are replaced or gone, sorted */
	size_t n_nums;
	bool others;             /* the head has units besides those */
	const struct data_item *item;
	/* edits that are not in `tree` yet, with their paths */
	struct arena *slice;
	VEC(struct tree_edit) edits;
	bool sliced;
	struct sha tree;
	int64_t sought;          /* a hash; what path has it */
	struct str found;
};

static void place_push(struct places *v, int64_t repo, int64_t hash, int64_t of)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 64;
		v->p = xrealloc(v->p, v->cap * sizeof(*v->p));
	}
	v->p[v->n++] = (struct place){repo, hash, of};
}

static int by_place(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->repo != b->repo)
		return a->repo < b->repo ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->of < b->of ? -1 : a->of > b->of;
}

static void places_sort(struct places *v)
{
	if (v->n > 1)
		qsort(v->p, v->n, sizeof(*v->p), by_place);
}

static int by_number(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static bool is_held(const struct data_item *it)
{
	return it->day && it->day->held;
}

/* A day of a rebuild is made from nothing, as the whole output is where there are no days. */
static bool is_rebuilt(const struct publishing *p, const struct data_item *it)
{
	return p->d->rebuild && (p->d->job->every == EVERY_NONE || it->day);
}

static struct str placed(struct arena *a, const struct data_item *it, struct str path)
{
	return *it->folder ? arena_strf(a, "%s%.*s", it->folder, STR_ARG(path)) : arena_str(a, path);
}

/* What an item gave: 1; 0: it gave nothing and is not remembered (recovered, gone). */
static int gave(const struct data_item *it, struct sha *tree, int64_t *unit)
{
	const struct run_unit *u = it->run ? it->run->own : NULL;

	if (it->gone || (u && u->state != STATE_SUCCESS))
		return 0;
	*tree = u ? u->tree.id : it->tree;
	*unit = u ? u->id : it->unit;
	return 1;
}

static const char *one_line(struct arena *a, const char *label)
{
	char *p = arena_dup(a, label);

	for (char *c = p; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return p;
}

/* --- two units that write one path --- */

static int refuse(struct publishing *p, struct str path, const char *other)
{
	if (p->item->day && *p->item->folder) /* the other days are published */
		p->item->day->held = true;
	err_set(&p->d->refused, ERR_CONFLICT, "two units write %.*s: %s and %s", STR_ARG(path), one_line(p->a, other),
	        one_line(p->a, p->item->label));
	err_hint(&p->d->refused, "let each name its files after its input, or take both in with one glob or group");
	return 1;
}

/* The unit at the head, other than those that are replaced now, that wrote the path: 1 and refused; 0; -1. */
static int look_head(struct publishing *p, int64_t hash, struct str path, struct err *e)
{
	struct q *q = db_query(p->s->db,
	                       "select d.num, d.tree, d.label from datum_file f join datum d on d.num = f.datum"
	                       " where f.repo = ? and f.hash = ?");
	int r;

	q_int(q, 1, p->d->state);
	q_int(q, 2, hash);
	while ((r = q_step(q, e)) == 1) {
		int64_t num = q_col_int(q, 0);
		struct str label = q_col_text(q, 2);
		struct entry found;
		struct sha tree;
		int got;

		if ((p->n_nums && bsearch(&num, p->nums, p->n_nums, sizeof(num), by_number)) || !q_col_sha(q, 1, &tree))
			continue;
		/* hashes may be equal by chance */
		got = tree_find(p->s, p->in, &tree,
		                data_label_day(&label).n ? str_sub(path, strlen(p->item->folder), path.n) : path,
		                &found, e);
		if (got) {
			r = got < 0 ? -1 : refuse(p, path, arena_cstr(p->a, q_col_text(q, 2)));
			break;
		}
	}
	q_done(q);
	return r;
}

static int note_path(void *ptr, struct str below, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;

	(void)entry, (void)e;
	place_push(&p->wrote, 0, data_hash(placed(p->scratch, p->item, below)), p->item - p->d->items);
	return 0;
}

static int seek_path(void *ptr, struct str below, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;
	struct str path = placed(p->a, p->item, below);

	(void)entry, (void)e;
	if (data_hash(path) != p->sought)
		return 0;
	p->found = path;
	return 1;
}

/* The path that an item wrote of which only the hash is held. */
static int path_of(struct publishing *p, const struct place *w, struct str *out, struct err *e)
{
	struct sha tree;
	int64_t unit;

	p->item = &p->d->items[w->of];
	p->sought = w->hash;
	if (!gave(p->item, &tree, &unit) || tree_walk(p->s, p->in, &tree, false, seek_path, p, e) < 0)
		return -1;
	*out = p->found;
	return 0;
}

/* All paths that are written now, each of which one unit may write: 1 refused (of a day), 0 (look at refused), -1. */
static int look_paths(struct publishing *p, struct err *e)
{
	const struct places *v = &p->wrote;
	struct str path, before;
	int r = 0;

	places_sort(&p->wrote);
	for (size_t i = 0; i < v->n && !r; i++) {
		bool twice = i && v->p[i - 1].hash == v->p[i].hash;

		if (!twice && !p->others)
			continue;
		if (twice && path_of(p, &v->p[i - 1], &before, e))
			return -1;
		if (path_of(p, &v->p[i], &path, e))
			return -1;
		if (twice && str_eq(before, path))
			r = refuse(p, path, p->d->items[v->p[i - 1].of].label);
		else if (p->others)
			r = look_head(p, v->p[i].hash, path, e);
	}
	return r < 0 ? -1 : r && is_held(p->item);
}

static int look_others(struct publishing *p, struct err *e)
{
	struct q *q = db_query(p->s->db, "select count(*) from (select 1 from datum where repo = ? limit ?)");
	int r;

	q_int(q, 1, p->d->state);
	q_int(q, 2, (int64_t)p->n_nums + 1);
	r = q_step(q, e);
	p->others = r == 1 && q_col_int(q, 0) > (int64_t)p->n_nums && !p->d->rebuild;
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int collect_once(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;

	p->wrote.n = p->n_nums = 0;
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].num && !is_held(&d->items[i]))
			p->nums[p->n_nums++] = d->items[i].num;
	if (p->n_nums > 1)
		qsort(p->nums, p->n_nums, sizeof(*p->nums), by_number);
	for (size_t i = 0; i < d->n_items; i++) {
		struct sha tree;
		int64_t unit;

		p->item = &d->items[i];
		arena_reset(p->scratch);
		if (!is_held(p->item) && gave(p->item, &tree, &unit) &&
		    tree_walk(p->s, p->in, &tree, false, note_path, p, e))
			return -1;
	}
	return look_others(p, e) ? -1 : look_paths(p, e);
}

/* Again without each day of which two units write one path. */
static int collect(struct publishing *p, struct err *e)
{
	int r;

	do {
		r = collect_once(p, e);
	} while (r > 0);
	return r;
}

/* Whether all days are held, so that there is nothing to publish. */
static bool all_held(struct data_set *d)
{
	bool any = false;

	d->n_held = 0;
	for (size_t i = 0; i < d->n_days; i++) {
		d->n_held += d->days[i].held;
		any |= !d->days[i].held && !d->days[i].missing;
	}
	return d->n_held && !any;
}

/* --- the tree --- */

/* The edits so far become a tree that nothing names yet. */
static int slice_end(struct publishing *p, struct err *e)
{
	struct entry root;

	if (tree_apply(p->s, p->in, sha_is_zero(&p->tree) ? NULL : &p->tree, p->edits.p, p->edits.n, &root, e))
		return -1;
	p->tree = root.id;
	p->sliced = true;
	memset(&p->edits, 0, sizeof(p->edits));
	arena_reset(p->slice);
	return 0;
}

static int edit(struct publishing *p, enum edit_op op, struct str path, const struct entry *entry, struct err *e)
{
	struct tree_edit ed = {.op = op, .path = path};

	if (entry)
		ed.entry = *entry;
	ed.entry.name = STR_NULL;
	vec_push(p->slice, &p->edits, ed);
	return p->edits.n >= SLICE ? slice_end(p, e) : 0;
}

static int old_path(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;

	(void)entry;
	return edit(p, EDIT_REMOVE, placed(p->slice, p->item, path), NULL, e);
}

static int new_path(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;

	return edit(p, EDIT_PUT, placed(p->slice, p->item, path), entry, e);
}

/* From the head's tree, or from nothing; what is not in p->tree at the end is in p->edits. */
static int edit_all(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;
	bool days = d->job->every != EVERY_NONE;
	struct commit head;
	int had = d->rebuild && !days ? 0 : branch_head(p->s, d->repo.id, data_branch(p->s, d->job), &head, e);

	if (had < 0)
		return -1;
	if (had)
		p->tree = head.tree;
	for (size_t i = 0; d->rebuild && days && i < d->n_days; i++) {
		const struct data_day *day = &d->days[i];

		if (!day->missing && day->asked && !day->held &&
		    edit(p, EDIT_REMOVE, arena_strf(p->slice, "ds=%s", day->ds.label), NULL, e))
			return -1;
	}
	for (size_t i = 0; i < d->n_items; i++) {
		p->item = &d->items[i];
		if (p->item->num && !is_held(p->item) && !is_rebuilt(p, p->item) &&
		    tree_walk(p->s, p->in, &p->item->old_tree, false, old_path, p, e))
			return -1;
	}
	for (size_t i = 0; i < d->n_items; i++) {
		struct sha tree;
		int64_t unit;

		p->item = &d->items[i];
		if (!is_held(p->item) && gave(p->item, &tree, &unit) &&
		    tree_walk(p->s, p->in, &tree, false, new_path, p, e))
			return -1;
	}
	return p->sliced && p->edits.n ? slice_end(p, e) : 0;
}

/* --- rows --- */

/*
 * Rows are written in the order of the table or index that they go into: in any other one each of very many rows would
 * be looked for on a page that has left memory.
 */
struct rows {
	struct publishing *p;
	struct places files, reads;
	int64_t datum;
};

static int file_row(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct rows *r = ptr;
	struct publishing *p = r->p;

	(void)entry, (void)e;
	place_push(&r->files, p->d->state, data_hash(placed(p->scratch, p->item, path)), r->datum);
	return 0;
}

static int write_places(struct publishing *p, struct places *v, const char *sql, struct err *e)
{
	places_sort(v);
	for (size_t i = 0; i < v->n; i++) {
		struct q *q = db_query(p->s->db, sql);

		q_int(q, 1, v->p[i].repo);
		q_int(q, 2, v->p[i].hash);
		q_int(q, 3, v->p[i].of);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

#define FILE_IN "insert or ignore into datum_file(repo, hash, datum) values(?, ?, ?)"
#define FILE_OUT "delete from datum_file where repo = ? and hash = ? and datum = ?"
#define READ_IN "insert or ignore into datum_in(repo, hash, datum) values(?, ?, ?)"
#define READ_OUT "delete from datum_in where repo = ? and hash = ? and datum = ?"

static int64_t repo_of_input(struct publishing *p, struct str name)
{
	const struct job *j = p->d->job;

	for (size_t i = 0; i < j->n_inputs; i++)
		if (str_eq(j->inputs[i].name, name) && p->d->inputs[i].reads.repo)
			return p->d->inputs[i].reads.repo->repo.id;
	return 0;
}

/* What a label says that it read. */
static void note_reads(struct rows *r, struct str label)
{
	struct str line, name, path;

	while (str_next_line(&label, &line))
		if (str_cut(line, ':', &name, &path))
			place_push(&r->reads, repo_of_input(r->p, name), data_hash(str_sub(path, 1, path.n)), r->datum);
}

static int forget(struct rows *r, const struct data_item *it, struct err *e)
{
	struct publishing *p = r->p;
	struct q *q = db_query(p->s->db, "select label from datum where num = ?");
	int got;

	r->datum = it->num;
	q_int(q, 1, it->num);
	got = q_step(q, e);
	if (got == 1)
		note_reads(r, q_col_text(q, 0));
	q_done(q);
	if (got < 0 || tree_walk(p->s, p->in, &it->old_tree, false, file_row, r, e))
		return -1;
	q = db_query(p->s->db, "delete from datum where num = ?");
	q_int(q, 1, it->num);
	return q_run(q, e);
}

static int remember(struct rows *r, const struct data_item *it, struct err *e)
{
	struct publishing *p = r->p;
	struct sha tree;
	int64_t unit;
	struct q *q;

	if (!gave(it, &tree, &unit)) {
		p->d->n_recovered += !it->gone;
		return 0;
	}
	q = db_query(p->s->db, "insert into datum(repo, id, key, tree, unit, label) values(?, ?, ?, ?, ?, ?)");
	q_int(q, 1, p->d->state);
	q_sha(q, 2, &it->id);
	q_sha(q, 3, &it->key);
	q_sha(q, 4, &tree);
	q_int(q, 5, unit);
	q_cstr(q, 6, it->label);
	if (q_run(q, e))
		return -1;
	r->datum = db_last_rowid(p->s->db);
	note_reads(r, str_of(it->label));
	return tree_walk(p->s, p->in, &tree, false, file_row, r, e) ? -1 : 0;
}

static int by_id(const void *x, const void *y)
{
	const struct data_item *const *a = x, *const *b = y;

	return memcmp((*a)->id.b, (*b)->id.b, SHA_BYTES);
}

/* All old rows, or all new ones. */
static int write_side(struct publishing *p, const struct data_item **items, bool old, struct err *e)
{
	struct rows r = {.p = p};
	int rc = 0;

	for (size_t i = 0; !rc && i < p->d->n_items; i++) {
		p->item = items[i];
		arena_reset(p->scratch);
		if (!is_held(items[i]) && (!old || items[i]->num))
			rc = old ? forget(&r, items[i], e) : remember(&r, items[i], e);
	}
	if (!rc)
		rc = write_places(p, &r.files, old ? FILE_OUT : FILE_IN, e) ||
		     write_places(p, &r.reads, old ? READ_OUT : READ_IN, e);
	free(r.files.p);
	free(r.reads.p);
	return rc ? -1 : 0;
}

static int write_rows(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;
	const struct data_item **items = arena_array(p->a, const struct data_item *, d->n_items);

	for (size_t i = 0; i < d->n_items; i++)
		items[i] = &d->items[i];
	if (d->n_items > 1)
		qsort(items, d->n_items, sizeof(*items), by_id);
	d->n_recovered = 0;
	return write_side(p, items, true, e) || write_side(p, items, false, e) ? -1 : 0;
}

/* Some days at the heads: what all of it was made from, and how far the job is, stay as they were. */
static int part_row(struct publishing *p, const struct sha *out_tree, struct err *e)
{
	const struct data_set *d = p->d;
	struct q *q = db_query(p->s->db, "update data_job set repo = ?2, out_tree = ?3, open = max(open, 1),"
	                              " failed = coalesce(?4, failed) where job = ?1");

	q_text(q, 1, overlay_key(p->s, p->a, d->job->name));
	q_int(q, 2, d->repo.id);
	q_sha(q, 3, out_tree);
	q_cstr(q, 4, d->n_held ? d->event.hex : NULL);
	return q_run(q, e);
}

static int job_row(struct publishing *p, const struct sha *out_tree, struct err *e)
{
	const struct data_set *d = p->d;
	struct q *q;

	if (d->part)
		return part_row(p, out_tree, e);
	q = db_query(p->s->db,
	             "insert or replace into data_job(job, repo, taken, rest, trees, out_tree, n, open, failed)"
	             " values(?, ?, ?, ?, ?, ?, ?, ?, ?)");
	q_text(q, 1, overlay_key(p->s, p->a, d->job->name));
	q_int(q, 2, d->repo.id);
	q_int(q, 3, d->taken);
	q_sha(q, 4, &d->rest);
	q_blob(q, 5, d->trees, d->n_trees * sizeof(*d->trees));
	q_sha(q, 6, out_tree);
	q_int(q, 7, (int64_t)d->total);
	q_int(q, 8, (int64_t)(d->n_recovered + d->n_held));
	q_cstr(q, 9, d->n_held ? d->event.hex : NULL);
	return q_run(q, e);
}

int data_failed(struct store *s, const struct data_set *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct q *q = db_query(s->db, "insert into data_job(job, repo, taken, failed) values(?1, ?2, ?3, ?4)"
	                              " on conflict(job) do update set taken = max(taken, ?3), failed = ?4");

	q_text(q, 1, overlay_key(s, a, d->job->name));
	q_int(q, 2, d->repo.id);
	q_int(q, 3, d->taken);
	q_cstr(q, 4, d->unrunnable ? NULL : d->event.hex); /* what cannot run is no failure of its own */
	return q_run(q, e);
}

static int publish(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;
	struct commit_new c = {.branch = data_branch(p->s, d->job), .id = d->event, .batch = d->batch,
	                       .even_if_equal = !d->part, .clear = d->rebuild && d->job->every == EVERY_NONE,
	                       .run = id_of(str_of(d->run))};
	struct err mine = ERR_INIT;
	struct commit out;
	bool made;
	int r;

	if (owner_take(p->s, p->a, d->job, &d->repo, e) || overlay_state_id(p->s, d->repo.id, &d->state, e) ||
	    collect(p, e))
		return -1;
	if (all_held(d) || (d->refused.code && !d->n_held))
		return 0;
	c.repo = d->repo;
	c.message = arena_strf(p->a, "run %.*s", STR_ARG(d->job->name));
	r = edit_all(p, &mine);
	c.edits = p->edits.p;
	c.n_edits = p->edits.n;
	if (p->sliced)
		c.tree = &p->tree;
	if (r || commit_make(p->s, p->in, &c, &out, &made, &mine)) {
		if (mine.code != ERR_REFUSED) {
			*e = mine;
			return -1;
		}
		err_set(&d->refused, ERR_CONFLICT, "its units write what cannot lie side by side: %s", mine.msg);
		return 0;
	}
	d->commit = out.id;
	/* the first commit on a workspace branch gave it its number */
	if (overlay_state_id(p->s, d->repo.id, &d->state, e))
		return -1;
	return write_rows(p, e) || job_row(p, &out.tree, e) ? -1 : 1;
}

int data_publish(struct store *s, struct ingest *in, struct data_set *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct arena *scratch cleanup(arena_cleanup) = arena_new(), *slice cleanup(arena_cleanup) = arena_new();
	struct publishing p = {.s = s, .in = in, .d = d, .a = a, .scratch = scratch, .slice = slice};
	int r;

	if (d->n_items >= MANY)
		db_cache(s->db, MANY_KIB);
	p.nums = arena_array(a, int64_t, d->n_items);
	r = publish(&p, e);
	free(p.wrote.p);
	return r;
}
