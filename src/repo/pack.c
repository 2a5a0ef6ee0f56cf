/* Writing packs. */
#include "repo/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/str.h"
#include "repo/pack_format.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"

#define CHUNK ((size_t)1 << 20) /* written at once */
#define PATH_CAP 4352
#define LEVEL 1 /* higher ones cost more than the disk saves on what is put (gc may use others) */

struct pack_writer {
	struct store *s;
	struct arena *a;
	char name[PACK_NAME], path[PATH_CAP]; /* path: where it lies now */
	int fd;
	struct buf out; /* what is not written yet */
	uint64_t at;    /* bytes of the file, `out` included */
	bool finished, synced, placed;
	int64_t number, numbered; /* of its row, and in which transaction that was made */
	VEC(struct pack_entry) entries;
};

void pack_path(const struct store *s, const char *name, char *out, size_t cap)
{
	snprintf(out, cap, "%s/packs/%s.pack", s->leat_dir, name);
}

int pack_create(struct store *s, struct pack_writer **out, struct err *e)
{
	struct arena *a = arena_new();
	struct pack_writer *w = arena_new_of(a, struct pack_writer);
	char rand[RAND_NAME];

	rand_name(rand);
	w->s = s;
	w->a = a;
	snprintf(w->name, sizeof(w->name), "%s", rand);
	snprintf(w->path, sizeof(w->path), "%s/staging/pack-%s", s->leat_dir, w->name);
	if (file_open_write(w->path, O_EXCL | O_RDWR, 0444, &w->fd, e)) {
		arena_free(a);
		return -1;
	}
	buf_init(&w->out, CHUNK + (size_t)PACK_OBJECT_MAX);
	buf_add(&w->out, PACK_HEAD, PACK_MAGIC);
	w->at = PACK_MAGIC;
	*out = w;
	return 0;
}

void pack_writer_free(struct pack_writer *w)
{
	if (!w)
		return;
	fd_close(&w->fd);
	if (!w->placed)
		(void)unlink(w->path);
	buf_free(&w->out);
	arena_free(w->a);
}

static int flush(struct pack_writer *w, struct err *e)
{
	if (w->out.n && fd_write_all(w->fd, w->out.p, w->out.n, w->path, e))
		return -1;
	buf_reset(&w->out);
	return 0;
}

int pack_add(struct pack_writer *w, const struct sha *id, struct str bytes, struct str frame, struct err *e)
{
	struct pack_entry t = {.id = *id, .at = w->at, .size = (uint32_t)bytes.n};

	BUG_IF(w->finished || (int64_t)bytes.n > PACK_OBJECT_MAX || (frame.p && frame.n >= bytes.n));
	if (!frame.p)
		frame = bytes;
	t.stored = (uint32_t)frame.n;
	if (w->out.n + frame.n > CHUNK) {
		if (flush(w, e))
			return -1;
		fd_start_sync(w->fd);
	}
	buf_addstr(&w->out, frame);
	w->at += frame.n;
	vec_push(w->a, &w->entries, t);
	return 0;
}

uint64_t pack_written(const struct pack_writer *w)
{
	return w->at;
}

size_t pack_objects(const struct pack_writer *w)
{
	return w->entries.n;
}

const struct pack_entry *pack_entry(const struct pack_writer *w, size_t i)
{
	return &w->entries.p[i];
}

const char *pack_name(const struct pack_writer *w)
{
	return w->name;
}

static int by_id(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, SHA_BYTES);
}

int pack_finish(struct pack_writer *w, struct err *e)
{
	struct buf foot = BUF_INIT((size_t)PACK_FILE_MAX);
	uint8_t raw[PACK_ENTRY];
	struct sha sum;
	int rc;

	if (w->finished)
		return 0;
	qsort(w->entries.p, w->entries.n, sizeof(*w->entries.p), by_id);
	for (size_t i = 0; i < w->entries.n; i++) {
		pack_entry_put(raw, &w->entries.p[i]);
		buf_add(&foot, raw, sizeof(raw));
	}
	pack_u64_put(raw, w->entries.n);
	buf_add(&foot, raw, sizeof(uint64_t));
	sum = sha_of(foot.p, foot.n);
	buf_add(&foot, sum.b, SHA_BYTES);
	buf_add(&foot, PACK_FOOT, PACK_MAGIC);
	rc = flush(w, e) || fd_write_all(w->fd, foot.p, foot.n, w->path, e) ? -1 : 0;
	w->at += foot.n;
	buf_free(&foot);
	buf_free(&w->out);
	if (rc)
		return -1;
	fd_start_sync(w->fd);
	w->finished = true;
	return 0;
}

int pack_sync(struct pack_writer *w, struct err *e)
{
	BUG_IF(!w->finished);
	if (w->synced)
		return 0;
	if (fd_sync(w->fd, w->path, e))
		return -1;
	w->synced = true;
	return 0;
}

int pack_place(struct pack_writer *w, struct err *e)
{
	char path[PATH_CAP];
	struct err inner = ERR_INIT;

	BUG_IF(!w->finished);
	if (w->placed)
		return 0;
	pack_path(w->s, w->name, path, sizeof(path));
	if (file_rename_new(w->path, path, &inner)) {
		/* the folder is younger than the store of an earlier format */
		if (inner.code == ERR_NOT_FOUND && !dir_exists(path_dir(w->a, path))) {
			if (dir_make_parent(path, 0777, e) || dir_sync(w->s->leat_dir, e) ||
			    file_rename_new(w->path, path, e))
				return -1;
		} else {
			*e = inner;
			return -1;
		}
	}
	memcpy(w->path, path, sizeof(path));
	w->placed = true;
	fd_close(&w->fd); /* a session may have very many of them */
	return 0;
}

int pack_record(struct pack_writer *w, struct err *e)
{
	struct q *q;

	BUG_IF(!db_in_write(w->s->db) || !w->placed);
	q = db_query(w->s->db, "insert into pack(name, bytes, objects, created) values(?, ?, ?, ?)"
			       " on conflict(name) do update set bytes = excluded.bytes returning id");
	q_cstr(q, 1, w->name);
	q_int(q, 2, (int64_t)w->at);
	q_int(q, 3, (int64_t)w->entries.n);
	q_int(q, 4, clock_now_ms());
	int r = q_step(q, e);
	if (r == 1)
		w->number = q_col_int(q, 0);
	q_done(q);
	return r < 0 ? -1 : 0;
}

int64_t pack_number(const struct pack_writer *w)
{
	return w->number;
}

int pack_record_rows(struct pack_writer *w, size_t from, size_t n, struct err *e)
{
	BUG_IF(!db_in_write(w->s->db) || !w->number);
	for (size_t i = from; i < from + n && i < w->entries.n; i++) {
		const struct pack_entry *t = &w->entries.p[i];
		struct q *q = db_query(
			w->s->db, "insert into packed(id, pack, at, stored, size) values(?, ?, ?, ?, ?)"
				  " on conflict(id) do update set pack = excluded.pack, at = excluded.at,"
				  " stored = excluded.stored, size = excluded.size where packed.at < 0"
				  " or not exists (select 1 from pack p where p.id = packed.pack)");
		q_sha(q, 1, &t->id);
		q_int(q, 2, w->number);
		q_int(q, 3, (int64_t)t->at);
		q_int(q, 4, t->stored);
		q_int(q, 5, t->size);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

int pack_read_back(struct pack_writer *w, const struct pack_entry *t, char *out, struct err *e)
{
	char *stored = xmalloc(t->stored + (size_t)1);
	size_t got = 0;
	int rc = flush(w, e) || (w->fd < 0 && file_open_read(w->path, &w->fd, e)) ? -1 : 0;

	if (!rc)
		rc = fd_pread_full(w->fd, stored, t->stored, (off_t)t->at, &got, w->path, e);
	if (!rc && got < t->stored)
		rc = err_set(e, ERR_DAMAGED, "%s is shorter than what was written", w->path);
	if (!rc)
		rc = pack_open_object(t, stored, out, e);
	free(stored);
	return rc;
}

struct pack_squeezer {
	ZSTD_CCtx *z;
};

struct pack_squeezer *pack_squeezer_new(void)
{
	struct pack_squeezer *q = xcalloc(1, sizeof(*q));

	q->z = ZSTD_createCCtx();
	BUG_IF(!q->z); /* out of memory */
	return q;
}

void pack_squeezer_free(struct pack_squeezer *q)
{
	if (!q)
		return;
	ZSTD_freeCCtx(q->z);
	free(q);
}

bool pack_squeeze(struct pack_squeezer *q, struct str bytes, struct buf *out)
{
	size_t most = bytes.n - bytes.n / 8, n;

	buf_reset(out);
	if (bytes.n < 64)
		return false;
	buf_reserve(out, most);
	n = ZSTD_compressCCtx(q->z, out->p, most, bytes.p, bytes.n, LEVEL);
	if (ZSTD_isError(n)) /* does not fit */
		return false;
	out->n = n;
	out->p[n] = 0;
	return true;
}
