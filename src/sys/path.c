#include "sys/path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

char *path_join(struct arena *a, const char *dir, const char *rest)
{
	size_t n = strlen(dir);

	if (!n || rest[0] == '/')
		return arena_dup(a, rest);
	if (!rest[0])
		return arena_dup(a, dir);
	return arena_printf(a, "%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", rest);
}

/* The length without trailing slashes; "/" stays. */
static size_t bare_len(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

const char *path_base(struct arena *a, const char *path)
{
	size_t n = bare_len(path), from = n;

	while (from > 0 && path[from - 1] != '/')
		from--;
	if (from == n)
		from = 0; /* "/" and "" */
	if (!path[n])
		return path + from;
	return arena_cstr(a, (struct str){path + from, n - from});
}

char *path_dir(struct arena *a, const char *path)
{
	size_t n = bare_len(path);

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (!n)
		return arena_dup(a, ".");
	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_cstr(a, (struct str){path, n});
}

char *path_clean(struct arena *a, const char *path)
{
	bool absolute = path[0] == '/';
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0, floor; /* bytes below `floor` are "/" or leading "..": ".." takes nothing off them */

	if (absolute)
		out[n++] = '/';
	floor = n;
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.' && n > floor) {
			while (n > floor && out[n - 1] != '/')
				n--;
			if (n > floor)
				n--;
		} else if (len == 2 && p[0] == '.' && p[1] == '.' && absolute) {
			/* above the root is the root */
		} else if (len && !(len == 1 && p[0] == '.')) {
			bool up = len == 2 && p[0] == '.' && p[1] == '.';

			if (n && out[n - 1] != '/')
				out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
			if (up)
				floor = n;
		}
		p += len;
		while (*p == '/')
			p++;
	}
	if (!n)
		out[n++] = '.';
	out[n] = '\0';
	return out;
}

int path_absolute(struct arena *a, const char *path, char **out, struct err *e)
{
	char *cwd;

	if (path[0] == '/') {
		*out = path_clean(a, path);
		return 0;
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_errno(e, errno, "the current folder cannot be named");
	*out = path_clean(a, path_join(a, cwd, path));
	free(cwd);
	return 0;
}

bool path_inside(const char *dir, const char *path, const char **rest)
{
	size_t n = strlen(dir);

	if (n == 1 && dir[0] == '/')
		n = 0;
	if (strncmp(dir, path, n) || (path[n] && path[n] != '/'))
		return false;
	if (rest) {
		*rest = path + n;
		while (**rest == '/')
			(*rest)++;
	}
	return true;
}

char *path_relative(struct arena *a, const char *from, const char *path)
{
	size_t common = 0, i = 0;
	char *out = arena_dup(a, "");

	from = path_clean(a, from);
	path = path_clean(a, path);
	if (!strcmp(from, "/"))
		from = "";
	if (!strcmp(path, "/"))
		path = "";
	for (;; i++) {
		bool end_a = !from[i] || from[i] == '/', end_b = !path[i] || path[i] == '/';

		if (end_a && end_b)
			common = i;
		if (from[i] != path[i] || !from[i])
			break;
	}
	for (const char *p = from + common; *p; p++)
		if (*p == '/')
			out = arena_printf(a, "%s%s..", out, out[0] ? "/" : "");
	path += common;
	while (*path == '/')
		path++;
	if (*path)
		out = path_join(a, out, path);
	return out[0] ? out : arena_dup(a, ".");
}

const char *path_ext(const char *path)
{
	const char *base = strrchr(path, '/'), *dot;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	return dot && dot != base ? dot : path + strlen(path);
}
