/*
 * db/sql.h: what a SQL text is and reads, told by DuckDB's own parser (in the worker: duck_req_parse) and kept as a
 * document, so that a caller may remember it by the hash of the text and the version of the library.
 *
 * All offsets are bytes in the text that was parsed. Strings live in the arena that the document was read into.
 */
#ifndef LEAT_DB_SQL_H
#define LEAT_DB_SQL_H

#include "base/dom.h"
#include "base/hash.h"

/* How words begin that stand for any ds in a text that is parsed for all of them (flow/jobsql.h). */
#define SQL_STAND_IN "1583-"
#define SQL_MAX_TEXT ((size_t)4 << 20)

/* One reference to a table, as it stands in the text. Names of CTEs in scope are not among them. */
struct sql_table {
	struct str schema, name; /* without quotes; schema "" if none was written */
	struct str alias;        /* "" if none */
	struct str at_unit;      /* "version" or "timestamp"; "" without an AT clause */
	struct str at;           /* its value as text */
	size_t start, end;       /* the name with its schema */
	size_t at_start, at_end; /* the AT clause, which stands behind an alias if there is one; equal without it */
	bool names_ds;           /* an expression (not `exclude`) names its ds: SEMANTICS 2 */
};

enum {
	SQL_SAMPLE = 1 << 0,     /* using sample, tablesample */
	SQL_PIVOT = 1 << 1,
	SQL_FULL_JOIN = 1 << 2,
	SQL_WINDOW = 1 << 3,
	SQL_TABLE_FUNCTION = 1 << 4,
	SQL_RECURSIVE = 1 << 5,
	SQL_LIMIT = 1 << 6,      /* limit or offset, at any depth */
	SQL_ORDER = 1 << 7,      /* order by below the top */
	SQL_CORRELATED = 1 << 8, /* lateral, exists, a subquery in an expression */
	SQL_SET_OP = 1 << 9,     /* union, intersect, except */
	SQL_JOIN = 1 << 10,
	SQL_CTE = 1 << 11,
	SQL_ASOF = 1 << 12,
	SQL_OPAQUE = 1 << 13,    /* not told by the parser: judged by its tokens */
};

struct sql_info {
	/* A text that does not parse: message and offset; nothing else is set. */
	struct str error;      /* "" = fine */
	size_t error_offset;
	struct sha hash;       /* of its meaning: the parse tree without places; by tokens where there is no tree */
	size_t statements;     /* 0: nothing but blanks and comments */
	bool select;           /* the last one gives rows */
	bool ordered;          /* ... and has an ORDER BY of its own at the top */
	unsigned facts;        /* SQL_… */
	struct sql_table *tables;
	size_t n_tables;
	struct str *volatiles; /* functions in it that are not the same for the same input: "now", "random" */
	size_t n_volatiles;
	struct str *readers;   /* table functions in it that read files: "read_csv" */
	size_t n_readers;
	struct str *files;     /* files read by name: FROM 'x.csv' */
	size_t n_files;
	/* Why units of it cannot run as one statement (db/sql_alone.h); "" = they can, if nothing above forbids it. */
	struct str alone;
	size_t stand_ins;      /* where ds stands in it, if they can */
};

/* Reads one element of duck_req_parse's reply ("parsed"), or what a cache gave back of it. -1: not of this shape. */
must_check int sql_info_read(struct arena *a, const struct dom *parsed, struct sql_info *out);

/* A name as SQL has it: bare where every engine reads it so, else in quotes (defs/sql_keywords.def). */
void sql_add_ident(struct buf *b, struct str name);
void sql_add_literal(struct buf *b, struct str text); /* 'it''s' */
void sql_add_path(struct buf *b, struct str path); /* a literal that means this file and is no glob */

#endif
