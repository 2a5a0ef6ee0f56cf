#include "flow/jobfile.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "flow/jobenv.h"
#include "flow/plug.h"

/* ---- which files are code ---- */

struct scan {
	struct jobs *js;
	struct job_entry *en;
	struct str dir;
	const char *label;
	struct jobfile_list *out;
};

static bool is_code(const struct dir_entry *d)
{
	if (!strncmp(d->name, "README", 6) || !strcmp(d->name, "__pycache__"))
		return false;
	return d->depth > 1 || (strcmp(d->name, "tests") && strcmp(d->name, "job.yaml"));
}

static int visit(const struct dir_entry *d, void *ptr, struct err *e)
{
	struct scan *s = ptr;
	struct arena *a = s->js->arena;
	struct job_code f = {.path = arena_strf(a, "%.*s/%s", STR_ARG(s->dir), d->path)};
	struct stat st;

	if (!is_code(d))
		return DIR_SKIP;
	if (d->type == DIR_FILE) {
		f.label = arena_strf(a, "%s%s", s->label, d->path);
	} else {
		if (jobcache_node(s->js, s->en, f.path, &st))
			return DIR_SKIP; /* a dangling link, or gone meanwhile: the folder's own stat tells next time */
		if (d->type == DIR_FOLDER)
			return DIR_GO;
		if (d->type == DIR_LINK && S_ISDIR(st.st_mode)) {
			err_set(e, ERR_BAD_CONFIG, "%.*s is a link to a folder, which is not followed",
				STR_ARG(f.path));
			return err_hint(e, "name the folder it leads to in the job's `code:`");
		}
		if (!S_ISREG(st.st_mode))
			return DIR_SKIP;
		f.label = arena_strf(a, "%s%s", s->label, d->path);
	}
	if (s->out->files.n == JOB_MAX_CODE_FILES) {
		err_set(e, ERR_LIMIT, "%.*s has more than %d files", STR_ARG(s->dir), JOB_MAX_CODE_FILES);
		return err_hint(e, "data does not lie in a job's folder: put it into a repo with `leat put`");
	}
	vec_push(a, &s->out->files, f);
	return DIR_GO;
}

int jobfile_scan(struct jobs *js, struct job_entry *en, struct str dir, const char *label, struct jobfile_list *out,
                 struct err *e)
{
	struct scan s = {js, en, dir, label, out};

	if (jobcache_node(js, en, dir, NULL))
		return err_errno(e, errno, "cannot look at %.*s", STR_ARG(dir));
	return dir_walk(arena_printf(js->arena, "%s/%.*s", js->ws->dir, STR_ARG(dir)),
			DIR_NO_STAT | DIR_SKIP_DOT | DIR_GONE_OK,
	                visit, &s, e);
}

static const struct job_code *find(const struct jobfile_list *l, struct str label)
{
	for (size_t i = 0; i < l->files.n; i++)
		if (str_eq(l->files.p[i].label, label))
			return &l->files.p[i];
	return NULL;
}

bool jobfile_has(const struct jobfile_list *l, const char *label)
{
	return find(l, str_of(label)) != NULL;
}

/* ---- what `code:` names ---- */

/* Adds a file or a folder's files by its path from the job's folder, unless they are there already. */
static int add_named(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l, const struct dom *v,
                     struct str *label, struct err *e)
{
	struct arena *a = js->arena;
	char *rel = path_clean(a, arena_cstr(a, v->s));
	struct job_code f = {.path = str_of(path_clean(a, arena_printf(a, "%.*s/%s", STR_ARG(j->dir), rel))),
		.label = str_of(rel)};
	struct stat st;

	*label = f.label;
	if (find(l, f.label))
		return 0;
	if (str_is(f.path, "..") || str_has_prefix(f.path, STR("../"))) {
		err_set(e, ERR_BAD_CONFIG, "code: %.*s lies outside of the workspace", STR_ARG(v->s));
		return job_at(e, j, v->line, v->col);
	}
	if (jobcache_node(js, en, f.path, &st)) {
		err_set(e, ERR_BAD_CONFIG, "code: there is no %.*s", STR_ARG(f.path));
		return job_at(e, j, v->line, v->col);
	}
	if (S_ISDIR(st.st_mode))
		return jobfile_scan(js, en, f.path, arena_printf(a, "%s/", rel), l, e);
	vec_push(a, &l->files, f);
	return 0;
}

/* The standard main file of the kind that is there. */
static const struct job_code *standard_main(const struct job *j, const struct jobfile_list *l)
{
	const struct job_code *f = NULL;

	for (const char *const *name = j->kind->code_names; name && *name && !f; name++)
		f = find(l, str_of(*name));
	return f;
}

static int named_code(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l, struct str *main,
                      struct err *e)
{
	const struct job_code *std = standard_main(j, l);
	const struct dom *code = dom_get(j->doc, "code");
	struct str label = STR_NULL;

	*main = std ? std->label : STR_NULL;
	if (code && code->type == DOM_STR) {
		if (add_named(js, en, j, l, code, main, e))
			return -1;
		if (!find(l, *main)) {
			err_set(e, ERR_BAD_CONFIG, "code: %.*s is a folder, not a file to run", STR_ARG(code->s));
			return job_at(e, j, code->line, code->col);
		}
	} else if (code) {
		dom_each(v, code) {
			if (add_named(js, en, j, l, v, &label, e))
				return -1;
			if (!main->p && find(l, label))
				*main = label;
		}
	}
	return 0;
}

/* What its jobs share lies in python/ and config/, and is code of each of them. */
static int shared_code(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l, struct str main,
                       struct err *e)
{
	const struct job_code config[] = {{.path = STR(JOBFILE_STARTUP), .label = STR(JOB_STARTUP)},
	                                  {.path = STR(JOBFILE_SPARK), .label = STR(JOB_SPARK)}};
	bool python = j->kind->imports && j->kind->imports(j, main);
	struct stat st;

	for (size_t i = 0; python && j->kind->begins_with_startup && i < ARRAY_LEN(config); i++)
		if (!jobcache_node(js, en, config[i].path, &st) && S_ISREG(st.st_mode))
			vec_push(js->arena, &l->files, config[i]);
	if (!python || jobcache_node(js, en, STR(JOBFILE_SHARED), &st) || !S_ISDIR(st.st_mode))
		return 0;
	return jobfile_scan(js, en, STR(JOBFILE_SHARED), JOB_SHARED_CODE "/", l, e);
}

/* ---- hashing ---- */

static int by_label(const void *a, const void *b)
{
	return str_cmp(((const struct job_code *)a)->label, ((const struct job_code *)b)->label);
}

static int hash_file(struct jobs *js, struct job_entry *en, struct job_code *f, struct err *e)
{
	uint64_t size;
	struct stat st;

	if (jobcache_node(js, en, f->path, &st)) /* before it is read, so that a change meanwhile is seen next time */
		return err_errno(e, errno, "cannot read %.*s", STR_ARG(f->path));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD_CONFIG, "%.*s is no plain file (a socket, pipe or device)", STR_ARG(f->path));
	if (file_sha(arena_printf(js->arena, "%s/%.*s", js->ws->dir, STR_ARG(f->path)), &f->sha, &size, e))
		return -1;
	js->stats.files++;
	f->size = (int64_t)size;
	return 0;
}

int jobfile_code(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l, struct str body,
                 struct err *e)
{
	struct str main;
	struct sha_ctx c;
	bool by_meaning = str_is(j->kind_name, "sql");

	if (named_code(js, en, j, l, &main, e) || shared_code(js, en, j, l, main, e) ||
	    jobenv_files(js, en, j, l, main, e))
		return -1;
	if (l->files.n)
		qsort(l->files.p, l->files.n, sizeof(*l->files.p), by_label);
	sha_init(&c);
	for (size_t i = 0; i < l->files.n; i++) {
		struct job_code *f = &l->files.p[i];
		bool is_main = main.p && str_eq(f->label, main);

		if (hash_file(js, en, f, e))
			return -1;
		if (is_main)
			j->main_file = f->path;
		if (is_main && by_meaning)
			continue;
		sha_field(&c, is_main ? STR("main") : STR("file"));
		sha_field(&c, f->label);
		if (is_main && body.p) {
			struct sha own = sha_of(body.p, body.n);

			sha_add(&c, &own, sizeof(own));
		} else {
			sha_add(&c, &f->sha, sizeof(f->sha));
		}
	}
	j->files_id = sha_end(&c);
	j->code = l->files.p;
	j->n_code = l->files.n;
	return 0;
}

/* ---- the key block of a job of one file ---- */

/* "kind: sql" → "kind". */
static bool key_of_line(struct str line, struct str *key)
{
	struct str rest;

	if (!str_cut(line, ':', key, &rest) || (rest.n && rest.p[0] != ' ' && rest.p[0] != '\t' && rest.p[0] != '\r'))
		return false;
	return keys_is_ident(*key);
}

/* A known key, or one that was meant: then the check says so. */
static bool is_key(struct str word, const struct keys *const *tables, size_t n)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			struct str name = str_of(tables[t]->rows[i].name);

			if (!tables[t]->rows[i].section[0] && (str_eq(name, word) || str_nearest(word, &name, 1) == 0))
				return true;
		}
	return false;
}

bool jobfile_block(struct arena *a, struct str text, bool sql, const struct keys *const *tables, size_t n_tables,
                   struct str *yaml, size_t *from, size_t *to)
{
	struct str rest = text, line, key, mark = sql ? STR("--") : STR("#");
	char *out = arena_alloc(a, text.n + 1);
	size_t n = 0;
	bool in = false;

	while (true) {
		size_t at = (size_t)(rest.p - text.p), skip = 0;

		if (!str_next_line(&rest, &line))
			break;
		if (at == 0 && str_has_prefix(line, STR("\xef\xbb\xbf")))
			skip = 3;
		struct str comment = str_sub(line, skip, line.n);
		bool is_comment = str_has_prefix(comment, mark);
		struct str content = is_comment ? str_sub(comment, mark.n, comment.n) : STR_NULL;
		bool empty = !str_trim(content).n;

		if (!is_comment && (in || str_trim(comment).n))
			break;
		if (in && empty)
			break; /* what follows an empty comment line is an ordinary comment */
		if (!in && is_comment && key_of_line(str_trim(content), &key) && is_key(key, tables, n_tables)) {
			in = true;
			*from = at;
		}
		if (in) {
			memset(out + n, ' ', mark.n);
			memcpy(out + n + mark.n, content.p, content.n);
			n += mark.n + content.n;
			*to = (size_t)(rest.p - text.p);
		}
		out[n++] = '\n';
		if (!rest.n)
			break;
	}
	*yaml = (struct str){out, n};
	return in;
}
