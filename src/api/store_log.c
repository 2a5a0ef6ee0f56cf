/* The commits of a repo, of one file in it, or of one id. */
#include "api/rows.h"
#include "api/spot.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/data.h"

struct logging {
	struct api *api;
	struct sink *out;
	struct str repo, branch;
	struct arena *row; /* emptied after each row */
	struct str path;   /* of one file or folder; "" = of the repo */
	struct arena *both; /* emptied after each commit */
	struct commit newer;
	bool has_newer;
	int64_t left;      /* rows still to give */
	size_t n;
};

static int log_commit(void *ptr, const struct commit *c, struct err *e)
{
	struct logging *l = ptr;
	int rc = sink_row(l->out, row_commit(l->row, l->repo, l->branch, c), e);

	arena_reset(l->row);
	return rc;
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

		rc = commit_read(api->store, api->arena, q_col_int(q, 1), arena_str(api->arena, q_col_text(q, 2)), &c,
		                 e);
		if (rc == 1)
			rc = sink_row(out, row_commit(api->arena, name, STR_NULL, &c), e) ? -1 : 1;
		if (rc < 0)
			break;
		(*n)++;
	}
	q_done(q);
	return rc < 0 ? -1 : 0;
}

/* Runs that it caused and that gave no commit: why not. */
static int log_bad(struct api *api, struct str id, struct sink *out, size_t *n, struct err *e)
{
	struct data_bad *bad;
	size_t n_bad;

	if (data_bad_of(api->store, api->arena, id, &bad, &n_bad, e))
		return -1;
	for (size_t i = 0; i < n_bad; i++, ++*n) {
		struct dom *row = dom_new(api->arena, DOM_MAP);

		dom_set_str(api->arena, row, "job", bad[i].job);
		dom_set_str(api->arena, row, "state", bad[i].state);
		dom_set_str(api->arena, row, "reason", bad[i].why);
		dom_set_str(api->arena, row, "run", bad[i].run);
		dom_set_str(api->arena, row, "global_id", bad[i].event);
		dom_set_str(api->arena, row, "batch", bad[i].batch);
		row_time(api->arena, row, "at", bad[i].at);
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
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

/* One commit (NULL: before the first) of the history of one path: if it is another there than in the newer one, that
 * one is told. */
static int compare(struct logging *l, const struct commit *c, struct err *e)
{
	struct entry was, is;
	struct dom *row;
	struct sha empty = tree_empty_id();
	int rc = tree_compare(l->api->store, c ? &c->tree : &empty, &l->newer.tree, l->path, &was, &is, e);

	if (rc <= 0)
		return rc;
	row = row_commit(l->row, l->repo, l->branch, &l->newer);
	dom_set_str(l->row, row, "path", arena_strf(l->row, "/%.*s", STR_ARG(l->path)));
	dom_set_cstr(l->row, row, "change", rc == TREE_ADDED ? "added" : rc == TREE_GONE ? "deleted" : "changed");
	if (rc != TREE_GONE) {
		dom_set_int(l->row, row, "path_size", is.size);
		row_sha(l->row, row, is.kind == ENTRY_FILE ? "sha256" : "tree", &is.id);
	}
	l->n++;
	rc = sink_row(l->out, row, e);
	arena_reset(l->row);
	return rc ? -1 : --l->left == 0;
}

static int log_path(void *ptr, const struct commit *c, struct err *e)
{
	struct logging *l = ptr;
	struct arena *old = l->both;
	int rc = l->has_newer ? compare(l, c, e) : 0;

	if (rc)
		return rc;
	/* author and message are in an arena that would grow with the history */
	l->both = arena_new();
	l->newer = *c;
	l->newer.author = c->author.p ? arena_str(l->both, c->author) : STR_NULL;
	l->newer.message = c->message.p ? arena_str(l->both, c->message) : STR_NULL;
	l->has_newer = true;
	arena_free(old);
	return 0;
}

static int path_history(struct logging *l, const struct pin *pin, struct err *e)
{
	struct arena *commits cleanup(arena_cleanup) = arena_new();
	int rc = commit_log(l->api->store, commits, &pin->commit, 0, log_path, l, e);

	if (!rc && l->left && l->has_newer)
		rc = compare(l, NULL, e) < 0 ? -1 : 0;
	arena_free(l->both);
	if (rc || l->n)
		return rc;
	err_set(e, ERR_NOT_FOUND, "%.*s never had a /%.*s", STR_ARG(l->repo), STR_ARG(l->path));
	return err_hint(e, "'leat ls -R %.*s' lists what there is now, 'leat log %.*s' all commits", STR_ARG(l->repo),
	                STR_ARG(l->repo));
}

int api_log(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct logging l = {.api = api, .out = out};
	struct str text = args_pos(args, 0), prefix;
	struct repo repo;
	struct pin pin;
	size_t n = 0;
	int rc;

	if (args_int(args, "limit", 1, INT64_MAX, INT64_MAX, &l.left, e) || rows_ds_prefix(args, &prefix, e))
		return -1;
	if (looks_like_id(text)) {
		rc = repo_find(api->store, api->arena, text, &repo, e);
		if (rc < 0 || (!rc && (log_id(api, text, out, &n, e) || log_bad(api, text, out, &n, e))))
			return -1;
		if (!rc && n)
			return 0;
		if (!rc)
			return err_set(e, ERR_NOT_FOUND, "no repo, commit or batch has the name or id %.*s",
			               STR_ARG(text));
	}
	if (pin_resolve(api->store, api->arena, text, &pin, e))
		return -1;
	l.path = arena_strf(api->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(pin.path));
	if (l.path.n && l.path.p[l.path.n - 1] == '/')
		l.path.n--;
	if (!pin.has_commit && !l.path.n)
		return 0;
	l.repo = pin.repo.name;
	l.branch = pin.branch;
	l.row = arena_new();
	if (!pin.has_commit)
		rc = err_set(e, ERR_NOT_FOUND, "%.*s has no commits", STR_ARG(l.repo));
	else if (l.path.n)
		rc = path_history(&l, &pin, e);
	else
		rc = commit_log(api->store, api->arena, &pin.commit, l.left, log_commit, &l, e);
	arena_free(l.row);
	return rc;
}
