/*
 * flow/secret.h: secrets of a workspace: secrets/NAME/KEY, one value a file, which nobody but its owner may read, or
 * the variable LEAT_SECRET_NAME_KEY (in capitals, what is no letter or digit as _), which comes first.
 *
 * No value is ever kept by us: not in the store, a log, a key of the memo, a row or a message. A task gets those that
 * its job names in `secrets:`; what it prints of them is made unreadable before it reaches the log (exec/local_mask.h).
 */
#ifndef LEAT_FLOW_SECRET_H
#define LEAT_FLOW_SECRET_H

#include "flow/job.h"

#define SECRET_DIR "secrets"
#define SECRET_MAX ((size_t)1 << 20)
#define SECRET_MAX_KEYS 1000 /* of one name */

/* A value that a task gets: in a variable, or as a file. */
struct secret {
	const char *variable; /* NULL: none */
	const char *path;     /* absolute, as the task sees it; NULL: none */
	struct str value;     /* as it is */
};
struct secrets {
	struct secret *p;
	size_t n, cap;
};

/* ERR_MISSING_INPUT, which says where it is looked for; ERR_PERMISSION where others may read the file. */
must_check int secret_value(struct arena *a, const struct workspace *ws, struct str name, struct str key,
                            struct str *out, struct err *e);
/* What `secrets:` of a job (a list of {name, key, envVar, mountPath}; NULL: none) comes to. */
must_check int secret_list(struct arena *a, const struct workspace *ws, const struct job *j, struct secrets *out,
                           struct err *e);
/* Whether the list can be meant, without looking for the values; ERR_BAD_CONFIG with its place. */
must_check int secret_check(const struct job *j, struct err *e);
/* A value without the line end that an editor leaves. */
struct str secret_bare(struct str value);

#endif
