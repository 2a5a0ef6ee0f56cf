/*
 * note/metrics.h: numbers and words that a notebook tells of itself: lines `::metric auc=0.91` in what is printed,
 * displays of METRIC_MIME ({name, value}), lines of JSON in the file that METRIC_VARIABLE names. The last value of a
 * name counts.
 */
#ifndef LEAT_NOTE_METRICS_H
#define LEAT_NOTE_METRICS_H

#include "base/dom.h"

#define METRIC_MIME "application/vnd.leat.metric+json"
#define METRIC_VARIABLE "LEAT_METRICS"
#define METRICS_MAX 1000        /* names; more are passed over */
#define METRIC_LINE_MAX 4096

struct metrics {
	struct arena *a;
	struct dom *all;        /* a map */
	struct buf line[2];     /* of standard output, of errors: as far as it has come */
};

void metrics_init(struct metrics *m, struct arena *a);
void metrics_free(struct metrics *m);
void metrics_stream(struct metrics *m, bool err, struct str text);
void metrics_output(struct metrics *m, const struct dom *output); /* nbformat's */
void metrics_file(struct metrics *m, const char *path);           /* not there is fine */

#endif
