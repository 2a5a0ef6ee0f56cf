/*
 * note/python_warm.h: a unit's interpreter, forked from one that has imported already (driver/zygote.py).
 *
 * A zygote listens at an abstract socket, whose name its starter made (job/zygote.c); it has one thread, and
 * forks for those of its own user only. What it forks gets the worker's environment, folder and view of the folders
 * (its mount namespace), and dies by the kernel's hand when the worker does. Every doubt is a cold start.
 */
#ifndef LEAT_NOTE_PYTHON_WARM_H
#define LEAT_NOTE_PYTHON_WARM_H

#include "note/engine.h"

/* What the worker keeps of it. */
struct warm {
	int conn; /* tells how it ended; at its end the zygote has gone */
	int life; /* as long as this is open it lives */
};
#define WARM_INIT {-1, -1}

struct warm_ask {
	const char *zygote;      /* its name */
	const char *mode;        /* of a notebook's: how cells are executed */
	const char *const *argv; /* what it finds in sys.argv */
	const char *const *env;
	const char *group;       /* it comes into our group of this name (sys/cgroup.h); NULL: it need not */
	int link, out, err;      /* what becomes its socket, standard output and errors */
};

/* Whether one listens under that name. */
bool warm_listens(const char *name);
/* False: not here, or not now. */
bool warm_fork(struct arena *a, const struct warm_ask *ask, struct warm *w, struct proc *proc);

/* Its end, by the zygote's word. */
struct warm_end {
	bool lost;  /* the zygote has ended before it told */
	int status; /* as wait(2) has it */
	struct engine_end took;
};
/* 1: *out is set; 0: it has not ended. wait: until it has. */
int warm_ended(struct arena *a, const struct warm *w, bool wait, struct warm_end *out);

#endif
