#include "api/ask.h"

#include "base/str.h"

/* --param k=v, the value typed as YAML types it, over what the job declares. */
static int parse_params(const struct args *args, const struct job *job, const struct dom **out, struct err *e)
{
	struct arena *a = args->arena;
	struct dom *params = dom_new(a, DOM_MAP);
	size_t n = op_option(args->op, STR("param")) ? args_count(args, "param") : 0;

	if (!n)
		return 0;
	if (!job)
		return err_set(e, ERR_BAD_REQUEST, "--param needs a job");
	for (size_t i = 0; i < n; i++) {
		struct str text = args_nth(args, "param", i), key, value;
		struct dom *v;

		if (!str_cut(text, '=', &key, &value))
			return err_set(e, ERR_BAD_REQUEST, "--param '%.*s' is not KEY=VALUE", STR_ARG(text));
		if (!dom_get(job->params, arena_cstr(a, key))) {
			struct str *names = arena_array(a, struct str, job->params->n);
			size_t k = 0;

			dom_each (p, job->params)
				names[k++] = p->key;
			err_set(e, ERR_BAD_REQUEST, "job %.*s has no parameter '%.*s'", STR_ARG(job->name),
			        STR_ARG(key));
			return k ? keys_hint_nearest(e, key, names, k)
			         : err_hint(e, "it declares none (params: in %.*s)", STR_ARG(job->file));
		}
		if (dom_yaml(a, value, "--param", &v, e))
			return -1;
		dom_set(a, params, arena_cstr(a, key), v);
	}
	*out = params;
	return 0;
}

/* A parameter without a value in job.yaml must be given by hand. */
static int check_params(const struct job *job, const struct dom *given, struct err *e)
{
	dom_each (p, job->params) {
		if (p->type != DOM_NULL || (given && dom_get(given, p->key.p)))
			continue;
		err_set(e, ERR_BAD_REQUEST, "job %.*s needs the parameter '%.*s'", STR_ARG(job->name), STR_ARG(p->key));
		job_at(e, job, p->key_line, p->key_col);
		return err_hint(e, "--param %.*s=VALUE", STR_ARG(p->key));
	}
	return 0;
}

int ask_range(struct api *api, struct asking *q, const struct job *job, struct str word, struct err *e)
{
	struct ds_range r;

	if (jobs_get(api->flow->jobs, word)) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s' is a job, and one job is asked for at a time", STR_ARG(word));
		return err_hint(e, "'leat run' makes all that is stale; -u makes what a job needs too");
	}
	if (str_has_prefix(word, STR("ds="))) /* as the folder is called */
		word = str_sub(word, 3, word.n);
	if (job->every == EVERY_NONE) {
		err_set(e, ERR_BAD_DS, "job %.*s has no partition, so it takes no ds", STR_ARG(job->name));
		return err_hint(e, "leat run %.*s", STR_ARG(job->name));
	}
	if (ds_words(word, job->every, job->tz, api->flow->now_ms / 1000, &r, e))
		return -1;
	vec_push(api->arena, &q->ranges, r);
	return 0;
}

int ask_job(struct api *api, const struct args *args, struct str name, struct asking *q, struct err *e)
{
	struct job *job;

	if (jobs_find(api->flow->jobs, name, &job, e))
		return -1;
	if (job_stays(job)) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is a %.*s, which has no units to run", STR_ARG(name),
		        STR_ARG(job->kind_name));
		return err_hint(e, "leat up %.*s starts it", STR_ARG(name));
	}
	vec_push(api->arena, &q->jobs, job);
	if (parse_params(args, job, &q->ask.params, e))
		return -1;
	return check_params(job, q->ask.params, e);
}

void ask_finish(struct asking *q)
{
	q->ask.jobs = q->jobs.p;
	q->ask.n_jobs = q->jobs.n;
	q->ask.ranges = q->ranges.p;
	q->ask.n_ranges = q->ranges.n;
}

int ask_refuse_broken(struct api *api, const struct asking *q, struct sink *out, struct err *e)
{
	struct jobs *js = api->flow->jobs;

	if (!js->n_errors)
		return 0;
	for (size_t i = q->jobs.n ? 0 : 1; i < js->n_errors; i++)
		sink_note(out, "%s", err_text(api->arena, js->errors[i]));
	if (q->jobs.n)
		return 0;
	*e = *js->errors[0];
	return -1;
}

int ask_all(struct api *api, struct str word, struct asking *q, struct err *e)
{
	struct jobs *js = api->flow->jobs;
	struct err why = ERR_INIT;

	err_set(&why, ERR_BAD_REQUEST, "no job has partitions");
	for (size_t i = 0; i < js->n; i++) {
		if (js->all[i]->every == EVERY_NONE)
			continue;
		err_clear(&why);
		if (!ask_range(api, q, js->all[i], word, &why))
			vec_push(api->arena, &q->jobs, js->all[i]);
	}
	if (q->jobs.n)
		return 0;
	*e = why;
	return -1;
}

bool ask_names(const struct asking *q, const struct job *j)
{
	bool asked = !q->jobs.n;

	for (size_t i = 0; i < q->jobs.n; i++)
		asked |= q->jobs.p[i] == j;
	return asked;
}

const struct ds_range *ask_own_range(const struct asking *q, const struct job *j)
{
	for (size_t i = 0; i < q->jobs.n; i++)
		if (q->jobs.p[i] == j)
			return &q->ranges.p[i];
	return NULL;
}
