/*
 * repo/ingest_session.h: the tree pages that a session has made, for tree_page.c. Bodies live as long as the session.
 */
#ifndef LEAT_REPO_INGEST_SESSION_H
#define LEAT_REPO_INGEST_SESSION_H

#include "repo/ingest.h"
#include "repo/tree_page.h"

void ingest_page_add(struct ingest *in, const struct sha *id, struct str body); /* copied; there already is fine */
bool ingest_page_get(struct ingest *in, const struct sha *id, struct str *body);
/*
 * What many edits make of a tree is worked out before the transaction that needs it (tree_apply does so when called
 * there), and known again inside: the same edits over the same tree (NULL: none).
 */
bool ingest_applied(struct ingest *in, const struct sha *base, const struct tree_edit *edits, size_t n,
		    struct entry *out);
void ingest_applied_set(struct ingest *in, const struct sha *base, const struct tree_edit *edits, size_t n,
			const struct entry *root);

#define INGEST_AHEAD (-1) /* `recorded` of what was written before the commit's own transaction */
/* Whether an item is still to be recorded; if so it counts as recorded in this transaction from now on. */
bool ingest_take(struct ingest *in, int64_t *recorded);
/* How many of the pages this transaction has recorded, or need not; for tree_record to count on. */
size_t *ingest_pages_written(struct ingest *in);
struct tree_new *ingest_page_at(struct ingest *in, size_t i); /* NULL past the last */

#endif
