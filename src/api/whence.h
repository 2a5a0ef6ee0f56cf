/*
 * api/whence.h: a file that was found somewhere, and what is nearest to it where nothing is equal.
 */
#ifndef LEAT_API_WHENCE_H
#define LEAT_API_WHENCE_H

#include "api/api.h"
#include "flow/whence.h"

struct found_file {
	struct str name;  /* as it was given; "-": standard input */
	const char *path; /* NULL: standard input */
	int fd;           /* -1: none */
	struct sha sha;
	int64_t size;
	struct str bytes; /* of standard input; STR_NULL: not read */
};
/*
 * 0 and *out: {answer, nearest [{repo, path, commit | name, at; differs}]}: files with a name like it, in heads and
 * among what was exported. 1: one of them is the same text but for its line ends, and *out is what whence_tell says of
 * it.
 */
must_check int whence_near(struct api *api, struct catalog *c, const struct found_file *f, const struct whence_ask *ask,
                           struct dom **out, struct err *e);

#endif
