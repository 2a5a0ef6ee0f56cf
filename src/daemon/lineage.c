/*
 * OpenLineage events on their way (api/lineage.h): a process of their own tells them, so that a receiver that is slow
 * or dead holds nothing up. One that fails is started again after a while, each time twice as long.
 */
#include "api/lineage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "sys/proc.h"

#define SOON_MS  20 /* what comes together is told together */
#define FIRST_MS 1000
#define LAST_MS  (5 * 60 * 1000)

struct daemon_lineage {
	struct daemon *d;
	struct proc p;
	struct loop_ev *ev, *again;
	bool runs, more; /* more: something was written while it ran */
	int64_t wait;    /* ms; 0: the last try told all */
	char said[256];
};

static void start(struct daemon_lineage *l);

static void on_again(struct loop_ev *ev, void *ptr)
{
	struct daemon_lineage *l = ptr;

	(void)ev;
	l->again = NULL;
	start(l);
}

static void later(struct daemon_lineage *l, int64_t ms)
{
	if (!l->again)
		l->again = loop_timer(l->d->loop, ms, on_again, l);
}

static void failed(struct daemon_lineage *l, const char *why)
{
	l->wait = l->wait ? MIN(l->wait * 2, LAST_MS) : FIRST_MS;
	if (strncmp(l->said, why, sizeof(l->said) - 1) != 0)
		daemon_log(l->d, "warning", "OpenLineage events wait", "reason", why);
	snprintf(l->said, sizeof(l->said), "%s", why);
	later(l, l->wait);
}

static void on_end(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct daemon_lineage *l = ptr;
	const char *why;

	(void)ev;
	l->ev = NULL;
	l->runs = false;
	proc_free(&l->p);
	if (!proc_exit_ok(x)) {
		why = lineage_trouble(l->d->store, a);
		failed(l, why ? why : "the process that tells them ended badly");
		return;
	}
	if (l->wait)
		daemon_log(l->d, "info", "OpenLineage events are told again");
	l->wait = 0;
	l->said[0] = '\0';
	if (l->more)
		later(l, SOON_MS);
}

static void start(struct daemon_lineage *l)
{
	struct daemon *d = l->d;
	const char *argv[] = {proc_self_exe(), "--role", LINEAGE_ROLE, d->ws->dir, "0", NULL};
	struct proc_spec spec = PROC_SPEC;
	struct err e = ERR_INIT;
	int64_t n = 0;

	if (l->runs || lineage_waiting(d->store->db, &n, &e) || !n)
		return;
	l->more = false;
	spec.argv = argv;
	spec.cwd = "/";
	spec.out = -1;
	if (proc_spawn(&spec, &l->p, &e)) {
		failed(l, e.msg);
		return;
	}
	if (loop_child(d->loop, &l->p, on_end, l, &l->ev, &e)) {
		proc_free(&l->p);
		failed(l, e.msg);
		return;
	}
	l->runs = true;
}

void lineage_look(struct daemon *d)
{
	struct daemon_lineage *l = d->lineage;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	int64_t n;

	if (!lineage_to(d->ws, a).n || l->again)
		return;
	if (l->runs) {
		l->more = true;
		return;
	}
	if (!lineage_begin(d->store, &e) && !lineage_waiting(d->store->db, &n, &e) && n)
		later(l, SOON_MS);
	err_clear(&e); /* a full disk: the next look */
}

void lineage_reloaded(struct daemon *d)
{
	loop_close(d->lineage->again); /* leat.yaml may say another receiver */
	d->lineage->again = NULL;
	d->lineage->wait = 0;
}

void lineage_watch(struct daemon *d)
{
	d->lineage = xcalloc(1, sizeof(*d->lineage));
	d->lineage->d = d;
	d->lineage->p = (struct proc)PROC_INIT;
	lineage_look(d);
}

void lineage_end(struct daemon *d)
{
	struct daemon_lineage *l = d->lineage;

	if (!l)
		return;
	loop_close(l->again);
	loop_close(l->ev);
	proc_free(&l->p); /* it goes on, and ends by itself */
	free(l);
}
