/* flow/jobcache: what has not changed is not read again. */
#include "ws.h"

#include <fcntl.h>
#include <utime.h>

#define JOBS 40

static void expect(const char *what, size_t read, size_t n)
{
	struct jobs *js = ws_load();

	T_INT(js->stats.read, read, "%s: %zu jobs are read", what, read);
	T_INT(js->n, n, "%s: %zu jobs are there", what, n);
	jobs_free(js);
}

static void cycle_of_edits(void)
{
	char path[64];
	struct utimbuf old = {1000000000, 1000000000};

	for (int i = 0; i < JOBS; i++) {
		snprintf(path, sizeof(path), "jobs/j%d/job.yaml", i);
		ws_put(path, i
		       ? "inputs: {a: raw/x, b: {repo: raw/y, optional: true}}\nparams: {n: 1, s: [a, {b: 1.5}]}\n"
			: "");
		snprintf(path, sizeof(path), "jobs/j%d/job.sh", i);
		ws_put(path, "true\n");
	}
	ws_put("jobs/lib/x.py", "x");
	ws_put("pipelines/p/k.sh", "# retries: 2\ntrue\n");
	ws_age();
	expect("the first time", JOBS + 2, JOBS + 1);
	expect("again", 0, JOBS + 1);
	ws_put("jobs/j7/job.yaml", "retries: 5\n");
	ws_age();
	expect("after an edit of one", 1, JOBS + 1);
	expect("after that", 0, JOBS + 1);
	utime(ws_path("jobs/j8/job.sh"), &old);
	ws_age();
	expect("a touched file is looked at", 1, JOBS + 1);
	expect("once", 0, JOBS + 1);
	ws_put("jobs/j9/new.py", "x");
	ws_age();
	expect("after a new file in a folder", 1, JOBS + 1);
	ws_put("jobs/lib/job.yaml", "kind: script\n");
	ws_age();
	expect("a folder that becomes a job", 1, JOBS + 2);
	ws_rm("jobs/lib");
	expect("a job that goes away", 0, JOBS + 1);
	ws_put("jobs/j3/job.yaml", "nonsense: 1\n");
	ws_age();
	expect("a broken job", 1, JOBS);
	expect("a broken job is read each time", 1, JOBS);
	ws_put("jobs/j3/job.yaml", "");
	ws_age();
	expect("a mended job", 1, JOBS + 1);
	expect("at last", 0, JOBS + 1);
}

static void racy(void)
{
	struct jobs *js;
	struct job *j;
	char bytes[] = "retries: 6\n";
	struct stat st;

	js = ws_load();
	jobs_free(js);
	ws_put("jobs/j7/job.yaml", "retries: 5\n");
	expect("a file written just now", 1, JOBS + 1);
	expect("is not trusted the next time", 1, JOBS + 1);
	ws_age();
	expect("nor by what was read then", 1, JOBS + 1);
	expect("but later it is", 0, JOBS + 1);
	/* the same size and, by force, the same mtime: only ctime tells */
	stat(ws_path("jobs/j7/job.yaml"), &st);
	ws_put("jobs/j7/job.yaml", bytes);
	utimensat(AT_FDCWD, ws_path("jobs/j7/job.yaml"), (struct timespec[]){st.st_atim, st.st_mtim}, 0);
	js = ws_load();
	j = jobs_get(js, STR("j7"));
	T_INT(j->retries, 6, "an edit that keeps size and mtime is seen");
	jobs_free(js);
	ws_age();
}

static const char *told(struct job *j)
{
	struct buf b = BUF_INIT(1 << 20);
	char hex[SHA_HEX + 1];
	const char *out;

	sha_hex(&j->files_id, hex);
	buf_addf(&b, "%s %s %s %s %zu %zu %d %s %s ", j->name.p, j->kind->name, j->file.p, j->output.p, j->n_inputs,
		 j->n_code,
	         j->retries, tz_name(j->tz), hex);
	for (size_t i = 0; i < j->n_inputs; i++)
		buf_addf(&b, "%s=%s:%d:%d:%d ", j->inputs[i].name.p, j->inputs[i].repo.p, j->inputs[i].optional,
		         j->inputs[i].line, j->inputs[i].col);
	dom_write_json(&b, job_doc(j), DOM_COMPACT);
	dom_write_json(&b, j->params, DOM_COMPACT);
	dom_write_json(&b, j->own, DOM_COMPACT);
	out = arena_dup(ws_arena, b.p);
	buf_free(&b);
	return out;
}

static void same_job(void)
{
	struct jobs *fresh, *cached;

	ws_rm(".leat/cache");
	fresh = ws_load();
	cached = ws_load();
	T_INT(cached->stats.read, 0, "a load comes from the cache");
	T_STR(told(jobs_get(cached, STR("j5"))), told(jobs_get(fresh, STR("j5"))), "a job of the cache is the same");
	T_STR(told(jobs_get(cached, STR("k"))), told(jobs_get(fresh, STR("k"))),
	      "a job of one file of the cache is the same");
	jobs_free(fresh);
	jobs_free(cached);
}

static void damage(void)
{
	struct err e = ERR_INIT;
	struct str text;
	char *bytes;

	ws_must(file_read(ws_arena, ws_path(".leat/cache/jobs"), 1 << 24, &text, &e), &e);
	bytes = arena_cstr(ws_arena, text);
	bytes[text.n / 2] ^= 1;
	ws_must(file_write(ws_path(".leat/cache/jobs"), (struct str){bytes, text.n}, 0644, 0, &e), &e);
	expect("a cache with one wrong bit is not used", JOBS + 1, JOBS + 1);
	ws_must(file_write(ws_path(".leat/cache/jobs"), (struct str){text.p, text.n / 3}, 0644, 0, &e), &e);
	expect("nor is one that was cut", JOBS + 1, JOBS + 1);
	ws_rm(".leat/cache");
	expect("without a cache all is read", JOBS + 1, JOBS + 1);
	expect("and it is made anew", 0, JOBS + 1);
	ws_rm(".leat");
	expect("without .leat there is no cache", JOBS + 1, JOBS + 1);
	T_OK(!dir_exists(ws_path(".leat")), "and none is made");
}

int main(void)
{
	ws_begin();
	cycle_of_edits();
	racy();
	same_job();
	damage();
	ws_end();
	return t_done();
}
