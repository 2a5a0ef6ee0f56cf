/* What jobs that stay write becomes commits of their outputs. */
#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"
#include "flow/owner.h"
#include "job/stay.h"
#include "repo/blob.h"
#include "repo/datastore.h"
#include "sys/clock.h"
#include "sys/dir.h"

struct making {
	struct store *s;
	struct arena *a;
	const struct job *j;
	struct ingest *in;
	struct event ev;
	struct entry root;
	VEC(struct tree_edit) edits;
	const struct dom *inputs;
	const char *reason;
	struct str message, meta;
};

static int add_edit(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct making *m = ptr;
	struct tree_edit ed = {.op = EDIT_PUT, .path = arena_str(m->a, path), .entry = *entry};

	if (entry->kind == ENTRY_FOLDER)
		return 0;
	if (m->edits.n >= STAY_MAX_FILES)
		return err_set(e, ERR_LIMIT, "more than %d files at once", STAY_MAX_FILES);
	vec_push(m->a, &m->edits, ed);
	return 0;
}

/* The output as it stands: its tree, the empty one where nothing is there. */
static int head_tree(struct making *m, struct sha *out, struct err *e)
{
	struct repo repo;
	struct commit head = {0};
	int r = repo_find(m->s, m->a, m->j->output, &repo, e);

	*out = tree_empty_id();
	if (r > 0)
		r = branch_head(m->s, repo.id, STR(BRANCH_DEFAULT), &head, e);
	if (r > 0)
		*out = head.tree;
	return r < 0 ? -1 : 0;
}

/* What it is, for why: the keys that name its program, its code, its inputs as they are written and as they were. */
static struct str program_of(struct making *m, struct buf *b)
{
	static const char *const names[] = {"cmd", "stdin", "image", "port"};
	struct dom *doc = dom_new(m->a, DOM_MAP), *code = dom_new(m->a, DOM_LIST), *inputs = dom_new(m->a, DOM_LIST);
	const struct job *j = m->j;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct dom *v = dom_get(job_doc(j), names[i]);

		if (v)
			dom_set(m->a, doc, names[i], dom_copy(m->a, v));
	}
	for (size_t i = 0; i < j->n_code; i++) {
		struct dom *one = dom_new(m->a, DOM_MAP);
		char hex[SHA_HEX + 1];

		sha_hex(&j->code[i].sha, hex);
		dom_set_str(m->a, one, "path", j->code[i].path);
		dom_set_cstr(m->a, one, "sha256", hex);
		dom_add(code, one);
	}
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];
		const struct dom *at = dom_get(m->inputs, arena_cstr(m->a, in->name));
		struct dom *one = dom_new(m->a, DOM_MAP);

		dom_set_str(m->a, one, "name", in->name);
		dom_set_str(m->a, one, "repo", in->repo);
		dom_set_str(m->a, one, "pin", in->pin);
		dom_set_str(m->a, one, "at", at && at->type == DOM_STR ? at->s : STR_NULL);
		dom_add(inputs, one);
	}
	if (j->n_code)
		dom_set(m->a, doc, "code", code);
	dom_set(m->a, doc, "inputs", inputs);
	dom_write_json(b, doc, DOM_COMPACT);
	return buf_str(b);
}

/* So that `runs` shows it, and the output is known to be a job's. */
static int run_row(struct making *m, struct id run, struct err *e)
{
	struct q *q = db_query(m->s->db,
	                       "insert into run(id, job, batch, kind, state, command, created, started, finished,"
	                       " event, ran, known, recovered, failed, reason, params)"
	                       " values(?, ?, ?, ?, 'success', ?, ?6, ?6, ?6, ?, 0, 0, 0, 0, ?8, ?9)");
	struct buf b cleanup(buf_free) = BUF_INIT(STAY_MAX_STATE);

	q_cstr(q, 1, run.hex);
	q_text(q, 2, m->j->name);
	q_cstr(q, 3, m->ev.batch.hex);
	q_text(q, 4, m->j->kind_name);
	q_cstr(q, 5, m->ev.command);
	q_int(q, 6, clock_now_ms());
	q_cstr(q, 7, m->ev.id.hex);
	q_cstr(q, 8, m->reason);
	q_text(q, 9, url_redact(m->a, program_of(m, &b)));
	return q_run(q, e);
}

/* In the transaction: 1 made, 0 it is as the head, -1. */
static int make(struct making *m, struct commit *out, struct err *e)
{
	bool spout = stay_is_spout(m->j), made;
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT),
	                       .id = m->ev.id,
	                       .batch = m->ev.batch,
	                       .run = id_new(),
	                       .message = m->message,
	                       .meta = m->meta,
	                       .even_if_equal = true};
	struct sha head;

	if (head_tree(m, &head, e))
		return -1;
	if (!spout && sha_eq(&head, &m->root.id))
		return 0;
	if (spout) {
		c.edits = m->edits.p;
		c.n_edits = m->edits.n;
	} else {
		c.tree = &m->root.id;
	}
	if (event_record(m->s, &m->ev, e) || owner_take(m->s, m->a, m->j, &c.repo, e) || run_row(m, c.run, e) ||
	    commit_make(m->s, m->in, &c, out, &made, e))
		return -1;
	return 1;
}

static int take_in(struct making *m, const char *dir, struct err *e)
{
	if (stay_is_spout(m->j))
		return ingest_each(m->in, dir, INGEST_MOVE, add_edit, m, e);
	return ingest_folder(m->in, dir, INGEST_COPY, &m->root, e);
}

/* Names and commits of inputs, as `--meta` would have them. */
static struct str meta_of(struct arena *a, const struct dom *inputs)
{
	struct buf b cleanup(buf_free) = BUF_INIT(STAY_MAX_STATE);

	if (!inputs || inputs->type != DOM_MAP || !inputs->n)
		return STR_NULL;
	dom_write_json(&b, inputs, DOM_COMPACT);
	return arena_str(a, buf_str(&b));
}

static void no_note(void *ptr, const char *text)
{
	(void)ptr;
	(void)text;
}

int stay_commit(struct store *s, struct arena *a, const struct job *j, const char *dir, const struct stay_commit *how,
                struct commit *out, bool *made, struct err *e)
{
	struct making m = {.s = s, .a = a, .j = j, .in = ingest_new(s), .inputs = how->inputs, .reason = how->reason,
	                   .meta = meta_of(a, how->inputs)};
	struct err ignored = ERR_INIT;
	int r;

	m.message = how->message.n ? how->message : arena_strf(a, "%.*s %.*s", STR_ARG(j->kind_name), STR_ARG(j->name));
	m.ev = (struct event){.id = id_new(), .kind = "commit", .label = "", .command = how->command};
	m.ev.batch = m.ev.id;
	*made = false;
	if (take_in(&m, dir, e) || ingest_begin(m.in, e)) {
		ingest_free(m.in);
		return -1;
	}
	r = make(&m, out, e);
	if (r > 0 && db_commit(s->db, e))
		r = -1;
	else if (r <= 0)
		db_rollback(s->db);
	ingest_free(m.in);
	*made = r > 0;
	if (r > 0 && datastore_update(s, no_note, NULL, &ignored))
		err_clear(&ignored); /* the next command that writes tries again */
	return r < 0 ? -1 : 0;
}

struct laying {
	struct store *s;
	struct arena *a;
	const char *dir;
};

static int lay_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct laying *l = ptr;
	char *to = arena_printf(l->a, "%s/%.*s", l->dir, STR_ARG(path));

	return dir_make_parent(to, 0755, e) || blob_write_to(l->s, &entry->id, to, 0644, e) ? -1 : 0;
}

int stay_lay_out(struct store *s, struct arena *a, const struct job *j, const char *dir, struct err *e)
{
	struct arena *own cleanup(arena_cleanup) = arena_new();
	struct making m = {.s = s, .a = a, .j = j};
	struct laying l = {s, own, dir};
	struct sha head;

	if (head_tree(&m, &head, e) || dir_make(dir, 0755, e))
		return -1;
	return tree_walk(s, NULL, &head, false, lay_file, &l, e);
}
