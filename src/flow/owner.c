#include "flow/owner.h"

#include "base/str.h"
#include "flow/report.h"
#include "repo/overlay.h"

int owner_check(const struct job *j, const struct repo *r, const struct id *run, struct err *e)
{
	if (r->role == REPO_OUTPUT || run->hex[0])
		return 0;
	err_set(e, ERR_REFUSED, "%.*s was filled by hand: job %.*s does not write over it", STR_ARG(r->name),
	        STR_ARG(j->name));
	err_hint(e, "give `output:` another name, or 'leat rm --repo %.*s' frees this one", STR_ARG(r->name));
	return job_at(e, j, j->output_line, j->output_col);
}

static int check(struct store *s, const struct job *j, const struct repo *r, struct err *e)
{
	struct commit head = {0};
	int had = branch_head(s, r->id, j->output_branch.p ? j->output_branch : store_branch(s), &head, e);

	if (had <= 0)
		return had;
	return owner_check(j, r, &head.run, e);
}

int owner_try(struct store *s, struct arena *a, const struct job *j, struct err *e)
{
	struct repo r;
	int got = repo_find_any(s, a, j->output, &r, e);

	if (got <= 0)
		return got < 0 ? -1 : repo_may_be_made(s, j->output, e);
	return r.role != REPO_OUTPUT ? check(s, j, &r, e) : 0;
}

int owner_take(struct store *s, struct arena *a, const struct job *j, struct repo *out, struct err *e)
{
	struct repo r;

	if (j->no_output)
		return repo_ensure(s, a, j->output, REPO_SYSTEM, j->name, out, e);
	if (repo_ensure(s, a, j->output, REPO_OUTPUT, j->name, &r, e))
		return -1;
	if (r.role != REPO_OUTPUT && check(s, j, &r, e))
		return -1;
	if ((r.role != REPO_OUTPUT || !str_eq(r.job, j->name)) && repo_set_role(s, &r, REPO_OUTPUT, j->name, e))
		return -1;
	*out = r;
	return 0;
}

bool owner_is_orphan(const struct flow *f, struct str repo)
{
	if (report_job(repo).p)
		return !f->jobs->n_errors && !jobs_get(f->jobs, report_job(repo));
	return !f->jobs->n_errors && !graph_producer(f->graph, repo);
}

int owner_release(struct flow *f, struct err *e)
{
	struct db *d = f->store->db;
	struct repo *repos;
	size_t n, orphans = 0;

	if (repo_list(f->store, f->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		orphans += repos[i].role == REPO_OUTPUT && owner_is_orphan(f, repos[i].name);
	if (!orphans)
		return 0;
	if (db_begin(d, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (repos[i].role == REPO_OUTPUT && owner_is_orphan(f, repos[i].name) &&
		    repo_set_role(f->store, &repos[i], REPO_SOURCE, STR_NULL, e)) {
			db_rollback(d);
			return -1;
		}
	return db_commit(d, e);
}
