/*
 * flow/workers.h: warm DuckDB workers on a loop, for everything that a run asks of them: units of SQL, row ids, checks.
 *
 * A worker is started when there is work and none is free, kept warm, and ended with the pool. Who asks holds a slot
 * of the run, so there are never more workers than slots. Callbacks come from the loop, never from inside workers_send.
 */
#ifndef LEAT_FLOW_WORKERS_H
#define LEAT_FLOW_WORKERS_H

#include "db/duck.h"
#include "sys/loop.h"

struct workers;
struct work; /* one request under way; ends with its last message */

/*
 * Workers that stay warm from one run to the next: a pool takes what it needs, and what is idle at its end goes back.
 * All are of one store. What does not fit ends.
 */
#define SHELF_MAX 8
struct shelf {
	struct duck *duck[SHELF_MAX];
	size_t n;
};
/* Of an empty shelf, or none (NULL), a new one. */
struct duck *shelf_take(struct shelf *s, const struct duck_conf *conf) __attribute__((returns_nonnull));
void shelf_give(struct shelf *s, struct duck *d);
void shelf_empty(struct shelf *s);

/* shelf may be NULL. */
struct workers *workers_new(struct loop *l, const struct duck_conf *conf, struct shelf *shelf)
	__attribute__((returns_nonnull));
/* Ends all, or puts them on the shelf; work under way is dropped without a call; NULL is fine. */
void workers_free(struct workers *w);

/*
 * PROGRESS, HEAD and ROWS as they come, then DONE or FAILED, once. The message and what it points to live until the
 * callback returns. After the last one the handle is gone.
 */
typedef void work_cb(void *ptr, const struct duck_msg *m);
must_check int workers_send(struct workers *w, const struct dom *request, work_cb *cb, void *ptr, struct work **out,
                            struct err *e);
/* Asks it to stop: FAILED with ERR_CANCELLED follows. Hard: the worker is killed; that follows too. */
void workers_cancel(struct work *k, bool hard);
/* A worker that nobody uses now, for a call that waits (parsing); taken out of the pool until given back. */
struct duck *workers_borrow(struct workers *w) __attribute__((returns_nonnull));
void workers_give_back(struct workers *w, struct duck *d);

#endif
