/*
 * db/duck_frame.h: what goes over the socket between a worker and who asks it: frames of [u32 length][u8 kind][body],
 * in the machine's byte order (both ends are the same program), at most DUCK_MAX_FRAME long.
 */
#ifndef LEAT_DB_DUCK_FRAME_H
#define LEAT_DB_DUCK_FRAME_H

#include "base/buf.h"
#include "base/err.h"

enum frame_kind {
	FRAME_REQUEST = 'Q',  /* JSON */
	FRAME_CANCEL = 'C',   /* empty */
	FRAME_PROGRESS = 'P', /* a double */
	FRAME_HEAD = 'H',     /* JSON */
	FRAME_ROWS = 'R',     /* u32 rows, u32 columns, then per cell u32 length (FRAME_NULL = null) and bytes */
	FRAME_DONE = 'D',     /* JSON */
	FRAME_FAILED = 'F',   /* JSON: code, msg, hint, offset */
};
#define FRAME_HEADER 5
#define FRAME_NULL UINT32_MAX

/* Blocking (a socket that would block is waited for). ERR_LIMIT for a body that is too long, else ERR_IO. */
must_check int frame_write(int fd, enum frame_kind kind, struct str body, struct err *e);
/* Takes a whole frame off the front of `in`: 1 and the length to buf_consume afterwards, 0 not whole yet, -1 not a
 * frame. */
must_check int frame_next(const struct buf *in, enum frame_kind *kind, struct str *body, size_t *used);
/* Reads what is there into `in` (blocking if `wait`): bytes read, 0 at the end, -1 nothing there now or an error. */
long frame_fill(int fd, struct buf *in, bool wait);

#endif
