#include "base/err.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"

static const struct {
	const char *word;
	int exit_status, http;
} codes[ERR_COUNT] = {
	[ERR_NONE] = {"none", 0, 200},
#define E(name, word, exit_status, http, text) [ERR_##name] = {word, exit_status, http},
#include "defs/errors.def"
#undef E
};

/* snprintf into a fixed field; what is too long ends in "..." */
static void put(char *to, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(to, cap, fmt, ap);

	if (n >= 0 && (size_t)n >= cap)
		memcpy(to + cap - 4, "...", 4);
}

int err_vset(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
	char msg[sizeof(e->msg)]; /* the arguments may point into *e */

	put(msg, sizeof(msg), fmt, ap);
	err_clear(e);
	e->code = code;
	memcpy(e->msg, msg, sizeof(msg));
	return -1;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, code, fmt, ap);
	va_end(ap);
	return -1;
}

static enum err_code code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_PERMISSION;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	default:
		return ERR_IO;
	}
}

int err_errno(struct err *e, int errnum, const char *fmt, ...)
{
	va_list ap;
	char what[sizeof(e->msg)];

	va_start(ap, fmt);
	put(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set(e, code_of_errno(errnum), "%s: %s", what, strerror(errnum));
	if (e->code == ERR_DISK_FULL)
		err_hint(e, "free some space and run it again; nothing that was acknowledged is lost");
	return -1;
}

int err_at(struct err *e, const char *file, int line, int col)
{
	if (e->file[0])
		return -1;
	snprintf(e->file, sizeof(e->file), "%s", file ? file : "");
	e->line = line;
	e->col = col;
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;
	char hint[sizeof(e->hint)];

	va_start(ap, fmt);
	put(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	memcpy(e->hint, hint, sizeof(hint));
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	va_list ap;
	char what[512], old[sizeof(e->msg)];

	va_start(ap, fmt);
	put(what, sizeof(what), fmt, ap);
	va_end(ap);
	memcpy(old, e->msg, sizeof(old));
	if (snprintf(e->msg, sizeof(e->msg), "%s: %s", what, old) >= (int)sizeof(e->msg))
		memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
	return -1;
}

void err_clear(struct err *e)
{
	e->code = ERR_NONE;
	e->line = e->col = 0;
	e->file[0] = e->msg[0] = e->hint[0] = '\0';
}

char *err_text(struct arena *a, const struct err *e)
{
	if (!e->file[0])
		return arena_dup(a, e->msg);
	if (!e->line)
		return arena_printf(a, "%s: %s", e->file, e->msg);
	return arena_printf(a, "%s:%d:%d: %s", e->file, e->line, e->col, e->msg);
}

const char *err_word(enum err_code code)
{
	return codes[code].word;
}

int err_exit_status(enum err_code code)
{
	return codes[code].exit_status;
}

int err_http_status(enum err_code code)
{
	return codes[code].http;
}

enum err_code err_code_of_word(struct str word)
{
	for (size_t i = 1; i < ERR_COUNT; i++)
		if (strlen(codes[i].word) == word.n && !memcmp(codes[i].word, word.p, word.n))
			return (enum err_code)i;
	return ERR_INTERNAL;
}
