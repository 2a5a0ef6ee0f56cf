#include "repo/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/ingest_in.h"
#include "sys/fault.h"
#include "sys/rand.h"

struct ingest *ingest_new(struct store *s)
{
	struct arena *a = arena_new();
	struct ingest *in = arena_new_of(a, struct ingest);

	in->s = s;
	in->a = a;
	map_init(&in->pages, a);
	map_init(&in->blobs, a);
	map_init(&in->smalls, a);
	return in;
}

void ingest_free(struct ingest *in)
{
	if (!in)
		return;
	small_free(in);
	if (in->leased)
		store_session_end(in->s);
	arena_free(in->a);
}

void ingest_page_add(struct ingest *in, const struct sha *id, struct str body)
{
	struct tree_new *t;

	if (map_has(&in->pages, ingest_key(id)))
		return;
	t = arena_new_of(in->a, struct tree_new);
	*t = (struct tree_new){.id = *id, .body = arena_str(in->a, body)};
	map_set(&in->pages, ingest_key(id), t);
	vec_push(in->a, &in->page_list, t);
}

bool ingest_page_get(struct ingest *in, const struct sha *id, struct str *body)
{
	struct tree_new *t = map_get(&in->pages, ingest_key(id));

	if (t)
		*body = t->body;
	return t;
}

struct tree_new *ingest_page_at(struct ingest *in, size_t i)
{
	return i < in->page_list.n ? in->page_list.p[i] : NULL;
}

size_t *ingest_pages_written(struct ingest *in)
{
	int64_t now = db_transaction(in->s->db);

	if (in->written.transaction != now) {
		in->written.transaction = now;
		in->written.n = 0;
	}
	return &in->written.n;
}

#define APPLIED_MIN 200 /* fewer edits are made again in no time */

/* Paths by where they stand: the list is the caller's own, and stays. */
static uint64_t sum_of(const struct tree_edit *edits, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++) {
		uint64_t id;
		memcpy(&id, edits[i].entry.id.b, sizeof(id));
		h = (h ^ (uintptr_t)edits[i].path.p ^ id ^ (uint64_t)edits[i].op << 63) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h | 1;
}

bool ingest_applied(struct ingest *in, const struct sha *base, const struct tree_edit *edits, size_t n,
		    struct entry *out)
{
	struct sha none = tree_empty_id();

	if (!in || n < APPLIED_MIN || !in->applied.sum || !sha_eq(&in->applied.base, base ? base : &none) ||
	    in->applied.sum != sum_of(edits, n))
		return false;
	*out = in->applied.root;
	return true;
}

void ingest_applied_set(struct ingest *in, const struct sha *base, const struct tree_edit *edits, size_t n,
			const struct entry *root)
{
	if (!in || n < APPLIED_MIN)
		return;
	in->applied.sum = sum_of(edits, n);
	in->applied.base = base ? *base : tree_empty_id();
	in->applied.root = *root;
}

static void add_blob(struct ingest *in, struct new_blob b)
{
	struct new_blob *t;

	if (map_has(&in->blobs, ingest_key(&b.id)))
		return;
	t = arena_new_of(in->a, struct new_blob);
	*t = b;
	t->recorded = 0;
	map_set(&in->blobs, ingest_key(&b.id), t);
	vec_push(in->a, &in->blob_list, t);
}

static void add_found(struct ingest *in, const struct sha *id, const char *source)
{
	struct counted f = {.id = *id, .source = source ? arena_dup(in->a, source) : NULL};

	vec_push(in->a, &in->found, f);
}

void ingest_merge(struct ingest *to, struct ingest *from)
{
	for (size_t i = 0; i < from->page_list.n; i++)
		ingest_page_add(to, &from->page_list.p[i]->id, from->page_list.p[i]->body);
	for (size_t i = 0; i < from->blob_list.n; i++)
		add_blob(to, *from->blob_list.p[i]);
	for (int i = 0; i < 256; i++)
		to->dirty[i] |= from->dirty[i];
	to->new_folder |= from->new_folder;
	small_merge(to, from);
	for (size_t i = 0; i < from->found.n; i++)
		add_found(to, &from->found.p[i].id, from->found.p[i].source);
	/* The one that began first: what gc swept since then counts. */
	if (from->leased && (!to->leased || from->epoch < to->epoch))
		to->epoch = from->epoch;
	if (to->leased && from->leased)
		store_session_end(from->s);
	to->leased |= from->leased;
	from->leased = from->ahead = false;
	to->ahead = false;
	map_init(&from->pages, from->a);
	map_init(&from->blobs, from->a);
	from->page_list.n = from->blob_list.n = from->found.n = from->written.n = 0;
	memset(from->dirty, 0, sizeof(from->dirty));
	from->new_folder = false;
}

void ingest_temp(struct ingest *in, char *out, size_t cap)
{
	char name[RAND_NAME];

	rand_name(name);
	snprintf(out, cap, "%s/staging/in-%s", in->s->leat_dir, name);
}

int ingest_lease(struct ingest *in, struct err *e)
{
	if (in->leased)
		return 0;
	if (store_session_begin(in->s, &in->epoch, e))
		return -1;
	in->leased = true;
	return 0;
}

int ingest_seen(struct ingest *in, const struct sha *id, const char *source, struct err *e)
{
	int r;

	if (map_has(&in->blobs, ingest_key(id)) || map_has(&in->smalls, ingest_key(id)))
		return 1;
	if (ingest_lease(in, e))
		return -1;
	r = blob_present(in->s, id, e);
	if (r == 1)
		add_found(in, id, source);
	return r;
}

/*
 * A file of that name without a row: of a session beside this one, or left by a crash, maybe torn. Equal bytes are
 * taken (and synced here, since nobody else may have), others make way. 1 taken, 0 made way, -1.
 */
static int take_existing(struct ingest *in, const char *path, const struct sha *id, struct err *e)
{
	struct sha have;

	if (file_sha(path, &have, NULL, e))
		return -1;
	if (!sha_eq(&have, id))
		return blob_quarantine(in->s, id, e);
	return file_chmod(path, 0444, e) ? -1 : 1;
}

/* Gives a whole, read-only file that only we can have open its name among the blobs. `temp` is gone afterwards. */
static int place(struct ingest *in, const char *temp, const struct sha *id, struct err *e)
{
	struct new_blob b = {.id = *id};
	struct err inner = ERR_INIT;
	struct file_key k;
	char path[BLOB_PATH_CAP];

	blob_path(in->s, id, path, sizeof(path));
	for (int tries = 0; file_rename_new(temp, path, &inner); tries++) {
		int r = -1;
		if (inner.code == ERR_NOT_FOUND && !tries && file_exists(temp)) {
			struct err made = ERR_INIT;
			r = dir_make_parent(path, 0777, &made) ? -1 : 0;
			inner = r ? made : inner;
			in->new_folder = true;
		} else if (inner.code == ERR_CONFLICT && tries < 3) {
			err_clear(&inner);
			r = take_existing(in, path, id, &inner);
		}
		if (r < 0) {
			(void)unlink(temp);
			*e = inner;
			return -1;
		}
		err_clear(&inner);
		if (r == 1) {
			(void)unlink(temp);
			break;
		}
	}
	if (file_stat_key(path, &k, e))
		return -1;
	b.size = k.size;
	b.mtime_ns = k.mtime_ns;
	in->dirty[id->b[0]] = true;
	add_blob(in, b);
	return 0;
}

void ingest_entry(struct entry *out, const struct sha *id, uint64_t size)
{
	*out = (struct entry){.name = STR(""), .kind = ENTRY_FILE, .id = *id, .size = (int64_t)size, .files = 1};
}

int ingest_new_bytes(struct ingest *in, const struct sha *id, struct str bytes, struct str frame, struct err *e)
{
	char temp[BLOB_PATH_CAP];

	if (ingest_is_small(bytes))
		return small_add(in, id, bytes, frame, e);
	ingest_temp(in, temp, sizeof(temp));
	if (file_write(temp, bytes, 0444, FILE_EXCL, e)) {
		(void)unlink(temp);
		return -1;
	}
	return place(in, temp, id, e);
}

int ingest_bytes(struct ingest *in, struct str bytes, struct entry *out, struct err *e)
{
	struct sha id = sha_of(bytes.p, bytes.n);
	int r = ingest_seen(in, &id, NULL, e);

	if (r < 0 || (!r && ingest_new_bytes(in, &id, bytes, STR_NULL, e)))
		return -1;
	ingest_entry(out, &id, bytes.n);
	return 0;
}

/* A temporary file that turned out small. */
static int keep_small(struct ingest *in, const char *temp, const struct sha *id, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str bytes;

	if (file_read(a, temp, (size_t)BLOB_WHOLE_MIN, &bytes, e))
		return -1;
	if (!ingest_is_small(bytes))
		return place(in, temp, id, e);
	if (small_add(in, id, bytes, STR_NULL, e))
		return -1;
	(void)unlink(temp);
	return 0;
}

int ingest_keep(struct ingest *in, const char *temp, const struct sha *id, uint64_t size, const char *source,
		struct entry *out, struct err *e)
{
	struct err ignored = ERR_INIT;
	int r = ingest_seen(in, id, source, e);

	if (!r)
		r = (int64_t)size < BLOB_WHOLE_MIN ? keep_small(in, temp, id, e) : place(in, temp, id, e);
	else if (r == 1 && file_unlink_large(temp, &ignored))
		err_clear(&ignored); /* gc takes it away */
	if (r < 0)
		return -1;
	ingest_entry(out, id, size);
	return 0;
}

int ingest_keep_own(struct ingest *in, const char *path, bool stays, const struct sha *id, struct err *e)
{
	char temp[BLOB_PATH_CAP];
	int r;

	if (!stays)
		return place(in, path, id, e);
	ingest_temp(in, temp, sizeof(temp));
	r = file_link(path, temp, e);
	return r < 0 ? -1 : place(in, r ? temp : path, id, e);
}

int ingest_fd(struct ingest *in, int fd, struct entry *out, struct err *e)
{
	char temp[BLOB_PATH_CAP];
	int to FD_CLEANUP = -1;
	struct sha id;
	uint64_t size;

	ingest_temp(in, temp, sizeof(temp));
	if (file_open_write(temp, O_EXCL, 0444, &to, e))
		return -1;
	if (file_copy_fd_sha(fd, "the input", to, temp, &id, &size, e)) {
		(void)unlink(temp);
		return -1;
	}
	return ingest_keep(in, temp, &id, size, NULL, out, e);
}

static int sync_files(struct ingest *in, size_t from, size_t n, struct err *e)
{
	int fds[INGEST_GROUP], rc = 0, error;
	struct err inner = ERR_INIT;
	char path[BLOB_PATH_CAP];
	size_t opened = 0, which;

	for (; opened < n && !rc; opened += !rc) {
		fds[opened] = -1;
		if (in->blob_list.p[from + opened]->synced)
			continue;
		blob_path(in->s, &in->blob_list.p[from + opened]->id, path, sizeof(path));
		rc = file_open_read(path, &fds[opened], &inner);
		if (!rc)
			fd_start_sync(fds[opened]);
		else if (inner.code == ERR_NOT_FOUND)
			(void)!ingest_swept(e);
		else
			*e = inner;
	}
	if (!rc && (error = fd_sync_all(fds, n, false, &which))) {
		blob_path(in->s, &in->blob_list.p[from + which]->id, path, sizeof(path));
		rc = err_errno(e, error, "cannot bring %s to disk", path);
	}
	for (size_t i = 0; i < opened; i++) {
		in->blob_list.p[from + i]->synced |= !rc;
		fd_close(&fds[i]);
	}
	return rc;
}

/* Those of blobs/ that have new names. */
static int sync_folders(struct ingest *in, struct err *e)
{
	int fds[256], names[256], rc = 0, error;
	char path[BLOB_PATH_CAP];
	size_t n = 0, which;

	for (int i = 0; i < 256 && !rc; i++) {
		if (!in->dirty[i])
			continue;
		fds[n] = -1;
		names[n] = i;
		snprintf(path, sizeof(path), "%s/blobs/%02x", in->s->leat_dir, (unsigned)i);
		rc = dir_open(path, &fds[n], e);
		n += !rc;
	}
	if (!rc && (error = fd_sync_all(fds, n, true, &which)))
		rc = err_errno(e, error, "cannot bring the folder %s/blobs/%02x to disk", in->s->leat_dir,
		               (unsigned)names[which]);
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	if (!rc)
		memset(in->dirty, 0, sizeof(in->dirty));
	return rc;
}

int ingest_sync(struct ingest *in, struct err *e)
{
	char path[BLOB_PATH_CAP];

	fault_crash("ingest-placed");
	if (small_finish(in, e))
		return -1;
	if (in->s->ws->durable_power) {
		for (size_t i = 0; i < in->blob_list.n; i += INGEST_GROUP)
			if (ingest_go_on(i, e) || sync_files(in, i, MIN(in->blob_list.n - i, (size_t)INGEST_GROUP), e))
				return -1;
		if (sync_folders(in, e))
			return -1;
		snprintf(path, sizeof(path), "%s/blobs", in->s->leat_dir);
		if (in->new_folder && dir_sync(path, e))
			return -1;
		in->new_folder = false;
	}
	fault_crash("ingest-synced");
	return ingest_record_ahead(in, e);
}

