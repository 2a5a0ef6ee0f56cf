/* api/alone.h: `leat run JOB --unit N [--shell]`. */
#ifndef LEAT_API_ALONE_H
#define LEAT_API_ALONE_H

#include "api/api.h"

/* j NULL: not one job was named. Exit status: that of the unit's program. */
must_check int alone_unit(struct api *api, const struct args *args, const struct job *j, const struct dom *params,
                          struct sink *out, struct err *e);

#endif
