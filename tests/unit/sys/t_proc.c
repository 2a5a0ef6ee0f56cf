/* sys/proc: starting, watching, ending; what a task leaves behind. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/rand.h"
#include "sys/shim.h"
#include "t.h"

static struct arena *a;
static char *dir;

static const char *const *sh(const char *script)
{
	const char **argv = arena_array(a, const char *, 4);

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = script;
	return argv;
}

static void run(const char *script, struct proc_exit *x, struct str *out)
{
	struct proc_spec s = PROC_SPEC;
	struct err e = ERR_INIT;

	s.argv = sh(script);
	T_NO_ERR(proc_output(a, &s, 1 << 20, 20000, out, x, &e), &e, "sh -c '%s' runs", script);
}

static void test_status(void)
{
	struct proc_exit x;
	struct str out;
	char text[PROC_TEXT];

	run("echo hello; exit 3", &x, &out);
	T_STR(out.p, "hello\n", "what a child prints is given");
	proc_exit_text(&x, text);
	T_STR(text, "exit status 3", "an exit status is told");
	run("kill -9 $$", &x, &out);
	proc_exit_text(&x, text);
	T_STR(text, "killed by signal 9 (Killed)", "a signal is told");
	T_OK(!proc_exit_ok(&x), "a killed child is no success");
	run("cut -d' ' -f5 /proc/$$/stat | tr -d '\\n'; echo \"=$$\"", &x, &out);
	T_OK(out.n && strtol(out.p, NULL, 10) == strtol(strchr(out.p, '=') + 1, NULL, 10),
	     "a child leads its own group");
	/* make starts its children with a signal of libc's own ignored, which sigaction() does not touch */
	(void)syscall(SYS_rt_sigaction, 32, (const unsigned long[4]){(unsigned long)SIG_IGN}, NULL, 8);
	run("grep SigBlk /proc/self/status | cut -f2; grep SigIgn /proc/self/status | cut -f2", &x, &out);
	T_STR(out.p, "0000000000000000\n0000000000000000\n", "a child blocks and ignores no signal");
	run("ls /proc/self/fd | wc -l", &x, &out);
	T_INT(strtol(out.p, NULL, 10), 4, "a child has three descriptors (and the one that ls opens)");
}

static void fails(const char *program, const char *cwd, enum err_code code, const char *says)
{
	const char *argv[] = {program, NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;

	s.argv = argv;
	s.cwd = cwd;
	if (T_INT(proc_spawn(&s, &p, &e), -1, "%s does not start", program))
		T_ERR(&e, code, says, "and the reason names \"%s\"", says);
}

static void test_refusals(void)
{
	struct err e = ERR_INIT;
	char *script = path_join(a, dir, "noint"), *crlf = path_join(a, dir, "crlf");
	char *plain = path_join(a, dir, "plain");
	char *bare = path_join(a, dir, "bare.sh");
	const char *argv[] = {"./bare.sh", "x y", NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;
	struct str out;

	T_NO_ERR(file_write(script, STR("#!/no/such/bin -x\necho\n"), 0755, 0, &e), &e, "a script is written");
	T_NO_ERR(file_write(crlf, STR("#!/bin/sh\r\necho\r\n"), 0755, 0, &e), &e, "one with Windows lines too");
	T_NO_ERR(file_write(plain, STR("data"), 0644, 0, &e), &e, "a plain file too");
	T_NO_ERR(file_write(bare, STR("echo \"bare:$1\"\n"), 0755, 0, &e), &e, "a script without #! too");
	fails("no-such-program-at-all", NULL, ERR_NOT_FOUND, "no program no-such-program-at-all on PATH");
	fails("/no/such/file", NULL, ERR_NOT_FOUND, "/no/such/file");
	fails(script, NULL, ERR_NOT_FOUND, "names /no/such/bin, which is not there");
	fails("./crlf", dir, ERR_NOT_FOUND, "Windows");
	fails(plain, NULL, ERR_PERMISSION, "chmod +x");
	fails("/bin/true", "/no/such/folder", ERR_NOT_FOUND, "in the folder /no/such/folder");
	s.argv = argv;
	s.cwd = dir;
	T_NO_ERR(proc_output(a, &s, 100, 10000, &out, &x, &e), &e, "a script without #! runs by sh, from its folder");
	T_STR(out.p, "bare:x y\n", "and has its arguments");
}

static void test_handed(void)
{
	struct env env;
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct proc_exit x;
	struct err e = ERR_INIT;
	char *file = path_join(a, dir, "handed");
	struct str text;
	int fd FD_CLEANUP = -1, low FD_CLEANUP = -1;

	env_init(&env, a);
	env_set(&env, "PATH", "/usr/bin:/bin");
	env_set(&env, "A", "1");
	env_set(&env, "A", "2");
	T_NO_ERR(file_open_write(file, O_TRUNC, 0644, &fd, &e), &e, "a file is open");
	low = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* may well be 4: the sources and targets cross */
	s.argv = sh("env | sort; echo err >&2; echo three >&3; echo four >&4; cat; pwd");
	s.env = env_array(&env);
	s.cwd = "/";
	s.out = s.err = fd;
	s.fds[0] = low;
	s.fds[1] = fd;
	s.n_fds = 2;
	T_NO_ERR(proc_spawn(&s, &p, &e), &e, "a child is handed five descriptors");
	T_NO_ERR(proc_wait(&p, &x, &e), &e, "and waited for");
	T_INT(proc_wait(&p, &x, &e), -1, "but not twice");
	proc_free(&p);
	err_clear(&e);
	T_NO_ERR(file_read(a, file, 1000, &text, &e), &e, "what it wrote is there");
	T_STR(text.p, "A=2\nPATH=/usr/bin:/bin\nPWD=/\nerr\nthree\nfour\n/\n",
	      "with its environment only, in its folder, with an empty standard input");
}

/* A pid that a script wrote; it is gone when it is no more or only a zombie. */
static pid_t pid_in(const char *name)
{
	struct str text;
	struct err e = ERR_INIT;
	int64_t pid = 0;

	for (int i = 0; i < 2000; i++) {
		if (!file_read(a, path_join(a, dir, name), 100, &text, &e) && text.n > 1 &&
		    text.p[text.n - 1] == '\n' && str_to_i64(str_trim(text), &pid))
			return (pid_t)pid;
		clock_sleep_ms(5);
	}
	return 0;
}

static bool gone(pid_t pid)
{
	return pid > 0 && !clock_proc_start(pid);
}

static void test_tree(void)
{
	static const char script[] =
		"trap '' TERM\n"
		"sh -c 'echo $$ > plain; exec sleep 1000' &\n"
		"setsid sh -c 'echo $$ > session; exec sleep 1000' &\n"
		"(setsid sh -c 'sh -c \"echo \\$\\$ > orphan; exec sleep 1000\" & exit 0' &)\n"
		"echo $$ > self; while :; do sleep 1000; done";
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct proc_exit x = {0};
	struct err e = ERR_INIT;
	struct env env;
	char marker[RAND_ID], text[PROC_TEXT];
	pid_t plain, session, orphan, self;
	int n;

	rand_id(marker);
	env_init(&env, a);
	env_keep(&env, "PATH");
	env_set(&env, PROC_MARKER, marker);
	s.argv = sh(script);
	s.env = env_array(&env);
	s.cwd = dir;
	T_NO_ERR(proc_spawn(&s, &p, &e), &e,
	         "a task starts that ignores SIGTERM and has a child, a setsid child and a setsid orphan");
	plain = pid_in("plain"), session = pid_in("session"), orphan = pid_in("orphan"), self = pid_in("self");
	T_INT(self, p.pid, "the task is the child");
	T_OK(!gone(plain) && !gone(session) && !gone(orphan), "all of them live");
	n = proc_kill_tree(&p, marker, 50, &x, &e);
	T_OK(n >= 1, "what does not obey is killed (%d)", n);
	proc_exit_text(&x, text);
	T_STR(text, "killed by signal 9 (Killed)", "the task itself was");
	T_OK(gone(plain) && gone(session) && gone(orphan) && gone(self), "nothing of it is left");
	T_INT(proc_kill_tree(&p, marker, 50, NULL, &e), 0, "a second time nothing is found");
	proc_free(&p);
}

/* The environment wiped, its own session, its parent gone: only the subreaper knows it. */
static void test_hidden(void)
{
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct proc_exit x;
	struct err e = ERR_INIT;
	pid_t hidden;

	s.argv = sh("(setsid env -i PATH=/usr/bin:/bin sh -c '"
	            "sh -c \"echo \\$\\$ > hidden; exec sleep 1000\" & exit 0' &)\n"
	            "while [ ! -s hidden ]; do sleep 0.01; done");
	s.cwd = dir;
	T_NO_ERR(proc_spawn(&s, &p, &e), &e, "a task hides an orphan");
	T_NO_ERR(proc_wait(&p, &x, &e), &e, "and ends");
	hidden = pid_in("hidden");
	T_OK(!gone(hidden), "the orphan lives on");
	T_OK(proc_kill_tree(&p, "no-marker", 0, NULL, &e) >= 1, "it is found, though nothing marks it");
	T_OK(gone(hidden), "and ended");
	T_INT(proc_reap_orphans(), 0, "no orphan is left");
	proc_free(&p);
}

static void test_polite(void)
{
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct proc_exit x;
	struct err e = ERR_INIT;

	s.argv = sh("trap 'echo bye > polite; exit 7' TERM; echo $$ > ready; while :; do sleep 0.02; done");
	s.cwd = dir;
	s.err = -1; /* the shell says "Terminated" */
	T_NO_ERR(proc_spawn(&s, &p, &e), &e, "a task that tidies up starts");
	T_OK(pid_in("ready") > 0, "it is ready");
	T_INT(proc_kill_tree(&p, NULL, 20000, &x, &e), 0, "SIGTERM is enough");
	T_INT(x.status, 7, "it ended in its own way");
	T_OK(file_exists(path_join(a, dir, "polite")), "and had time to write");
	proc_free(&p);
}

static void test_limits(void)
{
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;
	struct str out;
	struct err e = ERR_INIT;
	const char *argv[] = {"yes", NULL};

	s.argv = sh("sleep 1000");
	T_INT(proc_output(a, &s, 100, 30, &out, &x, &e), -1, "a time limit ends a child");
	T_ERR(&e, ERR_TIMEOUT, "within 30 ms", "and says so");
	s.argv = argv;
	T_INT(proc_output(a, &s, 100000, 20000, &out, &x, &e), -1, "a ceiling on output ends a child");
	T_ERR(&e, ERR_LIMIT, "100000 bytes", "and says so");
	T_OK(proc_cpus() >= 1, "there is a processor");
	T_OK(proc_memory() > 1 << 20, "there is memory");
	T_OK(!access(proc_self_exe(), X_OK), "this program's own file can be started");
	T_OK(clock_proc_start(getpid()) > 0, "this process has a start time");
	T_OK(strlen(clock_boot_id()) == 36, "the machine has a boot id");
}

/* --- shims that take one task after the other --- */

static int shim_table;

static pid_t shimmed(struct proc_spec *s, uint32_t row, const char *says, struct proc_exit *x)
{
	static struct proc_shim shim;
	struct shim_begun begun = {.unit = row};
	struct proc p = PROC_INIT;
	struct shim_told told;
	struct err e = ERR_INIT;
	pid_t pid;

	shim = (struct proc_shim){.table = shim_table, .row = row};
	s->shim = &shim;
	T_NO_ERR(shim_begin(shim_table, row, &begun, &e), &e, "the row is announced");
	T_NO_ERR(proc_spawn(s, &p, &e), &e, "%s: it starts", says);
	T_NO_ERR(proc_wait(&p, x, &e), &e, "%s: it ends", says);
	shim_told(shim_table, row, &told);
	T_INT(told.pid, p.pid, "%s: its row names its shim", says);
	pid = p.pid;
	proc_free(&p);
	return pid;
}

static void test_seats(void)
{
	char *table = arena_printf(a, "%s/tasks", dir), *said = arena_printf(a, "%s/said", dir), *big;
	const char *many[1200], *env[3] = {"PATH=/usr/bin:/bin", NULL, NULL};
	struct proc_spec s = PROC_SPEC;
	struct err e = ERR_INIT;
	struct proc_exit x;
	siginfo_t gone;
	pid_t first, next;
	int log FD_CLEANUP = open(said, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fds[2];
	char got[64] = "";

	T_NO_ERR(shim_open(table, true, &shim_table, &e), &e, "a table is made");
	s.out = s.err = log;
	s.cwd = dir;
	s.argv = sh("pwd; exit 3");
	first = shimmed(&s, 0, "the first task", &x);
	T_INT(x.status, 3, "its status comes");
	T_OK(pread(log, got, sizeof(got) - 1, 0) > 0 && !strncmp(got, dir, strlen(dir)), "it ran where it was told to");
	T_OK(x.usage.ru_maxrss > 0, "and its memory is known");
	s.argv = sh("kill -9 $$");
	T_INT(shimmed(&s, 1, "another task", &x), first, "has the same shim");
	T_INT(x.signal, 9, "its signal comes");
	T_OK(!pipe(fds), "a pipe");
	s.in = fds[0];
	T_OK(write(fds[1], "5\n", 2) == 2, "is written to");
	s.argv = sh("read n; exit $n");
	T_INT(shimmed(&s, 0, "one that reads", &x), first, "has the same shim, and its row is used again");
	T_INT(x.status, 5, "and what it is to read");
	s.in = -1;
	close(fds[0]);
	close(fds[1]);
	s.argv = sh("setsid sleep 1000 & :");
	T_INT(shimmed(&s, 0, "one that leaves something", &x), first, "has the same shim");
	T_OK(!x.left && !x.lost, "which ends what was left");
	s.cwd = "/no/such/folder";
	T_INT(shimmed(&s, 0, "one that has no folder", &x), first, "has the same shim");
	proc_not_started(&s, &x, &e);
	T_ERR(&e, ERR_NOT_FOUND, "cannot start in the folder /no/such/folder", "and says so");
	s.cwd = dir;

	T_OK(!kill(first, SIGKILL) && !waitid(P_PID, (id_t)first, &gone, WEXITED | WNOWAIT),
	     "it is killed while it has nothing to do");
	s.argv = sh("exit 0");
	next = shimmed(&s, 2, "the next task", &x);
	T_OK(next != first && proc_exit_ok(&x), "has another");
	s.argv = sh("kill -9 $PPID");
	T_INT(shimmed(&s, 3, "one that kills it", &x), next, "had the same");
	T_OK(x.lost, "and how it ended is not known");

	/* What an order does not hold goes to a shim of its own. */
	s.argv = sh("exit ${#BIG}");
	first = shimmed(&s, 4, "a task", &x);
	big = arena_alloc(a, 70001);
	memset(big, 'x', 70000);
	memcpy(big, "BIG=", 4);
	big[70000] = '\0';
	env[1] = big;
	s.env = env;
	s.argv = sh("test ${#BIG} = 69996");
	T_OK(shimmed(&s, 5, "one with a large environment", &x) != first && proc_exit_ok(&x), "runs too");
	s.env = NULL;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = i ? "x" : "true";
	many[ARRAY_LEN(many) - 1] = NULL;
	s.argv = many;
	T_OK(shimmed(&s, 6, "one with many arguments", &x) != first && proc_exit_ok(&x), "runs too");
	shim_seats_end();
	T_OK(kill(first, 0) && errno == ESRCH, "in the end none is left");
	close(shim_table);
}

int main(void)
{
	char name[] = "/tmp/leat-t-proc-XXXXXX";
	struct err e = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	a = arena_new();
	dir = mkdtemp(name);
	proc_subreaper();
	test_status();
	test_refusals();
	test_handed();
	test_tree();
	test_hidden();
	test_polite();
	test_limits();
	test_seats();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
