#include "api/plan_file.h"

#include <inttypes.h>

#include "api/rows.h"
#include "base/buf.h"
#include "base/str.h"
#include "flow/key.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/file.h"

#define TOLD_MAX 20 /* things that moved and are named; the rest is counted */

static struct str text(const struct dom *map, const char *key)
{
	const struct dom *v = map && map->type == DOM_MAP ? dom_get(map, key) : NULL;

	return v && v->type == DOM_STR ? v->s : STR("");
}

struct str plan_file_unit(struct arena *a, const struct dom *unit)
{
	return arena_strf(a, "%.*s\n%.*s", STR_ARG(text(unit, "job")), STR_ARG(text(unit, "ds")));
}

/* --- making --- */

static struct dom *asked_of(struct arena *a, const struct asking *q)
{
	struct dom *out = dom_new(a, DOM_MAP), *jobs = dom_new(a, DOM_LIST), *ranges = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < q->jobs.n; i++)
		dom_add(jobs, dom_new_str(a, q->jobs.p[i]->name));
	for (size_t i = 0; i < q->ranges.n; i++) {
		const struct ds_range *r = &q->ranges.p[i];
		struct dom *one = dom_new(a, DOM_MAP);

		dom_set_cstr(a, one, "from", r->from.label);
		dom_set_cstr(a, one, "to", r->to.label);
		dom_set_bool(a, one, "newest", r->newest);
		dom_add(ranges, one);
	}
	dom_set(a, out, "jobs", jobs);
	dom_set(a, out, "ranges", ranges);
	dom_set_bool(a, out, "upstream", q->ask.upstream);
	if (q->ask.params)
		dom_set(a, out, "params", dom_copy(a, q->ask.params));
	return out;
}

static int add_head(struct catalog *c, struct arena *a, struct str name, struct map *seen, struct dom *heads,
                    struct err *e)
{
	struct catalog_repo *r = NULL;
	struct dom *one;
	int got;

	if (map_has(seen, name))
		return 0;
	map_set(seen, name, heads);
	got = catalog_repo(c, name, STR_NULL, &r, e);
	if (got < 0)
		return -1;
	one = dom_new(a, DOM_MAP);
	dom_set_str(a, one, "repo", name);
	dom_set_str(a, one, "commit", got && r->has_commit ? str_of(r->head.id.hex) : STR_NULL);
	dom_add(heads, one);
	return 0;
}

static int add_job(struct catalog *c, struct arena *a, const struct job *j, struct map *seen, struct dom *heads,
                   struct dom *code, struct err *e)
{
	struct dom *one = dom_new(a, DOM_MAP), *files = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < j->n_inputs; i++)
		if (!j->inputs[i].pin.p && !j->inputs[i].cron.p && add_head(c, a, j->inputs[i].repo, seen, heads, e))
			return -1;
	for (size_t i = 0; i < j->n_code; i++) {
		struct dom *file = dom_new(a, DOM_MAP);

		dom_set_str(a, file, "path", j->code[i].path);
		row_sha(a, file, "sha256", &j->code[i].sha);
		dom_add(files, file);
	}
	dom_set_str(a, one, "job", j->name);
	dom_set(a, one, "params", j->params ? dom_copy(a, j->params) : dom_new(a, DOM_NULL));
	dom_set(a, one, "files", files);
	dom_add(code, one);
	return add_head(c, a, j->output, seen, heads, e);
}

int plan_file_make(struct api *api, struct catalog *c, const struct asking *q, const struct dom *rows,
                   struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *doc = dom_new(a, DOM_MAP), *heads = dom_new(a, DOM_LIST), *code = dom_new(a, DOM_LIST);
	struct dom *units = dom_new(a, DOM_LIST);
	int64_t n[2] = {0}, bytes = 0;
	double seconds = 0;
	struct map seen, jobs;

	map_init(&seen, a);
	map_init(&jobs, a);
	dom_each (row, rows) {
		const struct dom *runs = dom_get(row, "runs"), *known = dom_get(row, "known"), *s;
		struct job *j = jobs_get(api->flow->jobs, text(row, "job"));

		if (!runs || !runs->b)
			continue;
		n[known && known->b]++;
		s = dom_get(row, "seconds");
		seconds += s ? s->d : 0;
		bytes += s ? dom_get(row, "bytes")->i : 0;
		dom_add(units, dom_copy(a, row));
		if (!j || map_has(&jobs, j->name))
			continue;
		map_set(&jobs, j->name, j);
		if (add_job(c, a, j, &seen, heads, code, e))
			return -1;
	}
	dom_set_int(a, doc, "format", PLAN_FILE_FORMAT);
	dom_set_cstr(a, doc, "leat", LEAT_VERSION);
	dom_set_str(a, doc, "workspace", store_workspace_id(api->store, a));
	dom_set_str(a, doc, "on", store_branch(api->store));
	row_time(a, doc, "made", clock_now_ms());
	dom_set_cstr(a, doc, "by", store_who());
	dom_set(a, doc, "asked", asked_of(a, q));
	dom_set(a, doc, "heads", heads);
	dom_set(a, doc, "code", code);
	dom_set(a, doc, "units", units);
	dom_set_int(a, doc, "to_run", n[0]);
	dom_set_int(a, doc, "known", n[1]);
	dom_set_real(a, doc, "seconds", seconds);
	dom_set_int(a, doc, "bytes", bytes);
	*out = doc;
	return 0;
}

/* --- writing --- */

static void cell(struct buf *b, struct str s, const char *end)
{
	rows_markdown_cell(b, s);
	buf_adds(b, end);
}

static void markdown(struct buf *b, const struct dom *plan)
{
	buf_addf(b, "# Plan\n\nMade %.*s by ", STR_ARG(text(plan, "made")));
	cell(b, text(plan, "by"), "");
	buf_addf(b, ", on %.*s. %" PRId64 " to run, %" PRId64 " known; by what the last runs took %.1f s and %" PRId64
	         " bytes.\n\n", STR_ARG(text(plan, "on")), dom_get(plan, "to_run")->i, dom_get(plan, "known")->i,
	         dom_get(plan, "seconds")->d, dom_get(plan, "bytes")->i);
	buf_adds(b, "| repo | commit |\n| --- | --- |\n");
	dom_each (h, dom_get(plan, "heads")) {
		buf_adds(b, "| ");
		cell(b, text(h, "repo"), " | ");
		cell(b, text(h, "commit").n ? text(h, "commit") : STR("(nothing yet)"), " |\n");
	}
	buf_adds(b, "\n| job | ds | why | what |\n| --- | --- | --- | --- |\n");
	dom_each (u, dom_get(plan, "units")) {
		const struct dom *known = dom_get(u, "known");

		buf_adds(b, "| ");
		cell(b, text(u, "job"), " | ");
		cell(b, text(u, "ds"), " | ");
		cell(b, text(u, "text"), known && known->b ? " (known) | " : " | ");
		cell(b, text(u, "detail"), " |\n");
	}
}

int plan_file_write(struct arena *a, const char *path, const struct dom *plan, struct err *e)
{
	struct buf b = BUF_INIT(PLAN_FILE_MAX);
	int rc;

	if (str_has_suffix(str_of(path), STR(".md"))) {
		markdown(&b, plan);
	} else {
		dom_write_json(&b, plan, DOM_PRETTY);
		buf_addc(&b, '\n');
	}
	rc = buf_over(&b) ? err_set(e, ERR_LIMIT, "the plan is larger than a file of one may be")
	                  : file_replace(path, buf_str(&b), 0666, 0, e);
	buf_free(&b);
	return rc;
}

/* --- reading --- */

static bool whole(const struct dom *d)
{
	static const char *const lists[] = {"heads", "code", "units"};
	const struct dom *asked = d->type == DOM_MAP ? dom_get(d, "asked") : NULL;

	for (size_t i = 0; asked && i < ARRAY_LEN(lists); i++)
		if (!dom_get(d, lists[i]) || dom_get(d, lists[i])->type != DOM_LIST)
			return false;
	return asked && asked->type == DOM_MAP && dom_get(asked, "jobs") && dom_get(asked, "jobs")->type == DOM_LIST &&
	       dom_get(asked, "ranges") && dom_get(asked, "ranges")->type == DOM_LIST;
}

int plan_file_read(struct api *api, const char *path, struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	const struct dom *format;
	struct err mine = ERR_INIT;
	struct dom *d = NULL;
	struct str bytes;

	if (file_read_plain(a, path, PLAN_FILE_MAX, &bytes, e))
		return -1;
	if (str_has_suffix(str_of(path), STR(".md"))) {
		err_set(e, ERR_BAD_REQUEST, "%s is a plan for reading", path);
		return err_hint(e, "'leat plan --save FILE.json' writes one that can be run");
	}
	if (dom_json(a, bytes, path, &d, &mine)) {
		err_set(e, ERR_BAD_REQUEST, "%s is no plan: %s", path, mine.msg);
		return err_hint(e, "'leat plan --save FILE' writes one");
	}
	format = d->type == DOM_MAP ? dom_get(d, "format") : NULL;
	if (!format || format->type != DOM_INT) {
		err_set(e, ERR_BAD_REQUEST, "%s is no plan", path);
		return err_hint(e, "'leat plan --save FILE' writes one");
	}
	if (format->i != PLAN_FILE_FORMAT || !str_is(text(d, "leat"), LEAT_VERSION)) {
		err_set(e, ERR_REFUSED, "%s is a plan of leat %.*s (format %" PRId64 "), this is leat %s (format %d)",
		        path, STR_ARG(text(d, "leat")), format->i, LEAT_VERSION, PLAN_FILE_FORMAT);
		return err_hint(e, "make it again: leat plan --save %s", path);
	}
	if (!whole(d))
		return err_set(e, ERR_BAD_REQUEST, "%s is no whole plan", path);
	if (!str_eq(text(d, "workspace"), store_workspace_id(api->store, a)))
		return err_set(e, ERR_REFUSED, "%s is a plan of another workspace", path);
	if (!str_eq(text(d, "on"), store_branch(api->store))) {
		err_set(e, ERR_REFUSED, "%s is a plan on %.*s, and this is %.*s", path, STR_ARG(text(d, "on")),
		        STR_ARG(store_branch(api->store)));
		return err_hint(e, "leat run --on %.*s --plan %s", STR_ARG(text(d, "on")), path);
	}
	*out = d;
	return 0;
}

static int read_ds(struct str label, struct ds *out, struct err *e)
{
	return label.n ? ds_parse(label, out, e) : 0;
}

int plan_file_ask(struct api *api, const struct dom *plan, struct asking *q, struct err *e)
{
	const struct dom *asked = dom_get(plan, "asked"), *newest, *upstream = dom_get(asked, "upstream");

	dom_each (name, dom_get(asked, "jobs")) {
		struct job *j;

		if (name->type != DOM_STR || jobs_find(api->flow->jobs, name->s, &j, e))
			return name->type == DOM_STR ? -1 : err_set(e, ERR_BAD_REQUEST, "a job there has no name");
		vec_push(api->arena, &q->jobs, j);
	}
	dom_each (one, dom_get(asked, "ranges")) {
		struct ds_range r = {0};

		if (read_ds(text(one, "from"), &r.from, e) || read_ds(text(one, "to"), &r.to, e))
			return -1;
		newest = one->type == DOM_MAP ? dom_get(one, "newest") : NULL;
		r.newest = newest && newest->b;
		vec_push(api->arena, &q->ranges, r);
	}
	if (q->ranges.n && q->ranges.n != q->jobs.n)
		return err_set(e, ERR_BAD_REQUEST, "the plan has not a range for each of its jobs");
	q->ask.upstream = upstream && upstream->b;
	q->ask.params = dom_get(asked, "params");
	q->ask.mode = q->ranges.n ? PLAN_EXPLICIT : PLAN_STALE;
	q->ask.pairs = q->ranges.n;
	q->explicit_ds = q->ranges.n;
	return 0;
}

/* --- comparing --- */

struct telling {
	struct arena *a;
	struct sink *out;
	size_t heads, code, units;
};

static void tell(struct telling *t, size_t *n, const char *what)
{
	if (t->heads + t->code + t->units < TOLD_MAX)
		sink_note(t->out, "%s", what);
	++*n;
}

static struct map by(struct arena *a, const struct dom *list, const char *key)
{
	struct map m;

	map_init(&m, a);
	if (list)
		dom_each (v, list)
			map_set(&m, key ? text(v, key) : plan_file_unit(a, v), (void *)v);
	return m;
}

static bool same(const struct dom *x, const struct dom *y, const char *key)
{
	const struct dom *a = x ? dom_get(x, key) : NULL, *b = y ? dom_get(y, key) : NULL;

	return a && b ? dom_equal(a, b) : a == b;
}

static int compare_heads(struct api *api, struct telling *t, const struct dom *plan, struct err *e)
{
	dom_each (h, dom_get(plan, "heads")) {
		struct str name = text(h, "repo"), old = text(h, "commit"), new = STR("");
		struct commit head;
		struct repo repo;
		int got = repo_find(api->store, t->a, name, &repo, e);

		if (got == 1)
			got = overlay_head(api->store, api->store->on, repo.id, &head, e);
		if (got < 0)
			return -1;
		if (got)
			new = str_of(head.id.hex);
		if (!str_eq(old, new))
			tell(t, &t->heads, arena_printf(t->a, "%.*s moved: %.*s -> %.*s", STR_ARG(name),
			                                old.n ? 12 : 7, old.n ? old.p : "nothing", new.n ? 12 : 7,
			                                new.n ? new.p : "nothing"));
	}
	return 0;
}

static bool has_file(const struct job *j, struct str path, struct str hex)
{
	char now[SHA_HEX + 1];

	for (size_t i = 0; i < j->n_code; i++) {
		sha_hex(&j->code[i].sha, now);
		if (str_eq(j->code[i].path, path) && str_is(hex, now))
			return true;
	}
	return false;
}

static void compare_code(struct api *api, struct telling *t, const struct dom *plan)
{
	dom_each (c, dom_get(plan, "code")) {
		const struct job *j = jobs_get(api->flow->jobs, text(c, "job"));
		const struct dom *params = dom_get(c, "params"), *files = dom_get(c, "files");

		if (!j) {
			tell(t, &t->code, arena_printf(t->a, "job %.*s is gone", STR_ARG(text(c, "job"))));
			continue;
		}
		if (!params || !dom_equal(params, j->params))
			tell(t, &t->code, arena_printf(t->a, "the parameters of %.*s changed",
			                               STR_ARG(text(c, "job"))));
		for (const struct dom *f = files ? files->first : NULL; f; f = f->next)
			if (!has_file(j, text(f, "path"), text(f, "sha256")))
				tell(t, &t->code, arena_printf(t->a, "%.*s changed", STR_ARG(text(f, "path"))));
	}
}

static const char *unit_name(struct arena *a, const struct dom *u)
{
	struct str ds = text(u, "ds");

	return arena_printf(a, "%.*s%s%.*s", STR_ARG(text(u, "job")), ds.n ? " " : "", STR_ARG(ds));
}

static const char *why_of(struct arena *a, const struct dom *u)
{
	struct str detail = text(u, "detail");

	return arena_printf(a, "%.*s%s%.*s", STR_ARG(text(u, "text")), detail.n ? ": " : "", STR_ARG(detail));
}

static void compare_units(struct telling *t, const struct dom *plan, const struct dom *now, bool say)
{
	struct map was = by(t->a, dom_get(plan, "units"), NULL), is = by(t->a, dom_get(now, "units"), NULL);
	struct telling mute = {.a = t->a};

	dom_each (u, dom_get(now, "units")) {
		const struct dom *old = map_get(&was, plan_file_unit(t->a, u));
		const char *what = NULL;

		if (!old)
			what = arena_printf(t->a, "%s would run too: %s", unit_name(t->a, u), why_of(t->a, u));
		else if (!same(old, u, "key") || !same(old, u, "reason") || !same(old, u, "known") ||
		         (!dom_get(u, "key") && !same(old, u, "detail")))
			what = arena_printf(t->a, "%s would do something else: %s (was: %s)", unit_name(t->a, u),
			                    why_of(t->a, u), why_of(t->a, old));
		if (what && say)
			tell(t, &mute.units, what);
		t->units += what != NULL;
	}
	dom_each (u, dom_get(plan, "units"))
		if (!map_has(&is, plan_file_unit(t->a, u))) {
			if (say)
				tell(t, &mute.units, arena_printf(t->a, "%s would not run now (was: %s)",
				                                  unit_name(t->a, u), why_of(t->a, u)));
			t->units++;
		}
}

int plan_file_same(struct api *api, const char *path, const struct dom *plan, const struct dom *now,
                   struct sink *out, struct err *e)
{
	struct telling look = {.a = api->arena}, t = {.a = api->arena, .out = out};

	compare_units(&look, plan, now, false);
	if (!look.units)
		return 0;
	if (compare_heads(api, &t, plan, e))
		return -1;
	compare_code(api, &t, plan);
	compare_units(&t, plan, now, true);
	err_set(e, ERR_REFUSED,
	        "%s is not what would run now, and nothing was run: %zu head%s moved, %zu change%s of code, "
	        "%zu unit%s differ%s", path, t.heads, t.heads == 1 ? "" : "s", t.code, t.code == 1 ? "" : "s", t.units,
	        t.units == 1 ? "" : "s", t.units == 1 ? "s" : "");
	return err_hint(e, "look at it again: leat plan --save %s", path);
}
