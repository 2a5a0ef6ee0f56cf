/* A graph as a picture that needs nothing beside it: light or dark as who looks at it has it. */
#include "api/graph.h"
#include "base/err.h"
#include "base/str.h"

#define CHAR 8       /* width of a letter of 13 px */
#define PAD 12
#define GAP 28       /* between two nodes of a layer */
#define NODE 44      /* their height */
#define STEP 52      /* between two layers */
#define MARGIN 16

static void text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			buf_adds(out, "&lt;");
		else if (s.p[i] == '&')
			buf_adds(out, "&amp;");
		else if (s.p[i] == '"')
			buf_adds(out, "&quot;");
		else
			buf_addc(out, s.p[i]);
	}
}

static int width_of(const struct graph_item *it)
{
	size_t n = str_columns(it->repo);

	if (it->job)
		n = MAX(n, str_columns(it->job->name));
	return (int)n * CHAR + 2 * PAD;
}

static int top(const struct layers_node *v)
{
	return MARGIN + v->layer * (NODE + STEP);
}

static void line(struct buf *out, int x, int y, const char *of, struct str s)
{
	buf_addf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, of);
	text(out, s);
	buf_adds(out, "</text>\n");
}

static void node(struct buf *out, const struct layers_node *v, const struct graph_item *it)
{
	int x = MARGIN + v->x, y = top(v);

	buf_addf(out, "<g><title>");
	if (it->job)
		buf_addf(out, "job ");
	text(out, it->job ? it->job->name : it->repo);
	if (it->job && it->job->description.n) {
		buf_adds(out, ": ");
		text(out, it->job->description);
	}
	if (it->own)
		buf_adds(out, " (reads what it made before)");
	buf_addf(out, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" class=\"%s\"/>\n",
	         x - v->width / 2, y, v->width, NODE, it->job ? 4 : NODE / 2, it->job ? "job" : "repo");
	if (it->job) {
		line(out, x, y + 18, "name", it->job->name);
		line(out, x, y + 35, "out", it->repo);
	} else {
		line(out, x, y + 27, "out", it->repo);
	}
	buf_adds(out, "</g>\n");
}

/* Bends from the middle of one node's foot to the middle of the next one's head; straight through what it passes. */
static void edge(struct buf *out, const struct layers *l, const struct layers_node *from, const struct layers_node *to)
{
	int x = MARGIN + from->x, y = top(from) + NODE, u = MARGIN + to->x, v = top(to);

	(void)l;
	buf_addf(out, "<path d=\"M%d %dC%d %d %d %d %d %d", x, y, x, y + STEP / 2, u, v - STEP / 2, u,
	         v - (to->passes ? 0 : 2));
	if (to->passes)
		buf_addf(out, "V%d", v + NODE);
	buf_addf(out, "\"%s/>\n", to->passes ? "" : " marker-end=\"url(#a)\"");
}

static const char style[] =
	"<style>svg{color-scheme:light dark;color:#223;background:#fff}path{fill:none;stroke:currentColor;"
	"stroke-width:1.3;opacity:.6}marker path{fill:currentColor;stroke:none;opacity:1}"
	"rect{stroke:currentColor;stroke-width:1.3}.job{fill:#e3edf9}.repo{fill:#f2f2ee}"
	"text{fill:currentColor;font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
	"text-anchor:middle}.name{font-weight:600}.job~.out{opacity:.75}"
	"@media(prefers-color-scheme:dark){svg{color:#dde;background:#16181d}.job{fill:#1f3350}.repo{fill:#2a2c30}}"
	"</style>\n"
	"<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\""
	" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n";

int graph_svg(struct arena *a, const struct graph_view *v, struct buf *out, struct err *e)
{
	size_t n = v->n + v->n_alone;
	struct graph_item *items = arena_array(a, struct graph_item, n);
	int *widths = arena_array(a, int, n), height;
	struct layers *l;

	for (size_t i = 0; i < n; i++) {
		items[i] = i < v->n ? v->items[i] : (struct graph_item){.repo = v->alone[i - v->n]};
		widths[i] = width_of(&items[i]);
	}
	if (!layers_place(a, widths, n, v->edges, v->n_edges, GAP, &l)) {
		err_set(e, ERR_LIMIT, "the graph is too large to be drawn: more than %d jobs, repos and bends",
		        LAYERS_MAX_NODES);
		return err_hint(e, "name a job or a repo, or take --format dot");
	}
	height = 2 * MARGIN + (int)l->n_layers * (NODE + STEP) - STEP;
	buf_addf(out,
	         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
	         " role=\"img\">\n<title>jobs and repos</title>\n%s",
	         l->width + 2 * MARGIN, height, l->width + 2 * MARGIN, height, style);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->nodes[i].n_down; k++)
			edge(out, l, &l->nodes[i], &l->nodes[l->nodes[i].down[k]]);
	for (size_t i = 0; i < n; i++)
		node(out, &l->nodes[i], &items[i]);
	buf_adds(out, "</svg>\n");
	return 0;
}
