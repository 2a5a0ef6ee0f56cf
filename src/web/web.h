/*
 * web/web.h: the HTTP API of a workspace: /api/v1/VERB for every operation (defs/ops.def), and the routes of
 * defs/routes.def. One thread, in the caller's loop.
 *
 * What is quick and bounded is answered here; all else by a child, `leat VERB --json`, whose output is the answer: an
 * operation that takes long, or all the memory it may have, costs this process nothing. Reading is free on loopback;
 * what changes something, or reads what is not of the workspace, needs the token (.leat/serve.token), except by the
 * unix socket, which only its owner may use. Host and Origin are looked at, so that no page of another site gets in.
 */
#ifndef LEAT_WEB_WEB_H
#define LEAT_WEB_WEB_H

#include <stdio.h>

#include "api/serve.h"
#include "flow/plug.h"
#include "repo/store.h"
#include "sys/loop.h"

#define WEB_SOCKET_MAX 107 /* bytes that the path of a unix socket may have */

struct web;

struct web_conf {
	struct store *store; /* the caller's; read between two turns of the loop only */
	const struct job_kind *const *kinds;
	const char *address; /* NULL: 127.0.0.1. No other than a loopback one is taken */
	int port;            /* 0: any; -1: none */
	const char *socket;  /* NULL: none */
	const char *behind;  /* the name that a proxy with TLS answers to: whoever asks by it needs a token, for all */
	/* Whether there is a job of that name: ERR_NO_JOB. NULL: not known. */
	bool (*has_job)(void *ptr, struct str job, struct err *e);
	void *ptr;
};

must_check int web_new(struct loop *l, const struct web_conf *c, struct web **out, struct err *e);
void web_free(struct web *w); /* NULL is fine */
int web_port(const struct web *w);
const char *web_token_file(const struct web *w);
/* leat.db has changed, or may have: who follows events is told. */
void web_changed(struct web *w);

/* The description of the API (OpenAPI 3.1), in the arena. */
struct dom;
struct dom *web_openapi(struct arena *a);
/* Prints it; an exit status. */
int web_openapi_print(FILE *to);

#endif
