#include "flow/memo.h"

#include "repo/blob.h"

struct presence {
	struct store *s;
	bool lost;
};

static int look_blob(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct presence *p = ptr;
	int got = blob_present(p->s, &entry->id, e);

	(void)path;
	if (got < 0)
		return -1;
	p->lost |= !got;
	return !got;
}

int memo_whole(struct store *s, const struct sha *tree, struct entry *out, struct err *e)
{
	struct presence p = {.s = s};
	struct entry root;
	int got = tree_find(s, NULL, tree, STR(""), &root, e);

	if (got < 0 || (got && tree_walk(s, NULL, tree, false, look_blob, &p, e) < 0))
		return -1;
	if (!got || p.lost)
		return 0;
	root.name = STR_NULL;
	root.kind = ENTRY_FOLDER;
	*out = root;
	return 1;
}

int memo_find(struct store *s, const struct sha *key, struct entry *tree, int64_t *unit, struct err *e)
{
	struct q *q = db_query(s->db, "select unit, tree from memo where key = ?");
	int64_t by = 0;
	struct sha id;
	int r;

	q_sha(q, 1, key);
	r = q_step(q, e);
	if (r == 1) {
		by = q_col_int(q, 0);
		if (!q_col_sha(q, 1, &id))
			r = 0;
	}
	q_done(q);
	if (r == 1)
		r = memo_whole(s, &id, tree, e);
	if (r == 1)
		*unit = by;
	return r;
}
