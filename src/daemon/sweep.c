/* What is let go with time: requests that ended long ago, a few rows at a time so that nobody waits for it. */
#include "base/keys.h"
#include "base/str.h"
#include "daemon/daemon.h"

#define FIRST_MS 1000
#define EVERY_MS (60 * 60 * 1000)
#define NEXT_MS  20
#define KEEP_MS  ((int64_t)90 * 86400000)

static int64_t keep(const struct daemon *d, struct arena *a)
{
	const struct dom *v = workspace_setting(d->ws, "requests_keep");
	int64_t ms = KEEP_MS;

	return v && keys_duration(dom_text(a, v), &ms) ? ms : KEEP_MS;
}

static int step(struct daemon *d, struct arena *a, bool *more, struct err *e)
{
	int64_t now, n;
	int rc;

	if (request_age(d->store->db, &now, e))
		return -1;
	rc = request_prune(d->store->db, now - keep(d, a), &d->swept, &n, e);
	if (rc < 0)
		return -1;
	d->swept_n += n;
	*more = rc;
	return 0;
}

static void on_sweep(struct loop_ev *ev, void *ptr)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct daemon *d = ptr;
	struct err e = ERR_INIT;
	bool more = false;

	if (step(d, a, &more, &e)) /* tried again the next time */
		daemon_log(d, "error", err_text(a, &e));
	if (!more) {
		if (d->swept_n)
			daemon_log(d, "info", "requests that ended long ago were let go", "requests",
			           arena_printf(a, "%lld", (long long)d->swept_n));
		d->swept = d->swept_n = 0;
	}
	loop_timer_again(ev, more ? NEXT_MS : EVERY_MS);
}

void sweep_begin(struct daemon *d)
{
	d->sweep = loop_timer(d->loop, FIRST_MS, on_sweep, d);
}

void sweep_end(struct daemon *d)
{
	loop_close(d->sweep);
}
