/* sys/root: a root folder of its own for a child. Run by root it tries an ordinary user as well. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/root.h"
#include "t.h"

static struct arena *a;
static char *dir;

static char *in(const char *name)
{
	return path_join(a, dir, name);
}

static int run_argv(const struct root_plan *plan, const char *const *argv, struct str *out, struct err *e)
{
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;

	s.argv = argv;
	s.root = plan;
	s.path = "/usr/local/bin:/usr/bin:/bin";
	s.cwd = "/leat/work";
	s.err = -1;
	return proc_output(a, &s, 10000, 20000, out, &x, e);
}

static int inside(const struct root_plan *plan, const char *script, struct str *out, struct err *e)
{
	const char *argv[] = {"sh", "-c", script, NULL};

	return run_argv(plan, argv, out, e);
}

static void says(const struct root_plan *plan, const char *script, const char *want, const char *what)
{
	struct err e = ERR_INIT;
	struct str out = STR("");

	if (inside(plan, script, &out, &e))
		t_diag("error", e.msg);
	T_STR(out.p, want, "%s", what);
}

static char *mounts_now(void)
{
	struct str s;
	struct err e = ERR_INIT;

	return file_read(a, "/proc/self/mountinfo", 1 << 20, &s, &e) ? NULL : arena_cstr(a, s);
}

static void make_folders(void)
{
	static const char *const folders[] = {"at", "in", "out", "work", "hidden", "tmp"};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		T_NO_ERR(dir_make(in(folders[i]), 0755, &e), &e, "a folder %s", folders[i]);
	T_NO_ERR(file_write(in("in/f"), STR("bytes"), 0644, 0, &e) ||
	         file_write(in("spec"), STR("spec"), 0644, 0, &e) ||
	         file_write(in("hidden/secret"), STR("no"), 0644, 0, &e), &e, "and files in them");
}

static void test_root(void)
{
	struct root_mount mounts[] = {{in("in"), "/pfs/in", false, false},
	                              {in("out"), "/pfs/out", true, false},
	                              {in("work"), "/leat/work", true, false},
	                              {in("spec"), "/leat/spec.json", false, true},
	                              {.target = "/pfs/made/deep/g", .file = true, .bytes = STR("made")},
	                              {in("tmp"), "/tmp", true, false}};
	const char *hide[] = {in("hidden"), in("none")};
	struct root_plan plan;
	struct err e = ERR_INIT;
	char *before = mounts_now();

	make_folders();
	T_NO_ERR(root_make(a, in("at"), mounts, ARRAY_LEN(mounts), hide, 2, &plan, &e), &e, "a root is planned");
	says(&plan, "cat /pfs/in/f /leat/spec.json /pfs/made/deep/g; pwd; ls /pfs",
	     "bytesspecmade/leat/work\nin\nmade\nout\n",
	     "the child finds what the plan names, and nothing else beside it");
	says(&plan, "id -u", arena_printf(a, "%u\n", (unsigned)geteuid()), "it is who it was");
	says(&plan, "for f in /x /pfs/made/deep/g /pfs/x /leat/x /usr/x /etc/x "
	            "/pfs/in/x /pfs/in/f /leat/spec.json /var/x; do\n"
	            "(echo no >$f) 2>/dev/null && echo $f; done; rm -rf /pfs/in/f; mkdir /y /pfs/y; exit 0", "",
	     "a write to any other place fails");
	says(&plan, "for d in /pfs/out /leat/work /tmp /dev/shm; do echo $d >$d/x && cat $d/x; done",
	     "/pfs/out\n/leat/work\n/tmp\n/dev/shm\n", "it can write where it shall");
	says(&plan, arena_printf(a, "ls -A %s | wc -l; cat %s/secret || echo none", in("hidden"), in("hidden")),
	     "0\nnone\n", "what is hidden is an empty folder");
	says(&plan, "mount -o remount,rw,bind /pfs/in; mount -t tmpfs x /pfs/in; umount -l /pfs/in\n"
	            "cat /proc/1/root/pfs/in/f; (echo no >>/pfs/in/f) 2>/dev/null; cat /pfs/in/f", "bytes",
	     "it cannot undo it, root or not");
	T_OK(file_exists(in("out/x")) && file_exists(in("work/x")) && file_exists(in("tmp/x")),
	     "what it wrote is in the sources");
	T_OK(!file_exists("/pfs/out/x") && !file_exists("/dev/shm/x"), "and nowhere else");
	T_STR(mounts_now(), before, "no mount is left");
	T_OK(!file_exists(in("at/pfs")) && !file_exists("/leat/work"), "no folder is left");
}

static void test_failures(void)
{
	struct root_mount mounts[] = {{in("work"), "/leat/work", true, false}, {in("none"), "/pfs/in", false, false}};
	const char *argv[] = {"no-such-program-anywhere", NULL}, *own[] = {"./here", NULL};
	struct root_plan plan;
	struct err e = ERR_INIT;
	struct str out;

	T_NO_ERR(root_make(a, in("at"), mounts, 1, NULL, 0, &plan, &e), &e, "a root with one folder");
	says(&plan, "echo $(cd /tmp && echo x >f && cat f) >f; cat f", "x\n", "has a /tmp in memory");
	T_INT(run_argv(&plan, argv, &out, &e), -1, "a program that is not on PATH is an error");
	T_ERR(&e, ERR_NOT_FOUND, argv[0], "that names it");
	err_clear(&e);
	T_INT(run_argv(&plan, own, &out, &e), -1, "and one that is not in its folder");
	T_ERR(&e, ERR_NOT_FOUND, "./here", "is told too");
	err_clear(&e);
	T_NO_ERR(file_write(in("work/here"), STR("echo me\n"), 0755, 0, &e) || run_argv(&plan, own, &out, &e), &e,
	         "one that is there runs, by sh if it names nobody");
	T_STR(arena_cstr(a, out), "me\n", "and does what it does");
	T_NO_ERR(root_make(a, in("at"), mounts, 2, NULL, 0, &plan, &e), &e,
	         "one that shows what is not there is planned");
	T_INT(inside(&plan, "true", &out, &e), -1, "and fails in the child");
	T_ERR(&e, ERR_NOT_FOUND, in("none"), "naming what it is");
}

static void test_ordinary(void)
{
	const char *argv[] = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", NULL, NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;
	struct err e = ERR_INIT;
	struct str out = STR_NULL;
	char *copy = in("program");

	if (geteuid() != 0 || !proc_which(a, "setpriv", NULL)) {
		T_OK(true, "an ordinary user is who runs this # SKIP not root, or no setpriv");
		return;
	}
	T_NO_ERR(file_copy(proc_self_exe(), copy, 0755, 0, &e), &e,
	         "the program is copied to where anybody may run it");
	argv[4] = copy;
	s.argv = argv;
	T_NO_ERR(proc_output(a, &s, 100000, 20000, &out, &x, &e), &e, "an ordinary user runs it");
	if (!T_OK(x.status == 0 && out.p && !strstr(out.p, "SKIP no sandboxes") && strstr(out.p, "1.."),
	          "all of it holds for him too"))
		t_diag("his", out.p);
}

int main(void)
{
	char in_tmp[] = "/tmp/leat-t-root-XXXXXX", in_var[] = "/var/tmp/leat-t-root-XXXXXX";
	struct err e = ERR_INIT;
	const char *why;

	a = arena_new();
	if (!root_available(&why))
		T_SKIP_ALL("no sandboxes here: %s", why);
	T_STR(why, "", "roots can be made");
	dir = mkdtemp(in_var); /* what lies in /tmp is hidden anyway */
	T_OK(dir && !chmod(dir, 0755), "a folder that all may enter");
	test_root();
	test_failures();
	test_ordinary();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	dir = mkdtemp(in_tmp);
	T_OK(dir && !chmod(dir, 0755) && !dir_make(in("work"), 0755, &e) && !dir_make(in("at"), 0755, &e),
	     "a folder in /tmp");
	test_failures();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "it is removed");
	arena_free(a);
	return t_done();
}
