/* schedule: the slots of a job by its clock, told and not started. */
#include <inttypes.h>
#include <stdio.h>

#include "api/rows.h"
#include "api/serve.h"
#include "base/str.h"
#include "flow/clock.h"
#include "flow/schedule.h"

#define WEEK (7 * (int64_t)86400)
#define SIM_MAX 1000000 /* slots of one answer */
#define MISSED_SHOWN 3  /* times that slots were missed */

/* Which of several: it stands before what is said of the slot. */
static const char *note_of(struct arena *a, const struct schedules *all, const struct schedule_slot *t)
{
	const char *note = schedule_note(a, t);

	if (all->n < 2)
		return note;
	return arena_printf(a, "%.*s%s%s", STR_ARG(t->of->name.n ? t->of->name : t->of->text), *note ? ": " : "", note);
}

/* more: slots after it that do not fire for the same reason, the last of them at `until`. */
static int slot_row(struct sink *out, const struct schedules *all, const struct schedule_slot *t, int64_t more,
                    int64_t until, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dom *row = dom_new(a, DOM_MAP);
	const char *note = note_of(a, all, t);
	char local[TIME_TEXT];

	dom_set_str(a, row, "job", t->of->job->name);
	row_time(a, row, "due", t->slot.at * 1000);
	time_rfc3339((t->slot.at + tz_offset(t->of->tz, t->slot.at)) * 1000, local);
	local[19] = '\0'; /* of a clock that knows no zone */
	dom_set_cstr(a, row, "local", arena_dup(a, local));
	dom_set_str(a, row, "timezone", str_of(tz_name(t->of->tz)));
	dom_set_cstr(a, row, "ds", arena_dup(a, t->ds.label));
	dom_set_str(a, row, "schedule", t->of->name);
	dom_set_bool(a, row, "fires", t->why == SCHEDULE_FIRES);
	if (more) {
		time_rfc3339((until + tz_offset(t->of->tz, until)) * 1000, local);
		local[16] = '\0';
		dom_set_int(a, row, "more", more);
		note = arena_printf(a, "%s (and %" PRId64 " more, to %s)", note, more, local);
	}
	dom_set_cstr(a, row, "note", note);
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

static int sim(struct api *api, const struct args *args, const struct schedules *all, struct sink *out, struct err *e)
{
	int64_t now = floor_div(api->flow->now_ms, 1000), from, to, most, n = 0;
	struct schedules_walk w;

	if (instant(args, "from", all->p[0].tz, now, &from, e) ||
	    instant(args, "to", all->p[0].tz, from + WEEK, &to, e) ||
	    args_int(args, "limit", 1, SIM_MAX, SIM_MAX, &most, e))
		return -1;
	if (to <= from) {
		err_set(e, ERR_BAD_REQUEST, "--to is not after --from");
		return err_hint(e, "the slots from --from on, up to but without --to, are told");
	}
	schedules_begin(&w, api->arena, all, from - 1);
	while (schedules_step(&w) && w.slot.slot.at < to) {
		if (n++ == most) {
			sink_note(out, "the first %" PRId64 " only; -n N tells more", most);
			return 0;
		}
		if (slot_row(out, all, &w.slot, 0, 0, e))
			return -1;
	}
	if (!n)
		sink_note(out, "no slot in that time");
	return 0;
}

static const char *const catchup_words[] = {"none", "last", "all"};

static void say_rules(struct api *api, const struct schedule *s, struct sink *out)
{
	int64_t change, now = floor_div(api->flow->now_ms, 1000);
	const struct str name = s->name.n ? arena_strf(api->arena, "%.*s: ", STR_ARG(s->name)) : STR("");
	bool fixed = s->n_instants;
	char text[TIME_TEXT];

	sink_note(out, "%.*s%.*s by the clock of %s; catchup: %s", STR_ARG(name), STR_ARG(s->text), tz_name(s->tz),
	          catchup_words[s->catchup]);
	if (s->offset && !s->partitions)
		sink_note(out, "%.*sit fires %" PRId64 " s after that", STR_ARG(name), s->offset);
	if (s->calendar && s->calendar->holidays.n && calendar_known_until(s->calendar) * 86400 < now)
		sink_note(out, "%.*sthe file of holidays knows no day after today", STR_ARG(name));
	for (size_t i = 0; i < s->n_rules; i++)
		fixed |= !s->rules[i].cron.elapsed && s->rules[i].cron.kind == CRON_FIELDS;
	if (s->partitions || !tz_next(s->tz, now, &change))
		return;
	time_rfc3339(change * 1000, text);
	if (!fixed)
		sink_note(out, "%.*sat the next change of that clock (%s) it goes on by the time that passes",
		          STR_ARG(name), text);
	else if (s->n_rules)
		sink_note(out, "%.*sat the next change of that clock (%s): gap: %s, fold: %s", STR_ARG(name), text,
		          s->rules[0].gap == SLOT_GAP_SKIP ? "skip" : "run-at-transition",
		          s->rules[0].fold == SLOT_FOLD_BOTH ? "both" : "first");
}

/* A slot that does not fire, until it is known how many follow it for the same reason. */
struct held {
	struct schedule_slot slot;
	int64_t more, until;
	bool any;
};

static int let_go(struct sink *out, const struct schedules *all, struct held *h, struct err *e)
{
	if (!h->any)
		return 0;
	h->any = false;
	return slot_row(out, all, &h->slot, h->more, h->until, e);
}

static bool same_reason(const struct held *h, const struct schedule_slot *t)
{
	return h->any && h->slot.of == t->of && h->slot.why == t->why && t->why != SCHEDULE_SKIPPED &&
	       h->slot.day == t->day;
}

/* The slots from `at` on until n_most fire; what is taken away in a row for one reason is one row. */
static int next_slots(struct api *api, const struct schedules *all, int64_t at, int64_t n_most, struct sink *out,
                      struct err *e)
{
	struct schedules_walk w;
	struct held h = {0};
	int64_t n = 0;

	schedules_begin(&w, api->arena, all, at);
	for (int64_t looked = 0; n < n_most && looked < SCHEDULE_MAX_REMOVED && schedules_step(&w); looked++) {
		struct schedule_slot *t = &w.slot;

		if (t->why == SCHEDULE_BEFORE_START)
			continue;
		if (t->why == SCHEDULE_AFTER_END) {
			if (!n)
				sink_note(out, "it has ended: what is due now is %s", note_of(api->arena, all, t));
			schedules_end(&w, t->of);
			continue;
		}
		if (same_reason(&h, t)) {
			h.more++;
			h.until = t->slot.at;
			continue;
		}
		if (let_go(out, all, &h, e))
			return -1;
		if (t->why != SCHEDULE_FIRES) {
			h = (struct held){.slot = *t, .any = true};
			continue;
		}
		n++;
		looked = 0;
		if (slot_row(out, all, t, 0, 0, e))
			return -1;
	}
	return let_go(out, all, &h, e);
}

/* What the clock makes of it: paused, kept by nobody, slots that were missed. */
static int say_state(struct api *api, const struct job *j, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	const struct dom *place;
	struct clock_pause p;
	struct str *missed;
	char since[TIME_TEXT];
	size_t n;
	int serves = serve_place(api->store, a, &place, e), paused;

	paused = serves < 0 ? -1 : clock_paused(api->store, a, j, &p, e);
	if (paused < 0 || clock_missed(api->store, a, j, MISSED_SHOWN, &missed, &n, e))
		return -1;
	for (size_t i = n; i-- > 0;)
		sink_note(out, "%s", missed[i].p);
	time_rfc3339(p.since_ms, since);
	if (paused && p.since_ms)
		sink_note(out, "it is paused since %s by %.*s; leat resume %.*s ends that", since, STR_ARG(p.who),
		          STR_ARG(j->name));
	else if (paused)
		sink_note(out, "it is paused from the first (paused: true); leat resume %.*s ends that",
		          STR_ARG(j->name));
	else if (!serves)
		sink_note(out, "nobody keeps the clock here: leat serve does");
	return 0;
}

static int explain(struct api *api, const struct args *args, const struct schedules *all, struct sink *out,
                   struct err *e)
{
	int64_t at = floor_div(api->flow->now_ms, 1000), most, first = INT64_MAX;
	const struct job *j = all->p[0].job;

	if (args_value(args, "from").p || args_value(args, "to").p) {
		err_set(e, ERR_BAD_REQUEST, "explain tells the next slots from now on");
		return err_hint(e, "leat schedule sim %.*s --from T --to T lists others", STR_ARG(j->name));
	}
	if (args_int(args, "limit", 1, SIM_MAX, 5, &most, e))
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		say_rules(api, &all->p[i], out);
		first = MIN(first, all->p[i].start);
	}
	if (j->every != EVERY_NONE)
		sink_note(out, "a slot is for the last %s partition that has ended", every_word(j->every));
	if (say_state(api, j, out, e))
		return -1;
	return next_slots(api, all, MAX(at, first - (first > at)), most, out, e);
}

int api_schedule(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0);
	bool is_sim = str_is(what, "sim");
	struct schedules all;
	struct job *j;

	if (!is_sim && !str_is(what, "explain")) {
		err_set(e, ERR_BAD_REQUEST, "leat schedule does not know '%s'", STR_SHOWN(what));
		return err_hint(e, "leat schedule sim JOB, or leat schedule explain JOB");
	}
	if (jobs_find(api->flow->jobs, args_pos(args, 1), &j, e) || schedules_need(api->arena, j, &all, e))
		return -1;
	return (is_sim ? sim : explain)(api, args, &all, out, e);
}
