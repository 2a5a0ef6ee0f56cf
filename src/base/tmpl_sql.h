/*
 * base/tmpl_sql.h: where in SQL text one stands: between its quotes or comments, or where an expression may stand. Fed
 * with text that grows; looks at each byte once. For tmpl.c only.
 */
#ifndef LEAT_BASE_TMPL_SQL_H
#define LEAT_BASE_TMPL_SQL_H

#include "base/base.h"

enum sql_in { SQL_CODE, SQL_TEXT, SQL_ESCAPED_TEXT /* E'..' */, SQL_NAME, SQL_LINE_COMMENT, SQL_COMMENT, SQL_DOLLAR };

struct sql_place {
	enum sql_in in;
	size_t seen;            /* bytes looked at */
	int comment_depth;      /* block comments nest */
	size_t word;            /* where the word being read began, if .in_word */
	size_t code;            /* where the code that we are in began: pairs such as -- do not reach before it */
	bool in_word, skip;     /* skip: the next byte is part of a pair already looked at */
	size_t dollar, tag;     /* $tag$: where it began, and its length with both $ */
	bool may_dollar;        /* a $ was seen at .dollar that may open such a quote */
};

void sql_place_feed(struct sql_place *p, struct str text); /* the whole text so far */
#endif
