/*
 * Python in cells that begin with `# %%`.
 *
 * A cell begins with `# %% TITLE [markdown] key=JSON ...` and lasts to the next such line. What Python itself would
 * not read stands in comments: text, IPython's magics and shell lines (`# %matplotlib inline`, `# !ls`), and cells of
 * another language (`# %% language="bash"`, for `%%bash`). A comment that looks like one of these gets one more `# `.
 * Notebook metadata stands at the top, as YAML between two `# ---` under `jupyter:`. Source: Jupytext's documentation
 * of its percent format; tests/py/notebooks.py compares with Jupytext itself.
 */
#include "base/str.h"
#include "note/notebook_in.h"

/* %% magics whose body is Python; any other's is not, and is put in comments. */
static const char *const python_magics[] = {"time", "timeit", "capture", "prun", "python", "python3", "memit", "mprun",
                                            "lprun"};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static struct str without_indent(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_sub(s, 1, s.n);
	return s;
}

static struct str uncommented(struct str s)
{
	s = str_sub(s, 1, s.n);
	return s.n && s.p[0] == ' ' ? str_sub(s, 1, s.n) : s;
}

/* --- magics --- */

/* Whether the line begins a cell; *depth the % beyond two, *rest what follows. */
static bool marker(struct str line, int64_t *depth, struct str *rest)
{
	size_t i = 1, n = 0;

	if (!line.n || line.p[0] != '#')
		return false;
	while (i < line.n && line.p[i] == ' ')
		i++;
	while (i + n < line.n && line.p[i + n] == '%')
		n++;
	if (n < 2 || (i + n < line.n && line.p[i + n] != ' '))
		return false;
	*depth = (int64_t)n - 2;
	*rest = str_trim(str_sub(line, i + n, line.n));
	return true;
}

/* `name = !command`, `name = %magic` */
static bool is_assigned_magic(struct str s)
{
	size_t i = 0;

	while (i < s.n && (is_word(s.p[i]) || s.p[i] == ',' || s.p[i] == ' '))
		i++;
	if (!i || !is_letter(s.p[0]) || i + 2 >= s.n || s.p[i] != '=')
		return false;
	s = without_indent(str_sub(s, i + 1, s.n));
	return s.n > 1 && ((s.p[0] == '%' && is_letter(s.p[1])) || (s.p[0] == '!' && s.p[1] != '=' && s.p[1] != ' '));
}

/* Without its indent. `name?` and `?name` are IPython's help. */
static bool is_magic(struct str s)
{
	size_t i = 0;

	if (s.n < 2)
		return false;
	if (s.p[0] == '%')
		return is_letter(s.p[1]) || (s.n > 2 && s.p[1] == '%' && is_letter(s.p[2]));
	if (s.p[0] == '!' || s.p[0] == '?')
		return s.p[1] != ' ' && s.p[1] != '=';
	while (i < s.n && (is_word(s.p[i]) || s.p[i] == '.'))
		i++;
	if (i && is_letter(s.p[0]) && i < s.n && s.p[i] == '?' && (i + 1 == s.n || (i + 2 == s.n && s.p[i + 1] == '?')))
		return true;
	return is_assigned_magic(s);
}

/* A magic behind one or more `# `. */
static bool is_commented_magic(struct str s)
{
	if (!s.n || s.p[0] != '#')
		return false;
	while (s.n && s.p[0] == '#')
		s = uncommented(s);
	return is_magic(s);
}

/* Follows a line of Python: *quote is the triple quote ('"' or '\'') that it leaves open, 0 if none. */
static void follow_quotes(struct str line, char *quote)
{
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		bool three = i + 2 < line.n && line.p[i + 1] == c && line.p[i + 2] == c;

		if (*quote) {
			if (c == '\\')
				i++;
			else if (c == *quote && three) {
				*quote = 0;
				i += 2;
			}
			continue;
		}
		if (c == '#')
			return;
		if (c != '"' && c != '\'')
			continue;
		if (three) {
			*quote = c;
			i += 2;
			continue;
		}
		for (i++; i < line.n && line.p[i] != c; i++)
			i += line.p[i] == '\\';
	}
}

/* What looks like the beginning of a cell behind a `# `, or is one: in strings too. */
static bool is_hidden_marker(struct str line, bool write)
{
	int64_t depth;
	struct str rest;

	if (!write && str_has_prefix(line, STR("# ")))
		line = uncommented(line);
	while (str_has_prefix(line, STR("# #")))
		line = uncommented(line);
	return marker(line, &depth, &rest);
}

/* Code as it stands in the file (`write`), or back: magics only where they are not within a string of several lines. */
static void code_lines(struct buf *out, struct str source, bool write)
{
	struct str rest = source, line;
	char quote = 0;
	bool first = true;

	while (str_next_line(&rest, &line)) {
		struct str bare = without_indent(line);
		bool hidden = is_hidden_marker(line, write) || (!quote && is_commented_magic(bare));
		bool magic = !quote && !hidden && is_magic(bare);

		if (!first)
			buf_addc(out, '\n');
		first = false;
		buf_add(out, line.p, (size_t)(bare.p - line.p));
		if (write && (hidden || magic))
			buf_adds(out, "# ");
		if (!write && hidden)
			bare = uncommented(bare);
		buf_addstr(out, bare);
		if (!hidden && !magic)
			follow_quotes(line, &quote);
	}
}

/* --- the line that begins a cell --- */

/* How many bytes of s one JSON value takes, or a bare word. */
static size_t value_span(struct str s)
{
	size_t i = 0;
	int depth = 0;

	for (; i < s.n; i++) {
		if (s.p[i] == '"') {
			for (i++; i < s.n && s.p[i] != '"'; i++)
				i += s.p[i] == '\\';
			if (!depth)
				return MIN(i + 1, s.n);
		} else if (s.p[i] == '[' || s.p[i] == '{')
			depth++;
		else if (s.p[i] == ']' || s.p[i] == '}') {
			if (--depth <= 0)
				return i + 1;
		} else if (s.p[i] == ' ' && !depth)
			break;
	}
	return i;
}

/* Takes `key=` off *s. */
static bool take_key(struct arena *a, struct str *s, struct str *key)
{
	size_t i = 0;

	if (s->n && s->p[0] == '"') {
		struct dom *text;
		struct err ignored = ERR_INIT;

		i = value_span(*s);
		if (i >= s->n || s->p[i] != '=' || dom_json(a, str_sub(*s, 0, i), "", &text, &ignored))
			return false;
		*key = text->s;
	} else {
		while (i < s->n && (is_word(s->p[i]) || s->p[i] == '.' || s->p[i] == '-'))
			i++;
		if (!i || i >= s->n || s->p[i] != '=')
			return false;
		*key = str_sub(*s, 0, i);
	}
	*s = str_sub(*s, i + 1, s->n);
	return true;
}

static void read_options(struct arena *a, struct str s, struct cell *c)
{
	struct str key;

	for (s = str_trim(s); s.n && take_key(a, &s, &key); s = str_trim(s)) {
		struct err ignored = ERR_INIT;
		size_t n = value_span(s);
		struct str text = str_sub(s, 0, n);
		struct dom *v;

		if (dom_json(a, text, "", &v, &ignored))
			v = dom_new_str(a, arena_str(a, text));
		if (str_is(key, "attachments") && v->type == DOM_MAP)
			c->attachments = v;
		else if (!dom_get(c->metadata, arena_cstr(a, key)))
			dom_set(a, c->metadata, arena_cstr(a, key), v);
		s = str_sub(s, n, s.n);
	}
}

static const struct {
	const char *word;
	enum cell_type type;
	const char *language;
} cell_words[] = {{"[markdown]", CELL_MARKDOWN, NULL},
                  {"[md]", CELL_MARKDOWN, NULL},
                  {"[raw]", CELL_RAW, NULL},
                  {"[sql]", CELL_CODE, "sql"}};

/* `[sql] NAME key=value`: the name, which is no key. */
static struct str take_word(struct str *s)
{
	struct str rest = str_trim(*s);
	size_t n = 0;

	while (n < rest.n && is_word(rest.p[n]))
		n++;
	if (!n || !is_letter(rest.p[0]) || (n < rest.n && rest.p[n] != ' '))
		return STR_NULL;
	*s = str_sub(rest, n, rest.n);
	return str_sub(rest, 0, n);
}

/* `TITLE [markdown] key=value`: where the title ends, and where the options begin. */
void percent_marker_read(struct arena *a, struct str s, int64_t depth, struct cells *cells)
{
	enum cell_type type = CELL_CODE;
	struct str title = s, options = STR("");
	const char *language = NULL;
	struct cell *c;

	for (size_t i = 0; i < s.n; i++) {
		struct str rest = str_sub(s, i, s.n), ahead = rest, key;
		bool found = false;

		if (i && s.p[i - 1] != ' ')
			continue;
		for (size_t k = 0; k < ARRAY_LEN(cell_words) && !found; k++)
			if (str_has_prefix(rest, str_of(cell_words[k].word))) {
				type = cell_words[k].type;
				language = cell_words[k].language;
				options = str_sub(rest, strlen(cell_words[k].word), rest.n);
				found = true;
			}
		if (!found && take_key(a, &ahead, &key)) {
			options = rest;
			found = true;
		}
		if (found) {
			title = str_sub(s, 0, i);
			break;
		}
	}
	c = cells_add(a, cells, type);
	title = str_trim(title);
	if (title.n)
		dom_set_str(a, c->metadata, "title", arena_str(a, title));
	if (depth)
		dom_set_int(a, c->metadata, "cell_depth", depth);
	if (language) {
		struct str word = take_word(&options);

		dom_set_cstr(a, c->metadata, "language", language);
		if (word.n)
			dom_set_str(a, c->metadata, "magic_args", arena_str(a, word));
	}
	read_options(a, options, c);
}

/* --- reading --- */

/* Text of a cell in a string of three quotes instead of comments. */
static bool quoted_text(struct str body, struct str *out)
{
	static const char *const quotes[] = {"\"\"\"", "'''"};

	body = str_trim(body);
	if (body.n && body.p[0] == 'r')
		body = str_sub(body, 1, body.n);
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		struct str q = str_of(quotes[i]);

		if (body.n >= 6 && str_has_prefix(body, q) && str_has_suffix(body, q)) {
			*out = str_sub(body, 3, body.n - 6);
			if (out->n && out->p[0] == '\n')
				*out = str_sub(*out, 1, out->n);
			*out = lines_trim_end(*out);
			return true;
		}
	}
	return false;
}

/* Takes `key` off the map; NULL if it is not there. */
static struct dom *take(struct dom *map, const char *key)
{
	struct dom *before = NULL;

	dom_each(v, map) {
		if (str_is(v->key, key)) {
			*(before ? &before->next : &map->first) = v->next;
			if (map->last == v)
				map->last = before;
			map->n--;
			return v;
		}
		before = v;
	}
	return NULL;
}

static struct str take_text(struct dom *map, const char *key)
{
	const struct dom *v = dom_get(map, key);

	return v && v->type == DOM_STR ? take(map, key)->s : STR_NULL;
}

static bool all_commented(struct str body)
{
	struct str line;

	while (str_next_line(&body, &line)) {
		line = without_indent(line);
		if (line.n && line.p[0] != '#')
			return false;
	}
	return true;
}

/* A body of another language: in comments as a rule; also in a string of three quotes, or as it is. */
static struct str other_body(struct arena *a, struct str body)
{
	struct str quoted;

	if (all_commented(body))
		return comment_read(a, body);
	return quoted_text(body, &quoted) ? quoted : body;
}

static void read_body(struct arena *a, struct cell *c, struct str body)
{
	struct buf b cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct str language = STR_NULL, args;

	body = lines_trim_end(body);
	if (c->type != CELL_CODE) {
		if (!quoted_text(body, &c->source))
			c->source = comment_read(a, body);
		c->source = arena_str(a, c->source);
		return;
	}
	if (dom_get(c->metadata, "language"))
		language = take_text(c->metadata, "language");
	if (!language.n) {
		code_lines(&b, body, false);
		c->source = arena_str(a, buf_str(&b));
		return;
	}
	args = take_text(c->metadata, "magic_args");
	buf_addf(&b, "%%%%%.*s", STR_ARG(language));
	if (args.n)
		buf_addf(&b, " %.*s", STR_ARG(args));
	if (body.n) {
		buf_addc(&b, '\n');
		buf_addstr(&b, other_body(a, body));
	}
	c->source = arena_str(a, buf_str(&b));
}

/* Metadata between two `# ---` at the top. Text that is none stays in *rest. */
static int read_header(struct arena *a, struct str *rest, const char *name, struct dom **out, int *lines, struct err *e)
{
	struct str all = *rest, line, yaml = STR_NULL;
	struct dom *doc;
	const char *from = NULL;
	int n = 1;

	*out = dom_new(a, DOM_MAP);
	if (!str_next_line(&all, &line) || !str_is(str_trim(line), "# ---"))
		return 0;
	from = all.p;
	while (!yaml.p && str_next_line(&all, &line)) {
		n++;
		if (str_is(str_trim(line), "# ---"))
			yaml = (struct str){from, (size_t)(line.p - from)};
		else if (line.n && line.p[0] != '#')
			return 0;
	}
	if (!yaml.p)
		return 0;
	if (dom_yaml(a, comment_read(a, yaml), name, &doc, e)) {
		e->line += e->line ? 1 : 0; /* the line of `# ---` */
		return -1;
	}
	*rest = all;
	*lines = n;
	if (dom_get(doc, "jupyter") && dom_get(doc, "jupyter")->type == DOM_MAP)
		*out = dom_copy(a, dom_get(doc, "jupyter"));
	return 0;
}

/* `#!…` and the coding line come before all else; Jupytext keeps them under these names. */
static void read_preamble(struct arena *a, struct str *text, int *lines, struct dom *about)
{
	struct str rest = *text, line;

	while (str_next_line(&rest, &line)) {
		if (str_has_prefix(line, STR("#!")) && !dom_get(about, "executable"))
			dom_set_str(a, about, "executable", str_sub(line, 2, line.n));
		else if (str_has_prefix(line, STR("# -*- coding")) && !dom_get(about, "encoding"))
			dom_set_str(a, about, "encoding", line);
		else
			return;
		*text = rest;
		++*lines;
	}
}

static struct dom *about_of(struct arena *a, struct dom *metadata)
{
	struct dom *about = dom_get(metadata, "jupytext");

	if (!about || about->type != DOM_MAP) {
		about = dom_new(a, DOM_MAP);
		dom_set(a, metadata, "jupytext", about);
	}
	return about;
}

int percent_read(struct arena *a, struct str text, const char *name, struct notebook *out, struct err *e)
{
	struct dom *about = dom_new(a, DOM_MAP), *metadata;
	struct cells cells = {0};
	struct str rest = text, line, after;
	const char *from;
	int at = 0, header = 0, begin;
	int64_t depth;

	if (str_has_prefix(rest, STR("\xef\xbb\xbf")))
		rest = str_sub(rest, 3, rest.n);
	read_preamble(a, &rest, &at, about);
	if (read_header(a, &rest, name, &metadata, &header, e)) {
		e->line += e->line ? at : 0;
		return -1;
	}
	at += header;
	dom_each(v, about)
		if (!dom_get(about_of(a, metadata), arena_cstr(a, v->key)))
			dom_set(a, about_of(a, metadata), arena_cstr(a, v->key), dom_copy(a, v));
	from = rest.p;
	begin = at + 1;
	while (str_next_line(&rest, &line)) {
		at++;
		if (!marker(line, &depth, &after))
			continue;
		if (cells.n) {
			read_body(a, &cells.p[cells.n - 1], (struct str){from, (size_t)(line.p - from)});
		} else if (str_trim((struct str){from, (size_t)(line.p - from)}).n) {
			cells_add(a, &cells, CELL_CODE)->line = begin;
			read_body(a, &cells.p[0], (struct str){from, (size_t)(line.p - from)});
		}
		percent_marker_read(a, after, depth, &cells);
		cells.p[cells.n - 1].line = at + 1;
		from = rest.p;
	}
	if (!cells.n && str_trim((struct str){from, (size_t)(text.p + text.n - from)}).n)
		cells_add(a, &cells, CELL_CODE)->line = begin;
	if (cells.n)
		read_body(a, &cells.p[cells.n - 1], (struct str){from, (size_t)(text.p + text.n - from)});
	*out = (struct notebook){.metadata = metadata, .cells = cells.p, .n = cells.n};
	return 0;
}

/* --- writing --- */

/* A scalar or list as YAML: JSON is YAML. Words stand without quotes, as people write them. */
static void yaml_value(struct buf *b, const struct dom *v)
{
	static const char *const others[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"};
	bool plain = v->type == DOM_STR && v->s.n && is_letter(v->s.p[0]);

	for (size_t i = 0; plain && i < v->s.n; i++)
		plain = is_word(v->s.p[i]) || strchr(" ./-+()", v->s.p[i]);
	for (size_t i = 0; plain && i < ARRAY_LEN(others); i++)
		plain = !str_ieq(v->s, str_of(others[i]));
	if (plain && v->s.p[v->s.n - 1] != ' ')
		buf_addstr(b, v->s);
	else
		dom_write_json(b, v, DOM_COMPACT);
}

static void yaml_map(struct buf *b, const struct dom *map, int depth)
{
	dom_each(v, map) {
		bool plain = v->key.n && is_letter(v->key.p[0]);

		for (size_t i = 0; plain && i < v->key.n; i++)
			plain = is_word(v->key.p[i]) || v->key.p[i] == '-';
		buf_addf(b, "%*s", depth * 2, "");
		if (plain)
			buf_addstr(b, v->key);
		else
			json_write_str(b, v->key);
		if (v->type == DOM_MAP && v->n) {
			buf_adds(b, ":\n");
			yaml_map(b, v, depth + 1);
			continue;
		}
		buf_adds(b, ": ");
		yaml_value(b, v);
		buf_addc(b, '\n');
	}
}

static void write_header(struct arena *a, const struct notebook *nb, struct buf *out)
{
	struct buf yaml cleanup(buf_free) = BUF_INIT(NOTEBOOK_BYTES_MAX);
	struct dom *metadata = dom_copy(a, nb->metadata), *about = dom_get(metadata, "jupytext");
	struct str program = STR_NULL, coding = STR_NULL;

	if (about && about->type == DOM_MAP) {
		program = take_text(about, "executable");
		coding = take_text(about, "encoding");
	}
	if (program.n)
		buf_addf(out, "#!%.*s\n", STR_ARG(program));
	if (coding.n)
		buf_addf(out, "%.*s\n", STR_ARG(coding));
	if (about && about->type == DOM_MAP && !about->n)
		take(metadata, "jupytext");
	if (!metadata->n)
		return;
	buf_adds(&yaml, "jupyter:\n");
	yaml_map(&yaml, metadata, 1);
	buf_adds(out, "# ---\n");
	comment_write(out, buf_str(&yaml));
	buf_adds(out, "# ---\n\n");
}

/* A title can be written as one if it would be read as one. */
static struct str title_of(const struct cell *c)
{
	struct dom *v = dom_get(c->metadata, "title");

	if (!v || v->type != DOM_STR || !v->s.n || str_trim(v->s).n != v->s.n || memchr(v->s.p, '\n', v->s.n) ||
	    memchr(v->s.p, '=', v->s.n) || memchr(v->s.p, '[', v->s.n))
		return STR_NULL;
	return v->s;
}

static void write_option(struct buf *out, struct str key, const struct dom *v)
{
	bool plain = key.n > 0;

	for (size_t i = 0; plain && i < key.n; i++)
		plain = is_word(key.p[i]) || key.p[i] == '.' || key.p[i] == '-';
	buf_addc(out, ' ');
	if (plain)
		buf_addstr(out, key);
	else
		json_write_str(out, key);
	buf_addc(out, '=');
	dom_write_json(out, v, DOM_COMPACT);
}

void percent_marker_write(const struct cell *c, const char *mark, struct str language, struct str args, struct buf *out)
{
	struct dom *depth = dom_get(c->metadata, "cell_depth");
	struct str title = title_of(c);
	bool deep = depth && depth->type == DOM_INT && depth->i > 0 && depth->i < 7;

	buf_adds(out, mark);
	for (int64_t i = 0; deep && i < depth->i; i++)
		buf_addc(out, '%');
	if (title.p)
		buf_addf(out, " %.*s", STR_ARG(title));
	if (c->type != CELL_CODE)
		buf_addf(out, " [%s]", cell_type_word(c->type));
	if (language.n) {
		write_option(out, STR("language"), &(struct dom){.type = DOM_STR, .s = language});
		if (args.n)
			write_option(out, STR("magic_args"), &(struct dom){.type = DOM_STR, .s = args});
	}
	dom_each(v, c->metadata)
		if (!(title.p && str_is(v->key, "title")) && !(deep && str_is(v->key, "cell_depth")))
			write_option(out, v->key, v);
	if (c->attachments)
		write_option(out, STR("attachments"), c->attachments);
	buf_addc(out, '\n');
}

/* `%%bash ARGS` before what is not Python: its language, arguments and body. */
static bool other_language(const struct cell *c, struct str *language, struct str *args, struct str *body)
{
	struct str rest = c->source, line;

	if (!str_has_prefix(rest, STR("%%")) || !str_next_line(&rest, &line) ||
	    dom_get(c->metadata, "language") || dom_get(c->metadata, "magic_args"))
		return false;
	line = str_sub(line, 2, line.n);
	*args = STR("");
	*language = line;
	if (str_cut(line, ' ', language, args))
		*args = str_trim(*args);
	for (size_t i = 0; i < language->n; i++)
		if (!is_word(language->p[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(python_magics); i++)
		if (str_is(*language, python_magics[i]))
			return false;
	*body = rest;
	return language->n > 0;
}

static void write_cell(const struct cell *c, struct buf *out)
{
	struct str language = STR_NULL, args = STR_NULL, body = STR_NULL;
	bool other = c->type == CELL_CODE && other_language(c, &language, &args, &body);

	percent_marker_write(c, "# %%", other ? language : STR_NULL, args, out);
	if (c->type != CELL_CODE || other) {
		comment_write(out, other ? body : c->source);
	} else if (c->source.n) {
		code_lines(out, c->source, true);
		buf_addc(out, '\n');
	}
}

void percent_write(struct arena *a, const struct notebook *nb, struct buf *out)
{
	write_header(a, nb, out);
	for (size_t i = 0; i < nb->n; i++) {
		if (i)
			buf_addc(out, '\n');
		write_cell(&nb->cells[i], out);
	}
}
