#include "flow/publish.h"

#include <stdio.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "flow/owner.h"
#include "flow/settled.h"
#include "repo/datastore.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fault.h"

/* --- one output --- */

static bool gives(const struct run_unit *u)
{
	return u->state == STATE_SUCCESS && u->has_tree && !u->published;
}

static int record_made(struct engine *g, struct run_unit *u, struct arena *a, bool made, struct err *e)
{
	const struct overlay *on = g->f->store->on;
	struct q *q;

	if (db_make_set(g->f->store->db, DB_SET_MOVED, e))
		return -1;
	q = db_query(g->f->store->db, on ? "insert or replace into current_on(repo, ds, key, tree, unit, note, branch)"
	                                   " values(?, ?, ?, ?, ?, ?, ?)"
	                                 : "insert or replace into current(repo, ds, key, tree, unit, note)"
	                                   " values(?, ?, ?, ?, ?, ?)");
	q_int(q, 1, u->run->repo.id);
	q_cstr(q, 2, u->p->ds.label);
	q_sha(q, 3, &u->p->key.key);
	q_sha(q, 4, &u->tree.id);
	q_int(q, 5, u->id);
	q_cstr(q, 6, unit_hand_note(a, u->p->job, run_params(u)));
	if (on)
		q_int(q, 7, on->id);
	if (q_run(q, e))
		return -1;
	if ((u->original && !made) || u->p->job->no_output)
		return 0;
	q = db_query(g->f->store->db, "insert into made(repo, ds, tree, unit, commit_id, at) values(?, ?, ?, ?, ?, ?)");
	q_int(q, 1, u->run->repo.id);
	q_cstr(q, 2, u->p->ds.label);
	q_sha(q, 3, &u->tree.id);
	q_int(q, 4, u->id);
	q_cstr(q, 5, u->commit[0] ? u->commit : NULL);
	q_int(q, 6, clock_now_ms());
	return q_run(q, e);
}

/* A partition is one folder of its repo; what is there already is the same folder. Nothing in it is looked at here. */
static int move_head(struct engine *g, struct ingest *in, struct run_unit *u, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct store *s = g->f->store;
	struct run_job *r = u->run;
	struct tree_edit part = {.op = EDIT_PUT, .entry = u->tree};
	struct commit_new c = {.branch = store_branch(s), .id = *u->event,
	                       .batch = r->batch ? *r->batch : g->sum->batch};
	struct commit out;
	bool made;

	if (overlay_alive(s, e) || (!r->repo.id && owner_take(s, g->arena, r->job, &r->repo, e)))
		return -1;
	if (r->job->no_output)
		return record_made(g, u, a, false, e);
	c.repo = r->repo;
	c.run = id_of(str_of(r->id));
	c.message = arena_strf(a, "run %.*s%s%s", STR_ARG(r->job->name), u->p->ds.label[0] ? " " : "", u->p->ds.label);
	if (u->p->ds.every == EVERY_NONE) {
		/* the whole repo, however many files stand in its root: its tree was made before the transaction */
		int has = branch_head(s, r->repo.id, c.branch, &out, e);

		if (has < 0)
			return -1;
		c.tree = &u->tree.id;
		c.even_if_equal = !has; /* that it ran and gave nothing is recorded: what comes after it may start */
	} else {
		part.path = arena_strf(a, "ds=%s", u->p->ds.label);
		part.entry.kind = ENTRY_FOLDER;
		c.edits = &part;
		c.n_edits = 1;
	}
	if (commit_make(s, in, &c, &out, &made, e))
		return -1;
	snprintf(u->commit, sizeof(u->commit), "%s", out.id.hex);
	if (run_pump(g, e))
		return -1;
	if (made && !r->lags && !s->on) { /* datastore/ shows master */
		r->lags = true;
		r->next = g->lagging;
		g->lagging = r;
	}
	fault_crash("publish-head-moved");
	return record_made(g, u, a, made, e);
}

/* --- one group --- */

/* All its leases go back; false when one was no longer ours: somebody took us for dead and works on it. */
static int unlease(struct engine *g, struct group *gr, bool *ours, struct err *e)
{
	*ours = true;
	if (gr->data) {
		struct lease l = {
			.job = overlay_key(g->f->store, g->arena, gr->data->job->name), .ds = "", .run = gr->data->id};
		int r = lease_drop(g->f->store->db, &l, e);

		*ours = r;
		return r < 0 ? -1 : 0;
	}
	for (size_t i = 0; i < gr->list.n; i++) {
		int r = gr->leased && !gr->steps ? run_rows_unlease(g, gr->list.p[i], e) : 1;

		if (r < 0)
			return -1;
		*ours &= r;
	}
	return 0;
}

/* A run has ended when the groups of all its units have. */
static int runs_end(struct engine *g, struct group *gr, struct err *e)
{
	for (size_t i = 0; i < gr->list.n; i++) {
		struct run_job *r = gr->list.p[i]->run;

		r->n_held += !gr->published && gives(gr->list.p[i]);
		if (--r->n_left)
			continue;
		if (run_rows_run_end(g, r, e))
			return -1;
	}
	return 0;
}

/* A day of which a unit is bad keeps what it has; false: nothing is left to publish. */
static bool hold_days(struct data_set *d)
{
	size_t n = 0, held = 0;

	for (size_t i = 0; i < d->n_items; i++) {
		const struct run_unit *u = d->items[i].run ? d->items[i].run->own : NULL;

		if (u && !state_good(u->state))
			d->items[i].day->held = true;
	}
	for (size_t i = 0; i < d->n_days; i++) {
		n += !d->days[i].missing;
		held += d->days[i].held;
	}
	return held < n;
}

/* All units of one event: one commit, or none. */
static int data_end(struct engine *g, struct ingest *in, struct group *gr, struct err *e)
{
	struct run_job *r = gr->data;
	struct data_set *d = r->data;
	int got = 0;

	for (size_t i = 0; i < gr->list.n; i++) {
		enum state s = gr->list.p[i]->state;

		d->n_ran += s == STATE_SUCCESS;
		d->n_failed += !state_good(s) && s != STATE_CANCELLED;
		d->n_recovered += s == STATE_RECOVERED;
	}
	if (gr->published) {
		got = data_publish(g->f->store, in, d, e);
		gr->published = got == 1;
	} else if (!gr->lost && !g->cancelled) {
		got = data_failed(g->f->store, d, e);
	}
	if (!got && d->refused.code)
		got = data_failed(g->f->store, d, e);
	if (got < 0)
		return -1;
	r->repo = d->repo;
	for (size_t i = 0; gr->published && i < d->n_items; i++) {
		struct run_unit *u = d->items[i].run ? d->items[i].run->own : NULL;

		if (u && gives(u) && !d->items[i].day->held)
			snprintf(u->commit, sizeof(u->commit), "%s", d->commit.hex);
	}
	if (gr->published && !r->lags && !g->f->store->on) {
		r->lags = true;
		r->next = g->lagging;
		g->lagging = r;
	}
	fault_crash("publish-head-moved");
	return gr->list.n ? 0 : run_rows_run_end(g, r, e) || run_rows_run_told(g, r, e) ? -1 : 0;
}

static int group_end(struct engine *g, struct ingest *in, struct group *gr, struct err *e)
{
	bool ours;

	gr->ended = true;
	if (unlease(g, gr, &ours, e))
		return -1;
	gr->lost = !ours;
	gr->published = ours && !g->cancelled && !gr->held &&
	                (!gr->n_bad || (gr->data && gr->data->job->every != EVERY_NONE && hold_days(gr->data->data)));
	if (gr->data)
		return data_end(g, in, gr, e) ? -1 : runs_end(g, gr, e);
	for (size_t i = 0; gr->published && i < gr->list.n; i++)
		if (gives(gr->list.p[i]) && move_head(g, in, gr->list.p[i], e))
			return -1;
	return runs_end(g, gr, e);
}

/* --- the rows of a flush --- */

static int keep_result(struct engine *g, struct run_unit *u, struct err *e)
{
	struct db *d = g->f->store->db;
	struct q *q;

	for (size_t i = 0; i < u->n_checks; i++) {
		struct sha key = key_check(u->checks[i].rule, &u->tree.id);

		if (db_make_set(d, DB_SET_RUNS, e))
			return -1;
		q = db_query(
			d, "insert or replace into check_result(key, unit, passed, detail, at) values(?, ?, ?, ?, ?)");
		q_sha(q, 1, &key);
		q_int(q, 2, u->id);
		q_int(q, 3, u->checks[i].passed);
		q_text(q, 4, u->checks[i].detail);
		q_int(q, 5, clock_now_ms());
		if (q_run(q, e) || (!u->checks[i].passed && settled_check_failed(d, e)))
			return -1;
	}
	if (u->state != STATE_SUCCESS || u->original || !u->has_tree)
		return 0;
	/* Before its group publishes: what reads it remembers with the repo how it is read. */
	if (!u->run->repo.id && owner_take(g->f->store, g->arena, u->run->job, &u->run->repo, e))
		return -1;
	if (!u->p->key.memoised || run_pass_is(u) || job_is_step(u->p->job))
		return 0;
	q = db_query(d, "insert or replace into memo(key, unit, repo, tree, at) values(?, ?, ?, ?, ?)");
	q_sha(q, 1, &u->p->key.key);
	q_int(q, 2, u->id);
	q_int(q, 3, u->run->repo.id);
	q_sha(q, 4, &u->tree.id);
	q_int(q, 5, clock_now_ms());
	return q_run(q, e);
}

/* Units that settled in earlier flushes learn their commit. */
static int tell_commits(struct engine *g, struct group *gr, struct err *e)
{
	for (size_t i = 0; gr->published && i < gr->list.n; i++) {
		struct run_unit *u = gr->list.p[i];
		struct q *q;

		if (u->step != STEP_SETTLED || !u->commit[0])
			continue;
		q = db_query(g->f->store->db, "update unit set commit_id = ?, repo = ? where id = ?");
		q_cstr(q, 1, u->commit);
		q_int(q, 2, u->run->repo.id);
		q_int(q, 3, u->id);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

static int answer(struct engine *g, struct group *gr, struct err *e)
{
	gr->answered = true;
	for (size_t i = 0; i < gr->list.n; i++)
		if (run_rows_run_told(g, gr->list.p[i]->run, e))
			return -1;
	return 0;
}

static int write_rows(struct engine *g, struct ingest *in, struct run_unit *list, struct err *e)
{
	for (struct run_unit *u = list; u; u = u->next)
		if (run_rows_attempt_end(g, u, u->task, u->state, e) || run_pump(g, e) || keep_result(g, u, e) ||
		    run_pump(g, e))
			return -1;
	fault_crash("publish-recorded");
	for (struct run_unit *u = list; u; u = u->next)
		if (!u->group->n_left && !u->group->ended &&
		    (group_end(g, in, u->group, e) || run_pump(g, e) || tell_commits(g, u->group, e)))
			return -1;
	for (struct run_unit *u = list; u; u = u->next)
		if (run_report_record(g, in, u, e))
			return -1;
	for (struct run_unit *u = list; u; u = u->next) {
		if (u->group->lost && u->state == STATE_SUCCESS)
			u->state = STATE_LOST; /* not by a step of its own: somebody else has it */
		if (run_rows_unit_end(g, u, e) || run_pump(g, e))
			return -1;
	}
	for (struct run_unit *u = list; u; u = u->next)
		if (u->group->ended && !u->group->answered && answer(g, u->group, e))
			return -1;
	fault_crash("publish-before-commit");
	return 0;
}

/* --- what is said, and who may go on --- */

static void first_failure(struct engine *g, const struct run_unit *u)
{
	if (g->sum->first.code || !u->err)
		return;
	g->sum->first = *u->err;
	const char *label = u->p->label ? u->p->label : u->p->ds.label;
	err_wrap(&g->sum->first, "%.*s%s%s", STR_ARG(u->p->job->name), *label ? " " : "", label);
}

static void say(struct engine *g, struct run_unit *u)
{
	int64_t ms = u->started_ms ? clock_mono_ms() - u->started_ms : 0;

	switch (u->state) {
	case STATE_SUCCESS:
		*(u->original ? &g->sum->known : &g->sum->ran) += 1;
		run_event(g, u->original ? RUN_UNIT_KNOWN : RUN_UNIT_DONE, u, u->note, NULL, ms);
		return;
	case STATE_RECOVERED:
		g->sum->recovered++;
		run_event(g, RUN_UNIT_DONE, u, state_word(u->state), NULL, ms);
		return;
	case STATE_SKIPPED:
		g->sum->skipped++;
		run_event(g, RUN_UNIT_SKIPPED, u, u->note, NULL, ms);
		return;
	case STATE_UPSTREAM_FAILED:
	case STATE_CANCELLED:
		g->sum->not_started += u->state == STATE_UPSTREAM_FAILED || u->run->over || u->stopped;
		run_event(g, RUN_UNIT_SKIPPED, u,
		          u->note && (u->run->over || u->stopped || u->past) ? u->note : state_text(u->state), NULL,
		          ms);
		return;
	default:
		g->sum->failed++;
		first_failure(g, u);
		run_event(g, RUN_UNIT_FAILED, u, u->err ? u->err->msg : state_text(u->state), u->err, ms);
	}
}

/* Days that keep what they had, while others are published. */
static void held_said(struct engine *g, const struct data_set *d)
{
	const struct data_day *said = NULL;

	for (size_t i = 0; i < d->n_items; i++) {
		struct arena *a cleanup(arena_cleanup) = NULL;
		struct run_unit *u = d->items[i].run ? d->items[i].run->own : NULL;

		if (!u || !d->items[i].day->held || d->items[i].day == said)
			continue;
		said = d->items[i].day;
		a = arena_new();
		g->sum->held_groups++;
		run_event(g, RUN_NOT_PUBLISHED, u, arena_printf(a, "ds=%s is not published", said->ds.label), NULL, 0);
	}
}

static void group_said(struct engine *g, struct group *gr)
{
	struct run_unit *bad = NULL;
	size_t n = 0;

	if (gr->data && gr->data->data->refused.code) {
		if (!g->sum->first.code)
			g->sum->first = gr->data->data->refused;
		g->sum->held_groups++;
		g->sum->failed++;
		run_event_set(g, gr->data->data, &gr->data->data->refused);
		if (!gr->published)
			return;
	}
	if (gr->data && gr->published)
		held_said(g, gr->data->data);
	for (size_t i = 0; i < gr->list.n; i++) {
		n += gives(gr->list.p[i]);
		if (!bad && !state_good(gr->list.p[i]->state))
			bad = gr->list.p[i];
	}
	if (gr->published && n) {
		g->sum->published_groups++;
		run_event(g, RUN_PUBLISHED, gr->list.p[0], NULL, NULL, 0);
	} else if (!gr->published && n) {
		struct arena *a cleanup(arena_cleanup) = arena_new();

		g->sum->held_groups++;
		run_event(g, RUN_NOT_PUBLISHED, gr->list.p[0],
		          bad ? arena_printf(a, "not published: %.*s %s", STR_ARG(bad->p->job->name),
		                             state_text(bad->state))
		              : "not published",
		          NULL, 0);
	}
}

/* After the group of `u` has ended: those outside that read it. */
static int group_told(struct engine *g, struct group *gr, struct err *e)
{
	for (size_t i = 0; i < gr->list.n; i++) {
		struct run_unit *u = gr->list.p[i];

		if (!gr->published && gives(u) && !gr->data && catalog_unplan(g->c, u->p, e))
			return -1;
		for (size_t k = 0; k < u->n_downs; k++)
			if (u->downs[k]->group != gr)
				run_unit_upstream_done(u->downs[k], u->branched     ? UP_SKIPPED
				                                    : gr->published ? UP_GOOD
				                                                    : UP_BAD);
	}
	return 0;
}

static int settled(struct engine *g, struct run_unit *u, struct err *e)
{
	bool piece = u->p->datum; /* of an output; the catalog knows whole ones and partitions */

	u->step = STEP_SETTLED;
	g->n_settled++;
	run_hook_failed(u);
	say(g, u);
	if (piece) {
		if (u->task)
			run_dir_done(u->task);
		return 0;
	}
	if (u->state == STATE_SUCCESS && u->has_tree) {
		if (catalog_lay(g->c, u->p->job->output, &u->p->ds, &u->tree, e))
			return -1;
	} else if (!state_good(u->state) && catalog_unplan(g->c, u->p, e)) {
		return -1;
	}
	for (size_t k = 0; k < u->n_downs; k++)
		if (u->downs[k]->group == u->group)
			run_unit_upstream_done(u->downs[k], u->branched            ? UP_SKIPPED
			                                    : state_good(u->state) ? UP_GOOD
			                                                           : UP_BAD);
	if (u->task)
		run_dir_done(u->task);
	return 0;
}

static int go_on(struct engine *g, struct run_unit *list, struct err *e)
{
	for (struct run_unit *u = list, *next; u; u = next) {
		next = u->next;
		u->next = NULL;
		if (settled(g, u, e) || run_pump(g, e))
			return -1;
		if (u->group->ended && !u->group->said) {
			u->group->said = true;
			group_said(g, u->group);
			if (group_told(g, u->group, e))
				return -1;
			if (u->group->data)
				run_feed_ended(g, u->group);
		}
	}
	return 0;
}

/* --- the flush --- */

static struct ingest *merge_sessions(struct run_unit *list)
{
	struct ingest *in = NULL;

	for (struct run_unit *u = list; u; u = u->next) {
		if (!u->in)
			continue;
		if (in) {
			ingest_merge(in, u->in);
			ingest_free(u->in);
		} else {
			in = u->in;
		}
		u->in = NULL;
	}
	return in;
}

/* Where tasks are short, others go on while the disk is waited for. */
static int commit(struct engine *g, struct err *e)
{
	struct db *d = g->f->store->db;
	struct err mine = ERR_INIT;
	int rc = 0;

	if (!run_pumps(g))
		return db_commit(d, e);
	db_commit_start(d);
	while (!rc && !db_commit_wait(d, RUN_PUMP_US))
		rc = run_pump(g, &mine);
	if (db_commit_end(d, e))
		return -1;
	if (rc)
		*e = mine;
	return rc;
}

static int flush(struct engine *g, struct run_unit *list, struct ingest **in, struct err *e)
{
	struct db *d = g->f->store->db;
	bool publishes = false;

	for (struct run_unit *u = list; u; u = u->next) {
		u->group->n_left--;
		u->group->n_bad += !state_good(u->state);
		u->run->n_bad += !state_good(u->state);
		u->run->n_cancelled += u->state == STATE_CANCELLED;
		u->run->n_unmade += u->state == STATE_UPSTREAM_FAILED;
		publishes |= gives(u);
	}
	for (struct run_unit *u = list; u; u = u->next)
		run_report_take(u, &u->in);
	*in = merge_sessions(list);
	if (publishes && !*in)
		*in = ingest_new(g->f->store);
	if (*in ? ingest_begin(*in, e) : db_begin(d, e))
		return -1;
	fault_crash("publish-synced");
	if (write_rows(g, *in, list, e)) {
		db_rollback(d);
		return -1;
	}
	if (commit(g, e))
		return -1;
	fault_crash("publish-committed");
	return 0;
}

int publish_flush(struct engine *g, struct err *e)
{
	struct run_unit *list = g->done.first;
	struct ingest *in = NULL;
	int rc;

	g->done = (struct queue){0};
	loop_close(g->flush_timer);
	g->flush_timer = NULL;
	g->flushing = true;
	rc = flush(g, list, &in, e);
	ingest_free(in);
	if (!rc) {
		struct run_unit *next;

		/* go_on takes the list apart; what each unit had in memory goes once all has been said. */
		VEC(struct run_unit *) all = {0};
		struct arena *a = arena_new();

		for (struct run_unit *u = list; u; u = next) {
			next = u->next;
			vec_push(a, &all, u);
		}
		rc = go_on(g, list, e);
		for (size_t i = 0; i < all.n; i++)
			run_unit_forget(all.p[i]);
		run_spare_over(g);
		arena_free(a);
	}
	g->flushing = false;
	return rc;
}

int publish_alone(struct engine *g, struct group *gr, struct err *e)
{
	struct db *d = g->f->store->db;
	struct ingest *in = ingest_new(g->f->store);
	int rc = -1;

	if (ingest_begin(in, e))
		goto done;
	if (group_end(g, in, gr, e)) {
		db_rollback(d);
		goto done;
	}
	rc = db_commit(d, e);
	if (!rc) {
		group_said(g, gr);
		run_feed_ended(g, gr);
	}
done:
	ingest_free(in);
	return rc;
}

static void on_note(void *ptr, const char *text)
{
	run_event(ptr, RUN_NOTE, NULL, text, NULL, 0);
}

int publish_show(struct engine *g, bool now, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	VEC(int64_t) repos = {0};

	if (!g->lagging)
		return 0;
	if (!now && clock_mono_ms() - g->shown_at < RUN_SHOW_MS)
		return 0;
	if (g->o->beside && !g->beside_done) {
		g->beside_done = true;
		if (g->o->beside(g->o->beside_ptr, true, e) < 0)
			return -1;
	}
	for (const struct run_job *r = g->lagging; r; r = r->next)
		for (int i = 0; i < 2; i++) {
			int64_t id = i ? r->reports.id : r->repo.id;

			if (id)
				vec_push(a, &repos, id);
		}
	if (datastore_update_these(g->f->store, repos.p, repos.n, on_note, g, e))
		return -1;
	for (; g->lagging; g->lagging = g->lagging->next)
		g->lagging->lags = false;
	g->shown_at = clock_mono_ms();
	fault_crash("publish-shown");
	return 0;
}
