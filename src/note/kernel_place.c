/*
 * The connection file of a kernel: where it is to listen ("Connection files", jupyter-client's documentation); and the
 * folder for its sockets.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "note/kernel.h"
#include "note/kernel_in.h"
#include "sys/fd.h"
#include "sys/file.h"

#define CONNECTION_MAX 4096
#define PLACE "/tmp" /* a path of a socket holds 107 bytes, so it cannot lie in the task's own folders */
#define PREFIX "leat-kernel-"
#define YOUNG_S 60   /* one is held a moment after it is made */

/* Ports of this machine that nobody has now: as Jupyter does it, another program may be faster. */
static int free_ports(int ports[KERNEL_PORTS], struct err *e)
{
	int fds[KERNEL_PORTS];
	size_t n = 0;
	int rc = 0;

	for (; n < KERNEL_PORTS && !rc; n++) {
		struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(at);

		fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fds[n] < 0 || bind(fds[n], (struct sockaddr *)&at, sizeof(at)) ||
		    getsockname(fds[n], (struct sockaddr *)&at, &len))
			rc = err_errno(e, errno, "a port for the kernel");
		ports[n] = ntohs(at.sin_port);
	}
	while (n)
		fd_close(&fds[--n]);
	return rc;
}

int kernel_place(struct arena *a, const char *folder, const char *name, const char *key, struct kernel_place *out,
                 struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(CONNECTION_MAX);
	struct kernel_place at = {path_join(a, folder, "kernel.json"), path_join(a, folder, "k"), {1, 2, 3, 4, 5},
	                          kernel_tcp_only(name)};

	if (at.tcp && free_ports(at.ports, e))
		return -1;
	buf_addf(&b, "{\"transport\":\"%s\",\"ip\":", at.tcp ? "tcp" : "ipc");
	json_write_str(&b, at.tcp ? STR("127.0.0.1") : str_of(at.sockets));
	buf_addf(&b,
	         ",\"shell_port\":%d,\"iopub_port\":%d,\"stdin_port\":%d,\"control_port\":%d,\"hb_port\":%d,"
	         "\"key\":\"%s\",\"signature_scheme\":\"hmac-sha256\",\"kernel_name\":",
	         at.ports[KERNEL_SHELL], at.ports[KERNEL_IOPUB], at.ports[KERNEL_STDIN], at.ports[KERNEL_CONTROL],
	         at.ports[KERNEL_HEARTBEAT], key);
	json_write_str(&b, str_of(name));
	buf_adds(&b, "}\n");
	if (file_replace(at.file, buf_str(&b), 0600, 0, e))
		return -1;
	*out = at;
	return 0;
}

/* Nobody holds it, and it is ours. */
static bool is_left(const char *path)
{
	int fd FD_CLEANUP = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() && st.st_mtime < time(NULL) - YOUNG_S &&
	       !flock(fd, LOCK_EX | LOCK_NB);
}

static void sweep(struct arena *a)
{
	DIR *d = opendir(PLACE);
	struct err ignored = ERR_INIT;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		const char *path;

		if (!str_has_prefix(str_of(entry->d_name), STR(PREFIX)))
			continue;
		path = path_join(a, PLACE, entry->d_name);
		if (is_left(path) && dir_remove_tree(path, &ignored))
			err_clear(&ignored);
	}
	if (d)
		closedir(d);
}

int kernel_folder(struct arena *a, const char **dir, int *held, struct err *e)
{
	char *at = arena_dup(a, PLACE "/" PREFIX "XXXXXX");

	sweep(a);
	if (!mkdtemp(at))
		return err_errno(e, errno, "a folder for the kernel's sockets, %s", at);
	*held = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*held < 0 || flock(*held, LOCK_EX | LOCK_NB)) {
		err_errno(e, errno, "the folder for the kernel's sockets, %s", at);
		fd_close(held);
		(void)rmdir(at);
		return -1;
	}
	*dir = at;
	return 0;
}
