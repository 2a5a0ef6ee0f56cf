#include "note/zmtp.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"

/* The greeting: signature, version, mechanism, whether we are its server, filler (RFC 23, "Overall packet flow"). */
#define GREETING 64
#define MECHANISM 12 /* where its 20 bytes begin */
#define MECHANISM_BYTES 20
#define MAJOR 10

#define FLAG_MORE 0x01
#define FLAG_LONG 0x02
#define FLAG_COMMAND 0x04
#define FLAGS_UNKNOWN 0xf8
#define COMMAND_MAX 4096
#define READ_STEP ((size_t)64 << 10)
#define HELD_MAX ((size_t)64 << 20)

static const char *const type_words[] = {[ZMTP_DEALER] = "DEALER", [ZMTP_SUB] = "SUB"};

void zmtp_init(struct zmtp *z, enum zmtp_type type, const char *name, const char *identity)
{
	*z = (struct zmtp){.fd = -1, .type = type, .name = name, .identity = identity};
	buf_init(&z->in, ZMTP_FRAMES_MAX + ZMTP_FRAME_MAX + READ_STEP);
	buf_init(&z->out, ZMTP_FRAME_MAX + HELD_MAX);
	buf_init(&z->held, HELD_MAX);
}

void zmtp_close(struct zmtp *z)
{
	fd_close(&z->fd);
	buf_free(&z->in);
	buf_free(&z->out);
	buf_free(&z->held);
	z->greeted = z->ready = false;
}

static void add_frame(struct buf *b, unsigned flags, struct str s)
{
	if (s.n > 255) {
		buf_addc(b, (char)(flags | FLAG_LONG));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_addc(b, (char)((uint64_t)s.n >> shift & 0xff));
	} else {
		buf_addc(b, (char)flags);
		buf_addc(b, (char)s.n);
	}
	buf_addstr(b, s);
}

static void add_property(struct buf *b, const char *name, const char *value)
{
	size_t n = strlen(value);

	buf_addc(b, (char)strlen(name));
	buf_adds(b, name);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_addc(b, (char)(n >> shift & 0xff));
	buf_adds(b, value);
}

static void say_hello(struct zmtp *z)
{
	char greeting[GREETING] = {[0] = (char)0xff, [9] = 0x7f, [MAJOR] = 3};

	memcpy(greeting + MECHANISM, "NULL", 4);
	buf_add(&z->out, greeting, sizeof(greeting));
}

static void say_ready(struct zmtp *z)
{
	struct buf b cleanup(buf_free) = BUF_INIT(COMMAND_MAX);

	buf_adds(&b, "\5READY");
	add_property(&b, "Socket-Type", type_words[z->type]);
	if (z->identity)
		add_property(&b, "Identity", z->identity);
	add_frame(&z->out, FLAG_COMMAND, buf_str(&b));
}

int zmtp_connect(struct zmtp *z, const char *place, int port, struct err *e)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd FD_CLEANUP = -1, one = 1;
	bool there;

	if (!port && strlen(place) >= sizeof(local.sun_path))
		return err_set(e, ERR_LIMIT, "the path of a socket, %s, has more than %zu bytes", place,
		               sizeof(local.sun_path) - 1);
	if ((fd = socket(port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return err_errno(e, errno, "a socket for the kernel's %s", z->name);
	if (port) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		there = !connect(fd, (struct sockaddr *)&tcp, sizeof(tcp));
	} else {
		memcpy(local.sun_path, place, strlen(place) + 1);
		there = !connect(fd, (struct sockaddr *)&local, sizeof(local));
	}
	if (!there && (errno == ENOENT || errno == ECONNREFUSED || errno == EINTR || errno == EAGAIN))
		return 0;
	if (!there)
		return err_errno(e, errno, "the kernel's %s", z->name);
	if (fd_nonblock(fd, true, e))
		return -1;
	z->fd = fd_steal(&fd);
	say_hello(z);
	if (z->type == ZMTP_SUB) /* to all there is: the topic is empty */
		add_frame(&z->held, 0, STR("\1"));
	return 1;
}

bool zmtp_wants_out(const struct zmtp *z)
{
	return z->out.n > 0;
}

static int flush(struct zmtp *z, struct err *e)
{
	while (z->out.n) {
		ssize_t n = send(z->fd, z->out.p, z->out.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return err_errno(e, errno, "the kernel's %s", z->name);
		buf_consume(&z->out, (size_t)n);
	}
	return 0;
}

int zmtp_send(struct zmtp *z, const struct str *frames, size_t n, struct err *e)
{
	struct buf *b = z->ready ? &z->out : &z->held;

	for (size_t i = 0; i < n; i++)
		add_frame(b, i + 1 < n ? FLAG_MORE : 0, frames[i]);
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "more waits for the kernel's %s than the limit, %zu MiB", z->name,
		               b->max >> 20);
	return z->fd < 0 ? 0 : flush(z, e);
}

static int bad(const struct zmtp *z, struct err *e, const char *what)
{
	return err_set(e, ERR_BAD_DATA, "the kernel's %s does not speak ZMTP 3: %s", z->name, what);
}

/* 1 = there and right, 0 = not whole yet. */
static int take_greeting(struct zmtp *z, struct err *e)
{
	static const char null_mechanism[MECHANISM_BYTES] = "NULL";
	const unsigned char *p = (const unsigned char *)z->in.p;

	if ((z->in.n > 0 && p[0] != 0xff) || (z->in.n > 9 && !(p[9] & 1)) || (z->in.n > MAJOR && p[MAJOR] < 3))
		return bad(z, e, "its greeting is another one");
	if (z->in.n < GREETING)
		return 0;
	if (memcmp(p + MECHANISM, null_mechanism, MECHANISM_BYTES) != 0)
		return bad(z, e, "it wants a password");
	buf_consume(&z->in, GREETING);
	z->greeted = true;
	say_ready(z);
	return 1;
}

struct frame {
	unsigned flags;
	struct str body;
	size_t whole; /* bytes with its head */
};

/* The frame at `at`: 1; 0 = not whole; -1. */
static int frame_at(const struct zmtp *z, size_t at, struct frame *out, struct err *e)
{
	const unsigned char *p = (const unsigned char *)z->in.p + at;
	size_t left = z->in.n - at, head = 2;
	uint64_t n = 0;

	if (!left)
		return 0;
	if (p[0] & FLAGS_UNKNOWN || (p[0] & (FLAG_COMMAND | FLAG_MORE)) == (FLAG_COMMAND | FLAG_MORE))
		return bad(z, e, "a frame has flags that there are not");
	if (p[0] & FLAG_LONG)
		head = 9;
	if (left < head)
		return 0;
	if (p[0] & FLAG_LONG)
		for (int i = 1; i < 9; i++)
			n = n << 8 | p[i];
	else
		n = p[1];
	if (n > ZMTP_FRAME_MAX)
		return err_set(e, ERR_LIMIT, "the kernel's %s sent a frame of %" PRIu64 " bytes, the limit is %zu MiB",
		               z->name, n, ZMTP_FRAME_MAX >> 20);
	if (left < head + n)
		return 0;
	*out = (struct frame){p[0], {(const char *)p + head, (size_t)n}, head + (size_t)n};
	return 1;
}

static int take_command(struct zmtp *z, struct str body, struct err *e)
{
	if (str_has_prefix(body, STR("\5ERROR")))
		return bad(z, e, "it refuses the connection");
	if (!str_has_prefix(body, STR("\5READY")))
		return 0; /* a heartbeat of 3.1, which nobody asked for */
	if (z->ready)
		return bad(z, e, "it is ready twice");
	z->ready = true;
	buf_addstr(&z->out, buf_str(&z->held));
	buf_reset(&z->held);
	return 0;
}

/* Commands stand between messages, never within one. */
static int take_commands(struct zmtp *z, struct err *e)
{
	struct frame f;
	int rc;

	while ((rc = frame_at(z, 0, &f, e)) == 1 && f.flags & FLAG_COMMAND) {
		if (take_command(z, f.body, e))
			return -1;
		buf_consume(&z->in, f.whole);
	}
	if (rc == 1 && !z->ready)
		return bad(z, e, "it sends before it is ready");
	return rc < 0 ? -1 : 0;
}

int zmtp_take(struct zmtp *z, struct err *e)
{
	if (!z->greeted && take_greeting(z, e) < 0)
		return -1;
	return z->greeted ? take_commands(z, e) : 0;
}

int zmtp_pump(struct zmtp *z, struct err *e)
{
	for (;;) {
		size_t room = z->in.max - z->in.n;
		ssize_t n;

		if (!room)
			return err_set(e, ERR_LIMIT, "the kernel's %s sent more than %zu MiB at once", z->name,
			               z->in.max >> 20);
		buf_reserve(&z->in, MIN(room, READ_STEP));
		n = recv(z->fd, z->in.p + z->in.n, MIN(room, READ_STEP), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return err_errno(e, errno, "the kernel's %s", z->name);
		if (!n)
			return err_set(e, ERR_NOT_FOUND, "the kernel has closed its %s", z->name);
		z->in.n += (size_t)n;
		z->in.p[z->in.n] = '\0';
		if ((size_t)n < MIN(room, READ_STEP))
			break;
	}
	return zmtp_take(z, e) ? -1 : flush(z, e);
}

int zmtp_next(struct zmtp *z, struct arena *a, struct zmtp_message *out, struct err *e)
{
	struct zmtp_message m = {.n = 0};
	size_t at = 0;
	struct frame f;
	int rc;

	if (!z->greeted || take_commands(z, e))
		return z->greeted ? -1 : 0;
	do {
		if ((rc = frame_at(z, at, &f, e)) != 1)
			return rc;
		if (f.flags & FLAG_COMMAND)
			return bad(z, e, "a command stands within a message");
		if (m.n == ZMTP_FRAMES_MAX)
			return err_set(e, ERR_LIMIT, "the kernel's %s sent a message of more than %d frames", z->name,
			               ZMTP_FRAMES_MAX);
		m.frames[m.n++] = f.body;
		at += f.whole;
	} while (f.flags & FLAG_MORE);
	for (size_t i = 0; i < m.n; i++)
		m.frames[i] = arena_str(a, m.frames[i]);
	buf_consume(&z->in, at);
	*out = m;
	return 1;
}
