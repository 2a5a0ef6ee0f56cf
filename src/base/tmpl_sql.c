#include "base/tmpl_sql.h"

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

static void back_to_code(struct sql_place *p, size_t i)
{
	p->in = SQL_CODE;
	p->code = i + 1;
	p->in_word = p->skip = p->may_dollar = false;
}

/* At a $ of code: does it end $tag$, or may it begin one? */
static void dollar(struct sql_place *p, size_t i)
{
	if (p->may_dollar) {
		p->tag = i + 1 - p->dollar;
		p->in = SQL_DOLLAR;
		p->may_dollar = false;
		return;
	}
	p->may_dollar = !p->in_word;
	p->dollar = i;
}

static void in_code(struct sql_place *p, struct str s, size_t i)
{
	char c = s.p[i], before = i > p->code ? s.p[i - 1] : '\0';
	bool escaped = p->in_word && p->word + 1 == i && (before == 'e' || before == 'E');

	if (c == '$') {
		dollar(p, i);
		return;
	}
	if (!is_word(c) || (p->may_dollar && i == p->dollar + 1 && c >= '0' && c <= '9')) /* $1 is a parameter */
		p->may_dollar = false;
	if (is_word(c)) {
		if (!p->in_word)
			p->word = i;
		p->in_word = true;
		return;
	}
	p->in_word = false;
	if (c == '\'')
		p->in = escaped ? SQL_ESCAPED_TEXT : SQL_TEXT;
	else if (c == '"')
		p->in = SQL_NAME;
	else if (c == '-' && before == '-')
		p->in = SQL_LINE_COMMENT;
	else if (c == '*' && before == '/') {
		p->in = SQL_COMMENT;
		p->comment_depth = 1;
		p->skip = true; /* the * of the beginning is not that of an end */
	}
}

static void in_comment(struct sql_place *p, struct str s, size_t i)
{
	char c = s.p[i], before = s.p[i - 1];

	if (p->skip) {
		p->skip = false;
		return;
	}
	if (c == '/' && before == '*') {
		p->skip = true;
		if (!--p->comment_depth)
			back_to_code(p, i);
	} else if (c == '*' && before == '/') {
		p->comment_depth++;
		p->skip = true;
	}
}

void sql_place_feed(struct sql_place *p, struct str s)
{
	for (size_t i = p->seen; i < s.n; i++) {
		char c = s.p[i];

		switch (p->in) {
		case SQL_CODE:
			in_code(p, s, i);
			break;
		case SQL_TEXT:
		case SQL_NAME:
			if (c == (p->in == SQL_TEXT ? '\'' : '"'))
				back_to_code(p, i);
			break;
		case SQL_ESCAPED_TEXT:
			if (p->skip)
				p->skip = false;
			else if (c == '\\')
				p->skip = true;
			else if (c == '\'')
				back_to_code(p, i);
			break;
		case SQL_LINE_COMMENT:
			if (c == '\n')
				back_to_code(p, i);
			break;
		case SQL_COMMENT:
			in_comment(p, s, i);
			break;
		case SQL_DOLLAR:
			if (c == '$' && i + 1 >= p->dollar + 2 * p->tag &&
			        !memcmp(s.p + i + 1 - p->tag, s.p + p->dollar, p->tag))
				back_to_code(p, i);
			break;
		}
	}
	p->seen = s.n;
}
