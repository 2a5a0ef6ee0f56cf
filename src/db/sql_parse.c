/* The parse operation of the worker: many texts in, one document each out. */
#include "base/str.h"
#include "db/duck_worker.h"
#include "db/sql_token.h"
#include "db/sql_walk.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define MAX_STATEMENTS 10000

/* One statement of one text, and what json_serialize_sql said of it. */
struct piece {
	size_t text;
	struct sql_range range;
	struct str tree;
};

typedef VEC(struct piece) pieces;

static int ask(struct work *k, const struct str *texts, struct piece *p, size_t n, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT((size_t)64 << 20);
	struct str *cells;
	size_t rows, cols;

	buf_adds(&b, "select json_serialize_sql(t) from unnest([");
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? "," : "");
		sql_add_literal(&b, str_sub(texts[p[i].text], p[i].range.start, p[i].range.end - p[i].range.start));
	}
	buf_adds(&b, "]) u(t)");
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "a statement is over its limit of %zu MiB", SQL_MAX_TEXT >> 20);
	if (work_rows(k, b.p, &cells, &rows, &cols, e))
		return -1;
	BUG_IF(rows != n);
	for (size_t i = 0; i < n; i++)
		p[i].tree = cells[i];
	return 0;
}

static int ask_all(struct work *k, const struct str *texts, pieces *all, struct err *e)
{
	for (size_t i = 0; i < all->n;) {
		size_t n = 0;

		for (size_t bytes = 0; i + n < all->n && (!n || bytes < BATCH_BYTES); n++)
			bytes += all->p[i + n].range.end - all->p[i + n].range.start;
		if (ask(k, texts, all->p + i, n, e))
			return -1;
		i += n;
	}
	return 0;
}

static void add_keys(struct arena *a, struct dom *out, const char *key, const struct map *m)
{
	struct dom *list = dom_new(a, DOM_LIST);
	struct str name;
	void *value;

	for (size_t i = 0; map_each(m, &i, &name, &value);)
		dom_add(list, dom_new_str(a, name));
	if (list->n)
		dom_set(a, out, key, list);
}

static struct dom *table_doc(struct arena *a, const struct sql_table *t)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_str(a, d, "schema", t->schema);
	dom_set_str(a, d, "name", t->name);
	if (t->alias.n)
		dom_set_str(a, d, "alias", t->alias);
	dom_set_int(a, d, "start", (int64_t)t->start);
	dom_set_int(a, d, "end", (int64_t)t->end);
	if (t->at_unit.n) {
		dom_set_str(a, d, "at_unit", t->at_unit);
		dom_set_str(a, d, "at", t->at);
		dom_set_int(a, d, "at_start", (int64_t)t->at_start);
		dom_set_int(a, d, "at_end", (int64_t)t->at_end);
	}
	if (t->names_ds)
		dom_set_bool(a, d, "names_ds", true);
	return d;
}

static void fail(struct arena *a, struct dom *out, const struct dom *answer, size_t base)
{
	struct dom *msg = dom_get(answer, "error_message"), *position = dom_get(answer, "position");
	int64_t at = 0;

	if (!position || !str_to_i64(dom_text(a, position), &at))
		at = 0;
	/* A gap of its parser stands for a name of more than three parts; the message says so to nobody. */
	if (msg && str_has_prefix(msg->s, STR("NameListToString")))
		msg = dom_new_str(a, STR("a table's name has two parts at most: the repo raw/a/b is the table "
		                         "raw.\"a/b\""));
	dom_set_str(a, out, "error", msg ? msg->s : STR("syntax error"));
	dom_set_int(a, out, "offset", at + (int64_t)base);
}

/* Walks the statements of one text; false if one of them does not parse (then `out` says where). */
static bool read_pieces(struct arena *a, struct sql_walk *w, const struct piece *p, size_t n, struct sha_ctx *hash,
                        struct dom *out)
{
	struct buf canonical cleanup(buf_free) = BUF_INIT((size_t)256 << 20);

	for (size_t i = 0; i < n; i++) {
		struct dom *answer = NULL, *node;
		struct err e = ERR_INIT;
		struct str stmt = str_sub(w->text, p[i].range.start, p[i].range.end - p[i].range.start);
		struct sha id;

		w->base = p[i].range.start;
		w->base_end = p[i].range.end;
		if (dom_json(a, p[i].tree, "tree", &answer, &e))
			answer = NULL;
		bool failed = !answer || (dom_get(answer, "error") && dom_get(answer, "error")->b);
		bool syntax = answer && failed && dom_get(answer, "error_type") &&
			      str_is(dom_get(answer, "error_type")->s, "parser");
		if (syntax) {
			fail(a, out, answer, w->base);
			return false;
		}
		struct dom *statements = failed ? NULL : dom_get(answer, "statements");
		node = statements && statements->first ? dom_get(statements->first, "node") : NULL;
		if (node) {
			sql_walk_tree(w, node);
			buf_reset(&canonical);
			dom_write_json(&canonical, statements, DOM_CANONICAL);
			sha_field(hash, buf_str(&canonical));
		} else {
			sql_walk_tokens(w);
			id = sql_token_hash(stmt);
			sha_field(hash, (struct str){(const char *)id.b, SHA_BYTES});
		}
	}
	return true;
}

static struct dom *parsed(struct arena *a, struct str text, const struct piece *p, size_t n)
{
	struct dom *out = dom_new(a, DOM_MAP), *tables = dom_new(a, DOM_LIST);
	struct sql_walk w;
	struct sha_ctx c;
	char hex[SHA_HEX + 1];

	sql_walk_init(&w, a, text);
	sha_init(&c);
	if (!read_pieces(a, &w, p, n, &c, out))
		return out;
	struct sha id = sha_end(&c);
	sha_hex(&id, hex);
	dom_set_cstr(a, out, "hash", hex);
	dom_set_int(a, out, "statements", (int64_t)n);
	dom_set_bool(a, out, "select", w.select);
	dom_set_bool(a, out, "ordered", w.ordered);
	dom_set_int(a, out, "facts", w.facts);
	if (w.alone || n != 1 || (w.facts & SQL_OPAQUE))
		dom_set_cstr(a, out, "alone", w.alone ? w.alone : "what the parser does not tell");
	else
		dom_set_int(a, out, "stand_ins", (int64_t)w.stand_ins);
	for (size_t i = 0; i < w.tables.n; i++)
		dom_add(tables, table_doc(a, &w.tables.p[i]));
	dom_set(a, out, "tables", tables);
	add_keys(a, out, "volatiles", &w.volatiles);
	add_keys(a, out, "readers", &w.readers);
	add_keys(a, out, "files", &w.files);
	return out;
}

int work_parse(struct work *k, struct err *e)
{
	struct dom *list = dom_get(k->request, "texts"), *out = dom_new(k->a, DOM_LIST);
	struct str *texts = arena_array(k->a, struct str, list->n);
	pieces all = {0};
	size_t n = 0, i = 0;

	dom_each(t, list) {
		struct sql_range *r;

		texts[n] = t->s;
		if (t->s.n > SQL_MAX_TEXT)
			return err_set(e, ERR_LIMIT, "a SQL text is over its limit of %zu MiB", SQL_MAX_TEXT >> 20);
		size_t pieces_n = sql_split(k->a, t->s, &r);
		if (pieces_n > MAX_STATEMENTS)
			return err_set(e, ERR_LIMIT, "a SQL text has more than %d statements", MAX_STATEMENTS);
		for (size_t j = 0; j < pieces_n; j++)
			vec_push(k->a, &all, ((struct piece){.text = n, .range = r[j]}));
		n++;
	}
	if (ask_all(k, texts, &all, e))
		return -1;
	for (size_t t = 0; t < n; t++) {
		size_t from = i;

		while (i < all.n && all.p[i].text == t)
			i++;
		dom_add(out, parsed(k->a, texts[t], all.p + from, i - from));
	}
	dom_set(k->a, k->reply, "parsed", out);
	return 0;
}
