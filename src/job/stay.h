/*
 * job/stay.h: jobs that stay: services, which listen at a port, and spouts, which run for ever and commit what they
 * write.
 *
 * Each has a keeper, a process of its own (`leat --role stay WORKSPACE JOB`) that starts it, looks whether it works,
 * starts it anew when an input that is not pinned moves or when it ends by itself, and commits. It is started by `up`
 * and ended by SIGTERM (`down`); it needs no terminal and no daemon. Below .leat/stay/JOB/:
 *
 *   stop        who asked it to end, as a sentence (down)
 *   lock        held by the keeper as long as it lives
 *   state.json  what it has come to (struct stay_state as JSON), replaced whole
 *   log, log.1  what the process printed, and what came before that
 *   out         a service's /pfs/out: begins as the head of its output, becomes a commit by `commit` and `down`;
 *               a spout's: a named pipe that takes tar archives, each of which becomes a commit
 *   in/N/NAME   its inputs; work/ its code; tmp/, home/, root/, spec.json
 *
 * No process is left behind: the service dies with its keeper (PDEATHSIG), a guard (`leat --role guard MARKER`, which
 * waits for the end of a pipe that the keeper holds) ends all that bears its marker, and if even that was killed, the
 * next command about services does (stay_clean).
 */
#ifndef LEAT_JOB_STAY_H
#define LEAT_JOB_STAY_H

#include "flow/flow.h"
#include "repo/commit.h"

#define STAY_ROLE "stay"
#define STAY_GUARD_ROLE "guard"
#define STAY_MAX_STATE ((size_t)1 << 20)
#define STAY_MAX_LOG ((int64_t)64 << 20) /* bytes of a log; then it becomes log.1 */
#define STAY_MAX_FILES 1000000           /* in one archive of a spout */

int stay_worker_main(int argc, char **argv);
int stay_guard_main(int argc, char **argv);

struct stay_place {
	const char *dir, *lock, *state, *log, *out, *stop; /* absolute */
};
void stay_place(struct arena *a, const struct store *s, struct str job, struct stay_place *out);

/* The words of state.json's "state" while a keeper lives are those of starting to stopping. */
#define STAY_STARTING "starting"
#define STAY_RUNNING "running"
#define STAY_WAITING "waiting" /* it ended by itself, and is started again soon */
#define STAY_STOPPING "stopping"
#define STAY_STOPPED "stopped"
#define STAY_FAILED "failed"
#define STAY_LOST "lost" /* its keeper was killed */

bool stay_is_up(const struct stay_place *p); /* its keeper lives */
/* state.json as a document; NULL: there is none (yet). */
const struct dom *stay_state(struct arena *a, const struct stay_place *p);
must_check int stay_set_state(struct arena *a, const struct stay_place *p, const struct dom *state, struct err *e);
/* The same, of one that has ended. why, commit: NULL for none, for no other. */
const struct dom *stay_ended(struct arena *a, const struct dom *state, const char *word, const char *why,
                             const char *commit);
/* What a killed keeper left running is ended, and its state is "lost"; nothing if a keeper lives. */
must_check int stay_clean(struct arena *a, const struct stay_place *p, struct err *e);

/* How it is told that a service works. */
enum stay_health { HEALTH_NONE, HEALTH_TCP, HEALTH_HTTP };
struct stay_keys {
	int port;
	enum stay_health health;
	const char *path;
	int64_t start_ms, every_ms; /* how long it may take to work; how often it is looked at */
};
void stay_keys(struct arena *a, const struct job *j, struct stay_keys *out);
bool stay_is_spout(const struct job *j);

/* --- stay_out.c --- */

/*
 * A commit of the job's output: all that is in `dir` (a service's out), or, of a spout, those files over the head, and
 * then they are taken out of `dir`. *made: not if a service's is as its head.
 */
struct stay_commit {
	const char *command;
	const struct dom *inputs; /* name to REPO@COMMIT; NULL */
	struct str message;       /* STR_NULL: kind and name */
	const char *reason;       /* what made it commit now: for why */
};
must_check int stay_commit(struct store *s, struct arena *a, const struct job *j, const char *dir,
                           const struct stay_commit *how, struct commit *out, bool *made, struct err *e);
/* The head of its output as files of one's own; `dir` is made. */
must_check int stay_lay_out(struct store *s, struct arena *a, const struct job *j, const char *dir, struct err *e);

/* --- stay_turn.c: one start of it --- */

struct stay_turn {
	struct arena *arena;
	struct attempt t;
	struct attempt_given given;
	struct sha *trees;       /* of its inputs; zero: nothing is there yet */
	struct sha seen;         /* hash of what it sees of them */
	const struct dom *inputs; /* a map: name to REPO@COMMIT */
	int64_t since;            /* when it was started, by clock_mono_ms */
};
/* Inputs go to in/N; marker, run id and log are the keeper's. What it had before is forgotten. */
must_check int stay_turn(struct stay_turn *turn, struct flow *f, struct loop *loop, const struct job *j,
                         const struct stay_place *p, unsigned n, const char *marker, int log, struct err *e);
/* Whether it would see other files now, through globs and branches of inputs that are not pinned: 1, 0, -1. */
must_check int stay_moved(struct store *s, const struct job *j, const struct stay_turn *turn, struct err *e);

/* --- stay_health.c --- */

struct stay_probe;
typedef void stay_probe_cb(void *ptr, bool good, const char *text);
struct stay_probe *stay_probe_new(struct arena *a, struct loop *l, const struct stay_keys *k, stay_probe_cb *cb,
                                  void *ptr);
/* Asks once; the callback comes from the loop. false: nobody listens. */
bool stay_probe_ask(struct stay_probe *p);
void stay_probe_end(struct stay_probe *p); /* the callback does not come any more */
/* Another process listens there already: ERR_BUSY. */
must_check int stay_port_free(int port, struct err *e);

/* --- stay_tar.c --- */

struct stay_tar;
/* Files of archives that follow each other in a stream go to `dir`. */
struct stay_tar *stay_tar_new(const char *dir);
void stay_tar_free(struct stay_tar *t); /* NULL is fine */
/*
 * Takes bytes of the stream, up to the end of an archive: *used of them. 1: an archive is whole; 0: more is needed; -1:
 * it is none, and what comes until the end of the stream is not to be looked at.
 */
must_check int stay_tar_take(struct stay_tar *t, const char *p, size_t n, size_t *used, struct err *e);
bool stay_tar_within(const struct stay_tar *t); /* in the midst of an archive */
void stay_tar_again(struct stay_tar *t);        /* from the beginning: the stream has ended */

#endif
