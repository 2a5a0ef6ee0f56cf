/*
 * note/page.h: what a run of a notebook writes: the notebook with what papermill's readers look for, and the page.
 *
 * Cells are numbered from 1 as they stand in the notebook that runs.
 */
#ifndef LEAT_NOTE_PAGE_H
#define LEAT_NOTE_PAGE_H

#include "note/run.h"

struct note_page {
	struct arena *a;
	const struct note_request *q;
	struct notebook nb;
	struct dom *run;             /* metadata.papermill of the notebook */
	const struct dom *python;    /* of the engine; NULL */
	size_t shown;                /* cells that are in the page */
	int fd;                      /* of the page; -1 */
	bool stale;                  /* a cell that is in the page has changed */
	int64_t saved_ms, save_cost_ms;
};

/* Of a cell's metadata.papermill: pending, running, completed, failed. */
void page_cell_status(struct note_page *p, size_t cell, const char *status);
void page_cell_times(struct note_page *p, size_t cell, int64_t began_ms, int64_t ended_ms, bool failed);

/* Takes away what a run before left: outputs, counts, banners. Then it may be begun. */
void page_clean(struct note_page *p);
must_check int page_begin(struct note_page *p, struct err *e);
/* Puts all cells before `to` into the page that are not in it. failed: the number of the cell that failed; 0. */
must_check int page_show(struct note_page *p, size_t to, size_t failed, struct err *e);
/*
 * The notebook as it stands. Where writing it costs much it may be put off, unless `now`: the milliseconds after which
 * it is to be saved then; 0: it is written; -1.
 */
must_check int64_t page_save(struct note_page *p, bool now, struct err *e);
/* The last word: banners, and both files whole. */
must_check int page_end(struct note_page *p, size_t failed, bool ok, struct str text, struct err *e);

/* A notebook's own file. */
must_check int page_read(struct arena *a, const char *file, const char *name, struct notebook *out, struct err *e);

#endif
