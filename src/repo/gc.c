#include "repo/gc.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/contents.h"
#include "repo/gc_in.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/rand.h"

#define VACUUM_PAGES 200 /* of leat.db, given back in one transaction */

void gc_say(struct gc *g, const char *text, double part)
{
	if (g->how->progress)
		g->how->progress(g->how->ptr, text, part);
}

static int slice_begin(struct gc *g, enum db_durability how, struct err *e)
{
	int64_t epoch;

	/* much may be new: what is left to be marked inside is then little */
	if (gc_mark_news(g, e) || db_begin_durable(g->s->db, how, e))
		return -1;
	g->slice_began = clock_mono_ns();
	if (gc_mark_news(g, e) || store_epoch_next(g->s, &epoch, e)) {
		db_rollback(g->s->db);
		return -1;
	}
	return 0;
}

int gc_slice_begin(struct gc *g, struct err *e)
{
	/* nothing of this has to survive a power cut: what comes back is garbage again */
	return slice_begin(g, DB_PROCESS, e);
}

int gc_settle(struct gc *g, struct err *e)
{
	return slice_begin(g, DB_POWER, e) || gc_slice_end(g, e) ? -1 : 0;
}

bool gc_slice_over(const struct gc *g)
{
	return clock_mono_ns() - g->slice_began > GC_SLICE_NS;
}

int gc_slice_end(struct gc *g, struct err *e)
{
	double ms;

	fault_crash("gc-slice");
	if (db_commit(g->s->db, e))
		return -1;
	ms = (double)(clock_mono_ns() - g->slice_began) / 1e6;
	g->r.transactions++;
	g->r.longest_ms = MAX(g->r.longest_ms, ms);
	db_checkpoint(g->s->db);
	clock_sleep_ms(1 + (int64_t)ms); /* others want the lock too, and it is not fair by itself */
	return 0;
}

void gc_slice_drop(struct gc *g)
{
	db_rollback(g->s->db);
}

int gc_trash(struct gc *g, const char *path, struct err *e)
{
	struct err inner = ERR_INIT;
	char to[BLOB_PATH_CAP + 32], name[RAND_NAME];

	if (!g->trash[0]) {
		rand_name(name);
		snprintf(g->trash, sizeof(g->trash), "%s/staging/gc-%s", g->s->leat_dir, name);
		if (dir_make(g->trash, 0777, e)) {
			g->trash[0] = 0;
			return -1;
		}
	}
	snprintf(to, sizeof(to), "%s/%lld", g->trash, (long long)g->n_trash++);
	if (file_rename(path, to, &inner)) {
		if (inner.code != ERR_NOT_FOUND || file_exists(path)) {
			*e = inner;
			return -1;
		}
	}
	return 0;
}

int gc_trash_blob(struct gc *g, const struct sha *id, struct err *e)
{
	char path[BLOB_PATH_CAP];
	int r = store_sessions_any(g->s, e);

	if (r) {
		g->r.writers = true;
		return r < 0 ? -1 : 0;
	}
	blob_path(g->s, id, path, sizeof(path));
	return gc_trash(g, path, e);
}

int gc_trash_empty(struct gc *g, struct err *e)
{
	BUG_IF(db_in_write(g->s->db));
	if (!g->trash[0])
		return 0;
	if (dir_remove_large(g->trash, e))
		return -1;
	g->trash[0] = 0;
	return 0;
}

static int64_t database_bytes(struct gc *g)
{
	char path[BLOB_PATH_CAP];
	struct err ignored = ERR_INIT;
	struct stat st;

	snprintf(path, sizeof(path), "%s/leat.db", g->s->leat_dir);
	return file_stat(path, &st, &ignored) ? 0 : (int64_t)st.st_size;
}

static int number(struct gc *g, const char *sql, int64_t *out, struct err *e)
{
	struct q *q = db_query(g->s->db, sql);
	int r = q_step(q, e);

	*out = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* Free pages of leat.db, from its end. A store made by the first format cannot: there they are used again. */
static int vacuum(struct gc *g, struct err *e)
{
	int64_t mode, left, before = INT64_MAX;

	if (number(g, "pragma auto_vacuum", &mode, e) || number(g, "pragma freelist_count", &left, e))
		return -1;
	for (int r = 1; mode == 2 && left && left < before && r >= 0;) {
		struct q *q;
		if (gc_slice_begin(g, e))
			return -1;
		q = db_query(g->s->db, "pragma incremental_vacuum");
		for (int i = 0; i < VACUUM_PAGES && !gc_slice_over(g) && (r = q_step(q, e)) == 1; i++)
			;
		q_done(q);
		before = left;
		if (r < 0 || number(g, "pragma freelist_count", &left, e)) {
			gc_slice_drop(g);
			return -1;
		}
		if (gc_slice_end(g, e))
			return -1;
	}
	return 0;
}

static int work(struct gc *g, struct err *e)
{
	if (gc_mark_begin(g, e) || (!g->how->dry_run && gc_forget_ended(g, e)))
		return -1;
	if (gc_mark(g, e) || gc_sweep_memos(g, e))
		return -1;
	g->r.live_objects = (int64_t)(g->hot.n + g->cold.n);
	g->r.live_pages = (int64_t)g->pages.n;
	if (gc_sweep(g, e))
		return -1;
	if (g->how->dry_run)
		return 0;
	if (!g->how->no_repack && (gc_cold(g, e) || gc_pack(g, e)))
		return -1;
	if (contents_let_go(g->s, e) || gc_sweep_files(g, e) || gc_trash_empty(g, e) || vacuum(g, e))
		return -1;
	db_checkpoint(g->s->db);
	db_log_empty(g->s->db);
	return 0;
}

int gc_run(struct store *s, const struct gc_how *how, struct gc_report *out, struct err *e)
{
	struct gc g = {.s = s, .how = how, .a = arena_new()};
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	char path[BLOB_PATH_CAP];
	int rc = 0;

	snprintf(path, sizeof(path), "%s/gc.lock", s->leat_dir);
	if (lock_try(&l, path, "leat gc", 0, e)) {
		rc = e->code == ERR_BUSY ? err_wrap(e, "another gc is at work") : -1;
		goto out;
	}
	db_keep_log(s->db);
	g.r.database_before = database_bytes(&g);
	rc = work(&g, e);
	gc_slice_drop(&g);
	gc_say(&g, NULL, 1);
	g.r.database_after = database_bytes(&g);
	if (!rc)
		*out = g.r;
out:
	marks_free(&g.pages);
	marks_free(&g.hot_pages);
	marks_free(&g.leased_pages);
	marks_free(&g.hot);
	marks_free(&g.cold);
	arena_free(g.a);
	return rc;
}
