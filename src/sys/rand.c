#include "sys/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "base/hash.h"
#include "sys/fault.h"

void rand_bytes(void *p, size_t n)
{
	uint8_t *at = p;

	if (fault_weave()) {
		fault_weave()->rand(p, n);
		return;
	}
	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			BUG("the kernel gives no random bytes: %s", strerror(errno));
		at += got;
		n -= (size_t)got;
	}
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

void rand_id(char out[RAND_ID])
{
	uint8_t b[(RAND_ID - 1) / 2];

	rand_bytes(b, sizeof(b));
	hex_encode(b, sizeof(b), out);
}

void rand_name(char out[RAND_NAME])
{
	uint8_t b[(RAND_NAME - 1) / 2];

	rand_bytes(b, sizeof(b));
	hex_encode(b, sizeof(b), out);
}
