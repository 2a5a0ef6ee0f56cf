#include "note/page.h"

#include <fcntl.h>

#include "base/str.h"
#include "base/tz.h"
#include "note/html.h"
#include "sys/clock.h"
#include "sys/file.h"

#define SAVE_SHARE 10 /* of the time at most goes into files that are written after a cell */
#define SAVE_FREE_MS 5

#define ERROR_TAG "papermill-error-cell-tag" /* papermill's: its readers, and it itself, know such cells */

/* --- metadata --- */

static void put(struct arena *a, struct dom *map, const char *key, struct dom *v)
{
	struct dom *old = dom_get(map, key);

	if (!old) {
		dom_set(a, map, key, v);
		return;
	}
	v->key = old->key;
	v->next = old->next;
	*old = *v;
}

static struct dom *time_of(struct arena *a, int64_t ms)
{
	char text[TIME_TEXT];

	time_rfc3339(ms, text);
	return dom_new_str(a, str_of(text));
}

/* metadata.papermill of a cell, made if need be; any other is kept. */
static struct dom *of_cell(struct note_page *p, size_t cell)
{
	struct dom *m = p->nb.cells[cell].metadata, *own = dom_get(m, "papermill");

	if (!own || own->type != DOM_MAP) {
		own = dom_new(p->a, DOM_MAP);
		dom_set(p->a, own, "duration", dom_new(p->a, DOM_NULL));
		dom_set(p->a, own, "end_time", dom_new(p->a, DOM_NULL));
		dom_set(p->a, own, "exception", dom_new(p->a, DOM_NULL));
		dom_set(p->a, own, "start_time", dom_new(p->a, DOM_NULL));
		dom_set_cstr(p->a, own, "status", "pending");
		dom_set(p->a, own, "tags", dom_new(p->a, DOM_LIST));
		put(p->a, m, "papermill", own);
		own = dom_get(m, "papermill");
	}
	return own;
}

void page_cell_status(struct note_page *p, size_t cell, const char *status)
{
	put(p->a, of_cell(p, cell), "status", dom_new_str(p->a, str_of(status)));
}

void page_cell_times(struct note_page *p, size_t cell, int64_t began_ms, int64_t ended_ms, bool failed)
{
	struct dom *m = of_cell(p, cell);

	put(p->a, m, "duration", dom_new_real(p->a, (double)(ended_ms - began_ms) / 1e3));
	put(p->a, m, "start_time", time_of(p->a, began_ms));
	put(p->a, m, "end_time", time_of(p->a, ended_ms));
	put(p->a, m, "exception", dom_new_bool(p->a, failed));
	page_cell_status(p, cell, failed ? "failed" : "completed");
}

static const struct dom *map_or_empty(struct arena *a, const struct dom *m)
{
	return m && m->type == DOM_MAP ? m : dom_new(a, DOM_MAP);
}

static void of_notebook(struct note_page *p)
{
	struct arena *a = p->a;
	struct dom *m = dom_new(a, DOM_MAP);

	dom_set(a, m, "default_parameters", dom_new(a, DOM_MAP));
	dom_set(a, m, "duration", dom_new(a, DOM_NULL));
	dom_set(a, m, "end_time", dom_new(a, DOM_NULL));
	dom_set(a, m, "environment_variables", dom_new(a, DOM_MAP));
	dom_set(a, m, "exception", dom_new(a, DOM_NULL));
	dom_set_cstr(a, m, "input_path", p->q->name);
	dom_set_str(a, m, "output_path", arena_strf(a, "%s.ipynb", p->q->base));
	dom_set(a, m, "parameters", dom_copy(a, map_or_empty(a, p->q->params)));
	dom_set(a, m, "start_time", time_of(a, clock_now_ms()));
	dom_set_cstr(a, m, "version", "leat");
	put(a, p->nb.metadata, "papermill", m);
	p->run = dom_get(p->nb.metadata, "papermill");
}

/* --- the notebook --- */

int page_read(struct arena *a, const char *file, const char *name, struct notebook *out, struct err *e)
{
	enum notebook_form form;
	struct str text;

	return file_read_plain(a, file, NOTEBOOK_BYTES_MAX, &text, e) || notebook_form(str_of(name), text, &form, e) ||
	                       notebook_read(a, text, name, form, out, e)
	               ? -1
	               : 0;
}

void page_clean(struct note_page *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nb.n; i++) {
		struct cell *c = &p->nb.cells[i];

		if (c->type == CELL_MARKDOWN && cell_has_tag(c, ERROR_TAG))
			continue;
		if (c->type == CELL_CODE) {
			c->outputs = dom_new(p->a, DOM_LIST);
			c->count = 0;
			put(p->a, c->metadata, "papermill", dom_new(p->a, DOM_NULL)); /* of another run */
		}
		p->nb.cells[n++] = *c;
	}
	p->nb.n = n;
	for (size_t i = 0; i < n; i++)
		if (p->nb.cells[i].type == CELL_CODE)
			of_cell(p, i);
	of_notebook(p);
}

static int write_notebook(struct note_page *p, const struct notebook *nb, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	const char *path = arena_printf(a, "%s/%s.ipynb", p->q->dir, p->q->base);

	notebook_write(a, nb, NOTEBOOK_IPYNB, &b);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "%s would be larger than %zu MB", path, NOTEBOOK_BYTES_MAX >> 20);
	return file_replace(path, buf_str(&b), 0644, 0, e);
}

int64_t page_save(struct note_page *p, bool now, struct err *e)
{
	int64_t cost = clock_cpu_ns(), due = p->saved_ms + p->save_cost_ms * SAVE_SHARE;

	if (!now && p->save_cost_ms > SAVE_FREE_MS && clock_mono_ms() < due)
		return due - clock_mono_ms() + 1;
	if (write_notebook(p, &p->nb, e))
		return -1;
	p->saved_ms = clock_mono_ms();
	p->save_cost_ms = (clock_cpu_ns() - cost) / 1000000;
	return 0;
}

/* With the two cells that papermill writes: a word on top, a place to jump to. */
static struct notebook with_banner(struct note_page *p, size_t failed, struct str text)
{
	struct arena *a = p->a;
	struct notebook nb = p->nb;
	struct cell banner = {.type = CELL_MARKDOWN, .metadata = dom_new(a, DOM_MAP)}, mark = banner;
	size_t n = 0;

	mark.metadata = dom_new(a, DOM_MAP);
	cell_add_tag(a, &banner, ERROR_TAG);
	cell_add_tag(a, &mark, ERROR_TAG);
	banner.source = arena_strf(a, "<span style=\"color:red\">**%.*s**</span>%s", STR_ARG(text),
	                           failed ? " [To the cell](#papermill-error-cell)" : "");
	mark.source = STR("<span id=\"papermill-error-cell\"></span>");
	nb.cells = arena_array(a, struct cell, p->nb.n + 2);
	nb.cells[n++] = banner;
	for (size_t i = 0; i < p->nb.n; i++) {
		if (i + 1 == failed)
			nb.cells[n++] = mark;
		nb.cells[n++] = p->nb.cells[i];
	}
	nb.n = n;
	notebook_ids(a, &nb);
	return nb;
}

/* --- the page --- */

static struct html_page head_of(const struct note_page *p)
{
	return (struct html_page){.title = p->q->title, .facts = p->q->facts, .hide_input = p->q->hide_input};
}

static struct html_cell about_of(struct note_page *p, size_t i, size_t failed)
{
	struct html_cell about = {.number = i + 1, .failed = failed == i + 1, .ms = -1};
	const struct dom *m = dom_get(p->nb.cells[i].metadata, "papermill"), *took = dom_get(m, "duration");

	if (p->nb.cells[i].type != CELL_CODE)
		return about;
	if (took && (took->type == DOM_REAL || took->type == DOM_INT))
		about.ms = took->type == DOM_REAL ? (int64_t)(took->d * 1e3) : took->i * 1000;
	else
		about.skipped = !about.failed;
	return about;
}

static int append(struct note_page *p, const struct buf *b, struct err *e)
{
	if (p->fd < 0)
		return 0;
	return fd_write_all(p->fd, b->p, b->n, p->q->base, e);
}

int page_begin(struct note_page *p, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct html_page head = head_of(p);
	const char *path = arena_printf(p->a, "%s/%s.html", p->q->dir, p->q->base);

	html_begin(&b, &head);
	/* What stands there may be the task's: a pipe would hold us, a link lead elsewhere. */
	if (file_unlink(path, e) || file_open_write(path, O_EXCL, 0644, &p->fd, e))
		return -1;
	return append(p, &b, e);
}

/* In place of one that is more than a page takes: what comes after it is shown. */
static struct cell instead_of(struct note_page *p, struct arena *a, const struct cell *c)
{
	struct dom *out = dom_new(a, DOM_MAP), *data = dom_new(a, DOM_MAP);
	struct cell small = {.type = CELL_CODE, .source = STR(""), .metadata = c->metadata, .count = c->count};

	small.outputs = dom_new(a, DOM_LIST);
	dom_set_str(a, data, "text/plain",
	            arena_strf(a, "this cell is more than %zu MB of a page; %s.ipynb has it", NOTEBOOK_BYTES_MAX >> 20,
	                       p->q->base));
	dom_set_cstr(a, out, "output_type", "display_data");
	dom_set(a, out, "data", data);
	dom_set(a, out, "metadata", dom_new(a, DOM_MAP));
	dom_add(small.outputs, out);
	return small;
}

int page_show(struct note_page *p, size_t to, size_t failed, struct err *e)
{
	struct html_page head = head_of(p);

	for (; p->shown < to; p->shown++) {
		struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
		struct arena *a cleanup(arena_cleanup) = arena_new();
		const struct cell *c = &p->nb.cells[p->shown];
		struct html_cell about = about_of(p, p->shown, failed);

		html_cell(a, &b, &head, c, &about);
		if (buf_over(&b)) {
			struct cell small = instead_of(p, a, c);

			buf_reset(&b);
			html_cell(a, &b, &head, &small, &about);
		}
		if (append(p, &b, e))
			return -1;
	}
	return 0;
}

int page_end(struct note_page *p, size_t failed, bool ok, struct str text, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct notebook nb = p->nb;
	int64_t now = clock_now_ms();

	if (p->run) {
		const struct dom *began = dom_get(p->run, "start_time");
		int64_t from;

		if (began && began->type == DOM_STR && time_parse_rfc3339(began->s, &from))
			put(p->a, p->run, "duration", dom_new_real(p->a, (double)(now - from) / 1e3));
		put(p->a, p->run, "end_time", time_of(p->a, now));
		put(p->a, p->run, "exception", ok ? dom_new(p->a, DOM_NULL) : dom_new_bool(p->a, true));
	}
	if (!ok)
		nb = with_banner(p, failed, text);
	if (write_notebook(p, &nb, e))
		return -1;
	if (p->stale || p->fd < 0) {
		fd_close(&p->fd);
		p->shown = 0;
		if (page_begin(p, e))
			return -1;
	}
	if (page_show(p, p->nb.n, failed, e))
		return -1;
	html_end(&b, ok, failed, text);
	if (append(p, &b, e))
		return -1;
	fd_close(&p->fd);
	return 0;
}
