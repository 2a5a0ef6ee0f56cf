#include "repo/marks.h"

#include <stdlib.h>
#include <string.h>

#define FIRST ((size_t)4096)

static struct mark mark_of(const struct sha *id)
{
	struct mark k;

	memcpy(&k, id->b, sizeof(k));
	k.b |= !k.a && !k.b;
	return k;
}

/* Ids are hashes: their bits need no further mixing. */
static struct mark *slot(struct mark *slots, size_t cap, struct mark k)
{
	for (size_t i = k.a & (cap - 1);; i = (i + 1) & (cap - 1))
		if ((slots[i].a == k.a && slots[i].b == k.b) || (!slots[i].a && !slots[i].b))
			return &slots[i];
}

static void grow(struct marks *m)
{
	size_t cap = m->cap ? 2 * m->cap : FIRST;
	struct mark *slots = xcalloc(cap, sizeof(*slots));

	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].a || m->slots[i].b)
			*slot(slots, cap, m->slots[i]) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
}

int marks_add(struct marks *m, const struct sha *id, struct err *e)
{
	struct mark k = mark_of(id), *t;

	if (m->n >= MARKS_MAX)
		return err_set(e, ERR_LIMIT, "the store has more than %zu objects", MARKS_MAX);
	if (m->n * 4 >= m->cap * 3)
		grow(m);
	t = slot(m->slots, m->cap, k);
	if (t->a || t->b)
		return 0;
	*t = k;
	m->n++;
	return 1;
}

bool marks_has(const struct marks *m, const struct sha *id)
{
	struct mark k = mark_of(id), *t;

	if (!m->n)
		return false;
	t = slot(m->slots, m->cap, k);
	return t->a || t->b;
}

void marks_free(struct marks *m)
{
	free(m->slots);
	*m = (struct marks){0};
}
