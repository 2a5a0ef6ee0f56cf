/*
 * note/frames.h: the packets that the Python driver (driver/driver.py) sends, taken apart.
 *
 * A packet of the SEQPACKET socket is `J` and a piece, or `j` and the last piece, of a JSON message:
 *   {"ready": {…}} · {"display"|"result"|"update": {mime: data}, "meta": {…}, "count": n, "id": display_id}
 *   {"clear": wait} · {"sync": true}
 *   {"done": "ok"|"error"|"exit", "count": n, "ename", "evalue", "traceback": [line]}
 * One with "ack": n waits for the packet `aN`, which says that what was printed before has been taken. What is none of
 * these is an error: the other side is not our driver any more.
 */
#ifndef LEAT_NOTE_FRAMES_H
#define LEAT_NOTE_FRAMES_H

#include "note/engine.h"

#define FRAME_PIECE 65000
#define FRAME_MAX 65536                       /* bytes of a packet */
#define FRAME_MESSAGE_MAX ((size_t)128 << 20) /* of a message of many */

struct frames {
	struct buf message;
	const struct engine_told *told;
	void *ptr;
	void (*ack)(void *from, int64_t number); /* before it is told of: the next thing said may be another cell */
	void *from;
};

void frames_init(struct frames *f, const struct engine_told *told, void *ptr,
                 void (*ack)(void *from, int64_t number), void *from);
void frames_free(struct frames *f);
must_check int frames_take(struct frames *f, struct str packet, struct err *e);

#endif
