/* One start of a job that stays: its inputs as they stand now, in folders of their own, and what its process finds. */
#include "base/buf.h"
#include "base/str.h"
#include "flow/catalog.h"
#include "flow/datum.h"
#include "flow/key.h"
#include "flow/run.h"
#include "job/stay.h"
#include "sys/bind.h"
#include "sys/dir.h"
#include "sys/file.h"

struct gathering {
	struct stay_turn *turn;
	struct store *s;
	const struct job *j;
	const char *const *folders;
	struct map seen; /* parts that are there: "LEAF/path" */
	bool copy;
};

static bool is_whole(const struct job_input *in)
{
	return !in->glob.p || str_is(in->glob, "/");
}

/* What units are made of is for such a job one set of files. */
static int add_parts(void *ptr, const struct datum *d, struct err *e)
{
	struct gathering *g = ptr;
	struct arena *a = g->turn->arena;

	for (size_t i = 0; i < d->n; i++) {
		const struct datum_part *p = &d->parts[i];
		const struct job_input *in = &g->j->inputs[p->leaf];
		struct str key = arena_strf(a, "%zu/%.*s", p->leaf, STR_ARG(p->path));

		if (is_whole(in) || map_has(&g->seen, key))
			continue;
		map_set(&g->seen, key, g);
		if (run_lay_part(g->s, a, p, g->folders[p->leaf], in->empty_files, g->copy, e))
			return -1;
	}
	return 0;
}

static int lay_inputs(struct gathering *g, struct err *e)
{
	const struct job *j = g->j;

	for (size_t i = 0; i < j->n_inputs; i++) {
		struct datum_part all = {.leaf = i, .path = STR(""), .entry = {.kind = ENTRY_FOLDER}};

		if (dir_make(g->folders[i], 0755, e))
			return -1;
		all.entry.id = g->turn->trees[i];
		if (is_whole(&j->inputs[i]) && !sha_is_zero(&all.entry.id) &&
		    run_lay_part(g->s, g->turn->arena, &all, g->folders[i], j->inputs[i].empty_files, g->copy, e))
			return err_wrap(e, "input %.*s", STR_ARG(j->inputs[i].name));
	}
	return j->tree ? datum_each(j, g->s, g->turn->arena, g->turn->trees, add_parts, g, e) : 0;
}

/* Commits of all inputs; they are leased until they are laid. */
static int bind_inputs(struct stay_turn *t, struct store *s, const struct job *j, struct err *e)
{
	struct arena *a = t->arena;
	struct unit_input *inputs = arena_array(a, struct unit_input, j->n_inputs + 1);
	struct dom *shown = dom_new(a, DOM_MAP);

	t->trees = arena_array(a, struct sha, j->n_inputs + 1);
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];
		struct catalog_repo *r = arena_new_of(a, struct catalog_repo);
		int got = input_resolve(s, a, j, in, &r->head, e);

		if (got < 0)
			return -1;
		r->has_commit = got;
		inputs[i].input = in;
		inputs[i].reads = (struct reads){.repo = r, .state = READS_OK, .whole = true};
		if (got) {
			t->trees[i] = r->head.tree;
			dom_set_str(a, shown, arena_cstr(a, in->name),
			            arena_strf(a, "%.*s@%s", STR_ARG(in->repo), r->head.id.hex));
		}
	}
	t->t.inputs = inputs;
	t->t.n_inputs = j->n_inputs;
	t->inputs = shown;
	return 0;
}

static void unlease(struct stay_turn *t, struct store *s)
{
	for (size_t i = 0; i < t->t.n_inputs; i++)
		if (t->t.inputs[i].reads.repo->has_commit)
			store_lease_drop(s, t->t.inputs[i].reads.repo->head.id);
}

/* --- what it sees --- */

static int hash_parts(void *ptr, const struct datum *d, struct err *e)
{
	struct sha_ctx *h = ptr;

	(void)e;
	for (size_t i = 0; i < d->n; i++) {
		sha_add(h, &d->parts[i].leaf, sizeof(d->parts[i].leaf));
		sha_field(h, d->parts[i].path);
		sha_add(h, &d->parts[i].entry.id, SHA_BYTES);
	}
	return 0;
}

/* Of inputs that are whole their trees, of the others what the globs, and what combines them, give. */
static int seen_of(struct store *s, struct arena *a, const struct job *j, const struct sha *trees, struct sha *out,
                   struct err *e)
{
	struct sha_ctx h;

	sha_init(&h);
	for (size_t i = 0; i < j->n_inputs; i++)
		if (is_whole(&j->inputs[i]))
			sha_add(&h, &trees[i], SHA_BYTES);
	if (j->tree && datum_each(j, s, a, trees, hash_parts, &h, e))
		return -1;
	*out = sha_end(&h);
	return 0;
}

int stay_moved(struct store *s, const struct job *j, const struct stay_turn *turn, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct sha *now = arena_array(a, struct sha, j->n_inputs + 1), seen = {0};
	struct id *leased = arena_array(a, struct id, j->n_inputs + 1);
	bool other = false;
	int rc;

	for (size_t i = 0; i < j->n_inputs; i++) {
		struct commit c;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : input_resolve(s, a, j, &j->inputs[i], &c, e);

		if (got < 0)
			return -1;
		now[i] = got ? c.tree : turn->trees[i];
		if (got)
			leased[i] = c.id;
		other |= !sha_eq(&now[i], &turn->trees[i]);
	}
	/* Their leases last until that has been read. */
	rc = other ? seen_of(s, a, j, now, &seen, e) : 0;
	for (size_t i = 0; i < j->n_inputs; i++)
		if (leased[i].hex[0])
			store_lease_drop(s, leased[i]);
	return rc ? -1 : other && !sha_eq(&seen, &turn->seen);
}

static int write_spec(struct stay_turn *t, const struct dom *spec, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(STAY_MAX_STATE);

	dom_write_json(&b, spec, DOM_COMPACT);
	buf_addc(&b, '\n');
	return file_replace(t->t.spec_path, arena_str(t->arena, buf_str(&b)), 0444, 0, e);
}

/* What the process finds beside its inputs: the rendered job, and folders that the keeper has made. */
static int fill(struct stay_turn *t, struct flow *f, const struct stay_place *p, struct err *e)
{
	struct plan_unit u = {.job = t->t.job, .ds = t->t.ds, .inputs = t->t.inputs, .n_inputs = t->t.n_inputs};
	struct arena *a = t->arena;
	int root = run_wants_root(t->t.job, e);

	if (root < 0)
		return -1;
	if (root) {
		t->t.root_dir = arena_printf(a, "%s/root", p->dir);
		t->t.tmp_dir = arena_printf(a, "%s/tmp", p->dir);
		t->t.home_dir = arena_printf(a, "%s/home", p->dir);
	}
	t->t.vars = unit_vars(a, &u, NULL);
	if (unit_spec(a, &u, NULL, &t->t.spec, e) || write_spec(t, t->t.spec, e))
		return -1;
	return run_task_path(f, a, &t->t.path, e);
}

int stay_turn(struct stay_turn *turn, struct flow *f, struct loop *loop, const struct job *j,
              const struct stay_place *p, unsigned n, const char *marker, int log, struct err *e)
{
	struct arena *a = turn->arena;
	const char **folders = NULL;
	struct gathering g = {.turn = turn, .s = f->store, .j = j};
	struct stay_keys keys;
	int rc;

	arena_reset(a);
	folders = arena_array(a, const char *, j->n_inputs + 1);
	map_init(&g.seen, a);
	g.folders = folders;
	stay_keys(a, j, &keys);
	turn->given = (struct attempt_given){
		.folders = folders, .log = log, .port = keys.port, .pipe = stay_is_spout(j)};
	turn->t = (struct attempt){.arena = a,
	                           .flow = f,
	                           .loop = loop,
	                           .job = j,
	                           .ds = {.every = EVERY_NONE},
	                           .run_id = arena_dup(a, marker),
	                           .event = "",
	                           .number = (int)n,
	                           .out_dir = arena_dup(a, p->out),
	                           .work_dir = arena_printf(a, "%s/work", p->dir),
	                           .spec_path = arena_printf(a, "%s/spec.json", p->dir),
	                           .log_path = arena_dup(a, p->log),
	                           .marker = arena_dup(a, marker),
	                           .threads = 1,
	                           .given = &turn->given};
	for (size_t i = 0; i < j->n_inputs; i++)
		folders[i] = arena_printf(a, "%s/in/%u/%.*s", p->dir, n, STR_ARG(j->inputs[i].name));
	if (bind_inputs(turn, f->store, j, e))
		return -1;
	rc = fill(turn, f, p, e) || seen_of(f->store, a, j, turn->trees, &turn->seen, e);
	/* Links to blobs are only for what is mounted read-only. */
	g.copy = !rc && !turn->t.root_dir && !bind_available(NULL);
	if (!rc)
		rc = lay_inputs(&g, e);
	unlease(turn, f->store);
	return rc;
}
