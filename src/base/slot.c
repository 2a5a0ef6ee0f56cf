#include "base/slot.h"

#define PERIODS 4096 /* changes of offset that are looked through; with zones of our days those of 2,000 years */

/* A time with one offset: from <= utc < until. */
struct period {
	int64_t from, until;    /* INT64_MIN, INT64_MAX: without bound */
	int64_t offset, before; /* before: the offset until `from` */
};

static struct period period_at(const struct tz *z, int64_t utc)
{
	struct period p = {.from = INT64_MIN, .until = INT64_MAX, .offset = tz_offset(z, utc)};

	p.before = p.offset;
	if (tz_last(z, utc, &p.from))
		p.before = tz_offset(z, p.from - 1);
	else
		p.from = INT64_MIN;
	if (!tz_next(z, utc, &p.until))
		p.until = INT64_MAX;
	return p;
}

/* What the clock leaves out where the period begins, as one slot. */
static bool in_gap(const struct slot_rule *r, const struct period *p, struct slot *out)
{
	int64_t local;

	if (p->offset <= p->before || !cron_next(&r->cron, p->from + p->before - 1, &local) ||
	    local >= p->from + p->offset)
		return false;
	*out = (struct slot){p->from, local, r->gap == SLOT_GAP_SKIP ? SLOT_SKIPPED : SLOT_LEFT_OUT};
	return true;
}

static bool in_period(const struct slot_rule *r, const struct period *p, int64_t after, struct slot *out)
{
	bool fixed = !r->cron.elapsed, begins = p->from != INT64_MIN;
	/* until then the clock shows what it has shown before the period */
	int64_t again = begins && p->offset < p->before ? p->from + p->before : INT64_MIN;
	int64_t from = after + p->offset, local;
	bool gap = fixed && begins && after < p->from && in_gap(r, p, out);

	if (gap && out->note == SLOT_LEFT_OUT)
		return true;
	if (fixed && r->fold == SLOT_FOLD_FIRST && from < again)
		from = again - 1;
	if (!cron_next(&r->cron, from, &local) || local - p->offset >= p->until)
		return gap;
	/* one that fires at the very instant of the change stands for the one that is skipped there */
	if (gap && local - p->offset > p->from)
		return true;
	*out = (struct slot){local - p->offset, local, local < again ? SLOT_SECOND : SLOT_PLAIN};
	return true;
}

static bool every(const struct slot_rule *r, int64_t after, struct slot *out)
{
	int64_t n = floor_div(after - r->since, r->cron.every) + 1;
	int64_t at = r->since + MAX(n, 1) * r->cron.every;

	*out = (struct slot){at, at + tz_offset(r->tz, at), SLOT_PLAIN};
	return true;
}

bool slot_next(const struct slot_rule *r, int64_t after, struct slot *out)
{
	if (r->cron.kind == CRON_EVERY)
		return every(r, after, out);
	if (r->cron.kind != CRON_FIELDS)
		return false;
	for (int i = 0; i < PERIODS; i++) {
		struct period p = period_at(r->tz, after + 1);
		struct slot s;

		if (in_period(r, &p, after, &s)) {
			*out = s;
			return true;
		}
		if (p.until == INT64_MAX)
			return false;
		after = p.until - 1;
	}
	return false;
}
