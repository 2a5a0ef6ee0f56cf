#include "base/str.h"
#include "fuzz.h"
#include "web/web_in.h"

/* A byte that names the operation, then a query or JSON: words that the command line takes or refuses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct asked asked;
	struct args args;
	size_t n_ops;
	const struct op *ops = op_table(&n_ops), *op;
	struct str text;
	struct dom *json = NULL;
	int rc;

	if (!n) {
		arena_free(a);
		return 0;
	}
	op = ops + data[0] % n_ops;
	text = arena_str(a, (struct str){(const char *)data + 1, n - 1});
	if (text.n && text.p[0] == '{' && dom_json(a, text, "body", &json, &e)) {
		arena_free(a);
		return 0;
	}
	rc = args_asked(a, op, json ? STR_NULL : text, json, &asked, &e);
	fuzz_answered(rc, &e);
	if (!rc) {
		FUZZ_HOLDS(asked.words.p[asked.words.n] == NULL && asked.offset >= 0 && asked.limit >= -1);
		for (size_t i = 0; i < asked.words.n; i++)
			FUZZ_HOLDS(str_is_utf8(str_of(asked.words.p[i])));
		rc = args_parse(op, a, (int)asked.words.n, asked.words.p, &args, &e);
		fuzz_answered(rc, &e);
	}
	arena_free(a);
	return 0;
}
