/* sys/file, fd, dir, path, fs: reading, writing, copying, naming, walking, removing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "t.h"

static struct arena *a;
static char *dir;

static char *in(const char *name)
{
	return path_join(a, dir, name);
}

static void put(const char *name, const char *text)
{
	struct err e = ERR_INIT;

	if (dir_make_parent(in(name), 0755, &e) || file_write(in(name), str_of(text), 0644, 0, &e))
		T_OK(false, "%s is written: %s", name, e.msg);
}

static const char *get(const char *name)
{
	struct err e = ERR_INIT;
	struct str s;

	return file_read(a, in(name), 1 << 20, &s, &e) ? arena_dup(a, e.msg) : s.p;
}

static void test_path(void)
{
	T_STR(path_join(a, "a", "b/c"), "a/b/c", "paths join");
	T_STR(path_join(a, "a/", "b"), "a/b", "without a doubled slash");
	T_STR(path_join(a, "a", "/b"), "/b", "an absolute second one wins");
	T_STR(path_join(a, "", "b"), "b", "an empty first one vanishes");
	T_STR(path_base(a, "/a/b/c"), "c", "the base of a path");
	T_STR(path_base(a, "a/b//"), "b", "the base without trailing slashes");
	T_STR(path_base(a, "/"), "/", "the base of the root");
	T_STR(path_dir(a, "/a/b/c"), "/a/b", "the folder of a path");
	T_STR(path_dir(a, "c"), ".", "the folder of a bare name");
	T_STR(path_dir(a, "/c"), "/", "the folder of a name in the root");
	T_STR(path_dir(a, "a/b/"), "a", "the folder of a path that ends in a slash");
	T_STR(path_clean(a, "/a//b/./c/../d/"), "/a/b/d", "a path is cleaned");
	T_STR(path_clean(a, "../../a/../b"), "../../b", "leading .. stay in a relative path");
	T_STR(path_clean(a, "/../a"), "/a", "and vanish at the root");
	T_STR(path_clean(a, "a/.."), ".", "nothing is the current folder");
	T_STR(path_relative(a, "/a/b", "/a/c/d"), "../c/d", "a path from another folder");
	T_STR(path_relative(a, "/a/bc", "/a/b"), "../b", "names are compared whole");
	T_STR(path_relative(a, "/a/b", "/a/b"), ".", "a folder from itself");
	T_STR(path_relative(a, "/", "/x"), "x", "a path from the root");
	T_STR(path_relative(a, "/x/y", "/"), "../..", "the root from below");
	T_OK(path_inside("/a/b", "/a/b/c", NULL) && !path_inside("/a/b", "/a/bc", NULL), "inside is by whole names");
	T_STR(path_ext("a.b/c.csv"), ".csv", "the ending of a name");
	T_STR(path_ext("a.b/.bashrc"), "", "a leading dot is no ending");
}

static void test_read_write(void)
{
	struct err e = ERR_INIT;
	struct str s;
	struct stat st;

	put("f", "one");
	T_STR(get("f"), "one", "a file reads as it was written");
	T_INT(file_read(a, in("f"), 2, &s, &e), -1, "a file over the ceiling is refused");
	T_ERR(&e, ERR_LIMIT, "2 bytes", "naming the ceiling");
	T_NO_ERR(file_read(a, in("f"), 3, &s, &e), &e, "one of just that size is read");
	T_INT(file_read(a, dir, 10, &s, &e), -1, "a folder does not read as a file");
	T_INT(file_read(a, in("none"), 10, &s, &e), -1, "an absent file neither");
	T_ERR(&e, ERR_NOT_FOUND, "none", "and is named");
	T_NO_ERR(file_read(a, "/proc/self/status", 1 << 20, &s, &e), &e, "a file that says it is empty and is not");
	T_OK(s.n > 100, "is read to its end");
	T_NO_ERR(file_chmod(in("f"), 0640, &e), &e, "a mode is set");
	T_NO_ERR(file_replace(in("f"), STR("two"), 0, FILE_SYNC, &e), &e, "a file is replaced");
	T_STR(get("f"), "two", "and holds the new bytes");
	T_OK(!lstat(in("f"), &st) && (st.st_mode & 0777) == 0640, "with the mode of the old one");
	T_INT(file_replace(in("f"), STR("three"), 0, FILE_EXCL, &e), -1, "an exclusive replace refuses what is there");
	T_STR(get("f"), "two", "and leaves it");
	T_INT(file_write(in("f"), STR("x"), 0, FILE_EXCL, &e), -1, "so does an exclusive write");
	T_ERR(&e, ERR_CONFLICT, "there already", "as a conflict");
	T_NO_ERR(file_symlink("f", in("link"), &e), &e, "a link is made");
	T_INT(file_write(in("link"), STR("through"), 0, 0, &e), -1, "a link is not written through");
	T_STR(get("f"), "two", "what it points to stays");
	T_NO_ERR(file_replace(in("link"), STR("own"), 0, 0, &e), &e, "a replace takes the link's place");
	T_STR(get("f"), "two", "and leaves what it pointed to");
}

static void test_names(void)
{
	struct err e = ERR_INIT;
	struct file_key k1, k2;
	int rc;

	put("n/a", "A");
	put("n/b", "B");
	rc = file_exchange(in("n/a"), in("n/b"), &e);
	T_OK(rc >= 0, "two names can be exchanged, or the file system says it cannot (%d)", rc);
	T_STR(get("n/a"), rc > 0 ? "B" : "A", "then each has the other's file");
	T_INT(file_exchange(in("n/a"), in("n/none"), &e), -1, "an absent name is an error, not \"cannot\"");
	T_INT(file_rename_new(in("n/a"), in("n/b"), &e), -1, "a rename to a new name refuses one that is there");
	T_ERR(&e, ERR_CONFLICT, "n/b", "naming it");
	T_INT(file_link(in("n/a"), in("n/l"), &e), 1, "a hard link is made");
	T_INT(file_link(in("n/a"), in("n/l"), &e), -1, "not over a file");
	T_INT(file_link(in("n/a"), "/dev/shm/leat-none/x", &e), -1, "not into a folder that is not there");
	T_NO_ERR(file_stat_key(in("n/a"), &k1, &e) || file_stat_key(in("n/l"), &k2, &e), &e, "keys are read");
	T_OK(file_key_eq(&k1, &k2), "two names of one file have one key");
	put("n/a", "longer");
	T_NO_ERR(file_stat_key(in("n/a"), &k2, &e), &e, "after a write");
	T_OK(!file_key_eq(&k1, &k2), "the key is another");
	T_NO_ERR(file_set_mtime(in("n/a"), -1500000000, &e), &e, "a time before 1970 can be set");
	T_NO_ERR(file_stat_key(in("n/a"), &k2, &e), &e, "and read");
	T_OK(k2.mtime_ns == -1500000000, "as it was set");
	T_NO_ERR(file_unlink(in("n/none"), &e), &e, "removing what is not there is fine");
}

static void test_copy(void)
{
	struct err e = ERR_INIT;
	struct stat st;
	struct sha s1, s2, s3;
	uint64_t size;
	int fd FD_CLEANUP = -1;
	char hex[SHA_HEX + 1];

	T_NO_ERR(file_open_write(in("sparse"), O_EXCL, 0600, &fd, &e), &e, "a file with holes is made");
	T_NO_ERR(fd_pwrite_all(fd, "head", 4, 0, "sparse", &e), &e, "with a head");
	T_NO_ERR(fd_pwrite_all(fd, "middle", 6, 5 << 20, "sparse", &e), &e, "and a middle");
	T_NO_ERR(fd_truncate(fd, 20 << 20, "sparse", &e), &e, "and a hole at the end");
	T_NO_ERR(file_copy(in("sparse"), in("copy"), 0444, 0, &e), &e, "it is copied");
	T_OK(!lstat(in("copy"), &st) && st.st_size == 20 << 20 && (st.st_mode & 0777) == 0444, "with size and mode");
	T_OK(st.st_blocks * 512 < 10 << 20, "holes stay holes (%lld bytes on disk)", (long long)st.st_blocks * 512);
	T_NO_ERR(file_sha(in("sparse"), &s1, &size, &e), &e, "it is hashed");
	T_NO_ERR(file_sha(in("copy"), &s2, NULL, &e), &e, "the copy too");
	T_OK(sha_eq(&s1, &s2) && size == 20 << 20, "both are equal");
	T_NO_ERR(file_copy_sha(in("sparse"), in("copy2"), 0, 0, &s3, &size, &e), &e, "copied and hashed in one pass");
	T_OK(sha_eq(&s1, &s3) && size == 20 << 20, "gives the same hash");
	T_NO_ERR(file_sha(in("copy2"), &s2, NULL, &e), &e, "the second copy is hashed");
	T_OK(sha_eq(&s1, &s2), "and is equal");
	put("abc", "abc");
	T_NO_ERR(file_sha(in("abc"), &s1, NULL, &e), &e, "a small file is hashed");
	sha_hex(&s1, hex);
	T_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "as FIPS 180-4 says");
	T_INT(file_copy(in("abc"), in("copy"), 0, 0, &e), -1, "a copy never takes the place of a file");
	T_INT(file_copy(dir, in("copy3"), 0, 0, &e), -1, "a folder is not copied");
	T_OK(!file_exists(in("copy3")), "and nothing is left of the attempt");
	T_INT(fs_can_reflink(dir, &e), file_clone_only(in("abc"), in("clone"), 0, &e),
	      "reflinks are as the trial said");
	T_OK(fs_can_exchange(dir, &e) >= 0, "exchange can be tried");
}

static void test_lease(void)
{
	struct err e = ERR_INIT;
	int r FD_CLEANUP = -1, w FD_CLEANUP = -1;

	put("leased", "x");
	T_NO_ERR(file_open_read(in("leased"), &r, &e), &e, "a file is open for reading");
	T_INT(file_lease_read(r), 1, "nobody writes it");
	T_NO_ERR(file_open_write(in("leased"), 0, 0, &w, &e), &e, "somebody opens it for writing");
	T_INT(file_lease_read(r), 0, "and is noticed");
	fd_close(&w);
	T_INT(file_lease_read(r), 1, "until he closes it");
}

static int note(const struct dir_entry *entry, void *ptr, struct err *e)
{
	static const char *const types[] = {"f", "d", "l", "o"};

	buf_addf(ptr, "%s%s%s:%s", ((struct buf *)ptr)->n ? " " : "", entry->leaving ? "-" : "", entry->path,
	         types[entry->type]);
	return !strcmp(entry->name, "skipped") ? DIR_SKIP : !strcmp(entry->name, "stop") ? DIR_STOP : DIR_GO;
}

static const char *walked(const char *name, unsigned flags)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	const char *out;

	out = dir_walk(in(name), flags, note, &b, &e) ? arena_dup(a, e.msg) : arena_dup(a, b.p);
	buf_free(&b);
	return out;
}

/* Around the blocks of a copy, and where another thread begins to hash them. */
static void test_copy_sha(void)
{
	size_t sizes[] = {0, 1, 262143, 262144, 262145, 4194303, 4194304, 4194305, 4718592, 11000000};
	struct buf b = BUF_INIT((size_t)1 << 24);
	unsigned wrong = 0;

	for (size_t i = 0; i < 11000000; i++)
		buf_addc(&b, (char)(i * 2654435761u >> 13));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct err e = ERR_INIT;
		struct sha id, whole = sha_of(b.p, sizes[i]), back;
		uint64_t size;
		if (file_write(in("sha-from"), (struct str){b.p, sizes[i]}, 0644, 0, &e) ||
		    file_copy_sha(in("sha-from"), in("sha-to"), 0444, i % 2 ? FILE_START : 0, &id, &size, &e) ||
		    file_sha(in("sha-to"), &back, NULL, &e))
			T_OK(false, "%s", e.msg);
		wrong += !sha_eq(&id, &whole) || !sha_eq(&back, &whole) || size != sizes[i];
		T_NO_ERR(file_unlink(in("sha-to"), &e), &e, "the copy goes");
	}
	T_INT(wrong, 0, "a copy and its hash are right whatever its length");
	buf_free(&b);
}

static void test_open_plain(void)
{
	struct err e = ERR_INIT;
	struct stat st;
	int fd = -1;

	T_OK(!mkfifo(in("fifo"), 0600), "there is a pipe that nobody writes to");
	T_NO_ERR(file_open_plain(in("fifo"), &fd, &st, &e), &e, "it is opened without waiting");
	T_OK(S_ISFIFO(st.st_mode), "and what it is is told");
	fd_close(&fd);
	T_INT(file_open_plain(in("none"), &fd, &st, &e), -1, "what is not there is an error");
}

static void test_walk(void)
{
	struct err e = ERR_INIT;
	struct dir_names names;
	bool empty;

	put("w/b/y", "");
	put("w/b/x", "");
	put("w/a.txt", "");
	put("w/a/1", "");
	put("w/skipped/in", "");
	put("w/.hidden", "");
	put("outside/secret", "");
	T_NO_ERR(file_symlink("../outside", in("w/link"), &e), &e, "a link leads out of a folder");
	T_STR(walked("w", 0), ".hidden:f a:d a/1:f a.txt:f b:d b/x:f b/y:f link:l skipped:d",
	      "a walk is in byte order, folders first, and follows no link");
	T_STR(walked("w", DIR_SKIP_DOT | DIR_FLAT | DIR_NO_STAT), "a:d a.txt:f b:d link:l skipped:d",
	      "a flat walk without dot files");
	T_STR(walked("w/b", DIR_LEAVE), "x:f y:f", "the root itself is not given");
	T_STR(walked("w/a", DIR_LEAVE), "1:f", "nor left");
	put("v/d/stop", "");
	put("v/d/then", "");
	put("v/z", "");
	T_STR(walked("v", DIR_LEAVE), "d:d d/stop:f", "a visitor ends the walk");
	T_STR(walked("none", DIR_GONE_OK), "", "an absent root may be an empty walk");
	T_OK(strstr(walked("none", 0), "none"), "or an error that names it");
	T_NO_ERR(dir_list(a, in("w/b"), &names, &e), &e, "names are listed");
	T_OK(names.n == 2 && !strcmp(names.p[0], "x"), "in order");
	T_NO_ERR(dir_is_empty(in("w/b"), &empty, &e), &e, "a folder is asked whether it is empty");
	T_OK(!empty, "it is not");
}

static void test_folders(void)
{
	struct err e = ERR_INIT;
	char *deep = in("deep");

	T_NO_ERR(dir_make(in("m/n/o/"), 0755, &e), &e, "folders are made with their parents");
	T_NO_ERR(dir_make(in("m/n/o"), 0755, &e), &e, "again is fine");
	T_INT(dir_make_one(in("m/n"), 0755, &e), -1, "making one that is there is a conflict");
	T_ERR(&e, ERR_CONFLICT, "there already", "and says so");
	put("file", "");
	T_INT(dir_make(in("file/x"), 0755, &e), -1, "a file is no parent");
	T_INT(dir_make(in("file"), 0755, &e), -1, "nor a folder");
	T_NO_ERR(dir_sync(in("m"), &e), &e, "a folder is synced");
	T_INT(dir_remove(in("m"), &e), -1, "a folder that is not empty is not removed alone");
	put("t/a/b/c", "");
	T_NO_ERR(file_symlink("../outside", in("t/link"), &e), &e, "a tree holds a link out");
	if (chmod(in("t/a/b"), 0500))
		T_OK(false, "a folder is closed");
	T_NO_ERR(dir_remove_tree(in("t"), &e), &e, "a tree is removed, closed folders too");
	T_OK(!file_exists(in("t")), "it is gone");
	T_STR(get("outside/secret"), "", "what a link led to stays");
	T_NO_ERR(dir_remove_tree(in("t"), &e), &e, "again is fine");
	for (int i = 0; i < 100; i++)
		deep = path_join(a, deep, "d");
	T_NO_ERR(dir_make(deep, 0755, &e), &e, "a hundred folders deep");
	T_NO_ERR(dir_remove_tree(in("deep"), &e), &e, "are removed");
}

#define LARGE (5 * FILE_LARGE_STEP / 2)

/* A large file of holes with a byte at its end. */
static char *large(const char *name)
{
	int fd FD_CLEANUP = open(in(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0 || pwrite(fd, "x", 1, LARGE - 1) != 1)
		T_OK(false, "%s is made: %s", name, strerror(errno));
	return in(name);
}

static bool ends_as_made(int fd)
{
	char c = 0;

	return pread(fd, &c, 1, LARGE - 1) == 1 && c == 'x';
}

/* An O_PATH descriptor does not count as open: it tells what became of the bytes. */
static void test_large(void)
{
	struct err e = ERR_INIT;
	struct stat st = {0};
	char *path = large("alone");
	int look = open(path, O_PATH | O_CLOEXEC), fd;
	char *map;

	T_NO_ERR(file_unlink_large(path, &e), &e, "a large file is removed");
	T_OK(!file_exists(path), "its name is gone");
	T_OK(!fstat(look, &st) && st.st_size == FILE_LARGE_STEP, "it was made shorter step by step (%lld)",
	     (long long)st.st_size);
	fd_close(&look);
	T_NO_ERR(file_unlink_large(path, &e), &e, "absent is fine");

	fd = open(large("read"), O_RDONLY | O_CLOEXEC);
	T_NO_ERR(file_unlink_large(in("read"), &e), &e, "one that somebody reads is removed");
	T_OK(!file_exists(in("read")) && ends_as_made(fd), "and its reader has it whole");
	fd_close(&fd);

	fd = open(large("mapped"), O_RDONLY | O_CLOEXEC);
	map = mmap(NULL, (size_t)LARGE, PROT_READ, MAP_SHARED, fd, 0);
	fd_close(&fd);
	T_NO_ERR(file_unlink_large(in("mapped"), &e), &e, "one that somebody has mapped is removed");
	T_OK(map != MAP_FAILED && map[LARGE - 1] == 'x', "and the mapping has it whole");
	munmap(map, (size_t)LARGE);

	T_OK(!link(large("one"), in("other")), "one with two names");
	T_NO_ERR(file_unlink_large(in("one"), &e), &e, "loses the one");
	fd = open(in("other"), O_RDONLY | O_CLOEXEC);
	T_OK(fd >= 0 && ends_as_made(fd), "and is whole by the other");
	fd_close(&fd);

	T_OK(!symlink("other", in("to")), "a link to a large file");
	T_NO_ERR(file_unlink_large(in("to"), &e), &e, "is removed");
	T_OK(file_exists(in("other")), "the file is not");

	put("tree/a/b", "small");
	path = large("tree/a/c");
	look = open(path, O_PATH | O_CLOEXEC);
	T_NO_ERR(dir_remove_large(in("tree"), &e), &e, "a tree with a large file is removed");
	T_OK(!file_exists(in("tree")) && !fstat(look, &st) && st.st_size == FILE_LARGE_STEP,
	     "and that was made shorter step by step");
	fd_close(&look);
	T_NO_ERR(dir_remove_large(in("other"), &e), &e, "a file by itself, too");
	T_OK(!file_exists(in("other")), "is gone");
}

static void test_fs(void)
{
	struct err e = ERR_INIT;
	struct fs_info info;

	T_NO_ERR(fs_kind(dir, &info, &e), &e, "the file system is known");
	T_OK(info.class != FS_NETWORK && info.total_bytes && info.free_bytes <= info.total_bytes,
	     "%s is local and has room", info.name);
	T_NO_ERR(fs_kind("/dev/shm", &info, &e), &e, "that of /dev/shm too");
	T_INT(info.class, FS_MEMORY, "which is memory");
	T_INT(fs_kind(in("none"), &info, &e), -1, "of an absent path it is not");
}

int main(void)
{
	char name[] = "/tmp/leat-t-file-XXXXXX";
	struct err e = ERR_INIT;

	a = arena_new();
	dir = mkdtemp(name);
	test_path();
	test_read_write();
	test_names();
	test_copy();
	test_lease();
	test_copy_sha();
	test_open_plain();
	test_walk();
	test_folders();
	test_large();
	test_fs();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
