/*
 * flow/key.h: the memo key of a unit: what counts and what does not (SEMANTICS 4), and what a task may see of it.
 *
 * key = SHA-256 over fields: "leat unit 1", base, ds, and per input by name: name, content, format, repo (empty but for
 * kinds that start a process). base = SHA-256 of the canonical JSON of {kind, code, params, settings, output (for those
 * kinds)}. code is job_code_id.
 */
#ifndef LEAT_FLOW_KEY_H
#define LEAT_FLOW_KEY_H

#include "flow/catalog.h"
#include "flow/jobsql.h"

struct key_cache *key_cache_new(void) __attribute__((returns_nonnull));
void key_cache_free(struct key_cache *k); /* NULL is fine */

/*
 * Fills u->key (without ingredients) from u->job, u->ds and u->inputs, whose contents must be known. params: --param,
 * or NULL.
 */
must_check int key_make(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params,
                        struct plan_unit *u,
                        struct err *e);
/* Makes ready what the keys of all its units have in common, for who waits anyway. */
void key_warm(struct flow *f, const struct job *j);
/* What that key was made of, for the unit's row and for `why`. */
must_check int key_ingredients(struct flow *f, struct catalog *c, struct arena *a, const struct dom *params,
                               const struct plan_unit *u, const struct dom **out, struct err *e);
/*
 * Of a data-driven job: what its units' keys have in common (kind, code, parameters, settings, output), and with it the
 * key of the unit that reads `content` (datum_content).
 */
must_check int key_rest(struct flow *f, struct arena *a, const struct job *j, const struct dom *params,
                        struct unit_key *out, struct err *e);
struct sha key_datum(const struct sha *rest, const struct sha *content);
/*
 * How two sets of ingredients differ, the most telling first: a list of {what:
 * code|file|param|setting|input|output|kind, name,
 * before, now, text}. text is for people: "min_speed was 19, is 25", "raw/x ds=2018-01-02 changed".
 */
struct dom *key_diff(struct arena *a, const struct dom *before, const struct dom *now);

/* The job's parameters with those given by hand over them; a map. */
const struct dom *unit_params(struct arena *a, const struct job *j, const struct dom *params);
/* "min_speed was 25 by hand", for the note of table `current`; NULL where nothing differs from the job's own. */
const char *unit_hand_note(struct arena *a, const struct job *j, const struct dom *params);

/* Template variables: {ds, params, inputs, output}; jobsql_vars makes them. */
const struct dom *unit_vars(struct arena *a, const struct plan_unit *u, const struct dom *params);
/*
 * What LEAT_SPEC holds: {kind, ds, params, inputs: {name: {repo, partitions}}, output, and the kind's own keys
 * rendered},
 * nothing that the key does not count.
 */
must_check int unit_spec(struct arena *a, const struct plan_unit *u, const struct dom *params, const struct dom **out,
                         struct err *e);
/*
 * The query of a sql unit, rendered and told (jobsql_unit with the unit's variables); what the key's code counted.
 */
must_check int unit_sql(struct flow *f, struct arena *a, const struct plan_unit *u, const struct dom *params,
                        struct jobsql *out, struct err *e);
bool job_is_sql(const struct job *j);

/* The key of a check over the output of a unit: table check_result. tree: of the partition (or of the whole repo). */
struct sha key_check(const struct job_check *k, const struct sha *tree);

#endif
