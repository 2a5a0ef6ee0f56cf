#include "base/str.h"
#include "fuzz.h"
#include "note/frames.h"
#include "note/metrics.h"
#include "note/outputs.h"

struct fuzz_told {
	struct arena *a;
	struct outputs *o;
	struct metrics m;
};

static void on_ready(void *ptr, const struct dom *about)
{
	FUZZ_HOLDS(about->type == DOM_MAP);
}

static void on_stream(void *ptr, bool err, struct str text)
{
}

static void on_output(void *ptr, const struct dom *out, struct str id)
{
	struct fuzz_told *t = ptr;

	outputs_add(t->o, out, id);
	metrics_output(&t->m, out);
}

static void on_update(void *ptr, const struct dom *out, struct str id)
{
	struct fuzz_told *t = ptr;

	(void)outputs_update(t->o, out, id);
}

static void on_clear(void *ptr, bool wait)
{
	struct fuzz_told *t = ptr;

	outputs_clear(t->o, wait);
}

static void on_done(void *ptr, const struct engine_done *d)
{
	FUZZ_HOLDS(d->traceback->type == DOM_LIST);
}

static void on_died(void *ptr, const char *how)
{
}

static void on_ack(void *from, int64_t number)
{
	FUZZ_HOLDS(number > 0);
}

static const struct engine_told told = {on_ready, on_stream, on_output, on_update, on_clear, on_done, on_died};

/* Packets of the driver, one a line: whatever they say is taken, or is an error. What is printed may be a metric. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct fuzz_told t = {.a = a, .o = outputs_new(a, "/nowhere", "x", 4096)};
	struct str rest = {(const char *)data, n}, line;
	struct dom *list = dom_new(a, DOM_LIST);
	struct frames f;

	metrics_init(&t.m, a);
	outputs_begin(t.o, 1);
	frames_init(&f, &told, &t, on_ack, &t);
	while (str_next_line(&rest, &line)) {
		struct err e = ERR_INIT;

		fuzz_answered(frames_take(&f, line, &e), &e);
		outputs_stream(t.o, false, line);
		metrics_stream(&t.m, line.n & 1, line);
		metrics_stream(&t.m, line.n & 1, STR("\n"));
	}
	outputs_end(t.o, list);
	outputs_free(t.o);
	metrics_free(&t.m);
	frames_free(&f);
	return 0;
}
