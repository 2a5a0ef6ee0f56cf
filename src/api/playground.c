#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/embedded.h"
#include "api/query.h"
#include "api/rows.h"
#include "base/ds.h"
#include "base/str.h"
#include "sys/file.h"
#include "sys/proc.h"

#define WORKSPACE "workspaces/playground/"
#define DAYS_DEFAULT 30
#define DAYS_MAX 3660
#define FIRST_DAY "2024-01-01"
#define HEADER "date,precipitation,temp_max,temp_min,wind,weather"

struct day {
	struct ds ds;
	struct str line; /* the CSV line of it */
};

struct days {
	VEC(struct day) v;
	const char *source; /* told to the user */
};

/* Weather that is always the same, so that what the playground prints can be tested: a small generator of its own. */
static double noise(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(*state >> 33) / (double)(1u << 31);
}

static int generate(struct arena *a, int64_t n, struct days *out, struct err *e)
{
	uint64_t state = 20240101;
	struct ds d;

	if (ds_parse(STR(FIRST_DAY), &d, e))
		return -1;
	for (int64_t i = 0; i < n; i++) {
		double season = -cos(2 * M_PI * (double)i / 365.25);
		double wet = 18 * noise(&state) - 9 - 3 * season; /* apart, for MAX evaluates what it is given twice */
		double rain = MAX(0.0, wet), high = 11 + 9 * season + 8 * noise(&state) - 4;
		double low = high - 3 - 6 * noise(&state), wind = 1 + 6 * noise(&state);
		const char *kind = rain > 0               ? (low < 0 ? "snow" : "rain")
		                   : wind < 1.8           ? "fog"
		                   : noise(&state) < 0.15 ? "drizzle"
		                                          : "sun";
		struct day day = {d, arena_strf(a, "%s,%.1f,%.1f,%.1f,%.1f,%s", d.label, rain, high, low, wind, kind)};

		vec_push(a, &out->v, day);
		d = ds_add(&d, 1, tz_utc());
	}
	out->source = "generated";
	return 0;
}

/* The first n days of a CSV with these columns, one line a day. */
static int read_days(struct arena *a, const char *path, int64_t n, struct days *out, struct err *e)
{
	struct str text, line;
	int number = 1;

	if (file_read(a, path, FILE_MAX_TEXT, &text, e))
		return -1;
	if (!str_next_line(&text, &line) || !str_is(str_trim(line), HEADER)) {
		err_set(e, ERR_BAD_REQUEST, "this file does not begin with the line " HEADER);
		return err_at(e, path, 1, 1);
	}
	while ((int64_t)out->v.n < n && str_next_line(&text, &line)) {
		struct day day = {.line = line};
		struct str label, rest;
		char *date;

		number++;
		if (!str_cut(line, ',', &label, &rest))
			return err_set(e, ERR_BAD_DATA, "a line without columns"), err_at(e, path, number, 1);
		date = arena_cstr(a, label);
		for (char *p = date; *p; p++)
			*p = *p == '/' ? '-' : *p;
		if (ds_parse(str_of(date), &day.ds, e))
			return err_at(e, path, number, 1);
		day.line = arena_strf(a, "%s,%.*s", date, STR_ARG(rest));
		vec_push(a, &out->v, day);
	}
	out->source = "real";
	return 0;
}

static int write_jobs(struct arena *a, const char *dir, struct err *e)
{
	for (size_t i = 0; i < n_embedded_files; i++) {
		struct str path = str_of(embedded_files[i].path);
		char *to;

		if (!str_has_prefix(path, STR(WORKSPACE)))
			continue;
		to = arena_printf(a, "%s/%s", dir, path.p + strlen(WORKSPACE));
		if (dir_make_parent(to, 0777, e) ||
		    file_write(to, (struct str){embedded_files[i].data, embedded_files[i].n}, 0666, FILE_EXCL, e))
			return -1;
	}
	return 0;
}

/* Another operation, as the user would type it. What it says for people is not said again here. */
static int drop_row(void *ptr, const struct dom *row, struct err *e)
{
	return 0;
}

static int do_op(struct api *api, struct sink *out, const char *const *words, struct err *e)
{
	struct sink quiet = *out;
	struct args args = {0};
	const char *fixed;
	const struct op *op = op_find(str_of(words[0]), &fixed, e);
	int n = 0;

	BUG_IF(!op);
	while (words[n + 1])
		n++;
	if (args_parse(op, api->arena, n, words + 1, &args, e) || api_open(api, op->flags, e))
		return -1;
	args.command = arena_printf(api->arena, "leat playground: %s", words[0]);
	quiet.row = drop_row;
	return op->fn(api, &args, &quiet, e);
}

static int put_days(struct api *api, struct sink *out, const struct days *days, struct err *e)
{
	struct arena *a = api->arena;
	char *file = arena_printf(a, "%s/staging/weather.csv", api->store->leat_dir);
	int rc = dir_make_parent(file, 0777, e);

	for (size_t i = 0; !rc && i < days->v.n; i++) {
		const struct day *d = &days->v.p[i];

		out->progress(out->ptr, "loading days", (double)i / (double)days->v.n);
		rc = file_write(file, arena_strf(a, HEADER "\n%.*s\n", STR_ARG(d->line)), 0666, 0, e);
		if (!rc)
			rc = do_op(
				api, out,
				(const char *[]){"put", "raw/weather", file, "--ds", arena_dup(a, d->ds.label), NULL},
				e);
	}
	out->progress(out->ptr, NULL, 0);
	unlink(file);
	return rc;
}

static int say(struct api *api, struct sink *out, struct str text, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);

	dom_set_str(api->arena, row, "text", text);
	return sink_row(out, row, e);
}

/* How this program is called from the new workspace: by name where PATH finds this very file, else by its path. */
static const char *own_name(struct arena *a, const char *dir)
{
	const char *self = proc_self_exe(), *found = proc_which(a, "leat", getenv("PATH"));
	struct stat here, there;

	if (found && stat(self, &here) == 0 && stat(found, &there) == 0 && here.st_ino == there.st_ino &&
	    here.st_dev == there.st_dev)
		return "leat";
	return path_relative(a, dir, self);
}

static int show_result(struct api *api, struct sink *out, const char *dir, const struct days *days, struct err *e)
{
	struct arena *a = api->arena;
	const struct day *last = &days->v.p[days->v.n - 1];
	const char *leat = own_name(a, api->ws->dir);
	struct dom *table, *bars;

	if (query_rows(api, STR("select * from marts.kinds"), &table, e) ||
	    query_rows(api, STR("select weather, days from marts.kinds"), &bars, e))
		return -1;
	dom_set_str(a, bars, "shape", STR("bars"));
	if (say(api, out, arena_strf(a, "\nmarts.kinds: %zu days of %s weather", days->v.n, days->source), e) ||
	    sink_row(out, table, e) || say(api, out, STR("\ndays of each kind"), e) || sink_row(out, bars, e))
		return -1;
	return say(api, out, arena_strf(a, "\nThe Parquet lies in %s/datastore, for any program to read:\n"
	                                   "  %s/datastore/tables/weather/ds=%s/part-0.parquet\n"
	                                   "\nWhat to type next:\n"
	                                   "  cd %s\n"
	                                   "  %s sql 'from marts.week'\n"
	                                   "  %s why weather %s\n"
	                                   "  %s test          # the tests of the three jobs, in tests/\n"
	                                   "  %s plan          # nothing to run; change jobs/kinds.sql and look again",
	                                dir, dir, last->ds.label, dir, leat, leat, last->ds.label, leat, leat), e);
}

int api_playground(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct str given = args_pos(args, 0), weather = args_value(args, "weather");
	const char *shown = given.p ? arena_cstr(a, given) : "leat-playground";
	struct days days = {0};
	int64_t n;
	char *dir;
	bool empty = true;

	if (args_int(args, "days", 1, DAYS_MAX, DAYS_DEFAULT, &n, e) || path_absolute(a, shown, &dir, e))
		return -1;
	if (file_exists(dir) && (dir_is_empty(dir, &empty, e) || !empty)) {
		if (e->code)
			return -1;
		err_set(e, ERR_REFUSED, "%s is there already and not empty", shown);
		return err_hint(e, "name another folder: leat playground DIR");
	}
	if (weather.p ? read_days(a, arena_cstr(a, weather), n, &days, e) : generate(a, n, &days, e))
		return -1;
	if (!days.v.n)
		return err_set(e, ERR_BAD_DATA, "%.*s holds no day", STR_ARG(weather));
	if (api_make_workspace(api, dir, STR("playground"), e) || write_jobs(a, dir, e) || put_days(api, out, &days, e))
		return -1;
	sink_note(out, "%zu days of %s weather are in raw/weather; three jobs run over them", days.v.n, days.source);
	if (do_op(api, out, (const char *[]){"run", NULL}, e))
		return -1;
	return api->exit_status ? 0 : show_result(api, out, shown, &days, e);
}
