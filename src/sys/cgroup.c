#include "sys/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"

#define ROOT "/sys/fs/cgroup"
#define PREFIX "leat-"
#define PERIOD_US 100000 /* over which shares of a processor are counted */
#define LEAST_US 1000
#define TEXT 8192
#define DEPTH 16         /* below the root, where a group is looked for */
#define KILL_ROUNDS 20
#define OLD_S (24 * 3600)

/* What they are called: the first of v1, the second of v2. */
enum part { PART_MEMORY, PART_CPU, PART_CPUACCT, PART_FREEZER };
enum file { FILE_LIMIT, FILE_SWAP, FILE_PEAK, FILE_EVENTS, FILE_USED, FILES };
static const struct controller {
	const char *name;
	unsigned can;
	const char *file[FILES][2];
} controllers[CGROUP_PARTS] = {
	[PART_MEMORY] = {"memory", CGROUP_MEMORY,
	                 {{"memory.limit_in_bytes", "memory.max"},
	                  {"memory.memsw.limit_in_bytes", "memory.swap.max"},
	                  {"memory.max_usage_in_bytes", "memory.peak"},
	                  {"memory.oom_control", "memory.events"}}},
	[PART_CPU] = {"cpu", CGROUP_CPU, {{"cpu.cfs_quota_us", "cpu.max"}}},
	[PART_CPUACCT] = {"cpuacct", 0, {[FILE_USED] = {"cpuacct.usage", "cpu.stat"}}},
	[PART_FREEZER] = {"freezer", 0, {{"freezer.state", "cgroup.kill"}}},
};

static struct {
	pthread_once_t once;
	unsigned can;
	const char *why;
	struct cgroup in; /* the groups in which ours are made */
} place = {.once = PTHREAD_ONCE_INIT};

/* --- files --- */

static int write_text(const char *dir, const char *file, const char *text)
{
	char path[CGROUP_PATH + 64];
	int fd FD_CLEANUP = -1;
	size_t n = strlen(text);

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

static bool read_text(const char *dir, const char *file, char text[TEXT])
{
	char path[CGROUP_PATH + 64];
	int fd FD_CLEANUP = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, TEXT - 1);
	text[MAX(n, 0)] = '\0';
	return n >= 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += n)
		if ((p == text || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' ' || p[n] == '\n'))
			return true;
	return false;
}

static const char *file_of(const struct cgroup *g, enum part part, enum file f)
{
	return controllers[part].file[f][g->v2];
}

/* --- where --- */

/* Our group as the kernel tells it: lines NUMBER:CONTROLLER,CONTROLLER:PATH; v2 has none. */
static bool own_path(const char *self, const char *controller, char out[CGROUP_PATH])
{
	for (const char *line = self; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		size_t n = strlen(controller);

		if (!path)
			continue;
		for (const char *p = names + 1; p <= path; p += strcspn(p, ",:") + 1)
			if (strcspn(p, ",:") == n && !strncmp(p, controller, n)) {
				snprintf(out, CGROUP_PATH, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
				return true;
			}
	}
	return false;
}

/* In a container the path may be one that is not to be seen there: then the top is its own. */
static bool folder(const char *root, const char *controller, const char *path, char out[CGROUP_PATH])
{
	int n = snprintf(out, CGROUP_PATH, "%s%s%s%s", root, *controller ? "/" : "", controller,
	                 strcmp(path, "/") ? path : "");

	if (n < CGROUP_PATH && !access(out, F_OK))
		return !access(out, W_OK);
	snprintf(out, CGROUP_PATH, "%s%s%s", root, *controller ? "/" : "", controller);
	return !access(out, W_OK);
}

static unsigned look_v1(const char *root, const char *self, struct cgroup *out)
{
	char path[CGROUP_PATH];
	unsigned can = 0;

	for (size_t i = 0; i < CGROUP_PARTS; i++)
		if (own_path(self, controllers[i].name, path) &&
		    folder(root, controllers[i].name, path, out->dir[i]))
			can |= controllers[i].can;
		else
			out->dir[i][0] = '\0';
	return can;
}

/* What groups below dir can hold: what is switched on for them, or can be. */
static unsigned divides(const char *dir)
{
	static const char *const on[] = {"+memory", "+cpu"};
	char text[TEXT];
	unsigned can = 0;

	if (access(dir, W_OK))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(on); i++) {
		if (!read_text(dir, "cgroup.subtree_control", text))
			return 0;
		if (has_word(text, controllers[i].name) || !write_text(dir, "cgroup.subtree_control", on[i]))
			can |= controllers[i].can;
	}
	return can;
}

/*
 * A group of v2 that has processes cannot hold its children to limits, unless it is the top: then ours are made beside
 * it, if what is above it is ours (systemd: `Delegate=yes` with `DelegateSubgroup=`, or a user's own slice).
 */
static unsigned look_v2(const char *root, const char *self, struct cgroup *out)
{
	char path[CGROUP_PATH], *slash;
	unsigned can;

	if (!own_path(self, "", path))
		return 0;
	(void)folder(root, "", path, out->dir[0]);
	can = divides(out->dir[0]);
	slash = strrchr(out->dir[0], '/');
	if (!(can & CGROUP_MEMORY) && slash && strlen(out->dir[0]) > strlen(root)) {
		*slash = '\0';
		can = divides(out->dir[0]);
	}
	out->v2 = true;
	return can;
}

unsigned cgroup_look(const char *root, const char *self, struct cgroup *out)
{
	unsigned can;

	*out = (struct cgroup){0};
	can = look_v1(root, self, out);
	if (can)
		return can;
	*out = (struct cgroup){0};
	return look_v2(root, self, out);
}

static bool is_dead(const char *name)
{
	char *end;
	long pid = strtol(name + strlen(PREFIX), &end, 10);

	return *end == '-' && pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

/*
 * What dead processes could not remove, since something of it still ran. A younger one tells who takes its task over
 * how much that took.
 */
static void sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d)))
		if (!strncmp(entry->d_name, PREFIX, strlen(PREFIX)) && is_dead(entry->d_name) &&
		    !fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    st.st_mtime < time(NULL) - OLD_S)
			(void)unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
}

static void look(void)
{
	char self[TEXT], path[CGROUP_PATH * 2];

	if (!read_text("/proc/self", "cgroup", self)) {
		place.why = "the kernel has no groups of processes";
		return;
	}
	place.can = cgroup_look(ROOT, self, &place.in);
	/* Only who has made one knows that he may. */
	for (size_t i = 0; i < CGROUP_PARTS; i++) {
		if (!place.in.dir[i][0])
			continue;
		snprintf(path, sizeof(path), "%s/" PREFIX "%d-try", place.in.dir[i], (int)getpid());
		if (mkdir(path, 0755) || rmdir(path)) {
			place.in.dir[i][0] = '\0';
			place.can &= place.in.v2 ? 0 : ~controllers[i].can;
			continue;
		}
		sweep(place.in.dir[i]);
	}
	if (place.can != (CGROUP_MEMORY | CGROUP_CPU))
		place.why = place.can ? "this machine's groups have no such controller for us"
		                      : "groups of processes (cgroups) are not ours to make here";
}

unsigned cgroup_can(const char **why)
{
	pthread_once(&place.once, look);
	if (why)
		*why = place.why;
	return place.can;
}

/* --- groups --- */

static int limit(const struct cgroup *g, uint64_t memory, double cpu, struct err *e)
{
	const char *dir[] = {g->v2 ? g->dir[0] : g->dir[PART_MEMORY], g->v2 ? g->dir[0] : g->dir[PART_CPU]};
	char text[64];

	if (memory && *dir[0] && place.can & CGROUP_MEMORY) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)memory);
		if (write_text(dir[0], file_of(g, PART_MEMORY, FILE_LIMIT), text))
			return err_errno(e, errno, "cannot set the limit of memory in %s", dir[0]);
		/* Swap is no way around it; a machine without it has no such file. */
		(void)write_text(dir[0], file_of(g, PART_MEMORY, FILE_SWAP), g->v2 ? "0" : text);
		if (g->v2)
			(void)write_text(dir[0], "memory.oom.group", "1");
	}
	if (cpu > 0 && *dir[1] && place.can & CGROUP_CPU) {
		long quota = MAX((long)(cpu * PERIOD_US), LEAST_US);

		snprintf(text, sizeof(text), g->v2 ? "%ld %d" : "%ld", quota, PERIOD_US);
		if (write_text(dir[1], file_of(g, PART_CPU, FILE_LIMIT), text))
			return err_errno(e, errno, "cannot set the limit of processors in %s", dir[1]);
	}
	return 0;
}

int cgroup_make(const char *name, uint64_t memory, double cpu, struct cgroup *out, struct err *e)
{
	const bool wanted[] = {
		[PART_MEMORY] = memory > 0, [PART_CPU] = cpu > 0, [PART_CPUACCT] = true, [PART_FREEZER] = true};
	int rc = 0;

	(void)cgroup_can(NULL);
	*out = (struct cgroup){.v2 = place.in.v2};
	for (size_t i = 0; i < CGROUP_PARTS && !rc; i++) {
		if (!place.in.dir[i][0] || (!wanted[i] && !place.in.v2))
			continue;
		if (snprintf(out->dir[i], CGROUP_PATH, "%s/" PREFIX "%d-%s", place.in.dir[i], (int)getpid(), name) >=
		    CGROUP_PATH)
			rc = err_set(e, ERR_LIMIT, "the path of a group of processes is too long: %s", place.in.dir[i]);
		else if (mkdir(out->dir[i], 0755) && errno != EEXIST)
			rc = err_errno(e, errno, "cannot make the group of processes %s", out->dir[i]);
		if (rc)
			out->dir[i][0] = '\0';
	}
	if (!rc)
		rc = limit(out, memory, cpu, e);
	if (rc)
		cgroup_remove(out);
	return rc;
}

/* "leat-PID-NAME" below dir, however deep: its maker may have been in another group than we are. */
static bool find_below(const char *dir, const char *name, int depth, char out[CGROUP_PATH])
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool found = false;

	while (d && !found && (entry = readdir(d))) {
		const char *rest = entry->d_name + strlen(PREFIX);
		char path[CGROUP_PATH];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= CGROUP_PATH)
			continue;
		if (!strncmp(entry->d_name, PREFIX, strlen(PREFIX))) {
			rest += strspn(rest, "0123456789");
			found = *rest == '-' && !strcmp(rest + 1, name);
			if (found)
				memcpy(out, path, CGROUP_PATH);
		} else {
			found = depth && find_below(path, name, depth - 1, out);
		}
	}
	if (d)
		closedir(d);
	return found;
}

bool cgroup_find(const char *name, struct cgroup *out)
{
	bool found = false;

	(void)cgroup_can(NULL);
	*out = (struct cgroup){.v2 = place.in.v2};
	for (size_t i = 0; i < CGROUP_PARTS; i++) {
		char top[CGROUP_PATH];

		if (!place.in.dir[i][0])
			continue;
		snprintf(top, sizeof(top), place.in.v2 ? ROOT : ROOT "/%s", controllers[i].name);
		found |= find_below(place.in.dir[i], name, 0, out->dir[i]) ||
		         find_below(top, name, DEPTH, out->dir[i]);
	}
	return found;
}

int cgroup_enter_fds(const struct cgroup *g, int fds[CGROUP_PARTS], struct err *e)
{
	int n = 0;

	for (size_t i = 0; i < CGROUP_PARTS; i++) {
		char path[CGROUP_PATH + 32];

		if (!g->dir[i][0])
			continue;
		snprintf(path, sizeof(path), "%s/cgroup.procs", g->dir[i]);
		fds[n] = open(path, O_WRONLY | O_CLOEXEC);
		if (fds[n] < 0) {
			err_errno(e, errno, "cannot open %s", path);
			while (n > 0)
				fd_close(&fds[--n]);
			return -1;
		}
		n++;
	}
	return n;
}

static bool is_named(const char *path, const char *name)
{
	const char *last = strrchr(path, '/');
	size_t digits;

	if (!last || strncmp(last + 1, PREFIX, strlen(PREFIX)))
		return false;
	last += 1 + strlen(PREFIX);
	digits = strspn(last, "0123456789");
	return digits && last[digits] == '-' && !strcmp(last + digits + 1, name);
}

bool cgroup_bring(pid_t pid, const char *name)
{
	char self[TEXT], path[CGROUP_PATH], dir[CGROUP_PATH * 2], number[32];
	bool brought = false;

	if (!read_text("/proc/self", "cgroup", self))
		return false;
	snprintf(number, sizeof(number), "%d", (int)pid);
	for (size_t i = 0; i <= CGROUP_PARTS; i++) {
		const char *controller = i < CGROUP_PARTS ? controllers[i].name : "";

		if (!own_path(self, controller, path) || !is_named(path, name))
			continue;
		snprintf(dir, sizeof(dir), ROOT "%s%s%s", *controller ? "/" : "", controller, path);
		if (write_text(dir, "cgroup.procs", number))
			return false;
		brought = true;
	}
	return brought;
}

uint64_t cgroup_peak(const struct cgroup *g)
{
	const char *dir = g->v2 ? g->dir[0] : g->dir[PART_MEMORY];
	char text[TEXT];

	return *dir && read_text(dir, file_of(g, PART_MEMORY, FILE_PEAK), text) ? strtoull(text, NULL, 10) : 0;
}

int64_t cgroup_cpu_us(const struct cgroup *g)
{
	const char *dir = g->v2 ? g->dir[0] : g->dir[PART_CPUACCT], *at;
	char text[TEXT];

	if (!*dir || !read_text(dir, file_of(g, PART_CPUACCT, FILE_USED), text))
		return -1;
	if (!g->v2)
		return strtoll(text, NULL, 10) / 1000;
	at = strstr(text, "usage_usec ");
	return at ? strtoll(at + strlen("usage_usec "), NULL, 10) : -1;
}

int64_t cgroup_oom_kills(const struct cgroup *g)
{
	const char *dir = g->v2 ? g->dir[0] : g->dir[PART_MEMORY], *at;
	char text[TEXT];

	if (!*dir || !read_text(dir, file_of(g, PART_MEMORY, FILE_EVENTS), text))
		return 0;
	at = strstr(text, "oom_kill ");
	return at ? strtoll(at + strlen("oom_kill "), NULL, 10) : 0;
}

/* SIGKILL to those in it now; how many. */
static int kill_listed(const char *dir)
{
	char text[TEXT], *end;
	int n = 0;

	if (!read_text(dir, "cgroup.procs", text))
		return 0;
	for (long pid = strtol(text, &end, 10); pid > 0 && *end == '\n'; pid = strtol(end, &end, 10), n++)
		(void)kill((pid_t)pid, SIGKILL);
	return n;
}

void cgroup_kill(const struct cgroup *g)
{
	const char *any = NULL;

	for (size_t i = 0; i < CGROUP_PARTS && !any; i++)
		any = g->dir[i][0] ? g->dir[i] : NULL;
	if (!any || (g->v2 && !write_text(any, "cgroup.kill", "1")))
		return;
	/* What stands still starts nothing: one look has all. */
	if (!g->v2 && g->dir[PART_FREEZER][0])
		(void)write_text(g->dir[PART_FREEZER], "freezer.state", "FROZEN");
	for (int i = 0; i < KILL_ROUNDS && kill_listed(any); i++)
		if (!g->v2 && g->dir[PART_FREEZER][0])
			break;
	if (!g->v2 && g->dir[PART_FREEZER][0])
		(void)write_text(g->dir[PART_FREEZER], "freezer.state", "THAWED");
}

void cgroup_remove(struct cgroup *g)
{
	for (size_t i = 0; i < CGROUP_PARTS; i++) {
		/* Who has been waited for this instant may be counted for one more. */
		for (int n = 0; g->dir[i][0] && rmdir(g->dir[i]) && errno == EBUSY && n < 3; n++)
			clock_sleep_ms(1);
		g->dir[i][0] = '\0';
	}
}
