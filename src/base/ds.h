/*
 * base/ds.h: partition labels (`ds`) and the intervals they stand for (SEMANTICS 2).
 *
 * Daily 2017-11-27, hourly 2017-11-27T05 (with an offset where the zone is not UTC and the hour is doubled:
 * 2026-10-25T02+01, the second one only), weekly 2017-W48 (ISO 8601), monthly 2017-11. An interval is [start, end) in
 * UTC seconds.
 */
#ifndef LEAT_BASE_DS_H
#define LEAT_BASE_DS_H

#include "base/err.h"
#include "base/tz.h"

enum every { EVERY_NONE, EVERY_HOUR, EVERY_DAY, EVERY_WEEK, EVERY_MONTH };

struct ds {
	enum every every; /* NONE: "no ds", label "" */
	char label[24];
};

const char *every_word(enum every e); /* "daily" */
must_check bool every_parse(struct str word, enum every *out); /* none hourly daily weekly monthly */

/* What a label is, by its form, and whether it is a real date. ERR_BAD_DS with a remedy otherwise. */
/* "" is no ds (EVERY_NONE). */
must_check int ds_parse(struct str label, struct ds *out, struct err *e);
bool ds_eq(const struct ds *a, const struct ds *b);
/* Order in time of labels of one kind (byte order but for doubled hours); different kinds by `every`. */
int ds_cmp(const struct ds *a, const struct ds *b);

struct interval {
	int64_t start, end;
};
/* Empty (start == end) where the zone leaves the label out: 2026-03-29T02 in Paris, 2011-12-30 in Apia. */
struct interval ds_interval(const struct ds *d, const struct tz *z);
/* The partition of that kind which contains the instant. */
struct ds ds_at(enum every every, int64_t utc, const struct tz *z);
/* The last partition that ended at or before the instant. */
struct ds ds_last_ended(enum every every, int64_t utc, const struct tz *z);
/* n partitions later (earlier if negative). */
struct ds ds_add(const struct ds *d, int64_t n, const struct tz *z);

enum ds_nest { DS_SAME, DS_INSIDE, DS_CONTAINS, DS_APART, DS_CROSSES };
/* How `inner`'s interval lies to `outer`'s: the same, inside it, containing it, apart, or overlapping at an edge. */
enum ds_nest ds_nesting(const struct ds *inner, const struct ds *outer, const struct tz *z);
/* Whether every interval of one kind lies within one of the other (monthly and weekly do not). */
bool every_nests(enum every a, enum every b);

/* "ds=2017-11-27" → its label part; false if the name is no ds folder with a real label. */
must_check bool ds_of_folder(struct str name, struct ds *out);

/*
 * Words a user gives where a ds is asked: a label, `today`, `yesterday` (in zone z, relative to `now`; of an hourly job
 * all hours of that day, of a weekly or monthly one the partition that holds the day), `A..B` with
 * both ends included (either end may be a word). `newest` needs the store, so it is not known here: *newest is set
 * and the caller resolves it. A label of another kind than `every` is ERR_BAD_DS ("the job is daily, ... is weekly").
 */
struct ds_range {
	struct ds from, to; /* equal for one ds */
	bool newest; /* `to` is the newest one, and `from` too unless its label is set ("A..newest") */
};
must_check int ds_words(struct str word, enum every every, const struct tz *z, int64_t now, struct ds_range *out,
                        struct err *e);
#define DS_RANGE_MAX 1000000

#endif
