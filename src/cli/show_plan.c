/* A plan for people: what of a job runs for one reason on a line, and few lines however many units there are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ds.h"
#include "base/map.h"
#include "base/str.h"
#include "base/tz.h"
#include "cli/cli.h"
#include "cli/show.h"

#define LINES_MAX 36   /* with the notes and the last line a plan stays below 40 */
#define DETAILS_MAX 3  /* of one job and reason, each on a line; more are one */
#define RANGES_MAX 3   /* of partitions on a line; the rest is counted */
#define JOBS_NAMED 2   /* of many jobs on a line */

struct line {
	struct str job, text, detail;
	bool known;
	size_t jobs, details;          /* that it stands for */
	struct str more;               /* names of the further jobs that are told */
	VEC(struct str) ds;
	double seconds;
	int64_t bytes;
	struct line *into;
};

struct plan_view {
	VEC(struct line *) lines;
	struct map by_key;
	double seconds;
	int64_t bytes;
	bool guessed, all_guessed;
};

static const char *span(struct arena *a, double seconds)
{
	if (seconds < 10)
		return arena_printf(a, "%.2f s", seconds);
	if (seconds < 120)
		return arena_printf(a, "%.0f s", seconds);
	if (seconds < 7200)
		return arena_printf(a, "%.0f min", seconds / 60);
	return arena_printf(a, "%.1f h", seconds / 3600);
}

static const char *guess(struct arena *a, double seconds, int64_t bytes)
{
	return arena_printf(a, "%s, %s", span(a, seconds), show_bytes(a, bytes));
}

/* --- lines --- */

/* What is said of one unit, without what only it has: its own ds. */
static struct str in_general(struct arena *a, struct str detail, struct str ds)
{
	struct str own = arena_strf(a, " ds=%.*s", STR_ARG(ds));
	const char *at = ds.n && detail.n ? memmem(detail.p, detail.n, own.p, own.n) : NULL;
	size_t before = at ? (size_t)(at - detail.p) : 0;

	if (!at)
		return detail;
	return arena_strf(a, "%.*s%.*s", (int)before, detail.p, (int)(detail.n - before - own.n), at + own.n);
}

static struct line *line_at(struct plan_view *v, struct arena *a, struct str key)
{
	struct line *l = map_get(&v->by_key, key);

	if (l)
		return l;
	l = arena_new_of(a, struct line);
	map_set(&v->by_key, key, l);
	vec_push(a, &v->lines, l);
	return l;
}

static void add(struct show_state *s, struct plan_view *v, const struct dom *row)
{
	struct arena *a = s->arena;
	struct str job = show_text(row, "job"), text = show_text(row, "text"), ds = show_text(row, "ds");
	struct str detail = show_text(row, "detail"), general = in_general(a, detail, ds);
	bool known = dom_get(row, "known") && dom_get(row, "known")->b;
	bool runs = dom_get(row, "runs") && dom_get(row, "runs")->b;
	const struct dom *seconds = dom_get(row, "seconds");
	struct line *l = line_at(v, a, arena_strf(a, "%.*s\n%.*s\n%d\n%.*s", STR_ARG(job), STR_ARG(text), known,
	                                          STR_ARG(general)));

	s->a += runs && !known;
	s->c += runs && known;
	if (!l->jobs) {
		*l = (struct line){.job = arena_str(a, job), .text = arena_str(a, text), .known = known, .jobs = 1,
		                   .detail = arena_str(a, detail), .details = 1};
	} else if (!str_eq(l->detail, general)) {
		l->detail = arena_str(a, general);
	}
	vec_push(a, &l->ds, arena_str(a, ds));
	if (!runs || known)
		return;
	v->all_guessed &= seconds && seconds->type == DOM_REAL;
	if (!seconds || seconds->type != DOM_REAL)
		return;
	v->guessed = true;
	l->seconds += seconds->d;
	l->bytes += show_int(row, "bytes");
	v->seconds += seconds->d;
	v->bytes += show_int(row, "bytes");
}

/* --- fewer of them --- */


static void merge(struct arena *a, struct line *to, struct line *from)
{
	for (size_t i = 0; i < from->ds.n; i++)
		vec_push(a, &to->ds, from->ds.p[i]);
	to->seconds += from->seconds;
	to->bytes += from->bytes;
	if (!str_eq(to->job, from->job)) {
		if (to->jobs < JOBS_NAMED)
			to->more = arena_strf(a, "%.*s, %.*s", STR_ARG(to->more), STR_ARG(from->job));
		to->jobs += from->jobs;
	}
	if (!str_eq(to->detail, from->detail))
		to->details += from->details;
	from->into = to;
}

enum same { SAME_JOB, SAME_DETAIL, SAME_REASON };

static struct str key_of(struct arena *a, const struct line *l, enum same how)
{
	struct str rest = how == SAME_JOB ? l->job : how == SAME_DETAIL ? l->detail : STR("");

	return arena_strf(a, "%.*s\n%d\n%.*s", STR_ARG(l->text), l->known, STR_ARG(rest));
}

/* Lines with one key become one where there are more than `most` of them; `text`: only of this reason. */
static void fold(struct show_state *s, struct plan_view *v, enum same how, size_t most, const struct line *only)
{
	struct map first, count;
	size_t kept = 0;

	map_init(&first, s->arena);
	map_init(&count, s->arena);
	for (size_t i = 0; i < v->lines.n; i++) {
		struct str key = key_of(s->arena, v->lines.p[i], how);

		map_set(&count, key, (void *)((uintptr_t)map_get(&count, key) + 1));
	}
	for (size_t i = 0; i < v->lines.n; i++) {
		struct line *l = v->lines.p[i], *to;
		struct str key = key_of(s->arena, l, how);

		if ((uintptr_t)map_get(&count, key) <= most ||
		    (only && (!str_eq(only->text, l->text) || only->known != l->known)))
			continue;
		to = map_get(&first, key);
		if (!to)
			map_set(&first, key, l);
		else
			merge(s->arena, to, l);
	}
	for (size_t i = 0; i < v->lines.n; i++)
		if (!v->lines.p[i]->into)
			v->lines.p[kept++] = v->lines.p[i];
	v->lines.n = kept;
}

/* A line of the reason that has the most lines, if any has more than one. */
static const struct line *widest(struct show_state *s, const struct plan_view *v)
{
	const struct line *best = NULL;
	uintptr_t most = 1;
	struct map count;

	map_init(&count, s->arena);
	for (size_t i = 0; i < v->lines.n; i++) {
		struct str key = key_of(s->arena, v->lines.p[i], SAME_REASON);
		uintptr_t n = (uintptr_t)map_get(&count, key) + 1;

		map_set(&count, key, (void *)n);
		if (n > most) {
			most = n;
			best = v->lines.p[i];
		}
	}
	return best;
}

static void shorten(struct show_state *s, struct plan_view *v)
{
	const struct line *l;

	fold(s, v, SAME_JOB, DETAILS_MAX, NULL);
	if (v->lines.n > LINES_MAX)
		fold(s, v, SAME_JOB, 1, NULL);
	while (v->lines.n > LINES_MAX && (l = widest(s, v))) {
		size_t n = v->lines.n;

		fold(s, v, SAME_DETAIL, 1, l);
		if (v->lines.n > LINES_MAX || v->lines.n == n)
			fold(s, v, SAME_REASON, 1, l);
	}
}

/* --- printing --- */

static int in_time(const void *x, const void *y)
{
	const struct str *a = x, *b = y;

	return str_cmp(*a, *b);
}

static bool follows(struct str ds, struct str next)
{
	struct err ignored = ERR_INIT;
	struct ds d;

	if (ds_parse(ds, &d, &ignored))
		return false;
	d = ds_add(&d, 1, tz_utc());
	return str_is(next, d.label);
}

/* "2024-01-01..2024-01-09, 2024-01-12 (10)" */
static struct str partitions(struct arena *a, struct line *l)
{
	struct str out = STR("");
	size_t n = 0, ranges = 0, left = 0;

	if (l->ds.n > 1) /* of a job without partitions there is none, nor an array */
		qsort(l->ds.p, l->ds.n, sizeof(*l->ds.p), in_time);
	for (size_t i = 0; i < l->ds.n; i++) /* of many jobs */
		if (!n || !str_eq(l->ds.p[n - 1], l->ds.p[i]))
			l->ds.p[n++] = l->ds.p[i];
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && follows(l->ds.p[end - 1], l->ds.p[end]); end++)
			;
		if (!l->ds.p[i].n)
			continue;
		if (ranges++ >= RANGES_MAX) {
			left += end - i;
			continue;
		}
		out = arena_strf(a, "%.*s%s%.*s%s%.*s", STR_ARG(out), out.n ? ", " : "", STR_ARG(l->ds.p[i]),
		                 end > i + 1 ? ".." : "", STR_ARG(end > i + 1 ? l->ds.p[end - 1] : STR("")));
	}
	if (left)
		out = arena_strf(a, "%.*s, %zu more", STR_ARG(out), left);
	return out;
}

static void print_line(struct show_state *s, struct line *l)
{
	struct arena *a = s->arena;
	size_t n = l->ds.n;
	struct str ds = partitions(a, l), who = l->job, detail = l->detail, text;

	if (l->jobs > 1)
		who = arena_strf(a, "%zu jobs (%.*s%.*s%s)", l->jobs, STR_ARG(l->job), STR_ARG(l->more),
		                 l->jobs > JOBS_NAMED ? ", ..." : "");
	if (n > 1)
		ds = ds.n ? arena_strf(a, "%.*s (%zu)", STR_ARG(ds), n) : arena_strf(a, "(%zu)", n);
	if (l->details > 1 && detail.n)
		detail = arena_strf(a, "%.*s, and %zu others", STR_ARG(detail), l->details - 1);
	text = arena_strf(a, "%-20.*s  %.*s%s%s%.*s%s%.*s", STR_ARG(who), STR_ARG(l->text),
	                  l->known ? " (known: will be published without a run)" : "", ds.n ? "  " : "", STR_ARG(ds),
	                  detail.n ? ": " : "", STR_ARG(detail));
	if (l->seconds >= 1)
		text = arena_strf(a, "%.*s  (about %s)", STR_ARG(text), guess(a, l->seconds, l->bytes));
	fprintf(s->out, "%.*s\n", STR_ARG(text));
}

static void finish(struct show_state *s, struct plan_view *v)
{
	if (v && !(op_option(s->args->op, STR("verbose")) && args_flag(s->args, "verbose"))) {
		shorten(s, v);
		for (size_t i = 0; i < v->lines.n; i++)
			print_line(s, v->lines.p[i]);
	}
	if (s->failed)
		return;
	if (!s->a && !s->c) {
		fputs("nothing to run\n", s->out);
		return;
	}
	fprintf(s->out, "%" PRId64 " to run, %" PRId64 " known", s->a, s->c);
	if (v && v->guessed && s->a)
		fprintf(s->out, "; %s %s", v->all_guessed ? "about" : "more than",
		        guess(s->arena, v->seconds, v->bytes));
	fputc('\n', s->out);
}

/* Unit by unit. */
static void print_unit(struct show_state *s, struct plan_view *v)
{
	struct line *l = v->lines.p[v->lines.n - 1];

	print_line(s, l);
	v->lines.n = 0;
	map_init(&v->by_key, s->arena);
}

void show_plan(struct show_state *s, const struct dom *row)
{
	struct plan_view *v = s->plan;

	if (!row) {
		finish(s, v);
		return;
	}
	if (!v) {
		s->plan = v = arena_new_of(s->arena, struct plan_view);
		v->all_guessed = true;
		map_init(&v->by_key, s->arena);
	}
	add(s, v, row);
	if (op_option(s->args->op, STR("verbose")) && args_flag(s->args, "verbose"))
		print_unit(s, v);
}
