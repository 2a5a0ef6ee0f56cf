/* schedule: the slots of a job by its clock, told and not started. */
#include <inttypes.h>
#include <stdio.h>

#include "api/rows.h"
#include "base/str.h"
#include "flow/schedule.h"

#define WEEK (7 * (int64_t)86400)
#define SIM_MAX 1000000 /* slots of one answer */

static void local_text(int64_t local, char out[TIME_TEXT])
{
	time_rfc3339(local * 1000, out);
	out[19] = '\0'; /* of a clock that knows no zone */
}

static const char *note_of(struct arena *a, const struct schedule *s, const struct schedule_slot *t)
{
	char local[TIME_TEXT];

	switch (t->why) {
	case SCHEDULE_SKIPPED:
		local_text(t->slot.local, local);
		return arena_printf(a, "gap: skip; the clock leaves out %s", local);
	case SCHEDULE_BEFORE_START:
		return t->slot.at < s->start ? "before the schedule's start" : "before the job's first partition";
	case SCHEDULE_AFTER_END:
		return t->slot.at >= s->end ? "after the schedule's end" : "after the job's last partition";
	case SCHEDULE_FIRES:
		break;
	}
	switch (t->slot.note) {
	case SLOT_LEFT_OUT:
		local_text(t->slot.local, local);
		return arena_printf(a, "gap: run-at-transition; the clock leaves out %s", local);
	case SLOT_SECOND:
		return "the clock shows this time for the second time";
	default:
		return "";
	}
}

static int slot_row(struct sink *out, const struct schedule *s, const struct schedule_slot *t, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dom *row = dom_new(a, DOM_MAP);
	char local[TIME_TEXT];

	dom_set_str(a, row, "job", s->job->name);
	row_time(a, row, "due", t->slot.at * 1000);
	local_text(t->slot.at + tz_offset(s->rule.tz, t->slot.at), local);
	dom_set_cstr(a, row, "local", arena_printf(a, "%s", local));
	dom_set_str(a, row, "timezone", str_of(tz_name(s->rule.tz)));
	dom_set_cstr(a, row, "ds", arena_printf(a, "%s", t->ds.label));
	dom_set_bool(a, row, "fires", t->why == SCHEDULE_FIRES);
	dom_set_cstr(a, row, "note", note_of(a, s, t));
	return sink_row(out, row, e);
}

/* A time, or the beginning of a day (or another partition) of the schedule's zone. */
static int instant(const struct args *args, const char *opt, const struct tz *tz, int64_t fallback, int64_t *out,
                   struct err *e)
{
	struct str s = args_value(args, opt);
	struct err why = ERR_INIT;
	struct ds ds;
	int64_t ms;

	*out = fallback;
	if (!s.p)
		return 0;
	if (!ds_parse(s, &ds, &why) && ds.every != EVERY_NONE) {
		*out = ds_interval(&ds, tz).start;
		return 0;
	}
	if (!time_parse_rfc3339(s, &ms)) {
		err_set(e, ERR_BAD_REQUEST, "--%s %s is no time", opt, STR_SHOWN(s));
		return err_hint(e, "write 2026-03-29T01:00:00Z, or a day: 2026-03-29");
	}
	*out = floor_div(ms + 999, 1000);
	return 0;
}

static int sim(struct api *api, const struct args *args, const struct schedule *s, struct sink *out, struct err *e)
{
	int64_t now = floor_div(api->flow->now_ms, 1000), from, to, most, n = 0;
	struct schedule_slot t;

	if (instant(args, "from", s->rule.tz, now, &from, e) ||
	    instant(args, "to", s->rule.tz, from + WEEK, &to, e) ||
	    args_int(args, "limit", 1, SIM_MAX, SIM_MAX, &most, e))
		return -1;
	if (to <= from) {
		err_set(e, ERR_BAD_REQUEST, "--to is not after --from");
		return err_hint(e, "the slots from --from on, up to but without --to, are told");
	}
	for (int64_t at = from - 1; schedule_next(s, at, &t) && t.slot.at < to; at = t.slot.at) {
		if (n++ == most) {
			sink_note(out, "the first %" PRId64 " only; -n N tells more", most);
			return 0;
		}
		if (slot_row(out, s, &t, e))
			return -1;
	}
	if (!n)
		sink_note(out, "no slot in that time");
	return 0;
}

static void say_rules(struct api *api, const struct schedule *s, struct sink *out)
{
	int64_t change, now = floor_div(api->flow->now_ms, 1000);
	struct str cron = dom_get(s->job->schedule, "cron")->s;
	char text[TIME_TEXT];

	sink_note(out, "%.*s by the clock of %s", STR_ARG(cron), tz_name(s->rule.tz));
	if (s->job->every != EVERY_NONE)
		sink_note(out, "a slot is for the last %s partition that has ended", every_word(s->job->every));
	if (!tz_next(s->rule.tz, now, &change))
		return;
	time_rfc3339(change * 1000, text);
	if (s->rule.cron.elapsed || s->rule.cron.kind == CRON_EVERY)
		sink_note(out, "at the next change of that clock (%s) it goes on by the time that passes", text);
	else
		sink_note(out, "at the next change of that clock (%s): gap: %s, fold: %s", text,
		          s->rule.gap == SLOT_GAP_SKIP ? "skip" : "run-at-transition",
		          s->rule.fold == SLOT_FOLD_BOTH ? "both" : "first");
}

static int explain(struct api *api, const struct args *args, const struct schedule *s, struct sink *out, struct err *e)
{
	int64_t at = floor_div(api->flow->now_ms, 1000), most, n = 0;
	struct schedule_slot t;

	if (args_value(args, "from").p || args_value(args, "to").p) {
		err_set(e, ERR_BAD_REQUEST, "explain tells the next slots from now on");
		return err_hint(e, "leat schedule sim %.*s --from T --to T lists others", STR_ARG(s->job->name));
	}
	if (args_int(args, "limit", 1, SIM_MAX, 5, &most, e))
		return -1;
	say_rules(api, s, out);
	for (at = MAX(at, s->start - (s->start > at)); n < most && schedule_next(s, at, &t); at = t.slot.at) {
		if (t.why == SCHEDULE_BEFORE_START)
			continue;
		if (t.why == SCHEDULE_AFTER_END) {
			if (!n)
				sink_note(out, "it has ended: what is due now is %s", note_of(api->arena, s, &t));
			return 0;
		}
		n += t.why == SCHEDULE_FIRES;
		if (slot_row(out, s, &t, e))
			return -1;
	}
	return 0;
}

int api_schedule(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0);
	bool is_sim = str_is(what, "sim");
	struct schedule s;
	struct job *j;

	if (!is_sim && !str_is(what, "explain")) {
		err_set(e, ERR_BAD_REQUEST, "leat schedule does not know '%s'", STR_SHOWN(what));
		return err_hint(e, "leat schedule sim JOB, or leat schedule explain JOB");
	}
	if (jobs_find(api->flow->jobs, args_pos(args, 1), &j, e) ||
	    schedule_of(j, floor_div(api->flow->now_ms, 1000), &s, e))
		return -1;
	return (is_sim ? sim : explain)(api, args, &s, out, e);
}
