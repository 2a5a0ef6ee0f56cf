/*
 * Parquet files of one table that differ in their columns. What each file has is asked once and kept by the file's hash
 * in .leat/cache/schemas/index (lines "<file> <schema>"); files of equal schema are one group, and each group of
 * several files begins with a file of no rows, .leat/cache/schemas/<schema>/…/schema.parquet, because DuckDB binds a
 * list by its first file: so a query for one day opens that day's files and this one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "db/sql.h"
#include "flow/table.h"
#include "sys/file.h"

#define INDEX_LINE (SHA_HEX + 1 + SHA_HEX + 1)
#define INDEX_MAX ((size_t)64 << 20)
#define ASK_FILES 500 /* whose schemas are asked in one statement */

static const char *cache_path(struct store *s, struct arena *a, const char *name)
{
	return arena_printf(a, "%s/cache/schemas%s%s", s->leat_dir, *name ? "/" : "", name);
}

/* A cache: what cannot be read is not known. */
static void load_index(struct store *s, struct arena *a, struct map *known)
{
	struct err e = ERR_INIT;
	struct str text, line;

	if (file_read(a, cache_path(s, a, "index"), INDEX_MAX, &text, &e))
		return;
	while (str_next_line(&text, &line))
		if (line.n == INDEX_LINE - 1 && line.p[SHA_HEX] == ' ')
			map_set(known, str_sub(line, 0, SHA_HEX), arena_cstr(a, str_sub(line, SHA_HEX + 1, SHA_HEX)));
}

static void save_index(struct store *s, struct arena *a, struct str lines)
{
	const char *path = cache_path(s, a, "index");
	int fd FD_CLEANUP = -1;
	struct err e = ERR_INIT;
	struct stat st;

	if (dir_make(cache_path(s, a, ""), 0755, &e) || file_open_write(path, O_CREAT | O_APPEND, 0644, &fd, &e))
		return;
	if (!file_stat(path, &st, &e) && (size_t)st.st_size + lines.n > INDEX_MAX && fd_truncate(fd, 0, path, &e))
		return;
	if (fd_write_all(fd, lines.p, lines.n, path, &e))
		err_clear(&e);
}

/* Asks for the schemas of files[from..], each file's as a hash of names and types. */
static int ask(struct arena *a, struct duck *d, struct table_source *t, const size_t *which, size_t n,
	       struct map *known, struct buf *lines, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT((size_t)8 << 20);
	struct duck_sql q = {.threads = DUCK_THREADS_ANY};
	struct duck_small small;
	struct map by_path;

	map_init(&by_path, a);
	buf_adds(
		&b,
		"select file_name, sha256(string_agg(concat_ws(' ', name, type, type_length, repetition_type, "
		"num_children,"
		" converted_type, scale, precision, logical_type), chr(10) order by column_id)) from parquet_schema([");
	for (size_t i = 0; i < n; i++) {
		struct table_file *f = &t->files[which[i]];

		buf_adds(&b, i ? "," : "");
		sql_add_path(&b, f->path);
		map_set(&by_path, f->path, f);
	}
	buf_adds(&b, "]) where column_id > 0 group by 1");
	q.sql = buf_str(&b);
	if (duck_small(d, a, &q, &small, NULL, e))
		return -1;
	for (size_t i = 0; i < small.rows.n_rows; i++) {
		struct table_file *f = map_get(&by_path, small.rows.at[i * 2]);
		struct str schema = small.rows.at[i * 2 + 1];
		char hex[SHA_HEX + 1];

		if (!f || schema.n != SHA_HEX)
			continue;
		sha_hex(&f->id, hex);
		map_set(known, str_of(hex), arena_cstr(a, schema));
		buf_addf(lines, "%s %.*s\n", hex, STR_ARG(schema));
	}
	return 0;
}

static int schemas(struct store *s, struct arena *a, struct duck *d, struct table_source *t, struct map *known,
		   struct err *e)
{
	struct buf lines cleanup(buf_free) = BUF_INIT(INDEX_MAX);
	VEC(size_t) unknown = {0};
	char hex[SHA_HEX + 1];

	load_index(s, a, known);
	for (size_t i = 0; i < t->n_files; i++) {
		sha_hex(&t->files[i].id, hex);
		if (!map_has(known, str_of(hex)))
			vec_push(a, &unknown, i);
	}
	for (size_t i = 0; i < unknown.n; i += ASK_FILES)
		if (ask(a, d, t, unknown.p + i, MIN(unknown.n - i, (size_t)ASK_FILES), known, &lines, e))
			return -1;
	if (lines.n)
		save_index(s, a, buf_str(&lines));
	return 0;
}

/* "ds=/country=FR/": the folders k=v of a path; ds without its value, which differs in every partition. */
static struct str folders_of(struct arena *a, struct str path, bool values)
{
	struct buf b cleanup(buf_free) = BUF_INIT(8192);
	struct str part, key, value;

	while (str_cut(path, '/', &part, &path)) {
		if (!str_cut(part, '=', &key, &value))
			continue;
		if (!values)
			buf_addf(&b, "%.*s/", STR_ARG(key));
		else if (str_is(key, "ds"))
			buf_adds(&b, "ds=0001-01-01/");
		else
			buf_addf(&b, "%.*s/", STR_ARG(part));
	}
	return arena_str(a, buf_str(&b));
}

/* A cache that lost power may hold a file cut short, or of zeroes: Parquet begins and ends with its name. */
static bool is_whole(const char *path)
{
	int fd FD_CLEANUP = -1;
	struct err ignored = ERR_INIT;
	char head[4], tail[4];
	struct stat st;

	return !file_open_read(path, &fd, &ignored) && !fstat(fd, &st) && st.st_size > 12 &&
	       pread(fd, head, 4, 0) == 4 && pread(fd, tail, 4, st.st_size - 4) == 4 && !memcmp(head, "PAR1", 4) &&
	       !memcmp(tail, "PAR1", 4);
}

/* Makes it where it is not there yet; a race of two makes the same file. */
static int schema_file(struct store *s, struct arena *a, struct duck *d, const struct table_file *f, const char *schema,
                       struct str *out, struct err *e)
{
	struct str folders = folders_of(a, f->in_repo, true);
	const char *name = arena_printf(a, "%s/%.*sschema.parquet", schema, STR_ARG(folders)),
		   *path = cache_path(s, a, name);
	const char *temp = arena_printf(a, "%s/cache/schemas/.new-%d-%s.parquet", s->leat_dir, (int)getpid(), schema);
	struct buf b cleanup(buf_free) = BUF_INIT(65536);
	struct duck_sql q = {.threads = DUCK_THREADS_ANY};

	*out = arena_strf(a, DUCK_LEAT "/cache/schemas/%s", name);
	if (is_whole(path))
		return 0;
	buf_adds(&b, "select * from read_parquet(");
	sql_add_path(&b, f->path);
	buf_adds(&b, ", hive_partitioning = false) limit 0");
	q.sql = buf_str(&b);
	if (dir_make_parent(path, 0755, e) ||
	    duck_call(d, a, duck_req_copy(a, &q, temp, "parquet"), NULL, NULL, NULL, NULL, e))
		return -1;
	return file_rename(temp, path, e);
}

int table_group_parquet(struct store *s, struct arena *a, struct duck *d, struct table_source *t, size_t *n_groups,
                        struct str **schema_files, struct err *e)
{
	struct map known, groups;
	VEC(size_t) first = {0}, count = {0};
	struct str *files;

	*schema_files = NULL;
	*n_groups = 1;
	if (t->n_files < 2)
		return 0; /* nothing to differ from */
	map_init(&known, a);
	map_init(&groups, a);
	if (schemas(s, a, d, t, &known, e))
		return -1;
	for (size_t i = 0; i < t->n_files; i++) {
		struct table_file *f = &t->files[i];
		char hex[SHA_HEX + 1];

		sha_hex(&f->id, hex);
		const char *schema = map_get(&known, str_of(hex));
		struct str key =
			arena_strf(a, "%s %.*s", schema ? schema : "", STR_ARG(folders_of(a, f->in_repo, false)));
		size_t g = (size_t)(uintptr_t)map_get(&groups, key);
		if (!g) {
			vec_push(a, &first, i);
			vec_push(a, &count, (size_t)0);
			g = first.n;
			map_set(&groups, key, (void *)g);
		}
		f->group = g - 1;
		count.p[g - 1]++;
	}
	files = arena_array(a, struct str, first.n);
	for (size_t g = 0; g < first.n; g++) {
		const struct table_file *f = &t->files[first.p[g]];
		char hex[SHA_HEX + 1];

		sha_hex(&f->id, hex);
		const char *schema = map_get(&known, str_of(hex));
		if (count.p[g] > 1 && schema && schema_file(s, a, d, f, schema, &files[g], e))
			return -1;
	}
	*schema_files = files;
	*n_groups = first.n;
	return 0;
}
