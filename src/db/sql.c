#include "db/sql.h"

#include <ctype.h>

#include "base/str.h"
#include "db/sql_token.h"

/* Quotes are never wrong, so key words need no list: only names of plain lower-case letters that nobody reserves go bare. */
void sql_add_ident(struct buf *b, struct str name)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, name.p[i]);
	}
	buf_addc(b, '"');
}

void sql_add_literal(struct buf *b, struct str text)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_addc(b, '\'');
		buf_addc(b, text.p[i]);
	}
	buf_addc(b, '\'');
}
