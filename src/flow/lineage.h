/*
 * flow/lineage.h: what is still to be told of runs as OpenLineage events: rows of table lineage
 * (defs/lineage_tables.def), which triggers write in the transactions in which runs begin and end, whichever process
 * that is. What an event says is made of the rows of its run when it is told (api/lineage.h).
 */
#ifndef LEAT_FLOW_LINEAGE_H
#define LEAT_FLOW_LINEAGE_H

#include "repo/store.h"

#define LINEAGE_KEPT 100000 /* rows that wait; of more the oldest go */

struct lineage_row {
	int64_t seq, at; /* at: ms */
	char run[ID_HEX + 1];
	bool end;
};

/* Where to, by leat.yaml; STR_NULL: nowhere. */
struct str lineage_to(const struct workspace *ws, struct arena *a);
/* Inside a write transaction, before a run begins: what it does is written down if leat.yaml says where to. */
must_check int lineage_ready(struct store *s, struct err *e);
/* In a transaction of its own. */
must_check int lineage_begin(struct store *s, struct err *e);
/* The first n_max of those that wait. */
must_check int lineage_list(struct db *d, struct arena *a, size_t n_max, struct lineage_row **out, size_t *n,
                            struct err *e);
must_check int lineage_waiting(struct db *d, int64_t *n, struct err *e);
/* All up to that one have been told. */
must_check int lineage_told(struct db *d, int64_t seq, struct err *e);

#endif
