/* Blobs, sessions, commits, heads and pins. */
#include "store_fixture.h"

#include "repo/view.h"

static struct store *s;
static struct err e;

static struct sha file_id(struct str repo, const char *path)
{
	struct pin pin;
	struct entry t = {0};

	if (pin_resolve(s, fx_arena, repo, &pin, &e) || tree_find(s, NULL, &pin.commit.tree, str_of(path), &t, &e) != 1)
		T_OK(false, "%s is in %.*s", path, STR_ARG(repo));
	return t.id;
}

static void names(void)
{
	struct commit c;
	struct repo *repos;
	size_t n;

	T_NO_ERR(fx_commit("raw/trips", &c, &e, "a.csv:one"), &e, "a put makes its repo");
	T_INT(c.number, 1, "the first commit has number 1");
	T_INT(fx_commit("raw/trips/x", NULL, &e, "a:1"), -1, "a repo inside another is refused");
	T_ERR(&e, ERR_BAD_NAME, "inside the repo raw/trips", "and the other is named");
	T_INT(fx_commit("raw", NULL, &e, "a:1"), -1, "so is one around another");
	T_INT(fx_commit("Raw/Trips", NULL, &e, "a:1"), -1, "and one that differs only in case");
	T_ERR(&e, ERR_BAD_NAME, "only in case", "and why is said");
	T_INT(fx_commit("Bad Name!", NULL, &e, "a:1"), -1, "a name that cannot be is refused");
	T_INT(fx_number("select count(*) from repo"), 1, "nothing of all that was written");
	err_clear(&e);
	T_NO_ERR(repo_list(s, fx_arena, &repos, &n, &e), &e, "repos can be listed");
	T_OK(n == 1 && str_is(repos[0].name, "raw/trips"), "by name");
	T_INT(repo_not_found(s, STR("trips"), &e), -1, "a repo that is not there");
	T_ERR(&e, ERR_NOT_FOUND, "raw/trips", "hints at the one that was meant");
}

static void commits(void)
{
	struct commit first, c;
	struct pin pin;
	char text[100];

	err_clear(&e);
	T_NO_ERR(fx_commit("t", &first, &e, "a.csv:one", "d/b.csv:two"), &e, "a commit of two files");
	T_OK(first.files == 2 && first.bytes == 6, "counts files and bytes");
	T_NO_ERR(fx_commit("t", &c, &e, "a.csv:three"), &e, "a second one");
	T_STR(c.parent.hex, first.id.hex, "has the first as its parent");
	T_NO_ERR(fx_commit("t", &c, &e, "d/b.csv"), &e, "a third removes a file");
	T_INT(c.files, 1, "which is then gone");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("t:/d/b.csv"), &pin, &e), &e, "a pin can name a path");
	T_STR(pin.path.p, "d/b.csv", "which is given without its first '/'");
	T_INT(pin.commit.number, 3, "a repo without a pin is the head of master");
	T_OK(str_is(pin.branch, "master"), "and names that branch");
	static const struct {
		const char *pin;
		int number;
	} good[] = {{"t@master", 3},   {"t@master^", 2},  {"t@master^^", 1}, {"t@master~2", 1},  {"t@master^2", 1},
		    {"t@master~~", 1}, {"t@master.1", 1}, {"t@master.3", 3}, {"t@master.3^", 2}, {"t@master~0", 3}};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		T_NO_ERR(pin_resolve(s, fx_arena, str_of(good[i].pin), &pin, &e), &e, "%s is found", good[i].pin);
		T_INT(pin.commit.number, good[i].number, "%s is number %d", good[i].pin, good[i].number);
	}
	snprintf(text, sizeof(text), "t@%s:/a.csv", first.id.hex);
	T_NO_ERR(pin_resolve(s, fx_arena, str_of(text), &pin, &e), &e, "a commit's id, which is its event's, is a pin");
	T_INT(pin.commit.number, 1, "the right one");
	snprintf(text, sizeof(text), "t@%.12s", first.id.hex);
	T_NO_ERR(pin_resolve(s, fx_arena, str_of(text), &pin, &e), &e, "so is a unique prefix of it");
	T_INT(pin_resolve(s, fx_arena, STR("t@master.93"), &pin, &e), -1, "a number that is not there");
	T_ERR(&e, ERR_NOT_FOUND, "t has 3 commits; master.93 is not there", "is told with what there is");
	err_clear(&e);
	T_INT(pin_resolve(s, fx_arena, STR("t@master~3"), &pin, &e), -1, "an ancestor before the first");
	T_ERR(&e, ERR_NOT_FOUND, "master~3 is not there", "is not there");
	err_clear(&e);
	T_INT(pin_resolve(s, fx_arena, STR("t@dev"), &pin, &e), -1, "a branch that is not there");
	T_ERR(&e, ERR_NOT_FOUND, "master", "is told with those that are");
	err_clear(&e);
	T_INT(pin_resolve(s, fx_arena, STR("t@master.x"), &pin, &e), -1, "what is no pin");
	T_ERR(&e, ERR_BAD_REQUEST, "is no pin", "is a wrong request");
	err_clear(&e);
	T_INT(pin_resolve(s, fx_arena, STR("nope:/x"), &pin, &e), -1, "a repo that is not there is said");
	T_ERR(&e, ERR_NOT_FOUND, "no repo nope", "by its name");
	err_clear(&e);
}

static void ambiguous(void)
{
	struct ingest *in = ingest_new(s);
	struct commit out;
	struct pin pin;
	bool made;

	for (int i = 0; i < 2; i++) {
		struct commit_new c = {.branch = STR("master"), .even_if_equal = true};
		snprintf(c.id.hex, sizeof(c.id.hex), "abcd%028d", i);
		c.batch = c.id;
		if (db_begin(s->db, &e) || repo_ensure(s, fx_arena, STR("two"), REPO_SOURCE, STR_NULL, &c.repo, &e) ||
		    commit_make(s, in, &c, &out, &made, &e) || db_commit(s->db, &e))
			T_OK(false, "a commit without files: %s", e.msg);
	}
	T_INT(pin_resolve(s, fx_arena, STR("two@abcd"), &pin, &e), -1, "a prefix of two ids is refused");
	T_ERR(&e, ERR_BAD_REQUEST, "abcd0000000000000000000000000001", "naming them");
	err_clear(&e);
	T_NO_ERR(pin_resolve(s, fx_arena, STR("two"), &pin, &e), &e, "an empty put is a commit");
	T_INT(pin.commit.number, 2, "each time");
	ingest_free(in);
}

static void swap_and_equal(void)
{
	struct ingest *in = ingest_new(s);
	struct commit_new c = {.branch = STR("master")};
	struct commit out = {0}, head;
	struct sha wrong = sha_of("x", 1);
	struct tree_edit ed = {.path = STR("a.csv")};
	bool made = true;

	T_NO_ERR(ingest_bytes(in, STR("three"), &ed.entry, &e), &e, "bytes that the head has");
	if (repo_find(s, fx_arena, STR("t"), &c.repo, &e) != 1 || branch_head(s, c.repo.id, c.branch, &head, &e) != 1)
		T_OK(false, "t is there");
	c.id = c.batch = id_new();
	c.edits = &ed;
	c.n_edits = 1;
	if (db_begin(s->db, &e) || ingest_record(in, &e))
		T_OK(false, "a transaction: %s", e.msg);
	T_NO_ERR(commit_make(s, in, &c, &out, &made, &e), &e, "an equal tree");
	T_OK(!made && !strcmp(out.id.hex, head.id.hex), "makes no commit, unless one is wanted");
	c.expect_tree = &wrong;
	T_INT(commit_make(s, in, &c, &out, &made, &e), -1, "a head that is not the expected one");
	T_ERR(&e, ERR_CONFLICT, "t@master has moved", "is a conflict");
	db_rollback(s->db);
	err_clear(&e);
	ingest_free(in);
}

#define WHOLE "PAR1 one PAR1"

static void blobs(void)
{
	struct sha id = file_id(STR("t@master.1"), "a.csv"), want = sha_of("one", 3);
	struct ingest *in;
	struct entry t;
	char path[BLOB_PATH_CAP];
	struct stat st;
	int fd = -1;

	T_OK(sha_eq(&id, &want), "a file's id is the SHA-256 of its bytes");
	in = ingest_new(s);
	T_NO_ERR(ingest_bytes(in, STR(WHOLE), &t, &e), &e, "what looks like Parquet");
	if (ingest_sync(in, &e) || db_begin(s->db, &e) || ingest_record(in, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	ingest_free(in);
	id = t.id;
	blob_path(s, &id, path, sizeof(path));
	T_OK(!lstat(path, &st) && (st.st_mode & 0777) == 0444, "lies read-only in the blob of its name");
	T_NO_ERR(blob_open(s, &id, &fd, &e), &e, "it can be opened");
	fd_close(&fd);
	T_INT(blob_present(s, &id, &e), 1, "and is present");
	if (file_set_mtime(path, 1000000000, &e))
		T_OK(false, "%s", e.msg);
	T_INT(blob_present(s, &id, &e), 1, "a touched blob is hashed again and found whole");
	T_INT(fx_number("select count(*) from blob where mtime_ns = 1000000000"), 1, "and its new stat is recorded");
	if (file_chmod(path, 0644, &e) || file_write(path, STR("PAR1 0ne PAR1"), 0644, 0, &e))
		T_OK(false, "%s", e.msg);
	T_INT(blob_present(s, &id, &e), 0, "one that was written through is not present");
	T_INT(blob_open(s, &id, &fd, &e), -1, "nor is it opened");
	T_ERR(&e, ERR_DAMAGED, "does not hold", "but named as damaged");
	err_clear(&e);
	in = ingest_new(s);
	T_NO_ERR(ingest_bytes(in, STR(WHOLE), &t, &e), &e, "the same bytes come again");
	if (ingest_sync(in, &e) || db_begin(s->db, &e) || ingest_record(in, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	T_INT(blob_present(s, &id, &e), 1, "and repair it");
	T_OK(!dir_is_empty(fx_path(".leat/lost+found/blobs"), &(bool){0}, &e), "what stood there is kept aside");
	ingest_free(in);
}

static void folders(void)
{
	struct ingest *in = ingest_new(s);
	struct entry root, t, moved;
	struct stat st;
	char view[BLOB_PATH_CAP], again[BLOB_PATH_CAP];

	fx_write("stage/ds=2020-01-01/part-0.csv", "x,y\n");
	fx_write("stage/ds=2020-01-02/part-0.csv", WHOLE);
	if (file_symlink("ds=2020-01-01/part-0.csv", fx_path("stage/newest.csv"), &e))
		T_OK(false, "%s", e.msg);
	T_NO_ERR(ingest_folder(in, fx_path("stage"), INGEST_COPY, &root, &e), &e, "a folder is copied in");
	T_INT(root.files, 3, "a link that stays inside counts as the file it leads to");
	T_STR(fx_read("stage/ds=2020-01-01/part-0.csv"), "x,y\n", "and the folder stays as it was");
	T_NO_ERR(ingest_folder(in, fx_path("stage"), INGEST_MOVE, &moved, &e), &e, "a staging folder is moved in");
	T_OK(sha_eq(&root.id, &moved.id), "and gives the same tree");
	if (ingest_sync(in, &e) || db_begin(s->db, &e) || ingest_record(in, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	T_INT(tree_find(s, NULL, &root.id, STR("ds=2020-01-02/part-0.csv"), &t, &e), 1,
	      "what was recorded can be read");
	T_NO_ERR(view_make(s, &root.id, "all", view, sizeof(view), &e), &e, "a view has the files under their names");
	T_OK(!lstat(path_join(fx_arena, view, "ds=2020-01-02/part-0.csv"), &st) && st.st_nlink > 1,
	     "whole files as links to the blobs");
	T_NO_ERR(view_make(s, &root.id, "all", again, sizeof(again), &e), &e, "asked for again");
	T_STR(again, view, "it is the same");
	ingest_free(in);

	in = ingest_new(s);
	fx_write("bad/x", "1");
	if (file_symlink("/etc/passwd", fx_path("bad/leak"), &e))
		T_OK(false, "%s", e.msg);
	T_INT(ingest_folder(in, fx_path("bad"), INGEST_MOVE, &root, &e), -1, "a link that leads out is refused");
	T_ERR(&e, ERR_REFUSED, "bad/leak", "and named");
	T_STR(fx_read("bad/x"), "1", "before anything was moved");
	err_clear(&e);
	ingest_free(in);
}

static void torn_leftover(void)
{
	struct sha id = sha_of("PAR1whole.PAR1", 14);
	struct ingest *in = ingest_new(s);
	char path[BLOB_PATH_CAP];
	struct entry t;
	struct str got;

	blob_path(s, &id, path, sizeof(path));
	if (dir_make_parent(path, 0777, &e) || file_write(path, STR("who"), 0444, 0, &e))
		T_OK(false, "%s", e.msg);
	T_INT(blob_present(s, &id, &e), 0, "a file among the blobs that no row names is not believed");
	T_NO_ERR(ingest_bytes(in, STR("PAR1whole.PAR1"), &t, &e), &e, "bytes whose name a crash left torn");
	T_NO_ERR(file_read(fx_arena, path, 100, &got, &e), &e, "take its place");
	T_STR(got.p, "PAR1whole.PAR1", "whole");
	ingest_free(in);
}

static void rolled_back(void)
{
	struct ingest *in = ingest_new(s);
	struct tree_edit ed = {.path = STR("only-here")};
	struct entry root, found;
	struct store *other;

	if (ingest_bytes(in, STR("rolled back"), &ed.entry, &e) || tree_apply(s, in, NULL, &ed, 1, &root, &e))
		T_OK(false, "%s", e.msg);
	if (db_begin(s->db, &e) || ingest_record(in, &e))
		T_OK(false, "%s", e.msg);
	db_rollback(s->db);
	if (db_begin(s->db, &e) || ingest_record(in, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	T_NO_ERR(store_open(&fx_ws, &other, &e), &e, "another process");
	T_INT(tree_find(other, NULL, &root.id, STR("only-here"), &found, &e), 1,
	      "sees what a session recorded after a transaction of it had rolled back");
	T_INT(blob_present(other, &found.id, &e), 1, "its blobs too");
	store_close(other);
	ingest_free(in);
}

int main(void)
{
	fx_begin();
	s = fx_store;
	names();
	commits();
	ambiguous();
	swap_and_equal();
	blobs();
	folders();
	torn_leftover();
	rolled_back();
	return fx_end();
}
