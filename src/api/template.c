/* Templates: which there are, what they ask for, and what they give (api/template.h). */
#include "api/template.h"

#include "api/embedded.h"
#include "base/name.h"
#include "base/str.h"
#include "base/tmpl.h"
#include "sys/file.h"

#define OURS "jobs/"
#define ABOUT "template.yaml"
#define ABOUT_DSFLOW "template_specs.yaml"
#define IN_WORKSPACE "workspace/"
#define FILES_MAX 500
#define FILE_MAX ((size_t)8 << 20)

static struct str text_of(struct arena *a, const struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type != DOM_MAP && v->type != DOM_LIST && v->type != DOM_NULL ? dom_text(a, v) : STR_NULL;
}

/* --- which there are --- */

static int kind_of(struct arena *a, const struct template *t, const struct dom *v, enum template_kind *out,
                   struct err *e)
{
	static const struct {
		const char *word;
		enum template_kind kind;
	} words[] = {
		{"text", TEMPLATE_TEXT}, {"prompt", TEMPLATE_TEXT}, {"confirm", TEMPLATE_CONFIRM},
		{"repo", TEMPLATE_REPO}, {"table", TEMPLATE_TABLE}, {"word", TEMPLATE_WORD},
	};
	struct str type = text_of(a, v, "type");

	*out = TEMPLATE_TEXT;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(type, words[i].word)) {
			*out = words[i].kind;
			return 0;
		}
	if (!type.p)
		return 0;
	err_set(e, ERR_BAD_CONFIG, "type: %s is none of prompt, confirm, repo, table, word", STR_SHOWN(type));
	return err_at(e, t->file, v->line, v->col);
}

/* values: {x: {...}} as we write it, parameters: or template_parameters: [{name: x, ...}] as dsflow does. */
static int read_values(struct arena *a, struct template *t, struct err *e)
{
	const struct dom *list = dom_get(t->about, "values");
	VEC(struct template_value) v = {0};

	if (!list)
		list = dom_get(t->about, "template_parameters");
	if (!list)
		list = dom_get(t->about, "parameters");
	if (list && list->type != DOM_MAP && list->type != DOM_LIST && list->type != DOM_NULL) {
		err_set(e, ERR_BAD_CONFIG, "what a template asks for is a map or a list");
		return err_at(e, t->file, list->line, list->col);
	}
	dom_each (one, list && list->type != DOM_NULL ? list : NULL) {
		struct template_value value = {
			.name = list->type == DOM_MAP ? one->key : text_of(a, one, "name"),
			.also = text_of(a, one, "also"), .text = text_of(a, one, "text"),
			.fallback = text_of(a, one, "default"),
		};
		const struct dom *word = dom_get(one, "word");

		value.word = word && word->type == DOM_BOOL && word->b;
		if (!value.name.n) {
			err_set(e, ERR_BAD_CONFIG, "what a template asks for needs a name");
			return err_at(e, t->file, one->line, one->col);
		}
		if (kind_of(a, t, one, &value.kind, e))
			return -1;
		if (value.kind == TEMPLATE_CONFIRM && !value.fallback.p)
			value.fallback = STR("no");
		vec_push(a, &v, value);
	}
	t->values = v.p;
	t->n_values = v.n;
	return 0;
}

static int read_about(struct arena *a, struct template *t, struct str text, struct err *e)
{
	struct dom *doc;

	if (dom_yaml(a, text, t->file, &doc, e))
		return -1;
	t->about = doc;
	t->text = text_of(a, doc, "text");
	if (!t->text.p)
		t->text = text_of(a, doc, "description");
	t->also = text_of(a, doc, "also");
	t->prefix = text_of(a, doc, "job_name_prefix");
	t->next = text_of(a, doc, "next");
	return read_values(a, t, e);
}

/* A folder with a description is a template; others are passed by. */
static int users(struct arena *a, const char *root, struct str shown, struct template **list, size_t *n, size_t *cap,
                 struct err *e)
{
	struct dir_names names = {0};
	struct str text;

	if (!dir_exists(root))
		return 0;
	if (dir_list(a, root, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct template t = {.name = arena_str(a, str_of(names.p[i])), .dir = path_join(a, root, names.p[i])};
		const char *about = path_join(a, t.dir, ABOUT), *dsflow = path_join(a, t.dir, ABOUT_DSFLOW);

		if (names.p[i][0] == '.' || !dir_exists(t.dir))
			continue;
		t.dsflow = !file_exists(about) && file_exists(dsflow);
		if (!t.dsflow && !file_exists(about))
			continue;
		t.file = arena_printf(a, "%.*s/%s/%s", STR_ARG(shown), names.p[i], t.dsflow ? ABOUT_DSFLOW : ABOUT);
		if (file_read_plain(a, t.dsflow ? dsflow : about, FILE_MAX, &text, e) || read_about(a, &t, text, e))
			return -1;
		if (!t.text.n)
			t.text = arena_strf(a, "%.*s/%s", STR_ARG(shown), names.p[i]);
		if (*n == *cap)
			*list = arena_grow(a, *list, cap, *n, sizeof(t));
		(*list)[(*n)++] = t;
	}
	return 0;
}

int templates_all(struct arena *a, const char *dir, struct template **out, size_t *n, struct err *e)
{
	static const char *const roots[] = {"templates", "templates/jobs", "dsflow/templates/jobs"};
	VEC(struct template) v = {0};

	for (size_t i = 0; i < n_embedded_files; i++) {
		const struct embedded *f = &embedded_files[i];
		struct str path = str_of(f->path), name, file;
		struct template t = {.file = f->path};

		if (!str_has_prefix(path, STR(OURS)) ||
		    !str_cut(str_sub(path, strlen(OURS), path.n), '/', &name, &file) || !str_is(file, ABOUT))
			continue;
		t.name = name;
		if (read_about(a, &t, (struct str){f->data, f->n}, e))
			return -1;
		vec_push(a, &v, t);
	}
	for (size_t i = 0; dir && i < ARRAY_LEN(roots); i++)
		if (users(a, path_join(a, dir, roots[i]), str_of(roots[i]), &v.p, &v.n, &v.cap, e))
			return -1;
	*out = v.p;
	*n = v.n;
	return 0;
}

int template_find(struct arena *a, const char *dir, struct str name, struct template *out, struct err *e)
{
	struct template *all;
	struct str *names;
	size_t n;

	if (templates_all(a, dir, &all, &n, e))
		return -1;
	for (size_t i = n; i-- > 0;) /* a user's own wins */
		if (str_eq(all[i].name, name)) {
			*out = all[i];
			return 0;
		}
	for (size_t i = 0; i < n; i++)
		if (all[i].also.n && str_eq(all[i].also, name)) {
			*out = all[i];
			return 0;
		}
	names = arena_array(a, struct str, 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		names[2 * i] = all[i].name;
		names[2 * i + 1] = all[i].also.n ? all[i].also : all[i].name;
	}
	err_set(e, ERR_BAD_REQUEST, "there is no template '%s'", STR_SHOWN(name));
	return keys_hint_nearest(e, name, names, 2 * n);
}

/* --- what they give --- */

struct str template_named(struct arena *a, struct str text, struct str job, struct str given)
{
	struct buf b = BUF_INIT(1 << 20);
	struct str out, rest;

	for (size_t i = 0; i < text.n;) {
		rest = str_sub(text, i, text.n);
		if (str_has_prefix(rest, STR("NAME"))) {
			buf_addstr(&b, job);
			i += 4;
		} else if (str_has_prefix(rest, STR("DATASET"))) {
			buf_addstr(&b, given);
			i += 7;
		} else {
			buf_addc(&b, text.p[i++]);
		}
	}
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

/* Whether the tag that s begins with ({%- word -%}) is that word; its length, else 0. */
static size_t tag(struct str s, const char *word)
{
	size_t i = 2, n = strlen(word);

	if (!str_has_prefix(s, STR("{%")))
		return 0;
	i += i < s.n && s.p[i] == '-';
	while (i < s.n && s.p[i] == ' ')
		i++;
	if (i + n > s.n || memcmp(s.p + i, word, n))
		return 0;
	i += n;
	while (i < s.n && s.p[i] == ' ')
		i++;
	i += i < s.n && s.p[i] == '-';
	return str_has_prefix(str_sub(s, i, s.n), STR("%}")) ? i + 2 : 0;
}

int template_render(struct arena *a, struct str text, const char *file, const struct dom *vars, struct str *out,
                    struct err *e)
{
	struct tmpl_env env = {.vars = vars, .tz = tz_utc(), .mode = TMPL_TEXT};
	struct buf quoted cleanup(buf_free) = BUF_INIT(FILE_MAX * 2);
	struct tmpl_result r;
	bool raw = false;

	/* Our language has no raw: what stands in one becomes quoted braces, so that lines keep their numbers. */
	for (size_t i = 0, n; i < text.n; i += n) {
		struct str rest = str_sub(text, i, text.n);

		n = tag(rest, raw ? "endraw" : "raw");
		if (n) {
			raw = !raw;
		} else if (raw && rest.n > 1 && rest.p[0] == '{' && memchr("{%#", rest.p[1], 3)) {
			buf_addf(&quoted, "{{ '{%c' }}", rest.p[1]);
			n = 2;
		} else {
			buf_addc(&quoted, rest.p[0]);
			n = 1;
		}
	}
	if (buf_over(&quoted))
		return err_set(e, ERR_LIMIT, "%s is larger than %zu MB", file, FILE_MAX >> 20);
	if (tmpl_render(a, buf_str(&quoted), file, &env, &r, e))
		return -1;
	*out = arena_str(a, r.text);
	return 0;
}

struct giving {
	struct arena *a;
	const struct template *t;
	struct str job;
	const struct dom *vars;
	VEC(struct template_made) made;
};

/* Where a file of a template goes; STR_NULL: nowhere. */
static int place(struct giving *g, struct str name, const char *shown, struct str *out, struct err *e)
{
	struct str given = dom_get(g->vars, "dataset")->s;
	char path[NAME_MAX_PATH + 1];
	bool folder;
	size_t n;

	*out = STR_NULL;
	if (str_is(name, ABOUT) || str_is(name, ABOUT_DSFLOW))
		return 0;
	if (!g->t->dir)
		name = template_named(g->a, name, g->job, given);
	else if (template_render(g->a, name, shown, g->vars, &name, e))
		return -1;
	if (str_has_suffix(name, STR(".j2")))
		name.n -= 3;
	name = str_has_prefix(name, STR(IN_WORKSPACE)) ? str_sub(name, strlen(IN_WORKSPACE), name.n)
	                                               : arena_strf(g->a, "jobs/%.*s/%.*s", STR_ARG(g->job),
	                                                            STR_ARG(name));
	if (name_path(name, path, &n, &folder, e))
		return err_at(e, shown, 0, 0);
	*out = arena_str(g->a, (struct str){path, n});
	return 0;
}

static int give(struct giving *g, struct str name, struct str text, const char *shown, bool run, struct err *e)
{
	struct template_made m = {.run = run || str_has_suffix(name, STR(".sh"))};

	if (g->made.n >= FILES_MAX)
		return err_set(e, ERR_LIMIT, "a template has %d files at most", FILES_MAX);
	if (place(g, name, shown, &m.path, e))
		return -1;
	if (!m.path.p)
		return 0;
	m.text = text;
	if (!memchr(text.p, 0, text.n) && template_render(g->a, text, shown, g->vars, &m.text, e))
		return -1;
	if (str_trim(m.text).n || !text.n)
		vec_push(g->a, &g->made, m);
	return 0;
}

static int give_ours(struct giving *g, struct err *e)
{
	struct str prefix = arena_strf(g->a, OURS "%.*s/", STR_ARG(g->t->name));

	for (size_t i = 0; i < n_embedded_files; i++) {
		const struct embedded *f = &embedded_files[i];
		struct str path = str_of(f->path);

		if (str_has_prefix(path, prefix) &&
		    give(g, str_sub(path, prefix.n, path.n), (struct str){f->data, f->n}, f->path, false, e))
			return -1;
	}
	return 0;
}

static int give_users(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct giving *g = ptr;
	struct str text;

	if (entry->type == DIR_FOLDER)
		return DIR_GO;
	if (entry->type != DIR_FILE)
		return DIR_SKIP;
	if (file_read_plain(g->a, path_join(g->a, g->t->dir, entry->path), FILE_MAX, &text, e) ||
	    give(g, arena_str(g->a, str_of(entry->path)), text, path_join(g->a, g->t->dir, entry->path),
	         entry->st.st_mode & 0100, e))
		return -1;
	return DIR_GO;
}

int template_files(struct arena *a, const struct template *t, struct str job, const struct dom *vars,
                   struct template_made **out, size_t *n, struct err *e)
{
	struct giving g = {.a = a, .t = t, .job = job, .vars = vars};

	if (t->dir ? dir_walk(t->dir, DIR_SKIP_DOT, give_users, &g, e) : give_ours(&g, e))
		return -1;
	*out = g.made.p;
	*n = g.made.n;
	return 0;
}
