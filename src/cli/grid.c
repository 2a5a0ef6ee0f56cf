#include "cli/grid.h"

#include "base/clean.h"
#include "base/str.h"
#include "cli/cli.h"

#define GAP 2        /* blanks between columns */
#define CELL_MIN 6   /* no column is cut to less */

struct column {
	struct str title;
	bool right;
	size_t width;
};

struct grid {
	struct arena *arena;
	struct column *columns;
	size_t n;
	VEC(struct str) cells;
};

struct grid *grid_new(struct arena *a, size_t columns)
{
	struct grid *g = arena_new_of(a, struct grid);

	g->arena = a;
	g->n = columns;
	g->columns = arena_array(a, struct column, columns);
	return g;
}

void grid_head(struct grid *g, size_t column, struct str title, bool right)
{
	BUG_IF(column >= g->n);
	title = clean_text(g->arena, title, "");
	g->columns[column] = (struct column){arena_str(g->arena, title), right, str_columns(title)};
}

void grid_cell(struct grid *g, struct str text)
{
	struct column *c = &g->columns[g->cells.n % g->n];
	struct str cell = text.p ? arena_str(g->arena, clean_text(g->arena, text, "")) : STR_NULL;

	c->width = MAX(c->width, cell.p ? str_columns(cell) : 4);
	vec_push(g->arena, &g->cells, cell);
}

size_t grid_rows(const struct grid *g)
{
	return g->n ? g->cells.n / g->n : 0;
}

/* Takes width off the widest column, one at a time, until the row fits. */
static void fit(const struct grid *g, size_t max_width, size_t *widths)
{
	size_t total = 0;

	for (size_t i = 0; i < g->n; i++) {
		widths[i] = g->columns[i].width;
		total += widths[i] + (i ? GAP : 0);
	}
	while (max_width && total > max_width) {
		size_t widest = 0;

		for (size_t i = 1; i < g->n; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= CELL_MIN)
			return;
		widths[widest]--;
		total--;
	}
}

/* The longest start of s that fits `width` columns. */
static struct str cut(struct str s, size_t width)
{
	size_t n = 0;

	while (n < s.n) {
		size_t next = n + 1;

		while (next < s.n && ((unsigned char)s.p[next] & 0xC0) == 0x80)
			next++;
		if (str_columns((struct str){s.p, next}) > width)
			break;
		n = next;
	}
	return (struct str){s.p, n};
}

static void print_cell(FILE *f, struct str s, size_t width, bool right, bool last)
{
	size_t have = str_columns(s);
	bool is_cut = have > width;
	size_t pad;

	if (is_cut) {
		s = cut(s, width - 1);
		have = str_columns(s) + 1;
	}
	pad = width > have ? width - have : 0;
	if (right)
		fprintf(f, "%*s", (int)pad, "");
	fwrite(s.p, 1, s.n, f);
	if (is_cut)
		fputs("\u2026", f);
	if (!right && !last)
		fprintf(f, "%*s", (int)pad, "");
	if (!last)
		fprintf(f, "%*s", GAP, "");
}

void grid_print(const struct grid *g, FILE *f, size_t max_width, bool rule, const char *null_text)
{
	size_t *widths = arena_array(g->arena, size_t, g->n);

	fit(g, max_width, widths);
	if (rule) {
		fputs(style_on(f, STYLE_BOLD), f);
		for (size_t i = 0; i < g->n; i++)
			print_cell(f, g->columns[i].title, widths[i], g->columns[i].right, i + 1 == g->n);
		fprintf(f, "%s\n%s", style_off(f), style_on(f, STYLE_DIM));
		for (size_t i = 0; i < g->n; i++) {
			for (size_t k = 0; k < widths[i]; k++)
				fputc('-', f);
			fprintf(f, "%*s", i + 1 == g->n ? 0 : GAP, "");
		}
		fprintf(f, "%s\n", style_off(f));
	}
	for (size_t row = 0; row + g->n <= g->cells.n; row += g->n) {
		size_t n = g->n; /* without the empty cells at its end, which would leave blanks there */

		while (n > 1 && !(g->cells.p[row + n - 1].p ? g->cells.p[row + n - 1].n : strlen(null_text)))
			n--;
		for (size_t c = 0; c < n; c++) {
			struct str s = g->cells.p[row + c];
			print_cell(f, s.p ? s : str_of(null_text), widths[c], g->columns[c].right, c + 1 == n);
		}
		fputc('\n', f);
	}
}
