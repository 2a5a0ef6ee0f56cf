#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"

/*
 * Pages of the manual in man(7), which both groff and mandoc read: leat.1 is the whole, leat-COMMAND.1 one command.
 * They come from the rows that the help comes from; tools/install asks for each and puts them where man looks.
 */

static void put_char(unsigned c)
{
	switch (c) {
	case '\\':
		fputs("\\e", stdout);
		break;
	case '-': /* a minus that can be copied and searched for, not a hyphen */
		fputs("\\-", stdout);
		break;
	case '\'':
		fputs("\\(aq", stdout);
		break;
	case '^':
		fputs("\\(ha", stdout);
		break;
	case '~':
		fputs("\\(ti", stdout);
		break;
	case '`':
		fputs("\\(ga", stdout);
		break;
	default:
		if (c < 128)
			putchar((int)c);
		else
			printf("\\[u%04X]", c);
	}
}

/* What stands as it is typed. */
static void literal(const char *text)
{
	if (*text == '.')
		fputs("\\&", stdout);
	for (struct str rest = str_of(text); rest.n;) {
		uint32_t c = 0;
		size_t n = str_utf8_get(rest, &c);

		put_char(c);
		rest = str_sub(rest, n, SIZE_MAX);
	}
}

/* Sentences: what stands between backticks is bold. */
static void prose(const char *text)
{
	bool bold = false;

	if (*text == '.')
		fputs("\\&", stdout);
	for (struct str rest = str_of(text); rest.n;) {
		uint32_t c = 0;
		size_t n = str_utf8_get(rest, &c);

		if (c == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", stdout);
		} else {
			put_char(c);
		}
		rest = str_sub(rest, n, SIZE_MAX);
	}
	fputs(bold ? "\\fR\n" : "\n", stdout);
}

static void text_in(const char *font, const char *text)
{
	printf("\\f%s", font);
	literal(text);
	fputs("\\fR", stdout);
}

static void head(const char *verb, const char *summary)
{
	const char *dash = *verb ? "-" : "";

	printf(".\\\" Written by leat " LEAT_VERSION " from its tables.\n.TH \"LEAT%s", dash);
	for (const char *p = verb; *p; p++)
		putchar(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	printf("\" 1 \"\" \"Leat " LEAT_VERSION "\" \"Leat\"\n.nh\n.ad l\n.SH NAME\nleat%s%s \\- ", dash, verb);
	prose(summary);
}

static void synopsis(const struct op *op)
{
	fputs(".SH SYNOPSIS\n\\fBleat\\fR [\\fB\\-C\\fR \\fIDIR\\fR] ", stdout);
	text_in("B", op->name);
	for (size_t i = 0; i < op->n_pos; i++) {
		const struct op_pos *p = &op->pos[i];

		fputs(p->min ? " " : " [", stdout);
		text_in("I", p->name);
		printf("%s%s", p->min ? "" : "]", p->max ? "" : "...");
	}
	puts(op->n_opts ? " [\\fIoptions\\fR]" : "");
}

static void tagged(const char *font, const char *tag, const char *text)
{
	fputs(".TP\n", stdout);
	text_in(font, tag);
	putchar('\n');
	prose(text);
}

static void option(const struct op_opt *o)
{
	fputs(".TP\n", stdout);
	if (o->letter)
		printf("\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", stdout);
	literal(o->name);
	fputs("\\fR", stdout);
	if (*o->arg) {
		putchar(' ');
		text_in("I", o->arg);
	}
	putchar('\n');
	prose(o->text);
}

static void statuses(void)
{
	puts(".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nThe work failed, or a thing that could exist is not there.\n"
	     ".TP\n2\nThe request can never be right as it stands; nothing was changed.");
}

static void one_command(const struct op *op)
{
	const struct op_alias *aliases;
	size_t n, shown = 0;

	head(op->name, op->summary);
	synopsis(op);
	puts(".SH DESCRIPTION");
	prose(*op->more ? op->more : op->summary);
	for (size_t i = 0; i < op->n_pos; i++)
		tagged("I", op->pos[i].name, op->pos[i].text);
	if (op->n_opts)
		puts(".SH OPTIONS");
	for (size_t i = 0; i < op->n_opts; i++)
		option(&op->opts[i]);
	if (op->n_examples)
		puts(".SH EXAMPLES\n.EX");
	for (size_t i = 0; i < op->n_examples; i++) {
		literal(op->examples[i].line);
		putchar('\n');
	}
	if (op->n_examples)
		puts(".EE");
	statuses();
	aliases = op_alias_table(&n);
	for (size_t i = 0; i < n; i++) {
		struct str verb, rest;

		if (!str_cut(str_of(aliases[i].means), ' ', &verb, &rest))
			verb = str_of(aliases[i].means);
		if (!str_is(verb, op->name))
			continue;
		puts(shown++ ? "," : ".SH OTHER WORDS FOR IT");
		text_in("B", aliases[i].word);
	}
	puts(shown ? "\n.SH SEE ALSO" : ".SH SEE ALSO");
	puts("\\fBleat\\fR(1)");
}

static const struct {
	const char *name, *text;
} variables[] = {
	{"LEAT_WORKSPACE", "The workspace to work in, where -C does not say it."},
	{"LEAT_COMMIT", "The open commit that `put` writes into."},
	{"LEAT__SECTION__KEY, LEAT__KEY", "Overrides a setting of leat.yaml."},
	{"LEAT_CLOCK", "A file with the time to go by (2024-03-04T05:06:07Z), instead of the machine's clock."},
	{"LEAT_PAGER, PAGER", "What long output on a terminal goes through."},
	{"NO_COLOR", "No colours, whatever it is set to."},
};

static void whole(void)
{
	size_t n;
	const struct op *ops = op_table(&n);

	head("", "versions data, runs pipelines over it, shows the result");
	puts(".SH SYNOPSIS\n\\fBleat\\fR [\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIarguments\\fR]\n.br\n"
	     "\\fBleat\\fR \\fBhelp\\fR [\\fICOMMAND\\fR]\n.br\n\\fBleat\\fR \\fB\\-\\-version\\fR\n.SH DESCRIPTION");
	prose("A workspace is a folder with a leat.yaml; it is found by walking up from the current folder. In it lie"
	      " repos, which are versioned folders of files, and jobs, which make repos from others. No daemon is"
	      " needed. Start with `leat playground`.");
	puts(".PP");
	prose("A ds is a partition's label: 2024-03-04 is a day, 2024-03 a month. Wherever a repo is named, a version"
	      " of it may be: raw/orders@master.3 is the third.");
	for (int area = 0; area < AREA_COUNT; area++) {
		printf(".SS %s\n", op_area_titles[area]);
		for (size_t i = 0; i < n; i++)
			if ((int)ops[i].area == area) {
				fputs(".TP\n\\fBleat\\-", stdout);
				literal(ops[i].name);
				puts("\\fR(1)");
				prose(ops[i].summary);
			}
	}
	puts(".SH OPTIONS");
	tagged("B", "-C DIR", "Works in the workspace DIR.");
	tagged("B", "-V, --version", "Prints the version.");
	tagged("B", "-h, --help", "Prints the commands; after a command, its help.");
	statuses();
	puts(".SH ENVIRONMENT");
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		tagged("B", variables[i].name, variables[i].text);
	puts(".SH FILES");
	tagged("I", "leat.yaml", "Marks a workspace and holds its settings (`leat config`).");
	tagged("I", "jobs/NAME/job.yaml", "A job, with its code beside it.");
	tagged("I", "datastore/", "The heads of all repos as plain files, for every other program.");
	tagged("I", ".leat/", "The versions and what is known of runs.");
}

int man_page(const char *name)
{
	size_t n;
	const struct op *ops = op_table(&n);

	if (!name) {
		puts("leat");
		for (size_t i = 0; i < n; i++)
			printf("leat-%s\n", ops[i].name);
		return 0;
	}
	if (!strcmp(name, "leat")) {
		whole();
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!strncmp(name, "leat-", 5) && !strcmp(name + 5, ops[i].name)) {
			one_command(&ops[i]);
			return 0;
		}
	return 2;
}
