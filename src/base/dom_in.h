/*
 * base/dom_in.h: what the parsers that fill a tree (json.c, yaml.c) share with dom.c; for nobody else.
 */
#ifndef LEAT_BASE_DOM_IN_H
#define LEAT_BASE_DOM_IN_H

#include "base/dom.h"
#include "base/map.h"

/* The keys of one map under construction: looked through one by one while they are few, then by hash. */
struct dom_seen {
	struct map keys;
	bool hashed;
};
#define DOM_SEEN_FEW 16

/* Appends the child, whose key is set; or returns the earlier child of that key and appends nothing. */
struct dom *dom_add_unique(struct dom_seen *s, struct arena *scratch, struct dom *map, struct dom *child);

/* Sets type and value of a node from plain YAML text; s must stay. */
void dom_type_plain(struct dom *n, struct str s);

#endif
