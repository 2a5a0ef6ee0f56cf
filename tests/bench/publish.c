/*
 * bench-publish FOLDER: what a publish costs, from outputs that lie in their staging folders to heads that all readers
 * see: taken into the store, made durable, committed. For one table and for 100 that publish together; and the same
 * with datastore/ brought after them. The floor is what the disk asks for: the files renamed, started, synced, their
 * folder synced, and one page appended to a log and synced. Prints one JSON line of the best of each (s).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/commit.h"
#include "repo/datastore.h"
#include "repo/ingest.h"
#include "sys/file.h"

#define TABLES 100
#define BYTES (64 * 1024)
#define TIMES 25 /* the first make most of the 256 folders of blobs/, which a workspace in use has */

static struct err e = ERR_INIT;
static unsigned serial;
static char bytes[BYTES];

static void must(int rc)
{
	if (rc) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double best(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[0];
}

/* n folders with one new file each, as tasks leave them. */
static void stage(const char *dir, size_t n)
{
	char path[600];

	for (size_t i = 0; i < n; i++) {
		snprintf(bytes, sizeof(bytes), "%u", ++serial);
		snprintf(path, sizeof(path), "%s/%zu/part-0.parquet", dir, i);
		must(dir_make_parent(path, 0777, &e));
		must(file_write(path, (struct str){bytes, sizeof(bytes)}, 0644, FILE_EXCL, &e));
	}
}

static double publish(struct store *s, struct arena *a, const struct repo *repos, const char *staged, size_t n,
                      bool show)
{
	struct tree_edit edits[TABLES] = {0};
	struct ingest *in = ingest_new(s);
	struct id event = id_new();
	char path[600], label[40];
	double start = now();

	snprintf(label, sizeof(label), "ds=%04u-01-01", 1000 + serial / TABLES);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%zu", staged, i);
		edits[i].path = arena_str(a, str_of(label));
		must(ingest_folder(in, path, INGEST_MOVE, &edits[i].entry, &e));
		edits[i].entry.kind = ENTRY_FOLDER;
	}
	must(ingest_sync(in, &e));
	must(db_begin(s->db, &e));
	must(ingest_record(in, &e));
	for (size_t i = 0; i < n; i++) {
		struct commit_new c = {.repo = repos[i], .branch = STR(BRANCH_DEFAULT), .id = event, .batch = event,
		                       .edits = &edits[i], .n_edits = 1};
		struct commit made;
		bool is_new;

		must(commit_make(s, in, &c, &made, &is_new, &e));
	}
	must(db_commit(s->db, &e));
	if (show) {
		int64_t ids[TABLES];
		for (size_t i = 0; i < n; i++)
			ids[i] = repos[i].id;
		must(datastore_update_these(s, ids, n, NULL, NULL, &e));
	}
	start = now() - start;
	ingest_free(in);
	return start;
}

static double floor_of(const char *dir, const char *staged, size_t n)
{
	int fds[TABLES], log = -1;
	size_t which;
	char from[600], to[600];
	double start;

	must(dir_make(dir, 0777, &e));
	snprintf(to, sizeof(to), "%s/log", dir);
	must(file_open_write(to, O_APPEND, 0644, &log, &e));
	start = now();
	for (size_t i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s/%zu/part-0.parquet", staged, i);
		snprintf(to, sizeof(to), "%s/%u-%zu", dir, serial, i);
		must(file_rename(from, to, &e));
		must(file_open_read(to, &fds[i], &e));
		fd_start_sync(fds[i]);
	}
	if (fd_sync_all(fds, n, false, &which))
		exit(1);
	must(dir_sync(dir, &e));
	if (write(log, bytes, 4096) != 4096)
		exit(1);
	must(fd_sync(log, dir, &e));
	start = now() - start;
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	fd_close(&log);
	return start;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	static struct str zones[] = {{"tables", 6}};
	struct workspace ws = {.arena = a,
	                       .dir = argv[1],
	                       .protect = PROTECT_AUTO,
	                       .durable_power = true,
	                       .zones = zones,
	                       .n_zones = 1};
	static struct repo repos[TABLES];
	struct store *s;

	if (argc != 2) {
		fprintf(stderr, "usage: bench-publish FOLDER\n");
		return 2;
	}
	must(dir_make(argv[1], 0777, &e));
	must(store_create(&ws, &e));
	must(store_open(&ws, &s, &e));
	must(db_begin(s->db, &e));
	for (size_t i = 0; i < TABLES; i++)
		must(repo_ensure(s, a, arena_strf(a, "tables/t%zu", i), REPO_OUTPUT, STR("t"), &repos[i], &e));
	must(db_commit(s->db, &e));
	for (int kind = 0; kind < 6; kind++) {
		static const char *const names[] = {"one",           "hundred",   "shown_one",
		                                    "shown_hundred", "floor_one", "floor_hundred"};
		double took[TIMES];
		size_t n = kind % 2 ? TABLES : 1;

		for (int k = 0; k < TIMES; k++) {
			char *staged = arena_printf(a, "%s/staged-%d-%d", argv[1], kind, k);

			stage(staged, n);
			serial += TABLES;
			took[k] = kind >= 4 ? floor_of(arena_printf(a, "%s/floor", argv[1]), staged, n)
			                    : publish(s, a, repos, staged, n, kind >= 2);
		}
		printf("%s\"%s\": %.6f", kind ? ", " : "{", names[kind], best(took, TIMES));
	}
	printf("}\n");
	store_close(s);
	arena_free(a);
	return 0;
}
