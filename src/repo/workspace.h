/*
 * repo/workspace.h: the folder with leat.yaml, and its settings (defs/settings.def), each overridable by
 * LEAT__SECTION__KEY in the environment.
 */
#ifndef LEAT_REPO_WORKSPACE_H
#define LEAT_REPO_WORKSPACE_H

#include "base/dom.h"
#include "base/hash.h"
#include "base/keys.h"
#include "base/tz.h"

#define WORKSPACE_FILE "leat.yaml"

enum protect { PROTECT_AUTO, PROTECT_LINK };
enum materialise { MATERIALISE_AUTO, MATERIALISE_ON, MATERIALISE_OFF };
enum table_kind { TABLE_AUTO, TABLE_DIM, TABLE_FCT, TABLE_PLAIN };

struct workspace {
	struct arena *arena;
	char *dir;               /* absolute, no trailing '/' */
	const struct dom *yaml;  /* leat.yaml with the overrides laid over it; a map */
	struct sha *yaml_id;     /* of it in canonical form, overrides included: equal settings have equal ids */
	const struct tz *tz;
	enum protect protect;
	bool durable_power;      /* durability: power */
	int slots;
	struct str *zones;
	size_t n_zones;
};

/*
 * Walks up from `from` to a folder with leat.yaml; from NULL: takes LEAT_WORKSPACE (that folder itself), else walks up
 * from the current folder. ERR_NO_WORKSPACE.
 */
must_check int workspace_find(const char *from, struct arena *a, char **dir, struct err *e);
must_check int workspace_open(const char *dir, struct workspace **out, struct err *e);
void workspace_close(struct workspace *w); /* NULL is fine */
/* A setting by its dotted name ("slots", "pools.pg"), default from the table. NULL if unset and without default. */
const struct dom *workspace_setting(const struct workspace *w, const char *dotted);
/* What leat.yaml says of a table, else what its name says (last segment dim_, fct_), else TABLE_PLAIN. */
enum table_kind workspace_table_kind(const struct workspace *w, struct str repo);
const struct dom *workspace_table(const struct workspace *w, struct str repo); /* its map, or NULL */
/* Whether datastore/ shows the repo: `materialise` of leat.yaml. */
enum materialise workspace_materialise(const struct workspace *w, struct str repo);
/* The table of settings, for docs and the JSON Schema. */
const struct keys *workspace_keys(void);

#endif
