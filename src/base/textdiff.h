/*
 * base/textdiff.h: what differs between two texts, as a unified diff that `patch` applies.
 *
 * Lines end in LF; a last line without one is told as patch wants it. The shortest edit is found (Myers 1986, "An O(ND)
 * difference algorithm") up to TEXTDIFF_MAX_EDITS lines; beyond that the lines between the equal begin and the equal
 * end are told as all gone and all new, which is right but longer. Time is bounded by lines + TEXTDIFF_MAX_EDITS^2.
 */
#ifndef LEAT_BASE_TEXTDIFF_H
#define LEAT_BASE_TEXTDIFF_H

#include "base/arena.h"
#include "base/buf.h"

#define TEXTDIFF_MAX_EDITS 2000
#define TEXTDIFF_CONTEXT 3
#define TEXTDIFF_MAX_BYTES ((size_t)8 << 20) /* of a text that is worth it; for callers */

/* UTF-8 without a NUL byte. */
bool textdiff_is_text(struct str s);
/*
 * The same of any pieces (lines, tokens): gone[i]: x[i] is not in the other; added[j]: y[j] is new. Both are set for
 * all.
 */
void textdiff_pieces(const struct str *x, size_t n, const struct str *y, size_t m, bool *gone, bool *added);
/* Appends the hunks to *b; nothing where the texts are equal. */
void textdiff_write(struct buf *b, struct str old_text, struct str new_text);

#endif
