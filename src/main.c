#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "db/duck.h"
#include "job/download.h"
#include "job/kinds.h"
#include "repo/mount.h"

/* What this program can be besides a command: `leat --role NAME`, started by ourselves only. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
	{"download", download_worker_main},
	{"duck", duck_worker_main},
	{MOUNT_ROLE, mount_worker_main},
};

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--role")) {
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			if (!strcmp(argv[2], roles[i].name))
				return roles[i].run(argc, argv);
		fprintf(stderr, "leat: there is no role '%s'\n", argv[2]);
		return 2;
	}
	return cli_main(argc, argv, job_kinds);
}
