/*
 * db/duck_worker.h: inside the worker process: its one database, and how the operations of duck_work.c speak back.
 * Three threads: the main one works, one reads the socket (cancel, end), one tells progress.
 */
#ifndef LEAT_DB_DUCK_WORKER_H
#define LEAT_DB_DUCK_WORKER_H

#include "base/dom.h"
#include "base/tz.h"
#include "db/duck_abi.h"

struct worker {
	duck_connection con;
	const char *timezone;      /* of sessions that do not say */
	int threads;               /* likewise */
	int threads_now;
	char timezone_now[64];
	const struct tz *tz;       /* of timezone_now, for timestamptz as text */
	bool order_now;            /* preserve_insertion_order */
};

/* One request at work. */
struct work {
	struct worker *w;
	struct arena *a;           /* of the request */
	const struct dom *request;
	struct dom *reply;         /* a map, to be filled */
	struct str sql;            /* the text at work: the request's, or that with its tables put in place */
	bool inlined;
	bool told;                 /* the head of a stream is out: no second try */
	int64_t offset;            /* on failure: byte of the request's `sql`; -1 */
	bool dirty;                /* statements ran that a rollback does not undo: a fresh database afterwards */
};

/* Operations: 0, or -1 with e. */
must_check int work_write(struct work *k, struct err *e);
must_check int work_write_many(struct work *k, struct err *e);
must_check int work_step(struct work *k, struct err *e);
must_check int work_steps(struct work *k, struct err *e);
/* How many rows a result has, and the first ones, into a map; the result stays the caller's. */
must_check int work_step_read(struct work *k, struct duck_result *from, struct dom *out, struct err *e);
must_check int work_row_id(struct work *k, struct err *e);
must_check int work_query(struct work *k, struct err *e);
must_check int work_copy(struct work *k, struct err *e);
must_check int work_whole(struct work *k, struct err *e);
must_check int work_sniff(struct work *k, struct err *e);
must_check int work_parse(struct work *k, struct err *e);

/*
 * Fixed, so that equal rows in equal order give equal bytes: nothing here may follow the machine. Row groups as DuckDB
 * likes them. Snappy, which every engine reads: zstd makes files 40 % smaller and costs 8 % of the time of a small unit
 * (365 x 10,000 rows: 2.24 against 2.44 CPU-s), where running must not cost more than DuckDB alone by 30 %.
 */
#define WORK_PARQUET "format parquet, compression snappy, row_group_size 122880"

/* Threads and time zone of the request. */
must_check int work_session(struct work *k, struct err *e);
/* Runs statements of ours that give nothing. */
must_check int work_exec(struct work *k, const char *sql, struct err *e);
/* Runs one that gives a result; duckdb.destroy_result it. */
must_check int work_result(struct work *k, const char *sql, struct duck_result *out, struct err *e);
must_check int work_prepare(struct work *k, const char *sql, duck_prepared *out, struct err *e);
/* Every row's cells as text, in the arena of the request: for small results of ours. */
must_check int work_rows(struct work *k, const char *sql, struct str **cells, size_t *rows, size_t *cols,
			 struct err *e);

/* A type as SQL writes it ("DECIMAL(18,3)", "STRUCT(a INTEGER)"). */
void duck_type_text(struct buf *b, duck_type t);

/* Whether somebody asked to stop. */
bool worker_cancelled(void);
must_check int worker_send(int kind, struct str body, struct err *e);

/*
 * DuckDB's error text (errors_as_json) as an error for the user. *offset: byte of the statement it is about, -1 = none.
 * Knows CSV errors: file, line and column are named in one sentence.
 */
int duck_error(struct err *e, const char *text, int64_t *offset);

/* Cells of a result as text or JSON; one per column, made once, used for every chunk (duck_cell.c). */
struct cell;
must_check int cell_new(struct arena *a, duck_type type, const char *column, struct cell **out, struct err *e);
void cell_bind(struct cell *c, duck_vector v);            /* to a chunk's vector */
bool cell_is_null(const struct cell *c, duck_idx row);
void cell_text(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b);
void cell_json(const struct cell *c, duck_idx row, const struct tz *tz, struct buf *b);

#endif
