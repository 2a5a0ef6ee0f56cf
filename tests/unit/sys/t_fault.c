/*
 * sys/fault: every writing operation of a small piece of work fails in turn, or dies half done; the file that it
 * replaces is the old one or the new one, whole, each time. Needs a build with faults.
 */
#include <signal.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/env.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "t.h"

static struct arena *a;
static char *dir;

static char *in(const char *name)
{
	return path_join(a, dir, name);
}

/* `t_fault work DIR`: exit 0, or 10 + the code of the error. */
static int work(void)
{
	struct err e = ERR_INIT;

	if (dir_make(in("x/y"), 0755, &e) || file_replace(in("target"), STR("new bytes"), 0, FILE_SYNC, &e) ||
	    file_copy(in("target"), in("x/copy"), 0444, FILE_SYNC, &e) ||
	    file_link(in("x/copy"), in("x/y/link"), &e) < 0 ||
	    dir_remove_tree(in("x"), &e))
		return 10 + (int)e.code;
	return 0;
}

static void begin(void)
{
	struct err e = ERR_INIT;

	if (dir_remove_tree(dir, &e) || dir_make(dir, 0755, &e) || file_write(in("target"), STR("old"), 0644, 0, &e))
		T_OK(false, "a clean folder is made: %s", e.msg);
}

static void run(const char *key, const char *value, struct proc_exit *x)
{
	const char *argv[] = {proc_self_exe(), "work", dir, NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;
	struct env env;

	begin();
	env_init(&env, a);
	env_keep(&env, "PATH");
	env_set(&env, key, value);
	s.argv = argv;
	s.env = env_array(&env);
	if (proc_spawn(&s, &p, &e) || proc_wait(&p, x, &e))
		T_OK(false, "the work starts: %s", e.msg);
	proc_free(&p);
}

static const char *target(void)
{
	struct err e = ERR_INIT;
	struct str s;

	return file_read(a, in("target"), 100, &s, &e) ? arena_dup(a, e.msg) : s.p;
}

static bool whole(void)
{
	return !strcmp(target(), "old") || !strcmp(target(), "new bytes");
}

static unsigned temporaries(void)
{
	struct err e = ERR_INIT;
	struct dir_names names;
	unsigned n = 0;

	if (dir_list(a, dir, &names, &e))
		return 999;
	for (size_t i = 0; i < names.n; i++)
		n += strstr(names.p[i], ".tmp") != NULL;
	return n;
}

static int64_t count_operations(void)
{
	struct proc_exit x;
	struct str text;
	struct err e = ERR_INIT;
	struct str head = STR_NULL, tail;
	int64_t n = 0;

	run("LEAT_FAULT_COUNT", in("count"), &x);
	T_INT(x.status, 0, "the work runs when nothing fails");
	T_STR(target(), "new bytes", "and is done");
	T_NO_ERR(file_read(a, in("count"), 100, &text, &e), &e, "its operations were counted");
	T_OK(str_cut(text, ' ', &head, &tail) && str_to_i64(head, &n) && n > 10, "there are %lld", (long long)n);
	return n;
}

static void test_each(int64_t n)
{
	char value[64];
	struct proc_exit x;

	for (int64_t i = 1; i <= n; i++) {
		bool full, eio;

		snprintf(value, sizeof(value), "enospc@%lld", (long long)i);
		run("LEAT_FAULT", value, &x);
		full = x.status == 10 + ERR_DISK_FULL && whole() && !temporaries();
		T_OK(full,
		     "%s: told as a full disk, %s is whole, nothing lies about (exit %d)", value, target(), x.status);
		snprintf(value, sizeof(value), "eio@%lld", (long long)i);
		run("LEAT_FAULT", value, &x);
		eio = x.status == 10 + ERR_IO && whole() && !temporaries();
		T_OK(eio, "%s: told, %s is whole, nothing lies about (exit %d)", value, target(), x.status);
		snprintf(value, sizeof(value), "torn@%lld", (long long)i);
		run("LEAT_FAULT", value, &x);
		T_OK(x.signal == SIGKILL && whole(), "%s: the process dies, %s is whole", value, target());
	}
	snprintf(value, sizeof(value), "enospc@%lld", (long long)n + 1);
	run("LEAT_FAULT", value, &x);
	T_INT(x.status, 0, "after the last operation nothing fails");
}

static void test_points(void)
{
	const struct fault_point *points;
	struct proc_exit x;
	size_t n;

	points = fault_names(&n);
	T_OK(n >= 2, "there is a table of points");
	for (size_t i = 0; i < n; i++) {
		if (strncmp(points[i].name, "file-", 5))
			continue;
		run("LEAT_CRASH_AT", points[i].name, &x);
		T_OK(x.signal == SIGKILL, "at %s the process dies", points[i].name);
		T_STR(target(), strstr(points[i].name, "before") ? "old" : "new bytes", "and the file is as it says");
		run("LEAT_CRASH_AT", arena_printf(a, "%s:2", points[i].name), &x);
		T_INT(x.status, 0, "a second time is not reached");
	}
}

int main(int argc, char **argv)
{
	char name[] = "/tmp/leat-t-fault-XXXXXX";
	struct err e = ERR_INIT;
	size_t n;
	int rc;

	a = arena_new();
	if (argc == 3 && !strcmp(argv[1], "work")) {
		dir = argv[2];
		rc = work();
		arena_free(a);
		return rc;
	}
	if (!fault_names(&n))
		T_SKIP_ALL("this build has no fault points (meson setup -Dfaults=true)");
	dir = mkdtemp(name);
	test_each(count_operations());
	test_points();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
