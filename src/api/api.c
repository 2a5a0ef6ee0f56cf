#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "repo/datastore.h"
#include "repo/open.h"
#include "sys/clock.h"

#define FILE_CHUNK 65536

void api_begin(struct api *api, struct arena *a, const struct job_kind *const *kinds)
{
	*api = (struct api){.arena = a, .kinds = kinds};
}

int sink_row(struct sink *out, const struct dom *row, struct err *e)
{
	return out->row(out->ptr, row, e);
}

int sink_file(const char *path, off_t *from, struct sink *out, struct err *e)
{
	char buf[FILE_CHUNK];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n;

	if (fd < 0) /* a task that printed nothing has no log */
		return errno == ENOENT ? 0 : err_errno(e, errno, "%s", path);
	while (!rc && (n = pread(fd, buf, sizeof(buf), *from)) > 0) {
		*from += n;
		rc = out->bytes(out->ptr, (struct str){buf, (size_t)n}, e);
	}
	close(fd);
	return rc;
}

void sink_note(struct sink *out, const char *fmt, ...)
{
	char text[1536];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->note(out->ptr, text);
}

int api_open(struct api *api, unsigned flags, struct err *e)
{
	char *dir;

	if ((flags & OP_W) && !api->ws &&
	    (workspace_find(api->dir, api->arena, &dir, e) || workspace_open(dir, &api->ws, e)))
		return -1;
	if ((flags & OP_W) && !api->store && store_open(api->ws, &api->store, e))
		return -1;
	if (!(flags & OP_J) || api->flow)
		return 0;
	/* A job whose file is broken hinders only what needs it: operations tell of it themselves (jobs->errors). */
	return flow_open(api->store, api->kinds, true, &api->flow, e);
}

static void note_text(void *ptr, const char *text)
{
	struct sink *out = ptr;

	out->note(out->ptr, text);
}

/* A log that is damaged is left aside, and the store opened without what only it held. */
static int open_anyway(struct api *api, struct sink *out, struct err *e)
{
	char *leat, *aside;

	if (e->code != ERR_DAMAGED || !api->ws)
		return -1;
	sink_note(out, "%s", e->msg);
	err_clear(e);
	leat = arena_printf(api->arena, "%s/.leat", api->ws->dir);
	aside = arena_printf(api->arena, "%s/lost+found/leat.db-wal.%lld", leat, (long long)clock_now_ms());
	if (db_accept_log(leat, aside, e) || api_open(api, OP_W, e))
		return -1;
	sink_note(out, "the store goes on without it; the log as it was is .leat/lost+found/%s",
		  strrchr(aside, '/') + 1);
	return 0;
}

/* Who may only read the workspace, or has it where nobody can write, learns that it is not their request. */
static void told_of_reading(const struct api *api, struct err *e)
{
	if (e->code == ERR_PERMISSION && !e->hint[0] && api->store && access(api->store->leat_dir, W_OK))
		err_hint(e, "this workspace can be read here, not changed: ls, cat, get, log, diff, sql, status, plan, "
			    "du and fsck work");
}

int api_call(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	const struct op *op = args->op;
	struct err lag = ERR_INIT;

	if (api_open(api, op->flags, e) &&
	    (op->fn != api_fsck || !args_flag(args, "repair") || open_anyway(api, out, e)))
		return -1;
	if (((op->flags & OP_M) && api->store && open_expire(api->store, note_text, out, e)) ||
	    op->fn(api, args, out, e)) {
		told_of_reading(api, e);
		return -1;
	}
	/* What a crash left of an earlier publish is completed by whoever writes next (SEMANTICS 6). */
	if ((op->flags & OP_M) && api->store && datastore_update(api->store, 0, note_text, out, &lag))
		sink_note(out, "%s; the next command that writes tries again", lag.msg); /* what was committed is */
	return 0;
}

void api_end(struct api *api)
{
	flow_close(api->flow);
	store_close(api->store);
	workspace_close(api->ws);
	api->flow = NULL;
	api->store = NULL;
	api->ws = NULL;
}
