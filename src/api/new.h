/*
 * api/new.h: what `leat new` makes that is no template.
 */
#ifndef LEAT_API_NEW_H
#define LEAT_API_NEW_H

#include "api/api.h"

#define NEW_DAG "dag"

/* Positions from the third on name jobs that are there, in order. */
must_check int new_dag(struct api *api, const struct args *args, struct str name, struct sink *out, struct err *e);

#endif
