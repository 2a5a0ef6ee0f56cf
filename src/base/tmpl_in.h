/*
 * base/tmpl_in.h: the parts of the template language among themselves: tmpl_parse.c makes the tree, tmpl_expr.c and
 * tmpl_fn.c give values, tmpl.c writes text. For nobody else.
 */
#ifndef LEAT_BASE_TMPL_IN_H
#define LEAT_BASE_TMPL_IN_H

#include "base/ds.h"
#include "base/tmpl.h"

#define TMPL_MAX_EXPR 200                    /* depth of an expression's tree */
#define TMPL_MAX_MADE ((size_t)256 << 20)    /* bytes of all texts made on the way */

enum tx_op {
	TX_CONST, TX_NAME, TX_DOT, TX_INDEX, TX_CALL, TX_FILTER, TX_LIST, TX_NOT, TX_NEG, TX_AND, TX_OR,
	TX_EQ, TX_NE, TX_LT, TX_LE, TX_GT, TX_GE, TX_IN, TX_NOT_IN, TX_ADD, TX_SUB, TX_MUL, TX_DIV, TX_JOIN,
};

/* An expression. The operand of DOT, INDEX and FILTER is the first of its arguments. */
struct tx {
	enum tx_op op;
	size_t at;          /* in the source */
	int depth;
	struct str name;    /* of NAME, DOT, CALL, FILTER */
	struct dom *value;  /* of CONST */
	struct tx *args, *last, *next;
	size_t n;
};

enum tn_kind { TN_TEXT, TN_OUT, TN_FOR, TN_IF };

/* A piece of the template. */
struct tn {
	enum tn_kind kind;
	size_t at;
	struct str text;             /* TEXT */
	struct tx *expr;             /* OUT, FOR, IF */
	struct str var;              /* FOR */
	struct tn *body, *otherwise; /* FOR, IF */
	bool elif_follows; /* .otherwise is one IF, the elif; they may be very many, so nobody recurses along them */
	struct tn *next;
};

must_check int tmpl_parse(struct arena *a, struct str source, const char *file, struct tn **out, struct err *e);

/* A value on its way: `ds` says that it is a label, or a list of them, which SQL wants quoted. */
struct tval {
	const struct dom *v;
	bool ds;
	bool safe; /* HTML already */
	bool sql;  /* a literal or a name of SQL already */
};

struct tscope {
	struct tscope *up;
	struct str name;
	struct tval value;
	struct dom *loop; /* index, index0, first, last, length */
};

struct teval {
	struct arena *a;
	struct str source;
	const char *file;
	const struct tmpl_env *env;
	struct tscope *scope;
	size_t steps, made;
	bool missing; /* the failure was a name that does not exist: `default` forgives it */
	struct err *e;
};

/* Fails at a place of the source. */
int tmpl_bad(struct teval *t, size_t at, const char *fmt, ...) printf_like(3, 4);
must_check int tmpl_step(struct teval *t, size_t at, size_t n);
/* Counts a text that is about to be made. */
must_check int tmpl_make(struct teval *t, size_t at, size_t n);

must_check int tmpl_eval(struct teval *t, const struct tx *x, struct tval *out);
bool tmpl_truth(const struct dom *v);

struct tfn {
	const char *name;
	size_t least, most; /* arguments; a filter's operand is the first */
	int (*call)(struct teval *t, size_t at, const struct tval *args, size_t n, struct tval *out);
};
/* NULL if there is none: then the error is filled, with the nearest name. */
const struct tfn *tmpl_function(struct teval *t, const struct tx *x);
const struct tfn *tmpl_filter(struct teval *t, const struct tx *x);

/* A value as a literal; a list as (1, 2). */
must_check int tmpl_sql(struct teval *t, size_t at, struct buf *b, const struct dom *v);
void tmpl_html(struct buf *b, struct str s);

#endif
