#include "sys/env.h"

#include <ctype.h>
#include <stdlib.h>

#define PREFIX "LEAT__"

/* "POOLS__PG" → "pools.pg" */
static struct str dotted(struct arena *a, struct str name)
{
	char *out = arena_alloc(a, name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '_' && i + 1 < name.n && name.p[i + 1] == '_') {
			out[n++] = '.';
			i++;
		} else {
			out[n++] = (char)tolower((unsigned char)name.p[i]);
		}
	}
	return (struct str){out, n};
}

static int by_variable(const void *a, const void *b)
{
	const struct env_override *x = a, *y = b;

	return strcmp(x->variable, y->variable);
}

void env_override_list(struct arena *a, const char *const *environment, struct env_overrides *out)
{
	VEC(struct env_override) found = {0};

	for (; *environment; environment++) {
		const char *eq = strchr(*environment, '=');
		size_t skip = sizeof(PREFIX) - 1;
		struct env_override o;

		if (!eq || strncmp(*environment, PREFIX, skip) || eq == *environment + skip)
			continue;
		o.variable = arena_cstr(a, (struct str){*environment, (size_t)(eq - *environment)});
		o.key = dotted(a, (struct str){*environment + skip, (size_t)(eq - *environment) - skip});
		o.value = arena_str(a, (struct str){eq + 1, strlen(eq + 1)});
		vec_push(a, &found, o);
	}
	if (found.n > 1)
		qsort(found.p, found.n, sizeof(*found.p), by_variable);
	out->p = found.p;
	out->n = found.n;
}

void env_init(struct env *v, struct arena *a)
{
	*v = (struct env){.arena = a};
}

/* The index of a variable, or how many there are. */
static size_t find(const struct env *v, const char *key)
{
	size_t n = strlen(key), i;

	for (i = 0; i < v->vars.n; i++)
		if (!strncmp(v->vars.p[i], key, n) && v->vars.p[i][n] == '=')
			break;
	return i;
}

void env_set(struct env *v, const char *key, const char *value)
{
	size_t i = find(v, key);
	const char *text = arena_printf(v->arena, "%s=%s", key, value);

	if (i < v->vars.n)
		v->vars.p[i] = text;
	else
		vec_push(v->arena, &v->vars, text);
}

void env_setf(struct env *v, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *value;

	va_start(ap, fmt);
	value = arena_vprintf(v->arena, fmt, ap);
	va_end(ap);
	env_set(v, key, value);
}

void env_unset(struct env *v, const char *key)
{
	size_t i = find(v, key);

	if (i == v->vars.n)
		return;
	memmove(v->vars.p + i, v->vars.p + i + 1, (v->vars.n - i - 1) * sizeof(*v->vars.p));
	v->vars.n--;
}

void env_keep(struct env *v, const char *key)
{
	const char *value = getenv(key);

	if (value)
		env_set(v, key, value);
}

const char *env_get(const struct env *v, const char *key)
{
	size_t i = find(v, key);

	return i < v->vars.n ? strchr(v->vars.p[i], '=') + 1 : NULL;
}

const char *const *env_array(struct env *v)
{
	/* The ending NULL is not counted: setting goes on after it. */
	vec_push(v->arena, &v->vars, NULL);
	v->vars.n--;
	return (const char *const *)v->vars.p;
}
