/* What of the machine this process may use. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

#include "sys/proc.h"

#define LINE 4096

static bool first_line(const char *path, char *line)
{
	FILE *f = fopen(path, "re");
	bool got = f && fgets(line, LINE, f);

	if (f)
		fclose(f);
	return got;
}

/* Our cgroup's path under a v1 controller, or under v2 ("" for controller). */
static bool cgroup_of(const char *controller, char path[LINE])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[LINE];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':'), *where = names ? strchr(names + 1, ':') : NULL;

		if (!where)
			continue;
		*where++ = '\0';
		names++;
		where[strcspn(where, "\n")] = '\0';
		for (char *name = names, *rest; !found && name; name = rest) {
			rest = strchr(name, ',');
			if (rest)
				*rest++ = '\0';
			found = !strcmp(name, controller);
		}
		if (found)
			snprintf(path, LINE, "%s", where);
	}
	if (f)
		fclose(f);
	return found;
}

typedef void limit_line(const char *line, const char *path, void *ptr);

/* Calls for that file in our cgroup and in all above it: the strictest counts. */
static void each_limit(const char *controller, const char *root, const char *file, limit_line *fn, void *ptr)
{
	char path[LINE], full[LINE + 128], line[LINE];

	if (!cgroup_of(controller, path))
		return;
	for (;;) {
		char *slash;

		snprintf(full, sizeof(full), "%s%s/%s", root, !strcmp(path, "/") ? "" : path, file);
		if (first_line(full, line))
			fn(line, full, ptr);
		slash = strrchr(path, '/');
		if (!slash || !path[0] || !strcmp(path, "/"))
			return;
		*slash = '\0';
	}
}

static void take_cpus(double n, double *cpus)
{
	if (n > 0 && n < *cpus)
		*cpus = n;
}

static void cpu_v2(const char *line, const char *path, void *ptr)
{
	double quota, period;

	(void)path;
	if (sscanf(line, "%lf %lf", &quota, &period) == 2 && period > 0)
		take_cpus(quota / period, ptr);
}

static void cpu_v1(const char *line, const char *path, void *ptr)
{
	char other[LINE + 160], period[LINE];
	const char *slash = strrchr(path, '/');
	double quota = strtod(line, NULL), per;

	snprintf(other, sizeof(other), "%.*s/cpu.cfs_period_us", (int)(slash - path), path);
	if (quota <= 0 || !first_line(other, period))
		return;
	per = strtod(period, NULL);
	if (per > 0)
		take_cpus(quota / per, ptr);
}

unsigned proc_cpus(void)
{
	cpu_set_t set;
	double cpus = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		cpus = CPU_COUNT(&set);
	each_limit("", "/sys/fs/cgroup", "cpu.max", cpu_v2, &cpus);
	each_limit("cpu", "/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", cpu_v1, &cpus);
	return cpus < 1 ? 1 : (unsigned)cpus;
}

static void memory_limit(const char *line, const char *path, void *ptr)
{
	uint64_t *bytes = ptr, n = strtoull(line, NULL, 10);

	(void)path;
	if (n && n < *bytes) /* "max" is 0 here */
		*bytes = n;
}

uint64_t proc_memory(void)
{
	struct sysinfo info;
	uint64_t bytes = (uint64_t)1 << 30;

	if (!sysinfo(&info))
		bytes = (uint64_t)info.totalram * info.mem_unit;
	each_limit("", "/sys/fs/cgroup", "memory.max", memory_limit, &bytes);
	each_limit("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", memory_limit, &bytes);
	return bytes;
}
