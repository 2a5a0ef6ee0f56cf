/*
 * A pattern over the names of a walk. The states that are alive are the bits of one word; what a state is alive with
 * (over splits and jumps) is known before, so a character costs one look at each living state. Patterns of more states,
 * and those with !( ), are matched path by path.
 */
#include "base/glob_in.h"
#include "base/str.h"

static uint64_t bit(size_t i)
{
	return UINT64_C(1) << i;
}

/* What is alive where state `s` is: states that take a character, and the end. */
static uint64_t closure_of(const struct glob *g, uint32_t first)
{
	uint64_t seen = 0, todo = bit(first), out = 0;

	while (todo) {
		uint32_t i = (uint32_t)__builtin_ctzll(todo);
		const struct state *s = &g->states.p[i];
		uint64_t next = 0;

		seen |= bit(i);
		if (s->op == OP_SPLIT)
			next = bit(s->a) | bit(s->b);
		else if (s->op == OP_JUMP)
			next = bit(s->a);
		else
			out |= bit(i);
		if (s->op == OP_STAR || s->op == OP_DEEP)
			next = bit(i + 1);
		todo = (todo | next) & ~seen;
	}
	return out;
}

void glob_close(struct arena *a, struct glob *g)
{
	if (g->n_nots || g->states.n > GLOB_WORD)
		return;
	g->closure = arena_array(a, uint64_t, g->states.n);
	for (uint32_t i = 0; i < g->states.n; i++)
		g->closure[i] = closure_of(g, i);
}

/* Where state i leads over a character c, whose first byte is `byte`; *n: after how many bytes. */
static uint64_t over(const struct glob *g, uint32_t i, uint8_t byte, uint32_t c, size_t char_n, size_t *n)
{
	const struct state *s = &g->states.p[i];

	*n = char_n;
	switch (s->op) {
	case OP_BYTE:
		*n = 1;
		return (uint8_t)s->c == byte ? g->closure[i + 1] : 0;
	case OP_STAR:
		return c != '/' ? g->closure[i] : 0;
	case OP_DEEP:
		return g->closure[i];
	case OP_ONE:
		return c != '/' ? g->closure[i + 1] : 0;
	case OP_SET:
		return glob_set_holds(&g->sets.p[s->a], c) ? g->closure[i + 1] : 0;
	default:
		return 0;
	}
}

/* What is alive after s. A character of several bytes is passed at once, so states lie ahead for up to four bytes. */
static uint64_t run(const struct glob *g, uint64_t alive, struct str s)
{
	uint64_t ahead[4] = {0};

	for (size_t at = 0; at < s.n && (alive | ahead[0] | ahead[1] | ahead[2]); at++) {
		uint8_t byte = (uint8_t)s.p[at];
		uint32_t c = byte;
		size_t char_n = byte < 0x80 ? 1 : glob_char(s, at, &c), n;

		for (uint64_t bits = alive; bits; bits &= bits - 1) {
			uint64_t to = over(g, (uint32_t)__builtin_ctzll(bits), byte, c, char_n, &n);

			ahead[n - 1] |= to;
		}
		alive = ahead[0];
		ahead[0] = ahead[1];
		ahead[1] = ahead[2];
		ahead[2] = ahead[3];
		ahead[3] = 0;
	}
	return alive;
}

struct glob_at glob_root(const struct glob *g)
{
	return (struct glob_at){g->closure ? g->closure[0] : 0};
}

bool glob_here(const struct glob *g, const struct glob_at *at, struct str path, size_t name)
{
	if (!g->closure)
		return glob_match(g, path);
	return run(g, at->alive, str_sub(path, name, SIZE_MAX)) >> (g->states.n - 1) & 1;
}

bool glob_into(const struct glob *g, const struct glob_at *at, struct str path, size_t name, struct glob_at *below)
{
	struct arena *a;
	bool leads;

	if (g->closure) {
		uint64_t alive = run(g, run(g, at->alive, str_sub(path, name, SIZE_MAX)), STR("/"));

		alive &= ~bit(g->states.n - 1);
		if (alive)
			below->alive = alive;
		return alive;
	}
	a = arena_new();
	leads = glob_leads(g, arena_strf(a, "%.*s/", STR_ARG(path)));
	arena_free(a);
	return leads;
}

size_t glob_names_begin(const struct glob *g, const struct glob_at *at, size_t path_n, char *out, size_t cap,
                        bool *whole)
{
	const struct state *s;
	size_t n = 0;

	*whole = false;
	if (g->closure) { /* one state alone that takes a byte, and so on */
		if (!at->alive || (at->alive & (at->alive - 1)))
			return 0;
		s = &g->states.p[__builtin_ctzll(at->alive)];
		for (; n < cap && s->op == OP_BYTE && s->c != '/'; s++)
			out[n++] = s->c;
		*whole = n && n < cap && (s->op == OP_END || (s->op == OP_BYTE && s->c == '/'));
		return n;
	}
	while (n < cap && path_n + n < g->fixed.n && g->fixed.p[path_n + n] != '/') {
		out[n] = g->fixed.p[path_n + n];
		n++;
	}
	*whole = n && n < cap && path_n + n < g->fixed.n;
	return n;
}
