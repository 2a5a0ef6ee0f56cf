/*
 * api/data.h: data-driven jobs within a command that runs jobs: `run`, `put --run`, `wait`.
 */
#ifndef LEAT_API_DATA_H
#define LEAT_API_DATA_H

#include "api/api.h"
#include "flow/data.h"

/* What of a request is data-driven: parts the jobs asked for (*n 0: all) in two; true if there is any such job. */
bool data_split(struct api *api, const struct job ***jobs, size_t *n, struct data_ask *out);
void data_add(struct run_summary *to, const struct run_summary *s);

#endif
