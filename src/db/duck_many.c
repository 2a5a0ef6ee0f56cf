/* The operation of the SQL worker that runs many units as one statement. */
#include <strings.h>

#include "base/str.h"
#include "db/duck.h"
#include "db/duck_shape.h"
#include "db/duck_worker.h"
#include "db/sql.h"

#define MAX_SQL ((size_t)64 << 20)
#define UNIT "leat_unit" /* the column, and so the folders, that the files are parted by */

/* The rows of all units, each with the label of its unit before it. */
static void add_rows(struct work *k, struct buf *b, struct str text)
{
	struct dom *labels = dom_get(k->request, "labels"), *days = dom_get(k->request, "days");
	bool first = true;

	buf_adds(b, "select leat_d.leat_ds as " UNIT ", leat_q.* from (values ");
	dom_each(l, labels) {
		buf_adds(b, first ? "(" : ", (");
		sql_add_literal(b, l->s);
		if (days->b) {
			buf_adds(b, ", date ");
			sql_add_literal(b, l->s);
		}
		buf_addc(b, ')');
		first = false;
	}
	buf_addf(b, ") leat_d(leat_ds%s), lateral (\n", days->b ? ", leat_day" : "");
	buf_addstr(b, text);
	buf_adds(b, "\n) leat_q");
}

/* Names that were equal become a, a_1 on the way up, but are written as they stand for a unit alone. */
static bool has_twins(const struct shape *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->n; j++) {
			size_t n = strlen(s->names[j]);
			const char *rest = s->names[i] + n;

			if (i == j || strncasecmp(s->names[i], s->names[j], n))
				continue;
			if (!*rest || (rest[0] == '_' && rest[1] && rest[1 + strspn(rest + 1, "0123456789_")] == '\0'))
				return true;
		}
	return false;
}

/* Takes the first text that binds. */
static int bind_rows(struct work *k, struct buf *b, struct shape *shape, struct err *e)
{
	struct err last = ERR_INIT;

	dom_each(text, dom_get(k->request, "texts")) {
		buf_reset(b);
		add_rows(k, b, text->s);
		if (buf_over(b))
			return err_set(e, ERR_BAD_SQL, "the statement is over its limit of %zu MiB", MAX_SQL >> 20);
		err_clear(&last);
		if (shape_read(k, buf_str(b), true, shape, &last))
			continue;
		if (has_twins(shape) || shape->n < 2 + (shape->ds < shape->n))
			return err_set(e, ERR_BAD_SQL, "its columns are not those of many units");
		return 0;
	}
	k->offset = -1;
	if (last.code != ERR_CANCELLED) /* a mistake of the user's is told by the unit that makes it alone */
		return err_set(e, ERR_BAD_SQL, "it does not bind for many units: %s", last.msg);
	*e = last;
	return -1;
}

/* .../leat_unit=2018-01-01/data_0.parquet */
static int add_part(struct work *k, struct dom *parts, struct str path, struct str rows, struct err *e)
{
	struct str rest = path, label, file;
	const char *at = memmem(path.p, path.n, "/" UNIT "=", strlen("/" UNIT "="));
	struct dom *p = dom_new(k->a, DOM_MAP);
	int64_t n;

	if (at)
		rest = str_sub(path, (size_t)(at - path.p) + strlen("/" UNIT "="), path.n);
	if (!at || !str_cut(rest, '/', &label, &file) || !str_to_i64(rows, &n))
		return err_set(e, ERR_FAILED, "DuckDB wrote a file at %.*s", STR_ARG(path));
	dom_each(other, parts)
		if (str_eq(dom_get(other, "label")->s, label))
			return err_set(e, ERR_FAILED, "DuckDB wrote more than one file for %.*s", STR_ARG(label));
	dom_set_str(k->a, p, "label", label);
	dom_set_str(k->a, p, "path", path);
	dom_set_int(k->a, p, "rows", n);
	dom_add(parts, p);
	return 0;
}

int work_write_many(struct work *k, struct err *e)
{
	struct buf rows cleanup(buf_free) = BUF_INIT(MAX_SQL), sql cleanup(buf_free) = BUF_INIT(MAX_SQL),
					   after cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct dom *parts = dom_new(k->a, DOM_LIST);
	struct shape shape = {0};
	struct str *cells;
	size_t n, cols;

	k->inlined = true;
	if (work_session(k, e) || bind_rows(k, &rows, &shape, e))
		return -1;
	buf_adds(&sql, "copy (");
	shape_add(&sql, &after, &shape, "leat_0");
	buf_addstr(&sql, buf_str(&rows));
	buf_addstr(&sql, buf_str(&after));
	buf_adds(&sql, ") to ");
	sql_add_literal(&sql, dom_get(k->request, "dir")->s);
	buf_adds(&sql, " (" WORK_PARQUET ", partition_by (" UNIT "), return_stats true)");
	if (buf_over(&sql))
		return err_set(e, ERR_BAD_SQL, "the statement is over its limit of %zu MiB", MAX_SQL >> 20);
	if (work_rows(k, sql.p, &cells, &n, &cols, e)) {
		k->offset = -1;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (add_part(k, parts, cells[i * cols], cells[i * cols + 1], e))
			return -1;
	dom_set(k->a, k->reply, "parts", parts);
	return 0;
}
