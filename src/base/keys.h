/*
 * base/keys.h: documents of the user (leat.yaml, job.yaml) checked against a table of keys, which also gives the
 * defaults and the JSON Schema for editors, so that the three cannot drift apart.
 *
 * A table is rows of struct key, made by X-macro from a file of defs/. A row belongs to a section: "" is the document
 * itself; the map or list of a key is described by the section that the key's `sub` names: there the row "*" stands
 * for any other name, and the row "[]" for the items of a list. A map or list without `sub` may hold anything.
 */
#ifndef LEAT_BASE_KEYS_H
#define LEAT_BASE_KEYS_H

#include "base/dom.h"

/* What a value may be; or'ed. A number may stand where text is wanted only if it is said (KEYS_SCALAR does). */
enum {
	KEYS_NULL = 1 << DOM_NULL,
	KEYS_BOOL = 1 << DOM_BOOL,
	KEYS_INT = 1 << DOM_INT,
	KEYS_REAL = 1 << DOM_REAL,
	KEYS_STR = 1 << DOM_STR,
	KEYS_LIST = 1 << DOM_LIST,
	KEYS_MAP = 1 << DOM_MAP,
	KEYS_NUMBER = KEYS_INT | KEYS_REAL,
	KEYS_SCALAR = KEYS_STR | KEYS_NUMBER | KEYS_BOOL,
	KEYS_ANY = 127,
};

/* What a scalar must be beyond its form. */
enum keys_rule {
	KEYS_FREE,
	KEYS_WORDS,    /* one of `words`, parted by blanks */
	KEYS_SIZE,     /* 100M, 1.5G, 512Mi, bytes */
	KEYS_DURATION, /* 500ms, 60s, 5m, 1h30m, 30d; a bare number is seconds */
	KEYS_ZONE,     /* Europe/Paris */
	KEYS_COUNT,    /* a whole number from 0 on */
	KEYS_POSITIVE, /* a whole number from 1 on */
	KEYS_FACTOR,   /* a number from 0 on */
	KEYS_REPO,     /* a repo's name */
	KEYS_PINNED,   /* a repo's name, @PIN may follow */
	KEYS_NAME,     /* a name of one segment */
	KEYS_IDENT,    /* [A-Za-z_][A-Za-z0-9_]* */
	KEYS_DS,       /* a date label */
	KEYS_CRON,     /* five or six fields, @daily, @every 90m (base/cron.h) */
	KEYS_PATH,     /* a relative path */
	KEYS_NOT_EMPTY,
	KEYS_RULES
};

enum {
	KEYS_MEMO = 1,     /* counts in the memo key */
	KEYS_REQUIRED = 2,
	KEYS_AS_IS = 4,    /* its text is no template in a job whose units come from data: as Pachyderm has it */
};

struct key {
	const char *section, *name;
	unsigned forms;
	enum keys_rule rule;
	const char *words;
	const char *sub;  /* section that describes its map or list; NULL: anything */
	const char *def;  /* default, as YAML text; NULL: none */
	unsigned flags;
	const char *text; /* one sentence: help, schema, docs */
};

struct keys {
	const char *what; /* "leat.yaml", "a sql job" */
	const struct key *rows;
	size_t n;
};

/*
 * Checks a document against tables tried in order (a job's own keys, then those of its kind). The first fault is
 * ERR_BAD_CONFIG at file:line:col, with the nearest key or what would be right as hint. A document that is null is
 * an empty map.
 */
must_check int keys_check(const struct keys *const *tables, size_t n, const struct dom *doc, const char *file,
                          struct err *e);
/* NULL */
const struct key *keys_find(const struct keys *const *tables, size_t n, const char *section, struct str name);

/*
 * The value in `map`, else the row's default (parsed once, kept for the life of the process), else NULL. Null counts
 * as absent.
 */
const struct dom *keys_get(const struct keys *t, const char *section, const struct dom *map, const char *name);

/* "1.5GB", "100M", "3k", "12" by thousands, "512Mi" by 1024. false: it is none, or below 1. */
must_check bool keys_size(struct str text, int64_t *bytes);
/* A duration in ms; false if it is none. */
must_check bool keys_duration(struct str text, int64_t *ms);

bool keys_is_ident(struct str s); /* [A-Za-z_][A-Za-z0-9_]* */

/* JSON Schema (draft 2020-12) of a document. */
struct dom *keys_json_schema(struct arena *a, const struct keys *const *tables, size_t n, const char *title);

/* "; did you mean ..." as hint: the nearest of `names`, else the whole list if it is short. Returns -1. */
int keys_hint_nearest(struct err *e, struct str word, const struct str *names, size_t n);

#endif
