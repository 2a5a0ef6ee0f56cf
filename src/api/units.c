/* The units that the inputs of a job give, of one that is there or of a spec that is none yet. */
#include <unistd.h>

#include "api/rows.h"
#include "api/spec_file.h"
#include "base/str.h"
#include "flow/data.h"
#include "flow/graph.h"
#include "sys/clock.h"
#include "sys/file.h"

int spec_file_read(struct api *api, struct str path, struct spec_list *out, struct err *e)
{
	struct arena *a = api->arena;
	bool in = str_is(path, "-");
	const char *name = in ? "standard input" : arena_cstr(a, path);
	struct str text;

	if (in ? file_read_fd(a, STDIN_FILENO, name, SPEC_MAX_BYTES, &text, e)
	       : file_read(a, name, SPEC_MAX_BYTES, &text, e))
		return -1;
	return spec_read(a, text, name, api->kinds, out, e);
}

void spec_file_asks(struct err *e)
{
	if (e->code == ERR_NOT_FOUND)
		e->code = ERR_BAD_CONFIG;
}

struct listing {
	struct api *api;
	struct sink *out;
	const struct job *job;
	const struct commit *heads; /* one per input; no id: nothing there */
	struct arena *row;          /* emptied after each */
	int64_t n, most;
};

static struct dom *part_doc(const struct listing *l, const struct datum_part *p)
{
	const struct job_input *in = &l->job->inputs[p->leaf];
	struct arena *a = l->row;
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_str(a, d, "name", in->folder.p ? in->folder : in->name);
	dom_set_str(a, d, "repo", in->repo);
	dom_set_cstr(a, d, "commit", l->heads[p->leaf].id.hex);
	dom_set_str(a, d, "path", arena_strf(a, "/%.*s", STR_ARG(datum_path(a, p))));
	dom_set_int(a, d, "size", p->entry.size);
	if (p->entry.kind == ENTRY_FILE)
		row_sha(a, d, "sha256", &p->entry.id);
	else
		dom_set_int(a, d, "files", p->entry.files);
	if (p->join.p)
		dom_set_str(a, d, "joinOn", p->join);
	if (p->group.p)
		dom_set_str(a, d, "groupBy", p->group);
	return d;
}

static int unit_row(void *ptr, const struct datum *d, struct err *e)
{
	struct listing *l = ptr;
	struct arena *a = l->row;
	struct dom *row, *inputs;
	int64_t size = 0;
	int r;

	if (l->n++ >= l->most)
		return 0;
	row = dom_new(a, DOM_MAP);
	inputs = dom_new(a, DOM_LIST);
	for (size_t i = 0; i < d->n; i++) {
		size += d->parts[i].entry.size;
		dom_add(inputs, part_doc(l, &d->parts[i]));
	}
	dom_set_str(a, row, "job", l->job->name);
	dom_set_int(a, row, "unit", l->n);
	if (d->ds.p)
		dom_set_str(a, row, "ds", d->ds);
	dom_set_cstr(a, row, "paths", datum_label(a, d));
	dom_set_int(a, row, "size", size);
	row_sha(a, row, "id", &d->id);
	dom_set(a, row, "inputs", inputs);
	r = sink_row(l->out, row, e);
	arena_reset(a);
	return r;
}

static int list_units(struct listing *l, const struct job *j, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new(), *row cleanup(arena_cleanup) = arena_new();
	struct commit *heads = arena_array(a, struct commit, j->n_inputs);
	struct flow bare = {.ws = l->api->ws, .store = l->api->store, .now_ms = clock_now_ms()};
	struct flow *f = l->api->flow ? l->api->flow : &bare;
	struct data_set set;

	if (!j->tree) {
		err_set(e, ERR_BAD_REQUEST, "the units of job %.*s come from the calendar, not from a glob",
		        STR_ARG(j->name));
		return err_hint(e, "`leat plan %.*s` shows them", STR_ARG(j->name));
	}
	for (size_t i = 0; i < j->n_inputs; i++) {
		int r = input_resolve(l->api->store, a, j, &j->inputs[i], &heads[i], e);

		if (r < 0)
			return -1;
		if (!r)
			sink_note(l->out, "%.*s holds nothing yet", STR_ARG(j->inputs[i].repo));
	}
	l->job = j;
	l->heads = heads;
	l->row = row;
	l->n = 0;
	if (data_at_heads(f, a, j, heads, &set, e) || data_days_each(f, a, &set, NULL, unit_row, l, e))
		return -1;
	for (size_t i = 0; i < set.n_days; i++)
		if (set.days[i].missing)
			sink_note(l->out, "%.*s %s has none: %s", STR_ARG(j->name), set.days[i].ds.label,
			          set.days[i].missing);
	sink_note(l->out, "%.*s: %lld unit%s%s", STR_ARG(j->name), (long long)l->n, l->n == 1 ? "" : "s",
	          l->n > l->most ? ", not all shown" : "");
	return 0;
}

/* What apply would refuse of the jobs of one file: a circle, one that reads its own output, an output of two. */
static int check_together(struct listing *l, struct job **all, size_t n, struct err *e)
{
	struct api *api = l->api;
	struct jobs js = {.arena = api->arena, .ws = api->ws, .kinds = api->kinds, .n = n};
	struct graph *g;

	js.all = arena_array(api->arena, struct job *, n);
	for (size_t i = 0; i < n; i++)
		js.all[i] = all[i];
	jobs_index(&js);
	return graph_make(api->arena, &js, &g, e);
}

static int of_file(struct listing *l, struct str path, struct err *e)
{
	struct api *api = l->api;
	const char *file = str_is(path, "-") ? "standard input" : arena_cstr(api->arena, path);
	struct spec_list specs;
	struct job **all;

	if (spec_file_read(api, path, &specs, e))
		return -1;
	all = arena_array(api->arena, struct job *, specs.specs.n);
	for (size_t i = 0; i < specs.specs.n; i++) {
		const struct spec *s = &specs.specs.p[i];

		if (job_of_doc(api->arena, api->ws, api->kinds, s->name, file, s->job, &all[i], e))
			return -1;
		for (size_t k = 0; k < s->notes.n; k++)
			sink_note(l->out, "%.*s", STR_ARG(s->notes.p[k]));
	}
	if (check_together(l, all, specs.specs.n, e))
		return -1;
	for (size_t i = 0; i < specs.specs.n; i++)
		if (list_units(l, all[i], e)) {
			spec_file_asks(e);
			return -1;
		}
	return 0;
}

int api_units(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct listing l = {.api = api, .out = out};
	struct job *j;

	if (args_int(args, "limit", 1, INT64_MAX, INT64_MAX, &l.most, e))
		return -1;
	if (!args_n(args) && !args_count(args, "file")) {
		err_set(e, ERR_BAD_REQUEST, "whose units?");
		return err_hint(e, "leat units JOB, or leat units -f SPEC");
	}
	for (size_t i = 0; i < args_count(args, "file"); i++)
		if (of_file(&l, args_nth(args, "file", i), e))
			return -1;
	if (!args_n(args))
		return 0;
	return api_open(api, OP_J, e) || jobs_find(api->flow->jobs, args_pos(args, 0), &j, e) || list_units(&l, j, e)
	               ? -1
	               : 0;
}
