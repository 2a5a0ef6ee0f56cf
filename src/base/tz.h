/*
 * base/tz.h: time zones, by our own reader of TZif files (RFC 8536), so that the rule for gaps and folds is ours and no
 * global TZ is touched. Times are int64_t seconds since 1970-01-01T00:00:00Z. Civil dates are proleptic Gregorian.
 */
#ifndef LEAT_BASE_TZ_H
#define LEAT_BASE_TZ_H

#include "base/err.h"

struct civil {
	int year, month, day;        /* 1.. */
	int hour, minute, second;
};

struct tz; /* immutable, cached for the life of the process */

/* "UTC", "Europe/Paris". An unknown zone is ERR_BAD_CONFIG with the nearest name as hint. */
/* Zones are files under $TZDIR or /usr/share/zoneinfo; a name that could leave it (leading '/', "..") is refused. */
must_check int tz_load(const char *name, const struct tz **out, struct err *e);
const struct tz *tz_utc(void);
/* A zone of the bytes of a TZif file, for tests; the caller's to free. NULL if they are none. */
struct tz *tz_of_bytes(const char *name, struct str tzif);
void tz_free(struct tz *z);
const char *tz_name(const struct tz *z);
uint64_t tz_sum(const struct tz *z); /* of the bytes it was read from: another one where its rules are others */

int tz_offset(const struct tz *z, int64_t utc); /* seconds east of UTC in force at that instant */
void tz_to_civil(const struct tz *z, int64_t utc, struct civil *out);

enum tz_kind { TZ_ONE, TZ_GAP, TZ_FOLD };
/*
 * Local to UTC. ONE: *first = *second. FOLD: both instants, in order. GAP: the local time does not exist; both are the
 * instant of the transition.
 */
enum tz_kind tz_to_utc(const struct tz *z, const struct civil *c, int64_t *first, int64_t *second);

/* The next instant after (the last one at or before) `utc` at which the offset may change; false if there is none. */
bool tz_next(const struct tz *z, int64_t utc, int64_t *at);
bool tz_last(const struct tz *z, int64_t utc, int64_t *at);
/* Days that a zone left out (Pacific/Apia had no 2011-12-30), counted in (from, to]; days since 1970-01-01. */
int64_t tz_days_left_out(const struct tz *z, int64_t from, int64_t to);

int64_t days_from_civil(int year, int month, int day); /* days since 1970-01-01 */
int64_t floor_div(int64_t a, int64_t b);               /* rounds towards minus infinity; b > 0 */
int days_in_month(int year, int month);
void civil_from_days(int64_t days, int *year, int *month, int *day);
bool civil_is_date(int year, int month, int day);

#define TIME_TEXT 32
void time_rfc3339(int64_t utc_ms, char out[TIME_TEXT]);                  /* 2017-11-27T05:00:00.000Z */
must_check bool time_parse_rfc3339(struct str s, int64_t *utc_ms); /* also "2017-11-27 05:00", zone absent = UTC */

#endif
