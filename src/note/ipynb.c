/*
 * .ipynb: nbformat 3 and 4 read, 4.5 written. What 3 called otherwise is renamed as nbformat's own upgrade does.
 */
#include "base/str.h"
#include "note/notebook_in.h"

#define MIN_FORMAT 3
#define FORMAT 4
#define MINOR 5

/* The names that version 3 had for what an output holds (nbformat 3 schema), and their media types. */
static const struct {
	const char *key, *mime;
} mime_of_v3[] = {
	{"text", "text/plain"},
	{"html", "text/html"},
	{"svg", "image/svg+xml"},
	{"png", "image/png"},
	{"jpeg", "image/jpeg"},
	{"latex", "text/latex"},
	{"json", "application/json"},
	{"javascript", "application/javascript"},
};

struct reading {
	struct arena *a;
	const char *name;
	struct cells cells;
};

static int wrong(const struct reading *r, const struct dom *at, struct err *e, const char *what, const char *want)
{
	err_set(e, ERR_BAD_DATA, "%s is %s, not %s", what, at ? dom_type_word(at->type) : "not there", want);
	return at ? err_at(e, r->name, at->line, at->col) : err_at(e, r->name, 0, 0);
}

static struct dom *map_of(struct arena *a, const struct dom *v)
{
	return v && v->type == DOM_MAP ? dom_copy(a, v) : dom_new(a, DOM_MAP);
}

static void set_text(struct arena *a, struct dom *map, const char *key, const struct dom *v)
{
	if (v)
		dom_set(a, map, key, dom_copy(a, v));
}

/* --- outputs of version 3 --- */

static struct dom *data_of_v3(struct arena *a, const struct dom *o)
{
	struct dom *data = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < ARRAY_LEN(mime_of_v3); i++)
		set_text(a, data, mime_of_v3[i].mime, dom_get(o, mime_of_v3[i].key));
	return data;
}

static struct dom *output_of_v3(struct arena *a, const struct dom *o)
{
	struct dom *out = dom_new(a, DOM_MAP);
	struct str type = notebook_text(a, dom_get(o, "output_type"));
	struct str stream = notebook_text(a, dom_get(o, "stream"));
	struct dom *count = dom_get(o, "prompt_number");

	if (str_is(type, "stream")) {
		dom_set_cstr(a, out, "output_type", "stream");
		dom_set_str(a, out, "name", stream.n ? stream : STR("stdout"));
		set_text(a, out, "text", dom_get(o, "text"));
	} else if (str_is(type, "pyerr")) {
		dom_set_cstr(a, out, "output_type", "error");
		set_text(a, out, "ename", dom_get(o, "ename"));
		set_text(a, out, "evalue", dom_get(o, "evalue"));
		set_text(a, out, "traceback", dom_get(o, "traceback"));
	} else {
		bool result = str_is(type, "pyout");

		dom_set_cstr(a, out, "output_type", result ? "execute_result" : "display_data");
		dom_set(a, out, "data", data_of_v3(a, o));
		dom_set(a, out, "metadata", map_of(a, dom_get(o, "metadata")));
		if (result)
			dom_set(a, out, "execution_count", count ? dom_copy(a, count) : dom_new(a, DOM_NULL));
	}
	return out;
}

/* --- reading --- */

static int read_outputs(struct reading *r, struct cell *c, const struct dom *from, bool v3, struct err *e)
{
	if (from && from->type != DOM_LIST)
		return wrong(r, from, e, "`outputs`", "a list");
	dom_each(o, from) {
		if (o->type != DOM_MAP)
			return wrong(r, o, e, "an output", "a map");
		dom_add(c->outputs, v3 ? output_of_v3(r->a, o) : dom_copy(r->a, o));
	}
	return 0;
}

static int read_source(struct reading *r, struct cell *c, const struct dom *cell, const char *key, struct err *e)
{
	const struct dom *v = dom_get(cell, key);

	c->source = notebook_text(r->a, v);
	if (!c->source.p)
		return wrong(r, v ? v : cell, e, arena_printf(r->a, "`%s` of a cell", key), "text or a list of lines");
	c->line = v->line;
	return 0;
}

static int read_cell(struct reading *r, const struct dom *cell, struct err *e)
{
	struct str type = notebook_text(r->a, dom_get(cell, "cell_type"));
	const struct dom *count = dom_get(cell, "execution_count");
	struct cell *c;

	if (str_is(type, "code"))
		c = cells_add(r->a, &r->cells, CELL_CODE);
	else if (str_is(type, "markdown"))
		c = cells_add(r->a, &r->cells, CELL_MARKDOWN);
	else if (str_is(type, "raw"))
		c = cells_add(r->a, &r->cells, CELL_RAW);
	else
		return wrong(r, cell, e, "`cell_type`", "code, markdown or raw");
	c->metadata = map_of(r->a, dom_get(cell, "metadata"));
	if (dom_get(cell, "attachments"))
		c->attachments = map_of(r->a, dom_get(cell, "attachments"));
	c->id = notebook_text(r->a, dom_get(cell, "id"));
	if (count && count->type == DOM_INT)
		c->count = count->i;
	if (c->type == CELL_CODE && read_outputs(r, c, dom_get(cell, "outputs"), false, e))
		return -1;
	return read_source(r, c, cell, "source", e);
}

static int read_cell_v3(struct reading *r, const struct dom *cell, struct err *e)
{
	struct str type = notebook_text(r->a, dom_get(cell, "cell_type"));
	const struct dom *level = dom_get(cell, "level"), *count = dom_get(cell, "prompt_number");
	const struct dom *collapsed = dom_get(cell, "collapsed");
	bool code = str_is(type, "code");
	struct cell *c;

	if (!type.n)
		return wrong(r, cell, e, "`cell_type`", "code, markdown, heading, html or raw");
	c = cells_add(r->a, &r->cells, code ? CELL_CODE : str_is(type, "raw") ? CELL_RAW : CELL_MARKDOWN);
	c->metadata = map_of(r->a, dom_get(cell, "metadata"));
	if (read_source(r, c, cell, code ? "input" : "source", e))
		return -1;
	if (str_is(type, "heading")) {
		int64_t n = level && level->type == DOM_INT ? MAX(1, MIN(level->i, 6)) : 1;

		c->source = arena_strf(r->a, "%.*s %.*s", (int)n, "######", STR_ARG(c->source));
	}
	if (!code)
		return 0;
	if (collapsed && !dom_get(c->metadata, "collapsed"))
		dom_set(r->a, c->metadata, "collapsed", dom_copy(r->a, collapsed));
	if (count && count->type == DOM_INT)
		c->count = count->i;
	return read_outputs(r, c, dom_get(cell, "outputs"), true, e);
}

static int read_cells(struct reading *r, const struct dom *cells, bool v3, struct err *e)
{
	if (!cells || cells->type != DOM_LIST)
		return wrong(r, cells, e, "`cells`", "a list");
	dom_each(cell, cells) {
		if (cell->type != DOM_MAP)
			return wrong(r, cell, e, "a cell", "a map");
		if (v3 ? read_cell_v3(r, cell, e) : read_cell(r, cell, e))
			return -1;
	}
	return 0;
}

int ipynb_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e)
{
	struct reading r = {.a = a, .name = name};
	const struct dom *format;
	struct dom *top;
	int64_t version;

	if (dom_json(a, text, name, &top, e))
		return -1;
	format = dom_get(top, "nbformat");
	version = format && format->type == DOM_INT ? format->i : 0;
	if (!version) {
		err_set(e, ERR_BAD_DATA, "no notebook: it does not say which `nbformat` it has");
		return err_at(e, name, top->line, top->col);
	}
	if (version < MIN_FORMAT || version > FORMAT) {
		err_set(e, ERR_BAD_DATA, "a notebook of format %lld; %d and %d are read", (long long)version,
		        MIN_FORMAT, FORMAT);
		err_at(e, name, format->line, format->col);
		return err_hint(e, version > FORMAT ? "this leat is older than the notebook"
		                                    : "open and save it once with Jupyter");
	}
	if (version == FORMAT) {
		if (read_cells(&r, dom_get(top, "cells"), false, e))
			return -1;
	} else {
		dom_each(sheet, dom_get(top, "worksheets"))
			if (read_cells(&r, dom_get(sheet, "cells"), true, e))
				return -1;
	}
	*out = (struct notebook){.metadata = map_of(a, dom_get(top, "metadata")), .cells = r.cells.p, .n = r.cells.n};
	return 0;
}

/* --- writing --- */

/* Text as nbformat writes it: each line with its end. */
static struct dom *lines_of(struct arena *a, struct str s)
{
	struct dom *list = dom_new(a, DOM_LIST);

	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end ? (size_t)(end - s.p) + 1 : s.n;

		dom_add(list, dom_new_str(a, str_sub(s, 0, n)));
		s = str_sub(s, n, s.n);
	}
	return list;
}

static bool in_lines(struct str mime)
{
	return str_has_prefix(mime, STR("text/")) || str_is(mime, "application/javascript") ||
	       str_is(mime, "image/svg+xml");
}

static struct dom *bundle(struct arena *a, const struct dom *data)
{
	struct dom *out = dom_new(a, DOM_MAP);

	dom_each(v, data) {
		struct str text = notebook_text(a, v);
		const char *mime = arena_cstr(a, v->key);
		bool json = str_has_suffix(v->key, STR("json"));

		if (text.p && in_lines(v->key))
			dom_set(a, out, mime, lines_of(a, text));
		else if (text.p && !json)
			dom_set_str(a, out, mime, text);
		else
			dom_set(a, out, mime, dom_copy(a, v));
	}
	return out;
}

static struct dom *output_of(struct arena *a, const struct dom *o)
{
	struct dom *out = dom_new(a, DOM_MAP);
	struct str type = notebook_text(a, dom_get(o, "output_type"));

	dom_each(v, o) {
		const char *key = arena_cstr(a, v->key);

		if (str_is(v->key, "text") && str_is(type, "stream"))
			dom_set(a, out, key, lines_of(a, notebook_text(a, v)));
		else if (str_is(v->key, "data") && v->type == DOM_MAP)
			dom_set(a, out, key, bundle(a, v));
		else
			dom_set(a, out, key, dom_copy(a, v));
	}
	return out;
}

static struct dom *cell_of(struct arena *a, const struct cell *c)
{
	struct dom *out = dom_new(a, DOM_MAP), *outputs;

	dom_set_cstr(a, out, "cell_type", cell_type_word(c->type));
	dom_set_str(a, out, "id", c->id);
	dom_set(a, out, "metadata", dom_copy(a, c->metadata));
	dom_set(a, out, "source", lines_of(a, c->source));
	if (c->attachments) {
		struct dom *files = dom_new(a, DOM_MAP);

		dom_each(file, c->attachments)
			dom_set(a, files, arena_cstr(a, file->key), bundle(a, file));
		dom_set(a, out, "attachments", files);
	}
	if (c->type != CELL_CODE)
		return out;
	outputs = dom_new(a, DOM_LIST);
	dom_each(o, c->outputs)
		dom_add(outputs, output_of(a, o));
	dom_set(a, out, "outputs", outputs);
	dom_set(a, out, "execution_count", c->count ? dom_new_int(a, c->count) : dom_new(a, DOM_NULL));
	return out;
}

void ipynb_write(struct arena *a, const struct notebook *nb, struct buf *out)
{
	struct dom *top = dom_new(a, DOM_MAP), *cells = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < nb->n; i++)
		dom_add(cells, cell_of(a, &nb->cells[i]));
	dom_set(a, top, "cells", cells);
	dom_set(a, top, "metadata", dom_copy(a, nb->metadata));
	dom_set_int(a, top, "nbformat", FORMAT);
	dom_set_int(a, top, "nbformat_minor", MINOR);
	dom_write_json(out, top, DOM_NOTEBOOK);
	buf_addc(out, '\n');
}
