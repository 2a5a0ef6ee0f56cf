/* repo/disk, image, statcache: what is known by stat is what a look at all bytes finds, whatever users do. */
#include "store_fixture.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "repo/datastore.h"
#include "repo/disk.h"

#define REPO "raw/x"
#define FOLDERS 12
#define FILES 40 /* in each */

static struct store *s;
static struct err e;
static uint64_t seed = 1;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *file(unsigned d, unsigned f)
{
	static char out[200];

	snprintf(out, sizeof(out), d % 3 ? "datastore/" REPO "/d%u/f%u" : "datastore/" REPO "/d%u/in/g%u", d, f);
	return out;
}

static void write_file(unsigned d, unsigned f, unsigned text)
{
	char bytes[32];

	snprintf(bytes, sizeof(bytes), "%08u\n", text);
	fx_write(file(d, f), bytes);
}

static void commit(void)
{
	struct adopt_opts o = {.repo = STR_NULL};
	struct adopted *out;
	size_t n;

	if (datastore_commit(s, fx_arena, &o, (struct id){""}, &out, &n, NULL, NULL, &e))
		T_OK(false, "commit: %s", e.msg);
}

static struct disk_repo the_repo(void)
{
	struct disk_repo *all;
	size_t n;

	if (disk_repos(s, fx_arena, 0, false, &all, &n, &e) || n != 1) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	return all[0];
}

/* All that is not as it was, as text; `known` is how many files were not looked into. */
static char *scan(bool rehash, struct str sub)
{
	struct disk_repo r = the_repo();
	struct disk_scan d = {.s = s, .a = fx_arena, .repo = STR(REPO), .sub = sub, .base = &r.shown, .rehash = rehash};
	struct buf b = BUF_INIT((size_t)1 << 24);
	char *out;

	d.cache = statcache_open(s, rehash ? 0 : r.repo.id);
	if (disk_scan(&d, &e))
		buf_adds(&b, e.msg);
	for (size_t i = 0; i < d.files.n; i++)
		if (d.files.p[i].state != DISK_SAME)
			buf_addf(&b, "%d %.*s\n", d.files.p[i].state, STR_ARG(d.files.p[i].path));
	statcache_close(d.cache);
	out = arena_cstr(fx_arena, buf_str(&b));
	buf_free(&b);
	return out;
}

static bool has_image(void)
{
	struct disk_repo r = the_repo();

	return file_exists(fx_path(arena_printf(fx_arena, ".leat/cache/image-%lld", (long long)r.repo.id)));
}

static char *image_path(void)
{
	return arena_dup(fx_arena, fx_path(arena_printf(fx_arena, ".leat/cache/image-%lld",
							(long long)the_repo().repo.id)));
}

/* Other bytes of the same length, and the times that the file had. */
static void edit_quietly(unsigned d, unsigned f, unsigned text)
{
	const char *path = fx_path(file(d, f));
	struct timespec times[2];
	struct stat st;
	char bytes[32];
	int fd;

	if (stat(path, &st))
		return;
	snprintf(bytes, sizeof(bytes), "%08u\n", text);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	(void)chmod(path, 0644);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, bytes, 9) != 9 || futimens(fd, times))
		T_OK(false, "%s is edited", path);
	fd_close(&fd);
}

/* Another file of the same length and times in its place. */
static void replace(unsigned d, unsigned f, unsigned text)
{
	const char *path = fx_path(file(d, f));
	struct timespec times[2];
	struct stat st;

	if (stat(path, &st))
		return;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	fx_write("aside", "");
	write_file(99, 0, text);
	if (utimensat(AT_FDCWD, fx_path(file(99, 0)), times, 0) || rename(fx_path(file(99, 0)), path))
		T_OK(false, "%s is replaced", path);
	(void)rmdir(fx_path("datastore/" REPO "/d99/in"));
	(void)rmdir(fx_path("datastore/" REPO "/d99"));
}

static void change(unsigned round)
{
	unsigned d = rnd(FOLDERS), f = rnd(FILES), other = rnd(FOLDERS);
	char from[200], to[200];

	switch (rnd(9)) {
	case 0:
		edit_quietly(d, f, round * 1000 + f);
		break;
	case 1:
		replace(d, f, round * 1000 + f);
		break;
	case 2:
		(void)unlink(fx_path(file(d, f)));
		break;
	case 3:
		write_file(d, FILES + rnd(5), round);
		break;
	case 4:
		write_file(d, f, round);
		break;
	case 5: /* two folders change places */
		snprintf(from, sizeof(from), "datastore/" REPO "/d%u", d);
		snprintf(to, sizeof(to), "datastore/" REPO "/d%u", other);
		if (d != other && dir_exists(fx_path(from)) && dir_exists(fx_path(to)) &&
		    file_exchange(fx_path(from), fx_path(to), &e) != 1)
			T_OK(false, "folders change places: %s", e.msg);
		break;
	case 6:
		(void)!utimensat(AT_FDCWD, fx_path(file(d, f)), NULL, 0);
		break;
	case 7: /* two files change places */
		snprintf(from, sizeof(from), "%s", fx_path(file(d, f)));
		snprintf(to, sizeof(to), "%s", fx_path(file(other, f)));
		if (d != other && file_exists(from) && file_exists(to) && file_exchange(from, to, &e) != 1)
			T_OK(false, "files change places: %s", e.msg);
		break;
	case 8:
		if (!rnd(4) && unlink(fx_path(file(d, f))) == 0 &&
		    file_symlink("nothing", fx_path(file(d, f)), &e))
			T_OK(false, "a link comes");
		break;
	}
}

static void test_random(void)
{
	unsigned wrong = 0, images = 0, rounds = 40;

	for (unsigned round = 1; round <= rounds; round++) {
		char *truth, *got, *sub_truth, *sub_got;
		for (unsigned i = rnd(round % 5 ? 6 : 120); i > 0; i--)
			change(round);
		if (rnd(2))
			usleep(25000); /* else: within the tick of the clock that stamps files */
		truth = scan(true, STR(""));
		got = scan(false, STR(""));
		sub_truth = scan(true, STR("d3"));
		sub_got = scan(false, STR("d3"));
		if (strcmp(truth, got) || strcmp(sub_truth, sub_got)) {
			if (!wrong++)
				T_STR(got, truth, "round %u", round);
		}
		if (!rnd(3))
			commit();
		images += has_image();
		if (!rnd(10) && unlink(image_path()))
			(void)!dir_make(fx_path(".leat/cache"), 0755, &e);
	}
	T_INT(wrong, 0,
	      "in %u rounds of edits that keep size and time, swaps, renames, deletions and links the stat cache says "
	      "what reading all bytes says",
	      rounds);
	T_OK(images > rounds / 2, "mostly there was an image to compare with (%u)", images);
}

/* One after the other: every byte of the image's head, and some of the rest. */
static void test_damage(void)
{
	char *path, *truth;
	unsigned wrong = 0, tries = 0;
	struct str whole;

	commit();
	usleep(25000);
	for (unsigned f = 0; f < FILES; f++)
		write_file(1, f, 7000000 + f);
	write_file(4, 1, 5);
	usleep(25000);
	T_STR(scan(false, STR("")), truth = scan(true, STR("")), "with a whole image");
	path = image_path();
	if (!has_image() || file_read(fx_arena, path, 1 << 24, &whole, &e)) {
		T_OK(false, "there is an image");
		return;
	}
	for (size_t at = 0; at < whole.n; at += at < 80 ? 5 : 1997) {
		char *bad = arena_alloc(fx_arena, whole.n);
		memcpy(bad, whole.p, whole.n);
		bad[at] = (char)(bad[at] ^ 0x55);
		if (file_replace(path, (struct str){bad, whole.n}, 0644, 0, &e))
			T_OK(false, "%s", e.msg);
		wrong += strcmp(scan(false, STR("")), truth) != 0;
		tries++;
	}
	if (file_replace(path, (struct str){whole.p, whole.n / 2}, 0644, 0, &e))
		T_OK(false, "%s", e.msg);
	wrong += strcmp(scan(false, STR("")), truth) != 0;
	T_INT(wrong, 0, "an image that is damaged or cut short (%u ways) is none, and changes no answer", tries + 1);
}

/* gc takes the pages of trees that nothing holds: an image of such a tree is no measure. */
static void test_tree_gone(void)
{
	struct sha shown;
	struct q *q;
	char *truth;

	for (unsigned d = 0; d < FOLDERS; d++)
		for (unsigned f = 0; f < FILES; f++)
			write_file(d, f, d * 1000 + f);
	commit();
	usleep(25000);
	(void)!scan(false, STR(""));
	shown = the_repo().shown;
	T_OK(has_image(), "there is an image");
	for (unsigned d = 0; d < FOLDERS; d++)
		write_file(d, 3, 8000 + d);
	commit();
	write_file(5, 5, 99);
	usleep(25000);
	T_NO_ERR(db_begin(s->db, &e), &e, "a writer");
	q = db_query(s->db, "delete from tree where id = ?");
	q_sha(q, 1, &shown);
	T_NO_ERR(q_run(q, &e), &e, "takes the tree of the image away");
	T_NO_ERR(db_commit(s->db, &e), &e, "and ends");
	truth = scan(true, STR(""));
	T_OK(strstr(truth, "3 d5/f5\n"), "a file has changed");
	T_STR(scan(false, STR("")), truth, "which is told all the same");
	T_STR(scan(false, STR("")), truth, "and again");
}

int main(void)
{
	struct disk_repo r;

	fx_begin();
	s = fx_store;
	for (unsigned d = 0; d < FOLDERS; d++)
		for (unsigned f = 0; f < FILES; f++)
			write_file(d, f, d * 1000 + f);
	usleep(25000);
	commit();
	r = the_repo();
	T_STR(scan(false, STR("")), "", "after its adoption nothing of a repo has changed");
	T_INT(r.files, FOLDERS * FILES, "it has all files");
	test_random();
	test_damage();
	test_tree_gone();
	return fx_end();
}
