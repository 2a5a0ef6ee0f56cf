/* Who comes in over HTTP: `leat ui`, a URL for one browser; `leat user`, tokens of others than the owner. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/serve.h"
#include "base/hash.h"
#include "base/name.h"
#include "base/str.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/rand.h"

#define ANSWER_MAX  ((size_t)16 << 10)
#define ANSWER_S    10
#define USERS_MAX   ((size_t)256 << 10)
#define TOKEN_BYTES 32

/* --- leat ui --- */

static int connect_daemon(struct api *api, int *out, struct err *e)
{
	const char *path = arena_printf(api->arena, "%s/serve.sock", api->store->leat_dir);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = ANSWER_S};
	int fd FD_CLEANUP = -1;

	if (strlen(path) >= sizeof(a.sun_path)) {
		err_set(e, ERR_LIMIT, "%s is too long for the name of a socket, so the daemon has none", path);
		return err_hint(e, "use the token in .leat/serve.token");
	}
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, errno, "a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return err_errno(e, errno, "%s", path);
	*out = fd_steal(&fd);
	return 0;
}

static int ask_code(struct api *api, struct str *code, struct err *e)
{
	static const char question[] = "POST /api/v1/code HTTP/1.0\r\nHost: leat\r\nContent-Length: 0\r\n\r\n";
	int fd FD_CLEANUP = -1;
	struct str text;
	struct dom *doc;
	const char *body;
	const struct dom *v;

	if (connect_daemon(api, &fd, e) || fd_write_all(fd, question, strlen(question), "the daemon", e) ||
	    file_read_fd(api->arena, fd, "the daemon", ANSWER_MAX, &text, e))
		return -1;
	body = strstr(text.p, "\r\n\r\n");
	if (!body || dom_json(api->arena, str_of(body + 4), "the daemon's answer", &doc, e) ||
	    !(v = dom_get(doc, "code")) || v->type != DOM_STR)
		return err_set(e, ERR_FAILED, "the daemon gives no code");
	*code = v->s;
	return 0;
}

int api_ui(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);
	const struct dom *place, *name;
	struct str code = STR_NULL;
	int r = serve_place(api->store, api->arena, &place, e);

	(void)args;
	if (r < 0)
		return -1;
	if (!r || !dom_get(place, "port")) {
		err_set(e, ERR_NOT_FOUND, "no daemon serves this workspace over HTTP");
		return err_hint(e, "leat serve");
	}
	if (ask_code(api, &code, e))
		return -1;
	name = dom_get(place, "behind");
	dom_set_str(api->arena, row, "url",
	            name ? arena_strf(api->arena, "https://%.*s/enter?code=%.*s", STR_ARG(name->s), STR_ARG(code))
	                 : arena_strf(api->arena, "http://localhost:%.*s/enter?code=%.*s",
	                              STR_ARG(dom_text(api->arena, dom_get(place, "port"))), STR_ARG(code)));
	return sink_row(out, row, e);
}

/* --- users --- */

static const char *users_file(const struct store *s, struct arena *a)
{
	return arena_printf(a, "%s/serve.users", s->leat_dir);
}

/* Lines of NAME and the SHA-256 of the token, in hex; none: "". */
static int read_users(const struct store *s, struct arena *a, struct str *out, struct err *e)
{
	const char *path = users_file(s, a);
	struct err why = ERR_INIT;
	struct stat st;

	*out = STR("");
	if (file_read_plain(a, path, USERS_MAX, out, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		*e = why;
		return -1;
	}
	if (file_stat(path, &st, e))
		return -1;
	if (st.st_mode & 077) {
		err_set(e, ERR_PERMISSION, ".leat/serve.users can be read by others than its owner");
		return err_hint(e, "chmod 600 .leat/serve.users");
	}
	return 0;
}

static const char *hash_of(struct arena *a, struct str token)
{
	struct sha id = sha_of(token.p, token.n);
	char hex[SHA_HEX + 1];

	sha_hex(&id, hex);
	return arena_printf(a, "%s", hex);
}

/* Tokens are random: nobody finds one by its hash, nor by how long the comparison takes. */
int serve_user(struct store *s, struct arena *a, struct str token, struct str *name, struct err *e)
{
	struct str all, line, who, hash;
	const char *want;

	if (token.n != TOKEN_BYTES * 2)
		return 0;
	if (read_users(s, a, &all, e))
		return -1;
	want = hash_of(a, token);
	while (str_next_line(&all, &line))
		if (str_cut(line, ' ', &who, &hash) && str_is(str_trim(hash), want)) {
			*name = who;
			return 1;
		}
	return 0;
}

static int tell_users(struct api *api, struct str all, struct sink *out, struct err *e)
{
	struct str line, who, hash;
	bool any = false;

	while (str_next_line(&all, &line))
		if (str_cut(line, ' ', &who, &hash)) {
			struct dom *row = dom_new(api->arena, DOM_MAP);

			any = true;
			dom_set_str(api->arena, row, "user", who);
			if (sink_row(out, row, e))
				return -1;
		}
	if (!any)
		sink_note(out, "no users; leat user add NAME makes one");
	return 0;
}

/* All lines but the user's. */
static bool without(struct buf *b, struct str all, struct str name)
{
	struct str line, who, hash;
	bool found = false;

	while (str_next_line(&all, &line)) {
		if (!str_cut(line, ' ', &who, &hash))
			continue;
		if (str_eq(who, name)) {
			found = true;
			continue;
		}
		buf_addf(b, "%.*s\n", STR_ARG(line));
	}
	return found;
}

static int add_user(struct api *api, struct buf *b, bool there, struct str name, struct sink *out, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);
	uint8_t bytes[TOKEN_BYTES];
	char token[2 * TOKEN_BYTES + 1];

	if (there) {
		err_set(e, ERR_REFUSED, "there is a user %.*s already", STR_ARG(name));
		return err_hint(e, "leat user rm %.*s, then add: its old token is no good then", STR_ARG(name));
	}
	rand_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), token);
	buf_addf(b, "%.*s %s\n", STR_ARG(name), hash_of(api->arena, str_of(token)));
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "more users than .leat/serve.users may hold (%zu KiB)", USERS_MAX >> 10);
	if (file_replace(users_file(api->store, api->arena), buf_str(b), 0600, FILE_SYNC, e))
		return -1;
	dom_set_str(api->arena, row, "user", name);
	dom_set_cstr(api->arena, row, "token", token);
	return sink_row(out, row, e);
}

int api_user(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(USERS_MAX);
	struct lock lock cleanup(lock_drop) = LOCK_INIT;
	struct str what = args_pos(args, 0), name = args_pos(args, 1), all;
	bool add = str_is(what, "add"), there;

	if (!what.p)
		return read_users(api->store, api->arena, &all, e) ? -1 : tell_users(api, all, out, e);
	if (!add && !str_is(what, "rm")) {
		err_set(e, ERR_BAD_REQUEST, "user %s: it is add or rm", STR_SHOWN(what));
		return err_hint(e, "leat user add NAME");
	}
	if (!name.n) {
		err_set(e, ERR_BAD_REQUEST, "user %.*s wants a name", STR_ARG(what));
		return err_hint(e, "leat user %.*s ada", STR_ARG(what));
	}
	if (name_check_branch(name, e)) {
		err_set(e, ERR_BAD_NAME, "'%s' cannot be a user's name", STR_SHOWN(name));
		return err_hint(e, "letters, digits, - and _");
	}
	if (lock_take(&lock, arena_printf(api->arena, "%s/serve.users.lock", api->store->leat_dir), NULL, 0, e) ||
	    read_users(api->store, api->arena, &all, e))
		return -1;
	there = without(&b, all, name);
	if (add)
		return add_user(api, &b, there, name, out, e);
	if (!there) {
		err_set(e, ERR_NOT_FOUND, "there is no user %.*s", STR_ARG(name));
		return err_hint(e, "leat user lists them");
	}
	return file_replace(users_file(api->store, api->arena), buf_str(&b), 0600, FILE_SYNC, e);
}
