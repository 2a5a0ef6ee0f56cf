#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/lineage.h"
#include "cli/cli.h"
#include "conn/s3.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "db/duck.h"
#include "exec/local_pipes.h"
#include "job/common.h"
#include "job/download.h"
#include "job/kinds.h"
#include "job/notebook.h"
#include "job/stay.h"
#include "repo/mount.h"
#include "web/web.h"

static int daemon_role(int argc, char **argv)
{
	return daemon_main(argc, argv, job_kinds);
}

static int runner(int argc, char **argv)
{
	return runner_main(argc, argv, job_kinds);
}

static int lineage(int argc, char **argv)
{
	return lineage_main(argc, argv, job_kinds);
}

/* The description of the HTTP API, for tools/reference and `leat serve --openapi`. */
static int openapi(int argc, char **argv)
{
	return web_openapi_print(stdout);
}

/* What this program can be besides a command: `leat --role NAME`, started by ourselves only. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	bool at_once; /* what it holds goes with the process: nodes that the kernel never forgot, what libfuse keeps */
} roles[] = {
	{DAEMON_ROLE, daemon_role, false},
	{"download", download_worker_main, false},
	{FORKED_ROLE, forked_main, false},
	{NOTEBOOK_ROLE, notebook_worker_main, false},
	{WEB_OPENAPI_ROLE, openapi, false},
	{"duck", duck_worker_main, false},
	{S3_ROLE, s3_worker_main, false},
	{PIPES_ROLE, pipes_worker_main, true},
	{STAY_GUARD_ROLE, stay_guard_main, false},
	{STAY_ROLE, stay_worker_main, false},
	{RUNNER_ROLE, runner, false},
	{LINEAGE_ROLE, lineage, false},
	{ZYGOTE_ROLE, zygote_main, false},
	{MOUNT_ROLE, mount_worker_main, true},
};

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--role")) {
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			if (!strcmp(argv[2], roles[i].name)) {
				int status = roles[i].run(argc, argv);

				if (roles[i].at_once) {
					(void)fflush(NULL);
					_exit(status); /* past the look for leaks of a sanitized build */
				}
				return status;
			}
		fprintf(stderr, "leat: there is no role '%s'\n", argv[2]);
		return 2;
	}
	return cli_main(argc, argv, job_kinds);
}
