/*
 * exec/local_mask.h: what a task prints, on its way to the log, without the secrets that it was given: each becomes
 * "***", also where it comes in pieces. A value of several lines is looked for line by line too. Those of less than
 * MASK_MIN bytes are not looked for: they would be found everywhere.
 */
#ifndef LEAT_EXEC_LOCAL_MASK_H
#define LEAT_EXEC_LOCAL_MASK_H

#include "flow/secret.h"

#define MASK_MIN 4
#define MASK_CHUNK 65536 /* bytes that mask_write takes at once, at most */

struct mask;

struct mask *mask_new(struct arena *a, const struct secrets *list) __attribute__((returns_nonnull));
/* They are looked for as JSON and HTML write them, too: for the files of a report. */
void mask_escaped(struct mask *m);
/* A text without them, in m's arena. */
struct str mask_text(struct mask *m, struct str text);
/* Takes bytes; what cannot be the beginning of a secret any more goes to fd. last: nothing follows. */
must_check int mask_write(struct mask *m, const void *p, size_t n, bool last, int fd, const char *path,
                          struct err *e);

#endif
