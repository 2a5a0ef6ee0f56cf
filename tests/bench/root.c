/*
 * bench-root N SLOTS DIR: what a sandboxed unit costs at least: N times, SLOTS at a time, a child in a mount namespace
 * makes a fresh root (a tmpfs, every entry of / bound into it, all of it read-only but /pfs/out, /tmp, /dev/shm and a
 * home), pivots into it and runs what the units of the figure run (`cp -r`) over a file of 3 KB, which is made in
 * DIR first and has a name of its own each time. As root. Prints one JSON line.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK (128 << 10)
#define ENTRIES 200

static struct {
	char name[256], path[300], link[300];
} entry[ENTRIES];
static int n_entries;
static const char *base;
static char file[400], *slot[16], out[16][400], tmp[16][400], at[400];
static char word_cp[] = "cp", word_r[] = "-r", word_in[] = "/pfs/in/.", word_out[] = "/pfs/out";
static char word_path[] = "PATH=/usr/bin:/bin";

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void list_root(void)
{
	DIR *d = opendir("/");

	for (struct dirent *e; d && (e = readdir(d)) && n_entries < ENTRIES;) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "tmp") || (e->d_type != DT_DIR && e->d_type != DT_LNK))
			continue;
		snprintf(entry[n_entries].name, sizeof(entry->name), "%s", e->d_name);
		snprintf(entry[n_entries].path, sizeof(entry->path), "/%s", e->d_name);
		if (e->d_type == DT_LNK &&
		    readlink(entry[n_entries].path, entry[n_entries].link, sizeof(entry->link) - 1) < 0)
			continue;
		n_entries++;
	}
	if (d)
		closedir(d);
}

struct unit {
	int slot;
	char name[64]; /* of its input in the new root */
};

static int child(void *arg)
{
	static const char *const made[] = {"pfs", "pfs/in", "pfs/out", "tmp", "own", "own/home", "own/shm", "own/work"};
	struct mount_attr seal = {.attr_set = MOUNT_ATTR_RDONLY}, open_up = {.attr_clr = MOUNT_ATTR_RDONLY};
	const struct unit *u = arg;
	char *argv[] = {word_cp, word_r, word_in, word_out, NULL}, *env[] = {word_path, NULL};
	int fd, bad = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("x", at, "tmpfs", 0, "mode=755") ||
		      chdir(at) || mount(NULL, ".", NULL, MS_UNBINDABLE, NULL);

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		bad |= mkdir(made[i], 0755);
	fd = open(u->name, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	close(fd);
	for (int i = 0; i < n_entries; i++) {
		if (entry[i].link[0])
			bad |= symlink(entry[i].link, entry[i].name);
		else
			bad |= mkdir(entry[i].name, 0755) ||
			       mount(entry[i].path, entry[i].name, NULL, MS_BIND | MS_REC, NULL);
	}
	bad |= mount(NULL, ".", NULL, MS_PRIVATE, NULL) || mount(file, u->name, NULL, MS_BIND, NULL) ||
	       syscall(SYS_mount_setattr, AT_FDCWD, ".", AT_RECURSIVE, &seal, sizeof(seal)) ||
	       mount(out[u->slot], "pfs/out", NULL, MS_BIND, NULL) || mount(tmp[u->slot], "tmp", NULL, MS_BIND, NULL) ||
	       mount(tmp[u->slot], "own/home", NULL, MS_BIND, NULL) ||
	       mount(tmp[u->slot], "own/work", NULL, MS_BIND, NULL) ||
	       mount("own/shm", "dev/shm", NULL, MS_BIND, NULL) ||
	       syscall(SYS_mount_setattr, AT_FDCWD, "dev/shm", 0, &open_up, sizeof(open_up)) ||
	       syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/");
	if (!bad)
		execve("/usr/bin/cp", argv, env);
	_exit(127);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[1]) : 0, slots = argc == 4 ? atoi(argv[2]) : 0, running = 0, failed = 0;
	char bytes[3072];
	struct rusage use;
	pid_t pids[16] = {0};

	if (n <= 0 || slots <= 0 || slots > 16)
		return fprintf(stderr, "usage: bench-root N SLOTS DIR\n"), 2;
	base = argv[3];
	mkdir(base, 0700);
	snprintf(at, sizeof(at), "%s/root", base);
	snprintf(file, sizeof(file), "%s/f", base);
	mkdir(at, 0700);
	for (int i = 0; i < slots; i++) {
		snprintf(out[i], sizeof(*out), "%s/out%d", base, i);
		snprintf(tmp[i], sizeof(*tmp), "%s/tmp%d", base, i);
		mkdir(out[i], 0700);
		mkdir(tmp[i], 0700);
		slot[i] = malloc(STACK);
	}
	memset(bytes, 'x', sizeof(bytes));
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		return perror(file), 1;
	close(fd);
	list_root();
	double begin = now();
	for (int started = 0, ended = 0; ended < n;) {
		int status;

		while (started < n && running < slots) {
			struct unit u = {0};

			while (pids[u.slot])
				u.slot++;
			snprintf(u.name, sizeof(u.name), "pfs/in/%d", started++);
			pids[u.slot] = clone(child, slot[u.slot] + STACK,
			                     CLONE_VM | CLONE_VFORK | CLONE_NEWNS | SIGCHLD, &u);
			if (pids[u.slot] < 0)
				return perror("clone"), 1;
			running++;
		}
		pid_t pid = wait(&status);
		for (int i = 0; i < slots; i++)
			if (pids[i] == pid)
				pids[i] = 0;
		failed += status != 0;
		ended++;
		running--;
	}
	double wall = now() - begin;
	getrusage(RUSAGE_CHILDREN, &use);
	printf("{\"wall\": %.6f, \"cpu\": %.6f, \"failed\": %d}\n", wall,
	       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
	       failed);
	return failed != 0;
}
