/* Operations that the daemon carries out itself: quick ones, whose answers are bounded by their page. */
#include "base/str.h"
#include "web/web_in.h"

#define HERE_ROWS 2000 /* a larger page is a child's */

struct here {
	struct output out;
	struct buf line;
	bool full;
};

static int on_row(void *ptr, const struct dom *row, struct err *e)
{
	struct here *h = ptr;

	if (h->full)
		return 0;
	buf_reset(&h->line);
	dom_write_json(&h->line, row, DOM_COMPACT);
	buf_addc(&h->line, '\n');
	h->full = !output_bytes(&h->out, buf_str(&h->line));
	return 0;
}

static int on_bytes(void *ptr, struct str bytes, struct err *e)
{
	struct here *h = ptr;

	(void)output_bytes(&h->out, bytes);
	return 0;
}

static void on_note(void *ptr, const char *text)
{
	struct here *h = ptr;

	output_note(&h->out, str_of(text));
}

static void on_progress(void *ptr, const char *text, double part)
{
}

static bool is_bounded(const struct asked *asked)
{
	for (size_t i = 0; i < asked->words.n; i++)
		if (str_has_prefix(str_of(asked->words.p[i]), STR("--on=")))
			return false; /* the store at hand shows master */
	return asked->limit + asked->offset <= HERE_ROWS;
}

void here_call(struct call *c, const struct asked *asked)
{
	struct here h = {0};
	struct err e = ERR_INIT;
	struct args args;
	struct api api;
	struct sink sink = {.ptr = &h, .row = on_row, .bytes = on_bytes, .note = on_note, .progress = on_progress};
	int rc;

	if (!is_bounded(asked)) {
		child_call(c, asked);
		return;
	}
	if (args_parse(c->op, c->a, (int)asked->words.n, asked->words.p, &args, &e)) {
		answer_problem(c, &e);
		return;
	}
	args.command = c->op->name;
	buf_init(&h.line, 16 << 20);
	output_begin(&h.out, c, asked);
	api_begin(&api, c->a, c->web->conf.kinds);
	api.ws = c->web->conf.store->ws;
	api.store = c->web->conf.store;
	rc = c->op->fn(&api, &args, &sink, &e);
	output_end(&h.out, api.exit_status, rc ? &e : NULL);
	buf_free(&h.line);
}
