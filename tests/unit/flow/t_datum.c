/* flow/datum: the units that inputs give, and which of them differ between two states. */
#include "flow/datum.h"
#include "flow_fx.h"

static const struct sha *now(const struct job *j)
{
	struct sha *t = arena_array(fx_a, struct sha, j->n_inputs);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < j->n_inputs; i++) {
		struct commit c = {0};
		int r = input_resolve(fx_store, fx_a, j, &j->inputs[i], &c, &e);

		fx_must(r, &e);
		if (r)
			t[i] = c.tree;
	}
	return t;
}

static const struct job *job_of(const char *inputs)
{
	fx_write("jobs/x/job.yaml", arena_printf(fx_a, "kind: task\ncommand: x\n%s\n", inputs));
	fx_reload();
	return fx_job("x");
}

struct got {
	char *text;
	size_t n;
	struct sha last;
};

static int one(void *ptr, const struct datum *d, struct err *e)
{
	struct got *g = ptr;

	(void)e;
	if (g->n++ < 20)
		g->text =
			arena_printf(fx_a, "%s%s%s", g->text ? g->text : "", g->text ? "; " : "", datum_label(fx_a, d));
	T_OK(!sha_eq(&g->last, &d->id), "a unit has an id of its own");
	g->last = d->id;
	return 0;
}

static struct got units(const char *inputs)
{
	const struct job *j = job_of(inputs);
	struct got g = {0};
	struct err e = ERR_INIT;

	fx_must(datum_each(j, fx_store, fx_a, now(j), one, &g, &e), &e);
	return g;
}

static void many(const char *repo, const char *form, int n)
{
	struct ingest *in = ingest_new(fx_store);
	struct tree_edit edits[200];
	struct err e = ERR_INIT;

	for (int i = 0; i < n; i++) {
		char *path = arena_printf(fx_a, "%s", form), *bits = strchr(path, '#');

		if (bits) { /* four binary digits, padded as the pattern says: "#" or "_" */
			char four[5] = "0000", *first;

			for (int k = 0; k < 4; k++)
				four[3 - k] = (char)('0' + (i >> k & 1));
			first = strchr(four, '1');
			for (char *p = four; form[0] == '_' && p < (first ? first : four + 3); p++)
				*p = ' ';
			path = arena_printf(fx_a, "f%s", four);
		} else {
			path = arena_printf(fx_a, "%s%02d", form, i);
		}
		edits[i] = (struct tree_edit){.op = EDIT_PUT, .path = str_of(path)};
		fx_must(ingest_bytes(in, str_of(path), &edits[i].entry, &e), &e);
	}
	fx_put_as(str_of(repo), REPO_SOURCE, edits, (size_t)n, in);
}

static void globs(void)
{
	many("eleven", "d/", 11);
	T_STR(units("inputs: {a: {repo: eleven, glob: /}}").text, "/", "the glob / gives one unit");
	T_STR(units("inputs: {a: {repo: eleven, glob: \"/*\"}}").text, "/d", "a folder at the top is one unit");
	T_INT((int)units("inputs: {a: {repo: eleven, glob: \"/*/*\"}}").n, 11, "files below are one each");
	T_INT((int)units("inputs: {a: {repo: eleven, glob: \"/**\"}}").n, 12,
	      "** matches folders and files, not the root");
	T_INT((int)units("inputs: {a: {repo: eleven, glob: \"/nothing*\"}}").n, 0, "a glob without a match gives none");
	T_INT((int)units("inputs: {a: {repo: no/such, glob: /}}").n, 0, "a repo that is not there gives none");
	many("gone", "x", 1);
	fx_rm("gone", "x00");
	T_INT((int)units("inputs: {a: {repo: gone, glob: /}}").n, 0, "neither does an empty one, with /");
	T_STR(units("inputs: {a: {repo: eleven, glob: \"/*/@(03|07)\"}}").text, "/d/03; /d/07", "groups choose");
}

static void crosses(void)
{
	many("seven", "s", 7);
	many("one", "o", 1);
	many("two", "t", 2);
	many("pair", "p", 2);
	T_INT((int)units("inputs: {a: {repo: eleven, glob: \"/*/*\"}, b: {repo: seven, glob: \"/*\"}, c: one}").n, 77,
	      "a cross of 11, 7 and 1 files is 77 units");
	T_INT((int)units("inputs: {a: {repo: eleven, glob: \"/*/*\"}, b: {repo: gone, glob: \"/*\"}, c: one}").n, 0,
	      "with an empty repo it is none");
	T_STR(units("inputs: {a: {repo: two, glob: \"/*\"}, b: {repo: pair, glob: \"/*\"}}").text,
	      "/t00 + /p00; /t00 + /p01; /t01 + /p00; /t01 + /p01", "a cross is in the order of its paths");
	T_INT((int)units(
		      "input: {union: [{cross: [{pfs: {repo: two, glob: \"/*\"}}, {pfs: {repo: pair, glob: \"/*\"}}]},"
		      "{cross: [{pfs: {repo: two, name: c, glob: \"/*\"}}, "
		      "{pfs: {repo: pair, name: d, glob: \"/*\"}}]}]}")
	              .n,
	      8, "a union of two crosses of two pairs is 8 units");
	T_INT((int)units(
		      "input: {cross: [{union: [{pfs: {repo: two, name: a, glob: \"/*\"}}, {pfs: {repo: pair, name: a, "
		      "glob: \"/*\"}}]}, {union: [{pfs: {repo: two, name: b, glob: \"/*\"}}, "
		      "{pfs: {repo: pair, name: b, "
		      "glob: \"/*\"}}]}]}")
	              .n,
	      16, "a cross of two unions of two pairs is 16 units");
	T_INT((int)units("input: {union: [{pfs: {repo: two, glob: \"/*\"}}, {pfs: {repo: two, glob: \"/*0\"}}]}").n, 2,
	      "what a union gives twice is one unit");
}

static void keyed(void)
{
	many("bits", "#", 16);
	many("padded", "_#", 16);
	T_STR(units("input: {join: [{pfs: {repo: bits, glob: \"/f(11*)\", joinOn: $1}}, "
	            "{pfs: {name: b, repo: bits, glob: \"/f(*0)\", joinOn: $1}}]}")
	              .text,
	      "/f1100 + /f1100; /f1110 + /f1110", "of names of four binary digits, (11*) and (*0) join in two");
	T_INT((int)units("input: {join: [{pfs: {repo: bits, glob: \"/f(11*)\", joinOn: $1, outerJoin: true}}, "
	                 "{pfs: {name: b, repo: bits, glob: \"/f(*0)\", joinOn: $1}}]}")
	              .n,
	      4, "an outer join keeps those of its side that have no partner");
	T_INT((int)units("input: {join: [{pfs: {repo: bits, glob: \"/f(11*)\", joinOn: $1, outerJoin: true}}, "
	                 "{pfs: {name: b, repo: bits, glob: \"/f(*0)\", joinOn: $1, outerJoin: true}}]}")
	              .n,
	      10, "and of both sides if both are");
	T_INT((int)units("inputs: {a: {repo: padded, glob: \"/f(?)(?)(?)(?)\", groupBy: $3}}").n, 3,
	      "by the third of four digits that are padded with blanks there are three groups");
	T_STR(units("inputs: {a: {repo: bits, glob: \"/f(?)(?)(?)(?)\", groupBy: $3}}").text,
	      "/f0000 and 7 more; /f0010 and 7 more", "and two with zeros");
	T_STR(units("inputs: {a: {repo: two, glob: \"/t(*)\", groupBy: $1}, b: "
	"{repo: pair, glob: \"/p(*)\", groupBy: $1}}")
	              .text,
	      "/t00 + /p00; /t01 + /p01", "a group takes what is equal of several repos");
	T_STR(units("input: {group: [{join: [{pfs: {repo: bits, glob: \"/f(11)(*)\", joinOn: $1, groupBy: x}},"
	            "{pfs: {name: b, repo: two, glob: \"/t(0)(0)\", joinOn: \"11\"}}]}]}")
	              .text,
	      "/f1100 and 4 more", "a group of a join has each file once");
}

static int moved(void *ptr, const struct datum *was, const struct datum *is, struct err *e)
{
	const char *sign = was && is ? "~" : was ? "-" : "+";
	struct got *g = ptr;

	(void)e;
	if (!was && !is) {
		T_OK(false, "a change of a unit that never was");
		return 0;
	}
	const struct datum *one = is ? is : was;

	BUG_IF(!one);
	g->n++;
	g->text = arena_printf(fx_a, "%s%s%s%s", g->text ? g->text : "", g->text ? "; " : "", sign,
	                       datum_label(fx_a, one));
	if (was && is)
		T_OK(sha_eq(&was->id, &is->id) &&
		             !sha_eq(&was->parts[was->n - 1].entry.id, &is->parts[is->n - 1].entry.id),
		     "a changed unit is the same with another content");
	return 0;
}

static const char *changes(const struct job *j, const struct sha *old)
{
	struct got g = {0};
	struct err e = ERR_INIT;
	int r = datum_changes(j, fx_store, fx_a, old, now(j), moved, &g, &e);

	fx_must(r, &e);
	return r ? g.text : "cannot";
}

static void changed(void)
{
	const struct job *j = job_of("inputs: {a: {repo: moving, glob: \"/*\"}}");
	const struct sha *before = now(j);

	fx_put("moving", "a", "1");
	fx_put("moving", "d/x", "1");
	T_STR(changes(j, before), "+/a; +/d", "in an empty repo all is new");
	before = now(j);
	T_STR(changes(j, before), NULL, "what stands still has no changes");
	fx_put("moving", "d/y", "1");
	T_STR(changes(j, before), "~/d", "a folder changes by what is in it");
	before = now(j);
	fx_rm("moving", "a");
	fx_put("moving", "b", "1");
	T_STR(changes(j, before), "-/a; +/b", "what is gone and what is new");
	j = job_of("inputs: {a: {repo: moving, glob: /}}");
	before = now(j);
	fx_put("moving", "b", "2");
	T_STR(changes(j, before), "~/", "the whole repo is one that changed");
	j = job_of("inputs: {t: {repo: two, glob: \"/*\"}, a: {repo: moving, glob: \"/*\"}}");
	before = now(j);
	fx_put("moving", "b", "3");
	T_STR(changes(j, before), "~/t00 + /b; ~/t01 + /b", "a cross changes with one of its inputs");
	fx_put("two", "t02", "x");
	T_STR(changes(j, before), "cannot", "with two it has to be gone through");
	before = now(j);
	fx_put("two", "t00", "x");
	T_STR(changes(job_of("inputs: {t: {repo: two, glob: \"/(*)\", groupBy: $1}}"), before), "cannot",
	      "and so has a group");
}

static void contents(void)
{
	const char *forms[] = {"inputs: {a: {repo: same, glob: /}}",
	                       "inputs: {a: {repo: same, glob: /, reference: true}}",
	                       "inputs: {a: {repo: same, glob: /, emptyFiles: true}}"};
	struct sha before[3], after[3];
	struct err e = ERR_INIT;

	fx_put("same", "f", "1");
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < 3; i++) {
			const struct job *j = job_of(forms[i]);
			struct datum_part part = {.leaf = 0, .entry = {.kind = ENTRY_FOLDER, .id = now(j)[0]}};
			struct datum d = {.parts = &part, .n = 1};

			fx_must(datum_content(j, fx_store, &d, turn ? &after[i] : &before[i], &e), &e);
			if (turn)
				T_INT(sha_eq(&before[i], &after[i]), turn == 1 ? i > 0 : i == 1, "%s: %s", forms[i],
				      turn == 1 ? "another content" : "another name");
		}
		fx_put("same", turn ? "g" : "f", "2");
	}
}

int main(void)
{
	fx_begin("name: x\n");
	globs();
	crosses();
	keyed();
	changed();
	contents();
	return fx_end();
}
