/*
 * db/sql_walk.h: what a parse tree (json_serialize_sql) or, where there is none, a list of tokens says of one
 * statement. Inside the worker: duck_req_parse's reply is made of it.
 */
#ifndef LEAT_DB_SQL_WALK_H
#define LEAT_DB_SQL_WALK_H

#include "base/map.h"
#include "db/sql.h"

/* Gathered over all statements of one text. */
struct sql_walk {
	struct arena *a;
	struct str text;       /* the whole text */
	size_t base;           /* where the statement at hand begins in it */
	size_t base_end;
	VEC(struct sql_table) tables;
	struct map volatiles, readers, files, made; /* made: names that statements of the text create */
	unsigned facts;
	bool select, ordered;  /* of the last statement */
	const char *alone;     /* of the last statement: sql_alone */
	size_t stand_ins;
};
void sql_walk_init(struct sql_walk *w, struct arena *a, struct str text);
/* `node` is the statement's tree; query_location is taken out of it on the way, so that it can be hashed after. */
void sql_walk_tree(struct sql_walk *w, struct dom *node);
void sql_walk_tokens(struct sql_walk *w);

#endif
