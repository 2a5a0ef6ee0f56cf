/*
 * api/query.h: SQL over the workspace's tables with a small result, for operations that show one.
 */
#ifndef LEAT_API_QUERY_H
#define LEAT_API_QUERY_H

#include "api/api.h"

/* {columns: [{name, type}], rows: [[text or null]]} */
must_check int query_rows(struct api *api, struct str sql, struct dom **out, struct err *e);

#endif
