#include "repo/tree.h"

#include <stdlib.h>

#include "base/ds.h"
#include "base/str.h"

struct parts {
	struct arena *a;
	VEC(struct part) all;

};

static int add_part(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct parts *ps = ptr;
	struct part part = {.entry = *entry};
	struct ds ds;

	if (!str_has_prefix(entry->name, STR("ds=")))
		return 1;
	if (entry->kind != ENTRY_FOLDER || !ds_of_folder(entry->name, &ds))
		return 0;
	memcpy(part.label, ds.label, sizeof(part.label));
	part.entry.name = arena_str(ps->a, entry->name);
	vec_push(ps->a, &ps->all, part);
	return 0;
}

static int part_order(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	struct err ignored = ERR_INIT;
	struct ds dx, dy;

	if (ds_parse(str_of(x->label), &dx, &ignored) || ds_parse(str_of(y->label), &dy, &ignored))
		return strcmp(x->label, y->label);
	return ds_cmp(&dx, &dy);
}

int tree_parts(struct store *s, struct arena *a, const struct sha *root, struct part **out, size_t *n, struct err *e)
{
	struct parts ps = {.a = a};

	/* Names are in byte order: what begins with "ds=" stands together, after "ds<..." */
	if (tree_list(s, NULL, root, STR("ds="), add_part, &ps, e))
		return -1;
	/* Byte order is the order in time but for mixed kinds and doubled hours. */
	for (size_t i = 1; i < ps.all.n; i++) {
		if (part_order(&ps.all.p[i - 1], &ps.all.p[i]) > 0) {
			qsort(ps.all.p, ps.all.n, sizeof(*ps.all.p), part_order);
			break;
		}
	}
	*out = ps.all.p;
	*n = ps.all.n;
	return 0;
}
