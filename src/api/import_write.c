/* What an import read, checked together with the jobs that are there, then written: all of it or nothing. */
#include <stdio.h>

#include "api/editor.h"
#include "api/import.h"
#include "api/rows.h"
#include "base/str.h"
#include "flow/graph.h"
#include "job/spec.h"
#include "sys/file.h"

#define SHOWN 40    /* notes that people are shown one by one */
#define NAMED 5     /* files in an error */
#define YAML_MAX (16 * IMPORT_MAX_FILE)

struct target {
	struct import_job *j;
	const char *rel;   /* its folder, from the workspace */
	const char *file;  /* its job.yaml */
	struct str yaml;   /* what that is to hold */
	const char *what;
	struct job *job;   /* as it will be */
};

struct writing {
	struct import *im;
	struct api *api;
	const char *system;
	bool dry, force;
	struct arena *a;
	VEC(struct target) all;
	struct str in_the_way;
	size_t n_in_the_way;
};

/* ---- the text of a job.yaml ---- */

/* Whether a text can stand in YAML as it is, line by line. */
static bool as_block(struct str s)
{
	if (!memchr(s.p, '\n', s.n) || strchr(" \t\n", *s.p) || !str_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7f ||
		    (unsigned char)s.p[i] == 0xc2 || (unsigned char)s.p[i] == 0xe2 || (unsigned char)s.p[i] == 0xef)
			return false; /* NEL, line separators, a byte order mark: quoted, and what begins like them */
	return true;
}

static void one_word(struct writing *w, struct buf *b, struct dom *word)
{
	struct dom *list = dom_new(w->a, DOM_LIST);
	struct str text = word->type == DOM_STR ? word->s : STR(""), line;

	if (!text.n || !as_block(text)) {
		struct buf one cleanup(buf_free) = BUF_INIT(YAML_MAX);

		dom_add(list, dom_copy(w->a, word));
		spec_write_yaml(&one, list);
		buf_addf(b, "  %s", one.p);
		return;
	}
	buf_adds(b, text.p[text.n - 1] == '\n' ? "  - |\n" : "  - |-\n");
	while (str_next_line(&text, &line))
		buf_addf(b, line.n ? "    %.*s\n" : "\n", STR_ARG(line));
}

static void write_key(struct writing *w, struct buf *b, const struct dom *v)
{
	struct dom *map = dom_new(w->a, DOM_MAP);
	bool lines = false;

	if (v->type == DOM_LIST)
		dom_each (word, v)
			lines |= word->type == DOM_STR && word->s.n && as_block(word->s);
	if (lines) {
		buf_addf(b, "%.*s:\n", STR_ARG(v->key));
		dom_each (word, v)
			one_word(w, b, word);
		return;
	}
	dom_set(w->a, map, arena_cstr(w->a, v->key), dom_copy(w->a, v));
	spec_write_yaml(b, map);
}

static struct str new_yaml(struct writing *w, const struct import_job *j)
{
	struct buf b cleanup(buf_free) = BUF_INIT(YAML_MAX);

	buf_adds(&b, EDITOR_JOB_LINE);
	buf_addf(&b, "# From %s, by `leat import %s`: it is yours, change it as you like.\n", path_base(w->a, j->file),
	         w->system);
	/* In the order of the reference, then what only the kind knows. */
	for (size_t i = 0; i < job_keys()->n; i++) {
		const struct key *k = &job_keys()->rows[i];
		const struct dom *v = k->section[0] ? NULL : dom_get(j->doc, k->name);

		if (v)
			write_key(w, &b, v);
	}
	dom_each (v, j->doc)
		if (!keys_find((const struct keys *[]){job_keys()}, 1, "", v->key))
			write_key(w, &b, v);
	return arena_str(w->a, buf_str(&b));
}

static bool in_yaml(const struct job *j)
{
	return !j->single && str_has_suffix(j->file, STR("job.yaml"));
}

/* Where lines [from, to) of a text are, 1-based; to 0: to its end. */
static struct str lines_of(struct str text, int from, int to, size_t *at)
{
	size_t begin = 0, end;
	int line = 1;

	while (begin < text.n && line < from)
		line += text.p[begin++] == '\n';
	for (end = begin; end < text.n && (!to || line < to); end++)
		line += text.p[end] == '\n';
	*at = begin;
	return str_sub(text, begin, end - begin);
}

/* after: is a list that grows; any other key is one value. */
static struct dom *merged(struct writing *w, const struct dom *is, struct dom *add)
{
	struct dom *list;

	if (!str_is(add->key, "after") || !is)
		return add;
	list = dom_new(w->a, DOM_LIST);
	if (is->type == DOM_STR)
		dom_add(list, dom_new_str(w->a, is->s));
	dom_each (n, is->type == DOM_LIST ? is : NULL)
		dom_add(list, dom_new_str(w->a, n->s));
	dom_each (n, add) {
		bool there = false;

		dom_each (o, list)
			there |= str_eq(o->s, n->s);
		if (!there)
			dom_add(list, dom_new_str(w->a, n->s));
	}
	list->key = add->key;
	return list->n == (is->type == DOM_LIST ? is->n : 1) ? (struct dom *)is : list;
}

static bool same_value(struct writing *w, const struct dom *is, const struct dom *v)
{
	const struct dom *cron = v->type == DOM_MAP && is->type == DOM_STR ? dom_get(v, "cron") : NULL;

	(void)w;
	return is == v || dom_equal(is, v) || (cron && v->n == 1 && dom_equal(is, cron));
}

/* The job.yaml of a job that is there, with the keys added; what says otherwise is in the way. */
static int edited_yaml(struct writing *w, struct import_job *j, struct str text, struct str *out, struct err *e)
{
	struct dom *doc;

	if (dom_yaml(w->a, text, j->there->file.p, &doc, e))
		return -1;
	dom_each (v, j->doc) {
		const struct dom *is = doc->type == DOM_MAP ? dom_get(doc, arena_cstr(w->a, v->key)) : NULL;
		struct dom *want = merged(w, is, v);
		struct buf b cleanup(buf_free) = BUF_INIT(YAML_MAX);
		size_t at = text.n;
		struct str old = STR("");

		if (is && same_value(w, is, want))
			continue;
		if (is) {
			old = lines_of(text, is->key_line, is->next ? is->next->key_line : 0, &at);
			if (!str_is(v->key, "after") && !w->force) {
				w->n_in_the_way++;
				w->in_the_way = arena_strf(w->a, "%.*s%s%.*s:%d has another %.*s",
				                           STR_ARG(w->in_the_way),
				                           w->in_the_way.n ? ", " : "", STR_ARG(j->there->file),
				                           is->key_line, STR_ARG(v->key));
				continue;
			}
		}
		write_key(w, &b, want);
		text = arena_strf(w->a, "%.*s%s%.*s%.*s", (int)at, text.p,
		                  at && text.p[at - 1] != '\n' ? "\n" : "", STR_ARG(buf_str(&b)),
		                  (int)(text.n - at - old.n), text.p + at + old.n);
		if (dom_yaml(w->a, text, j->there->file.p, &doc, e))
			return -1;
	}
	*out = text;
	return 0;
}

/* ---- what is in the way ---- */

static bool holds(struct writing *w, const char *path, struct str text)
{
	struct err ignored = ERR_INIT;
	struct str is;

	return file_exists(path) && !file_read_plain(w->a, path, YAML_MAX, &is, &ignored) && str_eq(is, text);
}

/* Looks at one file that is to be written: sets `what` of its job. */
static void look_file(struct writing *w, struct target *t, const char *name, struct str text)
{
	char *rel = arena_printf(w->a, "%s/%s", t->rel, name), *path = path_join(w->a, w->api->ws->dir, rel);

	if (holds(w, path, text))
		return;
	if (file_exists(path)) {
		if (strcmp(t->what, "created") != 0)
			t->what = "updated";
		if (w->force)
			return;
		if (w->n_in_the_way++ < NAMED)
			w->in_the_way = arena_strf(w->a, "%.*s%s%s", STR_ARG(w->in_the_way),
			                           w->in_the_way.n ? ", " : "", rel);
		return;
	}
	if (!strcmp(t->what, "unchanged"))
		t->what = "updated";
}

static int look_new(struct writing *w, struct target *t, struct err *e)
{
	struct import_job *j = t->j;
	const struct job *other = jobs_get(w->api->flow->jobs, j->name);

	t->rel = arena_printf(w->a, "jobs/%.*s", STR_ARG(j->name));
	t->file = arena_printf(w->a, "%s/job.yaml", t->rel);
	if (other && (other->single || !str_is(other->dir, t->rel))) {
		err_set(e, ERR_REFUSED, "there is a job %.*s already: %.*s", STR_ARG(other->name),
		        STR_ARG(other->file));
		return err_hint(e, "rename one of the two");
	}
	t->yaml = new_yaml(w, j);
	t->what = file_exists(path_join(w->a, w->api->ws->dir, t->file)) ? "unchanged" : "created";
	look_file(w, t, "job.yaml", t->yaml);
	for (size_t i = 0; i < j->files.n; i++)
		look_file(w, t, j->files.p[i].name.p, j->files.p[i].text);
	return 0;
}

static int look_there(struct writing *w, struct target *t, struct err *e)
{
	struct import_job *j = t->j;
	struct str text;

	t->rel = arena_cstr(w->a, j->there->dir);
	t->file = j->there->file.p;
	if (!j->doc->n) {
		t->what = "unchanged";
		return 0;
	}
	if (!in_yaml(j->there)) {
		err_set(e, ERR_REFUSED, "%.*s is a job of one file, into which an import writes nothing",
		        STR_ARG(j->there->file));
		return err_hint(e, "make it a folder, %.*s/%.*s/ with job.yaml, and import again",
		                STR_ARG(j->there->dir),
		                STR_ARG(j->name));
	}
	if (file_read_plain(w->a, path_join(w->a, w->api->ws->dir, t->file), JOB_MAX_YAML, &text, e) ||
	    edited_yaml(w, j, text, &t->yaml, e))
		return -1;
	t->what = str_eq(text, t->yaml) ? "unchanged" : "updated";
	return 0;
}

static int refuse(struct writing *w, struct err *e)
{
	if (!w->n_in_the_way || w->dry)
		return 0;
	err_set(e, ERR_REFUSED, "what is there is not overwritten: %.*s%s", STR_ARG(w->in_the_way),
	        w->n_in_the_way > NAMED ? ", ..." : "");
	return w->system ? err_hint(e, "--force writes over it; --dry-run shows what would be written")
	                 : err_hint(e, "change it by hand, or leave that job out");
}

/* The jobs as they would be: a wrong key, a circle, or an output that two write, is told before anything is written. */
static int check_together(struct writing *w, struct err *e)
{
	struct job **with = arena_array(w->a, struct job *, w->all.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < w->all.n; i++)
		if (w->all.p[i].job)
			with[n++] = w->all.p[i].job;
	return graph_try(w->a, w->api->flow->jobs, with, n, e);
}

static int make_job(struct writing *w, struct target *t, struct err *e)
{
	struct dom *doc;

	if (!t->yaml.p || (t->j->there && str_is(t->j->there->kind_name,
	                                         "sql"))) /* what that reads stands in its query */
		return 0;
	return dom_yaml(w->a, t->yaml, t->file, &doc, e) ||
	       job_of_doc(w->a, w->api->ws, w->api->kinds, t->j->name, t->file, doc, &t->job, e);
}

/* ---- writing and telling ---- */

static int write_one(struct writing *w, const struct target *t, struct err *e)
{
	const char *dir = path_join(w->a, w->api->ws->dir, t->rel);

	if (!strcmp(t->what, "unchanged"))
		return 0;
	if (dir_make(dir, 0777, e))
		return -1;
	for (size_t i = 0; !t->j->there && i < t->j->files.n; i++) {
		const struct import_file *f = &t->j->files.p[i];
		const char *path = path_join(w->a, dir, f->name.p);

		if (!holds(w, path, f->text) && file_replace(path, f->text, f->run ? 0777 : 0666, 0, e))
			return -1;
	}
	/* Last: a folder is a job when this stands in it. */
	return file_replace(path_join(w->a, w->api->ws->dir, t->file), t->yaml, 0666, 0, e);
}

static const char *kind_word(enum import_kind k)
{
	return k == IMPORT_UNKNOWN ? "not-understood" : k == IMPORT_OTHER ? "differs" : "left-out";
}

static struct dom *notes_of(struct writing *w, struct str job)
{
	struct dom *list = dom_new(w->a, DOM_LIST);

	for (size_t i = 0; i < w->im->notes.n; i++) {
		const struct import_note *n = &w->im->notes.p[i];
		struct dom *row = dom_new(w->a, DOM_MAP);

		if (job.p ? !n->job.p || !str_eq(n->job, job) : n->job.p != NULL)
			continue;
		dom_set_cstr(w->a, row, "kind", kind_word(n->kind));
		dom_set_cstr(w->a, row, "file", n->file);
		dom_set_int(w->a, row, "line", n->line);
		dom_set_str(w->a, row, "text", n->text);
		dom_add(list, row);
	}
	return list;
}

static int tell(struct writing *w, const struct target *t, struct sink *out, struct err *e)
{
	struct dom *row = dom_new(w->a, DOM_MAP), *after = dom_new(w->a, DOM_LIST);
	const struct import_job *j = t->j;
	struct str names = STR("");

	for (size_t i = 0; i < j->after.n; i++) {
		dom_add(after, dom_new_str(w->a, j->after.p[i]));
		names = arena_strf(w->a, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(j->after.p[i]));
	}
	dom_set_str(w->a, row, "job", j->name);
	dom_set_cstr(w->a, row, "what", t->what);
	dom_set_cstr(w->a, row, "path", t->rel);
	dom_set(w->a, row, "after", out->people ? dom_new_str(w->a, names) : after);
	dom_set_str(w->a, row, "from", j->line ? arena_strf(w->a, "%s:%d", j->file, j->line) : str_of(j->file));
	if (!w->system)
		dom_set_str(w->a, row, "text",
		            arena_strf(w->a, "%s %s%s%.*s", t->what, t->rel, names.n ? ", after " : "",
		                       STR_ARG(names)));
	dom_set_bool(w->a, row, "dry_run", w->dry);
	dom_set(w->a, row, "notes", notes_of(w, j->name));
	return sink_row(out, row, e);
}

static int tell_notes(struct writing *w, struct sink *out, struct err *e)
{
	static const char *const words[] = {"not understood: ", "differs: ", "left out: "};
	const struct import *im = w->im;
	size_t n[3] = {0}, said = 0;

	for (size_t i = 0; i < im->notes.n; i++)
		n[im->notes.p[i].kind]++;
	if (!w->system)
		return 0;
	if (!out->people) {
		struct dom *row = dom_new(w->a, DOM_MAP);

		dom_set(w->a, row, "job", dom_new(w->a, DOM_NULL));
		dom_set(w->a, row, "notes", notes_of(w, STR_NULL));
		dom_set_int(w->a, row, "not_understood", (int64_t)n[IMPORT_UNKNOWN]);
		return sink_row(out, row, e);
	}
	for (int kind = 0; kind < 3; kind++)
		for (size_t i = 0; i < im->notes.n; i++) {
			const struct import_note *note = &im->notes.p[i];
			char line[20] = "";

			if ((int)note->kind != kind || said++ >= SHOWN)
				continue;
			if (note->line)
				snprintf(line, sizeof(line), ":%d", note->line);
			sink_note(out, "%s%s: %s%.*s", note->file, line, words[kind], STR_ARG(note->text));
		}
	if (said > SHOWN)
		sink_note(out, "... and %zu more, which --json has", said - SHOWN);
	if (!n[IMPORT_UNKNOWN])
		sink_note(out, "all of it was understood");
	else
		sink_note(out, "%zu thing%s not understood: look at %s before you run the jobs", n[IMPORT_UNKNOWN],
		          n[IMPORT_UNKNOWN] == 1 ? " was" : "s were", n[IMPORT_UNKNOWN] == 1 ? "it" : "them");
	return 0;
}

static struct str output_of(const struct import_job *j)
{
	const struct dom *v = dom_get(j->doc, "output");

	return v ? v->s : j->there ? j->there->output : j->name;
}

static bool reads(const struct import_job *j, struct str repo)
{
	dom_each (in, dom_get(j->doc, "inputs"))
		if (str_eq(in->type == DOM_MAP ? dom_get(in, "repo")->s : in->s, repo))
			return true;
	for (size_t i = 0; j->there && i < j->there->n_inputs; i++)
		if (str_eq(j->there->inputs[i].repo, repo) && !j->there->inputs[i].pin.p)
			return true;
	return false;
}

/* An order that data give is not said twice; one after a job that is nowhere cannot be. */
static void prune_after(struct writing *w, struct import_job *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->after.n; i++) {
		struct str name = j->after.p[i];
		const struct import_job *first = import_find(w->im, name);
		const struct job *there = jobs_get(w->api->flow->jobs, name);

		if (!first && !there)
			import_note(w->im, IMPORT_UNKNOWN, j->file, j->line, j,
			            "it comes after %.*s, and there is no such job",
			            STR_ARG(name));
		else if (!reads(j, first ? output_of(first) : there->output))
			j->after.p[kept++] = name;
	}
	j->after.n = kept;
}

static void put_after(struct writing *w, struct import_job *j)
{
	struct dom *list = dom_new(w->a, DOM_LIST);

	prune_after(w, j);
	for (size_t i = 0; i < j->after.n; i++)
		dom_add(list, dom_new_str(w->a, j->after.p[i]));
	if (list->n)
		import_set(w->im, j, "after", list);
}

int import_write(struct import *im, struct api *api, const char *system, bool dry, bool force, struct sink *out,
                 struct err *e)
{
	struct writing w = {.im = im, .api = api, .system = system, .dry = dry, .force = force, .a = im->a};

	for (size_t i = 0; i < im->all.n; i++) {
		struct target t = {.j = im->all.p[i]};

		put_after(&w, t.j);
		if ((t.j->there ? look_there(&w, &t, e) : look_new(&w, &t, e)) || make_job(&w, &t, e))
			return -1;
		vec_push(w.a, &w.all, t);
	}
	if (refuse(&w, e) || check_together(&w, e))
		return -1;
	for (size_t i = 0; i < w.all.n; i++)
		if ((!dry && write_one(&w, &w.all.p[i], e)) || tell(&w, &w.all.p[i], out, e))
			return -1;
	if (tell_notes(&w, out, e))
		return -1;
	if (dry && w.n_in_the_way)
		sink_note(out, "in the way, and not overwritten without --force: %.*s", STR_ARG(w.in_the_way));
	return dry ? 0 : editor_write(api, api->ws->dir, e);
}
