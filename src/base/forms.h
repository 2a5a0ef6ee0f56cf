/*
 * base/forms.h: the forms that a text takes when mail, an editor or git passed it on: LF or CRLF at its line ends, with
 * or without a newline at its end, with or without a byte order mark. The hash of each, in one pass, so that a copy is
 * known by the hash of the original alone.
 */
#ifndef LEAT_BASE_FORMS_H
#define LEAT_BASE_FORMS_H

#include "base/hash.h"

#define FORMS_MAX 12

struct form {
	struct sha id;
	bool crlf, bom;
	int newlines; /* at its end; 0: none, 1, or as many as there were */
};

struct forms;
struct forms *forms_new(void) __attribute__((returns_nonnull));
void forms_add(struct forms *f, const void *p, size_t n);
/* Fills `out` and frees it; how many. 0: there is a zero byte, so it is no text. *was tells how the text itself was. */
size_t forms_end(struct forms *f, struct form out[FORMS_MAX], struct form *was);
void forms_free(struct forms *f); /* NULL is fine */

/* The hash of its plainest form: LF, no newline at the end, no mark. Zero where it is no text. */
struct sha forms_plain(struct str text);

#endif
