#include <string.h>

#include "base/str.h"
#include "flow/data.h"
#include "flow/why_in.h"

/* One walk down: what was told already is only named the second time. */
struct trace {
	struct catalog *c;
	struct arena *a;
	struct map seen;
	size_t files;
};

/* One content to explain: a partition (or a whole repo) as it was. */
struct content {
	int64_t repo;
	struct str name;
	const char *label; /* "" = the whole repo */
	struct sha tree;
	struct str commit; /* where it was seen; STR_NULL: not known */
	struct str path;   /* of one file, whose bytes `tree` names then; STR_NULL: it is a folder */
};

static int made_by(struct trace *t, const struct content *k, int depth, struct dom *doc, struct err *e);

static int repo_id(struct trace *t, struct str name, int64_t *out, struct err *e)
{
	struct catalog_repo *r = NULL;
	int got = catalog_repo(t->c, name, STR_NULL, &r, e);

	if (got < 0)
		return -1;
	*out = got ? r->repo.id : 0;
	return 0;
}

/* The unit that made this content of this partition; 0: none did. */
static int find_unit(struct trace *t, const struct content *k, int64_t *out, struct err *e)
{
	struct q *q = db_query(catalog_store(t->c)->db,
	                       "select unit from made where repo = ? and ds = ? and tree = ? order by unit desc "
	      "limit 1");
	int r;

	q_int(q, 1, k->repo);
	q_cstr(q, 2, k->label);
	q_sha(q, 3, &k->tree);
	r = q_step(q, e);
	*out = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* The unit that wrote this file of what a data-driven job made; 0: none did. */
static int find_writer(struct trace *t, const struct content *k, int64_t *out, struct err *e)
{
	struct store *s = catalog_store(t->c);
	struct q *q;
	int r;

	*out = 0;
	if (!db_has_data(s->db))
		return 0;
	q = db_query(s->db, "select d.unit, d.tree, d.label from datum_file f join datum d on d.num = f.datum"
	                    " where f.repo = ? and f.hash = ?");
	q_int(q, 1, k->repo);
	q_int(q, 2, data_hash(k->path));
	while ((r = q_step(q, e)) == 1) {
		struct str label = q_col_text(q, 2), day = data_label_day(&label), path = k->path;
		struct sha tree;
		struct entry at;
		int got = q_col_sha(q, 1, &tree);

		if (day.n && str_has_prefix(path, day))
			path = str_sub(path, day.n + 1, path.n);
		if (got)
			got = tree_find(s, NULL, &tree, path, &at, e);

		if (got == 1 && sha_eq(&at.id, &k->tree))
			*out = q_col_int(q, 0);
		if (got < 0) {
			r = -1;
			break;
		}
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

struct back {
	struct store *s;
	struct str path;
	struct sha want;
	struct commit found;
	bool any;
};

/* Goes back while the path had this content: the last commit seen is the one that brought it. */
static int go_back(void *ptr, const struct commit *k, struct err *e)
{
	struct back *b = ptr;
	struct entry at;
	int got = tree_find(b->s, NULL, &k->tree, b->path, &at, e);

	if (got < 0)
		return -1;
	if (!got || !sha_eq(&at.id, &b->want))
		return 1;
	b->found = *k;
	b->any = true;
	return 0;
}

/* {global_id, at, author, message, kind, command} of the commit that brought a path's present content. */
static int put_doc(struct trace *t, int64_t repo, struct str commit, struct str path, const struct sha *id,
      struct dom **out,
                   struct err *e)
{
	struct store *s = catalog_store(t->c);
	struct back b = {.s = s, .path = path, .want = *id};
	struct commit from, full;
	struct dom *doc;
	struct q *q;
	int got = commit_find(s, repo, commit, &from, e), r;

	if (got <= 0)
		return got;
	if (commit_log(s, t->a, &from, 0, go_back, &b, e) < 0)
		return -1;
	if (!b.any)
		b.found = from;
	got = commit_read(s, t->a, repo, str_of(b.found.id.hex), &full, e);
	if (got < 0)
		return -1;
	doc = dom_new(t->a, DOM_MAP);
	dom_set_cstr(t->a, doc, "global_id", b.found.id.hex);
	dom_set_int(t->a, doc, "number", b.found.number);
	why_time(t->a, doc, "at", b.found.at);
	if (got && full.author.n)
		dom_set_str(t->a, doc, "author", full.author);
	if (got && full.message.n)
		dom_set_str(t->a, doc, "message", full.message);
	q = db_query(s->db, "select kind, command from event where id = ?");
	q_cstr(q, 1, b.found.id.hex);
	r = q_step(q, e);
	if (r == 1) {
		dom_set_str(t->a, doc, "kind", q_col_text(q, 0));
		if (q_col_text(q, 1).n)
			dom_set_str(t->a, doc, "command", q_col_text(q, 1));
	}
	q_done(q);
	if (r < 0 || why_stay(t->c, t->a, str_of(full.run.hex), doc, e))
		return -1;
	*out = doc;
	return 1;
}

static int add_files(struct trace *t, const struct content *k, struct dom *doc, struct err *e)
{
	const char *prefix = *k->label ? arena_printf(t->a, "ds=%s/", k->label) : "";
	struct dom *files = NULL;

	if (t->files >= WHY_MAX_FILES)
		return 0;
	if (why_files(t->c, t->a, &k->tree, prefix, &files, e) < 0)
		return -1;
	t->files += files->n;
	dom_set(t->a, doc, "files", files);
	return 0;
}

static bool sha_at(const struct dom *map, const char *key, struct sha *out)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR && sha_parse(v->s, out);
}

static int one_content(struct trace *t, const struct content *k, int depth, struct dom *list, const struct dom *in,
                       struct err *e)
{
	struct dom *doc = dom_new(t->a, DOM_MAP);

	dom_set_str(t->a, doc, "name", dom_get(in, "name") ? dom_get(in, "name")->s : k->name);
	dom_set_str(t->a, doc, "repo", k->name);
	if (k->commit.p)
		dom_set_str(t->a, doc, "commit", k->commit);
	if (*k->label)
		dom_set_cstr(t->a, doc, "ds", k->label);
	why_hex(t->a, doc, "tree", &k->tree);
	dom_add(list, doc);
	return add_files(t, k, doc, e) < 0 || made_by(t, k, depth, doc, e) < 0 ? -1 : 0;
}

/* A long window keeps only its ends in the ingredients: its partitions are read from the commit they were seen in. */
static int long_window(struct trace *t, struct content *k, const struct dom *in, int depth, struct dom *list,
      struct err *e)
{
	struct store *s = catalog_store(t->c);
	const struct dom *from = dom_get(in, "from"), *to = dom_get(in, "to");
	struct commit at;
	struct part *p = NULL;
	size_t n = 0;
	int got;

	if (!from || !to || !k->commit.p)
		return 0;
	got = commit_find(s, k->repo, k->commit, &at, e);
	if (got <= 0)
		return got;
	if (tree_parts(s, t->a, &at.tree, &p, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct ds d = ds_of_label(p[i].label), lo = ds_of_label(arena_cstr(t->a, from->s));
		struct ds hi = ds_of_label(arena_cstr(t->a, to->s));

		if (ds_cmp(&d, &lo) < 0 || ds_cmp(&d, &hi) > 0)
			continue;
		k->label = p[i].label;
		k->tree = p[i].entry.id;
		if (one_content(t, k, depth, list, in, e) < 0)
			return -1;
	}
	return 0;
}

/* A file or folder that a unit of data read. */
static int one_path(struct trace *t, struct content *k, const struct dom *part, int depth, struct dom *list,
                    const struct dom *in, struct err *e)
{
	struct store *s = catalog_store(t->c);
	struct dom *doc = dom_new(t->a, DOM_MAP);
	struct str path = dom_get(part, "path")->s;
	struct commit at = {0};
	struct entry entry = {.kind = ENTRY_FILE};
	int got = k->commit.p ? commit_find(s, k->repo, k->commit, &at, e) : 0;

	k->path = str_sub(path, 1, path.n);
	if (got > 0)
		got = tree_find(s, NULL, &at.tree, k->path, &entry, e);
	if (got < 0)
		return -1;
	if (entry.kind == ENTRY_FOLDER)
		k->path = STR_NULL;
	dom_set_str(t->a, doc, "name", dom_get(in, "name")->s);
	dom_set_str(t->a, doc, "repo", k->name);
	if (k->commit.p)
		dom_set_str(t->a, doc, "commit", k->commit);
	dom_set_str(t->a, doc, "path", path);
	why_hex(t->a, doc, k->path.p ? "sha256" : "tree", &k->tree);
	dom_add(list, doc);
	return (!k->path.p && add_files(t, k, doc, e) < 0) || made_by(t, k, depth, doc, e) < 0 ? -1 : 0;
}

static int inputs_doc(struct trace *t, const struct dom *ingredients, int depth, struct dom *doc, struct err *e)
{
	struct dom *list = dom_new(t->a, DOM_LIST);

	dom_each(in, dom_get(ingredients, "inputs")) {
		const struct dom *repo = dom_get(in, "repo"), *commit = dom_get(in, "commit");
		struct content k = {.label = "", .name = repo ? repo->s : STR("")};

		if (commit)
			k.commit = commit->s;
		if (repo_id(t, k.name, &k.repo, e) < 0)
			return -1;
		if (sha_at(in, "tree", &k.tree)) {
			if (one_content(t, &k, depth, list, in, e) < 0)
				return -1;
			continue;
		}
		dom_each(part, dom_get(in, "paths"))
			if (sha_at(part, "content", &k.tree) && one_path(t, &k, part, depth, list, in, e) < 0)
				return -1;
		if (dom_get(in, "n_parts") && long_window(t, &k, in, depth, list, e) < 0)
			return -1;
		dom_each(part, dom_get(in, "parts")) {
			if (!sha_at(part, "tree", &k.tree))
				continue;
			k.label = arena_cstr(t->a, dom_get(part, "ds")->s);
			if (one_content(t, &k, depth, list, in, e) < 0)
				return -1;
		}
	}
	dom_set(t->a, doc, "inputs", list);
	return 0;
}

static void copy_key(struct trace *t, struct dom *to, const struct dom *from, const char *key, const char *as)
{
	struct dom *v = dom_get(from, key), *copy;

	if (!v)
		return;
	copy = arena_new_of(t->a, struct dom);
	*copy = *v;
	copy->next = NULL;
	dom_set(t->a, to, as, copy);
}

/* A job without partition may have written ds=... folders itself: then its unit made the whole repo. */
static int find_unit_of_whole(struct trace *t, const struct content *k, int64_t *out, struct err *e)
{
	struct content whole = *k;
	struct commit at;
	int got = k->commit.p ? commit_find(catalog_store(t->c), k->repo, k->commit, &at, e) : 0;

	if (got <= 0)
		return got;
	whole.label = "";
	whole.tree = at.tree;
	return find_unit(t, &whole, out, e);
}

/* Puts made_by (a unit) or put (people) into the document of a content, and goes on below a unit's inputs. */
static int made_by(struct trace *t, const struct content *k, int depth, struct dom *doc, struct err *e)
{
	const struct dom *ingredients = NULL;
	struct dom *unit = NULL, *put = NULL;
	int64_t id = 0;
	struct str seen;
	int got;

	if (k->path.p ? find_writer(t, k, &id, e) < 0 : find_unit(t, k, &id, e) < 0)
		return -1;
	if (!id && !k->path.p && *k->label && find_unit_of_whole(t, k, &id, e) < 0)
		return -1;
	if (!id) {
		struct str path = k->path.p    ? k->path
		                  : *k->label ? arena_strf(t->a, "ds=%s", k->label)
		                              : STR("");

		got = k->commit.p ? put_doc(t, k->repo, k->commit, path, &k->tree, &put, e) : 0;
		if (got > 0)
			dom_set(t->a, doc, "put", put);
		return got < 0 ? -1 : 0;
	}
	got = why_unit_row(t->c, t->a, id, &unit, &ingredients, e);
	if (got <= 0)
		return got;
	dom_set(t->a, doc, "made_by", unit);
	seen = arena_strf(t->a, "%lld", (long long)id);
	if (map_has(&t->seen, seen) || depth >= WHY_MAX_DEPTH) {
		dom_set_bool(t->a, unit, "told_above", true);
		return 0;
	}
	map_set(&t->seen, seen, t);
	if (!ingredients)
		return 0;
	copy_key(t, unit, ingredients, "code", "code");
	copy_key(t, unit, ingredients, "files", "code_files");
	copy_key(t, unit, ingredients, "params", "params");
	copy_key(t, unit, ingredients, "settings", "settings");
	return inputs_doc(t, ingredients, depth + 1, unit, e);
}

static const char *answer(struct arena *a, const struct dom *doc, struct str text)
{
	const struct dom *unit = dom_get(doc, "made_by"), *put = dom_get(doc, "put");

	if (unit) {
		const struct dom *job = dom_get(unit, "job"), *run = dom_get(unit, "run"), *ds = dom_get(unit, "ds");

		return arena_printf(a, "%.*s was made by job %.*s%s%.*s in run %.*s", STR_ARG(text), STR_ARG(job->s),
		                    ds ? " ds=" : "", ds ? (int)ds->s.n : 0, ds ? ds->s.p : "", (int)MIN(run->s.n, 8),
		      run->s.p);
	}
	if (put) {
		const struct dom *kind = dom_get(put, "kind"), *id = dom_get(put, "global_id"), *at = dom_get(put,
		      "at");

		return arena_printf(a, "%.*s came by %.*s %.*s at %.*s", STR_ARG(text), kind ? (int)kind->s.n : 6,
		                    kind ? kind->s.p : "commit", (int)MIN(id->s.n, 8), id->s.p, (int)at->s.n, at->s.p);
	}
	return arena_printf(a, "%.*s: nobody knows where it came from", STR_ARG(text));
}

/* The partition that a path lies in, if the path does not stop above partitions. */
static const char *label_of(struct arena *a, struct str path, struct str *folder)
{
	struct str head = path, tail;
	struct ds d;

	if (!str_cut(path, '/', &head, &tail))
		head = path;
	if (!ds_of_folder(head, &d))
		return "";
	*folder = head;
	return arena_dup(a, d.label);
}

int why_inputs(struct flow *f, struct catalog *c, struct arena *a, const struct dom *ingredients, struct dom *doc,
               struct err *e)
{
	struct trace t = {.c = c, .a = a};

	map_init(&t.seen, a);
	catalog_graph(c, f->graph);
	return inputs_doc(&t, ingredients, 0, doc, e);
}

int why_pin(struct store *s, struct arena *a, struct str text, struct pin *pin, struct entry *at, struct err *e)
{
	int got;

	if (pin_resolve(s, a, text, pin, e) < 0)
		return -1;
	if (!pin->has_commit)
		return err_set(e, ERR_NOT_FOUND, "%.*s has no commit yet", STR_ARG(pin->repo.name));
	got = tree_find(s, NULL, &pin->commit.tree, pin->path, at, e);
	return got ? MIN(got, 0)
	           : err_set(e, ERR_NOT_FOUND, "%.*s has no /%.*s in commit %.8s", STR_ARG(pin->repo.name),
	                     STR_ARG(pin->path), pin->commit.id.hex);
}

int why_path(struct flow *f, struct catalog *c, struct arena *a, struct str text, const struct dom **out, struct err *e)
{
	struct trace t = {.c = c, .a = a};
	struct dom *doc = dom_new(a, DOM_MAP), *files = NULL, *put = NULL, *old, *head;
	struct content k = {.label = ""};
	struct str folder = STR("");
	struct entry at, part;
	struct pin pin;
	int got;

	map_init(&t.seen, a);
	catalog_graph(c, f->graph);
	if (why_pin(f->store, a, text, &pin, &at, e))
		return -1;
	k.repo = pin.repo.id;
	k.name = pin.repo.name;
	k.commit = arena_str(a, str_of(pin.commit.id.hex));
	k.label = label_of(a, pin.path, &folder);
	if (tree_find(f->store, NULL, &pin.commit.tree, folder, &part, e) < 0)
		return -1;
	k.tree = part.id;
	if (at.kind == ENTRY_FILE) { /* of a unit's own among those of others */
		struct content file = k;
		int64_t unit;

		file.path = pin.path;
		file.tree = at.id;
		if (find_writer(&t, &file, &unit, e) < 0)
			return -1;
		if (unit)
			k = file;
	}
	dom_set_str(a, doc, "repo", pin.repo.name);
	dom_set_cstr(a, doc, "commit", pin.commit.id.hex);
	dom_set_int(a, doc, "number", pin.commit.number);
	dom_set_str(a, doc, "path", arena_strf(a, "/%.*s", STR_ARG(pin.path)));
	if (*k.label)
		dom_set_cstr(a, doc, "ds", k.label);
	dom_set_int(a, doc, "size", at.size);
	if (at.kind == ENTRY_FILE) {
		why_hex(a, doc, "sha256", &at.id);
	} else {
		why_hex(a, doc, "tree", &at.id);
		if (why_files(c, a, &at.id, "", &files, e) < 0)
			return -1;
		dom_set(a, doc, "files", files);
	}
	if (made_by(&t, &k, 0, doc, e) < 0)
		return -1;
	old = dom_get(doc, "put");
	if (old) {
		got = put_doc(&t, k.repo, k.commit, pin.path, &at.id, &put, e);
		if (got < 0)
			return -1;
		/* Of a file that people put, its own commit tells more than that of its partition. */
		if (got)
			*old = (struct dom){.type = DOM_MAP, .key = old->key, .next = old->next, .first = put->first,
			                    .last = put->last, .n = put->n};
	}
	head = dom_new(a, DOM_MAP);
	dom_set_cstr(a, head, "answer", answer(a, doc, text));
	for (struct dom *v = doc->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		dom_set(a, head, arena_cstr(a, v->key), v);
	}
	*out = head;
	return 0;
}
