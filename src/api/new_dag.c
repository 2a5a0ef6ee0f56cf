/*
 * leat new dag NAME JOB...: jobs that are there become a DAG: one pipeline, one after the other unless the data say it
 * already, and one schedule, at those that nothing comes before. It writes as an import does.
 */
#include "api/import.h"
#include "api/new.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/graph.h"

static int no_jobs(struct api *api, struct str name, struct err *e)
{
	const struct jobs *js = api->flow->jobs;
	struct str list = STR("");

	for (size_t i = 0; i < js->n && i < 20; i++)
		list = arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(list), i ? ", " : "", STR_ARG(js->all[i]->name));
	err_set(e, ERR_BAD_REQUEST, "a DAG is made of jobs that are there: leat new dag %.*s JOB JOB...",
	        STR_ARG(name));
	return js->n ? err_hint(e, "there are: %.*s", STR_ARG(list)) : err_hint(e, "`leat new` makes one first");
}

/* --set schedule=CRON, start=DAY, catchup=all */
static int settings(struct api *api, const struct args *args, struct dom **schedule, struct err *e)
{
	static const char *const keys[] = {"cron", "start", "catchup", "timezone"};
	struct dom *map = dom_new(api->arena, DOM_MAP);

	for (size_t i = 0; i < args_count(args, "set"); i++) {
		struct str text = args_nth(args, "set", i), key, value;
		bool known = false;

		if (!str_cut(text, '=', &key, &value))
			return err_set(e, ERR_BAD_REQUEST, "--set '%.*s' is not KEY=VALUE", STR_ARG(text));
		if (str_is(key, "schedule"))
			key = STR("cron");
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			known |= str_is(key, keys[k]);
		if (!known) {
			err_set(e, ERR_BAD_REQUEST, "a DAG asks for no '%.*s'", STR_ARG(key));
			return err_hint(e, "it asks for schedule, start, catchup, timezone");
		}
		if (!dom_get(map, arena_cstr(api->arena, key)))
			dom_set_str(api->arena, map, arena_cstr(api->arena, key), value);
	}
	if (map->n && !dom_get(map, "cron"))
		dom_set_cstr(api->arena, map, "cron", "@daily");
	*schedule = map->n ? map : NULL;
	return 0;
}

/* Whether one of the DAG's jobs is above it already. */
static bool has_above(const struct graph *g, const struct job *j, const struct import *im)
{
	const struct graph_node *node = graph_node(g, j);

	for (size_t i = 0; i < node->n_up; i++)
		for (size_t k = 0; k < im->all.n; k++)
			if (im->all.p[k]->there == node->up[i]->job)
				return true;
	return false;
}

int new_dag(struct api *api, const struct args *args, struct str name, struct sink *out, struct err *e)
{
	struct import im = {.a = api->arena};
	struct dom *schedule = NULL;
	struct import_job *before = NULL;

	map_init(&im.by_name, im.a);
	if (name_check_job(name, e) || api_open(api, OP_W | OP_J, e))
		return -1;
	if (args_n(args) < 3)
		return no_jobs(api, name, e);
	if (settings(api, args, &schedule, e))
		return -1;
	im.jobs = api->flow->jobs;
	for (size_t i = 2; i < args_n(args); i++) {
		struct import_job *j;
		struct job *there;

		if (jobs_find(im.jobs, args_pos(args, i), &there, e))
			return -1;
		j = import_job_of(&im, there->name);
		import_set_text(&im, j, "pipeline", name);
		if (before)
			import_after(&im, j, before->name);
		before = j;
	}
	for (size_t i = 0; schedule && i < im.all.n; i++)
		if (!im.all.p[i]->after.n && !has_above(api->flow->graph, im.all.p[i]->there, &im))
			import_set(&im, im.all.p[i], "schedule", dom_copy(im.a, schedule));
	return import_write(&im, api, NULL, false, false, out, e);
}
