/*
 * api/diff.h: `leat diff --rows`: what differs between two pins of tables, row by row.
 */
#ifndef LEAT_API_DIFF_H
#define LEAT_API_DIFF_H

#include "api/api.h"

/*
 * `old` and `new` are resolved; their paths may name one partition. Rows: one for each column that only one side has or
 * whose type is another {column, change, type, old_type}, then {change, key, old, new, times} (flow/rowdiff.h), at the
 * end {rows: {added, removed, changed, shown}, columns: {NAME: changed}, partitions: {compared, same}}.
 */
must_check int diff_rows(struct api *api, const struct args *args, const struct pin *old, const struct pin *new,
                         struct sink *out, struct err *e);

#endif
