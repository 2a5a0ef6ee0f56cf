#include "flow/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "flow/datum.h"

/* Ingredients name this many partitions of an input; of longer windows the content id and the ends. */
#define KEY_MAX_PARTS 64

struct key_base {
	bool made, kept; /* kept: for all units of the job */
	const struct dom *over; /* the --param map that it holds for */
	struct sha base, code;
	const struct dom *params, *settings;
	struct dom *told;       /* of its units' ingredients what is the same for all; NULL: not made yet */
	bool memoised;
	const char *why_not;
};

struct key_cache {
	struct arena *arena;
	struct key_base *of; /* by index of the job */
	size_t n;
};

struct key_cache *key_cache_new(void)
{
	struct key_cache *k = xcalloc(1, sizeof(*k));

	k->arena = arena_new();
	return k;
}

void key_cache_free(struct key_cache *k)
{
	if (!k)
		return;
	arena_free(k->arena);
	free(k);
}

bool job_is_sql(const struct job *j)
{
	return j->sql_by_ds || j->sql_parsed.p;
}

static bool counts_names(const struct job *j)
{
	return j->kind && j->kind->starts_process;
}

/* A scalar, list or map of the job's file as a value of its own: children that do not count are left out. */
static struct dom *counted(struct arena *a, const struct keys *t, const char *sub, const struct dom *v)
{
	struct dom *out;

	switch (v->type) {
	case DOM_MAP:
		out = dom_new(a, DOM_MAP);
		dom_each(child, v) {
			const struct key *k = sub ? keys_find(&t, 1, sub, child->key) : NULL;

			if (sub && !k)
				k = keys_find(&t, 1, sub, STR("*"));
			if (child->type != DOM_NULL && (!sub || (k && (k->flags & KEYS_MEMO))))
				dom_set(a, out, arena_cstr(a, child->key), counted(a, t, k ? k->sub : NULL, child));
		}
		return out;
	case DOM_LIST:
		out = dom_new(a, DOM_LIST);
		dom_each(child, v)
			dom_add(out, counted(a, t, NULL, child));
		return out;
	case DOM_STR:
		return dom_new_str(a, v->s);
	case DOM_INT:
		return dom_new_int(a, v->i);
	case DOM_REAL:
		return dom_new_real(a, v->d);
	case DOM_BOOL:
		return dom_new_bool(a, v->b);
	case DOM_NULL:
		break;
	}
	return dom_new(a, DOM_NULL);
}

/* What counts in another form than as it stands: resolved, so that two ways to write one thing are one. */
static bool is_resolved(const char *name)
{
	static const char *const names[] = {"kind",      "inputs",   "input",  "output",
	                                    "partition", "timezone", "params", "code"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void add_counted(struct arena *a, struct dom *out, const struct keys *t, const struct dom *map)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct key *k = &t->rows[i];
		const struct dom *v;

		if (*k->section || !(k->flags & KEYS_MEMO) || is_resolved(k->name))
			continue;
		v = keys_get(t, "", map, k->name);
		if (v && !((v->type == DOM_MAP || v->type == DOM_LIST) && !v->n))
			dom_set(a, out, k->name, counted(a, t, k->sub, v));
	}
}

static struct keys kind_table(const struct job_kind *k)
{
	struct keys t = {.what = k->name, .rows = k->keys};

	while (t.rows && t.rows[t.n].name)
		t.n++;
	return t;
}

static const struct dom *settings_of(struct arena *a, const struct job *j)
{
	struct dom *out = dom_new(a, DOM_MAP);

	if (j->every != EVERY_NONE) {
		dom_set_cstr(a, out, "every", every_word(j->every));
		dom_set_cstr(a, out, "zone", tz_name(j->tz));
	}
	if (job_is_sql(j))
		dom_set_str(a, out, "timezone", j->timezone.p ? j->timezone : STR("UTC"));
	add_counted(a, out, job_keys(), job_doc(j));
	if (j->kind) {
		struct keys t = kind_table(j->kind);

		add_counted(a, out, &t, j->own);
	}
	return out;
}

const struct dom *unit_params(struct arena *a, const struct job *j, const struct dom *params)
{
	struct dom *out;

	if (!params || !params->n)
		return j->params;
	out = dom_new(a, DOM_MAP);
	dom_each(p, j->params) {
		const struct dom *by_hand = dom_get(params, arena_cstr(a, p->key));

		dom_set(a, out, arena_cstr(a, p->key), counted(a, job_keys(), NULL, by_hand ? by_hand : p));
	}
	return out;
}

const char *unit_hand_note(struct arena *a, const struct job *j, const struct dom *params)
{
	char *out = NULL;

	if (params)
		dom_each(p, params) {
			const struct dom *own = dom_get(j->params, arena_cstr(a, p->key));

			if (!own || dom_equal(own, p))
				continue;
			out = arena_printf(a, "%s%s%.*s was %.*s by hand", out ? out : "", out ? ", " : "",
			      STR_ARG(p->key),
			                   STR_ARG(url_redact(a, dom_text(a, p))));
		}
	return out;
}

const struct dom *unit_vars(struct arena *a, const struct plan_unit *u, const struct dom *params)
{
	const struct job *j = u->job;
	struct dom *all = jobsql_vars(a, j, str_of(u->ds.label), params ? unit_params(a, j, params) : NULL), *out;

	if (job_is_sql(j))
		return all; /* its text counts as it is rendered, with all that is in it */
	out = dom_new(a, DOM_MAP);
	for (struct dom *v = all->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		if (!str_is(v->key, "job"))
			dom_set(a, out, arena_cstr(a, v->key), v);
	}
	dom_set_cstr(a, out, "workspace", j->jobs->ws->dir);
	return out;
}

int unit_sql(struct flow *f, struct arena *a, const struct plan_unit *u, const struct dom *params, struct jobsql *out,
             struct err *e)
{
	return jobsql_unit(f->jobs, u->job, unit_vars(a, u, params), f->duck, a, out, e);
}

static const char *why_not_memoised(struct arena *a, const struct job *j, const struct sql_info *q)
{
	if (j->memo == MEMO_OFF)
		return "memo: off";
	if (j->memo == MEMO_ON)
		return NULL;
	if (j->kind && j->kind->outside_world)
		return "it reads the outside world";
	if (q && q->n_volatiles)
		return arena_printf(a, "its query calls %.*s(), which is not the same each time",
		      STR_ARG(q->volatiles[0]));
	if (q && q->n_files)
		return arena_printf(a, "its query reads %.*s, which is no input", STR_ARG(q->files[0]));
	if (q && q->n_readers)
		return arena_printf(a, "its query calls %.*s(), which reads what is no input", STR_ARG(q->readers[0]));
	return NULL;
}

static struct sha hash_base(struct arena *a, const struct job *j, const struct key_base *b)
{
	struct dom *all = dom_new(a, DOM_MAP);
	struct buf text = BUF_INIT(DOM_MAX_BYTES);
	char hex[SHA_HEX + 1];
	struct sha out;

	sha_hex(&b->code, hex);
	dom_set_str(a, all, "kind", j->kind_name);
	dom_set_cstr(a, all, "code", hex);
	dom_set(a, all, "params", counted(a, job_keys(), NULL, b->params));
	dom_set(a, all, "settings", counted(a, job_keys(), NULL, b->settings));
	if (counts_names(j))
		dom_set_str(a, all, "output", j->output);
	else if (j->no_output)
		dom_set_cstr(a, all, "output", "none");
	dom_write_json(&text, all, DOM_CANONICAL);
	out = sha_of(text.p, text.n);
	buf_free(&text);
	return out;
}

static int make_base(struct flow *f, struct arena *a, const struct plan_unit *u, const struct dom *params,
                     struct key_base *out, struct err *e)
{
	const struct job *j = u->job;
	struct key_base b = {.made = true, .over = params, .params = unit_params(a, j, params),
	      .settings = settings_of(a, j)};
	struct sql_info info = {0};
	struct jobsql q = {0};

	if (job_is_sql(j) && !j->sql_by_ds && !params) {
		if (jobsql_info(a, j, &info, e) < 0)
			return -1;
		b.code = job_code_id(j, &j->sql_meaning);
	} else if (job_is_sql(j)) {
		if (unit_sql(f, a, u, params, &q, e) < 0)
			return -1;
		info = q.info;
		b.code = job_code_id(j, &q.meaning);
	} else {
		b.code = job_code_id(j, NULL);
	}
	b.why_not = why_not_memoised(a, j, job_is_sql(j) ? &info : NULL);
	b.memoised = !b.why_not;
	b.base = hash_base(a, j, &b);
	*out = b;
	return 0;
}

/* What is the same for all units of a job is made once; where its query depends on ds, each unit has its own. */
static int get_base(struct flow *f, struct arena *a, const struct plan_unit *u, const struct dom *params,
                    const struct key_base **out, struct err *e)
{
	struct key_cache *k = f->keys;
	struct key_base *b;

	if (u->job->sql_by_ds) {
		b = arena_new_of(a, struct key_base);
		*out = b;
		return make_base(f, a, u, params, b, e);
	}
	if (!k->of) {
		k->n = f->jobs->n;
		k->of = arena_array(k->arena, struct key_base, k->n);
	}
	BUG_IF(u->job->index >= k->n);
	b = &k->of[u->job->index];
	if ((!b->made || b->over != params) && make_base(f, k->arena, u, params, b, e) < 0)
		return -1;
	b->kept = true;
	*out = b;
	return 0;
}

void key_warm(struct flow *f, const struct job *j)
{
	const struct plan_unit u = {.job = j};
	const struct key_base *b;
	struct err ignored = ERR_INIT;

	if (j->kind && !j->sql_by_ds && get_base(f, f->keys->arena, &u, NULL, &b, &ignored))
		err_clear(&ignored); /* said where it is needed */
}

static int by_name(const void *a, const void *b)
{
	const struct unit_input *const *x = a, *const *y = b;

	return str_cmp((*x)->input->name, (*y)->input->name);
}

static const struct unit_input **sorted_inputs(struct arena *a, const struct plan_unit *u)
{
	const struct unit_input **in = arena_array(a, const struct unit_input *, u->n_inputs);

	for (size_t i = 0; i < u->n_inputs; i++)
		in[i] = &u->inputs[i];
	if (u->n_inputs > 1)
		qsort(in, u->n_inputs, sizeof(*in), by_name);
	return in;
}

/*
 * Text tables are read by a remembered format: it counts where Leat reads them, not where a task opens the files
 * itself.
 */
static int format_of(struct catalog *c, const struct job *j, const struct unit_input *in, struct sha *out,
      struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (!job_is_sql(j))
		return 0;
	return catalog_format(c, in->input->repo, out, e);
}

int key_make(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params, struct plan_unit *u,
             struct err *e)
{
	const struct unit_input *few[16], **in = few;
	const struct key_base *b = NULL;
	struct sha_ctx h;

	if (get_base(f, a, u, params, &b, e) < 0)
		return -1;
	if (u->n_inputs > ARRAY_LEN(few)) {
		in = sorted_inputs(a, u);
	} else {
		for (size_t i = 0; i < u->n_inputs; i++)
			few[i] = &u->inputs[i];
		qsort(few, u->n_inputs, sizeof(*few), by_name);
	}
	sha_init(&h);
	sha_field(&h, STR("leat unit 1"));
	sha_add(&h, b->base.b, sizeof(b->base.b));
	sha_field(&h, str_of(u->ds.label));
	for (size_t i = 0; i < u->n_inputs; i++) {
		struct sha format;

		if (in[i]->reads.planned)
			BUG("the key of a unit whose input is not made yet");
		if (format_of(c, u->job, in[i], &format, e) < 0)
			return -1;
		sha_field(&h, in[i]->input->name);
		sha_add(&h, in[i]->reads.content.b, SHA_BYTES);
		sha_add(&h, format.b, SHA_BYTES);
		sha_field(&h, counts_names(u->job) ? in[i]->input->repo : STR(""));
	}
	u->key = (struct unit_key){.key = sha_end(&h), .memoised = b->memoised, .why_not = b->why_not};
	return 0;
}

int key_rest(struct flow *f, struct arena *a, const struct job *j, const struct dom *params, struct unit_key *out,
             struct err *e)
{
	struct plan_unit u = {.job = j};
	const struct key_base *b = NULL;

	if (get_base(f, a, &u, params, &b, e) < 0)
		return -1;
	*out = (struct unit_key){.key = b->base, .memoised = b->memoised, .why_not = b->why_not};
	return 0;
}

struct sha key_datum(const struct sha *rest, const struct sha *content)
{
	struct sha_ctx h;

	sha_init(&h);
	sha_field(&h, STR("leat datum 1"));
	sha_add(&h, rest->b, sizeof(rest->b));
	sha_add(&h, content->b, sizeof(content->b));
	return sha_end(&h);
}

static void set_hex(struct arena *a, struct dom *map, const char *key, const struct sha *s)
{
	char hex[SHA_HEX + 1];

	sha_hex(s, hex);
	dom_set_cstr(a, map, key, hex);
}

static struct dom *files_of(struct arena *a, const struct job *j)
{
	struct dom *out = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < j->n_code; i++) {
		struct dom *file = dom_new(a, DOM_MAP);

		dom_set_str(a, file, "path", j->code[i].label);
		set_hex(a, file, "sha256", &j->code[i].sha);
		dom_add(out, file);
	}
	return out;
}

static struct dom *parts_of(struct arena *a, const struct reads *r)
{
	struct dom *out = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < r->n_parts; i++) {
		struct dom *part = dom_new(a, DOM_MAP);

		dom_set_cstr(a, part, "ds", r->parts[i].label);
		set_hex(a, part, "tree", &r->parts[i].entry.id);
		dom_add(out, part);
	}
	return out;
}

/* The files and folders that a unit read of an input. */
static struct dom *datum_doc(struct arena *a, const struct datum *d, size_t leaf)
{
	struct dom *out = dom_new(a, DOM_LIST);
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct dom *part;

		if (d->parts[i].leaf != leaf || n++ >= KEY_MAX_PARTS)
			continue;
		part = dom_new(a, DOM_MAP);
		dom_set_str(a, part, "path", arena_strf(a, "/%.*s", STR_ARG(datum_path(a, &d->parts[i]))));
		set_hex(a, part, "content", &d->parts[i].entry.id);
		dom_add(out, part);
	}
	return out;
}

static struct dom *input_doc(struct arena *a, const struct plan_unit *u, const struct unit_input *in,
                             const struct sha *format)
{
	const struct reads *r = &in->reads;
	bool data = u->datum && in->input->glob.p;
	struct dom *out = dom_new(a, DOM_MAP);

	dom_set_str(a, out, "name", in->input->name);
	dom_set_str(a, out, "repo", in->input->repo);
	if (in->input->pin.p)
		dom_set_str(a, out, "pin", in->input->pin);
	if (in->input->at.p)
		dom_set_str(a, out, "at", in->input->at);
	if (r->repo && r->repo->has_commit)
		dom_set_cstr(a, out, "commit", r->repo->head.id.hex);
	if (!data)
		set_hex(a, out, "content", &r->content);
	if (!sha_is_zero(format))
		set_hex(a, out, "format", format);
	if (data)
		dom_set(a, out, "paths", datum_doc(a, u->datum, (size_t)(in->input - u->job->inputs)));
	else if (r->whole)
		set_hex(a, out, "tree", &r->root.id);
	else if (r->n_parts <= KEY_MAX_PARTS)
		dom_set(a, out, "parts", parts_of(a, r));
	if (!r->whole && r->n_parts > KEY_MAX_PARTS) {
		dom_set_int(a, out, "n_parts", (int64_t)r->n_parts);
		dom_set_cstr(a, out, "from", r->parts[0].label);
		dom_set_cstr(a, out, "to", r->parts[r->n_parts - 1].label);
	}
	return out;
}

/* Passwords in URLs are for the task only: what is kept and shown is without them. */
static struct dom *without_passwords(struct arena *a, struct dom *v)
{
	if (v->type == DOM_LIST || v->type == DOM_MAP) {
		dom_each(child, v)
			without_passwords(a, child);
	} else if (v->type == DOM_STR) {
		struct str s = url_redact(a, v->s);

		if (s.p != v->s.p) {
			v->s = s;
			v->raw = STR_NULL;
		}
	}
	return v;
}

static struct dom *told_of(struct arena *a, const struct job *j, const struct key_base *b)
{
	struct dom *all = dom_new(a, DOM_MAP);

	dom_set_str(a, all, "kind", j->kind_name);
	set_hex(a, all, "code", &b->code);
	dom_set(a, all, "files", files_of(a, j));
	dom_set(a, all, "params", without_passwords(a, counted(a, job_keys(), NULL, b->params)));
	dom_set(a, all, "settings", without_passwords(a, counted(a, job_keys(), NULL, b->settings)));
	if (counts_names(j))
		dom_set_str(a, all, "output", j->output);
	else if (j->no_output)
		dom_set_cstr(a, all, "output", "none");
	return all;
}

int key_ingredients(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params,
                    const struct plan_unit *u, const struct dom **out, struct err *e)
{
	struct dom *all = dom_new(a, DOM_MAP), *inputs = dom_new(a, DOM_LIST);
	const struct unit_input **in = sorted_inputs(a, u);
	const struct key_base *b = NULL;

	if (get_base(f, a, u, params, &b, e) < 0)
		return -1;
	if (!b->told) /* of a base that is kept: in the cache's arena, as it is */
		((struct key_base *)b)->told = told_of(b->kept ? f->keys->arena : a, u->job, b);
	dom_each(v, b->told) {
		struct dom *one = arena_new_of(a, struct dom);

		*one = *v; /* what is below is the same */
		one->next = NULL;
		dom_add(all, one);
		if (str_is(v->key, "files") && u->ds.every != EVERY_NONE)
			dom_set_cstr(a, all, "ds", u->ds.label);
	}
	for (size_t i = 0; i < u->n_inputs; i++) {
		struct sha format;

		if (format_of(c, u->job, in[i], &format, e) < 0)
			return -1;
		dom_add(inputs, input_doc(a, u, in[i], &format));
	}
	dom_set(a, all, "inputs", inputs);
	*out = all;
	return 0;
}

struct sha key_check(const struct job_check *k, const struct sha *tree)
{
	struct sha_ctx h;

	sha_init(&h);
	sha_field(&h, STR("leat check 1"));
	sha_field(&h, k->text);
	sha_field(&h, k->whole_table ? STR("table") : STR("unit"));
	sha_add(&h, tree->b, sizeof(tree->b));
	return sha_end(&h);
}

/* Renders the strings of a key's value, at any depth. */
static int render(struct arena *a, const struct job *j, const struct tmpl_env *env, struct dom *v, struct err *e)
{
	struct err mine = ERR_INIT;
	struct tmpl_result r = {0};

	if (v->type == DOM_LIST || v->type == DOM_MAP) {
		dom_each(child, v)
			if (render(a, j, env, child, e) < 0)
				return -1;
		return 0;
	}
	if (v->type != DOM_STR || (!memmem(v->s.p, v->s.n, "{{", 2) && !memmem(v->s.p, v->s.n, "{%", 2)))
		return 0;
	if (tmpl_render(a, v->s, "", env, &r, &mine) < 0) {
		err_set(e, mine.code, "%s", mine.msg);
		if (*mine.hint)
			err_hint(e, "%s", mine.hint);
		return -1;
	}
	v->s = r.text;
	return 0;
}

static struct dom *spec_paths(struct arena *a, const struct datum *d, size_t leaf)
{
	struct dom *out = dom_new(a, DOM_LIST);

	for (size_t i = 0; i < d->n; i++)
		if (d->parts[i].leaf == leaf)
			dom_add(out, dom_new_str(a, arena_strf(a, "/%.*s", STR_ARG(d->parts[i].path))));
	return out;
}

static bool is_as_is(const struct job *j, struct str name)
{
	for (const struct key *k = j->kind ? j->kind->keys : NULL; k && k->name; k++)
		if (!*k->section && str_is(name, k->name))
			return k->flags & KEYS_AS_IS;
	return false;
}

static struct dom *spec_inputs(struct arena *a, const struct plan_unit *u)
{
	struct dom *out = dom_new(a, DOM_MAP);

	for (size_t i = 0; i < u->n_inputs; i++) {
		const struct unit_input *in = &u->inputs[i];
		struct dom *one = dom_new(a, DOM_MAP), *parts = dom_new(a, DOM_LIST);

		if (counts_names(u->job))
			dom_set_str(a, one, "repo", in->input->repo);
		for (size_t k = 0; k < in->reads.n_parts; k++)
			dom_add(parts, dom_new_str(a, str_of(in->reads.parts[k].label)));
		if (u->datum && in->input->glob.p)
			dom_set(a, one, "paths", spec_paths(a, u->datum, (size_t)(in->input - u->job->inputs)));
		else if (!in->reads.whole)
			dom_set(a, one, "partitions", parts);
		dom_set(a, out, arena_cstr(a, in->input->name), one);
	}
	return out;
}

int unit_spec(struct arena *a, const struct plan_unit *u, const struct dom *params, const struct dom **out,
              struct err *e)
{
	const struct job *j = u->job;
	struct tmpl_env env = {.vars = unit_vars(a, u, params), .tz = j->tz, .mode = TMPL_TEXT};
	struct dom *all = dom_new(a, DOM_MAP), *settings = (struct dom *)settings_of(a, j);

	dom_set_str(a, all, "kind", j->kind_name);
	if (u->ds.every != EVERY_NONE)
		dom_set_cstr(a, all, "ds", u->ds.label);
	else
		dom_set_str(a, all, "ds", STR_NULL);
	dom_set(a, all, "params", counted(a, job_keys(), NULL, unit_params(a, j, params)));
	dom_set(a, all, "inputs", spec_inputs(a, u));
	if (counts_names(j))
		dom_set_str(a, all, "output", j->output);
	for (struct dom *v = settings->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		if (!(j->tree && is_as_is(j, v->key)) && render(a, j, &env, v, e) < 0) {
			const struct dom *at = dom_get(job_doc(j), arena_cstr(a, v->key));

			err_wrap(e, "%.*s", STR_ARG(v->key));
			return at ? job_at(e, j, at->line, at->col) : job_at(e, j, 0, 0);
		}
		if (!dom_get(all, arena_cstr(a, v->key)))
			dom_set(a, all, arena_cstr(a, v->key), v);
	}
	*out = all;
	return 0;
}
