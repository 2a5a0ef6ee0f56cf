#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"

#define TEXT_COLUMN 26

static void print_wrapped(FILE *f, const char *text, size_t indent, size_t width)
{
	struct str rest = str_of(text);
	size_t at = indent;

	while (rest.n) {
		struct str word, tail;

		if (!str_cut(rest, ' ', &word, &tail)) {
			word = rest;
			tail = STR_NULL;
		}
		if (at > indent && at + 1 + str_columns(word) > width) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		}
		if (at > indent) {
			fputc(' ', f);
			at++;
		}
		fwrite(word.p, 1, word.n, f);
		at += str_columns(word);
		rest = tail;
	}
	fputc('\n', f);
}

static void print_row(FILE *f, const char *left, const char *text)
{
	int n = fprintf(f, "  %s", left);

	if (n < TEXT_COLUMN)
		fprintf(f, "%*s", TEXT_COLUMN - n, "");
	else
		fprintf(f, "\n%*s", TEXT_COLUMN, "");
	print_wrapped(f, text, TEXT_COLUMN, 80);
}

static void print_usage(FILE *f, const struct op *op)
{
	fprintf(f, "leat %s", op->name);
	for (size_t i = 0; i < op->n_pos; i++)
		fprintf(f, op->pos[i].min ? " %s%s" : " [%s]%s", op->pos[i].name, op->pos[i].max ? "" : "…");
	fputs(op->n_opts ? " [options]\n" : "\n", f);
}

void help_op(FILE *f, const struct op *op)
{
	print_usage(f, op);
	fputs("\n  ", f);
	print_wrapped(f, op->summary, 2, 80);
	if (*op->more) {
		fputs("  ", f);
		print_wrapped(f, op->more, 2, 80);
	}
	if (op->n_pos)
		fputc('\n', f);
	for (size_t i = 0; i < op->n_pos; i++)
		print_row(f, op->pos[i].name, op->pos[i].text);
	if (op->n_opts)
		fputc('\n', f);
	for (size_t i = 0; i < op->n_opts; i++) {
		const struct op_opt *o = &op->opts[i];
		char left[96];

		if (o->letter)
			snprintf(left, sizeof(left), "-%c, --%s%s%s", o->letter, o->name, *o->arg ? " " : "", o->arg);
		else
			snprintf(left, sizeof(left), "--%s%s%s", o->name, *o->arg ? " " : "", o->arg);
		print_row(f, left, o->text);
	}
	if (op->flags & OP_W)
		print_row(f, "--on NAME", op_on.text);
	for (size_t i = 0; i < op->n_examples; i++)
		fprintf(f, "%s  %s\n", i ? "" : "\nExamples\n", op->examples[i].line);
}

void help_all(FILE *f, bool every, const char *workspace_commands)
{
	size_t n;
	const struct op *ops = op_table(&n);

	if (every) {
		for (size_t i = 0; i < n; i++) {
			help_op(f, &ops[i]);
			fputc('\n', f);
		}
		return;
	}
	fputs("leat " LEAT_VERSION ": versions data, runs pipelines over it, shows the result\n\n"
	      "usage: leat [-C DIR] COMMAND [arguments]\n", f);
	for (int area = 0; area < AREA_COUNT; area++) {
		fprintf(f, "\n%s%s%s\n", style_on(f, STYLE_BOLD), op_area_titles[area], style_off(f));
		for (size_t i = 0; i < n; i++)
			if ((int)ops[i].area == area)
				print_row(f, ops[i].name, ops[i].summary);
	}
	if (*workspace_commands)
		fprintf(f, "\n%sMore commands%s\n%s", style_on(f, STYLE_BOLD), style_off(f), workspace_commands);
	fputs("\nA ds is a partition's label: 2024-03-04 is a day, 2024-03 a month. A repo is a\n"
	      "versioned folder; raw/orders@master.3 is its third version.\n"
	      "-C DIR works in the workspace DIR.\n\n"
	      "'leat help COMMAND' tells more, with examples. Start with 'leat playground'.\n", f);
}
