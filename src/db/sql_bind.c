#include "db/sql_bind.h"

#include <stdlib.h>
#include <strings.h>

#include "base/str.h"

struct binder {
	struct arena *a;
	struct str text;
	struct buf out;
	size_t at; /* of text: what is before it is done */
	VEC(struct duck_view) views;
	VEC(struct duck_ref) refs;
	VEC(struct sql_shift) shifts;
};

/* The original up to `to`. */
static void copy_to(struct binder *b, size_t to)
{
	vec_push(b->a, &b->shifts, ((struct sql_shift){b->out.n, b->at}));
	buf_addstr(&b->out, str_sub(b->text, b->at, to - b->at));
	b->at = to;
}

static bool same(struct str x, struct str y)
{
	return x.n == y.n && !strncasecmp(x.p, y.p, x.n);
}

static size_t view_of(struct binder *b, struct str schema, struct str name, struct str sql)
{
	size_t i = 0;

	while (i < b->views.n && !(same(b->views.p[i].schema, schema) && same(b->views.p[i].name, name)))
		i++;
	if (i == b->views.n)
		vec_push(b->a, &b->views, ((struct duck_view){schema, name, sql}));
	return i;
}

static void bind_one(struct binder *b, const struct sql_table *t, struct str reader)
{
	struct duck_ref ref = {.alias = t->alias.n > 0};

	copy_to(b, t->start);
	ref.start = b->out.n;
	if (!t->at_end) {
		ref.view = view_of(b, t->schema, t->name, reader);
		copy_to(b, t->end);
		ref.end = b->out.n;
	} else {
		/* sales s AT (VERSION => 'x') → "tables"."sales@x" s; without an alias it keeps its name as one */
		struct str name = arena_strf(b->a, "%.*s@%.*s", STR_ARG(t->name), STR_ARG(t->at));

		ref.view = view_of(b, t->schema, name, reader);
		if (t->schema.n) {
			sql_add_ident(&b->out, t->schema);
			buf_addc(&b->out, '.');
		}
		sql_add_ident(&b->out, name);
		ref.end = b->out.n;
		if (!ref.alias) {
			buf_adds(&b->out, " as ");
			sql_add_ident(&b->out, t->name);
			ref.alias = true;
		}
		b->at = t->end;
		copy_to(b, t->at_start);
		b->at = t->at_end;
	}
	vec_push(b->a, &b->refs, ref);
}

struct placed {
	const struct sql_table *t;
	struct str reader;
};

static int by_place(const void *x, const void *y)
{
	const struct placed *p = x, *q = y;

	return (p->t->start > q->t->start) - (p->t->start < q->t->start);
}

void sql_bind(struct arena *a, struct str text, const struct sql_info *info, const struct str *readers,
              struct sql_bound *out)
{
	struct binder b = {.a = a, .text = text, .out = BUF_INIT(SQL_MAX_TEXT * 2)};
	struct placed *order = arena_array(a, struct placed, info->n_tables);
	size_t skipped = 0;

	for (size_t i = 0; i < info->n_tables; i++)
		order[i] = (struct placed){&info->tables[i], readers[i]};
	qsort(order, info->n_tables, sizeof(*order), by_place);
	for (size_t i = 0; i < info->n_tables; i++)
		if (!order[i].reader.p)
			skipped++;
		else if (order[i].t->end > order[i].t->start)
			bind_one(&b, order[i].t, order[i].reader);
		else
			(void)view_of(&b, order[i].t->schema, order[i].t->name,
				      order[i].reader); /* the parser told no place */
	copy_to(&b, text.n);
	*out = (struct sql_bound){
		.sql = {.sql = arena_str(a, buf_str(&b.out)), .views = b.views.p, .n_views = b.views.n},
		.shifts = b.shifts.p,
		.n_shifts = b.shifts.n,
	};
	/* In place only where the parser vouches for every place. */
	if (!(info->facts & SQL_OPAQUE) && info->statements == 1 && b.refs.n + skipped == info->n_tables && b.refs.n) {
		out->sql.refs = b.refs.p;
		out->sql.n_refs = b.refs.n;
	}
	buf_free(&b.out);
}

size_t sql_bound_offset(const struct sql_bound *b, size_t offset)
{
	size_t in = offset;

	for (size_t i = 0; i < b->n_shifts && b->shifts[i].out <= offset; i++)
		in = b->shifts[i].in + (offset - b->shifts[i].out);
	return in;
}
