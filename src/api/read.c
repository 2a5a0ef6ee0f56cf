#include "api/rows.h"
#include "api/spot.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/fsck.h"
#include "repo/overlay.h"
#include "repo/repair.h"

struct listing {
	struct api *api;
	struct sink *out;
	struct str repo, under;
	const struct commit *commit;
	struct arena *row; /* emptied after each row */
	size_t n;
	char path[2 * NAME_MAX_PATH]; /* begins with `under` and a '/' */
};

static int list_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct listing *l = ptr;
	struct sink_entry told = {l->repo, l->commit, path, entry};
	int rc;

	if (l->under.n) {
		memcpy(l->path + l->under.n + 1, path.p, path.n);
		told.path = (struct str){l->path, l->under.n + 1 + path.n};
	}
	rc = rows_entry(l->out, l->row, &told, e);
	l->n++;
	arena_reset(l->row);
	return rc;
}

/* `under`: only those of a zone, "raw/"; "" for all. */
static int list_repos(struct api *api, struct str under, bool all, struct sink *out, struct err *e)
{
	struct repo *repos;
	size_t n;

	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit head;
		struct dom *row;
		int rc;

		if ((repos[i].role == REPO_SYSTEM && !all) || !str_has_prefix(repos[i].name, under))
			continue;
		rc = branch_head(api->store, repos[i].id, store_branch(api->store), &head, e);
		if (rc < 0)
			return -1;
		if (rc == 1 && !out->people) /* author and message */
			rc = commit_read(api->store, api->arena, repos[i].id,
			                 arena_str(api->arena, str_of(head.id.hex)), &head, e);
		if (rc < 0)
			return -1;
		if (!rc)
			head = (struct commit){.repo = repos[i].id};
		row = row_commit(api->arena, repos[i].name, store_branch(api->store), &head);
		dom_set_cstr(api->arena, row, "type", "repo");
		dom_set_str(api->arena, row, "job", repos[i].job);
		if (sink_row(out, row, e))
			return -1;
	}
	if (!n)
		sink_note(out, "no repos yet; 'leat put REPO FILE' makes one");
	return 0;
}

/* "raw" is no repo where there is raw/trips: 1 and "raw/", 0, -1. */
static int names_zone(struct api *api, struct str name, struct str *zone, struct err *e)
{
	struct repo *repos;
	size_t n;

	if (memchr(name.p, ':', name.n) || memchr(name.p, '@', name.n))
		return 0;
	if (name.n && name.p[name.n - 1] == '/')
		name.n--;
	*zone = arena_strf(api->arena, "%.*s/", STR_ARG(name));
	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (repos[i].role != REPO_SYSTEM && str_has_prefix(repos[i].name, *zone))
			return 1;
	return 0;
}

static int list_spot(struct listing *l, const struct args *args, struct str text, struct err *e)
{
	struct spot s;
	struct commit *commit = arena_new_of(l->api->arena, struct commit);

	if (spot_find(l->api, args, text, true, &s, e))
		return -1;
	*commit = s.pin.commit;
	l->repo = s.pin.repo.name;
	l->commit = commit;
	l->under = s.glob || s.entry.kind == ENTRY_FILE ? STR("") : s.path;
	l->n = 0;
	memcpy(l->path, l->under.p, l->under.n);
	l->path[l->under.n] = '/';
	if (s.glob)
		return spot_each(l->api, &s, list_entry, l, e) ? -1 : l->n ? 0 : spot_nothing(&s, e);
	if (s.entry.kind == ENTRY_FILE)
		return list_entry(l, s.path, &s.entry, e);
	if (args_flag(args, "recursive"))
		return tree_walk(l->api->store, NULL, &s.entry.id, false, list_entry, l, e);
	return tree_list(l->api->store, NULL, &s.entry.id, STR_NULL, list_entry, l, e);
}

int api_ls(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct listing l = {.api = api, .out = out};
	int rc = 0;

	if (!args_n(args))
		return list_repos(api, STR(""), args_flag(args, "all"), out, e);
	if (args_n(args) == 1 && !args_count(args, "ds")) {
		struct str zone;

		rc = names_zone(api, args_pos(args, 0), &zone, e);
		if (rc)
			return rc < 0 ? -1 : list_repos(api, zone, args_flag(args, "all"), out, e);
	}
	l.row = arena_new();
	for (size_t i = 0; !rc && i < args_n(args); i++)
		rc = list_spot(&l, args, args_pos(args, i), e);
	arena_free(l.row);
	return rc;
}

static int draw_folder(struct listing *l, const struct sha *folder, struct str under, int64_t depth, int64_t most,
                       struct err *e);

struct drawing {
	struct listing *l;
	struct str under;
	int64_t depth, most;
};

static int draw_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct drawing *d = ptr;
	struct arena *a = d->l->api->arena;
	struct str full = arena_strf(a, "%.*s%s%.*s", STR_ARG(d->under), d->under.n ? "/" : "", STR_ARG(path));
	struct dom *row = row_entry(a, d->l->repo, d->l->commit, full, entry);

	dom_set_int(a, row, "depth", d->depth);
	if (sink_row(d->l->out, row, e))
		return -1;
	if (entry->kind == ENTRY_FOLDER && d->depth < d->most)
		return draw_folder(d->l, &entry->id, full, d->depth + 1, d->most, e);
	return 0;
}

static int draw_folder(struct listing *l, const struct sha *folder, struct str under, int64_t depth, int64_t most,
                       struct err *e)
{
	struct drawing d = {l, under, depth, most};

	return tree_list(l->api->store, NULL, folder, STR_NULL, draw_entry, &d, e);
}

static int draw_repo(struct api *api, struct str repo, const struct commit *c, const struct entry *root,
                     struct str under, int64_t most, struct sink *out, struct err *e)
{
	struct listing l = {.api = api, .out = out, .repo = repo, .commit = c};
	struct dom *row = row_entry(api->arena, repo, c, under, root);

	dom_set_int(api->arena, row, "depth", 0);
	if (sink_row(out, row, e))
		return -1;
	return most < 1 ? 0 : draw_folder(&l, &root->id, under, 1, most, e);
}

static int draw_pin(struct api *api, struct str what, int64_t most, struct sink *out, struct err *e)
{
	struct pin pin;
	struct entry root;
	int rc;

	if (pin_resolve(api->store, api->arena, what, &pin, e))
		return -1;
	if (!pin.has_commit)
		pin.commit.tree = tree_empty_id();
	rc = tree_find(api->store, NULL, &pin.commit.tree, pin.path, &root, e);
	if (rc < 0)
		return -1;
	if (!rc || root.kind == ENTRY_FILE)
		return err_set(e, ERR_NOT_FOUND, "%.*s is no folder", STR_ARG(what));
	return draw_repo(api, pin.repo.name, &pin.commit, &root, pin.path, most, out, e);
}

int api_tree(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	int64_t most = INT64_MAX;
	struct str what = STR_NULL, zone = STR("");
	struct repo *repos;
	size_t n;
	int zoned = 0;

	for (size_t i = 0; i < args_n(args); i++) {
		struct str s = args_pos(args, i);

		if (!str_to_i64(s, &most)) {
			if (what.p)
				return err_set(e, ERR_BAD_REQUEST, "'%.*s' is not a depth", STR_ARG(s));
			what = s;
		}
	}
	if (what.p) {
		zoned = names_zone(api, what, &zone, e);
		if (zoned < 0)
			return -1;
	}
	if (what.p && !zoned)
		return draw_pin(api, what, most, out, e);
	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit head;
		struct entry root = {.kind = ENTRY_FOLDER};
		int rc = repos[i].role == REPO_SYSTEM || !str_has_prefix(repos[i].name, zone) ? 0 :
		         branch_head(api->store, repos[i].id, store_branch(api->store), &head, e);

		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		root.id = head.tree;
		root.size = head.bytes;
		root.files = head.files;
		if (draw_repo(api, repos[i].name, &head, &root, STR(""), most, out, e))
			return -1;
	}
	return 0;
}

static int fsck_row(void *ptr, const struct fsck_finding *f, struct err *e)
{
	struct listing *l = ptr;
	struct arena *a = l->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	l->api->exit_status = 1;
	dom_set_cstr(a, row, "code", f->code);
	dom_set_cstr(a, row, "message", f->text);
	return sink_row(l->out, row, e);
}

static void repaired(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

/* What nobody could write to is made anew; who writes also puts right what says where its tables begin. */
static int whole_database(struct api *api, struct sink *out, struct err *e)
{
	if (db_is_copy(api->store->db)) {
		if (db_make_whole(api->store->db, e))
			return err_wrap(e, "leat.db cannot be made whole");
		store_close(api->store);
		api->store = NULL;
		if (api_open(api, OP_W, e))
			return -1;
		sink_note(out, ".leat/leat.db was made anew from its rows");
	}
	return db_begin(api->store->db, e) || db_commit(api->store->db, e) ? -1 : 0;
}

int api_fsck(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct listing l = {.api = api, .out = out};
	struct fsck_totals t;

	if (args_flag(args, "repair") && whole_database(api, out, e))
		return -1;
	if (args_flag(args, "repair") && repair_run(api->store, repaired, out, e))
		return -1;
	if (fsck_run(api->store, fsck_row, &l, &t, e))
		return -1;
	sink_note(out, "%lld blobs, %lld bytes, %lld tree pages, %lld commits checked: %s", (long long)t.blobs,
	          (long long)t.bytes, (long long)t.pages, (long long)t.commits,
	          t.findings ? "faults found" : "all is whole");
	return 0;
}
