/* Leases of readers: who reads a commit keeps its data from gc. */
#include <signal.h>
#include <sys/wait.h>

#include "store_fixture.h"

static struct store *s;
static struct err e;

/* As gc does: asks with a handle of its own. */
static int held(struct id id)
{
	struct store *gc = NULL;
	int r = store_open(&fx_ws, &gc, &e) ? -1 : store_lease_held(gc, id, &e);

	store_close(gc);
	return r;
}

static void forget_row(struct id id)
{
	struct q *q;

	if (db_begin(s->db, &e))
		return;
	q = db_query(s->db, "update branch set head = null where head = ?");
	q_cstr(q, 1, id.hex);
	T_OK(!q_run(q, &e), "the branch lets go of the commit");
	q = db_query(s->db, "delete from head_move where new = ? or old = ?");
	q_cstr(q, 1, id.hex);
	q_cstr(q, 2, id.hex);
	T_OK(!q_run(q, &e), "with its moves");
	q = db_query(s->db, "delete from commits where id = ?");
	q_cstr(q, 1, id.hex);
	T_OK(!q_run(q, &e) && !db_commit(s->db, &e), "and its row goes");
}

static void leases(void)
{
	struct store *other;
	struct commit a, b;
	struct pin pin;

	T_NO_ERR(fx_commit("raw/t", &a, &e, "x:one"), &e, "a commit");
	T_NO_ERR(fx_commit("raw/t", &b, &e, "x:two"), &e, "and another");
	T_INT(held(a.id), 0, "a commit that was only made has no lease");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("raw/t@master.1"), &pin, &e), &e, "a pin is resolved");
	T_INT(held(a.id), 1, "its commit has a lease from then on");
	T_INT(held(b.id), 0, "the one that the pin only began at has none");
	T_INT(store_lease_held(s, a.id, &e), 0, "a handle does not hinder itself");
	T_NO_ERR(store_open(&fx_ws, &other, &e), &e, "another handle is opened");
	T_INT(store_lease_commit(other, a.repo, a.id, &e), 1, "a second reader is welcome");
	store_lease_drop(s, a.id);
	T_INT(held(a.id), 1, "the lease stands while one of them has it");
	store_close(other);
	T_INT(held(a.id), 0, "and is gone with the last one's handle");
	T_NO_ERR(pin_resolve(s, fx_arena, STR("raw/t"), &pin, &e), &e, "a head is resolved");
	T_INT(held(b.id), 1, "its commit has a lease too");
}

static void gone(void)
{
	struct commit c;
	struct pin pin;
	struct repo repo;

	T_NO_ERR(fx_commit("raw/u", &c, &e, "x:three"), &e, "a commit that will be dropped");
	T_INT(repo_find(s, fx_arena, STR("raw/u"), &repo, &e), 1, "its repo is there");
	T_INT(store_lease_commit(s, repo.id, c.id, &e), 1, "can be leased");
	store_lease_drop(s, c.id);
	forget_row(c.id);
	T_INT(store_lease_commit(s, repo.id, c.id, &e), 0, "after its row has gone it cannot");
	T_INT(held(c.id), 0, "and nothing is left locked by the attempt");
	T_INT(pin_resolve(s, fx_arena, arena_strf(fx_arena, "raw/u@%s", c.id.hex), &pin, &e), -1, "nor resolved");
	err_clear(&e);
}

/* One handle, two readers of one commit: that the second finds it gone is nothing to the first. */
static void kept(void)
{
	struct commit c;
	struct pin pin;
	struct str text;

	T_NO_ERR(fx_commit("raw/v", &c, &e, "x:four"), &e, "another commit that will be dropped");
	text = arena_strf(fx_arena, "raw/v@%s", c.id.hex);
	T_NO_ERR(pin_resolve(s, fx_arena, text, &pin, &e), &e, "is read");
	forget_row(c.id);
	T_INT(store_lease_commit(s, c.repo, c.id, &e), 0, "when its row has gone nobody else can begin to");
	T_INT(held(c.id), 1, "but who reads it has its lease still");
	store_lease_drop(s, c.id);
	T_INT(held(c.id), 0, "until the end");
}

static void deaths(void)
{
	struct commit c;
	int ready[2], status;
	pid_t child;
	char byte;

	T_NO_ERR(fx_commit("raw/v", &c, &e, "x:four"), &e, "a commit that another process reads");
	if (pipe(ready))
		return;
	child = fork();
	if (!child) {
		struct store *mine;
		int r = store_open(&fx_ws, &mine, &e) ? -1 : store_lease_commit(mine, c.repo, c.id, &e);

		_exit(write(ready[1], "x", 1) == 1 && r == 1 && !pause() ? 0 : 1);
	}
	T_OK(read(ready[0], &byte, 1) == 1, "it has its lease");
	T_INT(held(c.id), 1, "which is seen from here");
	kill(child, SIGKILL);
	T_OK(waitpid(child, &status, 0) == child, "it is killed");
	T_INT(held(c.id), 0, "and its lease has died with it");
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	fx_begin();
	s = fx_store;
	leases();
	gone();
	kept();
	deaths();
	return fx_end();
}
