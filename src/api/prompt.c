/* status --short: one line for a prompt, from rows; what is stale only where the plan is small. */
#include "api/prompt.h"

#include "base/str.h"
#include "flow/plan.h"
#include "repo/overlay.h"
#include "sys/clock.h"

/* Above these a plan takes longer than a prompt may. */
#define PLAN_OUTPUTS 100
#define PLAN_PARTITIONS 3000

static int number(struct api *api, const char *sql, int64_t *out, struct err *e)
{
	struct q *q = db_query(api->store->db, sql);
	int r;

	q_text(q, 1, api->store->on ? api->store->on->name : STR_NULL);
	q_int(q, 2, clock_now_ms());
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* Units that would run; -1 where to tell would take too long, or jobs cannot be read. */
static int stale(struct api *api, int64_t *out, struct err *e)
{
	struct plan_ask ask = {.mode = PLAN_STALE};
	struct err why = ERR_INIT;
	int64_t outputs = 0, parts = 0;
	struct catalog *c;
	struct plan *p;

	*out = -1;
	if (number(api, "select count(*) from repo where job is not null and ended is null and ?1 is ?1 and ?2 = ?2",
	           &outputs, e) ||
	    number(api, "select count(*) from (select 1 from current where ?1 is ?1 and ?2 = ?2 limit 3001)", &parts,
	           e))
		return -1;
	if (outputs > PLAN_OUTPUTS || parts > PLAN_PARTITIONS || api_open(api, OP_W | OP_J | OP_R, &why))
		return 0;
	if (catalog_new(api->store, api->arena, &c, e))
		return -1;
	if (plan_make(api->flow, c, api->arena, &ask, &p, &why))
		return 0;
	*out = (int64_t)p->n_units;
	return 0;
}

/* The units of the last batch there, by rows that are found without looking at all of them. */
#define LAST_BATCH                                                                                                     \
	"(select r.batch from unit u join run r on r.id = u.run where r.branch is ?1 order by u.id desc limit 1)"
#define FAILED                                                                                                         \
	"select count(*) from run r join unit u on u.run = r.id where r.batch = " LAST_BATCH                           \
	" and u.state in ('failed', 'timed-out', 'lost') and ?2 = ?2"
#define RUNNING "select count(*) from unit where finished is null and ?1 is ?1 and ?2 = ?2"
#define OPEN                                                                                                           \
	"select count(*) from open_commit where state = 'open' and expires > ?2 and branch = coalesce(?1, 'master')"

int prompt_line(struct api *api, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *row = dom_new(a, DOM_MAP);
	static const struct {
		const char *key, *sql;
	} counts[] = {{"failed", FAILED}, {"running", RUNNING}, {"open", OPEN}};
	int64_t n = 0;

	dom_set_str(a, row, "name", dom_text(a, workspace_setting(api->ws, "name")));
	dom_set_str(a, row, "on", api->store->on ? api->store->on->name : STR_NULL);
	if (stale(api, &n, e))
		return -1;
	if (n < 0)
		dom_set_str(a, row, "stale", STR_NULL);
	else
		dom_set_int(a, row, "stale", n);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		n = 0;
		if (number(api, counts[i].sql, &n, e))
			return -1;
		dom_set_int(a, row, counts[i].key, n);
	}
	return sink_row(out, row, e);
}
