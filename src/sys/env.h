/*
 * sys/env.h: the environment: settings that override leat.yaml, and clean environments for tasks.
 */
#ifndef LEAT_SYS_ENV_H
#define LEAT_SYS_ENV_H

#include "base/arena.h"

/* LEAT__POOLS__PG=2 gives ("pools.pg", "2"): names in lower case, "__" becomes '.'. In order of the names. */
struct env_override {
	struct str key, value;
	const char *variable; /* "LEAT__POOLS__PG", for messages */
};
struct env_overrides {
	struct env_override *p;
	size_t n;
};
void env_override_list(struct arena *a, const char *const *environment, struct env_overrides *out);

/* An environment being built, in an arena. Setting twice replaces; order is that of the first setting. */
struct env {
	struct arena *arena;
	VEC(const char *) vars; /* KEY=VALUE; env_array ends it with a NULL */
};
void env_init(struct env *v, struct arena *a);
void env_set(struct env *v, const char *key, const char *value);
void env_setf(struct env *v, const char *key, const char *fmt, ...) printf_like(3, 4);
void env_unset(struct env *v, const char *key);
/* Copies a variable of this process, if it is set. */
void env_keep(struct env *v, const char *key);
const char *env_get(const struct env *v, const char *key); /* NULL if not there */
const char *const *env_array(struct env *v);

#endif
