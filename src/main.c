#include <stdio.h>

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("leat " LEAT_VERSION);
	return 0;
}
