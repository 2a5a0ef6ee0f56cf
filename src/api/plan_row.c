#include "api/plan_row.h"

#include "api/rows.h"
#include "base/str.h"
#include "flow/data.h"

void unit_row_key(struct arena *a, struct dom *row, const struct job *job, const struct ds *ds)
{
	dom_set_str(a, row, "job", job->name);
	dom_set_str(a, row, "ds", ds->label[0] ? str_of(ds->label) : STR_NULL);
}

struct dom *plan_row(struct arena *a, const struct plan_unit *u)
{
	struct dom *row = dom_new(a, DOM_MAP);
	char hex[SHA_HEX + 1];

	unit_row_key(a, row, u->job, &u->ds);
	dom_set_cstr(a, row, "reason", reason_word(u->reason));
	dom_set_cstr(a, row, "text", reason_text(u->reason));
	if (!u->detail && !u->known && u->key.why_not)
		dom_set_str(a, row, "detail", arena_strf(a, "what it gave is not remembered: %s", u->key.why_not));
	else
		dom_set_str(a, row, "detail", str_of(u->detail));
	dom_set_bool(a, row, "runs", reason_runs(u->reason));
	dom_set_bool(a, row, "known", u->known);
	dom_set_bool(a, row, "after_upstream", u->after_upstream);
	if (!u->after_upstream && !sha_is_zero(&u->key.key)) {
		sha_hex(&u->key.key, hex);
		dom_set_cstr(a, row, "key", hex);
	}
	return row;
}

int plan_days(struct api *api, const struct job *j, const struct ds_range *r, size_t n_ranges,
              enum plan_mode mode, struct sink *out, size_t *rows, struct err *e)
{
	size_t given = 0;
	const char *why = NULL;
	struct data_set set = {0};
	int got = data_look_days(api->flow, api->arena, j, r, n_ranges, mode, &set, &why, e);

	for (size_t i = 0; got > 0 && i < set.n_days; i++) {
		const struct data_day *day = &set.days[i];
		struct plan_unit u = {.job = j, .ds = day->ds, .reason = REASON_INPUT_MISSING, .detail = day->missing};
		size_t n;

		if (!day->missing) {
			u.detail = data_day_says(api->arena, &set, day, &n);
			u.reason = day->asked ? REASON_UP_TO_DATE : REASON_NOT_IN_MODE;
			for (size_t k = 0; n && k < set.n_items && u.reason == REASON_UP_TO_DATE; k++)
				if (set.items[k].day == day && set.items[k].run)
					u.reason = set.items[k].run->reason;
		}
		if (!n_ranges && (u.reason == REASON_UP_TO_DATE || day->missing))
			continue;
		if (sink_row(out, plan_row(api->arena, &u), e))
			got = -1;
		given++;
	}
	data_set_free(&set);
	if (rows)
		*rows = given;
	return got < 0 ? -1 : 0;
}
