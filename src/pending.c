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
extern const void *const job_kinds[];
const void *const job_kinds[1];
void query_rows(void);
void query_rows(void)
{
	fputs("leat: query_rows is not there yet\n", stderr);
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
