/* Whether something listens at a port of this machine, and answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "job/stay.h"
#include "sys/fd.h"

#define ANSWER_MS 5000
#define HEAD 64 /* bytes of an answer that are looked at */

struct stay_probe {
	struct loop *loop;
	const struct stay_keys *keys;
	stay_probe_cb *cb;
	void *ptr;
	int fd;
	struct loop_ev *watch, *limit;
	bool asked;
	size_t n;
	char head[HEAD + 1];
};

static struct sockaddr_in at_port(int port, uint32_t address)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(address)}};
}

int stay_port_free(int port, struct err *e)
{
	struct sockaddr_in at = at_port(port, INADDR_ANY);
	int fd FD_CLEANUP = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return 0; /* the service will tell */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)) || errno != EADDRINUSE)
		return 0;
	err_set(e, ERR_BUSY, "another process listens at port %d of this machine already", port);
	return err_hint(e, "end it, or give the job another port");
}

void stay_probe_end(struct stay_probe *p)
{
	loop_close(p->watch);
	loop_close(p->limit);
	p->watch = p->limit = NULL;
	fd_close(&p->fd);
}

static void done(struct stay_probe *p, bool good, const char *text)
{
	stay_probe_end(p);
	p->cb(p->ptr, good, text);
}

/* "HTTP/1.1 200 OK" */
static void judge(struct stay_probe *p)
{
	char text[HEAD + 64];
	struct str left, number = STR(""), rest;
	int64_t status = 0;

	p->head[p->n] = 0;
	p->head[strcspn(p->head, "\r\n")] = 0;
	if (!strncmp(p->head, "HTTP/", 5) && str_cut(str_of(p->head), ' ', &rest, &left) &&
	    !str_cut(left, ' ', &number, &rest))
		number = left;
	if (str_to_i64(number, &status) && status >= 100 && status < 400) {
		done(p, true, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%s answers '%s'", p->keys->path, p->head);
	done(p, false, text);
}

static void ask(struct stay_probe *p)
{
	char line[4096];
	int n = snprintf(line, sizeof(line), "GET %s HTTP/1.0\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n",
	                 p->keys->path, p->keys->port);
	struct err e = ERR_INIT;

	p->asked = true;
	if (n >= (int)sizeof(line) || send(p->fd, line, (size_t)n, MSG_NOSIGNAL) != n ||
	    loop_fd_events(p->watch, EPOLLIN, &e))
		done(p, false, "it closes the connection");
}

static void on_ready(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct stay_probe *p = ptr;
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t n;

	(void)ev;
	(void)events;
	if (!p->asked) {
		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error)
			done(p, false, error ? strerror(error) : "it cannot be asked");
		else if (p->keys->health == HEALTH_TCP)
			done(p, true, NULL);
		else
			ask(p);
		return;
	}
	n = recv(p->fd, p->head + p->n, HEAD - p->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		p->n += (size_t)n;
	if (n <= 0 || p->n == HEAD || memchr(p->head, '\n', p->n))
		judge(p);
}

static void on_limit(struct loop_ev *ev, void *ptr)
{
	struct stay_probe *p = ptr;

	(void)ev;
	p->limit = NULL;
	done(p, false, "it does not answer");
}

struct stay_probe *stay_probe_new(struct arena *a, struct loop *l, const struct stay_keys *k, stay_probe_cb *cb,
                                  void *ptr)
{
	struct stay_probe *p = arena_new_of(a, struct stay_probe);

	*p = (struct stay_probe){.loop = l, .keys = k, .cb = cb, .ptr = ptr, .fd = -1};
	return p;
}

bool stay_probe_ask(struct stay_probe *p)
{
	struct sockaddr_in at = at_port(p->keys->port, INADDR_LOOPBACK);
	struct err e = ERR_INIT;

	stay_probe_end(p);
	p->asked = false;
	p->n = 0;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return false;
	if ((connect(p->fd, (struct sockaddr *)&at, sizeof(at)) && errno != EINPROGRESS) ||
	    loop_fd(p->loop, p->fd, EPOLLOUT, on_ready, p, &p->watch, &e)) {
		fd_close(&p->fd);
		return false;
	}
	p->limit = loop_timer(p->loop, ANSWER_MS, on_limit, p);
	return true;
}
