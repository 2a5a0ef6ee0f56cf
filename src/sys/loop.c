#include "sys/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"

#define EVENTS_AT_ONCE 64
#define SIGNALS_AT_ONCE 16

enum kind { KIND_FREE, KIND_FD, KIND_TIMER, KIND_CHILD, KIND_SIGNAL, KIND_DEFER, KIND_CLOSED };

struct loop_ev {
	struct loop *loop;
	enum kind kind;
	bool watched;     /* in epoll */
	int fd;           /* the caller's; of KIND_SIGNAL our own */
	size_t heap;      /* KIND_TIMER: place in the heap + 1; 0 = not armed */
	int64_t due;      /* KIND_TIMER: by clock_mono_ms */
	uint64_t order;   /* KIND_TIMER: those of one instant fire in the order they were armed */
	union {
		loop_fd_cb *fd_cb;
		loop_cb *cb;
		loop_child_cb *child_cb;
		loop_signal_cb *signal_cb;
	};
	void *ptr;
	struct proc *proc; /* KIND_CHILD */
	sigset_t unblock;  /* KIND_SIGNAL: what to put back when it is closed */
	/* All live handles; the free ones and the closed ones use .next only. */
	struct loop_ev *prev, *next;
};

struct queue {
	struct loop_ev **p;
	size_t n, cap;
};

struct loop {
	int epoll, timer;
	bool stop;
	struct loop_ev *live, *closed, *free;
	struct queue heap;          /* armed timers, the earliest first */
	struct queue deferred, now; /* `now` is the batch being called */
	int64_t armed;              /* what the timerfd is set to; INT64_MAX = nothing */
	uint64_t order;
	struct epoll_event events[EVENTS_AT_ONCE];
};

/* --- handles --- */

static struct loop_ev *ev_new(struct loop *l, enum kind kind, void *ptr)
{
	struct loop_ev *ev = l->free;

	if (ev)
		l->free = ev->next;
	else
		ev = xmalloc(sizeof(*ev));
	*ev = (struct loop_ev){.loop = l, .kind = kind, .fd = -1, .ptr = ptr, .next = l->live};
	if (l->live)
		l->live->prev = ev;
	l->live = ev;
	return ev;
}

static void ev_retire(struct loop_ev *ev)
{
	struct loop *l = ev->loop;

	if (ev->prev)
		ev->prev->next = ev->next;
	else
		l->live = ev->next;
	if (ev->next)
		ev->next->prev = ev->prev;
	ev->kind = KIND_CLOSED;
	ev->prev = NULL;
	ev->next = l->closed;
	l->closed = ev;
}

static void queue_add(struct queue *q, struct loop_ev *ev)
{
	if (q->n == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 16;
		q->p = xrealloc(q->p, q->cap * sizeof(struct loop_ev *));
	}
	q->p[q->n++] = ev;
}

static void queue_drop(struct queue *q, const struct loop_ev *ev)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->p[i] == ev)
			q->p[i] = NULL;
}

/* --- timers: a binary heap --- */

static bool sooner(const struct loop_ev *a, const struct loop_ev *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct queue *h, size_t i, struct loop_ev *ev)
{
	h->p[i] = ev;
	ev->heap = i + 1;
}

/* Moves what stands at i to where it belongs. */
static void heap_settle(struct queue *h, size_t i)
{
	struct loop_ev *ev = h->p[i];

	for (; i > 0 && sooner(ev, h->p[(i - 1) / 2]); i = (i - 1) / 2)
		heap_put(h, i, h->p[(i - 1) / 2]);
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && sooner(h->p[child + 1], h->p[child]))
			child++;
		if (!sooner(h->p[child], ev))
			break;
		heap_put(h, i, h->p[child]);
		i = child;
	}
	heap_put(h, i, ev);
}

static void timer_disarm(struct loop_ev *ev)
{
	struct queue *h = &ev->loop->heap;
	size_t i = ev->heap;

	if (!i)
		return;
	ev->heap = 0;
	h->n--;
	if (i - 1 == h->n)
		return;
	h->p[i - 1] = h->p[h->n];
	heap_settle(h, i - 1);
}

static void timer_arm(struct loop_ev *ev, int64_t ms)
{
	struct loop *l = ev->loop;

	timer_disarm(ev);
	/* Rounded up: never before its time. */
	ev->due = ms <= 0 ? clock_mono_ms() : (clock_mono_ns() + 999999) / 1000000 + ms;
	ev->order = l->order++;
	queue_add(&l->heap, ev);
	heap_settle(&l->heap, l->heap.n - 1);
}

/* The timerfd stands on the earliest; set only when that changes. */
static void timer_sync(struct loop *l)
{
	int64_t due = l->heap.n ? l->heap.p[0]->due : INT64_MAX;
	struct itimerspec t = {0};

	if (due == l->armed)
		return;
	l->armed = due;
	if (due != INT64_MAX) {
		t.it_value.tv_sec = due / 1000;
		t.it_value.tv_nsec = due % 1000 * 1000000;
		if (!due)
			t.it_value.tv_nsec = 1; /* 0 would disarm it */
	}
	(void)timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

struct loop_ev *loop_timer(struct loop *l, int64_t ms, loop_cb *cb, void *ptr)
{
	struct loop_ev *ev = ev_new(l, KIND_TIMER, ptr);

	ev->cb = cb;
	timer_arm(ev, ms);
	return ev;
}

void loop_timer_again(struct loop_ev *ev, int64_t ms)
{
	BUG_IF(ev->kind != KIND_TIMER);
	timer_arm(ev, ms);
}

/* --- making and closing --- */

int loop_new(struct loop **out, struct err *e)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	l->armed = INT64_MAX;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->timer, &event)) {
		err_errno(e, errno, "cannot make an event loop");
		loop_free(l);
		return -1;
	}
	*out = l;
	return 0;
}

static void free_list(struct loop_ev *ev)
{
	while (ev) {
		struct loop_ev *next = ev->next;

		free(ev);
		ev = next;
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->live)
		loop_close(l->live);
	free_list(l->closed);
	free_list(l->free);
	free(l->heap.p);
	free(l->deferred.p);
	free(l->now.p);
	fd_close(&l->timer);
	fd_close(&l->epoll);
	free(l);
}

static int watch(struct loop_ev *ev, int fd, uint32_t events, struct err *e)
{
	struct epoll_event event = {.events = events, .data.ptr = ev};

	if (epoll_ctl(ev->loop->epoll, EPOLL_CTL_ADD, fd, &event))
		return err_errno(e, errno, "cannot watch descriptor %d", fd);
	ev->fd = fd;
	ev->watched = true;
	return 0;
}

int loop_fd(struct loop *l, int fd, uint32_t events, loop_fd_cb *cb, void *ptr, struct loop_ev **out, struct err *e)
{
	struct loop_ev *ev = ev_new(l, KIND_FD, ptr);

	ev->fd_cb = cb;
	if (watch(ev, fd, events, e)) {
		ev_retire(ev);
		return -1;
	}
	if (out)
		*out = ev;
	return 0;
}

int loop_fd_events(struct loop_ev *ev, uint32_t events, struct err *e)
{
	struct epoll_event event = {.events = events, .data.ptr = ev};

	BUG_IF(ev->kind != KIND_FD);
	if (epoll_ctl(ev->loop->epoll, EPOLL_CTL_MOD, ev->fd, &event))
		return err_errno(e, errno, "cannot watch descriptor %d", ev->fd);
	return 0;
}

int loop_child(struct loop *l, struct proc *p, loop_child_cb *cb, void *ptr, struct loop_ev **out, struct err *e)
{
	struct loop_ev *ev = ev_new(l, KIND_CHILD, ptr);

	ev->child_cb = cb;
	ev->proc = p;
	if (watch(ev, p->pidfd, EPOLLIN, e)) {
		ev_retire(ev);
		return -1;
	}
	if (out)
		*out = ev;
	return 0;
}

int loop_signal(struct loop *l, const int *signals, size_t n, loop_signal_cb *cb, void *ptr, struct loop_ev **out,
                struct err *e)
{
	struct loop_ev *ev = ev_new(l, KIND_SIGNAL, ptr);
	sigset_t want, old;
	int fd FD_CLEANUP = -1;

	ev->signal_cb = cb;
	sigemptyset(&want);
	sigemptyset(&ev->unblock);
	for (size_t i = 0; i < n; i++)
		sigaddset(&want, signals[i]);
	fd = signalfd(-1, &want, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		ev_retire(ev);
		return err_errno(e, errno, "cannot wait for signals");
	}
	if (watch(ev, fd, EPOLLIN, e)) {
		ev_retire(ev);
		return -1;
	}
	pthread_sigmask(SIG_BLOCK, &want, &old);
	for (size_t i = 0; i < n; i++)
		if (!sigismember(&old, signals[i]))
			sigaddset(&ev->unblock, signals[i]);
	ev->fd = fd_steal(&fd);
	if (out)
		*out = ev;
	return 0;
}

bool loop_stop_asked(void)
{
	sigset_t pending;

	return !sigpending(&pending) && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

struct loop_ev *loop_defer(struct loop *l, loop_cb *cb, void *ptr)
{
	struct loop_ev *ev = ev_new(l, KIND_DEFER, ptr);

	ev->cb = cb;
	queue_add(&l->deferred, ev);
	return ev;
}

void loop_close(struct loop_ev *ev)
{
	if (!ev || ev->kind == KIND_CLOSED)
		return;
	BUG_IF(ev->kind == KIND_FREE);
	if (ev->watched)
		(void)epoll_ctl(ev->loop->epoll, EPOLL_CTL_DEL, ev->fd, NULL);
	if (ev->kind == KIND_SIGNAL) {
		static const struct timespec now;

		fd_close(&ev->fd);
		/* One that nobody came to must not kill now: what it asked for is over. */
		while (sigtimedwait(&ev->unblock, NULL, &now) > 0)
			continue;
		pthread_sigmask(SIG_UNBLOCK, &ev->unblock, NULL);
	} else if (ev->kind == KIND_TIMER) {
		timer_disarm(ev);
	} else if (ev->kind == KIND_DEFER) {
		queue_drop(&ev->loop->deferred, ev);
		queue_drop(&ev->loop->now, ev);
	}
	ev_retire(ev);
}

struct loop *loop_of(struct loop_ev *ev)
{
	return ev->loop;
}

int loop_epoll_fd(const struct loop *l)
{
	return l->epoll;
}

/* --- running --- */

static int call_child(struct loop_ev *ev, struct err *e)
{
	struct proc_exit x;
	loop_child_cb *cb = ev->child_cb;
	void *ptr = ev->ptr;
	int rc = proc_poll(ev->proc, &x, e);

	if (rc <= 0)
		return rc;
	/* Closed before the call: the callback may free the process, and its number is nobody's now. */
	loop_close(ev);
	cb(ev, &x, ptr);
	return 0;
}

static void call_signal(struct loop_ev *ev)
{
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	ssize_t n = read(ev->fd, info, sizeof(info));

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(info[0]) && ev->kind == KIND_SIGNAL; i++)
		ev->signal_cb(ev, (int)info[i].ssi_signo, ev->ptr);
}

static int dispatch(struct loop_ev *ev, uint32_t events, struct err *e)
{
	switch (ev->kind) {
	case KIND_FD:
		ev->fd_cb(ev, events, ev->ptr);
		return 0;
	case KIND_CHILD:
		return call_child(ev, e);
	case KIND_SIGNAL:
		call_signal(ev);
		return 0;
	default:
		return 0; /* closed in this round */
	}
}

/* Only those that were due when the round began: a timer that arms itself with 0 does not hold up the rest. */
static void call_timers(struct loop *l)
{
	int64_t now = clock_mono_ms();
	uint64_t order = l->order;

	while (l->heap.n && l->heap.p[0]->due <= now && l->heap.p[0]->order < order) {
		struct loop_ev *ev = l->heap.p[0];

		timer_disarm(ev);
		ev->cb(ev, ev->ptr);
		if (ev->kind == KIND_TIMER && !ev->heap)
			loop_close(ev);
	}
}

static void call_deferred(struct loop *l)
{
	struct queue batch = l->deferred;

	l->deferred = l->now;
	l->deferred.n = 0;
	l->now = batch;
	for (size_t i = 0; i < l->now.n; i++) {
		struct loop_ev *ev = l->now.p[i];

		if (!ev)
			continue;
		l->now.p[i] = NULL;
		ev_retire(ev);
		ev->cb(ev, ev->ptr);
	}
	l->now.n = 0;
}

static void reuse_closed(struct loop *l)
{
	while (l->closed) {
		struct loop_ev *ev = l->closed;

		l->closed = ev->next;
		ev->kind = KIND_FREE;
		ev->next = l->free;
		l->free = ev;
	}
}

static int wait_ms(const struct loop *l, int64_t max_ms)
{
	if (l->deferred.n || !l->live || max_ms == 0)
		return 0;
	return max_ms < 0 ? -1 : (int)MIN(max_ms, 1 << 30);
}

int loop_run_once(struct loop *l, int64_t max_ms, bool *more, struct err *e)
{
	int n, rc = 0;

	timer_sync(l);
	n = epoll_wait(l->epoll, l->events, EVENTS_AT_ONCE, wait_ms(l, max_ms));
	if (n < 0 && errno != EINTR)
		return err_errno(e, errno, "the event loop cannot wait");
	for (int i = 0; i < n && !rc; i++) {
		struct loop_ev *ev = l->events[i].data.ptr;
		uint64_t ticks;

		if (ev)
			rc = dispatch(ev, l->events[i].events, e);
		else if (read(l->timer, &ticks, sizeof(ticks)) > 0)
			l->armed = INT64_MAX; /* it has fired: whatever is next has to be set anew */
	}
	if (!rc) {
		call_timers(l);
		call_deferred(l);
	}
	reuse_closed(l);
	*more = l->live != NULL;
	return rc;
}

int loop_run_children(struct loop *l, struct err *e)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(l->epoll, events, EVENTS_AT_ONCE, 0), called = 0;

	if (n < 0 && errno != EINTR)
		return err_errno(e, errno, "the event loop cannot look for children");
	for (int i = 0; i < n; i++) {
		struct loop_ev *ev = events[i].data.ptr;

		if (!ev || ev->kind != KIND_CHILD)
			continue;
		if (dispatch(ev, events[i].events, e))
			return -1;
		called++;
	}
	return called;
}

int loop_run(struct loop *l, struct err *e)
{
	bool more = l->live != NULL;

	l->stop = false;
	while (more && !l->stop)
		if (loop_run_once(l, -1, &more, e))
			return -1;
	l->stop = false;
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
