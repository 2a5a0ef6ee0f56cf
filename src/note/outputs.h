/*
 * note/outputs.h: what one cell gives while it runs, until it is the cell's list of outputs.
 *
 * Pieces of one stream that follow each other are one output. A cell has a limit: half of it for each of its streams,
 * of which the first bytes are kept in the notebook and all goes into a file beside it if there is more; all of it for
 * the texts that it shows otherwise, of which those that go beyond it are files beside it (outputs_beside.h).
 */
#ifndef LEAT_NOTE_OUTPUTS_H
#define LEAT_NOTE_OUTPUTS_H

#include "note/notebook.h"

#define OUTPUT_LIMIT ((size_t)1 << 20)     /* of a cell, unless the job says another */
#define OUTPUT_FILE_MAX ((int64_t)4 << 30) /* in files beside */

struct outputs;

/* `dir`, `base`: the files beside the notebook are dir/base.cell-N.stdout.txt. limit 0: OUTPUT_LIMIT. */
struct outputs *outputs_new(struct arena *a, const char *dir, const char *base, size_t limit)
	__attribute__((returns_nonnull));
/* After the last look at what outputs_end gave. NULL is fine. */
void outputs_free(struct outputs *o);
/* An output as nbformat has it; data and meta may be NULL, or no maps. `count`: of a result; NULL: it is only shown. */
struct dom *outputs_one(struct arena *a, const struct dom *data, const struct dom *meta, const int64_t *count);
void outputs_begin(struct outputs *o, size_t number); /* of the next cell */
void outputs_stream(struct outputs *o, bool err, struct str text);
void outputs_add(struct outputs *o, const struct dom *out, struct str id); /* id: display_id, or STR_NULL */
/* In place of all that have that id, in this cell or one before. True: in one before, which has been shown. */
bool outputs_update(struct outputs *o, const struct dom *out, struct str id);
void outputs_clear(struct outputs *o, bool wait);
void outputs_end(struct outputs *o, struct dom *list); /* as nbformat has them */

#endif
