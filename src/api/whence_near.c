/* What has a name like that of a file that is not known. Bounded: it looks at so many entries of heads, not at all of
 * them. */
#include "api/whence.h"

#include "api/rows.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/blob.h"
#include "sys/file.h"

#define NEAR_TOLD    3
#define NEAR_KEPT    8     /* compared, so that the nearest of them come first */
#define NEAR_PARTS   400   /* newest partitions in which its name is looked up */
#define NEAR_REPOS   1000  /* looked into */
#define NEAR_ENTRIES 10000 /* of their roots and newest partitions, in all */
#define NEAR_FOLDER  200   /* of one folder */
#define NEAR_EXPORTS 2000
#define NEAR_BYTES   ((int64_t)4 << 20) /* a larger file is not compared byte by byte */

struct near {
	int64_t score; /* lower is nearer */
	struct str repo, path;
	struct entry entry;
	struct commit commit;
	const struct exported *exported; /* in place of those */
	const char *differs;             /* how it differs in its bytes; NULL: it was not compared */
};

struct nearing {
	struct store *s;
	struct arena *a;
	const struct found_file *f;
	struct str name, stem; /* the last part of its path, without "copy of", "(1)"; and without its ending */
	struct near best[NEAR_KEPT];
	size_t n;
	int64_t left; /* entries that may still be looked at */
	/* where it looks */
	const struct catalog_repo *r;
	struct str folder;
	size_t in_folder;
};

/* "sales (1).csv", "Copy of sales.csv", "sales - Copy.csv": what browsers and desktops make of sales.csv. */
static struct str plain_name(struct arena *a, struct str s)
{
	struct str base = s, ext = STR_NULL, head, tail;
	bool has_ext = str_rcut(s, '.', &base, &ext);
	static const char *const before[] = {"Copy of ", "copy of ", "Kopie von "};
	static const char *const after[] = {" - Copy", " copy", "_copy", " - Kopie"};

	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		if (str_has_prefix(base, str_of(before[i])))
			base = str_sub(base, strlen(before[i]), base.n);
	if (base.n > 3 && base.p[base.n - 1] == ')' && str_rcut(base, '(', &head, &tail) && head.n > 1)
		base = str_trim(head);
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		if (str_has_suffix(base, str_of(after[i])))
			base.n -= strlen(after[i]);
	return has_ext ? arena_strf(a, "%.*s.%.*s", STR_ARG(base), STR_ARG(ext)) : base;
}

static void keep(struct nearing *k, struct near x)
{
	size_t at = k->n;

	for (size_t i = 0; i < k->n; i++)
		if (!x.exported && !k->best[i].exported && str_eq(k->best[i].repo, x.repo) &&
		    str_eq(k->best[i].path, x.path))
			return;
	while (at && k->best[at - 1].score > x.score)
		at--;
	if (at == NEAR_KEPT)
		return;
	for (size_t i = MIN(k->n, (size_t)NEAR_KEPT - 1); i > at; i--)
		k->best[i] = k->best[i - 1];
	k->best[at] = x;
	k->n = MIN(k->n + 1, (size_t)NEAR_KEPT);
}

/* How far two names are from each other; -1: too far to be worth saying. A size that is near too decides among equals.
 */
static int64_t distance(const struct nearing *k, struct str name, int64_t size)
{
	size_t d = 0;
	int64_t away = size > k->f->size ? size - k->f->size : k->f->size - size;

	if (!str_ieq(name, k->name)) {
		size_t most = k->stem.n / 4; /* of a short name every other one would be near */

		if (name.n > k->name.n + most || k->name.n > name.n + most)
			return -1;
		d = str_distance(name, k->name);
		if (d > most)
			return -1;
	}
	return (int64_t)d * 1000000 + (away > 99999 ? 99999 : away);
}

static void found(struct nearing *k, struct str path, const struct entry *en, int64_t score)
{
	keep(k, (struct near){.score = score,
	                      .repo = k->r->repo.name,
	                      .path = arena_str(k->a, path),
	                      .entry = *en,
	                      .commit = k->r->head});
}

static int on_entry(void *ptr, struct str path, const struct entry *en, struct err *e)
{
	struct nearing *k = ptr;
	int64_t score = en->kind == ENTRY_FILE ? distance(k, path, en->size) : -1;

	if (score >= 0)
		found(k, arena_strf(k->a, "%.*s%s%.*s", STR_ARG(k->folder), k->folder.n ? "/" : "", STR_ARG(path)), en,
		      score + 1);
	return --k->left < 0 || ++k->in_folder >= NEAR_FOLDER;
}

/* The end of its path, one part more each time: tables/sales/ds=2024-01-01/part-0.parquet of somebody's copy. */
static int by_path(struct nearing *k, struct err *e)
{
	struct str rest = k->f->path ? str_of(k->f->path) : STR_NULL;
	int parts = 0;

	for (size_t i = rest.n; i-- > 0 && parts < 6;) {
		struct str tail = i ? str_sub(rest, i, rest.n) : rest;
		struct entry en;
		int got;

		if (i && rest.p[i - 1] != '/')
			continue;
		parts++;
		if (!tail.n || tail.n > NAME_MAX_PATH || tail.p[0] == '/' || tail.p[0] == '.')
			continue;
		got = tree_find(k->s, NULL, &k->r->head.tree, tail, &en, e);
		if (got < 0)
			return -1;
		if (got && en.kind == ENTRY_FILE)
			found(k, tail, &en, -parts * (int64_t)1000 + (en.size != k->f->size));
	}
	return 0;
}

static int in_repo(struct nearing *k, struct err *e)
{
	struct entry at;

	if (by_path(k, e))
		return -1;
	k->folder = STR("");
	k->in_folder = 0;
	if (tree_list(k->s, NULL, &k->r->head.tree, STR_NULL, on_entry, k, e))
		return -1;
	if (!k->r->n_parts || k->left < 0)
		return 0;
	k->folder = arena_strf(k->a, "ds=%s", k->r->parts[k->r->n_parts - 1].label);
	k->in_folder = 0;
	for (size_t i = k->r->n_parts; i-- > 0 && i + NEAR_PARTS > k->r->n_parts;) {
		struct entry en;
		int got;

		at = k->r->parts[i].entry;
		got = at.kind == ENTRY_FOLDER ? tree_find(k->s, NULL, &at.id, k->name, &en, e) : 0;
		if (got < 0)
			return -1;
		if (got && en.kind == ENTRY_FILE)
			found(k, arena_strf(k->a, "ds=%s/%.*s", k->r->parts[i].label, STR_ARG(k->name)), &en,
			      distance(k, k->name, en.size));
	}
	at = k->r->parts[k->r->n_parts - 1].entry;
	return at.kind == ENTRY_FOLDER ? tree_list(k->s, NULL, &at.id, STR_NULL, on_entry, k, e) : 0;
}

static int in_repos(struct nearing *k, struct catalog *c, struct err *e)
{
	struct repo *all;
	size_t n;

	if (repo_list(k->s, k->a, &all, &n, e))
		return -1;
	for (size_t i = 0; i < n && i < NEAR_REPOS && k->left > 0; i++) {
		struct catalog_repo *r;
		int got = catalog_repo(c, all[i].name, STR_NULL, &r, e);

		if (got < 0)
			return -1;
		if (!got || !r->has_commit)
			continue;
		k->r = r;
		if (in_repo(k, e))
			return -1;
	}
	return 0;
}

static int in_exports(struct nearing *k, struct err *e)
{
	struct exported *all;
	size_t n;

	if (exported_last(k->s, k->a, NEAR_EXPORTS, &all, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		int64_t score = distance(k, all[i].name, all[i].size);

		if (score >= 0)
			keep(k, (struct near){.score = score, .exported = &all[i]});
	}
	return 0;
}

static int bytes_of(struct nearing *k, struct str *out, struct err *e)
{
	size_t got;
	char *p;

	*out = k->f->bytes;
	if (out->p)
		return 0;
	p = arena_alloc(k->a, (size_t)k->f->size + 1);
	if (fd_pread_full(k->f->fd, p, (size_t)k->f->size, 0, &got, k->f->path, e))
		return -1;
	*out = (struct str){p, got};
	return 0;
}

/* "one byte differs, in line 17"; *score: how much. */
static const char *differs(struct arena *a, struct str x, struct str y, int64_t *score)
{
	size_t first = 0, n = 0, line = 1, end = 0, least = MIN(x.n, y.n);
	bool texts = !memchr(x.p, 0, MIN(x.n, 8192u)) && !memchr(y.p, 0, MIN(y.n, 8192u));
	const char *where;

	while (first < least && x.p[first] == y.p[first])
		line += x.p[first++] == '\n';
	where = texts ? arena_printf(a, "line %zu", line) : arena_printf(a, "byte %zu", first);
	while (end < least - first && x.p[x.n - 1 - end] == y.p[y.n - 1 - end])
		end++;
	*score = (int64_t)(MAX(x.n, y.n) - first - end);
	if (x.n != y.n)
		return first == least ? arena_printf(a, "the first %zu bytes are the same", first)
		                      : arena_printf(a, "differs from %s on", where);
	for (size_t i = first; i < least; i++)
		n += x.p[i] != y.p[i];
	*score = (int64_t)n;
	return n == 1 ? arena_printf(a, "one byte differs, in %s", where)
	              : arena_printf(a, "%zu bytes differ, the first in %s", n, where);
}

/*
 * Compares it with what has a name like it: by what differs they are put in order. 1: the first is the same text but
 * for its line ends; 0; -1.
 */
static int compare(struct nearing *k, struct err *e)
{
	int64_t left = NEAR_BYTES;
	struct str mine, theirs;
	struct sha plain;

	if (k->f->size > NEAR_BYTES || !k->n)
		return 0;
	if (bytes_of(k, &mine, e))
		return -1;
	plain = forms_plain(mine);
	for (size_t i = 0; i < k->n; i++) {
		struct near x = k->best[i];
		struct err inner = ERR_INIT;
		struct sha sha;
		size_t at = i;

		if (x.exported || x.entry.size > left)
			continue;
		left -= x.entry.size;
		if (blob_bytes(k->s, &x.entry.id, k->a, (size_t)NEAR_BYTES, &theirs, &inner))
			continue; /* damaged: fsck is for that */
		sha = forms_plain(theirs);
		x.differs = differs(k->a, mine, theirs, &x.score);
		if (!sha_is_zero(&sha) && sha_eq(&plain, &sha))
			x.score = -1;
		for (; at && k->best[at - 1].differs && k->best[at - 1].score > x.score; at--)
			k->best[at] = k->best[at - 1];
		k->best[at] = x;
	}
	return k->best[0].differs && k->best[0].score < 0;
}

static struct dom *near_doc(struct arena *a, const struct near *x)
{
	struct dom *row = dom_new(a, DOM_MAP);

	if (x->exported) {
		dom_set_str(a, row, "name", x->exported->name);
		row_time(a, row, "at", x->exported->at);
		dom_set_int(a, row, "size", x->exported->size);
		row_sha(a, row, "sha256", &x->exported->sha);
		return row;
	}
	dom_set_str(a, row, "repo", x->repo);
	dom_set_str(a, row, "path", arena_strf(a, "/%.*s", STR_ARG(x->path)));
	dom_set_cstr(a, row, "commit", x->commit.id.hex);
	dom_set_int(a, row, "size", x->entry.size);
	row_sha(a, row, "sha256", &x->entry.id);
	if (x->differs)
		dom_set_cstr(a, row, "differs", x->differs);
	return row;
}

/* Whether the file lies in another workspace, which may know it. */
static char *elsewhere(struct api *api, const struct found_file *f)
{
	struct err no = ERR_INIT;
	char *absolute, *dir, *slash;

	if (!f->path || path_absolute(api->arena, f->path, &absolute, &no))
		return NULL;
	slash = strrchr(absolute, '/');
	if (!slash || slash == absolute)
		return NULL;
	*slash = 0;
	if (workspace_find(absolute, api->arena, &dir, &no) || !strcmp(dir, api->ws->dir))
		return NULL;
	return dir;
}

int whence_near(struct api *api, struct catalog *c, const struct found_file *f, const struct whence_ask *ask,
                struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	struct nearing k = {.s = api->store, .a = a, .f = f, .left = NEAR_ENTRIES};
	struct dom *doc = dom_new(a, DOM_MAP), *list = dom_new(a, DOM_LIST);
	struct str head, tail = f->name;
	char *other = elsewhere(api, f);
	int rc;

	if (f->path) {
		if (!str_rcut(f->name, '/', &head, &tail))
			tail = f->name;
		k.name = plain_name(a, tail);
		if (!str_rcut(k.name, '.', &k.stem, &tail))
			k.stem = k.name;
		if (in_exports(&k, e) || in_repos(&k, c, e))
			return -1;
	}
	rc = compare(&k, e);
	if (rc > 0) {
		struct whence_ask again = {.sha = k.best[0].entry.id, .name = ask->name};

		rc = whence_tell(api->flow, c, a, &again, out, e);
		if (rc > 0)
			dom_set_cstr(a, *out, "as", "its line ends were made alike");
	}
	if (rc)
		return rc;
	*out = doc;
	for (size_t i = 0; i < k.n && i < NEAR_TOLD; i++)
		dom_add(list, near_doc(a, &k.best[i]));
	dom_set_str(a, doc, "answer", arena_strf(a, "%.*s is not known here", STR_ARG(ask->name)));
	if (list->n)
		dom_set(a, doc, "nearest", list);
	if (other)
		dom_set_cstr(a, doc, "elsewhere", other);
	return 0;
}
