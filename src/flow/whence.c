#include "flow/whence.h"

#include "base/str.h"
#include "flow/data.h"
#include "flow/why_in.h"
#include "repo/contents.h"

#define UNITS_LOOKED 2000 /* of an event: who of them wrote a file that no head shows any more */

struct telling {
	struct flow *f;
	struct catalog *c;
	struct store *s;
	struct arena *a;
	struct dom *doc;
	const struct contents_hit *hit;
	struct str repo; /* its name */
	bool ended;
	struct str job;   /* whose output it is now; STR_NULL */
	struct dom *unit; /* that made it; NULL */
	const struct dom *ingredients;
};

static int repo_row(struct telling *t, int64_t id, struct err *e)
{
	struct q *q = db_query(t->s->db, "select name, ended, job from repo where id = ?");
	int r;

	q_int(q, 1, id);
	r = q_step(q, e);
	if (r == 1) {
		t->repo = arena_str(t->a, q_col_text(q, 0));
		t->ended = !q_col_is_null(q, 1);
		if (!t->ended && q_col_text(q, 2).n)
			t->job = arena_str(t->a, q_col_text(q, 2));
	}
	q_done(q);
	return r < 0 ? -1 : r ? 0 : err_set(e, ERR_DAMAGED, "the index of contents names a repo that is not there");
}

/* What the store knows of the event that brought it: who, when, by which command; its ds. */
static int put_doc(struct telling *t, struct err *e)
{
	struct q *q = db_query(t->s->db, "select kind, at, who, command, label from event where id = ?");
	struct dom *put = dom_new(t->a, DOM_MAP);
	int r;

	q_cstr(q, 1, t->hit->brought.hex);
	r = q_step(q, e);
	dom_set_cstr(t->a, put, "global_id", t->hit->brought.hex);
	if (r == 1) {
		why_time(t->a, put, "at", q_col_int(q, 1));
		if (q_col_text(q, 2).n)
			dom_set_str(t->a, put, "author", q_col_text(q, 2));
		dom_set_str(t->a, put, "kind", q_col_text(q, 0));
		if (q_col_text(q, 3).n)
			dom_set_str(t->a, put, "command", q_col_text(q, 3));
		if (q_col_text(q, 4).n)
			dom_set_str(t->a, put, "ds", q_col_text(q, 4));
	}
	q_done(q);
	dom_set(t->a, t->doc, "put", put);
	return r < 0 ? -1 : 0;
}

/*
 * The unit of the event that wrote the file, where no row names it any more; of what was let go its only one. By the
 * runs that wrote this repo: a put may have a million units of others.
 */
static int find_unit(struct telling *t, const struct sha *id, int64_t *out, struct err *e)
{
	struct q *q = db_query(t->s->db,
	                       "select u.id, u.tree, u.ds from run r cross join unit u where u.run = r.id"
	                       " and r.batch = (select batch from event where id = ?1) and ?2 ="
	                       " (select x.repo from unit x where x.run = r.id and x.repo is not null limit 1)"
	                       " and +u.global_id = ?1 and u.repo = ?2 and u.state = 'success' limit ?3");
	struct str path = t->hit->path, day, rest;
	int64_t any = 0, n = 0;
	int r;

	*out = 0;
	q_cstr(q, 1, t->hit->brought.hex);
	q_int(q, 2, t->hit->repo);
	q_int(q, 3, UNITS_LOOKED);
	while ((r = q_step(q, e)) == 1) {
		struct err inner = ERR_INIT;
		struct entry at;
		struct sha tree;

		any = q_col_int(q, 0);
		n++;
		if (!path.p || !q_col_sha(q, 1, &tree))
			continue;
		if (str_has_prefix(path, STR("ds=")) && str_cut(path, '/', &day, &rest) &&
		    tree_find(t->s, NULL, &tree, rest, &at, &inner) == 1 && sha_eq(&at.id, id))
			break;
		if (tree_find(t->s, NULL, &tree, path, &at, &inner) == 1 && sha_eq(&at.id, id))
			break;
	}
	if (r == 1 || (!path.p && n == 1))
		*out = any;
	q_done(q);
	return r < 0 ? -1 : 0;
}

static void keep_key(struct telling *t, const char *key, const char *as)
{
	const struct dom *v = dom_get(t->ingredients, key);

	if (v && !dom_get(t->unit, as))
		dom_set(t->a, t->unit, as, dom_copy(t->a, v));
}

/* Who made it, as why tells it; for that the commit must be there. */
static int maker(struct telling *t, const struct sha *id, struct err *e)
{
	const struct dom *why = NULL;
	const struct dom *unit_id;
	struct dom *row = NULL;
	int64_t unit = 0;

	if (t->hit->path.p && !t->ended &&
	    why_path(t->f, t->c, t->a,
	             arena_strf(t->a, "%.*s@%s:/%.*s", STR_ARG(t->repo), t->hit->commit.id.hex, STR_ARG(t->hit->path)),
	             &why, e))
		return -1;
	t->unit = why ? dom_get(why, "made_by") : NULL;
	unit_id = dom_get(t->unit, "unit");
	if (unit_id)
		unit = unit_id->i;
	if (!unit && find_unit(t, id, &unit, e))
		return -1;
	if (unit && why_unit_row(t->c, t->a, unit, &row, &t->ingredients, e) < 0)
		return -1;
	if (!t->unit && row) {
		t->unit = row;
		keep_key(t, "code", "code");
		keep_key(t, "files", "code_files");
		keep_key(t, "params", "params");
		if (t->ingredients && why_inputs(t->f, t->c, t->a, t->ingredients, t->unit, e))
			return -1;
	}
	if (t->unit) {
		dom_set(t->a, t->doc, "made_by", dom_copy(t->a, t->unit));
		return 0;
	}
	if (why && dom_get(why, "put") && !strcmp(t->hit->brought.hex, t->hit->commit.id.hex)) {
		dom_set(t->a, t->doc, "put", dom_copy(t->a, dom_get(why, "put")));
		return 0;
	}
	return put_doc(t, e);
}

static void state(struct telling *t, const char *word)
{
	dom_set_cstr(t->a, t->doc, "state", word);
	dom_set_bool(t->a, t->doc, "current", !strcmp(word, "current"));
}

/* What its unit is today, by the plan: changes since it was made, where it is no longer what would be made. */
static int against_plan(struct telling *t, const struct job *j, bool at_head, struct err *e)
{
	struct str label = dom_str(t->unit, "ds");
	const struct dom *why = NULL, *changes;
	struct err inner = ERR_INIT;
	struct plan_unit *u = NULL;
	struct ds ds = {0};

	if (j->tree) {
		if (data_look(t->f, t->a, j, &u, &inner))
			return at_head ? (state(t, "current"), 0) : 0;
		if (at_head)
			state(t, reason_runs(u->reason) ? "stale" : "current");
		if (reason_runs(u->reason))
			dom_set_cstr(t->a, t->doc, "reason", plan_say(t->a, u));
		return 0;
	}
	if (label.n && ds_parse(label, &ds, &inner))
		return 0;
	if (why_unit(t->f, t->c, t->a, j, &ds, &why, &inner)) { /* its job cannot be planned: what stands, stands */
		if (at_head)
			state(t, "stale");
		dom_set_cstr(t->a, t->doc, "reason", arena_dup(t->a, inner.msg));
		return 0;
	}
	changes = dom_get(why, "changes");
	if (at_head)
		state(t, str_is(dom_str(why, "state"), "up-to-date") ? "current" : "stale");
	if (at_head && !str_is(dom_str(why, "state"), "up-to-date")) {
		dom_set_str(t->a, t->doc, "reason", dom_str(why, "answer"));
		if (changes && changes->n)
			dom_set(t->a, t->doc, "changes", dom_copy(t->a, changes));
	}
	return 0;
}

static const struct dom *with(const struct dom *list, const char *key, struct str value)
{
	dom_each (x, list)
		if (str_eq(dom_str(x, key), value))
			return x;
	return NULL;
}

/* What key_diff does not tell: which of the files differ that units of data read. */
static void paths_diff(struct arena *a, const struct dom *before, const struct dom *now, struct dom *out)
{
	dom_each (in, dom_get(now, "inputs")) {
		const struct dom *was = with(dom_get(before, "inputs"), "name", dom_str(in, "name"));

		dom_each (p, dom_get(in, "paths")) {
			const struct dom *old = with(dom_get(was, "paths"), "path", dom_str(p, "path"));
			struct dom *row;

			if (old && str_eq(dom_str(old, "content"), dom_str(p, "content")))
				continue;
			row = dom_new(a, DOM_MAP);
			dom_set_cstr(a, row, "what", "input");
			dom_set_str(a, row, "name", dom_str(in, "name"));
			if (old)
				dom_set_str(a, row, "before", dom_str(old, "content"));
			dom_set_str(a, row, "now", dom_str(p, "content"));
			dom_set_str(a, row, "text",
			            arena_strf(a, "%.*s:%.*s %s", STR_ARG(dom_str(in, "repo")),
			                       STR_ARG(dom_str(p, "path")),
			                       old ? "changed" : "is new"));
			dom_add(out, row);
		}
	}
}

/* Another file stands at its path now: who made that, and what is different in what it was made from. */
static int replaced(struct telling *t, const struct catalog_repo *r, struct err *e)
{
	struct dom *other, *by = dom_new(t->a, DOM_MAP), *changes, *row = NULL;
	const struct dom *why = NULL, *theirs = NULL, *id, *v;

	state(t, "replaced");
	if (why_path(t->f, t->c, t->a,
	             arena_strf(t->a, "%.*s@%s:/%.*s", STR_ARG(t->repo), r->head.id.hex, STR_ARG(t->hit->path)), &why,
	             e))
		return -1;
	other = dom_get(why, "made_by");
	id = dom_get(other, "unit");
	if (id && why_unit_row(t->c, t->a, id->i, &row, &theirs, e) < 0)
		return -1;
	if (other) {
		dom_set_str(t->a, by, "run", dom_str(other, "run"));
		dom_set_str(t->a, by, "short", str_sub(dom_str(other, "run"), 0, 8));
		if ((v = dom_get(other, "finished")))
			dom_set_str(t->a, by, "at", v->s);
	} else if ((v = dom_get(why, "put"))) {
		dom_set_str(t->a, by, "commit", dom_str(v, "global_id"));
		dom_set_str(t->a, by, "at", dom_str(v, "at"));
		if (dom_get(v, "author"))
			dom_set_str(t->a, by, "author", dom_str(v, "author"));
	}
	if (dom_get(why, "sha256"))
		dom_set_str(t->a, by, "sha256", dom_str(why, "sha256"));
	dom_set(t->a, t->doc, "replaced_by", by);
	if (t->ingredients && theirs) {
		changes = key_diff(t->a, t->ingredients, theirs);
		why_name_files(t->c, t->a, t->ingredients, theirs, changes);
		paths_diff(t->a, t->ingredients, theirs, changes);
		if (changes->n)
			dom_set(t->a, t->doc, "changes", changes);
	}
	return 0;
}

/* Whether it is what its place shows now, and if that is what would be made now. */
static int now(struct telling *t, const struct sha *id, struct err *e)
{
	const struct job *j = t->job.p ? graph_producer(t->f->graph, t->repo) : NULL;
	struct catalog_repo *r = NULL;
	struct entry at;
	int got;

	if (t->ended) {
		state(t, "ended");
		return 0;
	}
	got = catalog_repo(t->c, t->repo, STR_NULL, &r, e);
	if (got < 0)
		return -1;
	if (t->hit->let_go) {
		state(t, "let-go");
		return j && t->unit ? against_plan(t, j, false, e) : 0;
	}
	got = got && r->has_commit ? tree_find(t->s, NULL, &r->head.tree, t->hit->path, &at, e) : 0;
	if (got < 0)
		return -1;
	if (!got) {
		state(t, "removed");
		return 0;
	}
	if (at.kind != ENTRY_FILE || !sha_eq(&at.id, id))
		return replaced(t, r, e);
	if (j && t->unit)
		return against_plan(t, j, true, e);
	state(t, "current");
	return 0;
}

/* A word for a shell, in quotes where it needs some. */
struct str whence_word(struct arena *a, struct str s)
{
	struct buf b = BUF_INIT(1 << 16);
	struct str out;
	bool plain = s.n;

	for (size_t i = 0; i < s.n; i++)
		plain = plain && ((s.p[i] | 32) >= 'a' ? (s.p[i] | 32) <= 'z'
		                                       : strchr("0123456789-+_./:=@,%", s.p[i]) && s.p[i]);
	if (plain)
		return s;
	buf_addc(&b, '\'');
	for (size_t i = 0; i < s.n; i++)
		s.p[i] == '\'' ? buf_adds(&b, "'\\''") : buf_addc(&b, s.p[i]);
	buf_addc(&b, '\'');
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

/* " -p k=v" of what was given by hand. */
static int by_hand(struct telling *t, struct buf *b, struct err *e)
{
	struct q *q = db_query(t->s->db, "select params from run where id = ?");
	struct err mine = ERR_INIT;
	struct dom *params = NULL;
	int r;

	q_text(q, 1, dom_str(t->unit, "run"));
	r = q_step(q, e);
	if (r == 1 && q_col_text(q, 0).n && dom_json(t->a, arena_str(t->a, q_col_text(q, 0)), "", &params, &mine))
		params = NULL;
	q_done(q);
	dom_each (p, params) {
		if (p->type == DOM_LIST || p->type == DOM_MAP)
			continue;
		struct str pair = arena_strf(t->a, "%.*s=%.*s", STR_ARG(p->key), STR_ARG(dom_text(t->a, p)));
		buf_addf(b, " -p %.*s", STR_ARG(whence_word(t->a, pair)));
	}
	return r < 0 ? -1 : 0;
}

/* The commands: one that makes it again, and where its bytes are still there one that gives them. */
static int again(struct telling *t, struct err *e)
{
	struct buf b = BUF_INIT(1 << 16);
	const struct dom *put = dom_get(t->doc, "put");
	bool same = str_is(dom_str(t->doc, "state"), "current");
	int rc = 0;

	if (t->unit && jobs_get(t->f->jobs, dom_str(t->unit, "job"))) {
		const struct job *j = jobs_get(t->f->jobs, dom_str(t->unit, "job"));
		struct str ds = dom_str(t->unit, "ds");

		buf_addf(&b, "leat run %.*s%s%.*s", STR_ARG(j->name), ds.n ? " " : "", STR_ARG(ds));
		rc = by_hand(t, &b, e);
		if (same)
			buf_adds(&b, " --again");
		dom_set_str(t->a, t->doc, "again", buf_str(&b));
	} else if (put && dom_get(put, "command")) {
		dom_set_str(t->a, t->doc, "again", dom_str(put, "command"));
	}
	if (t->hit->path.p && !t->ended)
		dom_set_str(t->a, t->doc, "get",
		            arena_strf(t->a, "leat get %.*s",
		                       STR_ARG(whence_word(t->a,
		                                           arena_strf(t->a, "%.*s@%.12s:/%.*s", STR_ARG(t->repo),
		                                                      t->hit->commit.id.hex, STR_ARG(t->hit->path))))));
	buf_free(&b);
	return rc;
}

static const char *sentence(struct telling *t, struct str name)
{
	static const struct {
		const char *state, *says;
	} says[] = {
		{"current", "it is what stands there now"}, {"stale", "it is what stands there now, and out of date"},
		{"replaced", "another stands there now"},   {"removed", "nothing stands there now"},
		{"ended", "that repo was ended"},           {"let-go", "its bytes were let go"},
	};
	struct arena *a = t->a;
	const struct dom *put = dom_get(t->doc, "put");
	struct str now = dom_str(t->doc, "state"), ds = t->unit ? dom_str(t->unit, "ds") : dom_str(put, "ds");
	const char *place, *by = "", *end = "";

	if (t->hit->path.p)
		place = arena_printf(a, "%.*s:/%.*s", STR_ARG(t->repo), STR_ARG(t->hit->path));
	else
		place = arena_printf(a, "a file of %.*s%s%.*s", STR_ARG(t->repo), ds.n ? " ds=" : "", STR_ARG(ds));
	if (t->unit)
		by = arena_printf(a, ", made by job %.*s in run %.8s", STR_ARG(dom_str(t->unit, "job")),
		                  dom_str(t->unit, "run").n ? dom_str(t->unit, "run").p : "?");
	else if (put && dom_get(put, "kind"))
		by = arena_printf(a, ", which came by %.*s %.8s", STR_ARG(dom_str(put, "kind")),
		                  dom_str(put, "global_id").p);
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		if (str_is(now, says[i].state))
			end = says[i].says;
	return arena_printf(a, "%.*s is %s%s; %s", STR_ARG(name), place, by, end);
}

static int tell_hit(struct telling *t, const struct sha *id, struct str name, struct err *e)
{
	const struct contents_hit *h = t->hit;

	if (repo_row(t, h->repo, e))
		return -1;
	dom_set_str(t->a, t->doc, "repo", t->repo);
	dom_set_cstr(t->a, t->doc, "commit", h->commit.id.hex);
	if (h->commit.number)
		dom_set_int(t->a, t->doc, "number", h->commit.number);
	if (h->path.p)
		dom_set_str(t->a, t->doc, "path", arena_strf(t->a, "/%.*s", STR_ARG(h->path)));
	if (maker(t, id, e) || now(t, id, e) || again(t, e))
		return -1;
	dom_set_cstr(t->a, t->doc, "answer", sentence(t, name));
	return 0;
}

/* How much a place tells: what a head shows before what it showed once, and that before what was let go. */
static int rank(struct telling *t, const struct contents_hit *h, const struct sha *id)
{
	struct telling x = *t;
	struct err inner = ERR_INIT;
	struct catalog_repo *r;
	struct entry at;

	if (h->let_go || repo_row(&x, h->repo, &inner) || x.ended)
		return 0;
	if (catalog_repo(t->c, x.repo, STR_NULL, &r, &inner) == 1 && r->has_commit &&
	    tree_find(t->s, NULL, &r->head.tree, h->path, &at, &inner) == 1 && sha_eq(&at.id, id))
		return r->repo.role == REPO_OUTPUT ? 3 : 2;
	return 1;
}

static int others(struct telling *t, const struct contents_hit *all, size_t n, int64_t more, struct err *e)
{
	struct dom *list = dom_new(t->a, DOM_LIST);

	for (size_t i = 0; i < n; i++) {
		struct telling x = *t;
		struct dom *row = dom_new(t->a, DOM_MAP);

		if (&all[i] == t->hit)
			continue;
		if (list->n == WHENCE_MAX_ALSO) {
			more += (int64_t)(n - i);
			break;
		}
		if (repo_row(&x, all[i].repo, e))
			return -1;
		dom_set_str(t->a, row, "repo", x.repo);
		dom_set_cstr(t->a, row, "commit", all[i].commit.id.hex);
		if (all[i].path.p)
			dom_set_str(t->a, row, "path", arena_strf(t->a, "/%.*s", STR_ARG(all[i].path)));
		else
			dom_set_bool(t->a, row, "let_go", true);
		dom_add(list, row);
	}
	if (list->n)
		dom_set(t->a, t->doc, "also", list);
	if (more)
		dom_set_int(t->a, t->doc, "more", more);
	return 0;
}

static const char *form_words(struct arena *a, const struct form *was, const struct form *is)
{
	const char *eol = "", *mark = "", *last = "";

	if (is->bom != was->bom)
		mark = was->bom ? "a byte order mark was added; " : "its byte order mark went; ";
	if (is->crlf != was->crlf)
		eol = was->crlf ? "its line ends became CRLF; " : "its line ends became LF; ";
	if (!eol[0] && !mark[0])
		last = is->newlines > was->newlines ? "its last newline went; " : "a newline was added at its end; ";
	if (is->newlines == was->newlines && !eol[0] && !mark[0])
		last = "its line ends were made alike; ";
	const char *out = arena_printf(a, "%s%s%s", mark, eol, last);
	return arena_printf(a, "%.*s", (int)strlen(out) - 2, out);
}

static int exports(struct telling *t, const struct sha *id, struct str name, struct err *e)
{
	struct dom *list = dom_new(t->a, DOM_LIST), *doc;
	struct exported *x;
	size_t n;

	if (exported_find(t->s, t->a, id, &x, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (whence_export(t->c, t->a, &x[i], &doc, e))
			return -1;
		dom_add(list, doc);
	}
	if (!n)
		return 0;
	dom_set(t->a, t->doc, "exports", list);
	if (!dom_get(t->doc, "answer")) {
		doc = list->first;
		dom_set_str(t->a, t->doc, "state", dom_str(doc, "state"));
		dom_set_bool(t->a, t->doc, "current", str_is(dom_str(doc, "state"), "current"));
		dom_set_cstr(t->a, t->doc, "answer",
		             arena_printf(t->a, "%.*s is the result of a query, which %.*s wrote to %.*s; %s",
		                          STR_ARG(name), STR_ARG(dom_str(doc, "who")), STR_ARG(dom_str(doc, "name")),
		                          str_is(dom_str(doc, "state"), "current") ? "its tables are as they were"
		                                                                : "its tables have changed since"));
		if (dom_get(doc, "again"))
			dom_set_str(t->a, t->doc, "again", dom_str(doc, "again"));
		if (dom_get(doc, "changes"))
			dom_set(t->a, t->doc, "changes", dom_copy(t->a, dom_get(doc, "changes")));
	}
	return 1;
}

/* One form of the bytes, if that is known. */
static int tell(struct telling *t, const struct contents_hit *hits, size_t n, int64_t more, const struct sha *id,
                struct str name, struct err *e)
{
	int best = -1, r;

	for (size_t i = 0; i < n; i++) {
		r = rank(t, &hits[i], id);
		if (r > best) {
			best = r;
			t->hit = &hits[i];
		}
	}
	if (n && (tell_hit(t, id, name, e) || others(t, hits, n, more, e)))
		return -1;
	r = exports(t, id, name, e);
	return r < 0 ? -1 : n || r;
}

int whence_tell(struct flow *f, struct catalog *c, struct arena *a, const struct whence_ask *ask, struct dom **out,
                struct err *e)
{
	struct telling t = {.f = f, .c = c, .s = f->store, .a = a, .doc = dom_new(a, DOM_MAP)};
	struct contents_hit *hits;
	struct sha *ids = arena_array(a, struct sha, FORMS_MAX);
	int64_t more;
	size_t n;
	int r;

	catalog_graph(c, f->graph);
	if (contents_find(f->store, a, &ask->sha, 1, &hits, &n, &more, e))
		return -1;
	r = tell(&t, hits, n, more, &ask->sha, ask->name, e);
	if (r || !ask->n_forms) {
		*out = t.doc;
		return r;
	}
	for (size_t i = 0; i < ask->n_forms; i++)
		ids[i] = ask->forms[i].id;
	if (contents_find(f->store, a, ids, ask->n_forms, &hits, &n, &more, e))
		return -1;
	for (size_t i = 0; !r && i < ask->n_forms; i++) {
		size_t some = 0;

		if (sha_eq(&ids[i], &ask->sha))
			continue;
		for (size_t k = 0; k < n; k++) /* those of this form, in the order in which they came */
			if (hits[k].which == i)
				hits[some++] = hits[k];
		r = tell(&t, hits, some, 0, &ids[i], ask->name, e);
		if (r > 0)
			dom_set_cstr(a, t.doc, "as", form_words(a, &ask->was, &ask->forms[i]));
		if (some)
			break;
	}
	*out = t.doc;
	return r;
}
