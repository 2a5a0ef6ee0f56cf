/*
 * repo/blob_in.h: between blob.c and blob_recipe.c.
 */
#ifndef LEAT_REPO_BLOB_IN_H
#define LEAT_REPO_BLOB_IN_H

#include "repo/blob.h"

typedef int blob_sink(void *ptr, const void *p, size_t n, struct err *e);

/* A packed or small object, into at->size bytes, checked. ERR_NOT_FOUND: it has moved since it was looked for. */
must_check int blob_whole_object(struct store *s, const struct sha *id, const struct blob_at *at, char *out,
				 struct err *e);
/* All bytes in order; when the last have been given and the whole is not the object, ERR_DAMAGED. */
must_check int recipe_stream(struct store *s, const struct sha *id, int64_t size, blob_sink *sink, void *ptr,
			     struct err *e);
must_check int recipe_read(struct store *s, const struct sha *id, int64_t from, char *out, size_t n, size_t *got,
			   struct err *e);

#endif
