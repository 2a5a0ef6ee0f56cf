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
void query_rows(void);
void query_rows(void)
{
	fputs("leat: query_rows is not there yet\n", stderr);
	abort();
}
