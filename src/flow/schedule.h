/*
 * flow/schedule.h: the slots of a job's schedules: instants at which the clock starts it, each with the partition that
 * it is for. Reads the job (and files of holidays), changes nothing.
 *
 * A slot comes from what the schedule says (cron, every, at; where it says none of them, the end of each partition)
 * plus its offset. Its partition is the last one that had ended when the rule, without the offset, said so.
 */
#ifndef LEAT_FLOW_SCHEDULE_H
#define LEAT_FLOW_SCHEDULE_H

#include "base/calendar.h"
#include "base/slot.h"
#include "flow/job.h"

#define SCHEDULE_MAX         1000   /* of one job; times of one `at` */
#define SCHEDULE_MAX_REMOVED 100000 /* slots in a row that rules take away, before it is said that there are no more   \
	                             */
#define SCHEDULE_HOLIDAYS_MAX ((size_t)4 << 20)

enum schedule_why {
	SCHEDULE_FIRES,
	SCHEDULE_SKIPPED,      /* the clock leaves its time out, and gap: skip */
	SCHEDULE_BEFORE_START, /* before the schedule's start, or its partition before the job's */
	SCHEDULE_AFTER_END,
	SCHEDULE_NOT_A_DAY, /* its day is none of its calendar's */
	SCHEDULE_HOLIDAY,
	SCHEDULE_EXCLUDED,
};

enum schedule_catchup { CATCHUP_NONE, CATCHUP_LAST, CATCHUP_ALL };

struct schedule {
	const struct job *job;
	struct str name; /* as the job says; of others "" for the first, "2" for the second */
	struct str text; /* what it says, for people: "30 2 * * *", "every 90m", "at 06:30", "after each partition" */
	const struct tz *tz;
	struct slot_rule *rules;
	size_t n_rules;
	struct slot *instants; /* of `at`, in order */
	size_t n_instants;
	bool partitions;                 /* neither rules nor instants: the end of each partition */
	int64_t offset;                  /* seconds */
	const struct calendar *calendar; /* NULL: every day */
	bool of_ds;                      /* the calendar is asked for the day of the partition */
	int64_t start, end;              /* of slots: start <= at < end; INT64_MIN, INT64_MAX: no bound */
	enum schedule_catchup catchup;
	int64_t window; /* seconds; INT64_MAX: none */
	struct sha id;  /* of all that decides when it fires: another one is another schedule */
};

struct schedules {
	struct schedule *p;
	size_t n;
};

struct schedule_slot {
	struct slot slot;
	const struct schedule *of;
	struct ds ds;                    /* every NONE: of a job without partitions */
	enum schedule_why why;           /* whether it fires */
	const struct calendar_span *day; /* HOLIDAY: which */
};

/* What a job says; none: n is 0. In the arena; the job must outlive it. */
must_check int schedules_of(struct arena *a, const struct job *j, struct schedules *out, struct err *e);
/* The same; a job that has none is ERR_BAD_REQUEST. */
must_check int schedules_need(struct arena *a, const struct job *j, struct schedules *out, struct err *e);
/* The files of holidays that it names, from the workspace; needs none of them. */
size_t schedule_holidays(struct arena *a, const struct job *j, struct str **out);
/* In a few words, all of a job's; STR_NULL: none. Needs no file but the job's. */
struct str schedule_words(struct arena *a, const struct job *j);
/* Where the slots of a job begin: a ds of its own kind; false: nowhere. */
must_check bool schedule_first_ds(const struct job *j, struct ds *out);

/* The first slot after `after`, also one that does not fire; false: there is none. */
must_check bool schedule_next(const struct schedule *s, int64_t after, struct schedule_slot *out);
/* Those of all schedules of a job in order; two may be at one instant. */
struct schedules_walk {
	const struct schedules *all;
	struct schedule_slot slot;  /* of the last step */
	struct schedule_slot *next; /* of each schedule; of: NULL: it has no more */
};
void schedules_begin(struct schedules_walk *w, struct arena *a, const struct schedules *all, int64_t after);
must_check bool schedules_step(struct schedules_walk *w);
void schedules_end(struct schedules_walk *w, const struct schedule *s); /* no more of this one */
/* The first one after `after` that fires. */
must_check bool schedule_next_firing(const struct schedule *s, int64_t after, struct schedule_slot *out);
/* The last one in (after, until] that fires. */
must_check bool schedule_last_firing(const struct schedule *s, int64_t after, int64_t until, struct schedule_slot *out);
/* Why a slot does not fire, or what is special about it; "". In the arena. */
const char *schedule_note(struct arena *a, const struct schedule_slot *t);

#endif
