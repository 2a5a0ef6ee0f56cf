#include <stdio.h>
#include <string.h>

#include "db/duck.h"

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--role") && !strcmp(argv[2], "duck"))
		return duck_worker_main(argc, argv);
	puts("leat " LEAT_VERSION);
	return 0;
}
