/*
 * base/clean.h: texts of others (names, data, messages) where they are shown: nothing in them drives a terminal.
 */
#ifndef LEAT_BASE_CLEAN_H
#define LEAT_BASE_CLEAN_H

#include "base/arena.h"

/* Control characters but those in `keep` as \n, \r, \t or \xNN. s itself if there are none. */
struct str clean_text(struct arena *a, struct str s, const char *keep);

#endif
