/* flow/input: what units are made of, in both forms of writing it, and every fault of it with its place. */
#include "flow/input.h"
#include "ws.h"

#define HEAD "kind: script\ncommand: x\n"

static const char *tree_text(const struct job *j, const struct input_node *n)
{
	const char *out;

	if (n->kind == INPUT_PFS || n->kind == INPUT_CRON)
		return arena_printf(ws_arena, "%s%s", n->kind == INPUT_CRON ? "cron " : "", j->inputs[n->leaf].name.p);
	out = arena_printf(ws_arena, "%s(", input_word(n->kind));
	for (size_t i = 0; i < n->n; i++)
		out = arena_printf(ws_arena, "%s%s%s", out, i ? " " : "", tree_text(j, n->kids[i]));
	return arena_printf(ws_arena, "%s)", out);
}

static const struct good {
	const char *text, *want;
} goods[] = {
	{"inputs: {a: raw/a}\n", NULL},
	{"inputs: {a: {repo: raw/a, glob: \"/*\"}}\n", "a"},
	{"inputs: {a: {repo: raw/a, glob: \"/*\"}, b: raw/b}\n", "cross(a b)"},
	{"inputs: {a: {repo: raw/a, glob: \"/(*)\", joinOn: $1}, b: {repo: raw/b, glob: \"/(*)\", join_on: $1}}\n",
         "join(a b)"},
	{"inputs:\n  a: {repo: a, glob: \"/(*)-*\", joinOn: $1, groupBy: $1}\n  b: "
	"{repo: b, glob: \"/(*)\", joinOn: $1}\n"
         "  c: c\n",
         "cross(c group(join(a b)))"},
	{"inputs: {a: {repo: a, glob: \"/(*)\", group_by: $1}}\n", "group(a)"},
	{"input: {pfs: {repo: my-repo, glob: /}}\n", "my_repo"},
	{"input:\n  union:\n    - cross: [{pfs: {repo: a, glob: /}}, {pfs: {repo: b, glob: /}}]\n"
         "    - cross: [{pfs: {repo: a, glob: \"/*\"}}, {pfs: {repo: b, glob: /}}]\n",
         "union(cross(a b) cross(a b))"},
	{"input: {group: [{join: [{pfs: {repo: a, glob: \"/(*)-(*)\", joinOn: $1, groupBy: $2}}, "
         "{pfs: {repo: b, glob: \"/(*)\", joinOn: $1}}]}]}\n",
         "group(join(a b))"},
	{"input: {cross: [{cron: {name: tick, spec: \"@every 60s\"}}, {pfs: {repo: a, glob: /}}]}\n",
         "cross(cron tick a)"},
};

static void trees(void)
{
	for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
		const char *doc = arena_printf(ws_arena, HEAD "%s", goods[i].text);

		ws_clear();
		ws_put("jobs/x/job.yaml", doc);
		for (int again = 0; again < 2; again++) { /* the second time from the cache */
			struct jobs *js = ws_load();
			struct job *j = jobs_get(js, STR("x"));

			if (js->n_errors)
				t_diag(goods[i].text, js->errors[0]->msg);
			T_STR(j && j->tree ? tree_text(j, j->tree) : NULL, goods[i].want, "input tree %zu is %s", i,
			      goods[i].want ? goods[i].want : "of the calendar");
			jobs_free(js);
		}
	}
	ws_clear();
}

static void leaves(void)
{
	struct jobs *js;
	struct job *j;

	ws_put("jobs/x/job.yaml",
	       HEAD "input:\n  cross:\n"
	            "  - pfs: {repo: raw/my-data@master.31, glob: \"/(*)\", outer_join: true, join_on: "
	            "\"${1}\", empty_files: true}\n"
	            "  - pfs: {repo: b, name: 2nd, branch: staging, glob: /, lazy: true, reference: true}\n"
	            "  - cron: {name: tick, spec: \"0 * * * *\", overwrite: true}\n");
	js = ws_load();
	j = jobs_get(js, STR("x"));
	if (!T_OK(j, "a job with an input tree is one")) {
		t_diag("error", js->errors[0]->msg);
		return;
	}
	T_OK(str_is(j->inputs[0].repo, "raw/my-data") && str_is(j->inputs[0].pin, "master.31"), "a repo may be pinned");
	T_OK(str_is(j->inputs[0].folder, "my-data") && str_is(j->inputs[0].name, "my_data"),
	     "the folder below /pfs is the repo's last part as it stands, the name one that a variable can have");
	T_OK(j->inputs[0].outer && j->inputs[0].empty_files && str_is(j->inputs[0].join_on, "${1}"),
	     "snake_case is camelCase");
	T_OK(str_is(j->inputs[1].folder, "2nd") && str_is(j->inputs[1].name, "_2nd"), "a name may begin with a digit");
	T_OK(str_is(input_rev(&j->inputs[1]), "staging") && j->inputs[1].lazy && j->inputs[1].reference,
	     "an input may follow another branch");
	T_OK(str_is(j->inputs[2].repo, "x_tick") && str_is(j->inputs[2].glob, "/*") && j->inputs[2].overwrite,
	     "a cron input is a repo of its own");
	T_OK(input_is_pinned(&j->inputs[0]) && !input_is_pinned(&j->inputs[1]) && input_any_pinned(j),
	     "a pinned input stands still");
	jobs_free(js);
	ws_clear();
}

static const struct good bads[] = {
	{"input: {pfs: {repo: a}}\n", "3:14: the key \"glob\" is missing"},
	{"input: {pfs: {repo: a, glob: /, joinon: x}}\n", "3:33: unknown key \"joinon\" (did you mean \"joinOn\"?)"},
	{"input: {pfs: {repo: a, glob: \"/(*)\", joinOn: x, join_on: x}}\n",
         "3:49: unknown key \"join_on\" (did you mean \"joinOn\"?)"},
	{"input: {psf: {repo: a, glob: /}}\n", "3:9: unknown key \"psf\" (did you mean \"pfs\"?)"},
	{"input: {pfs: {repo: a, glob: \"/[ab\"}}\n", "3:30: the pattern \"[ab\", character 2: a closing ] is missing"},
	{"input: {pfs: {repo: a, glob: \"/(a\"}}\n", "3:30: the pattern \"(a\", character 2: a closing ) is missing"},
	{"input: {join: [{pfs: {repo: a, glob: \"/(*)\", joinOn: $2}}, {pfs: {repo: b, glob: /}}]}\n",
         "3:54: there is no $2: the glob has 1 group"},
	{"input: {join: [{pfs: {repo: a, glob: \"/(*)\", joinOn: $x}}]}\n", "3:54: \"$x\" names no group after $"},
	{"input: {join: [{pfs: {repo: a, glob: \"/(*)\", joinOn: $1}}, {pfs: {repo: b, glob: /}}]}\n",
         "3:66: an input of a join needs joinOn"},
	{"input: {cross: []}\n", "3:16: the cross has no inputs"},
	{"input: {cross: [{pfs: {repo: a, glob: /}}, {pfs: {repo: a, glob: /}}]}\n",
         "3:50: two inputs are called \"a\""},
	{"input: {cross: [{pfs: {repo: a, glob: /}}, {union: [{pfs: "
	"{repo: c, glob: /}}, {pfs: {repo: d/a, glob: /}}]}]}\n",
         "3:86: two inputs are called \"a\""},
	{"input: {pfs: {repo: a, glob: /}, cross: []}\n", "3:34: an input is one thing, and here are pfs and cross"},
	{"input: {}\n", "3:8: the input is empty"},
	{"input: {pfs: {repo: a, glob: /, name: out}}\n", "3:14: an input cannot be called \"out\""},
	{"input: {pfs: {repo: a, glob: /}}\ninputs: {b: c}\n", "3:1: the job has inputs: and input:"},
	{"input: {pfs: {repo: a, glob: /, pin: x, branch: b}}\n", "3:49: the input has a branch and a pin"},
	{"inputs: {a: {repo: a, joinOn: $1}}\n", "3:31: joinOn says something of the files of a glob"},
	{"inputs: {a: {repo: a, glob: \"/(*)\", joinOn: $1}, b: b}\n", "3:13: only one input has joinOn"},
	{"inputs: {a: {repo: a, glob: /}, b: {repo: b, optional: true}}\n", "3:36: optional is for partitions"},
	{"input: {cron: {name: t, spec: \"@every 0s\"}}\n", "3:31: \"spec\" cannot be \"@every 0s\""},
};

static void faults(void)
{
	char all[2048];

	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		struct jobs *js;

		ws_clear();
		ws_put("jobs/x/job.yaml", arena_printf(ws_arena, HEAD "%s", bads[i].text));
		js = ws_load();
		all[0] = '\0';
		if (js->n_errors)
			snprintf(all, sizeof(all), "%d:%d: %s (%s)", js->errors[0]->line, js->errors[0]->col,
			         js->errors[0]->msg, js->errors[0]->hint);
		if (!T_OK(strstr(all, bads[i].want), "fault %zu is named at its place: %s", i, bads[i].want))
			t_diag("got", all);
		jobs_free(js);
	}
	ws_clear();
}

int main(void)
{
	ws_begin();
	trees();
	leaves();
	faults();
	ws_end();
	return t_done();
}
