#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"

/*
 * docs/reference/ is written by this (tools/reference), and checked to be so by `make check`: the tables of defs/ are
 * the one source of the parser, the help, the completion and these pages.
 */

static void cell(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '|')
			fputc('\\', stdout);
		fputc(*p, stdout);
	}
}

static void commands(const struct job_kind *const *kinds)
{
	size_t n;
	const struct op *ops = op_table(&n);
	const struct op_alias *aliases;
	size_t n_aliases;

	puts("# Commands\n\nWritten from `src/defs/ops.def`. `leat help COMMAND` prints the same.");
	for (int area = 0; area < AREA_COUNT; area++) {
		printf("\n## %s\n", op_area_titles[area]);
		for (size_t i = 0; i < n; i++)
			if ((int)ops[i].area == area) {
				printf("\n### %s\n\n```\n", ops[i].name);
				help_op(stdout, &ops[i]);
				puts("```");
			}
	}
	puts("\n## Other words for them\n\n| typed | means |\n| --- | --- |");
	aliases = op_alias_table(&n_aliases);
	for (size_t i = 0; i < n_aliases; i++)
		printf("| `leat %s` | `leat %s` |\n", aliases[i].word, aliases[i].means);
}

/* " One of `a`, `b`." of a key that takes one of some words. */
static void words(const struct key *k)
{
	struct str rest = str_of(k->rule == KEYS_WORDS ? k->words : NULL), word;

	for (bool first = true; rest.n; first = false) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		printf("%s`%.*s`%s", first ? " One of " : ", ", STR_ARG(word), rest.n ? "" : ".");
	}
}

static void key_rows(const struct keys *t)
{
	puts("\n| key | default | counts in the memo key | what it is |\n| --- | --- | --- | --- |");
	for (size_t i = 0; i < t->n; i++) {
		const struct key *k = &t->rows[i];

		if (!k->name)
			continue;
		printf("| `%s%s%s` | %s%s%s | %s | ", k->section, *k->section ? ": " : "", k->name, k->def ? "`" : "",
		       k->def ? k->def : "", k->def ? "`" : "", k->flags & KEYS_MEMO ? "yes" : "");
		cell(k->text);
		words(k);
		puts(" |");
	}
}

static void settings(const struct job_kind *const *kinds)
{
	puts("# Settings\n\nThe keys of `leat.yaml`, written from `src/defs/settings.def`. `leat config` shows them"
	     " with their values; `LEAT__KEY` or `LEAT__SECTION__KEY` in the environment overrides one. A row"
	     " `section: key` is a key inside the map of that name.");
	key_rows(workspace_keys());
}

static void jobs(const struct job_kind *const *kinds)
{
	puts("# Jobs\n\nThe keys of `job.yaml` (or of the comment block that a job of one file begins with), written"
	     " from `src/defs/jobkeys.def` and the tables of the kinds. A row `section: key` is a key inside"
	     " the map of that name.\n\n"
	     "## Every job");
	key_rows(job_keys());
	for (size_t i = 0; kinds[i]; i++) {
		struct keys t = {kinds[i]->name, kinds[i]->keys, 0};

		printf("\n## Kind `%s`\n\n", kinds[i]->name);
		cell(kinds[i]->text);
		putchar('\n');
		while (t.rows && t.rows[t.n].name)
			t.n++;
		if (t.n)
			key_rows(&t);
	}
}

static void errors(const struct job_kind *const *kinds)
{
	static const struct {
		const char *word, *text;
		int status, http;
	} rows[] = {
#define E(name, word, status, http, text) {word, text, status, http},
#include "defs/errors.def"
#undef E
	};

	puts("# Errors\n\nWritten from `src/defs/errors.def`. Exit status 1: the work failed, or a thing that"
	     " could exist is not there. 2: the request can never be right as it stands.\n\n"
	     "| code | exit status | HTTP | what it means |\n"
	     "| --- | --- | --- | --- |");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		printf("| `%s` | %d | %d | %s |\n", rows[i].word, rows[i].status, rows[i].http, rows[i].text);
}

static void reasons(const struct job_kind *const *kinds)
{
	static const struct {
		const char *word, *text;
		bool runs;
	} rows[] = {
#define R(name, word, runs, text) {word, text, runs},
#include "defs/reasons.def"
#undef R
	};

	puts("# Reasons\n\nWhy a unit is in a plan or is not: `reason` in `leat plan --json`"
	     " and `leat why --json`. Written from "
	     "`src/defs/reasons.def`.\n\n| reason | runs | what it means |\n| --- | --- | --- |");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		printf("| `%s` | %s | %s |\n", rows[i].word, rows[i].runs ? "yes" : "no", rows[i].text);
}

static const struct {
	const char *name;
	void (*print)(const struct job_kind *const *kinds);
} pages[] = {{"commands", commands}, {"settings", settings}, {"jobs", jobs}, {"errors", errors}, {"reasons", reasons}};

int reference_page(const char *name, const struct job_kind *const *kinds)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (!name)
			puts(pages[i].name);
		else if (!strcmp(name, pages[i].name)) {
			pages[i].print(kinds);
			return 0;
		}
	}
	return name ? 2 : 0;
}
