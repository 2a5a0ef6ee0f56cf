#include "note/python_warm.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/file.h"

#define REQUEST_MAX ((size_t)200 << 10) /* one packet: what a socket takes */
#define ANSWER_S 5
#define FDS_MAX 6

static int reach(const char *name, struct ucred *who)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = ANSWER_S};
	socklen_t len = sizeof(*who);
	size_t n = strlen(name);
	int fd FD_CLEANUP = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || n + 1 > sizeof(at.sun_path))
		return -1;
	memcpy(at.sun_path + 1, name, n); /* abstract: begins with a NUL */
	if (connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) || who->uid != geteuid() ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return -1;
	return fd_steal(&fd);
}

bool warm_listens(const char *name)
{
	struct ucred who;
	int fd FD_CLEANUP = reach(name, &who);

	return fd >= 0;
}

/* Adds ours where it is another than theirs. False: that cannot be known. */
static bool add_space(int fds[FDS_MAX], size_t *n, const char *which, pid_t other)
{
	char mine[64], theirs[64];
	struct stat a, b;
	struct err e = ERR_INIT;

	snprintf(mine, sizeof(mine), "/proc/self/ns/%s", which);
	snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)other, which);
	if (stat(mine, &a) || stat(theirs, &b))
		return false;
	if (a.st_ino == b.st_ino)
		return true;
	return !file_open_read(mine, &fds[*n], &e) && ++*n;
}

static struct str request_of(struct arena *a, const struct warm_ask *ask)
{
	struct dom *d = dom_new(a, DOM_MAP), *env = dom_new(a, DOM_MAP), *argv = dom_new(a, DOM_LIST);
	struct buf b cleanup(buf_free) = BUF_INIT(REQUEST_MAX);
	char cwd[4096];

	if (!ask->env || !getcwd(cwd, sizeof(cwd)))
		return STR_NULL;
	for (const char *const *at = ask->env; *at; at++) {
		struct str key, value;

		if (str_cut(str_of(*at), '=', &key, &value))
			dom_set_str(a, env, arena_cstr(a, key), value);
	}
	for (const char *const *at = ask->argv; *at; at++)
		dom_add(argv, dom_new_str(a, str_of(*at)));
	dom_set(a, d, "env", env);
	dom_set(a, d, "argv", argv);
	dom_set_cstr(a, d, "cwd", cwd);
	dom_set_cstr(a, d, "mode", ask->mode);
	dom_write_json(&b, d, DOM_COMPACT);
	return buf_over(&b) ? STR_NULL : arena_str(a, buf_str(&b));
}

static bool send_with(int conn, struct str text, const int *fds, size_t n)
{
	char space[CMSG_SPACE(sizeof(int) * FDS_MAX)] __attribute__((aligned(8))) = {0};
	struct iovec io = {.iov_base = (char *)text.p, .iov_len = text.n};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = space,
	                   .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	return sendmsg(conn, &m, MSG_NOSIGNAL) == (ssize_t)text.n;
}

static bool take_pid(struct arena *a, int conn, struct proc *proc)
{
	char text[256];
	struct err e = ERR_INIT;
	const struct dom *pid;
	struct dom *d;
	ssize_t n = recv(conn, text, sizeof(text), 0);

	if (n <= 0 || dom_json(a, (struct str){text, (size_t)n}, "the zygote's answer", &d, &e))
		return false;
	pid = dom_get(d, "pid");
	if (!pid || pid->type != DOM_INT || pid->i <= 1 || pid->i > INT32_MAX)
		return false;
	*proc = (struct proc){.pid = (pid_t)pid->i, .pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid->i, 0)};
	return proc->pidfd >= 0;
}

bool warm_fork(struct arena *a, const struct warm_ask *ask, struct warm *w, struct proc *proc)
{
	struct ucred who = {0};
	struct err e = ERR_INIT;
	int conn FD_CLEANUP = reach(ask->zygote, &who), life[2] = {-1, -1}, fds[FDS_MAX];
	struct str text = request_of(a, ask);
	size_t n = 4;
	bool ok = false;

	if (conn < 0 || !text.p || fd_pipe(life, &e))
		return false;
	fds[0] = life[0];
	fds[1] = ask->link;
	fds[2] = ask->out;
	fds[3] = ask->err;
	ok = add_space(fds, &n, "user", who.pid) && add_space(fds, &n, "mnt", who.pid) &&
	     send_with(conn, text, fds, n) && take_pid(a, conn, proc) &&
	     (!ask->group || cgroup_bring(proc->pid, ask->group));
	for (size_t i = 4; i < n; i++)
		fd_close(&fds[i]);
	fd_close(&life[0]);
	if (!ok) {
		fd_close(&life[1]); /* what was forked all the same ends by that */
		proc_free(proc);
		*proc = (struct proc)PROC_INIT;
		return false;
	}
	w->conn = fd_steal(&conn);
	w->life = life[1];
	return true;
}

static int64_t number(const struct dom *d, const char *key)
{
	const struct dom *v = dom_get(d, key);

	return v && v->type == DOM_INT && v->i > 0 ? v->i : 0;
}

int warm_ended(struct arena *a, const struct warm *w, bool wait, struct warm_end *out)
{
	char text[256];
	struct err e = ERR_INIT;
	const struct dom *left;
	struct pollfd f = {.fd = w->conn, .events = POLLIN};
	struct dom *d;
	ssize_t n;

	while (wait && poll(&f, 1, -1) < 0 && errno == EINTR)
		;
	n = recv(w->conn, text, sizeof(text), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*out = (struct warm_end){.lost = true, .took = {.apart = true, .left = true}};
	if (n <= 0 || dom_json(a, (struct str){text, (size_t)n}, "the zygote's word", &d, &e) ||
	    !dom_get(d, "status"))
		return 1;
	left = dom_get(d, "left");
	out->lost = false;
	out->status = (int)number(d, "status");
	out->took.cpu_ms = number(d, "cpu_ms");
	out->took.peak_kb = number(d, "peak_kb");
	out->took.left = !left || left->type != DOM_BOOL || left->b;
	return 1;
}
