/* `leat next`: asked by the program of a job with datumBatching, inside its sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api.h"
#include "base/str.h"
#include "exec/exec.h"
#include "sys/fd.h"

static int connect_to(const char *path, int *out, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd FD_CLEANUP = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), at FD_CLEANUP = -1;

	if (fd < 0)
		return err_errno(e, errno, "no socket");
	at = open(path, O_PATH | O_CLOEXEC); /* it may be longer than an address */
	if (at < 0)
		return err_errno(e, errno, "%s", path);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return err_errno(e, errno, "nobody gives units at %s", path);
	*out = fd_steal(&fd);
	return 0;
}

int api_next(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	const char *path = getenv(EXEC_NEXT);
	struct str why = args_value(args, "error");
	char line[EXEC_NEXT_MAX];
	int fd FD_CLEANUP = -1;
	ssize_t n;
	int len;

	(void)out;
	if (!path) {
		err_set(e, ERR_BAD_REQUEST, "there is no next unit here");
		return err_hint(e, "the program of a job with `datumBatching: true` asks so for its units");
	}
	len = why.p ? snprintf(line, sizeof(line), "error %.*s\n", (int)MIN(why.n, sizeof(line) - 16), why.p)
	            : snprintf(line, sizeof(line), "next\n");
	if (connect_to(path, &fd, e) || fd_write_all(fd, line, (size_t)len, path, e))
		return -1;
	do {
		n = recv(fd, line, sizeof(line), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 5 || memcmp(line, "unit\n", 5) != 0)
		api->exit_status = 1; /* there are no more */
	return 0;
}
