#include "flow/reads.h"

#include <string.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "repo/commit.h"

#define READS_MAX_MISSING 1000 /* named ones; a plan only shows the first */

/* What of a partitioned input is asked: a span of time, and in it what must be there. */
struct span {
	int64_t from, to;           /* read: what lies in it */
	int64_t own_from, own_to;   /* must be there, if it lies in the span */
	bool from_first;            /* what comes before the first partition that there is need not be there */
	bool to_last;               /* nor what comes after the last one (but for its own) */
	bool sparse;                /* gaps are fine: snapshots */
};

static void add_part(struct sha_ctx *h, const char *label, const struct sha *tree)
{
	sha_field(h, str_of(label));
	sha_add(h, tree->b, sizeof(tree->b));
}

static void seal(struct reads *r)
{
	struct sha_ctx h;

	r->planned = false;
	memset(&r->content, 0, sizeof(r->content));
	if (r->whole && r->by && sha_is_zero(&r->root.id))
		r->planned = true;
	for (size_t i = 0; r->by && !r->whole && i < r->n_parts; i++)
		r->planned |= r->by[i] && sha_is_zero(&r->parts[i].entry.id);
	if (r->planned || r->state == READS_MISSING)
		return;
	sha_init(&h);
	if (r->whole)
		add_part(&h, "", &r->root.id);
	for (size_t i = 0; !r->whole && i < r->n_parts; i++)
		add_part(&h, r->parts[i].label, &r->parts[i].entry.id);
	r->content = sha_end(&h);
}

static void take(struct reads *r, struct partset *s, size_t first, size_t n)
{
	s->lent |= n > 0;
	r->parts = n ? s->p + first : NULL;
	r->by = n && s->n_by ? s->by + first : NULL;
	r->n_parts = n;
}

static void add_missing(struct arena *a, struct reads *r, const struct ds *d)
{
	VEC(struct ds) v = {.p = r->missing, .n = r->n_missing, .cap = r->n_missing};

	if (r->n_missing == READS_MAX_MISSING)
		return;
	vec_push(a, &v, *d);
	r->missing = v.p;
	r->n_missing = v.n;
}

/* First label of a kind whose interval lies in what begins at `from`. */
static struct ds first_label(enum every every, int64_t from, const struct tz *z)
{
	struct ds d = ds_at(every, from, z);

	return ds_interval(&d, z).start < from ? ds_add(&d, 1, z) : d;
}

/* Which labels of [from, to) are not among the slice. */
static void name_missing(struct arena *a, struct reads *r, const struct partset *s, enum every every, int64_t from,
                         int64_t to, const struct tz *z)
{
	struct ds d;

	if (from >= to)
		return;
	for (d = first_label(every, from, z); r->n_missing < READS_MAX_MISSING; d = ds_add(&d, 1, z)) {
		struct interval at = ds_interval(&d, z);

		if (at.end > to)
			break;
		if (!s->n || partset_find(s, d.label) < 0)
			add_missing(a, r, &d);
	}
}

static void read_span(struct arena *a, struct reads *r, struct partset *s, enum every every, const struct span *sp,
                      const struct tz *z)
{
	size_t first = 0, n = 0;
	int64_t from, to;

	if (s->n) {
		partset_zone(s, z);
		n = partset_inside(s, sp->from, sp->to, &first);
	}
	take(r, s, first, n);
	if (sp->sparse) {
		if (!n)
			name_missing(a, r, s, every, sp->own_from, sp->own_to, z);
		return;
	}
	from = sp->from;
	to = sp->to;
	if (sp->from_first)
		from = s->n ? MAX(from, s->at[0].start) : to;
	if (sp->to_last)
		to = s->n ? MIN(to, s->at[s->n - 1].end) : from;
	if (from < to && !(n && s->at[first].start <= from && s->at[first + n - 1].end >= to && partset_gapless(s,
	      first, n)))
		name_missing(a, r, s, every, from, to, z);
	/* Its own, where the above left that out. */
	if (sp->own_from >= sp->from && sp->own_to <= sp->to) {
		name_missing(a, r, s, every, sp->own_from, MIN(sp->own_to, from), z);
		name_missing(a, r, s, every, MAX(sp->own_from, MAX(to, from)), sp->own_to, z);
	}
}

/* A dim_: the newest snapshot not after the instant, or all up to it. */
static void read_snapshot(struct arena *a, struct reads *r, struct partset *s, enum every every, int64_t at,
      bool history,
                          const struct tz *z)
{
	ptrdiff_t i = -1;
	struct ds d;

	if (s->n) {
		partset_zone(s, z);
		i = partset_newest(s, at);
	}
	if (i >= 0) {
		take(r, s, history ? 0 : (size_t)i, history ? (size_t)i + 1 : 1);
		return;
	}
	take(r, s, 0, 0);
	d = ds_at(every, at, z);
	add_missing(a, r, &d);
}

static int cannot_nest(const struct job *j, const struct job_input *in, enum every every, struct err *e)
{
	err_set(e, ERR_BAD_CONFIG, "%s partitions of %.*s do not fit into %s ones of job %.*s", every_word(every),
	        STR_ARG(in->repo), every_word(j->every), STR_ARG(j->name));
	err_hint(e, "say which it reads with window: [A, B], counted in units of the job, or window: all");
	if (in->found) {
		char file[sizeof(e->file)] = "";

		memcpy(file, j->main_file.p, MIN(j->main_file.n, sizeof(file) - 1));
		return err_at(e, file, in->line, in->col);
	}
	return job_at(e, j, in->line, in->col);
}

/* The span of a unit of ds `d`; false if the kinds do not nest and no window helps. */
static bool span_of(const struct job *j, const struct job_input *in, const struct ds *d, enum every every, bool dim,
                    struct span *out)
{
	struct interval own = ds_interval(d, j->tz), win = own;
	bool finer = every <= d->every, nests = every_nests(every, d->every);
	struct ds holder;

	*out = (struct span){.sparse = dim};
	if (!nests && in->window == WINDOW_OWN)
		return false;
	if (nests && !finer) {
		holder = ds_at(every, own.start, j->tz);
		own = ds_interval(&holder, j->tz);
	}
	out->own_from = own.start;
	out->own_to = own.end;
	switch (in->window) {
	case WINDOW_OWN:
		win = own;
		break;
	case WINDOW_RANGE: {
		struct ds lo = ds_add(d, in->lo, j->tz), hi = ds_add(d, in->hi, j->tz);

		win.start = ds_interval(&lo, j->tz).start;
		win.end = ds_interval(&hi, j->tz).end;
		if (nests && !finer) {
			lo = ds_at(every, win.start, j->tz);
			hi = ds_at(every, win.end - 1, j->tz);
			win.start = ds_interval(&lo, j->tz).start;
			win.end = ds_interval(&hi, j->tz).end;
		}
		out->from_first = true;
		break;
	}
	case WINDOW_ALL:
		win = (struct interval){INT64_MIN, INT64_MAX};
		out->from_first = out->to_last = true;
		break;
	case WINDOW_HISTORY:
		win = (struct interval){INT64_MIN, own.end};
		out->from_first = true;
		break;
	}
	out->from = win.start;
	out->to = win.end;
	/*
	 * Of kinds that cross at the edges there is no partition of the unit's own: what the window has whole is
	 * read.
	 */
	if (!nests)
		out->own_from = out->own_to = win.start;
	return true;
}

static const char *two_kinds(struct arena *a, const struct partset *s, struct str repo)
{
	return arena_printf(a, "%.*s has partitions of two kinds: ds=%s and ds=%s", STR_ARG(repo), s->p[0].label,
	      s->other);
}

static void read_whole(struct catalog_repo *repo, struct arena *a, struct reads *r)
{
	struct plan_unit *by = NULL;

	r->whole = true;
	if (!catalog_root(repo, &r->root, &by))
		r->problem = arena_printf(a, "%.*s is not there yet", STR_ARG(repo->repo.name));
	if (by) {
		r->by = arena_array(a, struct plan_unit *, 1);
		r->by[0] = by;
	}
}

/* A unit without ds: all there is; of a dim_ the newest, unless a window says all. */
static void read_all(struct arena *a, struct reads *r, struct partset *s, bool newest)
{
	take(r, s, newest && s->n ? s->n - 1 : 0, newest && s->n ? 1 : s->n);
	if (!s->n)
		r->problem = arena_printf(a, "%.*s has no partition", STR_ARG(r->repo->repo.name));
}

static int read_parts(struct arena *a, const struct job *j, const struct job_input *in, const struct ds *ds,
                      struct partset *s, struct reads *r, struct err *e)
{
	enum every every = r->repo->every;
	bool dim = r->repo->kind == TABLE_DIM && !in->order; /* what comes first has made its own ds */
	struct span sp;

	if (s->other) {
		r->problem = two_kinds(a, s, in->repo);
		return 0;
	}
	if (ds->every == EVERY_NONE) {
		read_all(a, r, s, dim && in->window == WINDOW_OWN);
		return 0;
	}
	if (dim && (in->window == WINDOW_OWN || in->window == WINDOW_HISTORY)) {
		read_snapshot(a, r, s, every, ds_interval(ds, j->tz).start, in->window == WINDOW_HISTORY, j->tz);
		return 0;
	}
	if (!span_of(j, in, ds, every, dim, &sp))
		return cannot_nest(j, in, every, e);
	read_span(a, r, s, every, &sp, j->tz);
	return 0;
}

int reads_for_unit(struct catalog *c, struct arena *a, const struct job *j, const struct job_input *in,
                   const struct ds *ds, struct reads *out, struct err *e)
{
	struct reads r = {.state = READS_OK};
	struct partset *parts = NULL;
	struct entry root;
	struct plan_unit *by = NULL;
	int got = catalog_input(c, a, in, &r.repo, &parts, &r.problem, e);

	if (got < 0)
		return -1;
	if (got) {
		/*
		 * A whole repo that a unit of the plan makes first may turn out to have partitions: then it is read
		 * anew.
		 */
		catalog_root(r.repo, &root, &by);
		if (r.repo->every == EVERY_NONE || (by && sha_is_zero(&root.id)))
			read_whole(r.repo, a, &r);
		else if (read_parts(a, j, in, ds, parts, &r, e) < 0)
			return -1;
	} else {
		r.repo = NULL;
	}
	if (in->optional && (r.problem || r.n_missing)) {
		r.problem = NULL;
		r.n_missing = 0;
		if (!r.repo || (!r.whole && !r.n_parts) || (r.whole && !r.repo->has_commit && !by))
			r.state = READS_EMPTY_OPTIONAL;
	} else if (r.problem || r.n_missing) {
		r.state = READS_MISSING;
	}
	if (r.state == READS_EMPTY_OPTIONAL)
		r.whole = false;
	seal(&r);
	*out = r;
	return 0;
}

const char *reads_missing_text(struct arena *a, const struct job_input *in, const struct reads *r)
{
	if (in->order) {
		const char *ds = r->n_missing ? r->missing[0].label : "";

		return arena_printf(a, "%.*s has to succeed first%s%s (after)", STR_ARG(in->name),
		                    *ds ? ", for ds=" : "", ds);
	}
	if (r->problem || !r->n_missing)
		return r->problem ? r->problem : arena_printf(a, "%.*s is not there", STR_ARG(in->repo));
	if (r->n_missing == 1)
		return arena_printf(a, "%.*s ds=%s is missing", STR_ARG(in->repo), r->missing[0].label);
	return arena_printf(a, "%.*s ds=%s and %s%zu more are missing", STR_ARG(in->repo), r->missing[0].label,
	                    r->n_missing == READS_MAX_MISSING ? "at least " : "", r->n_missing - 1);
}

/* Labels of a kind that lie in [from, to). */
static int labels_in(struct arena *a, enum every every, int64_t from, int64_t to, const struct tz *z, struct ds **out,
                     size_t *n, struct err *e)
{
	VEC(struct ds) v = {0};

	if (from < to) {
		for (struct ds d = first_label(every, from, z); ds_interval(&d, z).end <= to; d = ds_add(&d, 1, z)) {
			if (v.n == DS_RANGE_MAX)
				return err_set(e, ERR_LIMIT, "a window of more than %d partitions", DS_RANGE_MAX);
			vec_push(a, &v, d);
		}
	}
	*out = v.p;
	*n = v.n;
	return 0;
}

static int wanted_all(struct arena *a, const struct catalog_repo *have, const struct ds *own, struct ds **out,
      size_t *n)
{
	VEC(struct ds) v = {0};
	bool seen = false;

	for (size_t i = 0; have && i < have->n_parts; i++) {
		struct ds d = ds_of_label(have->parts[i].label);

		if (own && !seen && ds_cmp(own, &d) <= 0) {
			if (!ds_eq(own, &d))
				vec_push(a, &v, *own);
			seen = true;
		}
		vec_push(a, &v, d);
	}
	if (own && !seen)
		vec_push(a, &v, *own);
	*out = v.p;
	*n = v.n;
	return 0;
}

int reads_wanted(struct arena *a, const struct job *j, const struct job_input *in, const struct ds *ds,
      enum every every,
                 enum table_kind kind, const struct catalog_repo *have, struct ds **out, size_t *n, struct err *e)
{
	struct partset *s = have && have->n_parts ? catalog_set(have) : NULL;
	struct interval own;
	struct span sp;
	struct ds d;

	if (every == EVERY_NONE || ds->every == EVERY_NONE) {
		struct ds none = {.every = EVERY_NONE};

		return wanted_all(a, have, every == EVERY_NONE ? &none : NULL, out, n);
	}
	own = ds_interval(ds, j->tz);
	if (s)
		partset_zone(s, j->tz);
	if (kind == TABLE_DIM && in->window == WINDOW_OWN) {
		ptrdiff_t i = s ? partset_newest(s, own.start) : -1;

		d = i >= 0 ? ds_of_label(s->p[i].label) : ds_at(every, own.start, j->tz);
		*out = arena_array(a, struct ds, 1);
		(*out)[0] = d;
		*n = 1;
		return 0;
	}
	if (!span_of(j, in, ds, every, kind == TABLE_DIM, &sp))
		return cannot_nest(j, in, every, e);
	if (in->window == WINDOW_ALL) {
		d = ds_at(every, own.start, j->tz);
		return wanted_all(a, have, &d, out, n);
	}
	if (sp.from_first) {
		int64_t first = s ? s->at[0].start : INT64_MAX;

		sp.from = MAX(sp.from, MIN(first, sp.own_from >= sp.from ? sp.own_from : sp.to));
	}
	return labels_in(a, every, sp.from, sp.to, j->tz, out, n, e);
}

static int query_repo(struct catalog *c, struct str repo, struct str rev, struct reads *r, struct err *e)
{
	int got = catalog_repo(c, repo, rev, &r->repo, e);

	if (got < 0)
		return -1;
	if (!got) { /* the repo, or what stands after @: told by what looks pins up */
		struct arena *a cleanup(arena_cleanup) = arena_new();
		struct pin pin;

		if (rev.n &&
		    pin_resolve(catalog_store(c), a, arena_strf(a, "%.*s@%.*s", STR_ARG(repo), STR_ARG(rev)), &pin, e))
			return -1;
		return repo_not_found(catalog_store(c), repo, e);
	}
	return 0;
}

int reads_for_query(struct catalog *c, struct arena *a, struct str repo, struct str rev, bool all_snapshots,
                    struct reads *out, struct err *e)
{
	struct reads r = {.state = READS_OK};

	if (query_repo(c, repo, rev, &r, e) < 0)
		return -1;
	if (r.repo->n_parts)
		read_all(a, &r, catalog_set(r.repo), r.repo->kind == TABLE_DIM && !all_snapshots);
	else
		read_whole(r.repo, a, &r);
	if (r.problem)
		r.state = READS_MISSING;
	seal(&r);
	*out = r;
	return 0;
}

int reads_for_query_ds(struct catalog *c, struct arena *a, struct str repo, struct str rev, const struct ds *ds,
                       const struct tz *tz, struct reads *out, struct err *e)
{
	struct job as = {.name = STR("sql"), .every = ds->every, .tz = tz, .file = STR("sql")};
	struct job_input in = {.name = STR("it"), .repo = repo, .pin = rev};
	struct reads r = {.state = READS_OK};

	if (query_repo(c, repo, rev, &r, e) < 0)
		return -1;
	if (r.repo->every == EVERY_NONE) {
		read_whole(r.repo, a, &r);
	} else if (r.repo->kind != TABLE_DIM && !every_nests(r.repo->every, ds->every)) {
		err_set(e, ERR_BAD_REQUEST, "%s partitions of %.*s do not fit into %s", every_word(r.repo->every),
		      STR_ARG(repo),
		        ds->label);
		return err_hint(e, "leave --ds out and name the column ds in the query");
	} else if (read_parts(a, &as, &in, ds, catalog_set(r.repo), &r, e) < 0) {
		return -1;
	}
	if (r.problem || r.n_missing)
		r.state = READS_MISSING;
	seal(&r);
	*out = r;
	return 0;
}
