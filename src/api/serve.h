/* api/serve.h: how the daemon (daemon/daemon.h) is started and found. */
#ifndef LEAT_API_SERVE_H
#define LEAT_API_SERVE_H

#include "api/api.h"

#define RUNNER_ROLE "runner" /* leat --role runner DIR BATCH: daemon/runner.h */
#define DAEMON_ROLE "daemon" /* leat --role daemon DIR PORT READY_FD LOG [HOST] */
#define WEB_OPENAPI_ROLE "openapi" /* prints the description of the HTTP API */

/* The user whose token it is (.leat/serve.users, read anew each time). 1; 0: nobody's; -1. */
must_check int serve_user(struct store *s, struct arena *a, struct str token, struct str *name, struct err *e);
/* What .leat/serve.json says of the daemon that serves this workspace. 1; 0: none does; -1. */
must_check int serve_place(struct store *s, struct arena *a, const struct dom **out, struct err *e);

#endif
