/*
 * sys/proc.h: starting, watching and ending other processes.
 *
 * Children are started by clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD), as posix_spawn does it, so that the size of this
 * process costs nothing, and an exec that fails is known at once, with its reason. A child gets the descriptors it is
 * handed and no other, the default signal handlers, and an empty signal mask.
 * Who spawns owns struct proc: proc_wait (or loop_child) exactly once, then proc_free; killing without waiting leaves a
 * zombie.
 */
#ifndef LEAT_SYS_PROC_H
#define LEAT_SYS_PROC_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

#define PROC_MARKER "LEAT_TASK" /* the variable that marks all descendants of a task */
#define PROC_MAX_FDS 8
#define PROC_MAX_CGROUPS 4

struct bind_plan;
struct proc_shim;
struct shim_seat;
struct root_plan;

struct proc_spec {
	const char *const *argv;  /* NULL-terminated; argv[0] with a '/' is a path, else looked up in `path` */
	const char *const *env;   /* NULL-terminated KEY=VALUE; NULL = this process's */
	const char *path;         /* PATH for the look-up; NULL = that of env */
	const char *cwd;          /* NULL = this process's; a relative argv[0] is meant from here */
	int in, out, err;         /* descriptors that become 0, 1, 2; -1 = /dev/null */
	int fds[PROC_MAX_FDS];    /* become 3, 4, ... */
	unsigned n_fds;
	bool same_group;          /* default: a process group of its own (and of its children) */
	bool die_with_parent;     /* SIGKILL when the thread that spawned it ends */
	int cgroups[PROC_MAX_CGROUPS]; /* sys/cgroup.h: groups to enter before exec */
	unsigned n_cgroups;
	const struct bind_plan *binds; /* sys/bind.h; NULL = none */
	/* sys/root.h; NULL = none. cwd is meant in it, and argv[0] is looked up there; binds are then not made. */
	const struct root_plan *root;
	/*
	 * sys/shim.h: it outlives us, in a session of its own; NULL = none. proc.pid is then the shim's, and no fds are
	 * handed on. A program that cannot be executed is known at the end (proc_exit.no_exec).
	 */
	const struct proc_shim *shim;
	int nice;                 /* added to ours */
	uint64_t limit_memory;    /* RLIMIT_AS in bytes; 0 = none */
};
/* struct proc_spec s = PROC_SPEC; then set what differs. */
#define PROC_SPEC {.in = -1, .out = 1, .err = 2}

struct proc {
	pid_t pid;
	int pidfd;       /* readable when it has ended */
	bool own_group;  /* it leads a process group: pid is the group's number too */
	bool ended;      /* reaped: pid is only history (and the group's number) */
	bool shimmed;    /* pid is a shim's, which leads its session and is no part of the task */
	bool adopted;    /* somebody else started it: it is watched, not waited for */
	struct shim_seat *seat; /* of a shim that takes one task after the other; pidfd is then its socket. NULL */
	bool stays;      /* and it may have another task */
	int table;       /* of a shim: where it writes */
	uint32_t row;
};
#define PROC_INIT {.pid = 0, .pidfd = -1}

/*
 * ERR_NOT_FOUND if the program is not there, ERR_PERMISSION if it may not be executed; "bad interpreter" is told apart
 * ("job.sh: its first line names /bin/foo, which is not there").
 */
must_check int proc_spawn(const struct proc_spec *s, struct proc *out, struct err *e);

struct proc_exit {
	int status;  /* exit status, -1 if killed */
	int signal;  /* 0 if it exited */
	bool core;
	bool lost;   /* of a shim that was killed: nobody knows */
	bool unbegun; /* and that it had not begun: its row says that no shim came so far */
	bool left;   /* of a shim: something may still run that it could not end */
	bool over;   /* it was ended, for it took more than it may (exec/local_limit.h); .why says so */
	int no_exec; /* of a shim: why the program could not be executed (errno); 0 */
	bool no_folder; /* that is of the folder that it was to start in */
	const struct err *why; /* that as a sentence, where somebody made one */
	struct rusage usage; /* of it and the descendants it waited for */
};
/* The sentence for its no_exec, of what was started so. */
void proc_not_started(const struct proc_spec *s, const struct proc_exit *x, struct err *e);
/*
 * A shim that another process started, which has died: 1 if it lives and has this table, 0 if there is none.
 * proc_told: one that has ended; how.
 */
int proc_adopt(int32_t pid, int table, uint32_t row, struct proc *out);
void proc_told(int32_t pid, int table, uint32_t row, struct proc *out, struct proc_exit *x);
must_check int proc_wait(struct proc *p, struct proc_exit *out, struct err *e); /* blocks; reaps */
/* 1 = has ended, reaped, *out set; 0 = still runs; -1. */
must_check int proc_poll(struct proc *p, struct proc_exit *out, struct err *e);
/* Waits at most that long: as proc_poll. */
must_check int proc_wait_for(struct proc *p, int64_t ms, struct proc_exit *out, struct err *e);
void proc_free(struct proc *p); /* closes the pidfd; does not kill */

#define PROC_TEXT 64
/* "exit status 3", "killed by signal 9 (Killed)" */
void proc_exit_text(const struct proc_exit *x, char out[PROC_TEXT]);
static inline bool proc_exit_ok(const struct proc_exit *x)
{
	return !x->signal && x->status == 0;
}

void proc_signal(const struct proc *p, int sig); /* to its group if it has one; ended is fine */

/* Orphaned descendants become our children instead of init's, so that we can find and reap them. Once per process. */
void proc_subreaper(void);
/*
 * Ends a task and all it started: its group, its descendants, and whatever carries LEAT_TASK=marker in its environment
 * (a setsid grandchild that was orphaned). SIGTERM, up to grace_ms, then SIGKILL until nothing is found. The child
 * itself is reaped into *out (may be NULL) if it was not yet waited for. marker may be NULL. Cheap (one small read)
 * when the child has been waited for, we are a subreaper, and it left nothing: call it after every task. Returns how
 * many processes had to be killed by SIGKILL (at least 0); -1 and *e if some could not be ended.
 */
must_check int proc_kill_tree(struct proc *p, const char *marker, int64_t grace_ms, struct proc_exit *out,
                              struct err *e);
/* The same without blocking, for a loop: sends `sig` to all that is found now, returns how many (0 = none is left). */
int proc_signal_tree(const struct proc *p, const char *marker, int sig);
/* Bytes of memory that are theirs alone, of the same processes; what several share is parted between them. */
uint64_t proc_tree_memory(const struct proc *p, const char *marker);
/* Ends by SIGKILL what carries the marker, though its starter is gone (recovery). Returns how many it found. */
int proc_kill_marked(const char *marker);
/* Reaps ended children that came to us as orphans; never those that proc_spawn started. Returns how many still live. */
unsigned proc_reap_orphans(void);

/* This program's own file, for starting itself in another role. */
const char *proc_self_exe(void) __attribute__((returns_nonnull));
/* Looks a program up as execvp does; NULL if there is none. path NULL = $PATH. */
char *proc_which(struct arena *a, const char *name, const char *path);
/* Processors this process may use (affinity and cgroup quota), at least 1. */
unsigned proc_cpus(void);
/* Bytes of memory this process may use: the machine's or the cgroup's limit. */
uint64_t proc_memory(void);

/* Runs to the end and gives what it printed (stdout, in the arena, up to max). For small helpers: `python3 -c`. */
must_check int proc_output(struct arena *a, const struct proc_spec *s, size_t max, int64_t timeout_ms, struct str *out,
                           struct proc_exit *x, struct err *e);

#endif
