/*
 * flow/why.h: why a unit is as it is, where a file came from, what an id is: documents for the CLI and the API. Reads
 * only.
 */
#ifndef LEAT_FLOW_WHY_H
#define LEAT_FLOW_WHY_H

#include "flow/key.h"

#define WHY_MAX_DEPTH 32
#define WHY_MAX_FILES 10000

/*
 * {job, ds, state, reason, detail, cause {job, ds, state, error, text}, would_run, output, path, key, memoised,
 * why_not, ingredients, inputs [{name, repo,
 * commit, ds..., state,
 * missing, files [{path, sha256, size}]}], changes [key_diff, files], last {unit, run, state, reason, batch, global_id,
 * started, finished, threads,
 * attempts, error, original}, checks [{check, passed, detail}], files [{path, sha256, size}]}
 */
must_check int why_unit(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, const struct ds *ds,
                        const struct dom **out, struct err *e);
/*
 * REPO[@PIN]:/PATH (a file, a partition folder, or the root): {repo, commit, path, sha256, size, files, made_by {job,
 * run, unit, ds, code,
 * started, finished, params, settings, inputs [{name, repo, commit, ds, files [{path, sha256, size}], made_by ...}]}
 * | put {global_id, at,
 * author, message, command}}; made_by goes down to files that people put.
 */
must_check int why_path(struct flow *f, struct catalog *c, struct arena *a, struct str text, const struct dom **out,
                        struct err *e);
/* How two units differ in what their keys count: {answer, same, changes [key_diff], unit, other}. */
must_check int why_two(struct flow *f, struct catalog *c, struct arena *a, int64_t one, int64_t two,
                       const struct dom **out, struct err *e);
/*
 * Any id or unique prefix: {type: run|event|batch|commit|unit, ...}. ERR_NOT_FOUND; an ambiguous one lists what it
 * could be.
 */
must_check int why_id(struct flow *f, struct catalog *c, struct arena *a, struct str id, const struct dom **out,
                      struct err *e);

#endif
