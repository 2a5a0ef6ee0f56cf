/*
 * db/sql_token.h: the tokens of SQL as DuckDB writes it, for what needs no parser: splitting statements, comments,
 * the end of a name. Never fails: a string without its end is a token up to the end of the text.
 */
#ifndef LEAT_DB_SQL_TOKEN_H
#define LEAT_DB_SQL_TOKEN_H

#include "base/arena.h"
#include "base/hash.h"

enum sql_tok {
	SQL_TOK_END,
	SQL_TOK_WORD,    /* a name or key word without quotes */
	SQL_TOK_QUOTED,  /* "a name" */
	SQL_TOK_STRING,  /* 'text', e'text', $tag$text$tag$ */
	SQL_TOK_NUMBER,
	SQL_TOK_SYMBOL,  /* one byte, or one of :: => <> <= >= != || -> ->> ** // */
	SQL_TOK_COMMENT, /* given only to those who ask */
};
struct sql_token {
	enum sql_tok kind;
	size_t start, end;
	struct str text; /* as it stands there */
};

/* The token at or after *at; *at moves behind it. */
void sql_token(struct str sql, size_t *at, bool comments, struct sql_token *out);
bool sql_token_is(const struct sql_token *t, const char *word_or_symbol); /* words regardless of case */
/* A name as it is meant: quotes taken off; a STRING likewise. In the arena. */
struct str sql_token_name(struct arena *a, const struct sql_token *t);

/* Statements of a text, without the ';' and without blanks and comments around them; empty ones are left out. */
struct sql_range {
	size_t start, end;
};
size_t sql_split(struct arena *a, struct str sql, struct sql_range **out);

/* Of the tokens without comments and blanks: words without quotes count regardless of case. */
struct sha sql_token_hash(struct str sql);

/*
 * The block of comments that a text begins with (-- lines, or one block comment; blank lines and a #! line before it
 * are fine), comment marks taken off; 0 if there is none. *lines (may be NULL) is the line it begins in, 1-based.
 */
bool sql_header(struct arena *a, struct str sql, struct str *out, int *line);

#endif
