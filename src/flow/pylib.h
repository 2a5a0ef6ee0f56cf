/*
 * flow/pylib.h: the Python package `leat` (clients/python), which is inside the program, as a folder that Python
 * finds it in: .leat/cache/python/HASH, named by its content, made when it is first asked for, never changed.
 *
 * Whoever starts a Python puts it at the end of PYTHONPATH, behind what the job says: so the job's own PYTHONPATH and
 * the code beside a script win over it, and it wins over what is installed, since it and this program fit each other.
 * A process with a root of its own sees it at PYLIB_SEEN, mounted read-only.
 */
#ifndef LEAT_FLOW_PYLIB_H
#define LEAT_FLOW_PYLIB_H

#include "base/arena.h"
#include "base/embedded.h"
#include "base/err.h"

#define PYLIB_SEEN "/leat/python"

/* *dir: absolute, in the arena; it holds the folder leat/. Several processes may ask at once. */
must_check int pylib_dir(struct arena *a, const char *leat_dir, const char **dir, struct err *e);

/* The table that tools/embed writes: "leat/__init__.py", ... */
extern const struct embedded pylib_files[];
extern const size_t n_pylib_files;

#endif
