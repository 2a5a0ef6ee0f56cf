/*
 * sys/cgroup.h: groups of processes that the kernel keeps account of and holds to limits: one for each task that has
 * limits, below the group that we are in or beside it, v2 where it is ours to divide (delegated), else v1.
 *
 * A group is called leat-PID-NAME after who made it; one whose maker has died and that is empty is removed a day later
 * by a process that makes any. Making, entering and removing one takes 0.3 to 1 ms.
 */
#ifndef LEAT_SYS_CGROUP_H
#define LEAT_SYS_CGROUP_H

#include <sys/types.h>

#include "base/err.h"

#define CGROUP_PARTS 4 /* folders that a group may have: v1 has one for each controller */
#define CGROUP_PATH 512

enum cgroup_can { CGROUP_MEMORY = 1, CGROUP_CPU = 2 };

struct cgroup {
	bool v2;
	char dir[CGROUP_PARTS][CGROUP_PATH]; /* "": none */
};

/* Where groups can be made and what they can hold; tried once per process. *why (may be NULL): why not all. */
unsigned cgroup_can(const char **why);
/* The same of another tree than /sys/fs/cgroup, without trying: for tests. `self` as /proc/self/cgroup. */
unsigned cgroup_look(const char *root, const char *self, struct cgroup *place);

/* memory in bytes, cpu in processors; 0: no limit. What cannot be held here is left out. */
must_check int cgroup_make(const char *name, uint64_t memory, double cpu, struct cgroup *out, struct err *e);
/* One that any process has made. */
bool cgroup_find(const char *name, struct cgroup *out);
/* Descriptors to which a process writes "0" to enter it. Returns how many. */
must_check int cgroup_enter_fds(const struct cgroup *g, int fds[CGROUP_PARTS], struct err *e);
/* Another process comes into the groups of this name that we are in. False: we are in none, or it cannot be. */
bool cgroup_bring(pid_t pid, const char *name);
/* Bytes, with what the kernel keeps of files for them; 0: not known. */
uint64_t cgroup_peak(const struct cgroup *g);
int64_t cgroup_cpu_us(const struct cgroup *g); /* processor time of all that was ever in it; -1: not known */
/* How often the kernel has killed a process of it for want of memory. */
int64_t cgroup_oom_kills(const struct cgroup *g);
void cgroup_kill(const struct cgroup *g); /* SIGKILL to all in it, also while they start others */
void cgroup_remove(struct cgroup *g);     /* one that is not empty yet is left to the next process */

#endif
