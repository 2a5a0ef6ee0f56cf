/*
 * daemon/daemon.h: `leat serve`: one process and one loop that keeps the clock, sees what is committed and saved, gives
 * requests (flow/request.h) to runners (daemon/runner.h) and answers HTTP. It runs no job itself and takes no step that
 * lasts: whatever a job does, the daemon answers.
 *
 * All it knows lies in leat.db and in the job files: it may be killed at any moment, and the next one goes on. Runners
 * do not end with it. One daemon a workspace: .leat/serve.lock; what it is and where it listens: .leat/serve.json.
 */
#ifndef LEAT_DAEMON_DAEMON_H
#define LEAT_DAEMON_DAEMON_H

#include "api/serve.h"
#include "flow/clock.h"
#include "flow/flow.h"
#include "flow/request.h"
#include "sys/lock.h"
#include "sys/loop.h"
#include "sys/notify.h"
#include "web/web.h"

#define DAEMON_RUNNERS  16    /* at once */
#define DAEMON_LOOK_MS  1     /* from a write to leat.db to the look at it: what comes together is seen together */
#define DAEMON_AGAIN_MS 1000  /* what could not be written (a full disk) is tried again */
#define DAEMON_QUIET_MS 15    /* an editor has done its writing and renaming when nothing came for so long */
#define DAEMON_IDLE_MS  30000 /* the longest that the wall clock is not looked at: it may have been set */
#define DAEMON_STANDBY_MS 1500 /* before a slot is due a runner is made ready for it */
#define DAEMON_REQUESTS 10000 /* looked at in one go */

struct daemon;
struct direct;
struct runner_told;
struct standby;

/* A runner: a child of ours, or of a daemon before us (then it is only watched). */
struct daemon_runner {
	struct daemon *d;
	struct proc p;
	bool begun; /* there is, or was, such a process */
	struct loop_ev *ev;
	char batch[ID_HEX + 1];
	int64_t moved;  /* daemon.moved when it began */
	struct daemon_runner *next;
};

struct daemon {
	const struct job_kind *const *kinds;
	const char *dir; /* of the workspace */
	struct workspace *ws;
	struct store *store;
	struct flow *flow; /* the jobs as they were last loaded whole */
	struct lock lock;
	struct loop *loop;
	struct loop_ev *look, *clock, *quiet;
	struct clock *slots; /* of schedules */
	int64_t next;        /* ms: for when `clock` is set */
	struct notify *files; /* job files */
	int written;          /* inotify: .leat/ and the file of the virtual clock */
	int wd_store, wd_clock;
	const char *clock_name; /* of the virtual clock's file, in its folder; NULL: there is none */
	bool to_clock;          /* it has changed */
	size_t broken;          /* job files with errors: those jobs are as they were when they had none */
	int64_t moved;          /* the last head_move that was looked at */
	struct daemon_runner *runners;
	size_t n_runners;
	struct daemon_runner *ended; /* what they had could not be taken back yet */
	struct standby *standby;     /* a runner that is ready (standby.c); NULL */
	struct direct *direct;       /* in one look at the clock (direct.c); NULL */
	struct loop_ev *soon;        /* when one is to be */
	bool failing;                /* something could not be done; it is tried again */
	char trouble[256];           /* what was said of that */
	struct daemon_lineage *lineage;
	struct loop_ev *sweep;
	int64_t swept, swept_n; /* the last request looked at, and how many went */
	bool json; /* how the log is written */
	struct web *web;             /* NULL: there is no HTTP */
	int port;                    /* asked for (-1: any); where HTTP listens */
	const char *behind; /* the name of the proxy before us; NULL: there is none */
	int64_t since;
	bool stopping;
	dev_t dev; /* of .leat when we began */
	ino_t ino;
	bool gone; /* it is not there any more */
};

/* The role's entry: leat --role daemon DIR PORT READY_FD(-1: none) LOG(text|json). */
must_check int daemon_main(int argc, char **argv, const struct job_kind *const *kinds);

/* A line of the log: time, level, msg and then what belongs to it, key by key: texts in pairs. */
#define daemon_log(d, level, ...) daemon_log_line(d, level, __VA_ARGS__, (const char *)NULL)
void daemon_log_line(struct daemon *d, const char *level, const char *msg, ...) __attribute__((sentinel));

/* events.c: what is written to leat.db, to the job files and to the virtual clock */
must_check int events_begin(struct daemon *d, struct err *e);
void events_end(struct daemon *d);
void events_look(struct daemon *d); /* soon: leat.db has changed, or may have */
void events_failed(struct daemon *d, const struct err *e); /* said once, and all is looked at again in a while */
must_check int events_ask_data(struct daemon *d, struct err *e); /* jobs on data, and late data, are looked at */
bool events_gone(struct daemon *d); /* the workspace has been deleted or moved: the loop is stopped */
void events_tick(struct daemon *d); /* what the clock brings, and when it is to be looked at again */
/* What is good of the job files, and what was good of the others (flow/live.h). */
must_check int events_load(struct daemon *d, struct flow **out, struct err *e);
/* The same in place of what was; that stays if it fails. */
void events_reload(struct daemon *d);

/* standby.c: a runner made ready for the slot that is due next */
void standby_ahead(struct daemon *d, int64_t now, int64_t due); /* CLOCK_NEVER: none is */
/* Tells it (runner.h): *p is it, to be waited for like any other. false: there is none. */
must_check bool standby_take(struct daemon *d, const struct runner_told *told, struct proc *p);
int64_t standby_pid(const struct daemon *d, int64_t *start); /* 0: there is none */
void standby_drop(struct daemon *d); /* what it has loaded is old */
void standby_end(struct daemon *d);

/* sweep.c: requests that ended long ago */
void sweep_begin(struct daemon *d);
void sweep_end(struct daemon *d);

/* lineage.c: what is to be told as OpenLineage events; lineage_send.c: the process that tells them */
must_check int lineage_main(int argc, char **argv, const struct job_kind *const *kinds);
void lineage_watch(struct daemon *d);
void lineage_look(struct daemon *d); /* something has been written, or may have */
void lineage_reloaded(struct daemon *d);
void lineage_end(struct daemon *d);

/* direct.c: slots that go to the runner that is ready as they are made */
must_check int direct_due(void *ptr, struct request_new *r, struct err *e); /* clock_say.due; ptr: the daemon */
must_check int direct_go(struct daemon *d, bool made, struct err *e); /* made: that transaction is through */

/* dispatch.c: requests to runners */
must_check int dispatch_begin(struct daemon *d, struct err *e); /* takes over what a daemon before left */
void dispatch_go(struct daemon *d);                             /* starts what can start */
/* By direct.c: to the one that is ready. */
must_check int dispatch_given(struct daemon *d, const struct runner_told *told, struct err *e);
void dispatch_end(struct daemon *d);

#endif
