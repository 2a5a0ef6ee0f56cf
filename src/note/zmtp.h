/*
 * note/zmtp.h: one connection to a socket of ZeroMQ: what a client of a Jupyter kernel needs of it, and no more.
 *
 * ZMTP 3.0 (RFC 23 of zeromq.org) with the mechanism NULL, as DEALER or SUB; we connect, the kernel listens. libzmq of
 * any version since 4 answers in it. A message is a few frames, whole or not there at all. Nothing here blocks but
 * zmtp_connect of an address that is not on this machine, and no kernel is anywhere else.
 *
 * Invariants: what is sent before the other side has said READY is kept and goes then; a frame above ZMTP_FRAME_MAX or
 * a message of more than ZMTP_FRAMES_MAX is ERR_LIMIT; what is no ZMTP is ERR_BAD_DATA, and the connection is then of
 * no more use.
 */
#ifndef LEAT_NOTE_ZMTP_H
#define LEAT_NOTE_ZMTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define ZMTP_FRAME_MAX ((size_t)256 << 20)
#define ZMTP_FRAMES_MAX 64

enum zmtp_type { ZMTP_DEALER, ZMTP_SUB };

struct zmtp {
	int fd;           /* -1: not connected */
	enum zmtp_type type;
	const char *name; /* for messages: "shell" */
	const char *identity; /* of a DEALER; NULL = none */
	bool greeted, ready;
	struct buf in, out;
	struct buf held; /* frames that wait for READY */
};

/* Before anything else; `name` and `identity` stay the caller's. zmtp_close on one that never connected is fine. */
void zmtp_init(struct zmtp *z, enum zmtp_type type, const char *name, const char *identity);
void zmtp_close(struct zmtp *z);

/*
 * `place` is the path of a socket, or a TCP port of 127.0.0.1 where `port` is not 0. 1 = connected, 0 = nobody listens
 * there yet, -1. A SUB subscribes to everything.
 */
must_check int zmtp_connect(struct zmtp *z, const char *place, int port, struct err *e);

struct zmtp_message {
	struct str frames[ZMTP_FRAMES_MAX];
	size_t n;
};
/* Appends it to what goes out, and sends what the socket takes. */
must_check int zmtp_send(struct zmtp *z, const struct str *frames, size_t n, struct err *e);
bool zmtp_wants_out(const struct zmtp *z); /* poll for EPOLLOUT too */
/* Sends and receives what there is now; the other side's end of the connection is ERR_NOT_FOUND. */
must_check int zmtp_pump(struct zmtp *z, struct err *e);
/* The part of it that looks at what has come: the greeting, and commands. */
must_check int zmtp_take(struct zmtp *z, struct err *e);
/* The next whole message, copied into the arena: 1; 0 = none is whole yet; -1. */
must_check int zmtp_next(struct zmtp *z, struct arena *a, struct zmtp_message *out, struct err *e);

#endif
