/*
 * flow/settled.h: jobs of which a plan found nothing to do, and how many units it looked at for that: .leat/cache/plan,
 * so that the next plan goes through the units only of those of which something moved (docs/decisions/0010).
 *
 * A job is remembered under a digest of all that its units' decisions are made from (plan_set.c, plan_decide.c): its
 * files as the job cache has them, leat.yaml, its zone's rules, this program; of each input what the catalog shows, who
 * makes it and how its text is read; of its output the head, and a number that is another one after each change of its
 * rows of `current` (db_set DB_SET_MOVED), and one after each check that did not hold. Who makes a decision hang on
 * anything else adds that to digest_of. The file may be deleted at any time; a damaged one is as good as none, and so
 * is one that cannot be written.
 */
#ifndef LEAT_FLOW_SETTLED_H
#define LEAT_FLOW_SETTLED_H

#include "flow/catalog.h"

struct settled;

struct settled_job {
	size_t n, n_up_to_date; /* units that were looked at; the others have lost an input, and are kept */
	bool by_time;           /* of slots: it holds until the next interval of the job has ended */
};

/* *out NULL: nothing can be remembered: on a workspace branch, or before anything was made. */
must_check int settled_open(struct flow *f, struct catalog *c, struct arena *a, struct settled **out,
                            struct err *e);
/* Whether nothing has moved of a job since there was nothing to do; all above it has been decided. */
bool settled_find(struct settled *s, const struct job *j, struct settled_job *out);
/* There was nothing to do, for settled_find's question just before. */
void settled_keep(struct settled *s, const struct job *j, const struct settled_job *what);
/* Writes down what is new. */
void settled_save(struct settled *s);

/* In the transaction that writes down that a check did not hold on an output. */
must_check int settled_check_failed(struct db *d, struct err *e);

#endif
