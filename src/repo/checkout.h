/*
 * repo/checkout.h: a folder of the user's that shows one pin, read-only.
 *
 * DIR/.leat-checkout (JSON) says what it shows and when its files were written. A file whose ctime lies within such a
 * time and whose size is right is as it was put there (nobody can set a ctime); any other file is hashed before it is
 * believed. A new folder is built beside DIR and renamed; one that is there is marked "incomplete" while it is
 * changed, each file by one rename. So a crash leaves either no DIR, or one that says of itself that it is not whole,
 * and the next checkout to it, of whatever pin, makes it whole.
 *
 * What users changed in it is refused by name, or overwritten with `force`; their own files stay.
 */
#ifndef LEAT_REPO_CHECKOUT_H
#define LEAT_REPO_CHECKOUT_H

#include "repo/commit.h"

#define CHECKOUT_FILE ".leat-checkout"
#define CHECKOUT_TEMPS ".leat-checkout.tmp" /* a folder: what is being written in one that changes */
#define CHECKOUT_FORMAT 1
#define CHECKOUT_SPANS 32     /* times of writing that are kept; files of older ones are hashed when they matter */
#define CHECKOUT_NAMED 5      /* files of the user's that an error names */

struct checkout_opts {
	const struct pin *pin;
	const struct entry *root; /* the folder that the pin names */
	const char *dir;
	bool force;
};
struct checkout_done {
	const char *dir; /* absolute */
	bool fresh;
	int64_t written, removed, same;
	int64_t bytes; /* written */
};
must_check int checkout_run(struct store *s, struct arena *a, const struct checkout_opts *o, struct checkout_done *out,
                            struct err *e);

#endif
