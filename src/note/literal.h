/*
 * note/literal.h: values as a language writes them (defs/languages.def), for the cell of parameters.
 */
#ifndef LEAT_NOTE_LITERAL_H
#define LEAT_NOTE_LITERAL_H

#include "base/dom.h"

struct language;
/* By any of its names, whatever the case; NULL: we do not know how it writes values. */
const struct language *language_of(struct str name);
const char *language_comment(const struct language *l); /* what a comment of a line begins with: "# " */
bool language_is_bool(const struct language *l, struct str word);

/* ERR_BAD_REQUEST: it has no literal for a list or map. What is no finite number is "nan" and the like. */
must_check int literal_write(struct buf *out, const struct language *l, const struct dom *v, struct err *e);
/* The line that sets NAME. */
must_check int literal_assign(struct buf *out, const struct language *l, struct str name, const struct dom *v,
                              struct err *e);

#endif
