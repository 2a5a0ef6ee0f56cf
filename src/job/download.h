/*
 * job/download.h: what the parts of the job kind `download` share. The runner side (download.c) asks, the worker
 * process `leat --role download` (download_worker.c) fetches and unpacks: only there are libcurl and zlib loaded, and
 * only there is anything read that a stranger wrote.
 *
 * Request, JSON on descriptor 3: {out, work, connect_ms, stall_ms, max_size, unpack, ca_file?, headers?: {name: value},
 * items: [{url, name, sha256?, etag?, last_modified?, known?: folder, fetched?}]}. `known` holds what the last fetch
 * made: the answer "not modified" copies it. Reply, JSON on descriptor 4: {downloads: [{url, final_url?, name, status,
 * bytes, sha256, etag?, last_modified?, fetched, checked?, not_modified?}]}, or {error: {code, msg, hint?, final,
 * retry_after_ms, item}}. Descriptor 2 takes lines for the log.
 */
#ifndef LEAT_JOB_DOWNLOAD_H
#define LEAT_JOB_DOWNLOAD_H

#include "base/arena.h"
#include "base/dom.h"
#include "base/err.h"

#define DOWNLOAD_MAX_URLS 1000
#define DOWNLOAD_MAX_SIZE ((int64_t)16 << 30) /* bytes of one URL, and of what comes out of it, unless max_size says   \
	                                       */
#define DOWNLOAD_MAX_FILES 100000               /* in one archive */
#define DOWNLOAD_MAX_REDIRECTS 20
#define DOWNLOAD_MAX_RESUMES 50                 /* of one transfer, each of which got further than the ones before */
#define DOWNLOAD_MAX_MESSAGE ((size_t)16 << 20) /* request, reply */
#define DOWNLOAD_MAX_RETRY_MS ((int64_t)24 * 3600 * 1000)
#define DOWNLOAD_REQUEST_FD 3
#define DOWNLOAD_REPLY_FD 4

/* download_url.c: what URLs and settings say, for both sides. */
enum download_unpack { UNPACK_NONE, UNPACK_GUNZIP, UNPACK_UNZIP, UNPACK_UNTAR };
bool download_unpack_of(struct str word, enum download_unpack *out);
/* Refuses what is neither http, https, ftp, ftps nor file: (absolute, or from the workspace). `text` may hold templates. */
must_check int download_url_check(struct str text, struct err *e);
/* The output's name: `name` if it is given, else the last part of the URL's path, decoded; without .gz if gunzip. */
must_check int download_url_name(struct arena *a, struct str url, struct str name, enum download_unpack how,
                                 const char **out, struct err *e);
/* 500MB, 2GiB, 1000 */
must_check bool download_size(struct str text, int64_t *out);

/* download_fetch.c: one URL by http(s) or ftp(s) into a file. */
struct download_get {
	struct arena *arena;
	const char *url;              /* may hold user:password@ */
	const char *shown;            /* without it */
	const char *part;             /* the file to write; not there yet */
	const struct dom *headers;    /* a map of texts, or NULL */
	const char *ca_file;          /* absolute, or NULL: the system's */
	int64_t connect_ms, stall_ms, max_size;
	struct str etag, modified;    /* of what is there already; STR_NULL */
	void (*log)(const char *line);
};
struct download_got {
	int status;
	bool not_modified;
	int64_t bytes;
	const char *final_url;        /* where redirects led, shown; NULL: none */
	struct str etag, modified;    /* STR_NULL: none */
};
struct download_miss {
	bool final;                   /* another try would fail too */
	int64_t retry_after_ms;       /* 0: not said */
};
must_check int download_fetch(const struct download_get *g, struct download_got *out, struct download_miss *miss,
                              struct err *e);
/* Milliseconds from now, by a Retry-After header (seconds or an HTTP date); 0 if it is none. */
int64_t download_fetch_retry_after(struct str value, int64_t now_ms);

/*
 * download_unpack.c: archives. Nothing is written outside of the folder: absolute paths, "..", links and devices in an
 * archive are refused, and so is more than DOWNLOAD_MAX_FILES files or max bytes.
 */
struct download_sink {
	struct arena *arena;
	const char *dir;        /* absolute */
	const char *from;       /* the archive, for messages */
	int64_t left, max;      /* bytes that may still come, of max */
	size_t files;
};
must_check int download_unpack(struct download_sink *s, const char *archive, enum download_unpack how, const char *name,
                               struct err *e);
/* Makes the file of a member; *fd is the caller's. */
must_check int download_unpack_file(struct download_sink *s, struct str member, int *fd, struct err *e);
must_check int download_unpack_bytes(struct download_sink *s, int fd, const void *p, size_t n, struct err *e);
must_check int download_unpack_refuse(struct download_sink *s, struct str member, const char *what, struct err *e);

/* Bytes of a file, or of what a gzip file holds. */
struct download_source;
must_check int download_unpack_open(struct arena *a, const char *path, bool must_be_gzip, struct download_source **out,
                                    struct err *e);
must_check int download_unpack_read(struct download_source *s, void *p, size_t n, size_t *got, struct err *e);
void download_unpack_close(struct download_source *s);

must_check int download_tar(struct download_sink *s, struct download_source *src, struct err *e); /* download_tar.c */
must_check int download_zip(struct download_sink *s, const char *path, struct err *e);            /* download_zip.c */

/* The worker's main. */
int download_worker_main(int argc, char **argv);

#endif
