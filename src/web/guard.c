/* Who may: the token, codes that stand for it once, and what a browser says of where a request comes from. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/str.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include "web/web_in.h"

#define CODE_MS (10 * 60 * 1000)
#define SESSION_MS ((int64_t)30 * 24 * 3600 * 1000)
#define COOKIE "leat_session"

bool guard_same(struct str a, struct str b)
{
	unsigned char differs = a.n != b.n;

	for (size_t i = 0; i < a.n && i < b.n; i++)
		differs |= (unsigned char)(a.p[i] ^ b.p[i]);
	return !differs && a.n;
}

static void make_secret(char out[WEB_TOKEN])
{
	uint8_t bytes[WEB_TOKEN_BYTES];

	rand_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), out);
}

int guard_begin(struct web *w, struct err *e)
{
	struct str text;
	struct err none = ERR_INIT;
	struct stat st;

	w->token_file = arena_printf(w->arena, "%s/serve.token", w->conf.store->leat_dir);
	if (!file_read_plain(w->arena, w->token_file, WEB_TOKEN * 4, &text, &none)) {
		text = str_trim(text);
		if (file_stat(w->token_file, &st, e))
			return -1;
		if (st.st_mode & 077) {
			err_set(e, ERR_PERMISSION, ".leat/serve.token can be read by others than its owner");
			return err_hint(e, "chmod 600 .leat/serve.token, or delete it: a new one is then made");
		}
		if (text.n == WEB_TOKEN - 1) {
			memcpy(w->token, text.p, text.n);
			return 0;
		}
	} else if (none.code != ERR_NOT_FOUND) {
		*e = none;
		return -1;
	}
	make_secret(w->token);
	return file_replace(w->token_file, arena_strf(w->arena, "%s\n", w->token), 0600, 0, e);
}

/* HOST[:PORT], [V6]:PORT: without the port. */
static struct str host_of(struct str s)
{
	struct str host = s, port;

	if (s.n && s.p[0] == '[') {
		const char *end = memchr(s.p, ']', s.n);

		return end ? (struct str){s.p, (size_t)(end - s.p) + 1} : s;
	}
	return str_cut(s, ':', &host, &port) ? host : s;
}

static bool is_loopback(struct arena *a, struct str host)
{
	struct in_addr v4;

	return str_ieq(host, STR("localhost")) || str_is(host, "[::1]") ||
	       (inet_pton(AF_INET, arena_cstr(a, host), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

bool guard_outside(const struct call *c)
{
	const char *name = c->web->conf.behind;
	struct str host;

	if (!name || http_is_local(c->r))
		return false;
	host = http_header(c->r, "Host");
	return str_ieq(host, str_of(name)) || str_ieq(host_of(host), str_of(name));
}

/* By which a proxy says for whom it asks. */
static bool is_passed_on(struct call *c)
{
	static const char *const names[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	                                    "X-Real-IP", "Via"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (http_header(c->r, names[i]).p)
			return true;
	return false;
}

/* A page of another site may know our address, by any name that leads here; it cannot lie about these headers. */
int guard_site(struct call *c, struct err *e)
{
	struct str host = http_header(c->r, "Host"), origin = http_header(c->r, "Origin"), rest;
	struct str site = http_header(c->r, "Sec-Fetch-Site"), scheme = STR("http://");

	if (http_is_local(c->r))
		return 0;
	if (guard_outside(c)) {
		struct str proto = http_header(c->r, "X-Forwarded-Proto");

		if (proto.p && !str_ieq(proto, STR("https"))) {
			err_set(e, ERR_PERMISSION, "this is answered over TLS only");
			return err_hint(e, "https://%s", c->web->conf.behind);
		}
		scheme = STR("https://");
		goto origin;
	}
	/* What reads without a token is for who sits here; a proxy would let everybody read. */
	if (is_passed_on(c)) {
		err_set(e, ERR_PERMISSION, "a proxy passed this on under the name %s", STR_SHOWN(host));
		if (!c->web->conf.behind)
			return err_hint(e, "leat serve --behind HOST --port PORT, and users by leat user add");
		return err_hint(e, "it has to pass on the name that was asked for: %s", c->web->conf.behind);
	}
	if (!host.n || !is_loopback(c->a, host_of(host))) {
		err_set(e, ERR_PERMISSION, "this is %s, which answers to localhost only", STR_SHOWN(host));
		return err_hint(e, "http://localhost:%d", http_port(c->web->http));
	}
origin:
	if (origin.p) {
		rest = str_has_prefix(origin, scheme) ? str_sub(origin, scheme.n, origin.n) : STR_NULL;
		if (!rest.p || !str_ieq(rest, host))
			return err_set(e, ERR_PERMISSION, "pages of %s may not call this", STR_SHOWN(origin));
	}
	if (str_is(site, "cross-site"))
		return err_set(e, ERR_PERMISSION, "pages of other sites may not call this");
	return 0;
}

static struct str cookie(struct call *c)
{
	struct str rest = http_header(c->r, "Cookie"), part, name, value;

	while (rest.n) {
		if (!str_cut(rest, ';', &part, &rest)) {
			part = rest;
			rest = STR_NULL;
		}
		if (str_cut(str_trim(part), '=', &name, &value) && str_is(name, COOKIE))
			return value;
	}
	return STR_NULL;
}

static struct web_code *find_code(struct web_code *all, struct str text)
{
	for (size_t i = 0; i < WEB_CODES; i++)
		if (all[i].until > clock_mono_ms() && guard_same(text, str_of(all[i].text)))
			return all + i;
	return NULL;
}

static struct web_code *new_code(struct web_code *all, int64_t ms)
{
	struct web_code *oldest = all;

	for (size_t i = 1; i < WEB_CODES; i++)
		if (all[i].until < oldest->until)
			oldest = all + i;
	make_secret(oldest->text);
	oldest->until = clock_mono_ms() + ms;
	return oldest;
}

static bool is_users(struct call *c, struct str token)
{
	struct err e = ERR_INIT;
	struct str name;

	/* A file that is not right lets nobody in. */
	return serve_user(c->web->conf.store, c->a, token, &name, &e) == 1;
}

bool guard_has_token(struct call *c)
{
	struct str auth = http_header(c->r, "Authorization"), token;

	if (http_is_local(c->r))
		return true;
	if (auth.n > 7 && str_ieq(str_sub(auth, 0, 7), STR("Bearer "))) {
		token = str_trim(str_sub(auth, 7, auth.n));
		return guard_same(token, str_of(c->web->token)) || is_users(c, token);
	}
	/* A browser sends its cookie for whoever asks, and with a POST says for whom. */
	if (strcmp(http_method(c->r), "GET") && !http_header(c->r, "Origin").p)
		return false;
	return find_code(c->web->sessions, cookie(c));
}

void route_code(struct call *c)
{
	struct dom *d = dom_new(c->a, DOM_MAP);

	dom_set_cstr(c->a, d, "code", new_code(c->web->codes, CODE_MS)->text);
	dom_set_int(c->a, d, "seconds", CODE_MS / 1000);
	answer_json(c, 200, d);
}

/* The cookie for a code, which is used up by it; NULL: it is none. */
static const char *let_in(struct call *c, struct str text, struct err *e)
{
	struct web_code *code = find_code(c->web->codes, text);

	if (!code) {
		err_set(e, ERR_UNAUTHORIZED, "that code is not one, or has been used, or is older than %d minutes",
		        CODE_MS / 60000);
		err_hint(e, "leat ui prints another one");
		return NULL;
	}
	code->until = 0;
	return arena_printf(c->a, COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
	                    new_code(c->web->sessions, SESSION_MS)->text, (long long)(SESSION_MS / 1000),
	                    guard_outside(c) ? "; Secure" : "");
}

void route_login(struct call *c)
{
	struct err e = ERR_INIT;
	struct dom *in = c->json ? dom_get(c->json, "code") : NULL, *d = dom_new(c->a, DOM_MAP);
	const char *set;
	struct buf b = BUF_INIT(4096);

	if (!in || in->type != DOM_STR) {
		err_set(&e, ERR_BAD_REQUEST, "the body is to be {\"code\": \"...\"}");
		answer_problem(c, &e);
		return;
	}
	set = let_in(c, in->s, &e);
	if (!set) {
		answer_problem(c, &e);
		return;
	}
	dom_set_bool(c->a, d, "ok", true);
	dom_write_json(&b, d, DOM_COMPACT);
	http_answer(c->r, 200, (const char *const[]){"Content-Type", "application/json", "Set-Cookie", set, NULL},
	            buf_str(&b));
	buf_free(&b);
}

void route_enter(struct call *c)
{
	struct err e = ERR_INIT;
	pairs q = {0};
	const char *set;

	if (query_pairs(c->a, http_query(c->r), &q, &e)) {
		answer_problem(c, &e);
		return;
	}
	if (!query_get(&q, "code").p) {
		err_set(&e, ERR_BAD_REQUEST, "there is no code");
		err_hint(&e, "leat ui prints a URL with one");
		answer_problem(c, &e);
		return;
	}
	set = let_in(c, query_get(&q, "code"), &e);
	if (!set) {
		answer_problem(c, &e);
		return;
	}
	http_answer(c->r, 200,
	            (const char *const[]){"Content-Type", "text/plain; charset=utf-8", "Referrer-Policy", "no-referrer",
	                                  "Set-Cookie", set, NULL},
	            STR("This browser may use the API of this workspace now: /api/v1/status, /api/v1/runs, ...\n"));
}
