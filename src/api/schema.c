#include "api/schema.h"

#include "base/str.h"
#include "flow/table.h"
#include "repo/blob.h"
#include "sys/file.h"
#include "sys/rand.h"

struct dom *schema_columns(struct arena *a, const struct dom *reply)
{
	struct dom *list = dom_new(a, DOM_LIST);
	const struct dom *columns = dom_get(reply, "columns");

	dom_each(c, columns) {
		struct dom *m = dom_new(a, DOM_MAP);

		dom_set_str(a, m, "name", dom_get(c, "name")->s);
		dom_set_str(a, m, "type", dom_get(c, "type")->s);
		dom_add(list, m);
	}
	return list;
}

/* A file that the worker can open at `path`; `name` is the user's, and tells by its ending what it holds. */
static int schema_of_path(struct api *api, struct duck *duck, const char *name, struct str path, struct dom **out,
                          struct err *e)
{
	struct arena *a = api->arena;
	enum table_format f;
	bool packed;
	const struct dom *reply;

	if (!table_format_of(str_of(name), &f, &packed)) {
		err_set(e, ERR_BAD_REQUEST, "%s has no ending that tells what it holds", name);
		return err_hint(e, ".parquet, .csv, .tsv, .json, .jsonl, .ndjson, and .gz or .zst behind it");
	}
	if ((packed && duck_call(duck, a, duck_req_whole(a, &path, 1), NULL, NULL, NULL, NULL, e)) ||
	    duck_call(duck, a, duck_req_sniff(a, path.p, table_format_word(f)), NULL, NULL, &reply, NULL, e))
		return -1;
	*out = dom_new(a, DOM_MAP);
	dom_set_cstr(a, *out, "name", name);
	dom_set_cstr(a, *out, "format", table_format_word(f));
	if (dom_get(reply, "delim"))
		dom_set_str(a, *out, "delim", dom_get(reply, "delim")->s);
	if (dom_get(reply, "header") && dom_get(reply, "header")->type == DOM_BOOL)
		dom_set_bool(a, *out, "header", dom_get(reply, "header")->b);
	dom_set(a, *out, "columns", schema_columns(a, reply));
	return 0;
}

int schema_of_file(struct api *api, struct duck *duck, const char *path, struct dom **out, struct err *e)
{
	char *absolute;

	return path_absolute(api->arena, path, &absolute, e) ||
	                       schema_of_path(api, duck, path, str_of(absolute), out, e)
	               ? -1
	               : 0;
}

/* Lays the file out under its own name, for DuckDB goes by the ending. */
static int schema_of_entry(struct api *api, struct duck *duck, struct str repo, struct str path,
                           const struct entry *entry, struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	char name[RAND_NAME];
	struct str dir, base;
	const char *folder, *file;
	struct err ignored = ERR_INIT;
	int rc;

	if (!str_rcut(path, '/', &dir, &base))
		base = path;
	rand_name(name);
	folder = arena_printf(a, "%s/cache/schema-%s", api->store->leat_dir, name);
	file = arena_printf(a, "%s/%.*s", folder, STR_ARG(base));
	if (dir_make(folder, 0755, e))
		return -1;
	rc = blob_link_to(api->store, &entry->id, file, e);
	if (!rc)
		rc = blob_write_to(api->store, &entry->id, file, 0444, e) ? -1 : 1;
	if (rc == 1) {
		struct str at = arena_strf(a, DUCK_LEAT "/cache/schema-%s/%.*s", name, STR_ARG(base));
		struct table_file f = {.path = at, .in_repo = path};
		struct table_source t = {.repo = repo, .files = &f, .n_files = 1};
		const char *shown = arena_printf(a, "%.*s:/%.*s", STR_ARG(repo), STR_ARG(path));

		rc = schema_of_path(api, duck, shown, at, out, e) ? table_error(e, &t, 1) : 0;
	}
	if (dir_remove_tree(folder, &ignored))
		err_clear(&ignored);
	return rc;
}

int schema_of_pin(struct api *api, struct duck *duck, struct str text, struct dom **out, struct err *e)
{
	struct str repo, rev, inside, shown;
	struct entry entry;
	struct pin pin;
	int rc;

	if (pin_parse(text, &repo, &rev, &inside, e) || pin_resolve(api->store, api->arena, text, &pin, e))
		return -1;
	shown = arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(repo), rev.n ? "@" : "", STR_ARG(rev));
	if (!pin.has_commit)
		pin.commit.tree = tree_empty_id();
	rc = tree_find(api->store, NULL, &pin.commit.tree, pin.path, &entry, e);
	if (rc < 0)
		return -1;
	if (!rc) {
		err_set(e, ERR_NOT_FOUND, "not found: %.*s has no /%.*s", STR_ARG(shown), STR_ARG(pin.path));
		return err_hint(e, "'leat ls -R %.*s' lists what is there", STR_ARG(shown));
	}
	if (entry.kind == ENTRY_FILE)
		return schema_of_entry(api, duck, shown, pin.path, &entry, out, e);
	err_set(e, ERR_BAD_REQUEST, "%.*s is a folder", STR_ARG(text));
	return err_hint(e, "'leat schema %.*s' tells the table's columns", STR_ARG(shown));
}
