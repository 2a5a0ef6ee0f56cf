/*
 * Whether a unit starts, going by how those ended that it reads (when:), by what they said is not to run (skips:) and
 * by the partition before (depends_on_past); and whether one that failed is tried again (no_retry_on).
 */
#include "flow/run_int.h"

#include "base/str.h"

enum verdict { GO, DOOMED, NEEDLESS };

static enum verdict by_rule(const struct run_unit *u, const char **why)
{
	struct str when = u->p->job->when;

	*why = NULL;
	if (str_is(when, "all_done") || str_is(when, "always"))
		return GO;
	if (str_is(when, "none_failed"))
		return u->n_bad ? DOOMED : GO;
	if (str_is(when, "one_success"))
		return u->n_good ? GO : u->n_bad ? DOOMED : NEEDLESS;
	if (str_is(when, "one_failed")) {
		*why = "when: one_failed, and nothing that it reads failed";
		return u->n_bad ? GO : NEEDLESS;
	}
	if (str_is(when, "all_failed")) {
		*why = "when: all_failed, and not all that it reads failed";
		return u->n_bad && !u->n_good && !u->n_skipped ? GO : NEEDLESS;
	}
	return u->n_bad ? DOOMED : u->n_skipped ? NEEDLESS : GO;
}

void run_rule_end(struct run_unit *u)
{
	struct engine *g = u->eng;
	const char *why;
	enum verdict v = by_rule(u, &why);

	if (g->cancelled || u->stopped) {
		run_unit_end(u, STATE_CANCELLED);
	} else if (u->past && !state_good(u->past->state)) {
		u->note = arena_printf(g->arena, "depends_on_past: %s %s", u->past->p->ds.label,
		                       u->past->state == STATE_FAILED ? "failed" : state_word(u->past->state));
		run_unit_end(u, STATE_UPSTREAM_FAILED);
	} else if (v == DOOMED) {
		run_unit_end(u, STATE_UPSTREAM_FAILED);
	} else if (v == NEEDLESS) {
		u->branched = true;
		u->note = why ? why : "what it reads was skipped";
		run_unit_end(u, STATE_SKIPPED);
	} else {
		run_unit_ready(u);
	}
}

/* --- depends_on_past: the unit before waits to have succeeded, in the same plan --- */

void run_rule_past(struct engine *g, struct map *made, struct run_unit *u)
{
	const struct job *j = u->p->job;
	struct ds before;
	struct run_unit *past;

	if (!j->past || !u->p->ds.label[0])
		return;
	before = ds_add(&u->p->ds, -1, j->tz);
	past = map_get(made, arena_strf(g->arena, "%s %.*s", before.label, STR_ARG(j->name)));
	if (!past)
		return;
	for (size_t i = 0; i < u->p->n_upstream; i++)
		if (u->p->upstream[i] == past->p) { /* it reads it anyway */
			u->past = past;
			return;
		}
	u->past = past;
	u->n_wait++;
}

/* --- no_retry_on --- */

static bool names(const struct dom *v, const struct run_unit *u)
{
	struct str msg = str_of(u->err->msg);

	if (v->type == DOM_INT)
		return u->task && u->task->result.status == (int)v->i;
	return v->type == DOM_STR && v->s.n && memmem(msg.p, msg.n, v->s.p, v->s.n);
}

bool run_rule_final(const struct run_unit *u)
{
	const struct dom *on = dom_get(job_doc(u->p->job), "no_retry_on");

	if (!on || !u->p->job->retries)
		return false;
	if (on->type != DOM_LIST)
		return names(on, u);
	dom_each(v, on)
		if (names(v, u))
			return true;
	return false;
}
