#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/blob.h"
#include "repo/fsck.h"
#include "sys/file.h"

#define CHUNK ((size_t)256 << 10)

/* A pin with --ds in front of its path, and the entry there; nothing there is an error that says what there is. */
struct spot {
	struct pin pin;
	struct str path;
	struct entry entry;
};

static int find_spot(struct api *api, const struct args *args, struct str text, struct spot *out, struct err *e)
{
	struct spot s;
	struct str prefix;
	int rc;

	if (rows_ds_prefix(args, &prefix, e) || pin_resolve(api->store, api->arena, text, &s.pin, e))
		return -1;
	s.path = arena_strf(api->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(s.pin.path));
	if (s.path.n && s.path.p[s.path.n - 1] == '/')
		s.path.n--;
	if (!s.pin.has_commit)
		s.pin.commit.tree = tree_empty_id();
	rc = tree_find(api->store, NULL, &s.pin.commit.tree, s.path, &s.entry, e);
	if (rc < 0)
		return -1;
	if (!rc || (s.pin.folder && s.entry.kind == ENTRY_FILE)) {
		struct str repo, rev, path;

		if (pin_parse(text, &repo, &rev, &path, e))
			return -1;
		text = arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(repo), rev.n ? "@" : "", STR_ARG(rev));
		err_set(e, ERR_NOT_FOUND, "%.*s has no /%.*s%s", STR_ARG(text), STR_ARG(s.path),
		        s.pin.folder ? "/" : "");
		return err_hint(e, "'leat ls -R %.*s' lists what is there (%lld file%s)", STR_ARG(text),
		                (long long)s.pin.commit.files, s.pin.commit.files == 1 ? "" : "s");
	}
	*out = s;
	return 0;
}

static int cat_blob(struct api *api, const struct sha *id, struct sink *out, struct err *e)
{
	char *buf = arena_alloc(api->arena, CHUNK);
	int fd, rc = 0;
	ssize_t n;

	if (blob_open(api->store, id, &fd, e))
		return -1;
	while (!rc && (n = read(fd, buf, CHUNK)) != 0)
		rc = n < 0 ? err_errno(e, errno, "reading a blob")
		           : out->bytes(out->ptr, (struct str){buf, (size_t)n}, e);
	close(fd);
	return rc;
}

int api_cat(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	for (size_t i = 0; i < args_n(args); i++) {
		struct spot s;

		if (find_spot(api, args, args_pos(args, i), &s, e))
			return -1;
		if (s.entry.kind == ENTRY_FOLDER) {
			err_set(e, ERR_BAD_REQUEST, "%.*s is a folder", STR_ARG(args_pos(args, i)));
			return err_hint(e, "'leat ls' lists it, 'leat get' copies it");
		}
		if (cat_blob(api, &s.entry.id, out, e))
			return -1;
	}
	return 0;
}

struct getting {
	struct api *api;
	const char *dest;
};

/* Written beside and renamed over, so that an interrupted get leaves the old file or the new one, never half. */
static int get_file(struct getting *g, const char *to, const struct entry *entry, struct err *e)
{
	char *tmp = arena_printf(g->api->arena, "%s/.leat-get-%d.tmp", path_dir(g->api->arena, to), (int)getpid());
	struct sha sha;
	int from, fd, rc;

	if (blob_open(g->api->store, &entry->id, &from, e))
		return -1;
	rc = file_open_write(tmp, O_EXCL, 0666, &fd, e);
	if (!rc) {
		rc = file_copy_fd_sha(from, "the store", fd, tmp, &sha, NULL, e);
		if (!rc && !sha_eq(&sha, &entry->id)) {
			err_set(e, ERR_DAMAGED, "the store's copy of %s is not what was put", to);
			rc = err_hint(e, "'leat fsck' tells what else is damaged");
		}
		if (close(fd) && !rc)
			rc = err_errno(e, errno, "%s", to);
		if (!rc)
			rc = file_rename(tmp, to, e);
		if (rc)
			unlink(tmp);
	}
	close(from);
	return rc;
}

static int get_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct getting *g = ptr;
	char *to = arena_printf(g->api->arena, "%s/%.*s", g->dest, STR_ARG(path));

	if (entry->kind == ENTRY_FOLDER)
		return dir_make(to, 0777, e);
	return get_file(g, to, entry, e);
}

int api_get(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct getting g = {.api = api};
	struct str dest = args_value(args, "output"), base;
	struct spot s;
	struct stat st;

	if (find_spot(api, args, args_pos(args, 0), &s, e))
		return -1;
	if (str_is(dest, "-")) {
		if (s.entry.kind == ENTRY_FOLDER)
			return err_set(e, ERR_BAD_REQUEST, "a folder does not go to standard output");
		return cat_blob(api, &s.entry.id, out, e);
	}
	base = str_of(path_base(api->arena, arena_cstr(api->arena, s.path.n ? s.path : s.pin.repo.name)));
	g.dest = arena_cstr(api->arena, dest.p ? dest : base);
	if (s.entry.kind == ENTRY_FILE) {
		if (dest.n && (dest.p[dest.n - 1] == '/' || (stat(g.dest, &st) == 0 && S_ISDIR(st.st_mode))))
			g.dest = arena_printf(api->arena, "%s/%.*s", g.dest, STR_ARG(base));
		return dir_make_parent(g.dest, 0777, e) ? -1 : get_file(&g, g.dest, &s.entry, e);
	}
	if (dir_make(g.dest, 0777, e))
		return -1;
	return tree_walk(api->store, NULL, &s.entry.id, true, get_entry, &g, e);
}

struct listing {
	struct api *api;
	struct sink *out;
	struct str repo, under;
	const struct commit *commit;
	struct arena *row; /* emptied after each row */
};

static int list_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct listing *l = ptr;
	struct str full = arena_strf(l->row, "%.*s%s%.*s", STR_ARG(l->under), l->under.n ? "/" : "", STR_ARG(path));
	int rc = sink_row(l->out, row_entry(l->row, l->repo, l->commit, full, entry), e);

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
		rc = branch_head(api->store, repos[i].id, STR(BRANCH_DEFAULT), &head, e);
		if (rc < 0)
			return -1;
		if (!rc)
			head = (struct commit){.repo = repos[i].id};
		row = row_commit(api->arena, repos[i].name, STR(BRANCH_DEFAULT), &head);
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
	for (size_t i = 0; !rc && i < args_n(args); i++) {
		struct spot s;

		rc = find_spot(api, args, args_pos(args, i), &s, e);
		if (rc)
			break;
		l.repo = s.pin.repo.name;
		l.commit = &s.pin.commit;
		l.under = s.path;
		if (s.entry.kind == ENTRY_FILE) {
			l.under = STR("");
			rc = list_entry(&l, s.path, &s.entry, e);
		} else if (args_flag(args, "recursive")) {
			rc = tree_walk(api->store, NULL, &s.entry.id, false, list_entry, &l, e);
		} else {
			rc = tree_list(api->store, NULL, &s.entry.id, STR_NULL, list_entry, &l, e);
		}
	}
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

int api_tree(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	int64_t most = INT64_MAX;
	struct str what = STR_NULL;
	struct repo *repos;
	size_t n;

	for (size_t i = 0; i < args_n(args); i++) {
		struct str s = args_pos(args, i);

		if (!str_to_i64(s, &most)) {
			if (what.p)
				return err_set(e, ERR_BAD_REQUEST, "'%.*s' is not a depth", STR_ARG(s));
			what = s;
		}
	}
	if (what.p) {
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
	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct commit head;
		struct entry root = {.kind = ENTRY_FOLDER};
		int rc = repos[i].role == REPO_SYSTEM ? 0 :
		         branch_head(api->store, repos[i].id, STR(BRANCH_DEFAULT), &head, e);

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

struct logging {
	struct api *api;
	struct sink *out;
	struct str repo, branch;
};

static int log_commit(void *ptr, const struct commit *c, struct err *e)
{
	struct logging *l = ptr;

	return sink_row(l->out, row_commit(l->api->arena, l->repo, l->branch, c), e);
}

/* All commits that one global or batch id names, over all repos. 0 rows is for the caller to judge. */
static int log_id(struct api *api, struct str id, struct sink *out, size_t *n, struct err *e)
{
	struct q *q = db_query(api->store->db,
	                       "select r.name, c.repo, c.id from commits c join repo r on r.id = c.repo"
	                       " where c.id >= ?1 and c.id < ?1 || 'g' or c.batch >= ?1 and c.batch < ?1 || 'g'"
	                       " order by c.at, c.repo");
	int rc;

	q_text(q, 1, id);
	while ((rc = q_step(q, e)) == 1) {
		struct str name = arena_str(api->arena, q_col_text(q, 0));
		struct commit c;

		rc = commit_find(api->store, q_col_int(q, 1), arena_str(api->arena, q_col_text(q, 2)), &c, e);
		if (rc == 1)
			rc = sink_row(out, row_commit(api->arena, name, STR_NULL, &c), e) ? -1 : 1;
		if (rc < 0)
			break;
		(*n)++;
	}
	q_done(q);
	return rc < 0 ? -1 : 0;
}

static bool looks_like_id(struct str s)
{
	if (s.n < 4 || s.n > ID_HEX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]))
			return false;
	return true;
}

int api_log(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct logging l = {.api = api, .out = out};
	struct str text = args_pos(args, 0);
	struct repo repo;
	struct pin pin;
	int64_t most;
	size_t n = 0;
	int rc;

	if (args_int(args, "limit", 1, INT64_MAX, INT64_MAX, &most, e))
		return -1;
	if (looks_like_id(text)) {
		rc = repo_find(api->store, api->arena, text, &repo, e);
		if (rc < 0 || (!rc && log_id(api, text, out, &n, e)))
			return -1;
		if (!rc && n)
			return 0;
	}
	if (looks_like_id(text) && !repo_find(api->store, api->arena, text, &repo, e))
		return err_set(e, ERR_NOT_FOUND, "no repo, commit or batch has the name or id %.*s", STR_ARG(text));
	if (pin_resolve(api->store, api->arena, text, &pin, e))
		return -1;
	if (!pin.has_commit)
		return 0;
	l.repo = pin.repo.name;
	l.branch = pin.branch;
	return commit_log(api->store, api->arena, &pin.commit, most, log_commit, &l, e);
}

static int diff_row(void *ptr, enum diff_kind kind, struct str path, const struct entry *old_entry,
                    const struct entry *new_entry, struct err *e)
{
	static const char *const words[] = {"added", "removed", "changed"};
	struct logging *l = ptr;
	struct arena *a = l->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_cstr(a, row, "change", words[kind]);
	dom_set_str(a, row, "path", arena_strf(a, "/%.*s", STR_ARG(path)));
	if (old_entry) {
		dom_set_int(a, row, "old_size", old_entry->size);
		row_sha(a, row, "old_sha256", &old_entry->id);
	}
	if (new_entry) {
		dom_set_int(a, row, "size", new_entry->size);
		row_sha(a, row, "sha256", &new_entry->id);
	}
	return sink_row(l->out, row, e);
}

int api_diff(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct logging l = {.api = api, .out = out};
	struct sha empty = tree_empty_id();
	struct pin a, b;
	int rc;

	if (pin_resolve(api->store, api->arena, args_pos(args, 0), &a, e))
		return -1;
	if (args_n(args) == 2) {
		if (pin_resolve(api->store, api->arena, args_pos(args, 1), &b, e))
			return -1;
	} else {
		b = a;
		a.has_commit = false;
		if (b.has_commit && b.commit.parent.hex[0]) {
			rc = commit_find(api->store, b.repo.id, str_of(b.commit.parent.hex), &a.commit, e);
			if (rc < 0)
				return -1;
			a.has_commit = rc == 1;
		}
	}
	return tree_diff(api->store, a.has_commit ? &a.commit.tree : &empty, b.has_commit ? &b.commit.tree : &empty,
	                 false, diff_row, &l, e);
}

static int fsck_row(void *ptr, const struct fsck_finding *f, struct err *e)
{
	struct logging *l = ptr;
	struct arena *a = l->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	l->api->exit_status = 1;
	dom_set_cstr(a, row, "code", f->code);
	dom_set_cstr(a, row, "message", f->text);
	return sink_row(l->out, row, e);
}

int api_fsck(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct logging l = {.api = api, .out = out};
	struct fsck_totals t;

	if (fsck_run(api->store, fsck_row, &l, &t, e))
		return -1;
	sink_note(out, "%lld blobs, %lld bytes, %lld tree pages, %lld commits checked: %s", (long long)t.blobs,
	          (long long)t.bytes, (long long)t.pages, (long long)t.commits,
	          t.findings ? "faults found" : "all is whole");
	return 0;
}
