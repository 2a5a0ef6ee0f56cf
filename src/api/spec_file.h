/*
 * api/spec_file.h: the file that `-f` of apply and units names: Pachyderm specs, or a job.yaml.
 */
#ifndef LEAT_API_SPEC_FILE_H
#define LEAT_API_SPEC_FILE_H

#include "api/api.h"
#include "job/spec.h"

/* "-": standard input. */
must_check int spec_file_read(struct api *api, struct str path, struct spec_list *out, struct err *e);

/* A spec that asks for what is not there, a pin, is a request that cannot be, not work that failed. */
void spec_file_asks(struct err *e);

#endif
