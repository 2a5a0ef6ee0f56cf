#include "db/duck_frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "db/duck.h"

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	(void)poll(&p, 1, -1);
}

int frame_write(int fd, enum frame_kind kind, struct str body, struct err *e)
{
	char head[FRAME_HEADER];
	uint32_t n = (uint32_t)body.n;
	size_t sent = 0, total = FRAME_HEADER + body.n;

	if (body.n > DUCK_MAX_FRAME - FRAME_HEADER)
		return err_set(e, ERR_LIMIT,
			       "a message of %zu MiB to or from the SQL worker is over its limit of %zu MiB",
			       body.n >> 20, DUCK_MAX_FRAME >> 20);
	memcpy(head, &n, sizeof(n));
	head[4] = (char)kind;
	while (sent < total) {
		struct iovec v[2] = {{head, FRAME_HEADER}, {(void *)(uintptr_t)body.p, body.n}};
		struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

		if (sent < FRAME_HEADER) {
			v[0].iov_base = head + sent;
			v[0].iov_len = FRAME_HEADER - sent;
		} else {
			v[1].iov_base = (char *)(uintptr_t)body.p + (sent - FRAME_HEADER);
			v[1].iov_len = total - sent;
			m.msg_iov = v + 1;
			m.msg_iovlen = 1;
		}
		ssize_t w = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (w >= 0)
			sent += (size_t)w;
		else if (errno == EAGAIN)
			wait_for(fd, POLLOUT);
		else if (errno != EINTR)
			return err_errno(e, errno, "the SQL worker could not be reached");
	}
	return 0;
}

int frame_next(const struct buf *in, enum frame_kind *kind, struct str *body, size_t *used)
{
	uint32_t n;

	if (in->n < FRAME_HEADER)
		return 0;
	memcpy(&n, in->p, sizeof(n));
	if (n > DUCK_MAX_FRAME - FRAME_HEADER)
		return -1;
	if (in->n - FRAME_HEADER < n)
		return 0;
	*kind = (enum frame_kind)in->p[4];
	*body = (struct str){in->p + FRAME_HEADER, n};
	*used = FRAME_HEADER + n;
	return 1;
}

long frame_fill(int fd, struct buf *in, bool wait)
{
	for (;;) {
		buf_reserve(in, 64 << 10);
		ssize_t r = recv(fd, in->p + in->n, in->cap - in->n - 1, wait ? 0 : MSG_DONTWAIT);

		if (r >= 0) {
			in->n += (size_t)r;
			in->p[in->n] = 0;
			return r;
		}
		if (errno != EINTR)
			return errno == ECONNRESET ? 0 : -1;
	}
}
