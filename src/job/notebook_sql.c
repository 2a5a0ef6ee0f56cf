#include "job/notebook_sql.h"

#include <stdlib.h>

#include "base/str.h"
#include "db/sql_token.h"
#include "flow/table.h"
#include "flow/table_task.h"
#include "job/notebook_table.h"
#include "sys/dir.h"

#define OUT_NAME "part-0.parquet" /* as of a sql job */
#define START_MS 1 /* what it tells comes from the loop */

struct sql_engine {
	struct arena *a;
	struct arena *cell;        /* of the cell that runs */
	struct loop *loop;
	struct engine_start s;
	struct duck *duck;
	struct loop_ev *watch, *begin;
	struct table_folder *inputs;
	size_t n_inputs;
	struct str refused;        /* inputs that are no tables, and why */
	struct dom *vars;
	bool inputs_made, asked, busy;
	int64_t count;
	/* of the cell */
	struct table_query q;
	struct str name;           /* of the table that it makes; STR_NULL */
	bool output, marked;       /* marked: its first line is a magic of the user's */
	bool wrote;                /* what is to be shown was written */
	size_t shift, prefix;      /* bytes of ours in its last statement, and where they stand */
	struct notebook_table table;
	struct err why;            /* until the loop tells it */
};

/* --- how a cell ends --- */

static struct str sentence(struct sql_engine *g, const struct err *why)
{
	struct arena *a = g->cell;
	struct str at = why->line ? arena_strf(a, "line %d: ", why->line + g->marked) : STR("");

	return arena_strf(a, "%.*s%s%s%s%s", STR_ARG(at), why->msg, why->hint[0] ? " (" : "", why->hint,
	                  why->hint[0] ? ")" : "");
}

static void done(struct sql_engine *g, const struct err *why)
{
	struct engine_done d = {.how = ENGINE_OK, .count = g->count, .traceback = dom_new(g->cell, DOM_LIST)};

	loop_close(g->watch);
	g->watch = NULL;
	g->busy = false;
	if (why) {
		struct dom *lines = dom_new(g->cell, DOM_LIST);

		d.how = ENGINE_ERROR;
		d.ename = g->asked ? STR("Interrupted") : STR("SqlError");
		d.evalue = sentence(g, why);
		dom_add(lines, dom_new_str(g->cell, arena_strf(g->cell, "%.*s: %.*s", STR_ARG(d.ename),
		                                               STR_ARG(d.evalue))));
		d.traceback = lines;
	}
	g->s.told->done(g->s.ptr, &d);
}

/* Place and words of the user's; what no input is, is told with what there is. */
static void explain(struct sql_engine *g, struct err *e, int64_t offset)
{
	struct str names = STR("");

	if (offset >= 0 && (size_t)offset >= g->prefix)
		offset = MAX(offset - (int64_t)g->shift, (int64_t)g->prefix);
	(void)table_query_error(e, &g->q, offset);
	if (e->code != ERR_BAD_SQL || !strstr(e->msg, "able with name") || !strstr(e->msg, "does not exist"))
		return;
	for (size_t i = 0; i < g->n_inputs; i++)
		names = arena_strf(g->cell, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(g->inputs[i].name));
	e->hint[0] = '\0'; /* DuckDB's nearest name is one of its own tables */
	err_hint(e, "the inputs are %.*s%s%.*s", STR_ARG(names.n ? names : STR("none")), g->refused.n ? "; " : "",
	         STR_ARG(g->refused));
}

/* --- the inputs --- */

static int ask_session(struct sql_engine *g, struct arena *a, const struct duck_sql *sql, struct err *e)
{
	struct dom *request = duck_req_query(a, sql, DUCK_CELLS_TEXT);

	dom_set_bool(a, request, "session", true);
	return duck_call(g->duck, a, request, NULL, NULL, NULL, NULL, e);
}

/* By its own name and by that of its repo. What is no table is told to who asks for it. */
static void make_views(struct sql_engine *g, const struct table_folder *f)
{
	struct duck_view views[2] = {{.schema = STR(""), .name = f->name}};
	struct duck_sql sql = {.sql = STR("select 1"), .views = views, .n_views = 1};
	struct err e = ERR_INIT;

	if (!table_folder_reader(g->a, g->duck, f, &views[0].sql, &e)) {
		if (f->repo.p) {
			views[1].sql = views[0].sql;
			table_sql_name(f->repo, &views[1].schema, &views[1].name);
			sql.n_views += !(str_eq(views[1].schema, views[0].schema) &&
			                 str_eq(views[1].name, views[0].name));
		}
		if (!ask_session(g, g->a, &sql, &e))
			return;
	}
	g->refused = arena_strf(g->a, "%.*s%s%s", STR_ARG(g->refused), g->refused.n ? "; " : "", e.msg);
	err_clear(&e);
}

static void on_begin(struct loop_ev *ev, void *ptr)
{
	struct sql_engine *g = ptr;
	struct dom *about = dom_new(g->a, DOM_MAP);
	struct duck_small got;
	struct err e = ERR_INIT;

	loop_close(ev);
	g->begin = NULL;
	if (duck_small(g->duck, g->a, &(struct duck_sql){.sql = STR("select version()")}, &got, NULL, &e)) {
		g->s.told->died(g->s.ptr, arena_dup(g->a, e.msg));
		return;
	}
	dom_set_str(g->a, about, "version", got.rows.n_rows ? got.rows.at[0] : STR(""));
	dom_set_cstr(g->a, about, "engine", "duckdb");
	for (size_t i = 0; i < g->n_inputs; i++)
		make_views(g, &g->inputs[i]);
	g->s.told->ready(g->s.ptr, about);
}

static int start(struct arena *a, struct loop *l, const struct engine_start *s, struct engine **out, struct err *e)
{
	struct sql_engine *g = arena_new_of(a, struct sql_engine);
	struct duck_conf conf = {.leat_dir = NULL};

	*g = (struct sql_engine){.a = a, .loop = l, .s = *s, .cell = arena_new(), .refused = STR("")};
	g->vars = dom_new(a, DOM_MAP);
	g->duck = duck_new(&conf);
	if (table_task_inputs(a, &g->inputs, &g->n_inputs, e) || duck_start(g->duck, e)) {
		duck_free(g->duck);
		arena_free(g->cell);
		return -1;
	}
	g->begin = loop_timer(l, START_MS, on_begin, g);
	*out = (struct engine *)g;
	return 0;
}

static int set(struct engine *engine, const struct dom *vars, struct err *e)
{
	struct sql_engine *g = (struct sql_engine *)engine;

	return table_task_vars(g->a, vars, &g->vars, e);
}

/* --- a cell --- */

/* `%%sql NAME --output` off the top. */
static struct str take_head(struct sql_engine *g, struct str source)
{
	struct str rest = source, line, word;

	g->name = STR_NULL;
	g->output = false;
	g->marked = str_has_prefix(source, STR("%%sql"));
	if ((!g->marked && !str_has_prefix(source, STR("%%cell"))) || !str_next_line(&rest, &line))
		return source;
	if (!str_cut(line, ' ', &word, &line))
		return rest;
	while (line.n) {
		line = str_trim(line);
		if (!str_cut(line, ' ', &word, &line)) {
			word = line;
			line = STR("");
		}
		if (str_is(word, "--output"))
			g->output = true;
		else if (word.n && !str_is(word, "<<"))
			g->name = arena_str(g->cell, word);
	}
	return rest;
}

static int parse(struct sql_engine *g, struct err *e)
{
	struct table_query_ask *ask = &g->q.ask;
	const struct dom *reply;

	if (duck_call(g->duck, g->cell, duck_req_parse(g->cell, &ask->sql, 1), NULL, NULL, &reply, NULL, e))
		return -1;
	if (!dom_get(reply, "parsed") || !dom_get(reply, "parsed")->first ||
	    sql_info_read(g->cell, dom_get(reply, "parsed")->first, &g->q.info))
		return err_set(e, ERR_INTERNAL, "what the parser said cannot be read");
	if (!g->q.info.error.n)
		return 0;
	err_set(e, ERR_BAD_SQL, "%.*s", STR_ARG(g->q.info.error));
	duck_remedy(e, g->q.info.error);
	return table_query_error(e, &g->q, (int64_t)g->q.info.error_offset);
}

/* The last statement makes a table, which is then shown. */
static struct str as_table(struct sql_engine *g, struct str sql)
{
	struct buf b cleanup(buf_free) = BUF_INIT(SQL_MAX_TEXT);
	struct sql_range *list;
	size_t n = sql_split(g->cell, sql, &list);

	g->prefix = list[n - 1].start;
	buf_addstr(&b, str_sub(sql, 0, g->prefix));
	buf_adds(&b, "create or replace temp table ");
	sql_add_ident(&b, g->name);
	buf_adds(&b, " as\n");
	g->shift = b.n - g->prefix;
	buf_addstr(&b, str_sub(sql, list[n - 1].start, list[n - 1].end - list[n - 1].start));
	buf_adds(&b, "\n;\nfrom ");
	sql_add_ident(&b, g->name);
	return arena_str(g->cell, buf_str(&b));
}

static void on_readable(struct loop_ev *ev, uint32_t events, void *ptr);

static int send(struct sql_engine *g, struct dom *request, struct err *e)
{
	dom_set_bool(g->cell, request, "session", true);
	loop_close(g->watch);
	g->watch = NULL;
	return duck_send(g->duck, request, e) ||
	                       loop_fd(g->loop, duck_fd(g->duck), EPOLLIN, on_readable, g, &g->watch, e)
	               ? -1
	               : 0;
}

static const char *output_path(struct sql_engine *g)
{
	const char *dir = getenv("LEAT_OUTPUT");

	return dir && *dir ? arena_printf(g->cell, "%s/" OUT_NAME, dir) : NULL;
}

static int ask(struct sql_engine *g, struct err *e)
{
	struct duck_sql sql = {.sql = g->q.ask.sql};
	const char *out = g->output && g->q.info.select ? output_path(g) : NULL, *ds = getenv("LEAT_DS");
	struct duck_write w = {.sql = sql, .out = out, .ds = ds && *ds ? ds : NULL, .ordered = g->q.info.ordered};

	if (g->name.p && g->q.info.select) {
		sql.sql = as_table(g, sql.sql);
		if (out) /* the rows are made once */
			w.sql.sql = sql.sql;
	}
	g->wrote = out;
	return send(g, out ? duck_req_write(g->cell, &w) : duck_req_query(g->cell, &sql, DUCK_CELLS_TEXT), e);
}

static void show(struct sql_engine *g)
{
	struct dom *o;

	if (!notebook_table_shows(&g->table, g->q.info.select))
		return;
	o = notebook_table_output(g->cell, &g->table, g->count);
	g->s.told->output(g->s.ptr, o, STR_NULL);
}

/* What was written is shown as it was written, without the column of its ds. */
static int show_written(struct sql_engine *g, const struct dom *reply, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	struct duck_written w;

	g->wrote = false;
	if (duck_read_write(reply, &w, e))
		return -1;
	g->table.all = w.rows;
	buf_adds(&b, "from read_parquet(");
	sql_add_path(&b, str_of(output_path(g)));
	buf_addf(&b, ", hive_partitioning = false) limit %d", NOTEBOOK_TABLE_ROWS);
	struct duck_sql sql = {.sql = arena_str(g->cell, buf_str(&b))};
	return send(g, duck_req_query(g->cell, &sql, DUCK_CELLS_TEXT), e);
}

/* A cell may write the output by itself (copy ... to '{{ outputs }}/x.parquet'). */
static void done_well(struct sql_engine *g)
{
	const char *out = g->output && !g->q.info.select ? getenv("LEAT_OUTPUT") : NULL;
	struct err e = ERR_INIT;
	bool empty = false;

	if (!out || !*out || (!dir_is_empty(out, &empty, &e) && !empty)) {
		done(g, NULL);
		return;
	}
	if (!e.code) {
		err_set(&e, ERR_BAD_CONFIG, "this cell is to give the table of the job, and gives no rows");
		err_hint(&e, "end the notebook with a query, or call the cell that gives them `output`");
	}
	done(g, &e);
}

static void ended(struct sql_engine *g, struct duck_msg *m)
{
	struct err e = ERR_INIT;

	if (m->kind == DUCK_FAILED && g->table.full && m->err->code == ERR_CANCELLED && !g->asked)
		m->kind = DUCK_DONE; /* we asked for it: there is enough to show */
	if (m->kind == DUCK_FAILED) {
		explain(g, m->err, m->offset);
		done(g, m->err);
	} else if (g->wrote) {
		if (show_written(g, m->reply, &e))
			done(g, &e);
	} else {
		show(g);
		done_well(g);
	}
}

static void on_readable(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct sql_engine *g = ptr;
	struct duck_msg m;

	(void)ev;
	(void)events;
	while (g->busy && duck_recv(g->duck, g->cell, &m)) {
		if (m.kind == DUCK_HEAD)
			notebook_table_head(g->cell, &g->table, m.reply);
		else if (m.kind == DUCK_ROWS && notebook_table_rows(g->cell, &g->table, &m.rows))
			duck_cancel(g->duck);
		else if (m.kind == DUCK_DONE || m.kind == DUCK_FAILED) {
			ended(g, &m);
			return;
		}
	}
}

static void on_over(struct loop_ev *ev, void *ptr)
{
	struct sql_engine *g = ptr;

	loop_close(ev);
	g->begin = NULL;
	if (g->why.code)
		done(g, &g->why);
	else
		done_well(g);
}

static int run(struct engine *engine, struct str source, const char *name, struct err *e)
{
	struct sql_engine *g = (struct sql_engine *)engine;

	(void)name;
	(void)e;
	arena_reset(g->cell);
	g->count++;
	g->busy = true;
	g->shift = g->prefix = 0;
	g->table = (struct notebook_table){.all = -1};
	g->q = (struct table_query){.ask = {.file = "cell"}};
	g->q.ask.sql = arena_str(g->cell, take_head(g, source));
	g->why = (struct err)ERR_INIT;
	/* Where nothing is asked of DuckDB (an error, comments only) the end comes from the loop all the same. */
	if (table_task_bind(g->cell, &g->q.ask, g->vars, &g->why) || parse(g, &g->why) || !g->q.info.statements ||
	    ask(g, &g->why))
		g->begin = loop_timer(g->loop, START_MS, on_over, g);
	return 0;
}

static void interrupt(struct engine *engine)
{
	struct sql_engine *g = (struct sql_engine *)engine;

	g->asked = true;
	if (g->busy)
		duck_cancel(g->duck);
}

static void stop(struct engine *engine, int64_t ms)
{
	struct sql_engine *g = (struct sql_engine *)engine;

	(void)ms;
	loop_close(g->watch);
	loop_close(g->begin);
	duck_free(g->duck);
	arena_free(g->cell);
}

const struct engine_kind engine_sql = {
	.name = "sql", .start = start, .set = set, .run = run, .interrupt = interrupt, .stop = stop};
