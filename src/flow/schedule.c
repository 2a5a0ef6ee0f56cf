#include "flow/schedule.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/file.h"

#define DAY 86400

struct parse {
	struct arena *a;
	const struct job *j;
	const struct dom *map;
	struct schedule *s;
	struct err *e;
	enum slot_gap gap;
	enum slot_fold fold;
	struct sha_ctx id;
};

static int fault(struct parse *p, const struct dom *at, const char *hint)
{
	if (hint)
		err_hint(p->e, "%s", hint);
	return job_at(p->e, p->j, at->line, at->col);
}

/* A key that counts in the schedule's id. */
static const struct dom *key(struct parse *p, const char *name)
{
	const struct dom *v = dom_get(p->map, name);

	if (!v || v->type == DOM_NULL)
		return NULL;
	sha_field(&p->id, str_of(name));
	if (v->type != DOM_MAP && v->type != DOM_LIST)
		sha_field(&p->id, dom_text(p->a, v));
	return v;
}

static const char *word(struct parse *p, const char *name, const char *otherwise)
{
	const struct dom *v = key(p, name);

	return v ? arena_cstr(p->a, dom_text(p->a, v)) : otherwise;
}

/* ---- bounds ---- */

/* Whether a time says its zone: Z, or + or - behind the date. */
static bool has_zone(struct str s)
{
	for (size_t i = 10; i < s.n; i++)
		if (strchr("Zz+-", s.p[i]))
			return true;
	return false;
}

/* A time of the schedule's clock, or one with a zone. *local is what the clock shows. */
static bool a_time(struct parse *p, struct str s, struct slot *first, struct slot *second)
{
	int64_t ms, sec;
	struct civil c;
	enum tz_kind how;

	if (s.n < 11 || !time_parse_rfc3339(s, &ms))
		return false;
	sec = floor_div(ms, 1000);
	if (has_zone(s)) {
		*first = *second = (struct slot){sec, sec + tz_offset(p->s->tz, sec), SLOT_PLAIN};
		return true;
	}
	tz_to_civil(tz_utc(), sec, &c);
	how = tz_to_utc(p->s->tz, &c, &first->at, &second->at);
	first->local = second->local = sec;
	first->note = second->note = SLOT_PLAIN;
	if (how == TZ_GAP)
		first->note = second->note = p->gap == SLOT_GAP_SKIP ? SLOT_SKIPPED : SLOT_LEFT_OUT;
	else if (how == TZ_FOLD && p->fold == SLOT_FOLD_BOTH)
		second->note = SLOT_SECOND;
	else
		*second = *first;
	return true;
}

/* A bound of the schedule: a day (or another partition) of its zone, or a time. 1, 0: none, -1. */
static int bound(struct parse *p, const char *name, struct interval *out)
{
	const struct dom *v = key(p, name);
	struct slot first, second;
	struct ds ds;

	if (!v)
		return 0;
	if (a_time(p, dom_text(p->a, v), &first, &second)) {
		*out = (struct interval){first.at, first.at};
		return 1;
	}
	if (ds_parse(dom_text(p->a, v), &ds, p->e) || ds.every == EVERY_NONE) {
		if (!p->e->code)
			err_set(p->e, ERR_BAD_CONFIG, "\"%s\" must be a day or a time", name);
		return fault(p, v, "write a day as 2026-01-31, or a time as 2026-01-31T06:00 or 2026-01-31T06:00:00Z");
	}
	*out = ds_interval(&ds, p->s->tz);
	return 1;
}

static int fill_bounds(struct parse *p)
{
	struct interval at;
	int r = bound(p, "start", &at);

	if (r > 0)
		p->s->start = at.start;
	if (r >= 0) {
		r = bound(p, "end", &at);
		if (r > 0)
			p->s->end = at.end;
	}
	if (r < 0)
		return -1;
	if (p->s->start != INT64_MIN && p->s->end != INT64_MAX && p->s->end < p->s->start) {
		err_set(p->e, ERR_BAD_CONFIG, "the schedule's end is before its start");
		return fault(p, dom_get(p->map, "end"), NULL);
	}
	return 0;
}

/* ---- what it says ---- */

static struct slot_rule *add_rule(struct parse *p, size_t room)
{
	struct schedule *s = p->s;

	if (!s->rules)
		s->rules = arena_array(p->a, struct slot_rule, room);
	s->rules[s->n_rules] = (struct slot_rule){
		.tz = s->tz, .gap = p->gap, .fold = p->fold, .since = s->start == INT64_MIN ? 0 : s->start};
	return &s->rules[s->n_rules++];
}

static int fill_cron(struct parse *p, const struct dom *v)
{
	p->s->text = v->s;
	return cron_parse(v->s, &add_rule(p, 1)->cron, p->e) ? job_at(p->e, p->j, v->line, v->col) : 0;
}

static int fill_every(struct parse *p, const struct dom *v)
{
	struct str text = dom_text(p->a, v);
	struct slot_rule *r = add_rule(p, 1);
	int64_t ms = 0;

	if (!keys_duration(text, &ms) || ms < 1000) {
		err_set(p->e, ERR_BAD_CONFIG, "\"every\" must be a second or longer, not %s", STR_SHOWN(text));
		return fault(p, v, "as in every: 15m, every: 1h30m, every: 1d");
	}
	r->cron = (struct cron){.kind = CRON_EVERY, .every = ms / 1000};
	p->s->text = arena_strf(p->a,
	                        v->type == DOM_STR && text.n && strchr("smhdwn", text.p[text.n - 1]) ? "every %.*s"
	                                                                                             : "every %.*ss",
	                        STR_ARG(text));
	return 0;
}

/* 06:30 or 06:30:15: a time of each day. */
static bool time_of_day(struct parse *p, struct str s, size_t room)
{
	struct str h, m, sec = STR("0");
	int64_t hour, minute, second;
	struct err why = ERR_INIT;

	if (!str_cut(s, ':', &h, &m) || !h.n || h.n > 2)
		return false;
	if (str_cut(m, ':', &m, &sec) && sec.n != 2)
		return false;
	if (m.n != 2 || !str_to_i64(h, &hour) || !str_to_i64(m, &minute) || !str_to_i64(sec, &second) || hour < 0 ||
	    minute < 0 || second < 0)
		return false;
	return !cron_parse(arena_strf(p->a, "%" PRId64 " %" PRId64 " %" PRId64 " * * *", second, minute, hour),
	                   &add_rule(p, room)->cron, &why) ||
	       (p->s->n_rules--, false);
}

static int by_time(const void *x, const void *y)
{
	const struct slot *a = x, *b = y;

	return (a->at > b->at) - (a->at < b->at);
}

static int fill_at(struct parse *p, const struct dom *v)
{
	size_t n = v->type == DOM_LIST ? v->n : 1;
	const struct dom *one = v->type == DOM_LIST ? v->first : v;
	struct schedule *s = p->s;
	struct slot *first;

	if (!n || n > SCHEDULE_MAX) {
		err_set(p->e, ERR_BAD_CONFIG, n ? "\"at\" has more than %d times" : "\"at\" has no time", SCHEDULE_MAX);
		return fault(p, v, "as in at: \"06:30\", or at: [2026-03-29T06:30, 2026-04-01T00:00:00Z]");
	}
	s->instants = arena_array(p->a, struct slot, 2 * n);
	s->text = arena_strf(p->a, "at %.*s%s", STR_ARG(dom_text(p->a, one)), n > 1 ? ", ..." : "");
	for (; one; one = v->type == DOM_LIST ? one->next : NULL) {
		struct str text = dom_text(p->a, one);

		sha_field(&p->id, text);
		if (time_of_day(p, text, n))
			continue;
		first = &s->instants[s->n_instants];
		if (!a_time(p, text, first, first + 1)) {
			err_set(p->e, ERR_BAD_CONFIG, "\"at\" cannot be %s", STR_SHOWN(text));
			return fault(p, one,
			             "a time of each day is written 06:30, one time 2026-03-29T06:30 (of the"
			             " schedule's zone) or 2026-03-29T06:30:00Z");
		}
		s->n_instants += first[0].at == first[1].at ? 1 : 2;
	}
	qsort(s->instants, s->n_instants, sizeof(*s->instants), by_time);
	return 0;
}

static int fill_rule(struct parse *p)
{
	static const struct {
		const char *key;
		int (*fill)(struct parse *p, const struct dom *v);
	} ways[] = {{"cron", fill_cron}, {"every", fill_every}, {"at", fill_at}};
	const struct dom *found = NULL, *offset = key(p, "offset");
	const char *which = NULL;
	int64_t ms;

	if (offset) {
		if (!keys_duration(dom_text(p->a, offset), &ms))
			BUG("a duration of jobkeys.def");
		p->s->offset = ms / 1000;
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const struct dom *v = key(p, ways[i].key);

		if (!v)
			continue;
		if (found) {
			err_set(p->e, ERR_BAD_CONFIG, "a schedule says when by \"%s\" or by \"%s\", not by both", which,
			        ways[i].key);
			return fault(p, v, "a job may have several schedules, as a list");
		}
		found = v;
		which = ways[i].key;
		if (ways[i].fill(p, v))
			return -1;
	}
	if (found)
		return 0;
	if (!offset) {
		err_set(p->e, ERR_BAD_CONFIG, "the schedule does not say when");
		return fault(p, p->map,
		             "add cron: \"30 6 * * *\", every: 15m, at: \"06:30\", or offset: 6h after the end"
		             " of each partition");
	}
	if (p->j->every == EVERY_NONE) {
		err_set(p->e, ERR_BAD_CONFIG, "\"offset\" counts from the end of a partition, and the job has none");
		return fault(p, offset, "add cron:, every: or at:, or say partition: daily");
	}
	p->s->partitions = true;
	sha_field(&p->id, str_of(every_word(p->j->every)));
	sha_field(&p->id, str_of(tz_name(p->j->tz)));
	p->s->text = arena_strf(p->a, "%.*s after each %s partition", STR_ARG(dom_text(p->a, offset)),
	                        every_word(p->j->every));
	return 0;
}

/* ---- the calendar ---- */

/* 2026-12-24, 2026-12 or 2026-12-24..2027-01-02 */
static int take_out(struct parse *p, struct calendar *c, const struct dom *v)
{
	struct str text = dom_text(p->a, v), from = text, to = text;
	size_t dots = 0;
	struct ds a, b;
	struct interval first, last;

	sha_field(&p->id, text);
	while (dots + 1 < text.n && !(text.p[dots] == '.' && text.p[dots + 1] == '.'))
		dots++;
	if (dots + 1 < text.n) {
		from = str_trim(str_sub(text, 0, dots));
		to = str_trim(str_sub(text, dots + 2, text.n));
	}
	if (ds_parse(from, &a, p->e) || ds_parse(to, &b, p->e))
		return fault(p, v, "a day is written 2026-12-24, days 2026-12-24..2027-01-02, a month 2026-12");
	first = ds_interval(&a, tz_utc());
	last = ds_interval(&b, tz_utc());
	if (a.every < EVERY_DAY || b.every < EVERY_DAY || last.end <= first.start) {
		err_set(p->e, ERR_BAD_CONFIG, "\"exclude\" cannot be %s", STR_SHOWN(text));
		return fault(p, v, "a day is written 2026-12-24, days 2026-12-24..2027-01-02, a month 2026-12");
	}
	calendar_take_out(p->a, c, floor_div(first.start, DAY), floor_div(last.end, DAY) - 1);
	return 0;
}

static int holidays(struct parse *p, struct calendar *c, const struct dom *v)
{
	const char *file = arena_cstr(p->a, v->s), *path;
	struct str text;

	/* The daemon's copy of jobs has its own, as it was when it was good (flow/live.h). */
	path = path_join(p->a, p->j->jobs->ws->dir, arena_printf(p->a, "%s%s", p->j->jobs->root, file));
	if (file_read_plain(p->a, path, SCHEDULE_HOLIDAYS_MAX, &text, p->e)) {
		err_set(p->e, ERR_BAD_CONFIG, "the holidays, %s, cannot be read", file);
		return fault(p, v, "a file of the workspace, with lines as `2026-12-25 Christmas Day`");
	}
	sha_field(&p->id, text);
	return calendar_holidays(p->a, c, text, file, p->e);
}

static int fill_calendar(struct parse *p)
{
	const struct dom *v = key(p, "calendar"), *days = v, *file = NULL, *of = NULL, *out = NULL;
	struct calendar *c;

	if (!v)
		return 0;
	c = arena_new_of(p->a, struct calendar);
	if (v->type == DOM_MAP) {
		days = dom_get(v, "days");
		file = dom_get(v, "holidays");
		of = dom_get(v, "of");
		out = dom_get(v, "exclude");
	}
	if (days && days->type == DOM_STR) {
		sha_field(&p->id, days->s);
		if (!calendar_days_of(days->s, &c->days))
			BUG("calendar words of jobkeys.def");
	}
	p->s->of_ds = of && of->type == DOM_STR && str_is(of->s, "ds");
	sha_field(&p->id, p->s->of_ds ? STR("ds") : STR("slot"));
	if (p->s->of_ds && p->j->every != EVERY_DAY && p->j->every != EVERY_HOUR) {
		err_set(p->e, ERR_BAD_CONFIG, "of: ds asks for the day of a partition, and the job has none of a day");
		return fault(p, of, "leave out of: ds");
	}
	if (file && file->type == DOM_STR && holidays(p, c, file))
		return -1;
	if (!(file && file->type == DOM_STR) && calendar_wants_holidays(c->days)) {
		err_set(p->e, ERR_BAD_CONFIG, "%s are weekdays that are no holidays, and no file says which days are",
		        calendar_word(c->days));
		return fault(p, days,
		             "calendar: {days: business-days, holidays: holidays.txt}, with lines as"
		             " `2026-12-25 Christmas Day`; or weekdays");
	}
	if (out && out->type == DOM_STR && take_out(p, c, out))
		return -1;
	if (out && out->type == DOM_LIST)
		dom_each (one, out)
			if (take_out(p, c, one))
				return -1;
	calendar_sort(c);
	p->s->calendar = c;
	return 0;
}

/* ---- missed slots ---- */

static enum schedule_catchup catchup_of(struct str s)
{
	return str_is(s, "none") || str_is(s, "false") ? CATCHUP_NONE
	       : str_is(s, "all") || str_is(s, "true") ? CATCHUP_ALL
	                                               : CATCHUP_LAST;
}

/* Does not count in the id: what was missed is made up for by what the job says then. */
static void fill_catchup(struct parse *p)
{
	const struct dom *v = dom_get(p->map, "catchup"), *mode = v, *window = NULL;
	int64_t ms;

	p->s->catchup = CATCHUP_LAST;
	p->s->window = INT64_MAX;
	if (v && v->type == DOM_MAP) {
		mode = dom_get(v, "mode");
		window = dom_get(v, "window");
	}
	if (mode && mode->type != DOM_NULL)
		p->s->catchup = catchup_of(dom_text(p->a, mode));
	if (!window || window->type == DOM_NULL)
		return;
	if (!keys_duration(dom_text(p->a, window), &ms))
		BUG("a duration of jobkeys.def");
	p->s->window = ms / 1000;
}

/* ---- all of it ---- */

static int one(struct arena *a, const struct job *j, const struct dom *map, size_t i, struct schedule *s, struct err *e)
{
	struct parse p = {.a = a, .j = j, .map = map, .s = s, .e = e};
	const struct dom *name = dom_get(map, "name");
	const char *zone;

	*s = (struct schedule){.job = j, .tz = j->tz, .start = INT64_MIN, .end = INT64_MAX, .name = STR("")};
	if (name && name->type == DOM_STR)
		s->name = name->s;
	else if (i)
		s->name = arena_strf(a, "%zu", i + 1);
	sha_init(&p.id);
	zone = word(&p, "timezone", NULL);
	if (zone && tz_load(zone, &s->tz, e))
		return fault(&p, dom_get(map, "timezone"), NULL);
	sha_field(&p.id, str_of(tz_name(s->tz)));
	p.gap = strcmp(word(&p, "gap", ""), "skip") ? SLOT_GAP_RUN : SLOT_GAP_SKIP;
	p.fold = strcmp(word(&p, "fold", ""), "both") ? SLOT_FOLD_FIRST : SLOT_FOLD_BOTH;
	if (fill_bounds(&p) || fill_rule(&p) || fill_calendar(&p))
		return -1;
	fill_catchup(&p);
	sha_field(&p.id, str_of(j->start.label));
	sha_field(&p.id, str_of(j->end.label));
	s->id = sha_end(&p.id);
	return 0;
}

int schedules_of(struct arena *a, const struct job *j, struct schedules *out, struct err *e)
{
	struct schedules all = {0};

	if (j->schedule && j->schedule->n > SCHEDULE_MAX) {
		err_set(e, ERR_LIMIT, "a job has at most %d schedules", SCHEDULE_MAX);
		return job_at(e, j, j->schedule->line, j->schedule->col);
	}
	if (j->schedule)
		all.p = arena_array(a, struct schedule, j->schedule->n);
	dom_each (map, j->schedule) {
		struct schedule *s = &all.p[all.n];

		if (one(a, j, map, all.n, s, e))
			return -1;
		for (size_t i = 0; i < all.n; i++)
			if (str_eq(all.p[i].name, s->name)) {
				const struct dom *at = dom_get(map, "name");

				err_set(e, ERR_BAD_CONFIG, "two schedules of the job are named \"%.*s\"",
				        STR_ARG(s->name));
				return job_at(e, j, at ? at->line : map->line, at ? at->col : map->col);
			}
		all.n++;
	}
	*out = all;
	return 0;
}

int schedules_need(struct arena *a, const struct job *j, struct schedules *out, struct err *e)
{
	if (!j->schedule || !j->schedule->n) {
		err_set(e, ERR_BAD_REQUEST, "job %.*s has no schedule", STR_ARG(j->name));
		return err_hint(e, "write one into %.*s: schedule: \"30 6 * * *\"", STR_ARG(j->file));
	}
	return schedules_of(a, j, out, e);
}

size_t schedule_holidays(struct arena *a, const struct job *j, struct str **out)
{
	size_t n = 0;

	*out = j->schedule ? arena_array(a, struct str, j->schedule->n) : NULL;
	dom_each (map, j->schedule) {
		const struct dom *file = dom_path(map, "calendar.holidays");

		if (file && file->type == DOM_STR)
			(*out)[n++] = file->s;
	}
	return n;
}

struct str schedule_words(struct arena *a, const struct job *j)
{
	struct str out = STR_NULL;

	dom_each (map, j->schedule) {
		static const char *const keys[] = {"cron", "every", "at", "offset"};
		struct str text = STR("");

		for (size_t i = 0; i < ARRAY_LEN(keys) && !text.n; i++) {
			const struct dom *v = dom_get(map, keys[i]);
			const struct dom *one = v && v->type == DOM_LIST ? v->first : v;

			if (one && one->type != DOM_NULL)
				text = arena_strf(a, i ? "%s %.*s%s" : "%.0s%.*s%s", keys[i], STR_ARG(dom_text(a, one)),
				                  one->next && v != one ? ", ..." : "");
		}
		out = out.p ? arena_strf(a, "%.*s; %.*s", STR_ARG(out), STR_ARG(text)) : text;
	}
	return out;
}

bool schedule_first_ds(const struct job *j, struct ds *out)
{
	bool found = false;

	if (j->start.every != EVERY_NONE) {
		*out = j->start;
		return true;
	}
	dom_each (map, j->schedule) {
		const struct dom *v = dom_get(map, "start");
		struct err e = ERR_INIT;
		struct ds d;
		int64_t ms;

		if (!v || v->type != DOM_STR)
			continue;
		if (!ds_parse(v->s, &d, &e))
			d = d.every == j->every ? d : ds_at(j->every, ds_interval(&d, j->tz).start, j->tz);
		else if (time_parse_rfc3339(v->s, &ms))
			d = ds_at(j->every, floor_div(ms, 1000), j->tz);
		else
			continue;
		if (!found || ds_cmp(&d, out) < 0)
			*out = d;
		found = true;
	}
	return found;
}
