/*
 * note/notebook.h: a notebook in memory, and the files it comes from and goes to.
 *
 * Read are .ipynb of nbformat 3 and 4 (any minor), and Python files in cells: `# %%` ("percent", as VS Code, Spyder and
 * Jupytext write it) and `# <codecell>` (IPython's old form, dsflow's); SQL files with cells that begin with `-- %%`.
 * Written are .ipynb of nbformat 4.5, in the very layout of nbformat's own writer (keys sorted, one blank of indent,
 * text as lists of lines), and all these forms.
 * Sources: nbformat's documentation of the format (nbformat 4.5 schema; the upgrade from 3), and for percent Jupytext's
 * description of it; tests/py/notebooks.py has both as judges.
 *
 * All memory is the arena's. Metadata that is not known is kept as it is.
 */
#ifndef LEAT_NOTE_NOTEBOOK_H
#define LEAT_NOTE_NOTEBOOK_H

#include "base/dom.h"

#define NOTEBOOK_CELLS_MAX 100000
#define NOTEBOOK_BYTES_MAX DOM_MAX_BYTES

enum cell_type { CELL_CODE, CELL_MARKDOWN, CELL_RAW };

struct cell {
	enum cell_type type;
	struct str id;            /* 1 to 64 of [A-Za-z0-9_-], unique in the notebook */
	struct str source;        /* lines parted by \n, without one at the end unless the cell ends in an empty line */
	struct dom *metadata;     /* a map, never NULL */
	struct dom *attachments;  /* a map, or NULL */
	struct dom *outputs;      /* a list, never NULL for code: as in nbformat 4; strings may be lists of strings */
	int64_t count;            /* execution_count; 0: null */
	int line;                 /* 1-based, of the file it was read from, where its source begins; 0: not known */
};

struct notebook {
	struct dom *metadata; /* a map, never NULL */
	struct cell *cells;
	size_t n;
};

enum notebook_form { NOTEBOOK_IPYNB, NOTEBOOK_PERCENT, NOTEBOOK_CODECELL, NOTEBOOK_SQL };

/* The form by name of a file and, for Python, its content; -1 with *e if it can be none. */
must_check int notebook_form(struct str name, struct str text, enum notebook_form *out, struct err *e);

/* `name` is the file as the user names it. ERR_BAD_DATA with its place. */
must_check int notebook_read(struct arena *a, struct str text, const char *name, enum notebook_form form,
                             struct notebook *out, struct err *e);
/* Appends the file's text. What the form cannot hold is left out: outputs, counts and ids in Python. */
void notebook_write(struct arena *a, const struct notebook *nb, enum notebook_form form, struct buf *out);

bool cell_has_tag(const struct cell *c, const char *tag);
void cell_add_tag(struct arena *a, struct cell *c, const char *tag);
const char *cell_type_word(enum cell_type t); /* "code" */
/* A string, or a list of strings joined; STR_NULL for anything else. */
struct str notebook_text(struct arena *a, const struct dom *v);
/* Gives ids to cells that have none, or a wrong one, or that of a cell before: from their source, so the same again. */
void notebook_ids(struct arena *a, struct notebook *nb);

#endif
