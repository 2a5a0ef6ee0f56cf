/*
 * flow/table_folder.h: a query over folders instead of repos, made ready for the worker: what a task sees of its
 * inputs. Nothing of a workspace is asked. How CSV and JSON are read follows from the files alone, so a task stays a
 * function of what it reads.
 */
#ifndef LEAT_FLOW_TABLE_FOLDER_H
#define LEAT_FLOW_TABLE_FOLDER_H

#include "flow/table_query.h"

struct table_folder {
	struct str name, repo; /* what the query may call it; repo STR_NULL: nothing else */
	const char *dir;       /* absolute; NULL: the unit has nothing of it */
	struct str label;      /* of the one partition whose files lie in it directly: their column ds. STR_NULL */
};

/* As table_query_prepare. `ask.at` and `ask.ds` are not looked at. */
must_check int table_folder_prepare(struct arena *a, struct duck *d, const struct table_query_ask *ask,
                                    const struct table_folder *folders, size_t n, struct table_query *out,
                                    struct err *e);
/* The SQL that reads one of them. */
must_check int table_folder_reader(struct arena *a, struct duck *d, const struct table_folder *f, struct str *reader,
                                   struct err *e);

#endif
