#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "flow/why_in.h"

#define WHY_MIN_PREFIX 4
#define WHY_MAX_NAMED 10

/* What an id may be, in the order in which they are told when one id is several (a commit's is its event's). */
static const struct {
	const char *type, *sql;
} kinds[] = {
	{"run", "select id, job from run where id >= ?1 and id < ?2 order by id limit 11"},
	{"event", "select id, kind from event where id >= ?1 and id < ?2 order by id limit 11"},
	{"batch", "select distinct batch, kind from event where batch >= ?1 and batch < ?2 order by batch limit 11"},
	{"batch", "select distinct batch, kind from run where batch >= ?1 and batch < ?2 order by batch limit 11"},
	{"open commit", "select id, state from open_commit where id >= ?1 and id < ?2 order by id limit 11"},
	{"commit", "select distinct id, 'commit' from commits where id >= ?1 and id < ?2 order by id limit 11"},
};

struct found {
	const char *type;
	struct str id, what;
};

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]) || !s.p[i])
			return false;
	return s.n >= WHY_MIN_PREFIX && s.n <= ID_HEX;
}

struct founds {
	struct found *p;
	size_t n, cap;
};

static int find(struct catalog *c, struct arena *a, struct str prefix, struct founds *out, struct err *e)
{
	char to[ID_HEX + 2];

	/* 'g' follows the last hex digit. */
	snprintf(to, sizeof(to), "%.*sg", STR_ARG(prefix));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct q *q = db_query(catalog_store(c)->db, kinds[i].sql);
		int r;

		q_text(q, 1, prefix);
		q_cstr(q, 2, to);
		while ((r = q_step(q, e)) == 1) {
			struct found f = {.type = kinds[i].type, .id = arena_str(a, q_col_text(q, 0))};
			bool known = false;

			f.what = arena_str(a, q_col_text(q, 1));
			for (size_t k = 0; k < out->n; k++)
				known |= str_eq(out->p[k].id, f.id);
			if (!known)
				vec_push(a, out, f);
		}
		q_done(q);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* Rows of a query as a list of maps, keys by the names in `names` (parted by blanks; "*x" is a time, "#x" a number). */
static int rows(struct catalog *c, struct arena *a, const char *sql, struct str id, const char *names, struct dom **out,
                struct err *e)
{
	struct q *q = db_query(catalog_store(c)->db, sql);
	struct dom *list = dom_new(a, DOM_LIST);
	int r;

	q_text(q, 1, id);
	while ((r = q_step(q, e)) == 1) {
		struct dom *row = dom_new(a, DOM_MAP);
		struct str rest = str_of(names), name;

		for (int i = 0; rest.n; i++) {
			const char *key;

			if (!str_cut(rest, ' ', &name, &rest)) {
				name = rest;
				rest.n = 0;
			}
			key = arena_cstr(a, name);
			if (q_col_is_null(q, i))
				continue;
			if (*key == '*')
				why_time(a, row, key + 1, q_col_int(q, i));
			else if (*key == '#')
				dom_set_int(a, row, key + 1, q_col_int(q, i));
			else
				dom_set_str(a, row, key, q_col_text(q, i));
		}
		dom_add(list, row);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = list;
	return 0;
}

void why_move(struct arena *a, struct dom *doc, struct dom *row)
{
	for (struct dom *v = row ? row->first : NULL, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		if (!dom_get(doc, arena_cstr(a, v->key)))
			dom_set(a, doc, arena_cstr(a, v->key), v);
	}
}

static int add_rows(struct catalog *c, struct arena *a, struct dom *doc, const char *key, const char *sql,
      struct str id,
                    const char *names, struct err *e)
{
	struct dom *list = NULL;

	if (rows(c, a, sql, id, names, &list, e) < 0)
		return -1;
	if (list->n)
		dom_set(a, doc, key, list);
	return 0;
}

#define UNIT_COLS "id, run, job, ds, state, reason, global_id, commit_id, error, original, attempts, started, finished"
#define UNIT_KEYS "#unit run job ds state reason global_id commit error #original #attempts *started *finished"
#define RUN_COLS "id, job, kind, state, reason, command, params, batch, created, started, finished"
#define RUN_KEYS "id job kind state reason command params batch *created *started *finished"
#define COMMIT_SQL \
	"select r.name, k.number, k.files, k.bytes, k.at, k.author, k.message, k.run, k.hidden" \
	" from commits k join repo r on r.id = k.repo where k.id = ?"
#define COMMIT_KEYS "repo #number #files #size *at author message run #unpublished"
#define OPEN_SQL \
	"select r.name, o.branch, o.state, o.at, o.expires, o.author, o.message, o.base" \
	" from open_commit o join repo r on r.id = o.repo where o.id = ?"
#define OPEN_KEYS "repo branch state *at *expires author message base"
#define EVENT_COLS "id, kind, label, at, who, command, batch"
#define EVENT_KEYS "id kind ds *at author command batch"

static int tell(struct catalog *c, struct arena *a, const struct found *f, struct dom *doc, struct err *e)
{
	struct dom *list = NULL;

	dom_set_cstr(a, doc, "type", f->type);
	dom_set_str(a, doc, "id", f->id);
	if (!strcmp(f->type, "run")) {
		if (rows(c, a, "select " RUN_COLS " from run where id = ?", f->id, RUN_KEYS, &list, e) < 0)
			return -1;
		why_move(a, doc, list->first);
		return add_rows(c, a, doc, "units", "select " UNIT_COLS " from unit where run = ? order by id", f->id,
		      UNIT_KEYS, e);
	}
	if (!strcmp(f->type, "batch"))
		return add_rows(c, a, doc, "events", "select " EVENT_COLS " from event where batch = ? order by seq",
		      f->id, EVENT_KEYS, e) < 0 ||
				       add_rows(c, a, doc, "runs",
				      "select " RUN_COLS " from run where batch = ? order by created, id", f->id,
		                                RUN_KEYS, e) < 0
			       ? -1
			       : 0;
	if (!strcmp(f->type, "open commit"))
		return add_rows(c, a, doc, "open", OPEN_SQL, f->id, OPEN_KEYS, e);
	if (rows(c, a, "select " EVENT_COLS " from event where id = ?", f->id, EVENT_KEYS, &list, e) < 0)
		return -1;
	why_move(a, doc, list->first);
	if (add_rows(c, a, doc, "commits", COMMIT_SQL, f->id, COMMIT_KEYS, e) < 0)
		return -1;
	list = dom_get(doc, "commits");
	dom_each (k, list) {
		const struct dom *run = dom_get(k, "run");

		if (run && why_stay(c, a, run->s, doc, e))
			return -1;
	}
	return add_rows(c, a, doc, "units", "select " UNIT_COLS " from unit where global_id = ? order by id", f->id,
	      UNIT_KEYS, e);
}

/* A unit's number, where nothing else begins with these digits. */
static int tell_unit(struct flow *f, struct catalog *c, struct arena *a, struct str id, struct dom *doc, struct err *e)
{
	const struct dom *ingredients = NULL;
	struct dom *row = NULL;
	int64_t n;
	int got;

	if (!str_to_i64(id, &n) || n <= 0)
		return 0;
	got = why_unit_row(c, a, n, &row, &ingredients, e);
	if (got <= 0)
		return got;
	dom_set_cstr(a, doc, "type", "unit");
	why_move(a, doc, row);
	if (!ingredients)
		return 1;
	if (why_inputs(f, c, a, ingredients, doc, e))
		return -1;
	dom_set(a, doc, "ingredients", (struct dom *)ingredients);
	return 1;
}

static int ambiguous(struct arena *a, struct str id, const struct founds *all, struct err *e)
{
	char *list = arena_dup(a, "");

	for (size_t i = 0; i < all->n && i < WHY_MAX_NAMED; i++)
		list = arena_printf(a, "%s%s%.*s (%s %.*s)", list, i ? ", " : "", 12, all->p[i].id.p, all->p[i].type,
		                    STR_ARG(all->p[i].what));
	err_set(e, ERR_BAD_REQUEST, "'%.*s' may be several things", STR_ARG(id));
	return err_hint(e, "%s%s; give more digits", list, all->n > WHY_MAX_NAMED ? ", ..." : "");
}

static int no_such(struct str id, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "there is no run, event, batch, commit or unit '%.*s'", STR_ARG(id));
	return err_hint(e, "an id is 32 hex digits, %d of them are enough if no other begins so", WHY_MIN_PREFIX);
}

int why_find(struct catalog *c, struct arena *a, struct str text, const char **type, struct str *id, struct err *e)
{
	struct founds all = {0};
	struct dom *row = NULL;
	int64_t n;
	int got;

	if (is_hex(text) && find(c, a, text, &all, e) < 0)
		return -1;
	if (all.n > 1)
		return ambiguous(a, text, &all, e);
	if (all.n) {
		*type = all.p[0].type;
		*id = all.p[0].id;
		return 0;
	}
	got = str_to_i64(text, &n) && n > 0 ? why_unit_row(c, a, n, &row, NULL, e) : 0;
	if (got <= 0)
		return got ? -1 : no_such(text, e);
	*type = "unit";
	*id = text;
	return 0;
}

int why_id(struct flow *f, struct catalog *c, struct arena *a, struct str id, const struct dom **out, struct err *e)
{
	struct dom *doc = dom_new(a, DOM_MAP);
	struct founds all = {0};
	int got;

	if (is_hex(id) && find(c, a, id, &all, e) < 0)
		return -1;
	if (all.n > 1)
		return ambiguous(a, id, &all, e);
	if (all.n) {
		if (tell(c, a, &all.p[0], doc, e) < 0)
			return -1;
		*out = doc;
		return 0;
	}
	got = tell_unit(f, c, a, id, doc, e);
	if (got < 0)
		return -1;
	if (!got)
		return no_such(id, e);
	*out = doc;
	return 0;
}
