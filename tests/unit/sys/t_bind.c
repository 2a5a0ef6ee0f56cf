/* sys/bind: a child's own view of folders. Run by root it tries an ordinary user as well. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/bind.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "t.h"

static struct arena *a;
static char *dir;

static char *in(const char *name)
{
	return path_join(a, dir, name);
}

static int shown(const struct bind_plan *plan, const char *script, struct str *out, struct err *e)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;

	s.argv = argv;
	s.binds = plan;
	s.cwd = dir;
	s.err = -1;
	return proc_output(a, &s, 10000, 20000, out, &x, e);
}

static void test_view(void)
{
	struct bind_mount mounts[] = {{in("src"), in("at"), true}, {in("rw"), in("at2"), false},
	                              {in("src/f"), in("one"), true}};
	struct bind_plan plan = {mounts, ARRAY_LEN(mounts)};
	struct err e = ERR_INIT;
	struct str out;

	T_NO_ERR(dir_make(in("src/sub"), 0755, &e) || dir_make(in("at"), 0755, &e) || dir_make(in("rw"), 0755, &e) ||
	         dir_make(in("at2"), 0755, &e) || file_write(in("src/f"), STR("bytes"), 0644, 0, &e) ||
	         file_write(in("one"), STR(""), 0644, 0, &e), &e, "folders are made");
	T_NO_ERR(shown(&plan, "cat at/f one; echo w > at/f || echo -n no; rm -f at/f || echo -n no\n"
	                      "echo new > at2/new && echo yes; id -u", &out, &e), &e, "a child has its own view");
	T_STR(out.p, arena_printf(a, "bytesbytesnonoyes\n%u\n", (unsigned)geteuid()),
	      "it reads what it is shown, cannot write what is read-only, can write the rest, and is who it was");
	T_OK(file_exists(in("rw/new")), "what it wrote is in the source");
	T_OK(!file_exists(in("at/f")), "outside nothing is seen of the view");
	mounts[1].source = in("none");
	T_INT(shown(&plan, "true", &out, &e), -1, "a source that is not there is an error");
	T_ERR(&e, ERR_NOT_FOUND, in("none"), "that names it");
}

/* As `leat` does it for an ordinary user: the same program again, without root. */
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
	if (!T_INT(x.status, 0, "all of it holds for him too"))
		t_diag("his", out.p);
}

int main(void)
{
	char name[] = "/tmp/leat-t-bind-XXXXXX";
	struct err e = ERR_INIT;
	const char *why;

	a = arena_new();
	if (!bind_available(&why))
		T_SKIP_ALL("no mount namespaces here: %s", why);
	dir = mkdtemp(name);
	T_OK(!chmod(dir, 0755), "a folder that all may enter");
	T_STR(why, "", "mount namespaces can be made");
	test_view();
	test_ordinary();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
