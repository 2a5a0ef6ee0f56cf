#include "api/query_notes.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/whence.h"
#include "repo/datastore.h"
#include "repo/overlay.h"
#include "repo/tree.h"
#include "sys/file.h"

#define PATH_CAP 4352

static void uncommitted(struct api *api, struct sink *out, struct str repo)
{
	struct err no = ERR_INIT;
	struct drift *d;
	size_t n, files = 0;

	if (api->store->on || datastore_drift(api->store, api->arena, repo, false, &d, &n, &no))
		return;
	for (size_t f = 0; f < n; f++)
		files += d[f].kind != DRIFT_LAGS;
	if (files)
		sink_note(out, "datastore/%.*s: %zu file%s not committed; leat commit %s%.*s %s", STR_ARG(repo), files,
		          files == 1 ? "" : "s", d[0].output ? "--restore " : "", STR_ARG(repo),
		          d[0].output ? "puts back what the job made" : "adopts");
}

struct beside {
	struct arena *a;
	struct str first; /* its path */
	size_t n;
};

static int look(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct beside *b = ptr;
	enum table_format format;

	if (entry->kind != ENTRY_FILE || !table_format_of(path, &format, NULL))
		return 0;
	if (!b->n++)
		b->first = arena_str(b->a, path);
	return 0;
}

/* A partitioned table is its ds= folders: files at the root are no part of it. */
static void beside(struct api *api, struct sink *out, struct str name)
{
	struct beside b = {.a = api->arena};
	struct err no = ERR_INIT;
	struct commit head;
	struct repo repo;

	if (repo_find(api->store, api->arena, name, &repo, &no) != 1 ||
	    branch_head(api->store, repo.id, store_branch(api->store), &head, &no) != 1 ||
	    tree_list(api->store, NULL, &head.tree, STR_NULL, look, &b, &no) || !b.n)
		return;
	if (b.n == 1)
		sink_note(out, "%.*s:/%.*s lies beside the ds= folders and was not read", STR_ARG(name),
		          STR_ARG(b.first));
	else
		sink_note(out, "%zu files of %.*s (%.*s, ...) lie beside the ds= folders and were not read", b.n,
		          STR_ARG(name), STR_ARG(b.first));
}

void query_notes_unseen(struct api *api, struct sink *out, const struct table_source *tables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uncommitted(api, out, tables[i].repo);
		if (tables[i].every != EVERY_NONE)
			beside(api, out, tables[i].repo);
	}
}

int query_notes_hint(struct api *api, struct err *e)
{
	struct err no = ERR_INIT;
	struct drift *d;
	size_t n;

	if (e->code != ERR_BAD_SQL || api->store->on ||
	    datastore_drift(api->store, api->arena, STR_NULL, false, &d, &n, &no))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str zone = STR(""), name = d[i].repo;
		bool parted = str_cut(d[i].repo, '/', &zone, &name);
		const char *told = arena_printf(api->arena, "there is no table %.*s%s%.*s", parted ? (int)zone.n : 0,
		                                zone.p, parted ? "." : "", STR_ARG(name));

		if (d[i].kind == DRIFT_NEW_REPO && !strcmp(e->msg, told))
			return err_hint(e, "datastore/%.*s is not committed: leat commit %.*s adopts it",
			                STR_ARG(d[i].repo), STR_ARG(d[i].repo));
	}
	return -1;
}

static struct dom *query_doc(struct api *api, const struct args *args, struct str sql, const struct table_query *q)
{
	static const char *const told[] = {"ds", "at", "format", "max-rows", "kind", "x", "by", "title",
	                                   "width", "height"};
	bool plot = args->op->fn == api_plot;
	struct dom *doc = dom_new(api->arena, DOM_MAP), *y = dom_new(api->arena, DOM_LIST);

	dom_set_str(api->arena, doc, "query", sql);
	if (plot)
		dom_set_cstr(api->arena, doc, "verb", "plot");
	for (size_t i = 0; plot && i < args_count(args, "y"); i++)
		dom_add(y, dom_new_str(api->arena, args_nth(args, "y", i)));
	if (y->n)
		dom_set(api->arena, doc, "y", y);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (op_option(args->op, str_of(told[i])) && args_value(args, told[i]).n)
			dom_set_str(api->arena, doc, told[i], args_value(args, told[i]));
	if (!plot && args_flag(args, "json"))
		dom_set_cstr(api->arena, doc, "format", "json");
	if (api->store->on)
		dom_set_str(api->arena, doc, "on", api->store->on->name);
	dom_set(api->arena, doc, "tables", whence_query_doc(api->arena, q->tables, q->n_tables));
	return doc;
}

static void note(struct api *api, const char *path, struct dom *doc)
{
	struct err no = ERR_INIT;
	struct str head, name;
	struct sha sha;
	uint64_t size;

	if (file_sha(path, &sha, &size, &no) || !size)
		return;
	dom_set_cstr(api->arena, doc, "path", path);
	if (!str_rcut(str_of(path), '/', &head, &name))
		name = str_of(path);
	exported_note(api->store, &sha, (int64_t)size, name, doc);
}

void query_notes_exported(struct api *api, const struct args *args, struct str sql, const char *path,
                          const struct table_query *q)
{
	struct err no = ERR_INIT;
	char *absolute;

	if (!path_absolute(api->arena, path, &absolute, &no))
		note(api, absolute, query_doc(api, args, sql, q));
}

void query_notes_result(struct api *api, const struct args *args, struct str sql, const struct table_query *q)
{
	struct dom *doc = query_doc(api, args, sql, q);

	dom_set_bool(api->arena, doc, "printed", true);
	api->result = doc;
}

void api_printed(struct api *api, int fd)
{
	struct stat mine, there;
	char path[PATH_CAP], link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = api->result && api->store ? readlink(link, path, sizeof(path) - 1) : 0;
	if (n <= 0 || fstat(fd, &mine))
		return;
	path[n] = 0;
	/* Whoever else writes to it makes it more than the result; one that was renamed meanwhile has no name here. */
	if (lstat(path, &there) || there.st_ino != mine.st_ino || there.st_dev != mine.st_dev ||
	    lseek(fd, 0, SEEK_CUR) != mine.st_size)
		return;
	note(api, arena_dup(api->arena, path), dom_copy(api->arena, api->result));
}
