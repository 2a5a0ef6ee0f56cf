/*
 * bench-walk DIR THREADS [read]: the least that a look at every file below DIR costs here: the threads take folders
 * from one stack, and of each read the names and the stat of every entry, or, with `read`, what every file holds.
 * Prints how many files there were.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 64
#define CHUNK (64 << 10)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static char **stack;
static size_t n, cap, busy;
static long files;
static int reading;

static void fail(const char *name)
{
	perror(name);
	exit(1);
}

static void push(char *path)
{
	pthread_mutex_lock(&mutex);
	if (n == cap) {
		char **larger = realloc(stack, (cap = cap ? cap * 2 : 64) * sizeof(*stack));
		if (!larger)
			fail("memory");
		stack = larger;
	}
	stack[n++] = path;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&mutex);
}

static char *pop(void)
{
	char *path = NULL;

	pthread_mutex_lock(&mutex);
	while (!n && busy)
		pthread_cond_wait(&more, &mutex);
	if (n) {
		path = stack[--n];
		busy++;
	}
	pthread_mutex_unlock(&mutex);
	return path;
}

static void done(long found)
{
	pthread_mutex_lock(&mutex);
	files += found;
	if (!--busy)
		pthread_cond_broadcast(&more);
	pthread_mutex_unlock(&mutex);
}

static void read_all(int dir, const char *name, char *chunk)
{
	int fd = openat(dir, name, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		fail(name);
	while ((got = read(fd, chunk, CHUNK)) == CHUNK)
		;
	if (got < 0)
		fail(name);
	close(fd);
}

static long folder(const char *path, char *chunk)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	ssize_t got;
	long found = 0;

	if (fd < 0)
		fail(path);
	while ((got = getdents64(fd, chunk, CHUNK)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *d = (const struct dirent64 *)(void *)(chunk + at);
			struct stat st;
			char *sub;
			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW))
				fail(d->d_name);
			if (reading && S_ISREG(st.st_mode))
				read_all(fd, d->d_name, chunk + CHUNK);
			if (!S_ISDIR(st.st_mode))
				found++;
			else if (asprintf(&sub, "%s/%s", path, d->d_name) > 0)
				push(sub);
		}
	}
	if (got < 0)
		fail(path);
	close(fd);
	return found;
}

static void *work(void *ptr)
{
	char *chunk = malloc((size_t)CHUNK * 2);

	if (!chunk)
		fail("memory");
	for (char *path; (path = pop());) {
		done(folder(path, chunk));
		free(path);
	}
	free(chunk);
	return ptr;
}

int main(int argc, char **argv)
{
	int threads = argc >= 3 ? atoi(argv[2]) : 0;
	pthread_t t[THREADS];

	if (threads < 1 || threads > THREADS) {
		fprintf(stderr, "usage: bench-walk DIR THREADS [read]\n");
		return 2;
	}
	reading = argc > 3;
	push(strdup(argv[1]));
	for (int i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, work, NULL))
			fail("thread");
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	printf("%ld\n", files);
	free(stack);
	return 0;
}
