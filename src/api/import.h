/*
 * api/import.h: what other systems run, as jobs: a reader per system (import_cron.c, import_dagu.c, import_dsflow.c,
 * import_airflow.c) takes a text to a struct import and writes nothing; import.c checks it all, then writes.
 *
 * A reader is tolerant: what it does not understand is a note with its place, and the rest is read on. It fails only
 * where the file is not of its kind at all. Everything lives in the arena of the command.
 */
#ifndef LEAT_API_IMPORT_H
#define LEAT_API_IMPORT_H

#include "api/api.h"

#define IMPORT_MAX_FILE ((size_t)8 << 20)
#define IMPORT_MAX_JOBS 5000
#define IMPORT_MAX_NOTES 2000 /* kept; all are counted */

/* How far something was understood. */
enum import_kind {
	IMPORT_UNKNOWN, /* not understood: somebody has to look at it */
	IMPORT_OTHER,   /* done in another way here */
	IMPORT_LEFT,    /* understood, and left out */
};

struct import_note {
	enum import_kind kind;
	const char *file;
	int line; /* 0: of the whole file */
	struct str text;
	struct str job; /* STR_NULL: of none */
};

struct import_file {
	struct str name, text;
	bool run; /* may be executed */
};

struct import_job {
	struct str name;
	const char *file; /* where it stands there */
	int line;
	/*
	 * The keys of its job.yaml. Of a job that is there already (.there, of the workspace): those that are to be
	 * added to it.
	 */
	struct dom *doc;
	VEC(struct str) after;
	VEC(struct import_file) files;
	const struct job *there;
};

struct import {
	struct arena *a;
	const struct jobs *jobs; /* of the workspace; NULL: none (fuzzing) */
	VEC(struct import_job *) all;
	VEC(struct import_note) notes;
	size_t n_notes;
	struct map by_name; /* lower case */
};

/* ---- readers: text is the file's, `file` its name for people ---- */

must_check int import_cron(struct import *im, struct str text, const char *file, struct err *e);
must_check int import_dagu(struct import *im, struct str text, const char *file, struct err *e);
must_check int import_dsflow(struct import *im, const char *dir, struct err *e);
/* One job of a dsflow project: DIR/jobs/NAME. *out NULL: it has no specs. */
must_check int import_dsflow_job(struct import *im, const char *dir, struct str name, struct import_job **out,
                                 struct err *e);
/* The specs of one job; `dir` is its folder, NULL where there is none to look into. */
must_check int import_dsflow_specs(struct import *im, struct str text, const char *file, const char *dir,
                                   struct str name,
                                   struct import_job **out, struct err *e);
must_check int import_dsflow_dag(struct import *im, struct str text, const char *file, const char *dir, struct str name,
                                 struct err *e);
must_check int import_airflow(struct import *im, struct str text, const char *file, struct err *e);

/* ---- for readers ---- */

void import_note(struct import *im, enum import_kind kind, const char *file, int line, const struct import_job *j,
                 const char *fmt, ...) printf_like(6, 7);
/* A job named as nearly like `name` as a name may be, and like no other of this import (-2, -3 ...). */
must_check int import_new(struct import *im, struct str name, const char *file, int line, struct import_job **out,
                          struct err *e);
struct import_job *import_find(struct import *im, struct str name); /* of this import, case aside; NULL */
/* One of this import, else one of the workspace, to which keys are added; NULL. */
struct import_job *import_job_of(struct import *im, struct str name);
/* Sets a key once: what stands there stays. */
void import_set(struct import *im, struct import_job *j, const char *key, struct dom *v);
void import_put(struct import *im, struct import_job *j, const char *key, struct dom *v); /* over what stands there */
void import_set_text(struct import *im, struct import_job *j, const char *key, struct str s);
/* bash -c COMMAND */
void import_command(struct import *im, struct import_job *j, const char *shell, struct str command);
/* A program that says what is to be written in its place, and fails: for what a task does and was not understood. */
void import_to_write(struct import *im, struct import_job *j, struct str what);
void import_after(struct import *im, struct import_job *j, struct str name);
void import_add_file(struct import *im, struct import_job *j, const char *name, struct str text, bool run);
/* text as part of a name: what may not stand in one becomes '-'; never empty. */
struct str import_name(struct arena *a, struct str text);
/* A variable of the environment: letters, digits and _. */
struct str import_ident(struct arena *a, struct str text);
/* "5m", "90s", "2h" */
struct str import_duration(struct arena *a, int64_t seconds);
/* Text that the template of a job shows as it is: {{ and {% doubled away. */
struct str import_plain(struct arena *a, struct str s);
/* The keys schedule and partition for cron fields: how long its partitions are (EVERY_NONE: none). */
struct dom *import_schedule(struct arena *a, struct str cron, struct str zone, struct str start, const char *catchup);
/* Whether a key of job.yaml may be of this form (KEYS_LIST ...): the reader then need not say that it cannot. */
bool import_takes(const char *key, unsigned form);
/* How long the interval between two of its slots is, as a partition: hourly, daily, weekly, monthly. */
enum every import_every(struct str cron);

/* ---- import_write.c ---- */

/* Checks all, then writes all or nothing, and tells; system NULL: `leat new dag`. */
must_check int import_write(struct import *im, struct api *api, const char *system, bool dry, bool force,
                            struct sink *out, struct err *e);

#endif
