#include "flow/table.h"

#include <stdio.h>

#include "base/str.h"
#include "db/sql.h"
#include "repo/alias.h"
#include "repo/view.h"

#define MAX_SQL ((size_t)64 << 20)

static const struct {
	const char *end;
	enum table_format format;
} endings[] = {
	{".parquet", TABLE_PARQUET}, {".csv", TABLE_CSV},    {".tsv", TABLE_CSV},
	{".json", TABLE_JSON},       {".jsonl", TABLE_JSON}, {".ndjson", TABLE_JSON},
};

bool table_format_of(struct str file, enum table_format *out, bool *packed)
{
	struct str dir, name, end;
	bool is_packed = false;

	if (!str_rcut(file, '/', &dir, &name))
		name = file;
	if (!name.n || name.p[0] == '_' || name.p[0] == '.')
		return false;
	if (str_has_suffix(name, STR(".gz")) || str_has_suffix(name, STR(".zst")))
		is_packed = str_rcut(name, '.', &name, &end);
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_has_suffix(name, str_of(endings[i].end)) &&
		    !(is_packed && endings[i].format == TABLE_PARQUET)) {
			*out = endings[i].format;
			if (packed)
				*packed = is_packed;
			return true;
		}
	return false;
}

const char *table_format_word(enum table_format f)
{
	return f == TABLE_PARQUET ? "parquet" : f == TABLE_CSV ? "csv" : "json";
}

void table_sql_name(struct str repo, struct str *schema, struct str *name)
{
	if (!str_cut(repo, '/', schema, name)) {
		*schema = STR("");
		*name = repo;
	}
}

struct str table_repo_name(struct arena *a, struct str schema, struct str name)
{
	if (!schema.n || str_is(schema, "main"))
		return arena_str(a, name);
	return arena_strf(a, "%.*s/%.*s", STR_ARG(schema), STR_ARG(name));
}

/* Reading: the files of a tree, by a view of it that the worker can open. */
struct listing {
	struct arena *a;
	struct table_source *t;
	VEC(struct table_file) files;
	struct str in_repo;       /* what stands before a path in the repo */
	bool plain;               /* the blobs themselves can be read: their names and folders say nothing more */
	bool any;                 /* there was a table file, though maybe an empty one */
	struct str first;         /* its name, for the sentence about mixed formats */
};

static int list_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct listing *l = ptr;
	enum table_format format;
	struct str name = arena_strf(l->a, "%.*s%.*s", STR_ARG(l->in_repo), STR_ARG(path)), rest = path, part;
	bool packed, keys = memchr(path.p, '=', path.n) != NULL;

	/* A folder of such a name is left out with all that is in it. */
	while (str_cut(rest, '/', &part, &rest))
		if (part.n && (part.p[0] == '_' || part.p[0] == '.'))
			return 0;
	if (!table_format_of(path, &format, &packed))
		return 0;
	l->plain &= !packed && !keys;
	if (!l->any) {
		l->t->format = format;
		l->first = name;
	} else if (format != l->t->format) {
		err_set(e, ERR_BAD_DATA, "%.*s holds %s and %s files (%.*s, %.*s); a table has one format",
			STR_ARG(l->t->repo), table_format_word(l->t->format), table_format_word(format),
			STR_ARG(l->first), STR_ARG(name));
		return err_hint(e, "put one of them into a repo of its own, or give its name a leading '_'");
	}
	l->any = true;
	if (!entry->size)
		return 0; /* nothing in it, not even a header */
	if (l->files.n == TABLE_MAX_FILES)
		return err_set(e, ERR_LIMIT, "%.*s has more than %d files", STR_ARG(l->t->repo), TABLE_MAX_FILES);
	vec_push(l->a, &l->files,
	         ((struct table_file){.path = arena_str(l->a, path), .in_repo = name, .id = entry->id,
	                              .size = entry->size}));
	return 0;
}

/* Where the worker finds the files from `from` on: the blobs themselves. 1, 0: one of them cannot be read so, -1. */
static int list_blobs(struct store *s, struct listing *l, size_t from, const char *label, struct err *e)
{
	struct str *paths = arena_array(l->a, struct str, l->files.n - from);
	char path[BLOB_PATH_CAP];

	for (size_t i = from; i < l->files.n; i++) {
		int r = alias_path(s, &l->files.p[i].id, label, path, sizeof(path), e);

		if (r <= 0)
			return r;
		paths[i - from] = arena_strf(l->a, DUCK_LEAT "/%s", path);
	}
	for (size_t i = from; i < l->files.n; i++)
		l->files.p[i].path = paths[i - from];
	return 1;
}

static int list_tree(struct store *s, struct listing *l, const struct sha *tree, const char *as, struct err *e)
{
	const char *label = strcmp(as, "all") ? as : NULL;
	size_t from = l->files.n;
	char view[BLOB_PATH_CAP];

	l->in_repo = label ? arena_strf(l->a, "%s/", as) : STR("");
	l->plain = true;
	if (tree_walk(s, NULL, tree, false, list_file, l, e))
		return -1;
	if (l->plain) {
		int r = list_blobs(s, l, from, label, e);

		if (r)
			return r < 0 ? -1 : 0;
	}
	if (view_make(s, tree, as, view, sizeof(view), e))
		return -1;
	for (size_t i = from; i < l->files.n; i++)
		l->files.p[i].path = arena_strf(l->a, DUCK_LEAT "%s/%.*s", view + strlen(s->leat_dir),
						STR_ARG(l->files.p[i].path));
	return 0;
}

static int list_part(struct store *s, struct listing *l, const struct part *p, struct err *e)
{
	if (p->entry.kind != ENTRY_FOLDER || !p->entry.files)
		return 0;
	return list_tree(s, l, &p->entry.id, arena_printf(l->a, "ds=%s", p->label), e);
}

/* Nothing to read: the newest files that the repo has elsewhere tell the columns. */
static int list_example(struct store *s, struct listing *l, const struct reads *r, struct err *e)
{
	const struct catalog_repo *c = r->repo;

	l->t->empty = true;
	for (size_t i = c->n_parts; i-- > 0 && !l->files.n;)
		if (list_part(s, l, &c->parts[i], e))
			return -1;
	if (!l->files.n && c->has_commit && !c->n_parts && list_tree(s, l, &c->head.tree, "all", e))
		return -1;
	if (l->files.n > 1)
		l->files.n = 1;
	if (l->files.n)
		return 0;
	if (l->any)
		return err_set(e, ERR_NOT_FOUND, "%.*s has only empty files, so its columns are not known",
			       STR_ARG(l->t->repo));
	err_set(e, ERR_NOT_FOUND, "%.*s is no table: it has no Parquet, CSV or JSON files", STR_ARG(l->t->repo));
	return err_hint(e, "leat ls %.*s shows what it has", STR_ARG(l->t->repo));
}

/* What a unit from data takes. What is not read as a blob is read in a view of the whole, which all its units share. */
static int list_only(struct store *s, struct listing *l, const struct reads *r, const struct reads_only *o,
                     struct err *e)
{
	bool folder = o->entry.kind == ENTRY_FOLDER;
	const char *label = o->under.n ? arena_cstr(l->a, o->under) : NULL;
	size_t from = l->files.n;
	char view[BLOB_PATH_CAP];
	int got = 0;

	l->in_repo = arena_strf(l->a, "%.*s%s", STR_ARG(o->under), o->under.n ? "/" : "");
	if (folder && o->path.n)
		l->in_repo = arena_strf(l->a, "%.*s%.*s/", STR_ARG(l->in_repo), STR_ARG(o->path));
	l->plain = !folder || !memchr(o->path.p, '=', o->path.n);
	if (folder ? tree_walk(s, NULL, &o->entry.id, false, list_file, l, e) : list_file(l, o->path, &o->entry, e))
		return -1;
	if (l->plain)
		got = list_blobs(s, l, from, label, e);
	if (got || from == l->files.n)
		return got < 0 ? -1 : 0;
	if (view_make(s, &r->root.id, "all", view, sizeof(view), e))
		return -1;
	for (size_t i = from; i < l->files.n; i++)
		l->files.p[i].path = arena_strf(l->a, DUCK_LEAT "%s/%.*s", view + strlen(s->leat_dir),
		                                STR_ARG(l->files.p[i].in_repo));
	return 0;
}

static int list_files(struct store *s, struct listing *l, const struct reads *r, struct err *e)
{
	for (size_t i = 0; r->only && i < r->n_only; i++)
		if (list_only(s, l, r, &r->only[i], e))
			return -1;
	if (r->only)
		return l->files.n ? 0 : list_example(s, l, r, e);
	if (r->whole && r->root.kind == ENTRY_FOLDER && r->root.files && list_tree(s, l, &r->root.id, "all", e))
		return -1;
	for (size_t i = 0; i < r->n_parts; i++)
		if (list_part(s, l, &r->parts[i], e))
			return -1;
	return l->files.n ? 0 : list_example(s, l, r, e);
}

/* SQL */

static void add_hive(struct buf *b, const struct table_source *t, struct str in_repo)
{
	bool any = false, ds = false;
	struct str rest = in_repo, part, key, value;

	while (str_cut(rest, '/', &part, &rest))
		if (str_cut(part, '=', &key, &value)) {
			any = true;
			ds |= str_is(key, "ds");
		}
	buf_addf(b, ", hive_partitioning = %s", any ? "true" : "false");
	if (ds)
		buf_addf(b, ", hive_types = {'ds': %s}", t->every == EVERY_DAY ? "DATE" : "VARCHAR");
}

static void add_option(struct buf *b, const struct dom *how, const char *key)
{
	struct dom *v = dom_get(how, key);

	if (!v || v->type != DOM_STR)
		return;
	/* No quote and no escape are choices; no format and no comment are the absence of one. */
	if (!v->s.n && strcmp(key, "quote") && strcmp(key, "escape"))
		return;
	buf_addf(b, ", %s = ", key);
	sql_add_literal(b, v->s);
}

/* The columns in the order of the group's header. */
static void add_columns(struct buf *b, const struct dom *how, size_t group)
{
	struct dom *orders = dom_get(how, "orders"), *columns = dom_get(how, "columns"), *order = NULL;
	size_t g = 0, n = 0;

	dom_each(o, orders)
		if (g++ == group)
			order = o;
	buf_adds(b, ", columns = {");
	for (struct dom *c = columns->first, *at = order ? order->first : NULL; c; c = c->next, n++) {
		struct dom *column = c;

		if (order) {
			column = columns->first;
			for (int64_t skip = at->i; skip; skip--)
				column = column->next;
			at = at->next;
		}
		buf_adds(b, n ? ", " : "");
		sql_add_ident(b, dom_get(column, "name")->s);
		buf_adds(b, ": ");
		sql_add_literal(b, dom_get(column, "type")->s);
	}
	buf_addc(b, '}');
}

static void add_text_options(struct buf *b, const struct table_source *t, size_t group)
{
	struct dom *header = dom_get(t->how, "header"), *skip = dom_get(t->how, "skip"),
		   *ignore = dom_get(t->how, "ignore_errors");
	bool lenient = ignore && ignore->type == DOM_BOOL && ignore->b;

	buf_adds(b, ", auto_detect = false");
	add_columns(b, t->how, group);
	add_option(b, t->how, "dateformat");
	add_option(b, t->how, "timestampformat");
	if (t->format == TABLE_JSON) {
		if (lenient)
			buf_adds(b, ", ignore_errors = true");
		return;
	}
	add_option(b, t->how, "delim");
	add_option(b, t->how, "quote");
	add_option(b, t->how, "escape");
	add_option(b, t->how, "comment");
	buf_addf(b, ", header = %s", header && header->b ? "true" : "false");
	if (skip && skip->i > 0)
		buf_addf(b, ", skip = %lld", (long long)skip->i);
	if (lenient)
		buf_adds(b, ", ignore_errors = true, store_rejects = true");
}

static void add_group(struct buf *b, const struct table_source *t, size_t group, struct str schema_file)
{
	struct str first = STR("");

	buf_addf(b, "select * from read_%s([", table_format_word(t->format));
	if (schema_file.n)
		sql_add_path(b, schema_file);
	for (size_t i = 0; i < t->n_files; i++) {
		if (t->files[i].group != group)
			continue;
		if (first.n || schema_file.n)
			buf_addc(b, ',');
		sql_add_path(b, t->files[i].path);
		if (!first.n)
			first = t->files[i].in_repo;
	}
	buf_addc(b, ']');
	if (t->format != TABLE_PARQUET)
		add_text_options(b, t, group);
	add_hive(b, t, first);
	buf_addc(b, ')');
}

static int make_sql(struct arena *a, struct table_source *t, size_t n_groups, const struct str *schema_files,
		    struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);

	for (size_t g = 0; g < n_groups; g++) {
		buf_adds(&b, g ? " union all by name " : "");
		add_group(&b, t, g, schema_files ? schema_files[g] : STR(""));
	}
	if (t->empty)
		buf_adds(&b, " limit 0");
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%.*s has too many files for one statement", STR_ARG(t->repo));
	table_sql_name(t->repo, &t->view.schema, &t->view.name);
	t->view.sql = arena_str(a, buf_str(&b));
	return 0;
}

int table_open(struct store *s, struct arena *a, struct duck *d, const struct reads *r, struct table_source *out,
               struct err *e)
{
	struct table_source t = {0};
	struct listing l = {.a = a, .t = &t};
	struct str *schema_files = NULL;
	size_t n_groups = 1;

	BUG_IF(!r->repo);
	t.repo = r->repo->repo.name;
	t.every = r->repo->every;
	if (list_files(s, &l, r, e))
		return -1;
	t.files = l.files.p;
	t.n_files = l.files.n;
	if (t.format != TABLE_PARQUET && table_whole(s, a, d, &t, e))
		return table_error(e, &t, 1);
	if (t.format != TABLE_PARQUET && table_learn(s, a, d, &r->repo->repo, &t, e))
		return table_error(e, &t, 1);
	if (t.format == TABLE_PARQUET ? table_group_parquet(s, a, d, &t, &n_groups, &schema_files, e)
	                              : table_group_csv(s, a, d, &t, &n_groups, e))
		return table_error(e, &t, 1);
	if (make_sql(a, &t, n_groups, schema_files, e))
		return -1;
	*out = t;
	return 0;
}

/* The file of these tables whose path stands here. */
static const struct table_file *file_at(const struct table_source *t, size_t n, struct str at, struct str *repo)
{
	for (size_t i = 0; i < n; i++)
		for (size_t f = 0; f < t[i].n_files; f++)
			if (str_has_prefix(at, t[i].files[f].path)) {
				*repo = t[i].repo;
				return &t[i].files[f];
			}
	return NULL;
}

int table_error(struct err *e, const struct table_source *t, size_t n)
{
	struct buf b cleanup(buf_free) = BUF_INIT(sizeof(e->msg) * 2);
	struct str rest = str_of(e->msg), repo;
	const char *at;

	while ((at = memmem(rest.p, rest.n, DUCK_LEAT "/", strlen(DUCK_LEAT "/")))) {
		struct str here = {at, (size_t)(rest.p + rest.n - at)};
		const struct table_file *f = file_at(t, n, here, &repo);

		buf_add(&b, rest.p, (size_t)(at - rest.p));
		if (f)
			buf_addf(&b, "%.*s:/%.*s", STR_ARG(repo), STR_ARG(f->in_repo));
		else
			buf_add(&b, at, 1);
		rest = str_sub(here, f ? f->path.n : 1, here.n);
	}
	buf_addstr(&b, rest);
	snprintf(e->msg, sizeof(e->msg), "%.*s", (int)MIN(b.n, sizeof(e->msg) - 1), b.p);
	return -1;
}
