#include <unistd.h>

#include "base/str.h"
#include "fuzz.h"
#include "job/stay.h"
#include "sys/dir.h"
#include "sys/path.h"

/* The first byte says in how large pieces it comes; the rest is what a spout writes, until it is refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	char top[] = "/tmp/leat-fuzz-XXXXXX";
	size_t piece = n && data[0] ? data[0] * 7 : 4096, at = 1;
	struct err e = ERR_INIT, ignored = ERR_INIT;
	struct dir_names names;
	struct stay_tar *t;
	int r = 0;

	FUZZ_HOLDS(mkdtemp(top));
	const char *dir = path_join(a, top, "files");
	FUZZ_HOLDS(!dir_make(dir, 0755, &e));
	t = stay_tar_new(dir);
	while (at < n && r >= 0) {
		size_t part = MIN(piece, n - at), used = 0;

		r = stay_tar_take(t, (const char *)data + at, part, &used, &e);
		FUZZ_HOLDS(used <= part && (r < 0 || used > 0));
		FUZZ_HOLDS(r <= 0 || !stay_tar_within(t));
		at += used;
	}
	fuzz_answered(r < 0 ? -1 : 0, &e);
	stay_tar_again(t);
	FUZZ_HOLDS(!stay_tar_within(t));
	stay_tar_free(t);
	FUZZ_HOLDS(!dir_list(a, top, &names, &e) && names.n == 1);
	FUZZ_HOLDS(!dir_remove_tree(top, &ignored));
	arena_free(a);
	return 0;
}
