/*
 * What was made from something: from a file, a folder, a commit, what a unit wrote, level by level down to the last
 * output. What units of data read is found by the rows of `datum_in`; what units of the calendar read stands in the
 * ingredients of the units that the partitions of their outputs were made by. Of a content that its repo's head does
 * not show any more the units of the past are asked too, one after the other.
 */
#include <string.h>

#include "base/str.h"
#include "flow/data.h"
#include "flow/why_in.h"
#include "flow/why_used.h"
#include "repo/overlay.h"

/* One thing that may have been read: a file or folder as it was. */
struct item {
	struct repo repo;
	struct str path;
	struct entry entry;
	bool past; /* its repo's head does not show it */
};

/* A unit that may have read some of it, and what it wrote. */
struct reader {
	int64_t unit;
	struct repo output;
	const char *ds;    /* "": none, or a unit of data */
	struct sha tree;
	struct str label;  /* of a unit of data: what it read, INPUT:/PATH, one a line; "" */
	const struct dom *ingredients; /* NULL: not known */
	bool data, past;
};

/* The units that made one output, on one level. */
struct group {
	struct repo output;
	int level;
	struct dom *units;
	struct map runs;
	int64_t n_units, n_files;
};

struct used {
	struct flow *f;
	struct catalog *c;
	struct store *s;
	struct arena *a;
	struct map items;   /* that were followed: REPO:HASH:PATH */
	struct map told;    /* units: NUMBER:REPO */
	struct map repos;   /* by number */
	VEC(struct item) now, next;
	VEC(struct group *) groups;
	struct map readers; /* of jobs of the calendar, by their names: struct readers */
	int level;
	int64_t n_units, n_files;
	bool more;          /* limits left something out */
};

typedef VEC(struct reader) readers;

static int find_repo(struct used *u, int64_t id, struct repo *out, struct err *e)
{
	struct str key = arena_strf(u->a, "%lld", (long long)id);
	struct repo *r = map_get(&u->repos, key);

	if (!r) {
		struct q *q = db_query(u->s->db, "select name, job from repo where id = ?");
		int got;

		r = arena_new_of(u->a, struct repo);
		r->id = id;
		q_int(q, 1, id);
		got = q_step(q, e);
		r->name = got == 1 ? arena_str(u->a, q_col_text(q, 0)) : STR("?");
		if (got == 1 && !q_col_is_null(q, 1))
			r->job = arena_str(u->a, q_col_text(q, 1));
		q_done(q);
		if (got < 0)
			return -1;
		map_set(&u->repos, key, r);
	}
	*out = *r;
	return 0;
}

static void follow(struct used *u, const struct repo *repo, struct str path, const struct entry *entry, bool past)
{
	struct item it = {.repo = *repo, .entry = *entry, .past = past};
	char hex[SHA_HEX + 1];
	struct str key;

	sha_hex(&entry->id, hex);
	key = arena_strf(u->a, "%lld:%s:%.*s", (long long)repo->id, hex, STR_ARG(path));
	if (map_has(&u->items, key))
		return;
	if (u->items.n >= WHY_USED_ITEMS) {
		u->more = true;
		return;
	}
	map_set(&u->items, key, u);
	it.path = arena_str(u->a, path);
	vec_push(u->a, &u->next, it);
}

/* --- did it read that? --- */

/* Whether this stands at a path of a folder. What gc has taken meanwhile cannot be looked into: no. */
static bool holds(struct used *u, const struct sha *folder, struct str path, const struct sha *id)
{
	struct err e = ERR_INIT;
	struct entry at;
	int got = path.n ? tree_find(u->s, NULL, folder, path, &at, &e) : 1;

	if (got < 0)
		err_clear(&e);
	return got == 1 && sha_eq(path.n ? &at.id : folder, id);
}

static bool hash_at(const struct dom *map, const char *key, struct sha *out)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR && sha_parse(v->s, out);
}

static struct str text_at(const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

/* What is left of a path below a folder: true, "" for the folder itself. */
static bool below(struct str folder, struct str path, struct str *rest)
{
	if (!folder.n || str_eq(folder, path)) {
		*rest = str_sub(path, folder.n, path.n);
		return true;
	}
	if (!str_has_prefix(path, folder) || path.p[folder.n] != '/')
		return false;
	*rest = str_sub(path, folder.n + 1, path.n);
	return true;
}

static bool part_has(struct used *u, const struct item *it, struct str folder, const struct sha *content)
{
	struct str rest;

	return below(folder, it->path, &rest) && holds(u, content, rest, &it->entry.id);
}

/* A long window of partitions keeps only its ends: what it held stands in the commit that it read. */
static bool window_has(struct used *u, const struct dom *in, const struct item *it)
{
	struct ds from = ds_of_label(arena_cstr(u->a, text_at(in, "from"))), label;
	struct ds to = ds_of_label(arena_cstr(u->a, text_at(in, "to")));
	struct err e = ERR_INIT;
	struct str folder = it->path, rest;
	struct commit at;
	int got;

	(void)!str_cut(it->path, '/', &folder, &rest);
	if (!ds_of_folder(folder, &label) || ds_cmp(&label, &from) < 0 || ds_cmp(&label, &to) > 0)
		return false;
	got = commit_find(u->s, it->repo.id, text_at(in, "commit"), &at, &e);
	if (got < 0)
		err_clear(&e);
	return got == 1 && holds(u, &at.tree, it->path, &it->entry.id);
}

static bool input_has(struct used *u, const struct dom *in, const struct item *it)
{
	struct sha content;

	if (hash_at(in, "tree", &content))
		return part_has(u, it, STR(""), &content);
	if (dom_get(in, "n_parts"))
		return window_has(u, in, it);
	dom_each(part, dom_get(in, "parts"))
		if (hash_at(part, "tree", &content) &&
		    part_has(u, it, arena_strf(u->a, "ds=%.*s", STR_ARG(text_at(part, "ds"))), &content))
			return true;
	dom_each(part, dom_get(in, "paths"))
		if (hash_at(part, "content", &content) &&
		    part_has(u, it, str_sub(text_at(part, "path"), 1, text_at(part, "path").n), &content))
			return true;
	return false;
}

/*
 * By the names of inputs that its label has, where it has one: a unit that the memo took over from another job read
 * the same content in another repo.
 */
static bool has_read(struct used *u, const struct reader *r, const struct item *it)
{
	struct str all = r->label, line, name, path, rest;

	if (!r->label.n) {
		dom_each(in, dom_get(r->ingredients, "inputs"))
			if (str_eq(text_at(in, "repo"), it->repo.name) && input_has(u, in, it))
				return true;
		return false;
	}
	while (str_next_line(&all, &line)) {
		if (!str_cut(line, ':', &name, &path) || !below(str_sub(path, 1, path.n), it->path, &rest))
			continue;
		if (!r->ingredients)
			return true;
		dom_each(in, dom_get(r->ingredients, "inputs"))
			if (str_eq(text_at(in, "name"), name) && input_has(u, in, it))
				return true;
	}
	return false;
}

/* --- a unit that did --- */

static struct group *group_of(struct used *u, const struct repo *output)
{
	struct group *g;

	for (size_t i = u->groups.n; i-- && u->groups.p[i]->level == u->level;)
		if (u->groups.p[i]->output.id == output->id)
			return u->groups.p[i];
	g = arena_new_of(u->a, struct group);
	g->output = *output;
	g->level = u->level;
	g->units = dom_new(u->a, DOM_LIST);
	map_init(&g->runs, u->a);
	vec_push(u->a, &u->groups, g);
	return g;
}

struct writing {
	struct used *u;
	const struct reader *r;
	struct str prefix;
	struct dom *files;
	int64_t n;
};

static int wrote(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct writing *w = ptr;
	struct used *u = w->u;
	struct str full = w->prefix.n ? arena_strf(u->a, "%.*s/%.*s", STR_ARG(w->prefix), STR_ARG(path)) : path;

	(void)e;
	follow(u, &w->r->output, full, entry, w->r->past);
	if (entry->kind != ENTRY_FILE)
		return 0;
	if (w->n++ < WHY_USED_FILES) {
		struct dom *file = dom_new(u->a, DOM_MAP);

		dom_set_str(u->a, file, "path", arena_strf(u->a, "/%.*s", STR_ARG(full)));
		why_hex(u->a, file, "sha256", &entry->id);
		dom_set_int(u->a, file, "size", entry->size);
		dom_add(w->files, file);
	}
	return 0;
}

static int outputs(struct writing *w, struct err *e)
{
	const struct reader *r = w->r;
	struct entry root = {.kind = ENTRY_FOLDER, .id = r->tree};

	w->prefix = *r->ds ? arena_strf(w->u->a, "ds=%s", r->ds) : STR("");
	if (sha_is_zero(&r->tree))
		return 0;
	if (!r->data)
		follow(w->u, &r->output, w->prefix, &root, r->past);
	return tree_walk(w->u->s, NULL, &r->tree, !r->data, wrote, w, e) < 0 ? -1 : 0;
}

static void keep(struct arena *a, struct dom *to, const struct dom *from, const char *key)
{
	if (dom_get(from, key))
		dom_set(a, to, key, dom_copy(a, dom_get(from, key)));
}

/* Its label's lines; of a unit of the past what its ingredients say. */
static struct dom *reads_doc(struct used *u, const struct reader *r)
{
	struct dom *out = dom_new(u->a, DOM_LIST);
	struct str all = r->label, line;

	while (str_next_line(&all, &line) && out->n < WHY_USED_FILES)
		dom_add(out, dom_new_str(u->a, line));
	if (r->label.n)
		return out;
	dom_each(in, dom_get(r->ingredients, "inputs"))
		dom_each(part, dom_get(in, "paths"))
			if (out->n < WHY_USED_FILES)
				dom_add(out, dom_new_str(u->a, arena_strf(u->a, "%.*s:%.*s",
				                                          STR_ARG(text_at(in, "name")),
				                                          STR_ARG(text_at(part, "path")))));
	return out;
}

static int tell(struct used *u, const struct reader *r, const struct dom *row, struct err *e)
{
	struct group *g = group_of(u, &r->output);
	struct dom *doc = dom_new(u->a, DOM_MAP), *reads = reads_doc(u, r);
	struct writing w = {.u = u, .r = r, .files = dom_new(u->a, DOM_LIST)};

	dom_set_int(u->a, doc, "unit", r->unit);
	keep(u->a, doc, row, "run");
	if (*r->ds)
		dom_set_cstr(u->a, doc, "ds", r->ds);
	if (reads->n)
		dom_set(u->a, doc, "reads", reads);
	keep(u->a, doc, row, "global_id");
	keep(u->a, doc, row, "commit");
	keep(u->a, doc, row, "finished");
	if (outputs(&w, e))
		return -1;
	dom_set_int(u->a, doc, "n_files", w.n);
	dom_set(u->a, doc, "files", w.files);
	dom_add(g->units, doc);
	if (text_at(row, "run").n)
		map_set(&g->runs, text_at(row, "run"), g);
	g->n_units++;
	g->n_files += w.n;
	u->n_units++;
	u->n_files += w.n;
	return 0;
}

static struct str told_key(struct used *u, int64_t unit, int64_t repo)
{
	return arena_strf(u->a, "%lld:%lld", (long long)unit, (long long)repo);
}

/* Tells of it, if it read the item and was not told before. */
static int try(struct used *u, struct reader *r, const struct item *it, struct err *e)
{
	struct str key = told_key(u, r->unit, r->output.id);
	struct dom *row = NULL;
	int got;

	if (map_has(&u->told, key))
		return 0;
	if (u->n_units >= WHY_USED_UNITS) {
		u->more = true;
		return 0;
	}
	got = why_unit_row(u->c, u->a, r->unit, &row, r->ingredients ? NULL : &r->ingredients, e);
	if (got < 0)
		return -1;
	if (!has_read(u, r, it))
		return 0;
	map_set(&u->told, key, u);
	return tell(u, r, row, e);
}

/* --- who may have: units of data that made what heads show --- */

static int readers_of(struct used *u, const struct repo *repo, struct str path, readers *out, struct err *e)
{
	struct q *q = db_query(u->s->db, "select d.unit, d.tree, d.label, d.repo from datum_in i join datum d"
	                                 " on d.num = i.datum where i.repo = ? and i.hash = ?");
	int got;

	q_int(q, 1, repo->id);
	q_int(q, 2, data_hash(path));
	while ((got = q_step(q, e)) == 1) {
		struct reader r = {.unit = q_col_int(q, 0), .ds = "", .data = true};
		struct str day;

		if (map_has(&u->told, told_key(u, r.unit, q_col_int(q, 3))))
			continue;
		if (u->n_units + (int64_t)out->n > WHY_USED_UNITS) {
			u->more = true;
			got = 0;
			break;
		}
		r.output.id = q_col_int(q, 3);
		if (!q_col_sha(q, 1, &r.tree))
			memset(&r.tree, 0, sizeof(r.tree));
		r.label = arena_str(u->a, q_col_text(q, 2));
		day = data_label_day(&r.label);
		if (day.n)
			r.ds = arena_cstr(u->a, str_sub(day, strlen("ds="), day.n));
		vec_push(u->a, out, r);
	}
	q_done(q);
	return got;
}

/* They may have taken in the path itself or a folder above it. */
static int find_data(struct used *u, const struct item *it, struct err *e)
{
	struct str path = it->path, base;

	if (!db_has_data(u->s->db))
		return 0;
	for (bool last = false; !last;) {
		readers all = {0};

		last = !path.n;
		if (readers_of(u, &it->repo, path, &all, e))
			return -1;
		for (size_t i = 0; i < all.n; i++)
			if (find_repo(u, all.p[i].output.id, &all.p[i].output, e) || try(u, &all.p[i], it, e))
				return -1;
		if (!last && !str_rcut(path, '/', &path, &base))
			path = STR("");
	}
	return 0;
}

/* --- who may have: units of the calendar, and those of the past --- */

static int ingredients_of(struct used *u, struct q *q, int col, const struct dom **out)
{
	struct err mine = ERR_INIT;
	struct dom *doc = NULL;

	/* A row that another version wrote in another way is as good as none. */
	if (dom_json(u->a, arena_str(u->a, q_col_text(q, col)), "", &doc, &mine) < 0) {
		err_clear(&mine);
		return 0;
	}
	*out = doc;
	return 1;
}

#define CURRENT \
	"select u.id, c.ds, c.tree, u.ingredients from current c join unit u on u.id = c.unit where c.repo = ?" \
	" order by c.ds"
#define EVER \
	"select distinct u.id, m.ds, m.tree, u.ingredients from made m join unit u on u.id = m.unit where m.repo = ?" \
	" order by u.id desc"

static int calendar_readers(struct used *u, const struct repo *output, bool past, readers *out, struct err *e)
{
	struct q *q = db_query(u->s->db, past ? EVER : CURRENT);
	int got;

	q_int(q, 1, output->id);
	while ((got = q_step(q, e)) == 1 && out->n < WHY_USED_UNITS) {
		struct reader r = {.unit = q_col_int(q, 0), .output = *output, .past = past};

		r.ds = arena_cstr(u->a, q_col_text(q, 1));
		if (q_col_sha(q, 2, &r.tree) && ingredients_of(u, q, 3, &r.ingredients))
			vec_push(u->a, out, r);
	}
	u->more |= got == 1;
	q_done(q);
	return got < 0 ? -1 : 0;
}

/* Of a job of the calendar; read once. */
static int calendar(struct used *u, const struct repo *output, bool past, readers **out, struct err *e)
{
	struct str key = arena_strf(u->a, "%d:%.*s", past, STR_ARG(output->name));

	*out = map_get(&u->readers, key);
	if (*out)
		return 0;
	*out = arena_new_of(u->a, readers);
	if (calendar_readers(u, output, past, *out, e))
		return -1;
	map_set(&u->readers, key, *out);
	return 0;
}

/* Units of data that ran at any time: their rows are gone from `datum_in`, their own tell what they read. */
static int scan(struct used *u, const struct job *j, const struct repo *output, const struct item *items, size_t n,
                struct err *e)
{
	struct q *q = db_query(u->s->db, "select id, tree, ingredients, ds from unit where job = ?"
	                                 " and datum is not null and state = 'success' order by id desc");
	readers all = {0};
	int got;

	q_text(q, 1, j->name);
	while ((got = q_step(q, e)) == 1 && all.n < WHY_USED_UNITS) {
		struct reader r = {.unit = q_col_int(q, 0), .output = *output, .ds = "", .data = true, .past = true};

		if (map_has(&u->told, told_key(u, r.unit, output->id)) || !q_col_sha(q, 1, &r.tree) ||
		    !ingredients_of(u, q, 2, &r.ingredients))
			continue;
		for (size_t i = 0; i < n; i++)
			if (items[i].past && has_read(u, &r, &items[i])) {
				r.ds = arena_cstr(u->a, q_col_text(q, 3));
				vec_push(u->a, &all, r);
				break;
			}
	}
	u->more |= got == 1;
	q_done(q);
	for (size_t i = 0; got >= 0 && i < all.n; i++)
		for (size_t k = 0; k < n; k++)
			if (items[k].past && try(u, &all.p[i], &items[k], e))
				return -1;
	return got < 0 ? -1 : 0;
}

/* What it reads of the items, and whether some of that is past. */
static bool reads_some(const struct job *j, const struct item *items, size_t n, bool *past)
{
	bool any = false;

	*past = false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < j->n_inputs; k++)
			if (str_eq(j->inputs[k].repo, items[i].repo.name)) {
				any = true;
				*past |= items[i].past;
			}
	return any;
}

static int find_by_job(struct used *u, const struct job *j, const struct item *items, size_t n, struct err *e)
{
	struct repo output;
	readers *all;
	bool past;
	int got;

	if (!reads_some(j, items, n, &past) || (j->tree && !past))
		return 0;
	got = repo_find(u->s, u->a, j->output, &output, e);
	if (got <= 0)
		return got;
	if (j->tree)
		return scan(u, j, &output, items, n, e);
	for (int old = 0; old < (past ? 2 : 1); old++) {
		if (calendar(u, &output, old, &all, e))
			return -1;
		for (size_t i = 0; i < all->n; i++)
			for (size_t k = 0; k < n; k++)
				if (has_read(u, &all->p[i], &items[k]) && try(u, &all->p[i], &items[k], e))
					return -1;
	}
	return 0;
}

/* --- level by level --- */

static int levels(struct used *u, struct err *e)
{
	for (u->level = 1; u->next.n && u->level <= WHY_MAX_DEPTH; u->level++) {
		memcpy(&u->now, &u->next, sizeof(u->now));
		memset(&u->next, 0, sizeof(u->next));
		for (size_t i = 0; i < u->now.n; i++)
			if (find_data(u, &u->now.p[i], e))
				return -1;
		for (size_t i = 0; i < u->f->jobs->n; i++)
			if (find_by_job(u, u->f->jobs->all[i], u->now.p, u->now.n, e))
				return -1;
	}
	return 0;
}

static void jobs_doc(struct used *u, struct dom *doc)
{
	struct dom *list = dom_new(u->a, DOM_LIST);

	for (size_t i = 0; i < u->groups.n; i++) {
		struct group *g = u->groups.p[i];
		struct dom *one = dom_new(u->a, DOM_MAP), *runs = dom_new(u->a, DOM_LIST);
		struct str key;
		void *value;

		dom_set_int(u->a, one, "level", g->level);
		dom_set_str(u->a, one, "job", g->output.job);
		dom_set_str(u->a, one, "output", g->output.name);
		dom_set_int(u->a, one, "n_units", g->n_units);
		dom_set_int(u->a, one, "n_files", g->n_files);
		for (size_t k = 0; map_each(&g->runs, &k, &key, &value);)
			dom_add(runs, dom_new_str(u->a, key));
		dom_set(u->a, one, "runs", runs);
		dom_set(u->a, one, "units", g->units);
		dom_add(list, one);
	}
	dom_set(u->a, doc, "used_by", list);
}

static const char *many(struct used *u, int64_t n, const char *one)
{
	return arena_printf(u->a, "%lld %s%s", (long long)n, one, n == 1 ? "" : "s");
}

static const char *answer(struct used *u, struct str what)
{
	if (!u->n_units)
		return arena_printf(u->a, "nothing was made from %.*s", STR_ARG(what));
	return arena_printf(u->a, "%.*s went into %s%s, which wrote %s", STR_ARG(what), u->more ? "at least " : "",
	                    many(u, u->n_units, "unit"), many(u, u->n_files, "file"));
}

/* --- where it begins --- */

struct starting {
	struct used *u;
	const struct repo *repo;
	struct str prefix;
	struct sha head; /* of its repo */
};

static int start_at(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct starting *t = ptr;
	struct used *u = t->u;
	struct str full = !path.n ? t->prefix : !t->prefix.n ? path
	                  : arena_strf(u->a, "%.*s/%.*s", STR_ARG(t->prefix), STR_ARG(path));

	(void)e;
	follow(u, t->repo, full, entry, !holds(u, &t->head, full, &entry->id));
	return u->more ? 1 : 0;
}

static int start_change(void *ptr, enum diff_kind kind, struct str path, const struct entry *was,
                        const struct entry *is, struct err *e)
{
	(void)was;
	return kind == DIFF_REMOVED ? 0 : start_at(ptr, path, is, e);
}

static int head_of(struct used *u, int64_t repo, struct sha *out, struct err *e)
{
	struct commit head;
	int got = branch_head(u->s, repo, store_branch(u->s), &head, e);

	if (got < 0)
		return -1;
	*out = got ? head.tree : tree_empty_id();
	return 0;
}

static int start_tree(struct used *u, const struct repo *repo, struct str prefix, const struct entry *at,
                      struct err *e)
{
	struct starting t = {.u = u, .repo = repo, .prefix = prefix};

	if (head_of(u, repo->id, &t.head, e) || start_at(&t, STR(""), at, e) < 0)
		return -1;
	return at->kind == ENTRY_FOLDER && tree_walk(u->s, NULL, &at->id, true, start_at, &t, e) < 0 ? -1 : 0;
}

/* What a commit brought. */
static int start_commit(struct used *u, int64_t repo, struct str id, struct err *e)
{
	struct starting t = {.u = u, .prefix = STR("")};
	struct commit is, was = {.tree = tree_empty_id()};
	struct repo r;
	int got;

	t.repo = &r;
	if (find_repo(u, repo, &r, e) || head_of(u, repo, &t.head, e))
		return -1;
	got = commit_find(u->s, repo, id, &is, e);
	if (got <= 0)
		return got;
	if (*is.parent.hex && commit_find(u->s, repo, str_of(is.parent.hex), &was, e) < 0)
		return -1;
	return tree_diff(u->s, &was.tree, &is.tree, true, start_change, &t, e) < 0 ? -1 : 0;
}

struct known_commit {
	int64_t repo;
	struct str id;
	bool by_run;
};

/* Those that people or the world brought; what runs made under the same id is found as what came of it. */
static int start_commits(struct used *u, const char *sql, struct str id, struct err *e)
{
	struct q *q = db_query(u->s->db, sql);
	VEC(struct known_commit) all = {0};
	bool some = false;
	int got;

	q_text(q, 1, id);
	while ((got = q_step(q, e)) == 1) {
		struct known_commit k = {.repo = q_col_int(q, 0), .by_run = !q_col_is_null(q, 2) && q_col_text(q, 2).n};

		k.id = arena_str(u->a, q_col_text(q, 1));
		some |= !k.by_run;
		vec_push(u->a, &all, k);
	}
	q_done(q);
	for (size_t i = 0; got >= 0 && i < all.n; i++)
		if ((!some || !all.p[i].by_run) && start_commit(u, all.p[i].repo, all.p[i].id, e))
			return -1;
	return got < 0 ? -1 : 0;
}

/* What units wrote. */
static int start_units(struct used *u, const char *sql, struct str id, struct err *e)
{
	struct q *q = db_query(u->s->db, sql);
	readers all = {0};
	int64_t n;
	int got;

	if (str_to_i64(id, &n))
		q_int(q, 1, n);
	else
		q_text(q, 1, id);
	while ((got = q_step(q, e)) == 1 && all.n < WHY_USED_UNITS) {
		struct reader r = {.unit = q_col_int(q, 0), .output.id = q_col_int(q, 1)};

		r.ds = arena_cstr(u->a, q_col_text(q, 2));
		if (q_col_sha(q, 3, &r.tree))
			vec_push(u->a, &all, r);
	}
	u->more |= got == 1;
	q_done(q);
	for (size_t i = 0; got >= 0 && i < all.n; i++) {
		struct reader *r = &all.p[i];
		struct entry root = {.kind = ENTRY_FOLDER, .id = r->tree};

		if (find_repo(u, r->output.id, &r->output, e) ||
		    start_tree(u, &r->output, *r->ds ? arena_strf(u->a, "ds=%s", r->ds) : STR(""), &root, e))
			return -1;
	}
	return got < 0 ? -1 : 0;
}

#define COMMITS "select repo, id, run from commits where id = ?"
#define COMMITS_OF_BATCH \
	"select k.repo, k.id, k.run from event v join commits k on k.id = v.id where v.batch = ? order by v.seq"
#define OF_RUN \
	"select id, repo, ds, tree from unit where run = ? and tree is not null and state = 'success' order by id"
#define OF_UNIT "select id, repo, ds, tree from unit where id = ? and tree is not null"

static int start_id(struct used *u, struct str text, struct dom *doc, struct err *e)
{
	const char *type;
	struct str id;

	if (why_find(u->c, u->a, text, &type, &id, e))
		return -1;
	dom_set_cstr(u->a, doc, "type", type);
	dom_set_str(u->a, doc, "id", id);
	if (!strcmp(type, "run") || !strcmp(type, "unit"))
		return start_units(u, *type == 'r' ? OF_RUN : OF_UNIT, id, e);
	return start_commits(u, !strcmp(type, "batch") ? COMMITS_OF_BATCH : COMMITS, id, e);
}

static int start_path(struct used *u, struct str text, struct dom *doc, struct err *e)
{
	struct entry at;
	struct pin pin;

	if (why_pin(u->s, u->a, text, &pin, &at, e))
		return -1;
	dom_set_str(u->a, doc, "repo", pin.repo.name);
	dom_set_cstr(u->a, doc, "commit", pin.commit.id.hex);
	dom_set_str(u->a, doc, "path", arena_strf(u->a, "/%.*s", STR_ARG(pin.path)));
	why_hex(u->a, doc, at.kind == ENTRY_FILE ? "sha256" : "tree", &at.id);
	return start_tree(u, &pin.repo, pin.path, &at, e);
}

int why_used(struct flow *f, struct catalog *c, struct arena *a, struct str what, bool is_id, const struct dom **out,
             struct err *e)
{
	struct used u = {.f = f, .c = c, .s = f->store, .a = a};
	struct dom *doc = dom_new(a, DOM_MAP), *all = dom_new(a, DOM_MAP);

	map_init(&u.items, a);
	map_init(&u.told, a);
	map_init(&u.repos, a);
	map_init(&u.readers, a);
	catalog_graph(c, f->graph);
	if ((is_id ? start_id(&u, what, doc, e) : start_path(&u, what, doc, e)) || levels(&u, e))
		return -1;
	dom_set_cstr(a, all, "answer", answer(&u, what));
	why_move(a, all, doc);
	dom_set_int(a, all, "n_units", u.n_units);
	dom_set_int(a, all, "n_files", u.n_files);
	if (u.more)
		dom_set_bool(a, all, "more", true);
	jobs_doc(&u, all);
	*out = all;
	return 0;
}
