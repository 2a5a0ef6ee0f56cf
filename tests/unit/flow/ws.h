/*
 * tests/unit/flow/ws.h: a workspace in a folder of its own, for tests of flow: files are written by their paths in it.
 */
#ifndef LEAT_TESTS_FLOW_WS_H
#define LEAT_TESTS_FLOW_WS_H

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/job.h"
#include "flow/plug.h"
#include "sys/file.h"
#include "t.h"

static char ws_dir[64];
static struct arena *ws_arena;
static struct workspace *ws;

static const struct key ws_download_keys[] = {
	{"", "url", KEYS_STR, KEYS_NOT_EMPTY, NULL, NULL, NULL, KEYS_MEMO | KEYS_REQUIRED, "Where it is."}, {NULL}};
static const struct key ws_script_keys[] = {
	{"", "command", KEYS_STR, KEYS_NOT_EMPTY, NULL, NULL, NULL, KEYS_MEMO, "What to run."}, {NULL}};
static const struct job_kind ws_sql = {.name = "sql", .code_names = (const char *const[]){"job.sql", NULL}},
                             ws_script = {.name = "script",
                                          .keys = ws_script_keys,
                                          .code_names = (const char *const[]){"job.sh", "job.py", NULL}},
                             ws_download = {.name = "download", .keys = ws_download_keys};
static const struct job_kind *const ws_kinds[] = {&ws_sql, &ws_script, &ws_download, NULL};

static inline void ws_must(int r, const struct err *e)
{
	if (!r)
		return;
	printf("Bail out! %s\n", e->msg);
	exit(1);
}

static inline const char *ws_path(const char *path)
{
	return arena_printf(ws_arena, "%s/%s", ws_dir, path);
}

static inline void ws_put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	ws_must(dir_make_parent(ws_path(path), 0777, &e), &e);
	ws_must(file_write(ws_path(path), str_of(text), 0644, 0, &e), &e);
}

static inline void ws_rm(const char *path)
{
	struct err e = ERR_INIT;

	ws_must(dir_remove_tree(ws_path(path), &e), &e);
}

static inline void ws_begin(void)
{
	struct err e = ERR_INIT;

	ws_arena = arena_new();
	snprintf(ws_dir, sizeof(ws_dir), "/tmp/leat-unit-XXXXXX");
	if (!mkdtemp(ws_dir))
		exit(1);
	ws_put("leat.yaml", "name: test\n");
	ws_must(dir_make(ws_path(".leat"), 0777, &e), &e);
	ws_must(workspace_open(ws_dir, &ws, &e), &e);
}

static inline void ws_end(void)
{
	struct err e = ERR_INIT;

	ws_must(dir_remove_tree(ws_dir, &e), &e);
	workspace_close(ws);
	arena_free(ws_arena);
}

static inline struct jobs *ws_load(void)
{
	struct err e = ERR_INIT;
	struct jobs *js;

	ws_must(jobs_load(ws, ws_kinds, &js, &e), &e);
	return js;
}

/* Jobs and cache away. */
static inline void ws_clear(void)
{
	ws_rm("jobs");
	ws_rm("pipelines");
	ws_rm(".leat/cache");
}

/* Lets files grow older than what the cache takes for racy. */
static inline void ws_age(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 40000000}, NULL);
}

#endif
