#include <unistd.h>

#include "base/str.h"
#include "fuzz.h"
#include "job/download.h"
#include "sys/file.h"

#define MOST ((int64_t)1 << 20)

/* What an archive holds stays in the folder that it is for, and under its limit of bytes. */
static void stayed(struct arena *a, const char *top, const struct download_sink *s)
{
	struct dir_names names;
	struct err e = ERR_INIT;

	FUZZ_HOLDS(!dir_list(a, top, &names, &e) && names.n == 2);
	FUZZ_HOLDS(s->left >= 0 && s->files <= DOWNLOAD_MAX_FILES);
}

/* The first byte says what it is taken for: t tar, z zip, else gzip; the rest is the archive. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	char top[] = "/tmp/leat-fuzz-XXXXXX";
	struct err e = ERR_INIT, ignored = ERR_INIT;
	enum download_unpack how = !n               ? UNPACK_GUNZIP
				   : data[0] == 't' ? UNPACK_UNTAR
				   : data[0] == 'z' ? UNPACK_UNZIP
						    : UNPACK_GUNZIP;
	struct str bytes = {(const char *)data + (n ? 1 : 0), n ? n - 1 : 0};
	struct download_sink s = {.arena = a, .from = "archive", .left = MOST, .max = MOST};

	FUZZ_HOLDS(mkdtemp(top));
	const char *archive = path_join(a, top, "archive");
	s.dir = path_join(a, top, "out");
	FUZZ_HOLDS(!dir_make(s.dir, 0755, &e) && !file_write(archive, bytes, 0600, FILE_EXCL, &e));
	fuzz_answered(download_unpack(&s, archive, how, "plain", &e), &e);
	stayed(a, top, &s);
	FUZZ_HOLDS(!dir_remove_tree(top, &ignored));
	arena_free(a);
	return 0;
}
