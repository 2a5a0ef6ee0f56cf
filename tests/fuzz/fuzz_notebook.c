#include "fuzz.h"
#include "note/notebook.h"

/* What was read is written and read again as the same, in either form. */
static void fuzz_again(struct arena *a, const struct notebook *nb, enum notebook_form form)
{
	struct buf first cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct buf second cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct err e = ERR_INIT;
	struct notebook again;

	notebook_write(a, nb, form, &first);
	FUZZ_HOLDS(!notebook_read(a, arena_str(a, buf_str(&first)), "x", form, &again, &e));
	if (form != NOTEBOOK_IPYNB) /* what comes before the first cell is one, and empty lines go */
		return;
	notebook_write(a, &again, form, &second);
	FUZZ_HOLDS(first.n == second.n && !memcmp(first.p, second.p, first.n));
}

/* A file of a notebook: its first byte says which form it is tried as. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	enum notebook_form form = n ? (enum notebook_form)(data[0] % 3) : NOTEBOOK_IPYNB;
	struct err e = ERR_INIT;
	struct notebook nb;
	int rc;

	if (!n)
		return 0;
	rc = notebook_read(a, (struct str){(const char *)data + 1, n - 1}, "x", form, &nb, &e);
	fuzz_answered(rc, &e);
	if (rc)
		return 0;
	fuzz_again(a, &nb, NOTEBOOK_IPYNB);
	fuzz_again(a, &nb, NOTEBOOK_PERCENT);
	return 0;
}
