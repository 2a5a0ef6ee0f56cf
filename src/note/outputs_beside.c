#include "note/outputs_beside.h"

#include "base/str.h"
#include "note/html.h"
#include "note/notebook.h"
#include "note/outputs.h"
#include "sys/file.h"

#define IMAGES 10 /* times the limit of texts */

static const struct {
	const char *mime, *ext;
} kinds[] = {
	{"text/html", ".html"}, {"image/png", ".png"},          {"image/jpeg", ".jpg"},
	{"image/gif", ".gif"},  {"image/svg+xml", ".svg.txt"},  {"text/markdown", ".md"},
};

static const char *ext_of(struct str mime)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(mime, kinds[i].mime))
			return kinds[i].ext;
	return str_has_suffix(mime, STR("json")) ? ".json" : ".txt";
}

static bool is_image(struct str mime)
{
	return str_has_prefix(mime, STR("image/"));
}

static int digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What is no base64 is left out. */
static void decode(struct buf *out, struct str s)
{
	unsigned bits = 0;
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = digit(s.p[i]);

		if (v < 0)
			continue;
		bits = bits << 6 | (unsigned)v;
		if ((n += 6) < 8)
			continue;
		n -= 8;
		buf_addc(out, (char)(bits >> n & 0xff));
	}
}

static void content(struct buf *out, struct str mime, struct str text)
{
	if (str_is(mime, "text/html")) {
		buf_adds(out, "<!doctype html><meta charset=utf-8><meta http-equiv=Content-Security-Policy"
		              " content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n");
		html_clean(out, text);
	} else if (is_image(mime) && !str_is(mime, "image/svg+xml")) {
		decode(out, text);
	} else {
		buf_addstr(out, text);
	}
}

/* Its name; NULL: there was no room. */
static const char *write_beside(struct arena *a, struct beside *b, struct str mime, struct str text)
{
	struct buf made cleanup(buf_free) = BUF_INIT(2 * NOTEBOOK_BYTES_MAX);
	const char *name = arena_printf(a, "%s.cell-%zu.output-%zu%s", b->base, b->cell, b->files + 1, ext_of(mime));
	struct err e = ERR_INIT;

	if (b->written > OUTPUT_FILE_MAX)
		return NULL;
	content(&made, mime, text);
	if (file_replace(path_join(a, b->dir, name), buf_str(&made), 0644, 0, &e)) {
		err_clear(&e);
		return NULL;
	}
	b->files++;
	b->written += (int64_t)made.n;
	return name;
}

static struct str text_of(struct arena *a, const struct dom *v)
{
	struct str text = notebook_text(a, v);
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);

	if (text.p)
		return text;
	dom_write_json(&b, v, DOM_COMPACT);
	return arena_str(a, buf_str(&b));
}

static bool fits(struct beside *b, const struct dom *v, size_t n)
{
	size_t *kept = is_image(v->key) ? &b->images : &b->texts;
	size_t limit = is_image(v->key) ? IMAGES * b->limit : b->limit;

	if (n > limit || *kept > limit - n)
		return false;
	*kept += n;
	return true;
}

const char *beside_size(struct arena *a, size_t n)
{
	if (n >> 20)
		return arena_printf(a, "%.1f MB", (double)n / (1 << 20));
	return arena_printf(a, "%zu KB", (n + 1023) >> 10);
}

/* In place of what is not in the notebook. */
static void say(struct arena *a, struct dom *data, struct str mime, size_t n, const char *name)
{
	struct str what = arena_strf(a, "%s of %.*s", beside_size(a, n), STR_ARG(mime));

	if (!dom_get(data, "text/plain"))
		dom_set_str(a, data, "text/plain",
		            name ? arena_strf(a, "%.*s: %s", STR_ARG(what), name)
		                 : arena_strf(a, "%.*s, for which there was no room", STR_ARG(what)));
	if (name && !dom_get(data, "text/html"))
		dom_set_str(a, data, "text/html",
		            arena_strf(a, "<p>%.*s: <a href=\"%s\">%s</a></p>", STR_ARG(what), name, name));
}

static bool has(const struct dom *const *list, size_t n, const struct dom *v)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return false;
}

const struct dom *beside_fit(struct arena *a, struct beside *b, const struct dom *out)
{
	const struct dom *data = dom_get(out, "data");
	struct dom *kept = dom_new(a, DOM_MAP), *copy;
	VEC(const struct dom *) large = {0};

	dom_each(v, data)
		if (!fits(b, v, text_of(a, v).n))
			vec_push(a, &large, v);
	if (!large.n)
		return out;
	dom_each(v, data)
		if (!has(large.p, large.n, v))
			dom_set(a, kept, arena_cstr(a, v->key), dom_copy(a, v));
	for (size_t i = 0; i < large.n; i++) {
		struct str text = text_of(a, large.p[i]);

		say(a, kept, large.p[i]->key, text.n, write_beside(a, b, large.p[i]->key, text));
	}
	copy = dom_new(a, DOM_MAP);
	dom_each(v, out)
		dom_set(a, copy, arena_cstr(a, v->key), str_is(v->key, "data") ? kept : dom_copy(a, v));
	return copy;
}
