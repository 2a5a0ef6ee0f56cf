/*
 * base/err.h: the one error shape.
 *
 * Convention: int f(..., struct err *e) returns 0 or -1. On success *e is untouched; on failure it is filled and the
 * outputs are untouched. The caller owns the struct (on its stack, ERR_INIT). Messages are for the user: one sentence
 * that starts in lower case without a full stop, naming the thing in the user's words; the hint says what to do.
 * Context is put in front on the way up: err_wrap(e, "job %s", name) gives "job trips: ...".
 */
#ifndef LEAT_BASE_ERR_H
#define LEAT_BASE_ERR_H

#include <stdarg.h>

#include "base/base.h"

enum err_code {
	ERR_NONE = 0,
#define E(name, word, exit_status, http, text) ERR_##name,
#include "defs/errors.def"
#undef E
	ERR_COUNT
};

struct err {
	enum err_code code;
	int line, col;   /* 1-based place in .file; 0 = none */
	char file[256];  /* the user's file, as the user would name it (relative to the workspace); "" = none */
	char msg[1024];  /* longer ones are cut with "..." */
	char hint[512];  /* "" = none */
};
#define ERR_INIT {.code = ERR_NONE}

/* All of these return -1, so that a failing function ends in `return err_set(e, ...)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) printf_like(3, 4);
int err_vset(struct err *e, enum err_code code, const char *fmt, va_list ap);
/* "<message>: No space left on device"; the code follows the errno (DISK_FULL, PERMISSION, NOT_FOUND, else IO). */
int err_errno(struct err *e, int errnum, const char *fmt, ...) printf_like(3, 4);
/* Names the place in the user's file; line and col may be 0. Keeps a place that is already there. */
int err_at(struct err *e, const char *file, int line, int col);
int err_hint(struct err *e, const char *fmt, ...) printf_like(2, 3);
/* Puts context in front of the message. */
int err_wrap(struct err *e, const char *fmt, ...) printf_like(2, 3);
void err_clear(struct err *e);
/* "jobs/x/job.yaml:3:5: unknown key", without a place that is not known. */
struct arena;
char *err_text(struct arena *a, const struct err *e);

const char *err_word(enum err_code code);     /* "not-found" */
int err_exit_status(enum err_code code);      /* 1 or 2 */
int err_http_status(enum err_code code);
enum err_code err_code_of_word(struct str word); /* ERR_INTERNAL if unknown; for errors that cross a process */

#endif
