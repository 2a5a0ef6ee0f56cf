/*
 * note/notebook_in.h: between notebook.c and the files of the forms.
 */
#ifndef LEAT_NOTE_NOTEBOOK_IN_H
#define LEAT_NOTE_NOTEBOOK_IN_H

#include "note/notebook.h"

/* While a notebook is read. */
struct cells {
	struct cell *p;
	size_t n, cap;
};

struct cell *cells_add(struct arena *a, struct cells *v, enum cell_type type);

must_check int ipynb_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e);
void ipynb_write(struct arena *a, const struct notebook *nb, struct buf *out);
must_check int percent_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e);
void percent_write(struct arena *a, const struct notebook *nb, struct buf *out);
must_check int codecell_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e);
void codecell_write(struct arena *a, const struct notebook *nb, struct buf *out);

must_check int sqlcell_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e);
void sqlcell_write(struct arena *a, const struct notebook *nb, struct buf *out);
/* What stands behind the mark of a cell, `TITLE [markdown] key=JSON`: begins one; and the whole line, written. */
void percent_marker_read(struct arena *a, struct str rest, int64_t depth, struct cells *cells);
void percent_marker_write(const struct cell *c, const char *mark, struct str language, struct str args,
                          struct buf *out);

/* Text as comment lines, and back; a lone "#" stands for an empty line. */
void comment_write(struct buf *out, struct str text);
struct str comment_read(struct arena *a, struct str lines);
/* Without empty lines at its end. */
struct str lines_trim_end(struct str s);

#endif
