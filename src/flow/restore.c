#include "flow/restore.h"

#include "base/str.h"
#include "repo/blob.h"

#define NAMED 5 /* files in one note */

struct restore {
	struct flow *f;
	struct catalog *c;
	struct arena *a;
	struct plan_ask ask; /* as it was when this began */
	datastore_note note;
	void *ptr;
	bool look; /* changes nothing */
	struct restored *n;
	struct drift_look *looking; /* NULL: not begun, or done */
	bool done;
};

static void say(struct restore *r, const char *text)
{
	if (r->note)
		r->note(r->ptr, text);
}

static bool is_asked(const struct flow *f, const struct plan_ask *ask, struct str repo)
{
	const struct job *j = graph_producer(f->graph, repo);

	if (!j || !ask->jobs || ask->upstream)
		return j;
	for (size_t i = 0; i < ask->n_jobs; i++)
		if (ask->jobs[i] == j)
			return true;
	return false;
}

/* The unit that a path of an output belongs to. */
static struct ds unit_of(const struct flow *f, struct str repo, struct str path)
{
	struct ds d = {.every = EVERY_NONE}, none = d;
	struct str head = path, tail;

	if (graph_producer(f->graph, repo)->every == EVERY_NONE)
		return none;
	if (!str_cut(path, '/', &head, &tail))
		head = path;
	return ds_of_folder(head, &d) ? d : none;
}

/* Are the committed bytes of a path still in the store? 1, 0, -1. Paths that no commit has are none's loss. */
static int is_whole(struct restore *r, const struct drift *d, struct err *e)
{
	struct ds whole = {.every = EVERY_NONE};
	struct entry root, at;
	int got;

	if (d->kind != DRIFT_EDITED && d->kind != DRIFT_DELETED)
		return 1;
	got = catalog_at_head(r->c, d->repo, &whole, &root, e);
	if (got > 0)
		got = tree_find(r->f->store, NULL, &root.id, d->path, &at, e);
	if (got < 0)
		return -1;
	return !got || at.kind != ENTRY_FILE ? 1 : blob_present(r->f->store, &at.id, e);
}

static int put_back(struct restore *r, struct str repo, struct str path, struct err *e)
{
	struct adopt_opts o = {.repo = repo, .path = path, .restore = true};
	struct adopted *done = NULL;
	size_t n = 0;

	return datastore_commit(r->f->store, r->a, &o, id_new(), &done, &n, r->note, r->ptr, e);
}

/* All that differs in one output repo. */
static int restore_repo(struct restore *r, const struct drift *d, size_t n, struct err *e)
{
	static const char *const words[] = {[DRIFT_NEW] = "foreign", [DRIFT_EDITED] = "edited",
	      [DRIFT_DELETED] = "deleted",
	                                    [DRIFT_NEW_REPO] = "foreign", [DRIFT_LAGS] = "old"};
	bool *lost = arena_array(r->a, bool, n), any = false;
	const char *names = "";
	size_t back = 0;

	for (size_t i = 0; i < n; i++) {
		struct ds unit;
		int whole = is_whole(r, &d[i], e);

		if (whole < 0)
			return -1;
		lost[i] = !whole;
		any |= lost[i];
		if (whole) {
			if (back++ < NAMED)
				names = arena_printf(r->a, "%s%s%.*s (%s)", names, back > 1 ? ", " : "",
				      STR_ARG(d[i].path), words[d[i].kind]);
			else if (back == NAMED + 1)
				names = arena_printf(r->a, "%s, ...", names);
			continue;
		}
		unit = unit_of(r->f, d[i].repo, d[i].path);
		catalog_lost(r->c, d[i].repo, &unit);
		r->n->lost++;
		if (r->look)
			continue;
		say(r, arena_printf(r->a, "datastore/%.*s/%.*s: nothing is left of it in the store; it is made again",
		      STR_ARG(d[i].repo),
		                    STR_ARG(d[i].path)));
	}
	if (r->look)
		return 0;
	for (size_t i = 0; i < n && any; i++)
		if (!lost[i] && put_back(r, d[i].repo, d[i].path, e) < 0)
			return -1;
	if (!any && put_back(r, d->repo, STR_NULL, e) < 0)
		return -1;
	r->n->back += back;
	if (back)
		say(r, arena_printf(r->a, "datastore/%.*s: %zu file%s put back as the job made %s: %s",
		      STR_ARG(d->repo), back,
		                    back == 1 ? "" : "s", back == 1 ? "it" : "them", names));
	return 0;
}

static int go_over(struct restore *r, const struct drift *d, size_t n, struct err *e)
{
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		while (end < n && str_eq(d[end].repo, d[i].repo) && d[end].output == d[i].output &&
		      d[end].kind != DRIFT_LAGS)
			end++;
		if (d[i].kind == DRIFT_LAGS)
			continue; /* the next publish completes it */
		if (d[i].output && is_asked(r->f, &r->ask, d[i].repo)) {
			if (restore_repo(r, d + i, end - i, e) < 0)
				return -1;
		} else if (!r->look && !d[i].output && (d[i].path.n || d[i].kind == DRIFT_NEW_REPO)) {
			say(r, arena_printf(r->a, "datastore/%.*s: %zu file%s not committed; leat commit %.*s adopts",
			      STR_ARG(d[i].repo),
			                    end - i, end - i == 1 ? "" : "s", STR_ARG(d[i].repo)));
		}
	}
	return 0;
}

static int look_all(struct restore *r, struct err *e)
{
	struct drift *d = NULL;
	size_t n = 0;

	r->done = true;
	if (r->f->store->on) /* datastore/ shows master */
		return 0;
	return datastore_drift(r->f->store, r->a, STR_NULL, false, &d, &n, e) || go_over(r, d, n, e) ? -1 : 0;
}

int restore_go_on(void *restore, bool rest, struct err *e)
{
	struct restore *r = restore;
	struct drift_look *l = r->looking;
	struct drift *d = NULL;
	size_t n = 0;

	if (r->done || r->f->store->on)
		return 0;
	if (!l && rest)
		return look_all(r, e);
	if (!l)
		return datastore_look_begin(r->f->store, r->a, &r->looking, e) ? -1 : 1;
	if (!rest && !datastore_look_is_done(l))
		return 1;
	r->looking = NULL;
	r->done = true;
	return datastore_look_end(l, &d, &n, e) || go_over(r, d, n, e) ? -1 : 0;
}

void restore_end(struct restore *r)
{
	if (r)
		datastore_look_drop(r->looking);
}

struct restore *restore_begin(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                              datastore_note note, void *ptr, struct restored *out)
{
	struct restore *r = arena_new_of(a, struct restore);

	*r = (struct restore){.f = f, .c = c, .a = a, .ask = *ask, .note = note, .ptr = ptr, .n = out};
	*out = (struct restored){0};
	return r;
}

int restore_outputs(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, datastore_note note,
                    void *ptr, struct restored *out, struct err *e)
{
	return look_all(restore_begin(f, c, a, ask, note, ptr, out), e);
}

int restore_look(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, struct err *e)
{
	struct restored none;
	struct restore *r = restore_begin(f, c, a, ask, NULL, NULL, &none);

	r->look = true;
	return look_all(r, e);
}
