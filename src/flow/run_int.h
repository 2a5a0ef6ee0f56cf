/*
 * flow/run_int.h: what the files of the engine share (run*.c, publish.c). Not for others.
 *
 * The life of a unit: it waits for what it reads (and for its group's leases), is decided anew if it waited, is queued,
 * gets the rows of an attempt (an intent) and then a slot; its task runs, its output is taken into the store's files,
 * compared and checked, and it is handed to the flush, which makes it durable together with others and publishes
 * the groups that have become complete (publish.c). All that happens on one loop in one thread.
 *
 * Memory: the engine's arena lives as long as run_plan; what one unit needs lies in its own arena, which ends with it.
 */
#ifndef LEAT_FLOW_RUN_INT_H
#define LEAT_FLOW_RUN_INT_H

#include "flow/check.h"
#include "flow/data.h"
#include "flow/key.h"
#include "flow/lease.h"
#include "flow/run.h"
#include "flow/state.h"
#include "flow/workers.h"
#include "repo/ingest.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/shim.h"

#define RUN_FLUSH_MS 20          /* how long a result may wait for others to be made durable with it (SEMANTICS 9) */
#define RUN_FLUSH_UNITS 64       /* ... and how many */
#define RUN_PASS 1024            /* units that pass, at most, in one transaction */
#define RUN_MANY 32              /* units that run as one piece of work, at most */
#define RUN_MANY_STEPS 512       /* ... where they have no output: a statement each, none of which reads a table */
#define RUN_MANY_MIN 4           /* ... and at least: fewer gain nothing */
#define RUN_MANY_BYTES ((int64_t)64 << 20) /* of their inputs together, at most */
#define RUN_PUMP_US 100          /* between two looks at tasks while the disk is waited for */
#define RUN_AHEAD 4              /* tasks made ready for slots that become free during a flush, beside one a slot */
#define RUN_AHEAD_FILES 16       /* ... with as many input files at most, */
#define RUN_AHEAD_BYTES ((int64_t)1 << 20) /* which are as large at most: others take long */
#define RUN_INTENTS 64           /* attempts recorded ahead of their spawns in one transaction, at most */
#define RUN_BEGIN_JOBS 250        /* runs whose rows are begun in one transaction, */
#define RUN_BEGIN_MIN 400         /* ... where there are more than these */
#define RUN_LEASE_POLL_MS 50     /* how often to look whether another command has let go of a unit */
#define RUN_STOP_AGAIN_MS 5      /* until a flush is over */
#define RUN_BESIDE_MS 2          /* how often run_opts.beside is asked */
#define RUN_QUIET_MS 100         /* after that it is recorded that units without output run */
#define RUN_NAME_MS 20           /* a task that is over by then, and said nothing, never has a log of its own name */
#define RUN_SHOW_MS 1000         /* datastore/ follows at least that often while units go on finishing */
#define RUN_MAX_RETRY_MS ((int64_t)24 * 3600 * 1000)
#define RUN_MAX_HOLE ((int64_t)64 << 30) /* bytes of a sparse file that are not there */
#define RUN_MAX_CODE ((size_t)8 << 20)   /* code of a job that is kept in memory; more is copied from a folder */
#define RUN_MAX_SPEC ((size_t)16 << 20)
#define RUN_MAX_LAID 100         /* files of code that are compared; a folder with more is laid anew each time */
#define RUN_ADOPT_DESKS 1000     /* numbers that folders of a run that was taken over are away from those before */
#define RUN_MAX_SPARES 16        /* runs that are over whose folders are kept for others */
#define RUN_MAX_KEPT 16          /* files that are removed one by one, so that their folder serves the next attempt */
#define RUN_MAX_LAZY 4096        /* files of one unit that are named pipes */
#define RUN_MAX_COMPARE 1000     /* Parquet files of one unit whose rows are compared with those of the head */

struct engine;
struct adopt;

/* A unit in the hands of the engine. */
enum step {
	STEP_WAIT,     /* for upstream units or the group's leases */
	STEP_READY,    /* in a queue, not decided */
	STEP_PREPARED, /* its attempt is recorded, it can be started */
	STEP_WORK,     /* in a slot */
	STEP_PAUSE,    /* between two tries */
	STEP_DONE,     /* in the queue of the flush */
	STEP_SETTLED,  /* recorded */
};

struct code_file {
	struct str label, bytes;  /* bytes STR_NULL: in the run's code folder */
	unsigned mode;
};

/*
 * The folders of one attempt after the other. Making and removing inodes is by far the dearest part of a small task
 * (ext4 looks for long for one that was not in use lately), so what an attempt leaves as it found it serves the next.
 * An attempt gets an empty output folder and a work folder that holds the code and nothing else, whichever it is.
 */
struct desk {
	struct run_job *run;
	char *dir, *out, *work, *spec; /* malloc'ed, absolute */
	int64_t number;                /* its folder's name */
	bool used;                     /* by a process that has died: not for another try */
	ino_t out_ino;                 /* of `out` as it was made */
	/*
	 * `out` and `work` are dated to an odd moment of the past when they are as they shall be: while they bear that
	 * date, nothing was made or removed in them, and they need not be listed. 0: not dated.
	 */
	int64_t out_stamp, work_stamp;
	bool flat;                     /* no code in folders of `work` */
	struct file_key *laid;         /* of run->code, as it was laid */
	char *extra;                   /* folder for inputs that are put together */
	bool extra_kept;               /* it is there, with an empty folder for each input */
	char *report;                  /* of kinds that report; NULL */
	char *root, *tmp, *home;       /* of tasks with a root of their own (sys/root.h); NULL without */
	int64_t tmp_stamp, home_stamp;
	size_t spec_size;
	int spec_fd, log_fd;           /* log_fd: an empty log that nobody needed; -1 */
	char *log;                     /* its path; "" = none */
	struct desk *next;
};

struct run_pool {
	struct str name;
	int64_t places, used;      /* used: by this command */
	uint64_t at;               /* its bytes of .leat/pools.lock */
	int *held;                 /* of each place that is ours: the descriptor that has it locked, + 1 */
	VEC(int) spare;            /* descriptors that have none */
	bool outside, waits;       /* others have the places that we lack; they are told that we wait */
};

struct run_job {
	const struct job *job;
	char id[ID_HEX + 1];
	size_t n_units, n_left, n_bad, n_cancelled, n_unmade; /* n_unmade: of n_bad, upstream failed */
	size_t n_held;             /* good, and not published: their groups were not */
	struct run_pool *pool;     /* NULL: none */
	struct data_set *data;     /* of a data-driven job: the event that it runs for; NULL */
	bool asked;                /* --param is for it */
	bool dirs, logs;           /* its folders are there */
	bool logged;               /* and that of logs is not empty */
	int spare;                 /* .dirs serves the run that comes next: its lock + 1 (run_spare.c); 0 */
	struct run_job *next_spare;
	struct desk *desks;        /* free ones */
	size_t n_desks, n_at_desk; /* made so far; attempts that have one */
	struct code_file *code;
	size_t n_code;
	struct repo repo;          /* of its output; id 0 until it is known */
	struct repo reports;       /* of the reports of its units (report.h); likewise */
	struct run_job *next;      /* of those whose datastore/ lags */
	bool lags;
	bool code_kept;            /* its texts are in the store (codetext.h) */
	struct loop_ev *limit;     /* of its jobTimeout, from its first unit on (run_limit.c) */
	bool limited, over;        /* that was set; the time is over */
	enum state state;          /* as it ended; untold: who asked for it has not been told */
	bool untold;
	enum state ended;          /* for its hooks (run_hook.c) */
	const char *hook_ds, *hook_error; /* of its last unit, of the first that failed; NULL */
	struct run_job *next_ended;
	uint64_t waits_for;        /* what its row says that it waits for, without the time: its hash; 0: nothing */
	int64_t waits_min;         /* and for how long that has been held */
	bool at_work, ready;       /* in one look: a unit of it is; one could be, if there were a place */
	struct run_unit *next_up;  /* in one look: the first that could be; NULL */
	bool looked, together;     /* whether its units may run many at once; known after the first look */
	void *many;                /* the kind's, of that */
	void *kept;                /* the kind's, for as long as the run */
	const struct id *batch;    /* of a run that was taken over: its own; NULL */
	const struct dom *params;  /* and what it was asked with; NULL */
	int tasks;                 /* the table of its tasks (sys/shim.h) + 1; 0: not open */
	uint32_t n_rows;           /* of it, in use or free */
	VEC(uint32_t) free_rows;
};

struct group {
	struct str key;            /* pipeline or job, and ds */
	VEC(struct run_unit *) list;
	size_t n_left, n_bad;
	bool leased, told, waited; /* told: its units know; waited: another command held it */
	bool held;                 /* of a run that was taken over: remembered, not published */
	bool steps;                /* all its units are: it has no leases, two commands at once are as good as one */
	bool ended, said, published, lost; /* lost: its leases were no longer ours */
	bool answered;             /* who asked for its runs has been told how they ended */
	size_t n_edges;            /* from other groups, while run_make.c puts them in order */
	bool ordered;
	struct run_job *data;      /* of a data-driven job: all its units of one event; NULL */
	struct group *into;        /* merged into that one */
	struct group *next;
};

/* What another command made of a unit: events tell of its run, not of ours. */
struct other {
	char run[ID_HEX + 1];
	struct id batch;
	int64_t unit;
};

/* A unit at work: everything that ends with the attempt. */
struct task {
	struct attempt t;          /* first */
	struct engine *eng;
	struct run_unit *u;
	bool started;              /* the kind has it */
	void (*alone)(struct task *t, const struct attempt_result *r); /* takes its end (alone.c); NULL: the engine */
	void *ptr;                 /* of alone */
	int log_fd;
	struct desk *desk;
	struct many *many;         /* it runs together with others; NULL: alone, or they are through */
	char *log_name;            /* from .leat/; NULL: it has none */
	bool log_unnamed;          /* its file still has the name of an attempt before */
	int64_t begin_ms;
	struct loop_ev *limit, *grace;
	struct loop_ev *naming;    /* of its log */
	bool hard;
	struct attempt_result result;
	bool gave_nothing;         /* that is known, and its folder may be another's by now */
	struct proc_shim shim;
	/* what comes after it */
	struct work *work;
};

struct run_unit {
	struct plan_unit *p;
	struct engine *eng;
	struct run_job *run;
	struct group *group;
	const struct id *event;    /* the global id of its label */
	struct arena *arena;       /* of its decision, attempts and output; NULL before and after */
	int64_t id, original;
	enum state state;
	enum step step;
	size_t n_wait;
	struct run_unit **downs;
	size_t n_downs;
	struct run_unit *next;     /* in a queue */
	struct task *task;
	bool ahead;                /* its task is made ready for a slot that is to come */
	struct loop_ev *timer;     /* retry */
	int attempts;
	size_t learned;            /* the engine's when it was decided */
	bool attempt_open;         /* its row says that it runs */
	const struct dom *told;    /* the ingredients that its row has; NULL: none */
	bool adopted;              /* its try was started by a process that has died (run_adopt.c) */
	bool held_back;            /* and it is not published by itself */
	uint32_t row;              /* of the table of tasks + 1, until its end is recorded; 0: none */
	int64_t place;             /* it holds in its pool, from 1; 0: none */
	int64_t slot;              /* it holds of the workspace's, from 1; 0: none */
	bool in_slot;
	bool decided;              /* and is to run, as soon as there is a slot */
	bool said;                 /* that it has started */
	size_t turn;               /* jobs side by side go by turns: the how manieth of its job, or of its batch */
	struct queue *placed;      /* in which it was put in its order; NULL: it is not there any more */
	size_t with;               /* with how many it may run at once; 0: not said */
	bool published;            /* by another command, whose result was taken over */
	const struct other *other; /* that command's; NULL: there is none */
	bool stopped;              /* it is to end, and not to be tried again */
	size_t n_good, n_bad, n_skipped; /* of those that it reads, how they ended */
	struct run_unit *past;     /* depends_on_past: that before it; NULL */
	bool branched;             /* skipped, so that what reads it is not needed either (run_rule.c) */
	bool checked_only;         /* known: only checks run */
	/*
	 * Its attempt is recorded with its end, or when that takes longer than a moment: nothing outside is touched
	 * by it (a job without output), so that nobody has to know that it was begun.
	 */
	bool quiet;
	/* the result */
	struct ingest *in;
	bool has_tree;
	struct entry tree;
	bool has_report;
	struct entry report;
	char commit[ID_HEX + 1];   /* "": none yet */
	struct check_result *checks;
	size_t n_checks;
	const struct err *err;     /* in its arena */
	const char *note;          /* why it is skipped, whose result it is */
	int64_t started_ms;
};

struct queue {
	struct run_unit *first, *last;
	size_t n;
	struct run_unit *hint;     /* the last that was put in its order: the next of its job comes after it */
};

struct engine {
	struct adopt *adopt;        /* what was taken over, in place of a plan; NULL */
	struct flow *f;
	struct catalog *c;
	struct plan *p;
	const struct plan_ask *ask;
	const struct run_opts *o;
	struct run_summary *sum;
	struct arena *arena;
	struct loop *loop;
	struct workers *workers;
	struct loop_ev *signals, *flush_timer, *lease_timer, *feed_timer, *pool_timer, *pump, *beside;
	struct loop_ev *slot_timer, *wait_timer;
	size_t wait_from; /* run_wait.c: the run whose row is the next to be told anew */
	bool beside_begun, beside_done; /* done: of run_opts.beside nothing is left */
	struct run_job *jobs;
	size_t n_jobs;
	VEC(struct run_unit *) units;
	size_t n_settled;
	struct group **groups;
	size_t n_groups, n_unleased;
	struct run_pool *pools;
	size_t n_pools;
	struct run_pool share;      /* the slots of the workspace; without places: this command has slots of its own */
	int64_t share_since;        /* since when they are ours to take, by the monotonic clock */
	int64_t reserved;           /* of them, for the unit that starts next; 0: none */
	int pools_fd;               /* -1: not open */
	struct queue hot, cold;     /* ready, in their order; hot: of the same turn, go on with a begun group */
	struct queue passing;       /* ready, of kinds whose units pass: they wait for no slot */
	struct queue prepared, done;
	struct queue written;       /* tasks that ended well in the midst of a flush: taken in after it */
	struct queue arrived;       /* units that ran together, each waiting for a slot to go on in */
	size_t intents;             /* how many to record at once */
	int64_t intents_at;
	int slots, used;            /* used: slots taken */
	size_t learned;             /* how often it was remembered how an input is read: keys made before lack it */
	int64_t done_since, shown_at, started_at;
	struct run_job *lagging;
	struct run_job *ended_jobs; /* whose hooks are to begin */
	size_t hooks;               /* that run */
	struct run_job *over, *spares; /* ended in this flush; whose folders serve the next (run_spare.c) */
	size_t n_spares;            /* both */
	bool cancelled, hard, flushing, ended;
	bool spawns;                /* of its units some may be processes */
	bool others; /* another process has committed something between what was planned from and the leases */
	bool told_python;
	bool hungry;                /* a data-driven run has ended (or none has begun): there may be more to run */
	bool interrupted;          /* files were not taken in because a signal waited for the loop */
	bool fatal;
	struct err fatal_err;
	const char *path;           /* PATH of tasks */
	const char *run_dir;        /* .leat/staging/run: a folder per run in it */
	const char *boot;
	int64_t pid, pid_start;
};

/* run.c */
must_check int run_carry(struct flow *f, struct catalog *c, struct plan *p, const struct plan_ask *ask,
                         const struct run_opts *o, struct adopt *adopt, struct run_summary *out, struct err *e);
void run_fatal(struct engine *g, const struct err *e); /* the machinery cannot go on */
void run_wake(struct engine *g);                       /* looks for what can be started at the end of this round */
/*
 * In the midst of a flush: tasks that are processes end, and others that are prepared take their place, so that slots
 * do not stand empty while rows are written. Neither writes rows.
 */
must_check int run_pump(struct engine *g, struct err *e);
bool run_pumps(const struct engine *g); /* the next task may start in the midst of a flush */
void run_next(struct engine *g); /* a task has ended: the next one, if it is prepared, before anything else is done */
void run_event(struct engine *g, enum run_event_kind kind, struct run_unit *u, const char *text, const struct err *err,
               int64_t ms);
void run_cancel_waiting(struct engine *g);

must_check int run_join(struct engine *g, struct run_job *r, struct err *e); /* its code, and what its kind needs */
void run_join_tell(struct engine *g, struct run_job *r);                     /* what is to be said of it first */
void run_event_set(struct engine *g, const struct data_set *d, const struct err *err); /* its run as a whole failed */

/* run_make.c: units, groups and runs of a plan */
must_check int run_make(struct engine *g, struct err *e);
struct group *run_make_set(struct engine *g, struct data_set *d); /* not yet recorded */

/* run_adopt.c: in place of run_make and of starting */
must_check int run_adopt_make(struct engine *g, struct err *e);
must_check int run_adopt_start(struct engine *g, struct err *e);

/* run_feed.c: data-driven runs, which join as they can run */
must_check int run_feed(struct engine *g, struct err *e); /* asks for more of them; outside a flush */
bool run_feed_open(const struct engine *g);               /* more may come */
void run_feed_ended(struct engine *g, struct group *gr);  /* its group has ended */

/* run_unit.c */
void run_unit_ready(struct run_unit *u);               /* nothing is left to wait for */
/* One thing less to wait for: its leases; a unit that it reads, and how that ended. */
enum up_end { UP_LEASED, UP_GOOD, UP_BAD, UP_SKIPPED };
void run_unit_upstream_done(struct run_unit *u, enum up_end how);
must_check int run_unit_decide(struct run_unit *u, bool *runs, struct err *e);
/* Makes a prepared one ready to start in the midst of a flush too, if that can be done at once. */
void run_unit_ahead(struct run_unit *u);
void run_unit_start(struct run_unit *u);
void run_unit_end(struct run_unit *u, enum state s);   /* to the flush */
void run_unit_failed(struct run_unit *u, const struct err *why, int64_t retry_after_ms, enum state s);
void run_unit_wrong(struct run_unit *u, const struct err *why); /* its output will not do: no other try */
void run_unit_slot_take(struct run_unit *u); /* also beyond their number, by one that gave its slot back early */
void run_unit_slot_free(struct run_unit *u);
void run_unit_cancel(struct run_unit *u, bool hard);
struct task *run_unit_task(struct run_unit *u);         /* a new one, at work */
must_check int run_unit_fill(struct task *t, struct err *e); /* what its attempt finds */
must_check int run_unit_attempt(struct task *t, struct err *e); /* who it is, without its folders */
void run_unit_limit(struct task *t, int64_t ms); /* its limit of time ends then */
must_check int run_unit_launch(struct task *t, struct err *e); /* hands it to the kind */
void run_unit_forget(struct run_unit *u);              /* frees what ends with it */

/* run_pass.c: units for which nothing is started */
bool run_pass_is(const struct run_unit *u);
/* Those that are ready are through, up to RUN_PASS of them; they then wait for the flush. */
must_check int run_pass(struct engine *g, struct err *e);

/* run_limit.c: how long a run may take */
void run_limit_begin(struct run_unit *u); /* a unit of it starts */
void run_limit_end(struct run_job *r);    /* it has no units left */
void run_limit_say(const struct run_unit *u, struct err *e);

/* run_stop.c: one run is ended, or its units of one ds (NULL: all) */
void run_stop(struct run_job *r, struct engine *g, const char *ds, const char *why);
void run_stop_look(struct engine *g); /* what somebody has asked to end */
must_check int run_stop_forget(struct engine *g, const struct run_job *r, struct err *e); /* it has ended */

/* run_rule.c: when:, depends_on_past, no_retry_on */
void run_rule_end(struct run_unit *u);                 /* all that it waited for has ended */
void run_rule_past(struct engine *g, struct map *made, struct run_unit *u); /* made: units by "ds job" */
bool run_rule_final(const struct run_unit *u);         /* after this failure there is no other try */

/* run_hook.c: commands after a run */
void run_hook_failed(struct run_unit *u);              /* a unit of it has ended, well or not */
void run_hook_ended(struct engine *g, struct run_job *r, enum state s); /* it has; in the transaction */
void run_hook_start(struct engine *g);                 /* after it */

/* run_many.c: units of one job that run as one piece of work */
bool run_many_can(struct run_unit *u);       /* it may run with others */
size_t run_many_most(const struct run_unit *u); /* how many of its job, itself included */
bool run_many_start(struct run_unit *u);     /* with others that are prepared; false: alone */
void run_many_done(struct task *t, const struct attempt_result *r);
void run_many_arrive(struct engine *g);      /* those that are through go on, as slots are free */

/* run_pool.c: places of pools and slots of the workspace, shared with other commands */
void run_pool_init(struct engine *g, struct run_pool *pool, struct str name, int64_t places);
struct run_pool *run_pool_of(struct engine *g, struct str name); /* of the settings */
void run_pool_end(struct run_pool *pool);
must_check int run_pool_take(struct run_unit *u, struct err *e); /* 1: it holds one, or needs none; 0: not now; -1 */
void run_pool_give(struct run_unit *u);                          /* that it holds none is fine */
void run_pool_shim(const struct run_unit *u, struct proc_shim *shim); /* its task holds what it holds */
bool run_slot_open(struct engine *g);               /* the next unit may start; the slot for it is reserved */
int64_t run_slot_have(struct engine *g);            /* takes what is reserved: its number, or 0 */
void run_slot_give(struct engine *g, int64_t *place); /* 0 is fine, and is what it becomes */

/* run_wait.c: why a run that could go does not */
void run_wait_look(struct engine *g);               /* soon, if anything waits */
must_check int run_wait_over(struct engine *g, struct run_job *r, struct err *e); /* inside a write transaction */

/* run_code.c: the code of a job, as it was when the run began */
must_check int run_code_pin(struct engine *g, struct run_job *r, struct err *e);
must_check int run_code_lay(struct engine *g, struct desk *d, struct err *e);
bool run_code_intact(const struct desk *d); /* the work folder holds what was laid and nothing else */

/* run_shim.c: the table of the tasks of a run, which tells who comes after us what became of them */
bool run_shim_holds(const struct run_unit *u); /* what it gave is still to be told from its folder */
void run_shim_taken(struct run_unit *u);       /* it gave nothing: its folder may serve others */
void run_shim_done(struct run_unit *u);        /* its end is recorded */
void run_shim_close(struct run_job *r);

/* run_dir.c: folders, logs and inputs of attempts */
must_check int run_dir_make(struct task *t, struct err *e);
/* The folders of a try that a process started which has died. */
must_check int run_dir_adopt(struct task *t, const struct shim_begun *b, const char *log, struct err *e);
void run_dir_log_name(const struct run_unit *u, char *out, size_t cap); /* of its present attempt, from .leat/ */
void run_dir_log_named(struct task *t);                 /* gives its log its name, soon after it is under way */
void run_dir_log_end(struct task *t);                   /* closes the log; an empty one goes away */
bool run_dir_untouched(const char *path, int64_t stamp); /* it still bears that date */
void run_dir_done(struct task *t);                      /* removes what is not to be kept */
void run_dir_end(struct engine *g);                     /* folders of the runs */
void run_desk_names(struct desk *d, const char *dir);   /* gives it the paths that it has in that folder of a run */
int64_t run_desk_stamp(const char *path);               /* dates a folder to the past; 0 where it cannot be dated */
void run_desk_free(struct desk *d);
void run_desk_scrap(struct desk *d);                    /* its folders too */

/* run_spare.c: folders of a run that is over serve one that begins: making them is the dearest part of a small run */
must_check int run_spare_hold(struct engine *g, struct run_job *r, struct err *e); /* it ends in this transaction */
void run_spare_over(struct engine *g);                  /* which is through */
bool run_spare_take(struct engine *g, struct run_job *r);
void run_spare_end(struct run_job *r);                  /* lets go of the lock; that it has none is fine */

/* run_datum.c: what a datum reads of an input, in a new folder; copy: nothing of it may be a link into the store */
void run_datum_clear(struct task *t); /* empties those folders, or removes them */
must_check int run_datum_folder(struct task *t, size_t input, const char *dir, bool copy, struct err *e);

/* run_out.c: from a task that ended well to the flush */
void run_out_take(struct task *t);
void run_out_known(struct run_unit *u, struct task *t); /* checks of a known output */
/* Which rules have no kept result for this tree. */
must_check int run_out_unchecked(struct run_unit *u, struct arena *a, const struct job_check ***out, size_t *n,
                                 struct err *e);

/* run_report.c: what attempts leave of themselves (report.h) */
void run_report_take(struct run_unit *u, struct ingest **in); /* its files, before the transaction; *in may be NULL */
must_check int run_report_record(struct engine *g, struct ingest *in, struct run_unit *u, struct err *e);

/* run_rows.c: all rows but those of publishing; inside write transactions */
must_check int run_rows_begin(struct engine *g, struct err *e);
must_check int run_rows_begin_set(struct engine *g, struct group *gr, struct err *e);
void run_rows_begun(struct run_unit *u); /* one more attempt at it, not recorded yet */
must_check int run_rows_intent(struct engine *g, struct run_unit *u, struct err *e);
/* Of a queue, in a transaction of its own. */
must_check int run_rows_intents(struct engine *g, struct run_unit *first, struct err *e);
must_check int run_rows_attempt_end(struct engine *g, struct run_unit *u, const struct task *t, enum state s,
                                    struct err *e);
must_check int run_rows_unit_end(struct engine *g, struct run_unit *u, struct err *e);
must_check int run_rows_run_end(struct engine *g, struct run_job *r, struct err *e);
/* After that, and when the rows of its units have ended too: how each of them did is told to who asked for it. */
must_check int run_rows_run_told(struct engine *g, struct run_job *r, struct err *e);
/* Takes the group's leases. 1; 0: *holder has that of unit *which; -1. */
must_check int run_rows_lease(struct engine *g, struct group *gr, size_t *which, struct lease_holder *holder,
                              struct err *e);
must_check int run_rows_unlease(struct engine *g, struct run_unit *u, struct err *e); /* as lease_drop */
void run_rows_set_state(struct run_unit *u, enum state s);

static inline void queue_push(struct queue *q, struct run_unit *u)
{
	u->next = NULL;
	if (q->last)
		q->last->next = u;
	else
		q->first = u;
	q->last = u;
	q->n++;
}

static inline struct run_unit *queue_pop(struct queue *q)
{
	struct run_unit *u = q->first;

	if (u) {
		q->first = u->next;
		if (!q->first)
			q->last = NULL;
		q->n--;
		u->next = NULL;
		u->placed = NULL;
	}
	return u;
}

/* By the priority of their jobs, then jobs by turns. */
static inline bool queue_before(const struct run_unit *a, const struct run_unit *b)
{
	int64_t x = a->p->job->priority, y = b->p->job->priority;

	return x != y ? x > y : a->turn < b->turn;
}

/* Into its order, behind those that are its equals. */
static inline void queue_place(struct queue *q, struct run_unit *u)
{
	struct run_unit *at = q->hint && q->hint->placed == q && !queue_before(u, q->hint) ? q->hint : NULL;

	if (!q->last || !queue_before(u, q->last)) {
		queue_push(q, u);
	} else {
		if (!at && !queue_before(u, q->first))
			at = q->first;
		while (at && at->next && !queue_before(u, at->next))
			at = at->next;
		u->next = at ? at->next : q->first;
		if (at)
			at->next = u;
		else
			q->first = u;
		q->n++;
	}
	u->placed = q;
	q->hint = u;
}

/* Into a queue in which units are in the order of their turns, behind those of the same. */
static inline void queue_join(struct queue *q, struct queue *more)
{
	struct queue out = {0};

	while (q->n || more->n) {
		bool from = more->n && (!q->n || more->first->turn < q->first->turn);

		queue_push(&out, queue_pop(from ? more : q));
	}
	*q = out;
}

static inline const struct dom *run_params(const struct run_unit *u)
{
	if (u->run->params)
		return u->run->params;
	return u->p->role == ROLE_ASKED ? u->eng->ask->params : NULL;
}

#endif
