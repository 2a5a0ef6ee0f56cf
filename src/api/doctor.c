#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/str.h"
#include "db/duck.h"
#include "repo/mount.h"
#include "sys/bind.h"
#include "sys/clock.h"
#include "sys/root.h"
#include "sys/file.h"

struct doctor {
	struct api *api;
	struct sink *out;
	const char *dir; /* the workspace, else the current folder */
};

static int say(struct doctor *d, const char *what, const char *state, const char *text, const char *hint, struct err *e)
{
	struct arena *a = d->api->arena;
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_cstr(a, row, "what", what);
	dom_set_cstr(a, row, "state", state);
	dom_set_cstr(a, row, "text", text);
	dom_set_str(a, row, "hint", str_of(hint));
	return sink_row(d->out, row, e);
}

static int see_versions(struct doctor *d, struct err *e)
{
	struct arena *a = d->api->arena;
	struct err why = ERR_INIT;
	char version[64], path[512];

	if (say(d, "leat", "ok", LEAT_VERSION, NULL, e) || say(d, "sqlite", "ok", sqlite3_libversion(), NULL, e))
		return -1;
	if (duck_library(version, sizeof(version), path, sizeof(path), &why))
		return say(d, "duckdb", "missing", why.msg, why.hint, e);
	return say(d, "duckdb", "ok", arena_printf(a, "%s, %s", version, path), NULL, e);
}

static int see_workspace(struct doctor *d, struct err *e)
{
	char *dir;
	struct err why = ERR_INIT;

	if (workspace_find(d->api->dir, d->api->arena, &dir, &why))
		return say(d, "workspace", "warn", "none here or above", "leat init makes one", e);
	d->dir = dir;
	return say(d, "workspace", "ok", dir, NULL, e);
}

#define SYNC_ROUNDS 5

/* How long one small durable write takes: what every acknowledged change pays at least once. */
static int see_fsync(struct doctor *d, struct err *e)
{
	struct arena *a = d->api->arena;
	char *path = arena_printf(a, "%s/.leat-doctor-%d", d->dir, (int)getpid());
	struct err why = ERR_INIT;
	int64_t best = INT64_MAX;
	int fd;

	if (file_open_write(path, O_EXCL, 0600, &fd, &why))
		return say(d, "fsync", "missing", why.msg, "leat needs a folder that it may write to", e);
	for (int i = 0; i < SYNC_ROUNDS; i++) {
		int64_t start = clock_mono_ns();

		if (write(fd, "x", 1) != 1 || fsync(fd))
			best = -1;
		else if (best >= 0)
			best = MIN(best, clock_mono_ns() - start);
	}
	close(fd);
	unlink(path);
	if (best < 0)
		return say(d, "fsync", "missing", "a write could not be made durable", NULL, e);
	return say(d, "fsync", best > 50000000 ? "warn" : "ok",
	           arena_printf(a, "%.2f ms for a small write", (double)best / 1e6),
	           best > 50000000 ? "slow; 'durability: process' in leat.yaml waits for no disk" : NULL, e);
}

static int see_disk(struct doctor *d, struct err *e)
{
	struct arena *a = d->api->arena;
	struct err why = ERR_INIT;
	struct fs_info fs;
	int reflink;

	if (fs_kind(d->dir, &fs, &why))
		return say(d, "disk", "warn", why.msg, NULL, e);
	if (say(d, "disk", fs.class == FS_NETWORK ? "missing" : fs.free_bytes < (1u << 30) ? "warn" : "ok",
	        arena_printf(a, "%s, %.1f GB free", fs.name, (double)fs.free_bytes / 1e9),
	        fs.class == FS_NETWORK ? "a workspace needs a local file system" : NULL, e) || see_fsync(d, e))
		return -1;
	reflink = fs_can_reflink(d->dir, &why);
	return say(d, "shared blocks", "ok",
	           reflink == 1
	                   ? "yes: datastore/ costs no space beside the store"
	                   : "no reflinks here: datastore/ holds copies (protect: link in leat.yaml saves the space)",
	           NULL, e);
}

static int see_isolation(struct doctor *d, struct err *e)
{
	const char *why = NULL;
	bool v2 = file_exists("/sys/fs/cgroup/cgroup.controllers"), hybrid = file_exists("/sys/fs/cgroup/unified");

	if (bind_available(&why)) {
		if (say(d, "mount namespaces", "ok", "inputs of tasks are read-only", NULL, e))
			return -1;
	} else if (say(d, "mount namespaces", "warn", why,
	               "tasks get copies of their inputs instead of read-only folders", e)) {
		return -1;
	}
	if (root_available(&why)) {
		if (say(d, "sandbox", "ok", "tasks can have a root of their own, with /pfs", NULL, e))
			return -1;
	} else if (say(d, "sandbox", "warn", why, "tasks find their folders by LEAT_INPUT_... and LEAT_OUTPUT only",
	               e)) {
		return -1;
	}
	return say(d, "cgroups", v2 || hybrid ? "ok" : "warn", v2 ? "v2" : hybrid ? "hybrid (v1 and v2)" : "none found",
	           v2 || hybrid ? NULL : "tasks are ended by process group and marker", e);
}

static int see_mount(struct doctor *d, struct err *e)
{
	struct err why = ERR_INIT;

	if (mount_possible(&why))
		return say(d, "leat mount", "missing", why.msg, why.hint, e);
	return say(d, "leat mount", "ok", "libfuse3 and /dev/fuse are there", NULL, e);
}

/* Libraries that are loaded when a job needs them, and programs. */
static int see_optional(struct doctor *d, struct err *e)
{
	static const struct {
		const char *what, *soname, *use, *package;
	} libs[] = {
		{"libcurl", "libcurl.so.4", "download jobs", "libcurl4"},
		{"zlib", "libz.so.1", "tables of .gz files, downloads to unpack", "zlib1g"},
		{"libzstd", "libzstd.so.1", "tables of .zst files", "libzstd1"},
		{"librsvg", "librsvg-2.so.2", "leat plot -o FILE.png", "librsvg2-2"},
		{"libmd4c", "libmd4c-html.so.0", "text of notebooks in pages", "libmd4c-html0"},
	};
	static const struct {
		const char *program, *use, *package;
	} programs[] = {{"python3", "scripts and notebooks in Python", "python3"},
	                {"git", "history of your code", "git"}};
	struct arena *a = d->api->arena;

	for (size_t i = 0; i < ARRAY_LEN(libs); i++) {
		/* It stays: what a library has made as it was loaded would be nobody's any more. */
		void *h = dlopen(libs[i].soname, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

		if (say(d, libs[i].what, h ? "ok" : "missing", libs[i].use,
		        h ? NULL : arena_printf(a, "apt install %s", libs[i].package), e))
			return -1;
		if (h)
			dlclose(h);
	}
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		struct str rest = str_of(getenv("PATH")), dir;
		const char *found = NULL;

		while (!found && rest.n) {
			char *path;

			if (!str_cut(rest, ':', &dir, &rest)) {
				dir = rest;
				rest = STR_NULL;
			}
			path = arena_printf(a, "%.*s/%s", STR_ARG(dir), programs[i].program);
			if (access(path, X_OK) == 0)
				found = path;
		}
		if (say(d, programs[i].program, found ? "ok" : "missing",
		        found ? arena_printf(a, "%s, for %s", found, programs[i].use) : programs[i].use,
		        found ? NULL : arena_printf(a, "apt install %s", programs[i].package), e))
			return -1;
	}
	return 0;
}

int api_doctor(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct doctor d = {api, out, "."};

	if (see_versions(&d, e) || see_workspace(&d, e) || see_disk(&d, e) || see_isolation(&d, e) ||
	    see_mount(&d, e))
		return -1;
	return see_optional(&d, e);
}
