#include "api/data.h"

#include "api/egress.h"
#include "api/rows.h"
#include "base/str.h"

bool data_split(struct api *api, const struct job ***jobs, size_t *n, struct data_ask *out)
{
	const struct job **rest = arena_array(api->arena, const struct job *, *n + 1);
	struct jobs *js = api->flow->jobs;
	size_t kept = 0;

	out->jobs = NULL;
	out->n_jobs = 0;
	for (size_t i = 0; !*n && i < js->n; i++)
		if (js->all[i]->tree && !job_stays(js->all[i]))
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

int data_session(struct store *s, struct err *e)
{
	int64_t epoch;

	if (store_session_begin(s, &epoch, e))
		return -1;
	if (db_begin_durable(s->db, DB_PROCESS, e)) {
		store_session_end(s);
		return -1;
	}
	db_rollback(s->db);
	return 0;
}

static void on_event(void *ptr, const struct run_event *ev)
{
	struct sink *out = ptr;

	if (out->event)
		out->event(out->ptr, ev);
}

int data_work(struct api *api, const struct args *args, const char *kind, struct data_ask *ask, struct sink *out,
              struct err *e)
{
	struct run_opts o = {.command = args->command, .kind = kind, .on_event = on_event, .ptr = out};
	struct run_summary sum = {.first = ERR_INIT}, before = {.first = ERR_INIT};
	const struct job **none = NULL;
	struct catalog *c;
	size_t n = 0;
	int rc, taken;

	if (api_open(api, OP_W | OP_J, e))
		return -1;
	for (size_t i = 0; i < api->flow->jobs->n_errors; i++)
		sink_note(out, "%s", err_text(api->arena, api->flow->jobs->errors[i]));
	if (!data_split(api, &none, &n, ask))
		return 0;
	if (data_session(api->store, e))
		return -1;
	rc = run_recover(api->store, e) || catalog_new(api->store, api->arena, &c, e) ||
	     (taken = run_adopt(api->flow, c, &o, &before, e)) < 0 ||
	     (taken && catalog_new(api->store, api->arena, &c, e)) ||
	     data_run(api->flow, c, api->arena, ask, &o, &sum, e) || egress_push_all(api, NULL, 0, out, e);
	store_session_end(api->store);
	run_summary_add(&sum, &before);
	if (sum.failed || sum.not_started || sum.cancelled)
		api->exit_status = 1;
	return rc ? -1 : 0;
}

int data_tell(struct api *api, struct id id, bool all, struct sink *out, struct err *e)
{
	struct q *q = db_query(api->store->db, "select r.name, c.repo, c.id from commits c join repo r on r.id = c.repo"
	                                       " where (c.id = ?1 or c.batch = ?1) and (?2 or c.run is not null)"
	                                       " order by c.at, c.repo");
	struct found {
		struct str name, id;
		int64_t repo;
	};
	VEC(struct found) list = {0};
	int r;

	q_cstr(q, 1, id.hex);
	q_int(q, 2, all);
	while ((r = q_step(q, e)) == 1) {
		struct found f = {arena_str(api->arena, q_col_text(q, 0)), arena_str(api->arena, q_col_text(q, 2)),
		                  q_col_int(q, 1)};
		vec_push(api->arena, &list, f);
	}
	q_done(q);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		struct commit c;
		r = commit_read(api->store, api->arena, list.p[i].repo, list.p[i].id, &c, e);
		if (r == 1)
			r = sink_row(out, row_commit(api->arena, list.p[i].name, STR_NULL, &c), e);
	}
	return r < 0 ? -1 : 0;
}

int data_follow(struct api *api, const struct args *args, const char *kind, struct id id, struct sink *out,
                struct err *e)
{
	struct data_ask ask = {.id = &id, .until = &id};

	return data_work(api, args, kind, &ask, out, e) || data_tell(api, id, false, out, e) ? -1 : 0;
}
