/*
 * bench-spawn N SLOTS PROGRAM [ARG...]: starts PROGRAM N times by posix_spawn, SLOTS at a time, its output to
 * /dev/null. Prints one JSON line: the wall time and CPU time of all (s), and of one, when SLOTS is 1, the median and
 * the best (ms).
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[1]) : 0, slots = argc > 3 ? atoi(argv[2]) : 0;

	if (n <= 0 || slots <= 0) {
		fprintf(stderr, "usage: bench-spawn N SLOTS PROGRAM [ARG...]\n");
		return 2;
	}
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	double *took = calloc((size_t)n, sizeof(*took)), begin = now();
	int running = 0, failed = 0;

	if (!took)
		return 1;
	for (int started = 0, ended = 0; ended < n;) {
		double at = now();
		pid_t pid;
		int status;

		while (started < n && running < slots) {
			if (posix_spawnp(&pid, argv[3], &quiet, NULL, argv + 3, environ) != 0) {
				perror(argv[3]);
				return 1;
			}
			started++;
			running++;
		}
		if (wait(&status) < 0)
			return 1;
		failed += status != 0;
		took[ended++] = (now() - at) * 1e3;
		running--;
	}
	double wall = now() - begin;
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	qsort(took, (size_t)n, sizeof(*took), by_size);
	printf("{\"wall\": %.6f, \"cpu\": %.6f, \"median_ms\": %.4f, \"best_ms\": %.4f, \"failed\": %d}\n", wall,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
	       took[n / 2], took[0], failed);
	free(took);
	return failed != 0;
}
