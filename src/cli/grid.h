/*
 * cli/grid.h: aligned columns for a terminal. Cells are text; numbers are right-aligned if the column says so; widths
 * count terminal columns; cells wider than their share of the terminal are cut with an ellipsis (never when piped).
 */
#ifndef LEAT_CLI_GRID_H
#define LEAT_CLI_GRID_H

#include <stdio.h>

#include "base/arena.h"

struct grid;
struct grid *grid_new(struct arena *a, size_t columns);
void grid_head(struct grid *g, size_t column, struct str title, bool right);
/* A cell of the row being filled; STR_NULL shows as `null_text`. After the last column the next row begins. */
void grid_cell(struct grid *g, struct str text);
size_t grid_rows(const struct grid *g);
/* max_width 0 = as wide as it takes. rule: a line under the titles. */
void grid_print(const struct grid *g, FILE *f, size_t max_width, bool rule, const char *null_text);

#endif
