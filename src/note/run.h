/*
 * note/run.h: a notebook, run: its cells by an engine, and after each cell the notebook and its page on the disk.
 *
 * In the folder `dir`: BASE.ipynb (replaced whole, with papermill's metadata), BASE.html (grows), what is too long for
 * them, and at the very end NOTE_STATE. Without that file whoever started the process that ran it (it was killed, it
 * fell over) says so on both by note_finish. So there is always a page.
 */
#ifndef LEAT_NOTE_RUN_H
#define LEAT_NOTE_RUN_H

#include "note/notebook.h"

/*
 * {ok, cell, of, error: {ename, evalue}, text, python: {…}, metrics: {…}, forked: {cpu_ms, peak_kb, placed, left}}; the
 * last of an interpreter that was no child of this process (engine.h, struct engine_end).
 */
#define NOTE_STATE ".state.json"

struct engine_kind;
struct note_request {
	const char *file, *name;     /* where the notebook lies, and what the user calls it */
	const char *startup;         /* a Python file that runs before the first cell; NULL or "" */
	const char *dir, *base;
	struct str title, facts;     /* of the page: the job; ds and run */
	const struct dom *params, *offered; /* maps, or NULL */
	const char *python, *engine; /* the interpreter; "auto", "ipython", "python" */
	const char *kernel;          /* a kernel of Jupyter that the job names; NULL or "": as the notebook says */
	const char *zygote, *group;  /* python_warm.h; NULL */
	const struct engine_kind *sql; /* what runs SQL; NULL: a kernel of Jupyter */
	bool hide_input;
	size_t output_limit;         /* bytes of a cell (outputs.h); 0: as it is there */
	const char *const *env;      /* of the interpreter; NULL: ours */
	const char *metrics_file;    /* what METRIC_VARIABLE is in env (metrics.h); NULL */
	int64_t timeout_ms;          /* of the job, for the sentence; 0: none */
	int64_t grace_ms;            /* how long a cell has to end when it is asked to */
};

/* Runs it to the end, also to a bad one: *ok. -1 only if not even that could be told. */
must_check int note_run(const struct note_request *q, bool *ok, struct err *e);

/*
 * For one that was cut off: `why` becomes the error of the cell that ran, and the page is made anew from the notebook
 * in dir or, if that is not there, from q->file. *cell: which one, 0 if none ran.
 */
must_check int note_finish(const struct note_request *q, struct str why, size_t *cell, struct err *e);

#endif
