/*
 * api/query_notes.h: what a query did not see and its user may have meant. Talk only: what fails here is silent.
 */
#ifndef LEAT_API_QUERY_NOTES_H
#define LEAT_API_QUERY_NOTES_H

#include "api/api.h"
#include "flow/table_query.h"

/* Files of datastore/ that nobody committed, and files that lie beside the ds= folders of a table. */
void query_notes_unseen(struct api *api, struct sink *out, const struct table_source *tables, size_t n);
/* A table that is not there may have been dropped into datastore/ and lie there uncommitted. Returns -1. */
must_check int query_notes_hint(struct api *api, struct err *e);

/*
 * What a query wrote to a file is noted with its text and its tables, so that whence knows the file again
 * (repo/exported.h).
 */
void query_notes_exported(struct api *api, const struct args *args, struct str sql, const char *path,
                          const struct table_query *q);
/* What goes to standard output may stand in a file too: only who called knows, and calls api_printed then. */
void query_notes_result(struct api *api, const struct args *args, struct str sql, const struct table_query *q);

#endif
