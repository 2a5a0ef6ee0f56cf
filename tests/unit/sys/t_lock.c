/* sys/lock and sys/clock: locks between processes, virtual time. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "t.h"

static struct arena *a;
static char *dir, *path;

/* `t_lock hold PATH`: takes the lock, says so on standard output, holds it until standard input ends. */
static int hold(const char *what)
{
	struct lock lock = LOCK_INIT;
	struct err e = ERR_INIT;
	char c;

	if (lock_take(&lock, what, "the holder", 0, &e))
		return 1;
	if (write(1, "h", 1) != 1)
		return 1;
	return read(0, &c, 1) < 0;
}

struct holder {
	struct proc p;
	int in;
};

static void start_holder(struct holder *h)
{
	const char *argv[] = {proc_self_exe(), "hold", path, NULL};
	struct proc_spec s = PROC_SPEC;
	struct err e = ERR_INIT;
	int in[2], out[2];
	char c = 0;

	T_NO_ERR(fd_pipe(in, &e) || fd_pipe(out, &e), &e, "pipes to another process are made");
	s.argv = argv;
	s.in = in[0];
	s.out = out[1];
	T_NO_ERR(proc_spawn(&s, &h->p, &e), &e, "another process starts");
	fd_close(&in[0]);
	fd_close(&out[1]);
	T_OK(read(out[0], &c, 1) == 1 && c == 'h', "and holds the lock");
	fd_close(&out[0]);
	h->in = in[1];
}

static void end_holder(struct holder *h, bool by_kill)
{
	struct err e = ERR_INIT;
	struct proc_exit x;

	if (by_kill)
		proc_signal(&h->p, SIGKILL);
	fd_close(&h->in);
	T_NO_ERR(proc_wait(&h->p, &x, &e), &e, "the holder ends");
	proc_free(&h->p);
}

static void test_processes(void)
{
	struct lock lock = LOCK_INIT;
	struct err e = ERR_INIT;
	struct holder h;
	char who[LOCK_TEXT], want[64];

	T_OK(!lock_is_held(path, who), "an absent lock is free");
	start_holder(&h);
	snprintf(want, sizeof(want), "pid %d, the holder, since ", (int)h.p.pid);
	T_OK(lock_is_held(path, who) && !strncmp(who, want, strlen(want)), "it is seen who holds it: %s", who);
	T_INT(lock_try(&lock, path, "me", 0, &e), -1, "a held lock is not given");
	T_ERR(&e, ERR_BUSY, want, "and the refusal names the holder");
	err_clear(&e);
	T_INT(lock_take_for(&lock, path, "me", LOCK_SHARED, 20, &e), -1, "nor within a while, nor shared");
	end_holder(&h, true);
	T_OK(!lock_is_held(path, who), "a killed holder lets go");
	T_NO_ERR(lock_try(&lock, path, "me", 0, &e), &e, "and the next one has it");
	T_OK(lock_is_held(path, who) && strstr(who, ", me, since"), "under his own name");
	lock_drop(&lock);
	lock_drop(&lock);
	T_OK(!lock_is_held(path, who) && !who[0], "a dropped lock names nobody");
	start_holder(&h);
	fd_close(&h.in); /* lets it go while we wait */
	T_NO_ERR(lock_take(&lock, path, NULL, 0, &e), &e, "a waiting process gets the lock when it is let go");
	lock_drop(&lock);
	end_holder(&h, false);
}

static void test_one_process(void)
{
	struct lock one = LOCK_INIT, two = LOCK_INIT;
	struct err e = ERR_INIT;

	T_NO_ERR(lock_take(&one, path, NULL, LOCK_SHARED, &e), &e, "a shared lock is taken");
	T_NO_ERR(lock_try(&two, path, NULL, LOCK_SHARED, &e), &e, "twice");
	lock_drop(&two);
	T_INT(lock_try(&two, path, NULL, 0, &e), -1, "beside it none is exclusive");
	lock_drop(&one);
	err_clear(&e);
	T_NO_ERR(lock_take(&one, path, NULL, 0, &e), &e, "an exclusive lock is taken");
	T_INT(lock_try(&two, path, NULL, 0, &e), -1, "not twice, in one process too");
	T_ERR(&e, ERR_BUSY, "another process", "by somebody without a name");
	lock_pause(&one);
	T_NO_ERR(lock_try(&two, path, NULL, 0, &e), &e, "a paused lock is free");
	lock_drop(&two);
	T_NO_ERR(lock_again(&one, &e), &e, "and is taken again");
	T_INT(lock_try(&two, path, NULL, 0, &e), -1, "for itself");
	lock_drop(&one);
	T_INT(lock_take(&one, path_join(a, dir, "none/lock"), NULL, 0, &e), -1, "a lock needs its folder");
}

static void test_folder(void)
{
	char *from = path_join(a, dir, "folder"), *to = path_join(a, dir, "renamed");
	struct err e = ERR_INIT;
	int one = -1, two = -1;

	T_INT(lock_folder(from, &one, &e), 0, "a folder that is not there cannot be locked");
	T_NO_ERR(dir_make_one(from, 0700, &e), &e, "a folder");
	T_INT(lock_folder(from, &one, &e), 1, "is locked");
	T_INT(lock_folder(from, &two, &e), 0, "once");
	T_NO_ERR(file_rename(from, to, &e), &e, "it is renamed");
	T_INT(lock_folder(to, &two, &e), 0, "and locked under that name");
	T_INT(lock_folder(from, &two, &e), 0, "and not there under the other");
	fd_close(&one);
	T_INT(lock_folder(to, &two, &e), 1, "until its holder lets go");
	fd_close(&two);
	T_NO_ERR(file_write(from, STR("x"), 0600, 0, &e), &e, "a plain file");
	T_INT(lock_folder(from, &one, &e), -1, "is none");
	T_ERR(&e, ERR_NOT_FOUND, "cannot open the folder", "and that is said");
}

static int64_t at(const char *text)
{
	struct err e = ERR_INIT;

	if (file_write(path_join(a, dir, "clock"), (struct str){text, strlen(text)}, 0644, 0, &e))
		return -1;
	return clock_now_ms();
}

static void test_clock(void)
{
	struct err e = ERR_INIT;

	T_OK(clock_is_virtual(), "LEAT_CLOCK makes time virtual");
	T_INT(clock_check(&e), -1, "a clock that is not there is an error at start");
	err_clear(&e);
	T_INT(at("2017-11-27T05:00:00Z\n"), 1511758800000, "the time is that of the file");
	T_INT(clock_now_ms(), 1511758800000, "and stands still");
	T_NO_ERR(clock_check(&e), &e, "it can be read");
	for (int i = 1; i < 9; i++) {
		char text[40];

		snprintf(text, sizeof(text), "2017-11-27T05:00:0%dZ", i);
		T_INT(at(text), 1511758800000 + i * 1000,
		      "a write of the same length at once after another is seen (%d)", i);
	}
	T_INT(at("2017-11-2"), 1511758808000, "a file that is half written leaves the last time");
	T_INT(clock_check(&e), -1, "but is an error at start");
	T_ERR(&e, ERR_BAD_CONFIG, "2017-11-27T06:30:00Z", "which shows how to write one");
	T_OK(clock_mono_ns() > 0 && clock_mono_ms() <= clock_mono_ns() / 1000000, "waiting goes by another clock");
}

int main(int argc, char **argv)
{
	char name[] = "/tmp/leat-t-lock-XXXXXX";
	struct err e = ERR_INIT;

	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	a = arena_new();
	dir = mkdtemp(name);
	path = path_join(a, dir, "lock");
	setenv("LEAT_CLOCK", path_join(a, dir, "clock"), 1);
	test_clock();
	test_processes();
	test_one_process();
	test_folder();
	T_NO_ERR(dir_remove_tree(dir, &e), &e, "the folder is removed");
	arena_free(a);
	return t_done();
}
