#include "flow/workers.h"

#include <stdlib.h>

struct worker {
	struct workers *pool;
	struct duck *duck;
	struct loop_ev *ev;
	struct work *work;     /* NULL: free */
	struct worker *next;   /* all of the pool */
	bool lent;
};

struct work {
	struct worker *worker;
	work_cb *cb;
	void *ptr;
};

struct workers {
	struct loop *loop;
	struct duck_conf conf;
	struct shelf *shelf;   /* NULL */
	char *leat_dir, *timezone;
	struct worker *all;
	struct arena *arena;   /* of one message */
};

struct duck *shelf_take(struct shelf *s, const struct duck_conf *conf)
{
	return s && s->n ? s->duck[--s->n] : duck_new(conf);
}

void shelf_give(struct shelf *s, struct duck *d)
{
	if (!s || s->n == SHELF_MAX || duck_busy(d) || duck_fd(d) < 0)
		duck_free(d);
	else
		s->duck[s->n++] = d;
}

void shelf_empty(struct shelf *s)
{
	while (s->n)
		duck_free(s->duck[--s->n]);
}

struct workers *workers_new(struct loop *l, const struct duck_conf *conf, struct shelf *shelf)
{
	struct workers *w = xcalloc(1, sizeof(*w));

	w->loop = l;
	w->shelf = shelf;
	w->conf = *conf;
	w->conf.leat_dir = w->leat_dir = conf->leat_dir ? xstrdup(conf->leat_dir) : NULL;
	w->conf.timezone = w->timezone = conf->timezone ? xstrdup(conf->timezone) : NULL;
	w->arena = arena_new();
	return w;
}

void workers_free(struct workers *w)
{
	struct worker *k;

	if (!w)
		return;
	while ((k = w->all)) {
		w->all = k->next;
		loop_close(k->ev);
		shelf_give(w->shelf, k->duck);
		free(k->work);
		free(k);
	}
	arena_free(w->arena);
	free(w->leat_dir);
	free(w->timezone);
	free(w);
}

static struct worker *worker_free(struct workers *w)
{
	struct worker *k;

	for (k = w->all; k; k = k->next)
		if (!k->work && !k->lent)
			return k;
	k = xcalloc(1, sizeof(*k));
	k->pool = w;
	k->duck = shelf_take(w->shelf, &w->conf);
	k->next = w->all;
	w->all = k;
	return k;
}

static void on_socket(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct worker *k = ptr;
	struct work *work;

	(void)ev;
	(void)events;
	while ((work = k->work)) {
		struct duck_msg m;
		bool last;

		arena_reset(k->pool->arena);
		if (!duck_recv(k->duck, k->pool->arena, &m))
			return;
		last = m.kind == DUCK_DONE || m.kind == DUCK_FAILED;
		if (last) {
			/* The callback may send the next request at once, to this very worker. */
			k->work = NULL;
			loop_close(k->ev);
			k->ev = NULL;
		}
		if (!last) {
			work->cb(work->ptr, &m);
			continue;
		}
		/* What the callback sends is received into the same arena: the message must outlive that. */
		struct arena *own = k->pool->arena;
		k->pool->arena = arena_new();
		work->cb(work->ptr, &m);
		arena_free(own);
		free(work);
		return;
	}
}

int workers_send(struct workers *w, const struct dom *request, work_cb *cb, void *ptr, struct work **out, struct err *e)
{
	struct worker *k = worker_free(w);
	struct work *work;

	if (duck_send(k->duck, request, e))
		return -1;
	if (loop_fd(w->loop, duck_fd(k->duck), EPOLLIN, on_socket, k, &k->ev, e)) {
		/* Its answer would find nobody. */
		duck_free(k->duck);
		k->duck = duck_new(&w->conf);
		return -1;
	}
	work = xcalloc(1, sizeof(*work));
	*work = (struct work){.worker = k, .cb = cb, .ptr = ptr};
	k->work = work;
	*out = work;
	return 0;
}

static void on_killed(struct loop_ev *ev, void *ptr)
{
	struct work *work = ptr;
	struct err e = ERR_INIT;
	struct duck_msg m = {.kind = DUCK_FAILED, .offset = -1, .err = &e};

	(void)ev;
	err_set(&e, ERR_CANCELLED, "the query was cancelled");
	work->cb(work->ptr, &m);
	free(work);
}

/* Hard: the process goes, whatever it does; another one is started when there is work again. */
void workers_cancel(struct work *work, bool hard)
{
	struct worker *k = work->worker;

	if (!hard) {
		duck_cancel(k->duck);
		return;
	}
	if (k->work != work)
		return; /* killed already: its end is on the way */
	loop_close(k->ev);
	k->ev = NULL;
	k->work = NULL;
	duck_free(k->duck);
	k->duck = duck_new(&k->pool->conf);
	loop_defer(k->pool->loop, on_killed, work);
}

struct duck *workers_borrow(struct workers *w)
{
	struct worker *k = worker_free(w);

	k->lent = true;
	return k->duck;
}

void workers_give_back(struct workers *w, struct duck *d)
{
	for (struct worker *k = w->all; k; k = k->next)
		if (k->duck == d)
			k->lent = false;
}
