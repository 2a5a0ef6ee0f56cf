/*
 * The end of a run of a data-driven job: one commit, in which the files of datums that changed or went make room for
 * those of the new ones, and the rows that say which datum wrote and read what.
 */
#include <string.h>

#include "base/str.h"
#include "flow/data.h"
#include "flow/owner.h"
#include "flow/run_int.h"

struct publishing {
	struct store *s;
	struct ingest *in;
	struct data_set *d;
	struct arena *a;
	struct map files;        /* path → the item that writes it now */
	struct map nums;         /* row number of an item that is replaced or gone, as bytes → item */
	const struct data_item *item;
	VEC(struct tree_edit) edits;
};

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

	if (!it->datum || (u && u->state != STATE_SUCCESS))
		return 0;
	*tree = u ? u->tree.id : it->tree.id;
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
static int look_head(struct publishing *p, struct str path, struct err *e)
{
	struct q *q = db_query(p->s->db,
	                       "select d.num, d.tree, d.label from datum_file f join datum d on d.num = f.datum"
	                       " where f.repo = ? and f.hash = ?");
	int r;

	q_int(q, 1, p->d->repo.id);
	q_int(q, 2, data_hash(path));
	while ((r = q_step(q, e)) == 1) {
		int64_t num = q_col_int(q, 0);
		struct str key = {(const char *)&num, sizeof(num)};
		struct str label;
		struct entry found;
		struct sha tree;
		bool in_day;
		int got;

		if (map_has(&p->nums, key) || !q_col_sha(q, 1, &tree))
			continue;
		label = q_col_text(q, 2);
		in_day = data_label_day(&label).n;
		/* hashes may be equal by chance */
		got = tree_find(p->s, p->in, &tree, in_day ? str_sub(path, strlen(p->item->folder), path.n) : path,
		                &found, e);
		if (got) {
			r = got < 0 ? -1 : refuse(p, path, arena_cstr(p->a, q_col_text(q, 2)));
			break;
		}
	}
	q_done(q);
	return r;
}

static int look_path(void *ptr, struct str below, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;
	struct str path = placed(p->a, p->item, below);
	const struct data_item *other = map_get(&p->files, path);
	struct tree_edit ed = {.op = EDIT_PUT, .path = path, .entry = *entry};
	int r;

	if (other)
		return refuse(p, path, other->label);
	map_set(&p->files, path, (void *)p->item);
	r = p->d->rebuild ? 0 : look_head(p, path, e);
	vec_push(p->a, &p->edits, ed);
	return r;
}

static int old_path(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct publishing *p = ptr;
	struct tree_edit ed = {.op = EDIT_REMOVE, .path = placed(p->a, p->item, path), .entry = *entry};

	(void)e;
	vec_push(p->a, &p->edits, ed);
	return 0;
}

static int collect_once(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;

	for (size_t i = 0; d->rebuild && d->job->every != EVERY_NONE && i < d->n_days; i++) {
		const struct data_day *day = &d->days[i];
		struct tree_edit ed = {.op = EDIT_REMOVE, .path = arena_strf(p->a, "ds=%s", day->ds.label)};

		if (!day->missing && day->asked && !day->held)
			vec_push(p->a, &p->edits, ed);
	}
	for (size_t i = 0; i < d->n_items; i++) {
		struct data_item *it = &d->items[i];

		if (!it->num || is_held(it))
			continue;
		p->item = it;
		map_set(&p->nums, (struct str){(const char *)&it->num, sizeof(it->num)}, it);
		if (!is_rebuilt(p, it) && tree_walk(p->s, p->in, &it->old_tree, false, old_path, p, e))
			return -1;
	}
	for (size_t i = 0; i < d->n_items; i++) {
		struct sha tree;
		int64_t unit;
		int r;

		p->item = &d->items[i];
		if (is_held(p->item) || !gave(p->item, &tree, &unit))
			continue;
		r = tree_walk(p->s, p->in, &tree, false, look_path, p, e);
		if (r < 0)
			return -1;
		if (d->refused.code && !is_held(p->item))
			return 0; /* all of it */
		if (is_held(p->item))
			return 1;
	}
	return 0;
}

/* Again without each day of which two units write one path. */
static int collect(struct publishing *p, struct err *e)
{
	int r;

	do {
		p->edits.n = 0;
		map_init(&p->files, p->a);
		map_init(&p->nums, p->a);
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

/* --- rows --- */

struct pathing {
	struct store *s;
	int64_t repo, datum;
	const char *sql;
	struct arena *a;
	const struct data_item *item;
};

static int path_row(struct store *s, const char *sql, int64_t repo, struct str path, int64_t datum, struct err *e)
{
	struct q *q = db_query(s->db, sql);

	q_int(q, 1, repo);
	q_int(q, 2, data_hash(path));
	q_int(q, 3, datum);
	return q_run(q, e);
}

static int file_row(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct pathing *p = ptr;

	(void)entry;
	return path_row(p->s, p->sql, p->repo, placed(p->a, p->item, path), p->datum, e);
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
static int read_rows(struct publishing *p, struct str label, int64_t num, const char *sql, struct err *e)
{
	struct str line, name, path;

	while (str_next_line(&label, &line)) {
		if (!str_cut(line, ':', &name, &path))
			continue;
		if (path_row(p->s, sql, repo_of_input(p, name), str_sub(path, 1, path.n), num, e))
			return -1;
	}
	return 0;
}

static int forget(struct publishing *p, const struct data_item *it, struct err *e)
{
	struct pathing old = {p->s, p->d->repo.id, it->num, FILE_OUT, p->a, it};
	struct q *q = db_query(p->s->db, "select label from datum where num = ?");
	struct str label = STR_NULL;
	int r;

	q_int(q, 1, it->num);
	r = q_step(q, e);
	if (r == 1)
		label = arena_str(p->a, q_col_text(q, 0));
	q_done(q);
	if (r < 0 || tree_walk(p->s, p->in, &it->old_tree, false, file_row, &old, e) ||
	    read_rows(p, label, it->num, READ_OUT, e))
		return -1;
	q = db_query(p->s->db, "delete from datum where num = ?");
	q_int(q, 1, it->num);
	return q_run(q, e);
}

static int remember(struct publishing *p, const struct data_item *it, struct err *e)
{
	struct pathing now = {p->s, p->d->repo.id, 0, FILE_IN, p->a, it};
	struct sha tree;
	int64_t unit;
	struct q *q;

	if (!gave(it, &tree, &unit)) {
		p->d->n_recovered += it->datum != NULL;
		return 0;
	}
	q = db_query(p->s->db, "insert into datum(repo, id, key, tree, unit, label) values(?, ?, ?, ?, ?, ?)");
	q_int(q, 1, p->d->repo.id);
	q_sha(q, 2, &it->id);
	q_sha(q, 3, &it->key);
	q_sha(q, 4, &tree);
	q_int(q, 5, unit);
	q_cstr(q, 6, it->label);
	if (q_run(q, e))
		return -1;
	now.datum = db_last_rowid(p->s->db);
	return tree_walk(p->s, p->in, &tree, false, file_row, &now, e) ||
	               read_rows(p, str_of(it->label), now.datum, READ_IN, e)
	           ? -1
	           : 0;
}

static int write_rows(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;

	d->n_recovered = 0;
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].num && !is_held(&d->items[i]) && forget(p, &d->items[i], e))
			return -1;
	for (size_t i = 0; i < d->n_items; i++)
		if (!is_held(&d->items[i]) && remember(p, &d->items[i], e))
			return -1;
	return 0;
}

/* Some days at the heads: what all of it was made from, and how far the job is, stay as they were. */
static int part_row(struct store *s, const struct data_set *d, const struct sha *out_tree, struct err *e)
{
	struct q *q = db_query(s->db, "update data_job set repo = ?2, out_tree = ?3, open = max(open, 1),"
	                              " failed = coalesce(?4, failed) where job = ?1");

	q_text(q, 1, d->job->name);
	q_int(q, 2, d->repo.id);
	q_sha(q, 3, out_tree);
	q_cstr(q, 4, d->n_held ? d->event.hex : NULL);
	return q_run(q, e);
}

static int job_row(struct store *s, const struct data_set *d, const struct sha *out_tree, struct err *e)
{
	struct q *q;

	if (d->part)
		return part_row(s, d, out_tree, e);
	q = db_query(s->db, "insert or replace into data_job(job, repo, taken, rest, trees, out_tree, n, open, failed)"
	                    " values(?, ?, ?, ?, ?, ?, ?, ?, ?)");
	q_text(q, 1, d->job->name);
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
	struct q *q = db_query(s->db, "insert into data_job(job, repo, taken, failed) values(?1, ?2, ?3, ?4)"
	                              " on conflict(job) do update set taken = max(taken, ?3), failed = ?4");

	q_text(q, 1, d->job->name);
	q_int(q, 2, d->repo.id);
	q_int(q, 3, d->taken);
	q_cstr(q, 4, d->unrunnable ? NULL : d->event.hex); /* what cannot run is no failure of its own */
	return q_run(q, e);
}

static int publish(struct publishing *p, struct err *e)
{
	struct data_set *d = p->d;
	struct commit_new c = {.branch = data_branch(d->job), .id = d->event, .batch = d->batch,
	                       .even_if_equal = !d->part, .clear = d->rebuild && d->job->every == EVERY_NONE,
	                       .run = id_of(str_of(d->run))};
	struct err mine = ERR_INIT;
	struct commit out;
	bool made;

	if (owner_take(p->s, p->a, d->job, &d->repo, e) || collect(p, e))
		return -1;
	if (all_held(d) || (d->refused.code && !d->n_held))
		return 0;
	c.repo = d->repo;
	c.edits = p->edits.p;
	c.n_edits = p->edits.n;
	c.message = arena_strf(p->a, "run %.*s", STR_ARG(d->job->name));
	if (commit_make(p->s, p->in, &c, &out, &made, &mine)) {
		if (mine.code != ERR_REFUSED) {
			*e = mine;
			return -1;
		}
		err_set(&d->refused, ERR_CONFLICT, "its units write what cannot lie side by side: %s", mine.msg);
		return 0;
	}
	d->commit = out.id;
	return write_rows(p, e) || job_row(p->s, d, &out.tree, e) ? -1 : 1;
}

int data_publish(struct store *s, struct ingest *in, struct data_set *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct publishing p = {.s = s, .in = in, .d = d, .a = a};

	return publish(&p, e);
}
