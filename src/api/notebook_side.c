/* Which notebook `leat notebook diff` is asked about. */
#include "api/notebook_diff.h"
#include "api/spot.h"
#include "base/ds.h"
#include "base/str.h"
#include "flow/report.h"
#include "note/metrics.h"
#include "repo/blob.h"
#include "sys/file.h"

struct found {
	struct arena *a;
	struct str path;
	struct entry entry;
	size_t n;
};

static int take(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct found *f = ptr;

	(void)e;
	if (entry->kind != ENTRY_FILE)
		return 0;
	f->n++;
	f->path = arena_str(f->a, path);
	f->entry = *entry;
	return 0;
}

static int parse(struct api *api, struct str text, const char *name, struct notebook *out, struct err *e)
{
	enum notebook_form form;

	if (notebook_form(str_of(name), text, &form, e))
		return -1;
	return notebook_read(api->arena, text, name, form, out, e);
}

/* What its outputs say, where no run is known. */
static struct dom *told_by_outputs(struct arena *a, const struct notebook *nb)
{
	struct metrics m;

	metrics_init(&m, a);
	for (size_t i = 0; i < nb->n; i++)
		dom_each(o, nb->cells[i].outputs) {
			struct str text = notebook_text(a, dom_get(o, "text"));

			if (text.p)
				metrics_stream(&m, false, text);
			metrics_stream(&m, false, STR("\n"));
			metrics_output(&m, o);
		}
	metrics_free(&m);
	return m.all;
}

static int told_by_run(struct api *api, struct str run, struct str job, struct str ds, struct notebook_side *out,
                       struct err *e)
{
	struct q *q = db_query(api->store->db, "select ingredients from unit where run = ? and job = ? and ds = ? and"
	                                       " attempts > 0 order by id desc limit 1");
	struct err bad = ERR_INIT;
	struct dom *d = NULL;
	int rc;

	q_text(q, 1, run);
	q_text(q, 2, job);
	q_text(q, 3, ds);
	rc = q_step(q, e);
	if (rc == 1 && q_col_text(q, 0).n &&
	    !dom_json(api->arena, arena_str(api->arena, q_col_text(q, 0)), "facts", &d, &bad)) {
		struct dom *m = (struct dom *)dom_path(d, "facts.metrics");

		if (m && m->type == DOM_MAP)
			out->metrics = m;
	}
	q_done(q);
	return rc < 0 ? -1 : 0;
}

/* The notebook in a folder of a repo of reports; its path or "". */
static int read_report(struct api *api, const struct args *args, struct str pin, struct notebook_side *out,
                       struct err *e)
{
	struct found f = {.a = api->arena};
	struct str repo, rev, path, text, ds = STR("");
	struct spot s;
	bool whole = str_has_suffix(pin, STR(".ipynb"));

	if (pin_parse(pin, &repo, &rev, &path, e))
		return -1;
	if (!whole)
		pin = arena_strf(api->arena, "%.*s%s%s*.ipynb", STR_ARG(pin), path.p ? "" : ":",
		                 path.p && path.n && path.p[path.n - 1] == '/' ? "" : "/");
	if (whole ? spot_find(api, args, pin, false, &s, e) : spot_glob(api, args, pin, &s, e))
		return -1;
	if (whole)
		(void)take(&f, s.path, &s.entry, e);
	else if (spot_each(api, &s, take, &f, e))
		return -1;
	if (f.n != 1) {
		err_set(e, f.n ? ERR_BAD_REQUEST : ERR_NOT_FOUND, "%.*s holds %s notebook", STR_ARG(out->shown),
		        f.n ? "more than one" : "no");
		return err_hint(e, "JOB@DS, RUN, or %.*s:/ds=DS names one", STR_ARG(repo));
	}
	if (blob_bytes(api->store, &f.entry.id, api->arena, NOTEBOOK_BYTES_MAX, &text, e) ||
	    parse(api, text, "notebook.ipynb", &out->nb, e))
		return -1;
	out->metrics = told_by_outputs(api->arena, &out->nb);
	if (str_has_prefix(f.path, STR("ds=")) && !str_cut(str_sub(f.path, 3, f.path.n), '/', &ds, &path))
		ds = STR("");
	if (!report_job(repo).p || !s.pin.has_commit || !s.pin.commit.run.hex[0])
		return 0;
	return told_by_run(api, str_of(s.pin.commit.run.hex), report_job(repo), ds, out, e);
}

/* The report that a run made (of that ds, if one is said): a pin. STR_NULL: no run is called so. */
static int pin_of_run(struct api *api, struct str run, struct str ds, struct str *out, struct err *e)
{
	struct q *q = db_query(
		api->store->db,
		"select distinct r.name, c.id, v.label from unit u"
		" join repo r on r.name = '" REPORT_ROOT "/' || u.job and r.ended is null"
		" join commits c on c.repo = r.id and c.run = u.run join event v on v.id = c.id"
		" where length(?1) >= 4 and u.run >= ?1 and u.run < ?1 || 'g' and v.kind = 'report' and"
		" (?2 is null or v.label = ?2) limit 2");
	size_t n = 0;
	int rc;

	*out = STR_NULL;
	q_text(q, 1, run);
	q_text(q, 2, ds);
	while ((rc = q_step(q, e)) == 1 && n++ < 2) {
		struct str label = q_col_text(q, 2);

		*out = arena_strf(api->arena, "%.*s@%.*s:/%s%.*s", STR_ARG(q_col_text(q, 0)),
		                  STR_ARG(q_col_text(q, 1)), label.n ? "ds=" : "", STR_ARG(label));
	}
	q_done(q);
	if (rc < 0)
		return -1;
	if (n < 2)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "the run %.*s made more than one notebook", STR_ARG(run));
	return err_hint(e, "%.*s@DS names that of one ds", STR_ARG(run));
}

static bool is_file(struct str text, const char *path)
{
	static const char *const ends[] = {".ipynb", ".py", ".sql"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_has_suffix(text, str_of(ends[i])) && file_exists(path))
			return true;
	return false;
}

int notebook_side_find(struct api *api, const struct args *args, struct str text, struct notebook_side *out,
                       struct err *e)
{
	const char *path = arena_cstr(api->arena, text);
	struct str name = text, rev = STR_NULL, pin, content;
	struct err bad = ERR_INIT;
	struct repo repo;
	struct ds ds;
	int rc;

	*out = (struct notebook_side){.shown = text};
	if (is_file(text, path)) {
		if (file_read(api->arena, path, NOTEBOOK_BYTES_MAX, &content, e) ||
		    parse(api, content, path, &out->nb, e))
			return -1;
		out->metrics = told_by_outputs(api->arena, &out->nb);
		return 0;
	}
	if (memchr(text.p, '/', text.n))
		return read_report(api, args, text, out, e);
	if (!str_cut(text, '@', &name, &rev))
		name = text;
	pin = arena_strf(api->arena, REPORT_ROOT "/%.*s", STR_ARG(name));
	rc = repo_find(api->store, api->arena, pin, &repo, e);
	if (rc < 0)
		return -1;
	if (rc && !rev.p)
		return read_report(api, args, pin, out, e);
	if (rc) {
		bool label = !ds_parse(rev, &ds, &bad);

		err_clear(&bad);
		return read_report(api, args, arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(pin), label ? ":/ds=" : "@",
		                                         STR_ARG(rev)),
		                   out, e);
	}
	if (pin_of_run(api, name, rev, &pin, e))
		return -1;
	if (pin.p)
		return read_report(api, args, pin, out, e);
	err_set(e, ERR_NOT_FOUND, "%.*s is no run that left a notebook, and no job with one", STR_ARG(text));
	return err_hint(e, "a run (leat runs), JOB@DS, a pin of " REPORT_ROOT "/JOB, or a file");
}
