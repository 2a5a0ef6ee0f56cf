#include "exec/local_layout.h"

#include "base/dom.h"
#include "base/str.h"

#define PLACE "/data"
#define SPECS_MAX ((size_t)1 << 20)

bool layout_wanted(const struct attempt *t)
{
	return !t->datum && job_has_layout(t->job);
}

static const char *place_of(struct arena *a, struct str repo, const char *label)
{
	return arena_printf(a, PLACE "/%.*s%s%s", STR_ARG(repo), label ? "/ds=" : "", label ? label : "");
}

const char *layout_input(const struct attempt *t, size_t i)
{
	return place_of(t->arena, t->inputs[i].input->repo, attempt_input_label(t, i));
}

const char *layout_output(const struct attempt *t)
{
	if (t->given || t->job->no_output)
		return NULL;
	return place_of(t->arena, t->job->output, t->ds.label[0] ? t->ds.label : NULL);
}

const char *layout_specs(const struct attempt *t)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SPECS_MAX);
	struct dom *d = dom_new(t->arena, DOM_MAP);
	const char *sink = layout_output(t);

	if (t->n_inputs)
		dom_set_cstr(t->arena, d, "source_path", layout_input(t, 0));
	if (sink)
		dom_set_cstr(t->arena, d, "sink_path", sink);
	if (t->ds.label[0])
		dom_set_cstr(t->arena, d, "ds", t->ds.label);
	dom_each (v, dom_get(t->spec, "params"))
		if (!dom_get(d, arena_cstr(t->arena, v->key)))
			dom_set(t->arena, d, arena_cstr(t->arena, v->key), dom_copy(t->arena, v));
	dom_write_json(&b, d, DOM_COMPACT);
	return arena_cstr(t->arena, buf_str(&b));
}
