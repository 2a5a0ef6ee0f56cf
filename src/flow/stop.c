#include "flow/stop.h"

#include <errno.h>
#include <signal.h>

#include "base/str.h"
#include "flow/lease.h"
#include "sys/clock.h"

int stop_ask(struct db *d, const char *run, const char *ds, struct str who, struct err *e)
{
	struct q *q;

	if (db_make_set(d, DB_SET_TIME, e))
		return -1;
	q = db_query(d, "insert into stop(run, ds, who, at) values(?, ?, ?, ?)");
	q_cstr(q, 1, run);
	q_cstr(q, 2, ds);
	q_text(q, 3, who);
	q_int(q, 4, clock_now_ms());
	return q_run(q, e);
}

int stop_tell(struct db *d, const char *run, struct err *e)
{
	struct q *q = db_query(d, "select boot, pid, pid_start from unit_lease where run = ? limit 1");
	pid_t pid = 0;
	int r;

	q_cstr(q, 1, run);
	r = q_step(q, e);
	if (r == 1 && lease_alive(q_col_text(q, 0), q_col_int(q, 1), q_col_int(q, 2)))
		pid = (pid_t)q_col_int(q, 1);
	q_done(q);
	if (r < 0 || !pid)
		return r < 0 ? -1 : 0;
	if (kill(pid, STOP_SIGNAL))
		return errno == ESRCH ? 0 : err_errno(e, errno, "pid %d, which has run %.12s", (int)pid, run);
	return 1;
}

static void ignore(int signo)
{
	(void)signo;
}

void stop_expect(void)
{
	struct sigaction a = {.sa_handler = ignore, .sa_flags = SA_RESTART};

	sigaction(STOP_SIGNAL, &a, NULL); /* a handler, for SIG_IGN would be inherited */
}
