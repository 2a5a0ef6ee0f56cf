/*
 * sys/dl.h: libraries that are loaded when they are used, by a table of symbols.
 *
 * A library that is not there is ERR_NO_LIBRARY, a sentence with the package to install. Loaded ones stay.
 */
#ifndef LEAT_SYS_DL_H
#define LEAT_SYS_DL_H

#include "base/err.h"

struct dl_symbol {
	const char *name;
	void *where;   /* address of the function pointer to fill */
	bool optional; /* absent leaves NULL */
};
#define DL_SYM(fn, field) {.name = #fn, .where = &(field)}

struct dl_lib {
	const char *name;      /* for people: "DuckDB" */
	const char *package;   /* Debian package, "libpq5"; NULL if none */
	const char *how;       /* what to do where there is no package; may be NULL */
	const char *const *paths; /* sonames and paths to try, NULL-terminated; may be NULL */
	/* Or one by one, i = 0, 1, ...; NULL ends. Tried before paths. May be NULL. */
	const char *(*candidate)(unsigned i);
	const struct dl_symbol *symbols;
	size_t n_symbols;
	/* Set by dl_load. */
	void *handle;
	char path[4096]; /* where it was found */
};

/* Loaded already is fine and costs nothing. On failure no function pointer is changed. */
must_check int dl_load(struct dl_lib *lib, struct err *e);
/* Whether it could be loaded (it then is): for doctor. */
bool dl_there(struct dl_lib *lib);

#endif
