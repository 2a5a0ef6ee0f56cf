/*
 * note/python_warm.h: a notebook's interpreter, forked from one that has imported already (driver.py, zygote).
 *
 * A zygote listens at an abstract socket, whose name its starter made (job/notebook_zygote.c); it has one thread, and
 * forks for those of its own user only. What it forks gets the worker's environment, folder and view of the folders
 * (its mount namespace), and dies by the kernel's hand when the worker does. Every doubt is a cold start.
 */
#ifndef LEAT_NOTE_PYTHON_WARM_H
#define LEAT_NOTE_PYTHON_WARM_H

#include "note/engine.h"

/* What the worker keeps of it. */
struct warm {
	int conn; /* tells how it ended: {"status": as wait(2), "cpu_ms", "peak_kb"}; at its end the zygote has gone */
	int life; /* as long as this is open it lives */
};

/* Whether one listens under that name. */
bool warm_listens(const char *name);
/* link, out, err: what becomes its socket, standard output and errors. False: not here, or not now. */
bool warm_fork(struct arena *a, const struct engine_start *s, int link, int out, int err, struct warm *w,
               struct proc *proc);

#endif
