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

static bool is_whole(const struct attempt *t, size_t i)
{
	return t->given || t->inputs[i].reads.whole;
}

/* Whether something else has its place in that of the input's repo, so that the repo's folder cannot be one mount. */
static bool is_shared(const struct attempt *t, size_t i)
{
	struct str repo = t->inputs[i].input->repo;

	for (size_t k = 0; k < t->n_inputs; k++)
		if (k != i && str_eq(t->inputs[k].input->repo, repo))
			return true;
	return layout_output(t) && str_eq(t->job->output, repo);
}

static const struct entry *part_of(const struct unit_input *in, const char *label)
{
	for (size_t k = 0; k < in->reads.n_parts; k++)
		if (!strcmp(in->reads.parts[k].label, label))
			return &in->reads.parts[k].entry;
	return NULL;
}

static int two_in_one_place(const struct attempt *t, size_t i, size_t k, const char *target, struct err *e)
{
	const struct job_input *a = t->inputs[k].input, *b = t->inputs[i].input;

	err_set(e, ERR_BAD_CONFIG, "the inputs %.*s and %.*s differ, and layout: dsflow has one place for both, %s",
	        STR_ARG(a->name), STR_ARG(b->name), target);
	return err_hint(e, "read one of them in a job without layout, or at the same commit");
}

/* 1: an input before has put the same there. */
static int is_there(const struct attempt *t, size_t i, const char *label, const char *target, struct err *e)
{
	const struct unit_input *in = &t->inputs[i];

	for (size_t k = 0; k < i; k++) {
		const struct unit_input *other = &t->inputs[k];
		const struct entry *one, *two;

		if (!str_eq(other->input->repo, in->input->repo))
			continue;
		if (t->given)
			return str_eq(other->input->pin, in->input->pin) ? 1 : two_in_one_place(t, i, k, target, e);
		one = label ? part_of(other, label) : &other->reads.root;
		two = label ? part_of(in, label) : &in->reads.root;
		if (one && two)
			return sha_eq(&one->id, &two->id) ? 1 : two_in_one_place(t, i, k, target, e);
	}
	return 0;
}

static int add(const struct attempt *t, size_t i, struct layout_place place, const char *label,
               struct layout_places *out, struct err *e)
{
	int r = is_there(t, i, label, place.target, e);

	if (!r)
		vec_push(t->arena, out, place);
	return r < 0 ? -1 : 0;
}

int layout_input_places(const struct attempt *t, size_t i, const char *folder, struct layout_places *out,
                        struct err *e)
{
	const struct unit_input *in = &t->inputs[i];
	const char *label = attempt_input_label(t, i);
	struct layout_place all = {folder, layout_input(t, i)};

	*out = (struct layout_places){0};
	if (!layout_wanted(t))
		return 0;
	if (label || is_whole(t, i) || !is_shared(t, i))
		return add(t, i, all, label, out, e);
	for (size_t k = 0; k < in->reads.n_parts; k++) {
		const char *ds = in->reads.parts[k].label;
		struct layout_place one = {arena_printf(t->arena, "%s/ds=%s", folder, ds),
		                           place_of(t->arena, in->input->repo, ds)};

		if (add(t, i, one, ds, out, e))
			return -1;
	}
	return 0;
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
