/*
 * A pattern over the names of a walk. The states that are alive are the bits of one word; what a state is alive with
 * (over splits and jumps) is known before, so a character costs one look at each living state that takes it. A !( )
 * ends where its name does at the latest, so it fits in. Patterns of more states are matched path by path.
 */
#include "base/glob_in.h"
#include "base/name.h"
#include "base/str.h"

#define ASCII 128
#define PLACES 320 /* bytes of a name and the place behind it, and more, a multiple of 64 */
_Static_assert(PLACES > NAME_MAX_SEGMENT, "a name fits");

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

static bool takes(const struct glob *g, const struct state *s, uint8_t byte, uint32_t c)
{
	switch (s->op) {
	case OP_BYTE:
		return (uint8_t)s->c == byte;
	case OP_STAR:
	case OP_ONE:
		return c != '/';
	case OP_DEEP:
		return true;
	case OP_SET:
		return glob_set_holds(&g->sets.p[s->a], c);
	default:
		return false;
	}
}

void glob_close(struct arena *a, struct glob *g)
{
	size_t n = g->states.n;

	if (g->nested || n > GLOB_WORD)
		return;
	g->closure = arena_array(a, uint64_t, n);
	g->next = arena_array(a, uint64_t, n);
	g->takes = arena_array(a, uint64_t, ASCII);
	for (uint32_t i = 0; i < n; i++)
		g->closure[i] = closure_of(g, i);
	for (uint32_t i = 0; i < n; i++) {
		const struct state *s = &g->states.p[i];

		if (s->op == OP_NOT)
			g->nots |= bit(i);
		if (s->op == OP_STAR || s->op == OP_DEEP)
			g->next[i] = g->closure[i];
		else if (i + 1 < n)
			g->next[i] = g->closure[i + 1];
		for (uint32_t c = 0; c < ASCII; c++)
			if (takes(g, s, (uint8_t)c, c))
				g->takes[c] |= bit(i);
	}
}

static uint64_t after(const struct glob *g, uint64_t taking)
{
	uint64_t out = 0;

	for (; taking; taking &= taking - 1)
		out |= g->next[__builtin_ctzll(taking)];
	return out;
}

/* One step at a byte of a character that has several: some states take it as a whole, those of a byte that alone. */
static void over_wide(const struct glob *g, uint64_t alive, uint8_t byte, struct str s, size_t at, uint64_t ahead[4])
{
	uint32_t c;
	size_t n = glob_char(s, at, &c);

	for (uint64_t bits = alive; bits; bits &= bits - 1) {
		int i = __builtin_ctzll(bits);

		if (takes(g, &g->states.p[i], byte, c))
			ahead[g->states.p[i].op == OP_BYTE ? 0 : n - 1] |= g->next[i];
	}
}

/* What is alive after s. A character of several bytes is passed at once, so states lie ahead for up to four bytes. */
static uint64_t run(const struct glob *g, uint64_t alive, struct str s)
{
	uint64_t ahead[4] = {0};

	for (size_t at = 0; at < s.n && (alive | ahead[0] | ahead[1] | ahead[2]); at++) {
		uint8_t byte = (uint8_t)s.p[at];

		if (byte < ASCII)
			ahead[0] |= after(g, alive & g->takes[byte]);
		else
			over_wide(g, alive, byte, s, at, ahead);
		alive = ahead[0];
		ahead[0] = ahead[1];
		ahead[1] = ahead[2];
		ahead[2] = ahead[3];
		ahead[3] = 0;
	}
	return alive;
}

/* Where from byte `from` of a name the body of a negation can end: a bit for each place. */
static void body_ends(const struct glob *g, uint32_t not, struct str name, size_t from, uint64_t ends[PLACES / 64])
{
	uint64_t ahead[4] = {0}, alive = g->closure[not + 1], end = bit(g->states.p[not].b - 1);

	memset(ends, 0, PLACES / 8);
	for (size_t at = from; alive | ahead[0] | ahead[1] | ahead[2]; at++) {
		if (alive & end)
			ends[at / 64] |= bit(at % 64);
		if (at == name.n)
			break;
		if ((uint8_t)name.p[at] < ASCII)
			ahead[0] |= after(g, alive & g->takes[(uint8_t)name.p[at]]);
		else
			over_wide(g, alive, (uint8_t)name.p[at], name, at, ahead);
		alive = ahead[0];
		memmove(ahead, ahead + 1, sizeof(ahead) - sizeof(*ahead));
		ahead[3] = 0;
	}
}

/* run, of a whole name, for a pattern with negations: what comes after one is alive where its body could not end. */
static uint64_t run_nots(const struct glob *g, uint64_t alive, struct str name)
{
	uint64_t rows[PLACES + 4], ends[PLACES / 64], done;
	uint32_t c;

	memset(rows, 0, (name.n + 5) * sizeof(*rows));
	rows[0] = alive;
	for (size_t at = 0; at <= name.n; at++) {
		for (done = 0; rows[at] & g->nots & ~done;) {
			uint32_t i = (uint32_t)__builtin_ctzll(rows[at] & g->nots & ~done);

			done |= bit(i);
			body_ends(g, i, name, at, ends);
			for (size_t j = at; j <= name.n; j += MAX(glob_char(name, j, &c), (size_t)1))
				if (!(ends[j / 64] & bit(j % 64)))
					rows[j] |= g->closure[g->states.p[i].b];
		}
		if (at == name.n)
			break;
		if ((uint8_t)name.p[at] < ASCII)
			rows[at + 1] |= after(g, rows[at] & g->takes[(uint8_t)name.p[at]]);
		else
			over_wide(g, rows[at], (uint8_t)name.p[at], name, at, rows + at + 1);
	}
	return rows[name.n];
}

static uint64_t over_name(const struct glob *g, uint64_t alive, struct str name)
{
	return g->nots ? run_nots(g, alive, name) : run(g, alive, name);
}

struct glob_at glob_root(const struct glob *g)
{
	return (struct glob_at){g->closure ? g->closure[0] : 0};
}

bool glob_here(const struct glob *g, const struct glob_at *at, struct str path, size_t name)
{
	if (!g->closure || path.n - name > NAME_MAX_SEGMENT)
		return glob_match(g, path);
	return over_name(g, at->alive, str_sub(path, name, SIZE_MAX)) >> (g->states.n - 1) & 1;
}

bool glob_into(const struct glob *g, const struct glob_at *at, struct str path, size_t name, struct glob_at *below)
{
	struct arena *a;
	bool leads;

	if (g->closure) {
		uint64_t alive = over_name(g, at->alive, str_sub(path, name, NAME_MAX_SEGMENT));

		alive = after(g, alive & g->takes['/']) & ~bit(g->states.n - 1);
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
