/*
 * api/jupyter.h: a session of the user's Jupyter, for `leat jupyter` and `leat notebook FILE`.
 */
#ifndef LEAT_API_JUPYTER_H
#define LEAT_API_JUPYTER_H

#include "api/api.h"

/* A notebook that it is opened on: in out/ under this name. */
struct jupyter_file {
	struct str name, text;
	/* After the session: what it left in out/ is a commit of that repo. */
	int (*ended)(void *ptr, struct str repo, struct err *e);
	void *ptr;
};
/* Options as of jupyter: in, output, lab, port, name, detach (without a notebook). Comes back when the session ends. */
must_check int jupyter_session(struct api *api, const struct args *args, const struct jupyter_file *notebook,
                               struct sink *out, struct err *e);

#endif
