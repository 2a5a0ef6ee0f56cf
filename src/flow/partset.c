#include "flow/partset.h"

#include <string.h>

#include "base/str.h"

struct ds ds_of_label(const char *label)
{
	struct ds d = {.every = EVERY_NONE};
	struct err e = ERR_INIT;

	if (*label && ds_parse(str_of(label), &d, &e) < 0)
		BUG("label %s", label);
	return d;
}

static void learn_kind(struct partset *s, const char *label)
{
	struct ds d = ds_of_label(label);

	if (s->every == EVERY_NONE)
		s->every = d.every;
	else if (d.every != s->every && !s->other)
		s->other = arena_dup(s->arena, label);
}

void partset_init(struct partset *s, struct arena *a, struct part *p, size_t n)
{
	*s = (struct partset){.arena = a, .p = p, .n = n, .cap = n};
	for (size_t i = 0; i < n; i++)
		learn_kind(s, p[i].label);
}

void partset_copy(struct partset *to, const struct partset *from)
{
	*to = *from;
	to->cap = from->n + 16;
	to->p = arena_array(from->arena, struct part, to->cap);
	if (from->n)
		memcpy(to->p, from->p, from->n * sizeof(*to->p));
	to->by = arena_array(from->arena, struct plan_unit *, to->cap);
	if (from->by)
		memcpy(to->by, from->by, from->n * sizeof(*to->by));
	to->lent = false;
	to->at = NULL;
	to->holes = NULL;
	to->tz = NULL;
}

static void measure(struct partset *s, size_t from)
{
	for (size_t i = from; i < s->n; i++) {
		struct ds d = ds_of_label(s->p[i].label);

		s->at[i] = ds_interval(&d, s->tz);
		s->holes[i] = i ? s->holes[i - 1] + (s->at[i].start != s->at[i - 1].end) : 0;
	}
}

void partset_zone(struct partset *s, const struct tz *z)
{
	if (s->at && s->tz == z)
		return;
	s->tz = z;
	s->at = arena_array(s->arena, struct interval, s->cap);
	s->holes = arena_array(s->arena, size_t, s->cap);
	measure(s, 0);
}

/* Slices of the old arrays may be in use, so this always makes new ones and leaves the old as they are. */
static void renew(struct partset *s, size_t cap)
{
	struct part *p = arena_array(s->arena, struct part, cap);

	if (s->n)
		memcpy(p, s->p, s->n * sizeof(*p));
	s->p = p;
	if (s->by) {
		struct plan_unit **by = arena_array(s->arena, struct plan_unit *, cap);

		memcpy(by, s->by, s->n * sizeof(struct plan_unit *));
		s->by = by;
	}
	if (s->at) {
		struct interval *at = arena_array(s->arena, struct interval, cap);
		size_t *holes = arena_array(s->arena, size_t, cap);

		memcpy(at, s->at, s->n * sizeof(*at));
		memcpy(holes, s->holes, s->n * sizeof(*holes));
		s->at = at;
		s->holes = holes;
	}
	s->cap = cap;
	s->lent = false;
}

static size_t lower(const struct partset *s, const char *label)
{
	struct ds want = ds_of_label(label);
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct ds d = {.every = want.every};

		memcpy(d.label, s->p[mid].label, sizeof(d.label));
		if (s->other)
			d = ds_of_label(d.label);
		if (ds_cmp(&d, &want) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

ptrdiff_t partset_find(const struct partset *s, const char *label)
{
	size_t i = lower(s, label);

	return i < s->n && !strcmp(s->p[i].label, label) ? (ptrdiff_t)i : -1;
}

static void set_by(struct partset *s, size_t i, struct plan_unit *by)
{
	if (!s->by) {
		if (!by)
			return;
		s->by = arena_array(s->arena, struct plan_unit *, s->cap);
	}
	s->n_by += !!by;
	s->n_by -= !!s->by[i];
	s->by[i] = by;
}

size_t partset_put(struct partset *s, const char *label, const struct entry *tree, struct plan_unit *by)
{
	size_t i = lower(s, label);

	if (i == s->n || strcmp(s->p[i].label, label) != 0) {
		learn_kind(s, label);
		if (s->n == s->cap)
			renew(s, s->cap * 2 + 16);
		else if (i < s->n && s->lent)
			renew(s, s->cap);
		memmove(s->p + i + 1, s->p + i, (s->n - i) * sizeof(*s->p));
		if (s->by) {
			memmove(s->by + i + 1, s->by + i, (s->n - i) * sizeof(struct plan_unit *));
			s->by[i] = NULL;
		}
		memset(&s->p[i], 0, sizeof(s->p[i]));
		memcpy(s->p[i].label, label, strlen(label) + 1);
		s->n++;
		if (s->at)
			measure(s, i);
	}
	s->p[i].entry = *tree;
	set_by(s, i, by);
	return i;
}

void partset_del(struct partset *s, const char *label)
{
	ptrdiff_t i = partset_find(s, label);

	if (i < 0)
		return;
	set_by(s, (size_t)i, NULL);
	if (s->lent)
		renew(s, s->cap);
	memmove(s->p + i, s->p + i + 1, (s->n - (size_t)i - 1) * sizeof(*s->p));
	if (s->by)
		memmove(s->by + i, s->by + i + 1, (s->n - (size_t)i - 1) * sizeof(struct plan_unit *));
	s->n--;
	if (s->at)
		measure(s, 0);
}

size_t partset_inside(const struct partset *s, int64_t from, int64_t to, size_t *first)
{
	size_t lo = 0, hi = s->n, end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->at[mid].start < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	*first = lo;
	for (end = s->n, hi = lo; hi < end;) {
		size_t mid = hi + (end - hi) / 2;

		if (s->at[mid].end <= to)
			hi = mid + 1;
		else
			end = mid;
	}
	return hi - lo;
}

ptrdiff_t partset_newest(const struct partset *s, int64_t at)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->at[mid].start <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ptrdiff_t)lo - 1;
}

bool partset_gapless(const struct partset *s, size_t first, size_t n)
{
	return n < 2 || s->holes[first + n - 1] == s->holes[first];
}
