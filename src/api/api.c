#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/lineage.h"
#include "api/workbranch.h"
#include "base/str.h"
#include "repo/contents.h"
#include "repo/datastore.h"
#include "repo/open.h"
#include "repo/overlay.h"
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
	if ((flags & OP_W) && !api->store &&
	    (store_open(api->ws, &api->store, e) || overlay_use(api->store, api->arena, api->on, e)))
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

/* What has no meaning on a workspace branch, and why. */
static const struct {
	op_fn *fn;
	const char *why, *hint;
} only_master[] = {
	{api_commit, "datastore/ shows master only", "leat put writes to the branch"},
	{api_squash, "it would change what master shows as well", "name what is meant: leat squash REPO@COMMIT"},
	{api_drop, "it would change what master shows as well", "name what is meant: leat drop REPO@BRANCH"},
	{api_forget, "it would change what master shows as well", "name what is meant: leat forget REPO@COMMIT"},
	{api_up, "services read master as it moves", NULL},
	{api_down, "services read master as it moves", NULL},
};

/* --on, else LEAT_ON. */
static int choose_branch(struct api *api, const struct args *args, struct err *e)
{
	if (!(args->op->flags & OP_W))
		return 0;
	api->on = args_value(args, "on");
	if (!api->on.p)
		api->on = str_of(getenv("LEAT_ON"));
	if (!api->on.n || str_is(api->on, BRANCH_DEFAULT))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(only_master); i++) {
		if (args->op->fn != only_master[i].fn)
			continue;
		err_set(e, ERR_REFUSED, "leat %s does not work on a workspace branch (%s): %s", args->op->name,
		        STR_SHOWN(api->on), only_master[i].why);
		return only_master[i].hint ? err_hint(e, "%s", only_master[i].hint) : -1;
	}
	return 0;
}

/* Whether it may take commits away, whose bytes the index of contents could not look at any more. */
static bool takes_away(const struct args *args)
{
	const struct op *op = args->op;

	if (!(op->flags & OP_L) || (op_option(op, STR("dry-run")) && args_flag(args, "dry-run")))
		return false;
	return !op_option(op, STR("delete")) || args_flag(args, "delete");
}

/* What is asked in a task of its inputs needs no workspace: a sandbox shows none. */
static unsigned flags_of(const struct args *args)
{
	unsigned flags = args->op->flags;

	bool asks = args->op->fn == api_sql || args->op->fn == api_plot;

	return asks && args_flag(args, "inputs") ? flags & ~(unsigned)(OP_W | OP_J) : flags;
}

int api_call(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	const struct op *op = args->op;
	struct contents_ahead *ahead = NULL;
	struct err lag = ERR_INIT;

	if (choose_branch(api, args, e))
		return -1;
	if (api_open(api, flags_of(args), e) &&
	    (op->fn != api_fsck || !args_flag(args, "repair") || open_anyway(api, out, e)))
		return -1;
	if (api->store && api->store->on)
		workbranch_note(api, out);
	if ((takes_away(args) && api->store && contents_ahead(api->store, &ahead, e)) ||
	    ((op->flags & OP_M) && api->store && open_expire(api->store, note_text, out, e)) ||
	    op->fn(api, args, out, e)) {
		contents_ahead_free(ahead);
		told_of_reading(api, e);
		return -1;
	}
	if (ahead && contents_ahead_write(api->store, ahead, &lag))
		sink_note(out, "what went is not in the index of contents: %s", lag.msg);
	contents_ahead_free(ahead);
	err_clear(&lag);
	/* What a crash left of an earlier publish is completed by whoever writes next (SEMANTICS 6). */
	if ((op->flags & OP_M) && api->store && datastore_update(api->store, note_text, out, &lag))
		sink_note(out, "%s; the next command that writes tries again", lag.msg); /* what was committed is */
	err_clear(&lag);
	if ((op->flags & OP_M) && api->store && contents_keep_up(api->store, &lag))
		sink_note(out, "the index of contents lags: %s; the next command that writes tries again", lag.msg);
	if ((op->flags & OP_M) && api->store)
		lineage_after(api, out);
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
