#include "api/logs.h"

#include <unistd.h>

#include "api/stay.h"
#include "base/str.h"
#include "sys/file.h"

#define FOLLOW_MS 100

int logs_find(struct api *api, const struct args *args, struct log_spot **out, size_t *n, struct err *e)
{
	VEC(struct log_spot) v = {0};
	struct str what = args_pos(args, 0), ds = args_pos(args, 1);
	int64_t attempt, unit;
	struct q *q;
	int rc;

	if (args_int(args, "attempt", 1, 1000000, 0, &attempt, e) ||
	    args_int(args, "unit", 1, INT64_MAX, 0, &unit, e))
		return -1;
	/* Of a known unit the original's; of a job the last unit of it (of that ds). */
	q = db_query(
		api->store->db,
		"with w(u) as (select id from unit where run >= ?1 and run < ?1 || 'g' and length(?1) >= 4"
		" union select * from (select id from unit where job = ?1 and (?2 is null or ds = ?2)"
		" and (attempts > 0 or original is not null) order by id desc limit 1))"
		" select u.id, u.job, u.ds, t.log, t.finished is not null, u.error, t.n from w"
		" join unit u on u.id = w.u"
		" join attempt t on t.unit = coalesce(u.original, u.id) where t.n = case when ?3 then ?3 else"
		" (select max(n) from attempt x where x.unit = t.unit) end and (?4 = 0 or u.id = ?4) order by u.id");
	q_text(q, 1, what);
	q_text(q, 2, ds);
	q_int(q, 3, attempt);
	q_int(q, 4, unit);
	while ((rc = q_step(q, e)) == 1) {
		struct log_spot s = {q_col_int(q, 0), q_col_int(q, 6), arena_str(api->arena, q_col_text(q, 1)),
		                     arena_str(api->arena, q_col_text(q, 2)), arena_str(api->arena, q_col_text(q, 3)),
		                     arena_str(api->arena, q_col_text(q, 5)), q_col_int(q, 4) != 0};

		vec_push(api->arena, &v, s);
	}
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}

int logs_ended(struct store *s, const struct log_spot *l, struct err *e)
{
	struct q *q = db_query(s->db, "select t.finished is not null from unit u join attempt t on"
	                              " t.unit = coalesce(u.original, u.id) where u.id = ?1 and t.n = ?2");
	int rc;

	q_int(q, 1, l->unit);
	q_int(q, 2, l->attempt);
	rc = q_step(q, e);
	if (rc >= 0)
		rc = rc == 0 || q_col_int(q, 0) != 0; /* gone is over */
	q_done(q);
	return rc;
}

int logs_window(const struct args *args, off_t size, off_t *from, off_t *limit, struct err *e)
{
	int64_t f, n;

	if (args_int(args, "from", INT64_MIN / 2, INT64_MAX / 2, 0, &f, e) ||
	    args_int(args, "limit", 0, INT64_MAX / 2, -1, &n, e))
		return -1;
	*from = f < 0 ? MAX(0, size + f) : f;
	*limit = n;
	return 0;
}

/* Bytes from..from+limit of a file (limit -1: to its end); *from is moved on. */
static int print(const char *path, off_t *from, off_t limit, struct sink *out, struct err *e)
{
	char buf[65536];
	int fd FD_CLEANUP = -1;
	off_t end = limit < 0 ? INT64_MAX : *from + limit;

	if (limit < 0)
		return sink_file(path, from, out, e);
	if (!file_exists(path)) /* a task that printed nothing has no log */
		return 0;
	if (file_open_read(path, &fd, e))
		return -1;
	while (*from < end) {
		size_t n;

		if (fd_pread_full(fd, buf, (size_t)MIN((off_t)sizeof(buf), end - *from), *from, &n, path, e))
			return -1;
		if (!n)
			return 0;
		*from += (off_t)n;
		if (out->bytes(out->ptr, (struct str){buf, n}, e))
			return -1;
	}
	return 0;
}

static off_t size_of(const char *path)
{
	struct err none = ERR_INIT;
	struct stat st;

	return file_stat(path, &st, &none) ? 0 : st.st_size;
}

static int print_log(struct api *api, const struct args *args, struct log_spot *l, struct sink *out, struct err *e)
{
	const char *path = arena_printf(api->arena, "%s/%.*s", api->store->leat_dir, STR_ARG(l->path));
	off_t from, limit;

	if (logs_window(args, size_of(path), &from, &limit, e) || print(path, &from, limit, out, e))
		return -1;
	while (args_flag(args, "follow") && !l->ended) {
		int ended;

		usleep(FOLLOW_MS * 1000);
		/* State first, bytes after: what was written before the end is then printed. */
		ended = logs_ended(api->store, l, e);
		if (ended < 0 || sink_file(path, &from, out, e))
			return -1;
		l->ended = ended;
	}
	return 0;
}

static void add_line(struct arena *a, struct buf *b, const struct dom *cells)
{
	bool first = true;

	dom_each(c, cells) {
		buf_adds(b, first ? "" : "\t");
		if (c->type == DOM_LIST || c->type == DOM_MAP)
			dom_write_json(b, c, DOM_COMPACT);
		else if (c->type != DOM_NULL)
			buf_addstr(b, dom_text(a, c));
		first = false;
	}
	buf_addc(b, '\n');
}

/* A query of a job without output has printed its first rows. 1; 0: it was no such unit; -1. */
static int print_result(struct api *api, const struct log_spot *l, struct sink *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	const struct dom *columns = NULL, *result, *rows;
	struct dom *doc = NULL;
	struct q *q = db_query(api->store->db, "select x.ingredients from unit u join unit x"
	                                       " on x.id = coalesce(u.original, u.id) where u.id = ?");
	int rc;

	q_int(q, 1, l->unit);
	rc = q_step(q, e);
	if (rc == 1 && !q_col_is_null(q, 0))
		rc = dom_json(api->arena, arena_str(api->arena, q_col_text(q, 0)), "", &doc, e) ? -1 : 1;
	q_done(q);
	columns = doc ? dom_path(doc, "facts.columns") : NULL;
	if (rc < 0 || !columns)
		return rc < 0 ? -1 : 0;
	result = dom_path(doc, "facts.result");
	rows = dom_path(doc, "facts.rows");
	add_line(api->arena, &b, columns);
	dom_each(row, result)
		add_line(api->arena, &b, row);
	if (out->bytes(out->ptr, buf_str(&b), e))
		return -1;
	if (rows->i > (int64_t)result->n)
		sink_note(out, "%.*s%s%.*s: %lld rows, the first %zu of them", STR_ARG(l->job), l->ds.n ? " " : "",
		          STR_ARG(l->ds), (long long)rows->i, result->n);
	return 1;
}

int api_logs(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct log_spot *logs;
	size_t n;
	struct str what = args_pos(args, 0);
	int stays = args_n(args) > 1 ? 0 : stay_logs(api, what, args_flag(args, "follow"), out, e);

	if (stays)
		return stays < 0 ? -1 : 0;
	if (logs_find(api, args, &logs, &n, e))
		return -1;
	if (!n) {
		err_set(e, ERR_NOT_FOUND, "no log of '%.*s'%s%.*s", STR_ARG(what), args_n(args) > 1 ? " " : "",
		        STR_ARG(args_pos(args, 1)));
		return err_hint(e, "'leat runs' lists what ran");
	}
	for (size_t i = 0; i < n; i++) {
		int told = logs[i].path.n ? 0 : print_result(api, &logs[i], out, e);

		if (told < 0)
			return -1;
		if (!logs[i].path.n && !told) {
			sink_note(out, "%.*s%s%.*s printed nothing%s%.*s", STR_ARG(logs[i].job),
			          logs[i].ds.n ? " " : "", STR_ARG(logs[i].ds), logs[i].error.n ? "; it failed: " : "",
			          STR_ARG(logs[i].error));
		}
		if (!logs[i].path.n)
			continue;
		if (n > 1)
			sink_note(out, "==> %.*s %.*s <==", STR_ARG(logs[i].job), STR_ARG(logs[i].ds));
		if (print_log(api, args, &logs[i], out, e))
			return -1;
	}
	return 0;
}
