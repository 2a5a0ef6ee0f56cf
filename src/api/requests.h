/*
 * api/requests.h: requests (flow/request.h) for who asks: their rows, making some and following them to their end.
 */
#ifndef LEAT_API_REQUESTS_H
#define LEAT_API_REQUESTS_H

#include "api/api.h"
#include "flow/request.h"

#define REQUESTS_FOLLOW_MS 20   /* between two looks at those that are followed */
#define REQUESTS_STILL_MS  1000 /* so long nothing moved: what waits is left to the daemon */
#define REQUESTS_MAX       100000

/* "r12" is a request: 1 and *id; 0: it is another word. */
bool requests_word(struct str word, int64_t *id);
/* Rows of those that wait, are queued or about to begin; of one job, unless STR_NULL. *n grows by them. */
must_check int requests_open_rows(struct api *api, struct str job, int64_t most, struct sink *out, size_t *n,
                                  struct err *e);
/* Those that ended and had no run (skipped, cancelled before they began), younger than `since`, ms; newest first. */
must_check int requests_bare_rows(struct api *api, struct str job, int64_t since, int64_t before, int64_t most,
                                  struct sink *out, size_t *n, struct err *e);
/* For status: what waits, each with its reason. */
must_check int requests_attention(struct api *api, struct dom *list, struct err *e);

/* Starts them: by the daemon if there is one, else in a runner of their own. In the order of the ids. */
must_check int requests_go(struct api *api, const int64_t *ids, size_t n, struct err *e);
/* Until all have ended, or those left wait: events and a summary; exit status 1 unless all are good. */
must_check int requests_follow(struct api *api, const int64_t *ids, size_t n, struct sink *out, struct err *e);

#endif
