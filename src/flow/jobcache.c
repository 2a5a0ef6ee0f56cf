#include "flow/jobcache.h"

#include <fcntl.h>
#include <time.h>

#include "base/str.h"
#include "db/duck.h"
#include "flow/input.h"
#include "flow/jobenv.h"
#include "flow/jobfile.h"
#include "flow/plug.h"

#define CACHE_FILE ".leat/cache/jobs%s" /* one for each place that they lie in */
#define CACHE_MAX ((size_t)1 << 30)
#define MAGIC "leat jobs 10\n"
#define MAX_DEPTH DOM_MAX_DEPTH

struct jobcache {
	int ws_fd;             /* the workspace's folder, while jobs are loaded */
	struct map known;      /* path → struct job_entry: of the file */
	VEC(struct job_entry *) kept; /* of this load */
	size_t from_file;      /* how many of the kept came from the file */
	bool changed;
	struct sha tables;     /* what the tables of keys and kinds were */
	int64_t racy_ns;       /* younger than this is not trusted */
};

/* ---- encoding: one function per shape, for both directions ---- */

struct pack {
	struct buf *out;      /* writing, if not NULL */
	struct str in;        /* reading: what is left */
	struct arena *arena;  /* reading: nodes; strings stay where they are */
	bool bad;
};

static void io_bytes(struct pack *p, void *v, size_t n)
{
	if (p->out) {
		buf_add(p->out, v, n);
	} else if (p->in.n < n) {
		p->bad = true;
	} else {
		memcpy(v, p->in.p, n);
		p->in = str_sub(p->in, n, p->in.n);
	}
}

/* Signed, seven bits a byte, sign in the lowest bit. */
static void io_int(struct pack *p, int64_t *v)
{
	uint64_t u = ((uint64_t)*v << 1) ^ (*v < 0 ? UINT64_MAX : 0);
	uint8_t byte = 0x80;

	if (p->out) {
		for (; u >= 0x80; u >>= 7)
			buf_addc(p->out, (char)(u | 0x80));
		buf_addc(p->out, (char)u);
		return;
	}
	u = 0;
	for (unsigned shift = 0; byte & 0x80; shift += 7) {
		if (!p->in.n || shift > 63) {
			p->bad = true;
			return;
		}
		byte = (uint8_t)*p->in.p++;
		p->in.n--;
		u |= (uint64_t)(byte & 0x7f) << shift;
	}
	*v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

#define IO_INT(p, field)                                                                                               \
	do {                                                                                                           \
		int64_t io_v = (int64_t)(field);                                                                       \
		io_int((p), &io_v);                                                                                    \
		if (!(p)->out)                                                                                         \
			(field) = (__typeof__(field))io_v;                                                             \
	} while (0)

/* With a NUL behind, so that what is read in place is a C string too. Length -1 = none. */
static void io_str(struct pack *p, struct str *s)
{
	int64_t n = s->p ? (int64_t)s->n : -1;

	io_int(p, &n);
	if (p->out) {
		if (n >= 0) {
			buf_addstr(p->out, *s);
			buf_addc(p->out, '\0');
		}
		return;
	}
	if (n < 0) {
		*s = STR_NULL;
	} else if (p->bad || (uint64_t)n >= p->in.n || p->in.p[n]) {
		p->bad = true;
	} else {
		*s = str_sub(p->in, 0, (size_t)n);
		p->in = str_sub(p->in, (size_t)n + 1, p->in.n);
	}
}

static void io_dom(struct pack *p, struct dom *v, int depth)
{
	bool raw_is_text = v->type == DOM_STR && v->raw.p == v->s.p && v->raw.n == v->s.n;
	int64_t n = (int64_t)v->n;

	IO_INT(p, v->type);
	IO_INT(p, v->line);
	IO_INT(p, v->col);
	IO_INT(p, v->key_line);
	IO_INT(p, v->key_col);
	IO_INT(p, v->plain);
	io_str(p, &v->key);
	IO_INT(p, raw_is_text);
	if (v->type == DOM_STR)
		io_str(p, &v->s);
	else if (v->type == DOM_LIST || v->type == DOM_MAP)
		io_int(p, &n);
	else
		io_bytes(p, &v->i, sizeof(v->i));
	if (raw_is_text && v->type == DOM_STR)
		v->raw = v->s;
	else
		io_str(p, &v->raw);
	if (v->type != DOM_LIST && v->type != DOM_MAP)
		return;
	if (p->out) {
		dom_each(child, v)
			io_dom(p, child, depth + 1);
		return;
	}
	for (int64_t i = 0; i < n && !p->bad; i++) {
		struct dom *child = arena_new_of(p->arena, struct dom);

		p->bad |= depth > MAX_DEPTH;
		if (!p->bad)
			io_dom(p, child, depth + 1);
		if (p->bad)
			return;
		v->last ? (v->last->next = child) : (v->first = child);
		v->last = child;
		v->n++;
	}
}

static void io_dom_ptr(struct pack *p, const struct dom **v)
{
	static const struct dom empty = {.type = DOM_MAP};
	enum { NONE, SOME, EMPTY } what = !*v ? NONE : (*v)->type == DOM_MAP && !(*v)->n ? EMPTY : SOME;
	struct dom *d = (struct dom *)*v;

	IO_INT(p, what);
	if (!p->out && what == EMPTY)
		*v = &empty; /* most jobs have several of them */
	if (what != SOME || p->bad)
		return;
	if (!p->out)
		*v = d = arena_new_of(p->arena, struct dom);
	io_dom(p, d, 0);
}

static void io_code(struct pack *p, struct job *j)
{
	IO_INT(p, j->n_code);
	if (!p->out && (p->bad || j->n_code > JOB_MAX_CODE_FILES)) {
		p->bad = true;
		return;
	}
	if (!p->out)
		j->code = arena_array(p->arena, struct job_code, j->n_code);
	for (size_t i = 0; i < j->n_code && !p->bad; i++) {
		io_str(p, &j->code[i].path);
		io_str(p, &j->code[i].label);
		io_bytes(p, &j->code[i].sha, sizeof(j->code[i].sha));
		IO_INT(p, j->code[i].size);
	}
}

static bool io_count(struct pack *p, size_t *n)
{
	IO_INT(p, *n);
	p->bad |= !p->out && *n > p->in.n;
	return !p->bad;
}

static void io_tree(struct pack *p, const struct input_node **node, int depth)
{
	struct input_node *n = (struct input_node *)*node;

	if (!p->out)
		*node = n = arena_new_of(p->arena, struct input_node);
	IO_INT(p, n->kind);
	IO_INT(p, n->leaf);
	IO_INT(p, n->line);
	IO_INT(p, n->col);
	if (!io_count(p, &n->n))
		return;
	p->bad |= depth > MAX_DEPTH;
	if (!p->out && !p->bad)
		n->kids = arena_array(p->arena, const struct input_node *, n->n);
	for (size_t i = 0; i < n->n && !p->bad; i++)
		io_tree(p, &n->kids[i], depth + 1);
}

static void io_inputs(struct pack *p, struct job *j)
{
	bool data = j->tree;

	if (!io_count(p, &j->n_inputs))
		return;
	if (!p->out)
		j->inputs = arena_array(p->arena, struct job_input, j->n_inputs);
	for (size_t i = 0; i < j->n_inputs && !p->bad; i++) {
		struct job_input *in = &j->inputs[i];

		io_str(p, &in->name);
		io_str(p, &in->repo);
		io_str(p, &in->pin);
		io_str(p, &in->branch);
		io_str(p, &in->folder);
		io_str(p, &in->glob);
		io_str(p, &in->join_on);
		io_str(p, &in->group_by);
		IO_INT(p, in->outer);
		IO_INT(p, in->empty_files);
		IO_INT(p, in->reference);
		IO_INT(p, in->lazy);
		io_str(p, &in->cron);
		io_str(p, &in->cron_start);
		IO_INT(p, in->overwrite);
		io_str(p, &in->at);
		IO_INT(p, in->optional);
		IO_INT(p, in->window);
		IO_INT(p, in->lo);
		IO_INT(p, in->hi);
		IO_INT(p, in->found);
		IO_INT(p, in->line);
		IO_INT(p, in->col);
	}
	IO_INT(p, data);
	if (data && !p->bad)
		io_tree(p, &j->tree, 0);
}

/* What they write is told anew by jobs_link. */
static void io_after(struct pack *p, struct job *j)
{
	if (!io_count(p, &j->n_after))
		return;
	if (!p->out)
		j->after = arena_array(p->arena, struct job_input, j->n_after);
	for (size_t i = 0; i < j->n_after && !p->bad; i++) {
		io_str(p, &j->after[i].name);
		IO_INT(p, j->after[i].line);
		IO_INT(p, j->after[i].col);
		j->after[i].order = true;
	}
}

static void io_checks(struct pack *p, struct job *j)
{
	if (!io_count(p, &j->n_checks))
		return;
	if (!p->out)
		j->checks = arena_array(p->arena, struct job_check, j->n_checks);
	for (size_t i = 0; i < j->n_checks && !p->bad; i++) {
		io_str(p, &j->checks[i].text);
		io_str(p, &j->checks[i].name);
		IO_INT(p, j->checks[i].whole_table);
		IO_INT(p, j->checks[i].line);
		IO_INT(p, j->checks[i].col);
	}
}

static void io_ds(struct pack *p, struct ds *d)
{
	IO_INT(p, d->every);
	if (d->every)
		io_bytes(p, d->label, sizeof(d->label));
}

/* The whole document, as bytes that are unpacked when somebody asks (job_doc). */
static void io_doc(struct pack *p, struct job *j)
{
	struct buf b cleanup(buf_free) = BUF_INIT(CACHE_MAX);
	struct pack inner = {.out = &b};

	if (p->out && !j->doc_packed.p) {
		io_dom(&inner, (struct dom *)j->doc, 0);
		struct str bytes = buf_str(&b);

		io_str(p, &bytes);
		return;
	}
	io_str(p, &j->doc_packed);
}

static void io_running(struct pack *p, struct job *j)
{
	IO_INT(p, j->retries);
	IO_INT(p, j->retry_delay_ms);
	IO_INT(p, j->timeout_ms);
	IO_INT(p, j->run_timeout_ms);
	IO_INT(p, j->reprocess);
	IO_INT(p, j->grace_ms);
	IO_INT(p, j->own_grace);
	io_bytes(p, &j->backoff, sizeof(j->backoff));
	io_bytes(p, &j->jitter, sizeof(j->jitter));
	io_str(p, &j->pool);
	io_str(p, &j->when);
	IO_INT(p, j->skips);
	IO_INT(p, j->overlap);
	IO_INT(p, j->past);
	IO_INT(p, j->approve);
	IO_INT(p, j->priority);
	IO_INT(p, j->hooks);
	IO_INT(p, j->late_run);
	IO_INT(p, j->paused);
	IO_INT(p, j->detach);
	IO_INT(p, j->idempotent);
	IO_INT(p, j->threads);
	IO_INT(p, j->memo);
	IO_INT(p, j->sandbox);
	io_str(p, &j->timezone);
}

/* All of a job but what depends on other files: its kind's struct and its zone's. */
static void io_job(struct pack *p, struct job *j)
{
	io_str(p, &j->name);
	io_str(p, &j->kind_name);
	io_str(p, &j->dir);
	io_str(p, &j->file);
	IO_INT(p, j->single);
	io_str(p, &j->description);
	io_inputs(p, j);
	io_after(p, j);
	io_str(p, &j->output);
	IO_INT(p, j->no_output);
	io_str(p, &j->output_branch);
	IO_INT(p, j->output_line);
	IO_INT(p, j->output_col);
	io_str(p, &j->pipeline);
	io_str(p, &j->folder_pipeline);
	IO_INT(p, j->every);
	io_str(p, &j->zone);
	io_ds(p, &j->start);
	io_ds(p, &j->end);
	io_dom_ptr(p, &j->schedule);
	io_dom_ptr(p, &j->params);
	io_dom_ptr(p, &j->env);
	io_dom_ptr(p, &j->environment);
	io_str(p, &j->env_file);
	io_str(p, &j->env_python);
	IO_INT(p, j->env_folder);
	io_dom_ptr(p, &j->own);
	io_doc(p, j);
	io_running(p, j);
	io_checks(p, j);
	io_code(p, j);
	io_str(p, &j->main_file);
	io_bytes(p, &j->files_id, sizeof(j->files_id));
	IO_INT(p, j->sql_by_ds);
	io_bytes(p, &j->sql_meaning, sizeof(j->sql_meaning));
	io_str(p, &j->sql_parsed);
	io_str(p, &j->remembered);
}

void jobcache_unpack_doc(struct job *j)
{
	struct pack p = {.in = j->doc_packed, .arena = j->jobs->arena};
	struct dom *doc = arena_new_of(p.arena, struct dom);

	io_dom(&p, doc, 0);
	BUG_IF(p.bad); /* it was checked with the whole file */
	j->doc = doc;
}

/* ---- the file ---- */

/* Another set of keys, defaults or kinds may judge the same file differently. */
static struct sha tables_id(const struct jobs *js)
{
	struct sha_ctx c;
	static const char *const config[] = {JOBFILE_STARTUP, JOBFILE_SPARK};
	struct sha library = duck_library_id(); /* another parser may tell another meaning */

	sha_init(&c);
	sha_field(&c, STR(LEAT_VERSION));
	sha_add(&c, &library, sizeof(library));
	/* Of what is not there no job has a node. */
	sha_field(&c, dir_exists(path_join(js->arena, js->ws->dir, JOBFILE_SHARED)) ? STR(JOBFILE_SHARED) : STR(""));
	for (size_t i = 0; i < ARRAY_LEN(config); i++)
		sha_field(&c, file_exists(path_join(js->arena, js->ws->dir, config[i])) ? str_of(config[i]) : STR(""));
	sha_field(&c, jobenv_setting(js->arena, js->ws));
	for (size_t i = 0; i < job_keys()->n; i++) {
		const struct key *k = &job_keys()->rows[i];

		sha_field(&c, str_of(k->section));
		sha_field(&c, str_of(k->name));
		sha_add(&c, &k->forms, sizeof(k->forms));
		sha_add(&c, &k->rule, sizeof(k->rule));
		sha_field(&c, str_of(k->words ? k->words : ""));
		sha_field(&c, str_of(k->def ? k->def : ""));
	}
	for (const struct job_kind *const *kind = js->kinds; *kind; kind++) {
		sha_field(&c, str_of((*kind)->name));
		for (const struct key *k = (*kind)->keys; k && k->name; k++) {
			sha_field(&c, str_of(k->section));
			sha_field(&c, str_of(k->name));
			sha_add(&c, &k->forms, sizeof(k->forms));
			sha_add(&c, &k->rule, sizeof(k->rule));
			sha_field(&c, str_of(k->words ? k->words : ""));
		}
		for (const char *const *name = (*kind)->code_names; name && *name; name++)
			sha_field(&c, str_of(*name));
	}
	return sha_end(&c);
}

static bool read_entry(struct jobs *js, struct pack *p)
{
	struct job_entry *en = arena_new_of(js->arena, struct job_entry);
	int64_t n = 0;

	io_str(p, &en->path);
	io_int(p, &n);
	if (p->bad || n < 0 || (uint64_t)n > p->in.n)
		return false;
	en->nodes.p = arena_array(js->arena, struct job_node, (size_t)n);
	en->nodes.n = en->nodes.cap = (size_t)n;
	for (size_t i = 0; i < (size_t)n && !p->bad; i++) {
		io_str(p, &en->nodes.p[i].path);
		io_bytes(p, &en->nodes.p[i].key, sizeof(en->nodes.p[i].key));
	}
	io_str(p, &en->body);
	if (!p->bad)
		map_set(&js->cache->known, en->path, en);
	return !p->bad;
}

static char *cache_file(const struct jobs *js, struct arena *a)
{
	return arena_printf(a, "%s/" CACHE_FILE, js->ws->dir, *js->root ? "-live" : "");
}

static void read_cache(struct jobs *js)
{
	struct err why = ERR_INIT;
	struct str text;
	struct sha id;
	struct pack p = {.arena = js->arena};
	int64_t n = 0;

	if (file_read(js->arena, cache_file(js, js->arena), CACHE_MAX, &text, &why))
		return;
	if (!str_has_prefix(text, STR(MAGIC)) || text.n < strlen(MAGIC) + 2 * SHA_BYTES)
		return;
	p.in = str_sub(text, strlen(MAGIC), text.n);
	io_bytes(&p, &id, sizeof(id));
	struct sha want = sha_of(p.in.p, p.in.n);
	if (!sha_eq(&id, &want))
		return;
	io_bytes(&p, &id, sizeof(id));
	if (!sha_eq(&id, &js->cache->tables))
		return;
	io_int(&p, &n);
	for (int64_t i = 0; i < n; i++)
		if (!read_entry(js, &p))
			break;
	js->stats.cached = !p.bad && js->cache->known.n == (size_t)n;
	if (!js->stats.cached)
		map_init(&js->cache->known, js->arena);
}

void jobcache_open(struct jobs *js)
{
	struct timespec now;
	struct jobcache *c = arena_new_of(js->arena, struct jobcache);

	js->cache = c;
	c->ws_fd = open(js->ws->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	map_init(&c->known, js->arena);
	c->tables = tables_id(js);
	clock_gettime(CLOCK_REALTIME, &now); /* of the files' clock, which no LEAT_CLOCK moves */
	c->racy_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - JOBCACHE_RACY_NS;
	read_cache(js);
}

/* ---- entries ---- */

/* Short paths from an open folder: a third of the time of a load is the kernel's looking up of names. */
static int stat_in(struct jobs *js, struct str path, struct stat *st)
{
	return fstatat(js->cache->ws_fd, path.p, st, 0);
}

static bool stands(struct jobs *js, const struct job_entry *en)
{
	for (size_t i = 0; i < en->nodes.n; i++) {
		const struct job_node *n = &en->nodes.p[i];
		struct stat st;
		struct file_key key;

		if (!n->key.ctime_ns || stat_in(js, n->path, &st))
			return false;
		key = file_key_of(&st);
		if (!file_key_eq(&key, &n->key))
			return false;
	}
	return true;
}

struct job_entry *jobcache_get(struct jobs *js, struct str path)
{
	struct jobcache *c = js->cache;
	struct job_entry *en = map_get(&c->known, path);
	struct pack p = {.arena = js->arena};

	if (!en || !stands(js, en))
		return NULL;
	if (en->body.n) {
		en->job = arena_new_of(js->arena, struct job);
		p.in = en->body;
		io_job(&p, en->job);
		if (p.bad || p.in.n || !en->job->params || !en->job->own || !en->job->env)
			return NULL;
		en->job->entry = en;
		en->job->jobs = js;
	}
	vec_push(js->arena, &c->kept, en);
	c->from_file++;
	return en;
}

struct job_entry *jobcache_new(struct jobs *js, struct str path)
{
	struct job_entry *en = arena_new_of(js->arena, struct job_entry);

	en->path = arena_str(js->arena, path);
	return en;
}

int jobcache_node(struct jobs *js, struct job_entry *en, struct str path, struct stat *st_out)
{
	struct job_node n = {.path = arena_str(js->arena, path)};
	struct stat st;

	if (stat_in(js, path, &st))
		return -1;
	if (st_out)
		*st_out = st;
	for (size_t i = 0; i < MIN(en->nodes.n, 4); i++)
		if (str_eq(en->nodes.p[i].path, path))
			return 0; /* the only file of a job: the earlier stat is the safer one */
	n.key = file_key_of(&st);
	if (n.key.mtime_ns >= js->cache->racy_ns || n.key.ctime_ns >= js->cache->racy_ns)
		memset(&n.key, 0, sizeof(n.key));
	vec_push(js->arena, &en->nodes, n);
	return 0;
}

void jobcache_keep(struct jobs *js, struct job_entry *en)
{
	if (en->job)
		en->job->entry = en;
	vec_push(js->arena, &js->cache->kept, en);
	js->cache->changed = true;
}

void jobcache_changed(struct jobs *js, const struct job *j)
{
	j->entry->body = (struct str){0};
	js->cache->changed = true;
}

struct str jobcache_body(const struct job *j)
{
	return j->entry ? j->entry->body : STR_NULL;
}

struct sha jobcache_id(const struct jobs *js)
{
	return js->cache->tables;
}

void jobcache_loaded(struct jobs *js)
{
	fd_close(&js->cache->ws_fd);
	js->cache->ws_fd = -1;
}

static void write_entry(struct pack *p, struct job_entry *en)
{
	struct buf body cleanup(buf_free) = BUF_INIT(CACHE_MAX);
	struct pack inner = {.out = &body};
	struct str text = en->body;
	int64_t n = (int64_t)en->nodes.n;

	io_str(p, &en->path);
	io_int(p, &n);
	for (size_t i = 0; i < en->nodes.n; i++) {
		io_str(p, &en->nodes.p[i].path);
		io_bytes(p, &en->nodes.p[i].key, sizeof(en->nodes.p[i].key));
	}
	if (en->job && !text.n) {
		io_job(&inner, en->job);
		text = buf_str(&body);
	}
	if (!text.p)
		text = STR("");
	io_str(p, &text);
}

void jobcache_save(struct jobs *js)
{
	struct jobcache *c = js->cache;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf all cleanup(buf_free) = BUF_INIT(CACHE_MAX), file cleanup(buf_free) = BUF_INIT(CACHE_MAX);
	struct pack p = {.out = &all};
	struct err why = ERR_INIT;
	int64_t n = (int64_t)c->kept.n;
	struct sha id;
	char *path = cache_file(js, a);

	if (!c->changed && c->from_file == c->known.n)
		return;
	if (!dir_exists(arena_printf(a, "%s/.leat", js->ws->dir)))
		return; /* no store, no place for a cache */
	io_bytes(&p, &c->tables, sizeof(c->tables));
	io_int(&p, &n);
	for (size_t i = 0; i < c->kept.n; i++)
		write_entry(&p, c->kept.p[i]);
	id = sha_of(all.p, all.n);
	buf_adds(&file, MAGIC);
	buf_add(&file, &id, sizeof(id));
	buf_addstr(&file, buf_str(&all));
	/* A cache that cannot be written costs time, nothing else. */
	if (!buf_over(&all) && !buf_over(&file) && !dir_make_parent(path, 0777, &why) &&
	    !file_replace(path, buf_str(&file), 0666, 0, &why))
		c->changed = false;
}
