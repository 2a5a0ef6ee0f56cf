/*
 * note/kernel_in.h: between the files of a kernel: where it is described, what goes over the wire, its process.
 */
#ifndef LEAT_NOTE_KERNEL_IN_H
#define LEAT_NOTE_KERNEL_IN_H

#include "note/kernel.h"
#include "note/zmtp.h"
#include "sys/rand.h"

#define KERNEL_ID 64 /* bytes that hold the id of a message of ours */

/* What messages are made with. */
struct kernel_session {
	char id[RAND_ID];
	char key[RAND_ID]; /* of the signatures */
	uint64_t sent;
};

/* Sends a request of this type; `content` is JSON text. Its id, for the answer's parent, is written to `id`. */
must_check int kernel_request(struct kernel_session *s, struct zmtp *to, const char *type, struct str content,
                              char id[KERNEL_ID], struct err *e);

/* A message of the wire taken apart: 1 = it is one, signed by `key`; 0 = it is none; -1. All is the arena's. */
struct kernel_message {
	struct str type, parent; /* msg_type; msg_id of what it answers */
	struct dom *content;
	struct str text;         /* the content as it came */
};
must_check int kernel_message_read(struct arena *a, struct str key, const struct zmtp_message *m,
                                   struct kernel_message *out, struct err *e);

/* Whether a kernel of this name can be reached over TCP only. */
bool kernel_tcp_only(const char *name);

/* Where a kernel listens. */
enum { KERNEL_SHELL, KERNEL_IOPUB, KERNEL_STDIN, KERNEL_CONTROL, KERNEL_HEARTBEAT, KERNEL_PORTS };
struct kernel_place {
	const char *file;    /* the connection file */
	const char *sockets; /* their names are that, '-' and the port */
	int ports[KERNEL_PORTS];
	bool tcp;
};
/* Chooses it below `folder` (at most 90 bytes) and writes the connection file. */
must_check int kernel_place(struct arena *a, const char *folder, const char *name, const char *key,
                            struct kernel_place *out, struct err *e);

#endif
