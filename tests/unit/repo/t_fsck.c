/* fsck finds what is wrong with each kind of thing in the store, and nothing where nothing is. */
#include "store_fixture.h"

#include "base/buf.h"
#include "repo/blob.h"
#include "repo/datastore.h"
#include "repo/fsck.h"

static struct err e;
static struct buf found = BUF_INIT(100000);

static int note(void *ptr, const struct fsck_finding *f, struct err *err)
{
	buf_addf(&found, "%s: %s\n", f->code, f->text);
	return 0;
}

static const char *fsck(struct fsck_totals *t)
{
	struct fsck_totals own;

	/* another process: nothing of what this one has in memory counts */
	store_close(fx_store);
	fx_open();
	buf_reset(&found);
	if (fsck_run(fx_store, note, NULL, t ? t : &own, &e))
		return e.msg;
	return found.p;
}

static void sql(const char *text)
{
	if (db_begin(fx_store->db, &e) || q_run(db_query(fx_store->db, text), &e) || db_commit(fx_store->db, &e))
		T_OK(false, "%s: %s", text, e.msg);
}

#define TWO "PAR1 two PAR1" /* what looks like Parquet is a file of its own */

static void blob_of(const char *text, char *path)
{
	struct sha id = sha_of(text, strlen(text));

	blob_path(fx_store, &id, path, BLOB_PATH_CAP);
}

int main(void)
{
	char path[BLOB_PATH_CAP];
	struct fsck_totals t = {0};
	struct commit c;

	fx_begin();
	T_NO_ERR(fx_commit("raw/trips", &c, &e, "a.csv:one", "ds=2020-01-01/b.csv:" TWO), &e, "a store");
	T_NO_ERR(fx_commit("raw/trips", &c, &e, "a.csv:three"), &e, "of two commits");
	T_NO_ERR(datastore_update(fx_store, NULL, NULL, &e), &e, "that is shown");
	T_STR(fsck(&t), "", "has no findings");
	T_OK(t.blobs == 3 && t.commits == 2 && t.bytes == 21 && t.pages >= 3, "all of it was looked at");

	blob_of(TWO, path);
	if (file_chmod(path, 0644, &e) || file_write(path, STR("PAR1 tw0 PAR1"), 0, 0, &e))
		T_OK(false, "%s", e.msg);
	T_OK(strstr(fsck(&t), "damaged-blob: .leat/blobs/"), "a blob that was written through is found");
	T_OK(strstr(found.p, ":/ds=2020-01-01/b.csv") && strstr(found.p, c.id.hex),
	     "with the file and the commits that it hits");
	T_INT(t.findings, 1, "once");
	if (file_unlink(path, &e))
		T_OK(false, "%s", e.msg);
	T_OK(strstr(fsck(&t), "missing-blob: "), "a blob that is gone is found");
	if (file_write(path, STR(TWO), 0444, 0, &e))
		T_OK(false, "%s", e.msg);
	T_STR(fsck(&t), "", "the same bytes put back are whole again");

	sql("update branch set head = 'ffffffffffffffffffffffffffffffff'");
	T_OK(strstr(fsck(&t), "bad-head: raw/trips@master names the commit ffff"),
	     "a head that names nothing is found");
	sql("update branch set head = (select id from commits where number = 2)");
	sql("update commits set files = 9 where number = 2");
	T_OK(strstr(fsck(&t), "bad-record: the commit raw/trips@"), "a commit with a wrong count is found");
	sql("update commits set files = 2 where number = 2");
	sql("update commits set number = 1 where number = 2");
	T_OK(strstr(fsck(&t), "has number 1, not above its parent's"), "a wrong number is found");
	sql("update commits set number = 2 where parent is not null");
	T_STR(fsck(&t), "", "all is well again");
	sql("insert into current(repo, ds, key, tree, unit) values(1, '2020-01-01', x'00', zeroblob(32), 1)");
	T_OK(strstr(fsck(&t), "missing-tree: ") && strstr(found.p, "the current partition of raw/trips"),
	     "a row that names no tree is found");
	sql("delete from current");
	sql("update tree set body = body || x'00' where id = (select tree from commits where number = 2)");
	T_OK(strstr(fsck(&t), "damaged-tree: "), "a page with other bytes is found");
	sql("delete from tree where id = (select tree from commits where number = 2)");
	T_OK(strstr(fsck(&t), "missing-tree: "), "a page that is gone is found");
	buf_free(&found);
	return fx_end();
}
