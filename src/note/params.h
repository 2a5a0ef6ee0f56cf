/*
 * note/params.h: parameters of a notebook, by papermill's rule.
 *
 * The cell tagged `parameters` declares them by plain assignments with their defaults. What is given comes in a cell
 * tagged `injected-parameters` after it (in place of one that is there; on top where no cell is tagged), as the
 * notebook's language writes it, each value of its default's type. Given names that the cell does not declare are an
 * error with the nearest that it does.
 */
#ifndef LEAT_NOTE_PARAMS_H
#define LEAT_NOTE_PARAMS_H

#include "note/literal.h"
#include "note/notebook.h"

/* given: what must be taken; offered: what is, if it is declared. Both maps, or NULL. */
must_check int params_inject(struct arena *a, struct notebook *nb, const char *name, const struct language *language,
                             const struct dom *given, const struct dom *offered, struct err *e);

#endif
