/*
 * api/import_py.h: what a Python file says, without running Python: tokens, a syntax tree, and the values that follow
 * from
 * literals, names, plain functions, loops over known lists and calls of constructors. It is for files that describe
 * (DAGs of Airflow), so what it does not know is a value of its own (PV_UNKNOWN) with its place, never a failure.
 *
 * Bounded: tokens, nesting, steps of evaluation, items of a list, length of a text. All in an arena.
 */
#ifndef LEAT_API_IMPORT_PY_H
#define LEAT_API_IMPORT_PY_H

#include "base/arena.h"
#include "base/dom.h"
#include "base/err.h"
#include "base/map.h"

#define PY_MAX_TOKENS 1000000
#define PY_MAX_DEPTH 80     /* of brackets and blocks */
#define PY_MAX_CALLS 40     /* functions within functions */
#define PY_MAX_STEPS 500000 /* expressions and statements evaluated */
#define PY_MAX_ITEMS 10000  /* of a list that is made */
#define PY_MAX_TEXT ((size_t)1 << 20)

/* ---- tokens ---- */

enum py_kind { PY_NAME, PY_NUMBER, PY_STRING, PY_OP, PY_NEWLINE, PY_INDENT, PY_DEDENT, PY_END };
struct py_token {
	enum py_kind kind;
	int line;
	size_t from, to; /* in the source */
	struct str s;    /* name, digits, operator; of a string what stands between its quotes */
	bool raw, format;
};
struct py_tokens {
	struct py_token *p;
	size_t n, cap;
};
/* Gives tokens of any text; false: there are more than PY_MAX_TOKENS, or it is no text. The last one is PY_END. */
must_check bool py_tokens(struct arena *a, struct str source, struct py_tokens *out);
struct str py_unescape(struct arena *a, const struct py_token *t);

/* ---- the tree ---- */

enum py_expr_kind {
	PX_LITERAL, /* .value */
	PX_FORMAT,  /* an f"" text: .s */
	PX_NAME,
	PX_ATTR,    /* .a . .s */
	PX_CALL,    /* .a ( .args ) */
	PX_INDEX,   /* .a [ .b ] */
	PX_LIST,    /* also tuples and sets */
	PX_DICT,    /* .args: key in .k; NULL: **v */
	PX_BINARY,  /* .a .s .b */
	PX_EACH,    /* [ .a for .b in .c ] */
	PX_IF,      /* .a if .b else .c */
	PX_OTHER,   /* well formed, and not looked into */
};
struct py_arg {
	struct str name; /* STR_NULL: by place */
	int stars;
	struct py_expr *k, *v;
};
struct py_expr {
	enum py_expr_kind kind;
	int line;
	size_t from, to;
	struct str s;
	struct py_expr *a, *b, *c;
	VEC(struct py_arg) args;
	struct pv *value;
};

enum py_stmt_kind { PS_EXPR, PS_ASSIGN, PS_FOR, PS_DEF, PS_RETURN, PS_WITH, PS_IF, PS_TRY, PS_IMPORT, PS_PASS,
                   PS_OTHER };
struct py_block {
	struct py_stmt **p;
	size_t n, cap;
};
struct py_stmt {
	enum py_stmt_kind kind;
	int line;
	size_t from, to;       /* with its block and decorators */
	struct str name;       /* of a def; of an import all that it says */
	struct py_expr *a, *b; /* assign: a = b; for a in b; if a; with a as b; an expression or what is returned: a */
	VEC(struct py_arg) params; /* of a def: name, default; of import: name, and what it stands for in .k->s */
	VEC(struct py_expr *) decorators, targets;
	struct py_block body, orelse;
};
/* Reads a whole file; what cannot be parsed is a PS_OTHER. */
must_check int py_parse(struct arena *a, struct str source, const char *file, struct py_block *out, struct err *e);
/* One expression, of the braces of an f""; NULL: it is none. */
struct py_expr *py_parse_expr(struct arena *a, struct str source, int line);

/* ---- values ---- */

enum pv_kind { PV_NONE, PV_BOOL, PV_INT, PV_FLOAT, PV_STR, PV_LIST, PV_DICT, PV_DELTA, PV_DATE, PV_DEF, PV_OBJECT,
               PV_NAME /* something imported, or unknown: .s is its dotted name */, PV_UNKNOWN };
struct pv {
	enum pv_kind kind;
	int line;
	int64_t i;       /* bool, int; seconds of a delta */
	double d;
	struct str s;    /* text, dotted name; a date: 2017-11-29T00:00; unknown: its source */
	struct str zone; /* of a date */
	VEC(struct pv *) items; /* list; dict: values */
	VEC(struct pv *) keys;
	const struct py_stmt *def;
	struct py_object *object;
};
struct py_object {
	struct str class;    /* the last part of its constructor's name; "@task": a call of a decorated function */
	int line;
	struct pv *args, *kwargs; /* a list, a dict */
	struct py_object *dag, *group; /* in whose block it was made */
	const struct py_stmt *def;     /* of @task */
	void *own;
};
struct py_edge {
	struct py_object *from, *to;
	int line;
};
struct py_world {
	struct arena *a;
	struct str source;
	VEC(struct py_object *) objects; /* in the order in which they were made */
	VEC(struct py_edge) edges;       /* >>, <<, set_upstream, chain... */
	struct map globals;
	struct py_object *dag, *group;   /* of the blocks at work */
	size_t steps;
	int calls;
	void (*note)(void *ptr, int line, const char *text); /* what was not understood */
	void *ptr;
};
void py_run(struct py_world *w, const struct py_block *b);
/* In a dict, by text; NULL. */
struct pv *pv_get(const struct pv *dict, const char *key);
/* As a document; NULL: something in it is not known. */
struct dom *pv_dom(struct arena *a, const struct pv *v);
struct str pv_text(struct arena *a, const struct pv *v); /* as str() would, of scalars; STR_NULL */
bool pv_true(const struct pv *v);

#endif
