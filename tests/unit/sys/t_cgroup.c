/* sys/cgroup: where groups can be made, on trees that look like those of machines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "sys/cgroup.h"
#include "t.h"

static struct arena *a;
static char top[64];
static int made;

static const char *tree(void)
{
	char *dir = arena_printf(a, "%s/%d", top, made++);

	if (mkdir(dir, 0755))
		T_OK(false, "a folder %s", dir);
	return dir;
}

static void folder(const char *root, const char *path)
{
	(void)mkdir(arena_printf(a, "%s/%s", root, path), 0755);
}

static void file(const char *root, const char *path, const char *text)
{
	FILE *f = fopen(arena_printf(a, "%s/%s", root, path), "we");

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static const char *under(const char *root, const char *dir)
{
	return strncmp(dir, root, strlen(root)) ? dir : dir + strlen(root);
}

static void test_v1(void)
{
	const char *root = tree();
	struct cgroup g;

	folder(root, "memory");
	folder(root, "memory/a");
	folder(root, "memory/a/b");
	folder(root, "cpu,cpuacct");
	folder(root, "freezer");
	(void)!symlink("cpu,cpuacct", arena_printf(a, "%s/cpu", root));
	T_INT(cgroup_look(root, "8:freezer:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/\n", &g), CGROUP_MEMORY | CGROUP_CPU,
	      "v1 beside an empty v2: memory and cpu");
	T_OK(!g.v2 && !strcmp(under(root, g.dir[0]), "/memory/a/b"), "below the group that we are in: %s", g.dir[0]);
	T_STR(under(root, g.dir[1]), "/cpu", "at the top of another controller");
	T_INT(cgroup_look(root, "4:memory:/docker/1234\n", &g), CGROUP_MEMORY,
	      "in a container, where our path is not seen");
	T_STR(under(root, g.dir[0]), "/memory", "its top is ours");
	T_INT(cgroup_look(root, "4:memoryx:/a\n5:name=memory:/a\n", &g), 0, "other names are no controllers");
}

static void test_v2(void)
{
	const char *root = tree();
	struct cgroup g;

	folder(root, "user.slice");
	folder(root, "user.slice/app");
	file(root, "user.slice/app/cgroup.subtree_control", "memory cpu pids\n");
	T_INT(cgroup_look(root, "0::/user.slice/app\n", &g), CGROUP_MEMORY | CGROUP_CPU, "v2 that is divided already");
	T_OK(g.v2 && !strcmp(under(root, g.dir[0]), "/user.slice/app"), "groups below ours: %s", g.dir[0]);
	/* A file that cannot be written to stands for the kernel's EBUSY: a group with processes divides nothing. */
	(void)unlink(arena_printf(a, "%s/user.slice/app/cgroup.subtree_control", root));
	file(root, "user.slice/cgroup.subtree_control", "memory\n");
	T_INT(cgroup_look(root, "0::/user.slice/app\n", &g) & CGROUP_MEMORY, CGROUP_MEMORY,
	      "one that has processes: what is above it is asked");
	T_STR(under(root, g.dir[0]), "/user.slice", "groups beside ours");
	(void)unlink(arena_printf(a, "%s/user.slice/cgroup.subtree_control", root));
	T_INT(cgroup_look(root, "0::/user.slice/app\n", &g), 0, "neither: none");
	T_INT(cgroup_look(root, "", &g), 0, "no groups at all: none");
}

static void test_own(void)
{
	const char *why = NULL;
	struct cgroup g, found;
	struct err e = ERR_INIT;

	if (!(cgroup_can(&why) & CGROUP_MEMORY)) {
		T_OK(why && *why, "this machine's groups are not ours, and it is said why: %s", why ? why : "");
		return;
	}
	if (!T_OK(!cgroup_make("t.1.1", 64 << 20, 0.5, &g, &e), "a group is made: %s", e.msg))
		return;
	T_OK(cgroup_find("t.1.1", &found) && !strcmp(found.dir[0], g.dir[0]), "and found by its name alone");
	T_OK(!cgroup_find("t.1.11", &found) && !cgroup_find(".1", &found), "by the whole of it");
	T_INT(cgroup_oom_kills(&g), 0, "nothing of it was killed");
	memcpy(&found, &g, sizeof(g));
	cgroup_kill(&g);
	cgroup_remove(&g);
	T_OK(access(found.dir[0], F_OK), "and is gone when it is removed");
}

int main(void)
{
	a = arena_new();
	snprintf(top, sizeof(top), "/tmp/leat-t_cgroup-XXXXXX");
	if (!mkdtemp(top))
		return 1;
	test_v1();
	test_v2();
	test_own();
	if (system(arena_printf(a, "rm -rf '%s'", top)))
		T_OK(false, "the folder %s goes", top);
	arena_free(a);
	return t_done();
}
