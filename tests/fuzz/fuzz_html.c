#include "fuzz.h"
#include "note/html.h"

/* Tags are ours alone: a '<' begins one of the table's, and what is cleaned stays as it is when it is cleaned again. */
static void fuzz_clean(struct str s)
{
	struct buf once cleanup(buf_free) = BUF_INIT(DOM_MAX_BYTES), twice cleanup(buf_free) = BUF_INIT(DOM_MAX_BYTES);

	html_clean(&once, s);
	html_clean(&twice, buf_str(&once));
	FUZZ_HOLDS(once.n == twice.n && !memcmp(once.p, twice.p, once.n));
	FUZZ_HOLDS(!memmem(once.p, once.n, "<script", 7) && !memmem(once.p, once.n, "<iframe", 7));
}

/* What stands in a page as text begins no tag but our own spans. */
static void fuzz_text(void (*write)(struct buf *, struct str), struct str s)
{
	struct buf b cleanup(buf_free) = BUF_INIT(DOM_MAX_BYTES);

	write(&b, s);
	for (size_t i = 0; i < b.n; i++)
		FUZZ_HOLDS(b.p[i] != '<' || !strncmp(b.p + i, "<span class=", 12) || !strncmp(b.p + i, "</span>", 7));
}

/* What a notebook puts into its page, by each of the ways there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = {(const char *)data, n};

	fuzz_clean(s);
	fuzz_text(html_text, s);
	fuzz_text(html_ansi, s);
	fuzz_text(html_python, s);
	return 0;
}
