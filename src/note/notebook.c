#include "note/notebook.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/str.h"
#include "note/notebook_in.h"

#define ID_MAX 64

struct cell *cells_add(struct arena *a, struct cells *v, enum cell_type type)
{
	struct cell c = {.type = type, .source = STR(""), .metadata = dom_new(a, DOM_MAP)};

	if (type == CELL_CODE)
		c.outputs = dom_new(a, DOM_LIST);
	vec_push(a, v, c);
	return &v->p[v->n - 1];
}

const char *cell_type_word(enum cell_type t)
{
	static const char *const words[] = {"code", "markdown", "raw"};

	return words[t];
}

bool cell_has_tag(const struct cell *c, const char *tag)
{
	dom_each(t, dom_get(c->metadata, "tags"))
		if (t->type == DOM_STR && str_is(t->s, tag))
			return true;
	return false;
}

void cell_add_tag(struct arena *a, struct cell *c, const char *tag)
{
	struct dom *tags = dom_get(c->metadata, "tags");

	if (cell_has_tag(c, tag))
		return;
	if (!tags || tags->type != DOM_LIST) {
		tags = dom_new(a, DOM_LIST);
		dom_set(a, c->metadata, "tags", tags);
	}
	dom_add(tags, dom_new_str(a, str_of(tag)));
}

struct str notebook_text(struct arena *a, const struct dom *v)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);

	if (!v || (v->type != DOM_STR && v->type != DOM_LIST))
		return STR_NULL;
	if (v->type == DOM_STR)
		return v->s;
	dom_each(s, v) {
		if (s->type != DOM_STR)
			return STR_NULL;
		buf_addstr(&b, s->s);
	}
	return arena_str(a, buf_str(&b));
}

static bool id_fits(struct str id)
{
	if (!id.n || id.n > ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", id.p[i]) || !id.p[i])
			return false;
	return true;
}

void notebook_ids(struct arena *a, struct notebook *nb)
{
	struct map used;

	map_init(&used, a);
	for (size_t i = 0; i < nb->n; i++) {
		struct str id = nb->cells[i].id;

		if (!id_fits(id) || map_has(&used, id))
			nb->cells[i].id = STR_NULL;
		else
			map_set(&used, id, &used);
	}
	for (size_t i = 0; i < nb->n; i++) {
		struct cell *c = &nb->cells[i];

		for (unsigned turn = 0; !c->id.n; turn++) {
			struct str named = arena_strf(a, "%u %.*s", turn, STR_ARG(c->source));
			struct sha h = sha_of(named.p, named.n);
			char hex[SHA_HEX + 1];
			struct str id;

			sha_hex(&h, hex);
			id = arena_str(a, (struct str){hex, 8});
			if (map_has(&used, id))
				continue;
			map_set(&used, id, &used);
			c->id = id;
		}
	}
}

int notebook_form(struct str name, struct str text, enum notebook_form *out, struct err *e)
{
	struct str line;

	if (str_has_suffix(name, STR(".ipynb"))) {
		*out = NOTEBOOK_IPYNB;
		return 0;
	}
	if (str_has_suffix(name, STR(".sql"))) {
		*out = NOTEBOOK_SQL;
		return 0;
	}
	if (!str_has_suffix(name, STR(".py"))) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is no notebook by its name", STR_ARG(name));
		return err_hint(e, "notebooks are .ipynb, .py with cells that begin with `# %%%%`, .sql (`-- %%%%`)");
	}
	*out = NOTEBOOK_PERCENT;
	while (str_next_line(&text, &line))
		if (str_has_prefix(line, STR("# <codecell>")) || str_has_prefix(line, STR("# <markdowncell>")))
			*out = NOTEBOOK_CODECELL;
	return 0;
}

int notebook_read(struct arena *a, struct str text, const char *name, enum notebook_form form, struct notebook *out,
                  struct err *e)
{
	struct notebook nb = {0};
	int rc;

	if (!str_is_utf8(text)) {
		err_set(e, ERR_BAD_DATA, "%s is not UTF-8", name);
		return err_hint(e, "save it as UTF-8; notebooks know no other encoding");
	}
	switch (form) {
	case NOTEBOOK_IPYNB:
		rc = ipynb_read(a, text, name, &nb, e);
		break;
	case NOTEBOOK_PERCENT:
		rc = percent_read(a, text, name, &nb, e);
		break;
	case NOTEBOOK_SQL:
		rc = sqlcell_read(a, text, name, &nb, e);
		break;
	default:
		rc = codecell_read(a, text, name, &nb, e);
	}
	if (rc)
		return -1;
	if (nb.n > NOTEBOOK_CELLS_MAX)
		return err_set(e, ERR_BAD_DATA, "%s has %zu cells; %d is the limit", name, nb.n, NOTEBOOK_CELLS_MAX);
	notebook_ids(a, &nb);
	*out = nb;
	return 0;
}

void notebook_write(struct arena *a, const struct notebook *nb, enum notebook_form form, struct buf *out)
{
	if (form == NOTEBOOK_IPYNB)
		ipynb_write(a, nb, out);
	else if (form == NOTEBOOK_PERCENT)
		percent_write(a, nb, out);
	else if (form == NOTEBOOK_SQL)
		sqlcell_write(a, nb, out);
	else
		codecell_write(a, nb, out);
}

struct str lines_trim_end(struct str s)
{
	size_t n = s.n;

	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] == '\n')
			n = i;
		else if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r')
			break;
	}
	if (n && str_trim(str_sub(s, 0, n)).n == 0)
		n = 0;
	return str_sub(s, 0, n);
}

void comment_write(struct buf *out, struct str text)
{
	struct str rest = text, line;

	while (str_next_line(&rest, &line)) {
		buf_adds(out, line.n ? "# " : "#");
		buf_addstr(out, line);
		buf_addc(out, '\n');
	}
}

struct str comment_read(struct arena *a, struct str lines)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct str rest = lines, line;

	while (str_next_line(&rest, &line)) {
		if (b.n || line.p != lines.p)
			buf_addc(&b, '\n');
		if (str_has_prefix(line, STR("# ")))
			line = str_sub(line, 2, line.n);
		else if (str_has_prefix(line, STR("#")))
			line = str_sub(line, 1, line.n);
		buf_addstr(&b, line);
	}
	return arena_str(a, buf_str(&b));
}
