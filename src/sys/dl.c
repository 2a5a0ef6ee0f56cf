#include "sys/dl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

/* All or nothing: pointers are written only when every needed symbol is there. */
static int fill(struct dl_lib *lib, void *handle, const char *path, struct err *e)
{
	for (size_t i = 0; i < lib->n_symbols; i++)
		if (!lib->symbols[i].optional && !dlsym(handle, lib->symbols[i].name)) {
			err_set(e, ERR_NO_LIBRARY, "%s at %s has no function %s", lib->name, path,
			        lib->symbols[i].name);
			return err_hint(e, "leat does not know this version; tools/setup installs the right one");
		}
	for (size_t i = 0; i < lib->n_symbols; i++) {
		void *f = dlsym(handle, lib->symbols[i].name);

		memcpy(lib->symbols[i].where, &f, sizeof(f));
	}
	return 0;
}

/* 1 = loaded, 0 = not there, -1 = there and unusable (the reason is kept: it is more than "not installed"). */
static int try_path(struct dl_lib *lib, const char *path, struct err *e)
{
	void *handle;

	/* A path that is not there is no reason worth telling; a soname only dlopen can look up. */
	if (strchr(path, '/') && access(path, R_OK))
		return 0;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		const char *why = dlerror();

		if (!strchr(path, '/'))
			return 0;
		return err_set(e, ERR_NO_LIBRARY, "%s cannot be loaded: %s", lib->name, why ? why : path);
	}
	if (fill(lib, handle, path, e)) {
		dlclose(handle);
		return -1;
	}
	lib->handle = handle;
	snprintf(lib->path, sizeof(lib->path), "%s", path);
	return 1;
}

static const char *nth_path(const struct dl_lib *lib, unsigned *i, unsigned *k)
{
	const char *path = lib->candidate ? lib->candidate(*i) : NULL;

	if (path) {
		(*i)++;
		return path;
	}
	return lib->paths ? lib->paths[(*k)++] : NULL;
}

int dl_load(struct dl_lib *lib, struct err *e)
{
	struct err first = ERR_INIT, late;
	const char *path;
	unsigned i = 0, k = 0;

	if (lib->handle)
		return 0;
	while ((path = nth_path(lib, &i, &k))) {
		late = (struct err)ERR_INIT;
		if (try_path(lib, path, &late) == 1)
			return 0;
		if (!first.code && late.code)
			first = late;
	}
	if (first.code) {
		*e = first;
		return -1;
	}
	err_set(e, ERR_NO_LIBRARY, "%s is not installed", lib->name);
	if (lib->package)
		err_hint(e, "apt install %s", lib->package);
	else if (lib->how)
		err_hint(e, "%s", lib->how);
	return -1;
}

bool dl_there(struct dl_lib *lib)
{
	struct err e = ERR_INIT;

	return !dl_load(lib, &e);
}
