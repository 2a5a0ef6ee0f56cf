/* Markdown by md4c (md4c-html.h, 0.4.8), loaded when it is needed. */
#include "base/str.h"
#include "note/html.h"
#include "sys/dl.h"

#define PERMISSIVE_URLS 0x0004
#define PERMISSIVE_MAILS 0x0008
#define NO_HTML_BLOCKS 0x0020
#define NO_HTML_SPANS 0x0040
#define TABLES 0x0100
#define STRIKETHROUGH 0x0200
#define TASKLISTS 0x0800

typedef void md_sink(const char *text, unsigned n, void *ptr);

static int (*md_html)(const char *text, unsigned n, md_sink *sink, void *ptr, unsigned parser_flags,
                      unsigned renderer_flags);

static const char *const paths[] = {"libmd4c-html.so.0", "libmd4c-html.so", NULL};
static const struct dl_symbol symbols[] = {DL_SYM(md_html, md_html)};
static struct dl_lib library = {
	.name = "md4c",
	.package = "libmd4c-html0",
	.paths = paths,
	.symbols = symbols,
	.n_symbols = ARRAY_LEN(symbols),
};

static void into(const char *text, unsigned n, void *ptr)
{
	buf_add(ptr, text, n);
}

/* Links of any scheme are md4c's to give: what it made is looked through like HTML from elsewhere. */
void html_markdown(struct arena *a, struct buf *out, struct str s)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct err ignored = ERR_INIT;

	if (s.n > UINT32_MAX || dl_load(&library, &ignored) ||
	    md_html(s.p, (unsigned)s.n, into, &b,
	            PERMISSIVE_URLS | PERMISSIVE_MAILS | NO_HTML_BLOCKS | NO_HTML_SPANS | TABLES | STRIKETHROUGH |
	                    TASKLISTS, 0)) {
		buf_adds(out, "<pre class=m>");
		html_text(out, s);
		buf_adds(out, "</pre>");
		return;
	}
	buf_adds(out, "<div class=m>");
	html_clean(out, buf_str(&b));
	buf_adds(out, "</div>");
}
