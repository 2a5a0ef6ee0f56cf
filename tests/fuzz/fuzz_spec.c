/* Pachyderm specs: refused with a sentence, or jobs whose job.yaml says what the spec did. */
#include "base/str.h"
#include "fuzz.h"
#include "job/kinds.h"
#include "job/spec.h"

#define CEILING ((size_t)64 << 20)
#define KEY_MAX 500 /* YAML's keys of one line are shorter than 1,024 characters */

/* What a text cannot hold (bytes that are no UTF-8) and keys that YAML has no line for are not compared. */
static bool comparable(const struct dom *v)
{
	if (v->key.p && (v->key.n > KEY_MAX || !str_is_utf8(v->key)))
		return false;
	if (v->type == DOM_STR)
		return str_is_utf8(v->s);
	if (v->type == DOM_MAP || v->type == DOM_LIST)
		dom_each(child, v)
			if (!comparable(child))
				return false;
	return v->type != DOM_REAL || v->d == v->d;
}

static void one(struct arena *a, const struct spec *s)
{
	struct workspace ws = {.arena = a, .tz = tz_utc()};
	struct buf b = BUF_INIT(CEILING);
	struct err e = ERR_INIT, bad = ERR_INIT;
	struct dom *again = NULL;
	struct job *j = NULL;
	int rc;

	spec_write_yaml(&b, s->job);
	if (!buf_over(&b) && comparable(s->job)) {
		FUZZ_HOLDS(dom_yaml(a, buf_str(&b), "job.yaml", &again, &e) == 0);
		FUZZ_HOLDS(dom_equal(s->job, again));
	}
	buf_free(&b);
	rc = job_of_doc(a, &ws, job_kinds, s->name, "fuzz", s->job, &j, &bad);
	fuzz_answered(rc, &bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct spec_list list;
	struct err e = ERR_INIT;
	int rc = spec_read(a, (struct str){(const char *)data, n}, "dir/fuzz.json", job_kinds, &list, &e);

	fuzz_answered(rc, &e);
	for (size_t i = 0; !rc && i < list.specs.n; i++)
		one(a, &list.specs.p[i]);
	arena_free(a);
	return 0;
}
