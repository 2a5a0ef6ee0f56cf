/*
 * db/duck.h: DuckDB, always in another process: `leat --role duck`, a worker that is started when the first request
 * is sent and then stays warm for many. A crash, a kill or running out of memory there is an error here, never more.
 *
 * One worker answers one request at a time, strictly in turn; who wants more at once keeps several (one per slot).
 * Requests and replies are documents (dom) made and read by the functions below. Between a request and its end come,
 * in this order, at most one head (columns of a streamed query) and any number of rows and progress messages.
 * A request leaves nothing behind in the worker: tables, macros and settings it made are gone with it. With `session:
 * true` in it (write, query) they stay, for a worker that one has for oneself.
 *
 * Paths: a request names files by absolute paths, files of the store by DUCK_LEAT "/...": the worker holds the
 * .leat folder open under that name, so a folder "a=b" above the workspace is not taken for a partition.
 */
#ifndef LEAT_DB_DUCK_H
#define LEAT_DB_DUCK_H

#include "base/dom.h"
#include "base/hash.h"

#define DUCK_LEAT "/proc/self/fd/4"
#define DUCK_THREADS_ANY (-1) /* for what takes no time */
#define DUCK_MAX_FRAME ((size_t)64 << 20)

struct duck;

struct duck_conf {
	const char *leat_dir;  /* absolute .leat folder; NULL outside a workspace */
	const char *timezone;  /* NULL = UTC */
	int threads;           /* of a request that does not say; 0 = all processors */
	uint64_t memory;       /* bytes; 0 = a share of what this process may use */
};

/* Starts nothing yet. The strings are copied. */
struct duck *duck_new(const struct duck_conf *c) __attribute__((returns_nonnull));
void duck_free(struct duck *d); /* ends the worker (and what it does); NULL is fine */
/* Starts the worker now, to have it warm by the time it is asked; does not wait. */
must_check int duck_start(struct duck *d, struct err *e);
bool duck_busy(const struct duck *d); /* a request is under way */
/* The socket, for a loop (readable: call duck_recv until it gives 0); changes when a dead worker is replaced; -1 =
 * none. */
int duck_fd(const struct duck *d);

enum duck_kind { DUCK_PROGRESS, DUCK_HEAD, DUCK_ROWS, DUCK_DONE, DUCK_FAILED };

/* Rows of a streamed query: cell (r, c) is at[r * n_cols + c]; .p NULL = null. Text or JSON, as the request asked. */
struct duck_rows {
	size_t n_rows, n_cols;
	struct str *at;
};

struct duck_msg {
	enum duck_kind kind;
	double progress;         /* PROGRESS: 0..100 */
	const struct dom *reply; /* HEAD, DONE */
	struct duck_rows rows;   /* ROWS */
	struct err *err;         /* FAILED: without place; */
	int64_t offset;          /* FAILED: byte in the request's `sql` that it is about; -1 = none */
};

/* Sends a request; BUG if one is under way. Blocks only while the socket is full. Restarts a worker that has died. */
must_check int duck_send(struct duck *d, const struct dom *request, struct err *e);
/*
 * 1: a message, in `a`, living as long as it does; 0: nothing more for now. A worker that died is a FAILED message that
 * says so. After DONE or FAILED the next request may be sent.
 */
int duck_recv(struct duck *d, struct arena *a, struct duck_msg *out);
/* Asks the worker to stop what it does; the request then ends with FAILED and ERR_CANCELLED (or DONE if it was faster).
 */
void duck_cancel(struct duck *d);

/*
 * Sends and waits. cb (may be NULL) sees every message but the last, in an arena that is emptied after it, and at least
 * every 100 ms a PROGRESS; non-zero from it cancels. On failure *offset (may be NULL) is as in duck_msg.
 */
typedef int (*duck_cb)(void *ptr, const struct duck_msg *m);
must_check int duck_call(struct duck *d, struct arena *a, const struct dom *request, duck_cb cb, void *ptr,
                         const struct dom **reply, int64_t *offset, struct err *e);
/* The same for a request that was sent before. */
must_check int duck_wait(struct duck *d, struct arena *a, duck_cb cb, void *ptr, const struct dom **reply,
                         int64_t *offset, struct err *e);

/* A table as a statement sees it: schema.name (schema "" = main), by SQL that reads it (flow/table.h makes it). */
struct duck_view {
	struct str schema, name, sql;
};

/*
 * Where a statement names a view as a table: bytes [start, end) of its text. With these the worker puts the reader's
 * SQL in place of the name, which saves making views (a third of the time of a small unit), and makes them only where
 * that does not bind. sql_bind (db/sql_bind.h) fills them.
 */
struct duck_ref {
	size_t start, end, view;
	bool alias; /* one follows in the text */
};

/* What requests that run SQL have in common. */
struct duck_sql {
	struct str sql; /* statements; the last one gives the result */
	const struct duck_view *views;
	size_t n_views;
	const struct duck_ref *refs; /* all of the text, in order, or none */
	size_t n_refs;
	int threads;           /* 0 = as the worker was made, DUCK_THREADS_ANY = as it happens to be */
	const char *timezone;  /* NULL = as the worker was made */
};

/* Runs a unit: the result as one Parquet file with fixed settings, the same bytes for the same rows in the same order.
 */
struct duck_write {
	struct duck_sql sql;
	const char *out;  /* the file; its folder is there, it is not */
	const char *ds; /* a column `ds` is dropped if all its values are this label, else ERR_FAILED; NULL keeps it */
	bool ordered;     /* the user's own order counts (sql_info.ordered) */
	bool row_id;      /* also tell the row id; it costs a second reading */
};
struct duck_written {
	int64_t rows, bytes;
	int64_t rejected;  /* rows of CSV files that tables with ignore_errors left out */
	struct sha row_id; /* equal for equal rows, whatever their order (unless ordered) and bytes: SEMANTICS 3; zero
			      if not asked */
};
struct dom *duck_req_write(struct arena *a, const struct duck_write *w);
must_check int duck_read_write(const struct dom *reply, struct duck_written *out, struct err *e);

/*
 * Runs many units as one statement. Each text is the units' query with DUCK_MANY_DS (the label, text) or
 * DUCK_MANY_DAY (a
 * DATE; where labels are days) where their ds stands, its tables put in place, filtered by the same; the
 * first text that
 * binds is run. Every unit that has rows gets one file below `dir`, which is made.
 */
#define DUCK_MANY_DS "leat_d.leat_ds"
#define DUCK_MANY_DAY "leat_d.leat_day"
struct duck_write_many {
	const struct str *texts;
	size_t n_texts;
	const char *const *labels;
	size_t n;
	bool days;
	const char *dir, *timezone;
};
struct duck_many_part {
	struct str label, path; /* where it was written */
	int64_t rows;
};
struct dom *duck_req_write_many(struct arena *a, const struct duck_write_many *w);
must_check int duck_read_write_many(struct arena *a, const struct dom *reply, struct duck_many_part **out, size_t *n,
                                    struct err *e);

/*
 * A statement whose rows are only told, of a step without output: DONE {"rows": n, "columns": [names], "result":
 * [[cells of a row]...]}, at most so many of them and 4 KB. Many of them, each by itself and none reading a table: DONE
 * {"steps": [such a map, or null for one that failed]}; a text "" is the one before it once more.
 */
#define DUCK_STEP_ROWS 10
struct dom *duck_req_step(struct arena *a, const struct duck_sql *q);
struct dom *duck_req_steps(struct arena *a, const struct str *texts, size_t n, const char *timezone);

/*
 * The row id of Parquet files that are there already; replies as duck_req_write does (read with duck_read_write).
 * threads as in duck_sql.
 */
struct dom *duck_req_row_id(struct arena *a, const char *path, bool ordered, int threads);

/*
 * A query whose rows are streamed: HEAD {"columns": [{"name", "type"}...]}, ROWS..., DONE {"rows": n, "rejected": n},
 * the latter where a table with ignore_errors is read.
 * TEXT: as a person reads them. JSON: each cell a JSON value of its kind (numbers beyond 2^53 and decimals as numbers
 * too).
 */
enum duck_cells { DUCK_CELLS_TEXT, DUCK_CELLS_JSON };
struct dom *duck_req_query(struct arena *a, const struct duck_sql *q, enum duck_cells cells);
/* A query with a small result (at most DUCK_SMALL_ROWS, else ERR_LIMIT), in text cells, in one go. */
#define DUCK_SMALL_ROWS 100000
struct duck_small {
	struct str *names, *types;
	struct duck_rows rows;
};
must_check int duck_small(struct duck *d, struct arena *a, const struct duck_sql *q, struct duck_small *out,
                          int64_t *offset, struct err *e);
/* The same for a query that was sent before, with text cells. */
must_check int duck_small_wait(struct duck *d, struct arena *a, struct duck_small *out, int64_t *offset,
                               struct err *e);

/* The result into a file: format "parquet", "csv", "json" (an array) or "jsonl". DONE {"rows": n, "bytes": n}. */
struct dom *duck_req_copy(struct arena *a, const struct duck_sql *q, const char *out, const char *format);

/*
 * What a file holds: {"format": "csv", "columns": [{"name", "type"}...], and for csv "delim", "quote", "escape",
 * "header", "skip", "newline", "comment", "dateformat", "timestampformat"; "empty": true if it has no row to judge by}.
 * For csv a map "hints" may be set in the request, with what is known: delim, header, quote, skip.
 */
struct dom *duck_req_sniff(struct arena *a, const char *path, const char *format);

/*
 * Whether .gz and .zst files end as they should, which DuckDB does not look at: a file cut short would give its first
 * rows. ERR_BAD_DATA names the first that does not. DONE {}.
 */
struct dom *duck_req_whole(struct arena *a, const struct str *paths, size_t n);

/* Texts to parse; read with sql_info_read (db/sql.h). DONE {"parsed": [...]}. */
struct dom *duck_req_parse(struct arena *a, const struct str *texts, size_t n);

/* The library: found, loadable, its version ("v1.5.6"). Loads it into this process: for the worker and doctor only. */
must_check int duck_library(char *version, size_t cap, char *path, size_t path_cap, struct err *e);
/*
 * Which library file this is, by its stat, without loading it: what was told by another one may differ. Zero for one
 * that is found by the system's own search.
 */
struct sha duck_library_id(void);
/* The worker's main: speaks on descriptor 3 until that closes. */
int duck_worker_main(int argc, char **argv);

/* A hint for what DuckDB says of things that Leat does otherwise. Returns -1. */
int duck_remedy(struct err *e, struct str msg);

#endif
