#include "flow/secret.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/file.h"

struct str secret_bare(struct str value)
{
	if (value.n && value.p[value.n - 1] == '\n')
		value.n--;
	if (value.n && value.p[value.n - 1] == '\r')
		value.n--;
	return value;
}

static const char *variable_of(struct arena *a, struct str name, struct str key)
{
	char *p = arena_printf(a, "LEAT_SECRET_%.*s_%.*s", STR_ARG(name), STR_ARG(key));

	for (char *c = p; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return p;
}

int secret_value(struct arena *a, const struct workspace *ws, struct str name, struct str key, struct str *out,
                 struct err *e)
{
	const char *variable = variable_of(a, name, key), *set = getenv(variable);
	const char *path = arena_printf(a, "%s/" SECRET_DIR "/%.*s/%.*s", ws->dir, STR_ARG(name), STR_ARG(key));
	struct stat st;

	if (set) {
		*out = str_of(arena_dup(a, set));
		return 0;
	}
	if (!file_exists(path)) {
		err_set(e, ERR_MISSING_INPUT, "the secret %.*s/%.*s is not there", STR_ARG(name), STR_ARG(key));
		return err_hint(e, "put it into " SECRET_DIR "/%.*s/%.*s (chmod 600), or set %s", STR_ARG(name),
		                STR_ARG(key), variable);
	}
	if (file_stat(path, &st, e))
		return -1;
	if (st.st_mode & 077) {
		err_set(e, ERR_PERMISSION, SECRET_DIR "/%.*s/%.*s may be read by others", STR_ARG(name), STR_ARG(key));
		return err_hint(e, "chmod 600 %s", path);
	}
	return file_read_plain(a, path, SECRET_MAX, out, e);
}

static void add(struct arena *a, struct secrets *l, const char *variable, const char *path, struct str value)
{
	struct secret s = {variable, path, value};

	vec_push(a, l, s);
}

/* All its keys, as files. */
static int add_folder(struct arena *a, const struct workspace *ws, struct str name, const char *at, struct secrets *l,
                      struct err *e)
{
	const char *dir = arena_printf(a, "%s/" SECRET_DIR "/%.*s", ws->dir, STR_ARG(name));
	struct dir_names names = {0};
	struct str value;

	if (!dir_exists(dir)) {
		err_set(e, ERR_MISSING_INPUT, "the secret %.*s is not there", STR_ARG(name));
		return err_hint(e, "put it into " SECRET_DIR "/%.*s/, a file for each key (chmod 600)", STR_ARG(name));
	}
	if (dir_list(a, dir, &names, e))
		return -1;
	if (names.n > SECRET_MAX_KEYS)
		return err_set(e, ERR_LIMIT, "the secret %.*s has more than %d keys", STR_ARG(name), SECRET_MAX_KEYS);
	for (size_t i = 0; i < names.n; i++) {
		if (names.p[i][0] == '.')
			continue;
		if (secret_value(a, ws, name, str_of(names.p[i]), &value, e))
			return -1;
		add(a, l, NULL, arena_printf(a, "%s/%s", at, names.p[i]), value);
	}
	return 0;
}

static int add_one(struct arena *a, const struct workspace *ws, const struct dom *map, struct secrets *l,
                   struct err *e)
{
	struct str name = dom_str(map, "name"), key = dom_str(map, "key");
	struct str variable = dom_str(map, "envVar"), mount = dom_str(map, "mountPath"), value;

	if (mount.p && !key.p && add_folder(a, ws, name, arena_cstr(a, mount), l, e))
		return -1;
	if (!key.p)
		return 0;
	if (secret_value(a, ws, name, key, &value, e))
		return -1;
	if (mount.p)
		add(a, l, NULL, arena_printf(a, "%.*s/%.*s", STR_ARG(mount), STR_ARG(key)), value);
	if (variable.p && memchr(value.p, 0, value.n))
		return err_set(e, ERR_BAD_CONFIG, "the secret %.*s/%.*s holds a NUL byte, so it can be no variable",
		               STR_ARG(name), STR_ARG(key));
	if (variable.p)
		add(a, l, arena_cstr(a, variable), NULL, arena_str(a, secret_bare(value)));
	return 0;
}

int secret_list(struct arena *a, const struct workspace *ws, const struct job *j, struct secrets *out, struct err *e)
{
	const struct dom *list = dom_get(j->own, "secrets");

	*out = (struct secrets){0};
	if (!list || list->type != DOM_LIST)
		return 0;
	dom_each(map, list)
		if (add_one(a, ws, map, out, e)) {
			job_at(e, j, map->line, map->col);
			return -1;
		}
	return 0;
}

/* Folders of a task's root that are put over what stands there, or that are the kernel's. */
static bool is_taken(struct str path)
{
	static const char *const taken[] = {"tmp", "dev", "proc", "sys", "pfs/out", "leat"};

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		struct str t = str_of(taken[i]);

		if (path.n > t.n && str_eq(str_sub(path, 1, t.n), t) && (path.n == t.n + 1 || path.p[t.n + 1] == '/'))
			return true;
	}
	return path.n < 2 || path.p[0] != '/' || memmem(path.p, path.n, "/..", 3) || memmem(path.p, path.n, "//", 2) ||
	       path.p[path.n - 1] == '/';
}

int secret_check(const struct job *j, struct err *e)
{
	const struct dom *list = dom_get(j->own, "secrets");

	if (!list || list->type != DOM_LIST)
		return 0;
	dom_each(map, list) {
		struct str key = dom_str(map, "key"), variable = dom_str(map, "envVar");
		struct str mount = dom_str(map, "mountPath");

		if (!variable.p && !mount.p) {
			err_set(e, ERR_BAD_CONFIG, "a secret needs an envVar or a mountPath");
		} else if (variable.p && !key.p) {
			err_set(e, ERR_BAD_CONFIG, "a secret that is a variable needs the key whose value it is");
		} else if (mount.p && is_taken(mount)) {
			err_set(e, ERR_BAD_CONFIG, "mountPath cannot be %.*s", STR_ARG(mount));
			err_hint(e, "an absolute path without .. or a / at its end, not below /tmp, /dev, /proc, /sys, "
			            "/pfs/out or /leat");
		} else {
			continue;
		}
		return job_at(e, j, map->line, map->col);
	}
	return 0;
}
