#include "base/tmpl.h"
#include "fuzz.h"

/* The first byte chooses the mode, the rest is the template. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *a = arena_new();
	struct dom *vars = dom_new(a, DOM_MAP), *params = dom_new(a, DOM_MAP), *list = dom_new(a, DOM_LIST);
	struct str source = {(const char *)data + 1, n - 1};
	struct tmpl_env env = {.vars = vars, .tz = tz_utc(), .mode = data[0] % 4};
	struct tmpl_result r;
	struct tmpl_use *uses = NULL;
	size_t n_uses = 0;
	struct err e = ERR_INIT, e_uses = ERR_INIT;

	dom_set_cstr(a, vars, "ds", "2017-11-27");
	dom_set_int(a, params, "min_speed", 19);
	dom_set_cstr(a, params, "name", "it's");
	dom_add(list, dom_new_int(a, 1));
	dom_add(list, dom_new_str(a, STR("two")));
	dom_set(a, params, "list", list);
	dom_set(a, vars, "params", params);

	int rc = tmpl_render(a, source, "fuzz.sql", &env, &r, &e);
	fuzz_answered(rc, &e);
	if (rc == 0) {
		FUZZ_HOLDS(r.text.n <= TMPL_MAX_OUT);
		for (size_t i = 0; i < r.n_spans; i++) {
			FUZZ_HOLDS(r.spans[i].out <= r.text.n && r.spans[i].src <= source.n);
			FUZZ_HOLDS(i == 0 || r.spans[i - 1].out <= r.spans[i].out);
		}
		for (size_t at = 0; at < r.text.n; at += 1 + r.text.n / 16)
			FUZZ_HOLDS(tmpl_source_offset(&r, at) <= source.n);
	}
	fuzz_answered(tmpl_uses(a, source, "fuzz.sql", &uses, &n_uses, &e_uses), &e_uses);
	arena_free(a);
	return 0;
}
