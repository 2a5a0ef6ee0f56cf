/*
 * flow/pyfreeze.h: which packages an interpreter finds, for what is kept of each attempt that it ran: asked of the
 * interpreter itself, beside the attempt, once for each state of the folders that they lie in; then known by a look at
 * those. .leat/cache/env/packages-HASH remembers it for other processes. The list is kept in the database by its hash
 * (codetext.h). It explains and decides nothing: what cannot be told is left out.
 */
#ifndef LEAT_FLOW_PYFREEZE_H
#define LEAT_FLOW_PYFREEZE_H

#include "flow/flow.h"

/* As its process is started; NULL is fine. `which`: absolute. */
void pyfreeze_begin(struct flow *f, const char *which);
/*
 * When it has ended: adds to a map {version, executable, implementation, packages, freeze}, what is not there yet, and
 * the text to keep, unless this process has given it before.
 */
void pyfreeze_end(struct flow *f, struct attempt *t, const char *which, struct dom *python,
                  struct attempt_result *result);
void pyfreeze_close(struct flow *f); /* with the flow */

#endif
