#include "fuzz.h"
#include "note/kernel_in.h"

/* What a kernel's socket sends, from its greeting on or (first byte odd) after it, and the messages in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct zmtp_message m;
	struct err e = ERR_INIT;
	struct zmtp z;
	int rc = 0;

	if (!n)
		return 0;
	zmtp_init(&z, ZMTP_SUB, "iopub", NULL);
	z.greeted = z.ready = data[0] & 1;
	buf_add(&z.in, data + 1, n - 1);
	rc = zmtp_take(&z, &e);
	while (!rc && (rc = zmtp_next(&z, a, &m, &e)) == 1) {
		struct kernel_message read;
		struct err unread = ERR_INIT;

		FUZZ_HOLDS(m.n >= 1 && m.n <= ZMTP_FRAMES_MAX);
		/* An empty key signs nothing that a fuzzer could not: what is read then is read. */
		if (kernel_message_read(a, STR(""), &m, &read, &unread) == 1)
			FUZZ_HOLDS(read.content && read.type.n);
		rc = 0;
	}
	fuzz_answered(rc < 0 ? -1 : 0, &e);
	zmtp_close(&z);
	return 0;
}
