#include "base/tz.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/tz_rule.h"
#include "base/xx64.h"

#define DAY 86400
#define TZ_MAX_FILE ((size_t)1 << 20)
#define TZ_MAX_NAME 64
#define TZ_MAX_NAMES 4000 /* looked at for a suggestion */
#define TZ_MAX_OFFSET (26 * 3600) /* RFC 8536 3.2 */
#define TZ_MAX_TIME (INT64_C(1) << 55) /* about a billion years: the year stays an int */
#define TZ_MAX_LEFT_OUT 4

struct tz {
	struct tz *next;
	char name[TZ_MAX_NAME + 1];
	size_t n;
	int64_t *at;  /* transitions in order */
	int *offset;  /* from each on */
	int first;    /* before the first */
	bool ruled;
	struct tz_rule rule; /* after the last, if .ruled */
	int64_t left_out[TZ_MAX_LEFT_OUT];
	int n_left_out;
	uint64_t sum;
};

static const struct tz utc_zone = {.name = "UTC"};

/* Zones live as long as the process: there are few, and everybody holds pointers to them. */
static struct tz *loaded;
static pthread_mutex_t loaded_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- reading TZif, RFC 8536 ---- */

struct header {
	int version;
	uint32_t n_ut, n_std, n_leap, n_time, n_type, n_char;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

#define HEADER 44

static bool read_header(struct str s, struct header *h)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < HEADER || memcmp(p, "TZif", 4))
		return false;
	*h = (struct header){p[4], be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
	/* No leap seconds ("right/..."): our seconds have none. */
	return h->n_time <= TZ_MAX_FILE && h->n_type <= 256 && h->n_type && h->n_char <= TZ_MAX_FILE && !h->n_leap &&
	       h->n_ut <= 256 && h->n_std <= 256;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->n_time * (time_size + 1) + h->n_type * 6 + h->n_char + h->n_std + h->n_ut;
}

static bool read_body(struct tz *z, const uint8_t *p, const struct header *h, size_t time_size)
{
	const uint8_t *times = p, *index = p + h->n_time * time_size, *types = index + h->n_time;
	int offsets[256];

	for (uint32_t i = 0; i < h->n_type; i++) {
		offsets[i] = (int32_t)be32(types + 6 * i);
		if (offsets[i] < -TZ_MAX_OFFSET || offsets[i] > TZ_MAX_OFFSET)
			return false;
	}
	z->first = offsets[0];
	z->n = h->n_time;
	z->at = xcalloc(z->n, sizeof(*z->at));
	z->offset = xcalloc(z->n, sizeof(*z->offset));
	for (size_t i = 0; i < z->n; i++) {
		z->at[i] = time_size == 8 ? be64(times + 8 * i) : (int32_t)be32(times + 4 * i);
		if (index[i] >= h->n_type || (i && z->at[i] <= z->at[i - 1]))
			return false;
		z->at[i] = MAX(-TZ_MAX_TIME, MIN(z->at[i], TZ_MAX_TIME));
		z->offset[i] = offsets[index[i]];
	}
	return true;
}

static bool parse(struct tz *z, struct str s)
{
	struct header h;
	struct str footer;
	size_t time_size = 4;

	if (!read_header(s, &h))
		return false;
	if (h.version) { /* the block of 32-bit times is there for old readers only */
		s = str_sub(s, HEADER + body_size(&h, 4), s.n);
		if (!read_header(s, &h))
			return false;
		time_size = 8;
	}
	s = str_sub(s, HEADER, s.n);
	if (s.n < body_size(&h, time_size) || !read_body(z, (const uint8_t *)s.p, &h, time_size))
		return false;
	if (time_size == 4)
		return true;
	s = str_sub(s, body_size(&h, time_size), s.n);
	if (!s.n || s.p[0] != '\n' || !str_cut(str_sub(s, 1, s.n), '\n', &footer, &s))
		return false;
	z->ruled = footer.n > 0;
	return !z->ruled || tz_rule_parse(footer, &z->rule);
}

static void note_left_out(struct tz *z)
{
	int before = z->first;

	for (size_t i = 0; i < z->n; before = z->offset[i++]) {
		int64_t day = floor_div(z->at[i] + before + DAY - 1, DAY);

		for (; (day + 1) * DAY <= z->at[i] + z->offset[i]; day++)
			if (z->n_left_out < TZ_MAX_LEFT_OUT)
				z->left_out[z->n_left_out++] = day;
	}
}

/* ---- finding zones ---- */

static const char *zone_dir(void)
{
	const char *dir = getenv("TZDIR");

	return dir && dir[0] ? dir : "/usr/share/zoneinfo";
}

static bool name_holds(struct str name)
{
	if (!name.n || name.n > TZ_MAX_NAME || name.p[0] == '/' || name.p[0] == '-' || name.p[name.n - 1] == '/')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		        (c && strchr("/_+-", c))))
			return false; /* no dot, so no ".." */
	}
	return true;
}

struct names {
	struct arena *a;
	VEC(struct str) v;
};

static void list_names(struct names *to, const char *under, int depth)
{
	char *path = arena_printf(to->a, "%s/%s", zone_dir(), under);
	DIR *d = opendir(path);
	struct dirent *ent;

	if (!d)
		return;
	while ((ent = readdir(d)) && to->v.n < TZ_MAX_NAMES) {
		struct str name = arena_strf(to->a, "%s%s%s", under, *under ? "/" : "", ent->d_name);

		if (!name_holds(name) || ent->d_name[0] < 'A' || ent->d_name[0] > 'Z') /* posix/, right/, zone.tab */
			continue;
		if (ent->d_type == DT_DIR && depth < 3)
			list_names(to, name.p, depth + 1);
		else
			vec_push(to->a, &to->v, name);
	}
	closedir(d);
}

static int unknown(struct str name, struct err *e)
{
	struct names all = {.a = arena_new()};
	struct str city, before, lower = arena_str(all.a, name);
	int found;

	err_set(e, ERR_BAD_CONFIG, "there is no time zone \"%s\"", STR_SHOWN(name));
	err_hint(e, "zones are written Europe/Paris, America/New_York, UTC");
	list_names(&all, "", 0);
	if (!all.v.n)
		err_hint(e, "there are no zone files in %s: install the package tzdata", zone_dir());
	found = all.v.n ? str_nearest(lower, all.v.p, all.v.n) : -1;
	for (size_t i = 0; i < all.v.n; i++) { /* PARIS, paris, europe/paris */
		if (!str_rcut(all.v.p[i], '/', &before, &city))
			city = all.v.p[i];
		if (!strcasecmp(city.p, lower.p) || !strcasecmp(all.v.p[i].p, lower.p)) {
			found = (int)i;
			break;
		}
	}
	if (found >= 0)
		err_hint(e, "did you mean %s?", all.v.p[found].p);
	arena_free(all.a);
	return -1;
}

static bool slurp(const char *name, struct buf *to)
{
	char path[4096], chunk[8192];
	ssize_t got;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", zone_dir(), name) >= sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && !buf_over(to))
		buf_add(to, chunk, (size_t)got);
	close(fd);
	return got == 0 && !buf_over(to);
}

void tz_free(struct tz *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}

struct tz *tz_of_bytes(const char *name, struct str tzif)
{
	struct tz *z = xcalloc(1, sizeof(*z));

	snprintf(z->name, sizeof(z->name), "%s", name);
	if (!parse(z, tzif)) {
		tz_free(z);
		return NULL;
	}
	note_left_out(z);
	z->sum = xx64(tzif.p, tzif.n, 0);
	return z;
}

static struct tz *read_zone(const char *name)
{
	struct buf b = BUF_INIT(TZ_MAX_FILE);
	struct tz *z = slurp(name, &b) ? tz_of_bytes(name, buf_str(&b)) : NULL;

	buf_free(&b);
	return z;
}

int tz_load(const char *name, const struct tz **out, struct err *e)
{
	struct tz *z;

	if (!strcmp(name, "UTC") || !strcmp(name, "Etc/UTC")) {
		*out = &utc_zone;
		return 0;
	}
	if (!name_holds(str_of(name)))
		return unknown(str_of(name), e);
	pthread_mutex_lock(&loaded_lock);
	for (z = loaded; z && strcmp(z->name, name); z = z->next)
		;
	if (!z) {
		z = read_zone(name);
		if (z) {
			z->next = loaded;
			loaded = z;
		}
	}
	pthread_mutex_unlock(&loaded_lock);
	if (!z)
		return unknown(str_of(name), e);
	*out = z;
	return 0;
}

const struct tz *tz_utc(void)
{
	return &utc_zone;
}

uint64_t tz_sum(const struct tz *z)
{
	return z->sum;
}

const char *tz_name(const struct tz *z)
{
	return z->name;
}

/* ---- asking ---- */

static int64_t clamp(int64_t utc)
{
	return MAX(-TZ_MAX_TIME, MIN(utc, TZ_MAX_TIME));
}

/* How many transitions of the file lie at or before the instant. */
static size_t passed(const struct tz *z, int64_t utc)
{
	size_t lo = 0, hi = z->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (z->at[mid] <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int tz_offset(const struct tz *z, int64_t utc)
{
	struct tz_change c[TZ_RULE_CHANGES];
	size_t i;
	int n;

	utc = clamp(utc);
	i = passed(z, utc);
	if (i < z->n || !z->ruled)
		return i ? z->offset[i - 1] : z->first;
	n = tz_rule_changes(&z->rule, utc, c);
	while (n && c[n - 1].at > utc)
		n--;
	return n ? c[n - 1].offset : z->rule.standard;
}

bool tz_next(const struct tz *z, int64_t utc, int64_t *at)
{
	struct tz_change c[TZ_RULE_CHANGES];
	size_t i;
	int n;

	utc = clamp(utc);
	i = passed(z, utc);
	if (i < z->n) {
		*at = z->at[i];
		return true;
	}
	n = z->ruled ? tz_rule_changes(&z->rule, utc, c) : 0;
	for (int k = 0; k < n; k++)
		if (c[k].at > utc) {
			*at = c[k].at;
			return true;
		}
	return false;
}

bool tz_last(const struct tz *z, int64_t utc, int64_t *at)
{
	struct tz_change c[TZ_RULE_CHANGES];
	size_t i;
	int n;

	utc = clamp(utc);
	i = passed(z, utc);
	n = i == z->n && z->ruled ? tz_rule_changes(&z->rule, utc, c) : 0;
	while (n && c[n - 1].at > utc)
		n--;
	if (n && (!z->n || c[n - 1].at > z->at[z->n - 1])) {
		*at = c[n - 1].at;
		return true;
	}
	if (i)
		*at = z->at[i - 1];
	return i > 0;
}

void tz_to_civil(const struct tz *z, int64_t utc, struct civil *out)
{
	int64_t local = clamp(utc) + tz_offset(z, utc), days = floor_div(local, DAY);
	int of_day = (int)(local - days * DAY);

	civil_from_days(days, &out->year, &out->month, &out->day);
	out->hour = of_day / 3600;
	out->minute = of_day / 60 % 60;
	out->second = of_day % 60;
}

enum tz_kind tz_to_utc(const struct tz *z, const struct civil *c, int64_t *first, int64_t *second)
{
	int64_t local = days_from_civil(c->year, c->month, c->day) * DAY + c->hour * 3600 + c->minute * 60 + c->second;
	int64_t from = local - TZ_MAX_OFFSET, to = local + TZ_MAX_OFFSET, gap = from, end;
	int found = 0;

	/* Every stretch of one offset near that time: does it hold an instant whose local time this is? */
	for (int before = 0; from < to; from = end) {
		int offset = tz_offset(z, from);
		int64_t at = local - offset;

		if (found == 0 && from > gap && from + before <= local && local < from + offset)
			gap = from;
		if (!tz_next(z, from, &end) || end > to)
			end = to;
		if (at >= from && at < end) {
			if (!found++)
				*first = at;
			*second = at;
		}
		before = offset;
	}
	if (found)
		return found == 1 ? TZ_ONE : TZ_FOLD;
	*first = *second = gap;
	return TZ_GAP;
}

int64_t tz_days_left_out(const struct tz *z, int64_t from, int64_t to)
{
	int64_t n = 0;

	for (int i = 0; i < z->n_left_out; i++)
		n += z->left_out[i] > from && z->left_out[i] <= to;
	return n;
}
