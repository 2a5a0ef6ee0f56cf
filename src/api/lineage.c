/* `leat lineage`: events of runs that there are; and what becomes of those that are to be told at a command's end. */
#include "api/lineage.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "api/rows.h"
#include "api/serve.h"
#include "base/str.h"
#include "base/url.h"
#include "sys/file.h"
#include "sys/proc.h"

#define LIMIT      20
#define LIMIT_MAX  1000000
#define AFTER_MS   20000 /* for all that waits, at the end of a command */
#define TALK_MAX   ((size_t)64 << 10)
#define COLUMNS    "select id, coalesce(started, created), finished from run"

/* --- the command --- */

static struct str names(struct arena *a, const struct dom *sets)
{
	struct buf b = BUF_INIT(TALK_MAX);
	struct str s;

	dom_each (d, sets)
		buf_addf(&b, "%s%.*s", b.n ? " " : "", STR_ARG(dom_get(d, "name")->s));
	s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static int tell(struct api *api, const struct lineage_row *r, struct sink *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct dom *event, *row;
	int got = lineage_event(api->store, api->flow, a, r, &event, e);

	if (got != 1)
		return got;
	if (!out->people)
		return sink_row(out, event, e);
	row = dom_new(a, DOM_MAP);
	row_time(a, row, "at", r->at);
	dom_set_str(a, row, "event", dom_get(event, "eventType")->s);
	dom_set_str(a, row, "job", dom_path(event, "job.name")->s);
	dom_set_cstr(a, row, "run", arena_printf(a, "%.8s", r->run));
	dom_set_str(a, row, "inputs", names(a, dom_get(event, "inputs")));
	dom_set_str(a, row, "outputs", names(a, dom_get(event, "outputs")));
	return sink_row(out, row, e);
}

static int is_job(struct api *api, struct str what, struct err *e)
{
	struct q *q;
	int rc;

	if (jobs_get(api->flow->jobs, what))
		return 1;
	q = db_query(api->store->db, "select 1 from run where job = ? limit 1");
	q_text(q, 1, what);
	rc = q_step(q, e);
	q_done(q);
	return rc;
}

static int list(struct api *api, struct str what, int64_t most, struct lineage_row **out, size_t *n, struct err *e)
{
	static const char of_job[] = COLUMNS " where job = ?1 and kind <> 'accept' order by created desc limit ?2";
	static const char of_id[] = COLUMNS " where id >= ?1 and id < ?1 || 'g' and kind <> 'accept' limit ?2";
	static const char of_all[] = COLUMNS " where ?1 is null and kind <> 'accept' order by created desc limit ?2";
	int job = what.p ? is_job(api, what, e) : 0, rc;
	VEC(struct lineage_row) v = {0};
	struct q *q;

	if (job < 0)
		return -1;
	q = db_query(api->store->db, job ? of_job : what.p ? of_id : of_all);
	q_text(q, 1, what);
	q_int(q, 2, most);
	while ((rc = q_step(q, e)) == 1) {
		struct lineage_row r = {.at = q_col_int(q, 1)}, done = {.at = q_col_int(q, 2), .end = true};

		snprintf(r.run, sizeof(r.run), "%.*s", STR_ARG(q_col_text(q, 0)));
		snprintf(done.run, sizeof(done.run), "%s", r.run);
		if (!q_col_is_null(q, 2)) /* the list is turned round */
			vec_push(api->arena, &v, done);
		vec_push(api->arena, &v, r);
	}
	q_done(q);
	if (!rc && what.p && !v.n && !job)
		rc = err_set(e, ERR_NOT_FOUND, "there is no job and no run '%s'", STR_SHOWN(what));
	*out = v.p;
	*n = v.n;
	return rc;
}

int api_lineage(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0);
	struct lineage_row *rows;
	int64_t most;
	size_t n;

	if (args_int(args, "limit", 0, LIMIT_MAX, LIMIT, &most, e) || list(api, what, most, &rows, &n, e))
		return -1;
	while (n--)
		if (tell(api, &rows[n], out, e) < 0)
			return -1;
	return 0;
}

/* --- what is still to be told --- */

static const struct dom *trouble(struct store *s, struct arena *a)
{
	const char *path = arena_printf(a, "%s/" LINEAGE_TROUBLE, s->leat_dir);
	struct err e = ERR_INIT;
	struct dom *doc = NULL;
	struct str text;

	if (file_exists(path) && (file_read(a, path, TALK_MAX, &text, &e) || dom_json(a, text, path, &doc, &e)))
		doc = NULL; /* it is only told */
	err_clear(&e);
	return doc;
}

const char *lineage_trouble(struct store *s, struct arena *a)
{
	const struct dom *why = dom_get(trouble(s, a), "error");

	return why && why->type == DOM_STR ? arena_cstr(a, why->s) : NULL;
}

static bool not_yet(struct store *s, struct arena *a)
{
	const struct dom *d = trouble(s, a), *again = dom_get(d, "again"), *to = dom_get(d, "to");

	return again && again->type == DOM_INT && again->i > (int64_t)time(NULL) && to && to->type == DOM_STR &&
	       str_eq(to->s, url_redact(a, lineage_to(s->ws, a)));
}

void lineage_after(struct api *api, struct sink *out)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *ms = arena_printf(a, "%d", AFTER_MS / 2);
	const char *argv[] = {proc_self_exe(), "--role", LINEAGE_ROLE, api->ws->dir, ms, NULL};
	struct proc_spec spec = PROC_SPEC;
	const struct dom *place;
	struct err e = ERR_INIT;
	struct proc_exit x;
	struct str said;
	const char *why;
	int64_t n;

	if (!lineage_to(api->ws, a).n || lineage_waiting(api->store->db, &n, &e) || !n || not_yet(api->store, a) ||
	    serve_place(api->store, a, &place, &e))
		return;
	spec.argv = argv;
	spec.cwd = "/";
	if (proc_output(a, &spec, TALK_MAX, AFTER_MS, &said, &x, &e)) {
		sink_note(out, "%lld OpenLineage events wait: %s", (long long)n, e.msg);
		return;
	}
	if (proc_exit_ok(&x) || lineage_waiting(api->store->db, &n, &e) || !n)
		return;
	why = lineage_trouble(api->store, a);
	sink_note(out, "%lld OpenLineage events wait, and are told by a later command or the daemon: %s", (long long)n,
	          why ? why : "the process that tells them ended");
}

int lineage_attention(struct api *api, struct dom *list_of, struct err *e)
{
	const char *why = lineage_to(api->ws, api->arena).n ? lineage_trouble(api->store, api->arena) : NULL;
	int64_t n;

	if (!why)
		return 0;
	if (lineage_waiting(api->store->db, &n, e))
		return -1;
	if (n) {
		struct dom *row = dom_new(api->arena, DOM_MAP);

		dom_set_str(api->arena, row, "text",
		            arena_strf(api->arena, "%lld OpenLineage events wait: %s", (long long)n, why));
		dom_add(list_of, row);
	}
	return 0;
}
