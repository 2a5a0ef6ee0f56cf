/* What is there is declared to be what the new code gives (flow/accept.h). */
#include "flow/accept.h"

#include "api/ask.h"
#include "api/plan_row.h"
#include "base/str.h"
#include "base/textdiff.h"
#include "sys/clock.h"

#define NAMED_MAX 20 /* units that are told of one by one; the rest is counted */

static int read_because(const struct args *args, struct str *out, struct err *e)
{
	struct str text = str_trim(args_value(args, "because"));

	if (!text.n) {
		err_set(e, ERR_BAD_REQUEST, "accept needs a reason: --because TEXT");
		return err_hint(e, "it is kept with who accepted it, and shown by 'leat why'");
	}
	if (text.n > ACCEPT_MAX_TEXT || !textdiff_is_text(text))
		return err_set(e, ERR_BAD_REQUEST, "--because is a text of at most %d bytes", ACCEPT_MAX_TEXT);
	*out = text;
	return 0;
}

static void say_unit(struct sink *out, const struct plan_unit *u, const char *why)
{
	sink_note(out, "%.*s%s%s %s", STR_ARG(u->job->name), *u->ds.label ? " " : "", u->ds.label, why);
}

/* What of a plan can be accepted; refused where a partition was named that cannot be. */
static int choose(struct api *api, const struct asking *q, const struct plan *p, struct accept_ask *to,
                  struct sink *out, struct err *e)
{
	size_t said = 0;

	to->units = arena_array(api->arena, struct plan_unit *, p->n_units + 1);
	for (size_t i = 0; i < p->n_units + p->n_not_run; i++) {
		struct plan_unit *u = i < p->n_units ? p->units[i] : p->not_run[i - p->n_units];
		const char *why = accept_refuses(u);
		bool fine = u->reason == REASON_UP_TO_DATE || u->reason == REASON_NOT_MEMOISED ||
		            u->reason == REASON_OUTSIDE;

		if (!why) {
			to->units[to->n++] = u;
			continue;
		}
		if (!fine && q->explicit_ds) {
			err_set(e, ERR_REFUSED, "%.*s%s%s %s", STR_ARG(u->job->output), *u->ds.label ? " ds=" : "",
			        u->ds.label, why);
			return u->detail ? err_hint(e, "%s", u->detail) : -1;
		}
		if ((q->explicit_ds || !fine) && said++ < NAMED_MAX)
			say_unit(out, u, why);
	}
	if (said > NAMED_MAX)
		sink_note(out, "... and %zu more", said - NAMED_MAX);
	return 0;
}

int api_accept(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct asking q = {.ask = {.mode = PLAN_STALE, .each = true}};
	struct accept_ask to = {.command = args->command};
	const struct job *j;
	struct catalog *c;
	struct plan *p;

	if (read_because(args, &to.because, e) || ask_job(api, args, args_pos(args, 0), &q, e))
		return -1;
	to.job = j = q.jobs.p[0];
	if (j->tree) {
		err_set(e, ERR_BAD_REQUEST, "%.*s makes its units of the data of its inputs, not of days",
		        STR_ARG(j->name));
		return err_hint(e, "'leat run %.*s' makes them anew", STR_ARG(j->name));
	}
	if (j->no_output) {
		err_set(e, ERR_BAD_REQUEST, "%.*s has no output that could be accepted", STR_ARG(j->name));
		return err_hint(e, "'leat run %.*s' runs what is stale", STR_ARG(j->name));
	}
	for (size_t i = 1; i < args_n(args); i++)
		if (ask_range(api, &q, j, args_pos(args, i), e))
			return -1;
	q.explicit_ds = args_n(args) > 1 || j->every == EVERY_NONE;
	ask_finish(&q);
	if (catalog_new(api->store, api->arena, &c, e) || plan_make(api->flow, c, api->arena, &q.ask, &p, e) ||
	    choose(api, &q, p, &to, out, e))
		return -1;
	if (!to.n) {
		sink_note(out, "nothing of %.*s is stale: there is nothing to accept", STR_ARG(j->name));
		return 0;
	}
	if (accept_units(api->flow, c, api->arena, &to, e))
		return -1;
	for (size_t i = 0; i < to.n; i++)
		if (sink_row(out, plan_row(api->arena, to.units[i]), e))
			return -1;
	return 0;
}
