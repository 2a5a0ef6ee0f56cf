#include <string.h>

#include "base/str.h"
#include "flow/key.h"

static void add(struct arena *a, struct dom *out, const char *what, struct str name, const struct dom *before,
                const struct dom *now, const char *text)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_cstr(a, d, "what", what);
	dom_set_str(a, d, "name", name);
	if (before)
		dom_set_str(a, d, "before", dom_text(a, before));
	if (now)
		dom_set_str(a, d, "now", dom_text(a, now));
	dom_set_cstr(a, d, "text", text);
	dom_add(out, d);
}

static bool same(const struct dom *x, const struct dom *y)
{
	return x && y ? dom_equal(x, y) : x == y;
}

static struct dom *named(const struct dom *list, const char *key, struct str name)
{
	dom_each(x, list) {
		const struct dom *k = dom_get(x, key);

		if (k && k->type == DOM_STR && str_eq(k->s, name))
			return x;
	}
	return NULL;
}

static struct str text_of(struct arena *a, const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v ? dom_text(a, v) : STR("");
}

/* A value for a sentence: a scalar as it is, else as JSON. */
static struct str show(struct arena *a, const struct dom *v)
{
	struct buf b = BUF_INIT(200);
	struct str out;

	if (v->type != DOM_LIST && v->type != DOM_MAP)
		return dom_text(a, v);
	dom_write_json(&b, v, DOM_COMPACT);
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static void diff_code(struct arena *a, struct dom *out, const struct dom *before, const struct dom *now)
{
	const struct dom *old = dom_get(before, "files"), *new = dom_get(now, "files");

	if (!same(dom_get(before, "kind"), dom_get(now, "kind")))
		add(a, out, "kind", STR("kind"), dom_get(before, "kind"), dom_get(now, "kind"),
		    arena_printf(a, "kind was %.*s, is %.*s", STR_ARG(text_of(a, before, "kind")), STR_ARG(text_of(a,
		      now, "kind"))));
	if (same(dom_get(before, "code"), dom_get(now, "code")))
		return;
	dom_each(x, new) {
		struct str path = text_of(a, x, "path");
		const struct dom *was = named(old, "path", path);

		if (!was)
			add(a, out, "file", path, NULL, dom_get(x, "sha256"), arena_printf(a, "%.*s is new",
			      STR_ARG(path)));
		else if (!same(dom_get(was, "sha256"), dom_get(x, "sha256")))
			add(a, out, "file", path, dom_get(was, "sha256"), dom_get(x, "sha256"),
			    arena_printf(a, "%.*s changed", STR_ARG(path)));
	}
	dom_each(x, old) {
		struct str path = text_of(a, x, "path");

		if (!named(new, "path", path))
			add(a, out, "file", path, dom_get(x, "sha256"), NULL, arena_printf(a, "%.*s is gone",
			      STR_ARG(path)));
	}
}

static void diff_map(struct arena *a, struct dom *out, const char *what, const struct dom *old, const struct dom *new)
{
	if (new)
		dom_each(x, new) {
			const struct dom *was = old ? dom_get(old, arena_cstr(a, x->key)) : NULL;

			if (!was)
				add(a, out, what, x->key, NULL, x,
				    arena_printf(a, "%.*s is new: %.*s", STR_ARG(x->key), STR_ARG(show(a, x))));
			else if (!dom_equal(was, x))
				add(a, out, what, x->key, was, x,
				    arena_printf(a, "%.*s was %.*s, is %.*s", STR_ARG(x->key), STR_ARG(show(a, was)),
				      STR_ARG(show(a, x))));
		}
	if (old)
		dom_each(x, old)
			if (!new || !dom_get(new, arena_cstr(a, x->key)))
				add(a, out, what, x->key, x, NULL,
				    arena_printf(a, "%.*s was %.*s, is not there now", STR_ARG(x->key),
				      STR_ARG(show(a, x))));
}

/* Partitions by label; only the first few differences become sentences, the rest one. */
static void diff_parts(struct arena *a, struct dom *out, struct str repo, const struct dom *old, const struct dom *new)
{
	size_t more = 0, said = 0;

	dom_each(x, new) {
		struct str ds = text_of(a, x, "ds");
		const struct dom *was = named(old, "ds", ds);
		const char *how = !was ? "is new" : same(dom_get(was, "tree"), dom_get(x, "tree")) ? NULL : "changed";

		if (how && said++ < 5)
			add(a, out, "input", repo, was ? dom_get(was, "tree") : NULL, dom_get(x, "tree"),
			    arena_printf(a, "%.*s ds=%.*s %s", STR_ARG(repo), STR_ARG(ds), how));
		else if (how)
			more++;
	}
	dom_each(x, old) {
		struct str ds = text_of(a, x, "ds");

		if (named(new, "ds", ds))
			continue;
		if (said++ < 5)
			add(a, out, "input", repo, dom_get(x, "tree"), NULL,
			    arena_printf(a, "%.*s ds=%.*s is not read now", STR_ARG(repo), STR_ARG(ds)));
		else
			more++;
	}
	if (more)
		add(a, out, "input", repo, NULL, NULL, arena_printf(a, "%zu more partitions of %.*s differ", more,
		      STR_ARG(repo)));
}

/* Of a unit that comes from the data: the files that it read. */
static void diff_paths(struct arena *a, struct dom *out, struct str repo, const struct dom *old, const struct dom *new)
{
	if (new)
		dom_each (x, new) {
			struct str path = text_of(a, x, "path");
			const struct dom *was = old ? named(old, "path", path) : NULL;

			if (!was || !same(dom_get(was, "content"), dom_get(x, "content")))
				add(a, out, "input", repo, was ? dom_get(was, "content") : NULL, dom_get(x, "content"),
				    arena_printf(a, "%.*s:%.*s %s", STR_ARG(repo), STR_ARG(path),
				                 was ? "changed" : "is new"));
		}
	if (old)
		dom_each (x, old) {
			struct str path = text_of(a, x, "path");

			if (!new || !named(new, "path", path))
				add(a, out, "input", repo, dom_get(x, "content"), NULL,
				    arena_printf(a, "%.*s:%.*s is not read now", STR_ARG(repo), STR_ARG(path)));
		}
}

static void diff_input(struct arena *a, struct dom *out, const struct dom *old, const struct dom *new)
{
	struct str repo = text_of(a, new, "repo"), was = text_of(a, old, "repo"), name = text_of(a, new, "name");
	size_t n = out->n;

	if (!str_eq(repo, was))
		add(a, out, "input", name, dom_get(old, "repo"), dom_get(new, "repo"),
		    arena_printf(a, "input %.*s was %.*s, is %.*s", STR_ARG(name), STR_ARG(was), STR_ARG(repo)));
	if (!same(dom_get(old, "format"), dom_get(new, "format")))
		add(a, out, "input", repo, dom_get(old, "format"), dom_get(new, "format"),
		    arena_printf(a, "how %.*s is read changed", STR_ARG(repo)));
	if (dom_get(old, "paths") || dom_get(new, "paths"))
		diff_paths(a, out, repo, dom_get(old, "paths"), dom_get(new, "paths"));
	if (same(dom_get(old, "content"), dom_get(new, "content")))
		return;
	if (dom_get(old, "parts") && dom_get(new, "parts"))
		diff_parts(a, out, repo, dom_get(old, "parts"), dom_get(new, "parts"));
	if (out->n == n)
		add(a, out, "input", repo, dom_get(old, "content"), dom_get(new, "content"),
		    arena_printf(a, "%.*s changed", STR_ARG(repo)));
}

struct dom *key_diff(struct arena *a, const struct dom *before, const struct dom *now)
{
	struct dom *out = dom_new(a, DOM_LIST);
	const struct dom *old = dom_get(before, "inputs"), *new = dom_get(now, "inputs");

	diff_code(a, out, before, now);
	diff_map(a, out, "param", dom_get(before, "params"), dom_get(now, "params"));
	diff_map(a, out, "setting", dom_get(before, "settings"), dom_get(now, "settings"));
	/* No file differs, and no value that the query was rendered with: a file that it includes, or the ds. */
	if (!out->n && !same(dom_get(before, "code"), dom_get(now, "code")))
		add(a, out, "code", STR("code"), dom_get(before, "code"), dom_get(now, "code"), "the query changed");
	if (!same(dom_get(before, "output"), dom_get(now, "output")))
		add(a, out, "output", STR("output"), dom_get(before, "output"), dom_get(now, "output"),
		      "the name of its output changed");
	dom_each(x, new) {
		struct str name = text_of(a, x, "name");
		const struct dom *was = named(old, "name", name);

		if (was)
			diff_input(a, out, was, x);
		else
			add(a, out, "input", name, NULL, dom_get(x, "repo"), arena_printf(a, "input %.*s is new",
			      STR_ARG(name)));
	}
	dom_each(x, old) {
		struct str name = text_of(a, x, "name");

		if (!named(new, "name", name))
			add(a, out, "input", name, dom_get(x, "repo"), NULL, arena_printf(a,
			      "input %.*s is not read now", STR_ARG(name)));
	}
	return out;
}
