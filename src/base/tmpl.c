#include "base/tmpl_in.h"

#include <string.h>

#include "base/str.h"
#include "base/tmpl_sql.h"

/* ---- places ---- */

void text_line_col(struct str text, size_t offset, int *line, int *col)
{
	size_t from = 0;

	offset = MIN(offset, text.n);
	*line = *col = 1;
	for (size_t i = 0; i < offset; i++)
		if (text.p[i] == '\n') {
			++*line;
			from = i + 1;
		}
	for (size_t i = from; i < offset; i++)
		*col += (text.p[i] & 0xc0) != 0x80;
}

size_t tmpl_source_offset(const struct tmpl_result *r, size_t out_offset)
{
	size_t lo = 0, hi = r->n_spans;

	out_offset = MIN(out_offset, r->text.n);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->spans[mid].out <= out_offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return 0;
	return r->spans[lo - 1].src + (r->spans[lo - 1].literal ? out_offset - r->spans[lo - 1].out : 0);
}

/* ---- rendering ---- */

struct render {
	struct teval t;
	struct buf out;
	struct sql_place sql;
	VEC(struct tmpl_span) spans;
};

static int check_size(struct render *r, size_t at)
{
	if (!buf_over(&r->out))
		return 0;
	tmpl_bad(&r->t, at, "the template makes a text of more than %zu MiB", TMPL_MAX_OUT >> 20);
	r->t.e->code = ERR_LIMIT;
	return -1;
}

static void span(struct render *r, size_t src, bool literal)
{
	vec_push(r->t.a, &r->spans, ((struct tmpl_span){r->out.n, src, literal}));
}

static bool joins_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

/* Whether an expression may stand at the end of the SQL so far: in code, and not as part of a name (sales_{{ ds }}). */
static bool sql_expression(struct render *r, const struct tn *n)
{
	const struct tn *after = n->next;

	sql_place_feed(&r->sql, buf_str(&r->out));
	if (r->sql.in != SQL_CODE || (r->out.n && joins_word(r->out.p[r->out.n - 1])))
		return false;
	return !(after && after->kind == TN_TEXT && joins_word(after->text.p[0]));
}

/* Within quotes, each of their kind doubled; of a name only what is a word; of a comment nothing at all. */
static int put_within(struct render *r, const struct tn *n, struct str s)
{
	char quote = r->sql.in == SQL_TEXT ? '\'' : r->sql.in == SQL_NAME ? '"' : '\0';

	if (r->sql.in == SQL_LINE_COMMENT || r->sql.in == SQL_COMMENT)
		return 0;
	if (s.n && memchr(s.p, '\0', s.n))
		return tmpl_bad(&r->t, n->at, "a text with a NUL byte cannot stand in SQL");
	if (!quote && r->sql.in != SQL_CODE)
		return tmpl_bad(&r->t, n->at, "no value can be bound within such quotes");
	for (size_t i = 0; i < s.n; i++) {
		if (!quote && !joins_word(s.p[i]))
			return tmpl_bad(&r->t, n->at, "'%.*s' is not a word, so it cannot be a part of a name",
			                STR_ARG(s));
		if (quote && s.p[i] == quote)
			buf_addc(&r->out, quote);
		buf_addc(&r->out, s.p[i]);
	}
	return check_size(r, n->at);
}

static int put_bound(struct render *r, const struct tn *n, const struct tval *v)
{
	const struct tn *after = n->next;

	if (sql_expression(r, n)) {
		/* One quote beside another is a quote within a text. */
		if ((r->out.n && r->out.p[r->out.n - 1] == '\'') ||
		    (after && after->kind == TN_TEXT && after->text.p[0] == '\''))
			return tmpl_bad(&r->t, n->at, "a value stands right beside a text: put || between them");
		if (r->out.n && r->out.p[r->out.n - 1] == '-')
			buf_addc(&r->out, ' '); /* with a negative number they would begin a comment */
		if (v->sql)
			buf_addstr(&r->out, dom_text(r->t.a, v->v));
		else if (tmpl_sql(&r->t, n->at, &r->out, v->v))
			return -1;
		return check_size(r, n->at);
	}
	return put_within(r, n, dom_text(r->t.a, v->v));
}

static int put(struct render *r, const struct tn *n)
{
	struct tval v;
	struct str s;

	if (tmpl_eval(&r->t, n->expr, &v))
		return -1;
	span(r, n->at, false);
	s = dom_text(r->t.a, v.v);
	switch (r->t.env->mode) {
	case TMPL_SQL:
		if (v.v->type == DOM_NULL && sql_expression(r, n)) {
			s = STR("NULL");
		} else if (v.ds && v.v->type == DOM_STR && s.n && sql_expression(r, n)) {
			buf_addf(&r->out, "'%.*s'", STR_ARG(s)); /* a label holds no quote */
			return check_size(r, n->at);
		}
		break;
	case TMPL_SQL_BOUND:
		return put_bound(r, n, &v);
	case TMPL_HTML:
		if (!v.safe) {
			tmpl_html(&r->out, s);
			return check_size(r, n->at);
		}
		break;
	default:
		break;
	}
	buf_addstr(&r->out, s);
	return check_size(r, n->at);
}

static int pieces(struct render *r, const struct tn *n);

static void set_loop(struct dom *loop, int64_t i, int64_t n)
{
	dom_each(c, loop) {
		if (str_is(c->key, "index"))
			c->i = i + 1;
		else if (str_is(c->key, "index0"))
			c->i = i;
		else if (str_is(c->key, "first"))
			c->b = i == 0;
		else if (str_is(c->key, "last"))
			c->b = i == n - 1;
	}
}

static struct dom *new_loop(struct arena *a, int64_t n)
{
	struct dom *loop = dom_new(a, DOM_MAP);

	dom_set_int(a, loop, "index", 0);
	dom_set_int(a, loop, "index0", 0);
	dom_set_bool(a, loop, "first", false);
	dom_set_bool(a, loop, "last", false);
	dom_set_int(a, loop, "length", n);
	return loop;
}

/* Over a list's values, or a map's keys. */
static int loop(struct render *r, const struct tn *n)
{
	struct tval over;
	struct tscope scope = {.up = r->t.scope, .name = n->var};
	int64_t i = 0;
	int rc = 0;

	if (tmpl_eval(&r->t, n->expr, &over))
		return -1;
	if (over.v->type != DOM_LIST && over.v->type != DOM_MAP)
		return tmpl_bad(&r->t, n->expr->at, "for goes over a list or a map, not %s",
		        dom_type_word(over.v->type));
	scope.loop = new_loop(r->t.a, (int64_t)over.v->n);
	for (const struct dom *c = over.v->first; c && !rc; c = c->next, i++) {
		scope.value = (struct tval){.v = over.v->type == DOM_MAP ? dom_new_str(r->t.a, c->key) : c,
		        .ds = over.ds};
		set_loop(scope.loop, i, (int64_t)over.v->n);
		r->t.scope = &scope;
		rc = tmpl_step(&r->t, n->at, 1) || pieces(r, n->body);
		r->t.scope = scope.up;
	}
	return rc ? -1 : 0;
}

static int choose(struct render *r, const struct tn *n)
{
	struct tval v;

	for (; n && n->expr; n = n->otherwise) { /* along the elifs, which have no piece but themselves */
		if (tmpl_eval(&r->t, n->expr, &v))
			return -1;
		if (tmpl_truth(v.v))
			return pieces(r, n->body);
		if (!n->elif_follows)
			return pieces(r, n->otherwise);
	}
	return 0;
}

static int pieces(struct render *r, const struct tn *n)
{
	for (; n; n = n->next) {
		int rc = tmpl_step(&r->t, n->at, 1);

		if (rc)
			return -1;
		switch (n->kind) {
		case TN_TEXT:
			span(r, n->at, true);
			buf_addstr(&r->out, n->text);
			rc = check_size(r, n->at);
			break;
		case TN_OUT:
			rc = put(r, n);
			break;
		case TN_FOR:
			rc = loop(r, n);
			break;
		case TN_IF:
			rc = choose(r, n);
			break;
		}
		if (rc)
			return -1;
	}
	return 0;
}

int tmpl_render(struct arena *a, struct str source, const char *file, const struct tmpl_env *env,
        struct tmpl_result *out,
                struct err *e)
{
	struct render r = {.t = {.a = a, .source = source, .file = file, .env = env, .e = e},
	        .out = BUF_INIT(TMPL_MAX_OUT)};
	struct tn *tree;
	int rc;

	if (tmpl_parse(a, source, file, &tree, e))
		return -1;
	rc = pieces(&r, tree);
	if (!rc)
		*out = (struct tmpl_result){arena_str(a, buf_str(&r.out)), r.spans.p, r.spans.n};
	buf_free(&r.out);
	return rc;
}

/* ---- what is used ---- */

struct uses {
	struct arena *a;
	struct str source;
	VEC(struct tmpl_use) v;
	const struct tscope *scope; /* loop variables: they are no use of the outside */
};

static bool is_local(const struct uses *u, struct str name)
{
	for (const struct tscope *s = u->scope; s; s = s->up)
		if (str_eq(s->name, name) || str_is(name, "loop"))
			return true;
	return false;
}

static void use_expr(struct uses *u, const struct tx *x, bool plain);

/* "params.min_speed" for x; NULL if x is no path of names. The indexes of [..] that are no constants are uses, too. */
static const char *use_path(struct uses *u, const struct tx *x, size_t *at, bool *local)
{
	const char *head;
	const struct tx *key;

	if (x->op == TX_NAME) {
		*at = x->at;
		*local = is_local(u, x->name);
		return x->name.p;
	}
	if (x->op != TX_DOT && x->op != TX_INDEX)
		return NULL;
	head = use_path(u, x->args, at, local);
	if (!head)
		return NULL;
	if (x->op == TX_DOT)
		return arena_printf(u->a, "%s.%s", head, x->name.p);
	key = x->args->next;
	if (key->op == TX_CONST && (key->value->type == DOM_STR || key->value->type == DOM_INT))
		return arena_printf(u->a, "%s.%s", head, dom_text(u->a, key->value).p);
	use_expr(u, key, false);
	return head; /* which one is known only when it runs */
}

static void use_expr(struct uses *u, const struct tx *x, bool plain)
{
	bool local = false;
	size_t at = x->at;
	const char *path = use_path(u, x, &at, &local);
	struct tmpl_use use = {.plain = plain};

	if (path) {
		if (local)
			return;
		use.path = str_of(path);
		text_line_col(u->source, at, &use.line, &use.col);
		vec_push(u->a, &u->v, use);
		return;
	}
	for (const struct tx *arg = x->args; arg; arg = arg->next)
		use_expr(u, arg, false);
}

static void use_pieces(struct uses *u, const struct tn *n, bool top)
{
	for (; n; n = n->next) {
		struct tscope scope = {.up = (struct tscope *)u->scope, .name = n->var};
		const struct tn *branch = n;

		for (;; branch = branch->otherwise) {
			if (branch->expr)
				use_expr(u, branch->expr, top && n->kind == TN_OUT);
			if (n->kind == TN_FOR)
				u->scope = &scope;
			use_pieces(u, branch->body, false);
			u->scope = scope.up;
			if (!branch->elif_follows)
				break;
		}
		use_pieces(u, branch->otherwise, false);
	}
}

int tmpl_uses(struct arena *a, struct str source, const char *file, struct tmpl_use **out, size_t *n, struct err *e)
{
	struct uses u = {.a = a, .source = source};
	struct tn *tree;

	if (tmpl_parse(a, source, file, &tree, e))
		return -1;
	use_pieces(&u, tree, true);
	*out = u.v.p;
	*n = u.v.n;
	return 0;
}
