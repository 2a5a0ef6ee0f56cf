/*
 * Rows that are equal to the letter need no join: most tests pass, and what --update wrote is written as a query gives
 * it. What differs to the letter may still be equal, and is compared by DuckDB.
 */
#include <stdlib.h>

#include "api/proof.h"
#include "base/str.h"
#include "sys/file.h"

#define CSV_MAX ((size_t)4 << 20)
#define ROW_MAX ((size_t)1 << 20)

struct texts {
	struct arena *a;
	const struct duck_small *made;
	struct str *names; /* of what is expected */
	size_t n_names;
	VEC(struct str) rows; /* one after the other, each of n_names cells; .p NULL: null */
};

/* A field of a CSV as RFC 4180 has it; an empty one that is not quoted is null. False at the end of the text. */
static bool field(struct arena *a, struct str *rest, struct str *out, bool *last)
{
	struct buf b cleanup(buf_free) = BUF_INIT(CSV_MAX);
	bool quoted = rest->n && *rest->p == '"';
	size_t i = quoted;

	if (!rest->n)
		return false;
	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (quoted && c == '"') {
			if (i + 1 < rest->n && rest->p[i + 1] == '"')
				i++;
			else
				break;
		} else if (!quoted && (c == ',' || c == '\n')) {
			break;
		}
		buf_addc(&b, c);
	}
	if (quoted && i < rest->n)
		i++;
	if (i < rest->n && rest->p[i] == '\r')
		i++;
	*last = i >= rest->n || rest->p[i] == '\n';
	while (!quoted && *last && b.n && b.p[b.n - 1] == '\r')
		b.n--;
	*out = b.n || quoted ? arena_str(a, buf_str(&b)) : STR_NULL;
	*rest = str_sub(*rest, i + 1, rest->n);
	return true;
}

/* False: it is not this simple. */
static bool read_csv(struct texts *t, const char *path)
{
	struct str text, cell;
	struct err none = ERR_INIT;
	VEC(struct str) names = {0};
	bool last = false;
	size_t n = 0;

	if (file_read(t->a, path, CSV_MAX, &text, &none))
		return false;
	if (str_has_prefix(text, STR("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.n);
	while (!last) {
		if (!field(t->a, &text, &cell, &last) || !cell.p)
			return false;
		vec_push(t->a, &names, cell);
	}
	t->names = names.p;
	t->n_names = names.n;
	while (field(t->a, &text, &cell, &last)) {
		vec_push(t->a, &t->rows, cell);
		n++;
		if (last ? n != t->n_names : n == t->n_names)
			return false;
		n = last ? 0 : n;
	}
	return !n;
}

static bool read_rows(struct texts *t, const struct dom *list)
{
	t->n_names = t->made->rows.n_cols;
	t->names = t->made->names;
	dom_each (row, list) {
		size_t there = 0;

		for (size_t i = 0; i < t->n_names; i++) {
			const struct dom *v = dom_get(row, arena_cstr(t->a, t->names[i]));

			if (v && (v->type == DOM_LIST || v->type == DOM_MAP))
				return false;
			there += v != NULL;
			vec_push(t->a, &t->rows, (!v || v->type == DOM_NULL ? STR_NULL : dom_text(t->a, v)));
		}
		if (there != row->n)
			return false; /* a column that did not come out */
	}
	return true;
}

/* Column i of what came out is which of the expected ones; false: it is none. */
static bool match_columns(const struct texts *t, size_t *at)
{
	for (size_t i = 0; i < t->n_names; i++) {
		size_t k = 0;

		while (k < t->n_names && !str_ieq(t->made->names[i], t->names[k]))
			k++;
		if (k == t->n_names)
			return false;
		at[i] = k;
	}
	return true;
}

static struct str row_text(struct arena *a, const struct str *cells, const size_t *at, size_t n)
{
	struct buf b cleanup(buf_free) = BUF_INIT(ROW_MAX);

	for (size_t i = 0; i < n; i++) {
		struct str cell = cells[at ? at[i] : i];

		buf_addf(&b, "%zd:", cell.p ? (ssize_t)cell.n : -1);
		if (cell.p)
			buf_addstr(&b, cell);
	}
	return buf_over(&b) ? STR_NULL : arena_str(a, buf_str(&b));
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool proof_same_texts(struct arena *a, const struct fixture *x, const struct duck_small *made)
{
	struct texts t = {.a = a, .made = made};
	size_t n = made->rows.n_rows, cols = made->rows.n_cols;
	struct str *given = arena_array(a, struct str, n + 1), *wanted = arena_array(a, struct str, n + 1);
	size_t *at = arena_array(a, size_t, cols + 1);

	if (x->rows ? !read_rows(&t, x->rows) : strcmp(path_ext(x->expected), ".csv") || !read_csv(&t, x->expected))
		return false;
	if (t.n_names != cols || t.rows.n != n * cols || !match_columns(&t, at))
		return false;
	for (size_t i = 0; i < n; i++) {
		given[i] = row_text(a, made->rows.at + i * cols, NULL, cols);
		wanted[i] = row_text(a, t.rows.p + i * cols, at, cols);
		if (!given[i].p || !wanted[i].p)
			return false;
	}
	qsort(given, n, sizeof(*given), by_text);
	qsort(wanted, n, sizeof(*wanted), by_text);
	for (size_t i = 0; i < n; i++)
		if (!str_eq(given[i], wanted[i]))
			return false;
	return true;
}
