/* A graph as text, as DOT and as SVG. */
#include <stdlib.h>
#include <string.h>

#include "api/graph.h"
#include "base/err.h"
#include "base/str.h"

/* --- text --- */

#define GAP 3        /* columns between two names */
#define NAME_MAX_COLUMNS 34

struct canvas {
	struct arena *a;
	int width, height;
	char *cells; /* of bytes; names stand in `names` and are laid over */
	struct label {
		int x, y;
		struct str text;
	} *labels;
	size_t n, cap;
};

static void grow(struct canvas *c, int rows)
{
	char *cells = arena_alloc(c->a, (size_t)(c->height + rows) * (size_t)c->width + 1);

	memset(cells, ' ', (size_t)(c->height + rows) * (size_t)c->width);
	if (c->height)
		memcpy(cells, c->cells, (size_t)c->height * (size_t)c->width);
	c->cells = cells;
	c->height += rows;
}

static char *cell(struct canvas *c, int x, int y)
{
	return &c->cells[y * c->width + x];
}

static void upright(struct canvas *c, int x, int from, int to)
{
	for (int y = from; y < to; y++)
		if (*cell(c, x, y) != '+')
			*cell(c, x, y) = '|';
}

static void level(struct canvas *c, int y, int from, int to)
{
	for (int x = from; x <= to; x++)
		if (*cell(c, x, y) == ' ')
			*cell(c, x, y) = '-';
}

static void write_at(struct canvas *c, int middle, int y, struct str text)
{
	struct label l = {middle - (int)str_columns(text) / 2, y, text};
	struct {
		struct label *p;
		size_t n, cap;
	} v = {c->labels, c->n, c->cap};

	vec_push(c->a, &v, l);
	c->labels = v.p;
	c->n = v.n;
	c->cap = v.cap;
}

static int by_place(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return x->y != y->y ? (x->y < y->y ? -1 : 1) : x->x < y->x ? -1 : x->x > y->x;
}

static void print(struct canvas *c, struct buf *out)
{
	size_t k = 0;

	if (c->n)
		qsort(c->labels, c->n, sizeof(*c->labels), by_place);
	for (int y = 0; y < c->height; y++) {
		size_t begin = out->n;
		int x = 0;

		while (x < c->width) {
			if (k < c->n && c->labels[k].y == y && c->labels[k].x <= x) {
				buf_addstr(out, c->labels[k].text);
				x += (int)str_columns(c->labels[k++].text);
				continue;
			}
			buf_addc(out, *cell(c, x++, y));
		}
		while (out->n > begin && out->p[out->n - 1] == ' ')
			out->n--;
		out->p[out->n] = 0;
		buf_addc(out, '\n');
	}
}

/* "very/long...name" */
static struct str cut(struct arena *a, struct str name)
{
	size_t half = (NAME_MAX_COLUMNS - 3) / 2;

	if (str_columns(name) <= NAME_MAX_COLUMNS || !str_is_utf8(name) || str_columns(name) != name.n)
		return name;
	return arena_strf(a, "%.*s...%.*s", (int)half, name.p, (int)half, name.p + name.n - half);
}

static struct str job_label(struct arena *a, const struct graph_item *it)
{
	return arena_strf(a, "[%.*s]%s", STR_ARG(cut(a, it->job->name)), it->own ? " <- own" : "");
}

static bool one_name(const struct graph_item *it)
{
	return it->job && str_eq(it->job->name, it->repo);
}

static int width_of(struct arena *a, const struct graph_item *it)
{
	size_t repo = one_name(it) ? 0 : str_columns(cut(a, it->repo));

	return (int)(it->job ? MAX(str_columns(job_label(a, it)), repo) : repo);
}

/* One node with what it leads to below, and the row in which that is parted. */
struct way {
	const struct layers_node *from;
	int left, right, row; /* row -1: straight down */
};

static bool leads_to_column(const struct layers *l, const struct way *w, int x)
{
	for (size_t i = 0; i < w->from->n_down; i++)
		if (l->nodes[w->from->down[i]].x == x)
			return true;
	return false;
}

/* What comes together in one node may share a row. */
static bool overlap(const struct way *a, const struct way *b)
{
	if (a->from->n_down == 1 && b->from->n_down == 1 && a->from->down[0] == b->from->down[0])
		return false;
	return a->left <= b->right + 1 && b->left <= a->right + 1;
}

/*
 * Rows such that no two ways touch that do not end at one node: apart where they lie side by side, and the one that
 * comes from a column above the one that goes to it. Two that go to each other's columns cannot be told apart; they
 * are drawn as they come.
 */
static int rows_of(const struct layers *l, struct way *ways, size_t n)
{
	int rows = 0;

	for (size_t pass = 0, moved = 1; moved && pass <= n; pass++) {
		moved = 0;
		for (size_t i = 0; i < n; i++) {
			int row = ways[i].row;

			if (row < 0)
				continue;
			for (size_t k = 0; k < n; k++) {
				if (k == i || ways[k].row < 0)
					continue;
				if (leads_to_column(l, &ways[i], ways[k].from->x) && row <= ways[k].row)
					row = ways[k].row + 1;
				else if (k < i && row == ways[k].row && overlap(&ways[i], &ways[k]))
					row++, k = (size_t)-1; /* look at all again */
			}
			moved |= row != ways[i].row;
			ways[i].row = row;
		}
	}
	for (size_t i = 0; i < n; i++)
		rows = MAX(rows, ways[i].row + 1);
	return rows;
}

static void draw_gap(struct canvas *c, const struct layers *l, const struct layer *above)
{
	struct way *ways = arena_array(c->a, struct way, above->n);
	int top = c->height, rows, end;

	for (size_t i = 0; i < above->n; i++) {
		const struct layers_node *v = &l->nodes[above->nodes[i]];
		struct way *w = &ways[i];

		*w = (struct way){v, v->x, v->x, -1};
		for (size_t k = 0; k < v->n_down; k++) {
			int x = l->nodes[v->down[k]].x;

			w->left = MIN(w->left, x);
			w->right = MAX(w->right, x);
			w->row = w->left < w->right ? 0 : -1;
		}
	}
	rows = rows_of(l, ways, above->n);
	grow(c, rows + 1);
	end = top + rows;
	for (size_t i = 0; i < above->n; i++) {
		const struct way *w = &ways[i];
		int turn = w->row < 0 ? end : top + w->row;

		if (!w->from->n_down)
			continue;
		upright(c, w->from->x, top, turn);
		for (size_t k = 0; k < w->from->n_down; k++) {
			const struct layers_node *to = &l->nodes[w->from->down[k]];

			upright(c, to->x, turn, end);
			*cell(c, to->x, end) = to->passes ? '|' : 'v';
		}
	}
	for (size_t i = 0; i < above->n; i++) {
		const struct way *w = &ways[i];

		if (w->row < 0)
			continue;
		*cell(c, w->from->x, top + w->row) = '+';
		for (size_t k = 0; k < w->from->n_down; k++)
			*cell(c, l->nodes[w->from->down[k]].x, top + w->row) = '+';
		level(c, top + w->row, w->left, w->right);
	}
}

static void draw_names(struct canvas *c, const struct layers *l, const struct layer *layer,
                       const struct graph_item *const *items)
{
	bool two = false;
	int y = c->height;

	for (size_t i = 0; i < layer->n; i++) {
		const struct layers_node *v = &l->nodes[layer->nodes[i]];

		two |= !v->passes && items[layer->nodes[i]]->job && !one_name(items[layer->nodes[i]]);
	}
	grow(c, two ? 2 : 1);
	for (size_t i = 0; i < layer->n; i++) {
		const struct layers_node *v = &l->nodes[layer->nodes[i]];
		const struct graph_item *it = v->passes ? NULL : items[layer->nodes[i]];

		if (v->passes) {
			upright(c, v->x, y, c->height);
			continue;
		}
		if (it->job) {
			write_at(c, v->x, y, job_label(c->a, it));
			if (one_name(it) && two && v->n_down)
				upright(c, v->x, y + 1, c->height);
		}
		if (!one_name(it)) {
			if (!it->job && two && v->n_up)
				upright(c, v->x, y, y + 1);
			write_at(c, v->x, c->height - 1, cut(c->a, it->repo));
		}
	}
}

/* What is joined, as numbers of parts. */
static size_t parts_of(struct arena *a, const struct graph_view *v, size_t **out)
{
	size_t *part = arena_array(a, size_t, v->n), n = 0;

	for (size_t i = 0; i < v->n; i++)
		part[i] = i;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < v->n_edges; i++) {
			size_t x = part[v->edges[i].from], y = part[v->edges[i].to];

			moved |= x != y;
			part[v->edges[i].from] = part[v->edges[i].to] = MIN(x, y);
		}
	}
	for (size_t i = 0; i < v->n; i++)
		part[i] = part[i] == i ? n++ : part[part[i]];
	*out = part;
	return n;
}

static void add_list(struct arena *a, const struct graph_view *v, const size_t *part, size_t which, struct buf *out)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct graph_item *it = &v->items[i];
		const char *before = "  ";

		if (part[i] != which || !it->job)
			continue;
		buf_addf(out, "[%.*s]", STR_ARG(it->job->name));
		for (size_t k = 0; k < v->n_edges; k++)
			if (v->edges[k].to == i) {
				buf_addf(out, "%s%.*s", before, STR_ARG(v->items[v->edges[k].from].repo));
				before = ", ";
			}
		buf_addf(out, "%s-> %.*s\n", it->own ? " and its own " : " ", STR_ARG(it->repo));
	}
}

static bool draw_part(struct arena *a, const struct graph_view *v, const size_t *part, size_t which, int columns,
                      struct buf *out)
{
	size_t *number = arena_array(a, size_t, v->n), n = 0, m = 0;
	const struct graph_item **items = arena_array(a, const struct graph_item *, v->n);
	struct layers_edge *edges = arena_array(a, struct layers_edge, v->n_edges);
	int *widths = arena_array(a, int, v->n);
	struct canvas c = {.a = a};
	struct layers *l;

	for (size_t i = 0; i < v->n; i++) {
		if (part[i] != which)
			continue;
		items[n] = &v->items[i];
		widths[n] = width_of(a, &v->items[i]);
		number[i] = n++;
	}
	for (size_t i = 0; i < v->n_edges; i++)
		if (part[v->edges[i].from] == which)
			edges[m++] = (struct layers_edge){number[v->edges[i].from], number[v->edges[i].to]};
	if (!layers_place(a, widths, n, edges, m, GAP, &l) || l->width >= columns)
		return false;
	c.width = l->width + 1;
	for (size_t i = 0; i < l->n_layers; i++) {
		draw_names(&c, l, &l->layers[i], items);
		if (i + 1 < l->n_layers)
			draw_gap(&c, l, &l->layers[i]);
	}
	print(&c, out);
	return true;
}

void graph_ascii(struct arena *a, const struct graph_view *v, int columns, struct buf *out)
{
	size_t *part, n = parts_of(a, v, &part);

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, '\n');
		if (!draw_part(a, v, part, i, columns, out)) /* too wide for that */
			add_list(a, v, part, i, out);
	}
	if (v->n_alone)
		buf_addf(out, "%sno job reads or makes:", n ? "\n" : "");
	for (size_t i = 0; i < v->n_alone; i++)
		buf_addf(out, " %.*s", STR_ARG(v->alone[i]));
	if (v->n_alone)
		buf_addc(out, '\n');
}

/* --- DOT --- */

static void dot_text(struct buf *out, struct str s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

static void dot_edge(struct buf *out, const char *kind_from, struct str from, const char *kind_to, struct str to,
                     struct arena *a)
{
	buf_adds(out, "\t");
	dot_text(out, arena_strf(a, "%s %.*s", kind_from, STR_ARG(from)));
	buf_adds(out, " -> ");
	dot_text(out, arena_strf(a, "%s %.*s", kind_to, STR_ARG(to)));
	buf_adds(out, ";\n");
}

static void dot_node(struct buf *out, const char *kind, struct str name, const char *shape, struct arena *a)
{
	buf_adds(out, "\t");
	dot_text(out, arena_strf(a, "%s %.*s", kind, STR_ARG(name)));
	buf_adds(out, " [label=");
	dot_text(out, name);
	buf_addf(out, ", shape=%s];\n", shape);
}

void graph_dot(struct arena *a, const struct graph_view *v, struct buf *out)
{
	buf_adds(out, "digraph leat {\n\trankdir=TB;\n\tnode [fontname=\"sans-serif\"];\n");
	for (size_t i = 0; i < v->n; i++) {
		dot_node(out, "repo", v->items[i].repo, "cylinder", a);
		if (v->items[i].job)
			dot_node(out, "job", v->items[i].job->name, "box", a);
	}
	for (size_t i = 0; i < v->n_alone; i++)
		dot_node(out, "repo", v->alone[i], "cylinder", a);
	for (size_t i = 0; i < v->n; i++) {
		if (!v->items[i].job)
			continue;
		dot_edge(out, "job", v->items[i].job->name, "repo", v->items[i].repo, a);
		if (v->items[i].own)
			dot_edge(out, "repo", v->items[i].repo, "job", v->items[i].job->name, a);
	}
	for (size_t i = 0; i < v->n_edges; i++)
		dot_edge(out, "repo", v->items[v->edges[i].from].repo, "job", v->items[v->edges[i].to].job->name, a);
	buf_adds(out, "}\n");
}
