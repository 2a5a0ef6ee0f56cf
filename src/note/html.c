#include "note/html.h"

#include <inttypes.h>

#include "base/str.h"

/*
 * Colours: ink and paper of the page, then the terminal's sixteen, which are read on either ground. `k` and `g` are
 * classes of html_ansi, `c s n w` of html_python.
 */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--dim:#656d76;--line:#d8dee4;--soft:#f6f8fa;--bad:#b42318;"
	"--link:#0b62c4}@media(prefers-color-scheme:dark){"
	":root{--ink:#e2e6ea;--dim:#949ea8;--line:#373e47;--soft:#1a1f26;--bad:#ff7b6b;--link:#6cb0ff}"
	"body{background:#0f1318}}*{box-sizing:border-box}"
	"body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:62rem;color:var(--ink);display:flex;"
	"flex-direction:column;font:16px/1.55 system-ui,sans-serif}header{order:-2}"
	"header h1{font-size:1.35rem;margin:0}header p{margin:.2rem 0 1rem;color:var(--dim);font-size:.9rem}"
	".banner{order:-1;border:1px solid var(--line);border-left:4px solid #2e8b57;padding:.5rem .8rem;"
	"margin:0 0 1rem;border-radius:4px}.banner.bad{border-left-color:var(--bad)}a{color:var(--link)}"
	"section{margin:0 0 1.1rem;min-width:0}section.bad>pre.i{border-left-color:var(--bad)}"
	"pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace;white-space:pre-wrap;"
	"overflow-wrap:anywhere}"
	"pre.i{background:var(--soft);border:1px solid var(--line);border-left:3px solid var(--line);"
	"border-radius:4px;padding:.55rem .75rem}.o{padding:.45rem .75rem 0;overflow-x:auto}"
	".o+.o{padding-top:.2rem}.e{color:var(--bad)}.t{color:var(--dim);font-size:.78rem;text-align:right}"
	".o img{max-width:100%;height:auto;background:#fff}"
	"table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}"
	"th,td{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:right}"
	".m table td,.m table th{text-align:left}"
	".m code{background:var(--soft);padding:.1em .3em;border-radius:3px}"
	".m pre{background:var(--soft);padding:.55rem .75rem;border-radius:4px}"
	".c{color:var(--dim);font-style:italic}.s{color:#0a7a4b}.n{color:#9a5b00}.w{color:#7c3aed}"
	"@media(prefers-color-scheme:dark){.s{color:#7ee2b0}.n{color:#f2b866}.w{color:#c0a2ff}}"
	".bo{font-weight:700}.fa{opacity:.7}.it{font-style:italic}.un{text-decoration:underline}"
	".k1,.k9{color:var(--bad)}.k2,.k10{color:#1a8f4c}.k3,.k11{color:#a87400}.k4,.k12{color:#3b7ddd}"
	".k5,.k13{color:#b04fc0}.k6,.k14{color:#128a96}.k0,.k8{color:#6e7781}.k7,.k15{color:var(--ink)}"
	".g1,.g9{background:#d1372c33}.g2,.g10{background:#1a8f4c33}.g3,.g11{background:#a8740033}"
	".g4,.g12{background:#3b7ddd33}.g5,.g13{background:#b04fc033}.g6,.g14{background:#128a9633}";

/* Nothing is fetched and nothing runs, whatever a cell gave. */
static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

void html_text(struct buf *out, struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *as = c == '<'   ? "&lt;"
		                 : c == '>' ? "&gt;"
		                 : c == '&' ? "&amp;"
		                 : c == '"' ? "&quot;"
		                            : NULL;

		if (!as && (c >= 0x20 || c == '\n' || c == '\t'))
			continue;
		buf_add(out, s.p + from, i - from);
		buf_adds(out, as ? as : "");
		from = i + 1;
	}
	buf_add(out, s.p + from, s.n - from);
}

void html_begin(struct buf *out, const struct html_page *p)
{
	buf_adds(out, "<!doctype html>\n<html lang=en><meta charset=utf-8>"
	              "<meta name=viewport content=\"width=device-width,initial-scale=1\">");
	buf_addf(out, "<meta http-equiv=Content-Security-Policy content=\"%s\"><title>", policy);
	html_text(out, p->title);
	buf_addf(out, "</title><style>%s</style>\n<body><header><h1>", style);
	html_text(out, p->title);
	buf_adds(out, "</h1><p>");
	html_text(out, p->facts);
	buf_adds(out, "</p></header>\n");
}

void html_end(struct buf *out, bool ok, size_t failed, struct str text)
{
	buf_addf(out, "<div class=\"banner%s\">", ok ? "" : " bad");
	html_text(out, text);
	if (failed)
		buf_addf(out, " <a href=\"#error\">To cell %zu</a>", failed);
	buf_adds(out, "</div>\n");
}

/* --- outputs --- */

enum shown_as { AS_CLEAN, AS_SVG, AS_IMAGE, AS_MARKDOWN, AS_JSON, AS_TEXT };

/* The richest that a page can show, first. */
static const struct {
	const char *mime;
	enum shown_as as;
} shown[] = {
	{"image/svg+xml", AS_SVG}, {"image/png", AS_IMAGE},         {"image/jpeg", AS_IMAGE},
	{"image/gif", AS_IMAGE},   {"image/webp", AS_IMAGE},        {"text/html", AS_CLEAN},
	{"text/latex", AS_TEXT},   {"text/markdown", AS_MARKDOWN},  {"text/plain", AS_TEXT},
	{"application/json", AS_JSON},
};

/* As much of it as is shown, and a line that says so. */
static struct str within(struct str s, bool *cut)
{
	*cut = s.n > HTML_OUTPUT_MAX;
	if (!*cut)
		return s;
	s.n = HTML_OUTPUT_MAX;
	while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

static void note_cut(struct buf *out, size_t n)
{
	buf_addf(out, "<p class=t>The first %zu MB of %.1f; all of it is in the notebook.</p>", HTML_OUTPUT_MAX >> 20,
	         (double)n / (1 << 20));
}

static bool is_base64(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n", s.p[i]) || !s.p[i])
			return false;
	return s.n > 0;
}

static void add_base64(struct buf *out, struct str s)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)s.p[i] << 16;

		v |= i + 1 < s.n ? (uint32_t)(uint8_t)s.p[i + 1] << 8 : 0;
		v |= i + 2 < s.n ? (uint8_t)s.p[i + 2] : 0;
		buf_addc(out, digit[v >> 18]);
		buf_addc(out, digit[v >> 12 & 63]);
		buf_addc(out, i + 1 < s.n ? digit[v >> 6 & 63] : '=');
		buf_addc(out, i + 2 < s.n ? digit[v & 63] : '=');
	}
}

/* Of a bundle that has no better words for it: its text. */
static void add_image(struct buf *out, const char *mime, struct str data, bool raw, struct str alt)
{
	buf_addf(out, "<img src=\"data:%s;base64,", mime);
	if (raw)
		add_base64(out, data);
	else
		for (size_t i = 0; i < data.n; i++)
			if (data.p[i] != '\n')
				buf_addc(out, data.p[i]);
	buf_adds(out, "\" alt=\"");
	html_text(out, str_sub(alt, 0, 200));
	buf_adds(out, "\">");
}

static void add_text(struct buf *out, struct str s, const char *class)
{
	bool cut;
	struct str part = within(s, &cut);

	buf_addf(out, "<pre%s>", class);
	html_ansi(out, part);
	buf_adds(out, "</pre>");
	if (cut)
		note_cut(out, s.n);
}

static void add_data(struct arena *a, struct buf *out, const struct dom *data)
{
	struct str alt = notebook_text(a, dom_get(data, "text/plain"));

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const struct dom *v = dom_get(data, shown[i].mime);
		struct str text = notebook_text(a, v);
		bool cut = false;

		if (!v || (!text.p && shown[i].as != AS_JSON) || (shown[i].as == AS_IMAGE && !is_base64(text)))
			continue;
		switch (shown[i].as) {
		case AS_SVG:
		case AS_IMAGE:
			add_image(out, shown[i].mime, text, shown[i].as == AS_SVG, alt);
			break;
		case AS_CLEAN:
			html_clean(out, within(text, &cut));
			break;
		case AS_MARKDOWN:
			html_markdown(a, out, within(text, &cut));
			break;
		case AS_JSON: {
			struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);

			dom_write_json(&b, v, DOM_PRETTY);
			add_text(out, buf_str(&b), "");
			break;
		}
		default:
			add_text(out, text, "");
		}
		if (cut)
			note_cut(out, text.n);
		return;
	}
	if (data && data->n)
		add_text(out, STR("(an output of a kind that a page cannot show; it is in the notebook)"), " class=t");
}

static void add_output(struct arena *a, struct buf *out, const struct dom *o)
{
	struct str type = notebook_text(a, dom_get(o, "output_type"));

	buf_adds(out, "<div class=o>");
	if (str_is(type, "stream")) {
		bool err = str_is(notebook_text(a, dom_get(o, "name")), "stderr");

		add_text(out, notebook_text(a, dom_get(o, "text")), err ? " class=e" : "");
	} else if (str_is(type, "error")) {
		const struct dom *trace = dom_get(o, "traceback");
		struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);

		dom_each(line, trace)
			buf_addf(&b, "%.*s\n", STR_ARG(notebook_text(a, line)));
		if (!b.n)
			buf_addf(&b, "%.*s: %.*s", STR_ARG(notebook_text(a, dom_get(o, "ename"))),
			         STR_ARG(notebook_text(a, dom_get(o, "evalue"))));
		add_text(out, buf_str(&b), " class=e");
	} else
		add_data(a, out, dom_get(o, "data"));
	buf_adds(out, "</div>");
}

/* --- cells --- */

static void add_time(struct buf *out, const struct cell *c, const struct html_cell *about)
{
	if (about->skipped)
		buf_adds(out, "<div class=t>not run</div>");
	else if (about->ms >= 0)
		buf_addf(out, "<div class=t>[%" PRId64 "] %" PRId64 ".%02d s</div>", c->count, about->ms / 1000,
		         (int)(about->ms % 1000 / 10));
}

void html_cell(struct arena *a, struct buf *out, const struct html_page *p, const struct cell *c,
               const struct html_cell *about)
{
	bool hide = p->hide_input || cell_has_tag(c, "remove-input") || cell_has_tag(c, "hide-input");

	if (cell_has_tag(c, "remove-cell") && !about->failed)
		return;
	buf_addf(out, "<section id=cell-%zu%s>", about->number, about->failed ? " class=bad" : "");
	if (about->failed)
		buf_adds(out, "<a id=error></a>");
	if (c->type == CELL_MARKDOWN) {
		html_markdown(a, out, c->source);
	} else if (c->type == CELL_RAW) {
		add_text(out, c->source, "");
	} else {
		if ((!hide || about->failed) && c->source.n) {
			buf_adds(out, "<pre class=i>");
			html_python(out, c->source);
			buf_adds(out, "</pre>");
		}
		add_time(out, c, about);
		dom_each(o, c->outputs)
			add_output(a, out, o);
	}
	buf_adds(out, "</section>\n");
}
