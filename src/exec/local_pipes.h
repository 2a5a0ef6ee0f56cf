/*
 * exec/local_pipes.h: inputs with `lazy: true`: named pipes that are filled when somebody reads them.
 *
 * `leat --role pipes WORKSPACE` waits at the other end of each: a thread per pipe, asleep until it is opened. Before a
 * byte flows another pipe takes its name, so who opens it next reads from the beginning too. Who closes early is fine.
 * Standard input: per pipe 64 hex digits, its path and a NUL. What it cannot read of the store it says on standard
 * error, and ends with status 1: the task must not take half a file for all of it.
 */
#ifndef LEAT_EXEC_LOCAL_PIPES_H
#define LEAT_EXEC_LOCAL_PIPES_H

#include "flow/plug.h"
#include "sys/proc.h"

#define PIPES_ROLE "pipes"

int pipes_worker_main(int argc, char **argv);
/* Starts it for the attempt's lazy files; errors go to `log`. */
must_check int pipes_start(const struct attempt *t, int log, struct proc *out, struct err *e);

#endif
