/*
 * api/fetch.h: URLs and archives for put: brought into a folder of ours by the download worker (job/download.h), one
 * process each, so that what a stranger wrote is read there only.
 */
#ifndef LEAT_API_FETCH_H
#define LEAT_API_FETCH_H

#include "api/api.h"

#define FETCH_MAX_PARALLEL 64

struct fetch_item {
	struct str url;    /* http, https, ftp, ftps; or file: an absolute path */
	struct str arg;    /* as the user named it */
	const char *dir;   /* an absolute folder of its own, made here: holds `name`, or what the archive holds */
	const char *name;
	bool untar;
};
bool fetch_is_url(struct str text);
/* The file's name by the URL, if it gives one. */
must_check int fetch_name(struct arena *a, struct str url, const char **out, struct err *e);
/* A file: URL of an absolute path. */
struct str fetch_file_url(struct arena *a, const char *path);
/* All of them, at most `parallel` at a time; the first that fails ends the others. */
must_check int fetch_all(struct api *api, struct fetch_item *items, size_t n, unsigned parallel, struct err *e);

#endif
