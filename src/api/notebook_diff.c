#include "api/notebook_diff.h"

#include "base/clean.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/textdiff.h"

#define COLUMNS 80
#define LINES_MAX 200 /* of one cell, for people */
#define TEXT_MAX ((size_t)64 << 20)

/* --- a cell's outputs as text --- */

/* Where a thing lay in memory differs from run to run. */
static void add_plain(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		buf_addc(b, s.p[i]);
		if (!str_has_suffix(str_sub(s, 0, i + 1), STR(" at 0x")))
			continue;
		while (i + 1 < s.n && strchr("0123456789abcdef", s.p[i + 1]) && s.p[i + 1])
			i++;
		buf_adds(b, "...");
	}
	if (s.n && s.p[s.n - 1] != '\n')
		buf_addc(b, '\n');
}

/* What is no text by its kind, size and hash: that it differs can be told, how cannot. */
static void add_data(struct arena *a, struct buf *b, const struct dom *data)
{
	struct str plain = notebook_text(a, dom_get(data, "text/plain"));

	if (plain.p)
		add_plain(b, plain);
	dom_each(v, data) {
		struct buf json cleanup(buf_free) = BUF_INIT(TEXT_MAX);
		struct str text = notebook_text(a, v);
		char hex[SHA_HEX + 1];
		struct sha sum;

		if (str_is(v->key, "text/plain") || (plain.p && str_has_prefix(v->key, STR("text/"))))
			continue;
		if (!text.p) {
			dom_write_json(&json, v, DOM_COMPACT);
			text = buf_str(&json);
		}
		sum = sha_of(text.p, text.n);
		sha_hex(&sum, hex);
		buf_addf(b, "[%.*s, %zu bytes, %.12s]\n", STR_ARG(v->key), text.n, hex);
	}
}

static struct str text_of_outputs(struct arena *a, const struct cell *c)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	dom_each(o, c->outputs) {
		struct str text = notebook_text(a, dom_get(o, "text")), name = notebook_text(a, dom_get(o, "ename"));

		if (text.p)
			add_plain(&b, text);
		else if (name.p)
			buf_addf(&b, "%.*s: %.*s\n", STR_ARG(name), STR_ARG(notebook_text(a, dom_get(o, "evalue"))));
		else
			add_data(a, &b, dom_get(o, "data"));
	}
	return arena_str(a, buf_str(&b));
}

static struct str with_end(struct arena *a, struct str s)
{
	return s.n && s.p[s.n - 1] != '\n' ? arena_strf(a, "%.*s\n", STR_ARG(s)) : s;
}

static struct str diff_of(struct arena *a, struct str x, struct str y)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	textdiff_write(&b, with_end(a, x), with_end(a, y));
	return arena_str(a, buf_str(&b));
}

/* --- what differs --- */

static struct dom *pair(struct arena *a, const struct dom *x, const struct dom *y)
{
	struct dom *l = dom_new(a, DOM_LIST);

	dom_add(l, x ? dom_copy(a, x) : dom_new(a, DOM_NULL));
	dom_add(l, y ? dom_copy(a, y) : dom_new(a, DOM_NULL));
	return l;
}

static bool same_value(struct arena *a, const struct dom *x, const struct dom *y)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX), c cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	if (!x || !y)
		return x == y;
	dom_write_json(&b, x, DOM_COMPACT);
	dom_write_json(&c, y, DOM_COMPACT);
	return str_eq(buf_str(&b), buf_str(&c));
}

/* {name: [one, other]} of what differs in two maps. */
static struct dom *diff_maps(struct arena *a, const struct dom *x, const struct dom *y)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_each(v, x) {
		const char *key = arena_cstr(a, v->key);

		if (!same_value(a, v, dom_get(y, key)))
			dom_set(a, d, key, pair(a, v, dom_get(y, key)));
	}
	dom_each(v, y) {
		const char *key = arena_cstr(a, v->key);

		if (!dom_get(x, key))
			dom_set(a, d, key, pair(a, NULL, v));
	}
	return d;
}

struct diffing {
	struct arena *a;
	const struct notebook *x, *y;
	struct dom *cells;
	size_t same;
};

/* x or y may be NULL: it is there on one side only. */
static void compare(struct diffing *d, const struct cell *x, const struct cell *y)
{
	static const struct cell none = {.source = {"", 0}};
	struct arena *a = d->a;
	struct str source = diff_of(a, (x ? x : &none)->source, (y ? y : &none)->source);
	struct str outputs = diff_of(a, x ? text_of_outputs(a, x) : STR(""), y ? text_of_outputs(a, y) : STR(""));
	struct dom *row;

	if (x && y && !source.n && !outputs.n) {
		d->same++;
		return;
	}
	row = dom_new(a, DOM_MAP);
	dom_set_cstr(a, row, "change", !x ? "added" : !y ? "removed" : "changed");
	dom_set(a, row, "cell", x ? dom_new_int(a, x - d->x->cells + 1) : dom_new(a, DOM_NULL));
	dom_set(a, row, "other", y ? dom_new_int(a, y - d->y->cells + 1) : dom_new(a, DOM_NULL));
	if (source.n)
		dom_set_str(a, row, "source", source);
	if (outputs.n)
		dom_set_str(a, row, "outputs", outputs);
	dom_add(d->cells, row);
}

/* Cells with the same source belong together; of those between, one side's and the other's by their turn. */
static void compare_cells(struct diffing *d)
{
	struct arena *a = d->a;
	size_t n = d->x->n, m = d->y->n, i = 0, j = 0;
	struct str *x = arena_array(a, struct str, n + 1), *y = arena_array(a, struct str, m + 1);
	bool *gone = arena_array(a, bool, n + 1), *added = arena_array(a, bool, m + 1);

	for (size_t k = 0; k < n; k++)
		x[k] = arena_strf(a, "%d %.*s", (int)d->x->cells[k].type, STR_ARG(d->x->cells[k].source));
	for (size_t k = 0; k < m; k++)
		y[k] = arena_strf(a, "%d %.*s", (int)d->y->cells[k].type, STR_ARG(d->y->cells[k].source));
	textdiff_pieces(x, n, y, m, gone, added);
	while (i < n || j < m) {
		const struct cell *left = i < n ? &d->x->cells[i] : NULL, *right = j < m ? &d->y->cells[j] : NULL;
		bool old = i < n && gone[i], new = j < m && added[j];

		if (old && new && left->type != right->type)
			new = false;
		compare(d, old || !new ? left : NULL, new || !old ? right : NULL);
		i += old || !new;
		j += new || !old;
	}
}

/* --- for people --- */

/* At most a terminal's width; a longer line says so by its end. Nothing that a cell printed drives the terminal. */
static void add_line(struct arena *a, struct buf *b, const char *indent, struct str text)
{
	size_t room = COLUMNS - strlen(indent), chars = 0, n = 0;
	struct str line = clean_text(a, text, "\t");

	buf_adds(b, indent);
	for (; n < line.n && chars < room; n++)
		chars += n + 1 == line.n || (line.p[n + 1] & 0xc0) != 0x80;
	if (n < line.n) {
		for (size_t cut = 3; n && cut; n--)
			cut -= (line.p[n - 1] & 0xc0) != 0x80;
		buf_addf(b, "%.*s...\n", (int)n, line.p);
	} else {
		buf_addf(b, "%.*s\n", STR_ARG(line));
	}
}

static void add_diff(struct arena *a, struct buf *b, const char *what, struct str text)
{
	struct str line;
	size_t n = 0, more = 0;

	if (!text.n)
		return;
	buf_addf(b, "  %s\n", what);
	while (str_next_line(&text, &line)) {
		if (str_has_prefix(line, STR("@@")))
			continue;
		if (n++ < LINES_MAX)
			add_line(a, b, "    ", line);
		else
			more++;
	}
	if (more)
		buf_addf(b, "    and %zu lines more: --json has them\n", more);
}

static struct str word(struct arena *a, const struct dom *v)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	if (!v || v->type == DOM_NULL)
		return STR("(none)");
	if (v->type == DOM_STR)
		return v->s;
	dom_write_json(&b, v, DOM_COMPACT);
	return arena_str(a, buf_str(&b));
}

static void add_pairs(struct arena *a, struct buf *b, const char *what, const struct dom *pairs)
{
	if (!pairs->n)
		return;
	buf_addf(b, "%s\n", what);
	dom_each(v, pairs)
		add_line(a, b, "  ", arena_strf(a, "%.*s: %.*s -> %.*s", STR_ARG(v->key), STR_ARG(word(a, v->first)),
		                             STR_ARG(word(a, v->last))));
}

static struct str as_text(struct arena *a, const struct dom *doc)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	const struct dom *same = dom_get(doc, "same");

	add_pairs(a, &b, "parameters", dom_get(doc, "parameters"));
	add_pairs(a, &b, "metrics", dom_get(doc, "metrics"));
	dom_each(c, dom_get(doc, "cells")) {
		const struct dom *n = dom_get(c, "cell"), *m = dom_get(c, "other"), *v;

		if (n->type == DOM_INT && m->type == DOM_INT && n->i != m->i)
			buf_addf(&b, "cell %lld, now %lld: ", (long long)n->i, (long long)m->i);
		else
			buf_addf(&b, "cell %lld: ", (long long)(n->type == DOM_INT ? n->i : m->i));
		buf_addf(&b, "%.*s\n", STR_ARG(dom_get(c, "change")->s));
		if ((v = dom_get(c, "source")))
			add_diff(a, &b, "source", v->s);
		if ((v = dom_get(c, "outputs")))
			add_diff(a, &b, "outputs", v->s);
	}
	buf_addf(&b, "%lld cell%s the same\n", (long long)same->i, same->i == 1 ? " is" : "s are");
	return arena_str(a, buf_str(&b));
}

static const struct dom *parameters(const struct notebook *nb)
{
	const struct dom *v = dom_path(nb->metadata, "papermill.parameters");

	return v && v->type == DOM_MAP ? v : NULL;
}

int notebook_diff(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *doc = dom_new(a, DOM_MAP);
	struct notebook_side x, y;
	struct diffing d = {.a = a, .cells = dom_new(a, DOM_LIST)};

	if (!args_pos(args, 2).p) {
		err_set(e, ERR_BAD_REQUEST, "diff asks for two notebooks");
		return err_hint(e, "leat notebook diff RUN RUN, or JOB@DS, or files");
	}
	if (notebook_side_find(api, args, args_pos(args, 1), &x, e) ||
	    notebook_side_find(api, args, args_pos(args, 2), &y, e))
		return -1;
	d.x = &x.nb;
	d.y = &y.nb;
	compare_cells(&d);
	dom_set_str(a, doc, "old", x.shown);
	dom_set_str(a, doc, "new", y.shown);
	dom_set(a, doc, "parameters", diff_maps(a, parameters(&x.nb), parameters(&y.nb)));
	dom_set(a, doc, "metrics", diff_maps(a, x.metrics, y.metrics));
	dom_set(a, doc, "cells", d.cells);
	dom_set_int(a, doc, "same", (int64_t)d.same);
	return out->people ? out->bytes(out->ptr, as_text(a, doc), e) : sink_row(out, doc, e);
}
