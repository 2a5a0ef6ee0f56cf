#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/pager.h"
#include "cli/show.h"
#include "sys/clock.h"
#include "sys/term.h"

/* A terminal is shown this many rows of a query unless --max-rows or a pager says otherwise. */
#define SQL_ROWS_ON_TERMINAL 40
/* Rows are kept to align them; a longer result is printed in pieces, each aligned by itself. */
#define PIECE_ROWS 2000

struct shower {
	struct arena *arena;     /* of the command */
	struct arena *piece;     /* of the rows kept now */
	const struct args *args;
	show_fn *fn;             /* how this operation's rows look; NULL: columns */
	struct grid *grid;
	struct str columns[32];
	struct str other;        /* columns of rows that have not the first of those */
	size_t n_columns, rows, shown, limit;
	bool sql, tty, head_done;
	unsigned width;
	struct show_state state;
};

static const struct {
	const char *op;
	show_fn *fn;
} showers[] = {
	{"init", show_note},       {"new", show_new},        {"playground", show_playground},
	{"status", show_status},   {"doctor", show_doctor},  {"config", show_config},
	{"put", show_commit_made}, {"rm", show_commit_made}, {"cp", show_commit_made}, {"commit", show_adopted},
	{"start", show_started},   {"finish", show_commit_made}, {"batch", show_batch}, {"wait", show_log},
	{"ls", show_entry},        {"tree", show_tree},      {"log", show_log},
	{"diff", show_diff},       {"fsck", show_finding},   {"run", show_run},
	{"backfill", show_run},    {"rerun", show_run},      {"plan", show_plan},
	{"whence", show_whence},
	{"why", show_why},         {"check", show_check},    {"schema", show_schema},
	{"test", show_test},
};

/* "a b | c d": of rows that have not `a`, c and d. */
static void set_columns(struct shower *s, struct str text)
{
	struct str word, rest = text;

	if (str_cut(text, '|', &rest, &s->other))
		s->other = str_trim(s->other);
	rest = str_trim(rest);
	s->n_columns = 0;
	while (rest.n && s->n_columns < ARRAY_LEN(s->columns)) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		s->columns[s->n_columns++] = word;
	}
}

struct shower *shower_new(struct arena *a, const struct args *args, const char *workspace_dir)
{
	struct shower *s = arena_new_of(a, struct shower);

	s->arena = a;
	s->piece = arena_new();
	s->args = args;
	s->tty = term_is_tty(STDOUT_FILENO);
	s->width = s->tty ? term_columns(STDOUT_FILENO) : 0;
	s->sql = !strcmp(args->op->name, "sql");
	s->state = (struct show_state){.arena = a, .args = args, .out = stdout, .width = s->width};
	for (size_t i = 0; i < ARRAY_LEN(showers); i++)
		if (!strcmp(showers[i].op, args->op->name))
			s->fn = showers[i].fn;
	set_columns(s, str_of(args->op->show));
	return s;
}

/* Columns of SHOW: of each row the keys of that name; times and seconds as people read them. */
static void columns_row(struct shower *s, const struct dom *row)
{
	BUG_IF(!s->n_columns); /* an operation that gives rows has a SHOW in ops.def, or a function here */
	if (!s->grid) {
		if (s->other.n && !dom_get(row, arena_cstr(s->piece, s->columns[0])))
			set_columns(s, arena_str(s->arena, s->other));
		s->grid = grid_new(s->piece, s->n_columns);
		for (size_t i = 0; i < s->n_columns; i++)
			grid_head(s->grid, i, s->columns[i], show_is_number_column(s->columns[i]));
	}
	for (size_t i = 0; i < s->n_columns; i++) {
		const struct dom *v = dom_get(row, arena_cstr(s->piece, s->columns[i]));

		if (v && v->type != DOM_NULL)
			grid_cell(s->grid, show_cell(s->piece, s->columns[i], v));
		else /* of a name that was taken away */
			grid_cell(s->grid, str_is(s->columns[i], "commit") && dom_get(row, "deleted") ? STR("deleted")
			                                                                              : STR(""));
	}
}

static void flush_piece(struct shower *s)
{
	if (s->grid)
		grid_print(s->grid, stdout, s->width, !s->head_done, s->sql ? "NULL" : "");
	s->head_done = s->head_done || s->grid;
	s->grid = NULL;
	if (!s->sql) /* the titles of a query are kept in it */
		arena_reset(s->piece);
}

static void sql_grid(struct shower *s)
{
	s->grid = grid_new(s->piece, s->n_columns);
	for (size_t i = 0; i < s->n_columns; i++)
		grid_head(s->grid, i, s->state.titles[i], s->state.right[i]);
}

int shower_head(struct shower *s, const struct dom *columns, struct err *e)
{
	struct str limit = STR_NULL;
	int64_t n;

	s->n_columns = columns->n;
	s->state.titles = arena_array(s->arena, struct str, columns->n);
	s->state.right = arena_array(s->arena, bool, columns->n);
	n = 0;
	dom_each (c, columns) {
		const struct dom *name = dom_get(c, "name"), *type = dom_get(c, "type");

		s->state.titles[n] = arena_str(s->arena, name->s);
		s->state.right[n++] = show_is_number_type(type->s);
	}
	if (!s->sql)
		return 0;
	limit = args_value(s->args, "max-rows");
	s->limit = SIZE_MAX;
	if (limit.p) {
		if (!str_to_i64(limit, &n) || n < 1)
			return err_set(e, ERR_BAD_REQUEST, "--max-rows '%.*s' is not a number from 1", STR_ARG(limit));
		s->limit = (size_t)n;
	} else if (s->tty && !pager_start(s->width)) {
		s->limit = SQL_ROWS_ON_TERMINAL;
	}
	sql_grid(s);
	return 0;
}

static int sql_row(struct shower *s, const struct dom *row)
{
	if (s->rows++ >= s->limit)
		return 0;
	s->shown++;
	dom_each (cell, row)
		grid_cell(s->grid, cell->type == DOM_NULL ? STR_NULL : cell->s);
	if (grid_rows(s->grid) >= PIECE_ROWS) {
		flush_piece(s);
		arena_reset(s->piece);
		sql_grid(s);
	}
	return 0;
}

static bool is_clean(struct arena *a, const struct dom *n)
{
	if (n->type == DOM_STR)
		return clean_text(a, n->s, "\n\t").p == n->s.p;
	if (n->type == DOM_LIST || n->type == DOM_MAP)
		dom_each (child, n)
			if (!is_clean(a, child))
				return false;
	return true;
}

static void clean(struct arena *a, struct dom *n)
{
	if (n->type == DOM_STR)
		n->s = clean_text(a, n->s, "\n\t");
	if (n->type == DOM_LIST || n->type == DOM_MAP)
		dom_each (child, n)
			clean(a, child);
}

/* What a show function prints was named by others: jobs, columns, files. */
static const struct dom *clean_row(struct arena *a, const struct dom *row)
{
	struct dom *copy;

	if (is_clean(a, row))
		return row;
	copy = dom_copy(a, row);
	clean(a, copy);
	return copy;
}

int shower_row(struct shower *s, const struct dom *row, struct err *e)
{
	if (s->sql)
		return s->grid ? sql_row(s, row) : 0;
	if (s->fn) {
		/* a diff that goes to a file or to patch is the bytes of the texts */
		s->fn(&s->state, s->fn == show_diff && !s->tty ? row : clean_row(s->arena, row));
		return 0;
	}
	columns_row(s, row);
	if (grid_rows(s->grid) >= PIECE_ROWS)
		flush_piece(s);
	return 0;
}

int shower_end(struct shower *s, bool failed, struct err *e)
{
	s->state.failed = failed;
	if (s->sql && s->n_columns) {
		flush_piece(s);
		if (s->shown < s->rows)
			printf("%s%zu of %zu rows shown; --max-rows N shows more%s\n", style_on(stdout, STYLE_DIM),
			       s->shown, s->rows, style_off(stdout));
		else if (s->tty || !s->rows)
			printf("%s%zu row%s%s\n", style_on(stdout, STYLE_DIM), s->rows, s->rows == 1 ? "" : "s",
			       style_off(stdout));
	} else {
		flush_piece(s);
	}
	if (s->fn)
		s->fn(&s->state, NULL);
	arena_free(s->piece);
	s->piece = NULL;
	pager_end();
	return 0;
}
