/* What differs between two states of the workspace, repo by repo. */
#include "api/diff.h"
#include "api/rows.h"
#include "base/str.h"

#define PEOPLE_THINGS 20 /* of each repo; programs get all */

struct counts {
	int64_t n[3]; /* by diff_kind */
};

struct thing {
	enum diff_kind kind;
	struct str path;
	bool part;
	int64_t old_size, size;
};

struct state {
	struct api *api;
	struct sink *out;
	struct arena *row; /* emptied after each repo */
	bool things;       /* they are told one by one */
	bool limited;      /* the first of them */
	struct counts parts, files;
	VEC(struct thing) list;
};

static const char *const words[] = {"added", "deleted", "changed"};

static int on_thing(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                    struct err *e)
{
	struct state *s = ptr;
	const struct entry *entry = new ? new : old;
	bool part = entry->kind == ENTRY_FOLDER && str_has_prefix(path, STR("ds=")) && !memchr(path.p, '/', path.n);
	struct thing t = {.kind = kind, .part = part};

	(void)e;
	if (!part && entry->kind == ENTRY_FOLDER)
		return 0;
	(part ? &s->parts : &s->files)->n[kind]++;
	if (s->things) {
		t.path = arena_str(s->row, part ? str_sub(path, 3, SIZE_MAX) : path);
		t.old_size = old ? old->size : 0;
		t.size = new ? new->size : 0;
		vec_push(s->row, &s->list, t);
	}
	return part ? TREE_SKIP : 0;
}

static void set_counts(struct arena *a, struct dom *row, const char *key, const struct counts *c)
{
	struct dom *map = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		dom_set_int(a, map, words[i], c->n[i]);
	dom_set(a, row, key, map);
}

static enum diff_kind kind_of(const struct diff_pair *p)
{
	return !p->old.has_commit ? DIFF_ADDED : !p->new.has_commit ? DIFF_REMOVED : DIFF_CHANGED;
}

static int tell_repo(struct state *s, const struct diff_pair *p, struct err *e)
{
	struct arena *a = s->row;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_str(a, row, "repo", p->new.repo.name);
	dom_set_cstr(a, row, "change", words[kind_of(p)]);
	dom_set_str(a, row, "old_commit", p->old.has_commit ? str_of(p->old.commit.id.hex) : STR_NULL);
	dom_set_str(a, row, "commit", p->new.has_commit ? str_of(p->new.commit.id.hex) : STR_NULL);
	set_counts(a, row, "partitions", &s->parts);
	set_counts(a, row, "files", &s->files);
	return sink_row(s->out, row, e);
}

static int tell_things(struct state *s, const struct diff_pair *p, struct err *e)
{
	struct arena *a = s->row;
	size_t n = s->limited && s->list.n > PEOPLE_THINGS + 1 ? PEOPLE_THINGS : s->list.n;

	for (size_t i = 0; i < n; i++) {
		const struct thing *t = &s->list.p[i];
		struct dom *row = dom_new(a, DOM_MAP);

		dom_set_str(a, row, "repo", p->new.repo.name);
		dom_set_cstr(a, row, "change", words[t->kind]);
		dom_set_str(a, row, t->part ? "partition" : "path",
		            t->part ? t->path : arena_strf(a, "/%.*s", STR_ARG(t->path)));
		dom_set_int(a, row, "old_size", t->old_size);
		dom_set_int(a, row, "size", t->size);
		if (sink_row(s->out, row, e))
			return -1;
	}
	if (n < s->list.n) {
		struct dom *row = dom_new(a, DOM_MAP);

		dom_set_str(a, row, "repo", p->new.repo.name);
		dom_set_int(a, row, "more", (int64_t)(s->list.n - n));
		return sink_row(s->out, row, e);
	}
	return 0;
}

static int compare_repo(struct state *s, const struct diff_pair *p, struct err *e)
{
	struct sha none = tree_empty_id();

	arena_reset(s->row);
	s->parts = s->files = (struct counts){0};
	s->list.p = NULL;
	s->list.n = s->list.cap = 0;
	return tree_diff(s->api->store, p->old.has_commit ? &p->old.commit.tree : &none,
	                 p->new.has_commit ? &p->new.commit.tree : &none, true, on_thing, s, e);
}

static int give_end(struct state *s, const struct diff_pairs *pairs, struct err *e)
{
	struct arena *a = s->row;
	struct dom *row = dom_new(a, DOM_MAP), *repos = dom_new(a, DOM_MAP);
	struct counts c = {0};

	for (size_t i = 0; i < pairs->pairs.n; i++)
		c.n[kind_of(&pairs->pairs.p[i])]++;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		dom_set_int(a, repos, words[i], c.n[i]);
	dom_set_int(a, repos, "same", (int64_t)(pairs->seen - pairs->pairs.n));
	dom_set(a, row, "repos", repos);
	return sink_row(s->out, row, e);
}

/* --- for a pull request --- */

static int markdown(struct state *s, struct buf *b, struct err *e)
{
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "too many names for a page");
	return s->out->bytes(s->out->ptr, buf_str(b), e);
}

static void add_counts(struct buf *b, const char *what, const struct counts *c)
{
	static const char *const signs[] = {"added", "gone", "changed"};
	bool first = true;

	if (!c->n[0] && !c->n[1] && !c->n[2])
		return;
	buf_addf(b, "%s", what);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (c->n[i]) {
			buf_addf(b, "%s %lld %s", first ? "" : ",", (long long)c->n[i], signs[i]);
			first = false;
		}
	buf_adds(b, ". ");
}

static int markdown_repo(struct state *s, const struct diff_pair *p, struct err *e)
{
	static const char *const is[] = {" (new)", " (gone)", ""};
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);

	buf_addf(&b, "\n### %.*s%s\n\n", STR_ARG(p->new.repo.name), is[kind_of(p)]);
	add_counts(&b, "Partitions:", &s->parts);
	add_counts(&b, "Files:", &s->files);
	buf_adds(&b, "\n\n");
	return markdown(s, &b, e);
}

static int markdown_things(struct state *s, struct err *e)
{
	static const char *const signs[] = {"+", "-", "~"};
	struct buf b cleanup(buf_free) = BUF_INIT((size_t)16 << 20);
	size_t n = s->list.n > PEOPLE_THINGS + 1 ? PEOPLE_THINGS : s->list.n;

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "* %s `%s%.*s`\n", signs[s->list.p[i].kind], s->list.p[i].part ? "ds=" : "/",
		         STR_ARG(s->list.p[i].path));
	if (n < s->list.n)
		buf_addf(&b, "* and %zu more\n", s->list.n - n);
	buf_adds(&b, "\n");
	return markdown(s, &b, e);
}

/* --- the request --- */

static int one(struct state *s, struct diff_tables *t, const struct diff_pair *p, const struct args *args,
               struct err *e)
{
	bool rows = args_flag(args, "rows"), md = args_flag(args, "markdown");

	if (compare_repo(s, p, e) || (md ? markdown_repo(s, p, e) : tell_repo(s, p, e)))
		return -1;
	if (args_flag(args, "stat"))
		return 0;
	if (!rows && (md ? markdown_things(s, e) : tell_things(s, p, e)))
		return -1;
	if (args_flag(args, "name-only") || (!rows && (!p->old.has_commit || !p->new.has_commit)))
		return 0;
	return diff_table(t, p, rows, e);
}

static int tell_all(struct state *s, const struct args *args, const struct diff_pairs *pairs, struct err *e)
{
	struct diff_tables t;
	int rc = diff_tables_begin(&t, s->api, args, s->out, e);

	if (rc)
		return -1;
	for (size_t i = 0; !rc && i < pairs->pairs.n; i++)
		rc = one(s, &t, &pairs->pairs.p[i], args, e);
	diff_tables_end(&t);
	if (!rc && t.unkeyed && !t.keyed) {
		err_set(e, ERR_BAD_REQUEST, "no table that differs has the columns of --key %s",
		        STR_SHOWN(args_value(args, "key")));
		return err_hint(e, "'leat schema REPO' tells a table's columns");
	}
	arena_reset(s->row);
	return rc || args_flag(args, "markdown") ? rc : give_end(s, pairs, e);
}

int diff_state(struct api *api, const struct args *args, const struct diff_pairs *pairs, struct sink *out,
               struct err *e)
{
	struct state s = {.api = api, .out = out, .row = arena_new(), .things = !args_flag(args, "stat"),
	                  .limited = out->people && !args_flag(args, "name-only")};
	int rc = tell_all(&s, args, pairs, e);

	arena_free(s.row);
	return rc;
}
