#include "db/sql.h"

#include <ctype.h>

#include "base/str.h"
#include "db/sql_token.h"

static const char *const keywords[] = {
#define K(name) name,
#include "defs/sql_keywords.def"
#undef K
};

/* Only lower case goes bare: what other engines fold, DuckDB keeps. */
static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c != '_' && !(c >= 'a' && c <= 'z') && !(i && c >= '0' && c <= '9'))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (str_is(name, keywords[i]))
			return false;
	return name.n;
}

void sql_add_ident(struct buf *b, struct str name)
{
	if (is_plain(name)) {
		buf_addstr(b, name);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, name.p[i]);
	}
	buf_addc(b, '"');
}

void sql_add_literal(struct buf *b, struct str text)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_addc(b, '\'');
		buf_addc(b, text.p[i]);
	}
	buf_addc(b, '\'');
}

void sql_add_path(struct buf *b, struct str path)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		if (c == '*' || c == '?' || c == '[')
			buf_addf(b, "[%c]", c);
		else if (c == '\'')
			buf_adds(b, "''");
		else
			buf_addc(b, c);
	}
	buf_addc(b, '\'');
}

static size_t number(const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type == DOM_INT && v->i > 0 ? (size_t)v->i : 0;
}

static bool truth(const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type == DOM_BOOL && v->b;
}

static struct str text(struct arena *a, const struct dom *d, const char *key)
{
	struct dom *v = dom_get(d, key);

	return v && v->type == DOM_STR ? arena_str(a, v->s) : STR("");
}

static void names(struct arena *a, const struct dom *d, const char *key, struct str **out, size_t *n)
{
	struct dom *list = dom_get(d, key);

	*n = 0;
	*out = arena_array(a, struct str, list ? list->n : 0);
	dom_each(v, list)
		(*out)[(*n)++] = v->type == DOM_STR ? arena_str(a, v->s) : STR("");
}

static struct sql_table read_table(struct arena *a, const struct dom *d)
{
	return (struct sql_table){
		.schema = text(a, d, "schema"),
		.name = text(a, d, "name"),
		.alias = text(a, d, "alias"),
		.at_unit = text(a, d, "at_unit"),
		.at = text(a, d, "at"),
		.start = number(d, "start"),
		.end = number(d, "end"),
		.at_start = number(d, "at_start"),
		.at_end = number(d, "at_end"),
		.names_ds = truth(d, "names_ds"),
	};
}

int sql_info_read(struct arena *a, const struct dom *d, struct sql_info *out)
{
	struct sql_info s = {.error = text(a, d, "error")};
	struct dom *tables = dom_get(d, "tables");

	if (s.error.n) {
		s.error_offset = number(d, "offset");
		*out = s;
		return 0;
	}
	if (!sha_parse(text(a, d, "hash"), &s.hash) || !tables || tables->type != DOM_LIST)
		return -1;
	s.statements = number(d, "statements");
	s.select = truth(d, "select");
	s.ordered = truth(d, "ordered");
	s.facts = (unsigned)number(d, "facts");
	s.tables = arena_array(a, struct sql_table, tables->n);
	dom_each(t, tables)
		s.tables[s.n_tables++] = read_table(a, t);
	names(a, d, "volatiles", &s.volatiles, &s.n_volatiles);
	names(a, d, "readers", &s.readers, &s.n_readers);
	names(a, d, "files", &s.files, &s.n_files);
	s.alone = dom_get(d, "stand_ins") ? STR("") : text(a, d, "alone");
	s.stand_ins = number(d, "stand_ins");
	if (!dom_get(d, "stand_ins") && !s.alone.n)
		s.alone = STR("it was not looked at");
	*out = s;
	return 0;
}
