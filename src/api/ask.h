/*
 * api/ask.h: what the words and options of a command about jobs ask for: jobs, partitions, parameters.
 */
#ifndef LEAT_API_ASK_H
#define LEAT_API_ASK_H

#include "api/api.h"

struct asking {
	struct plan_ask ask;
	VEC(const struct job *) jobs;
	VEC(struct ds_range) ranges;
	bool explicit_ds;
	const char *saved;       /* the file of the plan that this is; NULL */
	const struct dom *saved_plan;
	bool tick; /* cron inputs of the job tick now */
};

/* A job by its name, with --param; refused if it has no units or a parameter of it has no value. */
must_check int ask_job(struct api *api, const struct args *args, struct str name, struct asking *q, struct err *e);
/* A word about partitions of the job: DS, A..B, today, newest (the latest ds whose own inputs are there). */
must_check int ask_range(struct api *api, struct asking *q, const struct job *job, struct str word, struct err *e);
/* The word of --ds without a job: of every job that has partitions of that kind; ranges go side by side with jobs. */
must_check int ask_all(struct api *api, struct str word, struct asking *q, struct err *e);
void ask_finish(struct asking *q); /* fills .ask */

bool ask_names(const struct asking *q, const struct job *j); /* one of the jobs; all are where none is named */
/* Its range, where ranges go side by side with jobs. */
const struct ds_range *ask_own_range(const struct asking *q, const struct job *j);

/* Broken job files stop what would run jobs; a command about one good job may go on. */
must_check int ask_refuse_broken(struct api *api, const struct asking *q, struct sink *out, struct err *e);

#endif
