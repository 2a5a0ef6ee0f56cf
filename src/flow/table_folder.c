#include "flow/table_folder.h"

#include <strings.h>

#include "base/str.h"
#include "flow/jobsql.h"
#include "sys/dir.h"
#include "sys/file.h"

#define MAX_SQL ((size_t)64 << 20)

struct reading {
	struct arena *a;
	const struct table_folder *of;
	enum table_format format;
	VEC(struct str) files; /* absolute */
	bool any, keys;        /* a table file was there, though maybe an empty one; a folder is a key=value */
	bool days, labels;     /* all its ds are days; it has any */
	struct str first;
};

static void take_keys(struct reading *r, struct str path)
{
	struct str part, key, value;
	struct ds ds;
	struct err no = ERR_INIT;

	while (str_cut(path, '/', &part, &path)) {
		if (!str_cut(part, '=', &key, &value))
			continue;
		r->keys = true;
		if (!str_is(key, "ds"))
			continue;
		r->labels = true;
		if (ds_parse(value, &ds, &no) || ds.every != EVERY_DAY)
			r->days = false;
		err_clear(&no);
	}
}

static int take_file(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct reading *r = ptr;
	const char *path = arena_printf(r->a, "%s/%s", r->of->dir, entry->path);
	struct str rel = str_of(entry->path);
	enum table_format format;
	struct stat st;

	if (entry->name[0] == '_' || entry->name[0] == '.')
		return entry->type == DIR_FOLDER ? DIR_SKIP : DIR_GO;
	if (entry->type == DIR_FOLDER || !table_format_of(rel, &format, NULL))
		return DIR_GO;
	if (file_stat(path, &st, e))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_BAD_DATA, "%s of the input %.*s is no plain file, so it cannot be queried", entry->path,
		        STR_ARG(r->of->name));
		return err_hint(e, "`lazy: true` makes pipes, which can be read once, from front to back");
	}
	if (!r->any) {
		r->format = format;
		r->first = arena_str(r->a, rel);
	} else if (format != r->format) {
		return err_set(e, ERR_BAD_DATA,
		               "the input %.*s holds %s and %s files (%.*s, %s); a table has one format",
		               STR_ARG(r->of->name), table_format_word(r->format), table_format_word(format),
		               STR_ARG(r->first), entry->path);
	}
	r->any = true;
	if (!st.st_size)
		return DIR_GO;
	if (r->files.n == TABLE_MAX_FILES)
		return err_set(e, ERR_LIMIT, "the input %.*s has more than %d files", STR_ARG(r->of->name),
		               TABLE_MAX_FILES);
	take_keys(r, arena_str(r->a, rel));
	vec_push(r->a, &r->files, str_of(path));
	return DIR_GO;
}

/* Whether the files themselves have a column ds, which the folder's wins over (SEMANTICS 10). */
static int has_ds(struct reading *r, struct duck *d, bool *out, struct err *e)
{
	const struct dom *reply;

	*out = false;
	if (duck_call(d, r->a, duck_req_sniff(r->a, r->files.p[0].p, table_format_word(r->format)), NULL, NULL, &reply,
	              NULL, e))
		return -1;
	dom_each(c, dom_get(reply, "columns"))
		*out |= str_is(dom_get(c, "name")->s, "ds");
	return 0;
}

static int make_reader(struct reading *r, struct duck *d, struct str *out, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(MAX_SQL);
	struct str label = r->labels ? STR_NULL : r->of->label;
	struct err no = ERR_INIT;
	bool drop = false;
	struct ds ds;

	if (label.n && has_ds(r, d, &drop, e))
		return -1;
	buf_adds(&b, drop ? "select * exclude (ds)" : "select *");
	if (label.n) {
		bool day = !ds_parse(label, &ds, &no) && ds.every == EVERY_DAY;

		buf_adds(&b, day ? ", date " : ", ");
		sql_add_literal(&b, label);
		buf_adds(&b, " as ds");
	}
	buf_addf(&b, " from read_%s([", table_format_word(r->format));
	for (size_t i = 0; i < r->files.n; i++) {
		if (i)
			buf_addc(&b, ',');
		sql_add_path(&b, r->files.p[i]);
	}
	buf_addf(&b, "]%s, hive_partitioning = %s", r->files.n > 1 ? ", union_by_name = true" : "",
	         r->keys ? "true" : "false");
	if (r->labels)
		buf_addf(&b, ", hive_types = {'ds': %s}", r->days ? "DATE" : "VARCHAR");
	buf_addc(&b, ')');
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the input %.*s has too many files for one statement",
		               STR_ARG(r->of->name));
	*out = arena_str(r->a, buf_str(&b));
	return 0;
}

int table_folder_reader(struct arena *a, struct duck *d, const struct table_folder *f, struct str *reader,
                        struct err *e)
{
	struct reading r = {.a = a, .of = f, .days = true};

	if (!f->dir)
		return err_set(e, ERR_MISSING_INPUT, "this unit has nothing of the input %.*s", STR_ARG(f->name));
	if (dir_walk(f->dir, DIR_NO_STAT, take_file, &r, e))
		return -1;
	if (r.files.n)
		return make_reader(&r, d, reader, e);
	if (r.any)
		return err_set(e, ERR_NOT_FOUND, "the input %.*s has only empty files, so its columns are not known",
		               STR_ARG(f->name));
	return err_set(e, ERR_NOT_FOUND, "the input %.*s is no table: it has no Parquet, CSV or JSON files",
	               STR_ARG(f->name));
}

static bool is_called(struct arena *a, const struct table_folder *f, const struct sql_table *t)
{
	struct str repo, pin;

	jobsql_repo_of(a, t, &repo, &pin);
	if (repo.n == f->name.n && !strncasecmp(repo.p, f->name.p, repo.n))
		return true;
	return f->repo.n == repo.n && !strncasecmp(repo.p, f->repo.p, repo.n);
}

static int no_such(struct arena *a, const struct sql_table *t, const struct table_folder *folders, size_t n,
                   struct err *e)
{
	struct str all = STR("");

	err_set(e, ERR_BAD_SQL, "%.*s%s%.*s is no input of this task", STR_ARG(t->schema), t->schema.n ? "." : "",
	        STR_ARG(t->name));
	for (size_t i = 0; i < n; i++)
		all = arena_strf(a, "%.*s%s%.*s", STR_ARG(all), i ? ", " : "", STR_ARG(folders[i].name));
	return n ? err_hint(e, "its inputs are %.*s", STR_ARG(all)) : err_hint(e, "job.yaml names none: `inputs:`");
}

static int find(struct arena *a, struct duck *d, const struct table_query *q, size_t i,
                const struct table_folder *folders, size_t n, struct str *readers, struct err *e)
{
	const struct sql_table *t = &q->info.tables[i];
	struct str repo, pin;

	if (str_is(t->schema, "information_schema") || str_is(t->schema, "pg_catalog"))
		return 0;
	jobsql_repo_of(a, t, &repo, &pin);
	if (pin.n || t->at_unit.n) {
		err_set(e, ERR_BAD_SQL, "a task reads its inputs as they are, at no other version");
		return err_hint(e, "pin it in job.yaml: `inputs: {NAME: {repo: REPO, pin: PIN}}`");
	}
	for (size_t k = 0; k < i; k++)
		if (readers[k].n && str_eq(q->info.tables[k].schema, t->schema) &&
		    str_eq(q->info.tables[k].name, t->name)) {
			readers[i] = readers[k];
			return 0;
		}
	for (size_t k = 0; k < n; k++)
		if (is_called(a, &folders[k], t))
			return table_folder_reader(a, d, &folders[k], &readers[i], e);
	return no_such(a, t, folders, n, e);
}

int table_folder_prepare(struct arena *a, struct duck *d, const struct table_query_ask *ask,
                         const struct table_folder *folders, size_t n, struct table_query *out, struct err *e)
{
	struct table_query q = {.ask = *ask};
	const struct dom *reply;
	struct str *readers;

	if (ask->sql.n > SQL_MAX_TEXT)
		return err_set(e, ERR_LIMIT, "the query is over its limit of %zu MiB", SQL_MAX_TEXT >> 20);
	if (duck_call(d, a, duck_req_parse(a, &ask->sql, 1), NULL, NULL, &reply, NULL, e))
		return -1;
	if (!dom_get(reply, "parsed") || !dom_get(reply, "parsed")->first ||
	    sql_info_read(a, dom_get(reply, "parsed")->first, &q.info))
		return err_set(e, ERR_INTERNAL, "what the parser said cannot be read");
	if (q.info.error.n) {
		err_set(e, ERR_BAD_SQL, "%.*s", STR_ARG(q.info.error));
		duck_remedy(e, q.info.error);
		return table_query_error(e, &q, (int64_t)q.info.error_offset);
	}
	if (!q.info.statements)
		return err_set(e, ERR_BAD_SQL, "there is no statement in the query");
	readers = arena_array(a, struct str, q.info.n_tables);
	for (size_t i = 0; i < q.info.n_tables; i++)
		if (find(a, d, &q, i, folders, n, readers, e))
			return table_query_error(e, &q, (int64_t)q.info.tables[i].start);
	sql_bind(a, ask->sql, &q.info, readers, &q.bound);
	*out = q;
	return 0;
}
