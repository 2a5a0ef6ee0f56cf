/* Files by pattern, name, size, type or content. */
#include "api/rows.h"
#include "api/spot.h"
#include "base/str.h"

#define SHA_PREFIX_MIN 4

struct finding {
	struct api *api;
	struct sink *out;
	struct arena *row; /* emptied after each row */
	const struct spot *spot;
	const struct glob *name;
	struct glob_at at; /* where it begins */
	bool files, folders;
	int64_t least, most, left;
	struct str sha; /* hex digits that it begins with */
	size_t n;
};

static int tell(struct finding *f, struct str path, const struct entry *entry, struct err *e)
{
	struct sink_entry told = {f->spot->pin.repo.name, &f->spot->pin.commit, path, entry};
	int rc = rows_entry(f->out, f->row, &told, e);

	f->n++;
	arena_reset(f->row);
	return rc ? -1 : --f->left == 0;
}

static int glob_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	return tell(ptr, path, entry, e);
}

int api_glob(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct finding f = {.api = api, .out = out, .left = INT64_MAX, .row = arena_new()};
	int rc = 0;

	for (size_t i = 0; !rc && i < args_n(args); i++) {
		struct spot s;

		f.spot = &s;
		rc = spot_glob(api, args, args_pos(args, i), &s, e) || spot_each(api, &s, glob_entry, &f, e) ? -1 : 0;
	}
	if (!rc && !f.n)
		sink_note(out, "nothing matches; * stops at '/', ** does not");
	arena_free(f.row);
	return rc;
}

/* Path below the folder that is looked through, or in the repo for a pattern. */
static int find_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct finding *f = ptr;
	struct str dir, name;
	char hex[SHA_HEX + 1];
	bool folder = entry->kind == ENTRY_FOLDER;

	if (folder && entry->size < f->least && !f->folders)
		return TREE_SKIP; /* nothing below it is larger than all of it */
	if (!(folder ? f->folders : f->files) || entry->size < f->least || entry->size > f->most)
		return 0;
	if (!str_rcut(path, '/', &dir, &name))
		name = path;
	if (f->name && !glob_here(f->name, &f->at, name, 0))
		return 0;
	if (f->sha.n) {
		sha_hex(&entry->id, hex);
		if (folder || memcmp(hex, f->sha.p, f->sha.n) != 0)
			return 0;
	}
	if (!f->spot->glob && f->spot->path.n)
		path = arena_strf(f->row, "%.*s/%.*s", STR_ARG(f->spot->path), STR_ARG(path));
	return tell(f, path, entry, e);
}

static int find_in(struct finding *f, const struct spot *s, struct err *e)
{
	f->spot = s;
	if (s->glob)
		return spot_each(f->api, s, find_entry, f, e);
	if (s->entry.kind == ENTRY_FILE) {
		struct spot *parent = arena_new_of(f->api->arena, struct spot);

		*parent = *s;
		parent->path = STR("");
		f->spot = parent;
		return find_entry(f, s->path, &s->entry, e) < 0 ? -1 : 0;
	}
	return tree_walk(f->api->store, NULL, &s->entry.id, true, find_entry, f, e);
}

/* The heads of all repos. */
static int find_everywhere(struct finding *f, const struct args *args, struct err *e)
{
	struct repo *repos;
	size_t n;

	if (repo_list(f->api->store, f->api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n && f->left; i++) {
		struct spot s = {0};

		if (repos[i].role == REPO_SYSTEM)
			continue;
		if (pin_resolve(f->api->store, f->api->arena, repos[i].name, &s.pin, e))
			return -1;
		if (!s.pin.has_commit)
			continue;
		s.path = STR("");
		s.entry = (struct entry){.kind = ENTRY_FOLDER, .id = s.pin.commit.tree};
		if (find_in(f, &s, e))
			return -1;
	}
	return 0;
}

/* "10", "10k", "1.5MB", "2GiB" as bytes. */
static bool parse_bytes(struct str s, int64_t *out)
{
	static const char letters[] = "kmgt";
	size_t n = 0;
	double v, factor = 1;
	struct str unit;

	while (n < s.n && strchr("0123456789.", s.p[n]))
		n++;
	unit = str_sub(s, n, SIZE_MAX);
	if (!n || !str_to_f64(str_sub(s, 0, n), &v))
		return false;
	if (unit.n && !str_is(unit, "B") && !str_is(unit, "b")) {
		const char *at = strchr(letters, unit.p[0] | 0x20);
		bool binary = unit.n > 1 && unit.p[1] == 'i';

		if (!at)
			return false;
		for (const char *l = letters; l <= at; l++)
			factor *= binary ? 1024 : 1000;
		unit = str_sub(unit, binary ? 2 : 1, SIZE_MAX);
		if (unit.n && !str_is(unit, "B") && !str_is(unit, "b"))
			return false;
	}
	if (v * factor > 9e18)
		return false;
	*out = (int64_t)(v * factor);
	return true;
}

/* +N: N and more; -N: N and less; N: exactly that. */
static int parse_size(struct str s, int64_t *least, int64_t *most, struct err *e)
{
	char sign = s.n ? s.p[0] : 0;
	int64_t v;

	if (!parse_bytes(sign == '+' || sign == '-' ? str_sub(s, 1, SIZE_MAX) : s, &v)) {
		err_set(e, ERR_BAD_REQUEST, "--size '%.*s' is no size", STR_ARG(s));
		return err_hint(e, "+10MB is that and more, -4k that and less, 0 exactly that (k M G T, KiB MiB GiB)");
	}
	if (sign != '-')
		*least = v;
	if (sign != '+')
		*most = v;
	return 0;
}

static int parse_conditions(struct finding *f, const struct args *args, struct err *e)
{
	struct str name = args_value(args, "name"), type = args_value(args, "type");
	struct glob *g;

	f->most = INT64_MAX;
	f->files = !type.p || str_is(type, "file") || str_is(type, "f") || str_is(type, "any");
	f->folders = str_is(type, "folder") || str_is(type, "d") || str_is(type, "any");
	f->sha = args_value(args, "sha256");
	if (!f->files && !f->folders)
		return err_set(e, ERR_BAD_REQUEST, "--type '%.*s' is none of file, folder, any", STR_ARG(type));
	for (size_t i = 0; i < f->sha.n; i++)
		if (!strchr("0123456789abcdef", f->sha.p[i]))
			f->sha.n = 0;
	if (f->sha.p && (f->sha.n < SHA_PREFIX_MIN || f->sha.n > SHA_HEX)) {
		err_set(e, ERR_BAD_REQUEST, "--sha256 '%.*s' is no SHA-256, nor the begin of one",
		        STR_ARG(args_value(args, "sha256")));
		return err_hint(e, "%d to %d of the digits 0-9 a-f, as sha256sum prints them", SHA_PREFIX_MIN, SHA_HEX);
	}
	for (size_t i = 0; i < args_count(args, "size"); i++)
		if (parse_size(args_nth(args, "size", i), &f->least, &f->most, e))
			return -1;
	if (args_int(args, "limit", 1, INT64_MAX, INT64_MAX, &f->left, e))
		return -1;
	if (!name.p)
		return 0;
	if (memchr(name.p, '/', name.n)) {
		err_set(e, ERR_BAD_REQUEST, "--name '%.*s' is of a path; a name has no '/'", STR_ARG(name));
		return err_hint(e, "leat glob 'REPO:/%.*s' matches whole paths", STR_ARG(name));
	}
	if (glob_compile(f->api->arena, name, &g, e))
		return -1;
	f->name = g;
	f->at = glob_root(g);
	return 0;
}

int api_find(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct finding f = {.api = api, .out = out};
	int rc;

	if (parse_conditions(&f, args, e))
		return -1;
	f.row = arena_new();
	rc = args_n(args) ? 0 : find_everywhere(&f, args, e);
	for (size_t i = 0; !rc && f.left && i < args_n(args); i++) {
		struct spot s;

		rc = spot_find(api, args, args_pos(args, i), true, &s, e) || find_in(&f, &s, e) ? -1 : 0;
	}
	arena_free(f.row);
	return rc;
}
