#include "flow/codetext.h"

#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/textdiff.h"
#include "db/sql_token.h"
#include "flow/jobsql.h"
#include "sys/file.h"
#include "sys/path.h"

#define PIECES_MAX 20000 /* tokens or lines of a text that is looked into */
#define SHOWN 60         /* bytes of a place in a sentence */

int codetext_keep(struct db *d, const struct sha *id, struct str text, struct err *e)
{
	struct q *q;

	if (text.n > CODETEXT_MAX || !textdiff_is_text(text))
		return 0;
	if (db_make_set(d, DB_SET_RUNS, e))
		return -1;
	q = db_query(d, "insert or ignore into code_text(id, body) values(?, ?)");
	q_sha(q, 1, id);
	q_text(q, 2, text);
	return q_run(q, e);
}

/* 1, 0, -1 */
static int find(struct db *d, struct arena *a, const struct sha *id, struct str *out, struct err *e)
{
	struct q *q;
	int r;

	if (!db_has_set(d, DB_SET_RUNS))
		return 0;
	q = db_query(d, "select body from code_text where id = ?");
	q_sha(q, 1, id);
	r = q_step(q, e);
	if (r == 1)
		*out = arena_str(a, q_col_text(q, 0));
	q_done(q);
	return r;
}

static const struct job_code *query_file(const struct job *j)
{
	for (size_t i = 0; j->kind && !j->kind->starts_process && i < j->n_code; i++)
		if (j->main_file.p && str_eq(j->code[i].path, j->main_file))
			return &j->code[i];
	return NULL;
}

void codetext_load(struct flow *f, const struct job *j)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const struct job_code *file = query_file(j);
	struct err ignored = ERR_INIT;
	struct str text;

	if (file && !j->sql_source.p && file->size <= (int64_t)CODETEXT_MAX &&
	    !find(f->store->db, a, &file->sha, &text, &ignored) &&
	    jobsql_load(f->jobs, j, &ignored))
		return;
}

int codetext_keep_query(struct db *d, const struct job *j, struct err *e)
{
	const struct job_code *file = query_file(j);

	return file && j->sql_source.p ? codetext_keep(d, &file->sha, j->sql_source, e) : 0;
}

/* --- places --- */

struct piece {
	struct str key;  /* what is compared */
	size_t start, end;
	int depth;       /* of parentheses */
};

struct text {
	struct str s;
	VEC(struct piece) v;
	struct str *keys;
	bool *edited;
};

static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
	p[s.n] = '\0';
	return (struct str){p, s.n};
}

static void split_sql(struct arena *a, struct text *t)
{
	struct sql_token tok;
	size_t at = 0;
	int depth = 0;

	for (sql_token(t->s, &at, false, &tok); tok.kind != SQL_TOK_END; sql_token(t->s, &at, false, &tok)) {
		struct piece p = {tok.kind == SQL_TOK_WORD ? lower(a, tok.text) : tok.text, tok.start, tok.end, depth};

		if (sql_token_is(&tok, "(")) {
			depth++;
		} else if (sql_token_is(&tok, ")")) {
			depth -= depth > 0;
			p.depth = depth;
		}
		vec_push(a, &t->v, p);
	}
}

static void split_lines(struct arena *a, struct text *t)
{
	for (size_t at = 0; at < t->s.n;) {
		const char *nl = memchr(t->s.p + at, '\n', t->s.n - at);
		size_t end = nl ? (size_t)(nl - t->s.p) : t->s.n;
		struct piece p = {str_trim(str_sub(t->s, at, end - at)), at, end, 0};

		if (p.key.n)
			vec_push(a, &t->v, p);
		at = end + 1;
	}
}

static void split(struct arena *a, struct str s, bool sql, struct text *out)
{
	out->s = s;
	(sql ? split_sql : split_lines)(a, out);
	out->keys = arena_array(a, struct str, out->v.n + 1);
	out->edited = arena_array(a, bool, out->v.n + 1);
	for (size_t i = 0; i < out->v.n; i++)
		out->keys[i] = out->v.p[i].key;
}

static const char *clause_of(struct str key)
{
	static const char *const words[] = {"select", "from",   "where", "group", "having", "qualify", "order", "limit",
	                                    "offset", "window", "union", "with",  "on",     "using",   "values"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(key, words[i]))
			return words[i];
	return NULL;
}

/* Where an expression of its clause ends: what stands beside it is another one. */
static bool parts(struct str key)
{
	return str_is(key, ",") || str_is(key, "and") || str_is(key, "or") || str_is(key, "join") || clause_of(key);
}

/* From the word of its clause on: the clause, its depth, and the CTE whose parentheses it is in. */
static void look_clause(struct arena *a, const struct text *t, size_t from, struct codetext_place *out, int *depth)
{
	int low = from < t->v.n ? t->v.p[from].depth : t->v.n ? t->v.p[t->v.n - 1].depth : 0;
	size_t i = MIN(from + 1, t->v.n);

	*depth = 0;
	while (i-- > 0) {
		const struct piece *p = &t->v.p[i];
		const char *clause = clause_of(p->key);

		low = MIN(low, p->depth);
		if (!out->clause && clause && p->depth <= low) {
			out->clause = clause;
			*depth = p->depth;
		}
		/* NAME as ( */
		if (out->clause && i >= 2 && p->depth < *depth && p->depth <= low && str_is(p->key, "(") &&
		    str_is(t->v.p[i - 1].key, "as")) {
			out->within = arena_str(a, t->v.p[i - 2].key);
			return;
		}
	}
}

/* Edited pieces [*i, *j) as far as the expression goes that they stand in, not into other places. */
static void widen(const struct text *t, int depth, size_t *i, size_t *j)
{
	while (*i > 0 && t->v.p[*i - 1].depth >= depth && !t->edited[*i - 1] &&
	       !(t->v.p[*i - 1].depth == depth && parts(t->v.p[*i - 1].key)))
		--*i;
	while (*j < t->v.n && t->v.p[*j].depth >= depth && !t->edited[*j] &&
	       !(t->v.p[*j].depth == depth && parts(t->v.p[*j].key)))
		++*j;
}

/* Pieces that came or went as whole expressions: they alone are told. */
static bool whole(const struct text *t, size_t i, size_t j)
{
	bool begins = !i || parts(t->v.p[i - 1].key) || parts(t->v.p[i].key);
	bool ends = j >= t->v.n || parts(t->v.p[j].key) || parts(t->v.p[j - 1].key) || str_is(t->v.p[j].key, ")");

	return begins && ends;
}

/* The text of some pieces, blanks and line ends between them as one blank. */
static struct str on_one_line(struct arena *a, const struct text *t, size_t i, size_t j)
{
	struct buf b = BUF_INIT(CODETEXT_MAX * 2);
	struct str out;

	for (; i < j; i++) {
		const struct piece *p = &t->v.p[i];

		if (b.n && p[-1].end != p->start)
			buf_addc(&b, ' ');
		for (size_t k = p->start; k < p->end; k++)
			buf_addc(&b, t->s.p[k] == '\n' || t->s.p[k] == '\r' || t->s.p[k] == '\t' ? ' ' : t->s.p[k]);
	}
	out = arena_str(a, str_trim(buf_str(&b)));
	buf_free(&b);
	return out;
}

static int line_of(const struct text *t, size_t i)
{
	size_t at = i < t->v.n ? t->v.p[i].start : t->s.n;
	int line = 1;

	for (size_t k = 0; k < at; k++)
		line += t->s.p[k] == '\n';
	return line;
}

size_t codetext_places(struct arena *a, struct str before, struct str now, bool sql, struct codetext_place **out)
{
	VEC(struct codetext_place) all = {0};
	struct text x = {0}, y = {0};
	size_t i = 0, j = 0;

	split(a, before, sql, &x);
	split(a, now, sql, &y);
	*out = NULL;
	if (x.v.n > PIECES_MAX || y.v.n > PIECES_MAX)
		return 0;
	textdiff_pieces(x.keys, x.v.n, y.keys, y.v.n, x.edited, y.edited);
	while (i < x.v.n || j < y.v.n) {
		struct codetext_place p = {0};
		size_t i0 = i, j0 = j, i1, j1;
		int depth = 0;

		if ((i >= x.v.n || !x.edited[i]) && (j >= y.v.n || !y.edited[j])) {
			i++;
			j++;
			continue;
		}
		for (i1 = i; i1 < x.v.n && x.edited[i1]; i1++)
			;
		for (j1 = j; j1 < y.v.n && y.edited[j1]; j1++)
			;
		i = i1;
		j = j1;
		p.line = line_of(&y, j0);
		if (sql) {
			bool added = i0 == i1, gone = j0 == j1;

			look_clause(a, gone ? &x : &y, gone ? i0 : j0, &p, &depth);
			if (!(added && whole(&y, j0, j1)) && !(gone && whole(&x, i0, i1))) {
				widen(&x, depth, &i0, &i1);
				widen(&y, depth, &j0, &j1);
			}
		}
		p.before = on_one_line(a, &x, i0, i1);
		p.now = on_one_line(a, &y, j0, j1);
		if (all.n && str_eq(all.p[all.n - 1].before, p.before) && str_eq(all.p[all.n - 1].now, p.now))
			continue; /* two edits of one expression */
		vec_push(a, &all, p);
	}
	*out = all.p;
	return all.n;
}

/* --- sentences --- */

static const char *cut(struct arena *a, struct str s)
{
	size_t n = SHOWN - 3;

	if (s.n <= SHOWN)
		return arena_cstr(a, s);
	while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return arena_printf(a, "%.*s...", (int)n, s.p);
}

static const char *where(struct arena *a, const struct codetext_place *p)
{
	if (!p->clause)
		return arena_printf(a, "line %d", p->line);
	if (p->within.n)
		return arena_printf(a, "%s of %.*s", p->clause, STR_ARG(p->within));
	return p->clause;
}

static const char *say(struct arena *a, const struct codetext_place *p)
{
	if (!p->before.n)
		return arena_printf(a, "%s: %s is new", where(a, p), cut(a, p->now));
	if (!p->now.n)
		return arena_printf(a, "%s: %s is gone", where(a, p), cut(a, p->before));
	return arena_printf(a, "%s: %s -> %s", where(a, p), cut(a, p->before), cut(a, p->now));
}

static void tell(struct arena *a, struct dom *change, const struct codetext_place *p, size_t n)
{
	struct dom *list = dom_new(a, DOM_LIST), *text = dom_get(change, "text");
	const char *said = arena_cstr(a, text->s);

	for (size_t i = 0; i < n; i++) {
		struct dom *d = dom_new(a, DOM_MAP);

		dom_set_cstr(a, d, "where", where(a, &p[i]));
		dom_set_int(a, d, "line", p[i].line);
		dom_set_str(a, d, "before", p[i].before);
		dom_set_str(a, d, "now", p[i].now);
		dom_add(list, d);
		if (i < CODETEXT_PLACES)
			said = arena_printf(a, "%s%s%s", said, i ? "; " : ": ", say(a, &p[i]));
	}
	if (n > CODETEXT_PLACES)
		said = arena_printf(a, "%s; and %zu more places", said, n - CODETEXT_PLACES);
	text->s = str_of(said);
	dom_set(a, change, "places", list);
}

/* The text of a file's version: remembered, or what the job's file holds now. 1, 0, -1 */
static int text_of(struct flow *f, struct arena *a, const struct job *j, struct str label, const struct dom *hex,
                   struct str *out, struct err *e)
{
	struct err mine = ERR_INIT;
	struct sha id, now;
	int r;

	if (!hex || hex->type != DOM_STR || !sha_parse(hex->s, &id))
		return 0;
	r = find(f->store->db, a, &id, out, e);
	for (size_t i = 0; !r && j && i < j->n_code; i++) {
		if (!sha_eq(&j->code[i].sha, &id) || !str_eq(j->code[i].label, label) ||
		    j->code[i].size > (int64_t)CODETEXT_MAX)
			continue;
		if (file_read_plain(a, path_join(a, f->ws->dir, j->code[i].path.p), CODETEXT_MAX, out, &mine))
			return 0; /* the explanation is poorer */
		now = sha_of(out->p, out->n);
		return sha_eq(&now, &id) && textdiff_is_text(*out);
	}
	return r;
}

/* Of many units it is the same change: it is looked into once. */
struct told {
	struct codetext_place *p;
	size_t n;
	bool known; /* both texts */
};

static int look(struct flow *f, const struct job *j, const struct dom *change, const struct told **out, struct err *e)
{
	const struct dom *name = dom_get(change, "name");
	const struct dom *old = dom_get(change, "before"), *new = dom_get(change, "now");
	struct arena *a = f->arena;
	struct str before, now, key;
	struct told *t;
	int r;

	key = arena_strf(a, "%.*s %.*s %.*s", STR_ARG(name->s), STR_ARG(old->s), STR_ARG(new->s));
	*out = t = map_get(&f->code_told, key);
	if (t)
		return 0;
	t = arena_new_of(a, struct told);
	r = text_of(f, a, j, name->s, old, &before, e);
	if (r == 1)
		r = text_of(f, a, j, name->s, new, &now, e);
	if (r < 0)
		return -1;
	t->known = r;
	if (r)
		t->n = codetext_places(a, before, now, str_has_suffix(name->s, STR(".sql")), &t->p);
	map_set(&f->code_told, key, t);
	*out = t;
	return 0;
}

int codetext_explain(struct flow *f, struct arena *a, const struct job *j, struct dom *change, struct err *e)
{
	const struct dom *what = dom_get(change, "what");
	const struct dom *old = dom_get(change, "before"), *new = dom_get(change, "now");
	const struct told *t;

	if (!what || !str_is(what->s, "file") || !old || !new || old->type != DOM_STR || new->type != DOM_STR)
		return 0;
	if (look(f, j, change, &t, e))
		return -1;
	if (t->n)
		tell(a, change, t->p, t->n);
	return t->known && !t->n;
}
