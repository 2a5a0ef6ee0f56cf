/* /healthz, /readyz and /metrics (the text format of Prometheus, 0.0.4). */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "web/web_in.h"

static const char *const plain[] = {"Content-Type", "text/plain; charset=utf-8", NULL};

void route_health(struct call *c)
{
	http_answer(c->r, 200, plain, STR("ok\n"));
}

void route_ready(struct call *c)
{
	struct q *q = db_query(c->web->conf.store->db, "select 1 from store limit 1");
	struct err e = ERR_INIT;
	int rc = q_step(q, &e);

	q_done(q);
	if (rc == 1)
		http_answer(c->r, 200, plain, STR("ready\n"));
	else
		answer_refusal(c, 503, &e, "Retry-After", "5");
}

enum metric {
#define METRIC(NAME, name, type, label, help) METRIC_##NAME,
#include "defs/metrics.def"
#undef METRIC
};
static const struct {
	const char *name, *type, *label, *help;
} metrics[] = {
#define METRIC(NAME, name, type, label, help) {name, #type, label, help},
#include "defs/metrics.def"
#undef METRIC
};

static void head(struct buf *b, enum metric m)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help, metrics[m].name, metrics[m].type);
}

static void value(struct buf *b, enum metric m, const char *label, double v)
{
	if (*metrics[m].label)
		buf_addf(b, "%s{%s=\"%s\"} %.15g\n", metrics[m].name, metrics[m].label, label, v);
	else
		buf_addf(b, "%s %.15g\n", metrics[m].name, v);
}

static void one(struct buf *b, enum metric m, double v)
{
	head(b, m);
	value(b, m, "", v);
}

/* Rows of (label, number). */
static void rows(struct call *c, struct buf *b, enum metric m, const char *sql)
{
	struct q *q = db_query(c->web->conf.store->db, sql);
	struct err ignored = ERR_INIT;

	head(b, m);
	while (q_step(q, &ignored) == 1)
		value(b, m, arena_cstr(c->a, q_col_text(q, 0)), (double)q_col_int(q, 1));
	q_done(q);
}

static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0, shown = 0;

	if (f) {
		if (fscanf(f, "%ld %ld", &shown, &pages) != 2)
			pages = 0;
		fclose(f);
	}
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static double cpu(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What came to its end since the last look: counted up, so that rows of `change` may go. */
static void count_ended(struct web *w)
{
	struct err ignored = ERR_INIT;
	struct q *q =
		db_query(w->conf.store->db, "select kind, state, count(*), max(seq) from change where seq > ?1 and"
	                                    " kind in ('unit', 'run') group by kind, state");
	int64_t last = w->counted;

	q_int(q, 1, w->counted);
	while (q_step(q, &ignored) == 1) {
		enum state s;

		if ((s = state_of_word(q_col_text(q, 1))) < STATE_COUNT && state_final(s))
			w->ended[str_is(q_col_text(q, 0), "run")][s] += (uint64_t)q_col_int(q, 2);
		last = MAX(last, q_col_int(q, 3));
	}
	q_done(q);
	w->counted = last;
}

static void ended(struct call *c, struct buf *b, enum metric m, const uint64_t *n)
{
	head(b, m);
	for (enum state s = 0; s < STATE_COUNT; s++)
		if (state_final(s))
			value(b, m, state_word(s), (double)n[s]);
}

static double oldest(struct call *c)
{
	struct q *q = db_query(c->web->conf.store->db,
	                       "select min(due) from request where finished is null and state = 'queued'");
	struct err ignored = ERR_INIT;
	double s = 0;

	if (q_step(q, &ignored) == 1 && !q_col_is_null(q, 0))
		s = (double)(clock_now_ms() - q_col_int(q, 0)) / 1e3;
	q_done(q);
	return s;
}

void route_metrics(struct call *c)
{
	struct buf b = BUF_INIT(1 << 20);
	const struct http_counts *n = http_counts(c->web->http);
	char class[4];

	head(&b, METRIC_INFO);
	value(&b, METRIC_INFO, LEAT_VERSION, 1);
	one(&b, METRIC_START, (double)c->web->started_ms / 1e3);
	one(&b, METRIC_MEMORY, resident());
	one(&b, METRIC_CPU, cpu());
	one(&b, METRIC_FDS, open_fds());
	rows(c, &b, METRIC_UNITS, "select state, count(*) from unit where finished is null group by state");
	rows(c, &b, METRIC_REQUESTS, "select state, count(*) from request where finished is null group by state");
	one(&b, METRIC_WAITING, oldest(c));
	count_ended(c->web);
	ended(c, &b, METRIC_ENDED, c->web->ended[0]);
	ended(c, &b, METRIC_RUNS, c->web->ended[1]);
	one(&b, METRIC_EVENTS, (double)c->web->counted);
	head(&b, METRIC_HTTP_ANSWERS);
	for (unsigned i = 1; i < ARRAY_LEN(n->by_class); i++) {
		snprintf(class, sizeof(class), "%uxx", i);
		value(&b, METRIC_HTTP_ANSWERS, class, (double)n->by_class[i]);
	}
	one(&b, METRIC_HTTP_REQUESTS, (double)n->requests);
	one(&b, METRIC_HTTP_CONNECTIONS, n->connections);
	one(&b, METRIC_HTTP_REFUSED, (double)(n->refused + n->evicted));
	head(&b, METRIC_CHILDREN);
	value(&b, METRIC_CHILDREN, "reads", c->web->readers);
	value(&b, METRIC_CHILDREN, "writes", c->web->writers);
	value(&b, METRIC_CHILDREN, "queued", c->web->queued);
	http_answer(c->r, 200, (const char *const[]){"Content-Type", "text/plain; version=0.0.4; charset=utf-8", NULL},
	            buf_str(&b));
	buf_free(&b);
}
