#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cli.h"

#define PREFIX "leat-"

static bool listed(const struct str_list *l, struct str name)
{
	for (size_t i = 0; i < l->v.n; i++)
		if (str_eq(l->v.p[i], name))
			return true;
	return false;
}

/* In commands/ every executable counts, by its name or by leat-NAME; on PATH only leat-NAME. */
static void list_folder(struct arena *a, const char *dir, bool any_name, struct str_list *out)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d))) {
		struct str name = str_of(de->d_name);
		char *path = arena_printf(a, "%s/%s", dir, de->d_name);

		if (str_has_prefix(name, STR(PREFIX)))
			name = str_sub(name, strlen(PREFIX), name.n);
		else if (!any_name)
			continue;
		if (name.n && name.p[0] != '.' && access(path, X_OK) == 0 && !listed(out, name))
			vec_push(a, &out->v, arena_str(a, name));
	}
	closedir(d);
}

static char *commands_dir(struct arena *a, const char *workspace)
{
	return workspace ? arena_printf(a, "%s/commands", workspace) : NULL;
}

void extern_list(struct arena *a, const char *workspace, struct str_list *out)
{
	struct str path = str_of(getenv("PATH")), dir;
	char *commands = commands_dir(a, workspace);

	if (commands)
		list_folder(a, commands, true, out);
	while (path.n) {
		if (!str_cut(path, ':', &dir, &path)) {
			dir = path;
			path = STR_NULL;
		}
		if (dir.n)
			list_folder(a, arena_cstr(a, dir), false, out);
	}
}

void extern_exec(struct arena *a, const char *workspace, const char *name, char **argv)
{
	char *commands = commands_dir(a, workspace);

	if (strchr(name, '/') || name[0] == '.')
		return;
	if (workspace)
		setenv("LEAT_WORKSPACE", workspace, 1);
	if (commands) {
		execv(arena_printf(a, "%s/%s", commands, name), argv);
		execv(arena_printf(a, "%s/" PREFIX "%s", commands, name), argv);
	}
	execvp(arena_printf(a, PREFIX "%s", name), argv);
}
