#include "flow/schedule.h"

#include "base/str.h"

/* A bound of the schedule, as a day (or another partition) of its zone. */
static int bound(const struct job *j, const char *key, const struct tz *tz, struct interval *out, struct err *e)
{
	const struct dom *d = dom_get(j->schedule, key);
	struct ds ds;

	if (!d)
		return 0;
	if (ds_parse(d->s, &ds, e))
		return -1;
	*out = ds_interval(&ds, tz);
	return 1;
}

int schedule_of(const struct job *j, int64_t since, struct schedule *out, struct err *e)
{
	struct schedule s = {.job = j, .start = INT64_MIN, .end = INT64_MAX};
	const struct dom *zone, *gap, *fold;
	struct interval at;
	int r;

	if (!j->schedule) {
		err_set(e, ERR_BAD_REQUEST, "job %.*s has no schedule", STR_ARG(j->name));
		err_hint(e, "write one into %.*s: schedule: \"30 6 * * *\"", STR_ARG(j->file));
		return -1;
	}
	zone = dom_get(j->schedule, "timezone");
	gap = dom_get(j->schedule, "gap");
	fold = dom_get(j->schedule, "fold");
	s.rule = (struct slot_rule){.tz = j->tz, .since = since,
	                            .gap = gap && str_is(gap->s, "skip") ? SLOT_GAP_SKIP : SLOT_GAP_RUN,
	                            .fold = fold && str_is(fold->s, "both") ? SLOT_FOLD_BOTH : SLOT_FOLD_FIRST};
	if ((zone && tz_load(zone->s.p, &s.rule.tz, e)) || cron_parse(dom_get(j->schedule, "cron")->s, &s.rule.cron, e))
		return -1;
	r = bound(j, "start", s.rule.tz, &at, e);
	if (r > 0)
		s.start = s.rule.since = at.start;
	if (r >= 0) {
		r = bound(j, "end", s.rule.tz, &at, e);
		if (r > 0)
			s.end = at.end;
	}
	if (r < 0)
		return -1;
	*out = s;
	return 0;
}

bool schedule_next(const struct schedule *s, int64_t after, struct schedule_slot *out)
{
	const struct job *j = s->job;
	struct schedule_slot t = {0};

	if (!slot_next(&s->rule, after, &t.slot))
		return false;
	t.ds = j->every == EVERY_NONE ? (struct ds){0} : ds_last_ended(j->every, t.slot.at, j->tz);
	if (t.slot.note == SLOT_SKIPPED)
		t.why = SCHEDULE_SKIPPED;
	else if (t.slot.at < s->start || (j->start.every != EVERY_NONE && ds_cmp(&t.ds, &j->start) < 0))
		t.why = SCHEDULE_BEFORE_START;
	else if (t.slot.at >= s->end || (j->end.every != EVERY_NONE && ds_cmp(&t.ds, &j->end) > 0))
		t.why = SCHEDULE_AFTER_END;
	*out = t;
	return true;
}
