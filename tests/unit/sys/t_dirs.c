/* sys/dirs: a look at all files by several threads sees what a walk by one sees, whatever the tree is like. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/dirs.h"
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

struct seen {
	struct {
		VEC(char *) lines;
		struct arena *a;
	} of[DIRS_THREADS];
	atomic_int threads, folders_told;
};

static char *line(struct arena *to, const char *path, mode_t mode, const struct file_key *k)
{
	return arena_printf(to, "%s %o %llx %llu %lld %lld %lld", path, mode & S_IFMT, (unsigned long long)k->dev,
			    (unsigned long long)k->ino, (long long)k->size, (long long)k->mtime_ns,
			    (long long)k->ctime_ns);
}

static int see(const struct dirs_part *part, void *ptr, struct err *e)
{
	struct seen *s = ptr;

	(void)e;
	if (!s->of[part->thread].a) {
		s->of[part->thread].a = arena_new();
		atomic_fetch_add(&s->threads, 1);
	}
	for (size_t i = 0; i < part->n; i++) {
		struct arena *own = s->of[part->thread].a;
		char *path = arena_printf(own, "%.*s%s%s", STR_ARG(part->folder), part->folder.n ? "/" : "",
					  part->p[i].name);
		atomic_fetch_add(&s->folders_told, S_ISDIR(part->p[i].mode));
		if (part->p[i].n != strlen(part->p[i].name))
			return err_set(e, ERR_LIMIT, "a wrong length");
		vec_push(own, &s->of[part->thread].lines, line(own, path, part->p[i].mode, &part->p[i].key));
	}
	return 0;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

struct lines {
	VEC(char *) p;
};

static char *joined(struct lines *l)
{
	struct buf b = BUF_INIT((size_t)1 << 30);
	char *out;

	if (l->p.n)
		qsort(l->p.p, l->p.n, sizeof(*l->p.p), by_text);
	for (size_t i = 0; i < l->p.n; i++)
		buf_addf(&b, "%s\n", l->p.p[i]);
	out = arena_cstr(a, buf_str(&b));
	buf_free(&b);
	return out;
}

/* By threads; an error is its message. */
static char *seen(const char *name, unsigned flags, int *threads)
{
	struct seen s = {0};
	struct lines all = {0};
	struct err e = ERR_INIT;
	int rc = dirs_walk(in(name), flags, see, &s, &e);

	for (int t = 0; t < DIRS_THREADS; t++) {
		for (size_t i = 0; i < s.of[t].lines.n; i++)
			vec_push(a, &all.p, arena_dup(a, s.of[t].lines.p[i]));
		arena_free(s.of[t].a);
	}
	if (s.folders_told)
		T_OK(false, "no folder is told of");
	if (threads)
		*threads = s.threads;
	return rc ? arena_dup(a, e.msg) : joined(&all);
}

static int visit(const struct dir_entry *t, void *ptr, struct err *e)
{
	struct lines *all = ptr;
	struct file_key k = file_key_of(&t->st);

	(void)e;
	if (t->type != DIR_FOLDER)
		vec_push(a, &all->p, line(a, t->path, t->st.st_mode, &k));
	return DIR_GO;
}

static char *walked(const char *name)
{
	struct lines all = {0};
	struct err e = ERR_INIT;

	return dir_walk(in(name), 0, visit, &all, &e) ? arena_dup(a, e.msg) : joined(&all);
}

static void test_trees(void)
{
	struct err e = ERR_INIT;
	int threads;

	put("few/b/y", "1");
	put("few/a.txt", "22");
	put("few/a/1", "");
	put("few/.hidden", "");
	put("few/a/\x01odd\xff name", "4");
	put("outside/secret", "");
	T_NO_ERR(file_symlink("../outside", in("few/link"), &e), &e, "a link leads out");
	T_NO_ERR(file_symlink(".", in("few/a/loop"), &e), &e, "another to where it lies");
	T_NO_ERR(file_symlink("nothing", in("few/broken"), &e), &e, "another to nothing");
	T_OK(!mkfifo(in("few/pipe"), 0600), "there is a pipe");
	T_STR(seen("few", 0, &threads), walked("few"), "it sees what a walk sees: files, links, pipes with their stat");
	T_INT(threads, 1, "a few files are looked at by one");
	T_STR(seen("none", DIR_GONE_OK, NULL), "", "an absent root may be empty");
	T_OK(strstr(seen("none", 0, NULL), "none"), "or an error that names it");
	T_OK(strstr(seen("few/a.txt", DIR_GONE_OK, NULL), "a.txt"), "a file is no folder");
	for (int d = 0; d < 60; d++)
		for (int f = 0; f < 50; f++)
			put(arena_printf(a, "many/%d/%d/%s%d", d % 7, d, f % 3 ? "f" : "sub/f", f), "x");
	T_STR(seen("many", 0, NULL), walked("many"), "many folders");
	for (int f = 0; f < 5000; f++)
		put(arena_printf(a, "flat/file-%d", f), "x");
	T_STR(seen("flat", 0, &threads), walked("flat"), "one folder of 5,000, which is looked at in pieces");
}

static void test_deep(void)
{
	struct err e = ERR_INIT;
	struct buf path = BUF_INIT(100000);

	buf_adds(&path, "deep");
	for (int i = 0; i < DIR_MAX_DEPTH - 1; i++)
		buf_addf(&path, "/%d", i);
	T_NO_ERR(dir_make(in(path.p), 0755, &e), &e, "a deep tree is made");
	put(arena_printf(a, "%s/f", path.p), "");
	T_STR(seen("deep", 0, NULL), walked("deep"), "a tree as deep as may be is seen to its end");
	T_NO_ERR(dir_make(in(arena_printf(a, "%s/x", path.p)), 0755, &e), &e, "it grows by one");
	T_STR(seen("deep", 0, NULL), walked("deep"), "one that is deeper is the same error as of a walk");
	buf_free(&path);
}

/* As somebody whom a mode keeps out: root first becomes one. */
static void test_errors(void)
{
	char *first;
	int same = 0;
	bool root = geteuid() == 0;

	for (int d = 0; d < 40; d++)
		for (int f = 0; f < 30; f++)
			put(arena_printf(a, "shut/%02d/f%d", d, f), "x");
	put("shut/07-not/f", "x");
	put("shut/07/closed/f", "x");
	put("shut/33/closed/f", "x");
	if (chmod(in("shut/07-not"), 0) || chmod(in("shut/07/closed"), 0) || chmod(in("shut/33/closed"), 0) ||
	    chmod(dir, 0755) || (root && seteuid(65534))) {
		T_OK(false, "folders are shut");
		return;
	}
	first = seen("shut", 0, NULL);
	T_OK(strstr(first, "cannot open the folder") && strstr(first, "shut/07/closed"),
	     "of several folders that cannot be read the first in the order of a walk is named: %s", first);
	T_STR(first, walked("shut"), "as a walk names it");
	for (int i = 0; i < 50; i++)
		same += !strcmp(seen("shut", 0, NULL), first);
	T_INT(same, 50, "every time the same one");
	if (root && seteuid(0))
		T_OK(false, "root again");
	T_OK(!chmod(in("shut/07-not"), 0755) && !chmod(in("shut/07/closed"), 0755) &&
		     !chmod(in("shut/33/closed"), 0755),
	     "they are opened again");
}

static atomic_bool stop;

/* Folders come and go, and become links and files, while others look. */
static void *disturb(void *ptr)
{
	unsigned n = 0;

	for (; !stop; n++) {
		char name[32], path[4200], to[4200];
		snprintf(name, sizeof(name), "busy/%u", n % 20);
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		snprintf(to, sizeof(to), "%s/busy-out/%u", dir, n % 20);
		if (rename(path, to) || ((n & 1) && symlink("../outside", path)))
			continue;
		usleep(50);
		(void)unlink(path);
		(void)!rename(to, path);
	}
	return ptr;
}

static void test_changing(void)
{
	struct err e = ERR_INIT;
	pthread_t t;
	int bad = 0;
	size_t kept = 0;

	for (int d = 0; d < 40; d++)
		for (int f = 0; f < 40; f++)
			put(arena_printf(a, "busy/%d/in/f%d", d, f), "x");
	T_NO_ERR(dir_make(in("busy-out"), 0755, &e), &e, "there is a place beside");
	stop = false;
	if (pthread_create(&t, NULL, disturb, NULL))
		return;
	for (int i = 0; i < 30; i++) {
		char *got = seen("busy", 0, NULL);
		bad += strstr(got, "secret") || strstr(got, "cannot");
		kept += strstr(got, "39/in/f39") != NULL;
	}
	stop = true;
	pthread_join(t, NULL);
	T_INT(bad, 0, "what vanishes or becomes a link meanwhile is left out, and nothing outside is seen");
	T_INT(kept, 30, "what stays is seen each time");
	T_STR(seen("busy", 0, NULL), walked("busy"), "and afterwards all of it");
}

int main(void)
{
	char name[] = "/tmp/leat-t-dirs-XXXXXX";
	struct err e = ERR_INIT;

	a = arena_new();
	dir = mkdtemp(name);
	T_OK(dirs_cmp(STR("a"), STR("a/b")) < 0 && dirs_cmp(STR("a/b"), STR("a-b")) < 0 &&
		     dirs_cmp(STR("a-b"), STR("ab")) < 0 && !dirs_cmp(STR("a/b"), STR("a/b")) &&
		     dirs_cmp(STR("\xff"), STR("z")) > 0,
	     "the order of a walk: a folder's content before the name after it");
	test_trees();
	test_deep();
	test_errors();
	test_changing();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
