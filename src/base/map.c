#include "base/map.h"

#include "base/hash.h"
#include "base/str.h"

#define MIN_SLOTS 16

void map_init(struct map *m, struct arena *a)
{
	*m = (struct map){.arena = a};
}

/* The slot of the key, or the free one where it would go. Only with slots. */
static size_t slot_of(const struct map *m, struct str key, uint64_t hash)
{
	size_t mask = m->n_slots - 1, i = hash & mask;

	for (; m->slots[i]; i = (i + 1) & mask) {
		const struct map_entry *e = &m->entries.p[m->slots[i] - 1];

		if (e->key.p && e->hash == hash && str_eq(e->key, key))
			break;
	}
	return i;
}

/* Closes the holes and lays out the slots anew, a quarter to a half of them filled. */
static void rehash(struct map *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->entries.n; i++)
		if (m->entries.p[i].key.p)
			m->entries.p[kept++] = m->entries.p[i];
	m->entries.n = kept;
	m->n_slots = MAX(m->n_slots, (size_t)MIN_SLOTS);
	while (m->n_slots < kept * 4)
		m->n_slots *= 2;
	m->slots = arena_array(m->arena, uint32_t, m->n_slots);
	for (size_t i = 0; i < kept; i++)
		m->slots[slot_of(m, m->entries.p[i].key, m->entries.p[i].hash)] = (uint32_t)i + 1;
}

static struct map_entry *find(const struct map *m, struct str key)
{
	size_t i;

	if (!m->n)
		return NULL;
	i = slot_of(m, key, hash_bytes(key.p, key.n));
	return m->slots[i] ? &m->entries.p[m->slots[i] - 1] : NULL;
}

void *map_get(const struct map *m, struct str key)
{
	struct map_entry *e = find(m, key);

	return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
	return find(m, key) != NULL;
}

void map_set(struct map *m, struct str key, void *value)
{
	struct map_entry *e = find(m, key);
	uint64_t hash;

	if (e) {
		e->value = value;
		return;
	}
	BUG_IF(m->entries.n >= UINT32_MAX - 1);
	if ((m->entries.n + 1) * 2 > m->n_slots) /* holes hold slots too */
		rehash(m);
	hash = hash_bytes(key.p, key.n);
	m->slots[slot_of(m, key, hash)] = (uint32_t)m->entries.n + 1;
	vec_push(m->arena, &m->entries, ((struct map_entry){arena_str(m->arena, key), value, hash}));
	m->n++;
}

bool map_del(struct map *m, struct str key)
{
	struct map_entry *e = find(m, key);

	if (!e)
		return false;
	e->key = STR_NULL;
	e->value = NULL;
	m->n--;
	return true;
}

bool map_each(const struct map *m, size_t *i, struct str *key, void **value)
{
	while (*i < m->entries.n) {
		const struct map_entry *e = &m->entries.p[(*i)++];

		if (!e->key.p)
			continue;
		*key = e->key;
		*value = e->value;
		return true;
	}
	return false;
}
