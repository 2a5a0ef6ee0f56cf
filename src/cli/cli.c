#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/str.h"
#include "base/url.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/term.h"

struct cli {
	struct arena *arena;
	struct api api;
	struct args args;
	struct shower *shower; /* NULL when rows are printed as JSON */
	struct progress *progress;
	struct buf line;
	bool live; /* standard output goes out as it comes */
	struct show_file file;
	FILE *pager;
	pid_t pager_pid;
};

#define LINE_MAX ((size_t)64 << 20)
#define OUT_BUFFER ((size_t)64 << 10)

/*
 * A reader that has seen enough (head) is no failure of ours: a command that only reads ends quietly, as every filter
 * does; one that changes something finishes its work unheard.
 */
static int gone(struct cli *c, struct err *e)
{
	if (errno != EPIPE)
		return err_errno(e, errno, "standard output");
	if (!(c->args.op->flags & OP_M))
		_exit(0);
	return 0;
}

/* What somebody watches (a log that is followed, the events of a run) goes out as it comes, into a pipe too. */
static int write_out(struct cli *c, const char *p, size_t n, struct err *e)
{
	if (fwrite_unlocked(p, 1, n, stdout) == n && (!c->live || !fflush(stdout)))
		return 0;
	return gone(c, e);
}

static int on_row(void *ptr, const struct dom *row, struct err *e)
{
	struct cli *c = ptr;

	progress_end(c->progress);
	if (c->shower)
		return shower_row(c->shower, row, e);
	buf_reset(&c->line);
	dom_write_json(&c->line, row, DOM_COMPACT);
	buf_addc(&c->line, '\n');
	if (buf_over(&c->line))
		return err_set(e, ERR_LIMIT, "a row is larger than %zu MiB", LINE_MAX >> 20);
	return write_out(c, c->line.p, c->line.n, e);
}

static int on_entry(void *ptr, const struct sink_entry *en, struct err *e)
{
	struct cli *c = ptr;

	progress_clear(c->progress);
	buf_reset(&c->line);
	show_file(&c->line, &c->file, en);
	return write_out(c, c->line.p, c->line.n, e);
}

static int on_bytes(void *ptr, struct str bytes, struct err *e)
{
	struct cli *c = ptr;

	progress_clear(c->progress);
	return write_out(c, bytes.p, bytes.n, e);
}

static int on_head(void *ptr, const struct dom *columns, struct err *e)
{
	struct cli *c = ptr;

	progress_clear(c->progress);
	return c->shower ? shower_head(c->shower, columns, e) : 0;
}

static void on_note(void *ptr, const char *text)
{
	struct cli *c = ptr;

	progress_clear(c->progress);
	fflush(stdout);
	fprintf(stderr, "%s%.*s%s\n", style_on(stderr, STYLE_DIM), STR_ARG(clean_text(c->arena, str_of(text), "\n\t")),
	        style_off(stderr));
}

static void on_event(void *ptr, const struct run_event *ev)
{
	struct cli *c = ptr;

	progress_event(c->progress, ev);
}

static void on_progress(void *ptr, const char *text, double part)
{
	struct cli *c = ptr;

	progress_step(c->progress, text, part);
}

static int on_ask(void *ptr, struct arena *a, const char *question, struct str fallback, struct str *answer,
                  struct err *e)
{
	struct cli *c = ptr;
	char line[4096];
	size_t n;

	progress_clear(c->progress);
	fflush(stdout);
	fprintf(stderr, "%.*s%s%.*s%s: ", STR_ARG(clean_text(a, str_of(question), "")), fallback.n ? " [" : "",
	        STR_ARG(clean_text(a, fallback, "")), fallback.n ? "]" : "");
	fflush(stderr);
	if (!fgets(line, sizeof(line), stdin))
		return err_set(e, ERR_CANCELLED, "there was no answer");
	n = strlen(line);
	if (n && line[n - 1] != '\n' && !feof(stdin))
		return err_set(e, ERR_BAD_REQUEST, "the answer is longer than %zu bytes", sizeof(line) - 2);
	*answer = arena_str(a, str_trim((struct str){line, n}));
	return 0;
}

static bool wants_json(const struct args *a)
{
	return op_option(a->op, STR("json")) && args_flag(a, "json");
}

/* What the user typed, for the rows that tell later who did what. */
static char *command_text(struct arena *a, int argc, char **argv)
{
	struct buf b = BUF_INIT(4096);
	char *text;

	buf_adds(&b, "leat");
	for (int i = 1; i < argc; i++)
		buf_addf(&b, " %s", argv[i]);
	text = arena_cstr(a, url_redact(a, buf_str(&b)));
	buf_free(&b);
	return text;
}

static int usage_error(const char *fmt, const char *what)
{
	fputs("leat: ", stderr);
	fprintf(stderr, fmt, what);
	fputs("\n      'leat help' lists the commands\n", stderr);
	return 2;
}

/* -C DIR and --version before the verb. Returns the index of the verb, or -1 with *status set. */
static int leading_options(struct cli *c, int argc, char **argv, int *status)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		if (!strcmp(argv[i], "-C") && i + 1 < argc) {
			c->api.dir = argv[i + 1];
			i += 2;
		} else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) {
			puts("leat " LEAT_VERSION);
			*status = 0;
			return -1;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			static char help[] = "help";

			argv[i] = help;
			return i;
		} else {
			*status = usage_error(strcmp(argv[i], "-C") ? "there is no option '%s' before the command"
			                                            : "%s needs a folder", STR_SHOWN(str_of(argv[i])));
			return -1;
		}
	}
	return i;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* An alias may stand for a verb with words of its own ("delete-repo" is "rm --repo"): they come first. */
static char **with_fixed(struct arena *a, const char *fixed, int *argc, char **argv)
{
	struct str rest = str_of(fixed), word;
	VEC(char *) words = {0};

	while (rest.n) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		vec_push(a, &words, arena_cstr(a, word));
	}
	for (int i = 0; i < *argc; i++)
		vec_push(a, &words, argv[i]);
	*argc = (int)words.n;
	vec_push(a, &words, NULL);
	return words.p;
}

static char *find_workspace(struct cli *c)
{
	struct err ignored = ERR_INIT;
	char *dir;

	return workspace_find(c->api.dir, c->arena, &dir, &ignored) ? NULL : dir;
}

/* `leat sql ... > FILE`: a file that is ours alone, as far as can be seen. Not of `>>`, nor of several commands. */
static bool prints_to_new_file(void)
{
	struct stat st;

	return !fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && !st.st_size && !lseek(STDOUT_FILENO, 0, SEEK_CUR);
}

static int call(struct cli *c)
{
	struct err e = ERR_INIT;
	const struct op *op = c->args.op;
	bool json = wants_json(&c->args), to_file = op->fn == api_sql && prints_to_new_file();
	struct sink out = {
		.ptr = c, .row = on_row, .bytes = on_bytes, .head = on_head, .note = on_note, .event = on_event,
		.progress = on_progress, .people = !json,
	};
	int rc;

	if (!json && term_is_tty(STDIN_FILENO) && term_is_tty(STDERR_FILENO))
		out.ask = on_ask;
	c->live = (op->flags & OP_M) || (op_option(op, STR("follow")) && args_flag(&c->args, "follow"));
	c->file = (struct show_file){
		.size = op_option(op, STR("long")) && args_flag(&c->args, "long"),
		.repo = !strcmp(op->name, "find") && args_n(&c->args) != 1,
		.on = style_on(stdout, STYLE_BLUE), .off = style_off(stdout),
	};
	signal(SIGPIPE,
	       SIG_IGN); /* a reader that has seen enough is seen by the write; a worker's death must not be ours */
	if (json)
		out.event = NULL; /* operations then give their events as rows */
	else
		out.entry = on_entry;
	c->progress = progress_new(c->arena, op_option(c->args.op, STR("quiet")) && args_flag(&c->args, "quiet"));
	if (!json)
		c->shower = shower_new(c->arena, &c->args, c->api.dir);
	rc = clock_check(&e) || api_call(&c->api, &c->args, &out, &e) ? -1 : 0;
	progress_end(c->progress);
	if (c->shower && shower_end(c->shower, rc, rc ? &(struct err)ERR_INIT : &e) && !rc)
		rc = -1;
	if (fflush(stdout) && !rc && errno != EPIPE)
		rc = err_errno(&e, errno, "standard output");
	if (!rc && to_file)
		api_printed(&c->api, STDOUT_FILENO);
	if (rc)
		print_err(&e);
	return rc ? err_exit_status(e.code) : c->api.exit_status;
}

/* Operations that are the command line's own: they need its tables, not the store. */
int api_help(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct buf more = BUF_INIT(1 << 16);
	struct str_list found = {0};
	char *dir = NULL;
	struct err ignored = ERR_INIT;
	const char *fixed;

	if (args_n(args)) {
		const struct op *op = op_find(args_pos(args, 0), &fixed, e);

		if (!op)
			return -1;
		help_op(stdout, op);
		return 0;
	}
	if (workspace_find(api->dir, api->arena, &dir, &ignored))
		dir = NULL;
	extern_list(api->arena, dir, &found);
	for (size_t i = 0; i < found.v.n; i++)
		buf_addf(&more, "  %.*s\n", STR_ARG(found.v.p[i]));
	help_all(stdout, args_flag(args, "all"), more.p);
	buf_free(&more);
	return 0;
}

int api_completion(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str shell = args_pos(args, 0);

	const char *script = complete_script(shell.p ? shell : STR("bash"));

	if (!script) {
		err_set(e, ERR_BAD_REQUEST, "there is no completion for %s", STR_SHOWN(shell));
		return err_hint(e, "there is one for bash, zsh and fish: eval \"$(leat completion bash)\"");
	}
	fputs(script, stdout);
	return 0;
}

/* "list file" is "list-file": the systems people come from part their verbs. NULL if it is no such pair. */
static char *two_words(struct arena *a, int argc, char **argv, int at)
{
	const struct op_alias *aliases;
	size_t n;
	char *joined;

	if (at + 1 >= argc)
		return NULL;
	joined = arena_printf(a, "%s-%s", argv[at], argv[at + 1]);
	aliases = op_alias_table(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(aliases[i].word, joined))
			return joined;
	return NULL;
}

static int run_verb(struct cli *c, int argc, char **argv, int at, const char *command)
{
	struct err e = ERR_INIT;
	const char *fixed;
	char *joined = two_words(c->arena, argc, argv, at);
	const struct op *op = op_find(str_of(joined ? joined : argv[at]), &fixed, &e);
	int n = argc - at - 1 - (joined != NULL);
	char **words = argv + argc - n;

	if (!op || (strcmp(op->name, argv[at]) && !fixed)) { /* our own full names win over leat-NAME, guesses do not */
		fflush(stdout);
		extern_exec(c->arena, find_workspace(c), argv[at], argv + at);
	}
	if (!op) {
		print_err(&e);
		return err_exit_status(e.code);
	}
	if (asks_help(n, words)) {
		help_op(stdout, op);
		return 0;
	}
	if (fixed)
		words = with_fixed(c->arena, fixed, &n, words);
	if (args_parse(op, c->arena, n, (const char *const *)words, &c->args, &e)) {
		print_err(&e);
		return err_exit_status(e.code);
	}
	c->args.command = command;
	return call(c);
}

static char out_buffer[OUT_BUFFER];

int cli_main(int argc, char **argv, const struct job_kind *const *kinds)
{
	struct cli c = {.arena = arena_new()};
	int status = 0, at;

	style_init();
	if (!term_is_tty(STDOUT_FILENO)) /* with a buffer of ours: without one the C library overlooks the size */
		setvbuf(stdout, out_buffer, _IOFBF, sizeof(out_buffer));
	buf_init(&c.line, LINE_MAX);
	api_begin(&c.api, c.arena, kinds);
	at = leading_options(&c, argc, argv, &status);
	if (at >= 0 && at < argc && (!strcmp(argv[at], "__complete") || !strcmp(argv[at], "__describe")))
		status = complete_words(&c.api, argv[at][2] == 'd', argc - at - 1, argv + at + 1);
	else if (at >= 0 && at < argc && !strcmp(argv[at], "__reference"))
		status = reference_page(argv[at + 1], kinds);
	else if (at >= 0 && at < argc && !strcmp(argv[at], "__man"))
		status = man_page(argv[at + 1]);
	else if (at >= 0 && at < argc)
		status = run_verb(&c, argc, argv, at, command_text(c.arena, argc, argv));
	else if (at >= 0)
		help_all(stdout, false, "");
	if (fflush(stdout) && !status && errno != EPIPE) { /* what was printed without an operation: help, --version */
		struct err e = ERR_INIT;

		(void)!err_errno(&e, errno, "standard output");
		print_err(&e);
		status = 1;
	}
	api_end(&c.api);
	buf_free(&c.line);
	arena_free(c.arena);
	return status;
}
