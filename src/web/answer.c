#include <stdio.h>

#include "base/str.h"
#include "web/web_in.h"

#define HELD_MAX                                                                                                       \
	((size_t)64 << 10) /* an operation that fails before it has printed so much is answered by the problem */
#define NOTES_MAX ((size_t)64 << 10)

static const char *const problem_type = "application/problem+json";

static const char *title_of(enum err_code code)
{
#define E(name, word, exit_status, http, text) [ERR_##name] = text,
	static const char *const titles[ERR_COUNT] = {
#include "defs/errors.def"
	};
#undef E
	return code > ERR_NONE && code < ERR_COUNT ? titles[code] : "something went wrong";
}

struct dom *problem_dom(struct arena *a, unsigned status, const struct err *e)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_cstr(a, d, "type", "about:blank");
	dom_set_cstr(a, d, "title", title_of(e->code));
	dom_set_int(a, d, "status", status);
	dom_set_cstr(a, d, "code", err_word(e->code));
	dom_set_cstr(a, d, "detail", e->msg);
	if (e->hint[0])
		dom_set_cstr(a, d, "hint", e->hint);
	if (e->file[0])
		dom_set_cstr(a, d, "file", e->file);
	if (e->line)
		dom_set_int(a, d, "line", e->line);
	if (e->col)
		dom_set_int(a, d, "col", e->col);
	return d;
}

static void give(struct call *c, unsigned status, const char *const *headers, const struct dom *d)
{
	struct buf b = BUF_INIT(16 << 20);

	dom_write_json(&b, d, DOM_COMPACT);
	buf_addc(&b, '\n');
	http_answer(c->r, status, headers, buf_str(&b));
	buf_free(&b);
}

void answer_refusal(struct call *c, unsigned status, const struct err *e, const char *header, const char *value)
{
	give(c, status, (const char *const[]){"Content-Type", problem_type, header, value, NULL},
	     problem_dom(c->a, status, e));
}

void answer_problem(struct call *c, const struct err *e)
{
	answer_refusal(c, (unsigned)err_http_status(e->code), e, NULL, NULL);
}

void answer_json(struct call *c, unsigned status, const struct dom *d)
{
	give(c, status, (const char *const[]){"Content-Type", "application/json", NULL}, d);
}

/* --- what an operation prints --- */

void output_begin(struct output *o, struct call *c, const struct asked *asked)
{
	*o = (struct output){.c = c, .form = web_form(c->op), .asked = asked};
	buf_init(&o->held, HELD_MAX * 4);
	buf_init(&o->notes, NOTES_MAX);
	if (o->form == FORM_LINES && !asked->ndjson)
		buf_adds(&o->held, "{\"items\":[");
}

static const char *type_of(const struct output *o)
{
	return o->form == FORM_BYTES                       ? "application/octet-stream"
	       : o->form == FORM_LINES && o->asked->ndjson ? "application/x-ndjson"
	                                                   : "application/json";
}

static void out(struct output *o, struct str s)
{
	if (o->begun) {
		http_send(o->c->r, s);
		return;
	}
	buf_addstr(&o->held, s);
	if (o->held.n < HELD_MAX)
		return;
	http_begin(o->c->r, 200, (const char *const[]){"Content-Type", type_of(o), NULL});
	http_send(o->c->r, buf_str(&o->held));
	buf_free(&o->held);
	o->begun = true;
}

/* Lines of JSON become the items of one document; those before the page are left out, and nothing comes after it. */
static bool lines(struct output *o, struct str s)
{
	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;

		if (!o->in_line) {
			o->skips = !n || o->seen < o->asked->offset;
			o->seen += n > 0;
			if (!o->skips && o->asked->limit >= 0 && o->given == o->asked->limit) {
				o->full = true;
				return false;
			}
			if (!o->skips && o->given++ && !o->asked->ndjson)
				out(o, STR(",\n"));
		}
		if (!o->skips) {
			out(o, (struct str){s.p, n});
			if (end && o->asked->ndjson)
				out(o, STR("\n"));
		}
		o->in_line = !end;
		s = str_sub(s, n + (end != NULL), s.n);
	}
	return true;
}

bool output_bytes(struct output *o, struct str bytes)
{
	if (o->form == FORM_LINES)
		return lines(o, bytes);
	out(o, bytes);
	return true;
}

void output_note(struct output *o, struct str text)
{
	if (o->notes.n)
		buf_addc(&o->notes, ',');
	json_write_str(&o->notes, text);
}

static void add_problem(struct output *o, const struct err *e)
{
	struct buf b = BUF_INIT(16384);

	dom_write_json(&b, problem_dom(o->c->a, (unsigned)err_http_status(e->code), e), DOM_COMPACT);
	out(o, STR(",\"error\":"));
	out(o, buf_str(&b));
	buf_free(&b);
}

static void end_of_list(struct output *o, int exit_status, const struct err *e)
{
	char text[64];

	out(o, STR("]"));
	if (o->full) {
		snprintf(text, sizeof(text), ",\"next\":%lld", (long long)(o->asked->offset + o->given));
		out(o, str_of(text));
	}
	if (o->notes.n && !buf_over(&o->notes)) {
		out(o, STR(",\"notes\":["));
		out(o, buf_str(&o->notes));
		out(o, STR("]"));
	}
	snprintf(text, sizeof(text), ",\"exit_status\":%d", exit_status);
	out(o, str_of(text));
	if (e)
		add_problem(o, e);
	out(o, STR("}\n"));
}

/* One document, whatever an operation printed of it: nothing is null, several objects are a list. */
static void whole_document(struct output *o)
{
	struct str rest = buf_str(&o->held), line;
	struct buf list = BUF_INIT(HELD_MAX * 4);
	size_t n = 0;

	if (!str_trim(rest).n)
		buf_adds(&o->held, "null\n");
	if (o->held.p[0] != '{')
		return;
	while (str_next_line(&rest, &line)) {
		if (!line.n || line.p[0] != '{') { /* a document that is laid out over lines */
			buf_free(&list);
			return;
		}
		buf_adds(&list, n++ ? ",\n" : "[");
		buf_addstr(&list, line);
	}
	buf_adds(&list, "]\n");
	if (n > 1) {
		buf_reset(&o->held);
		buf_addstr(&o->held, buf_str(&list));
	}
	buf_free(&list);
}

void output_end(struct output *o, int exit_status, const struct err *e)
{
	char status[16];

	if (e && !o->begun) {
		answer_problem(o->c, e);
		output_drop(o);
		return;
	}
	if (o->form == FORM_LINES && !o->asked->ndjson)
		end_of_list(o, exit_status, e);
	if (o->form == FORM_DOC && !o->begun)
		whole_document(o);
	if (o->begun) {
		http_end(o->c->r, e && (o->form != FORM_LINES || o->asked->ndjson)); /* cut short, so that it shows */
	} else {
		snprintf(status, sizeof(status), "%d", exit_status);
		http_answer(o->c->r, 200,
		            (const char *const[]){"Content-Type", type_of(o), "Leat-Exit-Status", status, NULL},
		            buf_str(&o->held));
	}
	output_drop(o);
}

void output_drop(struct output *o)
{
	buf_free(&o->held);
	buf_free(&o->notes);
}
