/* Letting go: gc, du. */
#include "api/rows.h"
#include "api/store_keep.h"
#include "api/workbranch.h"
#include "base/keys.h"
#include "base/str.h"
#include "flow/pyenv.h"
#include "repo/contents.h"
#include "repo/du.h"
#include "repo/gc.h"

#define DAY_MS ((int64_t)86400000)

static void progress(void *ptr, const char *text, double part)
{
	struct sink *out = ptr;

	if (out->progress)
		out->progress(out->ptr, text, part);
}

static void note(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

static int64_t memo_keep(struct arena *a, const struct workspace *ws)
{
	const struct dom *v = workspace_setting(ws, "memo_keep");
	int64_t ms = 30 * DAY_MS;

	if (v && !keys_duration(dom_text(a, v), &ms))
		ms = 30 * DAY_MS;
	return ms;
}

static int line(struct api *api, struct sink *out, const char *what, int64_t count, int64_t bytes, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);

	if (!count && !bytes)
		return 0;
	dom_set_cstr(api->arena, row, "what", what);
	dom_set_int(api->arena, row, "count", count);
	if (bytes)
		dom_set_int(api->arena, row, "bytes", bytes);
	return sink_row(out, row, e);
}

static int tell_people(struct api *api, struct sink *out, const struct gc_report *r, bool dry, struct err *e)
{
	const struct {
		const char *what;
		int64_t count, bytes;
	} lines[] = {
		{"objects that nothing needs", r->objects, r->bytes},
		{"pages of folders that nothing needs", r->pages, 0},
		{"commits let go", r->commits, 0},
		{"remembered results", r->memos, 0},
		{"old versions re-packed", r->cold, r->cold_before - r->cold_after},
		{"packs written", r->packs, 0},
		{"packs emptied", r->packed, 0},
		{"views", r->views, 0},
		{"files of cut-short commands", r->files, 0},
		{"leat.db", 0, MAX(r->database_before - r->database_after, 0)},
	};

	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		any = any || lines[i].count || lines[i].bytes;
		if (line(api, out, lines[i].what, lines[i].count, lines[i].bytes, e))
			return -1;
	}
	if (!any && !r->writers && !r->readers)
		sink_note(out, "all is needed: there is nothing to give back");
	if (r->writers)
		sink_note(out, "other commands are writing: what may be theirs stays until the next gc");
	if (r->readers)
		sink_note(out, "other commands are reading: views, and what open commits held, stay until the next gc");
	if (dry)
		sink_note(out, "nothing was changed (--dry-run)");
	return 0;
}

static int tell_json(struct api *api, struct sink *out, const struct gc_report *r, int64_t envs, bool dry,
                     struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {
		{"objects", r->objects},
		{"pages", r->pages},
		{"bytes", r->bytes},
		{"commits", r->commits},
		{"memos", r->memos},
		{"repacked", r->cold},
		{"repacked_before", r->cold_before},
		{"repacked_after", r->cold_after},
		{"packs_written", r->packs},
		{"packs_emptied", r->packed},
		{"views", r->views},
		{"files", r->files},
		{"live_objects", r->live_objects},
		{"live_pages", r->live_pages},
		{"database_before", r->database_before},
		{"database_after", r->database_after},
		{"transactions", r->transactions},
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		dom_set_int(api->arena, row, numbers[i].key, numbers[i].value);
	dom_set_int(api->arena, row, "environments", envs);
	dom_set_real(api->arena, row, "longest_transaction_ms", r->longest_ms);
	dom_set_bool(api->arena, row, "writers", r->writers);
	dom_set_bool(api->arena, row, "readers", r->readers);
	dom_set_bool(api->arena, row, "dry_run", dry);
	return sink_row(out, row, e);
}

int api_gc(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct gc_how how = {
		.dry_run = args_flag(args, "dry-run"),
		.memo_now = args_flag(args, "memo"),
		.no_repack = args_flag(args, "no-repack"),
		.memo_keep_ms = memo_keep(api->arena, api->ws),
		.progress = progress,
		.note = note,
		.ptr = out,
	};
	struct gc_report r = {0};

	int64_t went = 0, envs, env_bytes;

	if (pyenv_gc(api->store, how.memo_keep_ms, how.dry_run, &envs, &env_bytes, e))
		return -1;
	if (out->people && line(api, out, "Python environments", envs, env_bytes, e))
		return -1;
	if ((!how.dry_run && contents_keep_all(api->store, e)) || workbranch_expire(api, how.dry_run, out, e) ||
	    keep_apply_all(api, out, how.dry_run, &went, e) || gc_run(api->store, &how, &r, e))
		return -1;
	r.commits += went;
	return out->people ? tell_people(api, out, &r, how.dry_run, e) : tell_json(api, out, &r, envs, how.dry_run, e);
}

static int du_part(struct api *api, struct sink *out, const char *what, int64_t head, int64_t history, int64_t size,
		   struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);

	dom_set_cstr(api->arena, row, "what", what);
	if (size >= 0)
		dom_set_int(api->arena, row, "size", size);
	if (head >= 0) {
		dom_set_int(api->arena, row, "head", head);
		dom_set_int(api->arena, row, "history", history);
	}
	return sink_row(out, row, e);
}

static bool asked(const struct args *args, struct str repo)
{
	for (size_t i = 0; i < args_n(args); i++)
		if (str_eq(args_pos(args, i), repo))
			return true;
	return !args_n(args);
}

int api_du(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct du d;

	for (size_t i = 0; i < args_n(args); i++) {
		struct repo r;
		int got = repo_find(api->store, a, args_pos(args, i), &r, e);
		if (got <= 0)
			return got ? -1 : repo_not_found(api->store, args_pos(args, i), e);
	}
	if (du_run(api->store, a, &d, e))
		return -1;
	for (size_t i = 0; i < d.n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);
		if (!asked(args, d.repos[i].name))
			continue;
		dom_set_str(a, row, "what", d.repos[i].name);
		dom_set_str(a, row, "repo", d.repos[i].name);
		dom_set_int(a, row, "files", d.repos[i].files);
		dom_set_int(a, row, "size", d.repos[i].bytes);
		dom_set_int(a, row, "head", d.repos[i].head);
		dom_set_int(a, row, "history", d.repos[i].history);
		if (sink_row(out, row, e))
			return -1;
	}
	if (args_n(args))
		return 0;
	const struct {
		const char *what;
		int64_t size;
	} parts[] = {{"garbage", d.garbage},          {".leat/packs", d.packs},     {".leat/leat.db", d.database},
		     {".leat/views", d.views},        {".leat/old", d.old},         {".leat/cache", d.cache},
		     {".leat/staging", d.staging},    {".leat/lost+found", d.lost}, {".leat/logs", d.logs},
		     {".leat", d.total}};
	if (du_part(api, out, "all repos together", d.head, d.history, -1, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (du_part(api, out, parts[i].what, -1, 0, parts[i].size, e))
			return -1;
	return 0;
}
