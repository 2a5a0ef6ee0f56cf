/*
 * Jupyter's messages: frames [who...] <IDS|MSG> signature header parent metadata content [buffers...].
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/str.h"
#include "base/tz.h"
#include "note/kernel_in.h"
#include "sys/clock.h"

#define DELIMITER "<IDS|MSG>"
#define HEADER_MAX 1024
#define PROTOCOL "5.3"

enum { SIGNATURE, HEADER, PARENT, METADATA, CONTENT, PARTS };

static void sign(struct str key, const struct str *parts, char out[SHA_HEX + 1])
{
	struct sha hash = sha_hmac(key, parts, PARTS - HEADER);

	sha_hex(&hash, out);
}

int kernel_request(struct kernel_session *s, struct zmtp *to, const char *type, struct str content, char id[KERNEL_ID],
                   struct err *e)
{
	struct buf header cleanup(buf_free) = BUF_INIT(HEADER_MAX);
	struct str frames[1 + PARTS] = {STR(DELIMITER)}, *parts = frames + 1;
	char signature[SHA_HEX + 1], date[TIME_TEXT];

	snprintf(id, KERNEL_ID, "%s_%" PRIu64, s->id, ++s->sent);
	time_rfc3339(clock_now_ms(), date);
	buf_addf(&header,
	         "{\"msg_id\":\"%s\",\"session\":\"%s\",\"username\":\"leat\",\"date\":\"%s\",\"msg_type\":\"%s\","
	         "\"version\":\"" PROTOCOL "\"}",
	         id, s->id, date, type);
	parts[HEADER] = buf_str(&header);
	parts[PARENT] = parts[METADATA] = STR("{}");
	parts[CONTENT] = content;
	sign((struct str){s->key, strlen(s->key)}, parts + HEADER, signature);
	parts[SIGNATURE] = (struct str){signature, SHA_HEX};
	return zmtp_send(to, frames, ARRAY_LEN(frames), e);
}

int kernel_message_read(struct arena *a, struct str key, const struct zmtp_message *m, struct kernel_message *out,
                        struct err *e)
{
	const struct str *parts = NULL;
	char signature[SHA_HEX + 1];
	struct dom *header, *parent, *content;

	for (size_t i = 0; i < m->n && !parts; i++)
		if (str_is(m->frames[i], DELIMITER) && m->n - i > PARTS)
			parts = m->frames + i + 1;
	if (!parts)
		return 0;
	sign(key, parts + HEADER, signature);
	if (!str_ieq(parts[SIGNATURE], (struct str){signature, SHA_HEX}))
		return err_set(e, ERR_BAD_DATA, "a message of the kernel is not signed with its key");
	if (dom_json(a, parts[HEADER], NULL, &header, e) || dom_json(a, parts[PARENT], NULL, &parent, e) ||
	    dom_json(a, parts[CONTENT], NULL, &content, e))
		return err_wrap(e, "a message of the kernel");
	*out = (struct kernel_message){dom_str(header, "msg_type"), dom_str(parent, "msg_id"), content, parts[CONTENT]};
	return out->type.n ? 1 : 0;
}
