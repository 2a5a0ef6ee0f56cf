#include "flow/input.h"

#include "base/cron.h"
#include "base/name.h"
#include "base/str.h"
#include "base/tz.h"
#include "repo/overlay.h"

static const char *const words[] = {
	[INPUT_PFS] = "pfs",   [INPUT_CROSS] = "cross", [INPUT_UNION] = "union",
	[INPUT_JOIN] = "join", [INPUT_GROUP] = "group", [INPUT_CRON] = "cron",
};

const char *input_word(enum input_kind k)
{
	return words[k];
}

struct str input_rev(const struct job_input *in)
{
	return in->pin.p ? in->pin : in->branch;
}

bool input_is_pinned(const struct job_input *in)
{
	return in->pin.p && !str_is(in->pin, "master");
}

bool input_any_pinned(const struct job *j)
{
	for (size_t i = 0; i < j->n_inputs; i++)
		if (input_is_pinned(&j->inputs[i]))
			return true;
	return false;
}

/* ---- spelling ---- */

static void rename_keys(struct dom *v, int depth)
{
	static const struct {
		const char *snake, *camel;
	} names[] = {{"join_on", "joinOn"},
	             {"outer_join", "outerJoin"},
	             {"group_by", "groupBy"},
	             {"empty_files", "emptyFiles"}};

	if (v->type != DOM_MAP && v->type != DOM_LIST)
		return;
	dom_each (child, v) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (child->key.p && str_is(child->key, names[i].snake) &&
			    !dom_get(v, names[i].camel)) /* written both ways it is one too many, and stays one */
				child->key = str_of(names[i].camel);
		if (depth < DOM_MAX_DEPTH)
			rename_keys(child, depth + 1);
	}
}

void input_rename(struct dom *doc)
{
	struct dom *flat = dom_get(doc, "inputs"), *tree = dom_get(doc, "input");

	if (flat && (flat->type == DOM_MAP || flat->type == DOM_LIST))
		dom_each (in, flat) /* their own names are the user's */
			rename_keys(in, 1);
	if (tree)
		rename_keys(tree, 0);
}

/* ---- one input ---- */

struct parse {
	struct arena *a;
	struct job *j;
	struct err *e;
	VEC(struct job_input) inputs;
};

static int fault(struct parse *p, const struct dom *at, const char *hint)
{
	if (hint)
		err_hint(p->e, "%s", hint);
	return job_at(p->e, p->j, at->line, at->col);
}

static struct str last_part(struct str repo)
{
	struct str head, last = repo;

	if (!str_rcut(repo, '/', &head, &last))
		return repo;
	return last;
}

/* "a-b.c" → "a_b_c" */
static struct str ident_of(struct arena *a, struct str last)
{
	char *s = arena_printf(a, "%s%.*s", last.n && last.p[0] >= '0' && last.p[0] <= '9' ? "_" : "", STR_ARG(last));

	for (char *p = s; *p; p++)
		if (!keys_is_ident((struct str){p, 1}) && !(*p >= '0' && *p <= '9'))
			*p = '_';
	return str_of(s);
}

static int window(struct parse *p, struct job_input *in, const struct dom *v)
{
	if (v->type == DOM_STR) {
		in->window = WINDOW_ALL;
		return 0;
	}
	if (v->n != 2 || v->first->i > v->last->i) {
		err_set(p->e, ERR_BAD_CONFIG, "a window is two numbers, the first not greater than the second");
		return fault(p, v, "[-6, 0] is a week up to the unit's own day; all is every partition");
	}
	in->window = WINDOW_RANGE;
	in->lo = v->first->i;
	in->hi = v->last->i;
	return 0;
}

static int pin(struct parse *p, struct job_input *in, const struct dom *v)
{
	if (in->pin.p) {
		err_set(p->e, ERR_BAD_CONFIG, "the repo is pinned twice, by @%.*s and by pin:", STR_ARG(in->pin));
		return fault(p, v, NULL);
	}
	in->pin = dom_text(p->a, v);
	return 0;
}

static int branch(struct parse *p, struct job_input *in, const struct dom *v)
{
	if (name_check_branch(v->s, p->e))
		return fault(p, v, NULL);
	in->branch = v->s;
	return 0;
}

static int one_key(struct parse *p, struct job_input *in, const struct dom *v)
{
	static const struct {
		const char *name;
		size_t text, flag; /* offset of a text, of a bool; 0: none */
		int (*fill)(struct parse *p, struct job_input *in, const struct dom *v);
	} keys[] = {
		{"name", offsetof(struct job_input, name), 0, NULL},
		{"glob", offsetof(struct job_input, glob), 0, NULL},
		{"joinOn", offsetof(struct job_input, join_on), 0, NULL},
		{"groupBy", offsetof(struct job_input, group_by), 0, NULL},
		{"spec", offsetof(struct job_input, cron), 0, NULL},
		{"start", offsetof(struct job_input, cron_start), 0, NULL},
		{"optional", 0, offsetof(struct job_input, optional), NULL},
		{"outerJoin", 0, offsetof(struct job_input, outer), NULL},
		{"emptyFiles", 0, offsetof(struct job_input, empty_files), NULL},
		{"reference", 0, offsetof(struct job_input, reference), NULL},
		{"lazy", 0, offsetof(struct job_input, lazy), NULL},
		{"overwrite", 0, offsetof(struct job_input, overwrite), NULL},
		{"window", 0, 0, window},
		{"pin", 0, 0, pin},
		{"branch", 0, 0, branch},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!str_is(v->key, keys[i].name))
			continue;
		if (keys[i].fill)
			return keys[i].fill(p, in, v);
		if (keys[i].flag)
			*(bool *)((char *)in + keys[i].flag) = v->b;
		else
			*(struct str *)((char *)in + keys[i].text) = v->s;
	}
	return 0;
}

/* The groups of a glob that is right; joinOn and groupBy ask for no more of them. */
static int check_data(struct parse *p, const struct job_input *in, const struct dom *map)
{
	static const char *const of_glob[] = {"joinOn", "outerJoin", "groupBy", "emptyFiles", "reference", "lazy"};
	static const char *const patterns[] = {"joinOn", "groupBy"};
	struct glob *g;
	struct str out;

	if (in->pin.p && in->branch.p) {
		err_set(p->e, ERR_BAD_CONFIG, "the input has a branch and a pin");
		return fault(p, dom_get(map, "branch"), "a pin stands still, a branch moves: leave one of them out");
	}
	if (!in->glob.p) {
		for (size_t i = 0; i < ARRAY_LEN(of_glob); i++)
			if (dom_get(map, of_glob[i]) && dom_get(map, of_glob[i])->type != DOM_NULL) {
				err_set(p->e, ERR_BAD_CONFIG,
				        "%s says something of the files of a glob, and there is none", of_glob[i]);
				return fault(p, dom_get(map, of_glob[i]), "add glob:, as in `glob: \"/*\"`");
			}
		return 0;
	}
	if (glob_compile_groups(p->a, in->glob, &g, p->e)) {
		p->e->code = ERR_BAD_CONFIG;
		return fault(p, dom_get(map, "glob"), NULL);
	}
	if (glob_groups(g) > INPUT_MAX_GROUPS) {
		err_set(p->e, ERR_BAD_CONFIG, "the glob has %zu groups, and %d can be", glob_groups(g),
		        INPUT_MAX_GROUPS);
		return fault(p, dom_get(map, "glob"), NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		const struct dom *v = dom_get(map, patterns[i]);

		if (v && v->type == DOM_STR && input_expand(p->a, v->s, NULL, glob_groups(g), &out, p->e))
			return fault(p, v, NULL);
	}
	return 0;
}

static int map_of(struct parse *p, struct job_input *in, const struct dom *map)
{
	dom_each (v, map)
		if (v->type != DOM_NULL && one_key(p, in, v))
			return -1;
	return check_data(p, in, map);
}

static void repo_of(struct parse *p, struct job_input *in, struct str text)
{
	in->repo = text;
	if (str_cut(text, '@', &in->repo, &in->pin)) {
		in->repo = arena_str(p->a, in->repo);
		in->pin = arena_str(p->a, in->pin);
	}
}

static int push(struct parse *p, const struct job_input *in, const struct dom *at)
{
	if (p->inputs.n == INPUT_MAX_LEAVES) {
		err_set(p->e, ERR_LIMIT, "a job has %d inputs at most", INPUT_MAX_LEAVES);
		return fault(p, at, NULL);
	}
	vec_push(p->a, &p->inputs, *in);
	return 0;
}

/* ---- flat ---- */

static int add_flat(struct parse *p, struct str name, const struct dom *v)
{
	const struct dom *repo = v->type == DOM_MAP ? dom_get(v, "repo") : v;
	struct job_input in = {.line = v->line, .col = v->col};

	if (v->type == DOM_NULL) {
		err_set(p->e, ERR_BAD_CONFIG, "the input has no repo");
		return job_at(p->e, p->j, v->key_line ? v->key_line : v->line, v->key_line ? v->key_col : v->col);
	}
	repo_of(p, &in, repo->s);
	if (v->type == DOM_MAP && map_of(p, &in, v))
		return -1;
	if (name.p && !keys_is_ident(name)) {
		err_set(p->e, ERR_BAD_CONFIG, "an input cannot be called \"%.*s\"", STR_ARG(name));
		err_hint(p->e, "letters, digits and _, no digit first: tasks find it as LEAT_INPUT_<name>");
		return job_at(p->e, p->j, v->key_line, v->key_col);
	}
	if (name.p) {
		in.name = name;
	} else if (!in.name.p) {
		in.folder = last_part(in.repo);
		in.name = ident_of(p->a, in.folder);
	}
	for (size_t i = 0; i < p->inputs.n; i++)
		if (str_eq(p->inputs.p[i].name, in.name)) {
			err_set(p->e, ERR_BAD_CONFIG, "two inputs are called \"%.*s\"", STR_ARG(in.name));
			return fault(p, v, "give them names: `inputs: {one: REPO, other: REPO}`");
		}
	return push(p, &in, v);
}

static struct input_node *node(struct parse *p, enum input_kind kind, size_t kids, int line, int col)
{
	struct input_node *n = arena_new_of(p->a, struct input_node);

	*n = (struct input_node){.kind = kind, .line = line, .col = col};
	n->kids = arena_array(p->a, const struct input_node *, kids);
	return n;
}

static const struct input_node *alone(const struct input_node *n)
{
	return n->n == 1 ? n->kids[0] : n;
}

/*
 * The tree of flat inputs: those with joinOn are joined, what then has groupBy is grouped, and the rest is crossed with
 * that. Beside a glob an input without one is read whole.
 */
static int flat_tree(struct parse *p, const struct dom *at)
{
	size_t n = p->inputs.n;
	struct input_node *join = node(p, INPUT_JOIN, n, at->line, at->col),
			  *group = node(p, INPUT_GROUP, n + 1, at->line, at->col),
			  *cross = node(p, INPUT_CROSS, n + 2, at->line, at->col);
	bool any = false, grouped = false;

	for (size_t i = 0; i < n; i++)
		any |= p->inputs.p[i].glob.p != NULL;
	if (!any)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct job_input *in = &p->inputs.p[i];
		struct input_node *leaf;

		if (!in->glob.p && p->j->every != EVERY_NONE) /* each unit reads it as one of the calendar does */
			continue;
		leaf = node(p, INPUT_PFS, 0, in->line, in->col);
		leaf->leaf = i;
		if (!in->glob.p)
			in->glob = STR("/");
		if (in->window != WINDOW_OWN || in->optional) {
			err_set(p->e, ERR_BAD_CONFIG,
			        p->j->every == EVERY_NONE
			                ? "%s is for partitions, and the units of this job come from globs"
			                : "%s is for what a unit reads whole, and this input has a glob",
			        in->optional ? "optional" : "window");
			return job_at(p->e, p->j, in->line, in->col);
		}
		if (in->join_on.p)
			join->kids[join->n++] = leaf;
		else if (in->group_by.p)
			group->kids[group->n++] = leaf;
		else
			cross->kids[cross->n++] = leaf;
		grouped |= in->join_on.p && in->group_by.p;
	}
	if (join->n == 1) {
		err_set(p->e, ERR_BAD_CONFIG, "only one input has joinOn, so there is nothing to join it with");
		return job_at(p->e, p->j, join->kids[0]->line, join->kids[0]->col);
	}
	if (join->n)
		*(grouped ? &group->kids[group->n++] : &cross->kids[cross->n++]) = join;
	if (group->n)
		cross->kids[cross->n++] = group;
	p->j->tree = alone(cross);
	return 0;
}

static int flat(struct parse *p, const struct dom *v)
{
	if (v->type == DOM_STR)
		return add_flat(p, STR_NULL, v);
	dom_each (in, v)
		if (add_flat(p, v->type == DOM_MAP ? in->key : STR_NULL, in))
			return -1;
	return flat_tree(p, v);
}

/* ---- tree ---- */

static int check_tick(struct parse *p, const struct job_input *in, const struct dom *v)
{
	struct err why = ERR_INIT;
	struct cron c;
	int64_t ms;

	if (cron_parse(in->cron, &c, &why)) {
		err_set(p->e, ERR_BAD_CONFIG, "\"spec\" cannot be \"%s\"", STR_SHOWN(in->cron));
		return fault(p, dom_get(v, "spec"), why.hint);
	}
	if (in->cron_start.p && !time_parse_rfc3339(in->cron_start, &ms)) {
		err_set(p->e, ERR_BAD_CONFIG, "\"start\" cannot be \"%s\"", STR_SHOWN(in->cron_start));
		return fault(p, dom_get(v, "start"), "a time, as in 2017-11-27T06:00:00Z");
	}
	return 0;
}

static int leaf(struct parse *p, const struct dom *v, bool cron, struct input_node *n)
{
	struct job_input in = {.line = v->line, .col = v->col};
	const struct dom *repo = dom_get(v, "repo");

	if (repo)
		repo_of(p, &in, repo->s);
	if (cron)
		in.glob = STR("/*");
	if (map_of(p, &in, v))
		return -1;
	in.folder = in.name.p ? in.name : last_part(in.repo);
	in.name = ident_of(p->a, in.folder);
	if (cron && check_tick(p, &in, v))
		return -1;
	if (cron)
		in.repo = arena_strf(p->a, "%.*s_%.*s", STR_ARG(p->j->name), STR_ARG(in.folder));
	n->leaf = p->inputs.n;
	return push(p, &in, v);
}

static int tree(struct parse *p, const struct dom *v, const struct input_node **out);

static bool names_meet(const struct parse *p, const struct input_node *a, const struct input_node *b, size_t *which)
{
	if (a->kind == INPUT_PFS || a->kind == INPUT_CRON) {
		if (b->kind == INPUT_PFS || b->kind == INPUT_CRON) {
			*which = b->leaf;
			return str_eq(p->inputs.p[a->leaf].name, p->inputs.p[b->leaf].name);
		}
		for (size_t i = 0; i < b->n; i++)
			if (names_meet(p, a, b->kids[i], which))
				return true;
		return false;
	}
	for (size_t i = 0; i < a->n; i++)
		if (names_meet(p, a->kids[i], b, which))
			return true;
	return false;
}

/* Whether a leaf below has what the node needs: joinOn, groupBy. */
static bool has_key(const struct parse *p, const struct input_node *n, bool join)
{
	if (n->kind == INPUT_PFS || n->kind == INPUT_CRON)
		return (join ? p->inputs.p[n->leaf].join_on : p->inputs.p[n->leaf].group_by).p;
	for (size_t i = 0; i < n->n; i++)
		if (has_key(p, n->kids[i], join))
			return true;
	return false;
}

static int kids(struct parse *p, const struct dom *list, struct input_node *n)
{
	size_t twice;

	if (!list->n) {
		err_set(p->e, ERR_BAD_CONFIG, "the %s has no inputs", words[n->kind]);
		return fault(p, list, NULL);
	}
	dom_each (v, list) {
		if (tree(p, v, &n->kids[n->n]))
			return -1;
		for (size_t i = 0; i < n->n && n->kind != INPUT_UNION; i++)
			if (names_meet(p, n->kids[i], n->kids[n->n], &twice)) {
				const struct job_input *in = &p->inputs.p[twice];

				err_set(p->e, ERR_BAD_CONFIG, "two inputs are called \"%.*s\"", STR_ARG(in->folder));
				err_hint(p->e,
				         "give one of them another name: (only the inputs of a union may share one)");
				return job_at(p->e, p->j, in->line, in->col);
			}
		if ((n->kind == INPUT_JOIN || n->kind == INPUT_GROUP) &&
		    !has_key(p, n->kids[n->n], n->kind == INPUT_JOIN)) {
			err_set(p->e, ERR_BAD_CONFIG, "an input of a %s needs %s", words[n->kind],
			        n->kind == INPUT_JOIN ? "joinOn" : "groupBy");
			err_hint(p->e, "$1 is what the first ( ) of its glob matched");
			return job_at(p->e, p->j, n->kids[n->n]->line, n->kids[n->n]->col);
		}
		n->n++;
	}
	return 0;
}

static int tree(struct parse *p, const struct dom *v, const struct input_node **out)
{
	const struct dom *found = NULL;
	struct input_node *n;
	size_t kind = 0;

	dom_each (k, v) {
		if (k->type == DOM_NULL)
			continue;
		if (found) {
			err_set(p->e, ERR_BAD_CONFIG, "an input is one thing, and here are %.*s and %.*s",
			        STR_ARG(found->key), STR_ARG(k->key));
			err_hint(p->e, "put both into a list: `cross: [{%.*s: ...}, {%.*s: ...}]`", STR_ARG(found->key),
			         STR_ARG(k->key));
			return job_at(p->e, p->j, k->key_line, k->key_col);
		}
		found = k;
	}
	if (!found) {
		err_set(p->e, ERR_BAD_CONFIG, "the input is empty");
		return fault(p, v, "one of pfs, cross, union, join, group, cron");
	}
	while (!str_is(found->key, words[kind]))
		kind++; /* keys_check let nothing else pass */
	n = node(p, (enum input_kind)kind, found->n, found->line, found->col);
	*out = n;
	if (found->type == DOM_MAP)
		return leaf(p, found, kind == INPUT_CRON, n);
	return kids(p, found, n);
}

/* The tree; what inputs: has then is for the calendar. */
static int beside(struct parse *p, const struct dom *doc)
{
	size_t n = p->inputs.n;

	if (p->j->tree) {
		err_set(p->e, ERR_BAD_CONFIG, "beside input: no input of inputs: has a glob");
		return fault(p, doc, "put it into the tree of input:");
	}
	if (tree(p, doc, &p->j->tree))
		return -1;
	for (size_t i = n; i < p->inputs.n; i++)
		for (size_t k = 0; k < n; k++)
			if (str_eq(p->inputs.p[i].name, p->inputs.p[k].name)) {
				err_set(p->e, ERR_BAD_CONFIG, "two inputs are called \"%.*s\"",
				        STR_ARG(p->inputs.p[i].name));
				return job_at(p->e, p->j, p->inputs.p[i].line, p->inputs.p[i].col);
			}
	return 0;
}

int input_parse(struct arena *a, struct job *j, const struct dom *flat_doc, const struct dom *tree_doc, struct err *e)
{
	struct parse p = {.a = a, .j = j, .e = e};
	struct err mine = ERR_INIT;

	p.e = &mine;
	if (flat_doc && tree_doc && j->every == EVERY_NONE) {
		err_set(e, ERR_BAD_CONFIG, "the job has inputs: and input:");
		err_hint(e, "input: is the tree of a Pachyderm pipeline; put all into one of them");
		return job_at(e, j, tree_doc->key_line, tree_doc->key_col);
	}
	if ((flat_doc && flat(&p, flat_doc)) || (tree_doc && beside(&p, tree_doc))) {
		*e = mine;
		j->tree = NULL;
		return -1;
	}
	for (size_t i = 0; i < p.inputs.n; i++)
		if (j->tree && str_is(p.inputs.p[i].name, "out")) {
			err_set(e, ERR_BAD_CONFIG, "an input cannot be called \"out\": /pfs/out is what a unit writes");
			return job_at(e, j, p.inputs.p[i].line, p.inputs.p[i].col);
		}
	j->inputs = p.inputs.p;
	j->n_inputs = p.inputs.n;
	return 0;
}

/* ---- where it stands ---- */

int input_resolve(struct store *s, struct arena *a, const struct job *j, const struct job_input *in, struct commit *out,
                  struct err *e)
{
	struct str rev = input_rev(in);
	struct err mine = ERR_INIT;
	struct repo repo;
	struct pin pin = {0};
	int r = repo_find(s, a, in->repo, &repo, e);

	if (r <= 0 && !(r == 0 && input_is_pinned(in)))
		return r;
	if (!input_is_pinned(in)) {
		r = branch_head(s, repo.id, rev.p ? rev : store_branch(s), out, e);
		return r <= 0 ? r : store_lease_commit(s, repo.id, out->id, e) < 0 ? -1 : 1;
	}
	if (pin_resolve(s, a, arena_strf(a, "%.*s@%.*s", STR_ARG(in->repo), STR_ARG(rev)), &pin, &mine)) {
		*e = mine;
		return job_at(e, j, in->line, in->col);
	}
	if (pin.has_commit)
		*out = pin.commit;
	return pin.has_commit;
}

/* ---- $1 ---- */

int input_expand(struct arena *a, struct str pattern, const struct str *groups, size_t n, struct str *out,
                 struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NAME_MAX_PATH * INPUT_MAX_GROUPS);

	for (size_t i = 0; i < pattern.n; i++) {
		size_t at = i + 1, g = 0;
		bool brace = at < pattern.n && pattern.p[at] == '{', digits = false;

		if (pattern.p[i] != '$') {
			buf_addc(&b, pattern.p[i]);
			continue;
		}
		for (at += brace; at < pattern.n && pattern.p[at] >= '0' && pattern.p[at] <= '9' && g < 1000; at++) {
			g = g * 10 + (size_t)(pattern.p[at] - '0');
			digits = true;
		}
		if (!digits || !g || (brace && (at == pattern.n || pattern.p[at++] != '}'))) {
			err_set(e, ERR_BAD_CONFIG, "\"%s\" names no group after $", STR_SHOWN(pattern));
			return err_hint(e, "$1 is what the first ( ) of the glob matched");
		}
		if (g > n) {
			err_set(e, ERR_BAD_CONFIG, "there is no $%zu: the glob has %zu group%s", g, n,
			        n == 1 ? "" : "s");
			return err_hint(e, "put ( ) round the part of the glob that it means, as in /(*)-*.csv");
		}
		if (groups)
			buf_addstr(&b, groups[g - 1]);
		i = at - 1;
	}
	if (groups)
		*out = arena_str(a, buf_str(&b));
	return 0;
}
