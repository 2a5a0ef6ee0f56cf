/*
 * flow/whence.h: from bytes found anywhere to what made them: the places where they stand or stood (repo/contents.h),
 * who made them there (why.h), whether they are what stands there now and whether that is up to date, what has changed
 * since, and the command that makes them again. Reads only.
 */
#ifndef LEAT_FLOW_WHENCE_H
#define LEAT_FLOW_WHENCE_H

#include "base/forms.h"
#include "flow/why.h"
#include "repo/exported.h"

#define WHENCE_MAX_ALSO 10

struct whence_ask {
	struct sha sha;               /* of the file as it was found */
	struct form forms[FORMS_MAX]; /* and of a text its other forms; n_forms 0: it is none */
	struct form was;
	size_t n_forms;
	int64_t size;
	struct str name; /* for sentences */
};
/*
 * 1 and *out: {answer, as?, repo, commit, number, path, state, made_by | put, changes, replaced_by?, again, get,
 * also [{repo, commit, path}], exports}; 0: not known; -1. state is current, stale, replaced, removed, ended or let-go.
 */
must_check int whence_tell(struct flow *f, struct catalog *c, struct arena *a, const struct whence_ask *ask,
                           struct dom **out, struct err *e);

/* A word for a shell, in quotes where it needs some. */
struct str whence_word(struct arena *a, struct str s);

/* --- whence_export.c --- */

/* What is noted of the result of a query: its text, and each table with the commit and the content that was read. */
struct table_source;
struct dom *whence_query_doc(struct arena *a, const struct table_source *tables, size_t n);
/* {name, at, who, query, ..., state: current | changed, changes, again} */
must_check int whence_export(struct catalog *c, struct arena *a, const struct exported *x, struct dom **out,
                             struct err *e);

#endif
