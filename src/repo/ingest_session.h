/*
 * repo/ingest_session.h: the tree pages that a session has made, for tree_page.c. Bodies live as long as the session.
 */
#ifndef LEAT_REPO_INGEST_SESSION_H
#define LEAT_REPO_INGEST_SESSION_H

#include "repo/ingest.h"
#include "repo/tree_page.h"

void ingest_page_add(struct ingest *in, const struct sha *id, struct str body); /* copied; there already is fine */
bool ingest_page_get(struct ingest *in, const struct sha *id, struct str *body);
struct tree_new *ingest_page_at(struct ingest *in, size_t i); /* NULL past the last */

#endif
