/*
 * base/dom.h: one document tree for JSON and YAML, in an arena, with the place of every node.
 *
 * Typing is YAML 1.2 core for plain scalars (so `no`, `on`, `012` and `1_000` stay strings; null true false, integers,
 * 0x.., 0o.., floats, .inf, .nan). Keys are strings, unique (a repeated key is an error that names both places), in the
 * order of the file. Bounded: depth DOM_MAX_DEPTH, input DOM_MAX_BYTES, and nodes made by YAML aliases DOM_MAX_ALIASED.
 * CRLF and a byte order mark are no obstacle. Merge keys (<<) and tags beyond the core ones are errors. What is parsed
 * does not point into `text`; keys and strings end in a NUL that the length does not count. YAML that is wrong is
 * ERR_BAD_CONFIG, JSON that is wrong ERR_BAD_DATA, each with its place. An integer too large for int64 becomes a REAL,
 * its text stays in .raw; the infinities and NaN are written to JSON as the strings ".inf", "-.inf", ".nan". Duplicate
 * documents ("---") are an error unless dom_yaml_all is called.
 */
#ifndef LEAT_BASE_DOM_H
#define LEAT_BASE_DOM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define DOM_MAX_DEPTH 200
#define DOM_MAX_BYTES ((size_t)256 << 20)
#define DOM_MAX_ALIASED 100000

enum dom_type { DOM_NULL, DOM_BOOL, DOM_INT, DOM_REAL, DOM_STR, DOM_LIST, DOM_MAP };

struct dom {
	enum dom_type type;
	int line, col;         /* 1-based, of the value's first byte; 0 for nodes made in memory */
	int key_line, key_col; /* of the key, in a map */
	bool plain;            /* a string that came from a plain (unquoted) YAML scalar */
	struct str key;        /* in a map; else STR_NULL */
	union {
		bool b;
		int64_t i;
		double d;
		struct str s;
	};
	struct dom *first, *last, *next; /* children, for LIST and MAP */
	size_t n;                        /* number of children */
	struct str raw;                  /* the scalar's text as written (so 007 and 1.50 can be shown as they stand) */
};

must_check int dom_json(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e);
must_check int dom_yaml(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e);
/* Every document of a YAML stream, as a LIST. */
must_check int dom_yaml_all(struct arena *a, struct str text, const char *file, struct dom **out, struct err *e);

struct dom *dom_get(const struct dom *map, const char *key); /* NULL if absent or not a map */
struct str dom_str(const struct dom *map, const char *key);  /* STR_NULL if absent or no text */
int64_t dom_int(const struct dom *map, const char *key);     /* 0 if absent or no whole number */
struct dom *dom_path(const struct dom *root, const char *dotted); /* "schedule.cron" */
struct str dom_text(struct arena *a, const struct dom *n); /* a scalar as text (raw where there is one); "" for null */
const char *dom_type_word(enum dom_type t); /* "a list" */
bool dom_equal(const struct dom *a, const struct dom *b); /* maps regardless of order */
#define dom_each(child, parent) for (struct dom *child = (parent) ? (parent)->first : NULL; child; child = child->next)

/* Making: all in the arena; strings are copied. */
struct dom *dom_new(struct arena *a, enum dom_type t);
struct dom *dom_new_str(struct arena *a, struct str s);
struct dom *dom_new_int(struct arena *a, int64_t i);
struct dom *dom_new_real(struct arena *a, double d);
struct dom *dom_new_bool(struct arena *a, bool b);
struct dom *dom_new_plain(struct arena *a, struct str s); /* typed as a plain YAML scalar is: for `--param k=v` */
struct dom *dom_copy(struct arena *a, const struct dom *n); /* with all below; strings are shared, not copied */
void dom_add(struct dom *list, struct dom *child);
void dom_set(struct arena *a, struct dom *map, const char *key,
             struct dom *child); /* appends; keys are the caller's to keep unique */
void dom_set_str(struct arena *a, struct dom *map, const char *key, struct str s); /* STR_NULL gives null */
void dom_set_cstr(struct arena *a, struct dom *map, const char *key, const char *s);
void dom_set_int(struct arena *a, struct dom *map, const char *key, int64_t i);
void dom_set_real(struct arena *a, struct dom *map, const char *key, double d);
void dom_set_bool(struct arena *a, struct dom *map, const char *key, bool b);

enum dom_write {
	DOM_COMPACT,
	DOM_PRETTY,
	DOM_CANONICAL, /* compact, map keys sorted by bytes: for hashing */
	DOM_NOTEBOOK   /* keys sorted, one blank of indent: as nbformat writes */
};
void dom_write_json(struct buf *b, const struct dom *n, enum dom_write how);
void json_write_str(struct buf *b, struct str s); /* quoted and escaped; bytes that are no UTF-8 become U+FFFD */

#endif
