/*
 * base/str.h: what one does with the string pair (struct str of base.h). No function here allocates.
 */
#ifndef LEAT_BASE_STR_H
#define LEAT_BASE_STR_H

#include "base/base.h"

struct str str_of(const char *cstr); /* NULL gives STR_NULL */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *cstr);
int str_cmp(struct str a, struct str b); /* by bytes, shorter first; -1, 0, 1 */
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
struct str str_trim(struct str s); /* blanks, tabs, CR and LF off both ends */
struct str str_sub(struct str s, size_t from, size_t n); /* clipped to what is there */

/* Splits at the first (last) `sep`: true, and *head, *tail without it; false leaves both untouched. */
bool str_ieq(struct str a, struct str b); /* but for the case of ASCII letters */
must_check bool str_cut(struct str s, char sep, struct str *head, struct str *tail);
must_check bool str_rcut(struct str s, char sep, struct str *head, struct str *tail);

/* Takes the next line (without LF or CRLF) off *rest; false when *rest is empty. */
bool str_next_line(struct str *rest, struct str *line);

/* A whole decimal number and nothing else; false on anything else, overflow too, *out untouched. */
must_check bool str_to_i64(struct str s, int64_t *out);
must_check bool str_to_f64(struct str s, double *out);

bool str_is_utf8(struct str s);
/* Length 1..4 of the code point that s begins with, and the code point; 0 where that is no UTF-8, or s is empty. */
size_t str_utf8_get(struct str s, uint32_t *cp);
size_t str_utf8_put(uint32_t cp, char out[4]);
/* For messages: s with control bytes and what is no UTF-8 as '?', cut with "..." to `cap` bytes and a NUL. Returns out.
 */
#define STR_SHOW 120
const char *str_show(struct str s, char *out, size_t cap);
/* str_show in memory of the expression's block: printf("%s", STR_SHOWN(s)) */
#define STR_SHOWN(s) str_show((s), (char[STR_SHOW]){0}, STR_SHOW)
/* Columns on a terminal: code points, wide East Asian ones counted as two, combining ones as none. */
size_t str_columns(struct str s);

/*
 * Edit distance with transpositions (Damerau), for "did you mean". str_nearest gives the index of the nearest of `n`
 * candidates that is near enough to be worth saying (distance at most 1 + length / 4), else -1.
 */
size_t str_distance(struct str a, struct str b);
int str_nearest(struct str word, const struct str *candidates, size_t n);

#endif
