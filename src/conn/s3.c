#include "conn/s3.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"
#include "flow/secret.h"
#include "sys/file.h"
#include "sys/proc.h"

#define REGION "us-east-1" /* what stores without regions call theirs */
#define STALL_MS 60000

/* Where, and who. All in the push's arena. */
struct place {
	struct str bucket, prefix, endpoint, region;
	struct str key, secret, token, ca_file;
	bool path_style;
	int64_t stall_ms;
};

/* --- what the connection and the environment say --- */

static struct str env_of(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? str_of(v) : STR_NULL;
}

static struct str first_of(struct str a, struct str b)
{
	return a.p ? a : b;
}

static const struct dom *connection_of(const struct workspace *ws, struct str name)
{
	const struct dom *all = workspace_setting(ws, "connections");

	dom_each(c, all)
		if (str_eq(c->key, name))
			return c;
	return NULL;
}

static int secret_of(struct egress_push *p, const char *key, struct str *out, struct err *e)
{
	struct str value;

	if (secret_value(p->arena, p->flow->ws, p->to->connection, str_of(key), &value, e))
		return -1;
	*out = arena_str(p->arena, secret_bare(value));
	return 0;
}

/* Of a connection: secrets/NAME/access_key and its like, as secret_value finds them. The token may be absent. */
static int connection_secrets(struct egress_push *p, struct place *at, struct err *e)
{
	struct err absent = ERR_INIT;

	if (secret_of(p, "access_key", &at->key, e) || secret_of(p, "secret_key", &at->secret, e))
		return -1;
	if (secret_of(p, "session_token", &at->token, &absent) && absent.code != ERR_MISSING_INPUT) {
		*e = absent;
		return -1;
	}
	return 0;
}

static int take_connection(struct egress_push *p, struct place *at, struct err *e)
{
	const struct dom *c = connection_of(p->flow->ws, p->to->connection), *style, *stall;

	at->endpoint = first_of(at->endpoint, dom_str(c, "endpoint"));
	at->region = dom_str(c, "region");
	at->ca_file = dom_str(c, "ca_file");
	style = dom_get(c, "path_style");
	if (style && style->type == DOM_BOOL)
		at->path_style = style->b;
	stall = dom_get(c, "timeout");
	if (stall && !keys_duration(dom_text(p->arena, stall), &at->stall_ms))
		BUG("a timeout that was not checked");
	return at->key.p ? 0 : connection_secrets(p, at, e);
}

static int take_environment(struct egress_push *p, struct place *at, struct err *e)
{
	at->endpoint = first_of(at->endpoint, first_of(env_of("AWS_ENDPOINT_URL_S3"), env_of("AWS_ENDPOINT_URL")));
	at->region = first_of(env_of("AWS_REGION"), env_of("AWS_DEFAULT_REGION"));
	at->ca_file = env_of("AWS_CA_BUNDLE");
	if (at->key.p)
		return 0;
	at->key = env_of("AWS_ACCESS_KEY_ID");
	at->secret = env_of("AWS_SECRET_ACCESS_KEY");
	at->token = env_of("AWS_SESSION_TOKEN");
	if (at->key.p && at->secret.p)
		return 0;
	err_set(e, ERR_MISSING_INPUT, "there is no access key for %.*s", STR_ARG(p->to->told));
	return err_hint(e,
	                "connection: NAME beside its URL, a connection of leat.yaml with secrets/NAME/access_key and "
	                "secret_key; or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

/* --- what the URL says --- */

static int bad_url(struct egress_push *p, const char *why, struct err *e)
{
	err_set(e, ERR_BAD_CONFIG, "%.*s %s", STR_ARG(p->to->told), why);
	err_hint(e, "s3://BUCKET/PREFIX, or https://HOST[:PORT]/BUCKET/PREFIX");
	return job_at(e, p->to->job, p->to->line, p->to->col);
}

static bool is_bucket(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_')
			return false;
	return s.n >= 3 && s.n <= 63;
}

static int take_url(struct egress_push *p, struct place *at, struct err *e)
{
	const struct egress *x = p->to;
	struct str rest = x->place, host, user;
	bool web = !str_ieq(x->scheme, STR("s3"));

	if (memchr(rest.p, '?', rest.n) || memchr(rest.p, '#', rest.n))
		return bad_url(p, "cannot have a ? or #: a connection says the rest", e);
	if (web) {
		if (!str_cut(rest, '/', &host, &rest))
			return bad_url(p, "names no bucket", e);
		if (str_rcut(host, '@', &user, &host)) {
			if (!str_cut(user, ':', &at->key, &at->secret))
				return bad_url(p, "has an access key without a secret one", e);
			at->key = arena_str(p->arena, url_decode(p->arena, at->key));
			at->secret = arena_str(p->arena, url_decode(p->arena, at->secret));
		}
		at->endpoint = arena_strf(p->arena, "%.*s://%.*s", STR_ARG(x->scheme), STR_ARG(host));
	}
	at->bucket = rest;
	at->prefix = STR("");
	if (str_cut(rest, '/', &at->bucket, &at->prefix))
		while (at->prefix.n && at->prefix.p[at->prefix.n - 1] == '/')
			at->prefix.n--;
	return is_bucket(at->bucket) ? 0 : bad_url(p, "names no bucket", e);
}

/* AWS's own endpoint of a region; elsewhere buckets are parts of the path unless the connection says so. */
static void complete(struct egress_push *p, struct place *at)
{
	struct arena *a = p->arena;
	bool dotted = memchr(at->bucket.p, '.', at->bucket.n);

	at->region = first_of(at->region, STR(REGION));
	if (!at->endpoint.p) {
		at->endpoint = arena_strf(a, "https://s3.%.*s.amazonaws.com", STR_ARG(at->region));
		at->path_style = dotted; /* no certificate is for two names below s3 */
	}
	if (at->ca_file.p)
		at->ca_file = str_of(path_join(a, p->flow->ws->dir, arena_cstr(a, at->ca_file)));
}

static int check(struct flow *f, const struct egress *x, struct err *e)
{
	if (!x->connection.p || connection_of(f->ws, x->connection))
		return 0;
	err_set(e, ERR_BAD_CONFIG, "there is no connection %.*s in leat.yaml", STR_ARG(x->connection));
	err_hint(e, "connections: {%.*s: {endpoint: \"https://HOST:PORT\", region: us-east-1}}",
	         STR_ARG(x->connection));
	return job_at(e, x->job, x->line, x->col);
}

/* --- the worker --- */

static struct dom *request_of(struct egress_push *p, const struct place *at)
{
	struct arena *a = p->arena;
	struct dom *r = dom_new(a, DOM_MAP);
	char tree[SHA_HEX + 1];

	sha_hex(p->now, tree);
	dom_set_cstr(a, r, "workspace", p->flow->ws->dir);
	dom_set_cstr(a, r, "tree", tree);
	dom_set_str(a, r, "repo", p->repo);
	dom_set_cstr(a, r, "commit", p->commit->hex);
	dom_set_str(a, r, "endpoint", at->endpoint);
	dom_set_bool(a, r, "path_style", at->path_style);
	dom_set_str(a, r, "bucket", at->bucket);
	dom_set_str(a, r, "prefix", at->prefix);
	dom_set_str(a, r, "region", at->region);
	dom_set_str(a, r, "key", at->key);
	dom_set_str(a, r, "secret", at->secret);
	if (at->token.p)
		dom_set_str(a, r, "token", at->token);
	if (at->ca_file.p)
		dom_set_str(a, r, "ca_file", at->ca_file);
	dom_set_int(a, r, "stall_ms", at->stall_ms);
	return r;
}

/* In memory, by descriptor: nobody sees it in a list of processes or in a file. */
static int request_fd(const struct dom *request, int *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(S3_MESSAGE_MAX);
	int fd FD_CLEANUP = memfd_create("leat-s3", MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "no memory for the request of a push");
	dom_write_json(&b, request, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "a connection of more than %zu bytes", S3_MESSAGE_MAX);
	if (fd_pwrite_all(fd, b.p, b.n, 0, "request", e))
		return -1;
	*out = fd_steal(&fd);
	return 0;
}

static size_t count_of(const struct dom *reply, const char *key)
{
	const struct dom *v = dom_get(reply, key);

	return v && v->type == DOM_INT ? (size_t)v->i : 0;
}

static int take_reply(struct egress_push *p, struct str text, const struct proc_exit *x, struct err *e)
{
	struct err bad = ERR_INIT;
	struct dom *reply;
	const struct dom *f;
	char how[PROC_TEXT];

	if (!proc_exit_ok(x) || dom_json(p->arena, text, "reply", &reply, &bad)) {
		proc_exit_text(x, how);
		return err_set(e, ERR_FAILED, "the process that pushes ended without an answer (%s)", how);
	}
	p->n_written = count_of(reply, "written");
	p->n_removed = count_of(reply, "removed");
	f = dom_get(reply, "error");
	if (!f)
		return 0;
	struct str msg = dom_str(f, "msg"), hint = dom_str(f, "hint");
	err_set(e, err_code_of_word(dom_str(f, "code")), "%.*s", STR_ARG(msg));
	if (hint.p)
		err_hint(e, "%.*s", STR_ARG(hint));
	return -1;
}

static int push(struct egress_push *p, struct err *e)
{
	const char *argv[] = {proc_self_exe(), "--role", S3_ROLE, NULL};
	struct proc_spec s = PROC_SPEC;
	struct place at = {.path_style = true, .stall_ms = STALL_MS};
	int in FD_CLEANUP = -1;
	struct proc_exit x;
	struct str reply;

	if (take_url(p, &at, e) ||
	    (p->to->connection.p ? take_connection(p, &at, e) : take_environment(p, &at, e)))
		return -1;
	complete(p, &at);
	if (request_fd(request_of(p, &at), &in, e))
		return -1;
	s.argv = argv;
	s.fds[0] = in;
	s.n_fds = 1;
	s.die_with_parent = true;
	s.same_group = true; /* Ctrl-C reaches both */
	if (proc_output(p->arena, &s, S3_MESSAGE_MAX, -1, &reply, &x, e))
		return -1;
	return take_reply(p, reply, &x, e);
}

const struct egress_kind egress_s3 = {.scheme = "s3", .check = check, .push = push};
const struct egress_kind egress_http = {.scheme = "http", .check = check, .push = push};
const struct egress_kind egress_https = {.scheme = "https", .check = check, .push = push};
