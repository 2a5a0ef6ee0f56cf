/*
 * note/html.h: a notebook as one HTML page, made cell by cell, without anything from outside and without scripts.
 *
 * The page can be cut off after any cell: it is whole HTML5 as far as it goes, and what comes later is appended. So a
 * banner that is known only at the end stands at the end, and is shown at the top (flex order). Nothing that a notebook
 * holds is executed: HTML of outputs is rebuilt from what is known to be harmless (html_clean), images are data, and
 * the page's own policy forbids the rest. Colours follow the reader's light or dark.
 */
#ifndef LEAT_NOTE_HTML_H
#define LEAT_NOTE_HTML_H

#include "note/notebook.h"

#define HTML_OUTPUT_MAX ((size_t)4 << 20) /* bytes of one output that are shown */

struct html_page {
	struct str title;
	struct str facts; /* one line below the title: job, ds, run; may be STR_NULL */
	bool hide_input;  /* report mode: of all cells */
};

/* What is said of a cell beside what it holds. */
struct html_cell {
	size_t number;      /* from 1: its anchor is #cell-N */
	bool failed;        /* also anchored as #error */
	bool skipped;       /* tagged so, or not come to */
	int64_t ms;         /* how long it took; -1: it did not run */
};

void html_begin(struct buf *out, const struct html_page *p);
void html_cell(struct arena *a, struct buf *out, const struct html_page *p, const struct cell *c,
               const struct html_cell *about);
/* At the end: how it went. failed: the number of the cell that the banner links to; 0: none. */
void html_end(struct buf *out, bool ok, size_t failed, struct str text);

/* --- parts, for other pages too --- */

void html_text(struct buf *out, struct str s); /* escaped */
/* Terminal output: colours and weight kept, carriage returns overwrite their line, all other controls dropped. */
void html_ansi(struct buf *out, struct str s);
/* HTML from elsewhere, rebuilt: known elements and attributes only, every one closed. */
void html_clean(struct buf *out, struct str s);
void html_python(struct buf *out, struct str s); /* with words, strings and comments marked */
/* Markdown (CommonMark with GitHub's tables; raw HTML is text). As it stands where libmd4c is not installed. */
void html_markdown(struct arena *a, struct buf *out, struct str s);

#endif
