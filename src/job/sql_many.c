#include "job/sql_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/str.h"
#include "db/sql_token.h"
#include "flow/catalog.h"
#include "flow/flow.h"
#include "flow/jobsql.h"
#include "flow/plan.h"
#include "flow/table.h"
#include "sys/file.h"

#define MAX_TEXT ((size_t)32 << 20)
/* sql_alone refuses more, by the tree; these are what the walk over it has found besides. */
#define REFUSED                                                                                                        \
	(SQL_SAMPLE | SQL_PIVOT | SQL_FULL_JOIN | SQL_WINDOW | SQL_TABLE_FUNCTION | SQL_RECURSIVE | SQL_LIMIT |        \
	 SQL_ORDER | SQL_CORRELATED | SQL_ASOF | SQL_OPAQUE)

/* A piece of the query that is another one for many units. */
enum place_kind {
	PLACE_TABLE,
	PLACE_CLAUSE,   /* AT (...): the table's reader knows */
	PLACE_DS,       /* as text */
	PLACE_TYPED,    /* date '...' */
	PLACE_COMPARED, /* text; where that does not bind and labels are days, a DATE */
};
struct place {
	size_t start, end;
	enum place_kind kind;
	const struct job_input *input;
	struct str word; /* TABLE: the name it is known by, "" where an alias follows; TYPED: the type */
};

/* Of a job. */
struct many {
	const struct job *job;
	struct jobsql q;
	VEC(struct place) places;
};

/* Of one start. */
struct together {
	struct sql_own own; /* first */
	const struct many *many;
	struct attempt **t;
	size_t n;
	struct arena *a; /* of the first attempt */
	const char **labels;
	const char *dir;
	struct str *readers; /* per input of the job; STR_NULL: not read */
	struct table_source *tables;
};

/* ---- whether ---- */

bool sql_many_off(const struct flow *f, const struct job *j)
{
	const struct dom *own = dom_get(j->own, "batch"), *set = workspace_setting(f->ws, "batch");

	if (!own)
		own = set;
	return own && own->type == DOM_BOOL ? !own->b : own && own->type == DOM_STR && str_is(own->s, "off");
}

static int by_start(const void *x, const void *y)
{
	const struct place *p = x, *q = y;

	return (p->start > q->start) - (p->start < q->start);
}

static bool add_table(struct many *m, struct arena *a, const struct sql_table *t)
{
	const struct job_input *in = jobsql_input(a, m->job, t);

	if (!in || t->end <= t->start)
		return false;
	vec_push(a, &m->places,
		 ((struct place){t->start, t->end, PLACE_TABLE, in, t->alias.n ? STR("") : t->name}));
	if (t->at_end)
		vec_push(a, &m->places, ((struct place){t->at_start, t->at_end, PLACE_CLAUSE, NULL, STR("")}));
	return true;
}

static bool is_comparison(const struct sql_token *t)
{
	static const char *const signs[] = {"=", "==", "<", ">", "<=", ">=", "<>", "!="};

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (sql_token_is(t, signs[i]))
			return true;
	return false;
}

static struct place ds_place(struct str text, const struct sql_token *before, const struct sql_token *t)
{
	static const char *const types[] = {"date", "timestamp", "timestamptz"};
	struct place p = {t->start, t->end, PLACE_DS, NULL, STR("")};
	struct sql_token after;
	size_t at = t->end;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (sql_token_is(before, types[i]))
			return (struct place){before->start, t->end, PLACE_TYPED, NULL, before->text};
	sql_token(text, &at, false, &after);
	if ((is_comparison(before) || is_comparison(&after)) && !sql_token_is(&after, "::"))
		p.kind = PLACE_COMPARED;
	return p;
}

/* Every word of the stand-in must be a place that the parser has seen as such, and a use of ds in the template. */
static bool add_ds(struct many *m, struct arena *a)
{
	struct str text = m->q.text.text, word = str_of(jobsql_stand_in(m->job->every));
	struct sql_token t, before = {0};
	struct tmpl_use *uses;
	size_t n, found = 0, words = 0, used = 0;
	struct err e = ERR_INIT;

	for (size_t at = 0; sql_token(text, &at, false, &t), t.kind != SQL_TOK_END; before = t) {
		if (t.kind != SQL_TOK_STRING || t.text.n != word.n + 2 || !str_eq(str_sub(t.text, 1, word.n), word))
			continue;
		found++;
		vec_push(a, &m->places, ds_place(text, &before, &t));
	}
	for (struct str rest = text; rest.n;) {
		const char *at = memmem(rest.p, rest.n, SQL_STAND_IN, strlen(SQL_STAND_IN));

		words += at != NULL;
		rest = at ? str_sub(rest, (size_t)(at - rest.p) + 1, rest.n) : STR("");
	}
	if (tmpl_uses(a, m->job->sql_source, m->job->main_file.p, &uses, &n, &e))
		return false;
	for (size_t i = 0; i < n; i++)
		used += str_is(uses[i].path, "ds");
	return found == words && found == used && found == m->q.info.stand_ins;
}

bool sql_many(struct flow *f, const struct job *j, struct arena *a, void **out)
{
	struct many *m = arena_new_of(a, struct many);
	const struct sql_info *info = &m->q.info;
	struct err e = ERR_INIT;

	if (sql_many_off(f, j) || j->every == EVERY_NONE || j->sql_by_ds || !j->sql_parsed.p)
		return false;
	m->job = j;
	if (jobsql_unit(f->jobs, j, jobsql_vars(a, j, str_of(jobsql_stand_in(j->every)), NULL), f->duck, a, &m->q, &e))
		return false;
	if (info->alone.n || info->statements != 1 || !info->select || info->ordered || (info->facts & REFUSED) ||
	    info->n_volatiles || info->n_readers || info->n_files || !info->n_tables)
		return false;
	for (size_t i = 0; i < info->n_tables; i++)
		if (!add_table(m, a, &info->tables[i]))
			return false;
	if (!add_ds(m, a))
		return false;
	qsort(m->places.p, m->places.n, sizeof(*m->places.p), by_start);
	for (size_t i = 1; i < m->places.n; i++)
		if (m->places.p[i].start < m->places.p[i - 1].end)
			return false;
	*out = m;
	return true;
}

/* Whether all that a unit reads is there, with bytes in every partition. */
static bool is_whole(const struct reads *r)
{
	if (!r->repo || r->state != READS_OK || r->planned)
		return false;
	if (r->whole)
		return r->root.size > 0;
	for (size_t i = 0; i < r->n_parts; i++)
		if (!r->parts[i].entry.size)
			return false;
	return r->n_parts > 0;
}

bool sql_many_fit(const void *many, const struct plan_unit *first, const struct plan_unit *u)
{
	const struct many *m = many;

	/* A doubled hour has a longer label. */
	if (u->n_inputs != first->n_inputs || strlen(u->ds.label) != strlen(jobsql_stand_in(m->job->every)))
		return false;
	for (size_t i = 0; i < u->n_inputs; i++) {
		const struct reads *r = &u->inputs[i].reads, *q = &first->inputs[i].reads;

		if (u->inputs[i].input != first->inputs[i].input || !is_whole(r) || r->repo != q->repo ||
		    r->whole != q->whole || (r->whole && !sha_eq(&r->content, &q->content)))
			return false;
	}
	return true;
}

/* ---- what all of them read ---- */

static int by_label(const void *x, const void *y)
{
	const struct part *p = x, *q = y;

	return strcmp(p->label, q->label);
}

/* The partitions of all units, each once. -1: one label means two contents. */
static int merge(struct together *k, size_t input, struct reads *out, bool *same)
{
	const struct reads *one = &k->t[0]->inputs[input].reads;
	VEC(struct part) parts = {0};
	size_t n = 0;

	*out = *one;
	*same = true;
	if (one->whole)
		return 0;
	for (size_t i = 0; i < k->n; i++) {
		const struct reads *r = &k->t[i]->inputs[input].reads;

		*same &= r->n_parts == one->n_parts;
		for (size_t p = 0; p < r->n_parts; p++) {
			*same &= p < one->n_parts && !strcmp(r->parts[p].label, one->parts[p].label);
			vec_push(k->a, &parts, r->parts[p]);
		}
	}
	qsort(parts.p, parts.n, sizeof(*parts.p), by_label);
	for (size_t i = 0; i < parts.n; i++) {
		if (n && !strcmp(parts.p[n - 1].label, parts.p[i].label)) {
			if (!sha_eq(&parts.p[n - 1].entry.id, &parts.p[i].entry.id))
				return -1;
			continue;
		}
		parts.p[n++] = parts.p[i];
	}
	out->parts = parts.p;
	out->n_parts = n;
	return 0;
}

/* Whether reading its files together gives of each what reading it alone does. */
static bool reads_alike(const struct table_source *src, const struct reads *r)
{
	if (src->empty || memmem(src->view.sql.p, src->view.sql.n, "store_rejects", 13))
		return false;
	for (size_t i = 0; i < src->n_files; i++) {
		struct str rest = src->files[i].in_repo, part;
		size_t keys = 0;

		while (str_cut(rest, '/', &part, &rest))
			keys += memchr(part.p, '=', part.n) != NULL;
		/* Types of other keys are judged by all files that are read. */
		if (src->files[i].group || keys > (r->whole ? 0 : 1))
			return false;
	}
	for (size_t p = 0; p < r->n_parts; p++) {
		char head[40];
		bool any = false;

		snprintf(head, sizeof(head), "ds=%s/", r->parts[p].label);
		for (size_t i = 0; i < src->n_files && !any; i++)
			any = str_has_prefix(src->files[i].in_repo, str_of(head));
		if (!any)
			return false;
	}
	return true;
}

static void add_label(struct buf *b, const char *label, bool day)
{
	buf_adds(b, day ? "date " : "");
	sql_add_literal(b, str_of(label));
}

/* The table as the unit of leat_d's row reads it. */
static int add_reader(struct together *k, size_t input, const struct table_source *src, bool same, struct buf *b)
{
	bool day = src->every == EVERY_DAY, own = true, first = true;

	for (size_t i = 0; i < k->n; i++) {
		const struct reads *r = &k->t[i]->inputs[input].reads;

		own &= !r->whole && r->n_parts == 1 && !strcmp(r->parts[0].label, k->labels[i]);
	}
	if (same) {
		buf_addstr(b, src->view.sql);
		return 0;
	}
	buf_adds(b, "select leat_t.* from (");
	buf_addstr(b, src->view.sql);
	buf_adds(b, ") leat_t");
	if (own) {
		buf_addf(b, " where leat_t.ds = %s", day ? DUCK_MANY_DAY : DUCK_MANY_DS);
		return 0;
	}
	buf_adds(b, ", (values ");
	for (size_t i = 0; i < k->n; i++) {
		const struct reads *r = &k->t[i]->inputs[input].reads;

		for (size_t p = 0; p < r->n_parts; p++, first = false) {
			buf_adds(b, first ? "(" : ", (");
			add_label(b, k->labels[i], false);
			buf_adds(b, ", ");
			add_label(b, r->parts[p].label, day);
			buf_addc(b, ')');
		}
	}
	buf_adds(b, ") leat_m(leat_u, leat_p) where leat_m.leat_p = leat_t.ds and leat_m.leat_u = " DUCK_MANY_DS);
	return 0;
}

static int open_tables(struct together *k, struct duck *d, struct err *e)
{
	struct attempt *t = k->t[0];
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_TEXT);

	for (size_t i = 0; i < t->n_inputs; i++) {
		struct table_source *src = &k->tables[i];
		struct reads r;
		bool same, used = false;

		for (size_t p = 0; p < k->many->places.n; p++)
			used |= k->many->places.p[p].input == t->inputs[i].input;
		if (!used)
			continue;
		if (merge(k, i, &r, &same))
			return err_set(e, ERR_CONFLICT, "a partition has changed meanwhile");
		if (table_open(t->flow->store, k->a, d, &r, src, e))
			return -1;
		if (src->learned) {
			t->learned = true;
			if (catalog_format_learned(t->catalog, src->repo, e))
				return -1;
		}
		if (!reads_alike(src, &r))
			return err_set(e, ERR_REFUSED, "its files are not read alike");
		buf_reset(&b);
		if (add_reader(k, i, src, same, &b) || buf_over(&b))
			return err_set(e, ERR_LIMIT, "the statement would be too long");
		k->readers[i] = arena_str(k->a, buf_str(&b));
	}
	return 0;
}

/* ---- the statement ---- */

static struct str reader_of(const struct together *k, const struct job_input *in)
{
	for (size_t i = 0; i < k->t[0]->n_inputs; i++)
		if (k->t[0]->inputs[i].input == in)
			return k->readers[i];
	return STR_NULL;
}

static int make_text(struct together *k, bool as_day, struct str *out, struct err *e)
{
	struct str text = k->many->q.text.text;
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_TEXT);
	size_t at = 0;

	for (size_t i = 0; i < k->many->places.n; i++) {
		const struct place *p = &k->many->places.p[i];
		struct str reader;

		buf_addstr(&b, str_sub(text, at, p->start - at));
		at = p->end;
		switch (p->kind) {
		case PLACE_TABLE:
			reader = reader_of(k, p->input);
			if (!reader.p)
				return err_set(e, ERR_REFUSED, "a table is no input");
			buf_addc(&b, '(');
			buf_addstr(&b, reader);
			buf_addc(&b, ')');
			if (p->word.n) {
				buf_adds(&b, " as ");
				sql_add_ident(&b, p->word);
			}
			break;
		case PLACE_CLAUSE:
			break;
		case PLACE_TYPED:
			buf_addf(&b, "cast(" DUCK_MANY_DS " as %.*s)", STR_ARG(p->word));
			break;
		case PLACE_DS:
		case PLACE_COMPARED:
			buf_adds(&b, as_day && p->kind == PLACE_COMPARED ? DUCK_MANY_DAY : DUCK_MANY_DS);
			break;
		}
	}
	buf_addstr(&b, str_sub(text, at, text.n));
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the statement would be too long");
	*out = arena_str(k->a, buf_str(&b));
	return 0;
}

/* ---- its end ---- */

static void all_done(struct together *k, const struct attempt_result *r)
{
	for (size_t i = 0; i < k->n; i++)
		attempt_done(k->t[i], r);
}

static void one_done(struct together *k, struct attempt *t, const struct duck_many_part *p)
{
	struct attempt_result r = {.state = ATTEMPT_OK, .err = ERR_INIT, .with = k->n};

	if (!p) {
		/* No rows: alone it writes the file that says so. */
		r.state = ATTEMPT_APART;
		r.alone = true;
	} else if (file_rename(arena_cstr(t->arena, p->path), arena_printf(t->arena, "%s/" SQL_OUT_NAME,
		t->out_dir), &r.err)) {
		r.state = ATTEMPT_FAILED;
	} else {
		struct dom *facts = dom_new(t->arena, DOM_MAP);

		dom_set_int(t->arena, facts, "rows", p->rows);
		dom_set_int(t->arena, facts, "batch", (int64_t)k->n);
		r.facts = facts;
	}
	attempt_done(t, &r);
}

static void on_message(void *ptr, const struct duck_msg *m)
{
	struct together *k = ptr;
	struct attempt_result r = {.state = ATTEMPT_APART, .err = ERR_INIT, .with = k->n};
	struct duck_many_part *parts = NULL;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (m->kind != DUCK_DONE && m->kind != DUCK_FAILED)
		return;
	k->own.work = NULL;
	if (m->kind == DUCK_FAILED || duck_read_write_many(k->a, m->reply, &parts, &n, &e)) {
		r.alone = m->kind == DUCK_DONE || m->err->code == ERR_BAD_SQL;
		if (m->kind == DUCK_FAILED && m->err->code == ERR_CANCELLED)
			r.state = ATTEMPT_CANCELLED;
		if (file_exists(k->dir) && dir_remove_tree(k->dir, &e))
			err_clear(&e); /* goes with the run's folder */
		all_done(k, &r);
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		const struct duck_many_part *p = NULL;

		for (size_t j = 0; j < n; j++)
			if (str_is(parts[j].label, k->labels[i]))
				p = &parts[j];
		one_done(k, k->t[i], p);
	}
	if (file_exists(k->dir) && dir_remove_tree(k->dir, &e))
		err_clear(&e);
}

int sql_many_start(const void *many, struct attempt **t, size_t n, struct err *e)
{
	struct arena *a = t[0]->arena;
	struct together *k = arena_new_of(a, struct together);
	struct duck_write_many w = {.n = n};
	struct str texts[2];
	struct duck *d;
	int rc;

	*k = (struct together){.many = many, .n = n, .a = a};
	k->t = arena_array(a, struct attempt *, n);
	k->labels = arena_array(a, const char *, n);
	for (size_t i = 0; i < n; i++) {
		k->t[i] = t[i];
		k->labels[i] = t[i]->ds.label;
	}
	k->dir = arena_printf(a, "%s.many", t[0]->out_dir);
	k->readers = arena_array(a, struct str, t[0]->n_inputs);
	k->tables = arena_array(a, struct table_source, t[0]->n_inputs);
	d = workers_borrow(t[0]->workers);
	rc = open_tables(k, d, e);
	workers_give_back(t[0]->workers, d);
	if (rc)
		return -1;
	w.days = k->many->job->every == EVERY_DAY;
	for (bool as_day = false;; as_day = true) {
		if (make_text(k, as_day, &texts[w.n_texts++], e))
			return -1;
		if (!w.days || as_day)
			break;
	}
	w.texts = texts;
	w.labels = k->labels;
	w.dir = k->dir;
	w.timezone = t[0]->job->timezone.n ? arena_cstr(a, t[0]->job->timezone) : NULL;
	for (size_t i = 0; i < n; i++)
		t[i]->own = k;
	return workers_send(t[0]->workers, duck_req_write_many(a, &w), on_message, k, &k->own.work, e);
}
