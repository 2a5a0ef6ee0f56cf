#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/str.h"
#include "base/tz.h"
#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/show.h"
#include "plot/plot.h"
#include "sys/clock.h"
#include "sys/term.h"

struct str show_text(const struct dom *row, const char *key)
{
	const struct dom *v = dom_get(row, key);

	return v && v->type == DOM_STR ? v->s : STR("");
}

int64_t show_int(const struct dom *row, const char *key)
{
	const struct dom *v = dom_get(row, key);

	return v && v->type == DOM_INT ? v->i : 0;
}

struct str show_value(struct arena *a, const struct dom *v)
{
	if (v->type == DOM_REAL)
		return arena_strf(a, "%.*f", fabs(v->d) < 10 ? 2 : 1, v->d);
	return dom_text(a, v);
}

bool show_is_number_type(struct str t)
{
	static const char *const words[] = {"TINYINT",   "SMALLINT", "INTEGER", "BIGINT",   "HUGEINT", "UTINYINT",
	                                    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",   "DOUBLE"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(t, words[i]))
			return true;
	return str_has_prefix(t, STR("DECIMAL")) && t.n && t.p[t.n - 1] == ')';
}

char *show_bytes(struct arena *a, int64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)n;
	size_t u = 0;

	while (v >= 999.5 && u + 1 < ARRAY_LEN(units)) {
		v /= 1000;
		u++;
	}
	return arena_printf(a, u && v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* "2026-11-21 06:45", in UTC as everywhere. */
static struct str short_time(struct arena *a, struct str rfc3339)
{
	if (rfc3339.n < 16)
		return rfc3339;
	return arena_strf(a, "%.10s %.5s", rfc3339.p, rfc3339.p + 11);
}

static struct str short_id(struct str id)
{
	return str_sub(id, 0, 12);
}

static bool is_bytes_column(struct str key)
{
	return str_is(key, "size") || str_is(key, "bytes") || str_is(key, "head") || str_is(key, "history") ||
	       str_is(key, "peak");
}

bool show_is_number_column(struct str key)
{
	static const char *const numbers[] = {"units", "seconds", "cpu", "attempt", "number", "files", "count", "goes"};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (str_is(key, numbers[i]))
			return true;
	return is_bytes_column(key);
}

struct str show_cell(struct arena *a, struct str key, const struct dom *v)
{
	static const char *const times[] = {"last",    "at",      "due",   "started", "finished",
	                                    "created", "expires", "since", "next"};
	static const char *const ids[] = {"run", "batch", "commit", "open"};

	if (v->type == DOM_INT && is_bytes_column(key))
		return str_of(show_bytes(a, v->i));
	if (v->type != DOM_STR)
		return show_value(a, v);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (str_is(key, times[i]))
			return short_time(a, v->s);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (str_is(key, ids[i]))
			return short_id(v->s);
	return v->s;
}

void show_note(struct show_state *s, const struct dom *row)
{
	if (row)
		fprintf(s->out, "%.*s\n", STR_ARG(show_text(row, "text")));
}

void show_commit_made(struct show_state *s, const struct dom *row)
{
	struct str repo;

	if (!row)
		return;
	repo = show_text(row, "repo");
	fprintf(s->out, "%.*s@%.*s  ", STR_ARG(repo), STR_ARG(short_id(show_text(row, "commit"))));
	if (dom_get(row, "open"))
		fprintf(s->out, "open");
	else
		fprintf(s->out, "number %" PRId64, show_int(row, "number"));
	fprintf(s->out, ", %" PRId64 " file%s, %s\n", show_int(row, "files"),
	        show_int(row, "files") == 1 ? "" : "s", show_bytes(s->arena, show_int(row, "size")));
}

/* The id alone: for id=$(leat start REPO). */
void show_started(struct show_state *s, const struct dom *row)
{
	if (row)
		fprintf(s->out, "%.*s\n", STR_ARG(show_text(row, "commit")));
}

/* Commits as put shows them; branches and tags by name. */
void show_batch(struct show_state *s, const struct dom *row)
{
	struct str name;

	if (!row || dom_get(row, "files")) {
		show_commit_made(s, row);
		return;
	}
	name = show_text(row, dom_get(row, "tag") ? "tag" : "branch");
	fprintf(s->out, "%.*s@%.*s  %s %.*s\n", STR_ARG(show_text(row, "repo")), STR_ARG(name),
	        dom_get(row, "tag") ? "tag" : "branch",
	        STR_ARG(dom_get(row, "deleted") ? STR("deleted") : short_id(show_text(row, "commit"))));
}

void show_adopted(struct show_state *s, const struct dom *row)
{
	const struct dom *made = row ? dom_get(row, "made") : NULL;

	if (!row)
		return;
	if (args_flag(s->args, "restore")) {
		int64_t gone = show_int(row, "added"), edited = show_int(row, "changed");

		fprintf(s->out,
		        "%.*s  %" PRId64 " file%s as committed again (%" PRId64 " deleted, %" PRId64
		        " edited), %" PRId64 " moved to .leat/lost+found\n",
		        STR_ARG(show_text(row, "repo")), gone + edited, gone + edited == 1 ? "" : "s", gone, edited,
		        edited + show_int(row, "deleted"));
		return;
	}
	if (!made || !made->b)
		return;
	fprintf(s->out, "%.*s@%.*s  %" PRId64 " added, %" PRId64 " changed, %" PRId64 " deleted\n",
	        STR_ARG(show_text(row, "repo")), STR_ARG(short_id(show_text(row, "commit"))), show_int(row, "added"),
	        show_int(row, "changed"), show_int(row, "deleted"));
}

static void repo_row(struct show_state *s, const struct dom *row)
{
	static const char *const titles[] = {"repo", "files", "size", "commit", "at", "job"};
	struct arena *a = s->arena;

	if (!s->grid) {
		s->grid = grid_new(a, ARRAY_LEN(titles));
		for (size_t i = 0; i < ARRAY_LEN(titles); i++)
			grid_head(s->grid, i, str_of(titles[i]), i == 1 || i == 2);
	}
	grid_cell(s->grid, show_text(row, "repo"));
	grid_cell(s->grid, arena_strf(a, "%" PRId64, show_int(row, "files")));
	grid_cell(s->grid, str_of(show_bytes(a, show_int(row, "size"))));
	grid_cell(s->grid, short_id(show_text(row, "commit")));
	grid_cell(s->grid, short_time(a, show_text(row, "at")));
	grid_cell(s->grid, show_text(row, "job"));
}

/* Repos: what a listing shows where no path is asked for. */
void show_entry(struct show_state *s, const struct dom *row)
{
	if (row)
		repo_row(s, row);
	else if (s->grid)
		grid_print(s->grid, s->out, 0, true, "");
}

/*
 * Names alone, one a line, as ls does; -l puts size and hash in front. Where files of several repos may come, the repo
 * stands before the path, so that a line is what cat and get take. No printf: listings are long.
 */
void show_file(struct buf *b, const struct show_file *how, const struct sink_entry *en)
{
	bool folder = en->entry->kind == ENTRY_FOLDER;
	struct arena *a = NULL;
	struct str path = en->path;

	for (size_t i = 0; !a && i < path.n; i++)
		if ((uint8_t)path.p[i] < 0x20 || (uint8_t)path.p[i] >= 0x7f)
			a = arena_new();
	if (a)
		path = clean_text(a, path, "");
	if (how->size) {
		char hex[SHA_HEX + 1] = "-";

		if (!folder)
			sha_hex(&en->entry->id, hex);
		buf_addf(b, "%12" PRId64 "  %-64s  ", en->entry->size, hex);
	}
	if (folder)
		buf_adds(b, how->on);
	if (how->repo) {
		buf_addstr(b, en->repo);
		buf_addc(b, ':');
	}
	buf_addc(b, '/');
	buf_addstr(b, path);
	if (folder) {
		if (path.n)
			buf_addc(b, '/');
		buf_adds(b, how->off);
	}
	buf_addc(b, '\n');
	arena_free(a);
}

void show_tree(struct show_state *s, const struct dom *row)
{
	int64_t depth;
	struct str path, head, name;
	bool folder;

	if (!row)
		return;
	depth = show_int(row, "depth");
	path = show_text(row, "path");
	folder = str_is(show_text(row, "type"), "folder");
	if (!depth) {
		fprintf(s->out, "%s%.*s%s%s%.*s\n", style_on(s->out, STYLE_BOLD), STR_ARG(show_text(row, "repo")),
		        style_off(s->out), path.n > 1 ? ":" : "", path.n > 1 ? (int)path.n : 0, path.p);
		return;
	}
	if (!str_rcut(path, '/', &head, &name))
		name = path;
	fprintf(s->out, "%*s%s%.*s%s%s", (int)(2 * depth), "", style_on(s->out, folder ? STYLE_BLUE : STYLE_PLAIN),
	        STR_ARG(name), folder ? "/" : "", style_off(s->out));
	if (folder)
		fprintf(s->out, "  %s%" PRId64 " file%s%s", style_on(s->out, STYLE_DIM), show_int(row, "files"),
		        show_int(row, "files") == 1 ? "" : "s", style_off(s->out));
	else
		fprintf(s->out, "  %s%s%s", style_on(s->out, STYLE_DIM), show_bytes(s->arena, show_int(row, "size")),
		        style_off(s->out));
	fputc('\n', s->out);
}

/* The message, and in brackets what --meta said. */
static struct str with_meta(struct arena *a, const struct dom *row)
{
	const struct dom *meta = dom_get(row, "meta");
	struct str text = show_text(row, "message");

	dom_each (m, meta)
		text = arena_strf(a, "%.*s%s%.*s=%.*s", STR_ARG(text), m != meta->first ? ", " : text.n ? " [" : "[",
		                  STR_ARG(m->key), STR_ARG(m->s));
	return meta && meta->n ? arena_strf(a, "%.*s]", STR_ARG(text)) : text;
}

void show_log(struct show_state *s, const struct dom *row)
{
	static const char *const titles[] = {"commit", "repo", "nr", "at", "files", "size", "message", "change"};
	struct arena *a = s->arena;
	const struct dom *path;
	struct str run, said;

	if (!row) {
		if (s->grid)
			grid_print(s->grid, s->out, s->width, true, "");
		return;
	}
	path = dom_get(row, "path");
	if (!s->grid) { /* of one file, what the commit did to it is told, too */
		size_t n = ARRAY_LEN(titles) - !path;

		s->grid = grid_new(a, n);
		for (size_t i = 0; i < n; i++)
			grid_head(s->grid, i, str_of(titles[i]), i == 2 || i == 4 || i == 5);
	}
	run = show_text(row, "run");
	if (dom_get(row, "job")) { /* a run that gave none */
		grid_cell(s->grid, short_id(show_text(row, "global_id")));
		grid_cell(s->grid, show_text(row, "job"));
		grid_cell(s->grid, STR("-"));
		grid_cell(s->grid, short_time(a, show_text(row, "at")));
		grid_cell(s->grid, STR("-"));
		grid_cell(s->grid, STR("-"));
		said = str_is(show_text(row, "state"), "upstream-failed") ? STR("unrunnable") : STR("failed");
		grid_cell(s->grid, arena_strf(a, "%.*s: %.*s", STR_ARG(said), STR_ARG(show_text(row, "reason"))));
		return;
	}
	grid_cell(s->grid, short_id(show_text(row, "commit")));
	grid_cell(s->grid, show_text(row, "repo"));
	grid_cell(s->grid, arena_strf(a, "%" PRId64, show_int(row, "number")));
	grid_cell(s->grid, short_time(a, show_text(row, "at")));
	grid_cell(s->grid, arena_strf(a, "%" PRId64, show_int(row, "files")));
	grid_cell(s->grid, str_of(show_bytes(a, show_int(row, "size"))));
	said = show_text(row, "message").n || !run.n ? with_meta(a, row) : arena_strf(a, "run %.12s", run.p);
	if (dom_get(row, "forgotten"))
		said = arena_strf(a, "(forgotten)%s%.*s", said.n ? " " : "", STR_ARG(said));
	grid_cell(s->grid, said);
	if (path)
		grid_cell(s->grid, str_is(show_text(row, "change"), "deleted")
		                           ? STR("deleted")
		                           : arena_strf(a, "%.*s, %s", STR_ARG(show_text(row, "change")),
		                                        show_bytes(a, show_int(row, "path_size"))));
}

/* A unified diff, coloured by the first byte of each line. */
static void print_lines(FILE *f, struct str text)
{
	while (text.n) {
		const char *nl = memchr(text.p, '\n', text.n);
		struct str line = {text.p, nl ? (size_t)(nl - text.p) : text.n};
		enum style style = line.n && line.p[0] == '+'   ? STYLE_GREEN
		                   : line.n && line.p[0] == '-' ? STYLE_RED
		                   : line.n && line.p[0] == '@' ? STYLE_BLUE
		                                                : STYLE_PLAIN;

		fputs(style_on(f, style), f);
		fwrite(line.p, 1, line.n, f);
		fputs(style_off(f), f);
		fputc('\n', f);
		text = str_sub(text, line.n + 1, SIZE_MAX);
	}
}

static void diff_counts(struct show_state *s, const struct dom *row)
{
	fprintf(s->out, "%" PRId64 " new, %" PRId64 " old (folders counted)\n", show_int(row, "new"),
	        show_int(row, "old"));
	fprintf(s->out,
	        "files: %" PRId64 " added, %" PRId64 " changed, %" PRId64 " deleted; %" PRId64 " -> %" PRId64
	        " bytes\n",
	        show_int(row, "added"), show_int(row, "changed"), show_int(row, "deleted"), show_int(row, "old_size"),
	        show_int(row, "size"));
}

/* --- diff --rows --- */

static const struct sign {
	const char *word, *sign;
	enum style style;
} row_signs[] = {{"added", "+", STYLE_GREEN}, {"removed", "-", STYLE_RED}, {"changed", "~", STYLE_YELLOW}};

static struct str cell_text(struct arena *a, const struct dom *v)
{
	struct buf b cleanup(buf_free) = BUF_INIT((size_t)64 << 20);

	if (!v)
		return STR("");
	if (v->type == DOM_STR)
		return v->s;
	dom_write_json(&b, v, DOM_COMPACT);
	return arena_str(a, buf_str(&b));
}

/* name value, name old -> new */
static struct str cells_text(struct arena *a, const struct dom *old, const struct dom *new)
{
	struct str all = STR("");
	const struct dom *of = new ? new : old;

	dom_each(v, of) {
		struct str value = cell_text(a, v), was = old && new ? cell_text(a, dom_get(old, arena_cstr(a, v->key)))
		                                                     : STR_NULL;

		all = arena_strf(a, "%.*s%s%.*s %.*s%s%.*s", STR_ARG(all), all.n ? ", " : "", STR_ARG(v->key),
		                 STR_ARG(was.p ? was : value), was.p ? " -> " : "", was.p ? (int)value.n : 0, value.p);
	}
	return all;
}

static void row_counts(struct show_state *s, const struct dom *row)
{
	const struct dom *n = dom_get(row, "rows"), *columns = dom_get(row, "columns");
	const struct dom *parts = dom_get(row, "partitions");
	int64_t changed = show_int(n, "changed"), all = changed + show_int(n, "added") + show_int(n, "removed");
	struct str each = STR("");

	dom_each(c, columns)
		each = arena_strf(s->arena, "%.*s%s%.*s %" PRId64, STR_ARG(each), each.n ? ", " : "", STR_ARG(c->key),
		                  c->i);
	if (show_int(n, "shown") && show_int(n, "shown") < all)
		fprintf(s->out, "... and %" PRId64 " more rows (--limit 0 shows all)\n", all - show_int(n, "shown"));
	fprintf(s->out, "rows: %" PRId64 " added, %" PRId64 " removed, %" PRId64 " changed%s%.*s%s\n",
	        show_int(n, "added"), show_int(n, "removed"), changed, each.n ? " (" : "", STR_ARG(each),
	        each.n ? ")" : "");
	if (show_int(parts, "same"))
		fprintf(s->out, "partitions: %" PRId64 " compared, %" PRId64 " the same and not read\n",
		        show_int(parts, "compared"), show_int(parts, "same"));
}

static void show_row_diff(struct show_state *s, const struct dom *row)
{
	const struct sign *sign = NULL;
	struct arena *a = s->arena;
	struct str key, cells, type = show_text(row, "type"), old_type = show_text(row, "old_type");

	if (dom_get(row, "rows")) {
		row_counts(s, row);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(row_signs); i++)
		if (str_is(show_text(row, "change"), row_signs[i].word))
			sign = &row_signs[i];
	if (!sign)
		return;
	fprintf(s->out, "%s%s ", style_on(s->out, sign->style), sign->sign);
	if (dom_get(row, "column")) {
		fprintf(s->out, "column %.*s%s  %.*s%s%.*s\n", STR_ARG(show_text(row, "column")), style_off(s->out),
		        STR_ARG(old_type), old_type.n && type.n ? " -> " : "", STR_ARG(type));
		return;
	}
	key = cells_text(a, NULL, dom_get(row, "key"));
	cells = cells_text(a, dom_get(row, "old"), dom_get(row, "new"));
	fprintf(s->out, "%.*s%s%s%.*s", STR_ARG(key), style_off(s->out), key.n && cells.n ? ":  " : "", STR_ARG(cells));
	if (show_int(row, "times") > 1)
		fprintf(s->out, "  (%" PRId64 " times)", show_int(row, "times"));
	fputc('\n', s->out);
}

/* --- diff of two states of the workspace --- */

static void add_counts(FILE *f, const struct dom *c, const char *one, const char *many, bool *first)
{
	static const char *const words[] = {"added", "deleted", "changed"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		int64_t n = show_int(c, words[i]);

		if (!n)
			continue;
		fprintf(f, "%s%" PRId64 " %s %s", *first ? "  " : ", ", n, n == 1 ? one : many, words[i]);
		*first = false;
	}
}

static void show_state_repo(struct show_state *s, const struct dom *row, const struct sign *sign)
{
	bool first = true;

	fprintf(s->out, "%s%s%s %.*s%s", s->n++ ? "\n" : "", style_on(s->out, sign->style), sign->sign,
	        STR_ARG(show_text(row, "repo")), style_off(s->out));
	add_counts(s->out, dom_get(row, "partitions"), "partition", "partitions", &first);
	add_counts(s->out, dom_get(row, "files"), "file", "files", &first);
	fputc('\n', s->out);
}

static void show_state_end(struct show_state *s, const struct dom *repos)
{
	int64_t differ = show_int(repos, "added") + show_int(repos, "deleted") + show_int(repos, "changed");

	fprintf(s->out, "%s%" PRId64 " repo%s, %" PRId64 " the same\n", differ ? "\n" : "", differ,
	        differ == 1 ? " differs" : "s differ", show_int(repos, "same"));
}

/* Whether it was a row of such a diff. */
static bool show_state_row(struct show_state *s, const struct dom *row)
{
	static const struct sign signs[] = {
		{"added", "+", STYLE_GREEN}, {"deleted", "-", STYLE_RED}, {"changed", "~", STYLE_YELLOW}};
	const struct sign *sign = &signs[0];
	bool names = args_flag(s->args, "name-only");
	struct str repo = show_text(row, "repo"), path = show_text(row, "path"), part = show_text(row, "partition");

	if (!repo.n && !dom_get(row, "repos")) /* of two pins */
		return false;
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (str_is(show_text(row, "change"), signs[i].word))
			sign = &signs[i];
	if (dom_get(row, "repos")) {
		if (!names)
			show_state_end(s, dom_get(row, "repos"));
	} else if (names && (path.n || part.n)) {
		fprintf(s->out, "%.*s:%s%.*s\n", STR_ARG(repo), part.n ? "/ds=" : "", STR_ARG(part.n ? part : path));
	} else if (names) {
		return true;
	} else if (dom_get(row, "files")) {
		show_state_repo(s, row, sign);
	} else if (dom_get(row, "more")) {
		fprintf(s->out, "  ... and %" PRId64 " more (--json tells all)\n", show_int(row, "more"));
	} else if (path.n || part.n) {
		fprintf(s->out, "%s  %s %s%.*s%s  %" PRId64 " -> %" PRId64 " bytes\n", style_on(s->out, sign->style),
		        sign->sign, part.n ? "ds=" : "", STR_ARG(part.n ? part : path), style_off(s->out),
		        show_int(row, "old_size"), show_int(row, "size"));
	} else {
		fputs("  ", s->out);
		show_row_diff(s, row);
	}
	return true;
}

void show_diff(struct show_state *s, const struct dom *row)
{
	static const struct {
		const char *word, *sign;
		enum style style;
	} signs[] = {{"added", "+", STYLE_GREEN}, {"deleted", "-", STYLE_RED}, {"changed", "~", STYLE_YELLOW}};
	struct str change;

	if (!row)
		return;
	if (show_state_row(s, row))
		return;
	if (args_flag(s->args, "rows")) {
		show_row_diff(s, row);
		return;
	}
	if (dom_get(row, "new")) {
		diff_counts(s, row);
		return;
	}
	change = show_text(row, "change");
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (!str_is(change, signs[i].word))
			continue;
		if (args_flag(s->args, "name-only"))
			fprintf(s->out, "%.*s\n", STR_ARG(show_text(row, "path")));
		else if (dom_get(row, "text"))
			print_lines(s->out, show_text(row, "text"));
		else
			fprintf(s->out, "%s%s %.*s%s  %" PRId64 " -> %" PRId64 " bytes\n",
			        style_on(s->out, signs[i].style), signs[i].sign, STR_ARG(show_text(row, "path")),
			        style_off(s->out), show_int(row, "old_size"), show_int(row, "size"));
	}
}

void show_finding(struct show_state *s, const struct dom *row)
{
	if (row)
		fprintf(s->out, "%s%.*s%s  %.*s\n", style_on(s->out, STYLE_RED), STR_ARG(show_text(row, "code")),
		        style_off(s->out), STR_ARG(show_text(row, "message")));
}

void show_schema(struct show_state *s, const struct dom *row)
{
	struct arena *a = s->arena;
	const struct dom *columns;

	if (!row)
		return;
	if (dom_get(row, "ddl")) {
		fprintf(s->out, "%.*s\n", STR_ARG(show_text(row, "ddl")));
		return;
	}
	fprintf(s->out, "%s%.*s%s  %.*s", style_on(s->out, STYLE_BOLD), STR_ARG(show_text(row, "name")),
	        style_off(s->out), STR_ARG(show_text(row, "format")));
	if (show_text(row, "delim").n)
		fprintf(s->out, ", separator '%.*s'", STR_ARG(show_text(row, "delim")));
	if (dom_get(row, "header") && dom_get(row, "header")->type == DOM_BOOL)
		fprintf(s->out, ", %s header", dom_get(row, "header")->b ? "with a" : "no");
	fputc('\n', s->out);
	s->grid = grid_new(a, 2);
	grid_head(s->grid, 0, STR("column"), false);
	grid_head(s->grid, 1, STR("type"), false);
	columns = dom_get(row, "columns");
	dom_each (c, columns) {
		grid_cell(s->grid, show_text(c, "name"));
		grid_cell(s->grid, show_text(c, "type"));
	}
	grid_print(s->grid, s->out, s->width, true, "");
	if (show_text(row, "note").n)
		fprintf(s->out, "%.*s\n", STR_ARG(show_text(row, "note")));
	s->grid = NULL;
}

/* Label and length of each row, as bars that fill the terminal. */
static void print_bars(struct show_state *s, const struct dom *doc)
{
	const struct dom *columns = dom_get(doc, "columns");
	struct str names[2] = {0}, types[2] = {0}, cells[2];
	struct plot_ask ask = {.kind = PLOT_BAR};
	struct plot_screen screen = {
		.width = s->width ? s->width : 80, .utf8 = term_utf8(), .colour = term_colour(STDOUT_FILENO)
	};
	struct buf b cleanup(buf_free) = BUF_INIT(PLOT_MAX_BYTES);
	struct err ignored = ERR_INIT;
	struct plot *p;
	size_t n = 0;

	dom_each (c, columns)
		if (n < ARRAY_LEN(names)) {
			names[n] = show_text(c, "name");
			types[n++] = show_text(c, "type");
		}
	if (plot_new(s->arena, &ask, names, types, n, &p, &ignored))
		return;
	dom_each (row, dom_get(doc, "rows")) {
		n = 0;
		dom_each (cell, row)
			if (n < ARRAY_LEN(cells))
				cells[n++] = cell->type == DOM_NULL ? STR_NULL : cell->s;
		if (plot_row(p, cells, &ignored))
			return;
	}
	if (plot_make(p, &ignored))
		return;
	plot_text(p, &screen, &b);
	fwrite(b.p, 1, b.n, s->out);
}

static void print_table(struct show_state *s, const struct dom *table)
{
	const struct dom *columns = dom_get(table, "columns"), *rows = dom_get(table, "rows");
	size_t i = 0;

	s->grid = grid_new(s->arena, columns->n);
	dom_each (c, columns)
		grid_head(s->grid, i++, show_text(c, "name"), show_is_number_type(show_text(c, "type")));
	dom_each (row, rows)
		dom_each (cell, row)
			grid_cell(s->grid, cell->type == DOM_NULL ? STR_NULL : cell->s);
	grid_print(s->grid, s->out, s->width, true, "NULL");
	s->grid = NULL;
}

/* Sentences, a table, bars: each row says which it is. */
void show_playground(struct show_state *s, const struct dom *row)
{
	const struct dom *rows;

	if (!row)
		return;
	rows = dom_get(row, "rows");
	if (!rows) {
		show_note(s, row);
		return;
	}
	if (!dom_get(row, "shape")) {
		print_table(s, row);
		return;
	}
	print_bars(s, row);
}
