#include "repo/workspace.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/name.h"
#include "base/str.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/proc.h"

#define WORKSPACE_MAX_YAML ((size_t)4 << 20)

static const struct key rows[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/settings.def"
#undef K
};
static const struct keys settings = {"leat.yaml", rows, ARRAY_LEN(rows)};
static const struct keys *const tables[] = {&settings};

const struct keys *workspace_keys(void)
{
	return &settings;
}

/* ---- finding ---- */

static bool has_file(struct arena *a, const char *dir)
{
	return access(path_join(a, dir, WORKSPACE_FILE), F_OK) == 0;
}

int workspace_find(const char *from, struct arena *a, char **dir, struct err *e)
{
	const char *named = from ? NULL : getenv("LEAT_WORKSPACE");
	char *at;

	if (path_absolute(a, named && *named ? named : from ? from : ".", &at, e))
		return -1;
	if (named && *named) {
		if (!has_file(a, at)) {
			err_set(e, ERR_NO_WORKSPACE, "LEAT_WORKSPACE names %s, which has no %s", named, WORKSPACE_FILE);
			return err_hint(e, "`leat init %s` makes it a workspace", named);
		}
		*dir = at;
		return 0;
	}
	if (from && !dir_exists(at)) /* a typo must not find the workspace above it */
		return err_set(e, ERR_NO_WORKSPACE, "there is no folder %s", at);
	for (char *up = at;; up = path_dir(a, up)) {
		if (has_file(a, up)) {
			*dir = up;
			return 0;
		}
		if (access(up, X_OK) && errno == EACCES)
			return err_errno(e, EACCES, "cannot look for %s in %s", WORKSPACE_FILE, up);
		if (!strcmp(up, "/") || !strcmp(up, "."))
			break;
	}
	err_set(e, ERR_NO_WORKSPACE, "no %s in %s or above it", WORKSPACE_FILE, at);
	return err_hint(e, "`leat init` makes this folder a workspace; `leat playground` makes one with data in it");
}

/* ---- overrides ---- */

/* Replaces or appends a key of a map made by the parser; the map is the workspace's own. */
static void put_key(struct arena *a, struct dom *map, struct str key, struct dom *value)
{
	dom_each(v, map) {
		struct dom *next = v->next;

		if (!str_eq(v->key, key))
			continue;
		value->key = v->key;
		*v = *value;
		v->next = next;
		return;
	}
	dom_set(a, map, arena_cstr(a, key), value);
}

/* LEAT__POOLS__PG=2: a scalar as YAML reads one, or a list or map in brackets. */
static int override_value(struct arena *a, const struct env_override *o, struct dom **out, struct err *e)
{
	struct str text = str_trim(o->value);
	struct dom *v = NULL;
	struct err why = ERR_INIT;
	bool bracket = text.n && strchr("[{\"'", text.p[0]);

	if (dom_yaml(a, text, o->variable, &v, &why)) {
		if (bracket) {
			err_set(e, ERR_BAD_CONFIG, "the environment variable %s is no YAML: %s", o->variable, why.msg);
			return -1;
		}
		v = NULL;
	}
	if (!v || ((v->type == DOM_LIST || v->type == DOM_MAP) && !bracket))
		v = dom_new_str(a, text); /* "a: b" is meant as it stands */
	v->line = v->col = 0;
	*out = v;
	return 0;
}

static int lay_override(struct arena *a, struct dom *root, const struct env_override *o, struct err *e)
{
	struct str rest = o->key, part, key;
	struct dom *map = root, *value;
	struct err why = ERR_INIT;

	if (override_value(a, o, &value, e))
		return -1;
	for (key = rest; str_cut(rest, '.', &part, &rest); key = rest) {
		struct dom *next = dom_get(map, arena_cstr(a, part));

		if (!next || next->type != DOM_MAP) {
			next = dom_new(a, DOM_MAP);
			put_key(a, map, part, next);
			next = dom_get(map, arena_cstr(a, part));
		}
		map = next;
	}
	put_key(a, map, key, value);
	if (!keys_check(tables, 1, root, NULL, &why))
		return 0;
	err_set(e, why.code, "the environment variable %s: %s", o->variable, why.msg); /* the file alone was right */
	return err_hint(e, "%s", why.hint);
}

static int lay_overrides(struct arena *a, struct dom *root, struct err *e)
{
	struct env_overrides list;

	env_override_list(a, (const char *const *)environ, &list);
	for (size_t i = 0; i < list.n; i++)
		if (lay_override(a, root, &list.p[i], e))
			return -1;
	return 0;
}

/* ---- opening ---- */

static int read_yaml(struct workspace *w, struct err *e)
{
	struct arena *a = w->arena;
	const char *path = path_join(a, w->dir, WORKSPACE_FILE);
	struct buf text cleanup(buf_free) = BUF_INIT(WORKSPACE_MAX_YAML * 4);
	struct str bytes;
	struct dom *root;

	if (file_read_plain(a, path, WORKSPACE_MAX_YAML, &bytes, e)) {
		if (e->code != ERR_NOT_FOUND)
			return -1;
		err_set(e, ERR_NO_WORKSPACE, "no %s in %s", WORKSPACE_FILE, w->dir);
		return err_hint(e, "`leat init` makes a folder a workspace");
	}
	if (dom_yaml(a, bytes, WORKSPACE_FILE, &root, e))
		return -1;
	if (keys_check(tables, 1, root, WORKSPACE_FILE, e))
		return -1;
	if (root->type != DOM_MAP)
		root = dom_new(a, DOM_MAP);
	if (lay_overrides(a, root, e))
		return -1;
	w->yaml = root;
	dom_write_json(&text, root, DOM_CANONICAL);
	w->yaml_id = arena_new_of(a, struct sha);
	*w->yaml_id = sha_of(text.p, text.n);
	return 0;
}

/* Names that hold for a repo's table but not for any repo are refused here: the table of keys knows only forms. */
static int check_tables(const struct workspace *w, struct err *e)
{
	dom_each(v, workspace_setting(w, "tables")) {
		if (name_check_repo(v->key, e)) {
			err_wrap(e, "tables");
			return err_at(e, WORKSPACE_FILE, v->key_line, v->key_col);
		}
	}
	return 0;
}

static int fill(struct workspace *w, struct err *e)
{
	struct arena *a = w->arena;
	const struct dom *zones = workspace_setting(w, "zones"), *slots = workspace_setting(w, "slots");

	if (tz_load(arena_cstr(a, dom_text(a, workspace_setting(w, "timezone"))), &w->tz, e))
		return -1;
	w->protect = str_is(workspace_setting(w, "protect")->s, "link") ? PROTECT_LINK : PROTECT_AUTO;
	w->durable_power = str_is(workspace_setting(w, "durability")->s, "power");
	w->slots = slots ? (int)MIN(slots->i, 100000) : (int)proc_cpus();
	w->zones = arena_array(a, struct str, zones->n);
	dom_each(z, zones)
		w->zones[w->n_zones++] = z->s;
	return check_tables(w, e);
}

int workspace_open(const char *dir, struct workspace **out, struct err *e)
{
	struct arena *a = arena_new();
	struct workspace *w = arena_new_of(a, struct workspace);

	w->arena = a;
	if (path_absolute(a, dir, &w->dir, e) || read_yaml(w, e) || fill(w, e)) {
		arena_free(a);
		return -1;
	}
	*out = w;
	return 0;
}

void workspace_close(struct workspace *w)
{
	if (w)
		arena_free(w->arena);
}

/* ---- asking ---- */

const struct dom *workspace_setting(const struct workspace *w, const char *dotted)
{
	const struct dom *v = dom_path(w->yaml, dotted);

	if (v && v->type != DOM_NULL)
		return v;
	return strchr(dotted, '.') ? NULL : keys_get(&settings, "", w->yaml, dotted);
}

const struct dom *workspace_table(const struct workspace *w, struct str repo)
{
	dom_each(v, workspace_setting(w, "tables"))
		if (str_eq(v->key, repo))
			return v->type == DOM_MAP ? v : NULL;
	return NULL;
}

enum materialise workspace_materialise(const struct workspace *w, struct str repo)
{
	const struct dom *v = workspace_setting(w, "materialise");

	if (v && v->type == DOM_MAP) {
		const struct dom *own = NULL;
		dom_each(t, v)
			if (str_eq(t->key, repo))
				own = t;
		v = own;
	}
	if (!v)
		return MATERIALISE_AUTO;
	if (v->type == DOM_BOOL)
		return v->b ? MATERIALISE_ON : MATERIALISE_OFF;
	return str_is(v->s, "on") || str_is(v->s, "true")     ? MATERIALISE_ON
	       : str_is(v->s, "off") || str_is(v->s, "false") ? MATERIALISE_OFF
							      : MATERIALISE_AUTO;
}

static enum table_kind kind_of_word(struct str word)
{
	return str_is(word, "dim")     ? TABLE_DIM
	       : str_is(word, "fct")   ? TABLE_FCT
	       : str_is(word, "plain") ? TABLE_PLAIN
	                               : TABLE_AUTO;
}

enum table_kind workspace_table_kind(const struct workspace *w, struct str repo)
{
	enum table_kind said = TABLE_AUTO;
	struct str head, last = repo;

	dom_each(v, workspace_setting(w, "tables")) {
		const struct dom *kind = v->type == DOM_MAP ? dom_get(v, "kind") : v;

		if (str_eq(v->key, repo) && kind && kind->type == DOM_STR)
			said = kind_of_word(kind->s);
	}
	if (said != TABLE_AUTO)
		return said;
	if (!str_rcut(repo, '/', &head, &last))
		last = repo;
	if (str_has_prefix(last, STR("dim_")))
		return TABLE_DIM;
	return str_has_prefix(last, STR("fct_")) ? TABLE_FCT : TABLE_PLAIN;
}
