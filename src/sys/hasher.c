#include "sys/hasher.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "sys/fault.h"

#define BLOCKS 8 /* on their way at once */
#define ALONE 16 /* blocks of a stream that are not worth a thread */

struct hasher {
	struct sha_ctx ctx;
	char *blocks[BLOCKS];
	size_t n[BLOCKS]; /* bytes of each */
	size_t given, done; /* blocks: handed over, hashed */
	bool alone, threaded, end;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t change;
};

struct hasher *hasher_new(void)
{
	struct hasher *h = xcalloc(1, sizeof(*h));

	sha_init(&h->ctx);
	/* With faults set, or steps counted, nothing is done side by side. */
	h->alone = fault_armed() || fault_weave();
	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->change, NULL);
	return h;
}

static void *work(void *ptr)
{
	struct hasher *h = ptr;

	pthread_mutex_lock(&h->mutex);
	while (h->done < h->given || !h->end) {
		size_t i = h->done % BLOCKS;

		if (h->done == h->given) {
			pthread_cond_wait(&h->change, &h->mutex);
			continue;
		}
		pthread_mutex_unlock(&h->mutex);
		sha_add(&h->ctx, h->blocks[i], h->n[i]);
		pthread_mutex_lock(&h->mutex);
		h->done++;
		pthread_cond_signal(&h->change);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

static void start(struct hasher *h)
{
	sigset_t all, old;

	sigfillset(&all); /* signals are for the thread that has the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	h->threaded = !pthread_create(&h->thread, NULL, work, h);
	h->alone = !h->threaded;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void *hasher_block(struct hasher *h)
{
	char **block = &h->blocks[h->threaded ? h->given % BLOCKS : 0];

	if (h->threaded) {
		pthread_mutex_lock(&h->mutex);
		while (h->given - h->done == BLOCKS)
			pthread_cond_wait(&h->change, &h->mutex);
		pthread_mutex_unlock(&h->mutex);
	}
	if (!*block)
		*block = xmalloc(HASHER_BLOCK);
	return *block;
}

void hasher_add(struct hasher *h, size_t n)
{
	if (!h->threaded) {
		sha_add(&h->ctx, h->blocks[0], n);
		h->done = ++h->given;
		if (h->given == ALONE && !h->alone) {
			h->given = h->done = 0;
			start(h);
		}
		return;
	}
	h->n[h->given % BLOCKS] = n;
	pthread_mutex_lock(&h->mutex);
	h->given++;
	pthread_cond_signal(&h->change);
	pthread_mutex_unlock(&h->mutex);
}

static void stop(struct hasher *h)
{
	if (!h->threaded)
		return;
	pthread_mutex_lock(&h->mutex);
	h->end = true;
	pthread_cond_signal(&h->change);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
}

void hasher_cancel(struct hasher *h)
{
	if (!h)
		return;
	stop(h);
	for (int i = 0; i < BLOCKS; i++)
		free(h->blocks[i]);
	pthread_cond_destroy(&h->change);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

struct sha hasher_end(struct hasher *h)
{
	struct sha id;

	stop(h);
	h->threaded = false;
	id = sha_end(&h->ctx);
	hasher_cancel(h);
	return id;
}
