/* What a pin means: REPO[@PIN][:/PATH] (SEMANTICS 1). */
#include <stdio.h>

#include "base/buf.h"
#include "base/name.h"
#include "base/str.h"
#include "repo/gone.h"
#include "repo/open.h"
#include "repo/overlay.h"

#define PREFIX_MIN 4
#define CANDIDATES 8 /* named when a prefix is ambiguous */
#define LEASE_TRIES 5 /* a branch's head that is dropped each time it is looked at */

int pin_parse(struct str text, struct str *repo, struct str *rev, struct str *path, struct err *e)
{
	struct str r = text, v = STR_NULL, p = STR_NULL, head;
	size_t at = 0;

	while (at < text.n && text.p[at] != '@' && text.p[at] != ':')
		at++;
	if (at < text.n) {
		struct str rest = str_sub(text, at + 1, SIZE_MAX);
		r.n = at;
		if (text.p[at] == ':') {
			p = rest;
		} else if (str_cut(rest, ':', &head, &p)) {
			v = head;
		} else {
			v = rest;
		}
	}
	if (v.p && !v.n) {
		err_set(e, ERR_BAD_REQUEST, "\"%.*s\" has nothing after '@'", STR_ARG(text));
		return err_hint(e, "name a branch, a tag or a commit: %.*s@master", STR_ARG(r));
	}
	if (name_check_repo(r, e))
		return -1;
	while (p.n && *p.p == '/')
		p = str_sub(p, 1, SIZE_MAX);
	*repo = r;
	*rev = v;
	*path = p;
	return 0;
}

struct resolve {
	struct store *s;
	struct arena *a;
	struct repo repo;
	struct str rev;    /* as written */
	struct str base;   /* before the first of ^ ~ . */
	struct str branch; /* the base, if it is a branch */
	bool open;         /* the base is an open commit */
	bool leased;       /* what it is had a lease here before */
};

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n;
}

/* Whether a branch or tag of that name is there; *id is what it names ("" = an empty branch). */
static int named(struct resolve *r, const char *sql, struct id *id, struct err *e)
{
	struct q *q = db_query(r->s->db, sql);
	int found;

	q_int(q, 1, r->repo.id);
	q_text(q, 2, r->base);
	found = q_step(q, e);
	if (found == 1)
		*id = id_of(q_col_text(q, 0));
	q_done(q);
	if (found < 0 && e->code == ERR_DAMAGED && is_hex(r->base) && r->base.n == ID_HEX) {
		err_clear(e); /* a whole id is that commit's: a damaged list of names does not stand in its way */
		return 0;
	}
	return found;
}

static int ambiguous(struct resolve *r, struct q *q, struct id first, struct err *e)
{
	struct buf b = BUF_INIT(900);
	int n = 1, step;

	buf_addf(&b, "%s", first.hex);
	do {
		struct str id = q_col_text(q, 0);
		if (++n <= CANDIDATES)
			buf_addf(&b, ", %.*s", STR_ARG(id));
	} while ((step = q_step(q, e)) == 1 && n < 1000);
	if (step >= 0) {
		err_set(e, ERR_BAD_REQUEST, "%.*s@%.*s could be %d commits", STR_ARG(r->repo.name), STR_ARG(r->base),
			n);
		err_hint(e, "%s%s", b.p, n > CANDIDATES ? ", ..." : "");
	}
	buf_free(&b);
	return -1;
}

/* A unique prefix of a commit's id: 1, 0, -1. */
static int prefix(struct resolve *r, struct id *out, struct err *e)
{
	struct q *q = db_query(r->s->db,
			       "select id from commits where repo = ?1 and id >= ?2 and id < ?2 || 'g' order by id");
	struct id first = {""};
	int found;

	q_int(q, 1, r->repo.id);
	q_text(q, 2, r->base);
	found = q_step(q, e);
	if (found == 1) {
		first = id_of(q_col_text(q, 0));
		int more = q_step(q, e);
		if (more == 1)
			found = ambiguous(r, q, first, e);
		else if (more < 0)
			found = -1;
	}
	q_done(q);
	if (found == 1)
		*out = first;
	return found;
}

/* Says what there is instead of what was asked for. */
static int nothing(struct resolve *r, struct err *e)
{
	struct buf b = BUF_INIT(400);
	struct q *q;

	if (is_hex(r->base) && gone_tell(r->s, &r->repo, r->base, e))
		return -1;
	err_set(e, ERR_NOT_FOUND, "not found: %.*s has no branch, tag or commit \"%.*s\"", STR_ARG(r->repo.name),
		STR_ARG(r->base));
	if (is_hex(r->base) && r->base.n == ID_HEX) {
		q = db_query(r->s->db,
			     "select r.name from commits c join repo r on r.id = c.repo where c.id = ? limit 5");
		q_text(q, 1, r->base);
		while (q_step(q, e) == 1) {
			struct str name = q_col_text(q, 0);
			buf_addf(&b, "%s%.*s", b.n ? ", " : "that id made a commit in ", STR_ARG(name));
		}
	} else {
		q = db_query(
			r->s->db,
			"select name from branch where repo = ?1 union select name from tag where repo = ?1 limit 12");
		q_int(q, 1, r->repo.id);
		while (q_step(q, e) == 1) {
			struct str name = q_col_text(q, 0);
			buf_addf(&b, "%s%.*s", b.n ? ", " : "it has ", STR_ARG(name));
		}
	}
	q_done(q);
	if (b.n)
		err_hint(e, "%s", b.p);
	buf_free(&b);
	return -1;
}

/* An open commit, which is read as if it were finished. 1, 0, -1. */
static int find_open(struct resolve *r, struct commit *out, struct err *e)
{
	struct open_commit o;
	int found = open_find(r->s, r->a, r->repo.id, r->base, &o, e);

	/* resolve_once looks at its tree once more */
	if (found > 0 && o.state == OPEN_OPEN && store_lease_open(r->s, e))
		return -1;
	if (found <= 0 || o.state == OPEN_FINISHED) /* a commit that has been taken out since */
		return found < 0 ? -1 : 0;
	if (o.state != OPEN_OPEN)
		return open_closed(&o, r->repo.name, e);
	r->open = true;
	return open_as_commit(r->s, &o, out, e) ? -1 : 1;
}

/* A workspace branch with no branch of its own in this repo: what it reads. 1, 0 = empty, 2 = there is none, -1. */
static int on_workspace_branch(struct resolve *r, struct commit *out, struct err *e)
{
	struct overlay o;
	struct commit head;
	int got = overlay_find(r->s, r->a, r->base, &o, e);

	if (got <= 0)
		return got ? got : 2;
	r->branch = arena_str(r->a, r->base);
	got = overlay_head(r->s, &o, r->repo.id, &head, e);
	return got > 0 ? commit_read(r->s, r->a, r->repo.id, str_of(head.id.hex), out, e) : got;
}

/* The base of the pin. 1 a commit; 0 a branch without commits; -1. */
static int resolve_base(struct resolve *r, struct commit *out, struct err *e)
{
	struct id id = {""};
	int found = named(r, "select head from branch where repo = ? and name = ?", &id, e);

	if (found == 1)
		r->branch = arena_str(r->a, r->base);
	if (!found)
		found = named(r, "select commit_id from tag where repo = ? and name = ?", &id, e);
	if (!found && !str_is(r->base, BRANCH_DEFAULT) && !(is_hex(r->base) && r->base.n == ID_HEX)) {
		int on = on_workspace_branch(r, out, e);

		if (on != 2)
			return on;
	}
	if (!found && is_hex(r->base) && r->base.n >= PREFIX_MIN && r->base.n <= ID_HEX)
		found = prefix(r, &id, e);
	if (found < 0)
		return -1;
	if (!found && str_is(r->base, BRANCH_DEFAULT)) { /* every repo has it, made or not */
		r->branch = arena_str(r->a, r->base);
		return 0;
	}
	if (!found && is_hex(r->base)) {
		found = find_open(r, out, e);
		if (found)
			return found;
	}
	if (!found)
		return nothing(r, e);
	if (!id.hex[0])
		return 0;
	found = commit_read(r->s, r->a, r->repo.id, str_of(id.hex), out, e);
	if (!found)
		return err_set(e, ERR_DAMAGED, "%.*s@%.*s names the commit %s, which is not there",
			       STR_ARG(r->repo.name), STR_ARG(r->base), id.hex);
	return found;
}

static int not_there(struct resolve *r, const struct commit *from, struct err *e)
{
	struct q *q = db_query(r->s->db, "select min(number) from commits where repo = ?");
	long long first = 1, last = (long long)from->number;

	q_int(q, 1, r->repo.id);
	if (q_step(q, e) == 1)
		first = (long long)q_col_int(q, 0);
	q_done(q);
	if (first == 1)
		err_set(e, ERR_NOT_FOUND, "not found: %.*s has %lld commit%s; %.*s is not there", STR_ARG(r->repo.name),
			last, last == 1 ? "" : "s", STR_ARG(r->rev));
	else
		err_set(e, ERR_NOT_FOUND, "not found: %.*s has commits %lld to %lld; %.*s is not there",
			STR_ARG(r->repo.name), first, last, STR_ARG(r->rev));
	return err_hint(e, "the first is %.*s.%lld, the newest %.*s.%lld", STR_ARG(r->base), first, STR_ARG(r->base),
	                last);
}

/* A number that none has any more, or not yet. */
static int above(struct resolve *r, const struct commit *from, int64_t number, struct err *e)
{
	int told = gone_tell_number(r->s, &r->repo, number, e);

	if (!told)
		return not_there(r, from, e);
	if (told > 0)
		err_hint(e, "the newest of %.*s is %.*s.%lld", STR_ARG(r->repo.name), STR_ARG(r->base),
			 (long long)from->number);
	return -1;
}

static int squashed(struct resolve *r, const struct commit *into, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "%.*s@%.*s was squashed into %.*s.%lld", STR_ARG(r->repo.name), STR_ARG(r->rev),
		STR_ARG(r->base), (long long)into->number);
	return err_hint(e, "its changes are in %.*s@%s", STR_ARG(r->repo.name), into->id.hex);
}

static int parent(struct resolve *r, const struct commit *from, struct commit *c, struct err *e)
{
	int found;

	if (!c->parent.hex[0])
		return not_there(r, from, e);
	found = commit_read(r->s, r->a, r->repo.id, str_of(c->parent.hex), c, e);
	if (!found)
		return err_set(e, ERR_DAMAGED, "the commit %s is named as a parent and is not there", c->parent.hex);
	return found < 0 ? -1 : 0;
}

/*
 * The ancestor with a number without walking there: the numbers of a commit's ancestors go down one by one but for
 * squashed ones, so if the repo has one commit of that number only, and none was taken out, that is it. 1, 0, -1.
 */
static int jump(struct resolve *r, int64_t number, struct commit *c, struct err *e)
{
	struct q *q = db_query(r->s->db,
			       "select min(id), count(*) from commits where repo = ?1 and number = ?2"
			       " and not exists (select 1 from gone where repo = ?1 and number = ?2)");
	struct id id = {""};
	int found;

	q_int(q, 1, r->repo.id);
	q_int(q, 2, number);
	found = q_step(q, e);
	if (found == 1 && q_col_int(q, 1) == 1)
		id = id_of(q_col_text(q, 0));
	q_done(q);
	if (found < 0 || !id.hex[0])
		return found < 0 ? -1 : 0;
	return commit_read(r->s, r->a, r->repo.id, str_of(id.hex), c, e);
}

/* .N */
static int by_number(struct resolve *r, const struct commit *from, int64_t number, struct commit *c, struct err *e)
{
	int found = 0;

	if (number < 1 || number > c->number)
		return number > c->number ? above(r, from, number, e) : not_there(r, from, e);
	if (c->number > number && !r->open)
		found = jump(r, number, c, e);
	if (found)
		return found < 0 ? -1 : 0;
	while (c->number > number) {
		struct commit child = *c;
		if (!c->parent.hex[0])
			return squashed(r, &child, e);
		if (parent(r, from, c, e))
			return -1;
		if (c->number < number)
			return squashed(r, &child, e);
	}
	return 0;
}

/* ^ ^n ~ ~n (n-th ancestor) and .N (the ancestor with that number), one after the other. */
static int ancestry(struct resolve *r, struct commit *c, struct str ops, struct err *e)
{
	const struct commit from = *c;

	while (ops.n) {
		char op = *ops.p;
		size_t n = 1;
		int64_t count = 1;
		while (n < ops.n && ops.p[n] >= '0' && ops.p[n] <= '9')
			n++;
		if ((op != '^' && op != '~' && op != '.') || (op == '.' && n == 1) ||
		    (n > 1 && !str_to_i64(str_sub(ops, 1, n - 1), &count))) {
			err_set(e, ERR_BAD_REQUEST, "\"%.*s\" is no pin", STR_ARG(r->rev));
			return err_hint(e, "after a branch, tag or commit may stand ^ ~2 or .31");
		}
		ops = str_sub(ops, n, SIZE_MAX);
		if (op == '.') {
			if (by_number(r, &from, count, c, e))
				return -1;
			continue;
		}
		while (count-- > 0)
			if (parent(r, &from, c, e))
				return -1;
	}
	return 0;
}

/* Rows only. 1 a commit; 0 a branch without commits; -1. */
static int find_commit(struct resolve *r, struct commit *out, struct err *e)
{
	size_t base = 0;
	int found;

	while (base < r->rev.n && r->rev.p[base] != '^' && r->rev.p[base] != '~' && r->rev.p[base] != '.')
		base++;
	r->base = base ? str_sub(r->rev, 0, base) : store_branch(r->s); /* of @^ and @.3 */
	if (name_check_branch(r->base, e))
		return -1;
	found = resolve_base(r, out, e);
	if (found < 0)
		return -1;
	if (!found && base < r->rev.n)
		return err_set(e, ERR_NOT_FOUND, "%.*s has no commits on %.*s; %.*s is not there",
			       STR_ARG(r->repo.name), STR_ARG(r->base), STR_ARG(r->rev));
	if (found && ancestry(r, out, str_sub(r->rev, base, SIZE_MAX), e))
		return -1;
	if (base < r->rev.n) {
		r->branch = STR_NULL;
		r->open = false;
	}
	return found;
}

/* Whether it holds now, under the lease, what was found: it may have been put into, or forgotten, meanwhile. */
static int holds_still(struct resolve *r, const struct commit *c, struct err *e)
{
	struct q *q = db_query(r->s->db,
			       r->open ? "select 1 from open_commit where repo = ? and id = ? and tree = ?"
					 " and state = 'open'"
				       : "select 1 from commits where repo = ? and id = ? and tree = ?");
	int found;

	q_int(q, 1, c->repo);
	q_cstr(q, 2, c->id.hex);
	q_sha(q, 3, &c->tree);
	found = q_step(q, e);
	q_done(q);
	return found;
}

/* r->rev is there: 1 and a leased commit, 0 a branch without commits, -1; 2: it has changed since it was found. */
static int resolve_once(struct resolve *r, struct commit *out, struct err *e)
{
	int found;

	if (db_read_begin(r->s->db, e)) /* branches, commits and parents of one moment */
		return -1;
	found = find_commit(r, out, e);
	db_read_end(r->s->db);
	if (found <= 0)
		return found;
	r->leased = store_leased(r->s, out->id);
	found = store_lease_commit(r->s, r->repo.id, out->id, e);
	if (found <= 0)
		return found ? -1 : 2;
	found = holds_still(r, out, e);
	if (found <= 0 && !r->leased)
		store_lease_drop(r->s, out->id);
	return found ? found : 2;
}

int pin_resolve(struct store *s, struct arena *a, struct str text, struct pin *out, struct err *e)
{
	struct resolve r = {.s = s, .a = a};
	struct pin p = {0};
	struct str repo, rev, path;
	char clean[NAME_MAX_PATH + 1];
	int found, tries = 0;
	size_t n;

	if (pin_parse(text, &repo, &rev, &path, e) || name_path(path.p ? path : STR(""), clean, &n, &p.folder, e))
		return -1;
	found = rev.p ? repo_find_any(s, a, repo, &r.repo, e) : repo_find(s, a, repo, &r.repo, e);
	if (found <= 0)
		return found < 0 ? -1 : repo_not_found(s, repo, e);
	r.rev = rev.p ? rev : store_branch(s);
	do {
		r.branch = STR_NULL;
		r.open = false;
		p.commit = (struct commit){0};
		found = resolve_once(&r, &p.commit, e);
	} while (found == 2 && ++tries < LEASE_TRIES);
	if (found == 2)
		return nothing(&r, e);
	if (found < 0)
		return -1;
	if (found && p.commit.forgotten) {
		char when[TIME_TEXT];
		if (!r.leased)
			store_lease_drop(s, p.commit.id);
		time_rfc3339(p.commit.forgotten, when);
		err_set(e, ERR_NOT_FOUND, "the commit %s of %.*s (number %lld) was forgotten at %s", p.commit.id.hex,
			STR_ARG(repo), (long long)p.commit.number, when);
		return err_hint(e, "only that it was there is kept: leat log %.*s", STR_ARG(repo));
	}
	p.repo = r.repo;
	p.has_commit = found;
	p.open = r.open;
	p.branch = r.branch;
	p.path = arena_str(a, (struct str){clean, n});
	*out = p;
	return 0;
}
