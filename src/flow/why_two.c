/* What differs in the keys of two units: which file, which part of the query, which parameter, which partition. */
#include <inttypes.h>

#include "base/str.h"
#include "flow/codetext.h"
#include "flow/why_in.h"

/* Of a unit that took over what another gave the original's ingredients, if it has none. */
static int read_unit(struct catalog *c, struct arena *a, int64_t unit, struct dom **row, const struct dom **made_of,
                     struct err *e)
{
	int got = why_unit_row(c, a, unit, row, made_of, e);
	const struct dom *original = got == 1 ? dom_get(*row, "original") : NULL;
	struct dom *first;

	if (got < 0)
		return -1;
	if (!got) {
		err_set(e, ERR_NOT_FOUND, "there is no unit %" PRId64, unit);
		return err_hint(e, "'leat why RUN' lists the units of a run");
	}
	if (!*made_of && original && why_unit_row(c, a, original->i, &first, made_of, e) < 0)
		return -1;
	if (*made_of)
		return 0;
	err_set(e, ERR_NOT_FOUND, "unit %" PRId64 " never came to a key", unit);
	return err_hint(e, "it did not get as far as reading its inputs: leat why %" PRId64, unit);
}

static struct str of(const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

static void add_ds(struct arena *a, struct dom *changes, const struct dom *x, const struct dom *y)
{
	struct str before = of(x, "ds"), now = of(y, "ds");
	struct dom *d;

	if (str_eq(before, now))
		return;
	d = dom_new(a, DOM_MAP);
	dom_set_cstr(a, d, "what", "ds");
	dom_set_cstr(a, d, "name", "ds");
	dom_set_str(a, d, "before", before);
	dom_set_str(a, d, "now", now);
	dom_set_str(a, d, "text", arena_strf(a, "ds is %.*s there, %.*s here", STR_ARG(before.n ? before : STR("none")),
	                                     STR_ARG(now.n ? now : STR("none"))));
	dom_add(changes, d);
}

int why_two(struct flow *f, struct catalog *c, struct arena *a, int64_t one, int64_t two, const struct dom **out,
            struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP), *x = NULL, *y = NULL, *changes, *all = dom_new(a, DOM_LIST);
	const struct dom *was = NULL, *is = NULL;
	const char *says = NULL;

	if (read_unit(c, a, one, &x, &was, e) || read_unit(c, a, two, &y, &is, e))
		return -1;
	add_ds(a, all, was, is);
	changes = key_diff(a, was, is);
	why_name_files(c, a, was, is, changes);
	for (struct dom *v = changes->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		if (codetext_explain(f, a, jobs_get(f->jobs, of(y, "job")), v, e) < 0)
			return -1;
		dom_add(all, v);
	}
	dom_each (v, all)
		says = says ? arena_printf(a, "%s; %.*s", says, STR_ARG(of(v, "text")))
		            : arena_cstr(a, of(v, "text"));
	dom_set_str(a, doc, "answer",
	            says ? arena_strf(a, "units %" PRId64 " and %" PRId64 " differ: %s", one, two, says)
	                 : arena_strf(a, "units %" PRId64 " and %" PRId64 " were made of the same", one, two));
	dom_set_bool(a, doc, "same", !says);
	dom_set(a, doc, "changes", all);
	dom_set(a, doc, "unit", x);
	dom_set(a, doc, "other", y);
	*out = doc;
	return 0;
}
