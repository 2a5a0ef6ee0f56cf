#include "api/editor.h"

#include "base/str.h"
#include "flow/job.h"
#include "repo/workspace.h"
#include "sys/dir.h"
#include "sys/file.h"

#define SCHEMA_MAX (4u << 20)

static const struct {
	const char *what, *file;
} schemas[] = {{"job", "job.json"}, {"workspace", "leat.json"}};

struct dom *editor_schema(struct api *api, struct str what)
{
	const struct keys *t = workspace_keys();

	if (str_is(what, schemas[0].what))
		return job_json_schema(api->arena, api->kinds);
	if (str_is(what, schemas[1].what))
		return keys_json_schema(api->arena, &t, 1, "leat.yaml");
	return NULL;
}

int editor_write(struct api *api, const char *dir, struct err *e)
{
	char *folder = arena_printf(api->arena, "%s/.leat/schema", dir);

	if (dir_make(folder, 0777, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
		char *path = arena_printf(api->arena, "%s/%s", folder, schemas[i].file);
		struct buf b = BUF_INIT(SCHEMA_MAX);
		struct str old = STR_NULL;
		struct err ignored = ERR_INIT;
		int rc = 0;

		dom_write_json(&b, editor_schema(api, str_of(schemas[i].what)), DOM_PRETTY);
		buf_addc(&b, '\n');
		if (!file_exists(path) || file_read(api->arena, path, SCHEMA_MAX, &old, &ignored) ||
		    !str_eq(old, buf_str(&b)))
			rc = file_replace(path, buf_str(&b), 0644, 0, e);
		buf_free(&b);
		if (rc)
			return -1;
	}
	return 0;
}
