/*
 * The table of the tasks of a run: staging/run/RUN/tasks (sys/shim.h). A row is there from before a task is started
 * until the rows of leat.db say how it ended; who comes after us reads it (run_adopt.c).
 */
#include "flow/run_int.h"
#include "flow/run_orphan.h"

#include <sys/stat.h>

#include "sys/clock.h"
#include "sys/fault.h"

static int open_table(struct engine *g, struct run_job *r, struct err *e)
{
	int fd;

	if (r->tasks)
		return 0;
	if (shim_open(arena_printf(g->arena, "%s/%s/" ORPHAN_TABLE, g->run_dir, r->id), true, &fd, e))
		return -1;
	r->tasks = fd + 1;
	return 0;
}

static int64_t ino_of(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) ? (int64_t)st.st_ino : 0;
}

int attempt_shim(struct attempt *t, bool use, const struct proc_shim **out, struct err *e)
{
	struct task *k = (struct task *)t;
	struct run_unit *u = k->u;
	struct shim_begun b = {.number = t->number};

	*out = NULL;
	if (t->given || k->alone || !u->attempt_open)
		return 0;
	if (shim_program() < 0)
		use = false;
	if (open_table(k->eng, u->run, e))
		return -1;
	if (!u->row)
		u->row = u->run->free_rows.n ? u->run->free_rows.p[--u->run->free_rows.n] : ++u->run->n_rows;
	b.unit = u->id;
	b.desk = k->desk->number;
	b.out_ino = (int64_t)k->desk->out_ino;
	b.out_stamp = k->desk->out_stamp;
	b.log_ino = ino_of(k->log_fd);
	b.mono_ms = clock_mono_ms();
	b.bare = !use;
	k->shim = (struct proc_shim){
		.table = u->run->tasks - 1, .row = u->row - 1, .detach = t->job->detach};
	run_pool_shim(u, &k->shim);
	if (shim_begin(k->shim.table, k->shim.row, &b, e))
		return -1;
	fault_crash("unit-task-announced");
	if (use)
		*out = &k->shim;
	return 0;
}

bool run_shim_holds(const struct run_unit *u)
{
	return u->row != 0;
}

void run_shim_taken(struct run_unit *u)
{
	struct err e = ERR_INIT;

	if (u->row && shim_taken(u->run->tasks - 1, u->row - 1, &e))
		err_clear(&e); /* who comes after us then finds a folder that is empty too, or another task's row */
}

void run_shim_done(struct run_unit *u)
{
	struct err e = ERR_INIT;

	if (!u->row)
		return;
	if (shim_free(u->run->tasks - 1, u->row - 1, &e))
		err_clear(&e); /* its unit has ended: nobody asks */
	vec_push(u->eng->arena, &u->run->free_rows, u->row);
	u->row = 0;
}

void run_shim_close(struct run_job *r)
{
	int fd = r->tasks - 1;

	if (r->tasks)
		fd_close(&fd);
	r->tasks = 0;
}
