/*
 * base/name.h: names and paths that may be (SEMANTICS 13, DESIGN §1), checked in one place, each refusal a sentence.
 */
#ifndef LEAT_BASE_NAME_H
#define LEAT_BASE_NAME_H

#include "base/err.h"

#define NAME_MAX_SEGMENT 255
#define NAME_MAX_PATH 4096

/* A repo name: 1..8 segments [A-Za-z0-9][A-Za-z0-9_.-]* joined by '/'. */
must_check int name_check_repo(struct str name, struct err *e);
must_check int name_check_job(struct str name, struct err *e);
must_check int name_check_branch(struct str name, struct err *e); /* [A-Za-z0-9_-]+ */

/*
 * A path inside a repo, any UTF-8: brought to its one form without leading or doubled '/', into `out` (NAME_MAX_PATH+1
 * bytes). Refused: "." and "..", NUL and control bytes, segments over 255 bytes, bytes that are no UTF-8. A trailing
 * '/' is reported in *folder (may be NULL). "" is the root.
 */
must_check int name_path(struct str in, char *out, size_t *out_len, bool *folder, struct err *e);

#endif
