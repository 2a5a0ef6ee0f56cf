/*
 * api/fixture.h: tests beside a job: what is given, what is expected (docs/how-to/test.md). Reading them changes
 * nothing and needs no store.
 *
 *   jobs/NAME/tests/CASE/case.yaml          may be missing; all keys are in defs/casekeys.def
 *   jobs/NAME/tests/CASE/inputs/INPUT/...   what INPUT holds, as it stands there
 *   jobs/NAME/tests/CASE/expected.csv       or .json, .jsonl, .parquet: rows; a folder expected/: files by their bytes
 *   tests/NAME/CASE/...                     the same of a job that is one file
 */
#ifndef LEAT_API_FIXTURE_H
#define LEAT_API_FIXTURE_H

#include "flow/plan.h"

#define FIXTURES_MAX 100000
#define FIXTURE_INPUTS_MAX 1000

/* One input; of its two forms one is there. */
struct fixture_input {
	const struct job_input *input;
	const char *dir;        /* absolute */
	const struct dom *rows; /* a list of maps */
};

enum fixture_expects { EXPECTS_NONE, EXPECTS_TABLE, EXPECTS_ROWS, EXPECTS_FILES };

struct fixture {
	struct job *job;
	struct str name;        /* of the case */
	const char *dir;        /* absolute */
	const char *shown;      /* from the workspace: "jobs/sales/tests/day" */
	struct str yaml;        /* the text of case.yaml; STR_NULL: there is none */
	const struct dom *doc;  /* of it, a map; never NULL */
	struct err broken;      /* it cannot be run; code NONE: it can */
	struct ds ds;
	int64_t clock_ms;
	const struct dom *params; /* NULL */
	struct fixture_input *inputs;
	size_t n_inputs;
	enum fixture_expects expects;
	const char *expected;   /* TABLE, FILES: absolute */
	const struct dom *rows; /* ROWS */
	struct str *keys;
	size_t n_keys;
	double tolerance;
	struct str error;       /* STR_NULL: it must succeed */
};

/* All of a job, by name, those that are broken too. In the arena. */
must_check int fixture_list(struct workspace *ws, struct arena *a, struct job *j, struct fixture **out, size_t *n,
                            struct err *e);
/* A path in it as the user names it, for messages: "jobs/sales/tests/day/case.yaml". */
const char *fixture_path(struct arena *a, const struct fixture *x, const char *file);

#endif
