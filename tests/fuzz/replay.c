/* Runs a fuzz target over its corpus, one TAP line per file. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "t.h"

#define REPLAY_MAX ((size_t)4 << 20)

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(REPLAY_MAX);

	if (!f || !p)
		exit(2);
	*n = fread(p, 1, REPLAY_MAX, f);
	fclose(f);
	/* An exact copy, so that a sanitizer sees one byte read too far. */
	char *exact = malloc(*n ? *n : 1);
	memcpy(exact, p, *n);
	free(p);
	return exact;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : FUZZ_CORPUS;
	struct dirent **names;
	int n = scandir(dir, &names, not_hidden, alphasort);

	T_OK(n > 0, "there is a corpus in %s", dir);
	for (int i = 0; i < n; i++) {
		char path[4096];
		size_t size;
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			char *data = slurp(path, &size);
			int rc = LLVMFuzzerTestOneInput((const uint8_t *)data, size);
			T_INT(rc, 0, "%s is read or refused", names[i]->d_name);
			free(data);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return t_done();
}
