/*
 * Jobs with partitions and globs: their units are (ds, datum). What a day reads is decided as for a unit of the
 * calendar, by reads.c, against the commits that the inputs had at the event: a copy of the job in which each input is
 * pinned to its commit is asked for.
 */
#include <stdlib.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "flow/data.h"
#include "flow/plan_in.h"

struct dating {
	struct flow *f;
	struct arena *a;
	struct data_set *set;
	struct catalog *c;
	struct job bound;  /* its inputs are those that have a commit */
	size_t *place;     /* of each input in bound.inputs; SIZE_MAX: it has none */
};

static void pin_inputs(struct dating *d)
{
	const struct job *j = d->set->job;

	d->bound = *j;
	d->bound.inputs = arena_array(d->a, struct job_input, j->n_inputs);
	d->bound.n_inputs = 0;
	d->place = arena_array(d->a, size_t, j->n_inputs);
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct catalog_repo *r = d->set->inputs[i].reads.repo;
		struct job_input *in = &d->bound.inputs[d->bound.n_inputs];

		d->place[i] = SIZE_MAX;
		if (!r->has_commit)
			continue;
		*in = j->inputs[i];
		in->branch = STR_NULL;
		in->pin = str_of(r->head.id.hex);
		d->place[i] = d->bound.n_inputs++;
	}
}

/* One partition at most, whose files the glob is for; where it is not there, there are no files. */
static int glob_tree(struct dating *d, struct data_day *day, size_t i, const struct reads *r, struct err *e)
{
	const struct job_input *in = &d->set->job->inputs[i];

	if (r->repo && !r->whole && r->repo->kind != TABLE_DIM && r->repo->every != EVERY_NONE &&
	    r->repo->every < day->ds.every) {
		err_set(e, ERR_BAD_CONFIG,
		        "a unit of %s reads several %s partitions of %.*s, and a glob takes the files of one",
		        day->ds.label, every_word(r->repo->every), STR_ARG(in->repo));
		err_hint(e, "without glob each unit reads them all; or make the job %s", every_word(r->repo->every));
		return job_at(e, d->set->job, in->line, in->col);
	}
	if (r->problem)
		day->missing = r->problem;
	if (r->state == READS_MISSING)
		return 0;
	if (r->whole) {
		day->trees[i] = r->root.id;
		return 0;
	}
	if (r->n_parts) {
		day->trees[i] = r->parts[0].entry.id;
		day->under[i] = arena_strf(d->a, "ds=%s", r->parts[0].label);
	}
	return 0;
}

static int read_input(struct dating *d, struct data_day *day, size_t i, struct sha_ctx *beside, struct err *e)
{
	const struct job_input *in = &d->set->job->inputs[i];
	struct reads *r = &day->inputs[i].reads;

	day->inputs[i] = d->set->inputs[i];
	if (d->place[i] == SIZE_MAX) {
		if (!in->glob.p) /* the same as one that is there and has nothing for this day */
			*r = (struct reads){.repo = r->repo, .state = READS_EMPTY_OPTIONAL, .content = sha_of("", 0)};
	} else if (reads_for_unit(d->c, d->a, &d->bound, &d->bound.inputs[d->place[i]], &day->ds, r, e)) {
		return -1;
	} else if (in->glob.p) {
		if (glob_tree(d, day, i, r, e))
			return -1;
		*r = d->set->inputs[i].reads; /* of its files only the unit's own are read */
	}
	if (in->glob.p)
		return 0;
	if (r->state == READS_MISSING)
		day->missing = reads_missing_text(d->a, in, r);
	sha_field(beside, in->name);
	sha_field(beside, in->repo);
	sha_add(beside, r->content.b, SHA_BYTES);
	return 0;
}

static int read_day(struct dating *d, struct data_day *day, struct err *e)
{
	size_t n = d->set->job->n_inputs;
	struct sha_ctx beside;

	day->inputs = arena_array(d->a, struct unit_input, n);
	day->trees = arena_array(d->a, struct sha, n);
	day->under = arena_array(d->a, struct str, n);
	sha_init(&beside);
	for (size_t i = 0; i < n; i++)
		if (read_input(d, day, i, &beside, e))
			return -1;
	day->beside = sha_end(&beside);
	return 0;
}

/* The only day of a job without partitions. */
static void no_days(struct arena *a, struct data_set *set)
{
	set->n_days = 1;
	set->days = arena_array(a, struct data_day, 1);
	set->days[0] = (struct data_day){.ds = {.every = EVERY_NONE}, .inputs = set->inputs, .trees = set->trees,
	                                 .asked = true};
}

static int in_time(const void *x, const void *y)
{
	const struct data_day *a = x, *b = y;

	return ds_cmp(&a->ds, &b->ds);
}

int data_days(struct flow *f, struct arena *a, struct data_set *set, const struct ds_range *ranges, size_t n_ranges,
              struct err *e)
{
	struct dating d = {.f = f, .a = a, .set = set};
	struct ds_list l = {0};
	struct sha_ctx able;

	if (set->job->every == EVERY_NONE) {
		no_days(a, set);
		return 0;
	}
	if (catalog_new(f->store, a, &d.c, e))
		return -1;
	if (f->graph)
		catalog_graph(d.c, f->graph);
	pin_inputs(&d);
	if (n_ranges ? plan_set_ranges(f, d.c, a, &d.bound, ranges, n_ranges, &l, e)
	             : plan_set_data(f, d.c, a, &d.bound, &l, e))
		return -1;
	set->part = n_ranges > 0;
	set->n_days = l.n;
	set->days = arena_array(a, struct data_day, l.n);
	sha_init(&able);
	for (size_t i = 0; i < l.n; i++) {
		set->days[i] = (struct data_day){.ds = l.p[i], .asked = true};
		if (read_day(&d, &set->days[i], e))
			return -1;
		if (!set->days[i].missing)
			sha_field(&able, str_of(l.p[i].label));
	}
	if (l.n > 1)
		qsort(set->days, l.n, sizeof(*set->days), in_time);
	set->trees[set->job->n_inputs] = sha_end(&able);
	return 0;
}

/* 1, 0, -1 */
static int day_failed(struct flow *f, const struct job *j, const struct ds *ds, struct err *e)
{
	struct q *q = db_query(f->store->db,
	                       "select 1 from unit where job = ?1 and ds = ?2"
	                       " and state not in ('success', 'known') and run ="
	                       " (select run from unit where job = ?1 and ds = ?2 order by id desc limit 1) limit 1");
	int r;

	q_text(q, 1, j->name);
	q_cstr(q, 2, ds->label);
	r = q_step(q, e);
	q_done(q);
	return r;
}

int data_days_only(struct flow *f, struct arena *a, struct data_set *set, enum plan_mode mode, struct err *e)
{
	const struct job *j = set->job;
	struct partset *there = NULL;
	struct catalog *c;

	if ((mode != PLAN_MISSING && mode != PLAN_FAILED) || j->every == EVERY_NONE)
		return 0;
	if (catalog_new(f->store, a, &c, e) || catalog_parts(c, j->output, j->output_branch, &there, e))
		return -1;
	for (size_t i = 0; i < set->n_days; i++) {
		struct data_day *day = &set->days[i];
		int r = !there || partset_find(there, day->ds.label) < 0;

		if (!r && mode == PLAN_FAILED)
			r = day_failed(f, j, &day->ds, e);
		if (r < 0)
			return -1;
		day->asked = r;
	}
	return 0;
}

int data_days_each(struct flow *f, struct arena *a, const struct data_set *set,
                   void (*on_day)(void *ptr, struct data_day *day), datum_cb cb, void *ptr, struct err *e)
{
	for (size_t i = 0; i < set->n_days; i++) {
		struct data_day *day = &set->days[i];
		struct datum_at at = {.trees = day->trees, .under = day->under, .beside = day->beside};

		if (day->missing || !day->asked)
			continue;
		if (day->ds.every != EVERY_NONE)
			at.ds = str_of(day->ds.label);
		if (on_day)
			on_day(ptr, day);
		if (datum_each_at(set->job, f->store, a, &at, cb, ptr, e))
			return -1;
	}
	return 0;
}

struct str data_label_day(struct str *label)
{
	struct str rest = *label, line;

	if (!str_has_prefix(rest, STR("ds=")) || !str_next_line(&rest, &line) || memchr(line.p, ':', line.n))
		return STR("");
	*label = rest;
	return line;
}

int data_at_heads(struct flow *f, struct arena *a, const struct job *j, const struct commit *heads,
                  struct data_set *out, struct err *e)
{
	struct data_set set = {.job = j, .n_trees = j->n_inputs + (j->every != EVERY_NONE)};

	set.trees = arena_array(a, struct sha, set.n_trees);
	set.inputs = arena_array(a, struct unit_input, j->n_inputs);
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct catalog_repo *r = arena_new_of(a, struct catalog_repo);

		r->has_commit = heads[i].id.hex[0];
		r->head = heads[i];
		set.trees[i] = heads[i].tree;
		set.inputs[i] = (struct unit_input){&j->inputs[i], {.repo = r, .state = READS_OK, .whole = true}};
	}
	if (data_days(f, a, &set, NULL, 0, e))
		return -1;
	*out = set;
	return 0;
}

int data_look_days(struct flow *f, struct arena *a, const struct job *j, const struct ds_range *ranges,
                   size_t n_ranges, enum plan_mode mode, struct data_set *out, const char **why, struct err *e)
{
	struct data_set set = {.job = j};
	int got = repo_find(f->store, a, j->output, &set.repo, e);

	if (got >= 0)
		got = data_bind(f, a, &set, INT64_MAX, why, e);
	if (got > 0 && (data_days(f, a, &set, ranges, n_ranges, e) || data_days_only(f, a, &set, mode, e) ||
	                data_plan(f, a, &set, NULL, mode == PLAN_ALL, e)))
		got = -1;
	data_unbind(f->store, &set);
	*out = set;
	return got;
}

const char *data_day_says(struct arena *a, const struct data_set *set, const struct data_day *day, size_t *n)
{
	const struct plan_unit *first = NULL;

	*n = 0;
	for (size_t i = 0; i < set->n_items; i++) {
		const struct data_item *it = &set->items[i];

		if (it->day != day || !it->run)
			continue;
		first = first ? first : it->run;
		++*n;
	}
	if (!*n)
		return NULL;
	return arena_printf(a, "%zu unit%s: %s%s", *n, *n == 1 ? "" : "s",
	                    datum_label(a, &(struct datum){.parts = first->datum->parts, .n = first->datum->n}),
	                    *n > 1 ? ", ..." : "");
}
