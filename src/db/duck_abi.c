#include "db/duck_abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "sys/dl.h"
#include "sys/path.h"
#include "sys/proc.h"

struct duck_abi duckdb;

static const struct dl_symbol symbols[] = {
#define F(ret, fn, args) {.name = "duckdb_" #fn, .where = &duckdb.fn},
	DUCK_ABI(F)
#undef F
};

static const char *const sonames[] = {"libduckdb.so", NULL};

/* A program in a folder build*: the checkout above it holds .deps/, filled by the set-up. */
static const char *in_checkout(char *out, size_t cap)
{
	struct arena *a = arena_new();
	const char *found = NULL;

	for (char *dir = path_dir(a, proc_self_exe()); !found && strcmp(dir, "/"); dir = path_dir(a, dir))
		if (!strncmp(path_base(a, dir), "build", 5) &&
		    snprintf(out, cap, "%s/.deps/libduckdb.so", path_dir(a, dir)) < (int)cap)
			found = out;
	arena_free(a);
	return found;
}

static const char *candidate(unsigned i)
{
	static char installed[4096], checkout[4096];
	static const char *list[3];
	static unsigned n;

	if (!n) {
		struct arena *a = arena_new();

		if (getenv("LEAT_LIBDUCKDB"))
			list[n++] = getenv("LEAT_LIBDUCKDB");
		snprintf(installed, sizeof(installed), "%s/../lib/leat/libduckdb.so", path_dir(a, proc_self_exe()));
		list[n++] = installed;
		if (in_checkout(checkout, sizeof(checkout)))
			list[n++] = checkout;
		arena_free(a);
	}
	return i < n ? list[i] : NULL;
}

static struct dl_lib library = {
	.name = "DuckDB",
	.how = "run tools/setup in the checkout, or name the library in LEAT_LIBDUCKDB",
	.paths = sonames,
	.candidate = candidate,
	.symbols = symbols,
	.n_symbols = ARRAY_LEN(symbols),
};

int duck_abi_load(struct err *e)
{
	return dl_load(&library, e);
}

const char *duck_abi_would_load(void)
{
	const char *path;

	for (unsigned i = 0; (path = candidate(i)); i++)
		if (!access(path, R_OK))
			return path;
	return NULL;
}

const char *duck_abi_path(void)
{
	return library.path;
}
