#include "note/metrics.h"

#include "base/str.h"
#include "note/notebook.h"
#include "sys/file.h"

#define FILE_MAX ((size_t)16 << 20)

void metrics_init(struct metrics *m, struct arena *a)
{
	*m = (struct metrics){.a = a, .all = dom_new(a, DOM_MAP)};
	for (int i = 0; i < 2; i++)
		buf_init(&m->line[i], METRIC_LINE_MAX);
}

void metrics_free(struct metrics *m)
{
	for (int i = 0; i < 2; i++)
		buf_free(&m->line[i]);
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '=')
			return false;
	return s.n > 0 && s.n <= 200;
}

static void set(struct metrics *m, struct str name, const struct dom *value)
{
	struct dom *old, *v;

	if (!is_word(name) || !value || value->type == DOM_LIST || value->type == DOM_MAP || value->type == DOM_NULL)
		return;
	v = value->type == DOM_STR ? dom_new_str(m->a, value->s) : dom_copy(m->a, value);
	v->raw = STR_NULL;
	old = dom_get(m->all, arena_cstr(m->a, name));
	if (old) {
		v->key = old->key;
		v->next = old->next;
		*old = *v;
	} else if (m->all->n < METRICS_MAX) {
		dom_set(m->a, m->all, arena_cstr(m->a, name), v);
	}
}

static void take_line(struct metrics *m, struct str line)
{
	struct str mark = STR("::metric "), name, value;

	if (str_has_prefix(line, mark) && str_cut(str_sub(line, mark.n, line.n), '=', &name, &value))
		set(m, str_trim(name), dom_new_plain(m->a, str_trim(value)));
}

void metrics_stream(struct metrics *m, bool err, struct str text)
{
	struct buf *b = &m->line[err];

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		/* most lines are none of ours: they are not even copied */
		if (b->n || !end || text.p[0] == ':')
			buf_add(b, text.p, n);
		if (end && b->n && !buf_over(b))
			take_line(m, buf_str(b));
		if (end)
			buf_reset(b);
		text = str_sub(text, n + (end != NULL), text.n);
	}
}

static void take_document(struct metrics *m, const struct dom *d)
{
	const struct dom *name = dom_get(d, "name");

	if (name && name->type == DOM_STR)
		set(m, name->s, dom_get(d, "value"));
}

void metrics_output(struct metrics *m, const struct dom *output)
{
	const struct dom *v = dom_get(dom_get(output, "data"), METRIC_MIME);
	struct str text = notebook_text(m->a, v);
	struct err e = ERR_INIT;
	struct dom *d;

	if (!v)
		return;
	if (!text.p)
		take_document(m, v);
	else if (!dom_json(m->a, text, METRIC_MIME, &d, &e))
		take_document(m, d);
}

void metrics_file(struct metrics *m, const char *path)
{
	struct err e = ERR_INIT;
	struct str text, line;
	struct dom *d;

	if (!file_exists(path) || file_read_plain(m->a, path, FILE_MAX, &text, &e))
		return;
	while (str_next_line(&text, &line))
		if (!dom_json(m->a, line, METRIC_VARIABLE, &d, &e))
			take_document(m, d);
		else
			err_clear(&e);
}
