/* Folders: whatever way a folder came about, equal lists have equal ids; an edit costs the pages on its path. */
#include "store_fixture.h"

#include "base/buf.h"
#include "repo/ingest_session.h"

static unsigned long seed = 12345;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static struct tree_edit put(const char *path, unsigned value)
{
	struct tree_edit ed = {.op = EDIT_PUT, .path = str_of(path)};

	ed.entry = (struct entry){.kind = ENTRY_FILE, .id = sha_of(&value, sizeof(value)), .size = value, .files = 1};
	return ed;
}

static size_t pages_made(struct ingest *in)
{
	size_t n = 0;

	while (ingest_page_at(in, n))
		n++;
	return n;
}

static int count(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	++*(int64_t *)ptr;
	return 0;
}

struct order {
	char last[300];
	bool sorted;
	int64_t n;
};

static int in_order(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct order *o = ptr;

	if (o->n++ && strcmp(o->last, path.p) >= 0)
		o->sorted = false;
	snprintf(o->last, sizeof(o->last), "%s", path.p);
	return 0;
}

/* Random edits in steps against the same list built at once. */
static void random_edits(struct store *s, int rounds, unsigned names)
{
	struct err e = ERR_INIT;
	static unsigned value[4000]; /* 0 = not there */
	struct ingest *in = ingest_new(s);
	struct sha now = tree_empty_id();
	int differ = 0, failed = 0;

	memset(value, 0, sizeof(value));
	for (int round = 0; round < rounds; round++) {
		struct arena *a = arena_new();
		size_t n = 1 + (round % 10 ? rnd(4) : rnd(900)), all = 0;
		struct tree_edit *edits = arena_array(a, struct tree_edit, n),
				 *whole = arena_array(a, struct tree_edit, names);
		struct entry step, once;
		for (size_t i = 0; i < n; i++) {
			unsigned k = rnd(names), v = (round / 25) % 2 ? rnd(3) > 1 ? 1 + rnd(1000) : 0
						     : rnd(5)         ? 1 + rnd(1000)
								      : 0;
			edits[i] = put(arena_printf(a, "f%u", k * 7919u), v);
			if (!v)
				edits[i].op = EDIT_REMOVE;
			value[k] = v;
		}
		for (unsigned k = 0; k < names; k++)
			if (value[k])
				whole[all++] = put(arena_printf(a, "f%u", k * 7919u), value[k]);
		if (tree_apply(s, in, &now, edits, n, &step, &e) || tree_apply(s, in, NULL, whole, all, &once, &e))
			failed++;
		else
			differ += !sha_eq(&step.id, &once.id) || step.files != once.files || step.size != once.size ||
				  step.files != (int64_t)all;
		now = step.id;
		arena_free(a);
	}
	T_INT(failed, 0, "random edits of up to %u names succeed", names);
	T_INT(differ, 0, "a folder of up to %u names edited in %d steps equals the one built at once, each time", names,
	      rounds);
	if (failed)
		printf("# %s\n", e.msg);
	ingest_free(in);
}

static void large_folder(struct store *s, size_t n)
{
	struct err e = ERR_INIT;
	struct arena *a = arena_new();
	struct tree_edit *edits = arena_array(a, struct tree_edit, n), one;
	struct ingest *in = ingest_new(s), *next = ingest_new(s);
	struct entry big, more, found;
	struct order o = {.sorted = true};
	size_t pages;

	for (size_t i = 0; i < n; i++)
		edits[i] = put(arena_printf(a, "file-%08zu.csv", i), (unsigned)i + 1);
	T_NO_ERR(tree_apply(s, in, NULL, edits, n, &big, &e), &e, "a folder of %zu entries can be made", n);
	pages = pages_made(in);
	T_OK(pages > n / 64 && pages < n / 16, "its pages hold about 32 entries on average (%zu pages)", pages);
	if (db_begin(s->db, &e) || tree_record(s, in, &e) || db_commit(s->db, &e))
		T_OK(false, "pages are written: %s", e.msg);
	one = put(arena_dup(a, "file-00054321x.csv"), 7);
	T_NO_ERR(tree_apply(s, next, &big.id, &one, 1, &more, &e), &e, "one entry can be added to it");
	T_OK(pages_made(next) <= 6, "that makes the pages on its path only (%zu)", pages_made(next));
	T_INT(more.files, n + 1, "the sums count the new entry");
	T_INT(tree_find(s, next, &more.id, STR("file-00000077.csv"), &found, &e), 1, "an old entry is found");
	T_INT(found.size, 78, "with its size");
	T_INT(tree_find(s, next, &more.id, STR("file-00054321x.csv"), &found, &e), 1, "the new one is found");
	T_INT(tree_find(s, next, &more.id, STR("file-000543"), &found, &e), 0, "what is not there is not found");
	T_INT(tree_find(s, next, &more.id, STR("zzz"), &found, &e), 0, "nor what would stand after the last");
	T_NO_ERR(tree_list(s, next, &more.id, STR_NULL, in_order, &o, &e), &e, "it can be listed");
	T_OK(o.sorted && o.n == (int64_t)n + 1, "all entries come once, in order of their bytes");
	o = (struct order){.sorted = true};
	T_NO_ERR(tree_list(s, next, &more.id, STR("file-00000099.csv"), in_order, &o, &e), &e,
		 "a list can begin after a name");
	T_INT(o.n, n + 1 - 100, "and gives what follows it");
	one.op = EDIT_REMOVE;
	T_NO_ERR(tree_apply(s, next, &more.id, &one, 1, &found, &e), &e, "the entry can be removed again");
	T_OK(sha_eq(&found.id, &big.id), "and the folder is what it was before");
	ingest_free(in);
	ingest_free(next);
	arena_free(a);
}

static int tell(void *ptr, enum diff_kind kind, struct str path, const struct entry *old, const struct entry *new,
                struct err *e)
{
	buf_addf(ptr, "%c%.*s ", "+-~"[kind], STR_ARG(path));
	return 0;
}

static void folders(struct store *s)
{
	struct err e = ERR_INIT;
	struct ingest *in = ingest_new(s);
	struct tree_edit a[] = {put("ds=2020-01-01/a.csv", 1), put("ds=2020-01-02/b.csv", 2), put("x/y/z", 3),
				put("x.txt", 4)},
			 b[3];
	struct buf out = BUF_INIT(10000);
	struct entry root, next, found, empty;
	int64_t n = 0;

	T_NO_ERR(tree_apply(s, in, NULL, a, 4, &root, &e), &e, "paths make folders");
	T_INT(root.files, 4, "a folder counts the files below it");
	T_INT(root.size, 10, "and their bytes");
	T_INT(tree_find(s, in, &root.id, STR("x/y"), &found, &e), 1, "a folder below a folder is found");
	T_OK(found.kind == ENTRY_FOLDER && found.files == 1 && found.size == 3, "with its own sums");
	T_INT(tree_find(s, in, &root.id, STR("x.txt/y"), &found, &e), 0, "nothing lies below a file");
	T_NO_ERR(tree_walk(s, in, &root.id, true, count, &n, &e), &e, "it can be walked");
	T_INT(n, 8, "with folders");
	b[0] = put("x.txt/inside", 1);
	T_INT(tree_apply(s, in, &root.id, b, 1, &next, &e), -1, "a file cannot be put into a file");
	T_ERR(&e, ERR_REFUSED, "x.txt is a file", "and the file is named");
	b[0] = put("x", 1);
	T_INT(tree_apply(s, in, &root.id, b, 1, &next, &e), -1, "a file cannot take the place of a folder");
	b[0].op = EDIT_REMOVE;
	b[1] = put("x", 1);
	T_NO_ERR(tree_apply(s, in, &root.id, b, 2, &next, &e), &e, "unless the folder is removed in the same change");
	if (db_begin(s->db, &e) || tree_record(s, in, &e) || db_commit(s->db, &e))
		T_OK(false, "pages are written: %s", e.msg);
	T_NO_ERR(tree_diff(s, &root.id, &next.id, false, tell, &out, &e), &e, "two trees can be compared");
	T_STR(out.p, "-x/y/z +x ", "and what differs is told by path");
	b[0] = put("x/y/z", 0);
	b[0].op = EDIT_REMOVE;
	T_NO_ERR(tree_apply(s, in, &root.id, b, 1, &next, &e), &e, "the last file of a folder can be removed");
	T_INT(tree_find(s, in, &next.id, STR("x"), &found, &e), 0, "the folders that it left empty go too");
	empty = (struct entry){.kind = ENTRY_FOLDER, .id = tree_empty_id()};
	b[0] = (struct tree_edit){EDIT_PUT, STR("ds=2020-01-03"), empty};
	T_NO_ERR(tree_apply(s, in, &root.id, b, 1, &next, &e), &e, "an empty folder can be put");
	T_INT(tree_find(s, in, &next.id, STR("ds=2020-01-03"), &found, &e), 1, "and stays: ran and gave nothing");
	b[0] = (struct tree_edit){EDIT_REMOVE, STR("ds=2020-01-03/nothing"), empty};
	T_NO_ERR(tree_apply(s, in, &next.id, b, 1, &found, &e), &e, "removing what is not there is no change");
	T_OK(sha_eq(&found.id, &next.id), "and leaves the id");
	b[0] = (struct tree_edit){EDIT_REMOVE, STR("ds=2020-01-01"), empty};
	b[1] = put("ds=2020-01-01/new.csv", 5);
	T_NO_ERR(tree_apply(s, in, &root.id, b, 2, &next, &e), &e, "a folder can be replaced: removed, then filled");
	if (db_begin(s->db, &e) || tree_record(s, in, &e) || db_commit(s->db, &e))
		T_OK(false, "pages are written: %s", e.msg);
	buf_reset(&out);
	T_NO_ERR(tree_diff(s, &root.id, &next.id, false, tell, &out, &e), &e, "and compared");
	T_STR(out.p, "-ds=2020-01-01/a.csv +ds=2020-01-01/new.csv ", "the old files are gone, the new ones there");
	buf_free(&out);
	ingest_free(in);
}

static void codec(void)
{
	struct err e = ERR_INIT;
	struct arena *a = arena_new();
	struct item items[3] = {0};
	struct buf b = BUF_INIT(100000);
	struct page p;
	char hex[SHA_HEX + 1];
	struct sha empty = tree_empty_id();

	sha_hex(&empty, hex);
	T_STR(hex, "fb50dc0717ff266cf9baf82b1ce7a1c2ef6d9247859680b11a19fb7077f5f222",
	      "the empty folder's id is fixed for ever");
	for (int i = 0; i < 3; i++)
		items[i] =
			(struct item){{.name = (struct str){"b\0a\0c" + 2 * i, 1}, .kind = ENTRY_FILE, .files = 1}, 1};
	tree_page_encode(&b, 0, items, 3);
	T_INT(tree_page_decode(a, buf_str(&b), &p, &e), -1, "a page whose names are out of order is refused");
	T_ERR(&e, ERR_DAMAGED, "not in order", "as damaged");
	buf_reset(&b);
	tree_page_encode(&b, 0, items + 1, 2);
	T_NO_ERR(tree_page_decode(a, buf_str(&b), &p, &e), &e, "a page in order is read");
	T_INT(p.n, 2, "with its entries");
	buf_addc(&b, 0);
	T_INT(tree_page_decode(a, buf_str(&b), &p, &e), -1, "bytes after the last entry are refused");
	for (size_t n = 0; n + 1 < b.n; n++)
		if (!tree_page_decode(a, (struct str){b.p, n}, &p, &e))
			T_OK(false, "a page cut at %zu bytes is refused", n);
	b.p[0] = 9;
	T_INT(tree_page_decode(a, buf_str(&b), &p, &e), -1, "a page of a later version is refused");
	T_ERR(&e, ERR_NEWER_FORMAT, "format 9", "and says so");
	buf_free(&b);
	arena_free(a);
}

int main(void)
{
	fx_begin();
	codec();
	folders(fx_store);
	random_edits(fx_store, 100, 300);
	random_edits(fx_store, 60, 4000);
	large_folder(fx_store, 100000);
	return fx_end();
}
