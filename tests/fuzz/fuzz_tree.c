#include "fuzz.h"
#include "repo/tree_page.h"

/* A page of a folder: what decodes is canonical, so encoding it again gives the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct page p;
	int rc = tree_page_decode(a, (struct str){(const char *)data, n}, &p, &e);

	fuzz_answered(rc, &e);
	if (!rc) {
		struct buf b = BUF_INIT(TREE_PAGE_MAX_BYTES);
		struct entry sums;
		int64_t entries;
		tree_page_encode(&b, p.level, p.items, p.n);
		FUZZ_HOLDS(b.n == n && !memcmp(b.p, data, n));
		tree_page_sums(&p, &sums, &entries);
		FUZZ_HOLDS(sums.size >= 0 && sums.files >= 0 && entries >= (int64_t)p.n);
		for (size_t i = 0; i < p.n; i++)
			FUZZ_HOLDS(tree_page_seek(&p, p.items[i].entry.name) == i);
		buf_free(&b);
	}
	arena_free(a);
	return 0;
}
