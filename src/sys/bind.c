#include "sys/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc_int.h"

static struct {
	pthread_once_t once;
	int flags; /* for clone; 0 = cannot */
	char why[300];
} state = {.once = PTHREAD_ONCE_INIT};

IN_CHILD static int write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

/* In a user namespace of our own we are nobody until we say which number we keep. */
IN_CHILD static int keep_ids(unsigned uid, unsigned gid)
{
	char map[40];
	int error = write_proc("/proc/self/setgroups", "deny");

	if (error && error != ENOENT)
		return error;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if ((error = write_proc("/proc/self/uid_map", map)))
		return error;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return write_proc("/proc/self/gid_map", map);
}

/* Before Linux 5.12 only the top mount can be made read-only, and flags that were set must be repeated. */
IN_CHILD static int remount_read_only(const char *target)
{
	struct statvfs v;
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;

	if (statvfs(target, &v))
		return errno;
	flags |= v.f_flag & ST_NOSUID ? MS_NOSUID : 0;
	flags |= v.f_flag & ST_NODEV ? MS_NODEV : 0;
	flags |= v.f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
	flags |= v.f_flag & ST_NOATIME ? MS_NOATIME : 0;
	flags |= v.f_flag & ST_RELATIME ? MS_RELATIME : 0;
	return mount(NULL, target, NULL, flags, NULL) ? errno : 0;
}

IN_CHILD static int make_read_only(const char *target)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (!syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &attr, sizeof(attr)))
		return 0;
	return errno == ENOSYS ? remount_read_only(target) : errno;
}

IN_CHILD int bind_enter(unsigned uid, unsigned gid)
{
	int error;

	if ((state.flags & CLONE_NEWUSER) && (error = keep_ids(uid, gid)))
		return error;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? errno : 0;
}

IN_CHILD int bind_apply(const struct bind_plan *plan, unsigned uid, unsigned gid, unsigned *at)
{
	int error;

	*at = plan->n;
	if ((error = bind_enter(uid, gid)))
		return error;
	for (unsigned i = 0; i < plan->n; i++) {
		const struct bind_mount *m = &plan->mounts[i];

		*at = i;
		if (mount(m->source, m->target, NULL, MS_BIND | MS_REC, NULL))
			return errno;
		if (m->read_only && (error = make_read_only(m->target)))
			return error;
	}
	return 0;
}

int bind_clone_flags(void)
{
	return state.flags;
}

struct trial {
	unsigned uid, gid;
	volatile int error;
};

IN_CHILD static int trial_main(void *arg)
{
	static const struct bind_mount self = {.source = "/", .target = "/", .read_only = true};
	static const struct bind_plan plan = {.mounts = &self, .n = 1};
	struct trial *t = arg;
	unsigned at;

	t->error = bind_apply(&plan, t->uid, t->gid, &at);
	_exit(0);
}

static int try_flags(int flags)
{
	struct trial t = {.uid = geteuid(), .gid = getegid()};
	int fd = -1;
	pid_t pid;

	state.flags = flags;
	pid = proc_clone(trial_main, &t, flags, &fd);
	if (pid < 0)
		return errno;
	(void)waitpid(pid, NULL, 0);
	fd_close(&fd);
	return t.error;
}

static void find_out(void)
{
	int error = geteuid() == 0 ? try_flags(CLONE_NEWNS) : EPERM;

	if (error)
		error = try_flags(CLONE_NEWNS | CLONE_NEWUSER);
	if (!error)
		return;
	state.flags = 0;
	if (error == EPERM || error == EACCES)
		snprintf(state.why, sizeof(state.why),
		         "this machine does not let an ordinary user make namespaces (look at sysctl "
		         "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
	else if (error == ENOSPC || error == EUSERS)
		snprintf(state.why, sizeof(state.why),
		         "no more namespaces are allowed (look at sysctl user.max_mnt_namespaces)");
	else
		snprintf(state.why, sizeof(state.why), "the kernel refused a mount namespace: %s", strerror(error));
}

bool bind_available(const char **why)
{
	pthread_once(&state.once, find_out);
	if (why)
		*why = state.flags ? "" : state.why;
	return state.flags != 0;
}
