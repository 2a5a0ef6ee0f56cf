/*
 * repo/gone.h: taking commits out of history, and telling what became of them. Only rows go; bytes that nothing
 * needs any more come back at gc. Numbers of other commits never change, so a gap stays where a commit was.
 */
#ifndef LEAT_REPO_GONE_H
#define LEAT_REPO_GONE_H

#include "repo/commit.h"

/* Both inside a write transaction; the event is recorded by the caller. */
/*
 * Its children become its parent's; they read as before. ERR_REFUSED if nothing comes after it, if it is a branch's
 * head, or tagged.
 */
must_check int gone_squash(struct store *s, const struct repo *r, const struct commit *c, struct id event,
                           struct err *e);
/* The branches whose head it is go back to its parent. ERR_REFUSED if something comes after it, or it is tagged. */
must_check int gone_drop(struct store *s, const struct repo *r, const struct commit *c, struct id event,
                         struct err *e);

/* What was taken out under this id or beginning of one: 1 and *e says what became of it (ERR_NOT_FOUND), 0, -1. */
must_check int gone_tell(struct store *s, const struct repo *r, struct str id, struct err *e);
/* The same of a number: of the commit taken out last that had it. */
must_check int gone_tell_number(struct store *s, const struct repo *r, int64_t number, struct err *e);

#endif
