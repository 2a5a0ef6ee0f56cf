/* What DuckDB tells, as text for people: types and errors. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "db/duck.h"
#include "db/duck_worker.h"
#include "db/sql.h"

static const struct {
	int id;
	const char *name;
} names[] = {
	{DUCK_T_BOOLEAN, "BOOLEAN"},
	{DUCK_T_TINYINT, "TINYINT"},
	{DUCK_T_SMALLINT, "SMALLINT"},
	{DUCK_T_INTEGER, "INTEGER"},
	{DUCK_T_BIGINT, "BIGINT"},
	{DUCK_T_UTINYINT, "UTINYINT"},
	{DUCK_T_USMALLINT, "USMALLINT"},
	{DUCK_T_UINTEGER, "UINTEGER"},
	{DUCK_T_UBIGINT, "UBIGINT"},
	{DUCK_T_FLOAT, "FLOAT"},
	{DUCK_T_DOUBLE, "DOUBLE"},
	{DUCK_T_TIMESTAMP, "TIMESTAMP"},
	{DUCK_T_DATE, "DATE"},
	{DUCK_T_TIME, "TIME"},
	{DUCK_T_INTERVAL, "INTERVAL"},
	{DUCK_T_HUGEINT, "HUGEINT"},
	{DUCK_T_UHUGEINT, "UHUGEINT"},
	{DUCK_T_BLOB, "BLOB"},
	{DUCK_T_TIMESTAMP_S, "TIMESTAMP_S"},
	{DUCK_T_TIMESTAMP_MS, "TIMESTAMP_MS"},
	{DUCK_T_TIMESTAMP_NS, "TIMESTAMP_NS"},
	{DUCK_T_UUID, "UUID"},
	{DUCK_T_BIT, "BIT"},
	{DUCK_T_TIME_TZ, "TIME WITH TIME ZONE"},
	{DUCK_T_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
	{DUCK_T_SQLNULL, "\"NULL\""},
};

static void add_owned(struct buf *b, duck_type t)
{
	duck_type_text(b, t);
	duckdb.destroy_logical_type(&t);
}

static void add_fields(struct buf *b, duck_type t, bool is_union)
{
	duck_idx n = is_union ? duckdb.union_type_member_count(t) : duckdb.struct_type_child_count(t);

	buf_adds(b, is_union ? "UNION(" : "STRUCT(");
	for (duck_idx i = 0; i < n; i++) {
		char *name = is_union ? duckdb.union_type_member_name(t, i) : duckdb.struct_type_child_name(t, i);

		buf_adds(b, i ? ", " : "");
		sql_add_ident(b, str_of(name));
		buf_addc(b, ' ');
		add_owned(b, is_union ? duckdb.union_type_member_type(t, i) : duckdb.struct_type_child_type(t, i));
		duckdb.free(name);
	}
	buf_addc(b, ')');
}

static void add_enum(struct buf *b, duck_type t)
{
	buf_adds(b, "ENUM(");
	for (uint32_t i = 0; i < duckdb.enum_dictionary_size(t); i++) {
		char *v = duckdb.enum_dictionary_value(t, i);

		buf_adds(b, i ? ", " : "");
		sql_add_literal(b, str_of(v));
		duckdb.free(v);
	}
	buf_addc(b, ')');
}

void duck_type_text(struct buf *b, duck_type t)
{
	int id = duckdb.get_type_id(t);
	char *alias;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].id == id) {
			buf_adds(b, names[i].name);
			return;
		}
	switch (id) {
	case DUCK_T_VARCHAR:
		alias = duckdb.logical_type_get_alias(t);
		buf_adds(b, alias && !strcmp(alias, "JSON") ? "JSON" : "VARCHAR");
		duckdb.free(alias);
		break;
	case DUCK_T_DECIMAL:
		buf_addf(b, "DECIMAL(%d,%d)", duckdb.decimal_width(t), duckdb.decimal_scale(t));
		break;
	case DUCK_T_LIST:
		add_owned(b, duckdb.list_type_child_type(t));
		buf_adds(b, "[]");
		break;
	case DUCK_T_ARRAY:
		add_owned(b, duckdb.array_type_child_type(t));
		buf_addf(b, "[%llu]", (unsigned long long)duckdb.array_type_array_size(t));
		break;
	case DUCK_T_MAP:
		buf_adds(b, "MAP(");
		add_owned(b, duckdb.map_type_key_type(t));
		buf_adds(b, ", ");
		add_owned(b, duckdb.map_type_value_type(t));
		buf_addc(b, ')');
		break;
	case DUCK_T_STRUCT:
	case DUCK_T_UNION:
		add_fields(b, t, id == DUCK_T_UNION);
		break;
	case DUCK_T_ENUM:
		add_enum(b, t);
		break;
	default:
		buf_addf(b, "type %d of this libduckdb", id);
		break;
	}
}

static const struct {
	const char *type; /* DuckDB's exception_type, or how it begins */
	enum err_code code;
} kinds[] = {
	{"Parser", ERR_BAD_SQL},
	{"Syntax", ERR_BAD_SQL},
	{"Binder", ERR_BAD_SQL},
	{"Catalog", ERR_BAD_SQL},
	{"Not implemented", ERR_BAD_SQL},
	{"Parameter", ERR_BAD_SQL},
	{"Settings", ERR_BAD_SQL},
	{"Missing Extension", ERR_NO_LIBRARY},
	{"Permission", ERR_PERMISSION},
	{"INTERRUPT", ERR_CANCELLED},
	{"Out of Memory", ERR_LIMIT},
	{"IO", ERR_IO},
	{"Conversion", ERR_BAD_DATA},
	{"Invalid Input", ERR_BAD_DATA},
	{"Out of Range", ERR_BAD_DATA},
	{"Serialization", ERR_BAD_DATA},
};

static enum err_code code_of(struct str type, struct str msg)
{
	if (memmem(msg.p, msg.n, "No space left", 13) || memmem(msg.p, msg.n, "failed to offload", 17))
		return ERR_DISK_FULL;
	if (memmem(msg.p, msg.n, "Permission denied", 17))
		return ERR_PERMISSION;
	if (memmem(msg.p, msg.n, "No files found that match", 25))
		return ERR_NOT_FOUND;
	/* A Parquet file that is none, or is cut, comes as any of several kinds. */
	if (memmem(msg.p, msg.n, "magic bytes", 11) || memmem(msg.p, msg.n, "too small to be a Parquet", 25))
		return ERR_BAD_DATA;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_has_prefix(type, str_of(kinds[i].type)))
			return kinds[i].code;
	return ERR_FAILED;
}

/* What stands on the line after `label`; STR_NULL without it. */
static struct str after(struct str text, const char *label)
{
	const char *p = memmem(text.p, text.n, label, strlen(label));
	struct str line = STR_NULL, rest;

	if (!p)
		return STR_NULL;
	p += strlen(label);
	rest = (struct str){p, (size_t)(text.p + text.n - p)};
	(void)str_next_line(&rest, &line);
	return str_trim(line);
}

/*
 * "CSV Error on Line: 3\nOriginal Line: ...\nError when converting column "a". Could not convert ...\n...\n file =
 * F\n..."
 */
static int csv_error(struct err *e, struct str msg)
{
	struct str row = after(msg, "CSV Error on Line: "), file = after(msg, "\n  file = "), rest = msg, line,
		   what = STR_NULL;
	struct str original = after(msg, "Original Line: ");
	struct str column = after(msg, "Error when converting column \"");

	for (int n = 0; str_next_line(&rest, &line); n++)
		if (n && !str_has_prefix(line, STR("Original Line:")) && str_trim(line).n) {
			what = str_trim(line);
			break;
		}
	if (column.n) {
		const char *could = memmem(column.p, column.n, "\". ", 3);

		if (could) {
			what = str_sub(column, (size_t)(could - column.p) + 3, column.n);
			column.n = (size_t)(could - column.p);
			err_set(e, ERR_BAD_DATA, "%.*s: row %.*s, column %.*s: %c%.*s", STR_ARG(file), STR_ARG(row),
				STR_ARG(column), what.n ? tolower((unsigned char)*what.p) : ' ',
				STR_ARG(str_sub(what, 1, what.n)));
		}
	}
	if (!e->code)
		err_set(e, ERR_BAD_DATA, "%.*s: row %.*s: %.*s", STR_ARG(file), STR_ARG(row), STR_ARG(what));
	/* Of these DuckDB gives the row before, which is fine. */
	if (memmem(msg.p, msg.n, "Invalid unicode", 15))
		return err_hint(e, "save the file as UTF-8, or set ignore_errors: true for the table in leat.yaml");
	if (original.n > 100)
		original = str_sub(original, 0, 100);
	return err_hint(e,
			"the row is \"%.*s\"; correct the file, or set columns: or ignore_errors: true for the table "
			"in leat.yaml",
			STR_ARG(original));
}

/* Where DuckDB's words do not lead to what to do. */
static const struct {
	const char *words, *hint;
} remedies[] = {
	{"at or near \"@\"", "a pin is written: from tables.sales at (version => 'master.31')"},
	{"INTEGER -> DATE", "a date is written in quotes: ds = '2017-11-27'"},
	{"VARCHAR and type DATE", "a date is written in quotes: ds = '2017-11-27'"},
	{"because schema", "tables are read here; 'leat put' and jobs change them"},
};

int duck_remedy(struct err *e, struct str msg)
{
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
		if (memmem(msg.p, msg.n, remedies[i].words, strlen(remedies[i].words)))
			return err_hint(e, "%s", remedies[i].hint);
	return -1;
}

#define HINT_LINES 4

/* The first paragraph on one line, in lower case; what follows is a hint where it helps to find a name. */
static int plain_error(struct err *e, enum err_code code, struct str type, struct str msg)
{
	struct buf b cleanup(buf_free) = BUF_INIT(900), more cleanup(buf_free) = BUF_INIT(900);
	struct str rest = msg, line, hint = STR_NULL;

	while (str_next_line(&rest, &line)) {
		line = str_trim(line);
		if (!line.n || str_has_prefix(line, STR("LINE ")))
			break;
		if (b.n && (str_has_prefix(line, STR("Candidate")) || str_has_prefix(line, STR("Did you mean")))) {
			hint = line;
			/* "Candidate functions:" stands above them: the first few are the hint. */
			for (int i = 0; line.n && str_has_suffix(hint, STR(":")) && i < HINT_LINES; i++) {
				if (!str_next_line(&rest, &line) || !str_trim(line).n)
					break;
				buf_adds(&more, more.n ? ", " : "");
				buf_addstr(&more, str_trim(line));
			}
			break;
		}
		buf_adds(&b, b.n ? " " : "");
		buf_addstr(&b, line);
	}
	/* "Table", "Column" but not "CSV", "SELECT". */
	if (b.n > 1 && isupper((unsigned char)b.p[0]) && islower((unsigned char)b.p[1]))
		b.p[0] = (char)tolower((unsigned char)b.p[0]);
	if (b.n && (b.p[b.n - 1] == '!' || b.p[b.n - 1] == '.'))
		b.p[--b.n] = 0;
	err_set(e, code, "%s", b.n ? b.p : "DuckDB refused it and gave no reason");
	if (code == ERR_LIMIT && str_has_prefix(type, STR("Out of Memory")))
		err_hint(e, "give the machine more memory, or let fewer units run at once (-j)");
	else if (hint.n && (more.n || !str_has_suffix(hint, STR(":"))))
		err_hint(e, "%.*s%s%.*s", STR_ARG(hint), more.n ? " " : "", STR_ARG(buf_str(&more)));
	else
		duck_remedy(e, msg);
	return -1;
}

int duck_error(struct err *e, const char *text, int64_t *offset)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *json = text ? strchr(text, '{') : NULL;
	struct err no = ERR_INIT;
	struct dom *doc = NULL;
	int64_t at = -1;

	if (offset)
		*offset = -1;
	if (!json || dom_json(a, str_of(json), "error", &doc, &no) || !dom_get(doc, "exception_message"))
		return plain_error(e, code_of(STR(""), str_of(text)), STR(""), str_of(text ? text : ""));
	struct str type = dom_text(a, dom_get(doc, "exception_type")),
		   msg = dom_text(a, dom_get(doc, "exception_message"));
	struct dom *position = dom_get(doc, "position");
	if (offset && position && str_to_i64(dom_text(a, position), &at))
		*offset = at;
	if (str_has_prefix(msg, STR("CSV Error on Line: ")))
		return csv_error(e, msg);
	return plain_error(e, code_of(type, msg), type, msg);
}
