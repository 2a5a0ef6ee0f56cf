#include <stdio.h>
#include <stdlib.h>

#include "base/name.h"
#include "base/str.h"
#include "cli/cli.h"
#include "repo/refs.h"

/*
 * `leat __describe WORD…` is the same for shells that show a text beside a candidate: it follows after a tab.
 */
static bool described;

static void offer_text(struct str prefix, struct str word, const char *text)
{
	if (!str_has_prefix(word, prefix))
		return;
	printf("%.*s", STR_ARG(word));
	if (described && *text)
		printf("\t%s", text);
	putchar('\n');
}

static void offer(struct str prefix, struct str word)
{
	offer_text(prefix, word, "");
}

static void offer_jobs(struct api *api, struct str prefix)
{
	struct err e = ERR_INIT;

	if (api_open(api, OP_W | OP_J | OP_R, &e))
		return;
	for (size_t i = 0; i < api->flow->jobs->n; i++)
		offer(prefix, api->flow->jobs->all[i]->name);
}

/* A name with pattern characters in it as a pattern of itself. */
static struct str quoted(struct arena *a, struct str name)
{
	struct buf b = BUF_INIT(2 * NAME_MAX_PATH);
	struct str out;

	for (size_t i = 0; i < name.n; i++) {
		if (strchr("*?[]{}()!+@|,\\", name.p[i]))
			buf_addc(&b, '\\');
		buf_addc(&b, name.p[i]);
	}
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static int offer_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	const struct str *before = ptr; /* what stands in front of the path */

	if (!memchr(path.p, '\n', path.n))
		printf("%.*s%.*s%s\n", STR_ARG(*before), STR_ARG(path), entry->kind == ENTRY_FOLDER ? "/" : "");
	return 0;
}

/* After "REPO:" what begins with what is typed, in the folder that is being typed: no more of a large one is read. */
static void offer_paths(struct api *api, struct str pin_text, struct str path)
{
	struct err e = ERR_INIT;
	struct arena *a = api->arena;
	struct str before;
	struct pin pin;
	struct glob *g;

	if (path.n && path.p[0] == '/')
		path = str_sub(path, 1, SIZE_MAX);
	before = arena_strf(a, "%.*s:/", STR_ARG(pin_text));
	if (pin_resolve(api->store, a, pin_text, &pin, &e) || !pin.has_commit ||
	    glob_compile(a, arena_strf(a, "%.*s*", STR_ARG(quoted(a, path))), &g, &e) ||
	    tree_glob(api->store, &pin.commit.tree, g, offer_entry, &before, &e))
		return;
}

/* After "REPO@" its branches and tags. */
static void offer_refs(struct api *api, struct str repo_name, struct str prefix)
{
	struct err e = ERR_INIT;
	struct repo repo;
	struct ref *refs;
	struct str only = STR_NULL;
	size_t n, fits = 0;

	if (repo_find(api->store, api->arena, repo_name, &repo, &e) != 1)
		return;
	for (int tags = 0; tags < 2; tags++) {
		if (tags ? refs_tags(api->store, api->arena, repo.id, &refs, &n, &e)
		         : refs_branches(api->store, api->arena, repo.id, &refs, &n, &e))
			return;
		for (size_t i = 0; i < n; i++) {
			struct str word = arena_strf(api->arena, "%.*s@%.*s", STR_ARG(repo_name),
			                             STR_ARG(refs[i].name));

			if (!str_has_prefix(word, prefix))
				continue;
			offer(prefix, word);
			only = word;
			fits++;
		}
	}
	if (fits == 1) /* as after a repo's name */
		offer(prefix, arena_strf(api->arena, "%.*s:/", STR_ARG(only)));
}

/* Repos, their branches and tags, and their paths. */
static void offer_pins(struct api *api, struct str prefix, bool paths)
{
	struct err e = ERR_INIT;
	struct repo *repos;
	struct str name, rest;
	const struct repo *only = NULL;
	size_t n, fits = 0;

	if (api_open(api, OP_W | OP_R, &e) || repo_list(api->store, api->arena, &repos, &n, &e))
		return;
	for (size_t i = 0; i < n; i++)
		if (repos[i].role != REPO_SYSTEM && str_has_prefix(repos[i].name, prefix)) {
			offer(prefix, repos[i].name);
			only = &repos[i];
			fits++;
		}
	if (paths && fits == 1) /* its files may be meant: two candidates keep bash from ending the word */
		offer(prefix, arena_strf(api->arena, "%.*s:/", STR_ARG(only->name)));
	if (paths && str_cut(prefix, ':', &name, &rest))
		offer_paths(api, name, rest);
	else if (paths && str_cut(prefix, '@', &name, &rest))
		offer_refs(api, name, prefix);
}

static void offer_partitions(struct catalog *c, struct str repo, struct str prefix)
{
	struct err e = ERR_INIT;
	struct catalog_repo *r;

	if (!repo.n || catalog_repo(c, repo, STR_NULL, &r, &e) != 1)
		return;
	for (size_t k = r->n_parts; k-- > 0;)
		offer(prefix, str_of(r->parts[k].label));
}

/* The ds there are: partitions of the named repo, or of the named job's inputs and output, newest first, and the words.
 */
static void offer_ds(struct api *api, struct str prefix, struct str first, bool data)
{
	struct err e = ERR_INIT;
	struct str repo, rest;
	struct catalog *c;
	const struct job *job;

	if (!data) {
		offer(prefix, STR("today"));
		offer(prefix, STR("yesterday"));
		offer(prefix, STR("newest"));
	}
	if (api_open(api, OP_W | OP_J | OP_R, &e) || catalog_new(api->store, api->arena, &c, &e))
		return;
	if (!str_cut(first, ':', &repo, &rest))
		repo = first;
	if (data && repo.n)
		offer_partitions(c, repo, prefix);
	job = data ? NULL : jobs_get(api->flow->jobs, first);
	for (size_t i = 0; job && i <= job->n_inputs; i++)
		offer_partitions(c, i < job->n_inputs ? job->inputs[i].repo : job->output, prefix);
}

static void offer_templates(struct api *api, struct str prefix)
{
	struct str *names;
	size_t n = api_template_names(api->arena, &names);

	for (size_t i = 0; i < n; i++)
		offer(prefix, names[i]);
}

static void offer_settings(struct str prefix)
{
	const struct keys *t = workspace_keys();

	for (size_t i = 0; i < t->n; i++)
		if (!t->rows[i].section[0])
			offer_text(prefix, str_of(t->rows[i].name), t->rows[i].text);
}

static void offer_words(const char *words, struct str prefix)
{
	struct str rest = str_of(words), word;

	while (rest.n) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NULL;
		}
		offer(prefix, word);
	}
}

/* name: of the option or the positional, as op_words has it */
static void offer_kind(struct api *api, const struct op *op, enum arg_kind kind, const char *name, struct str prefix,
                       struct str first)
{
	size_t n;
	const struct op *ops = op_table(&n);

	switch (kind) {
	case ARG_FILE:
		puts("@files");
		break;
	case ARG_DIR:
		puts("@dirs");
		break;
	case ARG_PIN:
		offer_pins(api, prefix, true);
		break;
	case ARG_REPO:
		offer_pins(api, prefix, false);
		break;
	case ARG_JOB:
		offer_jobs(api, prefix);
		break;
	case ARG_DS:
		offer_ds(api, prefix, first, op->area == AREA_DATA);
		break;
	case ARG_TEMPLATE:
		offer_templates(api, prefix);
		break;
	case ARG_SETTING:
		offer_settings(prefix);
		break;
	case ARG_WORDS:
		offer_words(op_words(op, name), prefix);
		break;
	case ARG_COMMAND:
		for (size_t i = 0; i < n; i++)
			offer_text(prefix, str_of(ops[i].name), ops[i].summary);
		break;
	default:
		break;
	}
}

int complete_words(struct api *api, bool describe, int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct str last = argc ? str_of(argv[argc - 1]) : STR(""), first = STR_NULL;
	const struct op_opt *before = NULL;
	const struct op *op;
	const char *fixed;
	size_t n_pos = 0;

	described = describe;
	if (argc > 2 && !strcmp(argv[0], "-C")) {
		api->dir = argv[1];
		argc -= 2;
		argv += 2;
	}
	if (argc <= 1) {
		struct str_list more = {0};
		char *dir = NULL;

		offer_kind(api, NULL, ARG_COMMAND, "", last, STR_NULL);
		if (workspace_find(api->dir, api->arena, &dir, &e))
			dir = NULL;
		extern_list(api->arena, dir, &more);
		for (size_t i = 0; i < more.v.n; i++)
			offer(last, more.v.p[i]);
		return 0;
	}
	op = op_find(str_of(argv[0]), &fixed, &e);
	if (!op)
		return 0;
	for (int i = 1; i < argc - 1; i++) {
		if (before && *before->arg) {
			before = NULL;
			continue;
		}
		before = NULL;
		if (!strncmp(argv[i], "--", 2))
			before = op_option(op, str_of(argv[i] + 2));
		else if (argv[i][0] == '-' && argv[i][1] && !argv[i][2])
			before = op_option_letter(op, argv[i][1]);
		else if (argv[i][0] != '-' && !n_pos++)
			first = str_of(argv[i]);
	}
	if (before && *before->arg) {
		offer_kind(api, op, before->kind, before->name, last, first);
	} else if (last.n && last.p[0] == '-') {
		if (op->flags & OP_W)
			offer(last, STR("--on"));
		for (size_t i = 0; i < op->n_opts; i++)
			offer_text(last, arena_strf(api->arena, "--%s", op->opts[i].name), op->opts[i].text);
	} else if (op->n_pos) {
		const struct op_pos *p = &op->pos[MIN(n_pos, op->n_pos - 1)];

		offer_kind(api, op, p->kind, p->name, last, first);
		if (!n_pos && !strcmp(op->name, "why")) /* `why JOB|REPO…` takes jobs beside what its row says */
			offer_jobs(api, last);
	}
	return 0;
}
