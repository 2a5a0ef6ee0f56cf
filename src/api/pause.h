/* api/pause.h: jobs that the clock does not start. */
#ifndef LEAT_API_PAUSE_H
#define LEAT_API_PAUSE_H

#include "api/api.h"

/* Their names, for people: the first few and how many more. STR_NULL: none. */
must_check int pause_names(struct api *api, struct str *out, size_t *n, struct err *e);

#endif
