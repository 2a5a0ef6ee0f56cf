#include "api/workbranch.h"

#include "api/rows.h"
#include "base/keys.h"
#include "base/map.h"
#include "base/str.h"
#include "sys/clock.h"

#define DAY_MS ((int64_t)86400000)
#define KEEP_DEFAULT (30 * DAY_MS)
#define SAID_BEFORE (7 * DAY_MS)

/* --- how much it holds --- */

/* Files that its heads show and what they began from does not, each content once. */
struct weight {
	struct map seen; /* by id of bytes */
	int64_t bytes;
};

static int weigh(void *ptr, enum diff_kind kind, struct str path, const struct entry *was, const struct entry *is,
                 struct err *e)
{
	struct weight *w = ptr;

	(void)path, (void)was, (void)e;
	if (kind == DIFF_REMOVED || is->kind == ENTRY_FOLDER ||
	    map_has(&w->seen, (struct str){(const char *)is->id.b, SHA_BYTES}))
		return 0;
	map_set(&w->seen, (struct str){(const char *)is->id.b, SHA_BYTES}, w);
	w->bytes += is->size;
	return 0;
}

static int weigh_repo(struct store *s, const struct overlay *o, const struct overlay_base *b, struct weight *w,
                      struct err *e)
{
	struct sha none = tree_empty_id();
	struct commit head, base;
	int has = commit_of_branch(s, b->repo.id, o->name, &head, e);
	int had = has > 0 && b->base.hex[0] ? commit_find(s, b->repo.id, str_of(b->base.hex), &base, e) : 0;

	if (has <= 0 || had < 0)
		return has < 0 || had < 0 ? -1 : 0;
	return tree_diff(s, had ? &base.tree : &none, &head.tree, false, weigh, w, e);
}

/* --- the list --- */

static int64_t keep_ms(struct api *api)
{
	const struct dom *v = workspace_setting(api->ws, "branch_keep");
	int64_t ms = KEEP_DEFAULT;

	return v && keys_duration(dom_text(api->arena, v), &ms) ? ms : KEEP_DEFAULT;
}

int64_t workbranch_expires(struct api *api, const struct overlay *o)
{
	int64_t keep = keep_ms(api);

	return keep ? o->used + keep : 0;
}

static int row_with(struct api *api, const struct overlay *o, bool weighed, struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP);
	struct weight w = {0};
	struct overlay_base *b;
	int64_t repos = 0;
	size_t n;

	map_init(&w.seen, a);
	if (overlay_bases(api->store, a, o, &b, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		repos += b[i].state == OVERLAY_WRITTEN || b[i].state == OVERLAY_REMOVED;
		if (weighed && b[i].state == OVERLAY_WRITTEN && weigh_repo(api->store, o, &b[i], &w, e))
			return -1;
	}
	dom_set_str(a, row, "on", o->name);
	dom_set_str(a, row, "who", o->who);
	row_time(a, row, "created", o->created);
	row_time(a, row, "used", o->used);
	row_time(a, row, "expires", workbranch_expires(api, o));
	dom_set_bool(a, row, "frozen", o->frozen);
	dom_set_int(a, row, "repos", repos);
	dom_set_int(a, row, "size", w.bytes);
	*out = row;
	return 0;
}

int workbranch_row(struct api *api, const struct overlay *o, struct dom **out, struct err *e)
{
	return row_with(api, o, true, out, e);
}

int workbranch_list(struct api *api, struct sink *out, struct err *e)
{
	struct overlay *all;
	size_t n;

	if (overlay_list(api->store, api->arena, &all, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row;
		int64_t ends = workbranch_expires(api, &all[i]);

		if (workbranch_row(api, &all[i], &row, e) || sink_row(out, row, e))
			return -1;
		if (ends && ends - clock_now_ms() < SAID_BEFORE) {
			char when[TIME_TEXT];

			time_rfc3339(ends, when);
			sink_note(out, "%.*s was not written to for long: the next gc after %s ends it (branch_keep)",
			          STR_ARG(all[i].name), when);
		}
	}
	if (!n)
		sink_note(out,
		          "no workspace branches; 'leat branch NAME' makes one, 'leat branch REPO' lists a repo's own");
	return 0;
}

void workbranch_note(struct api *api, struct sink *out)
{
	const struct overlay *o = api->store->on;
	int64_t ends = o ? workbranch_expires(api, o) : 0;
	char when[TIME_TEXT];

	if (!ends || ends - clock_now_ms() >= SAID_BEFORE)
		return;
	time_rfc3339(ends, when);
	sink_note(out, "the workspace branch %.*s ends at the next gc after %s unless it is written to (branch_keep)",
	          STR_ARG(o->name), when);
}

/* --- making and ending --- */

static int begin_event(struct api *api, const char *command, struct id *id, struct err *e)
{
	struct event ev = {.id = id_new(), .kind = "branch", .label = "", .command = command};

	ev.batch = *id = ev.id;
	return event_record(api->store, &ev, e);
}

int workbranch_make(struct api *api, const struct args *args, struct str name, struct sink *out, struct err *e)
{
	struct db *d = api->store->db;
	struct overlay o;
	struct dom *row;
	struct id id;

	if (db_begin(d, e))
		return -1;
	if (begin_event(api, args->command, &id, e) ||
	    overlay_make(api->store, api->arena, name, args_flag(args, "freeze"), &o, e)) {
		db_rollback(d);
		return -1;
	}
	if (db_commit(d, e) || row_with(api, &o, false, &row, e))
		return -1;
	if (!out->people)
		return sink_row(out, row, e);
	sink_note(out, "%.*s is made%s: --on %.*s (or export LEAT_ON=%.*s) reads and writes there",
	          STR_ARG(name), o.frozen ? ", frozen as master stands now" : "", STR_ARG(name), STR_ARG(name));
	return 0;
}

static int end_one(struct api *api, const struct overlay *o, const char *how, const char *command, struct err *e)
{
	struct db *d = api->store->db;
	struct id id;

	if (db_begin(d, e))
		return -1;
	if (begin_event(api, command, &id, e) || overlay_end(api->store, o, how, id, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

int workbranch_delete(struct api *api, const struct args *args, struct str name, struct sink *out, struct err *e)
{
	struct overlay o;
	struct dom *row;
	int r = overlay_find(api->store, api->arena, name, &o, e);

	if (r <= 0)
		return r < 0 ? -1 : overlay_not_found(api->store, name, e);
	if (workbranch_row(api, &o, &row, e) || end_one(api, &o, "deleted", args->command, e))
		return -1;
	dom_set_bool(api->arena, row, "deleted", true);
	if (!out->people)
		return sink_row(out, row, e);
	sink_note(out, "%.*s has ended; gc gives back what only it held", STR_ARG(name));
	return 0;
}

int workbranch_expire(struct api *api, bool dry, struct sink *out, struct err *e)
{
	int64_t now = clock_now_ms(), ends;
	struct overlay *all;
	size_t n;

	if (overlay_list(api->store, api->arena, &all, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct err mine = ERR_INIT;

		ends = workbranch_expires(api, &all[i]);
		if (!ends || ends > now)
			continue;
		if (!dry && end_one(api, &all[i], "expired", "leat gc", &mine)) {
			if (mine.code != ERR_REFUSED) { /* an open commit: the next gc */
				*e = mine;
				return -1;
			}
			sink_note(out, "%s", mine.msg);
			continue;
		}
		sink_note(out, "the workspace branch %.*s %s: nobody wrote to it for %lld days (branch_keep)",
		          STR_ARG(all[i].name), dry ? "would end" : "has ended",
		          (long long)((now - all[i].used) / DAY_MS));
	}
	return 0;
}
