/*
 * cli/show.h: how the rows of each operation look to people. A show function gets every row, then NULL once at the end.
 */
#ifndef LEAT_CLI_SHOW_H
#define LEAT_CLI_SHOW_H

#include <stdio.h>

#include "api/ops.h"
#include "base/dom.h"

struct grid;
struct plan_view; /* show_plan.c */

struct show_state {
	struct arena *arena; /* of the command */
	const struct args *args;
	FILE *out;
	unsigned width;      /* columns to use */
	struct grid *grid;   /* rows kept to align them */
	bool failed;         /* an error follows: what the rows sum up to is not known */
	bool why_all;        /* why -v */
	size_t n;            /* rows seen */
	int64_t a, b, c;     /* counters of the operation's own */
	struct plan_view *plan;
	struct str *titles;  /* of a query */
	bool *right;
};

typedef void show_fn(struct show_state *s, const struct dom *row);

show_fn show_note, show_new, show_status, show_doctor, show_config, show_commit_made, show_started,
	show_batch, show_adopted, show_entry, show_tree, show_log, show_diff, show_finding, show_run, show_plan,
	show_why, show_whence, show_check, show_schema, show_playground, show_test;

/* The first rows of a table: {preview, columns, rows, more}. */
void show_preview(struct show_state *s, const struct dom *row);
/* A scalar as people read it; keys that end a time (…started, finished, at) arrive as text already. */
struct str show_value(struct arena *a, const struct dom *v);
struct str show_text(const struct dom *row, const char *key); /* "" if absent or no text */
int64_t show_int(const struct dom *row, const char *key);
/* What a column of that key shows: times as "2026-11-21 06:45" (UTC), ids by their first 12 digits, the rest as
 * show_value. */
struct str show_cell(struct arena *a, struct str key, const struct dom *v);
bool show_is_number_type(struct str sql_type);
/* Of a column of SHOW (ops.def): counts and bytes stand to the right. */
bool show_is_number_column(struct str key);
char *show_bytes(struct arena *a, int64_t n); /* "1.4 MB" */

#endif
