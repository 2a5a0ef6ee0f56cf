/*
 * bench-duck LIBDUCKDB SOURCE TARGET DAYS: the floor of the year: one process that asks DuckDB, day by day, to read a
 * CSV whose schema it is given (no sniffing), to write it as Parquet, and to write the day's aggregate of that.
 * bench-duck LIBDUCKDB SQL: one process that asks DuckDB this.
 * Prints one JSON line with the wall and CPU time (s) and the rows of the last aggregate.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/base.h"

/* As much of DuckDB's C API as this needs: its result is an opaque struct of 6 words. */
typedef struct {
	uint64_t words[6];
} duck_result;
static int (*duck_open)(const char *, void **);
static int (*duck_connect)(void *, void **);
static int (*duck_query)(void *, const char *, duck_result *);
static const char *(*duck_error)(duck_result *);
static void (*duck_destroy)(duck_result *);

static void load(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&duck_open = dlsym(lib, "duckdb_open");
	*(void **)&duck_connect = dlsym(lib, "duckdb_connect");
	*(void **)&duck_query = dlsym(lib, "duckdb_query");
	*(void **)&duck_error = dlsym(lib, "duckdb_result_error");
	*(void **)&duck_destroy = dlsym(lib, "duckdb_destroy_result");
}

static void query(void *con, const char *sql)
{
	duck_result r;

	if (duck_query(con, sql, &r) != 0) {
		fprintf(stderr, "%s\n%s\n", duck_error(&r), sql);
		exit(1);
	}
	duck_destroy(&r);
}

static void folder(char *out, size_t cap, const char *root, const char *table, const char *label)
{
	snprintf(out, cap, "%s/%s", root, table);
	mkdir(out, 0777);
	snprintf(out, cap, "%s/%s/ds=%s", root, table, label);
	if (mkdir(out, 0777) != 0 && errno != EEXIST) {
		perror(out);
		exit(1);
	}
}

static void year(void *con, const char *source, const char *target, int days)
{
	for (int d = 0; d < days; d++) {
		time_t t = 1672531200 + (time_t)d * 86400;
		struct tm tm;
		char label[16], sales[3000], daily[3000], sql[12000];

		gmtime_r(&t, &tm);
		strftime(label, sizeof(label), "%Y-%m-%d", &tm);
		folder(sales, sizeof(sales), target, "sales", label);
		folder(daily, sizeof(daily), target, "daily", label);
		snprintf(
			sql, sizeof(sql),
			"copy (select * from read_csv('%s/ds=%s/sales.csv', auto_detect=false, header=true, delim=',', "
			"quote='\"', hive_partitioning=false,"
			" columns={'id':'BIGINT','shop':'VARCHAR','product':'VARCHAR',"
			"'quantity':'BIGINT','price':'DOUBLE','note':'VARCHAR'})) to '%s/part-0.parquet' (format"
			" parquet)",
			source, label, sales);
		query(con, sql);
		snprintf(
			sql, sizeof(sql),
			"copy (select shop, count(*) as n, sum(quantity) as quantity, sum(quantity * price) as amount"
			" from "
			"read_parquet('%s/part-0.parquet', hive_partitioning=false)"
			" group by shop) to '%s/part-0.parquet' "
			"(format parquet)",
			sales, daily);
		query(con, sql);
	}
}

int main(int argc, char **argv)
{
	void *db, *con;
	struct timespec t0, t1;
	struct rusage u;
	int days = argc == 5 ? atoi(argv[4]) : 0;

	if (days <= 0 && argc != 3) {
		fprintf(stderr, "usage: bench-duck LIBDUCKDB SOURCE TARGET DAYS | LIBDUCKDB SQL\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &t0);
	load(argv[1]);
	if (duck_open(NULL, &db) != 0 || duck_connect(db, &con) != 0)
		return 1;
	if (argc == 3)
		query(con, argv[2]);
	else
		year(con, argv[2], argv[3], days);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	getrusage(RUSAGE_SELF, &u);
	printf("{\"wall\": %.6f, \"cpu\": %.6f}\n",
	       (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	fflush(stdout);
	_Exit(0); /* DuckDB's threads need no farewell */
}
