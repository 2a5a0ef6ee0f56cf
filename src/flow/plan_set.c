#include <stdlib.h>

#include "base/str.h"
#include "flow/plan_in.h"
#include "flow/schedule.h"

struct ds plan_last_ended(const struct flow *f, const struct job *j)
{
	struct ds none = {.every = EVERY_NONE};

	return j->every == EVERY_NONE ? none : ds_last_ended(j->every, f->now_ms / 1000, j->tz);
}

static bool in_bounds(const struct job *j, const struct ds *d)
{
	return (j->start.every == EVERY_NONE || ds_cmp(d, &j->start) >= 0) &&
	       (j->end.every == EVERY_NONE || ds_cmp(d, &j->end) <= 0);
}

static void add(struct arena *a, const struct job *j, struct ds_list *l, const struct ds *d)
{
	if (in_bounds(j, d))
		vec_push(a, l, *d);
}

static int in_time(const void *a, const void *b)
{
	return ds_cmp(a, b);
}

static void sort_unique(struct ds_list *l)
{
	size_t n = 0;
	bool sorted = true;

	for (size_t i = 1; i < l->n && sorted; i++)
		sorted = ds_cmp(&l->p[i - 1], &l->p[i]) <= 0;
	if (!sorted)
		qsort(l->p, l->n, sizeof(*l->p), in_time);
	for (size_t i = 0; i < l->n; i++)
		if (!i || !ds_eq(&l->p[n - 1], &l->p[i]))
			l->p[n++] = l->p[i];
	l->n = n;
}

/* The units of a job that a partition of one of its inputs is for. */
static int add_units_of(struct arena *a, const struct job *j, const struct ds *part, struct ds_list *l, struct err *e)
{
	struct interval at;

	if (part->every == j->every) {
		add(a, j, l, part);
		return 0;
	}
	at = ds_interval(part, j->tz);
	for (struct ds d = ds_at(j->every, at.start, j->tz);; d = ds_add(&d, 1, j->tz)) {
		if (ds_interval(&d, j->tz).start >= at.end)
			return 0;
		if (l->n >= PLAN_MAX_UNITS)
			return err_set(e, ERR_LIMIT, "job %.*s would have more than %d units", STR_ARG(j->name),
			      PLAN_MAX_UNITS);
		if (!l->n || !ds_eq(&l->p[l->n - 1], &d))
			add(a, j, l, &d);
	}
}

/* From partitioned inputs: first those that hold a day's own facts; where there are none, snapshots. */
static int from_inputs(struct catalog *c, struct arena *a, const struct job *j, bool dims, struct ds_list *l, bool *any,
                       struct err *e)
{
	for (size_t i = 0; i < j->n_inputs + j->n_after; i++) {
		const struct job_input *in = i < j->n_inputs ? &j->inputs[i] : &j->after[i - j->n_inputs];
		struct catalog_repo *r = NULL;
		struct partset *s = NULL;
		const char *why = NULL;
		int got;

		if (str_eq(in->repo, j->output))
			continue;
		got = catalog_input(c, a, in, &r, &s, &why, e);
		if (got < 0)
			return -1;
		if (got ? r->every == EVERY_NONE : catalog_every(c, in->repo) == EVERY_NONE)
			continue;
		if ((!in->order && workspace_table_kind(catalog_store(c)->ws, in->repo) == TABLE_DIM) != dims)
			continue;
		*any = true;
		for (size_t k = 0; got && k < s->n; k++) {
			struct ds d = ds_of_label(s->p[k].label);

			if (add_units_of(a, j, &d, l, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int from_output(struct catalog *c, struct arena *a, const struct job *j, struct ds_list *l, struct err *e)
{
	struct partset *s = NULL;

	if (catalog_parts(c, j->output, j->output_branch, &s, e) < 0)
		return -1;
	for (size_t i = 0; s && i < s->n; i++) {
		struct ds d = ds_of_label(s->p[i].label);

		if (d.every == j->every)
			add(a, j, l, &d);
	}
	return 0;
}

/* Slots that have ended and were never published. */
static int from_slots(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds_list *l,
                      struct err *e)
{
	struct ds last = plan_last_ended(f, j), d;

	if (!schedule_first_ds(j, &d))
		return 0;
	for (; ds_cmp(&d, &last) <= 0; d = ds_add(&d, 1, j->tz)) {
		struct entry there;
		int got = catalog_at_head(c, j->output, &d, &there, e);

		if (got < 0)
			return -1;
		if (!got)
			add(a, j, l, &d);
		if (l->n > PLAN_MAX_UNITS)
			return err_set(e, ERR_LIMIT, "job %.*s would have more than %d units", STR_ARG(j->name),
			      PLAN_MAX_UNITS);
	}
	return 1;
}

int plan_set(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds_list *out,
      struct err *e)
{
	bool any = false, outside = j->kind && j->kind->outside_world;

	if (j->every == EVERY_NONE) {
		struct ds none = {.every = EVERY_NONE};

		if (outside)
			return 0;
		vec_push(a, out, none);
		return 1;
	}
	if (!outside) {
		if (from_inputs(c, a, j, false, out, &any, e) < 0)
			return -1;
		if (!any && from_inputs(c, a, j, true, out, &any, e) < 0)
			return -1;
	}
	out->by_time = !any;
	if (!any)
		return from_slots(f, c, a, j, out, e);
	if (from_output(c, a, j, out, e) < 0)
		return -1;
	sort_unique(out);
	return 1;
}

int plan_set_data(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds_list *out,
                  struct err *e)
{
	if (plan_set(f, c, a, j, out, e) < 0 || from_output(c, a, j, out, e) < 0)
		return -1;
	sort_unique(out);
	return 0;
}

static int add_range(struct arena *a, const struct job *j, const struct ds *from, const struct ds *to,
      struct ds_list *l,
                     struct err *e)
{
	struct ds d = *from, last = *to;
	int64_t end;

	if (from->every != j->every) {
		d = ds_at(j->every, ds_interval(from, j->tz).start, j->tz);
		if (ds_interval(&d, j->tz).start < ds_interval(from, j->tz).start)
			d = ds_add(&d, 1, j->tz);
		end = ds_interval(to, j->tz).end;
		for (; ds_interval(&d, j->tz).end <= end && l->n < DS_RANGE_MAX; d = ds_add(&d, 1, j->tz))
			vec_push(a, l, d);
	} else {
		for (; ds_cmp(&d, &last) <= 0 && l->n < DS_RANGE_MAX; d = ds_add(&d, 1, j->tz))
			vec_push(a, l, d);
	}
	if (l->n >= DS_RANGE_MAX)
		return err_set(e, ERR_LIMIT, "more than %d partitions are asked for", DS_RANGE_MAX);
	return 0;
}

int plan_set_ranges(struct flow *f, struct catalog *c, struct arena *a, const struct job *j,
                    const struct ds_range *ranges, size_t n, struct ds_list *out, struct err *e)
{
	if (j->every == EVERY_NONE) {
		struct ds none = {.every = EVERY_NONE};

		vec_push(a, out, none);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct ds newest;
		int got;

		if (!ranges[i].newest) {
			if (add_range(a, j, &ranges[i].from, &ranges[i].to, out, e) < 0)
				return -1;
			continue;
		}
		got = plan_newest(f, c, a, j, &newest, e);
		if (got < 0)
			return -1;
		if (!got) {
			err_set(e, ERR_MISSING_INPUT, "job %.*s has no newest ds: what it reads is not there for any",
			      STR_ARG(j->name));
			return err_hint(e, "name a ds and add -u to make what is missing");
		}
		vec_push(a, out, newest);
	}
	sort_unique(out);
	return 0;
}

int plan_newest(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds *out, struct err *e)
{
	struct ds_list l = {0};
	bool any = false;

	catalog_graph(c, f->graph);
	if (j->every == EVERY_NONE) {
		*out = (struct ds){.every = EVERY_NONE};
		return 1;
	}
	if (from_inputs(c, a, j, false, &l, &any, e) < 0 || (!any && from_inputs(c, a, j, true, &l, &any, e) < 0))
		return -1;
	if (!any) {
		*out = plan_last_ended(f, j);
		return 1;
	}
	sort_unique(&l);
	for (size_t i = l.n; i-- > 0;) {
		bool there = true;

		for (size_t k = 0; k < j->n_inputs + j->n_after && there; k++) {
			const struct job_input *in = k < j->n_inputs ? &j->inputs[k] : &j->after[k - j->n_inputs];
			struct reads r = {0};

			if (reads_for_unit(c, a, j, in, &l.p[i], &r, e) < 0)
				return -1;
			there = r.state != READS_MISSING;
		}
		if (there) {
			*out = l.p[i];
			return 1;
		}
	}
	return 0;
}
