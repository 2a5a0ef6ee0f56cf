#include "flow/estimate.h"

#include <stdlib.h>

#define RUNS 5    /* the last ones that are looked at */
#define OUTPUTS 3 /* of the last units, whose size is */

#define LAST_RUNS                                                                                                      \
	"(select id from run where job = ?1 and state = 'success' and kind <> 'accept' order by created desc limit 5) r"

static int by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

static int seconds(struct store *s, const struct job *j, struct estimate *out, struct err *e)
{
	struct q *q = db_query(s->db, "select max(u.finished) - min(u.started), count(*) from " LAST_RUNS
	                              " join unit u on u.run = r.id where u.state = 'success' and u.original is null"
	                              " and u.started is not null group by u.run");
	double all[RUNS];
	size_t n = 0;
	int r;

	q_text(q, 1, j->name);
	while ((r = q_step(q, e)) == 1)
		if (n < RUNS)
			all[n++] = (double)q_col_int(q, 0) / 1e3 / (double)q_col_int(q, 1);
	q_done(q);
	out->runs = n;
	if (n)
		out->seconds = median(all, n);
	return r;
}

static int bytes(struct store *s, const struct job *j, struct estimate *out, struct err *e)
{
	struct q *q = db_query(s->db, "select u.tree from " LAST_RUNS " join unit u on u.run = r.id"
	                              " where u.state = 'success' and u.tree is not null limit 3");
	struct sha trees[OUTPUTS];
	double all[OUTPUTS];
	size_t n = 0, k = 0;
	int r;

	q_text(q, 1, j->name);
	while ((r = q_step(q, e)) == 1)
		if (n < OUTPUTS && q_col_sha(q, 0, &trees[n]))
			n++;
	q_done(q);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct err gone = ERR_INIT; /* a tree that gc took says nothing */
		struct entry root;

		if (tree_find(s, NULL, &trees[i], STR(""), &root, &gone) == 1)
			all[k++] = (double)root.size;
	}
	if (k)
		out->bytes = (int64_t)median(all, k);
	return r;
}

int estimate_job(struct store *s, const struct job *j, struct estimate *out, struct err *e)
{
	*out = (struct estimate){0};
	if (seconds(s, j, out, e) < 0)
		return -1;
	return out->runs ? bytes(s, j, out, e) : 0;
}
