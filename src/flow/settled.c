#include "flow/settled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "flow/jobcache.h"
#include "flow/plan_in.h"
#include "sys/file.h"

#define CACHE_FILE "cache/plan"
#define CACHE_MAX ((size_t)256 << 20)
#define MAGIC "leat plan 1\n"

/* One job in the file, after the length of its name and that. */
struct record {
	struct sha digest;
	uint64_t n, n_up_to_date;
	char until[24]; /* by_time: the last interval of the job that had ended; else "" */
};

struct one {
	const struct record *old; /* NULL: none */
	struct record now;
	bool has_digest, kept;    /* .now.digest is that of this plan; .now is to be written */
	int64_t token;
};

struct token {
	int64_t repo, token;
};

struct tokens {
	VEC(struct token) v; /* by repo */
};

struct settled {
	struct flow *f;
	struct catalog *c;
	struct arena *arena;
	struct one *of; /* by index of the job */
	struct sha world;
	struct tokens tokens;
	size_t n_kept;
};

/* ---- what moves ---- */

static int read_tokens(struct db *d, struct arena *a, struct tokens *out, struct err *e)
{
	struct q *q = db_query(d, "select repo, token from moved order by repo");
	int r;

	*out = (struct tokens){0};
	while ((r = q_step(q, e)) == 1) {
		struct token t = {q_col_int(q, 0), q_col_int(q, 1)};

		vec_push(a, &out->v, t);
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int by_repo(const void *a, const void *b)
{
	const struct token *x = a, *y = b;

	return (x->repo > y->repo) - (x->repo < y->repo);
}

/* 0: its rows never changed. */
static int64_t token_of(const struct tokens *t, int64_t repo)
{
	struct token want = {.repo = repo}, *got = NULL;

	if (t->v.n)
		got = bsearch(&want, t->v.p, t->v.n, sizeof(want), by_repo);
	return got ? got->token : 0;
}

int settled_check_failed(struct db *d, struct err *e)
{
	if (!db_has_set(d, DB_SET_MOVED))
		return 0;
	return q_run(db_query(d, "insert or replace into moved(repo, token) values(0, random())"), e);
}

/* ---- digests ---- */

static void add_int(struct sha_ctx *h, int64_t v)
{
	sha_add(h, &v, sizeof(v));
}

static bool add_file(struct sha_ctx *h, const char *path, bool times)
{
	struct stat st;
	struct file_key key;

	if (stat(path, &st))
		return false;
	key = file_key_of(&st);
	add_int(h, (int64_t)key.dev);
	add_int(h, (int64_t)key.ino);
	if (times) {
		add_int(h, key.size);
		add_int(h, key.mtime_ns);
	}
	return true;
}

/* What is the same for all jobs: another program, other settings, another database know nothing. */
static bool world_of(struct settled *s)
{
	const struct store *st = s->f->store;
	struct sha keys = jobcache_id(s->f->jobs);
	struct sha_ctx h;

	sha_init(&h);
	sha_field(&h, STR(MAGIC));
	if (!add_file(&h, "/proc/self/exe", true) ||
	    !add_file(&h, arena_printf(s->arena, "%s/leat.db", st->leat_dir), false))
		return false;
	sha_add(&h, keys.b, sizeof(keys.b));
	sha_add(&h, s->f->ws->yaml_id->b, SHA_BYTES);
	s->world = sha_end(&h);
	return true;
}

static void add_head(struct sha_ctx *h, const struct catalog_repo *r)
{
	add_int(h, !r ? 0 : r->has_commit ? 2 : 1);
	if (r && r->has_commit)
		sha_add(h, r->head.tree.b, SHA_BYTES);
}

static bool add_input(struct settled *s, struct sha_ctx *h, const struct job *j, const struct job_input *in)
{
	const struct job *by = graph_producer(s->f->graph, in->repo);
	const struct catalog_repo *head = NULL;
	struct catalog_repo *pinned = NULL;
	struct partset *parts = NULL;
	struct err ignored = ERR_INIT;
	const char *why = NULL;
	struct sha format = {0};

	if (!catalog_bare(s->c, in->repo, &head))
		return false;
	if ((in->at.p || in->pin.p) && catalog_input(s->c, s->arena, in, &pinned, &parts, &why, &ignored) != 1)
		return false;
	sha_field(h, in->repo); /* of `after:` the job's file does not say it */
	add_head(h, pinned ? pinned : head);
	if (head && head->repo.role == REPO_SYSTEM) /* a job without output has no head that moves */
		add_int(h, token_of(&s->tokens, head->repo.id));
	add_int(h, by ? (int64_t)by->every : -1);
	if (job_is_sql(j) && catalog_format(s->c, in->repo, &format, &ignored) < 0)
		return false;
	sha_add(h, format.b, sizeof(format.b));
	return true;
}

/*
 * All that the decisions of a job's units are made from. False where that is not to be had: the job was read anew in
 * this process, a pin finds nothing, units above it are planned.
 */
static bool digest_of(struct settled *s, const struct job *j, struct one *out)
{
	struct str body = jobcache_body(j);
	const struct catalog_repo *own;
	struct sha_ctx h;

	if (!body.n || j->output_branch.p || !catalog_bare(s->c, j->output, &own))
		return false;
	sha_init(&h);
	sha_add(&h, s->world.b, sizeof(s->world.b));
	sha_field(&h, body);
	sha_field(&h, str_of(tz_name(j->tz)));
	add_int(&h, (int64_t)tz_sum(j->tz));
	for (size_t i = 0; i < j->n_inputs + j->n_after; i++)
		if (!add_input(s, &h, j, i < j->n_inputs ? &j->inputs[i] : &j->after[i - j->n_inputs]))
			return false;
	add_head(&h, own);
	out->token = own ? token_of(&s->tokens, own->repo.id) : 0;
	if (own) {
		add_int(&h, own->repo.id);
		add_int(&h, own->repo.role);
		sha_field(&h, str_of(own->has_commit ? own->head.id.hex : ""));
		sha_field(&h, str_of(own->has_commit ? own->head.run.hex : ""));
	}
	add_int(&h, out->token);
	if (j->n_checks)
		add_int(&h, token_of(&s->tokens, 0));
	out->now.digest = sha_end(&h);
	return true;
}

/* ---- the file ---- */

static bool take(struct str *from, void *to, size_t n)
{
	if (from->n < n)
		return false;
	memcpy(to, from->p, n);
	*from = str_sub(*from, n, from->n);
	return true;
}

static void read_file(struct settled *s, const char *path)
{
	struct err why = ERR_INIT;
	struct str text;
	struct sha sum, want;
	uint32_t n;

	if (file_read(s->arena, path, CACHE_MAX, &text, &why) || !str_has_prefix(text, STR(MAGIC)))
		return;
	text = str_sub(text, strlen(MAGIC), text.n);
	if (!take(&text, &sum, sizeof(sum)))
		return;
	want = sha_of(text.p, text.n);
	if (!sha_eq(&sum, &want))
		return;
	while (take(&text, &n, sizeof(n)) && n <= text.n) {
		const struct job *j = jobs_get(s->f->jobs, str_sub(text, 0, n));
		struct record *r = arena_new_of(s->arena, struct record);

		text = str_sub(text, n, text.n);
		if (!take(&text, r, sizeof(*r)))
			return;
		if (j)
			s->of[j->index].old = r;
	}
}

static void add_record(struct buf *b, const struct job *j, const struct record *r)
{
	uint32_t n = (uint32_t)j->name.n;

	buf_add(b, &n, sizeof(n));
	buf_addstr(b, j->name);
	buf_add(b, r, sizeof(*r));
}

void settled_save(struct settled *s)
{
	struct buf all cleanup(buf_free) = BUF_INIT(CACHE_MAX), file cleanup(buf_free) = BUF_INIT(CACHE_MAX);
	struct err ignored = ERR_INIT;
	struct jobs *js = s->f->jobs;
	struct tokens now;
	struct sha sum;
	char *path;

	/* what was decided was read after the tokens: where these are as they were, so was what was read */
	if (!s->n_kept || read_tokens(s->f->store->db, s->arena, &now, &ignored))
		return;
	for (size_t i = 0; i < js->n; i++) {
		const struct job *j = js->all[i];
		const struct one *o = &s->of[j->index];
		const struct catalog_repo *own = NULL;
		bool stood = o->kept && catalog_bare(s->c, j->output, &own) &&
		             o->token == (own ? token_of(&now, own->repo.id) : 0) &&
		             (!j->n_checks || token_of(&now, 0) == token_of(&s->tokens, 0));

		if (stood)
			add_record(&all, j, &o->now);
		else if (o->old)
			add_record(&all, j, o->old);
	}
	sum = sha_of(all.p, all.n);
	buf_adds(&file, MAGIC);
	buf_add(&file, &sum, sizeof(sum));
	buf_addstr(&file, buf_str(&all));
	path = arena_printf(s->arena, "%s/" CACHE_FILE, s->f->store->leat_dir);
	if (!buf_over(&all) && !buf_over(&file) && !dir_make_parent(path, 0777, &ignored) &&
	    !file_replace(path, buf_str(&file), 0666, 0, &ignored))
		s->n_kept = 0;
}

/* ---- asking ---- */

int settled_open(struct flow *f, struct catalog *c, struct arena *a, struct settled **out, struct err *e)
{
	struct settled *s;

	*out = NULL;
	if (f->store->on || !db_has_set(f->store->db, DB_SET_MOVED))
		return 0;
	s = arena_new_of(a, struct settled);
	s->f = f;
	s->c = c;
	s->arena = a;
	s->of = arena_array(a, struct one, f->jobs->n);
	if (!world_of(s))
		return 0;
	if (read_tokens(f->store->db, a, &s->tokens, e))
		return -1;
	read_file(s, arena_printf(a, "%s/" CACHE_FILE, f->store->leat_dir));
	*out = s;
	return 0;
}

static const char *last_ended(const struct settled *s, const struct job *j, struct ds *d)
{
	*d = plan_last_ended(s->f, j);
	return d->label;
}

bool settled_find(struct settled *s, const struct job *j, struct settled_job *out)
{
	struct one *o = &s->of[j->index];
	struct ds last;

	o->kept = false;
	o->has_digest = digest_of(s, j, o);
	if (!o->has_digest || !o->old || !sha_eq(&o->old->digest, &o->now.digest))
		return false;
	out->by_time = o->old->until[0];
	if (out->by_time && strncmp(o->old->until, last_ended(s, j, &last), sizeof(o->old->until)) != 0)
		return false;
	out->n = o->old->n;
	out->n_up_to_date = o->old->n_up_to_date;
	return true;
}

void settled_keep(struct settled *s, const struct job *j, const struct settled_job *what)
{
	struct one *o = &s->of[j->index];
	struct ds last;

	if (!o->has_digest)
		return;
	memset(o->now.until, 0, sizeof(o->now.until));
	if (what->by_time)
		snprintf(o->now.until, sizeof(o->now.until), "%s", last_ended(s, j, &last));
	o->now.n = what->n;
	o->now.n_up_to_date = what->n_up_to_date;
	o->kept = true;
	s->n_kept++;
}
