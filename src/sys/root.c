#include "sys/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "sys/bind.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc_int.h"

#define OWN_EMPTY ROOT_OWN "/empty"
#define OWN_SHM ROOT_OWN "/shm"

/* Targets are relative: the child stands in the new root while it makes it. */
enum step {
	STEP_FOLDER,   /* target, mode */
	STEP_LINK,     /* target -> source */
	STEP_FILE,     /* with `bytes`, or to mount on */
	STEP_SHOW,     /* source at target, with all that is mounted below it; one that cannot be shown is left empty */
	STEP_MUST,     /* the same, and it must be possible */
	STEP_OPEN,     /* the new root may be mounted elsewhere from now on */
	STEP_SEAL,     /* all that is there by now becomes read-only */
	STEP_WRITABLE, /* as STEP_MUST, and what it shows may be written to */
	STEP_PRIVATE,  /* as STEP_WRITABLE for a folder of the new root itself; it need not be possible */
};

struct root_step {
	enum step what;
	const char *source, *target;
	unsigned mode;
	struct str bytes;
};

/* --- planning --- */

struct making {
	struct arena *a;
	struct map made; /* paths in the new root that the plan makes, without the first slash */
	struct map deep; /* of these, folders of the machine too, whose other entries are shown */
	VEC(struct root_step) steps;
};

static void add(struct making *m, enum step what, const char *source, const char *target, unsigned mode)
{
	struct root_step s = {.what = what, .source = source, .target = target, .mode = mode};

	vec_push(m->a, &m->steps, s);
}

static bool is_made(const struct making *m, const char *path)
{
	return map_get(&m->made, str_of(path)) != NULL;
}

static void make_folder(struct making *m, const char *path, unsigned mode)
{
	char *p = arena_dup(m->a, path);

	for (char *slash = strchr(p, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *parent = arena_printf(m->a, "%.*s", (int)(slash - p), p);

		if (!is_made(m, parent)) {
			map_set(&m->made, str_of(parent), m);
			add(m, STEP_FOLDER, NULL, parent, 0755);
		}
	}
	if (!is_made(m, p)) {
		map_set(&m->made, str_of(p), m);
		add(m, STEP_FOLDER, NULL, p, mode);
	}
}

static void make_place(struct making *m, const struct root_mount *t)
{
	const char *target = t->target + 1, *slash = strrchr(target, '/');

	if (!t->file) {
		make_folder(m, target, 0755);
		return;
	}
	if (slash)
		make_folder(m, arena_printf(m->a, "%.*s", (int)(slash - target), target), 0755);
	if (is_made(m, target))
		return;
	map_set(&m->made, str_of(target), m);
	add(m, STEP_FILE, NULL, target, 0);
	m->steps.p[m->steps.n - 1].bytes = t->bytes;
}

static int type_of(const char *path, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type;
	return lstat(path, &st) ? DT_UNKNOWN : (int)IFTODT(st.st_mode);
}

/* Folders above a target that are there on the machine, up to one that is not. */
static void mark_deep(struct making *m, const char *target)
{
	for (const char *slash = strchr(target + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *path = arena_printf(m->a, "%.*s", (int)(slash - target), target);
		struct stat st;

		if (lstat(path, &st) || !S_ISDIR(st.st_mode))
			return;
		map_set(&m->deep, str_of(path + 1), m);
	}
}

struct shown_entry {
	const char *name, *link; /* link: where a symbolic one leads, as it is written */
	int type;
};

struct listing {
	VEC(struct shown_entry) v;
	struct arena *arena;
	struct stat st;
};

static int list_folder(const char *path, struct listing *l, struct err *e)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return err_errno(e, errno, "cannot list %s", path);
	while ((d = readdir(dir))) {
		const char *full = arena_printf(l->arena, "%s/%s", path[1] ? path : "", d->d_name);
		struct shown_entry one = {.name = arena_dup(l->arena, d->d_name), .type = type_of(full, d)};
		char link[4096];
		ssize_t n;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (one.type == DT_LNK) {
			n = readlink(full, link, sizeof(link) - 1);
			if (n <= 0)
				continue;
			one.link = arena_printf(l->arena, "%.*s", (int)n, link);
		}
		vec_push(l->arena, &l->v, one);
		if (l->v.n > ROOT_MAX_MOUNTS) {
			closedir(dir);
			return err_set(e, ERR_LIMIT, "%s has more than %d entries", path, ROOT_MAX_MOUNTS);
		}
	}
	closedir(dir);
	return 0;
}

/*
 * / is listed once for all units, as long as nothing comes there or goes: its date tells, but of a change within the
 * clock's step after the listing.
 */
static int list_root(const struct listing **out, struct err *e)
{
	static struct listing root;
	struct listing now = {0};
	struct timespec t;

	if (stat("/", &now.st))
		return err_errno(e, errno, "cannot look at /");
	if (root.arena && root.st.st_ino == now.st.st_ino && root.st.st_dev == now.st.st_dev &&
	    root.st.st_ctim.tv_sec == now.st.st_ctim.tv_sec && root.st.st_ctim.tv_nsec == now.st.st_ctim.tv_nsec) {
		*out = &root;
		return 0;
	}
	now.arena = arena_new();
	if (list_folder("/", &now, e)) {
		arena_free(now.arena);
		return -1;
	}
	arena_free(root.arena);
	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec - now.st.st_ctim.tv_sec < 2)
		now.st.st_ino = 0; /* not to be trusted yet */
	root = now;
	*out = &root;
	return 0;
}

/*
 * The entries of a folder ("" is /): their places now, what is shown there into *shown, for later. Of those that the
 * plan makes itself, the entries below, if they are deep ones.
 */
static int each_entry(struct making *m, struct making *shown, const char *folder, struct err *e)
{
	struct listing own = {.arena = m->a};
	const struct listing *l = &own;

	if (*folder ? list_folder(arena_printf(m->a, "/%s", folder), &own, e) : list_root(&l, e))
		return -1;
	for (size_t i = 0; i < l->v.n; i++) {
		const struct shown_entry *d = &l->v.p[i];
		const char *name = arena_printf(m->a, "%s%s%s", folder, *folder ? "/" : "", d->name);

		if (is_made(m, name)) {
			if (map_get(&m->deep, str_of(name)) && each_entry(m, shown, name, e))
				return -1;
			continue;
		}
		if (d->type == DT_LNK)
			add(m, STEP_LINK, arena_dup(m->a, d->link), name, 0);
		if (d->type != DT_DIR && d->type != DT_REG)
			continue;
		add(m, d->type == DT_DIR ? STEP_FOLDER : STEP_FILE, NULL, name, 0755);
		add(shown, STEP_SHOW, arena_printf(m->a, "/%s", name), name, 0);
	}
	return 0;
}

/* Whether an absolute path leads into something that the new root shows of the host's. */
static bool is_shown(const struct making *m, const char *path)
{
	size_t n = strcspn(path + 1, "/");

	return !is_made(m, arena_printf(m->a, "%.*s", (int)n, path + 1));
}

int root_make(struct arena *a, const char *at, const struct root_mount *mounts, size_t n, const char *const *hide,
              size_t n_hide, struct root_plan *out, struct err *e)
{
	struct making m = {.a = a}, shown = {.a = a};
	struct stat st;
	bool tmp = false;

	if (n + n_hide > ROOT_MAX_MOUNTS)
		return err_set(e, ERR_LIMIT, "a task cannot be shown more than %d folders", ROOT_MAX_MOUNTS);
	map_init(&m.made, a);
	map_init(&m.deep, a);
	make_folder(&m, OWN_EMPTY, 0);
	make_folder(&m, OWN_SHM, 01777);
	make_folder(&m, "tmp", 01777);
	for (size_t i = 0; i < n; i++) {
		make_place(&m, &mounts[i]);
		if (mounts[i].among)
			mark_deep(&m, mounts[i].target);
		tmp |= !strcmp(mounts[i].target, "/tmp");
	}
	if (each_entry(&m, &shown, "", e))
		return -1;
	for (size_t i = 0; i < shown.steps.n; i++)
		vec_push(a, &m.steps, shown.steps.p[i]);
	add(&m, STEP_OPEN, NULL, "", 0);
	for (size_t i = 0; i < n_hide; i++)
		if (is_shown(&m, hide[i]) && !lstat(hide[i], &st) && S_ISDIR(st.st_mode))
			add(&m, STEP_MUST, OWN_EMPTY, hide[i] + 1, 0);
	for (size_t i = 0; i < n; i++)
		if (!mounts[i].writable && mounts[i].source)
			add(&m, STEP_MUST, mounts[i].source, mounts[i].target + 1, 0);
	add(&m, STEP_SEAL, NULL, "", 0);
	for (size_t i = 0; i < n; i++)
		if (mounts[i].writable)
			add(&m, STEP_WRITABLE, mounts[i].source, mounts[i].target + 1, 0);
	add(&m, STEP_PRIVATE, OWN_SHM, "dev/shm", 0);
	if (!tmp)
		add(&m, STEP_PRIVATE, "tmp", "tmp", 0);
	*out = (struct root_plan){.at = at, .steps = m.steps.p, .n = (unsigned)m.steps.n};
	return 0;
}

/* --- in the child --- */

IN_CHILD static int set_read_only(const char *path, bool read_only)
{
	struct mount_attr attr = {.attr_set = read_only ? MOUNT_ATTR_RDONLY : 0,
	                          .attr_clr = read_only ? 0 : MOUNT_ATTR_RDONLY};

	return syscall(SYS_mount_setattr, AT_FDCWD, path, read_only ? AT_RECURSIVE : 0, &attr, sizeof(attr)) ? errno
	                                                                                                     : 0;
}

IN_CHILD static int make_file(const char *path, struct str bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444), error = 0;

	if (fd < 0)
		return errno;
	for (size_t done = 0; done < bytes.n && !error;) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);

		if (n < 0 && errno != EINTR)
			error = errno;
		else if (n > 0)
			done += (size_t)n;
	}
	close(fd);
	return error;
}

IN_CHILD static int do_step(const struct root_step *s)
{
	int error;

	switch (s->what) {
	case STEP_FOLDER:
		return mkdir(s->target, s->mode) ? errno : 0;
	case STEP_LINK:
		return symlink(s->source, s->target) ? errno : 0;
	case STEP_FILE:
		return make_file(s->target, s->bytes);
	case STEP_SHOW:
		(void)mount(s->source, s->target, NULL, MS_BIND | MS_REC, NULL);
		return 0;
	case STEP_MUST:
	case STEP_WRITABLE:
		return mount(s->source, s->target, NULL, MS_BIND | MS_REC, NULL) ? errno : 0;
	case STEP_OPEN:
		return mount(NULL, ".", NULL, MS_PRIVATE, NULL) ? errno : 0;
	case STEP_SEAL:
		return set_read_only(".", true);
	case STEP_PRIVATE:
		if (mount(s->source, s->target, NULL, MS_BIND, NULL))
			return 0;
		error = set_read_only(s->target, false);
		return error;
	}
	return EINVAL;
}

/* What a task of root could undo its root with, or look past it. */
IN_CHILD static int drop_privileges(void)
{
	static const unsigned char dropped[] = {CAP_SYS_ADMIN,  CAP_SYS_PTRACE, CAP_SYS_MODULE,      CAP_SYS_RAWIO,
	                                        CAP_SYS_BOOT,   CAP_SYS_CHROOT, CAP_DAC_READ_SEARCH, CAP_MKNOD};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	if (bind_clone_flags() & CLONE_NEWUSER) /* goes with exec */
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(dropped); i++)
		if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0))
			return errno;
	return 0;
}

/* Steps beyond the plan's, for the sentence of a failure. */
enum { AT_VIEW, AT_MEMORY, AT_PIVOT, AT_DROP };

IN_CHILD int root_apply(const struct root_plan *plan, unsigned uid, unsigned gid, unsigned *at)
{
	mode_t mask;
	int error;

	*at = plan->n + AT_VIEW;
	if ((error = bind_enter(uid, gid)))
		return error;
	*at = plan->n + AT_MEMORY;
	if (mount("leat", plan->at, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") || chdir(plan->at))
		return errno;
	/* A folder of / may be shown that it is mounted in: it shall not be in there again. */
	if (mount(NULL, ".", NULL, MS_UNBINDABLE, NULL))
		return errno;
	mask = umask(0);
	for (unsigned i = 0; i < plan->n; i++) {
		*at = i;
		if ((error = do_step(&plan->steps[i])))
			return error;
	}
	umask(mask);
	*at = plan->n + AT_PIVOT;
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		return errno;
	*at = plan->n + AT_DROP;
	return drop_privileges();
}

/* --- telling --- */

int root_failed(const struct root_plan *plan, unsigned at, int error, const char *name, struct err *e)
{
	static const char *const beyond[] = {
		[AT_VIEW] = "it gets no view of the folders of its own",
		[AT_MEMORY] = "no file system in memory can be mounted",
		[AT_PIVOT] = "the root cannot be changed",
		[AT_DROP] = "privileges cannot be given up",
	};
	const struct root_step *s = at < plan->n ? &plan->steps[at] : NULL;

	if (!s)
		err_errno(e, error, "no sandbox for %s: %s", name, beyond[at - plan->n]);
	else if (s->what == STEP_SEAL)
		err_errno(e, error, "no sandbox for %s: its root cannot be made read-only", name);
	else if (s->source)
		err_errno(e, error, "no sandbox for %s: %s cannot be shown at /%s", name, s->source, s->target);
	else
		err_errno(e, error, "no sandbox for %s: /%s cannot be made in its root", name, s->target);
	return err_hint(e, "leat doctor tells whether sandboxes work here; `sandbox: off` in job.yaml goes without");
}

/* --- whether it works --- */

static struct {
	pthread_once_t once;
	bool can;
	char why[1024];
} state = {.once = PTHREAD_ONCE_INIT};

struct trial {
	const struct root_plan *plan;
	unsigned uid, gid;
	volatile int error;
	volatile unsigned at;
};

IN_CHILD static int trial_main(void *arg)
{
	struct trial *t = arg;
	unsigned at = 0;

	t->error = root_apply(t->plan, t->uid, t->gid, &at);
	t->at = at;
	_exit(0);
}

static void find_out(void)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct trial t = {.uid = geteuid(), .gid = getegid()};
	struct root_plan plan;
	struct err e = ERR_INIT;
	const char *why;
	int fd = -1;
	pid_t pid;

	if (!bind_available(&why)) {
		snprintf(state.why, sizeof(state.why), "%s", why);
		return;
	}
	/* /proc is on every machine that has mount namespaces; nobody but the child sees what lies on it. */
	if (root_make(a, "/proc", NULL, 0, NULL, 0, &plan, &e)) {
		snprintf(state.why, sizeof(state.why), "%s", e.msg);
		return;
	}
	t.plan = &plan;
	pid = proc_clone(trial_main, &t, bind_clone_flags(), &fd);
	if (pid < 0) {
		snprintf(state.why, sizeof(state.why), "the kernel refused a mount namespace: %s", strerror(errno));
		return;
	}
	(void)waitpid(pid, NULL, 0);
	fd_close(&fd);
	state.can = !t.error;
	if (t.error == ENOSYS)
		snprintf(state.why, sizeof(state.why), "they need Linux 5.12 or newer");
	else if (t.error) {
		root_failed(&plan, t.at, t.error, "a task", &e);
		snprintf(state.why, sizeof(state.why), "%s", e.msg);
	}
}

bool root_available(const char **why)
{
	pthread_once(&state.once, find_out);
	if (why)
		*why = state.can ? "" : state.why;
	return state.can;
}
