/*
 * api/schema.h: the names and types of one file, on disk or of a repo.
 */
#ifndef LEAT_API_SCHEMA_H
#define LEAT_API_SCHEMA_H

#include "api/api.h"
#include "db/duck.h"

/* A row of `leat schema`: name, format, delim, header, columns. Damaged and unknown files are errors. */
must_check int schema_of_file(struct api *api, struct duck *duck, const char *path, struct dom **out, struct err *e);
/* REPO[@PIN]:/PATH of a file; a folder is an error that says what to ask instead. */
must_check int schema_of_pin(struct api *api, struct duck *duck, struct str text, struct dom **out, struct err *e);
/* The list of {name, type} in a worker's reply. */
struct dom *schema_columns(struct arena *a, const struct dom *reply);

#endif
