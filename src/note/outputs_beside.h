/*
 * note/outputs_beside.h: an output that is too large for the notebook, in a file beside it. HTML is written as the page
 * would show it (html_clean): whoever opens the file runs nothing of it.
 */
#ifndef LEAT_NOTE_OUTPUTS_BESIDE_H
#define LEAT_NOTE_OUTPUTS_BESIDE_H

#include "base/dom.h"

struct beside {
	const char *dir, *base;
	size_t cell;          /* number of the cell: files are BASE.cell-N.output-K.EXT */
	size_t limit;         /* bytes of texts; of images ten times as much */
	size_t texts, images; /* kept in the notebook */
	size_t files;         /* written */
	int64_t written;      /* bytes, of all cells */
};

/* A copy of an output (nbformat's) without what is over the limit; itself if nothing is. */
const struct dom *beside_fit(struct arena *a, struct beside *b, const struct dom *out);
const char *beside_size(struct arena *a, size_t n); /* "46.2 MB", "12 KB" */

#endif
