/*
 * api/api.h: one function per operation; all that cli/ and web/ call, so that they cannot drift apart.
 *
 * An operation speaks through a sink: rows (dom maps with the keys of DESIGN §3), bytes, notes (talk), events of a run.
 */
#ifndef LEAT_API_API_H
#define LEAT_API_API_H

#include "api/ops.h"
#include "flow/run.h"

/* A file or folder of a listing, which may be long. */
struct sink_entry {
	struct str repo;
	const struct commit *commit;
	struct str path; /* without a '/' in front */
	const struct entry *entry;
};

struct sink {
	void *ptr;
	/* One row of the result; the node lives until the call returns. */
	int (*row)(void *ptr, const struct dom *row, struct err *e);
	/* The same for a file of a listing, without the cost of a document; NULL: it comes as a row. */
	int (*entry)(void *ptr, const struct sink_entry *en, struct err *e);
	/* Raw result bytes (cat, get -, sql --format csv). */
	int (*bytes)(void *ptr, struct str bytes, struct err *e);
	/* Talk: standard error, or a message in a log. One sentence. */
	void (*note)(void *ptr, const char *text);
	void (*event)(void *ptr, const struct run_event *ev);
	/* Progress of one long step, 0..1; NULL text ends it. */
	void (*progress)(void *ptr, const char *text, double part);
	/* For sql: the header of a result before its rows; rows then come as lists of text (NULL p = null). */
	int (*head)(void *ptr, const struct dom *columns, struct err *e);
	/* Asks the user; the answer without its line end, "" for none. NULL where nobody is there to answer. */
	int (*ask)(void *ptr, struct arena *a, const char *question, struct str fallback, struct str *answer,
	           struct err *e);
	bool people; /* for people, not for programs */
};

struct api {
	struct arena *arena;            /* of the command */
	const char *dir;                /* -C, or NULL */
	const struct job_kind *const *kinds;
	struct workspace *ws;           /* set for operations with OP_W */
	struct store *store;
	struct str on;                  /* the workspace branch that was asked for; STR_NULL: master */
	struct flow *flow;              /* set for operations with OP_J */
	const struct dom *result;       /* of a query that went to standard output: its text, its tables; NULL */
	int exit_status;                /* an operation that did its work may still mean 1 (a failed run, a finding) */
};

void api_begin(struct api *api, struct arena *a, const struct job_kind *const *kinds);
/* Opens what the operation's flags ask for, calls it, finishes pending materialisation for those that change state. */
must_check int api_call(struct api *api, const struct args *args, struct sink *out, struct err *e);
void api_end(struct api *api);
/*
 * That the result (api->result) stands in the regular file behind fd, from its first to its last byte: noted as what
 * `sql -o` writes is.
 */
void api_printed(struct api *api, int fd);
/* Opens workspace, store and jobs as flags (enum op_flag) say; for operations that open later than their row says. */
must_check int api_open(struct api *api, unsigned flags, struct err *e);

/* Makes what is missing of a workspace in `dir` (leat.yaml may be there: a clone from git), and opens it. */
must_check int api_make_workspace(struct api *api, const char *dir, struct str name, struct err *e);

/* Names of the job templates in the program. */
size_t api_template_names(struct arena *a, struct str **out);

/* Row helpers: what every list needs. */
must_check int sink_row(struct sink *out, const struct dom *row, struct err *e);
/* The bytes of a file from *from to its end, which *from is then. */
must_check int sink_file(const char *path, off_t *from, struct sink *out, struct err *e);
void sink_note(struct sink *out, const char *fmt, ...) printf_like(2, 3);

#define OP(verb, area, flags, summary, more) op_fn api_##verb;
#define POS(...)
#define OPT(...)
#define SHOW(...)
#define EX(...)
#define ALIAS(...)
#define WORDS(...)
#include "defs/ops.def"
#undef OP
#undef POS
#undef OPT
#undef SHOW
#undef EX
#undef ALIAS
#undef WORDS

#endif
