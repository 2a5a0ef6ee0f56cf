#include "api/failures.h"

#include <string.h>

#include "base/str.h"
#include "sys/fd.h"
#include "sys/file.h"

void failures_add(struct arena *a, struct failures *f, int64_t unit)
{
	for (size_t i = 0; i < f->units.n; i++)
		if (f->units.p[i] == unit)
			return;
	f->n++;
	if (f->units.n < FAILURES_SHOWN)
		vec_push(a, &f->units, unit);
}

static void add_line(struct arena *a, struct dom *list, struct str line, bool begun)
{
	bool cr = line.n && line.p[line.n - 1] == '\r';

	line.n -= cr;
	if (begun) /* the end of a line whose beginning is far away */
		line = arena_strf(a, "...%.*s", STR_ARG(str_sub(line, line.n - MIN(line.n, FAILURES_WIDTH), SIZE_MAX)));
	else if (line.n > FAILURES_WIDTH)
		line = arena_strf(a, "%.*s...", FAILURES_WIDTH, line.p);
	dom_add(list, dom_new_str(a, line));
}

/* The last lines of what was read from a log; whole: from its beginning. */
static void last_lines(struct arena *a, struct dom *list, struct str text, bool whole)
{
	size_t at = text.n, n = 0;

	if (at && text.p[at - 1] == '\n')
		text.n = --at;
	while (at) {
		if (text.p[at - 1] == '\n' && ++n == FAILURES_LINES)
			break;
		at--;
	}
	while (at < text.n) {
		const char *end = memchr(text.p + at, '\n', text.n - at);
		size_t to = end ? (size_t)(end - text.p) : text.n;

		add_line(a, list, arena_str(a, str_sub(text, at, to - at)), !at && !whole);
		if (!end)
			return;
		at = to + 1;
	}
}

/* A log that is not there, or cannot be read, has no lines: the failure is told all the same. */
static void read_log(struct api *api, struct str name, struct dom *list)
{
	const char *path = arena_printf(api->arena, "%s/%.*s", api->store->leat_dir, STR_ARG(name));
	char *buf = arena_array(api->arena, char, FAILURES_READ);
	int fd FD_CLEANUP = -1;
	struct err e = ERR_INIT;
	struct stat st;
	off_t from;
	size_t n;

	if (!name.n || file_stat(path, &st, &e) || file_open_read(path, &fd, &e)) {
		err_clear(&e);
		return;
	}
	from = MAX((off_t)0, st.st_size - (off_t)FAILURES_READ);
	if (fd_pread_full(fd, buf, FAILURES_READ, from, &n, path, &e))
		err_clear(&e);
	else
		last_lines(api->arena, list, (struct str){buf, n}, !from);
}

static int tell_one(struct api *api, int64_t unit, struct dom *list, struct err *e)
{
	struct arena *a = api->arena;
	struct q *q = db_query(api->store->db,
	                       "select u.job, u.ds, u.run, u.error, t.status, t.log, u.label from unit u"
	                       " left join attempt t on t.unit = u.id and t.n = u.attempts where u.id = ?");
	struct dom *row = dom_new(a, DOM_MAP), *log = dom_new(a, DOM_LIST);
	int rc;

	q_int(q, 1, unit);
	rc = q_step(q, e);
	if (rc == 1) {
		dom_set_str(a, row, "job", arena_str(a, q_col_text(q, 0)));
		dom_set_str(a, row, "ds", q_col_text(q, 1).n ? arena_str(a, q_col_text(q, 1)) : STR_NULL);
		if (!q_col_is_null(q, 6))
			dom_set_str(a, row, "label", arena_str(a, q_col_text(q, 6)));
		dom_set_str(a, row, "run", arena_str(a, q_col_text(q, 2)));
		dom_set_int(a, row, "unit", unit);
		dom_set_str(a, row, "reason", arena_str(a, q_col_text(q, 3)));
		if (!q_col_is_null(q, 4))
			dom_set_int(a, row, "status", q_col_int(q, 4));
		read_log(api, arena_str(a, q_col_text(q, 5)), log);
		dom_set(a, row, "log", log);
		dom_add(list, row);
	}
	q_done(q);
	return rc < 0 ? -1 : 0;
}

int failures_tell(struct api *api, const struct failures *f, struct dom *row, struct err *e)
{
	struct dom *list = dom_new(api->arena, DOM_LIST);

	if (!f->n)
		return 0;
	for (size_t i = 0; i < f->units.n; i++)
		if (tell_one(api, f->units.p[i], list, e))
			return -1;
	dom_set(api->arena, row, "failures", list);
	return 0;
}
