/*
 * api/embedded.h: the files of templates/, inside the program, so that `leat new` and `leat playground` need nothing
 * beside it. The table is written by tools/embed when Leat is built; rows are sorted by path.
 */
#ifndef LEAT_API_EMBEDDED_H
#define LEAT_API_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *path; /* "jobs/sql/job.yaml" */
	const char *data;
	size_t n;
};
extern const struct embedded embedded_files[];
extern const size_t n_embedded_files;

#endif
