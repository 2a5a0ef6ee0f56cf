/*
 * The rows of a session. Few are written in the transaction that makes the commit. Many go before, in slices of some
 * milliseconds each, so that no other writer waits for them: nobody reaches them until the commit's row stands. If gc
 * has swept meanwhile (the epoch tells) they are all written again, and what the session counted on is looked for.
 */
#include "repo/ingest_in.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define AHEAD_MIN 500      /* rows that are worth transactions of their own */
#define SLICE_NS 2000000   /* how long one of these holds the lock, about: others take it more than once in a command */
#define SLICE_ROWS 32      /* between two looks at the clock */
#define TRIES 100          /* to find the store as it was found: each time gc must have taken something else away */

/* Those that are not recorded yet. */
static size_t rows_of(struct ingest *in)
{
	size_t n = 0;
	struct tree_new *t;

	for (size_t i = 0; (t = ingest_page_at(in, i)); i++)
		n += t->recorded != INGEST_AHEAD;
	for (size_t i = 0; i < in->blob_list.n; i++)
		n += in->blob_list.p[i]->recorded != INGEST_AHEAD;
	for (size_t i = 0; i < in->packs.n; i++)
		n += in->packs.p[i].recorded == INGEST_AHEAD ? 0 : pack_objects(in->packs.p[i].w);
	return n;
}

static int record_blob(struct ingest *in, struct new_blob *b, struct err *e)
{
	struct q *q;

	if (b->elsewhere)
		return 0;
	q = db_query(in->s->db, "insert or replace into blob(id, size, mtime_ns) values(?, ?, ?)");

	q_sha(q, 1, &b->id);
	q_int(q, 2, b->size);
	q_int(q, 3, b->mtime_ns);
	return q_run(q, e);
}

static int record_small(struct ingest *in, const struct new_small *t, struct err *e)
{
	struct q *q = db_query(in->s->db, "insert into small(id, body) values(?, ?)"
					   " on conflict(id) do update set body = excluded.body");

	q_sha(q, 1, &t->id);
	q_blob(q, 2, t->bytes.p, t->bytes.n);
	return q_run(q, e);
}

/* Whether an item is recorded already, in this transaction or ahead of it; if not it is from now on. */
bool ingest_take(struct ingest *in, int64_t *recorded)
{
	int64_t now = db_transaction(in->s->db);

	if (*recorded == now || (in->ahead && *recorded == INGEST_AHEAD))
		return false;
	*recorded = now;
	return true;
}

int ingest_swept(struct err *e)
{
	err_set(e, ERR_CONFLICT, "gc took away bytes that were in the store when this began");
	return err_hint(e, "run it again: they are then stored anew");
}

static int needed(struct ingest *in, const struct sha *id, struct err *e)
{
	int r = blob_present(in->s, id, e);

	return r ? (r < 0 ? -1 : 0) : ingest_swept(e);
}

static bool in_session(struct ingest *in, const struct sha *id)
{
	return map_has(&in->blobs, ingest_key(id)) || map_has(&in->smalls, ingest_key(id));
}

/*
 * What was found must be there. So must the files that got their names here: another session may have come by the same
 * bytes, whose commit has been taken out again since, and gc has swept them with their row.
 */
static int look_again(struct ingest *in, struct err *e)
{
	char path[BLOB_PATH_CAP];

	in->ahead = false;
	in->written.n = 0;
	for (size_t i = 0; i < in->found.n; i++)
		if (!in_session(in, &in->found.p[i].id) && needed(in, &in->found.p[i].id, e))
			return -1;
	for (size_t i = 0; i < in->blob_list.n; i++) {
		struct new_blob *b = in->blob_list.p[i];
		blob_path(in->s, &b->id, path, sizeof(path));
		b->elsewhere = !file_exists(path);
		if (b->elsewhere && needed(in, &b->id, e))
			return -1;
	}
	return 0;
}

int ingest_record(struct ingest *in, struct err *e)
{
	int64_t epoch = 0;

	BUG_IF(!db_in_write(in->s->db));
	if (in->leased && store_epoch(in->s, &epoch, e))
		return -1;
	if (in->leased && epoch != in->epoch && look_again(in, e)) /* gc has swept */
		return -1;
	for (size_t i = 0; i < in->blob_list.n; i++)
		if (ingest_take(in, &in->blob_list.p[i]->recorded) && record_blob(in, in->blob_list.p[i], e))
			return -1;
	for (size_t i = 0; i < in->small_list.n; i++)
		if (ingest_take(in, &in->small_list.p[i]->recorded) && record_small(in, in->small_list.p[i], e))
			return -1;
	for (size_t i = 0; i < in->packs.n; i++) {
		struct new_pack *p = &in->packs.p[i];
		if (ingest_take(in, &p->recorded) &&
		    (pack_record(p->w, e) || pack_record_rows(p->w, 0, pack_objects(p->w), e)))
			return -1;
	}
	return tree_record(in->s, in, e);
}

/* What gc has taken away is stored anew, as long as it can be read where it was read first. 1 some, 0 nothing, -1. */
static int take_again(struct ingest *in, struct err *e)
{
	int some = 0;

	for (size_t i = 0; i < in->found.n; i++) {
		struct counted f = in->found.p[i];
		struct err inner = ERR_INIT;
		struct entry got;
		int r = in_session(in, &f.id) ? 1 : blob_present(in->s, &f.id, &inner);
		if (r > 0)
			continue;
		if (r < 0) {
			*e = inner;
			return -1;
		}
		if (!f.source || ingest_file(in, f.source, INGEST_COPY, &got, &inner) || !sha_eq(&got.id, &f.id))
			return ingest_swept(e);
		some = 1;
	}
	return some;
}

bool ingest_needs_files(const struct ingest *in)
{
	return in && in->found.n;
}

int ingest_begin(struct ingest *in, struct err *e)
{
	for (int tries = 0;; tries++) {
		struct err inner = ERR_INIT;

		if (ingest_sync(in, e) || db_begin(in->s->db, e))
			return -1;
		if (!ingest_record(in, &inner))
			return 0;
		db_rollback(in->s->db);
		int some = inner.code == ERR_CONFLICT && tries < TRIES ? take_again(in, e) : 0;
		if (some < 0)
			return -1;
		if (!some) {
			*e = inner;
			return -1;
		}
	}
}

/* A transaction that ends when it has lasted long enough. */
struct slices {
	struct ingest *in;
	int64_t began;
	size_t rows;
};

static int slice_end(struct slices *w, struct err *e)
{
	return db_in_write(w->in->s->db) ? db_commit(w->in->s->db, e) : 0;
}

static int slice_row(struct slices *w, struct err *e)
{
	struct db *db = w->in->s->db;

	if (db_in_write(db) && ++w->rows % SLICE_ROWS == 0 && clock_mono_ns() - w->began > SLICE_NS && db_commit(db, e))
		return -1;
	if (db_in_write(db))
		return 0;
	if (db_begin_durable(db, DB_PROCESS, e))
		return -1;
	w->began = clock_mono_ns();
	return 0;
}

static int slice_pack(struct slices *w, struct new_pack *p, struct err *e)
{
	size_t n = pack_objects(p->w);

	/* Its number must stand before other transactions name it. */
	if (slice_row(w, e) || pack_record(p->w, e))
		return -1;
	for (size_t i = 0; i < n; i += SLICE_ROWS) {
		w->rows += SLICE_ROWS - 1;
		if (slice_row(w, e) || pack_record_rows(p->w, i, SLICE_ROWS, e))
			return -1;
	}
	p->recorded = INGEST_AHEAD;
	return 0;
}

static int slice_all(struct slices *w, struct err *e)
{
	struct ingest *in = w->in;
	struct tree_new *t;

	for (size_t i = 0; i < in->packs.n; i++)
		if (in->packs.p[i].recorded != INGEST_AHEAD && slice_pack(w, &in->packs.p[i], e))
			return -1;
	for (size_t i = 0; i < in->blob_list.n; i++) {
		if (in->blob_list.p[i]->recorded == INGEST_AHEAD)
			continue;
		if (slice_row(w, e) || record_blob(in, in->blob_list.p[i], e))
			return -1;
		in->blob_list.p[i]->recorded = INGEST_AHEAD;
	}
	for (size_t i = 0; (t = ingest_page_at(in, i)); i++) {
		if (t->recorded == INGEST_AHEAD)
			continue;
		if (slice_row(w, e) || tree_record_page(in->s, t, e))
			return -1;
		t->recorded = INGEST_AHEAD;
	}
	return 0;
}

int ingest_record_ahead(struct ingest *in, struct err *e)
{
	struct slices w = {.in = in};

	if (rows_of(in) < AHEAD_MIN)
		return 0;
	if (ingest_lease(in, e))
		return -1;
	db_keep_log(in->s->db);
	if (slice_all(&w, e) || slice_end(&w, e)) {
		db_rollback(in->s->db);
		return -1;
	}
	in->ahead = true;
	fault_crash("ingest-ahead");
	return 0;
}
