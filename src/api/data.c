#include "api/data.h"

bool data_split(struct api *api, const struct job ***jobs, size_t *n, struct data_ask *out)
{
	const struct job **rest = arena_array(api->arena, const struct job *, *n + 1);
	struct jobs *js = api->flow->jobs;
	size_t kept = 0;

	out->jobs = NULL;
	out->n_jobs = 0;
	for (size_t i = 0; !*n && i < js->n; i++)
		if (js->all[i]->tree)
			return true;
	if (!*n)
		return false;
	out->jobs = arena_array(api->arena, const struct job *, *n);
	for (size_t i = 0; i < *n; i++)
		if ((*jobs)[i]->tree)
			out->jobs[out->n_jobs++] = (*jobs)[i];
		else
			rest[kept++] = (*jobs)[i];
	*jobs = rest;
	*n = kept;
	return out->n_jobs > 0;
}

void data_add(struct run_summary *to, const struct run_summary *s)
{
	to->ran += s->ran;
	to->known += s->known;
	to->recovered += s->recovered;
	to->failed += s->failed;
	to->skipped += s->skipped;
	to->not_started += s->not_started;
	to->published_groups += s->published_groups;
	to->held_groups += s->held_groups;
	to->cancelled |= s->cancelled;
	if (!to->first.code)
		to->first = s->first;
	if (s->batch.hex[0])
		to->batch = s->batch;
}
