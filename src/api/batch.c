#include <errno.h>
#include <unistd.h>

#include "api/change.h"
#include "api/data.h"
#include "base/str.h"
#include "sys/file.h"

#define BATCH_MAX_LINES 100000

/* What may stand in a batch: what a step of a change can be made of. */
static const struct {
	const char *verb;
	change_fn *ready;
} verbs[] = {
	{"put", put_ready}, {"rm", rm_ready}, {"cp", cp_ready}, {"branch", branch_ready}, {"tag", tag_ready},
};

struct words {
	VEC(const char *) v;
};

/* One word of a line, as a shell would take it: blanks part, '…' and "…" hold, \ quotes, # begins a comment. */
static int next_word(struct arena *a, struct str *rest, const char **out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	char quote = 0;
	size_t i = 0;

	while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t'))
		i++;
	if (i == rest->n || rest->p[i] == '#') {
		*rest = STR_NULL;
		*out = NULL;
		return 0;
	}
	for (; i < rest->n; i++) {
		char c = rest->p[i];
		if (!quote && (c == ' ' || c == '\t'))
			break;
		if (c == '\\' && quote != '\'' && i + 1 < rest->n) {
			buf_addc(&b, rest->p[++i]);
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (!c) {
			return err_set(e, ERR_BAD_REQUEST, "a NUL byte is no part of a command");
		} else {
			buf_addc(&b, c);
		}
	}
	if (quote)
		return err_set(e, ERR_BAD_REQUEST, "the quote %c is not closed on this line", quote);
	*rest = str_sub(*rest, i, SIZE_MAX);
	*out = arena_cstr(a, buf_str(&b));
	return 0;
}

static int split(struct arena *a, struct str line, struct words *out, struct err *e)
{
	const char *word = NULL;

	for (;;) {
		if (next_word(a, &line, &word, e))
			return -1;
		if (!word)
			return 0;
		vec_push(a, &out->v, word);
	}
}

static int refuse_verb(const char *verb, struct err *e)
{
	err_set(e, ERR_BAD_REQUEST, "'%s' stands in no batch", verb);
	return err_hint(e, "put, rm, cp, branch and tag do; each line is one, without the word leat");
}

/* A file name is meant from where the batch is run, a command by its full name or alias as anywhere. */
static int ready_line(struct change *c, struct str line, struct err *e)
{
	struct arena *a = c->api->arena;
	struct words w = {0}, all = {0};
	const struct op *op;
	const char *fixed;
	struct args *args;

	if (split(a, line, &w, e))
		return -1;
	if (!w.v.n)
		return 0;
	if (!strcmp(w.v.p[0], "leat")) {
		err_set(e, ERR_BAD_REQUEST, "a line is a command without the word leat");
		return err_hint(e, "write: %.*s", STR_ARG(str_sub(str_trim(line), 5, SIZE_MAX)));
	}
	op = op_find(str_of(w.v.p[0]), &fixed, e);
	if (!op)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(op->name, verbs[i].verb))
			continue;
		if (fixed && split(a, str_of(fixed), &all, e))
			return -1;
		for (size_t k = 1; k < w.v.n; k++)
			vec_push(a, &all.v, w.v.p[k]);
		args = arena_new_of(a, struct args);
		if (args_parse(op, a, (int)all.v.n, all.v.p, args, e))
			return -1;
		if (args_count(args, "on")) {
			err_set(e, ERR_BAD_REQUEST, "a whole batch is on one workspace branch");
			return err_hint(e, "leat batch --on %s, or REPO@BRANCH in the line",
			                STR_SHOWN(args_value(args, "on")));
		}
		return verbs[i].ready(c, args, e);
	}
	return refuse_verb(op->name, e);
}

static int read_lines(struct arena *a, struct str file, struct str *out, struct err *e)
{
	if (!file.p) {
		err_set(e, ERR_BAD_REQUEST, "'leat batch' needs -f FILE");
		return err_hint(e, "a command a line, without the word leat; -f - reads standard input");
	}
	if (str_is(file, "-"))
		return file_read_fd(a, STDIN_FILENO, "standard input", FILE_MAX_TEXT, out, e);
	return file_read(a, arena_cstr(a, file), FILE_MAX_TEXT, out, e);
}

int api_batch(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str file = args_value(args, "file"), text, line;
	const char *shown = str_is(file, "-") ? "standard input" : arena_cstr(api->arena, file);
	struct change c;
	int rc = 0;

	if (read_lines(api->arena, file, &text, e))
		return -1;
	change_begin(&c, api, args);
	c.batch = true;
	c.message = args_value(args, "message");
	for (int n = 1; !rc && str_next_line(&text, &line); n++) {
		size_t had = c.steps.n;
		rc = n > BATCH_MAX_LINES ? err_set(e, ERR_LIMIT, "a batch has at most %d lines", BATCH_MAX_LINES)
					 : ready_line(&c, line, e);
		for (size_t i = had; i < c.steps.n; i++)
			c.steps.p[i].line = n;
		if (rc)
			err_at(e, shown, n, 0);
	}
	if (!rc && !c.steps.n)
		rc = err_set(e, ERR_BAD_REQUEST, "%s holds no command", shown);
	c.file = shown;
	if (!rc)
		rc = change_do(&c, out, e);
	change_end(&c);
	if (!rc && (c.run || args_flag(args, "run")) && !c.no_event)
		rc = data_follow(api, args, "batch", c.id, out, e);
	return rc;
}
