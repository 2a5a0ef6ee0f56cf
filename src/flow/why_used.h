/*
 * flow/why_used.h: what was made from something, level by level: the other way of flow/why.h. Reads only.
 */
#ifndef LEAT_FLOW_WHY_USED_H
#define LEAT_FLOW_WHY_USED_H

#include "flow/why.h"

#define WHY_USED_ITEMS 20000 /* files and folders that are followed */
#define WHY_USED_UNITS 10000 /* units that are told; past either limit the document says `more` */
#define WHY_USED_FILES 100   /* files that are named of one unit */

/*
 * REPO[@PIN][:/PATH], or (is_id) an id of a run, unit, event, commit or batch: {answer, repo, commit, path, sha256 |
 * type, id, n_units, n_files, more, used_by [{level, job, output, n_units, n_files, runs [id], units [{unit, run, ds,
 * reads [INPUT:/PATH], global_id, commit, finished, n_files, files [{path, sha256, size}]}]}]}; level 1 read it itself.
 */
must_check int why_used(struct flow *f, struct catalog *c, struct arena *a, struct str what, bool is_id,
                        const struct dom **out, struct err *e);

#endif
