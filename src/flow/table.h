/*
 * flow/table.h: a repo as a table: which files it has at the partitions that are read, how they are read, and the SQL
 * that does it (SEMANTICS 10). Files come from commits (views of trees), never from datastore/.
 *
 * A table has one format. Names that begin with '_' or '.' are no part of it, nor are files of no known ending. CSV and
 * JSON are sniffed once, at the first file with data; what was found is remembered with the repo (table_format), and
 * leat.yaml `tables:` wins over it. Files that differ in their columns (Parquet of other days, CSV in another order)
 * are read in groups and put together by name. The folder's ds wins over a column of that name.
 */
#ifndef LEAT_FLOW_TABLE_H
#define LEAT_FLOW_TABLE_H

#include "db/duck.h"
#include "flow/reads.h"

#define TABLE_MAX_FILES 1000000

enum table_format { TABLE_PARQUET, TABLE_CSV, TABLE_JSON };

struct table_file {
	struct str path;     /* for the worker: below DUCK_LEAT */
	struct str in_repo;  /* as the user names it: "ds=2018-01-01/a.csv" */
	struct sha id;
	int64_t size;
	size_t group;
};

struct table_source {
	struct str repo;
	enum table_format format;
	enum every every;            /* kind of its ds labels; NONE: it has no ds */
	struct table_file *files;
	size_t n_files;
	bool empty; /* nothing is there to read: files are others of the repo, which tell the columns */
	const struct dom *how;       /* CSV, JSON: what was sniffed or said */
	struct str rev;              /* the pin at which it is read; STR_NULL: the head */
	bool all;                    /* of a dim_: all snapshots */
	struct commit commit;        /* and which commit that was; none: it has no commit */
	struct sha content;          /* of what is read: reads.content */
	bool learned;                /* the format was remembered just now (catalog_format_learned) */
	struct duck_view view;       /* schema, name, sql */
};

/*
 * The table that `r` reads. Asks the worker (which must not be busy) where files have not been seen yet. A repo without
 * table files at all, mixed formats and a header that does not fit are errors (ERR_BAD_DATA, ERR_NOT_FOUND).
 */
must_check int table_open(struct store *s, struct arena *a, struct duck *d, const struct reads *r,
			  struct table_source *out, struct err *e);
/* Puts "raw/x:/ds=2018-01-01/a.csv" where the worker's message names a file of these tables. Returns -1. */
int table_error(struct err *e, const struct table_source *t, size_t n);

/* raw/a/b ↔ raw."a/b"; trips ↔ main.trips (schema "" when asked for). */
void table_sql_name(struct str repo, struct str *schema, struct str *name);
struct str table_repo_name(struct arena *a, struct str schema, struct str name);
/* "parquet" of "a.parquet", "csv" of "x.tsv.gz"; false for what is no table file. `packed` (may be NULL): .gz or .zst.
 */
must_check bool table_format_of(struct str file, enum table_format *out, bool *packed);
const char *table_format_word(enum table_format f); /* "parquet", "csv", "json": also what duck_req_sniff takes */

/*
 * Every packed file among these must end as it should. Asked once for each content: .leat/cache/whole/ remembers.
 */
must_check int table_whole(struct store *s, struct arena *a, struct duck *d, const struct table_source *t,
			   struct err *e);

/* Inside flow/table*.c. */
must_check int table_learn(struct store *s, struct arena *a, struct duck *d, const struct repo *repo,
			   struct table_source *t, struct err *e);
must_check int table_group_csv(struct store *s, struct arena *a, struct duck *d, struct table_source *t,
			       size_t *n_groups, struct err *e);
must_check int table_group_parquet(struct store *s, struct arena *a, struct duck *d, struct table_source *t,
				   size_t *n_groups, struct str **schema_files, struct err *e);

#endif
