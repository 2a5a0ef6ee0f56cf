/*
 * The shim (sys/shim.h): a program of its own, without a C library: a static one with glibc takes 1 ms to start, this
 * one a tenth of that. System calls only; nothing here allocates.
 */
#include <asm/unistd.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "sys/shim.h"

#define PR_SET_NAME 15
#define PR_SET_CHILD_SUBREAPER 36
#define F_SETFD 2
#define FD_CLOEXEC 1
#define AT_FDCWD (-100)
#define O_CLOEXEC 02000000
#define SIG_SETMASK 2
#define SIGKILL 9
#define SIGCHLD 17
#define MSG_TRUNC 0x20
#define MSG_CTRUNC 8
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENOEXEC 8
#define ENOTDIR 20
#define CLOCK_REALTIME 0
#define STACK 16384
#define CHILDREN 4096
#define NOT_STARTED 127
#define ORDER_FDS (3 + SHIM_HOLDS) /* the table, 1 and 2, 0, what is kept open */

struct times {
	long s, ns;
};

struct usage {
	long user_s, user_us, system_s, system_us, peak_kb, rest[14]; /* more than the kernel's, which is 16 longs */
};

/* As the kernel has them. */
struct piece {
	void *p;
	unsigned long n;
};

struct rights {
	unsigned long n;
	int level, type;
	int fd[ORDER_FDS + 1]; /* and room to end on */
};

struct message {
	void *name;
	unsigned name_n;
	struct piece *pieces;
	unsigned long n_pieces;
	struct rights *control;
	unsigned long control_n;
	unsigned flags;
};

#if defined(__x86_64__)

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall shim_main\n\tud2\n");

static inline long call6(long n, long a, long b, long c, long d, long f, long g)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = f;
	register long r9 __asm__("r9") = g;
	long out;

	__asm__ volatile("syscall"
	                 : "=a"(out)
	                 : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return out;
}

/* The child runs fn(arg) on a stack of its own, in our memory, while we stand still. */
static long start_child(void (*fn)(void *), void *arg, char *stack)
{
	register void *f __asm__("r12") = (void *)fn;
	register void *p __asm__("r13") = arg;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long out;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\t"
	                 "call *%%r12\n\tud2\n1:"
	                 : "=a"(out)
	                 : "0"((long)__NR_clone), "D"((long)(CLONE_VM | CLONE_VFORK | SIGCHLD)), "S"(stack), "d"(0L),
	                   "r"(r10), "r"(r8), "r"(f), "r"(p)
	                 : "rcx", "r11", "memory");
	return out;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tbl shim_main\n\tbrk #0\n");

static inline long call6(long n, long a, long b, long c, long d, long f, long g)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = f;
	register long x5 __asm__("x5") = g;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

static long start_child(void (*fn)(void *), void *arg, char *stack)
{
	register void *f __asm__("x19") = (void *)fn;
	register void *p __asm__("x20") = arg;
	register long x8 __asm__("x8") = __NR_clone;
	register long x0 __asm__("x0") = CLONE_VM | CLONE_VFORK | SIGCHLD;
	register char *x1 __asm__("x1") = stack;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	__asm__ volatile("svc #0\n\tcbnz x0, 1f\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, x20\n\tblr x19\n\tbrk #0\n1:"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(f), "r"(p)
	                 : "memory");
	return x0;
}

#else
#error "sys/shim_main.c knows x86-64 and arm64"
#endif

#define sys0(n) call6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(n, a, b, c, d, f) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(f), 0)

static struct shim_told told;
static long told_at;
static char stack[STACK] __attribute__((aligned(16)));
static char list[CHILDREN];

struct task {
	char **files, **argv, **env;
	const char *folder; /* NULL: the one that we are in, and the descriptors that we have */
	long n_files, n_groups, in, out;
};

static struct shim_order order;
static char strings[SHIM_ORDER_MAX + 1];
static char *words[SHIM_ORDER_WORDS];

static _Noreturn void leave(long status)
{
	for (;;)
		(void)sys1(__NR_exit_group, status);
}

static long tell(unsigned phase)
{
	told.phase = phase;
	return sys4(__NR_pwrite64, SHIM_TABLE_FD, &told, sizeof(told), told_at);
}

static long number(const char *text)
{
	long n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (*text - '0');
	return n;
}

/* In the child: a group of its own, so that who signals the task does not mean us. */
static void child(void *arg)
{
	struct task *t = arg;
	unsigned long none = 0;
	long error = ENOENT;

	(void)sys2(__NR_setpgid, 0, 0);
	if (t->folder) {
		long r = sys1(__NR_chdir, t->folder);

		if (r < 0) {
			told.error = (int)-r;
			told.no_folder = 1;
			leave(NOT_STARTED);
		}
		if (t->in >= 0)
			(void)sys3(__NR_dup3, t->in, 0, 0);
		(void)sys3(__NR_dup3, t->out, 1, 0);
		(void)sys3(__NR_dup3, t->out, 2, 0);
	}
	(void)sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof(none));
	for (long i = 0; i < t->n_groups; i++) {
		long r = sys3(__NR_write, SHIM_TABLE_FD + 1 + i, "0", 1);

		if (r != 1) {
			told.error = r < 0 ? (int)-r : EIO;
			leave(NOT_STARTED);
		}
	}
	for (long i = 0; i < t->n_files; i++) {
		long r = -sys3(__NR_execve, t->files[i], t->argv, t->env);

		if (r == ENOEXEC) { /* a script without a first line that names its interpreter */
			char **sh = t->argv - 1;

			sh[0] = (char *)"/bin/sh";
			sh[1] = t->files[i];
			error = -sys3(__NR_execve, sh[0], sh, t->env);
			break;
		}
		if (r != ENOENT && r != ENOTDIR)
			error = r;
	}
	told.error = (int)error; /* our memory is the shim's */
	leave(NOT_STARTED);
}

/* Ends our children: how many; -1 if the kernel does not tell who they are, or they are not ours to end (sudo). */
static int kill_children(void)
{
	long fd = sys4(__NR_openat, AT_FDCWD, "/proc/thread-self/children", O_CLOEXEC, 0), n;
	int found = 0, killed = 0;

	if (fd < 0)
		return -1;
	n = sys3(__NR_read, fd, list, sizeof(list) - 1);
	(void)sys1(__NR_close, fd);
	if (n < 0)
		return -1;
	list[n] = '\0';
	for (char *p = list; *p; found++) {
		char *end = p;

		while (*end && *end != ' ')
			end++;
		/* A number that was cut off is some other process; the rest comes with the next look. */
		if (!*end && n == sizeof(list) - 1)
			break;
		killed += !sys2(__NR_kill, number(p), SIGKILL);
		for (p = end; *p == ' ' || *p == '\n'; p++)
			continue;
	}
	return found && !killed ? -1 : killed;
}

static void count(const struct usage *u)
{
	told.user_us += u->user_s * 1000000 + u->user_us;
	told.system_us += u->system_s * 1000000 + u->system_us;
	if (u->peak_kb > told.peak_kb)
		told.peak_kb = u->peak_kb;
}

/* The next child that ends; 0 with WNOHANG: none has; below 0: there is none. */
#ifdef __clang__
/* Clang writes `= {0}` as a call of it, also where there is no C library. */
void *memset(void *to, int byte, unsigned long n);
void *memset(void *to, int byte, unsigned long n)
{
	for (volatile char *p = to; n--; p++)
		*p = (char)byte;
	return to;
}
#endif

static long wait_any(long how, int *status)
{
	struct usage u = {0};
	long pid;

	do
		pid = sys4(__NR_wait4, -1, status, how, &u);
	while (pid == -EINTR);
	if (pid > 0)
		count(&u);
	return pid;
}

/* What the task left running is no part of it. It came to us, and what it leaves comes to us too. */
static void end_rest(void)
{
	int status;
	long r;

	while ((r = wait_any(WNOHANG, &status)) >= 0) {
		int killed = r ? 0 : kill_children();

		if (killed < 0) {
			told.killed = -1;
			return;
		}
		told.killed += killed;
		if (killed && wait_any(0, &status) < 0)
			return;
	}
}

/* One task, from its row to its row. */
static unsigned carry(struct task *t, long parent, long flags)
{
	struct times now;
	long pid, got;
	int status = 0;

	told.pid = (int)sys0(__NR_getpid);
	if (tell(SHIM_STARTED) < 0)
		leave(3);
	/*
	 * Who takes over from a dead one reads the table after that one's death: if it says nothing, we have not come
	 * to here, and see now that he is dead.
	 */
	if (sys0(__NR_getppid) != parent)
		return SHIM_GIVEN_UP;
	pid = start_child(child, t, stack + STACK);
	if (pid < 0) {
		told.error = (int)-pid;
		return SHIM_NO_EXEC;
	}
	while ((got = wait_any(0, &status)) != pid && got > 0)
		continue;
	told.status = status;
	if (!(flags & SHIM_DETACH))
		end_rest();
	(void)sys2(__NR_clock_gettime, CLOCK_REALTIME, &now);
	told.ended_ms = now.s * 1000 + now.ns / 1000000;
	return told.error ? SHIM_NO_EXEC : SHIM_ENDED;
}

/* The strings of an order, in lists each of which ends with NULL, but for the files, before which nothing stands. */
static int read_words(struct task *t, unsigned long n)
{
	unsigned long want[] = {order.n_files, order.n_argv, order.n_env}, w = 0;
	char *p = strings, *end = strings + n;

	*end = '\0';
	t->folder = p;
	for (int which = 0; which < 3; which++) {
		if (which == 1)
			t->argv = words + w;
		if (which == 2)
			t->env = words + w;
		for (unsigned long i = 0; i < want[which]; i++) {
			while (*p)
				p++;
			if (++p >= end || w + 3 >= SHIM_ORDER_WORDS)
				return -1;
			words[w++] = p;
		}
		if (which)
			words[w++] = (char *)0;
	}
	t->files = words;
	t->n_files = order.n_files;
	return 0;
}

static long take_order(struct rights *rights)
{
	struct piece pieces[] = {{&order, sizeof(order)}, {strings, SHIM_ORDER_MAX}};
	struct message m = {(void *)0, 0, pieces, 2, rights, sizeof(*rights), 0};
	long n;

	do
		n = sys3(__NR_recvmsg, SHIM_ORDERS_FD, &m, MSG_CMSG_CLOEXEC);
	while (n == -EINTR);
	return m.flags & (MSG_TRUNC | MSG_CTRUNC) || m.control_n < sizeof(unsigned long) + 2 * sizeof(int) ? -1 : n;
}

/* One task after the other, until who orders them has gone. */
static _Noreturn void serve(long parent)
{
	(void)sys3(__NR_dup3, SHIM_TABLE_FD, SHIM_ORDERS_FD, O_CLOEXEC);
	for (;;) {
		struct rights rights = {0};
		struct task t = {0};
		long n = take_order(&rights);

		if (n <= (long)sizeof(order) || read_words(&t, (unsigned long)n - sizeof(order)) < 0)
			leave(0);
		(void)sys3(__NR_dup3, rights.fd[0], SHIM_TABLE_FD, O_CLOEXEC);
		(void)sys1(__NR_close, rights.fd[0]);
		t.out = rights.fd[1];
		t.in = order.has_in ? rights.fd[2] : -1;
		told = (struct shim_told){0};
		told_at = order.told_at;
		if (tell(carry(&t, parent, order.flags)) < 0)
			leave(3);
		(void)sys1(__NR_close, t.out);
		if (t.in >= 0)
			(void)sys1(__NR_close, t.in);
		for (unsigned i = 0; i < order.n_holds; i++)
			(void)sys1(__NR_close, rights.fd[2 + order.has_in + i]);
		(void)call6(__NR_sendto, SHIM_ORDERS_FD, (long)&told, sizeof(told), MSG_NOSIGNAL, 0, 0);
	}
}

void shim_main(long *start) __asm__("shim_main");
__attribute__((used)) void shim_main(long *start)
{
	long argc = start[0];
	char **argv = (char **)(start + 1);
	unsigned long all = ~0ul;
	struct task t = {0};

	if (argc != 2 && argc < 8)
		leave(2);
	(void)sys4(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
	(void)sys2(__NR_prctl, PR_SET_NAME, SHIM_NAME);
	(void)sys5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (argc == 2)
		serve(number(argv[1]));
	told_at = number(argv[1]);
	t.n_groups = number(argv[4]);
	t.n_files = number(argv[5]);
	t.files = argv + 6;
	for (long i = 0; i <= t.n_groups + SHIM_HOLDS; i++) /* one that is not there is no harm */
		(void)sys3(__NR_fcntl, SHIM_TABLE_FD + i, F_SETFD, FD_CLOEXEC);
	t.argv = t.files + t.n_files;
	t.env = argv + argc + 1;
	leave(tell(carry(&t, number(argv[2]), number(argv[3]))) < 0 ? 3 : 0);
}
