/*
 * api/embedded.h: the files of templates/, inside the program, so that `leat new` and `leat playground` need nothing
 * beside it.
 */
#ifndef LEAT_API_EMBEDDED_H
#define LEAT_API_EMBEDDED_H

#include "base/embedded.h"

extern const struct embedded embedded_files[];
extern const size_t n_embedded_files;

#endif
