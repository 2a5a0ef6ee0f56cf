/* datastore/: what is shown, what a user's own changes become, and that nothing of theirs is ever deleted. */
#include "store_fixture.h"

#include <fcntl.h>

#include "base/buf.h"
#include "repo/datastore.h"
#include "repo/view.h"

static struct store *s;
static struct err e;
static struct buf notes = BUF_INIT(100000);

static void note(void *ptr, const char *text)
{
	buf_addf(&notes, "%s\n", text);
}

static int show(void)
{
	buf_reset(&notes);
	return datastore_update(s, note, NULL, &e);
}

static const char *drift(void)
{
	static struct buf b = BUF_INIT(100000);
	struct drift *d;
	size_t n;

	buf_reset(&b);
	if (datastore_drift(s, fx_arena, STR_NULL, false, &d, &n, &e))
		return e.msg;
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%c%.*s:%.*s ", "+~-?>"[d[i].kind], STR_ARG(d[i].repo), STR_ARG(d[i].path));
	return b.p;
}

static int commit(const char *repo, bool restore, struct adopted **out, size_t *n)
{
	struct adopt_opts o = {.repo = str_of(repo), .restore = restore};

	buf_reset(&notes);
	return datastore_commit(s, fx_arena, &o, (struct id){""}, out, n, note, NULL, &e);
}

static int visit_lost(const struct dir_entry *t, void *ptr, struct err *err)
{
	if (*(const char **)ptr && t->type != DIR_FOLDER && !strcmp(t->name, *(const char **)ptr))
		*(const char **)ptr = NULL;
	return DIR_GO;
}

static bool is_lost(const char *name)
{
	const char *p = name;

	return !dir_walk(fx_path(".leat/lost+found"), DIR_GONE_OK, visit_lost, &p, &e) && !p;
}

static void shown(void)
{
	struct stat st;

	T_NO_ERR(fx_commit("raw/trips", NULL, &e, "ds=2020-01-01/a.csv:one", "ds=2020-01-01/b.csv:two", "readme:hello"),
		 &e, "a commit");
	T_STR(drift(), ">raw/trips: ", "lags until it is shown");
	T_NO_ERR(show(), &e, "it can be shown");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/a.csv"), "one", "its files have their bytes");
	T_OK(!lstat(fx_path("datastore/raw/trips/readme"), &st) && (st.st_mode & 0777) == 0444 && st.st_nlink == 1,
	     "they are read-only copies, no links into the store");
	T_STR(drift(), "", "nothing differs");
	T_NO_ERR(fx_commit("raw/trips", NULL, &e, "ds=2020-01-01/a.csv:uno"), &e, "one file changes");
	T_NO_ERR(show(), &e, "that is shown");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/a.csv"), "uno", "as the new bytes");
	T_NO_ERR(fx_commit("raw/trips", NULL, &e, "ds=2020-01-01/a.csv:eins", "ds=2020-01-01/b.csv",
			   "ds=2020-01-01/c.csv:drei"),
		 &e, "several change");
	T_NO_ERR(show(), &e, "the folder is swapped");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/c.csv"), "drei", "the new file is there");
	T_OK(!file_exists(fx_path("datastore/raw/trips/ds=2020-01-01/b.csv")), "the removed one is not");
	T_OK(!dir_is_empty(fx_path(".leat/old"), &(bool){0}, &e) && !drift()[0],
	     "nothing differs, and the old folder is kept a while");
	T_STR(notes.p, "", "nobody has lost anything");
}

static void foreign(void)
{
	fx_write("datastore/raw/trips/ds=2020-01-01/mine.txt", "my notes");
	fx_write("datastore/raw/trips/ds=2020-01-01/c.csv", "edited");
	T_NO_ERR(fx_commit("raw/trips", NULL, &e, "ds=2020-01-01/a.csv:A", "ds=2020-01-01/d.csv:D"), &e,
		 "a swap over a user's files");
	T_NO_ERR(show(), &e, "is shown");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/mine.txt"), "my notes",
	      "a foreign file of a source repo stays in place");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/c.csv"), "edited",
	      "so does an edited one that the commit does not touch");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/d.csv"), "D", "beside the new ones");
	T_STR(drift(), "~raw/trips:ds=2020-01-01/c.csv +raw/trips:ds=2020-01-01/mine.txt ",
	      "and both are named as drift");
	T_NO_ERR(fx_commit("raw/trips", NULL, &e, "ds=2020-01-01/c.csv:theirs", "ds=2020-01-01/mine.txt:theirs too"),
		 &e, "a commit at the same paths");
	T_NO_ERR(show(), &e, "is shown");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/c.csv"), "theirs", "the committed bytes win");
	T_OK(is_lost("c.csv") && is_lost("mine.txt"), "the user's are kept in lost+found");
	T_OK(strstr(notes.p, "ds=2020-01-01/mine.txt was not put there by leat"), "and that is said");

	T_NO_ERR(fx_commit_as(STR("tables/out"), REPO_OUTPUT, NULL, &e, "ds=2020-01-01/part-0.parquet:P",
			      "ds=2020-01-01/x:X", (char *)NULL),
		 &e, "an output");
	T_NO_ERR(show(), &e, "is shown");
	fx_write("datastore/tables/out/ds=2020-01-01/stranger", "foreign");
	T_NO_ERR(fx_commit_as(STR("tables/out"), REPO_OUTPUT, NULL, &e, "ds=2020-01-01/part-0.parquet:Q",
			      "ds=2020-01-01/x:Y", (char *)NULL),
		 &e, "and made anew");
	T_NO_ERR(show(), &e, "and shown");
	T_OK(!file_exists(fx_path("datastore/tables/out/ds=2020-01-01/stranger")) && is_lost("stranger"),
	     "in a job's output a foreign file moves to lost+found");
}

static void adoption(void)
{
	struct adopted *ad;
	struct pin pin;
	size_t n;
	int fd;

	fx_write("datastore/raw/trips/ds=2020-01-02/new.csv", "dropped");
	fx_write("datastore/raw/trips/ds=2020-01-01/a.csv", "changed by hand");
	if (file_unlink(fx_path("datastore/raw/trips/ds=2020-01-01/d.csv"), &e))
		T_OK(false, "%s", e.msg);
	fx_write("datastore/raw/fresh/ds=2020-01-05/f.csv", "fresh");
	fx_write("datastore/weather/2020.csv", "sun");
	T_STR(drift(),
	      "~raw/trips:ds=2020-01-01/a.csv +raw/trips:ds=2020-01-02/new.csv -raw/trips:ds=2020-01-01/d.csv "
	      "?raw/fresh: ?weather: ",
	      "what was dropped, changed, deleted, and two new repos are drift");
	T_NO_ERR(commit(NULL, false, &ad, &n), &e, "commit adopts them");
	T_STR(drift(), "", "nothing differs then");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("raw/trips"), &pin, &e), &e, "the repo has a new head");
	struct entry t;
	T_INT(tree_find(s, NULL, &pin.commit.tree, STR("ds=2020-01-01/d.csv"), &t, &e), 0,
	      "the deleted file is deleted in a source repo");
	T_INT(tree_find(s, NULL, &pin.commit.tree, STR("ds=2020-01-02/new.csv"), &t, &e), 1,
	      "the dropped one is there");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("raw/fresh:/ds=2020-01-05/f.csv"), &pin, &e), &e,
		 "in a zone two folders are the name");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("weather:/2020.csv"), &pin, &e), &e, "elsewhere one");
	T_INT(pin.commit.number, 1, "with its first commit");
	T_STR(fx_read("datastore/raw/trips/ds=2020-01-01/a.csv"), "changed by hand", "the files stay where they are");

	fx_write("datastore/weather/2021.csv", "half");
	fd = open(fx_path("datastore/weather/2021.csv"), O_WRONLY | O_APPEND);
	T_INT(commit(NULL, false, &ad, &n), -1, "a file that somebody has open for writing is not adopted");
	T_ERR(&e, ERR_BUSY, "still being written", "and is named");
	err_clear(&e);
	close(fd);
	T_NO_ERR(commit("weather", false, &ad, &n), &e, "once it is closed it is");
	T_INT(ad[0].added, 1, "as one added file");

	fx_write("datastore/tables/out/ds=2020-01-01/x", "edited output");
	T_NO_ERR(commit(NULL, false, &ad, &n), &e, "in a job's output");
	T_OK(strstr(notes.p, "datastore/tables/out/ds=2020-01-01/x: edited") && strstr(notes.p, "--restore tables/out"),
	     "nothing is adopted: it is named");
	T_NO_ERR(commit("tables/out", true, &ad, &n), &e, "restore");
	T_STR(fx_read("datastore/tables/out/ds=2020-01-01/x"), "Y", "puts the head back");
	T_OK(is_lost("x"), "and keeps the edit");
	T_STR(drift(), "", "nothing differs then");
	T_INT(commit("nope", false, &ad, &n), -1, "a repo that is not there");
	T_ERR(&e, ERR_NOT_FOUND, "no repo nope", "is told");
	err_clear(&e);
}

static void in_place(void)
{
	struct str text;
	char *path = arena_dup(fx_arena, fx_path("datastore/weather/2020.csv"));
	struct adopted *ad;
	size_t n;
	int fd;

	if (file_chmod(path, 0644, &e))
		T_OK(false, "%s", e.msg);
	fd = open(path, O_WRONLY | O_APPEND);
	T_OK(fd >= 0 && write(fd, "!", 1) == 1, "a shown file is written in place");
	close(fd);
	T_STR(drift(), "~weather:2020.csv ", "that is named as an edit");
	T_NO_ERR(file_read(fx_arena, path, 100, &text, &e), &e, "it holds");
	T_STR(text.p, "sun!", "what was written");
	struct pin pin;
	struct entry t;
	struct sha want = sha_of("sun", 3);
	T_NO_ERR(pin_resolve(s, fx_arena, STR("weather"), &pin, &e), &e, "the committed version");
	T_OK(tree_find(s, NULL, &pin.commit.tree, STR("2020.csv"), &t, &e) == 1 && sha_eq(&t.id, &want) &&
		     blob_present(s, &t.id, &e) == 1,
	     "has not changed");
	T_NO_ERR(commit(NULL, false, &ad, &n), &e, "commit makes it a new version");
	T_STR(drift(), "", "and nothing differs");
	/* same size, same second: what the stat cache must not believe */
	for (int i = 0; i < 20; i++) {
		char byte = (char)('a' + i);
		fd = open(path, O_WRONLY);
		if (fd < 0 && (file_chmod(path, 0644, &e) || (fd = open(path, O_WRONLY)) < 0))
			break;
		if (pwrite(fd, &byte, 1, 0) != 1)
			T_OK(false, "written");
		close(fd);
		if (strcmp(drift(), "~weather:2020.csv ")) {
			T_OK(false, "an edit of equal size right after a look is seen (%d)", i);
			return;
		}
		if (commit(NULL, false, &ad, &n))
			T_OK(false, "%s", e.msg);
	}
	T_OK(true, "edits of equal size right after a look are seen");
}

static void merge(void)
{
	struct adopted *ad;
	size_t n;

	T_NO_ERR(fx_commit("m", NULL, &e, "a:1", "b:1"), &e, "a repo");
	T_NO_ERR(show(), &e, "is shown");
	fx_write("datastore/m/a", "user");
	T_NO_ERR(fx_commit("m", NULL, &e, "b:2"), &e, "a commit elsewhere that is not shown yet");
	T_NO_ERR(commit("m", false, &ad, &n), &e, "does not hinder adoption");
	T_STR(fx_read("datastore/m/b"), "2", "and is shown after it");
	T_STR(fx_read("datastore/m/a"), "user", "with what the user did");
	fx_write("datastore/m/a", "user again");
	T_NO_ERR(fx_commit("m", NULL, &e, "a:theirs"), &e, "a commit at the same path");
	T_INT(commit("m", false, &ad, &n), -1, "is a conflict");
	T_ERR(&e, ERR_CONFLICT, "m:/a was changed", "that names it");
	err_clear(&e);
	T_NO_ERR(commit("m", true, &ad, &n), &e, "restore takes the committed one");
	T_STR(fx_read("datastore/m/a"), "theirs", "which then is shown");
	T_OK(is_lost("a"), "and the user's is kept");
	if (file_unlink(fx_path("datastore/m/b"), &e))
		T_OK(false, "%s", e.msg);
	fx_write("datastore/m/b/now/a/folder", "deep");
	T_NO_ERR(commit("m", false, &ad, &n), &e, "a file that became a folder is adopted");
	if (dir_remove_tree(fx_path("datastore/m/b"), &e))
		T_OK(false, "%s", e.msg);
	fx_write("datastore/m/b", "file again");
	T_NO_ERR(commit("m", false, &ad, &n), &e, "and back");
	T_STR(drift(), "", "nothing differs");
}

static void recovery(void)
{
	struct q *q;

	/* as if the process had died after the swap, before the row */
	T_NO_ERR(fx_commit("m", NULL, &e, "z/1:a", "z/2:b"), &e, "a commit");
	T_NO_ERR(show(), &e, "is shown");
	if (db_begin(s->db, &e))
		T_OK(false, "%s", e.msg);
	q = db_query(s->db, "update materialised set tree = (select c.tree from commits c where c.repo = "
			    "materialised.repo and c.number = 1)"
			    " where repo = (select id from repo where name = 'm')");
	if (q_run(q, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	T_STR(drift(), ">m: ", "a crash between swap and row is only a lag");
	T_NO_ERR(show(), &e, "the next writer completes it");
	T_STR(notes.p, "", "and takes nothing for foreign");
	T_STR(drift(), "", "nothing differs");
	/* as if it had died after the row, before its folders were gone */
	fx_write(".leat/staging/swap-0123/ds=1/z", "a");
	fx_write(".leat/staging/swap-0123/ds=1/stranger", "in no store");
	T_NO_ERR(show(), &e, "the next writer that has nothing to show");
	T_OK(!file_exists(fx_path(".leat/staging/swap-0123")), "removes what a swap left");
	T_OK(is_lost("stranger") && !is_lost("z"), "and keeps what only stood there");
	/* the stat cache may be deleted at any time */
	if (dir_remove_tree(fx_path(".leat/cache"), &e) || dir_make(fx_path(".leat/cache"), 0777, &e))
		T_OK(false, "%s", e.msg);
	T_STR(drift(), "", "without the stat cache the answer is the same");
	T_NO_ERR(db_begin(s->db, &e), &e, "a repo ends");
	struct repo r;
	T_INT(repo_find(s, fx_arena, STR("m"), &r, &e), 1, "by its name");
	if (repo_end(s, &r, &e) || db_commit(s->db, &e))
		T_OK(false, "%s", e.msg);
	fx_write("datastore/m/own", "mine");
	T_NO_ERR(datastore_remove(s, STR("m"), &e), &e, "its folder goes");
	T_OK(!file_exists(fx_path("datastore/m")) && is_lost("own"), "but for what was not leat's");
}

/* protect: link shares the blob itself: cheap, and an owner can write through it, which is then found out. */
static void links(void)
{
	char view[BLOB_PATH_CAP], *path;
	struct adopted *ad;
	struct pin pin;
	struct entry t;
	struct stat st;
	size_t n;
	int fd;

	fx_ws.protect = PROTECT_LINK;
	T_NO_ERR(fx_commit("linked", NULL, &e, "a:PAR1 linked PAR1", "b:others"), &e, "with protect: link a commit");
	T_NO_ERR(show(), &e, "is shown");
	path = arena_dup(fx_arena, fx_path("datastore/linked/a"));
	T_OK(!lstat(path, &st) && st.st_nlink > 1, "as links to the blobs");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("linked"), &pin, &e), &e, "its head");
	T_NO_ERR(view_make(s, &pin.commit.tree, "all", view, sizeof(view), &e), &e, "can be read through more links");
	T_STR(drift(), "", "whose making is no drift");
	if (file_chmod(path, 0644, &e))
		T_OK(false, "%s", e.msg);
	fd = open(path, O_WRONLY);
	T_OK(fd >= 0 && write(fd, "L", 1) == 1, "an owner can write through");
	close(fd);
	T_STR(drift(), "~linked:a ", "which is named as an edit");
	T_OK(tree_find(s, NULL, &pin.commit.tree, STR("a"), &t, &e) == 1 && blob_present(s, &t.id, &e) == 0,
	     "and the blob is no longer believed");
	T_NO_ERR(commit(NULL, false, &ad, &n), &e, "commit adopts the new bytes");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("linked"), &pin, &e), &e, "under their own hash");
	T_OK(tree_find(s, NULL, &pin.commit.tree, STR("a"), &t, &e) == 1 && blob_present(s, &t.id, &e) == 1, "whole");
	T_STR(drift(), "", "nothing differs");
	fx_ws.protect = PROTECT_AUTO;
}

/* One repo whose bytes are gone does not hinder the others. */
static void one_damaged(void)
{
	char path[BLOB_PATH_CAP];
	struct sha id = sha_of("PAR1 lost PAR1", 14);

	T_NO_ERR(fx_commit("aaa", NULL, &e, "x:PAR1 lost PAR1"), &e, "a repo");
	T_NO_ERR(fx_commit("bbb", NULL, &e, "x:stays"), &e, "and another");
	blob_path(s, &id, path, sizeof(path));
	if (file_unlink(path, &e))
		T_OK(false, "%s", e.msg);
	T_INT(show(), -1, "when the bytes of one are gone");
	T_ERR(&e, ERR_DAMAGED, "aaa:/x", "that is said");
	err_clear(&e);
	T_STR(fx_read("datastore/bbb/x"), "stays", "and the other is shown");
}

int main(void)
{
	fx_begin();
	s = fx_store;
	shown();
	foreign();
	adoption();
	in_place();
	merge();
	recovery();
	links();
	one_damaged();
	return fx_end();
}
