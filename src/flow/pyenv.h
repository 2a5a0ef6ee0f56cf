/*
 * flow/pyenv.h: Python environments of jobs (`environment:`): .leat/cache/env/ID holds one, named by the hash of the
 * files that it is made of and of the interpreter that it is made from. It is made once, beside and under a lock, and
 * renamed when it is whole; then nothing of it changes. Who needs it says so each time, by the date of its folder:
 * those that were not needed for long are let go by gc (pyenv_gc).
 *
 *   ID/venv/        the virtual environment     ID/files/     what it was made of       ID/about.json, ID/log
 *   ID.lock         held by who makes it and by its pip       ID.failed.log  of the last try that failed
 *
 * The folder of a virtual environment that the user has made is taken as it is.
 */
#ifndef LEAT_FLOW_PYENV_H
#define LEAT_FLOW_PYENV_H

#include "flow/flow.h"

#define PYENV_SEEN "/leat/environment" /* by a task with a root of its own */
#define PYENV_ID 24

enum pyenv_form { PYENV_REQUIREMENTS, PYENV_PIPFILE, PYENV_PIPFILE_LOCK, PYENV_UV, PYENV_POETRY, PYENV_CONDA };
/* By the name of a file; false: it is none of them. */
bool pyenv_form(const char *name, enum pyenv_form *out);

struct pyenv {
	const char *dir;        /* the virtual environment, absolute */
	const char *name;       /* what it is made of, as the user calls it */
	bool ours;              /* in .leat/cache/env */
	char id[PYENV_ID + 1];  /* of ours */
};

/* Something that takes long, for people. */
typedef void pyenv_note(void *ptr, const char *text);

/*
 * The environment of the job, made if it is not there; *out NULL: it has none. How it failed is remembered: a second
 * call fails at once. It waits for another command that makes the same, and ends early when a signal is pending that
 * asks this process to end.
 */
must_check int pyenv_need(struct flow *f, const struct job *j, pyenv_note *note, void *ptr, const struct pyenv **out,
                          struct err *e);
/* One of files that no job names: `file` is absolute, base NULL: python3 of the tasks' PATH. */
must_check int pyenv_make(struct flow *f, const char *file, const char *name, const char *base, pyenv_note *note,
                          void *ptr, const struct pyenv **out, struct err *e);

/* What the interpreter is that tasks find by that name, or the venv's: {version, implementation, executable, real}. */
must_check int pyenv_about(struct flow *f, struct arena *a, const char *python, const struct dom **out, struct err *e);

/* Those that were not needed for keep_ms, and what a killed build left. */
must_check int pyenv_gc(struct store *s, int64_t keep_ms, bool dry_run, int64_t *n, int64_t *bytes, struct err *e);

/* For pyenv.c: makes req.dir. Its lock is not held yet. */
struct pyenv_file {
	const char *path; /* from the workspace, or absolute */
	struct sha sha;
};
struct pyenv_request {
	struct flow *flow;
	const char *base, *version; /* the interpreter, and which it is */
	const char *root;           /* .leat/cache/env */
	const char *name, *main;    /* main: path of the first file */
	enum pyenv_form form;
	const struct pyenv_file *files;
	size_t n_files;
	pyenv_note *note;
	void *ptr;
};
must_check int pyenv_build(struct arena *a, const struct pyenv_request *q, const char *id, struct err *e);
bool pyenv_asked_to_end(void);

extern const char pyenv_script[]; /* python/environment.py */

#endif
