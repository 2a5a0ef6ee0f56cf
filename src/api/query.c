#include "api/query.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/query_notes.h"
#include "flow/table_task.h"
#include "api/rows.h"
#include "api/schema.h"
#include "base/ds.h"
#include "base/name.h"
#include "base/str.h"
#include "db/duck.h"
#include "flow/check.h"
#include "flow/run.h"
#include "flow/table_query.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/rand.h"

#define QUERY_NAME "query" /* where an error in a query typed on the command line is */

/* One query under way: the worker, the prepared text, where its rows go. */
struct querying {
	struct api *api;
	struct sink *out;
	struct duck *duck;
	struct catalog *catalog;
	struct table_query q;
	struct ds ds;
	enum format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_PARQUET, FORMAT_MARKDOWN, FORMAT_TYPED } format;
	struct buf text;         /* of one batch of rows, for csv, json and markdown */
	struct dom *columns;
	int64_t rows;
	struct err failed;       /* from inside a callback */
	const struct query_reader *reader; /* takes the rows instead of the sink */
};

static const char *const format_words[] = {"table", "csv", "json", "parquet", "markdown", "typed"};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo)
{
	interrupted = signo;
}

static int query_begin(struct querying *k, struct api *api, struct sink *out, struct err *e)
{
	struct duck_conf conf = {.leat_dir = api->store ? api->store->leat_dir : NULL};

	*k = (struct querying){.api = api, .out = out, .text = BUF_INIT(DUCK_MAX_FRAME)};
	if (api->store && catalog_new(api->store, api->arena, &k->catalog, e))
		return -1;
	if (api->flow)
		catalog_graph(k->catalog, api->flow->graph);
	k->duck = duck_new(&conf);
	return duck_start(k->duck, e);
}

static void query_end(struct querying *k)
{
	duck_free(k->duck);
	buf_free(&k->text);
}

/* --- rows as text --- */

static void csv_cell(struct buf *b, struct str s)
{
	bool quote = s.n == 0;

	if (!s.p)
		return;
	for (size_t i = 0; i < s.n; i++)
		quote = quote || s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
	if (!quote) {
		buf_addstr(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

/* The titles of a CSV or Markdown result; JSON has them in each row. */
static void head_text(struct querying *k)
{
	struct buf *b = &k->text;
	bool first = true;

	dom_each(c, k->columns) {
		struct str name = dom_get(c, "name")->s;

		if (k->format == FORMAT_CSV) {
			if (!first)
				buf_addc(b, ',');
			csv_cell(b, name);
		} else {
			buf_adds(b, first ? "| " : " | ");
			rows_markdown_cell(b, name);
		}
		first = false;
	}
	buf_adds(b, k->format == FORMAT_CSV ? "\n" : " |\n");
	if (k->format == FORMAT_CSV)
		return;
	dom_each(c, k->columns)
		buf_adds(b, "| --- ");
	buf_adds(b, "|\n");
}

static void row_text(struct querying *k, const struct str *cells, size_t n)
{
	const struct dom *c = k->columns->first;
	struct buf *b = &k->text;

	if (k->format == FORMAT_JSON)
		buf_adds(b, k->rows++ ? ",\n{" : "[\n{");
	for (size_t i = 0; i < n; i++, c = c->next) {
		switch (k->format) {
		case FORMAT_CSV:
			if (i)
				buf_addc(b, ',');
			csv_cell(b, cells[i]);
			break;
		case FORMAT_JSON:
			if (i)
				buf_addc(b, ',');
			json_write_str(b, dom_get(c, "name")->s);
			buf_addc(b, ':');
			buf_addstr(b, cells[i].p ? cells[i] : STR("null"));
			break;
		default:
			buf_adds(b, i ? " | " : "| ");
			rows_markdown_cell(b, cells[i].p ? cells[i] : STR("NULL"));
		}
	}
	buf_adds(b, k->format == FORMAT_CSV ? "\n" : k->format == FORMAT_JSON ? "}" : " |\n");
}

/* For programs: what the columns are in the first line, then a list for each row. */
static void typed_head(struct querying *k)
{
	struct dom *doc = dom_new(k->api->arena, DOM_MAP);

	dom_set(k->api->arena, doc, "columns", k->columns);
	dom_write_json(&k->text, doc, DOM_COMPACT);
	buf_addc(&k->text, '\n');
}

static void typed_row(struct querying *k, const struct str *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addc(&k->text, i ? ',' : '[');
		buf_addstr(&k->text, cells[i].p ? cells[i] : STR("null"));
	}
	buf_adds(&k->text, "]\n");
}

static int flush_text(struct querying *k)
{
	int rc = k->out->bytes(k->out->ptr, buf_str(&k->text), &k->failed);

	if (buf_over(&k->text) && !rc)
		rc = err_set(&k->failed, ERR_LIMIT, "a row is larger than %zu MiB", DUCK_MAX_FRAME >> 20);
	buf_reset(&k->text);
	return rc;
}

static int give_rows(struct querying *k, const struct duck_rows *r)
{
	struct arena *a;
	int rc = 0;

	if (k->format != FORMAT_TABLE) {
		for (size_t i = 0; i < r->n_rows; i++) {
			if (k->format == FORMAT_TYPED)
				typed_row(k, r->at + i * r->n_cols, r->n_cols);
			else
				row_text(k, r->at + i * r->n_cols, r->n_cols);
		}
		return flush_text(k);
	}
	a = arena_new();
	for (size_t i = 0; !rc && i < r->n_rows; i++) {
		struct dom *row = dom_new(a, DOM_LIST);

		for (size_t c = 0; c < r->n_cols; c++) {
			struct str cell = r->at[i * r->n_cols + c];

			dom_add(row, cell.p ? dom_new_str(a, cell) : dom_new(a, DOM_NULL));
		}
		rc = sink_row(k->out, row, &k->failed);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

static int on_message(void *ptr, const struct duck_msg *m)
{
	struct querying *k = ptr;

	if (interrupted || k->failed.code) /* rows may still come after the request was given up */
		return 1;
	switch (m->kind) {
	case DUCK_PROGRESS:
		if (m->progress > 0)
			k->out->progress(k->out->ptr, "querying", m->progress / 100);
		return 0;
	case DUCK_HEAD:
		k->columns = schema_columns(k->api->arena, m->reply);
		if (k->reader)
			return k->reader->head(k->reader->ptr, k->columns, &k->failed);
		if (k->format == FORMAT_CSV || k->format == FORMAT_MARKDOWN || k->format == FORMAT_TYPED) {
			if (k->format == FORMAT_TYPED)
				typed_head(k);
			else
				head_text(k);
			return flush_text(k);
		}
		return k->format == FORMAT_TABLE && k->out->head ? k->out->head(k->out->ptr, k->columns, &k->failed)
		                                                 : 0;
	case DUCK_ROWS:
		if (k->reader)
			return k->reader->rows(k->reader->ptr, &m->rows, &k->failed);
		return give_rows(k, &m->rows);
	default:
		return 0;
	}
}

/* --- asking --- */

/* Ctrl-C asks the worker to stop; a second one ends this process as usual. */
static int call_worker(struct querying *k, const struct dom *request, const struct dom **reply, struct err *e)
{
	struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, old;
	int64_t offset = -1;
	int rc;

	sigaction(SIGINT, &sa, &old);
	rc = duck_call(k->duck, k->api->arena, request, on_message, k, reply, &offset, e);
	sigaction(SIGINT, &old, NULL);
	k->out->progress(k->out->ptr, NULL, 0);
	if (k->failed.code) { /* the worker may have been done by then */
		*e = k->failed;
		return -1;
	}
	if (!rc)
		return 0;
	return interrupted ? err_set(e, ERR_CANCELLED, "stopped") : table_query_error(e, &k->q, offset);
}

static int prepare_ask(struct querying *k, struct table_query_ask *ask, struct err *e)
{
	struct str at = ask->at;
	int run = at.n ? run_lay(k->api->store, k->api->flow, k->catalog, at, e) : 0;

	if (run < 0)
		return -1;
	if (run) /* --at RUN: what it gave, over the heads */
		ask->at = STR_NULL;
	if (!table_query_prepare(k->api->store, k->catalog, k->api->arena, k->duck, ask, &k->q, e))
		return 0;
	if (e->code == ERR_BAD_SQL && !e->hint[0] && strstr(e->msg, "at or near \"/\""))
		err_hint(e, "in SQL the repo raw/trips is the table raw.trips");
	return -1;
}

static int prepare(struct querying *k, struct str sql, const char *file, struct err *e)
{
	struct table_query_ask ask = {.sql = sql, .file = file};

	return prepare_ask(k, &ask, e);
}

static int parse_format(const struct args *args, struct str output, enum format *out, struct err *e)
{
	struct str word = args_value(args, "format");

	*out = args_flag(args, "json") ? FORMAT_JSON : FORMAT_TABLE;
	if (!word.p) { /* a file's name says what it is to hold */
		if (str_has_suffix(output, STR(".parquet")))
			*out = FORMAT_PARQUET;
		else if (str_has_suffix(output, STR(".csv")))
			*out = FORMAT_CSV;
		else if (str_has_suffix(output, STR(".json")))
			*out = FORMAT_JSON;
		else if (str_has_suffix(output, STR(".md")))
			*out = FORMAT_MARKDOWN;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(format_words); i++)
		if (str_is(word, format_words[i])) {
			*out = (enum format)i;
			return 0;
		}
	return err_set(e, ERR_BAD_REQUEST, "--format '%.*s' is none of table, csv, json, parquet, markdown, typed",
	               STR_ARG(word));
}

/* Parquet, and what goes to a file: written beside and renamed over, so that a stopped query leaves the old file. */
static int to_file(struct querying *k, const char *path, struct err *e)
{
	const char *words[] = {[FORMAT_CSV] = "csv", [FORMAT_JSON] = "json", [FORMAT_PARQUET] = "parquet"};
	struct arena *a = k->api->arena;
	struct err ignored = ERR_INIT;
	const struct dom *reply;
	char *absolute, *tmp;

	if (path_absolute(a, path, &absolute, e))
		return -1;
	tmp = arena_printf(a, "%s.leat.tmp", absolute);
	if (file_unlink(tmp, e))
		return -1;
	if (call_worker(k, duck_req_copy(a, &k->q.bound.sql, tmp, words[k->format]), &reply, e) ||
	    file_rename(tmp, absolute, e)) {
		if (file_unlink(tmp, &ignored))
			sink_note(k->out, "%s", ignored.msg);
		return -1;
	}
	sink_note(k->out, "%lld rows written to %s",
	          (long long)(dom_get(reply, "rows") ? dom_get(reply, "rows")->i : 0), path);
	return 0;
}

/* Parquet to standard output: by way of a file, for it is written back and forth. */
static int parquet_to_sink(struct querying *k, struct err *e)
{
	struct arena *a = k->api->arena;
	const char *tmp = getenv("TMPDIR");
	struct err ignored = ERR_INIT;
	const struct dom *reply;
	char name[RAND_NAME];
	const char *dir, *path;
	off_t from = 0;
	int rc;

	rand_name(name);
	dir = arena_printf(a, "%s/leat-%s", tmp && *tmp ? tmp : "/tmp", name);
	path = arena_printf(a, "%s/rows.parquet", dir);
	if (dir_make_one(dir, 0700, e))
		return -1;
	rc = call_worker(k, duck_req_copy(a, &k->q.bound.sql, path, "parquet"), &reply, e) ||
	                     sink_file(path, &from, k->out, e)
	             ? -1
	             : 0;
	if (dir_remove_tree(dir, &ignored))
		sink_note(k->out, "%s", ignored.msg);
	return rc;
}

/* A table, Markdown or typed rows in a file: the rows go there instead of to the sink. */
struct to_text {
	int fd;
	const char *path;
};

static int write_bytes(void *ptr, struct str bytes, struct err *e)
{
	struct to_text *t = ptr;

	return fd_write_all(t->fd, bytes.p, bytes.n, t->path, e);
}

static void no_progress(void *ptr, const char *text, double part)
{
}

static int text_file(struct querying *k, const char *path, struct err *e)
{
	struct to_text t = {-1, path};
	struct sink own = *k->out, *user = k->out;
	const struct dom *reply;
	int rc;

	if (file_open_write(path, O_TRUNC, 0666, &t.fd, e))
		return -1;
	own.ptr = &t;
	own.bytes = write_bytes;
	own.progress = no_progress;
	own.head = NULL;
	k->out = &own;
	rc = duck_call(k->duck, k->api->arena,
	               duck_req_query(k->api->arena, &k->q.bound.sql,
	                              k->format == FORMAT_TYPED ? DUCK_CELLS_JSON : DUCK_CELLS_TEXT),
	               on_message, k, &reply, NULL, e);
	k->out = user;
	close(t.fd);
	return rc;
}

static int to_sink(struct querying *k, struct err *e)
{
	enum duck_cells cells =
		k->format == FORMAT_JSON || k->format == FORMAT_TYPED ? DUCK_CELLS_JSON : DUCK_CELLS_TEXT;
	const struct dom *reply;

	if (call_worker(k, duck_req_query(k->api->arena, &k->q.bound.sql, cells), &reply, e))
		return -1;
	if (k->format != FORMAT_JSON)
		return 0;
	buf_adds(&k->text, k->rows ? "\n]\n" : "[]\n");
	return flush_text(k) ? (*e = k->failed, -1) : 0;
}

static int read_query(const struct args *args, struct str *sql, const char **name, struct err *e)
{
	struct str file = args_value(args, "file");

	*name = QUERY_NAME;
	*sql = args_pos(args, 0);
	if (file.p && sql->p)
		return err_set(e, ERR_BAD_REQUEST, "a query or -f FILE, not both");
	if (file.p) {
		*name = arena_cstr(args->arena, file);
		return file_read(args->arena, *name, SQL_MAX_TEXT, sql, e);
	}
	if (!sql->p) {
		err_set(e, ERR_BAD_REQUEST, "there is no query");
		return err_hint(e, "leat sql 'select 42', or -f FILE");
	}
	return 0;
}

static int check_at(const struct args *args, struct err *e)
{
	struct str at = args_value(args, "at"), repo, rev;

	if (!at.p || !str_cut(at, '@', &repo, &rev))
		return 0;
	err_set(e, ERR_BAD_REQUEST, "--at is for all tables: a branch, a commit, a global id or a run, not '%.*s'",
	        STR_ARG(at));
	return err_hint(e, "of one table in the query: at (version => '%.*s')", STR_ARG(rev));
}

/* A file is renamed over what stands there: never over a device or a pipe. */
static int check_output(enum format format, const char *path, struct err *e)
{
	if (format == FORMAT_PARQUET && !path) {
		err_set(e, ERR_BAD_REQUEST, "Parquet goes to a file");
		return err_hint(e, "-o FILE.parquet, or -o - for standard output");
	}
	if (!path || !file_is_special(path))
		return 0;
	err_set(e, ERR_BAD_REQUEST, "%s is a device or a pipe, and no file", path);
	return err_hint(e, "without -o the result goes to standard output: leat sql ... > %s", path);
}

/* What was asked in a task is between the task and its folders. */
static int prepare_inputs(struct querying *k, struct table_query_ask *ask, struct err *e)
{
	struct table_folder *folders;
	size_t n;

	return table_task_inputs(k->api->arena, &folders, &n, e) ||
	                       table_folder_prepare(k->api->arena, k->duck, ask, folders, n, &k->q, e)
	               ? -1
	               : 0;
}

/* As the options say; `vars`: JSON of what {{ }} stands for, or STR_NULL. */
static int prepare_asked(struct querying *k, const struct args *args, struct table_query_ask *ask, struct str vars,
                         struct err *e)
{
	struct arena *a = k->api->arena;
	struct dom *more, *all;

	if (vars.p) {
		if (dom_json(a, vars, "--vars", &more, e))
			return -1;
		if (more->type != DOM_MAP) {
			err_set(e, ERR_BAD_REQUEST, "--vars is no JSON object");
			return err_hint(e, "--vars '{\"city\": \"Paris\"}'");
		}
		if (table_task_vars(a, more, &all, e) || table_task_bind(a, ask, all, e))
			return -1;
	}
	return args_flag(args, "inputs") ? prepare_inputs(k, ask, e) : prepare_ask(k, ask, e);
}

static int no_past(struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "a task reads its inputs as they are: --inputs takes no --at and no --ds");
}

static int give(struct querying *k, const char *path, struct err *e)
{
	bool is_file = path && strcmp(path, "-");

	if (!is_file)
		return k->format == FORMAT_PARQUET ? parquet_to_sink(k, e) : to_sink(k, e);
	if (k->format == FORMAT_CSV || k->format == FORMAT_JSON || k->format == FORMAT_PARQUET)
		return to_file(k, path, e);
	if (k->format == FORMAT_TABLE)
		k->format = FORMAT_MARKDOWN;
	return text_file(k, path, e);
}

static void tell(struct querying *k, const struct args *args, struct str sql, const char *path)
{
	if (path && strcmp(path, "-"))
		query_notes_exported(k->api, args, sql, path, &k->q);
	else
		query_notes_result(k->api, args, sql, &k->q);
	if (!args_value(args, "at").p)
		query_notes_unseen(k->api, k->out, k->q.tables, k->q.n_tables);
}

int api_sql(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str output = args_value(args, "output"), label = args_value(args, "ds"), at = args_value(args, "at");
	struct table_query_ask ask;
	struct str sql;
	struct querying k;
	struct ds ds;
	const char *name, *path = output.p ? arena_cstr(args->arena, output) : NULL;
	bool inputs = args_flag(args, "inputs");
	int rc = -1;

	if (inputs && (at.p || label.p))
		return no_past(e);
	if (read_query(args, &sql, &name, e) || (label.p && ds_parse(label, &ds, e)) || check_at(args, e) ||
	    (!inputs && query_asks_tables(sql) && query_list_tables(api, &sql, e)) || query_begin(&k, api, out, e))
		return -1;
	if (parse_format(args, output, &k.format, e))
		goto done;
	if (check_output(k.format, path, e))
		goto done;
	ask = (struct table_query_ask){.sql = sql, .file = name, .at = at, .ds = label.p ? &ds : NULL};
	if (prepare_asked(&k, args, &ask, args_value(args, "vars"), e)) {
		rc = inputs ? -1 : query_notes_hint(api, e);
		goto done;
	}
	rc = give(&k, path, e);
	if (!rc && !inputs)
		tell(&k, args, sql, path);
done:
	query_end(&k);
	return rc;
}

int query_read(struct api *api, const struct args *args, struct sink *out, const struct query_reader *reader,
               struct err *e)
{
	struct str label = args_value(args, "ds"), sql = args_pos(args, 0);
	struct table_query_ask ask;
	const char *path = NULL;
	struct querying k;
	struct ds ds;
	bool inputs = args_flag(args, "inputs");
	int rc;

	if (inputs && (label.p || args_value(args, "at").p))
		return no_past(e);
	if ((label.p && ds_parse(label, &ds, e)) || check_at(args, e) || query_begin(&k, api, out, e))
		return -1;
	k.reader = reader;
	ask = (struct table_query_ask){
		.sql = sql, .file = QUERY_NAME, .at = args_value(args, "at"), .ds = label.p ? &ds : NULL};
	rc = prepare_asked(&k, args, &ask, STR_NULL, e);
	if (!rc && k.q.info.statements == 0)
		rc = err_set(e, ERR_BAD_REQUEST, "there is no query");
	if (rc && !inputs && e->code == ERR_BAD_SQL)
		rc = query_notes_hint(api, e);
	if (!rc)
		rc = to_sink(&k, e);
	if (!rc)
		rc = reader->done(reader->ptr, &path, e);
	if (!rc && path && !inputs)
		query_notes_exported(api, args, sql, path, &k.q);
	if (!rc && !inputs && !args_value(args, "at").p)
		query_notes_unseen(api, out, k.q.tables, k.q.n_tables);
	query_end(&k);
	return rc;
}

static int small(struct querying *k, struct duck_small *out, struct err *e)
{
	int64_t offset = -1;

	return duck_small(k->duck, k->api->arena, &k->q.bound.sql, out, &offset, e)
	               ? table_query_error(e, &k->q, offset)
	               : 0;
}

int query_rows(struct api *api, struct str sql, struct dom **out, struct err *e)
{
	struct arena *a = api->arena;
	struct dom *doc = dom_new(a, DOM_MAP), *columns = dom_new(a, DOM_LIST), *rows = dom_new(a, DOM_LIST);
	struct duck_small got;
	struct querying k;
	int rc;

	if (query_begin(&k, api, NULL, e))
		return -1;
	rc = prepare(&k, sql, QUERY_NAME, e) || small(&k, &got, e) ? -1 : 0;
	for (size_t i = 0; !rc && i < got.rows.n_cols; i++) {
		struct dom *c = dom_new(a, DOM_MAP);

		dom_set_str(a, c, "name", got.names[i]);
		dom_set_str(a, c, "type", got.types[i]);
		dom_add(columns, c);
	}
	for (size_t r = 0; !rc && r < got.rows.n_rows; r++) {
		struct dom *row = dom_new(a, DOM_LIST);

		for (size_t i = 0; i < got.rows.n_cols; i++) {
			struct str cell = got.rows.at[r * got.rows.n_cols + i];

			dom_add(row, cell.p ? dom_new_str(a, cell) : dom_new(a, DOM_NULL));
		}
		dom_add(rows, row);
	}
	query_end(&k);
	if (rc)
		return -1;
	dom_set(a, doc, "columns", columns);
	dom_set(a, doc, "rows", rows);
	*out = doc;
	return 0;
}

/* --- schema --- */

/* tables.sales or tables/sales, @PIN may follow */
static struct str as_table(struct arena *a, struct str name)
{
	struct str repo = name, rev = STR_NULL, schema, table;
	struct buf b = BUF_INIT(2 * NAME_MAX_PATH);
	struct str out;

	if (!str_cut(name, '@', &repo, &rev))
		repo = name;
	if (str_cut(repo, '.', &schema, &table) && !memchr(repo.p, '/', repo.n)) {
		sql_add_ident(&b, schema);
		buf_addc(&b, '.');
		sql_add_ident(&b, table);
	} else {
		table_sql_name(repo, &schema, &table);
		if (schema.n && !str_is(schema, "main")) {
			sql_add_ident(&b, schema);
			buf_addc(&b, '.');
		}
		sql_add_ident(&b, table);
	}
	if (rev.p) {
		buf_adds(&b, " at (version => ");
		sql_add_literal(&b, rev);
		buf_addc(&b, ')');
	}
	out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static int schema_of_table(struct querying *k, struct str name, struct dom **out, struct err *e)
{
	struct arena *a = k->api->arena;
	struct str table = as_table(a, name);
	struct dom *columns = dom_new(a, DOM_LIST);
	const struct table_source *t;
	struct duck_small got;

	if (prepare(k, arena_strf(a, "describe select * from %.*s", STR_ARG(table)), QUERY_NAME, e))
		return -1;
	if (!k->q.n_tables) /* a parser without a tree for DESCRIBE: ask for the rows' head instead */
		return err_set(e, ERR_NOT_FOUND, "%.*s is no table", STR_ARG(name));
	if (small(k, &got, e))
		return -1;
	t = &k->q.tables[0];
	for (size_t r = 0; r < got.rows.n_rows; r++) {
		struct dom *c = dom_new(a, DOM_MAP);

		dom_set_str(a, c, "name", got.rows.at[r * got.rows.n_cols]);
		dom_set_str(a, c, "type", got.rows.at[r * got.rows.n_cols + 1]);
		dom_add(columns, c);
	}
	*out = dom_new(a, DOM_MAP);
	dom_set_str(a, *out, "name", table);
	dom_set_str(a, *out, "repo", t->repo);
	dom_set_cstr(a, *out, "format", table_format_word(t->format));
	dom_set_int(a, *out, "files", (int64_t)t->n_files);
	if (t->how && dom_get(t->how, "delim") && dom_get(t->how, "delim")->type == DOM_STR)
		dom_set_str(a, *out, "delim", dom_get(t->how, "delim")->s);
	if (t->how && dom_get(t->how, "header") && dom_get(t->how, "header")->type == DOM_BOOL)
		dom_set_bool(a, *out, "header", dom_get(t->how, "header")->b);
	dom_set(a, *out, "columns", columns);
	if (t->every != EVERY_NONE)
		dom_set_cstr(a, *out, "note", "ds is the folder's label; a column ds inside the files is not read");
	return 0;
}

static void add_ddl(struct arena *a, struct dom *row)
{
	struct buf b = BUF_INIT(1 << 20);
	const struct dom *columns = dom_get(row, "columns");
	bool first = true;

	buf_addf(&b, "create table %.*s (", STR_ARG(dom_get(row, "repo") ? dom_get(row, "name")->s : STR("data")));
	dom_each(c, columns) {
		buf_adds(&b, first ? "\n    " : ",\n    ");
		sql_add_ident(&b, dom_get(c, "name")->s);
		buf_addf(&b, " %.*s", STR_ARG(dom_get(c, "type")->s));
		first = false;
	}
	buf_adds(&b, "\n);");
	dom_set_str(a, row, "ddl", buf_str(&b));
	buf_free(&b);
}

static int forget_format(struct api *api, struct str name, struct err *e)
{
	struct store *s = api->store;
	struct str schema, table, repo_name = name;
	struct repo repo;
	struct q *q;
	int rc;

	if (str_cut(name, '.', &schema, &table) && !memchr(name.p, '/', name.n))
		repo_name = table_repo_name(api->arena, schema, table);
	rc = repo_find(s, api->arena, repo_name, &repo, e);
	if (rc <= 0)
		return rc ? -1 : repo_not_found(s, repo_name, e);
	if (db_begin(s->db, e))
		return -1;
	q = db_query(s->db, "delete from table_format where repo = ?");
	q_int(q, 1, repo.id);
	if (q_run(q, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/* What is not there was named by the user, not in a query that has lines and columns. */
static int no_such(const struct args *args, struct str name, struct err *e)
{
	const char *hint;

	if (e->code != ERR_BAD_SQL || strncmp(e->msg, "there is no table", strlen("there is no table")))
		return -1;
	hint = arena_cstr(args->arena, str_of(e->hint));
	err_clear(e);
	err_set(e, ERR_NOT_FOUND, "there is no table and no file '%.*s'", STR_ARG(name));
	return err_hint(e, "%s", hint);
}

int api_schema(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str name = args_pos(args, 0), format = args_value(args, "format");
	const char *path = arena_cstr(args->arena, name);
	bool on_disk = file_exists(path) && !dir_exists(path);
	struct str repo, rev, inside = STR_NULL;
	struct dom *row = NULL;
	struct querying k;
	int rc;

	if (format.p && !str_is(format, "table") && !str_is(format, "json") && !str_is(format, "ddl"))
		return err_set(e, ERR_BAD_REQUEST, "--format '%.*s' is none of table, json, ddl", STR_ARG(format));
	if (!on_disk && memchr(name.p, ':', name.n)) {
		if (pin_parse(name, &repo, &rev, &inside, e))
			return -1;
		if (!inside.n) /* the whole repo */
			name = arena_strf(api->arena, "%.*s%s%.*s", STR_ARG(repo), rev.n ? "@" : "", STR_ARG(rev));
	}
	if (args_flag(args, "again") && !inside.n && forget_format(api, name, e))
		return -1;
	if (query_begin(&k, api, out, e))
		return -1;
	rc = on_disk    ? schema_of_file(api, k.duck, path, &row, e)
	     : inside.n ? schema_of_pin(api, k.duck, name, &row, e)
	                : schema_of_table(&k, name, &row, e);
	query_end(&k);
	if (rc)
		return no_such(args, name, e);
	if (str_is(format, "ddl"))
		add_ddl(api->arena, row);
	if (str_is(format, "json")) {
		struct buf b = BUF_INIT(4 << 20);

		dom_write_json(&b, row, DOM_PRETTY);
		buf_addc(&b, '\n');
		rc = out->bytes(out->ptr, buf_str(&b), e);
		buf_free(&b);
		return rc;
	}
	return sink_row(out, row, e);
}

/* --- check --- */

static int check_one(struct querying *k, const struct job *j, const struct ds *ds, bool whole, struct err *e)
{
	struct arena *a = k->api->arena;
	const struct job_check **rules = arena_array(a, const struct job_check *, j->n_checks);
	struct check_result *results = arena_array(a, struct check_result, j->n_checks);
	struct str table = as_table(a, j->output), from = table;
	struct check_set set;
	struct duck_small got;
	size_t n = 0;

	for (size_t i = 0; i < j->n_checks; i++)
		if (j->checks[i].whole_table == whole)
			rules[n++] = &j->checks[i];
	if (!n)
		return 0;
	if (!whole && ds->label[0])
		from = arena_strf(a, "(from %.*s where ds = '%s')", STR_ARG(table), ds->label);
	if (check_set_make(a, j, rules, n, from, &set, e) || prepare(k, set.text, j->file.p, e) ||
	    small(k, &got, e) || check_set_read(a, &set, &got.rows, results, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row = dom_new(a, DOM_MAP);

		dom_set_str(a, row, "job", j->name);
		dom_set_str(a, row, "ds", ds->label[0] ? str_of(ds->label) : STR_NULL);
		dom_set_str(a, row, "check", results[i].rule->text);
		dom_set_bool(a, row, "passed", results[i].passed);
		dom_set_str(a, row, "detail", results[i].detail);
		if (!results[i].passed)
			k->api->exit_status = 1;
		if (sink_row(k->out, row, e))
			return -1;
	}
	return 0;
}

/* The partitions of a job's output that were asked for; without any, the newest. */
static int check_job(struct querying *k, const struct args *args, const struct job *j, struct err *e)
{
	struct catalog_repo *r;
	struct ds none = {0};
	int rc = catalog_repo(k->catalog, j->output, STR_NULL, &r, e);

	if (rc < 0)
		return -1;
	if (!rc || !r->has_commit) {
		sink_note(k->out, "%.*s: nothing published yet", STR_ARG(j->name));
		return 0;
	}
	if (check_one(k, j, &none, true, e))
		return -1;
	if (j->every == EVERY_NONE)
		return check_one(k, j, &none, false, e);
	for (size_t i = 0; i < r->n_parts; i++) {
		struct ds ds;
		bool wanted = args_n(args) < 2 && i + 1 == r->n_parts;

		for (size_t w = 1; w < args_n(args); w++) {
			struct ds_range range;

			if (ds_words(args_pos(args, w), j->every, j->tz, k->api->flow->now_ms / 1000, &range, e))
				return -1;
			if (ds_parse(str_of(r->parts[i].label), &ds, e))
				return -1;
			wanted =
				wanted || (range.newest ? i + 1 == r->n_parts
			                                : ds_cmp(&range.from, &ds) <= 0 && ds_cmp(&ds, &range.to) <= 0);
		}
		if (wanted && (ds_parse(str_of(r->parts[i].label), &ds, e) || check_one(k, j, &ds, false, e)))
			return -1;
	}
	return 0;
}

int api_check(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct querying k;
	struct job *job = NULL;
	int rc;

	if (args_n(args) && jobs_find(api->flow->jobs, args_pos(args, 0), &job, e))
		return -1;
	if (query_begin(&k, api, out, e))
		return -1;
	rc = job ? check_job(&k, args, job, e) : 0;
	for (size_t i = 0; !rc && !job && i < api->flow->jobs->n; i++)
		if (api->flow->jobs->all[i]->n_checks)
			rc = check_job(&k, args, api->flow->jobs->all[i], e);
	query_end(&k);
	return rc;
}
