/*
 * flow/codetext.h: the text of code that ran (table code_text, by its SHA-256), so that one can say which part of a
 * query or which line of a script changed, and not only that it did.
 *
 * Kept for texts of at most CODETEXT_MAX bytes; it explains and decides nothing: what is not there is said less about.
 */
#ifndef LEAT_FLOW_CODETEXT_H
#define LEAT_FLOW_CODETEXT_H

#include "flow/flow.h"

#define CODETEXT_MAX ((size_t)256 << 10)
#define CODETEXT_PLACES 3 /* told in a sentence; the rest is counted */

/* Before the transaction: takes the text of a query into memory if it is not kept yet. What fails is left. */
void codetext_load(struct flow *f, const struct job *j);
/* Inside a write transaction. */
must_check int codetext_keep(struct db *d, const struct sha *id, struct str text, struct err *e);
/* The query of a job that codetext_load took. */
must_check int codetext_keep_query(struct db *d, const struct job *j, struct err *e);

/* One place where two texts differ. */
struct codetext_place {
	const char *clause;      /* "where", "select"; of other texts NULL */
	struct str within;       /* the CTE that it stands in; STR_NULL */
	int line;                /* in the new text, from 1 */
	struct str before, now;  /* on one line; empty: nothing stood there */
};
/*
 * Of SQL its tokens without comments, each told with the expression that it stands in; of other texts the lines. In the
 * arena.
 */
size_t codetext_places(struct arena *a, struct str before, struct str now, bool sql, struct codetext_place **out);

/*
 * One of what key_diff gave: a file that changed is told with what of it did, where both texts are known (they may
 * still be the job's file; j may be NULL): its text is longer then, and it has a list `places` {where, line, before,
 * now}. 1: nothing but comments (the keys of a job in one file, too) differs; 0; -1.
 */
must_check int codetext_explain(struct flow *f, struct arena *a, const struct job *j, struct dom *change,
                                struct err *e);

#endif
