/*
 * api/ops.h: the table of operations (defs/ops.def) as data, and a request to one of them.
 *
 * The CLI, and later the HTTP server, turn what they got into struct args; the operation reads it by the names of the
 * table. Asking for an option that the operation does not have is a BUG.
 */
#ifndef LEAT_API_OPS_H
#define LEAT_API_OPS_H

#include "base/arena.h"
#include "base/err.h"

enum op_flag { OP_W = 1, OP_J = 2, OP_R = 4, OP_M = 8, OP_X = 16, OP_L = 32 };

enum op_area { AREA_WORKSPACE, AREA_DATA, AREA_WORK, AREA_LOOK, AREA_STAY, AREA_COUNT };
extern const char *const op_area_titles[AREA_COUNT];

enum arg_kind {
	ARG_NONE,
	ARG_TEXT,
	ARG_FILE,
	ARG_DIR,
	ARG_PIN,
	ARG_REPO,
	ARG_JOB,
	ARG_DS,
	ARG_TEMPLATE,
	ARG_SETTING,
	ARG_COMMAND,
	ARG_WORDS, /* one of a few: op_words */
	ARG_BRANCH /* a workspace branch */
};

struct op_pos {
	int verb;        /* whose it is: index into the table */
	const char *name;
	enum arg_kind kind;
	int min, max; /* max 0 = any number */
	const char *text;
};

struct op_opt {
	int verb;
	const char *name;
	char letter;     /* 0 = none */
	const char *arg; /* "" = a switch */
	enum arg_kind kind;
	const char *text;
};

struct op_ex {
	int verb;
	const char *line;
};

struct api;
struct args;
struct sink;
typedef int op_fn(struct api *api, const struct args *args, struct sink *out, struct err *e);

struct op {
	const char *name;
	enum op_area area;
	unsigned flags;
	const char *summary, *more;
	const struct op_pos *pos;
	size_t n_pos;
	const struct op_opt *opts;
	size_t n_opts;
	const struct op_ex *examples;
	size_t n_examples;
	const char *show; /* columns for people; NULL = none */
	op_fn *fn;
};

/* --on NAME, which every operation on a workspace has beside the options of its own. */
extern const struct op_opt op_on;

/* The table, in the order of defs/ops.def. */
const struct op *op_table(size_t *n);
/* The words that an option or a positional of this name takes, parted by blanks; NULL: others too. */
const char *op_words(const struct op *op, const char *name);

struct op_alias {
	const char *word, *means;
};
const struct op_alias *op_alias_table(size_t *n);

/* An operation by name, unambiguous prefix, plural or alias: NULL and a "did you mean" otherwise. *fixed: words an
 * alias adds, else NULL. */
const struct op *op_find(struct str word, const char **fixed, struct err *e);
const struct op_opt *op_option(const struct op *op, struct str name);
const struct op_opt *op_option_letter(const struct op *op, char c);

/* A request. Values are in the order given. */
struct arg_value {
	const struct op_opt *opt; /* NULL: positional */
	struct str value;
};
struct args {
	const struct op *op;
	struct arena *arena;
	VEC(struct arg_value) values;
	const char *command; /* as the user typed it, for rows and events */
};

bool args_flag(const struct args *a, const char *opt);
struct str args_value(const struct args *a, const char *opt); /* the last one; STR_NULL if absent */
size_t args_count(const struct args *a, const char *opt);
struct str args_nth(const struct args *a, const char *opt, size_t i);
size_t args_n(const struct args *a); /* positionals */
struct str args_pos(const struct args *a, size_t i); /* STR_NULL if absent */
must_check int args_int(const struct args *a, const char *opt, int64_t min, int64_t max, int64_t fallback, int64_t *out,
                        struct err *e);

/* Parses words after the verb. Refuses unknown options (with the nearest), missing values, too few or many words. */
must_check int args_parse(const struct op *op, struct arena *a, int argc, const char *const *argv, struct args *out,
                          struct err *e);

#endif
