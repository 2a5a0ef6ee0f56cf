#include "exec/local_limit.h"

#include <signal.h>

#include "base/keys.h"
#include "base/str.h"
#include "exec/exec.h"
#include "flow/flow.h"
#include "repo/workspace.h"
#include "sys/cgroup.h"
#include "sys/fd.h"

#define LOOK_MS 100
#define LEAST_MEMORY 1000000 /* no program starts with less */
#define LEAST_CPU 0.01

_Static_assert((int)PROC_MAX_CGROUPS == (int)CGROUP_PARTS, "a task enters all parts of its group");

struct limit {
	struct attempt *t;
	int64_t memory; /* 0: none */
	double cpu;
	bool grouped;
	struct cgroup group;
	int fds[CGROUP_PARTS], n_fds;
	const struct proc *proc;
	struct loop_ev *look;
	limit_over_cb *cb;
	void *ptr;
	uint64_t peak;  /* seen, of one without a group */
	bool over;
};

/* --- what the job says --- */

static const struct dom *key_of(const struct job *j, const char *key)
{
	return j->own ? dom_get(j->own, key) : NULL;
}

static int64_t memory_of(const struct job *j)
{
	const struct dom *v = key_of(j, "memory");
	int64_t n = 0;

	if (v && v->type == DOM_INT)
		return v->i;
	return v && v->type == DOM_STR && keys_size(v->s, &n) ? n : 0;
}

static double cpu_of(const struct job *j)
{
	const struct dom *v = key_of(j, "cpu");

	return !v ? 0 : v->type == DOM_INT ? (double)v->i : v->type == DOM_REAL ? v->d : 0;
}

int exec_limits_check(const struct job *j, struct err *e)
{
	const struct dom *memory = key_of(j, "memory"), *cpu = key_of(j, "cpu"), *at = NULL;

	if (memory && memory_of(j) < LEAST_MEMORY) {
		at = memory;
		err_set(e, ERR_BAD_CONFIG, "\"memory\" must be 1M or more");
		err_hint(e, "a size is written 100M, 1.5G or 512Mi");
	} else if (cpu && !(cpu_of(j) >= LEAST_CPU)) {
		at = cpu;
		err_set(e, ERR_BAD_CONFIG, "\"cpu\" must be 0.01 or more");
		err_hint(e, "0.5 is half of one processor, 2 are two");
	}
	return at ? job_at(e, j, at->line, at->col) : 0;
}

static bool groups_off(const struct workspace *ws)
{
	const struct dom *v = workspace_setting(ws, "cgroups");

	return v && ((v->type == DOM_BOOL && !v->b) || (v->type == DOM_STR && str_is(v->s, "off")));
}

static unsigned can(const struct workspace *ws, const char **why)
{
	if (!groups_off(ws))
		return cgroup_can(why);
	*why = "leat.yaml says cgroups: off";
	return 0;
}

const char *exec_limits_note(const struct job *j, struct arena *a)
{
	const char *why = NULL;
	bool memory = key_of(j, "memory") != NULL, cpu = key_of(j, "cpu") != NULL;
	unsigned have;

	if (!memory && !cpu)
		return NULL;
	have = can(j->jobs->ws, &why);
	if (cpu && !(have & CGROUP_CPU))
		return arena_printf(a, "%.*s: cpu: is not held here%s: %s", STR_ARG(j->name),
		                    memory && !(have & CGROUP_MEMORY) ? ", and memory: is looked at ten times a second"
		                                                      : "",
		                    why);
	if (memory && !(have & CGROUP_MEMORY))
		return arena_printf(a, "%.*s: memory: is looked at ten times a second, not held by the kernel: %s",
		                    STR_ARG(j->name), why);
	return NULL;
}

/* --- a task --- */

static struct limit *make(struct attempt *t)
{
	struct limit *l;

	if (!key_of(t->job, "memory") && !key_of(t->job, "cpu"))
		return NULL;
	l = arena_new_of(t->arena, struct limit);
	*l = (struct limit){.t = t, .memory = memory_of(t->job), .cpu = cpu_of(t->job)};
	return l;
}

static void close_fds(struct limit *l)
{
	while (l->n_fds > 0)
		fd_close(&l->fds[--l->n_fds]);
}

static bool grouped(const struct attempt *t, int64_t memory, double cpu, unsigned *have)
{
	const char *why;

	*have = memory || cpu > 0 ? can(t->flow->ws, &why) : 0;
	return (memory && *have & CGROUP_MEMORY) || (cpu > 0 && *have & CGROUP_CPU);
}

bool exec_has_group(const struct attempt *t)
{
	unsigned have;

	return grouped(t, memory_of(t->job), cpu_of(t->job), &have);
}

int limit_new(struct attempt *t, struct proc_spec *s, struct limit **out, struct err *e)
{
	struct limit *l = *out = make(t);
	unsigned have;

	if (!l || !grouped(t, l->memory, l->cpu, &have))
		return 0;
	if (cgroup_make(t->marker, have & CGROUP_MEMORY ? (uint64_t)l->memory : 0, l->cpu, &l->group, e))
		return -1;
	l->n_fds = cgroup_enter_fds(&l->group, l->fds, e);
	if (l->n_fds < 0) {
		l->n_fds = 0;
		cgroup_remove(&l->group);
		return -1;
	}
	l->grouped = true;
	for (int i = 0; i < l->n_fds; i++)
		s->cgroups[i] = l->fds[i];
	s->n_cgroups = (unsigned)l->n_fds;
	return 0;
}

/* The kernel holds a group to its memory: it kills the largest of its processes, and we what is left of the task. */
static bool held(const struct limit *l)
{
	const char *why;

	return l->grouped && can(l->t->flow->ws, &why) & CGROUP_MEMORY;
}

static void look(struct limit *l)
{
	uint64_t now;

	if (held(l)) {
		l->over |= cgroup_oom_kills(&l->group) > 0;
		return;
	}
	now = proc_tree_memory(l->proc, l->t->marker);
	l->peak = MAX(l->peak, now);
	l->over |= now > (uint64_t)l->memory;
}

bool limit_look(struct limit *l)
{
	if (!l || !l->memory)
		return false;
	look(l);
	if (l->over) {
		limit_cancel(l, true);
		l->cb(l->ptr);
	}
	return l->over;
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	(void)limit_look(ptr);
	loop_timer_again(ev, LOOK_MS);
}

void limit_watch(struct limit *l, const struct proc *p, limit_over_cb *cb, void *ptr)
{
	if (!l)
		return;
	close_fds(l);
	l->proc = p;
	l->cb = cb;
	l->ptr = ptr;
	if (l->memory)
		l->look = loop_timer(l->t->loop, held(l) ? LOOK_MS : 1, on_look, l);
}

void limit_cancel(struct limit *l, bool hard)
{
	if (l && l->grouped && hard)
		cgroup_kill(&l->group);
}

static const struct err *sentence(const struct limit *l)
{
	const struct job *j = l->t->job;
	const struct dom *said = key_of(j, "memory");
	struct err *e = arena_new_of(l->t->arena, struct err);

	*e = (struct err)ERR_INIT;
	err_set(e, ERR_LIMIT, "it was ended, for it took more memory than memory: %.*s allows (%.1f MB at its most)",
	        STR_ARG(dom_text(l->t->arena, said)), (double)l->peak / 1e6);
	err_hint(e, "memory: in %.*s sets the limit; leat runs %.*s --attempts shows what tries took",
	         STR_ARG(j->file), STR_ARG(j->name));
	return e;
}

/* Also of processes that nobody waited for: those that were killed. */
static void count_time(const struct limit *l, struct rusage *u)
{
	int64_t us = cgroup_cpu_us(&l->group);

	if (us < 0)
		return;
	u->ru_utime = (struct timeval){us / 1000000, us % 1000000};
	u->ru_stime = (struct timeval){0};
}

void limit_end(struct limit *l, struct proc_exit *x)
{
	if (!l)
		return;
	loop_close(l->look);
	l->look = NULL;
	close_fds(l);
	if (l->grouped && x) {
		l->peak = cgroup_peak(&l->group);
		l->over |= l->memory && cgroup_oom_kills(&l->group) > 0;
		if (l->peak)
			x->usage.ru_maxrss = (long)(l->peak / 1024);
		count_time(l, &x->usage);
	} else if (x && l->memory) {
		l->peak = MAX(l->peak, (uint64_t)x->usage.ru_maxrss * 1024);
		x->usage.ru_maxrss = (long)(l->peak / 1024);
	}
	if (l->grouped) {
		if (l->over || !l->t->job->detach)
			cgroup_kill(&l->group);
		cgroup_remove(&l->group);
	}
	l->grouped = false;
	if (!x || !l->over)
		return;
	x->over = true;
	x->status = -1;
	x->signal = SIGKILL;
	x->why = sentence(l);
}

void limit_adopt(struct attempt *t, struct limit **out)
{
	struct limit *l = *out = make(t);
	const char *why;

	if (!l)
		return;
	l->grouped = can(t->flow->ws, &why) && cgroup_find(t->marker, &l->group);
	if (!l->grouped && can(t->flow->ws, &why) & CGROUP_MEMORY)
		*out = NULL; /* it was begun without limits */
}
