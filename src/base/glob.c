/*
 * A pattern becomes a small machine; a match walks the path once, with the set of states that are alive at each place
 * (Thompson 1968), so nothing is tried twice. !( ) alone asks where else its body could have ended: that is a walk of
 * its own for each place it begins at, remembered.
 */
#include "base/glob_in.h"

#include "base/name.h"
#include "base/str.h"

/* ---- compiling ---- */

struct compile {
	struct arena *a;
	struct glob *g;
	struct str s;
	size_t p, skipped; /* skipped: bytes at the front that s has no more */
	int depth, in_nots;
	bool groups; /* round brackets capture */
	struct err *e;
};

static int bad(struct compile *c, size_t at, const char *fmt, ...) printf_like(3, 4);
static int bad(struct compile *c, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(c->e, ERR_BAD_REQUEST, fmt, ap);
	va_end(ap);
	err_wrap(c->e, "the pattern \"%s\", character %zu", STR_SHOWN(c->s), at + c->skipped + 1);
	return err_hint(c->e, "a character that means itself has a \\ in front");
}

static uint32_t emit(struct compile *c, enum op op, char byte)
{
	vec_push(c->a, &c->g->states, ((struct state){.op = op, .c = byte}));
	return (uint32_t)c->g->states.n - 1;
}

static uint32_t here(const struct compile *c)
{
	return (uint32_t)c->g->states.n;
}

static struct state *state(const struct compile *c, uint32_t i)
{
	return &c->g->states.p[i];
}

static char peek(const struct compile *c, size_t ahead)
{
	return c->p + ahead < c->s.n ? c->s.p[c->p + ahead] : '\0';
}

static bool is_group(const struct compile *c)
{
	char k = peek(c, 0);

	return k == '{' || (c->groups && k == '(') || (k && strchr("@+*?!", k) && peek(c, 1) == '(');
}

static int class_ranges(struct compile *c, struct set *set)
{
	static const struct {
		const char *name;
		struct range r[4];
	} classes[] = {
		{"alpha", {{'A', 'Z'}, {'a', 'z'}}},  {"digit", {{'0', '9'}}},
		{"upper", {{'A', 'Z'}}},              {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
		{"lower", {{'a', 'z'}}},              {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
		{"space", {{'\t', '\r'}, {' ', ' '}}}, {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
	};
	struct str rest = str_sub(c->s, c->p + 2, c->s.n), name;

	for (size_t i = 0; str_cut(rest, ':', &name, &rest) && i < ARRAY_LEN(classes); i++) {
		rest = str_sub(c->s, c->p + 2, c->s.n);
		if (!str_is(name, classes[i].name) || peek(c, name.n + 3) != ']')
			continue;
		for (size_t k = 0; k < ARRAY_LEN(classes[i].r) && classes[i].r[k].to; k++)
			vec_push(c->a, &set->ranges, classes[i].r[k]);
		c->p += name.n + 4;
		return 0;
	}
	return bad(c, c->p,
	        "there is no such class; there are alpha, digit, alnum, upper, lower, space, punct, xdigit");
}

static int set_char(struct compile *c, uint32_t *out)
{
	size_t n;

	if (peek(c, 0) == '\\')
		c->p++;
	n = str_utf8_get(str_sub(c->s, c->p, 4), out);
	if (!n)
		return bad(c, c->p, c->p < c->s.n ? "the bytes here are no UTF-8" : "a closing ] is missing");
	c->p += n;
	return 0;
}

static int set(struct compile *c)
{
	size_t at = c->p++;
	struct set set = {0};
	struct range r;

	if (peek(c, 0) == '!' || peek(c, 0) == '^') {
		set.negated = true;
		c->p++;
	}
	for (bool first = true; peek(c, 0) != ']' || first; first = false) {
		if (c->p >= c->s.n)
			return bad(c, at, "a closing ] is missing");
		if (peek(c, 0) == '[' && peek(c, 1) == ':') {
			if (class_ranges(c, &set))
				return -1;
			continue;
		}
		if (set_char(c, &r.from))
			return -1;
		r.to = r.from;
		if (peek(c, 0) == '-' && peek(c, 1) != ']') {
			c->p++;
			if (set_char(c, &r.to))
				return -1;
			if (r.to < r.from)
				return bad(c, at, "a range in [ ] ends before it begins");
		}
		vec_push(c->a, &set.ranges, r);
	}
	c->p++;
	state(c, emit(c, OP_SET, 0))->a = (uint32_t)c->g->sets.n;
	vec_push(c->a, &c->g->sets, set);
	return 0;
}

static int sequence(struct compile *c, const char *until);

/* Alternatives up to `close`; each begins with a split to the next one, or to itself while there is no next. */
static int alternatives(struct compile *c, size_t at, char sep, char close)
{
	char until[] = {sep, close, '\0'};
	uint32_t split, jumps = 0, jump;

	for (;;) {
		split = emit(c, OP_SPLIT, 0);
		state(c, split)->a = state(c, split)->b = here(c);
		if (sequence(c, until))
			return -1;
		if (c->p >= c->s.n)
			return bad(c, at, "a closing %c is missing", close);
		if (c->s.p[c->p++] == close)
			break;
		jump = emit(c, OP_JUMP, 0);
		state(c, jump)->a = jumps; /* a chain, until it is known where to */
		jumps = jump + 1;
		state(c, split)->b = here(c);
	}
	while (jumps) {
		jump = jumps - 1;
		jumps = state(c, jump)->a;
		state(c, jump)->a = here(c);
	}
	return 0;
}

static void mark(struct compile *c, uint32_t what)
{
	uint32_t i = emit(c, OP_JUMP, 0);

	state(c, i)->a = here(c);
	state(c, i)->b = what;
}

/* What a group begins with, and what it ends with: the turns, the way round it, the end of a negation. */
static uint32_t group_begin(struct compile *c, char kind)
{
	uint32_t front = here(c);

	if (kind == '?' || kind == '*')
		emit(c, OP_SPLIT, 0);
	else if (kind == '!')
		state(c, emit(c, OP_NOT, 0))->a = c->g->n_nots++;
	if (kind == '!' && c->in_nots++)
		c->g->nested = true;
	return front;
}

static void group_end(struct compile *c, char kind, uint32_t front)
{
	uint32_t back;

	c->in_nots -= kind == '!';
	if (kind == '!')
		emit(c, OP_END, 0);
	if (kind == '*' || kind == '+') {
		back = emit(c, kind == '*' ? OP_JUMP : OP_SPLIT, 0);
		state(c, back)->a = front;
		if (kind == '+')
			state(c, back)->b = here(c);
	}
	if (kind == '?' || kind == '*')
		state(c, front)->a = front + 1;
	if (kind == '?' || kind == '*' || kind == '!')
		state(c, front)->b = here(c);
}

static int group(struct compile *c)
{
	size_t at = c->p;
	char kind = c->s.p[at];
	bool brace = kind == '{', captures = c->groups && !brace;
	uint32_t n = captures ? c->g->n_groups++ : 0, front;

	if (captures)
		mark(c, 2 * n + 1);
	front = group_begin(c, kind);
	if (++c->depth > GLOB_MAX_DEPTH)
		return bad(c, at, "groups are nested deeper than %d levels", GLOB_MAX_DEPTH);
	c->p += brace || kind == '(' ? 1 : 2;
	if (alternatives(c, at, brace ? ',' : '|', brace ? '}' : ')'))
		return -1;
	c->depth--;
	group_end(c, kind, front);
	if (captures)
		mark(c, 2 * n + 2);
	return 0;
}

static void stars(struct compile *c)
{
	size_t at = c->p, n = 0;
	bool folder = !at || strchr("/{(,|", c->s.p[at - 1]);
	uint32_t split;

	while (peek(c, n) == '*' && peek(c, n + 1) != '(')
		n++;
	c->p += n;
	if (n < 2 || !folder || peek(c, 0) != '/') {
		emit(c, n < 2 ? OP_STAR : OP_DEEP, 0);
		return;
	}
	c->p++;
	split = emit(c, OP_SPLIT, 0);
	emit(c, OP_DEEP, 0);
	emit(c, OP_BYTE, '/');
	state(c, split)->a = split + 1;
	state(c, split)->b = here(c);
}

static int sequence(struct compile *c, const char *until)
{
	while (c->p < c->s.n && (!c->s.p[c->p] || !strchr(until, c->s.p[c->p]))) {
		char k = c->s.p[c->p];
		int rc = 0;

		if (is_group(c)) {
			rc = group(c);
		} else if (k == '*') {
			stars(c);
		} else if (k == '[') {
			rc = set(c);
		} else if (k == '?') {
			emit(c, OP_ONE, 0);
			c->p++;
		} else {
			if (k == '\\' && ++c->p >= c->s.n)
				return bad(c, c->p - 1, "nothing follows the \\");
			emit(c, OP_BYTE, c->s.p[c->p++]);
		}
		if (rc)
			return -1;
	}
	return 0;
}

/* The bytes before the first state that is no plain byte. */
static void find_fixed(struct compile *c)
{
	struct glob *g = c->g;
	char *fixed = arena_alloc(c->a, g->states.n + 1);
	size_t n = 0, folder = 0;

	for (; g->states.p[n].op == OP_BYTE; n++) {
		fixed[n] = g->states.p[n].c;
		if (fixed[n] == '/')
			folder = n;
	}
	g->fixed = (struct str){fixed, n};
	g->folder = (struct str){fixed, folder};
}

static int compile(struct arena *a, struct str pattern, bool groups, struct glob **out, struct err *e)
{
	struct compile c = {.a = a, .s = pattern, .groups = groups, .e = e};

	if (pattern.n > GLOB_MAX_PATTERN)
		return err_set(e, ERR_BAD_REQUEST, "the pattern \"%s\" is longer than %d bytes", STR_SHOWN(pattern),
		        GLOB_MAX_PATTERN);
	if (pattern.n && pattern.p[0] == '/') {
		c.s = str_sub(pattern, 1, pattern.n);
		c.skipped = 1;
	}
	c.g = arena_new_of(a, struct glob);
	if (sequence(&c, ""))
		return -1;
	emit(&c, OP_END, 0);
	find_fixed(&c);
	glob_close(a, c.g);
	*out = c.g;
	return 0;
}

int glob_compile(struct arena *a, struct str pattern, struct glob **out, struct err *e)
{
	return compile(a, pattern, false, out, e);
}

int glob_compile_groups(struct arena *a, struct str pattern, struct glob **out, struct err *e)
{
	return compile(a, pattern, true, out, e);
}

size_t glob_groups(const struct glob *g)
{
	return g->n_groups;
}

/* ---- matching ---- */

static bool set_bit(uint64_t *p, size_t i)
{
	uint64_t bit = UINT64_C(1) << (i & 63);
	bool was = p[i >> 6] & bit;

	p[i >> 6] |= bit;
	return !was;
}

size_t glob_char(struct str s, size_t at, uint32_t *c)
{
	size_t n = at < s.n ? str_utf8_get(str_sub(s, at, 4), c) : 0;

	if (!n && at < s.n) { /* a byte that is no UTF-8 is a character of its own */
		*c = 0xfffd;
		n = 1;
	}
	return n;
}

bool glob_set_holds(const struct set *s, uint32_t c)
{
	bool in = false;

	for (size_t i = 0; i < s->ranges.n && !in; i++)
		in = c >= s->ranges.p[i].from && c <= s->ranges.p[i].to;
	return in != s->negated && c != '/';
}

size_t glob_takes(const struct match *m, const struct state *s, size_t at)
{
	uint32_t c;
	size_t n;

	if (s->op == OP_BYTE)
		return at < m->path.n && m->path.p[at] == s->c;
	if (s->op > OP_SET)
		return 0;
	n = glob_char(m->path, at, &c);
	if (!n || s->op == OP_DEEP)
		return n;
	if (s->op == OP_SET)
		return glob_set_holds(&m->g->sets.p[s->a], c) ? n : 0;
	return c == '/' ? 0 : n;
}

struct walk {
	struct match *m;
	uint32_t first;  /* state where it begins; the states of a body follow it */
	size_t from, to; /* places of the path */
	uint64_t *alive; /* a row of states for each place */
	size_t row;
	uint32_t *todo;  /* states of this place still to look at */
	size_t n_todo;
};

static void enter(struct walk *w, uint32_t s, size_t at, size_t now)
{
	if (at <= w->to && set_bit(w->alive + (at - w->from) * w->row, s - w->first) && at == now)
		w->todo[w->n_todo++] = s;
}

size_t glob_segment_end(const struct match *m, size_t at)
{
	const char *slash = at < m->path.n ? memchr(m->path.p + at, '/', m->path.n - at) : NULL;

	return slash ? (size_t)(slash - m->path.p) : m->path.n;
}

static void step(struct walk *w, uint32_t i, size_t at)
{
	const struct state *s = &w->m->g->states.p[i];
	const uint64_t *ends;
	size_t n, to;
	uint32_t c;

	switch (s->op) {
	case OP_SPLIT:
		enter(w, s->a, at, at);
		enter(w, s->b, at, at);
		return;
	case OP_JUMP:
		enter(w, s->a, at, at);
		return;
	case OP_NOT:
		to = glob_segment_end(w->m, at);
		ends = glob_body_ends(w->m, i, at, to);
		for (size_t j = at; j <= to; j += MAX(glob_char(w->m->path, j, &c), (size_t)1))
			if (!(ends[(j - at) >> 6] >> ((j - at) & 63) & 1))
				enter(w, s->b, j, at);
		return;
	case OP_END:
		return;
	default:
		break;
	}
	if (s->op == OP_STAR || s->op == OP_DEEP)
		enter(w, i + 1, at, at);
	n = glob_takes(w->m, s, at);
	if (n)
		enter(w, s->op == OP_STAR || s->op == OP_DEEP ? i : i + 1, at + n, at);
}

/* From state `first` at `from`: bit k of the answer is set if state `last` is reached at from + k; none beyond `to`.
 * *more (may be NULL): whether another one is alive at `to`. */
static uint64_t *walk(struct match *m, uint32_t first, uint32_t last, size_t from, size_t to, bool *more)
{
	size_t n = last - first + 1, places = to - from + 1, row = (n + 63) / 64;
	struct walk w = {.m = m, .first = first, .from = from, .to = to, .row = row};
	uint64_t *reached = arena_array(m->a, uint64_t, places / 64 + 1);
	struct arena *scratch = arena_new();

	w.alive = arena_array(scratch, uint64_t, places * row);
	w.todo = arena_array(scratch, uint32_t, n);
	set_bit(w.alive, 0);
	for (size_t at = from; at <= to; at++) {
		const uint64_t *alive = w.alive + (at - from) * row;

		for (size_t i = 0; i < row; i++)
			for (uint64_t bits = alive[i]; bits; bits &= bits - 1)
				w.todo[w.n_todo++] = first + (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits);
		while (w.n_todo)
			step(&w, w.todo[--w.n_todo], at);
		if (alive[(n - 1) >> 6] >> ((n - 1) & 63) & 1)
			set_bit(reached, at - from);
	}
	for (uint32_t i = first; more && i < last; i++)
		*more |= w.alive[(to - from) * row + ((i - first) >> 6)] >> ((i - first) & 63) & 1;
	arena_free(scratch);
	return reached;
}

const uint64_t *glob_body_ends(struct match *m, uint32_t s, size_t at, size_t to)
{
	const struct state *not = &m->g->states.p[s];
	uint64_t **memo;

	if (!m->ends)
		m->ends = arena_array(m->a, uint64_t *, m->g->n_nots * (m->path.n + 1));
	memo = &m->ends[not->a * (m->path.n + 1) + at];
	if (!*memo)
		*memo = walk(m, s + 1, not->b - 1, at, to, NULL);
	return *memo;
}

bool glob_match(const struct glob *g, struct str path)
{
	struct match m = {.g = g, .path = path};
	size_t from = g->fixed.n;
	uint64_t *reached;
	bool is;

	if (!str_has_prefix(path, g->fixed) || path.n > NAME_MAX_PATH)
		return false;
	if (g->states.p[from].op == OP_END)
		return path.n == from;
	m.a = arena_new();
	reached = walk(&m, (uint32_t)from, (uint32_t)g->states.n - 1, from, path.n, NULL);
	is = reached[(path.n - from) >> 6] >> ((path.n - from) & 63) & 1;
	arena_free(m.a);
	return is;
}

bool glob_leads(const struct glob *g, struct str s)
{
	struct match m = {.g = g, .path = s};
	size_t from = g->fixed.n;
	bool more = false;

	if (s.n <= from)
		return str_has_prefix(g->fixed, s);
	if (!str_has_prefix(s, g->fixed) || s.n > NAME_MAX_PATH)
		return false;
	m.a = arena_new();
	walk(&m, (uint32_t)from, (uint32_t)g->states.n - 1, from, s.n, &more);
	arena_free(m.a);
	return more;
}

bool glob_has_magic(struct str pattern)
{
	struct compile c = {.s = pattern};

	for (; c.p < pattern.n; c.p++) {
		char k = pattern.p[c.p];

		if (k == '\\')
			c.p++;
		else if (k == '*' || k == '?' || k == '[' || is_group(&c))
			return true;
	}
	return false;
}

struct str glob_fixed_prefix(const struct glob *g)
{
	return g->folder;
}
