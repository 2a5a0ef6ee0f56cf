/*
 * sys/term.h: what is known of the terminal. Asks only; never prints.
 */
#ifndef LEAT_SYS_TERM_H
#define LEAT_SYS_TERM_H

#include "base/base.h"

bool term_is_tty(int fd);
/* COLUMNS if it is a number, else the terminal's width, else 80; at least 20. */
unsigned term_columns(int fd);
unsigned term_rows(int fd); /* LINES, the terminal's, else 24 */
/* A terminal, NO_COLOR unset or empty, TERM not "dumb". CLICOLOR_FORCE (not "0") wins where NO_COLOR is unset. */
bool term_colour(int fd);
/* LEAT_PAGER, else PAGER, else "less -FRSX" if less is there. NULL = none: also "cat", "", and no terminal on fd 1. */
const char *term_pager(void);
bool term_utf8(void); /* whether LC_ALL, LC_CTYPE or LANG (the first that is set) names UTF-8 */

#endif
