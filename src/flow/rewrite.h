/*
 * flow/rewrite.h: squash and drop: taking commits out of history, with what runs made of them (docs/how-to/versions.md
 * has the rules). All of it happens in one transaction, or nothing.
 */
#ifndef LEAT_FLOW_REWRITE_H
#define LEAT_FLOW_REWRITE_H

#include "flow/flow.h"
#include "repo/commit.h"

struct rewrite_commit {
	struct repo repo;
	struct commit commit;
};

struct rewrite {
	bool squash;      /* else drop */
	bool recursive;   /* also the commits that runs made of these */
	struct id event;
	const char *command;
};
/*
 * ERR_REFUSED naming the commit and why: by the rules of repo/gone.h; a job that pins one of them; commits that runs
 * made of them, unless `recursive`. *out, *n_out: all that went, those asked for first.
 */
must_check int rewrite_run(struct flow *f, struct arena *a, const struct rewrite_commit *list, size_t n,
                           const struct rewrite *how, struct rewrite_commit **out, size_t *n_out, struct err *e);

#endif
