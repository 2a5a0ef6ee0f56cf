/* Leases of readers (store.h). */
#include <fcntl.h>
#include <stdio.h>

#include "base/str.h"
#include "repo/store.h"
#include "sys/lock.h"

#define LEASE_DIGITS 16 /* of the id: 64 bits, of which 62 count (an offset is at most 2^63 - 1) */

static uint64_t offset_of(struct id id)
{
	uint64_t v = 0;

	for (int i = 0; i < LEASE_DIGITS; i++)
		v = v << 4 | (uint64_t)(id.hex[i] <= '9' ? id.hex[i] - '0' : id.hex[i] - 'a' + 10);
	return v >> 2;
}

static int open_readers(struct store *s, struct err *e)
{
	char path[4200];

	if (s->readers >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/readers.lock", s->leat_dir);
	return lock_bytes_open(path, &s->readers, e);
}

int store_lease_commit(struct store *s, int64_t repo, struct id id, struct err *e)
{
	struct q *q;
	int r;

	BUG_IF(db_in_read(s->db) && !db_in_write(s->db));
	if (open_readers(s, e) || lock_byte(s->readers, offset_of(id), e))
		return -1;
	q = db_query(s->db, "select 1 from commits where repo = ? and id = ?");
	q_int(q, 1, repo);
	q_cstr(q, 2, id.hex);
	r = q_step(q, e);
	q_done(q);
	if (r <= 0)
		store_lease_drop(s, id);
	return r;
}

void store_lease_drop(struct store *s, struct id id)
{
	if (s->readers >= 0)
		lock_byte_free(s->readers, offset_of(id));
}

int store_lease_held(struct store *s, struct id id, struct err *e)
{
	return open_readers(s, e) ? -1 : lock_byte_held(s->readers, offset_of(id), e);
}
