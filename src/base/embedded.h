/*
 * base/embedded.h: files that are inside the program, so that it needs nothing beside it. Their tables are written by
 * tools/embed when Leat is built; rows are sorted by path.
 */
#ifndef LEAT_BASE_EMBEDDED_H
#define LEAT_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *path; /* "jobs/sql/job.yaml" */
	const char *data;
	size_t n;
};

#endif
