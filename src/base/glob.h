/*
 * base/glob.h: path globs: * ? [..] [!..] {a,b} ** @( ) +( ) *( ) ?( ) !( ), quoting with \. `*` and `?` stop at '/'.
 * Works on bytes that are UTF-8 (one `?` is one character). Time is bounded: polynomial in pattern × path.
 */
#ifndef LEAT_BASE_GLOB_H
#define LEAT_BASE_GLOB_H

#include "base/arena.h"
#include "base/err.h"

struct glob;
must_check int glob_compile(struct arena *a, struct str pattern, struct glob **out, struct err *e);
bool glob_match(const struct glob *g, struct str path);
bool glob_has_magic(struct str pattern);
/* The longest folder that every match lies in ("a/b" of "a/b/c*"), so that a walk need not start at the root. */
struct str glob_fixed_prefix(const struct glob *g);

#endif
