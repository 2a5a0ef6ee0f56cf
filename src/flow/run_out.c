/*
 * From a task that ended well to a result: its output is taken into the store's files, Parquet that differs from the
 * head's only in bytes is replaced by the head's file (SEMANTICS 3), and the checks are run on what remains. A task's
 * slot is free when its process has ended; DuckDB's work on what it gave takes one again.
 */
#include "flow/run_int.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/catalog.h"
#include "flow/table.h"
#include "repo/view.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"

#define FROM_MAX ((size_t)8 << 20)

/* --- looking at the folder --- */

static int look(const struct dir_entry *entry, void *ptr, struct err *e)
{
	const struct stat *st = &entry->st;

	++*(size_t *)ptr;
	if (entry->type != DIR_FILE || st->st_size <= RUN_MAX_HOLE || st->st_size - st->st_blocks * 512 <= RUN_MAX_HOLE)
		return 0;
	err_set(e, ERR_REFUSED, "the output %s is a file of %lld bytes that are mostly holes", entry->path,
	        (long long)st->st_size);
	return err_hint(e, "write what is meant, or truncate it");
}

/* --- equal rows --- */

struct pair {
	struct str path;
	struct sha fresh;
	struct entry old;
};

struct compare {
	struct task *t;
	VEC(struct pair) pairs;
	VEC(struct tree_edit) edits;
	struct entry head;
	size_t at;
	bool second;        /* the head's file is being read */
	struct sha row_id;  /* of the new one */
};

static void checks_begin(struct task *t);

static void give_up(struct task *t, const struct err *why)
{
	t->work = NULL;
	t->eng->interrupted |= why->code == ERR_CANCELLED;
	if (t->t.cancelled || t->eng->cancelled || why->code == ERR_CANCELLED)
		run_unit_end(t->u, STATE_CANCELLED);
	else
		run_unit_wrong(t->u, why);
}

static int find_pair(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct compare *c = ptr;
	struct task *t = c->t;
	struct pair p = {.fresh = entry->id};
	enum table_format f;
	int r;

	if (!table_format_of(path, &f, NULL) || f != TABLE_PARQUET || c->pairs.n >= RUN_MAX_COMPARE)
		return 0;
	r = tree_find(t->eng->f->store, NULL, &c->head.id, path, &p.old, e);
	if (r < 0)
		return -1;
	if (r && p.old.kind == ENTRY_FILE && !sha_eq(&p.old.id, &entry->id)) {
		p.path = arena_str(t->t.arena, path);
		vec_push(t->t.arena, &c->pairs, p);
	}
	return 0;
}

static void compare_next(struct compare *c);

static void compare_end(struct compare *c)
{
	struct task *t = c->t;
	struct err e = ERR_INIT;

	if (c->edits.n &&
	    tree_apply(t->eng->f->store, t->u->in, &t->u->tree.id, c->edits.p, c->edits.n, &t->u->tree, &e)) {
		give_up(t, &e);
		return;
	}
	checks_begin(t);
}

static void on_row_id(void *ptr, const struct duck_msg *m)
{
	struct compare *c = ptr;
	struct task *t = c->t;
	struct duck_written w = {0};
	struct err e = ERR_INIT;

	if (m->kind != DUCK_DONE && m->kind != DUCK_FAILED)
		return;
	t->work = NULL;
	if (t->t.cancelled || t->eng->cancelled) {
		give_up(t, &e);
		return;
	}
	if (m->kind == DUCK_FAILED || duck_read_write(m->reply, &w, &e)) {
		/* A new file that is no Parquet is told as such; one of the head's that cannot be read is replaced. */
		if (!c->second && m->kind == DUCK_FAILED) {
			e = *m->err;
			err_wrap(&e, "output %.*s", STR_ARG(c->pairs.p[c->at].path));
			give_up(t, &e);
			return;
		}
		c->second = false;
		c->at++;
	} else if (!c->second) {
		c->row_id = w.row_id;
		c->second = true;
	} else {
		struct pair *p = &c->pairs.p[c->at];
		struct tree_edit ed = {.op = EDIT_PUT, .path = p->path, .entry = p->old};

		if (sha_eq(&w.row_id, &c->row_id))
			vec_push(t->t.arena, &c->edits, ed);
		c->second = false;
		c->at++;
	}
	compare_next(c);
}

static void compare_next(struct compare *c)
{
	struct task *t = c->t;
	char path[BLOB_PATH_CAP];
	struct err e = ERR_INIT;

	if (c->at == c->pairs.n) {
		compare_end(c);
		return;
	}
	run_unit_slot_take(t->u);
	blob_path(t->eng->f->store, c->second ? &c->pairs.p[c->at].old.id : &c->pairs.p[c->at].fresh, path,
	          sizeof(path));
	if (workers_send(t->eng->workers, duck_req_row_id(t->t.arena, path, t->result.ordered, 1), on_row_id, c,
	                 &t->work, &e))
		give_up(t, &e);
}

/* A link in its place would have the files of another folder taken away. *untouched: nothing was written into it. */
static int own_folder(const struct task *t, bool *untouched, struct err *e)
{
	const struct desk *d = t->desk;
	struct stat st;

	if (!lstat(t->t.out_dir, &st) && S_ISDIR(st.st_mode) && st.st_ino == d->out_ino) {
		*untouched = d->out_stamp && file_key_of(&st).mtime_ns == d->out_stamp;
		return 0;
	}
	err_set(e, ERR_REFUSED, "the task deleted or replaced its output folder, so what it made is not known");
	return err_hint(e, "write into the folder that LEAT_OUTPUT names, and delete only what is in it");
}

/* A path below the output folder as the task's author knows it. */
static int as_seen(const struct task *t, struct err *e)
{
	struct str dir = str_of(t->t.out_dir);
	struct err was = *e;

	if (!str_has_prefix(str_of(was.msg), dir))
		return -1;
	err_set(e, was.code, "%s%s", t->t.root_dir ? "/pfs/out" : "$LEAT_OUTPUT", was.msg + dir.n);
	return was.hint[0] ? err_hint(e, "%s", was.hint) : -1;
}

static int take(struct task *t, struct compare *c, struct err *e)
{
	struct run_unit *u = t->u;
	struct engine *g = t->eng;
	bool untouched = false;
	size_t n = 0;
	int r;

	if (t->gave_nothing) {
		u->has_tree = true;
		u->tree = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
		return 0;
	}
	if (own_folder(t, &untouched, e) ||
	    (!untouched && dir_walk(t->t.out_dir, DIR_UNSORTED, look, &n, e)))
		return as_seen(t, e);
	u->has_tree = true;
	u->tree = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
	if (!n) /* ran and gave nothing */
		return 0;
	u->in = ingest_new(g->f->store);
	if (ingest_folder(u->in, t->t.out_dir, run_shim_holds(u) ? INGEST_KEEP : INGEST_MOVE, &u->tree, e))
		return as_seen(t, e);
	fault_crash("unit-output-ingested");
	if (u->p->datum) { /* what it gave before, if it did */
		c->head.id = u->p->current_tree;
		r = !sha_is_zero(&c->head.id);
	} else {
		r = catalog_at_head(g->c, u->p->job->output, &u->p->ds, &c->head, e);
	}
	if (r <= 0 || sha_eq(&c->head.id, &u->tree.id))
		return r < 0 ? -1 : 0;
	return tree_walk(g->f->store, u->in, &u->tree.id, false, find_pair, c, e);
}

void run_out_take(struct task *t)
{
	struct compare *c = arena_new_of(t->t.arena, struct compare);
	struct err e = ERR_INIT;

	c->t = t;
	if (take(t, c, &e))
		give_up(t, &e);
	else
		compare_next(c);
}

/* --- checks --- */

struct from {
	struct task *t;
	struct buf list[TABLE_JSON + 1];
	const char *packing[TABLE_JSON + 1];
	const char *small; /* the folder that holds small files, which are no files of their own in the store */
};

/* Where the task wrote them, until that is tidied away; a result that was known has a view. */
static int small_files(struct from *f, struct err *e)
{
	char view[BLOB_PATH_CAP];
	struct task *t = f->t;

	if (f->small)
		return 0;
	if (t->t.out_dir) {
		f->small = t->t.out_dir;
		return 0;
	}
	if (view_make(t->eng->f->store, &t->u->tree.id, "all", view, sizeof(view), e))
		return -1;
	f->small = arena_dup(t->t.arena, view);
	return 0;
}

static int from_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct from *f = ptr;
	struct str name = path, head;
	enum table_format format;
	bool packed;
	char blob[BLOB_PATH_CAP];

	while (str_cut(name, '/', &head, &name))
		if (head.n && (head.p[0] == '_' || head.p[0] == '.'))
			return 0;
	if (name.p[0] == '_' || name.p[0] == '.' || !table_format_of(name, &format, &packed))
		return 0;
	blob_path(f->t->eng->f->store, &entry->id, blob, sizeof(blob));
	if (!file_exists(blob)) {
		if (small_files(f, e))
			return -1;
		snprintf(blob, sizeof(blob), "%s/%.*s", f->small, STR_ARG(path));
	}
	f->packing[format] = !packed ? "none" : str_has_suffix(name, STR(".gz")) ? "gzip" : "zstd";
	buf_adds(&f->list[format], f->list[format].n ? ", " : "");
	sql_add_path(&f->list[format], str_of(blob));
	return 0;
}

static void from_ds(struct buf *b, const struct ds *ds)
{
	if (ds->every == EVERY_NONE)
		buf_adds(b, "select * from ");
	else /* the folder's ds wins over a column of that name, as for every reader */
		buf_addf(b, "select columns(c -> lower(c) <> 'ds'), %s'%s' as ds from ",
		         ds->every == EVERY_DAY ? "date " : "", ds->label);
}

/* What the unit gave, as SQL over its blobs: nothing of it is recorded yet, so no view of it can be made. */
static int from_staged(struct task *t, struct buf *b, struct err *e)
{
	struct from f = {.t = t};
	struct run_unit *u = t->u;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(f.list); i++)
		buf_init(&f.list[i], FROM_MAX);
	rc = tree_walk(t->eng->f->store, u->in, &u->tree.id, false, from_file, &f, e);
	if (!rc) {
		if (f.list[TABLE_PARQUET].n) {
			from_ds(b, &u->p->ds);
			buf_addf(b, "read_parquet([%s], union_by_name = true, hive_partitioning = false)",
			         f.list[TABLE_PARQUET].p);
		} else if (f.list[TABLE_CSV].n) {
			from_ds(b, &u->p->ds);
			buf_addf(b,
			         "read_csv([%s], union_by_name = true, hive_partitioning = false, compression = '%s')",
			         f.list[TABLE_CSV].p, f.packing[TABLE_CSV]);
		} else if (f.list[TABLE_JSON].n) {
			from_ds(b, &u->p->ds);
			buf_addf(b,
			         "read_json([%s], union_by_name = true, hive_partitioning = false, compression = '%s')",
			         f.list[TABLE_JSON].p, f.packing[TABLE_JSON]);
		} else {
			buf_adds(b, "select 'no table' as nothing where false");
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(f.list); i++)
		buf_free(&f.list[i]);
	return rc;
}

/* `scope: table`: the other partitions at the head with what the unit gave laid over. */
static int from_table(struct task *t, struct buf *b, struct err *e)
{
	struct engine *g = t->eng;
	struct run_unit *u = t->u;
	struct arena *a = t->t.arena;
	struct reads r;
	struct table_source src = {0};
	struct duck *d;
	size_t n = 0;
	int rc = 0;

	if (from_staged(t, b, e))
		return -1;
	if (u->p->ds.every == EVERY_NONE || u->p->datum)
		return 0;
	if (reads_for_query(g->c, a, u->p->job->output, STR_NULL, true, &r, e))
		return -1;
	if (!r.repo || r.whole)
		return 0;
	struct part *others = arena_array(a, struct part, r.n_parts);
	for (size_t i = 0; i < r.n_parts; i++) {
		struct part o = r.parts[i];
		struct ds ds = ds_of_label(o.label);

		if (strcmp(o.label, u->p->ds.label) == 0)
			continue;
		/* What another unit is still to make is not there yet: the head's counts, if it has one. */
		if (r.by && r.by[i]) {
			int got = catalog_at_head(g->c, u->p->job->output, &ds, &o.entry, e);

			if (got < 0)
				return -1;
			if (!got)
				continue;
		}
		if (o.entry.files)
			others[n++] = o;
	}
	if (!n)
		return 0;
	r.parts = others;
	r.n_parts = n;
	d = workers_borrow(g->workers);
	rc = table_open(g->f->store, a, d, &r, &src, e);
	workers_give_back(g->workers, d);
	if (rc)
		return -1;
	buf_addf(b, " union all by name select * from (%.*s)", STR_ARG(src.view.sql));
	return 0;
}

int run_out_unchecked(struct run_unit *u, struct arena *a, const struct job_check ***out, size_t *n, struct err *e)
{
	const struct job *j = u->p->job;
	const struct sha *tree = u->has_tree ? &u->tree.id : &u->p->known_tree.id;

	*out = arena_array(a, const struct job_check *, j->n_checks);
	*n = 0;
	for (size_t i = 0; i < j->n_checks; i++) {
		struct sha key = key_check(&j->checks[i], tree);
		bool passed = false;

		if (check_result_find(u->eng->f->store->db, a, &key, &passed, NULL, e) < 0)
			return -1;
		/* The rest of the table may have changed since: a rule over all of it is always tried. */
		if (!passed || j->checks[i].whole_table)
			(*out)[(*n)++] = &j->checks[i];
	}
	return 0;
}

/* Two rounds: rules on the unit's own output, then those on the whole table. */
struct checking {
	struct task *t;
	const struct job_check **rules;
	size_t n;
	bool whole;
	struct check_set set;
	bool got;
};

static void checks_round(struct checking *c);

static void checks_end(struct task *t)
{
	struct run_unit *u = t->u;
	struct err *err = NULL;

	for (size_t i = 0; i < u->n_checks; i++) {
		const struct check_result *k = &u->checks[i];

		if (k->passed)
			continue;
		if (!err) {
			err = arena_new_of(u->arena, struct err);
			err_set(err, ERR_CHECK_FAILED, "check failed: %.*s (%.*s)", STR_ARG(k->rule->text),
			        STR_ARG(k->detail));
			job_at(err, u->p->job, k->rule->line, k->rule->col);
			err_hint(err, "leat sql 'from ...' --at %.12s looks at what it gave", u->run->id);
		} else {
			size_t n = strlen(err->msg);

			snprintf(err->msg + n, sizeof(err->msg) - n, "; %.*s (%.*s)", STR_ARG(k->rule->text),
			         STR_ARG(k->detail));
		}
	}
	u->err = err;
	run_unit_end(u, err ? STATE_FAILED : STATE_SUCCESS);
}

static void on_checks(void *ptr, const struct duck_msg *m)
{
	struct checking *c = ptr;
	struct task *t = c->t;
	struct run_unit *u = t->u;
	struct err e = ERR_INIT;

	if (m->kind == DUCK_ROWS && m->rows.n_rows && !c->got) {
		if (check_set_read(u->arena, &c->set, &m->rows, u->checks + u->n_checks, &e)) {
			c->got = false;
			return;
		}
		u->n_checks += c->set.n;
		c->got = true;
	}
	if (m->kind != DUCK_DONE && m->kind != DUCK_FAILED)
		return;
	t->work = NULL;
	if (m->kind == DUCK_FAILED) {
		e = *m->err;
		check_set_failed(&c->set, m->offset, &e);
		give_up(t, &e);
	} else if (!c->got) {
		err_set(&e, ERR_INTERNAL, "the checks of %.*s gave no row", STR_ARG(u->p->job->name));
		give_up(t, &e);
	} else if (c->whole) {
		checks_end(t);
	} else {
		c->whole = true;
		checks_round(c);
	}
}

static int checks_send(struct checking *c, struct err *e)
{
	struct task *t = c->t;
	struct run_unit *u = t->u;
	struct arena *a = u->arena;
	const struct job_check **now = arena_array(a, const struct job_check *, c->n);
	struct buf from = BUF_INIT(FROM_MAX);
	struct duck_sql sql = {.threads = 1};
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < c->n; i++)
		if (c->rules[i]->whole_table == c->whole)
			now[n++] = c->rules[i];
	if (!n)
		return 0;
	rc = c->whole ? from_table(t, &from, e) : from_staged(t, &from, e);
	if (!rc)
		rc = check_set_make(a, u->p->job, now, n, arena_str(a, buf_str(&from)), &c->set, e);
	buf_free(&from);
	if (rc)
		return -1;
	sql.sql = c->set.text;
	sql.timezone = u->p->job->timezone.n ? arena_cstr(a, u->p->job->timezone) : NULL;
	c->got = false;
	return workers_send(t->eng->workers, duck_req_query(a, &sql, DUCK_CELLS_TEXT), on_checks, c, &t->work, e) ? -1
	                                                                                                          : 1;
}

static void checks_round(struct checking *c)
{
	struct err e = ERR_INIT;
	int r = checks_send(c, &e);

	if (r < 0) {
		give_up(c->t, &e);
	} else if (!r) {
		if (c->whole) {
			checks_end(c->t);
			return;
		}
		c->whole = true;
		checks_round(c);
	}
}

static void checks_begin(struct task *t)
{
	struct run_unit *u = t->u;
	struct checking *c = arena_new_of(u->arena, struct checking);
	struct err e = ERR_INIT;

	c->t = t;
	if (run_out_unchecked(u, u->arena, &c->rules, &c->n, &e)) {
		give_up(t, &e);
		return;
	}
	if (!c->n) {
		run_unit_end(u, STATE_SUCCESS);
		return;
	}
	run_unit_slot_take(u);
	u->checks = arena_array(u->arena, struct check_result, c->n);
	checks_round(c);
}

void run_out_known(struct run_unit *u, struct task *t)
{
	t->t.arena = u->arena;
	checks_begin(t);
}
