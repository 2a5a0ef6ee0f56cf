#include "base/dom.h"
#include "fuzz.h"

#define CEILING ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct dom *d = NULL, *again = NULL, *all = NULL;
	struct str text = {(const char *)data, n};
	struct err e = ERR_INIT, e_all = ERR_INIT;
	int rc = dom_yaml(a, text, "fuzz.yaml", &d, &e);

	fuzz_answered(rc, &e);
	if (rc == 0) {
		struct buf b = BUF_INIT(CEILING);
		dom_write_json(&b, d, DOM_COMPACT);
		/* JSON has no infinities; all else that YAML holds can be said in it. */
		if (!buf_over(&b) && dom_json(a, buf_str(&b), "again.json", &again, &e) == 0)
			FUZZ_HOLDS(again != NULL);
		buf_free(&b);
	}
	fuzz_answered(dom_yaml_all(a, text, "fuzz.yaml", &all, &e_all), &e_all);
	if (all)
		FUZZ_HOLDS(all->type == DOM_LIST);
	arena_free(a);
	return 0;
}
