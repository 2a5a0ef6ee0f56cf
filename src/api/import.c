/* import: other systems' files become jobs (api/import.h), with a report of what was not understood. */
#include "api/import.h"

#include <unistd.h>

#include "base/str.h"
#include "sys/file.h"

typedef int reader(struct import *im, struct str text, const char *file, struct err *e);

static const struct {
	const char *name;
	reader *read; /* NULL: a folder */
} systems[] = {
	{"airflow", import_airflow},
	{"cron", import_cron},
	{"dagu", import_dagu},
	{"dsflow", NULL},
};

static int read_one(struct import *im, size_t system, struct str path, struct err *e)
{
	bool in = str_is(path, "-");
	const char *name = in ? "standard input" : arena_cstr(im->a, path);
	struct str text;

	if (!in && dir_exists(name)) {
		err_set(e, ERR_BAD_REQUEST, "%s is a folder", name);
		return err_hint(e, "name the files: leat import %s %s/*", systems[system].name, name);
	}
	if (in ? file_read_fd(im->a, STDIN_FILENO, name, IMPORT_MAX_FILE, &text, e)
	       : file_read_plain(im->a, name, IMPORT_MAX_FILE, &text, e))
		return -1;
	if (memchr(text.p, 0, text.n)) {
		err_set(e, ERR_BAD_CONFIG, "%s is no text", name);
		return -1;
	}
	return systems[system].read(im, text, name, e);
}

static int unknown_system(struct str word, struct err *e)
{
	struct str names[ARRAY_LEN(systems)];

	for (size_t i = 0; i < ARRAY_LEN(systems); i++)
		names[i] = str_of(systems[i].name);
	err_set(e, ERR_BAD_REQUEST, "import knows no system '%.*s'", STR_ARG(word));
	return keys_hint_nearest(e, word, names, ARRAY_LEN(names));
}

int api_import(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct import im = {.a = api->arena, .jobs = api->flow->jobs};
	struct str word = args_pos(args, 0);
	size_t system = 0;

	map_init(&im.by_name, im.a);
	while (system < ARRAY_LEN(systems) && !str_is(word, systems[system].name))
		system++;
	if (system == ARRAY_LEN(systems))
		return unknown_system(word, e);
	for (size_t i = 1; i < args_n(args); i++) {
		struct str path = args_pos(args, i);

		if (systems[system].read ? read_one(&im, system, path, e)
		                         : import_dsflow(&im, arena_cstr(im.a, path), e))
			return -1;
	}
	return import_write(&im, api, systems[system].name, args_flag(args, "dry-run"), args_flag(args, "force"), out,
	                    e);
}
