/*
 * Python in cells that begin with `# <codecell>` or `# <markdowncell>`: IPython's form before percent, and dsflow's. It
 * has no metadata, so tags do not come through it.
 */
#include "base/str.h"
#include "note/notebook_in.h"

static const struct {
	const char *word;
	enum cell_type type;
} old_cells[] = {
	{"# <codecell>", CELL_CODE},
	{"# <markdowncell>", CELL_MARKDOWN},
	{"# <htmlcell>", CELL_MARKDOWN},
	{"# <rawcell>", CELL_RAW},
	{"# <headingcell", CELL_MARKDOWN}, /* level=N> */
};

static int level_of(struct str line)
{
	struct str rest = str_sub(line, strlen("# <headingcell level="), 1);
	int64_t n;

	return str_to_i64(rest, &n) && n >= 1 && n <= 6 ? (int)n : 1;
}

static void old_body(struct arena *a, struct cell *c, struct str body, int heading)
{
	body = lines_trim_end(body);
	while (body.n && body.p[0] == '\n')
		body = str_sub(body, 1, body.n);
	c->source = c->type == CELL_CODE ? arena_str(a, body) : comment_read(a, body);
	if (heading)
		c->source = arena_strf(a, "%.*s %.*s", heading, "######", STR_ARG(c->source));
}

int codecell_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e)
{
	struct cells cells = {0};
	struct str rest = text, line;
	const char *from = text.p;
	int at = 0, heading = 0;

	while (str_next_line(&rest, &line)) {
		size_t i = 0;

		at++;
		while (i < ARRAY_LEN(old_cells) && !str_has_prefix(line, str_of(old_cells[i].word)))
			i++;
		if (i == ARRAY_LEN(old_cells))
			continue;
		if (cells.n)
			old_body(a, &cells.p[cells.n - 1], (struct str){from, (size_t)(line.p - from)}, heading);
		cells_add(a, &cells, old_cells[i].type)->line = at + 1;
		heading = i + 1 == ARRAY_LEN(old_cells) ? level_of(line) : 0;
		from = rest.p;
	}
	if (cells.n)
		old_body(a, &cells.p[cells.n - 1], (struct str){from, (size_t)(text.p + text.n - from)}, heading);
	*out = (struct notebook){.metadata = dom_new(a, DOM_MAP), .cells = cells.p, .n = cells.n};
	return 0;
}

void codecell_write(struct arena *a, const struct notebook *nb, struct buf *out)
{
	buf_adds(out, "# -*- coding: utf-8 -*-\n# <nbformat>3.0</nbformat>\n");
	for (size_t i = 0; i < nb->n; i++) {
		const struct cell *c = &nb->cells[i];

		buf_addf(out, "\n%s\n\n", c->type == CELL_CODE       ? "# <codecell>"
		                          : c->type == CELL_MARKDOWN ? "# <markdowncell>"
		                                                     : "# <rawcell>");
		if (c->type != CELL_CODE) {
			comment_write(out, c->source);
			continue;
		}
		buf_addstr(out, c->source);
		if (c->source.n)
			buf_addc(out, '\n');
	}
}
