#include "api/ops.h"

#include "api/api.h"
#include "base/str.h"

const char *const op_area_titles[AREA_COUNT] = {
	[AREA_WORKSPACE] = "Workspace",
	[AREA_DATA] = "Data",
	[AREA_WORK] = "Work",
	[AREA_LOOK] = "Look",
	[AREA_STAY] = "Stay",
};

/* Rows of defs/ops.def that an expansion does not want come to nothing; each section below undoes the one it wants. */
#define OP(...)
#define POS(...)
#define OPT(...)
#define SHOW(...)
#define EX(...)
#define ALIAS(...)
#define WORDS(...)

#undef OP
enum verb {
#define OP(verb, ...) VERB_##verb,
#include "defs/ops.def"
	VERB_COUNT
};
#undef OP
#define OP(...)

#undef POS
#define POS(verb, name, kind, min, max, text) {VERB_##verb, name, ARG_##kind, min, max, text},
static const struct op_pos positions[] = {
#include "defs/ops.def"
};
#undef POS
#define POS(...)

#undef OPT
#define OPT(verb, name, letter, arg, kind, text) {VERB_##verb, name, letter, arg, ARG_##kind, text},
static const struct op_opt options[] = {
#include "defs/ops.def"
};
#undef OPT
#define OPT(...)

#undef SHOW
#define SHOW(verb, columns) [VERB_##verb] = columns,
static const char *const shows[VERB_COUNT] = {
#include "defs/ops.def"
};
#undef SHOW
#define SHOW(...)

#undef EX
#define EX(verb, line) {VERB_##verb, line},
static const struct op_ex examples[] = {
#include "defs/ops.def"
};
#undef EX
#define EX(...)

#undef ALIAS
#define ALIAS(word, means) {word, means},
static const struct op_alias aliases[] = {
#include "defs/ops.def"
};
#undef ALIAS
#define ALIAS(...)

#undef WORDS
#define WORDS(verb, name, words) {VERB_##verb, name, words},
static const struct {
	int verb;
	const char *name, *words;
} word_lists[] = {
#include "defs/ops.def"
};
#undef WORDS
#define WORDS(...)

#define W OP_W
#define J OP_J
#define R OP_R
#define M OP_M
#define L OP_L
#undef OP
#define OP(verb, area, flags, summary, more)                                                                           \
	[VERB_##verb] = {#verb, AREA_##area, flags, summary, more, NULL, 0, NULL, 0, NULL, 0, NULL, api_##verb},
static struct op table[VERB_COUNT] = {
#include "defs/ops.def"
};
#undef OP
#undef W
#undef J
#undef R
#undef M
#undef L

/* The rows of one verb stand together, so a pointer to the first and a count are enough. */
const struct op *op_table(size_t *n)
{
	static bool ready;

	if (!ready) {
		for (size_t i = 0; i < ARRAY_LEN(positions); i++) {
			struct op *op = &table[positions[i].verb];

			op->pos = op->n_pos++ ? op->pos : &positions[i];
		}
		for (size_t i = 0; i < ARRAY_LEN(options); i++) {
			struct op *op = &table[options[i].verb];

			op->opts = op->n_opts++ ? op->opts : &options[i];
		}
		for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
			struct op *op = &table[examples[i].verb];

			op->examples = op->n_examples++ ? op->examples : &examples[i];
		}
		for (size_t i = 0; i < VERB_COUNT; i++)
			table[i].show = shows[i];
		ready = true;
	}
	*n = VERB_COUNT;
	return table;
}

const char *op_words(const struct op *op, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(word_lists); i++)
		if (&table[word_lists[i].verb] == op && !strcmp(word_lists[i].name, name))
			return word_lists[i].words;
	return NULL;
}

const struct op_alias *op_alias_table(size_t *n)
{
	*n = ARRAY_LEN(aliases);
	return aliases;
}

/* "jobs" for "job", "run" for "runs": plural and singular are one word where only one of them is a verb. */
static const struct op *by_number(struct str word)
{
	size_t n;
	const struct op *ops = op_table(&n);

	for (size_t i = 0; i < n; i++) {
		struct str name = str_of(ops[i].name);

		if (name.n + 1 == word.n && word.p[name.n] == 's' && str_has_prefix(word, name))
			return &ops[i];
		if (word.n + 1 == name.n && name.p[word.n] == 's' && str_has_prefix(name, word))
			return &ops[i];
	}
	return NULL;
}

static const struct op *by_alias(struct str word, const char **fixed)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		struct str verb, rest, means = str_of(aliases[i].means);

		if (!str_is(word, aliases[i].word))
			continue;
		if (str_cut(means, ' ', &verb, &rest))
			*fixed = rest.p;
		else
			verb = means;
		for (size_t k = 0; k < VERB_COUNT; k++)
			if (str_is(verb, table[k].name))
				return &table[k];
		BUG("alias %s means no operation", aliases[i].word);
	}
	return NULL;
}

static void say_unknown(struct str word, const struct op *ops, size_t n, struct err *e)
{
	struct str names[VERB_COUNT + ARRAY_LEN(aliases)];
	int near;

	for (size_t i = 0; i < n; i++)
		names[i] = str_of(ops[i].name);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		names[n + i] = str_of(aliases[i].word);
	err_set(e, ERR_BAD_REQUEST, "there is no command '%.*s'", STR_ARG(word));
	near = str_nearest(word, names, n + ARRAY_LEN(aliases));
	if (near >= 0)
		err_hint(e, "did you mean 'leat %.*s'?", STR_ARG(names[near]));
	else
		err_hint(e, "'leat help' lists the commands");
}

const struct op *op_find(struct str word, const char **fixed, struct err *e)
{
	size_t n, found = 0;
	const struct op *ops = op_table(&n), *prefix = NULL, *op;

	*fixed = NULL;
	for (size_t i = 0; i < n; i++)
		if (str_is(word, ops[i].name))
			return &ops[i];
	op = by_alias(word, fixed);
	if (!op)
		op = by_number(word);
	if (op)
		return op;
	for (size_t i = 0; i < n; i++)
		if (word.n >= 2 && str_has_prefix(str_of(ops[i].name), word)) {
			prefix = &ops[i];
			found++;
		}
	if (found == 1)
		return prefix;
	say_unknown(word, ops, n, e);
	return NULL;
}

const struct op_opt op_on = {-1, "on", 0, "NAME", ARG_BRANCH,
                             "on that workspace branch, not on master (LEAT_ON does the same)"};

const struct op_opt *op_option(const struct op *op, struct str name)
{
	if ((op->flags & OP_W) && str_is(name, op_on.name))
		return &op_on;
	for (size_t i = 0; i < op->n_opts; i++)
		if (str_is(name, op->opts[i].name))
			return &op->opts[i];
	return NULL;
}

const struct op_opt *op_option_letter(const struct op *op, char c)
{
	for (size_t i = 0; i < op->n_opts; i++)
		if (op->opts[i].letter && op->opts[i].letter == c)
			return &op->opts[i];
	return NULL;
}
