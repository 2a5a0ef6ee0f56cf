#include "base/name.h"
#include "base/str.h"
#include "fuzz.h"
#include "repo/commit.h"

/* REPO[@PIN][:/PATH]: the parts lie in the text, in order, and put together again they are parsed to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n}, repo, rev, path, repo2, rev2, path2;
	struct err e = ERR_INIT, no = ERR_INIT;
	struct arena *a = arena_new();
	int rc = pin_parse(text, &repo, &rev, &path, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		struct str again = arena_strf(a, "%.*s%s%.*s%s%.*s", STR_ARG(repo), rev.p ? "@" : "", STR_ARG(rev),
		                              path.p ? ":/" : "", STR_ARG(path));

		FUZZ_HOLDS(repo.n && !name_check_repo(repo, &no) && (!rev.p || rev.n) && (!path.n || *path.p != '/'));
		if (!memchr(data, 0, n)) { /* arena_strf ends at a NUL */
			FUZZ_HOLDS(!pin_parse(again, &repo2, &rev2, &path2, &no));
			FUZZ_HOLDS(str_eq(repo, repo2) && str_eq(rev, rev2) && str_eq(path, path2));
		}
	}
	arena_free(a);
	return 0;
}
