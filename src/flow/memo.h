/*
 * flow/memo.h: what a key once gave (table memo), if it is still whole in the store: then it is a result without
 * running (SEMANTICS 4).
 */
#ifndef LEAT_FLOW_MEMO_H
#define LEAT_FLOW_MEMO_H

#include "repo/tree.h"

/* 1: *tree (root folder, without a name) and the row of the unit that made it; 0; -1 */
must_check int memo_find(struct store *s, const struct sha *key, struct entry *tree, int64_t *unit, struct err *e);
/* Is every byte of a tree in the store? 1: *out is its root; 0; -1 */
must_check int memo_whole(struct store *s, const struct sha *tree, struct entry *out, struct err *e);

#endif
