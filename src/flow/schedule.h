/*
 * flow/schedule.h: the slots of a job's schedule: instants at which the clock starts it, each with the partition that
 * it is for. Reads the job, changes nothing.
 */
#ifndef LEAT_FLOW_SCHEDULE_H
#define LEAT_FLOW_SCHEDULE_H

#include "base/slot.h"
#include "flow/job.h"

enum schedule_why {
	SCHEDULE_FIRES,
	SCHEDULE_SKIPPED,      /* the clock leaves its time out, and gap: skip */
	SCHEDULE_BEFORE_START, /* before the schedule's start, or its partition before the job's */
	SCHEDULE_AFTER_END,
};

struct schedule {
	const struct job *job;
	struct slot_rule rule;
	int64_t start, end; /* of slots: start <= at < end; INT64_MIN, INT64_MAX: no bound */
};

struct schedule_slot {
	struct slot slot;
	struct ds ds;          /* every NONE: of a job without partitions */
	enum schedule_why why; /* whether it fires */
};

/* ERR_BAD_REQUEST for a job that has none. since: @every counts from here. The job must outlive it. */
must_check int schedule_of(const struct job *j, int64_t since, struct schedule *out, struct err *e);
/* The first slot after `after`, also one that does not fire; false: there is none. */
must_check bool schedule_next(const struct schedule *s, int64_t after, struct schedule_slot *out);

#endif
