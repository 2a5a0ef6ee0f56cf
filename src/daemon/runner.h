/*
 * daemon/runner.h: `leat --role runner DIR BATCH`: a process that carries out the requests of one batch
 * (flow/request.h), as `leat run` would. The daemon starts it and may end meanwhile.
 *
 * Talk goes to standard error, a line each. Exit status 0: all its requests were looked at, whatever came of them; 1:
 * it could not go on, and what it left has no owner any more.
 */
#ifndef LEAT_DAEMON_RUNNER_H
#define LEAT_DAEMON_RUNNER_H

#include "api/api.h"
#include "api/serve.h"

/* In place of BATCH: it loads what it can and waits for it at standard input, one message; an end of that ends it. */
#define RUNNER_STANDS_BY "-"

/*
 * That message. n: so many slots have been given to it, all that were due at one instant, of one ds, under one event;
 * 0: it has to look what is given.
 */
struct runner_told {
	struct id batch, event;
	uint32_t n;
};

must_check int runner_main(int argc, char **argv, const struct job_kind *const *kinds);

#endif
