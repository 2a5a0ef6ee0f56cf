/*
 * note/kernel.h: Jupyter kernels of any language: where they are described. As an engine one is engine_kernel
 * (note/engine.h, kernel.c): Jupyter's messaging protocol 5 ("Messaging in Jupyter", jupyter-client's documentation)
 * over ZMTP (note/zmtp.h), on sockets in a private folder, or on TCP of this machine for kernels that know nothing
 * else.
 */
#ifndef LEAT_NOTE_KERNEL_H
#define LEAT_NOTE_KERNEL_H

#include "base/dom.h"

#define KERNEL_ARGS_MAX 64

/* What a kernel.json says. Strings are the arena's. */
struct kernel_spec {
	const char *name;     /* of its folder: "ir" */
	const char *display;  /* "R" */
	const char *language; /* "R", as it writes it */
	const char *folder;
	const char *argv[KERNEL_ARGS_MAX + 1]; /* with {connection_file} and {resource_dir} still in them */
	struct dom *env;      /* a map, or NULL */
	bool interrupt_by_message;
};

/*
 * Looks for the kernel in Jupyter's folders, in its order: `jupyter_path` (JUPYTER_PATH, NULL = none), HOME's, the
 * interpreters' (`prefixes`, NULL-terminated: "/opt/venv"), the system's. `name` first; where there is none of that
 * name (or NULL) the first of that `language` (NULL = by name only). ERR_NO_LIBRARY names the package to install.
 */
struct kernel_where {
	const char *jupyter_path, *home;
	const char *const *prefixes;
};
must_check int kernel_find(struct arena *a, const struct kernel_where *w, const char *name, const char *language,
                           struct kernel_spec *out, struct err *e);

/*
 * A folder for the sockets of a kernel, which lives as long as *held is open; those of processes that have died without
 * a word are swept. Who closes *held removes it.
 */
must_check int kernel_folder(struct arena *a, const char **dir, int *held, struct err *e);

#endif
