/*
 * The connection file of a kernel: where it is to listen ("Connection files", jupyter-client's documentation).
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/str.h"
#include "note/kernel_in.h"
#include "sys/file.h"

#define CONNECTION_MAX 4096

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
