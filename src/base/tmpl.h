/*
 * base/tmpl.h: the template language of job files, bound when a job runs, never when it is generated.
 *
 *   {{ expr }}   {{ expr | filter | filter(arg) }}   {% for x in expr %}..{% endfor %}   {% if expr %}..{% elif %}..{%
 * else %}..{% endif %}   {# comment #} expr: names with dots and [index], strings, numbers, true/false/none, == != < <=
 * > >= and or not in, + - * / ~ (join as text), function calls (ds_add(ds, 7), ds_format(ds, '%Y/%m'), …: the table of
 * functions and filters is in tmpl.c).
 * `{%- -%}` trim blanks. A name that does not exist is an error at its place, with the nearest name as a hint.
 *
 * In SQL (TMPL_SQL) `{{ ds }}` is a quoted literal where an expression stands and bare inside quotes; everything else
 * is inserted as it is, `| sql` quotes. With TMPL_SQL_BOUND no value becomes code: each is a literal where an
 * expression stands, text between quotes, and part of a name only if it is a word itself. Bounded: output TMPL_MAX_OUT,
 * loop steps TMPL_MAX_STEPS, nesting TMPL_MAX_DEPTH.
 */
#ifndef LEAT_BASE_TMPL_H
#define LEAT_BASE_TMPL_H

#include "base/dom.h"
#include "base/tz.h"

#define TMPL_MAX_OUT ((size_t)16 << 20)
#define TMPL_MAX_STEPS 1000000
#define TMPL_MAX_DEPTH 64

enum tmpl_mode { TMPL_TEXT, TMPL_SQL, TMPL_SQL_BOUND, TMPL_SHELL, TMPL_HTML };

/* Where a piece of the output came from: bytes [out, next.out) stem from source offset `src` on (literal), or from the
 * tag at `src` (not literal). Sorted by out. */
struct tmpl_span {
	size_t out, src;
	bool literal;
};

struct tmpl_result {
	struct str text;
	struct tmpl_span *spans;
	size_t n_spans;
};

struct tmpl_env {
	const struct dom *vars; /* a map: ds, params, inputs, output, … */
	const struct tz *tz;    /* for ds functions */
	enum tmpl_mode mode;
};

must_check int tmpl_render(struct arena *a, struct str source, const char *file, const struct tmpl_env *env,
                           struct tmpl_result *out, struct err *e);

/* Source offset (and from it line and column) of an offset in the output. */
size_t tmpl_source_offset(const struct tmpl_result *r, size_t out_offset);
void text_line_col(struct str text, size_t offset, int *line, int *col); /* col in characters, 1-based */

/*
 * What a template uses, without rendering: every top-level name path ("ds", "params.min_speed", "inputs.speeds"), with
 * place, and whether each use is a plain {{ name }} with no filter, outside any {% %} (so its value cannot change the
 * shape of the text around it).
 */
struct tmpl_use {
	struct str path;
	int line, col;
	bool plain;
};
must_check int tmpl_uses(struct arena *a, struct str source, const char *file, struct tmpl_use **out, size_t *n,
                         struct err *e);

#endif
