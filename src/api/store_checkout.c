/* `leat checkout`, `leat export`: the store's files as plain folders of the user's. */
#include "api/rows.h"
#include "api/spot.h"
#include "base/str.h"
#include "repo/checkout.h"
#include "repo/export.h"

/* `checkout DIR REPO`: the repo stands first. */
static int refuse_order(struct api *api, const struct args *args, struct err *e)
{
	struct err none = ERR_INIT;
	struct pin pin;

	if (pin_resolve(api->store, api->arena, args_pos(args, 1), &pin, &none))
		return -1;
	return err_hint(e, "the repo stands first: leat checkout %.*s %.*s", STR_ARG(args_pos(args, 1)),
			STR_ARG(args_pos(args, 0)));
}

int api_checkout(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct checkout_opts o = {.force = args_flag(args, "force")};
	struct checkout_done done;
	struct dom *row;
	struct spot s;

	if (spot_find(api, args, args_pos(args, 0), false, &s, e))
		return refuse_order(api, args, e);
	if (s.entry.kind == ENTRY_FILE) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is a file", STR_ARG(args_pos(args, 0)));
		return err_hint(e, "'leat get' copies it");
	}
	o.pin = &s.pin;
	o.root = &s.entry;
	o.dir = arena_cstr(a, args_pos(args, 1));
	if (checkout_run(api->store, a, &o, &done, e))
		return -1;
	row = row_commit(a, s.pin.repo.name, s.pin.branch, &s.pin.commit);
	dom_set_cstr(a, row, "dir", done.dir);
	dom_set_str(a, row, "path", arena_strf(a, "/%.*s", STR_ARG(s.path)));
	dom_set_int(a, row, "written", done.written);
	dom_set_int(a, row, "removed", done.removed);
	dom_set_int(a, row, "same", done.same);
	if (!out->people)
		return sink_row(out, row, e);
	sink_note(out, "%s shows %.*s%s%.*s: %lld file%s written, %lld removed, %lld as they were", done.dir,
	          STR_ARG(s.shown), s.path.n ? ":/" : "", STR_ARG(s.path), (long long)done.written,
	          done.written == 1 ? "" : "s", (long long)done.removed, (long long)done.same);
	return 0;
}

/* Without pins: every repo that is not the system's. */
static int all_repos(struct api *api, struct pin **out, size_t *n, struct err *e)
{
	VEC(struct pin) v = {0};
	struct repo *repos;
	size_t many;

	if (repo_list(api->store, api->arena, &repos, &many, e))
		return -1;
	for (size_t i = 0; i < many; i++) {
		struct pin p;

		if (repos[i].role == REPO_SYSTEM)
			continue;
		if (pin_resolve(api->store, api->arena, repos[i].name, &p, e))
			return -1;
		vec_push(api->arena, &v, p);
	}
	*out = v.p;
	*n = v.n;
	return 0;
}

/* `export REPO` would write all repos to a folder of that name, here. */
static int refuse_repo_as_dir(struct api *api, struct str dir, struct err *e)
{
	struct err none = ERR_INIT;
	struct pin pin;

	if (pin_resolve(api->store, api->arena, dir, &pin, &none))
		return 0;
	err_set(e, ERR_BAD_REQUEST, "%.*s is a repo, and no folder to write it to is named", STR_ARG(dir));
	return err_hint(e, "leat export %.*s DIR; as a folder for all repos: ./%.*s", STR_ARG(dir), STR_ARG(dir));
}

int api_export(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	size_t n = args_n(args) - 1; /* the last is DIR */
	struct export_done done;
	struct dom *row;
	struct pin *pins = NULL;

	if (!n && (refuse_repo_as_dir(api, args_pos(args, 0), e) || all_repos(api, &pins, &n, e)))
		return -1;
	if (args_n(args) > 1)
		pins = arena_array(a, struct pin, n);
	for (size_t i = 0; i + 1 < args_n(args); i++) {
		if (pin_resolve(api->store, a, args_pos(args, i), &pins[i], e))
			return -1;
		if (pins[i].path.n) {
			err_set(e, ERR_BAD_REQUEST, "%.*s is not a whole repo", STR_ARG(args_pos(args, i)));
			return err_hint(e, "'leat get -r' copies a part of one");
		}
	}
	if (export_run(api->store, a, pins, n, arena_cstr(a, args_pos(args, args_n(args) - 1)), &done, e))
		return -1;
	row = dom_new(a, DOM_MAP);
	dom_set_cstr(a, row, "dir", done.dir);
	dom_set_int(a, row, "repos", done.repos);
	dom_set_int(a, row, "files", done.files);
	dom_set_int(a, row, "size", done.bytes);
	if (!out->people)
		return sink_row(out, row, e);
	sink_note(out, "%lld repo%s, %lld file%s in %s; " EXPORT_FILE " there says which commits they are",
	          (long long)done.repos, done.repos == 1 ? "" : "s", (long long)done.files, done.files == 1 ? "" : "s",
	          done.dir);
	return 0;
}
