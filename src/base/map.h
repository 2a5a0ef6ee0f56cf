/*
 * base/map.h: string → pointer, in an arena, in the order of insertion.
 *
 * Keys are copied into the arena. A removed entry leaves a hole (key.p NULL) in the entries, skipped by map_each.
 */
#ifndef LEAT_BASE_MAP_H
#define LEAT_BASE_MAP_H

#include "base/arena.h"

struct map_entry {
	struct str key;
	void *value;
	uint64_t hash;
};

struct map {
	struct arena *arena;
	VEC(struct map_entry) entries;
	uint32_t *slots; /* index + 1 into entries, 0 = free; open addressing */
	size_t n_slots, n;
};

void map_init(struct map *m, struct arena *a);
void *map_get(const struct map *m, struct str key); /* NULL if absent */
bool map_has(const struct map *m, struct str key);
void map_set(struct map *m, struct str key, void *value); /* replaces */
bool map_del(struct map *m, struct str key);

/* for (size_t i = 0; map_each(m, &i, &key, &value);) */
bool map_each(const struct map *m, size_t *i, struct str *key, void **value);

#endif
