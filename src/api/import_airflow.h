/*
 * api/import_airflow.h: what the files of the reader of DAG files share: DAGs, order and schedules (import_airflow.c),
 * what
 * a task does (import_airflow_do.c).
 */
#ifndef LEAT_API_IMPORT_AIRFLOW_H
#define LEAT_API_IMPORT_AIRFLOW_H

#include "api/import.h"
#include "api/import_py.h"

struct task {
	struct py_object *o;
	struct str id;
	struct import_job *j;  /* NULL: it does nothing, or its job is not made */
	bool empty;            /* an EmptyOperator */
	bool passes;           /* only order goes through it */
	VEC(struct task *) up;
	bool seen;
};
struct flow_dag { /* a DAG of the file */
	struct py_object *o;
	struct str id;
	struct str cron, zone, start, end;
	int64_t every; /* seconds; 0: by cron */
	enum every kind;
	const char *catchup;
	bool paused;
};
struct reading {
	struct import *im;
	struct arena *a;
	const char *file;
	struct str source;
	struct py_block top;
	struct py_world w;
	VEC(struct task *) tasks;
	VEC(struct flow_dag *) dags;
	struct map told; /* left out: each name once */
};

struct str airflow_text(const struct pv *v); /* of a text; STR_NULL */
struct pv *airflow_of_dag(const struct py_object *dag, const char *key);
/* What a task says, else its decorator, the default_args of its group, of its DAG. */
struct pv *airflow_of_task(const struct task *t, const char *key);

/*
 * A command that asks a scheduler for a job and a day (dsflow run X {{ ds }}): which job; STR_NULL: it is none. Then
 * airflow_asked_job finds it: of this import, of the workspace, of the dsflow project around the file.
 */
struct str airflow_asks_for(struct reading *f, const struct task *t, struct str command);
must_check int airflow_asked_job(struct reading *f, struct task *t, struct str name, struct err *e);
/* Gives a job its command, code, parameters and environment. */
must_check int airflow_do(struct reading *f, struct task *t, struct str command, struct err *e);

#endif
