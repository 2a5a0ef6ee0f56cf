/*
 * The tree of a Python file: a recursive descent over the tokens, precedence by a table. A statement that it cannot
 * read
 * is skipped with its block, and stays in the tree as such.
 */
#include <stdio.h>

#include "api/import_py.h"
#include "base/str.h"

struct parser {
	struct arena *a;
	struct str src;
	struct py_token *t; /* the next one */
	const struct py_token *end;
	int depth;
	bool bad; /* the statement at hand cannot be read */
};

static struct py_expr *expr(struct parser *p, int level);
static void block(struct parser *p, struct py_block *out);

static bool is_op(const struct parser *p, const char *s)
{
	return p->t->kind == PY_OP && str_is(p->t->s, s);
}

static bool is_word(const struct parser *p, const char *s)
{
	return p->t->kind == PY_NAME && str_is(p->t->s, s);
}

static void next(struct parser *p)
{
	if (p->t < p->end)
		p->t++;
}

static bool take_op(struct parser *p, const char *s)
{
	if (!is_op(p, s))
		return false;
	next(p);
	return true;
}

static bool take_word(struct parser *p, const char *s)
{
	if (!is_word(p, s))
		return false;
	next(p);
	return true;
}

static struct py_expr *bad(struct parser *p)
{
	p->bad = true;
	return NULL;
}

static struct py_expr *make(struct parser *p, enum py_expr_kind kind)
{
	struct py_expr *x = arena_new_of(p->a, struct py_expr);

	x->kind = kind;
	x->line = p->t->line;
	x->from = p->t->from;
	x->to = p->t->to;
	return x;
}

static struct py_expr *ended(struct parser *p, struct py_expr *x)
{
	if (x)
		x->to = p->t[-1].to;
	return x;
}

static struct pv *literal(struct parser *p, enum pv_kind kind)
{
	struct pv *v = arena_new_of(p->a, struct pv);

	v->kind = kind;
	v->line = p->t->line;
	return v;
}

/* ---- atoms ---- */

/* Texts that stand side by side are one. */
static struct py_expr *text(struct parser *p)
{
	struct py_expr *x = make(p, PX_LITERAL);
	struct buf b cleanup(buf_free) = BUF_INIT(PY_MAX_TEXT);

	x->value = literal(p, PV_STR);
	for (; p->t->kind == PY_STRING; next(p)) {
		if (p->t->format)
			x->kind = PX_FORMAT;
		buf_addstr(&b, py_unescape(p->a, p->t));
	}
	x->s = x->value->s = arena_str(p->a, buf_str(&b));
	return ended(p, x);
}

static struct py_expr *digits(struct parser *p)
{
	struct py_expr *x = make(p, PX_LITERAL);
	struct buf b cleanup(buf_free) = BUF_INIT(100);
	int64_t i;
	double d;

	for (size_t k = 0; k < p->t->s.n; k++)
		if (p->t->s.p[k] != '_')
			buf_addc(&b, p->t->s.p[k]);
	if (str_to_i64(buf_str(&b), &i)) {
		x->value = literal(p, PV_INT);
		x->value->i = i;
	} else if (str_to_f64(buf_str(&b), &d)) {
		x->value = literal(p, PV_FLOAT);
		x->value->d = d;
	} else {
		x->kind = PX_OTHER;
	}
	next(p);
	return x;
}

static void push(struct parser *p, struct py_expr *x, struct str name, int stars, struct py_expr *k, struct py_expr *v)
{
	struct py_arg arg = {name, stars, k, v};

	vec_push(p->a, &x->args, arg);
}

/* "for x in y if z" after the first item of a bracket. */
static struct py_expr *each(struct parser *p, struct py_expr *item, const char *close)
{
	struct py_expr *x = make(p, PX_EACH);

	x->a = item;
	take_word(p, "async");
	next(p);
	x->b = expr(p, 5); /* above `in` */
	if (is_op(p, ",")) { /* for a, b in */
		struct py_expr *list = make(p, PX_LIST);

		push(p, list, STR_NULL, 0, NULL, x->b);
		while (take_op(p, ",") && !p->bad && !is_word(p, "in"))
			push(p, list, STR_NULL, 0, NULL, expr(p, 5));
		x->b = list;
	}
	if (p->bad || !take_word(p, "in"))
		return bad(p);
	x->c = expr(p, 1);
	if (!is_op(p, close)) { /* a condition, or a second loop: not looked into */
		int open = 0;

		x->kind = PX_OTHER;
		for (; p->t->kind != PY_END && p->t->kind != PY_NEWLINE && (open || !is_op(p, close)); next(p))
			open += is_op(p, "(") || is_op(p, "[") || is_op(p, "{") ? 1
			        : is_op(p, ")") || is_op(p, "]") || is_op(p, "}") ? -1
			                                                         : 0;
	}
	return ended(p, x);
}

/* [a, b], (a, b), (a), {a, b} after the bracket. */
static struct py_expr *items(struct parser *p, struct py_expr *x, const char *close)
{
	bool comma = false;

	while (!p->bad && !is_op(p, close)) {
		int stars = take_op(p, "**") ? 2 : take_op(p, "*") ? 1 : 0;
		struct py_expr *v = expr(p, 0);

		if (!p->bad && (is_word(p, "for") || is_word(p, "async"))) {
			x = each(p, v, close);
			break;
		}
		push(p, x, STR_NULL, stars, NULL, v);
		if (!take_op(p, ","))
			break;
		comma = true;
	}
	if (p->bad || !take_op(p, close))
		return bad(p);
	if (*close == ')' && x->kind == PX_LIST && x->args.n == 1 && !comma && !x->args.p[0].stars)
		return x->args.p[0].v;
	return ended(p, x);
}

static struct py_expr *braces(struct parser *p)
{
	struct py_expr *x = make(p, PX_DICT);

	next(p);
	while (!p->bad && !is_op(p, "}")) {
		int stars = take_op(p, "**") ? 2 : 0;
		struct py_expr *k = expr(p, 0), *v = NULL;

		if (!p->bad && !stars && take_op(p, ":"))
			v = expr(p, 0);
		if (!p->bad && (is_word(p, "for") || is_word(p, "async"))) {
			x = each(p, k, "}");
			if (x)
				x->kind = PX_OTHER;
			break;
		}
		if (!v && !stars)
			x->kind = PX_LIST;
		push(p, x, STR_NULL, stars, v ? k : NULL, v ? v : k);
		if (!take_op(p, ","))
			break;
	}
	if (p->bad || !take_op(p, "}"))
		return bad(p);
	return ended(p, x);
}

static struct py_expr *lambda(struct parser *p)
{
	struct py_expr *x = make(p, PX_OTHER);
	int open = 0;

	for (; p->t->kind != PY_END && p->t->kind != PY_NEWLINE && (open || !is_op(p, ":")); next(p))
		open += is_op(p, "(") || is_op(p, "[") || is_op(p, "{") ? 1
		        : is_op(p, ")") || is_op(p, "]") || is_op(p, "}") ? -1
		                                                         : 0;
	if (!take_op(p, ":"))
		return bad(p);
	expr(p, 0);
	return ended(p, x);
}

static struct py_expr *atom(struct parser *p)
{
	static const struct {
		const char *word;
		enum pv_kind kind;
		int64_t i;
	} known[] = {{"None", PV_NONE, 0}, {"True", PV_BOOL, 1}, {"False", PV_BOOL, 0}};
	static const char *const keywords[] = {"and", "or", "not", "in", "is", "if", "else", "for", "while", "def",
	                                       "class", "return", "import", "from", "with", "as", "try", "except",
	                                       "raise", "del"};
	struct py_expr *x;

	switch (p->t->kind) {
	case PY_STRING:
		return text(p);
	case PY_NUMBER:
		return digits(p);
	case PY_OP:
		x = make(p, PX_LIST);
		if (is_op(p, "..."))
			x->kind = PX_OTHER;
		if (take_op(p, "..."))
			return x;
		if (is_op(p, "{"))
			return braces(p);
		if (take_op(p, "("))
			return items(p, x, ")");
		return take_op(p, "[") ? items(p, x, "]") : bad(p);
	case PY_NAME:
		break;
	default:
		return bad(p);
	}
	if (is_word(p, "lambda"))
		return lambda(p);
	if (take_word(p, "await") || is_word(p, "yield"))
		return is_word(p, "yield") ? bad(p) : expr(p, 11);
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (is_word(p, keywords[i]))
			return bad(p);
	x = make(p, PX_NAME);
	x->s = p->t->s;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (is_word(p, known[i].word)) {
			x->kind = PX_LITERAL;
			x->value = literal(p, known[i].kind);
			x->value->i = known[i].i;
		}
	next(p);
	return x;
}

static struct py_expr *call(struct parser *p, struct py_expr *of)
{
	struct py_expr *x = make(p, PX_CALL);

	x->a = of;
	x->from = of->from;
	x->line = of->line;
	next(p);
	while (!p->bad && !is_op(p, ")")) {
		int stars = take_op(p, "**") ? 2 : take_op(p, "*") ? 1 : 0;
		struct str name = STR_NULL;
		struct py_expr *v;

		if (p->t->kind == PY_NAME && p->t + 1 < p->end && p->t[1].kind == PY_OP && str_is(p->t[1].s, "=")) {
			name = p->t->s;
			next(p);
			next(p);
		}
		v = expr(p, 0);
		if (!p->bad && (is_word(p, "for") || is_word(p, "async"))) {
			v = each(p, v, ")");
			push(p, x, name, stars, NULL, v);
			break;
		}
		push(p, x, name, stars, NULL, v);
		if (!take_op(p, ","))
			break;
	}
	if (p->bad || !take_op(p, ")"))
		return bad(p);
	return ended(p, x);
}

static struct py_expr *subscript(struct parser *p, struct py_expr *of)
{
	struct py_expr *x = make(p, PX_INDEX);
	bool slice = false;

	x->a = of;
	x->from = of->from;
	x->line = of->line;
	next(p);
	while (!p->bad && !is_op(p, "]")) {
		if (take_op(p, ":") || take_op(p, ",")) {
			slice = true;
			continue;
		}
		x->b = expr(p, 0);
	}
	if (p->bad || !take_op(p, "]"))
		return bad(p);
	if (slice || !x->b)
		x->kind = PX_OTHER;
	return ended(p, x);
}

static struct py_expr *postfix(struct parser *p)
{
	struct py_expr *x = atom(p);

	while (x && !p->bad) {
		if (is_op(p, "(")) {
			x = call(p, x);
		} else if (is_op(p, "[")) {
			x = subscript(p, x);
		} else if (is_op(p, ".") && p->t + 1 < p->end && p->t[1].kind == PY_NAME) {
			struct py_expr *attr = make(p, PX_ATTR);

			next(p);
			attr->a = x;
			attr->from = x->from;
			attr->line = x->line;
			attr->s = p->t->s;
			next(p);
			x = ended(p, attr);
		} else {
			break;
		}
	}
	return x;
}

/* ---- operators ---- */

static const struct {
	const char *op;
	int level;
} binary[] = {{"or", 1},  {"and", 2}, {"in", 4},  {"not", 4}, {"is", 4}, {"==", 4}, {"!=", 4}, {"<", 4},
              {">", 4},   {"<=", 4},  {">=", 4},  {"|", 5},   {"^", 6},  {"&", 7},  {"<<", 8}, {">>", 8},
              {"+", 9},   {"-", 9},   {"*", 10},  {"/", 10},  {"//", 10}, {"%", 10}, {"@", 10}, {"**", 12}};

static int level_of(const struct parser *p)
{
	if (p->t->kind == PY_OP || p->t->kind == PY_NAME)
		for (size_t i = 0; i < ARRAY_LEN(binary); i++)
			if (str_is(p->t->s, binary[i].op))
				return binary[i].level;
	return 0;
}

static struct py_expr *unary(struct parser *p)
{
	struct py_expr *x;

	if (is_word(p, "not") || is_op(p, "-") || is_op(p, "+") || is_op(p, "~")) {
		x = make(p, PX_BINARY); /* with nothing on its left */
		x->s = p->t->s;
		next(p);
		x->b = expr(p, str_is(x->s, "not") ? 3 : 11);
		return ended(p, x);
	}
	return postfix(p);
}

/* Operators of this level and above; 0: also `x if y else z`. */
static struct py_expr *expr(struct parser *p, int level)
{
	struct py_expr *x, *y;
	int now;

	if (p->bad || ++p->depth > PY_MAX_DEPTH)
		return bad(p);
	x = unary(p);
	while (x && !p->bad && (now = level_of(p)) && now >= MAX(level, 1)) {
		y = make(p, PX_BINARY);
		y->s = p->t->s;
		y->from = x->from;
		y->line = x->line;
		next(p);
		if (str_is(y->s, "not") || str_is(y->s, "is")) {
			take_word(p, "in");
			take_word(p, "not");
		}
		y->a = x;
		y->b = expr(p, now + (now != 12));
		x = ended(p, y);
	}
	if (x && !p->bad && !level && take_word(p, "if")) {
		y = make(p, PX_IF);
		y->from = x->from;
		y->a = x;
		y->b = expr(p, 1);
		if (p->bad || !take_word(p, "else"))
			return bad(p);
		y->c = expr(p, 0);
		x = ended(p, y);
	}
	if (x && !p->bad && !level && take_op(p, ":="))
		return bad(p);
	p->depth--;
	return p->bad ? NULL : x;
}

/* a, b as a list. */
static struct py_expr *exprs(struct parser *p)
{
	struct py_expr *first = NULL, *list = NULL;

	for (;;) {
		int stars = take_op(p, "*");
		struct py_expr *x = expr(p, 0);

		if (p->bad)
			return NULL;
		if (!first)
			first = x;
		if (list)
			push(p, list, STR_NULL, stars, NULL, x);
		if (!is_op(p, ","))
			break;
		if (!list) {
			list = make(p, PX_LIST);
			list->line = first->line;
			list->from = first->from;
			push(p, list, STR_NULL, stars, NULL, first);
		}
		next(p);
		if (p->t->kind == PY_NEWLINE || is_op(p, "=") || is_op(p, ":") || is_op(p, ")"))
			break;
	}
	return list ? ended(p, list) : first;
}

/* ---- statements ---- */

static void simple(struct parser *p, struct py_stmt *s)
{
	s->kind = PS_EXPR;
	if (take_word(p, "return")) {
		s->kind = PS_RETURN;
		s->a = p->t->kind == PY_NEWLINE ? NULL : exprs(p);
		return;
	}
	s->a = exprs(p);
	if (!p->bad && take_op(p, ":")) /* an annotation */
		expr(p, 0);
	while (!p->bad && take_op(p, "=")) {
		s->kind = PS_ASSIGN;
		vec_push(p->a, &s->targets, s->a);
		s->a = s->b = exprs(p);
	}
	if (!p->bad && p->t->kind == PY_OP && p->t->s.n > 1 && p->t->s.p[p->t->s.n - 1] == '=') { /* x += y */
		struct py_expr *sum = make(p, PX_BINARY);

		sum->s = str_sub(p->t->s, 0, p->t->s.n - 1);
		next(p);
		sum->a = s->a;
		sum->b = exprs(p);
		s->kind = PS_ASSIGN;
		vec_push(p->a, &s->targets, s->a);
		s->b = sum;
	}
}

static struct str dotted(struct parser *p)
{
	size_t from = p->t->from, to = from;

	while (p->t->kind == PY_NAME || is_op(p, ".") || is_op(p, "...")) {
		if (is_word(p, "import") || is_word(p, "as"))
			break;
		to = p->t->to;
		next(p);
	}
	return str_sub(p->src, from, to - from);
}

static void imported(struct parser *p, struct py_stmt *s, struct str name, struct str is)
{
	struct py_arg arg = {.name = name, .k = make(p, PX_NAME)};

	arg.k->s = is;
	vec_push(p->a, &s->params, arg);
}

/* import a.b, c as d; from a import b as c, (d, e) */
static void import(struct parser *p, struct py_stmt *s)
{
	struct str from = STR_NULL, name, as, head, tail;

	s->kind = PS_IMPORT;
	if (take_word(p, "from")) {
		from = dotted(p);
		if (!take_word(p, "import")) {
			p->bad = true;
			return;
		}
		take_op(p, "(");
	} else {
		next(p);
	}
	s->name = from;
	do {
		if (is_op(p, ")") || is_op(p, "*"))
			break;
		name = as = dotted(p);
		if (!name.n) {
			p->bad = true;
			return;
		}
		if (take_word(p, "as")) {
			as = p->t->s;
			next(p);
		} else if (!from.p && str_cut(name, '.', &head, &tail)) {
			as = name = head;
		}
		imported(p, s, as, from.p ? arena_strf(p->a, "%.*s.%.*s", STR_ARG(from), STR_ARG(name)) : name);
	} while (take_op(p, ","));
	if (!take_op(p, ")"))
		take_op(p, "*");
}

/* def name(a, b=1, *c, **d) -> x: */
static void def(struct parser *p, struct py_stmt *s)
{
	s->kind = PS_DEF;
	next(p);
	s->name = p->t->s;
	next(p);
	if (!take_op(p, "(")) {
		p->bad = true;
		return;
	}
	while (!p->bad && !is_op(p, ")")) {
		struct py_arg arg = {.stars = take_op(p, "**") ? 2 : take_op(p, "*") ? 1 : 0};

		if (take_op(p, "/") || (arg.stars == 1 && is_op(p, ","))) {
			if (!take_op(p, ","))
				break;
			continue;
		}
		if (p->t->kind != PY_NAME) {
			p->bad = true;
			return;
		}
		arg.name = p->t->s;
		next(p);
		if (take_op(p, ":"))
			expr(p, 0);
		if (!p->bad && take_op(p, "="))
			arg.v = expr(p, 0);
		vec_push(p->a, &s->params, arg);
		if (!take_op(p, ","))
			break;
	}
	if (p->bad || !take_op(p, ")")) {
		p->bad = true;
		return;
	}
	if (take_op(p, "->"))
		expr(p, 0);
	block(p, &s->body);
}

/* with a as b, c as d: each further one is a with in its block */
static void with(struct parser *p, struct py_stmt *s)
{
	s->kind = PS_WITH;
	next(p);
	s->a = expr(p, 0);
	if (!p->bad && take_word(p, "as"))
		s->b = expr(p, 0);
	if (!p->bad && is_op(p, ",")) {
		struct py_stmt *inner = arena_new_of(p->a, struct py_stmt);

		inner->line = p->t->line;
		inner->from = p->t->from;
		if (++p->depth > PY_MAX_DEPTH) {
			p->bad = true;
			return;
		}
		with(p, inner);
		p->depth--;
		inner->to = p->t[-1].to;
		vec_push(p->a, &s->body, inner);
		return;
	}
	block(p, &s->body);
}

static void compound(struct parser *p, struct py_stmt *s)
{
	if (is_word(p, "for")) {
		s->kind = PS_FOR;
		next(p);
		s->a = expr(p, 5);
		if (!p->bad && is_op(p, ",")) {
			struct py_expr *list = make(p, PX_LIST);

			push(p, list, STR_NULL, 0, NULL, s->a);
			while (take_op(p, ",") && !p->bad && !is_word(p, "in"))
				push(p, list, STR_NULL, 0, NULL, expr(p, 5));
			s->a = list;
		}
		if (p->bad || !take_word(p, "in")) {
			p->bad = true;
			return;
		}
		s->b = exprs(p);
	} else { /* if, elif */
		s->kind = PS_IF;
		next(p);
		s->a = expr(p, 0);
	}
	block(p, &s->body);
	if (p->bad)
		return;
	if (s->kind == PS_IF && is_word(p, "elif")) {
		struct py_stmt *more = arena_new_of(p->a, struct py_stmt);

		more->line = p->t->line;
		more->from = p->t->from;
		if (++p->depth > PY_MAX_DEPTH) {
			p->bad = true;
			return;
		}
		compound(p, more);
		p->depth--;
		more->to = p->t[-1].to;
		vec_push(p->a, &s->orelse, more);
	} else if (take_word(p, "else")) {
		block(p, &s->orelse);
	}
}

/* try: the block, and finally's; except and else are passed over. */
static void attempt(struct parser *p, struct py_stmt *s)
{
	s->kind = PS_TRY;
	next(p);
	block(p, &s->body);
	while (!p->bad && (is_word(p, "except") || is_word(p, "else") || is_word(p, "finally"))) {
		struct py_block skipped = {0};

		while (p->t->kind != PY_END && p->t->kind != PY_NEWLINE && !is_op(p, ":"))
			next(p);
		block(p, &skipped);
	}
}

/* To the end of the line, and over the block that follows. */
static void skip(struct parser *p)
{
	int open = 0;

	while (p->t->kind != PY_NEWLINE && p->t->kind != PY_END)
		next(p);
	while (p->t->kind == PY_NEWLINE)
		next(p);
	if (p->t->kind != PY_INDENT)
		return;
	do {
		open += p->t->kind == PY_INDENT ? 1 : p->t->kind == PY_DEDENT ? -1 : 0;
		next(p);
	} while (open && p->t->kind != PY_END);
}

static struct py_stmt *statement(struct parser *p)
{
	struct py_stmt *s = arena_new_of(p->a, struct py_stmt);
	struct py_token *begin = p->t;

	s->line = p->t->line;
	s->from = p->t->from;
	p->bad = false;
	while (is_op(p, "@") && !p->bad) {
		next(p);
		struct py_expr *d = expr(p, 0);

		if (d)
			vec_push(p->a, &s->decorators, d);
		while (p->t->kind == PY_NEWLINE)
			next(p);
	}
	take_word(p, "async");
	if (p->bad)
		;
	else if (is_word(p, "def"))
		def(p, s);
	else if (is_word(p, "if") || is_word(p, "for"))
		compound(p, s);
	else if (is_word(p, "with"))
		with(p, s);
	else if (is_word(p, "try"))
		attempt(p, s);
	else if (is_word(p, "import") || is_word(p, "from"))
		import(p, s);
	else if (is_word(p, "class")) { /* what functions may need, and nothing of a DAG */
		s->kind = PS_PASS;
		skip(p);
		s->to = p->t[-1].to;
		return s;
	} else if (take_word(p, "pass") || take_word(p, "break") || take_word(p, "continue"))
		s->kind = PS_PASS;
	else
		simple(p, s);
	if (!p->bad && s->kind != PS_DEF && s->kind != PS_WITH && s->kind != PS_FOR && s->kind != PS_IF &&
	    s->kind != PS_TRY &&
	    p->t->kind != PY_NEWLINE && p->t->kind != PY_END && p->t->kind != PY_DEDENT && !is_op(p, ";"))
		p->bad = true;
	if (p->bad) {
		p->t = begin;
		s->kind = PS_OTHER;
		p->depth = 0;
		s->body.n = s->orelse.n = 0;
		skip(p);
		p->bad = false;
		if (p->t == begin)
			next(p);
	}
	s->to = p->t > begin ? p->t[-1].to : begin->to;
	take_op(p, ";");
	return s;
}

/* ": NEWLINE INDENT ... DEDENT", or ": a; b" */
static void block(struct parser *p, struct py_block *out)
{
	if (p->bad || !take_op(p, ":") || p->depth >= PY_MAX_DEPTH) {
		p->bad = true;
		return;
	}
	p->depth++;
	if (p->t->kind == PY_NEWLINE) {
		while (p->t->kind == PY_NEWLINE)
			next(p);
		if (p->t->kind != PY_INDENT) {
			p->bad = true;
			return;
		}
		next(p);
		while (p->t->kind != PY_DEDENT && p->t->kind != PY_END) {
			int depth = p->depth;

			if (p->t->kind == PY_NEWLINE || p->t->kind == PY_INDENT) {
				next(p);
				continue;
			}
			vec_push(p->a, out, statement(p));
			p->depth = depth;
		}
		if (p->t->kind == PY_DEDENT)
			next(p);
	} else {
		do {
			int depth = p->depth;

			vec_push(p->a, out, statement(p));
			p->depth = depth;
		} while (p->t->kind != PY_NEWLINE && p->t->kind != PY_END && p->t->kind != PY_DEDENT);
	}
	p->depth--;
}

int py_parse(struct arena *a, struct str source, const char *file, struct py_block *out, struct err *e)
{
	struct py_tokens tokens = {0};
	struct parser p = {.a = a, .src = source};

	if (!py_tokens(a, source, &tokens))
		return err_set(e, ERR_LIMIT, "%s is no Python text, or one of more than %d words", file, PY_MAX_TOKENS);
	p.t = tokens.p;
	p.end = tokens.p + tokens.n - 1;
	while (p.t->kind != PY_END) {
		if (p.t->kind == PY_NEWLINE || p.t->kind == PY_INDENT || p.t->kind == PY_DEDENT) {
			next(&p);
			continue;
		}
		p.depth = 0;
		vec_push(a, out, statement(&p));
	}
	return 0;
}

struct py_expr *py_parse_expr(struct arena *a, struct str source, int line)
{
	struct py_tokens tokens = {0};
	struct parser p = {.a = a, .src = source};
	struct py_expr *x;

	if (!py_tokens(a, source, &tokens))
		return NULL;
	for (size_t i = 0; i < tokens.n; i++)
		tokens.p[i].line = line;
	p.t = tokens.p;
	p.end = tokens.p + tokens.n - 1;
	x = expr(&p, 0);
	return p.bad || p.t->kind != PY_NEWLINE ? NULL : x;
}
