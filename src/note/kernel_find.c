/*
 * Where kernels are described: NAME/kernel.json in the folders of "Making kernels for Jupyter" (jupyter-client's
 * documentation), first found wins.
 */
#include <stdio.h>

#include "base/str.h"
#include "note/kernel_in.h"
#include "sys/file.h"

#define SPEC_MAX ((size_t)1 << 20)
#define FOLDERS_MAX 64
#define KERNELS_MAX 200

static const struct {
	const char *name, *language, *how;
	bool tcp_only;
} known[] = {
#define K(name, language, how, tcp_only) {name, language, how, tcp_only},
#include "defs/kernels.def"
#undef K
};

bool kernel_tcp_only(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].tcp_only;
	return false;
}

struct folders {
	const char *p[FOLDERS_MAX];
	size_t n;
};

static void add_folder(struct arena *a, struct folders *f, const char *at, const char *below)
{
	if (at && *at && f->n < FOLDERS_MAX)
		f->p[f->n++] = path_join(a, at, below);
}

static void list_folders(struct arena *a, const struct kernel_where *w, struct folders *f)
{
	struct str rest = str_of(w->jupyter_path ? w->jupyter_path : ""), one;

	while (rest.n) {
		if (!str_cut(rest, ':', &one, &rest)) {
			one = rest;
			rest = STR_NULL;
		}
		add_folder(a, f, arena_cstr(a, one), "kernels");
	}
	add_folder(a, f, w->home, ".local/share/jupyter/kernels");
	for (size_t i = 0; w->prefixes && w->prefixes[i]; i++)
		add_folder(a, f, w->prefixes[i], "share/jupyter/kernels");
	add_folder(a, f, "/usr/local", "share/jupyter/kernels");
	add_folder(a, f, "/usr", "share/jupyter/kernels");
}

static int bad(const char *file, const struct dom *at, struct err *e, const char *what)
{
	err_set(e, ERR_BAD_CONFIG, "%s", what);
	return err_at(e, file, at ? at->line : 0, at ? at->col : 0);
}

static int read_argv(struct arena *a, const char *file, const struct dom *v, struct kernel_spec *out, struct err *e)
{
	size_t n = 0;

	if (!v || v->type != DOM_LIST || !v->n || v->n > KERNEL_ARGS_MAX)
		return bad(file, v, e, "argv is not the list of words of a command");
	dom_each(word, v) {
		if (word->type != DOM_STR || strlen(word->s.p) != word->s.n)
			return bad(file, word, e, "a word of argv is not a string");
		out->argv[n++] = arena_cstr(a, word->s);
	}
	return 0;
}

static const char *word_at(struct arena *a, const struct dom *map, const char *key, const char *absent)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR ? arena_cstr(a, v->s) : absent;
}

/* 1 = read, 0 = there is none. */
static int read_spec(struct arena *a, const char *folder, const char *name, struct kernel_spec *out, struct err *e)
{
	char *file = arena_printf(a, "%s/%s/kernel.json", folder, name);
	struct kernel_spec spec = {.name = name, .folder = path_dir(a, file)};
	struct dom *d;
	struct str text;

	if (!file_exists(file))
		return 0;
	if (file_read_plain(a, file, SPEC_MAX, &text, e) || dom_json(a, text, file, &d, e) ||
	    read_argv(a, file, dom_get(d, "argv"), &spec, e))
		return -1;
	spec.display = word_at(a, d, "display_name", name);
	spec.language = word_at(a, d, "language", "");
	spec.interrupt_by_message = !strcmp(word_at(a, d, "interrupt_mode", "signal"), "message");
	spec.env = dom_get(d, "env");
	if (spec.env && spec.env->type != DOM_MAP)
		return bad(file, spec.env, e, "env is not a map of variables");
	*out = spec;
	return 1;
}

/* The first in the folder that speaks the language, and the names of all for the message. */
static int find_language(struct arena *a, const char *folder, const char *language, struct kernel_spec *out,
                         struct folders *names, struct err *e)
{
	struct dir_names in;

	if (!dir_exists(folder))
		return 0;
	if (dir_list(a, folder, &in, e))
		return -1;
	for (size_t i = 0; i < in.n && i < KERNELS_MAX; i++) {
		struct kernel_spec spec;
		struct err unread = ERR_INIT; /* another's fault is not this one's */

		if (read_spec(a, folder, in.p[i], &spec, &unread) != 1)
			continue;
		if (names->n < FOLDERS_MAX)
			names->p[names->n++] = in.p[i];
		if (language && str_ieq(str_of(language), str_of(spec.language))) {
			*out = spec;
			return 1;
		}
	}
	return 0;
}

static int not_found(struct arena *a, const char *name, const char *language, const struct folders *names,
                     struct err *e)
{
	const char *there = "";

	for (size_t i = 0; i < names->n; i++)
		there = arena_printf(a, "%s%s%s", there, i ? ", " : "", names->p[i]);
	err_set(e, ERR_NO_LIBRARY, "no Jupyter kernel %s%s%s%s is installed; there is %s", name ? name : "",
	        name && language ? " nor one " : "", language ? "for " : "", language ? language : "",
	        *there ? there : "none");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if ((name && !strcmp(known[i].name, name)) ||
		    (language && str_ieq(str_of(known[i].language), str_of(language))))
			return err_hint(e, "%s", known[i].how);
	return -1;
}

int kernel_find(struct arena *a, const struct kernel_where *w, const char *name, const char *language,
                struct kernel_spec *out, struct err *e)
{
	struct folders f = {.n = 0}, names = {.n = 0};
	int rc = 0;

	if (name && (strchr(name, '/') || name[0] == '.'))
		return err_set(e, ERR_BAD_NAME, "%s cannot be the name of a kernel", name);
	list_folders(a, w, &f);
	for (size_t i = 0; name && i < f.n && !rc; i++)
		rc = read_spec(a, f.p[i], name, out, e);
	for (size_t i = 0; i < f.n && !rc; i++)
		rc = find_language(a, f.p[i], language, out, &names, e);
	if (!rc)
		return not_found(a, name, language, &names, e);
	return rc < 0 ? -1 : 0;
}
