#include "base/textdiff.h"

#include "base/hash.h"
#include "base/str.h"

struct line {
	struct str text; /* with its LF */
	uint64_t hash;
	bool edited;     /* gone, or new */
};

struct side {
	VEC(struct line) v;
};

bool textdiff_is_text(struct str s)
{
	return (!s.n || !memchr(s.p, '\0', s.n)) && str_is_utf8(s);
}

static void split(struct arena *a, struct str text, struct side *out)
{
	while (text.n) {
		const char *nl = memchr(text.p, '\n', text.n);
		size_t n = nl ? (size_t)(nl - text.p) + 1 : text.n;
		struct line l = {.text = {text.p, n}, .hash = hash_bytes(text.p, n)};

		vec_push(a, &out->v, l);
		text = str_sub(text, n, SIZE_MAX);
	}
}

static bool same(const struct line *x, const struct line *y)
{
	return x->hash == y->hash && str_eq(x->text, y->text);
}

/* Lines [0, n) of x and [0, m) of y that differ at both ends. */
struct middle {
	struct line *x, *y;
	int64_t n, m;
};

/*
 * Myers' greedy walk: furthest[k] is how far in x a path with d edits on diagonal k = x - y gets. Each round's row is
 * kept, so that the way back can be read. False: more than TEXTDIFF_MAX_EDITS.
 */
static bool shortest(struct arena *a, struct middle *t)
{
	int64_t most = MIN(t->n + t->m, (int64_t)TEXTDIFF_MAX_EDITS), d;
	int32_t **rows = arena_array(a, int32_t *, (size_t)most + 1);
	int64_t x = 0, y = 0;

	for (d = 0; d <= most; d++) {
		int32_t *now = arena_array(a, int32_t, (size_t)(2 * d + 1)), *before = d ? rows[d - 1] : NULL;

		rows[d] = now;
		for (int64_t k = -d; k <= d; k += 2) {
			/* row d holds diagonal k at k + d, row d - 1 at k + d - 1 */
			if (!d)
				x = 0;
			else if (k == -d || (k != d && before[k - 1 + d - 1] < before[k + 1 + d - 1]))
				x = before[k + 1 + d - 1];
			else
				x = before[k - 1 + d - 1] + 1;
			y = x - k;
			while (x < t->n && y >= 0 && y < t->m && same(&t->x[x], &t->y[y])) {
				x++;
				y++;
			}
			now[k + d] = (int32_t)x;
			if (x == t->n && y == t->m)
				goto found;
		}
	}
	return false;
found:
	for (x = t->n, y = t->m; d > 0; d--) {
		const int32_t *before = rows[d - 1];
		int64_t k = x - y;
		bool down = k == -d || (k != d && before[k - 1 + d - 1] < before[k + 1 + d - 1]);
		int64_t from = down ? k + 1 : k - 1;

		x = before[from + d - 1];
		y = x - from;
		if (down)
			t->y[y].edited = true;
		else
			t->x[x].edited = true;
	}
	return true;
}

static void mark(struct arena *a, struct side *x, struct side *y)
{
	struct middle t = {x->v.p, y->v.p, (int64_t)x->v.n, (int64_t)y->v.n};

	while (t.n && t.m && same(t.x, t.y)) {
		t.x++;
		t.y++;
		t.n--;
		t.m--;
	}
	while (t.n && t.m && same(&t.x[t.n - 1], &t.y[t.m - 1])) {
		t.n--;
		t.m--;
	}
	if ((!t.n && !t.m) || shortest(a, &t))
		return;
	for (int64_t i = 0; i < t.n; i++)
		t.x[i].edited = true;
	for (int64_t i = 0; i < t.m; i++)
		t.y[i].edited = true;
}

static void write_line(struct buf *b, char sign, struct str text)
{
	buf_addc(b, sign);
	buf_addstr(b, text);
	if (text.p[text.n - 1] != '\n')
		buf_adds(b, "\n\\ No newline at end of file\n");
}

/* "12,3"; an empty range names the line before it. */
static void write_range(struct buf *b, char sign, size_t from, size_t n)
{
	buf_addf(b, "%c%zu", sign, n ? from + 1 : from);
	if (n != 1)
		buf_addf(b, ",%zu", n);
}

static bool edited(const struct side *s, size_t i)
{
	return i < s->v.n && s->v.p[i].edited;
}

/* From the first edit at or after (*i, *j), one hunk; *i, *j go behind it. False: there is none. */
static bool write_hunk(struct buf *b, const struct side *x, const struct side *y, size_t *i, size_t *j)
{
	size_t x0, y0, x1 = *i, y1 = *j, equal = 0, before;

	while (x1 < x->v.n && y1 < y->v.n && !edited(x, x1) && !edited(y, y1)) {
		x1++;
		y1++;
	}
	if (!edited(x, x1) && !edited(y, y1))
		return false;
	before = MIN(x1 - *i, (size_t)TEXTDIFF_CONTEXT);
	x0 = x1 - before;
	y0 = y1 - before;
	/* edits that are no more than twice the context apart are one hunk */
	while (x1 < x->v.n || y1 < y->v.n) {
		if (edited(x, x1) || edited(y, y1)) {
			equal = 0;
			x1 += edited(x, x1);
			y1 += edited(y, y1);
		} else if (equal++ == 2 * TEXTDIFF_CONTEXT) {
			equal--;
			break;
		} else {
			x1++;
			y1++;
		}
	}
	before = equal > TEXTDIFF_CONTEXT ? equal - TEXTDIFF_CONTEXT : 0;
	x1 -= before;
	y1 -= before;
	*i = x1;
	*j = y1;
	buf_adds(b, "@@ ");
	write_range(b, '-', x0, x1 - x0);
	buf_addc(b, ' ');
	write_range(b, '+', y0, y1 - y0);
	buf_adds(b, " @@\n");
	while (x0 < x1 || y0 < y1) {
		if (x0 < x1 && edited(x, x0))
			write_line(b, '-', x->v.p[x0++].text);
		else if (y0 < y1 && edited(y, y0))
			write_line(b, '+', y->v.p[y0++].text);
		else {
			write_line(b, ' ', x->v.p[x0++].text);
			y0++;
		}
	}
	return true;
}

void textdiff_write(struct buf *b, struct str old_text, struct str new_text)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct side x = {0}, y = {0};
	size_t i = 0, j = 0;

	split(a, old_text, &x);
	split(a, new_text, &y);
	mark(a, &x, &y);
	while (write_hunk(b, &x, &y, &i, &j))
		;
}

static void take(struct arena *a, const struct str *pieces, size_t n, struct side *out)
{
	for (size_t i = 0; i < n; i++) {
		struct line l = {.text = pieces[i], .hash = hash_bytes(pieces[i].p, pieces[i].n)};

		vec_push(a, &out->v, l);
	}
}

void textdiff_pieces(const struct str *x, size_t n, const struct str *y, size_t m, bool *gone, bool *added)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct side old = {0}, new = {0};

	take(a, x, n, &old);
	take(a, y, m, &new);
	mark(a, &old, &new);
	for (size_t i = 0; i < n; i++)
		gone[i] = old.v.p[i].edited;
	for (size_t i = 0; i < m; i++)
		added[i] = new.v.p[i].edited;
}
