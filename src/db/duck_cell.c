#include "db/duck_worker.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/* A column's type, taken apart once; `data` and `valid` are those of the chunk at hand. */
struct cell {
	int id;
	bool json;             /* a VARCHAR that DuckDB calls JSON */
	int store;             /* integer type under DECIMAL and ENUM */
	unsigned scale;
	duck_idx array_n;
	struct cell **kids;    /* LIST, ARRAY: 1; MAP: key, value; STRUCT: fields; UNION: tag, members */
	struct str *names;     /* fields, members, enum values */
	size_t n;
	const void *data;
	const uint64_t *valid;
};

static struct str take(struct arena *a, char *s)
{
	struct str out = arena_str(a, str_of(s ? s : ""));

	duckdb.free(s);
	return out;
}

static int kid(struct arena *a, struct cell *c, size_t i, duck_type t, const char *column, struct err *e)
{
	int r = cell_new(a, t, column, &c->kids[i], e);

	duckdb.destroy_logical_type(&t);
	return r;
}

static int make_kids(struct arena *a, struct cell *c, duck_type t, const char *column, struct err *e)
{
	switch (c->id) {
	case DUCK_T_LIST:
		return kid(a, c, 0, duckdb.list_type_child_type(t), column, e);
	case DUCK_T_ARRAY:
		return kid(a, c, 0, duckdb.array_type_child_type(t), column, e);
	case DUCK_T_MAP:
		if (kid(a, c, 0, duckdb.map_type_key_type(t), column, e))
			return -1;
		return kid(a, c, 1, duckdb.map_type_value_type(t), column, e);
	case DUCK_T_STRUCT:
		for (size_t i = 0; i < c->n; i++) {
			c->names[i] = take(a, duckdb.struct_type_child_name(t, i));
			if (kid(a, c, i, duckdb.struct_type_child_type(t, i), column, e))
				return -1;
		}
		return 0;
	case DUCK_T_UNION:
		for (size_t i = 0; i < c->n; i++) {
			c->names[i] = take(a, duckdb.union_type_member_name(t, i));
			if (kid(a, c, i, duckdb.union_type_member_type(t, i), column, e))
				return -1;
		}
		return 0;
	default:
		return 0;
	}
}

static int known(int id)
{
	return (id >= DUCK_T_BOOLEAN && id <= DUCK_T_ARRAY) || id == DUCK_T_SQLNULL;
}

int cell_new(struct arena *a, duck_type t, const char *column, struct cell **out, struct err *e)
{
	struct cell *c = arena_new_of(a, struct cell);

	c->id = duckdb.get_type_id(t);
	if (!known(c->id)) {
		struct buf b cleanup(buf_free) = BUF_INIT(4096);

		duck_type_text(&b, t);
		err_set(e, ERR_BAD_SQL, "column %s is of a type that cannot be shown (%s)", column, b.p);
		return err_hint(e, "cast it: %s::varchar", column);
	}
	if (c->id == DUCK_T_VARCHAR) {
		struct str alias = take(a, duckdb.logical_type_get_alias(t));

		c->json = str_is(alias, "JSON");
	} else if (c->id == DUCK_T_DECIMAL) {
		c->store = duckdb.decimal_internal_type(t);
		c->scale = duckdb.decimal_scale(t);
	} else if (c->id == DUCK_T_ENUM) {
		c->store = duckdb.enum_internal_type(t);
		c->n = duckdb.enum_dictionary_size(t);
	} else if (c->id == DUCK_T_STRUCT) {
		c->n = duckdb.struct_type_child_count(t);
	} else if (c->id == DUCK_T_UNION) {
		c->n = duckdb.union_type_member_count(t);
	} else if (c->id == DUCK_T_ARRAY) {
		c->array_n = duckdb.array_type_array_size(t);
	}
	c->kids = arena_array(a, struct cell *, c->id == DUCK_T_ENUM ? 0 : MAX(c->n, (size_t)2));
	c->names = arena_array(a, struct str, c->n);
	if (c->id == DUCK_T_ENUM)
		for (size_t i = 0; i < c->n; i++)
			c->names[i] = take(a, duckdb.enum_dictionary_value(t, i));
	if (make_kids(a, c, t, column, e))
		return -1;
	*out = c;
	return 0;
}

void cell_bind(struct cell *c, duck_vector v)
{
	c->data = duckdb.vector_get_data(v);
	c->valid = duckdb.vector_get_validity(v);
	switch (c->id) {
	case DUCK_T_LIST:
		cell_bind(c->kids[0], duckdb.list_vector_get_child(v));
		break;
	case DUCK_T_ARRAY:
		cell_bind(c->kids[0], duckdb.array_vector_get_child(v));
		break;
	case DUCK_T_MAP:
		v = duckdb.list_vector_get_child(v);
		cell_bind(c->kids[0], duckdb.struct_vector_get_child(v, 0));
		cell_bind(c->kids[1], duckdb.struct_vector_get_child(v, 1));
		break;
	case DUCK_T_STRUCT:
		for (size_t i = 0; i < c->n; i++)
			cell_bind(c->kids[i], duckdb.struct_vector_get_child(v, i));
		break;
	case DUCK_T_UNION:
		/* Child 0 is the tag, one byte each. */
		c->data = duckdb.vector_get_data(duckdb.struct_vector_get_child(v, 0));
		for (size_t i = 0; i < c->n; i++)
			cell_bind(c->kids[i], duckdb.struct_vector_get_child(v, i + 1));
		break;
	default:
		break;
	}
}

bool cell_is_null(const struct cell *c, duck_idx row)
{
	return c->id == DUCK_T_SQLNULL || (c->valid && !(c->valid[row / 64] >> (row % 64) & 1));
}

static __int128 integer(int id, const void *p, duck_idx row)
{
	switch (id) {
	case DUCK_T_TINYINT:
		return ((const int8_t *)p)[row];
	case DUCK_T_SMALLINT:
		return ((const int16_t *)p)[row];
	case DUCK_T_INTEGER:
	case DUCK_T_DATE:
		return ((const int32_t *)p)[row];
	case DUCK_T_UTINYINT:
		return ((const uint8_t *)p)[row];
	case DUCK_T_USMALLINT:
		return ((const uint16_t *)p)[row];
	case DUCK_T_UINTEGER:
		return ((const uint32_t *)p)[row];
	case DUCK_T_UBIGINT:
		return ((const uint64_t *)p)[row];
	case DUCK_T_HUGEINT: {
		const struct duck_huge *h = (const struct duck_huge *)p + row;

		return (__int128)((unsigned __int128)(uint64_t)h->upper << 64 | h->lower);
	}
	default:
		return ((const int64_t *)p)[row];
	}
}

/* With `scale` digits behind the point. */
static void add_integer(struct buf *b, unsigned __int128 u, bool negative, unsigned scale)
{
	char digits[64];
	size_t i = sizeof(digits);
	unsigned n = 0;

	do {
		if (n == scale && scale)
			digits[--i] = '.';
		digits[--i] = (char)('0' + (int)(u % 10));
		u /= 10;
		n++;
	} while (u || n <= scale);
	if (negative)
		digits[--i] = '-';
	buf_add(b, digits + i, sizeof(digits) - i);
}

static void add_signed(struct buf *b, __int128 v, unsigned scale)
{
	add_integer(b, v < 0 ? -(unsigned __int128)v : (unsigned __int128)v, v < 0, scale);
}

/*
 * Whether so many digits could give v back, by a look that may say yes where they do not, and says no only where they
 * cannot: the nearest number of so many digits is further away than half of v's last place.
 */
static bool may_do(double v, int digits)
{
	static const long double tens[] = {
		1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
		1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
	long double scale, t, half;
	int k;

	v = fabs(v);
	if (!(v > 1e-10 && v < 1e25))
		return true;
	k = digits - 1 - (int)floor(log10(v));
	scale = tens[k < 0 ? -k : k];
	t = k < 0 ? (long double)v / scale : (long double)v * scale;
	if (t < tens[digits - 1]) /* log10 has rounded up */
		return true;
	half = ((long double)nextafter(v, INFINITY) - (long double)v) / 2;
	half = k < 0 ? half / scale : half * scale;
	return fabsl(t - rintl(t)) <= half + 0.01L;
}

/* The fewest digits that give the same number back. */
static void add_real(struct buf *b, double v, bool single)
{
	char s[40];
	double back;

	if (isnan(v) || isinf(v)) {
		buf_adds(b, isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
		return;
	}
	for (int digits = single ? 6 : 15; digits <= 17; digits++) {
		if (!single && digits < 17 && !may_do(v, digits))
			continue;
		snprintf(s, sizeof(s), "%.*g", digits, v);
		if (single ? strtof(s, NULL) == (float)v : digits == 17 || (str_to_f64(str_of(s), &back) && back == v))
			break;
	}
	buf_adds(b, s);
	if (!strpbrk(s, ".e"))
		buf_adds(b, ".0");
}

static void add_date(struct buf *b, int64_t days)
{
	int y, m, d;

	civil_from_days(days, &y, &m, &d);
	if (y > 0)
		buf_addf(b, "%04d-%02d-%02d", y, m, d);
	else
		buf_addf(b, "%04d-%02d-%02d (BC)", 1 - y, m, d);
}

/* `unit` parts of a second. */
static void add_fraction(struct buf *b, int64_t part, int64_t unit)
{
	char s[16];
	int width = unit == 1000000000 ? 9 : unit == 1000000 ? 6 : 3;

	if (!part)
		return;
	int n = snprintf(s, sizeof(s), "%0*" PRId64, width, part);
	while (n && s[n - 1] == '0')
		n--;
	buf_addf(b, ".%.*s", n, s);
}

static void add_time(struct buf *b, int64_t t, int64_t unit)
{
	int64_t s = t / unit;

	buf_addf(b, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
	add_fraction(b, t % unit, unit);
}

static void add_offset(struct buf *b, int seconds)
{
	int s = abs(seconds);

	buf_addf(b, "%c%02d", seconds < 0 ? '-' : '+', s / 3600);
	if (s % 3600)
		buf_addf(b, ":%02d", s / 60 % 60);
	if (s % 60)
		buf_addf(b, ":%02d", s % 60);
}

static void add_timestamp(struct buf *b, int64_t t, int64_t unit, const struct tz *tz)
{
	int64_t second = t / unit - (t % unit < 0), part = t - second * unit;
	int east = 0;

	if (t == INT64_MAX || t == -INT64_MAX) {
		buf_adds(b, t > 0 ? "infinity" : "-infinity");
		return;
	}
	if (tz)
		second += east = tz_offset(tz, second);
	int64_t day = second / 86400 - (second % 86400 < 0);
	add_date(b, day);
	buf_addc(b, ' ');
	add_time(b, (second - day * 86400) * unit + part, unit);
	if (tz)
		add_offset(b, east);
}

static void add_unit(struct buf *b, int64_t n, const char *unit)
{
	if (n)
		buf_addf(b, "%s%" PRId64 " %s%s", b->n ? " " : "", n, unit, n == 1 || n == -1 ? "" : "s");
}

static void add_interval(struct buf *out, const struct duck_interval *v)
{
	struct buf b cleanup(buf_free) = BUF_INIT(200);

	add_unit(&b, v->months / 12, "year");
	add_unit(&b, v->months % 12, "month");
	add_unit(&b, v->days, "day");
	if (v->micros || !b.n) {
		if (b.n)
			buf_addc(&b, ' ');
		if (v->micros < 0)
			buf_addc(&b, '-');
		add_time(&b, llabs(v->micros), 1000000);
	}
	buf_addstr(out, buf_str(&b));
}

static void add_uuid(struct buf *b, const struct duck_huge *h)
{
	/* The top bit is flipped in storage, so that order as a number is order as text. */
	uint64_t up = (uint64_t)h->upper ^ (uint64_t)1 << 63;

	buf_addf(b, "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(up >> 32), (unsigned)(up >> 16 & 0xffff),
	         (unsigned)(up & 0xffff), (unsigned)(h->lower >> 48), h->lower & 0xffffffffffff);
}

static struct str string_at(const struct cell *c, duck_idx row)
{
	const union duck_string *s = (const union duck_string *)c->data + row;
	uint32_t n = s->inlined.n;

	return (struct str){n <= sizeof(s->inlined.bytes) ? s->inlined.bytes : s->pointer.bytes, n};
}

static void add_blob(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch < 32 || ch > 126 || ch == '\\' || ch == '\'' || ch == '"')
			buf_addf(b, "\\x%02X", ch);
		else
			buf_addc(b, (char)ch);
	}
}

static void add_bits(struct buf *b, struct str s)
{
	for (size_t i = 8 + (s.n ? (size_t)(unsigned char)s.p[0] : 0); i < s.n * 8; i++)
		buf_addc(b, (unsigned char)s.p[i / 8] >> (7 - i % 8) & 1 ? '1' : '0');
}

static void add_time_tz(struct buf *b, uint64_t bits)
{
	/* 40 bits of microseconds, 24 of offset, stored so that order is order in time. */
	add_time(b, (int64_t)(bits >> 24), 1000000);
	add_offset(b, 57599 - (int)(bits & 0xffffff));
}

/* Scalars, as text without quotes. Returns whether it was one. */
static bool add_scalar(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b)
{
	switch (c->id) {
	case DUCK_T_BOOLEAN:
		buf_adds(b, ((const bool *)c->data)[row] ? "true" : "false");
		return true;
	case DUCK_T_FLOAT:
		add_real(b, (double)((const float *)c->data)[row], true);
		return true;
	case DUCK_T_DOUBLE:
		add_real(b, ((const double *)c->data)[row], false);
		return true;
	case DUCK_T_TIMESTAMP:
	case DUCK_T_TIMESTAMP_TZ:
		add_timestamp(b, ((const int64_t *)c->data)[row], 1000000, c->id == DUCK_T_TIMESTAMP_TZ ? tz : NULL);
		return true;
	case DUCK_T_TIMESTAMP_S:
		add_timestamp(b, ((const int64_t *)c->data)[row], 1, NULL);
		return true;
	case DUCK_T_TIMESTAMP_MS:
		add_timestamp(b, ((const int64_t *)c->data)[row], 1000, NULL);
		return true;
	case DUCK_T_TIMESTAMP_NS:
		add_timestamp(b, ((const int64_t *)c->data)[row], 1000000000, NULL);
		return true;
	case DUCK_T_DATE: {
		int32_t days = ((const int32_t *)c->data)[row];

		if (days == INT32_MAX || days == -INT32_MAX)
			buf_adds(b, days > 0 ? "infinity" : "-infinity");
		else
			add_date(b, days);
		return true;
	}
	case DUCK_T_TIME:
		add_time(b, ((const int64_t *)c->data)[row], 1000000);
		return true;
	case DUCK_T_TIME_TZ:
		add_time_tz(b, ((const uint64_t *)c->data)[row]);
		return true;
	case DUCK_T_INTERVAL:
		add_interval(b, (const struct duck_interval *)c->data + row);
		return true;
	case DUCK_T_UHUGEINT: {
		const struct duck_huge *h = (const struct duck_huge *)c->data + row;

		add_integer(b, (unsigned __int128)(uint64_t)h->upper << 64 | h->lower, false, 0);
		return true;
	}
	case DUCK_T_DECIMAL:
		add_signed(b, integer(c->store, c->data, row), c->scale);
		return true;
	case DUCK_T_ENUM: {
		size_t i = (size_t)integer(c->store, c->data, row);

		buf_addstr(b, i < c->n ? c->names[i] : STR("?"));
		return true;
	}
	case DUCK_T_UUID:
		add_uuid(b, (const struct duck_huge *)c->data + row);
		return true;
	case DUCK_T_VARCHAR:
		buf_addstr(b, string_at(c, row));
		return true;
	case DUCK_T_BLOB:
		add_blob(b, string_at(c, row));
		return true;
	case DUCK_T_BIT:
		add_bits(b, string_at(c, row));
		return true;
	case DUCK_T_LIST:
	case DUCK_T_ARRAY:
	case DUCK_T_MAP:
	case DUCK_T_STRUCT:
	case DUCK_T_UNION:
		return false;
	default:
		add_signed(b, integer(c->id, c->data, row), 0);
		return true;
	}
}

typedef void (*cell_add)(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b);

static void add_list(const struct cell *c, duck_idx from, duck_idx n, cell_add add, const struct tz *tz, struct buf *b,
                     const char *comma)
{
	buf_addc(b, '[');
	for (duck_idx i = from; i < from + n; i++) {
		if (i > from)
			buf_adds(b, comma);
		add(c, i, tz, b);
	}
	buf_addc(b, ']');
}

static void list_range(const struct cell *c, duck_idx row, duck_idx *from, duck_idx *n)
{
	const struct duck_list *l = (const struct duck_list *)c->data + row;

	*from = c->id == DUCK_T_ARRAY ? row * c->array_n : l->offset;
	*n = c->id == DUCK_T_ARRAY ? c->array_n : l->n;
}

void cell_text(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b)
{
	duck_idx from, n;

	if (cell_is_null(c, row)) {
		buf_adds(b, "NULL");
		return;
	}
	if (add_scalar(c, row, tz, b))
		return;
	switch (c->id) {
	case DUCK_T_LIST:
	case DUCK_T_ARRAY:
		list_range(c, row, &from, &n);
		add_list(c->kids[0], from, n, cell_text, tz, b, ", ");
		break;
	case DUCK_T_MAP:
		list_range(c, row, &from, &n);
		buf_addc(b, '{');
		for (duck_idx i = from; i < from + n; i++) {
			buf_adds(b, i > from ? ", " : "");
			cell_text(c->kids[0], i, tz, b);
			buf_addc(b, '=');
			cell_text(c->kids[1], i, tz, b);
		}
		buf_addc(b, '}');
		break;
	case DUCK_T_STRUCT:
		buf_addc(b, '{');
		for (size_t i = 0; i < c->n; i++) {
			buf_addf(b, "%s'%.*s': ", i ? ", " : "", STR_ARG(c->names[i]));
			cell_text(c->kids[i], row, tz, b);
		}
		buf_addc(b, '}');
		break;
	default:
		n = ((const uint8_t *)c->data)[row];
		if (n < c->n)
			cell_text(c->kids[n], row, tz, b);
		break;
	}
}

/* Whether a scalar's text is a JSON value as it stands. */
static bool json_plain(const struct cell *c, struct str text)
{
	switch (c->id) {
	case DUCK_T_BOOLEAN:
	case DUCK_T_TINYINT:
	case DUCK_T_SMALLINT:
	case DUCK_T_INTEGER:
	case DUCK_T_BIGINT:
	case DUCK_T_UTINYINT:
	case DUCK_T_USMALLINT:
	case DUCK_T_UINTEGER:
	case DUCK_T_UBIGINT:
	case DUCK_T_HUGEINT:
	case DUCK_T_UHUGEINT:
	case DUCK_T_DECIMAL:
		return true;
	case DUCK_T_FLOAT:
	case DUCK_T_DOUBLE:
		return text.p[text.n - 1] != 'n' && text.p[text.n - 1] != 'f';
	default:
		return c->json;
	}
}

static void json_map(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b)
{
	struct buf key cleanup(buf_free) = BUF_INIT(b->max);
	duck_idx from, n;

	list_range(c, row, &from, &n);
	buf_addc(b, '{');
	for (duck_idx i = from; i < from + n; i++) {
		buf_adds(b, i > from ? "," : "");
		buf_reset(&key);
		cell_text(c->kids[0], i, tz, &key);
		json_write_str(b, buf_str(&key));
		buf_addc(b, ':');
		cell_json(c->kids[1], i, tz, b);
	}
	buf_addc(b, '}');
}

void cell_json(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b)
{
	duck_idx from, n;

	if (cell_is_null(c, row)) {
		buf_adds(b, "null");
		return;
	}
	switch (c->id) {
	case DUCK_T_LIST:
	case DUCK_T_ARRAY:
		list_range(c, row, &from, &n);
		add_list(c->kids[0], from, n, cell_json, tz, b, ",");
		return;
	case DUCK_T_MAP:
		json_map(c, row, tz, b);
		return;
	case DUCK_T_STRUCT:
		buf_addc(b, '{');
		for (size_t i = 0; i < c->n; i++) {
			buf_adds(b, i ? "," : "");
			json_write_str(b, c->names[i]);
			buf_addc(b, ':');
			cell_json(c->kids[i], row, tz, b);
		}
		buf_addc(b, '}');
		return;
	case DUCK_T_UNION:
		n = ((const uint8_t *)c->data)[row];
		if (n < c->n)
			cell_json(c->kids[n], row, tz, b);
		else
			buf_adds(b, "null");
		return;
	default:
		break;
	}
	struct buf text cleanup(buf_free) = BUF_INIT(b->max);
	add_scalar(c, row, tz, &text);
	if (json_plain(c, buf_str(&text)))
		buf_addstr(b, buf_str(&text));
	else
		json_write_str(b, buf_str(&text));
}
