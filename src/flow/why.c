#include <string.h>

#include "base/str.h"
#include "flow/accept.h"
#include "flow/check.h"
#include "flow/codetext.h"
#include "flow/why_in.h"

void why_hex(struct arena *a, struct dom *map, const char *key, const struct sha *s)
{
	char hex[SHA_HEX + 1];

	sha_hex(s, hex);
	dom_set_cstr(a, map, key, hex);
}

void why_time(struct arena *a, struct dom *map, const char *key, int64_t ms)
{
	char text[TIME_TEXT];

	if (!ms) {
		dom_set_str(a, map, key, STR_NULL);
		return;
	}
	time_rfc3339(ms, text);
	dom_set_cstr(a, map, key, text);
}

static void set_col(struct arena *a, struct dom *map, const char *key, struct q *q, int col)
{
	if (!q_col_is_null(q, col) && q_col_text(q, col).n)
		dom_set_str(a, map, key, q_col_text(q, col));
}

int why_unit_row(struct catalog *c, struct arena *a, int64_t unit, struct dom **out, const struct dom **ingredients,
                 struct err *e)
{
	struct q *q = db_query(catalog_store(c)->db,
	                       "select u.job, u.ds, u.run, u.state, u.reason, u.global_id, r.batch, u.started, "
	      "u.finished, u.attempts,"
	                       " u.threads, u.error, u.original, u.commit_id, u.ingredients, r.command"
	                       " from unit u left join run r on r.id = u.run where u.id = ?");
	struct err mine = ERR_INIT;
	struct dom *row = NULL, *doc = NULL;
	int r;

	q_int(q, 1, unit);
	r = q_step(q, e);
	if (r == 1) {
		row = dom_new(a, DOM_MAP);
		set_col(a, row, "job", q, 0);
		set_col(a, row, "ds", q, 1);
		dom_set_int(a, row, "unit", unit);
		set_col(a, row, "run", q, 2);
		set_col(a, row, "state", q, 3);
		set_col(a, row, "reason", q, 4);
		set_col(a, row, "global_id", q, 5);
		set_col(a, row, "batch", q, 6);
		set_col(a, row, "command", q, 15);
		why_time(a, row, "started", q_col_int(q, 7));
		why_time(a, row, "finished", q_col_int(q, 8));
		dom_set_int(a, row, "attempts", q_col_int(q, 9));
		if (!q_col_is_null(q, 10))
			dom_set_int(a, row, "threads", q_col_int(q, 10));
		set_col(a, row, "error", q, 11);
		if (!q_col_is_null(q, 12))
			dom_set_int(a, row, "original", q_col_int(q, 12));
		set_col(a, row, "commit", q, 13);
		/* A row that another version wrote in another way is as good as none. */
		if (q_col_text(q, 14).n && dom_json(a, arena_str(a, q_col_text(q, 14)), "", &doc, &mine) < 0)
			doc = NULL;
	}
	q_done(q);
	if (r <= 0)
		return r;
	if (dom_get(doc, "facts"))
		dom_set(a, row, "facts", dom_copy(a, dom_get(doc, "facts")));
	*out = row;
	if (ingredients)
		*ingredients = doc;
	return 1;
}

struct lister {
	struct arena *a;
	struct dom *out;
	const char *prefix;
	int64_t more;
};

static int list_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct lister *l = ptr;
	struct dom *file;

	if (l->out->n >= WHY_MAX_FILES) {
		l->more++;
		return 0;
	}
	file = dom_new(l->a, DOM_MAP);
	dom_set_str(l->a, file, "path", arena_strf(l->a, "%s%.*s", l->prefix, STR_ARG(path)));
	why_hex(l->a, file, "sha256", &entry->id);
	dom_set_int(l->a, file, "size", entry->size);
	dom_add(l->out, file);
	return 0;
}

int why_files(struct catalog *c, struct arena *a, const struct sha *tree, const char *prefix, struct dom **out,
              struct err *e)
{
	struct lister l = {.a = a, .out = dom_new(a, DOM_LIST), .prefix = prefix};

	if (tree_walk(catalog_store(c), NULL, tree, false, list_file, &l, e) < 0)
		return -1;
	if (l.more) {
		struct dom *more = dom_new(a, DOM_MAP);

		dom_set_int(a, more, "more", l.more);
		dom_add(l.out, more);
	}
	*out = l.out;
	return 0;
}

static int input_doc(struct catalog *c, struct arena *a, const struct unit_input *in, struct dom **out, struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP), *files = dom_new(a, DOM_LIST), *some = NULL;
	const struct reads *r = &in->reads;

	dom_set_str(a, doc, "name", in->input->name);
	dom_set_str(a, doc, "repo", in->input->repo);
	if (in->input->pin.p)
		dom_set_str(a, doc, "pin", in->input->pin);
	if (r->repo && r->repo->has_commit)
		dom_set_cstr(a, doc, "commit", r->repo->head.id.hex);
	if (r->state == READS_MISSING) {
		dom_set_cstr(a, doc, "state", "missing");
		dom_set_cstr(a, doc, "missing", reads_missing_text(a, in->input, r));
	} else {
		dom_set_cstr(a, doc, "state", r->planned ? "planned" : "there");
	}
	if (r->whole) {
		if (r->repo->has_commit && why_files(c, a, &r->root.id, "", &files, e) < 0)
			return -1;
	} else if (r->n_parts) {
		dom_set_cstr(a, doc, "from", r->parts[0].label);
		dom_set_cstr(a, doc, "to", r->parts[r->n_parts - 1].label);
	}
	for (size_t i = 0; i < r->n_parts && files->n < WHY_MAX_FILES; i++) {
		if (why_files(c, a, &r->parts[i].entry.id, arena_printf(a, "ds=%s/", r->parts[i].label), &some, e) < 0)
			return -1;
		for (struct dom *f = some->first, *next; f; f = next) {
			next = f->next;
			f->next = NULL;
			dom_add(files, f);
		}
	}
	dom_set(a, doc, "files", files);
	*out = doc;
	return 0;
}

static int checks_doc(struct catalog *c, struct arena *a, const struct plan_unit *u, struct dom **out, struct err *e)
{
	struct dom *list = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < u->job->n_checks; i++) {
		struct sha key = key_check(&u->job->checks[i], &u->current_tree);
		struct dom *doc = dom_new(a, DOM_MAP);
		struct str detail = STR_NULL;
		bool passed = false;
		int r = check_result_find(catalog_store(c)->db, a, &key, &passed, &detail, e);

		dom_set_str(a, doc, "check", u->job->checks[i].text);
		if (r == 1) {
			dom_set_bool(a, doc, "passed", passed);
			dom_set_str(a, doc, "detail", detail);
		} else {
			dom_set_str(a, doc, "passed", STR_NULL);
			dom_set_cstr(a, doc, "detail", "not tried on this output");
		}
		if (r < 0)
			return -1;
		dom_add(list, doc);
	}
	*out = list;
	return 0;
}

static const char *state_of(const struct plan_unit *u)
{
	bool there = !sha_is_zero(&u->current_tree);

	switch (u->reason) {
	case REASON_INPUT_MISSING:
		return "waiting";
	case REASON_INPUT_GONE:
		return "input-gone";
	default:
		return !there ? "missing" : reason_runs(u->reason) ? "stale" : "up-to-date";
	}
}

static const char *answer(struct arena *a, const struct plan_unit *u, const struct dom *made,
                          const struct dom *accepted, const struct why_cause *cause)
{
	struct str what = arena_strf(a, "%.*s%s%s", STR_ARG(job_output(u->job)), *u->ds.label ? " ds=" : "",
	                             u->ds.label);
	const struct dom *run = made ? dom_get(made, "run") : NULL;
	const char *by = run ? arena_printf(a, " (run %.*s)", 8, run->s.p) : "";

	if (!strcmp(state_of(u), "up-to-date") && accepted)
		return arena_printf(a, "%.*s is up to date: accepted by %.*s: %.*s", STR_ARG(what),
		                    STR_ARG(dom_get(accepted, "by")->s), STR_ARG(dom_get(accepted, "because")->s));
	if (!strcmp(state_of(u), "up-to-date"))
		return arena_printf(a, "%.*s is up to date%s: %s", STR_ARG(what), by, plan_say(a, u));
	if (cause->text && !strcmp(cause->state, "held") && cause->ds.every == u->ds.every && u->known)
		return arena_printf(a, "%.*s was made and is held, not published: %s", STR_ARG(what), cause->text);
	return arena_printf(a, "%.*s is %s: %s%s%s", STR_ARG(what), state_of(u), plan_say(a, u),
	                    cause->text ? ": " : "", cause->text ? cause->text : "");
}

static struct dom *cause_doc(struct arena *a, const struct why_cause *cause)
{
	struct dom *doc = dom_new(a, DOM_MAP);

	dom_set_str(a, doc, "job", cause->job->name);
	dom_set_cstr(a, doc, "ds", cause->ds.label);
	dom_set_cstr(a, doc, "state", cause->state);
	if (cause->error)
		dom_set_cstr(a, doc, "error", cause->error);
	dom_set_cstr(a, doc, "text", cause->text);
	return doc;
}

/* Of the last execution, whatever became of it. */
static int last_unit(struct catalog *c, const struct plan_unit *u, int64_t *out, struct err *e)
{
	struct q *q = db_query(catalog_store(c)->db, "select max(id) from unit where job = ? and ds = ?");
	int r;

	q_text(q, 1, u->job->name);
	q_cstr(q, 2, u->ds.label);
	r = q_step(q, e);
	*out = r == 1 ? q_col_int(q, 0) : 0;
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int add_history(struct flow *f, struct catalog *c, struct arena *a, struct plan_unit *u, struct dom *doc,
                       struct dom **made, const struct dom **before, struct err *e)
{
	struct dom *last = NULL;
	int64_t id = 0;

	if (u->current_unit && why_unit_row(c, a, u->current_unit, made, before, e) < 0)
		return -1;
	if (last_unit(c, u, &id, e) < 0 || (id && id != u->current_unit && why_unit_row(c, a, id, &last, NULL, e) < 0))
		return -1;
	if (*made)
		dom_set(a, doc, "made_by", *made);
	if (last)
		dom_set(a, doc, "last", last);
	return 0;
}

static int add_key(struct flow *f, struct catalog *c, struct arena *a, struct plan_unit *u, struct dom *doc,
                   const struct dom *before, struct err *e)
{
	const struct dom *now = u->key.ingredients;

	if (u->after_upstream || u->reason == REASON_INPUT_MISSING || u->reason == REASON_INPUT_GONE ||
	    u->reason == REASON_PARAM_MISSING) {
		dom_set_str(a, doc, "key", STR_NULL);
		return 0;
	}
	if (!now && key_ingredients(f, c, a, NULL, u, &now, e) < 0)
		return -1;
	why_hex(a, doc, "key", &u->key.key);
	dom_set_bool(a, doc, "memoised", u->key.memoised);
	if (u->key.why_not)
		dom_set_cstr(a, doc, "why_not", u->key.why_not);
	if (before) {
		struct dom *changes = key_diff(a, before, now);

		dom_each (change, changes)
			if (codetext_explain(f, a, u->job, change, e) < 0)
				return -1;
		why_name_files(c, a, before, now, changes);
		dom_set(a, doc, "changes", changes);
	}
	dom_set(a, doc, "ingredients", (struct dom *)now);
	return 0;
}

/* Of what is there somebody said that it is what its key gives. NULL: nobody did. */
static int find_accepted(struct catalog *c, struct arena *a, const struct plan_unit *u, struct dom **out, struct err *e)
{
	const struct current *cur = NULL;

	*out = NULL;
	if (catalog_current(c, u->job->output, u->ds.label, &cur, e) < 0)
		return -1;
	return cur ? accept_find(catalog_store(c), a, &cur->key, &u->current_tree, out, e) : 0;
}

int why_unit(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, const struct ds *ds,
             const struct dom **out, struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP), *inputs = dom_new(a, DOM_LIST), *files = NULL, *made = NULL,
	      *checks = NULL, *accepted = NULL;
	struct dom *history = dom_new(a, DOM_MAP);
	const struct dom *before = NULL;
	struct why_cause cause = {0};
	struct plan_unit *u = NULL;

	if (plan_look(f, c, a, j, ds, &u, e) < 0 || why_cause(f, c, a, u, &cause, e) < 0 ||
	    add_history(f, c, a, u, history, &made, &before, e) < 0 ||
	    find_accepted(c, a, u, &accepted, e) < 0)
		return -1;
	dom_set_cstr(a, doc, "answer", answer(a, u, made, accepted, &cause));
	dom_set_str(a, doc, "job", j->name);
	dom_set_cstr(a, doc, "ds", ds->label);
	dom_set_cstr(a, doc, "state", state_of(u));
	dom_set_cstr(a, doc, "reason", reason_word(u->reason));
	if (u->detail)
		dom_set_cstr(a, doc, "detail", u->detail);
	if (cause.text)
		dom_set(a, doc, "cause", cause_doc(a, &cause));
	dom_set_bool(a, doc, "would_run", reason_runs(u->reason) && !u->known);
	if (!j->no_output)
		dom_set_str(a, doc, "output", j->output);
	if (*ds->label && !j->no_output)
		dom_set_str(a, doc, "path", arena_strf(a, "ds=%s/", ds->label));
	if (accepted)
		dom_set(a, doc, "accepted", accepted);
	if (add_key(f, c, a, u, doc, before, e) < 0)
		return -1;
	for (struct dom *v = history->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		dom_set(a, doc, arena_cstr(a, v->key), v);
	}
	for (size_t i = 0; i < u->n_inputs; i++) {
		struct dom *in = NULL;

		if (input_doc(c, a, &u->inputs[i], &in, e) < 0)
			return -1;
		dom_add(inputs, in);
	}
	dom_set(a, doc, "inputs", inputs);
	if (checks_doc(c, a, u, &checks, e) < 0)
		return -1;
	dom_set(a, doc, "checks", checks);
	if (!sha_is_zero(&u->current_tree) && !j->no_output) {
		if (why_files(c, a, &u->current_tree, *ds->label ? arena_printf(a, "ds=%s/", ds->label) : "", &files,
		      e) < 0)
			return -1;
		dom_set(a, doc, "files", files);
	}
	*out = doc;
	return 0;
}
