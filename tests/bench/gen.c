/*
 * bench-gen DIR DAYS ROWS: the data of the benchmarks, the same on every machine: DIR/ds=2023-01-01/sales.csv and so
 * on, each with a header and ROWS rows. A file that is there already is not written again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/base.h"

static uint64_t state;

/* xorshift64*: good enough to look like data, and its own everywhere. */
static uint64_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717ULL;
}

static int day_file(const char *path, int day, int rows)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	state = 88172645463325252ULL + (uint64_t)day * 7919;
	fputs("id,shop,product,quantity,price,note\n", f);
	for (int i = 0; i < rows; i++) {
		uint64_t r = next();
		fprintf(f, "%d,shop%02d,p%04d,%d,%d.%02d,n%06x\n", day * rows + i, (int)(r % 48),
		        (int)((r >> 8) % 1500), (int)((r >> 20) % 9) + 1, (int)((r >> 28) % 400),
		        (int)((r >> 38) % 100), (unsigned)(r >> 40));
	}
	return fclose(f);
}

int main(int argc, char **argv)
{
	int days = argc == 4 ? atoi(argv[2]) : 0, rows = argc == 4 ? atoi(argv[3]) : 0;

	if (days <= 0 || rows <= 0) {
		fprintf(stderr, "usage: bench-gen DIR DAYS ROWS\n");
		return 2;
	}
	for (int d = 0; d < days; d++) {
		time_t t = 1672531200 + (time_t)d * 86400; /* 2023-01-01 */
		struct tm tm;
		struct stat st;
		char label[16], path[4096], part[4128];

		gmtime_r(&t, &tm);
		strftime(label, sizeof(label), "%Y-%m-%d", &tm);
		snprintf(path, sizeof(path), "%s/ds=%s", argv[1], label);
		if (mkdir(path, 0777) != 0 && errno != EEXIST) {
			perror(path);
			return 1;
		}
		snprintf(part, sizeof(part), "%s/sales.csv", path);
		if (stat(part, &st) == 0 && st.st_size > 0)
			continue;
		if (day_file(part, d, rows) != 0) {
			perror(part);
			return 1;
		}
	}
	return 0;
}
