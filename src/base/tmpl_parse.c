#include <stdio.h>

#include "base/str.h"
#include "base/tmpl_in.h"

struct parse {
	struct arena *a;
	struct str s;
	size_t p;
	const char *file;
	struct err *e;
	int depth;      /* of tags and brackets */
	bool trim_next; /* the tag just read ended in -}} or -%} */
};

static int bad(struct parse *ps, size_t at, const char *fmt, ...) printf_like(3, 4);
static int bad(struct parse *ps, size_t at, const char *fmt, ...)
{
	va_list ap;
	int line, col;

	va_start(ap, fmt);
	err_vset(ps->e, ERR_BAD_CONFIG, fmt, ap);
	va_end(ap);
	text_line_col(ps->s, at, &line, &col);
	return err_at(ps->e, ps->file, line, col);
}

/* ---- tokens ---- */

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct parse *ps, size_t ahead)
{
	return ps->p + ahead < ps->s.n ? ps->s.p[ps->p + ahead] : '\0';
}

static bool is_here(const struct parse *ps, const char *what)
{
	return str_has_prefix(str_sub(ps->s, ps->p, 16), str_of(what));
}

static void skip_blanks(struct parse *ps)
{
	while (ps->p < ps->s.n && strchr(" \t\r\n", ps->s.p[ps->p]) && ps->s.p[ps->p])
		ps->p++;
}

static bool accept(struct parse *ps, const char *sign)
{
	skip_blanks(ps);
	if (!is_here(ps, sign))
		return false;
	ps->p += strlen(sign);
	return true;
}

/* The word that stands here; empty if none does. */
static struct str word_here(struct parse *ps)
{
	size_t n = 0;

	skip_blanks(ps);
	if (is_name_start(peek(ps, 0)))
		while (is_name_start(peek(ps, n)) || is_digit(peek(ps, n)))
			n++;
	return str_sub(ps->s, ps->p, n);
}

static bool accept_word(struct parse *ps, const char *word)
{
	struct str w = word_here(ps);

	if (!str_is(w, word))
		return false;
	ps->p += w.n;
	return true;
}

static int unexpected(struct parse *ps, const char *wanted)
{
	struct str w = word_here(ps);
	size_t n = w.n;
	uint32_t cp;

	if (ps->p >= ps->s.n)
		return bad(ps, ps->p, "the template ends where %s should stand", wanted);
	if (!n)
		n = MAX(str_utf8_get(str_sub(ps->s, ps->p, 4), &cp), (size_t)1);
	return bad(ps, ps->p, "\"%s\" stands where %s should stand", STR_SHOWN(str_sub(ps->s, ps->p, n)), wanted);
}

/* ---- expressions, loosest first ---- */

static int expr(struct parse *ps, struct tx **out);

static struct tx *make(struct parse *ps, enum tx_op op, size_t at)
{
	struct tx *x = arena_new_of(ps->a, struct tx);

	x->op = op;
	x->at = at;
	x->depth = 1;
	return x;
}

static int adopt(struct parse *ps, struct tx *x, struct tx *arg)
{
	arg->next = NULL;
	if (x->last)
		x->last->next = arg;
	else
		x->args = arg;
	x->last = arg;
	x->n++;
	x->depth = MAX(x->depth, arg->depth + 1);
	if (x->depth <= TMPL_MAX_EXPR)
		return 0;
	bad(ps, x->at, "the expression is nested deeper than %d levels", TMPL_MAX_EXPR);
	ps->e->code = ERR_LIMIT;
	return -1;
}

static int deeper(struct parse *ps)
{
	if (++ps->depth <= TMPL_MAX_DEPTH)
		return 0;
	bad(ps, ps->p, "the template is nested deeper than %d levels", TMPL_MAX_DEPTH);
	ps->e->code = ERR_LIMIT;
	return -1;
}

/* Up to `close`, parted by commas. */
static int arguments(struct parse *ps, struct tx *x, const char *close)
{
	struct tx *arg;

	if (deeper(ps))
		return -1;
	while (!accept(ps, close)) {
		if (x->last && x->n > (x->op == TX_FILTER) && !accept(ps, ","))
			return unexpected(ps, close[0] == ')' ? "\",\" or \")\"" : "\",\" or \"]\"");
		if (expr(ps, &arg) || adopt(ps, x, arg))
			return -1;
	}
	ps->depth--;
	return 0;
}

static int text(struct parse *ps, struct tx **out)
{
	size_t at = ps->p;
	char quote = ps->s.p[ps->p++];
	struct buf b = BUF_INIT(ps->s.n);

	for (;; ps->p++) {
		char c = peek(ps, 0), next = peek(ps, 1);

		if (ps->p >= ps->s.n || c == '\n') {
			buf_free(&b);
			return bad(ps, at, "a closing %c is missing", quote);
		}
		if (c == quote)
			break;
		if (c == '\\' && (next == quote || next == '\\' || next == 'n' || next == 't')) {
			c = next == 'n' ? '\n' : next == 't' ? '\t' : next;
			ps->p++;
		}
		buf_addc(&b, c);
	}
	ps->p++;
	*out = make(ps, TX_CONST, at);
	(*out)->value = dom_new_str(ps->a, buf_str(&b));
	buf_free(&b);
	return 0;
}

static int number(struct parse *ps, struct tx **out)
{
	size_t at = ps->p, n = 0;
	struct dom *v = dom_new(ps->a, DOM_INT);
	struct str s;

	while (is_digit(peek(ps, n)))
		n++;
	if (peek(ps, n) == '.' && is_digit(peek(ps, n + 1)))
		for (n++; is_digit(peek(ps, n));)
			n++;
	s = arena_str(ps->a, str_sub(ps->s, at, n));
	v->raw = s;
	if (!str_to_i64(s, &v->i)) {
		v->type = DOM_REAL;
		if (!str_to_f64(s, &v->d))
			return bad(ps, at, "the number is too large");
	}
	ps->p += n;
	if (is_name_start(peek(ps, 0)))
		return unexpected(ps, "the end of the number");
	*out = make(ps, TX_CONST, at);
	(*out)->value = v;
	return 0;
}

static int name(struct parse *ps, struct str w, struct tx **out)
{
	static const char *const consts[] = {"true", "True", "false", "False", "none", "None", "null"};
	static const char *const keywords[] = {"and", "or", "not", "in", "if", "else", "elif", "for", "endfor",
	        "endif"};

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (str_is(w, keywords[i]))
			return unexpected(ps, "a value");
	*out = make(ps, TX_NAME, ps->p);
	(*out)->name = arena_str(ps->a, w);
	ps->p += w.n;
	for (size_t i = 0; i < ARRAY_LEN(consts); i++)
		if (str_is(w, consts[i])) {
			(*out)->op = TX_CONST;
			(*out)->value = i < 4 ? dom_new_bool(ps->a, i < 2) : dom_new(ps->a, DOM_NULL);
			return 0;
		}
	if (!accept(ps, "("))
		return 0;
	(*out)->op = TX_CALL;
	return arguments(ps, *out, ")");
}

static int primary(struct parse *ps, struct tx **out)
{
	struct str w = word_here(ps); /* skips blanks */
	char c = peek(ps, 0);

	if (w.n)
		return name(ps, w, out);
	if (is_digit(c))
		return number(ps, out);
	if (c == '\'' || c == '"')
		return text(ps, out);
	if (accept(ps, "[")) {
		*out = make(ps, TX_LIST, ps->p - 1);
		return arguments(ps, *out, "]");
	}
	if (!accept(ps, "("))
		return unexpected(ps, "a value");
	if (deeper(ps) || expr(ps, out))
		return -1;
	ps->depth--;
	return accept(ps, ")") ? 0 : unexpected(ps, "\")\"");
}

/* x.name  x[i]  x | filter(args) */
static int postfix(struct parse *ps, struct tx **out)
{
	struct tx *x, *of, *index;
	struct str w;

	if (primary(ps, &x))
		return -1;
	for (;; x = of) {
		if (accept(ps, ".") || accept(ps, "|")) {
			bool dot = ps->s.p[ps->p - 1] == '.';

			w = word_here(ps);
			if (!w.n)
				return unexpected(ps, dot ? "a name after the dot" : "the name of a filter");
			of = make(ps, dot ? TX_DOT : TX_FILTER, ps->p);
			of->name = arena_str(ps->a, w);
			ps->p += w.n;
			if (adopt(ps, of, x) || (!dot && accept(ps, "(") && arguments(ps, of, ")")))
				return -1;
		} else if (accept(ps, "[")) {
			of = make(ps, TX_INDEX, ps->p);
			if (adopt(ps, of, x) || deeper(ps) || expr(ps, &index) || adopt(ps, of, index))
				return -1;
			ps->depth--;
			if (!accept(ps, "]"))
				return unexpected(ps, "\"]\"");
		} else {
			*out = x;
			return 0;
		}
	}
}

static bool tag_ends(struct parse *ps)
{
	skip_blanks(ps);
	return is_here(ps, "-}}") || is_here(ps, "-%}") || is_here(ps, "}}") || is_here(ps, "%}");
}

static int unary(struct parse *ps, struct tx **out)
{
	struct tx *x, *of;

	skip_blanks(ps);
	if (tag_ends(ps) || !accept(ps, "-"))
		return postfix(ps, out);
	x = make(ps, TX_NEG, ps->p - 1);
	if (deeper(ps) || unary(ps, &of) || adopt(ps, x, of))
		return -1;
	ps->depth--;
	*out = x;
	return 0;
}

struct binary {
	const char *sign;
	enum tx_op op;
};

static const struct binary *binary_here(struct parse *ps, const struct binary *ops)
{
	if (tag_ends(ps))
		return NULL;
	for (; ops->sign; ops++)
		if (accept(ps, ops->sign))
			return ops;
	return NULL;
}

static int chain(struct parse *ps, const struct binary *ops, int (*tighter)(struct parse *, struct tx **),
        struct tx **out)
{
	const struct binary *op;
	struct tx *x, *left, *right;

	if (tighter(ps, &left))
		return -1;
	while ((op = binary_here(ps, ops))) {
		x = make(ps, op->op, ps->p - strlen(op->sign));
		if (tighter(ps, &right) || adopt(ps, x, left) || adopt(ps, x, right))
			return -1;
		left = x;
	}
	*out = left;
	return 0;
}

static int product(struct parse *ps, struct tx **out)
{
	static const struct binary ops[] = {{"*", TX_MUL}, {"/", TX_DIV}, {NULL, 0}};

	return chain(ps, ops, unary, out);
}

static int sum(struct parse *ps, struct tx **out)
{
	static const struct binary ops[] = {{"+", TX_ADD}, {"-", TX_SUB}, {NULL, 0}};

	return chain(ps, ops, product, out);
}

static int joined(struct parse *ps, struct tx **out)
{
	static const struct binary ops[] = {{"~", TX_JOIN}, {NULL, 0}};

	return chain(ps, ops, sum, out);
}

static int comparison(struct parse *ps, struct tx **out)
{
	static const struct binary ops[] = {{"==", TX_EQ}, {"!=", TX_NE}, {"<=", TX_LE}, {">=", TX_GE},
	                                    {"<", TX_LT},  {">", TX_GT},  {NULL, 0}};
	const struct binary *op;
	struct tx *x, *left, *right;
	size_t at;

	if (joined(ps, &left))
		return -1;
	op = binary_here(ps, ops);
	at = ps->p;
	x = make(ps, op ? op->op : TX_IN, at);
	if (!op && accept_word(ps, "not")) {
		if (!accept_word(ps, "in"))
			return unexpected(ps, "\"in\"");
		x->op = TX_NOT_IN;
	} else if (!op && !accept_word(ps, "in")) {
		if (is_here(ps, "=") && !is_here(ps, "=="))
			return bad(ps, ps->p, "\"=\" compares nothing here: write \"==\"");
		*out = left;
		return 0;
	}
	*out = x;
	return joined(ps, &right) || adopt(ps, x, left) || adopt(ps, x, right) ? -1 : 0;
}

static int negation(struct parse *ps, struct tx **out)
{
	struct tx *x, *of;

	if (!accept_word(ps, "not"))
		return comparison(ps, out);
	x = make(ps, TX_NOT, ps->p);
	if (deeper(ps) || negation(ps, &of) || adopt(ps, x, of))
		return -1;
	ps->depth--;
	*out = x;
	return 0;
}

static int logic(struct parse *ps, const char *word, enum tx_op op, int (*tighter)(struct parse *, struct tx **),
        struct tx **out)
{
	struct tx *x, *left, *right;

	if (tighter(ps, &left))
		return -1;
	while (accept_word(ps, word)) {
		x = make(ps, op, ps->p);
		if (tighter(ps, &right) || adopt(ps, x, left) || adopt(ps, x, right))
			return -1;
		left = x;
	}
	*out = left;
	return 0;
}

static int conjunction(struct parse *ps, struct tx **out)
{
	return logic(ps, "and", TX_AND, negation, out);
}

static int expr(struct parse *ps, struct tx **out)
{
	return logic(ps, "or", TX_OR, conjunction, out);
}

/* ---- tags ---- */

static int close_tag(struct parse *ps, const char *close)
{
	char wanted[16];

	skip_blanks(ps);
	ps->trim_next = peek(ps, 0) == '-' && str_has_prefix(str_sub(ps->s, ps->p + 1, 2), str_of(close));
	ps->p += ps->trim_next;
	if (accept(ps, close))
		return 0;
	snprintf(wanted, sizeof(wanted), "\"%s\"", close);
	return unexpected(ps, wanted);
}

/* What ended a run of pieces: the word of a {% %} that is no beginning, or nothing at the end of the template. */
struct stop {
	struct str word;
	size_t at;
};

static int pieces(struct parse *ps, struct tn **out, struct stop *stop);

static int end_of_block(struct parse *ps, const struct stop *stop, const char *want, size_t opened)
{
	int line, col;

	if (str_is(stop->word, want))
		return close_tag(ps, "%}");
	text_line_col(ps->s, opened, &line, &col);
	if (!stop->word.n)
		return bad(ps, opened, "{%% %s %%} is missing for the tag that begins here", want);
	return bad(ps, stop->at, "{%% %s %%} stands where {%% %s %%} should, for the tag in line %d",
	        STR_SHOWN(stop->word), want, line);
}

static int for_tag(struct parse *ps, struct tn *n)
{
	struct stop stop;
	struct str w = word_here(ps);

	if (!w.n)
		return unexpected(ps, "the name of a loop variable");
	n->kind = TN_FOR;
	n->var = arena_str(ps->a, w);
	ps->p += w.n;
	if (!accept_word(ps, "in"))
		return unexpected(ps, "\"in\"");
	if (expr(ps, &n->expr) || close_tag(ps, "%}") || pieces(ps, &n->body, &stop))
		return -1;
	return end_of_block(ps, &stop, "endfor", n->at);
}

static int if_tag(struct parse *ps, struct tn *n)
{
	struct stop stop;

	for (size_t opened = n->at;;) {
		struct tn *other;

		n->kind = TN_IF;
		if (expr(ps, &n->expr) || close_tag(ps, "%}") || pieces(ps, &n->body, &stop))
			return -1;
		if (!str_is(stop.word, "elif")) {
			if (str_is(stop.word, "else") && (close_tag(ps, "%}") || pieces(ps, &n->otherwise, &stop)))
				return -1;
			return end_of_block(ps, &stop, "endif", opened);
		}
		other = arena_new_of(ps->a, struct tn);
		other->at = stop.at;
		n->otherwise = other;
		n->elif_follows = true;
		n = other;
	}
}

/* Behind "{%". A word that ends or parts a block stops the run of pieces; the block looks at it. */
static int block_tag(struct parse *ps, struct tn *n, struct stop *stop)
{
	static const char *const stops[] = {"endfor", "endif", "else", "elif"};
	struct str w = word_here(ps),
	        words[] = {STR("for"), STR("if"), STR("endfor"), STR("endif"), STR("else"), STR("elif")};
	size_t at = ps->p;
	int near, rc;

	ps->p += w.n;
	for (size_t i = 0; i < ARRAY_LEN(stops); i++)
		if (str_is(w, stops[i])) {
			*stop = (struct stop){w, n->at};
			return 0;
		}
	if (!str_is(w, "for") && !str_is(w, "if")) {
		ps->p = at;
		if (!w.n)
			return unexpected(ps, "for or if");
		bad(ps, at, "there is no tag {%% %s %%}", STR_SHOWN(w));
		near = str_nearest(w, words, ARRAY_LEN(words));
		return near >= 0 ? err_hint(ps->e, "did you mean %s?", words[near].p)
		                 : err_hint(ps->e, "there are for, if, elif, else, endif and endfor");
	}
	if (deeper(ps))
		return -1;
	rc = str_is(w, "for") ? for_tag(ps, n) : if_tag(ps, n);
	ps->depth--;
	return rc;
}

static int comment(struct parse *ps, size_t at)
{
	const char *end = memmem(ps->s.p + ps->p, ps->s.n - ps->p, "#}", 2);

	if (!end)
		return bad(ps, at, "a closing #} is missing for the comment that begins here");
	ps->p = (size_t)(end - ps->s.p) + 2;
	ps->trim_next = end[-1] == '-' && ps->p >= at + 5;
	return 0;
}

/* The text up to the next tag, trimmed where the tags on either side say so; NULL for none. */
static struct tn *literal(struct parse *ps)
{
	size_t from = ps->p, to;
	struct tn *n;

	if (ps->trim_next)
		skip_blanks(ps);
	from = ps->trim_next ? ps->p : from;
	ps->trim_next = false;
	for (to = from; to < ps->s.n; to++)
		if (ps->s.p[to] == '{' && to + 1 < ps->s.n && strchr("{%#", ps->s.p[to + 1]) && ps->s.p[to + 1])
			break;
	ps->p = to;
	if (to + 2 < ps->s.n && ps->s.p[to + 2] == '-')
		while (to > from && strchr(" \t\r\n", ps->s.p[to - 1]) && ps->s.p[to - 1])
			to--;
	if (to == from)
		return NULL;
	n = arena_new_of(ps->a, struct tn);
	n->kind = TN_TEXT;
	n->at = from;
	n->text = str_sub(ps->s, from, to - from);
	return n;
}

static int pieces(struct parse *ps, struct tn **out, struct stop *stop)
{
	struct tn **tail = out, *n;

	*stop = (struct stop){{"", 0}, ps->s.n};
	*out = NULL;
	while (ps->p < ps->s.n) {
		char kind;

		n = literal(ps);
		if (n) {
			*tail = n;
			tail = &n->next;
		}
		if (ps->p >= ps->s.n)
			break;
		n = arena_new_of(ps->a, struct tn);
		n->at = ps->p;
		kind = ps->s.p[ps->p + 1];
		ps->p += 2 + (peek(ps, 2) == '-');
		if (kind == '#') {
			if (comment(ps, n->at))
				return -1;
			continue;
		}
		n->kind = TN_OUT;
		if (kind == '{' ? expr(ps, &n->expr) || close_tag(ps, "}}") : block_tag(ps, n, stop))
			return -1;
		if (stop->word.n)
			return 0;
		*tail = n;
		tail = &n->next;
	}
	return 0;
}

int tmpl_parse(struct arena *a, struct str source, const char *file, struct tn **out, struct err *e)
{
	struct parse ps = {.a = a, .s = source, .file = file, .e = e};
	struct tn *all;
	struct stop stop;

	if (pieces(&ps, &all, &stop))
		return -1;
	if (stop.word.n)
		return bad(&ps, stop.at, "{%% %s %%} stands here without a beginning", STR_SHOWN(stop.word));
	*out = all;
	return 0;
}
