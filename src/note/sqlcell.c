/*
 * SQL in cells that begin with `-- %%`: title, [markdown] and key=JSON as in percent.c. Text stands in comments,
 * queries as they are.
 */
#include "base/str.h"
#include "note/notebook_in.h"

#define MARK "-- %%"

static bool marker(struct str line, struct str *rest)
{
	struct str mark = STR(MARK);

	if (!str_has_prefix(line, mark) || (line.n > mark.n && line.p[mark.n] != ' ' && line.p[mark.n] != '\r'))
		return false;
	*rest = str_trim(str_sub(line, mark.n, line.n));
	return true;
}

static struct str uncommented(struct arena *a, struct str body)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct str line;
	bool first = true;

	while (str_next_line(&body, &line)) {
		if (!first)
			buf_addc(&b, '\n');
		first = false;
		if (str_has_prefix(line, STR("--")))
			line = str_sub(line, 2, line.n);
		buf_addstr(&b, str_has_prefix(line, STR(" ")) ? str_sub(line, 1, line.n) : line);
	}
	return arena_str(a, buf_str(&b));
}

static void read_body(struct arena *a, struct cell *c, const char *from, const char *to)
{
	struct str body = lines_trim_end((struct str){from, (size_t)(to - from)});

	c->source = c->type == CELL_CODE ? arena_str(a, body) : uncommented(a, body);
}

static struct dom *kernel_of(struct arena *a)
{
	struct dom *metadata = dom_new(a, DOM_MAP), *kernel = dom_new(a, DOM_MAP), *language = dom_new(a, DOM_MAP);

	dom_set_cstr(a, kernel, "display_name", "SQL (DuckDB)");
	dom_set_cstr(a, kernel, "language", "sql");
	dom_set_cstr(a, kernel, "name", "sql");
	dom_set_cstr(a, language, "file_extension", ".sql");
	dom_set_cstr(a, language, "name", "sql");
	dom_set(a, metadata, "kernelspec", kernel);
	dom_set(a, metadata, "language_info", language);
	return metadata;
}

int sqlcell_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e)
{
	struct cells cells = {0};
	struct str rest = text, line, after;
	const char *from;
	int at = 0;

	if (str_has_prefix(rest, STR("\xef\xbb\xbf")))
		rest = str_sub(rest, 3, rest.n);
	from = rest.p;
	while (str_next_line(&rest, &line)) {
		at++;
		if (!marker(line, &after))
			continue;
		if (!cells.n && str_trim((struct str){from, (size_t)(line.p - from)}).n)
			cells_add(a, &cells, CELL_CODE)->line = 1;
		if (cells.n)
			read_body(a, &cells.p[cells.n - 1], from, line.p);
		percent_marker_read(a, after, 0, &cells);
		cells.p[cells.n - 1].line = at + 1;
		from = rest.p;
	}
	if (!cells.n && str_trim((struct str){from, (size_t)(text.p + text.n - from)}).n)
		cells_add(a, &cells, CELL_CODE)->line = 1;
	if (cells.n)
		read_body(a, &cells.p[cells.n - 1], from, text.p + text.n);
	*out = (struct notebook){.metadata = kernel_of(a), .cells = cells.p, .n = cells.n};
	return 0;
}

void sqlcell_write(struct arena *a, const struct notebook *nb, struct buf *out)
{
	for (size_t i = 0; i < nb->n; i++) {
		const struct cell *c = &nb->cells[i];
		struct str rest = c->source, line, after;

		buf_adds(out, i ? "\n" : "");
		percent_marker_write(c, MARK, STR_NULL, STR_NULL, out);
		while (str_next_line(&rest, &line)) {
			if (c->type != CELL_CODE)
				buf_adds(out, line.n ? "-- " : "--");
			else if (marker(line, &after)) /* a comment that would begin a cell */
				buf_adds(out, "-- ");
			buf_addstr(out, line);
			buf_addc(out, '\n');
		}
	}
}
