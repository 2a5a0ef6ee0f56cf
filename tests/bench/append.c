/*
 * bench-append FILE BYTES: the least that a durable change costs: so many bytes at the end of FILE, and a wait for the
 * disk.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t n = argc == 3 ? (size_t)atol(argv[2]) : 0;
	char *bytes = calloc(1, n + 1);
	int fd;

	if (argc != 3 || !bytes) {
		fprintf(stderr, "usage: bench-append FILE BYTES\n");
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || fdatasync(fd)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
