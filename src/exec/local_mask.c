#include "exec/local_mask.h"

#include <string.h>

#include "base/dom.h"
#include "base/str.h"
#include "note/html.h"
#include "sys/fd.h"

#define PLACE "***"

struct mask {
	struct arena *a;
	VEC(struct str) words; /* longest first */
	size_t longest;
	bool begins[256];      /* a word begins with that byte */
	char *held;            /* what may be the beginning of one */
	size_t n_held;
};

static void add(struct mask *m, struct str word)
{
	size_t i;

	if (word.n < MASK_MIN)
		return;
	for (i = 0; i < m->words.n; i++)
		if (str_eq(m->words.p[i], word))
			return;
	vec_push(m->a, &m->words, word);
	for (i = m->words.n - 1; i && m->words.p[i - 1].n < word.n; i--)
		m->words.p[i] = m->words.p[i - 1];
	m->words.p[i] = word;
	m->longest = m->words.p[0].n;
	m->begins[(unsigned char)word.p[0]] = true;
}

struct mask *mask_new(struct arena *a, const struct secrets *list)
{
	struct mask *m = arena_new_of(a, struct mask);

	*m = (struct mask){.a = a};
	for (size_t i = 0; i < list->n; i++) {
		struct str rest = list->p[i].value, line;

		add(m, secret_bare(rest));
		while (str_next_line(&rest, &line))
			add(m, str_trim(line));
	}
	m->held = arena_alloc(a, m->longest + MASK_CHUNK);
	return m;
}

void mask_escaped(struct mask *m)
{
	size_t n = m->words.n;

	for (size_t i = 0; i < n; i++) {
		struct buf json cleanup(buf_free) = BUF_INIT(16 * SECRET_MAX);
		struct buf html cleanup(buf_free) = BUF_INIT(16 * SECRET_MAX);
		struct str word = m->words.p[i];

		json_write_str(&json, word);
		html_text(&html, word);
		add(m, arena_str(m->a, str_sub(buf_str(&json), 1, json.n - 2)));
		add(m, arena_str(m->a, buf_str(&html)));
	}
	m->held = arena_alloc(m->a, m->longest + MASK_CHUNK);
}

/* The secret that stands there; STR_NULL: none. *maybe: one could, with more to come. */
static struct str word_at(const struct mask *m, struct str text, bool last, bool *maybe)
{
	*maybe = false;
	if (!m->begins[(unsigned char)text.p[0]])
		return STR_NULL;
	for (size_t i = 0; i < m->words.n; i++) {
		struct str w = m->words.p[i];
		size_t n = MIN(w.n, text.n);

		if (memcmp(w.p, text.p, n))
			continue;
		if (n == w.n)
			return w;
		if (!last) {
			*maybe = true; /* a longer one comes first */
			return STR_NULL;
		}
	}
	return STR_NULL;
}

struct str mask_text(struct mask *m, struct str text)
{
	struct buf out cleanup(buf_free) = BUF_INIT(8 * text.n + 64);

	for (size_t at = 0; at < text.n;) {
		bool maybe;
		struct str w = word_at(m, str_sub(text, at, text.n), true, &maybe);

		if (w.p)
			buf_adds(&out, PLACE);
		else
			buf_addc(&out, text.p[at]);
		at += w.p ? w.n : 1;
	}
	return arena_str(m->a, buf_str(&out));
}

int mask_write(struct mask *m, const void *p, size_t n, bool last, int fd, const char *path, struct err *e)
{
	struct buf out cleanup(buf_free) = BUF_INIT(4 * (m->longest + MASK_CHUNK));
	struct str text;
	size_t at = 0;

	BUG_IF(n > MASK_CHUNK);
	if (n)
		memcpy(m->held + m->n_held, p, n);
	text = (struct str){m->held, m->n_held + n};
	while (at < text.n) {
		bool maybe;
		struct str w = word_at(m, str_sub(text, at, text.n), last, &maybe);

		if (maybe)
			break;
		if (w.p)
			buf_adds(&out, PLACE);
		else
			buf_addc(&out, text.p[at]);
		at += w.p ? w.n : 1;
	}
	if (buf_over(&out))
		return err_set(e, ERR_LIMIT, "%s: more at once than fits", path);
	if (out.n && fd_write_all(fd, out.p, out.n, path, e))
		return -1;
	m->n_held = text.n - at;
	memmove(m->held, m->held + at, m->n_held);
	return 0;
}
