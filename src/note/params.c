#include "note/params.h"

#include <ctype.h>
#include <math.h>

#include "base/str.h"
#include "note/notebook_in.h"

#define PARAMS_MAX 1000

enum default_type { IS_OTHER, IS_TEXT, IS_INT, IS_FLOAT, IS_BOOL, IS_MAP };

struct declared {
	struct str name, value; /* value: as it is written, to the end of its line */
	enum default_type type;
	int line;
};

struct declaring {
	struct arena *a;
	const struct language *language;
	VEC(struct declared) list;
};

/* --- what the cell declares --- */

static bool is_number(struct str s, bool *real)
{
	double d;
	int64_t i;

	*real = !str_to_i64(s, &i);
	return !*real || str_to_f64(s, &d);
}

/* Without the comment and the semicolon after it. */
static struct str bare(const struct language *l, struct str value)
{
	struct str mark = str_trim(str_of(language_comment(l)));

	for (size_t i = 0; i + mark.n <= value.n; i++)
		if (!memcmp(value.p + i, mark.p, mark.n))
			value.n = i;
	value = str_trim(value);
	if (str_has_suffix(value, STR(";")))
		value.n--;
	return str_trim(value);
}

static enum default_type type_of(const struct language *l, struct str value)
{
	struct str s = value;
	size_t i = 0;
	bool real;

	while (i < s.n && strchr("rRbBuUfF", s.p[i]))
		i++;
	if (i < s.n && i <= 2 && (s.p[i] == '"' || s.p[i] == '\''))
		return IS_TEXT;
	if (s.n && (s.p[0] == '{' || str_has_prefix(s, STR("dict("))))
		return IS_MAP;
	s = bare(l, s);
	if (language_is_bool(l, s))
		return IS_BOOL;
	if (is_number(s, &real))
		return real ? IS_FLOAT : IS_INT;
	return IS_OTHER;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return s.n && !isdigit((unsigned char)s.p[0]);
}

/* How far brackets stay open after a line; quotes hide them. */
static int open_after(struct str line, int open)
{
	char quote = '\0';

	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];

		if (quote) {
			i += c == '\\';
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '#') {
			break;
		} else if (strchr("([{", c)) {
			open++;
		} else if (strchr(")]}", c) && open) {
			open--;
		}
	}
	return open;
}

/* NAME = VALUE; R's NAME <- VALUE. A comparison is none. */
static bool cut_assignment(struct str line, struct str *left, struct str *right)
{
	for (size_t i = 0; i + 1 < line.n; i++) {
		if (line.p[i] == '<' && line.p[i + 1] == '-') {
			*left = str_sub(line, 0, i);
			*right = str_sub(line, i + 2, line.n);
			return true;
		}
		if (line.p[i] == '=') {
			*left = str_sub(line, 0, i);
			*right = str_sub(line, i + 1, line.n);
			return line.p[i + 1] != '=';
		}
	}
	return false;
}

/* What other languages put before the name that they set. */
static struct str without_word(struct str left)
{
	static const char *const words[] = {"let ", "const ", "var ", "val ", "$"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_has_prefix(left, str_of(words[i])))
			return str_sub(left, strlen(words[i]), left.n);
	return left;
}

/* NAME = VALUE, NAME: TYPE = VALUE, at the left margin. */
static void declare(struct declaring *d, const struct cell *c)
{
	struct str rest = c->source, line, left, right, name, type;
	int open = 0, at = 0;

	while (str_next_line(&rest, &line)) {
		int before = open;

		at++;
		open = open_after(line, open);
		if (before || d->list.n == PARAMS_MAX || !cut_assignment(line, &left, &right))
			continue;
		left = without_word(left);
		name = left;
		if (str_cut(left, ':', &name, &type))
			name = str_trim(name);
		else
			name = left.n && left.p[0] != ' ' ? str_trim(left) : STR("");
		if (!is_name(name))
			continue;
		right = str_trim(right);
		vec_push(d->a, &d->list,
		         ((struct declared){name, right, type_of(d->language, right), c->line + at - 1}));
	}
}

static const struct declared *find(const struct declaring *d, struct str name)
{
	for (size_t i = d->list.n; i-- > 0;)
		if (str_eq(d->list.p[i].name, name))
			return &d->list.p[i];
	return NULL;
}

/* --- a value as its default is --- */

static int wrong_type(const struct declared *d, const struct dom *v, const char *name, const char *want, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(STR_SHOW);

	dom_write_json(&b, v, DOM_COMPACT);
	err_set(e, ERR_BAD_REQUEST, "the parameter %.*s is %s by its default %s, not %s", STR_ARG(d->name), want,
	        STR_SHOWN(d->value), STR_SHOWN(buf_str(&b)));
	return err_at(e, name, d->line, 1);
}

static int typed(struct arena *a, const struct declared *d, const struct dom *v, const char *name,
                 const struct dom **out, struct err *e)
{
	double real;
	int64_t whole;

	*out = v;
	if (v->type == DOM_NULL || !d)
		return 0;
	switch (d->type) {
	case IS_TEXT:
		if (v->type == DOM_MAP && v->n == 1) /* the folder of the only input */
			v = v->first;
		if (v->type != DOM_LIST && v->type != DOM_MAP)
			*out = dom_new_str(a, dom_text(a, v));
		return 0;
	case IS_INT:
		if (v->type == DOM_STR && str_to_i64(v->s, &whole))
			*out = dom_new_int(a, whole);
		else if (v->type == DOM_REAL && v->d == floor(v->d) && fabs(v->d) < 1e15)
			*out = dom_new_int(a, (int64_t)v->d);
		else if (v->type != DOM_INT && v->type != DOM_REAL) /* 0.5 for 0: as it would be in Python */
			return wrong_type(d, v, name, "a whole number", e);
		return 0;
	case IS_FLOAT:
		if (v->type == DOM_INT)
			*out = dom_new_real(a, (double)v->i);
		else if (v->type == DOM_STR && str_to_f64(v->s, &real))
			*out = dom_new_real(a, real);
		else if (v->type != DOM_REAL)
			return wrong_type(d, v, name, "a number", e);
		return 0;
	case IS_BOOL:
		if (v->type == DOM_STR && (str_ieq(v->s, STR("true")) || str_ieq(v->s, STR("false"))))
			*out = dom_new_bool(a, str_ieq(v->s, STR("true")));
		else if (v->type != DOM_BOOL)
			return wrong_type(d, v, name, "true or false", e);
		return 0;
	default:
		return 0;
	}
}

static int unknown(const struct declaring *d, struct str name, const char *file, int line, struct err *e)
{
	struct str names[64];
	size_t n = MIN(d->list.n, ARRAY_LEN(names));
	int near;

	for (size_t i = 0; i < n; i++)
		names[i] = d->list.p[i].name;
	near = str_nearest(name, names, n);
	err_set(e, ERR_BAD_REQUEST, "the notebook has no parameter %s", STR_SHOWN(name));
	err_at(e, file, line, 1);
	return near < 0 ? err_hint(e, "its cell tagged `parameters` sets those that it has")
	                : err_hint(e, "did you mean %.*s?", STR_ARG(names[near]));
}

/* must: each is to be one that the cell declares, if there is a `cell`; else those that are not are passed over. */
static int add_all(struct declaring *d, struct buf *out, const struct dom *values, const char *file, bool must,
                   int line, bool cell, struct err *e)
{
	dom_each(v, values) {
		const struct declared *x = find(d, v->key);
		const struct dom *as;

		if (!x && !must)
			continue;
		if (!x && cell)
			return unknown(d, v->key, file, line, e);
		if (typed(d->a, x, v, file, &as, e))
			return -1;
		buf_addc(out, '\n');
		if (literal_assign(out, d->language, v->key, as, e))
			return -1;
	}
	return 0;
}

static void insert(struct arena *a, struct notebook *nb, size_t at, struct cell c)
{
	struct cell *cells = arena_array(a, struct cell, nb->n + 1);

	memcpy(cells, nb->cells, at * sizeof(*cells));
	cells[at] = c;
	memcpy(cells + at + 1, nb->cells + at, (nb->n - at) * sizeof(*cells));
	nb->cells = cells;
	nb->n++;
	notebook_ids(a, nb);
}

int params_inject(struct arena *a, struct notebook *nb, const char *name, const struct language *language,
                  const struct dom *given, const struct dom *offered, struct err *e)
{
	struct buf text cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct declaring d = {.a = a, .language = language};
	size_t tagged = nb->n, injected = nb->n, empty;
	struct cells made = {0};
	struct cell *c;

	for (size_t i = 0; i < nb->n; i++) {
		if (cell_has_tag(&nb->cells[i], "injected-parameters") && injected == nb->n)
			injected = i;
		else if (cell_has_tag(&nb->cells[i], "parameters") && tagged == nb->n)
			tagged = i;
	}
	if (tagged < nb->n)
		declare(&d, &nb->cells[tagged]);
	buf_addf(&text, "%sParameters", language_comment(language));
	empty = text.n;
	if (add_all(&d, &text, offered, name, false, 0, true, e) ||
	    add_all(&d, &text, given, name, true, tagged < nb->n ? nb->cells[tagged].line : 0, tagged < nb->n, e))
		return -1;
	if (text.n == empty)
		return 0;
	if (buf_over(&text))
		return err_set(e, ERR_LIMIT, "the parameters are larger than %zu bytes", NOTEBOOK_BYTES_MAX);
	c = cells_add(a, &made, CELL_CODE);
	c->source = arena_str(a, buf_str(&text));
	cell_add_tag(a, c, "injected-parameters");
	if (injected < nb->n) {
		c->id = nb->cells[injected].id;
		nb->cells[injected] = *c;
	} else {
		insert(a, nb, tagged < nb->n ? tagged + 1 : 0, *c);
	}
	return 0;
}
