#include "db/sql_token.h"

#include <ctype.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"

static bool word_start(unsigned char c)
{
	return isalpha(c) || c == '_' || c >= 0x80;
}

static bool word_part(unsigned char c)
{
	return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

static int at_or_0(struct str s, size_t i)
{
	return i < s.n ? (unsigned char)s.p[i] : 0;
}

/* Behind the closing quote; a doubled one stands for itself, a backslash escapes where `backslash`. */
static size_t quoted_end(struct str s, size_t i, char quote, bool backslash)
{
	for (; i < s.n; i++) {
		if (backslash && s.p[i] == '\\')
			i++;
		else if (s.p[i] == quote && at_or_0(s, i + 1) == quote)
			i++;
		else if (s.p[i] == quote)
			return i + 1;
	}
	return s.n;
}

/* Behind $tag$...$tag$; 0 if what stands at i is none. */
static size_t dollar_end(struct str s, size_t i)
{
	size_t j = i + 1;

	while (j < s.n && (isalnum((unsigned char)s.p[j]) || s.p[j] == '_'))
		j++;
	if (at_or_0(s, j) != '$' || isdigit(at_or_0(s, i + 1)))
		return 0;
	size_t tag = j + 1 - i;
	for (size_t k = j + 1; k + tag <= s.n; k++)
		if (!memcmp(s.p + k, s.p + i, tag))
			return k + tag;
	return s.n;
}

static size_t block_comment_end(struct str s, size_t i)
{
	int depth = 0;

	for (; i < s.n; i++) {
		if (s.p[i] == '/' && at_or_0(s, i + 1) == '*') {
			depth++;
			i++;
		} else if (s.p[i] == '*' && at_or_0(s, i + 1) == '/') {
			i++;
			if (!--depth)
				return i + 1;
		}
	}
	return s.n;
}

static size_t number_end(struct str s, size_t i)
{
	while (i < s.n) {
		char c = s.p[i];
		bool sign_of_exponent = (c == '+' || c == '-') && i && (s.p[i - 1] == 'e' || s.p[i - 1] == 'E');

		if (!isalnum((unsigned char)c) && c != '.' && c != '_' && !sign_of_exponent)
			break;
		i++;
	}
	return i;
}

static size_t symbol_end(struct str s, size_t i)
{
	static const char *const longer[] = {"->>", "::", "=>", "<>", "<=", ">=", "!=", "||", "->", "**", "//"};

	for (size_t k = 0; k < ARRAY_LEN(longer); k++) {
		size_t n = strlen(longer[k]);

		if (i + n <= s.n && !memcmp(s.p + i, longer[k], n))
			return i + n;
	}
	return i + 1;
}

static size_t token_end(struct str s, size_t i, enum sql_tok *kind)
{
	int c = at_or_0(s, i), d = at_or_0(s, i + 1);
	size_t end;

	if (c == '-' && d == '-') {
		*kind = SQL_TOK_COMMENT;
		for (end = i; end < s.n && s.p[end] != '\n';)
			end++;
		return end;
	}
	if (c == '/' && d == '*') {
		*kind = SQL_TOK_COMMENT;
		return block_comment_end(s, i);
	}
	if (c == '\'' || ((c == 'e' || c == 'E') && d == '\'')) {
		*kind = SQL_TOK_STRING;
		return quoted_end(s, i + (c == '\'' ? 1 : 2), '\'', c != '\'');
	}
	if (c == '"') {
		*kind = SQL_TOK_QUOTED;
		return quoted_end(s, i + 1, '"', false);
	}
	if (c == '$' && (end = dollar_end(s, i))) {
		*kind = SQL_TOK_STRING;
		return end;
	}
	if (word_start((unsigned char)c)) {
		*kind = SQL_TOK_WORD;
		for (end = i; end < s.n && word_part((unsigned char)s.p[end]);)
			end++;
		return end;
	}
	if (isdigit(c) || (c == '.' && isdigit(d))) {
		*kind = SQL_TOK_NUMBER;
		return number_end(s, i);
	}
	*kind = SQL_TOK_SYMBOL;
	return symbol_end(s, i);
}

void sql_token(struct str sql, size_t *at, bool comments, struct sql_token *out)
{
	size_t i = *at;

	for (;;) {
		while (i < sql.n && isspace((unsigned char)sql.p[i]))
			i++;
		*out = (struct sql_token){SQL_TOK_END, i, i, {sql.p + i, 0}};
		*at = i;
		if (i >= sql.n)
			return;
		out->end = token_end(sql, i, &out->kind);
		out->text = str_sub(sql, i, out->end - i);
		*at = i = out->end;
		if (out->kind != SQL_TOK_COMMENT || comments)
			return;
	}
}

bool sql_token_is(const struct sql_token *t, const char *word)
{
	return (t->kind == SQL_TOK_WORD || t->kind == SQL_TOK_SYMBOL) && t->text.n == strlen(word) &&
	       !strncasecmp(t->text.p, word, t->text.n);
}

struct str sql_token_name(struct arena *a, const struct sql_token *t)
{
	struct str s = t->text;

	if ((t->kind != SQL_TOK_QUOTED && t->kind != SQL_TOK_STRING) || s.n < 2 || (s.p[0] != '"' && s.p[0] != '\''))
		return arena_str(a, s);
	char quote = s.p[0], *out = arena_alloc(a, s.n);
	size_t n = 0, last = s.p[s.n - 1] == quote ? s.n - 1 : s.n;

	for (size_t i = 1; i < last; i++) {
		out[n++] = s.p[i];
		if (s.p[i] == quote)
			i++;
	}
	return (struct str){out, n};
}

size_t sql_split(struct arena *a, struct str sql, struct sql_range **out)
{
	VEC(struct sql_range) v = {0};
	struct sql_range now = {0};
	struct sql_token t;
	bool open = false;

	for (size_t at = 0;;) {
		sql_token(sql, &at, false, &t);
		if (t.kind == SQL_TOK_END || sql_token_is(&t, ";")) {
			if (open)
				vec_push(a, &v, now);
			open = false;
			if (t.kind == SQL_TOK_END)
				break;
			continue;
		}
		if (!open)
			now.start = t.start;
		now.end = t.end;
		open = true;
	}
	*out = v.p;
	return v.n;
}

struct sha sql_token_hash(struct str sql)
{
	struct sha_ctx c;
	struct sql_token t;
	char low[256];

	sha_init(&c);
	for (size_t at = 0;;) {
		sql_token(sql, &at, false, &t);
		if (t.kind == SQL_TOK_END)
			return sha_end(&c);
		struct str s = t.text;
		if (t.kind == SQL_TOK_WORD && s.n <= sizeof(low)) {
			for (size_t i = 0; i < s.n; i++)
				low[i] = (char)tolower((unsigned char)s.p[i]);
			s.p = low;
		}
		sha_field(&c, s);
	}
}

static void add_line(struct buf *b, struct str line)
{
	buf_addstr(b, line);
	buf_addc(b, '\n');
}

bool sql_header(struct arena *a, struct str sql, struct str *out, int *line)
{
	struct buf b cleanup(buf_free) = BUF_INIT(sql.n + 2);
	struct str rest = sql, one;
	int at = 0, first = 0;

	if (str_has_prefix(rest, STR("\xef\xbb\xbf")))
		rest = str_sub(rest, 3, rest.n);
	while (str_next_line(&rest, &one)) {
		struct str t = str_trim(one);

		at++;
		if (str_has_prefix(t, STR("/*")) && !first) {
			/* The rest of this line and all up to the mark; lines keep their number. */
			struct str body = str_sub((struct str){t.p + 2, (size_t)(sql.p + sql.n - t.p) - 2}, 0, sql.n);
			const char *end = memmem(body.p, body.n, "*/", 2);

			*out = arena_str(a, (struct str){body.p, end ? (size_t)(end - body.p) : body.n});
			if (line)
				*line = at;
			return true;
		}
		if (!str_has_prefix(t, STR("--"))) {
			if (first || (t.n && !(at == 1 && str_has_prefix(t, STR("#!")))))
				break;
			continue;
		}
		if (!first)
			first = at;
		t = str_sub(t, 2, t.n);
		add_line(&b, str_has_prefix(t, STR(" ")) ? str_sub(t, 1, t.n) : t);
	}
	if (!first)
		return false;
	*out = arena_str(a, buf_str(&b));
	if (line)
		*line = first;
	return true;
}
