/* Only until the rooms that define these have landed: the program links, and says so when it gets there. */
#include <stdio.h>
#include <stdlib.h>

void api_check(void);
void api_check(void)
{
	fputs("leat: api_check is not there yet\n", stderr);
	abort();
}
void api_plot(void);
void api_plot(void)
{
	fputs("leat: api_plot is not there yet\n", stderr);
	abort();
}
void api_schema(void);
void api_schema(void)
{
	fputs("leat: api_schema is not there yet\n", stderr);
	abort();
}
void api_sql(void);
void api_sql(void)
{
	fputs("leat: api_sql is not there yet\n", stderr);
	abort();
}
void api_why(void);
void api_why(void)
{
	fputs("leat: api_why is not there yet\n", stderr);
	abort();
}
void catalog_new(void);
void catalog_new(void)
{
	fputs("leat: catalog_new is not there yet\n", stderr);
	abort();
}
void catalog_repo(void);
void catalog_repo(void)
{
	fputs("leat: catalog_repo is not there yet\n", stderr);
	abort();
}
void datastore_commit(void);
void datastore_commit(void)
{
	fputs("leat: datastore_commit is not there yet\n", stderr);
	abort();
}
void datastore_drift(void);
void datastore_drift(void)
{
	fputs("leat: datastore_drift is not there yet\n", stderr);
	abort();
}
void datastore_remove(void);
void datastore_remove(void)
{
	fputs("leat: datastore_remove is not there yet\n", stderr);
	abort();
}
int datastore_update(void);
int datastore_update(void)
{
	return 0;
}
void flow_close(void);
void flow_close(void)
{
}
void flow_open(void);
void flow_open(void)
{
	fputs("leat: flow_open is not there yet\n", stderr);
	abort();
}
void fsck_run(void);
void fsck_run(void)
{
	fputs("leat: fsck_run is not there yet\n", stderr);
	abort();
}
extern const void *const job_kinds[];
const void *const job_kinds[1];
void plan_make(void);
void plan_make(void)
{
	fputs("leat: plan_make is not there yet\n", stderr);
	abort();
}
void query_rows(void);
void query_rows(void)
{
	fputs("leat: query_rows is not there yet\n", stderr);
	abort();
}
void reason_runs(void);
void reason_runs(void)
{
	fputs("leat: reason_runs is not there yet\n", stderr);
	abort();
}
void reason_text(void);
void reason_text(void)
{
	fputs("leat: reason_text is not there yet\n", stderr);
	abort();
}
void reason_word(void);
void reason_word(void)
{
	fputs("leat: reason_word is not there yet\n", stderr);
	abort();
}
void run_plan(void);
void run_plan(void)
{
	fputs("leat: run_plan is not there yet\n", stderr);
	abort();
}
void run_recover(void);
void run_recover(void)
{
	fputs("leat: run_recover is not there yet\n", stderr);
	abort();
}
void tmpl_render(void);
void tmpl_render(void)
{
	fputs("leat: tmpl_render is not there yet\n", stderr);
	abort();
}
