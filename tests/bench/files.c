/*
 * bench-files DIR FOLDERS FILES BYTES THREADS: the least that so many files cost here: each of the threads makes
 * folders of its own in DIR, and in each FILES files of BYTES bytes, by one openat, one write and one close.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 64

static atomic_int next_folder;
static int at, folders, files;
static size_t bytes;
static char *what;

static void fail(const char *name)
{
	perror(name);
	exit(1);
}

static void *work(void *ptr)
{
	char name[32];

	for (int d; (d = next_folder++) < folders;) {
		int dir, fd;
		snprintf(name, sizeof(name), "d%03d", d);
		if (mkdirat(at, name, 0777) || (dir = openat(at, name, O_RDONLY | O_DIRECTORY)) < 0)
			fail(name);
		for (int i = 0; i < files; i++) {
			snprintf(name, sizeof(name), "f%04d", i);
			fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0444);
			if (fd < 0 || write(fd, what, bytes) != (ssize_t)bytes || close(fd))
				fail(name);
		}
		close(dir);
	}
	return ptr;
}

int main(int argc, char **argv)
{
	int n = argc == 6 ? atoi(argv[5]) : 0;
	pthread_t t[THREADS];

	if (n < 1 || n > THREADS) {
		fprintf(stderr, "usage: bench-files DIR FOLDERS FILES BYTES THREADS\n");
		return 2;
	}
	folders = atoi(argv[2]);
	files = atoi(argv[3]);
	bytes = (size_t)atoi(argv[4]);
	what = malloc(bytes + 1);
	if (!what || mkdir(argv[1], 0777) || (at = open(argv[1], O_RDONLY | O_DIRECTORY)) < 0)
		fail(argv[1]);
	memset(what, 'x', bytes);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, work, NULL))
			fail("thread");
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return 0;
}
