#include "job/notebook_table.h"

#include "base/str.h"
#include "note/html.h"

#define TEXT_ROWS 40
#define TEXT_WIDTH 60   /* of a cell as text */
#define CELL_MAX 10000  /* bytes of one in the page */
#define BYTES_MAX ((size_t)64 << 20)

void notebook_table_head(struct arena *a, struct notebook_table *t, const struct dom *head)
{
	t->names.n = 0;
	dom_each(c, dom_get(head, "columns"))
		vec_push(a, &t->names, arena_str(a, dom_get(c, "name")->s));
}

/* What there is room for, and no half of a character. */
static struct str cut(struct str s)
{
	size_t n = MIN(s.n, (size_t)CELL_MAX);

	while (n < s.n && n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

bool notebook_table_rows(struct arena *a, struct notebook_table *t, const struct duck_rows *r)
{
	for (size_t i = 0; i < r->n_rows; i++) {
		struct str *row;

		if (t->rows.n == NOTEBOOK_TABLE_ROWS) {
			t->full = true;
			return true;
		}
		row = arena_array(a, struct str, r->n_cols);
		for (size_t c = 0; c < r->n_cols; c++) {
			struct str cell = r->at[i * r->n_cols + c];

			row[c] = cell.p ? arena_str(a, cut(cell)) : STR_NULL;
		}
		vec_push(a, &t->rows, row);
	}
	return false;
}

bool notebook_table_shows(const struct notebook_table *t, bool select)
{
	bool says = t->names.n == 1 && (str_is(t->names.p[0], "Count") || str_is(t->names.p[0], "Success"));

	return t->names.n && (select || !says);
}

static struct str sentence(struct arena *a, const struct notebook_table *t, size_t shown)
{
	int64_t all = t->all >= 0 ? t->all : t->full ? -1 : (int64_t)t->rows.n;
	const char *first = shown == 1 ? "the first row" : arena_printf(a, "the first %zu rows", shown);

	if (all < 0)
		return arena_strf(a, "%s; there are more", first);
	return all > (int64_t)shown ? arena_strf(a, "%s of %lld", first, (long long)all) : STR("");
}

static struct str as_html(struct arena *a, const struct notebook_table *t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(BYTES_MAX);
	struct str more = sentence(a, t, t->rows.n);

	buf_adds(&b, "<table><thead><tr>");
	for (size_t c = 0; c < t->names.n; c++) {
		buf_adds(&b, "<th>");
		html_text(&b, t->names.p[c]);
		buf_adds(&b, "</th>");
	}
	buf_adds(&b, "</tr></thead><tbody>");
	for (size_t r = 0; r < t->rows.n && b.n < BYTES_MAX / 2; r++) {
		buf_adds(&b, "<tr>");
		for (size_t c = 0; c < t->names.n; c++) {
			buf_adds(&b, "<td>");
			if (t->rows.p[r][c].p)
				html_text(&b, t->rows.p[r][c]);
			else
				buf_adds(&b, "<em>NULL</em>");
			buf_adds(&b, "</td>");
		}
		buf_adds(&b, "</tr>");
	}
	buf_adds(&b, "</tbody></table>");
	if (more.n)
		buf_addf(&b, "<p>%.*s</p>", STR_ARG(more));
	return arena_str(a, buf_str(&b));
}

/* One line, of at most TEXT_WIDTH characters. */
static struct str one_line(struct arena *a, struct str s)
{
	size_t n = 0, chars = 0;
	char *p;

	if (!s.p)
		return STR("NULL");
	while (n < s.n && (chars < TEXT_WIDTH || (s.p[n] & 0xc0) == 0x80)) {
		chars += (s.p[n] & 0xc0) != 0x80;
		n++;
	}
	p = arena_cstr(a, str_sub(s, 0, n));
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < ' ')
			p[i] = ' ';
	return (struct str){p, n};
}

static size_t width_of(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static void add_line(struct buf *b, const struct str *cells, const size_t *widths, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		buf_addf(b, "%s%.*s", c ? "  " : "", STR_ARG(cells[c]));
		if (c + 1 < n)
			buf_addf(b, "%*s", (int)(widths[c] - width_of(cells[c])), "");
	}
	buf_addc(b, '\n');
}

static struct str as_text(struct arena *a, const struct notebook_table *t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(BYTES_MAX);
	size_t n = MIN(t->rows.n, (size_t)TEXT_ROWS), cols = t->names.n;
	size_t *widths = arena_array(a, size_t, cols);
	struct str **lines = arena_array(a, struct str *, n + 2), more = sentence(a, t, n);

	for (size_t r = 0; r < n + 2; r++)
		lines[r] = arena_array(a, struct str, cols);
	for (size_t c = 0; c < cols; c++) {
		char *rule;

		widths[c] = 1;
		for (size_t r = 0; r < n + 2; r++) {
			if (r == 1)
				continue;
			lines[r][c] = one_line(a, r ? t->rows.p[r - 2][c] : t->names.p[c]);
			widths[c] = MAX(widths[c], width_of(lines[r][c]));
		}
		rule = arena_alloc(a, widths[c]);
		memset(rule, '-', widths[c]);
		lines[1][c] = (struct str){rule, widths[c]};
	}
	for (size_t r = 0; r < n + 2; r++)
		add_line(&b, lines[r], widths, cols);
	buf_addstr(&b, more);
	return arena_str(a, str_trim(buf_str(&b)));
}

struct dom *notebook_table_output(struct arena *a, const struct notebook_table *t, int64_t count)
{
	struct dom *o = dom_new(a, DOM_MAP), *data = dom_new(a, DOM_MAP);

	dom_set_str(a, data, "text/html", as_html(a, t));
	dom_set_str(a, data, "text/plain", as_text(a, t));
	dom_set_cstr(a, o, "output_type", "execute_result");
	dom_set(a, o, "data", data);
	dom_set(a, o, "metadata", dom_new(a, DOM_MAP));
	dom_set_int(a, o, "execution_count", count);
	return o;
}
