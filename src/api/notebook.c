/* notebook: notebooks between their forms. */
#include <stdio.h>

#include "api/notebook_diff.h"
#include "base/str.h"
#include "note/html.h"
#include "note/notebook.h"
#include "sys/fd.h"
#include "sys/file.h"

static const struct {
	const char *word;
	enum notebook_form form;
} forms[] = {
	{"ipynb", NOTEBOOK_IPYNB},
	{"py", NOTEBOOK_PERCENT},
	{"percent", NOTEBOOK_PERCENT},
	{"codecell", NOTEBOOK_CODECELL},
	{"sql", NOTEBOOK_SQL},
};

static int form_of_word(struct str word, enum notebook_form *out, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (str_is(word, forms[i].word)) {
			*out = forms[i].form;
			return 0;
		}
	err_set(e, ERR_BAD_REQUEST, "--to %s is no form of a notebook", STR_SHOWN(word));
	return err_hint(e, "ipynb, py (cells that begin with `# %%%%`), sql (`-- %%%%`), codecell or html");
}

/* As a page: what it holds, not how it was run. */
static void write_page(struct arena *a, const struct notebook *nb, struct str name, struct buf *out)
{
	struct html_page p = {.title = name, .facts = STR("")};

	html_begin(out, &p);
	for (size_t i = 0; i < nb->n; i++)
		html_cell(a, out, &p, &nb->cells[i], &(struct html_cell){.number = i + 1, .ms = -1});
}

/* The form to write: as --to says, else by the name of what is written, else the other of the two. */
static int form_to_write(const struct args *args, enum notebook_form from, enum notebook_form *out, bool *page,
                         struct err *e)
{
	struct str to = args_value(args, "to"), file = args_pos(args, 2);

	*page = to.p ? str_is(to, "html") : str_has_suffix(file, STR(".html"));
	if (*page)
		return 0;
	if (to.p)
		return form_of_word(to, out, e);
	if (file.p && !str_is(file, "-"))
		return notebook_form(file, STR(""), out, e);
	*out = from == NOTEBOOK_IPYNB ? NOTEBOOK_PERCENT : NOTEBOOK_IPYNB;
	return 0;
}

static int convert(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct str name = args_pos(args, 1), to = args_pos(args, 2), text;
	enum notebook_form from, form = NOTEBOOK_IPYNB;
	struct notebook nb;
	const char *path;
	bool page;

	if (!name.p)
		return err_set(e, ERR_BAD_REQUEST, "convert asks for a notebook");
	path = arena_cstr(a, name);
	if (file_read(a, path, NOTEBOOK_BYTES_MAX, &text, e) || notebook_form(name, text, &from, e) ||
	    form_to_write(args, from, &form, &page, e) || notebook_read(a, text, path, from, &nb, e))
		return -1;
	if (page)
		write_page(a, &nb, name, &b);
	else
		notebook_write(a, &nb, form, &b);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%s would be larger than %zu bytes", path, NOTEBOOK_BYTES_MAX);
	if (!to.p || str_is(to, "-"))
		return out->bytes(out->ptr, buf_str(&b), e);
	if (file_replace(arena_cstr(a, to), buf_str(&b), 0644, args_flag(args, "force") ? 0 : FILE_EXCL, e)) {
		if (e->code == ERR_CONFLICT)
			err_hint(e, "--force replaces it");
		return -1;
	}
	sink_note(out, "%zu cells of %s are in %.*s", nb.n, path, STR_ARG(to));
	return 0;
}

int api_notebook(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0);

	if (str_is(what, "convert"))
		return convert(api, args, out, e);
	if (str_is(what, "diff"))
		return api_open(api, OP_W | OP_R, e) ? -1 : notebook_diff(api, args, out, e);
	err_set(e, ERR_BAD_REQUEST, "notebook does not know %s", STR_SHOWN(what));
	return err_hint(e, "leat notebook convert FILE [FILE], leat notebook diff RUN RUN");
}
