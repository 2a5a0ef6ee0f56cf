/*
 * sys/loop.h: the event loop: epoll with pidfds, one timerfd, signalfds.
 *
 * One thread. Dispatch is on handles, never on descriptor numbers: a handle closed in a callback is never called again,
 * not even for events that were already fetched, and its memory is used again only after the round. Handles belong to
 * the loop; loop_close takes one off (it never closes the caller's descriptor: close that after). Within a round:
 * descriptors, then timers that are due, then what was deferred. No event allocates.
 */
#ifndef LEAT_SYS_LOOP_H
#define LEAT_SYS_LOOP_H

#include <sys/epoll.h>

#include "base/err.h"
#include "sys/proc.h"

struct loop;
struct loop_ev;

typedef void loop_fd_cb(struct loop_ev *ev, uint32_t events, void *ptr);
typedef void loop_cb(struct loop_ev *ev, void *ptr);
typedef void loop_child_cb(struct loop_ev *ev, const struct proc_exit *x, void *ptr);
typedef void loop_signal_cb(struct loop_ev *ev, int signo, void *ptr);

must_check int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l); /* NULL is fine; closes all handles */

/* EPOLLIN, EPOLLOUT, ... level-triggered unless EPOLLET is given. EPOLLERR, EPOLLHUP always come. out may be NULL. */
must_check int loop_fd(struct loop *l, int fd, uint32_t events, loop_fd_cb *cb, void *ptr, struct loop_ev **out,
                       struct err *e);
must_check int loop_fd_events(struct loop_ev *ev, uint32_t events, struct err *e); /* 0 = pause */

/* Once, ms from now (real time). The handle is closed after the call unless the callback armed it again. */
struct loop_ev *loop_timer(struct loop *l, int64_t ms, loop_cb *cb, void *ptr);
void loop_timer_again(struct loop_ev *ev, int64_t ms); /* moves a pending one, or arms the one being called */

/* When the child ends: reaps it and tells how; the handle closes itself. *p must stay where it is until then. */
must_check int loop_child(struct loop *l, struct proc *p, loop_child_cb *cb, void *ptr, struct loop_ev **out,
                          struct err *e);

/* Whether SIGINT or SIGTERM waits for a loop that has not come to it: for long work between two turns of the loop. */
bool loop_stop_asked(void);
/* Blocks these signals for the process and gives them here, until closed (the mask is then put back). */
must_check int loop_signal(struct loop *l, const int *signals, size_t n, loop_signal_cb *cb, void *ptr,
                           struct loop_ev **out, struct err *e);

/* Once, at the end of this round (of the next one if called outside). */
struct loop_ev *loop_defer(struct loop *l, loop_cb *cb, void *ptr);

void loop_close(struct loop_ev *ev); /* NULL and closed already (in this round) are fine */
struct loop *loop_of(struct loop_ev *ev);

/* Runs until loop_stop, or until no handle is left. */
must_check int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);
/* One round; waits at most max_ms for the first event (-1 = as long as it takes). Returns whether handles are left. */
must_check int loop_run_once(struct loop *l, int64_t max_ms, bool *more, struct err *e);
/*
 * Calls those whose child has ended, and nothing else; does not wait. For long work inside a callback: what the
 * children held can be used again meanwhile. How many were called; -1.
 */
must_check int loop_run_children(struct loop *l, struct err *e);
int loop_epoll_fd(const struct loop *l); /* readable when a round has something to do: for nesting */

#endif
