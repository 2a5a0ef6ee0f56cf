/* Slots one after the other (schedule.h). */
#include "base/str.h"
#include "flow/schedule.h"

#define DAY       86400
#define HOUR      3600
#define LOOK_BACK 8 /* by how much each look further back is longer than the one before */

/* What the schedule says next, without calendar, bounds and offset. */
static bool says_next(const struct schedule *s, int64_t after, struct slot *out)
{
	bool any = false;

	if (s->partitions) {
		struct ds d = ds_at(s->job->every, after, s->job->tz);
		int64_t at = ds_interval(&d, s->job->tz).end;

		*out = (struct slot){at, at + tz_offset(s->tz, at), SLOT_PLAIN};
		return true;
	}
	for (size_t i = 0; i < s->n_rules; i++) {
		struct slot t;

		if (slot_next(&s->rules[i], after, &t) &&
		    (!any || t.at < out->at || (t.at == out->at && out->note == SLOT_SKIPPED))) {
			*out = t;
			any = true;
		}
	}
	for (size_t i = 0; i < s->n_instants; i++)
		if (s->instants[i].at > after) {
			if (!any || s->instants[i].at < out->at)
				*out = s->instants[i];
			any = true;
			break;
		}
	return any;
}

static enum schedule_why by_calendar(const struct schedule *s, struct schedule_slot *t)
{
	int64_t day = floor_div(t->slot.local, DAY);

	if (s->of_ds) {
		struct interval in = ds_interval(&t->ds, s->job->tz);

		day = floor_div(in.start + tz_offset(s->job->tz, in.start), DAY);
	}
	switch (calendar_ask(s->calendar, day, &t->day)) {
	case CALENDAR_NOT_OF_RULE:
		return SCHEDULE_NOT_A_DAY;
	case CALENDAR_HOLIDAY:
		return SCHEDULE_HOLIDAY;
	case CALENDAR_OUT:
		return SCHEDULE_EXCLUDED;
	default:
		return SCHEDULE_FIRES;
	}
}

bool schedule_next(const struct schedule *s, int64_t after, struct schedule_slot *out)
{
	const struct job *j = s->job;
	struct schedule_slot t = {.of = s};

	if (!says_next(s, after - s->offset, &t.slot))
		return false;
	t.ds = j->every == EVERY_NONE ? (struct ds){0} : ds_last_ended(j->every, t.slot.at, j->tz);
	if (t.slot.note == SLOT_SKIPPED)
		t.why = SCHEDULE_SKIPPED;
	else if (s->calendar)
		t.why = by_calendar(s, &t);
	t.slot.at += s->offset;
	t.slot.local += s->offset;
	if (t.slot.at < s->start || (j->start.every != EVERY_NONE && ds_cmp(&t.ds, &j->start) < 0))
		t.why = SCHEDULE_BEFORE_START;
	else if (t.slot.at >= s->end || (j->end.every != EVERY_NONE && ds_cmp(&t.ds, &j->end) > 0))
		t.why = SCHEDULE_AFTER_END;
	*out = t;
	return true;
}

static void ahead(struct schedules_walk *w, size_t i, int64_t after)
{
	if (!schedule_next(&w->all->p[i], after, &w->next[i]))
		w->next[i].of = NULL;
}

void schedules_begin(struct schedules_walk *w, struct arena *a, const struct schedules *all, int64_t after)
{
	*w = (struct schedules_walk){.all = all, .next = arena_array(a, struct schedule_slot, all->n)};
	for (size_t i = 0; i < all->n; i++)
		ahead(w, i, after);
}

bool schedules_step(struct schedules_walk *w)
{
	size_t best = w->all->n;

	for (size_t i = 0; i < w->all->n; i++)
		if (w->next[i].of && (best == w->all->n || w->next[i].slot.at < w->next[best].slot.at))
			best = i;
	if (best == w->all->n)
		return false;
	w->slot = w->next[best];
	ahead(w, best, w->slot.slot.at);
	return true;
}

void schedules_end(struct schedules_walk *w, const struct schedule *s)
{
	w->next[s - w->all->p].of = NULL;
}

/* Before its start nothing fires: no need to go through it. */
static int64_t begin(const struct schedule *s, int64_t after)
{
	if (s->start != INT64_MIN)
		after = MAX(after, s->start - 1);
	if (s->job->start.every != EVERY_NONE) /* the first partition's slot is not before its end */
		after = MAX(after, ds_interval(&s->job->start, s->job->tz).end - 1);
	return after;
}

/* Where to go on from a slot: a day that the calendar takes away need not be gone through to its end. */
static int64_t rest_of_day(const struct schedule_slot *t)
{
	int64_t left = DAY - (t->slot.local - t->of->offset - floor_div(t->slot.local - t->of->offset, DAY) * DAY);
	bool day = t->why == SCHEDULE_NOT_A_DAY || t->why == SCHEDULE_HOLIDAY || t->why == SCHEDULE_EXCLUDED;

	return t->slot.at + (day && !t->of->of_ds && left > 4 * HOUR ? left - 4 * HOUR : 0);
}

bool schedule_next_firing(const struct schedule *s, int64_t after, struct schedule_slot *out)
{
	struct schedule_slot t;

	after = begin(s, after);
	for (int i = 0; i < SCHEDULE_MAX_REMOVED && schedule_next(s, after, &t); i++, after = rest_of_day(&t)) {
		if (t.why == SCHEDULE_AFTER_END)
			return false;
		if (t.why == SCHEDULE_FIRES) {
			*out = t;
			return true;
		}
	}
	return false;
}

bool schedule_last_firing(const struct schedule *s, int64_t after, int64_t until, struct schedule_slot *out)
{
	int64_t to = until;

	after = begin(s, after);
	/* From the end in growing steps: years of minutes are not gone through for the last one. */
	for (int64_t step = HOUR; to > after; step *= LOOK_BACK) {
		int64_t from = to - step > after ? to - step : after;
		struct schedule_slot t;
		bool any = false;

		while (schedule_next_firing(s, from, &t) && t.slot.at <= to) {
			*out = t;
			any = true;
			from = t.slot.at;
		}
		if (any)
			return true;
		to = to - step > after ? to - step : after;
	}
	return false;
}

/* ---- words ---- */

static const char *local_text(struct arena *a, int64_t local)
{
	char text[TIME_TEXT];

	time_rfc3339(local * 1000, text);
	text[19] = '\0'; /* of a clock that knows no zone */
	return arena_dup(a, text);
}

static const char *day_note(struct arena *a, const struct schedule_slot *t)
{
	const char *what = t->of->of_ds ? "calendar, of the partition's day" : "calendar";

	if (t->why == SCHEDULE_EXCLUDED)
		return arena_printf(a, "%s: excluded", what);
	if (t->why == SCHEDULE_HOLIDAY && t->day->name.n)
		return arena_printf(a, "%s: %.*s", what, STR_ARG(t->day->name));
	if (t->why == SCHEDULE_HOLIDAY)
		return arena_printf(a, "%s: a holiday", what);
	return arena_printf(a, "%s: %s", what, calendar_word(t->of->calendar->days));
}

const char *schedule_note(struct arena *a, const struct schedule_slot *t)
{
	int64_t local = t->slot.local - t->of->offset;

	switch (t->why) {
	case SCHEDULE_SKIPPED:
		return arena_printf(a, "gap: skip; the clock leaves out %s", local_text(a, local));
	case SCHEDULE_BEFORE_START:
		return t->slot.at < t->of->start ? "before the schedule's start" : "before the job's first partition";
	case SCHEDULE_AFTER_END:
		return t->slot.at >= t->of->end ? "after the schedule's end" : "after the job's last partition";
	case SCHEDULE_NOT_A_DAY:
	case SCHEDULE_HOLIDAY:
	case SCHEDULE_EXCLUDED:
		return day_note(a, t);
	case SCHEDULE_FIRES:
		break;
	}
	switch (t->slot.note) {
	case SLOT_LEFT_OUT:
		return arena_printf(a, "gap: run-at-transition; the clock leaves out %s", local_text(a, local));
	case SLOT_SECOND:
		return "the clock shows this time for the second time";
	default:
		return "";
	}
}
