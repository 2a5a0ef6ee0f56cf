/* Kind download, the runner's side: it asks a worker process and hears what became of it. */
#include "job/download.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "base/tmpl.h"
#include "base/url.h"
#include "flow/flow.h"
#include "flow/plan.h"
#include "job/kinds.h"
#include "repo/view.h"
#include "sys/env.h"
#include "sys/file.h"

static const struct key keys[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/downloadkeys.def"
#undef K
	{0},
};
static const struct keys table = {.what = "a download job", .rows = keys, .n = ARRAY_LEN(keys) - 1};

/* An attempt at work. */
struct download {
	struct attempt *t;
	struct proc proc;
	struct loop_ev *watch, *hear;
	int reply_fd;
	struct buf reply;
	bool cancelled;
};

/* --- what job.yaml says --- */

static const struct dom *setting(const struct job *j, const char *name)
{
	return keys_get(&table, "", j->own, name);
}

/* Item i of what may be one text or a list of them; NULL where there is none. */
static const struct dom *item_of(const struct dom *v, size_t i)
{
	if (!v || v->type == DOM_NULL)
		return NULL;
	if (v->type != DOM_LIST)
		return i ? NULL : v;
	dom_each(c, v)
		if (!i--)
			return c;
	return NULL;
}

static size_t items_in(const struct dom *v)
{
	return !v || v->type == DOM_NULL ? 0 : v->type == DOM_LIST ? v->n : 1;
}

static int at(struct err *e, const struct job *j, const struct dom *v)
{
	return job_at(e, j, v->line, v->col);
}

static bool has_template(struct str s)
{
	return memmem(s.p, s.n, "{{", 2) || memmem(s.p, s.n, "{%", 2);
}

static int check_counts(const struct job *j, struct err *e)
{
	static const char *const beside[] = {"name", "sha256"};
	const struct dom *url = setting(j, "url");
	size_t n = items_in(url);

	if (!n || n > DOWNLOAD_MAX_URLS) {
		err_set(e, ERR_BAD_CONFIG, n ? "url: names %zu URLs, more than %d" : "url: names no URL", n,
		        DOWNLOAD_MAX_URLS);
		return at(e, j, url);
	}
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		const struct dom *v = setting(j, beside[i]);

		if (v && items_in(v) != n) {
			err_set(e, ERR_BAD_CONFIG, "%s: has %zu entries, url: has %zu", beside[i], items_in(v), n);
			return at(e, j, v);
		}
	}
	return 0;
}

/* Whether a name in a template is one that the unit will have; refused now, not when a run is under way. */
static int check_use(const struct job *j, struct arena *a, struct str path, struct err *e)
{
	static const char *const all[] = {"params", "inputs", "output", "ds"};
	size_t n_all = ARRAY_LEN(all) - (j->every == EVERY_NONE);
	struct str head = path, rest = STR_NULL, below, deeper, names[ARRAY_LEN(all)];
	bool known = false;

	if (str_cut(path, '.', &head, &rest) && str_cut(rest, '.', &below, &deeper))
		rest = below;
	for (size_t i = 0; i < n_all; i++) {
		names[i] = str_of(all[i]);
		known = known || str_is(head, all[i]);
	}
	if (!known) {
		err_set(e, ERR_BAD_CONFIG,
		        str_is(head, "ds") ? "a job without partition has no {{ %s }}" : "there is no {{ %s }}",
		        STR_SHOWN(head));
		if (str_is(head, "ds"))
			return err_hint(e, "partition: daily gives it one");
		return keys_hint_nearest(e, head, names, n_all);
	}
	if (!str_is(head, "params") || !rest.n || dom_get(j->params, arena_cstr(a, rest)))
		return 0;
	err_set(e, ERR_BAD_CONFIG, "there is no parameter \"%s\"", STR_SHOWN(rest));
	return err_hint(e, "params: in the job names them, each with its value");
}

static int check_template(const struct job *j, const struct dom *v, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err why = ERR_INIT;
	struct tmpl_use *uses;
	size_t n = 0;
	int r = 0;

	if (v->type != DOM_STR || !has_template(v->s))
		return 0;
	if (tmpl_uses(a, v->s, "", &uses, &n, &why))
		r = -1;
	for (size_t i = 0; i < n && !r; i++)
		r = check_use(j, a, uses[i].path, &why);
	if (!r)
		return 0;
	/* A template counts lines and columns from its own beginning; the user's file is what we name. */
	err_set(e, ERR_BAD_CONFIG, "%s", why.msg);
	if (why.hint[0])
		err_hint(e, "%s", why.hint);
	return at(e, j, v);
}

static int check_templates(const struct job *j, struct err *e)
{
	static const char *const lists[] = {"url", "name", "sha256"};

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct dom *v = setting(j, lists[k]);

		for (size_t i = 0; i < items_in(v); i++)
			if (check_template(j, item_of(v, i), e))
				return -1;
	}
	dom_each(h, setting(j, "headers"))
		if (check_template(j, h, e))
			return -1;
	return 0;
}

static int check_urls(const struct job *j, struct err *e)
{
	const struct dom *url = setting(j, "url"), *sha = setting(j, "sha256");
	struct sha parsed;

	for (size_t i = 0; i < items_in(url); i++) {
		const struct dom *u = item_of(url, i), *s = item_of(sha, i);

		if (download_url_check(u->s, e))
			return at(e, j, u);
		if (s && !has_template(s->s) && !sha_parse(s->s, &parsed)) {
			err_set(e, ERR_BAD_CONFIG, "sha256: \"%s\" is not 64 hex digits", STR_SHOWN(s->s));
			return at(e, j, s);
		}
	}
	return 0;
}

static int check_headers(const struct job *j, struct err *e)
{
	static const char *const ours[] = {"range", "if-range",      "if-none-match", "if-modified-since",
	                                   "host",  "content-length"};

	dom_each(h, setting(j, "headers")) {
		bool token = h->key.n > 0;

		for (size_t i = 0; i < h->key.n; i++)
			token = token && h->key.p[i] > ' ' && h->key.p[i] < 0x7f &&
			        !strchr("()<>@,;:\\\"/[]?={}", h->key.p[i]);
		if (!token) {
			err_set(e, ERR_BAD_CONFIG, "headers: \"%s\" is no name of a header", STR_SHOWN(h->key));
			return job_at(e, j, h->key_line, h->key_col);
		}
		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			if (h->key.n == strlen(ours[i]) && !strncasecmp(h->key.p, ours[i], h->key.n)) {
				err_set(e, ERR_BAD_CONFIG, "headers: %s is set by leat itself", STR_SHOWN(h->key));
				return job_at(e, j, h->key_line, h->key_col);
			}
	}
	return 0;
}

static int max_size(const struct job *j, int64_t *out, struct err *e)
{
	const struct dom *v = setting(j, "max_size");

	*out = DOWNLOAD_MAX_SIZE;
	if (!v || (v->type == DOM_INT && v->i > 0 && (*out = v->i)) || (v->type == DOM_STR && download_size(v->s, out)))
		return 0;
	err_set(e, ERR_BAD_CONFIG, "max_size: is no number of bytes");
	err_hint(e, "500MB, 2GiB, 1000000");
	return at(e, j, v);
}

static enum download_unpack unpack_of(const struct job *j)
{
	const struct dom *v = setting(j, "unpack");
	enum download_unpack how = UNPACK_NONE;

	if (v && !download_unpack_of(v->s, &how))
		BUG("unpack: a word that the table of keys let pass");
	return how;
}

static int check(const struct job *j, struct err *e)
{
	enum download_unpack how = unpack_of(j);
	const struct dom *name = setting(j, "name");
	int64_t size;

	if (name && (how == UNPACK_UNZIP || how == UNPACK_UNTAR)) {
		err_set(e, ERR_BAD_CONFIG, "name: does not go with unpack: %s",
		        how == UNPACK_UNZIP ? "unzip" : "untar");
		err_hint(e, "the files of an archive keep the names that they have in it");
		return at(e, j, name);
	}
	return check_counts(j, e) || check_templates(j, e) || check_urls(j, e) || check_headers(j, e) ||
	                       max_size(j, &size, e)
	               ? -1
	               : 0;
}

/* A URL that is the same for each day is likely a mistake: all partitions would hold what is there today. */
static const char *note(const struct job *j, struct arena *a, size_t n_units)
{
	const struct dom *url = setting(j, "url");
	struct err e = ERR_INIT;

	if (n_units < 2 || j->every == EVERY_NONE)
		return NULL;
	for (size_t i = 0; i < items_in(url); i++) {
		struct tmpl_use *uses;
		size_t n;

		if (tmpl_uses(a, item_of(url, i)->s, j->file.p, &uses, &n, &e)) {
			err_clear(&e); /* told where it is rendered */
			return NULL;
		}
		for (size_t k = 0; k < n; k++)
			if (str_is(uses[k].path, "ds") || str_has_prefix(uses[k].path, STR("ds.")))
				return NULL;
	}
	return arena_printf(a, "%.*s: its url has no {{ ds }} in it: all %zu partitions get what is there now",
	                    STR_ARG(j->name), n_units);
}

/* --- what the last fetch left --- */

struct known {
	const struct dom *downloads; /* of its facts; NULL: none */
	const char *view;            /* its files */
};

/*
 * The facts of the unit that made what is there now, if that was this very request and its output is still what it
 * made; then, and only then, the server may say "not modified".
 */
static int find_known(struct attempt *t, struct known *out, struct err *e)
{
	struct plan_unit *u = t->unit;
	struct db *d = t->flow->store->db;
	struct sha key, tree;
	struct str text = STR_NULL;
	char view[BLOB_PATH_CAP];
	struct dom *all;
	int r;

	*out = (struct known){0};
	if (!u || !u->current_unit || sha_is_zero(&u->current_tree) || sha_is_zero(&u->key.key))
		return 0;
	struct q *q = db_query(d, "select key, tree, ingredients from unit where id = ?");
	q_int(q, 1, u->current_unit);
	r = q_step(q, e);
	if (r == 1 && q_col_sha(q, 0, &key) && q_col_sha(q, 1, &tree) && sha_eq(&key, &u->key.key) &&
	    sha_eq(&tree, &u->current_tree) && !q_col_is_null(q, 2))
		text = arena_str(t->arena, q_col_text(q, 2));
	q_done(q);
	if (r < 0)
		return -1;
	if (!text.p || dom_json(t->arena, text, "unit", &all, e)) {
		err_clear(e); /* an old row that cannot be read: everything is fetched */
		return 0;
	}
	const char *as = t->ds.every == EVERY_NONE ? "all" : arena_printf(t->arena, "ds=%s", t->ds.label);
	if (!dom_path(all, "facts.downloads"))
		return 0;
	if (view_make(t->flow->store, &u->current_tree, as, view, sizeof(view), e)) {
		err_clear(e); /* damaged: what is fetched takes its place */
		return 0;
	}
	out->downloads = dom_path(all, "facts.downloads");
	out->view = arena_dup(t->arena, view);
	return 0;
}

/* Whether the fact is of this URL and says enough to ask for what is newer; then the item gets it. */
static void add_known(struct attempt *t, const struct known *k, size_t n_items, size_t i, const char *shown,
                      struct dom *item)
{
	static const char *const kept[] = {"etag", "last_modified", "fetched"};
	struct arena *a = t->arena;
	const struct dom *fact = item_of(k->downloads, i), *url = dom_get(fact, "url"), *name = dom_get(fact, "name");
	bool archive = unpack_of(t->job) == UNPACK_UNZIP || unpack_of(t->job) == UNPACK_UNTAR;

	if (!fact || k->downloads->n != n_items || !url || !str_is(url->s, shown) || !name ||
	    (!dom_get(fact, "etag") && !dom_get(fact, "last_modified")))
		return;
	/* Of several archives nobody knows any more which made which file. */
	if (n_items > 1 && archive)
		return;
	dom_set_cstr(a, item, "known", archive ? k->view : arena_printf(a, "%s/%.*s", k->view, STR_ARG(name->s)));
	for (size_t m = 0; m < ARRAY_LEN(kept); m++)
		if (dom_get(fact, kept[m]))
			dom_set_str(a, item, kept[m], dom_get(fact, kept[m])->s);
	if (dom_get(fact, "sha256"))
		dom_set_str(a, item, "fetched_sha256", dom_get(fact, "sha256")->s);
	if (dom_get(fact, "bytes"))
		dom_set_int(a, item, "bytes", dom_get(fact, "bytes")->i);
}

/* --- the request --- */

static int add_item(struct attempt *t, const struct known *k, size_t n, size_t i, struct map *names, struct dom *items,
                    struct err *e)
{
	struct arena *a = t->arena;
	const struct dom *url = item_of(dom_get(t->spec, "url"), i), *name = item_of(dom_get(t->spec, "name"), i);
	const struct dom *sha = item_of(dom_get(t->spec, "sha256"), i);
	struct dom *item = dom_new(a, DOM_MAP);
	const char *out, *shown = arena_cstr(a, url_redact(a, str_trim(url->s))), *before;
	struct sha parsed;

	if (download_url_check(str_trim(url->s), e) ||
	    download_url_name(a, str_trim(url->s), name ? name->s : STR_NULL, unpack_of(t->job), &out, e))
		return -1;
	before = map_get(names, str_of(out));
	if (before && unpack_of(t->job) <= UNPACK_GUNZIP) {
		err_set(e, ERR_BAD_CONFIG, "%s and %s both give %s", before, shown, out);
		return err_hint(e, "name: with a list of names tells them apart");
	}
	map_set(names, str_of(out), (void *)shown);
	dom_set_int(a, item, "number", (int64_t)i);
	dom_set_str(a, item, "url", str_trim(url->s));
	dom_set_cstr(a, item, "name", out);
	if (sha) {
		if (!sha_parse(str_trim(sha->s), &parsed))
			return err_set(e, ERR_BAD_CONFIG, "sha256: \"%s\" is not 64 hex digits", STR_SHOWN(sha->s));
		dom_set_str(a, item, "sha256", str_trim(sha->s));
	}
	add_known(t, k, n, i, shown, item);
	dom_add(items, item);
	return 0;
}

static void set_ms(struct attempt *t, struct dom *r, const char *key, const char *name)
{
	int64_t ms = 0;

	if (!keys_duration(dom_text(t->arena, setting(t->job, name)), &ms))
		BUG("%s: a duration that the table of keys let pass", name);
	dom_set_int(t->arena, r, key, MAX(ms, 1));
}

static int make_request(struct attempt *t, struct str *out, struct err *e)
{
	struct arena *a = t->arena;
	struct dom *r = dom_new(a, DOM_MAP), *items = dom_new(a, DOM_LIST);
	const struct dom *ca = setting(t->job, "ca_file"), *headers = dom_get(t->spec, "headers"),
			 *url = setting(t->job, "url");
	const char *top = t->flow->ws->dir;
	struct known known;
	struct map names;
	int64_t size;

	if (max_size(t->job, &size, e) || find_known(t, &known, e))
		return -1;
	dom_set_cstr(a, r, "out", t->out_dir);
	dom_set_cstr(a, r, "work", t->work_dir);
	dom_set_cstr(a, r, "workspace", top);
	dom_set_int(a, r, "max_size", size);
	dom_set_int(a, r, "unpack", unpack_of(t->job));
	set_ms(t, r, "connect_ms", "connect_timeout");
	set_ms(t, r, "stall_ms", "stall_timeout");
	if (ca)
		dom_set_cstr(a, r, "ca_file", path_join(a, top, arena_cstr(a, ca->s)));
	if (headers)
		dom_set(a, r, "headers", dom_copy(a, headers));
	map_init(&names, a);
	for (size_t i = 0; i < items_in(url); i++)
		if (add_item(t, &known, items_in(url), i, &names, items, e))
			return at(e, t->job, item_of(url, i));
	dom_set(a, r, "items", items);

	struct buf b cleanup(buf_free) = BUF_INIT(DOWNLOAD_MAX_MESSAGE);
	dom_write_json(&b, r, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the request is larger than %zu MiB", DOWNLOAD_MAX_MESSAGE >> 20);
	*out = arena_str(a, buf_str(&b));
	return 0;
}

/* --- the worker --- */

/* The caller's environment, for its proxies; marked, so that recovery finds the worker. */
static const char *const *environment(struct attempt *t)
{
	struct env *v = arena_new_of(t->arena, struct env);

	env_init(v, t->arena);
	for (char **p = environ; *p; p++) {
		struct str key, value;

		if (str_cut(str_of(*p), '=', &key, &value))
			env_set(v, arena_cstr(t->arena, key), arena_cstr(t->arena, value));
	}
	/* libcurl wants this one in lower case, for fear of CGI's headers. */
	if (env_get(v, "HTTP_PROXY") && !env_get(v, "http_proxy") && !env_get(v, "REQUEST_METHOD"))
		env_set(v, "http_proxy", env_get(v, "HTTP_PROXY"));
	env_set(v, PROC_MARKER, t->marker);
	return env_array(v);
}

static void end(struct download *d, struct attempt_result *r)
{
	struct attempt *t = d->t;

	loop_close(d->hear);
	loop_close(d->watch);
	fd_close(&d->reply_fd);
	proc_free(&d->proc);
	buf_free(&d->reply);
	free(d);
	t->own = NULL;
	attempt_done(t, r);
}

static void take_error(struct download *d, const struct dom *f, struct attempt_result *r)
{
	struct attempt *t = d->t;
	const struct dom *msg = dom_get(f, "msg"), *hint = dom_get(f, "hint"), *code = dom_get(f, "code"),
			 *final = dom_get(f, "final");
	const struct dom *url = item_of(setting(t->job, "url"), (size_t)dom_int(f, "item"));

	r->state = ATTEMPT_FAILED;
	err_set(&r->err, code ? err_code_of_word(code->s) : ERR_INTERNAL, "%.*s", msg ? (int)msg->s.n : 0,
	        msg ? msg->s.p : "");
	if (hint)
		err_hint(&r->err, "%.*s", STR_ARG(hint->s));
	if (url)
		at(&r->err, t->job, url);
	r->final = final && final->type == DOM_BOOL && final->b;
	r->retry_after_ms = dom_int(f, "retry_after_ms");
}

static void take_reply(struct download *d, const struct proc_exit *x, struct attempt_result *r)
{
	struct arena *a = d->t->arena;
	struct dom *reply = NULL, *facts;
	struct err e = ERR_INIT;
	char text[PROC_TEXT];

	if (d->cancelled) {
		r->state = ATTEMPT_CANCELLED;
		return;
	}
	if (!proc_exit_ok(x) || buf_over(&d->reply) ||
	    dom_json(a, arena_str(a, buf_str(&d->reply)), "reply", &reply, &e)) {
		proc_exit_text(x, text);
		r->state = ATTEMPT_FAILED;
		r->status = x->signal ? 128 + x->signal : x->status;
		err_set(&r->err, ERR_FAILED, "the download's process ended without an answer (%s)", text);
		return;
	}
	if (dom_get(reply, "error")) {
		take_error(d, dom_get(reply, "error"), r);
		return;
	}
	facts = dom_new(a, DOM_MAP);
	dom_set(a, facts, "downloads", dom_copy(a, dom_get(reply, "downloads")));
	r->facts = facts;
}

/* Reads what is there. */
static void hear(struct download *d)
{
	char block[16384];
	ssize_t n;

	while ((n = read(d->reply_fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(&d->reply, block, (size_t)n);
	if (!n && d->hear) {
		loop_close(d->hear);
		d->hear = NULL;
	}
}

static void on_reply(struct loop_ev *ev, uint32_t events, void *ptr)
{
	(void)ev;
	(void)events;
	hear(ptr);
}

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct download *d = ptr;
	struct attempt_result r = {.state = ATTEMPT_OK, .err = ERR_INIT};

	(void)ev;
	d->watch = NULL;
	hear(d);
	take_reply(d, x, &r);
	end(d, &r);
}

static int request_fd(struct str request, int *out, struct err *e)
{
	int fd FD_CLEANUP = memfd_create("leat-download", MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "no memory for the download's request");
	if (fd_write_all(fd, request.p, request.n, "request", e))
		return -1;
	if (lseek(fd, 0, SEEK_SET))
		return err_errno(e, errno, "the download's request");
	*out = fd_steal(&fd);
	return 0;
}

static int spawn(struct download *d, struct str request, struct err *e)
{
	struct attempt *t = d->t;
	const char *argv[] = {proc_self_exe(), "--role", "download", NULL};
	struct proc_spec s = PROC_SPEC;
	int in FD_CLEANUP = -1, reply FD_CLEANUP = -1, pipe[2], log;

	if (attempt_log_fd(t, &log, e) || request_fd(request, &in, e) || fd_pipe(pipe, e))
		return -1;
	d->reply_fd = pipe[0];
	reply = pipe[1];
	s.argv = argv;
	s.env = environment(t);
	s.cwd = t->work_dir;
	s.out = s.err = log;
	s.fds[0] = in;
	s.fds[1] = reply;
	s.n_fds = 2;
	s.die_with_parent = true;
	return fd_nonblock(d->reply_fd, true, e) || proc_spawn(&s, &d->proc, e) ? -1 : 0;
}

static int watch(struct download *d, struct err *e)
{
	if (!loop_fd(d->t->loop, d->reply_fd, EPOLLIN, on_reply, d, &d->hear, e) &&
	    !loop_child(d->t->loop, &d->proc, on_exit_of, d, &d->watch, e))
		return 0;
	loop_close(d->hear);
	proc_signal(&d->proc, SIGKILL);

	struct err ignored = ERR_INIT;
	struct proc_exit x;
	if (proc_wait(&d->proc, &x, &ignored))
		err_clear(&ignored);
	return -1;
}

static int start(struct attempt *t, struct err *e)
{
	struct download *d;
	struct str request;

	/* Folders of tasks are used again, and made only for kinds that run programs of the user's. */
	if (make_request(t, &request, e) || dir_make(t->work_dir, 0700, e))
		return -1;
	d = xcalloc(1, sizeof(*d));
	*d = (struct download){.t = t, .proc = PROC_INIT, .reply_fd = -1, .reply = BUF_INIT(DOWNLOAD_MAX_MESSAGE)};
	if (spawn(d, request, e) || watch(d, e)) {
		fd_close(&d->reply_fd);
		proc_free(&d->proc);
		free(d);
		return -1;
	}
	t->own = d;
	return 0;
}

static void cancel(struct attempt *t, bool hard)
{
	struct download *d = t->own;

	if (!d)
		return;
	d->cancelled = true;
	proc_signal(&d->proc, hard ? SIGKILL : SIGTERM);
}

static const char *const no_code[] = {NULL};

const struct job_kind kind_download = {
	.name = "download",
	.text = "Files of the web, or of this machine, as they are at their source.",
	.keys = keys,
	.code_names = no_code,
	.outside_world = true,
	.check = check,
	.note = note,
	.start = start,
	.cancel = cancel,
};
