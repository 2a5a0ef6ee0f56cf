#include "note/frames.h"

#include "base/str.h"
#include "note/outputs.h"

void frames_init(struct frames *f, const struct engine_told *told, void *ptr,
                 void (*ack)(void *from, int64_t number), void *from)
{
	*f = (struct frames){.told = told, .ptr = ptr, .ack = ack, .from = from};
	buf_init(&f->message, FRAME_MESSAGE_MAX);
}

void frames_free(struct frames *f)
{
	buf_free(&f->message);
}

static struct dom *output_of(struct arena *a, const struct dom *m, const char *key)
{
	int64_t count = dom_int(m, "count");

	return outputs_one(a, dom_get(m, key), dom_get(m, "meta"), !strcmp(key, "result") ? &count : NULL);
}

static void tell_done(struct frames *f, struct arena *a, const struct dom *m)
{
	struct str how = dom_str(m, "done");
	const struct dom *lines = dom_get(m, "traceback");
	struct engine_done d = {
		.how = str_is(how, "ok") ? ENGINE_OK : str_is(how, "exit") ? ENGINE_LEFT : ENGINE_ERROR,
		.count = dom_int(m, "count"),
		.ename = dom_str(m, "ename"),
		.evalue = dom_str(m, "evalue"),
		.line = dom_int(m, "line"),
		.traceback = lines && lines->type == DOM_LIST ? lines : dom_new(a, DOM_LIST),
	};

	f->told->done(f->ptr, &d);
}

static int take_message(struct frames *f, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const struct dom *v;
	struct dom *m;

	if (dom_json(a, buf_str(&f->message), "a message of the driver", &m, e))
		return -1;
	if (dom_int(m, "ack") > 0)
		f->ack(f->from, dom_int(m, "ack"));
	if ((v = dom_get(m, "ready")) && v->type == DOM_MAP)
		f->told->ready(f->ptr, v);
	else if (dom_get(m, "result"))
		f->told->output(f->ptr, output_of(a, m, "result"), STR_NULL);
	else if (dom_get(m, "display"))
		f->told->output(f->ptr, output_of(a, m, "display"), dom_str(m, "id"));
	else if (dom_get(m, "update"))
		f->told->update(f->ptr, output_of(a, m, "update"), dom_str(m, "id"));
	else if ((v = dom_get(m, "clear")))
		f->told->clear(f->ptr, v->type == DOM_BOOL && v->b);
	else if (dom_get(m, "done"))
		tell_done(f, a, m);
	else if (!dom_get(m, "sync"))
		return err_set(e, ERR_BAD_DATA, "a message of the driver says nothing that is known");
	return 0;
}

int frames_take(struct frames *f, struct str packet, struct err *e)
{
	char letter = packet.n ? packet.p[0] : '\0';
	int rc;

	if (letter != 'J' && letter != 'j')
		return err_set(e, ERR_BAD_DATA, "a packet of the driver begins with none of its letters");
	buf_addstr(&f->message, str_sub(packet, 1, packet.n));
	if (letter == 'J')
		return 0;
	if (buf_over(&f->message)) {
		buf_reset(&f->message);
		return err_set(e, ERR_LIMIT, "an output is larger than %zu MB", FRAME_MESSAGE_MAX >> 20);
	}
	rc = take_message(f, e);
	buf_reset(&f->message);
	return rc;
}
