/* After Sugiyama: layers by the longest way, order by the middle of the neighbours, places by least squares. */
#include "base/layers.h"

#include <stdlib.h>
#include <string.h>

#define SWEEPS 12
#define PASS_WEIGHT 4 /* what an edge passes through stands straight rather than a name in the middle */

struct placing {
	struct arena *a;
	VEC(struct layers_node) nodes;
	VEC(struct layers_edge) parts; /* of edges, from layer to layer */
	size_t given;
	const struct layers_edge *edges;
	size_t n_edges;
	int gap;
	struct layers *out;
};

/* --- layers --- */

static void by_longest_way(struct placing *p)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < p->n_edges; i++) {
			struct layers_node *from = &p->nodes.p[p->edges[i].from], *to = &p->nodes.p[p->edges[i].to];

			if (to->layer <= from->layer && from->layer < (int)p->given) {
				to->layer = from->layer + 1;
				moved = true;
			}
		}
	}
	/* What nothing leads to stands right above the first that it leads to. */
	for (size_t i = 0; i < p->given; i++) {
		int first = -1;
		bool leads = false;

		for (size_t k = 0; k < p->n_edges; k++) {
			leads |= p->edges[k].to == i;
			if (p->edges[k].from == i && (first < 0 || p->nodes.p[p->edges[k].to].layer < first))
				first = p->nodes.p[p->edges[k].to].layer;
		}
		if (!leads && first > 0)
			p->nodes.p[i].layer = first - 1;
	}
}

static void join(struct placing *p, size_t from, size_t to)
{
	struct layers_edge part = {from, to};

	for (size_t i = 0; i < p->parts.n; i++)
		if (p->parts.p[i].from == from && p->parts.p[i].to == to)
			return;
	vec_push(p->a, &p->parts, part);
}

/* One row of nodes for all edges of a node that go further than to the next layer. */
static bool pass_through(struct placing *p, size_t from)
{
	int at = p->nodes.p[from].layer;
	size_t last = from;
	int end = at;

	for (size_t i = 0; i < p->n_edges; i++)
		if (p->edges[i].from == from && p->nodes.p[p->edges[i].to].layer > end)
			end = p->nodes.p[p->edges[i].to].layer;
	for (int layer = at + 1; layer <= end; layer++) {
		struct layers_node pass = {.width = 1, .layer = layer, .passes = true};

		for (size_t i = 0; i < p->n_edges; i++)
			if (p->edges[i].from == from && p->nodes.p[p->edges[i].to].layer == layer)
				join(p, last, p->edges[i].to);
		if (layer == end)
			break;
		if (p->nodes.n >= LAYERS_MAX_NODES)
			return false;
		vec_push(p->a, &p->nodes, pass);
		join(p, last, p->nodes.n - 1);
		last = p->nodes.n - 1;
	}
	return true;
}

static void link_nodes(struct placing *p)
{
	struct layers_node *nodes = p->nodes.p;

	for (size_t i = 0; i < p->parts.n; i++) {
		nodes[p->parts.p[i].from].n_down++;
		nodes[p->parts.p[i].to].n_up++;
	}
	for (size_t i = 0; i < p->nodes.n; i++) {
		nodes[i].up = arena_array(p->a, size_t, nodes[i].n_up);
		nodes[i].down = arena_array(p->a, size_t, nodes[i].n_down);
		nodes[i].n_up = nodes[i].n_down = 0;
	}
	for (size_t i = 0; i < p->parts.n; i++) {
		struct layers_node *from = &nodes[p->parts.p[i].from], *to = &nodes[p->parts.p[i].to];

		from->down[from->n_down++] = p->parts.p[i].to;
		to->up[to->n_up++] = p->parts.p[i].from;
	}
}

static void make_layers(struct placing *p)
{
	struct layers *out = p->out;

	for (size_t i = 0; i < p->nodes.n; i++)
		if ((size_t)p->nodes.p[i].layer >= out->n_layers)
			out->n_layers = (size_t)p->nodes.p[i].layer + 1;
	out->layers = arena_array(p->a, struct layer, out->n_layers);
	for (size_t i = 0; i < p->nodes.n; i++)
		out->layers[p->nodes.p[i].layer].n++;
	for (size_t i = 0; i < out->n_layers; i++) {
		out->layers[i].nodes = arena_array(p->a, size_t, out->layers[i].n);
		out->layers[i].n = 0;
	}
	for (size_t i = 0; i < p->nodes.n; i++) {
		struct layer *l = &out->layers[p->nodes.p[i].layer];

		p->nodes.p[i].place = l->n;
		l->nodes[l->n++] = i;
	}
}

/* --- order --- */

struct wish {
	size_t node, place;
	double at;
};

static int by_wish(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static double middle(const struct layers_node *nodes, const size_t *near, size_t n, bool by_x, double otherwise)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += by_x ? nodes[near[i]].x : (double)nodes[near[i]].place;
	return n ? sum / (double)n : otherwise;
}

static size_t crossings_between(const struct layers_node *nodes, const struct layer *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = i + 1; k < l->n; k++) {
			const struct layers_node *x = &nodes[l->nodes[i]], *y = &nodes[l->nodes[k]];

			for (size_t v = 0; v < x->n_down; v++)
				for (size_t w = 0; w < y->n_down; w++)
					n += nodes[x->down[v]].place > nodes[y->down[w]].place;
		}
	return n;
}

static size_t crossings(const struct placing *p)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < p->out->n_layers; i++)
		n += crossings_between(p->nodes.p, &p->out->layers[i]);
	return n;
}

static void sort_layer(struct placing *p, struct layer *l, bool down)
{
	struct wish *w = arena_array(p->a, struct wish, l->n);

	for (size_t i = 0; i < l->n; i++) {
		struct layers_node *v = &p->nodes.p[l->nodes[i]];

		w[i] = (struct wish){l->nodes[i], v->place, 0};
		w[i].at = down ? middle(p->nodes.p, v->up, v->n_up, false, (double)v->place)
		               : middle(p->nodes.p, v->down, v->n_down, false, (double)v->place);
	}
	if (l->n)
		qsort(w, l->n, sizeof(*w), by_wish);
	for (size_t i = 0; i < l->n; i++) {
		l->nodes[i] = w[i].node;
		p->nodes.p[w[i].node].place = i;
	}
}

static void order(struct placing *p)
{
	struct layers *out = p->out;
	bool small = p->nodes.n < 1000; /* counting crossings is quadratic */
	size_t *best = arena_array(p->a, size_t, p->nodes.n), least = small ? crossings(p) : 0;

	for (size_t i = 0; i < p->nodes.n; i++)
		best[i] = p->nodes.p[i].place;
	for (int sweep = 0; sweep < SWEEPS && (!small || least); sweep++) {
		bool down = sweep % 2 == 0;
		size_t n;

		for (size_t i = 1; i < out->n_layers; i++)
			sort_layer(p, &out->layers[down ? i : out->n_layers - 1 - i], down);
		n = small ? crossings(p) : 0;
		if (small && n >= least)
			continue;
		least = n;
		for (size_t i = 0; i < p->nodes.n; i++)
			best[i] = p->nodes.p[i].place;
	}
	for (size_t i = 0; i < p->nodes.n; i++) {
		p->nodes.p[i].place = best[i];
		out->layers[p->nodes.p[i].layer].nodes[best[i]] = i;
	}
}

/* --- places --- */

/* Nodes that touch move as one: at the mean of their wishes, with their weights. */
struct block {
	double at, weight;
	size_t n;
};

static int nearest(double x)
{
	return (int)(x < 0 ? x - 0.5 : x + 0.5);
}

static void place_layer(struct placing *p, struct layer *l, bool down, bool up)
{
	struct block *b = arena_array(p->a, struct block, l->n);
	double *shift = arena_array(p->a, double, l->n);
	size_t n = 0, at = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct layers_node *v = &p->nodes.p[l->nodes[i]];
		double wish = v->x, sum = 0, count = 0;

		if (down && v->n_up)
			sum += middle(p->nodes.p, v->up, v->n_up, true, 0), count++;
		if (up && v->n_down)
			sum += middle(p->nodes.p, v->down, v->n_down, true, 0), count++;
		if (count > 0)
			wish = sum / count;
		if (i) {
			const struct layers_node *left = &p->nodes.p[l->nodes[i - 1]];

			shift[i] = shift[i - 1] + (left->width + 1) / 2 + (v->width + 1) / 2 + p->gap;
		}
		b[n++] = (struct block){wish - shift[i], v->passes ? PASS_WEIGHT : 1, 1};
		while (n > 1 && b[n - 2].at > b[n - 1].at) {
			struct block *x = &b[n - 2], *y = &b[n - 1];

			x->at = (x->at * x->weight + y->at * y->weight) / (x->weight + y->weight);
			x->weight += y->weight;
			x->n += y->n;
			n--;
		}
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < b[i].n; k++, at++)
			p->nodes.p[l->nodes[at]].x = nearest(b[i].at) + (int)shift[at];
}

/* How far a node may move: what stays between it and its neighbours. */
static bool free_at(const struct placing *p, size_t node, int x)
{
	const struct layers_node *v = &p->nodes.p[node];
	const struct layer *l = &p->out->layers[v->layer];

	for (int side = -1; side <= 1; side += 2) {
		const struct layers_node *w;

		if (side < 0 ? !v->place : v->place + 1 >= l->n)
			continue;
		w = &p->nodes.p[l->nodes[side < 0 ? v->place - 1 : v->place + 1]];
		if ((w->x - x) * side < (v->width + 1) / 2 + (w->width + 1) / 2 + p->gap)
			return false;
	}
	return true;
}

static int bends(const struct placing *p, const struct layers_node *v, int x)
{
	int n = 0;

	for (size_t i = 0; i < v->n_up; i++)
		n += p->nodes.p[v->up[i]].x != x;
	for (size_t i = 0; i < v->n_down; i++)
		n += p->nodes.p[v->down[i]].x != x;
	return n;
}

/* A node, or a straight run of what an edge passes through, moves to where fewer of its edges bend. */
static bool straighten(const struct placing *p, size_t *run, size_t n, int x)
{
	int was = p->nodes.p[run[0]].x, before = 0, after = 0;

	if (x == was)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!free_at(p, run[i], x))
			return false;
		before += bends(p, &p->nodes.p[run[i]], was);
	}
	for (size_t i = 0; i < n; i++)
		p->nodes.p[run[i]].x = x;
	for (size_t i = 0; i < n; i++)
		after += bends(p, &p->nodes.p[run[i]], x);
	for (size_t i = 0; i < n && after >= before; i++)
		p->nodes.p[run[i]].x = was;
	return after < before;
}

static size_t run_from(const struct placing *p, size_t node, size_t *run)
{
	size_t n = 0;

	for (bool on = true; on;) {
		const struct layers_node *v = &p->nodes.p[node];

		run[n++] = node;
		on = false;
		for (size_t i = 0; v->passes && i < v->n_down && !on; i++)
			if (p->nodes.p[v->down[i]].passes && p->nodes.p[v->down[i]].x == v->x) {
				node = v->down[i];
				on = true;
			}
	}
	return n;
}

static void straight(struct placing *p)
{
	size_t *run = arena_array(p->a, size_t, p->nodes.n);
	bool moved = true;

	for (int sweep = 0; moved && sweep < SWEEPS; sweep++) {
		moved = false;
		for (size_t i = 0; i < p->nodes.n; i++) {
			size_t n = run_from(p, i, run);

			for (size_t r = 0; r < n; r++) {
				const struct layers_node *v = &p->nodes.p[run[r]];

				/* a name stands in the middle of what it comes of */
				for (size_t k = 0; k < v->n_up && (v->passes || v->n_up == 1); k++)
					moved |= straighten(p, run, n, p->nodes.p[v->up[k]].x);
				for (size_t k = 0; k < v->n_down && (v->passes || v->n_down == 1); k++)
					moved |= straighten(p, run, n, p->nodes.p[v->down[k]].x);
			}
		}
	}
}

struct span {
	int left, right;
};

static int by_left(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->left < y->left ? -1 : x->left > y->left;
}

/* Where nothing stands and no edge passes from top to bottom, what is right of it comes nearer. */
static void close_up(struct placing *p)
{
	size_t n = 0;
	struct span *s = arena_array(p->a, struct span, p->nodes.n + p->parts.n);

	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct layers_node *v = &p->nodes.p[i];

		s[n++] = (struct span){v->x - v->width / 2, v->x + (v->width + 1) / 2};
	}
	for (size_t i = 0; i < p->parts.n; i++) {
		int x = p->nodes.p[p->parts.p[i].from].x, y = p->nodes.p[p->parts.p[i].to].x;

		s[n++] = x < y ? (struct span){x, y} : (struct span){y, x};
	}
	if (n)
		qsort(s, n, sizeof(*s), by_left);
	for (size_t i = 1, right = 0; i < n; i++) { /* s[right]: what reaches furthest so far */
		int room = s[i].left - s[right].right - p->gap;

		if (room > 0) {
			int from = s[i].left;

			for (size_t k = 0; k < p->nodes.n; k++)
				if (p->nodes.p[k].x - p->nodes.p[k].width / 2 >= from)
					p->nodes.p[k].x -= room;
			for (size_t k = i; k < n; k++) {
				s[k].left -= room;
				s[k].right -= room;
			}
		}
		if (s[i].right > s[right].right)
			right = i;
	}
}

static void places(struct placing *p)
{
	struct layers *out = p->out;
	int left = 0, right = 0;

	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		bool down = sweep % 2 == 0;

		for (size_t i = 0; i < out->n_layers; i++)
			place_layer(p, &out->layers[down ? i : out->n_layers - 1 - i], down || sweep > SWEEPS / 2,
			            !down || sweep > SWEEPS / 2);
	}
	straight(p);
	close_up(p);
	for (size_t i = 0; i < p->nodes.n; i++) {
		struct layers_node *v = &p->nodes.p[i];

		left = !i || v->x - v->width / 2 < left ? v->x - v->width / 2 : left;
		right = !i || v->x + (v->width + 1) / 2 > right ? v->x + (v->width + 1) / 2 : right;
	}
	for (size_t i = 0; i < p->nodes.n; i++)
		p->nodes.p[i].x -= left;
	out->width = right - left;
}

bool layers_place(struct arena *a, const int *widths, size_t n, const struct layers_edge *edges, size_t n_edges,
                  int gap, struct layers **out)
{
	struct placing p = {.a = a, .given = n, .edges = edges, .n_edges = n_edges, .gap = gap};

	if (n > LAYERS_MAX_NODES)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct layers_node v = {.width = widths[i]};

		vec_push(a, &p.nodes, v);
	}
	p.out = arena_new_of(a, struct layers);
	by_longest_way(&p);
	for (size_t i = 0; i < n; i++)
		if (!pass_through(&p, i))
			return false;
	link_nodes(&p);
	make_layers(&p);
	order(&p);
	places(&p);
	p.out->nodes = p.nodes.p;
	p.out->n = p.nodes.n;
	*out = p.out;
	return true;
}
