/*
 * repo/keep.h: which history stays: retention by repo (`leat keep`), and forgetting the data of one commit.
 */
#ifndef LEAT_REPO_KEEP_H
#define LEAT_REPO_KEEP_H

#include "repo/commit.h"

enum keep_what { KEEP_ALL, KEEP_LAST, KEEP_AGE, KEEP_TAGGED };
struct keep_rule {
	enum keep_what what;
	int64_t n; /* commits of each branch; milliseconds */
};
/* "last 30", "90d", "tagged", "all". ERR_BAD_REQUEST naming the forms. */
must_check int keep_parse(struct str text, struct keep_rule *out, struct err *e);
/* STR_NULL: there is none. */
must_check int keep_get(struct store *s, struct arena *a, int64_t repo, struct str *rule, struct err *e);
/* Inside a write transaction; KEEP_ALL takes the rule away. */
must_check int keep_set(struct store *s, int64_t repo, struct str rule, struct err *e);

/*
 * The commits that a rule lets go, oldest last: those that the rule does not name and that are no head, tagged, the
 * base of an open commit, hidden, or in `pinned`.
 */
must_check int keep_list(struct store *s, struct arena *a, int64_t repo, const struct keep_rule *rule,
			 const struct id *pinned, size_t n_pinned, struct commit **out, size_t *n, struct err *e);
/* Takes them out (squash, or drop where nothing comes after), in short transactions; *went counts them. */
must_check int keep_apply(struct store *s, const struct repo *r, const struct commit *list, size_t n, int64_t *went,
			  struct err *e);

/*
 * Inside a write transaction, the event recorded by the caller: the commit stays in history, its data do not.
 * ERR_REFUSED for a head, a tagged one, or what an open commit began from.
 */
must_check int keep_forget(struct store *s, const struct repo *r, const struct commit *c, struct id event,
			   struct err *e);

#endif
