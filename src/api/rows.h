/*
 * api/rows.h: the documents that operations give: one maker per kind of thing, so that the same thing has the same keys
 * in every command and in the HTTP API (DESIGN §3).
 */
#ifndef LEAT_API_ROWS_H
#define LEAT_API_ROWS_H

#include "api/api.h"

struct dom *row_commit(struct arena *a, struct str repo, struct str branch, const struct commit *c);
/* path is shown with a leading '/' */
struct dom *row_entry(struct arena *a, struct str repo, const struct commit *c, struct str path,
                      const struct entry *en);
/* Tells an entry in the way the sink likes best; `a` may be emptied after it. */
must_check int rows_entry(struct sink *out, struct arena *a, const struct sink_entry *en, struct err *e);
void row_time(struct arena *a, struct dom *row, const char *key, int64_t ms); /* RFC 3339; 0 gives null */
void row_sha(struct arena *a, struct dom *row, const char *key, const struct sha *id);
/* What a kind told of an attempt (attempt_result.facts), as far as it is for everybody: page, metrics, python. */
#define ROW_FACTS "iif(json_valid(u.ingredients), json_extract(u.ingredients, '$.facts'), null)"
void row_facts(struct arena *a, struct dom *row, struct str json);
void row_err(struct arena *a, struct dom *row, const struct err *e); /* code, message, file, line, col, hint */

/* s as it stands in a cell of a Markdown table: bars and backslashes escaped, a line end as <br>. */
void rows_markdown_cell(struct buf *b, struct str s);

/* "ds=D/" in front of a path if the request has --ds; the label is checked. */
must_check int rows_ds_prefix(const struct args *args, struct str *prefix, struct err *e);

#endif
