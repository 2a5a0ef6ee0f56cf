/*
 * What the groups of a pattern caught: the states are tried in the order of what takes most, with a stack of what is
 * left to try, and no state twice at one place (as in RE2's bit-state matcher): what failed there once fails again.
 */
#include <stdlib.h>

#include "base/glob_in.h"
#include "base/name.h"
#include "base/str.h"

struct todo {
	uint32_t state; /* or, with `undo`, the mark to put back */
	bool undo;
	size_t at; /* place in the path, or the mark's old value */
};

struct capture {
	struct match m;
	uint64_t *seen;
	size_t *marks; /* SIZE_MAX: not passed */
	VEC(struct todo) left;
};

static void later(struct capture *c, uint32_t state, size_t at)
{
	size_t bit = at * c->m.g->states.n + state;

	if (c->seen[bit / 64] >> (bit % 64) & 1)
		return;
	vec_push(c->m.a, &c->left, ((struct todo){.state = state, .at = at}));
}

static void jump(struct capture *c, const struct state *s, size_t at)
{
	if (s->b) {
		vec_push(c->m.a, &c->left, ((struct todo){.state = s->b, .undo = true, .at = c->marks[s->b]}));
		c->marks[s->b] = at;
	}
	later(c, s->a, at);
}

/* The longest first: pushed last. */
static void negation(struct capture *c, uint32_t i, size_t at)
{
	size_t to = glob_segment_end(&c->m, at);
	const uint64_t *ends = glob_body_ends(&c->m, i, at, to);
	uint32_t ch;

	for (size_t j = at; j <= to; j += MAX(glob_char(c->m.path, j, &ch), (size_t)1))
		if (!(ends[(j - at) / 64] >> ((j - at) % 64) & 1))
			later(c, c->m.g->states.p[i].b, j);
}

static void step(struct capture *c, uint32_t i, size_t at)
{
	const struct state *s = &c->m.g->states.p[i];
	size_t n;

	switch (s->op) {
	case OP_SPLIT:
		later(c, s->b, at);
		later(c, s->a, at);
		return;
	case OP_JUMP:
		jump(c, s, at);
		return;
	case OP_NOT:
		negation(c, i, at);
		return;
	case OP_END: /* of a negation's body: not walked here */
		return;
	default:
		break;
	}
	n = glob_takes(&c->m, s, at);
	if (s->op == OP_STAR || s->op == OP_DEEP)
		later(c, i + 1, at);
	if (n)
		later(c, s->op == OP_STAR || s->op == OP_DEEP ? i : i + 1, at + n);
}

static bool found(struct capture *c)
{
	uint32_t end = (uint32_t)c->m.g->states.n - 1;

	later(c, 0, 0);
	while (c->left.n) {
		struct todo t = c->left.p[--c->left.n];
		size_t bit = t.at * c->m.g->states.n + t.state;

		if (t.undo) {
			c->marks[t.state] = t.at;
			continue;
		}
		if (t.state == end && t.at == c->m.path.n)
			return true;
		if (c->seen[bit / 64] >> (bit % 64) & 1)
			continue;
		c->seen[bit / 64] |= UINT64_C(1) << (bit % 64);
		step(c, t.state, t.at);
	}
	return false;
}

bool glob_capture(const struct glob *g, struct str path, struct str *out)
{
	struct capture c = {.m = {.g = g, .path = path}};
	size_t n_marks = 2 * (size_t)g->n_groups + 1;
	bool is;

	if (path.n > NAME_MAX_PATH)
		return false;
	c.m.a = arena_new();
	c.seen = arena_array(c.m.a, uint64_t, ((path.n + 1) * g->states.n + 63) / 64);
	c.marks = arena_array(c.m.a, size_t, n_marks);
	for (size_t i = 0; i < n_marks; i++)
		c.marks[i] = SIZE_MAX;
	is = found(&c);
	for (size_t i = 0; i < g->n_groups && is; i++) {
		size_t from = c.marks[2 * i + 1], to = c.marks[2 * i + 2];

		out[i] = from == SIZE_MAX || to == SIZE_MAX || to < from ? STR("") : str_sub(path, from, to - from);
	}
	arena_free(c.m.a);
	return is;
}
