/* notebook: notebooks between their forms. */
#include <stdio.h>

#include "api/jupyter.h"
#include "api/notebook_diff.h"
#include "api/spot.h"
#include "base/str.h"
#include "note/html.h"
#include "note/notebook.h"
#include "repo/blob.h"
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

/* --- one opened in Jupyter --- */

struct opened {
	struct api *api;
	const struct args *args;
	struct sink *out;
	const char *path;          /* of the user's file */
	struct str was, name;      /* its bytes; what it is called in out/ */
	struct str given;          /* the bytes that Jupyter was given: of a .py as .ipynb */
	enum notebook_form form;
};

/* As the user's file has it; *same: nothing was changed but what such a file cannot hold. */
static int as_file(struct opened *o, struct str saved, struct str *out, bool *same, struct err *e)
{
	struct arena *a = o->api->arena;
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct buf before cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct notebook nb, old;

	*out = saved;
	*same = str_eq(saved, o->given);
	if (*same || o->form == NOTEBOOK_IPYNB)
		return 0;
	if (notebook_read(a, saved, "what Jupyter saved", NOTEBOOK_IPYNB, &nb, e) ||
	    notebook_read(a, o->given, "what Jupyter was given", NOTEBOOK_IPYNB, &old, e))
		return -1;
	nb.metadata = old.metadata; /* Jupyter writes its kernel's own into it */
	notebook_write(a, &nb, o->form, &b);
	notebook_write(a, &old, o->form, &before);
	*out = arena_str(a, buf_str(&b));
	*same = str_eq(*out, buf_str(&before));
	return 0;
}

static const char *beside(struct arena *a, const char *path)
{
	const char *ext = path_ext(path);

	return arena_printf(a, "%.*s.from-jupyter%s", (int)(strlen(path) - strlen(ext)), path, ext);
}

/* What was saved goes into the user's file, unless that was changed meanwhile. */
static int write_back(void *ptr, struct str repo, struct err *e)
{
	struct opened *o = ptr;
	struct arena *a = o->api->arena;
	struct str saved, made, now = STR_NULL;
	struct spot s;
	struct err gone = ERR_INIT;
	const char *to = o->path;
	bool same;

	saved = arena_strf(a, "%.*s:/%.*s", STR_ARG(repo), STR_ARG(o->name));
	if (spot_find(o->api, o->args, saved, false, &s, &gone)) {
		sink_note(o->out, "%s stands as it was: out/%.*s is no more", o->path, STR_ARG(o->name));
		return 0;
	}
	if (blob_bytes(o->api->store, &s.entry.id, a, NOTEBOOK_BYTES_MAX, &saved, e) ||
	    as_file(o, saved, &made, &same, e))
		return -1;
	if (same) {
		sink_note(o->out, "%s stands as it was: nothing of it was changed", o->path);
		return 0;
	}
	if (file_read(a, o->path, NOTEBOOK_BYTES_MAX, &now, &gone) || !str_eq(now, o->was))
		to = beside(a, o->path);
	if (file_replace(to, made, 0644, 0, e))
		return -1;
	if (to == o->path)
		sink_note(o->out, "%s is as it was saved in Jupyter", o->path);
	else
		sink_note(o->out, "%s was changed meanwhile: what was saved in Jupyter is %s", o->path, to);
	return 0;
}

static int open_in_jupyter(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	char *path;
	struct opened o = {.api = api, .args = args, .out = out};
	struct jupyter_file file = {.ended = write_back, .ptr = &o};
	struct notebook nb;
	const char *name;

	if (path_absolute(a, arena_cstr(a, args_pos(args, 0)), &path, e) ||
	    file_read(a, path, NOTEBOOK_BYTES_MAX, &o.was, e) || notebook_form(str_of(path), o.was, &o.form, e))
		return -1;
	name = path_base(a, path);
	o.path = arena_cstr(a, args_pos(args, 0));
	o.given = o.was;
	if (o.form != NOTEBOOK_IPYNB) {
		if (notebook_read(a, o.was, o.path, o.form, &nb, e))
			return -1;
		notebook_write(a, &nb, NOTEBOOK_IPYNB, &b);
		o.given = arena_str(a, buf_str(&b));
		name = arena_printf(a, "%.*s.ipynb", (int)(strlen(name) - strlen(path_ext(name))), name);
	}
	o.path = path;
	o.name = file.name = str_of(name);
	file.text = o.given;
	return api_open(api, OP_W, e) ? -1 : jupyter_session(api, args, &file, out, e);
}

int api_notebook(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str what = args_pos(args, 0);

	if (str_is(what, "convert"))
		return convert(api, args, out, e);
	if (str_is(what, "diff"))
		return api_open(api, OP_W | OP_R, e) ? -1 : notebook_diff(api, args, out, e);
	if (file_exists(arena_cstr(api->arena, what)))
		return open_in_jupyter(api, args, out, e);
	err_set(e, ERR_BAD_REQUEST, "notebook does not know %s", STR_SHOWN(what));
	return err_hint(e, "leat notebook convert FILE [FILE], leat notebook diff RUN RUN, leat notebook FILE");
}
