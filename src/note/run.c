#include "note/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "note/engine.h"
#include "note/kernel.h"
#include "note/metrics.h"
#include "note/outputs.h"
#include "note/page.h"
#include "note/params.h"
#include "sys/clock.h"
#include "sys/file.h"

#define TOLD_MAX 4000 /* of metrics in the banner */
#define STARTUP "config/startup.py" /* what the user calls q->startup */
#define LEAVE_MS 3000 /* how long the engine's process has to close what it has open */

struct note_run {
	struct arena *a;
	const struct note_request *q;
	struct loop *loop;
	struct note_page page;
	const struct engine_kind *kind;
	const struct language *language; /* NULL: no parameters can be written in it */
	struct kernel_spec kernel;   /* of engine_kernel */
	struct str startup;          /* the text of q->startup */
	const char *what;            /* of the process, for sentences: "its Python process" */
	const char *folder;          /* of its sockets; NULL */
	int held;
	struct engine *engine;
	struct outputs *outputs;
	struct metrics metrics;
	struct loop_ev *kill, *save; /* save: the notebook is written when it may cost that much again */
	size_t at;                   /* the cell that runs */
	bool starting;               /* what runs is no cell yet: q->startup */
	bool running, left;          /* left: the notebook has ended itself, well */
	int64_t began_ms, cell_ms;   /* wall clock, of all and of the cell */
	const char *asked;           /* why it is to end; NULL */
	size_t failed;               /* the cell's number; 0 */
	bool bad;
	struct str ename, evalue, text; /* of what failed; the sentence */
	struct err err;              /* of ours: the files cannot be written */
	struct engine_end end;
};

static void next_cell(struct note_run *r);

static void stop(struct note_run *r)
{
	r->running = false;
	loop_stop(r->loop);
}

/* What we cannot do is told by note_run. */
static void give_up(struct note_run *r)
{
	r->bad = true;
	stop(r);
}

static void fail(struct note_run *r, size_t cell, struct str ename, struct str evalue, struct str text)
{
	r->bad = true;
	r->failed = cell;
	r->ename = arena_str(r->a, ename);
	r->evalue = arena_str(r->a, evalue);
	r->text = arena_str(r->a, text);
}

/* --- one cell --- */

static struct dom *error_output(struct arena *a, struct str ename, struct str evalue, const struct dom *traceback)
{
	struct dom *o = dom_new(a, DOM_MAP), *lines = dom_new(a, DOM_LIST);

	dom_set_cstr(a, o, "output_type", "error");
	dom_set_str(a, o, "ename", ename.p ? ename : STR(""));
	dom_set_str(a, o, "evalue", evalue.p ? evalue : STR(""));
	dom_each(line, traceback)
		if (line->type == DOM_STR)
			dom_add(lines, dom_new_str(a, line->s));
	dom_set(a, o, "traceback", lines);
	return o;
}

static void cell_ended(struct note_run *r, bool failed)
{
	struct cell *c = &r->page.nb.cells[r->at];

	r->running = false;
	outputs_end(r->outputs, c->outputs);
	page_cell_times(&r->page, r->at, r->cell_ms, clock_now_ms(), failed);
	if (page_show(&r->page, r->at + 1, failed ? r->failed : 0, &r->err))
		give_up(r);
}

static struct str short_value(struct str evalue)
{
	struct str line = evalue, rest = evalue;

	if (str_next_line(&rest, &line))
		evalue = line;
	return str_sub(evalue, 0, 300);
}

/* What it prints is in the log; a page shows cells only, so the sentence has all that there is to say. */
static void startup_done(struct note_run *r, const struct engine_done *d)
{
	struct str at = d->line ? arena_strf(r->a, ":%lld", (long long)d->line) : STR("");

	r->starting = false;
	if (d->how == ENGINE_OK && !r->asked) {
		next_cell(r);
		return;
	}
	fail(r, 0, d->ename, d->evalue,
	     r->asked ? arena_strf(r->a, STARTUP " was ended: %s", r->asked)
	              : arena_strf(r->a, STARTUP "%.*s: %.*s: %.*s", STR_ARG(at), STR_ARG(d->ename),
	                           STR_ARG(short_value(d->evalue))));
	stop(r);
}

static void on_done(void *ptr, const struct engine_done *d)
{
	struct note_run *r = ptr;
	struct cell *c = &r->page.nb.cells[r->at];
	bool bad;

	if (r->starting) {
		startup_done(r, d);
		return;
	}
	if (!r->running)
		return;
	bad = d->how == ENGINE_ERROR && (!cell_has_tag(c, "raises-exception") || r->asked);
	c->count = d->count;
	if (d->how == ENGINE_ERROR)
		outputs_add(r->outputs, error_output(r->a, d->ename, d->evalue, d->traceback), STR_NULL);
	if (bad)
		fail(r, r->at + 1, d->ename, d->evalue,
		     r->asked ? arena_strf(r->a, "cell %zu was ended: %s", r->at + 1, r->asked)
		              : arena_strf(r->a, "cell %zu failed: %.*s: %.*s", r->at + 1, STR_ARG(d->ename),
		                           STR_ARG(short_value(d->evalue))));
	r->left = d->how == ENGINE_LEFT;
	cell_ended(r, bad);
	if (r->bad || r->left) {
		stop(r);
		return;
	}
	r->at++;
	next_cell(r);
}

static void on_died(void *ptr, const char *how)
{
	struct note_run *r = ptr;
	struct str text;

	if (!r->running) {
		fail(r, 0, STR("Ended"), str_of(how),
		     r->asked ? str_of(r->asked)
		              : arena_strf(r->a, "%s ended before a cell ran: %s", r->what, how));
		stop(r);
		return;
	}
	text = r->asked ? arena_strf(r->a, "cell %zu was ended: %s", r->at + 1, r->asked)
	                : arena_strf(r->a, "cell %zu failed: %s ended: %s", r->at + 1, r->what, how);
	fail(r, r->at + 1, STR("Ended"), str_of(how), text);
	outputs_add(r->outputs, error_output(r->a, STR("Ended"), text, NULL), STR_NULL);
	cell_ended(r, true);
	stop(r);
}

/* Nothing runs in it: shown as it is, or passed over. */
static bool is_passed(const struct cell *c)
{
	return c->type != CELL_CODE || cell_has_tag(c, "skip-execution") || !str_trim(c->source).n;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '_' || (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		      (i && s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

/* The name of a cell's rows: a title that is one word; as its first line says. STR_NULL: none. */
static struct str sql_name(const struct cell *c)
{
	const struct dom *title = dom_get(c->metadata, "title");
	struct str rest = c->source, line, word, more, mark = STR("%%sql ");

	if (str_next_line(&rest, &line) && str_has_prefix(line, mark)) {
		line = str_trim(str_sub(line, mark.n, line.n));
		if (!str_cut(line, ' ', &word, &more))
			word = line;
		if (is_name(word))
			return word;
	}
	return title && title->type == DOM_STR && is_name(title->s) ? title->s : STR_NULL;
}

/* The cell named output gives the unit's table; where there is none, the last one that runs. */
static bool gives_output(struct note_run *r, const struct cell *c)
{
	const struct notebook *nb = &r->page.nb;
	const struct cell *last = NULL;

	for (size_t i = 0; i < nb->n; i++) {
		if (is_passed(&nb->cells[i]))
			continue;
		if (str_is(sql_name(&nb->cells[i]), "output"))
			return &nb->cells[i] == c;
		last = &nb->cells[i];
	}
	return last == c;
}

/* With a first line that says what is to become of its rows (job/notebook_sql.h). */
static struct str sql_source(struct note_run *r, const struct cell *c)
{
	struct str name = sql_name(c), head = STR("%%cell"), rest = c->source, line;
	const char *output = gives_output(r, c) ? " --output" : "";

	if (str_has_prefix(c->source, STR("%%sql")) && str_next_line(&rest, &line))
		head = STR("%%sql");
	else
		rest = c->source;
	return arena_strf(r->a, "%.*s %.*s%s\n%.*s", STR_ARG(head), STR_ARG(name), output, STR_ARG(rest));
}

/* A cell that VS Code or whoever wrote it calls SQL is a cell of %%sql, if it does not begin with a magic. */
static struct str source_of(struct note_run *r, const struct cell *c)
{
	static const char *const places[] = {"language", "vscode.languageId"};

	if (r->kind == r->q->sql)
		return sql_source(r, c);
	if (r->kind != &engine_python || str_has_prefix(str_trim(c->source), STR("%%")))
		return c->source;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct dom *v = dom_path(c->metadata, places[i]);

		if (v && v->type == DOM_STR && str_ieq(v->s, STR("sql")))
			return arena_strf(r->a, "%%%%sql\n%.*s", STR_ARG(c->source));
	}
	return c->source;
}

static void on_save(struct loop_ev *ev, void *ptr)
{
	struct note_run *r = ptr;

	(void)ev;
	r->save = NULL;
	if (page_save(&r->page, true, &r->err))
		give_up(r);
}

/* What the last cell gave is in the file soon, also while the next one takes long. */
static int save(struct note_run *r)
{
	int64_t later = page_save(&r->page, false, &r->err);

	if (later <= 0) {
		loop_close(r->save);
		r->save = NULL;
	} else if (!r->save) {
		r->save = loop_timer(r->loop, later, on_save, r);
	}
	return later < 0 ? -1 : 0;
}

static void next_cell(struct note_run *r)
{
	while (r->at < r->page.nb.n && is_passed(&r->page.nb.cells[r->at]))
		r->at++;
	if (r->at == r->page.nb.n || r->asked) {
		if (r->asked && r->at < r->page.nb.n)
			fail(r, r->at + 1, STR("Ended"), str_of(r->asked),
			     arena_strf(r->a, "cell %zu was not run: %s", r->at + 1, r->asked));
		stop(r);
		return;
	}
	page_cell_status(&r->page, r->at, "running");
	outputs_begin(r->outputs, r->at + 1);
	r->running = true;
	r->cell_ms = clock_now_ms();
	if (page_show(&r->page, r->at, 0, &r->err) || save(r) ||
	    r->kind->run(r->engine, source_of(r, &r->page.nb.cells[r->at]),
	                      arena_printf(r->a, "cell %zu", r->at + 1), &r->err))
		give_up(r);
}

/* --- what the engine tells --- */

/* What is set before the first cell. Where no cell can declare parameters they are names like the others. */
static const struct dom *names_of(struct note_run *r)
{
	struct dom *all;

	if (r->kind != r->q->sql)
		return r->q->offered;
	all = dom_copy(r->a, r->q->offered);
	dom_each(v, r->q->params)
		if (!dom_get(all, arena_cstr(r->a, v->key)))
			dom_set(r->a, all, arena_cstr(r->a, v->key), dom_copy(r->a, v));
	if (r->q->params)
		dom_set(r->a, all, "params", dom_copy(r->a, r->q->params));
	return all;
}

static void start_up(struct note_run *r)
{
	r->starting = true;
	if (r->kind->startup(r->engine, r->startup, STARTUP, &r->err))
		give_up(r);
}

static void on_ready(void *ptr, const struct dom *about)
{
	struct note_run *r = ptr;

	struct dom *kept = dom_new(r->a, DOM_MAP);

	dom_each(v, about)
		if (v->type == DOM_STR)
			dom_set_str(r->a, kept, arena_cstr(r->a, v->key), v->s);
	r->page.python = kept;
	if (r->q->offered && r->kind->set(r->engine, names_of(r), &r->err))
		give_up(r);
	else if (r->startup.n)
		start_up(r);
	else
		next_cell(r);
}

static void on_stream(void *ptr, bool err, struct str text)
{
	struct note_run *r = ptr;
	struct err ignored = ERR_INIT;

	if (r->running)
		outputs_stream(r->outputs, err, text);
	metrics_stream(&r->metrics, err, text);
	if (fd_write_all(STDOUT_FILENO, text.p, text.n, "log", &ignored)) /* a log that is full stops nobody */
		err_clear(&ignored);
}

static void on_output(void *ptr, const struct dom *o, struct str id)
{
	struct note_run *r = ptr;

	if (r->running)
		outputs_add(r->outputs, o, id);
	metrics_output(&r->metrics, o);
}

static void on_update(void *ptr, const struct dom *o, struct str id)
{
	struct note_run *r = ptr;

	r->page.stale |= outputs_update(r->outputs, o, id);
}

static void on_clear(void *ptr, bool wait)
{
	struct note_run *r = ptr;

	if (r->running)
		outputs_clear(r->outputs, wait);
}

static const struct engine_told told = {.ready = on_ready,
                                        .stream = on_stream,
                                        .output = on_output,
                                        .update = on_update,
                                        .clear = on_clear,
                                        .done = on_done,
                                        .died = on_died};

/* --- being ended --- */

static void on_kill(struct loop_ev *ev, void *ptr)
{
	struct note_run *r = ptr;

	(void)ev;
	r->kill = NULL;
	on_died(r, "it did not listen, and was killed");
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	struct note_run *r = ptr;
	int64_t took = clock_now_ms() - r->began_ms;

	(void)ev;
	(void)signo;
	if (r->asked)
		return;
	r->asked = r->q->timeout_ms && took >= r->q->timeout_ms * 9 / 10
	                   ? arena_printf(r->a, "it took longer than its limit of %lld ms",
	                                  (long long)r->q->timeout_ms)
	                   : "the run was stopped";
	r->kill = loop_timer(r->loop, MAX(r->q->grace_ms, 1), on_kill, r);
	if (r->engine)
		r->kind->interrupt(r->engine);
}

/* --- the whole --- */

static struct dom *forked(struct arena *a, const struct engine_end *end)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_int(a, d, "cpu_ms", end->cpu_ms);
	dom_set_int(a, d, "peak_kb", end->peak_kb);
	dom_set_bool(a, d, "placed", end->placed);
	dom_set_bool(a, d, "left", end->left);
	return d;
}

/* The end of all: what goes to who started us, in one file that is there whole or not at all. */
static int write_state(struct note_run *r, struct err *e)
{
	struct arena *a = r->a;
	struct dom *d = dom_new(a, DOM_MAP), *error = dom_new(a, DOM_MAP);
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);

	dom_set_bool(a, d, "ok", !r->bad);
	dom_set_int(a, d, "cell", (int64_t)r->failed);
	dom_set_int(a, d, "of", (int64_t)r->page.nb.n);
	dom_set_str(a, d, "text", r->text.p ? r->text : STR(""));
	if (r->ename.p) {
		dom_set_str(a, error, "ename", r->ename);
		dom_set_str(a, error, "evalue", r->evalue);
		dom_set(a, d, "error", error);
	}
	if (r->page.python)
		dom_set(a, d, "python", (struct dom *)r->page.python);
	if (r->metrics.all->n)
		dom_set(a, d, "metrics", r->metrics.all);
	if (r->end.apart)
		dom_set(a, d, "forked", forked(a, &r->end));
	dom_write_json(&b, d, DOM_COMPACT);
	return file_replace(path_join(a, r->q->dir, NOTE_STATE), buf_str(&b), 0644, 0, e);
}

static void describe_good(struct note_run *r)
{
	struct buf told_too cleanup(buf_free) = BUF_INIT(TOLD_MAX);
	size_t n = 0;

	dom_each(v, r->metrics.all)
		buf_addf(&told_too, "; %.*s = %.*s", STR_ARG(v->key), STR_ARG(dom_text(r->a, v)));

	for (size_t i = 0; i < r->page.nb.n; i++)
		n += r->page.nb.cells[i].count > 0;
	r->text = arena_strf(r->a, "%zu cell%s in %.1f s%s%.*s", n, n == 1 ? "" : "s",
	                     (double)(clock_now_ms() - r->began_ms) / 1e3,
	                     r->left ? "; the notebook ended itself" : "", STR_ARG(buf_str(&told_too)));
}

static struct str said(const struct notebook *nb, const char *path)
{
	const struct dom *v = dom_path(nb->metadata, path);

	return v && v->type == DOM_STR ? v->s : STR_NULL;
}

static const char *variable(const struct note_request *q, const char *name)
{
	size_t n = strlen(name);

	for (const char *const *v = q->env; v && *v; v++)
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

/* Kernels that were installed with the interpreter are described beside it. */
static int find_kernel(struct note_run *r, struct str name, struct str language, struct err *e)
{
	const struct note_request *q = r->q;
	const char *python = proc_which(r->a, q->python, variable(q, "PATH"));
	const char *prefixes[] = {python ? path_dir(r->a, path_dir(r->a, python)) : NULL, NULL};
	struct kernel_where w = {.jupyter_path = variable(q, "JUPYTER_PATH"), .home = variable(q, "HOME"),
	                         .prefixes = prefixes};

	if (kernel_find(r->a, &w, name.n ? arena_cstr(r->a, name) : NULL,
	                language.n ? arena_cstr(r->a, language) : NULL, &r->kernel, e))
		return -1;
	r->kind = &engine_kernel;
	r->what = arena_printf(r->a, "the kernel %s", r->kernel.name);
	r->language = language_of(str_of(r->kernel.language));
	return 0;
}

/* Python by our own driver, unless the job names a kernel; any other language by the kernel that the notebook names. */
static int choose_engine(struct note_run *r, const struct notebook *nb, struct err *e)
{
	struct str language = said(nb, "kernelspec.language"), asked = str_of(r->q->kernel ? r->q->kernel : "");

	if (!language.n)
		language = said(nb, "language_info.name");
	if (asked.n)
		return find_kernel(r, asked, STR_NULL, e);
	if (r->q->sql && str_ieq(language, STR("sql"))) {
		r->kind = r->q->sql;
		r->what = "DuckDB";
		return 0;
	}
	if (language.n && !str_ieq(language, STR("python")))
		return find_kernel(r, said(nb, "kernelspec.name"), language, e);
	r->kind = &engine_python;
	r->what = "its Python process";
	r->language = language_of(STR("python"));
	return 0;
}

static int inject(struct note_run *r, struct err *e)
{
	const struct note_request *q = r->q;

	if (r->language)
		return params_inject(r->a, &r->page.nb, q->name, r->language, q->params, q->offered, e);
	if (!q->params || !q->params->n || r->kind == q->sql) /* SQL takes them where it names them */
		return 0;
	return err_set(e, ERR_BAD_REQUEST, "how %s writes values is not known, so it takes no parameters",
	               r->kernel.language);
}

static int read_startup(struct note_run *r, struct err *e)
{
	const char *path = r->q->startup;

	if (!path || !*path || r->language != language_of(STR("python")))
		return 0;
	return file_read_plain(r->a, path, NOTEBOOK_BYTES_MAX, &r->startup, e) ? err_wrap(e, STARTUP) : 0;
}

static int load(struct note_run *r, struct err *e)
{
	const struct note_request *q = r->q;
	struct notebook nb;

	if (page_read(r->a, q->file, q->name, &nb, e))
		return -1;
	r->page.nb = nb;
	page_clean(&r->page);
	return choose_engine(r, &nb, e) || inject(r, e) || read_startup(r, e) ? -1 : 0;
}

/* Whatever stands in the way of the first cell is told on a page too. */
static void cannot_begin(struct note_run *r, const struct err *why)
{
	fail(r, 0, STR("Error"), str_of(why->msg), str_of(err_text(r->a, why)));
	if (why->hint[0])
		r->text = arena_strf(r->a, "%.*s (%s)", STR_ARG(r->text), why->hint);
}

static int execute(struct note_run *r, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT};
	struct engine_start s = {.program = r->q->python,
	                         .kernel = &r->kernel,
	                         .notebook = r->q->name,
	                         .mode = r->q->engine,
	                         .zygote = r->q->zygote,
	                         .group = r->q->group,
	                         .env = r->q->env,
	                         .told = &told,
	                         .ptr = r};
	struct err why = ERR_INIT;
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (load(r, &why)) {
		cannot_begin(r, &why);
		return page_begin(&r->page, e);
	}
	if (page_begin(&r->page, e) || page_save(&r->page, true, e) || loop_new(&r->loop, e) ||
	    loop_signal(r->loop, signals, ARRAY_LEN(signals), on_signal, r, NULL, e))
		return -1;
	r->outputs = outputs_new(r->a, r->q->dir, r->q->base, r->q->output_limit);
	if (r->kind == &engine_kernel && kernel_folder(r->a, &r->folder, &r->held, &why)) {
		cannot_begin(r, &why);
		return 0;
	}
	s.folder = r->folder;
	if (r->kind->start(r->a, r->loop, &s, &r->engine, &why)) {
		cannot_begin(r, &why);
		return 0;
	}
	if (loop_run(r->loop, e))
		return -1;
	r->kind->stop(r->engine, r->bad ? 0 : LEAVE_MS);
	if (!r->kind->free)
		r->engine = NULL;
	if (!r->err.code)
		return 0;
	*e = r->err;
	return -1;
}

int note_run(const struct note_request *q, bool *ok, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct note_run r = {.a = a, .q = q, .page = {.a = a, .q = q, .fd = -1}, .held = -1, .err = ERR_INIT};
	struct err ignored = ERR_INIT;
	int rc;

	metrics_init(&r.metrics, a);
	r.began_ms = clock_now_ms();
	r.page.nb.metadata = dom_new(a, DOM_MAP);
	rc = execute(&r, e);
	if (q->metrics_file)
		metrics_file(&r.metrics, q->metrics_file);
	if (!rc && !r.bad)
		describe_good(&r);
	if (!rc)
		rc = page_end(&r.page, r.failed, !r.bad, r.text, e);
	if (r.engine && r.kind->free)
		r.kind->free(r.engine, &r.end);
	if (!rc)
		rc = write_state(&r, e);
	outputs_free(r.outputs);
	if (r.folder && dir_remove_tree(r.folder, &ignored))
		err_clear(&ignored); /* the next one takes it */
	fd_close(&r.held);
	loop_free(r.loop);
	metrics_free(&r.metrics);
	fd_close(&r.page.fd);
	*ok = !r.bad;
	return rc;
}

/* --- after one that was cut off --- */

static size_t cell_that_ran(const struct notebook *nb)
{
	for (size_t i = 0; i < nb->n; i++) {
		const struct dom *s = dom_path(nb->cells[i].metadata, "papermill.status");

		if (s && s->type == DOM_STR && str_is(s->s, "running"))
			return i + 1;
	}
	return 0;
}

int note_finish(const struct note_request *q, struct str why, size_t *cell, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct note_page p = {.a = a, .q = q, .fd = -1};
	struct err no = ERR_INIT;
	struct str text;
	int rc;

	*cell = 0;
	if (!page_read(a, arena_printf(a, "%s/%s.ipynb", q->dir, q->base), "run.ipynb", &p.nb, &no)) {
		struct dom *run = dom_get(p.nb.metadata, "papermill");

		*cell = cell_that_ran(&p.nb);
		p.run = run && run->type == DOM_MAP ? run : NULL;
	} else {
		err_clear(&no);
		if (page_read(a, q->file, q->name, &p.nb, &no)) {
			p.nb = (struct notebook){.metadata = dom_new(a, DOM_MAP)};
			err_clear(&no);
		}
		page_clean(&p);
	}
	text = *cell ? arena_strf(a, "cell %zu failed: %.*s", *cell, STR_ARG(why)) : why;
	if (*cell) {
		dom_add(p.nb.cells[*cell - 1].outputs, error_output(a, STR("Ended"), text, NULL));
		page_cell_status(&p, *cell - 1, "failed");
	}
	rc = page_end(&p, *cell, false, text, e);
	fd_close(&p.fd);
	return rc;
}
