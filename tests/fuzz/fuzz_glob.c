#include "base/glob.h"
#include "base/name.h"
#include "base/str.h"
#include "fuzz.h"

/* A walk to the path, folder by folder, says what matching it whole does, and never turns back before a match. */
static void walks_the_same(const struct glob *g, struct str path)
{
	struct glob_at at = glob_root(g), below;
	char begin[NAME_MAX_SEGMENT];
	bool matches = glob_match(g, path), lost = false, whole;
	size_t name = 0;

	for (;;) {
		struct str rest = str_sub(path, name, SIZE_MAX), seg = rest, tail;
		size_t n = glob_names_begin(g, &at, name, begin, sizeof(begin), &whole);

		if (!str_cut(rest, '/', &seg, &tail))
			seg = rest;
		if (!str_has_prefix(seg, (struct str){begin, n}) || (whole && seg.n != n))
			lost = true;
		if (seg.n == rest.n)
			break;
		if (!glob_into(g, &at, (struct str){path.p, name + seg.n}, name, &below)) {
			lost = true;
			break;
		}
		at = below;
		name += seg.n + 1;
	}
	FUZZ_HOLDS(!(lost && matches));
	if (!lost)
		FUZZ_HOLDS(glob_here(g, &at, path, name) == matches);
}

/* What its groups catch lies in the path, and there is a catch where there is a match. */
static void catches(struct arena *a, struct str pattern, struct str path)
{
	struct err e = ERR_INIT;
	struct glob *g = NULL;
	struct str *out;
	int rc = glob_compile_groups(a, pattern, &g, &e);

	fuzz_answered(rc, &e);
	if (rc)
		return;
	out = arena_array(a, struct str, glob_groups(g));
	FUZZ_HOLDS(glob_capture(g, path, out) == glob_match(g, path));
	for (size_t i = 0; i < glob_groups(g); i++)
		FUZZ_HOLDS(!out[i].n || (out[i].p >= path.p && out[i].p + out[i].n <= path.p + path.n));
}

/* The first line is the pattern, the rest the path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct str path = {(const char *)data, n}, pattern = fuzz_line(&path);
	struct glob *g = NULL;
	struct err e = ERR_INIT, bad = ERR_INIT;
	char clean[NAME_MAX_PATH + 1];
	size_t clean_n;
	int rc = glob_compile(a, pattern, &g, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		struct str prefix = glob_fixed_prefix(g);
		bool matched = glob_match(g, path);
		FUZZ_HOLDS(!matched || (path.n >= prefix.n && (!prefix.n || memcmp(path.p, prefix.p, prefix.n) == 0)));
		if (!name_path(path, clean, &clean_n, NULL, &bad) && clean_n)
			walks_the_same(g, (struct str){clean, clean_n});
	}
	catches(a, pattern, path);
	arena_free(a);
	return 0;
}
