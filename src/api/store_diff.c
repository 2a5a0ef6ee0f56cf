/* What differs between two pins: files with their sizes, counts, and the lines of texts. */
#include "api/diff.h"
#include "api/rows.h"
#include "api/spot.h"
#include "base/str.h"
#include "base/textdiff.h"
#include "repo/blob.h"

struct diffing {
	struct api *api;
	struct sink *out;
	struct arena *row; /* emptied after each row */
	struct str under;  /* put in front of paths */
	bool names, lines;
	/* --stat: folders counted, the root too */
	int64_t new, old, added, changed, deleted, size, old_size;
};

/* The text of one side, or false where it is none or too large. */
static int read_text(struct diffing *d, const struct entry *entry, struct str *out, bool *is, struct err *e)
{
	*out = STR("");
	*is = !entry || (size_t)entry->size <= TEXTDIFF_MAX_BYTES;
	if (!entry || !*is)
		return 0;
	if (blob_bytes(d->api->store, &entry->id, d->row, TEXTDIFF_MAX_BYTES, out, e))
		return -1;
	*is = textdiff_is_text(*out);
	return 0;
}

/* A unified diff under the key "text", if both sides are texts. */
static int set_lines(struct diffing *d, struct dom *row, struct str path, const struct entry *old,
                     const struct entry *new, struct err *e)
{
	struct buf b = BUF_INIT(6 * TEXTDIFF_MAX_BYTES);
	struct str x, y;
	bool text, other;
	const char *end = path.n && memchr(path.p, ' ', path.n) ? "\t" : ""; /* a tab ends a name that has blanks */

	if (read_text(d, old, &x, &text, e) || read_text(d, new, &y, &other, e))
		return -1;
	if (!text || !other)
		return 0;
	buf_addf(&b, "--- %s%.*s%s\n+++ %s%.*s%s\n", old ? "a/" : "/dev/null", old ? (int)path.n : 0, path.p,
	         old ? end : "", new ? "b/" : "/dev/null", new ? (int)path.n : 0, path.p, new ? end : "");
	textdiff_write(&b, x, y);
	if (!buf_over(&b))
		dom_set_str(d->row, row, "text", buf_str(&b));
	buf_free(&b);
	return 0;
}

static int diff_row(void *ptr, enum diff_kind kind, struct str path, const struct entry *old_entry,
                    const struct entry *new_entry, struct err *e)
{
	static const char *const words[] = {"added", "deleted", "changed"};
	struct diffing *d = ptr;
	struct arena *a = d->row;
	struct dom *row = dom_new(a, DOM_MAP);
	int rc;

	path = arena_strf(a, "%.*s%s%.*s", STR_ARG(d->under), d->under.n && path.n ? "/" : "", STR_ARG(path));
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
	rc = d->lines ? set_lines(d, row, path, old_entry, new_entry, e) : 0;
	if (!rc)
		rc = sink_row(d->out, row, e);
	arena_reset(a);
	return rc;
}

static int count_row(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                     struct err *e)
{
	struct diffing *d = ptr;
	bool file = (old ? old : new)->kind == ENTRY_FILE;

	d->new += kind != DIFF_REMOVED;
	d->old += kind != DIFF_ADDED;
	if (!file)
		return 0;
	d->added += kind == DIFF_ADDED;
	d->deleted += kind == DIFF_REMOVED;
	d->changed += kind == DIFF_CHANGED;
	d->size += new ? new->size : 0;
	d->old_size += old ? old->size : 0;
	return 0;
}

static int give_counts(struct diffing *d, struct err *e)
{
	struct arena *a = d->row;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_int(a, row, "new", d->new);
	dom_set_int(a, row, "old", d->old);
	dom_set_int(a, row, "added", d->added);
	dom_set_int(a, row, "changed", d->changed);
	dom_set_int(a, row, "deleted", d->deleted);
	dom_set_int(a, row, "size", d->size);
	dom_set_int(a, row, "old_size", d->old_size);
	return sink_row(d->out, row, e);
}

/* One side: what stands at the pin's path; *there: anything. */
static int side(struct api *api, struct pin *pin, struct entry *entry, bool *there, struct err *e)
{
	int rc = pin->has_commit ? tree_find(api->store, NULL, &pin->commit.tree, pin->path, entry, e) : 0;

	*there = rc == 1;
	if (!*there)
		*entry = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
	return rc < 0 ? -1 : 0;
}

/* The two entries, one alone compared with the parent of its commit. */
static int sides(struct api *api, const struct args *args, struct pin *a, struct pin *b, struct err *e)
{
	int rc = 0;

	if (pin_resolve(api->store, api->arena, args_pos(args, 0), a, e))
		return -1;
	if (args_n(args) == 2)
		return pin_resolve(api->store, api->arena, args_pos(args, 1), b, e);
	*b = *a;
	a->has_commit = false;
	if (b->has_commit && b->commit.parent.hex[0]) {
		rc = commit_find(api->store, b->repo.id, str_of(b->commit.parent.hex), &a->commit, e);
		a->has_commit = rc == 1;
	}
	return rc < 0 ? -1 : 0;
}

/* Two files, or a file and nothing. */
static int diff_files(struct diffing *d, const struct entry *x, const struct entry *y, bool stat, struct str path,
                      struct err *e)
{
	enum diff_kind kind = !x ? DIFF_ADDED : !y ? DIFF_REMOVED : DIFF_CHANGED;

	if (x && y && sha_eq(&x->id, &y->id))
		return 0;
	d->lines = !stat && !d->names;
	return stat ? count_row(d, kind, path, x, y, e) : diff_row(d, kind, path, x, y, e);
}

static int differ(struct diffing *d, const struct pin *a, const struct entry *x, bool has_x, const struct pin *b,
                  const struct entry *y, bool has_y, bool stat, struct err *e)
{
	struct sha empty = tree_empty_id();

	if ((has_x && x->kind == ENTRY_FILE) || (has_y && y->kind == ENTRY_FILE)) {
		if (has_x && has_y && x->kind != y->kind) {
			err_set(e, ERR_BAD_REQUEST, "/%.*s is a %s and /%.*s a %s", STR_ARG(a->path),
			        x->kind == ENTRY_FILE ? "file" : "folder", STR_ARG(b->path),
			        y->kind == ENTRY_FILE ? "file" : "folder");
			return err_hint(e, "diff compares two folders, or two files");
		}
		return diff_files(d, has_x ? x : NULL, has_y ? y : NULL, stat, b->path, e);
	}
	d->under = b->path;
	if (stat && !sha_eq(&x->id, &y->id)) { /* the root of both, if anything is in it */
		d->old += !sha_eq(&x->id, &empty);
		d->new += !sha_eq(&y->id, &empty);
	}
	return tree_diff(d->api->store, &x->id, &y->id, stat, stat ? count_row : diff_row, d, e);
}

/* `state`: of two states of the workspace. */
static int check_ways(const struct args *args, bool state, struct err *e)
{
	static const char *const of_rows[] = {"key", "tolerance", "limit", "summary", "markdown"};
	bool rows = args_flag(args, "rows");

	if (args_flag(args, "stat") + args_flag(args, "name-only") + args_flag(args, "patch") + rows > 1)
		return err_set(e, ERR_BAD_REQUEST,
		               "--stat, --name-only, --patch and --rows are four ways to show one thing");
	for (size_t i = 0; !rows && i < ARRAY_LEN(of_rows); i++)
		if (args_count(args, of_rows[i]) && !(state && !strcmp(of_rows[i], "markdown"))) {
			err_set(e, ERR_BAD_REQUEST, "--%s is about rows", of_rows[i]);
			return err_hint(e, "leat diff --rows --%s ...", of_rows[i]);
		}
	if (args_flag(args, "markdown") && args_flag(args, "json"))
		return err_set(e, ERR_BAD_REQUEST, "--markdown or --json, not both");
	if (state && args_flag(args, "patch")) {
		err_set(e, ERR_BAD_REQUEST, "--patch is about two pins of a repo");
		return err_hint(e, "leat diff --patch REPO@A REPO@B; --rows shows the rows of all tables that differ");
	}
	return 0;
}

int api_diff(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct diffing d = {.api = api, .out = out, .names = args_flag(args, "name-only"),
	                    .lines = args_flag(args, "patch")};
	bool stat = args_flag(args, "stat"), has_x, has_y;
	struct diff_pairs pairs;
	struct entry x, y;
	struct pin a, b;
	int rc;

	rc = diff_heads_find(api, args, &pairs, e);
	if (rc < 0 || check_ways(args, rc, e))
		return -1;
	if (rc)
		return diff_state(api, args, &pairs, out, e);
	if (sides(api, args, &a, &b, e))
		return -1;
	if (args_flag(args, "rows"))
		return diff_rows(api, args, &a, &b, out, e);
	if (side(api, &a, &x, &has_x, e) || side(api, &b, &y, &has_y, e))
		return -1;
	if (!has_x && !has_y && b.path.n) {
		err_set(e, ERR_NOT_FOUND, "there is no /%.*s on either side", STR_ARG(b.path));
		return err_hint(e, "'leat log %.*s:/%.*s' tells when it was there", STR_ARG(b.repo.name),
		                STR_ARG(b.path));
	}
	d.row = arena_new();
	rc = differ(&d, &a, &x, has_x, &b, &y, has_y, stat, e);
	if (!rc && stat)
		rc = give_counts(&d, e);
	arena_free(d.row);
	return rc;
}
