#include "flow/whence.h"

#include "base/str.h"
#include "flow/table_query.h"
#include "flow/why_in.h"

#define PARTS_TOLD 3 /* of those that changed */

struct dom *whence_query_doc(struct arena *a, const struct table_source *tables, size_t n)
{
	struct dom *list = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < n; i++) {
		const struct table_source *t = &tables[i];
		struct dom *row = dom_new(a, DOM_MAP);

		dom_set_str(a, row, "repo", t->repo);
		if (t->rev.p)
			dom_set_str(a, row, "pin", t->rev);
		if (t->all)
			dom_set_bool(a, row, "all", true);
		dom_set_cstr(a, row, "commit", t->commit.id.hex);
		dom_set_int(a, row, "number", t->commit.number);
		why_hex(a, row, "content", &t->content);
		dom_add(list, row);
	}
	return list;
}

static bool flag(const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_BOOL && v->b;
}

struct parts {
	struct arena *a;
	struct buf *b;
	struct str last;
	size_t n;
};

static void name_part(struct parts *p, struct str path, const char *how)
{
	struct str head = path, tail;

	if (!str_cut(path, '/', &head, &tail))
		head = path;
	if (str_eq(head, p->last))
		return;
	p->last = arena_str(p->a, head);
	if (p->n++ < PARTS_TOLD)
		buf_addf(p->b, "%s%.*s%s", p->n > 1 ? ", " : ": ", STR_ARG(head), how);
}

static int on_diff(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                   struct err *e)
{
	name_part(ptr, path, kind == DIFF_ADDED ? " new" : kind == DIFF_REMOVED ? " gone" : " changed");
	return 0;
}

/* "raw/x: 3 commits since: ds=2024-01-02 changed, ds=2024-01-05 new" */
static int changed(struct catalog *c, struct arena *a, const struct dom *table, const struct catalog_repo *r,
                   struct dom *list, struct err *e)
{
	struct buf b = BUF_INIT(4096);
	struct parts p = {.a = a, .b = &b};
	struct err inner = ERR_INIT;
	struct dom *row = dom_new(a, DOM_MAP);
	struct commit was;
	int got = commit_find(catalog_store(c), r->repo.id, dom_str(table, "commit"), &was, e);

	if (got < 0)
		return -1;
	buf_addf(&b, "%.*s has changed", STR_ARG(dom_str(table, "repo")));
	/* a commit whose data were let go cannot be compared */
	if (got && !was.forgotten && r->has_commit &&
	    tree_diff(catalog_store(c), &was.tree, &r->head.tree, false, on_diff, &p, &inner))
		p.n = 0;
	if (p.n > PARTS_TOLD)
		buf_addf(&b, " and %zu more", p.n - PARTS_TOLD);
	dom_set_cstr(a, row, "what", "table");
	dom_set_str(a, row, "name", dom_str(table, "repo"));
	dom_set_str(a, row, "before", dom_str(table, "commit"));
	if (r->has_commit)
		dom_set_cstr(a, row, "now", r->head.id.hex);
	dom_set_str(a, row, "text", buf_str(&b));
	dom_add(list, row);
	buf_free(&b);
	return 0;
}

/* Whether a table would be read as it was then. */
static int table_now(struct catalog *c, struct arena *a, const struct dom *table, struct str label, struct dom *list,
                     struct err *e)
{
	struct str name = dom_str(table, "repo"), pin = dom_str(table, "pin");
	struct err inner = ERR_INIT;
	struct reads reads = {0};
	struct sha was;
	struct ds ds;
	int rc;

	if (label.n && !ds_parse(label, &ds, &inner))
		rc = reads_for_query_ds(c, a, name, pin, &ds, catalog_store(c)->ws->tz, &reads, &inner);
	else
		rc = reads_for_query(c, a, name, pin, flag(table, "all"), &reads, &inner);
	if (!rc && reads.repo && dom_str(table, "content").p && sha_parse(dom_str(table, "content"), &was) &&
	    sha_eq(&was, &reads.content))
		return 0;
	if (!rc && reads.repo)
		return changed(c, a, table, reads.repo, list, e);
	struct dom *row = dom_new(a, DOM_MAP);
	dom_set_cstr(a, row, "what", "table");
	dom_set_str(a, row, "name", name);
	dom_set_str(a, row, "before", dom_str(table, "commit"));
	dom_set_str(a, row, "text", arena_strf(a, "%.*s is not there any more", STR_ARG(name)));
	dom_add(list, row);
	return 0;
}

static void again(struct arena *a, const struct exported *x, struct dom *doc)
{
	static const char *const options[] = {"on", "ds", "at", "format", "max-rows", "kind", "x", "by", "title",
	                                      "width", "height"};
	bool printed = flag(x->doc, "printed");
	struct buf b = BUF_INIT(EXPORTED_MAX_DOC * 4);

	buf_addf(&b, "leat %s", dom_str(x->doc, "verb").n ? "plot" : "sql");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (dom_str(x->doc, options[i]).n)
			buf_addf(&b, " --%s %.*s", options[i], STR_ARG(whence_word(a, dom_str(x->doc, options[i]))));
	dom_each (y, dom_get(x->doc, "y"))
		buf_addf(&b, " -y %.*s", STR_ARG(whence_word(a, dom_text(a, y))));
	if (!printed)
		buf_addf(&b, " -o %.*s", STR_ARG(whence_word(a, x->name)));
	buf_addf(&b, " %.*s", STR_ARG(whence_word(a, dom_str(x->doc, "query"))));
	if (printed)
		buf_addf(&b, " > %.*s", STR_ARG(whence_word(a, x->name)));
	dom_set_str(a, doc, "again", buf_str(&b));
	buf_free(&b);
}

int whence_export(struct catalog *c, struct arena *a, const struct exported *x, struct dom **out, struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP), *changes = dom_new(a, DOM_LIST);

	dom_set_str(a, doc, "name", x->name);
	why_time(a, doc, "at", x->at);
	dom_set_str(a, doc, "who", x->who);
	dom_each (v, x->doc) {
		struct dom *copy = dom_copy(a, v);

		dom_set(a, doc, arena_cstr(a, v->key), copy);
	}
	dom_each (table, dom_get(x->doc, "tables"))
		if (table_now(c, a, table, dom_str(x->doc, "ds"), changes, e))
			return -1;
	dom_set_cstr(a, doc, "state", changes->n ? "changed" : "current");
	if (changes->n)
		dom_set(a, doc, "changes", changes);
	again(a, x, doc);
	*out = doc;
	return 0;
}
