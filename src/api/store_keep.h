/*
 * api/store_keep.h: what gc does first.
 */
#ifndef LEAT_API_STORE_KEEP_H
#define LEAT_API_STORE_KEEP_H

#include "api/api.h"

/* Lets go what the rules of all repos do not keep; *went counts the commits. */
must_check int keep_apply_all(struct api *api, struct sink *out, bool dry_run, int64_t *went, struct err *e);

#endif
