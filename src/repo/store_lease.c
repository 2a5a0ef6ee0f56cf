/* Leases of readers and of sessions (store.h). */
#include <fcntl.h>
#include <stdio.h>

#include "base/str.h"
#include "repo/store.h"
#include "sys/lock.h"

#define BYTES ((uint64_t)1 << 62) /* of a file of locks */
#define OPEN_BYTE (BYTES - 1)     /* somebody reads an open commit */
#define LEASE_DIGITS 16 /* of the id: 64 bits, of which 62 count (an offset is at most 2^63 - 1) */

static uint64_t offset_of(struct id id)
{
	uint64_t v = 0;

	for (int i = 0; i < LEASE_DIGITS; i++)
		v = v << 4 | (uint64_t)(id.hex[i] <= '9' ? id.hex[i] - '0' : id.hex[i] - 'a' + 10);
	return v >> 2;
}

/* Whoever may not make the file, and finds none, reads without a lease: 0 with s->readers -1. */
static int open_readers(struct store *s, struct err *e)
{
	struct err mine = ERR_INIT;
	char path[4200];

	if (s->readers >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/readers.lock", s->leat_dir);
	if (!lock_bytes_open(path, &s->readers, &mine) || mine.code == ERR_PERMISSION)
		return 0;
	*e = mine;
	return -1;
}

static size_t lease_at(const struct store *s, uint64_t offset)
{
	size_t i = 0;

	while (i < s->n_leases && s->leases[i] != offset)
		i++;
	return i;
}

bool store_leased(const struct store *s, struct id id)
{
	return lease_at(s, offset_of(id)) < s->n_leases;
}

static int lease(struct store *s, uint64_t offset, struct err *e)
{
	if (s->readers < 0 || lease_at(s, offset) < s->n_leases)
		return 0;
	if (lock_byte(s->readers, offset, e))
		return -1;
	if (s->n_leases == s->cap_leases) {
		s->cap_leases = s->cap_leases ? 2 * s->cap_leases : 8;
		s->leases = xrealloc(s->leases, s->cap_leases * sizeof(*s->leases));
	}
	s->leases[s->n_leases++] = offset;
	return 0;
}

int store_lease_commit(struct store *s, int64_t repo, struct id id, struct err *e)
{
	struct q *q;
	int r;

	bool had = store_leased(s, id);

	BUG_IF(db_in_read(s->db) && !db_in_write(s->db));
	if (open_readers(s, e) || lease(s, offset_of(id), e))
		return -1;
	/* of a repo that was ended gc takes the commits away as it finds them not leased */
	q = db_query(s->db, "select 1 from repo where id = ?1 and ended is null and"
			    " (exists (select 1 from commits where repo = ?1 and id = ?2) or"
			    " exists (select 1 from open_commit where repo = ?1 and id = ?2 and state = 'open'))");
	q_int(q, 1, repo);
	q_cstr(q, 2, id.hex);
	r = q_step(q, e);
	q_done(q);
	if (r <= 0 && !had)
		store_lease_drop(s, id);
	return r;
}

int store_lease_open(struct store *s, struct err *e)
{
	return open_readers(s, e) || (s->readers >= 0 && lock_byte(s->readers, OPEN_BYTE, e)) ? -1 : 0;
}

void store_lease_open_drop(struct store *s)
{
	if (s->readers >= 0)
		lock_byte_free(s->readers, OPEN_BYTE);
}

int store_lease_open_held(struct store *s, struct err *e)
{
	if (open_readers(s, e))
		return -1;
	return s->readers < 0 ? 0 : lock_byte_held(s->readers, OPEN_BYTE, e);
}

void store_lease_drop(struct store *s, struct id id)
{
	size_t i = lease_at(s, offset_of(id));

	if (i == s->n_leases)
		return;
	lock_byte_free(s->readers, s->leases[i]);
	s->leases[i] = s->leases[--s->n_leases];
}

int store_lease_held(struct store *s, struct id id, struct err *e)
{
	if (open_readers(s, e))
		return -1;
	return s->readers < 0 ? 0 : lock_byte_held(s->readers, offset_of(id), e);
}

int store_lease_any(struct store *s, struct err *e)
{
	return open_readers(s, e) ? -1 : lock_bytes_held(s->readers, 0, BYTES, e);
}

int store_readers_shut(struct store *s, struct err *e)
{
	return open_readers(s, e) ? -1 : lock_bytes_alone(s->readers, 0, BYTES, e);
}

void store_readers_open(struct store *s)
{
	lock_bytes_free(s->readers, 0, BYTES);
}

int store_epoch(struct store *s, int64_t *epoch, struct err *e)
{
	struct q *q = db_query(s->db, "select value from store where key = 'gc_epoch'");
	int r = q_step(q, e);

	*epoch = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

int store_epoch_next(struct store *s, int64_t *epoch, struct err *e)
{
	BUG_IF(!db_in_write(s->db));
	if (q_run(db_query(s->db, "insert into store(key, value) values('gc_epoch', 1)"
				  " on conflict(key) do update set value = value + 1"),
		  e))
		return -1;
	return store_epoch(s, epoch, e);
}

static int open_sessions(struct store *s, struct err *e)
{
	char path[4200];

	if (s->sessions >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/sessions.lock", s->leat_dir);
	return lock_bytes_open(path, &s->sessions, e);
}

int store_session_begin(struct store *s, int64_t *epoch, struct err *e)
{
	int64_t now, again;

	if (s->live++) {
		*epoch = s->epoch;
		return 0;
	}
	BUG_IF(db_in_read(s->db));
	if (open_sessions(s, e) || store_epoch(s, &now, e))
		goto fail;
	for (;; now = again) { /* an epoch that ends before its byte is locked does not count */
		if (lock_byte(s->sessions, (uint64_t)now, e) || store_epoch(s, &again, e))
			goto fail;
		if (again == now)
			break;
		lock_byte_free(s->sessions, (uint64_t)now);
	}
	*epoch = s->epoch = now;
	return 0;
fail:
	s->live--;
	return -1;
}

void store_session_end(struct store *s)
{
	BUG_IF(!s->live);
	if (!--s->live)
		lock_byte_free(s->sessions, (uint64_t)s->epoch);
}

int store_sessions_any(struct store *s, struct err *e)
{
	return open_sessions(s, e) ? -1 : lock_bytes_held(s->sessions, 0, BYTES, e);
}

int store_sessions_before(struct store *s, int64_t epoch, struct err *e)
{
	if (open_sessions(s, e))
		return -1;
	return epoch > 0 ? lock_bytes_held(s->sessions, 0, (uint64_t)epoch, e) : 0;
}
