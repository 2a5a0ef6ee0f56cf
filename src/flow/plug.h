/*
 * flow/plug.h: what a job kind is to the flow, so that src/job/ can grow by files that know nothing of each other.
 *
 * A kind is one const struct in the table of job/kinds.c; main hands that table to the flow (flow.h). The flow plans,
 * stages, checks, publishes and remembers; a kind only makes the content of one unit's output folder.
 */
#ifndef LEAT_FLOW_PLUG_H
#define LEAT_FLOW_PLUG_H

#include "base/keys.h"
#include "flow/job.h"
#include "flow/reads.h"
#include "sys/loop.h"

struct flow;
struct datum;
struct pyenv;
struct plan_unit;
struct proc_shim;
struct workers;

/* One input of a unit, bound: which repo, at which commit, which partitions. */
struct unit_input {
	const struct job_input *input; /* of the job */
	struct reads reads;
};

/* A file of an input with `lazy: true`: a named pipe, and whose bytes go through it. */
struct lazy_file {
	const char *path; /* absolute */
	struct sha id;
};

/* What an attempt that no run owns was given instead: that of a process that stays (struct job_kind). */
struct attempt_given {
	const char *const *folders; /* of its inputs, in their order; absolute */
	int log;                    /* a descriptor, open for appending */
	int port;                   /* it is to listen at; 0: none */
	bool pipe;                  /* out_dir is a named pipe */
};

/* One try at one unit. The engine owns it; a kind may keep its own state in .own and memory in .arena. */
struct attempt {
	struct arena *arena;
	struct flow *flow;
	struct loop *loop;
	const struct job *job;
	struct ds ds;
	const struct datum *datum;     /* its unit, of a data-driven job (datum.h); else NULL */
	const char *run_id;
	const char *event;             /* the global id of what it makes */
	int64_t unit_id;
	int number;                    /* 1, 2, … */
	struct unit_input *inputs;
	size_t n_inputs;
	const char *out_dir;           /* absolute; exists, empty; its content becomes the unit's output */
	const char *work_dir;          /* absolute; if the kind starts_process: there, with the code as the run began */
	struct str program;            /* the main file's bytes, as the run began; STR_NULL: work_dir has them */
	const char *spec_path;         /* absolute: the file that holds .spec; for kinds that start a process */
	const char *root_dir;          /* absolute: its processes get a root of their own, made there; or NULL */
	const char *tmp_dir, *home_dir; /* absolute; with root_dir: their /tmp and their home */
	struct lazy_file *lazy;        /* after attempt_input_folder, filled by exec/local_pipes.h */
	size_t n_lazy;
	const char *report_dir;        /* absolute; if the kind reports: what is in it is kept, however it ends */
	const char *in_dir;            /* absolute: attempt_input_folder of units from data are in it */
	void **kept;                   /* the kind's own, for as long as the run of the job (job_kind.done) */
	const char *lazy_dir;          /* on their file system, and not seen by the task */
	const char *log_path;          /* absolute; attempt_log_fd opens it */
	const struct dom *vars;        /* template variables: ds, params, inputs, output, job, … */
	const struct dom *spec;        /* the rendered job, what LEAT_SPEC holds */
	const struct dom *params;      /* --param, or NULL: what unit_sql (key.h) takes */
	struct plan_unit *unit;        /* as it was decided */
	struct catalog *catalog;
	struct workers *workers;       /* DuckDB (workers.h) */
	const char *path;              /* PATH of the workspace's tasks (SEMANTICS 5) */
	const struct pyenv *pyenv;     /* its Python environment, from exec_new on; NULL: it has none */
	const char *marker;            /* LEAT_TASK of all its processes */
	int threads;                   /* how many the unit may use */
	const char *shell;             /* a shell on our terminal takes the place of its program; NULL */
	const struct attempt_given *given; /* NULL: a run owns it */
	bool learned;                  /* set in start(): how an input is read has just been remembered (catalog.h) */
	bool timed_out, cancelled;     /* why it is asked to end: its limit of time; somebody who stops the run */
	void *own;
};

/*
 * RECOVERED: the task failed and what stands by for that (errCmd) did not: good, without output, and tried again the
 * next time; only of units that come from the data. APART: only of attempts that were started together; each is tried
 * again with fewer others, or alone.
 */
enum attempt_state {
	ATTEMPT_OK,
	ATTEMPT_RECOVERED,
	ATTEMPT_FAILED,
	ATTEMPT_CANCELLED,
	ATTEMPT_TIMED_OUT,
	ATTEMPT_APART
};
struct attempt_result {
	enum attempt_state state;
	int status;          /* exit status of a process, 0 otherwise */
	struct err err;      /* for FAILED: the sentence, with place */
	int64_t retry_after_ms; /* the kind knows better than retry_delay (Retry-After); 0 = no */
	bool alone;          /* of APART: not with any others */
	size_t with;         /* of APART: how many it was tried with, itself included */
	bool final;          /* of FAILED: another try would fail too (404), so `retries:` does not count */
	bool ordered;        /* the user's own order of rows counts */
	int64_t cpu_ms, peak_kb; /* of its processes: processor time, memory of the largest; 0: not known */
	const struct dom *facts; /* what `why` may tell: url, fetched, rows, …; kept in unit.ingredients; may be NULL */
	struct str text;         /* what facts name by its hash: kept once (codetext.h); STR_NULL: nothing */
	struct sha text_id;
};

/* The kind calls it exactly once per attempt it started, from the loop, never from inside start(). */
void attempt_done(struct attempt *t, const struct attempt_result *r);
/*
 * The task has failed or took too long, and what stands by for that (errCmd) is about to start: it has the unit's limit
 * of time for itself. Asked to end once more, it is over.
 */
void attempt_stands_by(struct attempt *t);
/* The log, open for appending; made at the first call, owned by the engine. An empty one goes away with the attempt. */
must_check int attempt_log_fd(struct attempt *t, int *fd, struct err *e);
/*
 * Right before its process is started: the table in which a shim is to write how it ends (sys/shim.h). *out NULL: it is
 * started without one, and dies with us; that is said to be so where !use.
 */
must_check int attempt_shim(struct attempt *t, bool use, const struct proc_shim **out, struct err *e);
/* The folder of input i as a task sees it (read-only view; several partitions: with their ds=… folders). */
must_check int attempt_input_folder(struct attempt *t, size_t i, const char **path, struct err *e);
/* The partition whose files lie directly in that folder; NULL: they are in one folder for each, or have none. */
const char *attempt_input_label(const struct attempt *t, size_t i);

struct job_kind {
	const char *name, *text;       /* "sql", one sentence for the docs */
	const struct key *keys;        /* its own keys of job.yaml, ended by a row without name */
	const char *const *code_names; /* job.sql, …: what code: is when absent; ended by NULL */
	const char *told_by;           /* a job that has this key and says no kind is of this one; may be NULL */
	bool told_by_name;             /* its files do not tell it: its jobs say `kind:` */
	bool outside_world;            /* its bytes are facts: an explicit run runs again, -u only if missing */
	bool starts_process;           /* the output repo's name counts in the key */
	bool no_output;                /* its jobs have none */
	bool may_lack_output;          /* its jobs may say `output: none` */
	bool passes;                   /* nothing is started: a unit is over as soon as it may go; no start then */
	bool reports;                  /* its attempts leave a report (report.h) */
	bool stays;                    /* its jobs have no units: each is a process that `up` starts and `down` ends */
	bool begins_with_startup;      /* config/startup.py and the like of the workspace are code of its jobs */
	/* Whether python/ of the workspace is code of this job, whose main file is that; NULL: of none. */
	bool (*imports)(const struct job *j, struct str main);
	/* Checks that need more than the table of keys; may be NULL. */
	int (*check)(const struct job *j, struct err *e);
	/* What a run of n of its units should be told once, before it begins (RUN_NOTE); NULL if nothing. May be NULL.
	 */
	const char *(*note)(const struct job *j, struct arena *a, size_t n_units);
	/* Before any unit of a run starts: whether what the job names outside the store is there. May be NULL. */
	int (*ready)(const struct job *j, const struct workspace *ws, struct err *e);
	/*
	 * What start needs of the store and what can be done without a slot, done before: attempt.own tells that it
	 * was. What went wrong is told by start. May be NULL.
	 */
	must_check int (*prepare)(struct attempt *t, struct err *e);
	/* NULL if its jobs stay or pass. */
	must_check int (*start)(struct attempt *t, struct err *e);
	/*
	 * Many units as one piece of work (SEMANTICS 4, batching); all three or none. many: whether units of
	 * this job may
	 * be, and if so in *many what the kind keeps of it (in the arena) for the other two. many_fit:
	 * whether u may be in
	 * one with `first` (which may be u itself). start_many: as start for all of them; attempt_done then
	 * comes for each.
	 */
	bool (*many)(struct flow *f, const struct job *j, struct arena *a, void **many);
	bool (*many_fit)(const void *many, const struct plan_unit *first, const struct plan_unit *u);
	int (*start_many)(const void *many, struct attempt **t, size_t n, struct err *e);
	/* The run is over: what it kept (attempt.kept, not NULL) goes. May be NULL. */
	void (*done)(void *kept);
	/*
	 * Its process was started by a run whose process has died, and lives or has ended: `row` of the table tells.
	 * attempt_done comes as if start had started it. NULL: its processes die with who starts them.
	 */
	int (*adopt)(struct attempt *t, const struct proc_shim *row, struct err *e);
	/* Asks it to end (hard = at once); attempt_done still comes. */
	void (*cancel)(struct attempt *t, bool hard);
};

#endif
