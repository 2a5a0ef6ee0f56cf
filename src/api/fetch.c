#include "api/fetch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "base/url.h"
#include "job/download.h"
#include "sys/file.h"
#include "sys/proc.h"

#define CONNECT_MS 30000
#define STALL_MS 120000

bool fetch_is_url(struct str text)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://", "ftps://"};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_has_prefix(text, str_of(schemes[i])))
			return true;
	return false;
}

int fetch_name(struct arena *a, struct str url, const char **out, struct err *e)
{
	if (!download_url_name(a, url, STR_NULL, UNPACK_NONE, out, e))
		return 0;
	return err_hint(e, "give it one: --name NAME, or a path, REPO:/PATH");
}

struct str fetch_file_url(struct arena *a, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct buf b = BUF_INIT(16384);
	struct str url;

	buf_adds(&b, "file://");
	for (const char *p = path; *p; p++) {
		if (strchr(plain, *p))
			buf_addc(&b, *p);
		else
			buf_addf(&b, "%%%02X", (unsigned)(uint8_t)*p);
	}
	url = arena_str(a, buf_str(&b));
	buf_free(&b);
	return url;
}

/* One worker. */
struct fetch {
	struct fetch_item *item;
	struct proc proc;
	int reply;
};

static int memory_file(const char *name, struct str text, int *out, struct err *e)
{
	int fd FD_CLEANUP = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "no memory for a download's request");
	if (text.n && fd_write_all(fd, text.p, text.n, "request", e))
		return -1;
	if (lseek(fd, 0, SEEK_SET))
		return err_errno(e, errno, "a download's request");
	*out = fd_steal(&fd);
	return 0;
}

static const char *work_dir(struct arena *a, const struct fetch_item *it)
{
	return arena_printf(a, "%s.work", it->dir);
}

static int request(struct api *api, const struct fetch_item *it, struct str *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *r = dom_new(a, DOM_MAP), *items = dom_new(a, DOM_LIST), *item = dom_new(a, DOM_MAP);
	struct buf b cleanup(buf_free) = BUF_INIT(DOWNLOAD_MAX_MESSAGE);

	dom_set_cstr(a, r, "out", it->dir);
	dom_set_cstr(a, r, "work", work_dir(a, it));
	dom_set_cstr(a, r, "workspace", api->ws->dir);
	dom_set_int(a, r, "max_size", DOWNLOAD_MAX_SIZE);
	dom_set_int(a, r, "unpack", it->untar ? UNPACK_UNTAR : UNPACK_NONE);
	dom_set_int(a, r, "connect_ms", CONNECT_MS);
	dom_set_int(a, r, "stall_ms", STALL_MS);
	dom_set_int(a, item, "number", 0);
	dom_set_str(a, item, "url", it->url);
	dom_set_cstr(a, item, "name", it->name);
	dom_add(items, item);
	dom_set(a, r, "items", items);
	dom_write_json(&b, r, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the request is larger than %zu MiB", DOWNLOAD_MAX_MESSAGE >> 20);
	*out = arena_str(a, buf_str(&b));
	return 0;
}

static int start(struct api *api, struct fetch *f, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", "download", NULL};
	struct proc_spec s = PROC_SPEC;
	int in FD_CLEANUP = -1, reply FD_CLEANUP = -1;
	struct str text;

	if (download_url_check(f->item->url, e) || dir_make(f->item->dir, 0700, e) ||
	    dir_make(work_dir(api->arena, f->item), 0700, e) || request(api, f->item, &text, e) ||
	    memory_file("leat-request", text, &in, e) || memory_file("leat-reply", STR_NULL, &reply, e))
		return -1;
	s.argv = argv;
	s.err = -1; /* the log of a job; here the reply says what matters */
	s.out = -1;
	s.fds[0] = in;
	s.fds[1] = reply;
	s.n_fds = 2;
	s.die_with_parent = true;
	if (proc_spawn(&s, &f->proc, e))
		return -1;
	f->reply = fd_steal(&reply);
	return 0;
}

static int take_reply(struct api *api, struct fetch *f, const struct proc_exit *x, struct err *e)
{
	struct err broken = ERR_INIT;
	struct dom *reply;
	const struct dom *error, *msg, *code;
	char why[PROC_TEXT];
	struct str text;

	if (!proc_exit_ok(x) || lseek(f->reply, 0, SEEK_SET) ||
	    file_read_fd(api->arena, f->reply, "reply", DOWNLOAD_MAX_MESSAGE, &text, &broken) ||
	    dom_json(api->arena, text, "reply", &reply, &broken)) {
		proc_exit_text(x, why);
		return err_set(e, ERR_FAILED, "fetching %s ended without an answer (%s)",
			       STR_SHOWN(url_redact(api->arena, f->item->url)), why);
	}
	error = dom_get(reply, "error");
	if (!error)
		return 0;
	msg = dom_get(error, "msg");
	code = dom_get(error, "code");
	text = msg ? msg->s : STR("");
	if (!fetch_is_url(f->item->url) && str_has_prefix(text, f->item->url)) /* said as the user did */
		text = arena_strf(api->arena, "%.*s%.*s", STR_ARG(f->item->arg),
				  STR_ARG(str_sub(text, f->item->url.n, text.n)));
	err_set(e, code ? err_code_of_word(code->s) : ERR_INTERNAL, "%.*s", STR_ARG(text));
	/* its hints are of a job's settings */
	return fetch_is_url(f->item->url)
	               ? err_hint(e, "a job of kind download has headers, retries and more: leat new download NAME")
	               : -1;
}

/* Waits until one of them has ended, takes its answer, and frees its place. */
static int reap(struct api *api, struct fetch *slots, unsigned n, struct err *e)
{
	struct pollfd fds[FETCH_MAX_PARALLEL];
	struct proc_exit x;
	int rc = 0;

	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = slots[i].item ? slots[i].proc.pidfd : -1, .events = POLLIN};
	while (poll(fds, n, -1) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "waiting for downloads");
	for (unsigned i = 0; i < n && !rc; i++) {
		if (!(fds[i].revents & POLLIN))
			continue;
		rc = proc_wait(&slots[i].proc, &x, e) || take_reply(api, &slots[i], &x, e) ? -1 : 0;
		proc_free(&slots[i].proc);
		fd_close(&slots[i].reply);
		slots[i].item = NULL;
	}
	return rc;
}

static void stop(struct fetch *f)
{
	struct err ignored = ERR_INIT;
	struct proc_exit x;

	proc_signal(&f->proc, SIGKILL);
	if (proc_wait(&f->proc, &x, &ignored))
		err_clear(&ignored);
	proc_free(&f->proc);
	fd_close(&f->reply);
	f->item = NULL;
}

int fetch_all(struct api *api, struct fetch_item *items, size_t n, unsigned parallel, struct err *e)
{
	struct fetch slots[FETCH_MAX_PARALLEL] = {0};
	unsigned most = MIN(MAX(parallel, 1u), (unsigned)FETCH_MAX_PARALLEL), busy = 0;
	size_t next = 0;
	int rc = 0;

	while (!rc && (next < n || busy)) {
		unsigned i = 0;
		while (i < most && slots[i].item)
			i++;
		if (i < most && next < n) {
			slots[i] = (struct fetch){.item = &items[next++], .proc = PROC_INIT, .reply = -1};
			rc = start(api, &slots[i], e);
			if (rc)
				slots[i].item = NULL;
		} else {
			rc = reap(api, slots, most, e);
		}
		busy = 0;
		for (i = 0; i < most; i++)
			busy += slots[i].item != NULL;
	}
	for (unsigned i = 0; i < most; i++)
		if (slots[i].item)
			stop(&slots[i]);
	return rc;
}
