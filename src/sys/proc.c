#include "sys/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/bind.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc_int.h"
#include "sys/root.h"
#include "sys/shim.h"
#include "sys/shim_seat.h"

#define STACK_BYTES (128u << 10)

_Static_assert(1 + PROC_MAX_CGROUPS + SHIM_HOLDS <= PROC_MAX_FDS, "a shim has room for all of them");

/* --- the children we started --- */

static struct {
	pthread_mutex_t mutex;
	pid_t *p;
	size_t n, cap;
	size_t seats; /* of them, shims that take orders */
} known = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void known_add(pid_t pid)
{
	pthread_mutex_lock(&known.mutex);
	if (known.n == known.cap) {
		known.cap = known.cap ? known.cap * 2 : 16;
		known.p = xrealloc(known.p, known.cap * sizeof(*known.p));
	}
	known.p[known.n++] = pid;
	pthread_mutex_unlock(&known.mutex);
}

static void known_del(pid_t pid)
{
	pthread_mutex_lock(&known.mutex);
	for (size_t i = 0; i < known.n; i++)
		if (known.p[i] == pid) {
			known.p[i] = known.p[--known.n];
			break;
		}
	pthread_mutex_unlock(&known.mutex);
}

bool proc_is_known(pid_t pid)
{
	bool found = false;

	pthread_mutex_lock(&known.mutex);
	for (size_t i = 0; i < known.n && !found; i++)
		found = known.p[i] == pid;
	pthread_mutex_unlock(&known.mutex);
	return found;
}

size_t proc_known_count(void)
{
	size_t n;

	pthread_mutex_lock(&known.mutex);
	n = known.n - known.seats;
	pthread_mutex_unlock(&known.mutex);
	return n;
}

static void seats_count(int more)
{
	pthread_mutex_lock(&known.mutex);
	known.seats += (size_t)more;
	pthread_mutex_unlock(&known.mutex);
}

static atomic_bool spawned_aside;

bool proc_spawned_aside(void)
{
	return atomic_load(&spawned_aside);
}

/* --- starting --- */

pid_t proc_clone(int (*fn)(void *), void *arg, int flags, int *pidfd)
{
	static void *kept; /* of our first thread, which starts one task after the other */
	bool first = gettid() == getpid();
	void *stack = first && kept ? kept
				    : mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	sigset_t all, old;
	int fd = -1, error;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pid = clone(fn, (char *)stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags, arg, &fd);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (first)
		kept = stack;
	else
		munmap(stack, STACK_BYTES);
	errno = error;
	if (pid > 0)
		*pidfd = fd;
	return pid;
}

enum step { STEP_NONE, STEP_PARENT, STEP_CGROUP, STEP_LIMIT, STEP_BIND, STEP_ROOT, STEP_CWD, STEP_FDS, STEP_EXEC };

/* What the child reads, and where it leaves why it failed: our memory is its memory until exec. */
struct start {
	const struct proc_spec *s;
	const char *const *files; /* where the program may be; the first that is there is it. Ended by NULL */
	const char *const *shim_argv;
	char **sh_argv; /* "/bin/sh" FILE ARGS: for a script without a first line that names its interpreter */
	char *const *env;
	pid_t parent;
	unsigned uid, gid;
	volatile int error;
	volatile enum step step;
	volatile unsigned at;
};

IN_CHILD static void child_signals(void)
{
	/* As the kernel has it (all zero is SIG_DFL): the C library hides the two signals that it uses itself. */
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} dfl = {0};

	/* exec resets handlers, but what we or our caller ignore (SIGPIPE) would stay ignored. */
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(dfl.mask));
}

/* What becomes descriptor 3 + i. */
IN_CHILD static int child_source(const struct proc_spec *s, int i)
{
	if (!s->shim)
		return s->fds[i];
	if (i && (unsigned)i <= s->n_cgroups)
		return s->cgroups[i - 1];
	return i ? s->shim->hold[i - 1 - (int)s->n_cgroups] : s->shim->table;
}

/* Sources first move above all targets, so that no dup2 hits one that is still needed. */
IN_CHILD static int child_fds(const struct proc_spec *s)
{
	int from[3 + PROC_MAX_FDS];
	int n = 3 + (s->shim ? 1 + (int)s->n_cgroups + (int)s->shim->n_holds : (int)s->n_fds);

	from[0] = s->in;
	from[1] = s->out;
	from[2] = s->err;
	for (int i = 3; i < n; i++)
		from[i] = child_source(s, i - 3);
	for (int i = 0; i < n; i++) {
		if (from[i] < 0)
			from[i] = open("/dev/null", (i ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		if (from[i] >= 0 && from[i] < n)
			from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, n);
		if (from[i] < 0)
			return errno;
	}
	for (int i = 0; i < n; i++)
		if (dup2(from[i], i) < 0)
			return errno;
	/* Ours are all close-on-exec; those of libraries may not be. */
	(void)syscall(SYS_close_range, (unsigned)n, ~0u, CLOSE_RANGE_CLOEXEC);
	return 0;
}

IN_CHILD static int child_limits(const struct proc_spec *s)
{
	struct rlimit limit = {s->limit_memory, s->limit_memory};

	if (s->nice && setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + s->nice))
		return errno;
	if (s->limit_memory && setrlimit(RLIMIT_AS, &limit))
		return errno;
	return 0;
}

/* The program, wherever it is. Comes back with the errno that says most. */
IN_CHILD static int child_exec(const struct start *st)
{
	int error = ENOENT;

	if (st->shim_argv) {
		(void)syscall(SYS_execveat, shim_program(), "", st->shim_argv, st->env, AT_EMPTY_PATH);
		return errno;
	}
	for (const char *const *file = st->files; *file; file++) {
		execve(*file, (char *const *)st->s->argv, st->env);
		if (errno == ENOEXEC) {
			st->sh_argv[1] = (char *)(uintptr_t)*file;
			execve(st->sh_argv[0], st->sh_argv, st->env);
		}
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
	}
	return error;
}

IN_CHILD noreturn static void child_fail(struct start *st, enum step step, int error)
{
	st->step = step;
	st->error = error;
	_exit(127);
}

/* Runs in the child, in our memory: system calls only, and nothing of ours is changed but *st. */
IN_CHILD static int child_main(void *arg)
{
	struct start *st = arg;
	const struct proc_spec *s = st->s;
	unsigned at = 0;
	sigset_t none;
	int error;

	child_signals();
	if (s->shim)
		(void)setsid();
	else if (!s->same_group)
		(void)setpgid(0, 0);
	if (s->die_with_parent && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != st->parent))
		child_fail(st, STEP_PARENT, ESRCH);
	for (unsigned i = 0; !s->shim && i < s->n_cgroups; i++) /* a shim stays outside, and sends the task in */
		if (write(s->cgroups[i], "0", 1) != 1)
			child_fail(st, STEP_CGROUP, errno);
	if ((error = child_limits(s)))
		child_fail(st, STEP_LIMIT, error);
	error = s->root    ? root_apply(s->root, st->uid, st->gid, &at)
		: s->binds ? bind_apply(s->binds, st->uid, st->gid, &at)
			   : 0;
	if (error) {
		st->at = at;
		child_fail(st, s->root ? STEP_ROOT : STEP_BIND, error);
	}
	if (s->cwd && chdir(s->cwd))
		child_fail(st, STEP_CWD, errno);
	if ((error = child_fds(s)))
		child_fail(st, STEP_FDS, error);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	child_fail(st, STEP_EXEC, child_exec(st));
}

static const char *env_value(const char *const *env, const char *key)
{
	size_t n = strlen(key);

	for (; *env; env++)
		if (!strncmp(*env, key, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

char *proc_which(struct arena *a, const char *name, const char *path)
{
	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : arena_dup(a, name);
	if (!path)
		path = getenv("PATH");
	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		size_t n = strcspn(path, ":");
		char *full = n ? arena_printf(a, "%.*s/%s", (int)n, path, name) : arena_dup(a, name);
		struct stat st;

		if (!access(full, X_OK) && !stat(full, &st) && S_ISREG(st.st_mode))
			return full;
		if (!path[n])
			return NULL;
		path += n + 1;
	}
}

/* A script whose interpreter is not there fails with ENOENT, as if it were not there itself: tell them apart. */
static int no_interpreter(const char *file, const char *name, struct err *e)
{
	char line[256], *p = line, *end;
	int fd FD_CLEANUP = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (n <= 2 || line[0] != '#' || line[1] != '!')
		return 0;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	for (p += 2; *p == ' ' || *p == '\t'; p++)
		continue;
	end = p + strcspn(p, " \t");
	if (*end == '\0' && end > p && end[-1] == '\r') {
		end[-1] = '\0';
		err_set(e, ERR_NOT_FOUND, "%s cannot start: its first line ends as on Windows, so \"%s\" is not found",
		        name, p);
		err_hint(e, "save the file with Unix line ends");
		return -1;
	}
	*end = '\0';
	return err_set(e, ERR_NOT_FOUND, "%s cannot start: its first line names %s, which is not there", name, p);
}

/* The files of a root are not ours to look at: what is told is what exec said. */
static int not_inside(const struct start *st, struct err *e)
{
	const char *name = st->s->argv[0];

	if (strchr(name, '/')) {
		err_set(e, ERR_NOT_FOUND, "%s cannot be started: it, or what its first line names, is not there", name);
		return err_hint(e, "a sandbox shows the machine's folders but not its /tmp, nor datastore/ and .leat/");
	}
	err_set(e, ERR_NOT_FOUND, "there is no program %s on PATH", name);
	return err_hint(e, "install it, or name it by its full path");
}

static int start_failed(const struct start *st, struct arena *a, struct err *e)
{
	const struct proc_spec *s = st->s;
	const char *name = s->argv[0], *file = path_join(a, s->cwd ? s->cwd : "", st->files[0]);
	int error = st->error;

	if (st->step == STEP_EXEC && st->shim_argv)
		return err_errno(e, error, "%s cannot be started: no program can be executed from memory", name);
	if (st->step == STEP_EXEC && error == ENOENT && s->root)
		return not_inside(st, e);
	switch (st->step) {
	case STEP_CGROUP:
		return err_errno(e, error, "%s cannot enter its cgroup", name);
	case STEP_LIMIT:
		return err_errno(e, error, "%s cannot be given its limits", name);
	case STEP_CWD:
		return err_errno(e, error, "%s cannot start in the folder %s", name, s->cwd);
	case STEP_FDS:
		return err_errno(e, error, "%s cannot be given its descriptors", name);
	case STEP_BIND:
		if (st->at < s->binds->n)
			return err_errno(e, error, "cannot show %s at %s to %s", s->binds->mounts[st->at].source,
			                 s->binds->mounts[st->at].target, name);
		return err_errno(e, error, "cannot give %s its own view of the folders", name);
	case STEP_ROOT:
		return root_failed(s->root, st->at, error, name, e);
	case STEP_EXEC:
		if (error == ENOENT && no_interpreter(file, name, e))
			return -1;
		if (error == EACCES)
			err_errno(e, error, "%s cannot be executed", name);
		else
			err_errno(e, error, "%s cannot be started", name);
		if (error == EACCES && !access(file, F_OK))
			err_hint(e, "make it executable: chmod +x %s", name);
		return -1;
	default:
		return err_errno(e, error, "%s cannot be started", name);
	}
}

/* Where on PATH it may be, for a look-up in the child's root. */
static const char *const *places(struct arena *a, const char *name, const char *path)
{
	VEC(const char *) out = {0};

	while (path && *path) {
		size_t n = strcspn(path, ":");

		vec_push(a, &out, n ? arena_printf(a, "%.*s/%s", (int)n, path, name) : name);
		path += n + (path[n] == ':');
	}
	vec_push(a, &out, NULL);
	return out.p;
}

static const char *const *one_place(struct arena *a, const char *file)
{
	const char **out = arena_array(a, const char *, 2);

	out[0] = file;
	out[1] = NULL;
	return out;
}

static char **sh_argv(struct arena *a, const char *file, const char *const *argv)
{
	size_t n = 0;
	char **out;

	while (argv[n])
		n++;
	out = arena_array(a, char *, n + 2);
	out[0] = arena_dup(a, "/bin/sh");
	out[1] = arena_dup(a, file);
	for (size_t i = 1; i < n; i++)
		out[i + 1] = (char *)(uintptr_t)argv[i];
	return out;
}

/* sys/shim.h has their order. */
static const char *const *shim_argv(struct arena *a, const struct start *st, const struct proc_spec *s)
{
	VEC(const char *) v = {0};
	size_t n = 0;

	while (st->files[n])
		n++;
	vec_push(a, &v, SHIM_NAME);
	vec_push(a, &v, arena_printf(a, "%zu", s->shim->row * sizeof(struct shim_row) + sizeof(struct shim_begun)));
	vec_push(a, &v, arena_printf(a, "%d", (int)st->parent));
	vec_push(a, &v, s->shim->detach ? "1" : "0");
	vec_push(a, &v, arena_printf(a, "%u", s->n_cgroups));
	vec_push(a, &v, arena_printf(a, "%zu", n));
	for (size_t i = 0; i < n; i++)
		vec_push(a, &v, st->files[i]);
	for (const char *const *p = s->argv; *p; p++)
		vec_push(a, &v, *p);
	vec_push(a, &v, NULL);
	return v.p;
}

void proc_not_started(const struct proc_spec *s, const struct proc_exit *x, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *const *env = s->env ? s->env : (const char *const *)environ;
	const char *path = s->path ? s->path : env_value(env, "PATH"), *file = s->argv[0];
	struct start st = {.s = s, .step = x->no_folder ? STEP_CWD : STEP_EXEC, .error = x->no_exec};

	if (!strchr(file, '/') && !s->root)
		file = proc_which(a, file, path);
	st.files = one_place(a, file ? file : s->argv[0]);
	(void)start_failed(&st, a, e);
}

pid_t proc_spawn_seat(int orders)
{
	static const char *const none[] = {NULL};
	struct proc_shim shim = {.table = orders};
	struct proc_spec s = {.in = -1, .out = -1, .err = -1, .shim = &shim};
	struct start st = {.s = &s, .env = (char *const *)none, .parent = getpid()};
	char parent[16];
	const char *const argv[] = {SHIM_NAME, parent, NULL};
	int pidfd = -1;
	pid_t pid;

	if (shim_program() < 0) { /* made here: what a child makes is its own */
		errno = ENOSYS;
		return -1;
	}
	snprintf(parent, sizeof(parent), "%d", (int)st.parent);
	st.shim_argv = argv;
	pid = proc_clone(child_main, &st, 0, &pidfd);
	if (pid < 0)
		return -1;
	fd_close(&pidfd);
	if (st.error) {
		(void)waitpid(pid, NULL, 0);
		errno = st.error;
		return -1;
	}
	known_add(pid);
	seats_count(1);
	if (gettid() != getpid())
		atomic_store(&spawned_aside, true);
	return pid;
}

void proc_seat_gone(pid_t pid)
{
	known_del(pid);
	seats_count(-1);
}

/* Whether a shim that takes orders has it. */
static bool spawn_at_seat(const struct proc_spec *s, const char *const *files, const char *const *env, struct proc *out)
{
	struct shim_seat *seat = shim_seat_order(s, files, env);

	if (!seat)
		return false;
	*out = (struct proc){.pid = seat->pid, .pidfd = seat->fd, .own_group = true, .shimmed = true, .seat = seat,
	                     .table = s->shim->table, .row = s->shim->row};
	return true;
}

int proc_spawn(const struct proc_spec *s, struct proc *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *const *env = s->env ? s->env : (const char *const *)environ;
	struct start st = {.s = s, .env = (char *const *)env, .parent = getpid(), .uid = geteuid(), .gid = getegid()};
	const char *path = s->path ? s->path : env_value(env, "PATH"), *file = s->argv[0];
	int pidfd = -1;
	pid_t pid;

	BUG_IF(s->n_fds > PROC_MAX_FDS || (s->shim && (s->n_fds || s->die_with_parent)));
	if (!strchr(file, '/') && !s->root)
		file = proc_which(a, file, path);
	if (!file) {
		err_set(e, ERR_NOT_FOUND, "there is no program %s on PATH", s->argv[0]);
		return err_hint(e, "install it, or name it by its full path");
	}
	st.files = s->root && !strchr(file, '/') ? places(a, file, path) : one_place(a, file);
	if ((s->binds || s->root) && !bind_available(NULL))
		return err_set(e, ERR_PERMISSION, "%s cannot be given its own view of the folders on this machine",
		               s->argv[0]);
	if (s->shim && spawn_at_seat(s, st.files, env, out))
		return 0;
	st.sh_argv = sh_argv(a, file, s->argv);
	if (s->shim)
		st.shim_argv = shim_argv(a, &st, s);
	pid = proc_clone(child_main, &st, s->binds || s->root ? bind_clone_flags() : 0, &pidfd);
	if (pid < 0)
		return err_errno(e, errno, "%s cannot be started", s->argv[0]);
	if (st.error) {
		(void)waitpid(pid, NULL, 0);
		fd_close(&pidfd);
		return start_failed(&st, a, e);
	}
	known_add(pid);
	if (gettid() != getpid())
		atomic_store(&spawned_aside, true);
	*out = (struct proc){.pid = pid, .pidfd = pidfd, .own_group = !s->same_group};
	if (s->shim) {
		out->shimmed = true;
		out->table = s->shim->table;
		out->row = s->shim->row;
	}
	return 0;
}

/* A number may be another process's by now; but no other has the table where a shim has it. */
static bool has_table(pid_t pid, int table)
{
	struct stat theirs, ours;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, SHIM_TABLE_FD);
	return !stat(path, &theirs) && !fstat(table, &ours) && theirs.st_ino == ours.st_ino &&
	       theirs.st_dev == ours.st_dev;
}

int proc_adopt(int32_t pid, int table, uint32_t row, struct proc *out)
{
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return 0;
	/* Once the pidfd is there it cannot become one's. */
	if (!has_table(pid, table) || !clock_proc_start(pid)) {
		fd_close(&fd);
		return 0;
	}
	*out = (struct proc){.pid = pid, .pidfd = fd, .own_group = true, .shimmed = true, .adopted = true,
	                     .table = table, .row = row};
	return 1;
}

/* --- ending --- */

static void exit_of_told(const struct shim_told *told, struct proc_exit *x)
{
	const struct shim_told t = *told;

	*x = (struct proc_exit){.status = -1};
	x->usage.ru_utime = (struct timeval){t.user_us / 1000000, t.user_us % 1000000};
	x->usage.ru_stime = (struct timeval){t.system_us / 1000000, t.system_us % 1000000};
	x->usage.ru_maxrss = t.peak_kb;
	x->left = t.killed < 0;
	x->no_folder = t.no_folder;
	if (t.phase == SHIM_NO_EXEC)
		x->no_exec = t.error;
	else if (t.phase != SHIM_ENDED)
		x->lost = true;
	else if (WIFSIGNALED(t.status)) {
		x->signal = WTERMSIG(t.status);
		x->core = WCOREDUMP(t.status);
	} else {
		x->status = WEXITSTATUS(t.status);
	}
}

/* What the shim wrote, in place of how it ended itself. */
static void exit_of_shim(const struct proc *p, struct proc_exit *x)
{
	struct shim_told t;

	struct err ignored = ERR_INIT;
	struct shim_row row;

	shim_told(p->table, p->row, &t);
	exit_of_told(&t, x);
	x->unbegun = x->lost && shim_read(p->table, p->row, &row, &ignored) == 1 && row.begun.magic == SHIM_MAGIC &&
	             row.told.phase == SHIM_NONE;
}

void proc_told(int32_t pid, int table, uint32_t row, struct proc *out, struct proc_exit *x)
{
	*out = (struct proc){.pid = pid, .pidfd = -1, .own_group = true, .ended = true, .shimmed = true,
	                     .adopted = true, .table = table, .row = row};
	exit_of_shim(out, x);
}

/* Whoever started it has died, so init reaps it. */
static int watch_adopted(struct proc *p, int options, struct proc_exit *out)
{
	struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&pfd, 1, options & WNOHANG ? 0 : -1);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return 0;
	p->ended = true;
	if (out)
		exit_of_shim(p, out);
	return 1;
}

/* It tells us what it has written; or it has died, and left what it had written. */
static int hear_seat(struct proc *p, int options, struct proc_exit *out)
{
	struct shim_told told;
	struct proc_exit x;
	int r = shim_seat_answer(p->seat, !(options & WNOHANG), &told);

	if (!r)
		return 0;
	p->ended = true;
	if (r > 0)
		exit_of_told(&told, &x);
	else
		exit_of_shim(p, &x);
	p->stays = r > 0 && !x.left;
	if (out)
		*out = x;
	return 1;
}

static int reap(struct proc *p, int options, struct proc_exit *out, struct err *e)
{
	struct proc_exit x = {.status = -1};
	pid_t pid;
	int status;

	if (p->ended)
		return err_set(e, ERR_INTERNAL, "process %d has been waited for already", (int)p->pid);
	if (p->adopted)
		return watch_adopted(p, options, out);
	if (p->seat)
		return hear_seat(p, options, out);
	do
		pid = wait4(p->pid, &status, options, &x.usage);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return err_errno(e, errno, "cannot wait for process %d", (int)p->pid);
	if (!pid)
		return 0;
	if (WIFSIGNALED(status)) {
		x.signal = WTERMSIG(status);
		x.core = WCOREDUMP(status);
	} else {
		x.status = WEXITSTATUS(status);
	}
	p->ended = true;
	known_del(p->pid);
	if (p->shimmed)
		exit_of_shim(p, &x);
	if (out)
		*out = x;
	return 1;
}

int proc_wait(struct proc *p, struct proc_exit *out, struct err *e)
{
	return reap(p, 0, out, e) < 0 ? -1 : 0;
}

int proc_poll(struct proc *p, struct proc_exit *out, struct err *e)
{
	return reap(p, WNOHANG, out, e);
}

int proc_wait_for(struct proc *p, int64_t ms, struct proc_exit *out, struct err *e)
{
	int64_t end = clock_mono_ms() + ms;

	for (;;) {
		struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
		int64_t left = end - clock_mono_ms();
		int rc = proc_poll(p, out, e);

		if (rc || left <= 0)
			return rc;
		(void)poll(&pfd, 1, (int)MIN(left, 1 << 30));
	}
}

void proc_free(struct proc *p)
{
	if (!p->seat) {
		fd_close(&p->pidfd);
		return;
	}
	if (p->stays)
		shim_seat_give(p->seat);
	else
		shim_seat_end(p->seat, p->ended);
	p->seat = NULL;
	p->pidfd = -1;
}

void proc_exit_text(const struct proc_exit *x, char out[PROC_TEXT])
{
	const char *what = x->signal ? sigdescr_np(x->signal) : NULL;

	if (x->signal)
		snprintf(out, PROC_TEXT, "killed by signal %d (%s)", x->signal, what ? what : "unknown");
	else
		snprintf(out, PROC_TEXT, "exit status %d", x->status);
}

void proc_signal(const struct proc *p, int sig)
{
	if (p->pid <= 0)
		return;
	if (p->shimmed)
		(void)proc_signal_tree(p, NULL, sig);
	else if (p->own_group)
		(void)kill(-p->pid, sig);
	else if (!p->ended)
		(void)syscall(SYS_pidfd_send_signal, p->pidfd, sig, NULL, 0);
}

/* --- asking --- */

static char self_path[4096];

static void read_self(void)
{
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	/* A rebuilt program runs on as "... (deleted)": the name in /proc still opens it. */
	if (n <= 0 || access(self_path, X_OK))
		snprintf(self_path, sizeof(self_path), "/proc/%d/exe", (int)getpid());
}

const char *proc_self_exe(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_self);
	return self_path;
}

/* Reads what there is; 1 = more may come, 0 = the end, -1. */
static int take_output(int fd, struct buf *b, const char *name, struct err *e)
{
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n < 0)
		return err_errno(e, errno, "cannot read what %s prints", name);
	buf_add(b, chunk, (size_t)n);
	if (buf_over(b))
		return err_set(e, ERR_LIMIT, "%s printed more than %zu bytes", name, b->max);
	return n > 0;
}

/* To the end of the output, or of the process: a grandchild may keep the pipe open for ever. */
static int watch_output(struct proc *p, int fd, struct buf *b, const char *name, int64_t timeout_ms, struct err *e)
{
	int64_t end = clock_mono_ms() + timeout_ms;

	for (;;) {
		struct pollfd pfd[2] = {{.fd = fd, .events = POLLIN}, {.fd = p->pidfd, .events = POLLIN}};
		int64_t left = end - clock_mono_ms();
		int rc;

		if (timeout_ms >= 0 && left <= 0)
			return err_set(e, ERR_TIMEOUT, "%s did not end within %lld ms", name, (long long)timeout_ms);
		if (poll(pfd, 2, timeout_ms < 0 ? -1 : (int)MIN(left, 1 << 30)) < 0)
			continue;
		if (pfd[0].revents && (rc = take_output(fd, b, name, e)) <= 0)
			return rc;
		if (!pfd[0].revents && pfd[1].revents)
			return 0;
	}
}

int proc_output(struct arena *a, const struct proc_spec *s, size_t max, int64_t timeout_ms, struct str *out,
                struct proc_exit *x, struct err *e)
{
	struct proc_spec mine = *s;
	struct proc p = PROC_INIT;
	struct buf b = BUF_INIT(max);
	int fds[2], rc;

	if (fd_pipe(fds, e))
		return -1;
	mine.out = fds[1];
	rc = proc_spawn(&mine, &p, e);
	fd_close(&fds[1]);
	if (!rc) {
		struct err late = ERR_INIT;

		rc = watch_output(&p, fds[0], &b, s->argv[0], timeout_ms, e);
		if (rc)
			(void)!proc_kill_tree(&p, NULL, 0, x, &late); /* what went wrong first is told */
		else
			rc = proc_wait(&p, x, e);
		proc_free(&p);
	}
	fd_close(&fds[0]);
	if (!rc)
		*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return rc;
}
