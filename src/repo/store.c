#include "repo/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/name.h"
#include "base/str.h"
#include "repo/overlay.h"
#include "repo/pack.h"
#include "repo/tree_page.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"

static const char *const folders[] = {"blobs", "packs", "staging", "views", "old", "lost+found", "cache", "logs"};

struct id id_new(void)
{
	struct id id;

	rand_id(id.hex);
	return id;
}

struct id id_of(struct str hex)
{
	struct id id = {""};

	if (hex.n == ID_HEX)
		memcpy(id.hex, hex.p, ID_HEX);
	return id;
}

static struct store *handle_in(struct workspace *ws, const char *dir)
{
	struct store *s = xcalloc(1, sizeof(*s));
	size_t n = strlen(dir) + sizeof("/datastore");

	s->ws = ws;
	s->readers = s->sessions = -1;
	s->leat_dir = xmalloc(n);
	s->data_dir = xmalloc(n);
	snprintf(s->leat_dir, n, "%s/.leat", dir);
	snprintf(s->data_dir, n, "%s/datastore", dir);
	return s;
}

static struct store *handle(struct workspace *ws)
{
	return handle_in(ws, ws->dir);
}

static int record_facts(struct store *s, enum db_durability how, struct err *e)
{
	static const char sql[] = "insert or ignore into store(key, value) values(?, ?)";
	struct id id = id_new();
	struct q *q;

	if (db_begin_durable(s->db, how, e))
		return -1;
	q = db_query(s->db, sql);
	q_cstr(q, 1, "workspace");
	q_cstr(q, 2, id.hex);
	if (q_run(q, e))
		goto fail;
	q = db_query(s->db, sql);
	q_cstr(q, 1, "created");
	q_int(q, 2, clock_now_ms());
	if (q_run(q, e))
		goto fail;
	return db_commit(s->db, e);
fail:
	db_rollback(s->db);
	return -1;
}

/* The folders of blobs are named by two hex digits. */
static bool holds_blobs(const struct store *s)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct dir_names names = {0};

	return !dir_list(a, arena_printf(a, "%s/blobs", s->leat_dir), &names, &ignored) && names.n;
}

static int lost_database(const struct store *s, struct err *e)
{
	err_set(e, ERR_DAMAGED, "%s/leat.db holds nothing, though %s/blobs holds files: it was deleted or emptied",
	        s->leat_dir, s->leat_dir);
	return err_hint(
		e,
		"put a copy of leat.db back; without one move .leat aside, then leat init,"
		" and leat commit adopts what lies in datastore/");
}

/* Whether the store was ever made whole: its first facts are there. 1, 0, -1. */
static int has_facts(struct store *s, struct err *e)
{
	struct q *q = db_query(s->db, "select 1 from store where key = 'created'");
	int r = q_step(q, e);

	q_done(q);
	return r;
}

/* A store that is being made, or was left half made, has no blobs. */
static int check_facts(struct store *s, struct err *e)
{
	struct err inner = ERR_INIT;
	int r = has_facts(s, &inner);

	/* A page of the facts that is damaged says nothing of all else: who needs one of them is told so. */
	if (r < 0 && inner.code == ERR_DAMAGED)
		return 0;
	if (r < 0)
		*e = inner;
	return r < 0 ? -1 : !r && holds_blobs(s) ? lost_database(s, e) : 0;
}

static int make_folders(struct store *s, struct err *e)
{
	char path[4200];

	if (dir_make(s->leat_dir, 0777, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->leat_dir, folders[i]);
		if (dir_make(path, 0777, e))
			return -1;
	}
	return dir_make(s->data_dir, 0777, e);
}

int store_create(struct workspace *ws, struct err *e)
{
	struct store *s = handle(ws);
	struct fs_info fs;
	int rc = -1;

	if (!str_is_utf8(str_of(ws->dir))) {
		err_set(e, ERR_REFUSED, "the path %s is no UTF-8, so tables in it could not be read",
		        STR_SHOWN(str_of(ws->dir)));
		goto out;
	}
	if (fs_kind(ws->dir, &fs, e))
		goto out;
	if (fs.class == FS_NETWORK) {
		err_set(e, ERR_REFUSED, "%s is on a network file system (%s), where locks cannot be relied on", ws->dir,
		        fs.name);
		err_hint(e, "make the workspace on a local disk");
		goto out;
	}
	if (make_folders(s, e) || db_create(s->leat_dir, &s->db, e) || check_facts(s, e) ||
	    record_facts(s, DB_POWER, e))
		goto out;
	if (dir_sync(s->leat_dir, e) || dir_sync(ws->dir, e))
		goto out;
	rc = 0;
out:
	store_close(s);
	return rc;
}

int store_open(struct workspace *ws, struct store **out, struct err *e)
{
	struct store *s = handle(ws);
	struct err inner = ERR_INIT;

	if (db_open(s->leat_dir, &s->db, &inner)) {
		*e = inner;
		if (inner.code == ERR_NOT_FOUND) {
			err_clear(e);
			err_set(e, ERR_NO_WORKSPACE, "%s has leat.yaml but no store (.leat/leat.db)", ws->dir);
			err_hint(e, "leat init makes one");
			if (holds_blobs(s))
				(void)!lost_database(s, e);
		}
		store_close(s);
		return -1;
	}
	if (check_facts(s, e)) {
		store_close(s);
		return -1;
	}
	db_set_durability(s->db, ws->durable_power ? DB_POWER : DB_PROCESS);
	s->trees = tree_cache_new();
	*out = s;
	return 0;
}

int store_open_apart(struct workspace *ws, const char *dir, struct store **out, struct err *e)
{
	struct store *s = handle_in(ws, dir);

	s->apart = true;
	if (make_folders(s, e) || db_create(s->leat_dir, &s->db, e) || record_facts(s, DB_PROCESS, e)) {
		store_close(s);
		return -1;
	}
	db_set_durability(s->db, DB_PROCESS);
	s->trees = tree_cache_new();
	*out = s;
	return 0;
}

int store_empty(struct store *s, struct err *e)
{
	BUG_IF(!s->apart || s->live);
	store_rest(s);
	s->n_moved = 0;
	packs_free(s->packs);
	s->packs = NULL;
	tree_cache_free(s->trees);
	s->trees = tree_cache_new();
	if (db_begin(s->db, e))
		return -1;
	if (!db_empty(s->db, e))
		return db_commit(s->db, e);
	db_rollback(s->db);
	return -1;
}

void store_rest(struct store *s)
{
	fd_close(&s->readers);
	s->n_leases = 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	tree_cache_free(s->trees);
	db_close(s->db);
	fd_close(&s->readers);
	fd_close(&s->sessions);
	packs_free(s->packs);
	free(s->leases);
	free(s->moved);
	free(s->leat_dir);
	free(s->data_dir);
	free(s);
}

struct str store_workspace_id(struct store *s, struct arena *a)
{
	struct q *q = db_query(s->db, "select value from store where key = 'workspace'");
	struct err ignored = ERR_INIT;
	struct str id = STR("");

	if (q_step(q, &ignored) == 1)
		id = arena_str(a, q_col_text(q, 0));
	q_done(q);
	return id;
}

bool store_has_moved(const struct store *s, int64_t repo)
{
	size_t i = 0;

	while (i < s->n_moved && s->moved[i] != repo)
		i++;
	return i < s->n_moved;
}

void store_moved(struct store *s, int64_t repo)
{
	if (store_has_moved(s, repo))
		return;
	if (s->n_moved == s->cap_moved) {
		s->cap_moved = s->cap_moved ? 2 * s->cap_moved : 8;
		s->moved = xrealloc(s->moved, s->cap_moved * sizeof(*s->moved));
	}
	s->moved[s->n_moved++] = repo;
}

static const char *const roles[] = {"source", "output", "system"};

static void repo_row(struct q *q, struct arena *a, struct repo *out)
{
	struct str role = q_col_text(q, 2), job = q_col_text(q, 3);

	out->id = q_col_int(q, 0);
	out->name = arena_str(a, q_col_text(q, 1));
	out->role = REPO_SOURCE;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (str_is(role, roles[i]))
			out->role = (enum repo_role)i;
	out->job = job.p ? arena_str(a, job) : STR_NULL;
}

static int find_by(struct store *s, struct arena *a, const char *sql, struct str name, struct repo *out,
		   struct err *e)
{
	struct q *q = db_query(s->db, sql);
	int r;

	q_text(q, 1, name);
	r = q_step(q, e);
	if (r == 1)
		repo_row(q, a, out);
	q_done(q);
	return r;
}

int repo_find_any(struct store *s, struct arena *a, struct str name, struct repo *out, struct err *e)
{
	struct err inner = ERR_INIT;
	int r = find_by(s, a,
			"select id, name, role, job from repo"
			/* the +: else SQLite puts the constant in place of the column, and reads all repos */
			" where lower(name) = lower(?1) and ended is null and +name = ?1",
			name, out, &inner);

	if (r < 0 && inner.code == ERR_DAMAGED) { /* maybe only the index is */
		err_clear(&inner);
		r = find_by(s, a,
			    "select id, name, role, job from repo not indexed where ended is null and name = ?1", name,
			    out, &inner);
	}
	if (r < 0)
		*e = inner;
	return r;
}

int repo_find(struct store *s, struct arena *a, struct str name, struct repo *out, struct err *e)
{
	struct repo found;
	int r = repo_find_any(s, a, name, &found, e), shows;

	if (r <= 0)
		return r;
	shows = overlay_shows(s, found.id, e);
	if (shows > 0)
		*out = found;
	return shows;
}

/* Another repo that this name cannot stand beside: 1 and *e filled, 0, -1. */
static int clashes(struct store *s, struct str name, struct err *e)
{
	struct q *q = db_query(s->db, "select name from repo where ended is null and lower(name) = lower(?)");
	int r;

	q_text(q, 1, name);
	r = q_step(q, e);
	if (r == 1) {
		struct str other = q_col_text(q, 0);
		err_set(e, ERR_BAD_NAME, "%.*s differs only in case from the repo %.*s", STR_ARG(name), STR_ARG(other));
	}
	q_done(q);
	if (r)
		return r;
	for (size_t i = 1; i < name.n; i++) {
		if (name.p[i] != '/')
			continue;
		q = db_query(s->db, "select name from repo where ended is null and lower(name) = lower(?)");
		q_text(q, 1, (struct str){name.p, i});
		r = q_step(q, e);
		if (r == 1) {
			struct str other = q_col_text(q, 0);
			err_set(e, ERR_BAD_NAME, "%.*s would lie inside the repo %.*s", STR_ARG(name), STR_ARG(other));
			err_hint(e, "a repo never lies inside another: %.*s:/%.*s is a path in it", STR_ARG(other),
			         (int)(name.n - i - 1), name.p + i + 1);
		}
		q_done(q);
		if (r)
			return r;
	}
	/* '0' follows '/', so this is every name that begins with NAME/ */
	q = db_query(s->db, "select name from repo where ended is null and lower(name) > lower(?1) || '/' and "
			    "lower(name) < lower(?1) || '0' limit 1");
	q_text(q, 1, name);
	r = q_step(q, e);
	if (r == 1) {
		struct str other = q_col_text(q, 0);
		err_set(e, ERR_BAD_NAME, "the repo %.*s would lie inside %.*s", STR_ARG(other), STR_ARG(name));
		err_hint(e, "a repo never lies inside another");
	}
	q_done(q);
	return r;
}

/* It would stand in the way of every repo of the zone: none lies inside another. */
static int is_zone(struct store *s, struct str name, struct err *e)
{
	for (size_t i = 0; i < s->ws->n_zones; i++) {
		if (str_eq(s->ws->zones[i], name)) {
			err_set(e, ERR_BAD_NAME, "%.*s is a zone: the repos in it are %.*s/NAME", STR_ARG(name),
				STR_ARG(name));
			return err_hint(e, "name one, say %.*s/new; `zones:` of leat.yaml lists the zones",
					STR_ARG(name));
		}
	}
	return 0;
}

int repo_may_be_made(struct store *s, struct str name, struct err *e)
{
	return name_check_repo(name, e) || clashes(s, name, e) || is_zone(s, name, e) ? -1 : 0;
}

int repo_ensure(struct store *s, struct arena *a, struct str name, enum repo_role role, struct str job,
                struct repo *out, struct err *e)
{
	int r = repo_find_any(s, a, name, out, e);
	struct q *q;

	BUG_IF(!db_in_write(s->db));
	if (r)
		return r < 0 ? -1 : 0;
	/* what leat keeps for itself has names that nobody else can give */
	if (role == REPO_SYSTEM ? clashes(s, name, e) : repo_may_be_made(s, name, e))
		return -1;
	q = db_query(s->db, "insert into repo(name, role, job, created, made_on) values(?, ?, ?, ?, ?)");
	q_text(q, 1, name);
	q_cstr(q, 2, roles[role]);
	q_text(q, 3, job);
	q_int(q, 4, clock_now_ms());
	if (s->on && role != REPO_SYSTEM)
		q_int(q, 5, s->on->id);
	else
		q_null(q, 5);
	if (q_run(q, e))
		return -1;
	*out = (struct repo){.id = db_last_rowid(s->db), .name = arena_str(a, name), .role = role,
	                     .job = job.p ? arena_str(a, job) : STR_NULL};
	return 0;
}

int repo_end(struct store *s, const struct repo *r, struct err *e)
{
	static const char *const steps[] = {
		"update repo set ended = ?1 where id = ?2 and ended is null",
		"update open_commit set state = 'dropped', closed = ?1 where repo = ?2 and state = 'open'",
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct q *q = db_query(s->db, steps[i]);
		q_int(q, 1, clock_now_ms());
		q_int(q, 2, r->id);
		if (q_run(q, e))
			return -1;
	}
	return 0;
}

int repo_set_role(struct store *s, struct repo *r, enum repo_role role, struct str job, struct err *e)
{
	struct q *q = db_query(s->db, "update repo set role = ?, job = ? where id = ?");

	q_cstr(q, 1, roles[role]);
	q_text(q, 2, job);
	q_int(q, 3, r->id);
	if (q_run(q, e))
		return -1;
	r->role = role;
	r->job = job;
	return 0;
}

int repo_list(struct store *s, struct arena *a, struct repo **out, size_t *n, struct err *e)
{
	const char *sql = s->on ? "select r.id, r.name, r.role, r.job from repo r left join workspace_base w"
	                          " on w.repo = r.id and w.branch = ?1 where " OVERLAY_SHOWS " order by r.name"
	                        : "select id, name, role, job from repo where ended is null and made_on is null"
	                          " order by name";
	struct q *q = db_query(s->db, sql);
	VEC(struct repo) all = {0};
	int r;

	if (s->on)
		overlay_bind(s, q);
	while ((r = q_step(q, e)) == 1) {
		struct repo row;
		repo_row(q, a, &row);
		vec_push(a, &all, row);
	}
	q_done(q);
	if (r < 0)
		return -1;
	*out = all.p;
	*n = all.n;
	return 0;
}

/* `path` stood behind a repo without a ':'. "/master/30" is what Pachyderm 1.x calls its 31st commit. */
static int hint_path(struct str repo, struct str path, struct err *e)
{
	struct str branch, number;
	int64_t n;

	if (str_cut(str_sub(path, 1, path.n), '/', &branch, &number) && str_to_i64(number, &n) && n >= 0)
		return err_hint(e, "did you mean %.*s:%.*s, or the commit %.*s@%.*s.%lld? %.*s of Pachyderm 1.x counts"
		                   " from 0", STR_ARG(repo), STR_ARG(path), STR_ARG(repo), STR_ARG(branch),
		                (long long)n + 1, STR_ARG(str_sub(path, 1, path.n)));
	return err_hint(e, "did you mean %.*s:%.*s?", STR_ARG(repo), STR_ARG(path));
}

int repo_not_found(struct store *s, struct str name, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err inner = ERR_INIT;
	struct repo *repos;
	struct str *names;
	size_t n, known = 0;
	int near;

	if (repo_list(s, a, &repos, &n, &inner)) {
		*e = inner;
		return -1;
	}
	names = arena_array(a, struct str, n);
	for (size_t i = 0; i < n; i++)
		if (repos[i].role != REPO_SYSTEM)
			names[known++] = repos[i].name;
	n = known;
	err_set(e, ERR_NOT_FOUND, "there is no repo %.*s", STR_ARG(name));
	near = str_nearest(name, names, n);
	for (size_t i = 0; near < 0 && i < n; i++) { /* `trips` for raw/trips */
		struct str head, tail;
		if (str_rcut(names[i], '/', &head, &tail) && str_eq(tail, name))
			near = (int)i;
	}
	for (size_t i = 0; near < 0 && i < n; i++) /* a path where ':' is missing */
		if (name.n > names[i].n + 1 && name.p[names[i].n] == '/' && str_has_prefix(name, names[i]))
			return hint_path(names[i], str_sub(name, names[i].n, name.n), e);
	if (near >= 0)
		err_hint(e, "did you mean %.*s?", STR_ARG(names[near]));
	else if (!n)
		err_hint(e, "there are none yet: leat put %.*s FILE makes it", STR_ARG(name));
	else
		err_hint(e, "leat ls lists them");
	return -1;
}

int event_record(struct store *s, const struct event *ev, struct err *e)
{
	struct q *q = db_query(
		s->db, "insert into event(id, batch, kind, label, at, who, command) values(?, ?, ?, ?, ?, ?, ?)");

	BUG_IF(!db_in_write(s->db));
	q_cstr(q, 1, ev->id.hex);
	q_cstr(q, 2, ev->batch.hex);
	q_cstr(q, 3, ev->kind);
	q_cstr(q, 4, ev->label ? ev->label : "");
	q_int(q, 5, clock_now_ms());
	q_cstr(q, 6, store_who());
	q_cstr(q, 7, ev->command);
	return q_run(q, e);
}

int event_there(struct store *s, const struct id *id, struct err *e)
{
	struct q *q = db_query(s->db, "select 1 from event where id = ?");
	int r;

	q_cstr(q, 1, id->hex);
	r = q_step(q, e);
	q_done(q);
	return r;
}

const char *store_who(void)
{
	static char who[64];
	const char *user = getenv("USER");

	if (!who[0]) {
		if (!user || !*user)
			user = getenv("LOGNAME");
		if (user && *user)
			snprintf(who, sizeof(who), "%s", user);
		else
			snprintf(who, sizeof(who), "uid %ld", (long)getuid());
	}
	return who;
}
