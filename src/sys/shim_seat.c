/* Shims that take one task after the other (sys/shim.h), as their starter sees them. */
#include "sys/shim_seat.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/proc_int.h"
#include "sys/shim.h"

#define ORDER_FDS (3 + SHIM_HOLDS)

static struct {
	pthread_mutex_t mutex;
	struct shim_seat *idle;
} seats = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* One that has nothing to do; NULL: all are at work. */
static struct shim_seat *idle_take(void)
{
	struct shim_seat *s;

	pthread_mutex_lock(&seats.mutex);
	s = seats.idle;
	if (s)
		seats.idle = s->next;
	pthread_mutex_unlock(&seats.mutex);
	return s;
}

static struct shim_seat *seat_new(void)
{
	struct shim_seat *s;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return NULL;
	pid = proc_spawn_seat(pair[1]);
	fd_close(&pair[1]);
	if (pid < 0) {
		fd_close(&pair[0]);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->fd = pair[0];
	s->pid = pid;
	return s;
}

void shim_seat_end(struct shim_seat *s, bool wait)
{
	fd_close(&s->fd);
	while (wait && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	proc_seat_gone(s->pid);
	free(s);
}

void shim_seat_give(struct shim_seat *s)
{
	pthread_mutex_lock(&seats.mutex);
	s->next = seats.idle;
	seats.idle = s;
	pthread_mutex_unlock(&seats.mutex);
}

void shim_seats_end(void)
{
	for (struct shim_seat *s; (s = idle_take());)
		shim_seat_end(s, true);
}

struct words {
	char *p;
	size_t n;
	uint32_t count;
};

/* false: they are too many, or too long. */
static bool add(struct words *w, const char *word)
{
	size_t n = strlen(word) + 1;

	if (w->n + n > SHIM_ORDER_MAX || ++w->count + 3 >= SHIM_ORDER_WORDS)
		return false;
	memcpy(w->p + w->n, word, n);
	w->n += n;
	return true;
}

static bool add_all(struct words *w, const char *const *list, uint32_t *n)
{
	for (*n = 0; list[*n]; ++*n)
		if (!add(w, list[*n]))
			return false;
	return true;
}

static bool send_order(const struct shim_seat *s, struct msghdr *m)
{
	ssize_t n;

	do
		n = sendmsg(s->fd, m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

struct shim_seat *shim_seat_order(const struct proc_spec *s, const char *const *files, const char *const *env)
{
	char text[SHIM_ORDER_MAX];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(ORDER_FDS * sizeof(int))];
	} rights = {0};
	struct words w = {.p = text};
	struct shim_order o = {.told_at = (int64_t)(s->shim->row * sizeof(struct shim_row) + sizeof(struct shim_begun)),
	                       .has_in = s->in >= 0,
	                       .n_holds = s->shim->n_holds};
	int fds[ORDER_FDS] = {s->shim->table, s->out, s->in}, n_own = s->in >= 0 ? 3 : 2;
	int n_fds = n_own + (int)s->shim->n_holds;
	memcpy(fds + n_own, s->shim->hold, s->shim->n_holds * sizeof(int));
	struct iovec pieces[2] = {{&o, sizeof(o)}, {text, 0}};
	struct msghdr m = {.msg_iov = pieces, .msg_iovlen = 2, .msg_control = &rights,
	                   .msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int))};

	if (!s->cwd || s->cwd[0] != '/' || s->out < 0 || s->out != s->err || s->shim->detach || s->root || s->binds ||
	    s->n_cgroups || s->nice || s->limit_memory || s->same_group)
		return NULL;
	if (!add(&w, s->cwd) || !add_all(&w, files, &o.n_files) || !add_all(&w, s->argv, &o.n_argv) ||
	    !add_all(&w, env, &o.n_env))
		return NULL;
	pieces[1].iov_len = w.n;
	rights.head = (struct cmsghdr){.cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int)), .cmsg_level = SOL_SOCKET,
	                               .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&rights.head), fds, (size_t)n_fds * sizeof(int));
	for (struct shim_seat *seat; (seat = idle_take());) {
		if (send_order(seat, &m))
			return seat;
		shim_seat_end(seat, true); /* somebody has killed it */
	}
	struct shim_seat *seat = seat_new();

	if (seat && !send_order(seat, &m)) {
		shim_seat_end(seat, true);
		return NULL;
	}
	return seat;
}

int shim_seat_answer(const struct shim_seat *s, bool wait, struct shim_told *out)
{
	ssize_t n;

	do
		n = recv(s->fd, out, sizeof(*out), wait ? 0 : MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n == (ssize_t)sizeof(*out) ? 1 : -1;
}
