/*
 * flow/job.h: the jobs of a workspace, read from their files and checked (SEMANTICS 13, DESIGN §3).
 *
 *   jobs/NAME/job.yaml + code    pipelines/P/NAME/job.yaml + code (pipeline: P)    jobs/NAME.sql | .py | .sh
 *
 * A job of one file has its keys in the comment block it begins with:
 *   -- kind: sql           Each line is "-- " + YAML (SQL) or "# " + YAML (py, sh). The block begins at the first
 * comment
 *   -- partition: daily    line that is "word:" with a key (or nearly one), so a #! line and words of introduction may
 *   select ...             stand before it, and ends at the first line that is no comment or an empty one; ordinary
 *                          comments go after that. Line and column of errors are those of the file.
 *
 * Folders whose names begin with '.' or '_', and folders without job.yaml and job.*, are no jobs. All strings live
 * in the arena of struct jobs, which ends with jobs_free. Jobs come through a cache (jobcache.h), so that a file
 * that has not changed is not read again.
 */
#ifndef LEAT_FLOW_JOB_H
#define LEAT_FLOW_JOB_H

#include "base/ds.h"
#include "base/hash.h"
#include "base/keys.h"
#include "base/map.h"
#include "repo/workspace.h"

#define JOB_MAX_YAML ((size_t)4 << 20)
#define JOB_MAX_CODE_FILES 10000
#define JOBS_MAX_ERRORS 200 /* kept; all are counted */

struct job_kind;
struct input_node;
struct job_entry;
struct jobcache;
struct sqlcache;

enum job_window {
	WINDOW_OWN,     /* what SEMANTICS 2 says without a window */
	WINDOW_RANGE,   /* lo..hi, in units of the job's ds, 0 = its own */
	WINDOW_ALL,     /* all partitions */
	WINDOW_HISTORY, /* NAME__history in a query: all snapshots up to the ds */
};

struct job_input {
	struct str name;  /* [A-Za-z_][A-Za-z0-9_]*: LEAT_INPUT_<name>, {{ inputs.name }} */
	struct str repo;
	struct str pin;   /* STR_NULL: master as it stands; else a revision as in REPO@PIN */
	struct str branch;   /* STR_NULL: master */
	struct str folder;   /* its name below /pfs, as written ("my-data"); STR_NULL: as name */
	struct str glob;     /* STR_NULL: no units come of it; the rest of a data-driven job's (flow/input.h) */
	struct str join_on, group_by;             /* STR_NULL: none */
	bool outer, empty_files, reference, lazy;
	struct str cron, cron_start;              /* a cron input: when it ticks, from when; STR_NULL: none */
	bool overwrite;                           /* of a cron input: only the newest tick's file stays */
	struct str at;    /* a time (AT (TIMESTAMP => ...) in a query) as written, else STR_NULL */
	bool optional;
	enum job_window window;
	int64_t lo, hi;
	bool order;       /* of job.after: nothing is read, it has to be there */
	bool found;       /* in the query, not in job.yaml */
	int line, col;    /* in job->file; in job->main_file if found */
};

struct job_check {
	struct str text;   /* "row_count > 0" */
	struct str name;   /* STR_NULL unless given */
	bool whole_table;  /* scope: table */
	int line, col;     /* in job->file, of the text's first byte */
};

/* Where files of python/ lie in the folder with a job's code: no file of a job's own is called so. */
#define JOB_SHARED_CODE ".python"
#define JOB_CONFIG ".config" /* likewise what counts of config/ of the workspace */
#define JOB_STARTUP JOB_CONFIG "/startup.py"
#define JOB_SPARK JOB_CONFIG "/spark-defaults.conf"
/* Before the path (from the workspace) of what its Python environment is made of; not laid into any folder. */
#define JOB_ENVIRONMENT ".environment/"

struct job_code {
	struct str path;  /* from the workspace: "jobs/trips/job.sql" */
	struct str label; /* from the job's folder: "job.sql", "lib/x.py"; what the code id counts */
	struct sha sha;   /* of its bytes */
	int64_t size;
};

enum job_memo { MEMO_AUTO, MEMO_ON, MEMO_OFF };
enum job_overlap { OVERLAP_QUEUE, OVERLAP_SKIP, OVERLAP_CANCEL_OLD, OVERLAP_ALLOW };
enum job_sandbox { SANDBOX_AUTO, SANDBOX_ON, SANDBOX_OFF };

struct job {
	struct str name;
	size_t index;                  /* in jobs->all */
	struct job_entry *entry;       /* of the cache */
	struct jobs *jobs;             /* which it is one of */
	struct str kind_name;
	const struct job_kind *kind;
	struct str dir;                /* from the workspace: "jobs/trips"; of a job of one file its folder */
	struct str file;               /* where its keys stand: "jobs/trips/job.yaml", "jobs/trips.sql" */
	bool single;                   /* a job of one file */
	struct str description;

	struct job_input *inputs;      /* declared ones in order, then those found in the query */
	size_t n_inputs;
	/* Jobs that come first (after:): .name is the job's, .repo what it writes, known once all are loaded. */
	struct job_input *after;
	size_t n_after;
	const struct input_node *tree; /* how units are made of the declared inputs; NULL: they are of the calendar */
	struct str output;             /* a repo; the job's name unless it is said */
	bool no_output;                /* it has none: .output is where its ends are noted, "@NAME" */
	struct str output_branch;      /* of it; STR_NULL: master. Of a data-driven job only */
	bool reprocess;                /* all its units run at each event, known or not (reprocessSpec: every_job) */
	int64_t run_timeout_ms;        /* how long a run of it may take (jobTimeout); 0: as long as it takes */
	int output_line, output_col;
	struct str pipeline;           /* STR_NULL: in none */

	enum every every;              /* EVERY_NONE: no partition */
	const struct tz *tz;           /* of its partitions: partition.timezone, timezone, leat.yaml's */
	struct str folder_pipeline;    /* the pipeline whose folder it lies in; STR_NULL */
	struct ds start, end;          /* every NONE: no bound; both included, of the job's own kind */

	const struct dom *schedule;    /* a list of maps (schedule.h reads them); NULL: none */
	const struct dom *params;      /* a map in the file's order; never NULL */
	const struct dom *env;         /* a map of scalars; never NULL */
	const struct dom *environment; /* a map (PATH...); NULL: none */
	struct str env_file;           /* what its Python environment is made of, from the workspace; STR_NULL: none */
	struct str env_python;         /* the interpreter that it is made from; STR_NULL: not said */
	bool env_folder;               /* env_file is a virtual environment that is there; it may be absolute */
	const struct dom *own;         /* the kind's own keys as they stand, a map; never NULL */
	const struct dom *doc;         /* all keys; may not be unpacked yet: ask job_doc */
	struct str doc_packed, zone;   /* of the cache */
	struct str remembered;         /* what key.c keeps with the job for as long as its files stand (job_remember) */

	int retries;
	int64_t retry_delay_ms, timeout_ms /* 0: none */, grace_ms;
	bool own_grace;                /* grace: is said */
	double backoff, jitter;
	bool detach;                   /* what its tasks leave running may go on */
	bool idempotent;               /* a try whose end is not known may be made once more */
	struct str pool;               /* STR_NULL: none */
	struct str when;               /* "all_success", ...: which ends of what it reads let a unit start */
	bool skips;                    /* its tasks say which jobs are not to run on what they gave (LEAT_SKIP) */
	enum job_overlap overlap;
	bool past;    /* depends_on_past */
	bool approve; /* a person has to say that it may go */
	int64_t priority;
	bool hooks;                    /* on_success, on_failure or on_exit: job_doc has them */
	bool late_run;                 /* late: run */
	bool paused;                   /* when it is first seen */
	int threads;                   /* 0: not said */
	enum job_memo memo;
	enum job_sandbox sandbox;      /* what the job says; ask job_sandbox */
	struct str timezone;           /* of SQL sessions: what timezone: says; STR_NULL: UTC */

	struct job_check *checks;
	size_t n_checks;

	struct job_code *code;         /* sorted by label; [0 .. n_code) */
	size_t n_code;
	struct str main_file;          /* from the workspace, as in code[].path; STR_NULL: there is none */
	struct sha files_id;           /* hash of the code but for what counts by meaning (and for a key block) */

	/* Of a sql job, once jobsql_prepare ran (jobsql.h). */
	bool sql_by_ds;                /* the shape of its text depends on ds: its meaning is told per unit */
	struct sha sql_meaning;        /* zero until known, and if by ds */
	struct str sql_parsed;         /* JSON of the parser's answer for it, for jobsql_info; STR_NULL until known */
	struct str sql_source;         /* the text, once jobsql_load took it */
};

struct jobs_stats {
	size_t jobs;     /* folders and files looked at */
	size_t read;     /* of them read, parsed and checked in this process */
	size_t files;    /* files opened for it */
	bool cached;     /* the cache was there and whole */
};

struct jobs {
	struct arena *arena;
	struct jobcache *cache;              /* jobcache.h */
	struct sqlcache *parsed;             /* sqlcache.h */
	struct workspace *ws;                /* not owned */
	const char *root;                    /* where they lie, from the workspace: "", or a folder and '/' */
	const struct job_kind *const *kinds; /* ended by NULL; not owned */
	struct job **all;                    /* by name */
	size_t n;
	struct map by_name;
	struct err **errors;                 /* one per broken job, in order of their files */
	struct str *error_jobs;              /* whose they are */
	size_t n_errors, n_errors_all;
	struct jobs_stats stats;
};

/*
 * Loads all jobs. Broken ones are left out and their errors kept: -1 is only for what stops everything (a folder that
 * cannot be read). An empty workspace has no jobs.
 */
must_check int jobs_load(struct workspace *ws, const struct job_kind *const *kinds, struct jobs **out, struct err *e);
/* Those below another folder of the workspace, "x/" for x/jobs and x/pipelines; "" is jobs_load. */
must_check int jobs_load_at(struct workspace *ws, const char *root, const struct job_kind *const *kinds,
                            struct jobs **out, struct err *e);
void jobs_free(struct jobs *js); /* NULL is fine */
/* Writes the cache, if something was remembered or told of a query since jobs_load. */
void jobs_save(struct jobs *js);
/* Orders js->all by name and numbers it: after a job was taken out. */
void jobs_index(struct jobs *js);
/*
 * Finds the jobs that j names in after: among js (those that jobs_load gives are linked). Fails, at the place of the
 * name, for one that is not there, that has no units of the calendar, or where j has none.
 */
must_check int jobs_link(const struct jobs *js, struct job *j, struct err *e);
/* Keeps the error of a job that cannot be used (js->errors). */
void jobs_broken(struct jobs *js, struct str job, const struct err *e);

/*
 * A job of a document that is no job of the workspace (yet): its keys, without its code. `file` is where the document
 * stands, for errors. In the arena, with the jobs it believes to be one of (none).
 */
must_check int job_of_doc(struct arena *a, struct workspace *ws, const struct job_kind *const *kinds, struct str name,
                          const char *file, struct dom *doc, struct job **out, struct err *e);

struct job *jobs_get(const struct jobs *js, struct str name); /* NULL if there is none */
/* ERR_NO_JOB with the nearest name as hint; a job whose file is broken gives the file's own error. */
must_check int jobs_find(const struct jobs *js, struct str name, struct job **out, struct err *e);

/*
 * The code id of a job (SEMANTICS 4): files_id and, for SQL, the meaning of its text (of this unit's text, where it
 * depends on ds; NULL takes the job's own).
 */
struct sha job_code_id(const struct job *j, const struct sha *meaning);
/* All keys of a job as they stand in its file, a map: for their places, and for what no field of struct job holds. */
const struct dom *job_doc(const struct job *j) __attribute__((returns_nonnull));
/* Keeps bytes that follow from the job's files alone; the next process finds them in j->remembered. */
void job_remember(struct job *j, struct str bytes);
/*
 * ON: its tasks get a root of their own or fail; AUTO: they do where the machine can; OFF. From the job's key, then
 * leat.yaml's, else by where its units come from (SEMANTICS 11).
 */
enum job_sandbox job_sandbox(const struct job *j);
/* Its tasks find their folders where dsflow's containers have them (layout: dsflow), which takes a sandbox. */
bool job_has_layout(const struct job *j);
/* It has no units: it is a process that stays (struct job_kind). */
bool job_stays(const struct job *j);
/* It reads nothing and writes nothing: two commands that run a unit of it at once do no harm, the memo is of no use. */
static inline bool job_is_step(const struct job *j)
{
	return j->no_output && !j->n_inputs;
}
/* What people know its output by: of a job without one its own name. */
static inline struct str job_output(const struct job *j)
{
	return j->no_output ? j->name : j->output;
}
/* err_at with the job's file and a place in it. Returns -1. */
int job_at(struct err *e, const struct job *j, int line, int col);
const struct job_input *job_input(const struct job *j, struct str name); /* NULL */

/* The keys of every job (defs/jobkeys.def), for docs, the schema and what counts in the memo key. */
const struct keys *job_keys(void);
/* JSON Schema of job.yaml: the keys of every job, and those of each kind under if/then. */
struct dom *job_json_schema(struct arena *a, const struct job_kind *const *kinds);

#endif
