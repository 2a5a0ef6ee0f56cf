/*
 * api/import_py_in.h: what the files of the evaluation of Python share: values and statements (import_py_eval.c), calls
 * (import_py_call.c).
 */
#ifndef LEAT_API_IMPORT_PY_IN_H
#define LEAT_API_IMPORT_PY_IN_H

#include "api/import_py.h"

struct py_scope {
	struct map names;
	struct py_scope *outer;
	struct pv *returned;
	bool ended;
};
struct py_run {
	struct py_world *w;
	struct arena *a;
	struct py_scope *scope;
	int depth;
};

struct pv *py_value(struct py_run *r, enum pv_kind kind, int line);
struct pv *py_string(struct py_run *r, struct str s, int line);
struct pv *py_unknown(struct py_run *r, const struct py_expr *x);
void py_note(struct py_run *r, int line, const char *fmt, struct str s); /* fmt has one %.*s */
void py_put(struct py_run *r, struct pv *dict, struct pv *key, struct pv *value);
void py_bind(struct py_run *r, const struct py_expr *to, struct pv *v);
void py_edge(struct py_run *r, struct pv *from, struct pv *to, int line, int depth);
struct pv *py_eval(struct py_run *r, const struct py_expr *x);
void py_exec(struct py_run *r, const struct py_block *b);

struct pv *py_call(struct py_run *r, const struct py_expr *x);
/* What an f"" gives; c: the arguments of "{}".format(). */
struct py_callee;
struct pv *py_filled(struct py_run *r, struct str s, const struct py_callee *c, const struct py_expr *at);
struct pv *py_percent(struct py_run *r, struct str s, struct pv *with, const struct py_expr *at);

#endif
