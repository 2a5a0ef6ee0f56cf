/*
 * Small objects of a session: rows of leat.db if they are few bytes, packs if they are more, written as they come.
 */
#include <stdio.h>

#include "base/str.h"
#include "repo/ingest_in.h"
#include "sys/fault.h"

#define ROWS_MAX ((size_t)64 << 10) /* bytes of a session that go into rows */
#define ROWS_MANY 64                /* and how many of them */
#define PARQUET "PAR1"
#define PARQUET_MIN 12 /* bytes of the smallest: magic, length of its footer, magic */

bool ingest_is_small(struct str bytes)
{
	struct str magic = STR(PARQUET);

	return (int64_t)bytes.n < BLOB_WHOLE_MIN &&
	       (bytes.n < PARQUET_MIN || !str_has_prefix(bytes, magic) || !str_has_suffix(bytes, magic));
}

static int close_pack(struct ingest *in, struct new_pack *p, struct err *e)
{
	if (p->done)
		return 0;
	if (pack_finish(p->w, e))
		return -1;
	fault_crash("pack-written");
	if ((in->s->ws->durable_power && pack_sync(p->w, e)) || pack_place(p->w, e))
		return -1;
	fault_crash("pack-placed");
	p->done = in->new_packs = true;
	return 0;
}

/* The pack that takes the next object. */
static int growing(struct ingest *in, struct new_pack **out, struct err *e)
{
	struct new_pack *last = in->packs.n ? &in->packs.p[in->packs.n - 1] : NULL, fresh = {0};

	if (last && !last->done && pack_written(last->w) < PACK_FULL) {
		*out = last;
		return 0;
	}
	/* The last but one is closed only now: its bytes were on their way to the disk meanwhile. */
	if (last && !last->done && pack_finish(last->w, e))
		return -1;
	if (in->packs.n > 1 && close_pack(in, &in->packs.p[in->packs.n - 2], e))
		return -1;
	if (pack_create(in->s, &fresh.w, e))
		return -1;
	vec_push(in->a, &in->packs, fresh);
	*out = &in->packs.p[in->packs.n - 1];
	return 0;
}

static int to_pack(struct ingest *in, struct new_small *t, struct str bytes, struct str frame, struct err *e)
{
	struct buf own cleanup(buf_free) = BUF_INIT((size_t)BLOB_WHOLE_MIN);
	struct new_pack *p;

	if (!frame.p) {
		if (!in->squeezer)
			in->squeezer = pack_squeezer_new();
		if (pack_squeeze(in->squeezer, bytes, &own))
			frame = buf_str(&own);
	}
	if (!frame.n)
		frame = STR_NULL;
	if (growing(in, &p, e) || pack_add(p->w, &t->id, bytes, frame, e))
		return -1;
	t->pack = in->packs.n - 1;
	t->at = *pack_entry(p->w, pack_objects(p->w) - 1);
	t->bytes = STR_NULL;
	return 0;
}

/* What waited in memory goes into a pack. */
static int spill(struct ingest *in, struct err *e)
{
	for (size_t i = 0; i < in->small_list.n; i++) {
		struct new_small *t = in->small_list.p[i];
		if (to_pack(in, t, t->bytes, STR_NULL, e))
			return -1;
	}
	in->small_list.n = in->small_bytes = 0;
	return 0;
}

static bool is_little(const struct ingest *in, size_t more)
{
	return !in->packs.n && in->small_bytes + more <= ROWS_MAX && in->small_list.n < ROWS_MANY;
}

int small_add(struct ingest *in, const struct sha *id, struct str bytes, struct str frame, struct err *e)
{
	struct new_small *t = arena_new_of(in->a, struct new_small);
	bool little = is_little(in, bytes.n);

	t->id = *id;
	if (little) {
		t->bytes = arena_str(in->a, bytes);
		vec_push(in->a, &in->small_list, t);
		in->small_bytes += bytes.n;
	} else if ((in->small_list.n && spill(in, e)) || to_pack(in, t, bytes, frame, e)) {
		return -1;
	}
	map_set(&in->smalls, ingest_key(&t->id), t);
	return 0;
}

int small_finish(struct ingest *in, struct err *e)
{
	char path[BLOB_PATH_CAP];

	if (in->small_list.n && !is_little(in, 0) && spill(in, e))
		return -1;
	for (size_t i = 0; i < in->packs.n; i++)
		if (close_pack(in, &in->packs.p[i], e))
			return -1;
	if (in->new_packs && in->s->ws->durable_power) {
		snprintf(path, sizeof(path), "%s/packs", in->s->leat_dir);
		if (dir_sync(path, e))
			return -1;
	}
	in->new_packs = false;
	return 0;
}

void small_merge(struct ingest *to, struct ingest *from)
{
	size_t first = to->packs.n;
	struct str key;
	void *value;

	for (size_t i = 0; i < from->packs.n; i++)
		vec_push(to->a, &to->packs, from->packs.p[i]);
	for (size_t i = 0; map_each(&from->smalls, &i, &key, &value);) {
		const struct new_small *f = value;
		struct new_small *t;
		if (map_has(&to->smalls, key)) /* twice in packs harms nothing: one row stands */
			continue;
		t = arena_new_of(to->a, struct new_small);
		*t = *f;
		t->recorded = 0;
		if (f->bytes.p) {
			t->bytes = arena_str(to->a, f->bytes);
			vec_push(to->a, &to->small_list, t);
			to->small_bytes += t->bytes.n;
		} else {
			t->pack += first;
		}
		map_set(&to->smalls, key, t);
	}
	to->new_packs |= from->new_packs;
	from->packs.n = from->small_list.n = from->small_bytes = 0;
	from->new_packs = false;
	map_init(&from->smalls, from->a);
}

void small_free(struct ingest *in)
{
	for (size_t i = 0; i < in->packs.n; i++)
		pack_writer_free(in->packs.p[i].w);
	pack_squeezer_free(in->squeezer);
}

int ingest_object(struct ingest *in, const struct sha *id, struct arena *a, struct str *out, struct err *e)
{
	struct new_small *t = map_get(&in->smalls, ingest_key(id));
	char *bytes;

	if (!t)
		return 0;
	if (t->bytes.p) {
		*out = arena_str(a, t->bytes);
		return 1;
	}
	bytes = arena_alloc(a, (size_t)t->at.size + 1);
	if (pack_read_back(in->packs.p[t->pack].w, &t->at, bytes, e))
		return -1;
	*out = (struct str){bytes, t->at.size};
	return 1;
}
