/* Which files of a partition, or of a whole repo, are others than those that a unit read before. */
#include "base/str.h"
#include "flow/why_in.h"
#include "repo/tree.h"

struct telling {
	struct arena *a;
	struct dom *files;
	struct buf *text;
	int64_t more;
};

static const struct dom *with(const struct dom *list, const char *key, struct str value)
{
	dom_each (x, list)
		if (str_eq(dom_str(x, key), value))
			return x;
	return NULL;
}

static int on_file(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                   struct err *e)
{
	static const char *const words[] = {"added", "removed", "changed"};
	static const char *const says[] = {"is new", "is gone", "changed"};
	struct telling *t = ptr;
	struct dom *row;

	if (t->files->n == WHY_FILES_TOLD) {
		t->more++;
		return 0;
	}
	row = dom_new(t->a, DOM_MAP);
	dom_set_str(t->a, row, "path", path);
	dom_set_cstr(t->a, row, "change", words[kind]);
	if (old)
		why_hex(t->a, row, "before", &old->id);
	if (new)
		why_hex(t->a, row, "now", &new->id);
	buf_addf(t->text, "%s%.*s %s", t->files->n ? ", " : "", STR_ARG(path), says[kind]);
	dom_add(t->files, row);
	return 0;
}

static void tell(struct catalog *c, struct arena *a, struct dom *change, struct str was, struct str is)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 16);
	struct telling t = {.a = a, .files = dom_new(a, DOM_LIST), .text = &b};
	struct err gone = ERR_INIT;
	struct sha x, y;

	buf_addf(&b, "%.*s: ", STR_ARG(dom_str(change, "text")));
	if (!sha_parse(was, &x) || !sha_parse(is, &y) ||
	    tree_diff(catalog_store(c), &x, &y, false, on_file, &t, &gone) || !t.files->n)
		return;
	if (t.more)
		buf_addf(&b, ", and %lld files more", (long long)t.more);
	if (buf_over(&b)) /* very long names: the list has them */
		b.n = 0;
	dom_set(a, change, "files", t.files);
	if (t.more)
		dom_set_int(a, change, "more", t.more);
	if (b.n)
		dom_get(change, "text")->s = arena_str(a, buf_str(&b));
}

void why_name_files(struct catalog *c, struct arena *a, const struct dom *before, const struct dom *now,
                    struct dom *changes)
{
	dom_each (v, changes) {
		const struct dom *old = with(dom_get(before, "inputs"), "repo", dom_str(v, "name")),
		                 *new = with(dom_get(now, "inputs"), "repo", dom_str(v, "name"));
		struct str was = dom_str(v, "before"), is = dom_str(v, "now");

		if (!str_is(dom_str(v, "what"), "input") || !old || !new || !was.p || !is.p)
			continue;
		if (str_eq(was, dom_str(old, "content")) && str_eq(is, dom_str(new, "content")))
			tell(c, a, v, dom_str(old, "tree"), dom_str(new, "tree"));
		else if (with(dom_get(old, "parts"), "tree", was) && with(dom_get(new, "parts"), "tree", is))
			tell(c, a, v, was, is);
	}
}
